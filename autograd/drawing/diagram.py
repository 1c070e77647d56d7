"""Diagrams: the graph of a Value, folded or not, as boxes and arrows with what is written on them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from autograd.core.graph import topological_order
from autograd.core.table import TABLE
from autograd.core.value import Value
from autograd.drawing.folding import FoldedGroup, edges_between, fold
from autograd.drawing.names import Names
from autograd.drawing.svg import FIELD, Arrow, Box
from autograd.explaining.notation import POWER, runs
from autograd.explaining.state import stale_words, summed_words
from autograd.explaining.symbols import BareOperation, Name
from autograd.explaining.typography import Run, Text, label_parts, name, plain_text, quantity, significant

PLURALS = {"add": "sums", "sub": "differences", "mul": "products", "div": "quotients", "pow": "powers"}
COSTS = {"C", "cost", "loss"}  # labels by which a user says that a value is what is minimised
OUTPUT_LETTERS = {"z", "a", "h"}  # letters of what a neuron gives, which is no cost
MOST_HEADS = 6  # of arrows from or to folded boxes that have room at one box, half as many at a neuron's small one
TOLD = 40  # values that a description or a tooltip lists


class Diagram:
    """Boxes and arrows for every group of values before a cost, and for the plain numbers among the operands.

    A leaf is a parameter when it is among `parameters`; when these are not given, when a model says so (its `role`) or
    it has the label of a layer's, `w_jk^(l)` or `b_j^(l)`. Beside parameters the other leaves are inputs; where nothing
    is known, a leaf is a leaf.
    """

    def __init__(
        self,
        cost: Value,
        parameters: Iterable[Value] | None = None,
        highlight: Any = None,
        unfold: str | None = "all",
        max_nodes: int = 100,
        steppable: bool = False,
        blank: frozenset[str] = frozenset(),
        groups: list[FoldedGroup] | None = None,
        given: Mapping[Value, str] | None = None,
    ):
        self.cost, self.blank, self.steppable = cost, blank, steppable
        self.groups = fold(cost, unfold, max_nodes) if groups is None else groups
        self.values = [value for group in self.groups for value in group.members]
        known = filter(is_of_model, self.values) if parameters is None else parameters
        self.parameters = {value for value in known if not value.op}
        self.folded = len(self.groups) < len(self.values)
        sizes = [abs(value.grad) for value in self.values if math.isfinite(value.grad)]
        self.largest = max(sizes, default=0.0)
        self.names = Names(self.groups, given)
        self._called: dict[Value, str] = {}
        self.boxes: list[Box] = []
        self.families: list[tuple[Hashable, tuple[int, ...]] | None] = []
        self._examples: dict[Value, int] = {}  # of how many examples a value's box holds the same step
        self.arrows: list[Arrow] = []
        self.origin: list[
            tuple[Value, int] | None
        ] = []  # for each arrow of a single value: the value, and which operand
        self._connect()
        if highlight is not None:
            self._highlight(highlight)
        if steppable:
            self._prepare()
        what = self.called(cost)
        many = f"{len(self.values)} value{'s' * (len(self.values) != 1)}"
        self.title = f"Computation graph of {what}, {many}" + f" in {len(self.groups)} boxes" * self.folded
        self.notes = [] if blank else [note for note in (stale_words(cost), summed_words(cost)) if note]
        self.description = " ".join([self._description(), *self.notes])

    # What is where

    def _connect(self) -> None:
        edges = edges_between(self.groups)
        parents: dict[int, list[int]] = {}
        for tail, head in edges:
            parents.setdefault(head, []).append(tail)
        self.number: dict[Value, int] = {}
        number: dict[int, int] = {}
        for i, group in enumerate(self.groups):
            constants = {} if group.kind != "value" else self._constants(group.value)
            number[i] = len(self.boxes)
            self.number.update(dict.fromkeys(group.members, number[i]))
            if (count := self._count_examples(group)) > 1:
                self._examples.update(dict.fromkeys(group.members, count))
            self.families += [None] * len(constants)
            self.families.append(family(group.value))
            self.boxes.append(self._box(group))
            if group.kind == "value":
                self._operands(group.value, constants)
                continue
            for tail in parents.get(i, []):
                self._add(self._bundle(number[tail], number[i], edges[tail, i]))
        if self.folded:
            self._merge()
        entering = Counter(arrow.head for arrow in self.arrows)
        for arrow, origin in zip(self.arrows, self.origin):
            most = MOST_HEADS // (2 if self.boxes[arrow.head].kind == "neuron" else 1)
            arrow.thin = origin is None and entering[arrow.head] > most

    def _add(self, arrow: Arrow, origin: tuple[Value, int] | None = None) -> None:
        self.arrows.append(arrow)
        self.origin.append(origin)

    def _constants(self, value: Value) -> dict[int, int]:
        """A box for each plain number among the operands, but for a default that was left alone."""
        row, boxes = TABLE.get(value.op), {}
        for position, operand in enumerate(value.operands):
            last = row and position == len(value.operands) - 1
            if isinstance(operand, Value) or (last and operand == row.defaults.get(row.operands[-1])):  # type: ignore
                continue
            boxes[position] = len(self.boxes)
            self.boxes.append(Box("constant", quantity(operand, 6), tooltip=f"the number {operand!r}"))
        return boxes

    def _operands(self, value: Value, constants: dict[int, int]) -> None:
        """An arrow from each operand of a single value."""
        partials, head = iter(value.partials), self.number[value]
        for position, operand in enumerate(value.operands):
            if isinstance(operand, Value):
                self._add(self._arrow(self.number[operand], value, operand, next(partials)), (value, position))
            elif position in constants:
                self._add(Arrow(constants[position], head, dashed=True), (value, position))

    def _merge(self) -> None:
        """One arrow where a folded box sends several to the same place."""
        folded = {self.number[group.value] for group in self.groups if group.kind != "value"}
        kept: dict[tuple[int, int], tuple[Arrow, tuple[Value, int] | None]] = {}
        for i, (arrow, origin) in enumerate(zip(self.arrows, self.origin)):
            ends = (arrow.tail, arrow.head)
            if arrow.tail in folded and ends in kept:
                first, _ = kept[ends]
                first.label = ()
                first.tooltip += f"\n{arrow.tooltip}" if first.tooltip.count("\n") < TOLD else ""
                kept[ends] = first, None
            else:
                kept[ends if arrow.tail in folded else (ends[0], -1 - i)] = arrow, origin
        self.arrows = [arrow for arrow, _ in kept.values()]
        self.origin = [origin for _, origin in kept.values()]

    # What is written there

    def called(self, value: Value) -> str:
        """A value's name in plain text."""
        if value not in self._called:
            self._called[value] = plain_text(self.written(value))
        return self._called[value]

    def written(self, value: Value) -> Text:
        """A value's label, else its formula, else what it is worth."""
        return runs(self.names.symbol(value)) if value.op or value.label else quantity(value.data)

    def _below_a_d(self, value: Value) -> str:
        """A value's name in plain text, in parentheses if it is a formula that falls apart."""
        return plain_text(below_a_d(self.names, value))

    def kind(self, value: Value) -> str:
        """Which shape a value has."""
        if value.op:
            base, _, _ = label_parts(value.label) or ("", "", "")  # a pass may begin at a neuron as well
            is_cost = value is self.cost and (value.label in COSTS or (value.grad == 1 and base not in OUTPUT_LETTERS))
            return "cost" if is_cost else "operation"
        return "parameter" if value in self.parameters else "input" if self.parameters else "leaf"

    def _count_examples(self, group: FoldedGroup) -> int:
        """Of how many examples a box holds a step, each once or as many times; 0 where what is alike is something else.

        What is alike has one name, shares a parameter, or follows a step of so many examples.
        """
        members, count = group.members, len(group.members)
        if group.kind in ("neuron", "layer"):
            return sum(member.label == group.value.label for member in members)
        if group.kind != "alike" or not members[0].op:
            return 0
        if members[0].label and all(member.label == members[0].label for member in members):
            return count
        shared = set(members[0].parents).intersection(*(member.parents for member in members[1:]))
        alone = all(len(member.parents) == 1 for member in members)  # with plain numbers
        if shared & self.parameters or (shared and alone):
            return count
        before = [max((self._examples.get(x, 0) for x in member.parents), default=0) for member in members]
        return before[0] if before[0] and set(before) == {before[0]} and count % before[0] == 0 else 0

    def gradient(self, value: Value) -> float | None:
        """The gradient; None where no backward pass has reached, or where it is left blank."""
        return value.grad if (value.grad or self.cost.grad) and "gradients" not in self.blank else None

    def data(self, value: Value) -> Text:
        """What a value is worth, or a field to write it in."""
        return FIELD if self._is_asked(value) else quantity(value.data)

    def _is_asked(self, value: Value) -> bool:
        return bool(value.op) and "values" in self.blank

    def badge(self, slopes: Sequence[float]) -> Text:
        """A gradient, or the range of several."""
        if "gradients" in self.blank:
            return (Run("grad"), *FIELD)
        return (Run("grad "), *span(slopes)) if slopes else (Run("grad not computed"),)

    def strength(self, slope: float | None) -> tuple[int, float]:
        """The sign of a gradient, and its size on a scale of four decades below the largest."""
        if not slope or math.isnan(slope):
            return 0, 0.0
        size = 1.0
        if math.isfinite(slope) and self.largest:
            size += (math.log10(abs(slope)) - math.log10(self.largest)) / 4  # their quotient might vanish
        return (1 if slope > 0 else -1), min(1.0, max(0.08, size))

    def _box(self, group: FoldedGroup) -> Box:
        """The box of one value, or of a group."""
        value, slope = group.value, self.gradient(group.value)
        lines = [self._line_of(member) for member in group.members[-TOLD:]]
        tooltip = "\n".join([f"the last {TOLD} of {len(group.members)}:"] * (len(group.members) > TOLD) + lines)
        if group.kind == "neuron" and not self.steppable:
            alike = [member for member in group.members if member.label == value.label]
            told_data = (Run(f", {len(alike)} examples"),)
            if len(alike) == 1:
                told_data = (Run(" = "), *self.data(value))
            slope = max((self.gradient(member) or 0.0 for member in alike), key=abs)
            return Box("neuron", (*name(value.label), *told_data), (), [], (), *self.strength(slope), tooltip)
        if group.kind == "value":
            label, lines = name(self.names.label(value)) if self.names.label(value) else (), [self.data(value)]
            remark = runs(self.names.formula(value)) if value.op else ()
            heading = label or remark or lines.pop()
            remark = remark if label else ()
            badge = self.badge([] if slope is None else [slope])
            return Box(self.kind(value), heading, remark, lines, badge, *self.strength(slope), tooltip)
        slopes = [slope for member in group.members if (slope := self.gradient(member)) is not None]
        sign = {(True, False): 1, (False, True): -1}.get((any(s > 0 for s in slopes), any(s < 0 for s in slopes)), 0)
        badge = self.badge(slopes)
        strength = self.strength(max(slopes, key=abs, default=0.0))[1]
        return Box("group", *self._summary(group), badge, sign, strength, tooltip)

    def _summary(self, group: FoldedGroup) -> tuple[Text, Text, list[Text]]:
        """Heading, remark and lines of a folded box."""
        count = len(group.members)
        asked = any(map(self._is_asked, group.members))
        data = FIELD if asked else span([value.data for value in group.members])
        if group.kind == "layer":
            parameters = sum(self.kind(value) == "parameter" for value in group.members)
            labels = [value.label for value in group.members if value.op and value.label]
            outputs = {label for label in labels if label[0] == ("a" if any(x[0] == "a" for x in labels) else "z")}
            repeats = labels.count(max(outputs, key=labels.count)) if outputs else 1
            lines = [(Run(f"{len(outputs)} neuron{'s' * (len(outputs) != 1)}"),)] if outputs else []
            lines += [(Run(f"{parameters} parameters"),)] if parameters else [(Run(f"{count} values"),)]
            lines += [(Run(f"{repeats} examples"),)] if repeats > 1 else []
            return (Run(f"layer {group.name.strip('()')}"),), (), lines
        if group.kind == "neuron":
            repeated = group.value in self._examples
            return name(group.value.label), (Run("neuron"),), [data if repeated else self.data(group.value)]
        if group.kind == "rest":
            return (Run(f"{count} earlier values"),), (), [data]
        label = label_parts(group.value.label) or (group.value.label, "", "")
        same = all(member.label == group.value.label for member in group.members)
        introduced = "" if label[0] else self.names.introduced.get(group.value, "")
        heading = name(group.value.label if same else label[0]) if label[0] else self._in_common(group)
        what = (Run(f"{count} {'examples' if self._examples.get(group.value) == count else 'values'}"),)
        if introduced:
            return (*name(introduced), Run(" = "), *heading), what, [data]
        return heading or what, what if heading else (), [data]

    def _in_common(self, group: FoldedGroup) -> Text:
        """The formula of values that are alike, or what they are where their operands have no names."""
        op = group.value.op
        formula = self.names.in_common(group) if op else None
        if formula is None or isinstance(formula, BareOperation):
            return (Run(PLURALS.get(op) or f"{op.replace('_', ' ')}s" * ("_" in op) or op),)
        return runs(formula)

    def _line_of(self, value: Value) -> str:
        data, gradient, slope = "?" if self._is_asked(value) else repr(value.data), "", self.gradient(value)
        if "gradients" not in self.blank:
            gradient = ", gradient not computed" if slope is None else f", gradient {slope!r}"
        return f"{self.called(value)} = {data}{gradient}"

    def _arrow(self, tail: int, value: Value, operand: Value, partial: float) -> Arrow:
        """The edge of one operand, with its local derivative."""
        tip = f"∂{self._below_a_d(value)} / ∂{self._below_a_d(operand)}"
        if "partials" in self.blank:
            return Arrow(tail, self.number[value], FIELD, tooltip=tip)
        upstream = self.gradient(value)
        flow = 0.0 if upstream is None else upstream * partial
        tip += f" = {partial!r}"
        tip += "" if upstream is None else f"\nupstream {upstream!r} × local {partial!r} = {flow!r}"
        return Arrow(tail, self.number[value], quantity(partial), *self.strength(flow), tip)

    def _bundle(self, tail: int, head: int, edges: Sequence[tuple[Value, int]]) -> Arrow:
        """All edges between two folded boxes as one: what flows back through them, added up."""
        flow = sum((self.gradient(value) or 0.0) * value.partials[i] for value, i in edges)
        tip = f"{len(edges)} edge{'s' * (len(edges) != 1)}"
        if self.blank:
            return Arrow(tail, head, (), tooltip=tip)
        tip += f"; {flow!r} flows back through them"
        return Arrow(tail, head, (), *self.strength(flow), tip)

    def _prepare(self) -> None:
        """Number everything for a page that will rewrite it, and leave room for other numbers.

        A box has the number of its value in the topological order, or says how several are folded into it: "lead" if it
        shows what the last of them is worth, "range" if it shows from where to where they are.
        """
        place = {value: i for i, value in enumerate(topological_order(self.cost))}
        for group in self.groups:
            box = self.boxes[self.number[group.value]]
            box.data["box"], box.least, box.tooltip = str(self.number[group.value]), 124.0, ""
            if group.kind == "value":
                box.data["node"] = str(place[group.value])
            else:
                is_one = group.kind == "neuron" and group.value not in self._examples
                box.data["fold"], box.least = "lead" if is_one else "" if group.kind == "layer" else "range", 150.0
        for arrow, origin in zip(self.arrows, self.origin):
            arrow.data["ends"], arrow.tooltip = f"{arrow.tail}-{arrow.head}", ""
            if origin:
                arrow.data["edge"], arrow.least = f"{place[origin[0]]}-{origin[1]}", 58.0 if arrow.label else 0.0

    def _highlight(self, path: Any) -> None:
        """Mark a path, and dim the rest."""
        nodes = getattr(path, "nodes", path)
        if not isinstance(nodes, Iterable):
            raise TypeError(f"highlight takes a path, as in paths(cost, w)[0], or a list of values, not {path!r}")
        nodes = list(nodes)
        strangers = [node for node in nodes if not isinstance(node, Value) or node not in self.number]
        if strangers:
            raise ValueError(
                "highlight takes a path to this cost, as in paths(cost, w)[0], or a list of its values; "
                f"{strangers[0]!r} is not one of them"
            )
        for node in nodes:
            self.boxes[self.number[node]].bold = True
        wanted: list[Any] = list(getattr(path, "edges", ()))
        if wanted:  # exact: a value and the number of its parent
            exact = {(value, _operand_of_parent(value, i)) for value, i in wanted}
            for arrow, origin in zip(self.arrows, self.origin):
                arrow.bold = origin in exact
        if self.folded or not any(arrow.bold for arrow in self.arrows):
            steps = {(self.number[a], self.number[b]) for a, b in pairwise(nodes)}
            for arrow, origin in zip(self.arrows, self.origin):
                if (arrow.tail, arrow.head) in steps and not (wanted and origin):
                    arrow.bold = True
                    steps.discard((arrow.tail, arrow.head))
        for thing in (*self.boxes, *self.arrows):
            thing.dim = not thing.bold

    # In words

    def _partial(self, partial: float) -> str:
        return "" if "partials" in self.blank else f" ({significant(partial)})"

    def _description(self) -> str:
        state = "" if self.largest else " Gradients are not computed yet: call backward() first."
        state = f" To be filled in: {', '.join(sorted(self.blank))}." if self.blank else state
        listed = "; ".join(self._line_of(value) for value in self.values[: -TOLD - 1 : -1])
        more = f"; and {len(self.values) - TOLD} more" if len(self.values) > TOLD else ""
        return f"{len(self.values)} values, from the cost back to the leaves.{state} {listed}{more}."

    def rows(self, most: int) -> list[list[str | Text]]:
        """A heading and, from the cost back to the leaves, each value: name, kind, data, gradient, and its origin."""
        rows: list[list[str | Text]] = [["value", "kind", "data", "gradient", "computed from (local derivative)"]]
        for value in self.values[: -most - 1 : -1]:
            slope, partials = self.gradient(value), iter(value.partials)
            operands = [
                (*self.written(x), Run(self._partial(next(partials)))) if isinstance(x, Value) else quantity(x, 6)
                for x in value.operands[: 7 if len(value.operands) <= 7 else 6]
            ]
            operands += [(Run("..."),)] * (len(value.operands) > 7)
            listed = [run for text in operands for run in (Run(", "), *text)][1:]
            gradient: str | Text = "not computed" if slope is None else quantity(slope)
            gradient = "" if "gradients" in self.blank else gradient
            origin = (Run(f"{value.op}: "), *listed) if value.op else ""
            data = "" if self._is_asked(value) else self.data(value)
            rows.append([self.written(value), self.kind(value), data, gradient, origin])
        return rows


