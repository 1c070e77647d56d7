import math
import random
import threading
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import (
    Value,
    count_multiplications,
    exp,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    maximum,
    sin,
    tanh,
    value_and_grad,
    vjp,
    weighted_sum,
)
from autograd.recording import tracing


def rosenbrock(x):
    return sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(len(x) - 1))


def rosenbrock_gradient(x):
    slope = np.zeros_like(x)
    slope[:-1] += -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    slope[1:] += 200 * (x[1:] - x[:-1] ** 2)
    return slope


def rosenbrock_hessian(x):
    matrix = np.zeros((len(x), len(x)))
    for i in range(len(x) - 1):
        matrix[i, i] += 1200 * x[i] ** 2 - 400 * x[i + 1] + 2
        matrix[i, i + 1] = matrix[i + 1, i] = -400 * x[i]
        matrix[i + 1, i + 1] += 200
    return matrix


POINT = np.array([0.3, -0.7, 1.1, 0.9])


# Shapes


def test_grad_of_a_number_is_a_float():
    assert grad(lambda x: x**3)(2) == 12.0
    assert type(grad(lambda x: x**3)(np.float32(2))) is float


class Layer(NamedTuple):
    w: object
    b: object


def test_the_result_has_the_shape_of_the_argument():
    def f(p):
        return p["layers"][0].w[0] * p["x"][1] + p["layers"][0].b * 3 + p["x"].sum() + p["pair"][0] * p["pair"][1]

    p = {"layers": [Layer([2.0], 1.0)], "x": np.array([5.0, 7.0, 0.0]), "pair": (3.0, 4.0)}
    slope = grad(f)(p)
    assert slope["layers"] == [Layer([7.0], 3.0)]
    assert isinstance(slope["layers"][0], Layer)
    assert slope["pair"] == (4.0, 3.0)
    assert slope["x"].dtype == float
    assert slope["x"].tolist() == [1.0, 3.0, 1.0]
    assert list(slope) == ["layers", "x", "pair"]


def test_arrays_of_any_shape_and_number_type():
    x = np.arange(6).reshape(2, 3)
    assert grad(lambda x: (x**2).sum())(x).tolist() == [[0.0, 2.0, 4.0], [6.0, 8.0, 10.0]]
    assert grad(lambda x: (x[0] @ x[1]) * 1.0)(x).tolist() == [[3.0, 4.0, 5.0], [0.0, 1.0, 2.0]]
    seen = []
    grad(lambda x: seen.append(x) or x[0, 0])(x)
    assert seen[0].dtype == object
    assert seen[0].shape == (2, 3)
    assert grad(lambda x: 1.0)(np.zeros((0, 2))).shape == (0, 2)


def test_argnums_one_several_or_from_the_end():
    f = lambda x, y, z: x * y**2 * z  # noqa: E731
    assert grad(f, argnums=1)(2.0, 3.0, 5.0) == 60.0
    assert grad(f, argnums=-1)(2.0, 3.0, 5.0) == 18.0
    assert grad(f, argnums=(2, 0))(2.0, 3.0, 5.0) == (18.0, 45.0)
    assert grad(f, argnums=[0])(2.0, 3.0, 5.0) == (45.0,)


def test_other_arguments_reach_the_function_as_they_are():
    def f(x, name, power=1, *, scale):
        assert name == "anything"
        return scale * x**power

    assert grad(f)(2.0, "anything", 3, scale=5.0) == 60.0


def test_value_and_grad_gives_both():
    assert value_and_grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 5.0) == (10.0, (5.0, 2.0))


def test_a_result_that_does_not_depend_on_the_argument_has_slope_zero():
    assert grad(lambda x: 3.0)(2.0) == 0.0
    assert value_and_grad(lambda x, y: y * 1.0)(2.0, 5.0) == (5.0, 0.0)
    assert grad(lambda x: x[0] * 2)([1.0, 5.0]) == [2.0, 0.0]


def test_the_function_itself_may_be_the_identity():
    assert value_and_grad(lambda x: x)(2.0) == (2.0, 1.0)
    assert grad(grad(lambda x: x))(2.0) == 0.0


def test_nothing_that_the_caller_holds_is_written():
    x = Value(2.0)
    grad(lambda t: t * t)(x)
    hessian(lambda t: t * t * x)(3.0)
    assert x.grad == 0.0


