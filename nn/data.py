"""Data: small sets to learn on, and what is done to any data before training.

The synthetic sets are drawn by NumPy from a seed; Iris is shipped; digits are read from scikit-learn's copy. All come
as X (n, d), float64, and y (n,).
"""

from __future__ import annotations

import csv
import math
import numbers
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from nn.checks import (
    class_indices,
    columns_of,
    count,
    flag,
    names_of_classes,
    random_numbers,
    real,
    same_length,
    table,
    targets,
)

if TYPE_CHECKING:
    import numpy as np

    Data = tuple[np.ndarray, np.ndarray]

IRIS_FEATURES = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")
IRIS_CLASSES = ("setosa", "versicolor", "virginica")


def moons(n: int = 100, noise: float = 0.1, seed: int = 0) -> Data:
    """Two half circles, each reaching into the other: X (n, 2), y 0 for the upper and 1 for the lower.

    `noise` is the standard deviation of what is added to each coordinate. For `hinge`, use targets 2 * y - 1.

    >>> X, y = moons(100, seed=1)
    >>> X.shape, y.shape, sorted(set(y.tolist()))
    ((100, 2), (100,), [0, 1])
    """
    import numpy as np

    n = count(n, "n")
    upper, lower = np.linspace(0, np.pi, n - n // 2), np.linspace(0, np.pi, n // 2)
    points = [
        np.column_stack([np.cos(upper), np.sin(upper)]),
        np.column_stack([1 - np.cos(lower), 0.5 - np.sin(lower)]),
    ]
    return _scattered(points, noise, seed)


def circles(n: int = 100, noise: float = 0.05, seed: int = 0, factor: float = 0.5) -> Data:
    """A circle of radius 1 around one of radius `factor`: X (n, 2), y 0 for the outer and 1 for the inner."""
    import numpy as np

    n, factor = count(n, "n"), real(factor, "factor")
    points = []
    for radius, size in ((1.0, n - n // 2), (factor, n // 2)):
        angle = np.linspace(0, 2 * np.pi, size, endpoint=False)
        points.append(radius * np.column_stack([np.cos(angle), np.sin(angle)]))
    return _scattered(points, noise, seed)


def spirals(n: int = 200, noise: float = 0.03, seed: int = 0, classes: int = 2, turns: float = 1.0) -> Data:
    """Arms that wind around each other out to radius 1: X (n, 2), y the arm, 0 to classes - 1."""
    import numpy as np

    n, classes, turns = count(n, "n"), count(classes, "classes"), real(turns, "turns")
    points = []
    for arm in range(classes):
        radius = np.linspace(0.1, 1, (n + classes - 1 - arm) // classes)
        angle = 2 * np.pi * (turns * radius + arm / classes)
        points.append(radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]))
    return _scattered(points, noise, seed)


def xor(n: int = 100, noise: float = 0.1, seed: int = 0) -> Data:
    """The four corners (+-1, +-1): X (n, 2), y 1 where the signs differ. No straight line separates them.

    `xor(4, noise=0)` is the truth table.
    """
    import numpy as np

    corners = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])[np.arange(count(n, "n")) % 4]
    same = corners[:, 0] == corners[:, 1]
    return _scattered([corners[same], corners[~same]], noise, seed)


def line(n: int = 50, noise: float = 0.1, seed: int = 0, slope: float = 2.0, intercept: float = -1.0) -> Data:
    """Points near a line: X (n, 1) uniform in [-1, 1], y (n,) = slope x + intercept + noise."""
    rng = random_numbers(seed)
    x = rng.uniform(-1, 1, count(n, "n"))
    slope, intercept = real(slope, "slope"), real(intercept, "intercept")
    return x[:, None], slope * x + intercept + spread(noise) * rng.standard_normal(len(x))


