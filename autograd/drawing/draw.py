"""draw: the computation graph as a picture, with values, gradients, and the local derivative on each edge.

`diagram` says what the boxes and arrows are; Graphviz, or the built-in layout where there is none, finds their places
here; and `svg` draws them, so that every engine gives the same look.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd.core.value import Value
from autograd.drawing import svg
from autograd.drawing.diagram import Diagram
from autograd.drawing.folding import LEVELS
from autograd.drawing.layout import Edge, Placement, arrange
from autograd.drawing.network import Network, layers_of
from autograd.drawing.picture import Picture
from autograd.drawing.svg import Arrow, Box
from autograd.explaining.notation import html_table, table
from autograd.explaining.typography import plain, printable, width

ENGINES = ("dot", "graphviz-pure", "builtin")
DIRECTIONS = ("LR", "RL", "TB", "BT")
PATIENCE = 20.0  # seconds that an outside program may take
SMALL = 60  # values up to which a bare Value shows its graph, and lines that a repr shows
MANY = 1000  # lines of a table
BLANKS = ("values", "gradients", "partials")  # what a worksheet can leave empty
LARGE = 1000  # boxes and arrows beyond which Graphviz is not asked unless it is named


def draw(
    cost: Any,
    engine: str | None = None,
    *,
    direction: str = "LR",
    highlight: Any = None,
    unfold: bool | str | None = None,
    max_nodes: int = 100,
    parameters: Iterable[Value] | None = None,
    legend: bool = True,
    blank: str | Iterable[str] = (),
) -> Drawing:
    """The computation graph of a Value as a picture: names, data and gradients, the local derivative on each edge.

    A model (anything with `.layers` of `.neurons` with `.w` and `.b`) is drawn as a network of neurons instead.

    Args:
        cost: the Value that the graph leads to, or a model.
        engine: "dot", "graphviz-pure" or "builtin"; None for the first that the machine has ("builtin" for layers of
            neurons and very large graphs). An engine that is missing or fails gives way to the next; the drawing's
            `.engine` says which one placed it.
        direction: "LR" (left to right), "RL", "TB" (top to bottom) or "BT".
        highlight: one of `paths(cost, w)`, or a list of values: they stand out, the rest is dimmed.
        unfold: True or "all" draws every value; "neurons" or "layers" one box for each of those, known by their labels
            (`z_j^(l)`); None unfolds as far as `max_nodes` boxes allow.
        max_nodes: the number of boxes above which a graph is folded.
        parameters: the leaves to be drawn as parameters, such as `model.parameters()`; None: those labelled w or b.
        legend: whether a line below says what the shapes and colours mean.
        blank: what is left empty, for a worksheet: "values" (those of the leaves are given), "gradients", "partials"
            (on the edges), or several of them. Nothing in the file gives them away.

    Raises:
        TypeError: for anything but a Value or a model.
        ValueError: for an unknown engine, direction, unfold or blank.

    >>> from autograd import Value, draw
    >>> x = Value(3.0, label="x")
    >>> drawing = draw(x * x, engine="builtin")
    >>> drawing.engine, drawing.svg[:4]
    ('builtin', '<svg')
    """
    unfold = {True: "all", False: None}.get(unfold, unfold) if isinstance(unfold, bool) else unfold
    check_places(engine, direction)
    if unfold is not None and unfold not in LEVELS:
        raise ValueError(f"unfold is None or one of {', '.join(map(repr, LEVELS))}, not {unfold!r}")
    empty = frozenset([blank] if isinstance(blank, str) else blank)
    if not empty <= set(BLANKS):
        raise ValueError(f"blank is one or more of {', '.join(map(repr, BLANKS))}, not {blank!r}")
    if isinstance(max_nodes, bool) or not isinstance(max_nodes, int) or max_nodes < 2:
        raise ValueError(f"max_nodes is a whole number from 2 on, not {max_nodes!r}")
    if not isinstance(cost, Value):
        if layers := layers_of(cost):
            if highlight is not None or unfold is not None or parameters is not None or empty:
                raise ValueError(
                    "highlight, unfold, parameters and blank are for the graph of a Value, not for a model"
                )
            return Drawing(Network(cost, layers), engine, direction, legend)
        given = f"{type(cost).__name__} {cost!r}"[:80]
        raise TypeError(f"draw takes a Value, the end of the graph to be drawn, or a model of neurons; not {given}")
    return Drawing(Diagram(cost, parameters, highlight, unfold, max_nodes, blank=empty), engine, direction, legend)


def check_places(engine: str | None, direction: str) -> None:
    """A ValueError unless there are such an engine and such a direction."""
    if engine is not None and engine not in ENGINES:
        raise ValueError(f"engine is None or one of {', '.join(map(repr, ENGINES))}, not {engine!r}")
    if direction not in DIRECTIONS:
        raise ValueError(f"direction is one of {', '.join(map(repr, DIRECTIONS))}, not {direction!r}")


class Drawing(Picture):
    """A picture of what the graph was when it was drawn: later backward passes do not change it.

    Attributes:
        svg: the picture, one self-contained SVG file.
        dot: the graph in Graphviz's language.
        engine: which program placed the boxes.
        title: what is drawn.
        table: the picture in words, one line a value (at most 1000 of them).
        width, height: the size of the picture.
    """

    _kind = "a drawing"

    def __init__(
        self, diagram: Diagram | Network, engine: str | None = None, direction: str = "LR", legend: bool = True
    ):
        self._boxes, self._arrows, self._direction = diagram.boxes, diagram.arrows, direction
        if isinstance(diagram, Network):
            self.engine, placement = "builtin", diagram.place()
        else:
            self.engine, placement = place(diagram.boxes, diagram.arrows, engine, direction)
        picture = svg.write(diagram.title, diagram.description, diagram.boxes, diagram.arrows, placement, legend)
        super().__init__(picture, diagram.title)
        self._heads, *self._rows = diagram.rows(MANY)

    @property
    def dot(self) -> str:
        """The graph in Graphviz's language."""
        return dot_source(self._boxes, self._arrows, self._direction)

    @property
    def table(self) -> str:
        """What the picture shows, as a table in plain text."""
        return table(self._heads, self._rows, left=len(self._heads))

    def _forms(self, scale: float) -> dict[str, Callable[[], str | bytes]]:
        return super()._forms(scale) | {".dot": lambda: self.dot, ".gv": lambda: self.dot}

    def __repr__(self) -> str:
        lines = self.table.split("\n")
        more = [f"... and {len(lines) - SMALL - 1} more: see .table"] if len(lines) > SMALL + 1 else []
        return "\n".join([self.title, *lines[: SMALL + 1], *more])

    def _repr_html_(self) -> str:
        words = html_table(printable(self.title), self._heads, self._rows, left=len(self._heads))
        return f"{self.image}<details><summary>As a table</summary>{words}</details>"


