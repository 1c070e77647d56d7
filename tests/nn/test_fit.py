"""fit: the loop, its two sources of gradients, what it refuses, and how it stops."""

import builtins
import itertools
import math
import sys

import numpy as np
import pytest

import autograd
from autograd import Value
from autograd.compiler.program import Program
from nn import (
    MLP,
    SGD,
    Adam,
    History,
    Module,
    RMSprop,
    absolute_error,
    accuracy,
    binary_cross_entropy,
    cross_entropy,
    fit,
    hinge,
    huber,
    iris,
    l1_penalty,
    l2_penalty,
    line,
    linear_decay,
    mean_squared_error,
    moons,
    one_hot,
    predict,
    squared_error,
    standardize,
)

COMPILED = pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])


def data_of(model):
    return [p.data for p in model.parameters()]


def run(compiled=False, n=20, sizes=(4, 1), loss=hinge, epochs=5, lr=0.1, optimizer=SGD, **settings):
    X, y = moons(n, seed=1)
    targets = 2 * y - 1 if loss is hinge else y
    model = MLP(2, list(sizes), "tanh", seed=3)
    settings = {"progress": False, "compiled": compiled, **settings}
    moves = optimizer(model.parameters(), lr=lr)
    return model, fit(model, X, targets, loss=loss, optimizer=moves, epochs=epochs, **settings)


# What a step is


@COMPILED
def test_full_batch_training_is_the_loop_written_by_hand(compiled):
    X, y = moons(20, seed=1)
    model = MLP(2, [4, 1], "tanh", seed=3)
    costs = []
    for _ in range(5):
        C = autograd.mean([squared_error(model(x), t) for x, t in zip(X, y)])
        model.zero_grad()
        C.backward()
        for p in model.parameters():
            p.data -= 0.1 * p.grad
        costs.append(C.data)
    fitted, history = run(compiled, loss=squared_error)
    assert history.cost == pytest.approx(costs, rel=1e-12)
    assert data_of(fitted) == pytest.approx(data_of(model), rel=1e-11)


def test_a_line_is_found():
    X, y = line(30, noise=0.0)
    model = MLP(1, [1], seed=0)
    fit(model, X, y, loss=squared_error, optimizer=SGD(model.parameters(), lr=0.3), epochs=200, progress=False)
    assert data_of(model) == pytest.approx([2.0, -1.0], abs=1e-9)


LOSSES = [squared_error, mean_squared_error, absolute_error, huber, hinge, binary_cross_entropy]


@pytest.mark.parametrize("loss", LOSSES)
def test_compiled_and_eager_runs_give_the_same_numbers(loss):
    (eager, first), (compiled, second) = (
        run(on, loss=loss, batch_size=7, optimizer=Adam, lr=0.05, validation=moons_for(loss)) for on in (False, True)
    )
    assert second.cost == pytest.approx(first.cost, rel=1e-9)
    assert second.validation_cost == pytest.approx(first.validation_cost, rel=1e-9)
    assert data_of(compiled) == pytest.approx(data_of(eager), rel=1e-9, abs=1e-12)


def moons_for(loss):
    X, y = moons(9, seed=5)
    return X, 2 * y - 1 if loss is hinge else y


@pytest.mark.parametrize(
    "targets", [lambda y: y, lambda y: y.astype(float), one_hot], ids=["index", "float", "one-hot"]
)
def test_compiled_and_eager_classification_give_the_same_numbers(targets):
    X, y = iris()
    X, y = standardize(X)[::5], targets(y[::5])
    runs = []
    for compiled in (False, True):
        model = MLP(4, [5, 3], "relu", seed=0)
        history = fit(
            model, X, y, loss=cross_entropy, optimizer=Adam(model.parameters(), lr=0.05), epochs=8, batch_size=10,
            compiled=compiled, progress=False,
        )  # fmt: skip
        runs.append((history.cost, data_of(model)))
    assert runs[1][0] == pytest.approx(runs[0][0], rel=1e-9)
    assert runs[1][1] == pytest.approx(runs[0][1], rel=1e-9, abs=1e-12)


