import pytest

from autograd import Value, play


def test_a_page_is_one_file_without_links_to_the_network(tmp_path):
    x = Value(3.0, label="x")
    page = play(x * x)
    assert "http" not in page.html.replace("http://www.w3.org/2000/svg", "")
    page.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page.html


def test_a_graph_that_is_too_large_to_step_through_is_refused_with_advice():
    v = Value(1.0)
    for _ in range(1000):
        v = v * 1.0
    with pytest.raises(ValueError, match=r"at most 1000 values .* this graph has 1001: .* use draw\(cost\)"):
        play(v)
