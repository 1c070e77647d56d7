"""Watching a training while it runs: one picture, redrawn in place, and what remains of it, a film and a contact sheet.

`Live` is a callback for `fit`. Its picture shows the decision boundary, the map of every neuron and the cost. It needs
matplotlib, and no widgets; a notebook keeps the last picture.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nn.evaluation import layers_of
from nn.plots import PALETTE, ActivationMap, activation_maps, checked_plane, new_figure, plot_decision_boundary

if TYPE_CHECKING:
    import numpy as np

REST = 2.0  # after a drawing, training goes on for at least so many times as long as it took
FRAMES = 64  # moments that are kept for a film; when there are more, every other one is dropped
WIDTH, HEIGHT, DOTS = 9.6, 3.1, 100  # of the picture, in inches and dots per inch; 960 dots wide
ROWS, COLUMNS = 6, (8, 9, 10)  # of neurons' maps for which there is room; more columns where there are many


class Live:
    """A callback for `fit` that redraws one picture in place: boundary, neurons' maps, cost.

    Args:
        X, y: the points in the plane that are drawn, (n, 2) and (n,).
        every: seconds between two drawings, at least; drawing takes a third of the time at most.

    Attributes:
        figure: the matplotlib figure of the last drawing.
        moments: (epoch, state_dict, cost so far) of up to 64 epochs, for the film.

    It draws the first epoch, the last one, however training ends, and what lies between as time allows.

    >>> from nn import MLP, Adam, Live, fit, hinge, moons
    >>> X, y = moons(60, seed=0)
    >>> model, live = MLP(2, [4, 1], "tanh", seed=0), Live(X, y)
    >>> history = fit(model, X, 2 * y - 1, loss=hinge, optimizer=Adam(model.parameters(), lr=0.05), epochs=5,
    ...               progress=False, callbacks=[live])
    >>> [epoch for epoch, _, _ in live.moments], history.film is live
    ([0, 1, 2, 3, 4], True)
    """

    def __init__(self, X: Any, y: Any, every: float = 0.1):
        self.X, self.y, self.every = checked_plane(X), y, every
        self.figure: Any = None
        self.moments: list[tuple[int, dict[str, np.ndarray], list[float]]] = []
        self.model: Any = None
        self._stride, self._next, self._display = 1, 0.0, None

    def __call__(self, epoch: int, history: Any, model: Any) -> None:
        """Keep the moment, and draw it if it is time."""
        if epoch == 0:
            self.moments, self._stride, self._next = [], 1, 0.0
        history.film, self.model = self, model
        if epoch % self._stride == 0:
            if len(self.moments) == FRAMES:
                del self.moments[1::2]
                self._stride *= 2
            if epoch % self._stride == 0:
                self.moments.append((epoch, model.state_dict(), list(history.cost)))
        if time.monotonic() >= self._next:
            self.draw(epoch, history.cost)

    def end(self, history: Any, model: Any) -> None:
        """Draw what training came to."""
        if not len(history):
            return
        history.film, self.model = self, model
        last = len(history) - 1
        self.moments = [moment for moment in self.moments if moment[0] < last]
        self.moments.append((last, model.state_dict(), list(history.cost)))
        self.draw(last, history.cost)

    def draw(self, epoch: int, cost: list[float]) -> None:
        """Draw the model as it is, and show the picture in the place of the one before."""
        start = time.monotonic()
        self.figure = portrait(self.model, self.X, self.y, epoch, cost, self.figure)
        self._show()
        took = time.monotonic() - start
        self._next = start + took + max(self.every - took, REST * took)

    def _show(self) -> None:
        """Put the picture where the last one is, in a notebook; elsewhere there is no such place."""
        display = notebook_display()
        if display is None:
            return
        image = {"image/png": figure_png(self.figure, scale=1.5), "text/plain": repr(self)}
        sizes = {"image/png": {"width": round(WIDTH * DOTS), "height": round(HEIGHT * DOTS)}}
        if self._display is None:
            self._display = display(image, metadata=sizes, raw=True, display_id=True)
        else:
            self._display.update(image, metadata=sizes, raw=True)

    def movie(self, path: str | os.PathLike[str], fps: int = 10) -> None:
        """Write the kept moments as an animated GIF; the last one stands still for two seconds.

        Raises:
            ValueError: nothing was watched yet, or the path does not end in .gif.
        """
        if not str(path).lower().endswith(".gif"):
            raise ValueError(f"a movie is written as .gif, not {os.fspath(path)!r}")
        from matplotlib.animation import PillowWriter

        figure = self._frame(0, None)
        writer = PillowWriter(fps=fps)
        with writer.saving(figure, os.fspath(path), dpi=DOTS):
            for number in [*range(len(self.moments)), *[-1] * (2 * fps)]:
                self._frame(number, figure)
                writer.grab_frame()
        self._restore()

    def sheet(self, count: int = 8) -> Any:
        """A contact sheet: the decision boundary at so many moments, early ones closer together. Returns the figure."""
        self._frame(0, None)
        last = len(self.moments) - 1
        chosen = sorted({round(last * (k / max(1, count - 1)) ** 2) for k in range(count)})
        columns = min(4, len(chosen))
        rows = -(-len(chosen) // columns)
        figure = new_figure(figsize=(2.3 * columns, 2.2 * rows))
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax, k in zip(axes, chosen):
            epoch, state, cost = self.moments[k]
            self.model.load_state_dict(state)
            boundary(self.model, self.X, self.y, ax)
            ax.set_title(f"epoch {epoch + 1}, cost {cost[-1]:.2g}", fontsize=8)
        for ax in axes[len(chosen) :]:
            ax.set_visible(False)
        self._restore()
        return figure

    def _frame(self, number: int, figure: Any) -> Any:
        """The picture of one moment."""
        if not self.moments:
            raise ValueError("nothing was watched yet: pass the callback to fit first, fit(..., callbacks=[live])")
        epoch, state, cost = self.moments[number]
        self.model.load_state_dict(state)
        return portrait(self.model, self.X, self.y, epoch, cost, figure, self.moments[-1][2])

    def _restore(self) -> None:
        """Leave the model as training left it."""
        self.model.load_state_dict(self.moments[-1][1])

    def _repr_png_(self) -> bytes | None:
        return None if self.figure is None else figure_png(self.figure)

    def __repr__(self) -> str:
        return f"Live({len(self.moments)} moments of a training)"


def notebook_display() -> Callable[..., Any] | None:
    """IPython's display, where there is a notebook that can show a picture."""
    try:
        from IPython.core.getipython import get_ipython
        from IPython.display import display
    except ImportError:
        return None
    shell = get_ipython()
    return display if shell is not None and hasattr(shell, "kernel") else None


