"""draw: the computation graph as a picture, with values, gradients, and the local derivative on each edge.

The graph becomes boxes and arrows here; Graphviz, or the built-in layout where there is none, finds their places; and
`autograd.svg` draws them, so that every engine gives the same look.
"""

from __future__ import annotations

import base64
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from autograd import svg
from autograd.graph import topological_order
from autograd.layout import Edge, Placement, arrange
from autograd.notation import label_parts
from autograd.primitives import PRIMITIVES
from autograd.svg import Arrow, Box, Run, Text, plain, quantity, significant
from autograd.value import Value

ENGINES = ("dot", "graphviz-pure", "builtin")
DIRECTIONS = ("LR", "RL", "TB", "BT")
PATIENCE = 20.0  # seconds that an outside program may take


def draw(
    cost: Any,
    *,
    engine: str | None = None,
    direction: str = "LR",
    highlight: Any = None,
    parameters: Iterable[Value] | None = None,
    legend: bool = True,
) -> Drawing:
    """The graph of a Value as a picture."""
    if engine is not None and engine not in ENGINES:
        raise ValueError(
            f"engine is one of {', '.join(map(repr, ENGINES))} or None (the first that is there), not {engine!r}"
        )
    if direction not in DIRECTIONS:
        raise ValueError(
            f"direction is one of {', '.join(map(repr, DIRECTIONS))} (left to right, ...), not {direction!r}"
        )
    if not isinstance(cost, Value):
        raise TypeError(f"draw takes a Value, the end of the graph to be drawn, not {cost!r}")
    graph = Graph(cost, parameters=parameters, highlight=highlight)
    return Drawing(graph, engine, direction, legend)


class Drawing:
    """A drawn graph: `.svg` and `.dot` as text, `.engine` (which program placed it), `.save(path)`."""

    def __init__(self, graph: Graph, engine: str | None, direction: str, legend: bool):
        self.graph = graph
        self.direction = direction
        self.engine, placement = place(graph.boxes, graph.arrows, engine, direction)
        self.svg = svg.write(graph.title, graph.description, graph.boxes, graph.arrows, placement, legend)

    @property
    def dot(self) -> str:
        """The graph in Graphviz's language."""
        return dot_source(self.graph.boxes, self.graph.arrows, self.direction)

    def save(self, path: Any) -> str:
        """Write the picture to a file ending in .svg or .dot, and return its path."""
        path = os.fspath(path)
        texts = {".svg": self.svg, ".dot": self.dot, ".gv": self.dot}
        suffix = os.path.splitext(path)[1].lower()
        if suffix not in texts:
            raise ValueError(
                f"a drawing is saved as .svg (or .dot), not as {suffix or 'a file without suffix'!r}: save the SVG, "
                "and convert it with a browser, Inkscape or rsvg-convert if you need pixels or PDF"
            )
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(texts[suffix])
        return path

    @property
    def table(self) -> str:
        """What the picture shows, as a table in plain text."""
        rows = [("value", "kind", "data", "gradient", "from"), *self.graph.rows()]
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows)

    def __repr__(self) -> str:
        return f"{self.graph.title}\n{self.table}"

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        image = base64.b64encode(self.svg.encode()).decode()
        return (
            f'<img src="data:image/svg+xml;base64,{image}" alt="{svg.clean(self.graph.title)}" style="max-width:100%">'
            f"<details><summary>as a table</summary><pre>{svg.clean(self.table)}</pre></details>"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "image/svg+xml": self.svg, "text/html": self._repr_html_()}


def value_bundle(value: Value) -> dict[str, str]:
    """What a notebook shows of a bare Value: its graph while that is small, else its one line. Never raises."""
    bundle = {"text/plain": repr(value)}
    try:
        if len(topological_order(value)) <= SMALL:
            drawing = draw(value, engine="builtin")
            bundle |= {"image/svg+xml": drawing.svg, "text/html": drawing._repr_html_()}
    except Exception:  # a notebook has shown nothing useful when a repr raises
        pass
    return bundle


