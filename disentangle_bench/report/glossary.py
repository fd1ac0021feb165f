"""What each number means to a reader: one sentence, which way is better, where its scale is fixed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from .. import catalog
from ..schema import ALL, HELD_OUT, SPLITS, TRAIN, named
from ._frame import unnamed
from .labels import natural


@dataclass(frozen=True)
class Meaning:
    """A metric in words. `best` is "high", "low" or "" (neither); `bounds` are the fixed ends of its axis."""

    text: str
    best: str = "high"
    bounds: tuple[float | None, float | None] = (0.0, 1.0)
    unit: str = ""
    digits: int = 3

    @property
    def arrow(self) -> str:
        return {"high": " ↑", "low": " ↓", "": ""}[self.best]


# In the order of tables and pages. A name with a dot is a part; its family's entry speaks for parts not listed.
# A metric without an entry speaks for itself (`of_file`).
GLOSSARY = {
    "mig": Meaning(
        "How much more the best latent knows about a factor than the second best, as a share of what there "
        "is to know; 1 when every factor sits in one latent alone."
    ),
    "dci.disentanglement": Meaning("Whether each latent matters for predicting one factor only."),
    "dci.completeness": Meaning("Whether one latent is enough to predict each factor."),
    "dci.informativeness": Meaning(
        "How well the factors are predicted from all latents together; says nothing of disentanglement."
    ),
    "dci.informativeness_train": Meaning(
        "The same on the rows that the predictor was fitted to: far above the line before, it has learnt them by heart."
    ),
    "sap": Meaning(
        "How much better the best single latent predicts a factor than the second best; perfect codes stay "
        "well below 1, see the oracle."
    ),
    "sap.continuous": Meaning("The same gap when factors are taken as numbers and predicted on a line."),
    "sap.tree": Meaning("The same gap when a decision tree predicts the factor's value."),
    "modularity": Meaning("Whether each latent knows about one factor only; noise does not score 0, see the control."),
    "explicitness": Meaning("How well a linear classifier reads each factor from all latents; 0.5 is guessing."),
    "irs": Meaning(
        "How still a latent stays while one factor is fixed and the others change; noise does not score 0, see there."
    ),
    "betavae_score": Meaning("How often a linear classifier tells which factor a set of image pairs has in common."),
    "factorvae_score": Meaning(
        "How often the latent that varies least tells which factor a batch of images has in common."
    ),
    "cluster_accuracy": Meaning("Share of images in the right class when every cluster is matched with one class."),
    "nmi": Meaning("How much clusters and classes know about each other, as a share of what there is to know."),
    "ari": Meaning("How often clusters and classes agree on whether two images belong together; 0 is chance."),
    "reconstruction": Meaning(
        "What it costs to describe an image once its code is known: its negative log-likelihood.",
        "low",
        (0.0, None),
        "nats / image",
        1,
    ),
    "kl": Meaning(
        "What the code itself costs: the divergence of posterior and prior. Neither high nor low is better.",
        "",
        (0.0, None),
        "nats / image",
        2,
    ),
    "elbo": Meaning(
        "How well images are described, with what the code costs: a model is trained to raise it (or a variant of it). "
        "Needs no factors, so that it can choose a run; it says nothing of disentanglement.",
        "high",
        (None, None),
        "nats / image",
        1,
    ),
    "used_units": Meaning(
        "How many latents tell anything about the image. Neither high nor low is better.", "", (0.0, None), "latents", 1
    ),
}
GLOSSARY |= {
    "canonical_reconstruction": Meaning(
        "What it costs to describe the untransformed image by the one that is drawn before it is moved into place.",
        "low",
        (0.0, None),
        "nats / image",
        1,
    ),
    "rotation_correlation": Meaning("How well the code for rotation follows the true angle within each class."),
    "class_entropy": Meaning(
        "How evenly the model's classes are used; 0 if it puts all images into one.", "", (0.0, None), "nats", 2
    ),
    "label_error": Meaning("Share of images whose class is told wrong by a model that knew some labels.", "low"),
    "evidence": Meaning("How well a linear rule tells the class from the content of so many images."),
    "leakage.class": Meaning(
        "How well the class is told by the part of the code that should not hold it; chance stands in the convention.",
        "low",
    ),
    "leakage.rest": Meaning(
        "How well all other factors are told by the part of the code that should hold the class alone.", "low"
    ),
    "kept.class": Meaning("How well the class is told by the part of the code that should hold it."),
    "kept.rest": Meaning("How well all other factors are told by the part of the code that should hold them."),
    "accuracy": Meaning("How well a new classifier tells classes apart, taught with this share of drawn images in %."),
}
GLOSSARY["udr"] = Meaning("Whether other seeds of the same configuration find the same latents; uses no factors.")
SPLIT = {TRAIN: "Here of images as training drew them.", HELD_OUT: "Here of images that training never drew."}
UNKNOWN = Meaning("A number that this report does not know; see its convention.", "", (None, None))


def of_file(metric: str) -> Meaning:
    """What a metric's own file says of it: the first line of its docstring, its best value and bounds."""
    if metric not in catalog.names("metric"):
        return UNKNOWN
    function = catalog.get("metric", metric)
    text = (function.__doc__ or "").strip().partition("\n")[0]
    low, high = (bound if math.isfinite(bound) else None for bound in function.bounds)
    better = {None: "", function.bounds[1]: "high"}.get(function.best, "low")
    return Meaning(text, better, (low, high))


def family(metric: str) -> str:
    """ "dci" of "dci.completeness", "dci [z] {train}" of "dci.completeness [z] {train}"."""
    plain, block, split = unnamed(metric)
    return named(plain.partition(".")[0], block, split)


@cache
def meaning(metric: str) -> Meaning:
    """Of the metric itself, or else of its family, or else what its own file says; with the images of its split."""
    plain, _, split = unnamed(metric)
    found = GLOSSARY.get(plain) or GLOSSARY.get(family(plain)) or of_file(family(plain))
    return replace(found, text=f"{found.text} {SPLIT[split]}") if split in SPLIT else found


def in_order(metrics: Iterable[str]) -> list[str]:
    """As the glossary has them, unknown ones last; members of a family stay together, blocks follow all units,
    and splits follow all images."""
    known = list(GLOSSARY)
    families = list(dict.fromkeys(map(family, known)))

    def rank(metric: str) -> tuple[int, str, int, str, int, list[tuple[float, str]]]:
        plain, block, split = unnamed(metric)
        head = family(plain)
        return (
            families.index(head) if head in families else len(families),
            head,
            SPLITS.index(split) if split in SPLITS else len(SPLITS),
            "" if block == ALL else block,
            known.index(plain) if plain in known else len(known),
            natural(plain),
        )

    return sorted(set(metrics), key=rank)


def choose(wanted: Sequence[str] | None, present: Iterable[str]) -> list[str]:
    """The metrics that names of metrics or of families stand for; None stands for all metrics of all units and images.

    Raises
    ------
    ValueError
        No such metric in the table; the message holds the nearest name.
    """
    known = in_order(present)
    if wanted is None:
        return [metric for metric in known if unnamed(metric)[1:] == (ALL, ALL)]
    families = {family(metric) for metric in known}
    chosen = [catalog.choose("metric", name, in_order({*known, *families})) for name in wanted]
    return [metric for metric in known if metric in chosen or family(metric) in chosen]


def number(value: float, metric: str) -> str:
    """A value with the digits that its metric deserves."""
    return f"{value:.{meaning(metric).digits}f}"
