"""Seeing a model: its training, what it does over the plane, its weights, its mistakes.

Every function draws on axes that are passed in or makes its own, and returns them. Only they need matplotlib.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nn.checks import columns_of, count, table
from nn.evaluation import (
    class_names,
    confusion_matrix,
    inputs,
    layers_of,
    outputs_are_probabilities,
    outputs_of_rows,
    predict,
    threshold_of,
    true_classes,
)

if TYPE_CHECKING:
    import numpy as np

# Okabe and Ito's colours, told apart by colour-blind readers too; the first two are those of classes 0 and 1
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#7f7f7f", "#8c564b", "#000000")
MISSING = "plots need matplotlib: pip install matplotlib, or pip install 'glassgrad[notebook]'"
LOW, MIDDLE, HIGH = PALETTE[0], "#f7f7f7", PALETTE[1]


def plot_history(history: Any, ax: Any = None) -> Any:
    """Draw the cost, and the validation cost, over the epochs, and metrics on an axis at the right. Returns the axes.

    Several runs, given as a mapping from name to history, are compared by their costs alone. The cost's axis is
    logarithmic where the cost falls by a factor of 30 or more.
    """
    ax = axes_given(ax, figsize=(6.4, 3.8))
    if isinstance(history, Mapping):
        for k, (name, run) in enumerate(history.items()):
            curve_drawn(ax, run.cost, color=colour_of(k), label=name)
        return finished(ax, [cost for run in history.values() for cost in run.cost])
    curves = history.to_dict()
    costs = {name: curve for name, curve in curves.items() if name in ("cost", "validation_cost") and curve}
    lines = []
    for (name, curve), style in zip(costs.items(), ("-", "--")):
        lines += curve_drawn(ax, curve, style, color=PALETTE[0], label=name.replace("_", " "))
    finished(ax, [cost for curve in costs.values() for cost in curve])
    ax.yaxis.label.set_color(PALETTE[0])
    metrics = {name: curve for name, curve in curves.items() if name not in costs and curve}
    if metrics:
        right = ax.twinx()
        names = [name for name in metrics if not name.startswith("validation_")]
        for name, curve in metrics.items():
            colour = PALETTE[1 + names.index(name.removeprefix("validation_")) % 5]
            style = "--" if name.startswith("validation_") else "-"
            lines += curve_drawn(right, curve, style, color=colour, label=name.replace("_", " "))
        right.set_ylabel(" and ".join(name.replace("_", " ") for name in names), color=PALETTE[1])
        right.spines[["top", "left"]].set_visible(False)
    if ax.get_legend():
        ax.get_legend().remove()
    if len(lines) > 1:
        place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": min(4, len(lines))}
        ax.legend(handles=lines, frameon=False, fontsize="small", **place)
    return ax


def finished(ax: Any, costs: list[float]) -> Any:
    """Axes on which costs are drawn over the epochs, with all that is not a curve."""
    if costs and min(costs) > 0 and max(costs) > 30 * min(costs):
        ax.set_yscale("log")
    ax.set(xlabel="epoch", ylabel="cost")
    ax.margins(x=0.01)
    tidy(ax)
    if len(ax.lines) > 1:
        ax.legend(frameon=False)
    return ax


def plot_decision_boundary(model: Any, X: Any, y: Any, ax: Any = None, resolution: int = 200) -> Any:
    """Colour the plane by what the model makes of each point, with the training points on it. Returns the axes.

    With one output the colour is the output itself; the boundary, where `classify` cuts it, is a solid line, and the
    margins, -1 and 1 where that is at 0, are dashed. With several outputs the colour is that of the largest, paler
    where it leads by little, and the boundaries are where two of them are equal.
    """
    import numpy as np

    colors = of_matplotlib("colors")

    names, X = columns_of(X), checked_plane(inputs(model, X))
    classes, resolution = true_classes(model, predict(model, X), y), count(resolution, "resolution", 2)
    ax = axes_given(ax, figsize=(5.2, 4.2))
    x1, x2, points = plane(X, resolution)
    outputs = outputs_of_rows(model, points)
    extent = (x1[0], x1[-1], x2[0], x2[-1])
    if outputs.shape[1] == 1:
        middle = threshold_of(model)
        height = outputs.reshape(resolution, resolution) - middle
        reach = max(0.5 if outputs_are_probabilities(model) or middle else 1.5, float(np.quantile(np.abs(height), 0.9)))
        colours = colors.LinearSegmentedColormap.from_list("signed", [LOW, MIDDLE, HIGH])
        picture = ax.imshow(
            height + middle,
            origin="lower",
            extent=extent,
            cmap=colours,
            vmin=middle - reach,
            vmax=middle + reach,
            alpha=0.55,
            aspect="auto",
            interpolation="none",
        )
        ends = "neither" if np.abs(height).max() <= reach else "both"
        ax.figure.colorbar(picture, ax=ax, label="output of the model", extend=ends).outline.set_visible(False)
        margins = [] if middle else [-1.0, 1.0]
        lines = [(level, style) for level, style in ((0.0, "-"), *((m, "--") for m in margins))]
        for level, style in lines:
            if height.min() < level < height.max():
                width = 1.8 if level == 0 else 1.0
                ax.contour(x1, x2, height, levels=[level], colors="#333333", linewidths=width, linestyles=style)
    else:
        largest = outputs.argmax(axis=1)
        two = np.sort(outputs, axis=1)[:, -2:]
        lead = 1 - np.exp(-(two[:, 1] - two[:, 0]))
        palette = np.array([colors.to_rgb(colour_of(k)) for k in range(outputs.shape[1])])
        strength = (0.12 + 0.38 * lead)[:, None]
        image = 1 - strength * (1 - palette[largest])
        ax.imshow(
            image.reshape(resolution, resolution, 3), origin="lower", extent=extent, aspect="auto", interpolation="none"
        )
        for k in range(outputs.shape[1]):
            others = np.delete(outputs, k, axis=1).max(axis=1)
            ahead = (outputs[:, k] - others).reshape(resolution, resolution)
            if ahead.min() < 0 < ahead.max():
                ax.contour(x1, x2, ahead, levels=[0.0], colors="#333333", linewidths=1.2)
    labels = class_names(model) or [f"class {k}" for k in range(max(2, outputs.shape[1]))]
    for k in sorted(set(classes.tolist())):
        here = X[classes == k]
        ax.scatter(*here.T, s=26, color=colour_of(k), edgecolor="white", linewidth=0.7, label=labels[k], zorder=3)
    across, up = model.columns if getattr(model, "columns", None) else names or ("$x_0$", "$x_1$")
    ax.set(xlabel=across, ylabel=up, xlim=extent[:2], ylim=extent[2:])
    ax.legend(fontsize="small", framealpha=0.85)
    return ax


def plot_activations(model: Any, X: Any, axes: Any = None, resolution: int = 80) -> Any:
    """Draw the activation of every neuron of an MLP over the plane, a row per layer. Returns the array of axes.

    Each map has its own scale, blue below 0, orange above, and its range under it; the line is where it is 0.
    """
    import numpy as np

    layers = activation_maps(model, X, resolution)
    columns = max(map(len, layers))
    if axes is None:
        size = max(0.6, min(1.6, 10 / columns))
        axes = new_axes(len(layers), columns, squeeze=False, figsize=(size * columns, (size + 0.42) * len(layers)))
    axes = np.atleast_1d(np.asarray(axes, object))
    if axes.size < len(layers) * columns:
        raise ValueError(f"{len(layers)} layers of up to {columns} neurons need as many axes, not {axes.size}")
    axes = axes.ravel()[: len(layers) * columns].reshape(len(layers), columns)
    for row, neurons in zip(axes, layers):
        for ax in row[len(neurons) :]:
            ax.set_visible(False)
        for ax, neuron in zip(row, neurons):
            neuron.draw(ax)
            low, high = neuron.image.min(), neuron.image.max()
            ax.set_xlabel(f"{low:.2g} to {high:.2g}", fontsize=6, labelpad=1.5)
    return rows_of_axes(axes)


class ActivationMap(NamedTuple):
    """What one neuron gives over the plane: its label, the image, and the coordinates of its columns and rows."""

    label: str
    image: Any
    x1: Any
    x2: Any

    def draw(self, ax: Any, fontsize: float = 8) -> None:
        """The map on its own scale, below 0 and above, with a line where it is 0."""
        colours = of_matplotlib("colors").LinearSegmentedColormap.from_list("signed", [LOW, "#ffffff", HIGH])
        reach = max(1e-12, float(abs(self.image).max()))
        extent = (self.x1[0], self.x1[-1], self.x2[0], self.x2[-1])
        scale = {"cmap": colours, "vmin": -reach, "vmax": reach}
        ax.imshow(self.image, origin="lower", extent=extent, aspect="auto", interpolation="none", **scale)
        if self.image.min() < 0 < self.image.max():
            ax.contour(self.x1, self.x2, self.image, levels=[0.0], colors="#333333", linewidths=0.8)
        ax.set(xticks=[], yticks=[])
        ax.set_title(self.label, fontsize=fontsize, pad=fontsize / 2)
        ax.spines[:].set_linewidth(0.4)


def activation_maps(model: Any, X: Any, resolution: int) -> list[list[ActivationMap]]:
    """The map of every neuron, a list for each layer; a ValueError unless there are layers over a plane."""
    layers = layers_of(model)
    if not layers or layers[0].n_in != 2:
        raise ValueError(f"activation maps need layers over a plane, 2 inputs; {model} has another shape")
    resolution = count(resolution, "resolution", 2)
    x1, x2, points = plane(checked_plane(inputs(model, X)), resolution)

    def every_activation(x: list[Any]) -> list[Any]:
        activations: list[Any] = []
        for layer in layers:
            x = layer(x)
            activations += x
        return activations

    images = iter(outputs_of_rows(every_activation, points).T.reshape(-1, resolution, resolution))
    return [
        [ActivationMap(label_of(layer, number, j), next(images), x1, x2) for j in range(layer.n_out)]
        for number, layer in enumerate(layers, 1)
    ]


def plot_histograms(model: Any, axes: Any = None) -> Any:
    """Draw the distribution of the weights and of their gradients, a row per layer. Returns the axes (layers, 2).

    The gradients are those of the last `backward()`.
    """
    import numpy as np

    layers = layers_of(model)
    if not layers:
        raise ValueError(f"{model} has no layers whose weights could be drawn")
    if axes is None:
        axes = new_axes(len(layers), 2, squeeze=False, figsize=(7.6, 1.3 + 1.35 * len(layers)))
    axes = np.asarray(axes, object).reshape(len(layers), 2)
    for number, (row, layer) in enumerate(zip(axes, layers), 1):
        weights = [w for neuron in layer.neurons for w in neuron.w]
        drawn = (
            ("weights", [w.data for w in weights], PALETTE[0]),
            ("gradients", [w.grad for w in weights], PALETTE[1]),
        )
        for ax, (name, numbers, colour) in zip(row, drawn):
            spread = float(np.std(numbers))
            ax.hist(numbers, bins=min(40, 5 + len(numbers) // 6), color=colour, alpha=0.8)
            ax.axvline(0.0, color="#333333", linewidth=0.8)
            note = f"standard deviation {spread:.2g}" if any(numbers) else "all 0: no backward pass yet"
            ax.set_title(f"layer {number}, {name}: {note}", fontsize="small")
            ax.set_yticks([])
            tidy(ax)
            ax.spines["left"].set_visible(False)
    return rows_of_axes(axes)


def plot_confusion(model: Any, X: Any, y: Any, names: Any = None, ax: Any = None) -> Any:
    """Draw how many examples of each class (row) the model takes for which (column). Returns the axes."""
    counts = confusion_matrix(model, X, y)
    n = len(counts)
    names = [str(name) for name in (class_names(model) or range(n) if names is None else names)]
    if len(names) != n:
        raise ValueError(f"the model tells {n} classes apart, but there are {len(names)} names")
    ax = axes_given(ax, figsize=(1.8 + 0.42 * n, 1.5 + 0.42 * n))
    share = counts / counts.sum(axis=1, keepdims=True).clip(1)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for i in range(n):
        for j in range(n):
            if counts[i, j]:
                ax.text(j, i, counts[i, j], ha="center", va="center", color="white" if share[i, j] > 0.5 else "#222222")
    ax.set(xticks=range(n), yticks=range(n), xlabel="predicted", ylabel="true")
    turned = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if max(map(len, names)) > 3 else {}
    ax.set_xticklabels(names, **turned)
    ax.set_yticklabels(names)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax


def plot_images(
    images: Any, titles: Sequence[Any] | None = None, columns: int = 10, axes: Any = None, signed: bool = False
) -> Any:
    """Draw rows of numbers as square pictures, such as digits, or the weights of a neuron that sees digits.

    Args:
        images: a table (n, side * side).
        titles: what is written over each.
        columns: how many stand side by side.
        axes: at least n axes, in any shape.
        signed: whether 0 is white, orange above and blue below; else 0 is white, and black the largest number.

    Returns the array of axes.
    """
    import numpy as np

    colors = of_matplotlib("colors")

    images = table(images, "images")
    side = math.isqrt(images.shape[1])
    if side * side != images.shape[1]:
        raise ValueError(f"a square picture has 4, 9, 16, ... numbers, not {images.shape[1]}")
    columns = min(count(columns, "columns"), len(images))
    titles = None if titles is None else [str(title) for title in titles]
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"{len(images)} pictures need as many titles, not {len(titles)}")
    rows = -(-len(images) // columns)
    given = axes is not None
    if not given:
        height = 0.85 + 0.22 * (titles is not None) + 0.1 * any("\n" in title for title in titles or ())
        axes = new_axes(rows, columns, squeeze=False, figsize=(0.85 * columns, height * rows))
    axes = np.atleast_1d(np.asarray(axes, object))
    if axes.size < len(images):
        raise ValueError(f"{len(images)} pictures need as many axes, not {axes.size}")
    top = float(np.abs(images).max()) or 1.0
    shades = colors.LinearSegmentedColormap.from_list("signed", [LOW, "#ffffff", HIGH]) if signed else "gray_r"
    for i, ax in enumerate(axes.ravel()):
        ax.axis("off")
        if i < len(images):
            low = -top if signed else 0.0
            ax.imshow(images[i].reshape(side, side), cmap=shades, vmin=low, vmax=top, interpolation="none")
            if titles is not None:
                ax.set_title(titles[i], fontsize=8, pad=2)
    return axes if given else rows_of_axes(axes)


class Stages:
    """A callback for `fit` that draws the decision boundary at some epochs, side by side, and the cost.

    Args:
        X, y: the points that are drawn.
        epochs: as many as `fit` is called with.
        count: how many moments are shown, the first and the last epoch among them.

    Attributes:
        axes: one for each moment, and one for the cost.
    """

    def __init__(self, X: Any, y: Any, epochs: int, count: int = 4):
        self.X, self.y, self.moments = X, y, moments(epochs, count)
        panels = len(self.moments) + 1
        self.axes = new_axes(1, panels, squeeze=False, figsize=(3 * panels, 2.9))[0]

    def __call__(self, epoch: int, history: Any, model: Any) -> None:
        """Draw the boundary, if this is one of the moments, and the cost so far."""
        if epoch in self.moments:
            ax = self.axes[self.moments.index(epoch)]
            plot_decision_boundary(model, self.X, self.y, ax, resolution=100)
            ax.get_legend().remove()
            for bar in [image.colorbar for image in ax.images if image.colorbar]:
                bar.remove()
            ax.set(title=f"epoch {epoch + 1}", xlabel="", ylabel="", xticks=[], yticks=[])
        ax = self.axes[-1]
        ax.clear()
        curve_drawn(ax, history.cost, color=PALETTE[0])
        finished(ax, history.cost)
        ax.set(title=f"cost, down to {min(history.cost):.2g}", ylabel="")


def moments(epochs: int, number: int) -> list[int]:
    """So many epochs, the first and the last among them: early ones change the most, so in equal steps of a root."""
    epochs, number = count(epochs, "epochs"), count(number, "count")
    return sorted({round((epochs - 1) * (i / max(1, number - 1)) ** 2) for i in range(number)})


# What the plots share -----------------------------------------------------------------------------------------------


def of_matplotlib(module: str) -> Any:
    """A module of matplotlib's, or an error that says how to get it."""
    try:
        return importlib.import_module(f"matplotlib.{module}")
    except ImportError:
        raise ImportError(MISSING) from None