@COMPILED
def test_several_outputs_have_a_target_each(compiled):
    X = np.linspace(-1, 1, 12)[:, None]
    Y = np.hstack([2 * X, 1 - X])
    model = MLP(1, [2], seed=0)
    history = fit(
        model, X, Y, loss=squared_error, optimizer=SGD(model.parameters(), lr=0.2), epochs=150, compiled=compiled,
        progress=False,
    )  # fmt: skip
    assert history.cost[-1] < 1e-12
    assert data_of(model) == pytest.approx([2.0, -1.0, 0.0, 1.0], abs=1e-5)


@COMPILED
@pytest.mark.parametrize("penalty", [l1_penalty, l2_penalty])
def test_a_penalty_is_added_once_a_step(compiled, penalty):
    X, y = moons(6, seed=1)
    model = MLP(2, [2, 1], "tanh", seed=3)
    C = autograd.mean([squared_error(model(x), t) for x, t in zip(X, y)]) + penalty(model.parameters(), 0.1)
    C.backward()
    expected = [p.data - 0.5 * p.grad for p in model.parameters()]
    fitted, history = run(
        compiled, n=6, sizes=(2, 1), loss=squared_error, lr=0.5, epochs=1,
        penalty=lambda model: penalty(model.parameters(), 0.1),
    )  # fmt: skip
    assert history.cost == [pytest.approx(C.data, rel=1e-12)]
    assert data_of(fitted) == pytest.approx(expected, rel=1e-12)


@COMPILED
def test_clip_norm_limits_the_length_of_a_step(compiled):
    before = data_of(MLP(2, [4, 1], "tanh", seed=3))
    fitted, _ = run(compiled, epochs=1, lr=1.0, clip_norm=0.01)
    assert math.dist(data_of(fitted), before) == pytest.approx(0.01, rel=1e-9)


def test_a_schedule_counts_steps_not_epochs():
    seen = []

    def schedule(step):
        seen.append(step)
        return 0.1

    run(n=10, batch_size=4, epochs=2, lr=schedule)
    assert seen == [0, 1, 2, 3, 4, 5]


def test_only_the_optimizers_parameters_move():
    X, y = moons(10)
    model = MLP(2, [3, 1], "tanh", seed=0)
    frozen, last = [p.data for p in model.layers[0].parameters()], model.layers[1].parameters()
    for compiled in (False, True):
        fit(model, X, y, loss=squared_error, optimizer=SGD(last, lr=0.1), epochs=2, progress=False, compiled=compiled)
    assert [p.data for p in model.layers[0].parameters()] == frozen


# Batches


@COMPILED
@pytest.mark.parametrize("batch_size", [1, 7, 20, 1000])
def test_every_example_counts_once_an_epoch_whatever_the_batch_size(compiled, batch_size):
    _, history = run(compiled, batch_size=batch_size, lr=0.0, epochs=2)
    _, whole = run(lr=0.0, epochs=1)
    assert history.cost == pytest.approx([whole.cost[0]] * 2, rel=1e-12)


@COMPILED
def test_equal_seeds_give_equal_runs_to_the_bit_and_others_do_not(compiled):
    first, again, other = (run(compiled, batch_size=6, seed=seed) for seed in (1, 1, 2))
    assert first[1].cost == again[1].cost
    assert data_of(first[0]) == data_of(again[0])
    assert first[1].cost != other[1].cost


@COMPILED
def test_one_example_is_enough(compiled):
    _, history = run(compiled, n=1, batch_size=10, epochs=30)
    assert history.cost[-1] < history.cost[0]


def test_one_class_is_learned():
    X, _ = iris()
    model = MLP(4, [3], seed=0)
    y = np.ones(len(X), int)
    fit(model, X, y, loss=cross_entropy, optimizer=Adam(model.parameters(), lr=0.1), epochs=20, progress=False)
    assert accuracy(model, X, y) == 1.0


# History, validation, stopping


def test_history_holds_a_float_an_epoch_and_converts_to_plain_lists():
    X, y = moons(10, seed=2)
    _, history = run(epochs=4, validation=(X, 2 * y - 1), metrics=[accuracy])
    assert len(history) == 4
    assert history.stopped == "all epochs"
    curves = history.to_dict()
    assert set(curves) == {"cost", "validation_cost", "accuracy", "validation_accuracy"}
    assert all(type(curve) is list and len(curve) == 4 for curve in curves.values())
    assert all(type(number) is float for curve in curves.values() for number in curve)
    assert repr(history).startswith("History(4 epochs, cost ")
    curves["cost"].clear()
    assert len(history.cost) == 4


