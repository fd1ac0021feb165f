"""What is to be done: runs, the studies that name them, and how they are grouped into stacks."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, get_type_hints

from .. import catalog

Look = Callable[[str, "str | None"], Any]  # name, folder of files -> data set
DEFINITION = 1  # raised when a description stops meaning the same training


@dataclass(frozen=True)
class Budget:
    """How much a run may cost: training steps, batch, rows of codes, and what it changes of models and metrics; whole
    numbers of models are steps of so many."""

    steps: int
    batch: int
    rows: int
    model: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    note: str = ""


BUDGETS = {
    "quick": Budget(
        1_000,
        64,
        10_000,
        {"lr": 1e-3, "anneal": 300, "switch": 890},
        note="1,000 of the paper's 300,000 steps (0.3 %), Adam at 1e-3: a look, not a result",
    ),
    "standard": Budget(
        30_000,
        64,
        10_000,
        {"anneal": 10_000, "switch": 26_800},
        note="30,000 of the paper's 300,000 steps (10 %), every model at its own rate",
    ),
    "paper": Budget(300_000, 64, 10_000, note="Locatello et al. 2019, table 4: 300,000 steps, batch 64"),
}


@dataclass(frozen=True)
class Run:
    """One model with its hyper-parameters, trained on one data set from one seed with one budget."""

    model: str
    params: Mapping[str, Any]
    dataset: str
    source: str
    dataset_sha256: str
    seed: int
    steps: int
    batch: int
    rows: int  # rows of codes that it leaves
    version: int = 1  # of the model
    precision: str = "fp32"  # or "tf32", "bf16"
    where: str = ""  # of somebody's own data: where a worker finds them, which decides nothing

    @property
    def description(self) -> dict[str, Any]:
        """All that decides its outcome, ready for JSON."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        all_ = {**fields, "params": dict(self.params), "definition": DEFINITION}
        del all_["where"]
        return {key: value for key, value in all_.items() if (key, value) != ("precision", "fp32")}  # ids stay

    @cached_property
    def id(self) -> str:
        """Hash of the canonical description: twelve hexadecimal digits."""
        text = json.dumps(self.description, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def instance(self) -> Any:
        """The model object itself."""
        return catalog.get("model", self.model)(**self.params)


@dataclass(frozen=True)
class Study:
    """A question put to the suite: every model on every data set with every seed.

    Models are objects (`BetaVAE(beta=8)`) or names; a pair of one and a data set is a model on that set alone.
    `metrics` None means the card (`catalog.CARD`); `options` are keyword options a metric. `blocks` are scored beside
    all units: names, sums ("z_c+z"), or "each". `rows` of codes are kept a run, or all that the data set has if it has
    fewer. `precision` is that of training.
    """

    models: Iterable[Any]
    datasets: Iterable[str] = ("dsprites",)
    seeds: Iterable[int] = range(10)
    steps: int = 300_000
    batch: int = 64
    rows: int = 10_000
    metrics: Iterable[str] | None = None
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    blocks: Iterable[str] = ()
    name: str = ""
    note: str = ""
    precision: str = "fp32"

    def __post_init__(self) -> None:
        if self.name in (".", "..") or set(self.name) & set("/\\"):
            raise ValueError(f"Study: name is {self.name!r}, expected that of a folder below results/")

    def runs(self, data_dir: str | None = None, look: Look | None = None) -> list[Run]:
        """The runs that the study names, in order, none twice. Each data set is loaded, for the hash of what it holds;
        `look` is another way to know it from name and folder."""
        from ..datasets import called

        wanted: dict[tuple[str, str], list[tuple[str, Any]]] = {called(name): [] for name in self.datasets}
        common = list(wanted)
        for entry in self.models:
            model, own = entry if isinstance(entry, tuple) else (entry, None)
            model = _known(catalog.get("model", model)() if isinstance(model, str) else model)
            for place in common if own is None else [called(own)]:
                wanted.setdefault(place, []).append(model)
        found: dict[str, Run] = {}
        for (name, where), models in wanted.items():
            data = (look or dataset)(where or name, data_dir)
            rows = min(self.rows, len(data.scored))
            for file, model in models:
                _fits(file, model, data)
                params = _params(model)
                steps, batch = (self.steps, self.batch) if model.trains else (0, 0)
                for seed in self.seeds:
                    run = Run(
                        file,
                        params,
                        name,
                        data.source,
                        data.sha256,
                        int(seed),
                        steps,
                        batch,
                        rows,
                        getattr(model, "version", 1),
                        self.precision if model.trains else "fp32",
                        where,
                    )
                    found[run.id] = run
        return list(found.values())


@lru_cache(maxsize=1)
def dataset(name: str, data_dir: str | None) -> Any:
    """A data set, kept for the next stack that wants it."""
    from ..datasets import load

    return load(name, data_dir=data_dir)


def load_study(path: str | Path) -> Study:
    """The `study` that a Python file defines, named after the file.

    Raises
    ------
    ValueError
        No such file, or it defines no `study = Study(...)`.
    """
    import runpy

    path = Path(path)
    if not path.is_file():
        raise ValueError(f"study file {str(path)!r} does not exist")
    try:
        study = runpy.run_path(str(path)).get("study")
    except SyntaxError as error:
        raise ValueError(f"study file {str(path)!r} is not Python: {error}") from None
    if not isinstance(study, Study):
        raise ValueError(f"study file {str(path)!r} defines no `study = Study(...)`")
    return dataclasses.replace(study, name=study.name or path.stem)


def group(runs: list[Run]) -> list[list[Run]]:
    """Runs that may train side by side: all is alike but the seed and hyper-parameters that are floats."""
    alike: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        shape = sorted((name, value) for name, value in run.params.items() if not isinstance(value, float))
        budget = (run.steps, run.batch, run.rows, run.precision)
        alike.setdefault((run.model, *shape, run.dataset, run.source, run.dataset_sha256, *budget), []).append(run)
    return list(alike.values())


def _known(model: Any) -> tuple[str, Any]:
    """A model with its name; refuses objects that a worker could not make again from their name."""
    name = type(model).__module__.rpartition(".")[2]
    if name not in catalog.names("model") or catalog.get("model", name) is not type(model):
        raise ValueError(
            f"{type(model).__qualname__} of {type(model).__module__} is no file of disentangle_bench/models"
        )
    return name, model


def _fits(name: str, model: Any, data: Any) -> None:
    """Refuse a model that a data set lacks something for, before anything is trained."""
    try:
        getattr(model, "fits", lambda data: None)(data)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _params(model: Any) -> dict[str, Any]:
    """Hyper-parameters by declared type: 8 and 8.0 are one run. No learning rate where nothing learns."""
    kinds = fields_of(type(model))
    values = {name: kinds[name](value) for name, value in dataclasses.asdict(model).items()}
    return {name: value for name, value in values.items() if model.trains or name != "lr"}


def fields_of(cls: type) -> dict[str, type]:
    """Names and types of a model's hyper-parameters."""
    hints = get_type_hints(cls)
    return {f.name: hints[f.name] for f in dataclasses.fields(cls)}
