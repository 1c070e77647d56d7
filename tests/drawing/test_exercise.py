"""Worksheets: answers are marked, the step that went wrong is named, and the page marks as Python does."""

import json
import math
import pathlib
import random
import re
import xml.etree.ElementTree as ET

import pytest
from browser import drive

from autograd import Value, exercise, exercises, gradients, relu, sqrt, tanh
from autograd.drawing.exercise import EXERCISE_LEVELS, typeset
from autograd.explaining.typography import plain_text


def neuron():
    """w a + b -> z -> a1 -> C, each with a label."""
    w, a, b, y = (Value(x, label=label) for x, label in ((0.5, "w"), (2.0, "a"), (0.1, "b"), (1.75, "y")))
    u = w * a
    u.label = "u"
    z = u + b
    z.label = "z"
    s = tanh(z)
    s.label = "s"
    e = s - y
    e.label = "e"
    C = e**2
    C.label = "C"
    return C, {value.label: value for value in (w, a, b, y, u, z, s, e)}


def diamond():
    """x -> p and q -> C, where x reaches the cost along three paths: 2 * 5 + 3 * 7 + 11."""
    x = Value(1.0, label="x")
    p, q = 2 * x, 3 * x
    p.label, q.label = "p", "q"
    r = 5 * p + 7 * q
    r.label = "r"
    C = r + 11 * x
    C.label = "C"
    return C


def remark(cost, **answers):
    marks = exercise(cost).check(answers)
    assert not any(marks.right.values())
    return marks.remarks[next(iter(answers))]


def test_the_gradients_are_right_and_other_answers_are_not():
    C, values = neuron()
    for label, value in values.items():
        [right] = gradients(C, [value])
        assert exercise(C).check({label: right}).right == {label: True}
        assert exercise(C).check({label: float(f"{right:.3g}")})  # three digits are enough
        assert not exercise(C).check({label: right * 1.02})


def test_a_forgotten_minus_is_named_with_the_factor_that_has_it():
    C, values = neuron()
    [right] = gradients(C, [values["w"]])
    assert "a minus is missing" in remark(C, w=-right)
    assert "dC/de = 2 e = -1.899 is negative" in remark(C, w=-right)


def test_a_missing_path_is_named():
    assert exercise(diamond()).answers["x"] == 42
    assert "The path over p is missing. x has 3 contributions, and they are added." in remark(diamond(), x=32)
    assert "A path is missing: the contribution over q alone is there" in remark(diamond(), x=21)


def test_assigning_in_place_of_adding_is_named():
    x = Value(3.0, label="x")
    C = x * x
    C.label = "C"
    assert exercise(C).answers == {"x": 6.0}
    assert "= in place of +=" in remark(C, x=3)


@pytest.mark.parametrize(
    ("label", "wrong", "says"),
    [
        ("w", lambda g: g / 2, "The factor du/dw = a = 2 is left out."),
        ("z", lambda g: g / 0.3592**2, "It is divided by the factor ds/dz = 1 - tanh(z)^2 = 0.3592"),
        ("s", lambda g: g / 2, "A 2 is missing in the factor dC/de = 2 e = -1.899."),
        ("z", lambda g: g / 0.3592 * 0.8005, "s = 0.8005 itself stands in place of its slope, the factor ds/dz"),
        ("a", lambda g: g / 0.5 * 2, "a = 2 stands in place of the factor du/da = w = 0.5."),
    ],
)
def test_a_wrong_factor_is_named(label, wrong, says):
    C, values = neuron()
    [right] = gradients(C, [values[label]])
    assert says in remark(C, **{label: wrong(right)})


def test_a_2_is_missing_only_where_a_rule_has_one():
    x, w = Value(1.5, label="x"), Value(0.5, label="w")
    C = (x * w).tanh() ** 2
    C.label = "C"
    for label in ("w", "x", "u_1"):
        assert "A 2 is missing in the factor du" not in remark(C, **{label: exercise(C).answers[label] / 2})
    assert "A 2 is missing in the factor dC/du_2 = 2 u_2" in remark(C, u_1=exercise(C).answers["u_1"] / 2)
    assert "A 2 is missing" not in remark(12 * w**2 * x, x=exercise(12 * w**2 * x).answers["x"] / 2)  # the rule is u_2


