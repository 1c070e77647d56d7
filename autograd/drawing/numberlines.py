"""The pictures of a nudge: number lines, and the error of smaller and smaller nudges."""

import math
from collections.abc import Sequence
from typing import Any

from autograd.drawing.picture import Picture
from autograd.drawing.svg import LABEL, MARGIN, NAME, NUMBER, coordinate, label, picture, stroke, tag
from autograd.explaining.nudge import Nudge, Sweep
from autograd.explaining.typography import Run, Text, in_digits, quantity, width

LINE = 420.0  # length of a number line, and
LINE_HEIGHT = 64.0  # the height that it takes


def upright(words: str) -> Text:
    """Words as upright text."""
    return (Run(words),)


def ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Round numbers between two, three to eight of them, with as many decimals as tell them apart."""
    exponent = math.floor(math.log10((high - low) / 3))
    step = next(s for s in (10.0**exponent * m for m in (10, 5, 2, 1)) if (high - low) / s >= 3)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    numbers = [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
    large = max(abs(low), abs(high)) >= 1e7 or decimals > 9
    return [(x, in_digits(x, 4) if large else f"{x + 0.0:.{decimals}f}".replace("-", "−")) for x in numbers]


def number_lines(title: str, rows: Sequence[tuple[Text, Any] | None], by: float) -> str:
    """One number line for each quantity, all to one scale: an arrow's length beside the first one's is the ratio.

    `rows` are names with rows of a nudge; a None stands for those left out.
    """
    shown = [row for row in rows if row]
    reach = max([abs(row.change) for _, row in shown if math.isfinite(row.change)], default=abs(by)) or abs(by)
    left = MARGIN + max(width(words, NAME) for words, _ in shown) + 20
    ratio, derivative = left + LINE + 30, left + LINE + 150
    heads = [("ratio to the nudge", ratio), ("derivative", derivative)]
    body = [label(upright(head), x, MARGIN + 4, LABEL, "muted") for head, x in heads]
    y = MARGIN + 50
    for row in rows:
        if row is None:
            body.append(label(upright("⋮"), left + LINE / 2, y, NAME, "mid muted"))
        else:
            body += [
                label(row[0], left - 20, y + 5, NAME, "end name"),
                *_number_line(row[1], left, y, reach),
                label(quantity(row[1].ratio), ratio, y + 5, NUMBER, "value"),
                label(quantity(row[1].derivative), derivative, y + 5, NUMBER, "value"),
            ]
        y += LINE_HEIGHT
    words = [f"{row.name} goes from {in_digits(row.before)} to {in_digits(row.after)}" for _, row in shown]
    return picture(title, f"{title}: {'; '.join(words)}.", body, derivative + 90, y - 10)


def _number_line(row: Any, left: float, y: float, reach: float) -> list[str]:
    """One number line: ticks, a ring before, a dot after, and the arrow between them."""
    middle = (row.before + row.after) / 2
    if not math.isfinite(middle):
        return [label(upright("not finite"), left + LINE / 2, y + 5, NUMBER, "mid muted")]
    half = max(1.35 * reach, 8 * math.ulp(middle))
    place = lambda x: left + (x - middle + half) / (2 * half) * LINE  # noqa: E731
    parts = [stroke(f"M{coordinate(left)} {coordinate(y)}h{coordinate(LINE)}")]
    for x, words in ticks(middle - half, middle + half):
        parts.append(stroke(f"M{coordinate(place(x))} {coordinate(y - 4)}v8"))
        parts.append(label(upright(words), place(x), y + 19, LABEL, "mid muted"))
    a, b = place(row.before), place(row.after)
    arrow = [tag("circle", class_="line shape", cx=a, cy=y, r=4.5, stroke_width=1.6)]
    if abs(b - a) > 12:
        tip, neck = (b - 6, b - 14) if b > a else (b + 6, b + 14)
        corners = " ".join(f"{coordinate(x)},{coordinate(y + dy)}" for x, dy in ((tip, 0), (neck, -5), (neck, 5)))
        arrow += [
            stroke(f"M{coordinate(a)} {coordinate(y)}H{coordinate(neck)}", 3),
            tag("polygon", class_="tip", points=corners),
        ]
    arrow.append(tag("circle", class_="tip", cx=b, cy=y, r=4.5))
    change = (Run("+" if row.change > 0 else ""), *quantity(row.change))
    arrow.append(label(change, (a + b) / 2, y - 12, NUMBER, "mid value"))
    return [*parts, tag("g", *arrow, class_="pos" if b > a else "neg" if b < a else "still")]


def error_curve(title: str, points: Sequence[tuple[float, float]]) -> str:
    """The error of the ratio against the size of the nudge, both on logarithmic axes: it falls, then it rises."""
    logs = [(math.log10(abs(by)), math.log10(max(error, 1e-17))) for by, error in points if math.isfinite(error)]
    left, top, wide, high = MARGIN + 66, MARGIN + 20, 440.0, 230.0
    low, last = math.floor(min((y for _, y in logs), default=-1) - 0.6), math.log10(min(abs(by) for by, _ in points))
    above = max(math.ceil(max((y for _, y in logs), default=0)), low + 1)
    across = lambda x: left + x / (last or -1) * wide  # noqa: E731
    down = lambda y: top + (above - y) / (above - low) * high  # noqa: E731
    body = [stroke(f"M{coordinate(left)} {coordinate(top)}v{coordinate(high)}h{coordinate(wide)}")]
    for power in range(0, round(last) - 1, -3):
        body.append(stroke(f"M{coordinate(across(power))} {coordinate(top + high)}v5"))
        body.append(label(ten(power), across(power), top + high + 20, LABEL, "mid muted"))
    for power in range(low, above + 1, max(1, (above - low) // 5)):
        body.append(stroke(f"M{coordinate(left)} {coordinate(down(power))}h-5"))
        body.append(label(ten(power), left - 9, down(power) + 4, LABEL, "end muted"))
    places = [(coordinate(across(x)), coordinate(down(y))) for x, y in logs]
    curve = stroke("M" + "L".join(f"{x} {y}" for x, y in places), 1.8) if places else ""
    dots = [tag("circle", class_="tip", cx=x, cy=y, r=3.6) for x, y in places]
    best = min(range(len(logs)), key=lambda i: logs[i][1], default=None)
    body.append(tag("g", curve, *dots, class_="neg"))
    if best is not None:
        (x, y), words = logs[best], "closest"
        body.append(label(upright(words), across(x), down(y) + 18, LABEL, "mid value"))
    body.append(label(upright("size of the nudge"), left + wide / 2, top + high + 42, LABEL, "mid muted"))
    body.append(label(upright("error of the ratio"), left, top - 14, LABEL, "mid muted"))
    pairs = "; ".join(f"{in_digits(by)}: {in_digits(error, 3)}" for by, error in points)
    return picture(
        title, f"{title}. The error of the ratio for each nudge: {pairs}.", body, left + wide + 30, top + high + 54
    )


def nudge_picture(nudge: Nudge) -> Picture:
    """The number lines of a nudge."""
    return Picture(number_lines(nudge.title(), nudge.named_rows(), nudge.by), nudge.title())


def sweep_picture(sweep: Sweep) -> Picture:
    """The errors of a sweep's nudges."""
    return Picture(error_curve(sweep.title(), [(step.by, step.error) for step in sweep.rows]), sweep.title())


def ten(power: int) -> Text:
    """A power of ten."""
    return Run("10"), Run(f"{power}".replace("-", "−"), "", 1)
