"""The sections of data sets: every figure of the gallery, and what the seeds allow to say."""

from __future__ import annotations

from typing import Any

from ._frame import Frame, place_name
from .gallery import GALLERY
from .growth import MOST as LINES
from .growth import growth, legible, notes, with_milestones
from .page_parts import Job, Progress, slug
from .page_statistics import statistics
from .tables import Board

PICTURES = 8  # of one kind of figure, before readers must ask for the others
ALONG = (
    "The metrics at milestones of training, on a logarithmic axis of steps; a curve's last point is the final "
    "number, as in the leaderboard. A thin line is a seed, dotted where its run did not finish. Where several "
    "finished seeds have a number, the thick line is their mean, or from five seeds on their interquartile mean, "
    "and the band its 95 % bootstrap interval; below five seeds no interval is drawn. Grey lines are controls, "
    "which are not trained. Compare models at the same step: where curves still rise, or cross, the order of the "
    f"leaderboard is one of its budget. Each model has a figure of its own where there are more than {LINES} "
    "configurations. All numbers, a row a seed, step and metric, are in milestones.csv."
)


def places(job: Job, computed: dict[str, Frame]) -> list[dict[str, Any]]:
    """A section a data set; `computed` are its statistics."""
    return [
        {
            "id": slug(f"{board.dataset}-{board.source}"),
            "name": place_name(board.dataset, board.source),
            "title": board.title,
            "has_numbers": bool(len(board.cells.columns)),
            "figures": _figures(job, board, i / len(job.boards)),
            "statistics": statistics(board, computed),
        }
        for i, board in enumerate(job.boards)
    ]


def _figures(job: Job, board: Board, done: float) -> list[dict[str, Any]]:
    """All figures of one data set: title, how to read them, the pictures, and what they lack.

    A figure that cannot be drawn is named in place of its pictures, so that one never costs a reader all others.
    """
    where, metrics = (board.dataset, board.source), list(board.cells)
    stem, name, found = slug("-".join(where)), place_name(*where), []
    for i, entry in enumerate(GALLERY):
        share = (i + 1) / len(GALLERY) / len(job.boards)
        job.watch(Progress("report", 0.1 + 0.5 * (done + share), f"{name}: {entry.title}"))
        drawn, wrong = [], []
        try:
            for suffix, figure in entry.draw(job.frame, job.folder, *where, metrics):
                file = (
                    slug(suffix) if entry.name == "comparison" else "-".join(filter(None, [entry.name, slug(suffix)]))
                )
                alt = f"{', '.join(filter(None, [entry.title, suffix]))} on {board.title}"
                drawn.append(job.album.figure(figure, f"{file}.{stem}", alt))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            wrong.append(f"not drawn: {type(error).__name__}: {error}")
        if drawn or wrong:
            found.append({"title": entry.title, "caption": entry.caption, "pictures": drawn, "notes": wrong})
    return found + _growth(job, board, stem)


def _growth(job: Job, board: Board, stem: str) -> list[dict[str, Any]]:
    """The board's metrics at milestones, and what tells how far training has come; none where there are none."""
    where = board.dataset, board.source
    metrics = dict.fromkeys([*board.cells, "reconstruction", "kl"])
    drawn = []
    for model, rows in legible(job.points, *where).items():
        if shown := with_milestones(rows, metrics, *where):
            alt = f"metrics of {model or 'all models'} along training on {board.title}"
            name = f"milestones.{stem}.{slug(model)}".rstrip(".")
            drawn.append(job.album.figure(growth(rows, job.frame, shown, *where), name, alt))
    if not drawn:
        return []
    return [
        {"title": "Along training", "caption": ALONG, "pictures": drawn, "notes": notes(job.points, metrics, *where)}
    ]
