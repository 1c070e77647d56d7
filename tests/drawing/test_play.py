import json
import math
import pathlib
import re
import xml.etree.ElementTree as ElementTree

import pytest
from browser import dom, drive
from devtools import Tab

import nn
from autograd import Value, gradients, log, play, relu, tanh
from autograd import sum as total
from autograd.core.table import TABLE
from autograd.core.value import OPERATIONS
from autograd.drawing.play import Page


def cost_of_one_neuron() -> tuple[Value, ...]:
    w, a, b, y = (Value(x, label=label) for x, label in ((0.5, "w"), (2.0, "a"), (-0.7, "b"), (1.0, "y")))
    z = w * a + b
    z.label = "z"
    C = (tanh(z) - y) ** 2
    C.label = "C"
    return w, C


def graph_of(page: Page) -> list[dict]:
    values = json.loads(re.search(r'id="graph">(.*?)</script>', page.html, re.S)[1])["values"]
    return [{"op": "", "plain": value["name"], **value} for value in values]


READ = """
    const text = (id) => document.getElementById(id).textContent;
    const box = (name) => {
      const i = values.findIndex((value) => value.plain === name);
      const g = document.querySelector(`#picture .node[data-node="${i}"]`);
      return {value: g.querySelector(".value").textContent, grad: g.querySelector(".grad").textContent,
              now: g.classList.contains("now"), pos: g.classList.contains("pos"), neg: g.classList.contains("neg")};
    };
    const press = (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
    const click = (id) => document.getElementById(id).click();
"""


def test_the_page_steps_forward_and_backward_and_shows_each_product_and_sum():
    _, C = cost_of_one_neuron()
    seen = drive(
        play(C).html,
        READ
        + """
        const log = [];
        const note = () => log.push({step: now, words: text("words"), sum: document.getElementById("sum")?.textContent,
                                     z: box("z"), w: box("w"), C: box("C")});
        note();
        for (let s = 0; s < 16; s++) { s % 2 ? click("next") : press("ArrowRight"); note(); }
        press("ArrowLeft"); note(); click("previous"); note(); press("Home"); note();
        press("End"); note(); click("first"); note();
        return log;
        """,
    )
    assert [row["step"] for row in seen[:17]] == [*range(16), 15]
    assert [row["step"] for row in seen[17:]] == [14, 13, 0, 15, 0]
    start, end = seen[0], seen[15]
    assert (start["z"]["value"], start["w"]["value"], start["w"]["grad"]) == ("?", "0.5", "grad ?")
    assert (end["z"]["value"], end["z"]["grad"], end["w"]["grad"]) == ("0.3", "grad −1.297", "grad −2.594")
    assert end["w"]["neg"]
    assert end["C"]["pos"]
    assert "Forward. z = w a + b = 0.3" in seen[2]["words"]
    [step] = [row for row in seen[:16] if "from tanh(z) to z" in row["words"]]
    for part in ("∂C/∂tanh(z)", "−1.417", "×", "∂tanh(z)/∂z", "1 − tanh(z)2", "0.9151", "=", "to ∂C/∂z", "−1.297"):
        assert part in step["words"]
    assert step["sum"] == "−1.297"
    assert step["z"]["now"]
    assert step["w"]["grad"] == "grad ?"


def test_a_value_with_two_paths_collects_a_running_sum():
    x = Value(3.0, label="x")
    y = x * x + 5 * x
    y.label = "y"
    sums = drive(
        play(y).html,
        READ
        + """
        const log = [];
        for (; now < steps.length - 1; press("ArrowRight"))
          if (steps[now].kind === "backward" && values[steps[now].x].plain === "x")
            log.push([document.getElementById("sum").textContent, box("x").grad, text("words")]);
        return log;
        """,
    )
    assert [row[:2] for row in sums] in (
        [["5", "so far 5"], ["8", "so far 8"], ["11", "grad 11"]],
        [["3", "so far 3"], ["6", "so far 6"], ["11", "grad 11"]],
    )
    assert "more edges lead back to it" in sums[0][2]
    assert "which is all: ∂y/∂x = 11" in sums[2][2]


