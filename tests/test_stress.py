"""The stress card's values are the metrics' own, and verdicts follow from them."""

import ast
import math
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import disentangle_bench
from disentangle_bench import metrics
from disentangle_bench.cases import CASES, NOISE
from disentangle_bench.stress import SEEDS, Row, broken, calls, judge, measure, span, sweep

OF_GOOD_CODES = set(CASES) - {"noise", "rows", "rows of noise", "codes of noise"}  # their base is a good code


def made(case, level, seed=0):
    return CASES[case].make(seed, level)


# the values


@pytest.fixture(scope="module")
def rows():
    return measure(["mig", "modularity"])  # in two processes


def values(rows, metric, case):
    """{level: mean over seeds}"""
    found = {}
    for row in rows:
        if (row.metric, row.case) == (metric, case):
            found.setdefault(row.level, []).append(row.value)
    return {level: np.mean(value) for level, value in found.items()}


def test_values_are_the_metrics_own(rows):
    for case in "rotation", "scale of one", "rows of noise":
        level = CASES[case].levels[1]
        expected = [metrics.mig(s.codes, s.factors) for s in (made(case, level, seed) for seed in range(SEEDS))]
        found = [row.value for row in rows if (row.metric, row.case, row.level) == ("mig", case, level)]
        assert found == pytest.approx(expected, abs=1e-12)


def test_every_metric_case_level_and_seed_is_there_once(rows):
    expected = {
        (m, c, level, s) for m in ("mig", "modularity") for c in CASES for level in CASES[c].levels for s in range(3)
    }
    assert len(rows) == len(expected) and {row[:4] for row in rows} == expected


def test_one_process_and_several_agree(rows):
    assert repr(measure(["mig"])) == repr([row for row in rows if row.metric == "mig"])


@pytest.mark.parametrize("metric", ["mig", "modularity"])
def test_all_cases_start_from_the_same_value(rows, metric):
    starts = [values(rows, metric, case)[CASES[case].base] for case in OF_GOOD_CODES]
    assert starts == pytest.approx([values(rows, metric, "noise")[NOISE]] * len(starts), abs=1e-12)


def test_known_truths(rows):
    perfect_mig = values(rows, "mig", "noise")[0]
    assert 0.98 < perfect_mig <= 1
    copies = values(rows, "mig", "copies")
    assert copies[2] == copies[3] == copies[4] == 0
    assert values(rows, "mig", "rotation")[45] < 0.1
    assert values(rows, "mig", "one outlier")[1000] == pytest.approx(0, abs=0.01)
    noise = values(rows, "mig", "rows of noise")
    assert noise[100] > noise[1000] > noise[10_000]  # plug-in bias
    constant = values(rows, "modularity", "constant codes")
    assert constant[5] == pytest.approx(constant[0] * 4 / 9)  # an average over codes
    assert values(rows, "modularity", "copies")[4] == pytest.approx(constant[0])


def test_the_level_of_bins_is_the_option(rows):
    sample = made("bins", 20)
    for level in CASES["bins"].levels:
        (found,) = [row.value for row in rows if row[:4] == ("mig", "bins", level, 0)]
        assert found == pytest.approx(metrics.mig(sample.codes, sample.factors, bins=level), abs=1e-12)


def test_no_rows_for_an_option_that_a_metric_lacks():
    assert sweep("sap.continuous", "bins", 1) == []
    assert len(sweep("sap.continuous", "copies", 1)) == 4


def test_explicitness_is_blind_to_rotation():
    points = sweep("explicitness", "rotation", 1)
    base = points[0].parts[""]
    assert base > 0.95 and all(point.parts[""] == pytest.approx(base, abs=0.005) for point in points)


def test_a_metric_gets_the_seed():
    sample = made("missing codes", 1, seed=2)
    (found,) = [p.parts[""] for p in sweep("explicitness", "missing codes", 3) if (p.level, p.seed) == (1, 2)]
    assert found == metrics.explicitness(sample.codes, sample.factors, seed=2)


def test_a_refusal_is_a_row_with_its_error(rows):
    lost = [row for row in rows if row.metric == "mig" and row.case == "missing codes" and row.level == 3]
    assert len(lost) == SEEDS
    assert all(math.isnan(row.value) and row.error.startswith("ValueError: codes") for row in lost)
    assert all(not row.error for row in rows if not math.isnan(row.value))


def test_a_refusal_is_not_a_breakage(rows):
    assert broken(rows) == []
    nan, errors = math.nan, ["TypeError: x", "TypeError: x", "ValueError: y", "infoc is undefined: z", "undefined"]
    assert broken([Row("mig", "copies", 1, 0, nan, error) for error in errors]) == ["mig: TypeError: x"]


