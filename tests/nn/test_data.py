"""Data: the shapes of the sets, and every kind of bad data refused by name."""

import math
import sys

import numpy as np
import pytest

from nn import (
    IRIS_CLASSES,
    IRIS_FEATURES,
    circles,
    digits,
    iris,
    line,
    moons,
    one_hot,
    spirals,
    standardize,
    train_test_split,
    xor,
)
from nn.data import table, targets

SETS = [moons, circles, spirals, xor, line]


@pytest.mark.parametrize("make", SETS)
def test_a_seed_gives_the_same_points_and_another_seed_others(make):
    X, y = make(50, seed=3)
    for again, same in ((make(50, seed=3), True), (make(50, seed=4), False)):
        assert np.array_equal(again[0], X) is same
    assert X.shape == (50, 1 if make is line else 2)
    assert X.dtype == np.float64
    assert y.shape == (50,)


@pytest.mark.parametrize("make", [moons, circles, spirals, xor])
@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_classes_are_balanced_for_any_number_of_points(make, n):
    _, y = make(n)
    assert len(y) == n
    assert abs((y == 0).sum() - (y == 1).sum()) <= (n % 4 if make is xor else n % 2)


def test_moons_lie_on_half_circles_that_interlock():
    X, y = moons(200, noise=0)
    upper, lower = X[y == 0], X[y == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1)
    np.testing.assert_allclose(np.hypot(lower[:, 0] - 1, lower[:, 1] - 0.5), 1)
    assert (upper[:, 1] > -1e-12).all()
    assert (lower[:, 1] < 0.5 + 1e-12).all()


def test_circles_have_the_radii_asked_for():
    X, y = circles(100, noise=0, factor=0.3)
    np.testing.assert_allclose(np.hypot(*X.T), np.where(y == 0, 1, 0.3))


def test_spirals_have_as_many_arms_as_classes():
    X, y = spirals(90, noise=0, classes=3)
    assert [(y == k).sum() for k in range(3)] == [30, 30, 30]
    radius, angle = np.hypot(*X.T), np.arctan2(X[:, 1], X[:, 0])
    turn = angle - 2 * np.pi * (radius + y / 3)
    np.testing.assert_allclose(np.cos(turn), 1)


def test_xor_without_noise_is_the_truth_table():
    X, y = xor(4, noise=0)
    assert {(*row, k) for row, k in zip(X.tolist(), y.tolist())} == {(-1, -1, 0), (1, 1, 0), (-1, 1, 1), (1, -1, 1)}


def test_a_line_has_its_slope_and_its_noise():
    X, y = line(4000, noise=0.5, seed=1, slope=3.0, intercept=2.0)
    slope, intercept = np.polyfit(X[:, 0], y, 1)
    assert (slope, intercept) == pytest.approx((3, 2), abs=0.05)
    assert np.std(y - 3 * X[:, 0] - 2) == pytest.approx(0.5, rel=0.05)


def test_noise_has_the_standard_deviation_asked_for():
    with_noise, without = moons(5000, noise=0.2, seed=0)[0], moons(5000, noise=0, seed=0)[0]
    assert np.std(with_noise - without) == pytest.approx(0.2, rel=0.03)
    with pytest.raises(ValueError, match="noise is a standard deviation"):
        moons(10, noise=-1)


def test_iris_is_the_set_of_scikit_learn():
    X, y = iris()
    expected = pytest.importorskip("sklearn.datasets").load_iris()
    np.testing.assert_array_equal(X, expected.data)
    np.testing.assert_array_equal(y, expected.target)
    assert list(IRIS_CLASSES) == expected.target_names.tolist()
    assert list(IRIS_FEATURES) == expected.feature_names


def test_iris_has_the_statistics_that_fisher_published():
    X, y = iris()
    means = [X[y == k].mean(axis=0).round(3).tolist() for k in range(3)]
    assert means == [[5.006, 3.428, 1.462, 0.246], [5.936, 2.77, 4.26, 1.326], [6.588, 2.974, 5.552, 2.026]]


def test_digits_are_pixels_from_0_to_1():
    pytest.importorskip("sklearn")
    X, y = digits()
    assert (X.shape, y.shape, X.min(), X.max(), set(y.tolist())) == ((1797, 64), (1797,), 0, 1, set(range(10)))


def test_digits_without_scikit_learn_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        digits()


