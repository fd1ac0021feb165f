"""Objects of somebody's own Python code, by "module:name" or "folder/module:name"."""

from __future__ import annotations

import importlib
import os
import re
import sys
from pathlib import Path
from typing import Any

from . import catalog

FORM = re.compile(r"(?:(.*)[/\\])?([A-Za-z_][\w.]*):([A-Za-z_]\w*)")  # folder, module, name


def is_one(text: str) -> bool:
    """Whether a text has the form of such a name."""
    return FORM.fullmatch(text) is not None


def absolute(text: str) -> str:
    """The same name with its folder in full, which is the current one where none is given: good from anywhere."""
    folder, module, name = _parts(text)
    return f"{folder / module}:{name}"


def find(text: str) -> Any:
    """The object itself. Its module's folder can be imported from while it loads, and comes last after that.

    Raises
    ------
    ValueError
        No such module, one that fails, another of its name that is imported already, or nothing of this name in it.
    """
    folder, module, name = _parts(text)
    sys.path.insert(0, str(folder))
    try:
        held = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):  # a module that it needs
            raise ValueError(f"{text}: {module} needs {error.name}, which is not installed") from error
        raise ValueError(f"{text}: no module {module!r} in {folder} or among what is installed") from None
    except Exception as error:  # whatever a stranger's file does wrong
        raise ValueError(f"{text}: importing {module} failed: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(folder))
        if str(folder) not in sys.path:
            sys.path.append(str(folder))  # for what it imports later
    file = getattr(held, "__file__", None) or "a package without a file"
    here = folder.joinpath(*module.split("."))
    if any(path.is_file() and not _same(path, file) for path in (here.with_suffix(".py"), here / "__init__.py")):
        raise ValueError(f"{text}: another module {module!r} is imported already, {file}; rename yours")
    known = [label for label in vars(held) if not label.startswith("_")]
    if not hasattr(held, name):
        catalog.choose(f"name in {file}:", name, known)
    return getattr(held, name)


def _parts(text: str) -> tuple[Path, str, str]:
    match = FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"got {text!r}, expected module:name or folder/module:name")
    return Path(match[1] if match[1] is not None else os.curdir).resolve(), match[2].removesuffix(".py"), match[3]


def _same(path: Path, file: str) -> bool:
    return Path(file).exists() and path.samefile(file)
