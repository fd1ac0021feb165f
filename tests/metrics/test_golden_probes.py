"""Probes and fixed-factor scores against what other code gives on the same arrays; golden/others.json holds its values.

Ubisoft's framework judges explicitness and trees on the rows that it fits, and draws pairs and batches from them. A
case that another implementation cannot do is absent here or named below.
"""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from disentangle_bench.metrics import betavae_score, explicitness, factorvae_score, sap

pytestmark = pytest.mark.filterwarnings("ignore:factors in columns")  # c17 is correlated on purpose
FOLDER = Path(__file__).parent.parent / "golden"
CASES = json.loads((FOLDER / "golden.json").read_text(encoding="utf-8"))["cases"]
OTHERS = json.loads((FOLDER / "others.json").read_text(encoding="utf-8"))
OLD = "disentanglement_lib@liblinear_ovr"
SEEDS = 3
CLASSIFIER = 2e-4  # a score, across versions of the solver
FEW = ("c02_permscale", "c05_shared", "c10_dead_exact", "c12_d_lt_k", "c15_dsprites")


def some(names):
    """All cases; those beyond the few (a code a factor, two, a dead one, too few, real ones) for `make thorough`."""
    return [name if name in FEW else pytest.param(name, marks=pytest.mark.thorough) for name in names]


@lru_cache
def arrays(name):
    """codes (n, d) and factors (n, f), and of the grid codes (cells, d)."""
    with np.load(FOLDER / f"{name}.npz") as file:
        factors = file["factors"].astype(int)
        if "codes" in file:
            return file["codes"], factors, None
        grid = file["grid_codes"]
    return grid[np.ravel_multi_index(tuple(factors.T), tuple(CASES[name]["sizes"]))], factors, grid


def train(name):
    codes, factors, _ = arrays(name)
    n = CASES[name]["n_train"]
    return codes[:n], factors[:n]


def judged_on(codes, factors):
    return {"test_codes": codes, "test_factors": factors}


def whole_grid(name):
    return arrays(name)[2], np.indices(CASES[name]["sizes"]).reshape(len(CASES[name]["sizes"]), -1).T


def given(family, implementation, key="value"):
    """By case the other's value, a number or a distribution, where it has one; c16 has a factor that never varies."""
    found = {name: OTHERS[name].get(family, {}).get(implementation, {}).get(key) for name in CASES}
    found.pop("c16_card1")
    number = {name: value["mean"] if isinstance(value, dict) else value for name, value in found.items()}
    return {name: found[name] for name, value in number.items() if value is not None and not np.isnan(float(value))}


ONE_VS_REST = given("explicitness", OLD, "explicitness_score_test")
UBISOFT = {
    (implementation, rescale): given("explicitness", f"ubisoft explicitness_impl{implementation}_scale{rescale}")
    for implementation in (1, 2)
    for rescale in (False, True)
}


def test_there_is_enough_to_compare_with():
    assert len(ONE_VS_REST) == 18 and len(given("explicitness", OLD, "explicitness_score_train")) == 18
    assert {len(values) for values in UBISOFT.values()} == {20}
    assert len(REGRESSION) == len(TREE) == 19
    assert len(PAIRS_OLD) == 19 and len(DISENT) == 16


@pytest.mark.parametrize("name", ONE_VS_REST)
def test_explicitness_as_scikit_learn_had_it_in_2019(name):
    codes, factors, _ = arrays(name)
    n = CASES[name]["n_train"]
    score = explicitness(*train(name), classifier="one-vs-rest", **judged_on(codes[n:], factors[n:]))
    assert score == pytest.approx(ONE_VS_REST[name], abs=CLASSIFIER)
    score = explicitness(*train(name), classifier="one-vs-rest", **judged_on(*train(name)))
    assert score == pytest.approx(OTHERS[name]["explicitness"][OLD]["explicitness_score_train"], abs=CLASSIFIER)


@pytest.mark.parametrize(("implementation", "rescale"), UBISOFT)
@pytest.mark.parametrize("name", some(UBISOFT[1, False]))
def test_explicitness_of_ubisoft(name, implementation, rescale):
    score = explicitness(
        *train(name),
        rescale=rescale,
        classifier={1: "free one-vs-rest", 2: "binary"}[implementation],
        scaling="min-max",
        balanced=True,
        **judged_on(*train(name)),
    )
    assert score == pytest.approx(UBISOFT[implementation, rescale][name], abs=CLASSIFIER)


