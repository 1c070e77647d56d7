"""fit: the training loop, as the textbook has it.

The gradient of the mean cost over a batch, a step, the next batch. Where the gradient comes from is `gradients`'
business, what the data must be `examples`', how a step follows from a gradient the optimizer's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograd import Value
from nn.checks import count, random_numbers
from nn.distributed import Distributed, is_collection
from nn.evaluation import compiled_once
from nn.examples import Examples, Loss
from nn.gradients import Compiled, Eager, Gradients, Metric, assign
from nn.history import History
from nn.optimizers import Optimizer, clipping
from nn.progress import progress_display

if TYPE_CHECKING:
    import numpy as np


def fit(
    model: Any,
    X: Any,
    y: Any,
    *,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int = 100,
    batch_size: int | None = None,
    validation: tuple[Any, Any] | None = None,
    metrics: Sequence[Metric] | Mapping[str, Metric] = (),
    penalty: Callable[[Any], Any] | None = None,
    clip_norm: float | None = None,
    patience: int | None = None,
    restore_best: bool = False,
    seed: int = 0,
    compiled: bool = True,
    progress: bool = True,
    callbacks: Iterable[Callable[[int, History, Any], Any]] = (),
    client: Any = None,
) -> History:
    """Train a model in place: move its parameters down the gradient of the mean loss. Returns the `History`.

    Args:
        model: a Module, or anything with `parameters()` that can be called with one example.
        X: the examples, a table (n, d): array, frame or list of lists.
        y: their targets. For one output (n,); for several (n, n_out), or (n,) class indices for `cross_entropy`.
        loss: a function of what the model returns and the target of one example, such as `squared_error`.
        optimizer: an instance, made from the parameters it is to move: `Adam(model.parameters())`.
        epochs: how often all examples are seen.
        batch_size: examples per step, shuffled anew each epoch; None: all of them, in order, one step an epoch.
        validation: (X, y) on which the loss and the metrics are measured after each epoch.
        metrics: functions (model, X, y) -> float such as `accuracy`, measured after each epoch; or name -> function.
        penalty: a function of the model that is added to the cost of every step, as in
            `lambda model: l2_penalty(model.parameters(), 1e-4)`.
        clip_norm: the norm to which a longer gradient is scaled before each step.
        patience: stop after so many epochs in which the validation cost (without validation data, the cost) has not
            fallen below its best.
        restore_best: at the end, go back to the parameters of the epoch with the lowest validation cost.
        seed: of the shuffling. Equal seeds give equal runs, to the bit.
        compiled: replay the cost as a NumPy program; False: build its graph anew for each batch, slower by two orders
            of magnitude. A loss or a model that branches on numbers needs False.
        progress: whether to show the progress: a tqdm bar where that is installed, else a line.
        callbacks: functions (epoch, history, model), called after each epoch, counted from 0; returning True stops.
        client: a `dask.distributed.Client` whose workers compute the gradients. X and y (and validation data) may then
            be dask collections, whose partitions are loaded by the workers; a batch takes its share of every partition,
            and a metric is the mean over partitions. The result is that of the same partitions without a client, to
            the bit.

    An interruption from the keyboard ends training, and returns what was reached.

    Raises:
        TypeError, ValueError: for data that cannot be trained on, before training starts.
        ArithmeticError, ValueError: if a cost stops being finite, naming epoch, example and node. The model has the
            parameters of the last complete step.

    >>> from nn import MLP, SGD, fit, squared_error
    >>> model = MLP(1, [1], seed=0)
    >>> history = fit(model, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], loss=squared_error,
    ...               optimizer=SGD(model.parameters(), lr=0.2), epochs=200, progress=False)
    >>> [round(p.data, 6) for p in model.parameters()], len(history.cost)
    ([2.0, 1.0], 200)
    """
    import numpy as np

    epochs, callbacks = count(epochs, "epochs"), listed_callbacks(callbacks)
    if not callable(loss):
        raise TypeError(f"loss is a function (output, target) -> Value such as squared_error, not {loss!r}")
    measures = named_metrics(metrics)
    parameters = trained_parameters(model, optimizer)
    batch_size = None if batch_size is None else count(batch_size, "batch_size")
    if clip_norm is not None:
        clipping([0.0], clip_norm)
    if restore_best and validation is None:
        raise ValueError("restore_best goes by the validation cost: pass validation=(X, y)")
    best = Best(None if patience is None else count(patience, "patience"))
    rng = random_numbers(seed)
    source = source_of_gradients(model, X, y, loss, parameters, penalty, validation, compiled, client)

    kinds = ("",) if validation is None else ("", "validation_")
    history = History(metrics={kind + name: [] for kind in kinds for name in measures})
    theta = np.array([p.data for p in parameters])
    with compiled_once(), progress_display(epochs, progress, source) as show:
        try:
            for epoch in range(epochs):
                cost = 0.0
                for batch in source.batches(batch_size, rng):
                    batch_cost, gradient = source.value_and_grad(theta, batch, epoch)
                    if clip_norm is not None:
                        gradient = gradient * clipping(gradient.tolist(), clip_norm)[1]
                    theta = optimizer.update(theta, gradient)
                    cost += batch_cost * source.share(batch)
                assign(parameters, theta)
                held_out_cost = source.held_out_cost(theta, epoch)
                history.record(cost, held_out_cost, source.measured(measures))
                show(history)
                patient = best.after(epoch, cost if held_out_cost is None else held_out_cost, theta)
                answers = [callback(epoch, history, model) for callback in callbacks]
                if any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers):
                    history.stopped = "callback"
                    break
                if not patient:
                    history.stopped = "patience"
                    break
            else:
                history.stopped = "all epochs"
        except KeyboardInterrupt:
            history.stopped = "interrupted"
        finally:
            assign(parameters, theta)
    if restore_best and best.theta is not None:
        assign(parameters, best.theta)
    return history


@dataclass
class Best:
    """The epoch with the lowest cost so far, and how many later epochs may pass before patience is lost."""

    patience: int | None
    cost: float = math.inf
    epoch: int = 0
    theta: np.ndarray | None = None

    def after(self, epoch: int, cost: float, theta: np.ndarray) -> bool:
        """Take note of an epoch; whether there is patience for another one."""
        if cost < self.cost:
            self.cost, self.epoch, self.theta = cost, epoch, theta
        return self.patience is None or epoch - self.epoch < self.patience


def source_of_gradients(
    model: Any,
    X: Any,
    y: Any,
    loss: Loss,
    parameters: list[Value],
    penalty: Callable[[Any], Any] | None,
    validation: Any,
    compiled: bool,
    client: Any,
) -> Gradients:
    """Where the gradients come from, with the data in it, checked."""
    if client is not None or is_collection(X) or is_collection(y):
        return Distributed(client, model, X, y, loss, parameters, penalty, validation, compiled)
    train = Examples(model, X, y, loss)
    held_out = None if validation is None else Examples(model, *pair(validation), loss, name="validation ")
    return (Compiled if compiled else Eager)(model, loss, train, parameters, penalty, held_out)


# What is given, as the loop wants it ----------------------------------------------------------------------------------


def pair(validation: Any) -> tuple[Any, Any]:
    """(X, y) of the validation data."""
    if not isinstance(validation, (tuple, list)) or len(validation) != 2:
        raise TypeError(f"validation is a pair (X, y), not {type(validation).__name__}")
    return validation[0], validation[1]


def named_metrics(metrics: Any) -> dict[str, Metric]:
    """Metrics by name."""
    if callable(metrics):
        metrics = [metrics]
    named = dict(metrics) if isinstance(metrics, Mapping) else {getattr(m, "__name__", str(m)): m for m in metrics}
    for metric in named.values():
        if not callable(metric):
            raise TypeError(f"a metric is a function (model, X, y) -> float such as accuracy, not {metric!r}")
    return named


def listed_callbacks(callbacks: Any) -> list[Callable[[int, History, Any], Any]]:
    """The callbacks as a list; a single function is one, too."""
    found = [callbacks] if callable(callbacks) else list(callbacks) if hasattr(callbacks, "__iter__") else [callbacks]
    for callback in found:
        if not callable(callback):
            raise TypeError(f"a callback is a function (epoch, history, model), not {callback!r}")
    return found


def trained_parameters(model: Any, optimizer: Any) -> list[Value]:
    """The parameters that the optimizer moves, which must be among the model's."""
    if isinstance(optimizer, type) or not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer is an instance, such as Adam(model.parameters(), lr=0.01), not {optimizer!r}")
    own = set(model.parameters())
    if any(p not in own for p in optimizer.parameters):
        raise ValueError(
            "the optimizer moves parameters that are not this model's: after making the model, make the optimizer anew "
            "from its model.parameters()"
        )
    return optimizer.parameters
