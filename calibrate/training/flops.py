"""Parameters and FLOP of a model, counted by torch on device meta: exact, without memory or arithmetic."""

from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from laws.types import SizeCost

FORWARD_TO_TRAINING = (
    3  # a training step costs about three forward passes: one forward, two for the gradients
)
ADAM_BYTES = 16  # a parameter in single precision: weight, gradient, two moments


def forward_flops(model: nn.Module, *inputs: object) -> int:
    """Return the FLOP of one forward pass; a multiplication and an addition are two.

    Model and inputs must be on device meta: on the CPU torch counts nothing for an LSTM. What is not a
    convolution or a matrix product (norms, softmax, CTC) counts nothing, under 1 % of the models here.
    """
    devices = {parameter.device.type for parameter in model.parameters()}
    if devices != {"meta"}:
        raise ValueError(f"FLOP are counted on device meta, not on {devices}")
    with FlopCounterMode(display=False) as counter:
        model(*inputs)
    return int(counter.get_total_flops())


def size_cost(size: int, model: nn.Module, flops: float) -> SizeCost:
    """Return the cost of a size: `flops` is what training takes for one data unit, by Adam."""
    params = trainable(model)
    return SizeCost(size=size, params=params, flops=float(flops), memory=float(ADAM_BYTES * params))


def trainable(model: nn.Module) -> int:
    """Return the number of trainable parameters of a model."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
