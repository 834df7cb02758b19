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
# A round of one rate at one server; the rounds of all take turns, so that a machine that grows faster or
# slower meanwhile does so for all of them.
SECONDS = 6


class Callers:
    """Phones of one server, half of which call the others. Those who call and those who are called each
    keep their port, as phones do."""

    def __init__(self, port, pids, users, asks=True):
        self.port, self.pids = port, pids
        self.own, self.there = free_port(), free_port()
        callers, called = users[:len(users) // 2], users[len(users) // 2:]
        for own, side in ((self.own, callers), (self.there, called)):
            _, failed = register(port, pids, users_file(side), len(side), 1000, False, own)
            if failed:
                raise AssertionError(f"{failed} phones did not register")
        self.pairs = users_file([(*caller, other[0]) for caller, other in zip(callers, called)])
        self.calling, self.answering = calling_side(asks), called_side()
        self.spent, self.count, self.failed = {}, {}, 0

    def call(self, rate):
        """So many calls a second for a round."""
        count = rate * SECONDS
        folder = temporary("sipp-")
        common = ["-i", "127.0.0.1", "-l", "10000", "-m", str(count), "-nostdin", "-timeout", "120s"]
        answering = subprocess.Popen(
            ["sipp", f"127.0.0.1:{self.port}", "-sf", self.answering, "-p", str(self.there), *common],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            before = cpu(self.pids)
            done = subprocess.run(
                ["sipp", f"127.0.0.1:{self.port}", "-sf", self.calling, "-inf", self.pairs,
                 "-p", str(self.own), "-r", str(rate), *common], cwd=folder, capture_output=True, text=True)
            # What the last calls leave behind is theirs too.
            time.sleep(1)
            used = cpu(self.pids) - before
        finally:
            answering.kill()
            answering.wait()
        self.spent[rate] = self.spent.get(rate, 0) + used
        self.count[rate] = self.count.get(rate, 0) + count
        self.failed += abs(failed_calls(done.stdout))
        return used / count * 1e6

    def cost(self, rate):
        """Microseconds of processor time that the server took for each call."""
        return self.spent[rate] / self.count[rate] * 1e6


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
