"""Programs as functions of JAX arrays and PyTorch tensors, held against the Program."""

import functools
import math
import os
import subprocess
import sys
import warnings
from pathlib import Path

import forms
import numpy as np
import pytest
from conftest import DECLARED
from programs import KINDS
from test_compiler import call, expression, leaves, takes, within

import autograd
from autograd import Value, mean, tanh
from nn import MLP, cross_entropy, hinge

TOLERANCE = 1e-12


def jax_of(program):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    f = program.to_jax()
    gradient = jax.grad(lambda theta, batch: f(theta, batch))
    return (lambda t, b: np.asarray(f(jax.numpy.asarray(t), b))), (lambda t, b: np.asarray(gradient(t, b)))


def jitted(program):
    """As `jax_of`, compiled by XLA in one go."""
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    f = jax.jit(jax.value_and_grad(program.to_jax()))
    return (lambda theta, batch: f(theta, batch)[0]), (lambda theta, batch: f(theta, batch)[1])


def torch_of(program):
    torch = pytest.importorskip("torch")
    f = program.to_torch()

    def value(theta, batch, **named):
        theta = torch.tensor(theta, **named)
        return theta, f(theta, None if batch is None else torch.tensor(batch))

    def gradient(theta, batch):
        theta, cost = value(theta, batch, requires_grad=True)
        return torch.autograd.grad(cost, theta)[0].numpy()

    return (lambda theta, batch: value(theta, batch)[1].numpy()), gradient


def operations_of(program):
    """PyTorch's operations, where `torch_of` runs the Program: they serve inside of transforms."""
    torch = pytest.importorskip("torch")
    f = program.to_torch()
    tensors = lambda *arrays: [None if x is None else torch.tensor(x) for x in arrays]  # noqa: E731

    def value(theta, batch):
        theta, batch = tensors(theta, batch)
        return torch.func.vjp(lambda theta: f(theta, batch), theta)[0].numpy()

    def gradient(theta, batch):
        theta, batch = tensors(theta, batch)
        return torch.func.grad(lambda theta: f(theta, batch))(theta).numpy()

    return value, gradient


NAMES = ["jax", "torch", "operations"]
HOSTS = pytest.mark.parametrize("host", [jax_of, torch_of, operations_of], ids=NAMES)
COMPILED = pytest.mark.parametrize("host", [jitted, torch_of, operations_of], ids=NAMES)  # what is slow line by line


def hold(host, program, theta, batch=None):
    """A function of the host has the value and the gradient of the program."""
    value, slope = program.value_and_grad(theta, batch)
    f, gradient = host(program)
    assert np.allclose(f(theta, batch), value, rtol=TOLERANCE, atol=TOLERANCE)
    assert np.allclose(gradient(theta, batch), slope, rtol=TOLERANCE, atol=TOLERANCE * max(1, np.abs(slope).max()))


def net(inputs=False):
    model, rng = MLP(2, [8, 8, 1], seed=0), np.random.default_rng(0)
    X, y = rng.normal(size=(30, 2)), rng.choice([-1.0, 1.0], 30)
    theta = np.array([p.data for p in model.parameters()])
    if not inputs:
        cost = mean([hinge(model(row), t) for row, t in zip(X.tolist(), y.tolist())])
        return (
            autograd.compile(cost + 1e-3 * sum(p * p for p in model.parameters()), wrt=model.parameters()),
            theta,
            None,
        )
    x, target = [Value(0.1, "x_0"), Value(0.2, "x_1")], Value(1.0, "y")
    program = autograd.compile(hinge(model(x), target), wrt=model.parameters(), inputs=[*x, target])
    return program, theta, np.column_stack([X, y])


def digits():
    model, rng = MLP(16, [12, 10], seed=0), np.random.default_rng(0)
    x, y = [Value(0.5, f"x_{k}") for k in range(16)], [Value(0.1, f"y_{k}") for k in range(10)]
    program = autograd.compile(cross_entropy(model(x), y), wrt=model.parameters(), inputs=[*x, *y])
    batch = np.hstack([rng.uniform(size=(20, 16)), np.eye(10)[rng.integers(0, 10, 20)]])
    return program, np.array([p.data for p in model.parameters()]), batch


