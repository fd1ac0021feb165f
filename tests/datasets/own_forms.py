"""Own data in every form: one small set, and what writes it as a file, a folder or a function."""

import csv
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

N = 40
rng = np.random.default_rng(0)
IMAGES = rng.integers(0, 256, (N, 8, 6, 3), dtype=np.uint8)
FACTORS = np.stack([np.arange(N) % 3, np.arange(N) % 2, rng.uniform(-1, 1, N)], axis=1)
NAMES = ["shape", "lit", "size"]


def write_npz(path="faces.npz", **change):
    held = {"images": IMAGES, "factors": FACTORS, "names": np.array(NAMES), **change}
    np.savez(path, **{key: value for key, value in held.items() if value is not None})
    return path


def write_hdf5(path="faces.h5", chunks=(7, 8, 6, 3), **change):
    held = {"images": IMAGES, "factors": FACTORS, "names": NAMES, **change}
    with h5py.File(path, "w") as file:
        for key, value in held.items():
            file.create_dataset(key, data=value, chunks=chunks if key == "images" else None)
    return path


def write_folder(path="faces", header=("file", *NAMES), lines=None, images=IMAGES):
    Path(path).mkdir()
    for i, image in enumerate(images):
        Image.fromarray(image).save(Path(path) / f"{i:02}.png")
    lines = [[f"{i:02}.png", *map(repr, map(float, row))] for i, row in enumerate(FACTORS)] if lines is None else lines
    with (Path(path) / "factors.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *lines])
    return path


def write_function(body, name="faces", module=None):
    module = module or f"own_{abs(hash((body, name, Path.cwd()))):x}"
    Path(f"{module}.py").write_text(f"import numpy as np\n{body}\n")
    return f"{module}:{name}"
