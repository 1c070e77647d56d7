"""The README is true: its Python runs and prints what it shows, its table and its picture are what the code makes.

    python tests/test_readme.py

brings the shown outputs, the table of operations and the pictures up to date.
"""

import contextlib
import io
import pathlib
import re
import tempfile

import pytest

import autograd
import nn
from autograd import PRIMITIVES, Value, draw, tanh
from autograd.compatibility import infix
from autograd.core.table import Row
from autograd.fast import signature

ROOT = pathlib.Path(__file__).parents[1]
README = ROOT / "README.md"
PICTURE = ROOT / ".github" / "images" / "expression.svg"
BLOCK = re.compile(r"^```python\n(?P<source>.*?)^```\n(?:\n^```text\n(?P<shown>.*?)^```\n)?", re.MULTILINE | re.DOTALL)
TABLE = re.compile(
    r"(?<=<!-- operations: written by `python tests/test_readme.py` -->\n).*?(?=<!-- end -->)", re.DOTALL
)
REBUILD = "README.md is out of date: run `python tests/test_readme.py` and look at the difference"
SHIPPED = dict(PRIMITIVES)  # the rows of the table, without those that an example declares


def printed_by_blocks(text: str) -> list[str]:
    """What each Python block prints, run one after the other as in one session, in an empty folder."""
    session: dict = {"__name__": "readme"}
    outputs = []
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for block in BLOCK.finditer(text):
            line = text.count("\n", 0, block.start("source"))
            code = compile("\n" * line + block["source"], str(README), "exec")  # errors name the line of the README
            with contextlib.redirect_stdout(io.StringIO()) as stream:
                exec(code, session)
            outputs.append("".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines()))
    return outputs


def table() -> str:
    """The table of operations, as Markdown."""

    def cell(text: str) -> str:
        return text.replace("|", "\\|")

    def written(row: Row) -> str:
        return row.value if infix(row) else f"{row.name}({signature(row)})"

    lines = ["| operation | value | derivative by each operand | |", "|---|---|---|---|"]
    for row in SHIPPED.values():
        value = f"`{row.value}`" if row.value != written(row) else ""
        slopes = "<br>".join(f"`{partial}`" for partial in row.partials)
        lines.append(f"| `{written(row)}` | {value} | {slopes} | {cell(row.note)} |")
    return "\n".join(lines) + "\n"


def cost_of_the_readme() -> Value:
    """The README's expression, after its backward pass."""
    w, a, b, y = Value(0.8, "w"), Value(1.5, "a"), Value(-0.5, "b"), Value(1.0, "y")
    z = w * a + b
    C = (tanh(z) - y) ** 2
    z.label, C.label = "z", "C"
    C.backward()
    return C


def picture() -> str:
    """The README's expression as SVG, by the layout that every machine has."""
    return draw(cost_of_the_readme(), engine="builtin").svg


def rebuilt(text: str) -> str:
    """The README with the outputs and the table that the code gives today."""
    outputs = iter(printed_by_blocks(text))

    def block(found: re.Match) -> str:
        output = next(outputs)
        return f"```python\n{found['source']}```\n" + (f"\n```text\n{output}```\n" if output else "")

    return TABLE.sub(lambda _: table(), BLOCK.sub(block, text))


@pytest.fixture(scope="module")
def readme() -> str:
    return README.read_text(encoding="utf-8")


def test_every_python_block_prints_what_is_shown_below_it(readme):
    blocks = [(block["source"], block["shown"] or "") for block in BLOCK.finditer(readme)]
    assert len(blocks) == readme.count("```python") > 5
    for (source, shown), output in zip(blocks, printed_by_blocks(readme), strict=True):
        assert output == shown, f"{REBUILD}\n{source}"


def test_the_table_of_operations_is_that_of_the_code(readme):
    assert TABLE.findall(readme) == [table()], REBUILD


def test_the_table_shows_every_operation_and_every_partial():
    lines = table().splitlines()[2:]
    assert len(lines) == len(SHIPPED)
    for row, line in zip(SHIPPED.values(), lines):
        assert row.name in line or infix(row)
        assert all(f"`{partial}`" in line for partial in row.partials)


def test_the_picture_is_what_draw_makes():
    assert PICTURE.read_text(encoding="utf-8") == picture(), REBUILD


def test_every_link_within_the_repository_leads_to_something(readme):
    links = re.findall(r"\]\(([^)]+)\)|(?:src|srcset|href)=\"([^\"]+)\"", readme)
    for link in filter(None, (link for pair in links for link in pair)):
        path, _, anchor = link.partition("#")
        if "://" not in link:
            assert (ROOT / path).exists(), link
        if anchor and not path:
            titles = re.findall(r"^#+ (.+)$", readme, re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, link


def test_the_two_commands_are_written_as_they_must_be_typed(readme):
    start = "python3 -m venv .venv && .venv/bin/pip install -q -e "
    shell = [line for block in re.findall(r"```sh\n(.*?)```", readme, re.DOTALL) for line in block.splitlines()]
    assert f"{start}. && .venv/bin/python -m nn" in shell
    assert f"{start}'.[test]' && .venv/bin/python -m pytest -q" in shell


@pytest.mark.parametrize("name", [name for name in autograd.__all__ if name not in SHIPPED])
def test_every_public_function_is_in_the_readme(readme, name):
    assert re.search(rf"\b{name}\b", readme)


@pytest.mark.parametrize("name", ["MLP", "Layer", "Neuron", "Module", "fit", "predict", "save", "load", "summary"])
def test_the_main_words_of_nn_are_in_the_readme(readme, name):
    assert hasattr(nn, name)
    assert re.search(rf"\b{name}\b", readme)


def test_an_output_that_differs_is_noticed():
    text = "```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n"
    assert printed_by_blocks(text) == ["2\n"]
    assert rebuilt(text) == text.replace("3", "2")


def test_a_block_without_output_stays_without():
    text = "```python\nx = 1\n```\n\nand\n\n```text\nnot an output\n```\n"
    assert rebuilt(text) == text


PHOTOGRAPHS = {  # of a page in a window of that size: what the address asks for, and the scheme
    "playground.png": ((1312, 1100), "#data=spirals&layers=7-6&epoch=300&lr=0.03&show=1.0.0", "light"),
    "play-light.png": ((1280, 780), "#step=13", "light"),
    "play-dark.png": ((1280, 780), "#step=13", "dark"),
}


def photograph(folder: pathlib.Path) -> None:
    """Take the README's pictures of pages, where there is a Chromium."""
    from devtools import Tab
    from PIL import Image

    tab = Tab()
    for name, (size, address, scheme) in PHOTOGRAPHS.items():
        made = autograd.playground() if name == "playground.png" else autograd.play(cost_of_the_readme())
        made.save(folder / "page.html")
        tab.size(*size, scale=1.5)
        tab.scheme(scheme)
        tab.open((folder / "page.html").as_uri() + address)
        tab.run("new Promise((done) => setTimeout(done, 500))")
        tab.run("document.getAnimations().forEach((animation) => animation.cancel())")
        tab.picture(PICTURE.parent / name)
        with Image.open(PICTURE.parent / name) as taken:
            taken.convert("RGB").quantize(255, dither=Image.Dither.NONE).save(PICTURE.parent / name, optimize=True)
    tab.close()


if __name__ == "__main__":
    README.write_bytes(rebuilt(README.read_text(encoding="utf-8")).encode())
    PICTURE.write_bytes(picture().encode())
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(pytest.skip.Exception):
        photograph(pathlib.Path(folder))
