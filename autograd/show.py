"""How a result shows itself in a notebook, put in place here: nothing below imports upward to be shown."""

from typing import Any

from autograd.core.value import Value
from autograd.drawing.draw import value_bundle


def _value(self: Value, include: Any = None, exclude: Any = None) -> dict[str, str]:
    return value_bundle(self)


Value._repr_mimebundle_ = _value  # type: ignore[attr-defined]
