"""Blocks of codes: which are scored, on which columns, under which name, and never twice."""

import json

import numpy as np
import pytest

from disentangle_bench.metrics import cluster_accuracy, dci, mig, mig_posterior
from disentangle_bench.runner import run as runner
from disentangle_bench.runner.codes import CodeFile, chosen, lacking, read_codes, words
from disentangle_bench.runner.plan import Study
from disentangle_bench.runner.score import compute, fill, kmeans, plan_rows
from disentangle_bench.runner.store import Store

FACTORS = np.indices((3, 4, 5)).reshape(3, -1).T.repeat(4, 0)
CODES = np.column_stack([FACTORS, FACTORS[:, :2] + FACTORS[:, 1:], FACTORS[:, 0] ** 2]) + 0.0
BLOCKS = {"z_c": 3, "z": 2, "tau": 1}


def held(**changes):
    return CodeFile(**{"codes": CODES, "factors": FACTORS, "names": ("a", "b", "c"), "blocks": BLOCKS, **changes})


def rows_of(codes, blocks, *metrics):
    calls = plan_rows(codes, list(metrics), {}, words(blocks))
    return {(row["metric"], row["block"]): row for wanted in calls for row in compute(codes, wanted)}


def save(path, **changes):
    np.savez(path, **{"codes": CODES, "factors": FACTORS, "blocks": json.dumps(BLOCKS), **changes})
    return path


def test_values_are_those_of_the_metric_on_the_columns():
    rows = rows_of(held(), "each,z_c+tau", "mig", "dci")
    for block, columns in {"all": range(6), "z_c": range(3), "z": (3, 4), "z_c+tau": (0, 1, 2, 5)}.items():
        assert rows["mig", block]["value"] == mig(CODES[:, columns], FACTORS)
        assert rows["dci.completeness", block]["value"] == dci(CODES[:, columns], FACTORS).completeness
    assert {block for _, block in rows} == {"all", "z_c", "z", "tau", "z_c+tau"}


def test_without_blocks_nothing_changes():
    assert list(rows_of(held(), "", "mig")) == [("mig", "all")]
    (with_blocks, *_), (without,) = rows_of(held(), "each", "mig").values(), rows_of(held(), "", "mig").values()
    assert {**with_blocks, "seconds": 0} == {**without, "seconds": 0}


def test_the_convention_names_the_columns():
    rows = rows_of(held(kind="mean", label="a"), "z_c+tau,z", "mig", "nmi")
    assert "codes=mean; " in rows["mig", "all"]["convention"]
    assert "codes=mean, block z (columns 4-5 of 6); " in rows["mig", "z"]["convention"]
    assert "codes=mean, block z_c+tau (columns 1-3, 6 of 6); " in rows["mig", "z_c+tau"]["convention"]
    assert rows["nmi.kmeans", "z"]["convention"].endswith("labels=a; codes=mean, block z (columns 4-5 of 6)")
    assert "codes=" not in rows["nmi.kmeans", "all"]["convention"]


def test_clusters_of_a_block_are_kmeans_on_it_and_the_models_own_belong_to_the_whole():
    rows = rows_of(held(label="a", clusters=FACTORS[:, 0]), "each", "cluster_accuracy")
    assert {block for metric, block in rows if metric == "cluster_accuracy.own"} == {"all"}
    expected = cluster_accuracy(FACTORS[:, 0], kmeans(CODES[:, 3:5], 3))
    assert rows["cluster_accuracy.kmeans", "z"]["value"] == expected


def test_noise_is_asked_of_the_block_alone():
    """As of CatVAE: q(c|x) has none, so that the whole code has no posterior to draw from."""
    sd = np.full(CODES.shape, 0.1)
    sd[:, 3:] = 0
    rows = rows_of(held(sd=sd), "each", "mig_posterior")
    assert list(rows) == [("mig_posterior", "z_c")]
    assert rows["mig_posterior", "z_c"]["value"] == mig_posterior(CODES[:, :3], sd[:, :3], FACTORS)


def test_a_metric_that_needs_two_columns_leaves_its_error_for_a_block_of_one():
    rows = rows_of(held(), "each", "mig", "explicitness")
    assert rows["mig", "tau"]["value"] is None and rows["mig", "tau"]["error"].startswith("undefined: codes: ")
    assert rows["explicitness", "tau"]["error"] == ""


