"""Metrics of clusters."""

from math import log

PROMISES = {
    "cluster_accuracy": {
        "identity": "best",
        "permuted": "same",
        "constant": (0.25, 0.25),
        "split": (0.5, 0.5),
        "merged": (0.5, 0.5),
        "noise": (0.25, 0.25),
        "each its own": (0.03333333333333333, 0.03333333333333333),
    },
    "nmi": {
        "identity": "best",
        "permuted": "same",
        "constant": (0, 0),
        "split": (0.8, 0.8),
        "merged": (0.6666666666666666, 0.6666666666666666),
        "noise": (0, 0),
        "each its own": "less",
    },
    "ari": {
        "identity": "best",
        "permuted": "same",
        "constant": (0, 0),
        "split": "less",
        "merged": "less",
        "noise": (-0.1, 0),
        "each its own": (0, 0),
    },
    "cluster_purity": {
        "identity": "best",
        "permuted": "same",
        "constant": (0.25, 0.25),
        "split": "best",
        "merged": (0.5, 0.5),
        "noise": (0.25, 0.25),
        "each its own": "best",
    },
    "v_measure.homogeneity": {
        "identity": "best",
        "permuted": "same",
        "constant": (0, 0),
        "split": "best",
        "merged": (0.5, 0.5),
        "noise": (0, 0),
        "each its own": "best",
    },
    "v_measure.completeness": {
        "identity": "best",
        "permuted": "same",
        "constant": "best",
        "split": (0.6666666666666666, 0.6666666666666666),
        "merged": "best",
        "noise": (0, 0),
        "each its own": (log(4) / log(120), log(4) / log(120)),
    },
    "v_measure.v": {
        "identity": "best",
        "permuted": "same",
        "constant": (0, 0),
        "split": (0.8, 0.8),
        "merged": (0.6666666666666666, 0.6666666666666666),
        "noise": (0, 0),
        "each its own": "less",
    },
}
