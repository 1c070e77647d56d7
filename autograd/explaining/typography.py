"""Typography: how numbers and labels are set, whatever they are written in: plain text, LaTeX, SVG or HTML.

Numbers have one form: `1.5e-9` in plain text, and typeset 1.5 x 10 to the -9 with a raised exponent. A text to be set
is a row of runs, each with a style and a level; nothing here knows what draws it.
"""

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from autograd.core.table import TABLE


@dataclass(frozen=True)
class Run:
    """Characters set alike: a style ("i" italic, "b" bold, "" upright) and a level (-1 subscript, 0, 1 superscript)."""

    text: str
    style: str = ""
    level: int = 0


Text = tuple[Run, ...]

# Numbers -----------------------------------------------------------------------------------------------------------


def in_digits(x: float, significant: int = 5) -> str:
    """A number in significant digits, as plain text: never 0.0000 for what is not zero.

    >>> in_digits(0.1 + 0.2), in_digits(1.5e-9), in_digits(-123456.7), in_digits(1234567)
    ('0.3', '1.5e-9', '-123457', '1.2346e6')
    """
    mantissa, exponent, power = format(x + 0.0, f".{significant}g").partition("e")
    if exponent and 0 <= int(power) < 6:
        return format(x, ".0f")
    return f"{mantissa}{exponent}{int(power) if exponent else ''}"


def significant(x: float, figures: int = 4) -> str:
    """As `in_digits`, with the signs that a book has.

    >>> significant(-0.41421356), significant(float("inf"))
    ('−0.4142', '∞')
    """
    return in_digits(x, figures).replace("-", "−").replace("inf", "∞")


def quantity(x: float, figures: int = 4) -> Text:
    """A number as a book sets it: 1.5 × 10 to the -9 with a raised exponent."""
    mantissa, exponent, power = significant(x, figures).partition("e")
    return (Run(f"{mantissa} × 10"), Run(power, "", 1)) if exponent else (Run(mantissa),)


def latex_number(x: float) -> str:
    r"""A number in significant digits, `1.5 \times 10^{-9}` where it is very small or large."""
    if not math.isfinite(x):
        return r"\mathrm{nan}" if math.isnan(x) else r"\infty" if x > 0 else r"-\infty"
    mantissa, exponent, power = in_digits(x).partition("e")
    return rf"{mantissa} \times 10^{{{power}}}" if exponent else mantissa


# Labels ------------------------------------------------------------------------------------------------------------

_PIECE = r"\{[^{}]*\}|\([^()]*\)|[\w,]+"
_LABEL = re.compile(
    rf"(?P<base>\\?[^\W\d_]+'*)(?P<digits>\d*)(?:\((?P<bare>[^()]*)\))?"
    rf"(?:_(?P<sub>{_PIECE}))?(?:\^(?P<sup>{_PIECE}))?(?:_(?P<late>{_PIECE}))?"
)
GREEK: dict[str, str] = dict(
    zip(
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
        "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split(),
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ",
    )
)
ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307", "vec": "\u20d7"}  # y_hat is ŷ
LONGEST_LABEL = 28  # characters of a label that are shown


def label_parts(label: str) -> tuple[str, str, str] | None:
    """(name, subscript, superscript) of a label such as `w_jk^(L)`, `w(L)_jk`, `a1` or `b`; None for any other text."""
    match = _LABEL.fullmatch(label)
    if not match or (match["bare"] and match["base"] in TABLE):  # tanh(z) is no z-th tanh
        return None
    base = match["base"].removeprefix("\\")
    if base != match["base"] and base not in GREEK:
        return None
    subscripts = [part for part in (match["digits"], match["sub"], match["late"]) if part]
    superscripts = [part for part in (match["bare"] and f"({match['bare']})", match["sup"]) if part]
    if len(subscripts) > 1 or len(superscripts) > 1:
        return None
    bare = lambda parts: parts[0].strip("{}") if parts else ""  # noqa: E731
    return base, bare(subscripts), bare(superscripts)


def accented(base: str, subscript: str) -> tuple[str, str, str]:
    """(name, accent, subscript): the `hat` of `y_hat_1` stands on the y."""
    first, _, rest = subscript.partition("_")
    return (base, first, rest) if first in ACCENTS else (base, "", subscript)


def numbered_label(label: str) -> tuple[str, str]:
    """(label, number) of `z#2`, the second of several values that are labelled z; no number for any other."""
    name, _, place = label.rpartition("#")
    return (name, place) if name and place.isdecimal() and place.isascii() else (label, "")


def one_line(label: str) -> str:
    """A label as plain text: on one line, a mark where a character cannot be printed."""
    return printable(" ".join(label.split())) or "\u2423"


