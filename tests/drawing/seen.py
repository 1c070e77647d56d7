"""What is wrong with a picture, measured in its SVG alone: what covers what, and how large the letters are."""

import itertools
import math
import re
import xml.etree.ElementTree as ElementTree

SVG = "{http://www.w3.org/2000/svg}"
Rectangle = tuple[float, float, float, float]  # left, top, right, bottom


def seen(svg: str) -> dict[str, list]:
    """The boxes, labels and curves of a picture, in its own pixels."""
    root = ElementTree.fromstring(svg)
    found: dict[str, list] = {"boxes": [], "labels": [], "curves": [], "tips": []}
    for g in root.iter(f"{SVG}g"):
        kind = (g.get("class") or "").split(" ")[0]
        if kind == "node" and "heading" not in g.get("class") and "gap" not in g.get("class"):
            found["boxes"].append(bounds([e for e in g if "shape" in (e.get("class") or "")][-1]))
        elif kind == "local":
            found["labels"].append(bounds(next(iter(g.iter(f"{SVG}rect")))))
        elif kind == "edge":
            [path] = g.iter(f"{SVG}path")
            found["tips"] += [bounds(e) for e in g.iter(f"{SVG}polygon")]
            tips = [point(p) for e in g.iter(f"{SVG}polygon") for p in e.get("points").split()]
            found["curves"].append([*points(path.get("d")), *tips[:1]])
    return found


def point(text: str) -> tuple[float, float]:
    x, y = text.split(",")
    return float(x), float(y)


def bounds(element: ElementTree.Element) -> Rectangle:
    if element.tag == f"{SVG}polygon":
        xs, ys = zip(*map(point, element.get("points").split()))
        return min(xs), min(ys), max(xs), max(ys)
    x, y, w, h = (float(element.get(key)) for key in ("x", "y", "width", "height"))
    return x, y, x + w, y + h


def points(d: str) -> list[tuple[float, float]]:
    """Points along a path of absolute M, L and C, two pixels apart or so."""
    result: list[tuple[float, float]] = []
    for command, text in re.findall(r"([MLC])([^MLC]*)", d):
        numbers = [float(x) for x in text.split()]
        ends = list(zip(numbers[::2], numbers[1::2]))
        if command == "M":
            result += ends
            continue
        start = result[-1]
        a, b, c = ends if command == "C" else (start, ends[0], ends[0])
        steps = 2 + int((math.dist(start, a) + math.dist(a, b) + math.dist(b, c)) / 2)
        for k in range(1, steps + 1):
            t = k / steps
            weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            result.append(tuple(sum(w * p[i] for w, p in zip(weights, (start, a, b, c))) for i in (0, 1)))
    return result


def inside(p: tuple[float, float], box: Rectangle, reach: float) -> bool:
    return box[0] - reach < p[0] < box[2] + reach and box[1] - reach < p[1] < box[3] + reach


def overlap(one: Rectangle, other: Rectangle) -> bool:
    return min(one[2], other[2]) - max(one[0], other[0]) > 1 and min(one[3], other[3]) - max(one[1], other[1]) > 1


def faults(svg: str) -> list[str]:
    """What covers what: each edge may touch two boxes, those it joins, with its ends; each label lies on one edge."""
    picture, told = seen(svg), []
    boxes, labels, curves = picture["boxes"], picture["labels"], picture["curves"]
    for one, other in itertools.combinations(boxes, 2):
        told += ["box on box"] * overlap(one, other)
    for label in labels:
        told += ["label on box"] * any(overlap(label, box) for box in boxes)
        told += ["label on tip"] * any(overlap(label, tip) for tip in picture["tips"])
        through = [curve for curve in curves if any(inside(p, label, -1.0) for p in curve)]
        told += [f"label on {len(through)} edges"] * (len(through) != 1)
    for one, other in itertools.combinations(labels, 2):
        told += ["label on label"] * overlap(one, other)
    for curve in curves:
        joined = [min(boxes, key=lambda box: distance(end, box)) for end in (curve[0], curve[-1])]
        for box in boxes:
            reach = -4.0 if box in joined else 1.0
            told += ["edge through box"] * any(inside(p, box, reach) for p in curve)
    return told


def distance(p: tuple[float, float], box: Rectangle) -> float:
    dx, dy = max(box[0] - p[0], 0, p[0] - box[2]), max(box[1] - p[1], 0, p[1] - box[3])
    return math.hypot(dx, dy)


def smallest_letters(svg: str) -> float:
    """The smallest size of any text in the picture."""
    style = re.search(r"<style>(.*?)</style>", svg, re.S)[1]
    of_class = {name: float(size) for name, size in re.findall(r"\.(\w+)\{font-size:([\d.]+)px\}", style)}
    sizes = [float(re.search(r"text\{[^}]*font-size:(\d+)px", style)[1])]
    for element in ElementTree.fromstring(svg).iter():
        if size := element.get("font-size"):
            sizes.append(float(size))
        elif element.tag == f"{SVG}text":
            sizes += [of_class[name] for name in element.get("class", "").split() if name in of_class]
    return min(sizes)
