"""Losses: how far a model's output is from its target, as one Value to call `backward()` on.

Each is `loss(output, target)`: the output is what the model returned, a Value or a list of them, the target a number or
a list of as many. Each has its numerically stable form and never branches on its numbers, so it can be compiled.
"""

import math
import operator
from collections.abc import Iterable
from typing import Any

import autograd
from autograd import Value, logsumexp, mean, minimum, relu, softplus, weighted_sum
from autograd.assigning import is_iterable, taken_out
from nn.checks import items, real


def squared_error(output: Any, target: Any) -> Any:
    """(a_0 - y_0)^2 + (a_1 - y_1)^2 + ..., the sum over the outputs: the cost of one example in the textbook.

    >>> squared_error([1.0, 3.0], [0.0, 1.0])
    5.0
    """
    terms = [(a - y) ** 2 for a, y in pairs(output, target, "squared_error")]
    return terms[0] if len(terms) == 1 else autograd.sum(terms)


def mean_squared_error(output: Any, target: Any) -> Any:
    """The mean of (a - y)^2 over the outputs.

    >>> mean_squared_error([1.0, 3.0], [0.0, 1.0])
    2.5
    """
    return average((a - y) ** 2 for a, y in pairs(output, target, "mean_squared_error"))


def absolute_error(output: Any, target: Any) -> Any:
    """The mean of |a - y| over the outputs; its slope at 0 is 0.

    >>> absolute_error([1.0, 3.0], [0.0, 1.0])
    1.5
    """
    return average(abs(a - y) for a, y in pairs(output, target, "absolute_error"))


def huber(output: Any, target: Any, delta: float = 1.0) -> Any:
    """e^2 / 2 where the error e = |a - y| is at most delta, delta (e - delta / 2) beyond; the mean over the outputs.

    >>> huber(0.5, 0.0), huber(3.0, 0.0)
    (0.125, 2.5)
    """
    if not real(delta, "huber's delta") > 0:
        raise ValueError(f"huber's delta, where the square turns into a line, is above 0, not {delta}")
    errors = [abs(a - y) for a, y in pairs(output, target, "huber")]
    # with m = min(e, delta) both cases are m (e - m / 2): no branch, and no square that overflows
    return average((m := minimum(e, delta)) * (e - 0.5 * m) for e in errors)


def hinge(output: Any, target: Any) -> Any:
    """max(0, 1 - y a), the max-margin loss, for targets -1 and 1; the mean of it over several outputs.

    >>> hinge(0.25, 1), hinge(0.25, -1), hinge(2.0, 1)
    (0.75, 1.25, 0.0)
    """
    both = pairs(output, target, "hinge")
    if any(not isinstance(y, Value) and abs(y) != 1 for _, y in both):
        raise ValueError(f"hinge takes targets -1 and 1, not {target!r}; of classes 0 and 1 make them by 2 * y - 1")
    return average(relu(1 - y * a) for a, y in both)


def binary_cross_entropy(output: Any, target: Any, pos_weight: float = 1.0) -> Any:
    """-log of the probability of the target, 0 or 1, where the output is a logit: P(1) = sigmoid(a).

    The output is the logit itself, of a model whose last layer is linear, and the result exact for logits of any size.
    Targets between 0 and 1 are probabilities. The mean over several outputs. `pos_weight` multiplies the part of
    target 1, where there are few of them.

    Raises:
        ValueError: for an output that a sigmoid has computed: it would be taken for a logit.

    >>> round(binary_cross_entropy(0.0, 1), 6), binary_cross_entropy(-1000.0, 1)
    (0.693147, 1000.0)
    """
    both = pairs(output, target, "binary_cross_entropy")
    if any(isinstance(a, Value) and a.op == "sigmoid" for a, _ in both):
        raise ValueError(
            "binary_cross_entropy takes the logit and applies the sigmoid itself, but a sigmoid has computed this "
            "output: make the last layer linear, as in MLP(2, [16, 1], output='linear'). accuracy goes by the logit's "
            "sign, and autograd.sigmoid(logit) is the probability"
        )
    if any(not isinstance(y, Value) and not 0 <= y <= 1 for _, y in both):
        raise ValueError(
            f"binary_cross_entropy takes targets 0 and 1 (or a probability), not {target!r}; of -1 and 1 make them by "
            "(y + 1) / 2"
        )
    if not 0 < real(pos_weight, "pos_weight") < math.inf:
        raise ValueError(f"pos_weight is a finite number above 0, not {pos_weight!r}")
    # log(1 + exp(-a)) is -log sigmoid(a): nothing cancels, whichever way the logit points
    return average(
        (y if pos_weight == 1 else y * float(pos_weight)) * softplus(-a) + (1 - y) * softplus(a) for a, y in both
    )


