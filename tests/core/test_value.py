import copy
import gc
import math
import pickle
import threading
import weakref

import numpy as np
import pytest

import autograd
from autograd import Value, gradients, primitive, zero_grad
from autograd.assigning import stale
from autograd.recording import tracing


def chain(n):
    """A leaf, and 1.0000001 times it n times over."""
    leaf = out = Value(1.0)
    for _ in range(n):
        out = out * 1.0000001
    return leaf, out


# Construction


@pytest.mark.parametrize(
    "data", [2, 2.0, True, np.float32(2), np.float64(2), np.int64(2), np.bool_(True), np.array(2.0), np.uint8(2)]
)
def test_data_is_a_float_whatever_real_number_it_was(data):
    value = Value(data)
    assert type(value.data) is float
    assert value.data == float(data)


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        ("2", "convert it with float"),
        (None, "is a return statement missing"),
        ([1.0], "make a Value of each number"),
        (np.array([1.0, 2.0]), "make a Value of each number"),
        (np.array([1.0]), "make a Value of each number"),
        (1j, "complex numbers are not supported"),
        (Value(1.0), "this is a Value already"),
        (np.ma.masked, "it is masked, and has no value"),
        (np.ma.array(-999.0, mask=True), "it is masked, and has no value"),
        (np.ma.array([1.0]), "make a Value of each number"),
        ("x" * 100, r"xxx\.\.\. \(str\)"),
    ],
)
def test_data_that_is_not_a_real_number_is_refused_with_advice(data, advice):
    with pytest.raises(TypeError, match=rf"(?s)Value takes one real number .*{advice}"):
        Value(data)


def test_label_must_be_text():
    assert Value(1.0, label="w").label == "w"
    with pytest.raises(TypeError, match="a label is a str, not 3"):
        Value(1.0, label=3)


def test_a_new_value_is_a_leaf_without_gradient():
    value = Value(2.0)
    assert (value.op, value.label, value.grad) == ("", "", 0.0)
    assert value.parents == value.partials == value.operands == ()


def test_data_and_grad_can_be_assigned_numbers_only():
    value = Value(1.0)
    value.data, value.grad = 3, np.float32(0.5)
    assert (value.data, value.grad) == (3.0, 0.5)
    assert type(value.data) is type(value.grad) is float
    for name in ("data", "grad"):
        with pytest.raises(TypeError, match=rf"Value\.{name} takes one real number"):
            setattr(value, name, "3")


def test_repr_shows_data_gradient_and_label():
    assert repr(Value(1.5)) == "Value(data=1.5, grad=0.0)"
    assert repr(Value(1.5, label="w")) == "Value(data=1.5, grad=0.0, label='w')"


# Structure


def test_parents_keep_operand_order_and_repeats():
    x, y = Value(3.0), Value(2.0)
    assert (x * x).parents == (x, x)
    assert (x * x).partials == (3.0, 3.0)
    assert (y - x).parents == (y, x)
    assert (y - x).partials == (1.0, -1.0)


def test_plain_numbers_are_operands_but_not_parents():
    x = Value(3.0)
    assert (2 * x).parents == (x,)
    assert (2 * x).partials == (2.0,)
    assert (2 * x).operands == (2.0, x)
    assert (x / 2).operands == (x, 2.0)
    assert x.clip(0, 1).operands == (x, 0.0, 1.0)
    assert autograd.sum([x, 1, x]).operands == (x, 1.0, x)
    assert autograd.weighted_sum([2.0, x], [x, 5.0]).operands == (2.0, x, x, 5.0, 0.0)
    assert autograd.weighted_sum([2.0, x], [x, 5.0]).parents == (x, x)
    assert autograd.weighted_sum([2.0, x], [x, 5.0]).partials == (5.0, 2.0)


def test_weighted_sum_is_one_node():
    w, a, b = [Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)], Value(5.0)
    z = autograd.weighted_sum(w, a, b)
    assert z.data == 16.0
    assert z.parents == (*w, *a, b)
    assert z.partials == (3.0, 4.0, 1.0, 2.0, 1.0)


def test_a_sum_of_a_hundred_thousand_terms_is_one_node():
    xs = [Value(0.1) for _ in range(100_000)]
    total = autograd.sum(xs)
    assert total.data == math.fsum([0.1] * 100_000)
    total.backward()
    assert all(x.grad == 1.0 for x in xs)


