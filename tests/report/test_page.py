"""The page: whole in itself, honest about what is missing, and never half-written."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from disentangle_bench.report import report


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
def page(reported) -> Reader:
    return Reader(reported.read_text(encoding="utf-8"))


def test_the_page_holds_everything_itself(reported, page) -> None:
    text = reported.read_text(encoding="utf-8")
    assert reported.name == "report.html" and reported.parent.name == "report" and page.open == []
    assert {link.split(":")[0] for link in page.links if not link.startswith("#")} == {"data"}
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.ids
    assert not re.search(r"@import|url\(|https?://(?!www\.w3\.org)", re.sub(r'"data:[^"]*"', "", text))
    assert "default-src 'none'; img-src data:" in text
    pictures = [link for link in page.links if link.startswith("data:image")]
    assert len(page.alts) == len(pictures) > 30 and all(page.alts)
    assert sum(link.startswith("data:image/gif") for link in pictures) == 3 + 2  # of each label's lowest seed
    assert "not drawn" not in page.text


def test_the_page_says_what_is_missing_before_any_number(page) -> None:
    warning = page.text.index("These tables are not whole")
    assert warning < page.text.index("Leaderboard", page.text.index("Provenance") + 1)  # the first is of the contents
    for part in (
        "failed: mcevae on dsprites (official), seed 4: RuntimeError: the decoder returned 3 channels",
        "diverged: mcevae on dsprites (official), seed 5",
        "in decode",
        "No pictures: betavae (beta=1) on dsprites (official), oracle on digits (rendered)",
        "digits (rendered): 3 configurations of 2 models, 2 seeds each, 10,000 steps of 64 images; below 5 seeds there",
        "dsprites (official): 3 configurations of 2 models, 4–6 seeds each",
    ):
        assert part in page.text, part
    assert "40 runs: 38 done, 1 failed, 1 diverged." in page.text


def test_the_page_explains_and_gives_its_sources(page) -> None:
    for part in (
        "How much more the best latent knows about a factor",
        "mig: estimator of the test",
        "digits (rendered), 10,000 steps of 64 images",
        "dsprites (official), 10,000 steps of 64 images",
        "ab" * 20,
        "torch 2.13.0",
        "2025-03-01T10:00:00+00:00 to 2025-03-06T10:00:00+00:00",
        "bench run --models mcevae,betavae,controls --dataset dsprites,digits",
        "git checkout",
    ):
        assert part in page.text, part


def test_a_model_has_its_equation_and_its_hyper_parameters_as_used(page) -> None:
    own = page.text[page.text.index("beta-VAE, Higgins et al. 2017") :]
    assert "L = E_q[-log p(x|z)] + beta KL(q(z|x) || p(z))" in own
    assert re.search(r"Hyper-parameters of betavae.*?latents1010.*?beta1, 84", own, re.S)
    assert {"model-betavae", "model-mcevae", "model-oracle"} <= page.ids


def test_a_metric_has_its_definition_scale_and_numbers(page) -> None:
    own = page.text[page.text.index("Mutual information gap, Chen et al. 2018, section 4.1") :]
    for part in ("MIG = 1/F sum_k", "from 0 to 1, higher is better", "plug-in mutual information", "95 % interval"):
        assert part in own[: own.index("dci")], part
    assert {"metric-mig", "metric-dci", "metric-reconstruction"} <= page.ids and "metric-sap" not in page.ids


def test_statistics_stand_beside_the_figures(page, reported) -> None:
    for part in ("Ranks on dsprites", "Probability of improvement", "Shares of variance", "Agreement of metrics"):
        assert part in page.text, part
    for name in ("ranks", "improvements", "decomposition", "agreement"):
        table = pd.read_csv(reported.parent / f"{name}.csv")
        assert len(table) and {"dataset", "source"} <= set(table)


def test_the_best_are_bold_and_controls_apart(reported) -> None:
    html = reported.read_text(encoding="utf-8")
    rows = re.findall(
        r'<tr class="([^"]*)" data-place="([^"]*)"[^>]*><th scope="row">([^<]+)</th>(.*?)</tr>', html, re.S
    )
    assert {label for _, place, label, cells in rows if "<b>" in cells and "digits" in place} == {"mcevae"}
    assert [label for kind, *_, label, _ in rows if "control" in kind] == ["oracle", "noise", "untrained", "pca"] * 2
    assert [(place, label) for kind, place, label, _ in rows if "apart" in kind] == [
        ("dsprites (official)", "betavae (beta=1)")
    ]


def test_all_is_beside_the_page_too(reported) -> None:
    names = {file.name for file in reported.parent.iterdir()}
    assert {
        "leaderboard.csv",
        "leaderboard.md",
        "leaderboard.tex",
        "summary.csv",
        "gaps.txt",
        "dci.dsprites-official.png",
        "dci.dsprites-official.svg",
        "curves.digits-rendered.mcevae.svg",
        "reconstructions.digits-rendered.mcevae.png",
        "traversals.dsprites-official.mcevae-seed-0.gif",
    } <= names
    assert not [name for name in names if name.startswith(".")]
    assert not [path for path in reported.parents[1].iterdir() if path.name.startswith(".report")]
    assert "sap" not in (reported.parent / "leaderboard.md").read_text(encoding="utf-8")  # it was not asked for


def test_formats_are_what_was_asked_for(folder) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    path = report(folder.write(), ["mig"], formats=["pdf"])
    assert {file.suffix for file in path.parent.glob("mig.*")} == {".pdf"}
    assert "data:image/png" in path.read_text(encoding="utf-8")  # which the page cannot do without
    report(folder.path, ["mig"])
    assert {file.suffix for file in path.parent.glob("mig.*")} == {".png", ".svg"}
    for wrong, told in (("x", "unknown format 'x'; known: png, svg, pdf"), ("pgn", "did you mean 'png'")):
        with pytest.raises(ValueError, match=told):
            report(folder.path, ["mig"], formats=[wrong])
    with pytest.raises(ValueError, match="format: got none, expected some of png, svg, pdf"):
        report(folder.path, ["mig"], formats=[])


def test_a_long_report_tells_how_far_it_is(folder) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    told = []
    report(folder.write(), ["mig"], watch=told.append)
    shares = [message.share for message in told]
    assert shares == sorted(shares) and shares[0] > 0 and shares[-1] == 1 and all(message.text for message in told)


def test_an_interrupted_report_leaves_the_old_page(folder, monkeypatch) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    path = report(folder.write())
    before = path.read_bytes()
    folder.run("mcevae", "dsprites", 1, scores={"mig": 0.7})
    monkeypatch.setattr("os.replace", lambda source, target: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        report(folder.write())
    assert path.read_bytes() == before


def test_blocks_have_a_table_on_the_page_and_plots_when_asked_for(folder) -> None:
    run = folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    assert "By block" not in report(folder.write()).read_text(encoding="utf-8")
    folder.score(run, "mig", 0.25, block="z_c+z")
    path = report(folder.write())
    page = Reader(path.read_text(encoding="utf-8"))
    assert (
        re.search(r"By block.*metricmodelall unitsz_c\+z\s+mig ↑mcevae0.5000.250", page.text, re.S) and page.open == []
    )
    assert "mig [z_c+z]" in (path.parent / "summary.csv").read_text(encoding="utf-8")
    path = report(folder.path, ["mig [z_c+z]"])
    assert (path.parent / "mig-z_c-z.dsprites-official.svg").is_file()
    assert not (path.parent / "mig.dsprites-official.svg").exists()
    assert "block z_c+z alone" in path.read_text(encoding="utf-8")


def test_uncommitted_changes_are_told(folder) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    assert "with uncommitted changes" not in report(folder.write(), ["mig"]).read_text(encoding="utf-8")
    folder.runs[0]["dirty"] = True
    assert f"{'ab' * 20} with uncommitted changes" in report(folder.write(), ["mig"]).read_text(encoding="utf-8")
