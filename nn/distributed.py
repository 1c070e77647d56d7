"""Training on a cluster: the same loop, with gradients that come from partitions and are added up in their order.

A partition of the data is loaded by a task where it will stay, from the collection's own graph (a Parquet file, a Zarr
chunk), never from here. The compiled program travels once. A step sends the parameters out, and back come, for each
partition, a number of examples, a sum of costs and a sum of gradients. They are added in the order of the partitions,
sixteen at a time, so the result depends neither on the workers nor on who dies: a lost partition is loaded again by its
own task. Without a client the same partitions are worked through here, with the same result to the bit.

Needs dask: `pip install 'glassgrad[dask]'`.
"""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograd import Value
from nn.examples import Examples, Loss
from nn.gradients import Compiled, Eager, Gradients, Local, Metric, assign

if TYPE_CHECKING:
    import numpy as np

PARTITION_ROWS, PARTITION_NUMBERS = 8192, 2**20  # at most so many of an array in memory form one partition
TOGETHER = 16  # sums that one task adds up


@dataclass(frozen=True)
class Batch:
    """Part `number` of `parts` of every partition's examples, in the order that `seed` shuffles them into."""

    number: int = 0
    parts: int = 1
    seed: int | None = None

    def of(self, partition: int, n: int) -> np.ndarray:
        """The indices of the examples that one partition of n has in the batch."""
        import numpy as np

        order = np.arange(n) if self.seed is None else np.random.default_rng([self.seed, partition]).permutation(n)
        return order[self.span(n)]

    def span(self, n: int) -> slice:
        """Where they lie in that order."""
        return slice(self.number * n // self.parts, (self.number + 1) * n // self.parts)


class Distributed(Gradients):
    """Gradients of data in partitions, on the workers of a `dask.distributed.Client`; without one, here."""

    def __init__(
        self,
        client: Any,
        model: Any,
        X: Any,
        y: Any,
        loss: Loss,
        parameters: list[Value],
        penalty: Callable[[Any], Any] | None = None,
        validation: tuple[Any, Any] | None = None,
        compiled: bool = True,
    ):
        self.workers = Here() if client is None else Cluster(client)
        self.parameters = parameters
        pairs = partitions(X, y)
        first = Examples(model, *self.first_examples(pairs), loss)
        self.local = (Compiled if compiled else Eager)(model, loss, first, parameters, penalty)
        self.source, self.sent = self.workers.share(self.local.without_penalty()), self.not_trained()
        self.parts, self.sizes = self.load(pairs, "")
        self.held_out, self.held_out_sizes = [], []
        if validation is not None:
            self.held_out, self.held_out_sizes = self.load(partitions(*validation), "validation ")
        self.n = sum(self.sizes)

    def first_examples(self, pairs: list[tuple[Any, Any]]) -> tuple[Any, Any]:
        """The first few rows of the first partition that has any, to make and check the program with."""
        for X, y in pairs:
            rows = self.workers.result(self.workers.call(first_rows, X, y))
            if len(rows[0]):
                return rows
        raise ValueError("X is empty: no partition has a row")

    def load(self, pairs: list[tuple[Any, Any]], name: str) -> tuple[list[Any], list[int]]:
        """The partitions as examples, where they stay, and how many each holds; raises what is wrong with one."""
        parts = [
            self.workers.call(examples, self.source, X, y, f"{name}partition {p}, ") for p, (X, y) in enumerate(pairs)
        ]
        return parts, self.workers.results([self.workers.call(examples_in, part) for part in parts])

    def __str__(self) -> str:
        return f"{len(self.parts)} partitions {self.workers}"

    # What `fit` asks for

    def holds(self, changed: bool) -> bool:
        """Whether the model still computes what was sent to the workers."""
        if not isinstance(self.local, Compiled) and changed:
            return False
        return self.not_trained() == self.sent and self.local.holds(changed)

    def not_trained(self) -> list[float]:
        """The data of leaves that are not trained: what is sent keeps those that they had."""
        if isinstance(self.local, Compiled):
            return [leaf.data for leaf in self.local.program._others]
        trained = set(self.parameters)
        return [p.data for p in self.local.model.parameters() if p not in trained]

    def batches(self, size: int | None, rng: np.random.Generator | None) -> Iterator[Batch]:
        """The batches of one epoch: every partition gives its share to each of them."""
        if size is None:
            return iter([Batch()])
        parts, seed = math.ceil(self.n / size), None if rng is None else int(rng.integers(2**63))
        return (Batch(k, parts, seed) for k in range(parts))

    def share(self, batch: Batch) -> float:
        """The part of the examples that is in a batch."""
        return sum(len(range(n)[batch.span(n)]) for n in self.sizes) / self.n

    def value_and_grad(self, theta: np.ndarray, batch: Batch, epoch: int) -> tuple[float, np.ndarray]:
        """The mean cost over a batch, penalty included, and its gradient (n_parameters,), all finite."""
        n, cost, gradient = self.total(of_partition, self.parts, theta, batch, epoch)
        more, slope = self.local.of_penalty(theta)
        return cost / n + more, gradient / n + slope

    def held_out_cost(self, theta: np.ndarray, epoch: int) -> float | None:
        """The mean loss on the validation data, without penalty; None if there are no such data."""
        if not self.held_out:
            return None
        n, cost, _ = self.total(cost_of_partition, self.held_out, theta, None, epoch)
        return cost / n

    def measured(self, measures: dict[str, Metric]) -> dict[str, float]:
        """Every metric, measured partition by partition: the mean over the partitions, weighted by their examples."""
        import numpy as np

        theta = np.array([p.data for p in self.parameters])
        found = {}
        for kind, parts in (("", self.parts), ("validation_", self.held_out)):
            for name, metric in measures.items():
                if parts:
                    n, total, _ = self.total(metric_of_partition, parts, theta, metric, 0)
                    found[kind + name] = total / n
        return found

    def total(self, function: Callable[..., Any], parts: list[Any], theta: np.ndarray, *more: Any) -> Any:
        """What the partitions' results add up to, in their order; each is (examples, a number, an array)."""
        workers = self.workers
        sent = workers.share(theta)
        sums = workers.map(function, parts, range(len(parts)), source=self.source, theta=sent, more=more)
        while len(sums) > 1:
            sums = workers.map(sum_of_results, [sums[k : k + TOGETHER] for k in range(0, len(sums), TOGETHER)])
        return workers.result(sums[0])


# Who does the work --------------------------------------------------------------------------------------------------


class Here:
    """This process: every call is made at once."""

    def share(self, thing: Any) -> Any:
        """Something that every call needs, as calls take it."""
        return thing

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The result of a function; arguments that are dask's own are computed."""
        from dask.base import compute

        return function(*compute(*arguments, scheduler="synchronous"))

    def map(self, function: Callable[..., Any], *lists: Iterable[Any], **settings: Any) -> list[Any]:
        """The results of a function of each element."""
        return [function(*elements, **settings) for elements in zip(*lists)]

    def results(self, results: list[Any]) -> list[Any]:
        """The results themselves."""
        return results

    def result(self, result: Any) -> Any:
        """One result itself."""
        return result

    def __str__(self) -> str:
        return "here"


class Cluster:
    """The workers of a client: results are futures, which stay where they were made and are made again if lost."""

    def __init__(self, client: Any):
        try:
            from distributed import Client
        except ImportError:
            raise ImportError("client= needs dask.distributed: pip install 'glassgrad[dask]'") from None
        if not isinstance(client, Client):
            raise TypeError(f"client is a dask.distributed.Client, such as Client(n_workers=2), not {client!r}")
        if client.asynchronous:
            raise TypeError("client is an asynchronous one; fit waits for its results: make it by Client(...)")
        self.client = client

    def share(self, thing: Any) -> Any:
        """Something that every task needs. It goes to the scheduler once, and from worker to worker from there.

        A task unpacks it, so that it can be made again; what is merely scattered is lost with the worker that has it.
        """
        import cloudpickle

        return self.client.submit(cloudpickle.loads, cloudpickle.dumps(thing), pure=False)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """A future of a function's result; arguments that are dask's own are computed by tasks of their own."""
        from dask.delayed import delayed

        return self.client.compute(delayed(function, pure=False)(*arguments))

    def map(self, function: Callable[..., Any], *lists: Iterable[Any], **settings: Any) -> list[Any]:
        """Futures of the results of a function of each element."""
        return self.client.map(function, *map(list, lists), pure=False, **settings)

    def results(self, results: list[Any]) -> list[Any]:
        """What some futures come to. If that is interrupted, nobody works on."""
        try:
            gathered: Any = self.client.gather(results)
            return gathered
        except BaseException:
            self.client.cancel(results, force=True)
            raise

    def result(self, result: Any) -> Any:
        """What a future comes to."""
        return self.results([result])[0]

    def __str__(self) -> str:
        n = len(self.client.scheduler_info(n_workers=-1)["workers"])
        return f"on {n} worker{'s' * (n != 1)}"


# What a task does ---------------------------------------------------------------------------------------------------


def first_rows(X: Any, y: Any) -> tuple[Any, Any]:
    """The first few rows of a partition."""
    return X[:8], y[:8]


def examples(source: Local, X: Any, y: Any, name: str) -> Examples | None:
    """A partition, checked; None if it is empty."""
    if not len(X) and not len(y):
        return None
    return Examples(source.model, X, y, source.loss, name)


def examples_in(part: Examples | None) -> int:
    """The number of examples in a partition."""
    return part.n if part is not None else 0


def of_partition(part: Examples | None, number: int, source: Local, theta: np.ndarray, more: tuple) -> tuple:
    """(examples, sum of costs, sum of gradients (n_parameters,)) of a partition's share of a batch."""
    import numpy as np

    batch, epoch = more
    rows = batch.of(number, examples_in(part))
    if part is None or not len(rows):
        return 0, 0.0, np.zeros(len(theta))
    cost, gradient = mine(source, part).value_and_grad(theta, rows, epoch)
    return len(rows), cost * len(rows), gradient * len(rows)


def cost_of_partition(part: Examples | None, number: int, source: Local, theta: np.ndarray, more: tuple) -> tuple:
    """(examples, sum of losses, 0) of a partition of validation data."""
    if part is None:
        return 0, 0.0, 0.0
    own = mine(source, part)
    own.held_out = part
    cost = own.held_out_cost(theta, more[1])
    return part.n, (cost or 0.0) * part.n, 0.0


def metric_of_partition(part: Examples | None, number: int, source: Local, theta: np.ndarray, more: tuple) -> tuple:
    """(examples, a metric times their number, 0) of a partition."""
    if part is None:
        return 0, 0.0, 0.0
    own = mine(source, part)
    assign(own.parameters, theta)
    return part.n, float(more[0](own.model, part.X, part.y)) * part.n, 0.0


def mine(source: Local, part: Examples) -> Local:
    """The source of gradients with the data of one partition, and a model that no other task changes."""
    own = copy.copy(source)
    own.train, own.n = part, part.n
    if not isinstance(source, Compiled):
        own.model, own.parameters = copy.deepcopy((source.model, source.parameters))
    return own


def sum_of_results(sums: list[tuple]) -> tuple:
    """The sum of several results, one after the other."""
    return functools.reduce(lambda a, b: tuple(x + y for x, y in zip(a, b)), sums)


# Partitions ---------------------------------------------------------------------------------------------------------


def is_collection(x: Any) -> bool:
    """Whether x is an array or a frame of dask's."""
    return hasattr(x, "__dask_graph__")


def partitions(X: Any, y: Any) -> list[tuple[Any, Any]]:
    """X and y as pairs of partitions, what is dask's as its own delayed parts, in order."""
    import numpy as np

    if not is_collection(X) and not is_collection(y):
        X, y = (x if hasattr(x, "iloc") else np.asarray(x) for x in (X, y))
        if len(X) != len(y):
            raise ValueError(f"X has {len(X)} rows but y has {len(y)}: each example needs one target")
        n = max(1, min(PARTITION_ROWS, PARTITION_NUMBERS * len(X) // max(X.size, 1)))
        cut = lambda x, k: x.iloc[k : k + n] if hasattr(x, "iloc") else x[k : k + n]  # noqa: E731
        return [(cut(X, k), cut(y, k)) for k in range(0, len(X), n)]
    parts = [parts_of(x, name) for x, name in ((X, "X"), (y, "y"))]
    if len(parts[0]) != len(parts[1]):
        raise ValueError(
            f"X has {len(parts[0])} partitions but y has {len(parts[1])}: take both from one collection, or rechunk one"
        )
    return list(zip(*parts))


def parts_of(x: Any, name: str) -> list[Any]:
    """The partitions of a collection as delayed objects: rows of an array are not divided between them."""
    if not is_collection(x):
        raise TypeError(f"{name} is {type(x).__name__}, the other one is dask's: both have to be collections")
    if getattr(x, "ndim", 0) == 2 and hasattr(x, "rechunk") and x.numblocks[1] > 1:
        x = x.rechunk({1: -1})
    parts = x.to_delayed(optimize_graph=False)  # what is optimised alone may fuse other partitions than the other one
    return parts if isinstance(parts, list) else parts.ravel().tolist()
