#!/usr/bin/env python3
"""Breaks the product in small ways that cargo-mutants lists, one at a time, and runs the tests that could
notice. The draw is by seed: the same tree and seed give the same breakages. What does not compile is
replaced by the next of the draw. Works on a copy of the tree in the target folder. Ends with 1 below
the limit."""

import argparse
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
TARGET = os.path.abspath(os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target"))
TREE = os.path.join(TARGET, "mutants", "tree")
BUILD = os.path.join(TARGET, "mutants", "build")
ACCEPTED = os.path.join(ROOT, "tests", "mutants", "accepted.txt")
LIMIT = 0.92

# The same tests with a PostgreSQL server of their own, where there is one.
ON_POSTGRES = "on PostgreSQL"
WITH_POSTGRES = os.path.join("crates", "store", "tests", "with-postgres.sh")

# The tests that can notice a breakage of a crate: first its own, then those of who depends on what it
# does.
WITNESSES = {
    "vocabulary": [["vocabulary"], ["model", "engine", "media"]],
    "model": [["model"], ["engine", "files", "web"]],
    "sip": [["sip"], ["engine", "phone"]],
    "media": [["media"], ["phone"]],
    "files": [["files"], ["web"]],
    "engine": [["engine"]],
    "store": [["store"], ["store", ON_POSTGRES], ["web"]],
    "web": [["web"]],
    "phone": [["phone"]],
    "node": [["node"]],
}
USUAL = ["model", "engine", "store", "web", "sip"]
NOT_ON_SOCKETS = "not (package(jackfield-phone) and binary(loopback))"


def main():
    options = arguments()
    if subprocess.run([os.path.join(ROOT, WITH_POSTGRES), "true"]).returncode != 0:
        WITNESSES["store"].remove(["store", ON_POSTGRES])
    crates = options.crates or (list(WITNESSES) if options.since else USUAL)
    copy_tree()
    draws = draw(crates, options)
    for stage in {tuple(stage) for crate in draws for stage in WITNESSES[crate]}:
        must_pass(stage, draws)
    caught, survivors, tried = 0, [], 0
    for crate, (count, mutants) in draws.items():
        began, here = time.monotonic(), 0
        for mutant in mutants:
            if here == count:
                break
            outcome = judge(crate, mutant)
            print(f"{outcome:9} {mutant['name']}", flush=True)
            if outcome == "no build":
                continue
            here, tried = here + 1, tried + 1
            caught += outcome == "caught"
            if outcome == "survived":
                survivors.append(mutant["name"])
        print(f"# {crate}: {here} breakages, {time.monotonic() - began:.0f} s", flush=True)
    for name in survivors:
        print(f"survived: {name}")
    print(f"mutants: caught {caught} of {tried}")
    if tried and caught < LIMIT * tried:
        print(f"mutants: FAIL below {LIMIT:.0%}")
        return 1
    return 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default="1", help="which breakages are drawn [default: 1]")
    parser.add_argument("--count", type=int, help="how many: of each crate [40], with --since of all together [150]")
    parser.add_argument("--crates", type=lambda text: re.split(r"[ ,]+", text.strip()),
                        help=f"which crates [default: {' '.join(USUAL)}; with --since all]")
    parser.add_argument("--since", metavar="COMMIT", help="only of lines changed since this commit")
    options = parser.parse_args()
    if unknown := set(options.crates or []) - set(WITNESSES):
        parser.error(f"no such crate: {', '.join(sorted(unknown))}; there are {', '.join(WITNESSES)}")
    return options


