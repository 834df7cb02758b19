"""What a language pack is on disk: the list of prompt ids and the files of one pack."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

PROMPTS = Path(__file__).resolve().parent.parent
PACK_FIELDS = ("locale", "language", "own-name", "version", "voice", "licence", "sample-rate")


def prompt_ids(root: Path = PROMPTS) -> list[str]:
    """The ids of manifest.toml, in its order."""
    return list(read_toml(root / "manifest.toml")["prompts"])


def pack_folders(root: Path = PROMPTS) -> list[Path]:
    """Every folder that holds a pack.toml."""
    return sorted(path.parent for path in root.glob("*/pack.toml"))


def read_toml(path: Path) -> dict:
    with path.open("rb") as file:
        return tomllib.load(file)


@dataclass
class Pack:
    """One pack: its own description, its texts, and what was synthesized from them."""

    folder: Path
    about: dict
    texts: dict[str, str]
    said: dict[str, str]
    sha256: dict[str, str]

    @staticmethod
    def read(folder: Path) -> "Pack":
        pack = read_toml(folder / "pack.toml")
        made = folder / "synthesized.toml"
        made = read_toml(made) if made.exists() else {}
        return Pack(
            folder=folder,
            about=pack.get("pack", {}),
            texts=pack.get("texts", {}),
            said=made.get("said", {}),
            sha256=made.get("sha256", {}),
        )

    def recording(self, prompt: str) -> Path:
        return self.folder / f"{prompt}.wav"


@dataclass
class Voice:
    """How a pack's texts are spoken by a synthesizer (voice.toml)."""

    engine: str
    name: str
    stretch: float
    stretch_digits: float
    pronounce: dict[str, str]
    say: dict[str, str]

    @staticmethod
    def read(folder: Path) -> "Voice":
        file = read_toml(folder / "voice.toml")
        voice = file["voice"]
        return Voice(
            engine=voice["engine"],
            name=voice["name"],
            stretch=float(voice["stretch"]),
            stretch_digits=float(voice["stretch-digits"]),
            pronounce=file.get("pronounce", {}),
            say=file.get("say", {}),
        )

    def pace(self, prompt: str) -> float:
        """How much slower than its own pace the voice says a prompt."""
        alone = prompt.startswith(("digit-", "symbol-"))
        return self.stretch_digits if alone else self.stretch

    def words(self, prompt: str, text: str) -> str:
        """What the synthesizer is given for a prompt's text."""
        if prompt in self.say:
            return self.say[prompt]
        for written, spoken in self.pronounce.items():
            text = text.replace(written, spoken)
        return text