def test_jacobian_of_arrays_lists_and_dicts():
    matrix = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert jacobian(lambda x: matrix @ x)(np.ones(3)).tolist() == matrix.tolist()
    assert jacobian(lambda x: [x[0] * x[1], x[0]])([2.0, 3.0]) == [[3.0, 2.0], [1.0, 0.0]]
    out = jacobian(lambda p: {"product": p[0] * p[1], "first": p[0]})((2.0, 3.0))
    assert out == {"product": (3.0, 2.0), "first": (1.0, 0.0)}
    assert jacobian(lambda x: x[0] * x[1])([2.0, 3.0]) == [3.0, 2.0]
    assert jacobian(lambda x, y: x * y, argnums=(0, 1))(np.array([1.0, 2.0]), 3.0)[1].tolist() == [1.0, 2.0]
    mixed = jacobian(lambda x: [x[0] * x, 5.0])(np.array([2.0, 3.0]))
    assert mixed[0].tolist() == [[4.0, 0.0], [3.0, 2.0]]
    assert mixed[1].tolist() == [0.0, 0.0]
    cube = jacobian(lambda x: np.outer(x, x))(np.array([2.0, 3.0]))
    assert cube.shape == (2, 2, 2)
    assert cube[0, 1].tolist() == [3.0, 2.0]


def test_gradient_hessian_and_products_of_the_rosenbrock_function():
    v = np.array([1.0, -2.0, 0.5, 3.0])
    want = rosenbrock_hessian(POINT)
    assert grad(rosenbrock)(POINT) == pytest.approx(rosenbrock_gradient(POINT), rel=1e-13)
    assert hessian(rosenbrock)(POINT) == pytest.approx(want, rel=1e-13)
    assert hvp(rosenbrock, POINT, v) == pytest.approx(want @ v, rel=1e-13)
    assert hvp(rosenbrock, POINT.tolist(), v.tolist()) == pytest.approx((want @ v).tolist(), rel=1e-13)
    assert np.array(hessian(rosenbrock)(POINT.tolist())) == pytest.approx(want, rel=1e-13)
    assert jacobian(grad(rosenbrock))(POINT) == pytest.approx(want, rel=1e-13)
    assert jvp(grad(rosenbrock), (POINT,), (v,))[1] == pytest.approx(want @ v, rel=1e-13)
    assert grad(lambda x: (grad(rosenbrock)(x) * v).sum())(POINT) == pytest.approx(want @ v, rel=1e-13)


def test_hessian_in_several_arguments_has_blocks():
    out = hessian(lambda x, y: x * x * y[0] * y[1], argnums=(0, 1))(3.0, [2.0, 5.0])
    assert out == ((20.0, [30.0, 12.0]), [(30.0, [0.0, 9.0]), (12.0, [9.0, 0.0])])
    blocks = hessian(lambda x, y: (x @ x) * y.sum(), argnums=(0, 1))(np.array([1.0, 2.0]), np.ones(3))
    assert blocks[0][1].tolist() == [[2.0] * 3, [4.0] * 3]
    assert blocks[1][0].tolist() == [[2.0, 4.0]] * 3


# Forward and reverse


def test_jvp_is_the_jacobian_times_a_vector_and_vjp_a_vector_times_the_jacobian():
    f = lambda x: [exp(x[0]) * x[1], x[2] * x[0], tanh(x[1])]  # noqa: E731
    x, v, w = [0.3, -0.5, 0.7], [1.0, 2.0, -1.0], [0.5, -1.0, 2.0]
    matrix = np.array(jacobian(f)(x))
    value, tangent = jvp(f, (x,), (v,))
    assert value == [math.exp(0.3) * -0.5, 0.7 * 0.3, math.tanh(-0.5)]
    assert tangent == pytest.approx((matrix @ v).tolist(), rel=1e-14)
    value_again, pullback = vjp(f, x)
    assert value_again == value
    for weights in (w, [0.0, 1.0, 0.0]):
        assert pullback(weights)[0] == pytest.approx((np.array(weights) @ matrix).tolist(), rel=1e-14)


