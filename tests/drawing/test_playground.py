import contextlib
import html
import io
import json
import math
import random
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from devtools import Tab

import autograd
import nn
from autograd import Value, explain, gradients, paths, playground
from autograd.compatibility import infix
from autograd.core.table import TABLE
from autograd.drawing.layout import sample
from autograd.drawing.statements import ExpressionError, expression

COPY = Path(__file__).parents[2] / ".github" / "playground" / "index.html"
FAULTS = [
    *("foo(w)", "softmax(x, y)", "log_softmax([x, y])", "constructor(x)", "sni(x)", "sigmiod(x)", "__proto__(x)"),
    *("", "2x", "2 x", "(a", "a)", "a b", "tann(x)", "tanh", "tanh = 2", "pi = 3", "a == b", "a < b", "a = 1\nb = a +"),
    *("f(2)", "atan2(x)", "log(0 - 1) * x", "1/0*x", "$", "x @ y", "sum()", "1", "x = 1\nx = y", "z = q\nq = w*2"),
    *("a, b", "[a, b]", "sum([a, b)", "w*(a\n+ b", "weighted_sum([a], [b, c])", "relu(x", "a = b = c", "9**9**9**9"),
    *("1e999*x", "(" * 500 + "x", "-" * 300 + "x", "x" + "+x" * 4999, "a" * 10_001, "x^", "x ** ** y", "min(x, y"),
    *("clip(x, 0)", "x = ", "= x", "x;;= y", "a.b", "'text'", "x!", "where(a, b)", "x[1]", "\\frac{1}{x}"),
]
GRAPH = """
    const graphed = (text) => {
        const values = graphOf(text, opening.starts), worth = values.map((v) => v.data ?? 0);
        return { values, ...evaluated(values, worth) };
    };
"""
TRAINER = "const trainer = (s) => new Trainer(shaped(s.data, s.n, s.noise, 0), s);"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("playground") / "page.html"
    playground().save(path)
    return path.as_uri()


@pytest.fixture(scope="module")
def browser_tab():
    tab = Tab()
    yield tab
    tab.close()


@pytest.fixture
def tab(browser_tab, page):
    browser_tab.size(1280, 900)
    browser_tab.scheme("light")
    browser_tab.page = page
    yield browser_tab
    assert browser_tab.errors == []


def opened(tab, fragment=""):
    tab.open(tab.page + fragment)
    return tab


def computed(tab, prelude, script, **given):
    """What an expression of JavaScript is worth, with names given and a prelude before it."""
    names = "".join(f"const {name} = {json.dumps(value)};" for name, value in given.items())
    return tab.run(f"(() => {{ {prelude}{names} return {script}; }})()")


def text_of(tab, selector):
    return tab.run(f"document.querySelector({json.dumps(selector)}).textContent")


def choose(tab, selector, value):
    """Choose an entry of a list as a reader does, which fires its events."""
    tab.run(
        f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.value = {json.dumps(value)};"
        " for (const name of ['input', 'change']) e.dispatchEvent(new Event(name, {bubbles: true})); })()"
    )


# Expressions: the same numbers as Python -----------------------------------------------------------------------------


def random_expression(rng, depth):
    """A text, and a function of named Values that is written with Python's own operators."""
    if depth == 0 or rng.random() < 0.1:
        if rng.random() < 0.2:
            number = round(rng.uniform(0.2, 3), 2)
            return str(number), lambda v: number
        name = rng.choice("abcd")
        return name, lambda v: v[name]
    x, f = random_expression(rng, depth - 1)
    y, g = random_expression(rng, depth - 1)
    sign = rng.choice("+-*/^uuuuvv")
    if sign == "+":
        return f"({x} + {y})", lambda v: f(v) + g(v)
    if sign == "-":
        return f"({x} - {y})", lambda v: f(v) - g(v)
    if sign == "*":
        return f"{x}*({y})", lambda v: f(v) * g(v)
    if sign == "/":
        return f"({x}) / ({y})", lambda v: f(v) / g(v)
    if sign == "^":
        power = rng.choice([2, 3, -1, 0.5])
        return f"({x})^{power}", lambda v: f(v) ** power
    if sign == "v":
        name = rng.choice(["sum", "mean", "prod", "logsumexp"])
        function = getattr(autograd, name)
        return f"{name}({x}, {y}, {x})", lambda v: function([f(v), g(v), f(v)])
    row = TABLE[rng.choice([name for name, row in TABLE.items() if not row.lists and not infix(row)])]
    function = abs if row.name == "abs" else getattr(autograd, row.name)
    needed = len(row.operands) - len(row.defaults)
    operands, functions = [x, y, x][:needed], [f, g, f][:needed]
    return f"{row.name}({', '.join(operands)})", lambda v: function(*(h(v) for h in functions))


def test_hundreds_of_random_expressions_have_pythons_values_and_gradients(tab):
    rng, cases = random.Random(4), []
    while len(cases) < 400:
        text, build = random_expression(rng, rng.choice([2, 3, 4, 5]))
        data = {name: round(rng.uniform(-2, 2), 3) for name in "abcd"}
        leaves = {name: Value(x, label=name) for name, x in data.items()}
        try:
            cost = build(leaves)
            known = gradients(cost) if isinstance(cost, Value) else {}
        except (ArithmeticError, ValueError, RuntimeWarning):
            continue
        if len(known) < 2:
            continue
        slopes = {name: known[leaf] for name, leaf in leaves.items() if leaf in known}
        if all(map(math.isfinite, [cost.data, *slopes.values()])) and max(abs(x.data) for x in known) < 1e6:
            size = max(1.0, *(abs(x.data) for x in known), *(abs(slope) for slope in known.values()))
            text = "; ".join([f"y = {text}", *(f"{name} = {x}" for name, x in data.items())])
            cases.append((text, cost.data, slopes, size))
    script = """texts.map((text) => {
        const { values, data, gradient } = graphed(text);
        const leaves = values.flatMap((v, i) => (v.op ? [] : [[v.label, gradient[i]]]));
        return [data[data.length - 1], Object.fromEntries(leaves)]; })"""
    found = computed(opened(tab), GRAPH, script, texts=[text for text, *_ in cases])
    used = set()
    for (text, value, slopes, size), (theirs, gradient) in zip(cases, found, strict=True):
        assert theirs == pytest.approx(value, rel=1e-12, abs=1e-12 * size), text
        assert gradient == pytest.approx(slopes, rel=1e-12, abs=1e-12 * size), text
        parsed = expression(text)
        assert parsed.cost.data == value
        assert {name: parsed.leaves[name].data for name in parsed.leaves} == {
            n: expression(text).leaves[n].data for n in slopes
        }
        used |= {name for name in TABLE if f"{name}(" in text}
    assert len(used) > 35


def test_python_and_the_page_agree_on_thousands_of_random_texts(tab):
    rng = random.Random(11)
    words = "a b x w1 y_hat 2 0.5 1e3 .5 + - * / ^ ** ( ) [ ] , ; \n = tanh sum log pi π ² × − #c\n weighted_sum clip"
    words += " where == < $ x² é ǆ ½ 一 a.b % ! sqrt( sum([ tanh( x= C="
    texts = ["".join(rng.choices([*words.split(" "), " "], k=rng.randint(1, 12))) for _ in range(3000)]
    script = """texts.map((text) => {
        try { const { values, data } = graphed(text); return [values.at(-1).label, String(data.at(-1))]; }
        catch (e) { if (!(e instanceof Fault)) throw e; return [e.reason.split("; ")[0], e.at, e.end]; } })"""
    taken = 0
    for text, theirs in zip(texts, computed(opened(tab), GRAPH, script, texts=texts), strict=True):
        try:
            cost = expression(text).cost
        except ExpressionError as fault:
            ours = [fault.reason.split("; ")[0], fault.at, max(fault.at + 1, fault.end)]
            if "no finite value" in ours[0] and len(theirs) == 2:
                assert not math.isfinite(float(theirs[1].replace("Infinity", "inf")))
            else:
                assert theirs == ours, text
            continue
        taken += 1
        assert theirs[0] == cost.label, text
        assert float(theirs[1]) == pytest.approx(cost.data, rel=1e-12), text
    assert taken > 50


