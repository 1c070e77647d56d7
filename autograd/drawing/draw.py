"""draw: the computation graph as a picture, with values, gradients, and the local derivative on each edge.

`diagram` says what the boxes and arrows are; Graphviz, or the built-in layout where there is none, finds their places
here; and `svg` draws them, so that every engine gives the same look.
"""

from __future__ import annotations

import functools
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from autograd.assigning import is_iterable
from autograd.core.value import Value
from autograd.drawing import svg
from autograd.drawing.diagram import Diagram
from autograd.drawing.folding import FOLDING_LEVELS, FoldedGroup, foldings
from autograd.drawing.layout import Edge, Placement, arrange, clear, families_in_order, place_labels, sample
from autograd.drawing.network import Network, neurons_by_layer
from autograd.drawing.picture import Picture
from autograd.drawing.rows import Families, in_rows
from autograd.drawing.svg import Arrow, Box
from autograd.explaining.notation import html_table, text_table
from autograd.explaining.typography import plain_text, printable, width

ENGINES = ("dot", "graphviz-pure", "builtin")
DIRECTIONS = ("LR", "RL", "TB", "BT")
PATIENCE = 20.0  # seconds that an outside program may take
SMALL_GRAPH = 60  # values up to which a bare Value shows its graph, and lines that a repr shows
LONGEST_TABLE = 1000  # lines of a table
BLANKS = ("values", "gradients", "partials")  # what a worksheet can leave empty
NOTEBOOK_WIDTH, SCREEN_HEIGHT = (
    1100,
    900,
)  # what a drawing without options fits: a notebook's column, and its height on a screen
SLACK = 1.3  # times a drawing that was asked for in full may be wider than a column before it stands in rows
FEW_VALUES = 40  # values whose picture may be as high as it is wide rather than be folded
MOST_BOXES = 120  # boxes beyond which that is not tried
GRAPHVIZ_LIMIT = 1000  # boxes and arrows beyond which Graphviz is not asked unless it is named


def draw(
    cost: Any,
    engine: str | None = None,
    *,
    direction: str = "LR",
    highlight: Any = None,
    unfold: bool | str | None = None,
    max_nodes: int | None = None,
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
            (`z_j^(l)`); None unfolds as far as the picture fits a notebook's column and a page (1100 by 900 pixels, or
            by 1100 for few values).
        max_nodes: the number of boxes above which a graph is folded, instead of by its size.
        parameters: the leaves to be drawn as parameters, such as `model.parameters()`; None: those of a model, and
            those with the labels of a layer, `w_jk^(l)` and `b_j^(l)`.
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
    if unfold is not None and not (isinstance(unfold, str) and unfold in FOLDING_LEVELS):
        raise ValueError(f"unfold is None or one of {', '.join(map(repr, FOLDING_LEVELS))}, not {unfold!r}")
    blanks: Any = [blank] if isinstance(blank, str) else blank
    empty = frozenset(map(str, blanks if is_iterable(blanks) else [blanks]))
    if not empty <= set(BLANKS):
        raise ValueError(f"blank is one or more of {', '.join(map(repr, BLANKS))}, not {blank!r}")
    if max_nodes is not None and (isinstance(max_nodes, bool) or not isinstance(max_nodes, int) or max_nodes < 2):
        raise ValueError(f"max_nodes is a whole number from 2 on, not {max_nodes!r}")
    if not isinstance(cost, Value):
        if layers := neurons_by_layer(cost):
            if highlight is not None or unfold is not None or parameters is not None or empty:
                raise ValueError(
                    "highlight, unfold, parameters and blank are for the graph of a Value, not for a model"
                )
            return Drawing(Network(cost, layers), engine, direction, legend)
        given = f"{type(cost).__name__} {cost!r}"[:80]
        raise TypeError(f"draw takes a Value, the end of the graph to be drawn, or a model of neurons; not {given}")
    parameters = None if parameters is None else list(parameters)
    diagram = functools.partial(Diagram, cost, parameters, highlight, blank=empty)
    if unfold is not None or max_nodes is not None:
        return Drawing(diagram(unfold, max_nodes or 100), engine, direction, legend, slack=SLACK)
    diagrams = (diagram(groups=groups) for groups in small_foldings(cost))
    return fitting(diagrams, engine, direction, legend)


