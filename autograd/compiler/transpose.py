"""Transpose: the way back, kernel by kernel, from the groups last to first.

Every gradient starts at zero; each group adds to the gradients of what it read its own times its partials. A value that
served many gets the sum over them; what was gathered is scattered.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograd.calculus.slopes import AFTER
from autograd.compiler.kernels import Code, Kernel, Kernels, Operation, as_number
from autograd.compiler.roll import Read
from autograd.compiler.terms import WORDS, Expression, Number, Term, View, expand, term_of, total, whole
from autograd.compiler.trace import steep
from autograd.core.table import TABLE, evaluate


def differentiated(kernels: Kernels) -> Code:
    """The program of a layout, with a way back if it has one root."""
    code = kernels.code
    if len(code.roots) == 1:
        code.backward += Transposed(kernels).backward()
    return code


class Transposed:
    """The backward pass of one root."""

    def __init__(self, kernels: Kernels):
        self.kernels, self.code = kernels, kernels.code
        self.needs = self.needed()
        self.steep = steep(kernels.traced)

    def needed(self) -> tuple[np.ndarray, np.ndarray]:
        """For each place of both buffers whether it depends on a parameter."""
        code = self.code
        single, batched = (np.zeros(buffer.size, bool) for buffer in code.values)
        single[: code.parameters] = True
        batched[code.first_input : code.first_input + code.inputs] = code.per_example
        needs = (single, batched)
        for operation in self.kernels.operations:
            if any(needs[read.batched][read.at].any() for read in operation.reads if read.constant is None):
                group = operation.group
                needs[group.batched][group.start : group.start + group.size] = True
        return needs

    def wanted(self, read: Read, partial: str = "") -> bool:
        """Whether a read needs a gradient. A partial of 0 passes nothing back, but nan to an infinite slope."""
        if read.constant is not None or not self.needs[read.batched][read.at].any():
            return False
        return partial != "0" or bool(self.steep[read.nodes].any())

    def backward(self) -> Iterator[Kernel]:
        """All kernels of the backward pass."""
        code, [root] = self.code, self.code.roots
        for buffer in code.slopes:
            if buffer.size:
                yield Kernel(whole(buffer), 0.0)
        if not self.needs[root.batched][root.start]:
            return
        seed: Expression = 1.0
        if root.batched and not code.per_example:
            seed = Term("divide", (1.0, Term("examples")))
        yield Kernel(View(code.slopes[root.batched], root.start), seed, add=True)
        for operation in reversed(self.kernels.operations):
            if self.needs[operation.group.batched][operation.group.start : operation.out.stop].any():
                contributions = [
                    (read, x, shape) for read, x, shape in self.contributions(operation) if self.wanted(read)
                ]
                contributions.sort(key=lambda item: self.is_array(item[0], operation))
                for read, x, shape in contributions:
                    yield from self.accumulated(read, x, shape, operation.group.batched)

    def is_array(self, read: Read, operation: Operation) -> bool:
        """Whether all of an array is read in order: its gradient may take over the place of the one it comes from."""
        view = self.kernels.view(read, self.code.values)
        if view is None or read.at.size != operation.group.size or read.batched != operation.group.batched:
            return False
        return view.is_whole

    def contributions(self, operation: Operation) -> Iterator[tuple[Read, Expression, tuple[int, ...]]]:
        """For each read what is added to its gradient, and the shape of that before any sum over it."""
        group, up = operation.group, operation.up
        reads, operands, shape = operation.reads, operation.operands, operation.out.shape
        match operation.kind:
            case "short":
                yield from self.of_short(operation)
            case "elementwise":
                row = TABLE[group.op]
                names = {x: as_number(operand) for x, operand in zip(row.operands, operands)}
                names["out"] = Number(operation.out)
                for read, partial in zip(reads, row.partials):
                    unasked = group.op == AFTER and partial == "0"
                    if not unasked and self.wanted(read, partial):
                        yield read, times(up, term_of(evaluate(partial, WORDS, names))), shape
            case "broadcast":
                yield reads[0], up, shape
            case "sum":
                yield reads[0], expand(up, len(shape)), reads[0].at.shape
            case "reduction":
                yield reads[0], self.of_many(operation), reads[0].at.shape
            case _:
                yield from self.of_product(operation)
                for read in reads[2:]:
                    yield read, up, shape

    def of_many(self, operation: Operation) -> Expression:
        """What is added to the gradients of the elements of a list."""
        row, out, axis = TABLE[operation.group.op], operation.out, len(operation.out.shape)
        xs = self.kernels.dense(operation.operands[0], operation.reads[0])
        [listed] = row.lists
        names = {
            listed[:-1]: Number(xs),
            "out": Number(expand(out, axis)),
            "n": float(xs.shape[-1]),
            "rest": Number(Term("others", (xs,), axis)),
        }
        if "total" in row.partials[0]:
            inner = Term("exp", (Term("subtract", (xs, expand(out, axis))),))
            names["total"] = Number(expand(Term("sum", (inner,), (axis,)), axis))
        slope = evaluate(row.partials[0], WORDS, names)
        return times(expand(operation.up, axis), term_of(slope))

    @staticmethod
    def of_short(operation: Operation) -> Iterator[tuple[Read, Expression, tuple[int, ...]]]:
        """What is added to the gradients of the numbers of a short sum."""
        reads, operands, n = operation.reads, operation.operands, 2 * operation.pairs
        up: Expression = operation.up
        if operation.group.op == "mean":
            up = Term("divide", (up, float(len(operands))))
        for k in range(n):
            yield reads[k], times(up, operands[k ^ 1]), ()
        for read in reads[n:]:
            yield read, up, ()

    def of_product(self, operation: Operation) -> Iterator[tuple[Read, Expression, tuple[int, ...]]]:
        """What is added to the gradients of the two factors of a sum of products."""
        up = operation.up
        factors = [self.kernels.full(x, read) for x, read in zip(operation.operands[:2], operation.reads)]
        a, b, c = self.kernels.subscripts(operation, *factors)
        elementwise = c == "" or (c == "e" and factors[0].batched and factors[1].batched)
        letters = [a, b]
        for k in (0, 1):
            read, other = operation.reads[k], factors[1 - k]
            if operation.kind == "rows" and c and read.batched == operation.group.batched:
                yield read, times(expand(up, len(operation.out.shape)), other), read.at.shape
            elif elementwise:
                yield read, times(expand(up, 0) if c else up, other), read.at.shape
            else:
                yield read, Term("product", (up, other), (c, letters[1 - k], letters[k])), read.at.shape

    def accumulated(self, read: Read, x: Expression, shape: tuple[int, ...], batched: bool) -> Iterator[Kernel]:
        """Add an array of `shape` to the gradient of what was read."""
        slopes = self.code.slopes
        if isinstance(x, Term) and x.op == "product":
            batched = "e" in x.detail[2]
        over_examples: tuple = ("e",) if batched and not read.batched else ()
        view = self.kernels.view(read, slopes)
        if view is None:
            x = total(x, over_examples, shape)
            yield Kernel(whole(slopes[read.batched]), x, add=True, at=self.kernels.index(read.at))
            return
        axes = tuple(k for k, (n, step) in enumerate(zip(view.shape, view.strides)) if not step and n > 1)
        target = View(
            view.buffer,
            view.start,
            tuple(n for k, n in enumerate(view.shape) if k not in axes),
            tuple(step for k, step in enumerate(view.strides) if k not in axes),
        )
        yield Kernel(target, total(x, (*axes, *over_examples), shape), add=True)


def times(up: Expression, slope: Expression) -> Expression:
    """The product of an upstream gradient and a partial."""
    return up if slope == 1.0 else Term("multiply", (up, slope))
