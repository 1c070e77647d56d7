"""The look of every drawing: boxes and arrows, written as one self-contained SVG.

The picture carries its own background, colours for light and dark, a title and a description. Its ids begin with a hash
of its content, so that two runs give the same bytes and two pictures on one page do not disturb each other.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from autograd.drawing.layout import Placement, Point
from autograd.explaining.typography import Run, Text, clean, script_size, width

# The scene --------------------------------------------------------------------------------------------------------


@dataclass
class Box:
    """One box: its kind (the shape), a heading with a remark at its right, lines below, and the gradient's badge.

    `sign` and `strength` (0 to 1) colour the badge.
    """

    kind: str
    heading: Text = ()
    remark: Text = ()
    lines: list[Text] = field(default_factory=list)
    badge: Text = ()
    sign: int = 0
    strength: float = 0.0
    tooltip: str = ""
    bold: bool = False
    dim: bool = False
    least: float = 64.0
    data: dict[str, str] = field(default_factory=dict)

    def size(self) -> tuple[float, float]:
        """The width and height of the box around its text."""
        if self.kind == "unit":
            return UNIT, UNIT
        if self.kind == "heading":
            return max(width(self.heading, NUMBER), width(self.remark, FINE)), 36.0
        if self.kind in ("constant", "neuron", "gap"):
            return max(34.0, width(self.heading, NUMBER) + 20), 26.0
        gap = 16 if self.heading and self.remark else 0
        top = width(self.heading, NAME) + gap + width(self.remark, REMARK)
        wide = max([top, *(width(line, NUMBER) for line in self.lines), width(self.badge, BADGE) + 12])
        slant = {"parameter": 18, "cost": 8, "group": CARD}.get(self.kind, 0)
        rows = 24 + 19 * len(self.lines) + (23 if self.badge else 4)
        return max(self.least, wide + 20) + slant, float(rows + {"cost": 6, "group": CARD}.get(self.kind, 0))


@dataclass
class Arrow:
    """An edge between two boxes (their numbers), with the local derivative on it."""

    tail: int
    head: int
    label: Text = ()
    sign: int = 0
    strength: float = 0.0
    tooltip: str = ""
    dashed: bool = False
    thin: bool = False
    bold: bool = False
    dim: bool = False
    least: float = 0.0
    data: dict[str, str] = field(default_factory=dict)

    def size(self) -> tuple[float, float]:
        """The width and height of its label."""
        return (max(self.least, width(self.label, LABEL) + 8), 16.0) if self.label else (0.0, 0.0)


NAME, NUMBER, REMARK, BADGE, LABEL, FINE = 17, 14, 13, 13, 12, 12
PILLS = "constant", "neuron", "unit", "gap"  # with one line of text
UNIT = 36.0  # the diameter of a neuron in a network
CARD = 4.0  # how far the second card of a folded box stands out behind the first
FONT_SIZES = {"name": NAME, "value": NUMBER, "remark": REMARK, "grad": BADGE, "text": LABEL}
BOX_KINDS = "parameter input leaf constant operation neuron group cost".split()
MARGIN = 16.0
FIELD: Text = (Run("\u2002" * 7),)  # an empty place to write in, as wide as a number
ID = "\0"  # stands for the id until the content, and so its hash, is known; no text can hold it

# Blue and vermilion are told apart by all readers; the sign of the number says the same without colour.
LIGHT = {
    "paper": "#ffffff",
    "ink": "#1b1b1b",
    "muted": "#6a6a6a",
    "box": "#ffffff",
    "line": "#444444",
    "edge": "#8a8a8a",
    "positive": "#d55e00",
    "negative": "#0072b2",
}
DARK = {
    "paper": "#14171c",
    "ink": "#ece9e2",
    "muted": "#9aa1ab",
    "box": "#1d222a",
    "line": "#aab1bb",
    "edge": "#717985",
    "positive": "#f0884a",
    "negative": "#58b0e6",
}
FONT = "'STIX Two Text','Latin Modern Roman','Libertinus Serif','Times New Roman','Liberation Serif',Tinos,Times,serif"


def rules(scope: str, colours: dict[str, str]) -> str:
    """The colours of one theme as CSS, for the picture with that id only."""
    c = colours
    declarations = {
        ".paper": f"fill:{c['paper']}",
        "text": f"fill:{c['ink']}",
        ".muted": f"fill:{c['muted']}",
        ".shape": f"fill:{c['box']};stroke:{c['line']}",
        ".field": f"fill:{c['paper']};stroke:{c['edge']}",
        ".line": f"stroke:{c['edge']}",
        ".tip": f"fill:{c['edge']}",
        ".badge": f"fill:{c['muted']}",
        ".pos .badge,.pos .tip": f"fill:{c['positive']}",
        ".neg .badge,.neg .tip": f"fill:{c['negative']}",
        ".pos .line": f"stroke:{c['positive']}",
        ".neg .line": f"stroke:{c['negative']}",
        ".bold .shape": f"stroke:{c['ink']}",
    }
    return "".join(
        f"{','.join(f'{scope} {s}' for s in selectors.split(','))}{{{rule}}}"
        for selectors, rule in declarations.items()
    )


def stylesheet(scope: str) -> str:
    """All CSS of a picture, dark colours included."""
    fixed = (
        f"{scope} text{{font-family:{FONT};font-stretch:condensed;font-size:{NUMBER}px;"
        "font-variant-numeric:lining-nums tabular-nums}"
        + "".join(f"{scope} .{class_}{{font-size:{size}px}}" for class_, size in FONT_SIZES.items())
        + f"{scope} .i{{font-style:italic}}{scope} .b{{font-weight:bold}}"
        f"{scope} .mid{{text-anchor:middle}}{scope} .end{{text-anchor:end}}"
        f"{scope} .shape{{stroke-width:1.2}}{scope} .line{{fill:none}}"
        f"{scope} .field{{stroke-width:.8}}{scope} .dash{{stroke-dasharray:3 3}}{scope} .thin{{opacity:.7}}"
        f"{scope} .bold .shape{{stroke-width:2.6}}{scope} .dim{{opacity:.28}}"
        f"{scope} .local.dim{{opacity:1}}{scope} .local.dim text{{opacity:.4}}"
    )
    return f"{fixed}{rules(scope, LIGHT)}@media(prefers-color-scheme:dark){{{rules(scope, DARK)}}}"


def tspans(text: Sequence[Run], size: float) -> str:
    """The text as SVG: a superscript after a subscript stands above it."""
    parts, shift, below = [], 0.0, 0.0
    for run in text:
        level = {-1: 0.22, 0: 0.0, 1: -0.36}[run.level] * size
        moves = f' dy="{coordinate(level - shift)}"' if level != shift else ""
        if run.level == 1 and below:
            moves += f' dx="{coordinate(-below)}"'
        below = width([run], size) * 0.94 if run.level == -1 else 0.0
        scale = f' font-size="{coordinate(script_size(size))}"' if run.level else ""
        style = f' class="{run.style}"' if run.style else ""
        kept = re.sub("^ | $", "\u00a0", clean(run.text))  # some renderers drop the space between two runs
        parts.append(f"<tspan{style}{moves}{scale}>{kept}</tspan>" if style or moves or scale else kept)
        shift = level
    return "".join(parts)


def coordinate(x: float) -> str:
    """A coordinate: at most two decimals, so that all machines write the same bytes."""
    text = f"{x:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def tag(name: str, *content: str, **attributes: str | float) -> str:
    """One element. `class_` is its class, a dash in an attribute is written `_`; texts are escaped already."""
    written = [
        f' {key.rstrip("_").replace("_", "-")}="{value if isinstance(value, str) else coordinate(value)}"'
        for key, value in attributes.items()
    ]
    inside = "".join(content)
    return f"<{name}{''.join(written)}>{inside}</{name}>" if inside else f"<{name}{''.join(written)}/>"


def stroke(d: str, thick: float = 1.2, dash: str = "") -> str:
    """A line along a path; `dash` is one more class, after a space."""
    return tag("path", class_="line" + dash, d=d, stroke_width=thick)


def label(text: Sequence[Run], x: float, y: float, size: float, class_: str) -> str:
    """A line of text; its class gives the size."""
    return f'<text class="{class_}" x="{coordinate(x)}" y="{coordinate(y)}">{tspans(text, size)}</text>'


def write(
    title: str,
    description: str,
    boxes: Sequence[Box],
    arrows: Sequence[Arrow],
    placement: Placement,
    legend: bool = True,
    notes: Sequence[str] = (),
) -> str:
    """The picture of placed boxes and arrows; notes are what must be said below it."""
    shifted = lambda points: [(x + MARGIN, y + MARGIN) for x, y in points]  # noqa: E731
    sizes, centres = [box.size() for box in boxes], shifted(placement.centres)
    curves, places = [shifted(curve) for curve in placement.curves], shifted(placement.anchors)
    order = sorted(range(len(arrows)), key=lambda i: (not arrows[i].dim, arrows[i].bold, arrows[i].strength))
    body = [
        *(_edge(arrows[i], curves[i]) for i in order),
        *map(_box, boxes, centres, sizes),
        *(_local(arrows[i], places[i]) for i in order if arrows[i].label),
    ]
    wide, high = placement.width + 2 * MARGIN, placement.height + 2 * MARGIN
    return picture(
        title, description, body, wide, high, [*(_legend(boxes, arrows) if legend else []), *_notes(notes, wide)]
    )


def picture(
    title: str,
    description: str,
    body: Sequence[str],
    wide: float,
    high: float,
    legend: Sequence[tuple[str, float]] = (),
) -> str:
    """A whole SVG file around its elements and the items (with their widths) of a legend."""
    import hashlib

    body, x, y = list(body), MARGIN, high - 4
    room = max(wide, 420.0) - MARGIN
    for item, extent in legend:
        if x + extent > room and x > MARGIN:
            x, y = MARGIN, y + 22
        body.append(tag("g", item, transform=f"translate({coordinate(x)} {coordinate(y)})"))
        x, wide, high = x + extent + 20, max(wide, x + extent + MARGIN), y + 32
    w, h = math.ceil(wide), math.ceil(high)
    text = tag(
        "svg",
        "\n",
        tag("title", clean(title), id=f"{ID}-t"),
        tag("desc", clean(description), id=f"{ID}-d"),
        tag("style", stylesheet(f"#{ID}")),
        "\n",
        tag("rect", class_="paper", width=w, height=h),
        *(f"\n{element}" for element in body),
        "\n",
        xmlns="http://www.w3.org/2000/svg",
        id=ID,
        width=w,
        height=h,
        viewBox=f"0 0 {w} {h}",
        role="img",
        aria_labelledby=f"{ID}-t {ID}-d",
    )
    return text.replace(ID, "g" + hashlib.sha256(text.encode()).hexdigest()[:10]) + "\n"


def _group(thing: Box | Arrow, kind: str, *content: str) -> str:
    """An element's parts, with what colours, marks and explains it."""
    sign = {1: " pos", -1: " neg"}.get(thing.sign, "")
    title = tag("title", clean(thing.tooltip)) if thing.tooltip and kind != "local" else ""
    data = {f"data-{key}": clean(value) for key, value in thing.data.items()}
    return tag("g", title, *content, class_=f"{kind}{sign}{' bold' * thing.bold}{' dim' * thing.dim}", **data)


