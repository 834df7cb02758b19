"""The synthesizers: each speaks one text and tells how it read it."""

import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np

from packs import Voice


class Flite:
    """CMU Flite, by its command line (Debian package `flite`)."""

    def __init__(self, voice: Voice):
        self.command = ["flite", "-voice", voice.name]

    def tool(self) -> str:
        package = run(["dpkg-query", "-W", "-f", "${Version}", "flite"]).strip()
        return f"flite {package}"

    def reading(self, text: str) -> str:
        return " ".join(run([*self.command, "-ps", "-t", text, "-o", "none"]).split())

    def speak(self, text: str, stretch: float) -> tuple[np.ndarray, int]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "speech.wav"
            pace = f"duration_stretch={stretch}"
            run([*self.command, "--setf", pace, "-t", text, "-o", str(path)])
            with wave.open(str(path), "rb") as file:
                rate = file.getframerate()
                samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return samples / 32768, rate


class OpenJTalk:
    """Open JTalk with the voice Mei, by the Python package `pyopenjtalk-plus`."""

    def __init__(self, voice: Voice):
        if voice.name != "mei_normal":
            raise SystemExit(f"pyopenjtalk-plus speaks with mei_normal, not with {voice.name}")
        # Imported here, because whoever makes an English pack alone does not need it.
        import pyopenjtalk

        self.library = pyopenjtalk

    def tool(self) -> str:
        from importlib.metadata import version

        return f"pyopenjtalk-plus {version('pyopenjtalk-plus')}, numpy {np.__version__}"

    def reading(self, text: str) -> str:
        return self.library.g2p(text, kana=True)

    def speak(self, text: str, stretch: float) -> tuple[np.ndarray, int]:
        samples, rate = self.library.tts(text, speed=1 / stretch)
        return samples / 32768, rate


def engine(voice: Voice) -> Flite | OpenJTalk:
    engines = {"flite": Flite, "openjtalk": OpenJTalk}
    if voice.engine not in engines:
        raise SystemExit(f"no engine {voice.engine}; there are {', '.join(engines)}")
    return engines[voice.engine](voice)


def run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
