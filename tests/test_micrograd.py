"""Code written for micrograd, with only its import lines changed.

What micrograd computes on its own README expression and its two test expressions was derived here by hand: each is
written a second time in plain numbers, and its slopes by the chain rule on paper.
"""

import itertools
import random

import numpy as np
import pytest
from mpmath import mp, mpf

from autograd import Value
from nn import MLP, AdamW, Layer, Module, Neuron

# Expressions, each for Values and for any other kind of number


def positive_part(x):
    return x.relu() if isinstance(x, Value) else max(x, mpf(0))


def readme(a, b):
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + positive_part(b + a)
    d += 3 * d + positive_part(b - a)
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g


def sanity(x):
    z = 2 * x + 2 + x
    q = positive_part(z) + z * x
    h = positive_part(z * z)
    return h + q + q * x


def slopes_by_differences(f, *point):
    with mp.workdps(50):
        n = len(point)
        return [float(mp.diff(f, tuple(map(mpf, point)), tuple(int(i == j) for j in range(n)))) for i in range(n)]


def test_the_readme_example_prints_the_numbers_of_the_readme():
    a, b = Value(-4.0), Value(2.0)
    g = readme(a, b)
    assert f"{g.data:.4f}" == "24.7041"
    g.backward()
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"
    # by hand: c = -1, d = 6, e = -7, f = 49, g = 49/2 + 10/49; dg/df = 1/2 - 10/49**2
    assert g.data == 49 / 2 + 10 / 49
    assert [a.grad, b.grad] == pytest.approx(slopes_by_differences(readme, -4, 2), rel=1e-13)


def test_the_first_test_expression():
    x = Value(-4.0)
    y = sanity(x)
    y.backward()
    # z = -10, q = 40, h = 100, y = 100 + 40 - 160; dz = 3, dq = 3x + z = -22, dh = 2z * 3 = -60
    assert y.data == -20.0
    assert x.grad == -60 - 22 + (-22 * -4 + 40)
    assert x.grad == 46.0


def test_the_second_test_expression_is_the_readme_one_at_1e_6():
    a, b = Value(-4.0), Value(2.0)
    g = readme(a, b)
    g.backward()
    for got, want in zip((g.data, a.grad, b.grad), (readme(mpf(-4), mpf(2)), *slopes_by_differences(readme, -4, 2))):
        assert abs(got - want) < 1e-6


def test_every_operator_of_micrograd():
    a, b = Value(3.0), Value(-2.0)
    c = (a + b) * (a - b) / (b**2) + (-a) * 2 + 2 * b + 1 - a + 3 / a + a / 3 + sum([a, b])
    c.backward()
    # c = (a^2 - b^2) / b^2 - 2a + 2b + 1 - a + 3/a + a/3 + a + b
    assert c.data == pytest.approx((9 - 4) / 4 - 6 - 4 + 1 - 3 + 1 + 1 + 1)
    assert a.grad == pytest.approx(2 * 3 / 4 - 2 - 1 - 3 / 9 + 1 / 3 + 1)
    assert b.grad == pytest.approx(-2 * 9 / (-8) + 2 + 1)
    assert repr(a).startswith("Value(data=3.0, grad=")


# The training loop of its demo


def moons(n=60):
    rng = random.Random(7)
    angles = np.array([rng.uniform(0, np.pi) for _ in range(n)])
    upper = np.arange(n) % 2 == 0
    X = np.where(upper[:, None], np.c_[np.cos(angles), np.sin(angles)], np.c_[1 - np.cos(angles), 0.5 - np.sin(angles)])
    return X + np.array([[rng.gauss(0, 0.05) for _ in range(2)] for _ in range(n)]), np.where(upper, 1, -1)


def loss(model, X, y):
    """The hinge loss with a weight penalty, and the accuracy."""
    inputs = [list(map(Value, xrow)) for xrow in X]
    scores = list(map(model, inputs))
    losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(y, scores)]
    data_loss = sum(losses) * (1.0 / len(losses))
    alpha = 1e-4
    reg_loss = alpha * sum(p * p for p in model.parameters())
    total_loss = data_loss + reg_loss
    accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(y, scores)]
    return total_loss, sum(accuracy) / len(accuracy)


def train(model, X, y, steps):
    history = []
    for k in range(steps):
        total_loss, accuracy = loss(model, X, y)
        model.zero_grad()
        total_loss.backward()
        learning_rate = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= learning_rate * p.grad
        history.append((total_loss.data, accuracy))
    return history


