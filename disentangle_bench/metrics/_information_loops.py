"""The inner loops of conditional information and of posterior masses, compiled: import this inside functions."""

from __future__ import annotations

from math import erf, exp, sqrt

import numba

WIDE = 9.0  # standard deviations beyond which a normal distribution has less mass than rounding
NEGLIGIBLE = 1e-18  # probability of a count


@numba.njit(cache=True, nogil=True)
def expected_log(rows, a_start, a, b_start, b, log, log_factorial):
    """Sum over strata, and over pairs of a value of one column and one of another, of E[X log X].

    X is the number of rows with both values when the second column is permuted within the stratum: hypergeometric.

    Parameters
    ----------
    rows : (s,) rows of each stratum
    a_start, b_start : (s + 1,) where the counts of each stratum begin
    a, b : counts of the values that a column has within a stratum, stratum by stratum
    log, log_factorial : (n + 1,) tables; log[0] is not read
    """
    total = 0.0
    for s in range(len(rows)):
        n = rows[s]
        for i in range(a_start[s], a_start[s + 1]):
            for j in range(b_start[s], b_start[s + 1]):
                x, y = a[i], b[j]
                least, most = max(0, x + y - n), min(x, y)
                mode = min(max((x + 1) * (y + 1) // (n + 2), least), most)
                above = log_factorial[x] + log_factorial[n - x] + log_factorial[y] + log_factorial[n - y]
                below = log_factorial[n] + log_factorial[mode] + log_factorial[x - mode] + log_factorial[y - mode]
                peak = exp(above - below - log_factorial[n - x - y + mode])
                p, count = peak, mode
                while count <= most and p > NEGLIGIBLE:
                    if count > 1:
                        total += p * count * log[count]
                    p *= (x - count) * (y - count) / ((count + 1.0) * (n - x - y + count + 1.0))
                    count += 1
                p, count = peak, mode
                while count > least and p > NEGLIGIBLE:
                    p *= count * (n - x - y + count) / ((x - count + 1.0) * (y - count + 1.0))
                    count -= 1
                    if count > 1:
                        total += p * count * log[count]
    return total


@numba.njit(cache=True, nogil=True)
def add_masses(mean, sd, low, width, cells, joint):
    """Add the mass that each row's normal distribution has in each bin to the row of `joint` of each of its classes.

    Parameters
    ----------
    mean, sd : (n,)
    low, width : where the first bin begins, and the width of all; the outermost bins reach to infinity
    cells : (n, f) rows of joint
    joint : (classes of all factors, bins), changed in place
    """
    bins = joint.shape[1]
    mass = joint[0] * 0
    for i in range(len(mean)):
        reach = WIDE * sd[i]
        first = int(min(max((mean[i] - reach - low) / width, 0.0), bins - 1.0))
        last = int(min(max((mean[i] + reach - low) / width, 0.0), bins - 1.0))
        before = 0.0
        for j in range(first, last):
            upto = 0.5 + 0.5 * erf((low + (j + 1) * width - mean[i]) / (sd[i] * sqrt(2.0)))
            mass[j] = upto - before
            before = upto
        mass[last] = 1.0 - before
        for k in range(cells.shape[1]):
            row = joint[cells[i, k]]
            for j in range(first, last + 1):
                row[j] += mass[j]
