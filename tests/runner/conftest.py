"""What tests of commands share."""

import sys

import pytest

from disentangle_bench import cli
from disentangle_bench.runner import run as runner
from disentangle_bench.runner.plan import Study
from disentangle_bench.runner.store import Store


@pytest.fixture
def bench(monkeypatch, capsys, tmp_path):
    """Run a command in an empty folder; returns exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["bench", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out, err = capsys.readouterr()
        return stop.value.code or 0, out, err

    return call


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """A folder of three runs with milestones, one of them failed."""
    folder = tmp_path_factory.mktemp("made") / "toy"
    question = Study(["vae", "noise"], ["toy"], [0], steps=6, batch=8, rows=60)
    plan = runner.plan(question.runs(), Store(folder), study="test", metrics=["mig"])
    (first, _) = runner.execute(plan, Store(folder), on="here", evaluate_at=[3])
    store = Store(folder)
    store.save({**first, "run": "f" * 12, "status": "failed", "error": "no", "scores": [], "milestones": [], "seed": 9})
    (store.path("f" * 12) / "error.txt").write_text("Traceback: no")
    store.collect()
    (store.path(first["run"]) / "checkpoint.safetensors").write_bytes(b"half")  # as a killed process leaves them
    (store.path(first["run"]) / ".7.codes.npz").write_bytes(b"half")
    return folder
