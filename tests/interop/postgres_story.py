"""The database goes away while the server runs: registrations, refreshes, calls and phone files go
on, what must write is refused with a clear error and soon, and once the database is back everything
works again, with nothing lost and nothing doubled. The same with a database that is there and silent.

# Proves that no call, refresh or phone file waits for the database.
"""

import threading
import time

from baresip_story import fields_of
from fault_story import Rest, everything
from hand_phone import HandPhone
from jackfield import PASSWORD, Server, free_port, wait_for
from sipp_story import sipp
from throw_away_postgres import Postgres

# A write that can't be made is refused within so many seconds.
SOON = 5.0
# No request waits longer, whatever the database does: the doors say "unknown" after 30 s.
NOBODY_WAITS_LONGER = 35.0


def sipp_calls(server, caller, called):
    """SIPp registers both with their secrets, and one calls the other."""
    here, there = free_port(), free_port()
    sipp(server, "register.xml", [called], there)
    sipp(server, "register.xml", [caller], here)
    waiting = sipp(server, "answering.xml", [called], there, background=True)
    try:
        sipp(server, "answer.xml", [dict(caller, called=called["user"])], here)
        assert waiting.wait(30) == 0, "answering.xml failed"
    finally:
        if waiting.poll() is None:
            waiting.kill()
            waiting.wait()


def phones_go_on(server, phones, users, what):
    """Refreshes with the nonce they hold, a phone that starts anew, calls, files."""
    for phone in phones:
        began = time.monotonic()
        status, asked = phone.register()
        assert (status, asked) == (200, 1), f"{what}: a refresh was answered {status} after {asked} requests"
        assert time.monotonic() - began < 1, f"{what}: a refresh took {time.monotonic() - began:.1f} s"
    with HandPhone.of(server, users[4]) as fresh:
        status, _ = fresh.register()
        assert status == 200, f"{what}: a known phone that starts anew was answered {status}"
    call = phones[0].call(phones[1].user)
    assert call.status == 200, f"{what}: a call was answered {call.status}"
    assert call.hang_up() == 200
    began = time.monotonic()
    assert fields_of(server.fetch(f"{users[0]['device'][3:]}.txt"))["password"] == users[0]["password"]
    assert time.monotonic() - began < 1, f"{what}: a file took {time.monotonic() - began:.1f} s"


def refused_soon(server, what, *words):
    """A write by the command line: refused, in words that say why, and soon."""
    began = time.monotonic()
    done = server.cli(*words, check=False)
    took = time.monotonic() - began
    told = done.stdout + done.stderr
    assert done.returncode != 0, f"{what}: {words} was accepted: {told}"
    assert "database" in told.lower(), f"{what}: {words} was refused with: {told}"
    assert took < SOON, f"{what}: the refusal of {words} took {took:.1f} s"


def stranger_is_told_to_wait(server, what, mac="00AA00BB00CC"):
    """A new phone can't be taken in now: 503, and nothing half made."""
    with HandPhone(server, mac) as stranger:
        status, _ = stranger.register()
        assert status == 503, f"{what}: a stranger was answered {status}"
        assert "Retry-After" in stranger_answer(stranger), f"{what}: 503 without Retry-After"


def stranger_answer(stranger):
    stranger.number += 1
    return stranger.ask(stranger.request("REGISTER", f"sip:127.0.0.1:{stranger.port}", f"<sip:{stranger.user}@127.0.0.1>",
                                         stranger.call_id, stranger.number, "x", "Expires: 3600\r\n"))


def works_again(server, number, device, seconds=20):
    def written():
        """a write after the database came back"""
        return server.cli("set", "line", number, "--description", "back", check=False).returncode == 0
    wait_for(written, seconds, every=0.2)
    assert server.json("show", "line", number)["description"] == "back"
    with HandPhone(server, "00AA00BB00CC") as stranger:
        def taken_in():
            """the stranger, now that there is a database"""
            return stranger.register()[0] == 200
        wait_for(taken_in, 15, every=0.5)
    wait_for(lambda: device in everything(server, "phone"))


def gone(postgres, server, phones, users):
    before = everything(server, "line")
    postgres.stop_at_once()
    phones_go_on(server, phones, users, "gone")
    refused_soon(server, "gone", "set", "line", users[0]["user"], "--description", "lost")
    refused_soon(server, "gone", "add", "line", "--number", "5555")
    refused_soon(server, "gone", "quick-add", "nobody", "--template", "Default", "--extension", "5556")
    stranger_is_told_to_wait(server, "gone")
    sipp_calls(server, users[2], users[3])
    assert server.process.poll() is None
    assert everything(server, "line") == before, "reading needs no database, and nothing may have changed"
    postgres.start()
    works_again(server, users[0]["user"], "SEP00AA00BB00CC")
    lines = everything(server, "line")
    assert "5555" not in lines and "5556" not in lines, "what was refused is there"
    assert "nobody" not in everything(server, "end-user")


