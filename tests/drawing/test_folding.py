import random
import time

import nn
from autograd import Value, tanh
from autograd import sum as total
from autograd.drawing.folding import edges_between, fold


def cost_of(model, examples=1):
    rng = random.Random(0)
    costs = [(model([rng.random(), rng.random()]) - 1) ** 2 for _ in range(examples)]
    return total(costs) / examples if examples > 1 else costs[0]


def is_ordered(groups):
    return all(tail < head for tail, head in edges_between(groups))


def test_a_small_graph_is_not_folded():
    x = Value(1.0)
    groups = fold(tanh(x * x))
    assert [group.kind for group in groups] == ["value"] * 3


def test_a_network_of_337_parameters_folds_into_its_33_neurons():
    groups = fold(cost_of(nn.MLP(2, [16, 16, 1], seed=0)))
    assert [group.kind for group in groups].count("neuron") == 33
    assert len(groups) == 35  # and the two steps of the cost
    assert is_ordered(groups)


def test_a_neuron_holds_its_own_weights_bias_sum_and_activation():
    groups = fold(cost_of(nn.MLP(2, [3, 1], seed=0)), unfold="neurons")
    [second] = [group for group in groups if group.value.label == "a_1^(1)"]
    assert {value.label for value in second.members} == {"w_10^(1)", "w_11^(1)", "b_1^(1)", "z_1^(1)", "a_1^(1)"}


def test_neurons_with_two_digit_numbers_keep_their_own_weights():
    groups = fold(cost_of(nn.MLP(2, [12, 12, 1], seed=0)), unfold="neurons")
    [eleventh] = [group for group in groups if group.value.label == "a_11^(2)"]
    assert {value.label for value in eleventh.members} >= {f"w_11,{k}^(2)" for k in range(12)}
    assert len(eleventh.members) == 12 + 3


def test_layers_are_one_box_each():
    groups = fold(cost_of(nn.MLP(2, [16, 16, 1], seed=0)), unfold="layers")
    assert [group.name for group in groups if group.kind == "layer"] == ["(1)", "(2)", "(3)"]
    assert is_ordered(groups)


def test_the_same_step_of_a_hundred_examples_is_one_box():
    groups = fold(cost_of(nn.MLP(2, [16, 16, 1], seed=0), examples=100))
    assert [group.kind for group in groups] == ["neuron"] * 33 + ["alike"] * 2 + ["value"] * 2
    assert [len(group.members) for group in groups[33:]] == [100, 100, 1, 1]
    assert is_ordered(groups)


def test_neurons_written_out_by_hand_take_their_unlabelled_steps_with_them():
    w = [Value(0.5, label=f"w_0{k}^(1)") for k in range(3)]
    z = w[0] * 1.0 + w[1] * 2.0 + w[2] * 3.0
    z.label = "z_0^(1)"
    groups = fold(z, unfold="neurons")
    assert [len(group.members) for group in groups] == [8]


def test_every_value_is_in_exactly_one_group_and_the_cost_is_last():
    rng = random.Random(1)
    values = [Value(rng.random()) for _ in range(50)]
    for _ in range(500):
        values.append(rng.choice(values) * rng.choice(values))
    cost = total(values)
    for limit in (10, 100, 1000):
        groups = fold(cost, max_nodes=limit)
        members = [value for group in groups for value in group.members]
        assert len(members) == len(set(members)) == 551
        assert len(groups) <= limit
        assert groups[-1].value is cost
        assert is_ordered(groups)


def test_a_recurrent_layer_that_feeds_itself_is_folded_without_a_cycle():
    w, u, b = Value(0.5, label="w_0^(1)"), Value(0.3, label="w_1^(1)"), Value(0.1, label="b_0^(1)")
    other = Value(0.7, label="w_00^(2)")
    state = Value(0.0, label="h")
    for _ in range(60):
        a = tanh(w * state + u + b)
        a.label = "a_0^(1)"
        state = tanh(other * a)
        state.label = "a_0^(2)"
    for unfold in (None, "neurons", "layers"):
        assert is_ordered(fold(state, unfold=unfold, max_nodes=20))


def test_what_is_far_from_the_cost_becomes_one_box():
    v = Value(1.0)
    for _ in range(5000):
        v = v * 1.01
    groups = fold(v)
    assert groups[0].kind == "rest"
    assert len(groups) < 20
    assert sum(len(group.members) for group in groups) == 5001


def test_a_large_graph_is_folded_in_seconds():
    v = Value(1.0)
    for _ in range(10_000):
        v = v + 1.0
    start = time.process_time()
    for unfold in (None, "neurons", "layers"):
        assert len(fold(v, unfold=unfold)) <= 100
    assert time.process_time() - start < 20