def draw(crates, options):
    """For each crate how many are wanted, and the breakages in the order of the draw."""
    accepted = accepted_names()
    listed = [one for one in listing(crates, options.since) if without_place(one) not in accepted]
    order = random.Random(options.seed)
    of_crate = {crate: [one for one in listed if one["package"] == f"jackfield-{crate}"] for crate in crates}
    for mutants in of_crate.values():
        order.shuffle(mutants)
    if not options.since:
        return {crate: (options.count or 40, mutants) for crate, mutants in of_crate.items()}
    # Each crate has the share that it has of the changed lines.
    count, total = options.count or 150, max(len(listed), 1)
    return {crate: (-(-len(mutants) * min(count, total) // total), mutants)
            for crate, mutants in of_crate.items() if mutants}


def listing(crates, since):
    command = ["cargo", "mutants", "--list", "--json", "--dir", TREE]
    command += [word for crate in crates for word in ("--package", f"jackfield-{crate}")]
    if since:
        # Against the tree as it is, with what is not committed.
        diff = subprocess.run(["git", "diff", "--no-ext-diff", since, "--", "crates"], cwd=ROOT,
                              capture_output=True, check=True).stdout
        path = os.path.join(TARGET, "mutants", "since.diff")
        with open(path, "wb") as file:
            file.write(diff)
        if not diff:
            return []
        command += ["--in-diff", path]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"mutants: cargo mutants can't list them:\n{done.stderr}")
    return sorted(json.loads(done.stdout or "[]"), key=lambda one: one["name"])


def without_place(mutant):
    """`crates/x/src/y.rs: replace f -> bool with true`."""
    return re.sub(r"^([^:]+):\d+:\d+: ", r"\1: ", mutant["name"])


def accepted_names():
    with open(ACCEPTED) as file:
        rows = [line.rsplit("|", 1) for line in file if line.strip() and not line.startswith("#")]
    for row in rows:
        if len(row) != 2 or not row[1].strip():
            sys.exit(f"mutants: {ACCEPTED}: a line without a reason: {row[0].strip()}")
    return {name.strip() for name, _ in rows}


def copy_tree():
    """The tree as it stands, beside what was built of it before: only what differs is written."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout.split("\0")
    wanted = {path for path in listed if path and os.path.isfile(os.path.join(ROOT, path))}
    for folder, _, names in os.walk(TREE):
        for name in names:
            if os.path.relpath(os.path.join(folder, name), TREE) not in wanted:
                os.remove(os.path.join(folder, name))
    for path in wanted:
        restore(path)


def restore(path):
    source, copy = os.path.join(ROOT, path), os.path.join(TREE, path)
    with open(source, "rb") as file:
        content = file.read()
    if os.path.exists(copy):
        with open(copy, "rb") as file:
            if file.read() == content:
                return
    os.makedirs(os.path.dirname(copy), exist_ok=True)
    with open(copy, "wb") as file:
        file.write(content)
    shutil.copymode(source, copy)


def must_pass(stage, draws):
    began = time.monotonic()
    if run(command("build", stage), 1800) != 0 or tests(stage, 1800) != "passed":
        sys.exit(f"mutants: the tests of {', '.join(stage)} must pass before anything is broken")
    # Once more: built, as it will be.
    began = time.monotonic()
    tests(stage, 1800)
    PATIENCE[stage] = max(30, 5 * (time.monotonic() - began))
    print(f"# the tests of {', '.join(stage)} take {time.monotonic() - began:.0f} s", flush=True)


PATIENCE = {}


def judge(crate, mutant):
    """What the tests say of one breakage."""
    path = os.path.join(TREE, mutant["file"])
    with open(path) as file:
        text = file.read()
    try:
        with open(path, "w") as file:
            file.write(broken(text, mutant))
        for stage in map(tuple, WITNESSES[crate]):
            if not build(stage):
                return "no build"
            # A breakage that makes tests hang is noticed.
            if tests(stage, PATIENCE[stage]) != "passed":
                return "caught"
        return "survived"
    finally:
        restore(mutant["file"])
        # A test may have written anew what is checked in.
        for written in ("docs/openapi.json", "docs/reference.md"):
            restore(written)


def broken(text, mutant):
    """The file with what stands at the span replaced; lines and columns count from 1."""
    lines = text.splitlines(keepends=True)

    def place(at):
        return sum(map(len, lines[:at["line"] - 1])) + at["column"] - 1
    span = mutant["span"]
    return f"{text[:place(span['start'])]}{mutant['replacement']} /* broken */{text[place(span['end']):]}"


def build(stage):
    # What breaks a loop that the compiler runs is compiled for ever.
    return run(command("build", stage), 600) == 0


def tests(stage, seconds):
    return {0: "passed", None: "hung"}.get(run(command("run", stage), seconds), "failed")


def command(what, stage):
    packages = [word for crate in stage if crate in WITNESSES for word in ("--package", f"jackfield-{crate}")]
    server = [WITH_POSTGRES] if ON_POSTGRES in stage and what == "run" else []
    if HAS_NEXTEST:
        # What phones do on real sockets proves the phones' sockets; of others it proves nothing more.
        chosen = [] if stage == ("phone",) else ["-E", NOT_ON_SOCKETS]
        only_build = ["--no-run"] if what == "build" else [*chosen, "--no-tests", "pass"]
        return [*server, "cargo", "nextest", "run", "--locked", "--cargo-quiet", *packages, *only_build]
    return [*server, "cargo", "test", "--locked", "--quiet", *packages, *(["--no-run"] if what == "build" else [])]


HAS_NEXTEST = subprocess.run(["cargo", "nextest", "--version"], capture_output=True).returncode == 0
ENVIRONMENT = {
    **os.environ, "CARGO_TARGET_DIR": BUILD, "INSTA_UPDATE": "no", "CARGO_PROFILE_DEV_DEBUG": "0",
    # What is broken may be unused now; a warning is no fault of the breakage.
    "RUSTFLAGS": "--cap-lints=warn", "NEXTEST_HIDE_PROGRESS_BAR": "1",
}


def run(words, seconds):
    """Its exit code; none when it did not end in time."""
    process = subprocess.Popen(words, cwd=TREE, env=ENVIRONMENT, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        # A server of the tests' own is stopped by who started it.
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        return None
    finally:
        # With what it started.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
