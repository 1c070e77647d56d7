"""Loops: a long chain of single numbers as a Python loop over the same kernels.

Where a graph is deep and narrow there are no arrays to find, but often the same few operations follow each other again
and again. The period of the sequence becomes the body of a loop; the way back is a loop too, over the values that its
kernels read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np

from autograd.calculus.slopes import AFTER
from autograd.compiler.fuse import Fused
from autograd.compiler.kernels import Code, Kernel, Loop, as_number, flat
from autograd.compiler.roll import stem
from autograd.compiler.terms import WORDS, Buffer, Expression, Number, Term, View, substitute, term_of
from autograd.compiler.trace import Trace, steep
from autograd.compiler.transpose import times
from autograd.core.table import TABLE, evaluate

_STRAIGHT = 2000  # nodes outside the loop that may be written out
_MANY = 16  # terms of a sum that are written one after the other
_LONGEST = 128  # nodes in a loop's body


@dataclass
class Period:
    """`count` repetitions of `length` nodes from `start` on, in the sequence of all nodes."""

    start: int
    length: int
    count: int


def is_narrow(fused: Fused) -> bool:
    """Whether a graph is so deep for its size that its arrays would hold a few numbers."""
    return len(fused.nodes) < 6 * fused.depth.max()


def period(traced: Trace, sequence: list[int]) -> Period | None:
    """The repetition that covers nearly all of a sequence of nodes, if there is one."""
    lists, at = traced.lists, np.full(len(traced), -1)
    at[sequence] = np.arange(len(sequence))
    uses = np.bincount(lists.flat, minlength=len(traced))
    near = (at >= 0) & (uses < 100)
    distances = np.where(near[lists.flat], at[lists.owners] - at[lists.flat], 0)
    kind = lists.keys(np.array(sequence), traced.codes, distances)
    for length in range(1, min(_LONGEST, len(sequence) // 4) + 1):
        same = kind[length:] == kind[:-length]
        if same.mean() < 0.9:
            continue
        edges = np.flatnonzero(np.diff(same, prepend=False, append=False))
        start, stop = max(edges.reshape(-1, 2).tolist(), key=lambda run: run[1] - run[0])
        count = (stop - start) // length + 1
        if len(sequence) - count * length <= _STRAIGHT:
            return Period(start, length, count)
    return None


def is_scalar(op: str) -> bool:
    """Whether an operation can be written in plain Python: it takes no list, or it is a sum."""
    return not TABLE[op].lists or op in ("sum", "mean", "weighted_sum")


class Narrow:
    """The kernels of a narrow graph: before a loop, of its body, and after it.

    Node `q` of the body has one place in all rounds. What it reads of the round before has another, a copy of it.
    """

    def __init__(self, traced: Trace, parameters: int, others: Sequence[float], found: Period, sequence: list[int]):
        self.traced, self.found, self.sequence = traced, found, sequence
        start, stop = found.start, found.start + found.count * found.length
        self.before, self.after = sequence[:start], sequence[stop:]
        self.body, self.last = sequence[start : start + found.length], sequence[stop - found.length : stop]
        self.nodes = [*self.before, *self.body, *self.after]
        n_leaves, count = len(traced.leaves), len(self.nodes) + len(self.body)
        names = [stem(traced.labels.get(node, "")) or f"{traced.ops[node]}#" for node in self.nodes]
        size = n_leaves + count
        self.code = Code(
            values=(Buffer(size, False, "v"), Buffer(0, True, "vs")),
            slopes=(Buffer(size, False, "g"), Buffer(0, True, "gs")),
            regions=(np.r_[np.full(n_leaves, -1), np.arange(count)], np.zeros(0, int)),
            names=names + [""] * len(self.body),
            hint=lambda _, k: stem(traced.labels.get(traced.leaves[k], "")) if k < n_leaves else "",
            constants={},
            ones=[],
            roots=[],
            parameters=parameters,
            inputs=0,
            first_input=0,
            per_example=False,
            narrow=True,
            others=others,
        )
        place = {node: k for k, node in enumerate([*traced.leaves, *self.nodes])}
        self.place: dict[int, Any] = {i: View(self.code.values[0], k) for i, k in place.items()}
        self.place |= traced.constants
        self.place |= {last: self.place[first] for first, last in zip(self.body, self.last)}
        self.earlier = [View(self.code.values[0], size - len(self.body) + q) for q in range(len(self.body))]
        self.needs = self.needed(set(traced.leaves[:parameters]))
        self.steep = steep(traced)
        self.steep[self.body] |= self.steep[self.last]

    def needed(self, parameters: set[int]) -> set[int]:
        """The nodes that depend on a parameter."""
        needs, operands = set(parameters), self.traced.operands
        for node in self.sequence:
            if not needs.isdisjoint(operands[node]):
                needs.add(node)
        for first, last in zip(self.body, self.last):  # the first round may need less than those after it
            needs |= {x for x, later in [(first, last), *zip(operands[first], operands[last])] if later in needs}
        return needs

    def carried(self) -> dict[int, int] | None:
        """Which node before the loop stands for which position of the round before; None if rounds differ otherwise."""
        operands, length = self.traced.operands, self.found.length
        position = {node: q for q, node in enumerate(self.body)}
        place = {node: k for k, node in enumerate(self.sequence[: self.found.start + length])}
        last_before = self.sequence[self.found.start + (self.found.count - 2) * length :][:length]
        carried: dict[int, int] = {}
        for first, last in zip(self.body, self.last):
            for x, later in zip(operands[first], operands[last]):
                if x in position or x == later:
                    continue
                r = place.get(x, -1) - self.found.start + length
                if not 0 <= r < length or later != last_before[r] or carried.setdefault(x, r) != r:
                    return None
        looped = self.sequence[self.found.start : self.found.start + self.found.count * length]
        flat = np.fromiter(chain.from_iterable(map(operands.__getitem__, looped)), int)
        width = sum(len(operands[node]) for node in self.body)
        given = np.zeros(len(operands), bool)
        given[[*self.traced.leaves, *self.traced.constants]] = True
        varying = (flat[width:] != flat[: len(flat) - width]) & given[flat[: len(flat) - width]]
        read_after = {x for node in self.after for x in operands[node]} | set(self.traced.roots)
        carried_last = {self.last[r] for r in carried.values()}
        if varying.any() or read_after.intersection(looped) - carried_last or len(set(carried.values())) < len(carried):
            return None
        return carried

    # Kernels

    def slope(self, view: View) -> View:
        """The place of a number's gradient."""
        return View(self.code.slopes[0], view.start)

    def forth(self, node: int, places: dict[int, Any]) -> Iterator[Kernel]:
        """The kernels of a node."""
        row = TABLE[self.traced.ops[node]]
        if row.domain:  # a slope, which exists only where the operation that it is the slope of does
            names = dict(zip(row.operands, map(as_number, [places[x] for x in self.traced.operands[node]])))
            checked = View(Buffer(1, name="checked"))
            self.code.required.add(checked.buffer)
            yield Kernel(checked, term_of(evaluate(TABLE[row.domain].value, WORDS, names)))
        yield Kernel(places[node], self.value(node, places))

    def value(self, node: int, places: dict[int, Any]) -> Expression:
        """The value of a node as a term."""
        op = self.traced.ops[node]
        row, xs = TABLE[op], [places[x] for x in self.traced.operands[node]]
        if op == "weighted_sum":
            n = len(xs) // 2
            return added([*(Term("multiply", pair) for pair in zip(xs[:n], xs[n : 2 * n])), xs[-1]])
        if row.lists:
            return Term("divide", (added(xs), float(len(xs)))) if op == "mean" else added(xs)
        return term_of(evaluate(row.value, WORDS, dict(zip(row.operands, map(as_number, xs)))))

    def back(self, node: int, places: dict[int, Any]) -> Iterator[Kernel]:
        """What a node adds to the gradients of its operands."""
        if node not in self.needs:
            return
        op, operands, out = self.traced.ops[node], self.traced.operands[node], places[node]
        row, xs, up = TABLE[op], [places[x] for x in operands], self.slope(out)
        n = len(xs) // 2
        if op == "weighted_sum":
            slopes: list[Any] = [*xs[n : 2 * n], *xs[:n], 1.0]
        elif row.lists:
            slopes = [1.0 / len(xs) if op == "mean" else 1.0] * len(xs)
        else:
            names = dict(zip(row.operands, map(as_number, xs))) | {"out": Number(out)}
            slopes = [term_of(evaluate(partial, WORDS, names)) for partial in row.partials]
        for node_of, x, slope in zip(operands, xs, slopes):
            is_zero = isinstance(slope, float) and slope == 0.0
            if is_zero and (op == AFTER or not self.steep[node_of]):
                continue
            if isinstance(x, View) and node_of in self.needs:
                yield Kernel(self.slope(x), times(up, slope), add=True)

    def kernels(self) -> Code | None:
        """The program, or None if the graph does not fit one loop."""
        carried = self.carried()
        if carried is None or not all(map(is_scalar, {self.traced.ops[node] for node in self.sequence})):
            return None
        code, place = self.code, self.place
        code.roots = [place[root] for root in self.traced.roots]
        straight = lambda nodes, places: [k for node in nodes for k in self.forth(node, places)]  # noqa: E731
        back = lambda nodes, places: [k for node in reversed(nodes) for k in self.back(node, places)]  # noqa: E731
        inside = place | {x: self.earlier[r] for x, r in carried.items()}
        entry = [Kernel(place[self.body[r]], place[x]) for x, r in carried.items()]
        before = tuple((place[self.body[r]], self.earlier[r]) for r in carried.values())
        leaving = [Kernel(self.slope(place[self.body[r]]), self.slope(self.earlier[r])) for r in carried.values()]
        fresh = [self.slope(place[node]) for q, node in enumerate(self.body) if q not in carried.values()]
        fresh += [self.slope(self.earlier[r]) for r in carried.values()]
        handed = [
            Kernel(self.slope(place[x]), self.slope(place[self.body[r]]), add=True)
            for x, r in carried.items() if x in self.needs
        ]  # fmt: skip
        looped = bool(self.body)
        forward = Loop(self.found.count, tuple(straight(self.body, inside)), before)
        backward = (*(Kernel(x, 0.0) for x in fresh), *back(self.body, inside), *leaving)
        backward = Loop(self.found.count, backward, before, back=True)
        code.forward = [
            *straight(self.before, place), *entry, *[forward] * looped, *straight(self.after, place)
        ]  # fmt: skip
        outside = [*self.traced.leaves, *self.before, *(self.body[r] for r in carried.values()), *self.after]
        slopes = [self.slope(place[node]) for node in outside if node in self.needs]
        code.backward = [
            *(Kernel(slope, 0.0) for slope in slopes), Kernel(self.slope(code.roots[0]), 1.0, add=True),
            *back(self.after, place), *[backward] * looped, *handed, *back(self.before, place),
        ]  # fmt: skip
        return code


