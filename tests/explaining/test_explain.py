"""The chain rule worked out: its text to the letter, its numbers against the gradient, its LaTeX against a parser."""

import builtins
import math
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import (
    Value,
    exp,
    explain,
    gradients,
    log,
    log_softmax,
    logsumexp,
    mean,
    paths,
    primitive,
    sigmoid,
    softmax,
    softplus,
    sum,
    tanh,
)
from autograd.core.graph import backpropagate
from autograd.core.table import TABLE
from autograd.core.value import OPERATIONS


def neuron():
    """w, a0, b -> z -> a -> C <- y, as the textbook draws it."""
    w, a0, b, y = Value(0.5, label="w"), Value(2.0, label="a0"), Value(-1.3, label="b"), Value(1.0, label="y")
    z = w * a0 + b
    z.label = "z"
    a = tanh(z)
    a.label = "a"
    C = (a - y) ** 2
    C.label = "C"
    return w, a0, b, y, z, a, C


def test_explain_works_the_chain_rule_of_one_neuron():
    w, *_, C = neuron()
    assert str(explain(C, w)) == (
        "  z = w a0 + b  = -0.3\n"
        "  a = tanh(z)   = -0.29131\n"
        "  C = (a - y)^2 = 1.6675\n"
        "\n"
        "dC/dw = dz/dw * da/dz * dC/da\n"
        "\n"
        "  dz/dw = a0            = 2\n"
        "  da/dz = 1 - tanh(z)^2 = 0.91514\n"
        "  dC/da = 2 (a - y)     = -2.5826\n"
        "\n"
        "dC/dw = 2 * 0.91514 * (-2.5826) = -4.7269\n"
        "\n"
        "4.73 is large beside 1: the error a - y = -1.2913 makes it 2.6 times larger, the activation a0 2 times."
    )


def test_the_bias_has_the_factor_1():
    _, _, b, *_, C = neuron()
    assert explain(C, b).factors == [
        ("dz/db", "1", 1.0),
        ("da/dz", "1 - tanh(z)^2", pytest.approx(1 - math.tanh(-0.3) ** 2)),
        ("dC/da", "2 (a - y)", pytest.approx(2 * (math.tanh(-0.3) - 1))),
    ]


def test_an_unlabelled_difference_belongs_to_the_one_factor_of_a_square():
    a, y = Value(0.25, label="a"), Value(1.0, label="y")
    C = (a - y) ** 2
    C.label = "C"
    assert str(explain(C, a)) == ("  C = (a - y)^2 = 0.5625\n\ndC/da = 2 (a - y) = -1.5")
    assert explain(C, y).factors == [("dC/dy", "-2 (a - y)", 1.5)]


def test_without_labels_functions_and_what_they_are_applied_to_appear_as_formulas():
    w, x, b, y = (Value(v, label=label) for v, label in ((0.5, "w"), (2.0, "x"), (-1.3, "b"), (1.0, "y")))
    explanation = explain((tanh(w * x + b) - y) ** 2, w)
    assert "C = (tanh(w x + b) - y)^2" in explanation.text
    assert "dC/dw = d(w x + b)/dw * d(tanh(w x + b))/d(w x + b) * dC/d(tanh(w x + b))" in explanation.text
    assert [factor.formula for factor in explanation.factors] == ["x", "1 - tanh(w x + b)^2", "2 (tanh(w x + b) - y)"]


def test_long_formulas_get_names_that_are_explained_and_not_taken():
    w, u1 = Value(0.5, label="w"), Value(0.1, label="u_1")
    long = tanh(w * 1.25 + u1 * w * 3.5 + 0.75)
    text = explain(long * long, w).text
    assert "u_2 = " in text
    assert "du_2/dw" in text
    assert "u_1 = " not in text


