"""What a table lacks is named, and what does not belong in one table is refused."""

from __future__ import annotations

import re

import pytest

from disentangle_bench.report import load
from disentangle_bench.report.density import gaps, not_run, seeds_text
from disentangle_bench.report.tables import latex, markdown


def test_missing_cells_are_named(folder) -> None:
    for seed in range(4):
        folder.run("betavae", "dsprites", seed, scores={"mig": 0.5})
        folder.run("betavae", "digits", seed, scores={"mig": 0.5})
    folder.run("mcevae", "dsprites", 1, scores={"mig": 0.5})
    folder.run("oracle", "dsprites", 0, scores={"mig": 0.5})
    frame = load(folder.write())
    assert gaps(frame, "dsprites", "official", ["mig"]) == ["missing: mcevae on dsprites (official), seeds 0, 2–3"]
    assert gaps(frame, "digits", "official", ["mig"]) == ["missing: mcevae, oracle on digits (official), all seeds"]


def test_failed_and_diverged_runs_are_named_and_not_missing(folder) -> None:
    folder.run("betavae", "dsprites", 0, scores={"mig": 0.5})
    folder.run("betavae", "dsprites", 1, scores={"mig": 0.5})
    folder.run("mcevae", "dsprites", 0, status="failed", error="RuntimeError: too big\nTraceback")
    folder.run("mcevae", "dsprites", 1, status="diverged")
    board = folder.board()
    assert board.notes == [
        "failed: mcevae on dsprites (official), seed 0: RuntimeError: too big",
        "diverged: mcevae on dsprites (official), seed 1",
    ]
    assert all(note in markdown(board) and note.replace("_", r"\_") in latex(board) for note in board.notes)
    assert board.cells.loc["mcevae", "mig"] == "–" and board.seeds["mcevae"] == 0


def test_missing_numbers_are_named_with_their_error(folder) -> None:
    runs = [folder.run("mcevae", "dsprites", seed, scores={"mig": 0.5}) for seed in range(4)]
    folder.score(runs[0], "sap", 0.2)
    folder.score(runs[1], "sap", None, error="ValueError: one class")
    folder.score(runs[2], "sap", float("inf"))
    folder.run("betavae", "dsprites", 0, scores={"mig": 0.4})  # never had a sap: not a gap
    assert [note for note in folder.board().notes if "sap" in note] == [
        "no sap: mcevae on dsprites (official), seed 3",
        "no sap: mcevae on dsprites (official), seed 1: ValueError: one class",
        "no sap: mcevae on dsprites (official), seed 2: its value is inf",
    ]


def test_a_metric_that_no_run_has_is_named_with_its_error(folder) -> None:
    for seed in range(2):
        run = folder.run("vae", "dsprites", seed, scores={"mig": 0.5})
        folder.score(run, "sap", None, error="ValueError: one class")
    board = folder.board()
    assert list(board.cells) == ["mig"]
    assert board.notes == ["no sap: vae on dsprites (official), seeds 0–1: ValueError: one class"]
    assert not folder.board(["mig"]).notes


def test_runs_without_any_score_are_named(folder) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    folder.run("mcevae", "dsprites", 1)
    assert folder.board().notes == [
        "no scores: mcevae on dsprites (official), seed 1; `bench score FOLDER` computes them"
    ]


def test_mixed_conventions_and_images_are_named(folder) -> None:
    runs = [folder.run("mcevae", "dsprites", seed) for seed in range(2)]
    folder.score(runs[0], "mig", 0.5, convention="bins=20")
    folder.score(runs[1], "mig", 0.5, convention="bins=10")
    folder.runs[1]["dataset_sha256"] = "other"
    notes = folder.board().notes
    assert notes[0] == "mixed images: runs on dsprites (official) saw files with 2 checksums"
    assert re.match(r"mixed conventions: mig on .* bins=20 \(n = 3000\); bins=10", notes[1])


