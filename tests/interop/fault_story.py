"""The server is killed (-9) while it commits, at every step of a self-provisioning call, and with
phones registered: what was acknowledged is there after the restart, nothing is there by halves, and
the phones go on.

# Proves SP-17.d with a server that dies, and that registrations survive restarts.
"""

import contextlib
import http.client
import json
import os
import random
import signal
import sqlite3
import threading
import time

from hand_phone import HandPhone
from jackfield import Server, set_up_self_provisioning, wait_for
from baresip_story import fields_of


class Rest:
    """One keep-alive connection with the administrator's token."""

    def __init__(self, server, seconds=20):
        with open(os.path.join(server.folder, "config", "jackfield", "session.json")) as session:
            token = json.load(session)["token"]
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.connection = http.client.HTTPConnection("127.0.0.1", server.http, timeout=seconds)

    def ask(self, method, path, body=None):
        self.connection.request(method, "/api/v1" + path, json.dumps(body) if body is not None else None, self.headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        return answer.status, json.loads(text) if text else None


def everything(server, kind):
    return {row.get("name") or row.get("number") or row.get("user_id"): row for row in server.json("list", kind)}


def kill(server):
    server.stop(signal.SIGKILL)


class Writer(threading.Thread):
    """Writes until the server is gone: makes people with a line each, and counts in the description
    of one line of its own. Keeps what was acknowledged and what was only tried."""

    def __init__(self, server, name, number):
        super().__init__(daemon=True)
        self.rest, self.own, self.number = Rest(server), number, 0
        self.name = name
        self.made, self.tried, self.counted = [], [], 0
        self.trouble = None

    def run(self):
        try:
            while True:
                self.step()
        except (OSError, http.client.HTTPException):
            pass  # The server is gone; what was under way is unknown.
        except AssertionError as trouble:
            self.trouble = trouble

    def step(self):
        self.number += 1
        user, extension = f"{self.name}u{self.number}", f"{self.own}{self.number:04}"
        self.tried.append((user, extension))
        body = {"user": {"user_id": user}, "feature_group_template": "Default", "extension": extension}
        status, answer = self.rest.ask("POST", "/quick-add", body)
        assert status in (200, 201), (status, answer)
        self.made.append((user, extension))
        status, answer = self.rest.ask("PATCH", f"/lines/{self.own}", {"description": str(self.counted + 1)})
        assert status == 200, (status, answer)
        self.counted += 1


def check_round(server, writers):
    people, lines = everything(server, "end-user"), everything(server, "line")
    for writer in writers:
        for user, extension in writer.made:
            assert user in people, f"{user} was acknowledged and is gone"
            assert extension in lines, f"line {extension} was acknowledged and is gone"
        for user, extension in writer.tried:
            assert (user in people) == (extension in lines), f"{user} and {extension} are there by halves"
            if user in people:
                assert people[user]["primary_extension"]["name"] == extension, people[user]
        counted = int(lines[writer.own]["description"] or 0)
        assert counted in (writer.counted, writer.counted + 1), \
            f"line {writer.own} counts {counted}, acknowledged were {writer.counted}"
    # What the audit tells and what is there are the same commits.
    operations = server.json("audit", "--operation", "quick-add")["items"]
    for row in operations:
        if row["kind"] == "end-user":
            assert row["name"] in people, f"the audit tells of {row['name']}, who is not there"


def kill_while_committing(server, rounds, threads=4, seed=20_261_121):
    dice, total = random.Random(seed), 0
    for round_number in range(rounds):
        names = [(f"r{round_number}w{n}", f"7{round_number:03}{n}") for n in range(threads)]
        for _, number in names:
            server.cli("add", "line", "--number", number)
        writers = [Writer(server, *name) for name in names]
        for writer in writers:
            writer.start()
        time.sleep(dice.uniform(0.05, 0.6))
        kill(server)
        for writer in writers:
            writer.join(25)
            assert not writer.is_alive(), "a request hangs although the server is gone"
            if writer.trouble:
                raise writer.trouble
        server.start()
        check_round(server, writers)
        total += sum(len(writer.made) for writer in writers)
    assert total > rounds * 2, f"only {total} commits were acknowledged in {rounds} rounds"


# The moments at which the server is killed: after which keys, and how many seconds later.
STEPS = (
    [("registering", 0.0), ("registering", 0.002), ("registered", 0.0), ("answered", 0.0), ("answered", 0.2), ("identity", 0.0),
     ("credential", 0.0), ("credential", 0.005), ("credential", 0.3)]
    + [("confirmed", after) for after in (0.0, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.3)]
)


def provisioning_until(server, phone, extension, pin, step, after):
    """Goes as far as the step, and kills the server; whether the caller can have heard the end."""
    if step == "registering":
        uri = f"sip:127.0.0.1:{server.sip}"
        phone.number += 1
        phone.send(phone.request("REGISTER", uri, f"<sip:{phone.user}@127.0.0.1>", phone.call_id, phone.number, "a",
                                 "Expires: 3600\r\n"))
    else:
        status, _ = phone.register()
        assert status == 200, f"the stranger was answered {status}"
    if step in ("answered", "identity", "credential", "confirmed"):
        call = phone.call("2000")
        assert call.status == 200, f"the IVR answered {call.status}"
        call.hear()
        keys = {"answered": [], "identity": [extension + "#"], "credential": [extension + "#", pin + "#"],
                "confirmed": [extension + "#", pin + "#"]}[step]
        for entry in keys:
            call.press(entry)
            if entry is not keys[-1] or step == "confirmed":
                call.hear()
        if step == "confirmed":
            # One datagram, and not a wait for its answer: the kill shall come in between.
            call.number += 1
            phone.send(phone.request("INFO", call.target, call.to, call.call_id, call.number, call.tag,
                                     "Content-Type: application/dtmf-relay\r\n", "Signal=1\r\nDuration=100\r\n"))
    time.sleep(after)
    kill(server)


def state_of(server, mac, user, extension):
    """Absent, new or assigned; fails on anything between."""
    device, people = f"SEP{mac.upper()}", everything(server, "end-user")
    phones, lines = everything(server, "phone"), everything(server, "line")
    owned = [one["name"] for one in people[user]["controlled_phones"]]
    phone = phones.get(device)
    if phone is None:
        assert device not in owned, f"{user} has {device}, which is not there"
        return "absent"
    numbers = [entry["line"]["name"] for entry in phone["lines"]]
    if phone["auto_registered"]:
        assert phone["owner"] is None, f"half done: {phone}"
        assert device not in owned, f"half done: {user} has {owned}"
        assert len(numbers) == 1 and 9000 <= int(numbers[0]) <= 9999, f"half done: {phone}"
        assert lines[numbers[0]]["auto_registered"] is True, lines[numbers[0]]
        return "new"
    assert phone["owner"] and phone["owner"]["name"] == user, f"half done: {phone}"
    assert numbers == [extension], f"half done: {phone}"
    assert device in owned, f"half done: {user} has {owned}"
    return "assigned"


def temporary_lines(server):
    """Each belongs to a phone that is there: none is left over, none is used twice."""
    lines, phones = everything(server, "line"), everything(server, "phone")
    used = [entry["line"]["name"] for phone in phones.values() for entry in phone["lines"]]
    assert len(used) == len(set(used)), f"a line is on two phones: {used}"
    for number, line in lines.items():
        assert not line["auto_registered"] or number in used, f"{number} is left over"


def go_on(server, mac, extension, pin, state):
    """After the restart the same phone gets all the way."""
    with HandPhone(server, mac) as phone:
        status, _ = phone.register()
        if status == 401 and state == "new":
            # It may have fetched its secret by now: it is asked once, and then believed.
            status, _ = phone.register()
        assert status == 200, f"after the restart the stranger was answered {status} ({state})"
        call = phone.call("2000")
        assert call.status == 200, f"after the restart the IVR answered {call.status}"
        call.hear()
        for entry in (extension + "#", pin + "#"):
            call.press(entry)
            call.hear()
        call.press("1")
        device = f"SEP{mac.upper()}"
        wait_for(lambda: server.json("show", "phone", device)["auto_registered"] is False, 10)
        call.hang_up()


def kill_while_provisioning(server, steps, pin="73519"):
    seen, taken_up = {}, set()
    for number, (step, after) in enumerate(steps):
        mac, user, extension = f"0011223{number:05x}", f"person{number}", f"3{number:03}"
        server.cli("quick-add", user, "--template", "Default", "--extension", extension)
        server.cli("pin", user, stdin=pin + "\n")
        with HandPhone(server, mac) as phone:
            provisioning_until(server, phone, extension, pin, step, after)
        server.start()
        state = state_of(server, mac, user, extension)
        seen.setdefault(step, set()).add(state)
        assignments = [row for row in server.json("audit", "--operation", "assign")["items"]
                       if row["kind"] == "phone" and row["name"] == f"SEP{mac.upper()}"]
        assert len(assignments) == (state == "assigned"), (state, assignments)
        if step in ("registered", "answered", "identity", "credential"):
            assert state == "new", f"killed at {step}, the phone is {state}"
        if (step, after) == ("confirmed", 0.3):
            assert state == "assigned", "what the voice had announced is gone"
        # Once for each kind of step is enough to know that what was left can be taken up.
        if state != "assigned" and (step, state) not in taken_up:
            taken_up.add((step, state))
            go_on(server, mac, extension, pin, state)
            assert state_of(server, mac, user, extension) == "assigned"
        temporary_lines(server)
    return seen


def registered(rest, device):
    status, answer = rest.ask("GET", f"/devices/{device}")
    assert status == 200, (status, answer)
    return answer["registered"]


def kept(server):
    """The registrations in the built-in database."""
    with contextlib.closing(sqlite3.connect(f"file:{server.folder}/jackfield.db?mode=ro", uri=True)) as database:
        return set(database.execute("SELECT device, expires FROM binding"))


def registrations_survive(server, devices):
    """Over an orderly stop and over a kill: still registered, refreshed with the nonce they hold or
    a new one, and called by one another."""
    server.cli("set", "cluster-settings", "--provisioning-networks", "127.0.0.0/8")
    fields = [fields_of(server.fetch(f"{device[3:]}.txt")) for device in devices]
    with HandPhone.of(server, fields[0]) as first, HandPhone.of(server, fields[1]) as second:
        before = kept(server)
        for phone in (first, second):
            assert phone.register()[0] == 200

        def written():
            """both registrations, as they are written behind"""
            return len(kept(server) - before) == 2
        wait_for(written)
        for how in (signal.SIGTERM, signal.SIGKILL):
            server.stop(how)
            server.start()
            rest = Rest(server)
            for device in devices:
                assert registered(rest, device), f"{device} is not registered after {how.name}"
            # The called phone has sent nothing since the restart.
            call = first.call(second.user)
            assert call.status == 200, f"after {how.name} the call was answered {call.status}"
            second.wait_request("ACK")
            assert call.hang_up() == 200
            second.wait_request("BYE")
            second.requests.clear()
            for phone in (first, second):
                status, _ = phone.register()
                assert status == 200, f"a refresh after {how.name} was answered {status}"
        assert Rest(server).ask("GET", "/status")[1]["calls"] == 0


def run(binary, rounds=6, steps=STEPS):
    with Server(binary) as server:
        server.sign_in()
        set_up_self_provisioning(server, last="9999")
        kill_while_committing(server, rounds)
    with Server(binary) as server:
        server.sign_in()
        set_up_self_provisioning(server, last="9999")
        seen = kill_while_provisioning(server, steps)
        assert "assigned" in seen.get("confirmed", {"assigned"}), seen
        assigned = [name for name, phone in everything(server, "phone").items() if not phone["auto_registered"]]
        registrations_survive(server, sorted(assigned)[:2])
