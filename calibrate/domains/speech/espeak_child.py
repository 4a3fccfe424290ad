"""The child process of `espeak.py`: reads utterances as JSON lines, writes their samples.

Input: one object per line with voice, rate (words per minute), pitch (0-100) and text. Output: for each, the
number of samples (uint32, little-endian) and the samples (int16, 22,050 Hz). It is run as a script and
imports only the standard library and the wheel that carries espeak-ng.
"""

import ctypes
import json
import struct
import sys

import espeakng_loader

# Constants of espeak-ng's speak_lib.h.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_RATE, _PITCH = 1, 3
_CHARS_UTF8 = 1
_POSITION_CHARACTER = 1
_SAMPLE_RATE = 22_050
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def main() -> None:
    """Speak every line of standard input to standard output."""
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    spoken: list[bytes] = []

    def collect(samples: object, count: int, _events: object) -> int:
        if samples and count > 0:
            spoken.append(ctypes.string_at(samples, 2 * count))  # type: ignore[arg-type]
        return 0

    callback = _CALLBACK(collect)  # must live as long as the library may call it
    data = espeakng_loader.get_data_path().encode()
    rate = library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data, 0)
    if rate != _SAMPLE_RATE:
        sys.exit(f"espeak-ng did not start: sample rate {rate}")
    library.espeak_SetSynthCallback(callback)
    # Breathy voices draw random noise, which the library otherwise seeds by the clock.
    library.espeak_ng_SetRandSeed(ctypes.c_long(1))
    for line in sys.stdin.buffer:
        utterance = json.loads(line)
        spoken.clear()
        if library.espeak_SetVoiceByName(utterance["voice"].encode()) != 0:
            sys.exit(f"espeak-ng has no voice {utterance['voice']}")
        library.espeak_SetParameter(_RATE, utterance["rate"], 0)
        library.espeak_SetParameter(_PITCH, utterance["pitch"], 0)
        text = utterance["text"].encode()
        library.espeak_Synth(text, len(text) + 1, 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None)
        samples = b"".join(spoken)
        sys.stdout.buffer.write(struct.pack("<I", len(samples) // 2) + samples)


if __name__ == "__main__":
    main()
