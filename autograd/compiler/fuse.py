"""Fuse: additions that feed each other become one sum of products.

`b + w1*x1 + w2*x2`, however it was written, is what a matrix product is made of. Sums are flattened through terms that
are used nowhere else, and so are the products among their terms.
"""

import math
from dataclasses import dataclass

import numpy as np

from autograd.compiler.trace import CONSTANT, LEAF, Lists, Trace, numbers
from autograd.core.table import TABLE

DOT = "dot"
_ADD, _WEIGHTED_SUM = 2, 4
_ROLES = {"mul": 1, "add": _ADD, "sum": 3, "weighted_sum": _WEIGHTED_SUM}  # what takes part in a sum of products


@dataclass
class Fused:
    """The nodes that remain, in topological order: operations of their operands, and sums of products.

    Sum `i` is `left[0] * right[0] + ... + singles[0] + ...`, of the lists `i`. A zero among its terms is left out; it
    `starts_at_zero`, so that it is 0.0 where all other terms are -0.0.

    Attributes:
        depth: how many operations lie between a node and the leaves, on the longest path.
    """

    nodes: np.ndarray
    depth: np.ndarray
    is_sum: np.ndarray
    left: Lists
    right: Lists
    singles: Lists
    starts_at_zero: np.ndarray


def fuse(traced: Trace) -> Fused:
    """The nodes that remain of a trace."""
    flat, lengths, reader, count = traced.lists.flat, traced.lists.lengths, traced.lists.owners, len(traced)
    codes, own = traced.codes, np.arange(count)
    role = np.array([_ROLES.get(op, 0) for op in traced.names])[codes]
    reading = role[reader]
    uses = np.bincount(flat, minlength=count)
    uses[traced.roots] += 2  # a value that is asked for is never absorbed

    # A sum goes on through sums and products that are used nowhere else; `top` is the sum where that ends.
    is_term = (reading >= _ADD) & (role[flat] > 0) & (uses[flat] == 1)
    is_last = np.zeros(len(flat), bool)
    is_last[traced.lists.stops[lengths > 0] - 1] = True
    is_term &= (reading != _WEIGHTED_SUM) | is_last
    top = own.copy()
    top[flat[is_term]] = reader[is_term]
    while not np.array_equal(top, further := top[top]):
        top = further

    members = np.bincount(top, minlength=count)
    is_zero = np.zeros(count, bool)
    is_zero[[i for i, x in traced.constants.items() if x == 0]] = True
    after_zero = reader[is_zero[flat] & (reading == _ADD)]  # as Python's `sum` does
    written_as_sum = np.zeros(count, bool)
    written_as_sum[top[role > _ADD]] = written_as_sum[top[after_zero]] = True

    # A graph without structure has short sums of many shapes; left as single operations they all look alike.
    is_top = (role >= _ADD) & (top == own)
    covered = members[is_top & (members >= 6)].sum()
    structured = covered > 0.1 * count or count < 2000
    fuses = is_top & ((members >= (4 if structured else 32)) | written_as_sum)
    if structured:
        products = np.flatnonzero(role == 1)
        left, right = (codes[flat[traced.lists.stops[products] - k]] for k in (2, 1))
        given = [code for code, op in enumerate(traced.names) if op in (LEAF, CONSTANT)]
        computed = ~np.isin(left, given) & ~np.isin(right, given)
        kinds = left * len(traced.names) + right
        fuses |= _shorter(products[computed], kinds[computed], role, top, fuses)
    absorbed = fuses[top] & ~fuses
    top = np.where(absorbed, top, own)

    lists = _terms(traced, reading, is_last, is_zero, top, fuses | absorbed, absorbed)
    return Fused(np.flatnonzero(~absorbed), _depth(traced, top, ~absorbed), fuses, *lists)


def _terms(
    traced: Trace,
    reading: np.ndarray,
    is_last: np.ndarray,
    is_zero: np.ndarray,
    top: np.ndarray,
    in_sum: np.ndarray,
    absorbed: np.ndarray,
) -> tuple[Lists, Lists, Lists, np.ndarray]:
    """The terms of each sum that is fused, in the order that they are written in, and whether it starts at zero.

    Args:
        reading, is_last: for each operand the role of the node that reads it, and whether it is the last of that.
        in_sum: whether a node is a sum, or part of one, which is its `top`.
    """
    flat, reader, count = traced.lists.flat, traced.lists.owners, len(traced)
    edges = np.flatnonzero(in_sum[reader])
    is_factor = (reading[edges] == 1) | ((reading[edges] == _WEIGHTED_SUM) & ~is_last[edges])
    factors, singles = edges[is_factor], edges[~is_factor & ~absorbed[flat[edges]]]
    length = np.bincount(reader[factors], minlength=count)
    place = np.arange(len(factors)) - (np.cumsum(length) - length)[reader[factors]]
    is_left = place < length[reader[factors]] // 2  # weights, then inputs
    starts_at_zero = np.zeros(count, bool)
    zeros = singles[is_zero[flat[singles]]]
    is_positive = [math.copysign(1.0, traced.constants[x]) > 0 for x in flat[zeros].tolist()]
    starts_at_zero[top[reader[zeros[np.array(is_positive, bool)]]]] = True

    def by_sum(edges: np.ndarray) -> Lists:
        owner = top[reader[edges]]
        return Lists(flat[edges[np.argsort(owner, kind="stable")]], np.bincount(owner, minlength=count))

    singles = singles[~is_zero[flat[singles]]]
    return by_sum(factors[is_left]), by_sum(factors[~is_left]), by_sum(singles), starts_at_zero


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


def _depth(traced: Trace, top: np.ndarray, stays: np.ndarray) -> np.ndarray:
    """How deep each node lies; what is absorbed is part of its top."""
    is_computed = traced.lists.lengths > 0
    depth = is_computed.astype(int).tolist()
    flat = traced.lists.flat
    here = np.flatnonzero((is_computed & stays)[flat])
    for i, x in zip(numbers(top[traced.lists.owners[here]]), numbers(flat[here])):
        if depth[x] >= depth[i]:
            depth[i] = depth[x] + 1
    return np.array(depth, np.int64)


def signs_matter(traced: Trace) -> set[int]:
    """The nodes whose sign, if they are zero, may decide about another result."""
    found: set[int] = set()
    if not any(map(tells_signs_of_zero, traced.names)):
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
