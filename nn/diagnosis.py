"""How the neurons of a model fare: which are dead or saturated, and how large the next step would be."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd import Value
from nn.checks import table
from nn.evaluation import aligned_columns, layers_of
from nn.examples import Examples
from nn.gradients import Eager
from nn.optimizers import Optimizer
from nn.shown import Shown

if TYPE_CHECKING:
    import numpy as np

GREATEST_SLOPE = {"sigmoid": 0.25}  # of the other activations it is about 1
SATURATED = 0.05  # a unit passes less than this part of the greatest slope
USUAL_RATIOS = 1e-4, 1e-1  # of a step's length to that of the weights


class Health:
    """What `health` found: `rows`, a dict per layer, `findings`, a sentence each; `str` gives both."""

    _repr_mimebundle_ = Shown()

    def __init__(self, rows: list[dict[str, Any]], findings: list[str]):
        self.rows, self.findings = rows, findings

    def __bool__(self) -> bool:
        return not self.findings

    def __str__(self) -> str:
        columns = ("layer", "activation", "units", "dead", "saturated")
        cells: list[tuple[str, ...]] = [(*columns, "gradient", "step / weights")]
        for row in self.rows:
            sizes = ("" if row[name] is None else f"{row[name]:.1e}" for name in ("gradient", "ratio"))
            cells.append((*(str(row[name]) for name in columns), *sizes))
        return "\n".join([aligned_columns(cells, "<<>>>>>"), *(self.findings or ["Nothing stands out."])])

    __repr__ = __str__


def health(model: Any, X: Any, y: Any = None, loss: Any = None, optimizer: Any = None) -> Health:
    """A report on the layers of an MLP: units that are dead or saturated on X, and how large the next step would be.

    A unit is dead if none of the examples passes a gradient through it, and saturated if nine tenths of them pass
    less than a twentieth of the activation's greatest slope. With y and loss, the gradient of the weights over all
    examples is computed and its root mean square reported; with an optimizer, too, the next step, which is not taken:
    its length should be a small part of the length of the weights, around 1/1000.

    The report is true where nothing stands out.
    """
    import numpy as np

    X, layers = table(X), layers_of(model)
    if not layers:
        raise ValueError(f"a health report needs layers, and {model} has none")
    slopes: list[list[list[float]]] = [[] for _ in layers]
    for x in X.tolist():
        for found, layer in zip(slopes, layers):
            x = layer(x)
            found.append(
                [1.0 if neuron.activation == "linear" else a.partials[0] for neuron, a in zip(layer.neurons, x)]
            )
    gradient, change = next_step(model, X, y, loss, optimizer)
    rows, findings = [], []
    for number, (layer, found) in enumerate(zip(layers, slopes), 1):
        weights = [w for neuron in layer.neurons for w in neuron.w]
        size = math.hypot(*(w.data for w in weights))
        steepness = np.abs(np.array(found)) / GREATEST_SLOPE.get(layer.activation, 1.0)
        dead = (steepness == 0).all(axis=0)
        saturated = ((steepness < SATURATED).mean(axis=0) >= 0.9) & ~dead
        rows.append(
            {
                "layer": number,
                "activation": layer.activation,
                "units": layer.n_out,
                "dead": int(dead.sum()),
                "saturated": int(saturated.sum()),
                "gradient": norm(gradient, weights) / math.sqrt(len(weights)) if gradient else None,
                "ratio": norm(change, weights) / size if change and size else None,
            }
        )
        findings += sentences(rows[-1])
    return Health(rows, findings)


def next_step(
    model: Any, X: np.ndarray, y: Any, loss: Any, optimizer: Any
) -> tuple[dict[Value, float], dict[Value, float]]:
    """The gradient of each parameter over all examples, and the change that the optimizer would make of it."""
    import numpy as np

    if y is None and loss is None and optimizer is None:
        return {}, {}
    if y is None or loss is None:
        raise TypeError(
            "a gradient follows from y and loss: pass both of them (for the step an optimizer, too), or none"
        )
    if not callable(loss) or isinstance(loss, type):
        raise TypeError(f"loss is a function (output, target) -> Value such as squared_error, not {loss!r}")
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer is an instance, such as Adam(model.parameters()), not {optimizer!r}")
    data, parameters = Examples(model, X, y, loss), model.parameters() if optimizer is None else optimizer.parameters
    theta = np.array([p.data for p in parameters])
    _, gradient = Eager(model, loss, data, parameters).of_batch(theta, np.arange(data.n))
    slopes = dict(zip(parameters, gradient.tolist()))
    if optimizer is None:
        return slopes, {}
    after, _ = optimizer.rule(theta, gradient, optimizer.state, optimizer.learning_rate(), optimizer.steps + 1)
    return slopes, dict(zip(parameters, (after - theta).tolist()))


def norm(numbers: dict[Value, float], weights: list[Value]) -> float:
    """The length of the vector of what belongs to some weights."""
    return math.hypot(*(numbers.get(w, 0.0) for w in weights))


def sentences(row: dict[str, Any]) -> list[str]:
    """What there is to say about a layer, and why."""
    number, dead, saturated, ratio = row["layer"], row["dead"], row["saturated"], row["ratio"]
    said = []
    if dead:
        said.append(
            f"Layer {number}: {dead} of {row['units']} units are dead. Their slope is 0 at every example, so no "
            "gradient passes and they cannot learn; a lower learning rate, leaky_relu, or another seed prevents it."
        )
    if saturated:
        said.append(
            f"Layer {number}: {saturated} of {row['units']} units are saturated. They sit on the flat parts of their "
            f"{row['activation']}, where the slope is almost 0 and learning slow; standardize the inputs, or make the "
            "weights smaller."
        )
    if ratio is not None and ratio > USUAL_RATIOS[1]:
        said.append(
            f"Layer {number}: the next step is {ratio:.1e} of the weights' length. Steps that large jump over the "
            "minimum; lower the learning rate."
        )
    if ratio is not None and ratio < USUAL_RATIOS[0]:
        said.append(
            f"Layer {number}: the next step is {ratio:.1e} of the weights' length. At that pace little is learned: "
            "raise the learning rate, unless training is near its end."
        )
    return said