def new_axes(*shape: int, **settings: Any) -> Any:
    """Axes of a new figure."""
    plt = of_matplotlib("pyplot")
    if "inline" in plt.get_backend():  # in a notebook: twice the dots, at the same size
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("retina")
    return plt.subplots(*shape, layout="constrained", **settings)[1]


def rows_of_axes(axes: Any) -> Any:
    """An array of axes that prints as what it is: on the last line of a cell the picture counts, not the list."""
    import numpy as np

    class Axes(np.ndarray):
        def __repr__(self) -> str:
            return f"<{' x '.join(map(str, self.shape))} axes>" if self.ndim else repr(self.item())

    return np.asarray(axes, object).view(Axes)


def axes_given(ax: Any, **settings: Any) -> Any:
    """The axes to draw on: those that are given, or new ones."""
    if ax is None:
        return new_axes(**settings)
    if not hasattr(ax, "imshow"):
        raise TypeError(f"ax is one Axes of matplotlib's, such as plt.subplots()[1], not {type(ax).__name__}")
    return ax


def curve_drawn(ax: Any, curve: Sequence[float], style: str = "-", **settings: Any) -> list[Any]:
    """A curve over the epochs; a single epoch as a point."""
    marker = "o" if len(curve) == 1 else None
    return ax.plot(range(1, len(curve) + 1), curve, style, marker=marker, **settings)


