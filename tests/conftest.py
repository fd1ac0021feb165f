"""What holds for all tests."""

import gc
from functools import partial

import pytest


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end: nobody need look through them again for what could go."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def narrow_critics(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what holds at any width: critics as published have a thousand units a layer."""
    from disentangle_bench.models.factorvae import critic

    for module in ("aae", "factorvae", "infovae"):
        monkeypatch.setattr(f"disentangle_bench.models.{module}.critic", partial(critic, width=40))
