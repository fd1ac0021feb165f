"""The question of supervision.py at 0.3 % of the published training, five seeds: a look."""

from dataclasses import replace
from pathlib import Path
from runpy import run_path

whole = run_path(str(Path(__file__).with_name("supervision.py")))["study"]


def quick(model):
    return replace(model, lr=1e-3) if hasattr(model, "lr") else model


study = replace(
    whole,
    models=[(quick(entry[0]), entry[1]) if isinstance(entry, tuple) else quick(entry) for entry in whole.models],
    seeds=range(5),
    steps=1_000,
    note="1,000 steps of 64 images, of pairs 64 pairs; Adam at 1e-3: a look, not a result",
)
