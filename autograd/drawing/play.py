"""play: the backward pass, step by step, as one self-contained HTML page.

The page holds the drawing, the graph as data, and the operations it uses in JavaScript, translated from the table. At
load it runs both passes itself and says whether it reproduces Python's numbers.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from typing import Any

from autograd.core.graph import backpropagate, topological_order
from autograd.core.value import Value
from autograd.drawing import svg
from autograd.drawing.diagram import Diagram, formula, name_of, symbol_of
from autograd.drawing.draw import Drawing, check_places
from autograd.drawing.files import write_whole
from autograd.drawing.javascript import page, program
from autograd.explaining.formulas import rules
from autograd.explaining.notation import runs
from autograd.explaining.nudge import replay
from autograd.explaining.state import replayed_words
from autograd.explaining.typography import clean, markup, plain

MOST = 1000  # values that a page can show


def play(
    cost: Value,
    *,
    engine: str | None = None,
    direction: str = "LR",
    parameters: Iterable[Value] | None = None,
) -> Page:
    """A page that plays the forward and the backward pass of a cost, and re-runs both when a leaf is nudged.

    `.save("backprop.html")` writes it; a notebook shows it. It needs no network. The graph is computed afresh from
    what its leaves are worth now; neither data nor gradients of the values are changed.

    Args:
        cost: the Value that the graph leads to, with at most 1000 values before it.
        engine, direction, parameters: as for `draw`.

    Raises:
        TypeError: for anything but a Value.
        ValueError: for a graph that is too large to be stepped through, an unknown engine or direction.

    >>> from autograd import Value, play
    >>> x = Value(3.0, label="x")
    >>> play(x * x).html[:15]
    '<!doctype html>'
    """
    if not isinstance(cost, Value):
        raise TypeError(f"play takes a Value, the cost whose backward pass is to be shown, not {type(cost).__name__}")
    check_places(engine, direction)
    order = topological_order(cost)
    if len(order) > MOST:
        raise ValueError(
            f"a page shows at most {MOST} values step by step, and this graph has {len(order)}: play the cost of one "
            "example or of a smaller network, or use draw(cost), which folds large graphs"
        )
    copies = _copies(order)
    known = parameters if parameters is None else [copies[p] for p in parameters if p in copies]
    return Page([copies[value] for value in order], engine, direction, known, replayed_words(cost))


def _copies(order: list[Value]) -> dict[Value, Value]:
    """Every value computed afresh from the leaves; those without a label that need a name get one."""
    taken = {value.label for value in order}
    names = (name for i in range(1, 2 * len(order) + 1) if (name := f"v_{i}") not in taken)
    copies: dict[Value, Any] = {v: Value(v.data, label=v.label or next(names)) for v in order if not v.op}
    for value in order:
        if value.op:
            replay([value], copies)
            copies[value].label = value.label
    return copies


class Page:
    """One HTML page: `.html` is its text, `.save(path)` writes it, `.drawing` is its picture when all is computed."""

    def __init__(
        self,
        values: list[Value],
        engine: str | None = None,
        direction: str = "LR",
        parameters: Iterable[Value] | None = None,
        note: str = "",
    ):
        self.values = values
        *_, cost = values
        gradient = backpropagate(cost)
        for value, slope in gradient.items():
            value.grad = slope
        diagram = Diagram(cost, parameters, steppable=True)
        self.drawing = Drawing(diagram, engine, direction)
        self.title = f"Backpropagation through {plain(name_of(cost))}"
        filled = {
            "title": clean(self.title),
            "heading": f"Backpropagation through {markup(name_of(cost))}",
            "note": f'<p role="note"><b>{clean(note)}</b></p>' if note else "",
            "colours": colours(),
            "font": svg.FONT,
            "picture": self.drawing.svg,
            "graph": script_json(self._graph(gradient)),
            "program": program(value.op for value in values if value.op),
        }
        self.html = page("play.html", filled)

    def _graph(self, gradient: dict[Value, float]) -> dict[str, Any]:
        """The graph as data: operands are numbers of values, or plain numbers in brackets."""
        number = {value: i for i, value in enumerate(self.values)}
        return {
            "values": [
                {
                    "name": markup(name_of(value)),
                    "symbol": markup(symbol_of(value)),
                    "plain": plain(name_of(value)),
                    "labelled": bool(value.label),
                    "formula": markup(formula(value)),
                    "op": value.op,
                    "rules": [markup(runs(rule)) for rule in rules(value)],
                    "operands": [number[x] if isinstance(x, Value) else [x] for x in value.operands],
                    "data": value.data,
                    "gradient": gradient[value],
                }
                for value in self.values
            ]
        }

    def save(self, path: Any) -> str:
        """Write the page to a file ending in .html, and return its path."""
        path = os.fspath(path)
        suffix = os.path.splitext(path)[1].lower()
        if suffix not in (".html", ".htm"):
            raise ValueError(
                f"a page is saved as .html, not as {suffix or 'a file without suffix'!r}; "
                "for a picture save draw(cost) as .svg"
            )
        return write_whole(path, self.html)

    def __repr__(self) -> str:
        return f"<Page {self.title!r}, {len(self.values)} values: .save('backprop.html'), then open it in a browser>"

    def _repr_html_(self) -> str:
        """The page in a frame, and the picture for notebooks that do not run it; where scripts run, it goes away."""
        away = "<script>document.currentScript.parentElement.remove()</script>"
        return (
            f'<iframe srcdoc="{clean(self.html)}" title="{clean(self.title)}" sandbox="allow-scripts" '
            'style="width:100%;height:44rem;border:1px solid #8888;border-radius:6px"></iframe>'
            f"<div>{self.drawing.image}{away}</div>"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


def colours() -> str:
    """The colours of the drawings as CSS variables, light and dark."""
    light, dark = (
        ";".join(f"--{name}:{colour}" for name, colour in colours.items()) for colours in (svg.LIGHT, svg.DARK)
    )
    return f":root{{{light}}}\n@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"


def script_json(thing: Any) -> str:
    """JSON that may stand in a script element: no `<`, and what is not finite as text."""
    import json

    def finite(x: Any) -> Any:
        match x:
            case dict():
                return {key: finite(item) for key, item in x.items()}
            case list():
                return [finite(item) for item in x]
            case float() if not math.isfinite(x):
                return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"
        return x

    return json.dumps(finite(thing), allow_nan=False).replace("<", "\\u003c").replace(">", "\\u003e")
