"""Recording: while a function is differentiated or compiled, what would cut a derivative off is refused.

The methods that make a plain number or a truth of a Value, `float(v)` or `v < w`, are put in place here, the refusal in
front. Comparison is by value; `==` and `hash` are by identity, so that nodes can be members of sets and mappings.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import operator
from contextvars import ContextVar

from autograd.compatibility import takes_over
from autograd.core.manners import datum
from autograd.core.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_recording: ContextVar[str] = ContextVar("recording", default="")  # "differentiated", "compiled", "kept"; of one thread

FUNCTIONS = (
    "Use autograd's functions (autograd.exp instead of math.exp), and a list or an array of objects to keep Values in"
)
INSTEAD_OF_BRANCHES = (
    "Use where(a - b, x, y) to choose x where a > b, and maximum, minimum, relu, clip or step for the common cases."
)
recordings: list[str] = []  # those under way in any thread, which is quicker to look at


class _Recording:
    """A stretch of a program in which what a Value is worth at present must not be taken for its result."""

    def __init__(self, purpose: str):
        self.purpose = purpose

    def __enter__(self) -> None:
        recordings.append(self.purpose)
        self.token = _recording.set(_recording.get() if _recording.get() == "compiled" else self.purpose)

    def __exit__(self, *error: object) -> None:
        _recording.reset(self.token)
        recordings.remove(self.purpose)


def tracing() -> _Recording:
    """Refuse, within this context and thread, whatever would freeze a Value's present data into a recorded program."""
    return _Recording("compiled")


def differentiating() -> _Recording:
    """Refuse, within this context and thread, what would cut a derivative off: `float` and `int` of a Value."""
    return _Recording("differentiated")


def keeping() -> _Recording:
    """Keep, within this context and thread, the graphs of derivatives: what is computed will be differentiated."""
    return _Recording("kept")


def is_recording() -> bool:
    """Whether this thread is within a function that is being differentiated or compiled, or whose graph is kept."""
    return bool(_recording.get())


def is_tracing() -> bool:
    """Whether this thread is recording a program."""
    return _recording.get() == "compiled"


def refuse(reading: str) -> None:
    """Raise a TypeError where a Value's data would stand for a function's result, without its derivative."""
    purpose = _recording.get()
    if purpose == "compiled":
        raise TypeError(
            f"{reading} of a Value inside a function that is being compiled: its result would be frozen into the "
            f"program. {INSTEAD_OF_BRANCHES}{f' {FUNCTIONS}.' * (reading == 'float')}"
        )
    if purpose == "differentiated" and reading in ("float", "int", "round"):
        raise TypeError(
            f"{reading} of a Value inside a function that is being differentiated: its derivative would be lost. "
            f"{FUNCTIONS}; x.data is the number where no derivative is wanted."
        )


def data(value: Value) -> float:
    """What the value is worth. Assigning changes it for later expressions, not for those already computed."""
    if recordings and is_tracing():
        refuse("reading .data")
    return value._data


def _converting(convert: Callable[..., Any]) -> Callable[..., Any]:
    def converted(value: Value, *digits: Any) -> Any:
        refuse(convert.__name__)
        return convert(value._data, *digits)

    return converted


def _comparing(compare: Callable[[float, Any], bool]) -> Callable[[Value, Any], bool]:
    def compared(x: Value, y: Any) -> bool:
        if takes_over(y):
            return NotImplemented
        other = datum(y, "a comparison")
        refuse("a comparison")
        return compare(x._data, other)

    return compared


for _convert in (bool, float, int, round):
    setattr(Value, f"__{_convert.__name__}__", _converting(_convert))
for _compare in (operator.lt, operator.le, operator.gt, operator.ge):
    setattr(Value, f"__{_compare.__name__}__", _comparing(_compare))
