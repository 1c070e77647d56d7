"""Kinds of numbers: what those have in common that a row of the table is evaluated on to be written, or differentiated.

Their operators all do one thing, `combine` with the name of the operator's row; the words of the table say the rest.
"""

from __future__ import annotations

from autograd.compatibility import infix
from autograd.core.table import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Kind:
    """A number whose operators are one function."""

    def combine(self, name: str, *operands: Any) -> Any:
        """What `add`, `sub`, `mul` or `neg` makes of its operands."""
        raise NotImplementedError

    def __add__(self, other: Any) -> Any:
        return self.combine("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return self.combine("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return self.combine("sub", self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.combine("sub", other, self)

    def __mul__(self, other: Any) -> Any:
        return self.combine("mul", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self.combine("mul", other, self)

    def __neg__(self) -> Any:
        return self.combine("neg", self)


class Source(Kind):
    """A number as the source of the expression that computes it, in Python or what has the same operators."""

    def __init__(self, text: str):
        self.text = text

    @classmethod
    def of(cls, x: Any) -> str:
        """The source of a number."""
        return x.text if isinstance(x, Source) else repr(x)

    def combine(self, name: str, *operands: Any) -> Any:
        """The operator between its operands, in parentheses."""
        sign, texts = infix(TABLE[name]), [self.of(x) for x in operands]
        return type(self)(f"({f' {sign} '.join(texts)})" if len(texts) > 1 else f"({sign}{texts[0]})")
