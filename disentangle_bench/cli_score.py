"""The command that scores: a results folder, a file of codes, or an encoder from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import catalog, console, flags


def add(app: typer.Typer) -> None:
    """Add the command to an app."""
    app.command(
        epilog="`bench score results/dsprites`\n\n`bench score codes.npz --factors factors.npz --metrics mig,dci`\n\n"
        "`bench score --encoder encoder.onnx --dataset dsprites --save codes.npz`"
    )(score)


def score(
    target: Annotated[
        Path | None,
        typer.Argument(
            help="A results folder, or a .npz with `codes` (n, d) and `factors` (n, f); docs/metrics.md has more."
        ),
    ] = None,
    factors: Annotated[Path | None, typer.Option(help="A .npz with `factors`, if the codes' file has none.")] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            metavar="ENCODER",
            help="Score this instead: MODULE:FUNCTION, a TorchScript file (.pt) or an ONNX file (.onnx). Of images, "
            "float32 in [0, 1], it makes codes (n, d), or means and standard deviations.",
        ),
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="The data set whose images `--encoder` is shown.")] = None,
    data: flags.Data = [],  # noqa: B006 (typer copies it)
    rows: flags.Rows = None,
    layout: Annotated[str, typer.Option(help="nchw | nhwc: of the images that `--encoder` is shown.")] = "nchw",
    save: Annotated[Path | None, typer.Option(help="A .npz where the codes of `--encoder` are kept.")] = None,
    metrics: flags.Metrics = "",
    blocks: flags.Blocks = "",
    settings: flags.Settings = [],  # noqa: B006
    data_dir: flags.DataDir = None,
) -> None:
    """Compute metrics that are missing in a results folder, milestones included; or of a file of codes, or an encoder.

    Only an encoder made with torch needs torch.
    """
    from .runner.codes import words
    from .runner.plan import BUDGETS
    from .runner.rescore import rescore_all, score_file
    from .runner.settings import metric_options, parse_rows, plain_name, with_options
    from .runner.store import Store
    from .schema import broken

    names, budget = catalog.metrics(flags.split(metrics) or None), BUDGETS["standard"]
    if (target is None) == (encoder is None):
        raise ValueError("score: expected a results folder, a file of codes, or --encoder; one of them")
    if encoder is None and (dataset or data or rows or save or data_dir or layout != "nchw"):
        raise ValueError("score: --dataset, --data, --rows, --layout, --save and --data-dir go with --encoder")
    if encoder is not None:
        from .datasets import load
        from .runner.encode import score_encoder

        sets = with_options(flags.data(dataset or "", data), settings)
        if len(sets) != 1 or factors is not None:
            told = ", ".join(sets) or "none"
            raise ValueError(f"--encoder: expected one --dataset or --data, whose factors are known; got {told}")
        options = metric_options(settings, budget, [], [plain_name(sets[0])])
        n = budget.rows if rows is None else parse_rows(rows)
        with console.Board() as board:
            held = load(sets[0], data_dir)
            found = score_encoder(encoder, held, n, layout, save, names, options, words(blocks), board.show)
    else:
        assert target is not None
        options = metric_options(settings, budget, [])
        if target.is_dir():
            with console.Board() as board:
                told = rescore_all(Store(target), names, options, words(blocks), board.show)
            console.rescored(target, *told)
            return
        found = score_file(target, factors, names, options, words(blocks))
    if set(console.scores(found, names)) & set(flags.split(metrics)) or any(broken(row["error"]) for row in found):
        raise typer.Exit(1 if found else 2)
