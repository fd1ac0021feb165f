"""Who wins, who ranks where, whose runs reach a score: by hand, at the borders, and by coverage."""

from __future__ import annotations

import numpy as np
import pytest

from disentangle_bench.report import load
from disentangle_bench.report.comparisons import improvement_interval
from disentangle_bench.report.statistics import improvement, improvements, profile, profiles, ranks

HERE = ("dsprites", "official")


def fill(folder, metric: str, scores: dict[str, list[float]], dataset: str = "dsprites"):
    for model, values in scores.items():
        for seed, value in enumerate(values):
            folder.run(model, dataset, seed, scores={metric: value})


def test_improvement_by_hand() -> None:
    assert improvement([1, 2, 3], [0, 2]) == (3 + 1 + 0.5) / 6
    assert improvement([1, 1], [1, 1]) == 0.5 and improvement([2], [1]) == 1.0 and improvement([0], [1]) == 0.0
    x, y = np.random.default_rng(0).normal(size=(2, 9))
    assert improvement(x, y) + improvement(y, x) == pytest.approx(1)
    for bad in ([], [np.nan, 1.0]):
        with pytest.raises(ValueError, match=r"x, y: got .*expected finite numbers"):
            improvement(bad, [1.0])


def test_improvement_is_the_rank_statistic() -> None:
    from scipy.stats import mannwhitneyu

    x, y = np.random.default_rng(1).integers(0, 5, (2, 11))
    assert improvement(x, y) * 121 == pytest.approx(mannwhitneyu(x, y).statistic)


def test_the_interval_of_an_improvement_is_symmetric_and_never_certain() -> None:
    p = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    low, high = improvement_interval(p, 5, 5)
    np.testing.assert_allclose(low[::-1], 1 - high, atol=1e-12)
    assert low[0] == 0 and high[-1] == 1 and 0.5 < low[-1] < 0.8  # five above five are told apart, and no more
    assert ((low <= p) & (p <= high)).all() and low[2] < 0.3
    shorter = np.subtract(*improvement_interval(p, 50, 50)[::-1])
    assert (shorter < high - low).all()


@pytest.mark.parametrize("p", [0.5, 0.8, 0.95])
def test_coverage_of_the_probability_of_improvement(p: float) -> None:
    from statistics import NormalDist

    rng, ahead = np.random.default_rng(0), NormalDist().inv_cdf(p) * np.sqrt(2)
    found = [improvement(rng.normal(ahead, 1, 5), rng.normal(size=5)) for _ in range(1500)]
    low, high = improvement_interval(found, 5, 5)
    assert ((low <= p) & (p <= high)).mean() > 0.92


def test_improvements_are_of_models_alone_and_oriented(folder) -> None:
    few, many = [20.0, 30.0], [10.0, 11.0, 12.0, 13.0, 14.0]
    fill(
        folder, "reconstruction", {"vae": many, "betavae": [value + 20 for value in many], "mcevae": few, "pca": [1.0]}
    )
    table = improvements(load(folder.write()), "reconstruction", *HERE)
    assert list(table) == ["a", "b", "p", "low", "high", "n_a", "n_b"]
    assert table[["a", "b", "n_a", "n_b"]].to_numpy().tolist() == [
        ["betavae", "mcevae", 5, 2],
        ["betavae", "vae", 5, 5],
        ["mcevae", "vae", 2, 5],
    ]
    assert table["p"].tolist() == [(0 + 0.5) / 10, 0.0, 0.0]  # lower is better
    assert table["low"].isna().tolist() == [True, False, True] == table["high"].isna().tolist()


def test_what_has_no_direction_or_no_number_is_refused(folder) -> None:
    fill(folder, "kl", {"vae": [1.0], "betavae": [2.0]})
    frame = load(folder.write())
    for function in (improvements, ranks):
        with pytest.raises(ValueError, match="metric: got 'kl', of which neither high nor low is better"):
            function(frame, "kl", *HERE)
        with pytest.raises(ValueError, match=r"no finished number of 'mig' by a model on dsprites \(official\)"):
            function(frame, "mig", *HERE)
    with pytest.raises(ValueError, match="metric: got 'kl', of which neither"):
        profiles(frame, "kl")


# Ranks


def test_ranks_by_hand(folder) -> None:
    far = [0.1, 0.11, 0.12, 0.13, 0.14]
    fill(
        folder,
        "mig",
        {"vae": far, "betavae": [x + 0.5 for x in far], "mcevae": [x + 0.5 for x in far], "oracle": [1.0]},
    )
    table = ranks(load(folder.write()), "mig", *HERE).set_index("label")
    assert table["rank"].to_dict() == {"betavae": 1.5, "mcevae": 1.5, "vae": 3.0}  # equal means share
    assert table.loc["vae", ["low", "high"]].tolist() == [3, 3]  # no resample moves it
    assert table.loc["betavae", ["low", "high"]].tolist() == [1, 2] == table.loc["mcevae", ["low", "high"]].tolist()
    assert table["n"].tolist() == [5, 5, 5]