def iris() -> Data:
    """Anderson's Iris flowers: X (150, 4) in cm (`IRIS_FEATURES`), y (150,) 0, 1, 2 (`IRIS_CLASSES`), 50 of each.

    E. Anderson measured them on the Gaspe peninsula (1935); R. A. Fisher published them in "The use of multiple
    measurements in taxonomic problems", Annals of Eugenics 7 (1936). The values are those of scikit-learn and R, which
    are Fisher's; the copy in the UCI repository has errors in samples 35 and 38.

    >>> X, y = iris()
    >>> X.shape, X[34].tolist(), IRIS_CLASSES[y[149]]
    ((150, 4), [4.9, 3.1, 1.5, 0.2], 'virginica')
    """
    import numpy as np

    _, *rows = csv.reader(files("nn").joinpath("iris.csv").read_text(encoding="utf-8").splitlines())
    return np.array([row[:4] for row in rows], float), np.array([IRIS_CLASSES.index(row[4]) for row in rows])


def digits() -> Data:
    """Handwritten digits: X (1797, 64), 8 x 8 pixels from 0 to 1, y (1797,) 0 to 9. Read from scikit-learn's copy.

    They are the test part of the UCI set "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998).

    Raises:
        ImportError: where scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise ImportError(
            "digits are read from scikit-learn's copy: pip install scikit-learn, or pip install 'glassgrad[notebook]'"
        ) from None
    bunch: Any = load_digits()
    return bunch.data / 16, bunch.target


# What is done to data before training ------------------------------------------------------------------------------


def train_test_split(X: Any, y: Any, test: float | int = 0.25, seed: int = 0, stratify: bool = False) -> tuple:
    """(X_train, X_test, y_train, y_test): the rows shuffled and parted, each in exactly one part.

    Args:
        X: a table (n, d), array or frame; of a frame the parts are frames.
        y: a target per row, or the name of its class.
        test: the fraction of rows that is held out, or their number.
        seed: of the shuffle.
        stratify: whether each class has its share in both parts.

    >>> X, y = iris()
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, test=30, stratify=True)
    >>> len(X_train), len(X_test), (y_test == 1).sum().item()
    (120, 30, 10)
    """
    import numpy as np

    numbers_of_X, named = table(X), names_of_classes(y)
    labels = targets(y) if named is None else np.array([named[0].index(name) for name in named[1]])
    X, y = (x if hasattr(x, "iloc") else array for x, array in ((X, numbers_of_X), (y, labels)))
    if named is not None and not hasattr(y, "iloc"):
        y = np.array(named[1])
    n = same_length(numbers_of_X, labels)
    if isinstance(test, bool) or not isinstance(test, (numbers.Real, np.number)):
        raise TypeError(f"test is the fraction of rows that is held out, or their number, not {test!r}")
    if not math.isfinite(real(test, "test")):
        raise ValueError(f"test is the fraction of rows that is held out, or their number, not {test!r}")
    held = int(test) if isinstance(test, numbers.Integral) else round(n * float(test))
    stratify = flag(stratify, "stratify")
    if not 0 < held < n:
        raise ValueError(f"test={test} would hold out {held} of {n} rows; both parts need at least one")
    order = random_numbers(seed).permutation(n)
    if stratify:
        # each row's place among those of its class, as a fraction: the smallest fractions are the same share of each
        classes = np.unique(labels[order], axis=0, return_inverse=True)[1].ravel()
        place = np.empty(n)
        for k in range(classes.max() + 1):
            members = np.flatnonzero(classes == k)
            place[members] = (np.arange(len(members)) + 0.5) / len(members)
        order = order[np.argsort(place, kind="stable")]
    train, out = np.sort(order[held:]), np.sort(order[:held])
    return tuple(x.iloc[rows] if hasattr(x, "iloc") else x[rows] for x in (X, y) for rows in (train, out))


def standardize(X: Any, *others: Any) -> Any:
    """X with mean 0 and standard deviation 1 in each column; further tables are scaled by the same two numbers.

    Scale the test data by the training data's numbers: `X_train, X_test = standardize(X_train, X_test)`. A column that
    is constant becomes 0. A `StandardScaler` keeps the numbers for data that come later.

    >>> standardize([[1.0], [3.0]], [[4.0]])
    (array([[-1.],
           [ 1.]]), array([[2.]]))
    """
    scaler = StandardScaler().fit(X)
    scaled = tuple(scaler.transform(t) for t in (X, *others))
    return scaled if others else scaled[0]


class StandardScaler:
    """Tables with mean 0 and standard deviation 1 in each column of the one that it is fitted to.

    Attributes:
        mean: of each column, (d,).
        deviation: the standard deviation of each column, (d,); 1 where it is constant.

    >>> scaler = StandardScaler().fit([[1.0], [3.0]])
    >>> scaler.transform([[4.0]]), scaler.inverse_transform([[2.0]])
    (array([[2.]]), array([[4.]]))
    """

    mean: np.ndarray
    deviation: np.ndarray
    columns: list[Any] | None = None

    def fit(self, X: Any) -> StandardScaler:
        """Take mean and deviation from the columns of X (n, d), and return the scaler."""
        import numpy as np

        table_of_X = table(X)
        # in units of a power of two near the largest number nothing overflows, nothing vanishes, and no digit is lost
        unit = np.ldexp(1.0, np.maximum(np.frexp(np.abs(table_of_X).max(axis=0))[1], -1000) - 1)
        scaled = table_of_X / unit
        mean, deviation = scaled.mean(axis=0), scaled.std(axis=0)
        constant = (scaled == scaled[0]).all(axis=0)
        mean[constant], deviation[constant] = scaled[0, constant], 1.0 / unit[constant]
        self._unit, self._mean, self._deviation = unit, mean, deviation
        self.columns, self.mean, self.deviation = columns_of(X), mean * unit, deviation * unit
        return self

    def transform(self, X: Any) -> np.ndarray:
        """(X - mean) / deviation, column by column."""
        X = self._fitting(X)
        return (X / self._unit - self._mean) / self._deviation

    def fit_transform(self, X: Any) -> np.ndarray:
        """`fit`, then `transform`."""
        return self.fit(X).transform(X)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """X deviation + mean, column by column: what `transform` made X of."""
        return (self._fitting(X) * self._deviation + self._mean) * self._unit

    def _fitting(self, X: Any) -> np.ndarray:
        """X as a table with as many columns as the one that the scaler was fitted to."""
        if not hasattr(self, "mean"):
            raise ValueError("the scaler has not seen data yet: call fit(X) first")
        X = table(X, columns=self.columns)
        if X.shape[1] != len(self.mean):
            raise ValueError(f"tables of {len(self.mean)} and {X.shape[1]} columns cannot be scaled alike")
        return X


def one_hot(y: Any, classes: int | None = None) -> np.ndarray:
    """Class indices (n,) as rows of 0s with a single 1, (n, classes).

    >>> one_hot([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    import numpy as np

    y = targets(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise ValueError(f"one_hot takes one class index per row, shape (n,), not {y.shape}")
    if classes is None and y.max() > MOST_CLASSES:
        raise ValueError(
            f"y goes up to {y.max()}, which would make as many columns: class indices are 0, 1, 2, ...; "
            "np.unique(y, return_inverse=True)[1] makes such of other numbers"
        )
    width = int(y.max()) + 1 if classes is None else count(classes, "classes")
    indices = class_indices(y, max(width, 1))
    rows = np.zeros((len(y), width))
    rows[np.arange(len(y)), indices] = 1.0
    return rows


MOST_CLASSES = 100_000


def spread(noise: Any) -> float:
    """A standard deviation."""
    if not 0 <= real(noise, "noise", "is a standard deviation") < math.inf:
        raise ValueError(f"noise is a standard deviation, a finite number of at least 0, not {noise!r}")
    return float(noise)


def _scattered(points: list[np.ndarray], noise: float, seed: int) -> Data:
    """The points of each class, shuffled, with noise added to each coordinate."""
    import numpy as np

    noise = spread(noise)
    rng = random_numbers(seed)
    X, y = np.concatenate(points), np.repeat(np.arange(len(points)), [len(p) for p in points])
    order = rng.permutation(len(X))
    return X[order] + noise * rng.standard_normal(X.shape), y[order]
