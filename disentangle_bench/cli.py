"""The command line. Everything heavy is imported inside a command, so that help answers at once."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from . import catalog

app = typer.Typer(no_args_is_help=True, add_completion=True, rich_markup_mode="markdown", pretty_exceptions_enable=False,
                  help="Train, score and compare disentangled representation learners.",
                  epilog="**Start with**  `bench run --models mcevae,betavae,controls --dataset dsprites --budget quick`\n\n"
                         "**then**  `bench report results/dsprites`")

Models = Annotated[str, typer.Option(help="Comma-separated names; `controls` stands for oracle, noise, untrained and pca.")]
Folder = Annotated[Path, typer.Argument(help="A results folder.")]
DataDir = Annotated[str | None, typer.Option("--data-dir", envvar="BENCH_DATA", help="Where data files are kept.")]
Settings = Annotated[list[str], typer.Option("--set", help="NAME.PARAMETER=VALUE of a model or metric; "
                                                           "values joined by commas sweep a model's parameter.")]


@app.command(epilog="`bench run --models mcevae,betavae,controls --dataset dsprites --budget quick --seeds 3`\n\n"
                    "`bench run --models betavae --set betavae.beta=1,4,16 --dataset toy --steps 2000 --dry-run`")
def run(
    models: Models = "",
    dataset: Annotated[str, typer.Option(help="Comma-separated names of data sets.")] = "dsprites",
    seeds: Annotated[str, typer.Option(help="How many seeds (10: 0 to 9), or which (3:6 is 3, 4, 5; 1,7 is just these).")] = "10",
    steps: Annotated[int | None, typer.Option(help="Training steps, instead of the budget's.")] = None,
    budget: Annotated[str, typer.Option(help="quick | standard | paper.")] = "standard",
    settings: Settings = [],  # noqa: B006 (typer copies it)
    metrics: Annotated[str, typer.Option(help="Comma-separated names; all metrics if left out.")] = "",
    study: Annotated[Path | None, typer.Option(help="A Python file that defines a study, instead of the options above.")] = None,
    out: Annotated[Path | None, typer.Option(help="Results folder; results/DATASET (or the study's name) if left out.")] = None,
    rerun: Annotated[str, typer.Option(help="missing | failed | all | none.")] = "missing",
    device: Annotated[str, typer.Option(help="auto | cpu | cuda | cuda:1 | mps.")] = "auto",
    on: Annotated[str, typer.Option(help="auto | here | processes: where stacks of runs are worked on.")] = "auto",
    stack: Annotated[int, typer.Option(min=1, help="Runs of one model trained side by side.")] = 1,
    data_dir: DataDir = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
) -> None:
    """Train models, store their codes, score them, and write the tables. Run it again to go on where it stopped."""
    from .runner import executors
    from .runner import run as runner
    from .runner.plan import BUDGETS, Study, build_models, load_study, metric_options
    from .runner.store import Store

    size = BUDGETS[catalog.choose("budget", budget, list(BUDGETS))]
    catalog.choose("--on", on, list(executors.NAMES))
    if study is not None:
        question = load_study(study)
    else:
        if not models:
            raise ValueError("--models: nothing given; `bench list models` shows what there is")
        names = [catalog.choose("dataset", name) for name in _split(dataset)]
        chosen = build_models(_split(models), settings, size)
        options = metric_options(settings, size, [type(m).__module__.rpartition(".")[2] for m in chosen])
        question = Study(chosen, names, parse_seeds(seeds), _positive("--steps", size.steps if steps is None else steps),
                         size.batch, size.rows, _split(metrics) or None, options, name="-".join(names),
                         note=size.note if steps is None else "")
    if device != "auto" or not dry_run:
        from .training.engine import pick_device
        device = str(pick_device(device))
    store = Store(out or Path("results") / question.name)
    if not dry_run:
        store.open()
    plan = runner.plan(question.runs(data_dir), store, study=question.name, metrics=question.metrics,
                       options=question.options, rerun=rerun)
    _print_plan(plan, store, question, stack)
    if dry_run:
        return
    with _Board() as board:
        records = runner.execute(plan, store, device=device, on=on, stack=stack, data_dir=data_dir,
                                 fresh=rerun == "all", watch=board.show)
    _finish(records, store)


@app.command(epilog="`bench score results/dsprites`\n\n`bench score codes.npz --factors factors.npz --metrics mig,dci`")
def score(
    target: Annotated[Path, typer.Argument(help="A results folder, or a .npz with `codes` (n, d) and `factors` (n, f).")],
    factors: Annotated[Path | None, typer.Option(help="A .npz with `factors`, if the codes' file has none.")] = None,
    metrics: Annotated[str, typer.Option(help="Comma-separated names; all metrics if left out.")] = "",
    settings: Settings = [],  # noqa: B006
) -> None:
    """Compute metrics that are missing in a results folder, or all of them for a file of codes. No torch needed."""
    import pandas as pd

    from .runner.plan import BUDGETS, metric_options
    from .runner.score import compute, plan_rows, read_codes
    from .runner.store import Store
    from .runner.work import rescore

    names = [catalog.choose("metric", name) for name in _split(metrics)] or catalog.names("metric")
    options = metric_options(settings, BUDGETS["standard"], [])
    if target.is_dir():
        store = Store(target)
        runs = [record["run"] for record in store.records()]
        if not runs:
            raise ValueError(f"{target}: no runs here; `bench run --out {target}` makes some")
        with _Board() as board:
            from .runner.work import Message
            filled = 0
            for i, name in enumerate(runs):
                board.show(Message("scores", f"run {name}", (i + 1) / len(runs)))
                filled += rescore(store, name, names, options)
        store.collect()
        _say(f"{filled} of {len(runs)} runs had numbers missing; tables: {target}")
        return
    held = read_codes(target, factors)
    rows = [row for wanted in plan_rows(held, names, options) for row in compute(held, wanted)]
    table = pd.DataFrame(rows)[["metric", "version", "value", "n", "convention", "error"]]
    table.to_csv(sys.stdout, index=False)
    if (table.error != "").any():
        raise typer.Exit(1)


@app.command(epilog="`bench report results/dsprites`\n\n`bench report results/dsprites --metrics mig,dci.disentanglement`")
def report(folder: Folder,
           metrics: Annotated[str, typer.Option(help="Comma-separated names; all that were scored if left out.")] = "") -> None:
    """Write leaderboard, plots, pictures and one self-contained page, from whatever is finished."""
    from .report import report as write

    _say(f"report: {write(folder, _split(metrics) or None)}")


@app.command("list", epilog="`bench list models`\n\n`bench list metrics`")
def list_(kind: Annotated[str, typer.Argument(help="models | metrics | datasets | studies.")] = "models") -> None:
    """What there is, one name a line."""
    kinds = {"models": "model", "metrics": "metric", "datasets": "dataset", "studies": ""}
    kind = catalog.choose("kind", kind, list(kinds))
    if kind == "studies":
        found = sorted(str(path) for path in Path("benchmarks").glob("[!_]*.py"))
        _say("\n".join(found) if found else "no benchmarks/*.py here")
    else:
        width = max(map(len, catalog.names(kinds[kind])))
        for name in catalog.names(kinds[kind]):
            _say(f"{name:{width}}  {catalog.summary(kinds[kind], name)}")


@app.command(epilog="`bench show 3f9a12`\n\n`bench show 3f9a12 --results results/dsprites`")
def show(run: Annotated[str, typer.Argument(help="The first characters of a run's name.")],
         results: Annotated[Path, typer.Option(help="Where to look for it.")] = Path("results")) -> None:
    """A run's description, where it comes from, its scores and its files."""
    from .runner.store import Store

    found = [path for path in sorted(results.glob("**/runs/*/run.json")) if path.parent.name.startswith(run)]
    if len(found) != 1:
        which = ", ".join(path.parent.name for path in found) or "none"
        raise ValueError(f"run {run!r}: expected one match below {results}, found {which}")
    record = Store(found[0].parents[2]).record(found[0].parent.name)
    if record is None:
        raise ValueError(f"{found[0]} is not readable")
    from rich.console import Console
    from rich.table import Table

    console = Console()
    facts = Table(show_header=False, box=None)
    for key, value in record.items():
        if key != "scores":
            facts.add_row(f"[bold]{key}", str(value))
    numbers = Table("metric", "value", "convention", box=None)
    for row in record["scores"]:
        numbers.add_row(row["metric"], row["error"] or f"{row['value']:.4f}", row["convention"])
    console.print(facts, "", numbers, "", "files: " + ", ".join(str(p) for p in sorted(found[0].parent.iterdir())))


