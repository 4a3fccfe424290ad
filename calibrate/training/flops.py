"""Count parameters and FLOP of a model on torch's meta device: exact, without memory or arithmetic."""

from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from laws.types import SizeCost

FORWARD_TO_TRAINING = 3  # training FLOP per forward FLOP: one forward pass, two for the gradients
ADAM_BYTES = 16  # per parameter in single precision: weight, gradient, two moments


def forward_flops(model: nn.Module, *inputs: object) -> int:
    """Return the FLOP of one forward pass; a multiplication and an addition are two.

    Only convolutions and matrix products count. Norms, softmax and CTC are under 1% in the models here.

    Args:
        model: A model on device meta; on the CPU torch counts nothing for an LSTM.
        inputs: Its inputs, on device meta.

    Returns:
        FLOP.

    Raises:
        ValueError: The model is on another device.
    """
    devices = {parameter.device.type for parameter in model.parameters()}
    if devices != {"meta"}:
        raise ValueError(f"model is on {devices}: expected device meta")
    with FlopCounterMode(display=False) as counter:
        model(*inputs)
    return int(counter.get_total_flops())


def size_cost(size: int, model: nn.Module, flops: float) -> SizeCost:
    """Return the cost of a size of a model, trained with Adam.

    Args:
        size: The size parameter.
        model: The model.
        flops: Training FLOP per data unit.

    Returns:
        Size, parameters, FLOP and bytes of memory.
    """
    params = trainable(model)
    return SizeCost(size=size, params=params, flops=float(flops), memory=float(ADAM_BYTES * params))


def trainable(model: nn.Module) -> int:
    """Return the number of trainable parameters of a model.

    Args:
        model: A model on any device.

    Returns:
        The number of parameters that take a gradient.
    """
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