@HOSTS
@pytest.mark.parametrize("name", DECLARED)
def test_every_operation(host, name):
    n, rng = takes(name), np.random.default_rng(0)
    w = leaves(rng.uniform(0.2, 1.4, 4 * n).tolist(), "w")
    program = autograd.compile(
        autograd.sum([(k + 1) * call(name, [within(name, v) for v in w[k * n : k * n + n]]) for k in range(4)]), wrt=w
    )
    hold(host, program, rng.uniform(0.2, 1.4, 4 * n))


@COMPILED
@pytest.mark.parametrize("make", [lambda: net(), lambda: net(True), digits], ids=["moons", "moons batch", "digits"])
def test_networks(host, make):
    hold(host, *make())


@COMPILED
@pytest.mark.parametrize("seed", range(6))
def test_random_graphs(host, seed):
    f, rng = expression(seed, 25), np.random.default_rng(seed)
    w, x = leaves(rng.uniform(-1, 1, 4).tolist(), "w"), leaves(rng.uniform(-1, 1, 2).tolist(), "x")
    program = autograd.compile(tanh(f(w, x)[-1]), wrt=w, inputs=x)
    hold(host, program, rng.uniform(-1, 1, 4), rng.uniform(-1, 1, (5, 2)))


@HOSTS
def test_several_roots_have_values(host):
    w, x = leaves([0.5, 0.25], "w"), leaves([1.0], "x")
    program = autograd.compile([w[0] * x[0], w[1] + w[0], w[0].tanh() * x[0]], wrt=w, inputs=x)
    theta, batch = np.array([0.3, 0.7]), np.array([[1.0], [2.0], [3.0]])
    assert np.allclose(host(program)[0](theta, batch), program.forward(theta, batch), rtol=1e-14)


def chain(steps, *operations):
    """A long chain of single numbers, whose steps are those operations in turn."""
    w, x, rng = leaves([0.9, 0.1, 0.3], "w"), Value(0.5, "x"), np.random.default_rng(0)
    state = x
    for k in range(steps):
        operation = operations[k % len(operations) if len(operations) < 9 else rng.integers(len(operations))]
        state = operation(w[0] * state + w[1])
    return autograd.compile(state * w[2], wrt=w, inputs=[x]), np.array([0.9, 0.1, 0.3]), np.array([[0.5], [-0.25]])


def recurrent(steps, inputs):
    """The losses of a recurrent network of four units at every step, the words given as numbers or as inputs."""
    rng = np.random.default_rng(0)
    rows = [leaves(row, f"w_{k}") for k, row in enumerate(rng.normal(0, 0.5, (4, 8)).tolist())]
    words = rng.normal(size=(steps, 3))
    given = [leaves(word, f"x_{t}") for t, word in enumerate(words.tolist())]
    state, losses = [0.0] * 4, []
    for word, numbers in zip(given, words.tolist()):
        seen = [*state, *(word if inputs else numbers), 1.0]
        state = [tanh(autograd.weighted_sum(row, seen)) for row in rows]
        losses.append((state[0] - 0.3) ** 2)
    wrt = [w for row in rows for w in row]
    columns = [x for word in given for x in word] if inputs else []
    batch = rng.normal(size=(5, 3 * steps)) if inputs else None
    return autograd.compile(mean(losses), wrt=wrt, inputs=columns), np.array([w.data for w in wrt]), batch


def layers(depth):
    """Many layers of the same shape, each with weights of its own."""
    model = MLP(3, [*[4] * depth, 1], "tanh", seed=0)
    x = leaves([0.1, 0.2, 0.3], "x")
    return (
        autograd.compile(model(x) ** 2, wrt=model.parameters(), inputs=x),
        np.array([p.data for p in model.parameters()]),
        np.random.default_rng(0).normal(size=(6, 3)),
    )


STEPS = {
    "chain": lambda: chain(500, tanh),
    "chain of two": lambda: chain(201, tanh, autograd.sin),
    "recurrent network": lambda: recurrent(60, inputs=False),
    "recurrent network, words as inputs": lambda: recurrent(60, inputs=True),
    "layers": lambda: layers(60),
}


@COMPILED
@pytest.mark.parametrize("make", STEPS.values(), ids=STEPS)
def test_steps_that_are_alike(host, make):
    program, theta, batch = make()
    hold(host, program, theta, batch)
    if host is jitted:
        source = program.to_jax().source
        assert source.count("jax.lax.scan") == 1
        assert len(source.splitlines()) < 60


