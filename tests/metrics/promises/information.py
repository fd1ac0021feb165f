"""Metrics of information."""

PROMISES = {
    "mig": {
        "identity": "best",
        "permuted": "same",
        "scaled": "same",
        "flipped": "same",
        "constant": "same",
        "duplicated": (0, 0),
        "rotated": "less",
        "more codes": "less",
        "noise": (0, 0.1),
        "one code": "refused",
        "only constants": (0, 0),
    },
    "modularity": {
        "identity": "best",
        "permuted": "same",
        "scaled": "same",
        "flipped": "same",
        "constant": (0.75, 0.75),
        "duplicated": "same",
        "rotated": "less",
        "more codes": "less",
        "noise": (0.2, 0.9),
        "one code": "same",
        "only constants": (0, 0),
    },
}
