"""The built-in layered layout: where boxes go and how edges run between them, without any outside program.

Boxes stand in ranks, each as close to its consumers as it can; an edge that spans several ranks keeps a lane free in
each of them, so that no edge runs behind a box. It knows sizes and positions only, neither Values nor SVG.
"""

import math
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]

SEPARATION = 16.0  # between boxes of one rank
LANE = 12.0  # height that a passing edge keeps free
MANY = 5_000  # labels beyond which they stay where they are, whatever they cover
LONGEST = 20_000  # lanes in all; beyond that, long edges run around the boxes instead of between them


@dataclass
class Edge:
    """From box `tail` to box `head`; `label` is the width and height of the text on it, (0, 0) without one."""

    tail: int
    head: int
    label: tuple[float, float] = (0.0, 0.0)


@dataclass
class Placement:
    """The centre of each box; each edge as Bezier points, a start and three per segment; where its label would best be;
    and the extent of the picture."""

    centres: list[Point]
    curves: list[list[Point]]
    anchors: list[Point]
    width: float
    height: float


def arrange(sizes: Sequence[tuple[float, float]], edges: Sequence[Edge], direction: str = "LR") -> Placement:
    """Place boxes of the given (width, height) so that every edge of an acyclic graph points in the direction.

    Raises ValueError for a graph with a cycle.
    """
    upright = direction in ("TB", "BT")
    extents = [(height, width) if upright else (width, height) for width, height in sizes]
    labels = [(edge.label[1], edge.label[0]) if upright else edge.label for edge in edges]
    centres, curves, anchors = _Layers(extents, edges, labels).place()

    points = [point for curve in curves for point in curve]
    corners = [(u + side * w / 2, v + side * h / 2) for (u, v), (w, h) in zip(centres, extents) for side in (-1, 1)]
    us, vs = zip(*points, *corners) if corners else ((0.0,), (0.0,))
    left, right, top, bottom = min(us), max(us), min(vs), max(vs)

    def turned(point: Point) -> Point:
        u = right - point[0] if direction in ("RL", "BT") else point[0] - left
        v = point[1] - top
        return (v, u) if upright else (u, v)

    width, height = (bottom - top, right - left) if upright else (right - left, bottom - top)
    return Placement(
        [turned(c) for c in centres],
        [[turned(p) for p in c] for c in curves],
        [turned(a) for a in anchors],
        width,
        height,
    )