def test_several_paths_are_added():
    x = Value(2.0, label="x")
    p, q = exp(x), x**3
    p.label, q.label = "p", "q"
    C = p * q
    C.label = "C"
    assert str(explain(C, x)) == (
        "  p = exp(x) = 7.3891\n"
        "  q = x^3    = 8\n"
        "  C = p q    = 59.112\n"
        "\n"
        "dC/dx = dp/dx * dC/dp\n"
        "      + dq/dx * dC/dq\n"
        "\n"
        "  dp/dx = exp(x) = 7.3891\n"
        "  dq/dx = 3 x^2  = 12\n"
        "  dC/dp = q      = 8\n"
        "  dC/dq = p      = 7.3891\n"
        "\n"
        "dC/dx = 7.3891 * 8\n"
        "      + 12 * 7.3891\n"
        "      = 59.112 + 88.669\n"
        "      = 147.78\n"
        "\n"
        "2 paths are added. On the largest of them the factor 3 x^2 = 12 makes it 12 times larger, "
        "the activation p 7.4 times."
    )


def test_more_paths_than_can_be_read_are_summed_up_in_a_remainder():
    network = nn.MLP(2, [5, 5, 1], "tanh", seed=0)
    output = network([1.0, -1.0])
    explanation = explain(output, network.parameters()[0])
    assert explanation.gradient == pytest.approx(gradients(output, [network.parameters()[0]])[0], rel=1e-12)
    network = nn.MLP(2, [8, 8, 8, 1], "tanh", seed=0)
    output = network([1.0, -1.0])
    explanation = explain(output, network.parameters()[0])
    assert explanation.gradient == pytest.approx(gradients(output, [network.parameters()[0]])[0], rel=1e-12)
    assert "64 paths cancel" in explanation.text
    assert "+ ..." in explanation.text
    assert r"\cdots" in explanation.latex
    assert len(explanation.text) < 5000


def test_a_long_chain_is_abbreviated():
    h = x = Value(0.5, label="x")
    for i in range(1000):
        h = tanh(h)
        h.label = f"h_{i}"
    text = explain(h, x).text
    assert "dh_999/dx = dh_0/dx * dh_1/dh_0 * dh_2/dh_1 * dh_3/dh_2 * ... * dh_996/dh_995 * " in text
    assert "1000 factors are multiplied" in text
    assert len(text) < 2000


def test_a_cost_of_thousands_of_examples_is_explained_at_once():
    w = Value(0.5, label="w")
    C = mean([(w * (k / 1000) - 1) ** 2 for k in range(3000)])
    begin = time.perf_counter()
    explanation = explain(C, w)
    assert len(explanation.text) + len(explanation.latex) + len(explanation.markdown) < 4000
    assert time.perf_counter() - begin < 20
    assert explanation.gradient == pytest.approx(gradients(C, [w])[0], rel=1e-12)
    assert "..." in explanation.factors[0].formula


def test_nodes_of_one_label_are_told_apart():
    x = Value(0.5, label="x")
    first, second = tanh(x), sigmoid(x)
    first.label = second.label = "a"
    C = first * second
    C.label = "C"
    explanation = explain(C, x)
    assert {"da#1/dx", "da#2/dx"} <= {factor.name for factor in explanation.factors}
    assert r"{a}_{\#2}" in explanation.latex


def test_a_value_that_is_not_reached_has_gradient_0_for_want_of_a_path():
    x, y = Value(1.0, label="x"), Value(1.0, label="y")
    explanation = explain(x * 2, y)
    assert explanation.gradient == 0
    assert explanation.factors == []
    assert str(explanation).startswith("dC/dy = 0\n\nNo path leads from y to C: the cost does not depend on it.")
    assert "No path" in explanation.markdown


def test_a_result_that_is_not_reached_goes_by_its_formula():
    x, y = Value(1.0, label="x"), Value(1.0, label="y")
    assert str(explain(x * 2, tanh(y))).startswith("dC/d(tanh(y)) = 0")


def test_the_cost_itself_has_derivative_1():
    C = Value(1.0, label="C")
    assert explain(C, C).gradient == 1
    assert str(explain(C, C)).startswith("dC/dC = 1")


# Unlabelled arithmetic, and cross-entropy


def test_arithmetic_without_labels_shows_its_chain():
    w, x, b, y, s = (Value(v, label=k) for k, v in {"w": 0.5, "x": 2.0, "b": 0.1, "y": 3.0, "s": 3.0}.items())
    factors = explain((w * x + b - y) ** 2, w).factors
    assert [factor.formula for factor in factors] == ["x", "1", "2 (w x + b - y)"]
    assert [factor.formula for factor in explain(s * (s * x) * (s * b), s).factors] == ["3 s^2 x b"]
    assert [factor.formula for factor in explain((2 * w) ** 2, w).factors] == ["8 w"]


