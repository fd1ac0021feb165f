"""What the command line prints: the plan, progress, how it ended, and one run in full."""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

from . import catalog
from .schema import broken, named


def plan(made: Any, store: Any, more: str = "") -> None:
    """Print what is new, done and to do, before any of it is done, and `more` if there is any."""
    count = made.count()
    sources = sorted({f"{run.dataset} ({run.source})" for run in made.runs})
    configurations = {(run.model, str(dict(run.params))) for run in made.runs}
    seeds = {run.seed for run in made.runs}
    scored = f", {count['trained']} trained and not scored yet" if count["trained"] else ""
    say(
        f"study {made.study}: {len(configurations)} configurations x {len(seeds)} seeds on {', '.join(sources)} = "
        f"{len(made.runs)} runs; {count['new']} new, {count['done']} done, {count['failed']} failed before{scored}"
    )
    trained = [run for run in made.runs if run.steps]
    if trained:
        first, note = trained[0], f" ({made.note})" if made.note else ""
        say(f"budget: {first.steps:,} steps, batch {first.batch}, {first.precision}{note}")
    blocks = f" on all units and blocks {', '.join(made.blocks)}" if made.blocks else ""
    say(
        f"to do: {len(made.wanted)} runs in {len(made.stacks)} stacks{_sizes(made.stacks)}; codes of "
        f"{_span(made.runs)} images a run; metrics {', '.join(made.metrics)}{blocks}; results in {store.folder}"
    )
    if more:
        say(more)
    if not {run.model for run in made.runs} & set(catalog.CONTROLS):
        say("no controls in this plan: `--models ...,controls` adds the reference lines that a table needs")


def cost(told: Any) -> None:
    """Print what a plan will take, and what is downloaded before."""
    from .runner.cost import words

    say("\n".join(words(told)))


def _sizes(stacks: list[list[Any]]) -> str:
    most = max(map(len, stacks), default=1)
    return f" of up to {most}" if most > 1 else ""


def _span(runs: list[Any]) -> str:
    rows = {run.rows for run in runs}
    return " to ".join(f"{n:,}" for n in sorted({min(rows), max(rows)}))


def finish(records: list[dict[str, Any]], store: Any, warnings: Iterable[str] = ()) -> None:
    """Print where the tables are, warnings, and everything that went wrong; exit code 1 if anything did."""
    bad = [record for record in records if record["status"] != "done"]
    rows = [(record, row) for record in records for row in [*record["scores"], *record["milestones"]]]
    unscored = [(record, row) for record, row in rows if row["error"]]
    say(f"{len(records) - len(bad)} runs done; tables: {store.folder / 'results.csv'}, runs.parquet, scores.parquet")
    for record in bad:
        trace = store.folder / "runs" / record["run"] / "error.txt"
        say(
            f"  {record['status']}: {_name(record)} {record['error']}"
            + (f" (traceback: {trace})" if trace.exists() else "")
        )
    for record, row in unscored:
        at = f" at step {row['step']:,}" if "step" in row else ""
        say(f"  no {named(row['metric'], row['block'], row['split'])}{at}: {_name(record)} {row['error']}")
    for warning in filter(None, warnings):
        warn(warning)
    say(f"next: bench report {store.folder}")
    if bad or any(broken(row["error"]) for _, row in unscored):
        raise typer.Exit(1)


def _name(record: dict[str, Any]) -> str:
    return f"{record['model']} {record['dataset']} seed {record['seed']} [{record['run']}]"


def status(folder: Path) -> None:
    """Print how far a folder is."""
    from .runner.status import status, words

    say("\n".join(words(status(folder), folder)))


def rescored(folder: Path, filled: int, runs: int, broken: list[str]) -> None:
    """Print how a folder was rescored; exit code 1 if some of its codes could not be read."""
    say(f"{filled} of {runs} runs lacked numbers or held them under other options; tables: {folder}")
    for problem in broken:
        warn(f"{problem}; `bench run` does this run again")
    if broken:
        raise typer.Exit(1)