PARAMETER_NAMES = {"w", "W", "b", "weight", "bias", "theta", "θ"}
SMALL = 60  # nodes up to which a bare Value shows its graph


# The graph as boxes and arrows --------------------------------------------------------------------------------------


class Graph:
    """Boxes and arrows for every Value before a cost, and for the plain numbers among the operands."""

    def __init__(self, cost: Value, parameters: Iterable[Value] | None = None, highlight: Any = None):
        self.cost = cost
        self.order = topological_order(cost)
        self.parameters = None if parameters is None else set(parameters)
        gradients = [abs(v.grad) for v in self.order if math.isfinite(v.grad)]
        self.largest = max(gradients, default=0.0)
        self.computed = bool(self.largest)
        self.boxes: list[Box] = []
        self.arrows: list[Arrow] = []
        self.number = {}
        marked, steps = _route(highlight)
        for value in self.order:
            operands = [self._operand(value, position) for position in range(len(value.operands))]
            self.number[value] = len(self.boxes)
            self.boxes.append(self._box(value))
            partials = iter(value.partials)
            flows = []
            for operand, tail in zip(value.operands, operands):
                partial = next(partials) if isinstance(operand, Value) else None
                if tail is not None:
                    flows.append(self._arrow(tail, value, operand, partial))
            self.arrows += flows
        if marked:
            for value, i in self.number.items():
                self.boxes[i].bold = value in marked
            wanted = list(steps)
            for arrow in self.arrows:
                if (arrow.tail, arrow.head) in (pairs := [(self.number.get(a), self.number.get(b)) for a, b in wanted]):
                    arrow.bold = True
                    del wanted[pairs.index((arrow.tail, arrow.head))]
            for thing in (*self.boxes, *self.arrows):
                thing.dim = not thing.bold
        what = cost.label or plain(formula(cost)) or "a value"
        self.title = f"Computation graph of {what}: {len(self.order)} values"
        self.description = self._describe()

    def _operand(self, value: Value, position: int) -> int | None:
        operand = value.operands[position]
        if isinstance(operand, Value):
            return self.number[operand]
        row = PRIMITIVES.get(value.op)
        if row and position == len(value.operands) - 1 and operand == row.defaults.get(row.operands[-1]):
            return None
        self.boxes.append(Box("constant", quantity(operand), tooltip=f"the number {operand!r}"))
        return len(self.boxes) - 1

    def kind(self, value: Value) -> str:
        """Which shape a value has."""
        if value is self.cost and value.op:
            return "cost"
        if value.op:
            return "operation"
        known = self.parameters
        is_parameter = (label_parts(value.label) or ("",))[0] in PARAMETER_NAMES
        return "parameter" if (is_parameter if known is None else value in known) else "input"

    def gradient(self, value: Value) -> float | None:
        """The gradient; None where no backward pass has reached."""
        return value.grad if value.grad or self.cost.grad else None

    def strength(self, slope: float) -> tuple[int, float]:
        """The sign of a gradient, and its size on a scale of four decades below the largest."""
        if not slope or math.isnan(slope):
            return 0, 0.0
        size = 1.0 if math.isinf(slope) or not self.largest else 1 + math.log10(abs(slope) / self.largest) / 4
        return (1 if slope > 0 else -1), min(1.0, max(0.08, size))

    def _box(self, value: Value) -> Box:
        slope = self.gradient(value)
        sign, strength = self.strength(slope or 0.0)
        grad = (Run("grad "), *quantity(slope)) if slope is not None else (Run("grad not computed"),)
        heading = svg.name(value.label) if value.label else ()
        remark = formula(value) if value.op else ()
        if not heading:
            heading, remark = remark or (Run("value"),), ()
        told = f"{value.label or plain(formula(value)) or 'a leaf'} = {value.data!r}, gradient " + (
            "not computed" if slope is None else repr(slope)
        )
        return Box(self.kind(value), heading, remark, [quantity(value.data)], grad, sign, strength, told)

    def _arrow(self, tail: int, value: Value, operand: Any, partial: float | None) -> Arrow:
        if partial is None:
            return Arrow(tail, self.number[value], dashed=True)
        upstream = self.gradient(value)
        sign, strength = self.strength(upstream * partial if upstream is not None else 0.0)
        symbol = f"∂{name_of(value)}/∂{name_of(operand)}"
        contribution = (
            "" if upstream is None else f"; upstream {upstream!r} × local {partial!r} = {upstream * partial!r}"
        )
        return Arrow(
            tail, self.number[value], quantity(partial), sign, strength, f"{symbol} = {partial!r}{contribution}"
        )

    def _describe(self) -> str:
        state = "with gradients" if self.computed else "gradients not computed yet (call backward() first)"
        listed = "; ".join(box.tooltip for box in self.boxes[-40:] if box.kind != "constant")
        return f"{len(self.order)} values and {len(self.arrows)} edges, {state}. {listed}"

    def rows(self) -> Iterable[tuple[str, str, str, str, str]]:
        """Name, kind, value, gradient and origin of each value, from the cost to the leaves."""
        for value in reversed(self.order):
            slope = self.gradient(value)
            partials = iter(value.partials)
            origin = ", ".join(
                f"{name_of(x)} (× {significant(next(partials))})" if isinstance(x, Value) else significant(x)
                for x in value.operands
            )
            yield (
                name_of(value),
                self.kind(value),
                significant(value.data),
                "not computed" if slope is None else significant(slope),
                f"{value.op}: {origin}" if value.op else "",
            )


