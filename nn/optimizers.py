"""Optimizers: how a step follows from a gradient, with PyTorch's meanings and defaults.

Each has one rule, written once in array arithmetic over all parameters: `step()` applies it to Values, `update` to
arrays. A rule is a pure function; the optimizer keeps its state and counts its steps.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograd import Value, zero_grad
from autograd.assigning import set_data
from nn.checks import flag, items, real

if TYPE_CHECKING:
    import numpy as np

Schedule = Callable[[int], float]
State = dict[str, Any]

AT_LEAST_ZERO = frozenset({"momentum", "weight_decay", "eps"})
BELOW_ONE = frozenset({"alpha"})
FLAGS = frozenset({"nesterov", "centered"})
UNSHOWN = frozenset({"parameters", "steps", "state", "shuffling"})


class Optimizer:
    """What all optimizers share; a subclass has a `rule`.

    Attributes:
        parameters: the Values it moves.
        lr: the learning rate, a number or a function of the step, counted from 0. It may be changed at any time, as may
            every other setting; `step` refuses a learning rate that cannot be.
        steps: the number of steps taken.
        state: what the rule remembers from step to step, arrays over all parameters.
        shuffling: where `fit` stands in its shuffles, so that the next `fit` goes on from there; None before the first.
    """

    def __init__(self, parameters: Iterable[Value], lr: float | Schedule):
        self.parameters = movable(parameters)
        if not callable(lr):
            at_least_zero(lr=lr)
        self.lr = lr
        self.steps = 0
        self.state: State = {}
        self.shuffling: dict[str, Any] | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "betas":
            value = rates(value)
        elif name in FLAGS:
            value = flag(value, name)
        elif name in BELOW_ONE:
            below_one(**{name: value})
        elif name in AT_LEAST_ZERO:
            at_least_zero(**{name: value})
        super().__setattr__(name, value)

    def rule(self, theta: Any, g: Any, state: State, lr: float, t: int) -> tuple[Any, State]:
        """The parameters and the state after step number t, counted from 1, from those before and the gradient g."""
        raise NotImplementedError(f"{type(self).__name__} needs a rule(theta, g, state, lr, t)")

    def step(self) -> None:
        """Move every parameter by its `.grad`, which `backward()` has filled in.

        Raises:
            OverflowError: if a parameter, or what the rule remembers, would no longer be a finite number. Then nothing
                has changed.
        """
        import numpy as np

        theta = np.array([p.data for p in self.parameters])
        g = np.array([p.grad for p in self.parameters])
        set_data(self.parameters, self.update(theta, g).tolist())

    def update(self, theta: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """The parameters after a step from `theta` (n,) by `gradient` (n,), as a new array; errors as in `step`."""
        import numpy as np

        from autograd.compiler import guards

        lr, t = self.learning_rate(), self.steps + 1
        try:
            # an overflow on the way, as in the square of a gradient, would stay in the state for ever
            with np.errstate(all="ignore", over="raise"):
                after, state = self.rule(theta, gradient, self.state, lr, t)
            unseen = () if guards.SAYS_ERRORS else state.values()
            if not all(np.isfinite(x).all() for x in (after, *unseen)):
                raise FloatingPointError
        except FloatingPointError:
            with np.errstate(all="ignore"):
                raise self.diverged(theta, gradient, *self.rule(theta, gradient, self.state, lr, t)) from None
        self.state, self.steps = state, self.steps + 1
        return after

    def diverged(self, theta: np.ndarray, gradient: np.ndarray, after: np.ndarray, state: State) -> OverflowError:
        """The error of a step to numbers that are not finite."""
        import numpy as np

        found = {"parameter": after, **state}
        what, i = next(
            ((name, int(np.argmin(np.isfinite(x)))) for name, x in found.items() if not np.isfinite(x).all()),
            ("square", int(np.argmax(np.abs(gradient)))),
        )
        kind = "parameter" if what == "parameter" else f"{what} of the gradient of"
        result = f" {found[what][i]}" if what in found and np.shape(found[what]) else " too large"
        return OverflowError(
            f"step {self.steps} would make the {kind} {self.parameters[i].label or f'number {i}'}{result}, from "
            f"{theta[i]} with gradient {gradient[i]}: training diverges. Take a smaller lr, or clip the gradient"
        )

    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        if not callable(self.lr):
            at_least_zero(lr=self.lr)
            return float(self.lr)
        lr = self.lr(self.steps)
        if not (isinstance(lr, numbers.Real) and 0 <= lr < math.inf):
            raise ValueError(
                f"the learning rate of step {self.steps} came out as {lr!r}; it must be a finite number of at least 0"
            )
        return float(lr)

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0.0."""
        zero_grad(self.parameters)

    def __repr__(self) -> str:
        shown = {k: v for k, v in vars(self).items() if k not in UNSHOWN}
        settings = ", ".join(f"{name}={value!r}" for name, value in shown.items())
        return f"{type(self).__name__}({len(self.parameters)} parameters, {settings})"


