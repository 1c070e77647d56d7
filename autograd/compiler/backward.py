"""Backward: the groups, last first, as the lines that hand gradients on.

The first contribution to a gradient is written, any further one is added. A gradient that can take over the array of
the gradient it comes from is not copied, and a constant factor waits until it has to be multiplied in.
"""

from __future__ import annotations

import ast
import itertools
from collections import Counter
from typing import Any

import numpy as np

from autograd.compiler.arithmetic import Formula
from autograd.compiler.forward import Forward
from autograd.compiler.roll import Group, Layout, Read
from autograd.compiler.trace import Trace
from autograd.compiler.views import array, is_number, is_whole
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
        self.factor: dict[Group, float] = {}  # what the gradient is times what its array holds, where that is not 1
        self.known: dict[Group, float] = {}  # gradients of numbers that are the same in every run
        self.readers, self.fixed = self._readers()
        self.lengths: dict[str, tuple[int, ...]] = {}

    def _readers(self) -> tuple[Counter[Group], set[Group]]:
        """How often each group is read, and those read together with others: their gradients stay where they are."""
        readers: Counter[Group] = Counter()
        fixed: set[Group] = set()
        for group in self.layout.groups:
            for read in group.reads:
                if read.constant is None:
                    owners = np.unique(self.owner[read.batched][read.at]).tolist()
                    groups = [self.layout.groups[k] for k in owners if k >= 0]
                    readers.update(groups)
                    if len(owners) > 1:
                        fixed.update(groups)
        return readers, fixed

    def backward_pass(self, root: int) -> None:
        """Emit the backward pass of one root."""
        layout = self.layout
        forward_items = dict(self.items)
        self.items = forward_items
        self.lines = self.program.backward
        self.edges()
        place, batched = int(layout.place[root]), bool(layout.batched[root])
        group = self.group_at(batched, place)
        if not self.needs[batched][place]:
            return
        if group and is_number(group):
            self.add_number(group, "1.0")
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
        place += self.moved(batched, place)
        self.lines.append(f"{'gs' if batched else 'g'}[{place}] {'=' if first else '+='} {expression}")

    def backward_scalar(self, group: Group) -> None:
        """Hand the gradient of one number on."""
        up = f"d{group.name}"
        if self.written[0][group.start]:
            self.add_number(group, f"g.item({group.start})")
        elif group not in self.started:
            return
        if group in self.known:
            up = repr(self.known[group])
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
            if group in self.known:
                up = repr(2.0 * self.known[group])
            else:
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
        if number(up) is not None and number(factor) is not None:
            return repr(float(up) * float(factor))
        if up == "1.0":
            return factor
        return {"1.0": up, "-1.0": f"-{up}", "0.0": "0.0"}.get(factor) or f"{up} * ({factor})"

    def hand_scalar(self, read: Read, k: int, expression: str) -> None:
        """Add a contribution to the gradient of one number."""
        place = int(read.at.flat[k])
        group = self.group_at(False, place)
        if group and is_number(group):
            self.add_number(group, expression)
        else:
            self.add_at(False, place, expression)

    def add_number(self, target: Group, expression: str) -> None:
        """Add to the gradient of a number; as long as it is known beforehand, that takes no line."""
        known, value = self.known.pop(target, None), number(expression)
        if value is not None and (known is not None or target not in self.started):
            self.known[target] = value + (known or 0.0)
        elif known is not None:
            self.lines.append(f"d{target.name} = {known!r} + {expression}")
        else:
            self.lines.append(f"d{target.name} {'+=' if target in self.started else '='} {expression}")
        self.started.add(target)

    def backward(self, group: Group) -> None:
        """Emit the calls that hand a group's gradient on to what it read."""
        if group.kind == "elementwise":
            self.backward_elementwise(group)
            return
        if self.is_square(group):  # both factors are the same: their two contributions are equal
            self.factor[group] = 2.0 * self.factor.get(group, 1.0)
        up = self.settled(group)
        match group.kind:
            case "spread":
                self.accumulate(group.reads[0], array(up), group.shape, True)
            case "sum":
                self.accumulate(group.reads[0], array(self.expanded(up)), group.reads[0].at.shape, group.batched)
            case "many":
                self.backward_many(group, up)
            case _:
                *others, last = [None, *(read for read in group.reads[2:] if self.wanted(read))]
                for read in others:
                    if read:
                        self.accumulate(read, array(up), group.shape, group.batched)
                self.backward_product(group, up)
                if last:
                    self.pass_on(group, last, Formula("_up", {"_up": up}))

    def settled(self, group: Group) -> str:
        """The name of a group's gradient, with its factor multiplied in."""
        up, factor = self.result(group, "g"), self.factor.pop(group, 1.0)
        if factor != 1.0:
            self.lines.append(f"np.multiply({up}, {factor!r}, out={up})")
        return up

    def backward_elementwise(self, group: Group) -> None:
        """Hand a gradient on to each operand, times its partial."""
        row = PRIMITIVES[group.op]
        names = {x: self.elements(read, group) for x, read in zip(row.operands, group.reads)}
        names["out"] = self.result(group)
        wanted = [(r, p) for r, p in zip(group.reads, row.partials) if self.wanted(r) and p != "0"]
        wanted.sort(key=lambda item: self.takes_over(item[0], group) is not None)
        names["_up"] = self.settled(group) if len(wanted) > 1 else self.result(group, "g")
        for k, (read, partial) in enumerate(wanted, 1):
            slope = Formula(f"_up * ({partial})", names)
            if k < len(wanted):
                self.accumulate(read, slope, group.shape, group.batched)
            else:
                self.pass_on(group, read, slope)

    def pass_on(self, group: Group, read: Read, slope: Formula) -> None:
        """The last use of a group's gradient, whose array becomes that of what was read, if possible."""
        up = slope.names["_up"]
        source = self.takes_over(read, group)
        if source is None:
            self.settled(group)
            self.accumulate(read, slope, group.shape, group.batched)
            return
        if self.readers[source] > 1:  # more will be added to it
            self.settled(group)
            factor, rest = 1.0, slope
        else:
            factor, rest = slope.scaled
            factor *= self.factor.pop(group, 1.0)
        other = rest.expression.removeprefix("_up * ")
        given = self.program.arrays.get(rest.names.get(other, ""))
        if given is not None and factor != 1.0:  # a product with an array of constants, which can hold the factor
            rest = Formula(rest.expression, {**rest.names, other: self.constant(factor * given, "given")})
            factor = 1.0
        if rest.expression == "1.0" and source.kind == "elementwise":
            self.share(source, repr(factor))
            self.narrow.add(repr(factor))
        elif rest.expression == "1.0" or up in self.narrow:
            self.accumulate(read, rest, group.shape, group.batched)
            self.factor[source] = factor
        else:
            self.home[source] = self.home.get(group, group.start)
            self.factor[source] = factor
            if rest.name != up:
                out = self.result(source, "g") if source.shape == group.shape else up
                self.writer.write(rest, self.shape(group.shape, group.batched), out)
            self.written[source.batched][source.start : source.start + source.size] = True

    def takes_over(self, read: Read, group: Group) -> Group | None:
        """The group whose gradient may have the array of another's, of which this is a read, if it is the first."""
        source = self.only_source(read)
        return source if source and source.batched == group.batched and read.at.size == group.size else None

    def only_source(self, read: Read) -> Group | None:
        """The group that is read whole and in its order, if its gradient has no contribution yet."""
        group = self.group_at(read.batched, int(read.at.flat[0]))
        if not group or group in self.fixed or read in self.edge or read.constant is not None:
            return None
        free = not self.written[group.batched][group.start : group.start + group.size].any()
        return group if free and is_whole(read, group) and not is_number(group) else None

    def share(self, group: Group, name: str) -> None:
        """Let the gradient of a group be a number."""
        self.shared[group] = name
        self.written[group.batched][group.start : group.start + group.size] = True

    def backward_many(self, group: Group, up: str) -> None:
        """Hand a gradient on to the elements of a list."""
        read = group.reads[0]
        shape = read.at.shape
        if group in self.exponentials:  # the slopes of log and exp, of which it is made
            exponentials, total = self.exponentials[group]
            self.writer.write(self.slope("log", up, x=total), self.shape(group.shape, group.batched), up)
            self.accumulate(read, self.slope("exp", self.expanded(up), out=exponentials), shape, group.batched)
            return
        names = {"x": self.matrix(read, "x"), "out": self.expanded(self.result(group)), "n": str(shape[1])}
        if group.op == "prod":
            names["rest"] = rest = self._declare(self.shape(shape, group.batched), "float")
            self.words.add("products_of_others")
            others = f"products_of_others(list({names['x']}.swapaxes(0, 1)))"
            self.lines.append(
                f"{rest}.swapaxes(0, 1)[...] = np.stack(np.broadcast_arrays(*{others}, {rest}[:, 0]))[:-1]"
            )
        self.accumulate(read, self.slope(group.op, self.expanded(up), **names), shape, group.batched)

    @staticmethod
    def slope(op: str, up: str, **names: str) -> Formula:
        """An upstream gradient times the first partial of an operation."""
        return Formula(f"_up * ({PRIMITIVES[op].partials[0]})", names | {"_up": up})

    def backward_product(self, group: Group, up: str) -> None:
        """The gradients of both factors of a matrix product."""
        method, (first, second) = self.method(group), group.reads[:2]
        if method == "row":
            upstream = self.row(group, "g")
            for read, other in ((first, second), (second, first))[: 1 if self.is_square(group) else 2]:
                if self.wanted(read):
                    slope = Formula("_up * x", {"_up": upstream, "x": self.line(other)})
                    self.accumulate(self.flat(read), slope, read.at.shape[1:], True)
            return
        left, right = self.factors(group)
        left_dimensions, right_dimensions = first.at.ndim, second.at.ndim + second.batched
        a, b, c = self.subscripts(group)
        for read, other, mine, its, is_left in (
            (group.reads[0], right, a, b, True),
            (group.reads[1], left, b, a, False),
        ):
            if not self.wanted(read) or (self.is_square(group) and not is_left):
                continue
            match method, left_dimensions, right_dimensions, is_left:
                case "dot", 2, 2, True:
                    call = "np.dot", f"{up}, {other}.T"
                case "dot", 2, _, False:
                    call = "np.dot", f"{other}.T, {up}"
                case "dot", 2, 1, True:
                    call = self.outer(read, up, other)
                case "dot", 1, _, True:
                    call = "np.dot", f"{other}, {up}"
                case "dot", 1, _, False:
                    call = self.outer(read, other, up)
                case "stack", _, _, True:
                    call = "np.matmul", f"{up}, {other}.swapaxes(1, 2)"
                case "stack", _, _, False:
                    call = "np.matmul", f"{other}.swapaxes(1, 2), {up}"
                case _:
                    call = self.einsum((c, its, mine), up, other)
            self.accumulate_call(read, *call)

    def outer(self, read: Read, x: str, y: str) -> tuple[str, str]:
        """The call for all products of the elements of two vectors; np.dot, twice as fast, writes only without gaps."""
        if self.contiguous(read.at):
            return "np.dot", f"{self.expanded(x)}, {self.expanded(y, 'None')}"
        return "np.multiply", f"{self.expanded(x)}, {y}"

    @staticmethod
    def is_square(group: Group) -> bool:
        """Whether both factors of the products of rows are the same."""
        if group.kind != "rows":
            return False
        left, right = group.reads[:2]
        return left.batched == right.batched and np.array_equal(left.at, right.at)

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
            written, places = self.written[batched], np.unique(np.concatenate(targets))
            owners = self.owner[batched][places]
            written[places[owners < 0]] = True
            for k in np.unique(owners[owners >= 0]).tolist():
                group = self.layout.groups[k]
                written[group.start : group.start + group.size] = True
            filled = np.flatnonzero(written)
            for span in np.split(filled, np.flatnonzero(np.diff(filled) > 256) + 1):  # small gaps may be cleared too
                self.lines.append(f"{'gs' if batched else 'g'}[{span[0]} : {span[-1] + 1}].fill(0.0)")


def number(text: str) -> float | None:
    """The number that a text is, if it is one."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, float) else None
