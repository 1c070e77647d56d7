import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.explaining.typography import Run, name, plain_text, printable, quantity, significant, width


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (2.0, "2"),
        (-0.41421356, "−0.4142"),
        (0.1 + 0.2, "0.3"),
        (1e-9, "1e−9"),
        (-1.23456e-12, "−1.235e−12"),
        (0.00012345, "0.0001234"),
        (9999.96, "10000"),
        (123456.7, "123457"),
        (999999.7, "1e6"),
        (1234567.0, "1.235e6"),
        (float("inf"), "∞"),
        (float("-inf"), "−∞"),
        (float("nan"), "nan"),
    ],
)
def test_numbers_have_significant_digits(x, text):
    assert significant(x) == text


@given(st.floats(-1e300, 1e300))
def test_a_number_that_is_not_zero_is_never_shown_as_zero(x):
    shown = float(significant(x).replace("−", "-"))
    assert shown == pytest.approx(x, rel=5.1e-4)
    assert (shown == 0) == (x == 0)


def test_a_small_number_has_its_power_of_ten_raised():
    assert quantity(1.5e-9) == (Run("1.5 × 10"), Run("−9", "", 1))


@pytest.mark.parametrize(
    ("label", "runs"),
    [
        ("w", (Run("w", "i"),)),
        ("w_jk^(l)", (Run("w", "i"), Run("jk", "i", -1), Run("(l)", "", 1))),
        ("z_1,12^(2)", (Run("z", "i"), Run("1,12", "", -1), Run("(2)", "", 1))),
        ("b_3", (Run("b", "i"), Run("3", "", -1))),
        ("a1", (Run("a", "i"), Run("1", "", -1))),
        ("theta_0", (Run("θ", "i"), Run("0", "", -1))),
        ("cost", (Run("cost"),)),
        ("a label, with words", (Run("a label, with words"),)),
    ],
)
def test_labels_are_set_as_the_textbook_sets_them(label, runs):
    assert name(label) == runs


def test_a_text_without_typography_keeps_its_indices():
    assert plain_text(name("w_jk^(l)")) == "w_jk^(l)"
    assert plain_text(quantity(1e-9)) == "1 × 10^−9"


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\ud800", "\x85", "\uffff"])
def test_what_xml_cannot_hold_is_shown_as_a_replacement_mark(character):
    assert printable(f"a{character}b") == "a\ufffdb"


def test_other_scripts_line_breaks_and_private_characters_are_kept():
    assert printable("é∂𝛼\n\t\ue000") == "é∂𝛼\n\t\ue000"


def test_small_letters_take_less_room_than_capitals_and_indices_less_than_either():
    small, capital, index = (width([run], 20) for run in (Run("n"), Run("N"), Run("n", "", -1)))
    assert index < small < capital
