"""play: the backward pass, step by step, as one self-contained HTML page.

The page holds the drawing, the graph as data, and the operations it uses in JavaScript, translated from the table. At
load it runs both passes itself and says whether it reproduces Python's numbers.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial
from typing import Any

from autograd.core.graph import backpropagate, topological_order
from autograd.core.value import Value
from autograd.drawing import svg
from autograd.drawing.diagram import Diagram, below_a_d, family
from autograd.drawing.draw import Drawing, check_places, fitting, small_foldings
from autograd.drawing.files import write_whole
from autograd.drawing.folding import FoldedGroup
from autograd.drawing.javascript import page, program
from autograd.drawing.names import Names
from autograd.explaining.formulas import derivative_rules
from autograd.explaining.notation import runs
from autograd.explaining.nudge import computed_anew
from autograd.explaining.state import replayed_words
from autograd.explaining.typography import attribute, clean, label_parts, markup, plain_text

MOST_VALUES = 1000  # values that a page can show, and
MOST_UNFOLDED = 150  # up to which it can unfold them all in one picture


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
    if len(order) > MOST_VALUES:
        raise ValueError(
            f"a page shows at most {MOST_VALUES} values step by step, and this graph has {len(order)}: play the cost "
            "of one example or of a smaller network, or use draw(cost), which folds large graphs"
        )
    copies = _copies(order)
    known = parameters if parameters is None else [copies[p] for p in parameters if p in copies]
    return Page([copies[value] for value in order], engine, direction, known, replayed_words(cost))


def _copies(order: list[Value]) -> dict[Value, Value]:
    """Every value computed afresh from the leaves; those without a label that need a name get one."""
    taken = {value.label for value in order}
    names = (name for i in range(1, 2 * len(order) + 1) if (name := f"u_{i}") not in taken)
    copies: dict[Value, Any] = {v: Value(v.data, label=v.label or next(names)) for v in order if not v.op}
    for value in order:
        if value.op:
            computed_anew([value], copies)
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
        names = Names([FoldedGroup("value", [value]) for value in values])
        steppable = partial(Diagram, cost, parameters, steppable=True, given=names.introduced)
        diagrams, tried = (steppable(groups=groups) for groups in small_foldings(cost)), []
        self.drawing = fitting((tried.append(d) or d for d in diagrams), engine, direction)
        shown = [(tried[-1], self.drawing)]
        if tried[-1].folded and len(values) <= MOST_UNFOLDED:
            whole = steppable()
            shown.append((whole, Drawing(whole, engine, direction)))
        called = runs(names.symbol(cost))
        self.title = f"Backpropagation through {plain_text(called)}"
        filled = {
            "title": clean(self.title),
            "heading": f"Backpropagation through {markup(called)}",
            "note": f'<p role="note"><b>{clean(note)}</b></p>' if note else "",
            "colours": colours(),
            "font": svg.FONT,
            "picture": "".join(drawing.svg for _, drawing in shown),
            "graph": script_json(
                self._graph(gradient, names) | {"boxes": [self._boxes(diagram) for diagram, _ in shown]}
            ),
            "program": program(value.op for value in values if value.op),
        }
        self.html = page("play.html", filled)

    def _boxes(self, diagram: Diagram) -> list[int]:
        """In which box of a picture each value is."""
        return [diagram.number[value] for value in self.values]

    def _graph(self, gradient: dict[Value, float], names: Names) -> dict[str, Any]:
        """The graph as data: operands are numbers of values, or plain numbers in brackets.

        What is the same for several values is written once: a rule that is a value's symbol is that value's number, a
        symbol or a plain name that is the name is left out.
        """
        number = {value: i for i, value in enumerate(self.values)}
        symbols = [markup(below_a_d(names, value)) for value in self.values]
        of_symbol = {symbol: i for i, symbol in enumerate(symbols)}
        described = []
        for value, symbol in zip(self.values, symbols):
            called = runs(names.symbol(value))
            known: dict[str, Any] = {"name": markup(called), "data": value.data, "gradient": gradient[value]}
            known |= {"symbol": symbol} if symbol != known["name"] else {}
            known |= {"plain": plain_text(called)} if plain_text(called) != known["name"] else {}
            if value.op:
                written = [markup(runs(rule)) for rule in derivative_rules(value, names.operand)]
                known["op"], known["formula"] = value.op, markup(runs(names.formula(value)))
                known["labelled"] = bool(names.label(value))
                known["rules"] = [of_symbol.get(rule, rule) for rule in written]
                known["operands"] = [number[x] if isinstance(x, Value) else [x] for x in value.operands]
            described.append(known)
        leaves = sorted((value for value in self.values if not value.op), key=network_order(self.values))
        return {"values": described, "leaves": [number[leaf] for leaf in leaves]}

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
        as_high_as_its_page = (
            "<script>{const own=document.currentScript.parentElement,frame=own.previousElementSibling;"
            "addEventListener('message',({source,data})=>{if(source===frame.contentWindow&&data.height>0)"
            "frame.style.height=`${Math.min(data.height,2000)+2}px`});own.remove()}</script>"
        )
        return (
            f'<iframe srcdoc="{attribute(self.html)}" title="{attribute(self.title)}" sandbox="allow-scripts" '
            'allow="fullscreen *" style="width:100%;height:44rem;box-sizing:border-box;border:1px solid #8888;'
            f'border-radius:6px"></iframe><div>{self.drawing.image}{as_high_as_its_page}</div>'
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


def network_order(values: Sequence[Value]) -> Callable[[Value], tuple]:
    """A key that sorts leaves as a network has them: inputs, then layer by layer weights row by row and biases.

    Other leaves stay in topological order, those of one name by their numbers.
    """
    layer: dict[Value, int] = {}
    first: dict[Hashable, int] = {}
    for i, value in enumerate(values):
        found = layer_of(value)
        for x in value.parents:
            if not x.op and found is not None:
                layer.setdefault(x, found)
        if kin := family(value):
            first.setdefault(kin[0], i)
    number = {value: i for i, value in enumerate(values)}

    def key(leaf: Value) -> tuple:
        own, kin = layer_of(leaf), family(leaf)
        place = (first[kin[0]], kin[1]) if kin else (number[leaf], ())
        if own is not None:
            return own, 1 + (leaf.label[0] == "b"), *place
        return layer.get(leaf, len(values)), 0, *place

    return key


def layer_of(value: Value) -> int | None:
    """The number of the layer that a label such as `w_jk^(2)` names."""
    _, _, above = label_parts(value.label) or ("", "", "")
    inside = above.strip("()")
    return int(inside) if above.startswith("(") and inside.isdecimal() else None


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

    return (
        json.dumps(finite(thing), allow_nan=False, separators=(",", ":"))
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
    )
