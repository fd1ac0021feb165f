"""Can disentanglement be learnt without supervision? The 12,600 runs of Locatello et al. 2019: seven data sets, six
methods, six strengths of each (table 4), 50 seeds.

Two of its data sets are made here in another way: noise and colours belong to the image, and the picture behind the
sprites is drawn in the manner of the study's (see `dsprites`).
"""

from disentangle_bench.models.annealedvae import AnnealedVAE
from disentangle_bench.models.betatcvae import BetaTCVAE
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.models.dipvae_i import DIPVAEI
from disentangle_bench.models.dipvae_ii import DIPVAEII
from disentangle_bench.models.factorvae import FactorVAE
from disentangle_bench.runner.plan import Study

study = Study(
    models=[
        *(BetaVAE(beta=v) for v in (1, 2, 4, 6, 8, 16)),
        *(AnnealedVAE(c_max=v, gamma=1000, anneal=100_000) for v in (5, 10, 25, 50, 75, 100)),
        *(FactorVAE(gamma=v) for v in (10, 20, 30, 40, 50, 100)),
        *(DIPVAEI(lambda_od=v, ratio=10) for v in (1, 2, 5, 10, 20, 50)),
        *(DIPVAEII(lambda_od=v, ratio=1) for v in (1, 2, 5, 10, 20, 50)),
        *(BetaTCVAE(beta=v) for v in (1, 2, 4, 6, 8, 10)),
    ],
    datasets=[
        "dsprites",
        "dsprites(background=colour)",
        "dsprites(background=noise)",
        "dsprites(background=scream)",
        "smallnorb",
        "cars3d",
        "shapes3d",
    ],
    seeds=range(50),
    steps=300_000,
    batch=64,
    rows=10_000,
    note="Locatello et al. 2019, table 4: 300,000 steps, batch 64",
)
