"""Metrics of batches that share a factor."""

PROMISES = {
    "betavae_score": {
        "identity": "best",
        "permuted": "same",
        "scaled": "same",
        "flipped": "same",
        "constant": "same",
        "duplicated": "same",
        "rotated": (0.95, 1),
        "more codes": "same",
        "noise": (0.25, 0.45),
        "one code": "less",
        "only constants": (0.25, 0.42),
    },
    "factorvae_score": {
        "identity": "best",
        "permuted": "same",
        "scaled": "same",
        "flipped": "same",
        "constant": "same",
        "duplicated": "same",
        "rotated": (0.7, 1),
        "more codes": "same",
        "noise": (0.25, 0.5),
        "one code": (0.25, 0.42),
        "only constants": (0, 0),
    },
}
