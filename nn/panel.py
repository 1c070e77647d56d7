"""A panel to play with a network in a notebook: train, pause, step, change it, and ask any weight for its gradient.

Without `ipywidgets` a panel is the picture of its network, and its methods do what the buttons do.
"""

from __future__ import annotations

import asyncio
import html
import time
import weakref
from collections.abc import Sequence
from typing import Any

from autograd import Value, explain, mean
from nn.data import circles, moons, spirals, xor
from nn.evaluation import accuracy
from nn.examples import Examples
from nn.gradients import Compiled, assign
from nn.layers import MLP
from nn.live import figure_png, portrait
from nn.losses import binary_cross_entropy
from nn.optimizers import Adam

POINTS = {"moons": moons, "circles": circles, "spirals": spirals, "xor": xor}
PANEL_ACTIVATIONS = ("tanh", "sigmoid", "relu", "gelu", "sin", "linear")
SHARE = 0.1  # seconds of training between two pictures


class Panel:
    """A network on points of the plane that is trained step by step.

    Args:
        points: "moons", "circles", "spirals" or "xor".
        hidden: the sizes of the hidden layers.
        activation: that of the hidden layers.
        lr: the learning rate of Adam.
        n: how many points.
        seed: of the points and the weights.

    Attributes:
        model: the network as it is now.
        cost: the cost of every step so far.

    >>> from nn import Panel
    >>> panel = Panel("circles", hidden=[3], lr=0.1)
    >>> panel.train(50)
    >>> len(panel.cost), panel.cost[-1] < panel.cost[0]
    (50, True)
    """

    def __init__(
        self,
        points: str = "moons",
        hidden: Sequence[int] = (8, 8),
        activation: str = "tanh",
        lr: float = 0.03,
        n: int = 100,
        seed: int = 0,
    ):
        self.settings: dict[str, Any] = {"points": points, "hidden": tuple(hidden), "activation": activation}
        self.settings |= {"n": n, "seed": seed}
        self.lr = lr
        self._widgets: Any = None
        self.reset()

    def reset(self, **settings: Any) -> None:
        """Start anew, with other settings if some are given: points, hidden, activation, n, seed."""
        unknown = set(settings) - set(self.settings)
        if unknown:
            raise TypeError(f"a panel has no setting {', '.join(sorted(unknown))}; it has {', '.join(self.settings)}")
        chosen = self.settings | settings
        if chosen["points"] not in POINTS:
            raise ValueError(f"points is one of {', '.join(POINTS)}, not {chosen['points']!r}")
        X, y = POINTS[chosen["points"]](chosen["n"], seed=chosen["seed"])
        model = MLP(2, [*chosen["hidden"], 1], chosen["activation"], seed=chosen["seed"])
        optimizer = Adam(model.parameters(), lr=self.lr)
        source = Compiled(model, binary_cross_entropy, Examples(model, X, y, binary_cross_entropy), model.parameters())
        self.settings, self.X, self.y, self.model = chosen, X, y, model
        self.optimizer, self._source, self.cost = optimizer, source, []
        self.figure: Any = None

    def train(self, steps: int = 1) -> None:
        """Take so many steps, each on all points."""
        import numpy as np

        batch, theta = np.arange(len(self.X)), np.array([p.data for p in self.model.parameters()])
        self.optimizer.lr = self.lr
        for _ in range(steps):
            cost, gradient = self._source.value_and_grad(theta, batch, len(self.cost))
            theta = self.optimizer.update(theta, gradient)
            self.cost.append(cost)
        assign(self.model.parameters(), theta)

    def explain(self, name: str) -> Any:
        """The gradient of one parameter, named by its label such as "w_00^(1)", at the step that comes next."""
        named = dict(self.model.named_parameters())
        if name not in named:
            raise ValueError(f"there is no parameter {name!r}; there are {', '.join(named)}")
        cost = self._cost()
        return explain(cost, named[name])

    def _cost(self) -> Value:
        """The cost of the next step, as a graph."""
        rows = zip(self.X.tolist(), self.y.tolist())
        cost = mean([binary_cross_entropy(self.model(x), y) for x, y in rows])
        cost.label = "C"
        return cost

    def picture(self) -> bytes:
        """Boundary, maps of the neurons and cost as they are now, as PNG."""
        cost = self.cost or [self._cost().data]
        self.figure = portrait(self.model, self.X, self.y, max(0, len(self.cost) - 1), cost, self.figure)
        return figure_png(self.figure, scale=1.5)

    def __repr__(self) -> str:
        right = f"right about {accuracy(self.model, self.X, self.y):.0%}"
        shape = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        return f"Panel({shape}, lr={self.lr!r}): {len(self.cost)} steps, {right}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        from base64 import b64encode

        sizes = {"image/png": {"width": 960, "height": 310}}
        try:
            import ipywidgets  # noqa: F401  # pyright: ignore[reportMissingImports]
        except ImportError:
            return {"text/plain": repr(self), "image/png": b64encode(self.picture()).decode()}, sizes
        if self._widgets is None:
            self._widgets = Widgets(self)
        else:
            self._widgets.show()
        # the picture stays in the file, for whoever opens it without the widgets' kernel
        picture = b64encode(self._widgets.image.value).decode()
        return {**self._widgets.box._repr_mimebundle_(), "text/plain": repr(self), "image/png": picture}, sizes