@pytest.mark.parametrize(
    "text", ["y*softplus(-a) + (1 - y)*softplus(a)", "z = w*a + b; C = (tanh(z) - y)²; w = 0.8", "x^2 + 5*x; x = 3"]
)
def test_python_and_the_page_take_the_same_statements(tab, text):
    found = expression(text)
    values = opened(tab).run(f"graphOf({json.dumps(text)}, opening.starts)")
    assert values[-1]["label"] == found.cost.label
    assert {v["label"]: v["data"] for v in values if not v["op"]} == {n: leaf.data for n, leaf in found.leaves.items()}


def test_faults_are_told_in_the_same_words_at_the_same_place(tab):
    told = opened(tab).run(
        f"{json.dumps(FAULTS)}.map((text) => {{ try {{ graphOf(text, opening.starts); return null; }}"
        " catch (e) { if (!(e instanceof Fault)) throw e; return [e.reason, e.at, e.end]; } })"
    )
    for text, theirs in zip(FAULTS, told, strict=True):
        with pytest.raises(ExpressionError) as raised:
            expression(text)
        ours = raised.value
        assert theirs is not None, text[:40]
        assert theirs[1:] == [ours.at, max(ours.at + 1, ours.end)], text[:40]
        assert theirs[0] == ours.reason, text[:40]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ln(x)", "log"),
        ("max(x, y)", "maximum"),
        ("arctan(x)", "atan"),
        ("sigm(x)", "sigmoid"),
        ("tanhh(x)", "tanh"),
        ("sni(x)", "sin"),
    ],
)
def test_a_function_by_another_name_is_recognized(tab, text, meant):
    with pytest.raises(ValueError, match=f"did you mean {meant}\\?"):
        expression(text)
    opened(tab, "#expression=" + quote(text))
    assert f"did you mean {meant}?" in text_of(tab, "#fault")


@pytest.mark.parametrize("word", ["foo", "f", "loss", "mean_squared_error", "network"])
def test_a_function_of_quite_another_name_is_not_taken_for_one_of_ours(tab, word):
    with pytest.raises(ExpressionError) as raised:
        expression(f"{word}(w)")
    assert raised.value.reason == f"there is no function {word}; a product is written {word}*(...)"
    opened(tab, "#expression=" + quote(f"{word}(w)"))
    assert raised.value.reason in text_of(tab, "#fault")


@pytest.mark.parametrize("word", ["softmax", "log_softmax"])
def test_what_is_written_for_a_function_of_several_values_is_that_function(tab, word):
    with pytest.raises(ExpressionError, match="several values") as raised:
        expression(f"C = {word}(x, y)")
    assert raised.value.reason in text_of(opened(tab, "#expression=" + quote(f"C = {word}(x, y)")), "#fault")
    instead = raised.value.reason.partition("write ")[2]
    cost = expression(f"{instead}; x = 0.25; y = 1.5").cost
    assert cost.data == pytest.approx(getattr(autograd, word)([0.25, 1.5])[0], rel=1e-12)


def test_no_value_is_called_what_another_one_before_it_is_called(tab):
    opened(tab, "#expression=" + quote("h = relu(1 - 1*z); C = (h*1/1 + 0 - (y^1)*1)^2; z = 0.25; y = 2"))
    names = tab.run("desk.values.map(({ name }) => plainText(name))")
    assert len(set(names)) == len(names)
    assert names[1:3] == ["1 · z", "1 − z"]


def test_what_is_long_is_called_u_from_1_on(tab):
    opened(
        tab, "#expression=" + quote("C = tanh(u1*long_name + another_name*w) * (a + tanh(first + second + third))^2")
    )
    names = tab.run("desk.values.filter(({ op }) => op).map(({ name }) => plainText(name))")
    assert [name for name in names if re.fullmatch("u.", name)] == ["u₂", "u₃"]  # u₁ is the user's


@pytest.mark.parametrize("width", [1280, 1024, 800])
@pytest.mark.parametrize("show", ["1.0.1", "2.0.0", "3.0.1", "2.1.b"])
def test_no_number_of_the_worked_gradient_is_cut_off(tab, width, show):
    tab.size(width, 900)
    opened(tab, f"#data=moons&layers=6-4&epoch=300&lr=0.1&show={show}")
    tab.run("lab.trainer.network.theta.forEach((w, i, all) => (all[i] = w / 10000))")
    tab.run("(lab.trainer.ready = false, paint(), explain())")
    assert tab.run("/10<sup>/.test(document.getElementById('examples').innerHTML)")  # numbers as wide as they come
    parts = "[...document.querySelectorAll('#worked .scroll, #worked .factor, #chain')]"
    assert tab.run(f"{parts}.filter((e) => e.scrollWidth > e.clientWidth + 1).length") == 0


def test_on_a_phone_the_products_and_what_they_are_made_of_are_in_sight(tab):
    tab.size(360, 740)
    opened(tab, "#data=moons&layers=6-4&epoch=300&lr=0.1&show=2.0.0")
    products = "[...document.querySelectorAll('#examples td:nth-child(4)')]"
    assert tab.run(f"Math.max(...{products}.map((e) => e.getBoundingClientRect().right))") <= 360


def test_the_words_above_the_curve_of_the_cost_are_not_crossed_by_it(tab):
    opened(tab, "#data=moons&n=50&layers=3")
    for costs in ("[1, 1, 1, 1e104]", "[5, 4, 3, 2]", "[1, 1]"):
        tab.run(f"(lab.trainer.costs = {costs}, palette.css.muted = 'transparent', curve())")
        band = "document.getElementById('curve').getContext('2d').getImageData(4, 4, 592, 36).data"
        assert tab.run(f"[...{band}].every((x, i) => i % 4 !== 3 || !x)")


def test_a_fault_is_shown_where_it_is_and_the_last_graph_stays(tab):
    opened(tab, "#expression=y = x^2; x = 3")
    assert text_of(tab, ".box.cost .value") == "9"
    choose(tab, "#text", "y = x^2\nz = sni(y)")
    assert text_of(tab, "#fault") == "Line 2, column 5: there is no function sni; did you mean sin?z = sni(y)"
    assert text_of(tab, "#fault mark") == "sni"
    assert tab.run("document.getElementById('text').getAttribute('aria-invalid')") == "true"
    assert text_of(tab, ".box.cost .value") == "9"
    choose(tab, "#text", "y = log(x); x = 0 - 1")
    assert "log has no finite value at −1" in text_of(tab, "#fault")
    choose(tab, "#text", "y = x^3; x = 3")
    assert text_of(tab, "#fault") == ""
    assert text_of(tab, ".box.cost .value") == "27"


def test_the_worked_chain_rule_lists_the_paths_and_their_sum(tab):
    opened(tab, "#expression=y = x^2 + 5*x; x = 3")
    assert "path 1" in text_of(tab, "#rule")
    assert text_of(tab, "#rule > p").endswith("= 6 + 5 = 11, the sum over 2 paths.")
    tab.click("#rule .path")
    assert tab.run("document.querySelectorAll('.edge.route').length") == 2
    assert tab.run("document.activeElement.getAttribute('aria-pressed')") == "true"
    choose(tab, "#text", "; ".join(["v0 = x + x", *(f"v{i} = v{i - 1} + v{i - 1}" for i in range(1, 70)), "y = v69*1"]))
    assert f"the sum over {2**70} paths" in text_of(tab, "#rule > p")


