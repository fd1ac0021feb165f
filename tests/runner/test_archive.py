"""What is exported comes back the same; an archive that is damaged, unsafe or from the future leaves nothing behind."""

import hashlib
import json
import zipfile

import numpy as np
import pytest

from disentangle_bench import schema
from disentangle_bench.report import load
from disentangle_bench.runner.archive import MANIFEST, pack, unpack
from disentangle_bench.runner.codes import read_codes
from disentangle_bench.runner.store import Store


def tables(folder):
    return [(folder / name).read_bytes() for name in ("results.csv", "runs.parquet", "scores.parquet", "study.json")]


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_is_exported_comes_back_the_same(results, tmp_path):
    archive, manifest = pack(results, tmp_path)
    assert archive == tmp_path / "toy.zip" and [path.name for path in tmp_path.iterdir()] == ["toy.zip"]
    assert unpack(archive, tmp_path / "new" / "copy") == manifest
    copy = tmp_path / "new" / "copy"
    assert tables(copy) == tables(results) and names(copy) == set(manifest["files"])
    assert load(copy).equals(load(results))
    assert {name.rpartition("/")[2] for name in names(copy) if name.startswith("runs/")} == {
        "run.json",
        "error.txt",
        "log.parquet",
        "pictures.npz",
    }
    assert list(Store(copy).records()) == list(Store(results).records())
    Store(copy).collect()
    assert tables(copy) == tables(results)


def test_codes_and_weights_come_on_request(results, tmp_path):
    archive, _ = pack(results, tmp_path, codes=True, models=True)
    unpack(archive, tmp_path / "copy")
    left_out = {name for name in names(results) if "checkpoint" in name or "/." in name or name.endswith("lock")}
    assert names(tmp_path / "copy") == names(results) - left_out and len(left_out) >= 2
    assert {name.rpartition("/")[2] for name in names(tmp_path / "copy")} >= {"codes-3.npz", "model-3.safetensors"}
    for record in Store(results).records():
        if record["status"] == "done":
            there, here = (read_codes(Store(folder).codes(record["run"])) for folder in (tmp_path / "copy", results))
            np.testing.assert_array_equal(there.codes, here.codes)
    only, _ = pack(results, tmp_path / "only", codes=True)
    assert not [name for name in zipfile.ZipFile(only).namelist() if name.endswith(".safetensors")]


def test_export_changes_nothing_and_packs_what_the_records_say(results, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*")}
    whole = (results / "results.csv").read_text()
    try:
        (results / "results.csv").write_text("stale")
        archive, _ = pack(results, tmp_path)
        assert zipfile.ZipFile(archive).read("results.csv").decode() == whole
        assert (results / "results.csv").read_text() == "stale"
    finally:
        (results / "results.csv").write_text(whole)
    after = {path: path.stat().st_mtime_ns for path in results.rglob("*")}
    assert {path for path in after if after[path] != before.get(path)} == {results / "results.csv"}


def test_the_same_results_give_the_same_archive(results, tmp_path):
    assert pack(results, tmp_path / "a")[0].read_bytes() == pack(results, tmp_path / "b")[0].read_bytes()


def test_every_file_has_its_hash_in_the_manifest(results, tmp_path):
    archive, manifest = pack(results, tmp_path)
    with zipfile.ZipFile(archive) as held:
        assert json.loads(held.read(MANIFEST)) == manifest and manifest["schema"] == schema.VERSION
        for name, told in manifest["files"].items():
            assert told == {"sha256": hashlib.sha256(held.read(name)).hexdigest(), "bytes": len(held.read(name))}


def test_tables_without_records_are_exported_as_they_are(results, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in "runs.parquet", "scores.parquet", "results.csv", "study.json":
        (bare / name).write_bytes((results / name).read_bytes())
    archive, _ = pack(bare, tmp_path)
    unpack(archive, tmp_path / "copy")
    assert tables(tmp_path / "copy") == tables(results)
    with pytest.raises(ValueError, match=r"--codes: no run of .* has any"):
        pack(bare, tmp_path, codes=True)


def test_a_folder_without_tables_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no tables here"):
        pack(tmp_path, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_with_something_in_it_is_left_alone(results, tmp_path):
    archive, _ = pack(results, tmp_path)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "mine").write_text("mine")
    with pytest.raises(ValueError, match="exists and is not an empty folder"):
        unpack(archive, tmp_path / "copy")
    assert names(tmp_path / "copy") == {"mine"}
    (tmp_path / "empty").mkdir()
    unpack(archive, tmp_path / "empty")
    assert tables(tmp_path / "empty") == tables(results)


def test_a_write_that_fails_leaves_no_archive(results, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("disentangle_bench.runner.archive._copy", full)
    with pytest.raises(OSError, match="No space left"):
        pack(results, tmp_path)
    assert not list(tmp_path.iterdir())


def test_export_import_and_collect_on_the_command_line(bench, results, tmp_path):
    code, out, _ = bench("export", results, "--to", "out", "--codes")
    assert code == 0 and "toy.zip" in out and hashlib.sha256((tmp_path / "out/toy.zip").read_bytes()).hexdigest() in out
    code, out, _ = bench("import", "out/toy.zip", "--out", "theirs")
    assert code == 0 and "every hash is right" in out and "next: bench report theirs" in out
    code, _, err = bench("import", "out/toy.zip", "--out", "theirs")
    assert code == 2 and "exists and is not an empty folder" in err and "Traceback" not in err
    before = tables(tmp_path / "theirs")
    for name in "results.csv", "runs.parquet", "scores.parquet":
        (tmp_path / "theirs" / name).unlink()
    code, out, _ = bench("collect", "theirs")
    assert code == 0 and out.startswith("3 runs, ") and tables(tmp_path / "theirs") == before
    (tmp_path / "nothing").mkdir()
    code, _, err = bench("collect", "nothing")
    assert code == 2 and "no readable run here" in err
    for command in "export", "import", "collect":
        code, out, _ = bench(command, "--help")
        assert code == 0 and f"bench {command} " in out
