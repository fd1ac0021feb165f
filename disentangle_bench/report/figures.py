"""Every figure of the report by name: each is a function of what `load` returns, or of a run's files, to a Figure."""

from __future__ import annotations

from .agreement_figure import agreement_matrix
from .canvas import save
from .clusters import confusion
from .comparison_figure import comparison
from .curves import curves
from .embedding import embedding
from .growth import growth
from .heatmap import heatmap
from .matrices import matrices
from .pictures import findings, reconstructions, traversals
from .profiles_figure import performance_profiles
from .sensitivity import sensitivity
from .standings import improvement_matrix, rank_intervals
from .tradeoff import cost, tradeoff
from .variance_figure import variance_bars

__all__ = [
    "agreement_matrix",
    "comparison",
    "confusion",
    "cost",
    "curves",
    "embedding",
    "findings",
    "growth",
    "heatmap",
    "improvement_matrix",
    "matrices",
    "performance_profiles",
    "rank_intervals",
    "reconstructions",
    "save",
    "sensitivity",
    "tradeoff",
    "traversals",
    "variance_bars",
]
