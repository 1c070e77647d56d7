"""exercise: a worksheet on one backward pass, its solution, and marks that say which step went wrong.

A wrong answer is diagnosed by being wrong in the ways that people are: for every step the answers that a forgotten
minus, a missing path, `=` in place of `+=` or a wrong factor would give are worked out beforehand, and compared.
"""

from __future__ import annotations

import math
import os
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from autograd.core.graph import backpropagate, topological_order
from autograd.core.manners import number
from autograd.core.value import OPERATIONS, Value
from autograd.drawing import svg
from autograd.drawing.draw import Drawing, draw
from autograd.drawing.files import write_whole
from autograd.drawing.javascript import page
from autograd.drawing.picture import Picture
from autograd.drawing.play import colours, script_json
from autograd.explaining.explain import explain
from autograd.explaining.formulas import Formulas, distinct_labels, numbered
from autograd.explaining.notation import html_table, text, text_table
from autograd.explaining.nudge import computed_anew
from autograd.explaining.pathsum import reached
from autograd.explaining.typography import Run, Text, clean, in_digits, markup, name

MOST_GRADIENTS = 12  # gradients that a sheet asks for
LARGEST_GRAPH = 60  # values of a graph that fits a sheet
ANSWER_TOLERANCE = 0.006  # how far an answer may be off, relative to the right one: three digits are enough


def exercise(cost: Value, seed: int = 0) -> Exercise:
    """A worksheet on the backward pass of a cost: its graph with the local derivatives and the gradients left empty.

    `.sheet` and `.solution` are drawings, `.check({"w": -0.75})` marks answers, `.save("sheet.html")` writes a page
    that marks them as they are typed. The graph is computed afresh from the data of its leaves and is not changed;
    values without a label get one.

    Args:
        cost: the Value that the graph leads to, with at most 60 values before it.
        seed: decides, where a graph has more than twelve values, which gradients are asked for.

    Raises:
        TypeError: for anything but a Value, or a seed that is no int.
        ValueError: for a graph that is too large for a sheet, or has nothing to ask for.

    >>> from autograd import Value, exercise
    >>> w, a, y = Value(0.5, label="w"), Value(2.0, label="a"), Value(1.75, label="y")
    >>> C = (w * a - y) ** 2
    >>> marks = exercise(C).check({"w": -1.5, "a": -0.75})
    >>> marks.right, marks.remarks["w"]
    ({'w': False, 'a': True}, 'The factor du_1/dw = a = 2 is left out.')
    """
    if not isinstance(cost, Value):
        raise TypeError(f"exercise takes a Value, the cost whose backward pass is asked for, not {type(cost).__name__}")
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"seed is an int, not {seed!r}")
    size = len(topological_order(cost))
    if size > LARGEST_GRAPH:
        raise ValueError(f"a sheet has room for {LARGEST_GRAPH} values, and this graph has {size}: take a smaller one")
    if size < 2:
        raise ValueError("there is no gradient to ask for: the cost is not computed from other values")
    return Exercise(copied(cost), seed)


