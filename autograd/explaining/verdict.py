"""The verdict: what made a gradient as small or as large as it is.

The factors of the largest path are grouped by what they are: slopes of activations, weights, inputs, the error. What a
group does to the gradient is its product, compared with 1, and the sentence names the groups by how much they do.
"""

import math
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from autograd.assigning import again
from autograd.core.graph import backpropagate, topological_order
from autograd.core.value import Value
from autograd.explaining.chain import Link
from autograd.explaining.formulas import Formulas, is_arithmetic
from autograd.explaining.notation import text
from autograd.explaining.pathsum import count_text, ieee_sum
from autograd.explaining.symbols import (
    Dots,
    Name,
    Number,
    Product,
    Sum,
    Symbol,
    contains,
    is_negative,
    power_of_numbers,
    worth,
)
from autograd.explaining.typography import in_digits, label_parts, numbered_label

FactorEdge = tuple[Link, int]
Write = Callable[[Symbol], str]

WORTH_SAYING = 1.5  # times larger or smaller from which a group is mentioned
CANCELLING = 3.0  # times the paths may be larger than their sum before they are said to cancel
STANDS_OUT = 3.0  # times a gradient may differ from those of its layer before that is said
CUT_OFF = (
    "If it should: math.tanh(w), float(w) and w.data are plain numbers, which cut the derivative off; "
    "autograd.tanh(w) keeps it."
)
LONG = 9  # factors from which their mean says more than they do
LONGEST_FORMULA = 60  # letters of a formula that stand in a sentence

WEIGHTS = {"w", "W", "weight", "theta", "θ", "u", "U", "V"}
INPUT_LETTERS, ACTIVATION_LETTERS = {"x", "X", "input"}, {"a", "h"}
LARGEST_SLOPE = {"sigmoid": 0.25, "tanh": 1.0, "erf": 2 / math.sqrt(math.pi), "softsign": 1.0, "atan": 1.0}
FLAT = {"sign", "step", "floor", "ceil", "trunc"}
CHOICES = {"maximum", "minimum", "where"}
NUMERALS = "no one two three four five six seven eight nine ten eleven twelve".split()


@dataclass(frozen=True)
class Reason:
    """Something that makes a gradient larger or smaller than 1.

    Attributes:
        kind: "slopes", "saturated", "weights", "inputs", "activations", "error", "constants", "factor"; where the
            gradient is 0 also "off", "dead", "clipped", "not chosen", "flat"; "cancel" for paths; "undefined" for nan.
        size: what it multiplies the gradient by, without its sign.
        names: what it consists of, as plain text.
    """

    kind: str
    size: float
    names: tuple[str, ...] = ()


