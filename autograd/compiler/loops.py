"""Loops: a long chain of single numbers as a Python loop.

Where a graph is deep and narrow there are no arrays to find, but often the same few operations follow each other again
and again. The period of the sequence becomes the body of a loop over plain floats; the way back is a loop too, over the
values that the partials need.
"""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np

from autograd.compiler.arithmetic import ScalarPower, hides_infinity, hides_nan, tree, written
from autograd.compiler.emit import head, used_names
from autograd.compiler.expressions import names_in
from autograd.compiler.legacy import FLOATS
from autograd.compiler.roll import stem
from autograd.compiler.trace import CONSTANT, LEAF, Trace
from autograd.compiler.views import Emitted, Names
from autograd.core.table import PRIMITIVES

_STRAIGHT = 2000  # nodes outside the loop that may be written out
_LONGEST = 128  # nodes in a loop's body
_SIMPLE = {"0.0", "0.5", "1.0", "2.0", "-1.0"}  # numbers that make an expression simpler


@dataclass
class Period:
    """`count` repetitions of `length` nodes from `start` on, in the sequence of all nodes."""

    start: int
    length: int
    count: int


def period(traced: Trace, sequence: list[int]) -> Period | None:
    """The repetition that covers nearly all of a sequence of nodes, if there is one."""
    lengths = [len(traced.operands[node]) for node in sequence]
    at = np.full(len(traced.ops), -1)
    at[sequence] = np.arange(len(sequence))
    uses = np.bincount(traced.flat, minlength=len(traced.ops))
    near = (at >= 0) & (uses < 100)
    distances = np.where(near[traced.flat], np.repeat(np.arange(len(sequence)), lengths) - at[traced.flat], 0)
    following = iter(distances.tolist())
    kinds: dict[tuple, int] = {}
    kind = np.array([
        kinds.setdefault((traced.ops[node], *islice(following, n)), len(kinds)) for node, n in zip(sequence, lengths)
    ])  # fmt: skip
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


@functools.lru_cache(maxsize=1024)
def _pattern(text: str, operands: tuple[tuple[str, str], ...]) -> tuple[str, set[str]]:
    """An expression of the table as plain Python in other names, or numbers, and the words that it uses."""
    expanded = ScalarPower().visit(tree(text, dict(operands)))
    return ast.unparse(expanded), names_in(expanded) & (set(FLOATS) - {"abs"})


def is_scalar(op: str) -> bool:
    """Whether an operation can be written in plain Python: it takes no list, or it is a sum."""
    return not PRIMITIVES[op].variadic or op in ("sum", "mean", "weighted_sum")