def test_metrics_see_the_model_after_the_epoch():
    model, history = run(epochs=3, metrics={"first weight": lambda model, X, y: model.parameters()[0].data})
    assert history.metrics["first weight"][-1] == data_of(model)[0]


def test_the_validation_cost_is_the_mean_loss_after_the_epoch_without_penalty():
    X, y = moons(8, seed=9)
    model, history = run(
        epochs=2, loss=squared_error, validation=(X, y), penalty=lambda m: l2_penalty(m.parameters(), 1.0)
    )
    expected = np.mean([(model(x).data - t) ** 2 for x, t in zip(X, y)])
    assert history.validation_cost[-1] == pytest.approx(expected, rel=1e-12)


def test_callbacks_get_epoch_history_and_model_and_stop_by_returning_true():
    calls = []

    def note(epoch, history, model):
        calls.append((epoch, len(history.cost), data_of(model)))
        return 1  # not True: does not stop

    model, history = run(epochs=50, callbacks=[lambda epoch, history, model: epoch == 2, note])
    assert [call[:2] for call in calls] == [(0, 1), (1, 2), (2, 3)]
    assert calls[-1][2] == data_of(model)
    assert (len(history), history.stopped) == (3, "callback")


def test_a_callback_may_stop_by_a_comparison_of_arrays():
    _, history = run(epochs=50, callbacks=[lambda epoch, history, model: np.mean(history.cost) < math.inf])
    assert (len(history), history.stopped) == (1, "callback")


def test_training_stops_when_the_cost_has_not_fallen_for_so_many_epochs():
    _, history = run(epochs=50, lr=0.0, patience=4)
    assert (len(history), history.stopped) == (5, "patience")


def test_patience_watches_the_validation_cost():
    X, y = moons(8, seed=9)
    _, history = run(n=8, epochs=400, lr=0.5, loss=squared_error, validation=(X, 1 - y), patience=3)
    assert history.stopped == "patience"
    assert min(history.validation_cost) not in history.validation_cost[-3:]
    assert history.cost[-1] < history.cost[0]


def test_restore_best_goes_back_to_the_best_epoch():
    X, y = moons(8, seed=9)
    seen = []
    model, history = run(
        n=8, epochs=12, lr=0.5, loss=squared_error, validation=(X, 1 - y), restore_best=True,
        callbacks=[lambda epoch, history, model: seen.append(data_of(model))],
    )  # fmt: skip
    best = int(np.argmin(history.validation_cost))
    assert best < 11
    assert data_of(model) == seen[best]


@COMPILED
def test_an_interruption_returns_what_was_learned(compiled):
    def interrupt(epoch, history, model):
        if epoch == 2:
            raise KeyboardInterrupt

    model, history = run(compiled, epochs=50, callbacks=[interrupt])
    same, _ = run(compiled, epochs=3)
    assert (len(history), history.stopped) == (3, "interrupted")
    assert data_of(model) == data_of(same)


def test_an_interruption_within_an_epoch_keeps_the_last_complete_step():
    X, y = moons(20, seed=1)
    model = MLP(2, [4, 1], "tanh", seed=3)
    calls = 0

    def loss(output, target):
        nonlocal calls
        calls += 1
        if calls == 2 + 20 + 5:  # two for the check of the targets, one epoch, and a part of the next batch
            raise KeyboardInterrupt
        return squared_error(output, target)

    optimizer = SGD(model.parameters(), lr=0.1)
    history = fit(model, X, y, loss=loss, optimizer=optimizer, epochs=9, compiled=False, progress=False)
    same, _ = run(loss=squared_error, epochs=1)
    assert len(history) == 1
    assert data_of(model) == data_of(same)


# A cost that is not finite


@COMPILED
def test_a_cost_that_overflows_names_epoch_example_and_node_and_keeps_the_last_step(compiled):
    model = MLP(1, [1], seed=0)
    seen = []
    with pytest.raises(OverflowError, match=r"epoch \d+, example 0: pow overflows") as caught:
        fit(
            model, [[1.0], [2.0], [1000.0]], [1.0, 2.0, 3.0], loss=squared_error,
            optimizer=SGD(model.parameters(), lr=100.0), epochs=100, compiled=compiled, progress=False,
            callbacks=[lambda epoch, history, model: seen.append((epoch, data_of(model)))],
        )  # fmt: skip
    assert f"epoch {seen[-1][0] + 1}," in str(caught.value)
    assert data_of(model) == seen[-1][1]
    assert "keeps the parameters of the last complete step" in str(caught.value)


