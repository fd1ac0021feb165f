"""Do class-structured models find the classes, and does knowing transformations help? Handwritten digits as they are,
and turned and shifted; k-means on the codes of a VAE, a beta-VAE and on the pixels (all their principal components)
beside them. N-VAE is told the classes: its own accuracy is a classifier's."""

from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.models.catvae import CatVAE
from disentangle_bench.models.infocatvae import InfoCatVAE
from disentangle_bench.models.mcevae import MCEVAE
from disentangle_bench.models.nvae import NVAE
from disentangle_bench.models.pca import PCA
from disentangle_bench.models.vae import VAE
from disentangle_bench.runner.plan import Study

STEPS = 2000
BALANCED = {"lam": 3, "beta_z": 3, "balance": 50, "decoding": "gumbel", "hot": 3.333, "cool": 4 * STEPS // 5}
ONE = {"posterior": "gaussian", "r": 3, "s": 1, "warm": 3 * STEPS // 4}

study = Study(
    models=[
        MCEVAE(**ONE, supervised=True),
        MCEVAE(**ONE),
        InfoCatVAE(**BALANCED, info=10),
        CatVAE(**BALANCED),
        NVAE(lr=1e-3),
        VAE(lr=1e-3),
        BetaVAE(lr=1e-3),
        PCA(latents=784),
    ],
    datasets=["digits", "digits(copies=10, transform=se2)", "digits(copies=10, transform=so2)"],
    seeds=range(5),
    steps=STEPS,
    batch=64,
    rows=2970,
    metrics=["cluster_accuracy", "nmi", "ari"],
    blocks=["z_c", "z_c+z", "z"],
    note=f"{STEPS:,} steps of 64 images, Adam at 1e-3; scored on digits that training does not see",
)