def test_calls_are_metrics_of_codes():
    everything = calls()
    assert {"mig", "sap", "sap.continuous", "dci"} <= set(everything)
    assert not {"nmi", "ari", "cluster_accuracy", "udr"} & {call.split(".")[0] for call in everything}
    assert calls(["sap"])[:2] == ["sap", "sap.continuous"]
    with pytest.raises(ValueError, match="did you mean 'mig'"):
        calls(["migg"])
    with pytest.raises(ValueError, match="nmi cannot be stressed: it is a function of clusters and labels"):
        calls(["mig", "nmi"])


# the verdicts


def told(changes, case="rotation", base=0.5, metric="mig"):
    """The verdict on a hand-made table: {level: value a seed}."""
    (start, *_) = CASES[case].levels
    table = {start: [base] * 3, **changes}
    made_up = [Row(metric, case, level, s, v, "") for level, found in table.items() for s, v in enumerate(found)]
    return next(v for v in judge(made_up) if v.case == case)


@pytest.mark.parametrize(
    ("seeds", "word", "change"),
    [
        ([0.5, 0.5, 0.5], "invariant", 0),
        ([0.509, 0.509, 0.509], "invariant", 0.009),
        ([0.52, 0.52, 0.52], "robust", 0.02),
        ([0.59, 0.59, 0.59], "robust", 0.09),
        ([0.61, 0.61, 0.61], "rises", 0.11),
        ([0.2, 0.3, 0.4], "falls", -0.2),
        ([0.57, 0.57, 0.49], "invariant", 0.04333),  # seeds disagree: chance
        ([0.62, 0.62, 0.49], "robust", 0.07667),  # too large for chance
    ],
)
def test_words(seeds, word, change):
    verdict = told({45: seeds})
    assert (verdict.word, verdict.level, verdict.failed) == (word, 45, ())
    assert verdict.change == pytest.approx(change, abs=1e-4)


def test_the_largest_change_that_counts_decides():
    verdict = told({5: [0.54, 0.54, 0.44], 15: [0.53, 0.53, 0.53], 45: [0.505, 0.505, 0.505]})
    assert (verdict.word, verdict.level) == ("robust", 15)
    verdict = told({5: [0.8, 0.8, 0.8], 45: [0.1, 0.1, 0.1]})
    assert (verdict.word, verdict.level) == ("falls", 45)


def test_changes_are_paired_by_seed():
    made_up = [Row("mig", "copies", level, s, 0.1 * s + 0.02 * (level > 1), "") for level in (1, 2) for s in range(3)]
    verdict = next(v for v in judge(made_up) if v.case == "copies")
    assert verdict.word == "robust" and verdict.change == pytest.approx(0.02)


def test_levels_without_a_value():
    nan = math.nan
    assert told({15: [0.5] * 3, 45: [0.5, nan, 0.5]})[2:] == ("invariant", 0.0, 15, (45,))
    assert told({45: [nan] * 3}).word == "refuses"
    assert told({45: [0.5] * 3}, base=nan).word == "refuses"
    made_up = [Row("mig", "copies", 1, 0, 0.5, "")]
    assert {v.case: v.word for v in judge(made_up)}["bins"] == "not asked"


def test_changes_without_an_upper_bound_are_relative(monkeypatch):
    monkeypatch.setattr(metrics.mig, "bounds", (0.0, math.inf))
    assert span("mig", 40.0) == 40 and span("mig", 0.1) == 1
    assert told({45: [41.0] * 3}, base=40.0).word == "robust"
    monkeypatch.setattr(metrics.mig, "bounds", (-1.0, 1.0))
    assert told({45: [0.65] * 3}).change == pytest.approx(0.075)


# a metric that nobody registered


NEW = '''"""A metric nobody registered."""

from ._metric import metric


@metric(estimator="mean of the deviations", bounds=(0.0, float("inf")), best=None)
def brand_new(codes, sd, factors):
    return float(sd.mean()) + (codes.shape[1] == 8)
'''


def test_a_new_file_is_in_the_card_and_nothing_heavy_is_imported(tmp_path):
    package = tmp_path / "disentangle_bench"
    shutil.copytree(Path(disentangle_bench.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "metrics" / "brand_new.py").write_text(NEW)
    code = (
        "import sys; from disentangle_bench import stress\n"
        "print(*{'torch', 'pandas', 'matplotlib', 'sklearn', 'scipy', 'joblib'} & set(sys.modules), '|')\n"
        "assert 'brand_new' in stress.calls()\n"
        "rows = stress.measure(['brand_new'])\n"
        "print({v.case: (v.word, round(v.change, 3)) for v in stress.judge(rows) if v.word != 'invariant'})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    heavy, _, verdicts = done.stdout.partition("|")
    assert not heavy.strip()
    assert ast.literal_eval(verdicts.strip().replace("nan", "None")) == {
        "copies": ("rises", 1.0),
        "bins": ("not asked", None),
        "scale of all": ("rises", 9.9),  # a posterior's deviation goes with the scale of its code
        "scale of one": ("rises", 2.475),
    }