def test_a_slider_runs_both_passes_again_as_python_would():
    w, C = cost_of_one_neuron()
    found = drive(
        play(C).html,
        READ
        + """
        press("End");
        const i = values.findIndex((value) => value.plain === "w"), {range, number} = sliders[i];
        range.value = 0.8; range.dispatchEvent(new Event("input"));
        const moved = {cost: result.data[cost], gradient: result.gradient[i], told: text("nudged"), w: box("w"),
                       number: number.value};
        number.value = "0.5001"; number.dispatchEvent(new Event("input"));
        const typed = {told: text("nudged"), range: Number(range.value)};
        click("reset");
        const back = {cost: result.data[cost], w: worth[i], reset: document.getElementById("reset").disabled};
        document.getElementById("all").open = true;
        show();
        return {moved, typed, back, table: document.querySelectorAll("#table tr").length};
        """,
    )
    again = (tanh(Value(0.8) * 2.0 - 0.7) - 1.0) ** 2
    assert found["moved"]["cost"] == pytest.approx(again.data, rel=1e-14)
    w.data = 0.8
    moved = Value(0.8)
    [slope] = gradients((tanh(moved * 2.0 - 0.7) - 1.0) ** 2, [moved])
    assert found["moved"]["gradient"] == pytest.approx(float(slope), rel=1e-13)
    assert found["moved"]["w"]["value"] == "0.8"
    assert found["moved"]["number"] == "0.8"
    assert (
        "Divided by the nudge of 0.3 that is −1.406; the derivative ∂C/∂w where it started is −2.594"
        in (found["moved"]["told"])
    )
    ratio = re.search(r"the nudge of 0\.0001 that is −(\d\.\d+); the derivative", found["typed"]["told"])
    assert float(ratio[1]) == pytest.approx(2.594, abs=1e-3)
    assert found["typed"]["range"] == pytest.approx(0.5001)
    assert found["back"]["cost"] == C.data
    assert found["back"]["w"] == 0.5
    assert found["back"]["reset"] is True
    assert found["table"] == 9


def test_a_factor_that_stands_twice_is_told_by_its_place():
    x = Value(3.0, label="x")
    told = drive(
        play(x * x + 1).html,
        "return steps.map((step, at) => { go(at); return document.getElementById('words').textContent; });",
    )
    assert "by its first factor: x = 3" in told[1]
    assert "by its second factor: x = 3" in told[1]
    assert [f"by its {which} factor" in text for text in told[5:7] for which in ("first", "second")] == [
        *(True, False),
        *(False, True),
    ]
    assert not any("/∂x = x" in text for text in told)


def test_a_number_box_refuses_in_words_what_is_no_number():
    found = drive(
        play(cost_of_one_neuron()[1]).html,
        """
        const { number } = sliders[leaves[0]], before = worth.slice();
        const texts = [""].map((text) => {
          number.value = text;
          number.dispatchEvent(new Event("input"));
          number.dispatchEvent(new Event("change"));
          return [document.getElementById("refused").textContent, number.value];
        });
        number.value = "2";
        number.dispatchEvent(new Event("input"));
        return { texts, kept: before[leaves[0]], name: values[leaves[0]].plain, after: worth[leaves[0]],
                 told: document.getElementById("refused").textContent };
        """,
    )
    for told, shown in found["texts"]:
        assert told.startswith(f"{found['name']} takes a number")
        assert float(shown) == found["kept"]
    assert (found["after"], found["told"]) == (2, "")


def test_a_nudge_out_of_the_domain_is_reported_not_hidden():
    x = Value(0.5, label="x")
    told = drive(
        play(log(x)).html,
        READ + "set(0, -0.3); press('End'); return [text('nudged'), box('log(x)').value, box('x').grad];",
    )
    assert told == ["log has no finite value at x = −0.3.", "nan", "grad −3.333"]


def test_autoplay_runs_to_the_end_and_stops():
    _, C = cost_of_one_neuron()
    page = play(C).html.replace('<option value="250">', '<option value="1">')
    start = "<script>document.getElementById('pace').value = '1'; play(true);</script></body>"
    document, console = dom(page.replace("</body>", start))
    assert 'data-step="15"' in document
    assert re.search(r'<button id="play" aria-pressed="false"[^>]*>play', document)
    assert console == []


