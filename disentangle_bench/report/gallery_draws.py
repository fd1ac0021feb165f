"""What there is to show of a data set, and the figures of it: for every entry of the gallery a function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import figures
from ._frame import Frame, at, budget, finished, is_control, place_name
from .agreement_figure import LEAST
from .comparison_figure import CROWD
from .crowd import few, lowest_seeds, pooled, shown, typical
from .glossary import family, in_order
from .run_codes import RunCodes, read_codes
from .sensitivity import swept

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Drawn = list[tuple[str, "Figure"]]

FEW_RUNS = 100  # of a folder: beyond, single runs get no figures that take seconds each
CODES = 8  # labels of a data set whose codes are drawn
FAMILIES = 6  # of metrics, where configurations are many
SWEEPS = 8  # figures of swept parameters


def comparison(frame: Frame, folder: Path, dataset: str, source: str, metrics: Sequence[str]) -> Drawn:
    here = at(finished(frame), dataset, source)
    present = set(here["metric"]) & set(metrics)
    names = {family(metric): metric for metric in reversed(in_order(present))}  # each with its first part
    many = here.loc[~is_control(here), "label"].nunique() > CROWD
    drawn = map(family, few(names.values(), FAMILIES) if many else in_order(names.values()))
    return [(name, figures.comparison(frame, name, dataset, source, present)) for name in drawn]


def heatmap(frame: Frame, folder: Path, dataset: str, source: str, metrics: Sequence[str]) -> Drawn:
    here = at(finished(frame), dataset, source)
    return [("", figures.heatmap(frame, dataset, source, metrics))] if shown(here, metrics) else []


def ranks(frame: Frame, folder: Path, dataset: str, source: str, metrics: Sequence[str]) -> Drawn:
    return (
        [("", figures.rank_intervals(frame, dataset, source, metrics))]
        if _several(frame, dataset, source, metrics)
        else []
    )


def improvement(frame: Frame, folder: Path, dataset: str, source: str, metrics: Sequence[str]) -> Drawn:
    rows, _, _ = pooled(_trained(frame, dataset, source, metrics), dataset, source)
    several = rows["label"].nunique() > 1 and _repeated(rows)
    return [("", figures.improvement_matrix(frame, dataset, source, metrics))] if several else []


def profiles(frame: Frame, folder: Path, dataset: str, source: str, metrics: Sequence[str]) -> Drawn:
    several = _several(frame, dataset, source, metrics) and _repeated(_trained(frame, dataset, source, metrics))
    return [("", figures.performance_profiles(frame, dataset, source, metrics))] if several else []


def variance(frame: Frame, folder: Path, dataset: str, source: str, metrics: Sequence[str]) -> Drawn:
    rows = _trained(frame, dataset, source, metrics)
    per_metric = [own for _, own in rows.groupby("metric") if own["label"].nunique() > 1 and _repeated(own)]
    return [("", figures.variance_bars(frame, dataset, source, metrics))] if per_metric else []


def agreement(frame: Frame, folder: Path, dataset: str, source: str, metrics: Sequence[str]) -> Drawn:
    runs = _trained(frame, dataset, source, metrics).groupby("metric")["run"].nunique()
    return [("", figures.agreement_matrix(frame, dataset, source, metrics))] if (runs >= LEAST).sum() > 1 else []


def sensitivity(frame: Frame, folder: Path, dataset: str, source: str, metrics: Sequence[str]) -> Drawn:
    scored = _trained(frame, dataset, source, metrics)
    return [
        (f"{model} {parameter}", figures.sensitivity(frame, model, parameter, dataset, source, metrics))
        for model, parameter in swept(scored, dataset, source)[:SWEEPS]
    ]


def tradeoff(frame: Frame, folder: Path, dataset: str, source: str, metrics: Sequence[str]) -> Drawn:
    here = at(finished(frame), dataset, source)
    described = set(here.loc[here["metric"] == "reconstruction", "run"])
    there = described & set(_trained(frame, dataset, source, metrics)["run"])
    return [("", figures.tradeoff(frame, dataset, source, metrics))] if there else []


def cost(frame: Frame, folder: Path, dataset: str, source: str, metrics: Sequence[str]) -> Drawn:
    there = (_trained(frame, dataset, source, metrics)["seconds"].fillna(0) > 0).any()
    return [("", figures.cost(frame, dataset, source, metrics))] if there else []


def matrices(frame: Frame, folder: Path, dataset: str, source: str, metrics: Sequence[str]) -> Drawn:
    trees = frame["run"].nunique() <= FEW_RUNS
    return [
        (label, figures.matrices(held, title, trees=trees))
        for label, title, held in _codes(frame, folder, dataset, source)
    ]


def embedding(frame: Frame, folder: Path, dataset: str, source: str, metrics: Sequence[str]) -> Drawn:
    neighbours = frame["run"].nunique() <= FEW_RUNS
    held = _codes(frame[~is_control(frame)], folder, dataset, source)
    return [(label, figures.embedding(codes, title, neighbours=neighbours)) for label, title, codes in held]


def clusters(frame: Frame, folder: Path, dataset: str, source: str, metrics: Sequence[str]) -> Drawn:
    held = _codes(frame[~is_control(frame)], folder, dataset, source)
    found = [(label, figures.confusion(codes, title)) for label, title, codes in held]
    return [(label, figure) for label, figure in found if figure is not None]


def _trained(frame: Frame, dataset: str, source: str, metrics: Sequence[str]) -> Frame:
    """Finished scores there, of models that were trained."""
    here = at(finished(frame), dataset, source)
    return here[here["metric"].isin(shown(here, metrics)) & ~is_control(here)]


def _several(frame: Frame, dataset: str, source: str, metrics: Sequence[str]) -> bool:
    """Whether there is anybody to be ahead of."""
    return _trained(frame, dataset, source, metrics)["label"].nunique() > 1


def _repeated(rows: Frame) -> bool:
    """Whether any label has more than one seed: one run a label has neither a chance of winning nor a profile."""
    return bool(rows.groupby("label")["run"].nunique().max() > 1)


def _codes(frame: Frame, folder: Path, dataset: str, source: str) -> Iterator[tuple[str, str, RunCodes]]:
    """Label, title and codes of the lowest seed of each label there that left any, one at a time."""
    here = at(frame, dataset, source)
    for label, run in lowest_seeds(frame, typical(frame, dataset, source, CODES), dataset, source).items():
        held = read_codes(folder, run["run"])
        if held is not None:
            steps = budget(here[here["label"] == label])
            where = "\n".join(filter(None, [place_name(dataset, source), steps]))
            yield label, f"{label}, seed {run['seed']}\n{where}", held
