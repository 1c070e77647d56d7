"""Bad arguments, one at a time, in every public function: each error is raised on purpose, and says what was wrong.

A call that is right has one of its arguments replaced by each of many that are odd. It may well go through (a list of
numbers serves for an array), but where it fails, the error is one of Python's kinds for bad arguments, raised by a
`raise` of the project itself, not by whatever the argument ran into inside.
"""

import linecache
import math
import os
import warnings
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn
from autograd import Value
from nn import MLP, SGD, Layer, Neuron

ROOT = Path(autograd.__file__).parents[1]
KINDS = (TypeError, ValueError, OverflowError, ZeroDivisionError, OSError, ImportError)

ODD = {
    "None": None,
    "text": "abc",
    "number in text": "1.5",
    "bytes": b"7",
    "minus one": -1,
    "zero": 0,
    "one and a half": 1.5,
    "nan": math.nan,
    "infinity": math.inf,
    "a huge whole number": 10**400,
    "complex": 1j,
    "True": True,
    "an empty list": [],
    "an empty dict": {},
    "a set": {1, 2},
    "a ragged list": [[1.0, 2.0], [3.0]],
    "a nested list": [[[1.0]]],
    "a list of text": ["a", "b"],
    "a list of None": [None, None],
    "an empty array": np.empty((0, 2)),
    "an array": np.arange(6.0).reshape(2, 3),
    "an array of text": np.array([["1", "2"]]),
    "an array of objects": np.array([[object(), 2.0]], object),
    "a cube": np.zeros((2, 2, 2)),
    "a scalar array": np.array(2.0),
    "a masked array": np.ma.array([[1.0, 2.0]], mask=[[True, False]]),
    "dates": np.array(["2020-01-01"], "datetime64[D]"),
    "an object": object(),
    "a class": int,
    "a function": lambda *arguments: None,
    "a Value": Value(2.0, "v"),
    "a model": MLP(2, [1], seed=0),
    "a decimal": Decimal("0.5"),
    "a generator": "generator",
}


def odd(name):
    return (x for x in [1.0]) if name == "a generator" else ODD[name]


def raised_on_purpose(error):
    """Whether the statement that raised an error is a `raise` in the project's own files."""
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    file = trace.tb_frame.f_code.co_filename
    own = file.startswith((str(ROOT / "autograd"), str(ROOT / "nn")))
    return own and linecache.getline(file, trace.tb_lineno).strip().startswith("raise")


def faults(call, arguments):
    """What goes wrong with one argument odd: a line for each error that is not meant."""
    found = []
    for name in arguments:
        for kind in ODD:
            given = {**arguments, name: odd(kind)}
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    call(**given)
            except KINDS as error:
                missing = isinstance(error, FileNotFoundError)  # the operating system's own words
                if not (raised_on_purpose(error) or signature_error(error) or missing):
                    found.append(f"{name}={kind}: {type(error).__name__}: {str(error)[:110]}")
            except Exception as error:
                found.append(f"{name}={kind}: {type(error).__name__}: {str(error)[:110]}")
    return found


def signature_error(error):
    """Whether Python itself has said that arguments do not fit a signature."""
    return isinstance(error, TypeError) and "argument" in str(error) and "()" in str(error)


X, Y = nn.moons(6, seed=0)


def model():
    return MLP(2, [2, 1], "tanh", seed=0)


def classifier():
    return MLP(2, [2], seed=0)


def quiet_fit(**settings):
    of = settings.pop("model", None)
    of = model() if of is None and "model" not in settings else of
    settings.setdefault("optimizer", SGD(of.parameters(), lr=0.1) if hasattr(of, "parameters") else None)
    return nn.fit(of, **{"progress": False, "epochs": 1, **settings})


