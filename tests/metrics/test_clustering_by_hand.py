"""Scores of clusterings, worked out by brute force."""

from itertools import combinations, permutations

import numpy as np
import pytest

from disentangle_bench import metrics
from disentangle_bench.metrics._information import entropy, mutual_information


def random_clustering(seed, classes, clusters):
    rng = np.random.default_rng(seed)
    return rng.integers(classes, size=40), rng.integers(clusters, size=40)


@pytest.mark.parametrize(("classes", "clusters"), [(4, 4), (3, 5), (5, 3), (1, 4), (4, 1)])
def test_cluster_accuracy_is_the_best_of_all_namings(classes, clusters):
    labels, found = random_clustering(classes * clusters, classes, clusters)
    names = list(range(classes)) + [-1] * clusters  # -1: a cluster without a class
    best = max(np.mean(np.array(naming)[found] == labels) for naming in set(permutations(names, clusters)))
    assert metrics.cluster_accuracy(labels, found) == pytest.approx(best, abs=1e-15)


def test_ari_by_counting_pairs():
    labels, found = random_clustering(0, 3, 4)
    pairs = np.array([(labels[i] == labels[j], found[i] == found[j]) for i, j in combinations(range(40), 2)])
    both, (a, b) = pairs.all(axis=1).sum(), pairs.sum(axis=0)
    expected = a * b / len(pairs)
    assert metrics.ari(labels, found) == pytest.approx((both - expected) / ((a + b) / 2 - expected), abs=1e-12)


def test_nmi_from_information():
    labels, found = random_clustering(1, 3, 4)
    information = mutual_information(labels[:, None], found[:, None]).item()
    mean = (entropy(labels[:, None]) + entropy(found[:, None])).item() / 2
    assert metrics.nmi(labels, found) == pytest.approx(information / mean, abs=1e-12)