class LoopEmitter:
    """Writes a program of one loop, with what comes before and after it.

    Node `q` of the body has one name in all rounds. What it reads of the round before still has that name when it is
    read, and `..._before` on the way back.
    """

    def __init__(self, traced: Trace, parameters: int, others: list[float], found: Period, sequence: list[int]):
        self.others = others
        self.traced, self.found, self.sequence = traced, found, sequence
        self.place = {leaf: k for k, leaf in enumerate(traced.leaves)}
        start, stop = found.start, found.start + found.count * found.length
        self.before, self.after = sequence[:start], sequence[stop:]
        self.body, self.last = sequence[start : start + found.length], sequence[stop - found.length : stop]
        self.parameters = set(traced.leaves[:parameters])
        self.needs = set(self.parameters)
        independent = self.needs.isdisjoint
        for node in sequence:
            if not independent(traced.operands[node]):
                self.needs.add(node)
        for first, last in zip(self.body, self.last):  # the first round may need less than those after it
            pairs = [(first, last), *zip(traced.operands[first], traced.operands[last])]
            self.needs |= {x for x, later in pairs if later in self.needs}
        self.words: set[str] = set()
        self.names: dict[int, str] = {i: written(x) for i, x in traced.constants.items()}
        self.taken = Names()
        self.hides_infinity = any(map(hides_infinity, set(traced.ops)))
        self.forward: list[str] = []
        self.backward: list[str] = []
        self.saved: list[str] = []
        self.started: set[str] = set()  # gradients that have a first contribution
        self.late: set[int] = set()  # positions whose value of the round before is read after its renewal

    def emit(self) -> Emitted | None:
        """The program, or None if the graph does not fit one loop."""
        carried = self.carried()
        if carried is None or not all(map(is_scalar, {self.traced.ops[node] for node in self.sequence})):
            return None
        for node in [*self.traced.leaves, *self.before, *self.body, *self.after]:
            self.give_name(node)
        self.names |= {last: self.names[first] for first, last in zip(self.body, self.last)}
        for leaf in self.traced.leaves:
            self.forward.append(f"{self.names[leaf]} = v.item({self.place[leaf]})")
        for node in self.before:
            self.forward += self.assignment(node)
        if self.body:
            self.loop_forward(carried)
        for node in self.after:
            self.forward += self.assignment(node)
        root = self.traced.roots[0]
        self.started.add(f"d{self.names[root]}")
        self.backward.append(f"d{self.names[root]} = 1.0")
        for node in reversed(self.after):
            self.hand_on(node, self.backward)
        if self.body:
            self.loop_backward(carried)
        for node in reversed(self.before):
            self.hand_on(node, self.backward)
        for leaf in self.traced.leaves:
            if leaf in self.parameters and f"d{self.names[leaf]}" in self.started:
                self.backward.append(f"g[{self.place[leaf]}] = d{self.names[leaf]}")
        return self.finished(self.names[root])

    def finished(self, root: str) -> Emitted:
        """The lines with their definitions."""
        size = len(self.traced.leaves)
        defined = {line.split(" = ")[0] for line in self.forward if not line.startswith(" ")}
        defined |= {self.names[node] for node in self.body}
        used = used_names(self.backward)
        self.words |= {"nan"} & (used | used_names(self.forward))
        return Emitted(
            setup=[
                f"v, g = np.zeros({size}), np.zeros({size})",
                "vs, gs = np.zeros((0, examples)), np.zeros((0, examples))",
                f"v[{len(self.parameters)} :] = [{', '.join(map(written, self.others))}]  # the other leaves",
            ],
            forward=self.forward,
            backward=self.backward,
            head=head(self.words),
            saved=sorted(used & (defined | set(self.saved))),
            roots=root,
        )

    # Who reads what

    def carried(self) -> dict[int, int] | None:
        """Which node before the loop stands for which position of the round before; None if rounds differ otherwise."""
        operands, length = self.traced.operands, self.found.length
        position = {node: q for q, node in enumerate(self.body)}
        place = {node: k for k, node in enumerate(self.sequence[: self.found.start + length])}
        last_before = self.sequence[self.found.start + (self.found.count - 2) * length :][:length]
        carried: dict[int, int] = {}
        for q, (first, last) in enumerate(zip(self.body, self.last)):
            for x, later in zip(operands[first], operands[last]):
                if x in position or x == later:
                    continue
                r = place.get(x, -1) - self.found.start + length
                if not 0 <= r < length or later != last_before[r] or carried.setdefault(x, r) != r:
                    return None
                if q > r:
                    self.late.add(r)
        looped = self.sequence[self.found.start : self.found.start + self.found.count * length]
        flat = np.fromiter(chain.from_iterable(map(operands.__getitem__, looped)), int)
        width = sum(len(operands[node]) for node in self.body)
        given = np.zeros(len(operands), bool)
        given[[*self.place, *self.traced.constants]] = True
        varying = (flat[width:] != flat[: len(flat) - width]) & given[flat[: len(flat) - width]]
        read_after = {x for node in self.after for x in operands[node]} | set(self.traced.roots)
        carried_last = {self.last[r] for r in carried.values()}
        if varying.any() or read_after.intersection(looped) - carried_last or len(set(carried.values())) < len(carried):
            return None
        return carried

    # Texts

    def give_name(self, node: int) -> None:
        """A name that nothing else has."""
        if node in self.names:
            return
        base = stem(self.traced.labels.get(node, "")) or ("p" if node in self.place else self.traced.ops[node])
        self.names[node] = self.taken.new(base, "d{}", "{}_kept", "{}_before", "d{}_before")

    def terms(self, node: int, names: list[str], out: str) -> tuple[str, list[str]]:
        """The value of a node and its partials with respect to all operands, as plain Python."""
        op = self.traced.ops[node]
        row = PRIMITIVES[op]
        n = len(names) // 2
        if op == "weighted_sum":
            value = " + ".join([*(f"{w} * {x}" for w, x in zip(names[:n], names[n : 2 * n])), names[-1]])
            return value, [*names[n : 2 * n], *names[:n], "1.0"]
        if row.variadic:
            total, share = " + ".join(names), written(1.0 / len(names))
            return (
                (f"({total}) / {len(names)}", [share] * len(names)) if op == "mean" else (total, ["1.0"] * len(names))
            )
        given = dict(zip(row.operands, names))
        return self.python(row.value, given), [self.python(partial, given | {"out": out}) for partial in row.partials]

    def python(self, text: str, names: dict[str, str]) -> str:
        """An expression of the table as plain Python."""
        texts = list(names.values())
        operands = tuple((x, t if t in _SIMPLE else f"_{k}_") for k, (x, t) in enumerate(names.items()))
        pattern, words = _pattern(text, operands)
        self.words |= words
        return re.sub(r"\b_(\d+)_\b", lambda place: texts[int(place[1])], pattern)

    def value(self, node: int, names: dict[int, str] | None = None) -> str:
        """The value of a node."""
        names = {**{x: self.names[x] for x in self.traced.operands[node]}, **(names or {})}
        return self.terms(node, [names[x] for x in self.traced.operands[node]], self.names[node])[0]

    def assignment(self, node: int, names: dict[int, str] | None = None) -> list[str]:
        """The lines that give a node its value, or give up where a later operation would hide that it has none."""
        op, operands, name = self.traced.ops[node], self.traced.operands[node], self.names[node]
        known = {x: (names or {}).get(x, self.names[x]) for x in operands}
        lines = [f"{name} = {self.value(node, names)}"]
        row = PRIMITIVES[op]
        if row.domain:  # a slope, which exists only where the operation that it is the slope of does
            lines[:0] = [
                self.python(PRIMITIVES[row.domain].value, {x: known[node] for x, node in zip(row.operands, operands)})
            ]
        if PRIMITIVES[op].variadic and self.hides_infinity:  # an exact sum does not overflow without a word
            lines.append(f"if {name} - {name}: raise ArithmeticError")
        if hides_nan(op, [self.traced.constants.get(x) for x in operands]):
            lines[:0] = [f"if {known[x]} != {known[x]}: raise ArithmeticError" for x in operands if self.is_computed(x)]
        return lines

    def is_computed(self, node: int) -> bool:
        """Whether a node is the result of an operation."""
        return self.traced.ops[node] not in (LEAF, CONSTANT)

    def slopes(self, node: int, names: dict[int, str] | None = None) -> list[tuple[int, str]]:
        """The operands of a node that need a gradient, with the partials."""
        operands = self.traced.operands[node]
        names = {**{x: self.names[x] for x in operands}, **(names or {})}
        partials = self.terms(node, [names[x] for x in operands], self.names[node])[1]
        return [(x, p) for x, p in zip(operands, partials) if x in self.needs and p != "0.0"]

    # The loop

    def loop_forward(self, carried: dict[int, int]) -> None:
        """Emit the loop over the rounds, which keeps what the way back needs."""
        before = {x: f"{self.names[self.body[r]]}_before" for x, r in carried.items()}
        needed = {word for node in self.body if node in self.needs
                  for _, slope in self.slopes(node, before) for word in used_names([slope])}  # fmt: skip
        self.kept_before = [self.names[self.body[r]] for r in sorted(carried.values())
                            if {f"{self.names[self.body[r]]}_before", self.names[self.body[r]]} & needed]  # fmt: skip
        self.kept = [self.names[node] for node in self.body if self.names[node] in needed - set(self.kept_before)]
        start = {x: self.names[self.body[r]] for x, r in carried.items()}
        current = {x: name + "_before" * (carried[x] in self.late) for x, name in start.items()}
        self.forward += [f"{name} = {self.names[x]}" for x, name in start.items()]
        self.forward += [f"{name}_kept = []" for name in (*self.kept_before, *self.kept)]
        self.saved += [f"{name}_kept" for name in (*self.kept_before, *self.kept)]
        self.forward.append(f"for _ in range({self.found.count}):")
        self.forward += [f"    {name}_kept.append({name})" for name in self.kept_before]
        self.forward += [f"    {name} = {start[x]}" for x, name in current.items() if name != start[x]]
        for node in self.body:
            self.forward += [f"    {line}" for line in self.assignment(node, current)]
        self.forward += [f"    {name}_kept.append({name})" for name in self.kept]

    def loop_backward(self, carried: dict[int, int]) -> None:
        """Emit the loop over the rounds from the last to the first."""
        before = {x: f"{self.names[self.body[r]]}_before" for x, r in carried.items()}
        names = [self.names[self.body[r]] for r in carried.values()]
        for name in names:
            if f"d{name}" not in self.started:
                self.backward.append(f"d{name} = 0.0")
        fixed = {x for node in self.body for x in self.traced.operands[node]
                 if x in self.needs and x not in self.body and x not in carried}  # fmt: skip
        for x in sorted(fixed):
            if f"d{self.names[x]}" not in self.started:
                self.backward.append(f"d{self.names[x]} = 0.0")
                self.started.add(f"d{self.names[x]}")
        variables = [*(f"{name}_before" for name in self.kept_before), *self.kept]
        lists = [f"reversed({name}_kept)" for name in (*self.kept_before, *self.kept)]
        if not lists:
            head_line = f"for _ in range({self.found.count}):"
        elif len(lists) == 1:
            head_line = f"for {variables[0]} in {lists[0]}:"
        else:
            head_line = f"for {', '.join(variables)} in zip({', '.join(lists)}):"
        lines: list[str] = []
        self.started |= {f"d{name}" for name in names}
        fresh = {f"d{self.names[node]}" for node in self.body} - {f"d{name}" for name in names}
        self.started -= fresh
        renewed: set[int] = set()
        for node in reversed(self.body):
            self.hand_on(node, lines, before, carried, renewed)
        lines += [f"d{self.names[self.body[r]]} = 0.0" for r in carried.values() if r not in renewed]
        lines += [f"d{self.names[self.body[r]]} = d{self.names[self.body[r]]}_before" for r in self.late & renewed]
        lines += [f"{name} = {name}_before" for name in self.kept_before]
        self.backward += [head_line, *(f"    {line}" for line in lines)]
        for x, r in carried.items():
            self.add(self.backward, f"d{self.names[x]}", f"d{self.names[self.body[r]]}", x in self.needs)

    def add(self, lines: list[str], target: str, expression: str, wanted: bool = True) -> None:
        """Add a contribution to a gradient."""
        if wanted:
            lines.append(f"{target} {'+=' if target in self.started else '='} {expression}")
            self.started.add(target)

    def hand_on(self, node: int, lines: list[str], before: dict[int, str] | None = None,
                carried: dict[int, int] | None = None, renewed: set[int] | None = None) -> None:  # fmt: skip
        """Emit what a node adds to the gradients of its operands."""
        up = f"d{self.names[node]}"
        if up not in self.started:
            return
        to_previous: dict[int, list[str]] = {}
        for x, slope in self.slopes(node, before):
            contribution = {"1.0": up, "-1.0": f"-{up}"}.get(
                slope
            ) or f"{up} * {slope if slope.isidentifier() else f'({slope})'}"
            if carried and x in carried:
                to_previous.setdefault(carried[x], []).append(contribution)
            else:
                self.add(lines, f"d{self.names[x]}", contribution)
        for r, contributions in to_previous.items():  # last: this may overwrite the gradient that is handed on
            first = renewed is not None and r not in renewed
            target = f"d{self.names[self.body[r]]}{'_before' * (r in self.late)}"
            lines.append(f"{target} {'=' if first else '+='} {' + '.join(contributions)}")
            if renewed is not None:
                renewed.add(r)


def loop(traced: Trace, parameters: int, inputs: int, others: list[float]) -> Emitted | None:
    """The program of a long chain over single numbers: one loop, or straight lines; None if it is neither."""
    sequence = [i for i, op in enumerate(traced.ops) if op not in (LEAF, CONSTANT)]
    if inputs or len(traced.roots) > 1 or len(sequence) < _STRAIGHT:
        return None
    found = period(traced, sequence)
    emitted = LoopEmitter(traced, parameters, others, found, sequence).emit() if found else None
    return emitted or LoopEmitter(traced, parameters, others, Period(len(sequence), 0, 0), sequence).emit()


def is_narrow(nodes: list[int], depth: list[int]) -> bool:
    """Whether a graph of nodes at these depths is so deep for its size that its arrays would hold a few numbers."""
    return len(nodes) < 6 * max(depth)
