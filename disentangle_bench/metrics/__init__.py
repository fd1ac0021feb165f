"""Metrics: functions of arrays. A file without a leading underscore is a metric; its function has the file's name.

Nothing is registered: a new metric is one new file. Importing needs numpy alone; scikit-learn and scipy are imported by
the calls that use them.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors; what exists is decided below
    from .active_units import active_units as active_units
    from .ari import ari as ari
    from .betavae_score import betavae_score as betavae_score
    from .cluster_accuracy import cluster_accuracy as cluster_accuracy
    from .cluster_purity import cluster_purity as cluster_purity
    from .dci import dci as dci
    from .dci_es import dci_es as dci_es
    from .dci_forest import dci_forest as dci_forest
    from .dci_lasso import dci_lasso as dci_lasso
    from .dci_logistic import dci_logistic as dci_logistic
    from .dcimig import dcimig as dcimig
    from .explicitness import explicitness as explicitness
    from .factorised_support import factorised_support as factorised_support
    from .factorvae_score import factorvae_score as factorvae_score
    from .infomec import infomec as infomec
    from .irs import irs as irs
    from .jemmig import jemmig as jemmig
    from .mcc import mcc as mcc
    from .mi_score import mi_score as mi_score
    from .mig import mig as mig
    from .mig_posterior import mig_posterior as mig_posterior
    from .mig_sup import mig_sup as mig_sup
    from .modularity import modularity as modularity
    from .nmi import nmi as nmi
    from .r2 import r2 as r2
    from .rmig import rmig as rmig
    from .sap import sap as sap
    from .total_correlation import total_correlation as total_correlation
    from .udr import udr as udr
    from .v_measure import v_measure as v_measure
    from .wasserstein_correlation import wasserstein_correlation as wasserstein_correlation

    __all__: list[str]
else:
    __all__ = sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
    # Eagerly, and over the submodule of the same name: `metrics.mig` is the function, whatever was imported before.
    globals().update({name: getattr(import_module(f"{__name__}.{name}"), name) for name in __all__})