def small_foldings(cost: Value) -> Iterator[list[FoldedGroup]]:
    """The graph in fewer and fewer boxes, from as many on as might fit."""
    return (groups for groups in foldings(cost) if len(groups) <= MOST_BOXES)


def fitting(diagrams: Iterable[Diagram], engine: str | None, direction: str, legend: bool = True) -> Drawing:
    """The first that fits a notebook's column, and a page: one of few values or read downwards may be longer.

    The built-in layout decides which; another engine draws it if it fits then, too.
    """
    drawing = None
    for diagram in diagrams:
        few = len(diagram.values) <= FEW_VALUES and len(diagram.boxes) > FEW_VALUES / 2
        high = (NOTEBOOK_WIDTH if few else SCREEN_HEIGHT) if direction in ("LR", "RL") else NOTEBOOK_WIDTH * 2**0.5
        drawing = Drawing(diagram, ENGINES[-1], direction, legend)
        if drawing.width <= NOTEBOOK_WIDTH and drawing.height <= high:
            asked = drawing if engine == ENGINES[-1] else Drawing(diagram, engine, direction, legend)
            return asked if asked.width <= NOTEBOOK_WIDTH and asked.height <= high else drawing
    assert drawing, "a graph has at least one folding"
    return drawing


def check_places(engine: str | None, direction: str) -> None:
    """A ValueError unless there are such an engine and such a direction."""
    if engine is not None and not (isinstance(engine, str) and engine in ENGINES):
        raise ValueError(f"engine is None or one of {', '.join(map(repr, ENGINES))}, not {engine!r}")
    if not isinstance(direction, str) or direction not in DIRECTIONS:
        raise ValueError(f"direction is one of {', '.join(map(repr, DIRECTIONS))}, not {direction!r}")


class Drawing(Picture):
    """A picture of what the graph was when it was drawn: later backward passes do not change it.

    Attributes:
        svg: the picture, one self-contained SVG file.
        dot: the graph in Graphviz's language.
        engine: which program placed the boxes.
        title: what is drawn.
        table: the picture in words, one line a value (at most 1000 of them).
        notes: what must be said of the numbers: that leaves were assigned since, that gradients are others.
        width, height: the size of the picture.
    """

    _kind = "a drawing"

    def __init__(
        self,
        diagram: Diagram | Network,
        engine: str | None = None,
        direction: str = "LR",
        legend: bool = True,
        slack: float = 1.0,
    ):
        self._boxes, self._arrows, self._direction = diagram.boxes, diagram.arrows, direction
        if isinstance(diagram, Network):
            self.engine, placement = "builtin", diagram.place()
        else:
            room = NOTEBOOK_WIDTH - 2 * svg.MARGIN
            what = diagram.boxes, diagram.arrows
            self.engine, placement = place(*what, engine, direction, diagram.families, room, slack)
        self._placement = placement
        self.notes: list[str] = getattr(diagram, "notes", [])
        drawn = diagram.title, diagram.description, diagram.boxes, diagram.arrows
        picture = svg.write(*drawn, placement, legend, self.notes)
        super().__init__(picture, diagram.title)
        heads, *self._rows = diagram.rows(LONGEST_TABLE)
        self._heads = [str(head) for head in heads]

    @property
    def dot(self) -> str:
        """The graph in Graphviz's language."""
        return dot_source(self._boxes, self._arrows, self._direction)

    @property
    def table(self) -> str:
        """What the picture shows, as a table in plain text."""
        rows = [[cell if isinstance(cell, str) else plain_text(cell) for cell in row] for row in self._rows]
        return "\n".join([text_table(self._heads, rows, left=len(self._heads)), *self.notes])

    def _forms(self, scale: float) -> dict[str, Callable[[], str | bytes]]:
        return super()._forms(scale) | {".dot": lambda: self.dot, ".gv": lambda: self.dot}

    def __repr__(self) -> str:
        lines = self.table.split("\n")
        more = [f"... and {len(lines) - SMALL_GRAPH - 1} more: see .table"] if len(lines) > SMALL_GRAPH + 1 else []
        return "\n".join([self.title, *self.notes, *lines[: SMALL_GRAPH + 1], *more])

    def _repr_html_(self) -> str:
        caption = "\n".join(map(printable, [self.title, *self.notes]))
        words = html_table(caption, self._heads, self._rows, left=len(self._heads))
        return f"{self.image}<details><summary>As a table</summary>{words}</details>"


