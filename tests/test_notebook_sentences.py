"""What the notebooks say about their numbers is so: each test runs a notebook up to a sentence and computes it."""

import contextlib
import io
import math

import pytest
from test_notebooks import FOLDER, jupytext

import autograd
from autograd.core.graph import topological_order
from nn import MLP, accuracy, health, squared_error

pytest.importorskip("matplotlib")
np = pytest.importorskip("numpy")


@pytest.fixture(scope="module")
def after():
    """A function that runs a notebook through the cell in which a text occurs, and gives its names; and its words."""
    import matplotlib.pyplot as plt

    def names_after(number, text, *sentences):
        [path] = FOLDER.glob(f"{number:02}_*.py")
        cells = jupytext.read(path).cells
        words = " ".join(" ".join(cell.source for cell in cells if cell.cell_type == "markdown").split())
        for sentence in sentences:
            assert sentence in words, f"the sentence is no longer there: {sentence}"
        names = {"__name__": "__main__"}
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            for cell in cells:
                if cell.cell_type == "code":
                    exec(compile(cell.source, path.name, "exec"), names)
                    if text in cell.source:
                        break
            else:
                raise AssertionError(f"no cell of {path.name} has {text!r}")
        return names

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(FOLDER)
        patch.setenv("MPLBACKEND", "agg")
        patch.setattr(plt, "show", lambda: None)  # there is no screen
        yield names_after
    plt.close("all")


def test_01_the_network_has_37_parameters_and_is_right_about_points_it_has_not_seen(after):
    names = after(1, "SGD(", "4 + 4 + 1 neurons", "Training moves all 37 parameters")
    assert len(names["network"].parameters()) == 37
    assert names["history"].cost[-1] < names["history"].cost[0]


def test_02_the_further_back_the_smaller_and_little_happens_for_forty_steps(after):
    names = after(2, "costs.append", "The further back, the smaller", "For some forty steps little happens")
    cost = names["squared_error"](names["MLP"](1, [1, 1, 1], "sigmoid", output="sigmoid", seed=3)([0.7]), 1.0)
    parameters = [p for p in names["gradients"](cost) if p.label.startswith("w")]
    sizes = {p.label: abs(g) for p, g in names["gradients"](cost).items() if p in parameters}
    assert sizes["w_00^(1)"] < sizes["w_00^(2)"] < sizes["w_00^(3)"]
    costs = names["costs"]
    assert costs[40] > 0.9 * costs[0]
    assert costs[80] < 0.1 * costs[0]


def test_02_what_two_examples_ask_of_the_last_weight_the_other_two_take_back(after):
    names = after(2, "costs.append", "what two of them ask of the last weight, the other two take back")
    start = names["start"]
    assert max(start[:2]) * max(start[2:]) < 0
    assert abs(sum(start)) / 4 < 0.2 * min(map(abs, start))


def test_02_the_slopes_grow_and_become_small_again(after):
    names = after(2, "for C_k", "the slopes grow, the cost falls fast")
    network, sizes = MLP(1, [1, 1, 1], "sigmoid", output="sigmoid", seed=3), []
    for _ in range(400):
        data = ((0.0, 0.0), (0.2, 0.0), (0.8, 1.0), (1.0, 1.0))
        cost = names["mean"]([squared_error(network([x]), y) for x, y in data])
        slopes = names["gradients"](cost, network.parameters())
        for p, slope in zip(network.parameters(), slopes):
            p.data -= 8.0 * slope
        sizes.append(abs(slopes[0]))
    assert max(sizes) > 10 * sizes[0]
    assert sizes[-1] < sizes[0]


def test_03_the_paths_are_as_many_as_its_printed_number(after):
    names = after(3, "deep = MLP")
    assert names["many"].count == 16**7


def test_04_the_later_contribution_survives_and_what_is_missing_came_too_late(after):
    names = after(4, "late = sum", "only the later one survives", "the sum of the products along the paths that came")
    wrong = names["walk"](names["topological_order"](names["C"]), add=False)
    h, u, right = names["h"], names["u"], names["right"]
    assert wrong[h] == pytest.approx(3 * (1 - u.data**2))  # through u, whose turn is later than that of the short way
    assert wrong[h] != right[h]
    assert names["late"] == pytest.approx(right[names["x"]] - names["walk"](names["order"])[names["x"]])


def test_05_newton_is_there_and_the_descent_is_not(after):
    names = after(5, "routes = {", "Newton's method leaps across the valley and is there")
    newton, descent = (np.linalg.norm(path[-1] - 1) for path in names["routes"].values())
    assert newton < 1e-6 < 0.1 < descent


def test_05_forwards_takes_a_pass_for_every_weight_and_backwards_one_for_all(after):
    names = after(5, "count_multiplications", "takes a pass for every weight; going backwards takes one for all")
    few, many = (
        names["count_multiplications"]((names["tanh"](names["weighted_sum"](w, [0.5] * n)) - 1) ** 2, w)
        for n in (10, 1000)
        for w in [[names["Value"](0.01 * i) for i in range(n)]]
    )
    assert many.forward == 100 * few.forward
    assert many.reverse - 1000 == few.reverse - 10