def train_by_hand(weights, X, y, steps):
    """The same training in matrices, with the gradient written out."""
    history = []
    for k in range(steps):
        activations = [X]
        for i, (W, b) in enumerate(weights):
            z = activations[-1] @ W.T + b
            activations.append(np.maximum(z, 0) if i < len(weights) - 1 else z)
        margin = 1 - y * activations[-1][:, 0]
        penalty = 1e-4 * sum((W**2).sum() + (b**2).sum() for W, b in weights)
        history.append((np.maximum(margin, 0).mean() + penalty, np.mean((activations[-1][:, 0] > 0) == (y > 0))))
        delta = (np.where(margin > 0, -y, 0) / len(y))[:, None]
        for i in reversed(range(len(weights))):
            W, b = weights[i]
            slopes = delta.T @ activations[i] + 2e-4 * W, delta.sum(0) + 2e-4 * b
            delta = (delta @ W) * (activations[i] > 0)
            weights[i] = tuple(p - (1.0 - 0.9 * k / 100) * slope for p, slope in zip((W, b), slopes))
    return history


def test_the_training_loop_of_the_demo_follows_the_same_training_written_in_matrices():
    X, y = moons()
    model = MLP(2, [8, 8, 1], seed=4)
    weights = [
        (
            np.array([[w.data for w in neuron.w] for neuron in layer.neurons]),
            np.array([n.b.data for n in layer.neurons]),
        )
        for layer in model.layers
    ]
    history = train(model, X, y, 30)
    by_hand = train_by_hand(weights, X, y, 30)
    assert np.array(history[:8]) == pytest.approx(np.array(by_hand[:8]), rel=1e-9)
    assert history[-1][0] < 0.5 * history[0][0]
    assert history[-1][1] > 0.85


def test_neurons_layers_and_modules_have_micrograds_names():
    model = MLP(3, [4, 4, 1])
    assert isinstance(model, Module)
    assert len(model.parameters()) == 4 * 4 + 4 * 5 + 5
    assert isinstance(model.layers[0], Layer)
    neuron = model.layers[0].neurons[0]
    assert isinstance(neuron, Neuron)
    assert (len(neuron.w), neuron.b.data) == (3, 0.0)
    out = model([1.0, 2.0, 3.0])
    out.backward()
    model.zero_grad()
    assert all(p.grad == 0.0 for p in model.parameters())
    x = [2.0, 3.0, -1.0]
    assert isinstance(Neuron(3)(x), Value)
    assert len(Layer(3, 2)(x)) == 2
    assert isinstance(MLP(2, [3, 1, 1])([1.0, 2.0]), Value)


# Idioms of code around it: each is what people write, in our words


def ancestors_of(root):
    """The nodes and edges of a graph, as drawing notebooks gather them: by `_prev`."""
    nodes, edges = set(), set()

    def build(v):
        if v not in nodes:
            nodes.add(v)
            for parent in v._prev:
                edges.add((parent, v))
                build(parent)

    build(root)
    return nodes, edges


def drawn(root):
    """A picture of the graph in Graphviz's language: a record for each value, a circle for each operation."""
    graphviz = pytest.importorskip("graphviz")
    nodes, edges = ancestors_of(root)
    picture = graphviz.Digraph(graph_attr={"rankdir": "LR"})
    for n in nodes:
        picture.node(str(id(n)), label=f"{{ {n.label} | data {n.data:.4f} | grad {n.grad:.4f} }}", shape="record")
        if n._op:
            picture.node(f"{id(n)}{n._op}", label=n._op)
            picture.edge(f"{id(n)}{n._op}", str(id(n)))
    for a, b in edges:
        picture.edge(str(id(a)), f"{id(b)}{b._op}")
    return picture.source


def test_a_drawing_function_over_prev_and_op_runs():
    a, b, c = Value(2.0, label="a"), Value(-3.0, label="b"), Value(10.0, label="c")
    e = a * b
    d = e + c
    f = Value(-2.0, label="f")
    L = d * f
    L.backward()
    nodes, edges = ancestors_of(L)
    assert (len(nodes), len(edges)) == (7, 6)
    assert {v._op for v in nodes} == {"", "*", "+"}
    source = drawn(L)
    assert source.count("->") == 6 + 3
    assert "data -8.0000" in source
    assert "b | data -3.0000 | grad -4.0000" in source
    assert [(v._op, len(v._prev)) for v in (a.relu(), a.tanh(), a**2, a * a, a - b, a / b)] == [
        ("ReLU", 1), ("tanh", 1), ("**2", 1), ("*", 1), ("-", 2), ("/", 2)
    ]  # fmt: skip