def name(label: str) -> Text:
    """A label as the textbook sets it: letters italic, words and digits upright, indices below, exponents above."""
    label, place = numbered_label(label)
    base, below, above = label_parts(label) or (one_line(label), "", "")
    base, accent, below = accented(base, below)
    base = GREEK.get(base, base)
    if len(base) > LONGEST_LABEL:
        base = base[: LONGEST_LABEL - 1] + "…"
    style = "i" if len(base.rstrip("'")) == 1 and base[0].isalpha() else ""
    runs = [Run(unicodedata.normalize("NFC", base + ACCENTS[accent]) if accent else base, style)]
    runs += [
        Run(index, "i" if index.isalpha() and len(index) < 3 else "", level)
        for index, level in ((below, -1), (f"#{place}" if place else "", -1), (above, 1))
        if index
    ]
    return tuple(runs)


def latex_label(label: str) -> str:
    """A label for LaTeX: indices set as indices, Greek letters by name, anything else as text."""
    label, place = numbered_label(label)
    if place:
        return rf"{{{latex_label(label)}}}_{{\#{place}}}"
    parts = label_parts(label)
    if parts is None:
        return latex_text(one_line(label))
    base, accent, below = accented(*parts[:2])
    word = base.rstrip("'")
    primes, indices = base[len(word) :], f"_{{{latex_index(below)}}}" * bool(below)
    if word in GREEK:
        word = f"\\{word}"
    elif len(word) > 1:
        word = latex_text(word, r"\mathrm" if word.isascii() else r"\text")
    word = rf"\{accent}{{{word}}}" if accent else word
    return word + primes + indices + f"^{{{latex_index(parts[2])}}}" * bool(parts[2])


def latex_index(index: str) -> str:
    """What stands below or above a name: letters and numbers as they are, longer words upright."""
    plain_index = re.fullmatch(r"[A-Za-z]{1,2}|[\d,+\-*/() ]*|[A-Za-z]?[\d,+\-()]*|\(?[A-Za-z]?[+\-]?\d*\)?", index)
    return index if plain_index else latex_text(index)


def latex_text(text: str, face: str = r"\text") -> str:
    r"""Text for LaTeX in Markdown: nothing in it can end the formula or the text, or become HTML.

    >>> print(latex_text("50% of <b>"))
    \text{50\% of }\lt \text{b}\gt
    """
    text = re.sub(r"&(?=#?\w+;)", "&\u2060", text)  # &lt; is no entity of HTML
    pieces = [piece for piece in re.split("([<>|])", text) if piece]
    written = [_TEX_SIGNS.get(piece) or f"{face}{{{piece.translate(_TEX)}}}" for piece in pieces]
    return "".join(written).rstrip() if len(written) > 1 else "".join(written)


_TEX_SIGNS = {"<": r"\lt ", ">": r"\gt ", "|": r"\vert "}
_TEX = str.maketrans({"\\": "/", "~": "-", "^": "'", "`": "\u02cb"} | {c: "\\" + c for c in "#$%&_{}"})


# Texts -------------------------------------------------------------------------------------------------------------

_NARROW, _WIDE = set("ijl.,:;'|!()[]ft rI/·"), set("mwMW∂—Σ×−+=÷")


def width(text: Iterable[Run], size: float) -> float:
    """About how wide a text is in a book face; a little generous, since the reader's font is not known."""
    em = 0.0
    for run in text:
        ems = sum(0.36 if c in _NARROW else 0.84 if c in _WIDE else 0.74 if c.isupper() else 0.54 for c in run.text)
        ems += sum(0.5 for c in run.text if ord(c) > 0x2E80)
        em += ems * (script_size(size) / size if run.level else 1)
    return em * size


def script_size(size: float) -> float:
    """The size of an index or an exponent beside letters of a size, in pixels: never too small to read."""
    return max(0.7 * size, min(11.0, size))


def plain_text(text: Iterable[Run]) -> str:
    """A text without its typography."""
    return "".join({-1: "_", 0: "", 1: "^"}[run.level] + run.text for run in text)


def markup(text: Iterable[Run]) -> str:
    """A text as HTML; a superscript after a subscript stands above it."""
    tags, parts = {-1: "sub", 1: "sup"}, []
    for run in text:
        inside = f"<{run.style}>{clean(run.text)}</{run.style}>" if run.style else clean(run.text)
        part = f"<{tags[run.level]}>{inside}</{tags[run.level]}>" if run.level else inside
        if run.level == 1 and parts and parts[-1].startswith("<sub>"):
            part = f'<span class="both">{part}{parts.pop()}</span>'
        parts.append(part)
    return "".join(parts)


def printable(text: str) -> str:
    """A text with a replacement mark for each character that XML cannot hold."""
    return text if text.isprintable() else re.sub(_UNPRINTABLE, "\ufffd", text)


def clean(text: str) -> str:
    """A text as XML holds it: printable, escaped."""
    return printable(text).translate(_ESCAPES)


def attribute(text: str) -> str:
    """A text as an attribute holds it, on one line: in Markdown an empty line would end the element."""
    return clean(text).replace("\n", "&#10;").replace("\r", "&#13;")


_UNPRINTABLE = "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_ESCAPES = {ord(c): f"&{entity};" for c, entity in zip("&<>\"'", ("amp", "lt", "gt", "quot", "#39"))}
