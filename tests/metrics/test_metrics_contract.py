"""What every metric promises: which changes of a perfect code move its score, its range, determinism."""

import inspect
import pickle
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pytest

from disentangle_bench import metrics

# the table

FACTORS = np.tile(np.indices((2, 3, 4)).reshape(3, -1).T, (10, 1))  # every combination ten times, 240 rows
PERFECT = (FACTORS - FACTORS.mean(axis=0)) / FACTORS.std(axis=0)
NOISE = np.random.default_rng(0).normal(size=PERFECT.shape)
CONSTANT = np.full((len(FACTORS), 1), 0.1)  # not a number that a mean gives back exactly
ROTATION = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]

CHANGES = {
    "identity": PERFECT,
    "permuted": PERFECT[:, [2, 0, 1]],
    "scaled": PERFECT * [4, 0.5, 8],
    "flipped": -PERFECT,
    "constant": np.hstack([PERFECT, CONSTANT]),
    "duplicated": np.repeat(PERFECT, 2, axis=1),
    "rotated": PERFECT @ ROTATION,
    "more codes": np.hstack([PERFECT, NOISE]),
    "noise": NOISE,
    "one code": PERFECT[:, [2]],
    "only constants": np.hstack([CONSTANT, CONSTANT]),
}

BEST, SAME, LESS, REFUSED = "1 exactly", "as identity", "below identity", "refused"
ALWAYS = {"identity": BEST, "permuted": SAME, "scaled": SAME, "flipped": SAME}

# A pair of numbers is the range that the score must fall into.
PROPERTIES = {
    "mig": ALWAYS
    | {
        "constant": SAME,
        "duplicated": (0, 0),
        "rotated": LESS,
        "more codes": LESS,
        "noise": (0, 0.1),
        "one code": REFUSED,
        "only constants": (0, 0),
    },
    "modularity": ALWAYS
    | {
        "constant": (0.75, 0.75),
        "duplicated": SAME,
        "rotated": LESS,
        "more codes": LESS,
        "noise": (0.2, 0.9),
        "one code": SAME,
        "only constants": (0, 0),
    },
    "sap": {
        "identity": (0.3, 0.6),
        "permuted": SAME,
        "scaled": (0.3, 0.6),
        "flipped": SAME,
        "constant": (0.3, 0.6),
        "duplicated": (0, 0),
        "rotated": LESS,
        "more codes": (0.3, 0.6),
        "noise": (0, 0.1),
        "one code": REFUSED,
        "only constants": (0, 0),
    },
    "sap.continuous": ALWAYS
    | {
        "constant": SAME,
        "duplicated": (0, 0),
        "rotated": LESS,
        "more codes": (0.95, 1),
        "noise": (0, 0.1),
        "one code": REFUSED,
        "only constants": (0, 0),
    },
    "explicitness": ALWAYS
    | {
        "constant": SAME,
        "duplicated": SAME,
        "rotated": SAME,
        "more codes": SAME,
        "noise": (0.4, 0.6),
        "one code": LESS,
        "only constants": (0.5, 0.5),
    },
    "betavae_score": ALWAYS
    | {
        "constant": SAME,
        "duplicated": SAME,
        "rotated": (0.95, 1),
        "more codes": SAME,
        "noise": (0.25, 0.45),
        "one code": LESS,
        "only constants": (0.25, 0.42),
    },
    "factorvae_score": ALWAYS
    | {
        "constant": SAME,
        "duplicated": SAME,
        "rotated": (0.7, 1),
        "more codes": SAME,
        "noise": (0.25, 0.5),
        "one code": (0.25, 0.42),
        "only constants": (0, 0),
    },
    "dci.disentanglement": ALWAYS
    | {
        "constant": SAME,
        "duplicated": SAME,
        "rotated": LESS,
        "more codes": SAME,
        "noise": (0, 0.1),
        "one code": REFUSED,
        "only constants": (0, 0),
    },
    "dci.completeness": ALWAYS
    | {
        "constant": SAME,
        "duplicated": LESS,
        "rotated": LESS,
        "more codes": SAME,
        "noise": (0, 0.1),
        "one code": REFUSED,
        "only constants": (0, 0),
    },
    "dci.informativeness": ALWAYS
    | {
        "constant": SAME,
        "duplicated": SAME,
        "rotated": SAME,
        "more codes": SAME,
        "noise": (0.25, 0.5),
        "one code": REFUSED,
        "only constants": (0.2, 0.5),
    },
    "dci.informativeness_train": ALWAYS
    | {
        "constant": SAME,
        "duplicated": SAME,
        "rotated": SAME,
        "more codes": SAME,
        "noise": (0.9, 1),
        "one code": REFUSED,
        "only constants": (0.3, 0.5),
    },
}

