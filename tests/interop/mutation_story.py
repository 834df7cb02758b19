"""Ten thousand mutated datagrams, and broken streams, against the running server: by its own count
it reads every single one, it goes on serving, and does not grow."""

import os
import random
import socket

from jackfield import Server, wait_for

SEEDS = [
    b"REGISTER sip:%(h)s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%(p)d;branch=z9hG4bK1;rport\r\n"
    b"Max-Forwards: 70\r\nFrom: <sip:SEP001122334455@%(h)s>;tag=1\r\nTo: <sip:SEP001122334455@%(h)s>\r\n"
    b"Call-ID: a@b\r\nCSeq: 1 REGISTER\r\nContact: <sip:x@127.0.0.1:%(p)d>;expires=60\r\n"
    b'Authorization: Digest username="SEP001122334455",realm="jackfield",nonce="x",uri="sip:%(h)s",'
    b'response="0123456789abcdef0123456789abcdef",qop=auth,nc=00000001,cnonce="y"\r\nContent-Length: 0\r\n\r\n',
    b"INVITE sip:2000@%(h)s SIP/2.0\r\nv: SIP/2.0/UDP 127.0.0.1:%(p)d;branch=z9hG4bK2\r\nf: <sip:a@%(h)s>;tag=2\r\n"
    b"t: <sip:2000@%(h)s>\r\ni: c@d\r\nCSeq: 1 INVITE\r\nMax-Forwards: 5\r\nm: <sip:a@127.0.0.1:%(p)d>\r\n"
    b"c: application/sdp\r\nl: 94\r\n\r\nv=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
    b"t=0 0\r\nm=audio 40000 RTP/AVP 0 101\r\n",
    b"OPTIONS sip:%(h)s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%(p)d;branch=z9hG4bK3\r\nFrom: <sip:a@b>;tag=3\r\n"
    b"To: <sip:%(h)s>\r\nCall-ID: e@f\r\nCSeq: 7 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:%(p)d;branch=z9hG4bK4\r\nFrom: <sip:a@b>;tag=4\r\n"
    b"To: <sip:a@b>;tag=5\r\nCall-ID: g@h\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
]
PIECES = [b"\r\n", b"\r\n\r\n", b"\0", b"\xff\xfe", b"%00", b";", b",", b'"', b"<", b">", b"-1", b"99999999999999999999",
          b"Content-Length: -5\r\n", b"Content-Length: 4\r\nContent-Length: 9\r\n", b"l: 70000\r\n", b"Via: \r\n", b":" * 50]


def mutate(message, dice):
    message = bytearray(message)
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(message) + 1)
        what = dice.randrange(5)
        if what == 0 and message:
            message[at % len(message)] = dice.randrange(256)
        elif what == 1:
            message[at:at] = dice.choice(PIECES)
        elif what == 2:
            del message[at:at + dice.randint(1, 40)]
        elif what == 3:
            message[at:at] = message[: dice.randint(0, 200)]
        else:
            message[at:] = b""
    return bytes(message[:60000])


def memory(server):
    with open(f"/proc/{server.process.pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))


def answers(server):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        probe.settimeout(1)
        values = {b"h": f"127.0.0.1:{server.sip}".encode(), b"p": probe.getsockname()[1]}
        tag = os.urandom(6).hex().encode()
        message = (SEEDS[2] % values).replace(b"z9hG4bK3", b"z9hG4bK" + tag).replace(b"e@f", tag)
        probe.sendto(message, ("127.0.0.1", server.sip))
        try:
            return b"SIP/2.0 200" in probe.recv(65535)
        except TimeoutError:
            return False


class Witness:
    """Compares what was sent with what the server counted, from this moment on."""

    def __init__(self, server):
        self.server = server
        self.before = server.counters()

    def since(self, name):
        return self.server.counters().get(name, 0) - self.before.get(name, 0)

    def reads(self, name, count):
        """Waits until the server has counted so many; returns its count."""
        def all_of_them():
            assert self.server.process.poll() is None, "the server ended"
            return self.since(name) >= count
        try:
            wait_for(all_of_them, seconds=20, every=0.005)
        except AssertionError:
            raise AssertionError(f"{name}: {self.since(name)} of {count}; {self.server.counters()}") from None
        return self.since(name)

    def nothing_was_spared(self):
        """The kernel dropped none, and none was turned away before it was looked at."""
        for name in ("datagrams-lost", "requests-shed", "sip-shed", "streams-refused"):
            assert self.since(name) == 0, f"{name}: {self.since(name)}"


# So many datagrams are under way at once: far fewer than the smallest buffer of a kernel holds, and
# than those from which on the server thinks itself behind.
WAVE = 200
# Streams open at once. One with a request that is never answered stays for some seconds.
STREAMS = 200


def pour(server, count, seed):
    """Sends so many datagrams, and a fiftieth as many streams; proves that all were read."""
    dice = random.Random(seed)
    witness = Witness(server)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        source.bind(("127.0.0.1", 0))
        values = {b"h": f"127.0.0.1:{server.sip}".encode(), b"p": source.getsockname()[1]}
        seeds = [seed % values for seed in SEEDS]
        # A mutated Via may name the server's own port: then it hears its own answer.
        own = 0
        for number in range(1, count + 1):
            source.sendto(mutate(dice.choice(seeds), dice), ("127.0.0.1", server.sip))
            if number % WAVE == 0 or number == count:
                own = witness.reads("datagrams-received", number + own) - number
        assert own <= 1 + count // 10_000, f"the server sent itself {own} of {count}"
    streams = count // 50
    for first in range(0, streams, STREAMS):
        pour_streams(server, seeds, min(STREAMS, streams - first), dice)
    opened = witness.reads("streams-opened", streams)
    assert opened == streams, f"{opened} streams, though {streams} were opened"
    witness.nothing_was_spared()


def pour_streams(server, seeds, count, dice):
    """Some messages in a row on each; the server has read them when it closes in its turn."""
    opened = []
    for _ in range(count):
        stream = socket.create_connection(("127.0.0.1", server.sip), timeout=10)
        opened.append(stream)
        message = b"".join(mutate(dice.choice(seeds), dice) for _ in range(3))
        try:
            for at in range(0, len(message), 700):
                stream.sendall(message[at:at + 700])
            stream.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # Closed on us, as it may.
    for stream in opened:
        with stream:
            closes(stream)


def closes(stream):
    """Reads until the other side closes; a timeout is an error."""
    try:
        while stream.recv(65536):
            pass
    except ConnectionError:
        pass  # Closed with something of ours unread: the stream was broken before.


def run(binary, count=10_000, seed=20_261_121):
    with Server(binary) as server:
        pour(server, 1000, seed)
        before = memory(server)
        pour(server, count, seed + 1)
        wait_for(lambda: answers(server))
        after = memory(server)
        assert after < before + 32 * 1024, f"memory went from {before} to {after} kB"
        print(f"  {count} datagrams and {count // 50} streams sent and read; memory {before} to {after} kB")
