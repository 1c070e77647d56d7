"""Random trainings by `fit`: architectures, losses, optimizers and penalties, compiled beside eager."""

import random
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd
from autograd import Value
from nn import MLP, SGD, Adam, AdamW, Layer, Module, Neuron, RMSprop, fit, losses

ACTIVATIONS = ["linear", "relu", "tanh", "sigmoid", "leaky_relu", "elu", "gelu", "silu", "softplus"]
PENALTIES = {
    "none": None,
    "l2": lambda model: losses.l2_penalty(model.parameters(), 1e-2),
    "l1": lambda model: losses.l1_penalty(model.parameters(), 1e-2),
    "sum of squares": lambda model: 0.01 * autograd.sum([p * p for p in model.parameters()]),
    "capped": lambda model: autograd.minimum(autograd.sum([p * p for p in model.parameters()]), 1.0) * 0.1,
    "squares and one more": lambda model: 0.1 * sum((p * p for p in model.parameters()), model.parameters()[0]),
}


class WithOne(Module):
    """A layer that sees its inputs and a 1, and a neuron that sees the layer and a 1."""

    def __init__(self, n_in, width, activation, seed):
        self.hidden = Layer(n_in + 1, width, activation, seed=seed)
        self.out = Neuron(width + 1, "linear", seed=seed)

    def __call__(self, x):
        return self.out([*self.hidden([*x, 1.0]), 1.0])


class Residual(Module):
    """x + f(x), then a neuron."""

    def __init__(self, n_in, width, activation, seed):
        self.inner = Layer(n_in, n_in, activation, seed=seed)
        self.out = Neuron(n_in, "linear", seed=seed)

    def __call__(self, x):
        return self.out([a + b for a, b in zip(x, self.inner(x))])


class Quadric(Module):
    """x0^2 + ... + b: squares of the inputs beside a parameter."""

    def __init__(self, n_in, width, activation, seed):
        self.b, self.c = Value(-1.0, "b"), [Value(0.1 * k, f"c_{k}") for k in range(n_in)]

    def __call__(self, x):
        return sum(((a - c) * (a - c) for a, c in zip(x, self.c)), self.b)


class Recurrent(Module):
    """One cell over the inputs, one after the other."""

    def __init__(self, n_in, width, activation, seed):
        self.cell, self.out = Layer(1 + width, width, activation, seed=seed), Neuron(width, "linear", seed=seed)

    def __call__(self, x):
        state = [0.0] * len(self.cell.neurons)
        for number in x:
            state = self.cell([number, *state])
        return self.out(state)


class Bumps(Module):
    """Radial basis functions: exp(-(|x - c|^2 + b))."""

    def __init__(self, n_in, width, activation, seed):
        rng = random.Random(seed)
        self.centres = [[Value(rng.uniform(-1, 1)) for _ in range(n_in)] for _ in range(width)]
        self.b, self.w = Value(0.1), [Value(rng.uniform(-1, 1)) for _ in range(width)]

    def __call__(self, x):
        bumps = [autograd.exp(-(sum((a - c) ** 2 for a, c in zip(x, centre)) + self.b)) for centre in self.centres]
        return autograd.weighted_sum(self.w, bumps)


@dataclass(frozen=True)
class Training:
    """What `fit` is called with, all of it drawn."""

    model: str
    n_in: int
    width: int
    activation: str
    loss: str
    optimizer: str
    penalty: str
    batch_size: int | None
    clip_norm: float | None
    seed: int

    @property
    def outputs(self):
        return 3 if self.loss == "cross_entropy" else self.seed % 2 + 1 if self.model == "mlp" else 1

    def made(self):
        """The model."""
        shape = self.n_in, self.width, self.activation, self.seed
        match self.model:
            case "mlp":
                return MLP(self.n_in, [self.width, self.outputs], self.activation, seed=self.seed)
            case "deep":
                return MLP(self.n_in, [self.width, 2, self.outputs], self.activation, seed=self.seed)
        return {"with one": WithOne, "residual": Residual, "quadric": Quadric, "recurrent": Recurrent, "bumps": Bumps}[
            self.model
        ](*shape)

    def data(self):
        """X, y."""
        rng = np.random.default_rng(self.seed)
        X = (
            rng.normal(size=(9, self.n_in)).round(2)
            if self.seed % 3
            else rng.integers(-1, 2, (9, self.n_in)).astype(float)
        )
        classes = rng.integers(0, 2, 9)
        if self.loss == "cross_entropy":
            return X, rng.integers(0, 3, 9)
        y = {"hinge": 2.0 * classes - 1, "binary_cross_entropy": classes}.get(self.loss, rng.normal(size=9).round(2))
        return X, np.stack([y] * self.outputs, axis=1) if self.outputs > 1 else y

    def run(self, compiled, noise=None):
        """The history's costs and the parameters after a few epochs, or the error."""
        model = self.made()
        parameters = model.parameters()
        if noise is not None:  # a few roundings
            for p in parameters:
                p.data *= 1 + noise.uniform(-4e-16, 4e-16)
        optimizer: Any = {
            "SGD": lambda: SGD(parameters, lr=0.02, momentum=0.5),
            "RMSprop": lambda: RMSprop(parameters, lr=0.01),
            "Adam": lambda: Adam(parameters, lr=0.01),
            "AdamW": lambda: AdamW(parameters, lr=0.01),
        }[self.optimizer]()
        X, y = self.data()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            history = fit(
                model, X, y, loss=getattr(losses, self.loss), optimizer=optimizer, epochs=3, batch_size=self.batch_size,
                penalty=PENALTIES[self.penalty], clip_norm=self.clip_norm, compiled=compiled, progress=False,
            )  # fmt: skip
        return history.cost, [p.data for p in parameters]


def training(rng):
    """A random training."""
    model = rng.choice(["mlp", "mlp", "deep", "with one", "residual", "quadric", "recurrent", "bumps"])
    several = ["cross_entropy"] if model in ("mlp", "deep") else []
    return Training(
        model,
        rng.randrange(1, 4),
        rng.randrange(1, 4),
        rng.choice(ACTIVATIONS),
        rng.choice(
            [
                "squared_error",
                "mean_squared_error",
                "absolute_error",
                "huber",
                "hinge",
                "binary_cross_entropy",
                *several,
            ]
        ),
        rng.choice(["SGD", "RMSprop", "Adam", "AdamW"]),
        rng.choice(list(PENALTIES)),
        rng.choice([None, 1, 4, 9]),
        rng.choice([None, None, 0.5]),
        rng.randrange(1000),
    )


def fault(case):
    """What differs between compiled and eager training; an empty string if nothing does."""
    results = []
    for compiled in (False, True):
        try:
            results.append(case.run(compiled))
        except (ArithmeticError, ValueError) as error:
            results.append(type(error).__name__)
        except Exception as error:
            return f"crash: {type(error).__name__}: {error}"
    eager, compiled = results
    if isinstance(eager, str) or isinstance(compiled, str):
        return "" if eager == compiled else f"{compiled} instead of {eager}"
    for name, a, b in zip(("cost", "parameters"), compiled, eager):
        if not np.allclose(a, b, rtol=1e-7, atol=1e-9) and not is_chaotic(case, eager):
            return f"{name} {a} instead of {b}"
    return ""


def is_chaotic(case, eager):
    """Whether roundings change the eager training as much: Adam makes a step of a gradient that is rounding alone."""
    for seed in range(6):
        again = case.run(False, random.Random(seed))
        if not all(np.allclose(a, b, rtol=2e-8, atol=2e-10) for a, b in zip(again, eager)):
            return True
    return False
