"""Typography: how names and numbers are set, whatever they are written in: SVG, HTML or plain text.

A text is a row of runs, each with a style and a level; nothing here knows what draws it.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from autograd.explaining.notation import label_parts


@dataclass(frozen=True)
class Run:
    """Characters set alike: a style ("i" italic, "b" bold, "" upright) and a level (-1 subscript, 0, 1 superscript)."""

    text: str
    style: str = ""
    level: int = 0


Text = tuple[Run, ...]

GREEK: dict[str, str] = dict(
    zip(
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
        "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split(),
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ",
    )
)
LONGEST = 28  # characters of a label that are shown


def name(label: str) -> Text:
    """A label as the textbook sets it: letters italic, words and digits upright, indices below, exponents above."""
    base, below, above = label_parts(label) or (label, "", "")
    base = GREEK.get(base, base)
    if len(base) > LONGEST:
        base = base[: LONGEST - 1] + "…"
    runs = [Run(base, "i" if len(base.rstrip("'")) == 1 and base[0].isalpha() else "")]
    runs += [
        Run(index, "i" if index.isalpha() and len(index) < 3 else "", level)
        for index, level in ((below, -1), (above, 1))
        if index
    ]
    return tuple(runs)


def significant(x: float, digits: int = 4) -> str:
    """A number to a few significant digits, as plain text: never 0.0000 for what is not zero.

    >>> significant(-0.41421356), significant(1.5e-9), significant(123456.7)
    ('−0.4142', '1.5e−9', '123457')
    """
    if math.isnan(x):
        return "nan"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    mantissa, exponent, power = format(x + 0.0, f".{digits}g").partition("e")
    if exponent and 0 <= int(power) < 6:
        mantissa, exponent = format(x, ".0f"), ""
    return f"{mantissa}{exponent}{int(power) if exponent else ''}".replace("-", "−")


def quantity(x: float, digits: int = 4) -> Text:
    """A number as a book sets it: 1.5 × 10 to the -9 with a raised exponent."""
    mantissa, exponent, power = significant(x, digits).partition("e")
    return (Run(f"{mantissa} × 10"), Run(power, "", 1)) if exponent else (Run(mantissa),)


_NARROW, _WIDE = set("ijl.,:;'|!()[]ft rI/·"), set("mwMW∂—Σ×−+=÷")


def width(text: Iterable[Run], size: float) -> float:
    """About how wide a text is in a book face; a little generous, since the reader's font is not known."""
    em = 0.0
    for run in text:
        ems = sum(0.36 if c in _NARROW else 0.84 if c in _WIDE else 0.74 if c.isupper() else 0.54 for c in run.text)
        ems += sum(0.5 for c in run.text if ord(c) > 0x2E80)
        em += ems * (0.7 if run.level else 1)
    return em * size


def plain(text: Iterable[Run]) -> str:
    """A text without its typography."""
    return "".join({-1: "_", 0: "", 1: "^"}[run.level] + run.text for run in text)


def printable(text: str) -> str:
    """A text with a replacement mark for each character that XML cannot hold."""
    return text if text.isprintable() else re.sub(_UNPRINTABLE, "\ufffd", text)


def clean(text: str) -> str:
    """A text as XML holds it: printable, escaped."""
    return printable(text).translate(_ESCAPES)


_UNPRINTABLE = "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_ESCAPES = {ord(c): f"&{entity};" for c, entity in zip("&<>\"'", ("amp", "lt", "gt", "quot", "#39"))}
