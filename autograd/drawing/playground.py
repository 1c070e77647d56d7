"""playground: one page on which an expression is typed and differentiated, and a network is trained and explained.

The page knows every row of the table, as functions of numbers and of symbols; what it computes is JavaScript all the
way, from the files in `web`. Python checks the expression that it opens with, and gives the numbers to compare with.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from autograd.calculus.slopes import words_calling
from autograd.compatibility import infix
from autograd.core.graph import backpropagate
from autograd.core.table import Row, evaluate
from autograd.drawing import svg
from autograd.drawing.files import write_whole
from autograd.drawing.javascript import Script, choose, definitions, page, program
from autograd.drawing.play import colours, script_json
from autograd.drawing.statements import OF_SEVERAL, OTHER_NAMES, STARTS, expression, operations
from autograd.explaining.formulas import is_arithmetic
from autograd.explaining.typography import GREEK, attribute

EXAMPLE = "z = w*a + b\nC = (tanh(z) - y)^2\nw = 0.8; a = 1.5; b = -0.5; y = 1"


def playground(text: str = "") -> Playground:
    """A page to type expressions into, and to train a network on points and see each of its gradients worked out.

    `.save("playground.html")` writes it; a notebook shows it. It needs no network and no other file.

    Args:
        text: the expression to open with, as `C = (tanh(w*a + b) - y)**2`. Statements stand on lines or after `;`, the
            last one is the cost; `^` and `**` are powers; a name that is not assigned is a leaf, and `w = 0.8` gives
            one its number; one without a number gets one, and the page says so. Without a text the page opens with a
            network.

    Raises:
        TypeError: for anything but text.
        ValueError: for an expression with a fault, saying where it is.

    >>> playground("C = (tanh(w*a + b) - y)**2")
    <Playground 'C = (tanh(w*a + b) - y)**2': .save('playground.html'), then open it in a browser>
    """
    return Playground(text)


class Playground:
    """The page: `.html` is its text, `.save(path)` writes it."""

    def __init__(self, text: str = ""):
        found = expression(text if text != "" else EXAMPLE)
        gradient, table = backpropagate(found.cost), {n: row for n, row in operations().items() if _is_known(row)}
        for value in gradient:
            if value.op and value.op not in table:
                raise ValueError(f"{value.op} is made of functions of floats, which a page in a browser cannot compute")
        self.text = text
        opening = {
            "text": found.text,
            "mode": "expression" if text else "network",
            "leaves": {name: [leaf.data, gradient[leaf]] for name, leaf in found.leaves.items()},
            "cost": found.cost.data,
            "starts": STARTS,
            "greek": GREEK,
            "otherNames": OTHER_NAMES,
            "ofSeveral": OF_SEVERAL,
        }
        filled = {
            "colours": colours(),
            "font": svg.FONT,
            "program": program(table),
            "rows": script_json({name: _facts(row) for name, row in table.items()}),
            "symbols": "\n".join(f"symbolic.{name} = {_symbolic(row)};" for name, row in table.items()),
            "opening": script_json(opening),
        }
        self.html = page("web/playground.html", filled)

    def save(self, path: Any) -> str:
        """Write the page to a file ending in .html, and return its path."""
        path = os.fspath(path)
        if os.path.splitext(path)[1].lower() not in (".html", ".htm"):
            raise ValueError(f"a playground is saved as .html, not as {path!r}")
        return write_whole(path, self.html)

    def __repr__(self) -> str:
        return f"<Playground {self.text!r}: .save('playground.html'), then open it in a browser>"

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{attribute(self.html)}" title="playground" sandbox="allow-scripts" '
            'style="width:100%;height:52rem;box-sizing:border-box;border:1px solid #8888;border-radius:6px"></iframe>'
        )


def _is_known(row: Row) -> bool:
    """Whether JavaScript has all the words that a row is made of: it has none for functions of floats."""
    try:
        return bool(definitions([row.name]))
    except ValueError:
        return False


def _facts(row: Row) -> dict[str, Any]:
    """What a parser has to know about a row."""
    return {"operands": row.operands, "lists": row.lists, "defaults": row.defaults, "infix": infix(row)}


# A row on symbols: the same expressions, with the words of `symbols.js` in place of the operators ---------------------


class Symbolic(Script):
    """A symbol in JavaScript, as the expression that makes it."""

    def combine(self, name: str, *operands: Any) -> Symbolic:
        """A word of `symbols.js`."""
        return _made(name, *operands)


def _made(name: str, *operands: Any) -> Symbolic:
    return Symbolic(f"S.{name}({', '.join(map(Script.of, operands))})")


def _called(word: str, *operands: Any) -> Symbolic:
    return Symbolic(f'S.call("{word}", [{", ".join(map(Script.of, operands))}])')


def _choice(x: Any, sign: str, y: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Symbolic:
    """A choice is made by the numbers of the symbols."""
    return Symbolic(choose(_made("of", x), sign, _made("of", y), yes, no).text)


_WORDS = words_calling(
    _called,
    divide=partial(_made, "div"),
    power=partial(_made, "power"),
    choose=_choice,
    pi=Symbolic('S.name("π", Math.PI)'),
    nan=Symbolic("NaN"),
)


def _written(expression: str, row: Row) -> str:
    """An expression of the table in JavaScript whose operands are symbols."""
    names = (*row.operands, *[x[:-1] for x in row.lists], "out", "n", "rest", "total")
    return Script.of(evaluate(expression, _WORDS, {x: Symbolic(f"${x}") for x in names}))


def _symbolic(row: Row) -> str:
    """`{value, partials}` of a row as functions of symbols; the value is its formula or its name with the operands."""
    operands = ", ".join(f"${x}" for x in row.operands)
    count = f"const $n = ${row.lists[0]}.length, $total = 1; " if row.lists else ""  # total is 1 but for rounding
    shown = _written(row.value, row) if is_arithmetic(row.name) else f'S.call("{row.name}", [{operands}])'
    partials = []
    for operand, slope in zip(row.operands, row.partials):
        written = _written(slope, row)
        if operand in row.lists:
            elements = "".join(f"const ${x[:-1]} = ${x}[$i]; " for x in row.lists)
            rest = f"const $rest = S.others(${row.lists[0]}, $i); " if "$rest" in written else ""
            written = f"...${operand}.map((_, $i) => {{ {elements}{rest}return {written}; }})"
        partials.append(written)
    return (
        f"{{ value: ({operands}) => {{ {count}return {shown}; }}, "
        f"partials: ({operands}, $out) => {{ {count}return [{', '.join(partials)}]; }} }}"
    )