def logits():
    z = [Value(x, label=f"z_{i}") for i, x in enumerate([0.3, -1.2, 2.0])]
    return z, 1


CROSS_ENTROPIES = {
    "nn": lambda z, k: nn.cross_entropy(z, k),
    "chances": lambda z, k: nn.cross_entropy(z, [float(i == k) for i in range(len(z))]),
    "logsumexp": lambda z, k: logsumexp(z) - z[k],
    "softmax": lambda z, k: -log(softmax(z)[k]),
    "by hand": lambda z, k: -log(exp(z[k]) / sum([exp(x) for x in z])),
}


@pytest.mark.parametrize("form", CROSS_ENTROPIES)
def test_softmax_with_cross_entropy_has_the_slope_p_minus_y_in_every_form(form):
    z, k = logits()
    C = CROSS_ENTROPIES[form](z, k)
    C.label = "C"
    p = [math.exp(x.data) / math.fsum(math.exp(each.data) for each in z) for x in z]
    for j, logit in enumerate(z):
        explanation = explain(C, logit)
        [factor] = explanation.factors
        assert factor.formula == f"p_{j} - y_{j}"
        assert factor.value == pytest.approx(p[j] - (j == k), rel=1e-12)
        assert f"y_{j} = {int(j == k)}" in re.sub(" +", " ", explanation.text)
        assert "is the sum over paths" in explanation.derivation


def test_the_cross_entropy_of_one_logit_has_the_slope_p_minus_y():
    z, y = Value(0.7, label="z"), Value(0.25, label="y")
    forms = [nn.binary_cross_entropy(z, 1), -log(sigmoid(z)), softplus(z) - y * z]
    forms.append(-(y * log(sigmoid(z)) + (1 - y) * log(1 - sigmoid(z))))
    for C in forms:
        C.label = "C"
        [factor] = explain(C, z).factors
        assert factor.formula == "p - y"
        assert factor.value == pytest.approx(gradients(C, [z])[0], rel=1e-12)


def test_what_is_no_cross_entropy_is_not_taken_for_one():
    z = Value(-28.0, label="z")
    for C in (softplus(z), sigmoid(z) - 1, (sigmoid(z) - 1) ** 2, exp(z) + log(1 + z * z)):
        C.label = "C"
        assert "p - y" not in explain(C, z).text
    C = nn.cross_entropy(logits()[0], 1) * logsumexp(logits()[0])
    C.label = "C"
    assert explain(C, C.parents[0]).derivation == ""


def test_a_value_that_enters_a_loss_other_than_by_its_logits_has_all_its_paths():
    w, x, y, z = (Value(v, label=k) for k, v in {"w": 0.3, "x": 1.0, "y": 0.75, "z": 0.4}.items())
    s = 1 / (1 + math.exp(-0.3))
    for C, value, slope in (
        (softplus(w * x) - w, w, s - 1),
        (softplus(w * x) - y, y, -1.0),
        (softplus(w) - tanh(w), w, s - 1 / math.cosh(0.3) ** 2),
        (nn.binary_cross_entropy(z, y), y, -0.4),
        (softplus(z) - tanh(w) * z, w, -0.4 / math.cosh(0.3) ** 2),
    ):
        C.label = "C"
        assert explain(C, value).gradient == pytest.approx(slope, rel=1e-12)
        assert gradients(C, [value])[0] == pytest.approx(slope, rel=1e-12)


def test_a_slope_that_is_softmax_minus_target_by_chance_is_not_taken_for_it():
    x, y = Value(1.0, label="x"), Value(0.0, label="y")
    for C in (softplus(x) - y, softplus(x) + y, softplus(x) - y * y):
        C.label = "C"
        assert "p - y " not in explain(C, x).text  # y is 0, like a target, and no target
    z = [Value(v, label=f"z_{i}") for i, v in enumerate([0.2, -0.3, 0.5])]
    t = [Value(v, label=f"t_{i}") for i, v in enumerate([0.0, 1.0, 0.0])]
    C = -sum([a * b for a, b in zip(t, log_softmax(z))])
    C.label = "C"
    for j in range(3):
        [factor] = explain(C, z[j]).factors
        assert factor.formula == f"p_{j} - t_{j}"