@pytest.mark.parametrize(("kind", "count"), [("loop", 6), ("recurrence", 4), ("vector", 4)])
def test_random_programs_with_loops(kind, count, monkeypatch):
    from autograd.compiler import hosts, repeats

    jitted(autograd.compile(Value(1.0) * 2.0, wrt=[]))
    monkeypatch.setattr(hosts, "MANY", 3)
    monkeypatch.setattr(repeats, "LEAST", 3)
    monkeypatch.setitem(forms.FORMS, "host", functools.partial(host_form, jitted))
    reports = []
    _, wrong, _ = forms.run(count, 1000, kinds=[kind], forms=["host"], report=reports.append, most=1)
    assert not wrong, "\n".join(reports)


def test_hundreds_of_small_arrays_that_are_not_alike_are_refused():
    pytest.importorskip("jax")
    program, *_ = chain(500, *[tanh, autograd.sin, autograd.cos, autograd.atan, autograd.erf] * 2)
    with pytest.raises(ValueError, match=r"1,\d+ small arrays .* JAX would take minutes to compile them"):
        program.to_jax()


def test_a_graph_without_structure_is_refused():
    pytest.importorskip("jax")
    sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
    from compiled import irregular

    w = leaves(np.random.default_rng(0).uniform(-1, 1, 100).tolist(), "w")
    program = autograd.compile(irregular(2000, w, tanh, autograd.exp, autograd.sin, depth=16), wrt=w)
    with pytest.raises(ValueError, match="parts of arrays, as of a graph without structure"):
        program.to_jax()


@HOSTS
def test_an_operation_of_functions_is_refused(host):
    square = autograd.primitive("square_of_floats", lambda x: x * x, lambda x: 2 * x)
    w = Value(2.0)
    with pytest.raises(ValueError, match="declared by a function of floats"):
        host(autograd.compile(square(w), wrt=[w]))


@HOSTS
@pytest.mark.parametrize("x", [0.0, -0.0, 1.0, -1.0, 30.0, -30.0])
@pytest.mark.parametrize("name", [name for name in DECLARED if takes(name) == 1 and not DECLARED[name].lists])
def test_slopes_at_kinks_and_far_from_0_are_those_of_the_table(host, name, x):
    w = Value(x, "w")
    try:
        cost = call(name, [w])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            [slope] = autograd.gradients(cost, [w])
    except (ArithmeticError, ValueError, RuntimeWarning):
        return  # nothing there to agree with
    f, gradient = host(autograd.compile(cost, wrt=[w]))
    assert np.isclose(f(np.array([x]), None), cost.data, rtol=1e-14, atol=1e-300)
    assert np.isclose(gradient(np.array([x]), None)[0], slope, rtol=1e-14, atol=1e-300)


@HOSTS
def test_ties_and_bounds_have_the_slopes_of_the_table(host):
    w = leaves([0.5, 0.5, 0.0, 0.0], "w")
    parts = [w[0].maximum(w[1]), w[0].minimum(w[1]), autograd.clip(w[0], w[1], 2.0), autograd.hypot(w[2], w[3])]
    cost = autograd.sum([*parts, w[2] ** w[3], autograd.mod(w[0] + 5.2, 1.5 * w[1]), autograd.where(w[2], w[0], w[1])])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want = autograd.gradients(cost, w[:3])
    assert np.allclose(host(autograd.compile(cost, wrt=w[:3]))[1](np.array([0.5, 0.5, 0.0]), None), want, rtol=1e-14)


@HOSTS
def test_the_partials_of_an_own_operation_are_kept(host):
    through = autograd.primitive("straight_through", "step(x - 0.1) * y", "y", "0.5 * out", operands="x, y")
    w = leaves([0.5, -0.25, 3.0], "w")
    program = autograd.compile(through(w[0], w[2]) + through(w[1], 2.0) * w[2], wrt=w)
    hold(host, program, np.array([0.5, -0.25, 3.0]))
    assert np.allclose(host(program)[1](np.array([0.5, -0.25, 3.0]), None), [3.0, 6.0, 1.5])


def hessian_in_jax(program, theta):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    return jax.jit(jax.hessian(program.to_jax()))(theta)


def hessian_in_torch(program, theta):
    torch = pytest.importorskip("torch")
    return torch.autograd.functional.hessian(program.to_torch(), torch.tensor(theta)).numpy()