def is_of_model(value: Value) -> bool:
    """Whether a leaf is a weight or bias of a model, or has the label that a layer gives to its own."""
    if getattr(value, "role", "") == "parameter":
        return not value.op
    base, _, above = label_parts(value.label) or ("", "", "")
    return not value.op and base in ("w", "b") and above.startswith("(")


def family(value: Value) -> tuple[Hashable, tuple[int, ...]] | None:
    """What a value's label has in common with its neighbours' in a row, and its numbers: x_3 is the third of the x."""
    base, below, above = label_parts(value.label) or ("", "", "")
    numbers = below.split(",")
    if not base or not all(number.isdecimal() for number in numbers):
        return None
    return (base, above), tuple(map(int, numbers))


def _operand_of_parent(value: Value, i: int) -> int:
    """The position among the operands of the parent number i."""
    return [position for position, operand in enumerate(value.operands) if isinstance(operand, Value)][i]


def span(xs: Sequence[float]) -> Text:
    """The range of some numbers."""
    low, high = quantity(min(xs)), quantity(max(xs))
    return low if low == high else (*low, Run(" … "), *high)


def below_a_d(names: Names, value: Value) -> Text:
    """A value's name as it stands below a d: in parentheses if it is a formula that falls apart."""
    symbol = names.symbol(value)
    return runs(symbol) if isinstance(symbol, Name) else runs.at_least(symbol, POWER)
