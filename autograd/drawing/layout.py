"""The built-in layered layout: where boxes go and how edges run between them, without any outside program.

Boxes stand in ranks, each as close to its consumers as it can; an edge that spans several ranks keeps a lane free in
each of them, so that no edge runs behind a box; it leaves its box straight, so far that its label has a place of its
own, and bends only then. It knows sizes and positions only, neither Values nor SVG; `rows` breaks long graphs.
"""

import math
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]
Family = tuple[Hashable, tuple[int, ...]] | None  # what boxes that keep their order have in common, and their numbers

SEPARATION = 16.0  # between boxes of one rank
LANE = 12.0  # height that a passing edge keeps free
FAN = 22.0  # room in which the edges of one box move apart, where they are more than its side holds
TIP = 11.0  # length of a large arrowhead
AIR = 3.0  # between the labels of two edges of one box
MOST_LABELS = 5_000  # labels beyond which they stay where they are, whatever they cover
MOST_LANES = 20_000  # lanes in all; beyond that, long edges run around the boxes instead of between them


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


def arrange(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[Edge],
    direction: str = "LR",
    families: Sequence[Family] = (),
    pinned: Sequence[int] = (),
    bend: float = 22.0,
) -> Placement:
    """Place boxes of the given (width, height) so that every edge of an acyclic graph points in the direction.

    Boxes of one family, (its key, numbers), stand in the order of their numbers wherever they share a rank. `pinned`
    has -1 for boxes that belong before all others, 1 for those after all others, 0 for the rest. `bend` is the least
    room for the bends of edges between two ranks.

    Raises ValueError for a graph with a cycle.
    """
    upright = direction in ("TB", "BT")
    extents = [(height, width) if upright else (width, height) for width, height in sizes]
    labels = [(edge.label[1], edge.label[0]) if upright else edge.label for edge in edges]
    centres, curves, anchors = _Layers(extents, edges, labels, families, pinned, bend).place()

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

    def __init__(
        self,
        extents: list[tuple[float, float]],
        edges: Sequence[Edge],
        labels: list[tuple[float, float]],
        families: Sequence[Family],
        pinned: Sequence[int],
        bend: float,
    ):
        self.bend = bend
        self.extents, self.edges, self.labels, self.families = extents, edges, labels, families
        self.rank = pinned_ranks(ranks(len(extents), edges), pinned)
        leaving, step = _leaving(len(extents), edges, labels)
        self.spread = [max(0, n - 1) * room for n, room in zip(leaving, step)]
        self.height = [max(h, n * room) + SEPARATION for (_, h), n, room in zip(extents, leaving, step)]
        self.before: list[list[int]] = [[] for _ in extents]
        self.after: list[list[int]] = [[] for _ in extents]
        self.routes: list[list[int]] = []
        lanes = sum(self.rank[edge.head] - self.rank[edge.tail] - 1 for edge in edges)
        for edge in edges:
            self.routes.append(self._route(edge, lanes <= MOST_LANES))
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
        for layer in self.layers:
            self._keep_families(layer)
        best, fewest = [list(layer) for layer in self.layers], self._crossings()
        for sweep in range(24 if len(self.rank) < 2_000 else 6):
            if not fewest:
                break
            layers, neighbours = (self.layers[-2::-1], self.after) if sweep % 2 else (self.layers[1:], self.before)
            position = self._positions()
            for layer in layers:
                mean = {i: _mean([position[j] for j in neighbours[i]], position[i]) for i in layer}
                layer.sort(key=mean.__getitem__)
                self._keep_families(layer)
                position.update(zip(layer, range(len(layer))))
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(layer) for layer in self.layers], crossings
        self.layers = best

    def _keep_families(self, layer: list[int]) -> None:
        """Give the places of each family in a rank to its members in their order."""
        places: dict[Hashable, list[int]] = defaultdict(list)
        for place, item in enumerate(layer):
            if item < len(self.families) and (family := self.families[item]):
                places[family[0]].append(place)
        for those in places.values():
            members = sorted((layer[place] for place in those), key=lambda item: self.families[item][1])  # type: ignore
            for place, item in zip(those, members):
                layer[place] = item

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
        for sweep in range(13 if len(self.rank) < 5_000 else 5):
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
        self.fan, self.stub = [0.0] * len(self.layers), [0.0] * len(self.layers)
        bend = [self.bend] * len(self.layers)
        for route, (width, _) in zip(self.routes, self.labels):
            tail, rank = route[0], self.rank[route[0]]
            self.stub[rank] = max(self.stub[rank], width + 6 if width else 0.0)
            if self.spread[tail] > self.extents[tail][1] - 20:
                self.fan[rank] = FAN
            for left, right in pairwise(route):
                rank, slope = self.rank[left], abs(self.v[left] - self.v[right])
                bend[rank] = max(bend[rank], min(90.0, self.bend + slope / 8))
        gap = [fan + stub + space for fan, stub, space in zip(self.fan, self.stub, bend)]
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
            rank = self.rank[tail]
            curve = [(self.centre[rank] + self.extents[tail][0] / 2, self.v[tail] + start * self._squeeze(tail))]
            if self._squeeze(tail) < 1:  # apart, before the labels
                _bend(curve, self.right[rank], (self.right[rank] + self.fan[rank], self.v[tail] + start))
            stop = (self.centre[self.rank[head]] - self.extents[head][0] / 2, self.v[head] + end)
            if len(route) == 2 and self.rank[head] > self.rank[tail] + 1:  # around, on a lane above everything
                lane.setdefault(tail, roof - 8.0 * (1 + len(lane) % 200))
                _around(curve, stop, lane[tail], self.right[self.rank[tail]], self.left[self.rank[head]])
                curves.append(curve)
                continue
            for item in route[1:-1]:
                left, right, v = self.left[self.rank[item]], self.right[self.rank[item]], self.v[item]
                _bend(curve, self._free(self.rank[item] - 1, rank), (left, v))
                _line(curve, (right, v))
            _bend(curve, self._free(self.rank[head] - 1, rank), (self.left[self.rank[head]], stop[1]))
            _line(curve, stop)
            curves.append(curve)
        return curves

    def _free(self, rank: int, start: int) -> float:
        """Where an edge that left its box in rank `start` may bend in the gap after `rank`."""
        return self.right[rank] + (self.fan[rank] + self.stub[rank] if rank == start else 0.0)

    def _squeeze(self, box: int) -> float:
        """By how much the edges of a box are nearer to each other at its side than beside their labels."""
        room = self.extents[box][1] - 20
        return min(1.0, max(room, 1.0) / self.spread[box]) if self.spread[box] else 1.0

    def _anchors(self) -> list[Point]:
        """The middle of each edge's straight beginning: nothing else comes there."""
        starts = self._ports(lambda route: route[0], lambda route: route[1])
        anchors = []
        for route, start, (width, _) in zip(self.routes, starts, self.labels):
            rank = self.rank[route[0]]
            anchors.append((self.right[rank] + self.fan[rank] + 3 + width / 2, self.v[route[0]] + start))
        return anchors

    def _ports(self, end: object, other: object) -> list[float]:
        """For each edge, how far from the middle of the box's side it is attached, or stands beside it."""
        at: dict[int, list[int]] = defaultdict(list)
        for number, route in enumerate(self.routes):
            at[end(route)].append(number)  # type: ignore[operator]
        ports = [0.0] * len(self.routes)
        for box, numbers in at.items():
            numbers.sort(key=lambda number: self.v[other(self.routes[number])])  # type: ignore[operator]
            leaving = self.routes[numbers[0]][0] == box
            step = max(0.0, min(18.0, (self.extents[box][1] - 20) / max(1, len(numbers) - 1)))
            step = max(step, self.spread[box] / max(1, len(numbers) - 1)) if leaving else step
            for place, number in enumerate(numbers):
                ports[number] = (place - (len(numbers) - 1) / 2) * step
        return ports


