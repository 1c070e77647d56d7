"""fit: the training loop, with two sources of gradients.

The loop reads as the textbook has it: the gradient of the mean cost over a batch, a step, the next batch. The gradient
comes from the compiled program of one example's cost, or from the eager engine; the numbers are the same.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import autograd
from autograd import Value
from autograd.core.graph import backpropagate, topological_order
from autograd.core.value import tracing
from nn.data import class_indices, random_numbers, same_length, table, targets
from nn.evaluation import compiled_once
from nn.layers import count
from nn.losses import listed
from nn.optimizers import Optimizer, clipping

if TYPE_CHECKING:
    import numpy as np

Loss = Callable[[Any, Any], Any]
Metric = Callable[[Any, Any, Any], float]


@dataclass
class History:
    """What happened while training: one number per complete epoch.

    Attributes:
        cost: the mean cost over the epoch's examples, each as its step saw it, penalty included.
        validation_cost: the mean loss on the validation data after the epoch; empty without validation data.
        metrics: name -> list; those on the validation data are called "validation_" + name.
        stopped: why training ended: "all epochs", "callback", "patience" or "interrupted".
    """

    cost: list[float] = field(default_factory=list)
    validation_cost: list[float] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    stopped: str = ""

    def record(self, cost: float, validation_cost: float | None, metrics: Mapping[str, float]) -> None:
        """Add one epoch."""
        self.cost.append(cost)
        if validation_cost is not None:
            self.validation_cost.append(validation_cost)
        for name, number in metrics.items():
            self.metrics.setdefault(name, []).append(number)

    def __len__(self) -> int:
        return len(self.cost)

    def to_dict(self) -> dict[str, list[float]]:
        """All curves as plain lists, by name."""
        validation = {"validation_cost": list(self.validation_cost)} if self.validation_cost else {}
        return {"cost": list(self.cost), **validation, **{name: list(curve) for name, curve in self.metrics.items()}}

    def plot(self, ax: Any = None) -> Any:
        """Draw the curves over the epochs; see `plot_history`."""
        from nn.plots import plot_history

        return plot_history(self, ax)

    def __repr__(self) -> str:
        ends = [f"{name} {curve[0]:.4g} -> {curve[-1]:.4g}" for name, curve in self.to_dict().items() if curve]
        return f"History({len(self)} epochs{', ' * bool(ends)}{', '.join(ends)})"


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
    train = Examples(model, X, y, loss)
    held_out = None if validation is None else Examples(model, *pair(validation), loss, name="validation ")
    size = train.n if batch_size is None else min(count(batch_size, "batch_size"), train.n)
    if clip_norm is not None:
        clipping([0.0], clip_norm)
    if patience is not None:
        patience = count(patience, "patience")
    if restore_best and held_out is None:
        raise ValueError("restore_best goes by the validation cost: pass validation=(X, y)")
    rng = random_numbers(seed)
    gradients = (Compiled if compiled else Eager)(model, loss, train, parameters, penalty)

    history = History(metrics={kind + name: [] for kind in kinds(held_out) for name in measures})
    theta = best_theta = np.array([p.data for p in parameters])
    best_cost, best_epoch = math.inf, 0
    with compiled_once(), progress_display(epochs, progress) as show:
        try:
            for epoch in range(epochs):
                cost = 0.0
                order = np.arange(train.n) if batch_size is None else rng.permutation(train.n)
                for start in range(0, train.n, size):
                    batch = order[start : start + size]
                    batch_cost, gradient = gradients.value_and_grad(theta, train, batch, epoch)
                    if clip_norm is not None:
                        gradient = gradient * clipping(gradient.tolist(), clip_norm)[1]
                    theta = optimizer.update(theta, gradient)
                    cost += batch_cost * len(batch) / train.n
                assign(parameters, theta)
                held_out_cost = None if held_out is None else gradients.value(theta, held_out, epoch)
                history.record(cost, held_out_cost, measured(measures, model, train, held_out))
                show(history)
                watched = cost if held_out_cost is None else held_out_cost
                if watched < best_cost:
                    best_cost, best_theta, best_epoch = watched, theta, epoch
                answers = [callback(epoch, history, model) for callback in callbacks]
                if any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers):
                    history.stopped = "callback"
                    break
                if patience is not None and epoch - best_epoch >= patience:
                    history.stopped = "patience"
                    break
            else:
                history.stopped = "all epochs"
        except KeyboardInterrupt:
            history.stopped = "interrupted"
        finally:
            assign(parameters, theta)
    if restore_best and math.isfinite(best_cost):
        assign(parameters, best_theta)
    return history


# The data, as the loss wants it -------------------------------------------------------------------------------------


class Examples:
    """X and y, checked against the model and the loss before anything is trained.

    Attributes:
        X, y: float arrays (n, d) and (n,) or (n, n_out); class indices are integers.
        rows: (n, d + n_y), the inputs of the compiled program: x, then the target, a class as its one-hot row.
    """

    def __init__(self, model: Any, X: Any, y: Any, loss: Loss, name: str = ""):
        import numpy as np

        self.X, self.y, self.name = table(X, f"{name}X"), targets(y, f"{name}y"), name
        self.n = same_length(self.X, self.y)
        with autograd_errors_as(f"{name}example 0"):
            output = model(self.X[0].tolist())
        outputs = len(listed(output))
        self.are_classes = outputs > 1 and self.y.ndim == 1
        if self.y.ndim == 2 and self.y.shape[1] != outputs:
            raise ValueError(
                f"the model has {outputs} outputs, so {name}y has shape (n, {outputs}), not {self.y.shape}"
            )
        if self.y.ndim == 2 and outputs == 1:
            self.y = self.y[:, 0]
        if self.are_classes:
            self.y = class_indices(self.y, outputs)
        target_rows = np.eye(outputs)[self.y] if self.are_classes else self.y.reshape(self.n, -1).astype(float)
        self.rows = np.hstack([self.X, target_rows])
        self._check_targets(output, loss)

    def _check_targets(self, output: Any, loss: Loss) -> None:
        """Let the loss judge each different target, so that a wrong one is found before training and not during it."""
        import numpy as np

        first = np.unique(self.y, axis=0, return_index=True)[1]
        for i in sorted(first.tolist()):
            with autograd_errors_as(f"{self.name}example {i}"):
                cost = loss(output, self.target(i))
            if not isinstance(cost, Value):
                raise TypeError(f"the loss returned {cost!r}; it has to return a Value, computed from the output")

    def target(self, i: int) -> Any:
        """The target of one example: a float, a list of floats or a class index."""
        return self.y[i].tolist()


@contextmanager
def autograd_errors_as(place: str) -> Iterator[None]:
    """Name the example at fault in a ValueError or TypeError about it."""
    try:
        yield
    except (TypeError, ValueError) as error:
        error.add_note(f"(found before training, at {place})")
        raise


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


def kinds(held_out: Examples | None) -> tuple[str, ...]:
    """Prefixes of the names of metrics: one for each set of data."""
    return ("",) if held_out is None else ("", "validation_")


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


def assign(parameters: Iterable[Value], theta: np.ndarray) -> None:
    """Set the parameters to the numbers in theta."""
    for parameter, number in zip(parameters, theta.tolist()):
        parameter.data = number


# Two sources of gradients -------------------------------------------------------------------------------------------


class Gradients:
    """The mean cost of examples and its gradient, as a function of theta; a subclass says how they are computed."""

    def __init__(self, model: Any, loss: Loss, train: Examples, parameters: list[Value], penalty: Any):
        self.model, self.loss, self.parameters, self.penalty = model, loss, parameters, penalty

    def batch(self, theta: np.ndarray, data: Examples, batch: np.ndarray) -> tuple[float, np.ndarray]:
        """The mean cost over a batch, penalty included, and its gradient (n_parameters,)."""
        raise NotImplementedError

    def mean(self, theta: np.ndarray, data: Examples) -> float:
        """The mean loss over all of the data, without penalty."""
        raise NotImplementedError

    def value_and_grad(self, theta: Any, data: Examples, batch: Any, epoch: int) -> tuple[float, np.ndarray]:
        """As `batch`, with an error that names epoch, example and node if a number comes out that is not finite."""
        import numpy as np

        try:
            with unwarned():
                cost, gradient = self.batch(theta, data, batch)
            if math.isfinite(cost) and np.isfinite(gradient).all():
                return cost, gradient
            error: Exception = OverflowError(f"the cost is {cost}, the gradient's norm {np.linalg.norm(gradient)}")
        except (ArithmeticError, ValueError) as raised:
            error = raised
        raise self.failure(error, theta, data, batch.tolist(), epoch) from error

    def value(self, theta: np.ndarray, data: Examples, epoch: int) -> float:
        """As `mean`, with the errors of `value_and_grad`."""
        try:
            with unwarned():
                cost = self.mean(theta, data)
            if math.isfinite(cost):
                return cost
            error: Exception = OverflowError(f"the cost is {cost}")
        except (ArithmeticError, ValueError) as raised:
            error = raised
        raise self.failure(error, theta, data, list(range(data.n)), epoch) from error

    def cost(self, data: Examples, i: int) -> Value:
        """The loss of one example, as a graph."""
        return self.loss(self.model(data.X[i].tolist()), data.target(i))

    def failure(self, error: Exception, theta: np.ndarray, data: Examples, batch: list[int], epoch: int) -> Exception:
        """The error that tells where a cost or a gradient stopped being finite: the first example and node at fault."""
        assign(self.parameters, theta)
        place, reason = "", str(error)
        for i in batch:
            try:
                found = not_finite(self.cost(data, i))
            except (ArithmeticError, ValueError) as raised:
                found = str(raised)
            if found:
                place, reason = f", {data.name}example {i}", found
                break
        kind = type(error) if type(error) in (OverflowError, ZeroDivisionError, ValueError) else ArithmeticError
        return kind(
            f"training stopped in epoch {epoch}{place}: {reason}. The model keeps the parameters of the last complete "
            "step. A smaller learning rate or clip_norm keeps them from running away"
        )


@contextmanager
def unwarned() -> Iterator[None]:
    """Without the engine's warnings about numbers that are not finite, which are errors here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def not_finite(cost: Value) -> str:
    """Which node of a graph is the first whose data, or else whose gradient, is not finite; empty if all are."""
    for node in topological_order(cost):
        if not math.isfinite(node.data):
            return f"{named(node)} is {node.data}"
    gradient = backpropagate(cost)
    for node in reversed(gradient):
        if not math.isfinite(gradient[node]):
            return f"the gradient of {named(node)} is {gradient[node]}"
    return ""


