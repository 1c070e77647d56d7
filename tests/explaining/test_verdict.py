"""The verdict of `explain` on graphs whose cause is known: it names that cause, and blames nothing else."""

import math
import re

import pytest

from autograd import (
    Value,
    clip,
    explain,
    gradients,
    hypot,
    leaky_relu,
    logsumexp,
    maximum,
    mean,
    minimum,
    paths,
    relu,
    sigmoid,
    sqrt,
    step,
    tanh,
    where,
)  # fmt: skip
from nn import MLP, squared_error


def named(**data):
    """Leaves by their names."""
    return [Value(x, label=label) for label, x in data.items()]


def labelled(value, label):
    value.label = label
    return value


def chain_of(function, weights, x=1.0, y=0.0):
    """A network of one neuron a layer: w_1 to w_n, z_i, a_i, C."""
    a, ws = Value(x, label="x"), []
    for i, w in enumerate(weights, 1):
        ws.append(Value(w, label=f"w_{i}"))
        z = labelled(ws[-1] * a, f"z_{i}")
        a = labelled(function(z), f"a_{i}")
    return labelled((a - Value(y, label="y")) ** 2, "C"), ws


def saturated_tanh():
    C, ws = chain_of(tanh, [5.0])
    return C, ws[0]


def saturated_sigmoid():
    C, ws = chain_of(sigmoid, [1.0, -30.0], x=3.0, y=1.0)
    return C, ws[0]


def tanh_flat_to_the_last_digit():
    C, ws = chain_of(tanh, [50.0])
    return C, ws[0]


def unit_off_for_one_example():
    w, x, b, y = named(w=-0.5, x=2.0, b=0.1, y=1.0)
    z = labelled(w * x + b, "z")
    return labelled((labelled(relu(z), "a") - y) ** 2, "C"), w


def dead_unit():
    w, b = named(w=-0.5, b=-3.0)
    costs = []
    for k, x in enumerate([1.0, 2.0, 0.5, 3.0]):
        z = labelled(w * Value(x, label=f"x_{k}") + b, f"z_{k}")
        costs.append((labelled(relu(z), f"a_{k}") - 1) ** 2)
    return labelled(mean(costs), "C"), w


def small_weight():
    C, ws = chain_of(tanh, [0.9, 0.004], y=1.0)
    return C, ws[0]


def large_weight():
    w1, w2, x, y = named(w_1=0.1, w_2=300.0, x=1.1, y=29.0)
    a = labelled(tanh(labelled(w1 * x, "z")), "a")
    return labelled((labelled(w2 * a, "out") - y) ** 2, "C"), w1


def two_small_weights_and_three_slopes():
    network = MLP(1, [1, 1, 1], activation="sigmoid", output="sigmoid", seed=3)
    return labelled(squared_error(network([0.7]), 1.0), "C"), network.parameters()[0]


def many_slopes():
    C, ws = chain_of(sigmoid, [1.0] * 6, y=1.0)
    return C, ws[0]


def thirty_slopes():
    h = x = Value(0.5, label="x")
    for i in range(30):
        h = labelled(sigmoid(h), f"a_{i}")
    return h, x


def many_large_weights():
    h, x = Value(0.01, label="x"), None
    x = h
    for i in range(12):
        h = labelled(Value(3.0, label=f"w_{i}") * h, f"z_{i}")
    return h, x


def cancelling_examples():
    w = Value(1.0, label="w")
    costs = [(w * x - y) ** 2 for x, y in ((1.0, 2.0), (1.0, 0.0), (2.0, 2.01))]
    return labelled(mean(costs), "C"), w


def cancelling_examples_with_names():
    w = Value(1.0, label="w")
    costs = [
        labelled((labelled(w * x, f"a_{k}") - y) ** 2, f"C_{k}") for k, (x, y) in enumerate(((1.0, 2.0), (1.0, 0.001)))
    ]
    return labelled(mean(costs), "C"), w


def silent_input():
    w, x, y = named(w=1.0, x=0.0, y=1.0)
    return labelled((labelled(tanh(labelled(w * x, "z")), "a") - y) ** 2, "C"), w


