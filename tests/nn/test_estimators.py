"""MLPClassifier and MLPRegressor: scikit-learn's own checks, its habits, and its numbers from the same weights."""

import pickle
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", "1.6")

from sklearn import neural_network
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from autograd import explain
from nn import MLP, MLPClassifier, MLPRegressor, digits, iris, line, moons, squared_error

PAIRS = [(MLPClassifier, neural_network.MLPClassifier), (MLPRegressor, neural_network.MLPRegressor)]
X, Y = moons(120, seed=0)


@pytest.fixture(autouse=True)
def _short_trainings_are_meant():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


@parametrize_with_checks([MLPClassifier(), MLPRegressor()])
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks_pass(estimator, check):
    check(estimator)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_names_and_defaults_are_those_of_scikit_learn(ours, theirs):
    given, expected = ours().get_params(), theirs().get_params()
    assert set(expected) <= set(given)
    assert all(given[name] == expected[name] for name in expected)


def given_weights(theirs, ours):
    """Put the weights of a fitted scikit-learn network into one of ours."""
    state = {}
    for i, (w, b) in enumerate(zip(theirs.coefs_, theirs.intercepts_)):
        state |= {f"layers.{i}.weight": w.T, f"layers.{i}.bias": b}
    ours.model_.load_state_dict(state)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_the_same_weights_give_scikit_learns_probabilities(classes, activation):
    rows, target = (X, np.array(["no", "yes"])[Y]) if classes == 2 else iris()
    settings = {"hidden_layer_sizes": (5, 4), "activation": activation, "max_iter": 3, "random_state": 0}
    theirs = neural_network.MLPClassifier(**settings).fit(rows, target)
    ours = MLPClassifier(**settings).fit(rows, target)
    given_weights(theirs, ours)
    np.testing.assert_allclose(ours.predict_proba(rows), theirs.predict_proba(rows), rtol=1e-12)
    np.testing.assert_allclose(ours.predict_log_proba(rows), theirs.predict_log_proba(rows), rtol=1e-11, atol=1e-12)
    assert (ours.predict(rows) == theirs.predict(rows)).all()
    for a, b in zip([*ours.coefs_, *ours.intercepts_], [*theirs.coefs_, *theirs.intercepts_]):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_full_batch_step_costs_what_it_costs_in_scikit_learn(loss, outputs):
    rng = np.random.default_rng(0)
    y = rng.poisson(2.0, (60, outputs)).astype(float)
    y = y[:, 0] if outputs == 1 else y
    rows = rng.normal(size=(60, 3))
    settings = {"hidden_layer_sizes": (4,), "alpha": 0.5, "random_state": 0, "batch_size": 60, "loss": loss}
    theirs = neural_network.MLPRegressor(max_iter=1, **settings).fit(rows, y)
    ours = MLPRegressor(max_iter=1, warm_start=True, **settings).fit(rows, y)
    given_weights(theirs, ours)
    ours.fit(rows, y)
    theirs.set_params(warm_start=True).fit(rows, y)
    if outputs == 1:  # of several, scikit-learn reports the mean and differentiates the sum
        assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-9)
    for a, b in zip(ours.coefs_, theirs.coefs_):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)


def test_a_full_batch_step_of_a_classifier_is_scikit_learns():
    rows, target = iris()
    settings = {"hidden_layer_sizes": (4,), "alpha": 0.5, "random_state": 0, "batch_size": len(rows), "solver": "sgd"}
    theirs = neural_network.MLPClassifier(max_iter=1, **settings).fit(rows, target)
    ours = MLPClassifier(max_iter=1, warm_start=True, **settings).fit(rows, target)
    given_weights(theirs, ours)
    ours.fit(rows, target)
    theirs.set_params(warm_start=True).fit(rows, target)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-9)
    for a, b in zip([*ours.coefs_, *ours.intercepts_], [*theirs.coefs_, *theirs.intercepts_]):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-12)


def test_lbfgs_reaches_the_minimum_of_a_linear_problem():
    rows, y = line(40, noise=0.0, seed=0)
    fitted = MLPRegressor(
        hidden_layer_sizes=(), solver="lbfgs", alpha=0.0, tol=1e-10, max_iter=1000, random_state=0
    ).fit(rows, y)
    assert fitted.coefs_[0][0, 0] == pytest.approx(2.0, rel=1e-6)
    assert fitted.intercepts_[0][0] == pytest.approx(-1.0, rel=1e-6)


def test_it_stands_in_a_pipeline_a_grid_and_a_cross_validation():
    names = np.array(["lower", "upper"])[Y]
    pipeline = make_pipeline(StandardScaler(), MLPClassifier((8,), "tanh", learning_rate_init=0.05, random_state=0))
    grid = GridSearchCV(pipeline, {"mlpclassifier__alpha": [1e-4, 100.0]}, cv=2).fit(X, names)
    assert grid.best_params_ == {"mlpclassifier__alpha": 1e-4}
    assert cross_val_score(pipeline, X, names, cv=2).mean() > 0.9


def test_a_grid_runs_in_parallel_processes():
    grid = GridSearchCV(MLPClassifier((4,), max_iter=5, random_state=0), {"alpha": [1e-4, 1e-3]}, cv=2, n_jobs=2)
    assert set(grid.fit(X, Y).best_params_) == {"alpha"}


