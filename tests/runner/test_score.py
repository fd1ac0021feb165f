"""From codes to rows: what is called, how it is named, and what happens when a metric cannot be computed."""

import numpy as np
import pytest

from disentangle_bench.metrics import cluster_accuracy, mig, sap
from disentangle_bench.runner.codes import CodeFile, counted, read_codes
from disentangle_bench.runner.score import compute, fill, kmeans, plan_rows

FACTORS = np.indices((3, 4, 5)).reshape(3, -1).T.repeat(4, 0)


def held(**changes):
    return CodeFile(
        **{"codes": FACTORS + 0.0, "factors": FACTORS, "names": ("shape", "x", "y"), "label": "shape", **changes}
    )


def rows_of(codes, *metrics, **options):
    return [row for wanted in plan_rows(codes, list(metrics), options) for row in compute(codes, wanted)]


def test_values_are_those_of_the_functions():
    rows = {row["metric"]: row["value"] for row in rows_of(held(), "mig", "sap")}
    assert rows == {
        "mig": mig(FACTORS * 1.0, FACTORS),
        "sap": sap(FACTORS * 1.0, FACTORS),
        "sap.continuous": sap(FACTORS * 1.0, FACTORS, continuous=True),
        "sap.tree": sap(FACTORS * 1.0, FACTORS, predictor="tree"),
    }


def test_parts_of_a_metric_get_dotted_names():
    assert [row["metric"] for row in rows_of(held(), "dci")] == [
        "dci.disentanglement",
        "dci.completeness",
        "dci.informativeness",
        "dci.informativeness_train",
    ]


def test_the_convention_names_the_split_of_predictors():
    (row,) = rows_of(held(), "explicitness")
    assert "split=2/3 to fit, 1/3 to test" in row["convention"]
    machine, line, tree = (row["convention"] for row in rows_of(held(), "sap"))
    assert "split" in machine and "least_variance" not in machine
    assert "depth=9" in tree and "split" in tree
    assert "split" not in line and "seed" not in line and "squared correlation" in line
    assert "test_codes" not in row["convention"]


def test_options_reach_the_metric_and_its_convention():
    (row,) = rows_of(held(), "mig", mig={"bins": 3})
    assert row["value"] == mig(FACTORS * 1.0, FACTORS, bins=3)
    assert (
        "bins=3" in row["convention"]
        and "codes=as given" in row["convention"]
        and "factors=shape,x,y" in row["convention"]
    )


def test_a_factor_with_one_value_is_left_out_and_the_row_says_which_were_counted():
    factors = np.column_stack([FACTORS, np.full(len(FACTORS), 7)])
    codes = held(factors=factors, names=("shape", "x", "y", "colour"))
    assert counted(codes) == [0, 1, 2]
    (row,) = rows_of(codes, "mig")
    assert row["value"] == mig(FACTORS * 1.0, FACTORS) and row["convention"].endswith("factors=shape,x,y")


def test_clusters_come_from_kmeans_and_from_the_model_if_it_has_its_own():
    own = (FACTORS[:, 0] + 1) % 3
    rows = {row["metric"]: row for row in rows_of(held(clusters=own), "cluster_accuracy")}
    assert rows["cluster_accuracy.own"]["value"] == 1.0
    assert rows["cluster_accuracy.kmeans"]["value"] == cluster_accuracy(FACTORS[:, 0], kmeans(FACTORS * 1.0, 3))
    assert "labels=shape" in rows["cluster_accuracy.own"]["convention"]
    assert not rows_of(held(label=""), "cluster_accuracy")


def test_a_metric_that_fails_is_one_row_with_its_error():
    codes = FACTORS * 1.0
    codes[3, 1] = np.nan
    (row,) = rows_of(held(codes=codes), "mig")
    assert row["value"] is None and row["error"].startswith("ValueError: ") and "codes" in row["error"]


