"""Neuron, Layer and MLP, as the textbook draws them: z = w a + b, then a = sigma(z).

A neuron is two nodes of the graph, whatever its number of inputs; every node and parameter carries its textbook label.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, ParamSpec

from autograd import Value, weighted_sum
from autograd.assigning import is_iterable
from autograd.compiler import uncollected
from autograd.core.table import TABLE
from autograd.core.value import OPERATIONS
from nn.checks import count, items, whole_seed
from nn.module import Module
from nn.shown import Shown

if TYPE_CHECKING:
    import numpy as np

P = ParamSpec("P")


class Activations(Collection[str]):
    """The names of all activations, those declared later included.

    Any function of the table that takes one number may serve; "linear" passes z on as it is.
    """

    def __iter__(self) -> Iterator[str]:
        return (name for name in ("linear", *TABLE) if name in self)

    def __contains__(self, name: object) -> bool:
        row = TABLE.get(name) if isinstance(name, str) else None
        return name == "linear" or (row is not None and not row.lists and len(row.operands) - len(row.defaults) == 1)

    def __len__(self) -> int:
        return sum(1 for _ in self)


ACTIVATIONS = Activations()
# These pass about half of what reaches them, so their weights need twice the variance to keep a signal's size.
_HALVING = frozenset({"relu", "leaky_relu", "elu", "gelu", "silu", "softplus"})


class Derived:
    """A property that follows from a module's parts, unless a subclass assigns the attribute itself."""

    def __init__(self, value: Callable[[Any], Any]):
        self.value, self.__doc__ = value, value.__doc__

    def __get__(self, module: Any, owner: Any = None) -> Any:
        return self if module is None else self.value(module)


