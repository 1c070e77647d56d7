"""Kernels and passes: what a program is before and after each, and that each leaves it the same program."""

import inspect
import math
import pathlib
import random
import warnings
from dataclasses import replace

import numpy as np
import pytest
from forms import check
from programs import from_seed
from stages import at_fault, plain

import autograd
from autograd import Value, gradients, softmax
from autograd.compiler import passes
from autograd.compiler.calls import single_calls
from autograd.compiler.kernels import Kernel
from autograd.compiler.loops import renamed
from autograd.compiler.terms import Buffer, Term, View, expand, shape_of, total, whole
from nn import MLP, cross_entropy, squared_error


def values(n, start=0.3):
    return [Value(start + 0.1 * k, f"w_{k}") for k in range(n)]


def calls(code, *changes):
    """How many calls a program takes after some passes."""
    for change in changes:
        code = change(code)
    code = single_calls(code)
    return len(code.forward) + len(code.backward)


def ops(x):
    """The names of all operations in a term."""
    return [x.op, *(op for arg in x.args for op in ops(arg))] if isinstance(x, Term) else []


def numbers(x):
    """All constants in a term."""
    return [x] if isinstance(x, float) else [c for arg in x.args for c in numbers(arg)] if isinstance(x, Term) else []


def network(n_examples=0):
    model = MLP(4, [6, 3], "tanh", seed=0)
    rng = random.Random(0)
    if not n_examples:
        x, y = [Value(0.5, f"x_{k}") for k in range(4)], [Value(0.3, f"y_{k}") for k in range(3)]
        return cross_entropy(model(x), y), model.parameters(), [*x, *y]
    rows = [[rng.gauss(0, 1) for _ in range(4)] for _ in range(n_examples)]
    cost = autograd.mean([squared_error(model(row), [0.1, 0.2, 0.3]) for row in rows])
    return cost + 0.01 * sum(p * p for p in model.parameters()), model.parameters(), []


# Terms


def test_a_view_knows_its_places():
    buffer = Buffer(30)
    assert np.arange(30)[View(buffer, 4, (2, 3), (6, 2)).places].tolist() == [4, 6, 8, 10, 12, 14]
    assert np.arange(30)[whole(buffer, (2, 5), 10).places].tolist() == list(range(10, 20))
    assert View(buffer, 3, (4,), (0,)).size == 1
    assert whole(buffer, (2, 5), 10).is_whole
    assert not View(buffer, 0, (5, 2), (1, 5)).is_whole


def test_a_sum_counts_what_serves_many_as_often():
    buffer = Buffer(5)
    one, row = View(buffer, 0, (3, 4), (0, 0)), View(buffer, 0, (3, 4), (0, 1))
    assert ops(total(one, (0, 1), (3, 4))) == ["sum", "multiply"]
    assert total(2.0, (0,), (7,)) == Term("multiply", (2.0, 7.0))
    assert shape_of(total(row, (0,), (3, 4))) == ((4,), False)


# The plain program


def test_the_plain_way_back_clears_all_gradients_and_then_only_adds():
    for cost, wrt, inputs in (network(), network(5)):
        code = plain(cost, wrt, inputs)
        fills = [kernel for kernel in code.backward if kernel.term == 0.0]
        assert {kernel.out.buffer for kernel in fills} == {buffer for buffer in code.slopes if buffer.size}
        assert all(kernel.add for kernel in code.backward if kernel not in fills)


def test_a_forward_kernel_writes_each_place_once():
    code = plain(*network(5)[:2])
    count = np.zeros(code.values[0].size)
    for kernel in code.forward:
        if kernel.out.buffer is code.values[0] and not kernel.add:
            count[kernel.out.places] += 1
    assert count.max() == 1


def test_the_transpose_of_a_gather_is_a_scatter_and_that_of_a_broadcast_a_sum():
    w = values(6)
    picked = plain(autograd.sum([w[k].tanh() for k in (3, 1, 4, 1, 5)]), w)
    assert any(kernel.at is not None for kernel in picked.backward)
    broadcast = plain(autograd.sum([w[0] * x for x in w[1:]]), w)
    assert any("sum" in ops(kernel.term) for kernel in broadcast.backward if kernel.out.start == 0)


