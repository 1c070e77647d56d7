"""Calls: kernels taken apart into single NumPy calls, each into an array that is there already.

Arrays for results in between are shared by all kernels that need one of their shape. What is one number stays one
expression, of plain Python.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from autograd.compiler.kernels import Code, Kernel, Loop
from autograd.compiler.passes import factors_of, product_of
from autograd.compiler.terms import (
    COMPARISONS,
    REDUCTIONS,
    Buffer,
    Expression,
    Term,
    View,
    alike,
    broadcast,
    is_scalar,
    shape_of,
    whole,
)

RISKY = {
    "divide",
    "power",
    "log",
    "log2",
    "log10",
    "log1p",
    "sqrt",
    "arcsin",
    "arccos",
    "arccosh",
    "arctanh",
    "reciprocal",
}
LARGE = 1 << 14  # elements of an array to which others are rather broadcast
UNMASKED = {"erf", "erfc", "indicator", "others", "take"}  # whose calls take no mask


def risky(x: Expression) -> bool:
    """Whether a term has a domain that the elements of the other branch of a conditional may lie outside of."""
    return isinstance(x, Term) and (x.op in RISKY or any(map(risky, x.args)))


def narrow(view: View) -> View:
    """The view with length 1 along the axes where one value serves many."""
    return View(view.buffer, view.start, shape_of(view)[0], view.strides)


def single_calls(code: Code) -> Code:
    """The program with every kernel a single call."""
    calls = Calls()
    return replace(code, forward=calls.of(code.forward), backward=calls.of(code.backward))


class Calls:
    """Takes kernels apart, one after the other."""

    def __init__(self) -> None:
        self.free: dict[tuple, list[View]] = defaultdict(list)
        self.ones: dict[tuple, View] = {}
        self.calls: list[Kernel | Loop] = []

    def of(self, kernels: Iterable[Kernel | Loop]) -> list[Kernel | Loop]:
        """The calls of these kernels, in order."""
        self.calls = []
        for kernel in kernels:
            if isinstance(kernel, Loop):
                self.calls.append(kernel)
            else:
                _Taken(self, kernel)
        return self.calls

    def array(self, shape: tuple[int, ...], batched: bool, dtype: str, x: Expression) -> View:
        """An array for a result in between, its axes in the order of those that a term reads."""
        name = "mask" if dtype == "bool" else "t"
        view = alike(Buffer(math.prod(shape), batched, name, dtype=dtype), shape, x)
        free = self.free[view.shape, view.strides, batched, dtype]
        return free.pop() if free else view

    def release(self, view: View) -> None:
        """Let others have an array."""
        self.free[view.shape, view.strides, view.batched, view.buffer.dtype].append(view)

    def factors(self, n: int | str, factor: float) -> View:
        """A constant vector of equal numbers, of length n or, for "e", of the number of examples."""
        key = (n, factor)
        if key not in self.ones:
            name = "ones" if factor == 1.0 else "factors"
            if isinstance(n, str):
                self.ones[key] = View(Buffer(1, True, name, np.array(factor)))
            else:
                self.ones[key] = whole(Buffer(n, False, name, np.full(n, factor)))
        return self.ones[key]


class _Taken:
    """One kernel, taken apart."""

    def __init__(self, calls: Calls, kernel: Kernel):
        self.all, self.kernel = calls, kernel
        self.made: dict[tuple, View] = {}
        self.owned: dict[Buffer, View] = {}
        self.uses: Counter[Term] = Counter()
        out, term = kernel.out, kernel.term
        self.count(term, None, set())
        if kernel.at is not None:
            self.scatter()
        elif out.shape == () and not out.batched and is_scalar(term):
            self.emit(Kernel(out, self.number(term), kernel.add))
        elif kernel.add:
            x = self.compute(term, None)
            self.emit(Kernel(out, Term("add", (out, x))))
        else:
            x = self.compute(term, None, out)
            if x != out:
                self.emit(Kernel(out, x))
        for view in self.owned.values():
            calls.release(view)

    def emit(self, kernel: Kernel) -> None:
        self.all.calls.append(kernel)

    def count(self, x: Expression, mask: Expression | None, seen: set[Expression]) -> None:
        """How often each result in between is used."""
        if isinstance(x, Term):
            self.uses[x] += 1
            if x not in seen:
                seen.add(x)
                for arg in x.args:
                    self.count(arg, mask, seen)

    def scatter(self) -> None:
        """Values added to places that may repeat."""
        kernel = self.kernel
        assert kernel.at is not None
        assert kernel.at.data is not None
        x = self.compute(kernel.term, None)
        shape = kernel.at.data.shape
        if shape_of(x) != (shape, kernel.out.batched) or not isinstance(x, View) or not x.is_whole:
            full = self.array(shape, kernel.out.batched)
            self.emit(Kernel(full, x))
            x = full
        self.emit(Kernel(kernel.out, x, kernel.add, kernel.at))

    def array(self, shape: tuple[int, ...], batched: bool, dtype: str = "float", x: Expression = 0.0) -> View:
        view = self.all.array(shape, batched, dtype, x)
        self.owned[view.buffer] = view
        return view

    def used(self, args: Iterable[Expression], mask: Expression | None) -> None:
        """Free the arrays in between that are not needed any more."""
        for x in args:
            if isinstance(x, Term) and mask is None:  # in a branch, a result may be computed more than once
                self.uses[x] -= 1
                if not self.uses[x]:
                    for key in [key for key in self.made if key[0] == x]:
                        view = self.made.pop(key)
                        if view.buffer in self.owned and not any(v.buffer is view.buffer for v in self.made.values()):
                            self.all.release(self.owned.pop(view.buffer))

    def number(self, x: Expression) -> Expression:
        """One number: the same term, with the arrays that it sums over computed."""
        if not isinstance(x, Term):
            return x
        if x.op in REDUCTIONS or x.op == "product":
            return self.reduced(x, None)
        return Term(x.op, tuple([self.number(arg) for arg in x.args]), x.detail)

    def reduced(self, x: Term, mask: Expression | None) -> Term:
        """A reduction or a product of arrays that are there."""
        if x.op == "sum":
            return self.sum(x, mask)
        args = [self.compute(arg, mask) for arg in x.args]
        return Term(x.op, tuple([self.there(arg) for arg in args]), x.detail)

    def there(self, x: Expression) -> View:
        """An array, where a number will not do."""
        if isinstance(x, View):
            return x
        raise AssertionError(f"{x} is no array")

    def sum(self, x: Term, mask: Expression | None) -> Term:
        """A sum over one axis of a matrix or vector is a product with ones, which may hold a constant factor."""
        [inner] = x.args
        shape, batched = shape_of(inner)
        rank = len(shape) + batched
        if len(x.detail) > 1 or rank > 2:
            return Term("sum", (narrow(self.there(self.compute(inner, mask))),), x.detail)
        factor, others = factors_of(inner)
        rest = product_of(1.0, others) if others else inner
        if factor == 1.0 or shape_of(rest) != (shape, batched):
            factor, rest = 1.0, inner
        view = narrow(self.there(self.compute(rest, mask)))
        letters = "nm"[: len(shape)] + "e" * batched
        letter = "e" if x.detail[0] == "e" else letters[x.detail[0]]
        ones = self.all.factors("e" if letter == "e" else shape[x.detail[0]], factor)
        return Term("product", (view, ones), (letters, letter, letters.replace(letter, "")))

    def compute(self, x: Expression, mask: Expression | None, out: View | None = None) -> Expression:
        """Emit what leaves a term in an array, `out` if possible; the array, or the number that it is."""
        if not isinstance(x, Term):
            return x
        shape, batched = shape_of(x)
        if shape == () and not batched:
            return self.number(x)
        for key in ((x, mask), (x, None)):
            if key in self.made:
                return self.made[key]
        if x.op == "expand":
            inner = self.compute(x.args[0], mask)
            if isinstance(inner, View):
                k = x.detail
                inner = View(inner.buffer, inner.start, (*inner.shape[:k], 1, *inner.shape[k:]),
                             (*inner.strides[:k], 0, *inner.strides[k:]))  # fmt: skip
                self.made[x, mask] = inner
            return inner
        if mask is not None:
            shape, batched = broadcast([(shape, batched), shape_of(mask)])
        whole_out = (
            out if out is not None and shape_of(out) == (shape, batched) and out.buffer.dtype != "bool" else None
        )
        if x.op == "where":
            result = self.where(x, mask, whole_out)
        elif x.op in REDUCTIONS or x.op == "product":
            simple = self.reduced(x, mask)
            result = whole_out or self.array(shape, batched)
            self.emit(Kernel(result, simple))
            self.used(x.args, mask)
        else:
            dtype = "bool" if x.op in COMPARISONS else "float"
            own = x.args[0] if x.op == "indicator" else x
            args = tuple([self.compute(arg, mask) for arg in own.args])
            if x.op in ("others", "take"):
                result = whole_out or self.array(shape, batched)
                self.used(own.args, mask)
            else:
                self.used(own.args, mask)
                result = whole_out or self.array(shape, batched, dtype, Term(own.op, args))
            masked = mask if dtype == "float" and x.op not in UNMASKED else None
            if dtype == "float" and mask is None and x.op not in UNMASKED:
                args = self.repeated(args, result)
            term = Term(own.op, args, own.detail)
            self.emit(Kernel(result, term if own is x else Term(x.op, (term,)), mask=masked))
        self.made[x, mask] = result
        return result

    def repeated(self, args: tuple[Expression, ...], out: View) -> tuple[Expression, ...]:
        """Operands, one of them, whose elements serve many, copied to an array of the result's shape before.

        The copy and a pass over whole arrays take two thirds of the time that NumPy takes to broadcast where rows are
        not long. It goes where the result will be, if that is no operand; for many examples all else is slower.
        """
        read = {arg.buffer for arg in args if isinstance(arg, View)}
        is_apart = out.buffer not in read
        for k, x in enumerate(args):
            shape, batched = shape_of(x)
            few = is_apart and batched if out.batched else out.size <= LARGE
            if few and isinstance(x, View) and (x.size > 1 or batched) and (shape, batched) != shape_of(out):
                full = out
                while full.buffer in read:  # those in between are free already
                    full = self.array(out.shape, False, "float", out)
                self.emit(Kernel(full, x))
                return (*args[:k], full, *args[k + 1 :])
        return args

    def logical(self, op: str, *args: Expression) -> Expression:
        """A condition made of others."""
        term = Term(op, args)
        if is_scalar(term):
            return term
        result = self.array(*shape_of(term), "bool", term)
        self.emit(Kernel(result, term))
        return result

    def where(self, x: Term, mask: Expression | None, out: View | None) -> View:
        """Both branches, each computed only where it is taken if elsewhere it could raise."""
        shape, batched = shape_of(x)
        test = self.compute(x.args[0], mask)
        results = []
        for branch, taken in zip(x.args[1:], (True, False)):
            inner = mask
            if risky(branch):
                inner = test if taken else self.logical("logical_not", test)
                inner = self.logical("logical_and", inner, mask) if mask is not None else inner
            results.append(self.compute(branch, inner))
        if out is None:
            if mask is not None:
                shape, batched = broadcast([(shape, batched), shape_of(mask)])
            out = self.array(shape, batched, "float", Term("where", (test, *results)))
        result = out
        self.emit(Kernel(result, Term("where", (test, *results))))
        self.used(x.args, mask)
        return result