def quiet_input():
    w, x, y = named(w=1.0, x=1e-4, y=1.0)
    return labelled((labelled(tanh(labelled(w * x, "z")), "a") - y) ** 2, "C"), w


def loud_input():
    w, x, y = named(w=0.001, x=400.0, y=1.0)
    return labelled((labelled(tanh(labelled(w * x, "z")), "a") - y) ** 2, "C"), w


def large_error():
    w, x, y = named(w=1.0, x=1.2, y=-80.0)
    return labelled((labelled(w * x, "a") - y) ** 2, "C"), w


def large_error_without_names():
    w, x, b, y = named(w=1.0, x=1.2, b=0.3, y=-80.0)
    return (w * x + b - y) ** 2, w


def small_error():
    w, x, y = named(w=1.0, x=1.2, y=1.201)
    return labelled((labelled(w * x, "a") - y) ** 2, "C"), w


def no_error():
    w, x, y = named(w=1.0, x=1.25, y=1.25)
    return labelled((labelled(w * x, "a") - y) ** 2, "C"), w


def clipped():
    w, x = named(w=3.0, x=1.5)
    return labelled(clip(labelled(w * x, "z"), -1, 1) * 5, "C"), w


def clipped_by_minimum():
    w, x = named(w=3.0, x=1.5)
    return labelled(minimum(labelled(w * x, "z"), 1.0) * 5, "C"), w


def not_chosen_by_where():
    a, b = named(a=1.0, b=2.0)
    return labelled(where(a - b, a * a, b * b), "q"), a


def not_chosen_by_maximum():
    a, b = named(a=1.0, b=2.0)
    return labelled(maximum(a * a, b), "q"), a


def flat_everywhere():
    w, x = named(w=3.0, x=1.5)
    return labelled(step(labelled(w * x, "z")) * 5, "C"), w


def leaky_side():
    w, x = named(w=-3.0, x=1.0)
    return labelled(leaky_relu(labelled(w * x, "z")), "C"), w


def nothing_in_particular():
    w, x, y = named(w=0.9, x=1.1, y=0.5)
    return labelled((labelled(w * x, "a") - y) ** 2, "C"), w


def confident_and_right():
    w, x = named(w=3.0, x=4.0)
    z = [labelled(w * x, "z_0"), Value(0.0, label="z_1"), Value(-1.0, label="z_2")]
    return labelled(logsumexp(z) - z[0], "C"), w


def deep_network_of_sigmoids():
    network = MLP(2, [4, 4, 4, 4, 1], "sigmoid", seed=0)
    return labelled(squared_error(network([1.0, 0.4]), 1.0), "C"), network.parameters()[0]


def dead_unit_of_a_network():
    network = MLP(2, [3, 1], "relu", seed=0)
    network.layers[0].neurons[0].b.data = -20.0
    costs = [squared_error(network(x), 1.0) for x in ([0.5, 0.2], [1.0, -1.0], [0.3, 0.9])]
    return labelled(mean(costs), "C"), network.layers[0].neurons[0].w[0]


def silent_input_of_a_network():
    network = MLP(2, [3, 1], "tanh", seed=0)
    return labelled(squared_error(network([0.0, 0.4]), 1.0), "C"), network.layers[0].neurons[0].w[0]


def small_factor_of_another_name():
    gain, w, x = named(gain=1e-4, w=0.5, x=2.0)
    return labelled((gain * tanh(w * x) - 1) ** 2, "C"), w