def test_an_answer_that_follows_from_a_wrong_one_is_not_blamed():
    C, _ = neuron()
    marks = exercise(C).check({"w": 7.0, "z": 3.5})
    assert marks.remarks["w"] == "This follows from the answer for z, which is not right; the step itself is."
    assert marks.remarks["z"].startswith("It is dC/dz = ")


def test_an_answer_that_fits_no_mistake_gets_the_chain_rule():
    C, _ = neuron()
    assert remark(C, w=123.0) == "It is dC/dw = du/dw * dz/du * ds/dz * de/ds * dC/de."


@pytest.mark.parametrize("level", EXERCISE_LEVELS)
def test_every_mistake_that_is_listed_is_recognised_and_wrong(level):
    for made in exercises(level, 3, seed=7):
        assert made.check(made.answers)
        for label in made.answers:
            found = made.mistakes(label)
            assert len(found) > 3
            for mistake in found:
                marks = made.check({label: mistake.answer})
                assert not marks.right[label]
                assert marks.remarks[label] == mistake.remark


def test_marks_print_as_a_table_and_in_a_notebook():
    C, _ = neuron()
    marks = exercise(C).check({"b": 0.0, "y": 1.899})
    assert str(marks).splitlines()[0].split() == ["answer", "mark", "remark"]
    assert "1 of 2 right" in marks._repr_mimebundle_()["text/html"]
    assert not marks


def test_the_sheet_gives_nothing_away_and_the_solution_everything():
    C, _ = neuron()
    made = exercise(C)
    assert "grad −1.364" not in made.sheet.svg
    assert "0.3591" not in made.sheet.svg
    assert "0.3592" in made.solution.svg
    for picture in (made.sheet, made.solution):
        ET.fromstring(picture.svg)


def test_the_graph_itself_is_left_alone_and_its_leaves_are_read_anew():
    C, values = neuron()
    values["w"].data = -1.0
    made = exercise(C)
    assert (C.grad, values["w"].grad, C.data) == (0.0, 0.0, pytest.approx(0.9016, abs=1e-3))
    fresh = (tanh(Value(-1.0) * 2.0 + 0.1) - 1.75) ** 2
    assert made.cost.data == fresh.data


def test_values_without_a_label_or_with_a_common_one_get_names_of_their_own():
    x, z = Value(2.0), Value(3.0, label="u_1")
    a, b = tanh(x * z), relu(z)
    a.label = b.label = "a"
    made = exercise(a * b)
    assert made.cost.label == "C"
    assert set(made.answers) == {"a#1", "a#2", "u_1", "u_2", "u_3"}


def test_of_a_large_graph_the_seed_decides_what_is_asked():
    total = Value(1.0, label="x")
    for _ in range(20):
        total = tanh(total)
    asked = [list(exercise(total, seed).answers) for seed in (0, 0, 1)]
    assert len(asked[0]) == 12
    assert asked[0] == asked[1] != asked[2]


def test_what_cannot_be_asked_is_refused():
    x = Value(1.0, label="x")
    with pytest.raises(TypeError, match="exercise takes a Value"):
        exercise(3.0)
    with pytest.raises(TypeError, match="seed is an int"):
        exercise(x * x, seed="a")
    with pytest.raises(ValueError, match="no gradient to ask for"):
        exercise(x)
    long = x
    for _ in range(100):
        long = long + x
    with pytest.raises(ValueError, match="room for 60 values"):
        exercise(long)
    made = exercise(x * x)
    with pytest.raises(ValueError, match="'y' is not asked for; the names are x"):
        made.check({"y": 1.0})
    with pytest.raises(TypeError, match="one real number"):
        made.check({"x": "six"})
    with pytest.raises(TypeError, match="gradients by name"):
        made.check([6.0])


# Made up by level


def test_the_same_seed_makes_the_same_exercises():
    for level in EXERCISE_LEVELS:
        one, two, other = (exercises(level, 3, seed) for seed in (4, 4, 5))
        assert [made.answers for made in one] == [made.answers for made in two]
        assert [made.answers for made in one] != [made.answers for made in other]
        assert len(one) == 3


