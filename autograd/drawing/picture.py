"""A picture: one self-contained SVG that shows itself in a notebook, and leaves it as SVG, PNG or PDF."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from autograd.drawing.files import write_whole
from autograd.explaining.typography import attribute


class Picture:
    """A picture: `.svg` is its text, `.save(path)` writes it; a notebook shows it.

    Attributes:
        svg: the picture, one self-contained SVG file.
        title: what is drawn.
    """

    def __init__(self, svg: str, title: str):
        self.svg, self.title = svg, title

    @property
    def width(self) -> int:
        """The width of the picture, in pixels of the screen."""
        return self._size()[0]

    @property
    def height(self) -> int:
        """The height of the picture, in pixels of the screen."""
        return self._size()[1]

    def _size(self) -> list[int]:
        return [int(x) for x in self.svg.split('viewBox="0 0 ', 1)[1].split('"', 1)[0].split()]

    @property
    def image(self) -> str:
        """The picture as an HTML image: the one form that notebooks show before they are trusted."""
        import base64

        source = base64.b64encode(self.svg.encode()).decode()
        alt = attribute(self.title)
        return f'<img src="data:image/svg+xml;base64,{source}" alt="{alt}" style="max-width:100%;height:auto">'

    def save(self, path: str | os.PathLike[str], *, scale: float = 2.0) -> str:
        """Write the picture to a file, and return its path; the suffix says in which form.

        Args:
            path: ends in .svg, .png or .pdf. The file appears whole, or stays as it was.
            scale: pixels of a .png for each of the screen; 2 is sharp on a dense screen and on paper.

        Raises:
            ValueError: for another suffix, or a scale that is not positive.
            ImportError: for .png and .pdf without vl-convert-python, which `pip install 'glassgrad[export]'` brings.
        """
        suffix, forms = os.path.splitext(os.fspath(path))[1].lower(), self._forms(scale)
        if suffix not in forms:
            *others, last = forms
            raise ValueError(
                f"{self._kind} is saved as {', '.join(others)} or {last}, not as "
                f"{suffix or 'a file without suffix'!r}: the suffix of the path says in which form"
            )
        return write_whole(path, forms[suffix]())

    _kind = "a picture"

    def _forms(self, scale: float) -> dict[str, Callable[[], str | bytes]]:
        """How to write the picture, by suffix."""
        return {".svg": lambda: self.svg, ".png": lambda: png(self.svg, scale), ".pdf": lambda: pdf(self.svg)}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.title!r}, {self.width} x {self.height}: .save('picture.svg')>"

    def _repr_html_(self) -> str:
        return self.image

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "image/svg+xml": self.svg, "text/html": self._repr_html_()}


def png(svg: str, scale: float = 2.0) -> bytes:
    """An SVG as a PNG file with `scale` pixels for each of its own."""
    if not 0 < scale <= 100:
        raise ValueError(
            f"scale is how many pixels stand for one of the screen, above 0 and at most 100: not {scale!r}"
        )
    return _converter("PNG").svg_to_png(svg, scale=float(scale))


def pdf(svg: str) -> bytes:
    """An SVG as a PDF file of one page, its text as text."""
    return _converter("PDF").svg_to_pdf(svg)


def _converter(form: str) -> Any:
    try:
        import vl_convert  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ImportError(
            f"a picture becomes a {form} by vl-convert-python: run pip install 'glassgrad[export]', or save it as .svg"
        ) from error
    return vl_convert
