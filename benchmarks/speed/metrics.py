"""How fast is DCI? Our trees against scikit-learn's GradientBoostingClassifier, alternating in one process on one core.

python benchmarks/speed/metrics.py            # a few minutes
"""

import statistics
import time

import numpy as np

from disentangle_bench.metrics import dci

SIZES, D, N, ROUNDS = (3, 6, 40, 32, 32), 10, 1_500, 3


def main() -> None:
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(size, size=N) for size in SIZES], axis=1)
    standard = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    codes = standard @ rng.normal(size=(len(SIZES), D)) + 0.1 * rng.normal(size=(N, D))
    dci(codes[:200], factors[:200])  # compiles, where no earlier run has
    ratios = []
    for seed in range(ROUNDS):
        took = {}
        for backend in ("fast", "sklearn"):
            start = time.process_time()
            scores = dci(codes, factors, backend=backend, seed=seed)
            took[backend] = time.process_time() - start
            print(f"seed {seed} {backend:8}", *(f"{name} {value:.4f}" for name, value in scores._asdict().items()))
        ratios.append(took["sklearn"] / took["fast"])
    print(
        f"DCI, factors {SIZES}, {N:,} rows (2/3 to fit), {D} codes, CPU time: the fast trees are "
        f"{statistics.median(ratios):.1f} times as fast (rounds: {', '.join(f'{r:.1f}' for r in ratios)})"
    )


if __name__ == "__main__":
    main()
