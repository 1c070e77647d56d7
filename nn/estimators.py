"""Estimators: networks of Values behind scikit-learn's interface, with the names and defaults of its own MLPs.

A notebook that uses `sklearn.neural_network` changes its import. What is gained is `.model_`: the network itself, which
`explain`, `draw`, `paths` and `play` take apart. Needs scikit-learn: `pip install 'glassgrad[scikit-learn]'`.
"""

from __future__ import annotations

import math
import numbers
import warnings
from typing import Any

import numpy as np

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.metrics import r2_score
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import LabelBinarizer
    from sklearn.utils import check_random_state, column_or_1d
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "MLPClassifier and MLPRegressor need scikit-learn 1.6 or newer: pip install 'glassgrad[scikit-learn]'"
    ) from error

import autograd
from autograd import Value, exp, log, maximum
from autograd.assigning import set_data
from nn.evaluation import predict
from nn.layers import ACTIVATIONS, MLP
from nn.losses import as_list, binary_cross_entropy, cross_entropy, l2_penalty
from nn.optimizers import SGD, Adam
from nn.training import fit

_NAMES = {"identity": "linear", "logistic": "sigmoid"}  # scikit-learn's name -> ours, where they differ
TINY = 1e-300  # y log y is 0 at y = 0
SMALLEST_RATE = 1e-6  # where learning_rate="adaptive" gives up


def half_squared_error(output: Any, target: Any) -> Any:
    """Half the sum of (a - y)^2 over the outputs: what scikit-learn's gradients are those of."""
    return 0.5 * autograd.sum([(a - y) ** 2 for a, y in zip(as_list(output), as_list(target), strict=True)])


def poisson_deviance(output: Any, target: Any) -> Any:
    """The sum over the outputs of exp(a) - y a + y log y - y: half the deviance of counts y whose mean is exp(a)."""
    both = zip(as_list(output), as_list(target), strict=True)
    return autograd.sum([exp(a) - y * a + y * log(maximum(y, TINY)) - y for a, y in both])


