"""Kernels: the groups of a layout as small records that say what is computed, from what, and where it goes.

These are the plain ones: a kernel per array, without regard to speed. The passes rewrite them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograd.compiler.fuse import DOT, signs_matter
from autograd.compiler.roll import Group, Layout, Read, stem
from autograd.compiler.terms import (
    WORDS,
    Buffer,
    Expression,
    Number,
    Term,
    View,
    alike,
    is_scalar,
    shape_of,
    term_of,
    total,
    views,
    whole,
)
from autograd.compiler.trace import Trace
from autograd.core.table import TABLE, evaluate


@dataclass(frozen=True)
class Kernel:
    """`term` is assigned, or added, to the places of `out`; with `at`, to those places of its buffer, which may repeat.

    Attributes:
        mask: where alone it is computed, if not everywhere.
    """

    out: View
    term: Expression
    add: bool = False
    at: Any = None  # a Buffer
    mask: Expression | None = None

    @property
    def reads(self) -> tuple[View, ...]:
        """The arrays that it reads, as often as they occur."""
        return views(self.term)

    @property
    def read_places(self) -> Iterator[tuple[Buffer, slice | np.ndarray]]:
        """Of each array that it reads the buffer, and what indexes the places of it that it reads."""
        picked = self.term.detail.data.ravel() if isinstance(self.term, Term) and self.term.op == "take" else None
        for view in self.reads:
            yield view.buffer, view.places if picked is None else picked

    @property
    def places(self) -> slice | np.ndarray:
        """What indexes the places of its buffer that it writes."""
        return self.out.places if self.at is None else self.at.data.ravel()


@dataclass(frozen=True)
class Loop:
    """Kernels on single numbers, `count` times; on the way back, from the last round to the first.

    Attributes:
        before: for what is read of the round before its place, and the place where that is kept.
        kept: of `before` what the way back needs: it is what it was before at the end of a round on the way back.
        saved: what the way back needs of every round.
    """

    count: int
    kernels: tuple[Kernel, ...]
    before: tuple[tuple[View, View], ...] = ()
    kept: tuple[tuple[View, View], ...] = ()
    saved: tuple[View, ...] = ()
    back: bool = False


def flat(kernels: Sequence[Any]) -> Iterator[Kernel]:
    """All kernels, those of loops included."""
    for kernel in kernels:
        if isinstance(kernel, Loop):
            yield from kernel.kernels
        else:
            yield kernel


def mapped(change: Callable[[Kernel], Kernel], kernels: Sequence[Any]) -> list[Any]:
    """All kernels changed, those of loops included."""
    return [
        replace(item, kernels=tuple(map(change, item.kernels))) if isinstance(item, Loop) else change(item)
        for item in kernels
    ]


@dataclass
class Code:
    """A program as kernels.

    Attributes:
        values: the buffers of single values and of those that differ by example; `slopes`: of their gradients.
        regions: for each place of either buffer the number of the array it is in, -1 for leaves and constants.
        names: of each array; `hint`: of a leaf at a place, if it has one.
        roots: where the values are that are asked for.
        required: buffers whose contents nobody reads, but whose computation may raise an error.
        spared: values whose computation raises none that the rest would not, so that it may go if nobody reads them.
        parameters, inputs: how many there are; the inputs begin at place `first_input`.
    """

    values: tuple[Buffer, Buffer]
    slopes: tuple[Buffer, Buffer]
    regions: tuple[np.ndarray, np.ndarray]
    names: list[str]
    hint: Callable[[bool, int], str]
    constants: dict[int, float]
    ones: list[tuple[bool, int, int]]
    roots: list[View]
    parameters: int
    inputs: int
    first_input: int
    per_example: bool
    narrow: bool = False
    others: Sequence[float] = ()
    order: list[int] | None = None
    required: set[Buffer] = field(default_factory=set)
    spared: set[View] = field(default_factory=set)
    forward: list[Any] = field(default_factory=list)
    backward: list[Any] = field(default_factory=list)

    def is_output(self, buffer: Buffer) -> bool:
        """Whether a buffer holds what outlives a run: the gradients that are asked for."""
        return buffer in self.slopes


@dataclass(frozen=True)
class Operation:
    """One group with what it reads as terms; `out` is its array, and `up` the gradient of that.

    `kind` is that of the group, or "short" for a sum of few products and single terms, all of them numbers: `pairs` of
    reads that are multiplied, then single ones.
    """

    group: Group
    operands: list[Expression]
    reads: list[Read]
    out: View
    up: View
    kind: str
    pairs: int = 0


class Kernels:
    """Makes the kernels of a layout: the forward pass here, the backward pass in `transpose`."""

    def __init__(self, traced: Trace, layout: Layout, parameters: int, inputs: int, others: Sequence[float],
                 per_example: bool):  # fmt: skip
        self.traced, self.layout = traced, layout
        single, batched = layout.sizes
        first = 1 if (True, 0, 1) in layout.ones else 0  # after a row of ones
        self.is_constant = np.zeros(single, bool)
        self.constant = np.zeros(single)
        places = layout.place[list(traced.constants)]
        self.is_constant[places] = True
        self.constant[places] = list(traced.constants.values())
        self.indices: dict[tuple, Buffer] = {}
        self.copies: dict[View, View] = {}
        self.signs_matter = signs_matter(traced)
        self.code = Code(
            values=(Buffer(single, False, "v"), Buffer(batched, True, "vs")),
            slopes=(Buffer(single, False, "g"), Buffer(batched, True, "gs")),
            regions=(np.full(single, -1), np.full(batched, -1)),
            names=[],
            hint=name_of_leaf(traced, layout),
            constants={int(layout.place[i]): x for i, x in traced.constants.items()},
            ones=layout.ones,
            roots=[],
            parameters=parameters,
            inputs=inputs,
            first_input=first,
            per_example=per_example,
            others=others,
            order=layout.order,
        )
        for k, group in enumerate(layout.groups):
            self.code.regions[group.batched][group.start : group.start + group.size] = k
            self.code.names.append(group.name or default_name(group))
        self.operations = [self.operation(group) for group in layout.groups]
        for root in traced.roots:
            self.code.roots.append(View(self.code.values[int(layout.batched[root])], int(layout.place[root])))

    # What groups read

    def index(self, at: np.ndarray) -> Buffer:
        """Places as a constant; equal ones are one buffer."""
        at = np.ascontiguousarray(at, np.intp)
        key = (at.shape, at.tobytes())
        if key not in self.indices:
            self.indices[key] = Buffer(at.size, name="index", data=at, dtype="int")
        return self.indices[key]

    def view(self, read: Read, buffers: tuple[Buffer, Buffer]) -> View | None:
        """What is read as a view of a buffer, if its places are affine."""
        strides = read.strides
        if strides is None:
            return None
        strides = tuple([step if n > 1 else 0 for n, step in zip(read.at.shape, strides)])
        return View(buffers[read.batched], int(read.at.flat[0]), read.at.shape, strides)

    def operand(self, read: Read) -> Expression:
        """What is read: a number, an array of constants, a view, or a copy of values that lie anywhere."""
        if read.constant is not None:
            return read.constant
        found = self.view(read, self.code.values)
        if found is not None:
            return found
        if not read.batched and self.is_constant[read.at].all():
            return whole(Buffer(read.at.size, name="given", data=self.constant[read.at]), read.at.shape)
        below_ones = read.at.ndim == 2 and not read.batched and self.is_constant[read.at[0]].all()
        picked = whole(Buffer(read.at.size, read.batched, "ones_x" if below_ones else "picked"), read.at.shape)
        source = whole(self.code.values[read.batched])
        self.code.forward.append(Kernel(picked, Term("take", (source,), self.index(read.at))))
        return picked

    def operation(self, group: Group) -> Operation:
        """A group's operands and result; an array of one element has no axis for it."""
        reads, shape, kind, pairs = group.reads, group.shape, group.kind, 0
        if shape == (1,):
            shape = ()
            reads = [
                r if kind == "matmul" and k == 1 else Read(r.nodes[0], r.at[0], r.batched, r.constant)
                for k, r in enumerate(reads)
            ]
            is_sum = kind in ("sum", "rows") or group.op == "mean"
            if is_sum and not group.batched and reads[0].at.size <= SHORT:
                pairs = reads[0].at.size if kind == "rows" else 0
                factors = [self.one(read, k) for k in range(pairs) for read in reads[:2]]
                singles = [self.one(reads[0], k) for k in range(reads[0].at.size)] if not pairs else reads[2:]
                reads, kind = [*factors, *singles], "short"
        out = whole(self.code.values[group.batched], shape, group.start)
        operands = [self.operand(read) for read in reads]
        up = out.moved(self.code.slopes[group.batched], 0)
        operation = Operation(group, operands, reads, out, up, kind, pairs)
        self.code.forward += list(self.forward(operation))
        if (group.op == DOT or group.op == "mean") and not self.signs_matter.isdisjoint(group.nodes.tolist()):
            self.code.forward.append(Kernel(self.checked((), False), Term("nonzero", (out,))))
        return operation

    def checked(self, shape: tuple[int, ...], batched: bool) -> View:
        """Where a result goes that nobody reads, because its computation may raise an error."""
        view = whole(Buffer(math.prod(shape), batched, "checked"), shape)
        self.code.required.add(view.buffer)
        return view

    def one(self, read: Read, k: int) -> Read:
        """The read of one element of a row."""
        place = int(read.at[k])
        known = float(self.constant[place]) if self.is_constant[place] else None
        return Read(read.nodes[k], read.at[k], False, read.constant if read.constant is not None else known)

    def full(self, x: Expression, read: Read) -> View:
        """An operand of a product, which cannot be a number."""
        if isinstance(x, View):
            return x
        return whole(Buffer(read.at.size, name="given", data=np.full(read.at.shape, term_value(x))), read.at.shape)

    def dense(self, x: Expression, read: Read) -> View:
        """An operand of a reduction, in which equal elements are there as often as they count."""
        view = self.full(x, read)
        if view.strides[-1] or view.shape[-1] == 1:
            return view
        if view not in self.copies:
            self.copies[view] = whole(Buffer(read.at.size, read.batched, "x"), read.at.shape)
            self.code.forward.append(Kernel(self.copies[view], view))
        return self.copies[view]

    # What groups compute

    def forward(self, operation: Operation) -> Iterator[Kernel]:
        """The kernels of one group."""
        group, out, operands = operation.group, operation.out, operation.operands
        match operation.kind:
            case "short":
                yield Kernel(out, self.short(operation))
            case "elementwise":
                row = TABLE[group.op]
                names = {x: as_number(operand) for x, operand in zip(row.operands, operands)}
                if row.domain:  # a slope, which exists only where the operation that it is the slope of does
                    value = term_of(evaluate(TABLE[row.domain].value, WORDS, names))
                    yield Kernel(self.checked(out.shape, out.batched), value)
                yield Kernel(out, term_of(evaluate(row.value, WORDS, names)))
            case "broadcast":
                yield Kernel(out, operands[0])
            case "sum":
                yield Kernel(out, Term("sum", (self.dense(operands[0], operation.reads[0]),), (len(out.shape),)))
            case "reduction":
                row = TABLE[group.op]
                xs = self.dense(operands[0], operation.reads[0])
                names = {row.lists[0]: Number(xs), "n": float(xs.shape[-1])}
                yield from materialized(out, term_of(evaluate(row.value, WORDS, names)))
            case _:
                yield from self.product(operation)

    @staticmethod
    def short(operation: Operation) -> Expression:
        """A sum of few numbers, written out."""
        operands, n = operation.operands, 2 * operation.pairs
        terms: list[Expression] = [0.0] if operation.group.starts_at_zero else []
        terms += [Term("multiply", tuple(operands[k : k + 2])) for k in range(0, n, 2)]
        term, *others = [*terms, *operands[n:]]
        for other in others:
            term = Term("add", (term, other))
        return Term("divide", (term, float(len(operands)))) if operation.group.op == "mean" else term

    def product(self, operation: Operation) -> Iterator[Kernel]:
        """A sum of products, and the single terms beside it."""
        out, singles = operation.out, operation.operands[2:]
        term: Expression = self.factors(operation)
        if is_scalar(term):
            for single in singles:
                term = Term("add", (term, single))
            singles = []
        yield Kernel(out, term)
        for single in singles:
            yield Kernel(out, single, add=True)

    def factors(self, operation: Operation) -> Expression:
        """The sum of products of a group."""
        left, right = [self.full(x, read) for x, read in zip(operation.operands[:2], operation.reads)]
        a, b, c = self.subscripts(operation, left, right)
        if c == "e" and left.batched and right.batched:
            return total(Term("multiply", (left, right)), (0,), left.shape)
        return Term("product", (left, right), (a, b, c))

    @staticmethod
    def subscripts(operation: Operation, left: View, right: View) -> tuple[str, str, str]:
        """The letters of left, right and result: h stack, n equal rows, l rows, p products, r columns, e examples."""
        n_left, n_right = len(left.shape), len(right.shape)
        if operation.group.kind == "rows":
            a = b = "np"[2 - n_left :]
            c = a[:-1]
        else:
            h = "h" * (n_left == 3)
            rows, columns = "l" * (n_left > 1), "r" * (n_right > 1 + len(h))
            a, b, c = f"{h}{rows}p", f"{h}p{columns}", f"{h}{rows}{columns}"
        return a + "e" * left.batched, b + "e" * right.batched, c + "e" * operation.group.batched


