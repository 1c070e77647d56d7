"""Fuse: additions that feed each other become one sum of products.

`b + w1*x1 + w2*x2`, however it was written, is what a matrix product is made of. Sums are flattened through terms that
are used nowhere else, and so are the products among their terms.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from autograd.compiler.trace import CONSTANT, LEAF, Trace

DOT = "dot"
_SUMS = {"add", "sum", "weighted_sum"}
_GIVEN = {LEAF, CONSTANT}


@dataclass(frozen=True, slots=True)
class Terms:
    """The operands of a sum: `left[0] * right[0] + ... + singles[0] + ...`."""

    left: tuple[int, ...]
    right: tuple[int, ...]
    singles: tuple[int, ...]

    def __iter__(self) -> Iterator[int]:
        yield from self.left
        yield from self.right
        yield from self.singles


Operands = tuple[int, ...] | Terms


def fuse(traced: Trace) -> tuple[dict[int, str], dict[int, Operands]]:
    """The nodes that remain, in topological order: their operations, DOT for a sum of products, and their operands."""
    ops, operands = traced.ops, traced.operands
    uses = [0] * len(ops)
    for parents in operands:
        for parent in parents:
            uses[parent] += 1
    for root in traced.roots:
        uses[root] += 2  # a value that is asked for is never absorbed

    trees: dict[int, tuple[Terms, list[int]]] = {}
    inside = [False] * len(ops)
    for i in range(len(ops) - 1, -1, -1):
        if ops[i] in _SUMS and not inside[i]:
            trees[i] = _flatten(i, traced, uses)
            for member in trees[i][1]:
                inside[member] = True

    # A graph without structure has short sums of many shapes; left as single operations they all look alike.
    covered = sum(len(members) for _, members in trees.values() if len(members) >= 6)
    smallest = 4 if covered > 0.1 * len(ops) or len(ops) < 2000 else 32
    absorbed = [False] * len(ops)
    sums: dict[int, Terms] = {}
    for i, (terms, members) in trees.items():
        written_as_sum = any(ops[m] != "add" and ops[m] != "mul" for m in members) or _starts_at_zero(members, traced)
        if len(members) >= smallest or written_as_sum:
            sums[i] = terms
            for member in members:
                absorbed[member] = True

    # Beside such sums, shorter ones of the same kind, down to one product: the first letters that attend to few others.
    kinds = {kind for terms in sums.values() for kind in _kinds(terms, ops) if _GIVEN.isdisjoint(kind)}
    for i, op in enumerate(ops) if kinds else ():
        if op == "mul" and not inside[i]:
            terms, members = Terms(operands[i][:1], operands[i][1:], ()), []
        elif i in trees and i not in sums:
            terms, members = trees[i]
        else:
            continue
        if terms.left and not terms.singles and kinds.issuperset(_kinds(terms, ops)):
            sums[i] = terms
            for member in members:
                absorbed[member] = True

    kept = [i for i in range(len(ops)) if i in sums or not absorbed[i]]
    return {i: DOT if i in sums else ops[i] for i in kept}, {i: sums.get(i, operands[i]) for i in kept}


def _kinds(terms: Terms, ops: list[str]) -> set[tuple[str, str]]:
    """The operations that a sum multiplies the results of."""
    return {(ops[x], ops[y]) for x, y in zip(terms.left, terms.right)}


def _starts_at_zero(members: list[int], traced: Trace) -> bool:
    """Whether a sum begins with the 0 from which Python's `sum` starts."""
    return any(traced.constants.get(x) == 0 for m in members if traced.ops[m] == "add" for x in traced.operands[m])


def _flatten(root: int, traced: Trace, uses: list[int]) -> tuple[Terms, list[int]]:
    """The terms of a sum in the order in which they were written, and the nodes that they replace."""
    ops, operands = traced.ops, traced.operands
    left: list[int] = []
    right: list[int] = []
    singles: list[int] = []
    members: list[int] = []
    stack = [root]
    while stack:
        i = stack.pop()
        free = i == root or uses[i] == 1
        if free and ops[i] in ("add", "sum"):
            members.append(i)
            stack.extend(reversed(operands[i]))
        elif free and ops[i] == "weighted_sum":
            members.append(i)
            n = len(operands[i]) // 2
            left += operands[i][:n]
            right += operands[i][n : 2 * n]
            stack.append(operands[i][-1])
        elif free and ops[i] == "mul":
            members.append(i)
            left.append(operands[i][0])
            right.append(operands[i][1])
        elif traced.constants.get(i) != 0:
            singles.append(i)
    if not left and not singles:  # a sum of zeros
        singles.append(operands[root][0])
    return Terms(tuple(left), tuple(right), tuple(singles)), members