@pytest.mark.parametrize("hessian", [hessian_in_jax, hessian_in_torch])
def test_second_derivatives_of_every_operation(hessian):
    names = [name for name in DECLARED if not DECLARED[name].lists]
    theta = np.random.default_rng(1).uniform(0.2, 1.4, sum(map(takes, names)))

    def cost(*w):
        rest, terms = iter(w), []
        for name in names:
            v = [next(rest) for _ in range(takes(name))]
            terms.append(call(name, [within(name, x) for x in v]) * (v[0] + 0.5))
        return autograd.sum(terms)

    w = leaves(theta.tolist(), "w")
    want = np.array(autograd.hessian(lambda w: cost(*w))(theta.tolist()))
    found = np.asarray(hessian(autograd.compile(cost(*w), wrt=w), theta))
    assert np.allclose(found, want, rtol=1e-11, atol=1e-12 * np.abs(want).max())


def host_form(host, case):
    """The form in which a random program runs on a host: a batch of the points at which all is finite."""
    leaves, roots = case.built()
    wrt, inputs = case.program.leaves("parameter"), case.program.leaves("input")
    program = case.compile(roots[0], wrt=[leaves[i] for i in wrt], inputs=[leaves[i] for i in inputs])
    given = forms.where_finite(case, (leaves, roots))
    if given is None:
        return
    theta, batch, reference = given
    f, gradient = host(program)
    forms.agree(lambda: (f(theta, batch), gradient(theta, batch) if wrt else None), reference, zeros=False)


@pytest.mark.parametrize(("host", "count"), [(jitted, 4), (torch_of, 20), (operations_of, 20)])
@pytest.mark.parametrize("kind", KINDS)
def test_random_programs(host, count, kind, monkeypatch):
    host(autograd.compile(Value(1.0) * 2.0, wrt=[]))  # skips where it is not installed
    monkeypatch.setitem(forms.FORMS, "host", functools.partial(host_form, host))
    reports = []
    tried, wrong, rounding = forms.run(count, 0, kinds=[kind], forms=["host"], report=reports.append, most=1)
    assert not wrong, "\n".join(reports)
    assert rounding.total() <= 0.1 * tried.total()


@COMPILED
def test_a_gpt(host):
    sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
    import gpt

    tokens = [0, 5, 13, 13, 1, 0]
    layer, rows, w = gpt.leaves(gpt.parameters(), np.array(tokens[:-1]))
    cost = gpt.cost_of(layer, rows, np.eye(27)[tokens[1:]].tolist())
    hold(host, autograd.compile(cost, wrt=w), np.array([x.data for x in w]))


@HOSTS
def test_later_changes_of_leaves_change_nothing(host):
    w, other, x = Value(2.0, "w"), Value(3.0, "other"), Value(5.0, "x")
    program = autograd.compile(w * other * x, wrt=[w], inputs=[x])
    f, gradient = host(program)
    other.data, x.data, w.data = 7.0, 11.0, 13.0
    assert f(np.array([2.0]), None) == 30.0
    assert gradient(np.array([2.0]), None)[0] == 15.0


@pytest.mark.parametrize("name", ["jax", "torch"])
def test_without_a_host_the_error_says_what_to_install(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, f"{name}.numpy", raising=False)
    with pytest.raises(ModuleNotFoundError, match=rf"pip install 'glassgrad\[{name}\]'"):
        getattr(autograd.compile(Value(2.0) * 3.0), f"to_{name}")()


@HOSTS
def test_wrong_shapes_are_refused(host):
    program, theta, batch = net(True)
    f, _ = host(program)
    with pytest.raises(ValueError, match=r"theta has shape \(106,\); this program has 105 parameters"):
        f(np.append(theta, 0.0), batch)
    with pytest.raises(ValueError, match=r"a batch has shape \(examples, 3\)"):
        f(theta, batch[:, :2])


def test_the_source_is_a_function_of_theta_and_batch():
    pytest.importorskip("jax")
    source = net(True)[0].to_jax().source
    assert "def cost(theta, batch=None):" in source
    assert len(source.splitlines()) < 40
    assert "index" not in source  # no gathers where arrays will do


def test_jit_vmap_and_hessian():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    program, theta, batch = net(True)
    f = program.to_jax()
    assert np.allclose(jax.jit(f)(theta, batch), program.value_and_grad(theta, batch)[0], rtol=1e-12)
    each = jax.jit(jax.vmap(lambda row: f(theta, row[None])))(batch)
    assert np.allclose(each, program.forward(theta, batch), rtol=1e-12)
    hessian = jax.jit(jax.hessian(f))(theta, batch[:3])
    step = 1e-4 * np.eye(len(theta))[7]
    above, below = (program.value_and_grad(theta + by, batch[:3])[1] for by in (step, -step))
    assert np.allclose(hessian[7], (above - below) / 2e-4, atol=1e-9)