class _Layers:
    """Boxes and lanes by rank. `u` runs along the edges, `v` across; items below `boxes` are boxes, others lanes."""

    def __init__(self, extents: list[tuple[float, float]], edges: Sequence[Edge], labels: list[tuple[float, float]]):
        self.extents, self.edges, self.labels = extents, edges, labels
        self.rank = ranks(len(extents), edges)
        self.height = [h + SEPARATION for _, h in extents]
        self.before: list[list[int]] = [[] for _ in extents]
        self.after: list[list[int]] = [[] for _ in extents]
        self.routes: list[list[int]] = []
        lanes = sum(self.rank[edge.head] - self.rank[edge.tail] - 1 for edge in edges)
        for edge in edges:
            self.routes.append(self._route(edge, lanes <= LONGEST))
        self.layers: list[list[int]] = [[] for _ in range(max(self.rank, default=-1) + 1)]
        for item, rank in enumerate(self.rank):
            self.layers[rank].append(item)

    def _route(self, edge: Edge, through: bool) -> list[int]:
        """The items an edge visits, with a new lane in every rank that it crosses."""
        route = [edge.tail]
        if through:
            for rank in range(self.rank[edge.tail] + 1, self.rank[edge.head]):
                route.append(len(self.rank))
                self.rank.append(rank)
                self.height.append(LANE)
                self.before.append([])
                self.after.append([])
        route.append(edge.head)
        for left, right in pairwise(route):
            if self.rank[right] == self.rank[left] + 1:
                self.after[left].append(right)
                self.before[right].append(left)
        return route

    def place(self) -> tuple[list[Point], list[list[Point]], list[Point]]:
        """The centres of the boxes, the curves of the edges, and the anchors of their labels."""
        self._order()
        self._spread()
        self._columns()
        boxes = range(len(self.extents))
        return [(self.centre[self.rank[i]], self.v[i]) for i in boxes], self._curves(), self._anchors()

    # Order within the ranks: fewest crossings

    def _order(self) -> None:
        """Sort each rank by where its neighbours are, back and forth, and keep the order with the fewest crossings."""
        best, fewest = [list(layer) for layer in self.layers], self._crossings()
        for sweep in range(24 if len(self.rank) < 2_000 else 6):
            if not fewest:
                break
            layers, neighbours = (self.layers[-2::-1], self.after) if sweep % 2 else (self.layers[1:], self.before)
            position = self._positions()
            for layer in layers:
                mean = {i: _mean([position[j] for j in neighbours[i]], position[i]) for i in layer}
                layer.sort(key=mean.__getitem__)
                position.update(zip(layer, range(len(layer))))
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(layer) for layer in self.layers], crossings
        self.layers = best

    def _positions(self) -> dict[int, int]:
        return {item: place for layer in self.layers for place, item in enumerate(layer)}

    def _crossings(self) -> int:
        position = self._positions()
        total = 0
        for layer in self.layers:
            seen: list[int] = []
            for item in layer:
                targets = sorted(position[j] for j in self.after[item])
                total += sum(len(seen) - bisect_left(seen, target + 1) for target in targets)
                for target in targets:
                    insort(seen, target)
        return total

    # Positions across: each item as near to its neighbours as its rank allows

    def _spread(self) -> None:
        self.v = [0.0] * len(self.rank)
        for layer in self.layers:
            for item, v in zip(layer, _apart([0.0] * len(layer), [self.height[i] for i in layer])):
                self.v[item] = v
        for sweep in range(12 if len(self.rank) < 5_000 else 4):
            layers = self.layers[::-1] if sweep % 2 else self.layers
            for layer in layers:
                wanted = [_mean([self.v[j] for j in self.before[i] + self.after[i]], self.v[i]) for i in layer]
                for item, v in zip(layer, _apart(wanted, [self.height[i] for i in layer])):
                    self.v[item] = v

    # Positions along: a column per rank, and a gap wide enough for the labels and the slopes of its edges

    def _columns(self) -> None:
        breadth = [
            max((self.extents[i][0] for i in layer if i < len(self.extents)), default=0) for layer in self.layers
        ]
        gap = [48.0] * len(self.layers)
        for route, (width, _) in zip(self.routes, self.labels):
            for left, right in pairwise(route):
                rank, slope = self.rank[left], abs(self.v[left] - self.v[right])
                gap[rank] = max(gap[rank], min(150.0, 40 + slope / 5), width + 44 if left == route[0] else 0)
        self.left: list[float] = []
        self.right: list[float] = []
        u = 0.0
        for width, space in zip(breadth, gap):
            self.left.append(u)
            self.right.append(u + width)
            u += width + space
        self.centre = [(left + right) / 2 for left, right in zip(self.left, self.right)]

    def _curves(self) -> list[list[Point]]:
        starts = self._ports(lambda route: route[0], lambda route: route[1])
        ends = self._ports(lambda route: route[-1], lambda route: route[-2])
        roof = min((self.v[i] - self.height[i] / 2 for i in range(len(self.rank))), default=0.0)
        lane: dict[int, float] = {}
        curves = []
        for route, start, end in zip(self.routes, starts, ends):
            tail, head = route[0], route[-1]
            curve = [(self.centre[self.rank[tail]] + self.extents[tail][0] / 2, self.v[tail] + start)]
            stop = (self.centre[self.rank[head]] - self.extents[head][0] / 2, self.v[head] + end)
            if len(route) == 2 and self.rank[head] > self.rank[tail] + 1:  # around, on a lane above everything
                lane.setdefault(tail, roof - 8.0 * (1 + len(lane) % 200))
                _around(curve, stop, lane[tail], self.right[self.rank[tail]], self.left[self.rank[head]])
                curves.append(curve)
                continue
            for item in route[1:-1]:
                left, right, v = self.left[self.rank[item]], self.right[self.rank[item]], self.v[item]
                _bend(curve, self.right[self.rank[item] - 1], (left, v))
                _line(curve, (right, v))
            _bend(curve, self.right[self.rank[head] - 1], (self.left[self.rank[head]], stop[1]))
            _line(curve, stop)
            curves.append(curve)
        return curves

    def _anchors(self) -> list[Point]:
        """The middle of the first gap that each edge crosses."""
        gaps = [((self.right[self.rank[r[0]]] + self.left[self.rank[r[0]] + 1]) / 2, r) for r in self.routes]
        return [(u, (self.v[route[0]] + self.v[route[1]]) / 2) for u, route in gaps]

    def _ports(self, end: object, other: object) -> list[float]:
        """For each edge, how far from the middle of the box's side it is attached."""
        at: dict[int, list[int]] = defaultdict(list)
        for number, route in enumerate(self.routes):
            at[end(route)].append(number)  # type: ignore[operator]
        ports = [0.0] * len(self.routes)
        for box, numbers in at.items():
            numbers.sort(key=lambda number: self.v[other(self.routes[number])])  # type: ignore[operator]
            step = min(18.0, (self.extents[box][1] - 20) / max(1, len(numbers) - 1))
            for place, number in enumerate(numbers):
                ports[number] = (place - (len(numbers) - 1) / 2) * step
        return ports