def value_picture(value: Value) -> Drawing | None:
    """What a notebook shows of a bare Value: its graph while that is small, else nothing but its one line."""
    return draw(value) if value.op and _is_small(value) else None


def _is_small(value: Value) -> bool:
    """Whether at most SMALL values lead to this one, without walking farther than that."""
    seen, waiting = {value}, [value]
    while waiting and len(seen) <= SMALL_GRAPH:
        parents = set(waiting.pop().parents) - seen
        seen |= parents
        waiting += parents
    return len(seen) <= SMALL_GRAPH


# Engines ------------------------------------------------------------------------------------------------------------


def place(
    boxes: Sequence[Box],
    arrows: Sequence[Arrow],
    engine: str | None,
    direction: str,
    families: Families = (),
    width: float = math.inf,
    slack: float = 1.0,
) -> tuple[str, Placement]:
    """Positions, and the engine that found them: the one asked for if it works here, else the next.

    What is more than `slack` times wider than `width` stands in rows of that width. Where no engine is asked for,
    layers of neurons and large graphs go to the built-in layout: it keeps neurons in order and its time is nearly
    linear. A layout in which an edge runs through a box or a label stands on another edge gives way to the built-in
    one.
    """
    wanted = ENGINES[ENGINES.index(engine) :] if engine else ENGINES
    if engine is None and (len(boxes) + len(arrows) > GRAPHVIZ_LIMIT or any(arrow.thin for arrow in arrows)):
        wanted = ENGINES[-1:]
    sizes, edges = [box.size() for box in boxes], [Edge(arrow.tail, arrow.head, arrow.size()) for arrow in arrows]
    for candidate in wanted[:-1]:
        program = find(candidate)
        if not program:
            continue
        try:
            layout = functools.partial(_graphviz, program)
            placement = _wrapped(sizes, edges, direction, families, width, slack, layout)
        except NotPlacedError:
            continue
        if placement := _with_labels(placement, sizes, edges, families, direction):
            return candidate, placement
        break
    placement = arrange(sizes, edges, direction, families, bend=38.0)
    if placement.width > slack * width:
        placement = _wrapped(sizes, edges, direction, families, width, slack, arrange)
    return "builtin", _with_labels(placement, sizes, edges, families, direction) or placement


def _wrapped(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[Edge],
    direction: str,
    families: Families,
    width: float,
    slack: float,
    layout: Callable[..., Placement],
) -> Placement:
    """A layout, in rows where one is too wide and rows read well."""
    placed = layout(sizes, edges, direction, families)
    if placed.width <= slack * width or direction != "LR" or len(sizes) > GRAPHVIZ_LIMIT:
        return placed
    return in_rows(sizes, edges, families, width, lambda s, e, f, pins: layout(s, e, direction, f, pins)) or placed


def _with_labels(
    placement: Placement,
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[Edge],
    families: Families,
    direction: str,
) -> Placement | None:
    """A placement with the final places of its labels; None when something covers something else or is out of order."""
    labels, boxes = [edge.label for edge in edges], list(zip(placement.centres, sizes))
    placement.anchors, free = place_labels(placement.curves, labels, placement.anchors, boxes)
    return (
        placement
        if free and clear(placement, sizes, edges) and families_in_order(placement, families, direction)
        else None
    )


def find(program: str) -> str | None:
    """The path of a program: on PATH, or beside the interpreter, where a notebook kernel may not look."""
    import shutil

    beside = os.path.join(os.path.dirname(sys.executable), program)
    return shutil.which(program) or shutil.which(beside)


SHAPES = {"parameter": "hexagon", "group": "box3d", "unit": "circle", "heading": "plaintext", "gap": "plaintext"}
BOX_STYLES = {"operation": "rounded", "cost": "rounded", "neuron": "rounded", "constant": "dashed"}
SIGN_COLOURS = {1: svg.LIGHT["positive"], -1: svg.LIGHT["negative"]}


