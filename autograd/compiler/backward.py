"""Backward: the groups, last first, as the lines that hand gradients on.

A gradient that can take over the array of the gradient it comes from is not copied, and a constant factor waits until
it has to be multiplied in.
"""

from __future__ import annotations

import ast
import itertools
from collections import Counter
from typing import Any

import numpy as np

from autograd.compiler.arithmetic import Formula, written
from autograd.compiler.contributions import Contributions
from autograd.compiler.roll import Group, Layout, Read
from autograd.compiler.trace import Trace
from autograd.compiler.views import array, is_number, is_whole
from autograd.core.table import PRIMITIVES

_SAFE = 1e-100  # constant factors between this and its reciprocal can be multiplied with each other


class Backward(Contributions):
    """Writes the backward pass of one root."""

    def __init__(self, traced: Trace, layout: Layout, parameters: int, inputs: int, *more: Any):
        super().__init__(traced, layout, parameters, inputs, *more)
        self.started: set[Group] = set()  # numbers whose gradient has a first contribution
        self.known: dict[Group, float] = {}  # gradients of numbers that are the same in every run
        self.factor: dict[Group, float] = {}  # what the gradient is times what its array holds, where that is not 1
        self.readers, self.fixed = self._readers()

    def _readers(self) -> tuple[Counter[Group], set[Group]]:
        """How often each group is read, and those read together with others: their gradients stay where they are."""
        readers: Counter[Group] = Counter()
        fixed: set[Group] = set()
        for group in self.layout.groups:
            for read in group.reads[1:] if self.is_square(group) else group.reads:
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

    def backward_scalar(self, group: Group) -> None:
        """Hand the gradient of one number on."""
        up = f"d{group.name}"
        if self.written[0][group.start]:
            self.add_number(group, f"g.item({group.start})")
        elif group not in self.started:
            return
        if group in self.known:
            up = written(self.known[group])
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
        if group.kind != "rows":
            pairs = [(reads[0], None)]
            if group.op == "mean":
                share = self.scalar_expression(PRIMITIVES["mean"].partials[0], {"n": str(reads[0].at.size)})
                if group in self.known:
                    up = self.times(up, share)
                else:
                    self.lines.append(f"{up} *= {share}")
        elif np.array_equal(reads[0].at, reads[1].at) and reads[0].constant is None:  # a sum of squares
            if group in self.known:
                up = written(2.0 * self.known[group])
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
            if other is None and source and source.kind == "elementwise" and self.readers[source] == 1:
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
            return written(float(up) * float(factor))
        if up == "1.0":
            return factor
        return {"1.0": up, "-1.0": f"-{up}"}.get(factor) or f"{up} * {in_parentheses(factor)}"

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
            self.lines.append(f"d{target.name} = {written(known)} + {in_parentheses(expression)}")
        else:
            self.lines.append(f"d{target.name} {'+=' if target in self.started else '='} {expression}")
        self.started.add(target)

    def backward(self, group: Group) -> None:
        """Emit the calls that hand a group's gradient on to what it read."""
        if group.kind == "elementwise":
            self.backward_elementwise(group)
            return
        is_square = self.is_square(group)
        singles = [read for read in group.reads[2:] if self.wanted(read)]
        if is_square and not singles:
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
                last = singles.pop() if singles and not is_square else None
                for read in singles:
                    self.accumulate(read, array(up), group.shape, group.batched)
                if is_square and singles:  # which the doubled gradient is not for
                    self.factor[group] = 2.0
                    self.settled(group)
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
        if self.is_square(group):
            wanted = [(read, f"2 * {partial}") for read, partial in wanted[:1]]
        wanted.sort(key=lambda item: self.takes_over(item[0], group) is not None)
        names["_up"] = self.settled(group) if len(wanted) > 1 else self.result(group, "g")
        if len(wanted) == 2 and self.both(group, names["_up"]):
            return
        for k, (read, partial) in enumerate(wanted, 1):
            slope = Formula(f"_up * ({partial})", names)
            if k < len(wanted):
                self.accumulate(read, slope, group.shape, group.batched)
            else:
                self.pass_on(group, read, slope)

    def both(self, group: Group, up: str) -> bool:
        """Hand a gradient on to both operands of a sum or a product in one call, if they were gathered."""
        partials = PRIMITIVES[group.op].partials
        if partials not in (("1", "1"), ("y", "x")) or up in self.narrow:
            return False
        x, y = group.reads
        start, size = self.edge_start.get(x, -1), x.at.size
        alike = x.batched == y.batched == group.batched and x.at.ndim == 1
        if not alike or start < 0 or self.edge_start.get(y) != start + size:
            return False
        edges = self.side_by_side("es" if x.batched else "e", start, x)
        if partials == ("1", "1"):
            self.lines.append(f"np.copyto({edges}, {up})")
        elif self.stretch.get(x, ("", 0))[0] and self.stretch.get(y) == (self.stretch[x][0], self.stretch[x][1] + size):
            self.lines.append(f"np.multiply({up}, {self.side_by_side(*self.stretch[x], x, True)}, out={edges})")
        else:
            return False
        self.filled |= {x, y}
        return True

    def pass_on(self, group: Group, read: Read, slope: Formula) -> None:
        """The last use of a group's gradient, whose array becomes that of what was read, if possible."""
        up = slope.names["_up"]
        source = self.takes_over(read, group)
        if source is None:
            self.settled(group)
            self.accumulate(read, slope, group.shape, group.batched)
            return
        factor, rest = slope.scaled
        factor *= self.factor.get(group, 1.0)
        if self.readers[source] == 1 and is_safe(factor):  # no more is added to it
            self.factor.pop(group, None)
        else:
            self.settled(group)
            factor, rest = 1.0, slope
        other = rest.expression.removeprefix("_up * ")
        given = self.program.arrays.get(rest.names.get(other, ""))
        if (
            given is not None and factor != 1.0 and is_safe(given[given != 0])
        ):  # a product with an array of constants, which can hold the factor
            rest = Formula(rest.expression, {**rest.names, other: self.constant(factor * given, "given")})
            factor = 1.0
        if rest.expression == "1.0" and source.kind == "elementwise":
            self.share(source, written(factor))
            self.narrow.add(written(factor))
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
        """Whether both factors of a product are the same, so that they hand on the same contribution."""
        if group.kind != "rows" and (group.kind, group.op) != ("elementwise", "mul"):
            return False
        left, right = group.reads[:2]
        return left.batched == right.batched and np.array_equal(left.at, right.at)


def is_safe(factors: float | np.ndarray) -> bool:
    """Whether a product of two such constant factors neither vanishes nor overflows."""
    sizes = np.abs(factors)
    return bool(((sizes > _SAFE) & (sizes < 1 / _SAFE)).all())


def in_parentheses(expression: str) -> str:
    """An expression as it may stand beside any operator."""
    return expression if expression.isidentifier() or number(expression) is not None else f"({expression})"


def number(text: str) -> float | None:
    """The number that a text is, if it is one."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, float) else None
