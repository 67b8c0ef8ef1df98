"""ImageNet weights for networks that are torchvision's but for their head."""

import pickle
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import safetensors.torch
import torch
from torch import Tensor, nn
from torchvision.models import WeightsEnum, get_weight

from fercli.core.errors import ModelError, reason_of
from fercli.core.files import check_regular
from fercli.core.text import shorten

#: What torchvision calls a ResNet's head, which other classes make useless.
_HEAD = "fc."


def load_imagenet(network: nn.Module, weights: str, file: Path | None = None) -> None:
    """Give a body its ImageNet weights, all but the head's.

    `weights` is torchvision's name, e.g. 'ResNet50_Weights.IMAGENET1K_V1'; torchvision fetches them unless they
    lie in its folder. `file` is a state dict of the same layers, .safetensors or as torch.save writes it.
    Raises ModelError where they cannot be had, read, or do not fit.
    """
    try:
        named = get_weight(weights)
    except (ValueError, KeyError) as error:
        raise ModelError(f"torchvision has no weights '{weights}'") from error
    state = _from_file(file) if file else _from_torchvision(named)
    _take(network, state, str(file or weights))


def _from_file(file: Path) -> dict[str, Tensor]:
    check_regular(file, "the file of weights", ModelError)
    try:
        state = _read_state(file)
    except pickle.UnpicklingError as error:
        raise ModelError(f"cannot read {file} as a file of weights: {_refusal(error)}") from error
    except Exception as error:  # torch.load raises whatever a damaged pickle makes it raise
        reason = "it is empty" if file.stat().st_size == 0 else reason_of(error)
        raise ModelError(f"cannot read {file} as a file of weights: {reason}") from error
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in state.items()
    ):
        raise ModelError(f"{file} is no state dict: save network.state_dict() alone")
    return state


def _read_state(file: Path) -> Any:
    """Whatever a file holds, as long as no code of the file is run for it."""
    if file.suffix == ".safetensors":
        return safetensors.torch.load_file(file)
    with warnings.catch_warnings():
        # of old forms and of archives that hold programs; what cannot be taken is told by an error
        warnings.simplefilter("ignore")
        return torch.load(file, map_location="cpu", weights_only=True)


def _refusal(error: Exception) -> str:
    """Why torch did not read a pickle, without its advice to run what stands in it."""
    text = str(error)
    if "Unsupported" in text or "not an allowed" in text or "GLOBAL" in text:
        return "it holds Python objects that could run code; save network.state_dict() alone"
    return "it is damaged, or torch.save did not write it"


def _from_torchvision(named: WeightsEnum) -> dict[str, Tensor]:
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    name = Path(urlparse(named.url).path).name
    try:
        state: dict[str, Tensor] = named.get_state_dict(progress=False, check_hash=True, map_location="cpu")
    except Exception as error:  # no network, a broken download, a damaged file
        if (folder / name).exists():
            raise ModelError(f"{folder / name} is damaged ({reason_of(error)}): delete it and try again") from error
        raise ModelError(
            f"the ImageNet weights {name} are not in {folder} and could not be fetched ({reason_of(error)}): "
            "put the file there, name a local one with --pretrained-file PATH, or start from scratch with "
            "--no-pretrained"
        ) from error
    return state


def _first(names: list[str]) -> str:
    return shorten(names[0], 80) + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _take(network: nn.Module, state: dict[str, Tensor], origin: str) -> None:
    """Load all but the head; every other layer must be there in its shape."""
    own = {name: value for name, value in network.state_dict().items() if not name.startswith(_HEAD)}
    # older files do not count the batches that norms have seen, which nothing here uses
    needed = {name: value for name, value in own.items() if not name.endswith("num_batches_tracked")}
    wrong = [name for name, value in needed.items() if name not in state or state[name].shape != value.shape]
    if wrong:
        raise ModelError(f"{origin} does not fit this network: {_first(wrong)} missing or of another shape")
    if foreign := [name for name in state if name not in own and not name.startswith(_HEAD)]:
        raise ModelError(f"{origin} does not fit this network, which has no {_first(foreign)}")
    try:
        network.load_state_dict({name: state[name] for name in needed}, strict=False)
    except RuntimeError as error:  # of a kind of tensor that cannot be copied, such as a sparse one
        raise ModelError(f"{origin} does not fit this network: {shorten(_last_line(error), 200)}") from error


def _last_line(error: Exception) -> str:
    return str(error).strip().rpartition("\n")[2].strip()
