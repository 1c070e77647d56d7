import base64
import math
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Value, draw, gradients, play, sigmoid, tanh, zero_grad
from autograd import sum as total
from autograd.drawing.draw import ENGINES, PATIENCE
from autograd.drawing.svg import MARGIN

SVG = "{http://www.w3.org/2000/svg}"
GOLDEN = pathlib.Path(__file__).parent / "golden"


def cost_of_one_neuron() -> Value:
    w, a, b, y = (Value(x, label=label) for x, label in ((0.5, "w"), (2.0, "a"), (-0.7, "b"), (1.0, "y")))
    z = w * a + b
    z.label = "z"
    C = (tanh(z) - y) ** 2
    C.label = "C"
    return C


def texts(drawing) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(drawing.svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("engine", ["dot", "graphviz-pure", "builtin", None])
@pytest.mark.parametrize("direction", ["LR", "RL", "TB", "BT"])
def test_every_engine_draws_the_same_boxes_and_edges(engine, direction):
    C = cost_of_one_neuron()
    C.backward()
    drawing = draw(C, engine=engine, direction=direction)
    assert drawing.engine in ("dot", "graphviz-pure", "builtin")
    root = ElementTree.fromstring(drawing.svg)
    kinds = [g.get("class").split()[0] for g in root.iter(f"{SVG}g") if g.get("class")]
    assert kinds.count("node") == 10
    assert kinds.count("edge") == 9
    assert kinds.count("local") == 8
    assert sorted(texts(drawing)) == sorted(texts(draw(C, engine="builtin")))


def test_two_runs_give_the_same_bytes():
    one, two = (draw(cost_of_one_neuron(), engine="builtin") for _ in range(2))
    assert one.svg == two.svg
    assert one.dot == two.dot


def test_the_bytes_of_a_small_drawing_are_what_they_were():
    x = Value(3.0, label="x_1")
    y = x * x
    y.label = "y"
    y.backward()
    assert draw(y, engine="builtin").svg == (GOLDEN / "square.svg").read_text(encoding="utf-8")


@pytest.fixture
def no_programs(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    return tmp_path


def program(path: pathlib.Path, text: str) -> None:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IEXEC)


@pytest.mark.parametrize("engine", ["dot", "graphviz-pure", None])
def test_without_any_program_the_builtin_layout_draws(no_programs, engine):
    assert draw(cost_of_one_neuron(), engine=engine).engine == "builtin"


@pytest.mark.parametrize(
    "script",
    [
        "exit 1",
        "echo no json",
        'echo "{}"',
        "kill -9 $$",
        "",
        "echo null",
        "echo [1]",
        *(
            f"""echo '{{"bb": "0,0,10,10", "objects": {objects}}}'"""
            for objects in (
                "null",
                "[]",
                "[{}]",
                "[3]",
                '[{"name": "n0", "pos": null}]',
                '[{"name": "n-1", "pos": "1,1"}]',
            )
        ),
        """echo '{"bb": "0,0,1e400,1e400", "objects": [{"name": "n0", "pos": "1,1"}]}'""",
    ],
)
def test_a_program_that_fails_or_babbles_gives_way_to_the_next(no_programs, script):
    program(no_programs / "dot", f"#!/bin/sh\n{script}\n")
    drawing = draw(cost_of_one_neuron())
    assert drawing.engine == "builtin"
    ElementTree.fromstring(drawing.svg)


def test_a_program_that_cannot_be_executed_gives_way_to_the_next(no_programs):
    program(no_programs / "dot", "#!/nowhere/at/all\n")
    assert draw(cost_of_one_neuron()).engine == "builtin"


def test_a_program_that_hangs_is_stopped(no_programs, monkeypatch):
    monkeypatch.setattr(sys.modules["autograd.drawing.draw"], "PATIENCE", 0.2)
    program(no_programs / "dot", "#!/bin/sh\nexec /bin/sleep 60\n")
    start = time.perf_counter()
    assert draw(cost_of_one_neuron()).engine == "builtin"
    assert time.perf_counter() - start < PATIENCE


def test_a_program_beside_the_interpreter_is_found_though_it_is_not_on_the_path(no_programs, monkeypatch, tmp_path):
    elsewhere = tmp_path / "environment"
    elsewhere.mkdir()
    monkeypatch.setattr("sys.executable", str(elsewhere / "python"))
    answer = (
        '{"bb": "0,0,420,80", "objects": [{"name": "n0", "pos": "80,40"}, {"name": "n1", "pos": "340,40"}], '
        '"edges": [{"id": "e0", "lp": "210,40", "pos": "e,268,40 152,40 180,40 220,40 260,40"}]}'
    )
    program(elsewhere / "graphviz-pure", f"#!/bin/sh\necho '{answer}'\nexit 1\n")  # 1 after mere warnings, as dot
    drawing = draw(tanh(Value(1.0)), legend=False)
    assert drawing.engine == "graphviz-pure"
    assert drawing.width == 420 + 2 * MARGIN


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_labels_give_well_formed_svg_and_a_table(one, two):
    x = Value(1.0, label=one)
    y = x * x
    y.label = two
    drawing = draw(y, engine="builtin")
    root = ElementTree.fromstring(drawing.svg)
    assert len([g for g in root.iter(f"{SVG}g") if (g.get("class") or "").startswith("node")]) == 2
    assert isinstance(repr(drawing), str)
    assert drawing.dot


@pytest.mark.parametrize("label", ['"', "\\", "a\\nb", "<b>", "]]>", "a\nb", "\x00", "é∂𝛼", "{x|y}", "\\N"])
def test_hostile_labels_reach_graphviz_unharmed(label):
    x = Value(1.0, label=label)
    drawing = draw(tanh(x), engine="graphviz-pure")
    ElementTree.fromstring(drawing.svg)
    if drawing.engine == "graphviz-pure":
        assert sorted(texts(drawing)) == sorted(texts(draw(tanh(x), engine="builtin")))


@pytest.mark.parametrize(
    "label", ['"];evil[label="', "\\", "x\\\\", "a\nb", "\x00", "<<i>x</i>>", "{x|y}", "\\N", "é∂𝛼"]
)
def test_graphviz_reads_the_saved_source_whatever_the_labels(label):
    if not shutil.which("dot"):
        pytest.skip("dot is not installed")
    x = Value(1.0, label=label)
    y = tanh(x)
    y.label = label
    source = draw(y, engine="builtin").dot
    done = subprocess.run(["dot", "-Tplain"], input=source.encode(), capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().count("\nnode ") == 2


def test_dot_names_every_node_and_edge():
    C = cost_of_one_neuron()
    leaves = [value for value in gradients(C) if not value.op]
    source = draw(C, engine="builtin", direction="TB", parameters=leaves).dot
    assert source.startswith("digraph")
    assert "rankdir=TB" in source
    assert source.count("->") == 9
    assert "shape=hexagon" in source


def test_a_drawing_is_saved_as_svg_or_dot(tmp_path):
    drawing = draw(cost_of_one_neuron())
    drawing.save(tmp_path / "graph.svg")
    drawing.save(str(tmp_path / "graph.dot"))
    assert (tmp_path / "graph.svg").read_text(encoding="utf-8") == drawing.svg
    assert (tmp_path / "graph.dot").read_text(encoding="utf-8") == drawing.dot


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "neato"}, "engine is None or one of 'dot', 'graphviz-pure', 'builtin', not 'neato'"),
        ({"direction": "left"}, "direction is one of 'LR', 'RL', 'TB', 'BT', not 'left'"),
        ({"unfold": "weights"}, "unfold is None or one of 'all', 'neurons', 'layers', not 'weights'"),
        ({"max_nodes": 0}, "max_nodes is a whole number from 2 on, not 0"),
        ({"blank": "grad"}, "blank is one or more of 'values', 'gradients', 'partials', not 'grad'"),
        ({"max_nodes": True}, "max_nodes is a whole number from 2 on, not True"),
    ],
)
def test_an_unknown_option_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        draw(Value(1.0), **options)