def test_budgets_that_labels_do_not_tell_are_named(folder) -> None:
    folder.run("vae", "dsprites", 0, scores={"mig": 0.5}, steps=100)
    folder.run("betavae", "dsprites", 0, scores={"mig": 0.5}, steps=5000)
    folder.run("noise", "dsprites", 0, scores={"mig": 0.5})
    told = "mixed budgets on dsprites (official): 5,000 steps of 64 images (betavae); 100 steps of 64 images (vae)"
    assert folder.board().notes == [told]
    folder.runs[1]["model"] = "vae"
    assert "mixed budgets" not in " ".join(folder.board().notes)  # vae (steps=100), vae (steps=5000)


def test_warnings_of_metrics_are_told_once(folder) -> None:
    runs = [folder.run("mcevae", "dsprites", seed) for seed in range(2)]
    for run in runs:
        for metric in ("mig", "sap"):
            folder.score(run, metric, 0.5, warning="factors 0 and 1 depend on each other")
    (note,) = folder.board().notes
    assert note == "warning: mig, sap on dsprites (official): factors 0 and 1 depend on each other"


def test_a_whole_table_has_no_gaps(folder) -> None:
    for seed in range(2):
        folder.run("mcevae", "dsprites", seed, scores={"mig": 0.5})
    folder.run("oracle", "dsprites", 0, scores={"mig": 0.5})  # controls may have fewer seeds
    assert folder.board().notes == []


def test_runs_that_were_asked_for_and_have_not_ended_are_named(folder) -> None:
    there = folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    asked = [
        {"run": run, "model": "mcevae", "dataset": "dsprites", "source": "official", "seed": seed}
        for seed, run in enumerate([there, "later", "latest"])
    ]
    assert not_run({"runs": asked}, load(folder.write())) == ["not run yet: mcevae on dsprites (official), seeds 1–2"]
    assert not_run({}, load(folder.write())) == []


def test_duplicate_runs_are_refused_by_name(folder) -> None:
    runs = [folder.run("betavae", "dsprites", 3, scores={"mig": 0.5}, beta=4.0) for _ in range(2)]
    with pytest.raises(ValueError, match=rf"runs {runs[0]}, {runs[1]}: .*betavae on dsprites \(official\), seed 3"):
        folder.board()


def test_a_run_without_a_seed_is_refused_by_name(folder) -> None:
    run = folder.run("betavae", "dsprites", 3, scores={"mig": 0.5})
    folder.runs[0]["seed"] = None
    with pytest.raises(ValueError, match=f"column 'seed': got none for runs {run}, expected an integer"):
        folder.board()


def test_a_failed_attempt_beside_a_finished_one_is_no_duplicate(folder) -> None:
    folder.run("betavae", "dsprites", 3, status="failed", error="killed")
    folder.run("betavae", "dsprites", 3, scores={"mig": 0.5})
    assert folder.board().cells.loc["betavae", "mig"] == "0.500"


def test_duplicate_scores_are_refused_by_name(folder) -> None:
    run = folder.run("betavae", "dsprites", 3, scores={"mig": 0.5})
    folder.score(run, "mig", 0.6)
    with pytest.raises(ValueError, match=f"duplicate scores: mig of run {run}"):
        folder.board()


def test_mixed_versions_are_refused_by_name(folder) -> None:
    runs = [folder.run("betavae", "dsprites", seed, scores={"sap": 0.5}) for seed in range(2)]
    folder.score(runs[0], "mig", 0.5)
    folder.score(runs[1], "mig", 0.5, version=2)
    with pytest.raises(ValueError, match=rf"'mig' .* version 1 \(runs {runs[0]}\), version 2 \(runs {runs[1]}\)"):
        folder.board()


@pytest.mark.parametrize(("seeds", "text"), [([2], "seed 2"), ([0, 1], "seeds 0–1"), ([5, 1, 2, 9], "seeds 1–2, 5, 9")])
def test_seeds_in_words(seeds: list[int], text: str) -> None:
    assert seeds_text(seeds) == text
