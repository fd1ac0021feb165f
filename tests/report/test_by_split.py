"""Numbers of splits of the images: apart from those of all images, each with a name and words of its own."""

from __future__ import annotations

import pytest

from disentangle_bench.report import load, milestones, report
from disentangle_bench.report._frame import unnamed
from disentangle_bench.report.density import refuse
from disentangle_bench.report.glossary import choose, family, in_order, meaning
from disentangle_bench.report.tables import boards, long
from disentangle_bench.schema import named

NAMES = [
    ("mig", "all", "all", "mig"),
    ("dci.completeness", "z_c+z", "all", "dci.completeness [z_c+z]"),
    ("mig", "all", "train", "mig {train}"),
    ("nmi.kmeans", "z", "held-out", "nmi.kmeans [z] {held-out}"),
]


@pytest.fixture
def shifted(folder):
    """Two seeds of a model on shifted data, one of them without a number of a split."""
    for seed in range(2):
        run = folder.run("betavae", "dsprites(holdout=shape:2)", seed, scores={"mig": 0.5, "kl": 9.0})
        folder.score(run, "mig", 0.25, split="train")
        folder.score(run, "mig", 0.125 if seed else None, split="held-out", error="" if seed else "undefined: no")
        folder.score(run, "mig", 0.75, block="z", split="train")
    return folder


@pytest.mark.parametrize(("metric", "block", "split", "name"), NAMES)
def test_a_name_says_metric_block_and_split(metric, block, split, name) -> None:
    assert named(metric, block, split) == name and unnamed(name) == (metric, block, split)


def test_splits_do_not_mix_into_the_numbers_of_all_images(shifted) -> None:
    frame = load(shifted.write())
    assert frame.groupby("metric")["value"].mean().to_dict() == {
        "kl": 9.0,
        "mig": 0.5,
        "mig [z] {train}": 0.75,
        "mig {held-out}": 0.125,
        "mig {train}": 0.25,
    }
    refuse(frame)
    (board,) = boards(frame)
    assert list(board.cells)[:2] == ["mig", "kl"] and board.cells.loc["betavae", "mig"] == "0.500 ± 0.000"
    numbers = long(frame).set_index("metric")
    assert numbers.loc["mig", "mean"] == 0.5 and numbers.loc["mig {train}", "mean"] == 0.25


def test_a_split_twice_is_refused(shifted) -> None:
    shifted.score(shifted.runs[0]["run"], "mig", 0.5, split="train")
    with pytest.raises(ValueError, match=r"duplicate scores: mig \{train\} of run"):
        refuse(load(shifted.write()))


def test_a_split_is_chosen_by_name(shifted) -> None:
    names = load(shifted.write())["metric"].unique()
    assert choose(None, names) == ["mig", "kl"]
    assert choose(["mig {train}"], names) == ["mig {train}"]
    with pytest.raises(ValueError, match=r"did you mean 'mig \{train\}'"):
        choose(["mig {trian}"], names)


def test_splits_that_were_asked_for_agree_or_do_not(folder) -> None:
    for seed in range(5):
        run = folder.run("vae", "dsprites", seed, scores={"mig": 0.5})
        for metric, value in (("mig", seed / 10), ("sap", seed / 20)):
            folder.score(run, metric, value, split="train")
    text = report(folder.write(), ["mig {train}", "sap {train}"]).read_text(encoding="utf-8")
    assert "not drawn" not in text and "Do the metrics agree?" in text


def test_splits_follow_all_images() -> None:
    names = [
        "kl {train}",
        "mig {held-out}",
        "mig [z] {train}",
        "dci.completeness",
        "mig",
        "mig {train}",
        "mig [z]",
        "kl",
    ]
    assert in_order(names) == [
        *("mig", "mig [z]", "mig {train}", "mig [z] {train}", "mig {held-out}"),
        *("dci.completeness", "kl", "kl {train}"),
    ]


def test_a_split_has_the_words_of_its_metric_and_its_own() -> None:
    assert family("dci.completeness [z] {train}") == "dci [z] {train}"
    whole, train, unseen = (meaning(f"kl{split}") for split in ("", " {train}", " {held-out}"))
    assert train.text == f"{whole.text} Here of images as training drew them." and train.unit == "nats / image"
    assert unseen.text.endswith("Here of images that training never drew.") and unseen.bounds == whole.bounds
    assert meaning("jemmig {train}").text.startswith(meaning("jemmig").text)  # a metric that speaks for itself


def test_milestones_of_a_split_end_in_its_final_number(shifted) -> None:
    run = shifted.runs[0]["run"]
    shifted.milestone(run, 100, "mig", 0.1)
    shifted.milestone(run, 100, "mig", 0.2, split="train")
    frame = milestones(shifted.write())
    values = {name: group["value"].tolist() for name, group in frame.groupby("metric")}
    assert values["mig"] == [0.1, 0.5] and values["mig {train}"] == [0.2, 0.25]


def test_splits_have_columns_of_their_own_beside_all_units(shifted) -> None:
    (board,) = boards(load(shifted.write()))
    assert list(board.blocks) == ["metric", "model", "all units", "train", "z {train}", "held-out"]
    cells = ["0.500 ± 0.000", "0.250 ± 0.000", "0.750 ± 0.000", "0.125 (n=1)"]
    assert board.blocks.to_numpy().tolist() == [["mig ↑", "betavae", *cells]]
    assert "no mig {held-out}: betavae on dsprites(holdout=shape:2) (official), seed 0: undefined: no" in board.notes
