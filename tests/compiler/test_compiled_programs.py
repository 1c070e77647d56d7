"""Program: the arrays that are found, the source, what calls may be given, what is kept and what is left alone."""

import copy
import gc
import math
import os
import pickle
import random
import re
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest
from standalone import run_source

import autograd
from autograd import Value, gradients, mean, relu, softmax, weighted_sum
from autograd.core.graph import topological_order
from nn import MLP, cross_entropy, hinge, squared_error


def points(n=30, seed=0):
    """Points in the plane, labelled -1 and 1 by quadrant."""
    rng = random.Random(seed)
    X = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(n)]
    return X, [1.0 if x * y > 0 else -1.0 for x, y in X]


def by_hand(model, x):
    """The model's output in single additions and multiplications."""
    for layer in model.layers:
        z = [sum((w * a for w, a in zip(neuron.w, x)), neuron.b) for neuron in layer.neurons]
        x = [v.relu() for v in z] if layer.activation == "relu" else z
    return x[0]


def penalty(model):
    return 1e-4 * sum(p * p for p in model.parameters())


def full_batch(model, X, y, forward=None):
    """The cost with every example written out."""
    return mean([hinge((forward or model)(x), t) for x, t in zip(X, y)]) + penalty(model)


def one_example(model):
    """The cost of one example, and the leaves that data fill."""
    x, y = [Value(0.5, "x_0"), Value(-0.5, "x_1")], Value(1.0, "y")
    return hinge(model(x), y) + penalty(model), [*x, y]


def net(*sizes, seed=0, activation="relu"):
    return MLP(2, list(sizes or (16, 16, 1)), activation, seed=seed)


def compiled_example(model):
    cost, inputs = one_example(model)
    return autograd.compile(cost, wrt=model.parameters(), inputs=inputs)


def numbers(values):
    return np.array([v.data for v in values])


# The arrays that are found


def test_a_full_batch_of_scalars_is_a_few_matrix_products():
    model, (X, y) = net(), points(100)
    cost = full_batch(model, X, y, lambda x: by_hand(model, list(map(Value, x))))
    program = autograd.compile(cost, wrt=model.parameters())
    assert program.nodes == len(topological_order(cost)) > 60_000
    assert program.kernels <= 40
    assert sum(map(program.source.count, [".dot(", "np.matmul(", " @ "])) <= 14
    assert str(program.kernels) in repr(program)
    assert f"{program.nodes:,}" in repr(program)


def test_the_number_of_kernels_does_not_grow_with_the_data_or_the_width():
    kernels = {
        autograd.compile(full_batch(model, *points(n)), wrt=model.parameters()).kernels
        for n in (10, 60)
        for model in (net(8, 8, 1), net(20, 20, 1))
    }
    assert len(kernels) == 1


def test_a_product_beside_thousands_of_single_terms_is_a_few_kernels():
    x = [Value(k / 5000, f"x_{k}") for k in range(5000)]
    cost = autograd.sum([v.tanh() for v in x]) + x[1] * x[2]
    program = autograd.compile(cost, wrt=x)
    value, slopes = program.value_and_grad()
    assert program.kernels < 20
    assert math.isclose(value, cost.data, rel_tol=1e-13)
    np.testing.assert_allclose(slopes, gradients(cost, x), rtol=1e-13)


def test_sums_written_by_hand_and_weighted_sums_give_the_same_kernels():
    model, (X, y) = net(), points()
    short = autograd.compile(full_batch(model, X, y), wrt=model.parameters())
    long = autograd.compile(full_batch(model, X, y, lambda x: by_hand(model, x)), wrt=model.parameters())
    assert long.nodes > 3 * short.nodes
    assert long.kernels == short.kernels
    assert long.value_and_grad()[0] == pytest.approx(short.value_and_grad()[0], rel=1e-12)
    assert np.allclose(long.value_and_grad()[1], short.value_and_grad()[1], rtol=1e-12, atol=1e-14)


def test_every_example_written_out_and_one_example_with_a_batch_agree():
    model, (X, y) = net(), points()
    whole = autograd.compile(full_batch(model, X, y), wrt=model.parameters())
    single = compiled_example(model)
    batch = np.column_stack([X, y])
    (cost, slope), (same, also) = whole.value_and_grad(), single.value_and_grad(batch=batch)
    assert cost == pytest.approx(same, rel=1e-12)
    assert np.allclose(slope, also, rtol=1e-12, atol=1e-14)
    assert single.kernels <= whole.kernels + 6


