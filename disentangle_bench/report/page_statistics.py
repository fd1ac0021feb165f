"""The statistics of the page as tables: ranks, who beats whom, where variance comes from, which metrics agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._frame import Frame, at, finished, is_control, place_name
from .glossary import in_order, meaning
from .page_board import MANY
from .page_parts import NONE, Progress, Table, Watch, digits, share, span, table_of
from .published import reported, reported_variance
from .tables import Board

SETTINGS = ["same settings", "what differs", "source"]  # columns of a published number
RIVALS = 8  # labels that are compared with one another, pair by pair
RANKS = (
    "Rank of each trained configuration in each metric, 1 the best, and the 95 % interval of that rank when seeds "
    "are drawn anew: intervals that overlap are orders that other seeds may turn round."
)
IMPROVEMENTS = (
    "How likely a run of the first is better than a run of the second, ties half: 0.5 is no difference. The "
    f"interval is over seeds. Of more than {RIVALS} configurations the {RIVALS} best in each metric are compared."
)
VARIANCE = (
    "Shares of a metric's variance over all trained runs: between models, between hyper-parameters of one model, "
    "and between seeds of one configuration. A large share of seeds says that luck decides more than the objective."
)
AGREEMENT = (
    "Spearman's rank correlation of two metrics over all trained runs: 1 where they order runs alike. A metric of "
    "which low is better agrees at -1 with those of which high is better."
)

REPORTED = (
    "What papers print beside what was measured here, each with its source. A number speaks for or against this suite "
    "only where the settings are the same; what is known to differ is named."
)


def statistics(board: Board, computed: dict[str, Frame]) -> list[dict[str, Any]]:
    """The tables of one data set, each with how to read it, of what `compute` returned."""
    parts = [
        ("Ranks", RANKS, _ranks, "ranks"),
        ("Probability of improvement", IMPROVEMENTS, _improvements, "improvements"),
        ("Where the variance comes from", VARIANCE, _variance, "decomposition"),
        ("Agreement of metrics", AGREEMENT, _agreement, "agreement"),
        ("Reported beside measured", REPORTED, _reported, "reported"),
        ("Reported shares of variance beside measured", REPORTED, _reported_variance, "reported_variance"),
    ]
    found = []
    for title, caption, table, name in parts:
        held = computed[name]
        rows = at(held, board.dataset, board.source) if len(held) else held
        if len(rows):
            found.append({"title": title, "caption": caption, "tables": table(rows, board)})
    return found


def compute(frame: Frame, boards: Sequence[Board], watch: Watch) -> dict[str, Frame]:
    """The statistics of all data sets as frames: ranks, improvements, agreement, decomposition, and reported
    beside measured, a row a number."""
    import pandas as pd

    from .statistics import agreement, decomposition, improvements, ranks

    found: dict[str, list[Frame]] = {name: [] for name in ("ranks", "improvements", "agreement")}
    for i, board in enumerate(boards):
        where, told = (board.dataset, board.source), {"dataset": board.dataset, "source": board.source}
        own = at(frame, *where)
        own = own[own["metric"].isin(list(board.cells))]
        watch(Progress("report", 0.02 + 0.08 * i / len(boards), f"statistics of {place_name(*where)}"))
        found["agreement"].append(agreement(own, *where).assign(**told))
        there = set(finished(own[~is_control(own)])["metric"])  # of models: a metric may be of one data set alone
        for metric in board.cells:
            if metric not in there or not meaning(metric).best:
                continue
            table = ranks(own, metric, *where)
            found["ranks"].append(table.assign(metric=metric, **told))
            rivals = table.sort_values("rank").head(RIVALS)["label"]
            pairs = improvements(own[own["label"].isin(rivals)], metric, *where)
            found["improvements"].append(pairs.assign(metric=metric, **told))
    tables = {name: pd.concat(held, ignore_index=True) if held else pd.DataFrame() for name, held in found.items()}
    shown = frame[frame["metric"].isin({metric for board in boards for metric in board.cells})]
    return {
        **tables,
        "decomposition": decomposition(shown[~is_control(shown)]),
        "reported": reported(shown),
        "reported_variance": reported_variance(shown),
    }


def _ranks(table: Frame, board: Board) -> list[Table]:
    metrics = in_order(table["metric"])
    told = {
        (row.label, row.metric): f"{row.rank:.3g}" + (f" ({row.low:.3g}–{row.high:.3g})" if row.low == row.low else "")
        for row in table.itertuples()
    }
    labels = [label for label in board.cells.index if any((label, metric) in told for metric in metrics)]
    rows = [[label, *(told.get((label, metric), NONE) for metric in metrics)] for label in labels]
    return table_of(rows, f"Ranks on {board.title}", ["model", *metrics], folded=len(rows) > MANY // 2)


def _improvements(table: Frame, board: Board) -> list[Table]:
    rows = [
        [row.a, row.b, row.metric, share(row.p), span(row.low, row.high, share), f"{row.n_a}, {row.n_b}"]
        for row in table.itertuples()
    ]
    head = ["a run of", "is better than one of", "in", "probability", "95 % interval", "seeds"]
    return table_of(rows, f"Probability of improvement on {board.title}", head, words=3, folded=len(rows) > MANY // 2)


def _variance(table: Frame, board: Board) -> list[Table]:
    rows = [
        [row.metric, share(row.model), share(row.strength), share(row.seed), str(row.n)]
        for row in table.set_index("metric").loc[in_order(table["metric"])].reset_index().itertuples()
    ]
    head = ["metric", "model", "hyper-parameters", "seed", "runs"]
    return table_of(rows, f"Shares of variance on {board.title}", head)


def _agreement(table: Frame, board: Board) -> list[Table]:
    rows = [
        [
            row.a + meaning(row.a).arrow,
            row.b + meaning(row.b).arrow,
            share(row.rho),
            span(row.low, row.high, share),
            str(row.n),
        ]
        for row in table.itertuples()
        if row.a != row.b
    ]
    head = ["metric", "and", "rank correlation", "95 % interval", "runs"]
    return table_of(rows, f"Agreement of metrics on {board.title}", head, words=2, folded=len(rows) > MANY // 2)


def _reported(table: Frame, board: Board) -> list[Table]:
    rows = [
        [
            row.label,
            row.metric,
            _beside(row.measured, row.sd, row.metric),
            str(row.n),
            _beside(row.reported, row.spread, row.metric),
            *_settings(row),
        ]
        for row in table.itertuples()
    ]
    head = ["model", "metric", "measured", "seeds", "reported", *SETTINGS]
    caption = f"Reported beside measured on {board.title}"
    return [Table(caption, head, rows, words=8, folded=len(rows) > MANY // 2)]


def _settings(row: Any) -> list[str]:
    """Of a published number, the cells below `SETTINGS`."""
    return [row.same, row.differs, f"{row.origin}: {row.setting}"]


def _beside(value: float, spread: float, metric: str) -> str:
    more = digits(spread, metric)
    return digits(value, metric) + (f" ± {more}" if more != NONE else "")


def _reported_variance(table: Frame, board: Board) -> list[Table]:
    rows = [
        [
            row.metric,
            row.level,
            share(row.measured),
            str(row.n),
            share(row.reported),
            *_settings(row),
        ]
        for row in table.itertuples()
    ]
    head = ["metric", "explained by", "measured", "runs", "reported", *SETTINGS]
    caption = f"Reported shares of variance beside measured on {board.title}"
    return [Table(caption, head, rows, words=8, folded=len(rows) > MANY // 2)]
