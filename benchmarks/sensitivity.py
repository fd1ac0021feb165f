"""How much does each method depend on the one number that it has to choose? The six values a method of Locatello et al.
2019, table 4, on dSprites: 36 configurations, ten seeds each (the study had 50)."""

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
        *(AnnealedVAE(c_max=v) for v in (5, 10, 25, 50, 75, 100)),
        *(FactorVAE(gamma=v) for v in (10, 20, 30, 40, 50, 100)),
        *(DIPVAEI(lambda_od=v) for v in (1, 2, 5, 10, 20, 50)),
        *(DIPVAEII(lambda_od=v) for v in (1, 2, 5, 10, 20, 50)),
        *(BetaTCVAE(beta=v) for v in (1, 2, 4, 6, 8, 10)),
    ],
    datasets=["dsprites"],
    seeds=range(10),
    steps=300_000,
    batch=64,
    rows=10_000,
    note="Locatello et al. 2019, table 4: 300,000 steps, batch 64",
)
