"""An interruption from the keyboard, wherever it comes: fit returns, with what was learned by then, and says so."""

import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import nn
from nn import MLP, SGD, Adam, History, accuracy, fit, hinge, load, moons, predict, save

ROOT = Path(nn.__file__).parents[1]
X, Y = moons(12, seed=1)
EPOCHS, BATCH = 4, 5


def trained(epochs=EPOCHS, compiled=True, model=None, optimizer=None, callbacks=()):
    model = model or MLP(2, [2, 1], "tanh", seed=3)
    optimizer = optimizer or Adam(model.parameters(), lr=0.05)
    history = fit(
        model, X, 2 * Y - 1, loss=hinge, optimizer=optimizer, epochs=epochs, batch_size=BATCH, compiled=compiled,
        validation=(X, 2 * Y - 1), metrics=[accuracy], progress=False, callbacks=callbacks,
    )  # fmt: skip
    return model, optimizer, history


class Interrupt:
    """A tracer that raises KeyboardInterrupt at one of the events in the files of nn, once."""

    def __init__(self, at, opcodes=False):
        self.at, self.opcodes, self.seen = at, opcodes, 0

    def __call__(self, frame, event, argument):
        name = frame.f_code.co_filename
        if not name.startswith(str(ROOT / "nn")):
            return None
        frame.f_trace_opcodes = self.opcodes
        if frame.f_code is fit.__code__ and event == "call":
            return self  # what comes before the first line of fit came before fit
        if event in ("line", "opcode", "call", "return"):
            self.seen += 1
            if self.seen == self.at:
                raise KeyboardInterrupt
        return self


def interrupted(at, compiled=True, opcodes=False):
    """(model, optimizer, history or None, events seen) of a training that is interrupted at an event of fit."""
    model = MLP(2, [2, 1], "tanh", seed=3)
    optimizer, tracer, history = Adam(model.parameters(), lr=0.05), Interrupt(at, opcodes), None
    before = sys.gettrace()
    try:
        sys.settrace(tracer)
        _, _, history = trained(compiled=compiled, model=model, optimizer=optimizer)
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    return model, optimizer, history, tracer.seen


def data_of(model):
    return [p.data for p in model.parameters()]


class Noting(Adam):
    """Adam that notes the parameters after every step."""

    def update(self, theta, gradient):
        after = super().update(theta, gradient)
        self.__dict__.setdefault("noted", [theta.tolist()]).append(after.tolist())
        return after


@pytest.fixture(scope="module")
def whole():
    """The parameters after each step, and the history, of a training that nothing interrupts."""
    model = MLP(2, [2, 1], "tanh", seed=3)
    optimizer = Noting(model.parameters(), lr=0.05)
    _, _, history = trained(model=model, optimizer=optimizer)
    return optimizer.noted, history


