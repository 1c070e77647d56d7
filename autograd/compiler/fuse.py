"""Fuse: additions that feed each other become one sum of products.

`b + w1*x1 + w2*x2`, however it was written, is what a matrix product is made of. Sums are flattened through terms that
are used nowhere else, and so are the products among their terms.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from autograd.compiler.trace import Trace

DOT = "dot"
_SUMS = {"add", "sum", "weighted_sum"}


@dataclass(frozen=True, slots=True)
class Terms:
    """The operands of a sum: `left[0] * right[0] + ... + singles[0] + ...`."""

    left: tuple[int, ...]
    right: tuple[int, ...]
    singles: tuple[int, ...]

    def __iter__(self) -> Iterator[int]:
        return chain(self.left, self.right, self.singles)


Operands = tuple[int, ...] | Terms


def fuse(traced: Trace) -> tuple[list[int], list[Operands]]:
    """The nodes that remain, in topological order, and the operands of every node: Terms for a sum of products."""
    ops, operands = traced.ops, traced.operands
    uses = np.bincount(traced.flat, minlength=len(ops)).tolist()
    for root in traced.roots:
        uses[root] += 2  # a value that is asked for is never absorbed

    # What a sum absorbs is used nowhere else, so the absorbed nodes form trees, measured here from their leaves on
    zeros = {i for i, x in traced.constants.items() if x == 0}
    members = [1] * len(ops)
    inside = [False] * len(ops)
    written_as_sum = set()
    sums = [i for i, op in enumerate(ops) if op in _SUMS]
    for i in sums:
        op, parents = ops[i], operands[i]
        if op != "add" or (zeros and not zeros.isdisjoint(parents)):  # Python's `sum` starts from 0
            written_as_sum.add(i)
        for x in parents if op != "weighted_sum" else parents[-1:]:
            if uses[x] == 1 and (ops[x] == "mul" or ops[x] in _SUMS):
                inside[x] = True
                members[i] += members[x]
                if x in written_as_sum:
                    written_as_sum.add(i)

    # A graph without structure has short sums of many shapes; left as single operations they all look alike.
    trees = [i for i in sums if not inside[i]]
    covered = sum(members[i] for i in trees if members[i] >= 6)
    smallest = 4 if covered > 0.1 * len(ops) or len(ops) < 2000 else 32
    fused: list[Operands] = list(operands)
    absorbed: set[int] = set()
    for i in trees:
        if members[i] >= smallest or i in written_as_sum:
            fused[i], replaced = _flatten(i, traced, uses)
            absorbed.update(replaced)
    return [i for i in range(len(ops)) if i not in absorbed], fused


def depths(nodes: list[int], operands: list[Operands]) -> list[int]:
    """How many operations lie between each node and the leaves, on the longest path."""
    depth = [0] * len(operands)
    for i in nodes:
        if operands[i]:
            depth[i] = 1 + max([depth[x] for x in operands[i]])
    return depth


def _flatten(root: int, traced: Trace, uses: list[int]) -> tuple[Terms, list[int]]:
    """The terms of a sum in the order in which they were written, and the other nodes that they replace."""
    ops, operands = traced.ops, traced.operands
    left: list[int] = []
    right: list[int] = []
    singles: list[int] = []
    replaced: list[int] = []
    stack = [root]
    while stack:
        i = stack.pop()
        op = ops[i]
        if i != root:
            if uses[i] == 1 and (op == "mul" or op in _SUMS):
                replaced.append(i)
            else:
                if traced.constants.get(i) != 0:
                    singles.append(i)
                continue
        if op == "mul":
            left.append(operands[i][0])
            right.append(operands[i][1])
        elif op == "weighted_sum":
            n = len(operands[i]) // 2
            left += operands[i][:n]
            right += operands[i][n : 2 * n]
            stack.append(operands[i][-1])
        else:
            stack += operands[i][::-1]
    if not left and not singles:  # a sum of zeros
        singles.append(operands[root][0])
    return Terms(tuple(left), tuple(right), tuple(singles)), replaced
