"""Long graphs in rows, as text wraps: an edge that leaves a row at its end enters the next one at its beginning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise

from autograd.drawing.layout import Edge, Family, Placement, Point, ranks

Families = Sequence[Family]
Placer = Callable[[Sequence[tuple[float, float]], Sequence[Edge], Families, Sequence[int]], Placement]

CORNER = 9.0  # radius of a corner
TRACK = 9.0  # between two edges that run beside each other from row to row
ROW_GAP = 26.0  # between two rows, without what runs there
MOST_EDGES = 4  # edges from one row to the next that still read as one line of thought


def in_rows(
    sizes: Sequence[tuple[float, float]], edges: Sequence[Edge], families: Families, width: float, layout: Placer
) -> Placement | None:
    """A placement no wider than `width`, in as few rows as that takes; None where too much would cross from row to row.

    `layout` places one row: from sizes, edges, families and pins, as `arrange` has them.
    """
    rank = ranks(len(sizes), edges)
    count = max(rank, default=0) + 1
    whole = layout(sizes, edges, families, ())
    if whole.width <= width:
        return whole
    for many in range(2, count // 2 + 1):
        if whole.width / many > width:
            continue
        cuts = _cuts(rank, edges, many)
        if cuts is None:
            continue
        row = _rows(rank, edges, cuts)
        if any(sum(row[edge.tail] <= r < row[edge.head] for edge in edges) > MOST_EDGES for r in range(many)):
            continue
        placed = _Rows(sizes, edges, families, row).place(layout)
        if placed.width <= width:
            return placed
    return None


def _crossing(rank: Sequence[int], edges: Sequence[Edge], has_parents: set[int]) -> list[int]:
    """How many edges cross from one row to the next if one ends after each rank; a leaf moves to where it is used."""
    crossing = [0] * (max(rank, default=0) + 1)
    for edge in edges:
        if edge.tail in has_parents:
            for r in range(rank[edge.tail], rank[edge.head]):
                crossing[r] += 1
    return crossing


def _cuts(rank: Sequence[int], edges: Sequence[Edge], many: int) -> list[int] | None:
    """The ranks after which a row ends: near equal parts, where little crosses; None where too much does."""
    crossing = _crossing(rank, edges, {edge.head for edge in edges})
    count, cuts = len(crossing), []
    for k in range(1, many):
        wanted, reach = count * k / many, max(1, count // (3 * many))
        near = [r for r in range(count - 1) if abs(r + 1 - wanted) <= reach and r > (cuts[-1] if cuts else 0)]
        best = min(near, key=lambda r: (crossing[r], abs(r + 1 - wanted)), default=None)
        if best is None or crossing[best] > MOST_EDGES:
            return None
        cuts.append(best)
    return cuts


def _rows(rank: Sequence[int], edges: Sequence[Edge], cuts: Sequence[int]) -> list[int]:
    """The row of each box; one without parents stands in the first row that uses it."""
    row = [sum(r > cut for cut in cuts) for r in rank]
    first: dict[int, int] = {}
    for edge in edges:
        first[edge.tail] = min(first.get(edge.tail, row[edge.head]), row[edge.head])
    parents = {edge.head for edge in edges}
    return [r if box in parents else first.get(box, r) for box, r in enumerate(row)]


class _Rows:
    """The rows one below the other, and the edges between them."""

    def __init__(
        self, sizes: Sequence[tuple[float, float]], edges: Sequence[Edge], families: Families, row: Sequence[int]
    ):
        self.sizes, self.edges, self.families, self.row = sizes, edges, families, row
        self.count = max(row) + 1

    def place(self, layout: Placer) -> Placement:
        """Every row by itself, then all together."""
        parts = [self._row(r, layout) for r in range(self.count)]
        width = max(placement.width for placement, *_ in parts)
        crossing = [i for i, edge in enumerate(self.edges) if self.row[edge.tail] != self.row[edge.head]]
        between = [sum(self.row[self.edges[i].tail] == r for i in crossing) for r in range(self.count)]
        tracks = self._tracks(crossing)
        margin = CORNER + TRACK * (1 + max(tracks.values(), default=0))

        centres: list[Point] = [(0.0, 0.0)] * len(self.sizes)
        curves: list[list[Point]] = [[] for _ in self.edges]
        anchors: list[Point] = [(0.0, 0.0)] * len(self.edges)
        starts: dict[int, list[Point]] = {}
        ends: dict[int, list[Point]] = {}
        top, floors = 0.0, []
        for r, (placement, boxes, numbers, leaving, entering) in enumerate(parts):
            moved = lambda point, top=top: (point[0] + margin, point[1] + top)  # noqa: E731
            for box, centre in zip(boxes, placement.centres):
                centres[box] = moved(centre)
            for number, curve, anchor in zip(numbers, placement.curves, placement.anchors):
                shifted = [moved(point) for point in curve]
                if number in leaving:
                    starts[number], anchors[number] = shifted, moved(anchor)
                elif number in entering:
                    ends[number] = shifted
                else:
                    curves[number], anchors[number] = shifted, moved(anchor)
            top += placement.height
            floors.append(top)
            top += ROW_GAP + TRACK * between[r]
        self._join(tracks, starts, ends, curves, floors, margin)
        right = CORNER + TRACK * max(between)
        return Placement(centres, curves, anchors, margin + width + right, top - ROW_GAP - TRACK * between[-1])

    def _tracks(self, crossing: list[int]) -> dict[int, int]:
        """How far out at the left each crossing edge runs: those that pass the same row side by side."""
        busy: list[int] = []  # for each track, the row up to which it is taken
        tracks = {}
        for number in sorted(crossing, key=lambda number: self.row[self.edges[number].tail]):
            edge = self.edges[number]
            free = next((t for t, until in enumerate(busy) if until <= self.row[edge.tail]), len(busy))
            busy[free : free + 1] = [self.row[edge.head]]
            tracks[number] = free
        return tracks

    def _row(self, r: int, layout: Placer) -> tuple[Placement, list[int], list[int], set[int], set[int]]:
        """One row, with a point for each edge that enters or leaves it: those at its beginning, and at its end."""
        boxes = [box for box, row in enumerate(self.row) if row == r]
        place = {box: i for i, box in enumerate(boxes)}
        sizes, pins = [self.sizes[box] for box in boxes], [0] * len(boxes)
        families = [self.families[box] if box < len(self.families) else None for box in boxes]
        edges, numbers, leaving, entering = [], [], set(), set()
        for number, edge in enumerate(self.edges):
            if self.row[edge.tail] == r == self.row[edge.head]:
                edges.append(Edge(place[edge.tail], place[edge.head], edge.label))
            elif self.row[edge.tail] == r:
                edges.append(Edge(place[edge.tail], len(sizes), edge.label))
                leaving.add(number)
            elif self.row[edge.head] == r:
                edges.append(Edge(len(sizes), place[edge.head]))
                entering.add(number)
            else:
                continue
            numbers.append(number)
            if edges[-1].tail == len(sizes) or edges[-1].head == len(sizes):
                sizes.append((1.0, 1.0))
                pins.append(-1 if edges[-1].tail == len(sizes) - 1 else 1)
                families.append((("crossing", pins[-1]), (number,)))
        return layout(sizes, edges, families, pins), boxes, numbers, leaving, entering

    def _join(
        self,
        tracks: dict[int, int],
        starts: dict[int, list[Point]],
        ends: dict[int, list[Point]],
        curves: list[list[Point]],
        floors: list[float],
        margin: float,
    ) -> None:
        """Each crossing edge out at the right, back in the gap below its row, and in again at the left."""
        right = max(start[-1][0] for start in starts.values()) if starts else 0.0
        of_row: dict[int, list[int]] = defaultdict(list)
        for number in tracks:
            of_row[self.row[self.edges[number].tail]].append(number)
        for r, numbers in sorted(of_row.items()):
            numbers.sort(key=lambda number: starts[number][-1][1])
            for k, number in enumerate(numbers):
                out = right + CORNER + TRACK * (len(numbers) - 1 - k)
                back = margin - CORNER - TRACK * tracks[number]
                lane = floors[r] + ROW_GAP / 2 + TRACK * (len(numbers) - 1 - k)
                into = ends[number][0]
                corners = [(out, starts[number][-1][1]), (out, lane), (back, lane), (back, into[1]), into]
                curves[number] = _rounded(starts[number], corners) + ends[number][1:]


def _rounded(curve: list[Point], corners: list[Point]) -> list[Point]:
    """A curve continued through corners, each rounded."""
    curve = list(curve)
    for corner, after in pairwise(corners):
        (x, y), (u, v) = corner, after
        a, b = curve[-1]
        near, far = _toward(corner, (a, b)), _toward(corner, (u, v))
        curve += [(a, b), near, near]
        curve += [((near[0] + 2 * x) / 3, (near[1] + 2 * y) / 3), ((far[0] + 2 * x) / 3, (far[1] + 2 * y) / 3), far]
    return [*curve, curve[-1], corners[-1], corners[-1]]


def _toward(corner: Point, other: Point) -> Point:
    """The point at a corner's radius from it, on the way to another."""
    (x, y), (u, v) = corner, other
    length = abs(u - x) + abs(v - y)
    share = min(CORNER, length / 2) / length if length else 0.0
    return x + (u - x) * share, y + (v - y) * share