def value_bundle(value: Value) -> dict[str, str]:
    """What a notebook shows of a bare Value: its graph while that is small, else its one line. Never raises."""
    bundle = {"text/plain": repr(value)}
    try:
        if value.op and _is_small(value):
            drawing = draw(value)
            bundle |= {"image/svg+xml": drawing.svg, "text/html": drawing._repr_html_()}
    except Exception:  # an output cell that shows a traceback instead of a value helps nobody
        pass
    return bundle


def _is_small(value: Value) -> bool:
    """Whether at most SMALL values lead to this one, without walking farther than that."""
    seen, waiting = {value}, [value]
    while waiting and len(seen) <= SMALL:
        parents = set(waiting.pop().parents) - seen
        seen |= parents
        waiting += parents
    return len(seen) <= SMALL


# Engines ------------------------------------------------------------------------------------------------------------


def place(boxes: Sequence[Box], arrows: Sequence[Arrow], engine: str | None, direction: str) -> tuple[str, Placement]:
    """Positions, and the engine that found them: the one asked for if it works here, else the next.

    Where none is asked for, layers of neurons and large graphs go to the built-in layout: it keeps neurons in order and
    its time is nearly linear.
    """
    wanted = ENGINES[ENGINES.index(engine) :] if engine else ENGINES
    if engine is None and (len(boxes) + len(arrows) > LARGE or any(arrow.thin for arrow in arrows)):
        wanted = ENGINES[-1:]
    for candidate in wanted[:-1]:
        program = find(candidate)
        placement = program and _graphviz(program, boxes, arrows, direction)
        if placement:
            return candidate, placement
    edges = [Edge(arrow.tail, arrow.head, arrow.size()) for arrow in arrows]
    return "builtin", arrange([box.size() for box in boxes], edges, direction)


def find(program: str) -> str | None:
    """The path of a program: on PATH, or beside the interpreter, where a notebook kernel may not look."""
    import shutil

    beside = os.path.join(os.path.dirname(sys.executable), program)
    return shutil.which(program) or shutil.which(beside)


