import math
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd.drawing.layout import Edge, arrange, place_labels, ranks, sample

SIZE = (90.0, 60.0)


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 25))
    pairs = draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=50))
    sizes = draw(st.lists(st.tuples(st.floats(30, 160), st.floats(20, 90)), min_size=count, max_size=count))
    return sizes, [Edge(min(a, b), max(a, b), (30.0, 16.0)) for a, b in pairs if a != b]


def inside(point, centre, size, margin=1.0):
    return abs(point[0] - centre[0]) < size[0] / 2 - margin and abs(point[1] - centre[1]) < size[1] / 2 - margin


@settings(deadline=None, max_examples=60)
@given(graphs(), st.sampled_from(["LR", "RL", "TB", "BT"]))
def test_boxes_do_not_overlap_and_edges_never_run_behind_a_box(graph, direction):
    sizes, edges = graph
    placed = arrange(sizes, edges, direction)
    for i, (x, y) in enumerate(placed.centres):
        assert sizes[i][0] / 2 <= x + 1e-6 <= placed.width - sizes[i][0] / 2 + 2e-6
        assert sizes[i][1] / 2 <= y + 1e-6 <= placed.height - sizes[i][1] / 2 + 2e-6
        for j in range(i):
            u, v = placed.centres[j]
            apart = abs(x - u) >= (sizes[i][0] + sizes[j][0]) / 2 or abs(y - v) >= (sizes[i][1] + sizes[j][1]) / 2
            assert apart
    for curve in placed.curves:
        for point in sample(curve):
            assert not any(inside(point, centre, size) for centre, size in zip(placed.centres, sizes))


@settings(deadline=None, max_examples=40)
@given(graphs())
def test_every_edge_points_to_the_right_and_joins_its_two_boxes(graph):
    sizes, edges = graph
    placed = arrange(sizes, edges)
    for edge, curve in zip(edges, placed.curves):
        (x, y), (u, v) = placed.centres[edge.tail], placed.centres[edge.head]
        assert x < u
        assert curve[0][0] == pytest.approx(x + sizes[edge.tail][0] / 2)
        assert curve[-1][0] == pytest.approx(u - sizes[edge.head][0] / 2)
        assert abs(curve[0][1] - y) < sizes[edge.tail][1] / 2
        assert abs(curve[-1][1] - v) < sizes[edge.head][1] / 2


@pytest.mark.parametrize(
    ("direction", "forward"),
    [
        ("LR", lambda a, b: a[0] < b[0]),
        ("RL", lambda a, b: a[0] > b[0]),
        ("TB", lambda a, b: a[1] < b[1]),
        ("BT", lambda a, b: a[1] > b[1]),
    ],
)
def test_a_chain_runs_in_the_direction_that_is_asked_for(direction, forward):
    placed = arrange([SIZE] * 3, [Edge(0, 1), Edge(1, 2)], direction)
    assert forward(placed.centres[0], placed.centres[1])
    assert forward(placed.centres[1], placed.centres[2])


def test_a_chain_is_drawn_in_one_straight_line():
    placed = arrange([SIZE] * 5, [Edge(i, i + 1) for i in range(4)])
    assert len({y for _, y in placed.centres}) == 1


def test_two_edges_between_the_same_boxes_run_side_by_side():
    placed = arrange([SIZE] * 2, [Edge(0, 1), Edge(0, 1)])
    first, second = placed.curves
    assert abs(first[0][1] - second[0][1]) > 10
    assert abs(first[-1][1] - second[-1][1]) > 10


def test_crossings_of_a_tangled_ladder_are_undone():
    # Rungs 0-4, 1-5, 2-6, 3-7 given in scrambled order: an order without crossings exists.
    edges = [Edge(0, 7), Edge(1, 5), Edge(2, 6), Edge(3, 4)] + [Edge(i, 8) for i in (4, 5, 6, 7)]
    placed = arrange([SIZE] * 9, edges)
    ends = sorted((placed.centres[edge.tail][1], placed.centres[edge.head][1]) for edge in edges[:4])
    assert [head for _, head in ends] == sorted(head for _, head in ends)


def test_a_leaf_stands_just_before_its_first_consumer():
    # 0 -> 1 -> 2 -> 3, and 4 is used by 3 alone
    rank = ranks(5, [Edge(0, 1), Edge(1, 2), Edge(2, 3), Edge(4, 3)])
    assert rank == [0, 1, 2, 3, 2]


def test_a_cycle_is_refused():
    with pytest.raises(ValueError, match="has a cycle"):
        arrange([SIZE] * 2, [Edge(0, 1), Edge(1, 0)])


def test_nothing_and_a_single_box_can_be_laid_out():
    assert arrange([], []).centres == []
    placed = arrange([SIZE], [])
    assert (placed.width, placed.height) == SIZE
    assert placed.centres == [(45.0, 30.0)]


def test_ten_thousand_boxes_with_long_edges_are_laid_out_in_seconds():
    rng = random.Random(0)
    edges = [Edge(rng.randrange(i), i) for i in range(1, 10_000)] + [Edge(i, 9_999) for i in range(0, 9_000, 3)]
    start = time.process_time()
    placed = arrange([SIZE] * 10_000, edges)
    assert time.process_time() - start < 20
    assert all(math.isfinite(x) and math.isfinite(y) for curve in placed.curves for x, y in curve)


def test_long_edges_beyond_the_budget_run_around_the_boxes(monkeypatch):
    monkeypatch.setattr("autograd.drawing.layout.MOST_LANES", 0)
    edges = [Edge(0, 1), Edge(1, 2), Edge(2, 3), Edge(0, 3)]
    placed = arrange([SIZE] * 4, edges)
    assert min(y for _, y in placed.curves[3]) < min(y for _, y in placed.centres) - SIZE[1] / 2
    for point in sample(placed.curves[3]):
        assert not any(inside(point, centre, SIZE) for centre in placed.centres)


def test_labels_avoid_boxes_and_each_other():
    curves = [[(0.0, 0.0), (100.0, 0.0), (100.0, 0.0), (200.0, 0.0)]] * 2
    boxes = [((0.0, 0.0), (60.0, 40.0)), ((200.0, 0.0), (60.0, 40.0))]
    ((x, y), (u, v)), free = place_labels(curves, [(40.0, 16.0)] * 2, [(100.0, 0.0)] * 2, boxes)
    assert not free  # each lies on the other curve too
    assert y == v == 0
    assert abs(x - u) >= 40
    assert all(30 + 20 <= place <= 170 - 20 for place in (x, u))
