"""Examples: the data of a training, as the loss wants it, judged before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autograd import Value
from nn.checks import class_indices, same_length, table, targets
from nn.losses import listed

Loss = Callable[[Any, Any], Any]


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
