"""A graph whose leaves were assigned since, and gradients that are sums over passes, are never shown in silence."""

from autograd import Value, draw, explain, nudge, paths, play, tanh
from autograd.explaining.state import replayed_words, stale_words, summed_words
from nn import MLP, SGD, squared_error


def product():
    w, a = Value(2.0, label="w"), Value(3.0, label="a")
    C = w * a
    C.label = "C"
    return C, w, a


def shown(result):
    bundle = result._repr_mimebundle_()
    return [str(result), bundle.get("text/html", bundle.get("text/markdown"))]


def test_a_graph_is_not_stale_before_a_leaf_is_assigned_nor_after_it_is_computed_anew():
    C, w, a = product()
    w.data = 2.0
    assert stale_words(C) == ""
    w.data = 5.0
    assert stale_words(C).startswith("w was assigned after this graph was computed")
    assert not any("assigned" in text for text in shown(explain(C.refresh(), a)))


def test_explain_and_paths_say_that_their_numbers_are_those_of_the_old_data():
    C, w, a = product()
    w.data = 5.0
    assert explain(C, a).gradient == paths(C, a).total == 2.0
    for result in (explain(C, a), paths(C, a)):
        for text in shown(result):
            assert "w was assigned after this graph was computed: values and derivatives are those of the old" in text


def test_nudge_says_that_it_computed_all_anew():
    C, w, a = product()
    w.data = 5.0
    moved = nudge(C, a)
    assert moved.derivative == 5.0
    for text in shown(moved):
        assert "w was assigned after the graph was computed. Here all is computed from the present" in text
    assert replayed_words(C.refresh()) == ""


def test_a_step_of_an_optimizer_makes_the_cost_of_before_stale():
    model = MLP(1, [2, 1], seed=0)
    optimizer = SGD(model.parameters(), lr=0.1)
    C = squared_error(model([1.0]), 3.0)
    C.backward()
    optimizer.step()
    asked = model.parameters()[0]
    assert stale_words(C).startswith(f"{asked.label}, ")
    assert "and 4 more were assigned after this graph was computed" in explain(C, asked).text


def test_leaves_assigned_before_the_graph_was_computed_are_not_called_stale():
    C, w, a = product()
    a.data = 4.0
    C = w * a + a
    w.data = 5.0
    assert stale_words(C).startswith("w was assigned")


def test_all_leaves_assigned_since_the_first_that_made_a_node_stale_are_named():
    leaves = [Value(float(i), label=f"x{i}") for i in range(6)]
    C = leaves[0] * leaves[1] + leaves[2] * leaves[3] * leaves[4] + leaves[5]
    for leaf in leaves[1:]:
        leaf.data += 1
    assert stale_words(C).startswith("x1, x2, x3 and 2 more were assigned")
    assert stale_words(C.refresh()) == ""


def test_a_gradient_that_is_a_sum_over_passes_is_called_one():
    x = Value(3.0, label="x")
    f = x * x
    f.label = "f"
    f.backward()
    assert summed_words(f) == ""
    (x * x).backward()
    assert "this cost alone gives 6." in summed_words(f)
    for result in (explain(f, x), paths(f, x)):
        assert all(
            "x.grad holds 12, the sum over all backward passes so far" in text
            and "this cost alone gives 6. zero_grad([x]) starts afresh." in text
            for text in shown(result)
        )
    x.grad = 0.0
    f = tanh(x)
    f.backward()
    assert summed_words(f) == ""
    assert "sums" not in str(explain(f, x))


def test_a_gradient_of_another_cost_or_of_before_a_refresh_is_not_called_a_sum_of_this_one():
    x = Value(3.0, label="x")
    other, f = x * 5, x * x
    other.backward()
    for text in (str(explain(f, x)), str(paths(f, x))):
        assert "x.grad holds 5" in text
        assert "this cost alone gives 6" in text
        assert "sum over backward passes" not in text
    x.grad = 0.0
    f.backward()
    x.data = 4.0
    f.refresh()
    for text in (str(explain(f, x)), str(paths(f, x)), draw(f).table):
        assert "refresh()" in text
        assert "this cost alone gives 8" in text
        assert "sums" not in text
        assert "a sum" not in text


def test_a_drawing_of_a_cost_without_a_backward_pass_says_whose_gradients_its_leaves_hold():
    x = Value(3.0, label="x")
    f, g = x * x, x * 5
    assert "other costs" not in draw(g).table
    f.backward()
    f.backward()
    for text in (draw(g).table, draw(g).svg):
        assert "no backward pass: gradients are those of other costs, such as 12 of x" in " ".join(text.split())
    assert "other costs" not in draw(x).table
    x.grad = 0.0
    g.backward()
    assert "other costs" not in draw(g).table


def test_a_drawing_and_a_page_say_it_too():
    C, w, _ = product()
    C.backward()
    C.backward()
    assert "Gradients are not those of this cost alone" in draw(C).table
    assert "not those of this cost alone" in draw(C).svg
    w.data = 5.0
    assert "w was assigned after this graph was computed" in draw(C).svg
    assert "was assigned" not in draw(C, blank="gradients").svg
    assert "Here all is computed from the present data" in play(C).html
    C.refresh()
    assert "assigned" not in draw(C).svg
    assert 'role="note"' not in play(C).html