LABELS = np.repeat(np.arange(4), 30)
CLUSTERINGS = {
    "identity": LABELS,
    "permuted": np.array([7, -1, 0, 3])[LABELS],
    "constant": np.zeros_like(LABELS),
    "split": 2 * LABELS + np.arange(len(LABELS)) % 2,
    "merged": LABELS // 2,
    "noise": np.arange(len(LABELS)) % 3,  # exactly independent of the labels
    "each its own": np.arange(len(LABELS)),
}
LABEL_PROPERTIES = {
    "cluster_accuracy": {
        "identity": BEST,
        "permuted": SAME,
        "constant": (0.25, 0.25),
        "split": (0.5, 0.5),
        "merged": (0.5, 0.5),
        "noise": (0.25, 0.25),
        "each its own": (4 / 120, 4 / 120),
    },
    "nmi": {
        "identity": BEST,
        "permuted": SAME,
        "constant": (0, 0),
        "split": (0.8, 0.8),
        "merged": (2 / 3, 2 / 3),
        "noise": (0, 0),
        "each its own": LESS,
    },
    "ari": {
        "identity": BEST,
        "permuted": SAME,
        "constant": (0, 0),
        "split": LESS,
        "merged": LESS,
        "noise": (-0.1, 0),
        "each its own": (0, 0),
    },
}

# scores

FEW = {"train": 1000, "test": 500}
FUNCTIONS = {name: getattr(metrics, name) for name in metrics.__all__}
CALLS = FUNCTIONS | {"sap.continuous": partial(metrics.sap, continuous=True)}
CALLS |= {name: partial(FUNCTIONS[name], **FEW) for name in ("betavae_score", "factorvae_score")}
ON_CODES = [name for name in CALLS if name in PROPERTIES or name == "dci"]
ON_LABELS = [name for name in CALLS if name in LABEL_PROPERTIES]


@lru_cache
def scores(name, change):
    """{dotted name: value} of one call."""
    arrays = (CHANGES[change], FACTORS) if name in ON_CODES else (LABELS, CLUSTERINGS[change])
    result: Any = CALLS[name](*arrays)
    return {f"{name}.{part}": value for part, value in result._asdict().items()} if name == "dci" else {name: result}


def call_of(dotted):
    return dotted if dotted in CALLS else dotted.split(".")[0]


def assert_promise(promise, dotted, change):
    value, identity = scores(call_of(dotted), change)[dotted], scores(call_of(dotted), "identity")[dotted]
    if promise == BEST:
        assert value == pytest.approx(1, abs=1e-9)
    elif promise == SAME:
        assert value == pytest.approx(identity, abs=1e-9)
    elif promise == LESS:
        assert value < identity - 0.05
    else:
        low, high = promise
        assert low - 1e-9 <= value <= high + 1e-9


def test_every_metric_is_in_the_table():
    assert {dotted.split(".")[0] for dotted in PROPERTIES} | set(LABEL_PROPERTIES) == set(metrics.__all__)
    assert set(scores("dci", "identity")) == {dotted for dotted in PROPERTIES if dotted.startswith("dci.")}
    assert all(set(row) == set(CHANGES) for row in PROPERTIES.values())
    assert all(set(row) == set(CLUSTERINGS) for row in LABEL_PROPERTIES.values())


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("dotted", PROPERTIES)
def test_property(dotted, change):
    promise = PROPERTIES[dotted][change]
    if promise == REFUSED:
        with pytest.raises(ValueError, match=r"codes: .* at least 2, got 1"):
            CALLS[call_of(dotted)](CHANGES[change], FACTORS)
    else:
        assert_promise(promise, dotted, change)