def copied(cost: Value) -> Value:
    """The graph computed afresh from its leaves, every value with a label of its own."""
    order = topological_order(cost)
    labels = distinct_labels(order)
    taken = {*labels.values(), "C"}

    free = numbered(taken)
    copies: dict[Value, Any] = {}
    for value in order:
        if value.op:
            computed_anew([value], copies)
        else:
            copies[value] = Value(value.data)
        given = labels.get(value) or ("C" if value is cost and "C" not in labels.values() else None)
        copies[value].label = given or next(free)
    return copies[cost]


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people give: the number, what kind of mistake leads to it, and a remark that says so."""

    answer: float
    kind: str
    remark: str


class Exercise:
    """A worksheet on one backward pass.

    Attributes:
        cost: the cost, on a graph of its own.
        answers: the gradient asked for, by the name of each value, from the cost back to the leaves.
        sheet, solution: drawings, without and with the local derivatives and the gradients.
        html: a page with the sheet that marks answers as they are typed.
    """

    def __init__(self, cost: Value, seed: int = 0):
        self.cost, self.seed = cost, seed
        self._gradient = backpropagate(cost)
        for value, slope in self._gradient.items():
            value.grad = slope
        asked = [value for value in self._gradient if value is not cost]
        kept = (
            set(random.Random(seed).sample(range(len(asked)), MOST_GRADIENTS))
            if len(asked) > MOST_GRADIENTS
            else range(len(asked))
        )
        self._values = {value.label: value for i, value in reversed([*enumerate(asked)]) if i in kept}
        self.answers: dict[str, float] = {label: self._gradient[value] for label, value in self._values.items()}
        self._mistakes: dict[str, list[Mistake]] = {}

    @property
    def sheet(self) -> Drawing:
        """The graph, with the local derivatives and the gradients to be filled in."""
        return draw(self.cost, blank=("gradients", "partials"), unfold=True)

    @property
    def solution(self) -> Drawing:
        """The graph with everything filled in."""
        return draw(self.cost, unfold=True)

    def check(self, answers: Mapping[str, Any]) -> Marks:
        """Which of the answers are right, and what went wrong with the others.

        Args:
            answers: gradients by the names of the values; not all of them need be there. Three digits are enough.

        Raises:
            TypeError: for an answer that is not a number, or anything but a mapping.
            ValueError: for a name that is not asked for.
        """
        if not isinstance(answers, Mapping):
            raise TypeError(f'check takes gradients by name, as in check({{"w": -0.75}}), not {answers!r}')
        if unknown := [label for label in answers if label not in self.answers]:
            raise ValueError(f"{unknown[0]!r} is not asked for; the names are {', '.join(self.answers)}")
        given = {label: number(x, f"the answer for {label}") for label, x in answers.items()}
        right = {label: close_enough(x, self.answers[label]) for label, x in given.items()}
        remarks = {label: "" if right[label] else self._remark(label, given, right) for label in given}
        return Marks(given, right, remarks, tuple(distinct_labels(topological_order(self.cost)).values()))

    def _remark(self, label: str, given: Mapping[str, float], right: Mapping[str, bool]) -> str:
        """What went wrong with an answer."""
        x, g = given[label], self.answers[label]
        for other, along in self._between(label).items():
            if (
                other in given
                and not right[other]
                and close_enough(x, g + along * (given[other] - self.answers[other]))
            ):
                return followed(other)
        found = next((mistake for mistake in self.mistakes(label) if close_enough(x, mistake.answer)), None)
        return found.remark if found else self.hint(label)

    def _typeset(self, remark: str) -> str:
        """A remark in HTML, its names as the drawing sets them."""
        return markup(typeset(remark, distinct_labels(topological_order(self.cost)).values()))

    def _between(self, label: str) -> dict[str, float]:
        """d other / d value for every other value that is asked for and lies between it and the cost."""
        reach = reached(self.cost, self._values[label])
        return {x: reach[node].slope for x, node in self._values.items() if x != label and node in reach}

    def hint(self, label: str) -> str:
        """The chain rule for one of the gradients, in symbols."""
        return f"It is {explain(self.cost, self._values[label]).chain_rule}."

    def mistakes(self, label: str) -> list[Mistake]:
        """The wrong answers for one of the gradients that are recognised, the likeliest first."""
        if label not in self._mistakes:
            found: list[Mistake] = []
            for mistake in mistakes(self.cost, self._values[label], self._gradient):
                known = [self.answers[label], *(other.answer for other in found)]
                if math.isfinite(mistake.answer) and not any(close_enough(mistake.answer, x) for x in known):
                    found.append(mistake)
            self._mistakes[label] = found
        return self._mistakes[label]

    @property
    def html(self) -> str:
        """The page, one file that needs no other."""
        import base64
        import json

        fields = [
            {
                "name": label,
                "answer": answer,
                "hint": self._typeset(self.hint(label)),
                "mistakes": [[mistake.answer, self._typeset(mistake.remark)] for mistake in self.mistakes(label)],
                "between": {
                    other: [along, self._typeset(followed(other))] for other, along in self._between(label).items()
                },
            }
            for label, answer in self.answers.items()
        ]
        cost = markup(name(self.cost.label))
        rows = "\n".join(
            f'<tr><th scope="row"><label for="x{i}">∂{cost} / ∂{markup(name(label))}</label></th>'
            f'<td><input id="x{i}" inputmode="text" autocomplete="off" spellcheck="false" aria-describedby="m{i}"></td>'
            f'<td id="m{i}" role="status"></td></tr>'
            for i, label in enumerate(self.answers)
        )
        key = base64.b64encode(json.dumps(json.loads(script_json(fields))).encode()).decode()
        filled = {
            "title": clean(f"Exercise: the gradients of {self.cost.label}"),
            "heading": f"The gradients of {cost}",
            "colours": colours(),
            "font": svg.FONT,
            "sheet": self.sheet.svg,
            "solution": self.solution.image,
            "rows": rows,
            "key": key,
            "close": repr(ANSWER_TOLERANCE),
        }
        return page("web/exercise.html", filled)

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write the page to a file ending in .html, or the sheet to one ending in .svg, .png or .pdf."""
        if os.path.splitext(os.fspath(path))[1].lower() in (".html", ".htm"):
            return write_whole(path, self.html)
        return self.sheet.save(path)

    def __repr__(self) -> str:
        asked = ", ".join(self.answers)
        return f"<Exercise on {self.cost.label}: .check({{...}}) for {asked}; .sheet, .solution, .save('sheet.html')>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.sheet.image + folded(self.solution)}


