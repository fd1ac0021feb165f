"""The report of a results folder: tables, plots and pictures as files, and one page that holds them all."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from .. import schema
from . import figures, pictures, tables
from ._frame import Frame, at, budget, is_control, place_name, places, read_study
from .curves import curves, read_logs
from .density import conventions, not_run, refuse
from .glossary import family, in_order, meaning, number
from .growth import MOST, growth, legible, notes, read_milestones, with_milestones
from .labels import ordered, styles

OWN = (".png", ".svg", ".gif", ".csv", ".md", ".tex")


def write(folder: Path, frame: Frame, metrics: Sequence[str] | None = None) -> Path:
    """Write everything about these numbers to `folder/report`; the path of its report.html. Raises as `tables.long`."""
    import jinja2

    out = folder / "report"
    boards, points = tables.boards(frame, metrics), read_milestones(folder, frame)
    refuse(points)
    out.mkdir(exist_ok=True)
    for path in out.iterdir():  # of an earlier report; whatever else people keep there stays
        if path.suffix in OWN and path.is_file():
            path.unlink()
    tables.long(frame, metrics).to_csv(out / "summary.csv", index=False)
    if boards:
        tables.wide(boards).to_csv(out / "leaderboard.csv", index=False)
    (out / "leaderboard.md").write_text("\n".join(map(tables.markdown, boards)), encoding="utf-8")
    (out / "leaderboard.tex").write_text("\n".join(map(tables.latex, boards)), encoding="utf-8")

    if len(points):
        told = points.assign(error=points["score_error"])[["label", "step", *schema.RESULTS]]
        told.to_csv(out / "milestones.csv", index=False)

    source = resources.files("disentangle_bench.report").joinpath("page.html.j2").read_text("utf-8")
    template = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string(source)
    html = template.render(
        title=folder.resolve().name,
        overview=_overview(frame),
        notes=[note for note in read_study(folder).get("notes", []) if note],
        failures=_failures(frame),
        gaps=[*not_run(read_study(folder), frame), *(note for board in boards for note in board.notes)],
        sections=[_section(folder, out, frame, points, board) for board in boards],
        legend=tables.LEGEND,
        by_block=tables.BLOCKS,
        provenance=_provenance(frame),
        commands=_commands(folder, frame),
    )
    path = out / "report.html"
    partial = path.with_name(f".{os.getpid()}.report.html")
    partial.write_text(html, encoding="utf-8")
    os.replace(partial, path)
    return path


def _overview(frame: Frame) -> str:
    runs = frame.drop_duplicates("run")
    counts = runs["status"].value_counts()
    told = [f"{counts[status]} {status}" for status in ("done", "failed", "diverged") if counts.get(status, 0)]
    return f"{len(runs)} runs: {', '.join(told)}." if len(runs) else "No run has finished yet."


def _failures(frame: Frame) -> list[dict[str, Any]]:
    stopped = frame[frame["status"] != "done"].drop_duplicates("run").sort_values(["dataset", "label", "seed"])
    return [
        {
            "label": r.label,
            "place": place_name(r.dataset, r.source),
            "seed": r.seed,
            "status": r.status,
            "run": r.run,
            "error": r.error if isinstance(r.error, str) and r.error else "no message",
        }
        for r in stopped.itertuples()
    ]


def _section(folder: Path, out: Path, frame: Frame, points: Frame, board: tables.Board) -> dict[str, Any]:
    """What the page shows of one data set."""
    stem = slug(f"{board.dataset}-{board.source}")
    return {
        "board": board,
        "id": stem,
        "arrows": {metric: meaning(metric).arrow for metric in board.cells},
        "families": _families(out, frame, board, stem),
        "growth": _growth(out, frame, points, board, stem),
        **_shown(folder, out, frame, board, stem),
        "curves": _curves(folder, out, frame, board, stem),
    }


def _families(out: Path, frame: Frame, board: tables.Board, stem: str) -> list[dict[str, Any]]:
    here, found = at(frame, board.dataset, board.source), []
    table = tables.long(here)
    table = table[table["metric"].isin(board.cells.columns)]
    for name in dict.fromkeys(map(family, in_order(table["metric"]))):
        rows = table[table["metric"].map(family) == name]
        figure = figures.comparison(frame, name, board.dataset, board.source)
        plot = figures.save(figure, out / f"{slug(name)}.{stem}")[1]
        parts = [
            {
                "metric": metric,
                "text": meaning(metric).text,
                "unit": meaning(metric).unit,
                "conventions": conventions(here, metric),
            }
            for metric in in_order(rows["metric"])
        ]
        numbers = [
            [
                r.label,
                r.metric,
                r.n,
                *(
                    tables.NONE if np.isnan(value) else number(value, r.metric)
                    for value in (r.mean, r.sd, r.iqm, r.low, r.high)
                ),
            ]
            for r in rows.itertuples()
        ]
        found.append(
            {"name": name, "plot": embed(plot), "inches": figure.get_figwidth(), "parts": parts, "numbers": numbers}
        )
    return found


def _growth(out: Path, frame: Frame, points: Frame, board: tables.Board, stem: str) -> dict[str, Any]:
    """The board's metrics at milestones, and what tells how far training has come; empty where there are none."""
    place = board.dataset, board.source
    metrics = dict.fromkeys([*board.cells, "reconstruction", "kl"])
    found = []
    for model, rows in legible(points, *place).items():
        if shown := with_milestones(rows, metrics, *place):
            figure = growth(rows, frame, shown, *place)
            plot = figures.save(figure, out / f"milestones.{stem}.{model}".rstrip("."))[1]
            found.append({"model": model or "all models", "plot": embed(plot)})
    return {"plots": found, "notes": notes(points, metrics, *place), "most": MOST} if found else {}