def ranks(count: int, edges: Sequence[Edge]) -> list[int]:
    """The rank of each box: the longest path to a box without consumers is the way to the last rank."""
    parents: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for edge in edges:
        parents[edge.head].append(edge.tail)
        waiting[edge.tail] += 1
    ready = [i for i in range(count) if not waiting[i]]
    depth = [0] * count
    for box in ready:  # grows while it is walked
        for parent in parents[box]:
            depth[parent] = max(depth[parent], depth[box] + 1)
            waiting[parent] -= 1
            if not waiting[parent]:
                ready.append(parent)
    if len(ready) < count:
        raise ValueError("the graph to be laid out has a cycle; boxes can be ranked only where there is none")
    last = max(depth, default=0)
    return [last - d for d in depth]


def _mean(xs: list[float] | list[int], otherwise: float) -> float:
    return sum(xs) / len(xs) if xs else otherwise


def _apart(wanted: list[float], heights: list[float]) -> list[float]:
    """The positions nearest to the wanted ones (least squares) that keep neighbours apart and in order.

    Pooling adjacent violators: items that want to overlap are merged into blocks, each at the mean of its wishes.
    """
    offsets, offset = [], 0.0
    for i, height in enumerate(heights):
        offset += (heights[i - 1] + height) / 2 if i else 0.0
        offsets.append(offset)
    blocks: list[tuple[float, int]] = []
    for wish, offset in zip(wanted, offsets):
        mean, size = wish - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, n = blocks.pop()
            mean, size = (mean * size + other * n) / (size + n), size + n
        blocks.append((mean, size))
    means = [mean for mean, size in blocks for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, offsets)]


def _line(curve: list[Point], end: Point) -> None:
    if end != curve[-1]:
        curve += [curve[-1], end, end]


def _bend(curve: list[Point], start: float, end: Point) -> None:
    """Straight on to `start`, then an S across the gap to `end`."""
    _line(curve, (start, curve[-1][1]))
    middle = (start + end[0]) / 2
    curve += [(middle, curve[-1][1]), (middle, end[1]), end]


def _around(curve: list[Point], end: Point, lane: float, out: float, back: float) -> None:
    """Up in the gap behind the tail, along a lane above all boxes, and down in the gap before the head."""
    for corner in ((out + 14, curve[-1][1]), (out + 14, lane), (back - 20, lane), (back - 20, end[1]), end):
        _line(curve, corner)


# Labels ---------------------------------------------------------------------------------------------------------


def sample(curve: Sequence[Point], steps: int = 16) -> Iterator[Point]:
    """Points along a Bezier curve, at equal steps of its parameter in each segment."""
    for i in range(0, len(curve) - 1, 3):
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = curve[i : i + 4]
        for step in range(steps + 1):
            t = step / steps
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            yield a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3


def place_labels(
    curves: Sequence[Sequence[Point]],
    labels: Sequence[tuple[float, float]],
    anchors: Sequence[Point],
    boxes: Sequence[tuple[Point, tuple[float, float]]],
) -> list[Point]:
    """For each label a point of its curve, near its anchor, where it covers no box and no other label.

    `labels` are (width, height), (0, 0) without one; `boxes` are (centre, (width, height)).
    """
    if len(labels) > MANY:
        return list(anchors)
    cells: dict[tuple[int, int], list[tuple[float, float, float, float]]] = defaultdict(list)
    size = 80.0

    def covered(x: float, y: float, w: float, h: float) -> Iterator[tuple[int, int]]:
        for i in range(int((x - w / 2) // size), int((x + w / 2) // size) + 1):
            for j in range(int((y - h / 2) // size), int((y + h / 2) // size) + 1):
                yield i, j

    def overlap(x: float, y: float, w: float, h: float) -> float:
        others = [other for cell in covered(x, y, w, h) for other in cells[cell]]
        return sum(max(0.0, (w + v) / 2 - abs(x - a)) * max(0.0, (h + g) / 2 - abs(y - b)) for a, b, v, g in others)

    def occupy(x: float, y: float, w: float, h: float) -> None:
        for cell in covered(x, y, w, h):
            cells[cell].append((x, y, w, h))

    for (x, y), (w, h) in boxes:
        occupy(x, y, w + 4, h + 4)
    places = []
    for curve, (w, h), anchor in zip(curves, labels, anchors):
        place = anchor
        if w:
            candidates = sorted(sample(curve), key=lambda point: math.dist(point, anchor))[:30]
            place = min(candidates, key=lambda point: round(overlap(*point, w, h)))
            occupy(*place, w, h)
        places.append(place)
    return places