def test_low_is_better_ranks_first_and_few_seeds_have_no_interval(folder) -> None:
    fill(folder, "reconstruction", {"vae": [30.0] * 6, "betavae": [20.0, 21.0], "mcevae": [40.0] * 5})
    table = ranks(load(folder.write()), "reconstruction", *HERE)
    assert table["label"].tolist() == ["betavae", "vae", "mcevae"] and table["rank"].tolist() == [1, 2, 3]
    assert table["low"].isna().tolist() == [True, False, False]
    assert table.loc[1:, ["low", "high"]].to_numpy().tolist() == [[2, 2], [3, 3]]


def test_ranks_are_reproducible(folder) -> None:
    rng = np.random.default_rng(0)
    fill(folder, "mig", {model: list(rng.uniform(size=6)) for model in ("vae", "betavae", "mcevae")})
    frame = load(folder.write())
    assert ranks(frame, "mig", *HERE).equals(ranks(frame, "mig", *HERE))


# Profiles


def test_a_profile_by_hand() -> None:
    assert profile([0.2, 0.4, 0.4, 0.9], [-1, 0.2, 0.3, 0.4, 0.9]).tolist() == [1, 0.75, 0.75, 0.25, 0]
    for bad in ([], [[0.1]], [np.inf]):
        with pytest.raises(ValueError, match=r"values: got .*expected finite numbers"):
            profile(bad, [0])


def test_profiles_between_the_metrics_own_ends(folder) -> None:
    values = [0.1, 0.3, 0.5, 0.7, 0.9]
    fill(folder, "mig", {"vae": values, "betavae": [0.05, 0.95], "oracle": [1.0]})
    table = profiles(load(folder.write()), "mig")
    assert set(table["label"]) == {"vae", "betavae"} and table["threshold"].max() == 1
    own = table[table["label"] == "vae"]
    own = own.set_index(own["threshold"].round(2))
    assert own.loc[[0.0, 0.2, 0.6, 0.95], "share"].tolist() == [1, 0.8, 0.4, 0]
    assert ((own["low"] <= own["share"]) & (own["share"] <= own["high"])).all() and own.loc[0.6, "low"] < 0.2
    assert table.loc[table["label"] == "betavae", ["low", "high"]].isna().all(axis=None)


def test_a_profile_does_not_depend_on_who_else_is_there(folder) -> None:
    fill(folder, "mig", {"vae": [0.1, 0.3, 0.5, 0.7, 0.9]})
    alone = profiles(load(folder.write()), "mig")
    fill(folder, "mig", {"betavae": [0.99] * 5})
    both = profiles(load(folder.write()), "mig")
    assert both[both["label"] == "vae"].reset_index(drop=True).equals(alone)


def test_controls_are_the_anchors_where_a_metric_has_no_ends(folder) -> None:
    fill(folder, "reconstruction", {"vae": [20.0, 40.0], "noise": [90.0, 110.0], "oracle": [0.0]})
    table = profiles(load(folder.write()), "reconstruction")
    share = table.set_index(table["threshold"].round(2))["share"]  # 40 nats are 0.6 of the way from 100 to 0
    assert share[0.59] == 1 and share[0.61] == 0.5 and share[0.81] == 0


def test_without_ends_and_controls_there_is_no_profile(folder) -> None:
    fill(folder, "reconstruction", {"vae": [20.0, 40.0], "oracle": [0.0]})
    with pytest.raises(
        ValueError, match=r"'reconstruction' has no fixed ends, and noise no number .* run the controls"
    ):
        profiles(load(folder.write()), "reconstruction")


def test_profiles_weigh_data_sets_alike_and_leave_out_those_that_a_model_lacks(folder) -> None:
    fill(folder, "mig", {"vae": [0.9] * 6, "betavae": [0.9] * 6})
    fill(folder, "mig", {"vae": [0.1, 0.1], "betavae": [0.1, 0.1]}, "digits")
    fill(folder, "mig", {"vae": [0.1]}, "toy")
    table = profiles(load(folder.write()), "mig")
    share = table[table["label"] == "vae"].set_index("threshold")["share"]
    assert share[0.5] == 0.5 and table["low"].isna().all()  # two seeds on digits


def test_models_that_share_no_data_set_have_no_profiles(folder) -> None:
    fill(folder, "mig", {"vae": [0.9]})
    fill(folder, "mig", {"betavae": [0.9]}, "digits")
    assert profiles(load(folder.write()), "mig").empty