@settings(max_examples=300)
@given(st.randoms(use_true_random=False))
def test_whatever_is_done_with_exponentials_the_explained_gradient_is_the_gradient(random):
    nodes = [Value(random.choice([0.0, 1.0, -1.0, 0.3]), label=name) for name in "xyz"]
    for _ in range(random.randrange(1, 8)):
        a, b = random.choice(nodes), random.choice([*nodes, 1.0, 0.5])
        f = random.choice([softplus, sigmoid, exp, tanh, lambda a: log(1 + exp(a)), lambda a: logsumexp([a, b])])  # noqa: B023
        nodes.append(random.choice([lambda: f(a), lambda: f(a), lambda: a - b, lambda: a + b, lambda: a * b])())  # noqa: B023
    for value in nodes[:3]:
        sizes = math.fsum(abs(path.product) for path in paths(nodes[-1], value, limit=1000))
        wanted = gradients(nodes[-1], [value])[0]
        assert explain(nodes[-1], value).gradient == pytest.approx(wanted, rel=1e-9, abs=1e-9 * sizes)


def test_cross_entropies_of_several_examples_are_told_apart():
    w = Value(0.5, label="w")
    costs = [nn.cross_entropy([w * x, Value(1.0, label="b"), w * -x], 0) for x in (1.0, -2.0)]
    C = mean(costs)
    C.label = "C"
    formulas = [factor.formula for factor in explain(C, w).factors]
    assert builtins.sum(bool(re.fullmatch(r"p_\d - y_\d", formula)) for formula in formulas) == 2
    assert builtins.sum(bool(re.fullmatch(r"p_\d#2 - y_\d(#2)?", formula)) for formula in formulas) == 2
    assert explain(C, w).gradient == pytest.approx(gradients(C, [w])[0], rel=1e-12)


# Every row of the table, and every formula


def nodes_of(name):
    """Nodes of one operation at operands of both signs, where they are in its domain."""
    row = TABLE[name]
    for sign in (1, -1):
        far = 2.0 * (name == "acosh")  # which begins at 1
        operands = []
        for k, operand in enumerate(row.operands):
            if operand in row.lists:
                operands.append([Value(0.3 + 0.2 * i, label=f"{operand[0]}_{i}") for i in range(3)])
            else:
                operands.append(Value(far + sign * (0.3 + 0.2 * k), label=operand))
        try:
            yield OPERATIONS[name](*operands)
        except ValueError:
            continue


@pytest.mark.parametrize("name", TABLE)
def test_the_formula_of_every_row_has_the_value_of_the_factor(name):
    """The written formula, read back as an expression, is worth what the engine computed."""
    nodes = list(nodes_of(name))
    assert nodes
    for node in nodes:
        node.label = "C"
        for parent, partial in zip(node.parents, node.partials):
            [factor] = explain(node, parent).factors
            assert factor.value == partial or math.isnan(partial)
            worth = read(factor.formula.partition(" if ")[0], {p.label: p.data for p in node.parents})
            assert worth == pytest.approx(partial, rel=1e-4, nan_ok=True), factor.formula
            for condition in factor.formula.partition(" if ")[2].split(" and "):
                assert not condition or read(condition.replace(" = ", " == "), {p.label: p.data for p in node.parents})


def read(formula, names):
    """What a formula in plain text is worth: products are written side by side, powers with ^."""
    tokens = formula.replace("^", " ** ").replace("(", " ( ").replace(")", " ) ").replace(",", " , ").split()
    tokens = [part for token in tokens for part in (["-1 *", token[1:]] if token[0] == "-" and token[1:] else [token])]
    words = {key: OPERATIONS[key] for key, row in TABLE.items() if not row.lists}
    words |= {"logsumexp": lambda *xs: OPERATIONS["logsumexp"](xs), "pi": math.pi, "nan": math.nan}
    operators = {"+", "-", "-1 *", "*", "/", "**", ",", "==", "!=", "<", "<=", ">", ">="}
    expression = ""
    for before, token in zip(["(", *tokens], tokens):
        ends_operand = (
            before == ")" or (before not in operators and before != "(" and before not in words) or before in ("pi",)
        )
        starts_operand = token == "(" or (token not in operators and token != ")")
        expression += " * " if ends_operand and starts_operand else " "
        expression += token
    return eval(expression, words, names)


