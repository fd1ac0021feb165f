"""`bench data`: what a data set is, where its files are, what it looks like, and whether it is what it should be."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from . import catalog, flags
from .console import say, warn

ACTIONS = ["fetch", "info", "preview", "verify"]
Name = Annotated[str, typer.Argument(help="A data set, options in brackets, or where your own lies (docs/data.md).")]
Out = Annotated[Path | None, typer.Option(help="Where `preview` writes its picture: .png, .svg, .pdf.")]


def data(
    action: Annotated[str, typer.Argument(help=" | ".join(ACTIONS) + ".")],
    name: Name,
    out: Out = None,
    data_dir: flags.DataDir = None,
) -> None:
    """Download a data set's files, describe it, draw samples and each factor's traversal, or check every hash.

    `info` needs none of the files of a published set. `verify` ends with exit code 1 unless every hash is right.
    """
    from . import datasets

    catalog.choose("action", action, ACTIONS)
    if out and action != "preview":
        raise ValueError(f"--out is for `bench data preview`, not for `{action}`")
    plain, options = datasets.parse(name)
    if action == "fetch":
        fetch(name, data_dir)
    elif action == "info":
        info(name, data_dir)
    elif action == "verify":
        verify(name, data_dir)
    else:
        from . import data_pictures

        stem = "-".join([Path(plain).stem, *map(str, options.values())])
        path = out or Path(re.sub(r"[^\w.]+", "-", stem) + ".png")
        data_pictures.save(datasets.load(name, data_dir), datasets.called(name)[0], path)
        say(f"{path}")


def where(file: Any, data_dir: str | None) -> Path:
    """The path that a file has, or would have."""
    from .datasets import _download

    return _download.folder(data_dir) / file.name


def size(bytes_: int | None) -> str:
    return f"{bytes_ / 1e6:,.1f} MB" if bytes_ else "size unknown"


def asked(url: str) -> int | None:
    """The size that a server tells of a file, bytes; None if it tells none."""
    import requests

    from .datasets import _download

    if os.environ.get("BENCH_OFFLINE", "0") not in ("", "0") or _download.unreachable(url):
        return None
    try:
        answer = requests.head(
            url, headers={"Accept-Encoding": "identity"}, allow_redirects=True, timeout=_download.CONNECT
        )
    except requests.RequestException:
        return None
    return int(answer.headers.get("Content-Length", 0)) if answer.ok else None


def digest(text: str) -> str:
    """A hash with its kind."""
    return f"sha256 {text}" if len(text) == 64 else text.replace(":", " ")


def fetch(name: str, data_dir: str | None) -> None:
    """Say how large what is not here is, download it, and print where it lies."""
    from . import datasets

    for file in datasets.files(name):
        path = where(file, data_dir)
        unpacked = path.with_suffix("") if path.suffix == ".gz" else path  # as MNIST's may be
        if not path.exists() and not unpacked.exists():
            say(f"to download: {file.urls[0]} ({size(file.size or asked(file.urls[0]))}) -> {path}")
    found = datasets.fetch(name, data_dir)
    for path in found if isinstance(found, list | tuple) else [found]:
        say(f"{path}")


def info(name: str, data_dir: str | None) -> None:
    """A data set's images, factors, origin and files. Downloads nothing; most published sets need no file for it."""
    from . import datasets

    module, files = datasets.module_of(name), datasets.files(name)
    try:
        with offline():
            held = datasets.outline(name) if hasattr(module, "outline") else datasets.load(name, data_dir)
        describe(held)
    except ConnectionError as error:  # MNIST and its like: their images are moved ones, which nobody can know before
        say(f"{name}: images and factors are known with the files alone. {error}")
    for key in "LICENCE", "CITATION":
        if hasattr(module, key):
            say(f"{key.lower()}: {getattr(module, key)}")
    for file in files:
        here = "here" if where(file, data_dir).exists() else f"not here: bench data fetch '{name}'"
        known = digest(file.digest) if file.digest else "no hash published"
        say(f"file {where(file, data_dir)}, {size(file.size)}, {known}, {here}")
    if files and (drawn_ := recorded(name)):
        say(f"drawn where the file is not: {digest(drawn_)}")
    if module:
        say(f"\n{module.__doc__.strip()}")


