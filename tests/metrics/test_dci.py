"""DCI of every probe by hand: the aggregation, importances of known weights, curves of known area, what is refused."""

import numpy as np
import pytest

from disentangle_bench import metrics
from disentangle_bench.metrics import dci, dci_es, dci_forest, dci_lasso, dci_logistic
from disentangle_bench.metrics._dci import aggregate
from disentangle_bench.metrics.dci_es import explicitness

FACTORS = np.tile(np.indices((3, 4)).reshape(2, -1).T, (20, 1))
PROBES = [dci, dci_logistic, dci_lasso, dci_forest]


def entropy(*p):
    return -sum(q * np.log(q) for q in p)


def test_aggregate_by_hand():
    """Rows weighted 4 : 1 : 0, columns 2 : 3; a code without importance counts nothing."""
    importance = np.array([[1.0, 3.0], [1.0, 0.0], [0.0, 0.0]])
    disentanglement = (4 * (1 - entropy(0.25, 0.75) / np.log(2)) + 1) / 5
    completeness = (2 * (1 - entropy(0.5, 0.5) / np.log(3)) + 3) / 5
    assert aggregate(importance) == pytest.approx((disentanglement, completeness), abs=1e-12)
    assert aggregate(importance.T) == pytest.approx((completeness, disentanglement), abs=1e-12)


def test_aggregate_of_one_code_and_of_one_factor():
    disentanglement, completeness = aggregate(np.array([[1.0, 1.0]]))
    assert disentanglement == pytest.approx(0, abs=1e-12) and np.isnan(completeness)
    disentanglement, completeness = aggregate(np.array([[1.0], [0.0]]))
    assert np.isnan(disentanglement) and completeness == 1


@pytest.mark.parametrize("probe", PROBES)
def test_importances_have_codes_as_rows(probe):
    """Codes 0 to 3: noise, factor 1, factor 0, a constant."""
    noise = np.random.default_rng(0).normal(size=len(FACTORS))
    codes = np.column_stack([noise, FACTORS[:, 1], -FACTORS[:, 0], np.full(len(FACTORS), 0.1)])
    importance = probe(codes, FACTORS).importance
    assert importance.shape == (4, 2)
    assert importance.argmax(axis=0).tolist() == [2, 1]
    assert (importance[3] == 0).all()
    if probe not in (dci_lasso, dci_logistic):
        assert importance.sum(axis=0) == pytest.approx([1, 1])


@pytest.mark.parametrize("probe", PROBES)
def test_one_code_or_factor_is_refused_or_gives_nan_for_its_part(probe):
    codes = FACTORS.astype(float)
    with pytest.raises(ValueError, match=r"codes: completeness .* at least 2, got 1"):
        probe(codes[:, :1], FACTORS)
    with pytest.raises(ValueError, match=r"factors: disentanglement .* at least 2, got 1"):
        probe(codes, FACTORS[:, :1])
    with pytest.raises(ValueError, match="undefined must be 'raise' or 'nan', got 'skip'"):
        probe(codes, FACTORS, undefined="skip")
    with pytest.warns(UserWarning, match="completeness is undefined"):
        scores = probe(codes[:, :1], FACTORS, undefined="nan")
    assert np.isnan(scores[:4]).tolist() == [False, True, False, False]
    with pytest.warns(UserWarning, match="disentanglement is undefined"):
        scores = probe(codes, FACTORS[:, :1], undefined="nan")
    assert np.isnan(scores[:4]).tolist() == [True, False, False, False]
    assert scores.completeness > 0.9


@pytest.mark.parametrize("probe", [dci, dci_logistic, dci_lasso, dci_forest])
def test_correlated_factors_are_warned_of(probe):
    factors = FACTORS.copy()
    factors[:, 1] = np.where(np.arange(len(factors)) % 3, factors[:, 0], factors[:, 1])
    with pytest.warns(metrics._dependence.CorrelatedFactors, match="factors in columns 0 and 1"):
        probe(factors.astype(float), factors)


@pytest.mark.parametrize("probe", [*PROBES, dci_es])
def test_continuous_factors_and_few_rows(probe):
    rng = np.random.default_rng(0)
    factors = rng.uniform(size=(400, 2))
    scores = probe(factors, factors)
    assert scores.informativeness > (0.3 if probe is dci_logistic else 0.85)  # twenty classes in a row
    if probe is not dci_es:
        assert scores.disentanglement > 0.75
    few = factors[:15]
    if probe in (dci_lasso, dci_es):
        assert 0 <= probe(few, few).informativeness <= 1