def test_an_operation_of_the_users_own_is_explained_from_its_row():
    bump = primitive("bell", "exp(-x * x)", "-2 * x * out", note="a bell curve")
    x = Value(0.5, label="x")
    C = bump(x)
    C.label = "C"
    [factor] = explain(C, x).factors
    assert factor.formula == "-2 x bell(x)"
    assert factor.value == C.partials[0]


def test_an_operation_of_python_functions_is_explained_by_the_name_of_its_slope():
    lgamma = primitive("lgamma_explained", math.lgamma, lambda x: 0.42)
    power = primitive("power_explained", math.pow, lambda x, y: y * x ** (y - 1), lambda x, y: x**y * math.log(x))
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    C = lgamma(x)
    C.label = "C"
    assert explain(C, x).factors == [("dC/dx", "lgamma_explained'(x)", 0.42)]
    assert r"\operatorname{lgamma\_explained'}(x)" in explain(C, x).latex
    C = power(x, y)
    C.label = "C"
    assert explain(C, x).factors == [("dC/dx", "dpower_explained/dx(x, y)", 12.0)]


@settings(max_examples=25)
@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.2, 3))
def test_the_explained_gradient_is_the_gradient(x, y, z):
    x, y, z = Value(x, label="x"), Value(y, label="y"), Value(z)
    p = tanh(x * y + z)
    q = mean([p, x, y * p, 3.0])
    q.label = "q"
    C = sum([q * p, x / z, q**2, q - 1])
    for value in (x, y, z, p, q):
        assert explain(C, value).gradient == pytest.approx(gradients(C, [value])[0], rel=1e-12, abs=1e-13)


# LaTeX and notebooks


def lines_for_mathtext(latex):
    """The lines of a derivation without the alignment, which matplotlib's parser does not know."""
    bare = latex.replace(r"\begin{aligned}", "").replace(r"\end{aligned}", "").replace("&", "").replace(r"\quad", "")
    return [line.strip() for line in bare.split("\\\\")]


LABELS = [
    "w^(L)",
    "w_jk^(L)",
    "w(L)_jk",
    "a^(L-1)",
    "w_1,12^(2)",
    "theta_0",
    "a'",
    "learning rate",
    "50% of {x}",
    "a&b#$",
]


@pytest.mark.parametrize("label", LABELS)
def test_latex_of_any_label_is_accepted_by_a_parser(label):
    from matplotlib.mathtext import MathTextParser

    x = Value(0.5, label=label)
    C = tanh(x * x) / (x + 2) + x
    latex = explain(C, x).latex
    assert latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")
    for line in lines_for_mathtext(latex):
        MathTextParser("path").parse(f"${line}$")


@pytest.mark.parametrize("name", TABLE)
def test_latex_of_every_row_is_accepted_by_a_parser(name):
    from matplotlib.mathtext import MathTextParser

    for node in nodes_of(name):
        for parent in node.parents[:2]:
            for line in lines_for_mathtext(explain(node, parent).latex):
                MathTextParser("path").parse(f"${line}$")


def test_latex_of_one_neuron_to_the_letter():
    w, *_, C = neuron()
    assert explain(C, w).latex == "\n".join(
        [
            r"\begin{aligned}",
            r"\frac{\partial C}{\partial w} &= \frac{\partial z}{\partial w} \, \frac{\partial a}{\partial z} \, "
            r"\frac{\partial C}{\partial a} \\",
            r"&= a_{0} \cdot (1 - \tanh^{2}(z)) \cdot 2 (a - y) \\",
            r"&= 2 \cdot 0.91514 \cdot (-2.5826) \\",
            "&= -4.7269",
            r"\end{aligned}",
        ]
    )


