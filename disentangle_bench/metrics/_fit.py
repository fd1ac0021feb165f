"""Fitting scikit-learn's linear classifiers as a measuring instrument."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray


def fit(classifier: Any, x: NDArray, y: NDArray) -> Any:
    """The classifier, fitted, silent about convergence: its iteration limit is part of the metric's definition."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)  # few rows: the user's choice
        return classifier.fit(x, y)


def check_classifier(name: str, known: tuple[str, ...]) -> None:
    """Refuse a `classifier` that is none of those."""
    if name not in known:
        raise ValueError(f"classifier must be {', '.join(map(repr, known[:-1]))} or {known[-1]!r}, got {name!r}")


def probabilities(
    x: NDArray, y: NDArray, test_x: NDArray, classifier: str, *, balanced: bool = False
) -> tuple[NDArray, NDArray]:
    """The classes of y, and their probability in each test row, (n_test, classes), by logistic regression.

    Always scikit-learn's, L2 with C = 1. "softmax": one model. "one-vs-rest": a binary model a class whose intercept
    is penalised, too (liblinear); "free one-vs-rest": whose intercept is not. Both divide probabilities by their sum
    over the classes; "binary" is the latter undivided. `balanced` gives all classes of a model the same weight.
    """
    weight: Any = "balanced" if balanced else None
    if classifier == "softmax":
        model = fit(_regression(class_weight=weight), x, y)
        return model.classes_, model.predict_proba(test_x)
    solver = "liblinear" if classifier == "one-vs-rest" else "lbfgs"
    classes = np.unique(y)
    models = [fit(_regression(solver=solver, class_weight=weight), x, y == label) for label in classes]
    p = np.stack([model.predict_proba(test_x)[:, 1] for model in models], axis=1)
    if classifier == "binary":
        return classes, p
    total = p.sum(axis=1, keepdims=True)
    return classes, np.divide(p, total, out=np.zeros_like(p), where=total > 0)


def predicted(x: NDArray, y: NDArray, test_x: NDArray, classifier: str) -> NDArray:
    """The most likely class of each test row, by "softmax" or "one-vs-rest" as in `probabilities`."""
    if classifier == "softmax":
        return fit(_regression(), x, y).predict(test_x)
    classes = np.unique(y)
    models = [fit(_regression(solver="liblinear"), x, y == label) for label in classes]
    return classes[np.argmax([model.decision_function(test_x) for model in models], axis=0)]


def _regression(**options: Any) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(random_state=0, **options)


def standardised(fitted: NDArray, *others: NDArray) -> list[NDArray]:
    """Arrays (., c) less the first one's means and over its standard deviations; columns constant there become 0."""
    mean, deviation = fitted.mean(axis=0), fitted.std(axis=0)
    active = (np.ptp(fitted, axis=0) > 0) & (deviation > 0)
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=active)
    return [(array - mean) * scale for array in (fitted, *others)]


def from_0_to_1(fitted: NDArray, *others: NDArray) -> list[NDArray]:
    """Arrays (., c) so scaled that the first one's columns go from 0 to 1; columns constant there become 0."""
    low, size = fitted.min(axis=0), np.ptp(fitted, axis=0)
    scale = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
    return [(array - low) * scale for array in (fitted, *others)]
