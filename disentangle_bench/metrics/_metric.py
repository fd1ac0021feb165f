"""What a metric says about itself: attributes on a function that is otherwise left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable)


def metric(
    *,
    estimator: str,
    version: int = 1,
    bounds: tuple[float, float] = (0.0, 1.0),
    best: float | None = 1.0,
    variants: dict[str, dict] | None = None,
    estimators: dict[str, str] | None = None,
    unused: dict[str, tuple[str, ...]] | None = None,
) -> Callable[[F], F]:
    """Decorator that returns the function unchanged, with these attributes.

    Parameters
    ----------
    estimator : the convention in one short phrase; it names the number beside its value in a table of results
    version : raised when the meaning of the number changes
    bounds : lowest and highest possible value of the metric, or of each field if it returns a NamedTuple
    best : the value that no representation can beat, None if neither end is better
    variants : options of each definition that goes by this name, by the suffix of its row; by default one without
    unused : by suffix, the options ("split" for the split of rows) that have no part in that definition; an entry in
        `estimators` is its own phrase
    """

    def mark(function: F) -> F:
        said = {"estimator": estimator, "version": version, "bounds": bounds, "best": best}
        vars(function).update(said, variants=variants or {"": {}}, estimators=estimators or {}, unused=unused or {})
        return function

    return mark


def numbers(result: Any) -> dict[str, float]:
    """The numbers of what a metric returned by the name of their part: "" for a lone float; matrices are left out."""
    parts = result._asdict() if hasattr(result, "_asdict") else {"": result}
    return {name: float(value) for name, value in parts.items() if not hasattr(value, "shape") or value.shape == ()}