def test_builtin_sum_of_a_hundred_thousand_terms():
    xs = [Value(0.5) for _ in range(100_000)]
    total = sum(xs)
    total.backward()
    assert total.data == 50_000
    assert xs[0].grad == xs[-1].grad == 1.0


# Operators


def test_operators_in_every_order_with_numbers():
    x, y = Value(3.0), Value(2.0)
    assert (x + y).data == (x + 2).data == (3 + y).data == 5.0
    assert (x - y).data == (x - 2).data == (3 - y).data == 1.0
    assert (x * y).data == (x * 2).data == (3 * y).data == 6.0
    assert (x / y).data == (x / 2).data == (3 / y).data == 1.5
    assert (x**y).data == (x**2).data == (3**y).data == 9.0
    assert (-x).data == -3.0
    assert abs(-x).data == 3.0
    assert +x is x
    for op, value in {"add": x + 1, "sub": x - 1, "mul": x * 1, "div": 1 / x, "pow": 2**x, "neg": -x}.items():
        assert value.op == op


def test_augmented_assignment_makes_a_new_node():
    x = Value(3.0)
    y = x
    y += 1
    assert (x.data, y.data, y.parents) == (3.0, 4.0, (x,))


@pytest.mark.parametrize("other", ["2", None, [1], 1j])
def test_operators_with_something_else_raise_a_type_error(other):
    with pytest.raises(TypeError, match=r"takes one real number|unsupported operand"):
        Value(2.0) * other
    with pytest.raises(TypeError, match=r"takes one real number|unsupported operand|can only concatenate|must be str"):
        other + Value(2.0)


def test_unknown_numbers_may_know_the_operator_themselves():
    class Money:
        def __radd__(self, other):
            return "paid"

    assert Value(2.0) + Money() == "paid"


def test_comparisons_are_by_value_and_equality_by_identity():
    x, y = Value(1.0), Value(1.0)
    assert x <= y
    assert x >= 1
    assert 0 < x < 2
    assert not x > y
    assert x != y
    assert x == x
    assert len({x, y}) == 2
    assert max(Value(1.0), Value(3.0), key=float).data == 3.0
    assert sorted([Value(3.0), Value(1.0)])[0].data == 1.0
    with pytest.raises(TypeError, match="a comparison takes one real number"):
        x < "a"  # noqa: B015


def test_conversions():
    x = Value(2.75)
    assert (float(x), int(x), round(x), round(x, 1)) == (2.75, 2, 3, 2.8)
    assert bool(x)
    assert not Value(0.0)
    assert f"{x:.1f} {x}" == "2.8 Value(data=2.75, grad=0.0)"
    assert (math.floor(x).data, math.ceil(x).data) == (2.0, 3.0)
    assert math.floor(x).op == "floor"


def test_functions_are_methods_under_numpys_names_too():
    x = Value(0.5)
    for name in ("tanh", "exp", "relu", "sqrt", "arcsin", "arccos", "arctan", "sigmoid", "gelu"):
        assert isinstance(getattr(x, name)(), Value)
    assert x.arcsin().op == "asin"
    assert x.arctan2(1.0).data == math.atan2(0.5, 1.0)
    assert x.maximum(2).data == 2.0
    assert {"tanh", "arcsin", "backward", "data"} <= set(dir(x))
    for name in ("tahn", "sum", "where", "weighted_sum"):
        with pytest.raises(AttributeError, match=f"'Value' object has no attribute '{name}'"):
            getattr(x, name)


def test_reading_an_attribute_is_not_slowed_down_by_a_fallback():
    assert not hasattr(Value, "__getattr__")


# NumPy


def test_numpy_scalars_give_way_to_values():
    v = Value(3.0)
    for out in (np.float64(2) * v, v * np.float64(2), np.float32(2) * v, np.int64(2) * v):
        assert isinstance(out, Value)
        assert out.data == 6.0
    assert (np.float64(2) - v).data == -1.0
    assert (np.float64(2) / v).partials == (-2 / 9,)
    assert np.float64(2) < v


