"""What to show where there is more than a reader can tell apart: few metrics, models in place of configurations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..catalog import CARD
from ._frame import Frame, at, is_control, unnamed
from .glossary import choose, family, in_order, meaning
from .labels import ordered, styles

MOST = 10  # labels that lines and dots of one panel can hold
TOGETHER = "all configurations of a model together"


def few(metrics: Iterable[str], most: int = 12) -> list[str]:
    """The metrics to show where there is room for so many, in the order of tables: those of the card before others,
    the first part of each before its second.

    Examples
    --------
    >>> few(["udr", "mig", "dci.disentanglement", "dci.completeness"], 3)
    ['mig', 'dci.disentanglement', 'dci.completeness']
    """
    names = in_order(metrics)
    members: dict[str, list[str]] = {}
    for name in names:
        members.setdefault(family(name), []).append(name)

    def rank(name: str) -> tuple[bool, int, int]:
        return family(unnamed(name)[0]) not in CARD, members[family(name)].index(name), names.index(name)

    return in_order(sorted(names, key=rank)[:most])


def scores(metrics: Iterable[str]) -> list[str]:
    """Those of the metrics that have a best end; without them a figure has nothing to rank or to colour.

    Training facts (reconstruction, ELBO) are left out: what they mean depends on the images, not on a fixed scale.
    """
    return [name for name in metrics if meaning(name).best and None not in meaning(name).bounds]


def shown(frame: Frame, metrics: Iterable[str] | None, most: int = 12) -> list[str]:
    """Of these metrics (None: all) the few scores that a frame has."""
    present = set(frame["metric"].dropna())
    return few(
        scores(name for name in (choose(None, present) if metrics is None else metrics) if name in present), most
    )


def pooled(frame: Frame, dataset: str, source: str) -> tuple[Frame, dict[str, dict[str, Any]], bool]:
    """The rows of a data set as a legend can name them: by label, or where labels are many, by model.

    Returns
    -------
    rows, whose `label` is the model where they were pooled; the look of each, where they were pooled of the models of
    the whole frame, so that a model keeps its colour in all such figures; whether they were pooled.
    """
    here = at(frame, dataset, source)
    labels = here.loc[~is_control(here), "label"].nunique()
    if labels <= MOST or labels == here.loc[~is_control(here), "model"].nunique():
        return here, styles(frame), False
    return here.assign(label=here["model"]), styles(frame.assign(label=frame["model"])), True


def typical(frame: Frame, dataset: str, source: str, most: int = MOST) -> list[str]:
    """Labels with finished runs there, controls last: all, or where there are more than `most`, of each model the
    middle one in the order of tables, which nobody chose for its looks."""
    here = at(frame[frame["status"] == "done"], dataset, source)
    labels, models = ordered(here), dict(zip(here["label"], here["model"]))
    if len(labels) <= most:
        return labels
    groups: dict[str, list[str]] = {}
    for label in labels:
        groups.setdefault(models[label], []).append(label)
    return [group[len(group) // 2] for group in groups.values()][:most]


def lowest_seeds(frame: Frame, labels: Iterable[str], dataset: str, source: str) -> dict[str, Frame]:
    """The finished run (a row of the frame) with the lowest seed of each label there."""
    here = at(frame[frame["status"] == "done"], dataset, source).drop_duplicates("run").sort_values("seed")
    first = here.drop_duplicates("label").set_index("label", drop=False)
    return {label: first.loc[label] for label in labels if label in first.index}