MOVES = SGD(model().parameters())
NN = {
    "Neuron": (Neuron, {"n_in": 2, "activation": "relu", "seed": 0, "n_out": 1}),
    "Layer": (Layer, {"n_in": 2, "n_out": 2, "activation": "relu", "seed": 0}),
    "MLP": (MLP, {"n_in": 2, "sizes": [2, 1], "activation": "relu", "output": "linear", "seed": 0}),
    "a neuron": (lambda x: Neuron(2, seed=0)(x), {"x": [1.0, 2.0]}),
    "a layer": (lambda x: Layer(2, 2, seed=0)(x), {"x": [1.0, 2.0]}),
    "a model": (lambda x: model()(x), {"x": [1.0, 2.0]}),
    "load_state_dict": (lambda state: model().load_state_dict(state), {"state": model().state_dict()}),
    "a weight": (lambda w: model().load_state_dict({**model().state_dict(), "layers.0.bias": w}), {"w": np.zeros(2)}),
    "squared_error": (nn.squared_error, {"output": [1.0, 2.0], "target": [0.0, 1.0]}),
    "mean_squared_error": (nn.mean_squared_error, {"output": [1.0, 2.0], "target": [0.0, 1.0]}),
    "absolute_error": (nn.absolute_error, {"output": [1.0, 2.0], "target": [0.0, 1.0]}),
    "huber": (nn.huber, {"output": [1.0, 2.0], "target": [0.0, 1.0], "delta": 1.0}),
    "hinge": (nn.hinge, {"output": 0.5, "target": 1}),
    "binary_cross_entropy": (nn.binary_cross_entropy, {"output": 0.5, "target": 1, "pos_weight": 2.0}),
    "cross_entropy": (nn.cross_entropy, {"output": [1.0, 2.0], "target": 1, "label_smoothing": 0.1}),
    "l1_penalty": (nn.l1_penalty, {"parameters": [1.0], "strength": 0.1}),
    "l2_penalty": (nn.l2_penalty, {"parameters": [1.0], "strength": 0.1}),
    "SGD": (SGD, {"parameters": [Value(1.0)], "lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.0}),
    "RMSprop": (nn.RMSprop, {"parameters": [Value(1.0)], "lr": 0.1, "alpha": 0.9, "eps": 1e-8, "momentum": 0.1}),
    "Adam": (nn.Adam, {"parameters": [Value(1.0)], "lr": 0.1, "betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": 0.0}),
    "AdamW": (nn.AdamW, {"parameters": [Value(1.0)], "lr": 0.1, "betas": (0.9, 0.99)}),
    "linear_decay": (nn.linear_decay, {"lr": 0.1, "steps": 3, "end": 0.0}),
    "cosine_decay": (nn.cosine_decay, {"lr": 0.1, "steps": 3, "end": 0.0}),
    "warmup": (nn.warmup, {"schedule": 0.1, "steps": 3}),
    "clip_gradient_norm": (nn.clip_gradient_norm, {"parameters": [Value(1.0)], "limit": 1.0}),
    "moons": (nn.moons, {"n": 4, "noise": 0.1, "seed": 0}),
    "circles": (nn.circles, {"n": 4, "noise": 0.1, "seed": 0, "factor": 0.5}),
    "spirals": (nn.spirals, {"n": 4, "noise": 0.1, "seed": 0, "classes": 2, "turns": 1.0}),
    "xor": (nn.xor, {"n": 4, "noise": 0.1, "seed": 0}),
    "line": (nn.line, {"n": 4, "noise": 0.1, "seed": 0, "slope": 2.0, "intercept": 1.0}),
    "train_test_split": (nn.train_test_split, {"X": X, "y": Y, "test": 0.5, "seed": 0, "stratify": False}),
    "standardize": (nn.standardize, {"X": X}),
    "StandardScaler": (lambda X, Z: nn.StandardScaler().fit(X).transform(Z), {"X": X, "Z": X}),
    "one_hot": (nn.one_hot, {"y": Y, "classes": 2}),
    "fit": (
        lambda **given: quiet_fit(**given),
        {
            "model": None, "X": X, "y": Y, "loss": nn.squared_error, "epochs": 1, "batch_size": 2,
            "validation": (X, Y), "metrics": [nn.accuracy], "penalty": None, "clip_norm": 1.0, "patience": 1,
            "restore_best": True, "sample_weight": np.ones(6), "class_weight": "balanced", "seed": 0,
            "callbacks": (), "compiled": True,
        },
    ),
    "fit, optimizer": (lambda moves: quiet_fit(X=X, y=Y, loss=nn.squared_error, optimizer=moves), {"moves": None}),
    "fit, a model": (lambda of: quiet_fit(model=of, X=X, y=Y, loss=nn.squared_error, optimizer=MOVES), {"of": None}),
    "fit, classes": (
        lambda **given: quiet_fit(model=classifier(), X=X, loss=nn.cross_entropy, **given),
        {"y": Y, "class_weight": {0: 1.0}},
    ),
    "predict": (nn.predict, {"model": model(), "X": X}),
    "classify": (nn.classify, {"model": model(), "X": X, "threshold": 0.5}),
    "accuracy": (nn.accuracy, {"model": model(), "X": X, "y": Y, "threshold": 0.5}),
    "confusion_matrix": (nn.confusion_matrix, {"model": model(), "X": X, "y": Y, "threshold": 0.5}),
    "r2": (nn.r2, {"model": model(), "X": X, "y": Y}),
    "summary": (nn.summary, {"model": model()}),
    "health": (nn.health, {"model": model(), "X": X, "y": Y, "loss": nn.squared_error}),
    "health, optimizer": (
        lambda optimizer: nn.health(model(), X, Y, nn.squared_error, optimizer), {"optimizer": None},
    ),
    "save": (lambda model, optimizer: nn.save(model, os.devnull, optimizer), {"model": model(), "optimizer": None}),
    "load": (nn.load, {"path": os.devnull}),
}  # fmt: skip


def cost_of(w):
    return autograd.tanh(w * 2.0) ** 2


W, Z = Value(1.0, "w"), Value(2.0, "z")
AUTOGRAD = {
    "Value": (Value, {"data": 1.0, "label": "x"}),
    "data": (lambda x: setattr(Value(1.0), "data", x), {"x": 1.0}),
    "grad": (lambda x: setattr(Value(1.0), "grad", x), {"x": 1.0}),
    "label": (lambda x: setattr(Value(1.0), "label", x), {"x": "a"}),
    "backward": (lambda gradient: cost_of(Value(1.0)).backward(gradient), {"gradient": 1.0}),
    "zero_grad": (autograd.zero_grad, {"values": [Value(1.0)]}),
    "gradients": (lambda cost: autograd.gradients(cost), {"cost": cost_of(Value(1.0))}),
    "a gradient": (lambda x: autograd.grad(autograd.tanh)(x), {"x": 1.0}),
    "paths": (autograd.paths, {"cost": None, "value": Value(1.0)}),
    "explain": (autograd.explain, {"cost": None, "value": Value(1.0)}),
    "clip": (autograd.clip, {"x": 0.5, "low": 0.0, "high": 1.0}),
    "where": (autograd.where, {"condition": 1.0, "x": 1.0, "y": 2.0}),
    "weighted_sum": (autograd.weighted_sum, {"weights": [1.0, 2.0], "inputs": [1.0, 2.0], "bias": 0.0}),
    "vjp": (lambda x: autograd.vjp(autograd.tanh, x), {"x": 1.0}),
    "draw": (lambda cost: autograd.draw(cost, engine="builtin"), {"cost": None}),
    "play": (autograd.play, {"cost": None}),
    "compile": (autograd.compile, {"cost": cost_of(W), "wrt": [W], "inputs": []}),
    "a program": (
        lambda theta, batch: autograd.compile(W * Z, wrt=[W], inputs=[Z]).value_and_grad(theta, batch),
        {"theta": [1.0], "batch": [[1.0], [2.0]]},
    ),
    "a compiled function": (autograd.compile(lambda x, y: x * y), {"x": 1.0, "y": 2.0}),
    "grad, argnums": (lambda f, argnums: autograd.grad(f, argnums)(0.5), {"f": autograd.tanh, "argnums": 0}),
    "jvp": (lambda f, x, v: autograd.jvp(f, x, v), {"f": autograd.tanh, "x": (1.0,), "v": (1.0,)}),
    "hvp": (lambda x, v: autograd.hvp(lambda x: x[0] * x[1], [x], [v]), {"x": [1.0, 2.0], "v": [1.0, 2.0]}),
    "gradcheck": (lambda f, x: autograd.gradcheck(f, x), {"f": autograd.tanh, "x": 0.5}),
    "gradients, wrt": (lambda wrt: autograd.gradients(cost_of(W), wrt), {"wrt": [W]}),
    "nudge": (lambda cost, value, by: autograd.nudge(cost, value, by), {"cost": cost_of(W), "value": W, "by": 0.01}),
    "draw, choices": (
        lambda **given: autograd.draw(cost_of(W), **{"engine": "builtin", **given}),
        {"engine": "builtin", "direction": "LR", "unfold": (), "blank": ()},
    ),
    **{name: (getattr(autograd, name), {"x": 0.5}) for name in ("tanh", "log", "sqrt", "relu", "gelu", "floor")},
    **{
        name: (lambda a, b, name=name: getattr(autograd, name)(a, b), {"a": 0.5, "b": 1.5})
        for name in ("maximum", "hypot", "atan2", "mod", "logaddexp")
    },
    **{name: (getattr(autograd, name), {"xs": [0.5, 1.5]}) for name in ("sum", "mean", "prod", "logsumexp", "softmax")},
}


@pytest.mark.parametrize("name", AUTOGRAD)
def test_every_error_of_autograd_is_raised_on_purpose(name):
    call, arguments = AUTOGRAD[name]
    assert faults(call, arguments) == []


@pytest.mark.parametrize("name", NN)
def test_every_error_of_nn_is_raised_on_purpose(name):
    call, arguments = NN[name]
    assert faults(call, arguments) == []


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "**"])
def test_a_whole_number_beyond_floats_is_refused_by_every_operator(operator):
    for text in (f"x {operator} n", f"n {operator} x"):
        with pytest.raises(OverflowError, match="numbers that a float can hold, not one of 1329 bits"):
            eval(text, {"x": Value(1.5), "n": 10**400})
