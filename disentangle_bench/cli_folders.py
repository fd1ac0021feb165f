"""Commands on a results folder: how far it is, its report, one of its runs, its tables anew, packed and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import console, flags


def status(folder: flags.Folder) -> None:
    """What of a folder is done, running and where, failed or missing; how fast it goes and how long it will take."""
    console.status(folder)


def report(
    folder: flags.Folder,
    metrics: Annotated[
        str, typer.Option(help="Comma-separated names or families, mig,dci; all numbers there are if left out.")
    ] = "",
    formats: Annotated[str, typer.Option("--format", help="Files of each figure: png, svg, pdf.")] = "png,svg",
) -> None:
    """Write leaderboard, plots, pictures and one self-contained page, from whatever is finished."""
    from .report import report as write
    from .runner.store import Store

    store = Store(folder)
    if not (folder / "runs.parquet").is_file() and any(store.records()):  # stopped before it wrote any table
        store.collect()
    with console.Board() as board:
        path = write(folder, flags.split(metrics) or None, flags.split(formats), board.show)
    console.say(f"report: {path}")


def show(
    run: Annotated[str, typer.Argument(help="The first characters of a run's name.")],
    results: Annotated[Path, typer.Option(help="Where to look for it.")] = Path("results"),
) -> None:
    """A run's description, where it comes from, its scores, those of its milestones, and its files."""
    from .runner.store import find

    console.run(*find(results, run))


def collect(folder: flags.Folder) -> None:
    """Write the tables anew from the runs' records."""
    from .runner.store import Store

    store = Store(folder)
    if not any(store.records()):
        raise ValueError(f"{folder}: no readable run here, so its tables stay; `bench run --out {folder}` makes some")
    runs, numbers = store.collect()
    console.say(f"{runs:,} runs, {numbers:,} numbers; tables: {folder / 'results.csv'}, runs.parquet, scores.parquet")


def export(
    folder: flags.Folder,
    to: Annotated[Path, typer.Option(help="Where to write NAME.zip; NAME is the folder's.")] = Path(),
    codes: Annotated[bool, typer.Option("--codes", help="With codes, so that others can score them.")] = False,
    models: Annotated[bool, typer.Option("--models", help="With weights, as safetensors.")] = False,
) -> None:
    """Pack tables, the study, records, learning curves and pictures into one file with a hash of each."""
    from pooch import file_hash

    from .runner.archive import pack

    archive, manifest = pack(folder, to, codes, models)
    size = archive.stat().st_size / 1e6
    console.say(f"{archive}: {len(manifest['files']):,} files, {size:.1f} MB, sha256 {file_hash(str(archive))}")
    console.say(f"next: bench import {archive} --out FOLDER, anywhere")


def import_(
    archive: Annotated[Path, typer.Argument(help="A .zip that `bench export` wrote.")],
    out: Annotated[Path, typer.Option(help="Results folder to make; it must not exist, or be empty.")],
) -> None:
    """Make a results folder of an archive, after checking every file in it."""
    from .runner.archive import unpack

    manifest = unpack(archive, out)
    console.say(f"{len(manifest['files']):,} files, every hash is right: {out}")
    console.say(f"next: bench report {out}")


def add(app: typer.Typer) -> None:
    """Give the command line these commands."""
    app.command("status", epilog="`bench status results/dsprites`\n\n`watch bench status dsprites`")(status)
    app.command(
        "report",
        epilog="`bench report results/dsprites`\n\n`bench report results/dsprites --metrics mig,dci.disentanglement`"
        "\n\n`bench report results/dsprites --format png,pdf`",
    )(report)
    app.command("show", epilog="`bench show 3f9a12`\n\n`bench show 3f9a12 --results results/dsprites`")(show)
    app.command("collect", epilog="`bench collect results/dsprites`")(collect)
    app.command(
        "export",
        epilog="`bench export results/dsprites --to out`\n\n`bench export results/dsprites --to out --codes --models`",
    )(export)
    app.command("import", epilog="`bench import out/dsprites.zip --out results/theirs`")(import_)
