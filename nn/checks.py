"""What is given, checked: numbers in whatever people keep them in, as arrays, and errors that name what is at fault.

Lists, arrays, frames and tensors come out as float64. What has no numbers in it, or numbers that are masked or missing,
is refused by its row and column and never read as something else.
"""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from autograd.assigning import is_iterable

if TYPE_CHECKING:
    import numpy as np

# Arrays of numbers --------------------------------------------------------------------------------------------------


def table(X: Any, name: str = "X", columns: list[Any] | None = None, copy: bool = True) -> np.ndarray:
    """X as float64 of shape (n, d); a list of lists, an array, a tensor or a frame. Finite numbers only.

    A frame has its columns put in the order of `columns`, if these are given. Without `copy` an array may be X itself.
    """
    array = finite(real_numbers(columns_in_order(X, columns, name), name, copy), name)
    if array.ndim != 2:
        advice = ": for a single column use X.reshape(-1, 1), for a single example [x]" if array.ndim == 1 else ""
        raise ValueError(f"{name} has one row per example, shape (n, d), not {array.shape}{advice}")
    if not array.size:
        raise ValueError(f"{name} is empty, shape {array.shape}")
    return array


def targets(y: Any, name: str = "y") -> np.ndarray:
    """Y as int64 or float64 of shape (n,) or (n, n_out). Finite numbers only."""
    import numpy as np

    plain = plain_array(y, name)
    array = finite(real_numbers(plain, name), name)
    if array.ndim not in (1, 2):
        raise ValueError(f"{name} has one target per example, shape (n,) or (n, n_out), not {array.shape}")
    if not array.size:
        raise ValueError(f"{name} is empty, shape {array.shape}")
    return array.astype(np.int64) if plain.dtype.kind in "iub" else array


def real_numbers(x: Any, name: str, copy: bool = True) -> np.ndarray:
    """Numbers as a float64 array of whatever shape, a new one or, without `copy`, perhaps x; nan and infinity pass.

    Raises:
        TypeError: for text, dates, complex numbers and whatever else is no real number.
        ValueError: for masked numbers, rows of different lengths, and whole numbers beyond the floats.
    """
    import numpy as np

    array = plain_array(x, name)
    if array.dtype.kind in "fiub":
        return array.astype(np.float64, copy=copy)
    names = columns_of(x)
    if array.dtype.kind != "O":
        kind = "text" if array.dtype.kind in "SUT" else f"{array.dtype} data"
        raise TypeError(f"{name} holds {kind}, but takes real numbers; {NAMES_ADVICE}")
    if not any(isinstance(item, (str, bytes)) for item in array.ravel().tolist()):
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            return array.astype(np.float64)
    for place, item in np.ndenumerate(array):
        column = f" (column {names[place[1]]!r})" if names and len(place) == 2 else ""
        try:
            if isinstance(item, (str, bytes)):
                raise TypeError
            float(item)
        except (TypeError, ValueError):
            at = f"{located(name, place)}{column}"
            raise TypeError(f"{at} is {item!r}, which is not a number; {NAMES_ADVICE}") from None
        except OverflowError:
            raise ValueError(f"{located(name, place)}{column} is too large for a float") from None
    raise TypeError(f"{name} holds something that is not a number; {NAMES_ADVICE}")


NAMES_ADVICE = "names of classes become numbers by np.unique(names, return_inverse=True), other text by one_hot"


