"""The examples in the docstrings run, and whatever is public has a docstring."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import autograd
import nn

MODULES = [
    module.name
    for package in (autograd, nn)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not module.name.endswith("__main__")
]
PUBLIC = [(package, name) for package in (autograd, nn) for name in package.__all__ if name[0] != "_"]


@pytest.mark.parametrize("name", ["autograd", "nn", *MODULES])
def test_the_examples_of_a_module_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # an example may write a file
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert not failed


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_holds(name):
    assert importlib.import_module(name).__doc__


@pytest.mark.parametrize(("package", "name"), PUBLIC, ids=lambda x: getattr(x, "__name__", x))
def test_a_public_name_has_a_docstring(package, name):
    thing = getattr(package, name)
    assert isinstance(thing, tuple) or inspect.getdoc(thing)


def test_an_example_that_fails_is_noticed():
    test = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    assert doctest.DocTestRunner(verbose=False).run(test, out=lambda text: None).failed == 1
