"""python -m nn: the tour runs, quickly, repeatably, with the required dependencies alone, and tells the truth."""

import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

import pytest

from nn import accuracy, iris, load, standardize, train_test_split

WITHOUT = """
import sys
for name in ("matplotlib", "tqdm", "sklearn", "scipy", "pandas"):
    sys.modules[name] = None
import runpy
sys.argv = ["nn", *sys.argv[1:]]
runpy.run_module("nn", run_name="__main__")
"""


def tour(*arguments, code=None):
    command = ["-c", code] if code else ["-m", "nn"]
    return subprocess.run(
        [sys.executable, *command, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One run of the tour without any optional package: (its output, its error stream, its folder, seconds)."""
    out = tmp_path_factory.mktemp("tour") / "new" / "folder"
    start = time.perf_counter()
    done = tour("--out", out, code=WITHOUT)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr, out, time.perf_counter() - start


def test_it_takes_less_than_twenty_seconds(run):
    assert run[3] < 20


def test_the_factors_agree_with_the_finite_differences_beside_them(run):
    rows = re.findall(r"^  (\S.*?) {2,}(-?\d+\.\d{9}) +(-?\d+\.\d{9})$", run[0], re.M)
    assert [name for name, _, _ in rows] == ["dz/dw", "da/dz", "dC/da", "their product, dC/dw"]
    for _, derivative, ratio in rows:
        assert float(derivative) == pytest.approx(float(ratio), rel=1e-6)
    dz, da, dC, product = (float(derivative) for _, derivative, _ in rows)
    assert dz * da * dC == pytest.approx(product, rel=1e-7)


def test_the_value_and_the_gradient_are_printed(run):
    assert re.search(r"C += \(a - y\)\^2 = 0\.1565", run[0])
    assert "dC/dw = -0.753370, dC/dx = -0.401797, dC/db = -0.502247, dC/dy = 0.791264" in run[0]


def test_both_costs_fall_and_progress_is_shown(run):
    curves = [
        [float(c) for c in re.findall(r"(\d+\.\d+) \(epoch", line)] for line in run[0].splitlines() if "(epoch" in line
    ]
    assert len(curves) == 2
    assert all(curve[-1] < curve[0] / 5 for curve in curves)
    assert "epoch 60/60  cost" in run[1]
    assert "epoch 120/120  cost" in run[1]


def test_the_held_out_accuracy_is_that_of_the_saved_model(run):
    X, y = iris()
    X_train, X_test, _, y_test = train_test_split(X, y, test=50, seed=0, stratify=True)
    _, X_test = standardize(X_train, X_test)
    found = accuracy(load(run[2] / "iris.json"), X_test, y_test)
    assert found >= 0.9
    assert f"{found:.1%} of the 50 held out" in run[0]


def test_everything_that_it_says_it_wrote_is_there(run):
    names = {"expression.svg", "neuron.svg", "backprop.html", "iris.json"}
    assert {path.name for path in run[2].iterdir()} == names
    assert all(str(run[2] / name) in run[0] for name in names)
    for name in ("expression.svg", "neuron.svg"):
        text = "".join(ElementTree.parse(run[2] / name).getroot().itertext())
        assert "tanh" in text
    assert (run[2] / "backprop.html").read_text().startswith("<!doctype html>")


def test_a_seed_repeats_a_run_and_another_seed_does_not(run, tmp_path):
    again, other = tour("--seed", 0, "--out", run[2]), tour("--seed", 1, "--out", tmp_path)
    assert again.stdout == run[0]
    assert other.stdout != run[0]


def test_help_explains():
    done = tour("--help")
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("--seed", "--out", "Iris", "less than twenty seconds"))


def test_impossible_arguments_are_answered_in_a_line(tmp_path):
    (tmp_path / "file").write_text("")
    for arguments, message in (
        (["--seed", "-1"], "a seed is at least 0"),
        (["--out", tmp_path / "file" / "x"], "cannot write to"),
    ):
        done = tour(*arguments)
        assert done.returncode == 2
        assert message in done.stderr
        assert "Traceback" not in done.stderr
