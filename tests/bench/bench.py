#!/usr/bin/env python3
"""Measures the server on loopback, beside its peers in the same run, and prints a line a figure.
Ends with 1, and with a last line that names them, when figures miss their limits."""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

from jackfield import Server, free_port, wait_for, temporary  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")


AT_MOST, AT_LEAST = "at most", "at least"
Figure = namedtuple("Figure", "part name unit side limit of", defaults=(None, None, None))

# Every figure and its limit. With `of`, the limit is one of the ratio to that peer in the same run.
FIGURES = {figure.name: figure for figure in [
    Figure("register", "register-fresh", "us", AT_MOST, 1 / 3, "kamailio"),
    Figure("register", "register-refresh", "us", AT_MOST, 1 / 3, "kamailio"),
    Figure("register", "register-failed", "phones", AT_MOST, 0),
    Figure("register", "memory-steady", "MB", AT_MOST, 400),
    Figure("register", "memory-peak-bulk-edit", "MB", AT_MOST, 600),
    Figure("start", "start-to-first-registration", "s", AT_MOST, 2),
    Figure("start", "idle", "cores", AT_MOST, 0.01),
    Figure("files", "phone-files", "files/s", AT_LEAST, 20_000),
    Figure("files", "phone-files-60000-to-60", "x", AT_LEAST, 0.9),
    Figure("ivr", "ivr-100-calls", "cores", AT_MOST, 0.15),
    Figure("ivr", "ivr-clock-deviation-p50", "ms"),
    Figure("ivr", "ivr-clock-deviation-p99", "ms"),
    Figure("ivr", "ivr-clock-deviation-p99.9", "ms", AT_MOST, 2),
    Figure("boot", "boot-storm", "s"),
    Figure("boot", "boot-storm-refusals", "answers"),
    Figure("boot", "boot-storm-failed", "phones", AT_MOST, 0),
    Figure("provision", "provisioned", "s"),
    Figure("provision", "provisioned-lost", "users", AT_MOST, 0),
    Figure("provision", "provisioned-half", "phones", AT_MOST, 0),
    Figure("provision", "provisioned-doubled", "phones", AT_MOST, 0),
]}
said, missed = set(), []


def say(name, value, peer=None):
    """Prints a figure and judges it; unit and limit stand in the table."""
    figure = FIGURES[name]
    said.add(name)
    line = f"{name}: {digits(value)} {figure.unit}"
    judged, measure = value, figure.unit
    if peer:
        line += f" | {peer[0]}: {digits(peer[1])} {figure.unit} | ratio {value / peer[1]:.3g}"
        if figure.of:
            judged, measure = value / peer[1], f"of {figure.of}"
    elif figure.limit:
        line += f" | {figure.side}: {digits(figure.limit)} | ratio {value / figure.limit:.3g}"
    print(line, flush=True)
    if figure.of and not (peer and peer[0] == figure.of):
        missed.append(f"{name} (not measured beside {figure.of})")
    elif not within(figure, judged):
        missed.append(f"{name} {digits(judged)} ({figure.side} {digits(figure.limit)} {measure})")


def digits(value):
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"


def within(figure, value):
    if figure.limit is None:
        return True
    return value <= figure.limit if figure.side == AT_MOST else value >= figure.limit


def measure(name, part):
    """Runs a part; what it should have said and did not is missed too."""
    try:
        part()
    except Exception:  # noqa: BLE001 - the other parts are still worth knowing about
        traceback.print_exc()
    for figure in FIGURES.values():
        if figure.part == name and figure.name not in said:
            missed.append(f"{figure.name} (not measured)")


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


