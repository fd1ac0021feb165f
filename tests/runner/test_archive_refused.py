"""An archive that is damaged, unsafe or from the future is refused, and leaves nothing behind."""

import hashlib
import io
import json
import pickle
import zipfile

import numpy as np
import pandas as pd
import pytest

from disentangle_bench import schema
from disentangle_bench.runner.archive import MANIFEST, pack, unpack


def forged(results, tmp_path, change, hashes=True):
    """An archive in which `change` has had its way with {name: bytes} and the manifest."""
    archive, manifest = pack(results, tmp_path, codes=True, models=True)
    with zipfile.ZipFile(archive) as held:
        files = {name: held.read(name) for name in held.namelist() if name != MANIFEST}
    change(files, manifest)
    if hashes:
        manifest["files"] = {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in files.items()
        }
    with zipfile.ZipFile(archive, "w") as held:
        for name, data in files.items():
            held.writestr(name, data)
        held.writestr(MANIFEST, json.dumps(manifest))
    return archive


def refused(archive, tmp_path, message):
    with pytest.raises(ValueError, match=message) as told:
        unpack(archive, tmp_path / "deep" / "copy")
    assert [path.name for path in tmp_path.iterdir()] == ["toy.zip"]
    return str(told.value)


def first(files, end):
    return next(name for name in sorted(files) if name.endswith(end))


def damage(files, manifest):
    files["results.csv"] = files["results.csv"].replace(b"toy", b"boy")


def test_another_byte_is_told_by_its_hash(results, tmp_path):
    refused(forged(results, tmp_path, damage, hashes=False), tmp_path, "results.csv is not what was packed")


def test_a_longer_file_is_refused_before_it_is_unpacked(results, tmp_path):
    def bomb(files, manifest):
        files["results.csv"] += b"0" * 1_000_000

    refused(forged(results, tmp_path, bomb, hashes=False), tmp_path, r"results.csv has 1,\d+,\d+ bytes, expected")


def test_missing_and_unlisted_files_are_refused(results, tmp_path):
    archive = forged(results, tmp_path, lambda files, manifest: files.pop("study.json"), hashes=False)
    refused(archive, tmp_path, "study.json is missing or there twice")
    archive = forged(results, tmp_path, lambda files, manifest: manifest["files"].pop("study.json"), hashes=False)
    refused(archive, tmp_path, "study.json is not in its manifest.json")


@pytest.mark.parametrize(
    "name",
    [
        "../evil.csv",
        "/etc/evil",
        "runs/../../evil.npz",
        "runs/../run.json",
        "C:\\evil",
        "runs\\abc\\run.json",
        "evil.pkl",
        "runs/abc/evil.pt",
        "runs/abc/codes.npz.pkl",
        "results.csv/",
    ],
)
def test_names_that_do_not_belong_are_refused(results, tmp_path, name):
    archive = forged(results, tmp_path, lambda files, manifest: files.update({name: b"evil"}))
    refused(archive, tmp_path, "does not belong in a results folder")
    assert not (tmp_path.parent / "evil.csv").exists()


def arrays_with_a_pickle(files, manifest):
    buffer = io.BytesIO()
    np.savez(buffer, mean=np.array([{"code": "evil"}], dtype=object))
    files[first(files, "codes.npz")] = buffer.getvalue()


def bare_pickle(files, manifest):
    files[first(files, "codes.npz")] = pickle.dumps(np.zeros(3))


def pickled_weights(files, manifest):
    files[first(files, "model.safetensors")] = pickle.dumps({"w": 1})


def lone_array(files, manifest):
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    files[first(files, "codes.npz")] = buffer.getvalue()


def foreign_table(files, manifest):
    buffer = io.BytesIO()
    pd.DataFrame({"run": ["a"]}).to_parquet(buffer)
    files["scores.parquet"] = buffer.getvalue()


def runs_elsewhere(files, manifest):
    buffer = io.BytesIO()
    frame = pd.read_parquet(io.BytesIO(files["runs.parquet"]))
    frame.assign(run="../" + frame["run"]).to_parquet(buffer)
    files["runs.parquet"] = buffer.getvalue()


def half_table(files, manifest):
    files["scores.parquet"] = files["scores.parquet"][:100]


def newer_study(files, manifest):
    files["study.json"] = json.dumps({"schema": schema.VERSION + 1}).encode()


def half_record(files, manifest):
    files[first(files, "run.json")] = b'{"run": '


def anothers_record(files, manifest):
    one, two = (name for name in sorted(files) if name.endswith("run.json") and "ffff" not in name)
    files[one] = files[two]


def unknown_run(files, manifest):
    files["runs/abc123/run.json"] = files[first(files, "run.json")]


def lost_run(files, manifest):
    files.pop(first(files, "run.json"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (arrays_with_a_pickle, "codes.npz: Object arrays cannot be loaded"),
        (bare_pickle, "codes.npz: .*pickle"),
        (lone_array, "codes.npz: "),
        (pickled_weights, "model.safetensors: "),
        (foreign_table, "scores.parquet: table 'scores': missing columns"),
        (runs_elsewhere, r"runs.parquet: '\.\./.*' is no name of a run"),
        (half_table, "scores.parquet: "),
        (newer_study, f"study.json: schema {schema.VERSION + 1}, expected 1 to {schema.VERSION}"),
        (half_record, "run.json is not readable as the record of this run"),
        (anothers_record, "run.json is not readable as the record of this run"),
        (unknown_run, "runs that only the tables or only the folders have: abc123"),
        (lost_run, "runs that only the tables or only the folders have"),
    ],
)
def test_files_that_are_not_what_their_name_says_are_refused(results, tmp_path, change, message):
    told = refused(forged(results, tmp_path, change), tmp_path, message)
    assert "\n" not in told


@pytest.mark.parametrize("key", ["schema", "format"])
def test_archives_of_a_newer_release_are_refused(results, tmp_path, key):
    archive = forged(results, tmp_path, lambda files, manifest: manifest.update({key: 99}))
    refused(archive, tmp_path, f"{key} 99, expected 1 to .*; import it with the release that wrote it")


def test_what_is_no_archive_is_refused(results, tmp_path):
    archive, _ = pack(results, tmp_path)
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    refused(archive, tmp_path, "expected a whole .zip of `bench export`")
    archive.write_bytes(whole[:200] + bytes(50) + whole[250:])
    refused(archive, tmp_path, "toy.zip: ")
    with zipfile.ZipFile(archive, "w") as held:
        held.writestr("results.csv", "run")
    refused(archive, tmp_path, "no manifest.json: not made by `bench export`")
    archive.unlink()
    with pytest.raises(ValueError, match=r"toy.zip: no such file"):
        unpack(archive, tmp_path / "copy")
