"""Softmax with cross-entropy, recognised: dC/dz_j = p_j - y_j, whatever the expression that computes it.

A loss is recognised by the sum of its paths. Where the slopes with respect to its logits, each added up over all paths,
are softmax minus a target, the textbook's form is shown in place of the factors that the stable expression has.
"""

import heapq
import math
from collections.abc import Container, Mapping
from typing import Any, NamedTuple

from autograd.assigning import again
from autograd.core.value import Value
from autograd.explaining.pathsum import ieee_sum
from autograd.explaining.typography import label_parts

EXPONENTIALS = {"exp", "logsumexp", "log_softmax", "softplus", "sigmoid", "log_sigmoid", "logaddexp"}
LOGARITHMS = {"log", "log1p", "logsumexp", "log_softmax", "softplus", "log_sigmoid", "logaddexp"}
BETWEEN = EXPONENTIALS | LOGARITHMS | {"add", "sub", "neg", "mul", "div", "sum", "weighted_sum"}
LOSSES = {"sub", "neg", "add", "mul", "softplus", "logsumexp", "logaddexp"}  # what a cross-entropy ends in
LARGEST_LOSS = 500  # values of a loss, and
MOST_LOSSES = 5000  # losses, that are looked at
SLOPE_TOLERANCE = 1e-9  # how far softmax minus target may be from the slopes


class Logit(NamedTuple):
    """One logit of a loss: its probability, its target, a Value where the user has one for it, and the slope."""

    value: Value
    probability: float
    target: float | Value
    slope: float


def cross_entropies(order: list[Value], way: Mapping[Value, Any], value: Value) -> dict[Value, list[Logit]]:
    """The values on the way from one value that are cross-entropies which it enters by their logits alone."""
    if not any(node.op in EXPONENTIALS for node in order):
        return {}
    place = {node: i for i, node in enumerate(order)}
    found: dict[Value, list[Logit]] = {}
    inside: set[Value] = set()
    for loss in [node for node in way if node.op in LOSSES][: -MOST_LOSSES - 1 : -1]:
        if loss not in inside:
            cone, logits = cone_of(loss, place)
            chances = recognised(loss, cone, logits)
            if chances and not enters_otherwise(value, way, cone, chances):
                found[loss] = chances
                inside.update(cone)
    return found


def cone_of(loss: Value, place: dict[Value, int]) -> tuple[list[Value], list[Value]]:
    """The values between a loss and its logits, the loss first; and the logits, what its exponentials are taken of."""
    cone: list[Value] = []
    logits: dict[Value, None] = {}
    waiting, seen = [(-place[loss], loss)], {loss}
    while (
        waiting and len(cone) < LARGEST_LOSS
    ):  # the latest first: what an exponential is taken of is known before it comes
        _, node = heapq.heappop(waiting)
        if node in logits and not made_of(node, logits):
            continue
        logits.pop(node, None)
        cone.append(node)
        if node.op in EXPONENTIALS:
            logits.update(dict.fromkeys(part for x in node.parents for part in logits_in(x)))
        for x in node.parents if node.op in BETWEEN else ():
            if x not in seen:
                seen.add(x)
                heapq.heappush(waiting, (-place[x], x))
    return cone, sorted((x for x in logits if x in seen), key=place.__getitem__) if not waiting else []


def enters_otherwise(value: Value, way: Container[Value], cone: list[Value], found: list[Logit]) -> bool:
    """Whether some path from a value to a loss avoids its logits, as that of a target or of a term beside the loss."""
    inner = {*cone, *(logit.value for logit in found)}
    return any(node is value or any(x in way and x not in inner for x in node.parents) for node in cone if node in way)


def logits_in(x: Value) -> list[Value]:
    """What may be a logit in the operand of an exponential: z, or both sides of z_i - z_k."""
    parts = x.parents if x.op in ("sub", "neg") and not x.label else (x,)
    return [part for part in parts if part.op not in EXPONENTIALS]


def made_of(node: Value, logits: dict[Value, None]) -> bool:
    """Whether a candidate is made of other candidates, as the mean logit under a target distribution is."""
    return len(node.parents) > 1 and all(x in logits for x in node.parents)


