"""Reading: the kernels of a cost as a person reads them, before any pass and after each.

A line a kernel: what it computes, from what, into what. The names are those that the writer gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from autograd.compiler.fuse import fuse
from autograd.compiler.kernels import Code, Kernel, Kernels, Loop
from autograd.compiler.roll import roll
from autograd.compiler.terms import Expression, Term, View
from autograd.compiler.trace import trace
from autograd.compiler.transpose import differentiated
from autograd.compiler.write import INFIX, literal
from autograd.core.value import Value


def kernels_of(roots: Value | list[Value], wrt: Iterable[Value], inputs: Iterable[Value] = ()) -> Code:
    """The kernels of a cost, or of several roots, before any pass.

    >>> from autograd import tanh
    >>> w, x = Value(0.5, "w"), Value(2.0, "x")
    >>> for line in lines(kernels_of(tanh(w * x), [w], [x])):
    ...     print(line)
    mul1 = w * x
    a1 = tanh(mul1)
    <BLANKLINE>
    d(everything) = 0.0
    d(everything per example) = 0.0
    da1 += 1.0 / examples()
    dmul1 += da1 * (1.0 - a1 * a1)
    dw += sum(dmul1 * x)
    """
    roots, wrt, inputs = [roots] if isinstance(roots, Value) else list(roots), list(wrt), list(inputs)
    traced, leaves = trace(roots, [*wrt, *inputs])
    layout = roll(traced, fuse(traced), len(wrt), len(inputs))
    others = [leaf.data for leaf in leaves[len(wrt) + len(inputs) :]]
    return differentiated(Kernels(traced, layout, len(wrt), len(inputs), others, False))


def lines(code: Code) -> list[str]:
    """The kernels line by line: the forward pass, an empty line, the way back."""
    names = Names(code)
    return [*names.lines(code.forward), "", *names.lines(code.backward)]


class Names:
    """What the arrays of a program are called."""

    def __init__(self, code: Code):
        self.code, self.numbered, self.others = code, dict[str, int](), dict[Any, str]()
        self.groups = [self.unique(name.rstrip("#"), name.endswith("#")) for name in code.names]

    def unique(self, name: str, is_numbered: bool = False) -> str:
        """The name with a number, if it is not the first of its kind."""
        n = self.numbered[name] = self.numbered.get(name, 0) + 1
        return f"{name}{n}" if is_numbered or n > 1 else name

    def lines(self, kernels: Iterable[Kernel | Loop]) -> Iterator[str]:
        """A line for each kernel."""
        for kernel in kernels:
            if isinstance(kernel, Loop):
                yield f"{kernel.count} times:"
                yield from (f"    {line}" for line in self.lines(kernel.kernels))
            else:
                yield f"{self.view(kernel.out)} {'+=' if kernel.add else '='} {self.text(kernel.term)}"

    def view(self, view: View) -> str:
        """The name of an array; that of a gradient begins with d."""
        code, buffer = self.code, view.buffer
        if buffer not in code.values and buffer not in code.slopes:
            if buffer not in self.others:
                self.others[buffer] = self.unique(buffer.name)
            return self.others[buffer]
        prefix, batched = "d" * (buffer in code.slopes), buffer.batched
        if view.start == 0 and view.stop == buffer.size and len(view.shape) == 1:
            return f"{prefix}(everything)" if not batched else f"{prefix}(everything per example)"
        k = int(code.regions[batched][view.start])
        if k >= 0:
            return prefix + self.groups[k]
        if not view.shape and view.start in code.constants and not batched:
            return literal(code.constants[view.start])
        ends = [self.leaf(batched, place) for place in (view.start, view.stop - 1)]
        return prefix + "_".join(dict.fromkeys(name for name in ends if name))

    def leaf(self, batched: bool, place: int) -> str:
        """What the leaf at a place is called, or the array that begins after a row of ones."""
        if any(b == batched and start <= place < stop for b, start, stop in self.code.ones):
            return "ones"
        k = int(self.code.regions[batched][place])
        return self.groups[k] if k >= 0 else self.code.hint(batched, place)

    def text(self, x: Expression, level: int = 0) -> str:
        """A term."""
        if isinstance(x, View):
            return self.view(x)
        if not isinstance(x, Term):
            return literal(x)
        if x.op in INFIX:
            sign, own = INFIX[x.op]
            text = f"{self.text(x.args[0], own)} {sign} {self.text(x.args[1], own + 1)}"
            return f"({text})" if own < level else text
        if x.op == "expand":
            return self.text(x.args[0], level)
        detail = [f"'{x.detail[0]},{x.detail[1]}->{x.detail[2]}'"] if x.op == "product" else []
        return f"{x.op}({', '.join([*detail, *map(self.text, x.args)])})"