def test_boosting_uses_both_cores_to_the_same_end():
    codes = FACTORS @ [[1, 2, 0.5], [0.3, -1, 1]] + np.random.default_rng(0).normal(size=(len(FACTORS), 3))
    alone, side = dci(codes, FACTORS), dci(codes, FACTORS, jobs=2)
    assert alone[:4] == side[:4] and (alone.importance == side.importance).all()


# Lasso


def test_weights_of_a_lasso_by_hand():
    """Uncorrelated codes of unit variance: the weight is the correlation less alpha, or 0."""
    z = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]]).repeat(10, axis=0)
    factors = np.stack([3 * z[:, 0] + z[:, 1], z[:, 1]], axis=1)  # correlations 3/sqrt(10), 1/sqrt(10) and 0, 1
    rows = {"test_codes": z, "test_factors": factors}
    with pytest.warns(UserWarning, match="factors in columns"):
        scores = dci_lasso(z * [5, 0.1], factors, alpha=0.2, test_codes=z * [5, 0.1], test_factors=factors)
    expected = np.maximum(np.array([[3 / 10**0.5, 0], [1 / 10**0.5, 1]]) - 0.2, 0)
    assert scores.importance == pytest.approx(expected, abs=1e-4)
    left = np.array([2 * 0.2**2, 0.2**2])  # variance that is not explained: alpha^2 for every weight
    assert scores.informativeness == pytest.approx(1 - left.mean(), abs=1e-4)
    assert scores[:2] == pytest.approx(aggregate(expected), abs=1e-4)
    with pytest.warns(UserWarning, match="factors in columns"):
        assert dci_lasso(z, factors, alpha=2.0, **rows)[:4] == (0, 0, 0, 0)


def test_informativeness_of_the_range_convention_by_hand():
    """Of two binary factors one is known, 1, and one is not: 1 - 12/4 = -2, cut at 0. R^2 says 0.5 as well."""
    factors = np.tile(np.indices((2, 2)).reshape(2, -1).T, (30, 1))
    codes = factors * [1.0, 0.0]
    rows = {"test_codes": codes, "test_factors": factors}
    assert dci_lasso(codes, factors, convention="range", **rows).informativeness == pytest.approx(0.5, abs=1e-5)
    assert dci_lasso(codes, factors, **rows).informativeness == pytest.approx(0.5, abs=1e-5)
    half = np.repeat(np.arange(4.0), 30)[:, None]  # the second bit of 0 1 2 3 from the number: slope 0.1, R^2 = 1/5
    bits = np.stack([half[:, 0] // 2, half[:, 0] % 2], axis=1)
    codes = np.hstack([half, 0 * half])
    given = {"test_codes": codes, "test_factors": bits, "alpha": 1e-5}
    assert dci_lasso(codes, bits, **given).informativeness == pytest.approx((0.8 + 0.2) / 2, abs=1e-5)
    # 12 x 0.25 x 0.2 is missing in the first, more than 1 in the second
    assert dci_lasso(codes, bits, convention="range", **given).informativeness == pytest.approx(0.4 / 2, abs=1e-5)


@pytest.mark.parametrize(("probe", "options"), [(dci_lasso, {}), (dci_forest, {"target": "number"}), (dci_es, {})])
def test_a_cyclic_factor_is_read_from_a_circle(probe, options):
    """Its codes are (cos, sin). As a number it jumps at the end of the period, which no line follows."""
    factors = np.tile(np.indices((3, 12)).reshape(2, -1).T, (20, 1))
    angle = 2 * np.pi * factors[:, 1] / 12
    codes = np.stack([factors[:, 0], np.cos(angle), np.sin(angle)], axis=1)
    cyclic, plain = probe(codes, factors, cyclic={1: 12}, **options), probe(codes, factors, **options)
    assert cyclic.informativeness > 0.999
    if probe is dci_lasso:
        assert plain.informativeness < 0.9
        assert cyclic.importance[1:, 1] == pytest.approx([1, 1], abs=1e-3)
        assert cyclic.disentanglement == pytest.approx(1, abs=1e-3)
    if probe is dci_es:
        assert plain.explicitness < 0.95 < cyclic.explicitness


# Forests and linear classifiers


def test_forests_of_classes_do_not_mind_the_order_of_values_and_those_of_numbers_do():
    codes = FACTORS + 0.3 * np.random.default_rng(0).normal(size=FACTORS.shape)
    shuffled = np.array([2, 0, 3, 1])[FACTORS]
    classes, others = dci_forest(codes, FACTORS), dci_forest(codes, shuffled)
    assert classes.informativeness == pytest.approx(others.informativeness, abs=0.03)
    numbers = [dci_forest(codes, y, target="number").informativeness for y in (FACTORS, shuffled)]
    assert numbers[0] > numbers[1] + 0.05


def test_trying_few_codes_for_each_split_spreads_importance():
    codes = np.hstack([FACTORS, np.random.default_rng(0).normal(size=(len(FACTORS), 4))])
    assert dci_forest(codes, FACTORS).disentanglement > dci_forest(codes, FACTORS, features=0.2).disentanglement + 0.1


def test_a_linear_classifier_cannot_read_an_exclusive_or():
    bits = np.tile(np.indices((2, 2)).reshape(2, -1).T, (50, 1))
    codes = np.stack([bits[:, 0], bits[:, 0] ^ bits[:, 1]], axis=1)
    rows = {"test_codes": codes, "test_factors": bits}
    assert dci_logistic(codes, bits, **rows).informativeness == pytest.approx(0.75, abs=0.01)
    assert dci_forest(codes, bits, **rows).informativeness == 1


def test_a_strong_penalty_leaves_no_weight():
    assert (dci_logistic(FACTORS, FACTORS, C=1e-6).importance == 0).all()


# Explicitness and size


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ([0.2, 0.2, 0.2], 1),  # the linear probe is as good as any
        ([1, 0.6, 0.2], 0),  # evenly down: the triangle itself
        ([1, 1, 0.2], -0.5),  # area 1.5 of 0.8, triangle 1 of 0.8
        ([0.6, 0.2, 0.2], 0.75),  # 0.5 x 0.4, triangle 0.8
        ([0.6, 0.2, 0.9], 0.75),  # beyond the lowest loss nothing counts
        ([1, 1, 1, 1, 0], -0.75),
    ],
)
def test_explicitness_of_known_curves(curve, expected):
    assert explicitness(np.array(curve)) == pytest.approx(expected)


