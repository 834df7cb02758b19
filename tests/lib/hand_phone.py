"""A SIP phone made by hand, for tests that must decide on every step: it registers (with the nonce
it holds when it has one), calls, answers, presses keys by INFO, and does nothing unasked."""

import hashlib
import os
import re
import socket
import struct
import threading
import time

HOST = "127.0.0.1"
# Silence in PCMU, of either sign.
SILENCE = b"\xff\x7f"


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def header(text, name):
    found = re.search(rf"(?im)^{re.escape(name)}\s*:\s*(.*?)\s*$", text)
    return found.group(1) if found else ""


def status_of(text):
    return int(text.split(" ", 2)[1])


def plain_answer(request):
    """200 to a request outside of every call."""
    lines = [line for line in request.split("\r\n") if line.lower().startswith(("via:", "v:"))]
    lines += [f"{name}: {header(request, name)}" for name in ("From", "To", "Call-ID", "CSeq")]
    return "\r\n".join(["SIP/2.0 200 OK", *lines, "Content-Length: 0\r\n\r\n"])


class Digest:
    """What a phone knows of a challenge; a nonce is used again with the next count."""

    def __init__(self, user, password):
        self.user, self.password = user, password
        self.realm = self.nonce = None
        self.count = 0

    def challenged(self, answer):
        for line in re.findall(r"(?im)^(?:WWW|Proxy)-Authenticate\s*:\s*(.*)$", answer):
            if "SHA-256" in line:
                continue
            self.realm = re.search(r'realm="([^"]*)"', line).group(1)
            self.nonce = re.search(r'nonce="([^"]*)"', line).group(1)
            self.opaque = re.search(r'opaque="([^"]*)"', line)
            self.count = 0
            return True
        return False

    def header(self, method, uri):
        if self.nonce is None or self.password is None:
            return ""
        self.count += 1
        count, mine = f"{self.count:08x}", os.urandom(4).hex()
        secret, what = md5(f"{self.user}:{self.realm}:{self.password}"), md5(f"{method}:{uri}")
        response = md5(f"{secret}:{self.nonce}:{count}:{mine}:auth:{what}")
        opaque = f',opaque="{self.opaque.group(1)}"' if self.opaque else ""
        return (f'Authorization: Digest username="{self.user}",realm="{self.realm}",nonce="{self.nonce}",'
                f'uri="{uri}",response="{response}",qop=auth,nc={count},cnonce="{mine}",algorithm=MD5{opaque}\r\n')


class HandPhone:
    """One phone on a UDP port of its own. `user` is what it registers; without a password it
    answers no challenge; `host` is the address of loopback at which it is."""

    def __init__(self, server, user, auth_user=None, password=None, answers=True, agent=None, events=None, host=HOST):
        self.host = host
        self.port, self.user, self.answers, self.agent, self.events = server.sip, user, answers, agent, events
        self.digest = Digest(auth_user or user, password)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.socket.settimeout(0.2)
        self.here = self.socket.getsockname()[1]
        self.sound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sound.bind((host, 0))
        self.call_id, self.number = os.urandom(8).hex(), 0
        self.responses, self.requests = [], []
        self.changed, self.ended = threading.Condition(), False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    @classmethod
    def of(cls, server, fields, **more):
        """From what the server's plain file says."""
        return cls(server, fields["user"], fields["auth-user"], fields["password"], **more)

    def close(self):
        self.ended = True
        self.reader.join(2)
        self.socket.close()
        self.sound.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # What others ask of it.

    def _read(self):
        while not self.ended:
            try:
                text = self.socket.recv(65535).decode(errors="replace")
            except (TimeoutError, ConnectionError):
                continue
            except OSError:
                return
            with self.changed:
                (self.responses if text.startswith("SIP/2.0") else self.requests).append(text)
                self.changed.notify_all()
            if not text.startswith(("SIP/2.0", "ACK")):
                self._answer(text)

    def _answer(self, request):
        method = request.split(" ", 1)[0]
        if method == "INVITE" and not self.answers:
            return
        vias = "".join(f"{line}\r\n" for line in request.split("\r\n") if line.lower().startswith(("via:", "v:")))
        routes = "".join(f"{line}\r\n" for line in request.split("\r\n") if line.lower().startswith("record-route:"))
        to = header(request, "To")
        if "tag=" not in to:
            to += f";tag={md5(header(request, 'Call-ID'))[:8]}"
        body = self.sdp() if method == "INVITE" else ""
        kind = "Content-Type: application/sdp\r\n" if body else ""
        self.send(f"SIP/2.0 200 OK\r\n{vias}{routes}From: {header(request, 'From')}\r\nTo: {to}\r\n"
                  f"Call-ID: {header(request, 'Call-ID')}\r\nCSeq: {header(request, 'CSeq')}\r\n"
                  f"Contact: <sip:{self.user}@{self.host}:{self.here}>\r\n{kind}Content-Length: {len(body)}\r\n\r\n{body}")

    # What it asks.

    def sdp(self):
        return (f"v=0\r\no=- 1 1 IN IP4 {self.host}\r\ns=-\r\nc=IN IP4 {self.host}\r\nt=0 0\r\n"
                f"m=audio {self.sound.getsockname()[1]} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n")

    def send(self, text):
        self.socket.sendto(text.encode(), (HOST, self.port))

    def request(self, method, uri, to, call_id, number, tag, more="", body="", branch=None, contact=True):
        branch = branch or f"z9hG4bK{os.urandom(8).hex()}"
        mine = f"Contact: <sip:{self.user}@{self.host}:{self.here}>\r\n" if contact else ""
        mine += f"User-Agent: {self.agent}\r\n" if self.agent else ""
        mine += f"Allow-Events: {self.events}\r\n" if self.events else ""
        return (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {self.host}:{self.here};branch={branch};rport\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:{self.user}@{HOST}>;tag={tag}\r\nTo: {to}\r\nCall-ID: {call_id}\r\n"
                f"CSeq: {number} {method}\r\n{mine}{more}Content-Length: {len(body)}\r\n\r\n{body}")

    def ask(self, text, seconds=8, final=True):
        """Sends until the (final) answer to just this request comes; '' when none does."""
        call_id, cseq, end = header(text, "Call-ID"), header(text, "CSeq"), time.monotonic() + seconds
        branch, repeat, pause = re.search(r"branch=([^;\r]+)", text).group(1), 0.0, 0.5
        with self.changed:
            while True:
                fits = [answer for answer in self.responses
                        if header(answer, "Call-ID") == call_id and header(answer, "CSeq") == cseq
                        and branch in answer]
                done = [answer for answer in fits if status_of(answer) >= 200 or not final]
                if done:
                    self.responses = [one for one in self.responses if one not in done]
                    return done[0]
                now = time.monotonic()
                if now > end:
                    return ""
                if now >= repeat and not fits:
                    self.send(text)
                    repeat, pause = now + pause, pause * 2
                self.changed.wait(0.05)

    def register(self, seconds=8, expires=3600):
        """The status of the last answer, and how many requests it took; (0, n) without an answer."""
        uri, tag = f"sip:{HOST}:{self.port}", md5(self.call_id)[:8]
        for asked in (1, 2):
            self.number += 1
            more = f"Expires: {expires}\r\n{self.digest.header('REGISTER', uri)}"
            answer = self.ask(self.request("REGISTER", uri, f"<sip:{self.user}@{HOST}>", self.call_id,
                                           self.number, tag, more), seconds)
            if not answer:
                return 0, asked
            status = status_of(answer)
            if status != 401 or self.digest.password is None or not self.digest.challenged(answer):
                return status, asked
        return status, 2

    def call(self, number, seconds=10):
        """Calls and waits for the final answer."""
        return Call(self, number).place(seconds)

    def wait_request(self, method, seconds=8):
        end = time.monotonic() + seconds
        with self.changed:
            while not any(text.startswith(method + " ") for text in self.requests):
                if time.monotonic() > end:
                    raise AssertionError(f"{self.user}: no {method} came")
                self.changed.wait(0.05)