def _leaving(count: int, edges: Sequence[Edge], labels: Sequence[tuple[float, float]]) -> tuple[list[int], list[float]]:
    """How many edges leave each box, and how far apart they must be for their labels to have room."""
    leaving, step = [0] * count, [0.0] * count
    for edge, (_, across) in zip(edges, labels):
        leaving[edge.tail] += 1
        step[edge.tail] = max(step[edge.tail], across and across + AIR)
    return leaving, step


def pinned_ranks(found: list[int], pinned: Sequence[int]) -> list[int]:
    """Ranks in which what is pinned stands before, or after, all that is not."""
    if not any(pinned):
        return found
    free = [rank for rank, pin in zip(found, pinned) if not pin] or [0]
    shift = min(free) - (-1 in pinned)
    last = max(free) + 1 - shift
    return [{-1: 0, 0: rank - shift, 1: last}[pin] for rank, pin in zip(found, pinned)]


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


def families_in_order(placement: Placement, families: Sequence[Family], direction: str) -> bool:
    """Whether the boxes of each family that share a rank are in their order."""
    along, across = (1, 0) if direction in ("TB", "BT") else (0, 1)
    members: dict[Hashable, list[tuple[tuple[int, ...], Point]]] = defaultdict(list)
    for family, centre in zip(families, placement.centres):
        if family:
            members[family[0]].append((family[1], centre))
    for those in members.values():
        those.sort()
        last: dict[int, float] = {}
        for _, centre in those:
            rank = round(centre[along])
            if centre[across] < last.get(rank, -math.inf):
                return False
            last[rank] = centre[across]
    return True