def test_a_split_parts_the_rows_and_keeps_them_with_their_targets():
    X = np.arange(20.0)[:, None]
    X_train, X_test, y_train, y_test = train_test_split(X, X[:, 0] * 10, test=0.25, seed=1)
    assert (len(X_train), len(X_test)) == (15, 5)
    assert sorted([*X_train[:, 0], *X_test[:, 0]]) == X[:, 0].tolist()
    assert (y_train == X_train[:, 0] * 10).all()
    assert (y_test == X_test[:, 0] * 10).all()
    again = train_test_split(X, X[:, 0], test=5, seed=1)
    assert (again[1] == X_test).all()
    assert not np.array_equal(train_test_split(X, X[:, 0], test=5, seed=2)[1], X_test)


def test_a_stratified_split_takes_the_same_share_of_each_class():
    y = np.array([0] * 60 + [1] * 30 + [2] * 10)
    _, _, train, test = train_test_split(np.zeros((100, 1)), y, test=0.3, stratify=True, seed=5)
    assert [(test == k).sum() for k in range(3)] == [18, 9, 3]
    assert [(train == k).sum() for k in range(3)] == [42, 21, 7]


@pytest.mark.parametrize("test", [0, 0.0, 1.0, 10, -1])
def test_a_split_leaves_both_parts_at_least_one_row(test):
    with pytest.raises(ValueError, match="both parts need at least one"):
        train_test_split(np.zeros((10, 1)), np.zeros(10), test=test)


def test_standardize_scales_all_tables_by_the_first():
    rng = np.random.default_rng(0)
    A, B = rng.normal(3, 5, (100, 2)), rng.normal(3, 5, (50, 2))
    a, b = standardize(A, B)
    np.testing.assert_allclose(a.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(a.std(axis=0), 1)
    np.testing.assert_allclose(b, (B - A.mean(axis=0)) / A.std(axis=0))
    np.testing.assert_array_equal(standardize(A), a)


def test_standardize_makes_a_constant_column_zero():
    assert (standardize([[0.1, 1.0], [0.1, 2.0], [0.1, 3.0]])[:, 0] == 0).all()
    with pytest.raises(ValueError, match="2 and 1 columns"):
        standardize(np.zeros((3, 2)), np.zeros((3, 1)))


def test_one_hot():
    np.testing.assert_array_equal(one_hot([2, 0], classes=4), [[0, 0, 1, 0], [1, 0, 0, 0]])
    with pytest.raises(ValueError, match=r"from 0 to 1, but y\[1\] is 2"):
        one_hot([0, 2], classes=2)
    with pytest.raises(ValueError, match="one class index per row"):
        one_hot([[0, 1]])


class Frame:
    """What a pandas frame or series is to NumPy."""

    def __init__(self, content):
        self.content = content

    def __array__(self, dtype=None, copy=None):
        return np.array(self.content, dtype)


def test_lists_arrays_and_frames_are_accepted():
    rows = [[1, 2], [3, 4]]
    for X in (
        rows,
        tuple(map(tuple, rows)),
        np.array(rows),
        np.array(rows, np.float32),
        Frame(rows),
        np.array(rows, object),
    ):
        np.testing.assert_array_equal(table(X), rows)
        assert table(X).dtype == np.float64
    assert targets(Frame([0, 1])).dtype == np.int64
    assert targets([True, False]).tolist() == [1, 0]
    assert targets([0.5, 1]).dtype == np.float64


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([[1.0, 2.0], [3.0]], ValueError, "X is ragged: row 0 has 2 entries, row 1 has 1"),
        ([[1.0, math.nan]], ValueError, r"X\[0, 1\] is nan"),
        ([[1.0], [math.inf]], ValueError, r"X\[1, 0\] is inf"),
        ([1.0, 2.0], ValueError, r"not \(2,\): for a single column use X\.reshape\(-1, 1\)"),
        (np.zeros((2, 2, 2)), ValueError, r"shape \(n, d\), not \(2, 2, 2\)"),
        ([], ValueError, r"shape \(n, d\), not \(0,\)"),
        (np.zeros((0, 3)), ValueError, "X is empty"),
        ([["a", "b"]], TypeError, "takes real numbers; names of classes"),
        ([[1j]], TypeError, "complex128 data"),
        ([[None]], ValueError, r"X\[0, 0\] is nan"),
        ([[1.0, {}]], TypeError, "not a number"),
        (5.0, ValueError, "one row per example"),
    ],
)
def test_tables_that_cannot_be_learned_from_are_refused(X, error, message):
    with pytest.raises(error, match=message):
        table(X)
