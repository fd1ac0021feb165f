"""What every file of a kind must keep: checks for the suite's files (in its tests) and for yours (`bench check`)."""

from __future__ import annotations

import ast
import copy
import dataclasses
import importlib.util
import inspect
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from . import catalog
from .metrics._metric import numbers

Check = Callable[[Any], None]


def check(file: str | Path) -> Iterator[tuple[str, str | None]]:
    """Each check of a model, metric or data set file by name, with what is wrong (None if nothing is).

    Raises
    ------
    ValueError
        No such file, or it holds none of the three.
    """
    module = load(file)
    thing = catalog.find(module, Path(file).stem)
    for test in checks(thing, module):
        try:
            test(thing)
        except Exception as error:  # whatever a stranger's file does wrong
            yield test.__name__.replace("_", " "), f"{type(error).__name__}: {error}"
        else:
            yield test.__name__.replace("_", " "), None


def load(file: str | Path) -> ModuleType:
    """A Python file as a module; one of the package's own files under its own name."""
    path = Path(file).resolve()
    if not path.is_file():
        raise ValueError(f"{file}: no such file")
    root = Path(__file__).resolve().parent
    if root in path.parents:
        return importlib.import_module(".".join(("disentangle_bench", *path.relative_to(root).with_suffix("").parts)))
    if path.suffix != ".py":
        raise ValueError(f"{file}: expected a Python file")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


def checks(thing: Any, module: ModuleType) -> list[Check]:
    """The checks that fit what a file holds."""
    names = set(inspect.signature(thing).parameters) if callable(thing) else set()
    if isinstance(thing, type):
        if hasattr(thing, "represent"):
            return [is_a_frozen_dataclass, represents_the_same_for_the_same_seed]

        def docstring_has_a_year_and_an_equation(_: Any) -> None:
            text = ast.get_docstring(ast.parse(inspect.getsource(module))) or ""
            assert re.search(r"\b(19|20)\d\d\b", text), "no year of publication in the file's docstring"
            assert "=" in text, "no equation in the file's docstring"

        more = (
            []
            if not getattr(thing, "trains", True)
            else [docstring_has_a_year_and_an_equation, terms_are_finite_scalars, loss_falls]
        )
        return [
            is_a_frozen_dataclass,
            every_network_has_one_player,
            codes_fit_their_blocks,
            same_seed_same_bits,
            stacked_equals_alone,
            resumed_equals_uninterrupted,
            *more,
        ]
    if names & {"codes", "labels", "representations"}:
        return [
            says_what_it_is,
            perfect_codes_get_the_best_value,
            deterministic_and_leaves_inputs_alone,
            refuses_other_lengths,
        ]
    if "data_dir" in names:
        return [loads_consistent_data]
    raise ValueError(f"{module.__name__}: {thing!r} is neither a model, nor a metric, nor a data set")


def is_a_frozen_dataclass(model: Any) -> None:
    assert dataclasses.is_dataclass(model) and model.__dataclass_params__.frozen, "expected @dataclass(frozen=True)"  # type: ignore[attr-defined]


def represents_the_same_for_the_same_seed(model: Any) -> None:
    from .datasets import load as dataset

    data, rows = dataset("toy"), np.arange(40)
    first, again = (model().represent(data, rows, rows[:8], 3)["codes"] for _ in range(2))
    assert first.shape[0] == 40 and first.ndim == 2, f"codes: got {first.shape}, expected (40, d)"
    np.testing.assert_array_equal(first, again)


def every_network_has_one_player(model: Any) -> None:
    owned = [name for parts in model.players.values() for name in parts]
    nets = sorted(_stack(model, [0]).members[0].net)
    assert sorted(owned) == nets, f"networks {nets}, players own {sorted(owned)}"


def terms_are_finite_scalars(model: Any) -> None:
    member = _trained(model, [0], 1)[0]
    for _, term, value in member.log:
        assert np.isfinite(value), f"term {term!r} is {value} at the first step"


def loss_falls(model: Any) -> None:
    log = _trained(model, [0], 60, lr=1e-3)[0].log
    player = next(iter(model.players)) + "." if len(model.players) > 1 else ""
    total = [sum(value for step, term, value in log if step == t and term.startswith(player)) for t in (10, 60)]
    assert total[1] < total[0], f"the mean of steps 1 to 10 is {total[0]:.2f} nats, that of 51 to 60 {total[1]:.2f}"


