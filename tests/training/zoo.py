"""Every model that trains, as it is and with the options that change what a step computes."""

from dataclasses import replace

from disentangle_bench import catalog
from disentangle_bench.models.annealedvae import AnnealedVAE
from disentangle_bench.models.betatcvae import BetaTCVAE
from disentangle_bench.models.catvae import CatVAE
from disentangle_bench.models.generalised_m2 import GeneralisedM2
from disentangle_bench.models.infogan import InfoGAN
from disentangle_bench.models.infogan_cr import InfoGANCR
from disentangle_bench.models.infovae import InfoVAE
from disentangle_bench.models.mcevae import MCEVAE
from disentangle_bench.models.tripod import Tripod

ZOO = {name: catalog.get("model", name)() for name in catalog.names("model")}
ZOO = {name: model for name, model in ZOO.items() if model.trains and not hasattr(model, "represent")}
ZOO |= {
    "aae.heads": replace(ZOO["aae"], heads=3),
    "annealedvae.annealing": AnnealedVAE(anneal=5),
    "betatcvae.weighted": BetaTCVAE(alpha=2.0, sampling="weighted"),
    "catvae.gumbel": CatVAE(decoding="gumbel", hot=4.0, cool=5, balance=2.0),
    "generalised_m2.after": GeneralisedM2(latents=6, after=2),
    "infogan": InfoGAN(network="dense"),  # convolutions and batch norms have a test of their own
    "infogan.learned": InfoGAN(deviation="learned", categories=0, network="dense"),
    "infogan_cr": InfoGANCR(network="dense"),
    "infogan_cr.restarts": InfoGANCR(switch=2, gap=1.0, narrow=5, categories=3, network="dense"),
    "infovae.stein": InfoVAE(divergence="stein"),
    "infovae.adversarial": InfoVAE(divergence="adversarial"),
    "tripod": Tripod(e=1.0),  # a short second difference magnifies rounding a hundredfold
    "mcevae.supervised": MCEVAE(supervised=True, warm=5),
    "mcevae.monte_carlo": MCEVAE(kl="monte_carlo", R=2),
    "mcevae.variational": MCEVAE(kl="variational", posterior="gaussian"),
}
