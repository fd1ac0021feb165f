"""Wrong arrays and options are refused by name, by every metric alike."""

import inspect
from functools import partial

import numpy as np
import pytest

from disentangle_bench import metrics

FACTORS = np.tile(np.indices((2, 3, 4)).reshape(3, -1).T, (10, 1))  # every combination ten times, 240 rows
PERFECT = FACTORS.astype(float)
LABELS = np.repeat(np.arange(4), 30)

CALLS = {name: getattr(metrics, name) for name in metrics.__all__}
CALLS["sap.continuous"] = partial(metrics.sap, continuous=True)
ON_CODES = [name for name in CALLS if "codes" in inspect.signature(CALLS[name]).parameters]
ON_LABELS = [name for name in CALLS if "labels" in inspect.signature(CALLS[name]).parameters]


def test_every_metric_is_tried():
    assert sorted(ON_CODES + ON_LABELS) == sorted(CALLS)


def spoilt(array, row, column, value):
    array = array.astype(float)
    array[row, column] = value
    return array


BAD_CODES = {
    "codes must be 2-D.*got shape .240,.; a single column is codes": (PERFECT[:, 0], FACTORS),
    "factors must be 2-D.*got shape .240,.; a single column is factors": (PERFECT, FACTORS[:, 0]),
    "codes must be 2-D.*got shape .240, 3, 1": (PERFECT[:, :, None], FACTORS),
    "codes must be 2-D.*not empty.*got shape .0, 3": (PERFECT[:0], FACTORS[:0]),
    "codes has 239 rows, factors has 240": (PERFECT[1:], FACTORS),
    "codes must be finite.*got nan in row 7, column 2": (spoilt(PERFECT, 7, 2, np.nan), FACTORS),
    "codes must be finite.*got -inf in row 0, column 1": (spoilt(PERFECT, 0, 1, -np.inf), FACTORS),
    "codes must be finite float32.*got 1e.39 in row 3, column 0": (spoilt(PERFECT, 3, 0, 1e39), FACTORS),
    "codes must be real numbers, got complex128": (PERFECT * 1j, FACTORS),
    "codes must be real numbers, got <U": (PERFECT.astype(str), FACTORS),
    "factors must be integers.*got float64.*factors.astype.int": (PERFECT, FACTORS.astype(float)),
    "factors: column 1 has the single value 5 in all 240 rows.*drop it": (PERFECT, FACTORS * [1, 0, 1] + [0, 5, 0]),
}
BAD_LABELS = {
    "labels must be 1-D.*got shape .120, 1.": (LABELS[:, None], LABELS),
    "clusters must be 1-D.*got shape .0,.": (LABELS, LABELS[:0]),
    "labels has 119 rows, clusters has 120": (LABELS[1:], LABELS),
    "clusters must be integers.*got float64": (LABELS, LABELS * 1.0),
}


@pytest.mark.parametrize("message", BAD_CODES)
@pytest.mark.parametrize("name", ON_CODES)
def test_wrong_codes_and_factors_are_refused_by_name(name, message):
    with pytest.raises(ValueError, match=message):
        CALLS[name](*BAD_CODES[message])


@pytest.mark.parametrize("message", BAD_LABELS)
@pytest.mark.parametrize("name", ON_LABELS)
def test_wrong_labels_are_refused_by_name(name, message):
    with pytest.raises(ValueError, match=message):
        CALLS[name](*BAD_LABELS[message])


@pytest.mark.parametrize("name", ["modularity", "dci", "betavae_score", "factorvae_score"])
def test_metrics_that_compare_factors_refuse_a_single_one(name):
    with pytest.raises(ValueError, match=r"factors: .* at least 2, got 1"):
        CALLS[name](PERFECT, FACTORS[:, [0]])


@pytest.mark.parametrize("name", ["sap", "dci", "explicitness"])
def test_wrong_test_parts_are_refused_by_name(name):
    for given, message in [
        ({"test_codes": PERFECT}, "test_codes and test_factors: give both or neither"),
        ({"test_factors": FACTORS}, "test_codes and test_factors: give both or neither"),
        ({"test_codes": PERFECT[1:], "test_factors": FACTORS}, "test_codes has 239 rows, test_factors has 240"),
        ({"test_codes": PERFECT[:, 1:], "test_factors": FACTORS}, "test_codes has 2 columns, codes has 3"),
        ({"test_codes": PERFECT, "test_factors": FACTORS[:, 1:]}, "test_factors has 2 columns, factors has 3"),
        ({"test_codes": spoilt(PERFECT, 4, 1, np.nan), "test_factors": FACTORS}, "test_codes .* nan in row 4"),
    ]:
        with pytest.raises(ValueError, match=message):
            CALLS[name](PERFECT, FACTORS, **given)


@pytest.mark.parametrize("name", ["sap", "dci", "explicitness"])
def test_a_value_that_the_split_leaves_out_of_training_is_named(name):
    factors = FACTORS.copy()
    factors[:, 1] = 0
    factors[np.random.default_rng(0).permutation(240)[-1], 1] = 1  # the one row with the other value is for judging
    with pytest.raises(ValueError, match=r"the training part of factors: column 1 has the single value 0"):
        CALLS[name](PERFECT, factors)


@pytest.mark.parametrize(
    ("name", "option", "message"),
    [
        ("mig", {"bins": 1}, "bins must be at least 2, got 1"),
        ("modularity", {"bins": 0}, "bins must be at least 2, got 0"),
        ("modularity", {"inactive": "skip"}, "inactive must be 'keep' or 'drop', got 'skip'"),
        ("dci", {"predictor": "lasso"}, "predictor must be 'gbt', got 'lasso'"),
        ("dci", {"rows": 1}, "rows must be at least 2, got 1"),
        ("betavae_score", {"batch": 0}, "batch must be at least 1, got 0"),
        ("factorvae_score", {"batch": 1}, "batch must be at least 2, got 1"),
        ("factorvae_score", {"prune": -1}, "prune must be at least 0, got -1"),
        ("factorvae_score", {"test": 0}, "test must be at least 1, got 0"),
    ],
)
def test_wrong_options_are_refused_by_name(name, option, message):
    with pytest.raises(ValueError, match=message):
        CALLS[name](PERFECT, FACTORS, **option)
