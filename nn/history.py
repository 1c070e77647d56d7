"""History: what happened while training, one number per complete epoch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nn.shown import Shown


@dataclass
class History:
    """What happened while training: one number per complete epoch.

    Attributes:
        cost: the mean cost over the epoch's examples, each as its step saw it, penalty included.
        validation_cost: the mean loss on the validation data after the epoch; empty without validation data.
        metrics: name -> list; those on the validation data are called "validation_" + name.
        stopped: why training ended: "all epochs", "callback", "patience" or "interrupted".
        epochs: how many were asked for.
        interrupted_in: the epoch, counted from 1, in which training was interrupted; 0 if it was not.
        film: the `Live` callback that watched, if one did.
        picture: the curves, as a notebook shows them; `.picture.save("history.png")` writes them.
    """

    cost: list[float] = field(default_factory=list)
    validation_cost: list[float] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    stopped: str = ""
    epochs: int = 0
    interrupted_in: int = 0
    film: Any = field(default=None, repr=False, compare=False)

    picture = Shown()
    _repr_mimebundle_ = Shown()

    def record(self, cost: float, validation_cost: float | None, metrics: Mapping[str, float]) -> None:
        """Add one epoch."""
        self.cost.append(cost)
        if validation_cost is not None:
            self.validation_cost.append(validation_cost)
        for name, number in metrics.items():
            self.metrics.setdefault(name, []).append(number)

    def cut(self, epochs: int) -> None:
        """Forget what was recorded after so many epochs."""
        for curve in (self.cost, self.validation_cost, *self.metrics.values()):
            del curve[epochs:]

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

    def movie(self, path: str | os.PathLike[str], fps: int = 10) -> None:
        """Write the run as an animated GIF, if a `Live` callback watched it: `fit(..., callbacks=[Live(X, y)])`."""
        self._watched().movie(path, fps)

    def sheet(self, count: int = 8) -> Any:
        """A contact sheet of the run, the decision boundary at so many moments, if a `Live` callback watched it."""
        return self._watched().sheet(count)

    def _watched(self) -> Any:
        if self.film is None:
            raise ValueError("nobody watched this training: call fit(..., callbacks=[Live(X, y)])")
        return self.film

    def __repr__(self) -> str:
        parts = [f"{len(self)} epochs"]
        parts += [f"{name} {curve[0]:.4g} -> {curve[-1]:.4g}" for name, curve in self.to_dict().items() if curve]
        if self.interrupted_in:
            parts.append(f"interrupted in epoch {self.interrupted_in} of {self.epochs}")
        return f"History({', '.join(parts)})"