SHAPES = {"parameter": "hexagon", "group": "box3d", "unit": "circle", "heading": "plaintext", "gap": "plaintext"}
STYLES = {"operation": "rounded", "cost": "rounded", "neuron": "rounded", "constant": "dashed"}
COLOURS = {1: svg.LIGHT["positive"], -1: svg.LIGHT["negative"]}


def dot_source(boxes: Sequence[Box], arrows: Sequence[Arrow], direction: str) -> str:
    """The graph in Graphviz's language, every box at its size."""
    import graphviz

    source = graphviz.Digraph("graph", node_attr={"fontname": "Times", "fontsize": "12", "fixedsize": "true"})
    source.attr("edge", fontname="Times", fontsize="11")
    source.attr(rankdir=direction, nodesep="0.22", ranksep="0.35")
    for i, box in enumerate(boxes):
        heading = plain(box.heading) + f"   {plain(box.remark)}" * bool(box.remark)
        text = "\n".join(line for line in (heading, *map(plain, box.lines), plain(box.badge)) if line)
        frame = 8 if box.kind == "cost" else 0  # Graphviz adds the second outline outside
        w, h = box.size()
        source.node(
            f"n{i}",
            graphviz.escape(printable(text)).replace("\n", "\\n"),
            shape=SHAPES.get(box.kind, "box"),
            style=STYLES.get(box.kind, "solid"),
            peripheries="2" if box.kind == "cost" else "1",
            width=svg.number((w - frame) / 72),
            height=svg.number((h - frame) / 72),
        )
    dense = any(arrow.thin for arrow in arrows)
    for i, arrow in enumerate(arrows):
        text, key = plain(arrow.label), "xlabel" if dense else "label"  # an xlabel takes no place of its own
        room = " " * round((arrow.size()[0] - width(arrow.label, svg.LABEL)) / 6)  # for other numbers, later
        label = graphviz.escape(printable(f"{room}{text}{room}")) if text else ""
        style = {"style": "dashed"} if arrow.dashed else {}
        colour = COLOURS.get(arrow.sign, svg.LIGHT["edge"])
        source.edge(f"n{arrow.tail}", f"n{arrow.head}", id=f"e{i}", color=colour, **{key: label}, **style)
    return source.source


def _graphviz(program: str, boxes: Sequence[Box], arrows: Sequence[Arrow], direction: str) -> Placement | None:
    """Positions by Graphviz; None when the program is missing, fails, hangs, or says something else."""
    import json
    import subprocess

    command = [program, "-Kdot", "-Tjson0"]
    try:
        source = dot_source(boxes, arrows, direction)
        answer = subprocess.run(command, input=source.encode(), capture_output=True, timeout=PATIENCE)
        found = json.loads(answer.stdout)  # an exit status of 1 may follow mere warnings
        right, top = (float(x) for x in found["bb"].split(",")[2:])
        things, lines = found["objects"], found.get("edges", [])
        if {thing["name"] for thing in things} != {f"n{i}" for i in range(len(boxes))}:
            return None
        if {thing["id"] for thing in lines} != {f"e{i}" for i in range(len(arrows))}:
            return None
        centres, anchors, curves = [(0.0, 0.0)] * len(boxes), [(0.0, 0.0)] * len(arrows), [[(0.0, 0.0)]] * len(arrows)
        for thing in things:
            x, y = (float(v) for v in thing["pos"].split(","))
            centres[int(thing["name"][1:])] = (x, top - y)
        for thing in lines:
            i = int(thing["id"][1:])
            curves[i] = _spline(thing["pos"], top)
            anchors[i] = curves[i][len(curves[i]) // 2]
            if "lp" in thing:
                x, y = (float(v) for v in thing["lp"].split(","))
                anchors[i] = (x, top - y)
        numbers = [x for points in (centres, anchors, *curves) for point in points for x in point]
        if not all(map(math.isfinite, [right, top, *numbers])):
            return None
    except (OSError, subprocess.SubprocessError, ImportError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return Placement(centres, curves, anchors, right, top)


def _spline(text: str, top: float) -> list[tuple[float, float]]:
    """Graphviz's spline as Bezier points, with a straight last segment to the arrow's tip."""
    points, end = [], None
    for part in text.split():
        x, y = (float(v) for v in part.removeprefix("e,").split(","))
        if part.startswith("e,"):
            end = (x, top - y)
        else:
            points.append((x, top - y))
    return points + ([points[-1], end, end] if end else [])
