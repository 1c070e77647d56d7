"""Whatever is drawn without options fits a notebook's column and a page, and nothing in it covers anything else."""

import pathlib

import pytest
from seen import faults, seen, smallest_letters
from thirty import THIRTY

from autograd import draw, paths
from autograd.core.graph import topological_order
from autograd.drawing.draw import ENGINES, FEW_VALUES, find

COLUMN, PAGE = 1100, 900  # pixels: a column of JupyterLab's, and what a laptop shows of a page
A4 = 297 / 210
GOLDEN = pathlib.Path(__file__).parent / "golden"


@pytest.mark.parametrize("engine", [None, *ENGINES])
@pytest.mark.parametrize("name", THIRTY)
def test_a_default_drawing_fits_and_nothing_covers_anything(name, engine):
    if engine in ENGINES[:-1] and not find(engine):
        pytest.skip(f"{engine} is not installed")
    cost = THIRTY[name]()
    cost.backward()
    drawing = draw(cost, engine=engine)
    assert drawing.width <= COLUMN
    few = len(topological_order(cost)) <= FEW_VALUES  # these may be as high as wide before they are folded
    assert drawing.height <= (COLUMN if few else PAGE) <= COLUMN * A4
    assert smallest_letters(drawing.svg) >= 11
    assert faults(drawing.svg) == []
    assert 2 <= len(seen(drawing.svg)["boxes"]) <= 60


@pytest.mark.parametrize("engine", ["dot", "builtin"])
@pytest.mark.parametrize("direction", ["RL", "TB", "BT"])
def test_other_directions_cover_nothing_either(direction, engine):
    for name in ("the README's cost", "a diamond", "MLP 2-2-1", "softmax of four"):
        cost = THIRTY[name]()
        cost.backward()
        drawing = draw(cost, engine=engine, direction=direction)
        assert drawing.width <= COLUMN
        assert faults(drawing.svg) == []


def test_a_number_stands_clear_of_its_line_where_it_is_dimmed_as_well():
    cost = THIRTY["the README's cost"]()
    cost.backward()
    w = next(value for value in topological_order(cost) if value.label == "w")
    for engine in (None, "builtin"):
        svg = draw(cost, engine=engine, highlight=paths(cost, w)[0], direction="TB").svg
        assert faults(svg) == []
        assert ".local.dim{opacity:1}" in svg  # what hides the line below a number is not dimmed with it


def test_the_faults_are_found():
    good = draw(THIRTY["a line"](), engine="builtin", legend=False).svg
    assert faults(good) == []
    box, label = seen(good)["boxes"][0], seen(good)["labels"][0]
    x, y = (label[0] + label[2]) / 2, (label[1] + label[3]) / 2
    through = f'<g class="edge"><path d="M{box[0] - 50} {y}L{x + 100} {y}"/></g></svg>'
    assert {"edge through box", "label on 2 edges"} <= set(faults(good.replace("</svg>", through)))
    moved = f'<g class="local"><rect x="{box[0]}" y="{box[1]}" width="30" height="14"/></g></svg>'
    assert {"label on box", "label on 0 edges"} <= set(faults(good.replace("</svg>", moved)))
    tip = seen(good)["tips"][0]
    moved = f'<g class="local"><rect x="{tip[0]}" y="{tip[1]}" width="30" height="14"/></g></svg>'
    assert "label on tip" in faults(good.replace("</svg>", moved))


def test_neurons_stand_in_their_order():
    for engine in ENGINES:
        drawing = draw(THIRTY["MLP 2-4-4-1"](), engine=engine)
        heads = [box for box in drawing._boxes if box.kind == "neuron"]
        heights = {}
        for box, (_, y) in zip(drawing._boxes, drawing._placement.centres):
            if box in heads:
                heights["".join(run.text for run in box.heading[:3])] = y
        assert len(heights) == 9
        for layer in (1, 2):
            ys = [heights[f"a{j}({layer})"] for j in range(4)]
            assert ys == sorted(ys)


def test_a_long_chain_wraps_into_rows():
    drawing = draw(THIRTY["twelve sigmoids"](), engine="builtin")
    boxes = seen(drawing.svg)["boxes"]
    assert len(boxes) == 13
    rows = sorted({round(top) for _, top, _, bottom in boxes})
    assert 3 <= len(rows) <= 6
    assert drawing.width <= COLUMN


def test_equal_examples_fold_into_one_box_that_says_how_many():
    drawing = draw(THIRTY["thirty examples"](), engine="builtin")
    assert "30 examples" in drawing.svg
    assert "× 30" not in drawing.svg
    assert "30 examples" in draw(THIRTY["a fitted line"](), engine="builtin").svg
    assert "examples" not in draw(THIRTY["a sum of forty"](), engine="builtin").svg


def test_the_legend_says_what_is_in_the_picture_and_nothing_else():
    def legend(name, backward=True):
        cost = THIRTY[name]()
        if backward:
            cost.backward()
        return draw(cost, engine="builtin").svg

    assert "local derivative" in legend("a line")
    assert "local derivative" not in legend("a sum of forty")  # folded edges carry none
    assert "logarithmic scale" in legend("a line")
    assert "logarithmic scale" not in legend("a line", backward=False)
    assert ">parameter<" not in legend("a line")
    assert ">parameter<" in legend("MLP 2-2-1")
    assert ">cost<" not in legend("a line", backward=False)


SHEET = ("a line", "a diamond", "twelve sigmoids", "MLP 2-3-1", "thirty examples", "MLP 2-4-4-1")


@pytest.mark.parametrize("name", SHEET)
def test_a_contact_sheet_of_drawings_is_what_it_was(name):
    cost = THIRTY[name]()
    cost.backward()
    path = GOLDEN / f"{name.replace(' ', '_')}.svg"
    assert draw(cost, engine="builtin").svg == path.read_text(encoding="utf-8"), (
        "look at the new picture; if it is better, write it to the golden file"
    )
