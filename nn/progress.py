"""How far training is: on a tqdm bar where that is installed, else on a line."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nn.history import History


@contextmanager
def progress_display(epochs: int, wanted: bool, source: object = "") -> Iterator[Callable[[History], None]]:
    """A function that shows how far training is: on a tqdm bar, else on a line, else not at all.

    What `str(source)` says of where the gradients come from stands before it, anew each time.
    """
    if not wanted or sys.stderr is None:  # programs without a console have no standard error
        yield lambda history: None
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tqdm.auto warns where notebooks lack widgets, and then falls back to text
            from tqdm.auto import tqdm  # pyright: ignore[reportMissingModuleSource]
    except ImportError:
        yield from progress_line(epochs, source)
        return
    with tqdm(total=epochs, unit="epoch") as bar:

        def show(history: History) -> None:
            bar.set_description_str(str(source), refresh=False)
            bar.set_postfix_str(latest(history), refresh=False)
            bar.update()

        yield show


def progress_line(epochs: int, source: object) -> Iterator[Callable[[History], None]]:
    """As `progress_display` without tqdm: on a terminal one line that is overwritten, elsewhere ten lines in all."""
    stream, terminal = sys.stderr, bool(getattr(sys.stderr, "isatty", bool)())

    def show(history: History) -> None:
        done = len(history)
        if terminal or done % max(1, epochs // 10) == 0 or done == epochs:
            text = "  ".join(filter(None, (f"epoch {done}/{epochs}", str(source), latest(history))))
            stream.write(f"\r{text}\x1b[K" if terminal else f"{text}\n")
            stream.flush()

    yield show
    if terminal:
        stream.write("\n")


def latest(history: History) -> str:
    """The last number of each curve, in a line."""
    return "  ".join(f"{name} {curve[-1]:.4g}" for name, curve in history.to_dict().items() if curve)
