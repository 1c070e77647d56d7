"""From a row of the table to its twin in JavaScript: a row evaluated on expressions of JavaScript.

Only the few words that every reader must know by themselves (`words.js`) are written by hand.
"""

from __future__ import annotations

import math
import pathlib
import re
from collections.abc import Callable, Iterable
from typing import Any

from autograd.core.table import ATOMS, TABLE, Row, called, evaluate
from autograd.kinds import Source


class Script(Source):
    """A number in JavaScript, as the expression that computes it."""

    @classmethod
    def of(cls, x: Any) -> str:
        """A number, of Python's as well, in JavaScript."""
        if isinstance(x, Script):
            return x.text
        if math.isfinite(x):
            return repr(float(x)).removesuffix(".0")
        return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "(-Infinity)"


def choose(x: Any, sign: str, y: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Script:
    """A conditional expression."""
    sign = {"==": "===", "!=": "!=="}.get(sign, sign)
    return Script(f"({Script.of(x)} {sign} {Script.of(y)} ? {Script.of(yes())} : {Script.of(no())})")


class ScriptWords(dict[str, Any]):
    """What the words of the table mean in JavaScript; `rows` lists those that are rows, and have to be defined."""

    def __init__(self) -> None:
        super().__init__(choose=choose, pi=Script("Math.PI"), nan=Script("NaN"))
        self["divide"] = lambda x, y: Script(f"({Script.of(x)} / {Script.of(y)})")
        self["power"] = lambda x, y: Script(f"words.power({Script.of(x)}, {Script.of(y)})")
        self.rows: dict[str, None] = {}

    def __missing__(self, word: str) -> Callable[..., Script]:
        name = javascript_of(word) if word in ATOMS else f"words.{word}"
        if word not in ATOMS:
            self.rows[word] = None
        return lambda *operands: Script(f"{name}({', '.join(Script.of(x) for x in operands)})")


def javascript_of(word: str) -> str:
    """What an atom is called in JavaScript."""
    if callable(ATOMS[word].floats):
        raise ValueError(
            f"{word.partition('_slope_')[0]} was declared by functions of Python, which a page cannot run: declare it "
            "by text in the table's language, primitive('double', '2 * x', '2'), to show it on a page"
        )
    return called(word, "javascript")


def in_javascript(expression: str, variables: Iterable[str], words: ScriptWords | None = None) -> str:
    """An expression of the table in JavaScript; a variable `x` is `$x`, whatever is reserved there.

    >>> in_javascript("1 - out * out", ["out"])
    '(1 - ($out * $out))'
    """
    names = {x: Script(f"${x}") for x in variables}
    return Script.of(evaluate(expression, ScriptWords() if words is None else words, names))


def value(row: Row, words: ScriptWords | None = None) -> str:
    """The value of a row as an arrow function of its operands, lists as arrays."""
    operands = ", ".join(f"${x} = {row.defaults[x]!r}" if x in row.defaults else f"${x}" for x in row.operands)
    count = f"const $n = ${row.lists[0]}.length; " if row.lists else ""
    return f"({operands}) => {{ {count}return {in_javascript(row.value, (*row.operands, 'n'), words)}; }}"


def partials_script(row: Row, words: ScriptWords | None = None) -> str:
    """The partials of a row as an arrow function of its operands and `$out`: one flat array."""
    operands = ", ".join(f"${x}" for x in (*row.operands, "out"))
    elements = [x[:-1] for x in row.lists]
    variables = (*row.operands, *elements, "out", "n", "rest", "total")
    slopes = [in_javascript(partial, variables, words) for partial in row.partials]
    if not row.lists:
        return f"({operands}) => [{', '.join(slopes)}]"
    first = row.lists[0]
    taken = "".join(f"const ${x} = ${xs}[$i]; " for x, xs in zip(elements, row.lists))
    items = [
        f"...${first}.map((_, $i) => {{ {taken}const $rest = $others[$i]; return {slope}; }})"
        if x in row.lists
        else slope
        for x, slope in zip(row.operands, slopes)
    ]
    total = f", $total = words.total(${first}, $out)" if any("total" in partial for partial in row.partials) else ""
    return (
        f"({operands}) => {{ const $n = ${first}.length, $others = words.products_of_others(${first}){total}; "
        f"return [{', '.join(items)}]; }}"
    )


def data_file(name: str) -> str:
    """The text of a file that is installed beside this module."""
    return (pathlib.Path(__file__).parent / name).read_text(encoding="utf-8")


def page(template: str, filled: dict[str, str]) -> str:
    """A template with `{{name}}` replaced by what is filled in, and `{{web/name.js}}` by the text of that file."""

    def part(place: re.Match[str]) -> str:
        return data_file(place[1]) if "." in place[1] else filled[place[1]]

    return re.sub(r"\{\{([\w/.]+)\}\}", part, data_file(template))


def definitions(names: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The values of rows and their partials as functions, by name; rows that rows call are among the former.

    Raises:
        ValueError: JavaScript has no name for an atom that they are made of.
    """
    words, values = ScriptWords(), dict[str, str]()
    partials = {name: partials_script(TABLE[name], words) for name in names}
    while waiting := [name for name in (*partials, *words.rows) if name not in values]:
        for name in waiting:
            values[name] = javascript_of(name) if TABLE[name].atom else value(TABLE[name], words)
    return values, partials


def program(names: Iterable[str]) -> str:
    """JavaScript that defines `operations[name]` = {lists, value, partials} for each of the rows, and their `words`.

    Rows that the rows call are defined as well.
    """
    values, partials = definitions(names)
    shapes = {name: ", ".join(str(x in TABLE[name].lists).lower() for x in TABLE[name].operands) for name in partials}
    return "\n".join(
        [
            data_file("words.js"),
            *(f"words.{name} = {text};" for name, text in values.items() if text != f"words.{name}"),
            "const operations = Object.create(null);",
            *(
                f"operations.{name} = {{\n  lists: [{shapes[name]}],\n  value: words.{name},\n  partials: {text},\n}};"
                for name, text in partials.items()
            ),
        ]
    )