def test_a_backward_pass_by_hand_calls_the_nodes_from_the_last_to_the_first():
    x1, x2, w1, w2, b = (Value(v) for v in (2.0, 0.0, -3.0, 1.0, 6.8813735870195432))
    n = x1 * w1 + x2 * w2 + b
    o = n.tanh()
    order, seen = [], set()

    def visit(v):
        if v not in seen:
            seen.add(v)
            for parent in v._prev:
                visit(parent)
            order.append(v)

    visit(o)
    o.grad = 1.0
    for node in reversed(order):
        node._backward()
    # by hand: tanh' = 1 - o^2, here 1/2
    by_hand = [-1.5, 0.5, 1.0, 0.0, 0.5]
    assert [v.grad for v in (x1, x2, w1, w2, b)] == pytest.approx(by_hand, abs=1e-12)
    again = [Value(v.data) for v in (x1, x2, w1, w2, b)]
    (again[0] * again[2] + again[1] * again[3] + again[4]).tanh().backward()
    assert [v.grad for v in again] == pytest.approx(by_hand, abs=1e-12)


def test_tanh_in_pieces_is_tanh():
    n = Value(0.8814)
    e = (2 * n).exp()
    o = (e - 1) / (e + 1)
    o.backward()
    assert o.data == pytest.approx(np.tanh(0.8814), rel=1e-12)
    assert n.grad == pytest.approx(1 - np.tanh(0.8814) ** 2, rel=1e-12)


XS = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
YS = [1.0, -1.0, -1.0, 1.0]


def test_a_network_learns_four_points_by_a_loop_written_out():
    n = MLP(3, [4, 4, 1], "tanh", "tanh", seed=0)
    for _ in range(60):
        ypred = [n(x) for x in XS]
        loss = sum((yout - ygt) ** 2 for ygt, yout in zip(YS, ypred))
        for p in n.parameters():
            p.grad = 0.0
        loss.backward()
        for p in n.parameters():
            p.data += -0.1 * p.grad
    assert loss.data < 0.1
    assert [round(n(x).data) for x in XS] == YS


class AdamWithStateOnParameters:
    """AdamW that keeps its state on the parameters themselves."""

    def __init__(self, parameters, lr=1e-1, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.01):
        self.parameters, self.lr, self.betas, self.eps, self.weight_decay = parameters, lr, betas, eps, weight_decay
        self.t = 0
        for p in self.parameters:
            p.m, p.v = 0.0, 0.0

    def step(self):
        self.t += 1
        for p in self.parameters:
            p.m = self.betas[0] * p.m + (1 - self.betas[0]) * p.grad
            p.v = self.betas[1] * p.v + (1 - self.betas[1]) * p.grad**2
            m, v = p.m / (1 - self.betas[0] ** self.t), p.v / (1 - self.betas[1] ** self.t)
            p.data -= self.lr * (m / (v**0.5 + self.eps) + self.weight_decay * p.data)


def test_an_optimizer_that_keeps_its_state_on_the_parameters_does_what_ours_does():
    runs = []
    for kind in (AdamWithStateOnParameters, AdamW):
        model = MLP(3, [4, 1], "tanh", seed=0)
        optimizer = kind(model.parameters(), lr=0.05, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.01)
        for _ in range(20):
            cost = sum((model(x) - y) ** 2 for x, y in zip(XS, YS))
            model.zero_grad()
            cost.backward()
            optimizer.step()
        runs.append([p.data for p in model.parameters()])
    assert runs[0] == pytest.approx(runs[1], rel=1e-10)


def test_keywords_of_micrograd_are_taken():
    assert repr(MLP(nin=3, nouts=[4, 4, 1], seed=0)) == repr(MLP(3, [4, 4, 1]))
    assert repr(Layer(nin=3, nout=2)) == repr(Layer(3, 2))
    assert Neuron(nin=3, nonlin=False).activation == "linear"
    assert Layer(3, 2, nonlin=False).activation == "linear"
    assert Neuron(3, True).activation == "relu"
    assert [Neuron(2, nonlin=on).nonlin for on in (True, False)] == [True, False]
    with pytest.raises(TypeError, match="nin is another name of n_in"):
        Neuron(n_in=2, nin=2)


class Linear(Layer):
    def __init__(self, n_in, n_out):
        super().__init__(n_in, n_out, nonlin=False)
        self.n_in, self.n_out = n_in, n_out


class Named(Layer):
    def __init__(self):
        super().__init__(2, 2)
        self.activation = "tanh"