def test_softmaxes_over_lists_of_different_lengths_gather_and_scatter_once():
    rng = random.Random(1)
    q, k, v = ([[Value(rng.gauss(0, 1)) for _ in range(3)] for _ in range(6)] for _ in range(3))
    rows = []
    for i in range(6):  # each word attends to those before it
        scores = [autograd.sum(x * y for x, y in zip(q[i], k[j])) * 0.5 for j in range(i + 1)]
        weights = autograd.softmax(scores)
        rows.append([autograd.sum(w * v[j][c] for j, w in enumerate(weights)) for c in range(3)])
    cost, wrt = autograd.sum([x**2 for row in rows for x in row]), [x for row in (*q, *k, *v) for x in row]
    code = plain(cost, wrt)
    assert sum("take" in ops(kernel.term) for kernel in code.forward) == 1
    assert sum(kernel.at is not None for kernel in code.backward) == 1
    for chosen in ((), passes.PASSES):
        with passes.only(*chosen):
            value, slope = autograd.compile(cost, wrt=wrt).value_and_grad()
        assert math.isclose(value, cost.data, rel_tol=1e-13)
        assert np.allclose(slope, gradients(cost, wrt), rtol=1e-12, atol=1e-14)


def test_constants_and_what_depends_on_no_parameter_get_no_gradient():
    w, free = values(8), [Value(0.1 * k) for k in range(8)]
    code = plain(autograd.sum([x.exp() * y.tanh() for x, y in zip(w, free)]), w)
    written = np.zeros(code.slopes[0].size, bool)
    for kernel in code.backward:
        if kernel.term != 0.0:
            written[kernel.out.places] = True
    assert written[:8].all()
    assert not written[8:16].any()


# Each pass alone