class Marks:
    """The marks for some answers; true when all of them are right. Prints as a table.

    Attributes:
        answers: what was answered, by name.
        right: whether it is right.
        remarks: what went wrong; empty for what is right.
    """

    def __init__(
        self, answers: dict[str, float], right: dict[str, bool], remarks: dict[str, str], names: Iterable[str] = ()
    ):
        self.answers, self.right, self.remarks, self._names = answers, right, remarks, names

    def __bool__(self) -> bool:
        return all(self.right.values())

    def _rows(self) -> list[list[str]]:
        return [
            [f"{label} = {in_digits(x, 12)}", "right" if self.right[label] else "wrong", self.remarks[label]]
            for label, x in self.answers.items()
        ]

    def __str__(self) -> str:
        return text_table(["answer", "mark", "remark"], self._rows(), left=3)

    __repr__ = __str__

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        title = f"{sum(self.right.values())} of {len(self.right)} right"
        rows = [[typeset(answer, self._names), mark, typeset(x, self._names)] for answer, mark, x in self._rows()]
        page = html_table(title, ["answer", "mark", "remark"], rows, left=3)
        return {"text/plain": str(self), "text/html": page}


def close_enough(x: float, y: float) -> bool:
    """Whether an answer is as close to a number as three digits bring it."""
    return math.isclose(x, y, rel_tol=ANSWER_TOLERANCE, abs_tol=1e-12)


def typeset(remark: str, names: Iterable[str]) -> Text:
    """A plain sentence with its names as a drawing sets them, where they cannot be taken for words.

    Those are the names in a derivative, du_1/dw, and those with an index.
    """
    listed = "|".join(re.escape(x) for x in sorted(names, key=len, reverse=True))
    if not listed:
        return (Run(remark),)
    indexed = "|".join(re.escape(x) for x in sorted(names, key=len, reverse=True) if re.search(r"[_^]", x))
    pattern = rf"(?<!\w)(\(?d)({listed})(/d)({listed})(?!\w)" + rf"|(?<![\w^])({indexed})(?!\w)" * bool(indexed)
    runs: list[Run] = []
    end = 0
    for found in re.finditer(pattern, remark):
        runs.append(Run(remark[end : found.start()]))
        if found[2]:
            runs += [Run(found[1]), *name(found[2]), Run(found[3]), *name(found[4])]
        else:
            runs += name(found[0])
        end = found.end()
    return tuple(run for run in (*runs, Run(remark[end:])) if run.text)


def followed(other: str) -> str:
    """The remark for an answer that is wrong only because another one is."""
    return f"This follows from the answer for {other}, which is not right; the step itself is."


# What people do wrong ------------------------------------------------------------------------------------------------


