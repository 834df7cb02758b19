"""Floods: thousands of made-up hardware addresses, wrong passwords, INVITEs without ACK, half-open
and dripping TCP connections, TFTP requests that nobody acknowledges, tricks in file names. The server
lives, its memory stays bounded, and a phone that belongs here registers and fetches all the while.

The attackers have loopback addresses of their own (127.0.0.66 and up), as they would in a network:
limits count by source. What is sent is paced so that a busy machine with two cores can still be told
from a server that stands still.
"""

import os
import random
import re
import resource
import socket
import struct
import threading
import time
import urllib.error
import urllib.request

from baresip_story import fields_of
from fault_story import Rest, everything
from hand_phone import Call, HandPhone, plain_answer, status_of
from jackfield import Server, wait_for
from mutation_story import answers, memory

# Two seconds is what a person who watches a phone start up may notice of an attack.
PATIENCE = 2.0
# A new connection that has said nothing whole for so long is closed.
FIRST_MESSAGE = 30.0


class Witness(threading.Thread):
    """A phone that belongs here: refreshes, and fetches its file by HTTP and TFTP, again and again;
    keeps what took longest and what failed."""

    def __init__(self, server, fields):
        super().__init__(daemon=True)
        self.server, self.fields = server, fields
        self.phone = HandPhone.of(server, fields)
        self.longest, self.failed, self.rounds = {}, [], 0
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.25):
            self.measure("refresh", self.refresh)
            self.measure("http", self.http)
            self.measure("tftp", self.tftp)
            self.rounds += 1

    def measure(self, name, do):
        began = time.monotonic()
        try:
            good = do()
        except Exception as error:  # noqa: BLE001 - whatever it is, the phone did not get on
            good, name = False, f"{name} ({error})"
        took = time.monotonic() - began
        self.longest[name] = max(self.longest.get(name, 0), took)
        if not good:
            self.failed.append((name, round(took, 2)))

    def refresh(self):
        """As phones do: a 503 is asked again."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.phone.register(PATIENCE)[0] == 200:
                return True
            time.sleep(0.1)
        return False

    def http(self):
        url = f"http://127.0.0.1:{self.server.files}/{self.name_of_file()}"
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return self.fields["password"] in answer.read().decode()

    def tftp(self):
        """As phones do: a request that was lost is sent again, within the same patience."""
        try:
            got = tftp_get(self.server, self.name_of_file(), PATIENCE / 2)
        except TimeoutError:
            got = tftp_get(self.server, self.name_of_file(), PATIENCE / 2)
        return self.fields["password"] in got.decode()

    def name_of_file(self):
        return f"{self.fields['device'][3:]}.txt"

    def finish(self):
        self.over.set()
        self.join(10)
        self.phone.close()
        assert self.rounds >= 5, f"the witness came round only {self.rounds} times"
        assert not self.failed, f"the legitimate phone failed: {self.failed}"
        slow = {name: took for name, took in self.longest.items() if took > PATIENCE}
        assert not slow, f"the legitimate phone waited: {slow}"


def read_request(name):
    return b"\0\1" + (name if isinstance(name, bytes) else name.encode()) + b"\0octet\0"


def tftp_get(server, name, seconds=PATIENCE):
    """A whole file by TFTP; raises what the server says against it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        client.settimeout(seconds)
        client.sendto(read_request(name), ("127.0.0.1", server.tftp))
        whole, block = b"", 1
        while True:
            packet, source = client.recvfrom(2048)
            kind, number = struct.unpack("!HH", packet[:4])
            if kind == 5:
                raise FileNotFoundError(f"{number} {packet[4:-1].decode()}")
            if kind == 3 and number == block:
                whole += packet[4:]
                client.sendto(struct.pack("!HH", 4, block), source)
                block += 1
                if len(packet) < 516:
                    return whole


class Source:
    """A UDP socket of an attacker; counts the status codes that come back."""

    def __init__(self, server, last):
        self.server, self.host = server, f"127.0.0.{last}"
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((self.host, 0))
        self.port, self.seen = self.socket.getsockname()[1], {}

    def message(self, method, user, more="", target=None, body=""):
        tag = os.urandom(8).hex()
        kind = "Content-Type: application/sdp\r\n" if body else ""
        uri = f"sip:{target + '@' if target else ''}127.0.0.1:{self.server.sip}"
        to = target or user
        return (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK{tag}\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:{user}@127.0.0.1>;tag={tag[:6]}\r\nTo: <sip:{to}@127.0.0.1>\r\n"
                f"Call-ID: {tag}\r\nCSeq: 1 {method}\r\nContact: <sip:{user}@{self.host}:{self.port}>\r\n{more}{kind}"
                f"Content-Length: {len(body)}\r\n\r\n{body}").encode()

    def send(self, message):
        self.socket.sendto(message, ("127.0.0.1", self.server.sip))

    def collect(self, seconds=0.0):
        end = time.monotonic() + seconds
        while True:
            self.socket.settimeout(max(0.0, end - time.monotonic()) or 0.000001)
            try:
                text = self.socket.recv(65535).decode(errors="replace")
            except (TimeoutError, BlockingIOError):
                if time.monotonic() >= end:
                    return self.seen
                continue
            except ConnectionError:
                continue
            if text.startswith("SIP/2.0"):
                status = status_of(text)
                self.seen[status] = self.seen.get(status, 0) + 1
            elif text.startswith("OPTIONS"):
                # It is where it says that it is.
                self.send(plain_answer(text).encode())

    def close(self):
        self.socket.close()