def cross_entropy(output: Any, target: Any, label_smoothing: float = 0.0) -> Any:
    """-log of the probability of the target class, where the outputs are logits: P(k) = softmax(a)_k.

    Args:
        output: a list of logits, one per class, of a model whose last layer is linear. Their size does not matter.
        target: the index of the class, or a list of the classes' probabilities: [0, 1, 0] is class 1.
        label_smoothing: the part of the target, from 0 up to 1, that is spread evenly over all classes.

    >>> round(cross_entropy([1.0, 2.0, 3.0], 2), 6), cross_entropy([0.0, 1000.0], 0)
    (0.407606, 1000.0)
    >>> round(cross_entropy([0.0, 2.0], 1, label_smoothing=0.1), 6), round(cross_entropy([0.0, 2.0], [0.05, 0.95]), 6)
    (0.226928, 0.226928)
    """
    logits = [a if isinstance(a, Value) else real(a, "cross_entropy", OUTPUTS) for a in as_list(output)]
    if len(logits) < 2:
        raise ValueError("cross_entropy takes a list of logits, one per class; for one logit use binary_cross_entropy")
    if not 0 <= real(label_smoothing, "label_smoothing") < 1:
        raise ValueError(f"label_smoothing is a part of the target, at least 0 and below 1, not {label_smoothing!r}")
    if label_smoothing and not is_list(target):
        k = class_index(target, len(logits))
        target = [float(i == k) for i in range(len(logits))]
    if is_list(target):
        chances = [y if isinstance(y, Value) else real(y, "cross_entropy", TARGETS) for _, y in matched(logits, target)]
        if not any(isinstance(y, Value) for y in chances) and not (
            min(chances) >= 0 and math.isclose(math.fsum(chances), 1, abs_tol=1e-6)
        ):
            raise ValueError(f"the classes' probabilities are at least 0 and sum to 1, not {target!r}")
        if label_smoothing:
            label_smoothing = float(label_smoothing)
            chances = [(1 - label_smoothing) * y + label_smoothing / len(logits) for y in chances]
        expected = weighted_sum(chances, logits)
        return logsumexp([a - expected for a in logits])
    k = class_index(target, len(logits))
    # log(1 + sum of exp(a_i - a_k)): how far the other classes, together, stand above the target's. Nothing cancels.
    return softplus(logsumexp([a - logits[k] for a in logits[:k] + logits[k + 1 :]]))


def l1_penalty(parameters: Iterable[Any], strength: float) -> Any:
    """strength * (|w| + ...): added to the cost it drives weights that do little to 0.

    >>> l1_penalty([1.0, -3.0], 0.5)
    2.0
    """
    return penalty_strength(strength) * autograd.sum([abs(w) for w in weights_of(parameters)])


def l2_penalty(parameters: Iterable[Any], strength: float) -> Any:
    """strength * (w^2 + ...): added to the cost it keeps weights small.

    >>> l2_penalty([1.0, -3.0], 0.5)
    5.0
    """
    weights = weights_of(parameters)
    return penalty_strength(strength) * weighted_sum(weights, weights) if weights else 0.0


def weights_of(parameters: Any) -> list[Any]:
    """What a penalty is made of, Values or numbers."""
    weights = items(parameters, "a penalty takes a list of Values, as in model.parameters()")
    for w in weights:
        if not isinstance(w, Value):
            real(w, "a penalty", "takes a list of Values, as in model.parameters()")
    return weights


def penalty_strength(strength: Any) -> float:
    """A number of at least 0."""
    if not 0 <= real(strength, "a penalty's strength") < math.inf:
        raise ValueError(f"a penalty's strength is at least 0, not {strength!r}")
    return float(strength)


def average(terms: Iterable[Any]) -> Any:
    """The mean; of one term, the term itself."""
    terms = list(terms)
    return terms[0] if len(terms) == 1 else mean(terms)


def as_list(x: Any) -> list[Any]:
    """A list of Values or numbers: of one, a list with it."""
    return [taken_out(each) for each in x] if is_list(x) else [taken_out(x)]


def is_list(x: Any) -> bool:
    """Whether x is a list of some kind, a 0-d array and a string not being one."""
    return is_iterable(x) and not isinstance(x, (str, bytes))


def matched(outputs: list[Any], target: Any) -> list[tuple[Any, Any]]:
    """Each output with its target; a ValueError if there are more of the one than of the other."""
    targets = as_list(target)
    if len(outputs) != len(targets):
        raise ValueError(
            f"the model returned {len(outputs)} output{'s' * (len(outputs) != 1)} but the target has {len(targets)}: "
            "each output needs a target of its own. A class index goes with cross_entropy; one_hot makes targets of it"
        )
    if not outputs:
        raise ValueError("a loss needs at least one output")
    return list(zip(outputs, targets))


def pairs(output: Any, target: Any, loss: str) -> list[tuple[Any, Any]]:
    """Each output with its target, a Value or a float."""
    both = matched(as_list(output), target)
    return [
        (
            a if isinstance(a, Value) else real(a, loss, OUTPUTS),
            y if isinstance(y, Value) else real(y, loss, TARGETS),
        )
        for a, y in both
    ]


OUTPUTS = "takes outputs of a model, Values or numbers"
TARGETS = "takes numbers as targets"


def class_index(target: Any, n: int) -> int:
    """The target class as an int from 0 to n - 1."""
    try:
        whole: Any = int(target) if isinstance(target, float) and target.is_integer() else target
        k = operator.index(whole)
    except TypeError:
        advice = "the index of a class, 0, 1, 2, ..., or a list of the classes' probabilities"
        raise TypeError(f"cross_entropy takes as target {advice}, not {target!r}") from None
    if not 0 <= k < n:
        raise ValueError(f"there are {n} logits, so the target class is one of 0 to {n - 1}, not {k}")
    return k
