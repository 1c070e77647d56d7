"""Roll: nodes of one operation at one depth form an array.

Every array is a stretch of a flat buffer. Its order is chosen so that what it reads lies at positions that are affine
in (row, column): then an operand is a strided view. Sums of products that combine every row of one array with every row
of another become a matrix product. Positions that are not affine are gathered by index.

A bias lies before the weights of its neuron, and a row of ones before the activations that these are multiplied with:
then the matrix product adds it.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from autograd.compiler.fuse import DOT, Fused, tells_signs_of_zero
from autograd.compiler.trace import Trace, numbers
from autograd.core.table import TABLE

_ORDERED = 5000  # parameters; to put more of them in another order takes longer than to add the biases
_MANY = 8  # single terms beside products, each added in a call of its own; more become products with 1


@dataclass(eq=False)
class Read:
    """What a group reads: `at` are the positions of its elements in the buffer of single or of per-example values.

    Attributes:
        nodes: which nodes they are.
        constant: their value, when all are one constant.
    """

    nodes: np.ndarray
    at: np.ndarray
    batched: bool = False
    constant: float | None = None

    @cached_property
    def strides(self) -> tuple[int, ...] | None:
        """The step of the positions along each axis if they are affine and only meet where a step is 0, else None."""
        at, steps = self.at, []
        if at.size == 1:  # most reads of a long chain
            return (0,) * at.ndim
        for axis, n in enumerate(at.shape):
            steps.append(int(at.take(1, axis).flat[0] - at.flat[0]) if n > 1 else 0)
        expected = np.full(at.shape, at.flat[0])
        for axis, (n, step) in enumerate(zip(at.shape, steps)):
            expected += (np.arange(n) * step).reshape([-1 if i == axis else 1 for i in range(at.ndim)])
        if not np.array_equal(expected, at):
            return None
        reach = 1
        for step, n in sorted((abs(step), n) for step, n in zip(steps, at.shape) if step):
            if step < reach:
                return None
            reach = step * n
        return tuple(steps) if min(steps, default=0) >= 0 else None


@dataclass(eq=False)
class Group:
    """One array of results, of `shape`, from `start` in its buffer on.

    Attributes:
        kind: "elementwise"; "reduction" for operands along the last axis; "matmul" for `left @ right` and "rows" for
            the products of equal rows, with the two matrices as the first reads and single terms after them; "sum" for
            terms along the last axis; "broadcast" for single values copied for each example.
        nodes: the nodes in it, and `slots`, where each lies in the array.
        grid: of an array with holes the nodes in its shape, holes included; `hole`: what a hole is worth.
    """

    op: str
    kind: str
    shape: tuple[int, ...]
    batched: bool
    start: int
    reads: list[Read]
    nodes: np.ndarray
    slots: np.ndarray
    level: int
    name: str = ""
    starts_at_zero: bool = False
    grid: np.ndarray | None = None
    hole: float = 0.0

    @property
    def size(self) -> int:
        """How many places the array takes in its buffer."""
        return math.prod(self.shape)


# What an operation makes of a hole, by the operand that has it, {(op, operand, hole): hole}, where the others are
# numbers. So the steps of a softmax over lists of different lengths are arrays, and their gradients are 0 in the holes.
HOLES = {("sub", 0, -math.inf): -math.inf, ("exp", 0, -math.inf): 0.0, ("div", 0, 0.0): 0.0, ("mul", 0, 0.0): 0.0,
         ("mul", 1, 0.0): 0.0}  # fmt: skip


@dataclass(eq=False)
class Part:
    """Sums that combine `count` pairs of rows: all of `left` with all of `right` if they are dense."""

    members: np.ndarray
    left: np.ndarray
    right: np.ndarray


@dataclass
class Layout:
    """Where every node lies, and the groups in the order of evaluation.

    Buffer 0 holds single values, buffer 1 those that differ by example; `sizes` are their lengths.

    Attributes:
        order: which parameter lies at each place, where a bias lies before its weights.
        ones: the rows of ones, each as (batched, start, stop).
    """

    place: np.ndarray
    batched: np.ndarray
    groups: list[Group] = field(default_factory=list)
    sizes: list[int] = field(default_factory=lambda: [0, 0])
    order: list[int] | None = None
    ones: list[tuple[bool, int, int]] = field(default_factory=list)


def stem(label: str) -> str:
    """The name that the elements of an array share: `z1` for `z_0^(1)`, `w2` for `w_3,12^(2)`, `x` for `x_4`."""
    label = unicodedata.normalize("NFKC", label)  # as Python does: labels that it takes for one name become one
    match = re.fullmatch(r"([^\W\d_]\w*?)(?:_[\d,{}jk]+)?(?:\^\(?(\w+)\)?)?", label)
    name = f"{match[1]}{match[2] or ''}" if match else ""
    return name if name.isidentifier() else ""


class Vectorizer:
    """Places the nodes of a trace, depth by depth."""

    def __init__(self, traced: Trace, fused: Fused, parameters: int, inputs: int, biased: bool = True):
        self.traced, self.fused = traced, fused
        count = len(traced)
        self.layout = Layout(np.full(count, -1, np.intp), np.zeros(count, bool))
        self.place, self.batched, self.groups = self.layout.place, self.layout.batched, self.layout.groups
        self.source = np.full(count, -1)  # the array that a node belongs to: 0 parameters, 1 other leaves, 2 constants
        self.broadcast: dict[int, int] = {}  # where a single value has its copy per example
        self.is_constant = np.zeros(count, bool)
        self.zeros_differ = any(map(tells_signs_of_zero, traced.names))
        self.padding = -1  # the zero that fills up short sums; a zero among the terms of a sum is another node
        self.biases, self.under_ones = self._biases(parameters if biased and parameters <= _ORDERED else 0)
        self.ragged: list[dict[int, tuple[int, int]]] = []  # elements of lists of different lengths: place and list
        self.columns: dict[int, tuple[np.ndarray, float]] = {}  # with holes, by first nodes; and what a hole is worth
        self.ones: dict[int, tuple[int, int]] = {}  # of each node of an array after ones, where these start and stop
        self._place_leaves(parameters, inputs)

    def _allocate(self, size: int, batched: bool) -> int:
        start = self.layout.sizes[batched]
        self.layout.sizes[batched] += size
        return start

    def _biases(self, parameters: int) -> tuple[dict[int, tuple[int, ...]], np.ndarray]:
        """The weights that each bias belongs to, and for each node whether it is multiplied with such weights."""
        left, right, singles = self.fused.left, self.fused.right, self.fused.singles
        bias_of = singles.flat[singles.stops - 1] if len(singles.flat) else singles.stops
        sums = np.flatnonzero((singles.lengths == 1) & (left.lengths > 0))
        sums = sums[bias_of[sums] < parameters]
        is_weight = left.flat[left.stops[sums] - left.lengths[sums]] < parameters  # else they are to the right
        weights: dict[int, tuple[int, ...]] = {}
        taken: set[int] = set()
        for k in np.sort(np.unique(bias_of[sums], return_index=True)[1]).tolist():
            bias, lists = int(bias_of[sums[k]]), left if is_weight[k] else right
            row = tuple(lists.rows(sums[k : k + 1])[0].tolist())
            if max(row) < parameters and taken.isdisjoint((bias, *row)) and len({bias, *row}) == len(row) + 1:
                weights[bias] = row
            taken.update((bias, *row))
        has_weights = np.isin(bias_of[sums], list(weights))
        under_ones = np.zeros(len(self.traced), bool)
        for lists, here in ((right, is_weight), (left, ~is_weight)):
            multiplied = np.zeros(len(self.traced), bool)
            multiplied[sums[has_weights & here]] = True
            under_ones[lists.flat[multiplied[lists.owners]]] = True
        return weights, under_ones

    def _ordered(self, parameters: list[int]) -> list[int]:
        """The parameters with every bias before its weights."""
        row_of = {node: (bias, *row) for bias, row in self.biases.items() for node in (bias, *row)}
        order = dict.fromkeys(node for leaf in parameters for node in row_of.get(leaf, (leaf,)))
        number = {node: k for k, node in enumerate(parameters)}
        self.layout.order = [number[node] for node in order]
        return list(order)

    def _place_leaves(self, parameters: int, inputs: int) -> None:
        leaves = self.traced.leaves
        if self.biases:
            leaves = self._ordered(leaves[:parameters]) + leaves[parameters:]
            columns = leaves[parameters : parameters + inputs]
            if self.under_ones[columns].any():
                self._allocate_ones(1, True, columns)
        constants = list(self.traced.constants)
        for source, batched, nodes in (
            (0, False, leaves[:parameters]),
            (1, True, leaves[parameters : parameters + inputs]),
            (1, False, leaves[parameters + inputs :]),
            (2, False, constants),
        ):
            start = self._allocate(len(nodes), batched)
            self.place[nodes] = np.arange(start, start + len(nodes))
            self.batched[nodes] = batched
            self.source[nodes] = source
        self.is_constant[constants] = True

    def _allocate_ones(self, count: int, batched: bool, nodes: list[int]) -> None:
        """Leave room for a row of ones before the array of some nodes."""
        start = self._allocate(count, batched)
        self.layout.ones.append((batched, start, start + count))
        self.ones.update(dict.fromkeys(nodes, (start, start + count)))

    def place_nodes(self) -> None:
        """Place all nodes that are computed."""
        traced = self.traced
        if self.batched.any():
            owners, flat = traced.lists.owners, traced.lists.flat
            self.batched[owners[self.batched[flat]]] = True  # what reads an input
            is_computed = traced.lists.lengths[flat] > 0
            batched = self.batched.tolist()
            for i, x in zip(numbers(owners[is_computed]), numbers(flat[is_computed])):
                batched[i] |= batched[x]
            self.batched[:] = batched
        levels = self._levels()
        for groups in levels.values():
            found = [traced.lists.rows(nodes) for key, nodes in groups.items() if key[:2] == ("logsumexp", False)]
            lists = [xs for rows in found for xs in rows.tolist()]
            if len(found) > 1 and max(map(len, lists)) * len(lists) <= 2.5 * sum(map(len, lists)):
                elements = {x: (c, r) for r, xs in enumerate(lists) for c, x in enumerate(xs)}
                self.ragged += [elements] * (len(elements) == sum(map(len, lists)))
        for level, groups in levels.items():
            before = len(self.groups)
            for op, nodes in _merge(groups, self._may_be_products):
                place = self._sums if op == DOT else self._elementwise
                place(op, nodes, level)
            self.groups[before:] = sorted(self.groups[before:], key=lambda group: group.kind != "broadcast")
            for k, group in enumerate(self.groups[before:], before):
                if group.kind != "broadcast":
                    self.source[group.nodes] = k + 3

    def _levels(self) -> dict[int, dict[tuple[str, bool, int, int], np.ndarray]]:
        """The nodes by depth, and there by what they may have in common.

        Sums: the numbers of products and of single terms; other operations: that of operands, and powers the exponent.
        """
        traced, fused, lists = self.traced, self.fused, self.traced.lists
        nodes = fused.nodes[lists.lengths[fused.nodes] > 0]
        is_sum = fused.is_sum[nodes]
        code = np.where(is_sum, len(traced.names), traced.codes[nodes])
        size = np.where(is_sum, fused.left.lengths[nodes], lists.lengths[nodes])
        more = np.where(is_sum, fused.singles.lengths[nodes], 0)
        if "pow" in traced.names:
            power = np.flatnonzero(code == traced.names.index("pow"))
            exponent = lists.flat[lists.stops[nodes[power]] - 1]
            more[power] = np.where(self.is_constant[exponent], exponent + 1, 0)
        kind = ((code * 2 + self.batched[nodes]) * (size.max(initial=0) + 1) + size) * (more.max(initial=0) + 1) + more
        if float(kind.max(initial=0)) * len(nodes) > 2.0**62:
            kind = np.unique(kind, return_inverse=True)[1]
        group = fused.depth[nodes] * (kind.max(initial=0) + 1) + kind
        order = np.argsort(group)
        starts = np.flatnonzero(np.diff(group[order], prepend=-1))
        names = [*traced.names, DOT]
        levels: dict[int, dict[tuple[str, bool, int, int], np.ndarray]] = {}
        for part in np.split(order, starts[1:]) if len(order) else ():
            k = part[0]
            key = names[code[k]], bool(self.batched[nodes[k]]), int(size[k]), int(more[k])
            levels.setdefault(int(fused.depth[nodes[k]]), {})[key] = np.sort(nodes[part])
        return levels

    # Reading

    def _read(self, nodes: np.ndarray, broadcast: bool = False) -> Read:
        """Where nodes lie. Where single and per-example values meet in one array, the single ones are broadcast."""
        if self.is_constant[nodes].all() and not broadcast:
            first = nodes.flat[0]
            if (nodes == first).all():
                return Read(nodes, self.place[nodes], constant=self.traced.constants[int(first)])
        per_example = self.batched[nodes]
        if per_example.all() or not (per_example.any() or broadcast):
            return Read(nodes, self.place[nodes], bool(per_example.flat[0]))
        at = self.place[nodes]
        single = np.unique(nodes[~per_example])
        missing = np.array([i for i in single.tolist() if i not in self.broadcast], int)
        if len(missing):
            start = self._allocate(len(missing), True)
            self.broadcast.update((int(node), start + k) for k, node in enumerate(missing))
            level = -1 - len(self.groups)  # a level of its own: its gradient is complete only after all others' here
            source = [Read(missing, self.place[missing])]
            slots = np.arange(len(missing))
            self.groups.append(
                Group("broadcast", "broadcast", (len(missing),), True, start, source, missing, slots, level)
            )
        for node in single.tolist():
            at[nodes == node] = self.broadcast[node]
        return Read(nodes, at, True)

    def _record(self, op: str, kind: str, shape: tuple[int, ...], nodes: np.ndarray, slots: np.ndarray, level: int,
                reads: list[Read]) -> None:  # fmt: skip
        batched = bool(self.batched[nodes[0]])
        if len(shape) > 1:  # matrices begin at multiples of eight places, for the sake of vector instructions
            self._allocate(-self.layout.sizes[batched] % 8, batched)
        if shape and len(shape) + batched == 2 and self.under_ones[nodes].all():
            self._allocate_ones(1 if batched else shape[-1], batched, nodes.tolist())
        start = self._allocate(math.prod(shape), batched)
        self.place[nodes] = start + slots
        self.source[nodes] = len(self.groups) + 3
        labels = self.traced.labels
        stems = {stem(labels.get(int(i), "")) for i in (nodes[0], nodes[-1])} if labels else {""}
        name = stems.pop() if len(stems) == 1 else ""
        starts_at_zero = op == DOT and bool(self.fused.starts_at_zero[nodes[0]])
        group = Group(op, kind, shape, batched, start, reads, nodes, slots, level, name, starts_at_zero)
        self.groups.append(group)

    # Groups

    def _may_be_products(self, nodes: np.ndarray) -> bool:
        """Whether sums of one product may be taken for products, although the sign of a zero may differ."""
        return not self.zeros_differ and len(nodes) > 1

    def _columns(self, op: str, nodes: np.ndarray) -> np.ndarray:
        """The first operands of some nodes, their second ones, and so on; a sum of one product is a product."""
        lists, is_sum = self.traced.lists, self.fused.is_sum[nodes]
        if is_sum.any():
            sides = ((self.fused.left, 2), (self.fused.right, 1))
            columns = [
                np.where(is_sum, side.flat[side.stops[nodes] - 1], lists.flat[lists.stops[nodes] - k])
                for side, k in sides
            ]
            return np.stack(columns)
        if TABLE[op].lists:
            return self._filled(lists.rows(nodes), -math.inf).T
        return lists.flat[lists.stops[nodes] - np.arange(int(lists.lengths[nodes[0]]), 0, -1)[:, None]]

    def _elementwise(self, op: str, nodes: np.ndarray, level: int) -> None:
        columns = self._columns(op, nodes)
        variadic = bool(TABLE[op].lists)
        major = 0
        if len(nodes) > 1:
            ordered = np.sort(columns)
            major = int((ordered[:, 1:] != ordered[:, :-1]).sum(axis=1).argmax())  # the column of most distinct nodes
            keys = [self.place[columns[c]] for c in range(len(columns)) if c != major]
            order = np.lexsort([*keys, self.place[columns[major]]])
            nodes, columns = nodes[order], columns.take(order, axis=1)
        shape: tuple[int, ...] = (len(nodes),)
        if variadic:
            reads = [self._read(self._with_holes(columns.T, -math.inf))]
        elif self.ragged and (found := self._ragged(op, nodes, columns, major)):
            grid, columns, hole = found
            slots = np.flatnonzero(grid.ravel() >= 0)
            nodes, reads = grid.ravel()[slots], [self._read(column) for column in columns]
            self._record(op, "elementwise", grid.shape, nodes, slots, level, reads)
            self._dig(grid, hole)
            return
        else:
            source = int(self.source[columns[major][0]]) - 3
            origin = self.groups[source] if source >= 0 else None
            if origin and np.array_equal(self.place[columns[major]], origin.start + np.arange(origin.size)):
                shape = origin.shape
                if len(shape) == 1 and not all(self._affine(column) for column in columns):
                    shape = self._blocks(self.place[columns])
            elif len(nodes) > 3:
                shape = self._blocks(self.place[columns])
            reads = [self._read(column.reshape(shape)) for column in columns]
        self._record(op, "reduction" if variadic else "elementwise", shape, nodes, np.arange(len(nodes)), level, reads)

    def _ragged(self, op: str, nodes: np.ndarray, columns: np.ndarray, major: int
                ) -> tuple[np.ndarray, list[np.ndarray], float] | None:  # fmt: skip
        """Elements of lists of different lengths, a list in each column: nodes, -1 for holes; operands; a hole's worth.

        Either what is read lies in such columns already; or the lists are those of a logsumexp, and the elements
        something times a constant, or divided by one.
        """
        source = int(self.source[columns[major][0]]) - 3
        origin = self.groups[source] if source >= 0 else None
        if origin is not None and origin.grid is not None:
            hole, slots = HOLES.get((op, major, origin.hole)), self.place[columns[major]] - origin.start
            if hole is None or not np.array_equal(np.sort(slots), origin.slots):
                return None
            shape, grids = origin.grid.shape, []
            for k, column in enumerate(columns):
                grid = self._grid(column, slots, shape)
                whole = origin.grid if k == major else np.broadcast_to(grid[0], shape)  # no list is empty
                if ((grid != whole) & (grid >= 0)).any():
                    return None
                grids.append(whole)
            return self._grid(nodes, slots, shape), grids, hole
        lists = next((lists for lists in self.ragged if lists.keys() == set(nodes.tolist())), None)
        varying = {("mul", 0): 1, ("mul", 1): 0, ("div", 1): 0}  # by which operand is constant
        k = next((k for k, column in enumerate(columns) if self.is_constant[column[0]]), -1)
        if lists is None or (op, k) not in varying or (columns[k] != columns[k][0]).any():
            return None
        if not 0 < self.traced.constants[int(columns[k][0])] < math.inf:
            return None
        at = [lists[i] for i in nodes.tolist()]
        x = columns[varying[op, k]]
        first = {r: place for (c, r), place in zip(at, self.place[x].tolist()) if c == 0}
        order = {r: number for number, r in enumerate(sorted(first, key=first.__getitem__))}
        shape = 1 + max(c for c, _ in at), len(order)
        slots = np.array([c * len(order) + order[r] for c, r in at])
        grid = self._grid(x, slots, shape)
        grids = [np.where(grid < 0, self._constant(-math.inf), grid)] * 2
        grids[k] = np.full(shape, columns[k][0])
        return self._grid(nodes, slots, shape), grids, -math.inf

    @staticmethod
    def _grid(nodes: np.ndarray, slots: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Nodes at their slots of an array, -1 elsewhere."""
        grid = np.full(math.prod(shape), -1)
        grid[slots] = nodes
        return grid.reshape(shape)

    def _dig(self, grid: np.ndarray, hole: float) -> None:
        """Let the holes of the last array be nodes, too, for lists that go on there."""
        group, holes = self.groups[-1], np.flatnonzero(grid.ravel() < 0)
        group.grid, group.hole = grid.copy(), hole
        group.grid.ravel()[holes] = [self.traced.add() for _ in holes]
        layout, none = self.layout, np.zeros(len(holes), bool)
        layout.place = self.place = np.append(self.place, group.start + holes)
        layout.batched = self.batched = np.append(self.batched, none)
        self.source, self.is_constant = np.append(self.source, none + 2), np.append(self.is_constant, none)
        self.columns.update((int(column[0]), (column, hole)) for column in group.grid.T)

    def _with_holes(self, lists: np.ndarray, padding: float) -> np.ndarray:
        """Lists that are padded; those that lie in columns with holes have these for padding."""
        if self.columns:
            filler = self.padding if padding == 0.0 else self._constant(padding)
            for k, first in enumerate(lists[:, 0].tolist()):
                column, hole = self.columns.get(first, (lists[k, :0], padding))
                if hole != padding or len(column) != lists.shape[1]:
                    continue
                if ((lists[k] == column) | (lists[k] == filler)).all():
                    lists[k] = column
        return lists

    def _affine(self, nodes: np.ndarray) -> bool:
        """Whether nodes follow each other at equal steps, or are constants, which are put in that order."""
        steps = np.diff(self.place[nodes])
        return bool((steps == steps[:1]).all() or self.is_constant[nodes].all())

    @staticmethod
    def _blocks(places: np.ndarray) -> tuple[int, ...]:
        """A shape in which an operand that serves several elements in a row, or comes again later, is broadcast."""
        n = places.shape[1]
        for column in places:
            again = column == column[0]
            runs = int(again.argmin()) or n
            again[0] = False
            for length in (runs, int(again.argmax()) or n):
                if 1 < length < n and n % length == 0:
                    block = column.reshape(-1, length)
                    if (block == block[:, :1]).all() or (block == block[:1]).all():
                        return n // length, length
        return (n,)

    def _sums(self, op: str, nodes: np.ndarray, level: int) -> None:
        left, right, singles = (x.rows(nodes) for x in (self.fused.left, self.fused.right, self.fused.singles))
        if left.size and singles.shape[1] > _MANY:  # one call for each would be slow
            ones = np.full_like(singles, self._constant(1.0))
            left, right, singles = np.hstack([singles, left]), np.hstack([ones, right]), singles[:, :0]
        if not left.size:
            singles = self._with_holes(self._filled(singles, 0.0), 0.0)
            singles = singles[:, np.argsort(self._rank()[singles[0]], kind="stable")]
            order = np.lexsort(self.place[singles[:, ::-1]].T)
            self._record(
                op, "sum", (len(nodes),), nodes[order], np.arange(len(nodes)), level, [self._read(singles[order])]
            )
            return
        ragged = left.min() < 0
        left, right = (self._with_holes(self._filled(side, 0.0), 0.0) for side in (left, right))
        source = self.source + self.batched * (len(self.groups) + 8)  # per-example values to the right
        swap = source[left[:, 0]] > source[right[:, 0]]
        left, right = np.where(swap[:, None], right, left), np.where(swap[:, None], left, right)
        columns = np.argsort(self._rank()[left[0]], kind="stable")
        left, right = left[:, columns], right[:, columns]
        left_rows, left_of = self._rows(left)
        right_rows, right_of = self._rows(right)
        if ragged:
            left_rows, left_of, right_rows, right_of = self._whole(left_rows, left_of, right_rows, right_of)

        batched = bool(self.batched[nodes[0]])
        shapes: dict[tuple, list[Part]] = {}
        for part in _parts(left_of, right_of):
            n_left, n_right = len(part.left), len(part.right)
            lone = batched and len(left_of) == 1 and not self.batched[left_rows].any()  # one neuron, many examples
            dense = (len(part.members) > 1 or lone) and n_left * n_right <= 2.2 * len(part.members)
            shapes.setdefault((n_left, n_right) if dense else (), []).append(part)
        for shape, parts in shapes.items():
            if shape:
                self._matmul(op, nodes, shape, parts, (left_rows, left_of, right_rows, right_of), singles, level)
            else:
                members = np.concatenate([part.members for part in parts])
                order = np.lexsort([self.place[right[members, 0]], self.place[left[members, 0]]])
                members = members[np.sort(order) if len(order) < 2 else order]
                own = nodes[members]
                rows = left_rows[left_of[members]], right_rows[right_of[members]]
                broadcast = bool(self.batched[own[0]] and not self.batched[rows[0]].any())
                reads = [self._read(rows[0]), self._read(rows[1], broadcast), *map(self._read, singles[members].T)]
                self._record(op, "rows", (len(own),), own, np.arange(len(own)), level, reads)

    def _matmul(self, op: str, nodes: np.ndarray, shape: tuple[int, int], parts: list[Part], rows: tuple,
                singles: np.ndarray, level: int) -> None:  # fmt: skip
        """One matrix product, or a stack of them, of all pairs of rows; pairs that do not occur leave a hole."""
        left_rows, left_of, right_rows, right_of = rows
        n_left, n_right = shape
        parts = sorted(parts, key=lambda part: (int(part.right[0]), int(part.left[0])))
        members = np.concatenate([part.members for part in parts])
        slots = np.concatenate([
            k * n_left * n_right
            + np.searchsorted(part.left, left_of[part.members]) * n_right
            + np.searchsorted(part.right, right_of[part.members])
            for k, part in enumerate(parts)
        ])  # fmt: skip
        left = left_rows[np.array([part.left for part in parts])]
        right = right_rows[np.array([part.right for part in parts])].swapaxes(1, 2)
        whole: tuple[int, ...] = (len(parts), n_left, n_right)
        if len(parts) == 1:
            left, right, whole = left[0], right[0], (n_left, n_right)
            if n_right == 1:
                right, whole = right[:, 0], (n_left,)
            elif n_left == 1 and not self.batched[nodes[members[0]]]:
                left, whole = left[0], (n_right,)
        broadcast = bool(self.batched[nodes[members[0]]] and not self.batched[left].any())
        reads = [self._read(left), self._read(right, broadcast)]
        if self.biases and singles.shape[1] == 1:
            biased = self._with_bias(left, right, singles[members[np.argsort(slots)], 0], whole)
            if biased:
                reads, singles = biased, singles[:, :0]
        for column in singles[members].T:
            grid = np.full(len(parts) * n_left * n_right, -1)
            grid[slots] = column
            grid = grid.reshape(len(parts), n_left, n_right)
            if (grid < 0).any():  # a hole takes what another column has there
                grid = np.where(grid < 0, grid.max(axis=2, keepdims=True), grid)
            reads.append(self._read(grid.reshape(whole)))
        self._record(op, "matmul", whole, nodes[members], slots, level, reads)

    def _with_bias(self, left: np.ndarray, right: np.ndarray, singles: np.ndarray, shape: tuple[int, ...]
                   ) -> list[Read] | None:  # fmt: skip
        """What a product of weights and activations reads if it is to add the biases as well.

        None if the single terms are something else, or there are no ones before the activations.
        """
        per_example = self.batched[right]
        if (
            left.ndim > 2
            or right.ndim > 2
            or singles.size != math.prod(shape)
            or per_example.any() != per_example.all()
        ):
            return None
        bias, rows = singles.reshape(-1 if left.ndim == 1 else len(left), right[0].size), left.reshape(-1, len(right))
        weights = [self.biases.get(i, ()) for i in bias[:, 0].tolist()]
        if (bias != bias[:, :1]).any() or [set(row) for row in weights] != [set(row) for row in rows.tolist()]:
            return None
        at = self.place[right]
        start, stop = self.ones.get(int(right.flat[0]), (0, 0))
        ones = at[:1] - (stop - start)
        if ones.min() < start or ones.max() >= stop or (np.diff(at[:2], axis=0) != stop - start).any():
            given = (self.source[right] == 1) | (self.source[right] == 2)
            if not given.all() or per_example.any() or right.ndim == 1:
                return None
            constant = self._constant(1.0)
            ones = np.full_like(at[:1], self.place[constant])  # given numbers, which are copied with a one
        one = np.full_like(right[:1], self._constant(1.0))
        read = Read(np.concatenate([one, right]), np.concatenate([ones, at]), bool(per_example.all()))
        return [self._read(np.concatenate([bias[:, :1].reshape(*left.shape[:-1], 1), left], axis=-1)), read]

    def _filled(self, rows: np.ndarray, value: float) -> np.ndarray:
        """Rows of nodes in which a constant takes the place of -1; for a sum it is the padding."""
        if rows.min(initial=0) >= 0:
            return rows
        if value == 0.0 and self.padding < 0:
            self.padding = self._new_constant(0.0)
        return np.where(rows < 0, self.padding if value == 0.0 else self._constant(value), rows)

    def _constant(self, value: float) -> int:
        """The node of a constant, added if there is none."""
        for node, x in self.traced.constants.items():
            if x == value:
                return node
        return self._new_constant(value)

    def _new_constant(self, value: float) -> int:
        """A node for a constant."""
        node = self.traced.add()
        self.traced.constants[node] = value
        layout = self.layout
        layout.place = self.place = np.append(self.place, self._allocate(1, False))
        layout.batched = self.batched = np.append(self.batched, False)
        self.source, self.is_constant = np.append(self.source, 2), np.append(self.is_constant, True)
        return node

    def _rank(self) -> np.ndarray:
        """The places of all nodes, as one order: padding last, per-example values after single ones."""
        rank = self.place + (self.batched.astype(np.int64) << 40)
        if self.padding >= 0:
            rank[self.padding] = 1 << 50
        return rank

    def _rows(self, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The distinct rows in the order of their places, and which of them each row is."""
        rank = self._rank()[nodes]
        order = np.lexsort(rank.T[::-1])
        is_new = np.append(True, (rank[order[1:]] != rank[order[:-1]]).any(axis=1))
        which = np.empty(len(nodes), int)
        which[order] = np.cumsum(is_new) - 1
        return nodes[order[is_new]], which

    def _without_padding(self, row: list[int]) -> tuple[int, ...]:
        """A row without the padding at its end; with all of it where some is elsewhere."""
        length = len(row)
        while length and row[length - 1] == self.padding:
            length -= 1
        return tuple(row if self.padding in row[:length] else row[:length])

    def _whole(self, *sides: np.ndarray) -> tuple[np.ndarray, ...]:
        """Where rows end early on both sides, let one side go on as a longer row does: it meets the padding there.

        Only a row whose padding is at its end can go on; in any other, equal elements stand in different columns.
        """
        results = []
        for rows, of in (sides[:2], sides[2:]):
            whole: dict[tuple, int] = {}
            target = np.zeros(len(rows), int)
            lists = [self._without_padding(row) for row in rows.tolist()]
            for i in sorted(range(len(rows)), key=lambda i: -len(lists[i])):
                target[i] = whole.setdefault(lists[i], i)
                if target[i] == i:
                    for n in range(1, len(lists[i])):
                        whole.setdefault(lists[i][:n], i)
            kept, renumbered = np.unique(target, return_inverse=True)
            results.append((rows[kept], renumbered.reshape(-1)[of], len(rows) - len(kept)))
        (left, left_of, left_saved), (right, right_of, right_saved) = results
        if left_saved >= right_saved:
            return left, left_of, sides[2], sides[3]
        return sides[0], sides[1], right, right_of


def _merge(
    level: dict[tuple[str, bool, int, int], np.ndarray], may_be_products: Callable[[np.ndarray], bool]
) -> list[tuple[str, np.ndarray]]:
    """The groups of one depth. Sums of different lengths are one group where padding them costs little."""
    merged: list[tuple[str, np.ndarray]] = []
    sums: dict[tuple, list[tuple]] = {}
    single: dict[bool, np.ndarray] = {}  # products of two, by whether they differ by example
    for key, nodes in level.items():
        op, batched, products, singles = key
        if op == "mul":
            single[batched] = nodes
        elif op == DOT:
            sums.setdefault((op, batched, products > 0, singles if products else 0), []).append(key)
        elif op == "logsumexp":
            sums.setdefault((op, batched, True, 0), []).append(key)
        else:
            merged.append((op, nodes))
    for (op, batched, has_products, _), keys in sums.items():
        length = 2 if has_products else 3
        keys = sorted(keys, key=lambda key: -key[length])
        while keys:
            longest, rest, real = keys[0], [], 0
            nodes = np.empty(0, int)
            for key in keys:
                more = level[key]
                if (len(nodes) + len(more)) * longest[length] <= 2.5 * (real + len(more) * key[length]):
                    nodes = np.concatenate([nodes, more])
                    real += len(more) * key[length]
                else:
                    rest.append(key)
            if longest == (DOT, batched, 1, 0) and may_be_products(nodes):  # no longer sum to be part of is left
                nodes = np.concatenate([nodes, single.pop(batched, nodes[:0])])
                op = "mul"
            merged.append((op, np.sort(nodes)))
            keys = rest
    merged += [("mul", nodes) for nodes in single.values()]
    return sorted(merged, key=lambda item: (len(item[1]) > 1, item[1][0]))  # on the way back, single numbers come last


def _parts(left_of: np.ndarray, right_of: np.ndarray) -> list[Part]:
    """The connected components of the graph whose edges join the left row and the right row of each sum."""
    label = left_of.copy()
    while True:
        by_right = np.full(right_of.max() + 1, len(label))
        np.minimum.at(by_right, right_of, label)
        by_left = np.full(left_of.max() + 1, len(label))
        np.minimum.at(by_left, left_of, by_right[right_of])
        new = by_left[left_of]
        if np.array_equal(new, label):
            break
        label = new
    order = np.argsort(label, kind="stable")
    starts = np.flatnonzero(np.diff(label[order], prepend=-1))
    parts: list[Part] = []
    for members in np.split(order, starts[1:]):
        left, right = left_of[members], right_of[members]
        pairs = np.unique(left.astype(np.int64) * (int(right_of.max()) + 1) + right)
        if len(pairs) == len(members):
            parts.append(Part(members, np.unique(left), np.unique(right)))
        else:  # the same pair of rows with different single terms
            parts.extend(Part(members[k : k + 1], left[k : k + 1], right[k : k + 1]) for k in range(len(members)))
    return parts


def roll(traced: Trace, fused: Fused, parameters: int, inputs: int, biased: bool = True) -> Layout:
    """The layout of a fused trace whose first leaves are `parameters`, then `inputs`, which differ by example.

    Args:
        biased: whether matrix products may add biases, which then lie before their weights.
    """
    vectorizer = Vectorizer(traced, fused, parameters, inputs, biased)
    vectorizer.place_nodes()
    return vectorizer.layout