class SGD(Optimizer):
    """Gradient descent: theta - lr g. With momentum a step keeps a part of the last one's direction.

    >>> w = Value(1.0)
    >>> optimizer = SGD([w], lr=0.1)
    >>> ((w - 3) ** 2).backward()
    >>> optimizer.step()
    >>> w.data
    1.4
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float | Schedule = 1e-3,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ):
        super().__init__(parameters, lr)
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay
        if nesterov and not self.momentum:
            raise ValueError("Nesterov's method looks ahead along the momentum, so it needs a momentum above 0")

    def rule(self, theta: Any, g: Any, state: State, lr: float, t: int) -> tuple[Any, State]:
        """v = momentum v + g; theta - lr v, or with Nesterov theta - lr (g + momentum v)."""
        g = decayed(theta, g, self.weight_decay)
        v = self.momentum * state.get("velocity", 0.0) + g
        return theta - lr * (g + self.momentum * v if self.nesterov else v), {"velocity": v}


class RMSprop(Optimizer):
    """Each parameter's step is divided by the root of a running mean of its squared gradient."""

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float | Schedule = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ):
        super().__init__(parameters, lr)
        self.alpha, self.eps, self.weight_decay = alpha, eps, weight_decay
        self.momentum, self.centered = momentum, centered

    def rule(self, theta: Any, g: Any, state: State, lr: float, t: int) -> tuple[Any, State]:
        """s = alpha s + (1 - alpha) g^2; theta - lr g / (sqrt(s) + eps). Centered: s less the squared mean of g."""
        g = decayed(theta, g, self.weight_decay)
        square = self.alpha * state.get("square", 0.0) + (1 - self.alpha) * g * g
        mean = self.alpha * state.get("mean", 0.0) + (1 - self.alpha) * g
        v = g / ((square - mean * mean * self.centered) ** 0.5 + self.eps)
        v = self.momentum * state.get("velocity", 0.0) + v
        return theta - lr * v, {"square": square, "mean": mean, "velocity": v}


class Adam(Optimizer):
    """Momentum and RMSprop in one, each corrected for having started at 0 (Kingma and Ba, 2015)."""

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float | Schedule = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        super().__init__(parameters, lr)
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay

    def rule(self, theta: Any, g: Any, state: State, lr: float, t: int) -> tuple[Any, State]:
        """m and s, running means of g and g^2; theta - lr m' / (sqrt(s') + eps), where x' = x / (1 - beta^t)."""
        return self.adam(theta, decayed(theta, g, self.weight_decay), state, lr, t)

    def adam(self, theta: Any, g: Any, state: State, lr: float, t: int) -> tuple[Any, State]:
        """Adam's step, without weight decay: lr and eps take up the corrections of m and s, which are numbers."""
        import numpy as np

        beta, beta2 = self.betas
        m, s, root = state.get("mean", 0.0), state.get("square", 0.0), (1 - beta2**t) ** 0.5
        mean, x = beta * m, (1 - beta) * g  # x is the only array for what is in between
        mean += x
        x *= x
        x *= (1 - beta2) / (1 - beta) ** 2
        square = beta2 * s
        square += x
        np.sqrt(square, out=x)
        x += self.eps * root
        np.divide(mean, x, out=x)
        x *= lr * root / (1 - beta**t)
        return np.subtract(theta, x, out=x), {"mean": mean, "square": square}


def decayed(theta: Any, g: Any, weight_decay: float) -> Any:
    """The gradient with that of weight_decay theta^2 / 2."""
    return g + weight_decay * theta if weight_decay else g


class AdamW(Adam):
    """Adam whose weight decay shrinks the weights themselves, apart from the gradient (Loshchilov and Hutter, 2019)."""

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float | Schedule = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ):
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def rule(self, theta: Any, g: Any, state: State, lr: float, t: int) -> tuple[Any, State]:
        """Adam's step from (1 - lr weight_decay) theta."""
        return self.adam(theta * (1 - lr * self.weight_decay), g, state, lr, t)


# Learning rates -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decay:
    """A learning rate that goes from `lr` at step 0 to `end` at step `steps`, and stays there."""

    lr: float
    steps: int
    end: float = 0.0

    def __post_init__(self) -> None:
        at_least_zero(lr=self.lr, end=self.end)
        whole_steps(self.steps)

    def __call__(self, step: int) -> float:
        """The learning rate of a step."""
        return self.end if step >= self.steps else self.before_the_end(step)

    def before_the_end(self, step: int) -> float:
        """The learning rate of a step before the last."""
        raise NotImplementedError


class LinearDecay(Decay):
    """Down a straight line."""

    def before_the_end(self, step: int) -> float:
        """The learning rate of a step before the last."""
        return self.lr + (self.end - self.lr) * step / self.steps


class CosineDecay(Decay):
    """Down half a cosine."""

    def before_the_end(self, step: int) -> float:
        """The learning rate of a step before the last."""
        return self.end + (self.lr - self.end) * (1 + math.cos(math.pi * step / self.steps)) / 2