def test_06_some_maps_are_white_all_over(after):
    names = after(6, "plot_activations(model", "Some maps are white all over", "hardly any gradient is left")
    state = names["model"].state_dict()
    a = np.stack(np.meshgrid(np.linspace(-2, 3, 80), np.linspace(-1.5, 2, 80)), -1).reshape(-1, 2)
    off = 0
    for layer in range(2):
        a = np.maximum(0, a @ state[f"layers.{layer}.weight"].T + state[f"layers.{layer}.bias"])
        off += (a.max(axis=0) == 0).sum()
    assert off >= 1
    assert names["history"].cost[-1] < 0.01 * names["history"].cost[0]


def test_07_operations_curves_and_the_push_on_the_biases(after):
    names = after(7, "explain(C", "cost has 85 operations", "hardly better at those", "each by how wrong it was")
    assert sum(bool(v.parents) for v in topological_order(names["C"])) == 85
    assert len(names["model"].parameters()) == 2410
    history = names["history"]
    seen, unseen = history.cost, history.validation_cost
    assert unseen[-1] - seen[-1] > unseen[5] - seen[5]  # they part
    assert 1 - seen[-1] / seen[19] > 2 * (1 - unseen[-1] / unseen[19])
    assert names["sure"][~names["wrong"]].mean() > names["sure"][names["wrong"]].mean()
    assert names["before"] > 0.95 * math.log(10)
    biases = [neuron.b.grad for neuron in names["model"].layers[1].neurons]
    assert np.argmax(biases) == names["guess"]
    assert np.argmin(biases) == names["true"]
    assert min(biases) < 0 < max(biases)


def test_08_the_sigmoid_has_found_little_more_than_a_straight_line(after):
    linear = pytest.importorskip("sklearn.linear_model").LogisticRegression(C=1e6)
    names = after(8, "histories[name] = fit", "found little more than a straight line")
    right = {name: names["accuracy"](model, names["X"], names["y"]) for name, model in names["models"].items()}
    assert right["sigmoid"] <= linear.fit(names["X"], names["y"]).score(names["X"], names["y"]) + 0.03
    assert min(right["tanh"], right["relu"]) > 0.97


def test_08_slopes_and_signs(after):
    names = after(8, "health(models[name]", "nowhere above 1/4", "at least fifteen sixteenths away", "has neither")
    slopes = names["autograd"].compile(lambda z: names["autograd"].sigmoid(z)).value_and_grad(names["z"])[1]
    assert slopes.max() == 0.25
    rows = health(names["models"]["sigmoid"], names["X"]).rows
    assert not any(row["dead"] or row["saturated"] for row in rows[:-1])
    assert names["accuracy"](names["models"]["sigmoid"], names["X"], names["y"]) < 0.9
    ratio = {}
    for name, model in names["deep"].items():
        found = [
            r["gradient"] for r in health(model, names["X"][:20], names["y"][:20], names["binary_cross_entropy"]).rows
        ]
        ratio[name] = found[0] / found[-1]
    assert ratio["sigmoid"] < 0.001
    assert min(ratio["tanh"], ratio["relu"]) > 1


def test_09_three_cuts_enclose_and_two_leave_a_gap_and_a_line_has_three_corners(after):
    names = after(9, "def watch", "three cuts enclose", "the fence has a gap", "three of the four corners")
    right = lambda panel: accuracy(panel.model, panel.X, panel.y)  # noqa: E731
    watch = names["watch"]
    assert right(watch("circles", [3])) > 0.98
    assert right(watch("circles", [2])) < 0.9
    assert right(watch("xor", [8, 8, 8], activation="linear")) < 0.8
    assert right(watch("xor", [4])) > 0.98
    slow, good, fast = (np.array(watch("moons", [8, 8], lr=lr).cost) for lr in (0.001, 0.03, 1.0))
    assert (np.diff(slow) < 0).all()
    assert good[-1] < 0.1 * min(slow[-1], fast[-1])
    assert (np.diff(fast) > 0).sum() > 5 * (np.diff(good) > 0).sum()


def test_10_the_engine_refuses_in_the_same_words(after):
    after(10, "root = autograd.compile", "in the same words")
    with pytest.raises(ValueError, match="log is not defined") as eager:
        autograd.log(autograd.Value(-0.3, label="p"))
    with pytest.raises(ValueError, match="log is not defined") as compiled:
        autograd.compile(lambda p: autograd.log(p) / p)(np.array([0.5, -0.3]))
    assert str(compiled.value) == str(eager.value)


def test_11_calls_first_guess_and_what_is_left_to_win_below_the_entropy(after):
    names = after(11, "entropy = np.mean", "some hundred NumPy calls", "but for half a percent", "about four thousand")
    assert all(100 <= program.kernels < 200 for program in names["programs"].values())
    assert 3500 < len(names["layer"]) + names["table"].size < 4500
    assert names["costs"][0] == pytest.approx(math.log(16), rel=0.05)
    share = np.array([1 / (len(name) + 1) for name in names["names"]])  # of a name's surprise in the cost
    best = -np.mean(share * np.log(share / share.sum()))  # by Gibbs' inequality, at p proportional to the share
    assert best < names["entropy"] < best / 0.995
    assert np.mean(names["costs"][-50:]) > best
