"""What every metric promises: which changes of a perfect code move its score, its range, determinism.

The promises stand in promises/: by dotted name of a number, for every change, one of "best" (of the metric), "same" (as
for perfect codes), "less" or "more" (by at least 0.05), "refused", "undefined" (nan), or a range.
"""

import inspect
import pickle
import runpy
import warnings
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pytest

from disentangle_bench import metrics
from disentangle_bench.metrics._metric import numbers

PROMISES = {
    name: row
    for path in sorted((Path(__file__).parent / "promises").glob("*.py"))
    for name, row in runpy.run_path(str(path))["PROMISES"].items()
}

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
WEAK = CHANGES["rotated"] + 2 * NOISE  # a code on which every random choice shows

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

FUNCTIONS = {name: getattr(metrics, name) for name in metrics.__all__}
FEW = {"train": 1000, "test": 500}
QUICK = {"betavae_score": FEW, "factorvae_score": FEW}
CALLS = {
    f"{name}.{variant}".rstrip("."): partial(function, **options, **QUICK.get(name, {}))
    for name, function in FUNCTIONS.items()
    for variant, options in function.variants.items()
}


def function_of(call):
    return FUNCTIONS[call.split(".")[0]]


def needed(call):
    return [p.name for p in inspect.signature(function_of(call)).parameters.values() if p.default is p.empty]


ON_LABELS = [call for call in CALLS if "labels" in needed(call)]
ON_CODES = [call for call in CALLS if call not in ON_LABELS]


def inputs(call, codes):
    """What a call needs, by name, all copies; a second run's codes are the same ones in another order and scale."""
    if call in ON_LABELS:
        return [LABELS.copy(), codes.copy()]
    known = {
        "codes": codes.copy(),
        "sd": np.full(codes.shape, 0.1),
        "factors": FACTORS.copy(),
        "representations": [codes.copy(), codes[:, ::-1] * -3.0],
    }
    return [known[name] for name in needed(call)]


def changes(call):
    return CLUSTERINGS if call in ON_LABELS else CHANGES


