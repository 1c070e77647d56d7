"""Trace: the scalar graph as flat arrays, parents first, with equal subexpressions shared.

A trace holds no reference to a node. It is what the later steps rewrite, and what is interpreted, one scalar at a time
and exactly as the eager engine does, where array code cannot be used.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count, pairwise
from typing import Any

import numpy as np

from autograd.core.table import TABLE
from autograd.core.value import Value

LEAF, CONSTANT = "", "constant"
# Operations whose slopes are finite where their operands and values are.
GENTLE = set(TABLE) - {"sqrt", "cbrt", "pow", "asin", "acos", "acosh", "atan2"}
_ROUNDS = 8  # of looking for equal nodes in arrays


@dataclass
class Lists:
    """Lists of nodes, one after the other: of node `i` the `lengths[i]` nodes of `flat` before `stops[i]`."""

    flat: np.ndarray
    lengths: np.ndarray

    @cached_property
    def stops(self) -> np.ndarray:
        """Where each list ends."""
        return np.cumsum(self.lengths)

    @cached_property
    def owners(self) -> np.ndarray:
        """For each node of `flat`, in whose list it is."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def rows(self, nodes: np.ndarray) -> np.ndarray:
        """The lists of some nodes as the rows of one array, the shorter ones filled up with -1."""
        lengths = self.lengths[nodes]
        column = np.arange(lengths.max(initial=0))
        at = (self.stops[nodes] - lengths)[:, None] + column
        inside = column < lengths[:, None]
        return self.flat[at] if inside.all() else np.where(inside, self.flat[np.where(inside, at, 0)], -1)

    def keys(self, nodes: np.ndarray, codes: np.ndarray, values: np.ndarray) -> np.ndarray:
        """For each of some nodes a number, the same where its code is and its values are.

        Args:
            values: for each element of `flat` a number, 0 at least.
        """
        length, n = self.lengths[nodes], values.max(initial=0) + 2
        start = self.stops[nodes] - length
        second = np.where(length == 2, values[start + (length == 2)] + 1, 0)
        keys = (codes[nodes] * n + values[start]) * n + second
        seen: dict[tuple, int] = {}
        for k in np.flatnonzero(length > 2).tolist():
            key = codes[nodes[k]], values[start[k] : start[k] + length[k]].tobytes()
            keys[k] = ~seen.setdefault(key, k)
        return keys

    def tuples(self) -> list[tuple[int, ...]]:
        """All lists as tuples."""
        flat = self.flat.tolist()
        return [tuple(flat[start:stop]) for start, stop in pairwise([0, *self.stops.tolist()])]


def numbers(array: np.ndarray) -> Iterator[int]:
    """The elements of a long array; all of them at once would take forty bytes each."""
    return chain.from_iterable(part.tolist() for part in np.split(array, range(4096, len(array), 4096)))


@dataclass
class Trace:
    """Scalar node `i` is `names[codes[i]]` of the nodes in list `i`; leaves and constants have none.

    Attributes:
        roots: the nodes whose values are asked for.
        leaves: the leaf nodes, the parameters first, then the inputs, then all others.
        constants: the value of each constant node.
        labels: the label of each labelled node.
        size: how many scalar nodes the graph had.
        added: how many constants later steps have added, whose numbers are those after the last node's.
    """

    names: list[str]
    codes: np.ndarray
    lists: Lists
    roots: list[int]
    leaves: list[int]
    constants: dict[int, float]
    labels: dict[int, str]
    size: int = 0
    added: int = 0

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def ops(self) -> list[str]:
        """The operation of each node."""
        return list(map(self.names.__getitem__, self.codes.tolist()))

    @cached_property
    def operands(self) -> list[tuple[int, ...]]:
        """The operands of each node."""
        return self.lists.tuples()

    def add(self) -> int:
        """The number of a new constant."""
        self.added += 1
        return len(self) + self.added - 1


def trace(roots: Sequence[Value], leaves: Sequence[Value]) -> tuple[Trace, list[Value]]:
    """The graph of the roots, and its leaves: those given, in their order, then the others in order of first use.

    Those given are its first nodes.
    """
    number, made, lists, constants = _numbered(roots, leaves)
    kinds: dict[tuple[str, str], int] = defaultdict(count().__next__)
    kind = np.fromiter(map(kinds.__getitem__, made), np.intp, len(made))
    names = list(dict.fromkeys(op for op, _ in kinds))
    codes = np.array([names.index(op) for op, _ in kinds], np.int64)[kind]
    is_other = lists.lengths == 0
    is_other[: len(leaves)] = is_other[list(constants)] = False
    others = np.flatnonzero(is_other)

    same = _shared(codes, lists)
    kept = same == np.arange(len(same))
    new = (np.cumsum(kept) - 1)[same]
    labelled = np.flatnonzero(np.array([label != "" for _, label in kinds])[kind] & kept).tolist()
    traced = Trace(
        names,
        codes[kept],
        Lists(new[lists.flat[kept[lists.owners]]], lists.lengths[kept]),
        roots=new[[number[root] for root in roots]].tolist(),
        leaves=[*new[: len(leaves)].tolist(), *new[others].tolist()],
        constants={int(new[i]): x for i, x in constants.items()},
        labels={i: leaf._made[1] for i, leaf in enumerate(leaves) if leaf._made[1]},
    )
    traced.labels.update(zip(new[labelled].tolist(), [made[i][1] for i in labelled]))
    is_read = np.zeros(len(traced), bool)
    is_read[traced.lists.flat] = is_read[traced.roots] = True
    traced.size = len(made) - len(constants) - int(np.count_nonzero(~is_read[: len(leaves)]))
    nodes = list(number)[1:] if len(others) else []
    return traced, [*leaves, *(nodes[i] for i in others)]