def test_curved_codes_need_capacity_and_linear_ones_do_not():
    rng = np.random.default_rng(0)
    factors = rng.uniform(-1, 1, size=(3000, 2))
    mixed = factors @ [[1, 2], [1, -1]]
    radius, angle = factors[:, 0] + 2, 3 * factors[:, 1]
    curved = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    assert dci_es(mixed, factors).explicitness == pytest.approx(1, abs=1e-6)
    scores = dci_es(curved, factors)
    assert scores.informativeness > 0.9
    assert scores.explicitness < 0.9
    assert (np.diff(scores.loss[:6], axis=0) < 0.05).all()  # more capacity, less loss
    assert scores.loss.shape == (8, 2)


def test_size_and_options_of_dci_es():
    codes = FACTORS.astype(float)
    assert dci_es(np.hstack([codes, codes, codes[:, :1]]), FACTORS).size == pytest.approx(2 / 5)
    assert dci_es(codes[:, :1], FACTORS).size == 1
    assert dci_es(codes, FACTORS, rungs=3).loss.shape == (3, 2)
    assert dci_es(np.abs(codes - 1), FACTORS, least=0.999).explicitness < 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda z: dci(z, FACTORS, backend="gpu"), "backend must be one of fast, sklearn, got 'gpu'"),
        (lambda z: dci_logistic(z, FACTORS, C=0), "C must be a number above 0, got 0"),
        (lambda z: dci_lasso(z, FACTORS, alpha=-1), "alpha must be a number above 0, got -1"),
        (lambda z: dci_lasso(z, FACTORS, convention="old"), "convention must be 'spread' or 'range', got 'old'"),
        (lambda z: dci_lasso(z, FACTORS, folds=1), "folds must be a whole number of at least 2"),
        (lambda z: dci_lasso(z[:12], FACTORS[:12]), "codes has 8 rows for fitting, too few for 10 folds"),
        (lambda z: dci_lasso(z, FACTORS, cyclic={2: 3}), "cyclic must map a column of factors"),
        (lambda z: dci_forest(z, FACTORS, target="rank"), "target must be 'class' or 'number', got 'rank'"),
        (lambda z: dci_forest(z, FACTORS, features=0), "features must be above 0 and at most 1, or None, got 0"),
        (lambda z: dci_forest(z, FACTORS, trees=0), "trees must be a whole number of at least 1"),
        (lambda z: dci_es(z, FACTORS, rungs=1), "rungs must be a whole number of at least 2"),
        (lambda z: dci_es(z, FACTORS, least=1), "least must be at least 0 and below 1, got 1"),
    ],
)
def test_wrong_options_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call(FACTORS.astype(float))
