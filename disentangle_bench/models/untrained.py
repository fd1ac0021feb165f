"""Control: the VAE of Kingma & Welling 2014 as it starts, drawn and never trained: z = encoder_0(x)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .vae import VAE


@dataclass(frozen=True)
class Untrained(VAE):
    trains: ClassVar[bool] = False
