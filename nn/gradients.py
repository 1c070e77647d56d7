"""Where `fit` gets its gradients from: the mean cost of a batch and its gradient, as functions of theta.

A source of gradients owns the data and knows how costs are computed. `fit` asks it for the five things that
`Gradients` lists and for nothing else. The sources here are the compiled program of one example's cost, in NumPy or in
JAX, and the eager engine; their numbers are the same.
"""

from __future__ import annotations

import copy
import itertools
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import autograd
from autograd import Value
from autograd.assigning import set_data as set_data
from autograd.assigning import taken_out
from autograd.core.graph import backpropagate, topological_order
from autograd.recording import keeping, tracing
from nn.checks import real
from nn.examples import Examples, Loss

if TYPE_CHECKING:
    import numpy as np

Metric = Callable[[Any, Any, Any], float]


class Gradients:
    """What every source of gradients has.

    Attributes:
        n: the number of examples that are trained on.
    """

    n: int

    def __str__(self) -> str:
        """Where they come from, for the display of the progress; nothing to be said of this machine alone."""
        return ""

    def batches(self, size: int | None, rng: np.random.Generator | None) -> Iterable[Any]:
        """The batches of one epoch, in whatever form `value_and_grad` takes, shuffled by `rng`; None: in order.

        A size of None is one batch of all examples, in order.
        """
        raise NotImplementedError

    def holds(self, changed: bool) -> bool:
        """Whether the model still computes what this source does, after callbacks that may have changed it.

        Args:
            changed: whether they have been seen to change it; what it reads elsewhere may have changed as well.
        """
        return True

    def share(self, batch: Any) -> float:
        """The part that a batch has in the cost of its epoch."""
        raise NotImplementedError

    def value_and_grad(self, theta: np.ndarray, batch: Any, epoch: int) -> tuple[float, np.ndarray]:
        """The mean cost over a batch, penalty included, and its gradient (n_parameters,).

        Raises:
            ArithmeticError, ValueError: naming epoch, example and node if a number comes out that is not finite.
        """
        raise NotImplementedError

    def held_out_cost(self, theta: np.ndarray, epoch: int) -> float | None:
        """The mean loss on the validation data, without penalty, with the same errors; None where there are no such."""
        raise NotImplementedError

    def measured(self, measures: dict[str, Metric]) -> dict[str, float]:
        """Every metric of the model as it is: on the training data, as "validation_" + name on the validation data."""
        raise NotImplementedError


