"""CUDA graphs: a step is recorded once and replayed without the host's work, several on streams of their own."""

from __future__ import annotations

import torch

from .steps import Step

WARM = 3  # steps on the side stream before a step is recorded, as recording asks for


def replay(steps: list[Step], count: int) -> None:
    """`count` calls of each step; those of different steps run side by side. A step is recorded at its first time."""
    device = steps[0].data.device
    here = torch.cuda.current_stream(device)
    for step in steps:
        if step.stream is None:
            step.stream = torch.cuda.Stream(device)
        step.stream.wait_stream(here)
    done = dict.fromkeys(steps, 0)
    for step in steps:
        if step.graph is None:
            done[step] = _record(step, count)
    for i in range(count):
        for step in steps:
            if i >= done[step]:
                with torch.cuda.stream(step.stream):
                    step.graph.replay()
    for step in steps:
        here.wait_stream(step.stream)


def _record(step: Step, count: int) -> int:
    """Make up to `WARM` steps, then record one if more are left; how many were made. Recording makes none."""
    warm = min(WARM, count)
    with torch.cuda.stream(step.stream):
        for _ in range(warm):
            step()
    if warm < count:
        graph = torch.cuda.CUDAGraph()
        for member in step.members:
            graph.register_generator_state(member.stream.generator)
        with torch.cuda.graph(graph, stream=step.stream):
            step()
        step.graph = graph
    return warm