def named(node: Value) -> str:
    """A node's label and operation."""
    return " ".join(part for part in (node.label, f"({node.op})" if node.op else "") if part) or repr(node)


class Eager(Gradients):
    """From a graph that is built anew for each batch."""

    def batch(self, theta: np.ndarray, data: Examples, batch: np.ndarray) -> tuple[float, np.ndarray]:
        """The mean cost over a batch, penalty included, and its gradient (n_parameters,)."""
        import numpy as np

        assign(self.parameters, theta)
        cost = autograd.mean([self.cost(data, i) for i in batch.tolist()])
        if self.penalty is not None:
            cost = cost + self.penalty(self.model)
        gradient = backpropagate(cost)
        return cost.data, np.array([gradient.get(p, 0.0) for p in self.parameters])

    def mean(self, theta: np.ndarray, data: Examples) -> float:
        """The mean loss over all of the data, without penalty."""
        assign(self.parameters, theta)
        return math.fsum(self.cost(data, i).data for i in range(data.n)) / data.n


class Compiled(Gradients):
    """From the compiled program of one example's cost, run on a whole batch at once."""

    def __init__(self, model: Any, loss: Loss, train: Examples, parameters: list[Value], penalty: Any):
        super().__init__(model, loss, train, parameters, penalty)
        width = train.X.shape[1]
        first = train.rows[0].tolist()
        x = [Value(number, label=f"x_{k}") for k, number in enumerate(first[:width])]
        y = [Value(number, label=f"y_{k}") for k, number in enumerate(first[width:])]
        try:
            with tracing():
                cost = loss(model(x), y if len(y) > 1 else y[0])
                extra = 0.0 if penalty is None else penalty(model)
        except TypeError as error:
            raise TypeError(
                f"the cost cannot be compiled: {error} Or train with fit(..., compiled=False), where targets are plain "
                "numbers and any Python code will do."
            ) from error
        self.program = autograd.compile(cost, wrt=parameters, inputs=[*x, *y])
        # a penalty is computed once a step, not once an example
        self.extra: Any = autograd.compile(extra, wrt=parameters) if isinstance(extra, Value) else float(extra)
        self.check(train)

    def check(self, train: Examples) -> None:
        """Compare the program with the eager cost of a few examples.

        They differ if the loss or the model reads `.data` or draws random numbers, which no graph can hold.
        """
        import numpy as np

        theta = np.array([p.data for p in self.parameters])
        for i in sorted({0, train.n // 2, train.n - 1}):
            try:
                eager = self.cost(train, i).data
            except (ArithmeticError, ValueError):
                continue  # the first epoch will tell where and why
            if not math.isfinite(eager):
                continue
            compiled = self.program.forward(theta, train.rows[i : i + 1])[0]
            if not math.isclose(compiled, eager, rel_tol=1e-9, abs_tol=1e-9):
                raise ValueError(
                    f"the compiled cost of example {i} is {compiled}, the eager one {eager}: the loss or the model "
                    "depends on its numbers in a way that is not in the graph, such as reading .data or drawing random "
                    "numbers. Use fit(..., compiled=False)"
                )

    def batch(self, theta: np.ndarray, data: Examples, batch: np.ndarray) -> tuple[float, np.ndarray]:
        """The mean cost over a batch, penalty included, and its gradient (n_parameters,)."""
        cost, gradient = self.program.value_and_grad(theta, data.rows[batch])
        if isinstance(self.extra, float):
            return float(cost) + self.extra, gradient
        more, slope = self.extra.value_and_grad(theta)
        return float(cost + more), gradient + slope

    def mean(self, theta: np.ndarray, data: Examples) -> float:
        """The mean loss over all of the data, without penalty."""
        return float(self.program.forward(theta, data.rows).mean())


# Watching -----------------------------------------------------------------------------------------------------------


def measured(measures: dict[str, Metric], model: Any, train: Examples, held_out: Examples | None) -> dict[str, float]:
    """Every metric on every set of data."""
    return {
        kind + name: float(metric(model, data.X, data.y))
        for kind, data in zip(kinds(held_out), (train, held_out))
        if data is not None
        for name, metric in measures.items()
    }


@contextmanager
def progress_display(epochs: int, wanted: bool) -> Iterator[Callable[[History], None]]:
    """A function that shows how far training is: on a tqdm bar, else on a line, else not at all."""
    if not wanted:
        yield lambda history: None
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tqdm.auto warns where notebooks lack widgets, and then falls back to text
            from tqdm.auto import tqdm  # pyright: ignore[reportMissingModuleSource]
    except ImportError:
        yield from progress_line(epochs)
        return
    with tqdm(total=epochs, unit="epoch") as bar:

        def show(history: History) -> None:
            bar.set_postfix_str(latest(history), refresh=False)
            bar.update()

        yield show


def progress_line(epochs: int) -> Iterator[Callable[[History], None]]:
    """As `progress_display` without tqdm: on a terminal one line that is overwritten, elsewhere ten lines in all."""
    stream, terminal = sys.stderr, sys.stderr.isatty()

    def show(history: History) -> None:
        done = len(history)
        if terminal or done % max(1, epochs // 10) == 0 or done == epochs:
            text = f"epoch {done}/{epochs}  {latest(history)}"
            stream.write(f"\r{text}\x1b[K" if terminal else f"{text}\n")
            stream.flush()

    yield show
    if terminal:
        stream.write("\n")


def latest(history: History) -> str:
    """The last number of each curve, in a line."""
    return "  ".join(f"{name} {curve[-1]:.4g}" for name, curve in history.to_dict().items() if curve)