def name_of_leaf(traced: Trace, layout: Layout) -> Callable[[bool, int], str]:
    """What the leaf at a place is called, as a function of whether it differs by example, and the place."""
    labels, leaves = traced.labels, np.array(traced.leaves, int)
    leaf_at = [np.full(size, -1) for size in layout.sizes]
    for at, here in zip(leaf_at, (~layout.batched[leaves], layout.batched[leaves])):
        at[layout.place[leaves[here]]] = leaves[here]
    return lambda batched, place: stem(labels.get(int(leaf_at[batched][place]), ""))


def term_value(x: Expression) -> float:
    """The number that a term is."""
    assert isinstance(x, float)
    return x


def as_number(x: Expression) -> Any:
    """An operand of a row."""
    return x if isinstance(x, float) else Number(x)


def materialized(out: View, term: Expression) -> Iterator[Kernel]:
    """A result with arrays of their own for the reductions in it and what they reduce: the way back may need them."""
    made: dict[Expression, View] = {}

    def stored(x: Expression) -> Iterator[Kernel]:
        """Kernels for the reductions inside of a term, which leave their results in `made`."""
        if not isinstance(x, Term) or x in made:
            return
        for arg in x.args:
            yield from stored(arg)
        if x.op in ("sum", "max", "exp"):
            shape, batched = shape_of(x)
            buffer = Buffer(math.prod(shape), batched, {"max": "top", "sum": "total"}.get(x.op, "exps"))
            made[x] = alike(buffer, shape, x) if x.op == "exp" else whole(buffer, shape)
            yield Kernel(made[x], rebuilt(x, top=True))

    def rebuilt(x: Expression, top: bool = False) -> Expression:
        if not isinstance(x, Term):
            return x
        if x in made and not top:
            return made[x]
        return Term(x.op, tuple([rebuilt(arg) for arg in x.args]), x.detail)

    if isinstance(term, Term) and term.op not in ("sum", "prod"):
        for arg in term.args:
            yield from stored(arg)
    yield Kernel(out, rebuilt(term, top=True))


SHORT = 2  # elements of a sum that are added one by one
KINDS = {"matmul": "z", "rows": "z", "sum": "s", "relu": "a", "tanh": "a", "sigmoid": "a"}


def default_name(group: Group) -> str:
    """What an array is called whose nodes have no label; the writer numbers them."""
    return KINDS.get(group.op if group.op != "dot" else group.kind, group.op) + "#"