class Image(MLP):
    def __init__(self, side):
        self.n_in = side  # not what a layer takes: an attribute of the subclass's own
        super().__init__(side * side, [3, 1], seed=0)


class Scaled(Neuron):
    def __init__(self, nin, **kwargs):
        super().__init__(nin, **kwargs)
        self.gain = Value(1.0)

    def __call__(self, x):
        return self.gain * super().__call__(x)


def test_subclasses_may_set_what_ours_derive():
    assert (Linear(2, 3).n_in, Linear(2, 3).n_out) == (2, 3)
    x = [0.3, -0.4]
    layer = Named()
    assert [a.op for a in layer(x)] == ["tanh", "tanh"]
    net = Image(2)
    assert net.n_in == 2
    assert isinstance(net([1.0, 2.0, 3.0, 4.0]), Value)
    scaled = Scaled(2, nonlin=False)
    assert len(scaled.parameters()) == 4
    layer = Layer(2, 2, seed=0)
    layer.neurons = [Scaled(2), Scaled(2)]
    assert len(layer.parameters()) == 8
    assert set(layer.state_dict()) == {"weight", "bias", "neurons.0.gain", "neurons.1.gain"}


def test_a_module_with_parameters_of_its_own_over_arrays():
    class Conv(Module):
        def __init__(self):
            self.kernels = [np.array([[Value(1.0), Value(2.0)]], object)]

        def parameters(self):
            return list(self.kernels[0].flat)

    class Hidden(Module):
        def __init__(self):
            self.kept = (Value(float(i)) for i in range(3))
            self.found = list(self.kept)
            self.found_by_name = {"a": {7: Value(4.0)}}

        def parameters(self):
            return [*self.found, self.found_by_name["a"][7]]

    for module, numbers in ((Conv(), [1.0, 2.0]), (Hidden(), [0.0, 1.0, 2.0, 4.0])):
        state = module.state_dict()
        assert sorted(float(x) for x in state.values()) == numbers
        assert len({name for name, _ in module.named_parameters()}) == len(numbers)
        with pytest.raises(ValueError, match="missing"):
            module.load_state_dict({})
        module.load_state_dict({name: x + 1 for name, x in state.items()})
        assert [p.data for p in module.parameters()] == [x + 1 for x in numbers]


# A language model of scalars: embeddings, attention, a softmax over the next letter


def tiny_gpt(weights, tokens):
    """The mean of -log P(next letter) of a text, by one head of attention over vectors of three numbers."""
    wte, wpe, wq, wk, wv, head = weights

    def linear(x, w):
        return [sum(wi * xi for wi, xi in zip(row, x)) for row in w]

    def softmax(logits):
        largest = max(value.data for value in logits)
        exps = [(value - largest).exp() for value in logits]
        return [e / sum(exps) for e in exps]

    keys, values, losses = [], [], []
    for position, (token, following) in enumerate(itertools.pairwise(tokens)):
        x = [t + p for t, p in zip(wte[token], wpe[position])]
        q = linear(x, wq)
        keys.append(linear(x, wk))
        values.append(linear(x, wv))
        attention = softmax([sum(a * b for a, b in zip(q, k)) / 3**0.5 for k in keys])
        mixed = [sum(attention[t] * values[t][j] for t in range(len(values))) for j in range(3)]
        losses.append(-softmax(linear([m + xi for m, xi in zip(mixed, x)], head))[following].log())
    return sum(losses) / len(losses)


def test_a_language_model_of_scalars_learns_its_text():
    rng = random.Random(0)
    matrix = lambda rows, columns: [[Value(rng.gauss(0, 0.3)) for _ in range(columns)] for _ in range(rows)]  # noqa: E731
    weights = [matrix(3, 3), matrix(5, 3), matrix(3, 3), matrix(3, 3), matrix(3, 3), matrix(3, 3)]
    parameters, text = [p for w in weights for row in w for p in row], [0, 1, 2, 0, 1, 2]
    first = tiny_gpt(weights, text)
    first.backward()
    p = parameters[20]
    slope, at = p.grad, p.data
    p.data = at + 1e-6
    up = tiny_gpt(weights, text).data
    p.data = at - 1e-6
    assert slope == pytest.approx((up - tiny_gpt(weights, text).data) / 2e-6, rel=1e-5)
    p.data = at
    optimizer = AdamWithStateOnParameters(parameters, lr=0.05, weight_decay=0.0)
    for _ in range(40):
        loss = tiny_gpt(weights, text)
        for p in parameters:
            p.grad = 0.0
        loss.backward()
        optimizer.step()
    assert loss.data < first.data / 4
