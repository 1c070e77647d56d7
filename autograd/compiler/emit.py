"""Emit: the groups as the text of a NumPy program, forward and back.

The text defines `program`, which allocates every array once and returns the two passes over them. Values lie in the flat
buffer `v`, their gradients in `g`; `vs` and `gs` hold those that differ by example, a row of examples each. What the passes
read are views of these buffers, named after the labels in the graph.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import itertools
import keyword
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from autograd.compiler.arithmetic import DEFINITIONS, Formula, Writer, tree
from autograd.compiler.fuse import DOT
from autograd.compiler.roll import Group, Layout, Read, stem
from autograd.compiler.trace import Trace
from autograd.expressions import names_in
from autograd.primitives import FLOATS, PRIMITIVES


@dataclass
class Emitted:
    """The text of a program, without the large index arrays that it names, and these."""

    setup: list[str] = field(default_factory=list)
    forward: list[str] = field(default_factory=list)
    backward: list[str] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    head: list[str] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)
    roots: str = ""


def array(name: str) -> Formula:
    """An array as it stands."""
    return Formula("x", {"x": name})


_BUFFERS = "v g vs gs e es np examples forward backward program".split()


def is_number(group: Group) -> bool:
    """Whether a group is one number, which plain Python computes faster than NumPy."""
    return not group.batched and group.size == 1 and group.kind in ("elementwise", "sum", "rows")


class Views:
    """The names of a program: its buffers, the views of them that are read and written, and its constant arrays."""

    def __init__(self, traced: Trace, layout: Layout, parameters: int, inputs: int, per_example: bool):
        self.traced, self.layout = traced, layout
        self.parameters, self.inputs, self.per_example = parameters, inputs, per_example
        self.program = Emitted()
        self.names = {*_BUFFERS, *FLOATS, *PRIMITIVES, *keyword.kwlist, *dir(builtins), "base64", "math", "zlib", *DEFINITIONS}
        self.numbered: dict[str, int] = {}
        self.views: dict[tuple, str] = {}
        self.lines = self.program.forward
        self.writer = Writer(lambda line: self.lines.append(line), self._declare)
        self.hints: dict[tuple[bool, int], str] = {}
        self.constant_at = np.zeros(layout.sizes[0], bool)
        self.constant_at[layout.place[list(traced.constants)]] = True
        self.owner = self._owners()
        self.needs = self._needs_gradient()
        self.gathered: dict[Read, str] = {}
        self._name_groups()

    def unique(self, name: str) -> str:
        """The name, or the name with a number that makes it new."""
        candidate = name
        while candidate in self.names:
            self.numbered[name] = self.numbered.get(name, 1) + 1
            candidate = f"{name}_{self.numbered[name]}"
        self.names.add(candidate)
        return candidate

    def _declare(self, shape: str, dtype: str) -> str:
        name = self.unique("mask" if dtype == "bool" else "t")
        self.program.setup.append(f"{name} = np.empty({shape}{', bool' if dtype == 'bool' else ''})")
        return name

    def constant(self, array: np.ndarray, name: str = "index") -> str:
        """The name of a constant array of the program."""
        name = self.unique(name)
        self.program.arrays[name] = array
        return name

    @staticmethod
    def shape(dimensions: tuple[int, ...], batched: bool) -> str:
        """Source for the shape of an array."""
        return f"({', '.join([*map(str, dimensions), *['examples'] * batched])},)".replace(",,", ",")

    def view(self, buffer: str, at: np.ndarray, strides: tuple[int, ...], batched: bool, name: str,
             spread: bool = False, whole: bool = False) -> str:  # fmt: skip
        """The name of the strided view of a buffer at affine positions; axes of step 0 have length 1 in it.

        Those that lead are left out, unless `whole`. With `spread` there is one more of length 1, for the examples.
        """
        lead = 0 if whole else next((k for k, step in enumerate(strides) if step), len(strides))
        key = (buffer, int(at.flat[0]), at.shape[lead:], strides[lead:], spread)
        if key not in self.views:
            source = self._view_source(buffer, int(at.flat[0]), at.shape, strides, batched)
            index = [":" if step else "None" for step in strides[lead:]] + ["None"] * spread
            if "None" in index:
                source += f"[{', '.join(index)}]"
            self.views[key] = self.unique(name)
            self.program.setup.append(f"{self.views[key]} = {source}")
        return self.views[key]

    def _view_source(
        self, buffer: str, start: int, shape: tuple[int, ...], strides: tuple[int, ...], batched: bool
    ) -> str:
        axes = [(n, step) for n, step in zip(shape, strides) if step]
        size = self.layout.sizes[batched]
        examples = ["examples"] if batched else []
        match axes:
            case []:
                return f"{buffer}[{start}]" if batched else f"{buffer}[{start} : {start + 1}].reshape(())"
            case [(n, 1)]:
                return f"{buffer}[{start} : {start + n}]"
            case [(n, step)]:
                return f"{buffer}[{start} : {start + (n - 1) * step + 1} : {step}]"
            case [(m, row), (n, 1)] if row >= n and start + m * row <= size:
                source = f"{buffer}[{start} : {start + m * row}].reshape({', '.join([str(m), str(row), *examples])})"
                return source if row == n else f"{source}[:, :{n}]"
            case [(n, 1), (m, row)] if row >= n and start + m * row <= size:
                rows = self._view_source(buffer, start, (m, n), (row, 1), batched)
                return f"{rows}.swapaxes(0, 1)"
        contiguous = np.cumprod([1, *[n for n, _ in axes[:0:-1]]])[::-1].tolist()
        if [step for _, step in axes] == contiguous:
            sizes = ", ".join([*(str(n) for n, _ in axes), *examples])
            return f"{buffer}[{start} : {start + int(np.prod([n for n, _ in axes]))}].reshape({sizes})"
        shape_source = self.shape(tuple(n for n, _ in axes), batched)
        steps = ", ".join(
            [*(f"{step} * {buffer}.strides[0]" for _, step in axes), *([f"{buffer}.strides[1]"] if batched else [])]
        )
        return f"np.lib.stride_tricks.as_strided({buffer}[{start}:], {shape_source}, ({steps},))"

    def _name_groups(self) -> None:
        kinds = {"matmul": "z", "rows": "z", "sum": "s", "relu": "a", "tanh": "a", "sigmoid": "a"}
        for group in self.layout.groups:
            if group.name:
                group.name = self.unique(group.name)
        count: dict[str, int] = {}
        for group in self.layout.groups:
            while not group.name:
                base = kinds.get(group.op if group.op != DOT else group.kind, group.op)
                count[base] = count.get(base, 0) + 1
                if f"{base}{count[base]}" not in self.names:
                    group.name = self.unique(f"{base}{count[base]}")
        self.names |= {f"d{group.name}" for group in self.layout.groups}
        for leaf in self.traced.leaves:
            name = stem(self.traced.labels.get(leaf, ""))
            if name:
                self.hints[bool(self.layout.batched[leaf]), int(self.layout.place[leaf])] = name

    def expanded(self, name: str) -> str:
        """The name of an array with one more axis of length 1 after its first."""
        key = ("expanded", name)
        if key not in self.views:
            self.views[key] = self.unique(f"{name}_")
            self.program.setup.append(f"{self.views[key]} = {name}[:, None]")
        return self.views[key]

    # What depends on the parameters

    def _owners(self) -> tuple[np.ndarray, np.ndarray]:
        """For each place of both buffers the number of its group, -1 for leaves."""
        owners = (np.full(self.layout.sizes[0], -1), np.full(self.layout.sizes[1], -1))
        for k, group in enumerate(self.layout.groups):
            owners[group.batched][group.start : group.start + group.size] = k
        return owners

    def _needs_gradient(self) -> tuple[np.ndarray, np.ndarray]:
        """For each place of both buffers whether it depends on a parameter."""
        needs = (np.zeros(self.layout.sizes[0], bool), np.zeros(self.layout.sizes[1], bool))
        needs[0][: self.parameters] = True
        needs[1][: self.inputs] = self.per_example
        for group in self.layout.groups:
            if any(needs[read.batched][read.at].any() for read in group.reads if read.constant is None):
                needs[group.batched][group.start : group.start + group.size] = True
        return needs

    def wanted(self, read: Read) -> bool:
        """Whether a read needs a gradient."""
        return read.constant is None and bool(self.needs[read.batched][read.at].any())

    # Reading

    def hint(self, read: Read, otherwise: str) -> str:
        """A name for what is read: that of the group or leaves it lies in."""
        first, last = (int(read.at.flat[k]) for k in (0, -1))
        k = self.owner[read.batched][first]
        if k >= 0:
            return self.layout.groups[k].name
        name = self.hints.get((read.batched, first), otherwise)
        if name != self.hints.get((read.batched, last), otherwise) or read.at.size == self.parameters > 1:
            name = "theta" if first < self.parameters and not read.batched else "x"
        return name

    def elements(self, read: Read, group: Group, otherwise: str = "x") -> str:
        """The name of what is read, as it broadcasts against the group's array."""
        if read.constant is not None:
            return repr(read.constant)
        strides = read.strides
        spread = group.batched and not read.batched
        if strides is not None:
            return self.view(
                "vs" if read.batched else "v", read.at, strides, read.batched, self.hint(read, otherwise), spread
            )
        name = self.gather(read)
        if not spread:
            return name
        key = ("spread", name)
        if key not in self.views:
            self.views[key] = self.unique(name)
            self.program.setup.append(f"{self.views[key]} = {name}[..., None]")
        return self.views[key]

    def matrix(self, read: Read, otherwise: str) -> str:
        """The name of what is read, in its full shape."""
        strides = read.strides
        if read.constant is not None or strides is None:
            return self.gather(read)
        name = self.view("vs" if read.batched else "v", read.at, strides, read.batched, self.hint(read, otherwise))
        if 0 in [step for step, n in zip(strides, read.at.shape) if n > 1]:
            full = self.unique(name)
            self.program.setup.append(f"{full} = np.broadcast_to({name}, {self.shape(read.at.shape, read.batched)})")
            return full
        if 0 in strides:
            full = self.unique(name)
            self.program.setup.append(f"{full} = {name}.reshape{self.shape(read.at.shape, read.batched)}")
            return full
        return name

    def gather(self, read: Read) -> str:
        """The name of a copy of values that lie anywhere, and the call that fills it."""
        if read not in self.gathered:
            if self.is_given(read):
                constants = self.traced.constants
                self.gathered[read] = self.constant(
                    np.vectorize(constants.__getitem__, otypes=[float])(read.nodes), "given"
                )
                return self.gathered[read]
            name = self.unique("picked")
            index = self.constant(read.at)
            self.program.setup.append(f"{name} = np.empty({self.shape(read.at.shape, read.batched)})")
            axis = ", axis=0" if read.batched else ""
            buffer = "vs" if read.batched else "v"
            self.program.forward.append(f"np.take({buffer}, {index}{axis}, out={name}, mode='clip')")
            self.gathered[read] = name
        return self.gathered[read]

    def pick(self, groups: Sequence[Group]) -> None:
        """Gather all that the groups of one depth read from anywhere, in one call per buffer."""
        for batched in (False, True):
            reads = [
                read
                for group in groups
                if not is_number(group)
                for read in group.reads
                if read.batched == batched and read.strides is None and not self.is_given(read)
            ]
            if len(reads) < 2:
                continue
            whole = self.unique("picked")
            index = self.constant(np.concatenate([read.at.ravel() for read in reads]))
            size = sum(read.at.size for read in reads)
            self.program.setup.append(f"{whole} = np.empty({self.shape((size,), batched)})")
            axis, buffer = (", axis=0", "vs") if batched else ("", "v")
            self.program.forward.append(f"np.take({buffer}, {index}{axis}, out={whole}, mode='clip')")
            start = 0
            for read in reads:
                self.gathered[read] = name = self.unique("picked")
                shape = "" if read.at.ndim == 1 else f".reshape{self.shape(read.at.shape, batched)}"
                self.program.setup.append(f"{name} = {whole}[{start} : {start + read.at.size}]{shape}")
                start += read.at.size

    def is_given(self, read: Read) -> bool:
        """Whether all that is read are constants."""
        return not read.batched and bool(self.constant_at[read.at].all())

    def result(self, group: Group, buffer: str = "v") -> str:
        """The name of a group's array, or of its gradient."""
        if buffer == "g" and group in self.shared:
            return self.shared[group]
        name = group.name if buffer == "v" else f"d{group.name}"
        if buffer == "g" and is_number(group):  # that name is taken by the number
            name = self.unique(name)
        at = group.start + np.arange(group.size).reshape(group.shape)
        strides = tuple(int(np.prod(group.shape[k + 1 :], dtype=int)) for k in range(len(group.shape)))
        lead = next((k for k, step in enumerate(strides) if group.shape[k] > 1), len(strides))
        key = (buffer + "s" * group.batched, group.start, group.shape[lead:], strides[lead:], False)
        if group.shape[lead:] != group.shape:
            key = (buffer, group)
        if key not in self.views:
            self.views[key] = name
            source = self._view_source(buffer + "s" * group.batched, group.start, group.shape, strides, group.batched)
            if group.size == 1 and group.shape:
                source = f"{buffer + 's' * group.batched}[{group.start} : {group.start + 1}]"
                source += f".reshape({self.shape(group.shape, group.batched)})" if len(group.shape) > 1 else ""
            self.program.setup.append(f"{self.views[key]} = {source}")
        return self.views[key]

    def zeros_of(self, read: Read) -> tuple[int, ...]:
        """The axes along which one value serves many."""
        return tuple(k for k, (step, n) in enumerate(zip(read.strides or (), read.at.shape)) if not step and n > 1)