def test_arrays_apply_operators_to_each_number():
    v, w = Value(3.0), Value(4.0)
    left, right = np.array([1.0, 2.0]) * v, v * np.array([1.0, 2.0])
    for out in (left, right):
        assert out.dtype == object
        assert [x.data for x in out] == [3.0, 6.0]
    dot = np.array([v, w]) @ np.array([1.0, 2.0])
    assert dot.data == 11.0
    assert gradients(dot, [v, w]) == [1.0, 2.0]
    assert np.array([v, w]).sum().data == 7.0
    assert [x.op for x in np.tanh(np.array([v, w]))] == ["tanh", "tanh"]
    assert np.arctan2(np.array([v]), np.array([w]))[0].data == math.atan2(3, 4)
    assert np.maximum(np.array([v, w]), 3.5)[1] is w  # compares, as Python's max does
    assert (np.array([1.0, 5.0]) > v).tolist() == [False, True]


# Backward


def test_leaves_accumulate_and_inner_nodes_are_set_afresh():
    x = Value(3.0)
    square = x * x
    cube = square * x
    cube.backward()
    assert x.grad == 27.0
    cube.backward()
    assert x.grad == 54.0
    assert square.grad == 3.0
    x.grad = 0.0
    cube.backward()
    assert (x.grad, square.grad, cube.grad) == (27.0, 3.0, 1.0)


def test_two_costs_that_share_a_node():
    x = Value(3.0)
    h = x * x
    (h * 2).backward()
    (h * 5).backward()
    assert x.grad == 42.0
    assert h.grad == 5.0


def test_a_leaf_as_cost_has_gradient_one():
    x = Value(3.0)
    x.backward()
    assert x.grad == 1.0


def test_zero_grad_takes_any_iterable():
    xs = [Value(1.0), Value(2.0)]
    (xs[0] * xs[1]).backward()
    zero_grad(x for x in xs)
    assert [x.grad for x in xs] == [0.0, 0.0]


def test_data_assigned_after_the_forward_pass_does_not_change_its_gradient():
    x, y = Value(3.0), Value(2.0)
    cost = (x * y).tanh() + x**3 + autograd.weighted_sum([x], [y], x)
    before = gradients(cost, [x, y])
    x.data, y.data = 100.0, -100.0
    assert gradients(cost, [x, y]) == before


def test_threads_share_leaves_without_losing_a_gradient():
    w = Value(2.0)

    def work():
        for _ in range(200):
            (w * w).backward()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert w.grad == 8 * 200 * 4.0


# Numbers that are not finite


def test_backward_from_a_cost_that_is_not_finite_warns_and_names_the_first_such_value():
    x = Value(1e200, label="x")
    cost = (x * x) + 1
    with pytest.warns(
        RuntimeWarning, match=r"a cost that is inf, .* mul at x = 1e\+200 \(label 'x'\), y = 1e\+200"
    ) as w:
        cost.backward()
    assert w[0].filename == __file__
    with pytest.warns(RuntimeWarning, match=r"a cost that is nan, .* 'p', a leaf of nan"):
        (Value(math.nan, label="p") * 2).backward()


def test_an_infinite_slope_is_reported_with_the_node_where_it_arose():
    x = Value(0.0, label="x")
    with pytest.warns(
        RuntimeWarning, match=r"gradient of 'x', a leaf of 0\.0 is inf\. It arose in sqrt at x = 0\.0"
    ) as w:
        (x.sqrt() + 1).backward()
    assert x.grad == math.inf
    assert w[0].filename == __file__


def test_a_nan_gradient_is_left_in_place_and_reported():
    x, y = Value(-2.0), Value(3.0, label="y")
    with pytest.warns(RuntimeWarning, match=r"gradient of 'y', .* is nan\. It arose in pow at x = -2\.0, y = 3\.0"):
        (x**y).backward()
    assert math.isnan(y.grad)
    assert x.grad == 12.0
    x = Value(0.0)
    with pytest.warns(RuntimeWarning, match=r"arose in sqrt at x = 0\.0: gradient 0\.0 times local derivative inf"):
        (x.sqrt() * 0.0).backward()
    assert math.isnan(x.grad)


def test_contributions_without_a_sum_are_reported_at_the_node_that_collects_them():
    x = Value(0.0, label="x")
    with pytest.warns(RuntimeWarning, match="It arose in sqrt"):
        (x.sqrt() - x.sqrt()).backward()
    small = Value(1e-300, label="small")
    with pytest.warns(RuntimeWarning, match="gradient of 'small', a leaf of 1e-300 is inf: the contributions"):
        assert gradients(small * 1e308 + small * 1e308, [small]) == [math.inf]


def test_gradients_whose_sum_overflows_are_finite_and_not_reported():
    x, y = Value(1e-3), Value(1e-3)
    assert gradients(x * 1.7e308 + y * 1.7e308, [x, y]) == [1.7e308, 1.7e308]


