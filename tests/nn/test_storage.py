"""save and load: exact, atomic, and nothing executed; to and from PyTorch."""

import json
import math
import os
import pickle
import random
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import nn
from nn import (
    MLP,
    SGD,
    Adam,
    AdamW,
    Layer,
    Module,
    Neuron,
    RMSprop,
    cosine_decay,
    from_torch,
    linear_decay,
    load,
    predict,
    save,
    to_torch,
    warmup,
)

posix = pytest.mark.skipif(os.name == "nt", reason="permissions, links and pipes of POSIX")


@pytest.mark.parametrize(
    "model",
    [
        MLP(3, [4, 2], "tanh", output="sigmoid", seed=0),
        MLP(2, [3, 1, 1], "leaky_relu", seed=1),
        Layer(2, 3, "gelu", seed=2),
        Neuron(4, "linear", seed=3),
    ],
)
def test_a_loaded_model_is_equal_to_the_bit(model, tmp_path):
    extremes = [5e-324, -0.0, 1 / 3, 1.7976931348623157e308, math.pi * 1e-300, math.inf]
    for parameter, number in zip(model.parameters(), extremes):
        parameter.data = number
    save(model, tmp_path / "model.json")
    twin = load(tmp_path / "model.json")
    assert repr(twin) == repr(model)
    assert [p.data.hex() for p in twin.parameters()] == [p.data.hex() for p in model.parameters()]
    assert [p.label for p in twin.parameters()] == [p.label for p in model.parameters()]


def test_layers_with_different_activations_come_back(tmp_path):
    model = MLP(2, [3, 3, 1], seed=0)
    for neuron in model.layers[1].neurons:
        neuron.activation = "sin"
    save(model, str(tmp_path / "m"))
    assert [layer.activation for layer in load(str(tmp_path / "m")).layers] == ["relu", "sin", "linear"]


def test_saving_twice_gives_the_same_bytes(tmp_path):
    for name in "ab":
        save(MLP(2, [3], seed=0), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_every_damage_to_the_file_is_refused(tmp_path):
    path = tmp_path / "model"
    save(MLP(2, [2, 1], seed=0), path)
    good = path.read_bytes()
    rng = random.Random(0)
    for _ in range(300):
        bad = bytearray(good)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        path.write_bytes(bytes(bad))
        with pytest.raises(ValueError, match=r"nn\.save wrote"):
            load(path)
    for length in range(0, len(good), 7):
        path.write_bytes(good[:length])
        with pytest.raises(ValueError, match=r"nn\.save wrote"):
            load(path)


def test_a_changed_weight_is_refused(tmp_path):
    path = tmp_path / "model"
    save(Neuron(1, seed=0), path)
    document = json.loads(path.read_text())
    document["parameters"]["bias"] = 1.0
    path.write_text(json.dumps(document, indent=1) + "\n")
    with pytest.raises(ValueError, match=r"was changed since nn\.save wrote it"):
        load(path)


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("executed",)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format": "glassgrad model 1"}']
)
def test_a_file_of_another_kind_is_refused(content, tmp_path):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ValueError, match=r"is not a model that nn\.save wrote"):
        load(tmp_path / "file")


def test_a_pickle_is_refused_and_not_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pickled").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match="is not a model"):
        load("pickled")
    np.savez(tmp_path / "model.npz", weight=np.array([Bomb()], object))
    with pytest.raises(ValueError, match="is not a model"):
        load("model.npz")
    assert not (tmp_path / "executed").exists()


def test_a_file_cannot_ask_for_more_memory_than_it_has_bytes(tmp_path):
    path = tmp_path / "model"
    save(MLP(2, [2], seed=0), path)
    document = json.loads(path.read_text())
    document["parameters"]["layers.0.weight"] = [[0.0], [0.0, 0.0]]
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match="does not hold real numbers"):
        load(path)