def plain_array(x: Any, name: str) -> np.ndarray:
    """Whatever people keep numbers in as a NumPy array of any kind; masked numbers and sparse matrices are refused."""
    import numpy as np

    if hasattr(x, "toarray") and hasattr(x, "nnz"):
        raise TypeError(f"{name} is a sparse matrix, but takes one with its zeros written out: {name}.toarray()")
    if hasattr(x, "detach") and hasattr(x, "cpu"):  # a tensor of PyTorch's, wherever it lies and whatever its precision
        x = x.detach().cpu()
        x = x.double().numpy() if x.is_floating_point() else x.numpy()
    if isinstance(x, np.ma.MaskedArray):
        if np.ma.getmaskarray(x).any():
            place = tuple(np.argwhere(np.ma.getmaskarray(x))[0].tolist())
            raise ValueError(
                f"{located(name, place)} is masked, and a model needs every number: leave the row out, or fill it in "
                f"by {name}.filled(...)"
            )
        x = x.data
    try:
        return np.asarray(x)
    except ValueError:
        rows = [(len(row) if hasattr(row, "__len__") else 0) for row in x]
        i = next((i for i, length in enumerate(rows) if length != rows[0]), None)
        if i is None:
            raise ValueError(
                f"{name} is not a table: among its entries are lists of different lengths where numbers should be"
            ) from None
        raise ValueError(
            f"{name} is ragged: row 0 has {rows[0]} entries, row {i} has {rows[i]}; every row needs as many"
        ) from None


def finite(array: np.ndarray, name: str) -> np.ndarray:
    """The array, if all of its numbers are finite."""
    import numpy as np

    if not np.isfinite(array).all():
        place = tuple(np.argwhere(~np.isfinite(array))[0].tolist())
        raise ValueError(f"{located(name, place)} is {array[place]}: every number has to be finite")
    return array


def located(name: str, place: tuple[int, ...]) -> str:
    """An entry of an array, as Python writes it."""
    return f"{name}[{', '.join(map(str, place))}]" if place else name


def same_length(X: np.ndarray, y: np.ndarray, name: str = "y") -> int:
    """The number of examples."""
    if len(X) != len(y):
        raise ValueError(f"X has {len(X)} rows but {name} has {len(y)}: each example needs one target")
    return len(X)


def class_indices(y: np.ndarray, classes: int, name: str = "y") -> np.ndarray:
    """Targets (n,) as whole numbers from 0 to classes - 1."""
    import numpy as np

    indices = y.astype(np.int64)
    wrong = (indices != y) | (indices < 0) | (indices >= classes)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"a class is a whole number from 0 to {classes - 1}, but {name}[{row}] is {y[row]}")
    return indices


# Frames -------------------------------------------------------------------------------------------------------------


def columns_of(X: Any) -> list[Any] | None:
    """The names of a frame's columns; None for what is no frame, or has columns without a name of their own."""
    if not (hasattr(X, "columns") and hasattr(X, "dtypes")):
        return None
    names = list(X.columns)
    return names if all(isinstance(name, str) for name in names) and len(set(names)) == len(names) else None


def columns_in_order(X: Any, columns: list[Any] | None, name: str = "X") -> Any:
    """A frame with its columns in the order of `columns`, and whatever else is given as it is.

    Raises:
        ValueError: naming the columns that are missing, and those that are too many.
    """
    given = columns_of(X)
    if columns is None or given is None or given == columns:
        return X
    faults = [f"{column!r} is missing" for column in columns if column not in given]
    faults += [f"{column!r} is not one of them" for column in given if column not in columns]
    if faults:
        raise ValueError(f"the model was trained on the columns {', '.join(columns)}; in {name} {'; '.join(faults)}")
    return X[columns]


# Classes with names -------------------------------------------------------------------------------------------------


def names_of_classes(y: Any, booleans: bool = True) -> tuple[list[Any], list[Any]] | None:
    """(the classes in their order, the class of each example) where these are names; None where y holds numbers.

    Text is in alphabetical order, categories in their own. False and True are names if `booleans` are.

    Raises:
        ValueError: where a name is missing, or something else stands among the names.
    """
    import numpy as np

    categories = getattr(getattr(y, "cat", y), "categories", None)
    array = np.asarray(y, object) if categories is not None else plain_array(y, "y")
    if array.dtype.kind == "U" and isinstance(y, (list, tuple)):
        array = np.array(y, object)  # where NumPy has made text of what stands among text
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.dtype.kind not in "OSUTb":
        return None
    given = array.tolist()
    if categories is not None:
        classes = categories.tolist()
    elif any(isinstance(item, (str, bytes)) for item in given):
        classes = sorted({item for item in given if isinstance(item, (str, bytes))}, key=str)
    elif booleans and given and all(isinstance(item, (bool, np.bool_)) for item in given):
        classes = sorted(set(map(bool, given)))
    else:
        return None
    known = set(classes)
    for i, item in enumerate(given):
        if not isinstance(item, Hashable) or item not in known:
            raise ValueError(f"y[{i}] is {item!r}, which is no name of a class, such as {classes[0]!r}")
    return classes, given