def paced(count, per_second):
    """Numbers, no faster than that."""
    began = time.monotonic()
    for number in range(count):
        if number % 50 == 0:
            ahead = number / per_second - (time.monotonic() - began)
            if ahead > 0:
                time.sleep(ahead)
        yield number


def invented(dice):
    """A hardware address that a device can have: not one of a group."""
    return f"{dice.randrange(1 << 48) & ~(1 << 40):012X}"


def unknown_phones(server, count, per_second, dice):
    """Made-up hardware addresses: the rate and the cap hold, others still come in meanwhile."""
    node = server.json("list", "node")[0]["name"]
    server.cli("set", "auto-registration", node, "--per-minute", "120", "--unassigned-limit", "150")
    one = Source(server, 66)
    for number in paced(count // 2, per_second):
        one.send(one.message("REGISTER", f"{invented(dice)}", "Expires: 3600\r\n"))
        if number % 20 == 0:
            one.collect()
    # One source has three quarters of the rate at most; the rest is for honest strangers.
    with HandPhone(server, "0011AA22BB33") as honest:
        status, _ = honest.register()
        assert status == 200, f"an honest stranger from elsewhere was answered {status}"
    several = [Source(server, last) for last in range(67, 75)]
    for number in paced(count // 2, per_second):
        source = several[number % len(several)]
        source.send(source.message("REGISTER", f"SEP{invented(dice)}", "Expires: 3600\r\n"))
        if number % 20 == 0:
            for one_of_them in several:
                one_of_them.collect()
    seen = {}
    for source in [one, *several]:
        for status, times in source.collect(0.2).items():
            seen[status] = seen.get(status, 0) + times
    taken = [phone for phone in everything(server, "phone").values() if phone["auto_registered"]]
    # The burst is the rate of one minute, and some seconds of it came on top.
    assert len(taken) <= 150, f"{len(taken)} unknown phones were taken in; the cap is 150"
    assert seen.get(200, 0) <= 150, seen
    # Where one is by now, others have to answer a challenge: that costs nothing, and takes nobody in.
    assert seen.get(503, 0) + seen.get(401, 0) > count // 2, f"the rate was not held: {seen}"
    # Beyond the cap: 403, for good.
    server.cli("set", "auto-registration", node, "--per-minute", "100000", "--unassigned-limit", str(len(taken)))
    late = Source(server, 80)
    for _ in range(20):
        late.send(late.message("REGISTER", f"SEP{invented(dice)}", "Expires: 3600\r\n"))
    late.collect(1.5)
    assert late.seen.get(403, 0) >= 15 and 200 not in late.seen, f"beyond the cap: {late.seen}"
    for source in [one, late, *several]:
        source.close()


def wrong_passwords(server, fields, count, per_second):
    """Guessing at a phone's secret: refused, then silence; the phone itself is not locked out."""
    guesser = Source(server, 90)
    uri = f"sip:127.0.0.1:{server.sip}"
    guesser.send(guesser.message("REGISTER", fields["user"]))
    guesser.socket.settimeout(3)
    challenge = guesser.socket.recv(65535).decode()
    realm, nonce = (re.search(rf'{name}="([^"]*)"', challenge).group(1) for name in ("realm", "nonce"))
    for number in paced(count, per_second):
        credentials = (f'Authorization: Digest username="{fields["auth-user"]}",realm="{realm}",nonce="{nonce}",uri="{uri}",'
                       f'response="{number:032x}",qop=auth,nc={number + 1:08x},cnonce="x",algorithm=MD5\r\n')
        guesser.send(guesser.message("REGISTER", fields["user"], credentials))
        if number % 100 == 0:
            guesser.collect()
    seen = guesser.collect(0.5)
    assert 200 not in seen, seen
    assert seen.get(401, 0) >= 1, f"nothing was refused: {seen}"
    assert sum(seen.values()) < count / 2, f"guessing on and on is answered on and on: {seen}"
    with HandPhone.of(server, fields) as phone:
        status, _ = phone.register()
        assert status == 200, f"the phone whose secret was guessed at was answered {status}"
    guesser.close()


def invites_without_ack(server, fields, called, count, per_second):
    """Of strangers and of a phone of ours, to numbers that are there and that are not; the answers
    are never acknowledged."""
    stranger = Source(server, 91)
    sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.91\r\ns=-\r\nc=IN IP4 127.0.0.91\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
    for number in paced(count, per_second):
        stranger.send(stranger.message("INVITE", "anybody", target=("2000", "9999999", called)[number % 3], body=sdp))
        if number % 100 == 0:
            stranger.collect()
    seen = stranger.collect(0.5)
    assert 200 not in seen and (401 in seen or 403 in seen or 503 in seen), f"strangers call: {seen}"
    stranger.close()
    own = HandPhone.of(server, fields)
    assert own.register()[0] == 200
    for number in range(60):
        call = Call(own, ("999999", called)[number % 2])
        own.send(call.invite())
    return own


def half_open(server, idle, dripping):
    """Connections that say nothing, and such that say it octet by octet."""
    silent = []
    for port, share in ((server.sip, idle), (server.files, idle // 4), (server.http, idle // 4)):
        for number in range(share):
            stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            stream.bind((f"127.0.0.{100 + number % 50}", 0))
            stream.settimeout(5)
            stream.connect(("127.0.0.1", port))
            silent.append((port, stream))
    drips = []
    for number in range(dripping):
        stream = socket.create_connection(("127.0.0.1", server.sip), timeout=5,
                                          source_address=(f"127.0.0.{160 + number % 50}", 0))
        drips.append(stream)
    return Drips(server, silent, drips)


class Drips(threading.Thread):
    """Keeps the connections and lets a drop fall on each every second."""

    LINE = b"REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKx\r\nX-Long: " + b"drip " * 1000

    def __init__(self, server, silent, drips):
        super().__init__(daemon=True)
        self.server, self.silent, self.drips = server, silent, drips
        self.began, self.over, self.closed = time.monotonic(), threading.Event(), 0
        self.start()

    def run(self):
        number = 0
        while not self.over.wait(1.0):
            for stream in list(self.drips):
                try:
                    stream.send(self.LINE[number:number + 1])
                except OSError:
                    self.drips.remove(stream)
                    self.closed += 1
            number += 1

    def check(self):
        """After the time for a first message both kinds are closed, at the SIP door."""
        left = FIRST_MESSAGE + 6 - (time.monotonic() - self.began)
        if left > 0:
            time.sleep(left)
        self.over.set()
        self.join(5)
        still = [stream for port, stream in self.silent if port == self.server.sip and not is_closed(stream)]
        assert not still, f"{len(still)} silent connections are open after {FIRST_MESSAGE:.0f} s"
        dripping = [stream for stream in self.drips if not is_closed(stream)]
        assert not dripping, (f"{len(dripping)} connections that drip an octet a second are open after "
                              f"{time.monotonic() - self.began:.0f} s without a whole message")

    def close(self):
        self.over.set()
        for stream in [stream for _, stream in self.silent] + self.drips:
            stream.close()


def is_closed(stream):
    stream.settimeout(0.01)
    try:
        return stream.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def unacknowledged_reads(server, names, count, per_second):
    """From many ports of a few addresses; what is sent is never acknowledged."""
    served = 0
    for first in range(0, count, 4000):
        sockets = []
        try:
            for number in paced(min(4000, count - first), per_second):
                client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                sockets.append(client)
                client.bind((f"127.0.0.{210 + number % 8}", 0))
                client.sendto(read_request(names[number % len(names)]), ("127.0.0.1", server.tftp))
            for client in sockets:
                client.setblocking(False)
                try:
                    served += client.recv(2048)[:2] == b"\0\3"
                except OSError:
                    pass  # Nothing came.
        finally:
            for client in sockets:
                client.close()
    assert served > 0, "not one was served"


TRICKS = [
    "../key", "../../etc/passwd", "/etc/passwd", "//etc/passwd", "..\\..\\key", "C:\\key", "SEP001122334455.cnf.xml/../../key",
    "./key", ".../key", "%2e%2e/key", "%2e%2e%2fkey", "..%2fkey", "%252e%252e%252fkey", "..%c0%afkey", "key%00.txt",
    "Cisco/../../key", "Cisco/CP-7832-3PCC/../key", "key", "jackfield.db", "data/key", "quarantine", "epoch", "server.log",
    "a" * 200, "a" * 480, "SEP" + "0" * 400 + ".cnf.xml", "file:///etc/passwd", "http://127.0.0.1/", "~root/.profile", ";id", "$(id)", "|id",
    "SEP00112233445G.cnf.xml", "SEP.cnf.xml", ".cnf.xml", "%n%n%n%s.txt", "\u202etxt.xml", " ", "\t",
]


def path_tricks(server, secrets):
    """No name leads to anything but a phone's file, by TFTP or by HTTP."""
    raw = [name.encode() for name in TRICKS] + [b"\xff\xfe.txt", b"a\r\nb", b"key\x01.txt"]
    for name in raw:
        try:
            got = tftp_get(server, name)
            raise AssertionError(f"TFTP gave {len(got)} octets for {name!r}")
        except FileNotFoundError:
            pass
        except TimeoutError:
            raise AssertionError(f"TFTP said nothing to {name!r}") from None
    # Requests that are none: no answer, or an error; and no harm.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        for packet in (b"", b"\0", b"\0\1", b"\0\1a", b"\0\1a\0", b"\0\1a\0octet", b"\0\1\0octet\0", b"\0\1key\0\0octet\0",
                       b"\0\2key\0octet\0", b"\0\1a\0mail\0", b"\0\1" + b"a" * 60000, b"\0\1a\0octet\0blksize\0-1\0",
                       b"\0\1a\0octet\0" + b"blksize\00099999999999\0" * 30, b"\0\4\0\1", b"\0\5\0\0", b"\xff\xff"):
            client.sendto(packet, ("127.0.0.1", server.tftp))
    for port in (server.files, server.http):
        for name in raw:
            path = b"/" + name.replace(b" ", b"%20").replace(b"\t", b"%09").replace(b"\r\n", b"%0d%0a").replace(b"\x01", b"%01")
            answer = raw_http(port, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            status = answer.split(b" ", 2)[1:2]
            assert status and status[0] in (b"400", b"404", b"414", b"431"), f"HTTP {port} to {path!r}: {answer[:120]!r}"
            for secret in secrets:
                assert secret not in answer, f"HTTP {port} gave a secret for {path!r}"
        raw_http(port, b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        raw_http(port, b"GET /\0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        raw_http(port, b"\x16\x03\x01\x02\x00", half_close=True)


def raw_http(port, request, half_close=False):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as stream:
        whole = b""
        try:
            stream.sendall(request)
            if half_close:
                stream.shutdown(socket.SHUT_WR)
            while len(whole) < 100_000 and (part := stream.recv(65536)):
                whole += part
        except OSError:
            pass
        return whole


def run(binary, count=4000, per_second=1500, seed=20_261_121, growth=64 * 1024):
    dice = random.Random(seed)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    try:
        arguments = ["--sample-company", "12", "--sample-phones"]
        with Server(binary, arguments=arguments) as server:
            flood(server, count, per_second, dice, growth)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def flood(server, count, per_second, dice, growth):
    server.sign_in()
    server.cli("set", "cluster-settings", "--provisioning-networks", "127.0.0.1/32")
    node = server.json("list", "node")[0]["name"]
    server.cli("set", "auto-registration", node, "--starting-number", "90000", "--ending-number", "99999",
               "--disabled", "false")
    users = [fields_of(server.fetch(f"{name[3:]}.txt")) for name in sorted(everything(server, "phone"))]
    witness = Witness(server, users[0])
    witness.start()
    called = HandPhone.of(server, users[1])
    assert called.register()[0] == 200
    wait_for(lambda: witness.rounds > 2)
    before = memory(server)
    streams = half_open(server, idle=400, dripping=100)
    own = None
    try:
        own = invites_without_ack(server, users[2], users[1]["user"], count, per_second)
        unknown_phones(server, count, per_second, dice)
        wrong_passwords(server, users[3], count // 2, per_second)
        unacknowledged_reads(server, [f"{user['device'][3:]}.txt" for user in users], count, per_second)
        path_tricks(server, [users[0]["password"].encode()])
        after = memory(server)
        streams.check()
        witness.finish()
        # Calls that nobody acknowledged have ended by themselves (64 × T1 and a BYE).
        wait_for(lambda: Rest(server).ask("GET", "/status")[1]["calls"] == 0, 20, every=0.5)
        wait_for(lambda: answers(server))
        # Transactions live 32 s, transfers that nobody confirms some seconds, each of a few kB: for
        # some ten thousand messages that is some ten MB, and as much again for what the allocator
        # keeps (measured: 22 MB). A server that queues without bound passes any bound when `count`
        # is raised, as tests/soak does.
        assert after < before + growth, f"memory went from {before} to {after} kB"
        return before, after, dict(witness.longest)
    finally:
        streams.close()
        called.close()
        if own:
            own.close()