def credentials(server, count, workers=8):
    """User names and passwords from the phones' own files, as a provisioning network gets them."""
    from concurrent.futures import ThreadPoolExecutor
    import http.client

    def some(part):
        door = http.client.HTTPConnection("127.0.0.1", server.files)
        rows = []
        for n in part:
            door.request("GET", f"/00000{1000000 + n}.txt")
            text = door.getresponse().read().decode()
            rows.append(dict(line.split("=", 1) for line in text.splitlines() if "=" in line))
        return rows
    parts = [range(start, count, workers) for start in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        rows = [row for rows in pool.map(some, parts) for row in rows]
    return [(row["auth-user"], row["password"]) for row in rows]


class Kamailio:
    """The peer, with two children and everything in memory."""

    def __init__(self, users):
        self.port = free_port()
        self.folder = temporary("kamailio-")
        with open(os.path.join(HERE, "kamailio.cfg")) as file:
            text = file.read().replace("PORT!5070", f"PORT!{self.port}").replace("USERS!60000", f"USERS!{users}")
        path = os.path.join(self.folder, "kamailio.cfg")
        with open(path, "w") as file:
            file.write(text)
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            ["kamailio", "-f", path, "-m", "1024", "-M", "16", "-DD", "-E", "-w", self.folder],
            stdout=subprocess.DEVNULL, stderr=open(os.path.join(self.folder, "log"), "w"))

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def users_file(pairs):
    path = tempfile.mktemp(suffix=".csv")
    with open(path, "w") as file:
        file.write("SEQUENTIAL\n")
        for user, password in pairs:
            file.write(f"{user};[authentication username={user} password={password}]\n")
    return path


REFRESHES = 3


def scenario(refreshes):
    with open(os.path.join(HERE, "register.xml")) as file:
        text = file.read().replace("[wait]", "200")
    once = re.search(r"  <pause milliseconds.*(?=</scenario>)", text, flags=re.S).group(0)
    again = "".join(once.replace("CSeq: 3", f"CSeq: {3 + n}") for n in range(REFRESHES))
    text = text.replace(once, again if refreshes else "")
    path = tempfile.mktemp(suffix=".xml")
    with open(path, "w") as file:
        file.write(text)
    return path


def register(port, pids, users, count, rate, refreshes, own=free_port()):
    """CPU seconds that the server takes for `count` phones, and SIPp's failures. The phones keep
    their port, so that the next run refreshes their contacts."""
    before = cpu(pids)
    folder = temporary("sipp-")
    done = subprocess.run(
        ["sipp", f"127.0.0.1:{port}", "-sf", scenario(refreshes), "-inf", users, "-i", "127.0.0.1",
         "-p", str(own), "-r", str(rate), "-m", str(count), "-l", "15000",
         "-nostdin", "-timeout", "180s"],
        cwd=folder, capture_output=True, text=True)
    time.sleep(0.2)
    failed = re.findall(r"Failed call\s*\|\s*\d+\s*\|\s*(\d+)", done.stdout)
    return cpu(pids) - before, int(failed[-1]) if failed else -1


