"""Names: what the boxes of a drawing are called, a label, else a formula while that is short, else u_1, u_2, ...

A box that holds the same step of several values has a formula that is true for all of them: a number that differs from
one to the next is written as its range, `1 ± z`. The rules are the table's, as `formulas` finds them for one value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from autograd.core.table import TABLE
from autograd.core.value import Value
from autograd.drawing.folding import FoldedGroup
from autograd.explaining.formulas import SUMMANDS, defined, is_apart, literal, numbered
from autograd.explaining.notation import runs
from autograd.explaining.symbols import BareOperation, Blank, Name, Number, Several, Symbol, contains, names_in
from autograd.explaining.typography import Text, label_parts

ROOM = 16  # letters of a formula
SIGNS: dict[str, str] = dict(zip("add sub mul div neg pow sum prod".split(), "+−×/−^ΣΠ"))


@dataclass(eq=False)
class FoldedStep:
    """How values that are drawn as one box are computed: an operand that is a group stands for any of its values."""

    op: str
    operands: list[Any]


class Names:
    """The names of the values of a drawing, whose groups come parents first.

    `given` holds those of values without a label where another drawing named them; then no other names are made.
    """

    def __init__(self, groups: Sequence[FoldedGroup], given: Mapping[Value, str] | None = None):
        self.introduced: dict[Value, str] = dict(given or {})
        self._group = {value: group for group in groups for value in group.members}
        self._free = numbered({value.label for value in self._group})
        self._blanks = count()
        self._formulas: dict[Value | FoldedGroup, Symbol] = {}
        self._alone: dict[Value, Symbol] = {}  # of single values
        for group in groups:
            if group.kind == "alike" and group.value.op:
                self._formulas[group] = self._short(self._step(group), given is None)
            elif group.kind == "value" and group.value.op:
                self._formulas[group.value] = self._short(group.value, given is None)
                self._alone[group.value] = self._told_apart(group.value, given is None)

    def symbol(self, value: Value) -> Symbol:
        """What a value is called where it stands by itself."""
        return Name(self.label(value)) if self.label(value) else self.formula(value)

    def label(self, value: Value) -> str:
        """A value's label, or the name that it has here."""
        return value.label or (self.introduced.get(value, "") if self._group[value].kind == "value" else "")

    def formula(self, value: Value) -> Symbol:
        """How a value was computed, written like no value before it; a leaf as its number."""
        if not value.op:
            return Number(value.data)
        return self._alone[value] if value in self._alone else self._own(value)

    def _told_apart(self, value: Value, introduce: bool) -> Symbol:
        """The formula of a value; where one before it is written like that, its own operation, 1 · z rather than z."""
        formula = self._own(value)
        if value.label or isinstance(formula, BareOperation) or not any(names_in(formula)):
            return formula
        if is_apart(formula, self._before(value)):
            return formula

        def operand(x: Any) -> Symbol:
            title = self._alone.get(x) if isinstance(x, Value) and not self.label(x) else None
            fits = title and letters(runs(title)) <= ROOM
            return title if title and fits else self._operand(x, 0 if title else ROOM, introduce)

        return literal(value, operand)

    def in_common(self, group: FoldedGroup) -> Symbol:
        """How all the values of a group were computed: a formula, or the operation alone where they differ."""
        return self._formulas[group]

    def operand(self, x: Any) -> Symbol:
        """What an operand is called in a formula that has room for it."""
        return self._operand(x, ROOM)

    def _own(self, value: Value) -> Symbol:
        if value not in self._formulas:
            self._formulas[value] = self._short(value)
        return self._formulas[value]

    def _is_brief(self, value: Value) -> bool:
        """Whether the formula of a value may be short, of so few steps is it made."""
        steps, waiting = 0, [value]
        while waiting and steps <= ROOM:
            x = waiting.pop()
            steps += 1
            waiting += [y for y in x.operands if isinstance(y, Value) and not y.label]
        return steps <= ROOM

    def _before(self, value: Value) -> Iterator[Symbol]:
        """What the operands are called, and the operands of those that go by a formula."""
        seen, waiting = set(), [value]
        while waiting:
            for x in waiting.pop().operands:
                if isinstance(x, Value) and x not in seen:
                    seen.add(x)
                    yield self._operand(x, ROOM)
                    waiting += [x] * (not self.label(x) and (x in self._formulas or self._is_brief(x)))

    def _step(self, group: FoldedGroup) -> FoldedStep:
        """What the values of a group have in common."""
        columns = list(zip(*(value.operands for value in group.members)))
        operands = [self._column(xs) for xs in columns]
        first: dict[Any, tuple[Any, ...]] = {}
        for i, (x, xs) in enumerate(zip(operands, columns)):  # x_0 - x_1, x_1 - x_2, ... are no x - x
            key = x.label if isinstance(x, Name) else x
            if isinstance(x, FoldedGroup | Name) and first.setdefault(key, xs) != xs:
                operands[i] = Blank(next(self._blanks))
        return FoldedStep(group.value.op, operands)

    def _column(self, xs: tuple[Any, ...]) -> Any:
        """The operand that values which are alike have in one place: the same one, some numbers, or a group."""
        if all(x is xs[0] for x in xs):
            return xs[0]
        if not any(isinstance(x, Value) and (x.op or x.label) for x in xs):
            numbers = {x.data if isinstance(x, Value) else float(x) for x in xs}
            return Several(tuple(sorted(numbers))) if len(numbers) > 1 else numbers.pop()
        if xs[0].label and len({x.label for x in xs}) == 1:
            return Name(xs[0].label)
        group, *others = {self._group[x] for x in xs}
        return group if group.kind == "alike" and not others else Blank(next(self._blanks))

    def _short(self, step: Value | FoldedStep, introduce: bool = False) -> Symbol:
        """A formula of few letters, in which what is longer has a name; else the operation without its operands."""
        row = TABLE[step.op]
        named = {x: self.operand(x).key for x in step.operands if isinstance(x, Value)}
        if len(set(named.values())) < len(named):  # z of one example and z of another
            return self._bare(step)
        fits = lambda formula: letters(runs(formula)) <= ROOM  # noqa: E731
        if row.lists:
            for most in (SUMMANDS, 2):
                formula = defined(step, self.operand, most)
                if any(names_in(formula)) and not contains(formula, Blank) and fits(formula):
                    return formula
            return self._bare(step)
        for room in (ROOM, 11, 6, 0):
            if fits(formula := defined(step, lambda x, room=room: self._operand(x, room))):
                break
        formula = defined(step, lambda x: self._operand(x, room, introduce))
        if not any(names_in(formula)) and not contains(formula, Blank):  # of numbers alone: not what they come to
            formula = literal(step, self.operand)
        all_blank = all(isinstance(self._operand(x, room), Blank) for x in step.operands)
        return self._bare(step) if (all_blank and step.op in SIGNS) or letters(runs(formula)) > 2 * ROOM else formula

    def _bare(self, step: Value | FoldedStep) -> Symbol:
        """The operation alone."""
        row, sign = TABLE[step.op], SIGNS.get(step.op, step.op)
        if not row.lists:
            return BareOperation(sign)
        n = len(row.grouped(step.operands)[row.lists[0]])
        inputs = f"weighted sum of {n} input{'s' * (n != 1)}"
        return BareOperation(inputs if step.op == "weighted_sum" else f"{sign} of {n}")

    def _operand(self, x: Any, room: float, introduce: bool = False) -> Symbol:
        """The name of an operand, or its formula where that is not longer than the room; else a blank."""
        if isinstance(x, Symbol):
            return x
        if not isinstance(x, Value | FoldedGroup):
            return Number(float(x))
        of_each = isinstance(x, FoldedGroup)  # in the formula of a box, what the values of another box are called
        value, group = (x.value, x) if isinstance(x, FoldedGroup) else (x, self._group[x])
        if value.label:
            return Name((label_parts(value.label) or (value.label,))[0] if of_each else value.label)
        if not value.op:
            return Number(value.data)
        may_be_named = of_each or group.kind == "value"
        if may_be_named and value in self.introduced:
            return Name(self.introduced[value])
        if of_each or value in self._formulas or self._is_brief(value):
            formula = self._formulas[group] if of_each else self._own(value)
            is_whole = not isinstance(formula, BareOperation) and not contains(formula, Blank)
            if is_whole and letters(runs(formula)) <= room:
                return formula
        if introduce and may_be_named:
            self.introduced[value] = next(self._free)
            return Name(self.introduced[value])
        return Blank(next(self._blanks))


def letters(text: Text) -> float:
    """About how many letters wide a text is."""
    return sum(len(run.text) / (2 if run.level else 1) for run in text)