# Copies, pickles, memory


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
def test_a_copy_keeps_data_gradient_label_and_graph(copied):
    w, x = Value(3.0, label="w"), Value(2.0, label="x")
    cost = autograd.weighted_sum([w, 2.0], [x, x]) ** 2 + w.clip(0, 5) + autograd.sum([w, 1.0])
    cost.label = "C"
    cost.backward()
    out, w_copy = copied((cost, w))
    assert (out.data, out.grad, out.label, out.op) == (cost.data, 1.0, "C", "add")
    assert (w_copy.data, w_copy.grad, w_copy.label) == (3.0, w.grad, "w")
    assert w_copy is not w
    zero_grad([w_copy])
    out.backward()
    assert w_copy.grad == w.grad != 0.0
    assert gradients(out, [w_copy], create_graph=True)[0].data == w.grad


def test_copies_and_pickles_of_a_deep_graph():
    leaf, out = chain(100_000)
    for copied_leaf, copied in (copy.deepcopy((leaf, out)), pickle.loads(pickle.dumps((leaf, out)))):
        assert copied.data == out.data
        assert gradients(copied, [copied_leaf]) == gradients(out, [leaf])


def test_a_shallow_copy_shares_its_parents():
    x = Value(2.0)
    y = x * 3
    twin = copy.copy(y)
    assert twin is not y
    assert twin.parents == (x,)
    assert gradients(twin, [x]) == [3.0]


def test_a_dropped_graph_is_freed_at_once_with_the_garbage_collector_off():
    gc.collect()
    gc.disable()
    try:
        x = Value(2.0)
        inner = autograd.weighted_sum([x, x.tanh()], [x, 1.0])
        cost = inner.clip(0, 5) ** 2
        cost.backward()
        [slope] = gradients(cost, [x], create_graph=True)
        alive = [weakref.ref(v) for v in (x, inner, cost, slope)]
        del x, inner, cost, slope
        assert [ref() for ref in alive] == [None] * 4
    finally:
        gc.enable()


def test_a_chain_of_a_million_nodes_forward_backward_and_freed():
    leaf, out = chain(1_000_000)
    out.backward()
    assert leaf.grad == pytest.approx(1.0000001**1_000_000, rel=1e-8)
    last = weakref.ref(out)
    del out
    assert last() is None


# Tracing


def test_while_tracing_nothing_can_freeze_a_value_into_a_program():
    x = Value(1.0)
    frozen = [
        lambda: x < 2,
        lambda: x >= Value(1.0),
        lambda: bool(x),
        lambda: float(x),
        lambda: int(x),
        lambda: round(x),
        lambda: 1 if x > 0 else 2,
        lambda: x.data,
    ]
    with tracing():
        for attempt in frozen:
            with pytest.raises(TypeError, match=r"inside a function that is being compiled.*where\(a - b, x, y\)"):
                attempt()
        y = x * 2
    assert y.data == 2.0
    assert x < 2


def test_tracing_ends_with_an_error_and_is_the_business_of_one_thread():
    x = Value(1.0)
    with pytest.raises(ZeroDivisionError), tracing():
        x / 0
    assert float(x) == 1.0
    seen = []
    with tracing():
        thread = threading.Thread(target=lambda: seen.append(float(x)))
        thread.start()
        thread.join()
    assert seen == [1.0]


# Operations of one's own


def test_an_operation_of_ones_own_works_for_numbers_values_and_methods():
    cube = primitive("cube", "x * x * x", "3 * x * x", note="x to the third")
    x = Value(2.0)
    assert cube(2) == 8.0
    assert cube(x).data == x.cube().data == 8.0
    assert cube(x).op == "cube"
    assert cube(x).partials == (12.0,)
    [first] = gradients(cube(x), [x], create_graph=True)
    [second] = gradients(first, [x], create_graph=True)
    assert (first.data, second.data, gradients(second, [x])) == (12.0, 12.0, [6.0])
    assert cube.__doc__.startswith("`x * x * x`: x to the third.\n")


