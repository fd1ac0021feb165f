"""The page of folders that lack something, or hold what does not belong together: named on it, or refused."""

from __future__ import annotations

import dataclasses
import json
import re

import pandas as pd
import pytest
from typer.testing import CliRunner

from disentangle_bench import schema
from disentangle_bench.cli import app
from disentangle_bench.report import page_places, report
from disentangle_bench.runner.store import Store


def test_a_single_seed_and_nothing_else(folder) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    text = report(folder.write()).read_text(encoding="utf-8")
    assert "not whole" not in text and "0.500" in text and "below 5 seeds there are no intervals" in text
    assert "No pictures: mcevae on dsprites (official)." in text
    assert "Runs that did not finish" not in text and not re.search(r">\s*(nan|inf)\b", text, re.I)


@pytest.mark.thorough
def test_metrics_of_one_data_set_alone_and_of_controls_alone(folder) -> None:
    for seed in range(5):
        folder.run("mcevae", "dsprites", seed, scores={"mig": 0.5 + 0.01 * seed, "sap": 0.25})
        folder.run("betavae", "dsprites", seed, scores={"mig": 0.4 + 0.01 * seed, "sap": 0.2})
        folder.run("betavae", "digits", seed, scores={"mig": 0.3 + 0.01 * seed})
    folder.run("noise", "digits", 0, scores={"mig": 0.0, "irs": 0.1})
    text = report(folder.write()).read_text(encoding="utf-8")
    assert "not drawn" not in text and "digits (official)" in text and "0.100" in text


def test_nothing_but_failures_still_makes_a_page(folder) -> None:
    folder.run("mcevae", "dsprites", 0, status="failed", error="<b>OSError</b>: disk & all")
    text = report(folder.write()).read_text(encoding="utf-8")
    assert "No run on this data set has a number yet." in text
    assert "&lt;b&gt;OSError&lt;/b&gt;: disk &amp; all" in text and "<b>OSError" not in text


def test_an_empty_table_makes_a_page(folder) -> None:
    assert "No run has finished yet." in report(folder.write()).read_text(encoding="utf-8")


def test_an_unknown_metric_stops_before_anything_is_written(folder) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    with pytest.raises(ValueError, match="did you mean 'mig'"):
        report(folder.write(), ["mgi"])
    assert not (folder.path / "report").exists()


def test_a_number_that_is_none_is_named_and_not_averaged(folder) -> None:
    for seed, value in enumerate([0.25, float("nan"), float("inf")]):
        folder.run("mcevae", "dsprites", seed, scores={"mig": value, "sap": 0.5})
    text = report(folder.write()).read_text(encoding="utf-8")
    assert "no mig: mcevae on dsprites (official), seed" in text and "0.250" in text
    assert not re.search(r">\s*(nan|inf)\b", text)


def test_two_versions_of_a_metric_are_refused_and_the_old_page_stays(folder) -> None:
    runs = [folder.run("mcevae", "dsprites", seed, scores={"mig": 0.5}) for seed in range(2)]
    path = report(folder.write(), ["mig"])
    folder.scores[-1]["version"] = 2
    with pytest.raises(
        ValueError, match=rf"metric 'mig' is there as version 1 \(runs {runs[0]}\), version 2.*bench score"
    ):
        report(folder.write(), ["mig"])
    assert path.is_file()


def test_a_folder_without_tables_says_what_makes_some(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"holds no runs\.parquet; `bench run"):
        report(tmp_path)


def test_a_column_of_another_type_is_refused_by_name(folder) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    table = pd.read_parquet(folder.write() / "scores.parquet")
    table.astype({"value": "string"}).assign(value="a half").to_parquet(folder.path / "scores.parquet")
    with pytest.raises(ValueError, match="table 'scores', column 'value': expected Float64"):
        report(folder.path)


def test_a_half_finished_folder_names_what_has_not_run(folder) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    path = folder.write()
    planned = {"run": "f" * 12, "model": "betavae", "dataset": "dsprites", "source": "official", "seed": 3}
    (path / "study.json").write_text(json.dumps({"runs": [planned], "notes": ["<a look>"]}))
    text = report(path).read_text(encoding="utf-8")
    assert "not run yet: betavae on dsprites (official), seed 3" in text and "Budget: &lt;a look&gt;." in text


def test_a_figure_that_fails_costs_no_other(folder, monkeypatch) -> None:
    def broken(*_):
        raise ValueError("no such thing")

    first, *others = page_places.GALLERY
    monkeypatch.setattr(page_places, "GALLERY", [dataclasses.replace(first, draw=broken), *others])
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    path = report(folder.write(), ["mig"])
    assert "not drawn: ValueError: no such thing" in path.read_text(encoding="utf-8")
    assert (path.parent / "mig.dsprites-official.png").is_file()


def test_a_run_that_was_stopped_before_it_wrote_tables_has_a_report(folder) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    scores = [{key: value for key, value in row.items() if key != "run"} for row in folder.scores]
    record = {**folder.runs[0], "schema": schema.VERSION, "scores": scores, "milestones": []}
    Store(folder.path).open().save(record)
    result = CliRunner().invoke(app, ["report", str(folder.path), "--metrics", "mig", "--format", "png"])
    page = folder.path / "report" / "report.html"
    assert result.exit_code == 0 and str(page) in result.stdout, result.output
    assert {path.suffix for path in page.parent.glob("mig.*")} == {".png"} and "0.500" in page.read_text("utf-8")
