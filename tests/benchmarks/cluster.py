"""What a step on a dask cluster costs beside the same step on one machine.

    python tests/benchmarks/cluster.py

Two worker processes of one thread each. Medians over the steps of one training each, one step an epoch: the overhead
of a step for tiny partitions, from 2 to 16 of them, and from what size of partition two workers are quicker than one
process that works through the same partitions.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import statistics
import time

import dask.array as da
import numpy as np
from distributed import Client, LocalCluster

from nn import MLP, SGD, fit, squared_error

WIDTH = 32


def step(rows: int, parts: int, client: Client | None, epochs: int) -> float:
    """The median time of a step in milliseconds, on so many partitions of so many rows."""
    rng = da.random.default_rng(0)  # each worker draws the partitions that it works on
    data = rng.normal(size=(rows * parts, WIDTH), chunks=(rows, WIDTH)), rng.normal(size=rows * parts, chunks=rows)
    model, times = MLP(WIDTH, [64, 1], "tanh", seed=0), [time.perf_counter()]
    fit(
        model,
        *data,
        loss=squared_error,
        optimizer=SGD(model.parameters(), lr=1e-3),
        epochs=epochs,
        client=client,
        progress=False,
        callbacks=lambda epoch, history, model: times.append(time.perf_counter()),
    )
    return 1e3 * statistics.median(np.diff(times[1:]))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    epochs = parser.parse_args().epochs
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        print("| partitions of 10 rows | here, ms | two workers, ms |\n|---|---|---|")
        for parts in (2, 4, 8, 16):
            print(f"| {parts} | {step(10, parts, None, epochs):.1f} | {step(10, parts, client, epochs):.1f} |")
        print("\n| rows in each of 4 partitions | here, ms | two workers, ms | here / two workers |\n|---|---|---|---|")
        for rows in (1_000, 10_000, 30_000, 100_000, 300_000):
            here, there = step(rows, 4, None, epochs), step(rows, 4, client, epochs)
            print(f"| {rows:,} | {here:.1f} | {there:.1f} | {here / there:.2f} |")


if __name__ == "__main__":
    main()