def recognised(loss: Value, cone: list[Value], logits: list[Value]) -> list[Logit]:
    """The logits if the loss is their cross-entropy, each with its probability and target; else none."""
    logarithms = [node for node in cone if node.op in LOGARITHMS]
    if not logits or not logarithms or cone == logarithms == [loss]:  # softplus alone is an activation
        return []
    slope = slopes_in(cone, logits)
    given = [x for x in cone if not x.op and 0 <= x.data <= 1]
    targets = [0.0, 1.0, *(x for node in cone for x in node.operands if isinstance(x, float) and 0 <= x <= 1)]
    logits = in_class_order(logits)
    found = []
    for logit, chance in zip(logits, probabilities([z.data for z in logits])):
        likely = [y for y in given if slope_of_target(slope[y], logit, chance)]
        target = next((y for y in (*likely, *targets) if near(target_value(y), chance - slope[logit])), None)
        if target is None:
            return []
        found.append(Logit(logit, chance, target, slope[logit]))
    whole = ieee_sum([target_value(logit.target) for logit in found])
    return found if (len(found) == 1 or abs(whole - 1) < SLOPE_TOLERANCE) and holds_nearby(cone, found) else []


def slopes_in(cone: list[Value], logits: list[Value]) -> dict[Value, float]:
    """The slope of a loss, the first of its cone, with respect to each value of the cone and to its logits."""
    slope = dict.fromkeys([*cone, *logits], 0.0) | {cone[0]: 1.0}
    for node in cone:
        for x, partial in zip(node.parents, node.partials):
            if x in slope:
                slope[x] += slope[node] * partial
    return slope


def holds_nearby(cone: list[Value], found: list[Logit]) -> bool:
    """Whether the slopes are softmax minus target at other logits and targets too, and not by chance at these."""
    moved: dict[Any, Any] = {logit.value: Value(logit.value.data + 0.37 / k) for k, logit in enumerate(found, 1)}
    targets = [logit.target for logit in found if isinstance(logit.target, Value)]
    if len(targets) > 1 or len(found) == 1:  # those of several classes go on adding up to 1
        middle = (len(targets) - 1) / 2 if len(found) > 1 else -1
        moved |= {y: Value(y.data + 0.05 * (k - middle)) for k, y in enumerate(targets)}
    try:
        for node in reversed(cone):
            if node.op and node not in moved:
                moved[node] = again(node.op, [moved.get(x, x) for x in node.operands])
    except (ArithmeticError, ValueError):
        return False
    logits = [moved[logit.value] for logit in found]
    slope = slopes_in([moved.get(node, node) for node in cone], logits)
    return all(
        near(slope[z], chance - target_value(moved.get(logit.target, logit.target)))
        for z, logit, chance in zip(logits, found, probabilities([z.data for z in logits]))
    )


def slope_of_target(slope: float, logit: Value, chance: float) -> bool:
    """Whether a loss has a slope with respect to a target of this logit: -z of y z, -log(p) of y log(p)."""
    return near(slope, -logit.data) or (chance > 0 and near(slope, -math.log(chance)))


def near(x: float, y: float) -> bool:
    """Whether two numbers are the same but for rounding."""
    return abs(x - y) < SLOPE_TOLERANCE * max(1.0, abs(x))


def in_class_order(logits: list[Value]) -> list[Value]:
    """The logits by the index in their labels (`z_0^(2)`, `z_1^(2)`, ...), where they have one each."""
    parts = [label_parts(z.label) for z in logits]
    indices = [int(part[1]) if part and part[1].isdecimal() else -1 for part in parts]
    if sorted(indices) != list(range(len(logits))):
        return logits
    return [z for _, z in sorted(zip(indices, logits), key=lambda pair: pair[0])]


def target_value(x: float | Value) -> float:
    """The number that a target is."""
    return x.data if isinstance(x, Value) else x


def probabilities(z: list[float]) -> list[float]:
    """The probabilities of the classes; of a single logit the sigmoid."""
    z = [*z, 0.0] if len(z) == 1 else z
    terms = [math.exp(x - max(z)) for x in z]
    return [term / math.fsum(terms) for term in terms]