@pytest.mark.parametrize("dark", [False, True])
def test_the_page_checks_itself_and_follows_the_colour_scheme(dark):
    _, C = cost_of_one_neuron()
    found = drive(
        play(C).html,
        READ
        + """
        const check = document.getElementById("check");
        return [check.className, check.textContent, getComputedStyle(document.body).backgroundColor,
                getComputedStyle(document.querySelector("#picture rect.paper")).fill];
        """,
        dark=dark,
    )
    assert found[:2] == [
        "passed",
        "checked: JavaScript reproduces Python’s 9 values and gradients (largest relative difference 0)",
    ]
    assert found[2] == found[3] == ("rgb(20, 23, 28)" if dark else "rgb(255, 255, 255)")


def test_a_page_whose_numbers_differ_from_pythons_says_so():
    _, C = cost_of_one_neuron()
    page = play(C)
    wrong = page.html.replace(f'"gradient":{graph_of(page)[0]["gradient"]!r}', '"gradient":-2.5', 1)
    assert wrong != page.html
    check = drive(wrong, "const c = document.getElementById('check'); return [c.className, c.role, c.textContent];")
    assert check[:2] == ["failed", "alert"]
    assert "does not reproduce Python’s numbers: the gradient of w is -2.59" in check[2]
    broken = page.html.replace("(1 - ($out * $out))", "(1 + ($out * $out))")
    assert broken != page.html
    assert drive(broken, "return document.getElementById('check').className") == "failed"


def test_an_address_opens_the_page_at_a_step_with_a_leaf_moved():
    _, C = cost_of_one_neuron()
    found = drive(
        play(C).html,
        "return [now, worth[0], text_of()]; function text_of() { return steps[now].kind; }",
        fragment="#step=12&leaf0=0.25",
    )
    assert found == [12, 0.25, "backward"]


def test_hostile_labels_stay_text():
    labels = [
        "</script><script>window.broken=1</script>",
        '<img src=x onerror="window.broken=1">',
        "{{graph}}",
        "\\u003c",
        "a\x00b",
    ]
    leaves = [Value(float(i), label=label) for i, label in enumerate(labels)]
    cost = total(leaves) * 2
    cost.label = "<!-- --><script>"
    page = play(cost)
    found = drive(
        page.html,
        READ
        + "press('End'); return [window.broken ?? null, values.map((v) => v.plain), text('check'), document.title];",
    )
    assert found[0] is None
    assert [label.rstrip("…") for label in found[1][:4]] == [
        label[: 27 if len(label) > 28 else 28] for label in labels[:4]
    ]
    assert found[2].startswith("checked")
    assert found[3] == "Backpropagation through <!-- --><script>"


def test_numbers_that_are_not_finite_reach_the_page():
    x = Value(0.0, label="x")
    page = play(x**0.5)
    assert [value["gradient"] for value in graph_of(page)] == ["Infinity", 1.0]
    page = play(relu(Value(math.inf, label="x")) * 2)
    assert graph_of(page)[0]["data"] == "Infinity"
    found = drive(page.html, READ + "press('End'); return [text('check').slice(0, 7), box('x').value];")
    assert found == ["checked", "∞"]


def test_a_network_on_one_example_plays():
    model = nn.MLP(2, [4, 4, 1], activation="tanh", seed=0)
    cost = (model([0.5, -1.0]) - 1.0) ** 2
    page = play(cost, parameters=model.parameters())
    assert page.html.count('class="node parameter') == 4 * 2 + 4 + 4 * 4 + 4 + 4 + 1
    found = drive(page.html, READ + "press('End'); return [text('check').slice(0, 7), result.gradient];")
    assert found[0] == "checked"
    known = gradients(cost)
    assert sorted(found[1]) == pytest.approx(sorted(float(slope) for slope in known.values()), rel=1e-12)


def test_playing_changes_nothing_and_takes_the_leaves_as_they_are():
    x = Value(2.0, label="x")
    y = x * x
    y.backward()
    x.data = 3.0
    page = play(y)
    assert [value["data"] for value in graph_of(page)] == [3.0, 9.0]
    assert [value["gradient"] for value in graph_of(page)] == [6.0, 1.0]
    assert (x.data, x.grad, y.data, y.grad, x.label) == (3.0, 4.0, 4.0, 1.0, "x")