def run(record: dict[str, Any], folder: Path) -> None:
    """Print a run's description, provenance, scores and files."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    facts = Table(show_header=False, box=None)
    for key, value in record.items():
        if key not in ("scores", "milestones"):
            facts.add_row(f"[bold]{key}", str(value))
    numbers = Table("metric", "value", "convention", box=None)
    for row in record["scores"]:
        numbers.add_row(
            escape(named(row["metric"], row["block"], row["split"])),
            row["error"] or f"{row['value']:.4f}",
            row["convention"],
        )
    shown = [facts, "", numbers, ""]
    if steps := sorted({row["step"] for row in record["milestones"]}):
        way = Table("metric", *(f"step {step:,}" for step in steps), box=None)
        way_rows = record["milestones"]
        values = {(named(row["metric"], row["block"], row["split"]), row["step"]): row["value"] for row in way_rows}
        for name in dict.fromkeys(name for name, _ in values):
            told = [values.get((name, step)) for step in steps]
            way.add_row(escape(name), *("-" if value is None else f"{value:.4f}" for value in told))
        shown += [way, ""]
    Console().print(*shown, "files: " + ", ".join(str(path) for path in sorted(folder.iterdir())))


def say(text: str) -> None:
    """A line on standard output."""
    typer.echo(text)


def listing(kind: str) -> None:
    """What there is of models, metrics, datasets or studies, one name a line."""
    kinds = {"models": "model", "metrics": "metric", "datasets": "dataset", "studies": ""}
    one = kinds[catalog.choose("kind", kind, list(kinds))]
    if not one:
        found = sorted(str(path) for path in Path("benchmarks").glob("[!_]*.py"))
        say("\n".join(found) if found else "no benchmarks/*.py here")
        return
    width = max(map(len, catalog.names(one)))
    for name in catalog.names(one):
        say(f"{name:{width}}  {catalog.summary(one, name)}")


def scores(rows: list[dict[str, Any]], wanted: list[str]) -> list[str]:
    """Numbers of one file of codes as CSV on standard output; the metrics that it lacks an array for."""
    import pandas as pd

    lacking = [name for name in wanted if name not in {row["metric"].split(".")[0] for row in rows}]
    for name in lacking:
        warn(f"not computed: {name} needs {missing(name)}")
    if rows:
        table = pd.DataFrame(rows)[
            ["metric", "block", "split", "version", "value", "n", "convention", "warning", "error"]
        ]
        table.to_csv(sys.stdout, index=False)
    return lacking


def missing(metric: str) -> str:
    """What a file of codes would need for a metric."""
    what = {
        "clusters": "`label` in the file, the name of the factor that is the class",
        "sd": "`sd` in the file, the posteriors' standard deviations, all above 0",
        "representations": "the codes of several runs: call it in Python",
    }
    needed = inspect.signature(catalog.get("metric", metric)).parameters.values()
    return next(what[p.name] for p in needed if p.default is p.empty and p.name in what)


def verdicts(rows: Any) -> None:
    """The verdicts of a stress card."""
    from rich import print as show

    from .report.stress_words import table
    from .stress import judge

    show(table(judge(rows)))


def warn(text: str) -> None:
    """A line on standard error."""
    typer.echo(text, err=True)


class Board:
    """A line a stack: live on a terminal, a log line a minute elsewhere."""

    EVERY = 60.0

    def __enter__(self) -> Board:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        console = Console(stderr=True)
        columns = TextColumn("{task.description}"), BarColumn(20), TextColumn("{task.fields[text]}")
        self.live = Progress(*columns, console=console) if console.is_terminal else None
        self.lines: dict[str, Any] = {}
        self.said: dict[str, float] = {}
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.live:
            self.live.stop()

    def show(self, message: Any) -> None:
        """Tell a runner's message."""
        now = time.monotonic()
        if self.live:
            if message.stack not in self.lines:
                self.lines[message.stack] = self.live.add_task(message.stack, total=1.0, text="")
            self.live.update(self.lines[message.stack], completed=message.share, text=message.text)
        elif message.share >= 1 or now - self.said.get(message.stack, -self.EVERY) >= self.EVERY:
            self.said[message.stack] = now
            warn(f"{message.stack}: {message.text}")