def test_jvp_and_vjp_of_several_arguments():
    assert jvp(lambda x, y: x * y, (2.0, 5.0), (1.0, 10.0)) == (10.0, 25.0)
    assert jvp(lambda x, y: x * y, [2.0, 5.0], [0, 1]) == (10.0, 2.0)
    value, pullback = vjp(lambda x, y: x * y[0], 2.0, [5.0])
    assert (value, pullback(3.0)) == (10.0, (15.0, [6.0]))
    assert jvp(lambda x: 3.0, (2.0,), (1.0,)) == (3.0, 0.0)
    assert vjp(lambda x: 3.0, 2.0)[1](1.0) == (0.0,)
    assert vjp(lambda x: [], 2.0)[1]([]) == (0.0,)


def test_tangents_in_a_dict_of_another_order():
    value, tangent = jvp(lambda p: p["a"] * p["b"], ({"a": 2.0, "b": 5.0},), ({"b": 0.0, "a": 1.0},))
    assert (value, tangent) == (10.0, 5.0)


def test_a_direction_of_zero_does_not_meet_an_infinite_slope():
    assert jvp(lambda x, y: x.sqrt() + y, (0.0, 1.0), (0.0, 1.0)) == (1.0, 1.0)


def test_forward_mode_needs_a_pass_for_each_weight_and_reverse_mode_one():
    w = [Value(0.1 * i) for i in range(50)]
    cost = weighted_sum(w, [1.0] * 50).tanh()
    assert count_multiplications(cost, w) == (50 * 2, 51)
    x = Value(1.0)
    assert count_multiplications(x * x, [x]) == (2, 2)
    assert count_multiplications(x * x, [Value(2.0)]).forward == 0


# Nesting


def test_the_inner_derivative_at_the_outer_variable_is_eight():
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(2.0) == 8.0


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (lambda x: x * grad(lambda y: x + y)(1.0), 3.0, 1.0),
        (lambda x: x * grad(lambda y: x * y)(2.0), 3.0, 6.0),
        (lambda x: grad(lambda y: x * y)(x), 3.0, 1.0),
        (lambda x: grad(lambda y: y**x)(x), 2.0, 4 * (1 + math.log(2))),
        (lambda x: grad(lambda y: grad(lambda z: x * y * z**3)(y))(x), 2.0, 108.0),
        (lambda x: grad(lambda y: 3.0 * y)(x) * x, 5.0, 3.0),
        (lambda x: value_and_grad(lambda y: y * y * x)(x)[0], 2.0, 12.0),
        (lambda x: hessian(lambda y: y**3 * x)(x), 2.0, 24.0),
        (lambda x: jvp(lambda y: y**3 * x, (x,), (1.0,))[1], 2.0, 36.0),
        (lambda x: jvp(lambda y: y**3, (2.0,), (x,))[1], 5.0, 12.0),
        (lambda x: vjp(lambda y: y**3, 2.0)[1](x)[0], 5.0, 12.0),
        (lambda x: vjp(lambda y: y**3 * x, x)[1](1.0)[0], 2.0, 36.0),
        (lambda x: vjp(lambda y: y * x, 7.0)[0], 2.0, 7.0),
        (lambda x: hvp(lambda y: y**3 * x, x, 1.0), 2.0, 24.0),
        (lambda x: jacobian(lambda y: [y * x, y * y])(x)[1], 2.0, 2.0),
        (lambda x: grad(lambda y: y[0] * y[1] * x)([x, 3.0])[0], 2.0, 3.0),
        (lambda x: grad(lambda y: 5.0)(x) + x, 2.0, 1.0),
        (lambda x: grad(lambda y: 5.0 * y)(3.0) * x, 2.0, 5.0),
    ],
)
def test_any_transform_nests_in_grad(f, x, slope):
    assert grad(f)(x) == pytest.approx(slope, rel=1e-14)


def test_any_transform_nests_in_forward_mode():
    inner = lambda x: grad(lambda y: x * y**3)(x)  # 3 x^3  # noqa: E731
    assert jvp(inner, (2.0,), (1.0,)) == (24.0, 36.0)
    assert jvp(lambda x: jvp(lambda y: y**4, (x,), (x,))[1], (2.0,), (1.0,)) == (64.0, 128.0)
    value, pullback = vjp(inner, 2.0)
    assert (value, pullback(1.0), pullback(2.0)) == (24.0, (36.0,), (72.0,))