class _Perceptron(BaseEstimator):
    """What the classifier and the regressor share: the parameters, their check, and the training by `nn.fit`."""

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        max_fun: int = 15000,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun

    # What a subclass says: the loss of one example, and its targets as numbers

    def _loss(self, output: Any, target: Any) -> Any:
        raise NotImplementedError

    def _encoded(self, y: np.ndarray, first: bool) -> np.ndarray:
        raise NotImplementedError

    def _n_outputs(self, targets: np.ndarray) -> int:
        raise NotImplementedError

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train on X (n, d) and y; returns the estimator.

        Args:
            X: the examples, an array or a frame (n, d).
            y: their targets.
            sample_weight: how much each example counts, (n,).

        Raises:
            ValueError: for a parameter or data that cannot be used, before training starts.
        """
        fresh = not (self.warm_start and hasattr(self, "model_"))
        return self._train(X, y, sample_weight, fresh, self.max_iter)

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any) -> Any:
        if self.solver == "lbfgs":
            raise AttributeError("partial_fit needs a solver that goes step by step, 'adam' or 'sgd', not 'lbfgs'")
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True: it sees no data to hold out")
        return self._train(X, y, sample_weight, not hasattr(self, "model_"), None)

    def _train(self, X: Any, y: Any, sample_weight: Any, fresh: bool, epochs: int | None) -> Any:
        """Train for so many epochs; None: one more, with the optimizer as it is."""
        self._check_parameters()
        multi = {"multi_output": True, "dtype": np.float64, "y_numeric": isinstance(self, RegressorMixin)}
        X, y = validate_data(self, X, y, reset=fresh, **multi)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        targets = self._encoded(y, fresh or (epochs is not None and not self.warm_start))
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64)
        if weight is not None:
            if (weight < 0).any() or not weight.any():
                raise ValueError("sample_weight holds no negative numbers, and one above 0 at least")
            X, targets, weight = X[weight > 0], targets[weight > 0], weight[weight > 0]
        if fresh:
            self._start(X.shape[1], self._n_outputs(targets))
        if epochs is not None:
            self.n_iter_, self._optimizer = 0, self._new_optimizer()
        if self.solver == "lbfgs":
            self._minimise(X, targets, weight)
        else:
            self._descend(X, targets, weight, epochs)
        return self

    def _check_parameters(self) -> None:
        """Raise a ValueError for the first parameter that is out of its range."""
        for name, choices in (
            ("activation", (*_NAMES, *ACTIVATIONS)),
            ("solver", ("adam", "sgd", "lbfgs")),
            ("learning_rate", ("constant", "invscaling", "adaptive")),
        ):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} is one of {', '.join(choices)}, not {getattr(self, name)!r}")
        for name, low, high, whole in (
            ("alpha", 0, math.inf, False),
            ("learning_rate_init", 0, math.inf, False),
            ("power_t", 0, math.inf, False),
            ("max_iter", 1, math.inf, True),
            ("tol", -math.inf, math.inf, False),
            ("momentum", 0, 1, False),
            ("validation_fraction", 0, 1, False),
            ("beta_1", 0, 1, False),
            ("beta_2", 0, 1, False),
            ("epsilon", 0, math.inf, False),
            ("n_iter_no_change", 1, math.inf, False),
            ("max_fun", 1, math.inf, True),
        ):
            x: Any = getattr(self, name)
            if not is_real_number(x, whole) or not low <= x <= high:
                raise ValueError(f"{name} is {'a whole' if whole else 'a'} number from {low} to {high}, not {x!r}")
        if self.batch_size != "auto" and not (is_real_number(self.batch_size, True) and int(self.batch_size) > 0):
            raise ValueError(f"batch_size is 'auto' or a whole number above 0, not {self.batch_size!r}")
        sizes = np.atleast_1d(np.asarray(self.hidden_layer_sizes, object))
        if not all(is_real_number(size, True) and size > 0 for size in sizes.ravel().tolist()):
            raise ValueError(f"hidden_layer_sizes holds whole numbers above 0, not {self.hidden_layer_sizes!r}")

    def _start(self, n_in: int, n_out: int) -> None:
        """A new network, and nothing learned."""
        sizes = [int(size) for size in np.ravel(self.hidden_layer_sizes)]
        self._random = check_random_state(self.random_state)
        activation = _NAMES.get(self.activation, self.activation)
        self.model_ = MLP(n_in, [*sizes, n_out], activation, seed=int(self._random.randint(2**31 - 1)))
        self.n_outputs_, self.n_layers_ = n_out, len(sizes) + 2
        self.t_, self.n_iter_, self._unimproved = 0, 0, 0
        self.loss_curve_: list[float] = []
        self.best_loss_: float | None = math.inf
        self._optimizer = self._new_optimizer()
        if self.early_stopping:
            self.validation_scores_: list[float] | None = []
            self.best_validation_score_: float | None = -math.inf
            self.best_loss_ = None
        else:
            self.validation_scores_ = self.best_validation_score_ = None

    def _new_optimizer(self) -> Any:
        parameters, lr = self.model_.parameters(), self.learning_rate_init
        if self.solver == "sgd":
            nesterov = bool(self.nesterovs_momentum and self.momentum)
            return SGD(parameters, lr, momentum=self.momentum, nesterov=nesterov)
        return Adam(parameters, lr, betas=(self.beta_1, self.beta_2), eps=self.epsilon)

    def _penalty(self, examples: float) -> Any:
        """alpha / 2 times the sum of the squared weights (biases are free), over the number of examples of a step."""
        if not self.alpha:
            return None
        return lambda model: l2_penalty(_weights(model), self.alpha / 2 / examples)

    def _descend(self, X: np.ndarray, targets: np.ndarray, weight: Any, epochs: int | None) -> None:
        """Train by gradient descent, epoch by epoch."""
        held_out = None
        if self.early_stopping:
            X, targets, weight, held_out = self._split(X, targets, weight)
        size = min(200, len(X)) if self.batch_size == "auto" else int(self.batch_size)
        if size > len(X):
            warnings.warn(f"batch_size is {size}, the examples are {len(X)}: a batch holds all of them", stacklevel=4)
            size = len(X)
        watch = _Watch(self, len(X), held_out)
        history = fit(
            self.model_,
            X,
            targets,
            loss=self._loss,
            optimizer=self._optimizer,
            epochs=epochs or 1,
            batch_size=None if size == len(X) else size,
            penalty=self._penalty(size if weight is None else size * weight.mean()),
            sample_weight=weight,
            seed=int(self._random.randint(2**31 - 1)),
            shuffle=self.shuffle,
            progress=False,
            callbacks=[watch],
        )
        watch.finish()
        if history.stopped == "interrupted":
            warnings.warn("training was interrupted; the model is at its last complete step", stacklevel=4)
        elif history.stopped == "all epochs" and epochs is not None:
            message = f"training went through all of its {epochs} epochs (max_iter) and has not converged yet"
            warnings.warn(message, ConvergenceWarning, stacklevel=4)

    def _split(self, X: np.ndarray, targets: np.ndarray, weight: Any) -> tuple:
        """(X, targets, weight, (X, targets, weight) held out for early stopping)."""
        stratify = targets if isinstance(self, ClassifierMixin) and targets.ndim == 1 else None
        weights = [] if weight is None else [weight]
        parts = train_test_split(
            X, targets, *weights, test_size=self.validation_fraction, stratify=stratify, random_state=self._random
        )
        if len(parts[1]) < 2:
            raise ValueError("fewer than 2 examples are held out: raise validation_fraction, or give more data")
        left, held_out = parts[::2], parts[1::2]
        return left[0], left[1], left[2] if weights else None, (*held_out, None)[:3]

    def _minimise(self, X: np.ndarray, targets: np.ndarray, weight: Any) -> None:
        """Train by L-BFGS on all examples at once, with the gradient of the compiled program."""
        from scipy.optimize import minimize

        parameters = self.model_.parameters()
        classes = targets.ndim == 1 and self.n_outputs_ > 1
        rows = np.hstack([X, np.eye(self.n_outputs_)[targets] if classes else targets.reshape(len(X), -1)])
        x = [Value(number) for number in rows[0].tolist()]
        factor = Value(1.0)
        *inputs, y = [*x[: X.shape[1]], x[X.shape[1] :]]
        cost = factor * self._loss(self.model_(inputs), y if len(y) > 1 else y[0])
        weight = np.ones(len(X)) if weight is None else weight
        batch = np.column_stack([rows, weight / weight.mean()])
        program = autograd.compile(cost, wrt=parameters, inputs=[*x, factor])
        squared = np.array([p in self._regular() for p in parameters]) * (self.alpha / weight.sum())

        def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = program.value_and_grad(theta, batch)
            value += 0.5 * float(squared @ theta**2)
            self.loss_curve_.append(value)
            return value, gradient + squared * theta

        start = np.array([p.data for p in parameters])
        options = {"maxiter": self.max_iter, "maxfun": self.max_fun, "gtol": self.tol}
        found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
        set_data(parameters, found.x.tolist())
        self.n_iter_, self.loss_, self.best_loss_ = int(found.nit), float(found.fun), float(found.fun)
        self.t_ += len(X)
        if not found.success:
            warnings.warn(f"L-BFGS stopped before it converged: {found.message}", ConvergenceWarning, stacklevel=4)

    def _regular(self) -> set[Value]:
        return set(_weights(self.model_))

    def _outputs(self, X: Any) -> np.ndarray:
        """The network's raw outputs: (n,) for one output, else (n, n_outputs_)."""
        check_is_fitted(self, "model_")
        return predict(self.model_, validate_data(self, X, reset=False, dtype=np.float64))

    @property
    def coefs_(self) -> list[np.ndarray]:
        """The weights, layer by layer, each (n_in, n_out) as in scikit-learn."""
        return [_numbers([neuron.w for neuron in layer.neurons]).T for layer in self.model_.layers]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """The biases, layer by layer, each (n_out,)."""
        return [_numbers([neuron.b for neuron in layer.neurons]) for layer in self.model_.layers]


