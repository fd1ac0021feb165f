"""How do the models compare on dSprites, at the settings of Locatello et al. 2019, over ten seeds?"""

from disentangle_bench.catalog import CONTROLS
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.models.mcevae import MCEVAE
from disentangle_bench.models.vae import VAE
from disentangle_bench.runner.plan import Study

study = Study(
    models=[VAE(), BetaVAE(), MCEVAE(), MCEVAE(supervised=True), *CONTROLS],
    datasets=["dsprites"],
    seeds=range(10),
    steps=300_000,
    batch=64,
    rows=10_000,
    note="Locatello et al. 2019, table 4: 300,000 steps, batch 64",
)
