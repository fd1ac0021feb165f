"""What a configuration is called in tables and figures, and the colour that it keeps in all of them."""

from __future__ import annotations

import json
import re
from typing import Any

from ..catalog import CONTROLS
from ._frame import Frame, is_control

# seaborn's "colorblind" palette, the palest last, without its grey, which is left to the controls
COLOURS = ("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#fbafe4", "#56b4e9", "#ece133")
MARKERS = "osD^vP"  # the next marker whenever the colours begin again
GREY = "0.4"
DASHES = dict(zip(CONTROLS, ["solid", "dotted", "dashdot", "dashed"]))


def labels(runs: Frame) -> Frame:
    """The model's name a run, with those of its parameters (or steps, batch, precision) that differ within a data set.

    One configuration of a model is called by its name: "betavae"; two are told apart: "betavae (beta=8)". A parameter
    that only differs between data sets tells nothing apart and is left out.

    Raises
    ------
    ValueError
        Parameters that are no JSON object; the message names the run.
    """
    import pandas as pd

    settings = [
        {**_params(run), "steps": run.steps, "batch": run.batch, "precision": run.precision}
        for run in runs.itertuples()
    ]
    seen: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for place, setting in zip(zip(runs["model"], runs["dataset"], runs["source"]), settings):
        seen.setdefault(place, []).append(setting)
    telling: dict[str, dict[str, None]] = {}  # model -> keys, in order
    for (model, _, _), held in seen.items():
        keys = dict.fromkeys(key for setting in held for key in setting)  # some runs may lack one: it tells, too
        differ = (key for key in keys if len({_text(setting[key]) if key in setting else None for setting in held}) > 1)
        telling.setdefault(model, {}).update(dict.fromkeys(differ))
    names = [
        _name(model, {key: setting[key] for key in telling[model] if key in setting})
        for model, setting in zip(runs["model"], settings)
    ]
    return pd.Series(names, index=runs.index, dtype="string")


def _params(run: Any) -> dict[str, Any]:
    try:
        found = json.loads(run.params)
    except (TypeError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise ValueError(f"table 'runs', column 'params': run {run.run} has {run.params!r}, expected a JSON object")
    return found


def _name(model: str, told: dict[str, Any]) -> str:
    return f"{model} ({', '.join(f'{key}={_text(value)}' for key, value in told.items())})" if told else model


def _text(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def ordered(frame: Frame) -> list[str]:
    """All labels in the order of every table and figure: models by name, their numbers by size, then controls."""
    rank = {model: i for i, model in enumerate(CONTROLS, start=1)}
    named = frame[["model", "label"]].drop_duplicates().itertuples(index=False)
    return [label for _, label in sorted(named, key=lambda pair: (rank.get(pair[0], 0), natural(pair[1])))]


def natural(text: str) -> list[tuple[float, str]]:
    """A key that sorts the numbers in a text by size.

    Examples
    --------
    >>> sorted(["vae (beta=16)", "vae (beta=2)", "vae (beta=1e-05)", "vae"], key=natural)
    ['vae', 'vae (beta=1e-05)', 'vae (beta=2)', 'vae (beta=16)']
    """
    parts = re.split(r"((?:(?<==)-)?\d+(?:\.\d+)?(?:e[+-]?\d+)?)", text)
    return [(float(part), "") if i % 2 else (0.0, part) for i, part in enumerate(parts)]


def styles(frame: Frame) -> dict[str, dict[str, str]]:
    """Colour and marker of every label of a whole table of results; controls are grey and have a line style."""
    models = ordered(frame[~is_control(frame)])
    look = {
        label: {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i // len(COLOURS) % len(MARKERS)]}
        for i, label in enumerate(models)
    }
    controls = frame[is_control(frame)]
    return look | {
        label: {"color": GREY, "linestyle": DASHES[model]} for label, model in zip(controls["label"], controls["model"])
    }
