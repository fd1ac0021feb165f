"""What do labels, pairs and groups buy over none? One data set, equal numbers of steps, ten seeds: images alone; the
factors of 100, 1,000 or all images; pairs that differ in one factor, or in several; groups that share their shape."""

from disentangle_bench.models.adagvae import AdaGVAE
from disentangle_bench.models.adamlvae import AdaMLVAE
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.models.gvae import GVAE
from disentangle_bench.models.mlvae import MLVAE
from disentangle_bench.models.s2betavae import S2BetaVAE
from disentangle_bench.runner.plan import Study

LABELS = ["dsprites(labels=100)", "dsprites(labels=1000)", "dsprites"]

study = Study(
    models=[
        BetaVAE(beta=1),
        BetaVAE(beta=4),
        *((S2BetaVAE(beta=4), told) for told in LABELS),
        AdaGVAE(),
        AdaGVAE(k=0),
        AdaMLVAE(),
        GVAE(),
        MLVAE(),
        "oracle",
        "noise",
    ],
    datasets=["dsprites"],
    seeds=range(10),
    steps=30_000,
    batch=64,
    rows=10_000,
    note="30,000 steps of 64 images, of pairs 64 pairs; Adam at 1e-4",
)