@pytest.mark.parametrize("level", EXERCISE_LEVELS)
def test_the_levels_are_what_they_say(level):
    for made in exercises(level, 60, seed=7):
        nodes = order(made)
        edges = [x for node in nodes for x in node.parents]
        ways = {made.cost: 1}  # how many paths lead from a value to the cost
        for node in reversed(nodes):
            for x in node.parents:
                ways[x] = ways.get(x, 0) + ways[node]
        if level == "chain":  # one factor after the other: nothing is added
            assert set(ways.values()) == {1}
        if level == "shared":
            assert max(map(edges.count, edges)) >= 2
        if level == "paths":
            assert max(n for x, n in ways.items() if not x.op) >= 2
        sums = [node for node in nodes if node.op == "weighted_sum"]
        if level in ("neuron", "layers"):
            assert len(sums) == 1
        if level == "neuron":
            assert not any(x.op for x in sums[0].parents)
        if level == "layers":
            assert sum(bool(x.op) for x in sums[0].parents) == 2


def order(made):
    from autograd.core.graph import topological_order

    return topological_order(made.cost)


def test_a_level_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="level is one of 'chain'"):
        exercises("hard")
    with pytest.raises(ValueError, match="at least 1"):
        exercises("chain", 0)
    with pytest.raises(TypeError, match="n is an int"):
        exercises("chain", 2.5)


def test_sheet_and_answer_key_leave_as_files(tmp_path):
    pytest.importorskip("vl_convert")
    made = exercises("neuron", 2)
    for picture in (made.sheet, made.solution):
        ET.fromstring(picture.svg)
    assert pathlib.Path(made.solution.save(tmp_path / "key.pdf")).read_bytes()[:5] == b"%PDF-"
    assert pathlib.Path(made.sheet.save(tmp_path / "sheet.png")).read_bytes()[:4] == b"\x89PNG"


# The page


def typed(answers):
    """A script that types answers as a student does, and reads the marks."""
    return f"""
      for (const [name, text] of {json.dumps(list(answers.items())).replace("<", chr(92) + "u003c")}) {{
        const i = fields.findIndex((field) => field.name === name);
        inputs[i].focus();
        inputs[i].value = text;
        inputs[i].dispatchEvent(new Event('change'));
      }}
      return {{
        marks: Object.fromEntries(fields.map((field, i) => [field.name, document.getElementById('m' + i).textContent])),
        score: document.getElementById('score').textContent,
        invalid: inputs.map((input) => input.getAttribute('aria-invalid')),
      }};"""


def test_remarks_set_names_as_the_drawing_does():
    a, u = Value(2.0, label="a"), Value(3.0, label="w_1")
    cost = (a * u + 1) ** 2
    cost.label = "C"
    made = exercise(cost)
    marks = made.check({"w_1": 14.0 / 2})
    assert "dw_1" in made.hint("w_1") or "/dw_1" in made.hint("w_1")
    page = marks._repr_mimebundle_()["text/html"]
    assert "w_1" not in page
    assert "w_1" in str(marks)
    told = typeset("A 2 is a factor of du_1/da and z_1^2", ["a", "u_1", "z_1"])
    assert [run.text for run in told if run.style == "i"] == ["u", "a", "z"]  # not the article
    assert [run.text for run in told if run.level] == ["1", "1"]
    assert plain_text(told).replace("_", "") == "A 2 is a factor of du1/da and z1^2"


def test_the_page_marks_as_python_does():
    made = exercises("paths", 1, seed=3)[0]
    rng = random.Random(0)
    answers, expected = {}, {}
    for label in made.answers:
        mistake = rng.choice([None, *made.mistakes(label)[:8]])
        answers[label] = made.answers[label] if mistake is None else mistake.answer
    expected = made.check(answers)
    seen = drive(made.html, typed({label: repr(x) for label, x in answers.items()}))
    bare = lambda remark: re.sub("[_^]", "", remark)  # the page sets indices low, and marks by Python's words  # noqa: E731
    for label, right in expected.right.items():
        assert bare(seen["marks"][label]) == ("right" if right else bare(expected.remarks[label]))
    assert seen["score"] == f"{sum(expected.right.values())} of {len(made.answers)} right"