@pytest.mark.parametrize(
    ("compiled", "opcodes", "points"), [(True, False, 60), (True, True, 40), (False, False, 30)],
    ids=["lines", "opcodes", "eager"],
)  # fmt: skip
def test_an_interruption_anywhere_returns_a_whole_step_and_can_be_gone_on_from(whole, compiled, opcodes, points):
    steps, history_of_all = whole
    total = interrupted(0, compiled, opcodes)[3]
    for at in range(8, total, total // points):  # the first few come before the first statement of fit is done
        model, optimizer, history, seen = interrupted(at, compiled, opcodes)
        assert seen >= at
        assert history is not None, f"the interruption at event {at} of {total} escaped"
        assert data_of(model) == pytest.approx(steps[optimizer.steps], rel=1e-9)
        assert {len(curve) for curve in history.to_dict().values() if curve} <= {len(history)}
        assert history.stopped == "interrupted"
        assert f"interrupted in epoch {history.interrupted_in} of {EPOCHS}" in repr(history)
        assert len(history) <= history.interrupted_in <= len(history) + 1
        costs = history.cost
        if len(history) < EPOCHS:
            costs = costs + trained(EPOCHS - len(history), compiled, model, optimizer)[2].cost
        assert costs == pytest.approx(history_of_all.cost, rel=1e-9)
        assert data_of(model) == pytest.approx(steps[-1], rel=1e-9)


def test_an_interruption_is_told_in_a_line(capsys):
    def interrupt(epoch, history, model):
        if epoch == 1:
            raise KeyboardInterrupt

    _, _, history = trained(callbacks=interrupt)
    assert "interrupted in epoch 2 of 4" in capsys.readouterr().out
    assert "interrupted in epoch 2 of 4" in repr(history)
    assert (len(history), history.stopped) == (2, "interrupted")


def test_what_a_callback_did_before_it_was_interrupted_stays():
    def interrupt(epoch, history, model):
        model.parameters()[0].data = 7.0
        raise KeyboardInterrupt

    model, _, _ = trained(callbacks=interrupt)
    assert data_of(model)[0] == 7.0


def test_a_training_that_was_not_interrupted_does_not_say_so(capsys):
    _, _, history = trained()
    assert capsys.readouterr().out == ""
    assert "interrupted" not in repr(history)
    assert repr(History(epochs=3)) == "History(0 epochs)"


# Going on


@pytest.mark.parametrize("stop", [1, 2, 3])
@pytest.mark.parametrize("optimizer", [lambda p: SGD(p, lr=0.1, momentum=0.9), lambda p: Adam(p, lr=0.05)])
@pytest.mark.parametrize("stored", [False, True], ids=["kept", "stored"])
def test_two_trainings_are_one_to_the_bit(stop, optimizer, stored, tmp_path):
    model = MLP(2, [2, 1], "tanh", seed=3)
    one, _, history = trained(5, model=model, optimizer=optimizer(model.parameters()))
    model = MLP(2, [2, 1], "tanh", seed=3)
    moves = optimizer(model.parameters())
    first = trained(stop, model=model, optimizer=moves)[2]
    if stored:
        save(model, tmp_path / "m.json", optimizer=moves)
        model, moves = load(tmp_path / "m.json")
    second = trained(5 - stop, model=model, optimizer=moves)[2]
    assert data_of(model) == data_of(one)
    assert first.cost + second.cost == history.cost


def test_an_interruption_in_the_middle_of_an_epoch_can_be_stored_and_gone_on_from_to_the_bit(tmp_path):
    calls = 0

    class Stopping(Adam):
        def update(self, theta, gradient):
            nonlocal calls
            calls += 1
            if calls == 5:  # the second batch of the second epoch, of three
                raise KeyboardInterrupt
            return super().update(theta, gradient)

    one, _, whole = trained(4)
    model = MLP(2, [2, 1], "tanh", seed=3)
    optimizer = Stopping(model.parameters(), lr=0.05)
    first = trained(4, model=model, optimizer=optimizer)[2]
    assert (len(first), first.interrupted_in, optimizer.steps) == (1, 2, 4)
    optimizer.__class__ = Adam
    save(model, tmp_path / "m.json", optimizer=optimizer)
    model, moves = load(tmp_path / "m.json")
    second = trained(3, model=model, optimizer=moves)[2]
    assert first.cost + second.cost == whole.cost
    assert data_of(model) == data_of(one)


def test_epochs_one_by_one_shuffle_as_one_training_of_many_does():
    one, _, history = trained(3)
    model = MLP(2, [2, 1], "tanh", seed=3)
    optimizer = Adam(model.parameters(), lr=0.05)
    costs = [trained(1, model=model, optimizer=optimizer)[2].cost[0] for _ in range(3)]
    assert costs == history.cost
    assert data_of(model) == data_of(one)


def test_a_fresh_seed_and_a_generator_shuffle_anew_each_time():
    def costs(seed, times=1):
        model = MLP(2, [2, 1], "tanh", seed=3)
        runs = []
        for _ in range(times):
            optimizer = SGD(model.parameters(), lr=0.1)
            runs.append(fit(model, X, 2 * Y - 1, loss=hinge, optimizer=optimizer, epochs=3, batch_size=2, seed=seed,
                            progress=False).cost)  # fmt: skip
        return runs

    assert costs(0) == costs(0)
    assert costs(None) != costs(None)
    rng = np.random.default_rng(0)
    assert costs(rng) != costs(rng)
    assert costs(np.random.default_rng(5)) == costs(np.random.default_rng(5))


def test_another_seed_starts_a_sequence_of_its_own():
    model = MLP(2, [2, 1], "tanh", seed=3)
    optimizer = SGD(model.parameters(), lr=0.0)
    runs = [
        fit(model, X, 2 * Y - 1, loss=hinge, optimizer=optimizer, epochs=1, batch_size=5, seed=seed, progress=False)
        for seed in (0, 1)
    ]
    assert optimizer.shuffling is not None
    assert optimizer.shuffling["seed"] == 1
    assert all(len(run) == 1 for run in runs)


# Several threads


def test_trainings_of_one_model_in_several_threads_come_one_after_the_other():
    model = MLP(2, [2, 1], "tanh", seed=3)
    optimizer = Adam(model.parameters(), lr=0.05)
    errors, predictions = [], []

    def train():
        try:
            trained(5, model=model, optimizer=optimizer)
            predictions.append(predict(model, X))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=train) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one, _, _ = trained(20)
    assert errors == []
    assert optimizer.steps == 4 * 5 * 3
    assert data_of(model) == data_of(one)
