"""Nested arguments: a number, or lists, tuples, dicts and NumPy arrays of them, taken apart and put together again.

A tree is flattened into its *blocks*, numbers and arrays, from left to right; an array counts as one block whose
entries are numbers. Whoever asks for a derivative gets it in the same shape.
"""

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any, TypeGuard

ArrayShape = tuple[int, ...] | None  # of an array; None for a number


def is_dict(x: Any) -> TypeGuard[dict[Any, Any]]:
    """Whether x is a dict."""
    return isinstance(x, dict)


def is_sequence(x: Any) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Whether x is a list or a tuple."""
    return isinstance(x, (list, tuple))


def is_array(x: Any) -> bool:
    """Whether x is a NumPy array with at least one axis."""
    return type(x).__module__ == "numpy" and getattr(x, "shape", ()) != ()


def blocks(tree: Any) -> list[Any]:
    """The numbers and arrays of a tree, from left to right; dicts in the order of their keys' insertion.

    An array without an axis is the number in it.
    """
    if is_dict(tree):
        return [block for branch in tree.values() for block in blocks(branch)]
    if is_sequence(tree):
        return [block for branch in tree for block in blocks(branch)]
    return [tree.item() if type(tree).__name__ == "ndarray" and not tree.shape else tree]


def shapes(tree: Any) -> list[ArrayShape]:
    """The shape of each block."""
    return [block.shape if is_array(block) else None for block in blocks(tree)]


def flat_numbers(tree: Any) -> list[Any]:
    """Every number of a tree, those of arrays included in row-major order."""
    return [x for block in blocks(tree) for x in (block.ravel().tolist() if is_array(block) else [block])]


def rebuild(tree: Any, new: Iterable[Any]) -> Any:
    """The tree with its blocks replaced, in order."""
    return _rebuild(tree, iter(new))


def _rebuild(tree: Any, new: Iterator[Any]) -> Any:
    if is_dict(tree):
        return {key: _rebuild(branch, new) for key, branch in tree.items()}
    if is_sequence(tree) and hasattr(tree, "_fields"):
        return type(tree)(*[_rebuild(branch, new) for branch in tree])
    if is_sequence(tree):
        branches = [_rebuild(branch, new) for branch in tree]
        return branches if isinstance(tree, list) else tuple(branches)
    return next(new)


def block_size(shape: ArrayShape) -> int:
    """How many numbers a block holds."""
    return 1 if shape is None else math.prod(shape)


def block(numbers: list[Any], shape: ArrayShape) -> Any:
    """A block of that shape: floats make a float array, Values an array of objects."""
    if shape is None:
        return numbers[0]
    import numpy as np

    dtype = float if all(isinstance(x, float) for x in numbers) else object
    return np.array(numbers, dtype=dtype).reshape(shape)


def assemble(tree: Any, numbers: Iterable[Any]) -> Any:
    """The tree with its numbers replaced, in order."""
    waiting = iter(numbers)
    return rebuild(tree, [block([next(waiting) for _ in range(block_size(shape))], shape) for shape in shapes(tree)])


def matching(tree: Any, like: Any, name: str) -> list[Any]:
    """The numbers of a tree that must nest as `like` does, in the order of `like`; a ValueError where it does not."""
    given, wanted = _kind_of_tree(tree), _kind_of_tree(like)
    if given != wanted:
        raise ValueError(f"{name} must be shaped like what it belongs to: {wanted}, not {given}")
    if is_dict(like):
        return [x for key in like for x in matching(tree[key], like[key], f"{name}[{key!r}]")]
    if is_sequence(like):
        return [x for i, branch in enumerate(tree) for x in matching(branch, like[i], f"{name}[{i}]")]
    return flat_numbers(tree)


def _kind_of_tree(tree: Any) -> str:
    if is_dict(tree):
        return f"a dict of {sorted(map(repr, tree))}"
    if is_sequence(tree):
        return f"a sequence of {len(tree)}"
    return f"an array of shape {tree.shape}" if is_array(tree) else "a number"


def addresses(tree: Any, name: str) -> list[str]:
    """Where each number of a tree is found: `x[0]['w'][2]`."""
    if is_dict(tree):
        return [where for key, branch in tree.items() for where in addresses(branch, f"{name}[{key!r}]")]
    if is_sequence(tree):
        return [where for i, branch in enumerate(tree) for where in addresses(branch, f"{name}[{i}]")]
    if not is_array(tree):
        return [name]
    return [f"{name}[{', '.join(map(str, index))}]" for index in itertools.product(*map(range, tree.shape))]