def bench_register(binary, count, rate):
    kamailio = Kamailio(count)
    try:
        time.sleep(4)
        secret = users_file([(f"SEP00000{1000000 + n}", "secret") for n in range(count)])
        peer = children(kamailio.process.pid)
        fresh, failed_peer = register(kamailio.port, peer, secret, count, rate, False)
        both, failed_peer_both = register(kamailio.port, peer, secret, count, rate // (REFRESHES + 1), True)
        peer_fresh, peer_refresh = fresh / count * 1e6, (both - fresh) / count / REFRESHES * 1e6
    finally:
        kamailio.stop()
    print(f"# kamailio: {failed_peer} and {failed_peer_both} of {count} failed")
    with big_server(binary, count) as server:
        users = users_file(credentials(server, count))
        pids = [server.process.pid]
        fresh, failed = register(server.sip, pids, users, count, rate, False)
        both, failed_both = register(server.sip, pids, users, count, rate // (REFRESHES + 1), True)
        print(f"# jackfield: {failed} and {failed_both} of {count} failed")
        say("register-failed", abs(failed) + abs(failed_both))
        say("register-fresh", fresh / count * 1e6, ("kamailio", peer_fresh))
        say("register-refresh", (both - fresh) / count / REFRESHES * 1e6, ("kamailio", peer_refresh))
        bench_memory(server, count)


BIG = {}


def big_server(binary, count, model="Generic SIP phone"):
    """A server with `count` phones, lines and users; made once, then started warm."""
    if (count, model) not in BIG:
        folder = temporary("jackfield-big-")
        server = Server(binary, folder, ["--sample-company", str(count), "--sample-phones", model])
        began = time.monotonic()
        server.start(600)
        print(f"# made {count} phones, lines and users in {time.monotonic() - began:.1f} s")
        server.sign_in()
        server.cli("set", "cluster-settings", "--provisioning-networks", "127.0.0.0/8")
        server.stop()
        BIG[count, model] = folder
    return Server(binary, BIG[count, model])


def bench_memory(server, count):
    time.sleep(3)
    steady = pss(server.process.pid)
    say("memory-steady", steady)
    peak, done = steady, []
    edit = subprocess.Popen(
        [sys.executable, os.path.join(HERE, "bulk_edit.py"), server.url, server.folder],
        stdout=subprocess.PIPE, text=True)
    while edit.poll() is None:
        peak = max(peak, pss(server.process.pid))
        time.sleep(0.05)
    done = edit.stdout.read().strip()
    peak = max(peak, pss(server.process.pid))
    print(f"# bulk edit: {done}")
    say("memory-peak-bulk-edit", peak)


def first_registration(port, user, password):
    """Registers by hand until it is accepted."""
    from digest import register_once
    while not register_once(port, user, password):
        time.sleep(0.01)


def bench_start(binary, count):
    with big_server(binary, count) as server:
        users = credentials(server, 1)
    # Once more warm: what a restart takes.
    server = big_server(binary, count)
    began = time.monotonic()
    import threading
    starter = threading.Thread(target=server.start, args=(60,))
    starter.start()
    first_registration(server.sip, *users[0])
    took = time.monotonic() - began
    starter.join()
    time.sleep(2)
    before, since = cpu([server.process.pid]), time.monotonic()
    time.sleep(5)
    idle = (cpu([server.process.pid]) - before) / (time.monotonic() - since)
    server.stop()
    kamailio = Kamailio(count)
    first_registration(kamailio.port, "SEP000001000000", "secret")
    peer = time.monotonic() - kamailio.began
    kamailio.stop()
    say("start-to-first-registration", took, peer=("kamailio", peer))
    say("idle", idle)


def bench_files(binary, count):
    """A few phones and many, in turns, so that both meet the same machine; the middle of each."""
    few, rates = 60, {60: [], count: []}
    with big_server(binary, few, "Cisco 7841") as one, big_server(binary, count, "Cisco 7841") as other:
        for _ in range(5):
            rates[few].append(files_a_second(one, few))
            rates[count].append(files_a_second(other, count))
    few, many = statistics.median(rates[few]), statistics.median(rates[count])
    for phones, all_of in rates.items():
        print(f"# {phones} phones: {', '.join(f'{rate:.0f}' for rate in all_of)} files/s")
    say("phone-files", many)
    say("phone-files-60000-to-60", many / few)


def files_a_second(server, phones):
    done = subprocess.run(
        ["wrk", "-t1", "-c8", "-d3s", "-s", os.path.join(HERE, "files.lua"),
         f"http://127.0.0.1:{server.files}"],
        capture_output=True, text=True, env={**os.environ, "PHONES": str(phones)})
    errors = re.search(r"Non-2xx[^\n]*|Socket errors[^\n]*", done.stdout)
    if errors:
        raise AssertionError(errors.group(0))
    return float(re.search(r"Requests/sec:\s*([\d.]+)", done.stdout).group(1))


def phone_tool(binary, *words):
    done = subprocess.run([binary, "phone", *map(str, words)], capture_output=True, text=True, timeout=900)
    for line in (done.stdout + done.stderr).splitlines():
        print("# " + line)
    return done


def bench_boot(binary, count):
    with Server(binary, arguments=["--sample-company", "5"]) as server:
        server.sign_in()
        open_to_newcomers(server)
        done = phone_tool(
            binary, "fleet", "--sip-port", server.sip, "--tftp-port", server.tftp, "--http-port",
            server.files, "--count", count, "--fetch", "tftp", "--transport", "tcp", "--make", "enterprise")
        counted = server.counters()
    print("# by the server: " + ", ".join(
        f"{name} {counted.get(name, 0)}" for name in ("newcomers", "newcomers-delayed", "newcomers-refused",
                                                      "requests-shed", "registrations")))
    found = re.search(r"(\d+) of \d+ phones in service after ([\d.]+) s \((\d+) refusals", done.stdout)
    say("boot-storm", float(found.group(2)))
    say("boot-storm-refusals", int(found.group(3)))
    say("boot-storm-failed", count - int(found.group(1)))


def bench_ivr(binary, calls):
    """A hundred calls in G.711: prompts play, a tone comes from each phone and a key every 3 seconds.

    The deviation is that of the server's packets from their own timestamps, by the times at which
    the kernel took them (`SO_TIMESTAMPNS`): what delays the phones' process does not count, what
    delays the server's does. It counts from the soonest packet of each stream, and nothing is left
    out. Beside it a thread of the same rank that only waits for each millisecond says how much of
    it is the machine's.
    """
    with Server(binary, arguments=["--sample-company", "5"]) as server:
        server.sign_in()
        open_to_newcomers(server)
        server.cli("self-provisioning", "set", "--start-delay-seconds", "0", "--restart", "now")
        load = subprocess.Popen(
            [binary, "phone", "ivr-load", "--sip-port", str(server.sip), "--tftp-port", str(server.tftp),
             "--http-port", str(server.files), "--count", str(calls), "--make", "generic", "--seconds", "25"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

        def all_up():
            """a hundred calls"""
            return server.json("status")["calls_connected"] >= calls
        wait_for(all_up, 90, every=0.5)
        time.sleep(2)
        beside = Beside({server.process.pid, load.pid})
        before, began = cpu([server.process.pid]), time.monotonic()
        time.sleep(15)
        used, took = cpu([server.process.pid]) - before, time.monotonic() - began
        print(f"# the server's media thread: {rank(server.process.pid, 'media')}")
        print(f"# beside the server and the phones of this measurement: {beside}")
        out = load.communicate(timeout=120)[0]
        print("# " + out.strip().replace("\n", "\n# "))
        say("ivr-100-calls", used / took)
        ivr_clock(out)


def ivr_clock(out):
    """Deviation of the packets from their clock, beside that of a thread that only waits."""
    def figures(name):
        line = re.search(rf"^{name}.*", out, flags=re.M)
        found = re.findall(r"(p[\d.]+|worst) (\d+) us", line.group(0) if line else "")
        return {key: int(value) / 1000 for key, value in found}
    packets, timer = figures("deviation from the 20 ms clock"), figures("timer alone")
    for part in ("p50", "p99", "p99.9"):
        peer = ("timer alone", max(timer[part], 0.001)) if timer else None
        say(f"ivr-clock-deviation-{part}", packets[part], peer=peer)


def open_to_newcomers(server):
    node = server.json("list", "node")[0]["name"]
    server.cli("set", "auto-registration", node, "--starting-number", "80000", "--ending-number", "89999",
               "--unassigned-limit", "20000", "--per-minute", "100000")


def bench_provision(binary, count):
    with Server(binary, arguments=["--sample-company", str(count)]) as server:
        server.sign_in()
        open_to_newcomers(server)
        server.cli("self-provisioning", "set", "--start-delay-seconds", "0", "--restart", "now")
        extensions = [user["self_service_id"] or user["primary_extension"]["name"]
                      for user in server.json("list", "end-user")]
        listing = tempfile.mktemp()
        with open(listing, "w") as file:
            file.writelines(f"{extension} 73519\n" for extension in extensions[:count])
        done = phone_tool(binary, "self-provision", "--sip-port", server.sip, "--tftp-port",
                   server.tftp, "--http-port", server.files, "--users", listing, "--at-once", 100,
                   "--pilot", "2000")
        phones = server.json("list", "phone")
        owned = [phone for phone in phones if phone["owner"] and not phone["auto_registered"]]
        owners = {phone["owner"]["name"] for phone in owned}
    found = re.search(r"phones provisioned in ([\d.]+) s", done.stdout)
    say("provisioned", float(found.group(1)))
    say("provisioned-lost", count - len(owners))
    say("provisioned-half", len(phones) - len(owned))
    say("provisioned-doubled", len(owned) - len(owners))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--phones", type=int, default=60_000)
    parser.add_argument("--rate", type=int, default=3_000)
    parser.add_argument("only", nargs="*", help="register, start, files, boot, ivr, provision")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"# {os.cpu_count()} cores, load {load:.2f} before")
    parts = {
        "register": lambda: bench_register(options.binary, options.phones, options.rate),
        "start": lambda: bench_start(options.binary, options.phones),
        "files": lambda: bench_files(options.binary, options.phones),
        "ivr": lambda: bench_ivr(options.binary, 100),
        "boot": lambda: bench_boot(options.binary, 5000),
        "provision": lambda: bench_provision(options.binary, 1000),
    }
    if unknown := set(options.only) - set(parts):
        parser.error(f"no such part: {', '.join(unknown)}")
    for name, part in parts.items():
        if not options.only or name in options.only:
            measure(name, part)
    if missed:
        print(f"bench: FAIL missed: {'; '.join(missed)}")
        return 1
    print(f"bench: PASS {len(said)} figures, none beyond its limit")
    return 0


if __name__ == "__main__":
    sys.exit(main())
