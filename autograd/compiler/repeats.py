"""Repeats: runs of operations that compute the same again and again, each round from the results of the one before.

A recurrence over many steps is hundreds of small arrays. Where they come in rounds, a host can run one round in a loop:
what it reads is then a result of this round or of the one before, the same in all rounds, or one after another of what
was there before the loop, such as the steps' inputs or the weights of equal layers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from autograd.compiler.kernels import Code, Operation

LONGEST = 200  # operations in a round
LEAST = 4  # rounds


@dataclass
class Reading:
    """What the rounds after the first read in one place.

    Attributes:
        at: the places, in the rounds one after the other.
        varies: where these differ although they are no results of the rounds.
    """

    at: np.ndarray
    varies: np.ndarray


@dataclass
class Repeat:
    """`count` rounds of `length` operations, from operation `start` on.

    Attributes:
        readings: of each operation of a round, of each of its reads.
        carried: the operations whose results the next round reads.
    """

    start: int
    length: int
    count: int
    readings: list[list[Reading]]
    carried: list[int]

    @property
    def stop(self) -> int:
        """The operation after the last round."""
        return self.start + self.length * self.count


def kind(operation: Operation) -> tuple:
    """What two operations have in common of which one may stand for the other."""
    group = operation.group
    reads = tuple((read.at.shape, read.batched, read.constant is None) for read in operation.reads)
    return group.op, operation.kind, group.shape, group.batched, group.starts_at_zero, operation.pairs, reads


def repeats(operations: list[Operation], code: Code) -> list[Repeat]:
    """The repeats among operations, in order."""
    numbers: dict[tuple, int] = {}
    kinds = np.array([numbers.setdefault(kind(operation), len(numbers)) for operation in operations])
    return list(among(operations, code, kinds, 0, len(operations)))


def among(operations: list[Operation], code: Code, kinds: np.ndarray, low: int, high: int) -> Iterator[Repeat]:
    """The repeats among some of the operations."""
    best = None
    for start, length, count in candidates(kinds, low, high):
        found = repeat(operations, code, start, length, count)
        if found and (best is None or found.count * found.length > best.count * best.length):
            best = found
        if best and best.count * best.length > (high - low) // 2:
            break
    if best:
        yield from among(operations, code, kinds, low, best.start)
        yield best
        yield from among(operations, code, kinds, best.stop, high)


def candidates(kinds: np.ndarray, low: int, high: int) -> Iterator[tuple[int, int, int]]:
    """Runs of equal kinds in rounds: start, length of a round, rounds."""
    part = kinds[low:high]
    for length in range(1, min(LONGEST, len(part) // LEAST) + 1):
        same = np.concatenate([[False], part[length:] == part[:-length], [False]])
        edges = np.flatnonzero(same[1:] != same[:-1]).reshape(-1, 2)
        for first, last in edges.tolist():
            count = (last - first) // length + 1
            if count >= LEAST:
                yield low + first, length, count


def repeat(operations: list[Operation], code: Code, start: int, length: int, count: int) -> Repeat | None:
    """The rounds that can be a loop, as many of `count` as go on in the same way; None for few of them."""
    readings: list[list[Reading]] = []
    carried: set[int] = set()
    starts = np.array([operation.group.start for operation in operations] + [0])
    for j in range(length):
        readings.append([])
        rounds = [operations[start + t * length + j].reads for t in range(1, count)]
        for reads in zip(*rounds):
            at, constants = np.stack([read.at for read in reads]), {read.constant for read in reads}
            if len(constants) == 1 and None not in constants:
                at = np.broadcast_to(at[:1], at.shape)
            reading, valid = classified(at, code.regions[reads[0].batched], starts, start, length)
            if not valid:
                return None
            if valid < len(at):  # the later rounds read something else
                return repeat(operations, code, start, length, valid + 1) if valid + 1 >= LEAST else None
            readings[-1].append(reading)
            before = code.regions[reads[0].batched][at[0]] - start
            carried.update(before[(before >= 0) & (before < length)].tolist())
    return Repeat(start, length, count, readings, sorted(carried))


def classified(at: np.ndarray, regions: np.ndarray, starts: np.ndarray, start: int, length: int) -> tuple[Reading, int]:
    """What is read in rounds, and how many of these from the first on can be a loop."""
    region = regions[at]
    index = at - starts[region]  # starts[-1] is 0, for what is no result
    rounds = np.arange(len(at)).reshape(-1, *[1] * (at.ndim - 1))
    is_result = region[0] >= start
    goes_on = (region - rounds * length == region[:1]) & (index == index[:1])
    valid = np.where(is_result, goes_on, region < start).reshape(len(at), -1).all(axis=1)
    count = len(at) if valid.all() else int(np.argmin(valid))
    return Reading(at, ~is_result & (at != at[:1]).any(axis=0)), count


def covered(found: list[Repeat], count: int) -> int:
    """How many of so many operations are left to be written, each round once and the first one apart."""
    return count - sum(each.length * (each.count - 2) for each in found)


def gaps(found: list[Repeat], count: int) -> Iterator[tuple[range, Repeat | None]]:
    """The operations before, between and after repeats, and these."""
    ends = [(0, 0), *((each.start + each.length, each.stop) for each in found)]
    for (_, stop), each in itertools.zip_longest(ends, found):
        yield range(stop, each.start + each.length if each else count), each
