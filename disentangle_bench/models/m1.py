"""M1, Kingma, Rezende, Mohamed & Welling 2014, section 2.1:   L = E_q[-log p(x|z)] + KL(q(z|x) || N(0, I))

On all images; then a classifier of z, fitted to the images whose class is told ("Semi-supervised learning with deep
generative models"): a linear support vector machine, and multinomial logistic regression, both on posterior means, each
unit standardised on what is told. The paper's support vector machine is transductive; this one sees nothing of the
other images.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from ._findings import Findings
from ._labels import label_error
from .vae import VAE


@dataclass(frozen=True)
class M1(VAE):
    latents: int = 50  # width of z
    lr: float = 3e-4  # of Adam

    needs: ClassVar[str] = "some labels"

    def findings(self, net: Any, data: Any, rows: Any, codes: Any, rng: Any) -> Findings:
        """The error of each classifier."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import LinearSVC

        told = data.some(10_000, rng)
        z = torch.cat([self.q(net, data.at(part)).mean for part in told.split(256)]).double().cpu().numpy()
        y, found = data.labels(told).cpu().numpy(), Findings()
        for name, rule, classifier in [
            ("svm", "a linear SVM (one against the rest, C = 1)", LinearSVC(random_state=0)),
            ("regression", "multinomial logistic regression (C = 1)", LogisticRegression(max_iter=1000)),
        ]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of iterations that end before the optimum
                fitted = make_pipeline(StandardScaler(), classifier).fit(z, y)
            predicted: Any = fitted.predict(codes.mean)
            how = f"{rule} on the mean of z, of {len(told):,} images"
            found.facts[f"label_error.{name}"] = label_error(predicted, data, rows, rng.seed, how)
        return found