REGRESSION = given("sap_continuous", "ubisoft sap_regression")
TREE = given("sap_discrete_tree", "ubisoft sap_tree_classification")
SAME_TREE = ["c03_rotated", "c06_noise", "c08_snr_mid", "c09_snr_lo", "c11_dead_near", "c12_d_lt_k", "c14_heavy"]
SAME_TREE += ["c19_k1", "c20_imbalanced"]


@pytest.mark.parametrize("name", REGRESSION)
def test_sap_by_regression(name):
    """Without the reference's threshold on variances: c11 has a code with standard deviation 1e-8."""
    score = sap(*train(name), predictor="linear", least_variance=0)
    assert score == pytest.approx(REGRESSION[name], abs=1e-9)


@pytest.mark.parametrize("name", TREE)
def test_sap_by_trees(name):
    """Ubisoft tunes the depth in a way that is not known; on continuous codes it seldom takes less than 9."""
    score = sap(*train(name), predictor="tree", **judged_on(*train(name)))
    assert score == pytest.approx(TREE[name], abs=1e-9 if name in SAME_TREE else 0.011)


def assert_same_distribution(scores, reference, least=0.0):
    """Means are within four standard errors, and 0.002 where all seeds agree."""
    spread = max(reference["sd"], least)
    tolerance = 4 * spread * np.sqrt(1 / len(scores) + 1 / reference["n"]) + 0.002
    assert np.mean(scores) == pytest.approx(reference["mean"], abs=tolerance)


ROWS_DIFFER = ("c15_dsprites", "c17_corr", "c20_imbalanced")  # no grid; rows of unequal frequencies or correlated
PAIRS_OLD = given("beta_vae", OLD, "eval_accuracy")
DISENT = {
    name: value
    for name, value in given("factor_vae", "disent", "factor_vae.eval_accuracy").items()
    if name not in (*ROWS_DIFFER, "c19_k1")
}


@pytest.mark.parametrize("name", some(name for name in PAIRS_OLD if name not in ROWS_DIFFER))
def test_betavae_score_as_scikit_learn_had_it_in_2019(name):
    """c12 tells the classifiers apart: 0.860 here, 0.874 by a softmax."""
    scores = [betavae_score(*whole_grid(name), classifier="one-vs-rest", seed=seed) for seed in range(SEEDS)]
    assert_same_distribution(scores, PAIRS_OLD[name])


@pytest.mark.parametrize("name", some(DISENT))
def test_factorvae_score_without_a_threshold(name):
    """disent has none; but there a constant code wins every vote (c10), and here it takes no part."""
    scores = [factorvae_score(*whole_grid(name), prune=0, seed=seed) for seed in range(SEEDS)]
    if name == "c10_dead_exact":
        assert DISENT[name]["mean"] < 0.35
        assert np.mean(scores) == 1
    else:
        assert_same_distribution(scores, DISENT[name])


Z_DIFF = {name: value["ubisoft z_diff_b64"] for name, value in ((n, OTHERS[n]["beta_vae"]) for n in CASES)}
Z_MIN_VAR = {name: value["ubisoft z_min_var_b64"] for name, value in ((n, OTHERS[n]["factor_vae"]) for n in CASES)}
FROM_ROWS = [name for name in CASES if name not in ("c16_card1", "c17_corr", "c19_k1", "c20_imbalanced")]


@pytest.mark.parametrize("name", some(FROM_ROWS))
@pytest.mark.parametrize(("metric", "reference"), [(betavae_score, Z_DIFF), (factorvae_score, Z_MIN_VAR)])
def test_rescaled_scores_from_the_rows(metric, reference, name):
    """Ubisoft draws from these very rows, so that the chance of which rows there are cancels.

    Three seeds tell little of its spread: 0.003 is taken where they agree by more. In c15 fewer than 128 rows have a
    value, so we repeat rows in batches for FactorVAE and it does not: 0.004 lower. c20 has values of unequal
    frequencies, which it draws uniformly.
    """
    scores = [metric(*train(name), rescale=True, seed=seed) for seed in range(SEEDS)]
    assert_same_distribution(scores, reference[name], least=0.003 if reference[name]["mean"] < 1 else 0)
