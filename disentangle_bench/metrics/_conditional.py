"""Information about a factor beyond what correlated factors tell:   I(z_d; v_k | v_c),  c the factors that go with k"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._dependence import groups
from ._information import entropy, mutual_information

LEAST = 0.05  # of a factor's entropy that other factors, and chance, must leave to be found out


def information_and_entropy(
    binned: NDArray[np.int64], classes: NDArray[np.int64], conditional: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """I of every code and factor (d, f) and H of every factor (f,), in nats.

    With `conditional`, a factor k that goes with others (pairs whose Cramer's V is above 0.1 link it to them, directly
    or through others: two independent causes go together once their common effect is a factor) has in place of I and H

        I_dk = H_k (J_dk - E_dk) / (H_k - E_dk),   J_dk = I(z_d; v_k | v_c),   H_k = H(v_k | v_c)

    with v_c the values of all these others together, plug-in within each combination, and E the exact mean of J when
    v_k is permuted within the combinations. J is biased upwards by E, a lot when there are few rows a combination: the
    adjusted I is near 0 for a code that knows nothing beyond v_c, H_k for one that knows v_k, and never negative (the
    adjustment for chance of Vinh, Epps, Bailey 2010, within combinations). A factor on which no other depends has
    its I and H as they are.

    Raises
    ------
    ValueError
        Less than a twentieth of a factor's entropy remains given the others, after chance.
    """
    information, entropies = mutual_information(binned, classes), entropy(classes)
    if conditional:
        for k, others in enumerate(groups(classes)):
            if not len(others):
                continue
            stratum = _joint(classes[:, others])
            left = _within(stratum, classes[:, [k]], classes[:, k])[0]
            if left[1] - left[2] < LEAST * entropies[k]:
                raise ValueError(
                    f"factors: column {k} is nearly determined by the columns it goes with, {others.tolist()}, or has "
                    f"too few rows for each of their combinations: of its entropy of {entropies[k]:.3f} nats "
                    f"{max(left[1] - left[2], 0):.3f} remain beyond chance; drop it, or give more rows"
                )
            for d, (known, whole, chance) in enumerate(_within(stratum, binned, classes[:, k])):
                room = whole - chance
                share = (known - chance) / room if room > 1e-9 * whole else 0.0
                information[d, k] = whole * min(max(share, 0.0), 1.0)
                entropies[k] = whole
    return information, entropies


def _joint(columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """The combination of values in each row, (n, c) -> (n,) numbered from 0."""
    number = np.zeros(len(columns), np.int64)
    for column in columns.T:
        values, index = np.unique(column, return_inverse=True)
        number = np.unique(number * len(values) + index, return_inverse=True)[1]
    return number


def _within(
    stratum: NDArray[np.int64], binned: NDArray[np.int64], classes: NDArray[np.int64]
) -> list[tuple[float, float, float]]:
    """Of each code: I(z; v | s), H(v | s), and the mean of I when v is permuted within strata, in nats."""
    from ._information_loops import expected_log

    n = len(stratum)
    log = np.log(np.arange(n + 1), out=np.zeros(n + 1), where=np.arange(n + 1) > 0)
    log_factorial = np.cumsum(log)
    rows = np.bincount(stratum)

    def total(counts: NDArray[np.int64]) -> float:
        return float((counts * log[counts]).sum())

    def counted(inner: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the counts of each stratum begin, and the counts."""
        cells, counts = np.unique(stratum * (inner.max() + 1) + inner, return_counts=True)
        return np.searchsorted(cells, np.arange(len(rows) + 1) * (inner.max() + 1)), counts

    v = np.unique(classes, return_inverse=True)[1]
    v_start, v_counts = counted(v)
    whole = (total(rows) - total(v_counts)) / n
    each = []
    for column in binned.T:
        z = np.unique(column, return_inverse=True)[1]
        z_start, z_counts = counted(z)
        both = counted(z * (v.max() + 1) + v)[1]
        expected = expected_log(rows, z_start, z_counts, v_start, v_counts, log, log_factorial)
        without = total(rows) - total(z_counts) - total(v_counts)
        each.append(((without + total(both)) / n, whole, (without + expected) / n))
    return each
