"""How a result shows itself in a notebook, put in place here: nothing below imports upward to be shown.

What a result puts into a notebook is bounded, and showing never raises: a cell that holds a traceback instead of the
result helps nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.calculus.checking import NEGLIGIBLE, GradientReport
from autograd.core.value import Value
from autograd.drawing.draw import value_picture
from autograd.drawing.numberlines import nudge_picture, sweep_picture
from autograd.drawing.picture import Picture
from autograd.explaining.notation import html_table
from autograd.explaining.nudge import Nudge, Sweep

Bundle = dict[str, str]  # MIME type -> content

LARGEST_RESULT = 300_000  # bytes that one bare result puts into a notebook
MOST_ROWS = 200  # rows of a table


def shown_by(cls: type, bundle: Callable[[Any], Bundle]) -> None:
    """Let a notebook show the results of a class by a bundle of MIME types."""

    def _repr_mimebundle_(self: Any, include: Any = None, exclude: Any = None) -> Bundle:
        return bundle(self)

    cls._repr_mimebundle_ = _repr_mimebundle_  # type: ignore[attr-defined]


def within_bounds(bundle: Bundle) -> Bundle:
    """A bundle without what makes it too large: the bare SVG first, then the HTML."""
    kept = dict(bundle)
    for mime in ("image/svg+xml", "text/html"):
        if sum(len(content.encode()) for content in kept.values()) > LARGEST_RESULT:
            kept.pop(mime, None)
    return kept


def drawn(result: Any, picture: Callable[[], Picture | None]) -> Bundle:
    """A result as text and, where there is one that can be drawn, as a picture."""
    bundle = {"text/plain": repr(result)}
    try:
        if shown := picture():
            bundle |= {"image/svg+xml": shown.svg, "text/html": shown._repr_html_()}
    except Exception:
        return bundle
    return within_bounds(bundle)


def pictured(cls: type, picture: Callable[[Any], Picture]) -> None:
    """Give the results of a class a `.picture` and its `.svg`, and let a notebook show it above their table."""

    def bundle(result: Any) -> Bundle:
        shown = picture(result)
        html = shown.image + result.html()
        return within_bounds({"text/plain": str(result), "image/svg+xml": shown.svg, "text/html": html})

    cls.picture = property(picture)  # type: ignore[attr-defined]
    cls.svg = property(lambda result: picture(result).svg)  # type: ignore[attr-defined]
    shown_by(cls, bundle)


def report_bundle(report: GradientReport) -> Bundle:
    """A comparison of gradients as a table."""
    lines = repr(report).splitlines()
    rows = [
        [
            row.argument,
            f"{row.reverse:.12g}",
            f"{row.numeric:.12g}",
            "< 1e-10" if row.error < NEGLIGIBLE else f"{row.error:.1e}",
            row.note,
        ]
        for row in report.rows[:MOST_ROWS]
    ]
    rows += [["...", *[""] * 4]] * (len(report.rows) > MOST_ROWS)
    table = html_table(lines[-1], ["argument", "reverse", "numeric", "error", ""], rows, left=1)
    return within_bounds({"text/plain": repr(report), "text/html": table})


shown_by(Value, lambda value: drawn(value, lambda: value_picture(value)))
shown_by(GradientReport, report_bundle)
pictured(Nudge, nudge_picture)
pictured(Sweep, sweep_picture)
