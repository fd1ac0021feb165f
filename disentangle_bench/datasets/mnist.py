"""MNIST: 70,000 handwritten digits (LeCun, Bottou, Bengio & Haffner 1998), moved by known transformations."""

from __future__ import annotations

from pathlib import Path

from . import _idx
from ._factored import FactoredData

FILES = _idx.files(
    "mnist",
    (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",  # as torchvision
        "https://storage.googleapis.com/cvdf-datasets/mnist/",  # as tensorflow_datasets
    ),
    (  # as tensorflow_datasets and torchvision list them
        (9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        (28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        (1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        (4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    ),
)
LICENCE = "CC BY-SA 3.0, as usually stated"
CITATION = (
    "LeCun, Bottou, Bengio & Haffner 1998, Gradient-based learning applied to document recognition, Proceedings of the "
    "IEEE 86"
)


def mnist(data_dir: str | Path | None = None, *, transform: str = "none", copies: int = 1) -> FactoredData:
    """The digits, 28 x 28 pixels, each moved at random as in the paper of MCE-VAE.

    Canonical images are the originals, unmoved. Training sees copies of the 60,000 training originals, what is scored
    are those of the 10,000 test originals. Digits fill a box of 20 x 20 around their centre of mass, so that the wider
    shifts (up to 7 pixels) cut some of them off, as they do in the paper; `digits` has a wider margin.

    Parameters
    ----------
    data_dir : folder that holds, or shall hold, the four files in a folder mnist; by default the environment variable
        BENCH_DATA or the user's cache folder. Unpacked files of any other set in this format serve too (without .gz).
    transform : "none"; "so2", a rotation by U(-90, 90) degrees; "se2", also a shift by up to a quarter of the width
        each way; "sim2", also a scale of U(1/2, 1). Fixed for each image, the same whenever the set is loaded.
    copies : images of each original, every one moved anew

    Returns
    -------
    FactoredData with the factor "digit" (0 ... 9) and what `transform` moves; `source` "official", or "local" for
    unpacked files; `sha256` of the moved images

    Raises
    ------
    ConnectionError
        The files are neither there nor to be downloaded; the message says which to put where.
    ValueError
        An unknown option, or a damaged file. It is never replaced silently.

    References
    ----------
    LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document recognition".
    """
    return _idx.load("mnist", FILES, data_dir, label="digit", transform=transform, copies=copies)


def fetch(data_dir: str | Path | None = None) -> Path:
    """Folder of the four files, checked; the official ones are downloaded (12 MB) if there are none.

    Raises
    ------
    ConnectionError, ValueError
        They cannot be downloaded; one is there but damaged.
    """
    return _idx.fetch("mnist", FILES, data_dir)[0].parent
