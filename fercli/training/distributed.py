"""The processes that train one network together, started by torchrun: each computes a share of every batch.

PyTorch's DistributedDataParallel averages their gradients, and batch norm sees the whole batch, so the weights are
those of one process up to rounding, whatever the number of processes. What a process draws for itself (dropout, the
pairs of mixup) depends on it.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from fercli.core.errors import RunError, UsageError

T = TypeVar("T")

#: How long the others wait for the first process to load its data and look through it.
_PATIENCE = timedelta(hours=1)
#: Words of the errors that gloo raises where another process is gone: they have no class of their own.
_LOST = ("gloo", "Connection", "peer")


class Ranks:
    """The processes of a training by number: this is `rank` of `size`. The first one, 0, reads, writes and speaks."""

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size

    @property
    def is_first(self) -> bool:
        """Whether this process speaks for all."""
        return self.rank == 0

    def own_slice(self, count: int) -> slice:
        """Which of `count` faces are this process's. The shares are equal if `count` is a multiple of the size."""
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network for training steps: its gradients become the mean over all processes."""
        if self.size == 1:
            return network
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # the newest PyTorch has another name for this
            return DistributedDataParallel(network, broadcast_buffers=False)

    def sum(self, *values: Tensor) -> list[Tensor]:
        """Each value, a scalar, summed over all processes."""
        if self.size == 1:
            return list(values)
        summed = torch.stack([value.double() if value.device.type != "mps" else value for value in values])
        distributed.all_reduce(summed)
        return list(summed)

    def broadcast(self, value: T | None = None) -> T:
        """The first process's value, which must be picklable, in every process."""
        if self.size > 1:
            values = [value]
            distributed.broadcast_object_list(values, src=0, device=torch.device("cpu"))
            value = values[0]
        return cast(T, value)


#: One process that trains by itself.
ALONE = Ranks()


@contextmanager
def joined_ranks() -> Iterator[Ranks]:
    """The processes that torchrun started, of which this is one; `ALONE` where it did not start this one.

    On a machine with GPUs, 'cuda' is then another GPU for each process. Raises RunError where another process is lost,
    UsageError where there are fewer GPUs than processes.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE
        return
    _choose_gpu(int(os.environ.get("LOCAL_RANK", "0")))
    with _explain_loss():
        distributed.init_process_group(timeout=_PATIENCE)  # gloo on the CPU, NCCL on GPUs
        yield Ranks(distributed.get_rank(), size)
    distributed.destroy_process_group()  # not after an error: it would wait for the others


def _choose_gpu(number: int) -> None:
    if torch.cuda.is_available():
        if number >= torch.cuda.device_count():
            raise UsageError(
                f"torchrun started more processes than this machine has GPUs: --nproc-per-node "
                f"{torch.cuda.device_count()} (CUDA_VISIBLE_DEVICES= trains on the CPU)"
            )
        torch.cuda.set_device(number)


@contextmanager
def _explain_loss() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        lost = isinstance(error, distributed.DistError) or any(word in str(error) for word in _LOST)
        if not lost:
            raise
        raise RunError(
            "another process of this training was lost: the same torchrun command with --resume continues after the "
            "last epoch"
        ) from error


def synchronise_norms(network: nn.Module) -> None:
    """Make the batch norms of a network see the batches of all processes, in place; weights and names stay."""
    for parent in list(network.modules()):
        for name, norm in list(parent.named_children()):
            if isinstance(norm, _BatchNorm):
                setattr(parent, name, SynchronisedNorm(norm))


class _Sum(torch.autograd.Function):
    """The sum of a tensor over all processes; what each of them makes of it counts in the gradient."""

    @staticmethod
    def forward(context: Any, tensor: Tensor) -> Tensor:
        summed = tensor.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(summed)
        return summed

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        summed = gradient.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(summed)
        return summed


class SynchronisedNorm(_BatchNorm):
    """Batch norm over the batches of all processes, which must be equally large.

    PyTorch's SyncBatchNorm does the same on GPUs alone, so it could not be tested beside a single process here.
    """

    def __init__(self, norm: _BatchNorm) -> None:
        super().__init__(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
        self.weight, self.bias = norm.weight, norm.bias
        for name, value in norm.named_buffers(recurse=False):
            self.register_buffer(name, value)
        self.train(norm.training)

    def _check_input_dim(self, input: Tensor) -> None:
        pass

    @torch.compiler.disable(recursive=True)  # type: ignore[untyped-decorator]
    def forward(self, input: Tensor) -> Tensor:
        """Maps [N, C, …] normalised; like the others where it does not train."""
        if not self.training:
            return super().forward(input)
        values = input.float()
        mean, variance = self._moments(values)
        shape = [1, -1] + [1] * (values.dim() - 2)
        scale = torch.rsqrt(variance + self.eps) * self.weight
        return (values * scale.view(shape) + (self.bias - mean * scale).view(shape)).to(input.dtype)

    def _moments(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance [C] over all processes, from those of each."""
        variance, mean = torch.var_mean(values, [0, *range(2, values.dim())], correction=0)
        rank, ranks = distributed.get_rank(), distributed.get_world_size()
        # a row a process, filled by a sum: one exchange
        own = F.pad(torch.stack([mean, variance])[None], (0, 0, 0, 0, rank, ranks - 1 - rank))
        means, variances = _Sum.apply(own).unbind(1)
        mean = means.mean(0)
        variance = (variances + (means - mean).square()).mean(0)
        self._update(mean, variance, ranks * values.numel() // values.shape[1])
        return mean, variance

    @torch.no_grad()
    def _update(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Take a batch into the running statistics, as PyTorch's own batch norm does."""
        running_mean, running_var, batches = self.running_mean, self.running_var, self.num_batches_tracked
        if running_mean is None or running_var is None or batches is None:
            return
        batches.add_(1)
        weight = 1 / batches.item() if self.momentum is None else self.momentum
        running_mean.lerp_(mean, weight)
        running_var.lerp_(variance * (count / max(1, count - 1)), weight)
