"""Views: what the arrays of a program are called, and how they lie in its buffers.

Values lie in the flat buffer `v`, their gradients in `g`; `vs` and `gs` hold those that differ by example, a row of
examples each. What the passes read are views of these buffers, named after the labels in the graph.
"""

from __future__ import annotations

import builtins
import keyword
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from autograd.compiler.arithmetic import DEFINITIONS, Formula, Writer, written
from autograd.compiler.fuse import DOT
from autograd.compiler.legacy import FLOATS
from autograd.compiler.roll import Group, Layout, Read, stem
from autograd.compiler.trace import Trace
from autograd.core.table import PRIMITIVES


@dataclass
class Emitted:
    """The text of a program, without the large index arrays that it names, and these.

    Attributes:
        first_input: the row of `vs` at which the inputs begin.
    """

    setup: list[str] = field(default_factory=list)
    forward: list[str] = field(default_factory=list)
    backward: list[str] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    head: list[str] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)
    roots: str = ""
    first_input: int = 0


def array(name: str) -> Formula:
    """An array as it stands."""
    return Formula("x", {"x": name})


class Names:
    """Names for the variables of a program, each new, and none a word of Python, NumPy or the table."""

    def __init__(self) -> None:
        own = "v g vs gs e es np math base64 zlib examples forward backward program order"
        self.taken = {*own.split(), *FLOATS, *PRIMITIVES, *keyword.kwlist, *dir(builtins), *DEFINITIONS}
        self.count: dict[str, int] = {}

    def are_free(self, name: str, *more: str) -> bool:
        """Whether a name and those made from it, such as `d{}` for its gradient, are all new."""
        return self.taken.isdisjoint([name, *(pattern.format(name) for pattern in more)])

    def new(self, name: str, *more: str) -> str:
        """The name, or the name with a number, such that it and those made from it are new."""
        candidate = name
        while not self.are_free(candidate, *more):
            self.count[name] = self.count.get(name, 1) + 1
            candidate = f"{name}_{self.count[name]}"
        self.taken |= {candidate, *(pattern.format(candidate) for pattern in more)}
        return candidate


def is_number(group: Group) -> bool:
    """Whether a group is one number, which plain Python computes faster than NumPy."""
    return (
        not group.batched and group.size == 1 and (group.kind in ("elementwise", "sum", "rows") or group.op == "mean")
    )


def is_whole(read: Read, group: Group) -> bool:
    """Whether a read is that of a whole group in its order."""
    at = read.at
    return at.size == group.size and bool((at.ravel() == np.arange(group.start, group.start + at.size)).all())