class Call:
    """A call that a phone placed."""

    def __init__(self, phone, number):
        self.phone = phone
        self.uri, self.to = f"sip:{number}@{HOST}:{phone.port}", f"<sip:{number}@{HOST}>"
        self.target, self.tag, self.call_id = self.uri, os.urandom(4).hex(), os.urandom(8).hex()
        self.number, self.status, self.answer, self.over = 0, 0, "", False

    def invite(self):
        self.number += 1
        more = self.phone.digest.header("INVITE", self.uri) + "Content-Type: application/sdp\r\n"
        return self.phone.request("INVITE", self.uri, self.to, self.call_id, self.number, self.tag, more,
                                  self.phone.sdp())

    def place(self, seconds):
        for _ in range(2):
            text = self.invite()
            self.answer = self.phone.ask(text, seconds)
            self.status = status_of(self.answer) if self.answer else 0
            if self.status == 0:
                return self
            to = header(self.answer, "To")
            if 200 <= self.status < 300:
                self.to = to
                self.target = re.search(r"<([^>]+)>", header(self.answer, "Contact")).group(1)
                self.phone.send(self.phone.request("ACK", self.target, to, self.call_id, self.number, self.tag))
                threading.Thread(target=self._breathe, daemon=True).start()
                return self
            branch = re.search(r"branch=([^;\r]+)", text).group(1)
            self.phone.send(self.phone.request("ACK", self.uri, to, self.call_id, self.number, self.tag, branch=branch))
            if self.status not in (401, 407) or not self.phone.digest.challenged(self.answer):
                return self
        return self

    def _breathe(self):
        """Sends a packet of silence a second: who sends nothing is not there, and hears nothing more."""
        place = re.search(r"(?m)^m=audio (\d+)", self.answer)
        number, began = 0, time.monotonic()
        while place and not self.over and not self.phone.ended:
            number += 1
            stamp = int((time.monotonic() - began) * 8000)
            packet = struct.pack("!BBHII", 0x80, 0, number, stamp, 0x6A66) + b"\xff" * 160
            try:
                self.phone.sound.sendto(packet, (HOST, int(place.group(1))))
            except OSError:
                return
            time.sleep(1)

    def within(self, method, more="", body="", seconds=8):
        self.number += 1
        answer = self.phone.ask(self.phone.request(method, self.target, self.to, self.call_id, self.number,
                                                   self.tag, more, body), seconds)
        return status_of(answer) if answer else 0

    def press(self, keys, pause=0.03):
        for key in keys:
            status = self.within("INFO", "Content-Type: application/dtmf-relay\r\n",
                                 f"Signal={key}\r\nDuration=100\r\n", seconds=3)
            if status != 200:
                return status
            time.sleep(pause)
        return 200

    def hear(self, seconds=8):
        """Waits until the other side says something from now on: what it asks next can be answered. The
        words themselves stay to be listened to."""
        sound, end = self.phone.sound, time.monotonic() + seconds
        sound.settimeout(0)
        try:
            while sound.recv(2048):
                pass
        except BlockingIOError:
            pass
        while True:
            sound.settimeout(max(0.01, end - time.monotonic()))
            try:
                packet = sound.recv(2048, socket.MSG_PEEK)
            except TimeoutError:
                raise AssertionError(f"{self.phone.user}: nothing is said") from None
            if packet[12:].strip(SILENCE):
                return
            sound.recv(2048)

    def hang_up(self):
        self.over = True
        return self.within("BYE")
