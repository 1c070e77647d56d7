"""save and load: exact, atomic, and nothing executed; to and from PyTorch."""

import json
import math
import os
import pickle
import random

import numpy as np
import pytest

from nn import MLP, Layer, Module, Neuron, from_torch, load, predict, save, to_torch


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