@pytest.mark.parametrize("cost", [1.0, None, "C", [Value(1.0)], Value])
def test_only_values_and_models_are_drawn(cost):
    with pytest.raises(TypeError, match="draw takes a Value"):
        draw(cost)


def test_the_engine_may_be_given_by_position():
    assert draw(cost_of_one_neuron(), "builtin").engine == "builtin"


def test_a_leaf_can_be_drawn():
    assert "x" in texts(draw(Value(1.0, label="x")))


def test_drawing_changes_nothing():
    C = cost_of_one_neuron()
    before = [(v.data, v.grad, v.label) for v in (C, *C.parents)]
    draw(C)
    assert [(v.data, v.grad, v.label) for v in (C, *C.parents)] == before


def test_a_network_of_337_parameters_fits_on_a_screen_and_unfolds_on_request():
    model = nn.MLP(2, [16, 16, 1], seed=0)
    cost = (model([0.3, -0.8]) - 1) ** 2
    cost.backward()
    folded, layers, whole = draw(cost), draw(cost, unfold="layers"), draw(cost, unfold=True)
    assert folded.width <= 1400
    assert folded.height <= 900
    assert layers.width <= 1400
    assert layers.height <= 300
    assert whole.svg.count('class="node parameter') == 337


def test_ten_thousand_values_are_drawn_in_seconds():
    v = Value(1.0, label="x")
    for i in range(10_000):
        v = v * 1.0001 if i % 2 else tanh(v)
    v.backward()
    start = time.process_time()
    assert draw(v).svg.count('class="node') < 100
    assert time.process_time() - start < 10
    start = time.process_time()
    assert draw(v, unfold=True).svg.count('class="node') > 10_000
    assert time.process_time() - start < 60


