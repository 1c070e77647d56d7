"""Contributions: what is added to the gradients, and where.

The first contribution to a gradient is written, any further one is added. What was gathered waits in an edge buffer,
which is added in one call per depth.
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


class Contributions(Forward):
    """Writes the lines that add to gradients."""

    def __init__(self, traced: Trace, layout: Layout, parameters: int, inputs: int, *more: Any):
        super().__init__(traced, layout, parameters, inputs, *more)
        self.written = (np.zeros(layout.sizes[0], bool), np.zeros(layout.sizes[1], bool))
        self.cleared: list[tuple[bool, np.ndarray]] = []
        self.edge: dict[Read, str] = {}
        self.edge_start: dict[Read, int] = {}
        self.targets: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        self.sums: dict[int, list[tuple[list[Read], str]]] = {}
        self.filled: set[Read] = set()  # those of them whose contribution is there
        self.lengths: dict[str, tuple[int, ...]] = {}

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
        place += self.moved(batched, place)
        self.lines.append(f"{'gs' if batched else 'g'}[{place}] {'=' if first else '+='} {expression}")

    def accumulate_call(self, read: Read, function: str, arguments: str) -> None:
        """Add what a call returns, which has the full shape of the read, to its gradient."""
        strides, shape = read.strides, self.shape(read.at.shape, read.batched)
        target = self.edge.get(read)
        self.filled.add(read)
        if target:
            self.lines.append(f"{function}({arguments}, out={target})")
            return
        assert strides is not None
        if not self.zeros_of(read):
            view = self.gradient_view(read)
            if self.claim(read.batched, read.at):
                if function == "np.dot" and not self.contiguous(read.at):
                    function = "np.matmul"  # np.dot writes only into arrays without gaps
                self.lines.append(f"{function}({arguments}, out={view})")
            else:
                with self.writer.scratch(shape) as t:
                    self.lines += [f"{function}({arguments}, out={t})", f"np.add({view}, {t}, out={view})"]
            return
        with self.writer.scratch(shape) as t:
            self.lines.append(f"{function}({arguments}, out={t})")
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
        factor, rest = slope.scaled
        if len(every_axis) > 1 or len(shape) + batched > 2:
            factor, rest = 1.0, slope
        if not rest.name or rest.name in self.narrow:
            full = self.shape(shape, batched)
            with self.writer.scratch(full) as t:
                self.writer.write(slope, full, t)
                self.sum_into(read, axes, array(t), shape, batched, every_axis, target, first)
            return
        t = rest.name
        self.lengths[t] = shape
        function, arguments = self.reduction(t, len(shape) + batched, batched, every_axis, factor)
        if not first:
            self.lines.append(f"np.add({target}, {function}({arguments}), out={target})")
            return
        if function == "np.dot" and not self.is_exact(read, axes):
            function = "np.matmul"
        self.lines.append(f"{function}({arguments}, out={target})")

    def is_exact(self, read: Read, axes: tuple[int, ...]) -> bool:
        """Whether what remains of a read after summing over axes lies without gaps."""
        index = tuple(0 if k in axes else slice(None) for k in range(read.at.ndim))
        return self.contiguous(np.asarray(read.at[index]))

    def reduction(
        self, t: str, dimensions: int, batched: bool, axes: tuple[int, ...], factor: float
    ) -> tuple[str, str]:
        """The call that sums an array over axes, times a factor: a product with ones, where that applies."""
        if len(axes) == 1 and dimensions <= 2:
            last = axes[0] == dimensions - 1
            ones = self.ones("examples" if batched and last else str(self.lengths[t][axes[0]]), factor)
            return "np.dot", f"{t}, {ones}" if last else f"{ones}, {t}"
        return "np.add.reduce", f"{t}, axis={axes if len(axes) < dimensions else None}"

    def gradient_view(self, read: Read) -> str:
        """The view of the gradient buffer that mirrors a read."""
        assert read.strides is not None
        buffer = "gs" if read.batched else "g"
        source = self.source_of(read)
        if source:
            return self.result(source, "g")
        at = read.at + self.moved(read.batched, int(read.at.flat[0]))
        return self.view(buffer, at, read.strides, read.batched, f"d{self.hint(read, 'x')}", whole=True)

    def moved(self, batched: bool, place: int) -> int:
        """How far from its place the gradient of a value lies."""
        group = self.group_at(batched, place)
        return self.home[group] - group.start if group in self.home else 0

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
            self.edge_start[read] = start
            shape = f".reshape{self.shape(read.at.shape, batched)}" if read.at.ndim > 1 else ""
            self.program.setup.append(f"{name} = {buffer}[{start} : {start + read.at.size}]{shape}")
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
            written, places = self.written[batched], np.unique(np.concatenate(targets))
            owners = self.owner[batched][places]
            written[places[owners < 0]] = True
            for k in np.unique(owners[owners >= 0]).tolist():
                group = self.layout.groups[k]
                written[group.start : group.start + group.size] = True
            filled = np.flatnonzero(written)
            for span in np.split(filled, np.flatnonzero(np.diff(filled) > 256) + 1):  # small gaps may be cleared too
                self.lines.append(f"{'gs' if batched else 'g'}[{span[0]} : {span[-1] + 1}].fill(0.0)")
