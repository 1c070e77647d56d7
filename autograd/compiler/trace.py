"""Trace: the scalar graph as flat lists, parents first, with equal subexpressions shared.

A trace holds no reference to a node. It is what the later steps rewrite, and what is interpreted, one scalar at a time
and exactly as the eager engine does, where array code cannot be used.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from autograd.core.table import TABLE
from autograd.core.value import Value

LEAF, CONSTANT = "", "constant"
# Operations whose slopes are finite where their operands and values are.
GENTLE = set(TABLE) - {"sqrt", "cbrt", "pow", "asin", "acos", "acosh", "atan2"}


@dataclass
class Trace:
    """Scalar node `i` is `ops[i]` of the nodes `operands[i]`; leaves and constants have none.

    Attributes:
        roots: the nodes whose values are asked for.
        leaves: the leaf nodes, the parameters first, then the inputs, then all others.
        constants: the value of each constant node.
        labels: the label of each labelled node.
        size: how many scalar nodes the graph had.
    """

    ops: list[str] = field(default_factory=list)
    operands: list[tuple[int, ...]] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)
    constants: dict[int, float] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    size: int = 0

    @cached_property
    def flat(self) -> np.ndarray:
        """The operands of all nodes in a row."""
        return np.fromiter(chain.from_iterable(self.operands), int)

    @cached_property
    def lengths(self) -> np.ndarray:
        """How many operands each node has."""
        return np.fromiter(map(len, self.operands), int, len(self.operands))

    @cached_property
    def codes(self) -> tuple[dict[str, int], np.ndarray]:
        """A number for each operation, and that of each node's."""
        code_of = {op: code for code, op in enumerate(dict.fromkeys(self.ops))}
        return code_of, np.fromiter(map(code_of.__getitem__, self.ops), int, len(self.ops))

    def add(self, op: str, operands: tuple[int, ...] = ()) -> int:
        """Append a node and return its number."""
        self.ops.append(op)
        self.operands.append(operands)
        return len(self.ops) - 1


def trace(roots: Sequence[Value], leaves: Sequence[Value]) -> tuple[Trace, list[Value]]:
    """The graph of the roots, and its leaves: those given, in their order, then the others in order of first use.

    Depth first, as in `topological_order`; a node waits on the stack until its operands have numbers.
    """
    traced = Trace()
    labels, constants = traced.labels, traced.constants
    place = {leaf: i for i, leaf in enumerate(leaves)}
    known: dict[tuple, int] = {(LEAF, i): i for i in place.values()}  # what each number stands for
    number: dict[Any, int] = dict(place)  # of nodes, and of constants other than 0
    stack: list[Any] = list(reversed(roots))
    number_of, push, size = number.get, stack.append, 0

    def constant(x: float) -> int:
        i = known.setdefault((CONSTANT, x, str(x)), len(known))  # the text tells -0.0 from 0.0
        constants[i] = x
        if x:
            number[x] = i
        return i

    while stack:
        node = stack.pop()
        if node in number:
            continue
        x, y, made = node._x, node._y, node._made  # at most two operands, or a tuple of them; operation, and label
        op, label = (made, "") if type(made) is str else made
        if x is None:
            key = (LEAF, place.setdefault(node, len(known)))
        elif type(x) is tuple:
            missing = [parent for parent in y if parent not in number]
            if missing:
                push(node)
                stack += reversed(missing)
                continue
            key = (op, *[number[z] if z in number else constant(z) for z in x])
        else:
            i, j = number_of(x), number_of(y)
            if i is None and isinstance(x, Value):
                push(node)
                if j is None and isinstance(y, Value):
                    push(y)
                push(x)
                continue
            if j is None and isinstance(y, Value):
                push(node)
                push(y)
                continue
            i = constant(x) if i is None else i
            key = (op, i) if y is None else (op, i, constant(y) if j is None else j)
        size += 1
        new = len(known)
        number[node] = i = known.setdefault(key, new)
        if label and i == new:
            labels[i] = label
    traced.ops = list(map(itemgetter(0), known))
    traced.operands = list(map(itemgetter(slice(1, None)), known))
    for i in (*place.values(), *constants):
        traced.operands[i] = ()
    labels.update((i, leaf.label) for leaf, i in place.items() if leaf.label)
    traced.leaves = list(place.values())
    traced.roots = [number[root] for root in roots]
    is_read = np.zeros(len(known), bool)
    is_read[traced.flat] = is_read[traced.roots] = True
    traced.size = size + int(np.count_nonzero(is_read[: len(leaves)]))  # with the leaves that were given
    return traced, list(place)


def steep(traced: Trace) -> set[int]:
    """The nodes on whose paths to a root or to a leaf a slope may be infinite or nan: 0 times it is not 0."""
    constants = traced.constants
    wild = {i for i, x in constants.items() if not math.isfinite(x)}
    if not wild and GENTLE.issuperset(set(traced.ops) - {LEAF, CONSTANT}):
        return set()

    def is_steep(op: str, operands: tuple[int, ...]) -> bool:
        is_power = op == "pow" and constants.get(operands[1], 0.0) >= 1.0
        return bool(operands) and ((op not in GENTLE and not is_power) or not wild.isdisjoint(operands))

    nodes = list(enumerate(zip(traced.ops, traced.operands)))
    own = {i for i, (op, operands) in nodes if is_steep(op, operands)}
    above, below = set(own), set(own)
    for i, (_, operands) in nodes if own else ():
        if not below.isdisjoint(operands):
            below.add(i)
    for i, (_, operands) in reversed(nodes) if own else ():
        if i in above:
            above.update(operands)
    return above | below
