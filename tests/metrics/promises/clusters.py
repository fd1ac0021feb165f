"""Metrics of clusters."""

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
}