def silent(postgres, server, phones, users):
    """Frozen: what was asked of it has an unknown outcome, and is there once or not at all. Nobody
    waits for ever, neither who is remembered as signed in nor who is not."""
    server.cli("login", "admin", stdin=PASSWORD + "\n")
    unremembered = Rest(server, NOBODY_WAITS_LONGER)
    server.cli("login", "admin", stdin=PASSWORD + "\n")
    remembered = Rest(server, NOBODY_WAITS_LONGER)
    assert remembered.ask("GET", "/status")[0] == 200
    asked = {"writing": Asked(remembered, "POST", "/lines", {"number": "5557"}),
             "reading": Asked(unremembered, "GET", "/lines")}
    postgres.freeze()
    try:
        for one in asked.values():
            one.start()
        stranger_is_told_to_wait(server, "silent", "00AA00BB00DD")
        for one in asked.values():
            while one.is_alive():
                phones_go_on(server, phones, users, "silent")
                one.join(3)
    finally:
        postgres.thaw()
    for what, one in asked.items():
        assert one.status in (200, 201, 503, 504), f"silent: {what} was answered {one.status} {one.answer} after {one.took:.0f} s"
    works_again(server, users[1]["user"], "SEP00AA00BB00CC")
    there = [row for row in server.json("list", "line") if row["number"] == "5557"]
    assert len(there) <= 1
    assert there or asked["writing"].status != 201, "acknowledged, and not there"
    told = [row for row in server.json("audit")["items"] if row["name"] == "5557" and row["operation"] == "create"]
    assert len(told) == len(there), (told, there)
    phones_of_it = [name for name in everything(server, "phone") if name == "SEP00AA00BB00DD"]
    lines_of_it = [line for line in everything(server, "line").values() if line["auto_registered"]]
    assert len(lines_of_it) == 1 + len(phones_of_it), "a stranger was taken in by halves"


def stopped_while_silent(postgres, server):
    """A server that is told to stop does, though its database will not answer."""
    server.start()
    wait_for(lambda: server.json("status"))
    asked = Asked(Rest(server, NOBODY_WAITS_LONGER), "POST", "/lines", {"number": "5558"})
    postgres.freeze()
    try:
        asked.start()
        wait_for(lambda: server.held("http-bodies") > 0)
        server.process.terminate()
        assert server.process.wait(20) == 1, "it can't have stopped in good order"
    finally:
        postgres.thaw()
    assert "does not answer" in server.tail(), "it must say why"
    server.start()
    wait_for(lambda: everything(server, "line"))


class Asked(threading.Thread):
    """A request on its way."""

    def __init__(self, rest, *request):
        super().__init__(daemon=True)
        self.rest, self.request = rest, request
        self.status, self.answer, self.took = None, None, 0.0

    def run(self):
        began = time.monotonic()
        try:
            self.status, self.answer = self.rest.ask(*self.request)
        except OSError as error:
            self.status, self.answer = 0, str(error)
        self.took = time.monotonic() - began


def run(binary):
    with Postgres() as postgres:
        arguments = ["--sample-company", "6", "--sample-phones"]
        with Server(binary, arguments=arguments, database=postgres.url) as server:
            server.sign_in()
            server.cli("set", "cluster-settings", "--provisioning-networks", "127.0.0.0/8")
            node = server.json("list", "node")[0]["name"]
            server.cli("set", "auto-registration", node, "--starting-number", "9000", "--ending-number", "9099",
                       "--disabled", "false")
            users = [fields_of(server.fetch(f"{name[3:]}.txt")) for name in sorted(everything(server, "phone"))]
            assert len(users) == 6, users
            sipp(server, "register.xml", users, free_port())
            with HandPhone.of(server, users[0]) as one, HandPhone.of(server, users[1]) as other:
                for phone in (one, other):
                    assert phone.register()[0] == 200
                gone(postgres, server, [one, other], users)
                silent(postgres, server, [one, other], users)
                phones_go_on(server, [one, other], users, "afterwards")
            # And all of it is in the database, not only in memory.
            before = everything(server, "line")
            server.stop()
            server.start()
            assert everything(server, "line") == before
            server.stop()
            stopped_while_silent(postgres, server)