def test_unlabelled_leaves_get_names_for_their_sliders():
    cost = Value(1.0) * Value(2.0, label="u_1")
    assert [value["plain"] for value in graph_of(play(cost))] == ["u_2", "u_1", "u_2 u_1"]


def test_a_page_is_one_file_without_links_to_the_network(tmp_path):
    _, C = cost_of_one_neuron()
    page = play(C)
    assert "http" not in page.html.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r'(src|href)="(?!data:)', page.html)
    page.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page.html


def test_two_pages_of_one_graph_are_the_same_bytes():
    pages = [play(cost_of_one_neuron()[1], engine="builtin").html for _ in range(2)]
    assert pages[0] == pages[1]


def test_a_page_is_saved_as_html_only(tmp_path):
    with pytest.raises(ValueError, match=r"saved as \.html, not as '\.svg'; for a picture save draw\(cost\)"):
        play(Value(1.0)).save(tmp_path / "page.svg")
    assert not list(tmp_path.iterdir())


def test_a_notebook_gets_the_page_in_a_frame_and_a_picture_where_scripts_do_not_run():
    _, C = cost_of_one_neuron()
    page = play(C)
    bundle = page._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert "srcdoc=" in bundle["text/html"]
    assert 'sandbox="allow-scripts"' in bundle["text/html"]
    assert 'src="data:image/svg+xml;base64,' in bundle["text/html"]
    root = ElementTree.fromstring(page.drawing.svg)
    assert "grad\u00a0−2.594" in ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    frame = "<!doctype html><html><head></head><body>" + bundle["text/html"] + "</body></html>"
    found = drive(
        frame, "return [document.querySelector('iframe').srcdoc.length, document.querySelectorAll('img').length]"
    )
    assert found == [len(page.html), 0]


def test_a_graph_that_is_too_large_to_step_through_is_refused_with_advice():
    v = Value(1.0)
    for _ in range(1000):
        v = v * 1.0
    with pytest.raises(ValueError, match=r"at most 1000 values .* this graph has 1001: .* use draw\(cost\)"):
        play(v)


@pytest.mark.parametrize("cost", [1.0, None, [Value(1.0)]])
def test_only_a_value_can_be_played(cost):
    with pytest.raises(TypeError, match="play takes a Value"):
        play(cost)


def test_a_page_reproduces_a_graph_of_every_operation_of_the_table():
    leaves = [Value(0.2 + k / 10, label=f"x_{k}") for k in range(6)]
    parts = []
    for name, row in TABLE.items():
        waiting = iter(leaves)
        operands = [[next(waiting), next(waiting)] if x in row.lists else next(waiting) for x in row.operands]
        parts.append(OPERATIONS[name](*operands) if name != "acosh" else OPERATIONS[name](1.0 + operands[0]))
    page = play(total(parts))
    assert {value["op"] for value in graph_of(page)} == {"", *TABLE}
    found = drive(
        page.html, READ + "for (let s = 0; s < steps.length; s += 9) go(s); press('End'); return [now, text('check')];"
    )
    assert found[0] > 150
    assert found[1].startswith("checked: JavaScript reproduces Python’s")


def test_a_leaf_alone_plays():
    assert drive(play(Value(2.0, label="x")).html, READ + "press('End'); return [now, box('x').grad];") == [2, "grad 1"]


def test_the_page_runs_and_fits_in_the_sandboxed_frame_of_a_notebook():
    _, C = cost_of_one_neuron()
    page = play(C)
    tell = """<script>setTimeout(() => parent.postMessage([
        document.getElementById("check").className,
        Math.round(document.querySelector("#picture svg").getBoundingClientRect().width) <= innerWidth,
        Math.min(...[...document.querySelectorAll(".local rect")].map((paper) => paper.width.baseVal.value)) > 6,
      ], "*"), 1000)</script></body>"""
    page.html = page.html.replace("</body>", tell)
    listen = """<script>addEventListener("message", (event) => {
        document.body.dataset.told = JSON.stringify(event.data) })</script>"""
    document, console = dom(f"<!doctype html><html><head>{listen}</head><body>{page._repr_html_()}</body></html>")
    assert 'data-told="[&quot;passed&quot;,true,true]"' in document
    assert console == []


# In class


