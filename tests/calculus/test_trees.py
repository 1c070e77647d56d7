from typing import NamedTuple

import numpy as np
import pytest

from autograd import Value
from autograd.calculus import trees


class Point(NamedTuple):
    x: float
    y: float


TREE = {"w": [1.0, np.array([[2.0, 3.0], [4.0, 5.0]])], "b": (6.0, Point(7.0, 8.0))}


def test_numbers_are_listed_from_left_to_right():
    assert trees.flat_numbers(TREE) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    assert trees.shapes(TREE) == [None, (2, 2), None, None, None]
    assert trees.flat_numbers(3.0) == [3.0]
    assert trees.flat_numbers([]) == []


def test_assembling_replaces_the_numbers_and_keeps_the_nesting():
    out = trees.assemble(TREE, [10.0 * x for x in trees.flat_numbers(TREE)])
    assert out["w"][0] == 10.0
    assert out["w"][1].tolist() == [[20.0, 30.0], [40.0, 50.0]]
    assert out["w"][1].dtype == float
    assert out["b"] == (60.0, Point(70.0, 80.0))
    assert isinstance(out["b"], tuple)
    assert isinstance(out["b"][1], Point)


def test_arrays_of_values_are_arrays_of_objects():
    values = [Value(1.0), Value(2.0)]
    out = trees.assemble(np.array([0.0, 0.0]), values)
    assert out.dtype == object
    assert out.tolist() == values
    assert trees.flat_numbers(out) == values


def test_numpy_scalars_are_numbers():
    for x in (np.float64(2.0), np.array(2.0), np.int32(2)):
        assert not trees.is_array(x)
        assert trees.flat_numbers([x]) == [x]


def test_matching_reads_a_dict_in_the_order_of_the_other():
    assert trees.matching({"b": 2.0, "a": [1.0]}, {"a": [0.0], "b": 0.0}, "tangents") == [1.0, 2.0]
    assert trees.matching((1.0, 2.0), [0.0, 0.0], "tangents") == [1.0, 2.0]


@pytest.mark.parametrize(
    ("tree", "like", "message"),
    [
        ([1.0], [1.0, 2.0], r"v must be shaped like .*: a sequence of 2, not a sequence of 1"),
        (1.0, [1.0], r"a sequence of 1, not a number"),
        ([1.0, [2.0]], [1.0, 2.0], r"v\[1\] must be .* a number, not a sequence of 1"),
        ({"a": 1.0}, {"b": 1.0}, r"a dict of \[\"'b'\"\], not a dict of \[\"'a'\"\]"),
        ({"a": np.zeros(2)}, {"a": np.zeros(3)}, r"v\['a'\] .* an array of shape \(3,\), not an array of shape \(2,\)"),
    ],
)
def test_matching_refuses_another_shape(tree, like, message):
    with pytest.raises(ValueError, match=message):
        trees.matching(tree, like, "v")


def test_addresses_say_where_a_number_is_found():
    assert trees.addresses(TREE, "p") == [
        "p['w'][0]",
        "p['w'][1][0, 0]",
        "p['w'][1][0, 1]",
        "p['w'][1][1, 0]",
        "p['w'][1][1, 1]",
        "p['b'][0]",
        "p['b'][1][0]",
        "p['b'][1][1]",
    ]
    assert trees.addresses(1.0, "x") == ["x"]