def _path(points: Sequence[Point]) -> str:
    """Bezier points as SVG has them; a segment with both handles on its ends is a straight line."""
    start, *rest = (f"{coordinate(x)} {coordinate(y)}" for x, y in points)
    text, before = f"M{start}", start
    for a, b, c in zip(*[iter(rest)] * 3):
        text += f"L{c}" if a == before and b == c else f"C{a} {b} {c}"
        before = c
    return text


def _edge(arrow: Arrow, curve: list[Point], kind: str = "edge") -> str:
    """A curve, cut short where its arrowhead begins; a thin one has no head."""
    if arrow.thin:
        thick = 0.6 + arrow.strength + 2 * arrow.bold
        return _group(arrow, kind, tag("path", class_="line thin", stroke_width=thick, d=_path(curve)))
    (x, y), thick = curve[-1], 1.1 + 1.5 * arrow.strength * bool(arrow.sign) + 1.2 * arrow.bold
    before = next((point for point in reversed(curve) if math.dist(point, (x, y)) > 0.5), (x - 1, y))
    length, size = math.dist(before, (x, y)), 7.0 + thick
    ux, uy, half = (x - before[0]) / length, (y - before[1]) / length, 0.42 * size
    neck = (x - ux * size, y - uy * size)
    corners = [(x, y), *((neck[0] - side * uy * half, neck[1] + side * ux * half) for side in (1, -1))]
    handle = neck if curve[-2] == curve[-1] else curve[-2]
    return _group(
        arrow,
        kind,
        tag("path", class_="line" + " dash" * arrow.dashed, stroke_width=thick, d=_path([*curve[:-2], handle, neck])),
        tag("polygon", class_="tip", points=_points(corners)),
    )


