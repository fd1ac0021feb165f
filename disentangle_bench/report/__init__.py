"""Tables, figures and a page from a results folder: its files alone are read, nothing of what made them is imported.

`load` gives the numbers as one frame, which every figure takes; `report` writes them all, with a page around them:

    from disentangle_bench.report import load
    from disentangle_bench.report.figures import heatmap, save

    save(heatmap(load("results/dsprites"), "dsprites", "official"), Path("heatmap"), ["pdf"])
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .. import schema

if TYPE_CHECKING:
    import pandas as pd

    from .page_parts import Watch

__all__ = ["load", "milestones", "report"]


def load(folder: str | Path) -> pd.DataFrame:
    """The numbers of a results folder, a row a number, beside everything that is known of their runs.

    Parameters
    ----------
    folder : what `bench run --out` wrote: holds runs.parquet and scores.parquet

    Returns
    -------
    DataFrame with the columns `schema.RUNS`, then those of `schema.SCORES` (its `seconds` and `error` are called
    `score_seconds` and `score_error`), and `label`, the model with the hyper-parameters that tell it apart here.
    A run without scores is one row whose metric is missing. Runs on one set under several numbers of labels share its
    name, and `labels` is among their parameters. A number of one block of a code has a metric of its own,
    "mig [z_c]", so that nothing averages it with those of all units.

    Raises
    ------
    ValueError
        No such folder (the message names the sibling with the nearest name); no tables yet; tables of a newer schema
        version; a column that is missing, unknown or of the wrong type.
    """
    folder = Path(folder)
    if not folder.is_dir():
        siblings = [p.name for p in folder.parent.iterdir() if p.is_dir()] if folder.parent.is_dir() else []
        near = difflib.get_close_matches(folder.name, siblings, n=1, cutoff=0.4)
        hint = f"; did you mean {str(folder.parent / near[0])!r}?" if near else ""
        raise ValueError(f"results folder {str(folder)!r} does not exist{hint}")
    for name in ("runs", "scores"):
        if not (folder / f"{name}.parquet").is_file():
            raise ValueError(
                f"{str(folder)!r} holds no {name}.parquet; `bench run --models ... --dataset ... --out "
                f"{folder}` writes the tables"
            )

    from ._frame import by_labels, read_numbers, read_study, read_table
    from .labels import labels

    version = read_study(folder).get("schema", schema.VERSION)
    if version not in range(1, schema.VERSION + 1):
        raise ValueError(
            f"{folder}: tables of schema version {version}, expected 1 to {schema.VERSION}; read them with the "
            "release that wrote them"
        )

    runs = by_labels(read_table(folder, "runs", schema.RUNS))
    scores = read_numbers(folder, "scores", schema.SCORES, runs)
    return runs.assign(label=labels(runs)).merge(scores, on="run", how="left")


def milestones(folder: str | Path) -> pd.DataFrame:
    """How the numbers of a results folder grew: a row a number at a milestone, and the final one as the last of each.

    Parameters
    ----------
    folder : what `bench run --out` wrote; its milestones.parquet is there when it was asked to evaluate on the way

    Returns
    -------
    DataFrame with the columns of `load` and `step`, the training steps that the number was taken after; sorted by run,
    metric and step. A run that is done ends with its final numbers, at the step `steps`. Runs without milestones are
    left out, so that a folder without any gives an empty frame.

    Raises
    ------
    ValueError
        As `load`, of the table of milestones, too; a milestone that does not lie between the first step of its run and
        the last.
    """
    frame = load(folder)

    from .growth import read_milestones

    return read_milestones(Path(folder), frame)


def report(
    folder: str | Path,
    metrics: Sequence[str] | None = None,
    formats: Sequence[str] = ("png", "svg"),
    watch: Watch | None = None,
) -> Path:
    """Write tables, figures and one self-contained page to `folder/report`, from whatever is finished.

    Parameters
    ----------
    folder : what `bench run --out` wrote
    metrics : names of metrics ("dci.disentanglement", "mig [z_c]") or of families ("dci"); None means all of all units
    formats : of the figures' files, of "png", "svg", "pdf"
    watch : told how far the report is: an object with `share`, from 0 to 1, and `text`

    Returns
    -------
    Path of report.html.

    Raises
    ------
    ValueError
        As `load`; also for runs or numbers that cannot stand in one table, for unknown metrics and formats.
    """
    frame = load(folder)

    from .page import write

    return write(Path(folder), frame, metrics, formats, watch or (lambda _: None))
