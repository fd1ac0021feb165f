"""Wrong arrays and options are refused by name, by every metric alike."""

import inspect
from functools import partial

import numpy as np
import pytest

from disentangle_bench import metrics
from disentangle_bench.metrics import betavae_score, dci, explicitness, factorvae_score, mig, sap

FACTORS = np.tile(np.indices((2, 3, 4)).reshape(3, -1).T, (10, 1))  # every combination ten times, 240 rows
PERFECT = FACTORS.astype(float)
LABELS = np.repeat(np.arange(4), 30)

CALLS = {
    f"{name}.{variant}".rstrip("."): partial(getattr(metrics, name), **options)
    for name in metrics.__all__
    for variant, options in getattr(metrics, name).variants.items()
}
NEEDED = {
    name: [p.name for p in inspect.signature(call).parameters.values() if p.default is p.empty]
    for name, call in CALLS.items()
}
ON_CODES = [name for name, needed in NEEDED.items() if needed == ["codes", "factors"]]
ON_CODES_ALONE = [name for name, needed in NEEDED.items() if needed == ["codes"]]
ON_LABELS = [name for name, needed in NEEDED.items() if needed == ["labels", "clusters"]]
ELSEWHERE = [name for name, needed in NEEDED.items() if "sd" in needed or "representations" in needed]


def test_every_metric_is_tried():
    assert sorted(ON_CODES + ON_CODES_ALONE + ON_LABELS + ELSEWHERE) == sorted(CALLS)


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
    "factors must be finite.*got nan in row 4, column 1": (PERFECT, spoilt(FACTORS, 4, 1, np.nan)),
    "factors must be real numbers.*got <U": (PERFECT, FACTORS.astype(str)),
    "factors: column 1 has the single value 5 in all 240 rows.*drop it": (PERFECT, FACTORS * [1, 0, 1] + [0, 5, 0]),
}
BAD_LABELS = {
    "labels must be 1-D.*got shape .120, 1.": (LABELS[:, None], LABELS),
    "clusters must be 1-D.*got shape .0,.": (LABELS, LABELS[:0]),
    "labels has 119 rows, clusters has 120": (LABELS[1:], LABELS),
    "clusters must be whole numbers.*got float64": (LABELS, LABELS + 0.5),
}


@pytest.mark.parametrize("message", BAD_CODES)
@pytest.mark.parametrize("name", ON_CODES)
def test_wrong_codes_and_factors_are_refused_by_name(name, message):
    with pytest.raises(ValueError, match=message):
        CALLS[name](*BAD_CODES[message])


@pytest.mark.parametrize("message", [message for message in BAD_CODES if message.startswith("codes must")])
@pytest.mark.parametrize("name", ON_CODES_ALONE)
def test_wrong_codes_alone_are_refused_by_name(name, message):
    with pytest.raises(ValueError, match=message):
        CALLS[name](BAD_CODES[message][0])


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
        ("mig", {"bins": 1}, "bins must be a whole number of at least 2, got 1"),
        ("modularity", {"bins": 0}, "bins must be a whole number of at least 2, got 0"),
        ("modularity", {"inactive": "skip"}, "inactive must be 'keep' or 'drop', got 'skip'"),
        ("dci", {"rows": 1}, "rows must be a whole number of at least 2, got 1"),
        ("betavae_score", {"batch": 0}, "batch must be a whole number of at least 1, got 0"),
        ("factorvae_score", {"batch": 1}, "batch must be a whole number of at least 2, got 1"),
        ("factorvae_score", {"prune": -1}, "prune must be at least 0, got -1"),
        ("factorvae_score", {"test": 0}, "test must be a whole number of at least 1, got 0"),
    ],
)
def test_wrong_options_are_refused_by_name(name, option, message):
    with pytest.raises(ValueError, match=message):
        CALLS[name](PERFECT, FACTORS, **option)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mig(PERFECT, FACTORS, bins=2.5), "bins must be a whole number of at least 2, got 2.5"),
        (lambda: betavae_score(PERFECT, FACTORS, batch=None), "batch must be a whole number"),
        (lambda: dci(PERFECT, FACTORS, jobs=0), "jobs must be a whole number of at least 1, got 0"),
        (lambda: sap(PERFECT, FACTORS, seed=-1), "seed must be a whole number of at least 0, got -1"),
        (lambda: factorvae_score(PERFECT, FACTORS, seed=2**40), r"seed must be below 2\*\*32"),
        (lambda: mig(PERFECT, FACTORS.astype(object)), "factors must be real numbers.*got object"),
        (lambda: mig(PERFECT, FACTORS + 2**62), r"factors must lie within \+-2\*\*53"),
        (lambda: mig(np.ma.masked_less(PERFECT, 1), FACTORS), "codes has masked entries"),
        (lambda: sap(PERFECT, FACTORS, continuous=True, test_codes=PERFECT), "give both or neither"),
    ],
)
def test_options_and_odd_arrays_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_whole_floats_and_tensors_are_taken():
    import torch

    assert mig(PERFECT, FACTORS.astype(float)) == mig(PERFECT, FACTORS)
    codes = torch.tensor(PERFECT, requires_grad=True)
    assert mig(codes, torch.tensor(FACTORS)) == mig(PERFECT, FACTORS)
    assert mig(codes.bfloat16(), FACTORS) == mig(PERFECT, FACTORS)


def test_few_rows_of_many_classes_warn_nobody():
    factors = np.stack([np.random.default_rng(0).integers(size, size=60) for size in (3, 40)], 1)
    codes = factors + 0.1
    for score in (sap, explicitness):
        assert 0 <= score(codes, factors) <= 1