@pytest.mark.parametrize(
    ("text", "formula", "rules"),
    [
        ("y = w*a", "w a", ["a", "w"]),
        ("y = tanh(w*a)", "tanh(w a)", ["1 − y^2"]),
        ("y = (a - b)^2; a = 3; b = 1", "(a − b)^2", ["2 (a − b)", "y log(a − b)"]),
        ("y = a/(b*c)", "a / (b c)", ["1 / (b c)", "−y / (b c)"]),
        ("y = a/2/b", "a / (2 b)", ["1 / b", "−y / b"]),
        ("y = a^-1", "1 / a", ["−1 / a^2", "y log(a)"]),
        ("y = b - (-a)*b", "b + a b", ["1", "−1"]),
        ("y = 3*(a + 1)*2", "6 (a + 1)", ["2", "3 (a + 1)"]),
        ("y = exp(-a*a)", "exp(−a^2)", ["y"]),
        ("y = sqrt(a)", "sqrt(a)", ["0.5 / y"]),
        ("y = gelu(a)", "gelu(a)", ["0.5 erfc(−a / sqrt(2)) + a exp(−0.5 a^2) / sqrt(2 π)"]),
        ("y = sigmoid(a)", "sigmoid(a)", ["y (1 − y)"]),
        ("y = leaky_relu(a); a = -2", "leaky_relu(a)", ["0.01", "a"]),
        ("y = prod(a, b, c)", "a b c", ["b c", "a c", "a b"]),
        ("y = weighted_sum([a, b], [1, x], c)", "a + b x + c", ["1", "x", "a", "b", "1"]),
        ("y = x*alpha_1", "x α₁", ["α₁", "x"]),
    ],
)
def test_formulas_and_rules_are_set_as_a_book_sets_them(tab, text, formula, rules):
    script = """(({ values, data }) => {
        describe(values, data, 60);
        const y = values.at(-1);
        return [plainText(y.formula), y.rules.map(plainText)]; })(graphed(text))"""
    assert computed(opened(tab), GRAPH, script, text=text) == [formula, rules]


def test_paths_are_those_of_python(tab):
    text = "h1 = tanh(w*x1); h2 = tanh(w*x2 + u*h1); C = (h2*h1 - w)^2; w = 0.7; u = 1.2; x1 = 0.5; x2 = -1"
    found = expression(text)
    for leaf in ("w", "u", "x1"):
        ours = paths(found.cost, found.leaves[leaf])
        script = """(({ values, partials }) => {
            const found = routes(values, partials, values.findIndex((v) => v.label === leaf), 3);
            return [Number(found.count), found.paths.map((p) => p.product)]; })(graphed(text))"""
        theirs = computed(opened(tab), GRAPH, script, text=text, leaf=leaf)
        assert theirs[0] == ours.count
        expected = sorted((path.product for path in ours), key=abs, reverse=True)[:3]
        assert [abs(x) for x in theirs[1]] == pytest.approx([abs(x) for x in expected], rel=1e-12)


def test_steps_sliders_and_the_table_follow(tab):
    opened(tab, "#expression=" + quote("z = w*a + b\nC = (tanh(z) - y)^2\nw = 0.8; a = 1.5; b = -0.5; y = 1"))
    assert "step 15 of 15" in text_of(tab, "#count")
    tab.click("#first")
    assert text_of(tab, ".box.cost .value") == "?"
    tab.click("#next")
    assert "Forward. w a = 1.2" in text_of(tab, "#words")
    tab.click("#last")
    tab.click("#previous")
    assert "step 14 of 15" in text_of(tab, "#count")
    tab.click("#all summary")
    tab.wait("document.querySelectorAll('#table tbody tr').length === 9")
    choose(tab, "#leaf0", "0.9")
    moved = expression("z = w*a + b; C = (tanh(z) - y)^2; w = 0.9; a = 1.5; b = -0.5; y = 1")
    assert tab.run("desk.result.data.at(-1)") == pytest.approx(moved.cost.data, rel=1e-14)
    assert "a change of" in text_of(tab, "#nudged")
    tab.click("#reset")
    assert tab.run("document.getElementById('reset').disabled")
    choose(tab, "#chosen", "2")
    assert tab.run("desk.chosen") == 2
    tab.click(".box.leaf")
    assert tab.run("desk.chosen") == 0
    tab.click("#play")
    tab.wait("desk.now > 0 && desk.now < 15")
    tab.click("#play")
    choose(tab, "#samples", tab.run("SAMPLES[1][1]"))
    assert text_of(tab, ".box.cost .name") == "y"
    choose(tab, "#step", "1")
    assert tab.run("desk.now") == 1


def test_a_page_that_opens_with_an_expression_checks_itself_against_python(tab, tmp_path):
    path = tmp_path / "page.html"
    playground("C = (tanh(w*a + b) - y)**2").save(path)
    tab.open(path.as_uri())
    assert text_of(tab, "#check").startswith("Checked: JavaScript reproduces Python’s cost and gradients")
    wrong = re.sub(r'"cost": *[\d.]+', '"cost": 7.5', path.read_text(), count=1)
    path.write_text(wrong)
    tab.open(path.as_uri() + "#")
    assert "does not reproduce" in text_of(tab, "#check")


def test_the_check_stands_only_under_the_expression_that_python_computed(tab, tmp_path):
    path = tmp_path / "page.html"
    playground("C = (tanh(w*a + b) - y)**2").save(path)
    tab.open(path.as_uri())
    for text in ("C = w*a", "C = (", ""):
        choose(tab, "#text", text)
        assert text_of(tab, "#check") == ""
        choose(tab, "#text", "C = (tanh(w*a + b) - y)**2")
        assert text_of(tab, "#check").startswith("Checked")
    choose(tab, ".leafrow input[type=number]", "3")
    assert text_of(tab, "#check") == ""
    tab.click("#reset")
    assert text_of(tab, "#check").startswith("Checked")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("C = x*x; x = 3", ["first factor", "second factor"]),
        ("C = x + x; x = 3", ["first term", "second term"]),
        ("C = x - x; x = 3", ["first term", "second term"]),
        ("C = x/x; x = 3", ["first operand", "second operand"]),
        ("C = x^x; x = 3", ["first operand", "second operand"]),
        ("C = sum(x, y, x); x = 3; y = 1", ["first term", "third term"]),
        ("C = x*y; x = 3; y = 2", []),
    ],
)
def test_an_operand_that_stands_twice_is_told_by_its_place(tab, text, parts):
    opened(tab, f"#expression={quote(text)}")
    texts = [text_of(tab, "#rule")]
    for step in range(tab.run("desk.steps.length") - 1):
        tab.run(f"go({step})")
        texts.append(text_of(tab, "#words"))
    for part in parts:
        assert sum(f"by its {part}" in told for told in texts) == 3  # in the chain rule, forward and backward
    if parts:
        assert "∂C/∂x =" not in "".join(texts[1:-3])
    else:
        assert "by its" not in "".join(texts)


def test_leaves_without_a_number_are_named(tab):
    opened(tab, f"#expression={quote('C = w*a + b; a = 1.5')}")
    assert text_of(tab, "#free").startswith("The text gives no number to w and b: ")
    choose(tab, "#text", "C = w*a + b; w = 0.5; a = 1; b = 2")
    assert text_of(tab, "#free") == ""


def test_a_number_box_of_a_leaf_refuses_in_words_what_is_no_number(tab):
    opened(tab, f"#expression={quote('C = w*w; w = 0.8')}")
    for text in ("", "1e999", "-"):
        choose(tab, ".leafrow input[type=number]", text)
        told = text_of(tab, "#leaf-fault")
        assert told.startswith("w takes a number")
        assert told.endswith("stays at 0.8.")
        assert tab.run("document.querySelector('.leafrow input[type=number]').value") == "0.8"
        assert tab.run("desk.worth[0]") == 0.8
    choose(tab, ".leafrow input[type=number]", "2")
    assert text_of(tab, "#leaf-fault") == ""


# Networks: the same points, the same training, the same gradients ---------------------------------------------------


