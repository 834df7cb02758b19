"""What processes take: time, memory, their place among others."""

import os
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


def cpu(pids):
    """User and system seconds of these processes so far."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def pss(pid):
    """Proportional set size in MB."""
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) / 1024


class Beside:
    """What else takes the processors meanwhile: everything but these processes."""

    def __init__(self, ours):
        self.ours, self.began = ours, time.monotonic()
        self.before, self.machine = self.processes(), self.whole()

    @staticmethod
    def processes():
        """Name and seconds so far of each process, by its number and when it began."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as stat:
                    head, rest = stat.read().rsplit(")", 1)
            except OSError:
                continue
            fields = rest.split()
            seconds = (int(fields[11]) + int(fields[12])) / TICK
            found[int(pid), fields[19]] = head.split("(", 1)[1], seconds
        return found

    @staticmethod
    def whole():
        """Busy and stolen seconds of the whole machine so far."""
        with open("/proc/stat") as stat:
            user, nice, system, _idle, _wait, irq, softirq, steal = map(int, stat.readline().split()[1:9])
        return (user + nice + system + irq + softirq) / TICK, steal / TICK

    def __str__(self):
        took = time.monotonic() - self.began
        spent = [(key[0], name, seconds - self.before.get(key, (name, 0))[1])
                 for key, (name, seconds) in self.processes().items()]
        busy, stolen = (now - then for now, then in zip(self.whole(), self.machine))
        ours = sum(seconds for pid, _, seconds in spent if pid in self.ours)
        names = {}
        for pid, name, seconds in spent:
            if pid not in self.ours:
                names[name] = names.get(name, 0) + seconds / took
        top = sorted(names.items(), key=lambda item: -item[1])[:4]
        listed = ", ".join(f"{name} {cores:.2f}" for name, cores in top if cores >= 0.005)
        # What began and ended meanwhile is in the sum only.
        return (f"{max(busy - ours, 0) / took:.2f} cores of others ({listed or 'none over 0.005'}), "
                f"{stolen / took:.3f} stolen by the host, load {os.getloadavg()[0]:.2f}")


def rank(pid, thread):
    """How the scheduler ranks a thread of a process."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/stat") as stat:
            head, rest = stat.read().rsplit(")", 1)
        if head.split("(", 1)[1] == thread:
            fields = rest.split()
            policy = {0: "ordinary", 1: "FIFO", 2: "round robin"}.get(int(fields[38]), fields[38])
            return f"{policy}, priority {fields[37]}, nice {fields[16]}"
    return "not there"


def children(pid):
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    return [pid, *map(int, found)]
