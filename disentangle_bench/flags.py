"""The options that commands share, and those of `bench run`, with what their help says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from . import catalog

Models = Annotated[str, typer.Option(help="Comma-separated names; `controls`: oracle, noise, untrained, pca; `all`.")]
Metrics = Annotated[
    str,
    typer.Option(help="Comma-separated names; `card` (if left out) is what studies report, `all` is all there are."),
]
Blocks = Annotated[
    str, typer.Option(help="Score blocks of the codes, too: `each`, or comma-separated names; z_c+z takes two as one.")
]


def found(folder: Path) -> Path:
    """A results folder by its path or, if there is nothing, by its name below results/.

    Raises
    ------
    ValueError
        A name of neither, though there are others (the message holds the nearest).
    """
    if folder.exists() or folder.is_absolute():
        return folder
    results = Path("results")
    if (results / folder).is_dir():
        return results / folder
    known = sorted(path.parent.name for path in results.glob("*/runs"))
    if known and len(folder.parts) == 1:
        catalog.choose("results folder", str(folder), known)
    return folder


Folder = Annotated[Path, typer.Argument(help="A results folder, or the name of one below results/.", callback=found)]
DataDir = Annotated[str | None, typer.Option("--data-dir", envvar="BENCH_DATA", help="Where data files are kept.")]
Settings = Annotated[
    list[str],
    typer.Option(
        "--set",
        help="NAME.PARAMETER=VALUE, can be repeated; a,b,c sweeps. NAME: a model, metric or data set; data: all these.",
    ),
]

Datasets = Annotated[
    str | None, typer.Option(help="Comma-separated names of data sets; dsprites if this and --data are left out.")
]
Data = Annotated[
    list[str],
    typer.Option(
        metavar="PATH",
        help="Your own: a .npz or HDF5 file, a folder with factors.csv, or MODULE:FUNCTION (docs/data.md); can be "
        "repeated.",
    ),
]
Seeds = Annotated[str, typer.Option(help="How many (10: 0 to 9), or which (3:6 is 3, 4, 5; 1,7 is just these).")]
Steps = Annotated[int | None, typer.Option(min=1, help="Training steps, instead of the budget's.")]
Budget = Annotated[str, typer.Option(help="quick | standard | paper.")]
Rows = Annotated[
    str | None,
    typer.Option(help="Images whose codes a run keeps and is scored on: a number, or `all`; 10,000 if left out."),
]
Precision = Annotated[
    str,
    typer.Option(help="fp32 | tf32 | bf16: the numbers that networks compute in; scores compare within one of them."),
]
Study = Annotated[Path | None, typer.Option(help="A Python file with the whole question instead.")]
Only = Annotated[
    str,
    typer.Option(
        metavar="KEY=VALUES,...",
        help="Some of the runs: model=betavae|vae, dataset=toy, seed=0:5, and hyper-parameters such as beta=4|16.",
    ),
]
Out = Annotated[Path | None, typer.Option(help="Results folder; results/DATASET or results/STUDY if left out.")]
Rerun = Annotated[str, typer.Option(help="missing | failed | all | none.")]
Device = Annotated[str, typer.Option(help="auto | cpu | cuda | cuda:1 | mps; cuda means all there are, a stack each.")]
On = Annotated[str, typer.Option(help="auto | here | processes | ray: where stacks of runs are worked on.")]
Address = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT|auto", help="A Ray cluster that runs already; `--on ray` alone starts one here."),
]
MaxFailures = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Start no more stacks once this many runs have failed.")
]
Stack = Annotated[
    str,
    typer.Option(
        metavar="N|auto",
        help="Most runs to train side by side, alike but for seed and float parameters. `auto` is 1 on a CPU, and "
        "elsewhere as many as fit in free memory, up to 64.",
    ),
]
EvaluateAt = Annotated[
    str,
    typer.Option(help="Steps on the way to score, too, such as 10k,30k,100k; codes and weights there are kept."),
]
CheckpointEvery = Annotated[
    int | None, typer.Option(min=1, metavar="STEPS", help="Steps between checkpoints; every ten seconds if left out.")
]
Scorers = Annotated[
    str,
    typer.Option(
        metavar="N|auto",
        help="Processes that score runs while others train. `auto`: on CUDA a process for each core that no device "
        "takes; 0 on a CPU, where a run is scored by the process that trained it.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan and what it will take, and stop.")]


def split(text: str) -> list[str]:
    """The parts of a comma-separated text; commas in brackets separate options.

    Examples
    --------
    >>> split("toy, digits(copies=2, transform=se2)")
    ['toy', 'digits(copies=2, transform=se2)']
    """
    return [part.strip() for part in re.split(r",(?![^()]*\))", text) if part.strip()]


def data(dataset: str | None, paths: list[str]) -> list[str]:
    """What --dataset and --data name: sets of the suite, and where somebody's own lie."""
    from .datasets import place

    own = [str(place(path)) for text in paths for path in split(text)]
    return [*split(("" if own else "dsprites") if dataset is None else dataset), *own]
