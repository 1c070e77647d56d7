"""fit on a dask cluster of two processes comes to the same bits as on one machine, whoever dies."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

pytest.importorskip("distributed")
pytest.importorskip("dask.dataframe")

import dask.array as da
import dask.dataframe as dd
import distributed
import pandas as pd

import autograd
from nn import (
    MLP,
    SGD,
    Adam,
    Module,
    Neuron,
    accuracy,
    cross_entropy,
    fit,
    hinge,
    iris,
    l2_penalty,
    moons,
    squared_error,
)
from nn.distributed import Batch, partitions

pytestmark = pytest.mark.filterwarnings("ignore")  # dask's own, of ports in use and workers that were killed
X, Y = moons(600, seed=0)
T = 2.0 * Y - 1


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit="1GB"
    ) as workers:
        yield workers


@pytest.fixture
def client(cluster):
    with distributed.Client(cluster) as made:
        made.wait_for_workers(2)
        yield made


def cut(chunks=(100, 250, 50, 200)):
    """The data as dask arrays in uneven partitions."""
    return da.from_array(X, chunks=(chunks, 2)), da.from_array(T, chunks=(chunks,))


def trained(data, client=None, **settings):
    """(parameters, history) of a small network."""
    model = MLP(2, [6, 1], "tanh", seed=0)
    settings = {"loss": hinge, "optimizer": Adam(model.parameters(), lr=0.02), "epochs": 4, **settings}
    history = fit(model, *data, client=client, progress=False, **settings)
    return [p.data for p in model.parameters()], history


def test_a_cluster_comes_to_the_same_bits_as_one_machine(client):
    settings = {
        "validation": cut((600,)),
        "metrics": [accuracy],
        "penalty": lambda model: l2_penalty(model.parameters(), 1e-3),
        "clip_norm": 0.5,
    }
    here, alone = trained(cut(), **settings)
    there, together = trained(cut(), client, **settings)
    assert here == there
    assert alone.to_dict() == together.to_dict()


def test_partitions_come_to_what_the_whole_comes_to():
    whole, history = trained((X, T), metrics=[accuracy])
    parts, divided = trained(cut(), metrics=[accuracy])
    np.testing.assert_allclose(parts, whole, rtol=1e-11, atol=1e-8)
    np.testing.assert_allclose(divided.cost, history.cost, rtol=1e-12)
    np.testing.assert_allclose(divided.metrics["accuracy"], history.metrics["accuracy"], rtol=1e-12)


def test_mini_batches_take_their_share_of_every_partition_and_each_example_once(client):
    sizes, seen = [100, 0, 3, 40], []
    for partition, n in enumerate(sizes):
        order = np.concatenate([Batch(k, 7, seed=5).of(partition, n) for k in range(7)])
        assert sorted(order) == list(range(n))
        seen.append(order.tolist())
    assert seen[0] != sorted(seen[0])
    assert trained(cut(), client, batch_size=64, seed=3)[0] == trained(cut(), batch_size=64, seed=3)[0]
    assert trained(cut(), batch_size=64, seed=3)[0] != trained(cut(), batch_size=64, seed=4)[0]


def test_arrays_in_memory_are_divided_and_sent(client, monkeypatch):
    monkeypatch.setattr("nn.distributed.PARTITION_ROWS", 130)
    assert [len(rows) for rows, _ in partitions(X, T)] == [130, 130, 130, 130, 80]
    there, _ = trained((X, T), client)
    np.testing.assert_allclose(there, trained((X, T))[0], rtol=1e-11, atol=1e-8)


def test_a_worker_that_is_killed_changes_nothing(client):
    killed = []

    def kill(epoch, history, model):
        if epoch == 1:
            pids = client.run(os.getpid)
            os.kill(next(iter(pids.values())), getattr(signal, "SIGKILL", signal.SIGTERM))
            killed.append(pids)

    here, _ = trained(cut(), epochs=6)
    there, history = trained(cut(), client, epochs=6, callbacks=kill)
    assert killed
    assert there == here
    assert len(history.cost) == 6


def test_a_frame_is_read_from_parquet_by_the_workers(client, tmp_path):
    table = pd.DataFrame(X, columns=["left", "up"]).assign(target=T)
    for k, rows in enumerate((table[:200], table[200:210], table[210:])):
        rows.to_parquet(tmp_path / f"part.{k}.parquet")
    frame = dd.read_parquet(tmp_path)
    data = frame[["left", "up"]], frame["target"]
    there, _ = trained(data, client)
    assert there == trained(data)[0]
    np.testing.assert_allclose(there, trained((X, T))[0], rtol=1e-11, atol=1e-8)


def test_uneven_and_empty_partitions_are_no_trouble(client):
    frame = dd.from_pandas(pd.DataFrame(X, columns=["a", "b"]).assign(t=T), npartitions=4)
    frame = frame[frame["a"] > 0.9]  # some partitions of the sorted frame could be empty
    empty = dd.from_map(lambda k: pd.DataFrame({"a": X[:k, 0], "b": X[:k, 1], "t": T[:k]}), [0, 1, 500, 0])
    for each in (frame, empty):
        data = each[["a", "b"]], each["t"]
        assert trained(data, client, batch_size=50)[0] == trained(data, batch_size=50)[0]


def test_classes_of_several_outputs(client):
    rows, names = iris()
    model = lambda: MLP(4, [5, 3], "tanh", seed=1)  # noqa: E731
    results = []
    for who in (client, None):
        network = model()
        data = da.from_array(rows, chunks=(40, 4)), da.from_array(names, chunks=40)
        fit(network, *data, loss=cross_entropy, optimizer=SGD(network.parameters(), lr=0.1), epochs=3, client=who,
            progress=False)  # fmt: skip
        results.append([p.data for p in network.parameters()])
    assert results[0] == results[1]


def test_an_eager_model_that_branches_trains_on_a_cluster_too(client):
    class Hinged(Module):
        def __init__(self):
            self.left, self.right = Neuron(2, "linear", seed=0), Neuron(2, "linear", seed=1)

        def __call__(self, x):
            return self.left(x) if x[0] > 0.5 else self.right(x)

    results = []
    for who in (client, None):
        model = Hinged()
        fit(model, *cut(), loss=squared_error, optimizer=SGD(model.parameters(), lr=0.1), epochs=1, compiled=False,
            client=who, progress=False)  # fmt: skip
        results.append([p.data for p in model.parameters()])
    assert results[0] == results[1]


def test_callbacks_and_patience_work_as_on_one_machine(client):
    seen = []
    _, history = trained(cut(), client, callbacks=lambda epoch, history, model: seen.append(epoch) or epoch == 1)
    assert seen == [0, 1]
    assert history.stopped == "callback"
    settings = {"patience": 2, "epochs": 60, "validation": cut((600,)), "restore_best": True, "batch_size": 30}
    parameters, history = trained(cut(), client, **settings)
    assert (parameters, history) == trained(cut(), **settings)
    assert history.stopped == "patience"


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("what", ["an activation", "a leaf that is not trained"])
def test_what_a_callback_does_to_the_model_reaches_the_workers(client, compiled, what):
    def change(epoch, history, model):
        if what == "an activation":
            model.layers[0].activation = "sin"
        else:
            for p in model.layers[0].parameters():
                p.data *= 1.5

    def costs(client):
        model = MLP(2, [3, 1], "tanh", seed=0)
        optimizer = SGD(model.layers[1].parameters(), lr=0.0)
        data = da.from_array(X[:40], chunks=(20, 2)), da.from_array(T[:40], chunks=20)
        return fit(model, *data, client=client, progress=False, loss=squared_error, optimizer=optimizer, epochs=3,
                   callbacks=change, compiled=compiled).cost  # fmt: skip

    cost = costs(client)
    assert cost == costs(None)
    if what == "an activation":
        assert cost[1] != pytest.approx(cost[0])
        assert cost[2] == cost[1]
    else:
        assert len(set(cost)) == 3


def test_the_error_of_a_partition_names_it_the_example_and_the_node(client):
    class Logarithm(Module):
        def __init__(self):
            self.w = autograd.Value(1.0, "w")

        def __call__(self, x):
            z = self.w * x[0]
            z.label = "z"
            return autograd.log(z)

    rows = np.abs(X) + 0.1
    rows[430] = -1.0  # in partition 3, its example 30
    data = da.from_array(rows, chunks=((100, 250, 50, 200), 2)), cut()[1]
    model = Logarithm()
    with pytest.raises(
        ValueError, match=r"epoch 0, partition 3, example 30: log is not defined at x = -1.0 \(label 'z'"
    ):
        fit(model, *data, loss=squared_error, optimizer=SGD(model.parameters()), epochs=2, client=client,
            progress=False)  # fmt: skip
    assert model.w.data == 1.0


def test_bad_data_are_refused_before_training_and_the_partition_is_named(client):
    rows = X.copy()
    rows[360, 1] = np.nan
    with pytest.raises(ValueError, match=r"partition 2, X\[10, 1\] is nan"):
        trained((da.from_array(rows, chunks=((100, 250, 50, 200), 2)), cut()[1]), client)
    with pytest.raises(ValueError, match="4 partitions but y has 1"):
        trained((cut()[0], cut((600,))[1]), client)
    with pytest.raises(TypeError, match="both have to be collections"):
        trained((cut()[0], T), client)
    with pytest.raises(TypeError, match=r"dask\.distributed\.Client"):
        trained((X, T), client="127.0.0.1:8786")


@pytest.mark.skipif(os.name == "nt", reason="os.kill interrupts on POSIX only")
def test_an_interrupt_returns_what_was_learned_and_leaves_the_cluster_idle(client):
    threading.Timer(2.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    parameters, history = trained(cut(), client, epochs=100_000)
    assert history.stopped == "interrupted"
    assert np.isfinite(parameters).all()
    assert trained(cut(), client)[0] == trained(cut())[0]


def test_a_client_that_goes_away_leaves_nothing_behind(cluster, client, tmp_path):
    script = tmp_path / "leaves.py"
    script.write_text(
        "import sys, os\n"
        "from distributed import Client\n"
        "from nn import MLP, SGD, fit, hinge, moons\n"
        "X, y = moons(200, seed=0)\n"
        "model = MLP(2, [1], seed=0)\n"
        "def leave(epoch, history, model):\n"
        "    if epoch == 3: os._exit(7)\n"
        f"with Client({cluster.scheduler_address!r}) as client:\n"
        "    fit(model, X, 2.0 * y - 1, loss=hinge, optimizer=SGD(model.parameters()), epochs=100, client=client,\n"
        "        progress=False, callbacks=leave)\n"
    )
    assert subprocess.run([sys.executable, str(script)], timeout=120, env=os.environ).returncode == 7
    deadline = time.monotonic() + 60
    while client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) == 0
    assert trained(cut(), client)[0] == trained(cut())[0]


def test_the_progress_says_who_works(client, capsys):
    model = MLP(2, [1], seed=0)
    fit(model, *cut(), loss=hinge, optimizer=SGD(model.parameters()), epochs=2, client=client)
    assert "4 partitions on 2 workers" in capsys.readouterr().err


@pytest.mark.slow
def test_more_data_than_a_worker_may_hold():
    rows = da.random.default_rng(0).normal(size=(12_000_000, 8), chunks=(500_000, 8))  # 768 MB in all
    target = (rows[:, 0] > 0).astype(float)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=None, memory_limit="600MB"
        ) as few,
        distributed.Client(few) as client,
    ):
        model = Neuron(8, "linear", seed=0)
        history = fit(model, rows, target, loss=squared_error, optimizer=SGD(model.parameters(), lr=0.05), epochs=2,
                      client=client, progress=False)  # fmt: skip
    assert history.cost[1] < history.cost[0]
