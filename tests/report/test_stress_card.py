"""The stress card's files: tables and figures hold the verdicts and values; `bench stress` writes them."""

import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from disentangle_bench import cli
from disentangle_bench.cases import CASES
from disentangle_bench.report.stress import GROUPS, markdown, write
from disentangle_bench.report.stress_figures import overview, reactions
from disentangle_bench.report.stress_words import table
from disentangle_bench.stress import judge, measure


@pytest.fixture(scope="module")
def rows():
    return measure(["mig", "modularity"])  # in two processes


def test_the_pages_tables_hold_the_verdicts(rows):
    verdicts = judge(rows)
    page = markdown(rows, verdicts)
    grid = [line for line in page.splitlines() if line.startswith("| mig ")]
    assert len(grid) == 1 + len(GROUPS)  # the level of nothing, and the verdicts
    assert "▼ falls −0.87" in grid[1] and "✓ invariant" in grid[1] and "refuses at 3" in grid[1]
    assert "* **copies**: 1 of 2 numbers" in page and "mig (−0.87" in page
    for case in CASES.values():
        assert f"### {case.name}\n" in page and case.text in page and case.wanted in page
    assert sorted(case for group in GROUPS.values() for case in group) == sorted(CASES)
    assert "* No value, missing codes: ValueError: codes: this metric compares codes" in page
    assert "nan" not in page


def test_figures_draw_the_means(rows):
    own = [row for row in rows if row.metric == "mig"]
    figure = reactions(own)
    panels = {axes.get_title(): axes for axes in figure.axes if axes.get_title()}
    assert set(panels) == set(CASES)
    for case in CASES.values():
        line = next(line for line in panels[case.name].lines if line.get_label() == "mig")
        expected = [np.mean([row.value for row in own if row[1:3] == (case.name, level)]) for level in case.levels]
        assert line.get_ydata() == pytest.approx(expected, nan_ok=True)
    (picture,) = overview(judge(rows)).axes[0].images
    change = {(v.metric, v.case): v.change for v in judge(rows)}
    names = list(CASES)
    assert picture.get_array()[0, names.index("copies")] == pytest.approx(change["mig", "copies"])
    assert picture.get_array()[0, names.index("constant codes")] == 0


def test_the_terminals_table(rows):
    shown = table(judge(rows))
    assert [column.header for column in shown.columns] == ["case", "mig", "modularity"] and shown.row_count == len(
        CASES
    )
    many = [row._replace(metric=f"mig.{i}") for row in rows if row.metric == "mig" for i in range(5)]
    assert table(judge(many)).row_count == 5


def test_writing_leaves_whole_files_and_no_others(rows, tmp_path):
    page = write(rows, tmp_path / "new" / "folder")
    names = {path.name for path in page.parent.iterdir()}
    assert names == {"README.md", "stress.csv", "overview.png", "mig.png", "modularity.png"}
    held = pd.read_csv(page.parent / "stress.csv", keep_default_na=False, na_values={"value": [""]})
    assert list(held) == ["metric", "case", "level", "seed", "value", "error"] and len(held) == len(rows)
    assert held["value"].to_numpy() == pytest.approx([row.value for row in rows], rel=1e-5, nan_ok=True)
    for name in re.findall(r"\]\((.*?)\)", page.read_text(encoding="utf8")):
        with Image.open(page.parent / name) as image:
            assert image.width > 600 and image.height > 150


def test_bench_stress(tmp_path):
    words = ["stress", "mig", "--out", str(tmp_path / "card")]
    first = CliRunner().invoke(cli.app, words)
    assert first.exit_code == 0, first.output
    assert "copies" in first.output and "falls −0.87 at 2" in first.output and "README.md" in first.output
    before = {path.name: path.read_bytes() for path in (tmp_path / "card").iterdir()}
    assert CliRunner().invoke(cli.app, words).exit_code == 0
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "card").iterdir()}


def test_a_folder_that_cannot_be_written_fails_at_once(tmp_path):
    (tmp_path / "file").touch()
    result = CliRunner().invoke(cli.app, ["stress", "--out", str(tmp_path / "file" / "card")])
    assert isinstance(result.exception, OSError)


def test_a_metric_that_breaks_is_said_and_the_exit_code_is_1(tmp_path, monkeypatch):
    monkeypatch.setattr("disentangle_bench.catalog.get", lambda kind, name: break_)
    result = CliRunner().invoke(cli.app, ["stress", "mig", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "mig: TypeError: no such thing" in result.stderr
    assert "✗ refuses" in result.stdout and (tmp_path / "README.md").exists()


def break_(codes, factors):
    raise TypeError("no such thing")


break_.bounds, break_.best, break_.version, break_.estimator = (0.0, 1.0), 1.0, 1, "none"
