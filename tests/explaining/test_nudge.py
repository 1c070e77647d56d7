"""A nudge: the graph replayed with one value moved, against calling the function again; its table and its pictures."""

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, exp, gradients, log, nudge, relu, sqrt, sum, tanh, weighted_sum
from autograd.core.table import TABLE
from autograd.core.value import OPERATIONS
from autograd.drawing.numberlines import ticks


def f(x, y):
    return tanh(x * y + 0.5) / (1 + exp(-x)) + weighted_sum([x, y, 2.0], [y, 3.0, x], 0.1)


@given(st.floats(-2, 2), st.floats(-2, 2), st.sampled_from([1.0, -0.5, 0.01, 1e-5]))
def test_the_replay_gives_what_calling_the_function_again_gives(x, y, by):
    leaf, other = Value(x, label="x"), Value(y, label="y")
    cost = f(leaf, other)
    rows = nudge(cost, leaf, by).rows
    assert rows[0].after == x + by
    assert rows[-1].before == cost.data
    assert rows[-1].after == f(Value(x + by), y).data
    assert rows[-1].ratio == (rows[-1].after - rows[-1].before) / by
    assert rows[-1].derivative == pytest.approx(gradients(cost, [leaf])[0], rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("name", TABLE)
def test_every_operation_is_replayed(name):
    row = TABLE[name]
    values = [[Value(0.4), Value(0.3)] if x in row.lists else Value(0.5 + 0.1 * k) for k, x in enumerate(row.operands)]
    if name == "acosh":
        values = [Value(1.5)]
    cost = OPERATIONS[name](*values)
    for leaf in dict.fromkeys(cost.parents):
        before = leaf.data
        row = nudge(cost, leaf, 1e-3).rows[-1]
        leaf.data = before + 1e-3
        assert row.after == float(OPERATIONS[name](*values))
        leaf.data = before


def test_the_users_code_is_not_called_again():
    calls = []

    def counted(x):
        calls.append(x)
        return x * x

    x = Value(3.0)
    cost = counted(x)
    moved = nudge(cost, x, 0.5)
    moved.sweep()
    assert len(calls) == 1
    assert moved.rows[-1].after == 12.25


def test_only_quantities_on_the_way_are_listed_those_without_a_label_by_formula():
    x, y = Value(0.5, label="x"), Value(2.0, label="y")
    aside = tanh(y)
    aside.label = "aside"
    z = x * y
    z.label = "z"
    cost = tanh(z) * aside
    assert [row.name for row in nudge(cost, x).rows] == ["x", "z", "tanh(z)", "C"]


def test_the_derivative_of_each_quantity_is_with_respect_to_the_nudged_value():
    x = Value(3.0, label="x")
    u = x**2
    u.label = "u"
    v = u * x
    v.label = "v"
    assert [row.derivative for row in nudge(v, x).rows] == [1.0, 6.0, 27.0]


def test_an_inner_value_is_moved_as_if_it_were_a_leaf():
    x = Value(3.0, label="x")
    u = x**2
    u.label = "u"
    rows = nudge(u * u, u, 1.0).rows
    assert (rows[0].before, rows[0].after) == (9.0, 10.0)
    assert (rows[-1].after, rows[-1].derivative) == (100.0, 18.0)
    assert u.data == 9.0


def test_nothing_in_the_graph_changes():
    x = Value(3.0)
    cost = x * x
    cost.backward()
    nudge(cost, x, 1.0)
    assert (x.data, cost.data, x.grad, cost.grad) == (3.0, 9.0, 6.0, 1.0)


def test_a_leaf_that_was_assigned_is_taken_at_its_present_data():
    x = Value(3.0)
    cost = x * x
    x.data = 5.0
    row = nudge(cost, x, 1.0).rows[-1]
    assert (row.before, row.after, row.derivative) == (25.0, 36.0, 10.0)


def test_a_value_that_is_not_on_the_way_moves_nothing():
    x, y = Value(3.0, label="x"), Value(1.0, label="y")
    rows = nudge(x * x, y).rows
    assert [row.change for row in rows] == [pytest.approx(0.01), 0.0]
    assert rows[-1].derivative == 0.0


def test_a_kink_shows_in_the_ratio():
    x = Value(-0.005, label="x")
    row = nudge(relu(x), x, 0.01).rows[-1]
    assert row.ratio == pytest.approx(0.5)
    assert row.derivative == 0.0


def test_the_sweep_has_truncation_at_one_end_and_rounding_at_the_other():
    x = Value(0.7, label="x")
    sweep = nudge(exp(x), x).sweep()
    assert [step.by for step in sweep.rows] == [10.0**-k for k in range(13)]
    for step in sweep.rows[:6]:
        assert step.error == pytest.approx(math.exp(0.7) * step.by / 2, rel=0.5)  # h f'' / 2
    assert 1e-10 < sweep.best.by < 1e-6
    assert sweep.rows[-1].error > 100 * sweep.best.error
    assert "<- closest" in str(sweep)


def test_a_sweep_survives_leaving_the_domain():
    x = Value(0.5, label="x")
    sweep = nudge(log(x), x, -0.01).sweep()
    assert math.isnan(sweep.rows[0].ratio)
    assert "outside the domain" in str(sweep)
    assert not math.isnan(sweep.best.error)


def test_a_nudge_out_of_the_domain_is_an_error_that_names_value_and_operation():
    x = Value(0.5, label="x")
    with pytest.raises(
        ValueError, match=r"x cannot be nudged from 0\.5 by -1\.0: then log is not defined at x = -0\.5"
    ):
        nudge(log(x), x, -1)
    y = Value(0.5, label="y")
    with pytest.raises(ZeroDivisionError, match="div divides by zero"):
        nudge(1 / y, y, -0.5)


@pytest.mark.parametrize("by", [0, math.inf, math.nan])
def test_a_nudge_of_zero_or_without_size_is_refused(by):
    x = Value(1.0)
    with pytest.raises(ValueError, match="how far the value is moved"):
        nudge(x * x, x, by)


def test_arguments_of_other_types_are_refused():
    x = Value(1.0)
    with pytest.raises(TypeError, match="one real number"):
        nudge(x * x, x, "much")
    with pytest.raises(TypeError, match="takes two Values of one graph"):
        nudge(x * x, "x")


def test_the_table_to_the_letter():
    x = Value(3.0, label="x")
    u = x * x
    u.label = "u"
    C = 2 * u
    C.label = "C"
    assert str(nudge(C, x, 0.5)) == (
        "x is nudged by 0.5, from 3 to 3.5\n"
        "\n"
        "quantity  before  after  change  ratio  derivative\n"
        "x              3    3.5     0.5      1           1\n"
        "u              9  12.25    3.25    6.5           6\n"
        "C             18   24.5     6.5     13          12"
    )


# Pictures


def moved():
    x, y = Value(0.5, label="w_<1>"), Value(2.0, label="y")
    z = x * y
    z.label = "z^(2)"
    return nudge(tanh(z) - 3 * z, x)


def test_the_number_lines_are_well_formed_titled_and_the_same_every_time():
    svg = moved().svg
    assert svg == moved().svg
    root = ET.fromstring(svg)
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert root.findtext(f"{space}title") == "w_<1> is nudged by 0.01, from 0.5 to 0.51"
    assert "z^(2) goes from 1 to 1.02" in root.findtext(f"{space}desc")
    assert "prefers-color-scheme:dark" in svg
    assert "currentColor" not in svg


def test_arrow_lengths_are_the_ratios():
    x = Value(1.0, label="x")
    u = 3 * x
    u.label = "u"
    root = ET.fromstring(nudge(-2 * u, x).svg)
    dots = [float(dot.get("cx")) for dot in root.iter("{http://www.w3.org/2000/svg}circle")]
    lengths = [after - before for before, after in zip(dots[::2], dots[1::2])]
    assert lengths[1] / lengths[0] == pytest.approx(3, abs=0.01)
    assert lengths[2] / lengths[0] == pytest.approx(-6, abs=0.01)


def test_a_long_way_is_shown_in_part():
    h = x = Value(0.5, label="x")
    for i in range(50):
        h = h * 1.01
        h.label = f"h_{i}"
    result = nudge(h, x)
    assert len(result.rows) == 51
    assert "..." in str(result)
    assert len(str(result).splitlines()) < 20
    ET.fromstring(result.svg)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.5, 2.5, ["0", "1", "2"]),
        (0.991, 1.009, ["0.995", "1.000", "1.005"]),
        (-3e5, 3e5, ["−200000", "0", "200000"]),
    ],
)
def test_ticks_are_round_numbers_that_can_be_told_apart(low, high, expected):
    assert [words for _, words in ticks(low, high)] == expected


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_there_are_always_a_few_ticks_between_the_ends(low, size):
    marks = ticks(low, low + size)
    assert 2 <= len(marks) <= 9
    assert all(low - 1e-9 * size <= x <= low + size * (1 + 1e-9) for x, _ in marks)


def test_notebooks_get_an_image_a_table_and_text():
    bundle = moved()._repr_mimebundle_()
    assert bundle["text/html"].startswith('<img src="data:image/svg+xml;base64,')
    assert "<table>" in bundle["text/html"]
    assert "w_<1>" not in bundle["text/html"]
    curve = nudge(exp(Value(1.0)), Value(1.0)).sweep()._repr_mimebundle_()
    ET.fromstring(curve["image/svg+xml"])


def test_pictures_of_extreme_numbers_are_well_formed():
    x = Value(1e300, label="x")
    ET.fromstring(nudge(x * 1e-300, x, 1e299).svg)
    tiny = Value(1e-300, label="x")
    ET.fromstring(nudge(sqrt(tiny) * 1e-160, tiny, 1e-301).svg)
    ET.fromstring(nudge(sum([tiny, 1.0]), tiny, 1e-301).svg)