def test_the_gradient_is_that_of_the_eager_engine_for_classes_too():
    model = MLP(5, [7, 4], "tanh", seed=1)
    rng = random.Random(0)
    x, y = [Value(0.0, f"x_{i}") for i in range(5)], [Value(0.25, f"y_{i}") for i in range(4)]
    program = autograd.compile(cross_entropy(model(x), y), wrt=model.parameters(), inputs=[*x, *y])
    X = [[rng.gauss(0, 1) for _ in range(5)] for _ in range(12)]
    targets = [rng.randrange(4) for _ in X]
    cost = mean([cross_entropy(model(row), k) for row, k in zip(X, targets)])
    value, slope = program.value_and_grad(batch=np.hstack([X, np.eye(4)[targets]]))
    assert value == pytest.approx(cost.data, rel=1e-12)
    assert np.allclose(slope, gradients(cost, model.parameters()), rtol=1e-12, atol=1e-14)
    assert program.kernels < 50


def attention(rows, queries, keys, values):
    """What every row reads from itself and the rows before it."""
    q, k, v = ([[weighted_sum(w, x) for w in matrix] for x in rows] for matrix in (queries, keys, values))
    reads = []
    for t in range(len(rows)):
        weights = softmax([weighted_sum(q[t], key) for key in k[: t + 1]])
        reads.append([weighted_sum(weights, column[: t + 1]) for column in zip(*v)])
    return reads


@pytest.mark.parametrize("length", [4, 8])
def test_attention_is_a_few_calls_whatever_the_length_of_the_sequence(length):
    rng = random.Random(0)
    matrix = lambda n, m: [[Value(rng.gauss(0, 0.5)) for _ in range(m)] for _ in range(n)]  # noqa: E731
    rows, weights = matrix(length, 6), [matrix(6, 6) for _ in range(3)]
    cost = mean([x * x for row in attention(rows, *weights) for x in row])
    wrt = [p for table in (rows, *weights) for row in table for p in row]
    program = autograd.compile(cost, wrt=wrt)
    assert program.kernels <= 80
    value, slope = program.value_and_grad()
    assert value == pytest.approx(cost.data, rel=1e-12)
    assert np.allclose(slope, gradients(cost, wrt), rtol=1e-12, atol=1e-14)


# The source


def test_the_first_rows_of_attention_which_see_few_others_need_no_calls_of_their_own():
    kernels = set()
    for length in (5, 7):
        rows = [[Value(0.1 * i - 0.2 * j) for j in range(4)] for i in range(length)]
        weights = [[[Value(0.3 * ((i + 2 * j + k) % 5) - 0.5) for j in range(4)] for i in range(4)] for k in range(3)]
        cost = mean([x.tanh() for row in attention(rows, *weights) for x in row])
        wrt = [w for matrix in weights for row in matrix for w in row]
        program = autograd.compile(cost, wrt=wrt)
        assert np.allclose(program.value_and_grad()[1], gradients(cost, wrt), rtol=1e-12, atol=1e-14)
        kernels.add(program.kernels)
    assert len(kernels) == 1, kernels  # one tail for all rows, whatever the length


@pytest.mark.parametrize("example", [one_example, lambda model: (full_batch(model, *points(12)), [])])
def test_biases_are_added_by_the_matrix_product_or_after_it(example, monkeypatch):
    model = net(4, 3, 1, activation="tanh")
    cost, inputs = example(model)
    wrt = [p for layer in model.layers for neuron in layer.neurons for p in (*neuron.w, neuron.b)]
    kernels = []
    for most in (0, 5000):
        monkeypatch.setattr(autograd.compiler.roll, "_ORDERED", most)
        for order in (wrt, random.Random(0).sample(wrt, len(wrt))):
            program = autograd.compile(cost, wrt=order, inputs=inputs)
            assert np.allclose(program.value_and_grad()[1], gradients(cost, order), rtol=1e-12, atol=1e-15)
        kernels.append(program.kernels)
    assert kernels[1] <= kernels[0]


def test_a_gradient_in_the_place_of_another_counts_every_path():
    w = [Value(0.2 + 0.1 * k) for k in range(6)]
    shared = [x.log() for x in w]  # read three times: with a factor of -1, with one of 2, and as it is
    cost = (
        autograd.sum([x.cos() for x in shared]) + autograd.sum([x * 2.0 for x in shared]) + mean([-x for x in shared])
    )
    program = autograd.compile(cost, wrt=w)
    value, slope = program.value_and_grad()
    assert value == pytest.approx(cost.data, rel=1e-13)
    assert np.allclose(slope, gradients(cost, w), rtol=1e-13)


