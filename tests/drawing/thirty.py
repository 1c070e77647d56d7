"""Thirty graphs, from two values to a network that reads digits: what people draw without asking for anything."""

import random
from collections.abc import Callable

import nn
from autograd import Value, cos, exp, log, logsumexp, mean, prod, relu, sigmoid, sin, softmax, sqrt, tanh, weighted_sum
from autograd import sum as total


def named(label: str, value: Value) -> Value:
    value.label = label
    return value


def values(**numbers: float) -> list[Value]:
    return [Value(x, label=label) for label, x in numbers.items()]


def square():
    [x] = values(x=3.0)
    return named("f", x * x)


def line():
    a, b, c = values(a=2.0, b=-3.0, c=10.0)
    return a * b + c


def readme():
    w, a, b, y = values(w=0.8, a=1.5, b=-0.5, y=1.0)
    return named("C", (tanh(w * a + b) - y) ** 2)


def diamond():
    [x] = values(x=2.0)
    return named("f", sin(x) * cos(x) + x / 3)


def three_uses():
    [x] = values(x=2.0)
    return named("f", x * x + 3 / x)


def micrograd_readme():
    a, b = values(a=-4.0, b=2.0)
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + relu(b + a)
    d = d + 3 * d + relu(b - a)
    e = c - d
    f = e**2
    g = f / 2.0
    g = g + 10.0 / f
    return named("g", g)


def neuron_by_hand():
    x1, x2, w1, w2, b = values(x1=2.0, x2=0.0, w1=-3.0, w2=1.0, b=6.8813735870195432)
    return named("o", tanh(named("n", named("x1w1 + x2w2", x1 * w1 + x2 * w2) + b)))


def one_neuron():
    return nn.Neuron(4, "tanh", seed=1)([Value(0.5 * k - 1, f"x_{k}") for k in range(4)])


def one_neuron_per_layer():
    a, y = values(x=0.6, y=1.0)
    for layer in (1, 2, 3):
        w, b = values(**{f"w^({layer})": 0.5 + layer / 4, f"b^({layer})": -0.3 * layer})
        a = named(f"a^({layer})", sigmoid(named(f"z^({layer})", w * a + b)))
    return named("C", (a - y) ** 2)


def chain_of_forty():
    v = Value(0.5, label="x")
    for i in range(20):
        v = tanh(v * (1 + i / 10))
    return v


def chain_of_sigmoids():
    [v] = values(x=1.0)
    for _ in range(12):
        v = sigmoid(v)
    return named("f", v)


def running_sum():
    total_so_far = Value(0.0, label="s_0")
    for i in range(12):
        total_so_far = total_so_far + Value(i / 3, label=f"x_{i}") ** 2
    return total_so_far


def a_sum_of_many():
    return named("s", total([Value(i / 7, label=f"x_{i}") for i in range(40)]))


def a_product_of_ten():
    return named("p", prod([Value(1 + i / 7, label=f"x_{i}") for i in range(10)]))


def softmax_of_four():
    z = [Value(i / 2 - 1, label=f"z_{i}") for i in range(4)]
    return named("C", -log(softmax(z)[2]))


def cross_entropy_of_three():
    z = [Value(i / 2 - 1, label=f"z_{i}") for i in range(3)]
    return named("C", logsumexp(z) - z[1])


def network(*widths: int, activation: str = "tanh"):
    model = nn.MLP(widths[0], list(widths[1:]), activation, seed=0)
    x = [Value(0.5 - k / 3, label=f"x_{k}") for k in range(widths[0])]
    return named("C", nn.squared_error(model(x), 1.0 if widths[-1] == 1 else [1.0] * widths[-1]))


def bare_output():
    return nn.MLP(3, [4, 4, 1], seed=0)([0.2, -0.4, 0.6])


def batch(examples: int, *widths: int):
    model, rng = nn.MLP(widths[0], list(widths[1:]), "tanh", seed=0), random.Random(0)
    costs = [nn.squared_error(model([rng.uniform(-1, 1) for _ in range(widths[0])]), 1.0) for _ in range(examples)]
    return named("C", mean(costs))


def fitted_line(examples: int = 30):
    w, b = values(w=0.7, b=-0.2)
    return named("C", mean([(w * (k / 10) + b - (k / 8 - 1)) ** 2 for k in range(examples)]))


def digits_network():
    rng = random.Random(0)
    model = nn.MLP(64, [32, 10], seed=0)
    return named("C", nn.cross_entropy(model([rng.random() for _ in range(64)]), 3))


def recurrence():
    w, u, b = values(w=0.9, u=-0.4, b=0.1)
    h = Value(0.0, label="h_0")
    for t in range(1, 7):
        h = named(f"h_{t}", tanh(w * h + u * Value(t / 5, label=f"x_{t}") + b))
    return h


def attention():
    q = [Value(0.3 * i - 0.4, label=f"q_{i}") for i in range(3)]
    keys = [[Value(0.2 * i - 0.1 * j, label=f"k_{j}{i}") for i in range(3)] for j in range(4)]
    scores = softmax([weighted_sum(q, k) / sqrt(3.0) for k in keys])
    return named("o", weighted_sum(scores, [Value(j / 2, label=f"v_{j}") for j in range(4)]))


def second_derivative():
    [x] = values(x=0.7)
    y = exp(-x * x)
    from autograd import gradients

    return named("dy/dx", gradients(y, [x], create_graph=True)[0])


def penalty():
    model = nn.MLP(2, [3, 1], "tanh", seed=0)
    return named("C", nn.squared_error(model([0.3, 0.8]), 1.0) + nn.l2_penalty(model.parameters(), 0.01))


def extremes():
    x, y = values(x=1.0, y=2.0)
    return x * 1e-320 + y * 1e10


def words():
    price, quantity, discount = values(price=19.99, quantity=3.0, discount=0.15)
    revenue = named("revenue", price * quantity * (1 - discount))
    return named("profit after tax", (revenue - Value(20.0, "fixed costs")) * 0.7)


THIRTY: dict[str, Callable[[], Value]] = {
    "a square": square,
    "a line": line,
    "the README's cost": readme,
    "a diamond": diamond,
    "three uses": three_uses,
    "micrograd's README": micrograd_readme,
    "a neuron by hand": neuron_by_hand,
    "one neuron": one_neuron,
    "one neuron per layer": one_neuron_per_layer,
    "a chain of forty": chain_of_forty,
    "twelve sigmoids": chain_of_sigmoids,
    "a running sum": running_sum,
    "a sum of forty": a_sum_of_many,
    "a product of ten": a_product_of_ten,
    "softmax of four": softmax_of_four,
    "cross-entropy of three": cross_entropy_of_three,
    "MLP 2-2-1": lambda: network(2, 2, 1),
    "MLP 2-3-1": lambda: network(2, 3, 1),
    "MLP 2-4-4-1": lambda: network(2, 4, 4, 1),
    "MLP 2-16-16-1": lambda: network(2, 16, 16, 1, activation="relu"),
    "a bare output": bare_output,
    "three examples": lambda: batch(3, 2, 2, 1),
    "thirty examples": lambda: batch(30, 2, 4, 1),
    "a fitted line": fitted_line,
    "digits": digits_network,
    "a recurrence": recurrence,
    "attention": attention,
    "a second derivative": second_derivative,
    "a penalty": penalty,
    "words": words,
}
assert len(THIRTY) == 30
