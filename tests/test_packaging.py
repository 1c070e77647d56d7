import ast
import functools
import graphlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("numpy", "graphviz", "matplotlib", "tqdm", "sklearn", "IPython")
AROUND = {"core", "compatibility", "kinds", "recording", "assigning", "cautions"}
# What each folder may import, itself apart: data flows one way. Inside a folder there is no circle.
ROOMS = {
    "core": set(),
    "kinds": {"core", "compatibility"},
    "fast": {"core", "compatibility", "kinds"},
    "recording": {"core", "compatibility"},
    "assigning": {"core", "recording"},
    "cautions": {"core", "recording", "assigning"},
    "compatibility": {"core"},
    "operations": {"core", "fast"},
    "calculus": AROUND,
    "explaining": {*AROUND, "calculus"},
    "drawing": {*AROUND, "calculus", "explaining"},
    "show": {*AROUND, "calculus", "explaining", "drawing", "compiler"},
    "compiler": {*AROUND, "calculus"},
    "__main__": {"core", "calculus", "explaining", "drawing"},
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


@functools.cache
def imports(path):
    """The absolute names that a file imports, inside functions too; not those for a type checker alone."""
    names = set()
    waiting = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        waiting += ast.iter_child_nodes(node)
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


def test_import_enters_no_room_and_loads_no_module_that_takes_long():
    slow = {"ast", "typing", "dataclasses", "inspect", "threading", "linecache", "importlib.metadata"}
    code = (
        "import sys; before = set(sys.modules); import autograd; new = set(sys.modules) - before; "
        f"print(sorted(new & {slow}), sorted({{m.split('.')[1] for m in new if m.startswith('autograd.')}}))"
    )
    assert (
        run(code, ROOT).stdout
        == "[] ['assigning', 'cautions', 'compatibility', 'core', 'fast', 'kinds', 'operations', 'recording']\n"
    )


def test_import_from_star_leaves_pythons_compile_alone_and_its_sum_serves():
    code = "from autograd import *; print(compile.__module__, sum(range(4)), sum([[1], [2]], []), sum([0.1] * 10))"
    assert run(code, ROOT).stdout == "builtins 6 [1, 2] 1.0\n"


def test_the_version_is_that_of_the_project():
    import tomllib

    import autograd

    assert autograd.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_import_from_star_brings_every_public_name_and_they_exist():
    code = "from autograd import *; import autograd; print(set(autograd.__all__) <= set(globals()), tanh(0.0), sum([]))"
    assert run(code, ROOT).stdout == "True 0.0 0.0\n"


def test_modules_of_nn_are_loaded_when_a_name_of_theirs_is_used():
    loaded = "print([m for m in sys.modules if m.startswith(('nn.', 'autograd.drawing', 'asyncio'))])"
    assert run(f"import sys, nn; {loaded}", ROOT).stdout == "[]\n"
    assert (
        run("import nn.training, nn; print(nn.fit.__name__, nn.losses.huber is nn.huber)", ROOT).stdout == "fit True\n"
    )
    code = "from nn import *; import nn; print({*nn.__all__} - {*globals()}, {*nn.__all__} - {*dir(nn)})"
    assert run(code, ROOT).stdout == "set() set()\n"


def test_what_is_unpickled_shows_itself_though_nothing_was_imported():
    code = "import pickle, nn; print(pickle.dumps([nn.History([1.0, 0.5]), nn.MLP(2, [1], seed=0)]).hex())"
    pickled = run(code, ROOT).stdout.strip()
    code = f"import pickle; h, m = pickle.loads(bytes.fromhex('{pickled}')); print(h.picture.svg[:4], end=' ')"
    assert run(f"{code}; print('image/svg+xml' in m._repr_mimebundle_())", ROOT).stdout == "<svg True\n"


@pytest.mark.parametrize("name", [name for name in NAMES if name.count(".") and name.startswith("autograd.")])
def test_imports_point_one_way_room_by_room(name):
    room = name.split(".")[1]
    used = {u for u in imports(NAMES[name]) if u in NAMES and u != "autograd"}
    assert {u.split(".")[1] for u in used if u.startswith("autograd.")} <= ROOMS[room] | {room}
    assert not any(u.split(".")[0] == "nn" for u in used)
    if room == "core":
        assert not {module.partition(".")[0] for module in imports(NAMES[name])} & set(HEAVY)


def test_no_module_imports_itself_in_a_circle():
    edges = {}
    for name, path in NAMES.items():
        used = {u for u in imports(path) if u in NAMES}
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


@pytest.mark.parametrize("package", ["autograd", "nn", "autograd.__main__"])
def test_the_other_autograd_installed_second_is_named_with_a_remedy(tmp_path, package):
    for name in ("autograd", "nn"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tracer.py", "core.py"):
        (tmp_path / "autograd" / name).write_text("")
    (tmp_path / "autograd/__init__.py").write_text("from autograd.core import primitive_with_warnings as primitive\n")
    result = run(f"import {package}", tmp_path, PYTHONPATH=str(tmp_path))
    assert str(tmp_path / "autograd" / "tracer.py") in result.stderr
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


def test_the_citation_and_the_package_agree():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = dict(
        line.split(": ", 1)
        for line in (ROOT / "CITATION.cff").read_text().splitlines()
        if line[0].isalpha() and ": " in line
    )
    assert citation["version"] == project["version"]
    assert citation["repository-code"] == project["urls"]["Homepage"]
    assert citation["url"] == project["urls"]["Documentation"]


def test_the_workflow_tests_every_python_that_the_package_names():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {c.rpartition(" ")[2] for c in project["classifiers"] if re.search(r"Python :: 3\.\d+$", c)}
    tested = re.search(r"python: \[(.*)\]", (ROOT / ".github/workflows/ci.yml").read_text())
    assert {version.strip(' "') for version in tested[1].split(",")} == named
    assert min(named, key=lambda v: int(v[2:])) == project["requires-python"].removeprefix(">=")
