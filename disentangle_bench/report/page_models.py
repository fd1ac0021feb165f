"""The sections of models: equation, hyper-parameters as used, and what they draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import pictures
from ._frame import Frame, at, is_control, place_name
from .curves import curves, read_logs
from .labels import ordered, styles
from .models_text import used, words
from .page_parts import Job, Progress, slug, spread, table_of
from .tables import Board

MOST = 3  # configurations of a model on a data set whose pictures are shown


def models(job: Job) -> list[dict[str, Any]]:
    """A section a model, controls last; `without` names what left no pictures."""
    runs = job.frame.drop_duplicates("run")
    of_label = dict(zip(runs["label"], runs["model"]))
    names = list(dict.fromkeys(of_label[label] for label in ordered(job.frame)))
    found = []
    for i, model in enumerate(names):
        job.watch(Progress("report", 0.6 + 0.35 * i / len(names), f"pictures of {model}"))
        own = runs[runs["model"] == model]
        rows = used(own["params"].dropna(), model)
        head = ["hyper-parameter", "as used here", "default", "meaning"]
        shown = [picture for board in job.boards for picture in _pictures(job, own, board)]
        found.append(
            {
                "name": model,
                "id": f"model-{slug(model)}",
                "text": words(model),
                "parameters": table_of(rows, f"Hyper-parameters of {model}", head, words=4),
                "pictures": [picture for picture in shown if picture["sheets"] or picture["curves"]],
                "without": [label for picture in shown for label in picture["without"]],
            }
        )
    return found


def _pictures(job: Job, runs: Frame, board: Board) -> list[dict[str, Any]]:
    """What one model left on one data set: of each label's lowest seed, nobody picks the prettiest."""
    here = at(runs, board.dataset, board.source)
    place = place_name(board.dataset, board.source)
    labels, stem = ordered(here), slug(f"{board.dataset}-{board.source}")
    if not labels:
        return []
    done = here[here["status"] == "done"].sort_values("seed")
    left = {
        label: run
        for label in labels
        if (run := next((r for r in done.loc[done["label"] == label, "run"] if _has(job.folder, r)), None))
    }
    chosen = spread(list(left), MOST)
    seeds = dict(zip(done["run"], done["seed"]))
    held = {
        f"{label}, seed {seeds[left[label]]}": arrays
        for label in chosen
        if (arrays := pictures.read_pictures(job.folder, left[label])) is not None
    }
    sheets, films = [], []
    if held:
        name = f"reconstructions.{stem}.{slug(runs['model'].iloc[0])}"
        alt = f"inputs and reconstructions of {', '.join(held)} on {board.title}"
        sheets.append(job.album.figure(pictures.reconstructions(held, board.title), name, alt, pixels=True))
    for heading, arrays in held.items():
        if (figure := pictures.findings(arrays, heading, board.title)) is not None:
            own = [key.partition(":")[2] for key in arrays if key.startswith(("sheet:", "table:"))]
            alt = f"what {heading} shows: {', '.join(own)}"
            sheets.append(job.album.figure(figure, f"own.{stem}.{slug(heading)}", alt, pixels=True))
        if "traversals" in arrays:  # controls may have a decoder but no latents to move
            name = f"traversals.{stem}.{slug(heading)}"
            figure = pictures.traversals(arrays, heading, board.title)
            sheets.append(job.album.figure(figure, name, f"traversals of {heading}", pixels=True))
            film = pictures.animation(arrays, (job.album.out / sheets[-1].file).with_suffix(".gif"))
            films.append(job.album.add(film, f"animated traversals of {heading}"))
    return [
        {
            "title": board.title,
            "sheets": sheets,
            "films": films,
            "curves": _curves(job, here, board, stem),
            "without": [f"{label} on {place}" for label in labels if label not in left],
            "note": f"{len(chosen)} of {len(left)} configurations are shown." if len(chosen) < len(left) else "",
        }
    ]


def _has(folder: Path, run: str) -> bool:
    return (folder / "runs" / run / "pictures.npz").is_file()


def _curves(job: Job, here: Frame, board: Board, stem: str) -> list[Any]:
    """Learning curves of the model's labels that left a log."""
    here = here[~is_control(here)]
    logged = set(here.loc[[_log(job.folder, run) for run in here["run"]], "label"])
    look, found = styles(job.frame) if logged else {}, []
    for label in spread([label for label in ordered(here) if label in logged], MOST):
        figure = curves(read_logs(job.folder, here[here["label"] == label]), label, look[label]["color"], board.title)
        alt = f"learning curves of {label} on {board.title}"
        found.append(job.album.figure(figure, f"curves.{stem}.{slug(label)}", alt))
    return found


def _log(folder: Path, run: str) -> bool:
    return (folder / "runs" / run / "log.parquet").is_file()