def describe(held: Any) -> None:
    """A data set's size, origin and factors, and what training sees of it."""
    say(f"{held.name}: {len(held):,} images {held.shape}, source {held.source}, {digest(held.sha256)}")
    if held.fit:
        say(f"training sees the first {held.fit:,}, the others are scored")
    if held.weight is not None:
        say(f"shift {held.shift}: training draws from {int((held.weight[: held.fit] > 0).sum()):,} of them")
    if held.labels is not None:
        say(f"labels: models may be told the factors of {len(held.known(0)):,} images, which ones depends on the seed")
    width = max(map(len, held.names))
    for factor, count, kind, level in zip(held.names, held.sizes, held.kinds, held.levels):
        is_class = " (the class)" if factor == held.label else ""
        say(f"  {factor:{width}}  {count:4} values, {kind:11}  {level[0]:.4g} ... {level[-1]:.4g}{is_class}")


def verify(name: str, data_dir: str | None) -> None:
    """Compare every local file, or what is drawn where there is none, with the known hash; tell each verdict."""
    found = verdicts(name, data_dir)
    for verdict, text in found:
        (say if verdict == "ok" else warn)(f"{verdict:8}{text}")
    if any(verdict != "ok" for verdict, _ in found):
        raise typer.Exit(1)


def verdicts(name: str, data_dir: str | None) -> list[tuple[str, str]]:
    """For each file, or for what is drawn: "ok", "WRONG", "absent" or "unknown" (no hash is published), and more."""
    from . import datasets
    from .datasets import _download

    found = []
    for file in datasets.files(name):
        path = where(file, data_dir)
        try:
            if not path.exists():
                found.append(("absent", f"{path}: bench data fetch '{name}'"))
            else:
                _download.check(path, file)
                found.append(("ok", f"{path}: {digest(file.digest)}") if file.digest else ("unknown", f"{path}"))
        except ValueError as error:
            found.append(("WRONG", str(error)))
    if all(verdict == "absent" for verdict, _ in found) and (not found or hasattr(datasets.module_of(name), "PINNED")):
        return [drawn(name, data_dir)]
    return found


def drawn(name: str, data_dir: str | None) -> tuple[str, str]:
    """The verdict on images that this machine draws."""
    from . import datasets

    with offline():
        held = datasets.load(name, data_dir)
    known, what = recorded(name), f"{name}, {held.source}: {digest(held.sha256)}"
    if known is None:
        return "unknown", f"{what}; no hash is recorded to compare it with"
    return ("ok", what) if held.sha256 == known else ("WRONG", f"{what}, expected {known}")


def recorded(name: str) -> str | None:
    """The hash of what is drawn under a name, as it was when the set was written down; None without."""
    from . import datasets

    plain, options = datasets.parse(name)
    bare = {key: value for key, value in options.items() if key not in datasets.COMMON}
    return getattr(datasets.module_of(name), "PINNED", {}).get(datasets.spell(plain, bare))


@contextmanager
def offline() -> Iterator[None]:
    """Inside, nothing is downloaded."""
    before = os.environ.get("BENCH_OFFLINE")
    os.environ["BENCH_OFFLINE"] = "1"
    try:
        yield
    finally:
        del os.environ["BENCH_OFFLINE"]
        if before is not None:
            os.environ["BENCH_OFFLINE"] = before


def add(app: typer.Typer) -> None:
    """Give the command line this command."""
    app.command(
        epilog="`bench data info shapes3d`\n\n`bench data fetch 'mpi3d(variant=real)' --data-dir data`\n\n"
        "`bench data preview shapes3d_rendered --out room.png`\n\n`bench data verify dsprites`"
    )(data)
