"""Every model that trains, as it is and with the options that change what a step computes."""

from dataclasses import replace

from disentangle_bench import catalog
from disentangle_bench.models.annealedvae import AnnealedVAE
from disentangle_bench.models.betatcvae import BetaTCVAE
from disentangle_bench.models.catvae import CatVAE
from disentangle_bench.models.infovae import InfoVAE
from disentangle_bench.models.mcevae import MCEVAE

ZOO = {name: catalog.get("model", name)() for name in catalog.names("model")}
ZOO = {name: model for name, model in ZOO.items() if model.trains and not hasattr(model, "represent")}
ZOO |= {
    "aae.heads": replace(ZOO["aae"], heads=3),
    "annealedvae.annealing": AnnealedVAE(anneal=30),
    "betatcvae.weighted": BetaTCVAE(alpha=2.0, sampling="weighted"),
    "catvae.gumbel": CatVAE(decoding="gumbel", hot=4.0, cool=20, balance=2.0),
    "infovae.stein": InfoVAE(divergence="stein"),
    "infovae.adversarial": InfoVAE(divergence="adversarial"),
    "mcevae.supervised": MCEVAE(supervised=True, warm=20),
    "mcevae.monte_carlo": MCEVAE(kl="monte_carlo", R=2),
    "mcevae.variational": MCEVAE(kl="variational", posterior="gaussian"),
}