def test_fill_computes_only_what_is_missing_or_defined_otherwise():
    rows = fill(held(), ["mig"], {}, [])
    assert fill(held(), ["mig"], {}, rows) == rows
    kept = [{**row, "value": 0.123} for row in rows]
    assert fill(held(), ["mig", "modularity"], {}, kept)[0]["value"] == 0.123
    redone = fill(held(), ["mig"], {"mig": {"bins": 3}}, kept)
    assert len(redone) == 1 and redone[0]["value"] != 0.123
    assert fill(held(), ["mig"], {}, [{**kept[0], "version": 0}])[0]["value"] == rows[0]["value"]


def test_codes_of_strangers(tmp_path):
    np.savez(tmp_path / "codes.npz", codes=FACTORS * 1.0)
    np.savez(tmp_path / "factors.npz", factors=FACTORS)
    read = read_codes(tmp_path / "codes.npz", tmp_path / "factors.npz")
    assert read.names == ("factor0", "factor1", "factor2") and read.label == ""
    with pytest.raises(ValueError, match="no array `factors`"):
        read_codes(tmp_path / "codes.npz")
    with pytest.raises(ValueError, match=r"no array `codes` \(or `mean`\); it holds factors"):
        read_codes(tmp_path / "factors.npz")
    with pytest.raises(ValueError, match="no such file"):
        read_codes(tmp_path / "nothing.npz")
    np.savez(tmp_path / "label.npz", codes=FACTORS, factors=FACTORS, label="colour")
    with pytest.raises(ValueError, match="`label` is 'colour', expected one of factor0"):
        read_codes(tmp_path / "label.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(ValueError, match=r"expected a readable \.npz file, got"):
        read_codes(tmp_path / "text.npz")


def test_what_a_metric_warns_of_stands_in_its_row():
    """Two factors that are one: not independent, as modularity assumes; explicitness does not."""
    factors = np.column_stack([FACTORS, FACTORS[:, 0]])
    rows = {
        row["metric"]: row
        for row in rows_of(
            held(factors=factors, codes=factors * 1.0, names=("a", "b", "c", "d")), "modularity", "explicitness"
        )
    }
    assert "columns 0 and 3 depend on each other (Cramer's V 1.00" in rows["modularity"]["warning"]
    assert rows["modularity"]["error"] == "" and rows["modularity"]["value"] is not None
    assert rows["explicitness"]["warning"] == ""


def test_a_part_without_a_meaning_is_a_row_that_says_why():
    """With one factor there is nothing to disentangle; completeness is defined."""
    rows = {row["metric"]: row for row in rows_of(held(factors=FACTORS[:, [2]], names=("y",), label=""), "dci")}
    assert rows["dci.disentanglement"]["value"] is None and "undefined" in rows["dci.disentanglement"]["error"]
    assert rows["dci.completeness"]["value"] == pytest.approx(1, abs=1e-6) and not rows["dci.completeness"]["error"]


def test_cyclic_factors_are_told_to_the_metrics_that_know_what_to_do():
    """The period belongs to a column of all factors; a factor with one value before it is not counted."""
    factors = np.column_stack([np.zeros(240, int), np.arange(240) % 8, np.arange(240) // 8 % 3])
    codes = np.column_stack([np.cos(np.pi * factors[:, 1] / 4), factors[:, 2]])
    periods = np.array([0.0, 8.0, 0.0])
    told = held(codes=codes, factors=factors, names=("one", "angle", "size"), label="", periods=periods)
    assert told.cyclic == {0: 8.0}
    row = next(row for row in rows_of(told, "sap") if row["metric"] == "sap.continuous")
    assert "cyclic=angle (period 8)" in row["convention"]
    assert row["value"] == sap(codes, factors[:, 1:], continuous=True, cyclic={0: 8})
    assert all("cyclic" not in row["convention"] for row in rows_of(told, "mig"))


def test_metrics_of_posteriors_need_their_deviations(tmp_path):
    codes = FACTORS * 1.0
    assert rows_of(held(), "mig_posterior") == []
    (row,) = rows_of(held(sd=np.full(codes.shape, 0.01)), "mig_posterior")
    assert row["value"] == pytest.approx(1, abs=1e-3)
    np.savez(tmp_path / "c.npz", mean=codes, factors=FACTORS, sd=np.zeros_like(codes))
    assert read_codes(tmp_path / "c.npz").noise is None
    np.savez(tmp_path / "c.npz", mean=codes, factors=FACTORS, sd=np.ones((3, 1)))
    with pytest.raises(ValueError, match=r"`sd` has shape \(3, 1\), the codes \(240, 3\)"):
        read_codes(tmp_path / "c.npz")
    np.savez(tmp_path / "c.npz", mean=codes, factors=FACTORS, periods=np.ones(2))
    with pytest.raises(ValueError, match=r"`periods` has shape \(2,\), expected one a factor, \(3,\)"):
        read_codes(tmp_path / "c.npz")


def test_metrics_without_factors_name_none():
    (row,) = rows_of(held(), "mi_score")
    assert "factors=" not in row["convention"] and "codes=as given" in row["convention"]


def test_metrics_of_many_runs_are_not_of_one():
    assert rows_of(held(), "udr") == []


def test_options_that_pick_a_variant_are_refused_and_others_reach_those_that_use_them():
    from disentangle_bench.runner.plan import BUDGETS
    from disentangle_bench.runner.settings import metric_options

    for setting in ("sap.predictor=linear", "sap.continuous=true", "infomec.estimator=bins", "r2.probe=kernel"):
        with pytest.raises(ValueError, match="picks another definition"):
            metric_options([setting], BUDGETS["standard"], [])
    rows = {row["metric"]: row for row in rows_of(held(), "sap", sap={"conditional": True})}
    assert not any(row["error"] for row in rows.values())
    assert "conditional=True" in rows["sap.continuous"]["convention"]
    assert all("conditional" not in rows[name]["convention"] for name in ("sap", "sap.tree"))


def test_continuous_factors_are_named_where_they_are_binned():
    rng = np.random.default_rng(0)
    factors = np.column_stack([rng.integers(3, size=400), rng.random(400)])
    told = held(codes=factors + 0.1, factors=factors, names=("shape", "x"), label="")
    (row,) = rows_of(told, "mig")
    assert row["convention"].endswith("factors=shape,x; in 20 equal-width bins=x")
    linear = next(row for row in rows_of(told, "r2") if row["metric"] == "r2.linear.mean")
    assert "bins" not in linear["convention"]


def test_what_is_left_out_or_doubtful_is_a_warning():
    factors = np.column_stack([FACTORS, np.full(len(FACTORS), 7), np.arange(len(FACTORS))])
    (row,) = rows_of(held(codes=FACTORS * 1.0, factors=factors, names=tuple("abcde")), "mig")
    assert "d has a single value and is left out" in row["warning"]
    assert "column 3 has 240 whole numbers in 240 rows, and each is a class of its own" in row["warning"]
    (row,) = rows_of(held(factors=np.zeros((240, 1), int), names=("a",), label=""), "mig")
    assert "factors: each has a single value" in row["error"]


def test_arrays_of_the_wrong_kind_are_refused_by_key(tmp_path):
    for extra, message in [
        ({"label": FACTORS[:, 0]}, "`label` must be the name of the factor that is the class"),
        ({"sd": np.full(FACTORS.shape, -1.0)}, "`sd` must not be negative, got -1: are these logarithms"),
        ({"factors": FACTORS[:, 0]}, r"no array `factors` of shape \(n, f\), got \(240,\)"),
    ]:
        np.savez(tmp_path / "c.npz", **{"codes": FACTORS * 1.0, "factors": FACTORS, **extra})
        with pytest.raises(ValueError, match=message):
            read_codes(tmp_path / "c.npz")