class Verdict:
    """The reasons for the size of one gradient, the weightiest first, and the sentence that tells them."""

    def __init__(
        self,
        formulas: Formulas,
        links: dict[Value, Link],
        path: Sequence[FactorEdge],
        counts: tuple[int, int],  # of paths from name to name, and in the graph
        gradient: float,
    ):
        self.formulas, self.links, self.path, self.gradient = formulas, links, path, gradient
        self.count, self.all = counts
        self.cost, self.value = formulas.cost, formulas.value
        self.reasons: list[Reason] = self.judged(text)[0]

    def judged(self, write: Write) -> tuple[list[Reason], str]:
        """The reasons, and the sentence with its formulas written by `write`; it is empty where nothing is to tell."""
        cost, value = write(self.formulas.alone(self.cost)), write(self.formulas.alone(self.value))
        if not self.count:
            if self.cost in topological_order(self.value):
                return [], f"No path leads from {value} to {cost}, but from {cost} to {value}: the cost comes first."
            return [], f"No path leads from {value} to {cost}: the cost does not depend on it. {CUT_OFF}"
        if self.value is self.cost:
            return [], "A quantity changes at its own rate."
        undefined = next((edge for edge in self.path if math.isnan(slope_of(edge))), None)
        if undefined:
            sentence = f"There is no slope at {self._at(undefined, write)}: it is not a number."
            return [Reason("undefined", math.nan)], sentence
        if not math.isfinite(self.gradient):
            return self._not_finite(write)
        sizes = absolute_sum(self.links.values(), self.value)
        if not self.gradient:
            return self._cancelled(sizes) if sizes else self._stopped(write)
        if not sizes >= CANCELLING * abs(self.gradient):
            return self._compared(write, sizes)
        (cancelling,), cancelled = self._cancelled(sizes)
        reasons, sentence = self._compared(write, sizes)
        small = abs(self.gradient) < 1
        rivals = [(weight, group) for weight, group in self._ranked(sizes) if not small or group_size(group) < 0]
        largest = max((weight for weight, _ in rivals), default=0.0)
        times = rounded(sizes / abs(self.gradient))
        if math.log(min(sizes / abs(self.gradient), sys.float_info.max)) < largest:
            return [*reasons, cancelling], f"{sentence} And the paths cancel, which makes it {times} times smaller."
        cancelled = f"{cancelled[:-1]}, which makes it {times} times smaller."
        if self.count == 1:  # what cancels is within the factors, whose sizes say it once more
            return [cancelling, *reasons], cancelled
        rest = ""
        if any(abs(group_size(group)) >= math.log(CANCELLING) for _, group in rivals):
            rest = sentence.removeprefix(f"{self._paths()} are added. ")
        return [cancelling, *reasons], f"{cancelled} {rest}".rstrip()

    def _at(self, edge: FactorEdge, write: Write) -> str:
        lower = edge[0].parents[edge[1]].node
        return f"{write(self.formulas.alone(lower))} = {in_digits(lower.data)}"

    # Gradients that are 0

    def _cancelled(self, sizes: float) -> tuple[list[Reason], str]:
        up, down = (sizes + self.gradient) / 2, (sizes - self.gradient) / 2
        what = self._paths() if self.count > 1 else f"{count_text(self.all)} paths"
        return [Reason("cancel", abs(self.gradient) / sizes)], (
            f"The {what} cancel: those that are positive add up to {in_digits(up)}, the negative ones to "
            f"{in_digits(-down)}."
        )

    def _paths(self) -> str:
        """How many paths there are from name to name, and in the graph where these are more."""
        gathered = f", gathered into {count_text(self.count)} by the names on the way," if self.all > self.count else ""
        return f"{count_text(self.all)} paths{gathered}"

    def _stopped(self, write: Write) -> tuple[list[Reason], str]:
        """Why nothing at all passes."""
        stopping = [(link, i) for link in self.links.values() for i, x in enumerate(link.partials) if not x]
        along = [edge for edge in self.path if not slope_of(edge)]
        first = next((edge for edge in (*along, *stopping) if not decides(edge)), along[0] if along else None)
        if first is None:
            sentence = f"The product of {len(self.path)} factors is smaller than any float, and so it is 0."
            return [Reason("slopes", 0.0)], sentence
        kind, sentence = self._stop(first, write)
        if kind == "off":
            op = first[0].node.op
            off = [edge for edge in stopping if edge[0].node.op == op]
            one_unit = all(self.links[self.value] in edge[0].parents[edge[1]].parents for edge in off)
            if len(off) > 1 and one_unit:
                kind = "dead"
                sentence = (
                    f"{op} is off for all {len(off)} examples, as at {self._at(first, write)}: on these data the unit "
                    "is dead, and passes nothing back."
                )
            elif len(off) > 1:
                sentence = (
                    f"{op} is off at {len(off)} places, as at {self._at(first, write)}: no path passes anything back."
                )
        return [Reason(kind, 0.0)], sentence

    def _stop(self, edge: FactorEdge, write: Write) -> tuple[str, str]:
        link, i = edge
        op, at = self._operation(edge), self._at(edge, write)
        lower = write(self.formulas.alone(link.parents[i].node))
        if op in CHOICES:
            others = [x for x in link.node.operands if x is not link.parents[i].node]
            if decides(edge):
                return "not chosen", f"{lower} only decides what where chooses: its slope is 0 on both sides."
            other = next((write(self.formulas.alone(x)) for x in others[-1:]), "the other operand")
            if op != "where" and others and not isinstance(others[0], Value):
                return "clipped", f"{op} clips {at} to {other}: beyond the bound its slope is 0."
            return "not chosen", f"{lower} is not chosen by {op} here: a branch that is not taken passes nothing back."
        if op == "clip":
            return "clipped", f"clip holds {at} at its bound: beyond it the slope is 0."
        if op == "relu":
            return "off", f"relu is off for this example, at {at}: its slope is 0 there, and nothing passes back."
        if op in LARGEST_SLOPE:
            return "saturated", f"{function_in_words(op)} is saturated at {at}: its slope there is 0."
        if op in ("abs", "hypot") and not link.node.data:
            return "flat", f"{op} has a kink at {at}: its slope counts as 0 there, and nothing passes back."
        if op:
            everywhere = "everywhere" if op in FLAT else f"at {at}"
            return "flat", f"{function_in_words(op)} is flat {everywhere}: its slope is 0, and nothing passes back."
        parts = [part for part in self._parts(edge) if not part.size] or self._parts(edge)
        part = parts[0]
        subject = ONE[part.kind] if isinstance(part.symbol, Number) else f"{ONE[part.kind]} {write(part.symbol)}"
        if len(write(part.symbol)) > LONGEST_FORMULA:
            subject = "one factor"
        if part.kind == "error" and (extreme := self._extreme()):
            return part.kind, f"{subject[:1].upper()}{subject[1:]} is 0: the cost is at its {extreme} here."
        return part.kind, f"{subject[:1].upper()}{subject[1:]} is 0, so the whole product is 0."

    def _extreme(self) -> str:
        """Whether the cost is "lowest" or "highest" where the value is, beside two points close by; else nothing."""
        order, step, beside = topological_order(self.cost), 1e-3 * max(1.0, abs(self.value.data)), []
        for x in (self.value.data - step, self.value.data + step):
            worth = {self.value: x}
            try:
                for node in order:
                    if node not in worth and not worth.keys().isdisjoint(node.parents):
                        worth[node] = again(
                            node.op, [worth.get(y, y.data) if isinstance(y, Value) else y for y in node.operands]
                        )
            except (ArithmeticError, ValueError):
                return ""
            beside.append(worth[self.cost])
        lowest, highest = min(beside) > self.cost.data, max(beside) < self.cost.data
        return "lowest" if lowest else "highest" if highest else ""

    def _not_finite(self, write: Write) -> tuple[list[Reason], str]:
        """Why a gradient is infinite or no number, though every slope is a number."""
        edges = [*self.path, *((link, i) for link in self.links.values() for i in range(len(link.partials)))]
        infinite = next(filter(is_infinite, edges), None)
        result = "not a number" if math.isnan(self.gradient) else "infinite"
        reason = Reason("undefined" if math.isnan(self.gradient) else "infinite", abs(self.gradient))
        if infinite is None:
            what = f"sum over {self._paths()}" if self.count > 1 else "product of the factors"
            return [reason], f"The {what} is larger than any float, and so the gradient is {result}."
        function = self._operation(infinite)
        subject = function_in_words(function) if function else write(self.formulas.name(infinite[0].node))
        beside = " and another factor is 0," if math.isnan(self.gradient) and not all(map(slope_of, self.path)) else ""
        sentence = (
            f"The slope of {subject} at {self._at(infinite, write)} is infinite,{beside} so the gradient is {result}."
        )
        return [reason], sentence

    # Gradients that are not

    def _ranked(self, sizes: float) -> list[tuple[float, list["FactorPart"]]]:
        """The groups of factors, each with the logarithm of what it does, the weightiest first.

        The 1 / n of a mean over n paths is one of them, as far as adding up the paths does not make up for it.
        """
        parts = [part for edge in self.path for part in self._parts(edge)]
        groups: dict[Any, list[FactorPart]] = {}
        for part in parts:
            groups.setdefault(part.group, []).append(part)
        added = self._added(sizes)

        def weight(group: list[FactorPart]) -> float:
            size = group_size(group)
            makes_up = group[0].kind == "constants" and size < 0 and 1 < added < math.inf
            return -min(0.0, size + math.log(added)) if makes_up else abs(size)

        return sorted(((weight(group), group) for group in groups.values()), key=lambda item: -item[0])

    def _added(self, sizes: float) -> float:
        """How many times larger than the largest path the sizes of all paths together are."""
        product = math.prod(abs(slope_of(edge)) for edge in self.path)
        return sizes / product if product and self.count > 1 else 1.0

    def _compared(self, write: Write, sizes: float) -> tuple[list[Reason], str]:
        """The reasons, and the sentence that names the groups of factors by how much they do."""
        ranked = [group for _, group in self._ranked(sizes)]
        ranked = [group for group in ranked if abs(group_size(group)) >= math.log(WORTH_SAYING)]
        small = abs(self.gradient) < 1
        causes = [group for group in ranked if (group_size(group) < 0) == small]
        against = [group for group in ranked if (group_size(group) < 0) != small]
        reasons = [self._reason(group) for group in (*causes, *against)]
        if len(self.path) < 2 and self.count == 1:
            return reasons, self._beside_its_layer(write)
        path = f"{self._paths()} are added. On the largest of them " if self.count > 1 else ""
        if not reasons:
            sentence = path + ("every factor is near 1." if path else "Every factor is near 1, and so is the gradient.")
        else:
            lead = "near" if 0.5 <= abs(self.gradient) <= 2 else "small beside" if small else "large beside"
            clauses = [self._clauses(some, write) for some in (causes, against) if some]
            sentence = (
                f"{path}{'; '.join(clauses)}."
                if path
                else f"{in_digits(abs(self.gradient), 3)} is {lead} 1: {'; '.join(clauses)}."
            )
        added = self._added(sizes)
        if WORTH_SAYING < added < math.inf and any(
            reason.kind == "constants" and reason.size < 1 for reason in reasons
        ):
            sentence += f" The sizes of all paths add up to {rounded(added)} times that of the largest."
        if len(self.path) > LONG and math.isfinite(self.gradient):
            mean = math.exp(math.fsum(math.log(abs(slope_of(edge))) for edge in self.path) / len(self.path))
            trend = "vanishes" if mean < 0.9 else "explodes" if mean > 1.1 else "keeps its size"
            sentence += f" {len(self.path)} factors are multiplied, {in_digits(mean, 3)} on average, so it {trend}."
        return reasons, " ".join(filter(None, [sentence, self._beside_its_layer(write)]))

    def _clauses(self, groups: list[list["FactorPart"]], write: Write) -> str:
        """`the three slopes of the sigmoid together make it 72 times smaller, the two weights 14 times`"""
        clauses = []
        for group in groups[:3]:
            size = math.exp(min(abs(group_size(group)), 700.0))
            times = f"{rounded(size)} times"
            first = not clauses
            if first:
                makes = "together make it" if len(group) > 1 else "makes it"
                times = f"{makes} {times} {'smaller' if group_size(group) < 0 else 'larger'}"
            clauses.append(f"{self._subject(group, write, first)} {times}")
        return ", ".join(clauses)

    def _subject(self, group: list["FactorPart"], write: Write, first: bool) -> str:
        """What a group is called: `the slope of tanh, saturated at z = 5,` or `the two weights`."""
        part, n = group[0], len(group)
        many = NUMERALS[n] if n < len(NUMERALS) else str(n)
        if part.kind == "slopes":
            op = part.group[1]
            saturated = [each for each in group if is_saturated(each)]
            at = f", saturated at {self._at(saturated[0].edge, write)}," if saturated else ""
            where = at if n > 1 or at else f" at {self._at(part.edge, write)}"
            limit = {1: ", never above 1/4,"}.get(n, ", at most 1/4 each,") if op == "sigmoid" and not at else ""
            return (
                f"the {many} slopes of {function_in_words(op)}{limit}{at}"
                if n > 1
                else f"the slope of {function_in_words(op)}{where}{limit}"
            )
        if n > 1:
            return f"the {many} {ROLE_PLURALS.get(part.kind, 'factors')}"
        words = write(part.symbol)
        worth = "" if isinstance(part.symbol, Number) or not first else f" = {in_digits(part.worth)}"
        return f"{ONE.get(part.kind, 'the factor')}{f' {words}{worth}' if len(words) <= LONGEST_FORMULA else ''}"

    def _reason(self, group: list["FactorPart"]) -> Reason:
        kind = "saturated" if any(map(is_saturated, group)) else group[0].kind
        names = tuple(text(part.symbol) for part in group)
        return Reason(kind, math.exp(max(-700.0, min(700.0, group_size(group)))), names)

    def _beside_its_layer(self, write: Write) -> str:
        """How the gradient compares with those of the parameters beside it, where it stands out."""
        place = layer_label(self.value)
        beside = [x for x in self.formulas.order if place and not x.op and layer_label(x) == place]
        if len(beside) < 3 or not math.isfinite(self.gradient):
            return ""
        gradient = backpropagate(self.cost)
        middle = statistics.median(abs(gradient.get(x, 0.0)) for x in beside)
        ratio = abs(self.gradient) / middle if middle else 1.0
        if 1 / STANDS_OUT < ratio < STANDS_OUT:
            return ""
        larger = "larger" if ratio > 1 else "smaller"
        times = rounded(ratio if ratio > 1 else 1 / ratio)
        return f"It is {times} times {larger} than the median of the {len(beside)} gradients beside it in its layer."

    # What a factor is

    def _operation(self, edge: FactorEdge) -> str:
        """The function that a factor is the slope of; an empty string where it is arithmetic."""
        link, i = edge
        direct = link.parents[i].node in link.node.parents and len(link.routes[i]) == 1
        return link.node.op if direct and not is_arithmetic(link.node.op) else ""

    def _parts(self, edge: FactorEdge) -> list["FactorPart"]:
        """A factor of the chain rule as factors of one kind each; a number goes with what it multiplies."""
        link, i = edge
        if op := self._operation(edge):
            return [FactorPart("slopes", ("slopes", op), Name(op), slope_of(edge), slope_of(edge), edge)]
        formula = link.formula(i, self.formulas).symbol
        powers = formula.powers if isinstance(formula, Product) else ((formula, 1.0),)
        sizes = [worth(base, self.formulas.data) for base, _ in powers]
        if isinstance(formula, Number) or not powers or any(contains(base, Dots) for base, _ in powers):
            number = isinstance(formula, (Number, Product)) and not contains(formula, Dots)
            kind = ("inputs" if self._is_weight(edge) else "constants") if number else "factor"
            group = kind, *([edge] if kind == "factor" else [])
            if kind == "inputs" and isinstance(formula, Product) and formula.denominator != 1:
                x = slope_of(edge) * formula.denominator
                return [FactorPart(kind, group, Number(x), x, x, edge), self._divisor(formula, edge)]
            return [FactorPart(kind, group, formula, slope_of(edge), slope_of(edge), edge)]
        parts = []
        divisors = [self._divisor(formula, edge)] if isinstance(formula, Product) and formula.denominator != 1 else []
        slope = slope_of(edge) / math.prod(part.size for part in divisors)
        for (base, n), size in zip(powers, sizes):
            kind = self._kind(base, edge)
            power = power_of_numbers(abs(size), n) if size else 0.0 if n > 0 else math.inf
            group = base.key if kind == "factor" else kind
            alone = kind == "factor" and len(powers) == 1 and not divisors
            symbol, value = (formula, slope) if alone else (base, size)
            parts.append(FactorPart(kind, group, symbol, value, power, edge))
        rest = math.prod(part.size for part in parts)
        if rest and math.isfinite(rest):  # the 2 of 2 (a - y)
            parts[-1].size *= abs(slope) / rest
        return parts + divisors

    def _divisor(self, formula: Product, edge: FactorEdge) -> "FactorPart":
        """The number that a formula is divided by, such as the 1 / n of a mean, as a factor of its own."""
        worth = 1 / formula.denominator
        return FactorPart("constants", "constants", Product(1.0, formula.denominator, ()), worth, worth, edge)

    def _is_weight(self, edge: FactorEdge) -> bool:
        """Whether a factor is what the weight that is asked about is multiplied with."""
        return letter_of(self.value.label) in WEIGHTS and edge[0].parents[edge[1]].node is self.value

    def _kind(self, base: Symbol, edge: FactorEdge) -> str:
        """What a factor is: an error, a weight, an input, an activation, or just a factor."""
        if isinstance(base, Sum) and len(base.terms) > 1 and any(map(is_negative, base.terms)):
            return "error"
        if not isinstance(base, Name):
            return "factor"
        node = self.formulas.given(base.label)
        if node is self.value:
            return "factor"
        if not node.label and node.op:
            return self._kind(self.formulas.definition(node), edge)
        letter = letter_of(base.label)
        if letter in ACTIVATION_LETTERS or (node.op and not is_arithmetic(node.op)):
            return "activations"
        if letter in WEIGHTS and not node.op:
            return "weights"
        if letter in INPUT_LETTERS or (letter_of(self.value.label) in WEIGHTS and self.value in edge[0].node.parents):
            return "inputs"
        return "factor"