@pytest.mark.parametrize("shape", ["moons", "circles", "spirals", "xor"])
def test_points_are_those_of_nn_from_the_same_seed(tab, shape):
    for n, noise, seed in ((200, 0.1, 0), (51, 0.0, 3), (500, 0.3, 12)):
        X, y = getattr(nn, shape)(n, noise=noise, seed=seed)
        points = opened(tab).run(
            f"(() => {{ const p = shaped('{shape}', {n}, {noise}, {seed}); return [[...p.X], [...p.classes]]; }})()"
        )
        assert points[0] == pytest.approx(X.ravel().tolist(), abs=1e-14)
        assert points[1] == y.tolist()


def trained(tab, settings, steps, lr):
    script = """(() => {
        const t = trainer(s);
        for (let i = 0; i < steps; i++) t.step(lr);
        t.prepare();
        const { network, costs, gradient, steps: done } = t;
        const measured = t.measure(), theta = [...network.theta];
        return { theta, costs, gradient: [...gradient], measured, steps: done }; })()"""
    return computed(opened(tab), TRAINER, script, s=settings, steps=steps, lr=lr)


def model_of(settings):
    _, *widths = settings["widths"]
    return nn.MLP(2, widths, settings["activation"], seed=settings["seed"])


OPTIMIZERS = {
    "SGD": lambda p, lr: nn.SGD(p, lr=lr),
    "momentum": lambda p, lr: nn.SGD(p, lr=lr, momentum=0.9),
    "RMSprop": lambda p, lr: nn.RMSprop(p, lr=lr),
    "Adam": lambda p, lr: nn.Adam(p, lr=lr),
}


@pytest.mark.parametrize(
    ("data", "widths", "activation", "loss", "optimizer", "batch"),
    [
        ("moons", [2, 8, 8, 1], "tanh", "binary_cross_entropy", "Adam", 0),
        ("circles", [2, 6, 1], "relu", "squared_error", "SGD", 50),
        ("spirals", [2, 5, 4, 3, 1], "sigmoid", "hinge", "momentum", 0),
        ("xor", [2, 8, 1], "leaky_relu", "binary_cross_entropy", "RMSprop", 25),
        ("moons", [2, 1], "linear", "binary_cross_entropy", "Adam", 10),
    ],
)
def test_two_hundred_steps_of_training_are_those_of_nn_fit(tab, data, widths, activation, loss, optimizer, batch):
    settings = {"data": data, "n": 100, "noise": 0.1, "widths": widths, "activation": activation, "loss": loss}
    settings |= {"optimizer": optimizer, "batch": batch, "seed": 5}
    theirs = trained(tab, settings, 200, 0.02)
    X, y = getattr(nn, data)(100, noise=0.1, seed=0)
    if loss != "binary_cross_entropy":
        y = 2 * y - 1
    model = model_of(settings)
    each = 100 // batch if batch else 1
    assert theirs["steps"] == 200
    assert 200 % each == 0
    history = nn.fit(
        model, X, y, loss=getattr(nn, loss), optimizer=OPTIMIZERS[optimizer](model.parameters(), 0.02),
        epochs=200 // each, batch_size=batch or None, progress=False,
    )  # fmt: skip
    assert theirs["costs"] == pytest.approx(history.cost, abs=1e-9)
    assert theirs["theta"] == pytest.approx([p.data for p in model.parameters()], abs=1e-9)
    assert theirs["measured"]["accuracy"] == pytest.approx(nn.accuracy(model, X, y))


