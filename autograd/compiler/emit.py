"""Emit: the groups as the text of a NumPy program, forward and back.

The text defines `program`, which allocates every array once and returns the two passes over them.
"""

from __future__ import annotations

import inspect
import itertools
import math
import re
from collections.abc import Sequence

from autograd.compiler.arithmetic import DEFINITIONS
from autograd.compiler.backward import Backward
from autograd.compiler.expressions import names_in, parse
from autograd.compiler.legacy import FLOATS
from autograd.compiler.trace import CONSTANT, LEAF, Trace
from autograd.compiler.views import Emitted, is_number
from autograd.core.table import ATOMS, PRIMITIVES


class Emitter(Backward):
    """Writes a program for a layout."""

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

    def finish(self) -> None:
        """What the passes share, and the definitions that they need."""
        program = self.program
        numbers = {group.name for group in self.layout.groups if is_number(group)} | set(self.items.values())
        defined = {line.split(" = ")[0] for line in program.forward}
        program.saved = sorted(used_names(program.backward) & numbers & defined)
        for batched, places in self.cleared:
            program.backward.insert(0, f"{'gs' if batched else 'g'}[{self.constant(places)}] = 0.0")
        used = used_names([*program.forward, *program.backward, program.roots])
        told = {"nan"} & used_names(program.setup)
        program.head = head(self.words | told | (used & {*DEFINITIONS, "nan"}))
        setup = []
        for line in reversed(program.setup):  # without the views that no line needs
            name, _, value = line.partition(" = ")
            if name in used or not name.isidentifier():
                setup.append(line)
                used |= used_names([value])
        program.setup = setup[::-1]
        program.arrays = {name: x for name, x in program.arrays.items() if name in used or name == "order"}


def by_scalars(traced: Trace, inputs: int) -> Emitted | None:
    """The program of a graph with functions that only Python knows: the scalars do it all. None for any other graph."""
    words, waiting = set(), set(traced.ops) - {LEAF, CONSTANT}
    while waiting:
        row = PRIMITIVES[waiting.pop()]
        found = set().union(*(names_in(parse(text)) for text in (row.value, *row.partials))) - words
        words |= found
        waiting |= {word for word in found if word in PRIMITIVES and word != row.name}
    if all(ATOMS[word].numpy for word in words if word in ATOMS):
        return None
    size = len(traced.leaves) - inputs
    setup = [
        f"v, g = np.zeros({size}), np.zeros({size})",
        f"vs, gs = np.zeros(({inputs}, examples)), np.zeros(({inputs}, examples))",
    ]
    return Emitted(setup, ["raise ArithmeticError"], roots="0.0")


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
    return set(re.findall(r"[^\W\d]\w*", "\n".join(lines)))
