"""Any label and any number is shown: labels as text, whatever they are written in; never 0 for what is not 0."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, draw, explain, nudge, paths, relu, tanh

SCRIPT = "\n\n<script>document.title = 'executed'</script>\n\n"
LABELS = [
    SCRIPT,
    "a\n<img src=x onerror=alert(1)>",
    "`" + SCRIPT,
    "$$",
    "a|b",
    "&lt;b&gt;",
    "\\",
    "*x*",
    "[a](b)",
    "  ",
]


def outside_of_mathematics(markdown):
    """What a Markdown reader takes for text: without `$$...$$` and `$...$`, which it leaves alone."""
    return re.sub(r"\$\$.*?\$\$|\$(?:\\.|[^$\n])*\$", "", markdown, flags=re.DOTALL)


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_text_wherever_it_is_shown(label):
    x, y = Value(1.5, label=label), Value(0.5, label="y")
    C = tanh(x * y + x) * y
    C.backward()
    for shown in (explain(C, x), paths(C, x), nudge(C, x), draw(C)):
        for kind, content in shown._repr_mimebundle_().items():
            if kind != "text/plain":
                assert "<script" not in content
                assert "<img src=x" not in content
                assert (
                    "onerror" not in re.sub(r"\\text\{[^}]*\}|&lt;[^<]*&gt;|<(?:title|desc)[^<]*", "", content) or kind
                )


@pytest.mark.parametrize("label", LABELS)
def test_markdown_of_any_label_is_mathematics_on_one_line(label):
    x = Value(1.5, label=label)
    y = Value(2.0, label="y")
    z = x * y
    z.label = "z"
    markdown = explain(tanh(z) ** 2, x).markdown
    assert "<" not in markdown
    assert "`" not in markdown
    assert "&lt;" not in markdown
    rest = outside_of_mathematics(markdown)
    assert rest.count("$") == 0
    for line in rest.splitlines():  # a table's rows have three cells
        assert not line.startswith("|") or line.count("|") == 4


@given(st.text(max_size=12))
def test_no_label_breaks_out_of_markdown(label):
    x = Value(1.5, label=label)
    C = tanh(2 * x) * x
    markdown = explain(C, x).markdown
    assert "<" not in markdown
    assert "\n\n\n" not in markdown
    assert outside_of_mathematics(markdown).count("$") == 0


def test_names_in_latex_do_not_run_together():
    weight, bias, x, slope = (Value(v, k) for v, k in ((0.5, "weight"), (0.1, "bias"), (2.0, "x"), (3.0, "slope")))
    loss = (slope * (weight * x + bias)) ** 2
    loss.label = "loss"
    latex = explain(loss, bias).latex + explain(loss, bias).markdown
    word = r"\\mathrm\{\w+\}"
    assert not re.search(rf"{word}\s*{word}|{word}\s*\(|\d\s*{word}|{word}\s*[a-z]\b", latex), latex
    assert r"\mathrm{slope} \, (\mathrm{weight} \, x + \mathrm{bias})" in latex


def test_accents_greek_letters_and_the_numbers_of_repeated_labels_are_set():
    y, alpha, first, second = (Value(2.0, label=label) for label in ("y_hat", "\\alpha", "z", "z"))
    C = y * alpha * first * second
    C.label = "C"
    assert explain(C, first).latex.splitlines()[1].endswith(r"&= \hat{y} \alpha {z}_{\#2} \\")
    page = paths(C, first)._repr_mimebundle_()["text/html"]
    assert "<i>z</i><sub>#1</sub>" in page
    assert "ŷ" in page
    assert "<i>α</i>" in page


def test_a_value_of_0_has_a_name_like_any_other():
    x = Value(0.0, label="x")
    f = 2 * x + 3
    f.label = "f"
    assert "x -> 2 x -> f" in str(paths(f, x))
    v, x = Value(2.0, label="v"), Value(-1.0, label="x")
    a = relu(v * x + 0.5)
    a.label = "a"
    C = (a - 1) ** 2
    C.label = "C"
    assert "v -> v x -> v x + 0.5 -> a -> a - 1 -> C" in str(paths(C, v))
    chain = x
    for i in range(20):
        chain = chain * 0.0
        chain.label = f"h_{i}"
    assert "h_0 -> h_1" in str(paths(chain, x))
    assert "h_18" in str(nudge(chain, x))


@pytest.mark.parametrize(("a", "b"), [(1e200, 1e-300), (1e-320, 1.0), (1e200, 1e100), (-5e-324, 3.0), (1e308, 1.0)])
def test_extreme_numbers_are_shown_as_what_they_are(a, b):
    x, y = Value(a, label="x"), Value(b, label="y")
    C = x * y
    C.label = "C"
    C.backward()
    [row] = re.findall(r"dC/dx = y = (\S+)|dC/dx = (\S+)", explain(C, x).text)[:1]
    assert float(next(filter(None, row))) == pytest.approx(b, rel=1e-4)
    assert float(str(paths(C, x)).split()[-1]) == pytest.approx(b, rel=1e-4)
    by = 1e-321 if abs(a) < 1 else a / 100
    assert nudge(C, x, by).rows[-1].derivative == pytest.approx(b, rel=1e-12)
    for shown in (explain(C, x), paths(C, x), nudge(C, x, by), draw(C)):
        assert shown._repr_mimebundle_()


def test_numbers_have_one_form_in_every_table():
    x, y = Value(1.5e-9, label="x"), Value(2.0, label="y")
    C = x * y
    C.label = "C"
    assert "C = x y = 3e-9" in explain(C, y).text
    assert "1.5e-9" in str(paths(C, y))
    assert "1.5 × 10<sup>−9</sup>" in html.unescape(paths(C, y)._repr_mimebundle_()["text/html"])
    assert r"1.5 \times 10^{-9}" in explain(C, y).latex
