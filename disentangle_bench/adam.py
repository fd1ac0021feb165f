"""The optimiser of everything that is trained here."""

from inspect import unwrap

import torch


class Adam(torch.optim.Adam):
    """Torch's, without the wrappers that import its compiler, which takes longer than all else that a run imports."""

    step = torch.no_grad()(unwrap(torch.optim.Adam.step))
    add_param_group = unwrap(torch.optim.Adam.add_param_group)
    state_dict = unwrap(torch.optim.Adam.state_dict)
    load_state_dict = unwrap(torch.optim.Adam.load_state_dict)
