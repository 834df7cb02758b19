#!/usr/bin/env python3
"""Measures the server on loopback, beside its peers in the same run, and prints a line a figure.
Ends with 1, and with a last line that names them, when figures miss their limits."""

import argparse
import http.client
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

import calls  # noqa: E402
from calls import Callers  # noqa: E402
from jackfield import Server, wait_for, temporary  # noqa: E402
from peers import Kamailio, Nginx  # noqa: E402
from processes import Beside, children, cpu, pss, rank  # noqa: E402
from registering import REFRESHES, credentials, register, users_file  # noqa: E402

AT_MOST, AT_LEAST = "at most", "at least"
Figure = namedtuple("Figure", "part name unit side limit of anyhow", defaults=(None,) * 4)

# Every figure and its limit. With `of`, the limit is one of the ratio to that peer in the same run;
# what is within `anyhow` is good whatever the peer does.
FIGURES = {figure.name: figure for figure in [
    Figure("register", "register-fresh", "us", AT_MOST, 1 / 3, "kamailio"),
    Figure("register", "register-refresh", "us", AT_MOST, 1 / 3, "kamailio"),
    Figure("register", "register-failed", "phones", AT_MOST, 0),
    Figure("register", "memory-steady", "MB", AT_MOST, 400),
    Figure("register", "memory-peak-bulk-edit", "MB", AT_MOST, 600),
    Figure("start", "start-to-first-registration", "s", AT_MOST, 2),
    Figure("start", "idle", "cores", AT_MOST, 0.01),
    Figure("calls", "call-100", "us", AT_MOST, 0.65, "kamailio"),
    Figure("calls", "call-300", "us", AT_MOST, 0.4, "kamailio"),
    Figure("calls", "call-failed", "calls", AT_MOST, 0),
    Figure("files", "phone-files", "files/s", AT_LEAST, 0.8, "nginx"),
    Figure("files", "phone-files-60000-to-60", "x", AT_LEAST, 0.9),
    Figure("ivr", "ivr-100-calls", "cores", AT_MOST, 1.5, "bare sender and receiver"),
    Figure("ivr", "ivr-memory-kept", "MB", AT_MOST, 10),
    # Of the timer of a thread that only waits, in the same seconds; what is small is good anyhow.
    Figure("ivr", "ivr-clock-deviation-p50", "ms", AT_MOST, 1.25, "timer alone", 0.083),
    Figure("ivr", "ivr-clock-deviation-p99", "ms", AT_MOST, 1.25, "timer alone", 0.27),
    Figure("ivr", "ivr-clock-deviation-p99.9", "ms", AT_MOST, 1.25, "timer alone", 2),
    # The clocks of phones and server decide how long these take, not the machine.
    Figure("boot", "boot-storm", "s", AT_MOST, 7.7),
    Figure("boot", "boot-storm-refusals", "answers", AT_MOST, 3_400),
    Figure("boot", "boot-storm-boots", "boots", AT_MOST, 11_500),
    Figure("boot", "boot-storm-failed", "phones", AT_MOST, 0),
    Figure("provision", "provisioned", "s", AT_MOST, 199),
    Figure("provision", "provisioned-calls", "calls", AT_MOST, 1_200),
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
    if peer:
        line += f" | {peer[0]}: {digits(peer[1])} {figure.unit} | ratio {value / peer[1]:.3g}"
    elif figure.limit:
        line += f" | {figure.side}: {digits(figure.limit)} | ratio {value / figure.limit:.3g}"
    print(line, flush=True)
    if fault := shortfall(figure, value, peer):
        missed.append(f"{name} {fault}")


def shortfall(figure, value, peer):
    """How a figure misses its limit, if it does."""
    if figure.limit is None:
        return None
    if not figure.of:
        good, measured, measure = within(figure.side, value, figure.limit), value, figure.unit
    elif not (peer and peer[0] == figure.of):
        return f"(not measured beside {figure.of})"
    else:
        measured, measure = value / peer[1], f"of {figure.of}"
        good = within(figure.side, measured, figure.limit) or (
            figure.anyhow is not None and within(figure.side, value, figure.anyhow))
    return None if good else f"{digits(measured)} ({figure.side} {digits(figure.limit)} {measure})"


def digits(value):
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"


def within(side, value, limit):
    return value <= limit if side == AT_MOST else value >= limit


def measure(name, part):
    """Runs a part; what it should have said and did not is missed too."""
    try:
        part()
    except Exception:  # noqa: BLE001 - the other parts are still worth knowing about
        traceback.print_exc()
    for figure in FIGURES.values():
        if figure.part == name and figure.name not in said:
            missed.append(f"{figure.name} (not measured)")


def bench_register(binary, count, rate):
    kamailio = Kamailio(count)
    try:
        time.sleep(4)
        secret = users_file(calls.peers_phones(count))
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
    first_registration(server.sip, users[0][1], users[0][2])
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
    """A few phones and many, and a peer with the files of the many, in turns, so that all meet the same
    machine; the middle of each."""
    few, rates = 60, {"few": [], "many": [], "nginx": []}
    with big_server(binary, few, "Cisco 7841") as one, big_server(binary, count, "Cisco 7841") as other, \
            Nginx(kept_files(other, count)) as nginx:
        for _ in range(5):
            rates["few"].append(files_a_second(one.files, few))
            rates["many"].append(files_a_second(other.files, count))
            rates["nginx"].append(files_a_second(nginx.port, count))
    for who, all_of in rates.items():
        print(f"# {who}: {', '.join(f'{rate:.0f}' for rate in all_of)} files/s")
    few, many, peer = (statistics.median(rates[who]) for who in ("few", "many", "nginx"))
    say("phone-files", many, ("nginx", peer))
    say("phone-files-60000-to-60", many / few)


def kept_files(server, count):
    """A folder with the files of all phones as the server renders them."""
    folder = temporary("files-")
    os.chmod(folder, 0o755)
    door = http.client.HTTPConnection("127.0.0.1", server.files)
    for n in range(count):
        name = f"SEP00000{1000000 + n}.cnf.xml"
        door.request("GET", f"/{name}")
        with open(os.path.join(folder, name), "wb") as file:
            file.write(door.getresponse().read())
    return folder


def files_a_second(port, phones):
    done = subprocess.run(
        ["wrk", "-t1", "-c8", "-d3s", "-s", os.path.join(HERE, "files.lua"),
         f"http://127.0.0.1:{port}"],
        capture_output=True, text=True, env={**os.environ, "PHONES": str(phones)})
    errors = re.search(r"Non-2xx[^\n]*|Socket errors[^\n]*", done.stdout)
    if errors:
        raise AssertionError(errors.group(0))
    return float(re.search(r"Requests/sec:\s*([\d.]+)", done.stdout).group(1))


ROUNDS = 4


def bench_calls(binary, people=2000, rates=(100, 300)):
    """Half of the phones call the others. The peer does not ask who calls, the server does."""
    kamailio = Kamailio(people)
    try:
        time.sleep(2)
        peer = Callers(kamailio.port, children(kamailio.process.pid), calls.peers_phones(people), asks=False)
        with big_server(binary, people) as server:
            own = Callers(server.sip, [server.process.pid], calls.own_phones(server, people))
            for rate in rates * ROUNDS:
                print(f"# {rate} calls a second: kamailio {peer.call(rate):.0f} us, here {own.call(rate):.0f} us")
    finally:
        kamailio.stop()
    print(f"# kamailio: {peer.failed} calls failed")
    for rate in rates:
        say(f"call-{rate}", own.cost(rate), ("kamailio", peer.cost(rate)))
    say("call-failed", own.failed)


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
    found = re.search(r"(\d+) of \d+ phones in service after ([\d.]+) s \((\d+) boots, (\d+) refusals", done.stdout)
    say("boot-storm", float(found.group(2)))
    say("boot-storm-boots", int(found.group(3)))
    say("boot-storm-refusals", int(found.group(4)))
    say("boot-storm-failed", count - int(found.group(1)))


def bench_ivr(binary, calls):
    """A hundred calls in G.711: prompts play, a tone comes from each phone and a key every 3 seconds.

    The deviation is that of the server's packets from their own timestamps, by the times at which
    the kernel took them (`SO_TIMESTAMPNS`): what delays the phones' process does not count, what
    delays the server's does. It counts from the soonest packet of each stream, and nothing is left
    out. Beside it a thread of the same rank that only waits for each millisecond says how much of
    it is the machine's. What the server's work costs stands beside what it costs a program to send
    and receive as many packets and do nothing else, in the same seconds.
    """
    with Server(binary, arguments=["--sample-company", "5"]) as server:
        server.sign_in()
        open_to_newcomers(server)
        server.cli("self-provisioning", "set", "--start-delay-seconds", "0", "--restart", "now")
        time.sleep(2)
        rested = pss(server.process.pid)
        load = subprocess.Popen(
            [binary, "phone", "ivr-load", "--sip-port", str(server.sip), "--tftp-port", str(server.tftp),
             "--http-port", str(server.files), "--count", str(calls), "--make", "enterprise", "--seconds", "25"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

        def all_up():
            """a hundred calls"""
            return server.json("status")["calls_connected"] >= calls
        wait_for(all_up, 90, every=0.5)
        time.sleep(2)
        beside = Beside({server.process.pid, load.pid})
        before, began = cpu([server.process.pid]), time.monotonic()
        bare = subprocess.run([os.path.join(os.path.dirname(binary), "examples", "bare"), str(calls), "15"],
                              capture_output=True, text=True, check=True, timeout=60).stdout.strip()
        used, took = cpu([server.process.pid]) - before, time.monotonic() - began
        print(f"# the server's media thread: {rank(server.process.pid, 'media')}")
        print(f"# beside the server and the phones of this measurement: {beside}")
        out = load.communicate(timeout=120)[0]
        print("# " + out.strip().replace("\n", "\n# "))
        print(f"# {bare}")
        say("ivr-100-calls", used / took,
            ("bare sender and receiver", float(re.search(r"([\d.]+) cores", bare).group(1))))
        ivr_clock(out)
        say("ivr-memory-kept", kept_memory(server.process.pid, rested))


def kept_memory(pid, rested, patience=60):
    """What the process has more than at rest; it has time to give it back."""
    end = time.monotonic() + patience
    while (kept := pss(pid) - rested) > 0 and time.monotonic() < end:
        time.sleep(1)
    return max(kept, 0)


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
    found = re.search(r"phones provisioned in ([\d.]+) s by (\d+) calls", done.stdout)
    say("provisioned", float(found.group(1)))
    say("provisioned-calls", int(found.group(2)))
    say("provisioned-lost", count - len(owners))
    say("provisioned-half", len(phones) - len(owned))
    say("provisioned-doubled", len(owned) - len(owners))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--phones", type=int, default=60_000)
    parser.add_argument("--rate", type=int, default=3_000)
    parser.add_argument("only", nargs="*", help="register, start, calls, files, boot, ivr, provision")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"# {os.cpu_count()} cores, load {load:.2f} before")
    parts = {
        "register": lambda: bench_register(options.binary, options.phones, options.rate),
        "start": lambda: bench_start(options.binary, options.phones),
        "calls": lambda: bench_calls(options.binary),
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
