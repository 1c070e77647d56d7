"""Judging a model: what it predicts, and how often it is right."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import autograd
from autograd import Value
from autograd.recording import tracing
from nn.checks import class_indices, named_classes, real, same_length, table, targets
from nn.layers import Layer
from nn.losses import as_list
from nn.module import Module

if TYPE_CHECKING:
    import numpy as np


MANY = 32  # rows for which compiling takes less time than it saves


def predict(model: Any, X: Any) -> np.ndarray:
    """The model's raw outputs for each row of X (n, d): (n,) for one output, else (n, n_out).

    >>> from nn import MLP
    >>> predict(MLP(2, [3], seed=0), [[0.0, 0.0], [1.0, 2.0]]).shape
    (2, 3)
    """
    outputs = outputs_of_rows(model, inputs(model, X))
    return outputs[:, 0] if outputs.shape[1] == 1 else outputs


def inputs(model: Any, X: Any, name: str = "X") -> np.ndarray:
    """X as a table (n, d), a frame's columns in the order in which the model was trained on them."""
    if not callable(model) or isinstance(model, type):
        raise TypeError(f"a model is called with one example, as an MLP is; {model!r} cannot be")
    return table(X, name, getattr(model, "columns", None))


def outputs_of_rows(function: Callable[[list[Any]], Any], X: np.ndarray) -> np.ndarray:
    """The outputs of a function of one example, for each row of X, as an array (n, n_out).

    For many rows the function is compiled; if it branches on its numbers it is called row by row.
    """

    rows = X.tolist()
    first = eager(function, rows[:1])
    if len(rows) >= MANY:
        program = program_of(function, rows[0])
        if program is not None:
            compiled = program.forward(None, X).reshape(len(X), -1)
            # else the function reads .data, draws random numbers, or was changed
            if compiled.shape[1] == first.shape[1] and abs(compiled[0] - first[0]).max() <= 1e-9 * (
                1 + abs(first[0]).max()
            ):
                return compiled
    return eager(function, rows)


_kept: ContextVar[dict[int, Any] | None] = ContextVar("_kept", default=None)


@contextmanager
def compiled_once() -> Iterator[None]:
    """Within this context a model is compiled when it is first evaluated, and not again when its parameters change."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def program_of(function: Callable[[list[Any]], Any], row: list[float]) -> Any:
    """The compiled program of a function of one example; None if it cannot be compiled."""
    kept = _kept.get()
    if kept is not None and id(function) in kept:
        return kept[id(function)][1]
    x = [Value(number) for number in row]
    try:
        with tracing():
            outputs = as_list(function(x))
        program = autograd.compile(outputs, inputs=x)
    except TypeError:
        program = None
    if kept is not None:
        kept[id(function)] = function, program  # the function, too, so that its id is not given away
    return program


def eager(function: Callable[[list[Any]], Any], rows: list[list[float]]) -> np.ndarray:
    """The outputs of a function, called row by row, as an array (n, n_out)."""
    import numpy as np

    return np.array([[real(a, "a model", "returns Values or numbers") for a in as_list(function(row))] for row in rows])


def classify(model: Any, X: Any, threshold: float | None = None) -> np.ndarray:
    """The class that the model gives to each row of X: the largest output, or for one output 0 or 1, as indices.

    A model that was trained on classes with names gives the names. One output means class 1 where it is above
    `threshold`; without one above 0, above 0.5 if a sigmoid computes it or `fit` trained it on targets 0 and 1 by a
    regression loss such as `squared_error`.
    """
    import numpy as np

    guess = decided(model, predict(model, X), threshold)
    classes = class_names(model)
    return guess if classes is None else np.array([classes[k] for k in guess])


def accuracy(model: Any, X: Any, y: Any, threshold: float | None = None) -> float:
    """The fraction of examples whose class the model gets right.

    With several outputs the largest one counts, and y holds class indices or one-hot rows; with one output the side of
    the threshold on which it lies, as in `classify`, and y holds -1 and 1 or 0 and 1. Where the model was trained on
    classes with names, y may hold these.

    Raises:
        ValueError: where an output is nan, which is no class.
    """
    outputs = predict(model, X)
    return float((true_classes(model, outputs, y) == decided(model, outputs, threshold)).mean())


def confusion_matrix(model: Any, X: Any, y: Any, threshold: float | None = None) -> np.ndarray:
    """How many examples of each class (row) the model takes for which (column): integers (classes, classes)."""
    import numpy as np

    outputs = predict(model, X)
    truth, guess = true_classes(model, outputs, y), decided(model, outputs, threshold)
    classes = 2 if outputs.ndim == 1 else outputs.shape[1]
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (truth, guess), 1)
    return counts


def r2(model: Any, X: Any, y: Any) -> float:
    """1 - (sum of squared errors) / (sum of squares about the mean), the mean of it over several outputs.

    1 is perfect, 0 no better than the mean of y, and below 0 worse. Where y is constant it is 1 if all predictions are
    right and else 0.

    >>> from nn import MLP, line
    >>> X, y = line(50, seed=0)
    >>> r2(lambda x: 2 * x[0] - 1, X, y) > 0.98
    True
    """
    import numpy as np

    outputs, y = predict(model, X), targets(y)
    same_length(outputs, y)
    if outputs.size != y.size:
        raise ValueError(f"the model's predictions have shape {outputs.shape}, but y has {y.shape}")
    outputs, y = outputs.reshape(len(y), -1), y.reshape(len(y), -1)
    error, spread = ((outputs - y) ** 2).sum(axis=0), ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    constant = (y == y[0]).all(axis=0)
    scores = np.where(constant, error == 0, 1 - error / np.where(constant, 1.0, spread))
    return float(scores.mean())


def decided(model: Any, outputs: np.ndarray, threshold: float | None = None) -> np.ndarray:
    """The classes (n,), as indices, that a model's raw outputs stand for."""
    import numpy as np

    if np.isnan(outputs).any():
        row = int(np.argwhere(np.isnan(outputs))[0][0])
        raise ValueError(f"the model's output for X[{row}] is nan, which is no class: its parameters are not finite")
    if outputs.ndim == 2:
        if threshold is not None:
            raise ValueError(f"a threshold cuts one output in two, but the model has {outputs.shape[1]}")
        return outputs.argmax(axis=1)
    return (outputs > threshold_of(model, threshold)).astype(int)