def test_a_weighted_sum_of_hundreds_of_inputs_is_drawn():
    values = [Value(float(i), label=f"x_{i}") for i in range(300)]
    drawing = draw(total(values), unfold=True, engine="builtin")
    assert drawing.svg.count('class="node') == 301


def test_a_notebook_gets_text_a_picture_and_an_image_that_shows_when_untrusted():
    drawing = draw(cost_of_one_neuron())
    bundle = drawing._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml", "text/html"}
    assert bundle["image/svg+xml"] == drawing.svg
    image = re.search(r'<img src="data:image/svg\+xml;base64,([^"]*)" alt="([^"]*)"', bundle["text/html"])
    assert base64.b64decode(image[1]).decode() == drawing.svg
    assert "Computation graph of C" in image[2]
    assert "<script" not in bundle["text/html"]


def test_the_table_tells_what_the_picture_shows():
    C = cost_of_one_neuron()
    C.backward()
    lines = draw(C).table.splitlines()
    assert [line.split()[0] for line in lines] == ["value", "C", "tanh(z)", "y", "tanh(z)", "z", "b", "w", "a", "w"]
    assert lines[1].split() == ["C", "cost", "0.5022", "1", "pow:", "tanh(z)", "−", "y", "(−1.417),", "2"]


def test_a_bare_value_shows_its_graph_while_it_is_small():
    v = Value(2.0, label="v")
    small = v * v
    assert set(small._repr_mimebundle_()) == {"text/plain", "image/svg+xml", "text/html"}
    large = v
    for _ in range(60):
        large = large * 1.5
    assert large._repr_mimebundle_() == {"text/plain": repr(large)}
    assert v._repr_mimebundle_() == {"text/plain": repr(v)}


def test_a_bare_value_never_raises_in_a_notebook(monkeypatch):
    monkeypatch.setattr(sys.modules["autograd.drawing.draw"], "draw", None)
    v = Value(2.0) * 2
    assert v._repr_mimebundle_() == {"text/plain": repr(v)}


def test_a_value_after_many_others_is_shown_at_once():
    v = Value(1.0)
    for _ in range(200_000):
        v = v + 1.0
    start = time.process_time()
    assert v._repr_mimebundle_() == {"text/plain": repr(v)}
    assert time.process_time() - start < 1


def test_a_drawing_is_what_the_graph_was_when_it_was_drawn():
    C = cost_of_one_neuron()
    drawing = draw(C, engine="builtin")
    before = drawing.svg, drawing.table, drawing.dot
    C.backward()
    assert (drawing.svg, drawing.table, drawing.dot) == before
    assert draw(C, engine="builtin").table != drawing.table


EXTREMES = (0.0, 5e-324, 1e-320, 1e-310, -1e-200, 1e200, -1.7e308, math.inf, -math.inf, math.nan)


@pytest.mark.parametrize("one", EXTREMES)
@pytest.mark.parametrize("other", EXTREMES)
def test_gradients_of_every_size_are_drawn_beside_each_other(one, other):
    x, y = Value(1.0, label="x"), Value(2.0, label="y")
    cost = x + y
    cost.grad, x.grad, y.grad = 1.0, one, other
    for unfold in (None, "neurons", "layers"):
        ElementTree.fromstring(draw(cost, engine="builtin", unfold=unfold, max_nodes=2).svg)
    ElementTree.fromstring(draw(cost, engine="builtin").svg)


def test_a_gradient_that_vanishes_beside_the_largest_is_drawn_faintly():
    x, y = Value(1.0, "x"), Value(2.0, "y")
    C = x * 1e-320 + y * 1e10
    C.backward()
    assert "grad 1 × 10^−320" in draw(C).dot
    v = x
    for _ in range(600):
        v = sigmoid(v)
    C = v + 3 * y
    C.backward()
    assert draw(C, unfold="all").svg.count('class="node') > 600
    assert play(C).html


@pytest.mark.parametrize("label", [None, "C", "y_hat", "a", "<b>", "a_0^(9)"])
@pytest.mark.parametrize("widths", [[3, 1], [64, 64, 1]])
def test_an_output_that_was_given_another_name_is_drawn_at_every_level(label, widths):
    output = nn.MLP(2, widths, "tanh", seed=0)([0.5, -1.0])
    output.label = label or output.label
    C = nn.squared_error(output, 1.0)
    C.backward()
    for unfold in (None, "neurons", "layers", "all"):
        for root in (C, output):
            ElementTree.fromstring(draw(root, unfold=unfold, engine="builtin").svg)