@COMPILED
def test_the_example_at_fault_is_named_and_not_the_first_of_the_batch(compiled):
    class Root(Module):
        def __init__(self):
            self.w = Value(1.0, label="w")

        def __call__(self, x):
            return autograd.log(self.w * x[0])

    model = Root()
    with pytest.raises(ValueError, match=r"epoch 0, example 2: log is not defined at x = -1"):
        fit(model, [[1.0], [2.0], [-1.0]], [0, 0, 0], loss=squared_error, optimizer=SGD([model.w], lr=0.1),
            compiled=compiled, progress=False)  # fmt: skip
    assert model.w.data == 1.0


@COMPILED
def test_an_infinite_cost_names_the_node_where_it_arose(compiled):
    class Doubling(Module):
        def __init__(self):
            self.w = Value(1.0, label="w")

        def __call__(self, x):
            z = self.w * x[0]
            z.label = "z"
            for _ in range(2):
                z = z * x[0]
            return z

    model = Doubling()
    with pytest.raises(OverflowError, match=r"epoch 0, example 1: \(mul\) is inf"):
        fit(model, [[1.0], [1e150]], [0, 0], loss=absolute_error, optimizer=SGD([model.w]), compiled=compiled,
            progress=False)  # fmt: skip


@COMPILED
def test_an_infinite_gradient_names_the_node(compiled):
    class SquareRoot(Module):
        def __init__(self):
            self.w = Value(0.0, label="w")

        def __call__(self, x):
            return autograd.sqrt(self.w) * x[0]

    model = SquareRoot()
    with pytest.raises(OverflowError, match="the gradient of w is -inf"):
        fit(model, [[1.0]], [1.0], loss=hinge, optimizer=SGD([model.w]), compiled=compiled, progress=False)
    assert model.w.data == 0.0


def test_a_step_that_overflows_leaves_the_last_complete_one():
    model = MLP(1, [1], seed=0)
    with pytest.raises(OverflowError, match="would make the parameter"):
        fit(model, [[1e10]], [0.0], loss=absolute_error, optimizer=SGD(model.parameters(), lr=1e305), progress=False,
            compiled=False)  # fmt: skip
    assert data_of(model) == data_of(MLP(1, [1], seed=0))


# What is refused before training starts


@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        ([[1.0, 2.0], [3.0]], [0, 1], ValueError, "X is ragged"),
        ([[1.0, math.nan]], [0], ValueError, r"X\[0, 1\] is nan"),
        ([[1.0, 2.0]], [math.inf], ValueError, r"y\[0\] is inf"),
        ([[1.0, 2.0]], [0, 1], ValueError, "X has 1 rows but y has 2"),
        ([[1.0, 2.0, 3.0]], [0], ValueError, "takes 2 inputs, but this example has 3"),
        ([[1.0, 2.0]], ["a"], TypeError, "takes real numbers"),
        ([[1.0, 2.0]], [[0, 1]], ValueError, r"the model has 1 outputs, so y has shape \(n, 1\), not \(1, 2\)"),
        ([], [], ValueError, "one row per example"),
    ],
)
def test_bad_data_is_refused(X, y, error, message):
    model = MLP(2, [1], seed=0)
    with pytest.raises(error, match=message):
        fit(model, X, y, loss=squared_error, optimizer=SGD(model.parameters()), progress=False)


@pytest.mark.parametrize(
    ("loss", "y", "sizes", "message"),
    [
        (hinge, [1, -1, 0], [1], "takes targets -1 and 1, not 0"),
        (binary_cross_entropy, [0, 1, -1], [1], "takes targets 0 and 1"),
        (cross_entropy, [0, 1, 3], [3], r"from 0 to 2, but y\[2\] is 3"),
        (cross_entropy, [0, 1, -1], [3], r"but y\[2\] is -1"),
        (cross_entropy, [0, 0.5, 1], [3], r"but y\[1\] is 0.5"),
        (cross_entropy, [0, 0, 1], [1], "use binary_cross_entropy"),
        (squared_error, [0, 0, 1], [3], "3 outputs but the target has 1"),
    ],
)
@COMPILED
def test_targets_that_the_loss_cannot_take_are_refused_before_training(loss, y, sizes, message, compiled):
    model = MLP(1, sizes, seed=0)
    before = data_of(model)
    with pytest.raises(ValueError, match=message):
        fit(model, [[1.0], [2.0], [3.0]], y, loss=loss, optimizer=SGD(model.parameters()), compiled=compiled,
            progress=False)  # fmt: skip
    assert data_of(model) == before