@dataclass
class FactorPart:
    """A factor of one kind: what group it belongs to, its formula, what that is worth, and what it does."""

    kind: str
    group: Any
    symbol: Symbol
    worth: float
    size: float
    edge: FactorEdge


ONE = {
    "weights": "the weight",
    "inputs": "the input",
    "activations": "the activation",
    "error": "the error",
    "constants": "the constant",
    "factor": "the factor",
}
ROLE_PLURALS = {
    "weights": "weights",
    "inputs": "inputs",
    "activations": "activations",
    "error": "errors",
    "constants": "constants",
    "factor": "factors",
}


def rounded(x: float) -> str:
    """A number to two significant digits."""
    return in_digits(float(f"{x:.2g}"))


def slope_of(edge: FactorEdge) -> float:
    """The factor of one step."""
    return edge[0].partials[edge[1]]


def is_infinite(edge: FactorEdge) -> bool:
    """Whether the factor of a step is infinite because a local derivative is, and not only their product."""
    link, i = edge
    local = [node.partials[k] for route in link.routes[i] for node, k in route] or link.partials
    return math.isinf(slope_of(edge)) and any(map(math.isinf, local))


def decides(edge: FactorEdge) -> bool:
    """Whether a step is that from the condition of `where`, whose slope is always 0."""
    link, i = edge
    return link.node.op == "where" and link.node.operands[0] is link.parents[i].node


