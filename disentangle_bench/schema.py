"""The tables that everything downstream reads: their columns, types and meaning, checked on every write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

VERSION = 5
ALL = "all"  # the block that is every unit of a code, and the split that is every row alike
TRAIN = "train"  # the split as training draws rows
HELD_OUT = "held-out"  # the split that training never sees
SPLITS = (ALL, TRAIN, HELD_OUT)
UNDEFINED = "undefined"  # how the error begins where nothing went wrong, but there is no such number
# columns that older tables and records lack, and what they hold there
LATER: dict[str, dict[str, Any]] = {
    "scores": {"warning": "", "block": ALL, "split": ALL},
    "runs": {"precision": "fp32", "way": ""},
}

RUNS = {  # a row a run
    "run": "string",  # hash of the run's description
    "study": "string",  # name of the study, or of its data sets
    "model": "string",
    "params": "string",  # JSON: every hyper-parameter of the model
    "dataset": "string",
    "source": "string",  # official | rendered | ... : where the images come from
    "dataset_sha256": "string",
    "seed": "Int64",
    "steps": "Int64",
    "batch": "Int64",
    "precision": "string",  # fp32 | tf32 | bf16: of training
    "latents": "Int64",  # width of the code; missing for a failed run
    "status": "string",  # done | failed | diverged
    "error": "string",  # empty when done
    "seconds": "Float64",  # training, all tries together
    "peak_memory": "Int64",  # bytes: most that the process held
    "device": "string",
    "stack": "Int64",  # runs trained side by side
    "way": "string",  # how they were: sequential | graphs | vmap ...; empty where nothing trained
    "commit": "string",
    "dirty": "boolean",
    "versions": "string",  # JSON: python and libraries
    "finished": "string",  # UTC, ISO 8601
}

SCORES = {  # a row a number
    "run": "string",
    "metric": "string",  # dotted where a metric has parts: dci.disentanglement
    "block": "string",  # of the code's units: all, or the name of a block ("z_c", "z_c+z")
    "split": "string",  # of the images, where training draws some more often than others: all | train | held-out
    "version": "Int64",  # raised when the meaning of the number changes
    "value": "Float64",  # missing when the metric could not be computed; `error` says why
    "seconds": "Float64",
    "n": "Int64",  # rows of codes that the number was computed from
    "convention": "string",  # estimator, options, mean or sample, factors counted
    "warning": "string",  # an assumption of the metric that these codes or factors do not keep; else empty
    "error": "string",
}

# a row a number of a run that still trains: milestones.parquet, where any run has some. The end is in SCORES alone.
MILESTONES = {
    "run": "string",
    "step": "Int64",
    **{column: kind for column, kind in SCORES.items() if column != "run"},
}

LOG = {  # a row a logged term: runs/<run>/log.parquet
    "step": "Int64",
    "term": "string",
    "value": "Float64",  # nats a image, mean since the row before
}

RESULTS = [  # the joined long table for people: nothing in it depends on when or where it ran
    "run",
    "study",
    "model",
    "params",
    "dataset",
    "source",
    "dataset_sha256",
    "seed",
    "steps",
    "batch",
    "precision",
    "latents",
    "status",
    "metric",
    "block",
    "split",
    "version",
    "value",
    "n",
    "convention",
    "warning",
    "error",
]


def named(metric: str, block: str = ALL, split: str = ALL) -> str:
    """A number's name: its metric, with the block and the split where these are not `ALL`.

    Examples
    --------
    >>> named("mig"), named("mig", "z_c"), named("mig", split="train"), named("mig", "z_c", "held-out")
    ('mig', 'mig [z_c]', 'mig {train}', 'mig [z_c] {held-out}')
    """
    return metric + (f" [{block}]" if block != ALL else "") + (f" {{{split}}}" if split != ALL else "")


def broken(error: str) -> bool:
    """Whether a score's error is a failure, and not merely that the metric has no value for such codes or factors."""
    return bool(error) and not error.startswith(UNDEFINED)


def migrate(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """A table with the columns that came after it was written."""
    return frame.assign(**{column: value for column, value in LATER.get(name, {}).items() if column not in frame})


def conform(frame: pd.DataFrame, columns: dict[str, str], name: str) -> pd.DataFrame:
    """The frame with exactly these columns, in this order and of these types.

    Raises
    ------
    ValueError
        A column is missing or unknown, or its values do not fit its type; the message names table and column.
    """
    missing, unknown = [c for c in columns if c not in frame], [c for c in frame if c not in columns]
    if missing or unknown:
        raise ValueError(f"table {name!r}: missing columns {missing}, unknown columns {unknown}")
    typed = {}
    for column, dtype in columns.items():
        try:
            typed[column] = frame[column].astype(dtype)  # type: ignore[call-overload]
        except (TypeError, ValueError) as error:
            raise ValueError(f"table {name!r}, column {column!r}: expected {dtype}, {error}") from None
    return frame.iloc[:, :0].assign(**typed)
