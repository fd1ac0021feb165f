"""Leaderboards: labels, bold, and what is apart."""

from __future__ import annotations

import pandas as pd
import pytest

from disentangle_bench.report import load
from disentangle_bench.report.glossary import GLOSSARY, choose, in_order, meaning
from disentangle_bench.report.tables import boards, latex, long, long_latex, long_markdown, markdown, spelt, wide

# Labels


def test_a_label_holds_the_parameters_that_differ(folder) -> None:
    for seed in range(2):
        for beta in (1.0, 8.0):
            folder.run("betavae", "dsprites", seed, beta=beta, latents=10)
        folder.run("mcevae", "dsprites", seed, group="se2")
    frame = load(folder.write())
    assert sorted(set(frame["label"])) == ["betavae (beta=1)", "betavae (beta=8)", "mcevae"]


def test_a_parameter_that_follows_the_data_set_is_no_label(folder) -> None:
    folder.run("mcevae", "dsprites", 0, classes=3)
    folder.run("mcevae", "digits", 0, classes=10)
    assert set(load(folder.write())["label"]) == {"mcevae"}


def test_one_label_for_one_configuration_on_all_data_sets(folder) -> None:
    """beta is swept on one data set alone; the other has the same name for the same thing."""
    for beta in (1.0, 8.0):
        folder.run("betavae", "dsprites", 0, beta=beta)
    folder.run("betavae", "digits", 0, beta=8.0)
    frame = load(folder.write())
    assert set(frame.loc[frame["dataset"] == "digits", "label"]) == {"betavae (beta=8)"}


def test_steps_tell_apart_too(folder) -> None:
    folder.run("betavae", "dsprites", 0, steps=100)
    folder.run("betavae", "dsprites", 0, steps=2000)
    assert set(load(folder.write())["label"]) == {"betavae (steps=100)", "betavae (steps=2000)"}


def test_a_parameter_that_some_runs_lack_tells_apart_too(folder) -> None:
    """Else both were one label, and a leaderboard would show the numbers of the last alone."""
    for seed in range(2):
        folder.run("betavae", "dsprites", seed, scores={"mig": 0.25}, beta=1.0)
        folder.run("betavae", "dsprites", seed + 2, scores={"mig": 0.75})
    assert folder.board().cells["mig"].to_dict() == {"betavae": "0.750 ± 0.000", "betavae (beta=1)": "0.250 ± 0.000"}


def test_one_number_written_in_two_ways_is_one_configuration(folder) -> None:
    folder.run("betavae", "dsprites", 0, scores={"mig": 0.25}, beta=1)
    folder.run("betavae", "dsprites", 1, scores={"mig": 0.75}, beta=1.0)
    assert folder.board().cells["mig"].to_dict() == {"betavae": "0.500 ± 0.354"}


def test_labels_sort_their_numbers_by_size(folder) -> None:
    for beta in (16.0, 2.0, 1e-5, 100.0, -1.0):
        folder.run("betavae", "dsprites", 0, scores={"mig": 0.1}, beta=beta)
    board = folder.board()
    assert [label.partition("=")[2] for label in board.cells.index] == ["-1)", "1e-05)", "2)", "16)", "100)"]
    assert list(long(load(folder.path))["label"]) == list(board.cells.index)


# Cells


def test_cells_by_hand(folder) -> None:
    for seed, value in enumerate([0.1, 0.3]):
        folder.run("betavae", "dsprites", seed, scores={"mig": value, "reconstruction": 30.0 + seed})
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.25})
    board = folder.board()
    assert board.title == "dsprites (official), 10,000 steps of 64 images"
    assert board.cells.loc["betavae"].to_dict() == {"mig": "0.200 ± 0.141", "reconstruction": "30.5 ± 0.7"}
    assert board.cells.loc["mcevae"].to_dict() == {"mig": "0.250", "reconstruction": "–"}
    assert board.seeds == {"betavae": 2, "mcevae": 1}


def test_a_cell_with_fewer_seeds_than_its_row_says_so(folder) -> None:
    for seed in range(3):
        folder.run("mcevae", "dsprites", seed, scores={"mig": 0.5} | ({"sap": 0.25} if seed else {}))
    assert folder.board().cells.loc["mcevae"].to_dict() == {"mig": "0.500 ± 0.000", "sap": "0.250 ± 0.000 (n=2)"}


