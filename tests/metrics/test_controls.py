"""The two ends of every scale, with factors shaped like dSprites': codes that are the factors, and codes of noise.

A perfect code gets a metric's best value and noise its worst, but for what stands in EXCEPT with the reason, which is
in the docstring of the metric, too.
"""

import inspect
import warnings
from functools import lru_cache

import numpy as np

from disentangle_bench import metrics
from disentangle_bench.metrics._metric import numbers

SIZES, ROWS = (3, 6, 40, 32, 32), 6_000
RNG = np.random.default_rng(0)
FACTORS = np.stack([RNG.integers(size, size=ROWS) for size in SIZES], axis=1)
NOISE = RNG.normal(size=(ROWS, 5))

# number: ranges of the oracle and of noise (None: as the rule says), why
EXCEPT = {
    "betavae_score": (None, (0.19, 0.23), "1/f is chance"),
    "factorvae_score": (None, (0.19, 0.25), "1/f is chance"),
    "explicitness": ((0.96, 1), (0.48, 0.52), "0.5 is chance; a linear classifier finds no middle value of a line"),
    "mig": ((0.88, 0.91), None, "40 and 32 values in 20 bins"),
    "mig_sup": ((0.88, 0.91), None, "40 and 32 values in 20 bins"),
    "dcimig": ((0.84, 0.88), None, "40 and 32 values in 20 bins"),
    "jemmig": ((0.93, 0.95), (0.1, 0.18), "does not begin at 0"),
    "rmig": ((0.4, 0.5), None, "whole numbers up to 39 lie beyond its fixed range, -4 to 4"),
    "modularity": (None, (0.6, 0.75), "chance decides what noise seems to know"),
    "sap": ((0.2, 0.26), None, "a linear machine cannot single out a middle value"),
    "sap.tree": ((0.75, 0.8), None, "guessing the most frequent class may be second best; depth 9"),
    "irs": (None, (0.3, 0.45), "a quantile against the largest deviation"),
    "infomec.infom": (None, (0.4, 0.8), "divides what little is known"),
    "infomec.infoc": (None, (0.25, 0.55), "divides what little is known"),
    "infomec.bins.infom": ((0.95, 1), (0.1, 0.2), "20 bins; divides what little is known"),
    "infomec.bins.infoc": ((0.95, 1), (0, 0.06), "20 bins; divides what little is known"),
    "dci.informativeness": (None, (0.1, 0.14), "guessing is right for one of so many values"),
    "dci.informativeness_train": (None, (0.6, 0.8), "trees learn rows by heart"),
    "dci_forest.informativeness": (None, (0.1, 0.14), "guessing"),
    "dci_forest.informativeness_train": (None, (0.95, 1), "trees learn rows by heart"),
    "dci_forest.number.informativeness_train": (None, (0.7, 0.85), "trees learn rows by heart"),
    "dci_lasso.disentanglement": (None, (0, 1), "no weight at all, or a few chance ones"),
    "dci_lasso.completeness": (None, (0, 1), "no weight at all, or a few chance ones"),
    "dci_logistic.disentanglement": ((0.95, 1), (0, 0.15), "weights of noise are few and chance"),
    "dci_logistic.completeness": ((0.95, 1), None, "a line needs the other codes to single out middle values"),
    "dci_logistic.informativeness": ((0.72, 0.82), (0.1, 0.14), "middle values of a line; guessing"),
    "dci_logistic.informativeness_train": ((0.75, 0.85), (0.1, 0.16), "middle values of a line; guessing"),
    "dci_es.size": (None, (1, 1), "counts codes"),
    "active_units": ((5, 5), (5, 5), "counts codes"),
    "factorised_support": ((0, 0.05), (1.5, 3), "distances of standardised codes; no upper end"),
    "mi_score": ((0, 0.02), (0, 0.03), "noise is as independent as factors are"),
    "total_correlation": ((0, 0.005), (0, 0.005), "noise is as independent as factors are"),
    "wasserstein_correlation.raw": ((0, 0.1), (0, 0.01), "noise is as independent; in squares of the codes' unit"),
    "wasserstein_correlation.normalised": ((0, 0.001), (0, 0.001), "noise is as independent as factors are"),
}


@lru_cache
def both() -> dict[str, tuple[float, float]]:
    """{number: value of the oracle and of noise} of every metric of one run's codes."""
    found = {}
    for name in metrics.__all__:
        function = getattr(metrics, name)
        needed = [p.name for p in inspect.signature(function).parameters.values() if p.default is p.empty]
        if {"labels", "representations"} & set(needed):
            continue
        for variant, options in function.variants.items():
            ends = []
            for codes in (FACTORS * 1.0, NOISE):
                known = {"codes": codes, "sd": np.full(codes.shape, 0.1), "factors": FACTORS}
                ends.append(numbers(function(*(known[argument] for argument in needed), **options)))
            found |= {f"{name}.{variant}.{part}": (ends[0][part], ends[1][part]) for part in ends[0]}
    return {".".join(filter(None, dotted.split("."))): ends for dotted, ends in found.items()}


def test_a_perfect_code_gets_the_best_value_and_noise_the_worst_or_we_say_why():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        held = both()
    assert set(EXCEPT) <= set(held)
    wrong = {}
    for dotted, ends in held.items():
        best = getattr(metrics, dotted.split(".")[0]).best
        *ranges, _ = EXCEPT.get(dotted, (None, None, ""))
        rule = (best - 0.025, best) if best == 1 else (0, 0.025), (0, 0.03)
        for end, value, given, ruled in zip(("oracle", "noise"), ends, ranges, rule):
            low, high = given or ruled
            if not low - 1e-9 <= value <= high + 1e-9:
                wrong[f"{dotted} of {end}"] = (value, (low, high))
    assert not wrong