def test_a_missing_file_is_reported_as_such(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing")


def test_a_failed_save_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "model"
    save(MLP(2, [2], seed=0), path)
    before = path.read_bytes()

    def full(descriptor):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        save(MLP(2, [5], seed=1), path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model"]


@posix
def test_saving_over_a_link_changes_what_it_points_to(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "model")
    save(Neuron(1), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert isinstance(load(tmp_path / "model"), Neuron)


class Own(Module):
    pass


def test_models_of_other_classes_are_refused(tmp_path):
    with pytest.raises(TypeError, match=r"not Own; numpy\.savez keeps its state_dict"):
        save(Own(), tmp_path / "m")
    with pytest.raises(TypeError, match="can be saved whole, not dict"):
        save({}, tmp_path / "m")  # type: ignore[arg-type]
    layer = Layer(1, 2)
    layer.neurons[0].activation = "tanh"
    with pytest.raises(ValueError, match="2 different ones"):
        save(layer, tmp_path / "m")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("activation", "relu tanh sigmoid leaky_relu elu gelu silu softplus softsign".split())
def test_pytorch_computes_the_same(activation):
    torch = pytest.importorskip("torch")
    model = MLP(3, [4, 2], activation, seed=0)
    X = np.random.default_rng(0).normal(size=(20, 3)) * 10
    sequential = to_torch(model)
    np.testing.assert_allclose(sequential(torch.from_numpy(X)).detach().numpy(), predict(model, X), rtol=1e-12)
    twin = from_torch(sequential)
    assert repr(twin) == repr(model)
    assert [p.data for p in twin.parameters()] == [p.data for p in model.parameters()]


def test_a_sequential_that_is_no_mlp_is_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"LeakyReLU\(negative_slope=0.2\) does not fit"):
        from_torch(torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.LeakyReLU(0.2)))
    with pytest.raises(ValueError, match="no layer for the activation 'sin'"):
        to_torch(Layer(1, 1, "sin"))


# What stands at the path


@posix
def test_a_private_file_stays_private_and_a_read_only_one_as_it_is(tmp_path):
    path = tmp_path / "m"
    save(Neuron(1, seed=0), path)
    path.chmod(0o600)
    save(Neuron(2, seed=0), path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o400)
    with pytest.raises(PermissionError):
        save(Neuron(3), path)
    assert load(path).n_in == 2


@posix
def test_a_pipe_stays_a_pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError, match="pipe"):
        save(Neuron(1), path)
    assert path.is_fifo()


# What the file holds


def test_a_file_is_json_whatever_the_numbers_are(tmp_path):
    model = MLP(2, [2], seed=0)
    for p, x in zip(model.parameters(), (math.nan, math.inf, -math.inf, -0.0)):
        p.data = x
    save(model, tmp_path / "m")

    def refuse(token):
        raise AssertionError(f"{token} is not JSON")

    json.loads((tmp_path / "m").read_text(), parse_constant=refuse)
    assert [repr(p.data) for p in load(tmp_path / "m").parameters()] == [repr(p.data) for p in model.parameters()]


def signed(document):
    """The text of a file with a digest that is right, whatever else is."""
    from nn.storage import file_text

    return file_text({name: part for name, part in document.items() if name not in ("format", "sha256")})


@pytest.mark.parametrize("right", [False, True], ids=["no digest", "right digest"])
@pytest.mark.parametrize(
    "weight", [["x" * 2000] + [0] * 2000, [[0.0] * 3000] + [0.0] * 3000, [[]] * 3000, [{"a": 1}], [[[0.0]]]]
)
def test_sizes_are_counted_before_anything_is_made(weight, right, tmp_path):
    document = {
        "format": "glassgrad model 1", "sha256": "", "model": {"class": "Layer", "activation": "tanh"},
        "parameters": {"weight": weight, "bias": [0.0]},
    }  # fmt: skip
    (tmp_path / "m").write_text(signed(document) if right else json.dumps(document))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"nn\.save wrote"):
            load(tmp_path / "m")
        assert tracemalloc.get_traced_memory()[1] < 200 * (tmp_path / "m").stat().st_size + 2**20
    finally:
        tracemalloc.stop()


