"""baresip, a SIP phone that knows nothing of this server: it registers as a stranger, dials the
self-provisioning number, keys in ID and PIN, is assigned, takes its file, registers as its owner's
extension, and calls a second one.

# Proves SP-12.a, SP-15.a, SP-43.e, SP-44.a and SP-54.b with a foreign phone.
"""

import math
import os
import re
import struct
import subprocess
import wave

from jackfield import Server, free_port, free_ports, set_up_self_provisioning, wait_for, temporary

CONFIG = """\
poll_method epoll
sip_listen 127.0.0.1:{sip}
sip_trans_def {transport}
audio_path /usr/share/baresip
audio_player aufile,{folder}/heard.wav
audio_source aufile,{folder}/said.wav
audio_alert aufile,{folder}/alert.wav
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports {rtp}-{rtp_end}
rtcp_enable yes
module_path /usr/lib/baresip/modules
module stdio.so
module g711.so
module aufile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app rtcpsummary.so
call_max_calls 4
call_local_timeout 60
net_interface 127.0.0.1
"""


def write_tone(path, hertz=440, seconds=60):
    """What the phone's user says: a tone, at 8 kHz."""
    with wave.open(path, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        samples = (int(8000 * math.sin(2 * math.pi * hertz * n / 8000)) for n in range(8000 * seconds))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))


class Baresip:
    """One baresip process with a folder and a terminal of its own."""

    def __init__(self, account, transport="udp"):
        self.folder = temporary("baresip-")
        rtp = free_ports(40)
        with open(os.path.join(self.folder, "config"), "w") as config:
            config.write(CONFIG.format(
                sip=free_port(), transport=transport, folder=self.folder,
                rtp=rtp, rtp_end=rtp + 39))
        with open(os.path.join(self.folder, "accounts"), "w") as accounts:
            accounts.write(account + "\n")
        open(os.path.join(self.folder, "contacts"), "w").close()
        write_tone(os.path.join(self.folder, "said.wav"))
        # stdio reads keys one by one from a terminal.
        self.master, terminal = os.openpty()
        self.log_path = os.path.join(self.folder, "log")
        self.log = open(self.log_path, "wb")
        self.process = subprocess.Popen(
            ["baresip", "-f", self.folder], stdin=terminal, stdout=self.log, stderr=self.log)
        os.close(terminal)

    def text(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def type(self, keys):
        os.write(self.master, keys.encode())

    def press(self, keys):
        """One key after the other, each once the one before is over: of two that wait for a busy baresip it
        sends the second alone."""
        over = "send DTMF digit end:"
        for key in keys:
            before = self.text().count(over)
            self.type(key)
            wait_for(lambda: self.text().count(over) > before, every=0.02)

    def command(self, line):
        self.type(f"/{line}\n")

    def wait(self, pattern, seconds=20):
        def seen():
            if self.process.poll() is not None:
                raise AssertionError("baresip ended by itself")
            return re.search(pattern, self.text())
        seen.__doc__ = f"baresip says {pattern!r}"
        try:
            wait_for(seen, seconds)
        except AssertionError:
            print(self.text()[-3000:])
            raise

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        os.close(self.master)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def account(server, fields=None, mac=None):
    if fields is None:
        return f"<sip:{mac}@127.0.0.1:{server.sip};transport=udp>;auth_pass=none;regint=60;audio_codecs=PCMU/8000/1"
    return (f"<sip:{fields['user']}@127.0.0.1:{server.sip};transport=udp>;auth_user={fields['auth-user']};"
            f"auth_pass={fields['password']};regint=60;audio_codecs=PCMU/8000/1;answermode=auto")


def fields_of(text):
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key: value for key, value in pairs}


def is_spoken_to(server):
    """Sound of the IVR is on its way: what it asks can be answered."""
    said = server.counters()["media-packets-sent"]
    wait_for(lambda: server.counters()["media-packets-sent"] > said + 10)


def provision(server, mac, extension, pin):
    """One stranger becomes the extension's phone; returns its new settings."""
    with Baresip(account(server, mac=mac)) as phone:
        phone.wait("200 OK")
        device = f"SEP{mac.upper()}"

        def newcomer():
            """the newcomer's phone object"""
            return any(row["name"] == device for row in server.json("list", "phone"))
        wait_for(newcomer, 40)
        assert server.json("show", "phone", device)["auto_registered"] is True
        phone.command("dial 2000")
        phone.wait("Call established")
        is_spoken_to(server)
        phone.press(extension + "#" + pin + "#")

        def assigned():
            """the assignment; a key does nothing before its question is asked, and after it is answered"""
            phone.type("1")
            return server.json("show", "phone", device)["auto_registered"] is False
        try:
            wait_for(assigned, 20, every=0.5)
        except AssertionError:
            print(phone.text()[-2000:])
            raise
        phone.wait("session closed")
    fields = fields_of(server.fetch(f"{mac}.txt"))
    assert fields["user"] == extension, fields
    assert "password" in fields, "the window for the assigned phone is not open"
    stranger = fields_of(server.fetch(f"{mac}.txt", source="127.0.0.66"))
    assert stranger["user"] == extension and "password" not in stranger, "the window is open to everybody"
    return fields


def run(binary):
    users = [("tanaka", "3001", "73519"), ("suzuki", "3002", "86427")]
    with Server(binary) as server:
        server.sign_in()
        set_up_self_provisioning(server, users=users)
        status = server.json("self-provisioning", "status")
        assert status["text"] == "Ready", status
        one = provision(server, "001122334455", "3001", "73519")
        two = provision(server, "001122334466", "3002", "86427")
        with Baresip(account(server, two)) as second, Baresip(account(server, one)) as first:
            first.wait("200 OK")
            second.wait("200 OK")
            first.command("dial 3002")
            first.wait("Call established")
            second.wait("Call established")
            # The first RTCP report comes after five seconds of the call.
            second.wait(r"\[0:00:(0[7-9]|[1-5]\d)\]")
            first.command("hangup")
            second.wait("session closed")
            second.wait("EX=BareSip")
            summary = next(line for line in second.text().splitlines() if "EX=BareSip" in line)
            received = int(re.search(r"PR=(\d+)", summary).group(1))
            assert received > 100, f"only {received} packets of sound passed"
        audit = server.json("audit", "--operation", "assign")
        assert len({row["operation_id"] for row in audit["items"]}) == 2, audit
