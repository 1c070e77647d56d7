import pytest

from autograd import Value, explain, paths, tanh


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


def neuron():
    """w, a0, b -> z -> a -> C <- y, as the textbook draws it."""
    w, a0, b, y = Value(0.5, label="w"), Value(2.0, label="a0"), Value(-1.3, label="b"), Value(1.0, label="y")
    z = w * a0 + b
    z.label = "z"
    a = tanh(z)
    a.label = "a"
    C = (a - y) ** 2
    C.label = "C"
    return w, a0, b, y, z, a, C


def test_explain_works_the_chain_rule_of_one_neuron():
    w, *_, C = neuron()
    assert str(explain(C, w)) == (
        "  z = w a0 + b  = -0.3\n"
        "  a = tanh(z)   = -0.29131\n"
        "  C = (a - y)^2 = 1.6675\n"
        "\n"
        "dC/dw = dz/dw * da/dz * dC/da\n"
        "\n"
        "  dz/dw = a0            = 2\n"
        "  da/dz = 1 - tanh(z)^2 = 0.91514\n"
        "  dC/da = 2 (a - y)     = -2.5826\n"
        "\n"
        "dC/dw = 2 * 0.91514 * (-2.5826) = -4.7269\n"
        "\n"
        "The error a - y = -1.2913 makes the gradient large."
    )
