"""fit: the training loop, as the textbook has it.

The gradient of the mean cost over a batch, a step, the next batch. Where the gradient comes from is `gradients`'
business, what the data must be `examples`', how a step follows from a gradient the optimizer's.
"""

from __future__ import annotations

import itertools
import math
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd import Value
from autograd.assigning import is_iterable
from autograd.compiler import uncollected
from nn.checks import count, flag, items, random_numbers
from nn.distributed import Distributed, is_collection
from nn.evaluation import compiled_once
from nn.examples import Examples, Loss, underlying
from nn.gradients import BACKENDS, Compiled, Eager, Gradients, Metric, assign, data_of
from nn.history import History
from nn.module import Module
from nn.optimizers import Optimizer, checked_limit, clipping
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
    sample_weight: Any = None,
    class_weight: Mapping[Any, float] | str | None = None,
    seed: int | np.random.Generator | None = 0,
    shuffle: bool = True,
    compiled: bool = True,
    backend: str = "numpy",
    progress: bool = True,
    callbacks: Iterable[Callable[[int, History, Any], Any]] = (),
    client: Any = None,
) -> History:
    """Train a model in place: move its parameters down the gradient of the mean loss. Returns the `History`.

    Args:
        model: a Module, or anything with `parameters()` that can be called with one example.
        X: the examples, a table (n, d): array, frame or list of lists.
        y: their targets. For one output (n,); for several (n, n_out), or (n,) class indices for `cross_entropy`. Where
            they are names of classes (text, categories, booleans), the model keeps these as `model.classes`, in the
            order of its outputs; one output takes two names with `binary_cross_entropy` or `hinge`.
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
        sample_weight: how much each example counts in the mean, (n,); 2 is as much as the same example twice.
        class_weight: how much the examples of a class count, by class; "balanced": every class as much as any other.
        seed: of the shuffling. Equal seeds give equal runs, to the bit; an optimizer that is passed again goes on in
            the shuffles of its seed. None: a fresh one. A `numpy.random.Generator` is drawn from.
        shuffle: whether the batches are drawn anew in each epoch; False: the examples stay in their order.
        compiled: replay the cost as a NumPy program; False: build its graph anew for each batch, slower by two orders
            of magnitude. A loss or a model that branches on numbers needs False.
        backend: what runs the compiled cost, "numpy" or "jax": then XLA compiles it for the device that JAX has, where
            the examples stay; the numbers are the same but for roundings. It needs JAX in its mode of 64 bits.
        progress: whether to show the progress: a tqdm bar where that is installed, else a line.
        callbacks: functions (epoch, history, model), called after each epoch, counted from 0; returning True stops.
            What they do to the model, and to what the loss and the penalty read, stays: training goes on from there. If
            one has a method `end(history, model)`,
            that is called when training ends, by an interruption too.
        client: a `dask.distributed.Client` whose workers compute the gradients. X and y (and validation data) may then
            be dask collections, whose partitions are loaded by the workers; a batch takes its share of every partition,
            and a metric is the mean over partitions. The result is that of the same partitions without a client, to
            the bit.

    An interruption from the keyboard ends training, and returns what was reached; a line that is printed and the
    history say so. The same call with the same optimizer goes on where it stopped: for the epochs that were left it
    ends, to the bit, where one run would have.

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
    training = None
    try:
        training = Training(model, loss, optimizer, epochs, batch_size, seed, shuffle, clip_norm)
        training.watch(metrics, callbacks, patience, restore_best, validation)

        if penalty is not None and not callable(penalty):
            raise TypeError(
                "penalty is a function of the model, as in lambda model: l2_penalty(model.parameters(), 1e-4), not "
                f"{penalty!r}"
            )
        kind = kind_of_source(backend, flag(compiled, "compiled"), client is not None or is_collection(X))

        @uncollected()
        def source() -> Gradients:
            if client is not None or is_collection(X) or is_collection(y):
                if sample_weight is not None or class_weight is not None:
                    raise ValueError("sample_weight and class_weight are for data in memory, without a client")
                return Distributed(client, model, X, y, loss, training.parameters, penalty, validation, compiled)
            train = Examples(model, X, y, loss, sample_weight=sample_weight, class_weight=class_weight)
            held_out = (
                None if validation is None else Examples(model, *pair(validation), loss, "validation ", like=train)
            )
            made = kind(model, loss, train, training.parameters, penalty, held_out)
            train.keep_on(model)
            return made

        # in a context of its own, so that nothing stays open that an interruption leaves open
        copy_context().run(training.run, source, flag(progress, "progress"))
        return training.ended()
    except KeyboardInterrupt:
        return interrupted(training, epochs)


def kind_of_source(backend: Any, compiled: bool, distributed: bool) -> type[Compiled] | type[Eager]:
    """Where the gradients of data in memory come from."""
    if not isinstance(backend, str) or backend not in BACKENDS:
        raise ValueError(f"there is no backend {backend!r}; choose one of {', '.join(BACKENDS)}")
    if backend != "numpy" and (distributed or not compiled):
        raise ValueError(
            f"backend={backend!r} runs the compiled cost on this machine: it goes with neither compiled=False nor a "
            "client or dask collections"
        )
    return BACKENDS[backend] if compiled else Eager


class Reached(NamedTuple):
    """The last complete step: parameters (None: as the model has them), the optimizer's state, shuffles, epochs."""

    theta: np.ndarray | None
    state: dict[str, Any]
    steps: int
    shuffling: dict[str, Any] | None
    epochs: int