@lru_cache
def scores(call, change):
    """{dotted name: value} of one call."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*undefined.*", UserWarning)
        undefined = {"undefined": "nan"} if "undefined" in inspect.signature(CALLS[call]).parameters else {}
        parts = numbers(CALLS[call](*inputs(call, changes(call)[change]), **undefined))
    return {f"{call}.{part}".rstrip("."): value for part, value in parts.items()}


def call_of(dotted):
    """The longest call that the name begins with."""
    return max((call for call in CALLS if f"{dotted}.".startswith(f"{call}.")), key=len)


def test_every_metric_is_in_the_table():
    """Every number of every call, and every change of each."""
    assert set(PROMISES) == {dotted for call in CALLS for dotted in scores(call, "identity")}
    assert all(set(row) == set(changes(call_of(dotted))) for dotted, row in PROMISES.items())


@pytest.mark.parametrize(("dotted", "change"), [(dotted, change) for dotted, row in PROMISES.items() for change in row])
def test_property(dotted, change):
    promise, call = PROMISES[dotted][change], call_of(dotted)
    if promise == "refused":
        with pytest.raises(ValueError, match=r"codes|representations"):
            CALLS[call](*inputs(call, changes(call)[change]))
        return
    value, identity = scores(call, change)[dotted], scores(call, "identity")[dotted]
    if promise == "best":
        assert value == pytest.approx(function_of(call).best, abs=1e-9)
    elif promise == "same":
        assert value == pytest.approx(identity, abs=1e-9)
    elif promise == "less":
        assert value < identity - 0.05
    elif promise == "more":
        assert value > identity + 0.05
    elif promise == "undefined":
        assert np.isnan(value)
    else:
        low, high = promise
        assert low - 1e-9 <= value <= high + 1e-9


@pytest.mark.parametrize("call", CALLS)
def test_range(call):
    low, high = function_of(call).bounds
    best = function_of(call).best
    assert best is None or low <= best <= high
    for change in changes(call):
        if "refused" in (PROMISES[dotted][change] for dotted in PROMISES if call_of(dotted) == call):
            continue
        for value in scores(call, change).values():
            assert type(value) is float
            assert low <= value <= high or np.isnan(value)


@pytest.mark.parametrize("name", metrics.__all__)
def test_description(name):
    function = FUNCTIONS[name]
    assert function.__name__ == name
    assert function.version >= 1
    assert 5 < len(function.estimator) < 100
    parameters = list(inspect.signature(function).parameters.values())
    positional = [p.name for p in parameters if p.default is p.empty]
    known = (["codes", "factors"], ["codes", "sd", "factors"], ["codes"], ["labels", "clusters"], ["representations"])
    assert positional in known
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters[len(positional) :])
    for section in ("Parameters", "Returns", "Raises", "Notes", "References", "Examples"):
        assert f"\n    {section}\n    {'-' * len(section)}\n" in function.__doc__


# determinism


def arrays(call):
    return inputs(call, CLUSTERINGS["split"] if call in ON_LABELS else WEAK)


@pytest.mark.parametrize("call", CALLS)
def test_same_arrays_same_bits_and_nothing_touched(call):
    given, kept = arrays(call), arrays(call)
    for array in (one for argument in given for one in (argument if isinstance(argument, list) else [argument])):
        array.flags.writeable = False
    state = pickle.dumps(np.random.get_state())
    assert numbers(CALLS[call](*given)) == numbers(CALLS[call](*given))
    assert pickle.dumps(np.random.get_state()) == state
    for before, after in zip(kept, given):
        assert np.array_equal(before, after)


@pytest.mark.parametrize("call", [call for call in CALLS if "seed" in inspect.signature(CALLS[call]).parameters])
def test_the_seed_matters_where_there_is_one(call):
    unused = function_of(call).unused.get(call.partition(".")[2], ())
    different = {tuple(numbers(CALLS[call](*arrays(call), seed=seed)).values()) for seed in range(3)}
    assert (len(different) == 1) == ("seed" in unused)


@pytest.mark.parametrize("call", CALLS)
def test_lists_and_other_number_types(call):
    given = arrays(call)
    expected = pytest.approx(numbers(CALLS[call](*given)), abs=1e-9)

    def lists(array):
        return [lists(one) for one in array] if isinstance(array, list) else array.tolist()

    def other(array):
        if isinstance(array, list):
            return [other(one) for one in array]
        return array.astype(np.uint8) if array.dtype.kind == "i" else np.asfortranarray(array)

    assert numbers(CALLS[call](*map(lists, given))) == expected
    assert numbers(CALLS[call](*map(other, given))) == expected


@pytest.mark.parametrize("call", [c for c in CALLS if "test_codes" in inspect.signature(CALLS[c]).parameters])
def test_the_own_split_is_two_thirds_by_a_permutation(call):
    if "split" in function_of(call).unused.get(call.partition(".")[2], ()):
        return
    order = np.random.default_rng(5).permutation(240)
    train, test = order[:160], order[160:]
    given = {"test_codes": WEAK[test], "test_factors": FACTORS[test]}
    own = numbers(CALLS[call](WEAK, FACTORS, seed=5))
    assert own == numbers(CALLS[call](WEAK[train], FACTORS[train], seed=5, **given))


def test_dci_in_two_processes_is_dci():
    assert numbers(metrics.dci(WEAK, FACTORS, rows=60, jobs=2)) == numbers(metrics.dci(WEAK, FACTORS, rows=60))


def test_dci_of_fewer_rows_is_dci_of_a_random_part():
    given = {"test_codes": WEAK, "test_factors": FACTORS}
    part = np.random.default_rng(0).permutation(240)[:100]
    assert numbers(metrics.dci(WEAK, FACTORS, rows=100, **given)) == numbers(
        metrics.dci(WEAK[part], FACTORS[part], **given)
    )
    assert numbers(metrics.dci(WEAK, FACTORS, rows=1000, **given)) == numbers(metrics.dci(WEAK, FACTORS, **given))