@app.command(epilog="`bench data info dsprites`\n\n`bench data preview dsprites --out dsprites.png`")
def data(action: Annotated[str, typer.Argument(help="fetch | info | preview.")],
         name: Annotated[str, typer.Argument(help="A data set.")],
         out: Annotated[Path | None, typer.Option(help="Where `preview` writes its picture.")] = None,
         data_dir: DataDir = None) -> None:
    """Download a data set's official file, describe it, or draw some of its images."""
    from . import datasets

    catalog.choose("action", action, ["fetch", "info", "preview"])
    catalog.choose("dataset", name)
    if action == "fetch":
        _say(f"{datasets.fetch(name, data_dir=data_dir)}")
        return
    held = datasets.load(name, data_dir=data_dir)
    if action == "info":
        _say(f"{held.name}: {len(held):,} images {held.shape}, source {held.source}, sha256 {held.sha256}")
        for factor, size, kind in zip(held.names, held.sizes, held.kinds):
            _say(f"  {factor:12} {size:4} values, {kind}{' (the class)' if factor == held.label else ''}")
        return
    import numpy as np
    from PIL import Image

    h, w, c = held.shape
    sheet = held.take(np.linspace(0, len(held) - 1, 64).astype(int)).reshape(8, 8, h, w, c)
    framed = np.pad(sheet, ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0)), constant_values=128)
    picture = framed.transpose(0, 2, 1, 3, 4).reshape(8 * (h + 2), 8 * (w + 2), c)
    path = out or Path(f"{name}.png")
    Image.fromarray(picture.squeeze()).save(path)
    _say(f"{path}")


