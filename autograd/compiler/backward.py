"""Backward: the groups, last first, as the lines that hand gradients on.

A gradient that comes from one place is written there, any further contribution is added. Gradients that can stay in the
array they arrived in are not copied.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from autograd.compiler.arithmetic import Formula
from autograd.compiler.forward import Forward
from autograd.compiler.roll import Group, Layout, Read
from autograd.compiler.trace import Trace
from autograd.compiler.views import array, is_number
from autograd.primitives import PRIMITIVES


class Backward(Forward):
    """Writes the backward pass of one root."""

    def __init__(self, traced: Trace, layout: Layout, parameters: int, inputs: int, *more: Any):
        super().__init__(traced, layout, parameters, inputs, *more)
        self.started: set[Group] = set()  # numbers whose gradient has a first contribution
        self.written = (np.zeros(layout.sizes[0], bool), np.zeros(layout.sizes[1], bool))
        self.cleared: list[tuple[bool, np.ndarray]] = []
        self.edge: dict[Read, str] = {}
        self.targets: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        self.sums: dict[int, list[tuple[list[Read], str]]] = {}
        self.filled: set[Read] = set()  # those of them whose contribution is there
        self.readers = self._readers()
        self.lengths: dict[str, tuple[int, ...]] = {}

    def _readers(self) -> np.ndarray:
        """How often each group is read."""
        readers = np.zeros(len(self.layout.groups) + 1, int)
        for group in self.layout.groups:
            for read in group.reads:
                if read.constant is None:
                    readers[np.unique(self.owner[read.batched][read.at])] += 1
        for root in self.traced.roots:
            readers[self.owner[int(self.layout.batched[root])][self.layout.place[root]]] += 1
        return readers

    def backward_pass(self, root: int) -> None:
        """Emit the backward pass of one root."""
        layout = self.layout
        forward_items = dict(self.items)
        self.items = forward_items
        self.lines = self.program.backward
        self.edges()
        place, batched = int(layout.place[root]), bool(layout.batched[root])
        owner = self.owner[batched][place]
        if not self.needs[batched][place]:
            return
        if owner >= 0 and is_number(layout.groups[owner]):
            self.started.add(layout.groups[owner])
            self.lines.append(f"d{layout.groups[owner].name} = 1.0")
        else:
            self.add_at(batched, place, "1.0 / examples" if batched and not self.per_example else "1.0")
        for level, groups in itertools.groupby(reversed(layout.groups), key=lambda group: group.level):
            for group in groups:
                if not self.needs[group.batched][group.start : group.start + group.size].any():
                    continue
                if is_number(group):
                    self.backward_scalar(group)
                elif self.complete(group):
                    self.backward(group)
            for reads, line in self.sums.get(level, []):
                if any(read in self.filled for read in reads):
                    self.lines += [f"{self.edge[read]}.fill(0.0)" for read in reads if read not in self.filled]
                    self.lines.append(line)

    def complete(self, group: Group) -> bool:
        """Whether a gradient reached the group; what it did not reach is zero by now."""
        return bool(self.written[group.batched][group.start : group.start + group.size].any())

    def claim(self, batched: bool, places: np.ndarray) -> bool:
        """Note that gradients are written at these places. True if they are the first there, to be assigned, not added.

        An array that is not covered at once is cleared first.
        """
        written = self.written[batched]
        if not written[places].any():
            owners = np.unique(self.owner[batched][places])
            covered = np.unique(places)
            for k in owners.tolist():
                if k < 0:
                    continue
                group = self.layout.groups[k]
                span = slice(group.start, group.start + group.size)
                if np.count_nonzero((covered >= span.start) & (covered < span.stop)) < group.size:
                    self.clear(group)
            if written[places].any():
                return self.claim(batched, places)
            written[places] = True
            return len(covered) == places.size
        if not written[places].all():
            owners = np.unique(self.owner[batched][places[~written[places]]])
            for k in owners.tolist():
                if k >= 0:
                    self.clear(self.layout.groups[k])
                else:
                    fresh = np.unique(places[~written[places] & (self.owner[batched][places] < 0)])
                    self.cleared.append((batched, fresh))
                    written[fresh] = True
        return False

    def clear(self, group: Group) -> None:
        """Set to zero what is not written yet of a group's gradient."""
        span = slice(group.start, group.start + group.size)
        written = self.written[group.batched][span]
        if not written.any():
            self.lines.append(f"{self.result(group, 'g')}.fill(0.0)")
        elif not written.all():
            missing = self.constant(group.start + np.flatnonzero(~written))
            self.lines.append(f"{'gs' if group.batched else 'g'}[{missing}] = 0.0")
        written[:] = True

    def add_at(self, batched: bool, place: int, expression: str) -> None:
        """Add a number to the gradient at one place."""
        first = self.claim(batched, np.array([place]))
        self.lines.append(f"{'gs' if batched else 'g'}[{place}] {'=' if first else '+='} {expression}")

    def backward_scalar(self, group: Group) -> None:
        """Hand the gradient of one number on."""
        up = f"d{group.name}"
        if self.written[0][group.start]:
            operator = "+=" if group in self.started else "="
            self.lines.append(f"{up} {operator} g.item({group.start})")
        elif group not in self.started:
            return
        if group.kind == "elementwise":
            row = PRIMITIVES[group.op]
            names = {x: self.number(read) for x, read in zip(row.operands, group.reads)} | {"out": group.name}
            for read, partial in zip(group.reads, row.partials):
                if self.wanted(read):
                    self.hand_scalar(read, 0, self.times(up, self.scalar_expression(partial, names)))
            return
        reads, singles = group.reads[:2], group.reads[2:]
        for read in singles:
            if self.wanted(read):
                self.hand_scalar(read, 0, up)
        pairs: list[tuple[Read, Read | None]] = [(reads[0], reads[-1]), (reads[-1], reads[0])]
        if group.kind == "sum":
            pairs = [(reads[0], None)]
        elif np.array_equal(reads[0].at, reads[1].at) and reads[0].constant is None:  # a sum of squares
            self.lines.append(f"{up} *= 2.0")
            pairs = pairs[:1]
        for read, other in pairs:
            if not self.wanted(read):
                continue
            if self.is_short(group):
                for k in range(read.at.size):
                    factor = self.number(other, k) if other else "1.0"
                    if self.needs[0][read.at.flat[k]]:
                        self.hand_scalar(read, k, self.times(up, factor))
                continue
            flat = self.flat(read)
            source = self.only_source(flat)
            if other is None and source and source.kind == "elementwise":
                self.share(source, up)
                self.narrow.add(up)
                continue
            self.narrow.add(up)
            expression = Formula("x * y", {"x": up, "y": self.line(other)}) if other else array(up)
            self.accumulate(flat, expression, flat.at.shape, False)

    @staticmethod
    def times(up: str, factor: str) -> str:
        """The product of an upstream gradient and a partial."""
        return {"1.0": up, "-1.0": f"-{up}", "0.0": "0.0"}.get(factor) or f"{up} * ({factor})"

    def hand_scalar(self, read: Read, k: int, expression: str) -> None:
        """Add a contribution to the gradient of one number."""
        place = int(read.at.flat[k])
        owner = self.owner[0][place]
        if owner >= 0 and is_number(self.layout.groups[owner]):
            target = self.layout.groups[owner]
            self.lines.append(f"d{target.name} {'+=' if target in self.started else '='} {expression}")
            self.started.add(target)
        else:
            self.add_at(False, place, expression)

    def backward(self, group: Group) -> None:
        """Emit the calls that hand a group's gradient on to what it read."""
        up = self.result(group, "g")
        match group.kind:
            case "elementwise":
                row = PRIMITIVES[group.op]
                names = {x: self.elements(read, group) for x, read in zip(row.operands, group.reads)}
                names["out"] = self.result(group)
                wanted = [(r, p) for r, p in zip(group.reads, row.partials) if self.wanted(r) and p != "0"]
                for read, partial in wanted:
                    slope = Formula(f"_up * ({partial})", names | {"_up": up})
                    source = self.only_source(read) if read is wanted[-1][0] else None
                    if (
                        source
                        and group.shape == source.shape
                        and group.batched == source.batched
                        and up not in self.narrow
                    ):
                        if not slope.name:
                            self.writer.write(slope, self.shape(group.shape, group.batched), up)
                        self.share(source, up)
                    else:
                        self.accumulate(read, slope, group.shape, group.batched)
            case "spread":
                self.accumulate(group.reads[0], array(up), group.shape, True)
            case "sum":
                self.accumulate(group.reads[0], array(self.expanded(up)), group.reads[0].at.shape, group.batched)
            case "many":
                read = group.reads[0]
                names = {
                    "x": self.matrix(read, "x"),
                    "out": self.expanded(self.result(group)),
                    "n": str(read.at.shape[1]),
                }
                if group.op == "prod":
                    names["rest"] = rest = self._declare(self.shape(read.at.shape, group.batched), "float")
                    self.words.add("products_of_others")
                    others = f"products_of_others(list({names['x']}.swapaxes(0, 1)))"
                    self.lines.append(
                        f"{rest}.swapaxes(0, 1)[...] = np.stack(np.broadcast_arrays(*{others}, {rest}[:, 0]))[:-1]"
                    )
                slope = Formula(f"_up * ({PRIMITIVES[group.op].partials[0]})", names | {"_up": self.expanded(up)})
                self.accumulate(read, slope, read.at.shape, group.batched)
            case _:
                for read in group.reads[2:]:
                    if self.wanted(read):
                        self.accumulate(read, array(up), group.shape, group.batched)
                self.backward_product(group, up)

    def only_source(self, read: Read) -> Group | None:
        """The group that is read whole, in its order, and by nobody else: its gradient can stay where it is."""
        k = self.owner[read.batched][read.at.flat[0]]
        if k < 0 or self.readers[k] != 1 or read in self.edge:
            return None
        group = self.layout.groups[k]
        free = not self.written[group.batched][group.start : group.start + group.size].any()
        whole = read.at.size == group.size and read.at.flat[0] == group.start and self.contiguous(read.at)
        return group if free and whole and not is_number(group) else None

    def share(self, group: Group, name: str) -> None:
        """Let the gradient of a group be an array, or a number, that is there already."""
        self.shared[group] = name
        self.written[group.batched][group.start : group.start + group.size] = True

    def backward_product(self, group: Group, up: str) -> None:
        """The gradients of both factors of a matrix product."""
        left, right = self.factors(group)
        method, (first, second) = self.method(group), group.reads[:2]
        left_dimensions, right_dimensions = first.at.ndim, second.at.ndim + second.batched
        a, b, c = self.subscripts(group)
        squares = group.kind == "rows" and first.batched == second.batched and np.array_equal(first.at, second.at)
        if squares:  # both factors are the same: their two contributions are equal
            self.lines.append(f"np.multiply({up}, 2.0, out={up})")
        for read, other, mine, its, is_left in (
            (group.reads[0], right, a, b, True),
            (group.reads[1], left, b, a, False),
        ):
            if not self.wanted(read) or (squares and not is_left):
                continue
            match method, left_dimensions, right_dimensions, is_left:
                case "dot", 2, 2, True:
                    call = f"np.dot({up}, {other}.T"
                case "dot", 2, _, False:
                    call = f"np.dot({other}.T, {up}"
                case "dot", 2, 1, True:
                    call = f"np.multiply({self.expanded(up)}, {other}"
                case "dot", 1, _, True:
                    call = f"np.dot({other}, {up}"
                case "dot", 1, _, False:
                    call = f"np.multiply({self.expanded(other)}, {up}"
                case "stack", _, _, True:
                    call = f"np.matmul({up}, {other}.swapaxes(1, 2)"
                case "stack", _, _, False:
                    call = f"np.matmul({other}.swapaxes(1, 2), {up}"
                case _:
                    call = f"np.einsum('{c},{its}->{mine}', {up}, {other}"
            self.accumulate_call(read, call)

    def accumulate_call(self, read: Read, call: str) -> None:
        """Add what a call returns, which has the full shape of the read, to its gradient."""
        strides, shape = read.strides, self.shape(read.at.shape, read.batched)
        target = self.edge.get(read)
        self.filled.add(read)
        if target:
            self.lines.append(f"{call}, out={target})")
            return
        assert strides is not None
        if not self.zeros_of(read):
            view = self.gradient_view(read)
            if self.claim(read.batched, read.at):
                whole = call.startswith("np.dot") and not self.contiguous(read.at)
                self.lines.append(f"{call.replace('np.dot', 'np.matmul', 1) if whole else call}, out={view})")
            else:
                with self.writer.scratch(shape) as t:
                    self.lines += [f"{call}, out={t})", f"np.add({view}, {t}, out={view})"]
            return
        with self.writer.scratch(shape) as t:
            self.lines.append(f"{call}, out={t})")
            self.accumulate(read, array(t), read.at.shape, read.batched)

    @staticmethod
    def contiguous(places: np.ndarray) -> bool:
        """Whether places follow each other without a gap."""
        return bool(np.array_equal(places.ravel(), places.flat[0] + np.arange(places.size)))

    def accumulate(self, read: Read, slope: Formula, shape: tuple[int, ...], batched: bool) -> None:
        """Add an expression of arrays to the gradient of what was read, summed where one value served many."""
        full = self.shape(shape, batched)
        over_examples = batched and not read.batched
        self.filled.add(read)
        target = self.edge.get(read)
        strides = read.strides
        axes: tuple[int, ...] = ()
        if target is None:
            assert strides is not None
            axes = self.zeros_of(read)
            if not axes and not over_examples:
                view = self.gradient_view(read)
                if self.claim(read.batched, read.at):
                    self.writer.write(slope, full, view)
                elif slope.name:
                    self.lines.append(f"np.add({view}, {slope.name}, out={view})")
                else:
                    with self.writer.scratch(full) as t:
                        self.writer.write(slope, full, t)
                        self.lines.append(f"np.add({view}, {t}, out={view})")
                return
        elif not over_examples:
            self.writer.write(slope, full, target)
            return
        first = target is not None or self.claim(read.batched, np.unique(read.at))
        if target is None:
            index = tuple(0 if k in axes else slice(None) for k in range(read.at.ndim))
            target = self.gradient_view(Read(read.nodes[index], np.asarray(read.at[index]), read.batched))
        every_axis = (*axes, *([len(shape)] if over_examples else []))
        self.sum_into(read, axes, slope, shape, batched, every_axis, target, first)

    def sum_into(self, read: Read, axes: tuple[int, ...], slope: Formula, shape: tuple[int, ...], batched: bool,
                 every_axis: tuple[int, ...], target: str, first: bool) -> None:  # fmt: skip
        """Emit the sum of a formula over axes."""
        if not slope.name or slope.name in self.narrow:
            full = self.shape(shape, batched)
            with self.writer.scratch(full) as t:
                self.writer.write(slope, full, t)
                self.sum_into(read, axes, array(t), shape, batched, every_axis, target, first)
            return
        t = slope.name
        self.lengths[t] = shape
        exact = first and self.is_exact(read, axes)
        line = self.reduction(t, len(shape) + batched, batched, every_axis, target, first)
        if first and not exact:  # np.dot writes only into arrays without gaps
            line = line.replace("np.dot(", "np.matmul(", 1)
        self.lines.append(line)

    def is_exact(self, read: Read, axes: tuple[int, ...]) -> bool:
        """Whether what remains of a read after summing over axes lies without gaps."""
        index = tuple(0 if k in axes else slice(None) for k in range(read.at.ndim))
        return self.contiguous(np.asarray(read.at[index]))

    def reduction(self, t: str, dimensions: int, batched: bool, axes: tuple[int, ...], target: str, first: bool) -> str:
        """The line that sums an array over axes into a target: by a product with ones, where that applies."""
        if len(axes) == 1 and dimensions <= 2:
            last = axes[0] == dimensions - 1
            ones = self.ones("examples" if batched and last else str(self.lengths[t][axes[0]]))
            total = f"np.dot({t}, {ones}" if last else f"np.dot({ones}, {t}"
        else:
            total = f"np.add.reduce({t}, axis={axes if len(axes) < dimensions else None}"
        return f"{total}, out={target})" if first else f"np.add({target}, {total}), out={target})"

    def ones(self, length: str) -> str:
        """The name of a vector of ones."""
        key = ("ones", length)
        if key not in self.views:
            self.views[key] = self.unique("ones")
            self.program.setup.append(f"{self.views[key]} = np.ones({length})")
        return self.views[key]

    def gradient_view(self, read: Read) -> str:
        """The view of the gradient buffer that mirrors a read."""
        assert read.strides is not None
        buffer = "gs" if read.batched else "g"
        return self.view(buffer, read.at, read.strides, read.batched, f"d{self.hint(read, 'x')}", whole=True)

    # What was gathered: its contributions wait in an edge buffer, which is added in one call per depth

    def edges(self) -> None:
        """Give each gathered read that needs a gradient its stretch of an edge buffer; clear the places it adds to."""
        largest = [0, 0]
        for level, groups in itertools.groupby(self.layout.groups, key=lambda group: group.level):
            found: tuple[list[Read], list[Read]] = ([], [])
            for group in groups:
                reads = group.reads
                if is_number(group):
                    reads = [] if group.kind == "elementwise" or self.is_short(group) else map(self.flat, reads[:2])
                for read in reads:
                    if self.wanted(read) and read.strides is None:
                        found[read.batched].append(read)
            for batched, reads in enumerate(found):
                if reads:
                    size = self.edges_of(level, reads, bool(batched))
                    largest[batched] = max(largest[batched], size)
        for buffer, shape, size in (("e", "{}", largest[0]), ("es", "({}, examples)", largest[1])):
            if size:
                self.program.setup.insert(self.edge_line, f"{buffer} = np.empty({shape.format(size)})")
        self.clear_targets()

    def edges_of(self, level: int, reads: list[Read], batched: bool) -> int:
        """The stretches for the reads of one depth, and the line that adds them up."""
        start, buffer = 0, "es" if batched else "e"
        for read in reads:
            self.edge[read] = name = self.unique("edge")
            shape = ", ".join([*map(str, read.at.shape), *["examples"] * batched])
            stretch = f"{buffer}[{start} : {start + read.at.size}]"
            self.program.setup.append(f"{name} = {stretch}" + f".reshape({shape})" * (read.at.ndim > 1))
            start += read.at.size
        at = np.concatenate([read.at.ravel() for read in reads])
        index = next((name for name, x in self.program.arrays.items() if x.shape == at.shape and (x == at).all()), "")
        index = index or self.constant(at)
        self.targets[batched].append(at)
        added = self.unique("added")
        self.program.setup.append(f"{added} = {buffer}[:{start}]" + ".ravel()" * batched)
        if batched:
            places = self.unique("places")
            self.program.setup.append(f"{places} = ({index}[:, None] * examples + np.arange(examples)).ravel()")
            self.sums.setdefault(level, []).append((reads, f"np.add.at(gs.ravel(), {places}, {added})"))
        else:
            self.sums.setdefault(level, []).append((reads, f"np.add.at(g, {index}, {added})"))
        return start

    def clear_targets(self) -> None:
        """Set to zero every array that contributions are added to one by one."""
        for batched, targets in enumerate(self.targets):
            if not targets:
                continue
            written = self.written[batched]
            owners = np.unique(self.owner[batched][np.concatenate(targets)])
            if owners[0] < 0:
                written[: self.inputs if batched else self.parameters] = True
            for k in owners[owners >= 0].tolist():
                group = self.layout.groups[k]
                written[group.start : group.start + group.size] = True
            bounds = np.flatnonzero(np.diff(written, prepend=False, append=False))
            for start, stop in bounds.reshape(-1, 2).tolist():
                self.lines.append(f"{'gs' if batched else 'g'}[{start} : {stop}].fill(0.0)")