def added(terms: Sequence[Expression]) -> Expression:
    """The sum of some terms; of many, of its halves, so that neither we nor Python's parser recurse deeply."""
    if len(terms) > _MANY:
        half = len(terms) // 2
        return Term("add", (added(terms[:half]), added(terms[half:])))
    total, *others = terms
    for other in others:
        total = Term("add", (total, other))
    return total


def narrow(traced: Trace, parameters: int, inputs: int, others: Sequence[float]) -> Code | None:
    """The program of a long chain over single numbers: one loop, or straight lines; None if it is neither."""
    sequence = np.flatnonzero(traced.lists.lengths).tolist()
    if inputs or len(traced.roots) > 1 or len(sequence) < _STRAIGHT:
        return None
    found = period(traced, sequence)
    code = Narrow(traced, parameters, others, found, sequence).kernels() if found else None
    return code or Narrow(traced, parameters, others, Period(len(sequence), 0, 0), sequence).kernels()


def renamed(kernels: tuple[Kernel, ...], fixed: set[View]) -> tuple[Kernel, ...]:
    """A loop's kernels without copies of numbers that are in it alone: these are computed where they would go."""
    for copied in kernels:
        target, source = copied.out, copied.term
        if copied.add or not isinstance(source, View) or source in fixed or copied not in kernels:
            continue
        start, *_, end = [k for k, kernel in enumerate(kernels) if source in (kernel.out, *kernel.reads)] * 2
        is_made = kernels[start].out == source and not kernels[start].add and source not in kernels[start].reads
        is_free = not any(target in (kernel.out, *kernel.reads) for kernel in kernels[start + 1 : end])
        if is_made and is_free and kernels[end] is copied:
            name = lambda view: target if view == source else view  # noqa: B023, E731
            kernels = tuple([
                replace(kernel, out=name(kernel.out), term=substitute(kernel.term, name))
                for kernel in kernels if kernel is not copied
            ])  # fmt: skip
    return kernels


