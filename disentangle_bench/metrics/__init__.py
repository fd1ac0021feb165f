"""Metrics: functions of arrays. A file without a leading underscore is a metric; its function has the file's name.

Nothing is registered: a new metric is one new file. Importing needs numpy alone; scikit-learn and scipy are imported by
the calls that use them.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors; what exists is decided below
    from .ari import ari as ari
    from .betavae_score import betavae_score as betavae_score
    from .cluster_accuracy import cluster_accuracy as cluster_accuracy
    from .dci import dci as dci
    from .explicitness import explicitness as explicitness
    from .factorvae_score import factorvae_score as factorvae_score
    from .mig import mig as mig
    from .modularity import modularity as modularity
    from .nmi import nmi as nmi
    from .sap import sap as sap

    __all__: list[str]
else:
    __all__ = sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
    # Eagerly, and over the submodule of the same name: `metrics.mig` is the function, whatever was imported before.
    globals().update({name: getattr(import_module(f"{__name__}.{name}"), name) for name in __all__})
