"""From a synthesizer's raw speech to a master recording: band, silence, loudness, 16 bits.

Everything is plain arithmetic on the samples without dither, so the same speech gives the same bytes.
"""

import io
import wave

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

RATE = 16000
LOUDNESS = 10 ** (-20 / 20)  # RMS of the spoken parts, of full scale
CEILING = 10 ** (-3 / 20)  # no sample is above it
FRAME = RATE // 100
LEAD = 3  # frames kept before the first sound
TAIL_SENTENCE = 30  # frames kept after it, where a sentence ends ...
TAIL_PIECE = 10  # ... and where a number follows or goes on
PAUSE = 40  # frames; longer pauses inside are cut to this


def master(speech: np.ndarray, rate: int, ends_sentence: bool) -> bytes:
    """A WAV file, mono, 16 bits, 16 kHz, trimmed and levelled."""
    speech = to_band(speech, rate)
    speech = trim(speech, TAIL_SENTENCE if ends_sentence else TAIL_PIECE)
    speech = shorten_pauses(speech)
    speech = limit(speech * (LOUDNESS / spoken_rms(speech)))
    return wav(np.rint(speech * 32768).astype("<i2"))


def to_band(speech: np.ndarray, rate: int) -> np.ndarray:
    """Resamples to 16 kHz and keeps 70 Hz to 7.4 kHz; the edges are raised cosines."""
    quiet = np.zeros(rate // 2)
    speech = np.concatenate([quiet, speech, quiet])
    speech = np.pad(speech, (0, -len(speech) % rate))
    seconds = len(speech) // rate
    spectrum = np.fft.rfft(speech)[: seconds * RATE // 2 + 1]
    hertz = np.arange(len(spectrum)) / seconds
    spectrum *= ramp(hertz, 50, 90) * (1 - ramp(hertz, 7200, 7700))
    return np.fft.irfft(spectrum, n=seconds * RATE) * (RATE / rate)


def ramp(hertz: np.ndarray, low: float, high: float) -> np.ndarray:
    """Rises from 0 at `low` to 1 at `high`."""
    return 0.5 - 0.5 * np.cos(np.pi * np.clip((hertz - low) / (high - low), 0, 1))


def trim(speech: np.ndarray, tail: int) -> np.ndarray:
    """Cuts the silence at both ends to a fixed length and fades the cuts."""
    sounding = np.flatnonzero(sounds(speech))
    first = max(sounding[0] - LEAD, 0) * FRAME
    last = (sounding[-1] + 1) * FRAME
    kept = speech[first : last + tail * FRAME].copy()
    kept = np.pad(kept, (0, last + tail * FRAME - first - len(kept)))
    kept[:FRAME] *= np.linspace(0, 1, FRAME)
    release = 4 * FRAME
    start = last - first
    kept[start : start + release] *= np.linspace(1, 0, release)
    kept[start + release :] = 0
    return kept


def shorten_pauses(speech: np.ndarray) -> np.ndarray:
    """Cuts the middle out of long pauses between words."""
    keep = np.ones(len(speech), dtype=bool)
    sounding = np.flatnonzero(sounds(speech))
    for before, after in zip(sounding, sounding[1:]):
        too_long = (after - before - 1) - PAUSE
        if too_long > 0:
            start = before + 1 + PAUSE // 2
            keep[start * FRAME : (start + too_long) * FRAME] = False
    return speech[keep]


def sounds(speech: np.ndarray) -> np.ndarray:
    """Which frames are at most 45 dB below the loudest."""
    levels = frame_rms(speech)
    return levels > levels.max() * 10 ** (-45 / 20)


def spoken_rms(speech: np.ndarray) -> float:
    """RMS over the frames that hold speech: at most 30 dB below the loudest."""
    levels = frame_rms(speech)
    spoken = levels[levels > levels.max() * 10 ** (-30 / 20)]
    return float(np.sqrt(np.mean(spoken**2)))


def frame_rms(speech: np.ndarray) -> np.ndarray:
    frames = speech[: len(speech) // FRAME * FRAME].reshape(-1, FRAME)
    return np.sqrt(np.mean(frames**2, axis=1))


def limit(speech: np.ndarray) -> np.ndarray:
    """Turns loud moments down under the ceiling, over 10 ms, so that nothing clips."""
    half = FRAME // 2
    window = 2 * half + 1
    gain = np.minimum(1, CEILING / np.maximum(np.abs(speech), 1e-9))
    lowest = sliding_window_view(np.pad(gain, half, constant_values=1), window).min(axis=1)
    shape = np.hanning(window + 2)[1:-1]
    smooth = np.convolve(np.pad(lowest, half, mode="edge"), shape / shape.sum(), mode="valid")
    return speech * smooth


def wav(samples: np.ndarray) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())
    return file.getvalue()
