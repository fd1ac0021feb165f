"""Reported beside measured: only what is alike stands together, and every difference is told."""

from __future__ import annotations

import numpy as np
import pytest

from disentangle_bench import catalog
from disentangle_bench.report import load
from disentangle_bench.report.glossary import GLOSSARY
from disentangle_bench.report.published import published, reported, reported_variance


def test_every_published_number_is_of_something_that_exists() -> None:
    numbers = [number for paper in published()["scores"] for number in paper["scores"]]
    for number in numbers:
        assert number["model"] in catalog.names("model") and number["metric"] in GLOSSARY
        assert number["dataset"] in catalog.names("dataset") and np.isfinite(number["value"])
    assert len(numbers) == len({str(number) for number in numbers}) > 40
    assert all(paper["source"] and paper["setting"] for paper in published()["scores"])
    for share in published()["variance"]["shares"]:
        assert 0 <= share["model"] <= share["model_and_strength"] <= 1 and share["metric"] in GLOSSARY


def test_strengths_must_be_those_published(folder) -> None:
    for gamma in (10.0, 35.0):
        folder.run("factorvae", "dsprites", 0, scores={"mig": 0.3}, gamma=gamma, lr=1e-4)
    table = reported(load(folder.write()))
    own = table[table["setting"].str.startswith("trained and scored")]
    assert own["label"].tolist() == ["factorvae (gamma=10)"]
    assert own[["measured", "reported", "spread", "n"]].iloc[0].tolist() == [0.3, 0.4, 0.01, 1]
    best = table[~table.index.isin(own.index)]  # without a strength: beside both
    assert best["label"].tolist() == ["factorvae (gamma=10)", "factorvae (gamma=35)"]
    assert (table["same"] == "no").all() and "steps and batch not stated" in own["differs"].iloc[0]


def test_differences_of_training_are_told(folder) -> None:
    scores = {"reconstruction": 40.0}
    folder.run("betavae", "dsprites", 0, source="rendered", scores=scores, steps=1000, beta=4.0, lr=1e-4)
    (row,) = reported(load(folder.write())).itertuples()
    assert row.reported == 35.61 and row.same == "no" and np.isnan(row.spread)
    assert row.differs.startswith("lr 0.0001 against 0.0005; steps 1,000 against 345,600; rendered images against")


def test_equal_settings_are_the_same(folder, monkeypatch: pytest.MonkeyPatch) -> None:
    number = {"model": "vae", "params": {}, "dataset": "dsprites", "metric": "mig", "value": 0.1}
    papers = [
        {"source": "A", "setting": "all told", "scores": [{**number, "trained": {"steps": 10_000, "batch": 64}}]},
        {"source": "B", "setting": "nothing told", "scores": [number]},
    ]
    monkeypatch.setattr("disentangle_bench.report.published.published", lambda: {"scores": papers})
    folder.run("vae", "dsprites", 0, scores={"mig": 0.2})
    told = reported(load(folder.write())).set_index("origin")
    assert told[["same", "differs"]].to_numpy().tolist() == [["yes", ""], ["unknown", "steps and batch not stated"]]


def test_another_precision_is_another_setting(folder) -> None:
    folder.run("betavae", "dsprites", 0, scores={"reconstruction": 40.0}, precision="bf16", beta=4.0, lr=5e-4)
    assert "trained in bf16" in reported(load(folder.write()))["differs"].iloc[0]


def test_nothing_published_gives_an_empty_table(folder) -> None:
    folder.run("mcevae", "digits", 0, scores={"mig": 0.2})
    folder.run("oracle", "dsprites", 0, scores={"mig": 1.0})
    frame = load(folder.write())
    assert reported(frame).empty and reported_variance(frame).empty


def test_shares_of_variance_stand_beside_those_of_the_study(folder) -> None:
    for model in ("vae", "betavae"):
        for seed in range(2):
            folder.run(model, "dsprites", seed, scores={"mig": 0.2 * (model == "vae") + 0.1 * seed}, steps=300_000)
    table = reported_variance(load(folder.write())).set_index("level")
    assert table["reported"].to_dict() == {"model": 0.26, "model and strength": 0.72}
    assert table.loc["model", "measured"] == pytest.approx(0.8)
    assert set(table["differs"]) == {"2 models against 6, 2 strengths against 36, 2 seeds against 50"}
