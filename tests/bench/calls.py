"""Calls through a server by SIPp on both sides: ringing, answered, a second of silence, hung up."""

import os
import re
import subprocess
import tempfile
import time

from jackfield import free_port, temporary
from processes import cpu
from registering import failed_calls, phones, register, users_file

SCENARIOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop", "sipp")
SECONDS = 20


def ends():
    """The ports of those who call and of those who are called; they keep them, as phones do."""
    return free_port(), free_port()


def cost(port, pids, users, rate, ends, asks=True):
    """Microseconds of processor time that the server takes for each call, and how many failed."""
    callers, called = users[:len(users) // 2], users[len(users) // 2:]
    here, there = ends
    for own, side in ((here, callers), (there, called)):
        _, failed = register(port, pids, users_file(side), len(side), 1000, False, own)
        if failed:
            raise AssertionError(f"{failed} phones did not register")
    pairs = users_file([(*caller, other[0]) for caller, other in zip(callers, called)])
    count = rate * SECONDS
    folder = temporary("sipp-")
    common = ["-i", "127.0.0.1", "-l", "10000", "-m", str(count), "-nostdin", "-timeout", "120s"]
    answering = subprocess.Popen(
        ["sipp", f"127.0.0.1:{port}", "-sf", called_side(), "-p", str(there), *common],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        before = cpu(pids)
        done = subprocess.run(
            ["sipp", f"127.0.0.1:{port}", "-sf", calling_side(asks), "-inf", pairs, "-p", str(here),
             "-r", str(rate), *common], cwd=folder, capture_output=True, text=True)
        # What the last calls leave behind is theirs too.
        time.sleep(1)
        used = cpu(pids) - before
    finally:
        answering.kill()
        answering.wait()
    return used / count * 1e6, failed_calls(done.stdout)


def own_phones(server, count):
    """Each registers with its number and its own secret."""
    return [(row["user"], row["auth-user"], row["password"]) for row in phones(server, count)]


def peers_phones(count):
    names = [f"SEP00000{1000000 + n}" for n in range(count)]
    return [(name, name, "secret") for name in names]


def calling_side(asks):
    """The caller of the stories; where the server does not ask who calls, its first INVITE is taken."""
    text = scenario("answer.xml")
    if not asks:
        blocks = text.split("  <send", 3)
        text = blocks[0] + "  <send" + blocks[3].replace("      [field1]\n", "")
    return kept(text)


def called_side():
    """Who answers says back by which way the call came (RFC 3261 section 12.1.1)."""
    text = scenario("answering.xml")
    return kept(re.sub(r"(      \[last_Via:\]\n)", r"\1      [last_Record-Route:]\n", text))


def scenario(name):
    with open(os.path.join(SCENARIOS, name)) as file:
        return file.read()


def kept(text):
    path = tempfile.mktemp(suffix=".xml")
    with open(path, "w") as file:
        file.write(text)
    return path
