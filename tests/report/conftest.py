"""Results folders to report of, and their pages."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from folders import MCEVAE_TERMS, Folder, numbers, whole
from matplotlib.figure import Figure
from PIL import Image

from disentangle_bench.report import canvas, page_parts, report


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole folder, written once; read it only."""
    return whole(tmp_path_factory.mktemp("results") / "demo").write()


def sketch(figure: Figure, stem: Path, kinds: Sequence[str] = ("png", "svg")) -> list[Path]:
    """Files of the right kinds with nothing to see: drawing takes most of a report's time."""
    paths = [stem.with_name(f"{stem.name}.{kind}") for kind in kinds]
    for path, kind in zip(paths, kinds):
        if kind == "png":
            Image.new("L", (2, 1)).save(path)
        else:
            path.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="2" height="1"/>')
    return paths


@pytest.fixture(autouse=True)
def sketched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report in these tests has no figures to see, save for those that ask for `drawn` or `printed`."""
    monkeypatch.setattr(page_parts, "save", sketch)


@pytest.fixture
def drawn(sketched: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_parts, "save", canvas.save)


@pytest.fixture(scope="session")
def reported(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a copy of the whole folder, with three families of metrics and sketches for figures; read it only."""
    folder = tmp_path_factory.mktemp("reported") / "demo"
    shutil.copytree(original, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page_parts, "save", sketch)
        return report(folder, ["mig", "dci", "reconstruction"])


@pytest.fixture(scope="session")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with all that it has of three runs, with its figures; read it only."""
    folder = Folder(tmp_path_factory.mktemp("printed") / "demo")
    for model, terms, units in [
        ("betavae", ["reconstruction", "kl"], ["z1", "z2"]),
        ("mcevae", MCEVAE_TERMS, ["z_c1", "z1", "tau1"]),
    ]:
        run = folder.run(model, "digits", 0, scores=numbers(0.3, 0))
        folder.files(run, terms, units, 3, canonical=model == "mcevae")
    folder.run("oracle", "digits", 0, scores=numbers(0.6, 0))
    return report(folder.write(), ["mig"])


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty folder to fill."""
    return Folder(tmp_path / "results")
