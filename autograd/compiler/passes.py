"""Passes: functions from a program to the same program, faster. Each can be left out, and none is needed to be right.

`PASSES` lists them in their order. The way back as `transpose` makes it clears all gradients and adds to them; the
passes find what is written first, what is one expression, what a softmax computed already, what can stay where it is,
and what can be done in one call.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np

from autograd.compiler.kernels import Code, Kernel, Loop, flat, mapped
from autograd.compiler.terms import (
    COMPARISONS,
    REDUCTIONS,
    Buffer,
    Expression,
    Term,
    View,
    expand,
    is_constant,
    is_scalar,
    shape_of,
    substitute,
    total,
    views,
    whole,
)

SAFE = 1e-100  # constant factors between this and its reciprocal can be multiplied with each other
LARGEST = 24  # operations in one expression of single numbers
GAP = 256  # places between two stretches that are rather cleared with them than apart


# Terms


def rewritten(x: Expression, rule: Callable[[Term], Expression]) -> Expression:
    """A term with a rule applied to all its parts, from the inside."""
    if not isinstance(x, Term):
        return x
    args = tuple([rewritten(arg, rule) for arg in x.args])
    return rule(x if args == x.args else Term(x.op, args, x.detail))


def everywhere(code: Code, rule: Callable[[Term], Expression]) -> Code:
    """The program with a rule applied to all its terms."""

    def change(kernel: Kernel) -> Kernel:
        term = rewritten(kernel.term, rule)
        return kernel if term is kernel.term else replace(kernel, term=term)

    return replace(code, forward=mapped(change, code.forward), backward=mapped(change, code.backward))


def power(x: Term) -> Expression:
    """Squares, roots and reciprocals, which are quicker than powers."""
    match x:
        case Term("power", (Term() | View() as base, float(exponent))):
            if exponent == 1.0:
                return base
            if exponent == 2.0:
                return Term("square", (base,))
            if exponent == 0.5 and not is_scalar(base):
                return Term("sqrt", (base,))
            if exponent == -1.0:
                return Term("divide", (1.0, base))
            if exponent == 3.0 and not is_scalar(base):
                return Term("multiply", (Term("square", (base,)), base))
    return x


def powers(code: Code) -> Code:
    """Squares, roots and reciprocals in place of powers."""
    return everywhere(code, power)


def factors_of(x: Expression) -> tuple[float, list[Expression]]:
    """A product as its constant factor and the other factors."""
    match x:
        case float():
            return x, []
        case Term("negative", (y,)):
            constant, others = factors_of(y)
            return -constant, others
        case Term("divide", (y, float(c))) if is_safe(c):
            constant, others = factors_of(y)
            if is_safe(constant):
                return constant / c, others
        case Term("divide", (y, z)) if not isinstance(z, float):
            constant, others = factors_of(y)
            if constant != 1.0 and others:
                return constant, [Term("divide", (product_of(1.0, others), z))]
        case Term("expand", (y,), axis):
            constant, others = factors_of(y)
            if constant != 1.0 and others:
                return constant, [expand(product_of(1.0, others), axis)]
        case Term("multiply", (y, z)):
            (first, left), (second, right) = factors_of(y), factors_of(z)
            if is_safe(first, second):
                return first * second, left + right
    return 1.0, [x]


def is_safe(*factors: float) -> bool:
    """Whether the product of constant factors neither vanishes nor overflows."""
    return all(SAFE < abs(x) < 1 / SAFE for x in factors)


def are_safe(factors: np.ndarray) -> bool:
    """Whether that is so with each of these, but for those that are zero."""
    sizes = np.abs(factors[factors != 0])
    return is_safe(float(sizes.min(initial=1.0)), float(sizes.max(initial=1.0)))


def as_factor(x: Expression) -> Expression:
    """What multiplies as `x` does: an indicator in place of a choice between 1.0 and 0.0."""
    match x:
        case Term("where", (Term() as test, 1.0, 0.0)) if test.op in COMPARISONS:
            return Term("indicator", (test,))
        case Term("step", (y,)):
            return Term("indicator", (Term("greater", (y, 0.0)),))
    return x


def product(x: Term) -> Expression:
    """A product with one constant factor, which is multiplied in where that takes least."""
    if x.op not in ("multiply", "negative") and not (x.op == "divide" and isinstance(x.args[1], float)):
        return x
    constant, others = factors_of(x)
    if not others:
        return constant
    if not is_safe(constant):
        return x
    if any(shape_of(y) != ((), False) for y in others):
        others = [as_factor(y) for y in others]
    others.sort(key=lambda y: shape_size(y))
    for k, y in enumerate(others):
        if constant != 1.0 and isinstance(y, View) and y.buffer.data is not None and are_safe(y.buffer.data):
            others[k] = y.moved(Buffer(y.buffer.size, False, "given", y.buffer.data * constant), 0)
            constant = 1.0
    for k, y in enumerate(others):
        match y:
            case Term("divide", (1.0, below)) if constant != 1.0 and is_scalar(y):
                others[k], constant = Term("divide", (constant, below)), 1.0
    reciprocal = [
        y for y in others if isinstance(y, Term) and y.op == "divide" and y.args[0] == 1.0 and not is_scalar(y)
    ]
    if reciprocal and len(others) > 1:
        last = reciprocal[-1]
        others.remove(last)
        return product_of(constant, [*others[:-1], Term("divide", (others[-1], last.args[1]))])
    return product_of(constant, others)


def product_of(constant: float, others: list[Expression]) -> Expression:
    """A constant times other factors, from the left."""
    result = others[0]
    if constant == -1.0:
        result = Term("negative", (result,))
    elif constant != 1.0:
        result = Term("multiply", (constant, result))
    for y in others[1:]:
        result = Term("multiply", (result, y))
    return result


def shape_size(x: Expression) -> int:
    """How large an array a term is; those that differ by example are larger than all others."""
    shape, batched = shape_of(x)
    size = 1
    for n in shape:
        size *= n
    return size + (1 << 40) * batched


def factors(code: Code) -> Code:
    """Constant factors as one, multiplied in once; conditions as indicators."""
    return everywhere(code, product)


# Softmaxes


@dataclass(frozen=True)
class LogSumExp:
    """What a logsumexp over the last axis of `x` computes: `top`, the maximum; `powers`, exp(x - top); their `sums`.

    The softmax of x is powers / sums, as exact as exp(x - out), and there already.
    """

    x: View
    top: View
    powers: View
    sums: View
    out: View

    @property
    def axis(self) -> int:
        """The axis over which it is taken."""
        return len(self.x.shape) - 1

    def share(self, order: Sequence[int], shape: tuple[int, ...]) -> Term:
        """The softmax of x with its axes in an order."""
        sums = self.sums if is_scalar(self.sums) else along(self.sums, order, shape)
        return Term("divide", (along(self.powers, order, shape), sums))


def logsumexps(forward: Sequence[Kernel]) -> list[LogSumExp]:
    """All that are computed on the way forth."""
    made = {kernel.out: kernel.term for kernel in forward}
    found = []
    for out, term in made.items():
        match term:
            case Term("add", (Term("log", (View() as sums,)), View() as top)):
                match made.get(sums), made.get(top):
                    case Term("sum", (View() as powers,), (axis,)), Term("max", (View() as x,), _):
                        if made.get(powers) == Term("exp", (Term("subtract", (x, expand(top, axis))),)):
                            found.append(LogSumExp(x, top, powers, sums, out))
    return found


def turned(view: View, source: View) -> list[int] | None:
    """Which axis of another each axis of a view is; None if it is not the same array with its axes in some order."""
    axes = list(zip(source.shape, source.strides))
    order = [axes.index(axis) if axis in axes else -1 for axis in zip(view.shape, view.strides)]
    is_same = (view.buffer, view.start, len(view.shape)) == (source.buffer, source.start, len(axes))
    return order if is_same and sorted(order) == list(range(len(axes))) else None


def along(view: View, order: Sequence[int], shape: tuple[int, ...]) -> View:
    """A view with its axes in an order; an axis that it lacks is one along which one value serves many."""
    return View(view.buffer, view.start, shape, tuple([view.strides[k] if k < len(view.strides) else 0 for k in order]))


def spread(x: Expression, shape: tuple[int, ...]) -> View | None:
    """What is read beside an array of a shape, as an array of that shape."""
    match x:
        case Term("expand", (View(shape=_) as y,), axis):
            return View(y.buffer, y.start, shape, (*y.strides[:axis], 0, *y.strides[axis:]))
        case View(shape=()):
            return View(x.buffer, x.start, shape, (0,) * len(shape))
        case View():
            return x
    return None


def shares(forward: Sequence[Kernel]) -> dict[View, tuple[LogSumExp, list[int]]]:
    """The arrays that hold a softmax: of which logsumexp, and which axis of that each of its axes is."""
    found: dict[View, tuple[LogSumExp, list[int]]] = {}
    by_powers = {(each.powers.buffer, each.powers.start): each for each in logsumexps(forward)}
    for kernel in forward:
        match kernel.term:
            case Term("divide", (View() as powers, View())):
                each = by_powers.get((powers.buffer, powers.start))
                order = turned(powers, each.powers) if each else None
                if each and order and kernel.term == each.share(order, powers.shape):
                    found[kernel.out] = each, order
    return found


def exponentials(code: Code) -> Code:
    """Softmaxes, and slopes of a logsumexp, from the exponentials in its value: exp(x - out) is exp(x - top) / sum."""
    made = {kernel.out: kernel.term for kernel in code.forward}
    by = {(each.out.buffer, each.out.start): each for each in logsumexps(code.forward)}
    forward, spared = [], set(code.spared)
    for kernel in code.forward:
        match kernel.term:
            case Term("exp", (View() as shifted,)) if isinstance(made.get(shifted), Term):
                match made[shifted]:
                    case Term("subtract", (View() as x, y)) if out := spread(y, x.shape):
                        each = by.get((out.buffer, out.start))
                        order = turned(x, each.x) if each else None
                        if each and order and out == along(each.out, order, x.shape):
                            kernel = replace(kernel, term=each.share(order, x.shape))
                            spared |= {shifted, each.out}
        forward.append(kernel)
    code = replace(code, forward=forward, spared=spared)
    held = {
        each: along(y, list(map(order.index, range(len(order)))), each.x.shape)
        for y, (each, order) in shares(code.forward).items()
    }

    def rule(x: Term) -> Expression:
        match x:
            case Term("multiply", (up, Term("divide", (Term("exp", (Term("subtract", (View() as xs, y)),)), _)))):
                out = spread(y, xs.shape)
                each = by.get((out.buffer, out.start)) if out else None
                if not each or xs != each.x or y != expand(each.out, each.axis):
                    return x
                if each in held:
                    return Term("multiply", (up, held[each]))
                if isinstance(up, Term) and up.op == "expand":
                    up = expand(Term("divide", (up.args[0], each.sums)), each.axis)
                else:
                    up = Term("divide", (up, expand(each.sums, each.axis)))
                return Term("multiply", (up, each.powers))
        return x

    return everywhere(code, rule)


def shifts(code: Code) -> Code:
    """The logsumexp of what has all one number subtracted, as in a cross-entropy: subtracted from it, once."""
    made, found = {kernel.out: kernel.term for kernel in code.forward}, logsumexps(code.forward)
    if not found:
        return code
    readers = {buffer: np.zeros(buffer.size, int) for buffer in code.values}
    for kernel in (*code.forward, *code.backward, *(Kernel(root, root) for root in code.roots)):
        for buffer, places in kernel.read_places:
            if buffer in readers:
                readers[buffer][places] += 1
    changed: dict[View, Term] = {}
    spared = set(code.spared)
    for each in found:
        match made.get(each.x):
            case Term("subtract", (View() as z, y)) if z.shape == each.x.shape and z.strides[-1]:
                c = y if isinstance(y, float) else spread(y, z.shape)
                if (readers[each.x.buffer][each.x.places] > 2).any() or (isinstance(c, View) and c.strides[-1]):
                    continue
                if isinstance(c, View):
                    c = View(c.buffer, c.start, c.shape[:-1], c.strides[:-1])
                powers = Term("exp", (Term("subtract", (z, expand(each.top, each.axis))),))
                shifted = Term("subtract", (each.top, c))
                changed |= {
                    each.top: Term("max", (z,), (each.axis,)),
                    each.powers: powers,
                    each.out: Term("add", (Term("log", (each.sums,)), shifted)),
                }
                spared.add(each.x)
    forward = [replace(kernel, term=changed.get(kernel.out, kernel.term)) for kernel in code.forward]
    return replace(code, forward=forward, spared=spared)


def unities(code: Code) -> Code:
    """The numbers of a softmax sum to one: that sum, its slope and the sum of their slopes are not computed."""
    found = {each.powers: each for each in logsumexps(code.forward)}
    held = {(y.buffer, y.start): (y, each, order) for y, (each, order) in shares(code.forward).items()}
    if not found:
        return code

    def sums_to_one(y: View, axis: int) -> bool:
        """Whether along an axis of it an array is a softmax."""
        if (y.buffer, y.start) not in held:
            return False
        share, each, order = held[y.buffer, y.start]
        places = turned(y, share)
        return places is not None and order[places[axis]] == each.axis

    ones: set[View] = set()
    for kernel in code.forward:
        match kernel.term:
            case Term("sum", (View() as y,), (axis,)) if kernel.out.buffer in code.values and sums_to_one(y, axis):
                ones.add(kernel.out)
    regions = {region(code, view) for view in ones}
    unused = {(code.slopes[buffer.batched], k) for buffer, k in regions}
    is_one = lambda x: isinstance(x, View) and region(code, x) in regions  # noqa: E731

    def without(x: Term) -> Expression:
        """A quotient by such a sum without it."""
        match x:
            case Term("divide", (View() | Term() as y, below)) if is_one(below) and shape_of(y) == shape_of(x):
                return y
            case Term("multiply", (y, Term("divide", (1.0, below)))) if is_one(below) and shape_of(y) == shape_of(x):
                return y
        return x

    backward: list[Kernel] = []
    latest = {buffer: np.full(buffer.size, -1) for buffer in code.slopes}  # which kernel wrote to a place
    times = {buffer: np.zeros(buffer.size, int) for buffer in code.slopes}

    def summed(x: Expression) -> Expression:
        """A sum of slopes that are one number for each softmax times this: that number."""
        match x:
            case Term("sum", (Term("multiply", (View() as y, float(c))),), axes):
                total = summed(Term("sum", (y,), axes))
                return Term("multiply", (total, c)) if total != Term("sum", (y,), axes) else x
            case Term("sum", (View() as y,), (axis,)) if y.buffer in latest and (times[y.buffer][y.places] == 1).all():
                j = int(latest[y.buffer][y.places][0])
                total = weighed(backward[j].term, axis) if backward[j].out == y else None
                if total is not None and all((latest[v.buffer][v.places] < j).all() for v in slopes_in(total)):
                    return total
        return x

    def weighed(x: Expression, axis: int) -> Expression | None:
        """The number that multiplies a softmax in a term."""
        match x:
            case Term("multiply", (Term("expand", (up,), at), View() as y)) if at == axis:
                match up:
                    case Term("divide", (above, sums)) if y in found and (sums, axis) == (found[y].sums, found[y].axis):
                        return above
                return up if sums_to_one(y, axis) else None
        return None

    slopes_in = lambda x: (view for view in views(x) if view.buffer in latest)  # noqa: E731
    for kernel in code.backward:
        if any(region(code, view) in unused for view in kernel.reads):
            continue
        term = summed(kernel.term)
        backward.append(kernel if term is kernel.term else replace(kernel, term=term))
        if kernel.out.buffer in latest and kernel.term != 0.0:
            latest[kernel.out.buffer][kernel.places] = len(backward) - 1
            times[kernel.out.buffer][kernel.places] += 1
    return everywhere(replace(code, backward=backward, spared=code.spared | ones), without)


# What is read and written


def region(code: Code, view: View) -> Any:
    """Which array a view is in; None for leaves and for views of several arrays."""
    for buffers in (code.slopes, code.values):
        if view.buffer in buffers:
            regions = code.regions[view.batched]
            k = regions[view.start]
            return (view.buffer, int(k)) if k >= 0 and regions[view.stop - 1] == k else None
    return view.buffer, -1


def extent(code: Code, key: Any, sizes: dict) -> int:
    """How many places an array has."""
    buffer, k = key
    if k < 0:
        return buffer.size
    if buffer not in sizes:
        regions = code.regions[buffer.batched]
        sizes[buffer] = np.bincount(regions[regions >= 0], minlength=len(code.names))
    return int(sizes[buffer][k])


def several(code: Code, kernels: Sequence[Kernel]) -> set[tuple[Buffer, int]]:
    """The arrays that are read or written together with others, or at places one by one."""
    found = {
        buffer: np.zeros(len(code.names) + 1, bool) for buffer in (*code.values, *code.slopes)
    }  # the last: of none

    def add(buffer: Buffer, places: slice | np.ndarray) -> None:
        found[buffer][code.regions[buffer.batched][places]] = True

    for kernel in kernels:
        if kernel.at is not None:
            add(kernel.out.buffer, kernel.at.data.ravel())
        for view in (*kernel.reads, *([kernel.out] if kernel.at is None else [])):
            if view.buffer in code.slopes and region(code, view) is None:
                add(view.buffer, view.places)
    return {(buffer, k) for buffer, here in found.items() for k in np.flatnonzero(here[:-1]).tolist()}


def doubled(code: Code) -> Code:
    """Two equal contributions in a row, as of the two factors of a square, are twice one."""
    kernels: list[Kernel] = []
    for kernel in code.backward:
        if kernels and kernel.add and kernel == kernels[-1]:
            kernels[-1] = replace(kernel, term=Term("multiply", (2.0, kernel.term)))
        else:
            kernels.append(kernel)
    return replace(code, backward=kernels)


def first_write(code: Code) -> Code:
    """What comes first to a gradient is assigned; only what is added to is cleared before."""
    if code.narrow:
        return replace(code, backward=first_numbers(code.backward))
    touched = {buffer: np.zeros(buffer.size, bool) for buffer in code.slopes}
    cleared = {buffer: np.zeros(buffer.size, bool) for buffer in code.slopes}
    kernels: list[Kernel] = []
    start = sum(1 for k in code.backward[:2] if k.term == 0.0 and k.out.buffer in code.slopes)
    for kernel in code.backward[start:]:
        reads = [view for view in kernel.reads if view.buffer in touched]
        if reads and kernel.add and not any(touched[view.buffer][view.places].any() for view in reads):
            continue  # its gradient is zero
        for view in reads:
            cleared[view.buffer][view.places] |= ~touched[view.buffer][view.places]
        buffer = kernel.out.buffer
        if buffer in touched:
            first = ~touched[buffer][kernel.places]
            if first.all() and (kernel.at is None or distinct(code, buffer, kernel.places)):
                kernel = replace(kernel, add=False)
            else:
                cleared[buffer][kernel.places] |= first
            touched[buffer][kernel.places] = True
        kernels.append(kernel)
    fills = [Kernel(view, 0.0) for buffer in code.slopes for view in stretches(buffer, cleared[buffer])]
    return replace(code, backward=fills + kernels)


def distinct(code: Code, buffer: Buffer, places: Any) -> bool:
    """Whether no place comes twice but those of constants, whose gradients nobody reads."""
    places = np.sort(places)
    repeated = set(places[1:][places[1:] == places[:-1]].tolist())
    return repeated <= (set() if buffer.batched else code.constants.keys())


def stretches(buffer: Buffer, places: np.ndarray) -> Iterator[View]:
    """Views that together hold some places of a buffer, and what lies between close ones."""
    at = np.flatnonzero(places)
    if len(at):
        for span in np.split(at, np.flatnonzero(np.diff(at) > GAP) + 1):
            start, n = int(span[0]), int(span[-1] - span[0] + 1)
            yield View(buffer, start) if n == 1 and not buffer.batched else whole(buffer, (n,), start)


class Inlined:
    """Writes into an expression what is computed for it alone."""

    def __init__(self, code: Code):
        self.code = code
        both = [*code.forward, *code.backward]
        self.several = several(code, both)
        self.sizes: dict = {}
        self.reads: dict[tuple[Buffer, int], int] = defaultdict(int)
        self.writes: dict[tuple[Buffer, int], int] = defaultdict(int)
        for kernel in both:
            for view in kernel.reads:
                if key := region(code, view):
                    self.reads[key] += 1
            if kernel.term != 0.0 and (key := region(code, kernel.out)):  # what clears an array may go
                self.writes[key] += 1

    def of(self, kernels: Sequence[Kernel]) -> list[Kernel]:
        """The kernels without those whose results stand in others now."""
        result: list[Kernel | None] = []
        made: dict[tuple[Buffer, int], int] = {}  # which kernel, by the array that it makes
        waiting: dict[tuple[Buffer, int], int] = {}  # how many reads are left, of those that may be dropped
        written = {buffer: np.full(buffer.size, -1) for buffer in self.code.slopes}
        for i, kernel in enumerate(kernels):
            changed = kernel
            for view in dict.fromkeys(kernel.reads):
                key = region(self.code, view)
                j = made.get(key, -1) if key else -1
                if j < 0:
                    continue
                source = result[j]
                assert source is not None
                new = self.replacement(source, view, key)
                if new is None or any(
                    written[v.buffer][v.places].max() > j for v in source.reads if v.buffer in written
                ):
                    continue
                term = put(changed.term, view, new)
                if term is None:
                    continue
                waiting[key] -= sum(v == view for v in kernel.reads)
                changed = Kernel(changed.out, term, changed.add, changed.at)
                if not waiting[key]:
                    result[j] = None
                    del made[key]
            result.append(changed)
            if changed.out.buffer in written:
                written[changed.out.buffer][changed.places] = i
            if self.is_candidate(changed):
                key = region(self.code, changed.out)
                made[key], waiting[key] = i, self.reads[key]
        return [kernel for kernel in result if kernel is not None]

    def is_candidate(self, kernel: Kernel) -> bool:
        """Whether a kernel makes all of an array that nothing else writes."""
        out = kernel.out
        if kernel.add or kernel.at is not None or not out.is_whole:
            return False
        key = region(self.code, out)
        if key is None or key in self.several or not self.reads[key]:
            return False
        if self.writes[key] != (kernel.term != 0.0):  # what is cleared is written to in part later
            return False
        if out.size != extent(self.code, key, self.sizes):
            return False
        return out.buffer in self.code.slopes

    def replacement(self, source: Kernel, view: View, key: tuple[Buffer, int]) -> Expression | None:
        """What stands for a view of the array that a kernel makes."""
        term = source.term
        if is_constant(term):
            return term
        if isinstance(term, View):
            if view == source.out:
                return term
            alike = term.is_whole and (term.size, term.batched) == (source.out.size, source.out.batched)
            return view.moved(term.buffer, term.start - source.out.start) if alike else None
        once = view == source.out and self.reads[key] == 1
        return term if once and (is_scalar(term) or not reduces(term)) else None


def reduces(x: Expression) -> bool:
    """Whether a term sums over an axis."""
    return isinstance(x, Term) and (x.op in REDUCTIONS or x.op == "product" or any(map(reduces, x.args)))


def put(x: Expression, view: View, new: Expression) -> Expression | None:
    """The term with another in the place of a view; None where an array is needed."""
    if x == view:
        return new
    if not isinstance(x, Term):
        return x
    if x.op == "where" and isinstance(new, Term) and view in views(Term("where", x.args[1:])):
        return None  # only one of the branches is computed
    args = []
    for arg in x.args:
        changed = put(arg, view, new)
        if changed is None or (
            arg == view and not isinstance(new, View) and x.op in ("product", "take", "others", "max", "prod")
        ):
            return None
        args.append(changed)
    if x.op == "product" and arg_shapes(args) != arg_shapes(x.args):
        return None
    if x.op in REDUCTIONS and shape_of(args[0]) != shape_of(x.args[0]):
        if x.op != "sum":
            return None
        return total(args[0], x.detail, shape_of(x.args[0])[0])
    if x.op == "expand":
        return expand(args[0], x.detail)
    return Term(x.op, tuple(args), x.detail)


def arg_shapes(args: Sequence[Expression]) -> list:
    """The shapes of the arrays among operands."""
    return [(arg.shape, arg.batched) if isinstance(arg, View) else None for arg in args]


def weight(x: Expression) -> int:
    """How many operations a term takes."""
    return 1 + sum(map(weight, x.args)) if isinstance(x, Term) else 0


def inline(code: Code) -> Code:
    """What is computed for one expression alone is part of that expression."""
    return replace(code, backward=Inlined(code).of(code.backward))


def numbers(code: Code) -> Code:
    """A single number that one expression alone reads is part of it."""
    stay = {*code.roots, *(view for kernel in flat(code.backward) for view in kernel.reads)}
    read = read_by_arrays(code, code.forward)
    stay.update(kernel.out for kernel in flat(code.forward) if is_number(kernel.out, code) and read[kernel.out.start])
    for item in code.forward:
        if isinstance(item, Loop):
            stay.update(chain(*item.before))
    forward = [within(item, stay) for item in inline_numbers(code.forward, stay)]
    backward = code.backward
    if code.narrow:
        backward = [within(item, set()) for item in inline_numbers(backward, set())]
    return replace(code, forward=forward, backward=backward)


def is_number(view: View, code: Code) -> bool:
    """Whether a view is one number among the single values."""
    return view.shape == () and view.buffer is code.values[0]


def read_by_arrays(code: Code, kernels: Sequence[Any]) -> np.ndarray:
    """For each single value whether kernels on arrays read it."""
    values = code.values[0]
    read = np.zeros(values.size, bool)
    for kernel in flat(kernels):
        for view, (buffer, places) in zip(kernel.reads, kernel.read_places):
            if buffer is values and view.shape:
                read[places] = True
    return read


def within(item: Kernel | Loop, stay: set[View]) -> Kernel | Loop:
    """A loop with the numbers in its body inlined."""
    return replace(item, kernels=tuple(inline_numbers(item.kernels, stay))) if isinstance(item, Loop) else item


def inline_numbers(kernels: Sequence[Any], stay: set[View]) -> list[Any]:
    """Numbers that one expression alone reads are part of it; those in `stay` have other readers."""
    reads, writes = Counter(), Counter()
    for kernel in flat(kernels):
        reads.update(kernel.reads)
        writes[kernel.out] += 1
    inside = {view for loop in kernels if isinstance(loop, Loop) for kernel in loop.kernels for view in kernel.reads}
    result: list[Any] = []
    made: dict[View, int] = {}
    left: dict[View, int] = {}  # how often they are still read
    written: dict[View, int] = {}
    for i, kernel in enumerate(kernels):
        if isinstance(kernel, Loop):
            made.clear()  # nothing is put off until after a loop: on the way back it changes what it kept, too
            result.append(kernel)
            continue
        for view in dict.fromkeys(kernel.reads) if weight(kernel.term) <= LARGEST else ():
            j = made.get(view, -1)
            if j < 0 or any(written.get(x, -1) > j for x in result[j].reads):
                continue
            term = put(kernel.term, view, result[j].term)
            if term is None or weight(term) > LARGEST:
                continue
            left[view] -= kernel.reads.count(view)
            kernel = replace(kernel, term=term)
            if not left[view]:
                result[j] = None
                del made[view]
        result.append(kernel)
        out = kernel.out
        written[out] = i
        is_number = out.shape == () and not out.batched and out.buffer.data is None and is_scalar(kernel.term)
        is_free = not kernel.add and writes[out] == 1 and out not in stay and out not in inside
        if is_number and is_free and (reads[out] == 1 or (reads[out] and not isinstance(kernel.term, Term))):
            made[out], left[out] = i, reads[out]
    return [kernel for kernel in result if kernel is not None]


def first_numbers(kernels: Sequence[Any]) -> list[Any]:
    """What comes first to the gradient of a number is assigned, where that was set to zero before."""
    result: list[Any] = []
    zero: dict[View, int] = {}
    for kernel in kernels:
        if isinstance(kernel, Loop):
            for view in chain.from_iterable((*inner.reads, inner.out) for inner in kernel.kernels):
                zero.pop(view, None)
            result.append(replace(kernel, kernels=tuple(first_numbers(kernel.kernels))))
            continue
        for view in kernel.reads:
            zero.pop(view, None)
        if kernel.add and kernel.out in zero:
            result[zero.pop(kernel.out)] = None
            kernel = replace(kernel, add=False)
        elif kernel.term == 0.0 and not kernel.add:
            zero[kernel.out] = len(result)
        result.append(kernel)
    return [kernel for kernel in result if kernel is not None]


# What is gathered and scattered


def gathers(code: Code) -> Code:
    """One call for all that is copied from anywhere at one depth."""
    written = {buffer: np.full(buffer.size, -1) for buffer in code.values}
    groups: list[list[int]] = []  # the kernels that become one
    latest: dict[Buffer, list[int]] = {}
    known: dict[tuple[Buffer, Buffer], Buffer] = {}
    where: dict[Buffer, tuple[Buffer, int]] = {}
    dropped: set[int] = set()
    for i, kernel in enumerate(code.forward):
        if isinstance(kernel.term, Term) and kernel.term.op == "take":
            source, index = kernel.term.args[0].buffer, kernel.term.detail
            if (source, index) in known:
                where[kernel.out.buffer] = (known[source, index], 0)
                dropped.add(i)
                continue
            known[source, index] = kernel.out.buffer
            ready = int(written[source][index.data.ravel()].max(initial=-1))
            if source not in latest or latest[source][0] < ready:
                latest[source] = []
                groups.append(latest[source])
            latest[source].append(i)
        elif kernel.out.buffer in written:
            written[kernel.out.buffer][kernel.out.places] = i
    merged: dict[int, Kernel] = {}
    for members in groups:
        if len(members) < 2:
            continue
        kernels = [code.forward[i] for i in members]
        at = np.concatenate([kernel.term.detail.data.ravel() for kernel in kernels])
        source = kernels[0].term.args[0]
        buffer, start = Buffer(len(at), source.batched, "picked"), 0
        for kernel in kernels:
            where[kernel.out.buffer] = (buffer, start)
            start += kernel.out.buffer.size
        dropped.update(members)
        index = Buffer(len(at), name="index", data=at, dtype="int")
        merged[members[0]] = Kernel(whole(buffer), Term("take", (source,), index))
    for old, (new, start) in list(where.items()):
        if new in where:
            where[old] = (where[new][0], where[new][1] + start)

    def moved(kernel: Kernel) -> Kernel:
        if not any(view.buffer in where for view in kernel.reads):
            return kernel
        change = lambda v: v.moved(where[v.buffer][0], where[v.buffer][1]) if v.buffer in where else v  # noqa: E731
        return replace(kernel, term=substitute(kernel.term, change))

    forward: list[Any] = [
        merged.get(i, kernel) for i, kernel in enumerate(code.forward) if i in merged or i not in dropped
    ]
    return replace(code, forward=[moved(k) for k in forward], backward=[moved(k) for k in code.backward])


def scatters(code: Code) -> Code:
    """One call for all that is added to places one by one before any of these is read."""
    kernels: list[Any] = []
    waiting: dict[Buffer, list[int]] = {buffer: [] for buffer in code.slopes}
    marked = {buffer: np.zeros(buffer.size, bool) for buffer in code.slopes}
    sizes: dict[Buffer, int] = {}
    starts: dict[int, int] = {}

    def flush(buffer: Buffer) -> None:
        members = waiting[buffer]
        if len(members) > 1:
            start = 0
            for i in members:
                starts[i] = start
                start += kernels[i].at.size
            sizes[buffer] = max(sizes.get(buffer, 0), start)
            kernels.append((buffer, list(members)))
        elif members:
            kernels.append(kernels[members[0]])
            kernels[members[0]] = ()
        waiting[buffer] = []
        marked[buffer][:] = False

    for kernel in code.backward:
        for place in (*kernel.reads, *([] if kernel.add else [kernel])):
            buffer = place.out.buffer if isinstance(place, Kernel) else place.buffer
            if buffer in waiting and waiting[buffer] and marked[buffer][place.places].any():
                flush(buffer)
        kernels.append(kernel)
        if kernel.at is not None and kernel.add:
            waiting[kernel.out.buffer].append(len(kernels) - 1)
            marked[kernel.out.buffer][kernel.places] = True
    for buffer in code.slopes:
        flush(buffer)
    edges = {buffer: Buffer(n, buffer.batched, "edges") for buffer, n in sizes.items()}
    result: list[Kernel] = []
    for i, kernel in enumerate(kernels):
        if isinstance(kernel, Kernel) and i in starts:
            out = whole(edges[kernel.out.buffer], kernel.at.data.shape, starts[i])
            result.append(Kernel(out, kernel.term))
        elif isinstance(kernel, Kernel):
            result.append(kernel)
        elif kernel:
            buffer, members = kernel
            at = np.concatenate([kernels[i].at.data.ravel() for i in members])
            index = Buffer(len(at), name="index", data=at, dtype="int")
            result.append(Kernel(whole(buffer), whole(edges[buffer], (len(at),)), True, index))
    return replace(code, backward=result)


# Where gradients lie


def in_place(code: Code) -> Code:
    """A gradient that is computed element by element from one that is not needed any more takes over its array."""
    last = {buffer: np.full(buffer.size, -1) for buffer in code.slopes}
    for i, kernel in enumerate(code.backward):
        for view in (*kernel.reads, kernel.out):
            if view.buffer in last and (kernel.at is None or view is not kernel.out):
                last[view.buffer][view.places] = i
        if kernel.at is not None:
            last[kernel.out.buffer][kernel.at.data.ravel()] = i
    for buffer in code.slopes:
        last[buffer][code.regions[buffer.batched] < 0] = len(code.backward)
    fixed, sizes = several(code, code.backward), {}
    by: dict[Any, int] = {}

    def move(view: View) -> View:
        key = region(code, view) if view.buffer in last else None
        return view.moved(view.buffer, by[key]) if key in by else view

    kernels: list[Kernel] = []
    for i, kernel in enumerate(code.backward):
        term = substitute(kernel.term, move) if by else kernel.term
        out, key = kernel.out, None
        if out.buffer in last and kernel.at is None:
            key = region(code, out)
            out = move(out)
        is_free = key is not None and key not in by and key not in fixed and not kernel.add
        if is_free and out.is_whole and term != 0.0 and out.size == extent(code, key, sizes):
            for view in aligned(term):
                if view.buffer is not out.buffer or view.shape != out.shape or not view.is_whole:
                    continue
                others = [v for v in views(term) if v.buffer is view.buffer and v != view]
                if last[view.buffer][view.places].max() <= i and not any(map(view_meets(view), others)):
                    by[key] = view.start - out.start
                    last[view.buffer][view.places] = last[out.buffer][out.places]
                    out = view
                    break
        if out != term or kernel.add:
            kernels.append(Kernel(out, term, kernel.add, kernel.at))
    return replace(code, backward=kernels)


def view_meets(view: View) -> Callable[[View], bool]:
    """Whether another view may have places of this one."""
    return lambda other: other.start < view.stop and view.start < other.stop


def aligned(x: Expression) -> Iterator[View]:
    """The views that a term combines element by element; none if it also reads them otherwise."""
    if isinstance(x, View):
        yield x
    elif isinstance(x, Term) and x.op not in ("product", "take", "others", "expand", *REDUCTIONS):
        for arg in x.args:
            yield from aligned(arg)


def dead(code: Code) -> Code:
    """Nothing is computed that no one reads."""
    buffers = (*code.values, *code.slopes)
    needed = {buffer: np.zeros(buffer.size, bool) for buffer in buffers}
    for slopes in code.slopes:
        needed[slopes][code.regions[slopes.batched] < 0] = True
    for values in code.values:
        needed[values][code.regions[values.batched] >= 0] = True  # computing them may raise an error
    for view in code.spared:
        needed[view.buffer][view.places] = False
    for root in code.roots:
        needed[root.buffer][root.places] = True
    others: set[Buffer] = set(code.required)

    def live(kernels: Sequence[Any]) -> list[Any]:
        kept = []
        for item in reversed(kernels):
            for kernel in flat([item]) if isinstance(item, Loop) else [item]:
                out = kernel.out
                is_needed = needed[out.buffer][out.places].any() if out.buffer in needed else out.buffer in others
                if not is_needed and not isinstance(item, Loop):
                    break
                for buffer, places in kernel.read_places:
                    if buffer in needed:
                        needed[buffer][places] = True
                    else:
                        others.add(buffer)
            else:
                kept.append(item)
        return kept[::-1]

    backward = live(code.backward)
    return replace(code, forward=live(code.forward), backward=backward)


PASSES: tuple[Callable[[Code], Code], ...] = (
    powers, doubled, exponentials, unities, shifts, gathers, first_write, inline, numbers, factors, scatters,
    in_place, dead,
)  # fmt: skip
OF_NUMBERS = (powers, first_write, numbers, factors, dead)  # those that know loops
_chosen: ContextVar[tuple[Callable[[Code], Code], ...]] = ContextVar("passes", default=PASSES)


@contextmanager
def only(*passes: Callable[[Code], Code]) -> Iterator[None]:
    """Compile with these passes alone for the time of a block, to find the one at fault."""
    token = _chosen.set(passes)
    try:
        yield
    finally:
        _chosen.reset(token)


def passed(code: Code) -> Code:
    """The program after all passes that are chosen."""
    for change in OF_NUMBERS if code.narrow else PASSES:
        if change in _chosen.get():
            code = change(code)
    return code