@dataclass(frozen=True)
class Warmup:
    """A schedule, or a number, that is scaled by 1/steps, 2/steps, ... over its first steps."""

    schedule: float | Schedule
    steps: int

    def __post_init__(self) -> None:
        whole_steps(self.steps)
        if not callable(self.schedule):
            at_least_zero(lr=self.schedule)

    def __call__(self, step: int) -> float:
        """The learning rate of a step."""
        lr = self.schedule(step) if callable(self.schedule) else self.schedule
        return lr * min(1.0, (step + 1) / self.steps)


def linear_decay(lr: float, steps: int, end: float = 0.0) -> LinearDecay:
    """A learning rate that goes from `lr` at step 0 to `end` at step `steps` in a straight line, and stays there.

    >>> schedule = linear_decay(1.0, 100, end=0.1)
    >>> schedule(0), schedule(50), schedule(100), schedule(1000)
    (1.0, 0.55, 0.1, 0.1)
    """
    return LinearDecay(lr, steps, end)


def cosine_decay(lr: float, steps: int, end: float = 0.0) -> CosineDecay:
    """A learning rate that goes from `lr` at step 0 to `end` at step `steps` along half a cosine, and stays there.

    >>> schedule = cosine_decay(1.0, 100)
    >>> schedule(0), round(schedule(50), 12), schedule(100)
    (1.0, 0.5, 0.0)
    """
    return CosineDecay(lr, steps, end)


def warmup(schedule: float | Schedule, steps: int) -> Warmup:
    """A schedule (or a number) that is scaled by 1/steps, 2/steps, ... over its first steps.

    >>> [warmup(1.0, 4)(step) for step in range(6)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    """
    return Warmup(schedule, steps)


# The gradient before the step -----------------------------------------------------------------------------------------


def clip_gradient_norm(parameters: Iterable[Value], limit: float) -> float:
    """The gradient's norm as it was; where it exceeds `limit`, every `.grad` is scaled so that the norm is `limit`.

    Call it between `backward()` and `step()`.

    Raises:
        ValueError: if a gradient is not finite. Then nothing has changed.

    >>> w, b = Value(0.0), Value(0.0)
    >>> w.grad, b.grad = 3.0, 4.0
    >>> clip_gradient_norm([w, b], 1.0)
    5.0
    >>> round(w.grad, 12), round(b.grad, 12)
    (0.6, 0.8)
    """
    parameters = movable(parameters)
    norm, scale = clipping([p.grad for p in parameters], limit)
    if scale < 1:
        for parameter in parameters:
            parameter.grad *= scale
    return norm


def clipping(gradient: Iterable[float], limit: float) -> tuple[float, float]:
    """The norm of a gradient, and the factor that brings it down to the limit."""
    limit = checked_limit(limit)
    norm = math.hypot(*gradient)
    if not math.isfinite(norm):
        raise ValueError(f"a gradient whose norm is {norm} cannot be scaled to {limit}")
    return norm, min(1.0, limit / norm) if norm else 1.0


def checked_limit(limit: Any) -> float:
    """A gradient norm that is not to be exceeded."""
    if not real(limit, "the limit of a gradient's norm") > 0:
        raise ValueError(f"the limit of a gradient's norm is above 0, not {limit!r}")
    return float(limit)


# Checks -------------------------------------------------------------------------------------------------------------


def movable(parameters: Iterable[Value]) -> list[Value]:
    """The parameters as a list of different leaves; an error otherwise."""
    parameters = items(parameters, "an optimizer takes a list of Values, as in model.parameters()")
    strangers = [p for p in parameters if not isinstance(p, Value)]
    if strangers:
        raise TypeError(f"an optimizer takes a list of Values, as in model.parameters(), but it holds {strangers[0]!r}")
    if not parameters:
        raise ValueError("there are no parameters to move: the list is empty")
    computed = [p for p in parameters if p._x is not None]
    if computed:
        raise ValueError(f"only leaves can be moved, but {computed[0]!r} is computed from other Values")
    if len(set(parameters)) < len(parameters):
        raise ValueError("a parameter occurs twice in the list: it would be moved twice a step")
    return parameters


def at_least_zero(**settings: Any) -> None:
    """Raise unless each setting is a finite number of at least 0."""
    for name, number in settings.items():
        if not 0 <= real(number, name) < math.inf:
            raise ValueError(f"{name} is a finite number of at least 0, not {number!r}")


def below_one(**settings: Any) -> None:
    """Raise unless each setting is from 0 up to, but not including, 1."""
    for name, number in settings.items():
        at_least_zero(**{name: number})
        if float(number) >= 1:
            raise ValueError(f"{name} is a rate of forgetting, at least 0 and below 1, not {number!r}")


def rates(betas: Any) -> tuple[float, float]:
    """Adam's two rates of forgetting."""
    betas = tuple(items(betas, "betas are a pair of rates such as (0.9, 0.999)"))
    if len(betas) != 2:
        raise ValueError(f"betas are a pair of rates such as (0.9, 0.999), not {betas!r}")
    below_one(**{"betas[0]": betas[0], "betas[1]": betas[1]})
    return betas


def whole_steps(steps: Any) -> None:
    """Raise unless it is a number of steps."""
    if isinstance(steps, bool) or not isinstance(steps, numbers.Integral) or steps < 1:
        raise ValueError(f"a schedule takes a whole number of steps, at least 1, not {steps!r}")
