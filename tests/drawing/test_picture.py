import struct
import sys

import pytest

from autograd import Value, draw, nudge, play, tanh
from autograd.drawing.picture import Picture

pytest.importorskip("vl_convert")


def cost():
    w, x = Value(0.5, label="w"), Value(2.0, label="x")
    C = tanh(w * x)
    C.label = "C"
    C.backward()
    return w, C


def pictures():
    w, C = cost()
    return [draw(C), nudge(C, w).picture, nudge(C, w).sweep().picture]


def size_of_png(content):
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", content[16:24])


@pytest.mark.parametrize("number", range(3))
def test_every_picture_is_saved_as_svg_png_and_pdf(tmp_path, number):
    picture = pictures()[number]
    assert isinstance(picture, Picture)
    for form in ("svg", "png", "pdf"):
        assert picture.save(tmp_path / f"p.{form}") == str(tmp_path / f"p.{form}")
    assert (tmp_path / "p.svg").read_text(encoding="utf-8") == picture.svg
    assert size_of_png((tmp_path / "p.png").read_bytes()) == (2 * picture.width, 2 * picture.height)
    assert (tmp_path / "p.pdf").read_bytes()[:5] == b"%PDF-"


def test_scale_is_the_pixels_of_a_png_for_each_of_the_screen(tmp_path):
    drawing = draw(cost()[1])
    drawing.save(tmp_path / "p.PNG", scale=1)
    assert size_of_png((tmp_path / "p.PNG").read_bytes()) == (drawing.width, drawing.height)


@pytest.mark.parametrize("scale", [0, -1, float("nan"), 1e9])
def test_a_scale_that_is_none_is_refused(tmp_path, scale):
    with pytest.raises(ValueError, match="scale is how many pixels"):
        draw(cost()[1]).save(tmp_path / "p.png", scale=scale)
    assert not list(tmp_path.iterdir())


def test_the_text_of_a_png_is_there(tmp_path):
    import io

    import matplotlib.image

    drawing = draw(cost()[1], legend=False)
    drawing.save(tmp_path / "p.png", scale=1)
    pixels = matplotlib.image.imread(io.BytesIO((tmp_path / "p.png").read_bytes()))
    assert (pixels[0, 0, :3] == 1).all()  # light, whatever the machine prefers
    assert (pixels[:, :, :3].max(axis=2) < 0.4).sum() > 300  # ink


@pytest.mark.parametrize("form", ["png", "pdf"])
def test_without_the_extra_the_error_says_what_to_install(tmp_path, monkeypatch, form):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ImportError, match=r"pip install 'glassgrad\[export\]'"):
        draw(cost()[1]).save(tmp_path / f"p.{form}")
    assert not list(tmp_path.iterdir())


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a drawing is saved as \.svg, \.png, \.pdf, \.dot or \.gv, not as '\.jpg'"):
        draw(cost()[1]).save(tmp_path / "p.jpg")
    with pytest.raises(
        ValueError, match=r"a picture is saved as \.svg, \.png or \.pdf, not as 'a file without suffix'"
    ):
        pictures()[1].save(tmp_path / "p")
    with pytest.raises(ValueError, match=r"saved as \.html"):
        play(cost()[1]).save(tmp_path / "p.png")


def test_saving_an_svg_does_not_import_graphviz(tmp_path):
    import subprocess

    code = (
        "import sys; from autograd import Value, draw; x = Value(3.0, 'x')\n"
        f"draw(x * x, engine='builtin').save({str(tmp_path / 'p.svg')!r}); print('graphviz' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False", done.stderr
