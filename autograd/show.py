"""How a result shows itself in a notebook, put in place here: nothing below imports upward to be shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.core.value import Value
from autograd.drawing.draw import value_bundle
from autograd.drawing.numberlines import nudge_picture, sweep_picture
from autograd.drawing.picture import Picture
from autograd.explaining.nudge import Nudge, Sweep


def shown_by(cls: type, bundle: Callable[[Any], dict[str, str]]) -> None:
    """Let a notebook show the results of a class by a bundle of MIME types."""

    def _repr_mimebundle_(self: Any, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return bundle(self)

    cls._repr_mimebundle_ = _repr_mimebundle_  # type: ignore[attr-defined]


def pictured(cls: type, picture: Callable[[Any], Picture]) -> None:
    """Give the results of a class a `.picture` and its `.svg`, and let a notebook show it above their table."""

    def bundle(result: Any) -> dict[str, str]:
        shown = picture(result)
        return {"text/plain": str(result), "image/svg+xml": shown.svg, "text/html": shown.image + result.html()}

    cls.picture = property(picture)  # type: ignore[attr-defined]
    cls.svg = property(lambda result: picture(result).svg)  # type: ignore[attr-defined]
    shown_by(cls, bundle)


shown_by(Value, value_bundle)
pictured(Nudge, nudge_picture)
pictured(Sweep, sweep_picture)