def _local(arrow: Arrow, place: Point, kind: str = "local") -> str:
    """The local derivative on an edge."""
    (x, y), w = place, width(arrow.label, LABEL) + 4
    look = {"class_": "field"} if arrow.label == FIELD else {"class_": "paper", "fill_opacity": 1}
    paper = tag("rect", x=x - w / 2, y=y - 7, width=w, height=14, rx=4, **look)
    return _group(arrow, kind, paper, label(arrow.label, x, y + 4, LABEL, "mid text"))


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{coordinate(x)},{coordinate(y)}" for x, y in points)


def outline(kind: str, x: float, y: float, w: float, h: float, corner: float = 10) -> str:
    """The shape that tells a box's kind."""
    if kind == "parameter":
        left, right, middle = x + 1.1 * corner, x + w - 1.1 * corner, y + h / 2
        corners = [(left, y), (right, y), (x + w, middle), (right, y + h), (left, y + h), (x, middle)]
        return tag("polygon", class_="shape", points=_points(corners))
    radius = {"input": 0.0, "leaf": 0.0, "constant": h / 2, "neuron": h / 2, "unit": h / 2, "group": corner / 2}.get(
        kind, corner
    )

    def frame(inset: float, dx: float = 0.0, dy: float = 0.0) -> str:
        class_ = "shape" + " dash" * (kind == "constant")
        place = {"x": x + inset + dx, "y": y + inset + dy, "width": w - 2 * inset, "height": h - 2 * inset}
        return tag("rect", class_=class_, **place, rx=max(0.0, radius - inset))

    return {"cost": frame(0) + frame(3), "group": frame(0, CARD, -CARD) + frame(0)}.get(kind, frame(0))


