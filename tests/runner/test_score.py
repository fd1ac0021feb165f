"""From codes to rows: what is called, how it is named, and what happens when a metric cannot be computed."""

import numpy as np
import pytest

from disentangle_bench.metrics import cluster_accuracy, mig, sap
from disentangle_bench.runner.score import CodeFile, compute, counted, fill, kmeans, plan_rows, read_codes

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
    machine, line = (row["convention"] for row in rows_of(held(), "sap"))
    assert "split" in machine and "least_variance" not in machine
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
