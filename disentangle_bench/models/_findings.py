"""What a model has to show beyond codes and reconstructions: named numbers, sheets of images, tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor


@dataclass
class Findings:
    """Everything is optional; titles are what the report prints."""

    facts: dict[str, tuple[float, str]] = field(default_factory=dict)  # name -> value and its convention
    sheets: dict[str, tuple[Tensor, Sequence[str]]] = field(default_factory=dict)  # (rows, columns, c, h, w) in [0, 1]
    tables: dict[str, tuple[np.ndarray, Sequence[str], Sequence[str]]] = field(default_factory=dict)  # with both names

    def arrays(self) -> dict[str, np.ndarray]:
        """Sheets (uint8, channels last) and tables for a file: "sheet:TITLE" and "table:TITLE" with their names."""
        found: dict[str, np.ndarray] = {}
        for title, (images, rows) in self.sheets.items():
            found[f"sheet:{title}"] = (images * 255).round().byte().movedim(2, -1).cpu().numpy()
            found[f"rows:{title}"] = np.array(rows, str)
        for title, (values, rows, columns) in self.tables.items():
            found[f"table:{title}"] = np.asarray(values, np.float32)
            found[f"rows:{title}"], found[f"columns:{title}"] = np.array(rows, str), np.array(columns, str)
        return found


def by_class(data: Any, rows: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Means of values (n, m) over all of these rows and over those of each class, and the names of the means."""
    if data.label is None:
        return values.mean(0, keepdims=True), ["all"]
    labels = data.label[rows].cpu().numpy()
    classes = np.unique(labels)
    means = [values.mean(0), *(values[labels == c].mean(0) for c in classes)]
    return np.stack(means), ["all", *(f"{data.data.label} {c}" for c in classes)]
