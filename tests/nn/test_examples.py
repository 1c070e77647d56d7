"""Data as people have them: names of classes and columns, weights, what is refused and with what advice."""

import math

import numpy as np
import pytest

from nn import (
    IRIS_CLASSES,
    MLP,
    SGD,
    Adam,
    Module,
    Neuron,
    StandardScaler,
    absolute_error,
    accuracy,
    binary_cross_entropy,
    classify,
    confusion_matrix,
    cross_entropy,
    fit,
    hinge,
    iris,
    line,
    load,
    moons,
    plot_confusion,
    plot_decision_boundary,
    predict,
    r2,
    save,
    squared_error,
    standardize,
    train_test_split,
)

COMPILED = pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
X, Y = iris()
X = standardize(X)[::5]
Y = Y[::5]
NAMES = np.array(IRIS_CLASSES)[Y]


def flowers(y, X=X, epochs=3, model=None, **settings):
    model = model or MLP(4, [5, 3], "tanh", seed=0)
    history = fit(
        model, X, y, loss=cross_entropy, optimizer=Adam(model.parameters(), lr=0.05), epochs=epochs, progress=False,
        **settings,
    )  # fmt: skip
    return model, history


def data_of(model):
    return [p.data for p in model.parameters()]


# Names of classes


def pandas_series(dtype):
    return lambda: pytest.importorskip("pandas").Series(NAMES, dtype=dtype)


@pytest.mark.parametrize(
    "names",
    [
        lambda: NAMES,
        lambda: NAMES.tolist(),
        lambda: NAMES.astype(object),
        lambda: NAMES[:, None],
        pandas_series("str"),
        pandas_series("category"),
        pandas_series(object),
        lambda: pytest.importorskip("pandas").Categorical(NAMES),
    ],
    ids=["array", "list", "objects", "column", "series", "categories", "series of objects", "categorical"],
)
def test_training_by_names_is_training_by_indices(names):
    model, history = flowers(names(), metrics=[accuracy], validation=(X, names()))
    same, indices = flowers(Y, metrics=[accuracy], validation=(X, Y))
    assert history.to_dict() == indices.to_dict()
    assert data_of(model) == data_of(same)
    assert model.classes == list(IRIS_CLASSES)
    assert same.classes is None
    assert accuracy(model, X, names()) == accuracy(model, X, Y) == accuracy(same, X, Y)
    assert confusion_matrix(model, X, names()).tolist() == confusion_matrix(same, X, Y).tolist()
    assert classify(model, X).tolist() == [IRIS_CLASSES[k] for k in classify(same, X)]


def test_categories_keep_their_own_order_and_those_without_an_example():
    pandas = pytest.importorskip("pandas")
    order = ["virginica", "setosa", "versicolor"]
    model, _ = flowers(pandas.Series(pandas.Categorical(NAMES, categories=order)))
    assert model.classes == order
    some = Y != 1
    model, _ = flowers(pandas.Series(pandas.Categorical(NAMES[some], categories=order)), X[some])
    assert model.classes == order


@pytest.mark.parametrize(("loss", "targets"), [(binary_cross_entropy, lambda y: y), (hinge, lambda y: 2 * y - 1)])
def test_one_output_tells_two_names_apart(loss, targets):
    X, y = moons(30, seed=0)
    runs = []
    for given in (np.array(["in", "out"])[y], targets(y)):
        model = MLP(2, [3, 1], "tanh", seed=0)
        fit(model, X, given, loss=loss, optimizer=SGD(model.parameters(), lr=0.5), epochs=20, progress=False)
        runs.append((data_of(model), accuracy(model, X, given)))
    assert runs[0] == runs[1]


def test_booleans_are_two_classes():
    X, y = moons(30, seed=0)
    model = MLP(2, [2], seed=0)
    fit(model, X, y == 1, loss=cross_entropy, optimizer=SGD(model.parameters(), lr=0.5), epochs=20, progress=False)
    assert model.classes == [False, True]
    assert classify(model, X).dtype == bool
    assert accuracy(model, X, y == 1) == accuracy(model, X, y)