@pytest.mark.parametrize(
    "activation", ["tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "softsign", "sin"]
)
def test_the_gradient_and_its_paths_are_those_of_the_engine(tab, activation):
    settings = {"data": "moons", "n": 20, "noise": 0.1, "widths": [2, 3, 2, 1], "activation": activation}
    settings |= {"loss": "squared_error", "optimizer": "SGD", "batch": 0, "seed": 1}
    theirs = trained(tab, settings, 3, 0.05)
    X, y = nn.moons(20, noise=0.1, seed=0)
    model = model_of(settings)
    for parameter, number in zip(model.parameters(), theirs["theta"], strict=True):
        parameter.data = number
    costs = [nn.squared_error(model(x), t) for x, t in zip(X.tolist(), (2 * y - 1).tolist())]
    slopes = gradients(autograd.mean(costs), model.parameters())
    assert theirs["gradient"] == pytest.approx([float(slope) for slope in slopes], rel=1e-10, abs=1e-14)
    for at, parameter in [((1, 0, 1), model.layers[0].neurons[0].w[1]), ((2, 1, None), model.layers[1].neurons[1].b)]:
        layer, j, k = at
        script = """(() => {
            const t = trainer(s);
            t.network.theta.set(theta);
            const { room, targets } = t.prepare(), slope = t.loss.at(room.a.at(-1)[4], targets[4])[1];
            return pathsOf(t.network, room, 4, parameter, slope, 3); })()"""
        where = {"layer": layer, "j": j, "k": k}
        found = computed(tab, TRAINER, script, s=settings, theta=theirs["theta"], parameter=where)
        ours = paths(costs[4], parameter)
        assert found["count"] == ours.count
        assert found["total"] == pytest.approx(ours.total, rel=1e-10, abs=1e-14)
        expected = sorted((abs(path.product) for path in ours), reverse=True)[:3]
        assert [abs(path["product"]) for path in found["paths"]] == pytest.approx(expected, rel=1e-10, abs=1e-14)
        for path in found["paths"]:
            assert math.prod(path["factors"]) == pytest.approx(path["product"], rel=1e-12)


@pytest.mark.parametrize("activation", ["tanh", "leaky_relu", "sigmoid"])
def test_what_made_a_gradient_small_is_what_explain_finds(tab, activation):
    opened(tab, f"#data=moons&n=50&layers=3-2&activation={activation}&loss=squared_error&batch=1&seed=4")
    model = nn.MLP(2, [3, 2, 1], activation=activation, seed=4)
    compared = 0
    for step in range(12):
        theta, x, target = tab.run(
            "(() => { const { room, targets } = lab.trainer.prepare();"
            " return [[...lab.trainer.network.theta], [...room.a[0]], targets[0]]; })()"
        )
        for parameter, number in zip(model.parameters(), theta, strict=True):
            parameter.data = number
        cost = nn.squared_error(model(x), target)
        for (layer, j, k), parameter in [
            ((1, step % 3, step % 2), model.layers[0].neurons[step % 3].w[step % 2]),
            ((2, step % 2, None), model.layers[1].neurons[step % 2].b),
        ]:
            told = explain(cost, parameter)
            tab.run(f"pick({json.dumps({'layer': layer, 'j': j, 'k': k})})")
            sentence = text_of(tab, "#reason")
            if not told.gradient:
                assert "is 0" in sentence
                continue
            expected = {"error" if r.kind == "factor" else r.kind: r.size for r in told.reasons}  # 2 (z + 1) is both
            if "cancel" in expected:
                continue
            script = """(() => {
                const { room } = lab.trainer.prepare(), { layer, j, k } = lab.parameter;
                const input = k === null ? 1 : room.a[layer - 1][k];
                return reason(lab.parameter, 0, [input * room.delta[layer][j]]).groups; })()"""
            found = {group["kind"]: group["size"] for group in tab.run(script)}
            for kind in ("slopes", "saturated", "weights", "error"):
                assert (kind in found) == (kind in expected), (sentence, str(told))
                assert found.get(kind, 0) == pytest.approx(expected.get(kind, 0), rel=1e-9)
                compared += kind in found
            way, multiplied = "", {"smaller": 0.0, "larger": 0.0}
            for part in re.split("; |, (?=the)", sentence):
                if size := re.search(r"([\d.]+) times( smaller| larger)?", part):
                    way = (size[2] or way).strip()
                    multiplied[way] += math.log(float(size[1]))
            sizes = [math.log(size) for size in found.values()]
            assert multiplied["smaller"] == pytest.approx(-sum(x for x in sizes if x < 0), abs=0.15)
            assert multiplied["larger"] == pytest.approx(sum(x for x in sizes if x > 0), abs=0.15)
        tab.run("step()")
    assert compared > 20


def test_examples_that_cancel_and_units_that_are_dead_are_the_reason(tab):
    opened(tab, "#data=moons&n=50&layers=3&activation=relu&loss=squared_error&show=1.1.0")
    tab.run("(lab.trainer.network.theta.fill(0.5), (lab.trainer.ready = false), explain())")
    products = tab.run(
        "(() => { const { room, batch } = lab.trainer.prepare();"
        " return batch.map((_, e) => room.a[0][2 * e] * room.delta[1][3 * e + 1]); })()"
    )
    even = sorted(products)
    assert even[0] < 0 < even[-1]
    script = "reason(lab.parameter, 0, products).sentence"
    cancelling = [*products, -sum(products)]
    told = computed(tab, "", script, products=cancelling)
    up, down = sum(x for x in cancelling if x > 0), sum(x for x in cancelling if x < 0)
    numbers = [float(x.replace("−", "-")) for x in re.findall(r"to (−?[\d.]+)", told)]
    assert "cancel" in told
    assert numbers == pytest.approx([up, down], rel=1e-3)
    choose(tab, "#parameter", "1.1.b")
    choose(tab, "#weight", "-50")
    assert "The slope of relu is 0 in its neuron at every example" in text_of(tab, "#reason")
    choose(tab, "#parameter", "1.0.b")
    tab.run("(lab.trainer.network.theta.fill(0), (lab.trainer.ready = false), explain())")
    choose(tab, "#parameter", "2.0.0")
    assert "What feeds it is 0 at every example" in text_of(tab, "#reason")


def test_dead_and_saturated_units_are_those_of_nn_health(tab):
    for activation, seed in (("relu", 0), ("sigmoid", 2), ("tanh", 1)):
        settings = {"data": "circles", "n": 50, "noise": 0.05, "widths": [2, 8, 8, 1], "activation": activation}
        settings |= {"loss": "hinge", "optimizer": "SGD", "batch": 0, "seed": seed}
        script = """(() => {
            const t = trainer(s);
            t.network.theta.forEach((_, i, theta) => (theta[i] *= 9));
            t.network.theta[16] = -90;
            return [[...t.network.theta], health(t.network, t.prepare().room)]; })()"""
        theirs = computed(opened(tab), TRAINER, script, s=settings)
        model = model_of(settings)
        for parameter, number in zip(model.parameters(), theirs[0], strict=True):
            parameter.data = number
        X, _ = nn.circles(50, noise=0.05, seed=0)
        found = [[layer.count("dead"), layer.count("saturated")] for layer in theirs[1][1:]]
        assert found == [[row["dead"], row["saturated"]] for row in nn.health(model, X).rows]
        assert sum(map(sum, found)) > 0


# The page as its reader has it ---------------------------------------------------------------------------------------


def test_boxes_do_not_overlap_and_no_edge_runs_behind_one(tab):
    rng = random.Random(3)
    texts = ["; ".join(f"v{i} = v{rng.randrange(i)} * v{rng.randrange(i)} + a" for i in range(1, 9)) for _ in range(30)]
    script = """texts.map((text) => {
        const { values } = graphed(text), sizes = values.map(() => [90, 60]);
        const edges = values.flatMap((v, i) => (v.operands ?? []).flatMap((x) => (x >= 0 ? [[x, i, 44]] : [])));
        return { edges, sizes, ...arrange(sizes, edges) }; })"""
    for found in computed(opened(tab), GRAPH, script, texts=texts):
        centres = found["centres"]
        for i, (x, y) in enumerate(centres):
            assert all(abs(x - u) >= 90 or abs(y - v) >= 60 for u, v in centres[:i])
            assert 45 - 1e-9 <= x <= found["width"] - 45 + 1e-9
            assert 30 - 1e-9 <= y <= found["height"] - 30 + 1e-9
        for (tail, head, _), curve in zip(found["edges"], found["curves"], strict=True):
            assert curve[0][0] == pytest.approx(centres[tail][0] + 45)
            assert curve[-1][0] == pytest.approx(centres[head][0] - 45)
            for u, v in sample(curve):
                assert not any(abs(u - x) < 44 and abs(v - y) < 29 for x, y in centres)


LAID_OUT = """(() => {
    const { boxes, lines } = desk, rects = lines.map(({ under }) => under.getBBox());
    const touching = rects.flatMap((a, i) => rects.slice(0, i).filter((b) =>
        a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height));
    const shown = lines.map(({ line }, i) => {
        const { x, y, width, height } = rects[i], length = line.getTotalLength();
        let seen = 0;
        for (let t = 0; t < length; t++) {
            const p = line.getPointAtLength(t);
            seen += p.x < x || p.x > x + width || p.y < y || p.y > y + height;
        }
        return seen;
    });
    return {
        over: boxes.map((box) => box.querySelector('.grad')).filter((g) => g.scrollWidth > g.clientWidth).length,
        touching: touching.length,
        shown: Math.min(...shown),
        cut: element('picture').scrollWidth - element('picture').clientWidth,
    }; })()"""


def test_a_graph_shows_its_numbers_its_edges_and_its_cost(tab):
    tab.size(1400, 900)
    samples = opened(tab).run("SAMPLES")
    assert len(samples) > 5
    for _, text in samples:
        opened(tab, f"#expression={quote(text)}")
        found = tab.run(LAID_OUT)
        assert found["over"] == found["touching"] == 0, text
        assert found["shown"] >= 20, text  # pixels of every edge beside its label
        assert found["cut"] <= 0, text


def test_no_labels_touch_and_no_edge_hides_in_graphs_of_any_shape(tab):
    rng = random.Random(5)
    for _ in range(15):
        names, lines = list("abcd"), []
        for i in range(rng.randrange(2, 7)):
            x, y, z = (rng.choice(names) for _ in range(3))
            lines.append(
                f"v{i} = {rng.choice([f'tanh({x}*{y})', f'{x}*{y} + {z}', f'{x} - {y}', f'sum({x}, {y}, {z})'])}"
            )
            names.append(f"v{i}")
        text = "; ".join(lines)
        opened(tab, f"#expression={quote(text)}")
        found = tab.run(LAID_OUT)
        assert found["over"] == found["touching"] == 0, text
        assert found["shown"] >= 20, text


def test_a_gradient_that_a_slider_makes_long_stays_in_its_bar(tab):
    opened(tab, f"#expression={quote('C = (sigmoid(w*x) - y)^2; w = 1; x = 1.5; y = 0')}")
    for number in ("6", "9", "-25"):
        choose(tab, ".leafrow input[type=number]", number)
        for step in (7, 9, 12):
            tab.run(f"go({step})")
            assert tab.run(LAID_OUT)["over"] == 0, (number, step)


def test_every_control_of_the_network_does_what_it_says(tab):
    opened(tab, "#data=moons&n=50")
    tab.click("#one")
    tab.click("#one")
    assert (text_of(tab, "#steps"), text_of(tab, "#epoch")) == ("2", "2")
    tab.click("#run")
    tab.wait("lab.trainer.steps > 5")
    tab.click("#run")
    assert not tab.run("lab.running")
    tab.click("#restart")
    assert text_of(tab, "#steps") == "0"
    settings = {"activation": "relu", "loss": "hinge", "optimizer": "SGD", "lr": "0.3", "batch": "10", "seed": "7"}
    for setting, value in {**settings, "n": "100", "noise": "0.25"}.items():
        choose(tab, f"#{setting}", value)
        assert str(tab.run(f"lab.{setting}")) == value
    tab.click("#more")
    assert tab.run("lab.layers") == [6, 4, 4]
    tab.click('[data-size="1+"]')
    tab.click('[data-size="3−"]')
    assert tab.run("lab.layers") == [7, 4, 3]
    assert tab.run("document.querySelectorAll('.unit').length") == 2 + 7 + 4 + 3 + 1
    for _ in range(3):
        tab.click("#fewer")
    assert tab.run("[lab.layers, document.getElementById('fewer').disabled]") == [[], True]
    tab.click("#one")
    tab.click('[data-shape="spirals"]')
    assert tab.run("[lab.data, lab.noise, lab.trainer.steps]") == ["spirals", 0.03, 0]
    for button in ("#share", "#copy-python"):
        tab.run("document.getElementById('python').open = true")
        tab.click(button)
        tab.wait(f"['copied', 'not allowed here'].includes(document.querySelector('{button}').textContent)")
    tab.click("#tab-expression")
    assert tab.run("document.getElementById('network').hidden")
    tab.click("#tab-network")
    assert tab.run("document.getElementById('expression').hidden")


def test_a_seed_or_a_weight_that_is_none_is_refused_and_the_training_kept(tab):
    opened(tab)
    for _ in range(3):
        tab.click("#one")
    before = tab.run("[...lab.trainer.network.theta]")
    for box, fault in (("#seed", "#seed-fault"), ("#weight", "#weight-fault")):
        for text in ("-1", "1.5", "4294967296", "") if box == "#seed" else ("1e12", ""):
            tab.run(f"(document.querySelector('{box}').focus(), document.querySelector('{box}').select())")
            tab.press("Backspace")
            tab.type(text)
            tab.press("Enter", "Tab")
            told = text_of(tab, fault)
            assert " takes a " in told
            assert (f", not {text}; it stays at" if text else "; it stays at") in told
            assert tab.run("[...lab.trainer.network.theta]") == before
            assert tab.run("lab.trainer.steps") == 3
        tab.run(f"(document.querySelector('{box}').focus(), document.querySelector('{box}').select())")
        tab.type("5")
        assert text_of(tab, fault) == ""
        tab.press("Escape")
        tab.run(f"document.querySelector('{box}').value = document.querySelector('{box}').defaultValue || 0")
        tab.press("Enter", "Tab")
        assert tab.run("lab.trainer.steps") == 3
    choose(tab, "#seed", "7")
    assert tab.run("[lab.seed, lab.trainer.steps]") == [7, 0]


def test_the_two_costs_say_of_when_they_are(tab):
    opened(tab)
    drawn = "(() => { let told = []; const of = CanvasRenderingContext2D.prototype, kept = of.fillText;"
    drawn += " of.fillText = (text) => told.push(text); curve(); of.fillText = kept; return told; })()"
    choose(tab, "#batch", "50")
    tab.run("(lab.trainer.finishEpoch(0.1), lab.trainer.finishEpoch(0.1), paint())")
    assert tab.run(drawn)[0].startswith("mean before the steps of epoch 2: ")
    choose(tab, "#batch", "0")
    before = []
    for _ in range(2):
        before.append(text_of(tab, "#cost"))
        tab.run("(lab.trainer.finishEpoch(0.1), paint())")
    assert tab.run(drawn) == [f"before the step of epoch 2: {before[1]}"]
    assert text_of(tab, ".figures").startswith("cost now")


def test_a_click_on_a_weight_works_out_its_gradient(tab):
    opened(tab, "#data=moons&n=50&layers=3-2&epoch=5")
    place = tab.run(
        "(() => { const wire = lab.wires.find(({at}) => at.layer === 1 && at.j === 0 && at.k === 0).line;"
        " document.getElementById('net').scrollIntoView(); const p = wire.getPointAtLength(wire.getTotalLength() / 3),"
        " b = document.querySelector('#net svg').getBoundingClientRect(); return [b.left + p.x, b.top + p.y]; })()"
    )
    for kind in ("mousePressed", "mouseReleased"):
        tab.send("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)
    assert tab.run("lab.parameter") == {"layer": 1, "j": 0, "k": 0}
    choose(tab, "#parameter", "1.2.1")
    assert tab.run("lab.parameter") == {"layer": 1, "j": 2, "k": 1}
    gradient = tab.run("html(lab.trainer.gradient[lab.trainer.network.at(lab.parameter)])")
    assert text_of(tab, "#chain b") == re.sub("<.*?>", "", gradient)
    assert text_of(tab, "#examples .total b") == re.sub("<.*?>", "", gradient)
    assert tab.run("document.querySelectorAll('#paths li').length") == 2
    tab.click("#examples tbody tr:nth-child(3) button")
    example = tab.run("lab.example")
    assert text_of(tab, "#paths h3") == f"Example {example}, factor by factor"
    factors = tab.run("[...document.querySelectorAll('#paths li:first-child .number')].map((e) => e.textContent)")
    numbers = [float(re.sub(r"[()]", "", x).replace("−", "-").replace("\u00a0×\u00a010", "e")) for x in factors]
    assert math.prod(numbers[:-1]) == pytest.approx(numbers[-1], rel=5e-3)
    before = tab.run("lab.told.cost")
    choose(tab, "#weight", "2.5")
    assert tab.run("lab.trainer.network.theta[lab.trainer.network.at(lab.parameter)]") == 2.5
    assert tab.run("lab.told.cost") != before
    tab.click('.unit[aria-label^="neuron 1 of layer 2"]')
    assert tab.run("lab.parameter") == {"layer": 2, "j": 1, "k": None}
    tab.click("#surface", 0.5, 0.5)
    assert -1 <= tab.run("lab.example") < 50


def test_what_is_typed_in_stays_while_training_runs(tab):
    opened(tab, "#data=moons&n=50&layers=2")
    tab.run("train(true)")
    tab.run("element('weight').focus()")
    steps = tab.run("lab.trainer.steps")
    tab.wait(f"lab.trainer.steps > {steps} + 60")
    assert tab.run("document.activeElement.id") == "weight"
    tab.run("element('weight').select()")
    tab.type("1.5")
    tab.press("Enter")
    tab.run("train(false)")
    assert "a parameter was set by hand" in tab.run("python()")


def test_a_path_lights_up_in_the_network(tab):
    opened(tab, "#data=moons&n=50&layers=3-2-2&epoch=5&show=1.2.0")
    tab.click("#paths .path")
    way = [int(j) for j in tab.run("document.querySelector('#paths .path').dataset.way").split("-")]
    lit = tab.run(
        "lab.wires.filter(({line}) => line.classList.contains('chosen')).map(({at}) => [at.layer, at.j, at.k])"
    )
    assert lit == [[1, 2, 0]] + [[layer, way[layer - 1], way[layer - 2]] for layer in (2, 3, 4)]
    tab.click("#paths .path")
    assert tab.run("document.querySelectorAll('.wire.chosen').length") == 1
    assert "softplus" in text_of(tab, "#paths p")


def test_dead_units_are_named(tab):
    opened(tab, "#data=moons&n=50&layers=3&activation=relu&show=1.1.b")
    choose(tab, "#weight", "-50")
    assert "Layer 1: neuron 1 is dead" in text_of(tab, "#units")
    assert "Its neuron is dead." in text_of(tab, "#chain")
    assert tab.run("document.querySelectorAll('.unit.dead').length") == 1


def test_a_run_away_training_stops_with_a_word_and_keeps_its_numbers(tab):
    opened(tab, "#data=moons&n=50&loss=squared_error&optimizer=SGD&activation=linear&lr=3&layers=8-8")
    tab.run("train(true)")
    tab.wait("!lab.running")
    assert "training diverges" in text_of(tab, "#diverged")
    near = "document.getElementById('diverged').getBoundingClientRect().top - play.getBoundingClientRect().bottom"
    assert tab.run(f"(() => {{ const play = document.getElementById('run'); return {near}; }})()") < 60
    assert tab.run("lab.trainer.network.theta.every(Number.isFinite)")


def test_the_python_that_leaves_the_page_reproduces_its_cost(tab):
    for fragment in (
        "#data=moons&n=50&layers=4-3&epoch=30", "#data=xor&n=50&loss=hinge&optimizer=momentum&batch=10&epoch=6&seed=3",
        "#data=csv&csv=none",
        "#data=csv&layers=3&epoch=12&loss=squared_error&csv=" + quote("a;b;c\n1,5;2;no\n2;-1;yes\n-3;0,5;no\n4;4;yes"),
    ):  # fmt: skip
        opened(tab, fragment)
        code, cost = tab.run("(lab.trainer.epoch || step(), [python(), lab.trainer.costs.at(-1)])")
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            exec(code, {})
        assert float(out.getvalue().split()[0]) == pytest.approx(cost, abs=1e-9)
        assert text_of(tab, "#code") == code


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("1, 2", "line 1, column 3: a line holds two numbers and a class, and this one has 2 entries"),
        ("1, 2, a\n\n3, x, b", "line 3, column 2: “x” is not a number"),
        ("1, 2, a\n3, , b", "line 2, column 2: a number is missing"),
        ("1, 2, a\n3, 4, b\n5, 6, c", "line 3, column 3: “c” is a third class; here are two, “a” and “b”"),
        ("1, 2, a\n3, 4, ", "line 2, column 3: the class is missing"),
        ("x, y, class\n1, 2, a", "line 2, column 3: all points are of the class “a”; two are needed"),
        ("1, nan, a\n1, 2, b", "line 1, column 2: “nan” is not a number"),
        ("1e999, 2, a\n1, 2, b", "line 1, column 1: “1e999” is not a number"),
        ("", "line 1, column 1: there are no points: a line is written 0.5, -1.2, yes"),
        ("1, 2, a, 4\n", "line 1, column 4: a line holds two numbers and a class, and this one has 4 entries"),
        ("1, 2, <img src=x onerror=window.broken=1>\n1, 2, b\n3, 4, c", "third class"),
    ],
)
def test_faults_in_pasted_points_name_line_and_column(tab, text, fault):
    opened(tab, "#data=moons&n=50&epoch=1")
    tab.click('[data-shape="csv"]')
    tab.run("(() => { const e = document.getElementById('csv'); e.focus(); e.select(); })()")
    tab.press("Backspace")
    tab.type(text)
    assert fault in text_of(tab, "#csv-fault")
    assert tab.run("window.broken ?? null") is None
    assert tab.run("lab.points.n") > 0
    tab.click("#one")