class _Watch:
    """A callback: the curves, and whether training goes on."""

    def __init__(self, estimator: Any, examples: int, held_out: Any):
        self.estimator, self.examples, self.held_out = estimator, examples, held_out
        self.best: dict[str, np.ndarray] | None = None

    def __call__(self, epoch: int, history: Any, model: MLP) -> bool:
        it = self.estimator
        it.n_iter_ += 1
        it.t_ += self.examples
        it.loss_ = history.cost[-1]
        it.loss_curve_.append(it.loss_)
        if it.verbose:
            print(f"Iteration {it.n_iter_}, loss = {it.loss_:.8f}")
        it._unimproved = it._unimproved + 1 if not self.improved(model) else 0
        if it.solver == "sgd" and it.learning_rate == "invscaling":
            it._optimizer.lr = it.learning_rate_init / (it.t_ + 1) ** it.power_t
        if it._unimproved <= it.n_iter_no_change:
            return False
        if it.solver == "sgd" and it.learning_rate == "adaptive" and it._optimizer.lr > SMALLEST_RATE:
            it._optimizer.lr /= 5
            it._unimproved = 0
            return False
        if it.verbose:
            print(f"No improvement by more than tol={it.tol} in {it.n_iter_no_change} epochs. Stopping.")
        return True

    def improved(self, model: MLP) -> bool:
        """Whether the epoch is better than the best before it, by tol; keeps what is best."""
        it = self.estimator
        if self.held_out is None:
            better = not it.loss_ > it.best_loss_ - it.tol
            it.best_loss_ = min(it.best_loss_, it.loss_)
            return better
        X, targets, weight = self.held_out
        score = it._held_out_score(predict(model, X), targets, weight)
        it.validation_scores_.append(score)
        better = not score < it.best_validation_score_ + it.tol
        if score > it.best_validation_score_:
            it.best_validation_score_, self.best = score, model.state_dict()
        return better

    def finish(self) -> None:
        """Go back to the best epoch, if some data were held out to find it."""
        if self.best is not None:
            self.estimator.model_.load_state_dict(self.best)