SHARDED = """
import jax, numpy as np
jax.config.update("jax_enable_x64", True)
from test_hosts import net
program, theta, batch = net(True)
mesh = jax.sharding.Mesh(np.array(jax.devices()), ("examples",))
rows = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("examples"))
cost, slope = jax.jit(jax.value_and_grad(program.to_jax()))(theta, jax.device_put(batch, rows))
want = program.value_and_grad(theta, batch)
assert len(jax.devices()) == 2
assert np.allclose(cost, want[0], rtol=1e-12) and np.allclose(slope, want[1], rtol=1e-11, atol=1e-14)
"""


def test_a_batch_on_two_devices():
    pytest.importorskip("jax")
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    path = os.pathsep.join([os.path.dirname(__file__), os.path.dirname(os.path.dirname(__file__)), *sys.path])
    subprocess.run([sys.executable, "-c", SHARDED], env={**os.environ, **flags, "PYTHONPATH": path}, check=True)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # PyTorch calls it itself
def test_torch_differentiates_twice_and_transforms():
    torch = pytest.importorskip("torch")
    program, theta, batch = digits()
    f, batch = program.to_torch(), torch.tensor(batch[:4])
    theta = torch.tensor(theta, requires_grad=True)
    [slope] = torch.autograd.grad(f(theta, batch), theta, create_graph=True)
    [twice] = torch.autograd.grad((slope * slope).sum(), theta)
    operations = lambda theta: f(theta, batch)  # noqa: E731
    hessian = torch.func.hessian(operations)(theta.detach())
    assert torch.allclose(twice, 2 * hessian @ slope, rtol=1e-12, atol=1e-15)
    value, tangent = torch.func.jvp(operations, (theta.detach(),), (torch.ones_like(theta),))
    assert torch.allclose(tangent, slope.sum(), rtol=1e-12)
    each = torch.func.vmap(lambda row: f(theta, row[None]))(batch)
    assert torch.allclose(each.mean(), value, rtol=1e-12)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(theta.detach(), torch.ones_like(theta))
        assert torch.allclose(torch.autograd.forward_ad.unpack_dual(f(dual, batch)).tangent, slope.sum(), rtol=1e-12)
    single = f(theta.detach().float(), batch.float())
    assert single.dtype == torch.float32
    assert torch.allclose(single.double(), value, rtol=1e-5)


@pytest.mark.parametrize("x", [3.0, -1e200, math.inf])
def test_what_does_not_depend_on_the_parameters_has_slope_0_in_torch(x):
    torch = pytest.importorskip("torch")
    w, given = Value(1.0, "w"), Value(x, "x")
    f = autograd.compile(given * 2.0, wrt=[w], inputs=[given]).to_torch()
    theta = torch.tensor([1.0], dtype=torch.float64, requires_grad=True)
    batch = torch.tensor([[x]], dtype=torch.float64)
    for again in (False, True):
        assert torch.autograd.grad(f(theta, batch), theta, create_graph=again)[0].tolist() == [0.0]


def test_what_is_outside_a_domain_is_nan_in_torch():
    torch = pytest.importorskip("torch")
    w = Value(1.0, "w")
    f = autograd.compile(autograd.log(w), wrt=[w]).to_torch()
    theta = torch.tensor([-1.0], dtype=torch.float64, requires_grad=True)
    assert f(theta).isnan()
    assert f(theta.detach()).isnan()


def test_export_by_torch():
    torch = pytest.importorskip("torch")
    program, theta, batch = net(True)
    f = program.to_torch()

    class Cost(torch.nn.Module):
        def forward(self, theta, batch):
            return f(theta, batch)

    shapes = {"theta": None, "batch": {0: torch.export.Dim("examples")}}
    exported = torch.export.export(Cost(), (torch.tensor(theta), torch.tensor(batch)), dynamic_shapes=shapes)
    for n in (len(batch), 7):
        got = exported.module()(torch.tensor(theta), torch.tensor(batch[:n]))
        assert np.allclose(got.numpy(), program.value_and_grad(theta, batch[:n])[0], rtol=1e-12)
