"""The page: whole in itself, honest about what is missing, and never half-written."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from disentangle_bench.report import report
from disentangle_bench.report.page import embed, slug


class Reader(HTMLParser):
    """Addresses that the page refers to, its open elements, and its text."""

    EMPTY = ("meta", "img", "br", "wbr", "link", "input")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.alts: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs) -> None:
        held = dict(attrs)
        self.links += [held[key] for key in ("src", "href", "srcset", "data") if key in held]
        self.ids |= {held["id"]} if "id" in held else set()
        self.alts += [held["alt"]] if tag == "img" else []
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data) -> None:
        self.text += data


@pytest.fixture(scope="module")
def path(original, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("copy") / "demo"
    shutil.copytree(original, folder)
    return report(folder, ["mig", "dci", "reconstruction"])


@pytest.fixture(scope="module")
def page(path) -> Reader:
    return Reader(path.read_text(encoding="utf-8"))


def test_the_page_holds_everything_itself(path, page) -> None:
    assert path.name == "report.html" and path.parent.name == "report"
    assert page.open == [] and "<script" not in path.read_text(encoding="utf-8")
    assert {link.split(":")[0] for link in page.links if not link.startswith("#")} == {"data"}
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.ids
    assert not re.search(r"@import|url\(", path.read_text(encoding="utf-8"))
    kinds = [link.split(";")[0] for link in page.links if link.startswith("data:")]
    # digits: 3 metrics, 1 grid, 3 sheets and films, 3 curves; dsprites: one model left neither pictures nor log
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "data:image/svg+xml": 6 + 3 + 2,
        "data:image/png": 2 + 3 + 2,
        "data:image/gif": 3 + 2,
    }
    assert len(page.alts) == len(kinds) and all(page.alts)


def test_the_page_says_what_is_missing_before_any_number(page) -> None:
    warning = page.text.index("These tables are not whole")
    assert warning < page.text.index("Leaderboard")
    for part in (
        "failed: mcevae on dsprites (official), seed 4: RuntimeError: the decoder returned 3 channels",
        "diverged: mcevae on dsprites (official), seed 5",
        "in decode",
        "No pictures: betavae (beta=1), oracle, noise, untrained, pca.",
    ):
        assert part in page.text
    assert "40 runs: 38 done, 1 failed, 1 diverged." in page.text


def test_the_page_explains_and_gives_its_sources(page) -> None:
    for part in (
        "How much more the best latent knows about a factor",
        "Convention: mig: estimator of the test",
        "digits (rendered), 10,000 steps of 64 images",
        "dsprites (official), 10,000 steps of 64 images",
        "ab" * 20,
        "torch 2.13.0",
        "2025-03-01T10:00:00+00:00 to 2025-03-06T10:00:00+00:00",
        "bench run --models mcevae,betavae,controls --dataset dsprites,digits",
        "git checkout",
    ):
        assert part in page.text, part


def test_the_best_are_bold_and_controls_apart(path) -> None:
    html = path.read_text(encoding="utf-8")
    bold = re.findall(r'<tr class="([^"]*)"><td>([^<]+)</td><td>\d+</td>(.*?)</tr>', html, re.S)
    assert {label for _, label, cells in bold if "<b>" in cells} == {"mcevae"}
    assert [label for kind, label, _ in bold if "control" in kind] == ["oracle", "noise", "untrained", "pca"] * 2
    assert [label for kind, label, _ in bold if "apart" in kind] == ["oracle"] * 2


def test_all_is_beside_the_page_too(path) -> None:
    names = {file.name for file in path.parent.iterdir()}
    assert {
        "leaderboard.csv",
        "leaderboard.md",
        "leaderboard.tex",
        "summary.csv",
        "dci.dsprites-official.png",
        "dci.dsprites-official.svg",
        "curves.digits-rendered.mcevae.svg",
        "reconstructions.digits-rendered.png",
        "traversals.dsprites-official.mcevae-seed-0.gif",
    } <= names
    assert not [name for name in names if name.startswith(".")]
    assert "sap" not in (path.parent / "leaderboard.md").read_text(encoding="utf-8")  # it was not asked for


def test_an_interrupted_report_leaves_the_old_page(folder, monkeypatch) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    path = report(folder.write())
    before = path.read_bytes()
    folder.run("mcevae", "dsprites", 1, scores={"mig": 0.7})
    monkeypatch.setattr("os.replace", lambda source, target: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        report(folder.write())
    assert path.read_bytes() == before


def test_a_single_seed_and_nothing_else(folder) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    page = Reader(report(folder.write()).read_text(encoding="utf-8"))
    assert "not whole" not in page.text and "0.500" in page.text and "No pictures: mcevae." in page.text
    assert "Runs that did not finish" not in page.text and "nan" not in page.text.lower().split("provenance")[0]


def test_blocks_have_a_table_on_the_page_and_plots_when_asked_for(folder) -> None:
    run = folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    assert "By block" not in report(folder.write()).read_text(encoding="utf-8")
    folder.score(run, "mig", 0.25, block="z_c+z")
    path = report(folder.write())
    assert {file.name for file in path.parent.glob("*.svg")} == {"mig.dsprites-official.svg"}
    page = Reader(path.read_text(encoding="utf-8"))
    assert re.search(r"By block\s+metricmodelall unitsz_c\+z\s+mig ↑mcevae0.5000.250", page.text) and page.open == []
    assert "mig [z_c+z]" in (path.parent / "summary.csv").read_text(encoding="utf-8")
    path = report(folder.path, ["mig [z_c+z]"])
    assert {file.name for file in path.parent.glob("*.svg")} == {"mig-z_c-z.dsprites-official.svg"}


def test_uncommitted_changes_are_told(folder) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    assert "with uncommitted changes" not in report(folder.write(), ["mig"]).read_text(encoding="utf-8")
    folder.runs[0]["dirty"] = True
    assert f"{'ab' * 20} with uncommitted changes" in report(folder.write(), ["mig"]).read_text(encoding="utf-8")


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


def test_embedded_files_decode_to_themselves(tmp_path) -> None:
    import base64

    (tmp_path / "a.png").write_bytes(b"\x89PNG\x00\xff")
    head, _, body = embed(tmp_path / "a.png").partition(",")
    assert head == "data:image/png;base64" and base64.b64decode(body) == b"\x89PNG\x00\xff"


def test_slugs_are_safe_file_names() -> None:
    assert slug("betavae (beta=0.5, lr=1e-4)") == "betavae-beta-0.5-lr-1e-4"
    assert slug("a/../b") == "a-..-b"
