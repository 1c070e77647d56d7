"""Neuron, Layer and MLP, as the textbook draws them: z = w a + b, then a = sigma(z).

A neuron is two nodes of the graph, whatever its number of inputs; every node and parameter carries its textbook label.
"""

from __future__ import annotations

import operator
import random
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from autograd import Value, weighted_sum
from autograd.core.table import PRIMITIVES
from autograd.core.value import function
from nn.module import Module

if TYPE_CHECKING:
    import numpy as np

# Any function of the table that takes one number may serve as an activation; "linear" passes z on as it is.
ACTIVATIONS = (
    "linear",
    *(name for name, row in PRIMITIVES.items() if not row.variadic and len(row.operands) - len(row.defaults) == 1),
)
# These pass about half of what reaches them, so their weights need twice the variance to keep a signal's size.
_HALVING = frozenset({"relu", "leaky_relu", "elu", "gelu", "silu", "softplus"})


class Neuron(Module):
    """One neuron: called with n_in numbers or Values it returns a = activation(w_0 x_0 + ... + b), a Value.

    Args:
        n_in: the number of inputs.
        activation: "linear", "relu", "tanh", "sigmoid" or any other function of one number that autograd has.
        seed: what the weights are drawn from (None: a fresh one); biases start at 0.
        n_out: the number of neurons in its layer, to which Glorot's initialisation is fitted.

    Weights are uniform in +-sqrt(6 / (n_in + n_out)) (Glorot and Bengio, 2010), for ReLU and its kin in
    +-sqrt(6 / n_in) (He et al., 2015).

    >>> neuron = Neuron(2, "tanh", seed=0)
    >>> a = neuron([0.5, -1.0])
    >>> a.label, a.op, a.parents[0].label, [p.label for p in neuron.parameters()]
    ('a', 'tanh', 'z', ['w_0', 'w_1', 'b'])
    """

    def __init__(
        self,
        n_in: int,
        activation: str = "relu",
        *,
        seed: int | random.Random | None = None,
        n_out: int = 1,
    ):
        self.activation = activation
        n_in, n_out = count(n_in, "n_in"), count(n_out, "n_out")
        fan = n_in if activation in _HALVING else n_in + n_out
        limit, rng = (6 / fan) ** 0.5, generator(seed)
        self.w = [Value(rng.uniform(-limit, limit)) for _ in range(n_in)]
        self.b = Value(0.0)
        self.place()

    @property
    def activation(self) -> str:
        """The name of the activation. Assigning another one changes the neuron from then on."""
        return self._activation

    @activation.setter
    def activation(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"activation is a name such as 'relu' or 'tanh', not {name!r}")
        if name not in ACTIVATIONS:
            raise ValueError(f"there is no activation {name!r}; choose one of {', '.join(ACTIVATIONS)}")
        self._activation = name
        self._activate = None if name == "linear" else function(name)

    @property
    def n_in(self) -> int:
        """The number of inputs."""
        return len(self.w)

    def place(self, j: int | None = None, layer: int | None = None) -> None:
        """Label the parameters, and all nodes computed from now on, as those of neuron `j` in layer number `layer`."""
        above = "" if layer is None else f"^({layer})"
        below = "" if j is None else f"_{j}"
        for k, w in enumerate(self.w):
            comma = "," if j is not None and max(j, k) > 9 else ""
            w.label = f"w{below or '_'}{comma}{k}{above}"
        self.b.label = f"b{below}{above}"
        self._z, self._a = f"z{below}{above}", f"a{below}{above}"

    def __call__(self, x: Iterable[Value | float]) -> Value:
        """The activation a = sigma(w_0 x_0 + ... + b), a Value whose parent is z, unless the activation is linear."""
        if type(x) is not list or len(x) != len(self.w):
            x = example(x, len(self.w), self)
        z = weighted_sum(self.w, x, self.b)
        z.label = self._z
        if self._activate is None:
            return z
        a = self._activate(z)
        a.label = self._a
        return a

    def named_parameters(self) -> list[tuple[str, Value]]:
        """The weights, then the bias, each under its label."""
        return [(p.label, p) for p in (*self.w, self.b)]

    def _arrays(self) -> dict[str, np.ndarray]:
        import numpy as np

        return {"weight": np.array(self.w, object), "bias": np.array(self.b, object)}

    def __repr__(self) -> str:
        return f"Neuron({self.n_in}, activation={self.activation!r})"


