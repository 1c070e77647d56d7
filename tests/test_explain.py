import pytest

from autograd import Value, paths


def test_a_path_lists_nodes_factors_and_product_from_the_value_to_the_cost():
    w = Value(3.0, label="w")
    h = 2 * w
    C = h * h
    routes = paths(C, w)
    assert [path.nodes for path in routes] == [(w, h, C)] * 2
    assert [path.factors for path in routes] == [(2.0, 6.0)] * 2
    assert [path.edges for path in routes] == [((h, 0), (C, 0)), ((h, 0), (C, 1))]
    assert routes.total == sum(path.product for path in routes) == 24.0
    assert [path.share for path in routes] == [0.5, 0.5]


def test_paths_of_two_hundred_doublings_are_counted_exactly():
    x = h = Value(1.0, label="x")
    for _ in range(200):
        h = h + h
    routes = paths(h, x)
    assert routes.count == 2**200
    assert routes.total == 2.0**200
    assert len(routes) == 20
    assert routes.remainder == 2.0**200 - 20


def test_a_negative_limit_is_refused():
    x = Value(1.0)
    with pytest.raises(ValueError, match="not negative"):
        paths(x, x, limit=-1)
