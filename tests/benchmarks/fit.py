"""Whole calls of `fit`, compiling included, beside scikit-learn's MLPClassifier on the same work, on one thread.

    pip install -e '.[benchmark]' scikit-learn
    python tests/benchmarks/fit.py

Both make the network, draw its weights and train it by Adam for as many epochs, in turns; a row prints the best time of
each and how many times as long ours took. Part of ours is compiling, which takes as long for one epoch as for many.
"""

import os

for _threads in ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM", "NUMEXPR"):
    os.environ[f"{_threads}_NUM_THREADS"] = "1"

import argparse  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402

import numpy as np  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402

from nn import MLP, Adam, cross_entropy, digits, fit  # noqa: E402

ROUNDS = 5


def random_images():
    """As many numbers and classes as of 10,000 images of MNIST."""
    rng = np.random.default_rng(0)
    return rng.random((10_000, 784)), rng.integers(0, 10, 10_000)


ROWS = {
    "digits, 64-32-10, batches of 64, 20 epochs": (digits, 32, 64, 20),
    "digits, 64-100-10, batches of 200, 20 epochs": (digits, 100, 200, 20),
    "10,000 x 784, 784-64-10, batches of 128, 10 epochs": (random_images, 64, 128, 10),
}


def ours(X, y, hidden, batch, epochs):
    """Our network, trained."""
    model = MLP(X.shape[1], [hidden, 10], seed=0)
    optimizer = Adam(model.parameters())
    fit(model, X, y, loss=cross_entropy, optimizer=optimizer, epochs=epochs, batch_size=batch, progress=False)


def theirs(X, y, hidden, batch, epochs):
    """scikit-learn's, for as many epochs whatever it learns."""
    settings = {"tol": 0.0, "n_iter_no_change": epochs + 1, "random_state": 0}
    MLPClassifier((hidden,), batch_size=batch, max_iter=epochs, **settings).fit(X, y)


def seconds(train, *work):
    """How long a training takes."""
    start = time.perf_counter()
    train(*work)
    return time.perf_counter() - start


def main():
    """Run the rows whose names hold one of the given words."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="rows to run (default: all)")
    words = parser.parse_args().words
    warnings.simplefilter("ignore", ConvergenceWarning)
    for name, (data, *settings) in ROWS.items():
        if words and not any(word in name for word in words):
            continue
        work = (*data(), *settings)
        times = [(seconds(ours, *work), seconds(theirs, *work)) for _ in range(ROUNDS)]
        mine, peer = (min(column) for column in zip(*times))
        print(f"{name}: fit {mine:.3f} s, MLPClassifier {peer:.3f} s, {mine / peer:.2f} times as long")


if __name__ == "__main__":
    main()