def name_of(x: Any) -> str:
    """A value's label, else its formula, else what it is worth."""
    return x.label or plain(formula(x)) or significant(x.data)


def _route(highlight: Any) -> tuple[set, list]:
    """The nodes of a path, and its steps from node to node."""
    if highlight is None:
        return set(), []
    nodes = list(getattr(highlight, "nodes", highlight))
    return set(nodes), list(pairwise(nodes))


# How tightly an operation binds in a formula; calls and labels bind tightest.
BINDING = {"add": 1, "sub": 1, "mul": 2, "div": 2, "neg": 2, "pow": 3}
SYMBOLS = {"add": " + ", "sub": " − ", "mul": " × ", "div": " / "}


def formula(value: Value, room: int = 15) -> Text:
    """How a value was computed, in the names of its operands: `w × a + b`, `tanh(z)`, (a − y) squared.

    An operand without a name appears as its own formula where there is room, else as a dot.
    """
    if not value.op:
        return ()
    row, count = PRIMITIVES.get(value.op), len(value.operands)
    if value.op == "weighted_sum":
        return (Run("Σ "), Run("w", "i"), Run(" "), Run("a", "i"), Run(" + "), Run("b", "i"))
    if row is None or row.variadic or count > 3:
        return (Run({"sum": "Σ", "prod": "Π"}.get(value.op, value.op)), Run(f" of {count}"))

    def operand(position: int, binding: int = 0) -> Text:
        x = value.operands[position]
        if not isinstance(x, Value):
            return _bracketed((Run(significant(x)),), x < 0 < binding and position + binding > 1)
        text = svg.name(x.label) if x.label else formula(x, room - 7) or (Run("·"),)
        if not x.label and (len(plain(text)) > room - 5 or Run("·") in text):
            return (Run("·"),)
        return _bracketed(text, not x.label and BINDING.get(x.op, 4) < binding)

    match value.op:
        case "add" | "sub" | "mul" | "div":
            tight = BINDING[value.op]
            return (*operand(0, tight), Run(SYMBOLS[value.op]), *operand(1, tight + (value.op in ("sub", "div"))))
        case "neg":
            return (Run("−"), *operand(0, 2))
        case "pow":
            return (*operand(0, 4), *(Run(plain([run]), run.style, 1) for run in operand(1)))
    inside = [text for position in range(count) for text in (Run(", "), *operand(position))][1:]
    return (Run(value.op), Run("("), *inside, Run(")"))


