"""Numbers that can be computed by hand, and how often the interval is right."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from disentangle_bench.report import load
from disentangle_bench.report._bootstrap import iqm_interval, mean_interval
from disentangle_bench.report.statistics import ENOUGH, interval, iqm, summary


@pytest.mark.parametrize(
    ("values", "expected"),
    [([7.0], 7.0), ([1, 2, 3], 2.0), ([1, 2, 3, 100], 2.5), ([0, 1, 2, 3, 100], 2.0), ([9, 0, 4, 4, 8, 5, 6, 7], 5.5)],
)
def test_iqm_by_hand(values: list[float], expected: float) -> None:
    assert iqm(values) == expected


def test_iqm_along_an_axis() -> None:
    assert iqm([[1, 2, 3, 100], [0, 0, 0, 8]]).tolist() == [2.5, 0.0]
    assert iqm([[1, 0], [2, 0], [3, 0], [100, 8]], axis=0).tolist() == [2.5, 0.0]


def test_no_interval_below_five_seeds() -> None:
    assert ENOUGH == 5
    assert np.isnan(interval([0.1, 0.2, 0.3, 0.4])).all()
    low, high = interval([0.1, 0.2, 0.3, 0.4, 0.5])
    assert 0.1 <= low < 0.3 < high <= 0.5


def test_interval_of_equal_values_is_a_point() -> None:
    assert interval([0.25] * 6) == (0.25, 0.25)


def test_the_seed_suffices_and_matters() -> None:
    values = np.random.default_rng(1).normal(size=7)
    assert interval(values, seed=3) == interval(values, seed=3)
    assert interval(values, seed=3, reps=100) != interval(values, seed=4, reps=100)


def test_resampling_stays_within_tasks() -> None:
    """Two tasks far apart, each without spread: mixing them would make an interval of positive length."""
    assert interval(np.tile([0.0, 1.0], (6, 1))) == (0.5, 0.5)


@pytest.mark.parametrize("statistic", ["iqm", "mean"])
@pytest.mark.parametrize(("n", "least"), [(5, 0.90), (10, 0.93)])
@pytest.mark.parametrize("spread", [0, 0.5])
def test_measured_coverage(statistic: str, n: int, least: float, spread: float) -> None:
    """Normal and log-normal; 1,500 samples have a standard error of 0.007, which the bound leaves room for."""
    rng = np.random.default_rng(n)
    truth = {"mean": np.exp(spread**2 / 2), "iqm": 1.0180} if spread else {"mean": 0.0, "iqm": 0.0}
    x = rng.lognormal(0, spread, (1500, n)) if spread else rng.normal(size=(1500, n))
    low, high = {"iqm": iqm_interval, "mean": mean_interval}[statistic](x, reps=1500)
    assert least - 0.008 < ((low <= truth[statistic]) & (truth[statistic] <= high)).mean() < 0.99


def test_the_interquartile_mean_of_a_log_normal_population() -> None:
    """The number that coverage is measured against."""
    assert iqm(np.exp(0.5 * np.random.default_rng(0).normal(size=400_000))) == pytest.approx(1.0180, abs=0.003)


@pytest.mark.parametrize("n", [5, 8, 13])
def test_many_intervals_at_once_are_those_of_one(n: int) -> None:
    x = np.random.default_rng(n).lognormal(size=(3, n))
    for statistic, intervals in [("iqm", iqm_interval), ("mean", mean_interval)]:
        alone = [interval(row, statistic=statistic, reps=500, seed=4) for row in x]
        np.testing.assert_allclose(np.transpose(intervals(x, reps=500, seed=4)), alone, rtol=1e-12)


def test_intervals_of_means_move_and_grow_with_the_scores() -> None:
    x = np.random.default_rng(0).lognormal(size=9)
    low, high = interval(x, statistic="mean")
    assert interval(3 * x + 2, statistic="mean") == pytest.approx((3 * low + 2, 3 * high + 2))
    assert low < x.mean() < high and high - x.mean() > x.mean() - low  # skewed to the right
    low, high = interval(x, statistic="mean", reps=50_000)
    assert interval(-x, statistic="mean", reps=50_000) == pytest.approx((-high, -low), rel=0.03)


def test_ties_do_not_make_an_interval_endless() -> None:
    """One resample in three holds the first value alone and has no spread of its own."""
    low, high = interval([0.5, 0.5, 0.5, 0.5, 0.9], statistic="mean")
    assert 0 < low < 0.58 < high < 1.5
    assert interval([0.25] * 6, statistic="mean") == (0.25, 0.25)


def test_the_mean_of_tasks_is_resampled_within_tasks() -> None:
    """Levels of tasks leave the length alone; m tasks of one spread make it about sqrt(m) times shorter."""
    x = np.random.default_rng(3).normal(size=(12, 4))
    low, high = interval(x, statistic="mean")
    apart = interval(x + [0, 10, 20, 30], statistic="mean")
    assert apart == pytest.approx((low + 15, high + 15))
    assert interval(x[:, 0], statistic="mean")[1] - interval(x[:, 0], statistic="mean")[0] > 1.4 * (high - low)


def test_an_unknown_statistic_is_refused() -> None:
    with pytest.raises(ValueError, match="statistic: got 'median', expected 'iqm' or 'mean'"):
        interval([1, 2, 3, 4, 5], statistic="median")


def test_values_must_be_finite() -> None:
    with pytest.raises(ValueError, match=r"values: got .*nan.*expected finite"):
        interval([0.1, np.nan, 0.3, 0.4, 0.5])


def test_summary_by_hand(folder) -> None:
    for seed, value in enumerate([0.1, 0.3]):
        folder.run("betavae", "dsprites", seed, scores={"mig": value}, beta=4.0)
    for seed, value in enumerate([0, 1, 2, 3, 100]):
        folder.run("mcevae", "dsprites", seed, scores={"mig": value})
    folder.run("betavae", "dsprites", 2, status="failed", error="out of memory", beta=4.0)
    folder.run("betavae", "dsprites", 3, status="diverged", scores={"mig": 9.0}, beta=4.0)  # does not count
    table = summary(load(folder.write())).set_index("label")
    assert table.loc["betavae", ["dataset", "source", "metric", "version", "n"]].tolist() == [
        "dsprites",
        "official",
        "mig",
        1,
        2,
    ]
    assert table.loc["betavae", ["mean", "iqm", "sd"]].tolist() == pytest.approx([0.2, 0.2, 0.2 / np.sqrt(2)])
    assert table.loc["betavae", ["low", "high"]].isna().all()
    assert table.loc["mcevae", ["mean", "iqm"]].tolist() == [21.2, 2.0]
    assert table.loc["mcevae", ["low", "high"]].tolist() == pytest.approx(interval([0, 1, 2, 3, 100]))


def test_summary_has_both_intervals_and_no_number_below_five_seeds(folder) -> None:
    values = {
        "vae": [0.2, 0.3, 0.5, 0.4, 0.9, 0.1],
        "betavae": [0.7, 0.2, 0.3, 0.5, 0.6],
        "mcevae": [0.1, 0.2, 0.3, 0.4],
    }
    for model, found in values.items():
        for seed, value in enumerate(found):
            folder.run(model, "dsprites", seed, scores={"mig": value, "sap": value / 2})
    table = summary(load(folder.write()))
    assert len(table) == 6
    for row in table.itertuples():
        x = np.array(values[row.label]) / (2 if row.metric == "sap" else 1)
        assert (row.n, row.mean, row.sd) == (len(x), pytest.approx(x.mean()), pytest.approx(x.std(ddof=1)))
        told = [row.low, row.high, row.mean_low, row.mean_high]
        if len(x) < ENOUGH:
            assert np.isnan(told).all()
        else:
            assert told == pytest.approx([*interval(x), *interval(x, statistic="mean")])


def test_summary_of_nothing_has_its_columns(folder) -> None:
    folder.run("mcevae", "dsprites", 0, status="failed", error="no")
    table = summary(load(folder.write()))
    assert table.empty and {"label", "metric", "n", "mean", "mean_low", "mean_high"} <= set(table)


def test_one_seed_has_no_deviation(folder) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    row = summary(load(folder.write())).iloc[0]
    assert row["mean"] == 0.5 and np.isnan(row["sd"])


# What `load` hands to all of this


def test_load_keeps_runs_without_scores(folder) -> None:
    run = folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5, "sap": 0.25})
    bare = folder.run("mcevae", "dsprites", 1, status="failed", error="no")
    frame = load(folder.write())
    assert frame.loc[frame["run"] == run, "value"].tolist() == [0.5, 0.25]
    assert len(frame) == 3 and frame.loc[frame["run"] == bare, "metric"].isna().all()
    assert {"error", "score_error", "seconds", "score_seconds", "label"} <= set(frame)


def test_a_missing_folder_names_its_nearest_sibling(folder) -> None:
    folder.write()
    with pytest.raises(ValueError, match=r"does not exist; did you mean .*results'"):
        load(folder.path.with_name("resultz"))


def test_a_folder_without_tables_says_what_makes_them(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no runs.parquet; `bench run .*--out .*` writes"):
        load(tmp_path)


def test_other_columns_and_versions_are_refused(folder) -> None:
    import pandas as pd

    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    path = folder.write()
    (path / "study.json").write_text('{"schema": 99}')
    with pytest.raises(ValueError, match="schema version 99, expected 1"):
        load(path)
    (path / "study.json").write_text("{}")
    older = pd.read_parquet(path / "scores.parquet").drop(columns="warning")
    older.to_parquet(path / "scores.parquet")
    assert load(path)["warning"].tolist() == [""]
    older.rename(columns={"value": "worth"}).to_parquet(path / "scores.parquet")
    with pytest.raises(ValueError, match=r"'scores': missing columns \['value'\], unknown columns \['worth'\]"):
        load(path)


def test_hand_edited_tables_are_refused_by_column(folder) -> None:
    import pandas as pd

    run = folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    path = folder.write()
    scores, runs = (pd.read_parquet(path / f"{name}.parquet") for name in ("scores", "runs"))
    scores.assign(value="good").to_parquet(path / "scores.parquet")
    with pytest.raises(ValueError, match=r"table 'scores', column 'value': expected Float64, .*'good'"):
        load(path)
    scores.to_parquet(path / "scores.parquet")
    runs.assign(params="beta=4").to_parquet(path / "runs.parquet")
    with pytest.raises(
        ValueError, match=f"table 'runs', column 'params': run {run} has 'beta=4', expected a JSON object"
    ):
        load(path)


def test_scores_of_unknown_runs_are_refused(folder) -> None:
    folder.run("mcevae", "dsprites", 0)
    folder.score("stranger", "mig", 0.5)
    with pytest.raises(ValueError, match=r"'scores': .*stranger"):
        load(folder.write())


def test_importing_the_report_is_light() -> None:
    code = (
        "import sys, disentangle_bench.report; "
        "sys.exit(bool({'pandas', 'numpy', 'matplotlib', 'jinja2', 'torch', 'PIL'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_report_needs_no_torch_and_no_model(original: Path) -> None:
    code = (
        "import sys; from disentangle_bench.report import load, page, tables; "
        f"tables.boards(load({str(original)!r})); "
        "parts = {name for name in sys.modules if name.startswith('disentangle_bench.')}; "
        "own = {name.split('.')[1] for name in parts}; print(sorted(own)); "
        "sys.exit('torch' in sys.modules or bool(own & {'models', 'datasets', 'training', 'runner'}))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
