#!/usr/bin/env python3
"""Long and heavy: the stories of tests/interop with more of everything, again and again with other
seeds. Each part says what it did; the first failure ends the run with its seed, so that it can be
repeated by --seed and --only."""

import argparse
import os
import random
import resource
import socket
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
sys.path.insert(0, os.path.join(HERE, "..", "interop"))

import fault_story  # noqa: E402
import flood_story  # noqa: E402
import mutation_story  # noqa: E402
import postgres_story  # noqa: E402
from jackfield import Server, set_up_self_provisioning, wait_for  # noqa: E402

# What a server may grow by over all rounds of a part: tables that fill once to their bounds, and the
# allocator's own. What grows with the number of messages goes far beyond.
GROWTH_KB = 64 * 1024
# A flood fills the table of transactions (40,000, of some 4 kB) and the places of TFTP transfers.
FLOOD_GROWTH_KB = 256 * 1024


def mutations(binary, arguments, seed):
    """Datagrams and streams by the million against one server, looked at between the rounds."""
    per_round = 100_000
    rounds = max(1, arguments.messages // per_round)
    with Server(binary) as server:
        mutation_story.pour(server, per_round // 10, seed)
        before = after = mutation_story.memory(server)
        for number in range(rounds):
            mutation_story.pour(server, per_round, seed + 1 + number)
            wait_for(lambda: mutation_story.answers(server))
            after = mutation_story.memory(server)
            done = (number + 1) * per_round
            print(f"  {done} datagrams and {done // 50} streams sent and read, {after} kB", flush=True)
            assert after < before + GROWTH_KB, f"memory went from {before} to {after} kB (seed {seed})"
        strange_streams(server, arguments.streams, random.Random(seed))
        wait_for(lambda: mutation_story.answers(server))
        # Streams have buffers; what is left a minute later is what is kept.
        time.sleep(5)
        after = mutation_story.memory(server)
        assert after < before + GROWTH_KB, f"memory went from {before} to {after} kB after the streams (seed {seed})"


def strange_streams(server, count, dice):
    """Streams cut anywhere, with lengths that lie, and many at once."""
    witness = mutation_story.Witness(server)
    open_streams = []
    for number in range(count):
        stream = socket.create_connection(("127.0.0.1", server.sip), timeout=5)
        values = {b"h": f"127.0.0.1:{server.sip}".encode(), b"p": stream.getsockname()[1]}
        message = b"".join(mutation_story.mutate(dice.choice(mutation_story.SEEDS) % values, dice) for _ in range(4))
        try:
            at = 0
            while at < len(message):
                step = dice.choice((1, 7, 100, 1460))
                stream.sendall(message[at:at + step])
                at += step
        except OSError:
            pass  # Closed on us, as it may.
        open_streams.append(stream)
        if len(open_streams) > 200:
            open_streams.pop(dice.randrange(len(open_streams))).close()
        if number % 2000 == 0:
            assert server.process.poll() is None, "the server ended"
            wait_for(lambda: mutation_story.answers(server), seconds=10)
    for stream in open_streams:
        stream.close()
    opened = witness.reads("streams-opened", count)
    assert opened == count, f"{opened} streams, though {count} were opened"

    def none_open():
        """all streams closed"""
        return server.counters()["streams-open"] == 0
    wait_for(none_open, seconds=60)


def kills(binary, arguments, seed):
    """Killed while it commits, and at random moments of self-provisioning."""
    dice = random.Random(seed)
    with Server(binary) as server:
        server.sign_in()
        set_up_self_provisioning(server, last="9999")
        fault_story.kill_while_committing(server, arguments.kills, threads=6, seed=seed)
    print(f"  {arguments.kills} kills while committing", flush=True)
    left = arguments.kills
    while left > 0:
        steps = [(dice.choice(("registering", "credential", "confirmed", "confirmed", "confirmed")), dice.random() ** 3 * 0.06)
                 for _ in range(min(left, 200))]
        with Server(binary) as server:
            server.sign_in()
            set_up_self_provisioning(server, last="9999")
            seen = fault_story.kill_while_provisioning(server, steps)
        left -= len(steps)
        print(f"  {len(steps)} kills while provisioning, left {seen}", flush=True)


def floods(binary, arguments, seed):
    """All floods on one server after another, larger each time a round is done."""
    for number in range(arguments.floods):
        count = arguments.flood_messages * (number + 1)
        flood_story.run(binary, count=count, per_second=2500, seed=seed + number, growth=FLOOD_GROWTH_KB)
        print(f"  floods of {count} messages", flush=True)


def databases(binary, arguments, seed):
    """The database gone and silent, again and again."""
    for number in range(arguments.databases):
        postgres_story.run(binary)
        print(f"  {number + 1} times without a database", flush=True)


PARTS = {"mutations": mutations, "kills": kills, "floods": floods, "databases": databases}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True, help="the jackfield binary")
    parser.add_argument("--only", choices=PARTS, help="one part alone")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of all that is random")
    parser.add_argument("--messages", type=int, default=3_000_000, help="mutated datagrams (a fiftieth as many streams)")
    parser.add_argument("--streams", type=int, default=50_000, help="mutated streams, cut anywhere")
    parser.add_argument("--kills", type=int, default=200, help="kills, of each kind")
    parser.add_argument("--floods", type=int, default=5, help="rounds of floods")
    parser.add_argument("--flood-messages", type=int, default=20_000, help="messages of each flood in the first round")
    parser.add_argument("--databases", type=int, default=5, help="rounds without a database")
    arguments = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"seed {arguments.seed}", flush=True)
    for name in PARTS if arguments.only is None else [arguments.only]:
        began = time.monotonic()
        try:
            PARTS[name](arguments.binary, arguments, arguments.seed)
        except Exception:  # noqa: BLE001 - told with what repeats it
            print(f"FAILED  {name} (repeat: --only {name} --seed {arguments.seed})\n{traceback.format_exc()}", flush=True)
            return 1
        print(f"ok      {name} ({time.monotonic() - began:.0f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