def _bracketed(text: Text, needed: bool) -> Text:
    return (Run("("), *text, Run(")")) if needed else text


# Engines ------------------------------------------------------------------------------------------------------------


def place(boxes: Sequence[Box], arrows: Sequence[Arrow], engine: str | None, direction: str) -> tuple[str, Placement]:
    """Positions, and the engine that found them: the one asked for if it works here, else the next."""
    wanted = ENGINES[ENGINES.index(engine) :] if engine else ENGINES
    for candidate in wanted:
        if candidate == "builtin" or (engine is None and len(boxes) + len(arrows) > 1500):
            break
        program = find(candidate)
        placement = program and _graphviz(program, boxes, arrows, direction)
        if placement:
            return candidate, placement
    edges = [Edge(arrow.tail, arrow.head, arrow.size()) for arrow in arrows]
    return "builtin", arrange([box.size() for box in boxes], edges, direction)


def find(program: str) -> str | None:
    """The path of a program: on PATH, or beside the interpreter, where a notebook kernel may not look."""
    beside = os.path.join(os.path.dirname(sys.executable), program)
    return shutil.which(program) or shutil.which(beside)


def dot_source(boxes: Sequence[Box], arrows: Sequence[Arrow], direction: str) -> str:
    """The graph in Graphviz's language, every box at its size."""
    import graphviz

    shapes = {"parameter": "hexagon", "input": "box", "constant": "box", "group": "box3d"}
    source = graphviz.Digraph("graph", node_attr={"fontname": "Times", "fontsize": "12", "fixedsize": "true"})
    source.attr(rankdir=direction, nodesep="0.22", ranksep="0.35")
    for i, box in enumerate(boxes):
        w, h = box.size()
        text = "\n".join(
            plain(line)
            for line in (box.heading + ((Run("  "), *box.remark) if box.remark else ()), *box.lines, box.badge)
            if line
        )
        source.node(
            f"n{i}",
            graphviz.escape(svg.printable(text)).replace("\n", "\\n"),
            shape=shapes.get(box.kind, "box"),
            style="rounded" if box.kind in ("operation", "cost") else "dashed" if box.kind == "constant" else "solid",
            peripheries="2" if box.kind == "cost" else "1",
            width=svg.number(w / 72),
            height=svg.number(h / 72),
        )
    for i, arrow in enumerate(arrows):
        source.edge(
            f"n{arrow.tail}",
            f"n{arrow.head}",
            graphviz.escape(plain(arrow.label)),
            id=f"e{i}",
            fontsize="11",
            fontname="Times",
        )
    return source.source


def _graphviz(program: str, boxes: Sequence[Box], arrows: Sequence[Arrow], direction: str) -> Placement | None:
    """Positions by Graphviz; None when the program is missing, fails, hangs, or says something else."""
    command = [program, "-Kdot", "-Tjson0"]
    try:
        source = dot_source(boxes, arrows, direction)
        answer = subprocess.run(command, input=source.encode(), capture_output=True, timeout=PATIENCE)
        found = json.loads(answer.stdout)  # an exit status of 1 may follow mere warnings
        right, top = (float(x) for x in found["bb"].split(",")[2:])
        centres, anchors, curves = [(0.0, 0.0)] * len(boxes), [(0.0, 0.0)] * len(arrows), [[(0.0, 0.0)]] * len(arrows)
        for thing in found["objects"]:
            x, y = (float(v) for v in thing["pos"].split(","))
            centres[int(thing["name"][1:])] = (x, top - y)
        for thing in found.get("edges", []):
            i = int(thing["id"][1:])
            curves[i] = _spline(thing["pos"], top)
            anchors[i] = curves[i][len(curves[i]) // 2]
            if "lp" in thing:
                x, y = (float(v) for v in thing["lp"].split(","))
                anchors[i] = (x, top - y)
    except (OSError, subprocess.SubprocessError, ImportError, ValueError, LookupError):
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