def test_classes_that_the_model_was_given_are_those_of_y():
    model = MLP(4, [3], seed=0)
    model.classes = [30, 10, 20]
    given = np.array([30, 10, 20])[Y]
    flowers(NAMES, model=MLP(4, [3], seed=0))
    assert accuracy(model, X, given) == accuracy(MLP(4, [3], seed=0), X, Y)
    model, _ = flowers(given, model=model)
    assert model.classes == [30, 10, 20]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", "b", None] * 10, r"y\[2\] is None, which is no name of a class, such as 'a'"),
        (["a", "b", math.nan] * 10, r"y\[2\] is nan, which is no name"),
        (["a", "b"] * 15, r"names 2 classes, 'a', 'b', but a model with 3 outputs tells 3 apart; .*model\.classes"),
        (list("abcde") * 6, "names 5 classes"),
    ],
)
def test_names_that_do_not_fit_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        flowers(y)


def test_a_name_that_training_has_not_seen_is_refused():
    model, _ = flowers(NAMES)
    with pytest.raises(ValueError, match=r"y\[0\] is 'rose', which is not among the model's classes: 'setosa'"):
        accuracy(model, X[:1], ["rose"])
    with pytest.raises(ValueError, match=r"validation y\[0\] is 'rose'"):
        flowers(NAMES, validation=(X[:1], ["rose"]))


@pytest.mark.parametrize("loss", [squared_error, absolute_error])
def test_names_are_no_numbers_for_a_regression(loss):
    X, y = moons(10, seed=0)
    model = MLP(2, [1], seed=0)
    with pytest.raises(TypeError, match=r"takes real numbers\. Two names become the targets of binary_cross_entropy"):
        fit(model, X, np.array(["a", "b"])[y], loss=loss, optimizer=SGD(model.parameters()), progress=False)


def test_a_column_of_class_indices_is_taken():
    assert flowers(Y[:, None])[1].cost == flowers(Y)[1].cost


def test_plots_name_the_classes():
    pytest.importorskip("matplotlib").use("Agg")
    model, _ = flowers(NAMES, X[:, :2], model=MLP(2, [3], seed=0))
    ax = plot_confusion(model, X[:, :2], NAMES)
    assert [text.get_text() for text in ax.get_xticklabels()] == list(IRIS_CLASSES)
    ax = plot_decision_boundary(model, X[:, :2], NAMES, resolution=10)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(IRIS_CLASSES)


# Frames


def test_a_frame_is_known_by_its_columns(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c", "d"])
    model, history = flowers(NAMES, frame, validation=(frame[["d", "c", "b", "a"]], NAMES))
    assert model.columns == ["a", "b", "c", "d"]
    assert history.validation_cost == flowers(NAMES, validation=(X, NAMES))[1].validation_cost
    turned = frame[["c", "a", "d", "b"]]
    assert np.array_equal(predict(model, turned), predict(model, X))
    assert accuracy(model, turned, NAMES) == accuracy(model, X, NAMES)
    with pytest.raises(ValueError, match="trained on the columns a, b, c, d; in X 'a' is missing; 'z' is not one"):
        predict(model, frame.rename(columns={"a": "z"}))
    save(model, tmp_path / "m")
    again = load(tmp_path / "m")
    assert (again.columns, again.classes) == (model.columns, model.classes)
    assert np.array_equal(predict(again, turned), predict(model, X))


def test_a_column_of_text_is_named():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"height": [1.0, 2.0], "species": ["a", "b"]})
    with pytest.raises(TypeError, match=r"X\[0, 1\] \(column 'species'\) is 'a', which is not a number"):
        predict(MLP(2, [1]), frame)