class Emitter(Views):
    """Writes the forward pass group by group, then the backward pass in the opposite order."""

    def __init__(
        self,
        traced: Trace,
        layout: Layout,
        parameters: int,
        inputs: int,
        others: Sequence[float] = (),
        per_example: bool = False,
    ):
        self.others = others
        super().__init__(traced, layout, parameters, inputs, per_example)
        self.items: dict[int, str] = {}  # single places that have a Python name
        self.rows: dict[Read, Read] = {}
        self.words: set[str] = set()
        self.started: set[Group] = set()  # numbers whose gradient has a first contribution
        self.written = (np.zeros(layout.sizes[0], bool), np.zeros(layout.sizes[1], bool))
        self.cleared: list[tuple[bool, np.ndarray]] = []
        self.edge: dict[Read, str] = {}
        self.edge_line = 0
        self.targets: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        self.sums: dict[int, list[tuple[list[Read], str]]] = {}
        self.filled: set[Read] = set()  # those of them whose contribution is there
        self.stored = self._stored()
        self.readers = self._readers()
        self.numbers: set[str] = set()
        self.lengths: dict[str, tuple[int, ...]] = {}
        self.shared: dict[Group, str] = {}  # gradients that live in the array of another, or are one number

    def _readers(self) -> np.ndarray:
        """How often each group is read."""
        readers = np.zeros(len(self.layout.groups) + 1, int)
        for group in self.layout.groups:
            for read in group.reads:
                if read.constant is None:
                    readers[np.unique(self.owner[read.batched][read.at])] += 1
        for root in self.traced.roots:
            readers[self.owner[int(self.layout.batched[root])][self.layout.place[root]]] += 1
        return readers

    def _stored(self) -> set[Group]:
        """The numbers that array code reads."""
        stored = set()
        for group in self.layout.groups:
            for read in group.reads if not is_number(group) or group.kind != "elementwise" else []:
                if read.constant is None and not read.batched:
                    owners = np.unique(self.owner[0][read.at])
                    stored |= {self.layout.groups[k] for k in owners.tolist() if k >= 0}
        return {group for group in stored if is_number(group)}

    def emit(self, roots: list[int]) -> Emitted:
        """The program for these roots; its backward pass is that of the first."""
        self.allocate()
        for _, level in itertools.groupby(self.layout.groups, key=lambda group: group.level):
            groups = list(level)
            self.pick(groups)
            for group in groups:
                self.forward(group)
        self.roots(roots)
        if len(roots) == 1:
            self.backward_pass(roots[0])
        self.finish()
        return self.program

    def allocate(self) -> None:
        """The lines that make the buffers."""
        constants = self.traced.constants
        self.program.setup += [
            f"v, g = np.zeros({self.layout.sizes[0]}), np.zeros({self.layout.sizes[0]})",
            f"vs, gs = np.zeros(({self.layout.sizes[1]}, examples)), np.zeros(({self.layout.sizes[1]}, examples))",
        ]
        if constants:
            places = self.layout.place[list(constants)]
            values = ", ".join(repr(x) if np.isfinite(x) else f"float('{x}')" for x in constants.values())
            run = len(places) == places.max() - places.min() + 1
            where = f"{places.min()} : {places.max() + 1}" if run else str(places.tolist())
            self.program.setup.append(f"v[{where}] = [{values}]")
        if self.others:
            start = self.parameters
            given = self.constant(np.array(self.others), "leaves")
            self.program.setup.append(f"v[{start} : {start + len(self.others)}] = {given}  # the other leaves")
        self.edge_line = len(self.program.setup)

    def finish(self) -> None:
        """What the passes share, and the definitions that they need."""
        program = self.program
        numbers = {group.name for group in self.layout.groups if is_number(group)} | set(self.items.values())
        defined = {line.split(" = ")[0] for line in program.forward}
        program.saved = sorted(used_names(program.backward) & numbers & defined)
        for batched, places in self.cleared:
            program.backward.insert(0, f"{'gs' if batched else 'g'}[{self.constant(places)}] = 0.0")
        words = self.words | (used_names([*program.forward, *program.backward]) & {*DEFINITIONS, "nan"})
        program.head = head(words)

    # Forward

    def forward(self, group: Group) -> None:
        """Emit the calls that fill a group's array."""
        self.lines = self.program.forward
        if is_number(group):
            self.forward_scalar(group)
            return
        out = self.result(group)
        shape = self.shape(group.shape, group.batched)
        match group.kind:
            case "elementwise":
                row = PRIMITIVES[group.op]
                names = {x: self.elements(read, group) for x, read in zip(row.operands, group.reads)}
                self.writer.write(Formula(row.value, names), shape, out)
            case "spread":
                self.lines.append(f"np.copyto({out}, {self.elements(group.reads[0], group)})")
            case "sum":
                self.lines.append(f"np.add.reduce({self.matrix(group.reads[0], 'x')}, axis=1, out={out})")
            case "many":
                self.many(group, out)
            case "rows" | "matmul":
                self.product(group, out)
                for read in group.reads[2:]:
                    self.lines.append(f"np.add({out}, {self.elements(read, group, f'b{group.name[1:]}')}, out={out})")

    def many(self, group: Group, out: str) -> None:
        """A function of the last axis (before that of the examples)."""
        x, n = self.matrix(group.reads[0], "x"), group.reads[0].at.shape[1]
        match group.op:
            case "mean":
                self.lines += [f"np.add.reduce({x}, axis=1, out={out})", f"np.divide({out}, {n}, out={out})"]
            case "prod":
                self.lines.append(f"np.multiply.reduce({x}, axis=1, out={out})")
            case "logsumexp":
                full = self.shape(group.reads[0].at.shape, group.batched)
                with self.writer.scratch(self.shape(group.shape, group.batched)) as top, self.writer.scratch(full) as t:
                    self.lines += [
                        f"np.maximum.reduce({x}, axis=1, out={top})",
                        f"np.subtract({x}, {self.expanded(top)}, out={t})",
                        f"np.exp({t}, out={t})",
                        f"np.add.reduce({t}, axis=1, out={out})",
                        f"np.log({out}, out={out})",
                        f"np.add({out}, {top}, out={out})",
                    ]

    def product(self, group: Group, out: str) -> None:
        """A matrix product."""
        left, right = self.factors(group)
        match self.method(group):
            case "dot":
                self.lines.append(f"np.dot({left}, {right}, out={out})")
            case "stack":
                self.lines.append(f"np.matmul({left}, {right}, out={out})")
            case _:
                a, b, c = self.subscripts(group)
                self.lines.append(f"np.einsum('{a},{b}->{c}', {left}, {right}, out={out})")

    def factors(self, group: Group) -> tuple[str, str]:
        """The names of the two matrices of a product."""
        number = group.name[1:] if group.name[:1] == "z" else ""
        return self.matrix(group.reads[0], f"w{number}"), self.matrix(group.reads[1], "x")

    def method(self, group: Group) -> str:
        """How a product is computed: "dot" for two matrices or a vector among them, "stack" for many, else "einsum"."""
        left, right = group.reads[:2]
        if group.kind == "rows" or left.batched:
            return "einsum"
        if left.at.ndim == 3:
            return "stack" if not group.batched else "einsum"
        return "dot" if right.at.ndim + right.batched < 3 else "einsum"

    def subscripts(self, group: Group) -> tuple[str, str, str]:
        """The einsum letters of left, right and result: h stack, l rows, p products, r columns, e examples."""
        left, right = group.reads[:2]
        if group.kind == "rows":
            a, b, c = "np", "np", "n"
        else:
            h, columns = "h" * (left.at.ndim == 3), "r" * (right.at.ndim > 1)
            a, b, c = f"{h}lp", f"{h}p{columns}", f"{h}l{columns}"
        return a + "e" * left.batched, b + "e" * right.batched, c + "e" * group.batched

    # One number at a time

    def number(self, read: Read, k: int = 0) -> str:
        """The Python name or literal of one value."""
        if read.constant is not None:
            return repr(read.constant)
        place = int(read.at.flat[k])
        owner = self.owner[0][place]
        if owner >= 0 and is_number(self.layout.groups[owner]):
            return self.layout.groups[owner].name
        if place not in self.items:
            hint = self.hints.get((False, place), "p") if owner < 0 else self.layout.groups[owner].name
            self.items[place] = self.unique(f"{hint}_{place}" if owner >= 0 or hint == "p" else hint)
            self.lines.append(f"{self.items[place]} = v.item({place})")
        return self.items[place]

    def forward_scalar(self, group: Group) -> None:
        """Emit plain arithmetic for one number."""
        name = group.name
        match group.kind:
            case "elementwise":
                row = PRIMITIVES[group.op]
                expression = self.scalar_expression(
                    row.value, {x: self.number(r) for x, r in zip(row.operands, group.reads)}
                )
            case "sum":
                read = group.reads[0]
                expression = (
                    f"float(np.add.reduce({self.line(read)}))" if not self.is_short(group) else self.sum_of(read)
                )
            case _:
                left, right, *singles = group.reads
                if not self.is_short(group):
                    parts = [f"float(np.dot({self.line(left)}, {self.line(right)}))"]
                else:
                    parts = [f"{self.number(left, k)} * {self.number(right, k)}" for k in range(left.at.size)]
                expression = " + ".join([*parts, *(self.number(read) for read in singles)])
        self.lines.append(f"{name} = {expression}")
        if group in self.stored:
            self.lines.append(f"v[{group.start}] = {name}")

    def sum_of(self, read: Read) -> str:
        """A sum of few numbers."""
        return " + ".join(self.number(read, k) for k in range(read.at.size))

    def line(self, read: Read) -> str:
        """A read of one row, as a vector."""
        return self.matrix(self.flat(read), "x")

    def flat(self, read: Read) -> Read:
        """A read of one row, without the axis of rows."""
        if read not in self.rows:
            self.rows[read] = Read(read.nodes[0], read.at[0], False, read.constant)
        return self.rows[read]

    @staticmethod
    def is_short(group: Group) -> bool:
        """Whether the one number in a group is a sum that is best written out."""
        return group.reads[0].at.size <= 2

    def scalar_expression(self, expression: str, names: dict[str, str]) -> str:
        """An expression of the table as plain Python."""
        expanded = ScalarPower().visit(tree(expression, names))
        self.words |= names_in(expanded) & (set(FLOATS) - {"abs"})
        text = ast.unparse(expanded)
        return text

    # Roots

    def roots(self, roots: list[int]) -> None:
        """What the forward pass returns."""
        layout, sources = self.layout, []
        for root in roots:
            place, batched = int(layout.place[root]), bool(layout.batched[root])
            if batched:
                sources.append(f"vs[{place}]")
            else:
                sources.append(self.number(Read(np.array([root]), np.array([place]))))
        self.program.roots = sources[0] if len(sources) == 1 else f"({', '.join(sources)})"

    # Backward

    def backward_pass(self, root: int) -> None:
        """Emit the backward pass of one root."""
        layout = self.layout
        forward_items = dict(self.items)
        self.items = forward_items
        self.lines = self.program.backward
        self.edges()
        place, batched = int(layout.place[root]), bool(layout.batched[root])
        owner = self.owner[batched][place]
        if not self.needs[batched][place]:
            return
        if owner >= 0 and is_number(layout.groups[owner]):
            self.started.add(layout.groups[owner])
            self.lines.append(f"d{layout.groups[owner].name} = 1.0")
        else:
            self.add_at(batched, place, "1.0 / examples" if batched and not self.per_example else "1.0")
        for level, groups in itertools.groupby(reversed(layout.groups), key=lambda group: group.level):
            for group in groups:
                if not self.needs[group.batched][group.start : group.start + group.size].any():
                    continue
                if is_number(group):
                    self.backward_scalar(group)
                elif self.complete(group):
                    self.backward(group)
            for reads, line in self.sums.get(level, []):
                if any(read in self.filled for read in reads):
                    self.lines += [f"{self.edge[read]}.fill(0.0)" for read in reads if read not in self.filled]
                    self.lines.append(line)

    def complete(self, group: Group) -> bool:
        """Whether a gradient reached the group; what it did not reach is zero by now."""
        return bool(self.written[group.batched][group.start : group.start + group.size].any())

    def claim(self, batched: bool, places: np.ndarray) -> bool:
        """Note that gradients are written at these places. True if they are the first there, to be assigned, not added.

        An array that is not covered at once is cleared first.
        """
        written = self.written[batched]
        if not written[places].any():
            owners = np.unique(self.owner[batched][places])
            covered = np.unique(places)
            for k in owners.tolist():
                if k < 0:
                    continue
                group = self.layout.groups[k]
                span = slice(group.start, group.start + group.size)
                if np.count_nonzero((covered >= span.start) & (covered < span.stop)) < group.size:
                    self.clear(group)
            if written[places].any():
                return self.claim(batched, places)
            written[places] = True
            return len(covered) == places.size
        if not written[places].all():
            owners = np.unique(self.owner[batched][places[~written[places]]])
            for k in owners.tolist():
                if k >= 0:
                    self.clear(self.layout.groups[k])
                else:
                    fresh = np.unique(places[~written[places] & (self.owner[batched][places] < 0)])
                    self.cleared.append((batched, fresh))
                    written[fresh] = True
        return False

    def clear(self, group: Group) -> None:
        """Set to zero what is not written yet of a group's gradient."""
        span = slice(group.start, group.start + group.size)
        written = self.written[group.batched][span]
        if not written.any():
            self.lines.append(f"{self.result(group, 'g')}.fill(0.0)")
        elif not written.all():
            missing = self.constant(group.start + np.flatnonzero(~written))
            self.lines.append(f"{'gs' if group.batched else 'g'}[{missing}] = 0.0")
        written[:] = True

    def add_at(self, batched: bool, place: int, expression: str) -> None:
        """Add a number to the gradient at one place."""
        first = self.claim(batched, np.array([place]))
        self.lines.append(f"{'gs' if batched else 'g'}[{place}] {'=' if first else '+='} {expression}")

    def backward_scalar(self, group: Group) -> None:
        """Hand the gradient of one number on."""
        up = f"d{group.name}"
        if self.written[0][group.start]:
            operator = "+=" if group in self.started else "="
            self.lines.append(f"{up} {operator} g.item({group.start})")
        elif group not in self.started:
            return
        if group.kind == "elementwise":
            row = PRIMITIVES[group.op]
            names = {x: self.number(read) for x, read in zip(row.operands, group.reads)} | {"out": group.name}
            for read, partial in zip(group.reads, row.partials):
                if self.wanted(read):
                    self.hand_scalar(read, 0, self.times(up, self.scalar_expression(partial, names)))
            return
        reads, singles = group.reads[:2], group.reads[2:]
        pairs: list[tuple[Read, Read | None]] = [(reads[0], reads[-1]), (reads[-1], reads[0])]
        if group.kind == "sum":
            pairs = [(reads[0], None)]
        elif np.array_equal(reads[0].at, reads[1].at) and reads[0].constant is None:  # a sum of squares
            self.lines.append(f"{up} *= 2.0")
            pairs = pairs[:1]
        for read, other in pairs:
            if not self.wanted(read):
                continue
            if self.is_short(group):
                for k in range(read.at.size):
                    factor = self.number(other, k) if other else "1.0"
                    if self.needs[0][read.at.flat[k]]:
                        self.hand_scalar(read, k, self.times(up, factor))
                continue
            flat = self.flat(read)
            source = self.only_source(flat)
            if other is None and source and source.kind == "elementwise":
                self.share(source, up)
                self.numbers.add(up)
                continue
            expression = Formula("x * y", {"x": up, "y": self.line(other)}) if other else array(up)
            self.accumulate(flat, expression, flat.at.shape, False)
        for read in singles:
            if self.wanted(read):
                self.hand_scalar(read, 0, up)

    @staticmethod
    def times(up: str, factor: str) -> str:
        """The product of an upstream gradient and a partial."""
        return {"1.0": up, "-1.0": f"-{up}", "0.0": "0.0"}.get(factor) or f"{up} * ({factor})"

    def hand_scalar(self, read: Read, k: int, expression: str) -> None:
        """Add a contribution to the gradient of one number."""
        place = int(read.at.flat[k])
        owner = self.owner[0][place]
        if owner >= 0 and is_number(self.layout.groups[owner]):
            target = self.layout.groups[owner]
            self.lines.append(f"d{target.name} {'+=' if target in self.started else '='} {expression}")
            self.started.add(target)
        else:
            self.add_at(False, place, expression)

    def backward(self, group: Group) -> None:
        """Emit the calls that hand a group's gradient on to what it read."""
        up = self.result(group, "g")
        match group.kind:
            case "elementwise":
                row = PRIMITIVES[group.op]
                names = {x: self.elements(read, group) for x, read in zip(row.operands, group.reads)}
                names["out"] = self.result(group)
                wanted = [(r, p) for r, p in zip(group.reads, row.partials) if self.wanted(r) and p != "0"]
                for read, partial in wanted:
                    slope = Formula(f"_up * ({partial})", names | {"_up": up})
                    source = self.only_source(read) if read is wanted[-1][0] else None
                    if (
                        source
                        and group.shape == source.shape
                        and group.batched == source.batched
                        and up not in self.numbers
                    ):
                        if not slope.name:
                            self.writer.write(slope, self.shape(group.shape, group.batched), up)
                        self.share(source, up)
                    else:
                        self.accumulate(read, slope, group.shape, group.batched)
            case "spread":
                self.accumulate(group.reads[0], array(up), group.shape, True)
            case "sum":
                self.accumulate(group.reads[0], array(self.expanded(up)), group.reads[0].at.shape, group.batched)
            case "many":
                read = group.reads[0]
                names = {
                    "x": self.matrix(read, "x"),
                    "out": self.expanded(self.result(group)),
                    "n": str(read.at.shape[1]),
                }
                if group.op == "prod":
                    names["rest"] = rest = self._declare(self.shape(read.at.shape, group.batched), "float")
                    self.words.add("products_of_others")
                    others = f"products_of_others(list({names['x']}.swapaxes(0, 1)))"
                    self.lines.append(
                        f"{rest}.swapaxes(0, 1)[...] = np.stack(np.broadcast_arrays(*{others}, {rest}[:, 0]))[:-1]"
                    )
                slope = Formula(f"_up * ({PRIMITIVES[group.op].partials[0]})", names | {"_up": self.expanded(up)})
                self.accumulate(read, slope, read.at.shape, group.batched)
            case _:
                for read in group.reads[2:]:
                    if self.wanted(read):
                        self.accumulate(read, array(up), group.shape, group.batched)
                self.backward_product(group, up)

    def only_source(self, read: Read) -> Group | None:
        """The group that is read whole, in its order, and by nobody else: its gradient can stay where it is."""
        k = self.owner[read.batched][read.at.flat[0]]
        if k < 0 or self.readers[k] != 1 or read in self.edge:
            return None
        group = self.layout.groups[k]
        free = not self.written[group.batched][group.start : group.start + group.size].any()
        whole = read.at.size == group.size and read.at.flat[0] == group.start and self.contiguous(read)
        return group if free and whole and not is_number(group) else None

    def share(self, group: Group, name: str) -> None:
        """Let the gradient of a group be an array, or a number, that is there already."""
        self.shared[group] = name
        self.written[group.batched][group.start : group.start + group.size] = True

    def backward_product(self, group: Group, up: str) -> None:
        """The gradients of both factors of a matrix product."""
        left, right = self.factors(group)
        method, (first, second) = self.method(group), group.reads[:2]
        left_dimensions, right_dimensions = first.at.ndim, second.at.ndim + second.batched
        a, b, c = self.subscripts(group)
        squares = group.kind == "rows" and first.batched == second.batched and np.array_equal(first.at, second.at)
        if squares:  # both factors are the same: their two contributions are equal
            self.lines.append(f"np.multiply({up}, 2.0, out={up})")
        for read, other, mine, its, is_left in (
            (group.reads[0], right, a, b, True),
            (group.reads[1], left, b, a, False),
        ):
            if not self.wanted(read) or (squares and not is_left):
                continue
            match method, left_dimensions, right_dimensions, is_left:
                case "dot", 2, 2, True:
                    call = f"np.dot({up}, {other}.T"
                case "dot", 2, _, False:
                    call = f"np.dot({other}.T, {up}"
                case "dot", 2, 1, True:
                    call = f"np.multiply({self.expanded(up)}, {other}"
                case "dot", 1, _, True:
                    call = f"np.dot({other}, {up}"
                case "dot", 1, _, False:
                    call = f"np.multiply({self.expanded(other)}, {up}"
                case "stack", _, _, True:
                    call = f"np.matmul({up}, {other}.swapaxes(1, 2)"
                case "stack", _, _, False:
                    call = f"np.matmul({other}.swapaxes(1, 2), {up}"
                case _:
                    call = f"np.einsum('{c},{its}->{mine}', {up}, {other}"
            self.accumulate_call(read, call)

    def accumulate_call(self, read: Read, call: str) -> None:
        """Add what a call returns, which has the full shape of the read, to its gradient."""
        strides, shape = read.strides, self.shape(read.at.shape, read.batched)
        target = self.edge.get(read)
        self.filled.add(read)
        if target:
            self.lines.append(f"{call}, out={target})")
            return
        assert strides is not None
        if not self.zeros_of(read) and 0 not in strides:
            buffer = "gs" if read.batched else "g"
            view = self.view(buffer, read.at, strides, read.batched, f"d{self.hint(read, 'w')}")
            if self.claim(read.batched, read.at):
                whole = call.startswith("np.dot") and not self.contiguous(read)
                self.lines.append(f"{call.replace('np.dot', 'np.matmul', 1) if whole else call}, out={view})")
            else:
                with self.writer.scratch(shape) as t:
                    self.lines += [f"{call}, out={t})", f"np.add({view}, {t}, out={view})"]
            return
        with self.writer.scratch(shape) as t:
            self.lines.append(f"{call}, out={t})")
            self.accumulate(read, array(t), read.at.shape, read.batched)

    def contiguous(self, read: Read) -> bool:
        """Whether the positions follow each other without a gap."""
        return bool(np.array_equal(read.at.ravel(), read.at.flat[0] + np.arange(read.at.size)))

    def accumulate(self, read: Read, slope: Formula, shape: tuple[int, ...], batched: bool) -> None:
        """Add an expression of arrays of a shape to the gradient of what was read, summed where one value served many."""
        full = self.shape(shape, batched)
        over_examples = batched and not read.batched
        self.filled.add(read)
        buffer = "gs" if read.batched else "g"
        target = self.edge.get(read)
        strides = read.strides
        axes: tuple[int, ...] = ()
        if target is None:
            assert strides is not None
            axes = self.zeros_of(read)
            if not axes and not over_examples:
                view = self.gradient_view(read)
                if self.claim(read.batched, read.at):
                    self.writer.write(slope, full, view)
                elif slope.name:
                    self.lines.append(f"np.add({view}, {slope.name}, out={view})")
                else:
                    with self.writer.scratch(full) as t:
                        self.writer.write(slope, full, t)
                        self.lines.append(f"np.add({view}, {t}, out={view})")
                return
        elif not over_examples:
            self.writer.write(slope, full, target)
            return
        first = target is not None or self.claim(read.batched, np.unique(read.at))
        if target is None:
            index = tuple(0 if k in axes else slice(None) for k in range(read.at.ndim))
            target = self.gradient_view(Read(read.nodes[index], np.asarray(read.at[index]), read.batched))
        every_axis = (*axes, *([len(shape)] if over_examples else []))
        self.sum_into(read, axes, slope, shape, batched, every_axis, target, first)

    def sum_into(self, read: Read, axes: tuple[int, ...], slope: Formula, shape: tuple[int, ...], batched: bool,
                 every_axis: tuple[int, ...], target: str, first: bool) -> None:  # fmt: skip
        """Emit the sum of a formula over axes."""
        if not slope.name or slope.name in self.numbers:
            full = self.shape(shape, batched)
            with self.writer.scratch(full) as t:
                self.writer.write(slope, full, t)
                self.sum_into(read, axes, array(t), shape, batched, every_axis, target, first)
            return
        t = slope.name
        self.lengths[t] = shape
        exact = first and self.is_exact(read, axes)
        line = self.reduction(t, len(shape) + batched, batched, every_axis, target, first)
        if first and not exact:  # np.dot writes only into arrays without gaps
            line = line.replace("np.dot(", "np.matmul(", 1)
        self.lines.append(line)

    def is_exact(self, read: Read, axes: tuple[int, ...]) -> bool:
        """Whether what remains of a read after summing over axes lies without gaps."""
        index = tuple(0 if k in axes else slice(None) for k in range(read.at.ndim))
        places = np.asarray(read.at[index]).ravel()
        return bool(np.array_equal(places, places[0] + np.arange(places.size)))

    def reduction(self, t: str, dimensions: int, batched: bool, axes: tuple[int, ...], target: str, first: bool) -> str:
        """The line that sums an array over axes into a target. A product with ones is the quickest way where it applies."""
        if len(axes) == 1 and dimensions <= 2:
            last = axes[0] == dimensions - 1
            ones = self.ones("examples" if batched and last else str(self.lengths[t][axes[0]]))
            total = f"np.dot({t}, {ones}" if last else f"np.dot({ones}, {t}"
        else:
            total = f"np.add.reduce({t}, axis={axes if len(axes) < dimensions else None}"
        return f"{total}, out={target})" if first else f"np.add({target}, {total}), out={target})"

    def ones(self, length: str) -> str:
        """The name of a vector of ones."""
        key = ("ones", length)
        if key not in self.views:
            self.views[key] = self.unique("ones")
            self.program.setup.append(f"{self.views[key]} = np.ones({length})")
        return self.views[key]

    def gradient_view(self, read: Read) -> str:
        """The view of the gradient buffer that mirrors a read."""
        assert read.strides is not None
        buffer = "gs" if read.batched else "g"
        return self.view(buffer, read.at, read.strides, read.batched, f"d{self.hint(read, 'x')}", whole=True)

    # What was gathered: its contributions wait in an edge buffer, which is added in one call per depth

    def edges(self) -> None:
        """Give each gathered read that needs a gradient its stretch of an edge buffer; clear the places it adds to."""
        largest = [0, 0]
        for level, groups in itertools.groupby(self.layout.groups, key=lambda group: group.level):
            found: tuple[list[Read], list[Read]] = ([], [])
            for group in groups:
                reads = group.reads
                if is_number(group):
                    reads = [] if group.kind == "elementwise" or self.is_short(group) else map(self.flat, reads[:2])
                for read in reads:
                    if self.wanted(read) and read.strides is None:
                        found[read.batched].append(read)
            for batched, reads in enumerate(found):
                if reads:
                    size = self.edges_of(level, reads, bool(batched))
                    largest[batched] = max(largest[batched], size)
        for buffer, shape, size in (("e", "{}", largest[0]), ("es", "({}, examples)", largest[1])):
            if size:
                self.program.setup.insert(self.edge_line, f"{buffer} = np.empty({shape.format(size)})")
        self.clear_targets()

    def edges_of(self, level: int, reads: list[Read], batched: bool) -> int:
        """The stretches for the reads of one depth, and the line that adds them up."""
        start, buffer = 0, "es" if batched else "e"
        for read in reads:
            self.edge[read] = name = self.unique("edge")
            shape = ", ".join([*map(str, read.at.shape), *["examples"] * batched])
            stretch = f"{buffer}[{start} : {start + read.at.size}]"
            self.program.setup.append(f"{name} = {stretch}" + f".reshape({shape})" * (read.at.ndim > 1))
            start += read.at.size
        at = np.concatenate([read.at.ravel() for read in reads])
        index = next((name for name, x in self.program.arrays.items() if x.shape == at.shape and (x == at).all()), "")
        index = index or self.constant(at)
        self.targets[batched].append(at)
        added = self.unique("added")
        self.program.setup.append(f"{added} = {buffer}[:{start}]" + ".ravel()" * batched)
        if batched:
            places = self.unique("places")
            self.program.setup.append(f"{places} = ({index}[:, None] * examples + np.arange(examples)).ravel()")
            self.sums.setdefault(level, []).append((reads, f"np.add.at(gs.ravel(), {places}, {added})"))
        else:
            self.sums.setdefault(level, []).append((reads, f"np.add.at(g, {index}, {added})"))
        return start

    def clear_targets(self) -> None:
        """Set to zero every array that contributions are added to one by one."""
        for batched, targets in enumerate(self.targets):
            if not targets:
                continue
            written = self.written[batched]
            owners = np.unique(self.owner[batched][np.concatenate(targets)])
            if owners[0] < 0:
                written[: self.inputs if batched else self.parameters] = True
            for k in owners[owners >= 0].tolist():
                group = self.layout.groups[k]
                written[group.start : group.start + group.size] = True
            bounds = np.flatnonzero(np.diff(written, prepend=False, append=False))
            for start, stop in bounds.reshape(-1, 2).tolist():
                self.lines.append(f"{'gs' if batched else 'g'}[{start} : {stop}].fill(0.0)")


class ScalarPower(ast.NodeTransformer):
    """Powers for plain Python: `x * x` for a square, `pow(x, y)` of the math module otherwise."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """A power by another name; anything else as it is."""
        self.generic_visit(node)
        match node:
            case ast.BinOp(ast.Name() as x, ast.Pow(), ast.Constant(2.0)):
                return ast.BinOp(x, ast.Mult(), x)
            case ast.BinOp(x, ast.Pow(), y):
                return ast.Call(ast.Name("pow"), [x, y], [])
        return node


def head(words: set[str]) -> list[str]:
    """Definitions of the words that a program uses beyond NumPy's, for the head of its source."""
    lines = [definition for word, definition in DEFINITIONS.items() if word in words]
    for word in sorted(words - set(DEFINITIONS)):
        meaning = FLOATS[word]
        if word == "pow" or getattr(math, word, None) is meaning:
            lines.append(f"{word} = math.{word}")
        else:
            lines += ["", *inspect.getsource(meaning).splitlines(), ""]
    return lines


def used_names(lines: Sequence[str]) -> set[str]:
    """The words that some lines of a program use."""
    return set(re.findall(r"[A-Za-z_]\w*", "\n".join(lines)))