def test_bad_validation_data_is_named_as_such():
    with pytest.raises(ValueError, match=r"validation X\[0, 0\] is nan"):
        run(validation=([[math.nan, 1.0]], [1]))
    with pytest.raises(TypeError, match=r"validation is a pair \(X, y\)"):
        run(validation=np.zeros((3, 2)))


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "epochs is at least 1, not 0"),
        ({"epochs": 1.5}, TypeError, "epochs is a whole number"),
        ({"batch_size": 0}, ValueError, "batch_size is at least 1"),
        ({"patience": 0}, ValueError, "patience is at least 1"),
        ({"clip_norm": 0.0}, ValueError, "above 0"),
        ({"seed": -1}, ValueError, "a seed is at least 0, not -1"),
        ({"seed": 0.5}, TypeError, r"a seed is a whole number, not 0\.5"),
        ({"callbacks": [3]}, TypeError, r"a callback is a function \(epoch, history, model\), not 3"),
        ({"callbacks": 3}, TypeError, "a callback is a function"),
        ({"loss": "hinge"}, TypeError, "such as squared_error, not 'hinge'"),
        ({"restore_best": True}, ValueError, "pass validation"),
        ({"metrics": ["accuracy"]}, TypeError, "such as accuracy, not 'accuracy'"),
        ({"optimizer": lambda parameters, lr: SGD}, TypeError, "optimizer is an instance"),
        ({"optimizer": lambda parameters, lr: SGD([Value(1.0)])}, ValueError, "parameters that are not this model's"),
    ],
)
def test_impossible_settings_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        run(**settings)


def test_a_loss_that_returns_a_number_is_refused():
    with pytest.raises(TypeError, match="has to return a Value"):
        run(loss=lambda output, target: 0.5)


# What cannot be compiled


def branching_loss(output, target):
    return (output - target) ** 2 if target > 0.5 else abs(output - target)


def test_a_loss_that_branches_on_the_target_says_how_to_train_with_it():
    with pytest.raises(TypeError, match=r"cannot be compiled: .*compiled=False"):
        run(True, loss=branching_loss)
    _, history = run(False, loss=branching_loss)
    assert history.cost[-1] < history.cost[0]


def test_a_loss_that_reads_data_is_found_out():
    def loss(output, target):
        return (output - target) ** 2 * (1.0 if output.data > 0 else 2.0)

    with pytest.raises(TypeError, match=r"the cost cannot be compiled: reading \.data .*compiled=False"):
        run(True, loss=loss)


def test_a_program_with_wrong_gradients_is_found_out(monkeypatch):
    right = Program.value_and_grad

    def doubled(program, *given):
        cost, gradient = right(program, *given)
        return cost, 2 * gradient

    monkeypatch.setattr(Program, "value_and_grad", doubled)
    with pytest.raises(ValueError, match="the compiled gradient of example"):
        run(True)


def test_a_loss_of_your_own_is_compiled():
    def loss(output, target):
        return autograd.log(autograd.cosh(output - target))

    runs = [run(compiled, loss=loss, optimizer=RMSprop, lr=0.01) for compiled in (False, True)]
    assert runs[0][1].cost == pytest.approx(runs[1][1].cost, rel=1e-9)


def test_a_compiled_epoch_builds_no_graph():
    def calls(compiled, epochs):
        count = itertools.count()

        def counted(output, target):
            next(count)
            return squared_error(output, target)

        run(compiled, epochs=epochs, loss=counted)
        return next(count)

    assert calls(False, 7) == calls(False, 2) + 5 * 20
    assert calls(True, 7) == calls(True, 2) < 20


# The display


def test_progress_is_silent_on_request(capsys):
    run(progress=False)
    assert capsys.readouterr() == ("", "")