BLANK_NUMBERS = {"values": "0.5022", "gradients": "−2.594", "partials": "0.9151"}  # what each of them shows alone


def test_a_worksheet_leaves_out_what_is_blank_and_nothing_gives_it_away():
    C = cost_of_one_neuron()
    C.backward()
    everything = draw(C, engine="builtin")
    for what in ("values", "gradients", "partials"):
        sheet = draw(C, engine="builtin", blank=what)
        assert 'class="field"' in sheet.svg
        for kind, shown in BLANK_NUMBERS.items():
            for text in (sheet.svg, sheet.dot, sheet.table, repr(sheet)):
                assert (shown in text) <= (kind != what)
            assert shown in everything.table
    sheet = draw(C, engine="builtin", blank=("values", "gradients", "partials"))
    numbers = set(re.findall(r"\d\.\d+", " ".join(texts(sheet))))
    assert numbers == {"0.5", "0.7"}  # the data of the leaves
    assert 'class="edge pos' not in sheet.svg
    assert 'class="edge neg' not in sheet.svg
    digits = ("0.29131", "0.70868", "1.41737", "1.2970", "0.5022", "0.9151")
    assert not [text for text in (sheet.svg, sheet.dot, sheet.table) for x in digits if x in text]


def test_folded_boxes_can_be_left_blank_too():
    model = nn.MLP(2, [16, 16, 1], "tanh", seed=0)
    C = nn.squared_error(model([0.5, -1.0]), 1.0)
    C.backward()
    for unfold in ("neurons", "layers"):
        sheet = draw(C, engine="builtin", unfold=unfold, blank=("values", "gradients", "partials"))
        assert repr(C.data) not in sheet.svg
        assert "flows back" not in sheet.svg


def test_a_drawing_of_a_stale_graph_says_so_in_every_form():
    C = cost_of_one_neuron()
    C.backward()
    assert draw(C).notes == []
    w = next(value for value in gradients(C) if value.label == "w")
    w.data = 3.0
    drawing = draw(C, legend=False)
    [note] = drawing.notes
    assert note.startswith("w was assigned after this graph was computed")
    words = re.sub(r"\s", " ", " ".join(texts(drawing)))
    assert "call its refresh()" in words
    assert note in repr(drawing)
    assert "w was assigned after" in drawing._repr_html_()
    assert not any("assigned" in note for note in draw(C.refresh()).notes)


def test_gradients_of_several_backward_passes_are_said_to_be_sums():
    C = cost_of_one_neuron()
    leaves = [value for value in gradients(C) if not value.op]
    C.backward()
    assert draw(C).notes == []
    C.backward()
    [note] = draw(C).notes
    assert note.startswith("Gradients are not those of this cost alone")
    assert "zero_grad([w, a, b, y]) starts afresh" in note
    zero_grad(leaves)
    C.backward()
    assert draw(C).notes == []


def test_notes_stay_within_the_width_of_the_picture():
    x = Value(1.0, label="x")
    y = x * x
    y.backward()
    y.backward()
    noted = draw(y)
    assert noted.notes
    assert noted.width <= 460


def test_the_legend_says_what_the_colour_of_an_edge_means():
    C = (tanh(Value(0.5, label="w") * -0.3) - 1) ** 2
    assert "gradient passed back along it" not in draw(C, engine="builtin").svg
    C.backward()
    assert "colour of an edge: gradient passed back along it" in draw(C, engine="builtin").svg
    model = nn.MLP(2, [2, 1], seed=0)
    assert "weight (edge) or bias (circle) below 0" in draw(model).svg


def test_a_small_network_keeps_its_weights_beside_its_neurons_and_one_row():
    model = nn.MLP(2, [3, 1], seed=0)
    C = nn.squared_error(model([Value(1.0, label="x_0"), Value(-2.0, label="x_1")]), 1.0)
    C.backward()
    drawing = draw(C)
    assert drawing.width <= 1100
    kinds = [box.kind for box in drawing._boxes]
    assert kinds.count("parameter") == 13
    assert kinds.count("input") == 2
    assert kinds.count("neuron") >= 3
    for engine in ENGINES:
        whole = draw(C, engine=engine, unfold="all")
        places = dict(zip((box.tooltip.split(" = ")[0] for box in whole._boxes), whole._placement.centres))
        assert max(x for x, _ in whole._placement.centres) == whole._placement.centres[-1][0], places
