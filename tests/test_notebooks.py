"""Every notebook runs, and the committed .ipynb is what its .py says.

A notebook is written as `notebooks/NN_name.py` in percent format; the `.ipynb` beside it is made from it, executed, by

    python -m pytest tests/test_notebooks.py --rebuild-notebooks

Text must come out again, its numbers up to a last digit that differs between machines; pictures must be there again.
The text of a cell tagged "rounding" (`# %% tags=["rounding"]`) shows rounding itself and is not compared.
"""

import ast
import base64
import contextlib
import io
import math
import re
from pathlib import Path

import pytest

jupytext = pytest.importorskip("jupytext")
nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

FOLDER = Path(__file__).parent.parent / "notebooks"
TEXT = {"stdout", "stderr", "text/plain", "text/markdown", "text/latex"}
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")
SOURCES = sorted(FOLDER.glob("[0-9]*.py"))


@pytest.fixture(params=SOURCES, ids=lambda path: path.stem)
def source(request):
    return request.param


def executed(source, folder):
    """The notebook of a source file, run in a fresh kernel; its metadata tell nothing of this machine."""
    (folder / "matplotlibrc").write_text("svg.hashsalt: notebook\n")  # ids that are the same in every run
    notebook = nbformat.v4.new_notebook(cells=jupytext.read(source).cells)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
        patch.setenv("MATPLOTLIBRC", str(folder))
        patch.setenv("PYTHONHASHSEED", "0")
        patch.setenv("COLUMNS", "100")
        nbclient.NotebookClient(
            notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": FOLDER}}
        ).execute()
    for i, cell in enumerate(notebook.cells):
        cell.id = f"cell-{i}"
        cell.metadata = {key: cell.metadata[key] for key in ("tags",) if key in cell.metadata}
        if cell.cell_type == "code":
            cell.outputs = [tidied(output) for output in merged(cell.outputs)]
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    return notebook


def merged(outputs):
    """The outputs, consecutive ones to one stream as one, however the kernel happened to cut them."""
    result = []
    for output in outputs:
        if output.output_type == "stream" and result and result[-1].get("name") == output.name:
            result[-1].text += output.text
        else:
            result.append(output)
    return result


def tidied(output):
    """An output without what changes from run to run: matplotlib stamps its pictures with the time, and random ids."""
    sizes = {kind: size for kind, size in output.pop("metadata", {}).items() if kind.startswith("image/")}
    if output.output_type in ("display_data", "execute_result"):
        output.metadata = sizes
        svg = output.data.get("image/svg+xml")
        if svg and "Matplotlib" in svg:
            output.data["image/svg+xml"] = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return output


def contents(cell):
    """What two runs of a cell must agree on: its source, the texts, and which pictures there are."""
    shown = []
    for output in cell.get("outputs", []):
        data = {output.name: output.text} if output.output_type == "stream" else output.data
        told = (
            {} if "rounding" in cell.metadata.get("tags", []) else {kind: data[kind] for kind in data if kind in TEXT}
        )
        shown.append((output.output_type, sorted(data), told))
    return cell.cell_type, cell.source, shown


def alike(now, before):
    """Whether contents are equal, numbers within texts up to their last digits."""
    if isinstance(now, str) and isinstance(before, str):
        words, others = NUMBER.split(now), NUMBER.split(before)
        numbers = zip(NUMBER.findall(now), NUMBER.findall(before))
        blank = lambda texts: [" ".join(text.split()) for text in texts]  # noqa: E731
        return blank(words) == blank(others) and all(
            math.isclose(float(x), float(y), rel_tol=1e-3, abs_tol=1e-9) for x, y in numbers
        )
    if isinstance(now, dict) and isinstance(before, dict):
        return now.keys() == before.keys() and all(alike(now[key], before[key]) for key in now)
    if isinstance(now, (list, tuple)) and isinstance(before, (list, tuple)):
        return len(now) == len(before) and all(map(alike, now, before))
    return now == before


def written(notebook):
    """The notebook as the bytes of a file."""
    return nbformat.writes(notebook, indent=1) + "\n"


def test_the_committed_notebook_is_what_its_source_says_and_shows(source, request, tmp_path):
    target = source.with_suffix(".ipynb")
    notebook = executed(source, tmp_path)
    nbformat.validate(notebook)
    if request.config.getoption("--rebuild-notebooks"):
        target.write_text(written(notebook), encoding="utf-8")
    rebuild = f"python -m pytest tests/test_notebooks.py --rebuild-notebooks -k {source.stem}"
    assert target.exists(), f"{target.name} is missing: run {rebuild}"
    committed = nbformat.read(target, as_version=4)
    for now, before in zip(notebook.cells, committed.cells):
        assert alike(contents(now), contents(before)), f"{target.name} is out of date: run {rebuild}\n{now}\n{before}"
    assert len(notebook.cells) == len(committed.cells), f"{target.name} is out of date: run {rebuild}"