def test_the_parts_of_a_frame_are_frames():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c", "d"])
    left, out, names, names_out = train_test_split(frame, pandas.Series(NAMES), test=6, stratify=True)
    assert list(left.columns) == list(out.columns) == ["a", "b", "c", "d"]
    assert (len(left), len(out), len(names)) == (24, 6, 24)
    assert sorted(names_out) == sorted([*IRIS_CLASSES, *IRIS_CLASSES])
    numbers = train_test_split(X, NAMES, test=6, stratify=True)
    assert np.array_equal(numbers[0], left)
    assert numbers[3].tolist() == names_out.tolist()


def test_sparse_matrices_are_refused_with_advice():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match=r"X is a sparse matrix, .* X\.toarray\(\)"):
        predict(MLP(4, [3]), sparse.csr_matrix(X))


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ([["01234", "2"]], TypeError),
        (np.array([["01234", "2"]]), TypeError),
        (np.array([["01234", "2"]], object), TypeError),
        (np.array([["1_000", 2.0]], object), TypeError),
        (np.array([[b"7", 2.0]], object), TypeError),
        (np.ma.array([[1.0, -999.0]], mask=[[0, 1]]), ValueError),
        ([[1, [2, 3]], [1, 2]], ValueError),
        ([[10**400, 1.0]], ValueError),
        ([[1j, 1.0]], TypeError),
    ],
)
def test_what_is_no_number_is_not_read_as_one(given, error):
    with pytest.raises(error, match="X"):
        predict(MLP(2, [1]), given)


def test_a_masked_array_without_a_masked_number_is_an_array():
    given = np.ma.array([[1.0, 2.0]], mask=[[0, 0]])
    model = MLP(2, [1], seed=0)
    assert predict(model, given) == predict(model, [[1.0, 2.0]])


# Weights


@COMPILED
@pytest.mark.parametrize("loss", [squared_error, hinge])
def test_a_weight_is_as_much_as_the_example_so_many_times(compiled, loss):
    X, y = moons(14, seed=0)
    y = 2 * y - 1
    weights = np.array([0, 1, 2, 3, 1, 1, 0, 2, 1, 1, 1, 4, 1, 1])
    runs = []
    for given, targets, weight in ((X, y, weights), (X.repeat(weights, axis=0), y.repeat(weights), None)):
        model = MLP(2, [3, 1], "tanh", seed=0)
        history = fit(
            model, given, targets, loss=loss, optimizer=SGD(model.parameters(), lr=0.3), epochs=4, compiled=compiled,
            sample_weight=weight, progress=False,
        )  # fmt: skip
        runs.append((history.cost, data_of(model)))
    assert runs[0][0] == pytest.approx(runs[1][0], rel=1e-12)
    assert runs[0][1] == pytest.approx(runs[1][1], rel=1e-11)


@COMPILED
def test_equal_weights_change_nothing_in_batches_either(compiled):
    plain, weighted = (
        flowers(Y, sample_weight=w, compiled=compiled, batch_size=7) for w in (None, np.full(len(Y), 2.5))
    )
    assert weighted[1].cost == pytest.approx(plain[1].cost, rel=1e-12)
    assert data_of(weighted[0]) == pytest.approx(data_of(plain[0]), rel=1e-9)


@COMPILED
def test_a_batch_without_weight_is_no_step(compiled):
    X, y = line(6, seed=0)
    model = MLP(1, [1], seed=0)
    optimizer = SGD(model.parameters(), lr=0.1)
    fit(model, X, y, loss=squared_error, optimizer=optimizer, epochs=1, batch_size=1, compiled=compiled,
        sample_weight=[0, 1, 0, 0, 2, 0], progress=False)  # fmt: skip
    assert optimizer.steps == 2