@pytest.mark.parametrize("total", [autograd.sum, mean, lambda xs: mean([x * 2.0 for x in xs])])
def test_a_gradient_that_is_one_number_can_be_added_to(total):
    w = [Value(0.2 + 0.1 * k) for k in range(6)]
    units = [x.tanh() for x in w]
    for cost in (
        units[2] * units[4] + total(units),
        total(units) * units[1] + autograd.sum([x**2 for x in units]),
    ):
        program = autograd.compile(cost, wrt=w)
        assert np.allclose(program.value_and_grad()[1], gradients(cost, w), rtol=1e-13)


def test_constant_factors_that_together_are_too_small_for_a_float_are_multiplied_in_one_by_one():
    w = [Value(0.5 + 0.1 * k) for k in range(6)]
    cost = autograd.sum([((x.sin() * 1e-200) * 1e-200).exp() * 1e300 for x in w])
    program = autograd.compile(cost, wrt=w)
    assert np.allclose(program.value_and_grad()[1], gradients(cost, w), rtol=1e-13, atol=0)  # about 1e-100


@pytest.mark.parametrize("batched", [False, True])
def test_the_source_runs_on_its_own_and_gives_the_gradient(batched):
    model, (X, y) = net(5, 5, 1), points(12)
    theta = numbers(model.parameters())
    batch = np.column_stack([X, y]) if batched else None
    program = compiled_example(model) if batched else autograd.compile(full_batch(model, X, y), wrt=model.parameters())
    cost, slope = program.value_and_grad(theta, batch)
    mean, gradient = run_source(program.source, theta, batch)
    assert mean == pytest.approx(cost, rel=1e-15)
    assert gradient.tolist() == slope.tolist()


def test_the_source_needs_numpy_alone(tmp_path):
    model, (X, y) = net(3, 1), points(70)
    program = autograd.compile(full_batch(model, X, y), wrt=model.parameters())
    script = tmp_path / "alone.py"
    theta = numbers(model.parameters()).tolist()
    script.write_text(
        f"{program.source}\ncost, gradient = value_and_grad({theta})\n"
        "import sys\nassert 'autograd' not in sys.modules\nprint(float(cost))\n"
    )
    run = subprocess.run([sys.executable, "-I", script], capture_output=True, text=True, cwd=tmp_path)
    assert run.stderr == ""
    assert float(run.stdout) == pytest.approx(program.forward(), rel=1e-14)


def test_the_source_names_arrays_after_the_labels_of_the_textbook():
    model, (X, y) = net(), points()
    source = autograd.compile(full_batch(model, X, y), wrt=model.parameters()).source
    for name in ("b1_w1", "z1", "a1", "b2_w2", "z2", "a2", "b3_w3", "z3"):  # a bias lies before its weights
        assert f"\n    {name} = " in source or f" {name} = " in source, f"{name} is missing in\n{source}"
    assert re.search(r"np\.maximum\(z1, \w+, (out=)?a1\)", source), source


def test_labels_that_are_no_names_or_names_of_python_do_no_harm():
    labels = ["np", "forward", "v", "g", "class", "λ", "a b", "1x", "print", "out", "math", "w_1'", "\n", '"""', "exp"]
    w = [Value(0.1 * k, label) for k, label in enumerate(labels)]
    for cost in (mean([x.tanh() * x for x in w]), w[0] * w[1] + w[2] / (w[3] + 1) * w[4] + w[5] * w[6] + w[7].exp()):
        program = autograd.compile(cost, wrt=w)
        assert program.value_and_grad()[0] == pytest.approx(cost.data, rel=1e-12)
        assert np.allclose(program.value_and_grad()[1], gradients(cost, w), rtol=1e-12)
        exec(program.source, {})


def test_the_source_holds_the_data_of_leaves_that_are_neither_parameters_nor_inputs():
    w, y = [Value(0.5), Value(0.25)], [Value(3.0), Value(4.0)]
    cost = autograd.sum([(a - b) ** 2 for a, b in zip(w, y)])
    program = autograd.compile(cost, wrt=w)
    cost, gradient = run_source(program.source, [0.5, 0.25])
    assert (cost, gradient.tolist()) == (2.5**2 + 3.75**2, [-5.0, -7.5])


STABLE = """
import autograd, random
from autograd import Value, mean, softmax, weighted_sum
from nn import MLP, hinge, cross_entropy
model = MLP(2, [6, 5, 3], "gelu", seed=0)
rng = random.Random(0)
cost = mean([cross_entropy(model([rng.random(), rng.random()]), k % 3) for k in range(20)])
extra = [Value(rng.random(), f"p_{k}") for k in range(9)]
state = cost
for k in range(60):
    state = (state * rng.choice(extra)).tanh() + rng.choice(extra).sin() * rng.choice(extra)
program = autograd.compile(state, wrt=model.parameters() + extra)
print(program.source, program.kernels)
"""