CAUSES = {  # what the verdict must say, and what it must not
    saturated_tanh: (r"tanh.*saturated at z_1 = 5", r"dead|weight"),
    saturated_sigmoid: (r"sigmoid.*saturated at z_2 = -28", r"dead"),
    tanh_flat_to_the_last_digit: (r"tanh.*saturated at z_1 = 50", r"dead"),
    unit_off_for_one_example: (r"relu is off.* z = -0.9", r"dead"),
    dead_unit: (r"dead", r"saturated"),
    small_weight: (r"weight w_2 = 0.004", r"saturated|dead"),
    large_weight: (r"weight w_2 = 300 makes it 300 times larger", r"saturated"),
    two_small_weights_and_three_slopes: (r"three slopes.* 72 times smaller.*two weights.* 14 times", r"saturated"),
    many_slopes: (r"six slopes of the sigmoid.*smaller", r"saturated at|weight"),
    thirty_slopes: (r"30 slopes of the sigmoid.*vanishes", r"saturated"),
    many_large_weights: (r"weights.*5.3e5|weights.*530000", r"slope"),
    cancelling_examples: (r"cancel", r"the (error|input|weight|factor)"),
    cancelling_examples_with_names: (r"cancel", r"the (error|input|weight|factor)"),
    silent_input: (r"input x is 0", r"saturated|flat|dead"),
    quiet_input: (r"input x = 0.0001 makes it 10000 times smaller", r"saturated|flat|dead"),
    loud_input: (r"input x = 400", r"saturated"),
    large_error: (r"error a - y = 81.2 makes it 160 times larger", r"weight"),
    large_error_without_names: (r"error w x \+ b - y = 81.5", r"weight"),
    small_error: (r"error a - y = -0.001 makes it 500 times smaller", r"weight"),
    no_error: (r"error a - y is 0", r"dead|flat"),
    clipped: (r"clip.*z = 4.5.*bound", r"dead|saturated"),
    clipped_by_minimum: (r"clips z = 4.5 to 1", r"dead|saturated"),
    not_chosen_by_where: (r"a\^2 is not chosen by where", r"dead|flat|saturated"),
    not_chosen_by_maximum: (r"a\^2 is not chosen by maximum", r"dead|flat|saturated"),
    flat_everywhere: (r"step is flat everywhere", r"dead|saturated"),
    leaky_side: (r"slope of leaky_relu.*z = -3.*100 times smaller", r"dead|saturated"),
    nothing_in_particular: (r"near 1", r"small|large|dead|flat"),
    confident_and_right: (r"p_0 - y_0", r"dead"),
    deep_network_of_sigmoids: (r"slopes of the sigmoid.*paths cancel", r"dead|saturated"),
    dead_unit_of_a_network: (r"relu is off for all 3 examples.*dead", r"saturated"),
    silent_input_of_a_network: (r"The input is 0", r"dead|saturated"),
    small_factor_of_another_name: (r"factor gain = 0.0001 makes it 10000 times smaller", r"weight|saturated"),
}


@pytest.mark.parametrize("build", CAUSES, ids=lambda build: build.__name__)
def test_the_verdict_names_the_cause(build):
    cost, value = build()
    says, never = CAUSES[build]
    verdict = explain(cost, value).text.split("\n\n")[-1]
    assert re.search(says, verdict), verdict
    assert not re.search(never, verdict), verdict


def opposed_examples(y: float):
    """The mean over 200 examples of which half pull one way, half the other, nearly as much."""
    (w,) = named(w=0.4)
    return labelled(mean([(tanh(w * x) - t) ** 2 for x, t in [(1.0, 0.9), (1.0, y)] * 100]), "C"), w


@pytest.mark.parametrize("y", [-0.05, -0.1, -0.126])
def test_paths_that_nearly_cancel_are_named_first_where_that_does_most(y):
    cost, w = opposed_examples(y)
    sizes = [abs(path.product) for path in paths(cost, w, limit=200)]
    times = math.fsum(sizes) / abs(gradients(cost, [w])[0])
    assert 5 < times < 1000
    explanation = explain(cost, w)
    assert explanation.reasons[0].kind == "cancel"
    assert explanation.reasons[0].size == pytest.approx(1 / times)
    verdict = explanation.text.split("\n\n")[-1]
    assert verdict.startswith("The 200 paths cancel")
    assert f"{float(f'{times:.2g}'):g} times smaller" in verdict


def test_the_divisor_of_a_mean_is_a_cause_as_far_as_its_paths_do_not_make_up_for_it():
    (w,) = named(w=0.4)
    few = labelled(mean([relu(w * x - 1) for x in [3.0] * 4 + [0.1] * 196]), "C")
    first = explain(few, w).reasons[0]
    assert (first.kind, first.size, first.names) == ("constants", pytest.approx(1 / 200), ("1 / 200",))
    assert "constant 1 / 200 = 0.005 makes it 200 times smaller" in explain(few, w).text
    assert "the constant 1 / 200 = 0.005 makes it 200 times smaller" in explain(*opposed_examples(-0.1)).text
    all_alike = labelled(mean([tanh(w * 0.01) for _ in range(200)]), "C")
    reasons = explain(all_alike, w).reasons
    assert (reasons[0].kind, reasons[0].size) == ("inputs", pytest.approx(0.01))


