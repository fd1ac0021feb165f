"""What scores cost, one core, CPU time: every metric of the suite, and DCI's trees beside scikit-learn's.

python benchmarks/speed/metrics.py                    # a table in a minute, then one full DCI of scikit-learn (minutes)
python benchmarks/speed/metrics.py --rows 1500        # a quick look
"""

import argparse
import inspect
import time
import warnings
from collections.abc import Callable

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from threadpoolctl import threadpool_limits

from disentangle_bench import catalog, metrics
from disentangle_bench.metrics._boosting import boost

SIZES, D = (3, 6, 40, 32, 32), 10  # dSprites' factors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=15_000, help="two thirds to fit, one third to judge")
    rows = parser.parse_args().rows
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(size, size=rows) for size in SIZES], axis=1)
    standard = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    codes = standard @ rng.normal(size=(len(SIZES), D)) + 0.1 * rng.normal(size=(rows, D))
    print(f"factors {SIZES}, {D} codes, {rows:,} rows; metrics that fit take two thirds of them and judge on the rest")
    with threadpool_limits(1):
        score_all(codes, factors)
        compare_trees(codes, factors)


def score_all(codes: np.ndarray, factors: np.ndarray) -> None:
    """Seconds of every metric, after a small call that compiles what needs to be."""
    took = {}
    for name in metrics.__all__:
        function = getattr(metrics, name)
        for options in function.variants.values():
            call(function, codes[:300], factors[:300], options)
            took[name] = took.get(name, 0.0) + seconds(lambda: call(function, codes, factors, options))  # noqa: B023
    for name, cost in sorted(took.items(), key=lambda item: -item[1]):
        print(f"  {name:24}{cost:7.2f} s{'   card' if name in catalog.CARD else ''}")
    card = sum(cost for name, cost in took.items() if name in catalog.CARD)
    print(f"card {card:.1f} s, all {sum(took.values()):.1f} s")


def call(function: Callable, codes: np.ndarray, factors: np.ndarray, options: dict) -> None:
    known = {
        "codes": codes,
        "factors": factors,
        "sd": np.full(codes.shape, 0.1),
        "representations": [codes, codes[:, ::-1], codes + 0.1],
        "labels": factors[:, 1],
        "clusters": factors[:, 1] // 2,
    }
    parameters = inspect.signature(function).parameters
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        function(*(known[p.name] for p in parameters.values() if p.default is p.empty), **options)


def compare_trees(codes: np.ndarray, factors: np.ndarray) -> None:
    """Our boosted trees and scikit-learn's on the same rows, factor by factor, one after the other."""
    cut = 2 * len(codes) // 3
    ours, theirs = [], []
    boost(codes[:cut], factors[:cut, :1], codes[cut:], SIZES[:1], 0)  # compiles
    for k, size in enumerate(SIZES):
        y = factors[:cut, [k]]
        ours.append(seconds(lambda: boost(codes[:cut], y, codes[cut:], [size], 0)))  # noqa: B023
        theirs.append(seconds(lambda: sklearn_trees(codes[:cut], y[:, 0], codes[cut:])))  # noqa: B023
        print(f"  {size} values: {theirs[-1] / ours[-1]:.1f} times as fast as scikit-learn")
    print(f"DCI's trees: {sum(theirs) / sum(ours):.1f} times as fast as scikit-learn ({sum(theirs):.0f} s)")


def sklearn_trees(x: np.ndarray, y: np.ndarray, test: np.ndarray) -> None:
    trees = GradientBoostingClassifier(random_state=0).fit(x, y)
    for part in (x, test):
        trees.predict(part)


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