class Views:
    """The names of a program: its buffers, the views of them that are read and written, and its constant arrays."""

    def __init__(self, traced: Trace, layout: Layout, parameters: int, inputs: int, per_example: bool):
        self.traced, self.layout = traced, layout
        self.parameters, self.inputs, self.per_example = parameters, inputs, per_example
        self.first_input = 1 if (True, 0, 1) in layout.ones else 0  # after a row of ones
        self.program = Emitted(first_input=self.first_input)
        if layout.order:
            self.program.arrays["order"] = np.array(layout.order)
        self.names = Names()
        self.views: dict[tuple, str] = {}
        self.lines: list[str] = self.program.forward
        self.writer = Writer(lambda line: self.lines.append(line), self._declare)
        self.hints: dict[tuple[bool, int], str] = {}
        self.narrow: set[str] = set()  # names that are less than an array of full shape: broadcast, or one number
        self.shared: dict[Group, str] = {}  # gradients that are one number, by its name or value
        self.home: dict[Group, int] = {}  # where gradients begin that have taken over the array of another
        self.constant_at = np.zeros(layout.sizes[0], bool)
        self.constant_at[layout.place[list(traced.constants)]] = True
        self.owner = self._owners()
        self.needs = self._needs_gradient()
        self.gathered: dict[Read, str] = {}
        self.stretch: dict[Read, tuple[str, int]] = {}  # where in which array they lie, if gathered with others
        self._name_groups()

    def unique(self, name: str) -> str:
        """The name, or the name with a number that makes it new."""
        return self.names.new(name)

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
        sizes = [*map(str, dimensions), *["examples"] * batched]
        return f"({', '.join(sizes)}{',' * (len(sizes) == 1)})"

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
        if lead or spread or any(n > 1 and not step for n, step in zip(at.shape, strides)):
            self.narrow.add(self.views[key])
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
            return f"{buffer}[{start} : {start + math.prod(n for n, _ in axes)}].reshape({sizes})"
        shape_source = self.shape(tuple(n for n, _ in axes), batched)
        steps = ", ".join(
            [*(f"{step} * {buffer}.strides[0]" for _, step in axes), *([f"{buffer}.strides[1]"] if batched else [])]
        )
        return f"np.lib.stride_tricks.as_strided({buffer}[{start}:], {shape_source}, ({steps},))"

    def _name_groups(self) -> None:
        kinds = {"matmul": "z", "rows": "z", "sum": "s", "relu": "a", "tanh": "a", "sigmoid": "a"}
        for group in self.layout.groups:
            if group.name:
                group.name = self.names.new(group.name, "d{}")
        count: dict[str, int] = {}
        for group in self.layout.groups:
            while not group.name:
                base = kinds.get(group.op if group.op != DOT else group.kind, group.op)
                count[base] = count.get(base, 0) + 1
                if self.names.are_free(f"{base}{count[base]}", "d{}"):
                    group.name = self.names.new(f"{base}{count[base]}", "d{}")
        for leaf in self.traced.leaves:
            name = stem(self.traced.labels.get(leaf, ""))
            if name:
                self.hints[bool(self.layout.batched[leaf]), int(self.layout.place[leaf])] = name

    def expanded(self, name: str, index: str = ":, None") -> str:
        """The name of an array with one more axis of length 1, after its first unless an index says otherwise."""
        key = ("expanded", name, index)
        if key not in self.views:
            self.views[key] = self.unique(f"{name}_")
            self.narrow.add(self.views[key])
            self.program.setup.append(f"{self.views[key]} = {name}[{index}]")
        return self.views[key]

    def ones(self, length: str, factor: float = 1.0) -> str:
        """The name of a vector of ones, or of equal factors."""
        key = ("ones", length, factor)
        if key not in self.views:
            self.views[key] = self.unique("ones" if factor == 1.0 else "factors")
            value = f"np.ones({length})" if factor == 1.0 else f"np.full({length}, {factor!r})"
            self.program.setup.append(f"{self.views[key]} = {value}")
        return self.views[key]

    # What depends on the parameters

    def _owners(self) -> tuple[np.ndarray, np.ndarray]:
        """For each place of both buffers the number of its group, -1 for leaves."""
        owners = (np.full(self.layout.sizes[0], -1), np.full(self.layout.sizes[1], -1))
        for k, group in enumerate(self.layout.groups):
            owners[group.batched][group.start : group.start + group.size] = k
        return owners

    def group_at(self, batched: bool, place: int) -> Group | None:
        """The group that a value belongs to; None for a leaf or constant."""
        k = self.owner[batched][place]
        return self.layout.groups[k] if k >= 0 else None

    def _needs_gradient(self) -> tuple[np.ndarray, np.ndarray]:
        """For each place of both buffers whether it depends on a parameter."""
        needs = (np.zeros(self.layout.sizes[0], bool), np.zeros(self.layout.sizes[1], bool))
        needs[0][: self.parameters] = True
        needs[1][self.first_input : self.first_input + self.inputs] = self.per_example
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
        group = self.group_at(read.batched, first)
        if group:
            return group.name
        for batched, start, stop in self.layout.ones:
            if batched == read.batched and start <= first < stop:
                group = self.group_at(batched, last)
                return f"ones_{group.name if group else self.hints.get((batched, last), otherwise)}"
        name = self.hints.get((read.batched, first), otherwise)
        other = self.hints.get((read.batched, last), otherwise)
        if name != other and self.layout.order and other == self.hints.get((False, int(read.at.flat[1]))):
            return f"{name}_{other}"  # weights after their bias
        if name != other or read.at.size == self.parameters > 1:
            name = "theta" if first < self.parameters and not read.batched else "x"
        return name

    def elements(self, read: Read, group: Group, otherwise: str = "x") -> str:
        """The name of what is read, as it broadcasts against the group's array."""
        if read.constant is not None:
            return written(read.constant)
        strides = read.strides
        spread = group.batched and not read.batched
        source = self.source_of(read)
        if source and not spread:
            return self.result(source)
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
            self.narrow.add(self.views[key])
        return self.views[key]

    def matrix(self, read: Read, otherwise: str) -> str:
        """The name of what is read, in its full shape."""
        strides = read.strides
        if read.constant is not None or strides is None:
            return self.gather(read)
        source = self.source_of(read)
        if source:
            return self.result(source)
        buffer, hint, shape = "vs" if read.batched else "v", self.hint(read, otherwise), read.at.shape
        name = self.view(buffer, read.at, strides, read.batched, hint, whole=True)
        if not self.zeros_of(read):
            return name
        key = ("full", name, shape)
        if key not in self.views:
            self.views[key] = self.unique(name)
            full = f"np.broadcast_to({name}, {self.shape(shape, read.batched)})"
            self.program.setup.append(f"{self.views[key]} = {full}")
        return self.views[key]

    def source_of(self, read: Read) -> Group | None:
        """The array that is read whole, in its order and shape."""
        group = None if read.constant is not None else self.group_at(read.batched, int(read.at.flat[0]))
        if group is None or is_number(group) or read.at.shape != group.shape or not is_whole(read, group):
            return None
        return group

    def gather(self, read: Read) -> str:
        """The name of a copy of values that lie anywhere, and the call that fills it."""
        if read not in self.gathered:
            if self.is_given(read):
                constants = self.traced.constants
                self.gathered[read] = self.constant(
                    np.vectorize(constants.__getitem__, otypes=[float])(read.nodes), "given"
                )
                return self.gathered[read]
            below_ones = read.at.ndim == 2 and not read.batched and self.constant_at[read.at[0]].all()
            name = self.unique("ones_x" if below_ones else "picked")
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
                self.stretch[read] = whole, start
                shape = "" if read.at.ndim == 1 else f".reshape{self.shape(read.at.shape, batched)}"
                self.program.setup.append(f"{name} = {whole}[{start} : {start + read.at.size}]{shape}")
                start += read.at.size

    def side_by_side(self, buffer: str, start: int, read: Read, reverse: bool = False) -> str:
        """The name of two reads of one length that follow each other in an array from `start` on, as rows."""
        key = ("rows", buffer, start, read.at.size, reverse)
        if key not in self.views:
            self.views[key] = self.unique("rows")
            shape = self.shape((2, read.at.size), read.batched)
            rows = f"{buffer}[{start} : {start + 2 * read.at.size}].reshape{shape}{'[::-1]' * reverse}"
            self.program.setup.append(f"{self.views[key]} = {rows}")
        return self.views[key]

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
        moved = buffer == "g" and group in self.home
        start = self.home[group] if moved else group.start
        strides = tuple(math.prod(group.shape[k + 1 :]) for k in range(len(group.shape)))
        lead = next((k for k, step in enumerate(strides) if group.shape[k] > 1), len(strides))
        place = (buffer + "s" * group.batched, start, group.shape[lead:], strides[lead:], False)
        key = (buffer, group) if moved or group.shape[lead:] != group.shape else place
        if key not in self.views:
            self.views[key] = name
            source = self._view_source(buffer + "s" * group.batched, start, group.shape, strides, group.batched)
            if group.size == 1 and group.shape:
                source = f"{buffer + 's' * group.batched}[{start} : {start + 1}]"
                source += f".reshape({self.shape(group.shape, group.batched)})" if len(group.shape) > 1 else ""
            elif moved and group.shape[lead:] == group.shape:
                source = self.views.get(place, source)
            self.program.setup.append(f"{self.views[key]} = {source}")
        return self.views[key]

    def zeros_of(self, read: Read) -> tuple[int, ...]:
        """The axes along which one value serves many."""
        return tuple(k for k, (step, n) in enumerate(zip(read.strides or (), read.at.shape)) if not step and n > 1)