def squared_often(x):
    for _ in range(11):
        x = x * x
    return x


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("cost", "kind", "says"),
    [
        (lambda x: x * 1e308 * 10, "infinite", "larger than any float, and so the gradient is infinite"),
        (lambda x: labelled(x * 1e308, "u") * 10, "infinite", "product of the factors is larger than any float"),
        (lambda x: sum([x * 1e308, x * 1e308]), "infinite", "larger than any float"),
        (squared_often, "infinite", "is infinite, so the gradient is infinite"),
        (lambda x: sqrt(x - 2), "infinite", "The slope of sqrt at x - 2 = 0 is infinite"),
        (lambda x: (x - 2) ** 0.5, "infinite", "The slope of C at x = 2 is infinite"),
        (lambda x: sqrt((x - 2) ** 2), "undefined", "and another factor is 0, so the gradient is not a number"),
    ],
)
def test_a_gradient_that_is_not_finite_is_explained_by_what_made_it_so(cost, kind, says):
    (x,) = named(x=2.0)
    explanation = explain(labelled(cost(x), "C"), x)
    assert [reason.kind for reason in explanation.reasons] == [kind]
    assert says in explanation.text.split("\n\n")[-1]
    assert not re.search("cancel|near 1|nan times", explanation.text)
    for notation in (explanation.markdown, explanation.latex):
        assert notation


@pytest.mark.parametrize(
    ("cost", "says"),
    [
        (lambda a, b: (a - 1) ** 2, "The error a - 1 is 0: the cost is at its lowest here."),
        (lambda a, b: (a - 1) ** 2 + (b - 1) ** 2, "the cost is at its lowest here."),
        (lambda a, b: sqrt(1 + (a - 1) ** 2), "the cost is at its lowest here."),
        (lambda a, b: 3 - (a - 1) ** 2, "the cost is at its highest here."),
        (lambda a, b: 1 / (1 + (a - 1) ** 2), "the cost is at its highest here."),
        (lambda a, b: (a - 1) ** 3, "The error a - 1 is 0, so the whole product is 0."),
        (lambda a, b: (a - 1) * (b - 2), "The error b - 2 is 0, so the whole product is 0."),
        (lambda a, b: abs(a - 1), "abs has a kink at a - 1 = 0: its slope counts as 0 there"),
        (lambda a, b: hypot(a - 1, b - 2), "hypot has a kink at a - 1 = 0"),
        (lambda a, b: hypot(a - 1, b), "hypot is flat at a - 1 = 0"),
    ],
)
def test_what_is_said_where_a_factor_is_0_is_true_of_the_cost(cost, says):
    a, b = named(a=1.0, b=2.0)
    assert says in explain(labelled(cost(a, b), "C"), a).text.split("\n\n")[-1]


def test_a_cost_and_a_value_in_the_wrong_order_are_told_apart_from_no_dependence():
    w, x = named(w=2.0, x=1.0)
    C = labelled(w * 3, "C")
    assert "from C to w, but from w to C: the cost comes first." in explain(w, C).text
    assert "the cost does not depend on it" in explain(C, x).text


def test_formulas_keep_factors_and_terms_whose_product_or_sum_no_float_holds():
    (x,) = named(x=2.0)
    assert "dC/dx = 1e308 * 10 = inf" in explain(labelled(x * 1e308 * 10, "C"), x).text
    assert "C = 1e308 x + 1e308 x = inf" in explain(labelled(sum([x * 1e308, x * 1e308]), "C"), x).text


if __name__ == "__main__":  # the score of whatever engine is installed
    right = 0
    for build, (says, never) in CAUSES.items():
        cost, value = build()
        verdict = explain(cost, value).text.split("\n\n")[-1]
        good = bool(re.search(says, verdict)) and not re.search(never, verdict)
        right += good
        print("right" if good else "WRONG", build.__name__, "|", verdict[:150])
    print(right, "of", len(CAUSES))
