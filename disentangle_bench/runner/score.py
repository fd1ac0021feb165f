"""From stored codes to rows of numbers. No torch, no data set: a file of codes holds all that metrics need."""

from __future__ import annotations

import inspect
import time
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import catalog
from ..metrics._arrays import FACTOR_BINS, is_continuous
from ..metrics._metric import numbers

CLUSTERS = {"kmeans": "k-means on the codes, k = classes, 10 starts, seed 0", "own": "the model's own rule"}


@dataclass(frozen=True)
class CodeFile:
    """What `codes.npz` holds."""

    codes: np.ndarray  # (n, d)
    factors: np.ndarray  # (n, f)
    names: tuple[str, ...]  # of the factors
    label: str = ""  # the factor that is the class; empty if none
    clusters: np.ndarray | None = None  # (n,) the model's own assignment
    kind: str = "as given"  # or "mean", of the posterior
    sd: np.ndarray | None = None  # (n, d) of the posterior; None where there is none
    periods: np.ndarray | None = None  # (f,) after which a cyclic factor repeats; 0 for the others

    @property
    def cyclic(self) -> dict[int, float]:
        """Period by position among the factors that vary."""
        at = {} if self.periods is None else {i: float(self.periods[k]) for i, k in enumerate(counted(self))}
        return {i: period for i, period in at.items() if period > 0}


def read_codes(path: str | Path, factors: str | Path | None = None) -> CodeFile:
    """Codes from a .npz with `codes` (or `mean`) and `factors`, optional `names`, `label`, `clusters`, `sd`, `periods`.

    Factors may lie in a file of their own. Raises ValueError naming file and key when something is missing.
    """
    held = _arrays(path)
    if factors is not None:
        held["factors"] = _arrays(factors).get("factors", np.empty(0))
    kind = "as given" if "codes" in held else "mean"
    codes = held.pop("codes", held.pop("mean", None))
    if codes is None:
        raise ValueError(f"{path}: no array `codes` (or `mean`); it holds {', '.join(sorted(held)) or 'nothing'}")
    table = held.pop("factors", None)
    if table is None or table.ndim != 2 or not table.size:
        got = "" if table is None else f", got {table.shape}"
        raise ValueError(
            f"{factors or path}: no array `factors` of shape (n, f){got}; give one with --factors FILE.npz"
        )
    if "label" in held and held["label"].ndim:
        raise ValueError(f"{path}: `label` must be the name of the factor that is the class, got an array of labels")
    names = tuple(map(str, held.pop("names", [f"factor{i}" for i in range(table.shape[1])])))
    label, clusters = str(held.pop("label", "")), held.pop("clusters", None)
    if len(names) != table.shape[1]:
        raise ValueError(f"{path}: {len(names)} `names` for {table.shape[1]} columns of factors")
    if label and label not in names:
        raise ValueError(f"{path}: `label` is {label!r}, expected one of {', '.join(names)}")
    sd, periods = held.pop("sd", None), held.pop("periods", None)
    if sd is not None and sd.shape != codes.shape:
        raise ValueError(f"{path}: `sd` has shape {sd.shape}, the codes {codes.shape}")
    if sd is not None and (sd < 0).any():
        raise ValueError(f"{path}: `sd` must not be negative, got {sd.min():g}: are these logarithms?")
    if periods is not None and periods.shape != (table.shape[1],):
        raise ValueError(f"{path}: `periods` has shape {periods.shape}, expected one a factor, ({table.shape[1]},)")
    noisy = sd is not None and bool((sd > 0).all())
    return CodeFile(codes, table, names, label, clusters, kind, sd if noisy else None, periods)


def _arrays(path: str | Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except (OSError, ValueError, AttributeError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path}: expected a readable .npz file, got {type(error).__name__}") from None


def plan_rows(held: CodeFile, metrics: list[str], options: Mapping[str, Mapping[str, Any]]) -> list[Wanted]:
    """One entry a call that these codes allow: metrics of labels run once a source of clusters, variants once each.

    Metrics of posteriors need `sd`; metrics of several representations are no matter of one run.
    """
    wanted = []
    for name in metrics:
        function = catalog.get("metric", name)
        needs = {p.name for p in inspect.signature(function).parameters.values() if p.default is p.empty}
        if "clusters" in needs:
            if held.label:
                wanted += [Wanted(name, source, {}) for source in ["kmeans"] + ["own"] * (held.clusters is not None)]
        elif needs <= {"codes", "factors"} | ({"sd"} if held.sd is not None else set()):
            for variant, fixed in function.variants.items():
                unused = function.unused.get(variant, ())
                own = {key: value for key, value in options.get(name, {}).items() if key not in unused}
                wanted.append(Wanted(name, variant, {**own, **fixed}))
    return wanted


@dataclass(frozen=True)
class Wanted:
    """One call of a metric: its name, the variant (or source of clusters), and the keyword options."""

    metric: str
    variant: str
    options: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.metric}.{self.variant}" if self.variant else self.metric

    @property
    def of_clusters(self) -> bool:
        return "clusters" in inspect.signature(catalog.get("metric", self.metric)).parameters

    def convention(self, held: CodeFile) -> str:
        """In words: estimator, every option, split, mean or sample, factors counted."""
        function = catalog.get("metric", self.metric)
        parameters = inspect.signature(function).parameters
        defaults = {p.name: p.default for p in parameters.values() if p.kind is p.KEYWORD_ONLY}
        # what changes no number, or is told in words below
        hidden = {"undefined", "jobs", "cyclic", "test_codes", "test_factors", *function.unused.get(self.variant, ())}
        said = [f"{key}={value}" for key, value in {**defaults, **self.options}.items() if key not in hidden]
        if self.of_clusters:
            said += [f"clusters={CLUSTERS[self.variant]}", f"labels={held.label}"]
        else:
            said += ["split=2/3 to fit, 1/3 to test"] if "test_codes" in parameters and "split" not in hidden else []
            said.append(f"codes={held.kind}")
            names = [held.names[i] for i in counted(held)] if "factors" in parameters else []
            said += [f"factors={','.join(names)}"] if names else []
            if "cyclic" in parameters and "cyclic" not in function.unused.get(self.variant, ()):
                said += [f"cyclic={names[i]} (period {period:g})" for i, period in held.cyclic.items()]
            elif names and not self.options.get("factor_bins"):
                binned = [held.names[i] for i in counted(held) if is_continuous(held.factors[:, i])]
                said += [f"in {FACTOR_BINS} equal-width bins={','.join(binned)}"] if binned else []
        return "; ".join([function.estimators.get(self.variant, function.estimator), *said])


