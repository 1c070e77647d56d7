"""nudge: move one value a little, and watch the change run through the graph to the cost.

The recorded operations are replayed on plain numbers; the code that built the graph is not called again. The ratio of
each change to the nudge tends to a derivative: that is what a derivative is.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograd.assigning import again
from autograd.core.manners import number
from autograd.core.value import Value
from autograd.explaining.chain import chain
from autograd.explaining.formulas import Formulas
from autograd.explaining.notation import html_table, text, text_table
from autograd.explaining.pathsum import ieee_sum, reached, require_values, shortened
from autograd.explaining.state import replayed_words
from autograd.explaining.typography import Run, Text, in_digits
from autograd.explaining.typography import name as set_name

if TYPE_CHECKING:
    from autograd.drawing.picture import Picture


@dataclass(frozen=True)
class Change:
    """One quantity on the way: before and after the nudge, and how its change compares with it.

    Attributes:
        name: what the quantity is called.
        before, after, change: what it was worth, is worth, and the difference.
        ratio: change / nudge.
        derivative: d quantity / d value, which the ratio tends to as the nudge shrinks.
    """

    name: str
    before: float
    after: float
    change: float
    ratio: float
    derivative: float

    def cells(self) -> list[str]:
        """The row as text."""
        short = [in_digits(x) for x in (self.change, self.ratio, self.derivative)]
        return [self.name, in_digits(self.before, 7), in_digits(self.after, 7), *short]


def computed_anew(nodes: Iterable[Value], worth: dict[Value, Any]) -> None:
    """Compute the nodes again, in topological order, from what others are worth; results are added to `worth`.

    As the table's functions do, this works on plain numbers and on Values.
    """
    for node in nodes:
        if node.op:
            operands = [worth[x] if isinstance(x, Value) else x for x in node.operands]
            worth[node] = again(node.op, operands)
        else:
            worth[node] = node.data


class Nudge:
    """A value moved by `by`, and every quantity on the way from it to the cost; prints as a table, shows number lines.

    Attributes:
        by: the nudge.
        rows: one `Change` for each quantity on the way, the nudged value first, the cost last.
        derivative: d cost / d value; ratio: change of the cost / nudge.
        picture: the number lines, one for each quantity; `.picture.save("nudge.png")` writes them.
        svg: the same as SVG.
    """

    if TYPE_CHECKING:  # put in place by autograd.show

        @property
        def picture(self) -> Picture: ...  # noqa: D102

        @property
        def svg(self) -> str: ...  # noqa: D102

    def __init__(self, cost: Value, value: Value, by: float):
        self.cost, self.value, self.by = cost, value, by
        self._replayed = replayed_words(cost)
        self._formulas = Formulas(cost, value)
        self._worth: dict[Value, Any] = {value: value.data}
        computed_anew((node for node in self._formulas.order if node is not value or value.op), self._worth)
        self._before = {node: float(x) for node, x in self._worth.items()}
        self._way = [node for node in reached(cost, value) if node is not value]
        quantities = list(chain(cost, value, self._formulas)) or [value, cost]
        self._slopes = self._derivatives()
        after = self._moved(by)
        self.rows: list[Change] = []
        for node in quantities:
            x, y = self._before[node], after[node]
            name = text(self._formulas.alone(node))
            self.rows.append(Change(name, x, y, y - x, (y - x) / by, self._slopes.get(node, 0.0)))
        self._quantities = quantities

    @property
    def ratio(self) -> float:
        """Change of the cost / nudge."""
        return self.rows[-1].ratio

    @property
    def derivative(self) -> float:
        """d cost / d value."""
        return self.rows[-1].derivative

    def _moved(self, by: float) -> dict[Value, float]:
        """What every node is worth after a nudge."""
        worth = self._before | {self.value: self._before[self.value] + by}
        try:
            computed_anew(self._way, worth)
        except (ArithmeticError, ValueError) as error:
            name = text(self._formulas.alone(self.value))
            raise type(error)(f"{name} cannot be nudged from {self.value.data!r} by {by!r}: then {error}") from None
        return worth

    def _derivatives(self) -> dict[Value, float]:
        """d node / d value for the nodes on the way, at the numbers they are worth now."""
        worth: dict[Value, Any] = self._before | {self.value: Value(self._before[self.value])}
        computed_anew(self._way, worth)
        slopes = {worth[self.value]: 1.0}
        for node in self._way:
            again = worth[node]
            slopes[again] = ieee_sum([dx * slopes[x] for x, dx in zip(again.parents, again.partials)])
        return {node: slopes[worth[node]] for node in (self.value, *self._way)}

    def sweep(self, steps: int = 13) -> "Sweep":
        """The same nudge in sizes 1, 0.1, 0.01, ..., 1e-12: how its ratio approaches the derivative, and leaves it."""
        return Sweep(self, [math.copysign(10.0**-k, self.by) for k in range(steps)])

    def _table(self) -> tuple[list[str], list[list[str]]]:
        heads = ["quantity", "before", "after", "change", "ratio", "derivative"]
        rows = [
            ["..."] + [""] * 5 if row is None else row.cells() for row in shortened(self.rows, MOST_QUANTITIES // 2)
        ]
        return heads, rows

    def _where(self) -> list[str]:
        names = [
            self._formulas.name(node) for node in shortened(self._quantities, MOST_QUANTITIES // 2) if node is not None
        ]
        listed = self._formulas.where(names)
        where = [
            f"where {text(self._formulas.alone(node))} = {text(self._formulas.told_apart(node))}" for node in listed
        ]
        return [*where, *filter(None, [self._replayed])]

    def title(self) -> str:
        """What is moved, and how far."""
        first = self.rows[0]
        before, after = in_digits(first.before), in_digits(first.after, 12)
        return f"{first.name} is nudged by {in_digits(self.by)}, from {before} to {after}"

    def __str__(self) -> str:
        where = ["\n".join(self._where())] if self._where() else []
        return "\n\n".join([self.title(), text_table(*self._table(), left=1), *where])

    def __repr__(self) -> str:
        return str(self)

    def html(self) -> str:
        """The table for a notebook, quantities typeset and numbers ranged right."""
        heads, rows = self._table()
        named = [
            row if shown is None else [shown[0], *row[1:]] for row, shown in zip(rows, self.named_rows(), strict=True)
        ]
        return html_table("\n".join([self.title(), *self._where()]), heads, named, left=1)

    def named_rows(self) -> Sequence[tuple[Text, Change] | None]:
        """What is shown: each quantity's name, set, and its row; None where some are left out."""
        named = [
            (set_name(row.name) if self._formulas.is_named(node) else (Run(row.name),), row)
            for node, row in zip(self._quantities, self.rows)
        ]
        return shortened(named, MOST_QUANTITIES // 2)


MOST_QUANTITIES = 12  # quantities that are shown; .rows has them all


@dataclass(frozen=True)
class Step:
    """One nudge of a sweep: its size, the ratio it gives, and how far that is from the derivative.

    A nudge that leaves an operation's domain has the ratio and the error nan.
    """

    by: float
    ratio: float
    error: float


class Sweep:
    """Nudges of many sizes: large ones err by the curvature, tiny ones by the rounding of floats.

    Attributes:
        rows: a `Step` for each size, from large to small.
        best: the one whose ratio is closest to the derivative.
        picture: the errors as a curve.
    """

    if TYPE_CHECKING:

        @property
        def picture(self) -> Picture: ...  # noqa: D102

    def __init__(self, nudge: Nudge, sizes: list[float]):
        self.derivative = nudge.derivative
        self._symbol = f"d{nudge.rows[-1].name}/d{nudge.rows[0].name}"
        self.rows: list[Step] = []
        for by in sizes:
            try:
                ratio = (nudge._moved(by)[nudge.cost] - nudge.rows[-1].before) / by
            except (ArithmeticError, ValueError):
                ratio = math.nan
            self.rows.append(Step(by, ratio, abs(ratio - self.derivative)))
        self.best = min(self.rows, key=lambda step: step.error if step.error == step.error else math.inf)

    def _table(self) -> tuple[list[str], list[list[str]]]:
        rows = []
        for step in self.rows:
            remark = "<- closest" if step is self.best else ""
            if math.isnan(step.ratio):
                remark = "outside the domain"
            rows.append([in_digits(step.by), in_digits(step.ratio, 12), in_digits(step.error, 3), remark])
        return ["nudge", "ratio", "error", ""], rows

    def title(self) -> str:
        """What the nudges approach."""
        return f"{self._symbol} = {in_digits(self.derivative, 12)}"

    def __str__(self) -> str:
        note = "Large nudges are wrong by the curvature of the cost (truncation), tiny ones by the rounding of floats."
        return f"{self.title()}\n\n{text_table(*self._table(), left=0)}\n\n{note}"

    def __repr__(self) -> str:
        return str(self)

    def html(self) -> str:
        """The table for a notebook, all of its columns ranged right."""
        return html_table(self.title(), *self._table(), left=0)


def nudge(cost: Value, value: Value, by: float = 0.01) -> Nudge:
    """What happens to every quantity on the way to the cost when a value moves: (value + by) - value, and so on.

    The graph is replayed at the present data of its leaves with one of them moved; a value that was computed is moved
    as if it were a leaf. `.sweep()` repeats this with smaller and smaller nudges.

    Raises:
        TypeError: `cost` or `value` is not a Value, or `by` not a number.
        ValueError: `by` is zero or not finite; or the nudged value is outside the domain of an operation (then the
            error is of the type that the operation raises).

    >>> x = Value(3.0, label="x")
    >>> row = nudge(x * x, x, by=0.5).rows[-1]
    >>> row.before, row.after, row.change, row.ratio, row.derivative
    (9.0, 12.25, 3.25, 6.5, 6.0)
    """
    require_values("nudge", cost, value)
    by = number(by, "nudge(..., by)")
    if not by or not math.isfinite(by):
        raise ValueError(f"by is how far the value is moved, a small number that is not 0, such as 0.01: not {by}")
    return Nudge(cost, value, by)
