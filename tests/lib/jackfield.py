"""A server for tests: the real binary on loopback ports of its own, ended when the test ends."""

import atexit
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

PASSWORD = "a-Long-test-password-1"


# Below the range from which the system takes the ports of outgoing connections, and below the
# server's ports for sound: nobody else takes one between its choice and its use.
PORTS = range(10000, 16000)
_next_port = random.randrange(len(PORTS))


def free_port():
    """A port of 127.0.0.1 that is free for TCP and UDP both, and given out once."""
    global _next_port
    for _ in PORTS:
        port = PORTS[_next_port % len(PORTS)]
        _next_port += 1
        try:
            for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return port
    raise AssertionError(f"no free port in {PORTS}")


def free_ports(count):
    """As many in a row, the first one even: a range for sound."""
    while True:
        first = free_port()
        if first % 2 == 0 and all(free_port() == first + n for n in range(1, count)):
            return first


def temporary(prefix):
    """A folder that goes with this process."""
    path = tempfile.mkdtemp(prefix=prefix)
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def wait_for(what, seconds=20, every=0.1):
    """Calls `what` until it returns something true; says so when it never does."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"never came: {getattr(what, '__doc__', None) or what}")
        time.sleep(every)


class Server:
    """`jackfield serve` with its data in a folder of its own."""

    def __init__(self, binary, data=None, arguments=(), database=None):
        self.binary = os.path.abspath(binary)
        self.folder = data or temporary("jackfield-")
        self.sip, self.http = free_port(), free_port()
        self.files, self.tftp = free_port(), free_port()
        self.arguments, self.database = list(arguments), database
        self.one_time_password = None
        self.lines = []
        self.process = None

    def start(self, seconds=30):
        command = [
            self.binary, "serve", "--data", self.folder, "--address", "127.0.0.1",
            "--sip", f"127.0.0.1:{self.sip}", "--http", f"127.0.0.1:{self.http}",
            "--files", f"127.0.0.1:{self.files}", "--tftp", f"127.0.0.1:{self.tftp}",
            *self.arguments,
        ]
        if self.database:
            command += ["--database", self.database]
        self.log = open(os.path.join(self.folder, "server.log"), "ab")
        # However the story ends: no server outlives it.
        atexit.register(self.stop)
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.log, text=True, stdin=subprocess.DEVNULL
        )
        ready, up = threading.Event(), threading.Event()

        def read():
            for line in self.process.stdout:
                self.lines.append(line.rstrip("\n"))
                found = re.search(r"one-time password[^:]*: (\S+)", line)
                if found:
                    self.one_time_password = found.group(1)
                if line.startswith("ready:"):
                    up.set()
                    ready.set()
            ready.set()  # It says no more: it ends.

        threading.Thread(target=read, daemon=True).start()
        if not ready.wait(seconds) or not up.is_set() or self.process.poll() is not None:
            self.stop()
            raise AssertionError("the server did not start:\n" + self.tail())
        return self

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def tail(self):
        with open(os.path.join(self.folder, "server.log"), errors="replace") as log:
            return "".join(log.readlines()[-40:]) + "\n".join(self.lines[-20:])

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind:
            print("--- the server's last lines ---\n" + self.tail())
        self.stop()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http}"

    def cli(self, *words, stdin="", check=True, language=None):
        """Runs the command line as a person would; returns what it printed."""
        environment = {
            **os.environ, "JACKFIELD_SERVER": self.url,
            "XDG_CONFIG_HOME": os.path.join(self.folder, "config"),
            **({"LC_ALL": language} if language else {}),
        }
        done = subprocess.run(
            [self.binary, *map(str, words)], input=stdin, text=True, capture_output=True,
            env=environment, timeout=120,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"jackfield {' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
        return done.stdout if check else done

    def json(self, *words, **more):
        return json.loads(self.cli("--json", *words, **more))

    def sign_in(self):
        """The first administrator's first minute."""
        self.cli("login", "admin", stdin=self.one_time_password + "\n")
        self.cli("password", "admin", stdin=PASSWORD + "\n")
        self.cli("login", "admin", stdin=PASSWORD + "\n")

    def metrics(self, pattern):
        """What the metrics page says of something by name; the pattern finds name and figure."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as answer:
            page = answer.read().decode()
        return {name: int(count) for name, count in re.findall(pattern, page)}

    def counters(self):
        """What the server counted since its start, by name."""
        return self.metrics(r'(?m)^jackfield_(?:events_total|now)\{name="([^"]*)"\} (\d+)$')

    def held(self, use):
        """What is held at this moment of something that is limited."""
        return self.metrics(r'(?m)^jackfield_limit_held\{use="([^"]*)"\} (\d+)$')[use]

    def fetch(self, name, port=None, source=None):
        """a phone's file, as whoever asks from the source address gets it"""
        at = (source, 0) if source else None
        door = http.client.HTTPConnection("127.0.0.1", port or self.files, timeout=10, source_address=at)
        try:
            door.request("GET", f"/{name}")
            answer = door.getresponse()
            assert answer.status == 200, (name, answer.status)
            return answer.read().decode()
        finally:
            door.close()


def set_up_self_provisioning(server, pilot="2000", users=(), first="9000", last="9099"):
    """The task flow of the documents, by the command line alone. Proves nothing by itself."""
    server.cli("services", "activate", "cti-manager")
    server.cli("add", "line", "--number", pilot, "--alerting-name", "Self-provisioning")
    server.cli("add", "cti-route-point", "--name", "IVR", "--device-pool", "Default", "--lines", pilot)
    server.cli(
        "add", "application-user", "--user-id", "ivr", "--groups",
        "Standard CTI Enabled", "--controlled-route-points", "IVR",
    )
    server.cli("password", "ivr", stdin=PASSWORD + "x\n")
    node = server.json("list", "node")[0]["name"]
    server.cli(
        "set", "auto-registration", node, "--starting-number", first, "--ending-number", last,
        "--disabled", "false",
    )
    server.cli("set", "user-profile", "Default", "--allow-self-provisioning", "true")
    server.cli(
        "self-provisioning", "set", "--route-point", "IVR", "--application-user", "ivr",
        "--start-delay-seconds", "0", "--restart", "later",
    )
    server.cli("services", "activate", "self-provisioning-ivr")
    for user, extension, pin in users:
        server.cli("quick-add", user, "--template", "Default", "--extension", extension)
        server.cli("pin", user, stdin=pin + "\n")