def test_best_is_highest_or_lowest_and_never_a_control(folder) -> None:
    folder.run("betavae", "dsprites", 0, scores={"mig": 0.2, "reconstruction": 20.0, "kl": 5.0})
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.4, "reconstruction": 30.0, "kl": 9.0})
    folder.run("oracle", "dsprites", 0, scores={"mig": 1.0})
    folder.run("pca", "dsprites", 0, scores={"mig": 0.1, "reconstruction": 10.0})
    board = folder.board()
    bold = {(label, metric) for label in board.best.index for metric in board.best if board.best.loc[label, metric]}
    assert bold == {("mcevae", "mig"), ("betavae", "reconstruction")}  # kl has no better direction
    assert "| **0.400** | 30.0 | 9.00 |" in markdown(board)
    assert r"\textbf{0.400} & 30.0 & 9.00" in latex(board) and r"0.200 & \textbf{20.0} & 5.00" in latex(board)


def test_bold_is_all_that_enough_seeds_do_not_tell_apart(folder) -> None:
    """From five seeds on: near beats far by nothing, top beats bottom always; two seeds are never told apart."""
    near = [0.50, 0.52, 0.54, 0.56, 0.58]
    scores = {"betavae": near, "vae": [x - 0.005 for x in near], "mcevae": [x - 0.3 for x in near], "aae": [0.55, 0.50]}
    for model, values in scores.items():
        for seed, value in enumerate(values):
            folder.run(model, "dsprites", seed, scores={"mig": value, "reconstruction": 100 - 100 * value})
    best = folder.board().best
    assert best["mig"].to_dict() == {"aae": False, "betavae": True, "mcevae": False, "vae": True}
    assert best["reconstruction"].to_dict() == {"aae": False, "betavae": True, "mcevae": False, "vae": True}


def test_with_few_seeds_bold_is_the_best_mean_alone(folder) -> None:
    for seed in range(4):
        folder.run("betavae", "dsprites", seed, scores={"mig": 0.5 + 0.1 * seed})
        folder.run("vae", "dsprites", seed, scores={"mig": 0.49 + 0.1 * seed})
    board = folder.board()
    assert board.best["mig"].to_dict() == {"betavae": True, "vae": False}
    assert "With fewer than 5 seeds bold is the best mean alone" in markdown(board)
    assert "With fewer than 5 seeds bold is the best mean alone" in latex(board)


def test_what_prints_alike_ties(folder) -> None:
    folder.run("betavae", "dsprites", 0, scores={"mig": 0.40001})
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.4})
    assert not folder.board().best["mig"].any()  # nobody is best where all are alike
    folder.run("vae", "dsprites", 0, scores={"mig": 0.3})
    best = folder.board().best["mig"]
    assert best["betavae"] and best["mcevae"] and not best["vae"]


def test_controls_come_last_and_apart(folder) -> None:
    for model in ("pca", "oracle", "zvae", "noise", "betavae", "untrained"):
        folder.run(model, "dsprites", 0, scores={"mig": 0.5})
    board = folder.board()
    assert list(board.cells.index) == ["betavae", "zvae", "oracle", "noise", "untrained", "pca"]
    assert board.controls == ["oracle", "noise", "untrained", "pca"]
    body = latex(board).split(r"\midrule")
    assert len(body) == 3 and "zvae" in body[1] and "oracle" in body[2]


def test_metrics_can_be_chosen_by_name_and_family(folder) -> None:
    scores = {"sap": 0.1, "dci.completeness": 0.2, "dci.disentanglement": 0.3, "mig": 0.4}
    folder.run("mcevae", "dsprites", 0, scores=scores)
    assert list(folder.board().cells) == ["mig", "dci.disentanglement", "dci.completeness", "sap"]
    assert list(folder.board(["dci", "sap"]).cells) == ["dci.disentanglement", "dci.completeness", "sap"]
    assert list(folder.board(["dci.completeness"]).cells) == ["dci.completeness"]
    with pytest.raises(ValueError, match="did you mean 'mig'"):
        folder.board(["migg"])


def test_arrows_say_which_way_is_better(folder) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.4, "reconstruction": 30.0, "kl": 9.0, "my_own": 1.0})
    text = markdown(folder.board())
    assert "| mig ↑ | reconstruction ↓ | kl | my_own |" in text
    assert r"mig $\uparrow$ & reconstruction $\downarrow$ & kl & my\_own \\" in latex(folder.board())


def test_latex_is_escaped(folder) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.4})
    folder.run("betavae", "dsprites", 0, status="failed", error="KeyError: {a_b} is 5% of $x\\y")
    assert r"KeyError: \{a\_b\} is 5\% of \$x\textbackslash{}y" in latex(folder.board())