def test_class_weights_are_weights_of_the_examples():
    balanced = len(Y) / (3 * np.bincount(Y))
    few = np.flatnonzero(Y != 2).tolist() + np.flatnonzero(Y == 2)[:3].tolist()
    balanced = len(few) / (3 * np.bincount(Y[few]))
    for y, by_class in ((Y[few], dict(enumerate(balanced))), (NAMES[few], dict(zip(IRIS_CLASSES, balanced)))):
        costs = [
            flowers(y, X[few], class_weight=weight, sample_weight=own)[1].cost
            for weight, own in (("balanced", None), (by_class, None), (None, balanced[Y[few]]))
        ]
        assert costs[0] == costs[1] == costs[2]
    own = np.arange(1.0, len(Y) + 1)
    product = own * np.where(Y == 1, 5.0, 1.0)
    assert flowers(Y, class_weight={1: 5.0}, sample_weight=own)[1].cost == flowers(Y, sample_weight=product)[1].cost


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"sample_weight": [1.0]}, ValueError, r"one weight per example, shape \(30,\), not \(1,\)"),
        ({"sample_weight": [-1.0] + [1.0] * 29}, ValueError, r"sample_weight\[0\] is -1"),
        ({"sample_weight": [math.nan] + [1.0] * 29}, ValueError, r"sample_weight\[0\] is nan"),
        ({"sample_weight": [0.0] * 30}, ValueError, "all weights are 0"),
        ({"sample_weight": ["a"] * 30}, TypeError, "sample_weight holds text"),
        ({"class_weight": "even"}, TypeError, "class_weight is 'balanced' or a mapping"),
        ({"class_weight": {7: 1.0}}, ValueError, "class_weight names the class 7"),
        ({"class_weight": {1: -1.0}}, ValueError, "class 1 has -1.0"),
    ],
)
def test_impossible_weights_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        flowers(Y, **settings)


def test_class_weights_are_for_classes():
    X, y = line(10, seed=0)
    model = MLP(1, [1], seed=0)
    with pytest.raises(ValueError, match="targets that are classes"):
        fit(model, X, y, loss=squared_error, optimizer=SGD(model.parameters()), class_weight="balanced", progress=False)


# Judging


def test_targets_0_and_1_of_a_regression_are_told_apart_at_one_half(tmp_path):
    X, y = moons(60, seed=0)
    model = MLP(2, [6, 1], "tanh", seed=0)
    optimizer = Adam(model.parameters(), lr=0.05)
    fit(model, X, y, loss=squared_error, optimizer=optimizer, epochs=100, progress=False)
    at_half = (predict(model, X) > 0.5).astype(int)
    assert accuracy(model, X, y) == (at_half == y).mean()
    assert classify(model, X).tolist() == at_half.tolist()
    assert np.trace(confusion_matrix(model, X, y)) == (at_half == y).sum()
    save(model, tmp_path / "m")
    assert accuracy(load(tmp_path / "m"), X, y) == accuracy(model, X, y)
    fit(model, X, 2 * y - 1, loss=squared_error, optimizer=optimizer, epochs=1, progress=False)
    assert accuracy(model, X, y) == ((predict(model, X) > 0) == y).mean()


def test_a_threshold_moves_the_cut():
    X, y = moons(40, seed=0)
    model = MLP(2, [3, 1], seed=1)
    outputs = predict(model, X)
    for threshold in (-0.5, 0.0, 0.25):
        assert accuracy(model, X, y, threshold=threshold) == ((outputs > threshold) == y).mean()
        assert classify(model, X, threshold=threshold).tolist() == (outputs > threshold).astype(int).tolist()
    with pytest.raises(ValueError, match="cuts one output in two, but the model has 3"):
        accuracy(MLP(2, [3]), X, y, threshold=0.5)


def test_a_sigmoid_before_binary_cross_entropy_is_noticed():
    X, y = moons(10, seed=0)
    model = MLP(2, [3, 1], output="sigmoid", seed=0)
    with pytest.raises(ValueError, match=r"applies the sigmoid itself, .* last layer linear"):
        fit(model, X, y, loss=binary_cross_entropy, optimizer=SGD(model.parameters()), progress=False)


