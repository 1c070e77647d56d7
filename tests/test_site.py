"""The site builds, no link in it leads nowhere, and every public name has its place in the reference."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs")
pytest.importorskip("mkdocs_jupyter")
pytest.importorskip("mkdocstrings_handlers.python")

import autograd
import nn

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, str(ROOT / ".github/site/build.py"), str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    built = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    assert built.returncode == 0, built.stderr + built.stdout
    return folder


def test_every_public_name_has_its_place_in_the_reference(site):
    text = "".join(page.read_text() for page in site.glob("reference/*.html"))
    for package in (autograd, nn):
        for name in package.__all__:
            if callable(getattr(package, name)):
                assert f'id="{package.__name__}.{name}"' in text, name


def test_every_link_within_the_site_leads_to_a_page(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        for link in re.findall(r'(?:href|src)="([^"#?]+)[^"]*"', page.read_text()):
            # the notebooks that run in the browser are built beside it, by .github/lite/build.py
            elsewhere = "://" in link or link.startswith(("data:", "mailto:", "javascript:", "../lite/"))
            if not elsewhere and page.name != "404.html":
                assert (page.parent / link).resolve().exists(), f"{page.relative_to(site)} -> {link}"


def test_every_notebook_can_be_run_from_the_overview(site):
    linked = re.findall(r'href="\.\./lite/lab/index\.html\?path=([^"]+)"', (site / "notebooks/index.html").read_text())
    assert linked == sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))


def test_examples_of_docstrings_are_code_and_no_quotations(site):
    pages = [page.read_text() for page in site.glob("reference/*.html")]
    assert sum(page.count("<code>&gt;&gt;&gt; ") + page.count('<span class="gp">') for page in pages) > 100
    assert not [page for page in pages if "<blockquote" in page]


def test_every_card_of_the_gallery_has_its_picture(site):
    page = (site / "gallery.html").read_text()
    assert set(re.findall(r'src="gallery/(\w+)\.svg"', page)) == set(re.findall(r'href="gallery/(\w+)\.html"', page))
    assert len(list(site.glob("gallery/*.svg"))) == 10


def test_nothing_is_loaded_from_another_host(site):
    for page in site.rglob("*.html"):
        text = page.read_text()
        loaded = re.findall(r'<(?:script|img|iframe)[^>]* src="(https?://[^"]+)"', text)
        styles = re.findall(
            r'<link[^>]* rel="(?:stylesheet|preconnect)"[^>]* href="(https?://[^"]+)"', page.read_text()
        )
        assert not [url for url in loaded + styles if "glassgrad" not in url], page
        assert 'data-md-component="source"' not in text  # which asks GitHub for its stars
