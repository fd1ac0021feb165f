"""Fitting scikit-learn's linear classifiers as a measuring instrument."""

from __future__ import annotations

import warnings
from typing import Any

from numpy.typing import NDArray


def fit(classifier: Any, x: NDArray, y: NDArray) -> Any:
    """The classifier, fitted, silent about convergence: its iteration limit is part of the metric's definition."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)  # few rows: the user's choice
        return classifier.fit(x, y)