def _numbered(
    roots: Sequence[Value], leaves: Sequence[Value]
) -> tuple[dict[Any, int], list[tuple[str, str]], Lists, dict[int, float]]:
    """The number of each node, after None; of each number operation and label, and the operands; the constants.

    Depth first, as in `topological_order`; a node waits on the stack until its operands have numbers.
    """
    number: dict[Any, int] = {None: -1}  # of nodes, and of constants
    number.update(zip(leaves, range(len(leaves))))
    made = [(LEAF, "")] * len(leaves)  # few are different, without the labels of parameters
    flat: list[int] = []  # operands, and how many each node has
    lengths = [0] * len(made)
    constants: dict[int, float] = {}
    stack: list[Any] = list(chain.from_iterable((root, None) for root in reversed(roots)))
    number_of, push, note, read, size = number.get, stack.append, made.append, flat.append, lengths.append

    def constant(x: float) -> int:
        key = x or str(x)  # the text tells -0.0 from 0.0
        if key not in number:
            number[key] = i = len(made)
            constants[i] = x
            note((CONSTANT, ""))
            size(0)
        return number[key]

    while stack:
        node = stack.pop()
        if node is None:  # below it, what may have a number by now
            node = stack.pop()
            if node in number:
                continue
        x = node._x
        while (i := number_of(x)) is None and isinstance(x, Value):
            push(node)
            node, x = x, x._x
        y = node._y
        if i is None and type(x) is tuple:  # many operands; y are the Values among them
            operands: list[Any] = list(map(number_of, x))
            if None in operands:
                missing = [parent for parent in y if parent not in number]
                if missing:
                    push(node)
                    stack += chain.from_iterable((parent, None) for parent in reversed(missing))
                    continue
                operands = [number[z] if z in number else constant(z) for z in x]
            flat += operands
            size(len(x))
        else:
            if (j := number_of(y)) is None:
                if isinstance(y, Value):
                    stack += (node, y)
                    continue
                j = constant(y)
            if i is None:
                i = constant(x)
            if j >= 0:
                read(i)
                read(j)
                size(2)
            elif i >= 0:
                read(i)
                size(1)
            else:
                size(0)
        number[node] = len(made)
        note(node._made)
    return number, made, Lists(*(np.fromiter(x, np.int64, len(x)) for x in (flat, lengths))), constants


def _shared(codes: np.ndarray, lists: Lists) -> np.ndarray:
    """For each node the first one that computes the same: the same operation of the same nodes.

    Where two are the same, what reads them may be, too: in rounds, and where those are many in one pass over all nodes.
    """
    n = len(codes)
    same, nodes = np.arange(n), np.flatnonzero(lists.lengths)
    for _ in range(_ROUNDS):
        keys = lists.keys(nodes, codes, same[lists.flat])
        order = np.argsort(keys)
        begins = np.flatnonzero(np.diff(keys[order], prepend=~n))
        counts = np.diff(begins, append=len(nodes))
        if (counts == 1).all():
            return same
        first = np.minimum.reduceat(nodes[order], begins)
        same[nodes[order]] = np.repeat(first, counts)
        same = same[same]
        is_read = np.zeros(n, bool)
        is_read[first[counts > 1]] = True
        nodes = np.unique(lists.owners[is_read[same[lists.flat]]])
        nodes = nodes[same[nodes] == nodes]
    found: dict[tuple, int] = {}
    result = list(range(n))
    for i, (code, operands) in enumerate(zip(codes.tolist(), lists.tuples())):
        if operands:
            result[i] = found.setdefault((code, *[result[x] for x in operands]), i)
    return np.array(result)


def steep(traced: Trace) -> np.ndarray:
    """Whether a slope may be infinite or nan on the paths from a node to a root or to a leaf: 0 times it is not 0."""
    codes, lists, constants = traced.codes, traced.lists, traced.constants
    own = np.array([op not in (GENTLE | {LEAF, CONSTANT}) for op in traced.names])[codes]
    known = np.zeros(len(traced) + traced.added)
    known[list(constants)] = list(constants.values())
    if "pow" in traced.names:
        powers = np.flatnonzero(codes == traced.names.index("pow"))
        own[powers] = ~(known[lists.flat[lists.stops[powers] - 1]] >= 1.0)
    own[lists.owners[~np.isfinite(known[lists.flat])]] = True
    if not own.any():
        return np.zeros(len(known), bool)
    above, below = own.tolist(), own.tolist()
    for i, x in zip(numbers(lists.owners), numbers(lists.flat)):
        if below[x]:
            below[i] = True
    for i, x in zip(numbers(lists.owners[::-1]), numbers(lists.flat[::-1])):
        if above[i]:
            above[x] = True
    return np.append(np.logical_or(above, below), np.zeros(traced.added, bool))