def test_source_and_kernels_are_the_same_from_run_to_run():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", STABLE],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "271828")
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 1000


# What calls are given


@pytest.fixture(name="program")
def batched_program():
    return compiled_example(net(4, 1))


def test_how_numpy_treats_errors_is_left_as_it_was(program):
    x = Value(0.5)
    overflows = autograd.compile((x * 1000.0).exp().tanh(), wrt=[x])
    before = np.geterr()
    with np.errstate(over="ignore"), pytest.raises(OverflowError):
        overflows.value_and_grad([1.0])
    program.value_and_grad(np.ones(17), np.ones((3, 3)))
    assert np.geterr() == before
    with pytest.warns(RuntimeWarning):
        np.exp(np.array([1e4]))


def test_theta_of_another_shape_is_refused(program):
    for theta in (np.ones(16), np.ones(18), np.ones((17, 1)), 1.0, []):
        with pytest.raises(ValueError, match=r"theta has shape .*17 parameters, in the order of wrt"):
            program.value_and_grad(theta, [[1.0, 2.0, 1.0]])
        with pytest.raises(ValueError, match="17 parameters"):
            program.forward(theta, [[1.0, 2.0, 1.0]])


def test_a_batch_of_another_shape_is_refused(program):
    for batch in (np.ones((5, 2)), np.ones((5, 4)), np.ones(3), np.ones((0, 3)), np.ones((2, 3, 1)), 1.0):
        with pytest.raises(ValueError, match=r"a batch has shape \(examples, 3\), one column per input"):
            program.value_and_grad(batch=batch)
    w = Value(1.0)
    with pytest.raises(ValueError, match="compiled without inputs"):
        autograd.compile(w * w, wrt=[w]).forward(batch=[[1.0]])


def test_lists_integers_and_strided_arrays_are_as_good_as_arrays_of_floats(program):
    theta, batch = np.arange(17) * 0.1, np.array([[1.0, 2.0, 1.0], [0.0, -1.0, -1.0]])
    want = program.forward(theta, batch)
    assert program.forward(theta.tolist(), batch.astype(int).tolist()).tolist() == want.tolist()
    strided = np.repeat(np.repeat(batch, 2, axis=0), 2, axis=1)[::2, ::2]
    assert program.forward(np.repeat(theta, 2)[::2], np.asfortranarray(strided)).tolist() == want.tolist()


def test_wrt_and_inputs_are_leaves_each_in_one_place():
    w, x = Value(2.0, "w"), Value(3.0, "x")
    z = w * x
    with pytest.raises(ValueError, match=r"wrt takes leaves; Value\(data=6.0.* by mul"):
        autograd.compile(z * z, wrt=[z])
    with pytest.raises(ValueError, match="inputs takes leaves"):
        autograd.compile(z * z, wrt=[w], inputs=[z])
    for wrt, inputs in (([w], [w]), ([w, w], [x]), ([w], [x, x])):
        with pytest.raises(ValueError, match="twice"):
            autograd.compile(z, wrt=wrt, inputs=inputs)
    with pytest.raises(TypeError, match=r"wrt takes Values, not 2\.0"):
        autograd.compile(z, wrt=[2.0])
    for cost in (3.0, "cost", [], [z, 1.0], None):
        with pytest.raises(TypeError, match="compile takes a Value, a list of Values or a function"):
            autograd.compile(cost, wrt=[w])


def test_numbers_that_are_masked_are_refused():
    w, x = Value(2.0), Value(3.0)
    program, masked = autograd.compile(w * x, wrt=[w], inputs=[x]), np.ma.array([[1.0], [-999.0]], mask=[[0], [1]])
    function = autograd.compile(lambda x: 2 * x)
    for call in (lambda: program.forward(batch=masked), lambda: program.value_and_grad(np.ma.array([1.0], mask=[1]))):
        with pytest.raises(ValueError, match=r"(?s)masked.*leave them out"):
            call()
    with pytest.raises(ValueError, match="masked"):
        function(np.ma.masked)
    assert function(np.ma.array([1.0, 2.0])).tolist() == [2.0, 4.0]


def test_several_roots_have_values_and_no_gradient():
    w, x = Value(2.0), Value(3.0)
    program = autograd.compile([w * x, w + x, w], wrt=[w], inputs=[x])
    assert program.forward([5.0], [[1.0], [2.0]]).tolist() == [[5.0, 6.0, 5.0], [10.0, 7.0, 5.0]]
    with pytest.raises(ValueError, match="3 roots; a gradient needs one cost"):
        program.value_and_grad()
    assert autograd.compile([w * x, w], wrt=[w, x]).forward().tolist() == [6.0, 2.0]


