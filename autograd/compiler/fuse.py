"""Fuse: additions that feed each other become one sum of products.

`b + w1*x1 + w2*x2`, however it was written, is what a matrix product is made of. Sums are flattened through terms that
are used nowhere else, and so are the products among their terms.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np

from autograd.compiler.trace import CONSTANT, LEAF, Trace
from autograd.core.table import TABLE

DOT = "dot"
_ADD, _WEIGHTED_SUM = 2, 4
_ROLES = {"mul": 1, "add": _ADD, "sum": 3, "weighted_sum": _WEIGHTED_SUM}  # what takes part in a sum of products


@dataclass(frozen=True, slots=True)
class Terms:
    """The operands of a sum: `left[0] * right[0] + ... + singles[0] + ...`.

    A zero among them is left out; the sum `starts_at_zero`, so that it is 0.0 where all other terms are -0.0.
    """

    left: tuple[int, ...]
    right: tuple[int, ...]
    singles: tuple[int, ...]
    starts_at_zero: bool = False

    def __iter__(self) -> Iterator[int]:
        return chain(self.left, self.right, self.singles)


Operands = tuple[int, ...] | Terms


def fuse(traced: Trace) -> tuple[list[int], list[Operands]]:
    """The nodes that remain, in topological order, and the operands of every node: Terms for a sum of products."""
    flat, count = traced.flat, len(traced.ops)
    code_of, code = traced.codes
    role = np.array([_ROLES.get(op, 0) for op in code_of])[code]
    lengths = traced.lengths
    reader = np.repeat(np.arange(count), lengths)  # of each operand
    uses = np.bincount(flat, minlength=count)
    uses[traced.roots] += 2  # a value that is asked for is never absorbed

    # A sum goes on through sums and products that are used nowhere else; `top` is the sum where that ends.
    is_term = (role[reader] >= _ADD) & (role[flat] > 0) & (uses[flat] == 1)
    is_term &= (role[reader] != _WEIGHTED_SUM) | (np.arange(len(flat)) == np.cumsum(lengths)[reader] - 1)
    top = np.arange(count)
    top[flat[is_term]] = reader[is_term]
    while not np.array_equal(top, top[top]):
        top = top[top]

    members = np.bincount(top, minlength=count)
    is_zero = np.zeros(count, bool)
    is_zero[[i for i, x in traced.constants.items() if x == 0]] = True
    starts_at_zero = reader[is_zero[flat] & (role[reader] == _ADD)]  # as Python's `sum` does
    written_as_sum = np.zeros(count, bool)
    written_as_sum[top[role > _ADD]] = written_as_sum[top[starts_at_zero]] = True

    # A graph without structure has short sums of many shapes; left as single operations they all look alike.
    is_top = (role >= _ADD) & (top == np.arange(count))
    covered = members[is_top & (members >= 6)].sum()
    structured = covered > 0.1 * count or count < 2000
    fuses = is_top & ((members >= (4 if structured else 32)) | written_as_sum)
    if structured:
        first = np.cumsum(lengths) - lengths
        products = np.flatnonzero(role == 1)
        left, right = code[flat[first[products]]], code[flat[first[products] + 1]]
        given = [code_of[op] for op in (LEAF, CONSTANT) if op in code_of]
        computed = ~np.isin(left, given) & ~np.isin(right, given)
        fuses |= _shorter(products[computed], (left * len(code_of) + right)[computed], role, top, fuses)
    absorbed = fuses[top] & ~fuses
    operands: list[Operands] = list(traced.operands)
    for i, terms in _flattened(traced, reader, role, top, fuses, absorbed):
        operands[i] = terms
    return np.flatnonzero(~absorbed).tolist(), operands


def _shorter(
    products: np.ndarray, kinds: np.ndarray, role: np.ndarray, top: np.ndarray, fuses: np.ndarray
) -> np.ndarray:
    """Sums of products like those that are fused, but shorter, down to one product.

    The first words of a text attend to few others; with them, all words are one array.

    Args:
        kinds: of each product, which operations it multiplies the results of.
    """
    fused = fuses[top[products]]
    others = products[~fused & np.isin(kinds, kinds[fused])]
    found = np.bincount(top[others], minlength=len(top))
    additions = np.bincount(top[role == _ADD], minlength=len(top))
    return (found > 0) & (found == additions + 1) & ~fuses  # of nothing but such products


def depths(nodes: list[int], operands: list[Operands]) -> list[int]:
    """How many operations lie between each node and the leaves, on the longest path."""
    depth = [0] * len(operands)
    depth_of = depth.__getitem__
    for i in nodes:
        parents = operands[i]
        if parents:
            depth[i] = 1 + max(map(depth_of, parents))
    return depth


def _flattened(
    traced: Trace, reader: np.ndarray, role: np.ndarray, top: np.ndarray, fuses: np.ndarray, absorbed: np.ndarray
) -> Iterator[tuple[int, Terms]]:
    """The terms of each sum that is fused, in the order of the nodes that they are written in."""
    flat, constants = traced.flat, traced.constants
    edges = np.flatnonzero((fuses | absorbed)[reader])  # of sums and their products
    kinds, last = role[reader[edges]], np.append(np.diff(reader[edges]) != 0, True)
    is_factor = (kinds == 1) | ((kinds == _WEIGHTED_SUM) & ~last)
    factors, singles = edges[is_factor], edges[~is_factor & ~absorbed[flat[edges]]]
    length = np.bincount(reader[factors], minlength=len(top))
    place = np.arange(len(factors)) - (np.cumsum(length) - length)[reader[factors]]
    is_left = place < length[reader[factors]] // 2  # weights, then inputs

    tops = np.flatnonzero(fuses)

    def of_each(edges: np.ndarray) -> list[tuple[int, ...]]:
        """The operands at some edges, by the sum that they are terms of."""
        owner = top[reader[edges]]
        order = np.argsort(owner, kind="stable")
        terms, starts = flat[edges[order]].tolist(), np.searchsorted(owner[order], tops).tolist()
        return [tuple(terms[start:stop]) for start, stop in pairwise([*starts, len(terms)])]

    lists = zip(tops.tolist(), of_each(factors[is_left]), of_each(factors[~is_left]), of_each(singles))
    for i, left, right, others in lists:
        zeros = [x for x in others if constants.get(x) == 0]
        if zeros:
            others = tuple([x for x in others if constants.get(x) != 0])
            others = others or (() if left else (traced.operands[i][0],))
        starts_at_zero = any(math.copysign(1.0, constants[x]) > 0 for x in zeros)
        yield i, Terms(left, right, others, starts_at_zero)


def signs_matter(traced: Trace) -> set[int]:
    """The nodes whose sign, if they are zero, may decide about another result."""
    found: set[int] = set()
    if not any(map(tells_signs_of_zero, set(traced.ops))):
        return found
    for i in range(len(traced.ops) - 1, -1, -1):
        op = traced.ops[i]
        if tells_signs_of_zero(op) or (i in found and op not in _WITHOUT_SIGN):
            found.update(traced.operands[i])
    return found


_WITHOUT_SIGN = set("exp exp2 cos cosh abs erfc sigmoid log_sigmoid softplus step logsumexp logaddexp hypot".split())


def tells_signs_of_zero(op: str) -> bool:
    """Whether an operation has different results for 0.0 and -0.0, other than these themselves."""
    words = "" if op in (LEAF, CONSTANT) else " ".join((op, TABLE[op].value, *TABLE[op].partials))
    return "atan2" in words