def _box(box: Box, centre: Point, size: tuple[float, float]) -> str:
    """A box: its shape, the heading, the lines below, and the gradient on its badge."""
    (x, y), (w, h) = centre, size
    if box.kind == "heading":
        lines = label(box.heading, x, y, NUMBER, "mid value"), label(box.remark, x, y + 16, FINE, "mid muted text")
        return _group(box, "node heading", *lines)
    if box.kind == "group":
        x, y, w, h = x - CARD / 2, y + CARD / 2, w - CARD, h - CARD
    parts = [outline(box.kind, x - w / 2, y - h / 2, w, h)] if box.kind != "gap" else []
    if box.kind in PILLS:
        if box.sign:
            tint = tag("rect", class_="badge", x=x - w / 2, y=y - h / 2, width=w, height=h, rx=h / 2)
            parts.append(tint.replace("/>", f' fill-opacity="{coordinate(0.1 + 0.5 * box.strength)}"/>'))
        return _group(box, f"node {box.kind}", *parts, label(box.heading, x, y + 5, NUMBER, "mid value"))
    inset = {"parameter": 17, "cost": 13}.get(box.kind, 9)
    row = y - h / 2 + (24 if box.kind == "cost" else 21)
    if box.heading and box.remark:
        parts.append(label(box.heading, x - w / 2 + inset, row, NAME, "name"))
        parts.append(label(box.remark, x + w / 2 - inset, row, REMARK, "muted end remark"))
    else:
        parts.append(label(box.heading or box.remark, x, row, NAME, "mid name"))
    for line in box.lines:
        row += 19
        if line == FIELD:
            wide = width(line, NUMBER)
            parts.append(tag("rect", class_="field", x=x - wide / 2, y=row - 13, width=wide, height=16, rx=3))
        parts.append(label(line, x, row, NUMBER, "mid value"))
    if box.badge:
        place = {"x": x - w / 2 + inset - 6, "y": row + 5, "width": w - 2 * inset + 12, "height": 18}
        opacity = 0.1 + 0.5 * box.strength if box.sign else 0.1
        look = {"class_": "field"} if box.badge[-1:] == FIELD else {"class_": "badge", "fill_opacity": opacity}
        parts.append(tag("rect", **place, rx=4, **look))
        parts.append(label(box.badge, x, row + 18.5, BADGE, "mid grad"))
    return _group(box, f"node {box.kind}", *parts)