def test_outputs_that_are_nan_have_no_class():
    X, y = moons(10, seed=0)
    model = MLP(2, [3, 1], seed=0)
    model.layers[1].neurons[0].b.data = math.nan
    assert np.isnan(predict(model, X)).all()
    for judge in (accuracy, confusion_matrix):
        with pytest.raises(ValueError, match=r"output for X\[0\] is nan, which is no class"):
            judge(model, X, y)
    with pytest.raises(ValueError, match="is nan, which is no class"):
        classify(model, X)


def test_r2_is_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    X, y = line(20, seed=0)
    model = MLP(1, [1], seed=0)
    assert r2(model, X, y) == pytest.approx(metrics.r2_score(y, predict(model, X)), rel=1e-12)
    two = MLP(1, [2], seed=0)
    Y = np.column_stack([y, -3 * y])
    assert r2(two, X, Y) == pytest.approx(metrics.r2_score(Y, predict(two, X)), rel=1e-12)
    assert r2(lambda x: 1.0 * x[0], X, X[:, 0]) == 1.0
    assert r2(lambda x: 0.0 * x[0] + 1, X, np.ones(20)) == 1.0
    assert r2(lambda x: 0.0 * x[0], X, np.ones(20)) == 0.0


def test_a_scaler_is_fitted_once_and_applied_again():
    rng = np.random.default_rng(0)
    X, later = rng.normal(3, 2, (50, 3)), rng.normal(3, 2, (5, 3))
    scaler = StandardScaler()
    scaled = scaler.fit_transform(X)
    assert scaled.mean(axis=0) == pytest.approx(0, abs=1e-14)
    assert scaled.std(axis=0) == pytest.approx(1, rel=1e-14)
    assert scaler.transform(later) == pytest.approx((later - X.mean(axis=0)) / X.std(axis=0), rel=1e-12)
    assert scaler.inverse_transform(scaled) == pytest.approx(X, rel=1e-12)
    assert scaler.mean == pytest.approx(X.mean(axis=0))
    with pytest.raises(ValueError, match="call fit"):
        StandardScaler().transform(X)


@pytest.mark.parametrize("size", [1.7e308, 1e300, 1.0, 1e-162, 1e-200, 5e-324])
def test_columns_of_any_size_are_standardized(size):
    assert standardize([[size], [-size]]).ravel().tolist() == [1.0, -1.0]


# Models that choose by what they are worth


class MaxPool(Module):
    def __init__(self):
        self.layer, self.out = MLP(2, [3], seed=0), Neuron(1, "linear", seed=1)

    def __call__(self, x):
        return self.out([max(self.layer(x), key=lambda v: v.data)])


class Gate(Module):
    def __init__(self):
        self.gate, self.a, self.b = (Neuron(2, "linear", seed=k) for k in range(3))

    def __call__(self, x):
        return self.a(x) if self.gate(x).data > 0 else self.b(x)


@pytest.mark.parametrize("kind", [MaxPool, Gate])
def test_a_model_that_chooses_by_what_it_is_worth_is_never_frozen(kind):
    X, y = moons(60, seed=0)
    model = kind()
    outputs = np.array([model(row).data for row in X.tolist()])
    assert np.array_equal(predict(model, X), outputs)
    assert accuracy(model, X, y) == ((outputs > 0) == y).mean()
    given = {"loss": squared_error, "epochs": 1, "progress": False}
    with pytest.raises(ValueError, match=r"depends on its numbers .* compiled=False"):
        fit(model, X, 2.0 * y - 1, optimizer=SGD(model.parameters(), lr=0.0), **given)
    history = fit(model, X, 2.0 * y - 1, optimizer=SGD(model.parameters(), lr=0.0), compiled=False, **given)
    assert history.cost == [pytest.approx(((outputs - 2 * y + 1) ** 2).mean(), rel=1e-12)]
