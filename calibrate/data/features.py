"""From sound to the input of the speech models: log-mel frames at 16 kHz, one every 10 ms."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

SAMPLE_RATE = 16_000
HOP = 160
WINDOW = 400
MELS = 40
FRAMES_PER_SECOND = SAMPLE_RATE // HOP
_FFT = 512
_FLOOR = 1e-10


def resample(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Resample to 16 kHz with a polyphase filter.

    Args:
        samples: Samples (n,).
        rate: Their rate in Hz.

    Returns:
        Samples (n * 16,000 / rate,).
    """
    if rate == SAMPLE_RATE:
        return samples
    shared = math.gcd(rate, SAMPLE_RATE)
    return np.asarray(resample_poly(samples, SAMPLE_RATE // shared, rate // shared), np.float32)


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float16]:
    """Return log-mel energies, each band with mean 0 and deviation 1.

    A frame is 25 ms under a Hann window, every 10 ms. The bands are triangles on the mel scale
    2595·log10(1 + f/700) from 0 to 8 kHz (O'Shaughnessy 1987, "Speech Communication"). To normalize each
    utterance removes the loudness and the color of the channel.

    Args:
        samples: Samples (n,) at 16 kHz.

    Returns:
        Frames (frames, 40); none where the sound is shorter than a window.
    """
    if len(samples) < WINDOW:
        return np.zeros((0, MELS), np.float16)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    spectrum = np.fft.rfft(frames * _HANN, _FFT)
    energy = (spectrum.real**2 + spectrum.imag**2) @ _BANDS
    logged = np.log(np.maximum(energy, _FLOOR))
    normal = (logged - logged.mean(axis=0)) / (logged.std(axis=0) + 1e-3)
    return np.asarray(normal, np.float16)


def _mel_bands() -> NDArray[np.float32]:
    """Return the filter bank (257 frequencies, 40 bands): triangles with corners equally far apart in mel."""
    top = 2595 * math.log10(1 + SAMPLE_RATE / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, top, MELS + 2) / 2595) - 1)
    frequency = np.linspace(0, SAMPLE_RATE / 2, _FFT // 2 + 1)[:, None]
    rising = (frequency - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - frequency) / (corners[2:] - corners[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


_HANN = np.hanning(WINDOW).astype(np.float32)
_BANDS = _mel_bands()