def threshold_of(model: Any, threshold: Any = None) -> float:
    """Above which a model's one output means class 1."""
    if threshold is None:
        kept = getattr(model, "threshold", None)
        return kept if kept is not None else 0.5 if outputs_are_probabilities(model) else 0.0
    if math.isnan(cut := real(threshold, "threshold", "is the number above which an output means class 1")):
        raise ValueError("threshold is the number above which an output means class 1, not nan")
    return cut


def class_names(model: Any) -> list[Any] | None:
    """The names of a model's classes, in the order of its outputs, if it was given any."""
    classes = getattr(model, "classes", None)
    return list(classes) if isinstance(classes, (list, tuple)) else None


def true_classes(model: Any, outputs: np.ndarray, y: Any) -> np.ndarray:
    """Targets as class indices (n,), for a model with such outputs."""
    count, classes = 1 if outputs.ndim == 1 else outputs.shape[1], class_names(model)
    indices = None if classes is None else named_classes(y, classes)
    if indices is not None:
        same_length(outputs, indices)
        return indices
    y = targets(y)
    same_length(outputs, y)
    if y.ndim == 2 and y.shape[1] == count > 1:
        return y.argmax(axis=1)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2:
        raise ValueError(f"the model has {count} output{'s' * (count > 1)}, but y has shape {y.shape}")
    if count > 1:
        return class_indices(y, count)
    found = set(y.tolist())
    if not (found <= {-1, 1} or found <= {0, 1}):
        raise ValueError(
            f"for one output the classes are -1 and 1 or 0 and 1, but y holds {sorted(found)[:5]}; "
            "r2 measures predictions of numbers"
        )
    return (y > 0).astype(int)


def outputs_are_probabilities(model: Any) -> bool:
    """Whether a sigmoid computes a model's outputs."""
    layers = getattr(model, "layers", None)
    return getattr(layers[-1] if layers else model, "activation", "") == "sigmoid"


# What it is made of, and how it fares ------------------------------------------------------------------------------


class PrintedText(str):
    """A text that shows itself in lines, in a notebook and at the prompt."""

    def __repr__(self) -> str:
        return str(self)


def summary(model: Any) -> PrintedText:
    """The layers of a model with their shapes, activations and numbers of parameters, as a table in text.

    >>> from nn import MLP
    >>> summary(MLP(2, [16, 1], "tanh"))
    layer  inputs  outputs  activation  parameters
    1           2       16  tanh                48
    2          16        1  linear              17
    MLP                                         65
    """
    rows = [("layer", "inputs", "outputs", "activation", "parameters")]
    for number, layer in enumerate(layers_of(model), 1):
        activations = " ".join(sorted({neuron.activation for neuron in layer.neurons}))
        rows.append((str(number), str(layer.n_in), str(layer.n_out), activations, str(len(layer.parameters()))))
    rows.append((type(model).__name__, "", "", "", str(len(model.parameters()))))
    return aligned_columns(rows, "<>><>")


def layers_of(model: Any) -> list[Layer]:
    """All layers within a model, in order."""
    if isinstance(model, Layer):
        return [model]
    if not isinstance(model, Module):
        raise TypeError(f"layers are found in a Module, such as an MLP, not in {model!r}")
    return [layer for _, member in model._members() if isinstance(member, Module) for layer in layers_of(member)]


def aligned_columns(rows: Iterable[tuple[str, ...]], sides: str) -> PrintedText:
    """Rows of cells as lines of text, each column as wide as its widest cell."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(f"{cell:{side}{w}}" for cell, side, w in zip(row, sides, widths)).rstrip() for row in rows]
    return PrintedText("\n".join(lines))