def also_called(**others: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """A decorator: keywords of micrograd's that stand for others, and `nonlin` for the activation."""

    def decorated(init: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(init)
        def renamed(*arguments: P.args, **keywords: P.kwargs) -> None:
            for theirs, ours in others.items():
                if theirs in keywords:
                    if ours in keywords:
                        raise TypeError(f"{theirs} is another name of {ours}: give one of the two")
                    keywords[ours] = keywords.pop(theirs)
            return init(*arguments, **keywords)

        return renamed

    return decorated


class Neuron(Module):
    """One neuron: called with n_in numbers or Values it returns a = activation(w_0 x_0 + ... + b), a Value.

    Args:
        n_in: the number of inputs.
        activation: "linear", "relu", "tanh", "sigmoid" or any other function of one number that autograd has.
        seed: what the weights are drawn from (None: a fresh one); biases start at 0.
        n_out: the number of neurons in its layer, to which Glorot's initialisation is fitted.
        number, layer: which neuron of which layer it is, for its labels.

    Weights are uniform in +-sqrt(6 / (n_in + n_out)) (Glorot and Bengio, 2010), for ReLU and its kin in
    +-sqrt(6 / n_in) (He et al., 2015).

    >>> neuron = Neuron(2, "tanh", seed=0)
    >>> a = neuron([0.5, -1.0])
    >>> a.label, a.op, a.parents[0].label, [p.label for p in neuron.parameters()]
    ('a', 'tanh', 'z', ['w_0', 'w_1', 'b'])
    """

    _repr_mimebundle_ = Shown()
    _place = ""

    @also_called(nin="n_in", nonlin="activation")
    def __init__(
        self,
        n_in: int,
        activation: str | bool = "relu",
        *,
        seed: int | random.Random | None = None,
        n_out: int = 1,
        number: int | None = None,
        layer: int | None = None,
    ):
        self.activation = activation
        n_in, n_out = count(n_in, "n_in"), count(n_out, "n_out")
        fan = n_in if self.activation in _HALVING else n_in + n_out
        limit, draw = (6 / fan) ** 0.5, generator(seed).random
        self.w = [Value(2 * limit * draw() - limit) for _ in range(n_in)]
        self.b = Value(0.0)
        self.place(number, layer)

    @property
    def activation(self) -> str:
        """The name of the activation. Assigning another one changes the neuron from then on."""
        return self._activation

    @activation.setter
    def activation(self, name: str | bool) -> None:
        if isinstance(name, bool):  # micrograd's nonlin
            name = "relu" if name else "linear"
        self._activation = activation_name(name)
        self._note_names()

    @property
    def nonlin(self) -> bool:
        """Whether there is an activation, as micrograd asks for it; assigning chooses between relu and linear."""
        return self.activation != "linear"

    @nonlin.setter
    def nonlin(self, nonlin: bool) -> None:
        self.activation = bool(nonlin)

    @Derived
    def n_in(self) -> int:
        """The number of inputs."""
        return len(self.w)

    def place(self, j: int | None = None, layer: int | None = None) -> None:
        """Label the parameters, and all nodes computed from now on, as those of neuron `j` in layer number `layer`."""
        above = "" if layer is None else f"^({layer})"
        below = "" if j is None else f"_{j}"
        before = f"w{below or '_'}"
        for k, w in enumerate(self.w):
            comma = "," if j is not None and (k > 9 or j > 9) else ""
            w._made = "", f"{before}{comma}{k}{above}"
            w.role = "parameter"  # type: ignore[attr-defined]  # whatever it is called; drawings show it
        self.b.label, self.b.role = f"b{below}{above}", "parameter"  # type: ignore[attr-defined]
        self._place = f"{below}{above}"
        self._note_names()

    def _note_names(self) -> None:
        """What the nodes z and a record, operation and label, made once and not for every node."""
        self._z = "weighted_sum", f"z{self._place}"
        self._a = None if self._activation == "linear" else (self._activation, f"a{self._place}")

    def __call__(self, x: Iterable[Value | float]) -> Value:
        """The activation a = sigma(w_0 x_0 + ... + b), a Value whose parent is z, unless the activation is linear."""
        if type(x) is not list or len(x) != len(self.w):
            x = example(x, len(self.w), self)
        z = weighted_sum(self.w, x, self.b)
        z._made, made = self._z, self._a
        if made is None:
            return z
        a = OPERATIONS[made[0]](z)
        a._made = made
        return a

    _parts = frozenset({"w", "b", "_activation", "_place", "_z", "_a"})

    def _part_names(self) -> Iterator[tuple[str, str, Value]]:
        """The weights, then the bias, each under its label."""
        for k, w in enumerate(self.w):
            yield w.label, f"w.{k}", w
        yield self.b.label, "b", self.b

    def _part_arrays(self) -> dict[str, np.ndarray]:
        import numpy as np

        return {"weight": np.array(self.w, object), "bias": np.array(self.b, object)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if state["_activation"] not in ACTIVATIONS:
            raise ValueError(
                f"the neuron's activation {state['_activation']!r} is an operation that was declared where it was "
                "made: declare it here, too, by autograd.primitive, before unpickling"
            )
        self.__dict__.update(state)

    def __repr__(self) -> str:
        return f"Neuron({len(self.w)}, activation={self.activation!r})"


class Layer(Module):
    """`n_out` neurons that see the same inputs: called with n_in numbers or Values it returns a list of n_out Values.

    Arguments as those of `Neuron`; `number` is that of the layer, for its labels. The list is one even of one Value.

    >>> layer = Layer(3, 2, "sigmoid", seed=0)
    >>> [a.label for a in layer([1.0, 2.0, 3.0])]
    ['a_0', 'a_1']
    >>> [p.label for p in layer.parameters()]
    ['w_00', 'w_01', 'w_02', 'w_10', 'w_11', 'w_12', 'b_0', 'b_1']
    """

    _repr_mimebundle_ = Shown()

    @also_called(nin="n_in", nout="n_out", nonlin="activation")
    def __init__(
        self,
        n_in: int,
        n_out: int,
        activation: str | bool = "relu",
        *,
        seed: int | random.Random | None = None,
        number: int | None = None,
    ):
        rng, n_out = generator(seed), count(n_out, "n_out")
        self.neurons = [Neuron(n_in, activation, seed=rng, n_out=n_out, number=j, layer=number) for j in range(n_out)]

    @Derived
    def n_in(self) -> int:
        """The number of inputs."""
        return self.neurons[0].n_in

    @Derived
    def n_out(self) -> int:
        """The number of neurons."""
        return len(self.neurons)

    @property
    def activation(self) -> str:
        """The name of the neurons' activation. Assigning another one changes them all from then on."""
        return self.neurons[0].activation

    @activation.setter
    def activation(self, name: str | bool) -> None:
        for neuron in self.neurons:
            neuron.activation = name

    def place(self, layer: int | None = None) -> None:
        """Label the neurons as those of layer number `layer`."""
        for j, neuron in enumerate(self.neurons):
            neuron.place(j, layer)

    def __call__(self, x: Iterable[Value | float]) -> list[Value]:
        """Each neuron's activation, a list of n_out Values."""
        x = example(x, len(self.neurons[0].w), self)
        return [neuron(x) for neuron in self.neurons]

    _parts = frozenset({"neurons"})

    def _part_names(self) -> Iterator[tuple[str, str, Value]]:
        """The weights, neuron by neuron, then the biases, each under its label; then what else a neuron has."""
        if not self._has_neurons():
            return
        for j, neuron in enumerate(self.neurons):
            for k, w in enumerate(neuron.w):
                yield w.label, f"neurons.{j}.w.{k}", w
        for j, neuron in enumerate(self.neurons):
            yield neuron.b.label, f"neurons.{j}.b", neuron.b
        for path, parameter in self._extras():
            yield path, path, parameter

    def _part_parameters(self) -> Iterable[Value]:
        if not self._has_neurons():
            return []
        biases, others = [neuron.b for neuron in self.neurons], [parameter for _, parameter in self._extras()]
        return chain(*(neuron.w for neuron in self.neurons), biases, others)

    def _part_arrays(self) -> dict[str, np.ndarray]:
        import numpy as np

        if not self._has_neurons():
            return {}
        biases = [neuron.b for neuron in self.neurons]
        arrays = {"weight": np.array([neuron.w for neuron in self.neurons], object), "bias": np.array(biases, object)}
        return arrays | {path: np.array(parameter, object) for path, parameter in self._extras()}

    def _has_neurons(self) -> bool:
        """Whether this is a row of neurons with equally many weights, and not something of a subclass's own."""
        neurons = getattr(self, "neurons", [])
        return all(isinstance(neuron, Neuron) for neuron in neurons) and len({len(neuron.w) for neuron in neurons}) == 1

    def _extras(self) -> Iterator[tuple[str, Value]]:
        """What neurons of a subclass have besides weights and bias."""
        for j, neuron in enumerate(self.neurons):
            for name, _, parameter in neuron._other_names(frozenset({id(self)}), neuron._parts):
                yield f"neurons.{j}.{name}", parameter

    def __repr__(self) -> str:
        return f"Layer({len(self.neurons[0].w)}, {len(self.neurons)}, activation={self.activation!r})"


class MLP(Module):
    """A multilayer perceptron: layers, each of which sees the activations of the one before.

    Called with n_in numbers or Values it returns a Value if the last layer has one neuron, else a list of Values.

    Args:
        n_in: the number of inputs.
        sizes: the number of neurons in each layer, the last one being the output: [16, 16, 1].
        activation: that of the hidden layers; a network of one layer has none.
        output: that of the last layer.
        seed: what the weights are drawn from, alone: equal seeds give equal models. None: a fresh one.

    >>> model = MLP(2, [3, 1], seed=0)
    >>> model
    MLP(2, [3, 1], activation='relu', output='linear')
    >>> model([1.0, -2.0]).label, len(model.parameters())
    ('z_0^(2)', 13)
    """

    _repr_mimebundle_ = Shown()

    @also_called(nin="n_in", nouts="sizes")
    @uncollected()
    def __init__(
        self,
        n_in: int,
        sizes: Sequence[int],
        activation: str = "relu",
        output: str = "linear",
        seed: int | None = None,
    ):
        sizes = items(sizes, "an MLP takes a list with the size of each layer, as in MLP(2, [16, 16, 1])")
        widths = [count(n_in, "n_in"), *(count(size, "a layer's size") for size in sizes)]
        if len(widths) < 2:
            raise ValueError("an MLP needs at least one layer, as in MLP(2, [1])")
        if isinstance(activation, str):  # a network of one layer has no use for it, and yet it may be misspelt
            activation_name(activation)
        rng, activations = generator(seed), [activation] * (len(widths) - 2) + [output]
        self.layers = [
            Layer(n, m, name, seed=rng, number=number)
            for number, (n, m, name) in enumerate(zip(widths, widths[1:], activations), 1)
        ]

    @Derived
    def n_in(self) -> int:
        """The number of inputs."""
        return self.layers[0].n_in

    @Derived
    def n_out(self) -> int:
        """The number of outputs."""
        return self.layers[-1].n_out

    def __call__(self, x: Iterable[Value | float]) -> Any:
        """The last layer's activations: a Value if it has one neuron, else a list of Values."""
        a = example(x, len(self.layers[0].neurons[0].w), self)
        for layer in self.layers:
            a = layer(a)
        return a[0] if len(a) == 1 else a

    _parts = frozenset({"layers"})

    def _part_names(self) -> Iterator[tuple[str, str, Value]]:
        """Layer by layer the weights, row by row, then the biases, each under its label."""
        for i, layer in enumerate(self.layers):
            for name, parameter in layer.named_parameters():
                yield name, f"layers.{i}.{name}", parameter

    def _part_parameters(self) -> Iterable[Value]:
        return chain.from_iterable(layer.parameters() for layer in self.layers)

    def __repr__(self) -> str:
        sizes = [len(layer.neurons) for layer in self.layers]
        hidden = f"activation={self.layers[0].activation!r}, " if len(sizes) > 1 else ""  # that of hidden layers
        n_in, output = len(self.layers[0].neurons[0].w), self.layers[-1].activation
        return f"MLP({n_in}, {sizes}, {hidden}output={output!r})"


def activation_name(name: Any) -> str:
    """The name of an activation, if there is such a one."""
    if not isinstance(name, str):
        raise TypeError(f"activation is a name such as 'relu' or 'tanh', not {name!r}")
    if name not in ACTIVATIONS:
        raise ValueError(f"there is no activation {name!r}; choose one of {', '.join(ACTIVATIONS)}")
    return name


def generator(seed: int | random.Random | None) -> random.Random:
    """Python's generator for a seed; without one, a generator that nobody can predict."""
    if seed is None or isinstance(seed, random.Random):
        return seed or random.Random()
    return random.Random(whole_seed(seed))


def example(x: Any, n: int, owner: Module) -> list[Any]:
    """One example as a list of n numbers or Values; an error if it is anything else, never a truncated one."""
    if type(x) is not list:
        if isinstance(x, (str, bytes, dict)) or not is_iterable(x):
            raise TypeError(f"{owner} takes a list of {n} numbers or Values, not {x!r}")
        x = x.tolist() if hasattr(x, "tolist") else list(x)
    if any(type(item) in (list, tuple) for item in x[:1]):
        raise ValueError(f"{owner} takes one example, {n} numbers; predict(model, X) takes a table of many")
    if len(x) != n:
        raise ValueError(f"{owner} takes {n} input{'s' * (n > 1)}, but this example has {len(x)}")
    return x