def dot_source(boxes: Sequence[Box], arrows: Sequence[Arrow], direction: str) -> str:
    """The graph in Graphviz's language, every box at its size."""
    import graphviz

    source = graphviz.Digraph("graph", node_attr={"fontname": "Times", "fontsize": "12", "fixedsize": "true"})
    source.attr("edge", fontname="Times", fontsize="11")
    source.attr(rankdir=direction, nodesep="0.22", ranksep="0.35")
    for i, box in enumerate(boxes):
        heading = plain_text(box.heading) + f"   {plain_text(box.remark)}" * bool(box.remark)
        text = "\n".join(line for line in (heading, *map(plain_text, box.lines), plain_text(box.badge)) if line)
        frame = 8 if box.kind == "cost" else 0  # Graphviz adds the second outline outside
        w, h = box.size()
        source.node(
            f"n{i}",
            graphviz.escape(printable(text)).replace("\n", "\\n"),
            shape=SHAPES.get(box.kind, "box"),
            style=BOX_STYLES.get(box.kind, "solid"),
            peripheries="2" if box.kind == "cost" else "1",
            width=svg.coordinate((w - frame) / 72),
            height=svg.coordinate((h - frame) / 72),
        )
    dense = any(arrow.thin for arrow in arrows)
    for i, arrow in enumerate(arrows):
        text, key = plain_text(arrow.label), "xlabel" if dense else "label"  # an xlabel takes no place of its own
        room = " " * round((arrow.size()[0] - width(arrow.label, svg.LABEL)) / 6)  # for other numbers, later
        label = graphviz.escape(printable(f"{room}{text}{room}")) if text else ""
        style = {"style": "dashed"} if arrow.dashed else {}
        colour = SIGN_COLOURS.get(arrow.sign, svg.LIGHT["edge"])
        source.edge(f"n{arrow.tail}", f"n{arrow.head}", id=f"e{i}", color=colour, **{key: label}, **style)
    return source.source


class NotPlacedError(Exception):
    """A program is missing, fails, hangs, or says something else."""


def _layout_source(
    sizes: Sequence[tuple[float, float]], edges: Sequence[Edge], direction: str, pinned: Sequence[int]
) -> str:
    """Boxes and labels of given sizes in Graphviz's language: nothing in it comes from a label."""
    apart = 0.5 if direction in ("TB", "BT") and any(any(edge.label) for edge in edges) else 0.35
    lines = [f'digraph {{ rankdir={direction} nodesep=0.22 ranksep={apart} node [shape=box fixedsize=true label=""]']
    for i, (w, h) in enumerate(sizes):
        lines.append(f"n{i} [width={svg.coordinate(w / 72)} height={svg.coordinate(h / 72)}]")
    for i, edge in enumerate(edges):
        w, h = (math.ceil(x) for x in edge.label)
        room = f'<table border="0" fixedsize="true" width="{w}" height="{h}"><tr><td></td></tr></table>'
        lines.append(f"n{edge.tail} -> n{edge.head} [id=e{i}" + f" label=<{room}>" * bool(w) + "]")
    for pin, rank in ((-1, "source"), (1, "sink")):
        if members := " ".join(f"n{i}" for i, p in enumerate(pinned) if p == pin):
            lines.append(f"{{ rank={rank} {members} }}")
    return "\n".join([*lines, "}"])


def _graphviz(
    program: str,
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[Edge],
    direction: str,
    families: Families,
    pinned: Sequence[int] = (),
) -> Placement:
    """Positions by Graphviz."""
    import json
    import subprocess

    command, source = [program, "-Kdot", "-Tjson0"], _layout_source(sizes, edges, direction, pinned)
    try:
        answer = subprocess.run(command, input=source.encode(), capture_output=True, timeout=PATIENCE)
        found = json.loads(answer.stdout)  # an exit status of 1 may follow mere warnings
        right, top = (float(x) for x in found["bb"].split(",")[2:])
        things = {thing["name"]: thing for thing in found["objects"]}
        lines = {thing["id"]: thing for thing in found.get("edges", [])}
        point = lambda text: (float(text.split(",")[0]), top - float(text.split(",")[1]))  # noqa: E731
        centres = [point(things[f"n{i}"]["pos"]) for i in range(len(sizes))]
        curves = [_spline(lines[f"e{i}"]["pos"], top) for i in range(len(edges))]
        anchors = [
            point(lines[f"e{i}"]["lp"]) if "lp" in lines[f"e{i}"] else curve[len(curve) // 2]
            for i, curve in enumerate(curves)
        ]
        anchors = [min(sample(curve), key=functools.partial(math.dist, a)) for a, curve in zip(anchors, curves)]
        numbers = [x for points in (centres, anchors, *curves) for p in points for x in p]
        if not all(map(math.isfinite, [right, top, *numbers])):
            raise ValueError("a place that is none")
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise NotPlacedError from error
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