def test_a_fitted_estimator_can_be_taken_apart():
    classifier = MLPClassifier((3,), "tanh", random_state=0, max_iter=20).fit(X, Y)
    assert isinstance(classifier.model_, MLP)
    cost = squared_error(classifier.model_(X[0].tolist()), 1.0)
    cost.label = "C"
    cost.backward()
    assert "dC/d" in str(explain(cost, classifier.model_.layers[0].neurons[0].w[1]))


def test_equal_random_states_train_alike_and_a_pickle_predicts_the_same():
    a, b = (MLPClassifier((6,), batch_size=32, max_iter=5, random_state=3).fit(X, Y) for _ in range(2))
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(a)).predict_proba(X), a.predict_proba(X))
    assert clone(a).get_params() == a.get_params()


def test_partial_fit_goes_on_where_it_was():
    steps = MLPClassifier((4,), batch_size=len(X), random_state=0)
    for _ in range(5):
        steps.partial_fit(X, Y, classes=[0, 1])
    whole = MLPClassifier((4,), batch_size=len(X), random_state=0, max_iter=5).fit(X, Y)
    np.testing.assert_allclose(steps.predict_proba(X), whole.predict_proba(X), rtol=1e-12)
    assert len(steps.loss_curve_) == 5
    assert steps.t_ == 5 * len(X)
    with pytest.raises(ValueError, match="classes"):
        MLPClassifier().partial_fit(X, Y)
    with pytest.raises(ValueError, match="not the same"):
        steps.partial_fit(X, Y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="made for"):
        steps.partial_fit(X, Y + 5)


def test_warm_start_keeps_the_network_and_its_curve():
    warm = MLPRegressor(hidden_layer_sizes=(4,), warm_start=True, max_iter=3, random_state=0).fit(X, Y)
    model = warm.model_
    warm.fit(X, Y)
    assert warm.model_ is model
    assert len(warm.loss_curve_) == 6
    with pytest.raises(ValueError, match="made for"):
        MLPClassifier((4,), warm_start=True, max_iter=1).fit(X, Y).fit(X, Y + 1)


def test_early_stopping_goes_back_to_the_best_epoch():
    stopped = MLPClassifier((8,), early_stopping=True, n_iter_no_change=3, learning_rate_init=0.1, random_state=1)
    stopped.fit(X, Y)
    assert stopped.n_iter_ < 200
    assert stopped.best_validation_score_ == max(stopped.validation_scores_)
    assert stopped.best_loss_ is None
    with pytest.raises(ValueError, match="early_stopping"):
        stopped.partial_fit(X, Y)


def test_training_stops_when_the_cost_no_longer_falls_and_says_when_it_has_not():
    done = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate_init=0.1, tol=1e-3, random_state=0).fit(X, Y)
    assert done.n_iter_ < 200
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConvergenceWarning, match="max_iter"):
            MLPClassifier((4,), max_iter=1).fit(X, Y)


@pytest.mark.parametrize("learning_rate", ["invscaling", "adaptive"])
def test_the_learning_rate_of_sgd_falls(learning_rate):
    fitted = MLPRegressor(
        hidden_layer_sizes=(),
        solver="sgd",
        learning_rate=learning_rate,
        learning_rate_init=0.1,
        n_iter_no_change=1,
        random_state=0,
    ).fit(X, Y)
    assert fitted._optimizer.lr < 0.1
    if learning_rate == "invscaling":
        assert fitted._optimizer.lr == pytest.approx(0.1 / (fitted.t_ + 1) ** 0.5)
    else:
        assert fitted._optimizer.lr <= 1e-6


def test_several_labels_at_once():
    labels = np.column_stack([Y, 1 - Y, X[:, 0] > 0])
    fitted = MLPClassifier((8,), learning_rate_init=0.05, random_state=0).fit(X, labels)
    assert fitted.predict(X).shape == labels.shape
    assert fitted.score(X, labels) > 0.9
    theirs = neural_network.MLPClassifier((8,), max_iter=1, random_state=0).fit(X, labels)
    given_weights(theirs, fitted)
    np.testing.assert_allclose(fitted.predict_proba(X), theirs.predict_proba(X), rtol=1e-12)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"activation": "rely"}, "activation"),
        ({"solver": "newton"}, "solver"),
        ({"alpha": -1.0}, "alpha"),
        ({"alpha": "a"}, "alpha"),
        ({"max_iter": 0}, "max_iter"),
        ({"max_iter": 1.5}, "max_iter"),
        ({"batch_size": "all"}, "batch_size"),
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes"),
        ({"hidden_layer_sizes": "many"}, "hidden_layer_sizes"),
        ({"momentum": 1.5}, "momentum"),
        ({"learning_rate": "falling"}, "learning_rate"),
        ({"beta_1": float("nan")}, "beta_1"),
    ],
)
def test_a_parameter_out_of_range_is_named_before_training(settings, named):
    classifier = MLPClassifier(**settings)
    with pytest.raises(ValueError, match=named):
        classifier.fit(X, Y)
    assert not hasattr(classifier, "model_")


def test_digits_are_learned_as_well_as_by_scikit_learn():
    rows, target = digits()
    ours, theirs = (
        cls((32,), max_iter=15, random_state=0).fit(rows[:1200], target[:1200]).score(rows[1200:], target[1200:])
        for cls in (MLPClassifier, neural_network.MLPClassifier)
    )
    assert ours > theirs - 0.03