def mistakes(cost: Value, value: Value, gradient: dict[Value, float]) -> Iterator[Mistake]:
    """Wrong answers for one gradient, and how they come about, the likeliest first."""
    right, reach, formulas = gradient[value], reached(cost, value), Formulas(cost, value)
    called = lambda node: text(formulas.name(node))  # noqa: E731
    edges = [(n, i) for n in reach for i, x in enumerate(n.parents) if x in reach and n is not value]
    flow = {(n, i): reach[n.parents[i]].slope * n.partials[i] * gradient[n] for n, i in edges}
    negative = [called_factor(formulas, n, i) for n, i in edges if n.partials[i] < 0]
    which = f" {negative[0]} is negative." if len(negative) == 1 else ""
    yield Mistake(-right, "sign", f"The size is right, the sign is not: a minus is missing, or one too many.{which}")
    for node in reach:  # the value itself comes first
        met = [(n, i) for n, i in reversed(edges) if n.parents[i] is node]  # as the backward pass meets them
        if len(met) < 2:
            continue
        place = "" if node is value else f" at {called(node)}"
        added = f"{called(node)} has {len(met)} contributions, and they are added."
        for n, i in reversed(met):
            kept = right - reach[node].slope * gradient[node] + flow[n, i]
            last = (n, i) == met[-1]
            kind, how = ("= for +=", "= in place of +=") if last else ("missing path", "A path is missing")
            yield Mistake(kept, kind, f"{how}{place}: the contribution over {called(n)} alone is there. {added}")
        for n, i in met:
            yield Mistake(right - flow[n, i], "missing path", f"The path over {called(n)} is missing{place}. {added}")
        for n, i in met:
            how = f"The contribution over {called(n)} has the wrong sign{place}."
            yield Mistake(right - 2 * flow[n, i], "sign", how)
    for n, i in edges:
        factor, x = n.partials[i], n.parents[i]
        what = called_factor(formulas, n, i)
        wrong = [(1.0, f"The factor {what} is left out.")]
        if re.search(r"= .*(?<![\w.^])2(?![\w.]).*=", what):  # in its rule
            wrong += [(factor / 2, f"A 2 is missing in the factor {what}.")]
        if abs(factor) != 1:
            wrong += [(factor * 2, f"There is a 2 too many in the factor {what}.")]
        wrong += [
            (n.data, f"{called(n)} = {in_digits(n.data)} itself stands in place of its slope, the factor {what}."),
            (x.data, f"{called(x)} = {in_digits(x.data)} stands in place of the factor {what}."),
            (1 / factor if factor else math.inf, f"It is divided by the factor {what}, not multiplied."),
            (factor**2, f"The factor {what} is there twice."),
            (0.0, f"The factor {what} is taken for 0."),
        ]
        wrong += [
            (y.data, f"{called(y)} = {in_digits(y.data)} stands in place of the factor {what}.")
            for y in n.parents
            if y is not x
        ]
        for other, remark in wrong:
            yield Mistake(right + reach[x].slope * (other - factor) * gradient[n], "factor", remark)


def called_factor(formulas: Formulas, node: Value, i: int) -> str:
    """A local derivative by its name, its rule and its number: `dC/da = 2 (a - y) = -1.5`."""
    rule, worth = formulas.partial(node, i).written(text), in_digits(node.partials[i])
    symbol = text.derivative(formulas.name(node), formulas.name(node.parents[i]))
    return f"{symbol} = {rule}" if rule == worth else f"{symbol} = {rule} = {worth}"


# Exercises by level --------------------------------------------------------------------------------------------------

EXERCISE_LEVELS = ("chain", "shared", "paths", "neuron", "layers")
EXERCISE_FUNCTIONS: tuple[Callable[[Any], Any], ...] = tuple(
    OPERATIONS[name] for name in ("tanh", "sigmoid", "exp", "sin")
)


def exercises(level: str = "chain", n: int = 5, seed: int = 0) -> Exercises:
    """Worksheets made up for a level: a sequence of `Exercise`, the same ones for the same seed.

    `.sheet` and `.solution` are all of them as one picture each: `.sheet.save("sheet.pdf")` is what is handed out,
    `.solution.save("key.pdf")` the answer key.

    Args:
        level: "chain" (one factor after the other), "shared" (a value used twice), "paths" (sums over paths), "neuron",
            or "layers" (two of them).
        n: how many.
        seed: which ones.

    Raises:
        TypeError: for an `n` or a seed that is no int.
        ValueError: for an unknown level, or an `n` below 1.

    >>> from autograd import exercises
    >>> first, second = exercises("chain", 2, seed=1)
    >>> first.cost.label, "x" in first.answers
    ('C', True)
    """
    if level not in EXERCISE_LEVELS:
        raise ValueError(f"level is one of {', '.join(map(repr, EXERCISE_LEVELS))}, not {level!r}")
    for what, given in (("n", n), ("seed", seed)):
        if isinstance(given, bool) or not isinstance(given, int):
            raise TypeError(f"{what} is an int, not {given!r}")
    if n < 1:
        raise ValueError(f"n is how many exercises, at least 1, not {n}")
    rng = random.Random(f"{level} {seed}")
    return Exercises(level, [made_up(level, rng) for _ in range(n)])


