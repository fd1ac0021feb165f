"""A results folder as one file to share: a .zip with the hash of everything in it, checked before any of it is used."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np

from .. import schema
from .store import Store, write_atomic

FORMAT = 1  # of the manifest
MANIFEST = "manifest.json"
TABLES = {"runs.parquet": schema.RUNS, "scores.parquet": schema.SCORES, "milestones.parquet": schema.MILESTONES}
TOP = (*TABLES, "results.csv", "study.json")
ALWAYS = ("run.json", "error.txt", "log.parquet", "pictures.npz")  # of a run: what reports read
CODES = (rf"codes(-\d+)?(@({'|'.join(schema.SPLITS[1:])}))?\.npz",)
MODELS = (r"(model(-\d+)?|best)\.safetensors",)
RUN = r"runs/[0-9a-f]+"
NAMES = re.compile("|".join([*map(re.escape, TOP), f"{RUN}/({'|'.join([*map(re.escape, ALWAYS), *CODES, *MODELS])})"]))
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
)  # what zipfile says of a bad file
BLOCK = 1 << 20  # bytes read at once
EPOCH = (1980, 1, 1, 0, 0, 0)  # the time of every file, so that the same results give the same archive


def pack(folder: Path, to: Path, codes: bool = False, models: bool = False) -> tuple[Path, dict[str, Any]]:
    """Write `to`/NAME.zip, named after the folder; the archive and its manifest.

    In it are the tables, study.json, and of every run in the tables its record, traceback, learning curve and pictures;
    on request codes, and weights as safetensors. The tables are those of the records, if there are any. Nothing in the
    folder changes.

    Raises
    ------
    ValueError
        No tables here, or nothing of what was requested.
    """
    with tempfile.TemporaryDirectory() as fresh:
        if any(Store(folder).records()):
            Store(folder).write_tables(Path(fresh))
            return _pack(folder, Path(fresh), to, codes, models)
        return _pack(folder, folder, to, codes, models)


def _pack(folder: Path, tables: Path, to: Path, codes: bool, models: bool) -> tuple[Path, dict[str, Any]]:
    wanted = re.compile("|".join([*map(re.escape, ALWAYS), *(CODES if codes else ()), *(MODELS if models else ())]))
    files = {name: (folder if name == "study.json" else tables) / name for name in TOP}
    files = {name: path for name, path in files.items() if path.is_file()}
    for run in _runs(tables):
        found = sorted((folder / "runs" / run).glob("*"))
        files |= {f"runs/{run}/{path.name}": path for path in found if wanted.fullmatch(path.name)}
    for asked, kind, what in (codes, CODES, "codes"), (models, MODELS, "models"):
        if asked and not any(re.fullmatch(f"{RUN}/({'|'.join(kind)})", name) for name in files):
            raise ValueError(f"--{what}: no run of {folder} has any")
    listed: dict[str, dict[str, Any]] = {}
    manifest = {"format": FORMAT, "schema": schema.VERSION, "name": folder.resolve().name, "files": listed}
    to.mkdir(parents=True, exist_ok=True)

    def write(partial: Path) -> None:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, path in files.items():
                with path.open("rb") as source, archive.open(_entry(name), "w", force_zip64=True) as target:
                    listed[name] = _copy(source, target)
            archive.writestr(_entry(MANIFEST), json.dumps(manifest, indent=1))

    archive = to / f"{manifest['name']}.zip"
    try:
        write_atomic(archive, write)
    finally:
        archive.with_name(f".{os.getpid()}.{archive.name}").unlink(missing_ok=True)
    return archive, manifest


def unpack(archive: Path, folder: Path) -> dict[str, Any]:
    """Make a results folder of an archive, if all of it is what its manifest says; the manifest.

    Everything is checked beside the folder first, so that a refused archive leaves nothing behind. The hashes tell
    damage; they do not tell who made the archive.

    Raises
    ------
    ValueError
        The folder exists and is not empty; no such archive, or of a newer schema; a file that is missing, unknown, of
        a name that does not belong in a results folder, of another hash, or that is not what its name says (arrays and
        weights without pickles, tables of the schema, readable records).
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"--out {str(folder)!r} exists and is not an empty folder")
    if not archive.is_file():
        raise ValueError(f"{archive}: no such file")
    near = next(parent for parent in folder.absolute().parents if parent.is_dir())  # on one file system with it
    staged = near / f".{os.getpid()}.{folder.name}.import"
    try:
        with zipfile.ZipFile(archive) as held:
            manifest = _manifest(held)
            for name, told in manifest["files"].items():
                _extract(held, name, told, staged / name)
        for name in manifest["files"]:
            _check(staged, name)
        _check_runs(staged)
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            folder.rmdir()
        os.replace(staged, folder)
    except DAMAGED as error:
        raise ValueError(f"{archive}: expected a whole .zip of `bench export`: {error}") from None
    except ValueError as error:
        raise ValueError(f"{archive}: {error}") from None
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return manifest


