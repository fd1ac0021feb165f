"""Shares of variance and agreement of metrics: sums by hand, designs with holes, what scipy says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic import METRICS, write

from disentangle_bench.report import load
from disentangle_bench.report.glossary import in_order
from disentangle_bench.report.statistics import agreement, decomposition

HERE = ("dsprites", "official")


def shares(folder, scores: dict[tuple[str, float], list[float]]):
    for (model, beta), values in scores.items():
        for seed, value in enumerate(values):
            folder.run(model, "dsprites", seed, scores={"mig": value}, beta=beta)
    (row,) = decomposition(load(folder.write())).itertuples()
    return row


def test_shares_by_hand(folder) -> None:
    """Means 2 (all), 1 and 3 (models), 0.5, 1.5, 3, 3 (configurations): squares of 8, 1 and 4, of 13 together."""
    row = shares(
        folder,
        {
            ("vae", 1.0): [0.0, 1.0],
            ("vae", 2.0): [1.0, 2.0],
            ("betavae", 1.0): [2.0, 4.0],
            ("betavae", 2.0): [3.0, 3.0],
        },
    )
    assert (row.model, row.strength, row.seed, row.n) == pytest.approx((8 / 12, 1 / 12, 3 / 12, 8))


def test_unbalanced_shares_by_hand(folder) -> None:
    """Models of 3 and 1 runs at means 1 and 5: the mean of all is 2, between them 3 + 9 = 12 of a whole of 14."""
    row = shares(folder, {("vae", 1.0): [0.0, 1.0, 2.0], ("betavae", 1.0): [5.0]})
    assert (row.model, row.seed) == pytest.approx((12 / 14, 2 / 14)) and np.isnan(row.strength)


def test_shares_are_those_of_a_linear_model(folder) -> None:
    """Sums of squares from least squares on indicators, in a design with holes."""
    rng = np.random.default_rng(0)
    scores = {
        (model, float(beta)): list(rng.normal(beta, 1, n))
        for model, beta, n in [("vae", 1, 4), ("vae", 2, 1), ("betavae", 1, 2), ("betavae", 3, 5), ("mcevae", 1, 3)]
    }
    y = np.concatenate(list(scores.values()))
    models = np.repeat([model for model, _ in scores], [len(v) for v in scores.values()])
    labels = np.repeat([str(key) for key in scores], [len(v) for v in scores.values()])

    def explained(groups: np.ndarray) -> float:
        design = (groups[:, None] == np.unique(groups)).astype(float)
        return (
            1 - np.square(y - design @ np.linalg.lstsq(design, y, rcond=None)[0]).sum() / np.square(y - y.mean()).sum()
        )

    row = shares(folder, scores)
    assert row.model == pytest.approx(explained(models))
    assert row.model + row.strength == pytest.approx(explained(labels))
    assert row.model + row.strength + row.seed == pytest.approx(1)


def test_levels_with_nothing_to_tell_apart_are_missing(folder) -> None:
    row = shares(folder, {("vae", 1.0): [0.1, 0.2], ("vae", 2.0): [0.5, 0.7]})
    assert np.isnan(row.model) and row.strength + row.seed == pytest.approx(1)


@pytest.mark.parametrize("values", [[0.1], [0.3, 0.3]], ids=["one seed each", "all alike"])
def test_without_seeds_or_differences_there_are_no_shares(folder, values: list[float]) -> None:
    base = 0.2 if len(values) == 1 else 0.0
    row = shares(folder, {("vae", 1.0): values, ("betavae", 1.0): [value + base for value in values]})
    assert np.isnan([row.model, row.strength, row.seed]).all()


def test_controls_and_failed_runs_take_no_share(folder) -> None:
    folder.run("oracle", "dsprites", 0, scores={"mig": 9.0})
    folder.run("vae", "dsprites", 7, scores={"mig": 9.0}, status="diverged", beta=1.0)
    row = shares(folder, {("vae", 1.0): [0.0, 1.0], ("betavae", 1.0): [2.0, 3.0]})
    assert (row.model, row.seed, row.n) == pytest.approx((0.8, 0.2, 4))


def test_made_up_spreads_are_found(tmp_path: Path) -> None:
    """Spreads of 0.1, 0.05 and 0.08 are shares of 0.53, 0.13 and 0.34 on average over many metrics."""
    frame = load(write(tmp_path / "made", datasets=["dsprites"], seeds=6, metrics=METRICS[:20]))
    table = decomposition(frame)
    assert table[["model", "strength", "seed"]].sum(axis=1).to_numpy() == pytest.approx(np.ones(20))
    assert table[["model", "strength", "seed"]].mean().tolist() == pytest.approx([0.53, 0.13, 0.34], abs=0.1)
    assert table["metric"].tolist() == in_order(METRICS[:20])


# Agreement


def test_agreement_is_spearmans(folder) -> None:
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=12), rng.integers(0, 4, 12) / 4  # ties
    for seed in range(12):
        folder.run("vae", "dsprites", seed, scores={"mig": x[seed], "sap": y[seed], "reconstruction": -x[seed]})
    folder.run("oracle", "dsprites", 0, scores={"mig": 99.0, "sap": -99.0})
    table = agreement(load(folder.write()), *HERE)
    assert list(table) == ["a", "b", "rho", "low", "high", "n"] and set(table["n"]) == {12}
    found = table.set_index(["a", "b"])
    assert found.loc[("mig", "sap"), "rho"] == pytest.approx(spearmanr(x, y).statistic)
    assert found.loc[("mig", "reconstruction"), ["rho", "low", "high"]].tolist() == pytest.approx([-1, -1, -1])
    assert ((table["low"] <= table["rho"] + 1e-12) & (table["rho"] <= table["high"] + 1e-12)).all()


def test_resamples_of_one_row_cost_no_interval(folder) -> None:
    """Of five rows, one resample in 625 holds a single one: it has no correlation, and others say what there is."""
    for seed, x in enumerate([0.1, 0.3, 0.2, 0.5, 0.4]):
        folder.run("vae", "dsprites", seed, scores={"mig": seed / 10, "sap": x, "modularity": 0.5})
    table = agreement(load(folder.write()), *HERE).set_index(["a", "b"])
    row = table.loc[("mig", "sap")]
    assert -1 <= row["low"] < row["rho"] <= row["high"] <= 1 + 1e-12
    assert table.loc[("mig", "modularity"), ["rho", "low", "high"]].isna().all()


def test_resampled_correlations_are_those_of_resampled_rows(folder) -> None:
    """The quick way, by counts of rows, against ranking every resample anew."""
    from scipy.stats import spearmanr

    from disentangle_bench.report._bootstrap import resampled, shares, tail

    rng = np.random.default_rng(1)
    x = np.round(rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 9), 1)
    for seed, (a, b) in enumerate(x):
        folder.run("vae", "dsprites", seed, scores={"mig": a, "sap": b})
    row = agreement(load(folder.write()), *HERE, reps=200, seed=5).iloc[0]
    picks = resampled(9, 200, 5)
    assert shares(picks, 9).sum() == pytest.approx(200)
    slow = [spearmanr(*x[pick].T).statistic for pick in picks]
    assert [row.low, row.high] == pytest.approx(np.quantile(slow, [tail(9, 0.95), 1 - tail(9, 0.95)]).tolist())


def test_runs_that_lack_a_metric_leave_its_pairs_alone(folder) -> None:
    for seed in range(7):
        scores = {"mig": seed / 10, "sap": -seed / 10} | ({"irs": seed / 20} if seed < 4 else {}) | {"modularity": 0.5}
        folder.run("vae", "dsprites", seed, scores=scores)
    table = agreement(load(folder.write()), *HERE).set_index(["a", "b"])
    assert table.loc[("mig", "sap"), ["rho", "n"]].tolist() == [pytest.approx(-1), 7]
    few = table.loc[("mig", "irs")]
    assert few["rho"] == pytest.approx(1) and few["n"] == 4 and np.isnan([few["low"], few["high"]]).all()
    assert np.isnan(table.loc[("mig", "modularity"), "rho"])  # the same for all runs


def test_agreement_of_one_run_or_none_says_nothing(folder) -> None:
    folder.run("vae", "dsprites", 0, scores={"mig": 0.1, "sap": 0.2})
    frame = load(folder.write())
    assert agreement(frame, *HERE)["rho"].isna().all() and agreement(frame, "digits", "official").empty
