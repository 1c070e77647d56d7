import ast
import functools
import graphlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("numpy", "graphviz", "matplotlib", "tqdm", "sklearn", "IPython")
# What each module of the core may import: the page that is read aloud, from the bottom up.
CORE = {
    "primitives": set(),
    "graph": set(),
    "expressions": {"primitives"},
    "generate": {"primitives", "expressions"},
    "value": {"primitives", "expressions", "generate", "graph"},
    "trees": set(),
    "higher": {"primitives", "expressions", "generate", "graph", "value"},
    "functional": {"graph", "value", "higher", "trees"},
    "checking": {"value", "higher", "trees", "functional"},
}


def run(code, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def top_level(node):
    """The statements that run when a module is imported."""
    for part in ast.iter_child_nodes(node):
        lazy = isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        if not lazy and not (isinstance(part, ast.If) and "TYPE_CHECKING" in ast.unparse(part.test)):
            yield part
            yield from top_level(part)


@functools.cache
def imports(path):
    """The absolute names that a file imports at its top level."""
    names = set()
    for node in top_level(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return names


FILES = sorted([*ROOT.glob("autograd/**/*.py"), *ROOT.glob("nn/**/*.py")])


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {module_name(path): path for path in FILES}


@pytest.mark.parametrize("package", ["autograd", "nn"])
def test_import_loads_nothing_heavy(package):
    result = run(f"import {package}, sys; print([m for m in {HEAVY} if m in sys.modules])", ROOT)
    assert result.stderr == ""
    assert result.stdout == "[]\n"


def test_import_from_star_brings_every_public_name_and_they_exist():
    code = "from autograd import *; import autograd; print(set(autograd.__all__) <= set(globals()), tanh(0.0), sum([]))"
    assert run(code, ROOT).stdout == "True 0.0 0.0\n"


@pytest.mark.parametrize("name", CORE)
def test_the_core_imports_downwards_only(name):
    used = {module for module in imports(NAMES[f"autograd.{name}"]) if module.split(".")[0] in ("autograd", "nn")}
    assert {module.split(".")[1] for module in used if "." in module} <= CORE[name]
    assert not {module.partition(".")[0] for module in imports(NAMES[f"autograd.{name}"])} & set(HEAVY)


def test_nothing_in_autograd_imports_nn_or_itself_in_a_circle():
    edges = {}
    for name, path in NAMES.items():
        used = {u for u in imports(path) if u in NAMES}
        if name.startswith("autograd"):
            assert not any(u.split(".")[0] == "nn" for u in imports(path)), name
        edges[name] = {u for u in used if not name.startswith(u + ".") and u != name and u not in ("autograd", "nn")}
    assert list(graphlib.TopologicalSorter(edges).static_order())


@pytest.mark.parametrize("foreign", ["tracer.py", "numpy/__init__.py"])
@pytest.mark.parametrize("package", ["autograd", "nn"])
def test_files_of_the_other_autograd_are_named_with_a_remedy(tmp_path, package, foreign):
    for name in ("autograd", "nn"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    added = tmp_path / "autograd" / foreign
    added.parent.mkdir(exist_ok=True)
    added.write_text("")
    result = run(f"import {package}", tmp_path, PYTHONPATH=str(tmp_path))
    assert result.returncode != 0
    assert "ImportError" in result.stderr
    assert str(tmp_path / "autograd" / foreign.partition("/")[0]) in result.stderr
    assert "pip uninstall autograd" in result.stderr


def test_nn_beside_the_other_autograd_alone_says_so(tmp_path):
    shutil.copytree(ROOT / "nn", tmp_path / "nn", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "autograd").mkdir()
    (tmp_path / "autograd" / "__init__.py").write_text("def grad(f): ...\n")
    result = run("import nn", tmp_path, PYTHONPATH=str(tmp_path))
    assert result.returncode != 0
    assert str(tmp_path / "autograd" / "__init__.py") in result.stderr
    assert "pip uninstall autograd" in result.stderr


def test_both_packages_are_typed_and_described():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["name"] == "glassgrad"
    assert {dependency.split(">")[0] for dependency in project["project"]["dependencies"]} == {"numpy", "graphviz"}
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["autograd", "nn"]
    assert all((ROOT / package / "py.typed").exists() for package in ("autograd", "nn"))
    extras, groups = project["project"]["optional-dependencies"], project["dependency-groups"]
    assert set(extras) == set(groups)
