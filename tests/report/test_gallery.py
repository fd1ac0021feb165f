"""The gallery of a report: what is there is drawn, what is not leaves no figure, and crowds stay readable."""

from __future__ import annotations

import json

import numpy as np
import pytest

from disentangle_bench.report import load
from disentangle_bench.report._frame import finished
from disentangle_bench.report.gallery import GALLERY
from disentangle_bench.report.gallery_draws import CODES, FAMILIES
from disentangle_bench.report.glossary import choose

HERE = ("dsprites", "official")
ENTRIES = {entry.name: entry for entry in GALLERY}


def drawn(path, place=HERE) -> dict[str, list[str]]:
    """Suffixes of the figures of every entry that has any."""
    frame = load(path)
    metrics = choose(None, set(finished(frame)["metric"].dropna()))
    found = {
        name: [suffix for suffix, _ in entry.draw(frame, path, *place, metrics)] for name, entry in ENTRIES.items()
    }
    return {name: suffixes for name, suffixes in found.items() if suffixes}


def codes(path, run: str, clusters: bool = False) -> None:
    """Codes of two factors, one of which is the class."""
    factors = np.indices((3, 4, 5)).reshape(3, -1)[:2].T.astype(float)
    more = {"clusters": factors[:, 0].astype(int)} if clusters else {}
    folder = path / "runs" / run
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(
        folder / "codes.npz",
        mean=factors + np.random.default_rng(0).normal(0, 0.1, factors.shape),
        factors=factors,
        names=np.array(["shape", "size"]),
        label=np.array("shape"),
        blocks=np.array(json.dumps({"z": 2})),
        **more,
    )


def test_names_are_of_their_own_and_captions_say_how_to_read() -> None:
    assert len(ENTRIES) == len(GALLERY)
    for entry in GALLERY:
        assert entry.title and entry.caption.endswith(".") and 1 < entry.caption.count(". ") + 1 <= 4


def test_a_whole_folder_has_all_that_tables_can_show(original) -> None:
    found = drawn(original)
    assert {"heatmap", "comparison", "ranks", "improvement", "profiles", "variance", "agreement"} <= set(found)
    assert {"tradeoff", "cost"} <= set(found) and "matrices" not in found  # no run left its codes
    assert found["comparison"][:3] == ["mig", "dci", "sap"] and found["heatmap"] == [""]
    assert "sensitivity" not in found  # two values make no curve


def test_one_run_has_its_scores_and_nothing_to_compare_with(folder) -> None:
    run = folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5, "reconstruction": 50.0})
    path = folder.write()
    assert set(drawn(path)) == {"heatmap", "comparison", "tradeoff", "cost"}
    codes(path, run, clusters=True)
    assert set(drawn(path)) >= {"matrices", "clusters", "embedding"}


def test_controls_have_matrices_alone(folder) -> None:
    run = folder.run("oracle", "dsprites", 0, scores={"mig": 0.9})
    path = folder.write()
    codes(path, run, clusters=True)
    assert set(drawn(path)) == {"heatmap", "comparison", "matrices"}


@pytest.mark.parametrize("status", ["failed", "diverged"])
def test_failures_alone_have_no_figures(folder, status: str) -> None:
    folder.run("mcevae", "dsprites", 0, status=status, error="it broke")
    assert drawn(folder.write()) == {}


def test_numbers_that_are_none_are_not_drawn(folder) -> None:
    run = folder.run("mcevae", "dsprites", 0, scores={"mig": float("nan")})
    folder.score(run, "sap", None, error="undefined: one code")
    assert drawn(folder.write()) == {}


def test_a_swept_parameter_has_a_figure(folder) -> None:
    for beta in (1.0, 2.0, 4.0):
        folder.run("betavae", "dsprites", 0, scores={"mig": beta / 10}, beta=beta)
    assert drawn(folder.write())["sensitivity"] == ["betavae beta"]


def test_codes_are_those_of_the_lowest_finished_seed(folder) -> None:
    folder.run("mcevae", "dsprites", 0, status="failed", error="it broke")
    runs = [folder.run("mcevae", "dsprites", seed, scores={"mig": 0.5}) for seed in (2, 1)]
    path = folder.write()
    for run in runs:
        codes(path, run)
    frame = load(path)
    ((label, figure),) = ENTRIES["matrices"].draw(frame, path, *HERE, ["mig"])
    assert label == "mcevae" and figure.get_suptitle().startswith("mcevae, seed 1\n")


@pytest.mark.thorough
def test_crowds_have_fewer_figures(folder) -> None:
    metrics = [
        "mig",
        "sap",
        "modularity",
        "explicitness",
        "irs",
        "betavae_score",
        "factorvae_score",
        "udr",
        "mcc",
        "rmig",
    ]
    runs = [
        folder.run("betavae", "dsprites", 0, scores=dict.fromkeys(metrics, beta / 100), beta=float(beta))
        for beta in range(1, 15)
    ]
    path = folder.write()
    for run in runs:
        codes(path, run)
    found = drawn(path)
    assert len(found["comparison"]) == FAMILIES < len(metrics) and "mig" in found["comparison"]
    assert len(found["matrices"]) == 1 < CODES  # the middle one of the model


def test_only_the_metrics_that_were_asked_for(original) -> None:
    frame = load(original)
    found = ENTRIES["comparison"].draw(frame, original, *HERE, ["dci.completeness", "sap"])
    assert [suffix for suffix, _ in found] == ["dci", "sap"]
    assert len(found[0][1].axes) == 1
    cells = ENTRIES["heatmap"].draw(frame, original, *HERE, ["sap"])[0][1].axes[0]
    assert [tick.get_text() for tick in cells.get_xticklabels()] == ["sap ↑"]


def test_one_seed_each_wins_nothing_and_has_no_variance(folder) -> None:
    for k, model in enumerate(["vae", "betavae", "factorvae"]):
        folder.run(model, "dsprites", 0, scores={"mig": k / 10, "sap": k / 20})
    found = drawn(folder.write())
    assert {"ranks", "agreement"} <= set(found) and not {"improvement", "profiles", "variance"} & set(found)