def test_higher_derivatives_to_the_sixth_order():
    f, x = lambda x: exp(2 * x) * sin(x), 0.3
    derivative, z = f, 2 + 1j  # f is the imaginary part of exp(z x)
    for order in range(1, 7):
        derivative = grad(derivative)
        want = (z**order * np.exp(z * x)).imag
        assert derivative(x) == pytest.approx(want, rel=1e-11)


def test_values_give_a_graph_in_the_callers_own_values():
    x = Value(3.0, label="x")
    slope = grad(lambda t: t**3)(x)
    assert isinstance(slope, Value)
    assert slope.operands[1].parents == (x,)
    slope.backward()
    assert x.grad == 18.0
    value, slope = value_and_grad(lambda t: t * x)(x)
    assert (value.data, value.parents) == (9.0, (x, x))
    assert (slope.data, gradients(slope, [x])) == (3.0, [1.0])
    assert value_and_grad(lambda t: t)(x)[0] is x


def test_values_in_lists_and_arrays():
    x, y = Value(3.0), Value(2.0)
    out = grad(lambda p: p[0] * p[1] ** 2)(np.array([x, y]))
    assert out.dtype == object
    assert [v.data for v in out] == [4.0, 12.0]
    out = grad(lambda p: weighted_sum(p, p) + p[1])([x, 5.0])
    assert [v.data for v in out] == [6.0, 11.0]
    assert gradients(out[0], [x]) == [2.0]
    tangent = jvp(lambda p: weighted_sum(p, p), ([x, y],), ([1.0, 0.0],))[1]
    assert gradients(tangent, [x, y]) == [2.0, 0.0]


def test_a_captured_value_makes_no_graph_of_a_derivative_by_numbers():
    w = Value(2.0)
    assert grad(lambda x: w * x * x)(3.0) == 12.0


def test_a_derivative_within_a_derivative_is_a_number_if_it_uses_nothing_of_the_outer_one():
    seen = []
    grad(lambda x: seen.append(grad(lambda y: 5 * y * y)(3.0)) or x)(2.0)
    assert seen == [30.0]


def test_unrolled_descent_can_be_differentiated():
    def loss_after(rate, steps=5):
        x = 1.0
        for _ in range(steps):
            x = x - rate * grad(lambda t: t * t)(x)
        return x * x

    assert grad(loss_after)(0.1) == pytest.approx(-20 * (1 - 0.2) ** 9, rel=1e-13)


def test_a_gradient_inside_a_program_that_is_being_traced():
    x = Value(2.0)
    with tracing():
        slope = grad(lambda t: t**3 * x)(1.0)
    assert gradients(slope, [x]) == [3.0]


def test_branches_on_the_data_are_differentiated_as_taken():
    f = lambda x: x * x if x > 0 else -x  # noqa: E731
    assert (grad(f)(3.0), grad(f)(-3.0)) == (6.0, -1.0)
    assert grad(grad(f))(3.0) == 2.0


def test_an_error_in_the_function_leaves_no_trace():
    with pytest.raises(ZeroDivisionError):
        grad(lambda x: x / 0)(1.0)
    w = Value(2.0)
    assert grad(lambda x: w * x)(3.0) == 2.0


@given(st.integers(0, 10**6))
def test_forward_and_reverse_agree_on_random_functions(seed):
    def f(x):
        rng = random.Random(seed)
        nodes = list(x)
        for _ in range(8):
            a, b = rng.choice(nodes), rng.choice(nodes)
            nodes.append(
                rng.choice([lambda a, b: a * b, lambda a, b: tanh(a - b), maximum, lambda a, b: sin(a) + b])(a, b)
            )
        return nodes[-1]

    rng = random.Random(seed + 1)
    x, v = [rng.uniform(-1, 1) for _ in range(3)], [rng.uniform(-1, 1) for _ in range(3)]
    slope = grad(f)(x)
    assert jvp(f, (x,), (v,))[1] == pytest.approx(sum(s * t for s, t in zip(slope, v)), rel=1e-9, abs=1e-9)
    matrix = np.array(hessian(f)(x))
    assert matrix == pytest.approx(matrix.T, rel=1e-9, abs=1e-9)
    assert hvp(f, x, v) == pytest.approx((matrix @ v).tolist(), rel=1e-9, abs=1e-9)


