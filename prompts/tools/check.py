"""Checks the language packs: each has every prompt, in words and as a usable recording.

Needs Python 3.11 and nothing else. Prints a line for each fault and ends with code 1 if there is one.
"""

import array
import cmath
import hashlib
import math
import sys
import tomllib
import wave
from pathlib import Path

from packs import PACK_FIELDS, PROMPTS, Pack, pack_folders, prompt_ids

RATE = 16000
SHORTEST, LONGEST = 0.3, 30.0  # seconds
LONGEST_SILENCE = 0.6  # seconds, before the first and after the last sound
QUIETEST, LOUDEST = -30.0, -12.0  # dB of full scale, RMS of the spoken parts
FULL_SCALE = 32700
FRAME = RATE // 100
WINDOW = 512  # samples of a spectrum
PUREST = 0.99  # share of the two strongest partials; speech is below it in some of its frames


def main() -> int:
    folders = [Path(name).resolve() for name in sys.argv[1:]] or pack_folders()
    faults, checked = [], 0
    for folder in folders:
        faults += [f"{folder.name}: {fault}" for fault in pack_faults(folder, prompt_ids())]
        checked += 1
    if not checked:
        faults.append(f"no pack.toml in any folder of {PROMPTS}")
    for fault in faults:
        print(fault)
    print(f"{checked} packs, {len(prompt_ids())} prompts each, {len(faults)} faults")
    return 1 if faults else 0


def pack_faults(folder: Path, prompts: list[str]) -> list[str]:
    """What is wrong with one pack."""
    try:
        pack = Pack.read(folder)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return [f"can't be read: {error}"]
    faults = about_faults(pack)
    for prompt in prompts:
        if not pack.texts.get(prompt, "").strip():
            faults.append(f"{prompt} has no text in pack.toml")
        if not pack.recording(prompt).exists():
            faults.append(f"{prompt} has no recording")
            continue
        faults += [f"{prompt}.wav {fault}" for fault in recording_faults(pack.recording(prompt))]
        faults += stale_faults(pack, prompt)
    faults += [f"{text} is no prompt" for text in pack.texts if text not in prompts]
    stems = sorted(path.stem for path in folder.glob("*.wav"))
    faults += [f"{stem}.wav is no prompt" for stem in stems if stem not in prompts]
    return faults


def about_faults(pack: Pack) -> list[str]:
    faults = [f"pack.toml lacks {field}" for field in PACK_FIELDS if not pack.about.get(field)]
    if pack.about.get("locale", pack.folder.name) != pack.folder.name:
        faults.append(f"the folder is not named after its locale {pack.about['locale']}")
    if pack.about.get("sample-rate", RATE) != RATE:
        faults.append(f"sample-rate is not {RATE}")
    return faults


def stale_faults(pack: Pack, prompt: str) -> list[str]:
    """A synthesized recording must say today's text; a person's recording is trusted."""
    if prompt not in pack.said or pack.said[prompt] == pack.texts.get(prompt):
        return []
    made = hashlib.sha256(pack.recording(prompt).read_bytes()).hexdigest()
    if made != pack.sha256.get(prompt):
        return []
    return [f"{prompt}.wav says an older text; run make.sh"]


def recording_faults(path: Path) -> list[str]:
    """What is wrong with one recording."""
    try:
        with wave.open(str(path), "rb") as file:
            form = (file.getnchannels(), file.getsampwidth() * 8, file.getframerate())
            frames = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        return [f"is no PCM WAV file: {error}"]
    if form != (1, 16, RATE):
        return ["is not mono, 16 bits, {} Hz but {} channels, {} bits, {} Hz".format(RATE, *form)]
    samples = array.array("h", frames)
    if sys.byteorder == "big":
        samples.byteswap()
    return sample_faults(samples)


def sample_faults(samples: array.array) -> list[str]:
    seconds = len(samples) / RATE
    if seconds < SHORTEST:
        return [f"is shorter than {SHORTEST} s: {seconds:.2f} s"]
    faults = []
    if seconds > LONGEST:
        faults.append(f"is longer than {LONGEST} s: {seconds:.1f} s")
    levels = [rms(samples[at : at + FRAME]) for at in range(0, len(samples) - FRAME + 1, FRAME)]
    sounding = [at for at, level in enumerate(levels) if level > max(levels) / 30]
    loudness = decibels(math.hypot(*(levels[at] for at in sounding)) / math.sqrt(len(sounding) or 1))
    if not QUIETEST <= loudness <= LOUDEST:
        return [*faults, f"has a loudness outside {QUIETEST} to {LOUDEST} dBFS: {loudness:.1f}"]
    if max(map(abs, samples)) >= FULL_SCALE:
        faults.append("is clipped")
    for where, silence in (("before", sounding[0]), ("after", len(levels) - 1 - sounding[-1])):
        if silence / 100 > LONGEST_SILENCE:
            faults.append(f"has {silence / 100:.1f} s of silence {where} the words")
    if purity(samples) > PUREST:
        faults.append("is a tone, not speech")
    return faults


def purity(samples: array.array) -> float:
    """Share of a spectrum's power in its two strongest partials, where that share is smallest.

    Of beeps, key tones and call progress tones it is nearly all, at any time.
    """
    step = max((len(samples) - WINDOW) // 16, 1)
    windows = [samples[at : at + WINDOW] for at in range(0, len(samples) - WINDOW + 1, step)]
    loudest = max(map(rms, windows))
    return min(two_partials(window) for window in windows if rms(window) > loudest / 4)


def two_partials(window: array.array) -> float:
    hann = [0.5 - 0.5 * math.cos(2 * math.pi * at / WINDOW) for at in range(WINDOW)]
    spectrum = fourier([sample * weight for sample, weight in zip(window, hann)])
    powers = [abs(value) ** 2 for value in spectrum[: WINDOW // 2]]
    total, partials = sum(powers), 0.0
    for _ in range(2):
        peak = powers.index(max(powers))
        lobe = range(max(peak - 2, 0), min(peak + 3, len(powers)))
        partials += sum(powers[at] for at in lobe)
        for at in lobe:
            powers[at] = 0.0
    return partials / total


def fourier(values: list) -> list:
    """The discrete Fourier transform of 2^n values."""
    if len(values) == 1:
        return values
    even, odd = fourier(values[::2]), fourier(values[1::2])
    turned = [value * cmath.exp(-2j * math.pi * at / len(values)) for at, value in enumerate(odd)]
    sums = [one + other for one, other in zip(even, turned)]
    return sums + [one - other for one, other in zip(even, turned)]


def rms(samples: array.array) -> float:
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


def decibels(level: float) -> float:
    return 20 * math.log10(max(level, 1e-3) / 32768)


if __name__ == "__main__":
    sys.exit(main())
