"""Examples: the data of a training, as the loss wants it, judged before anything is trained."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from autograd import Value
from autograd.assigning import taken_out
from nn.checks import (
    class_indices,
    columns_of,
    finite,
    named_classes,
    names_of_classes,
    numbered,
    real_numbers,
    same_length,
    table,
    targets,
)
from nn.evaluation import class_names
from nn.losses import (
    absolute_error,
    as_list,
    binary_cross_entropy,
    hinge,
    huber,
    mean_squared_error,
    squared_error,
)

if TYPE_CHECKING:
    import numpy as np

Loss = Callable[[Any, Any], Any]


class Examples:
    """X and y, checked against the model and the loss before anything is trained.

    Attributes:
        X, y: float arrays (n, d) and (n,) or (n, n_out); class indices are integers.
        labels: y as metrics see it: the names of the classes where y was given as names, else y.
        weights: of the examples in the mean, (n,); None where all count the same.
        classes, columns: the names of the classes and of a frame's columns, where there are any.
        rows: (n, d + n_y), the inputs of the compiled program: x, then the target, a class as its one-hot row, then the
            weight, if there are weights. A copy of what was given, of which X is a part.
    """

    def __init__(
        self,
        model: Any,
        X: Any,
        y: Any,
        loss: Loss,
        name: str = "",
        *,
        sample_weight: Any = None,
        class_weight: Any = None,
        like: Examples | None = None,
    ):
        """Check the data, which errors call by `name`; `like` are others whose classes and columns these share."""
        import numpy as np

        self.name = name
        known = getattr(model, "columns", None) if like is None else like.columns
        self.X = table(X, f"{self.name}X", known, copy=False)
        self.columns = known or columns_of(X)
        with found_before_training(f"{self.name}example 0"):
            output = model(self.X[0].tolist())
        outputs = len(as_list(output))
        self.classes, self.y, self.labels = self._read(model, y, loss, outputs, like)
        self.n = same_length(self.X, self.y, f"{self.name}y")
        self.are_classes = outputs > 1 and self.y.ndim == 1
        if self.y.ndim == 2 and self.y.shape[1] != outputs:
            raise ValueError(
                f"the model has {outputs} outputs, so {self.name}y has shape (n, {outputs}), not {self.y.shape}"
            )
        if self.are_classes:
            self.y = class_indices(self.y, outputs, f"{self.name}y")
        self._check_targets(output, loss)
        self.cut_at_half = (
            outputs == 1 and underlying(loss) in REGRESSION_LOSSES and set(np.unique(self.y).tolist()) <= {0, 1}
        )
        self.weights = weights(self, sample_weight, class_weight)
        target_rows = np.eye(outputs)[self.y] if self.are_classes else self.y.reshape(self.n, -1).astype(float)
        extra = [] if self.weights is None else [self.weights[:, None]]
        self.rows = np.hstack([self.X, target_rows, *extra])
        self.X = self.rows[:, : self.X.shape[1]]

    def _read(
        self, model: Any, y: Any, loss: Loss, outputs: int, like: Examples | None
    ) -> tuple[list[Any] | None, np.ndarray, np.ndarray]:
        """The names of the classes, if there are any, the targets as numbers, and the labels that metrics see."""
        import numpy as np

        name = f"{self.name}y"
        known = class_names(model) if like is None else like.classes
        named = names_of_classes(y, booleans=outputs == 2)
        if named is None:
            indices = named_classes(y, known, name) if known else None
            if indices is not None:
                return known, indices, np.array(known)[indices]
            array = targets(y, name)
            if array.ndim == 2 and array.shape[1] == 1:
                array = array[:, 0]
            return known, array, array
        found, given = named
        if outputs == 1 and underlying(loss) not in (binary_cross_entropy, hinge):
            raise TypeError(
                f"{name} names classes, such as {found[0]!r}, but a model with one output and this loss takes real "
                "numbers. Two names become the targets of binary_cross_entropy or hinge; several those of "
                "cross_entropy, for a model with an output per class"
            )
        classes = known or found
        needed = max(2, outputs)
        if len(classes) != needed:
            advice = "" if known else "; where some have no example, set model.classes to all of them before"
            raise ValueError(
                f"{name} names {len(classes)} classes, {', '.join(map(repr, classes[:5]))}, but a model with {outputs} "
                f"output{'s' * (outputs > 1)} tells {needed} apart{advice}"
            )
        indices, labels = numbered(given, classes, name), np.empty(len(given), object)
        labels[:] = given
        signs = outputs == 1 and underlying(loss) is hinge
        return classes, 2 * indices - 1 if signs else indices, labels

    def _check_targets(self, output: Any, loss: Loss) -> None:
        """Let the loss judge each different target, so that a wrong one is found before training and not during it."""
        import numpy as np

        first = np.unique(self.y, axis=0, return_index=True)[1]
        for i in sorted(first.tolist()):
            with found_before_training(f"{self.name}example {i}"):
                cost = taken_out(loss(output, self.target(i)))
            if not isinstance(cost, Value):
                raise TypeError(f"the loss returned {cost!r}; it has to return a Value, computed from the output")

    def target(self, i: int) -> Any:
        """The target of one example: a float, a list of floats or a class index."""
        return self.y[i].tolist()

    def keep_on(self, model: Any) -> None:
        """Let the model know the names of its classes and inputs, and where its output is cut in two."""
        threshold = getattr(model, "threshold", None)
        with contextlib.suppress(AttributeError):  # a model that cannot be told is none of ours
            if self.classes is not None:
                model.classes = self.classes
            if self.columns is not None:
                model.columns = self.columns
            if threshold in (None, 0.5) and self.cut_at_half != (threshold == 0.5):
                model.threshold = 0.5 if self.cut_at_half else None


REGRESSION_LOSSES = (squared_error, mean_squared_error, absolute_error, huber)


def underlying(loss: Any) -> Any:
    """The function whose settings a partial gives."""
    return loss.func if isinstance(loss, functools.partial) else loss


def weights(data: Examples, sample_weight: Any, class_weight: Any) -> np.ndarray | None:
    """The weight of each example, (n,): its own times that of its class; None if neither is given."""
    import numpy as np

    if sample_weight is None and class_weight is None:
        return None
    total = np.ones(data.n)
    if sample_weight is not None:
        total = finite(real_numbers(sample_weight, "sample_weight"), "sample_weight")
        if total.shape != (data.n,):
            raise ValueError(f"sample_weight has one weight per example, shape ({data.n},), not {total.shape}")
        if total.min() < 0:
            i = int(total.argmin())
            raise ValueError(f"a weight is at least 0, but sample_weight[{i}] is {total[i]}")
    if class_weight is not None:
        total = total * of_classes(data, class_weight)
    if not total.any():
        raise ValueError("all weights are 0, so there is nothing to learn from")
    return total


def of_classes(data: Examples, class_weight: Any) -> np.ndarray:
    """The weight of each example's class: of a mapping, or "balanced", in inverse proportion to its frequency."""
    import numpy as np

    labels = data.y.argmax(axis=1) if data.y.ndim == 2 else data.labels
    if data.y.ndim == 1 and not (data.y == data.y.astype(np.int64)).all():
        raise ValueError("class_weight is for targets that are classes, but y holds other numbers")
    present = list(dict.fromkeys(labels.tolist()))
    counts = {label: int(sum(labels == label)) for label in present}
    if isinstance(class_weight, str) and class_weight == "balanced":
        found = {label: data.n / (len(counts) * number) for label, number in counts.items()}
    elif isinstance(class_weight, Mapping):
        possible = {*present, *(data.classes or ()), *(range(data.y.max() + 1) if data.are_classes else ())}
        strangers = [key for key in class_weight if key not in possible]
        if strangers:
            raise ValueError(f"class_weight names the class {strangers[0]!r}, but y holds {sorted(present, key=str)}")
        given = dict(class_weight)
        found = {label: given.get(label, 1.0) for label in present}
        for label, number in found.items():
            if isinstance(number, (str, bytes)) or not hasattr(number, "__float__") or not 0 <= number < float("inf"):
                raise ValueError(f"a weight is a finite number of at least 0, but class {label!r} has {number!r}")
    else:
        raise TypeError(f"class_weight is 'balanced' or a mapping from a class to its weight, not {class_weight!r}")
    return np.array([float(found[label]) for label in labels.tolist()])


@contextlib.contextmanager
def found_before_training(place: str) -> Iterator[None]:
    """Name the example at fault in a ValueError or TypeError about it."""
    try:
        yield
    except (TypeError, ValueError) as error:
        error.add_note(f"(found before training, at {place})")
        raise