def test_a_layer_in_two_places_comes_back_as_one(tmp_path):
    model = MLP(2, [2, 2, 1], seed=0)
    model.layers[1] = model.layers[0]
    save(model, tmp_path / "m")
    twin = load(tmp_path / "m")
    assert twin.layers[1] is twin.layers[0]
    assert len(twin.parameters()) == len(model.parameters())
    assert twin([1.0, 2.0]).data == model([1.0, 2.0]).data


def test_parameters_that_layers_share_are_not_parted_in_silence(tmp_path):
    model = MLP(2, [2, 2], seed=0)
    model.layers[1].neurons[0].b = model.layers[0].neurons[0].b
    with pytest.raises(ValueError, match="layers share parameters"):
        save(model, tmp_path / "m")


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda p: SGD(p, lr=linear_decay(0.1, 50), momentum=0.9, nesterov=True),
        lambda p: RMSprop(p, lr=0.01, centered=True, momentum=0.5),
        lambda p: Adam(p, lr=warmup(cosine_decay(0.1, 40), 5), betas=(0.8, 0.99)),
        lambda p: AdamW(p[2:], lr=0.05, weight_decay=0.1),
    ],
)
def test_an_optimizer_comes_back_to_the_bit(optimizer, tmp_path):
    model = MLP(2, [3, 1], seed=0)
    moves = optimizer(model.parameters())
    rng = random.Random(0)

    def steps(model, moves, count):
        for _ in range(count):
            for p in moves.parameters:
                p.grad = rng.gauss(0, 1)
            moves.step()

    steps(model, moves, 3)
    save(model, tmp_path / "m", optimizer=moves)
    twin, moves_of_twin = load(tmp_path / "m")
    assert repr(moves_of_twin) == repr(moves)
    rng = random.Random(1)
    steps(model, moves, 4)
    rng = random.Random(1)
    steps(twin, moves_of_twin, 4)
    assert [p.data for p in twin.parameters()] == [p.data for p in model.parameters()]
    assert moves_of_twin.steps == 7


def test_what_cannot_be_saved_with_a_model_says_so(tmp_path):
    model = MLP(2, [1], seed=0)
    with pytest.raises(ValueError, match="not this model's"):
        save(model, tmp_path / "m", optimizer=SGD(MLP(2, [1]).parameters()))
    with pytest.raises(TypeError, match="a function of your own"):
        save(model, tmp_path / "m", optimizer=SGD(model.parameters(), lr=lambda step: 0.1))
    with pytest.raises(TypeError, match="one of SGD, RMSprop, Adam, AdamW"):
        save(model, tmp_path / "m", optimizer="Adam")  # type: ignore[arg-type]
    assert os.listdir(tmp_path) == []


def test_an_operation_of_ones_own_has_to_be_declared_before_loading(tmp_path):
    code = "import autograd, nn; autograd.primitive('cubed_s', 'x*x*x', '3*x*x'); "
    made = f"{code}m = nn.MLP(1, [2, 1], 'cubed_s', seed=0); nn.save(m, 'm'); "
    save_it = f"{made}import pickle; pickle.dump(m, open('p', 'wb'))"
    for program, error in (
        (save_it, ""),
        (f"{code}print(nn.load('m')([1.0]).data)", ""),
        (f"{code}import pickle; print(pickle.load(open('p', 'rb'))([1.0]).data)", ""),
        ("import nn; nn.load('m')", "declare it by autograd.primitive before loading"),
        ("import nn, pickle; pickle.load(open('p', 'rb'))", "declare it here, too"),
    ):
        environment = {**os.environ, "PYTHONPATH": str(Path(nn.__file__).parents[1])}
        command = [sys.executable, "-c", program]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
        assert error in run.stderr
        assert bool(run.returncode) == bool(error), run.stderr