def group_size(group: Sequence[FactorPart]) -> float:
    """The logarithm of what a group multiplies the gradient by."""
    return math.fsum(math.log(abs(part.size)) if part.size and math.isfinite(part.size) else 0.0 for part in group)


def is_saturated(part: FactorPart) -> bool:
    """Whether a slope is far below the largest that its function has."""
    return part.kind == "slopes" and abs(part.size) < 0.1 * LARGEST_SLOPE.get(part.group[1], 0.0)


def function_in_words(op: str) -> str:
    """A function in a sentence."""
    return "the sigmoid" if op == "sigmoid" else op


def letter_of(label: str) -> str:
    """The name that a label has without its indices."""
    parts = label_parts(numbered_label(label)[0])
    return parts[0] if parts else label


def layer_label(value: Value) -> tuple[str, str] | None:
    """The name and the layer of a parameter such as w_jk^(l)."""
    parts = label_parts(value.label)
    return (parts[0], parts[2]) if parts and parts[1] and parts[2] else None


def absolute_sum(links: Iterable[Link], value: Value) -> float:
    """The sum over all paths of the sizes of their products: how large the gradient would be if nothing cancelled."""
    size: dict[Link, float] = {}
    for link in links:
        slopes = [link.size(i) * size[x] for i, x in enumerate(link.parents)]
        size[link] = 1.0 if link.node is value else ieee_sum(slopes)
    return next(reversed(size.values()))