def codes_fit_their_blocks(model: Any) -> None:
    import torch

    member = _stack(model, [0]).members[0]
    member.net.eval()
    x = _resident().at(torch.arange(5))
    with torch.no_grad():
        q = member.model.q(member.net, x)
        codes = member.model.codes(q)
        width = sum(member.model.blocks(member.net).values())
        for name, got, expected in [
            ("codes mean", codes.mean.shape, (5, width)),
            ("codes sd", codes.sd.shape, (5, width)),
            ("decode", member.model.decode(member.net, member.model.mode(q)).shape, tuple(x.shape)),
        ]:
            assert tuple(got) == expected, f"{name}: got {tuple(got)}, expected {expected}"


def same_seed_same_bits(model: Any) -> None:
    first, again = (_trained(model, [5], 3)[0] for _ in range(2))
    _assert_equal(first, again)


def stacked_equals_alone(model: Any) -> None:
    _assert_equal(_trained(model, [1, 2], 3)[1], _trained(model, [2], 3)[0])


def resumed_equals_uninterrupted(model: Any) -> None:
    from .training import checkpoint, engine

    straight, stopped, resumed = (_stack(model, [4]) for _ in range(3))
    straight.advance(2)
    straight.advance(4)
    stopped.advance(2)
    with tempfile.TemporaryDirectory() as folder:
        job = engine.Job(model(), 4, Path(folder))
        checkpoint.save(stopped.members[0], job, {})
        checkpoint.load(resumed.members[0], job)
    resumed.advance(4)
    _assert_equal(straight.members[0], resumed.members[0])
    assert straight.members[0].log == resumed.members[0].log, "the learning curves differ"


def _resident() -> Any:
    import torch

    from .datasets import load as dataset
    from .training.resident import Resident

    return Resident(dataset("toy"), torch.device("cpu"))


def _stack(model: Any, seeds: list[int], **params: Any) -> Any:
    from .training.stack import Stack

    return Stack([(model(**params), seed) for seed in seeds], _resident(), batch=16)


def _trained(model: Any, seeds: list[int], steps: int, **params: Any) -> Any:
    stack = _stack(model, seeds, **params)
    for upto in [*range(10, steps, 10), steps]:
        stack.advance(upto)
    return stack.members


def _assert_equal(first: Any, second: Any) -> None:
    for (name, a), b in zip(first.net.state_dict().items(), second.net.state_dict().values()):
        assert bool((a == b).all()), f"weights {name!r} differ"


def _perfect(metric: Any) -> list[Any]:
    """Perfect inputs of a metric, by the names of its parameters without a default."""
    f = np.indices((3, 4, 5)).reshape(3, -1).T.repeat(6, 0)
    known: dict[str, Any] = {"codes": f * 1.0, "sd": np.full(f.shape, 0.01), "factors": f}
    known |= {"labels": f[:, 0], "clusters": f[:, 0], "representations": [f * 1.0, f[:, [2, 0, 1]] * -2.0]}
    return [known[p.name] for p in inspect.signature(metric).parameters.values() if p.default is p.empty]


def says_what_it_is(metric: Any) -> None:
    for attribute in ("version", "bounds", "best", "estimator"):
        assert hasattr(metric, attribute), f"no attribute {attribute!r}: decorate it with @metric(...)"
    assert ">>>" in (metric.__doc__ or ""), "no example in its docstring"


def perfect_codes_get_the_best_value(metric: Any) -> None:
    low, high = metric.bounds
    best = []
    for options in metric.variants.values():
        values = list(numbers(metric(*_perfect(metric), **options)).values())
        assert all(low <= value <= high for value in values), f"got {values}, outside its bounds {metric.bounds}"
        best.append(0 if metric.best is None else abs(values[0] - metric.best))
    assert min(best) < 0.02, f"{min(best):.3f} away from the best value, {metric.best}, for perfect codes"


def deterministic_and_leaves_inputs_alone(metric: Any) -> None:
    inputs = _perfect(metric)
    kept = copy.deepcopy(inputs)
    first, again = numbers(metric(*inputs)), numbers(metric(*inputs))
    assert first == again, f"got {first}, then {again}"
    for before, after in zip(kept, inputs):
        np.testing.assert_array_equal(before, after, "the inputs were changed")


def refuses_other_lengths(metric: Any) -> None:
    first, *others = _perfect(metric)
    try:
        metric(first[:-1], *others)
    except ValueError:
        return
    assert not others, "inputs of different lengths were accepted"


def loads_consistent_data(dataset: Any) -> None:
    data = dataset(None)
    images = data.take(np.arange(min(4, len(data))))
    assert images.dtype == np.uint8 and images.shape[1:] == data.shape, f"take: got {images.dtype} {images.shape}"
    assert len(data.sha256) == 64, f"sha256: got {data.sha256!r}"
    assert data.sha256 == dataset(None).sha256, "loaded twice, the hashes differ"
