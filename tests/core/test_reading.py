"""CONTRIBUTING's evening with the core, its map, and the atoms: what they say is so."""

import ast
import pathlib
import re

import pytest
from conftest import DECLARED

from autograd.core.table import ATOMS, READERS, TABLE, Atom, Row, called, evaluate

ROOT = pathlib.Path(__file__).parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EVENING = {name: int(lines) for name, lines in re.findall(r"^\| `(\w+\.py)` \| (\d+) \|", CONTRIBUTING, re.MULTILINE)}


def test_the_reading_order_names_the_files_of_the_core_and_their_length():
    files = {
        path.name: path.read_text(encoding="utf-8").count("\n") for path in (ROOT / "autograd" / "core").glob("*.py")
    }
    del files["__init__.py"]
    assert set(EVENING) == set(files)
    for name, lines in EVENING.items():
        assert abs(files[name] - lines) <= 10, f"CONTRIBUTING.md says {lines} lines, {name} has {files[name]}"


def test_the_core_stays_small_enough_for_an_evening():
    """750 lines with the rows and atoms it was written with, which are 112 of them; others may be added."""
    files = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "autograd" / "core").glob("*.py")}
    texts = [node for node in ast.walk(ast.parse(files["table.py"])) if isinstance(node, ast.Constant)]
    rows_and_atoms = sum(node.end_lineno - node.lineno for node in texts if node.end_lineno - node.lineno > 20)
    lines = sum(text.count("\n") for text in files.values()) - rows_and_atoms
    assert lines <= 750 - 112, "what is not the engine itself goes around the core, as assigning.py and recording.py do"


def test_each_file_of_the_core_needs_only_those_above_it():
    read = ["__init__"]
    for name in EVENING:
        tree = ast.parse((ROOT / "autograd" / "core" / name).read_text(encoding="utf-8"))
        used = {
            node.module.split(".")[2] if node.module.count(".") > 1 else alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("autograd")
            for alias in node.names
        }
        assert used <= set(read), name
        read.append(name.removesuffix(".py"))


def test_the_map_names_every_room():
    rooms = {f"autograd/{path.name}/" for path in (ROOT / "autograd").iterdir() if (path / "__init__.py").exists()}
    for room in {
        *rooms,
        *{f"autograd/{path.name}" for path in (ROOT / "autograd").glob("[a-z]*.py")},
        "nn/",
        "tests/",
        "notebooks/",
    }:
        assert f"`{room}`" in CONTRIBUTING, room


# What the words of the table mean has the same name for every kind of number; what is put in place, that of its place
SHARED = set("call choose divide power product quotient sumproduct total worth number refuse_nan TYPE_CHECKING".split())


def test_no_name_of_the_modules_around_the_core_has_two_meanings():
    homes = {}
    for path in sorted((ROOT / "autograd").rglob("*.py")):
        if path.parent.name == "compiler" or path.name in ("__init__.py", "__main__.py"):
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            parts = [part for target in targets for part in getattr(target, "elts", [target])]
            names = {part.id for part in parts if isinstance(part, ast.Name) and not isinstance(node, ast.For)}
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names = {node.name}
            for name in names - SHARED:
                assert homes.setdefault(name, path) == path, f"{name} stands in {path} and {homes[name]}"


@pytest.mark.parametrize("reader", READERS)
def test_every_atom_is_known_to_every_reader(reader):
    words = {name for name, row in DECLARED.items() if row.atom}
    for row in DECLARED.values():
        for text in (row.value, *row.partials):
            calls = [node.func.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
            words |= {word for word in calls if word not in DECLARED}
    for word in words:
        assert called(word, reader), word


def test_a_forgotten_atom_is_missed_by_its_name():
    with pytest.raises(ValueError, match=r"bessel is a word that no other words .* what floats call it is missing"):
        called("bessel", "floats")
    ATOMS["bessel"] = Atom(abs)
    try:
        assert called("bessel", "floats") is abs
        with pytest.raises(ValueError, match="what javascript call it is missing"):
            called("bessel", "javascript")
    finally:
        del ATOMS["bessel"]


def test_a_row_on_any_kind_of_number():
    class Said:
        """A number that is what is said about it."""

        def __init__(self, text):
            self.text = text

        def __add__(self, other):
            return Said(f"{self.text} plus {getattr(other, 'text', other)}")

        def __mul__(self, other):
            return Said(f"{self.text} times {getattr(other, 'text', other)}")

    words = {"sumproduct": lambda ws, xs: Said(" and ".join(f"{w} by {x}" for w, x in zip(ws, xs)))}
    row = TABLE["weighted_sum"]
    groups = row.grouped(["v", "w", "x", "y", Said("b")])
    assert groups["inputs"] == ["x", "y"]
    assert evaluate(row.value, words, groups).text == "v by x and w by y plus b"
    found = [evaluate(row.partials[position], words, names) for position, names in row.occurrences(groups, None, words)]
    assert found == ["x", "y", "v", "w", 1.0]
    chosen = {"choose": lambda x, sign, y, yes, no: (x, sign, y, yes(), no())}
    assert evaluate("x if x >= 2 else -1", chosen, {"x": 5.0}) == (5.0, ">=", 2.0, 5.0, -1.0)
    with pytest.raises(ValueError, match="'x @ y' is not in the language of the table"):
        evaluate("x @ y", {}, {"x": 1, "y": 2})
    assert Row("f", "x", "1", operands="x, slope=0.5").defaults == {"slope": 0.5}