def portrait(
    model: Any, X: Any, y: Any, epoch: int, cost: list[float], figure: Any = None, whole: list[float] | None = None
) -> Any:
    """Boundary, maps of the neurons and cost, side by side, on one figure, which is cleared before. Returns it.

    Args:
        whole: the cost of all epochs, whose range the axes of the cost have; without it they have that of `cost`.
    """
    if figure is None:
        figure = new_figure(figsize=(WIDTH, HEIGHT), dpi=DOTS)
    figure.clear()
    layers = layers_of(model)
    over_plane = bool(layers) and layers[0].n_in == 2
    left, *middle, right = figure.subfigures(1, 2 + over_plane, width_ratios=[1.0, *[1.5] * over_plane, 0.85])
    boundary(model, X, y, left.subplots())
    left.suptitle(f"epoch {epoch + 1}", fontsize=9)
    for part in middle:
        maps(activation_maps(model, X, resolution=32), part)
    curve(cost, whole or cost, right.subplots())
    return figure


def boundary(model: Any, X: Any, y: Any, ax: Any) -> None:
    """The decision boundary, without legend and scale."""
    plot_decision_boundary(model, X, y, ax, resolution=80)
    ax.get_legend().remove()
    for bar in [image.colorbar for image in ax.images if image.colorbar]:
        bar.remove()
    ax.set(xlabel="", ylabel="", xticks=[], yticks=[])


def maps(layers: list[list[ActivationMap]], part: Any) -> None:
    """The maps of the neurons, layer below layer; where there is no room for all, of as many as there is room for."""
    rows = rows_of_maps(layers)
    shown, neurons = sum(map(len, rows)), sum(map(len, layers))
    if shown < neurons:
        part.suptitle(f"{shown} of {neurons} neurons", fontsize=9)
    axes = part.subplots(len(rows), max(map(len, rows)), squeeze=False)
    for places, row in zip(axes, rows):
        for ax in places[len(row) :]:
            ax.set_visible(False)
        for ax, neuron in zip(places, row):
            neuron.draw(ax, fontsize=7)


def rows_of_maps(layers: list[list[ActivationMap]]) -> list[list[ActivationMap]]:
    """The layers in rows of about equal length: the last ones, a row for each, and further rows for the wide ones."""
    layers = layers[-ROWS:]
    rows_in = lambda columns: [-(-len(layer) // columns) for layer in layers]  # noqa: E731
    columns = next((columns for columns in COLUMNS if sum(rows_in(columns)) <= ROWS), COLUMNS[-1])
    wanted, given = rows_in(columns), [1] * len(layers)
    while sum(given) < ROWS and given != wanted:
        given[min((i for i, n in enumerate(given) if n < wanted[i]), key=given.__getitem__)] += 1
    rows = []
    for layer, n in zip(layers, given):
        length = min(columns, -(-len(layer) // n))
        rows += [layer[k * length : (k + 1) * length] for k in range(n)]
    return rows


def curve(cost: list[float], whole: list[float], ax: Any) -> None:
    """The cost over the epochs."""
    ax.plot(range(1, len(cost) + 1), cost, color=PALETTE[0])
    ax.set_xlim(0.5, len(whole) + 0.5)
    low, high = min(whole), max(whole)
    if low > 0 and high > 30 * low:
        ax.set_yscale("log")
        ax.set_ylim(low / 1.2, high * 1.2)
    elif high > low:
        ax.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    ax.set_title(f"cost {cost[-1]:.3g}", fontsize=9)
    ax.tick_params(labelsize=7)
    ax.spines[["top", "right"]].set_visible(False)


def figure_png(figure: Any, scale: float = 1.0) -> bytes:
    """The picture as PNG, in 128 colours: a quarter of the bytes, and no difference that one sees."""
    from PIL import Image

    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DOTS * scale, facecolor="white")
    Image.open(drawn).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    return small.getvalue()
