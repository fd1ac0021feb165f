"""DCI and its kin."""


def row(**changes):
    return {"identity": "best", "permuted": "same", "scaled": "same", "flipped": "same"} | {
        name.replace("_", " "): promise for name, promise in changes.items()
    }


def same(**changes):
    """Of scores that only changes of what the codes know can move."""
    return row(
        **{"constant": "same", "duplicated": "same", "rotated": "same", "more_codes": "same"} | changes,
    )


PROMISES = {
    "dci.disentanglement": same(rotated="less", noise=(0, 0.1), one_code=(0, 0), only_constants=(0, 0)),
    "dci.completeness": same(
        duplicated="less", rotated="less", noise=(0, 0.1), one_code="undefined", only_constants=(0, 0)
    ),
    "dci.informativeness": same(noise=(0.25, 0.5), one_code=(0.4, 0.7), only_constants=(0.2, 0.5)),
    "dci.informativeness_train": same(noise=(0.9, 1), one_code=(0.55, 0.8), only_constants=(0.3, 0.5)),
    # every column of importances sums to 1, so that one code has the same for all factors
    "dci_forest.disentanglement": same(rotated="less", noise=(0, 0.1), one_code=(0, 0), only_constants=(0, 0)),
    "dci_forest.completeness": same(
        duplicated="less", rotated="less", noise=(0, 0.1), one_code="undefined", only_constants=(0, 0)
    ),
    "dci_forest.informativeness": same(noise=(0.25, 0.5), one_code=(0.4, 0.7), only_constants=(0.2, 0.5)),
    "dci_forest.informativeness_train": same(noise=(0.9, 1), one_code=(0.55, 0.8), only_constants=(0.3, 0.5)),
    "dci_forest.number.disentanglement": same(rotated="less", noise=(0, 0.1), one_code=(0, 0), only_constants=(0, 0)),
    "dci_forest.number.completeness": same(
        duplicated="less", rotated="less", noise=(0, 0.1), one_code="undefined", only_constants=(0, 0)
    ),
    # one code of three tells one factor of three: a third, and little of the others by chance
    "dci_forest.number.informativeness": same(noise=(0, 0.1), one_code=(1 / 3, 0.4), only_constants=(0, 0.05)),
    "dci_forest.number.informativeness_train": same(noise=(0.7, 1), one_code=(1 / 3, 0.4), only_constants=(0, 0.05)),
    # a penalty shrinks even perfect weights, alike whatever their sign and order; it is 1e-4 at least
    "dci_lasso.disentanglement": same(rotated="less", noise=(0, 1), one_code=(0.9, 1), only_constants=(0, 0)),
    "dci_lasso.completeness": same(rotated="less", noise=(0, 1), one_code="undefined", only_constants=(0, 0)),
    "dci_lasso.informativeness": same(
        identity=(1 - 1e-7, 1), rotated=(1 - 1e-6, 1), noise=(0, 0.1), one_code=(0.33, 0.36), only_constants=(0, 0)
    ),
    "dci_lasso.informativeness_train": same(
        identity=(1 - 1e-7, 1), rotated=(1 - 1e-6, 1), noise=(0, 0.1), one_code=(0.33, 0.36), only_constants=(0, 0)
    ),
    "dci_logistic.disentanglement": same(
        duplicated=(0.99, 1),
        more_codes=(0.99, 1),
        rotated="less",
        noise=(0, 0.2),
        one_code=(0.8, 1),
        only_constants=(0, 0),
    ),
    "dci_logistic.completeness": same(
        duplicated="less",
        more_codes=(0.99, 1),
        rotated="less",
        noise=(0, 0.2),
        one_code="undefined",
        only_constants=(0, 0),
    ),
    "dci_logistic.informativeness": same(noise=(0.25, 0.5), one_code=(0.5, 0.7), only_constants=(0.2, 0.5)),
    "dci_logistic.informativeness_train": same(noise=(0.3, 0.6), one_code=(0.5, 0.8), only_constants=(0.3, 0.5)),
    "dci_es.explicitness": same(noise=(0, 0), one_code=(1 / 3, 0.35), only_constants=(0, 0)),
    "dci_es.size": same(
        constant=(0.75, 0.75),
        duplicated=(0.5, 0.5),
        more_codes=(0.5, 0.5),
        noise="same",
        one_code="same",
        only_constants="same",
    ),
    "dci_es.informativeness": same(noise=(0, 0.05), one_code=(0.33, 0.36), only_constants=(0, 0)),
}
