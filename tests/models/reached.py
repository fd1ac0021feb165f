"""Which networks a term has gradients in."""

import torch


def moved(term, *nets):
    """Whether each network gets any gradient of this term."""
    found = [torch.autograd.grad(term, list(net.parameters()), retain_graph=True, allow_unused=True) for net in nets]
    return [any(g is not None and bool(g.any()) for g in gradients) for gradients in found]


def moves(term, net):
    """Names of the networks of a model that this term has gradients in."""
    parts = dict(net.named_children())
    return {name for name, hit in zip(parts, moved(term, *parts.values())) if hit}