def test_pasted_points_are_standardized_and_trained_on(tab):
    opened(tab, "#data=csv&csv=" + quote("x\ty\tkind\n1\t10\tcat\n3\t30\tdog\n5\t20\tdog\n7\t40\tcat"))
    assert text_of(tab, "#csv-fault") == ""
    ours = nn.standardize([[1, 10], [3, 30], [5, 20], [7, 40]])
    assert tab.run("[...lab.points.X]") == pytest.approx(ours.ravel().tolist(), abs=1e-14)
    assert tab.run("[lab.points.names, [...lab.points.classes]]") == [["cat", "dog"], [0, 1, 1, 0]]
    assert text_of(tab, "#legend") == "class catclass dog"
    told = text_of(tab, "#standardized")
    assert "standardized: x0 = (first number − 4) / 2.236, x1 = (second number − 25) / 11.18." in told
    assert "inputs standardized" in text_of(tab, "#examples")
    tab.click("[data-shape=moons]")
    assert text_of(tab, "#standardized") == ""
    tab.click("[data-shape=csv]")
    tab.click("#one")


@pytest.mark.parametrize(
    "fragment",
    [
        "#data=spirals&n=100&noise=0.07&activation=gelu&loss=hinge&optimizer=RMSprop&lr=0.01&batch=10&seed=42&layers=3-2-4&epoch=4&show=2.1.2&example=7",
        "#data=csv&csv=" + quote("1,2,a\n3,4,b\n5,7,a") + "&layers=2&epoch=3&show=1.1.b",
        "#data=xor&layers=",
        "#expression=" + quote("z = a*b + c\nC = exp(z) % 2\n".replace(" % 2", "")) + "&set=a%3D0.25&step=3&show=1",
    ],
)
def test_a_link_restores_the_state(tab, fragment):
    opened(tab, fragment)
    assert tab.run("document.getElementById('message').hidden"), text_of(tab, "#message")
    state = "[mode, address(), lab.trainer.network.theta.join(), lab.trainer.epoch, desk.worth, desk.now, desk.chosen]"
    before = tab.run(state)
    asked = dict(part.split("=", 1) for part in fragment[1:].split("&"))
    assert before[3] == int(asked.get("epoch", 0))
    opened(tab, before[1])
    assert tab.run(state) == before


