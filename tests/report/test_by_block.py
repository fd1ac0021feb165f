"""Numbers of blocks of codes: apart from those of all units, in a table of their own."""

from __future__ import annotations

import pandas as pd
import pytest

from disentangle_bench.report import load
from disentangle_bench.report.tables import latex, long, markdown


def two_models(folder) -> None:
    """A model with blocks in two seeds, one of which lost a number of a block; one without, and a control."""
    for seed in range(2):
        run = folder.run("mcevae", "dsprites", seed, scores={"mig": 0.5, "kl": 9.0})
        for block, value, columns in [("z_c", 0.125 + seed / 4, "1-10"), ("z", None if seed else 0.75, "11-13")]:
            convention = f"bins=20; codes=mean, block {block} (columns {columns} of 16)"
            folder.score(run, "mig", value, block=block, convention=convention, error="" if value else "ValueError: no")
        folder.run("betavae", "dsprites", seed, scores={"mig": 0.25, "kl": 5.0})
    folder.run("oracle", "dsprites", 0, scores={"mig": 1.0})


def test_blocks_do_not_mix_into_the_numbers_of_all_units(folder) -> None:
    two_models(folder)
    board = folder.board()
    assert list(board.cells) == ["mig", "kl"] and board.cells.loc["mcevae", "mig"] == "0.500 ± 0.000"
    numbers = long(load(folder.path)).set_index(["label", "metric"])
    assert numbers.loc[("mcevae", "mig"), "n"] == 2 and numbers.loc[("mcevae", "mig"), "mean"] == 0.5
    assert numbers.loc[("mcevae", "mig [z_c]"), "mean"] == 0.25
    assert "| mig ↑ | kl |" in markdown(board) and "z_c" not in latex(board).split("bottomrule")[0]


def test_blocks_have_a_table_of_their_own(folder) -> None:
    two_models(folder)
    board = folder.board()
    assert list(board.blocks) == ["metric", "model", "all units", "z", "z_c"]
    assert board.blocks.to_numpy().tolist() == [["mig ↑", "mcevae", "0.500 ± 0.000", "0.750 (n=1)", "0.250 ± 0.177"]]
    assert "#### By block" in markdown(board) and "| mig ↑ | mcevae | 0.500 ± 0.000 |" in markdown(board)
    assert folder.board(["kl"]).blocks.empty and "By block" not in markdown(folder.board(["kl"]))


def test_a_block_that_a_model_has_not_is_no_gap_and_a_failed_one_is(folder) -> None:
    two_models(folder)
    assert folder.board().notes == ["no mig [z]: mcevae on dsprites (official), seed 1: ValueError: no"]


def test_blocks_can_be_chosen_by_name(folder) -> None:
    two_models(folder)
    board = folder.board(["mig [z_c]"])
    assert list(board.cells) == ["mig [z_c]"] and board.cells["mig [z_c]"].tolist() == ["–", "0.250 ± 0.177", "–"]
    assert "| mig [z_c] ↑ |" in markdown(board)
    with pytest.raises(ValueError, match=r"did you mean 'mig \[z_c\]'"):
        folder.board(["mig [zc]"])


def test_columns_of_a_block_may_differ_between_models_and_nothing_else(folder) -> None:
    for latents, bins in ((3, 20), (4, 20)):
        run = folder.run("mcevae", "dsprites", 0, latents=latents, scores={"mig": 0.5})
        told = f"bins={bins}; codes=mean, block z (columns 1-{latents} of 9)"
        folder.score(run, "mig", 0.5, block="z", convention=told)
    assert folder.board().notes == []
    folder.scores[-1]["convention"] = "bins=10; codes=mean, block z (columns 1-4 of 9)"
    (note,) = folder.board().notes
    assert note.startswith("mixed conventions: mig [z] on dsprites (official)")


def test_a_warning_of_all_units_is_not_told_again_of_blocks(folder) -> None:
    run = folder.run("mcevae", "dsprites", 0)
    for metric, block in [("mig", "all"), ("mig", "z"), ("sap", "z")]:
        folder.score(run, metric, 0.5, block=block, warning="factors 0 and 1 depend on each other")
    folder.score(run, "sap", 0.5)
    (note,) = folder.board().notes
    assert note == "warning: mig, sap [z] on dsprites (official): factors 0 and 1 depend on each other"


def test_one_block_twice_is_refused(folder) -> None:
    run = folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    for _ in range(2):
        folder.score(run, "mig", 0.5, block="z")
    with pytest.raises(ValueError, match=rf"duplicate scores: mig \[z\] of run {run}"):
        folder.board()


def test_tables_from_before_there_were_blocks_are_of_all_units(folder) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    path = folder.write()
    pd.read_parquet(path / "scores.parquet").drop(columns=["block", "warning"]).to_parquet(path / "scores.parquet")
    frame = load(path)
    assert frame["block"].tolist() == ["all"] and frame["metric"].tolist() == ["mig"]