class Training:
    """One call of `fit`: the loop, and how far it has come.

    Attributes:
        reached: the last complete step, replaced by a single assignment: wherever an interruption comes, it finds the
            step before or the step after, and never half of one.
    """

    def __init__(
        self,
        model: Any,
        loss: Any,
        optimizer: Any,
        epochs: Any,
        batch_size: Any,
        seed: Any,
        shuffle: bool,
        clip_norm: float | None,
    ):
        if not callable(loss) or isinstance(loss, type):
            raise TypeError(f"loss is a function (output, target) -> Value such as squared_error, not {loss!r}")
        self.model, self.optimizer, self.epochs = model, optimizer, count(epochs, "epochs")
        self.parameters = trained_parameters(model, optimizer)
        self.shuffles = Shuffles(optimizer, batch_size, seed, shuffle)
        self.clip_norm = None if clip_norm is None else checked_limit(clip_norm)
        self.history = History(epochs=self.epochs)
        self.epoch = 0
        self.callbacks: list[Any] = []
        self.reached: Reached | None = None

    def watch(self, metrics: Any, callbacks: Any, patience: Any, restore_best: bool, validation: Any) -> None:
        """Take what is done after each epoch."""
        self.metrics, self.callbacks = named_metrics(metrics), listed_callbacks(callbacks)
        if flag(restore_best, "restore_best") and validation is None:
            raise ValueError("restore_best goes by the validation cost: pass validation=(X, y)")
        self.best = Best(None if patience is None else count(patience, "patience"))
        self.restore_best = flag(restore_best, "restore_best")
        kinds = ("",) if validation is None else ("", "validation_")
        self.history.metrics = {kind + name: [] for kind in kinds for name in self.metrics}

    def run(self, source: Callable[[], Gradients], progress: bool) -> History:
        """Train until all epochs are done, or something stops them."""
        with one_at_a_time(self.parameters[0]):
            self.source = source()
            self.shuffles.begin(self.source.n)
            self.theta = data_of(self.parameters)
            self.reach(0)
            try:
                with compiled_once(), progress_display(self.epochs, progress, self.source) as show:
                    for epoch in range(self.epochs):
                        self.epoch = epoch
                        self.train()
                        self.measure(show)
                        self.call_back(source)
                        if self.history.stopped:
                            break
                    else:
                        self.history.stopped = "all epochs"
            finally:
                self.settle(self.restore_best and bool(self.history.stopped))
        return self.history

    def train(self) -> None:
        """An epoch: the gradient of the mean cost over a batch, a step, the next batch."""
        for batch in self.shuffles.batches(self.source):
            cost, gradient = self.source.value_and_grad(self.theta, batch, self.epoch)
            if self.clip_norm is not None:
                gradient = gradient * clipping(gradient.tolist(), self.clip_norm)[1]
            self.theta = self.optimizer.update(self.theta, gradient)
            self.shuffles.passed(cost * self.source.share(batch))
            self.reach(self.epoch)

    def measure(self, show: Callable[[History], None]) -> None:
        """What came of the epoch: costs and metrics, and whether there is patience for another."""
        if self.metrics or self.callbacks:
            assign(self.parameters, self.theta)
        cost, held_out_cost = self.shuffles.cost, self.source.held_out_cost(self.theta, self.epoch)
        self.history.record(cost, held_out_cost, self.source.measured(self.metrics))
        show(self.history)
        if not self.best.after(self.epoch, cost if held_out_cost is None else held_out_cost, self.theta):
            self.history.stopped = "patience"
        self.shuffles.end()

    def call_back(self, source: Callable[[], Gradients]) -> None:
        """Let the callbacks see the model, and go on from what they have made of it."""
        if not self.callbacks:
            self.reach(self.epoch + 1)
            return
        before = structure(self.model)
        self.reached = Reached(None, {}, 0, self.shuffles.state(), self.epoch + 1)
        answers = [callback(self.epoch, self.history, self.model) for callback in self.callbacks]
        if any(type(answer).__name__ in ("bool", "bool_") and answer for answer in answers):
            self.history.stopped = "callback"
        elif not self.source.holds(structure(self.model) != before):
            self.parameters = trained_parameters(self.model, self.optimizer)
            self.source = source()
        self.theta = data_of(self.parameters)
        self.reach(self.epoch + 1)

    def reach(self, epochs: int) -> None:
        """A complete step, after so many complete epochs."""
        optimizer = self.optimizer
        self.reached = Reached(self.theta, optimizer.state, optimizer.steps, self.shuffles.state(), epochs)

    def ended(self) -> History:
        """Let callbacks that have an `end(history, model)` know that training is over; returns the history."""
        for callback in self.callbacks:
            if hasattr(callback, "end"):
                callback.end(self.history, self.model)
        return self.history

    def settle(self, best: bool = False) -> None:
        """Bring model, optimizer and history to the last complete step; the model, if asked, to its best epoch."""
        if self.reached is None:
            return
        theta, state, steps, self.optimizer.shuffling, epochs = self.reached
        self.history.cut(epochs)
        if theta is not None:
            self.optimizer.state, self.optimizer.steps = state, steps
            assign(self.parameters, theta)
        if best and self.best.theta is not None:
            assign(self.parameters, self.best.theta)


