"""Deep Speech 2 with its width as the size: convolution over time, bidirectional recurrent layers, CTC.

Amodei et al. 2015, arXiv:1512.02595, in the form that Hestness et al. 2017, arXiv:1712.00409, scaled: LSTM
layers, no regularization. Here the first layers convolve only over time.
"""

from torch import Tensor, nn
from torch.nn import functional

from calibrate.data.features import MELS
from calibrate.models.attention import inside
from calibrate.models.recurrent import Bidirectional

LAYERS = 2
KERNEL = 5
STRIDES = (3, 1)


class DeepSpeech2(nn.Module):
    """A model that predicts characters over time.

    Args:
        width: Channels, and states of each direction.
        symbols: Characters, and CTC's blank.
    """

    def __init__(self, width: int, symbols: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(inputs, width, KERNEL, stride, padding=KERNEL // 2)
            for inputs, stride in zip((MELS, width), STRIDES, strict=True)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in STRIDES)
        self.recurrent = nn.ModuleList(
            Bidirectional(width if layer == 0 else 2 * width, width) for layer in range(LAYERS)
        )
        self.output = nn.Linear(2 * width, symbols)

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return the log probabilities of symbols.

        Args:
            frames: Frames (batch, time, 40).
            lengths: Frames of each utterance (batch,), on the host, where CTC needs them: to fetch them from
                a GPU is to wait for it.

        Returns:
            Log probabilities (time/3, batch, symbols), and the outputs of each utterance (batch,).
        """
        hidden = frames
        for convolution, norm, stride in zip(self.convolutions, self.norms, STRIDES, strict=True):
            hidden = convolution(hidden.transpose(1, 2)).transpose(1, 2)
            hidden = functional.relu(norm(hidden))
            lengths = (lengths + stride - 1) // stride
            on_device = lengths.to(hidden.device, non_blocking=True)
            hidden = hidden * inside(on_device, hidden.shape[1])[:, :, None]
        for layer in self.recurrent:
            hidden = layer(hidden, on_device)
        return functional.log_softmax(self.output(hidden).float(), dim=-1).transpose(0, 1), lengths
