"""Paths: their number, products, sum and order, on small graphs by enumeration and on large ones by closed forms."""

import math
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, exp, gradients, paths, relu, sqrt, sum, tanh, weighted_sum


def labelled(data, label):
    return Value(data, label=label)


@st.composite
def graphs(draw):
    """(cost, leaf): up to 12 operations on two leaves and earlier results; factors of all signs, zeros among them."""
    numbers = st.floats(-2, 2).map(lambda x: round(x, 2))
    nodes = [Value(draw(numbers)), Value(draw(numbers))]
    for _ in range(draw(st.integers(1, 12))):
        x, y = draw(st.sampled_from(nodes[-5:])), draw(st.sampled_from(nodes[-5:]))
        operation = draw(st.sampled_from([lambda x, y: x * y, lambda x, y: x + y, lambda x, y: tanh(x - y)]))
        nodes.append(operation(x, y))
    return nodes[-1], nodes[0]


def enumerated(cost, value):
    """The products of all paths, by recursion."""
    if cost is value:
        return [1.0]
    return [
        product * partial
        for parent, partial in zip(cost.parents, cost.partials)
        for product in enumerated(parent, value)
    ]


@given(graphs(), st.integers(0, 30))
def test_listed_paths_and_remainder_are_all_paths_each_once(graph, limit):
    cost, leaf = graph
    products = sorted(enumerated(cost, leaf), key=abs, reverse=True)
    routes = paths(cost, leaf, limit)
    assert routes.count == len(products)
    assert len(routes) == min(limit, len(products))
    assert [abs(path.product) for path in routes] == pytest.approx([abs(p) for p in products[:limit]], rel=1e-12)
    assert math.fsum([*(path.product for path in routes), routes.remainder]) == pytest.approx(
        math.fsum(products), rel=1e-12, abs=1e-12
    )
    assert len({path.edges for path in routes}) == len(routes)
    for path in routes:
        assert path.nodes[0] is leaf
        assert path.nodes[-1] is cost
        for factor, (node, i), before, after in zip(path.factors, path.edges, path.nodes, path.nodes[1:]):
            assert after is node
            assert node.parents[i] is before
            assert node.partials[i] == factor
        assert math.prod(path.factors) == pytest.approx(path.product, rel=1e-14, abs=0)


@given(graphs())
def test_the_total_is_the_gradient_and_the_remainder_exactly_zero_when_all_are_listed(graph):
    cost, leaf = graph
    routes = paths(cost, leaf, limit=10**6)
    assert routes.remainder == 0.0
    assert len(routes) == routes.count
    sizes = math.fsum(abs(path.product) for path in routes)
    assert routes.total == pytest.approx(gradients(cost, [leaf])[0], rel=1e-12, abs=1e-14 * max(1.0, sizes))
    if routes.total:
        assert math.fsum(path.share for path in routes) == pytest.approx(
            1, rel=1e-9, abs=1e-12 * sizes / abs(routes.total)
        )


def test_two_edges_of_a_square_are_two_paths():
    x = Value(3.0)
    assert [(path.factors, path.edges[0][1]) for path in paths(x * x, x)] == [((3.0,), 0), ((3.0,), 1)]


def test_two_hundred_doublings_are_counted_exactly_and_at_once():
    x = h = Value(1.0)
    for _ in range(200):
        h = h + h
    begin = time.perf_counter()
    routes = paths(h, x)
    assert time.perf_counter() - begin < 2
    assert routes.count == 2**200
    assert routes.total == 2.0**200
    assert len(routes) == 20
    assert routes.remainder == 2.0**200 - 20
    assert len({path.edges for path in routes}) == 20


def test_the_largest_paths_of_a_binary_choice_per_step_are_found_among_a_thousand_billion():
    """Each step passes by 3 or by 2: the k-th largest products are 3^40, then forty times 3^39 2, ..."""
    x = h = Value(1.0)
    for _ in range(40):
        h = 3 * h + 2 * h
    routes = paths(h, x, limit=45)
    assert routes.count == 2**40
    assert routes.total == pytest.approx(5.0**40, rel=1e-14)
    expected = [3.0**40, *[3.0**39 * 2] * 40, *[3.0**38 * 4] * 4]
    assert [path.product for path in routes] == pytest.approx(expected, rel=1e-14)
    assert routes.remainder == pytest.approx(5.0**40 - math.fsum(expected), rel=1e-12)


def test_a_small_remainder_beside_a_huge_path_is_exact():
    x = Value(1.0)
    cost = weighted_sum([1e20, 1.0, 2.0], [x, x, x])
    routes = paths(cost, x, limit=1)
    assert routes[0].product == 1e20
    assert routes.remainder == 3.0