def test_a_link_keeps_what_was_changed_by_hand(tab):
    opened(tab, "#data=moons&n=50&layers=2-2&epoch=5&show=2.1.0")
    choose(tab, "#weight", "-1.75")
    theta, link = tab.run("[[...lab.trainer.network.theta], address()]")
    assert -1.75 in theta
    opened(tab, link)
    assert tab.run("[...lab.trainer.network.theta]") == pytest.approx(theta, rel=1e-7)
    assert tab.run("lab.parameter") == {"layer": 2, "j": 1, "k": 0}
    assert "the weights came from a link" in tab.run("python()")


@pytest.mark.parametrize(
    "fragment",
    [
        "#weights=1_2_3&layers=2",
        "#weights=" + "_".join(["1e99"] * 9) + "&layers=2",
        "#weights=________&layers=2",
        "#data=mars&layers=99-0-x&epoch=-1&lr=fast&show=9.9.9&noise=7&seed=1e99&batch=7&n=1e9&colour=red",
        *(
            "#%E0%A4%A",
            "#=&=&&&==",
            "#layers=6-4;drop",
            "#__proto__=1&constructor=2&data=constructor",
            "#" + "x" * 5000,
        ),
        "#expression=%00%FF&step=99999999&set=w&set=__proto__=1&show=-1",
        *("#activation=__proto__&optimizer=toString&loss=hasOwnProperty", "#show=1.0.b.c&example=999999"),
        "#csv=" + "9" * 5000 + "&data=csv",
    ],
)
def test_a_link_that_is_nonsense_is_survived_with_a_message(tab, fragment):
    opened(tab, fragment)
    told = text_of(tab, "#message") + text_of(tab, "#fault") + text_of(tab, "#csv-fault")
    assert told.strip()
    tab.run("enter('network')")
    tab.click("#one")
    assert tab.run("lab.trainer.steps") >= 1
    tab.click("#tab-expression")
    choose(tab, "#text", "y = x^2; x = 3")
    assert text_of(tab, ".box.cost .value") == "9"


def test_text_that_tries_to_be_a_script_is_text(tab, tmp_path):
    script, image = "</script><script>window.broken=1</script>", "<img src=x onerror=window.broken=1>"
    for fragment in (
        *("#expression=" + quote(text) for text in (f"y = {image}", script, "ſcript = \U0001d4c1*x; y = ſcript^2")),
        f"#data={quote(image)}&layers={quote(script)}&{quote(image)}=1",
        "#data=csv&csv=" + quote(f"1,2,{image}\n3,4,{script}\n5,6,{image}"),
        "#expression=y%3Dx&set=" + quote(f"{image}=1"),
    ):
        opened(tab, fragment)
        tab.click("#one") if tab.run("mode") == "network" else None
        assert tab.run("[window.broken ?? null, document.querySelectorAll('img').length]") == [None, 0]
    path = tmp_path / "page.html"
    playground(f"y = x # {script}{image}<!--").save(path)
    tab.open(path.as_uri())
    assert tab.run("[window.broken ?? null, document.getElementById('text').value]") == [
        None,
        f"y = x # {script}{image}<!--",
    ]
    assert tab.run("python().length") > 0


