"""The figures that a report shows of a data set, in the order of its page, each with how to read it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import gallery_draws as draws
from ._frame import Frame
from .gallery_draws import FAMILIES, FEW_RUNS, Drawn


@dataclass(frozen=True)
class Entry:
    """One kind of figure.

    `draw(frame, folder, dataset, source, metrics)` takes what `load` returns, the folder where runs left their files,
    a data set with its source, and names of metrics (those of its leaderboard). It returns figures, each with what
    tells it from the others ("mig", "betavae (beta=4)"; "" for an only one); none where there is nothing to show.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[Frame, Path, str, str, Sequence[str]], Drawn]


GALLERY = (
    Entry(
        "heatmap",
        "All metrics at a glance",
        "Mean score of each configuration in each metric, controls below the line. Colours run between the "
        "metric's own worst and best value, so that a dark column is a metric on which nobody does well, and not "
        "one on which all are alike.",
        draws.heatmap,
    ),
    Entry(
        "comparison",
        "Metric by metric",
        "Each dot is a seed, the tick below the centre of its configuration, the bar its 95 % interval. Grey "
        "lines are controls: a model that is not beyond noise and an untrained network has learnt nothing that this "
        f"metric can see. Of more than twelve configurations {FAMILIES} metrics are drawn, those of the card first; "
        "--metrics names others.",
        draws.comparison,
    ),
    Entry(
        "ranks",
        "Ranks and how sure they are",
        "The dot is the rank of a configuration among all of them, the bar where it lies when seeds are drawn "
        "anew. Bars that overlap are orders that other seeds may turn round.",
        draws.ranks,
    ),
    Entry(
        "improvement",
        "Who beats whom",
        "How likely a run of the row's model scores better than a run of the column's; 0.5 is a coin. In brackets "
        "where the 95 % interval holds 0.5, so that the order may be luck, or where seeds are too few to tell.",
        draws.improvement,
    ),
    Entry(
        "profiles",
        "Performance profiles",
        "The share of runs that score above each threshold: a curve further to the upper right is better. Where "
        "one curve lies above another all along, its model is ahead whatever score counts as good.",
        draws.profiles,
    ),
    Entry(
        "variance",
        "Objective, strength or luck",
        "Each bar splits the variance of a metric over all trained runs into what differs between models, between "
        "the hyper-parameters of a model, and between seeds of one configuration. Where the part of the seeds is "
        "large, luck decides more than the objective.",
        draws.variance,
    ),
    Entry(
        "agreement",
        "Do the metrics agree?",
        "Rank correlation of every two metrics over all trained runs: 1 where they put runs in the same order, 0 "
        "where one says nothing of the other. In brackets where the 95 % interval holds 0. A metric of which "
        "low is better (arrow down) agrees at -1 with those of which high is better.",
        draws.agreement,
    ),
    Entry(
        "sensitivity",
        "Sensitivity to hyper-parameters",
        "Scores of a model over the values of one hyper-parameter; small dots are seeds, the line joins their "
        "means. A line that rises and falls has its best value inside the range; one that still rises at an end "
        "asks for a wider range.",
        draws.sensitivity,
    ),
    Entry(
        "tradeoff",
        "Scores against reconstruction",
        "Better reconstructions are to the left, better scores above (below where an arrow points down): the upper "
        "left corner is where one wants to be. Small dots are runs, large ones the mean of all runs of a name.",
        draws.tradeoff,
    ),
    Entry(
        "cost",
        "Scores against the time of training",
        "How long a run trained, on a logarithmic axis, and what it scores. Times depend on the device and on how "
        "many runs trained side by side, and are fair to compare only where these were the same.",
        draws.cost,
    ),
    Entry(
        "matrices",
        "What each unit knows of each factor",
        "A row is a unit of the code, a column a factor; disentangled codes have one large value a row, compact "
        "ones one a column. Of each configuration's lowest seed (of many configurations, the middle one of each "
        f"model); importances of boosted trees, fitted to at most 2,000 images, in folders of up to {FEW_RUNS} "
        "runs.",
        draws.matrices,
    ),
    Entry(
        "clusters",
        "Clusters and classes",
        "A row is a true class and says where its images went; columns are the model's own clusters, matched one "
        "to one with classes so that most images are right. A class that two clusters share has two large values "
        "in its row, a cluster that mixes classes two in its column.",
        draws.clusters,
    ),
    Entry(
        "embedding",
        "Codes in two dimensions",
        "A dot is an image's code in a trained model, its colour the value of the factor named above. Principal "
        f"components show where codes spread most; t-SNE (in folders of up to {FEW_RUNS} runs) only keeps who is "
        "near to whom, so that sizes and distances of its groups mean nothing.",
        draws.embedding,
    ),
)