def test_progress_shows_a_bar_where_tqdm_is_installed(capsys):
    pytest.importorskip("tqdm")
    run(progress=True)
    assert "5/5" in capsys.readouterr().err


def test_progress_is_a_few_lines_without_tqdm(capsys, monkeypatch):
    real = builtins.__import__

    def without_tqdm(name, *arguments, **settings):
        if name.startswith("tqdm"):
            raise ImportError(name)
        return real(name, *arguments, **settings)

    monkeypatch.setattr(builtins, "__import__", without_tqdm)
    _, history = run(progress=True, epochs=30, lr=linear_decay(0.1, 30))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[-1] == f"epoch 30/30  cost {history.cost[-1]:.4g}"


def test_an_empty_history_has_a_repr():
    assert repr(History()) == "History(0 epochs)"


def test_without_shuffling_the_batches_are_the_examples_in_their_order():
    seen = []

    def cost(output, target):
        return (output - target) ** 2

    class Watched(MLP):
        def __call__(self, x):
            seen.append(float(x[0]))
            return super().__call__(x)

    model = Watched(1, [1], seed=0)
    rows = [[float(k)] for k in range(6)]
    settings = {"loss": cost, "epochs": 2, "batch_size": 2, "compiled": False, "progress": False}
    fit(model, rows, [0.0] * 6, optimizer=SGD(model.parameters(), lr=0.0), shuffle=False, **settings)
    assert seen[-12:] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0] * 2
    fit(model, rows, [0.0] * 6, optimizer=SGD(model.parameters(), lr=0.0), **settings)
    assert seen[-12:] != [0.0, 1.0, 2.0, 3.0, 4.0, 5.0] * 2
    assert sorted(seen[-6:]) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


# Callbacks, metrics, the display: what was thrown away


@COMPILED
def test_what_a_callback_does_to_the_parameters_stays_and_training_goes_on_from_there(compiled):
    def clip(epoch, history, model):
        for p in model.parameters():
            p.data = max(-0.1, min(0.1, p.data))

    model, _ = run(compiled, epochs=3, callbacks=clip)
    assert max(map(abs, data_of(model))) <= 0.1
    by_hand = MLP(2, [4, 1], "tanh", seed=3)
    X, y = moons(20, seed=1)
    for _ in range(3):
        C = autograd.mean([hinge(by_hand(x), t) for x, t in zip(X, 2 * y - 1)])
        by_hand.zero_grad()
        C.backward()
        for p in by_hand.parameters():
            p.data -= 0.1 * p.grad
        clip(0, None, by_hand)
    assert data_of(model) == pytest.approx(data_of(by_hand), rel=1e-11)


@COMPILED
def test_a_callback_that_goes_back_to_the_best_and_stops_leaves_the_best(compiled):
    best = {}

    def keep(epoch, history, model):
        if history.cost[-1] == min(history.cost):
            best.update(model.state_dict())
        if epoch == 6:
            model.load_state_dict(best)
            return True

    model, history = run(compiled, epochs=20, lr=3.0, callbacks=keep)
    assert len(history) == 7
    assert {name: x.tolist() for name, x in model.state_dict().items()} == {
        name: x.tolist() for name, x in best.items()
    }


@COMPILED
def test_what_a_callback_does_to_the_given_arrays_changes_nothing(compiled):
    def costs(spoils):
        X, y = moons(20, seed=1)
        targets = 2.0 * y - 1
        model = MLP(2, [4, 1], "tanh", seed=3)

        def spoil(*_):
            if spoils:
                X[:], targets[:] = 100.0, 0.0

        optimizer = SGD(model.parameters(), lr=0.1)
        settings = {"compiled": compiled, "progress": False, "callbacks": spoil, "metrics": accuracy}
        return fit(model, X, targets, loss=hinge, optimizer=optimizer, epochs=3, batch_size=6, **settings).cost

    assert costs(spoils=True) == costs(spoils=False)


@COMPILED
def test_a_callback_may_change_what_the_model_computes(compiled):
    def change(epoch, history, model):
        if epoch == 1:
            model.layers[0].activation = "sin"

    model, history = run(compiled, epochs=4, callbacks=change)
    same, first = run(compiled, epochs=2)
    same.layers[0].activation = "sin"
    X, y = moons(20, seed=1)
    second = fit(same, X, 2 * y - 1, loss=hinge, optimizer=SGD(same.parameters(), lr=0.1), epochs=2, progress=False)
    assert history.cost == pytest.approx(first.cost + second.cost, rel=1e-12)
    assert data_of(model) == pytest.approx(data_of(same), rel=1e-12)


