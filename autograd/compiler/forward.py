"""Forward: the groups as the lines of a forward pass."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import numpy as np

from autograd.compiler.arithmetic import Formula, ScalarPower, hides_infinity, hides_nan, may_hide_nan, tree, written
from autograd.compiler.expressions import names_in
from autograd.compiler.fuse import DOT, signs_matter
from autograd.compiler.legacy import FLOATS
from autograd.compiler.roll import Group, Layout, Read
from autograd.compiler.trace import Trace
from autograd.compiler.views import Views, is_number
from autograd.core.table import PRIMITIVES


class Forward(Views):
    """Writes the forward pass, group by group: arrays as NumPy calls, single numbers as plain Python."""

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
        self.edge_line = 0  # where among the lines of the setup the edge buffers come
        self.stored = self._stored()
        self.hides_infinity = any(map(hides_infinity, set(traced.ops)))
        self.hides_nan = may_hide_nan(traced)
        self.signs_matter = signs_matter(traced)
        self.exponentials: dict[Group, tuple[str, str]] = {}  # of each logsumexp, for its slope, and their sums

    def _stored(self) -> set[Group]:
        """The numbers that array code reads."""
        stored = set()
        for group in self.layout.groups:
            for read in group.reads if not is_number(group) or group.kind != "elementwise" else []:
                if read.constant is None and not read.batched:
                    owners = np.unique(self.owner[0][read.at])
                    stored |= {self.layout.groups[k] for k in owners.tolist() if k >= 0}
        return {group for group in stored if is_number(group)}

    def allocate(self) -> None:
        """The lines that make the buffers."""
        constants = self.traced.constants
        self.program.setup += [
            "# single values and their gradients; those that differ by example, a row each",
            f"v, g = np.zeros({self.layout.sizes[0]}), np.zeros({self.layout.sizes[0]})",
            f"vs, gs = np.zeros(({self.layout.sizes[1]}, examples)), np.zeros(({self.layout.sizes[1]}, examples))",
        ]
        if constants:
            places = self.layout.place[list(constants)]
            values = ", ".join(map(written, constants.values()))
            run = len(places) == places.max() - places.min() + 1
            where = f"{places.min()} : {places.max() + 1}" if run else str(places.tolist())
            self.program.setup.append(f"v[{where}] = [{values}]  # constants")
        for batched, start, stop in self.layout.ones:
            row = f"{start} : {stop}" if stop > start + 1 else start
            self.program.setup.append(f"{'vs' if batched else 'v'}[{row}] = 1.0  # what the biases are multiplied with")
        if self.others:
            start = self.parameters
            given = self.constant(np.array(self.others), "leaves")
            self.program.setup.append(f"v[{start} : {start + len(self.others)}] = {given}  # the other leaves")
        self.edge_line = len(self.program.setup)
        self.program.setup.append("# the same as arrays, and arrays for results in between")

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
                if row.domain:  # a slope, which exists only where the operation that it is the slope of does
                    with self.writer.scratch(shape) as t:
                        self.writer.write(Formula(PRIMITIVES[row.domain].value, names), shape, t)
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
        if (group.op == DOT or group.op == "mean") and not self.signs_matter.isdisjoint(group.nodes.tolist()):
            self.lines.append(f"if not {out}.all(): raise ArithmeticError  # of a zero the scalars know the sign")

    def many(self, group: Group, out: str) -> None:
        """A function of the last axis (before that of the examples)."""
        x, n = self.matrix(group.reads[0], "x"), group.reads[0].at.shape[1]
        match group.op:
            case "mean":
                self.lines += [f"np.add.reduce({x}, axis=1, out={out})", f"np.divide({out}, {n}, out={out})"]
            case "prod":
                self.lines.append(f"np.multiply.reduce({x}, axis=1, out={out})")
            case "logsumexp":
                shape, full = (self.shape(s, group.batched) for s in (group.shape, group.reads[0].at.shape))
                t, total = self.exponentials[group] = self._declare(full, "float"), self._declare(shape, "float")
                with self.writer.scratch(shape) as top:
                    self.lines += [
                        f"np.maximum.reduce({x}, axis=1, out={top})",
                        f"np.subtract({x}, {self.expanded(top)}, out={t})",
                        f"np.exp({t}, out={t})",
                        f"np.add.reduce({t}, axis=1, out={total})",
                        f"np.log({total}, out={out})",
                        f"np.add({out}, {top}, out={out})",
                    ]

    def product(self, group: Group, out: str) -> None:
        """A matrix product."""
        method = self.method(group)
        if method == "row":
            left, right = (self.flat(read) for read in group.reads[:2])
            with self.writer.scratch(self.shape(left.at.shape, True)) as t:
                self.lines += [
                    f"np.multiply({self.matrix(left, 'x')}, {self.matrix(right, 'x')}, out={t})",
                    f"np.dot({self.ones(str(left.at.size))}, {t}, out={self.row(group)})",
                ]
            return
        left, right = self.factors(group)
        match method:
            case "einsum" if self.subscripts(group) == ("np", "npe", "ne"):
                self.lines.append(f"np.matmul({self.expanded(left)}, {right}, out={self.expanded(out)})")
            case "dot":
                self.lines.append(f"np.dot({left}, {right}, out={out})")
            case "stack":
                self.lines.append(f"np.matmul({left}, {right}, out={out})")
            case _:
                function, arguments = self.einsum(self.subscripts(group), left, right)
                self.lines.append(f"{function}({arguments}, out={out})")
                if function == "np.einsum" and self.hides_infinity:  # which overflows without a word
                    self.lines.append(f"if not math.isfinite({out}.sum()): raise ArithmeticError")

    def einsum(self, subscripts: tuple[str, str, str], x: str, y: str) -> tuple[str, str]:
        """The quickest call for a sum of products of two arrays, and its arguments."""
        a, b, c = subscripts
        match subscripts:
            case "np", "np", "n":
                return "np.vecdot", f"{x}, {y}"
            case ("n", "np", "np") | ("ne", "npe", "npe"):
                return "np.multiply", f"{self.expanded(x)}, {y}"
            case "ne", "npe", "np":
                return "np.vecdot", f"{y}, {self.expanded(x)}"
        return "np.einsum", f"'{a},{b}->{c}', {x}, {y}"

    def factors(self, group: Group) -> tuple[str, str]:
        """The names of the two matrices of a product."""
        number = group.name[1:] if group.name[:1] == "z" else ""
        return self.matrix(group.reads[0], f"w{number}"), self.matrix(group.reads[1], "x")

    def method(self, group: Group) -> str:
        """How a product is computed.

        "dot" for two matrices or a vector among them, "stack" for many, "row" for the one row of products that each
        example has, else "einsum".
        """
        left, right = group.reads[:2]
        rows = group.kind == "rows"
        if rows and group.size == 1 and left.batched and right.batched and left.strides and right.strides:
            return "row"
        if rows or left.batched:
            return "einsum"
        if left.at.ndim == 3:
            return "stack" if not group.batched else "einsum"
        return "dot" if right.at.ndim + right.batched < 3 else "einsum"

    def row(self, group: Group, buffer: str = "v") -> str:
        """The one row of a group that has a single value per example, or that of its gradient."""
        start = self.home.get(group, group.start) if buffer == "g" else group.start
        return self.view(f"{buffer}s", np.array(start), (), True, f"{'d' * (buffer == 'g')}{group.name}")

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
            return written(read.constant)
        place = int(read.at.flat[k])
        group = self.group_at(False, place)
        if group and is_number(group):
            return group.name
        if place not in self.items:
            hint = group.name if group else self.hints.get((False, place), "p")
            self.items[place] = self.unique(f"{hint}_{place}" if group or hint == "p" else hint)
            self.lines.append(f"{self.items[place]} = v.item({place})")
        return self.items[place]

    def forward_scalar(self, group: Group) -> None:
        """Emit plain arithmetic for one number."""
        name = group.name
        match group.kind:
            case "elementwise":
                row = PRIMITIVES[group.op]
                names = {x: self.number(read) for x, read in zip(row.operands, group.reads)}
                if row.domain:  # a slope, which exists only where the operation that it is the slope of does
                    self.lines.append(self.scalar_expression(PRIMITIVES[row.domain].value, names))
                expression = self.scalar_expression(row.value, names)
            case "sum" | "many":
                read, short = group.reads[0], self.is_short(group)
                expression = self.sum_of(read) if short else f"float(np.add.reduce({self.line(read)}))"
                if short and group.starts_at_zero:
                    expression = f"0.0 + {expression}"
                if group.op == "mean":
                    expression = f"({expression}) / {read.at.size}" if short else f"{expression} / {read.at.size}"
            case _:
                left, right, *singles = group.reads
                if not self.is_short(group):
                    parts = [f"float(np.dot({self.line(left)}, {self.line(right)}))"]
                else:
                    parts = [f"{self.number(left, k)} * {self.number(right, k)}" for k in range(left.at.size)]
                start = ["0.0"] if group.starts_at_zero else []
                expression = " + ".join([*start, *parts, *(self.number(read) for read in singles)])
        self.refuse_hidden_nan(group)
        self.lines.append(f"{name} = {expression}")
        if group.kind != "elementwise" and self.hides_infinity:  # an exact sum does not overflow without a word
            self.lines.append(f"if {name} - {name}: raise ArithmeticError")
        if group.kind != "elementwise" and int(group.nodes[0]) in self.signs_matter:  # the scalars know that of a zero
            self.lines.append(f"if not {name}: raise ArithmeticError")
        if group in self.stored and self.hides_nan:
            self.lines.append(f"if {name} != {name}: raise ArithmeticError")
        if group in self.stored:
            self.lines.append(f"v[{group.start}] = {name}")

    def refuse_hidden_nan(self, group: Group) -> None:
        """Give up where an operation would hide a nan that plain Python made without a word, of an infinity."""
        if group.kind == "elementwise" and hides_nan(group.op, [read.constant for read in group.reads]):
            for read in group.reads:
                source = None if read.constant is not None else self.group_at(False, int(read.at.flat[0]))
                if source and is_number(source):
                    self.lines.append(f"if {source.name} != {source.name}: raise ArithmeticError")

    def sum_of(self, read: Read) -> str:
        """A sum of few numbers."""
        return " + ".join(self.number(read, k) for k in range(read.at.size))

    def line(self, read: Read) -> str:
        """A read of one row, as a vector."""
        return self.matrix(self.flat(read), "x")

    def flat(self, read: Read) -> Read:
        """A read of one row, without the axis of rows."""
        if read not in self.rows:
            self.rows[read] = Read(read.nodes[0], read.at[0], read.batched, read.constant)
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
