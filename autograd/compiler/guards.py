"""Guards: where a single number that became infinite or nan in silence would be hidden, it is asked for.

NumPy says when a result overflows or is not a number; Python's `+ - *` on floats say nothing. Most such results reach
the cost, where they are seen, but `tanh(inf)` is 1.0, and so is `1.0 if inf > 0.0 else 0.0`. What such an operation
reads must be finite: because of how large it can be, or by a call of `finite`, which raises; then the scalars decide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd.compiler.kernels import Code, Kernel, Loop, flat, mapped
from autograd.compiler.passes import read_by_arrays
from autograd.compiler.terms import COMPARISONS, REDUCTIONS, Expression, Term, View, is_scalar, views
from autograd.compiler.trace import Trace

# Sizes are powers of ten. A leaf that is larger than this is left to the scalars, if a loop depends on it.
USUAL = 60.0
LARGEST = 308.3  # of what is finite
UNKNOWN = math.inf
HIDES_ALL = {"tanh", "arctan", "arctan2", "erf", "erfc", "exp", "expm1", "step", "sign", "maximum", "minimum", "power",
             "hypot", "mod", *COMPARISONS}  # fmt: skip
SIZES = {"tanh": 0.0, "sin": 0.0, "cos": 0.0, "erf": 0.0, "step": 0.0, "sign": 0.0, "arctan": 0.5, "arctan2": 0.5,
         "arcsin": 0.5, "arccos": 0.5, "erfc": 0.5, "log": 3.0, "log1p": 3.0, "log2": 4.0, "log10": 3.0,
         "arcsinh": 3.0, "arccosh": 3.0}  # fmt: skip
RAISE = {"exp", "expm1", "sinh", "cosh", "power", "exp2", "examples"}  # instead of overflowing
OF_ARRAYS = {"product", *REDUCTIONS}  # these do where NumPy says errors


def _says_errors() -> bool:
    """Whether NumPy notices floating point errors here: WebAssembly has no flags for them, NumPy 2.0 none in np.dot."""
    x = np.array([1e200, 1e200])
    for function in (np.square, lambda x: np.dot(x, x)):
        try:
            with np.errstate(over="raise"):
                function(x)
            return False
        except FloatingPointError:
            pass
    return True


SAYS_ERRORS = _says_errors()


def multiplies_infinity(traced: Trace) -> bool:
    """Whether a constant factor of a graph is infinite: 0 times it is nan, but BLAS skips products with 0."""
    infinite = [i for i, x in traced.constants.items() if not math.isfinite(x) and i < len(traced)]
    readers = traced.lists.owners[np.isin(traced.lists.flat, infinite)] if infinite else []
    return any(traced.names[code] in ("mul", "weighted_sum", "prod") for code in traced.codes[readers].tolist())


def hidden(x: Term) -> Sequence[Expression]:
    """The operands of an operation whose infinities it may hide."""
    if x.op in HIDES_ALL:
        return x.args
    return x.args[1:] if x.op in ("divide", "where") else ()


class Sizes:
    """How large each number can be."""

    def __init__(self, code: Code):
        self.code = code
        self.leaf = USUAL if any(isinstance(item, Loop) for item in code.forward) else UNKNOWN
        self.known: dict[View, float] = {}
        self.of_all(code.forward)

    def of_all(self, kernels: Sequence[Any]) -> None:
        """Note the sizes of all results."""
        for kernel in kernels:
            if isinstance(kernel, Loop):
                self.of_loop(kernel)
            elif kernel.out.shape == () and not kernel.out.batched and kernel.at is None:
                self.known[kernel.out] = self.of(kernel.term) if not kernel.add else UNKNOWN

    def of_loop(self, loop: Loop) -> None:
        """Of a loop: what is handed on from round to round stays as large as it begins, or nothing is known of it."""
        for _ in range(len(loop.before) + 1):
            start = {now: self.known[now] for now, _ in loop.before}
            self.known.update((before, start[now]) for now, before in loop.before)
            self.of_all(loop.kernels)
            grown = [now for now in start if self.known[now] > start[now]]
            self.known.update((now, UNKNOWN if now in grown else size) for now, size in start.items())
            if not grown:
                break

    def of(self, x: Expression) -> float:
        """The size that the absolute value of a number has at most; nan where a constant is infinite."""
        if isinstance(x, View):
            if x.buffer.data is not None:
                return self.of(float(x.buffer.data.flat[x.start]))
            is_leaf = x.buffer is self.code.values[0] and self.code.regions[0][x.start] < 0
            return self.known.get(x, self.leaf if is_leaf else LARGEST)  # what is in an array is finite
        if not isinstance(x, Term):
            return math.log10(abs(x)) if x and math.isfinite(x) else 0.0 if not x else math.nan
        if x.op in SIZES:
            return SIZES[x.op]
        if x.op in RAISE or (x.op in OF_ARRAYS and SAYS_ERRORS):
            return LARGEST
        sizes = list(map(self.of, x.args))
        if any(size != size for size in sizes):
            return math.nan  # infinite by intent
        match x.op:
            case "add" | "subtract" | "hypot":
                return max(sizes) + 0.302
            case "multiply":
                return sum(sizes)
            case "square":
                return 2 * sizes[0]
            case "divide":
                return sizes[0] - sizes[1] if isinstance(x.args[1], float) else UNKNOWN
            case "negative" | "absolute" | "maximum" | "minimum":
                return max(sizes)
            case "where":
                return max(sizes[1:])
            case "sqrt" | "floor" | "ceil" | "trunc" | "cbrt":
                return max(sizes[0], 0.0)
        return UNKNOWN

    def asked_for(self, x: Expression, asked: set[View]) -> Expression:
        """The term with its hidden operands asked for, in place; those that have names are `asked` for there."""
        if not isinstance(x, Term):
            return x
        args = [self.asked_for(arg, asked) for arg in x.args]
        if x.op == "where":  # what only the branch that is not taken reads
            asked.update(views(Term("where", x.args[1:])))
        for k, arg in enumerate(x.args):
            if not any(arg is operand for operand in hidden(x)):
                continue
            if isinstance(arg, View):
                asked.add(arg)
            elif isinstance(arg, Term) and self.of(arg) > LARGEST and arg.op not in COMPARISONS:
                args[k] = Term("finite", (args[k],))
        return x if tuple(args) == x.args else Term(x.op, tuple(args), x.detail)


def guarded(code: Code) -> Code:
    """The program with every number that could be infinite in silence, and hidden, asked for."""
    sizes = Sizes(code)
    values = code.values[0]
    made = {kernel.out for kernel in flat(code.forward) if kernel.out.shape == () and not kernel.out.batched}
    made = {view for view in made if view.buffer is values}
    asked: set[View] = set()

    def change(kernel: Kernel) -> Kernel:
        if kernel.out.shape == () and not kernel.out.batched and is_scalar(kernel.term):
            return replace(kernel, term=sizes.asked_for(kernel.term, asked))
        return kernel

    forward = mapped(change, code.forward)
    arrays = [kernel for kernel in flat([*code.forward, *code.backward]) if kernel.out.shape or kernel.out.batched]
    asked.update(view for kernel in arrays for view in kernel.reads if view in made)
    everything = [*code.forward, *code.backward]
    used = {view for kernel in flat(everything) for view in kernel.reads}.union(code.roots)
    asked.update(made - used)  # of which a choice that is known beforehand has taken the other
    read = read_by_arrays(code, everything)
    asked.update(view for view in made if read[view.start])

    def ask(kernel: Kernel) -> Kernel:
        doubtful = kernel.out in asked and kernel.out in made and sizes.known[kernel.out] > LARGEST
        if doubtful and isinstance(kernel.term, Term) and not kernel.add:
            return replace(kernel, term=Term("finite", (kernel.term,)))
        return kernel

    return replace(code, forward=mapped(ask, forward))
