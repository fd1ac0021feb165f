"""From stored codes to rows of numbers. No torch, no data set: a file of codes holds all that metrics need."""

from __future__ import annotations

import inspect
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import catalog
from ..metrics._arrays import FACTOR_BINS, is_continuous
from ..metrics._inputs import Undefined
from ..metrics._metric import numbers
from ..schema import ALL, UNDEFINED, broken, named
from . import splits
from .codes import CodeFile, chosen, counted

CLUSTERS = {"kmeans": "k-means on the codes, k = classes, 10 starts, seed 0", "own": "the model's own rule"}

FACTS = {
    "reconstruction": "-log p(x | mode of the posterior), Bernoulli, nats an image",
    "kl": "KL of the posterior to the prior, unweighted, a mixture by its chain-rule bound, nats an image",
    "used_units": "units whose mean KL is above 0.01 nats; a mixture counts as one unit",
}


def plan_rows(
    held: CodeFile, metrics: list[str], options: Mapping[str, Mapping[str, Any]], blocks: Iterable[str] = ()
) -> list[Wanted]:
    """One entry a call that these codes allow: metrics of labels run once a source of clusters, variants once each.

    All of that on all units, then on each of the `blocks` (see `codes.words`) that these codes have. Metrics of
    posteriors need noise in every unit; metrics of several representations are no matter of one run.
    """
    each = [ALL, *chosen(blocks, held.blocks)]
    return [wanted for block in each for wanted in _calls(held.part(block), block, metrics, options)]


def _calls(held: CodeFile, block: str, metrics: list[str], options: Mapping[str, Mapping[str, Any]]) -> list[Wanted]:
    wanted = []
    for name in metrics:
        function = catalog.get("metric", name)
        needs = {p.name for p in inspect.signature(function).parameters.values() if p.default is p.empty}
        if "clusters" in needs:
            if held.label:
                sources = ["kmeans"] + ["own"] * (held.clusters is not None)
                wanted += [Wanted(name, source, {}, block) for source in sources]
        elif needs <= {"codes", "factors"} | ({"sd"} if held.noise is not None else set()):
            for variant, fixed in function.variants.items():
                unused = function.unused.get(variant, ())
                own = {key: value for key, value in options.get(name, {}).items() if key not in unused}
                wanted.append(Wanted(name, variant, {**own, **fixed}, block))
    return wanted


@dataclass(frozen=True)
class Wanted:
    """One call of a metric: its name, the variant (or source of clusters), the keyword options, the block of codes."""

    metric: str
    variant: str
    options: dict[str, Any]
    block: str = ALL

    @property
    def name(self) -> str:
        return f"{self.metric}.{self.variant}" if self.variant else self.metric

    @property
    def call(self) -> str:
        return named(self.name, self.block)

    @property
    def of_clusters(self) -> bool:
        return "clusters" in inspect.signature(catalog.get("metric", self.metric)).parameters

    def convention(self, held: CodeFile) -> str:
        """In words: estimator, every option, split, mean or sample, block, factors counted, images of a shift."""
        held = held.part(self.block)
        function = catalog.get("metric", self.metric)
        parameters = inspect.signature(function).parameters
        defaults = {p.name: p.default for p in parameters.values() if p.kind is p.KEYWORD_ONLY}
        # what changes no number, or is told in words below
        hidden = {"undefined", "jobs", "cyclic", "test_codes", "test_factors", *function.unused.get(self.variant, ())}
        said = [f"{key}={value}" for key, value in {**defaults, **self.options}.items() if key not in hidden]
        if self.of_clusters:
            said += [f"clusters={CLUSTERS[self.variant]}", f"labels={held.label}"]
            said += [f"codes={held.kind}"] if self.block != ALL else []
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
        said += [images] if (images := splits.images(held.split, held.shift)) else []
        return "; ".join([function.estimators.get(self.variant, function.estimator), *said])


def compute(held: CodeFile, wanted: Wanted) -> list[dict[str, Any]]:
    """Rows of the score table (without `run`; `call` tells which call made them); a metric that fails is one row."""
    from threadpoolctl import threadpool_limits

    version = catalog.get("metric", wanted.metric).version
    same = {"call": wanted.call, "block": wanted.block, "split": held.split, "version": version, "n": len(held.codes)}
    same["convention"] = wanted.convention(held)
    start, error = time.perf_counter(), ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with threadpool_limits(1):  # sums in one order: the same bits on any machine load
                parts = _parts(held.part(wanted.block), wanted)
        except Undefined as problem:
            parts, error = {"": np.nan}, f"{UNDEFINED}: {problem}"
        except Exception as problem:  # a stranger's codes or metric: the others must go on
            too_little = isinstance(problem, ValueError) and held.split != ALL  # of a part of the images, as may be
            parts, error = {"": np.nan}, f"{UNDEFINED if too_little else type(problem).__name__}: {problem}"
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
            "error": error or ("" if not np.isnan(value) else f"{UNDEFINED}: {same['warning']}".rstrip(": ")),
        }
        for part, value in parts.items()
    ]


def _parts(held: CodeFile, wanted: Wanted) -> dict[str, float]:
    """Numbers by the name of their part; "" for a metric without parts."""
    function = catalog.get("metric", wanted.metric)
    parameters = inspect.signature(function).parameters
    if wanted.of_clusters:
        labels = held.factors[:, held.names.index(held.label)]
        if (labels == labels[0]).all():
            raise Undefined(f"labels: {held.label} has a single value, so that any clusters would do")
        clusters = held.clusters if wanted.variant == "own" else kmeans(held.codes, len(np.unique(labels)))
        result = function(labels, clusters)
    else:
        if "factors" in parameters and not counted(held):
            raise ValueError("factors: each has a single value, so there is nothing to find out about them")
        known: dict[str, Any] = {
            "codes": held.codes,
            "sd": held.noise,
            "factors": held.factors[:, counted(held)],
            "cyclic": held.cyclic,
        }
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
    return KMeans(k, n_init=10, random_state=0).fit_predict(codes)


def fill(
    held: CodeFile,
    metrics: list[str],
    options: Mapping[str, Mapping[str, Any]],
    rows: list[dict[str, Any]],
    blocks: Iterable[str] = (),
    watch: Callable[[str, float], None] = lambda name, share: None,
) -> list[dict[str, Any]]:
    """The rows of one file of codes, with every wanted number computed that they lack, hold as a failure, or under
    another convention. `watch` is told the name of each and the share of them that came before."""
    kept, calls = list(rows), plan_rows(held, metrics, options, blocks)
    for i, wanted in enumerate(calls):
        watch(wanted.name, i / len(calls))
        own = [row for row in kept if row["call"] == wanted.call]
        now = (catalog.get("metric", wanted.metric).version, wanted.convention(held))
        if not own or any((row["version"], row["convention"]) != now or broken(row["error"]) for row in own):
            kept = [row for row in kept if row["call"] != wanted.call] + compute(held, wanted)
    return kept


def fact(name: str, value: float, n: int, convention: str, split: str = ALL, shift: str = "") -> dict[str, Any]:
    """A row for a number that training itself leaves."""
    return {
        "call": "training",
        "metric": name,
        "block": ALL,
        "split": split,
        "version": 1,
        "value": value,
        "seconds": 0.0,
        "n": n,
        "convention": "; ".join(filter(None, [convention, splits.images(split, shift)])),
        "warning": "",
        "error": "",
    }