def chain(length: int) -> Value:
    v = Value(0.5, label="x")
    for i in range(length):
        v = tanh(v * (1 + i / 100))
    return v


def network(*widths: int) -> Value:
    model = nn.MLP(widths[0], list(widths[1:]), activation="tanh", seed=0)
    x = [Value(0.1 * k - 0.3, label=f"x_{k}") for k in range(widths[0])]
    C = nn.squared_error(model(x), 1.0)
    C.label = "C"
    return C


@pytest.mark.parametrize("focus", ["document.body", "element('step')", "element('next')", "sliders[leaves[0]].number"])
def test_a_presenters_clicker_steps_wherever_the_focus_is(focus):
    _, C = cost_of_one_neuron()
    turn = f"const turn = (key) => {focus}.dispatchEvent(new KeyboardEvent('keydown', {{key, bubbles: true}}));"
    pressed = "turn('PageDown'); turn('PageDown'); turn('PageDown'); turn('PageUp'); return now;"
    assert drive(play(C).html, turn + pressed) == 2


def test_sliders_stand_in_the_order_of_the_network():
    found = drive(
        play(network(2, 2, 1)).html,
        "const labels = [...document.querySelectorAll('.leafrow label')]; "
        "return [leaves.map((i) => values[i].op), labels.map((label) => label.textContent)];",
    )
    assert found[0] == [""] * 11
    parameters = ["w00(1)", "w01(1)", "w10(1)", "w11(1)", "b0(1)", "b1(1)", "w00(2)", "w01(2)", "b0(2)"]
    assert [sorted(label) for label in found[1]] == [sorted(name) for name in ["x0", "x1", *parameters]]
    assert found[1][0][0] == "x"


@pytest.mark.parametrize("cost", [lambda: network(2, 16, 16, 1), lambda: chain(300)], ids=["network", "chain"])
def test_a_graph_that_does_not_fit_is_folded_and_steps_through_all_its_values(cost):
    page = play(cost())
    assert page.drawing.width <= 1100
    assert page.drawing.height <= 900
    found = drive(
        page.html,
        READ
        + """
        const grads = () => Object.values(folds).map(({g}) => g.querySelector(".grad").textContent);
        const before = grads();
        for (let s = 0; s < steps.length; s += 37) go(s);
        press("End");
        return [text("check").slice(0, 7), Object.keys(folds).length, before, grads(), now === steps.length - 1];
        """,
    )
    assert found[0] == "checked"
    assert found[1] >= 1
    assert all(re.fullmatch(r"0 of \d+ gradients", told) for told in found[2])
    assert all(told.startswith("grad ") for told in found[3])
    assert found[4]


def test_a_fold_opens_on_request_and_shows_its_values_as_they_are():
    found = drive(
        play(network(2, 4, 4, 1)).html,
        READ
        + """
        press("End");
        const {g, members} = Object.values(folds)[0];
        const before = element("inside").hidden;
        g.dispatchEvent(new MouseEvent("click", {bubbles: true}));
        const rows = [...document.querySelectorAll("#members tr")].map((row) => row.textContent);
        const opened = element("inside").hidden;
        g.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
        return [before, opened, element("inside").hidden, rows, members.length];
        """,
    )
    assert found[:3] == [True, False, True]
    assert len(found[3]) == found[4] == 5  # two weights, a bias, z and a
    assert not [row for row in found[3] if "?" in row]


def test_all_folds_of_a_graph_of_moderate_size_open_at_once():
    found = drive(
        play(network(2, 4, 4, 1)).html,
        READ
        + """
        const folded = Object.keys(boxes).length;
        click("whole");
        press("End");
        return [folded, Object.keys(boxes).length, values.length, Object.keys(folds).length,
                pictures.map((svg) => svg.style.display)];
        """,
    )
    assert found[0] < found[1] == found[2]
    assert found[3:] == [0, ["none", ""]]


def test_the_lead_of_a_folded_neuron_follows_a_slider():
    found = drive(
        play(network(2, 4, 4, 1)).html,
        READ
        + """
        press("End");
        const {g, members} = Object.values(folds)[0], read = () => g.querySelector(".value").textContent;
        const before = read();
        set(leaves[0], 2.5);
        return [before !== read(), read() === significant(result.data[members[members.length - 1]])];
        """,
    )
    assert found == [True, True]