@pytest.mark.parametrize("alone", passes.PASSES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("n_examples", [0, 5])
def test_a_pass_alone_leaves_value_and_gradient(alone, n_examples):
    cost, wrt, inputs = network(n_examples)
    with passes.only(alone):
        value, slope = autograd.compile(cost, wrt=wrt, inputs=inputs).value_and_grad()
    assert math.isclose(value, cost.data, rel_tol=1e-12)
    assert np.allclose(slope, gradients(cost, wrt), rtol=1e-12, atol=1e-14)


CHOICES = {"none": (), **{change.__name__: (change,) for change in passes.PASSES}, "all": passes.PASSES}


def wrong_with(chosen, seeds):
    """What is wrong with the random programs of some seeds if they are compiled with these passes alone."""
    wrong = []
    for seed in seeds:
        program = from_seed(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                program.evaluate(program.fresh(program.points[0]))
            except (ArithmeticError, ValueError):
                continue
        with passes.only(*chosen):
            found = check(program, forms=["graph", "batch"])
        wrong += [(seed, form, what) for form, what in found if what != "rounding"]
    return wrong


@pytest.mark.parametrize("name", CHOICES)
def test_random_programs_without_passes_with_each_alone_and_with_all(name):
    start = 20 * list(CHOICES).index(name)
    assert not wrong_with(CHOICES[name], range(start, start + 8))


@pytest.mark.slow
@pytest.mark.parametrize("name", CHOICES)
def test_four_hundred_random_programs_without_passes_with_each_alone_and_with_all(name):
    assert not wrong_with(CHOICES[name], range(1_000_000, 1_000_400))


def test_all_passes_together_save_most_calls():
    for cost, wrt, inputs in (network(), network(5)):
        code = plain(cost, wrt, inputs)
        assert calls(code, *passes.PASSES) < 0.75 * calls(code)


def test_powers_of_small_whole_numbers_are_products():
    w = values(5)
    code = passes.powers(plain(autograd.sum([x**2 + x**3 + x**-1 + x**0.5 for x in w]), w))
    assert not any("power" in ops(kernel.term) for kernel in code.forward)
    kept = passes.powers(plain(autograd.sum([x**2.5 for x in w]), w))
    assert any("power" in ops(kernel.term) for kernel in kept.forward)


def test_both_contributions_of_a_square_are_one():
    w = values(6)
    code = plain(autograd.sum([x.tanh() * x.tanh() for x in w]), w)
    assert len(passes.doubled(code).backward) == len(code.backward) - 1


def test_what_comes_first_to_a_gradient_is_assigned():
    w = values(6)
    code = passes.first_write(plain(autograd.sum([x.tanh() * y for x, y in zip(w, w[::-1])]), w))
    added = [kernel for kernel in code.backward if kernel.add and kernel.at is None]
    assert len(added) <= 1  # the second contribution to w
    assert code.slopes[0].size not in [kernel.out.size for kernel in code.backward if kernel.term == 0.0]


def test_constant_factors_along_a_chain_are_multiplied_in_once():
    w = values(6)
    cost = autograd.sum([-(x * 3.0) / 4.0 for x in (v.tanh() for v in w)])
    code = plain(cost, w)
    for change in passes.PASSES:
        code = change(code)
    [kernel] = [kernel for kernel in code.backward if kernel.term != 0.0]
    assert numbers(kernel.term).count(-0.75) == 1
    assert not {3.0, 4.0, -1.0} & set(numbers(kernel.term))


def test_a_constant_factor_is_taken_out_of_broadcast_terms_and_of_numerators():
    out, below, column, x = (whole(Buffer(12), (4, 3)) for _ in range(4))
    half = expand(Term("multiply", (0.5, Term("exp", (whole(column.buffer, (4,)),)))), 1)
    kernel = Kernel(out, Term("multiply", (4.0, Term("divide", (Term("multiply", (half, x)), below)))))
    code = plain(autograd.sum([v.tanh() for v in values(3)]), values(3))
    [changed] = passes.factors(replace(code, forward=[kernel], backward=[])).forward
    assert numbers(changed.term) == [2.0]
    assert sorted(ops(changed.term)) == ["divide", "exp", "expand", "multiply", "multiply"]


def test_constant_factors_that_together_vanish_stay_apart():
    x = whole(Buffer(4))
    tiny = Term("multiply", (1e-200, Term("multiply", (1e-200, Term("exp", (x,))))))
    assert str(passes.product(tiny)).count("1e-200") == 2
    half = passes.product(Term("multiply", (0.5, Term("negative", (Term("exp", (x,)),)))))
    assert half == Term("multiply", (-0.5, Term("exp", (x,))))


def test_a_condition_is_a_factor_as_an_indicator():
    x, y = whole(Buffer(4)), whole(Buffer(4))
    indicator = Term("indicator", (Term("greater", (y, 0.0)),))
    assert passes.product(Term("multiply", (x, Term("step", (y,))))) == Term("multiply", (x, indicator))
    assert passes.product(Term("negative", (Term("where", (Term("greater", (y, 0.0)), 1.0, 0.0)),))) == Term(
        "negative", (indicator,)
    )


def test_the_exponentials_of_a_logsumexp_are_computed_once():
    cost, wrt, inputs = network()
    code = plain(cost, wrt, inputs)
    count = lambda code: sum(ops(k.term).count("exp") for k in (*code.forward, *code.backward))  # noqa: E731
    assert count(passes.exponentials(code)) == 1 < count(code)


def attention():
    """The mean of the values of three vectors weighted by the softmax of two scores, and what is a parameter of it."""
    w = [Value(0.1 * k - 0.3, f"w_{k}") for k in range(9)]
    rows = [softmax([a * b for a in w[:3]]) for b in w[3:7]]
    return autograd.mean([autograd.tanh(autograd.weighted_sum(row, w[6:9])) for row in rows]), w


def all_ops(code):
    return [op for kernel in (*code.forward, *code.backward) for op in ops(kernel.term)]


def test_softmaxes_take_the_exponentials_of_their_logsumexp():
    cost, w = attention()
    code = plain(cost, w)
    changed = passes.exponentials(code)
    assert (all_ops(code).count("exp"), all_ops(changed).count("exp")) == (4, 1)
    gone = {kernel.out for kernel in changed.forward} - {kernel.out for kernel in passes.dead(changed).forward}
    assert len(gone) == 2  # x - logsumexp(x), and the logsumexp
    assert gone == changed.spared


def test_the_numbers_of_a_softmax_sum_to_one():
    cost, w = attention()
    code = passes.exponentials(plain(cost, w))
    changed = passes.unities(code)
    [total] = changed.spared - code.spared
    assert not any(total in kernel.reads for kernel in (*changed.forward, *changed.backward))
    slope = total.moved(code.slopes[0], 0)
    assert any(slope in kernel.reads for kernel in code.backward)
    assert not any(slope in kernel.reads for kernel in changed.backward)
    for chosen in ((passes.exponentials, passes.unities), passes.PASSES):
        with passes.only(*chosen):
            value, found = autograd.compile(cost, wrt=w).value_and_grad()
        assert math.isclose(value, cost.data, rel_tol=1e-14)
        assert np.allclose(found, gradients(cost, w), rtol=1e-13, atol=1e-15)


def test_the_slopes_of_a_cross_entropy_are_summed_by_no_call():
    cost, wrt, inputs = network()
    code = passes.exponentials(plain(cost, wrt, inputs))
    sums = lambda code: all_ops(code).count("sum")  # noqa: E731
    assert sums(passes.unities(code)) == sums(code) - 1


def test_what_all_scores_have_subtracted_is_subtracted_once():
    cost, wrt, inputs = network()
    code = passes.exponentials(plain(cost, wrt, inputs))
    changed = passes.shifts(code)
    [shifted] = changed.spared - code.spared
    assert shifted in {kernel.out for kernel in passes.dead(code).forward}
    assert shifted not in {kernel.out for kernel in passes.dead(changed).forward}
    x = [Value(k, f"x_{k}") for k in range(3)]
    differences = [a - x[0] for a in x]  # one of which is read elsewhere
    code = passes.exponentials(plain(autograd.logsumexp(differences) + differences[1], x))
    assert passes.shifts(code) == code


def test_a_cross_entropy_with_logits_of_any_size_is_as_exact_as_the_eager_one():
    for logits in ([1e17, 1e17 + 64, 1e17 - 32], [1e-9, 2e-9, -3e-9], [800.0, -800.0, 0.0], [-1e300, 1e300, 0.0]):
        z = [Value(x) for x in logits]
        for target in ([0.25, 0.25, 0.5], [0.0, 1.0, 0.0]):
            cost = cross_entropy(z, target)
            value, slope = autograd.compile(cost, wrt=z).value_and_grad()
            assert math.isclose(value, cost.data, rel_tol=1e-15, abs_tol=1e-15)
            assert np.allclose(slope, gradients(cost, z), rtol=1e-14, atol=1e-16)


def test_all_that_is_gathered_at_one_depth_is_one_call():
    w, rng = values(40), random.Random(0)
    terms = [rng.choice(w) * rng.choice(w) for _ in range(30)] + [rng.choice(w) - rng.choice(w) for _ in range(30)]
    code = plain(autograd.sum([x.tanh() for x in terms]), w)
    takes = lambda code: [k for k in code.forward if "take" in ops(k.term)]  # noqa: E731
    assert len(takes(code)) >= 4
    assert len(takes(passes.gathers(code))) < len(takes(code)) - 1


def test_all_that_is_scattered_before_it_is_read_is_one_call():
    w, rng = values(40), random.Random(0)
    terms = [rng.choice(w) * rng.choice(w) for _ in range(30)] + [rng.choice(w) - rng.choice(w) for _ in range(30)]
    code = passes.first_write(plain(autograd.sum([x.tanh() for x in terms]), w))
    scattered = lambda code: [k for k in code.backward if k.at is not None]  # noqa: E731
    assert len(scattered(passes.scatters(code))) < len(scattered(code))


def test_a_gradient_takes_over_the_array_of_the_one_it_comes_from():
    cost, wrt, inputs = network()
    code = passes.inline(passes.first_write(plain(cost, wrt, inputs)))
    places = lambda code: len({k.out for k in code.backward})  # noqa: E731
    assert places(passes.in_place(code)) < places(code)


def test_what_no_one_reads_is_not_computed():
    w = values(4)
    code = plain([w[0] * w[1]], w)
    unused = Kernel(whole(Buffer(4, name="unused")), Term("exp", (whole(code.values[0], (4,)),)))
    code.forward.append(unused)
    assert unused not in passes.dead(code).forward


def test_a_number_that_one_expression_reads_is_part_of_it():
    w = values(3)
    code = plain([(w[0] * w[1] + w[2]).tanh()], w)
    assert len(passes.numbers(code).forward) == 1


def test_the_branches_of_a_choice_are_computed_whichever_is_taken():
    w = values(3)
    program = autograd.compile([autograd.where(w[0], w[1], autograd.log(w[2]))], wrt=w)
    with pytest.raises(ValueError, match="log is not defined"):
        program.forward([1.0, 1.0, -1.0])


# Single calls


def test_what_serves_many_is_copied_to_where_the_result_will_be():
    small = {name: whole(Buffer(12, name=name), (4, 3)) for name in ("x", "y")}
    row, column = View(Buffer(3), 0, (4, 3), (0, 1)), View(Buffer(4), 0, (4, 3), (1, 0))
    empty = replace(plain([Value(1.0)], []), backward=[])

    def taken(out, *args):
        return single_calls(replace(empty, forward=[Kernel(out, Term("subtract", args))])).forward

    x, y = small.values()
    assert taken(y, x, row) == [Kernel(y, row), Kernel(y, Term("subtract", (x, y)))]
    assert taken(y, row, column) == [Kernel(y, row), Kernel(y, Term("subtract", (y, column)))]
    copied, call = taken(x, x, row)  # one of the operands goes where the result will be
    assert copied.term == row
    assert copied.out.buffer not in (x.buffer, row.buffer)
    assert call == Kernel(x, Term("subtract", (x, copied.out)))
    assert len(taken(y, x, y)) == len(taken(y, x, 2.0)) == len(taken(y, x, View(Buffer(1)))) == 1
    each, long = (whole(Buffer(n, True), shape) for n, shape in ((12, (4, 3)), (3, (4, 3))))
    long = View(long.buffer, 0, (4, 3), (0, 1))
    assert len(taken(each, each, long)) == len(taken(each, each, row)) == 1
    assert len(taken(whole(Buffer(12, True), (4, 3)), each, long)) == 2
    buffer = Buffer(16)
    x, column = whole(buffer, (4, 3)), View(buffer, 12, (4, 3), (1, 0))
    power, copied, call = taken(x, Term("exp", (x,)), column)
    assert call == Kernel(x, Term("subtract", (power.out, copied.out)))
    assert len({x.buffer, power.out.buffer, copied.out.buffer}) == 3  # the exponentials are still to be read


# All of them


def test_every_pass_has_its_place_and_a_test():
    declared = {
        name
        for name, function in inspect.getmembers(passes, inspect.isfunction)
        if function.__module__ == passes.__name__ and list(inspect.signature(function).parameters) == ["code"]
    } - {"passed"}
    assert declared == {change.__name__ for change in passes.PASSES}
    assert set(passes.OF_NUMBERS) <= set(passes.PASSES)
    tests = pathlib.Path(__file__).read_text(encoding="utf-8")
    assert [name for name in declared if f"passes.{name}" not in tests] == []


# The pass at fault


def test_a_wrong_pass_is_found_by_bisection(monkeypatch):
    cost, wrt, _ = network(5)
    right = np.array(gradients(cost, wrt))

    def broken(code):
        scale = lambda k: Kernel(k.out, Term("multiply", (1.001, k.term)), k.add, k.at)  # noqa: E731
        code.backward[-1:] = [scale(code.backward[-1])]
        return code

    def is_wrong():
        return not np.allclose(autograd.compile(cost, wrt=wrt).value_and_grad()[1], right, rtol=1e-9, atol=1e-12)

    assert at_fault(is_wrong) is None
    for k in (0, 4, len(passes.PASSES) - 1):
        changed = (*passes.PASSES[:k], broken, *passes.PASSES[k + 1 :])
        monkeypatch.setattr(passes, "PASSES", changed)
        monkeypatch.setattr("stages.PASSES", changed)
        assert at_fault(is_wrong) == "broken"
        monkeypatch.undo()


# Numbers


@pytest.mark.parametrize(
    ("f", "theta"),
    [
        (lambda w: autograd.tanh(w[0] * w[1]), [1e200, 1e200]),
        (lambda w: autograd.maximum(w[0] - w[1], 0.5), [-1.7e308, 1.7e308]),
        (lambda w: autograd.where(-1.0, w[0] - w[1], 3.0) + w[0] / 1e308, [1.7e308, -1.7e308]),
        (lambda w: 1.0 / (w[0] * w[1]), [1e200, -1e200]),
        (lambda w: autograd.sum([autograd.tanh(w[0] * w[1] + 0.1 * k) for k in range(20)]), [1e200, 1e200]),
    ],
)
def test_a_number_that_overflows_in_silence_is_noticed_even_where_that_is_hidden(f, theta):
    def outcome(run):
        try:
            return run()
        except (ArithmeticError, ValueError) as error:
            return str(error)

    w = values(2)
    program = autograd.compile(f(w), wrt=w)
    big = [Value(x, f"w_{k}") for k, x in enumerate(theta)]
    assert outcome(lambda: program.forward(theta)) == outcome(lambda: f(big).data)


def chain(n, w):
    state = w[2]
    for _ in range(n):
        state = autograd.tanh(w[0] * state + w[1])
    return state


def test_a_long_chain_is_a_loop_with_a_loop_back():
    w = values(3)
    program = autograd.compile(chain(3000, w), wrt=w)
    loops = [line for line in program.source.splitlines() if line.strip().startswith("for ")]
    assert len(loops) == 2
    assert len(program.source.splitlines()) < 80
    assert program.kernels == 0
    value, slope = program.value_and_grad([0.9, 0.1, 0.5])
    same = [Value(x) for x in (0.9, 0.1, 0.5)]
    cost = chain(3000, same)
    assert math.isclose(value, cost.data, rel_tol=1e-14)
    assert np.allclose(slope, gradients(cost, same), rtol=1e-12, atol=0)


def test_a_number_of_a_loop_is_computed_where_it_would_be_copied():
    buffer = Buffer(4)
    a, b, c, d = (View(buffer, k) for k in range(4))
    double = lambda x: Term("multiply", (2.0, x))  # noqa: E731
    body = (Kernel(b, double(a)), Kernel(c, b, add=True), Kernel(a, b))
    assert renamed(body, {a, c}) == (Kernel(a, double(a)), Kernel(c, a, add=True))
    assert renamed(body, {a, b, c}) == body  # read outside of the loop
    for kept in (
        (Kernel(b, double(a)), Kernel(c, a), Kernel(a, b)),  # a is read after b is there
        (Kernel(b, double(b)), Kernel(a, b)),  # of the round before
        (Kernel(a, b), Kernel(c, a)),
        (Kernel(b, double(d)), Kernel(a, b), Kernel(c, double(b))),
    ):
        assert renamed(kept, {a, c, d}) == kept


def test_a_loop_whose_numbers_are_very_large_does_as_the_eager_engine():
    w = values(3)
    program = autograd.compile(chain(3000, w), wrt=w)
    with np.errstate(all="ignore"):
        assert program.forward([0.5, 1e100, 0.0]) == 1.0
        assert program.forward([0.5, 0.1, 1e200]) == pytest.approx(
            chain(3000, [Value(0.5), Value(0.1), Value(1e200)]).data
        )


def test_nested_sigmoids_in_a_loop_stay_short():
    w, y = Value(2.0), Value(0.3)
    for _ in range(240):
        for _ in range(9):
            y = autograd.sigmoid(y)
        y = autograd.silu(y)
    assert len(autograd.compile(y * w, wrt=[w]).source) < 6000


def test_labels_that_are_names_of_the_program_do_no_harm_in_loops():
    def euler(names):
        dt, t0, k = Value(0.01, names[0]), Value(0.3, names[1]), Value(1.5, names[2])
        t, y = t0, Value(1.0)
        for _ in range(600):
            y = y + dt * (autograd.sin(t) - k * y)
            t = t + dt
        return y, [dt, t0, k]

    y, leaves = euler(("", "", ""))
    want = gradients(y, leaves)
    for names in (
        ("dt", "t", "k"),
        ("range", "t", "k"),
        ("zip", "t_kept", "reversed"),
        ("g", "v", "np"),
        ("ddt", "dt", "t"),
    ):
        y, leaves = euler(names)
        assert np.allclose(autograd.compile(y, wrt=leaves).value_and_grad()[1], want, rtol=1e-11)