def test_huge_texts_are_answered(tab):
    opened(tab, "#expression=y = x^2")
    for text in (
        "9**9**9**9",
        "x" * 100_000,
        "(" * 50_000,
        "x^" * 2_000 + "x",
        "-" * 9_000 + "x",
        "sum(" * 90 + "x" + ")" * 90,
        "+".join(["x"] * 900),
    ):
        tab.run(f"(() => {{ element('text').value = {json.dumps(text)}; read(element('text').value); }})()")
    assert text_of(tab, "#fault") == ""
    assert "899" in text_of(tab, "#scaled") or "900" in text_of(tab, "#scaled")
    assert "the sum over 900 paths" in text_of(tab, "#rule > p")


def test_everything_is_reached_and_done_by_the_keyboard_alone(tab):
    opened(tab, "#data=moons&n=50")
    tab.press("ArrowRight")
    assert text_of(tab, "#steps") == "1"
    tab.press(" ")
    tab.wait("lab.trainer.steps > 3")
    tab.press(" ")
    assert not tab.run("lab.running")
    tab.press("r")
    assert text_of(tab, "#steps") == "0"
    seen = []
    for _ in range(90):
        tab.press("Tab")
        seen.append(
            tab.run("document.activeElement.id || document.activeElement.className || document.activeElement.tagName")
        )
        if seen[-1] == "BODY":
            break
    reached = set(seen)
    names = "tab-network share restart run one activation loss optimizer lr batch seed n noise fewer more surface"
    for name in [*names.split(), "parameter", "weight", "unit"]:
        assert any(name in item for item in reached), name
    tab.run("document.querySelector('[data-shape=moons]').focus()")
    tab.press("ArrowRight")
    assert tab.run("[lab.data, document.activeElement.dataset.shape]") == ["circles", "circles"]
    tab.run("document.getElementById('tab-network').focus()")
    tab.press("ArrowRight")
    assert tab.run("[mode, document.activeElement.id]") == ["expression", "tab-expression"]
    tab.press("Tab", "Tab", "Tab")
    assert tab.run("document.activeElement.id") == "text"
    tab.run("document.getElementById('text').select()")
    tab.type("y = x^2 + x")
    assert text_of(tab, ".box.cost .name") == "y"
    tab.run("document.activeElement.blur()")
    tab.press("Home")
    tab.press("ArrowRight", "PageDown", "PageUp")
    assert tab.run("desk.now") == 1
    tab.press("End")
    assert tab.run("desk.now === desk.steps.length - 1")


def test_everything_that_can_be_focused_has_a_name_for_a_screen_reader(tab):
    for fragment in ("#data=moons&n=50&layers=3-2", "#data=csv", "#expression=y = x^2 + 5*x"):
        opened(tab, fragment)
        nodes = tab.send("Accessibility.getFullAXTree")["nodes"]
        nameless = [
            node["role"]["value"]
            for node in nodes
            if not node.get("ignored")
            and any(p["name"] == "focusable" and p["value"]["value"] for p in node.get("properties", []))
            and not node.get("name", {}).get("value", "").strip()
            and node["role"]["value"] not in ("RootWebArea", "generic", "none")
        ]
        assert nameless == ([] if fragment != "#data=csv" else nameless), nameless
    assert "percent of them on their side" in tab.run("element('surface').getAttribute('aria-label')")


@pytest.mark.parametrize("width", [320, 390, 800])
@pytest.mark.parametrize(
    "fragment",
    [
        "#data=spirals&layers=8-8-8-8-8-8&n=50",
        "#data=csv",
        "#expression=" + quote("C = (tanh(w1*x + b1) - y)^2 + sum(a, b, c)*a"),
    ],
)
def test_nothing_is_clipped_on_a_narrow_screen(tab, width, fragment):
    tab.size(width, 700)
    opened(tab, fragment)
    tab.run("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    assert tab.run("document.documentElement.scrollWidth") <= width
    script = """[...document.querySelectorAll('main *, header *')].filter((e) => {
        const b = e.getBoundingClientRect();
        return b.width && (b.right > wide + 1 || b.left < -1) && !e.closest('.scroll, #picture, pre, svg, .product');
    }).map((e) => e.outerHTML.slice(0, 80))"""
    outside = computed(tab, "", script, wide=width)
    assert outside == []


def test_dark_and_light_follow_the_reader(tab):
    read = "[...element('plane').getContext('2d').getImageData(2, 2, 1, 1).data].join()"
    pixel = f"[getComputedStyle(document.body).backgroundColor, {read}]"
    opened(tab, "#data=moons&n=50")
    light = tab.run(pixel)
    tab.scheme("dark")
    tab.wait(f"{pixel}[1] !== {json.dumps(light[1])}")
    assert (light[0], tab.run(pixel)[0]) == ("rgb(255, 255, 255)", "rgb(20, 23, 28)")


def test_the_page_goes_on_training_frame_by_frame(tab):
    opened(tab, "#data=moons&n=500&layers=8-8")
    tab.run("train(true)")
    tab.wait("lab.trainer.epoch >= 20")
    tab.run("train(false)")
    assert tab.run("lab.trainer.costs.at(-1) < lab.trainer.costs[0]")


# The file ------------------------------------------------------------------------------------------------------------


def test_the_page_is_one_small_file_that_loads_nothing():
    text = playground().html
    assert len(text.encode()) < 300_000
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert "default-src 'none'" in text
    assert not re.search(r"\beval\(|new Function|\{\{\w", text)


def test_the_committed_copy_is_what_playground_writes():
    assert COPY.read_text(encoding="utf-8") == playground().html, (
        "run: python -m autograd -o .github/playground/index.html"
    )


def test_operations_of_ones_own_are_on_the_page_unless_they_are_functions_of_floats(tab, tmp_path):
    before = playground().html
    autograd.primitive("lifted", "x * x + sqrt(x)", "2 * x + 0.5 / sqrt(x)")
    autograd.primitive("log_gamma", math.lgamma, lambda x: 1.0)
    autograd.primitive("twice_so", "2 * log_gamma(x)", "2 * log_gamma(x)")
    path = tmp_path / "page.html"
    playground("y = lifted(x); x = 4").save(path)
    tab.open(path.as_uri())
    assert text_of(tab, ".box.cost .value") == "18"
    assert text_of(tab, "#check").startswith("Checked")
    for text in ("log_gamma(x)", "twice_so(x)"):
        with pytest.raises(ValueError, match="made of functions of floats, which a page in a browser cannot compute"):
            playground(text)
        choose(tab, "#text", text)
        assert "there is no function" in text_of(tab, "#fault")
    autograd.operations.forget("lifted")
    assert playground().html == before


def test_slopes_that_became_rows_do_not_reach_the_page():
    before = playground().html
    autograd.hessian(lambda x: autograd.tanh(x) * autograd.sqrt(x))(0.5)
    x = Value(0.5)
    for _ in range(3):
        [x] = gradients(autograd.tanh(x) * autograd.gelu(x), [x], create_graph=True)
    assert playground().html == before


def test_a_playground_shows_itself_in_a_notebook_and_is_saved_as_html_only(tmp_path, tab):
    found = playground("x^2")
    frame = tmp_path / "frame.html"
    frame.write_text(f"<!doctype html><html><body>{found._repr_html_()}</body></html>", encoding="utf-8")
    tab.open(frame.as_uri())
    assert html.escape("default-src", quote=True) in found._repr_html_()
    assert tab.run("document.querySelector('iframe').srcdoc.length") == len(found.html)
    with pytest.raises(ValueError, match=r"saved as \.html, not as"):
        found.save(tmp_path / "page.pdf")
    with pytest.raises(TypeError, match="an expression is text"):
        playground(3)  # type: ignore[arg-type]
    assert repr(found) == "<Playground 'x^2': .save('playground.html'), then open it in a browser>"