# Wrong uses


@pytest.mark.parametrize(
    ("attempt", "error", "message"),
    [
        (lambda: grad(Value(2.0)), TypeError, r"grad takes a function, not a Value: use gradients\(cost, wrt\)"),
        (lambda: jacobian(3.0), TypeError, "jacobian takes a function, not 3.0"),
        (lambda: hessian(None), TypeError, "hessian takes a function, not None"),
        (lambda: hvp(None, 1.0, 1.0), TypeError, "hvp takes a function"),
        (lambda: vjp(None, 1.0), TypeError, "vjp takes a function"),
        (
            lambda: grad(lambda x: [x, x])(1.0),
            TypeError,
            r"grad takes a function of one result.*2 of them in a list: use jac",
        ),
        (lambda: value_and_grad(lambda x: (x,))(1.0), TypeError, r"value_and_grad takes .* use jacobian .* vjp"),
        (
            lambda: hessian(lambda x: x)(np.ones(2)),
            TypeError,
            r"hessian takes a function of one result.*2 of them in a ndarr",
        ),
        (lambda: hvp(lambda x: [x], 1.0, 1.0), TypeError, "hvp takes a function of one result"),
        (lambda: grad(lambda x: None)(1.0), TypeError, "returns Values, not None .*: is a return statement missing"),
        (lambda: grad(lambda x: "abc")(1.0), TypeError, "grad takes a function that returns Values, not 'abc'"),
        (lambda: grad(lambda x: x)("abc"), TypeError, "an argument of grad takes one real number .* not 'abc'"),
        (lambda: grad(lambda x: x)(1j), TypeError, "complex numbers are not supported"),
        (
            lambda: grad(lambda x: x)(),
            TypeError,
            "grad with argnums=0 of a function called with 0 positional arguments",
        ),
        (lambda: grad(lambda x: x, argnums=2)(1.0), TypeError, "grad with argnums=2 of a function called with 1"),
        (lambda: grad(lambda x: x, argnums="x")(1.0), TypeError, "argnums is the position of an argument"),
        (lambda: grad(lambda x: x, argnums=(0, -1))(1.0), ValueError, r"argnums=\(0, -1\) names an argument twice"),
        (lambda: jvp(lambda x: x, 1.0, (1.0,)), TypeError, "jvp takes primals as a tuple with one entry per argument"),
        (lambda: jvp(lambda x: x, (1.0,), 1.0), TypeError, "jvp takes tangents as a tuple"),
        (
            lambda: jvp(lambda x: x, (1.0,), (1.0, 2.0)),
            ValueError,
            "tangents must be shaped like .* a sequence of 1, not",
        ),
        (lambda: jvp(lambda x: x[0], ([1.0],), (1.0,)), ValueError, r"tangents\[0\] must be shaped"),
        (lambda: jvp(lambda x: x, (1.0,), ("a",)), TypeError, "a tangent takes one real number"),
        (lambda: vjp(lambda x: [x], 1.0)[1](1.0), ValueError, "cotangent must be shaped"),
        (lambda: hvp(lambda x: x[0], [1.0], [1.0, 2.0]), ValueError, "tangents"),
    ],
)
def test_wrong_uses_say_what_fits(attempt, error, message):
    with pytest.raises(error, match=message):
        attempt()


def test_a_nan_in_a_gradient_is_reported_where_the_transform_was_called():
    with pytest.warns(RuntimeWarning, match=r"arose in sqrt at x = 0\.0") as caught:
        assert grad(lambda x: x.sqrt())(0.0) == math.inf
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("f", "points"),
    [
        (lambda x, y: x**3 * tanh(y), [(2.0, 0.5), (-2.0, 0.5)]),
        (lambda x, y: autograd.relu(x) * y, [(2.0, 3.0), (-2.0, 3.0), (0.0, 3.0)]),
        (lambda x, y: autograd.maximum(x, y) * x, [(2.0, 3.0), (3.0, 2.0), (2.0, 2.0)]),
        (lambda x, y: autograd.elu(x, y), [(0.5, 2.0), (-0.5, 2.0)]),
        (lambda x, y: x**y, [(2.0, 3.0), (0.3, -1.5), (2.0, 0.0)]),
    ],
)
@pytest.mark.parametrize("argnums", [0, 1])
def test_a_derivative_can_be_compiled_before_its_arguments_are_known(f, points, argnums):
    slope = grad(f, argnums)
    for derivative in (slope, grad(slope, argnums)):
        fast = autograd.compile(lambda x, y: derivative(x, y))  # noqa: B023
        for point in points:
            assert fast(*point) == pytest.approx(derivative(*point), rel=1e-12, abs=1e-15)