class Local(Gradients):
    """A source on this machine, with its data in memory: a subclass says how costs are computed."""

    def __init__(
        self,
        model: Any,
        loss: Loss,
        train: Examples,
        parameters: list[Value],
        penalty: Callable[[Any], Any] | None = None,
        held_out: Examples | None = None,
    ):
        self.model, self.loss, self.parameters, self.penalty = model, loss, parameters, penalty
        self.train, self.held_out, self.n = train, held_out, train.n
        self.total = train.n if train.weights is None else float(train.weights.sum())

    def of_batch(self, theta: np.ndarray, batch: np.ndarray) -> tuple[float, np.ndarray]:
        """As `value_and_grad`; an ArithmeticError or ValueError where something is not finite, without its place."""
        raise NotImplementedError

    def of_penalty(self, theta: np.ndarray) -> tuple[float, Any]:
        """The penalty and its gradient (n_parameters,), or 0 for no gradient."""
        raise NotImplementedError

    def mean(self, theta: np.ndarray, data: Examples) -> float:
        """The mean loss over some data, without penalty, whatever it is."""
        raise NotImplementedError

    def without_penalty(self) -> Local:
        """The same source of the loss alone."""
        source = copy.copy(self)
        source.penalty = None
        return source

    def batches(self, size: int | None, rng: np.random.Generator | None) -> Iterator[np.ndarray]:
        """The batches of one epoch as indices of examples, shuffled unless all are one batch; none of weight 0."""
        import numpy as np

        order = np.arange(self.n) if size is None or rng is None else rng.permutation(self.n)
        size = self.n if size is None else min(size, self.n)
        batches = (order[start : start + size] for start in range(0, self.n, size))
        return (batch for batch in batches if self.weight(batch))

    def share(self, batch: np.ndarray) -> float:
        """The part of the weight of all examples that is in a batch."""
        return self.weight(batch) / self.total

    def weight(self, batch: np.ndarray) -> float:
        """The sum of the examples' weights; without weights, their number."""
        return len(batch) if self.train.weights is None else float(self.train.weights[batch].sum())

    def value_and_grad(self, theta: np.ndarray, batch: np.ndarray, epoch: int) -> tuple[float, np.ndarray]:
        """The mean cost over a batch, penalty included, and its gradient (n_parameters,), all finite."""
        try:
            return self.of_batch(theta, batch)
        except (ArithmeticError, ValueError, RuntimeWarning) as error:  # warnings may be errors
            raise self.failure(error, theta, self.train, batch.tolist(), epoch) from error

    def held_out_cost(self, theta: np.ndarray, epoch: int) -> float | None:
        """The mean loss on the validation data, without penalty, finite; None if there are no such data."""
        if self.held_out is None:
            return None
        try:
            cost = self.mean(theta, self.held_out)
            if math.isfinite(cost):
                return cost
            error: Exception = OverflowError(f"the cost is {cost}")
        except (ArithmeticError, ValueError, RuntimeWarning) as raised:  # warnings may be errors
            error = raised
        raise self.failure(error, theta, self.held_out, list(range(self.held_out.n)), epoch) from error

    def measured(self, measures: dict[str, Metric]) -> dict[str, float]:
        """Every metric of the model as it is: on the training data, as "validation_" + name on the validation data."""
        return {
            kind + name: measure(name, metric, self.model, data)
            for kind, data in (("", self.train), ("validation_", self.held_out))
            if data is not None
            for name, metric in measures.items()
        }

    def cost(self, data: Examples, i: int) -> Value:
        """The loss of one example, as a graph."""
        with keeping():  # a derivative in it, with respect to numbers, depends on the parameters
            return taken_out(self.loss(self.model(data.X[i].tolist()), data.target(i)))

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
        kinds = {OverflowError: OverflowError, ZeroDivisionError: ZeroDivisionError, ValueError: ValueError}
        kind = OverflowError if isinstance(error, RuntimeWarning) else kinds.get(type(error), ArithmeticError)
        return kind(
            f"training stopped in epoch {epoch}{place}: {reason}. The model keeps the parameters of the last complete "
            "step. A smaller learning rate or clip_norm keeps them from running away"
        )


class Eager(Local):
    """From a graph that is built anew for each batch."""

    def of_batch(self, theta: np.ndarray, batch: np.ndarray) -> tuple[float, np.ndarray]:
        """The mean cost over a batch, penalty included, and its gradient (n_parameters,)."""

        assign(self.parameters, theta)
        costs = [self.cost(self.train, i) for i in batch.tolist()]
        if self.train.weights is None:
            cost = autograd.mean(costs)
        else:
            weights = self.train.weights[batch]
            cost = autograd.weighted_sum((weights / weights.sum()).tolist(), costs)
        gradient = backpropagate(cost)
        more, slope = self.of_penalty(theta)
        return finite(cost.data + more, gradient_of(gradient, self.parameters) + slope)

    def of_penalty(self, theta: np.ndarray) -> tuple[float, Any]:
        """The penalty and its gradient (n_parameters,), or 0 for no gradient."""

        if self.penalty is None:
            return 0.0, 0.0
        assign(self.parameters, theta)
        with keeping():
            penalty = checked_penalty(self.penalty(self.model))
        if not isinstance(penalty, Value):
            return penalty, 0.0
        gradient = backpropagate(penalty)
        return penalty.data, gradient_of(gradient, self.parameters)

    def mean(self, theta: np.ndarray, data: Examples) -> float:
        """The mean loss over some data, without penalty."""
        assign(self.parameters, theta)
        return math.fsum(self.cost(data, i).data for i in range(data.n)) / data.n


def checked_penalty(penalty: Any) -> Any:
    """What a penalty function returned, as a Value or a float."""
    value = taken_out(penalty)
    return value if isinstance(value, Value) else real(value, "a penalty", "returns a Value or a number")


LARGE = 20_000  # nodes of a graph that takes long enough to build once


class NotCompilableError(TypeError, ValueError):
    """A model or a loss whose code does not fit the compiler: wrong as code, and as what `fit` was given."""