def _manifest(held: zipfile.ZipFile) -> dict[str, Any]:
    """What the archive says that it holds, if it does hold just that."""
    names = held.namelist()
    if MANIFEST not in names:
        raise ValueError(f"no {MANIFEST}: not made by `bench export`")
    try:
        manifest = json.loads(held.read(MANIFEST))
        versions = [
            (key, int(manifest[key]), newest) for key, newest in (("format", FORMAT), ("schema", schema.VERSION))
        ]
        listed = {str(name): (str(told["sha256"]), int(told["bytes"])) for name, told in manifest["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{MANIFEST} is not readable: {type(error).__name__}: {error}") from None
    for key, version, newest in versions:
        _known(version, newest, key)
    for name in [*names, *listed]:
        if name != MANIFEST and not NAMES.fullmatch(name):
            raise ValueError(f"the name {name!r} does not belong in a results folder")
    if problem := sorted({name for name in [*names, *listed] if names.count(name) != 1} - {MANIFEST}):
        raise ValueError(f"{problem[0]} is missing or there twice")
    if problem := sorted(set(names) - set(listed) - {MANIFEST}):
        raise ValueError(f"{problem[0]} is not in its {MANIFEST}")
    return manifest


def _known(version: Any, newest: int, what: str) -> None:
    if version not in range(1, newest + 1):
        raise ValueError(f"{what} {version}, expected 1 to {newest}; import it with the release that wrote it")


def _extract(held: zipfile.ZipFile, name: str, told: dict[str, Any], path: Path) -> None:
    """Write one file, no more bytes of it than the manifest says, if its hash is right."""
    if held.getinfo(name).file_size != told["bytes"]:
        raise ValueError(f"{name} has {held.getinfo(name).file_size:,} bytes, expected {told['bytes']:,}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with held.open(name) as source, path.open("wb") as target:
        if _copy(source, target) != {"sha256": told["sha256"], "bytes": told["bytes"]}:
            raise ValueError(f"{name} is not what was packed: its sha256 is another")


def _check(folder: Path, name: str) -> None:
    """Refuse a file that is not what its name says."""
    import pandas as pd
    from safetensors import SafetensorError, safe_open

    path, last = folder / name, name.rpartition("/")[2]
    try:
        if last in TABLES or last == "log.parquet":
            columns = TABLES.get(last, schema.LOG)
            schema.conform(schema.migrate(pd.read_parquet(path), path.stem), columns, path.stem)
        elif path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                for key in arrays.files:
                    arrays[key]
        elif path.suffix == ".safetensors":
            with safe_open(path, "numpy"):
                pass
        elif name == "study.json":
            _known(Store(folder).study().get("schema", schema.VERSION), schema.VERSION, "schema")
    except (ValueError, OSError, AttributeError, TypeError, SafetensorError, *DAMAGED) as error:
        raise ValueError(f"{name}: {error}") from None


def _check_runs(folder: Path) -> None:
    """Refuse records that are not readable, and others than those of the tables; tables may come without records."""
    runs, folders = set(_runs(folder)), {path.name for path in (folder / "runs").glob("*")}
    records = {path.parent.name for path in (folder / "runs").glob("*/run.json")}
    if problem := sorted(run for run in runs if not re.fullmatch(RUN, f"runs/{run}")):
        raise ValueError(f"runs.parquet: {problem[0]!r} is no name of a run")
    if problem := (records and records ^ runs) or folders - runs:
        raise ValueError(f"runs that only the tables or only the folders have: {', '.join(sorted(problem))}")
    for run in sorted(records):
        if (Store(folder).record(run) or {}).get("run") != run:
            raise ValueError(f"runs/{run}/run.json is not readable as the record of this run")


def _runs(folder: Path) -> list[str]:
    """The runs of the tables."""
    import pandas as pd

    if not (folder / "runs.parquet").is_file():
        raise ValueError(f"{folder}: no tables here; `bench run --out {folder}` makes some")
    return sorted(pd.read_parquet(folder / "runs.parquet", columns=["run"])["run"])


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _copy(source: IO[bytes], target: IO[bytes]) -> dict[str, Any]:
    """What a manifest says of the bytes that were copied."""
    digest, size = hashlib.sha256(), 0
    while block := source.read(BLOCK):
        target.write(block)
        digest.update(block)
        size += len(block)
    return {"sha256": digest.hexdigest(), "bytes": size}