def test_a_notebook_gets_mathematics_and_plain_text():
    w, *_, C = neuron()
    bundle = explain(C, w)._repr_mimebundle_()
    assert bundle["text/plain"] == str(explain(C, w))
    assert bundle["text/markdown"].count("$$") == 2
    assert r"| $\frac{\partial a}{\partial z}$ | $1 - \tanh^{2}(z)$ | $0.91514$ |" in bundle["text/markdown"]


STRANGE = ["", "", "x", "x#2", "...", "n", "out", "pi", "2", "C", "u_1", "v", "<b>&", "e^x", "%$", "\\frac", "数", " "]


@given(st.randoms(use_true_random=False))
def test_whatever_the_operations_and_labels_the_derivation_is_written_and_right(random):
    nodes = [Value(random.choice([0.0, 1.0, -1.0, 0.3, 2.5]), label=random.choice(STRANGE)) for _ in range(3)]
    for _ in range(10):
        row = TABLE[random.choice(sorted(TABLE))]
        pick = lambda: random.choice([*nodes[-4:], 2.0])  # noqa: E731
        operands = [[pick() for _ in range(3)] if x in row.lists else pick() for x in row.operands]
        try:
            result = OPERATIONS[row.name](*operands)
        except (ArithmeticError, ValueError):
            continue
        if isinstance(result, Value):
            result.label = random.choice(STRANGE)
            nodes.append(result)
    cost, value = nodes[-1], random.choice(nodes)
    explanation = explain(cost, value)
    assert explanation.text
    assert explanation.markdown.count("{") - explanation.markdown.count(r"\{") == (
        explanation.markdown.count("}") - explanation.markdown.count(r"\}")
    )
    gradient = backpropagate(cost).get(value, 0.0)
    if math.isfinite(gradient):
        sizes = math.fsum(abs(path.product) for path in paths(cost, value, limit=1000))
        assert explanation.gradient == pytest.approx(gradient, rel=1e-9, abs=1e-9 * min(sizes, 1e300))


@pytest.mark.parametrize(("cost", "value"), [(1.0, Value(1.0)), (Value(1.0), [Value(1.0)])])
def test_anything_but_two_values_is_refused(cost, value):
    with pytest.raises(TypeError, match="takes two Values of one graph"):
        explain(cost, value)


def labelled(value, label):
    value.label = label
    return value


def through(operation):
    """A cost of a value and of a named quantity that depends on it."""
    x = Value(3.0, label="x")
    u = x * x
    u.label = "u"
    cost = operation(x, u)
    cost.label = "C"
    return cost, x


@pytest.mark.parametrize(
    "operation",
    [
        lambda x, u: u * x + u,
        lambda x, u: x * u,
        lambda x, u: (x + u - 1) ** 2,
        lambda x, u: labelled(tanh(u * 0.1) + x, "v") * x + u,
        lambda x, u: labelled(x * u, "v") * 2 + 1,  # not the cost, but a quantity on the way
    ],
)
def test_a_direct_contribution_has_a_symbol_of_its_own(operation):
    cost, x = through(operation)
    explanation = explain(cost, x)
    names = [factor.name for factor in explanation.factors]
    assert len(set(names)) == len(names)
    assert "dC/dx" not in names
    assert any(name.endswith("/dx)_direct") for name in names)
    assert explanation.chain_rule.count("dC/dx") - explanation.chain_rule.count("(dC/dx)_direct") == 1
    assert "by itself, with " in explanation.text
    assert r"\right\vert_{\text{direct}}" in explanation.latex
    assert "contributes by itself" in explanation.markdown
    assert "|" not in explanation.latex
    assert explanation.gradient == pytest.approx(gradients(cost, [x])[0])


def test_where_nothing_leads_around_the_symbols_are_the_plain_ones():
    x = Value(3.0, label="x")
    u = labelled(x * x, "u")
    assert "direct" not in explain(labelled(u * u + 1, "C"), x).text


def test_paths_and_explain_count_the_same_paths():
    cost, x = through(lambda x, u: u * x + u)
    assert paths(cost, x).count == 5
    assert "5 paths, gathered into 2 by the names on the way, are added" in explain(cost, x).text


def test_a_cost_without_a_path_teaches_what_cuts_one_off():
    w = Value(0.5, label="w")
    C = labelled(Value(builtins.float(math.tanh(w))) * 2, "C")
    assert "autograd.tanh" in explain(C, w).text