def counted(held: CodeFile) -> list[int]:
    """Columns of factors that vary; a factor with one value is left out, and the convention shows it."""
    return [i for i, column in enumerate(held.factors.T) if (column != column[0]).any()]


def compute(held: CodeFile, wanted: Wanted) -> list[dict[str, Any]]:
    """Rows of the score table (without `run`; `call` tells which call made them); a metric that fails is one row."""
    from threadpoolctl import threadpool_limits

    version = catalog.get("metric", wanted.metric).version
    same = {"call": wanted.name, "version": version, "n": len(held.codes), "convention": wanted.convention(held)}
    start, error = time.perf_counter(), ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with threadpool_limits(1):  # sums in one order: the same bits on any machine load
                parts = _parts(held, wanted)
        except Exception as problem:  # a stranger's codes or metric: the others must go on
            parts, error = {"": np.nan}, f"{type(problem).__name__}: {problem}"
    told = [str(w.message) for w in caught if issubclass(w.category, UserWarning)]
    if "factors" in inspect.signature(catalog.get("metric", wanted.metric)).parameters:
        told += [
            f"{name} has a single value and is left out" for i, name in enumerate(held.names) if i not in counted(held)
        ]
    same["warning"] = "; ".join(dict.fromkeys(told))
    same["seconds"] = (time.perf_counter() - start) / len(parts)
    return [
        {
            **same,
            "metric": f"{wanted.name}.{part}".rstrip("."),
            "value": None if np.isnan(value) else value,
            "error": error or ("" if not np.isnan(value) else same["warning"] or "undefined"),
        }
        for part, value in parts.items()
    ]


def _parts(held: CodeFile, wanted: Wanted) -> dict[str, float]:
    """Numbers by the name of their part; "" for a metric without parts."""
    function = catalog.get("metric", wanted.metric)
    parameters = inspect.signature(function).parameters
    if wanted.of_clusters:
        labels = held.factors[:, held.names.index(held.label)]
        clusters = held.clusters if wanted.variant == "own" else kmeans(held.codes, len(np.unique(labels)))
        result = function(labels, clusters)
    else:
        if "factors" in parameters and not counted(held):
            raise ValueError("factors: each has a single value, so there is nothing to find out about them")
        known = {"codes": held.codes, "sd": held.sd, "factors": held.factors[:, counted(held)], "cyclic": held.cyclic}
        known["undefined"] = "nan"  # a part without a meaning here is a row that says so
        result = function(**{**{k: v for k, v in known.items() if k in parameters}, **wanted.options})
    return numbers(result)


def kmeans(codes: np.ndarray, k: int) -> np.ndarray:
    """Clusters of codes: k-means with ten starts."""
    from sklearn.cluster import KMeans

    if not np.isfinite(codes).all():
        raise ValueError(f"codes must be finite, got {codes[~np.isfinite(codes)][0]}")
    if len(np.unique(codes, axis=0)) <= k:  # as many clusters as there are different codes
        return np.unique(codes, axis=0, return_inverse=True)[1].ravel()
    return KMeans(k, n_init=10, random_state=0).fit_predict(codes)  # pyright: ignore[reportArgumentType] (a stub's slip)


def fill(
    held: CodeFile,
    metrics: list[str],
    options: Mapping[str, Mapping[str, Any]],
    rows: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """The rows, with every wanted number computed that they lack, hold as an error, or under another convention."""
    kept = list(rows)
    for wanted in plan_rows(held, metrics, options):
        own = [row for row in kept if row["call"] == wanted.name]
        now = (catalog.get("metric", wanted.metric).version, wanted.convention(held))
        if not own or any((row["version"], row["convention"]) != now or row["error"] for row in own):
            kept = [row for row in kept if row["call"] != wanted.name] + compute(held, wanted)
    return kept


def fact(name: str, value: float, n: int, convention: str) -> dict[str, Any]:
    """A row for a number that training itself leaves."""
    return {
        "call": "training",
        "metric": name,
        "version": 1,
        "value": value,
        "seconds": 0.0,
        "n": n,
        "convention": convention,
        "warning": "",
        "error": "",
    }