@app.command(epilog="`bench check disentangle_bench/models/betavae.py`\n\n`bench check disentangle_bench/metrics/mig.py`")
def check(file: Annotated[Path, typer.Argument(help="A file of a model, a metric or a data set.")]) -> None:
    """Run the contract tests on one file."""
    from . import contract

    failures = 0
    for name, problem in contract.check(file):
        failures += problem is not None
        _say(f"{'ok    ' if problem is None else 'FAILED'} {name}{'' if problem is None else ': ' + problem}")
    if failures:
        raise typer.Exit(1)


def parse_seeds(text: str) -> list[int]:
    """ "3" -> [0, 1, 2]; "3:6" -> [3, 4, 5]; "1,7" -> [1, 7]."""
    try:
        if ":" in text:
            low, high = map(int, text.split(":"))
            seeds = list(range(low, high))
        else:
            seeds = list(range(int(text))) if "," not in text else [int(part) for part in text.split(",")]
    except ValueError:
        seeds = []
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise ValueError(f"--seeds: got {text!r}, expected a number above zero, a range such as 3:6, or a list such as 1,7")
    return seeds


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _positive(name: str, value: int) -> int:
    if value < 1:
        raise ValueError(f"{name}: got {value}, expected a number above zero")
    return value


def _say(text: str) -> None:
    typer.echo(text)


def _print_plan(plan: Any, store: Any, study: Any, stack: int) -> None:
    from .runner.plan import group

    count = plan.count()
    first = plan.runs[0]
    sources = sorted({f"{run.dataset} ({run.source})" for run in plan.runs})
    configurations = list(dict.fromkeys((run.model, str(dict(run.params))) for run in plan.runs))
    _say(f"study {plan.study}: {len(configurations)} configurations x {len({run.seed for run in plan.runs})} seeds on "
         f"{', '.join(sources)} = {len(plan.runs)} runs; {count['new']} new, {count['done']} done, {count['failed']} failed before")
    trained = [run for run in plan.runs if run.steps]
    if trained:
        _say(f"budget: {trained[0].steps:,} steps, batch {trained[0].batch}" + (f" ({study.note})" if study.note else ""))
    _say(f"to do: {len(plan.wanted)} runs in {len(group(plan.wanted, stack))} stacks; codes of {first.rows:,} images a run; "
         f"metrics {', '.join(plan.metrics)}; results in {store.folder}")
    if not {run.model for run in plan.runs} & set(catalog.CONTROLS):
        _say("no controls in this plan: `--models ...,controls` adds the reference lines that a table needs")


def _finish(records: list[dict[str, Any]], store: Any) -> None:
    bad = [record for record in records if record["status"] != "done"]
    unscored = [(r, row) for r in records for row in r["scores"] if row["error"]]
    _say(f"{len(records) - len(bad)} runs done; tables: {store.folder / 'results.csv'}, runs.parquet, scores.parquet")
    for record in bad:
        _say(f"  {record['status']}: {record['model']} seed {record['seed']} [{record['run']}] {record['error']} "
             f"(traceback: {store.folder / 'runs' / record['run'] / 'error.txt'})")
    for record, row in unscored:
        _say(f"  no {row['metric']}: {record['model']} seed {record['seed']} [{record['run']}] {row['error']}")
    _say(f"next: bench report {store.folder}")
    if bad or unscored:
        raise typer.Exit(1)


class _Board:
    """A line a stack: live on a terminal, a log line a minute elsewhere."""

    EVERY = 60.0

    def __enter__(self) -> _Board:
        import time

        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self.clock: Callable[[], float] = time.monotonic
        console = Console(stderr=True)
        self.live = Progress(TextColumn("{task.description}"), BarColumn(20), TextColumn("{task.fields[text]}"),
                             console=console) if console.is_terminal else None
        self.lines: dict[str, Any] = {}
        self.said: dict[str, float] = {}
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.live:
            self.live.stop()

    def show(self, message: Any) -> None:
        if self.live:
            if message.stack not in self.lines:
                self.lines[message.stack] = self.live.add_task(message.stack, total=1.0, text="")
            self.live.update(self.lines[message.stack], completed=message.share, text=message.text)
        elif message.share >= 1 or self.clock() - self.said.get(message.stack, -self.EVERY) >= self.EVERY:
            self.said[message.stack] = self.clock()
            typer.echo(f"{message.stack}: {message.text}", err=True)


def main() -> None:
    """Entry point: bad input is one line on stderr and exit code 2, before any work."""
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    try:
        app(standalone_mode=True)
    except ValueError as error:
        typer.echo(f"bench: {error}", err=True)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from here", err=True)
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