def _notes(notes: Sequence[str], wide: float) -> Iterator[tuple[str, float]]:
    """Lines of what must be said below a picture, and their widths."""
    import textwrap

    for line in (line for note in notes for line in textwrap.wrap(note, int(max(wide, 420.0) / FINE / 0.55))):
        words = (Run(line, "b"),)
        yield label(words, 0, 11.5, FINE, "text"), max(width(words, FINE), wide - 3 * MARGIN)


def _legend(boxes: Sequence[Box], arrows: Sequence[Arrow]) -> list[tuple[str, float]]:
    """What the shapes and colours mean, of those that occur: elements and their widths."""

    def item(picture: str, x: float, words: str) -> tuple[str, float]:
        return picture + label((Run(words),), x, 11.5, FINE, "muted text"), x + width([Run(words)], FINE)

    kinds = {box.kind for box in boxes}
    items = [item(_sample(kind), 36, LEGEND.get(kind, kind)) for kind in BOX_KINDS if kind in kinds]
    if any(thing.sign for thing in (*boxes, *arrows)):
        shades = [(-1, 0.6), (-1, 0.35), (-1, 0.12), (1, 0.12), (1, 0.35), (1, 0.6)]
        squares = [
            tag("rect", class_="badge", x=12 * i, width=12, height=14, fill_opacity=o)
            for i, (_, o) in enumerate(shades)
        ]
        scale = tag("g", *squares[:3], class_="neg") + tag("g", *squares[3:], class_="pos")
        what = "weight (edge) or bias (circle) below 0, above 0"
        if "unit" not in kinds:
            what = "gradient below 0, above 0, on a logarithmic scale"
        items.append(item(scale, 80, what))
    if any(arrow.label for arrow in arrows):
        number = Arrow(0, 1, (Run("0.5"),))
        line = _edge(number, [(0, 7), (0, 7), (48, 7), (48, 7)], "sample") + _local(number, (19, 7), "sample")
        items.append(item(line, 56, "number on an edge: local derivative"))
    if "unit" not in kinds and any(arrow.sign for arrow in arrows):
        coloured = [(Arrow(0, 1, sign=sign, strength=0.6), y) for sign, y in ((-1, 2), (1, 12))]
        lines = [_edge(arrow, [(0, y), (0, y), (36, y), (36, y)], "sample") for arrow, y in coloured]
        items.append(item("".join(lines), 44, "colour of an edge: gradient passed back along it"))
    return items


LEGEND = {"group": "several values, folded"}


def _sample(kind: str) -> str:
    """A small box of a kind, for the legend: as in the picture, with its badge if it has one."""
    if kind in PILLS:
        tint = tag("rect", class_="badge", y=1, width=28, height=12, rx=6, fill_opacity=0.35)
        return outline(kind, 0, 1, 28, 12) + tag("g", tint, class_="neg") * (kind == "neuron")
    inset = {"parameter": 7.0, "cost": 5.0}.get(kind, 3.0)
    badge = tag("rect", class_="badge", x=inset, y=10, width=28 - 2 * inset, height=3, fill_opacity=0.35)
    return outline(kind, 0, -2, 28, 18, 4) + badge * (kind != "constant")