def _shown(folder: Path, out: Path, frame: Frame, board: tables.Board, stem: str) -> dict[str, Any]:
    """Pictures of each label's lowest seed that left any: nobody picks the prettiest."""
    here = at(frame, board.dataset, board.source)
    here = here[here["status"] == "done"].drop_duplicates("run").sort_values("seed")
    held: dict[str, tuple[str, dict[str, Any]]] = {}
    for run in here.itertuples():
        arrays = pictures.read_pictures(folder, run.run) if run.label not in held else None
        if arrays is not None:
            held[run.label] = (f"{run.label}, seed {run.seed}", arrays)
    shown = [held[label] for label in ordered(here) if label in held]
    without = [label for label in ordered(here) if label not in held]
    if not shown:
        return {"grid": "", "moves": [], "own": [], "without": without}
    grid = figures.save(pictures.reconstructions(dict(shown), board.title), out / f"reconstructions.{stem}", ["png"])
    moves, own = [], []
    for heading, arrays in shown:
        if (figure := pictures.findings(arrays, heading, board.title)) is not None:
            sheet = figures.save(figure, out / f"own.{stem}.{slug(heading)}", ["png"])
            own.append({"heading": heading, "sheet": embed(sheet[0])})
        if "traversals" not in arrays:  # of controls that have a decoder but no latents to move
            continue
        name = f"traversals.{stem}.{slug(heading)}"
        sheet = figures.save(pictures.traversals(arrays, heading, board.title), out / name, ["png"])
        film = pictures.animation(arrays, out / f"{name}.gif")
        moves.append({"heading": heading, "sheet": embed(sheet[0]), "film": embed(film)})
    return {"grid": embed(grid[0]), "moves": moves, "own": own, "without": without}


def _curves(folder: Path, out: Path, frame: Frame, board: tables.Board, stem: str) -> list[dict[str, str]]:
    look, found = styles(frame), []
    here = at(frame, board.dataset, board.source)
    for label in ordered(here[~is_control(here)]):
        logs = read_logs(folder, here[here["label"] == label])
        if len(logs):
            figure = curves(logs, label, look[label]["color"], board.title)
            plot = figures.save(figure, out / f"curves.{stem}.{slug(label)}")[1]
            found.append({"label": label, "plot": embed(plot)})
    return found


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


def embed(path: Path) -> str:
    """A picture's file as a data: address, so that the page needs no other file."""
    kind = {".png": "image/png", ".svg": "image/svg+xml", ".gif": "image/gif"}[path.suffix]
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def slug(text: str) -> str:
    """A label as part of a file name.

    Examples
    --------
    >>> slug("betavae (beta=8)")
    'betavae-beta-8'
    """
    return re.sub(r"[^\w.]+", "-", text).strip("-")