def test_wide_and_long_hold_every_data_set(original) -> None:
    frame = load(original)
    table = wide(boards(frame, ["mig"]))
    assert list(table) == ["dataset", "source", "model", "seeds", "mig"]
    assert table.groupby("dataset").size().to_dict() == {"digits": 7, "dsprites": 7}
    numbers = long(frame, ["mig"])
    row = numbers[(numbers["dataset"] == "dsprites") & (numbers["label"] == "betavae (beta=8)")].iloc[0]
    own = frame[(frame["label"] == row["label"]) & (frame["dataset"] == "dsprites") & (frame["metric"] == "mig")]
    assert row["n"] == 6 and row["mean"] == pytest.approx(own["value"].mean()) and row["low"] < row["iqm"] < row["high"]


def test_the_long_table_as_text(folder) -> None:
    for seed in range(5):
        folder.run("my_vae", "dsprites", seed, scores={"mig": 0.1 * seed})
    folder.run("betavae", "dsprites", 0, scores={"mig": 0.4})
    table = long(load(folder.write()))
    text = spelt(table)
    assert list(text["model"]) == ["betavae", "my_vae"] and list(text["metric"]) == ["mig ↑", "mig ↑"]
    assert text.iloc[0, 3:].tolist() == ["1", "0.400", "–", "0.400", "–"]
    row = table.iloc[1]
    assert text.loc[1, "interval of the IQM"] == f"{row['low']:.3f} to {row['high']:.3f}"
    assert text.loc[1, "interval of the mean"] == f"{row['mean_low']:.3f} to {row['mean_high']:.3f}"
    assert "| dsprites (official) | mig ↑ | betavae | 1 | 0.400 | – | 0.400 | – |" in long_markdown(table)
    assert r"mig $\uparrow$ & my\_vae & 5 & 0.200 $\pm$ 0.158" in long_latex(table)


def test_a_folder_of_failures_only_names_them_all(folder) -> None:
    folder.run("vae", "dsprites", 0, status="failed", error="MemoryError: no room")
    folder.run("betavae", "dsprites", 1, status="diverged", error="loss is nan")
    board = folder.board()
    assert board.cells.shape == (2, 0) and board.seeds == {"betavae": 0, "vae": 0}
    assert board.notes[:2] == [
        "diverged: betavae on dsprites (official), seed 1: loss is nan",
        "failed: vae on dsprites (official), seed 0: MemoryError: no room",
    ]
    assert "failed: vae" in latex(board) and long(load(folder.path)).empty


def test_no_runs_make_no_boards(folder) -> None:
    assert boards(load(folder.write())) == []


def test_a_score_that_is_no_number_is_named_and_not_averaged(folder) -> None:
    for seed, value in enumerate([0.1, 0.3, float("nan"), float("-inf")]):
        folder.run("vae", "dsprites", seed, scores={"mig": value})
    board = folder.board()
    assert board.cells.loc["vae", "mig"] == "0.200 ± 0.141 (n=2)"
    assert sorted(note for note in board.notes if note.startswith("no mig")) == [
        "no mig: vae on dsprites (official), seed 2",
        "no mig: vae on dsprites (official), seed 3: its value is -inf",
    ]


# Glossary


def test_parts_go_by_their_family_and_strangers_have_no_direction() -> None:
    assert meaning("cluster_accuracy.own") is GLOSSARY["cluster_accuracy"]
    assert meaning("reconstruction").best == "low" and meaning("mig").bounds == (0.0, 1.0)
    assert meaning("my_own.score").best == "" and meaning("my_own.score").bounds == (None, None)


def test_families_stay_together() -> None:
    mixed = ["zeta", "dci.other", "sap.continuous", "kl", "dci.completeness", "sap", "alpha"]
    assert in_order(mixed) == ["dci.completeness", "dci.other", "sap", "sap.continuous", "kl", "alpha", "zeta"]
    assert choose(None, mixed) == in_order(mixed)
    blocks = ["dci.a [z]", "dci.completeness", "dci.completeness [z]", "dci.disentanglement", "dci.disentanglement [z]"]
    assert in_order(blocks) == [blocks[3], blocks[1], blocks[4], blocks[2], blocks[0]]
    assert choose(["dci"], blocks) == [blocks[3], blocks[1]] and choose(["dci [z]"], blocks) == in_order(blocks)[2:]
    assert meaning("dci.completeness [z]") is GLOSSARY["dci.completeness"]
    assert in_order(["accuracy.generated_100", "accuracy.generated_0", "accuracy.generated_40"]) == [
        f"accuracy.generated_{share}" for share in (0, 40, 100)
    ]


def test_a_single_run_makes_a_table(folder) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    board = folder.board()
    assert isinstance(board.cells, pd.DataFrame) and board.cells.loc["mcevae", "mig"] == "0.500"
    assert not board.best.loc["mcevae", "mig"]  # best of one says nothing