@pytest.mark.parametrize("change", CLUSTERINGS)
@pytest.mark.parametrize("name", LABEL_PROPERTIES)
def test_property_of_labels(name, change):
    assert_promise(LABEL_PROPERTIES[name][change], name, change)


@pytest.mark.parametrize("name", CALLS)
def test_range(name):
    function = FUNCTIONS[name.split(".")[0]]
    low, high = function.bounds
    assert low <= function.best <= high
    for change in CHANGES if name in ON_CODES else CLUSTERINGS:
        if name in ON_CODES and change == "one code":
            continue
        for value in scores(name, change).values():
            assert type(value) is float
            assert low <= value <= high


@pytest.mark.parametrize("name", metrics.__all__)
def test_description(name):
    function = FUNCTIONS[name]
    assert function.__name__ == name
    assert function.version >= 1
    assert 5 < len(function.estimator) < 100
    parameters = inspect.signature(function).parameters.values()
    assert [p.name for p in parameters][:2] in (["codes", "factors"], ["labels", "clusters"])
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in list(parameters)[2:])
    for section in ("Parameters", "Returns", "Raises", "Notes", "References", "Examples"):
        assert f"\n    {section}\n    {'-' * len(section)}\n" in function.__doc__


# determinism

WEAK = CHANGES["rotated"] + 2 * NOISE  # a code on which every random choice shows


@pytest.mark.parametrize("name", CALLS)
def test_same_arrays_same_bits_and_nothing_touched(name):
    arrays = (WEAK, FACTORS) if name in ON_CODES else (LABELS, CLUSTERINGS["split"])
    first, second = (array.copy() for array in arrays)
    first.flags.writeable = second.flags.writeable = False
    state = pickle.dumps(np.random.get_state())
    assert CALLS[name](first, second) == CALLS[name](first, second)
    assert pickle.dumps(np.random.get_state()) == state
    assert np.array_equal(first, arrays[0])
    assert np.array_equal(second, arrays[1])


@pytest.mark.parametrize("name", [name for name in CALLS if "seed" in inspect.signature(CALLS[name]).parameters])
def test_the_seed_matters_where_there_is_one(name):
    different = {CALLS[name](WEAK, FACTORS, seed=seed) for seed in range(3)}
    assert (len(different) == 1) == (name == "sap.continuous")  # which draws nothing


@pytest.mark.parametrize("name", CALLS)
def test_lists_and_other_number_types(name):
    first, second = (WEAK, FACTORS) if name in ON_CODES else (LABELS, CLUSTERINGS["split"])
    expected = pytest.approx(CALLS[name](first, second), abs=1e-9)
    assert CALLS[name](first.tolist(), second.tolist()) == expected
    assert CALLS[name](np.asfortranarray(first), second.astype(np.uint8)) == expected


@pytest.mark.parametrize("name", ["sap", "dci", "explicitness"])
def test_the_own_split_is_two_thirds_by_a_permutation(name):
    order = np.random.default_rng(5).permutation(240)
    train, test = order[:160], order[160:]
    given = {"test_codes": WEAK[test], "test_factors": FACTORS[test]}
    assert CALLS[name](WEAK, FACTORS, seed=5) == CALLS[name](WEAK[train], FACTORS[train], seed=5, **given)


def test_dci_in_two_processes_is_dci():
    assert metrics.dci(WEAK, FACTORS, rows=60, jobs=2) == metrics.dci(WEAK, FACTORS, rows=60)


def test_dci_of_fewer_rows_is_dci_of_a_random_part():
    given = {"test_codes": WEAK, "test_factors": FACTORS}
    part = np.random.default_rng(0).permutation(240)[:100]
    assert metrics.dci(WEAK, FACTORS, rows=100, **given) == metrics.dci(WEAK[part], FACTORS[part], **given)
    assert metrics.dci(WEAK, FACTORS, rows=1000, **given) == metrics.dci(WEAK, FACTORS, **given)
