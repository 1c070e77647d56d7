"""Programs as functions of JAX and PyTorch beside the same written by hand there, on one thread, in turns.

    pip install -e '.[benchmark]'
    python tests/benchmarks/hosts.py                 # every row
    python tests/benchmarks/hosts.py digits          # some of them

Value and gradient, float64, parameters in one array: jit of value_and_grad in JAX, torch.autograd in PyTorch's eager
mode. Each row first checks that both agree. What a host needs for its first call, XLA's compiling, is told beside it.
"""

import time

import compiled  # one thread, before anything else is imported
import eager
import numpy as np
from compiled import agree, installed, race, report, run_rows

import autograd
from autograd import Value
from nn import MLP, cross_entropy, hinge


def moons_by_hand(relu):
    """The cost of `compiled.moons_graph` as a function of arrays, theta (337,) and the examples (n, 3)."""

    def cost(theta, batch):
        W1, b1, W2, b2, W3, b3 = compiled.moons_parts(theta)
        a = relu(batch[:, :2] @ W1.T + b1)
        a = relu(a @ W2.T + b2)
        z = (a @ W3.T + b3)[:, 0]
        return relu(1 - batch[:, 2] * z).mean() + 1e-4 * (theta * theta).sum()

    return cost


def digits_by_hand(relu, log_softmax):
    """The mean cross-entropy as a function of arrays, theta (2410,) and the examples (n, 74)."""

    def cost(theta, batch):
        W1, b1, W2, b2 = compiled.DigitsByHand.split(theta)
        scores = relu(batch[:, :64] @ W1.T + b1) @ W2.T + b2
        return -(log_softmax(scores) * batch[:, 64:]).sum(1).mean()

    return cost


def in_jax(cost, theta, batch):
    """A call that gives value and gradient, compiled by XLA, and the seconds of the first one."""
    import jax

    jax.config.update("jax_enable_x64", True)
    f = jax.jit(jax.value_and_grad(cost))
    given = [jax.numpy.asarray(x) for x in (theta, batch) if x is not None]
    run = lambda: jax.block_until_ready(f(*given))  # noqa: E731
    start = time.perf_counter()
    run()
    return run, time.perf_counter() - start


def in_torch(cost, theta, batch):
    """A call that gives value and gradient, in PyTorch's eager mode."""
    import torch

    torch.set_num_threads(1)
    theta = torch.tensor(theta, requires_grad=True)
    batch = None if batch is None else torch.tensor(batch)

    def run():
        value = cost(theta, batch)
        return value.detach(), torch.autograd.grad(value, theta)[0]

    return run


def measured(program, by_hand, theta, batch, options, with_batch=True):
    """One row: both hosts, ours and by hand."""
    print(f"  {program.nodes:,} scalar nodes in {program.kernels} NumPy calls")
    value, slope = program.value_and_grad(theta, batch if with_batch else None)
    given = batch if with_batch else None
    competitors = {"the Program itself": lambda: program.value_and_grad(theta, given)}
    if jax := installed("jax"):
        fixed = lambda theta: by_hand("jax")(theta, jax.numpy.asarray(batch))  # noqa: E731
        competitors["JAX, by hand"], first = in_jax(by_hand("jax") if with_batch else fixed, theta, given)
        print(f"  JAX by hand: {first:.2f} s for the first call")
        competitors["JAX, to_jax()"], first = in_jax(program.to_jax(), theta, given)
        print(f"  to_jax(): {first:.2f} s for the first call")
    if installed("torch"):
        competitors["PyTorch, by hand"] = in_torch(lambda t, b: by_hand("torch")(t, b), theta, batch)
        competitors["PyTorch, to_torch()"] = in_torch(program.to_torch(), theta, given)
    for name, run in competitors.items():
        found, gradient = run()
        agree(value, found, name)
        agree(slope, np.asarray(gradient), name)
    times = race(competitors, options.rounds)
    for host in ("JAX", "PyTorch"):
        if f"{host}, by hand" in times:
            ours = next(name for name in times if name.startswith(f"{host}, to_"))
            report({ours: times[ours], f"{host}, by hand": times[f"{host}, by hand"]})
    report({"the Program itself": times["the Program itself"]})


def functions(host):
    """relu and log_softmax of a host."""
    if host == "jax":
        import jax

        return jax.nn.relu, jax.nn.log_softmax
    import torch

    return torch.relu, lambda x: torch.log_softmax(x, 1)


def moons(n):
    """The examples (n, 3), a model and theta."""
    model = MLP(2, compiled.SIZES[1:], seed=1)
    return np.column_stack(eager.moons(n)).astype(float), model, np.array([p.data for p in model.parameters()])


def moons_program(model):
    """The cost of one example, compiled for batches."""
    x, y = [Value(0.1, "x_0"), Value(0.2, "x_1")], Value(1.0, "y")
    cost = hinge(model(x), y) + 1e-4 * sum(p * p for p in model.parameters())
    return autograd.compile(cost, wrt=model.parameters(), inputs=[*x, y])


def of_moons(host):
    return moons_by_hand(functions(host)[0])


def row_moons(options):
    """The moons network 2-16-16-1 on 100 points, every example written out in scalars."""
    batch, model, theta = moons(100)
    cost = compiled.moons_graph(model, batch[:, :2], batch[:, 2])
    program = autograd.compile(cost, wrt=model.parameters())
    measured(program, of_moons, theta, batch, options, with_batch=False)


def row_moons_batch(options):
    """The same from the graph of one example and a batch of 100."""
    batch, model, theta = moons(100)
    measured(moons_program(model), of_moons, theta, batch, options)


def row_moons_10000(options):
    """The same, a batch of 10,000."""
    batch, model, theta = moons(10_000)
    measured(moons_program(model), of_moons, theta, batch, options)


def row_digits(options):
    """The digits minibatch: 64-32-10, batch 64, cross-entropy."""
    rng = np.random.default_rng(0)
    model = MLP(64, [32, 10], seed=1)
    x, y = [Value(0.5, f"x_{i}") for i in range(64)], [Value(0.1, f"y_{i}") for i in range(10)]
    program = autograd.compile(cross_entropy(model(x), y), wrt=model.parameters(), inputs=[*x, *y])
    batch = np.hstack([rng.uniform(0, 1, (64, 64)), np.eye(10)[rng.integers(0, 10, 64)]])
    theta = np.array([p.data for p in model.parameters()])
    measured(program, lambda host: digits_by_hand(*functions(host)), theta, batch, options)


if __name__ == "__main__":
    run_rows(globals())
