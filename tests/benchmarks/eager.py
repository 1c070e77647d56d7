"""The eager engine beside micrograd 0.1.0: both as their users run them, the garbage collector on, in one process.

    pip install -e '.[benchmark]'
    python tests/benchmarks/eager.py

Three questions: how long a full-batch training step of micrograd's own demo takes, how long forward and backward
take on a large graph of single operations, and how many bytes a node of such a graph costs.
"""

import argparse
import functools
import gc
import math
import random
import statistics
import sys
import threading
import time
import tracemalloc

import autograd
import nn


def moons(n, seed=1):
    """Two noisy half circles, labelled -1 and 1."""
    rng = random.Random(seed)
    points, labels = [], []
    for i in range(n):
        angle, upper = math.pi * i / n, i % 2 == 0
        x, y = (math.cos(angle), math.sin(angle)) if upper else (1 - math.cos(angle), 0.5 - math.sin(angle))
        points.append([x + rng.gauss(0, 0.1), y + rng.gauss(0, 0.1)])
        labels.append(1 if upper else -1)
    return points, labels


def their_step(Value, model, points, labels):
    """A training step as micrograd's demo writes it: hinge loss, weight decay, gradient descent."""
    inputs = [list(map(Value, point)) for point in points]
    scores = list(map(model, inputs))
    losses = [(1 + -label * score).relu() for label, score in zip(labels, scores)]
    data_loss = sum(losses) * (1.0 / len(losses))
    penalty = 1e-4 * sum(p * p for p in model.parameters())
    total = data_loss + penalty
    model.zero_grad()
    total.backward()
    for p in model.parameters():
        p.data -= 0.05 * p.grad
    return total.data


def our_step(model, parameters, optimizer, points, labels):
    """The same step as our users write it: the losses and the sums are single nodes."""
    losses = [nn.hinge(model(point), label) for point, label in zip(points, labels)]
    total = autograd.mean(losses) + 1e-4 * autograd.weighted_sum(parameters, parameters)
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
    return total.data


def single_operations(Value, n):
    """A graph of n additions, multiplications and powers, five nodes a round; the cost."""
    x, y = Value(1.5), Value(-0.5)
    for _ in range(n // 5):
        z = x * y + x
        y = (z + 0.25) * 0.5
        x = z**2 * 0.1 if abs(z.data) < 2 else z * 0.1
    return x + y


def forward_backward(Value, n):
    """Build the graph of single operations and differentiate it."""
    single_operations(Value, n).backward()


def timed(ours, theirs, repeats):
    """The median times of two functions in milliseconds.

    They take turns in blocks of consecutive calls, so that both see the same machine; a collection before each block
    makes sure that neither is charged for the other's garbage.
    """
    times = {ours: [], theirs: []}
    for _ in range(2):
        for function, record in times.items():
            gc.collect()
            for _ in range(repeats):
                start = time.perf_counter()
                function()
                record.append(1e3 * (time.perf_counter() - start))
    return [statistics.median(record) for record in times.values()]


def bytes_per_node(Value, n):
    """What a graph of single operations takes in memory, divided by its nodes."""
    tracemalloc.start()
    cost = single_operations(Value, n)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used / count_nodes(cost)


def count_nodes(cost):
    """The number of nodes of a graph of either engine."""
    seen, stack = {cost}, [cost]
    while stack:
        node = stack.pop()
        new = {*(node.parents if hasattr(node, "parents") else node._prev)} - seen
        seen |= new
        stack += new
    return len(seen)


def main():
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--repeats", type=int, default=5, help="consecutive timed calls, twice for each engine; the median counts (5)"
    )
    parser.add_argument("--nodes", type=int, default=100_000, help="nodes of the graph of single operations (100000)")
    options = parser.parse_args()
    try:
        import micrograd.engine
        import micrograd.nn
    except ModuleNotFoundError:
        sys.exit("micrograd is not installed: pip install -e '.[benchmark]'")
    # micrograd's backward pass calls itself once per node on the way; on a thread with a large stack it survives that
    sys.setrecursionlimit(10 * options.nodes)
    threading.stack_size(1 << 30)
    thread = threading.Thread(target=measure, args=(options, micrograd.engine.Value, micrograd.nn.MLP))
    thread.start()
    thread.join()


def measure(options, TheirValue, TheirMLP):
    """The three measurements."""
    points, labels = moons(100)
    model, their_model = nn.MLP(2, [16, 16, 1], seed=1), TheirMLP(2, [16, 16, 1])
    parameters = model.parameters()
    optimizer = nn.SGD(parameters, lr=0.05)
    rows = [
        (
            "moons step, MLP 2-16-16-1, 100 points",
            "ms",
            30,
            *timed(
                lambda: our_step(model, parameters, optimizer, points, labels),
                lambda: their_step(TheirValue, their_model, points, labels),
                options.repeats,
            ),
        ),
        (
            f"single operations, {options.nodes:,} nodes, forward and backward",
            "ms",
            5,
            *timed(
                functools.partial(forward_backward, autograd.Value, options.nodes),
                functools.partial(forward_backward, TheirValue, options.nodes),
                options.repeats,
            ),
        ),
        (
            "memory of a node of those",
            "bytes",
            None,
            bytes_per_node(autograd.Value, options.nodes),
            bytes_per_node(TheirValue, options.nodes),
        ),
    ]
    print(f"{'':<58} {'glassgrad':>11} {'micrograd':>11} {'ratio':>8} {'aim':>6}")
    for name, unit, aim, ours, theirs in rows:
        numbers = f"{ours:>11.1f} {theirs:>11.1f} {theirs / ours:>7.1f}x"
        print(f"{name + ', ' + unit:<58} {numbers} {f'{aim}x' if aim else '<350':>6}")


if __name__ == "__main__":
    main()