def test_each_leaves_out_the_whole_code_and_a_name_does_not():
    whole = held(blocks={"z": 6})
    assert list(rows_of(whole, "each", "mig")) == [("mig", "all")]
    assert list(rows_of(whole, "z", "mig")) == [("mig", "all"), ("mig", "z")]


def test_blocks_that_a_code_lacks_leave_no_row():
    assert chosen(["z", "y", "z+y"], BLOCKS) == ["z"]
    assert chosen(["each", "z", "z+tau"], BLOCKS) == ["z_c", "z", "tau", "z+tau"]


@pytest.mark.parametrize(
    ("asked", "told"), [("", []), ("all", []), (" z_c, z+z ,z_c", ["z_c", "z"]), (("each", "z+tau"), ["each", "z+tau"])]
)
def test_words(asked, told):
    assert words(asked) == told


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("z_d", "--blocks z_d: unknown block 'z_d'; did you mean 'z_c'? known: z_c, z, tau, c"),
        ("z+taw", "--blocks z+taw: unknown block 'taw'; did you mean 'tau'? known: z_c, z, tau, c"),
        ("z_c+c", "--blocks z_c+c: no code has all of these blocks"),
        ("each,c,z_c+z", ""),
    ],
)
def test_names_that_no_code_has(asked, message):
    assert lacking(words(asked), [BLOCKS, {"z": 4, "c": 2}]) == message


def test_where_there_is_only_the_whole():
    assert lacking(["each"], [{"z": 4}, {}]) == "--blocks each: the whole code is the only block here"
    assert lacking(["z"], [{}]) == "--blocks z: the whole code is the only block here"
    assert lacking(["z"], []) == lacking([], [{}]) == ""


def test_nothing_is_computed_twice_and_blocks_are_told_apart():
    rows = fill(held(), ["mig"], {}, [], ["each"])
    assert [row["block"] for row in rows] == ["all", "z_c", "z", "tau"]
    kept = [{**row, "value": 0.123} for row in rows if not row["error"]]
    again = fill(held(), ["mig"], {}, kept, ["each", "z_c+z"])
    assert [(row["block"], row["value"] == 0.123) for row in again] == [
        ("all", True),
        ("z_c", True),
        ("z", True),
        ("tau", False),  # an error is tried again
        ("z_c+z", False),
    ]
    assert fill(held(), ["mig"], {}, kept) == kept
    other = fill(held(blocks={"z_c": 2, "z": 3, "tau": 1}), ["mig"], {}, kept, ["z_c"])
    assert [row["value"] == 0.123 for row in other] == [True, True, False]  # all, z, and z_c of other columns


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ("z_c", "`blocks` must be a JSON text of names and widths, such as {\"z\": 10}, got 'z_c'"),
        ('{"z": 1.5}', "`blocks` must be a JSON text"),
        ('{"z": 7}', "`blocks` are 7 columns, the codes have 6"),
        ('{"all": 6}', "`blocks` cannot have the name 'all'"),
        ('{"z+c": 6}', "`blocks` cannot have the name 'z+c'"),
        ('{"z {train}": 6}', "`blocks` cannot have the name 'z {train}'"),
    ],
)
def test_blocks_that_make_no_sense_are_refused(tmp_path, blocks, message):
    with pytest.raises(ValueError) as error:
        read_codes(save(tmp_path / "c.npz", blocks=blocks))
    assert message in str(error.value) and "c.npz" in str(error.value)


def test_blocks_of_a_file(tmp_path):
    assert read_codes(save(tmp_path / "c.npz")).blocks == BLOCKS
    assert read_codes(save(tmp_path / "c.npz", blocks='{"z": 6, "tau": 0}')).blocks == {"z": 6}


def test_a_run_is_the_same_whatever_blocks_are_scored():
    (one,), (other,) = (Study(["vae"], ["toy"], [0], steps=5, blocks=b).runs() for b in ((), ("each",)))
    assert one.id == other.id


def test_a_plan_takes_a_single_name(tmp_path):
    assert runner.plan([], Store(tmp_path), study="s", blocks="each").blocks == ["each"]
