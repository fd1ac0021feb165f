"""Fashion-MNIST: 70,000 pieces of clothing (Xiao, Rasul & Vollgraf 2017), moved by known transformations."""

from __future__ import annotations

from pathlib import Path

from . import _idx
from ._factored import FactoredData

FILES = _idx.files(
    "fashion_mnist",
    (
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    (  # as tensorflow_datasets and torchvision list them
        (26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        (29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        (4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        (5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ),
)
LICENCE = "MIT"
CITATION = (
    "Xiao, Rasul & Vollgraf 2017, Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms, "
    "arXiv:1708.07747"
)


def fashion_mnist(data_dir: str | Path | None = None, *, transform: str = "none", copies: int = 1) -> FactoredData:
    """The pieces, 28 x 28 pixels, each moved at random as in the paper of MCE-VAE.

    Canonical images are the originals, unmoved. Training sees copies of the 60,000 training originals, what is scored
    are those of the 10,000 test originals. Pieces reach the edges of their images, so that shifts, and turns of what
    is in a corner, cut some of them off.

    Parameters
    ----------
    data_dir : folder that holds, or shall hold, the four files in a folder fashion_mnist (they are named as MNIST's);
        otherwise as in `mnist`
    transform, copies : as in `mnist`, with the same ranges

    Returns
    -------
    FactoredData with the factor "garment" (T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle
    boot) and what `transform` moves; `source` "official", or "local" for unpacked files; `sha256` of the moved images

    Raises
    ------
    ConnectionError
        The files are neither there nor to be downloaded; the message says which to put where.
    ValueError
        An unknown option, or a damaged file. It is never replaced silently.

    References
    ----------
    Xiao, Rasul & Vollgraf 2017, "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms"
    (MIT).
    """
    return _idx.load("fashion_mnist", FILES, data_dir, label="garment", transform=transform, copies=copies)


def fetch(data_dir: str | Path | None = None) -> Path:
    """Folder of the four files, checked; the official ones are downloaded (31 MB) if there are none.

    Raises
    ------
    ConnectionError, ValueError
        They cannot be downloaded; one is there but damaged.
    """
    return _idx.fetch("fashion_mnist", FILES, data_dir)[0].parent