@COMPILED
@pytest.mark.parametrize("where", ["in the loss", "in what the model reads", "in the penalty", "in a changed penalty"])
def test_a_callback_may_change_numbers_that_are_no_part_of_the_model(compiled, where):
    X, y = moons(10, seed=1)
    model = MLP(2, [3, 1], "tanh", seed=0)
    strength = {"in the loss": 1.0, "in what the model reads": 1.0, "in the penalty": 0.1, "in a changed penalty": 0.1}
    strength = {name: number * (name == where or not name.endswith("penalty")) for name, number in strength.items()}

    class Scaled(Module):
        def __init__(self):
            self.inner, self.epoch, self.read = model, 0, np.array([1.0])

        def __call__(self, x):
            return self.inner(x) * float(self.read[0])

    def loss(output, target):
        return squared_error(output, target) * strength["in the loss"]

    def penalty(scaled):
        return l2_penalty(scaled.parameters(), strength["in the penalty"] + strength["in a changed penalty"])

    def change(epoch, history, scaled):
        strength[where] *= 2
        scaled.read[0] = strength["in what the model reads"]
        if where == "in a changed penalty":
            scaled.epoch = epoch + 1

    scaled = Scaled()
    before = mean_cost(scaled, loss, penalty, X, y)
    history = fit(scaled, X, y, loss=loss, optimizer=SGD(scaled.parameters(), lr=0.0), epochs=2, penalty=penalty,
                  progress=False, callbacks=change, compiled=compiled)  # fmt: skip
    strength[where] /= 2
    scaled.read[0] = strength["in what the model reads"]
    assert history.cost == pytest.approx([before, mean_cost(scaled, loss, penalty, X, y)], rel=1e-12)
    assert history.cost[1] != pytest.approx(before, rel=1e-3)


def test_a_penalty_that_is_another_one_each_time_is_refused_before_training():
    strength = itertools.count(1)
    with pytest.raises(ValueError, match=r"(?s)the compiled penalty is .*, the eager one .*compiled=False"):
        run(compiled=True, penalty=lambda model: l2_penalty(model.parameters(), float(next(strength))))


def mean_cost(model, loss, penalty, X, y):
    """The mean loss and the penalty, one example after the other."""
    costs = [loss(model(x.tolist()), target).data for x, target in zip(X, y)]
    return sum(costs) / len(costs) + penalty(model).data


@COMPILED
def test_a_callback_may_change_parameters_that_the_optimizer_does_not_move(compiled):
    X, y = moons(10)
    model = MLP(2, [3, 1], "tanh", seed=0)

    def grow(epoch, history, model):
        for p in model.layers[0].parameters():
            p.data *= 1.5

    history = fit(model, X, y, loss=squared_error, optimizer=SGD(model.layers[1].parameters(), lr=0.0), epochs=3,
                  progress=False, callbacks=grow, compiled=compiled)  # fmt: skip
    assert len(set(history.cost)) == 3


def test_metrics_of_one_name_are_numbered_and_the_names_of_the_costs_refused():
    _, history = run(epochs=1, metrics=[lambda model, X, y: 1.0, lambda model, X, y: 2.0])
    assert history.metrics == {"<lambda>": [1.0], "<lambda> 2": [2.0]}
    for name in ("cost", "validation_cost"):
        with pytest.raises(ValueError, match="name of another curve"):
            run(metrics={name: accuracy})
    with pytest.raises(ValueError, match="name of another curve"):
        run(metrics={"x": accuracy, "validation_x": accuracy})
    with pytest.raises(TypeError, match="the metric 'x' returned None; it has to return a number"):
        run(metrics={"x": lambda model, X, y: None})


@pytest.mark.parametrize("tqdm", [True, False])
def test_a_program_without_a_console_trains(monkeypatch, tqdm):
    monkeypatch.setattr(sys, "stderr", None)
    if not tqdm:
        monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert len(run(epochs=2, progress=True)[1]) == 2


# What NumPy hands over


