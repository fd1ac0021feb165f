"""The command line. Everything heavy is imported inside a command, so that help answers at once."""

from __future__ import annotations

import logging
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from . import catalog, cli_data, cli_folders, cli_score, console, flags

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Train, score and compare disentangled representation learners.",
    epilog="**Start with**  `bench run --models mcevae,betavae,controls --dataset dsprites --budget quick`\n\n"
    "**then**  `bench report results/dsprites`",
)


@app.command(
    epilog="`bench run --models mcevae,betavae,controls --dataset dsprites --budget quick --seeds 3`\n\n"
    "`bench run --models betavae --set betavae.beta=1,4,16 --dataset toy --steps 2000 --evaluate-at 500,1k`\n\n"
    "`bench run --models m2,classifier --dataset digits --set data.labels=100 --steps 5000`\n\n"
    "`bench run --models betavae,controls --data mine.npz --steps 2000`\n\n"
    "`bench run --study benchmarks/smoke.py --only 'model=betavae|vae,seed=0:2'`"
)
def run(
    models: flags.Models = "",
    dataset: flags.Datasets = None,
    data: flags.Data = [],  # noqa: B006 (typer copies it)
    seeds: flags.Seeds = "10",
    steps: flags.Steps = None,
    budget: flags.Budget = "standard",
    rows: flags.Rows = None,
    precision: flags.Precision = "fp32",
    settings: flags.Settings = [],  # noqa: B006
    metrics: flags.Metrics = "",
    blocks: flags.Blocks = "",
    study: flags.Study = None,
    out: flags.Out = None,
    rerun: flags.Rerun = "missing",
    evaluate_at: flags.EvaluateAt = "",
    checkpoint_every: flags.CheckpointEvery = None,
    device: flags.Device = "auto",
    on: flags.On = "auto",
    address: flags.Address = None,
    max_failures: flags.MaxFailures = None,
    scorers: flags.Scorers = "auto",
    stack: flags.Stack = "auto",
    data_dir: flags.DataDir = None,
    only: flags.Only = "",
    dry_run: flags.DryRun = False,
) -> None:
    """Train models, store their codes, score them, and write the tables. Run it again to go on where it stopped."""
    from .runner import cost, executors, interrupt, milestones, status
    from .runner import run as runner
    from .runner import settings as settings_
    from .runner.codes import words
    from .runner.only import only as some
    from .runner.plan import dataset as dataset_
    from .runner.plan import load_study
    from .runner.rescore import lacking_blocks
    from .runner.store import Store
    from .training.engine import pick_device
    from .training.precision import require

    catalog.choose("--rerun", rerun, list(runner.RERUN))
    executors.check(on, address, scorers)
    asked = milestones.parse(evaluate_at)
    wanted = catalog.metrics(flags.split(metrics)) if metrics else None
    if study is None:
        names = flags.split(models), flags.data(dataset, data)
        question = settings_.question(
            *names, seeds, steps, budget, settings, wanted, words(blocks), precision=precision, rows=rows
        )
    elif models or dataset or data or settings or steps or wanted or blocks or rows or precision != "fp32":
        raise ValueError(
            "--study holds the whole question: no --models, --dataset, --data, --set, --steps, --rows, --metrics, "
            "--blocks, --precision"
        )
    else:
        question = load_study(study)
    place = pick_device(device)
    require(question.precision, place)
    store = Store(out or Path("results") / question.name)
    if not dry_run:
        store.open()
    look = cost.looks(store, str(place)) if dry_run else dataset_
    whole = question.runs(data_dir, look)
    plan = runner.plan(
        some(only, whole) if only else whole,
        store,
        study=question.name,
        command=shlex.join(["bench", *sys.argv[1:]]),
        note=question.note,
        metrics=question.metrics,
        options=question.options,
        blocks=question.blocks,
        rerun=rerun,
        stack=stack,
        device=str(place),
        data_dir=data_dir,
        whole=whole,
        look=look,
    )
    on_the_way, late = milestones.within(asked, plan.runs)
    console.plan(plan, store, late)
    if dry_run:
        with console.Board() as board:
            console.cost(cost.estimate(plan, store, on, scorers, on_the_way, look, board.show))
        return
    try:
        with interrupt.twice(), console.Board() as board:
            records = runner.execute(
                plan,
                store,
                on=on,
                address=address,
                scorers=scorers,
                max_failures=max_failures,
                fresh=rerun == "all",
                evaluate_at=on_the_way,
                checkpoint_every=checkpoint_every,
                watch=board.show,
            )
    except KeyboardInterrupt:
        console.status(store.folder)
        console.say(f"tables of what is done: {store.folder / 'results.csv'}")
        raise typer.Exit(interrupt.CODE) from None
    lacking = lacking_blocks(store, [r["run"] for r in records], plan.blocks)
    others = status.elsewhere(store.folder, [run.id for run in plan.runs])
    stopped = runner.stopped(plan, store, max_failures)
    console.finish(records, store, [lacking, milestones.missed(on_the_way, store, records), others, stopped])


cli_score.add(app)
cli_folders.add(app)


@app.command(epilog="`bench stress mig`\n\n`bench stress --out docs/stress`")
def stress(
    metric: Annotated[str, typer.Argument(help="Comma-separated names; every metric of codes if left out.")] = "",
    out: Annotated[Path, typer.Option(help="Folder for README.md, stress.csv and figures.")] = Path("out/stress"),
) -> None:
    """How metrics react to noise, rotation, copies, idle codes, scale, outliers, bins, rows, correlated factors."""
    from .report.stress import write
    from .stress import broken, measure

    out.mkdir(parents=True, exist_ok=True)
    with console.Board() as board:
        rows = measure(flags.split(metric), watch=board.show)
    console.verdicts(rows)
    console.say(f"stress card: {write(rows, out)}")
    for problem in broken(rows):
        console.warn(problem)
    if broken(rows):
        raise typer.Exit(1)


@app.command("list", epilog="`bench list models`\n\n`bench list metrics`")
def list_(kind: Annotated[str, typer.Argument(help="models | metrics | datasets | studies.")] = "models") -> None:
    """What there is, one name a line."""
    console.listing(kind)


cli_data.add(app)


@app.command(
    epilog="`bench check disentangle_bench/models/betavae.py`\n\n`bench check disentangle_bench/metrics/mig.py`"
)
def check(file: Annotated[Path, typer.Argument(help="A file of a model, a metric or a data set.")]) -> None:
    """Run the contract tests on one file."""
    from . import contract

    failures = 0
    for name, problem in contract.check(file):
        failures += problem is not None
        console.say(f"ok     {name}" if problem is None else f"FAILED {name}: {problem}")
    if failures:
        raise typer.Exit(1)


def main() -> None:
    """Entry point: bad input is one line on stderr and exit code 2, before any work."""
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    try:
        app(standalone_mode=True)
    except (ValueError, OSError) as error:
        console.warn(f"bench: {error}")
        raise SystemExit(2) from None
    except SystemExit as stop:
        if stop.code == 130:  # Ctrl-C
            console.warn("stopped; the same command goes on from here")
        raise


if __name__ == "__main__":
    main()
