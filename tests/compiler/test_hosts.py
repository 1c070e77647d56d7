"""Programs as functions of JAX arrays and PyTorch tensors, held against the Program."""

import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import DECLARED
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


def torch_of(program):
    torch = pytest.importorskip("torch")
    f = program.to_torch()

    def gradient(theta, batch):
        theta = torch.tensor(theta, requires_grad=True)
        cost = f(theta, None if batch is None else torch.tensor(batch))
        return torch.autograd.grad(cost, theta)[0].numpy()

    return (lambda t, b: f(torch.tensor(t), None if b is None else torch.tensor(b)).detach().numpy()), gradient


HOSTS = pytest.mark.parametrize("host", [jax_of, torch_of], ids=["jax", "torch"])


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


@HOSTS
@pytest.mark.parametrize("make", [lambda: net(), lambda: net(True), digits], ids=["moons", "moons batch", "digits"])
def test_networks(host, make):
    hold(host, *make())


@HOSTS
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


@HOSTS
def test_a_program_of_hundreds_of_small_arrays_is_refused(host):
    w, state = leaves([0.9, 0.1], "w"), Value(0.5)
    for _ in range(500):
        state = tanh(w[0] * state + w[1])
    with pytest.raises(ValueError, match="small arrays, as of a long chain"):
        host(autograd.compile(state, wrt=w))


@HOSTS
def test_an_operation_of_functions_is_refused(host):
    square = autograd.primitive("square_of_floats", lambda x: x * x, lambda x: 2 * x)
    w = Value(2.0)
    with pytest.raises(ValueError, match="declared by a function of floats"):
        host(autograd.compile(square(w), wrt=[w]))


def test_the_source_is_a_function_of_theta_and_batch():
    pytest.importorskip("jax")
    source = net(True)[0].to_jax().source
    assert "def cost(theta, batch=None):" in source
    assert len(source.splitlines()) < 40


def test_jit_vmap_and_hessian():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    program, theta, batch = net(True)
    f = program.to_jax()
    assert np.allclose(jax.jit(f)(theta, batch), program.value_and_grad(theta, batch)[0], rtol=1e-12)
    each = jax.vmap(lambda row: f(theta, row[None]))(batch)
    assert np.allclose(each, program.forward(theta, batch), rtol=1e-12)
    assert jax.hessian(f)(theta[:], batch[:3]).shape == (len(theta), len(theta))


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


def test_export_by_torch():
    torch = pytest.importorskip("torch")
    program, theta, batch = net(True)
    f = program.to_torch()

    class Cost(torch.nn.Module):
        def forward(self, theta, batch):
            return f(theta, batch)

    exported = torch.export.export(Cost(), (torch.tensor(theta), torch.tensor(batch)))
    got = exported.module()(torch.tensor(theta), torch.tensor(batch))
    assert np.allclose(got.numpy(), program.value_and_grad(theta, batch)[0], rtol=1e-12)