def test_transforms_carry_the_name_of_the_function():
    def cost(x):
        """The cost."""
        return x

    assert grad(cost).__name__ == "grad(cost)"
    assert autograd.hessian(cost).__name__ == "jacobian(hessian(cost))"
    assert grad(tanh)(0.0) == 1.0


# What would cut a derivative off in silence


def in_a_float_array(v):
    z = np.zeros(2)
    z[0] = v[0] ** 2
    return z.sum() * v[1]


@pytest.mark.parametrize(
    "f",
    [
        lambda v: v[0] * math.exp(v[1]),
        lambda v: v[0] * float(v[1]),
        lambda v: v[0] * int(v[1]),
        lambda v: v[0] * round(v[1], 3),
        lambda v: v[0] ** 2 + math.sin(v[1]),
        lambda v: np.array([v[0], v[1]], float).sum(),
        lambda v: v.astype(float).sum(),
        in_a_float_array,
    ],
)
@pytest.mark.parametrize(
    "transform",
    [
        lambda f, x: grad(f)(x),
        lambda f, x: value_and_grad(f)(x),
        lambda f, x: jacobian(f)(x),
        lambda f, x: hessian(f)(x),
        lambda f, x: hvp(f, x, x),
        lambda f, x: jvp(f, (x,), (x,)),
        lambda f, x: vjp(f, x),
        lambda f, x: grad(lambda y: grad(f)(x)[0] + y[0])(x),
    ],
)
def test_what_would_cut_a_derivative_off_is_refused_and_says_what_to_use(transform, f):
    with pytest.raises(TypeError, match=r"being differentiated.*autograd\.exp instead of math\.exp.*list"):
        transform(f, np.array([3.0, 1.0]))
    assert float(Value(2.0)) == 2.0  # outside, and after an error, it works


def test_branches_are_decided_and_data_can_be_read_within_a_transform():
    assert grad(lambda x: x * x if x > 0 else -x)(2.0) == 4.0
    assert grad(lambda x: x * x if x else x)(3.0) == 6.0
    assert grad(lambda x: x * x.data)(3.0) == 3.0


def test_another_thread_may_convert_while_one_differentiates():
    converted = []

    def f(x):
        thread = threading.Thread(target=lambda: converted.append(float(Value(2.0))))
        thread.start()
        thread.join()
        return x * x

    assert grad(f)(3.0) == 6.0
    assert converted == [2.0]


@pytest.mark.parametrize(
    "f", [lambda x: x.data * x, lambda x: x if x.data > 0 else -x, lambda x: grad(lambda y: y * x.data)(x)]
)
def test_data_cannot_be_read_while_compiling(f):
    with pytest.raises(TypeError, match=r"reading \.data of a Value inside a function that is being compiled"):
        autograd.compile(f)


# NumPy's functions


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (np.std, [1.0, 3.0], [-0.5, 0.5]),
        (np.var, [1.0, 3.0, 8.0], [-2.0, -2 / 3, 8 / 3]),
        (lambda v: np.vdot(v, v), [1.0, 2.0], [2.0, 4.0]),
        (lambda v: np.tensordot(v, v, 1), [1.0, 2.0], [2.0, 4.0]),
        (lambda v: np.array(v[0] * v[1]), [1.0, 2.0], [2.0, 1.0]),
        (lambda v: np.mean(v**2), [1.0, 2.0], [1.0, 2.0]),
    ],
)
def test_functions_of_numpy_and_results_without_axes(f, x, slope):
    np.testing.assert_allclose(grad(f)(np.array(x)), slope, rtol=1e-14)
    assert jvp(f, (np.array(x),), (np.array([1.0] + [0.0] * (len(x) - 1)),))[1] == pytest.approx(slope[0])
