"""Curves over whole steps, such as a cost over the epochs, as a picture that needs no other library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from autograd.drawing.numberlines import ten, ticks, upright
from autograd.drawing.picture import Picture
from autograd.drawing.svg import LABEL, MARGIN, coordinate, label, picture, stroke, tag
from autograd.explaining.typography import Text, in_digits, width

CURVE_WIDTH, CURVE_HEIGHT = 460.0, 220.0
MOST_POINTS = 400  # points of a curve that are drawn: two for each of so many stretches, its lowest and its highest
STEEP = 30  # a curve that falls by more than this factor has a logarithmic axis
LINE_STYLES = (("neg", ""), ("pos", " dash"), ("still", ""), ("still", " dash"))


def curves(title: str, series: Mapping[str, Sequence[float]], along: str = "epoch") -> Picture:
    """One curve for each named sequence of numbers, over 1, 2, 3, ...; numbers that are not finite are left out."""
    drawn = {name: [(i, y) for i, y in enumerate(ys, 1) if math.isfinite(y)] for name, ys in series.items()}
    drawn = {name: points for name, points in drawn.items() if points}
    heights = [y for points in drawn.values() for _, y in points]
    last = max((points[-1][0] for points in drawn.values()), default=1)
    if not heights:
        body = [label(upright("no numbers yet"), MARGIN, MARGIN + 16, LABEL, "muted")]
        return Picture(picture(title, f"{title}: nothing was recorded.", body, 220, 50), title)
    logarithmic = min(heights) > 0 and max(heights) > STEEP * min(heights)
    scale = math.log10 if logarithmic else float
    low, high = scale(min(heights)), scale(max(heights))
    pad = 0.06 * (high - low) or max(abs(high), 1.0) * 0.1
    low, high = low - pad, high + pad
    marks = _decades(low, high) if logarithmic else [(y, upright(words)) for y, words in ticks(low, high)]

    left = MARGIN + 12 + max((width(words, LABEL) for _, words in marks), default=20.0)
    top = MARGIN + 24
    across = lambda x: left + (x - 1) / max(1, last - 1) * CURVE_WIDTH if last > 1 else left + CURVE_WIDTH / 2  # noqa: E731
    down = lambda y: top + (high - y) / (high - low) * CURVE_HEIGHT  # noqa: E731
    body = [stroke(f"M{coordinate(left)} {coordinate(top)}v{coordinate(CURVE_HEIGHT)}h{coordinate(CURVE_WIDTH)}")]
    for y, words in marks:
        body.append(stroke(f"M{coordinate(left)} {coordinate(down(y))}h-5"))
        body.append(label(words, left - 9, down(y) + 4, LABEL, "end muted"))
    for x in _steps(last):
        body.append(stroke(f"M{coordinate(across(x))} {coordinate(top + CURVE_HEIGHT)}v5"))
        body.append(label(upright(str(x)), across(x), top + CURVE_HEIGHT + 20, LABEL, "mid muted"))
    body.append(label(upright(along), left + CURVE_WIDTH / 2, top + CURVE_HEIGHT + 38, LABEL, "mid muted"))
    x = left
    for (name, points), (colour, dash) in zip(drawn.items(), LINE_STYLES):
        places = [(coordinate(across(i)), coordinate(down(scale(y)))) for i, y in _thinned(points)]
        curve = stroke("M" + "L".join(f"{u} {v}" for u, v in places), 1.8, dash) if len(places) > 1 else ""
        dots = [tag("circle", class_="tip", cx=u, cy=v, r=3.2) for u, v in places[: 1 if len(places) == 1 else 0]]
        sample = stroke(f"M{coordinate(x)} {coordinate(MARGIN + 4)}h24", 1.8, dash)
        body.append(tag("g", curve, *dots, sample, class_=colour))
        words = upright(name.replace("_", " "))
        body.append(label(words, x + 30, MARGIN + 8, LABEL, "text"))
        x += 30 + width(words, LABEL) + 22
    spans = [
        f"{name.replace('_', ' ')} from {in_digits(p[0][1])} to {in_digits(p[-1][1])}" for name, p in drawn.items()
    ]
    wide = max(left + CURVE_WIDTH + MARGIN + 8, x)
    return Picture(picture(title, f"{title}: {'; '.join(spans)}.", body, wide, top + CURVE_HEIGHT + 52), title)


def _decades(low: float, high: float) -> list[tuple[float, Text]]:
    """Powers of ten between two exponents; where there are few, also 2 and 5 times them."""
    powers = range(math.ceil(low), math.floor(high) + 1)
    if len(powers) >= 3:
        return [(float(p), ten(p)) for p in powers[:: 1 + len(powers) // 7]]
    marks = [(p + math.log10(m), m * 10.0**p) for p in range(math.floor(low), math.ceil(high) + 1) for m in (1, 2, 5)]
    return [(y, upright(in_digits(x, 2))) for y, x in marks if low <= y <= high]


def _steps(last: int) -> list[int]:
    """About five round numbers from 1 to the last."""
    if last <= 5:
        return list(range(1, last + 1))
    step = 10 ** math.floor(math.log10(last / 4))
    step *= next(m for m in (1, 2, 5, 10) if last / (step * m) <= 6)
    return [1, *range(step, last + 1, step)] if step > 1 else list(range(1, last + 1))


def _thinned(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """The points, of very many only those that the eye can tell apart."""
    if len(points) <= 2 * MOST_POINTS:
        return list(points)
    kept = []
    for k in range(MOST_POINTS):
        part = points[k * len(points) // MOST_POINTS : (k + 1) * len(points) // MOST_POINTS]
        kept += sorted({min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])})
    return kept
