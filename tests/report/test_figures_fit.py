"""Figures of twenty configurations and twelve metrics: no text lies on another or leaves the page."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from disentangle_bench.report import figures, load
from disentangle_bench.report.canvas import COLUMN, PAGE

HERE = ("dsprites", "official")
METRICS = (
    *("mig", "dci.disentanglement", "dci.completeness", "dci.informativeness", "sap", "modularity", "explicitness"),
    *("irs", "betavae_score", "factorvae_score", "cluster_accuracy.kmeans", "nmi.kmeans"),
)


@pytest.fixture
def crowd(folder):
    """Four models of five strengths each, two seeds, and the controls."""
    rng = np.random.default_rng(0)
    for model in ("annealedvae", "betatcvae", "dipvae_ii", "factorvae"):
        for strength in (1.0, 10.0, 20.0, 50.0, 100.0):
            for seed in range(2):
                scores = dict(zip(METRICS, rng.uniform(0.1, 0.9, len(METRICS))))
                folder.run(model, "dsprites", seed, scores=scores | {"reconstruction": 50.0 + seed}, strength=strength)
    for model in ("oracle", "noise", "untrained", "pca"):
        folder.run(model, "dsprites", 0, scores=dict(zip(METRICS, rng.uniform(0, 1, len(METRICS)))))
    return load(folder.write())


@pytest.fixture
def few(folder):
    """Two models and a control."""
    for row, model in enumerate(("adagvae", "betavae", "oracle")):
        folder.run(model, "dsprites", 0, scores=dict.fromkeys(METRICS, 0.3 + 0.2 * row))
    return load(folder.write())


DRAWN = {
    "heatmap": figures.heatmap,
    "agreement": figures.agreement_matrix,
    "ranks": figures.rank_intervals,
    "improvement": figures.improvement_matrix,
    "profiles": figures.performance_profiles,
    "variance": figures.variance_bars,
    "tradeoff": figures.tradeoff,
    "cost": figures.cost,
    "sensitivity": lambda frame, *place: figures.sensitivity(frame, "factorvae", "strength", *place),
    "comparison": lambda frame, *place: figures.comparison(frame, "mig", *place),
    "comparison of parts": lambda frame, *place: figures.comparison(frame, "dci", *place),
}


def texts(figure):
    """Everything that is printed, without what a slant keeps apart."""
    yield from figure.texts
    for legend in figure.legends:
        yield from [legend.get_title(), *legend.get_texts()]
    for axes in figure.axes:
        yield from [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            yield from [label for tick in ticks for label in (tick.label1, tick.label2)]


@pytest.mark.parametrize("name", DRAWN)
def test_no_text_lies_on_another(crowd, name: str) -> None:
    fits(DRAWN[name](crowd, *HERE))


def test_a_heat_map_of_few_rows_fits(few) -> None:
    fits(figures.heatmap(few, *HERE))


def fits(figure) -> None:
    """Every text lies on the page and on no other."""
    FigureCanvasAgg(figure).draw()
    width, height = figure.get_size_inches() * figure.dpi
    assert COLUMN <= figure.get_figwidth() <= PAGE
    level = [text for text in texts(figure) if text.get_visible() and text.get_text().strip()]
    boxes = [(text.get_text(), Text.get_window_extent(text)) for text in level if text.get_rotation() in (0, 90)]
    assert len(boxes) > 10
    for text, box in boxes:
        assert box.x0 > -1 and box.y0 > -1 and box.x1 < width + 1 and box.y1 < height + 1, f"{text!r} leaves the page"
    for (one, a), (other, b) in combinations(boxes, 2):
        across, up = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across < 2 or up < 2, f"{one!r} and {other!r} overlap by {across:.0f} x {up:.0f} dots"