def settled(code: Code) -> Code:
    """The program with what its loops keep, and without copies of what is read before it is renewed."""
    loops = [item for item in code.backward if isinstance(item, Loop)]
    needed = {view for loop in loops for kernel in loop.kernels for view in kernel.reads}

    def settle(item: Kernel | Loop) -> Kernel | Loop:
        if not isinstance(item, Loop):
            return item
        kept = tuple((now, before) for now, before in item.before if needed & {now, before})
        own = {kernel.out for loop in code.forward if isinstance(loop, Loop) for kernel in loop.kernels}
        saved = tuple(sorted((own & needed) - {now for now, _ in item.before}, key=lambda view: view.start))
        kernels = item.kernels
        if not item.back:
            for now, before in item.before:
                renewed = next((k for k, kernel in enumerate(kernels) if kernel.out == now), len(kernels))
                if any(before in kernel.reads for kernel in kernels[renewed + 1 :]):
                    kernels = (Kernel(before, now), *kernels)
                else:
                    kernels = tuple(
                        replace(kernel, term=substitute(kernel.term, lambda v: now if v == before else v))  # noqa: B023
                        for kernel in kernels
                    )
        others = flat([other for other in (*code.forward, *code.backward) if other is not item])
        fixed = {*chain(*item.before), *saved, *code.roots, *chain(*((each.out, *each.reads) for each in others))}
        return replace(item, kernels=renamed(kernels, fixed), kept=kept, saved=saved)

    return replace(code, forward=list(map(settle, code.forward)), backward=list(map(settle, code.backward)))