class Layer(Module):
    """`n_out` neurons that see the same inputs: called with n_in numbers or Values it returns a list of n_out Values.

    Arguments as those of `Neuron`. The list is a list even when it holds one Value.

    >>> layer = Layer(3, 2, "sigmoid", seed=0)
    >>> [a.label for a in layer([1.0, 2.0, 3.0])]
    ['a_0', 'a_1']
    >>> [p.label for p in layer.parameters()]
    ['w_00', 'w_01', 'w_02', 'w_10', 'w_11', 'w_12', 'b_0', 'b_1']
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        activation: str = "relu",
        *,
        seed: int | random.Random | None = None,
    ):
        rng = generator(seed)
        self.neurons = [Neuron(n_in, activation, seed=rng, n_out=n_out) for _ in range(count(n_out, "n_out"))]
        self.place()

    @property
    def n_in(self) -> int:
        """The number of inputs."""
        return self.neurons[0].n_in

    @property
    def n_out(self) -> int:
        """The number of neurons."""
        return len(self.neurons)

    @property
    def activation(self) -> str:
        """The name of the neurons' activation."""
        return self.neurons[0].activation

    def place(self, layer: int | None = None) -> None:
        """Label the neurons as those of layer number `layer`."""
        for j, neuron in enumerate(self.neurons):
            neuron.place(j, layer)

    def __call__(self, x: Iterable[Value | float]) -> list[Value]:
        """Each neuron's activation, a list of n_out Values."""
        x = example(x, self.n_in, self)
        return [neuron(x) for neuron in self.neurons]

    def named_parameters(self) -> list[tuple[str, Value]]:
        """The weights, neuron by neuron, then the biases, each under its label."""
        weights = [(w.label, w) for neuron in self.neurons for w in neuron.w]
        return weights + [(neuron.b.label, neuron.b) for neuron in self.neurons]

    def _arrays(self) -> dict[str, np.ndarray]:
        import numpy as np

        biases = [neuron.b for neuron in self.neurons]
        return {"weight": np.array([neuron.w for neuron in self.neurons], object), "bias": np.array(biases, object)}

    def __repr__(self) -> str:
        return f"Layer({self.n_in}, {self.n_out}, activation={self.activation!r})"


class MLP(Module):
    """A multilayer perceptron: layers, each of which sees the activations of the one before.

    Called with n_in numbers or Values it returns a Value if the last layer has one neuron, else a list of Values.

    Args:
        n_in: the number of inputs.
        sizes: the number of neurons in each layer, the last one being the output: [16, 16, 1].
        activation: that of the hidden layers.
        output: that of the last layer.
        seed: what the weights are drawn from, alone: equal seeds give equal models. None: a fresh one.

    >>> model = MLP(2, [3, 1], seed=0)
    >>> model
    MLP(2, [3, 1], activation='relu', output='linear')
    >>> model([1.0, -2.0]).label, len(model.parameters())
    ('z_0^(2)', 13)
    """

    def __init__(
        self,
        n_in: int,
        sizes: Sequence[int],
        activation: str = "relu",
        output: str = "linear",
        seed: int | None = None,
    ):
        if isinstance(sizes, (int, str)) or not hasattr(sizes, "__iter__"):
            raise TypeError(
                f"an MLP takes a list with the size of each layer, as in MLP(2, [16, 16, 1]), not {sizes!r}"
            )
        widths = [count(n_in, "n_in"), *(count(size, "a layer's size") for size in sizes)]
        if len(widths) < 2:
            raise ValueError("an MLP needs at least one layer, as in MLP(2, [1])")
        rng, activations = generator(seed), [activation] * (len(widths) - 2) + [output]
        self.layers = [Layer(n, m, name, seed=rng) for n, m, name in zip(widths, widths[1:], activations)]
        for number, layer in enumerate(self.layers, 1):
            layer.place(number)

    @property
    def n_in(self) -> int:
        """The number of inputs."""
        return self.layers[0].n_in

    @property
    def n_out(self) -> int:
        """The number of outputs."""
        return self.layers[-1].n_out

    def __call__(self, x: Iterable[Value | float]) -> Any:
        """The last layer's activations: a Value if it has one neuron, else a list of Values."""
        a = example(x, self.n_in, self)
        for layer in self.layers:
            a = layer(a)
        return a[0] if len(a) == 1 else a

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Layer by layer the weights, row by row, then the biases, each under its label."""
        return [pair for layer in self.layers for pair in layer.named_parameters()]

    def __repr__(self) -> str:
        sizes = [layer.n_out for layer in self.layers]
        hidden = self.layers[0].activation if len(sizes) > 1 else "relu"
        return f"MLP({self.n_in}, {sizes}, activation={hidden!r}, output={self.layers[-1].activation!r})"


def count(n: Any, name: str) -> int:
    """A whole number above 0, as an int; an error that names what it counts otherwise."""
    try:
        n = operator.index(n)
    except TypeError:
        raise TypeError(f"{name} is a whole number, not {n!r}") from None
    if n < 1:
        raise ValueError(f"{name} is at least 1, not {n}")
    return n


def generator(seed: int | random.Random | None) -> random.Random:
    """Python's generator for a seed; without one, a generator that nobody can predict."""
    if seed is None or isinstance(seed, random.Random):
        return seed or random.Random()
    try:
        seed = operator.index(seed)
    except TypeError:
        raise TypeError(f"a seed is a whole number or None, not {seed!r}") from None
    if seed < 0:
        raise ValueError(f"a seed is at least 0, not {seed}")
    return random.Random(seed)


def example(x: Any, n: int, owner: Module) -> list[Any]:
    """One example as a list of n numbers or Values; an error if it is anything else, never a truncated one."""
    if type(x) is not list:
        if isinstance(x, (str, bytes, dict)) or not hasattr(x, "__iter__") or getattr(x, "shape", None) == ():
            raise TypeError(f"{owner} takes a list of {n} numbers or Values, not {x!r}")
        x = x.tolist() if hasattr(x, "tolist") else list(x)
    if any(type(item) in (list, tuple) for item in x[:1]):
        raise ValueError(f"{owner} takes one example, {n} numbers; predict(model, X) takes a table of many")
    if len(x) != n:
        raise ValueError(f"{owner} takes {n} input{'s' * (n > 1)}, but this example has {len(x)}")
    return x