def new_figure(**settings: Any) -> Any:
    """A figure of its own, which no window and no notebook shows by itself."""
    return of_matplotlib("figure").Figure(layout="constrained", **settings)


def tidy(ax: Any) -> None:
    """Leave out the lines at the top and at the right."""
    ax.spines[["top", "right"]].set_visible(False)


def colour_of(k: int) -> str:
    """The colour of a class: one of ten that are easily told apart, then ever new ones."""
    import colorsys

    if k < len(PALETTE):
        return PALETTE[k]
    # steps by the golden ratio fill the circle of hues evenly, however many there are
    rgb = colorsys.hls_to_rgb(k * 0.618034 % 1, 0.35 + 0.3 * (k % 2), 0.65)
    return "#" + "".join(f"{round(255 * x):02x}" for x in rgb)


def label_of(layer: Any, number: int, j: int) -> str:
    """A neuron's name, as mathematics."""
    symbol = "z" if layer.neurons[j].activation == "linear" else "a"
    return f"${symbol}_{{{j}}}^{{({number})}}$"


def checked_plane(X: Any) -> np.ndarray:
    """X as a table of points in the plane."""
    X = table(X)
    if X.shape[1] != 2:
        raise ValueError(f"this picture is of the plane, for models with 2 inputs; X has {X.shape[1]} columns")
    return X


def plane(X: np.ndarray, resolution: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A grid over the points and a little more: its two coordinates, and all of its points as a table."""
    import numpy as np

    low, high = X.min(axis=0), X.max(axis=0)
    room = np.where(high > low, 0.12 * (high - low), 1.0)
    x1, x2 = (np.linspace(low[k] - room[k], high[k] + room[k], resolution) for k in (0, 1))
    return x1, x2, np.stack(np.meshgrid(x1, x2), axis=-1).reshape(-1, 2)