def test_one_root_in_a_list_has_a_column_of_its_own():
    w, x = Value(2.0), Value(3.0)
    program = autograd.compile([w * x], wrt=[w], inputs=[x])
    assert np.shape(program.forward([5.0], [[1.0], [2.0]])) in ((2, 1), (2,))


# What a call returns


def test_what_a_call_returns_is_the_callers_own(program):
    theta, batch = np.full(17, 0.3), np.array([[1.0, 2.0, -1.0], [0.5, 0.5, -1.0]])
    kept = [program.forward(theta, batch), program.value_and_grad(theta, batch)[1]]
    copies = [array.copy() for array in kept]
    program.forward(-theta, 2 * batch)
    program.value_and_grad(-theta, 2 * batch)
    assert [a.tolist() for a in kept] == [a.tolist() for a in copies]
    for array in kept:
        array[:] = math.nan  # writing into it harms no later call
    assert program.value_and_grad(theta, batch)[1].tolist() == copies[1].tolist()


def test_arguments_are_only_read(program):
    theta, batch = np.full(17, 0.3), np.array([[1.0, 2.0, -1.0]])
    theta.flags.writeable = batch.flags.writeable = False
    program.value_and_grad(theta, batch)
    program.forward(theta, batch)


def test_the_same_call_gives_the_same_bits_after_calls_with_other_batches(program):
    theta, rng = np.linspace(-1, 1, 17), np.random.default_rng(0)
    batches = [rng.normal(size=(n, 3)) for n in (1, 2, 5, 64, 3, 7, 8, 9, 10, 11, 12)]
    first = [program.value_and_grad(theta, batch)[1].tolist() for batch in batches]
    again = [program.value_and_grad(theta, batch)[1].tolist() for batch in batches[::-1]]
    assert first == again[::-1]


def test_an_error_leaves_the_program_as_it_was():
    w, x = [Value(0.5, f"w_{k}") for k in range(20)], Value(1.0, "x")
    program = autograd.compile(autograd.sum([autograd.log(v * x) for v in w]), wrt=w, inputs=[x])
    theta = np.linspace(1, 2, 20)
    before = program.value_and_grad(theta, [[2.0]])
    for batch in ([[-1.0]], [[0.0]], [[2.0], [-1.0]]):
        with pytest.raises(ValueError, match="log is not defined"):
            program.value_and_grad(theta, batch)
    after = program.value_and_grad(theta, [[2.0]])
    assert (before[0], before[1].tolist()) == (after[0], after[1].tolist())


# In place of cost.backward()


def test_backward_adds_into_the_gradients_and_sets_the_cost():
    model, (X, y) = net(5, 1), points(9)
    parameters = model.parameters()
    cost = full_batch(model, X, y)
    want, slope = cost.data, gradients(cost, parameters)
    program = autograd.compile(cost, wrt=parameters)
    cost.data = 0.0
    assert program.backward() == pytest.approx(want, rel=1e-12)
    assert cost.data == pytest.approx(want, rel=1e-12)
    assert np.allclose([p.grad for p in parameters], slope, rtol=1e-12, atol=1e-14)
    program.backward()
    assert np.allclose([p.grad for p in parameters], 2 * np.array(slope), rtol=1e-12, atol=1e-14)


def test_backward_leaves_inner_nodes_and_other_leaves_untouched():
    w, x = Value(2.0, "w"), Value(3.0, "x")
    z = w * x
    cost = z.tanh() * z
    cost.backward()
    autograd.zero_grad([w])
    before = {node: (node.data, node.grad) for node in topological_order(cost) if node is not w}
    program = autograd.compile(cost, wrt=[w])
    program.backward()
    assert {node: (node.data, node.grad) for node in before} == before


def test_backward_sees_changed_data_of_parameters_and_of_other_leaves():
    w, x, free = Value(2.0, "w"), Value(3.0, "x"), Value(1.0)
    program = autograd.compile(w * w * x + free, wrt=[w], inputs=[x])
    assert program.backward() == 13.0
    w.data, x.data, free.data = 1.0, 5.0, 0.5
    assert program.backward() == 5.5
    assert w.grad == 12.0 + 10.0
    assert program.forward([2.0], [[1.0], [2.0]]).tolist() == [4.5, 8.5]
    free.data = 1.5
    assert program.forward([2.0], [[1.0], [2.0]]).tolist() == [5.5, 9.5]