def test_zero_factors_come_last_and_infinite_ones_first():
    x = Value(0.0)
    routes = paths(sqrt(x) + 2 * x + relu(x), x)
    assert [path.product for path in routes] == [math.inf, 2.0, 0.0]
    assert routes.total == math.inf


def test_a_product_that_is_not_a_number_is_listed_first():
    x = Value(0.0)
    routes = paths(relu(0 * sqrt(x)) + 5 * x, x)
    assert math.isnan(routes[0].product)
    assert routes[1].product == 5.0
    assert math.isnan(routes.total)


def test_a_value_that_the_cost_does_not_depend_on_has_no_path():
    x, y = labelled(1.0, "x"), labelled(2.0, "y")
    routes = paths(x * 2, y)
    assert (routes.count, len(routes), routes.total, routes.remainder) == (0, 0, 0.0, 0.0)
    assert "no path leads from y to C" in str(routes)


def test_the_cost_itself_is_reached_by_the_empty_path():
    x = Value(1.0)
    [path] = paths(x, x)
    assert (path.nodes, path.factors, path.product, path.share) == ((x,), (), 1.0, 1.0)


def test_limit_zero_leaves_everything_in_the_remainder():
    x = Value(3.0)
    routes = paths(x * x, x, limit=0)
    assert (len(routes), routes.remainder, routes.total) == (0, 6.0, 6.0)


def test_a_chain_of_thirty_thousand_nodes_is_one_path():
    x = h = Value(1.0)
    for _ in range(30_000):
        h = h * 1.0
    [path] = paths(h, x)
    assert len(path.factors) == 30_000
    assert len(str(paths(h, x))) < 1000


def test_a_sum_of_many_terms_lists_the_largest():
    x = Value(1.0)
    cost = sum([x * k for k in range(1000)])
    assert [path.product for path in paths(cost, x, limit=3)] == [999.0, 998.0, 997.0]


def test_paths_are_a_sequence():
    x = Value(3.0)
    routes = paths(x * x + x, x)
    assert [path.product for path in routes[1:]] == [3.0, 1.0]
    assert routes[-1] in routes
    assert len(list(reversed(routes))) == 3
    with pytest.raises(IndexError):
        routes[3]


def test_the_table_shows_labels_formulas_factors_shares_and_the_remainder():
    x, w = labelled(2.0, "x"), labelled(-0.5, "w")
    h = w * x
    C = exp(h) * h * h
    C.label = "C"
    assert str(paths(C, w, limit=2)) == (
        "3 paths from w to C\n"
        "\n"
        "path                                       factors                 product  share\n"
        "w -> w x -> exp(w x) -> exp(w x) w x -> C  2 * 0.36788 * -1 * -1   0.73576  -100%\n"
        "w -> w x -> C                              2 * -0.36788           -0.73576   100%\n"
        "1 more                                                            -0.73576   100%\n"
        "total                                                             -0.73576"
    )


def test_shares_have_no_minus_zero_and_no_powers_of_ten():
    x = labelled(1.0, "x")
    C = x * 1000 - x * 999.5 + x * -0.0
    text = str(paths(C, x))
    assert not re.search(r"-0%|e\+", text)
    assert "200000%" in text


def test_the_notebook_shows_an_escaped_and_captioned_table():
    x = labelled(2.0, "<b>&")
    page = paths(x * x, x)._repr_mimebundle_()["text/html"]
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;" in page
    assert "<caption>2 paths" in page
    assert 'scope="col"' in page


@pytest.mark.parametrize(("cost", "value"), [(1.0, Value(1.0)), (Value(1.0), "w"), (None, None)])
def test_anything_but_two_values_is_refused(cost, value):
    with pytest.raises(TypeError, match="takes two Values of one graph"):
        paths(cost, value)


@pytest.mark.parametrize("limit", [2.5, "all", None, True])
def test_a_limit_that_is_no_int_is_refused(limit):
    x = Value(1.0)
    with pytest.raises(TypeError, match="limit is how many paths"):
        paths(x, x, limit)


def test_a_negative_limit_is_refused():
    x = Value(1.0)
    with pytest.raises(ValueError, match="not negative"):
        paths(x, x, limit=-1)


def test_one_path_says_which_it_is():
    x, w = Value(2.0, label="x"), Value(3.0, label="w")
    C = tanh(w * x) + w
    C.label = "C"
    assert sorted(map(repr, paths(C, w))) == [
        "<Path w -> C, product 1>",
        "<Path w -> w x -> tanh(w x) -> C, product 4.9153e-5>",
    ]
