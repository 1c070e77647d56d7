"""python -m nn: a tour in a few seconds.

An expression is differentiated, two networks learn, their graphs are drawn.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from autograd import Value, draw, explain, play, tanh
from nn import (
    IRIS_CLASSES,
    MLP,
    Adam,
    accuracy,
    confusion_matrix,
    cosine_decay,
    cross_entropy,
    fit,
    hinge,
    iris,
    moons,
    predict,
    save,
    standardize,
    summary,
    train_test_split,
)


def main(arguments: list[str] | None = None) -> None:
    """Run the tour."""
    parser = argparse.ArgumentParser(
        prog="python -m nn",
        description="A tour of glassgrad: differentiate an expression and show the chain rule in numbers, train a "
        "network on the Iris flowers and one on two moons, draw the graphs. It takes less than twenty seconds.",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="what weights, splits and batches are drawn from (default: 0)"
    )
    parser.add_argument("--out", type=Path, default=Path("out"), help="the folder to write to (default: out)")
    options = parser.parse_args(arguments)
    if options.seed < 0:
        parser.error("a seed is at least 0")
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"cannot write to {options.out}: {error.strerror}")

    C = tour_of_an_expression()
    model, flower = learn_iris(options.seed, options.out)
    learn_moons(options.seed)

    heading("Pictures")
    a = model.layers[0].neurons[0]([Value(number, label=f"x_{k}") for k, number in enumerate(flower)])
    a.backward()
    files = {
        "expression.svg": ("the graph of C, a gradient in each box and a local derivative on each edge", draw(C)),
        "neuron.svg": ("one neuron of the Iris network: four inputs, z and a", draw(a)),
        "backprop.html": ("the backward pass of C, step by step, and a slider for every leaf", play(C)),
    }
    for name, (_, picture) in files.items():
        picture.save(options.out / name)
    for name, (description, _) in files.items():
        print(f"  {options.out / name}: {description}")
    print(f"  {options.out / 'iris.json'}: the Iris network, which nn.load makes a model of again")

    heading("What to try next")
    page = (options.out / "backprop.html").resolve().as_uri()
    python = os.path.relpath(sys.executable)  # as it was called in a virtual environment beside the files
    python = sys.executable if python.startswith("..") else python
    own = "from autograd import *; w, x = Value(2.0, 'w'), Value(0.3, 'x'); print(explain(tanh(w * x) ** 2, w))"
    print("  step through the backward pass in a browser, with the right arrow, and move a leaf:")
    print(f"    {python} -m webbrowser {page}")
    print("  have a derivative of your own explained:")
    print(f'    {python} -c "{own}"')
    print("  train from other weights, on other batches, to about the same accuracy:")
    print(f"    {python} -m nn --seed {options.seed + 1}")


def tour_of_an_expression() -> Value:
    """C = (tanh(w*x + b) - y)**2, its gradient, and the factors of dC/dw, each beside a finite difference."""
    heading("An expression: C = (tanh(w*x + b) - y)**2")
    w, x, b, y = (Value(number, label=name) for name, number in (("w", 0.8), ("x", 1.5), ("b", -0.5), ("y", 1.0)))

    def cost(w: Any) -> tuple[Any, ...]:
        z = w * x + b
        a = tanh(z)
        return w, z, a, (a - y) ** 2

    _, z, a, C = cost(w)
    z.label, a.label, C.label = "z", "a", "C"
    C.backward()
    print(inset(explain(C, w).text))
    gradient = ", ".join(f"dC/d{leaf.label} = {leaf.grad:.6f}" for leaf in (w, x, b, y))
    print(f"\n  the gradient: {gradient}")

    # each factor beside the ratio of two small changes, and their product beside that of C and w
    h = 1e-6
    up, down = cost(w.data + h), cost(w.data - h)
    print(f"\n  {'':24}backpropagation     w nudged by +-{h:g}")
    for i, factor in enumerate(explain(C, w).factors):
        ratio = (up[i + 1] - down[i + 1]) / (up[i] - down[i])
        print(f"  {factor.name:24}{factor.value:15.9f}{ratio:23.9f}")
    print(f"  {'their product, dC/dw':24}{w.grad:15.9f}{(up[3] - down[3]) / (up[0] - down[0]):23.9f}")
    return C


def learn_iris(seed: int, out: Path) -> tuple[MLP, list[float]]:
    """Train a network on two thirds of the Iris flowers, and judge it by the others: (the network, a flower)."""
    heading("Iris: 150 flowers, 4 measurements, 3 species")
    X, y = iris()
    X_train, X_test, y_train, y_test = train_test_split(X, y, test=50, seed=seed, stratify=True)
    X_train, X_test = standardize(X_train, X_test)
    model = MLP(4, [8, 3], "tanh", seed=seed)
    print(inset(summary(model)))
    optimizer = Adam(model.parameters(), lr=cosine_decay(0.02, steps=60 * 10))
    history = fit(model, X_train, y_train, loss=cross_entropy, optimizer=optimizer, epochs=60, batch_size=10, seed=seed)
    print(f"  cost: {falling(history.cost)}")
    print(f"  accuracy: {accuracy(model, X_train, y_train):.1%} of the {len(y_train)} flowers it was trained on,")
    print(f"            {accuracy(model, X_test, y_test):.1%} of the {len(y_test)} held out, which it takes for")
    print(f"  {'':14}" + "".join(f"{name:>12}" for name in IRIS_CLASSES))
    for name, row in zip(IRIS_CLASSES, confusion_matrix(model, X_test, y_test).tolist()):
        print(f"  {name:>14}" + "".join(f"{number or '.':>12}" for number in row))
    save(model, out / "iris.json")
    return model, X_train[0].tolist()


def learn_moons(seed: int) -> None:
    """Train a network to tell two moons apart, and print what it makes of the plane."""
    heading("Two moons: 100 points in the plane, 337 parameters")
    X, y = moons(100, seed=seed)
    model = MLP(2, [16, 16, 1], "relu", seed=seed)
    history = fit(model, X, 2 * y - 1, loss=hinge, optimizer=Adam(model.parameters(), lr=0.02), epochs=120, seed=seed)
    print(f"  hinge cost, 0 once each point lies beyond its margin: {falling(history.cost)}")
    X_new, y_new = moons(400, seed=seed + 1)
    known, new = accuracy(model, X, y), accuracy(model, X_new, y_new)
    print(f"  accuracy: {known:.1%} of the 100 points, {new:.1%} of 400 new ones\n")
    columns, rows = 62, 18
    (left, bottom), (end, top) = X.min(axis=0) - 0.2, X.max(axis=0) + 0.2
    across = [left + (end - left) * j / (columns - 1) for j in range(columns)]
    down = [top - (top - bottom) * i / (rows - 1) for i in range(rows)]
    outputs = predict(model, [[x, height] for height in down for x in across]).reshape(rows, columns)
    picture = [["+" if a > 0 else "." for a in line] for line in outputs.tolist()]
    for (x, height), k in zip(X.tolist(), y.tolist()):
        i, j = round((top - height) / (top - bottom) * (rows - 1)), round((x - left) / (end - left) * (columns - 1))
        picture[i][j] = "O#"[k]
    print("\n".join("  " + "".join(line) for line in picture))
    print("  O and # are the points of the two moons, . and + what the network takes each place for")


def falling(cost: list[float]) -> str:
    """A cost at five moments of the training."""
    moments = [round(i * (len(cost) - 1) / 4) for i in range(5)]
    return ", ".join(f"{cost[i]:.4f} (epoch {i + 1})" for i in moments)


def heading(text: str) -> None:
    """Print a heading, and what was printed before it at once."""
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def inset(text: str) -> str:
    """A text, two columns further right."""
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())


if __name__ == "__main__":
    main()