class Exercises(Sequence):
    """Worksheets of one level.

    Attributes:
        level: which one.
        sheet, solution: all of them, numbered, as one picture without and one with the answers.
    """

    def __init__(self, level: str, exercises: list[Exercise]):
        self.level, self._exercises = level, exercises

    @overload
    def __getitem__(self, index: int) -> Exercise: ...
    @overload
    def __getitem__(self, index: slice) -> list[Exercise]: ...
    def __getitem__(self, index: int | slice) -> Exercise | list[Exercise]:
        return self._exercises[index]

    def __len__(self) -> int:
        return len(self._exercises)

    @property
    def sheet(self) -> Picture:
        """What is handed out."""
        return pictures_below([each.sheet for each in self], f"Exercises: {self.level}")

    @property
    def solution(self) -> Picture:
        """The answer key."""
        return pictures_below([each.solution for each in self], f"Answers: {self.level}")

    def __repr__(self) -> str:
        return f"<{len(self)} exercises on {self.level}: .sheet.save('sheet.pdf'), .solution.save('key.pdf')>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.sheet.image + folded(self.solution)}


def folded(solution: Picture) -> str:
    """The answers as HTML, to be unfolded."""
    return f"<details><summary>Answers</summary>{solution.image}</details>"


def pictures_below(pictures: Sequence[Picture], title: str) -> Picture:
    """Pictures below each other, numbered."""
    top, parts = 12.0, []
    for i, picture in enumerate(pictures, 1):
        inner = picture.svg[picture.svg.index("<svg") :].replace("<svg ", f'<svg x="34" y="{svg.coordinate(top)}" ', 1)
        parts += [svg.label((Run(f"{i}", "b"),), 26, top + 34, svg.NAME, "end name"), inner]
        top += picture.height + 12
    return Picture(svg.picture(title, title, parts, max(x.width for x in pictures) + 34, top), title)


def made_up(level: str, rng: random.Random) -> Exercise:
    """An exercise of a level whose numbers are neither 0 nor large, so that every mistake can be told."""
    while True:
        cost = random_expression(level, rng)
        made = Exercise(copied(cost))
        sizes = [abs(value.data) for value in topological_order(made.cost)] + [abs(x) for x in made.answers.values()]
        if min(sizes) > 0.02 and max(sizes) < 40:
            return made


def random_expression(level: str, rng: random.Random) -> Value:
    """A random expression of a level."""

    def leaf(label: str) -> Value:
        return Value(rng.choice([-2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0, 3.0]), label=label)

    def called(label: str, value: Any) -> Value:
        value.label = label
        return value

    f, g = rng.sample(EXERCISE_FUNCTIONS, 2)
    x, w, b, y = leaf("x"), leaf("w"), leaf("b"), leaf("y")
    if level == "chain":  # every value has one consumer
        a = leaf("a")
        u = called("u", rng.choice([lambda: w * x, lambda: x + b, lambda: x**2, lambda: 3 * x])())
        v = called("v", f(u))
        return called("C", rng.choice([lambda: (v - y) ** 2, lambda: v**3, lambda: a * v, lambda: 1 / v])())
    if level == "shared":
        u = called("u", rng.choice([lambda: w * x, lambda: x + w])())
        v = called("v", rng.choice([lambda: u * x, lambda: f(u) + x, lambda: u - w * x**2])())
        return called("C", rng.choice([lambda: u * v, lambda: v**2 + u, lambda: (v - u * y) ** 2])())
    if level == "paths":
        p, q = called("p", f(x)), called("q", rng.choice([lambda: g(x), lambda: x**2, lambda: w * x])())
        r = called("r", rng.choice([lambda: p * q, lambda: p + y * q])())
        return called("C", rng.choice([lambda: r + q, lambda: r * p, lambda: (r - x) ** 2])())
    if level == "neuron":
        a = [leaf("a_0"), leaf("a_1")]
        z = called("z", OPERATIONS["weighted_sum"]([leaf("w_0"), leaf("w_1")], a, b))
        return called("C", (called("a", f(z)) - y) ** 2)
    hidden = [
        called(f"a_{j}^(1)", f(called(f"z_{j}^(1)", leaf(f"w_{j}^(1)") * x + leaf(f"b_{j}^(1)")))) for j in range(2)
    ]
    weights = [leaf("w_0^(2)"), leaf("w_1^(2)")]
    return called("C", (called("z^(2)", OPERATIONS["weighted_sum"](weights, hidden, leaf("b^(2)"))) - y) ** 2)
