"""Ordering: parameters from the order of `wrt` to their places in a program, and gradients back.

Where a bias lies before its weights, one index for every parameter takes longer than a layer's weights do as one block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# A block takes as long as so many parameters by index do, and copying all of them once more as these.
_BLOCK, _COPY = 260, 600


@dataclass
class Block:
    """`rows` stretches of `n` parameters: from `index` on in the order of `wrt`, from `place` on in the program."""

    place: int
    index: int
    n: int
    rows: int = 1
    place_step: int = 0
    index_step: int = 0

    def extended(self, place: int, index: int) -> bool:
        """Whether another stretch is the next row; then it is one."""
        last = self.rows - 1
        steps = place - self.place - last * self.place_step, index - self.index - last * self.index_step
        if min(steps) < self.n or (self.rows > 1 and steps != (self.place_step, self.index_step)):
            return False
        self.place_step, self.index_step = steps
        self.rows += 1
        return True

    def at_places(self, array: np.ndarray) -> np.ndarray:
        """The block in an array in the order of the program."""
        return self.view(array, self.place, self.place_step)

    def at_indices(self, array: np.ndarray) -> np.ndarray:
        """The block in an array in the order of `wrt`."""
        return self.view(array, self.index, self.index_step)

    def view(self, array: np.ndarray, start: int, step: int) -> np.ndarray:
        """Its rows, a step apart from a start on."""
        return np.lib.stride_tricks.as_strided(
            array[start:], (self.rows, self.n), (step * array.itemsize, array.itemsize)
        )


def blocks(order: np.ndarray) -> list[Block] | None:
    """The blocks in which parameters are moved, if that is quicker than one by one."""
    starts = np.flatnonzero(np.diff(order, prepend=order[0]) != 1)
    most = (len(order) - _COPY) // _BLOCK
    if len(starts) > len(order) // 8 or most < 1:
        return None
    found: list[Block] = []
    latest: dict[int, Block] = {}  # by the length of its rows
    lengths = np.diff(starts, append=len(order))
    for place, index, n in zip(starts.tolist(), order[starts].tolist(), lengths.tolist()):
        if n not in latest or not latest[n].extended(place, index):
            latest[n] = Block(place, index, n)
            found.append(latest[n])
    return found if len(found) <= most else None


class Ordering:
    """Moves parameters into an array in the order of a program, and gradients out of one."""

    def __init__(self, order: np.ndarray, found: list[Block] | None, theta: np.ndarray, slopes: np.ndarray):
        self.order, self.theta, self.slopes = order, theta, slopes
        self.place = np.empty_like(order)
        self.place[order] = np.arange(len(order))
        self.given, self.gradient = np.empty(len(order)), np.empty(len(order))
        self.ways_in = [(each.at_places(theta), each.at_indices(self.given)) for each in found or ()]
        self.ways_out = [(each.at_indices(self.gradient), each.at_places(slopes)) for each in found or ()]

    def set(self, theta: np.ndarray) -> None:
        """Put parameters into their places."""
        if not self.ways_in:
            theta.take(self.order, out=self.theta, mode="clip")
            return
        self.given[:] = theta
        for target, source in self.ways_in:
            target[...] = source

    def ordered(self) -> np.ndarray:
        """The gradient in the order of `wrt`, a new array."""
        if not self.ways_out:
            return self.slopes.take(self.place, mode="clip")
        for target, source in self.ways_out:
            target[...] = source
        return self.gradient.copy()