def sample(curve: Sequence[Point], step: float = 6.0) -> Iterator[Point]:
    """Points along a Bezier curve, not much farther apart than a step."""
    for i in range(0, len(curve) - 1, 3):
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = curve[i : i + 4]
        steps = min(
            400,
            2
            + int(
                (
                    math.dist(curve[i], curve[i + 1])
                    + math.dist(curve[i + 1], curve[i + 2])
                    + math.dist(curve[i + 2], curve[i + 3])
                )
                / step
            ),
        )
        for k in range(steps + 1):
            t = k / steps
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            yield a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3


def clear(placement: Placement, sizes: Sequence[tuple[float, float]], edges: Sequence[Edge]) -> bool:
    """Whether no edge of a placement runs through a box that it does not join, or along the border of one."""
    cells: dict[tuple[int, int], list[int]] = defaultdict(list)
    for box, ((x, y), (w, h)) in enumerate(zip(placement.centres, sizes)):
        for i in range(int((x - w / 2) // 80), int((x + w / 2) // 80) + 1):
            for j in range(int((y - h / 2) // 80), int((y + h / 2) // 80) + 1):
                cells[i, j].append(box)
    for edge, curve in zip(edges, placement.curves):
        for x, y in sample(curve):
            for box in cells.get((int(x // 80), int(y // 80)), ()):
                (u, v), (w, h) = placement.centres[box], sizes[box]
                reach = -3.0 if box in (edge.tail, edge.head) else 2.0  # it touches those it joins
                if abs(x - u) < w / 2 + reach and abs(y - v) < h / 2 + reach:
                    return False
    return True


def place_labels(
    curves: Sequence[Sequence[Point]],
    labels: Sequence[tuple[float, float]],
    anchors: Sequence[Point],
    boxes: Sequence[tuple[Point, tuple[float, float]]],
) -> tuple[list[Point], bool]:
    """For each label its anchor, or a point of its curve near it, where it covers no box, label, tip or other curve.

    Also whether there is such a place for each.

    `labels` are (width, height), (0, 0) without one; `boxes` are (centre, (width, height)).
    """
    if len(labels) > MOST_LABELS:
        return list(anchors), True
    taken = _Occupied()
    for (x, y), (w, h) in boxes:
        taken.rectangle(x, y, w + 4, h + 4)
    for number, curve in enumerate(curves):
        taken.curve(number, curve)
        taken.rectangle(*tip(curve), TIP, TIP)
    places, free = [], True
    for number, (curve, (w, h), anchor) in enumerate(zip(curves, labels, anchors)):
        place = anchor
        if w and taken.by(number, *anchor, w, h):
            candidates = sorted(sample(curve), key=lambda point: math.dist(point, anchor))[:60]
            place = min(candidates, key=lambda point: round(taken.by(number, *point, w, h)))
            free = free and taken.by(number, *place, w, h) < 1
        if w:
            taken.rectangle(*place, w, h)
        places.append(place)
    return places, free


def tip(curve: Sequence[Point]) -> Point:
    """The middle of a curve's arrowhead."""
    (x, y), back = curve[-1], next((p for p in reversed(curve) if p != curve[-1]), curve[-1])
    share = TIP / 2 / max(math.dist(back, (x, y)), TIP / 2)
    return x + share * (back[0] - x), y + share * (back[1] - y)


class _Occupied:
    """Where boxes, labels and curves are, in cells."""

    size = 80.0
    touch = 40.0  # what a point of a curve counts for, as an area

    def __init__(self) -> None:
        self.rectangles: dict[tuple[int, int], list[tuple[float, float, float, float]]] = defaultdict(list)
        self.points: dict[tuple[int, int], list[tuple[float, float, int]]] = defaultdict(list)

    def _cells(self, x: float, y: float, w: float, h: float) -> Iterator[tuple[int, int]]:
        for i in range(int((x - w / 2) // self.size), int((x + w / 2) // self.size) + 1):
            for j in range(int((y - h / 2) // self.size), int((y + h / 2) // self.size) + 1):
                yield i, j

    def rectangle(self, x: float, y: float, w: float, h: float) -> None:
        for cell in self._cells(x, y, w, h):
            self.rectangles[cell].append((x, y, w, h))

    def curve(self, number: int, curve: Sequence[Point]) -> None:
        for x, y in sample(curve):
            self.points[int(x // self.size), int(y // self.size)].append((x, y, number))

    def by(self, number: int, x: float, y: float, w: float, h: float) -> float:
        """How much of a place for the label of a curve is taken by others."""
        total = 0.0
        for cell in self._cells(x, y, w, h):
            for a, b, v, g in self.rectangles[cell]:
                total += max(0.0, (w + v) / 2 - abs(x - a)) * max(0.0, (h + g) / 2 - abs(y - b))
            for a, b, other in self.points[cell]:
                total += self.touch * (other != number and abs(a - x) < w / 2 + 1 and abs(b - y) < h / 2 - 1)
        return total