def test_an_operation_of_ones_own_with_several_operands_defaults_and_conditions():
    bent = primitive(
        "bent",
        "x if x > y else slope * x",
        "1 if x > y else slope",
        "0",
        "0 if x > y else x",
        operands="x, y, slope=0.5",
    )
    x = Value(2.0)
    assert bent(x, 3).data == 1.0
    assert bent(x, 1).data == 2.0
    assert bent(x, 3, slope=0.25).partials == (0.25,)
    with pytest.raises(ValueError, match=r"logit is not defined at x = 1\.5"):
        primitive("logit", "log(x / (1 - x))", "1 / (x * (1 - x))")(Value(1.5))


def test_declaring_the_same_operation_again_changes_nothing():
    cube = primitive("cube", "x * x * x", "3 * x * x")
    assert primitive("cube", "x * x * x", "3 * x * x") is cube


def test_an_operation_declared_again_replaces_the_first_and_values_computed_before_keep_theirs():
    x = Value(2.0)
    mine = primitive("mine", "x * x * x", "3 * x * x")
    twice = primitive("twice", "2 * mine(x)", "6 * x * x")
    before, outer = x.mine(), twice(x)
    later = primitive("mine", "x * x", "2 * x")
    assert (before.data, before.partials, outer.data, mine(2.0)) == (8.0, (12.0,), 16.0, 8.0)
    assert (later(x).data, x.mine().partials, autograd.PRIMITIVES["mine"].value) == (4.0, (4.0,), "x * x")
    assert x.twice().data == autograd.OPERATIONS["twice"](2.0) == 8.0
    assert gradients(gradients(x.mine(), [x], create_graph=True)[0], [x]) == [2.0]
    with pytest.raises(ValueError, match="mine cannot be made of twice, which is made of mine"):
        primitive("mine", "twice(x)", "1")
    with pytest.raises(ValueError, match="'tanh' cannot name an operation"):
        primitive("tanh", "x", "1")


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("tanh", "x", "1"), {}, "'tanh' cannot name an operation"),
        (("two words", "x", "1"), {}, "'two words' cannot name an operation"),
        (("lambda", "x", "1"), {}, "'lambda' cannot name an operation"),
        (("backward", "x", "1"), {}, "'backward' cannot name an operation"),
        (("float", "x", "1"), {}, "'float' cannot name an operation"),
        (("arcsin", "x", "1"), {}, "'arcsin' cannot name an operation"),
        (("mine", "x + y", "1"), {}, r"'y' in 'x \+ y' is not understood.* the names x and pi"),
        (("mine", "x * q", "q", "x"), {}, r"'q' in 'x \* q' is not understood"),
        (("mine", "bessel(x)", "1"), {}, r"'bessel\(x\)' in 'bessel\(x\)' is not understood"),
        (("mine", "x.tanh()", "1"), {}, r"is not understood"),
        (("mine", "out", "1"), {}, "'out' in 'out' is not understood"),
        (("mine", "x if x else 1", "1"), {}, "is not understood"),
        (("mine", "x if 0 < x < 1 else 1", "1"), {}, "is not understood"),
        (("mine", "x + True", "1"), {}, "'True' in .* is not understood"),
        (("mine", "x +", "1"), {}, r"'x \+' is not an expression"),
        (("mine", "tanh(x, 1)", "1"), {}, "calls tanh with 2 operands, not 1"),
        (("mine", "x * y", "y", "x", "1"), {"operands": "x, y"}, r"mine has 2 operands \(x, y\) and 3 partials"),
        (("mine", "x * y", "y"), {"operands": "x, y"}, r"mine has 2 operands \(x, y\) and 1 partials"),
        (("mine", "x"), {}, "mine has"),
        (("mine", "sum(xs)", "1"), {"operands": "*xs"}, "mine would take a list"),
        (("mine", "x * out", "out", "x"), {"operands": "x, out"}, "'out' cannot name an operand"),
        (("mine", "x * x", "x", "x"), {"operands": "x, x"}, "'x' cannot name an operand"),
        (("mine", "exp", "1"), {"operands": "exp"}, "'exp' cannot name an operand"),
        (("mine", "x", "1"), {"operands": "x=big"}, "a default in 'x=big' is not a number"),
    ],
)
def test_a_declaration_that_is_wrong_is_refused_and_declares_nothing(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        primitive(*arguments, **options)
    assert "mine" not in autograd.PRIMITIVES


def test_a_declaration_is_text_or_functions():
    for arguments in ((1, "x", "1"), ("mine", 2.0, "1"), ("mine", "x", None)):
        with pytest.raises(TypeError, match=r"declared by text|a function of floats"):
            primitive(*arguments)
    assert "mine" not in autograd.PRIMITIVES


def test_an_operation_of_ones_own_is_compiled_drawn_and_explained_as_every_other():
    bump = primitive("bump", "exp(-x * x) if x > y else y * x", "-2 * x * out if x > y else y", "0 if x > y else x")
    x, y = Value(0.5, label="x"), Value(0.2, label="y")
    cost = bump(x, y) * x
    slope = gradients(cost, [x], create_graph=True)[0]
    assert autograd.gradcheck(bump, 0.5, 0.2, order=2)
    program, slope_program = autograd.compile(cost, wrt=[x, y]), autograd.compile(slope, wrt=[x])
    assert program.backward() == pytest.approx(cost.data, rel=1e-14)
    assert [x.grad, y.grad] == pytest.approx(gradients(cost, [x, y]), rel=1e-14)
    x.data = 0.1  # on the other side of the condition
    assert program.backward() == pytest.approx(0.002, rel=1e-14)
    assert float(slope_program.forward()) == pytest.approx(2 * 0.2 * 0.1, rel=1e-14)
    assert "bump" in autograd.draw(cost).svg
    assert "bump" in str(autograd.explain(bump(x, y) * x, x))


# Graphs whose leaves have been assigned


def test_refresh_computes_a_graph_anew_in_place_partials_too():
    w, a = Value(2.0, "w"), Value(3.0, "a")
    z = autograd.weighted_sum([w, a], [a, 1.0]) ** 2
    cost = z.tanh() + w / a
    inner = cost.parents
    w.data, a.data = -0.5, 0.25
    assert cost.refresh() is cost
    again = (autograd.weighted_sum([w, a], [a, 1.0]) ** 2).tanh() + w / a
    assert (cost.data, cost.parents) == (again.data, inner)
    assert gradients(cost, [w, a]) == gradients(again, [w, a])
    assert z.partials == again.parents[0].parents[0].partials
    cost.label = "C"
    assert cost.refresh().label == "C"


def test_a_refresh_that_fails_changes_nothing():
    x, y = Value(1.0), Value(2.0)
    doubled = x * 2
    cost = doubled + y.log()
    before = cost.data, cost.partials, doubled.data, gradients(cost, [x, y])
    x.data, y.data = 5.0, -1.0
    with pytest.raises(ValueError, match=r"log is not defined at x = -1\.0"):
        cost.refresh()
    assert (cost.data, cost.partials, doubled.data, gradients(cost, [x, y])) == before


def test_a_second_backward_through_a_stale_graph_warns_and_names_the_leaf():
    w, a = Value(2.0, "w"), Value(3.0, "a")
    cost = w * a
    cost.backward()
    cost.backward()  # nothing was assigned
    w.data = 5.0
    assert stale(cost) == [w]
    with pytest.warns(RuntimeWarning, match=r"before the data of w were assigned.*refresh\(\)") as issued:
        cost.backward()
    assert issued[0].filename == __file__
    cost.refresh().backward()
    assert (stale(cost), cost.data, a.grad) == ([], 15.0, 2 + 2 + 2 + 5)
    w.data = 5.0  # the same number
    assert stale(cost) == []


def test_fresh_graphs_are_never_stale():
    w = Value(2.0)
    for _ in range(3):
        cost = (w * w - 1.0) ** 2
        cost.backward()
        w.data -= 0.01 * w.grad
        w.grad = 0.0
    assert stale(w * w) == stale(w) == []
    first, second = w * 3.0, w * 4.0
    first.backward()
    second.backward()


def test_a_part_of_a_graph_that_was_refreshed_leaves_the_other_stale():
    w = Value(2.0)
    h = w * w
    one, other = h + 1.0, h * w
    w.data = 3.0
    one.refresh()
    assert (one.data, stale(one), stale(other)) == (10.0, [], [w])


def test_backward_takes_a_seed():
    x, y = Value(3.0), Value(2.0)
    (x * y).backward(gradient=-2.0)
    assert (x.grad, y.grad) == (-4.0, -6.0)
    with pytest.raises(TypeError, match="backward takes one real number"):
        (x * y).backward(y)


# Attributes, subclasses


def test_label_is_checked_when_it_is_assigned():
    x = Value(1.0)
    y = x * 2
    for value in (x, y):
        with pytest.raises(TypeError, match="a label is a str, not 3"):
            value.label = 3
        value.label = "x"
        assert (value.label, value.op) == ("x", "" if value is x else "mul")
        value.label = ""
        assert (value.label, value.op) == ("", "" if value is x else "mul")


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
def test_attributes_can_be_set_and_stay_in_copies(copied):
    p = Value(1.0, label="p")
    node = p * 2.0
    p.velocity, node._vis_color = 0.5, "red"
    assert (copied(p).velocity, copied(p).label, copied(node)._vis_color) == (0.5, "p", "red")
    assert copied(node).parents[0].velocity == 0.5
    with pytest.raises(AttributeError, match="velocity"):
        Value(1.0).velocity  # noqa: B018


class Weight(Value):
    """As in a public project: a parameter that says how it is regularised."""

    def __init__(self, data, regularization="none"):
        super().__init__(data)
        self.regularization = regularization


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
def test_a_subclass_keeps_its_class_and_attributes_in_copies_and_its_gradients_flow(copied):
    w = Weight(3.0, "l2")
    out = copied(w)
    assert (type(out), out.regularization, out.data) == (Weight, "l2", 3.0)
    cost = copied(w * w + 1.0)
    assert {type(leaf) for leaf in cost.parents[0].parents} == {Weight}
    assert gradients(cost, cost.parents[0].parents[:1]) == [6.0]


class Bounded(Weight):
    __slots__ = ("_Bounded__of", "lower", "upper")

    def __init__(self, data, lower):
        super().__init__(data, "l1")
        self.lower, self.__of = lower, "parameters"

    @property
    def of(self):
        return self.__of


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
def test_a_subclass_keeps_what_it_has_slots_for(copied):
    out = copied(Bounded(3.0, -1.0))
    assert (type(out), out.regularization, out.lower, out.of, hasattr(out, "upper")) == (
        Bounded,
        "l1",
        -1.0,
        "parameters",
        False,
    )


# As micrograd has it


def test_micrograds_names_of_parents_and_operations():
    x, y = Value(2.0), Value(3.0)
    signs = {
        "+": x + y, "*": x * 2, "-": x - y, "/": x / y, "**2": x**2, "**-0.5": x**-0.5, "**": x**y, "ReLU": x.relu(),
        "tanh": x.tanh(), "exp": x.exp(), "": x, "weighted_sum": autograd.weighted_sum([x], [y]),
    }  # fmt: skip
    assert {sign: node._op for sign, node in signs.items()} == {sign: sign for sign in signs}
    assert ((x + y)._prev, (x * x)._prev, x._prev) == ({x, y}, {x}, set())


def test_backward_by_hand_node_by_node():
    x, y = Value(2.0), Value(3.0)
    product = x * y
    cost = product * product
    cost.grad = 1.0
    for node in (cost, product, x):
        node._backward()
    assert (product.grad, x.grad, y.grad) == (12.0, 36.0, 24.0)


def test_draw_dots_trace_runs():
    def trace(root):
        nodes, edges = set(), set()

        def build(v):
            if v not in nodes:
                nodes.add(v)
                for child in v._prev:
                    edges.add((child, v))
                    build(child)

        build(root)
        return nodes, edges

    x = Value(2.0)
    nodes, edges = trace((x * x).tanh() + 1.0)
    assert (len(nodes), len(edges)) == (4, 3)


# NumPy's statistics and products


def test_numpys_statistics_and_products_of_values():
    data = np.array([1.0, 3.0, 7.0])
    values = np.array([Value(x) for x in data])
    assert np.var(values).data == pytest.approx(np.var(data))
    assert np.std(values, ddof=1).data == pytest.approx(np.std(data, ddof=1))
    assert np.mean(values).data == pytest.approx(data.mean())
    assert np.vdot(values, values).data == np.vdot(values, data).data == data @ data
    assert np.tensordot(values, data, 1).item().data == data @ data
    assert gradients(np.std(values), list(values)) == pytest.approx((data - data.mean()) / (3 * data.std()))
    for name in ("exp2", "cbrt", "arcsinh", "trunc", "floor", "ceil", "log1p", "expm1"):
        assert [v.data for v in getattr(np, name)(values)] == pytest.approx(getattr(np, name)(data))
    assert [v.data for v in np.mod(values, 2.0)] == [1.0, 1.0, 1.0]
    assert np.arctanh(np.array([Value(0.5)]))[0].data == pytest.approx(np.arctanh(0.5))
    assert np.conj(values)[0] is values[0]
    assert math.trunc(Value(-2.5)).data == -2.0
