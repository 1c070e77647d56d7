import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograd.__main__ import main
from autograd.drawing.statements import expression


def test_an_expression_is_differentiated_and_its_page_written(tmp_path, capsys):
    main(["z = w*a + b; C = (tanh(z) - y)^2; w = 0.8; a = 1.5; b = -0.5; y = 1", "-o", str(tmp_path / "page.html")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "C = 0.156525"
    assert lines[1].split() == "w = 0.8 dC/dw = -0.75337".split()
    assert lines[-1].endswith("page.html: open it in a browser")
    assert "z = w*a + b" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("text", "free"),
    [
        ("C = (tanh(w*a + b) - y)^2", ["w", "a", "b", "y"]),
        ("C = (tanh(w*a + b) - y)^2; w = 0.8; y = 1", ["a", "b"]),
        ("x*x; z = 2", ["x"]),
        ("q = s + 1; C = x*x; x = 2", []),
        ("C = x*x; x = 0.5", []),  # the number that it would have got
    ],
)
def test_leaves_that_got_a_number_which_nobody_gave_are_named(text, free, capsys):
    main([text])
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("The expression gives no number")]
    assert [re.findall(r"\w+", line.partition("to ")[2].partition(":")[0].replace(" and ", " ")) for line in told] == (
        [free] if free else []
    )
    assert expression(text).free == free


def test_the_help_says_that_leaves_get_numbers(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "no number gets one" in " ".join(capsys.readouterr().out.split())


def test_a_page_without_an_expression_opens_with_a_network(tmp_path, capsys):
    main(["-o", str(tmp_path / "page.html")])
    assert re.search('"mode": *"network"', (tmp_path / "page.html").read_text())
    assert capsys.readouterr().out.startswith(str(tmp_path))


def test_an_expression_is_read_from_the_input(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("y = x^2\nx = 3\n"))
    main(["-"])
    assert capsys.readouterr().out == "y = 9\nx = 3   dy/dx = 6\n"


def test_an_expression_may_begin_with_a_minus(capsys):
    main(["-x^2; x = 3"])
    assert capsys.readouterr().out == "C = -9\nx = 3    dC/dx = -6\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2x", "line 1, column 2: an operator is missing here"),
        ("__import__('os').system('exit 7')", "there is no function __import__"),
        ("().__class__", "here a number, a name or a ( is missing"),
        ("lambda: 1", "is not part of an expression"),
        ("9**9**9**9", "pow has no finite value here"),
        ("(" * 5_000, "more than 100 parentheses"),
        ("x" * 100_000, "longer than 10000 characters"),
        ("x.real", "is not part of an expression"),
        ("f'{x}'", "is not part of an expression"),
    ],
)
def test_what_is_no_expression_is_refused_in_words_and_never_run(text, told, capsys):
    with pytest.raises(SystemExit) as ended:
        main([text])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_usage_and_files_that_cannot_be_written(tmp_path, capsys):
    for arguments, told in (
        ([], "type an expression"),
        (["x", "-o", str(tmp_path / "no" / "x.html")], "cannot write to"),
    ):
        with pytest.raises(SystemExit):
            main(arguments)
        assert told in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["x", "-o", str(tmp_path / "x.txt")])
    assert "saved as .html" in capsys.readouterr().err


def test_it_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "autograd", "y = 5*x; x = 2"],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "y = 10\nx = 2    dy/dx = 5\n", "")