def test_constants_written_as_plain_numbers_stay_as_they_were():
    w, factor = Value(2.0), 3.0
    program = autograd.compile(w * factor, wrt=[w])
    assert program.value_and_grad([5.0])[0] == 15.0


def test_training_by_a_program_is_training_by_the_eager_engine():
    runs = []
    for compiled in (False, True):
        model, (X, y) = net(6, 1), points(20)
        parameters = model.parameters()
        program = autograd.compile(full_batch(model, X, y), wrt=parameters) if compiled else None
        costs = []
        for _ in range(40):
            autograd.zero_grad(parameters)
            if program:
                costs.append(program.backward())
            else:
                cost = full_batch(model, X, y)
                cost.backward()
                costs.append(cost.data)
            for p in parameters:
                p.data -= 0.2 * p.grad
        runs.append(costs)
    assert runs[0] == pytest.approx(runs[1], rel=1e-9)
    assert runs[0][-1] < 0.7 * runs[0][0]


# Safe to keep


def test_a_program_keeps_the_leaves_and_nothing_else_of_its_graph():
    w, x = Value(2.0), Value(3.0)
    inner = w * x
    cost = inner.tanh()
    gone = [weakref.ref(inner), weakref.ref(cost)]
    program = autograd.compile(cost, wrt=[w], inputs=[x])
    gc.disable()
    try:
        del inner, cost
        assert [reference() for reference in gone] == [None, None]
    finally:
        gc.enable()
    assert program.backward() == pytest.approx(math.tanh(6.0))


def test_a_graph_of_many_nodes_is_freed_while_its_program_lives():
    def values():
        gc.collect()
        return sum(issubclass(type(x), Value) for x in gc.get_objects())

    model, (X, y) = net(8, 1), points(50)
    before = values()
    program = autograd.compile(full_batch(model, X, y), wrt=model.parameters())
    program.backward()
    assert values() - before <= 2
    del program


def test_a_program_is_freed_when_it_is_dropped():
    program = compiled_example(net(3, 1))
    program.value_and_grad(batch=[[1.0, 2.0, 1.0]])
    reference = weakref.ref(program)
    del program
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
def test_a_copy_computes_the_same_to_the_bit(copied):
    program = compiled_example(net(4, 1))
    program.value_and_grad(batch=[[1.0, 2.0, 1.0]])  # with buffers already made
    twin = copied(program)
    theta, batch = np.linspace(-1, 1, 17), np.random.default_rng(0).normal(size=(6, 3))
    (cost, slope), (same, also) = program.value_and_grad(theta, batch), twin.value_and_grad(theta, batch)
    assert (cost, slope.tolist()) == (same, also.tolist())
    assert (twin.source, twin.nodes, twin.kernels) == (program.source, program.nodes, program.kernels)


def test_a_pickled_program_remembers_the_data_of_the_leaves_and_runs_in_another_process(tmp_path):
    w, x, free = Value(2.0, "w"), Value(3.0, "x"), Value(0.5)
    program = autograd.compile(autograd.log(w * x) + free, wrt=[w], inputs=[x])
    (tmp_path / "program").write_bytes(pickle.dumps(program))
    code = (
        "import pickle, sys\np = pickle.load(open(sys.argv[1], 'rb'))\n"
        "print(p.backward(), *p.forward([1.0], [[1.0]]))\n"
        "try: p.forward([-1.0], [[1.0]])\nexcept ValueError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", code, tmp_path / "program"], capture_output=True, text=True, check=True)
    first, message = run.stdout.splitlines()
    assert first.split() == [str(program.backward()), "0.5"]
    assert message.startswith("log is not defined at x = -1.0")