def interrupted(training: Training | None, epochs: int) -> History:
    """What an interrupted training has reached, with a line that says so; further interruptions change nothing."""
    while True:
        try:
            history = History(epochs=epochs) if training is None else training.history
            epoch = 1 if training is None else training.epoch + 1
            if training is not None and training.reached is not None:
                training.settle(training.restore_best)
            history.stopped, history.interrupted_in = "interrupted", epoch
            if training is not None:
                training.ended()
            with suppress(OSError, ValueError):  # standard output may be closed
                print(f"fit was interrupted in epoch {epoch} of {epochs}: the model keeps what it had learned by then")
            return history
        except KeyboardInterrupt:
            continue


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


class Shuffles:
    """The order of the examples, epoch for epoch anew, going on where the optimizer's last training stopped.

    The shuffles of a seed are one sequence. Where a training stands in it, in the middle of an epoch too, is kept with
    the optimizer, as its number of steps is.
    """

    def __init__(self, optimizer: Optimizer, batch_size: Any, seed: Any, shuffle: bool = True):
        self.shuffle = shuffle
        self.size = None if batch_size is None else count(batch_size, "batch_size")
        self.rng, self.optimizer = random_numbers(seed), optimizer
        self.seed = int(seed) if hasattr(seed, "__index__") else None  # of no seed, nothing can be gone on with
        self.done, self.cost = 0, 0.0

    def begin(self, n: int) -> None:
        """Go on from where the last training with this seed stopped; of other data or batches, at an epoch's start."""
        self.n, before = n, self.optimizer.shuffling
        if self.seed is not None and before is not None and before["seed"] == self.seed:
            self.rng.bit_generator.state = before["generator"]
            if (before["examples"], before["batch_size"]) == (n, self.size):
                self.done, self.cost = before["batches"], before["cost"]
        self.generator = self.rng.bit_generator.state

    def batches(self, source: Gradients) -> Iterator[Any]:
        """The batches that are left of this epoch."""
        return itertools.islice(source.batches(self.size, self.rng if self.shuffle else None), self.done, None)

    def passed(self, cost: float) -> None:
        """A batch is done; the cost is its part of the epoch's."""
        self.done, self.cost = self.done + 1, self.cost + cost

    def end(self) -> None:
        """The epoch is over."""
        self.generator, self.done, self.cost = self.rng.bit_generator.state, 0, 0.0

    def state(self) -> dict[str, Any] | None:
        """Where the shuffles stand, in plain numbers."""
        if self.seed is None:
            return None
        place = {"examples": self.n, "batch_size": self.size, "batches": self.done, "cost": self.cost}
        return {"seed": self.seed, "generator": self.generator, **place}