def numbered(given: list[Any], classes: list[Any], name: str = "y") -> np.ndarray:
    """The index of each example's class among the classes."""
    import numpy as np

    place = {item: k for k, item in enumerate(classes)}
    for i, item in enumerate(given):
        if item not in place:
            raise ValueError(
                f"{name}[{i}] is {item!r}, which is not among the model's classes: {', '.join(map(repr, classes))}"
            )
    return np.array([place[item] for item in given])


def named_classes(y: Any, classes: list[Any], name: str = "y") -> np.ndarray | None:
    """The indices (n,) of the classes that y names; None if it holds numbers, and these are no names."""
    import numpy as np

    found = names_of_classes(y)
    if found is not None:
        return numbered(found[1], classes, name)
    if all(isinstance(item, (int, float)) for item in classes):
        given = targets(y, name)
        given = given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given
        if given.ndim == 1 and np.isin(given, classes).all():
            return numbered(given.tolist(), classes, name)
    return None


# Single numbers -----------------------------------------------------------------------------------------------------


def count(n: Any, name: str, least: int = 1) -> int:
    """A whole number of at least 1, or of at least another one, as an int; an error that names what it counts."""
    try:
        n = operator.index(n)
    except TypeError:
        raise TypeError(f"{name} is a whole number, not {n!r}") from None
    if n < least:
        raise ValueError(f"{name} is at least {least}, not {n}")
    if n > 10**9:
        raise ValueError(f"{name} is at most 10**9, not a number of {n.bit_length()} bits")
    return n


def real(x: Any, name: str, what: str = "is a number") -> float:
    """A number as a float; an error that says what it `what` otherwise."""
    try:
        if isinstance(x, (str, bytes, bytearray, type)) or getattr(x, "shape", ()) != ():
            raise TypeError
        return float(x)
    except (TypeError, ValueError):
        raise TypeError(f"{name} {what}, not {x!r}") from None
    except OverflowError:
        raise ValueError(f"{name} is too large for a float") from None


def items(x: Any, name: str) -> list[Any]:
    """The elements of a list or another iterable; an error for what has none."""
    if isinstance(x, (str, bytes, dict, type)) or not is_iterable(x):
        raise TypeError(f"{name}, not {x!r}")
    return list(x)


def flag(x: Any, name: str) -> bool:
    """True or False, NumPy's included."""
    if type(x).__name__ not in ("bool", "bool_") and not (isinstance(x, int) and x in (0, 1)):
        raise TypeError(f"{name} is True or False, not {x!r}")
    return bool(x)


def whole_seed(seed: Any, advice: str = "") -> int:
    """A seed, a whole number of at least 0."""
    try:
        if isinstance(seed, bool):
            raise TypeError
        seed = operator.index(seed)
    except TypeError:
        raise TypeError(f"a seed is a whole number, not {seed!r}{advice}") from None
    if seed < 0:
        raise ValueError(f"a seed is at least 0, not {seed}")
    return seed


def random_numbers(seed: Any) -> np.random.Generator:
    """NumPy's generator for a seed, a whole number of at least 0; None for a fresh one; a generator as it is."""
    import numpy as np

    if isinstance(seed, np.random.Generator):
        return seed
    advice = "; None draws a fresh one, a numpy.random.Generator goes on"
    return np.random.default_rng(None if seed is None else whole_seed(seed, advice))
