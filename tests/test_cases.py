"""The cases of the stress card are what they say: checked on the arrays."""

import numpy as np
import pytest

from disentangle_bench.cases import CASES, NOISE, ROWS, good, perfect
from disentangle_bench.metrics._dependence import association

OF_GOOD_CODES = set(CASES) - {"noise", "rows", "rows of noise", "codes of noise"}  # their base is a good code


def made(case, level, seed=0):
    return CASES[case].make(seed, level)


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_a_case_is_whole(case):
    assert case.base in case.levels and len(set(case.levels)) == len(case.levels) > 1
    assert case.text and case.wanted and case.unit
    for level in case.levels:
        first, again = case.make(1, level), case.make(1, level)
        assert all(np.array_equal(a, b) for a, b in zip(first, again))
        assert first.codes.shape == first.sd.shape and len(first.codes) == len(first.factors)
        assert np.isfinite(first.codes).all() and (first.sd > 0).all()
    assert not np.array_equal(case.make(0, case.base).codes, case.make(1, case.base).codes)


@pytest.mark.parametrize("case", sorted(OF_GOOD_CODES))
def test_the_base_is_the_good_code(case):
    base, expected = made(case, CASES[case].base), good(0)
    np.testing.assert_allclose(base.codes, expected.codes, rtol=0, atol=1e-12)
    assert np.array_equal(base.factors, expected.factors)


def test_perfect_codes_are_standardised_and_independent():
    codes, _, factors = perfect(0, 100_000)
    assert [len(np.unique(codes[:, k])) for k in range(4)] == [3, 4, 6, 6]
    assert np.abs(codes.mean(axis=0)).max() < 0.02 and np.abs(codes.std(axis=0) - 1).max() < 0.01
    assert all(np.corrcoef(codes[:, k], factors[:, k])[0, 1] == pytest.approx(1) for k in range(4))
    assert np.abs(np.corrcoef(codes.T) - np.eye(4)).max() < 0.02


def test_noise_has_its_deviation():
    for sd in CASES["noise"].levels:
        difference = made("noise", sd).codes - perfect(0).codes
        assert difference.std() == pytest.approx(sd, rel=0.05)
    assert (good(0).codes - perfect(0).codes).std() == pytest.approx(NOISE, rel=0.05)


def test_rotation_mixes_pairs_and_keeps_distances():
    base = good(0).codes
    for degrees in CASES["rotation"].levels:
        codes = made("rotation", degrees).codes
        angle = np.radians(degrees)
        for pair in ([0, 1], [2, 3]):
            np.testing.assert_allclose((codes[:, pair] ** 2).sum(axis=1), (base[:, pair] ** 2).sum(axis=1))
            np.testing.assert_allclose(
                codes[:, pair[0]], np.cos(angle) * base[:, pair[0]] - np.sin(angle) * base[:, pair[1]]
            )
    correlation = np.abs(np.corrcoef(made("rotation", 45).codes.T, good(0).factors.T)[:4, 4:])
    assert np.abs(correlation[:2, :2] - 0.7).max() < 0.07 and correlation[:2, 2:].max() < 0.1


def test_codes_that_are_added_or_taken_away():
    base, factors = good(0).codes, good(0).factors
    copied = made("copies", 3).codes
    assert copied.shape == (ROWS, 12) and all(np.array_equal(copied[:, i::3], base) for i in range(3))
    idle, fewer = made("idle codes", 20).codes, made("idle codes", 5).codes
    assert np.array_equal(idle[:, :4], base) and np.array_equal(idle[:, :9], fewer)
    assert np.abs(np.corrcoef(idle[:, 4:].T, factors.T)[:20, 20:]).max() < 0.13
    constant = made("constant codes", 2).codes
    assert np.array_equal(constant[:, :4], base) and (constant[:, 4:] == 0.1).all() and constant.shape[1] == 6
    assert np.array_equal(made("missing codes", 3).codes, base[:, :1])
    assert np.array_equal(np.sort(np.abs(made("order and sign", 1).codes), axis=1), np.sort(np.abs(base), axis=1))
    noise = made("codes of noise", 20)
    assert np.abs(np.corrcoef(noise.codes.T, noise.factors.T)[:20, 20:]).max() < 0.13
    assert np.array_equal(noise.codes[:, :2], made("codes of noise", 2).codes)


def test_scales_and_transforms():
    base, sd, _ = good(0)
    scaled = made("scale of all", 0.01)
    assert np.array_equal(scaled.codes, base * 0.01) and np.array_equal(scaled.sd, sd * 0.01)
    one = made("scale of one", 100)
    assert np.array_equal(one.codes[:, :3], base[:, :3]) and np.array_equal(one.codes[:, 3], base[:, 3] * 100)
    assert np.array_equal(one.sd[:, 3], sd[:, 3] * 100)
    for case in "monotone", "heavy tails":
        for level in CASES[case].levels:
            assert np.array_equal(made(case, level).codes.argsort(axis=0), base.argsort(axis=0))
    far = made("one outlier", 100).codes
    assert np.array_equal(far[1:], base[1:]) and np.allclose(far[0], base[0] + 100)
    assert all(np.array_equal(made("bins", level).codes, base) for level in CASES["bins"].levels)


@pytest.mark.parametrize("r", CASES["correlation"].levels)
def test_factors_have_the_stated_correlation(r):
    factors = perfect(0, 50_000, r).factors
    assert np.corrcoef(factors[:, 2], factors[:, 3])[0, 1] == pytest.approx(r, abs=0.015)
    assert association(factors)[2, 3] == pytest.approx(r, abs=0.015)
    assert association(factors)[:2, 2:].max() < 0.02
    assert np.abs(np.bincount(factors[:, 3]) / 50_000 - 1 / 6).max() < 0.006
    case = made("correlation", r)
    assert np.abs((case.codes - perfect(0, ROWS, r).codes).std(axis=0) - NOISE).max() < 0.02


def test_rows_are_what_is_asked_for():
    for case in "rows", "rows of noise":
        assert [len(made(case, level).codes) for level in CASES[case].levels] == list(CASES[case].levels)
    noise = made("rows of noise", 10_000)
    assert np.abs(np.corrcoef(noise.codes.T, noise.factors.T)[:4, 4:]).max() < 0.05