def test_threads_may_share_a_program():
    program = compiled_example(net())
    rng = np.random.default_rng(0)
    theta = rng.normal(size=337)
    batches = [rng.normal(size=(20 + 7 * (k % 3), 3)) for k in range(8)]
    want = [program.value_and_grad(theta, batch) for batch in batches]
    wrong, start = [], threading.Barrier(len(batches))

    def work(k):
        start.wait()
        for _ in range(150):
            cost, slope = program.value_and_grad(theta, batches[k])
            if cost != want[k][0] or slope.tolist() != want[k][1].tolist():
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(batches))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_backward_of_several_threads_loses_nothing():
    w = [Value(1.0) for _ in range(30)]
    program = autograd.compile(autograd.sum([v * v for v in w]), wrt=w)
    threads = [threading.Thread(target=lambda: [program.backward() for _ in range(100)]) for _ in range(6)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert [v.grad for v in w] == [1200.0] * 30


def test_a_forward_pass_of_nan_data_gives_nan_without_a_warning():
    w = [Value(1.0) for _ in range(20)]
    program = autograd.compile(autograd.sum([v.tanh() for v in w]), wrt=w)
    assert math.isnan(program.forward([math.nan] * 20))


# Functions


def test_a_compiled_function_takes_numbers_and_arrays():
    f = autograd.compile(lambda x, y: autograd.sin(x) * y + x**2)
    assert f(1.0, 2) == pytest.approx(2 * math.sin(1) + 1, rel=1e-15)
    assert type(f(1.0, 2)) is float
    xs, ys = np.linspace(-2, 2, 50), np.linspace(0, 1, 50)
    assert np.allclose(f(xs, ys), np.sin(xs) * ys + xs**2, rtol=1e-14)
    assert np.allclose(f(xs, 3.0), np.sin(xs) * 3 + xs**2, rtol=1e-14)
    assert np.allclose(f(xs.tolist(), 3), np.sin(xs) * 3 + xs**2, rtol=1e-14)
    assert f(np.array([1.0]), 2.0).shape == (1,)


def test_an_array_that_holds_one_value_is_compiled_as_that_value():
    square = lambda xs: np.tensordot(np.array(xs), np.array(xs), 1)  # noqa: E731
    assert autograd.compile(lambda x, y: square([x, y])).value_and_grad(1.0, 3.0) == (10.0, 2.0, 6.0)
    x = Value(3.0)
    assert autograd.compile(square([x]), wrt=[x]).value_and_grad() == (9.0, [6.0])


def test_a_compiled_function_of_no_elements_gives_none():
    f = autograd.compile(lambda x, y: x * y)
    assert f(np.array([]), 2.0).shape == (0,)
    assert [x.shape for x in f.value_and_grad([], [])] == [(0,)] * 3
    with pytest.raises(ValueError, match="arrays are of one length, not 3, 2"):
        f(np.ones(3), np.ones(2))
    with pytest.raises(ValueError, match="arrays are of one length, not 0, 2"):
        f([], np.ones(2))


def test_functions_that_cannot_be_compiled_say_why():
    x = Value(1.0)
    for f, message in {
        (lambda x: [x, x]): "a function that returns one number. .* does not: .* make a Value of each",
        (lambda x: None): "a function that returns one number. .* does not: .* return statement missing",
        (lambda x, *, k: x * k): "k is taken by keyword only",
        (lambda: 1.0): "takes none",
        (lambda *xs: xs[0]): r"\*args and \*\*kwargs do not say",
    }.items():
        with pytest.raises(TypeError, match=message):
            autograd.compile(f)
    for options in ({"wrt": [x]}, {"inputs": [x]}, {"wrt": x}):
        with pytest.raises(TypeError, match="wrt and inputs are for a cost that is computed already"):
            autograd.compile(lambda x: x * x, **options)


def test_a_compiled_function_gives_one_gradient_per_argument():
    f = autograd.compile(lambda x, y: autograd.sin(x) * y + x**2)
    value, dx, dy = f.value_and_grad(1.0, 2.0)
    assert (value, dx, dy) == pytest.approx((2 * math.sin(1) + 1, 2 * math.cos(1) + 2, math.sin(1)), rel=1e-15)
    assert all(type(x) is float for x in (value, dx, dy))
    xs = np.linspace(-2, 2, 50)
    value, dx, dy = f.value_and_grad(xs, 3.0)
    assert np.allclose(value, f(xs, 3.0), rtol=1e-15)
    assert np.allclose(dx, 3 * np.cos(xs) + 2 * xs, rtol=1e-13)
    assert np.allclose(dy, np.sin(xs), rtol=1e-13)
    assert dy.shape == (50,)


def test_arrays_that_a_compiled_function_returns_are_the_callers_own():
    f = autograd.compile(lambda x: x * x)
    first, slope = f.value_and_grad(np.array([1.0, 2.0]))
    f.value_and_grad(np.array([5.0, 6.0]))
    assert (first.tolist(), slope.tolist()) == ([1.0, 4.0], [2.0, 4.0])


def test_a_compiled_function_is_traced_once():
    calls = []
    f = autograd.compile(lambda x: calls.append(x) or x * 2.0)
    assert [f(1.0), f(2.0), f(3.0)] == [2.0, 4.0, 6.0]
    assert len(calls) == 1


@pytest.mark.parametrize(
    "branching",
    [
        lambda x: x if x > 0 else -x,
        lambda x: x * float(x),
        lambda x: x if x else -x,
        lambda x: x ** int(x),
        lambda x: x * round(x, 2),
        lambda x: max([x, 2 * x]),
        lambda x: x if x >= 0 else -x,
    ],
)
def test_branching_on_a_value_inside_a_compiled_function_is_refused_with_advice(branching):
    with pytest.raises(TypeError, match=r"frozen into the program. Use where\(a - b, x, y\)"):
        autograd.compile(branching)


def test_branching_is_allowed_again_after_a_refusal():
    with pytest.raises(TypeError, match="frozen"):
        autograd.compile(lambda x: x if x > 0 else -x)
    assert Value(2.0) > 1.0


def test_branches_written_with_where_compile():
    f = autograd.compile(lambda x: autograd.where(x - 1, x * x, autograd.where(x, x, -x)))
    xs = np.array([-2.0, 0.5, 1.0, 3.0])
    value, slope = f.value_and_grad(xs)
    assert value.tolist() == [2.0, 0.5, 1.0, 9.0]
    assert slope.tolist() == [-1.0, 1.0, 1.0, 6.0]


def test_a_compiled_function_sees_the_values_it_closes_over():
    scale = Value(2.0, "scale")
    f = autograd.compile(lambda x: relu(scale * x))
    assert f.value_and_grad(3.0) == (6.0, 2.0)
    scale.data = 5.0
    assert f.value_and_grad(3.0) == (15.0, 5.0)
    assert f(np.array([1.0, -1.0])).tolist() == [5.0, 0.0]
    assert scale.grad == 0.0


def test_a_compiled_model_is_a_function_of_its_inputs():
    model = net(6, 1, activation="tanh")
    f = autograd.compile(lambda x, y: squared_error(model([x, y]), 1.0))
    want = squared_error(model([0.3, -0.8]), 1.0)
    assert f(0.3, -0.8) == pytest.approx(want.data, rel=1e-12)


def test_a_compiled_function_of_no_use_for_an_argument():
    f = autograd.compile(lambda x, y: y * 2.0)
    value, dx, dy = f.value_and_grad(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert (value.tolist(), dx.tolist(), dy.tolist()) == ([6.0, 8.0], [0.0, 0.0], [2.0, 2.0])
    constant = autograd.compile(lambda x: 7)
    assert constant.value_and_grad(np.array([1.0, 2.0]))[0].tolist() == [7.0, 7.0]
    assert constant(1.0) == 7.0
    identity = autograd.compile(lambda x: x)
    assert identity.value_and_grad(2.0) == (2.0, 1.0)


def test_a_compiled_function_raises_what_the_function_does():
    f = autograd.compile(lambda x, y: autograd.log(x - y))
    with pytest.raises(ValueError, match=r"log is not defined at x = -1\.0"):
        f(1.0, 2.0)
    with pytest.raises(ValueError, match=r"log is not defined at x = -1\.0"):
        f(np.array([3.0, 1.0]), 2.0)
    assert f(3.0, 2.0) == 0.0


def test_a_compiled_function_refuses_what_it_cannot_take():
    f = autograd.compile(lambda x, y: x * y)
    with pytest.raises(TypeError, match="takes 2 numbers or 1-D arrays, not 1"):
        f(1.0)
    with pytest.raises(TypeError, match="numbers or 1-D arrays"):
        f(np.ones((2, 2)), 1.0)
    with pytest.raises(ValueError, match=r"2.*3|shape"):
        f(np.ones(2), np.ones(3))
    with pytest.raises(TypeError, match=r"\*args"):
        autograd.compile(lambda *xs: xs[0])
    with pytest.raises(TypeError, match="takes none"):
        autograd.compile(lambda: Value(1.0))


def test_defaults_of_a_compiled_function_stay_what_they_are():
    f = autograd.compile(lambda x, n=3: x**n)
    assert f.value_and_grad(2.0) == (8.0, 12.0)


def test_importing_autograd_loads_no_numpy():
    code = "import sys, autograd; assert 'numpy' not in sys.modules; autograd.compile"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "f", [lambda v: v[0] * v[1], lambda v: autograd.sum(list(v)), len, lambda v: sum([x * x for x in v])]
)
def test_a_function_of_a_list_is_told_to_take_numbers(f):
    with pytest.raises(TypeError, match=r"one number for each argument, .* a list .* lambda a, b: \w+\(\[a, b\]\)"):
        autograd.compile(f)


def test_a_function_of_the_math_module_is_told_which_to_use():
    with pytest.raises(TypeError, match=r"where\(a - b, x, y\).*autograd\.exp instead of math\.exp"):
        autograd.compile(lambda x: math.sin(x))


def test_numpys_functions_compile_without_a_warning():
    with np.errstate(all="warn"):
        assert autograd.compile(lambda x: np.sin(x) * np.exp(x))(0.5) == pytest.approx(np.sin(0.5) * np.exp(0.5))