@pytest.mark.parametrize("compiled", [True, False])
def test_an_array_that_holds_one_value_is_that_value(compiled):
    """np.tensordot of arrays of Values gives a 0-d array, from a model, in a list of outputs, a loss or a penalty."""

    class Dot(Module):
        def __init__(self, outputs):
            self.w, self.outputs = [Value(0.5), Value(-0.25)], outputs

        def __call__(self, x):
            z = np.tensordot(np.array(self.w), np.array(x, object), 1)
            return [z, z][: self.outputs] if self.outputs else z

    X, y = [[1.0, 2.0], [3.0, -1.0]], [1.0, 0.0]
    found = []
    for outputs, loss, penalty in (
        (0, squared_error, None),
        (1, mean_squared_error, None),
        (0, lambda a, b: np.tensordot(np.array([a - b]), np.array([a - b]), 1), None),
        (0, squared_error, lambda model: np.tensordot(np.array(model.w), np.array(model.w), 1)),
    ):
        model = Dot(outputs)
        settings = {"loss": loss, "penalty": penalty, "compiled": compiled, "progress": False}
        fit(model, X, y, optimizer=SGD(model.parameters(), lr=0.1), epochs=1, **settings)
        found.append([p.data for p in model.parameters()])
    # by hand: outputs 0 and 1.75; d mean(cost) / dw = -(1, 2) + 1.75 (3, -1); the penalty adds 2 w
    slopes = np.array([-1.0 + 1.75 * 3, -2.0 - 1.75])
    plain = np.array([0.5, -0.25]) - 0.1 * slopes
    np.testing.assert_allclose(found, [plain, plain, plain, plain - 0.1 * np.array([1.0, -0.5])], rtol=1e-12)


@pytest.mark.parametrize("compiled", [True, False])
def test_a_penalty_that_is_no_number_is_refused(compiled):
    X, y = moons(6, seed=0)
    model = MLP(2, [1], seed=0)
    before = model.state_dict()
    for penalty, message in (
        (lambda model: None, "a penalty returns a Value or a number, not None"),
        (lambda model: [1.0], "a penalty returns a Value or a number, not"),
        (0.1, "penalty is a function of the model"),
    ):
        with pytest.raises(TypeError, match=message):
            fit(model, X, y, loss=squared_error, optimizer=SGD(model.parameters()), epochs=1, penalty=penalty,
                compiled=compiled, progress=False)  # fmt: skip
    assert all((before[k] == v).all() for k, v in model.state_dict().items())


def test_what_a_model_returns_must_be_numbers_for_predict():
    for output in (None, "a", {"a": 1.0}, [[Value(1.0)]]):
        with pytest.raises(TypeError, match="a model returns Values or numbers"):
            predict(lambda x: output, [[1.0]])  # noqa: B023


@pytest.mark.parametrize("compiled", [True, False])
def test_a_derivative_with_respect_to_the_inputs_in_a_model_or_a_penalty_is_trained_through(compiled):
    """u' + u = 0 with u(t) = a exp(b t): the slopes of a and b as worked out by hand."""

    class Equation(Module):
        def __init__(self):
            self.a, self.b = Value(2.0), Value(-0.5)

        def u(self, t):
            return self.a * autograd.exp(self.b * t)

        def __call__(self, x):
            return autograd.grad(self.u)(x[0]) + self.u(x[0])  # a (b + 1) exp(b t)

    def penalty(model):
        return autograd.grad(model.u)(0.0) ** 2  # (a b)^2

    t = np.array([0.25, 1.0])
    e = np.exp(-0.5 * t)
    residual = 2.0 * 0.5 * e
    slopes = np.array([np.mean(2 * residual * 0.5 * e), np.mean(2 * residual * (2.0 * e + 2.0 * 0.5 * t * e))])
    for extra, more in ((None, [0.0, 0.0]), (penalty, [2 * -1.0 * -0.5, 2 * -1.0 * 2.0])):
        model = Equation()
        fit(model, t[:, None], [0.0, 0.0], loss=squared_error, optimizer=SGD(model.parameters(), lr=0.1), epochs=1,
            penalty=extra, compiled=compiled, progress=False)  # fmt: skip
        found = (np.array([2.0, -0.5]) - [p.data for p in model.parameters()]) / 0.1
        np.testing.assert_allclose(found, slopes + more, rtol=1e-12)
