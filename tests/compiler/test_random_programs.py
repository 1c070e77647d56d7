"""Random programs in every form against the eager engine; `python tests/compiler/forms.py` checks more of them.

Hypothesis draws the programs, so that what fails is made small before it is reported.
"""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from forms import check, run, run_trainings, table
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import KINDS, OWN, ROWS, Program, Ref, from_seed, program, shrunk
from trainings import fault, training

import autograd

BLOCK, SLOW_BLOCKS = 1000, 100


@pytest.mark.parametrize("kind", KINDS)
def test_a_random_program_is_the_eager_engine_in_every_form(kind):
    @settings(max_examples=25)
    @given(st.randoms(use_true_random=False))
    def draw(rng):
        drawn = program(rng, kind)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                drawn.evaluate(drawn.fresh(drawn.points[0]))
        except (ArithmeticError, ValueError):
            return
        wrong = [(form, what) for form, what in check(drawn) if what != "rounding"]
        assert not wrong, f"{wrong}\n{drawn}"

    draw()


@pytest.mark.parametrize("kind", KINDS)
def test_programs_of_fixed_seeds_are_the_eager_engine_in_every_form(kind):
    reports = []
    tried, wrong, rounding = run(40, 0, kinds=[kind], report=reports.append, most=1)
    assert not wrong, "\n".join(reports)
    assert rounding.total() < 0.05 * tried.total()


def test_programs_are_the_eager_engine_where_numpy_says_nothing_of_floating_point_errors(monkeypatch):
    monkeypatch.setattr("autograd.compiler.guards.SAYS_ERRORS", False)  # as in WebAssembly
    monkeypatch.setattr("autograd.compiler.program._STRICT", {"all": "ignore"})
    reports = []
    tried, wrong, rounding = run(60, 3_000_580, report=reports.append, most=1)
    assert not wrong, "\n".join(reports)
    assert rounding.total() < 0.05 * tried.total()


def test_training_is_the_same_compiled_and_eager():
    @settings(max_examples=30)
    @given(st.randoms(use_true_random=False))
    def draw(rng):
        case = training(rng)
        assert not fault(case), case

    draw()


@pytest.mark.slow
@pytest.mark.parametrize("block", range(SLOW_BLOCKS))
def test_a_hundred_thousand_programs(block):
    reports = []
    counts = run(BLOCK, 1_000_000 + block * BLOCK, report=reports.append, most=3)
    assert not counts[1], "\n".join([*reports, table(*counts)])
    assert counts[2].total() < 0.05 * counts[0].total()


@pytest.mark.slow
def test_three_thousand_trainings():
    reports = []
    counts = run_trainings(3000, 1_000_000, report=reports.append)
    assert not counts[1], "\n".join(reports)


# The net itself


def test_the_programs_hold_every_operation_of_the_table_and_own_ones():
    drawn = [from_seed(seed) for seed in range(3000)]
    used = {op for p in drawn for op, _ in p.steps}
    assert used >= {*ROWS, *OWN}
    assert {p.kind for p in drawn} == set(KINDS)
    constants = {x for p in drawn for _, operands in p.steps for x in operands if not isinstance(x, Ref)}
    assert {0.0, 1.0, float("inf"), float("-inf")} <= constants
    assert any(x != x for x in constants)


def test_programs_are_those_of_their_seed():
    assert [str(from_seed(seed)) for seed in range(30)] == [str(from_seed(seed)) for seed in range(30)]


FAULTS = {
    "none": (lambda value: value, lambda slope: slope),
    "value": (lambda value: value + 1e-9, lambda slope: slope),
    "negated value": (lambda value: -value, lambda slope: slope),
    "slope": (lambda value: value, lambda slope: slope * (1 + 1e-9)),
    "negated slope": (lambda value: value, lambda slope: -slope),
    "no slope": (lambda value: value, lambda slope: 0 * slope),
    "twice the slope": (lambda value: value, lambda slope: 2 * slope),
}


class Broken:
    """A compiled program with a fault; with "no error" it hides errors."""

    def __init__(self, program, fault):
        self.program, self.fault = program, fault

    def value_and_grad(self, *arguments):
        if self.fault == "no error":
            try:
                return self.program.value_and_grad(*arguments)
            except ArithmeticError:
                return (0.0, *[np.zeros(1)] * len(arguments))
        value, *slopes = self.program.value_and_grad(*arguments)
        change, change_slope = FAULTS[self.fault]
        return (change(value), *map(change_slope, slopes))

    def forward(self, *arguments):
        return FAULTS.get(self.fault, FAULTS["none"])[0](self.program.forward(*arguments))

    def __call__(self, *arguments):
        return FAULTS.get(self.fault, FAULTS["none"])[0](self.program(*arguments))

    def backward(self):
        return FAULTS.get(self.fault, FAULTS["none"])[0](self.program.backward())


def example(op="exp", constant=2.0):
    """exp(2 a) + b, run where a is so large that it overflows, too."""
    steps = (("mul", (constant, Ref(0))), (op, (Ref(2),)), ("add", (Ref(3), Ref(1))))
    points = ((0.5, 1.0), (1.0, 2.0), (500.0, 0.0), (0.25, 3.0))
    return Program(("a", "b"), ("input", "parameter"), steps, (Ref(4), Ref(4)), points)


def faults(program, fault):
    """The forms in which a compiler with a fault is found out."""
    return {form for form, _ in check(program, lambda *args, **named: Broken(autograd.compile(*args, **named), fault))}


def test_the_net_finds_nothing_where_nothing_is_wrong():
    assert not faults(example(), "none")


@pytest.mark.parametrize("fault", ["slope", "negated slope", "no slope", "twice the slope"])
def test_the_net_finds_a_wrong_gradient(fault):
    assert faults(example(), fault) >= {"graph", "batch", "function", "pickle"}


def test_the_net_finds_a_wrong_value():
    assert faults(example(), "value") >= {"graph", "batch", "roots", "function", "changed data", "pickle"}


def test_the_net_finds_an_error_that_is_not_raised():
    assert faults(example(), "no error") >= {"graph", "batch", "function"}


def test_the_net_finds_a_zero_of_the_other_sign():
    steps = (("mul", (0.0, Ref(0))), ("neg", (Ref(2),)), ("atan2", (Ref(3), 1.0)))
    assert "graph" in faults(replace(example(), steps=steps), "negated value")


def test_what_fails_is_made_small():
    seed = next(seed for seed in range(100) if any(op == "tanh" for op, _ in from_seed(seed, "vector").steps))
    small = shrunk(from_seed(seed, "vector"), lambda p: any(op == "tanh" for op, _ in p.steps))
    assert [op for op, _ in small.steps] == ["tanh"]
    assert len(small.labels) == len(small.roots) == 1