class MLPClassifier(ClassifierMixin, _Perceptron):
    """A multilayer perceptron that classifies, with the names and defaults of scikit-learn's `MLPClassifier`.

    Args as there; `activation` may also be any activation of `nn.MLP`. After `fit`:

    Attributes:
        model_: the network, an `nn.MLP` of Values: one output for two classes, else one a class; logits.
        classes_: the class labels (n_classes,).
        coefs_, intercepts_: its weights (n_in, n_out) and biases (n_out,), layer by layer.
        loss_, loss_curve_, best_loss_, validation_scores_, n_iter_, t_: as in scikit-learn.

    >>> from nn import MLPClassifier, moons
    >>> X, y = moons(100, seed=0)
    >>> classifier = MLPClassifier([8], "tanh", solver="lbfgs", max_iter=2000, random_state=0).fit(X, y)
    >>> classifier.score(X, y) > 0.95, classifier.model_
    (True, MLP(2, [8, 1], activation='tanh', output='linear'))
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Any:
        """Train for one epoch more. The first call names all `classes` (n_classes,) that will ever come."""
        if not hasattr(self, "classes_"):
            if classes is None:
                raise ValueError("the first call of partial_fit names all classes: partial_fit(X, y, classes=...)")
            self._announce(y if type_of_target(y).startswith("multilabel") else classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes={classes!r} is not the same as on the last call: {self.classes_!r}")
        return self._partial_fit(X, y, sample_weight)

    def _announce(self, y: Any) -> None:
        self._binarizer = LabelBinarizer().fit(y)
        self.classes_ = self._binarizer.classes_

    def _encoded(self, y: np.ndarray, first: bool) -> np.ndarray:
        check_classification_targets(y)
        announced = hasattr(self, "classes_")
        if first and not (announced and not hasattr(self, "model_")):
            self._announce(y)
        elif not self._is_multilabel():
            found = np.unique(y)
            strange = np.setdiff1d(found, self.classes_)
            if len(strange) or (self.warm_start and hasattr(self, "model_") and len(found) < len(self.classes_)):
                raise ValueError(f"y holds the classes {found}, the network was made for {self.classes_}")
        if self._is_multilabel():
            return self._binarizer.transform(y).astype(float)
        index = np.searchsorted(self.classes_, y)
        return index if len(self.classes_) > 2 else index.astype(float)

    def _is_multilabel(self) -> bool:
        return self._binarizer.y_type_.startswith("multilabel")

    def _n_outputs(self, targets: np.ndarray) -> int:
        return len(self.classes_) if self._is_multilabel() or len(self.classes_) > 2 else 1

    def _loss(self, output: Any, target: Any) -> Any:
        if self.n_outputs_ > 1 and not self._is_multilabel():
            return cross_entropy(output, target)
        return self.n_outputs_ * binary_cross_entropy(output, target)  # summed over the labels, as scikit-learn does

    def _decided(self, outputs: np.ndarray) -> np.ndarray:
        """Class indices (n,) of raw outputs; of several labels 0 and 1 (n, n_labels)."""
        if self.n_outputs_ > 1 and not self._is_multilabel():
            return outputs.argmax(axis=1)
        return (outputs > 0).astype(int) if len(self.classes_) > 1 else np.zeros(len(outputs), int)

    def _held_out_score(self, outputs: np.ndarray, targets: np.ndarray, weight: Any) -> float:
        right = self._decided(outputs) == targets
        return float(np.average(right if right.ndim == 1 else right.all(axis=1), weights=weight))

    def predict(self, X: Any) -> np.ndarray:
        """The class of each row of X (n, d), (n,); for several labels 0 and 1, (n, n_labels)."""
        decided = self._decided(self._outputs(X))
        return decided if self._is_multilabel() else self.classes_[decided]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class (n, n_classes), in the order of `classes_`."""
        return np.exp(self.predict_log_proba(X))

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithm of `predict_proba`, without a loss of digits."""
        a = self._outputs(X)
        if self.n_outputs_ > 1 and not self._is_multilabel():
            top = a.max(axis=1, keepdims=True)
            return a - top - np.log(np.exp(a - top).sum(axis=1, keepdims=True))
        if a.ndim == 2:
            return -np.logaddexp(0.0, -a)
        both = np.column_stack([-np.logaddexp(0.0, a), -np.logaddexp(0.0, -a)])
        return both if len(self.classes_) > 1 else np.zeros((len(a), 1))


class MLPRegressor(RegressorMixin, _Perceptron):
    """A multilayer perceptron that predicts numbers, with the names and defaults of scikit-learn's `MLPRegressor`.

    Args as there: `loss` is "squared_error" or "poisson". Attributes as those of `MLPClassifier`, without `classes_`.

    >>> from nn import MLPRegressor, line
    >>> X, y = line(50, noise=0.0, seed=0)
    >>> regressor = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0.0, random_state=0).fit(X, y)
    >>> [round(float(w), 2) for w in (regressor.coefs_[0][0, 0], regressor.intercepts_[0][0])]
    [2.0, -1.0]
    """

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        max_fun: int = 15000,
    ):
        super().__init__(
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
        )
        self.loss = loss

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train for one epoch more."""
        return self._partial_fit(X, y, sample_weight)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.loss not in ("squared_error", "poisson"):
            raise ValueError(f"loss is 'squared_error' or 'poisson', not {self.loss!r}")

    def _encoded(self, y: np.ndarray, first: bool) -> np.ndarray:
        y = y.astype(float)
        if not first and (y.shape[1] if y.ndim == 2 else 1) != self.n_outputs_:
            raise ValueError(f"y has shape {y.shape}, the network {self.n_outputs_} outputs")
        if self.loss == "poisson" and (y < 0).any():
            raise ValueError("loss='poisson' takes counts: no target is below 0")
        return y

    def _n_outputs(self, targets: np.ndarray) -> int:
        return targets.shape[1] if targets.ndim == 2 else 1

    def _loss(self, output: Any, target: Any) -> Any:
        return (poisson_deviance if self.loss == "poisson" else half_squared_error)(output, target)

    def _held_out_score(self, outputs: np.ndarray, targets: np.ndarray, weight: Any) -> float:
        return float(r2_score(targets, self._meant(outputs), sample_weight=weight))

    def _meant(self, outputs: np.ndarray) -> np.ndarray:
        return np.exp(outputs) if self.loss == "poisson" else outputs

    def predict(self, X: Any) -> np.ndarray:
        """The prediction for each row of X (n, d): (n,), or (n, n_outputs) if y had two dimensions."""
        return self._meant(self._outputs(X))


def is_real_number(x: object, whole: bool) -> bool:
    """Whether x is a real number, or a whole one; a bool is neither."""
    return isinstance(x, numbers.Integral if whole else numbers.Real) and not isinstance(x, bool)


def _weights(model: MLP) -> list[Value]:
    return [w for layer in model.layers for neuron in layer.neurons for w in neuron.w]


def _numbers(values: Any) -> np.ndarray:
    return np.vectorize(lambda p: p.data, otypes=[float])(np.array(values, object))
