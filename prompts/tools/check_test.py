"""Each fault that check.py knows, made on purpose in a copy of a small pack."""

import array
import hashlib
import math
import shutil
import tempfile
import unittest
import wave
from pathlib import Path

import check
from packs import PROMPTS, pack_folders, prompt_ids

IDS = ["greeting", "goodbye"]


class CheckTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())) / "en-US"
        self.folder.mkdir()
        source = PROMPTS / "en-US"
        for prompt in IDS:
            shutil.copy(source / f"{prompt}.wav", self.folder)
        lines = (source / "pack.toml").read_text(encoding="utf-8").splitlines()
        head = lines[: lines.index("[texts]") + 1]
        texts = [line for line in lines if line.partition(" = ")[0] in IDS]
        self.write("pack.toml", "\n".join([*head, *texts]) + "\n")

    def write(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")

    def write_recording(self, samples, rate=16000, channels=1):
        with wave.open(str(self.folder / "goodbye.wav"), "wb") as file:
            file.setparams((channels, 2, rate, 0, "NONE", ""))
            file.writeframes(array.array("h", samples).tobytes())

    def read_recording(self):
        with wave.open(str(self.folder / "goodbye.wav"), "rb") as file:
            return array.array("h", file.readframes(file.getnframes()))

    def replace(self, old, new):
        path = self.folder / "pack.toml"
        text = path.read_text(encoding="utf-8")
        self.assertIn(old, text)
        path.write_text(text.replace(old, new), encoding="utf-8")

    def faults(self):
        return check.pack_faults(self.folder, IDS)

    def assert_fault(self, words):
        faults = self.faults()
        self.assertEqual(len(faults), 1, faults)
        self.assertIn(words, faults[0])

    def test_a_sound_pack_has_no_fault(self):
        self.assertEqual(self.faults(), [])

    def test_folder_without_a_pack(self):
        (self.folder / "pack.toml").unlink()
        self.assert_fault("can't be read")

    def test_pack_that_is_no_toml(self):
        self.write("pack.toml", "[pack")
        self.assert_fault("can't be read")

    def test_missing_recording(self):
        (self.folder / "goodbye.wav").unlink()
        self.assert_fault("goodbye has no recording")

    def test_missing_text(self):
        self.replace('goodbye = "Goodbye."', "")
        self.assert_fault("goodbye has no text")

    def test_unknown_text(self):
        self.replace('goodbye = "Goodbye."', 'goodbye = "Goodbye."\nadieu = "Adieu."')
        self.assert_fault("adieu is no prompt")

    def test_unknown_recording(self):
        shutil.copy(self.folder / "goodbye.wav", self.folder / "adieu.wav")
        self.assert_fault("adieu.wav is no prompt")

    def test_missing_licence(self):
        self.replace("licence = ", "license = ")
        self.assert_fault("pack.toml lacks licence")

    def test_folder_not_named_after_its_locale(self):
        self.replace('"en-US"', '"en-GB"')
        self.assert_fault("not named after its locale en-GB")

    def test_wrong_rate(self):
        self.write_recording(self.read_recording(), rate=8000)
        self.assert_fault("8000 Hz")

    def test_stereo(self):
        self.write_recording(self.read_recording(), channels=2)
        self.assert_fault("2 channels")

    def test_no_wav_file(self):
        self.write("goodbye.wav", "Goodbye!")
        self.assert_fault("is no PCM WAV file")

    def test_too_short(self):
        self.write_recording(self.read_recording()[:4000])
        self.assert_fault("is shorter than")

    def test_empty(self):
        self.write_recording([])
        self.assert_fault("is shorter than")

    def test_silent(self):
        self.write_recording([0] * 16000)
        self.assert_fault("has a loudness outside")

    def test_too_quiet(self):
        self.write_recording([sample // 10 for sample in self.read_recording()])
        self.assert_fault("has a loudness outside")

    def test_clipped(self):
        samples = self.read_recording()
        samples[len(samples) // 2] = 32767
        self.write_recording(samples)
        self.assert_fault("is clipped")

    def test_silence_before_the_words(self):
        self.write_recording([0] * 16000 + list(self.read_recording()))
        self.assert_fault("1.0 s of silence before")

    def test_silence_after_the_words(self):
        self.write_recording(list(self.read_recording()) + [0] * 16000)
        self.assert_fault("of silence after")

    def test_tone(self):
        self.write_recording(
            int(3000 * (math.sin(at * 0.27) + math.sin(at * 0.47))) for at in range(16000)
        )
        self.assert_fault("is a tone, not speech")

    def test_recording_of_an_older_text(self):
        wav = (self.folder / "goodbye.wav").read_bytes()
        made = f'[said]\ngoodbye = "Bye."\n[sha256]\ngoodbye = "{hashlib.sha256(wav).hexdigest()}"\n'
        self.write("synthesized.toml", made)
        self.assert_fault("says an older text")

    def test_a_persons_recording_is_trusted(self):
        self.write("synthesized.toml", '[said]\ngoodbye = "Bye."\n[sha256]\ngoodbye = "00"\n')
        self.assertEqual(self.faults(), [])


class ShippedPacksTest(unittest.TestCase):
    """Proves the recordings of SP-14 and the text of SP-32."""

    def test_en_us_and_ja_jp_are_shipped_complete(self):
        folders = {folder.name: folder for folder in pack_folders()}
        for locale in ("en-US", "ja-JP"):
            self.assertEqual(check.pack_faults(folders[locale], prompt_ids()), [])

    def test_the_prescribed_text_for_a_missing_template(self):
        texts = {folder.name: check.Pack.read(folder).texts for folder in pack_folders()}
        self.assertEqual(
            texts["en-US"]["no-template"],
            "This device could not be associated to your account. "
            "Please contact the System administrator to complete provisioning.",
        )
        self.assertEqual(
            texts["ja-JP"]["no-template"],
            "デバイスをアカウントに関連付けることができませんでした。"
            "プロビジョニングを完了するには、システム管理者に問い合わせてください。",
        )


if __name__ == "__main__":
    unittest.main()
