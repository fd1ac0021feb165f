"""Codes of an encoder from anywhere: a Python function, a TorchScript file or an ONNX file."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import catalog, elsewhere
from .codes import write_codes
from .rescore import score_file
from .splits import evaluation_rows
from .task import Message, Watch

LAYOUTS = {"nchw": (0, 3, 1, 2), "nhwc": (0, 1, 2, 3)}
SUFFIXES = {".pt": "torchscript", ".pth": "torchscript", ".ts": "torchscript", ".onnx": "onnx"}
BATCH = 64  # images that an encoder is given at once, where it takes any number

Encoder = Callable[[np.ndarray], Any]


def score_encoder(
    name: str,
    data: Any,
    n: int,
    layout: str,
    save: Path | None,
    metrics: list[str],
    options: Mapping[str, Mapping[str, Any]],
    blocks: list[str],
    watch: Watch = lambda message: None,
) -> list[dict[str, Any]]:
    """Rows of numbers of an encoder's codes, as `score_file` has them of the file of codes that `save` would keep.

    The codes are those of n rows (or all that the set has, if fewer): the rows that any run on this set is scored on.

    Raises
    ------
    ValueError
        As `load` and `encode`; a file that cannot be written; or a set with another distribution for training.
    """
    if data.weight is not None:
        raise ValueError(f"--encoder: {data.shift or 'weights'} would say what training draws; this is trained already")
    if save is not None and (save.suffix != ".npz" or not save.parent.is_dir()):
        raise ValueError(f"--save: got {str(save)!r}, expected a .npz file in a folder that exists")
    rows = evaluation_rows(data, min(n, len(data.scored)))
    arrays = encode(name, data, rows, layout, watch)
    blocks_of_code = {"z": arrays["codes" if "codes" in arrays else "mean"].shape[1]}
    with tempfile.TemporaryDirectory() as folder:
        path = save or Path(folder) / "codes.npz"
        write_codes(path, arrays, data, rows, blocks_of_code, {})
        return score_file(path, None, metrics, options, blocks)


def encode(
    name: str, data: Any, rows: np.ndarray, layout: str = "nchw", watch: Watch = lambda message: None
) -> dict[str, np.ndarray]:
    """Codes of these rows by an encoder that is shown images as float32 in [0, 1], (m, c, h, w) unless `layout` is
    "nhwc".

    Returns
    -------
    dict with `codes` (n, d); or with `mean` and `sd`, both (n, d), where the encoder gives two arrays

    Raises
    ------
    ValueError
        The encoder cannot be loaded, fails, or gives anything but (m, d), or two of them, of finite numbers.
    """
    axes = LAYOUTS[catalog.choose("--layout", layout, list(LAYOUTS))]
    h, w, c = data.shape
    encoder, batch = load(name, (c, h, w) if layout == "nchw" else (h, w, c))
    found: list[tuple[np.ndarray, ...]] = []
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        images = np.ascontiguousarray(data.take(part).transpose(axes), dtype=np.float32) / 255
        try:
            left = encoder(images)
        except Exception as error:  # whatever a stranger's code does wrong
            told = str(error).strip().rpartition("\n")[2]  # TorchScript puts its own traceback before it
            raise ValueError(
                f"{name}: failed on images {images.shape} float32: {type(error).__name__}: {told}"
            ) from error
        found.append(_checked(name, left, len(part), found))
        done = start + len(part)
        watch(Message(name, f"codes of {done:,} of {len(rows):,} images", done / len(rows)))
    whole = [np.concatenate(arrays) for arrays in zip(*found)]
    return dict(zip(["codes"] if len(whole) == 1 else ["mean", "sd"], whole))


def load(name: str, shape: tuple[int, ...]) -> tuple[Encoder, int]:
    """An encoder of images of this shape by its name, and how many it is to be given at once.

    Raises
    ------
    ValueError
        No such file or function, a damaged file, or one that expects images of another shape.
    """
    if elsewhere.is_one(name):
        function = elsewhere.find(name)
        if not callable(function):
            raise ValueError(f"{name}: expected a function of images, got {type(function).__name__}")
        torch = sys.modules.get("torch")
        return (_module(function) if torch and isinstance(function, torch.nn.Module) else function), BATCH
    path = Path(name).expanduser()
    kind = SUFFIXES.get(path.suffix)
    if kind is None:
        raise ValueError(
            f"--encoder: got {name!r}, expected module:function, a TorchScript file (.pt) or an ONNX file (.onnx)"
        )
    if not path.is_file():
        raise ValueError(f"--encoder {name}: no such file")
    return (_torchscript(path), BATCH) if kind == "torchscript" else _onnx(path, shape)


def _module(net: Any) -> Encoder:
    """A torch module as a function of arrays: in evaluation mode, without gradients."""
    import torch

    net.eval()

    def encoder(images: np.ndarray) -> Any:
        with torch.no_grad():
            return net(torch.from_numpy(images))

    return encoder


def _torchscript(path: Path) -> Encoder:
    import warnings

    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the format lasts, newer torch would have another
            return _module(torch.jit.load(str(path), map_location="cpu"))
    except (RuntimeError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise ValueError(
            f"--encoder {path}: expected a TorchScript file, as torch.jit.trace(net, images).save(path) makes one "
            f"(torch.save does not); {first}"
        ) from error


def _onnx(path: Path, shape: tuple[int, ...]) -> tuple[Encoder, int]:
    try:
        import onnxruntime
    except ImportError:
        raise ValueError(
            f"--encoder {path}: an ONNX file needs onnxruntime; pip install 'disentangle-bench[onnx]'"
        ) from None
    try:
        session: Any = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes, which share no better base
        raise ValueError(f"--encoder {path}: expected an undamaged ONNX file; {error}") from error
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
        told = ", ".join(f"{one.name} {one.type} {one.shape}" for one in inputs)
        raise ValueError(f"--encoder {path}: expected one input, float32 images of four dimensions, got {told}")
    first, *expected = inputs[0].shape
    if any(isinstance(side, int) and side != got for side, got in zip(expected, shape)):
        raise ValueError(
            f"--encoder {path}: it expects images {tuple(expected)}, the data set has {shape}; --layout nchw or nhwc?"
        )
    batch = first if isinstance(first, int) else BATCH

    def encoder(images: np.ndarray) -> Any:
        n = len(images)
        if isinstance(first, int) and n < first:  # it takes this many, no fewer
            images = np.concatenate([images, np.repeat(images[-1:], first - n, axis=0)])
        arrays = session.run(None, {inputs[0].name: images})
        return [array[:n] if len(array) == len(images) else array for array in arrays]

    return encoder, batch


def _checked(name: str, left: Any, n: int, before: list[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    """What an encoder gave for n images: (n, d), or two of them, as wide and as many as for the images before."""
    parts = tuple(left) if isinstance(left, (tuple, list)) else (left,)
    arrays = tuple(np.asarray(part.detach().cpu() if hasattr(part, "detach") else part) for part in parts)
    told = [
        type(part).__name__ if array.dtype == object else f"{array.shape} {array.dtype}"
        for part, array in zip(parts, arrays)
    ]
    got = ", ".join(told) or "nothing"
    right = all(
        array.ndim == 2 and len(array) == n and array.shape[1] and array.dtype.kind in "iuf" for array in arrays
    )
    if not right or len({array.shape for array in arrays}) != 1 or len(arrays) > 2:
        raise ValueError(
            f"{name}: got {got} for {n} images, expected ({n}, d) floats: a mean each, or (mean, standard deviation)"
        )
    if before and [array.shape[1] for array in before[0]] != [array.shape[1] for array in arrays]:
        raise ValueError(f"{name}: got {got} for {n} images, but {before[0][0].shape[1]} columns before")
    for array in arrays:
        for row, column in np.argwhere(~np.isfinite(array))[:1]:
            raise ValueError(
                f"{name}: code {column} of image {row} of a batch is {array[row, column]}, expected finite"
            )
    if len(arrays) == 2 and (arrays[1] < 0).any():
        raise ValueError(f"{name}: a standard deviation is {arrays[1].min():g}; if these are logarithms, take exp")
    return arrays