_training: weakref.WeakKeyDictionary[Value, threading.RLock] = weakref.WeakKeyDictionary()


def one_at_a_time(parameter: Value) -> threading.RLock:
    """A lock that a training of a model holds: what several threads would do to it at once, they do in turn."""
    return _training.setdefault(parameter, threading.RLock())


def structure(thing: Any, above: frozenset[int] = frozenset()) -> Any:
    """What a model is made of besides its numbers, for comparison: a change of it may be one of what is computed."""
    if isinstance(thing, (str, int, float, bool, type(None))):
        return thing
    if id(thing) in above or isinstance(thing, Value):
        return id(thing)
    if isinstance(thing, (list, tuple)):
        if thing and isinstance(thing[0], Value):
            return tuple(map(id, thing))
        return tuple([structure(item, above | {id(thing)}) for item in thing])
    if isinstance(thing, (dict, Module)) or not above:
        items = thing if isinstance(thing, dict) else getattr(thing, "__dict__", {})
        return id(thing), tuple([(key, structure(item, above | {id(thing)})) for key, item in items.items()])
    return id(thing)


# What is given, as the loop wants it ----------------------------------------------------------------------------------


def pair(validation: Any) -> tuple[Any, Any]:
    """(X, y) of the validation data."""
    if not isinstance(validation, (tuple, list)) or len(validation) != 2:
        raise TypeError(f"validation is a pair (X, y), not {type(validation).__name__}")
    return validation[0], validation[1]


def named_metrics(metrics: Any) -> dict[str, Metric]:
    """Metrics by name; of several functions with one name the later ones are numbered."""
    if isinstance(metrics, Mapping):
        named = dict(metrics)
    else:
        listed = [metrics] if callable(metrics) else items(metrics, "metrics are functions such as accuracy")
        named = {}
        for metric in listed:
            name = original = getattr(underlying(metric), "__name__", type(metric).__name__)
            number = 1
            while name in named:
                number += 1
                name = f"{original} {number}"
            named[name] = metric
    for name, metric in named.items():
        if not callable(metric):
            raise TypeError(f"a metric is a function (model, X, y) -> float such as accuracy, not {metric!r}")
        if not isinstance(name, str):
            raise TypeError(f"a metric's name is text, not {name!r}")
        if name in ("cost", "validation_cost") or (name.startswith("validation_") and name[11:] in named):
            raise ValueError(f"a metric cannot be called {name!r}, which is the name of another curve of the history")
    return named


def listed_callbacks(callbacks: Any) -> list[Callable[[int, History, Any], Any]]:
    """The callbacks as a list; a single function is one, too."""
    found = [callbacks] if callable(callbacks) or not is_iterable(callbacks) else list(callbacks)
    for callback in found:
        if not callable(callback):
            raise TypeError(f"a callback is a function (epoch, history, model), not {callback!r}")
    return found


def trained_parameters(model: Any, optimizer: Any) -> list[Value]:
    """The parameters that the optimizer moves, which must be among the model's."""
    if isinstance(optimizer, type) or not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer is an instance, such as Adam(model.parameters(), lr=0.01), not {optimizer!r}")
    if not callable(getattr(model, "parameters", None)) or isinstance(model, type):
        raise TypeError(f"a model has parameters() and is called with one example, as an MLP is; {model!r} has none")
    if not set(model.parameters()).issuperset(optimizer.parameters):
        raise ValueError(
            "the optimizer moves parameters that are not this model's: after making the model, make the optimizer anew "
            "from its model.parameters()"
        )
    return optimizer.parameters
