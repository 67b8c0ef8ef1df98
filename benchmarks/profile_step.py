"""Where the time of a training step goes: its operations by kind, from PyTorch's profiler, compiled as in `fer train`.

Fractions are of the time that operations spend themselves, not in those that they call. What the compiler has fused
(norms, activations, sums, masks) counts as one kind. Drawn faces: what they show does not matter to the time.

usage: python -m benchmarks.profile_step [--models xu-rescnn bah-resnet] [--steps 8] [--precision auto]
"""

import argparse
from collections import Counter
from collections.abc import Iterable

import torch
from torch._inductor import config
from torch.profiler import ProfilerActivity, profile

from benchmarks.rows import machine
from benchmarks.training import recipe_of
from fercli.core.progress import SILENT
from fercli.data.cartoon import cartoon
from fercli.models.catalogue import build_model, load_catalogue
from fercli.training.device import resolve_precision
from fercli.training.loop import Faces, fit
from fercli.training.state import TrainingState

#: Kinds of operations by what their names hold; the first that fits counts.
KINDS = (
    ("convolutions, backward", ("convolution_backward", "mkldnn_convolution_backward")),
    ("convolutions, forward", ("convolution", "conv2d")),
    ("pooling, backward", ("pool2d_with_indices_backward", "pool2d_backward")),
    ("pooling, forward", ("pool2d",)),
    ("norms, activations, sums and masks, fused", ("cpp_fused", "kernel", "fercli::")),
    ("augmentation: sampling", ("grid_sampl", "affine_grid")),
    ("optimiser", ("adam", "sgd", "foreach")),
    ("copies and types", ("copy_", "aten::to", "clone", "index")),
)


def kind(name: str) -> str:
    """The kind of an operation."""
    return next((title for title, parts in KINDS if any(part in name.lower() for part in parts)), "everything else")


def fractions(operations: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    """Kinds with their fraction of the time, 0 to 1, the largest first, of operations with their seconds."""
    spent: Counter[str] = Counter()
    for name, seconds in operations:
        spent[kind(name)] += seconds
    total = sum(spent.values())
    return [(title, seconds / total) for title, seconds in spent.most_common()]


def operations(model: str, steps: int, precision: str) -> list[tuple[str, float]]:
    """Every operation of so many training steps after as many for warming up, with the time that it took itself."""
    recipe = recipe_of(model)
    drawn = cartoon(-(-steps * recipe.batch_size // 70), 10)
    faces = Faces(torch.from_numpy(drawn.images), torch.from_numpy(drawn.labels))
    state = TrainingState(build_model(model), recipe, len(faces), len(drawn.classes))
    chosen = resolve_precision(precision, torch.device("cpu"), load_catalogue()[model].bf16_on_cpu)
    val = Faces(faces.images[:1], faces.labels[:1])
    epochs = fit(state, faces, val, seed=0, precision=chosen, compile_network=True, progress=SILENT)
    next(epochs)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        next(epochs)
    return [(event.key, event.self_cpu_time_total) for event in seen.key_averages()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["xu-rescnn", "bah-resnet"])
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16"], default="auto")
    options = parser.parse_args()
    config.cpp.enable_kernel_profile = True  # else the profiler sees nothing of what the compiler made
    for model in options.models:
        print(f"| `{model}` | share |\n|---|---|")
        for title, fraction in fractions(operations(model, options.steps, options.precision)):
            print(f"| {title} | {fraction:.0%} |")
        print()
    print(machine())


if __name__ == "__main__":
    main()