class Compiled(Local):
    """From the compiled program of one example's cost, run on a whole batch at once."""

    def __init__(
        self,
        model: Any,
        loss: Loss,
        train: Examples,
        parameters: list[Value],
        penalty: Callable[[Any], Any] | None = None,
        held_out: Examples | None = None,
    ):
        super().__init__(model, loss, train, parameters, penalty, held_out)
        names = [f"x_{k}" for k in range(train.X.shape[1])]
        names += [f"y_{k}" for k in range(train.rows.shape[1] - len(names) - (train.weights is not None))]
        inputs = [Value(number, label=name) for number, name in zip(train.rows[0].tolist(), names)]
        x, y = inputs[: train.X.shape[1]], inputs[train.X.shape[1] :]
        try:
            with tracing():
                cost = taken_out(loss(model(x), y if len(y) > 1 else y[0]))
                extra = 0.0 if penalty is None else penalty(model)
        except TypeError as error:
            raise NotCompilableError(
                f"the cost cannot be compiled: {error} It depends on its numbers in a way that is not in the graph. "
                "Change that, or train with fit(..., compiled=False), where targets are plain numbers and any Python "
                "code will do."
            ) from error
        if train.weights is not None:
            inputs.append(Value(1.0, label="weight"))
            cost = cost * inputs[-1]
        self.program = autograd.compile(cost, wrt=parameters, inputs=inputs)
        # a penalty is computed once a step, not once an example
        extra = checked_penalty(extra)
        self.extra: Any = autograd.compile(extra, wrt=parameters) if isinstance(extra, Value) else extra
        if fault := self.fault():
            raise ValueError(
                f"{fault}: the loss, model or penalty depends on its numbers in a way that is not in the graph, as in "
                "reading .data or drawing random numbers. Use fit(..., compiled=False)"
            )

    def holds(self, changed: bool) -> bool:
        """Whether the program and the model still agree on a few examples, and on the penalty."""
        return not (self.fault() if changed else self.fault(1e-7, gradients=False))

    def fault(self, tolerance: float = 1e-9, gradients: bool = True) -> str:
        """Where the program differs from the eager penalty, the cost of a few examples, or all their gradients.

        Empty if it does not. One gradient that agrees is enough: at a kink, such as that of relu at 0, a rounding may
        decide between two.
        """
        import numpy as np

        theta, differs, agrees = data_of(self.parameters), "", not gradients
        if self.penalty is not None:
            with keeping():
                penalty = checked_penalty(self.penalty(self.model))
            eager = penalty.data if isinstance(penalty, Value) else penalty
            compiled = self.extra if isinstance(self.extra, float) else self.extra.forward(theta)
            if math.isfinite(eager) and not math.isclose(compiled, eager, rel_tol=tolerance, abs_tol=1e-9):
                return f"the compiled penalty is {compiled}, the eager one {eager}"
        few = {0, self.n // 2, self.n - 1} if self.program.nodes < LARGE else {self.n // 2}
        for i in sorted(few):
            row = self.rows(self.train, slice(i, i + 1))
            try:
                cost = self.cost(self.train, i)
                eager = cost.data
            except (ArithmeticError, ValueError):
                continue  # the first epoch will tell where and why
            if not math.isfinite(eager):
                continue
            compiled = self.program.forward(theta, row)[0]
            if not math.isclose(compiled, eager, rel_tol=tolerance, abs_tol=1e-9):
                return f"the compiled cost of example {i} is {compiled}, the eager one {eager}"
            found = {} if agrees else backpropagate(cost)
            if agrees or not all(map(math.isfinite, found.values())):
                continue
            slopes, gradient = gradient_of(found, self.parameters), self.program.value_and_grad(theta, row)[1]
            agrees = np.allclose(gradient, slopes, rtol=1e-9, atol=1e-9 * max(1.0, np.abs(slopes).max(initial=0.0)))
            if not agrees:
                differs = f"the compiled gradient of example {i} is {gradient}, the eager one {slopes}"
        return "" if agrees else differs

    def of_batch(self, theta: np.ndarray, batch: np.ndarray) -> tuple[float, np.ndarray]:
        """The mean cost over a batch, penalty included, and its gradient (n_parameters,)."""
        cost, gradient = self.of_rows(theta, batch)
        if self.train.weights is None and self.penalty is None:
            return cost, gradient
        if self.train.weights is not None:  # the program's mean counts the examples, not their weights
            scale = len(batch) / self.weight(batch)
            cost, gradient = cost * scale, gradient * scale
        if self.penalty is not None:
            more, slope = self.of_penalty(theta)
            cost, gradient = cost + more, gradient + slope
        return finite(float(cost), gradient)

    def of_rows(self, theta: np.ndarray, batch: np.ndarray) -> tuple[float, np.ndarray]:
        """The program's mean over a batch and its gradient (n_parameters,), all finite."""
        return self.program.value_and_grad(theta, self.train.rows.take(batch, axis=0), finite=True)

    def of_penalty(self, theta: np.ndarray) -> tuple[float, Any]:
        """The penalty and its gradient (n_parameters,), or 0 for no gradient."""
        return (self.extra, 0.0) if isinstance(self.extra, float) else self.extra.value_and_grad(theta)

    def without_penalty(self) -> Compiled:
        """The same program, alone."""
        source = copy.copy(self)
        source.penalty, source.extra = None, 0.0
        return source

    def mean(self, theta: np.ndarray, data: Examples) -> float:
        """The mean loss over some data, without penalty."""
        return float(self.program.forward(theta, self.rows(data, slice(None))).mean())

    def rows(self, data: Examples, part: slice) -> np.ndarray:
        """The inputs of the program for some of the data, where each example counts once."""
        import numpy as np

        rows = data.rows[part]
        if self.train.weights is None:
            return rows
        width = self.train.rows.shape[1] - 1
        return np.hstack([rows[:, :width], np.ones((len(rows), 1))])


class OnJAX(Compiled):
    """From the compiled program as a function of JAX arrays, on the device that JAX has; the examples lie there."""

    def __init__(self, *arguments: Any):
        try:
            import jax
        except ModuleNotFoundError:
            raise ModuleNotFoundError(
                "fit(..., backend='jax') needs JAX: pip install 'glassgrad[jax]'; backend='numpy' needs nothing more"
            ) from None
        if jax.numpy.zeros(1).dtype != float:
            raise ValueError(
                "JAX computes in 32 bits here, and fit in 64, whatever the backend: call "
                "jax.config.update('jax_enable_x64', True) before any array is made, or set JAX_ENABLE_X64=1"
            )
        super().__init__(*arguments)
        self.jax, self.examples = jax, jax.numpy.asarray(self.train.rows)
        self.compile()

    def compile(self) -> None:
        """Make the functions that XLA compiles, with the present data of leaves that are not trained."""
        self.others, cost = self.data_of_others(), self.program.to_jax()
        self.cost_of = self.jax.jit(cost)
        self.jitted = self.jax.jit(self.jax.value_and_grad(lambda theta, rows, batch: cost(theta, rows[batch])))

    def data_of_others(self) -> list[float]:
        """The data of leaves that are not trained; a callback may change them."""
        return [leaf.data for leaf in self.program._others]

    def of_rows(self, theta: np.ndarray, batch: np.ndarray) -> tuple[float, np.ndarray]:
        """The program's mean over a batch and its gradient (n_parameters,), all finite."""
        import numpy as np

        if self.data_of_others() != self.others:
            self.compile()
        cost, gradient = self.jitted(theta, self.examples, batch)
        return finite(float(cost), np.array(gradient))

    def mean(self, theta: np.ndarray, data: Examples) -> float:
        """The mean loss over some data, without penalty."""
        return float(self.cost_of(theta, self.rows(data, slice(None))))


BACKENDS = {"numpy": Compiled, "jax": OnJAX}


def measure(name: str, metric: Metric, model: Any, data: Examples) -> float:
    """A metric as a float."""
    number = metric(model, data.X, data.labels)
    try:
        return float(number)
    except (TypeError, ValueError):
        raise TypeError(f"the metric {name!r} returned {number!r}; it has to return a number") from None


def data_of(parameters: Iterable[Value]) -> np.ndarray:
    """The numbers that parameters hold: theta."""
    import numpy as np

    return np.fromiter(map(_data, parameters), float)


_data = operator.attrgetter("_data")


def gradient_of(found: Mapping[Any, float], parameters: Iterable[Value]) -> np.ndarray:
    """The gradient (n_parameters,) from the slopes of the nodes that a cost depends on."""
    import numpy as np

    return np.fromiter(map(found.get, parameters, itertools.repeat(0.0)), float)


def finite(cost: float, gradient: np.ndarray) -> tuple[float, np.ndarray]:
    """A cost and its gradient; an OverflowError if some of it is not finite."""
    import numpy as np

    if math.isfinite(cost) and np.isfinite(gradient).all():
        return cost, gradient
    raise OverflowError(f"the cost is {cost}, the gradient's norm {np.linalg.norm(gradient)}")


def assign(parameters: Iterable[Value], theta: np.ndarray) -> None:
    """Set the parameters to the numbers in theta."""
    set_data(parameters, theta.tolist())


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