class Widgets:
    """The buttons and sliders of a panel, by ipywidgets. They act at once; nothing waits in a queue.

    One panel plays at a time. To show or to play another pauses it: the one before may be that of a cell which was run
    again, whose pause button nobody sees any more.
    """

    playing_now: weakref.ref[Widgets] | None = None

    def __init__(self, panel: Panel):
        import ipywidgets as w  # pyright: ignore[reportMissingImports]

        self.pause_others()
        self.panel, self.task = panel, None
        settings = panel.settings
        whole = {"description_width": "initial"}
        self.image = w.Image(format="png", layout=w.Layout(width="100%", max_width="960px"))
        self.play = w.ToggleButton(description="play", icon="play")
        self.step = w.Button(description="step", icon="step-forward")
        self.again = w.Button(description="start anew", icon="refresh")
        self.points = w.Dropdown(options=list(POINTS), value=settings["points"], description="points")
        self.layers = w.IntSlider(len(settings["hidden"]), 0, 4, description="layers", continuous_update=False)
        width = max(settings["hidden"], default=8)
        self.width = w.IntSlider(width, 1, 16, description="neurons", continuous_update=False)
        self.activation = w.Dropdown(options=PANEL_ACTIVATIONS, value=settings["activation"], description="activation")
        self.lr = w.FloatLogSlider(panel.lr, min=-4, max=0.5, step=0.1, description="learning rate", style=whole)
        self.weight = w.Dropdown(options=["", *dict(panel.model.named_parameters())], description="explain")
        self.words = w.HTML()
        self.line = w.Label()
        self.box = w.VBox([
            w.HBox([self.play, self.step, self.again, self.line]),
            w.HBox([self.points, self.activation, self.lr]),
            w.HBox([self.layers, self.width, self.weight]),
            self.image,
            self.words,
        ])  # fmt: skip
        self.play.observe(lambda change: self.playing(), "value")
        self.step.on_click(lambda button: self.advance(1))
        self.again.on_click(lambda button: self.anew())
        self.lr.observe(lambda change: setattr(panel, "lr", change["new"]), "value")
        self.weight.observe(lambda change: self.show(), "value")
        for control in (self.points, self.layers, self.width, self.activation):
            control.observe(lambda change: self.anew(), "value")
        self.show()

    def anew(self) -> None:
        """Start anew with what the controls say."""
        hidden = (self.width.value,) * self.layers.value
        self.panel.reset(points=self.points.value, hidden=hidden, activation=self.activation.value)
        self.weight.options = ["", *dict(self.panel.model.named_parameters())]
        self.show()

    def advance(self, steps: int) -> None:
        """Train, and show what came of it."""
        self.panel.train(steps)
        self.show()

    def playing(self) -> None:
        """Begin to train, or stop."""
        if not self.play.value:
            return
        self.pause_others()
        Widgets.playing_now = weakref.ref(self)
        if self.task is None or self.task.done():
            self.task = asyncio.ensure_future(self.run())

    def pause_others(self) -> None:
        """Press the pause button of the panel that plays, unless it is this one."""
        other = Widgets.playing_now and Widgets.playing_now()
        if other is not None and other is not self:
            other.play.value = False

    async def run(self) -> None:
        """Train while the button says so, and let the notebook's other events have their turn between two pictures."""
        try:
            while self.play.value:
                end = time.monotonic() + SHARE
                while time.monotonic() < end:
                    self.panel.train(1)
                drawing = time.monotonic()
                self.show()
                await asyncio.sleep(max(0.02, time.monotonic() - drawing))
        finally:  # an error, or the interrupt of the kernel, ends the playing, and the button says so
            self.play.value = False

    def show(self) -> None:
        """The picture and the words of this moment."""
        self.image.value = self.panel.picture()
        cost = f", cost {self.panel.cost[-1]:.4f}" if self.panel.cost else ""
        self.line.value = f"step {len(self.panel.cost)}{cost}"
        words = html.escape(str(self.panel.explain(self.weight.value))) if self.weight.value else ""
        formulas, _, verdict = words.rpartition("\n")
        style = "white-space: pre; overflow-x: auto"
        self.words.value = f'<p>{verdict}</p><pre style="{style}">{formulas}</pre>' if words else ""
