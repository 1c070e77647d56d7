"""On a platform of 32 bits without floating point flags everything is what it is here: the engine and the compiler."""

import json
from xml.etree import ElementTree

import pytest
from wasm import in_pyodide, in_wasi, run_in_pyodide, run_in_wasi, with_numpy

PROGRAM = """
from autograd import Value, draw, explain, grad, gradcheck, hessian, paths, play, playground, tanh
from nn import MLP, squared_error

w, a = Value(0.5, label="w"), Value(2.0, label="a")
C = (tanh(w * a) - 1) ** 2
C.backward()
model = MLP(2, [3, 1], "tanh", seed=0)
for _ in range(5):
    model.zero_grad()
    cost = squared_error(model([1.0, -1.0]), 0.5)
    cost.backward()
    for p in model.parameters():
        p.data -= 0.1 * p.grad
numbers = [w.grad, grad(grad(tanh))(0.3), *sum(hessian(lambda v: v[0] ** 2 * v[1])([2.0, 3.0]), []), cost.data]
texts = [str(bool(gradcheck(tanh, 0.3))), str(explain(C, w)), str(paths(C, w)), draw(C).svg, play(C).html]
texts.append(playground("C = (tanh(w*a + b) - y)^2").html)
"""
HEAD = "import sys, json, warnings; sys.path[:0] = ['/mounted', '/mounted/tests/compiler', '/mounted/tests']\n"
NET = f"""{HEAD}
import numpy
from forms import run, run_trainings
reports = []
tried, wrong, rounding = run(150, 2_000_000, report=reports.append, most=3)
trained = run_trainings(20, 2_000_000, report=reports.append)
wrong += trained[1]
result = [numpy.dtype(numpy.intp).itemsize, tried.total(), rounding.total(), wrong.total(), reports]
"""


@in_pyodide
def test_what_needs_no_numpy_gives_in_pyodide_what_it_gives_here():
    program = f"{HEAD}{PROGRAM}\nassert 'numpy' not in sys.modules\njson.dumps([sys.maxsize, numbers, texts])"
    size, numbers, texts = json.loads(run_in_pyodide(program))
    here = {}
    exec(PROGRAM, here)
    assert size == 2**31 - 1
    assert numbers == pytest.approx(here["numbers"], rel=1e-12)
    assert texts[:3] == here["texts"][:3]
    svg = "{http://www.w3.org/2000/svg}text"
    written = [
        ["".join(text.itertext()) for text in ElementTree.fromstring(s).iter(svg)] for s in (texts[3], here["texts"][3])
    ]
    assert written[0] == written[1] != []
    assert texts[4].startswith("<!doctype html>")
    assert len(texts[5]) == pytest.approx(len(here["texts"][5]), rel=0.01)


def hold(text):
    bytes_of_an_index, tried, rounding, wrong, reports = json.loads(text)
    assert bytes_of_an_index == 4
    assert not wrong, "\n".join(reports)
    assert tried > 700
    assert rounding < 0.05 * tried


@pytest.mark.slow
@in_pyodide
@with_numpy
def test_random_programs_and_trainings_in_pyodide_are_the_eager_engine():
    hold(run_in_pyodide(f"{NET}\njson.dumps(result)"))


@pytest.mark.slow
@in_wasi
def test_random_programs_and_trainings_in_wasi_are_the_eager_engine():
    hold(run_in_wasi(f"{NET}\nprint(json.dumps(result))"))
