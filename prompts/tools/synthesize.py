"""Speaks every prompt of the packs that have a voice.toml. Run it by make.sh.

A recording that somebody put in place of a synthesized one is left alone: synthesized.toml holds
the checksums of what this program wrote, and any other file is taken for a person's work.
"""

import argparse
import hashlib
import json
from pathlib import Path

import sound
from packs import PROMPTS, Pack, Voice, pack_folders, prompt_ids
from voices import engine

HEADER = "# Written by make.sh: the texts spoken, how the voice read them, and the checksums of what came out.\n"
SENTENCE_ENDS = (".", "。", "!", "?")


def main() -> None:
    options = arguments()
    folders = [PROMPTS / locale for locale in options.locales] or pack_folders()
    for folder in folders:
        if not (folder / "voice.toml").exists():
            print(f"{folder.name}: no voice.toml, so its recordings are people's; left alone")
        elif options.readings:
            print_readings(folder)
        else:
            synthesize(folder, options.force)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("locales", nargs="*", help="packs to make; all when none is named")
    parser.add_argument("--force", action="store_true", help="overwrite people's recordings too")
    parser.add_argument(
        "--readings", action="store_true", help="only print how each text would be read"
    )
    return parser.parse_args()


def print_readings(folder: Path) -> None:
    pack, voice = Pack.read(folder), Voice.read(folder)
    speaker = engine(voice)
    for prompt in prompt_ids():
        words = voice.words(prompt, pack.texts[prompt])
        print(f"{prompt}\n    {words}\n    {speaker.reading(words)}")


def synthesize(folder: Path, force: bool) -> None:
    pack, voice = Pack.read(folder), Voice.read(folder)
    speaker = engine(voice)
    said, readings, sums = {}, {}, {}
    for prompt in prompt_ids():
        path = pack.recording(prompt)
        if not force and is_a_persons(pack, path, prompt):
            print(f"{folder.name}/{path.name}: recorded by a person, left alone")
            continue
        words = voice.words(prompt, pack.texts[prompt])
        speech, rate = speaker.speak(words, voice.pace(prompt))
        recording = sound.master(speech, rate, pack.texts[prompt].endswith(SENTENCE_ENDS))
        path.write_bytes(recording)
        said[prompt] = pack.texts[prompt]
        readings[prompt] = speaker.reading(words)
        sums[prompt] = hashlib.sha256(recording).hexdigest()
    sections = {"tools": {"synthesizer": speaker.tool()}}
    sections |= {"said": said, "readings": readings, "sha256": sums}
    (folder / "synthesized.toml").write_text(HEADER + to_toml(sections), encoding="utf-8")
    print(f"{folder.name}: {len(sums)} recordings by {speaker.tool()}")


def is_a_persons(pack: Pack, path: Path, prompt: str) -> bool:
    if not path.exists():
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() != pack.sha256.get(prompt)


def to_toml(sections: dict[str, dict[str, str]]) -> str:
    # A JSON string without escapes beyond the common ones is a TOML string.
    lines = []
    for name, values in sections.items():
        lines += ["", f"[{name}]"]
        lines += [f"{key} = {json.dumps(text, ensure_ascii=False)}" for key, text in values.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