@pytest.mark.parametrize("cost", [lambda: network(20, 28, 10, 1), lambda: chain(490)], ids=["network", "chain"])
def test_a_page_of_a_thousand_values_has_at_most_a_megabyte(cost):
    page = play(cost())
    assert 950 < len(page.values) <= 1000
    assert len(page.html.encode()) <= 1_000_000


@pytest.fixture(scope="module")
def tab():
    tab = Tab()
    yield tab
    tab.close()


def opened(tab: Tab, folder: pathlib.Path, cost: Value, width: int, height: int, fragment: str = "") -> None:
    path = folder / "page.html"
    play(cost).save(path)
    tab.size(width, height)
    tab.open(path.as_uri() + fragment)
    tab.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.parametrize("width", [320, 1280, 1920])
@pytest.mark.parametrize("folded", [False, True])
def test_the_page_fills_the_window_and_nothing_but_the_picture_scrolls_sideways(tab, tmp_path, width, folded):
    cost = network(2, 4, 4, 1) if folded else cost_of_one_neuron()[1]
    opened(tab, tmp_path, cost, width, 1080, "#step=7")
    assert tab.run("document.documentElement.scrollWidth") <= width
    things = "[...document.querySelectorAll('button, label, input, select, h1, h2, p')].filter((e) => e.offsetParent)"
    assert tab.run(f"Math.max(...{things}.map((e) => e.getBoundingClientRect().right))") <= width + 1
    letters = tab.run("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    assert letters >= (20 if width == 1920 else 16)
    picture = tab.run("document.querySelector('#picture svg').getBoundingClientRect().width")
    assert picture >= (800 if width == 1920 else 240)
    assert tab.errors == []


SMALLEST = """(() => {
    const letters = [...pictures[shown].querySelectorAll("text, tspan")];
    const smallest = Math.min(...letters.map((e) => parseFloat(getComputedStyle(e).fontSize)));
    return smallest * pictures[shown].getBoundingClientRect().width / pictures[shown].viewBox.baseVal.width;
})()"""
OUT_OF_SIGHT = """steps.flatMap((_, at) => {
    go(at);
    const box = pictures[shown].querySelector(".node.now")?.getBoundingClientRect();
    if (!box) return [];
    const x = (box.left + box.right) / 2, y = (box.top + box.bottom) / 2;
    const frame = element("picture").getBoundingClientRect();
    return frame.left < x && x < frame.right && frame.top < y && y < frame.bottom ? [] : [at];
})"""


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (1024, 768), (800, 900), (360, 740)])
@pytest.mark.parametrize("sizes", [(2, 3, 1), (2, 2, 1), (2, 4, 4, 1)])
def test_the_step_is_in_sight_and_its_letters_can_be_read_in_every_window(tab, tmp_path, sizes, width, height):
    opened(tab, tmp_path, network(*sizes), width, height)
    assert tab.run(SMALLEST) > 10.9
    assert tab.run(OUT_OF_SIGHT) == []


@pytest.mark.parametrize("width", [1000, 420])
def test_a_notebooks_frame_is_as_high_as_its_page(tab, tmp_path, width):
    page = play(cost_of_one_neuron()[1])
    frame = page._repr_html_().replace('sandbox="allow-scripts"', "")  # so that this test can look inside
    path = tmp_path / "notebook.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><body style='width:{width}px'>{frame}", encoding="utf-8")
    tab.size(1100, 900)
    tab.open(path.as_uri())
    inside = "document.querySelector('iframe').contentDocument"
    root = f"{inside}.documentElement"
    tab.wait(f"{root}.scrollHeight <= {root}.clientHeight")  # nothing to scroll
    assert tab.run("document.querySelector('iframe').offsetHeight") < 1.1 * tab.run(f"{inside}.body.offsetHeight")
    tab.run(f"{inside}.getElementById('all').open = true")
    tab.wait(f"{root}.scrollHeight <= {root}.clientHeight && {inside}.getElementById('table').offsetHeight > 100")
    full = f"{inside}.getElementById('full').hidden"
    assert tab.run(f"{full} === {inside}.getElementById('fullkey').hidden")
    assert tab.run(full) is False
