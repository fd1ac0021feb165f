"""The report of a results folder: tables, plots and pictures as files, and one page that holds them all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from .. import schema
from ..catalog import choose
from . import page_board, page_metrics, page_models, page_places, page_statistics, tables
from ._frame import Frame, at, budget, is_control, place_name, places, read_study
from .canvas import KINDS
from .density import not_run, refuse
from .growth import read_milestones
from .page_parts import MEGABYTE, Album, Job, Progress, Table, Watch, embed
from .statistics import ENOUGH

OWN = (".png", ".svg", ".pdf", ".gif", ".csv", ".md", ".tex", ".txt")
FILES = {  # what the page offers beside itself
    "leaderboard.csv": "the leaderboard, a row a configuration",
    "leaderboard.md": "the same in Markdown, a table a data set",
    "leaderboard.tex": "the same in LaTeX, for the package booktabs",
    "summary.csv": "means, interquartile means, intervals: a row a configuration and metric",
    "ranks.csv": "ranks and their intervals",
    "improvements.csv": "probabilities of improvement",
    "decomposition.csv": "shares of variance",
    "agreement.csv": "rank correlations of metrics",
    "reported.csv": "published numbers beside those measured",
    "reported_variance.csv": "published shares of variance beside those measured",
    "milestones.csv": "numbers along training, a row a seed, step and metric",
    "gaps.txt": "what is missing, a line each",
}
HEAVY = 2 * MEGABYTE  # of a table that the page does not hold itself


def write(
    folder: Path,
    frame: Frame,
    metrics: Sequence[str] | None = None,
    kinds: Sequence[str] = ("png", "svg"),
    watch: Watch = lambda _: None,
) -> Path:
    """Write everything about these numbers to `folder/report`; the path of its report.html. Raises as `report`.

    Everything is made in a folder beside it first, so that whatever stops it leaves the report that was there.
    """
    kinds = [choose("format", kind, list(KINDS)) for kind in kinds]
    if not kinds:
        raise ValueError(f"format: got none, expected some of {', '.join(KINDS)}")
    summary, points = tables.long(frame, metrics), read_milestones(folder, frame)
    boards = tables.boards(frame, metrics, summary)
    refuse(points)
    with tempfile.TemporaryDirectory(prefix=".report-", dir=folder) as made, threadpool_limits(1):
        job = Job(folder, frame, points, boards, Album(Path(made), kinds), watch)
        (Path(made) / "report.html").write_text(_page(job, summary), encoding="utf-8")
        path = _replace(Path(made), folder / "report")
    watch(Progress("report", 1.0, "done"))
    return path


def _replace(made: Path, out: Path) -> Path:
    """Move what was made to where it belongs, the page last, and remove what an earlier report left."""
    out.mkdir(exist_ok=True)
    new = {path.name for path in made.iterdir()}
    for path in out.iterdir():  # whatever else people keep there stays
        if path.suffix in OWN and path.is_file() and path.name not in new:
            path.unlink()
    for name in sorted(new, key=lambda name: name == "report.html"):
        os.replace(made / name, out / name)
    return out / "report.html"


def _page(job: Job, summary: Frame) -> str:
    frame, boards, out, study = job.frame, job.boards, job.album.out, read_study(job.folder)
    job.watch(Progress("report", 0.02, "tables"))
    computed = page_statistics.compute(frame, boards, job.watch)
    gaps = [*not_run(study, frame), *(note for board in boards for note in board.notes)]
    _tables(out, summary, boards, computed, job.points, gaps)
    shown, models = page_places.places(job, computed), page_models.models(job)
    job.watch(Progress("report", 0.97, "the page"))
    held = {
        "title": job.folder.resolve().name,
        "overview": _overview(frame),
        "notes": [note for note in study.get("notes", []) if note],
        "cautions": _cautions(frame),
        "failures": _failures(frame),
        "gaps": gaps,
        "best": page_metrics.best(summary, boards),
        "board": page_board.board(frame, boards),
        "by_block": tables.BLOCKS,
        "places": shown,
        "most": page_places.PICTURES,
        "models": models,
        "without": [label for model in models for label in model["without"]],
        "metrics": page_metrics.metrics(frame, summary, boards),
        "provenance": _provenance(frame),
        "commands": _commands(job.folder, frame),
        "downloads": _downloads(out),
        "kinds": " and ".join(f".{kind}" for kind in job.album.kinds),
        "left_out": len(job.album.left_out),
    }
    return _environment().get_template("page.html.j2").render(held)


def _environment() -> Any:
    import jinja2
    from markupsafe import Markup, escape

    def source(name: str) -> str:
        return resources.files("disentangle_bench.report").joinpath(name).read_text("utf-8")

    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(source),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    breaks = {".": Markup(".<wbr>"), "_": Markup("_<wbr>")}
    # pyrefly: ignore[not-iterable] (of a text, not of any filter's value)
    made.filters["breakable"] = lambda text: Markup("").join(breaks.get(letter, escape(letter)) for letter in text)
    return made


def _tables(
    out: Path,
    summary: Frame,
    boards: Sequence[tables.Board],
    computed: dict[str, Frame],
    points: Frame,
    gaps: Sequence[str],
) -> None:
    """Every table as a file."""
    summary.to_csv(out / "summary.csv", index=False)
    if boards:
        tables.wide(boards).to_csv(out / "leaderboard.csv", index=False)
    (out / "leaderboard.md").write_text("\n".join(map(tables.markdown, boards)), encoding="utf-8")
    (out / "leaderboard.tex").write_text("\n".join(map(tables.latex, boards)), encoding="utf-8")
    for name, table in computed.items():
        if len(table):
            table.to_csv(out / f"{name}.csv", index=False)
    if len(points):
        told = points.assign(error=points["score_error"])[["label", "step", *schema.RESULTS]]
        told.to_csv(out / "milestones.csv", index=False)
    if gaps:
        (out / "gaps.txt").write_text("\n".join(gaps) + "\n", encoding="utf-8")


def _downloads(out: Path) -> list[dict[str, str]]:
    """The tables that are there, in the page itself where they are not too heavy."""
    there = {name: out / name for name in FILES if (out / name).is_file()}
    return [
        {"name": name, "text": FILES[name], "src": embed(path) if path.stat().st_size < HEAVY else ""}
        for name, path in there.items()
    ]


def _overview(frame: Frame) -> str:
    runs = frame.drop_duplicates("run")
    counts = runs["status"].value_counts()
    told = [f"{counts[status]} {status}" for status in ("done", "failed", "diverged") if counts.get(status, 0)]
    return f"{len(runs)} runs: {', '.join(told)}." if len(runs) else "No run has finished yet."


def _cautions(frame: Frame) -> list[str]:
    """What a reader must know before any number: data sets, their budget, and how many seeds there are."""
    told = []
    for place in places(frame):
        here = at(frame, *place)
        done = here[(here["status"] == "done") & ~is_control(here)]
        seeds = done.groupby("label")["seed"].nunique()
        models = f"{_count(len(seeds), 'configuration')} of {_count(done['model'].nunique(), 'model')}"
        words = [models, _count(seeds.max(), "seed", seeds.min()) + " each"] if len(seeds) else ["no finished run"]
        few = f"; below {ENOUGH} seeds there are no intervals" if len(seeds) and seeds.min() < ENOUGH else ""
        # pyrefly: ignore[no-matching-overload] (the checker tells the same two types apart)
        told.append(f"{place_name(*place)}: {', '.join(filter(None, [*words, budget(here)]))}{few}.")
    return told


def _count(n: int, what: str, least: int | None = None) -> str:
    """ "1 seed", "5 seeds", "4–6 seeds"."""
    told = str(n) if least in (None, n) else f"{least}–{n}"
    return f"{told} {what}" + ("" if n == 1 else "s")


def _failures(frame: Frame) -> list[Table]:
    stopped = frame[frame["status"] != "done"].drop_duplicates("run").sort_values(["dataset", "label", "seed"])
    rows = [
        [
            r.label,
            place_name(r.dataset, r.source),
            str(r.seed),
            r.status,
            r.run,
            r.error if isinstance(r.error, str) and r.error else "no message",
        ]
        for r in stopped.itertuples()
    ]
    if not rows:
        return []
    head = ["model", "data set", "seed", "status", "run", "error"]
    return [Table("Runs that failed or diverged, and why", head, rows, words=6, folded=len(rows) > 20)]


def _provenance(frame: Frame) -> list[tuple[str, str]]:
    """What the numbers were made from and on; several values where the runs differ."""
    runs = frame.drop_duplicates("run")
    known = runs[runs["commit"].fillna("") != ""]
    commits = sorted(
        {
            commit + (" with uncommitted changes" if dirty else "")
            for commit, dirty in zip(known["commit"], known["dirty"].fillna(False))
        }
    )
    versions: dict[str, set[str]] = {}
    for text in set(runs["versions"].dropna()) - {""}:
        for library, version in json.loads(text).items():
            versions.setdefault(library, set()).add(version or "unknown")
    dates = sorted(runs["finished"].dropna())
    seconds = runs["seconds"].dropna()
    told = {
        "Commit": commits or ["unknown"],
        "Data": sorted({f"{place_name(r.dataset, r.source)}, sha256 {r.dataset_sha256}" for r in runs.itertuples()}),
        "Budget": [f"{place_name(*place)}: {text}" for place in places(runs) if (text := budget(at(runs, *place)))],
        "Devices": sorted(set(runs["device"].dropna()) - {""}),
        "Ways of stacking": sorted(set(runs["way"].dropna()) - {""}),
        "Training time": [f"{seconds.sum() / 3600:.2f} hours, all runs together"] if len(seconds) else [],
        "Versions": [", ".join(f"{library} {'/'.join(sorted(found))}" for library, found in versions.items())],
        "Finished": [" to ".join(dict.fromkeys([dates[0], dates[-1]]))] if dates else [],
    }
    return [(name, "\n".join(values)) for name, values in told.items() if any(values)]


def _commands(folder: Path, frame: Frame) -> list[str]:
    commits = sorted(set(frame["commit"].dropna()) - {""})
    asked = [command for command in read_study(folder).get("commands", []) if command]
    return [*(f"git checkout {commit}" for commit in commits if len(commits) == 1), *asked, f"bench report {folder}"]
