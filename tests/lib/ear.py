"""What a caller hears: prompts of a language pack are known again by how loud they are from moment to
moment, in the sound that comes in G.711 µ-law."""

import glob
import os
import struct
import time
import wave

PROMPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "prompts")
# A frame is 10 ms: 80 samples of the sound that comes.
FRAME = 80
ALIKE = 0.9
# So much is looked at first.
GLANCE = 40


def mu_law(byte):
    """How loud a sample is, without its sign."""
    byte = ~byte & 0x7F
    return (((byte & 0x0F) << 3) + 0x84 << (byte >> 4)) - 0x84


LOUD = [mu_law(byte) for byte in range(256)]


class Prompt:
    def __init__(self, path):
        self.name = os.path.basename(path)[:-4]
        with wave.open(path) as file:
            step = FRAME * file.getframerate() // 8000
            samples = struct.unpack(f"<{file.getnframes()}h", file.readframes(file.getnframes()))
        levels = [sum(map(abs, samples[at:at + step])) / step for at in range(0, len(samples) - step, step)]
        while levels and levels[-1] < 100:
            levels.pop()
        while levels and levels[0] < 100:
            levels.pop(0)
        self.levels = levels


class Ear:
    """Knows one language, or several; then the name of each prompt begins with its language."""

    def __init__(self, *locales):
        self.prompts = []
        for locale in locales or ["en-US"]:
            paths = sorted(glob.glob(os.path.join(PROMPTS, locale, "*.wav")))
            assert paths, f"no prompts of {locale}"
            # Digits are too short to be told apart this way.
            known = [prompt for prompt in map(Prompt, paths) if len(prompt.levels) > 80]
            for prompt in known if len(locales) > 1 else []:
                prompt.name = f"{locale}/{prompt.name}"
            self.prompts += known

    def listen(self, call, seconds=20, quiet=1.0):
        """Hears until nothing was said for a while; the prompts in their order."""
        sound, levels, end, last = call.phone.sound, [], time.monotonic() + seconds, None
        sound.settimeout(0.1)
        while time.monotonic() < end:
            try:
                packet = sound.recv(2048)
            except TimeoutError:
                packet = b""
            payload = packet[12:] if packet[1:2] and packet[1] & 0x7F == 0 else b""
            for at in range(0, len(payload) - FRAME + 1, FRAME):
                levels.append(sum(LOUD[byte] for byte in payload[at:at + FRAME]) / FRAME)
            now = time.monotonic()
            if payload and levels[-1] > 100:
                last = now
            if last is not None and now - last > quiet:
                break
        return self.recognize(levels)

    def recognize(self, levels):
        found = []
        for prompt in self.prompts:
            length = len(prompt.levels)
            for at in range(len(levels) - length + 1):
                if likeness(prompt.levels[:GLANCE], levels[at:at + GLANCE]) < 0.5:
                    continue
                alike = likeness(prompt.levels, levels[at:at + length])
                if alike > ALIKE:
                    found.append((alike, at, length, prompt.name))
        taken, heard = [], []
        for alike, at, length, name in sorted(found, key=lambda one: -one[2] * one[0]):
            if all(at >= end - 5 or at + length <= start + 5 for start, end in taken):
                taken.append((at, at + length))
                heard.append((at, name))
        return [name for _, name in sorted(heard)]


def likeness(one, other):
    """How alike two courses of loudness are, from -1 to 1."""
    count = len(one)
    mean_one, mean_other = sum(one) / count, sum(other) / count
    product = square_one = square_other = 0.0
    for a, b in zip(one, other):
        a, b = a - mean_one, b - mean_other
        product += a * b
        square_one += a * a
        square_other += b * b
    if square_one == 0 or square_other == 0:
        return 0.0
    return product / (square_one * square_other) ** 0.5
