"""Recording: while a function is differentiated or compiled, what would cut a derivative off is refused.

Of a Value's methods, those that read its data are put in place here, as those of the core with the refusal before them.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

from contextvars import ContextVar

from autograd.core.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_recording: ContextVar[str] = ContextVar("recording", default="")  # "differentiated", "compiled"; of one thread


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


def is_recording() -> bool:
    """Whether this thread is within a function that is being differentiated or compiled."""
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
            "program. Use where(a - b, x, y) to choose x where a > b, and maximum, minimum, relu, clip or step for the "
            "common cases."
        )
    if purpose and reading in ("float", "int", "round"):
        raise TypeError(
            f"{reading} of a Value inside a function that is being differentiated: its derivative would be lost. "
            "Use autograd's functions (autograd.exp instead of math.exp), and a list or an array of objects to keep "
            "Values in; x.data is the number where no derivative is wanted."
        )


def _converting(convert: Callable[..., Any], conversion: str) -> Callable[..., Any]:
    def converted(value: Value, *digits: Any) -> Any:
        refuse(conversion)
        return convert(value, *digits)

    return converted


def _comparing(compare: Callable[[Value, Any], Any]) -> Callable[[Value, Any], Any]:
    def compared(x: Value, y: Any) -> Any:
        result = compare(x, y)
        if result is not NotImplemented:
            refuse("a comparison")
        return result

    return compared


def _read(value: Value) -> float:
    if recordings and is_tracing():
        refuse("reading .data")
    return value._data


for _conversion in ("bool", "float", "int", "round"):
    setattr(Value, f"__{_conversion}__", _converting(getattr(Value, f"__{_conversion}__"), _conversion))
for _comparison in ("__lt__", "__le__", "__gt__", "__ge__"):
    setattr(Value, _comparison, _comparing(getattr(Value, _comparison)))
setattr(Value, "data", Value.data.getter(_read))  # noqa: B010
