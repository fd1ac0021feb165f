"""CUDA graphs: a step is recorded once and replayed without the host's work, several on streams of their own."""

from __future__ import annotations

import torch

from .steps import Step

WARM = 3  # steps on the side stream before a step is recorded, as recording asks for


def replay(steps: list[Step], count: int) -> None:
    """`count` calls of each step; those of different steps run side by side. A step is recorded at its first time."""
    with torch.cuda.device(steps[0].data.device):
        here = torch.cuda.current_stream()
        for step in steps:
            if step.stream is None:
                step.stream = torch.cuda.Stream()
            step.stream.wait_stream(here)
        try:
            done = {step: 0 if step.graph else _record(step, count) for step in steps}
            for i in range(count):
                for step in steps:
                    if i >= done[step]:
                        with torch.cuda.stream(step.stream):
                            step.graph.replay()
        finally:  # after a failure, too: memory of this stream is in use on others
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
        # the outer one restores the stream where recording fails
        with torch.cuda.stream(torch.cuda.current_stream()), torch.cuda.graph(graph, stream=step.stream):
            step()
        step.graph = graph
    return warm