def test_the_page_reads_products_quotients_and_signs_of_other_keyboards():
    x = Value(3.0, label="x")
    C = x * x
    C.label = "C"
    for text in ("6", "2*3", "−6/−1", "6,0", "0.6e1", "2 × 3"):
        assert drive(exercise(C).html, typed({"x": text}))["marks"] == {"x": "right"}, text
    assert drive(exercise(C).html, typed({"x": "six"}))["marks"] == {"x": "This is not a number."}


TEXTS = "1/0 -1/0 0/0 inf -inf Infinity 1e999 -1e999 nan NaN 6 6,0 6.04 6.03 -6 12/2 12/-2 12/ 0x6 1e-3 6e0 ∞".split()


@pytest.mark.parametrize("x", [3.0, -3.0, 0.0])
def test_a_text_is_marked_as_python_marks_the_number_that_it_is(x):
    def number(text):
        first, _, second = text.replace(",", ".").replace("∞", "inf").partition("/")
        try:
            above, below = float(first), float(second) if "/" in text else 1.0
            return above / below if below else above * math.inf
        except ValueError:
            return math.nan

    leaf = Value(x, label="x")
    C = leaf * leaf
    made = exercise(C)
    pairs = [(text, made.check({"x": number(text)}).right["x"]) for text in TEXTS]
    script = "return %s.map((text) => { inputs[0].value = text; mark(); return inputs[0].closest('tr').className; });"
    seen = drive(made.html, script % json.dumps([*TEXTS, "", "  "]))
    assert seen == ["right" if good else "wrong" for _, good in pairs] + ["", ""]


def test_a_gradient_that_is_not_finite_is_answered_by_itself_alone():
    x = Value(0.0, label="x")
    made = exercise(2 * sqrt(x))
    assert made.answers["x"] == math.inf
    for text, mark in (("inf", "right"), ("1/0", "right"), ("-inf", "This is not finite."), ("7", "Not this.")):
        assert drive(made.html, typed({"x": text}))["marks"]["x"] == mark, text


def test_the_page_needs_no_network_and_no_mouse():
    C, _ = neuron()
    page = exercise(C).html
    assert "default-src 'none'" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    seen = drive(
        page,
        """inputs[0].focus();
        inputs[0].dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
        return [document.activeElement.id, inputs.every((input) => input.labels.length === 1),
                document.querySelectorAll('[role=status]').length];""",
    )
    assert seen == ["x1", True, 9]


def test_a_label_is_text_on_the_page():
    x = Value(3.0, label="<script>alert(1)</script>")
    y = Value(2.0, label="\\n'\"`")
    made = exercise(x * y + x)
    assert "<script>alert" not in made.html
    assert drive(made.html, typed({x.label: "3"}))["marks"][x.label] == "right"


def test_the_page_is_saved_whole(tmp_path):
    C, _ = neuron()
    path = exercise(C).save(tmp_path / "sheet.html")
    assert pathlib.Path(path).read_text(encoding="utf-8") == exercise(C).html
    with pytest.raises(ValueError, match="saved as"):
        exercise(C).save(tmp_path / "sheet.doc")


def test_a_hint_goes_to_the_first_field_that_is_not_right_unless_the_reader_is_in_one():
    made = exercise(neuron()[0])
    names = list(made.answers)
    told = drive(
        made.html,
        """
        const hint = document.getElementById("hint");
        const marks = () => fields.map((_, i) => document.getElementById(`m${i}`).textContent);
        const type = (i, x) => {
          inputs[i].focus();
          inputs[i].value = x;
          inputs[i].dispatchEvent(new Event("change"));
        };
        const hinted = () => {
          document.activeElement.blur();
          hint.click();
          return [fields[inputs.indexOf(document.activeElement)].name, marks()];
        };
        const told = [];
        inputs[0].value = fields[0].answer;
        told.push(hinted());
        type(1, fields[1].answer);
        told.push(hinted());
        type(3, "999");
        told.push(hinted());
        fields.forEach((field, i) => type(i, field.answer));
        hint.click();
        return [...told, marks()];
        """,
    )
    assert [name for name, _ in told[:3]] == [names[1], names[2], names[3]]
    assert [marks[0] for _, marks in told[:3]] == ["right"] * 3
    assert told[1][1][1] == "right"
    assert told[3] == ["right"] * len(names)