GOES_ON = ("fit(", "range(400)", "range(STEPS)", "race()", "new_name()")  # trains on, draws by lot, or takes the time
ADDS_UP = "starts afresh"  # what is said of gradients that are sums over several passes


def test_a_cell_that_is_run_again_gives_no_error_and_no_doubled_gradient_that_is_not_spoken_of(source, monkeypatch):
    """Every cell twice in a row: the second time it shows the same, and the committed numbers, or says why not."""
    monkeypatch.chdir(FOLDER)
    monkeypatch.setenv("MPLBACKEND", "agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.setattr(plt, "show", lambda: None)  # there is no screen
    committed = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    names = {"__name__": "__main__"}
    comparable = True  # with the committed numbers, until something has gone on from where it was
    try:
        for cell, before in zip(jupytext.read(source).cells, committed.cells):
            if cell.cell_type != "code":
                continue
            first, second = run(cell.source, names), run(cell.source, names)
            if any(mark in cell.source for mark in GOES_ON) or (ADDS_UP in second and ADDS_UP not in first):
                comparable = False
                continue
            assert alike(second, first), cell.source
            if comparable and "rounding" not in cell.metadata.get("tags", []):
                printed = "".join(o.text for o in before.get("outputs", []) if o.get("name") == "stdout")
                assert alike(second[: len(printed)], printed), cell.source
    finally:
        plt.close("all")


def run(text, names):
    """What a cell prints, and then the text of its last expression, which a notebook shows."""
    tree, printed = ast.parse(text), io.StringIO()
    last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(tree, "<cell>", "exec"), names)
        shown = "" if last is None else repr(eval(compile(last, "<cell>", "eval"), names))
    return printed.getvalue() + re.sub(r" at 0x[0-9a-f]+", "", shown)


def test_a_committed_notebook_is_seen_at_once_and_shows_no_trace_of_a_machine(source):
    text = source.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert len(text) < 1_000_000
    outputs = [output for cell in nbformat.reads(text, 4).cells for output in cell.get("outputs", [])]
    for output in outputs:
        data = output.get("data", {})
        if "image/svg+xml" in data:  # a fresh clone is not trusted: there an SVG is seen in an <img> alone
            assert '<img src="data:image/svg+xml;base64,' in data.get("text/html", "")
        for kind in ("image/png",):
            if kind in data:
                width = int.from_bytes(base64.b64decode(data[kind])[16:20])
                width = output.metadata.get(kind, {}).get("width", width)
                assert width <= 1100, "wider than a notebook's column"
    assert not re.search(r"(/home/|/tmp/|/root/|/Users/|[A-Z]:\\\\)", text), "an absolute path"
    assert not re.search(r"0x[0-9a-f]{8,}", text), "an address in memory"
    assert '"output_type": "error"' not in text


def test_the_notebooks_are_one_course():
    """Each ends with a link to the next, opens with what it is for, and closes with exercises."""
    for source, following in zip(SOURCES, [*SOURCES[1:], SOURCES[0]]):
        text = source.read_text(encoding="utf-8")
        opening = " ".join(jupytext.read(source).cells[0].source.split())
        assert re.search(r"After (this notebook|it) you (can|have|know)", opening), source.name
        assert f"({following.stem}.ipynb)" in text[text.rindex("# %% [markdown]") :], source.name
        assert "exercises(" in text, source.name
        assert ".parents[" not in text, source.name


def test_every_equation_of_the_chapter_is_displayed_with_its_number():
    text = "".join((FOLDER / f"{name}.py").read_text() for name in ("02_one_neuron_per_layer", "03_many_neurons"))
    assert set(re.findall(r"\\tag\{(\d+)\}", text)) == set(map(str, range(1, 15)))


def test_a_notebook_argues_in_small_steps(source):
    cells = jupytext.read(source).cells
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith("# ")
    for cell in cells:
        assert cell.cell_type != "code" or len(cell.source.splitlines()) <= 12, f"a long cell:\n{cell.source}"


def test_plots_are_shown_and_not_left_to_the_shell(source):
    """`plt.show()` works in every notebook; that a figure is shown at a cell's end is IPython's doing."""
    for cell in jupytext.read(source).cells:
        if cell.cell_type == "code" and re.search(r"^plot_|plt\.subplots", cell.source, re.MULTILINE):
            assert cell.source.endswith("plt.show()"), cell.source


def test_every_notebook_has_its_source():
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == {path.stem for path in SOURCES}


def test_the_comparison_sees_another_number_and_forgives_a_last_digit():
    assert alike("cost 0.12345, seed 3", "cost 0.12346, seed 3")
    assert not alike("cost 0.12345, seed 3", "cost 0.22345, seed 3")
    assert not alike("cost 0.12345", "cost -0.12345")
    assert not alike(("code", "x = 1", []), ("code", "x = 2", []))
