"""Two nodes on one database: the second one joins, each sees what is changed on the other, and one of
them owns the self-provisioning number while the other stands by and says for whom. A crash of the
owner, a clean stop, a stop of its service and a database that is out of its reach hand it over; a
call in progress outlives the loss of it.

# Proves SP-60.c and SP-60.d.
"""

import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request

from baresip_story import fields_of
from fault_story import everything
from hand_phone import HandPhone, header
from jackfield import PASSWORD, Server, free_port, temporary, wait_for
from throw_away_postgres import Postgres

IVR = "2000"
# A lease lasts 15 s, and whoever stands by looks every second: docs/administrators.md.
LEASE, LOOK = 15.0, 1.0
SERVICE = "self-provisioning-ivr"


def state(server):
    """What the node says of its own IVR."""
    rows = server.json("services", "list")["items"]
    return next(row for row in rows if row["service"] == SERVICE and row["node"] == server.node)


def serves(server, seconds=20):
    def in_service():
        """in-service"""
        return state(server)["state"] == "in-service"
    wait_for(in_service, seconds, every=0.1)
    assert state(server)["owner"] is None


def stands_by(server, owner, seconds=10):
    def it():
        """standing by for the other one"""
        return state(server)["state"] == f"standing by (owner: {owner.node})"
    wait_for(it, seconds, every=0.2)
    assert state(server)["owner"] == owner.node
    # The command for people says so too.
    assert f"standing by (owner: {owner.node})" in server.cli("services", "list")


def hears_the_ivr(phone):
    """Calls the number, and hears something: the sound of the prompts comes in packets."""
    call = phone.call(IVR)
    assert call.status == 200, f"the IVR's number was answered {call.status}"
    phone.sound.settimeout(3)
    heard = [phone.sound.recv(2048) for _ in range(20)]
    assert all(len(packet) > 12 for packet in heard)
    return call


def is_turned_away(phone, owner):
    call = phone.call(IVR)
    assert call.status == 503, f"the IVR's number was answered {call.status} where it is not served"
    assert f"standing by (owner: {owner.node})" in header(call.answer, "Warning"), call.answer


def node(binary, database, name, key=None, arguments=()):
    server = Server(binary, arguments=["--node", name, *arguments], database=database)
    server.node = name
    if key:
        shutil.copy2(key, os.path.join(server.folder, "key"))
    return server


def first(binary, database):
    server = node(binary, database, "node1", arguments=["--sample-company", "4", "--sample-phones"])
    server.start()
    server.sign_in()
    server.cli("set", "cluster-settings", "--provisioning-networks", "127.0.0.0/8")
    server.cli("self-provisioning", "set", "--start-delay-seconds", "0")
    server.cli("services", "restart", SERVICE)
    serves(server)
    return server


def refuses(binary, database, key, *expected):
    """A node that can't join ends with words that help."""
    server = node(binary, database, "node3", key)
    try:
        server.start()
    except AssertionError:
        told = server.tail()
        assert server.process.returncode not in (0, None), "it should have ended with an error"
        assert all(words in told for words in expected), told
        return
    server.stop()
    raise AssertionError(f"it started, and should have said {expected}")


def has_one_node(binary, folder):
    """A built-in database takes no second node, and a data folder no second process."""
    def told(*arguments):
        server = Server(binary, data=folder, arguments=arguments)
        try:
            server.start()
        except AssertionError as error:
            return str(error)
        server.stop()
        raise RuntimeError(f"it started with {arguments}")
    assert "start it with --node node1" in told("--node", "node2")
    with Server(binary, data=folder):
        assert "another process serves from the data folder" in told()


def joins(binary, postgres, one):
    """The second node: with the key of the first it is there at once, and nothing is made twice."""
    key = os.path.join(one.folder, "key")
    refuses(binary, postgres.url, None, "copy `key` from the data folder of a node", "it is not there")
    stranger = Server(binary)
    stranger.start()
    stranger.stop()
    has_one_node(binary, stranger.folder)
    refuses(binary, postgres.url, os.path.join(stranger.folder, "key"), "not the key of this database")
    before = {kind: everything(one, kind) for kind in ("end-user", "application-user", "line", "phone")}
    other = node(binary, postgres.url, "node2", key, ["--sample-company", "9", "--sample-phones"])
    other.start()
    assert other.one_time_password is None, "a second first administrator"
    other.cli("login", "admin", stdin=PASSWORD + "\n")
    nodes = everything(other, "node")
    assert sorted(nodes) == ["node1", "node2"], nodes
    assert (nodes["node1"]["number"], nodes["node2"]["number"]) == (1, 2)
    assert (nodes["node1"]["publisher"], nodes["node2"]["publisher"]) == (True, False)
    assert nodes["node2"]["sip_port"] == other.sip
    for kind, objects in before.items():
        assert everything(other, kind) == objects, f"the second node changed {kind}"
    return other


def each_sees_what_the_other_does(one, other):
    for writer, reader, text in ((one, other, "from the first"), (other, one, "from the second")):
        writer.cli("set", "line", IVR, "--description", text)
        wait_for(lambda: reader.json("show", "line", IVR)["description"] == text, 5)


def each_knows_the_port_of_the_other(one, other):
    """A port that was set counts from the node's next start on: until then phones are told the other one, at
    whichever node they fetch their files."""
    one.cli("set", "node", other.node, "--sip-port", "5999")
    one.cli("set", "call-manager-group", "Default", "--nodes", f"{one.node},{other.node}")

    def known():
        """the port of the other node"""
        told = f"Node {other.node} listens on the SIP port {other.sip}, and phones are told so"
        return all(told in server.cli("status") for server in (one, other))
    wait_for(known, 15)
    for server in one, other:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.files}/XMLDefault.cnf.xml") as answer:
            told = answer.read().decode()
        assert f"<sipPort>{other.sip}</sipPort>" in told and "5999" not in told, told
    one.cli("set", "call-manager-group", "Default", "--nodes", one.node)
    one.cli("set", "node", other.node, "--sip-port", str(other.sip))


def each_obeys_its_own_activation(one, other):
    """Activated nowhere but on the first, the service runs nowhere else; activated for the second
    one at the first, it starts there."""
    assert state(other)["running"] is False
    assert state(other)["activated"] is False
    one.cli("services", "activate", "cti-manager", "--node", other.node)
    one.cli("services", "activate", SERVICE, "--node", other.node)
    stands_by(other, one)
    serves(one)
    one.cli("services", "deactivate", SERVICE, "--node", other.node)
    wait_for(lambda: state(other)["running"] is False, 5)
    one.cli("services", "activate", SERVICE, "--node", other.node)
    stands_by(other, one)


def starts(server):
    """How often the service was started on a node."""
    with open(os.path.join(server.folder, "server.log"), errors="replace") as log:
        return sum("service started" in line and SERVICE in line for line in log)


# Proves SP-24.a and SP-60.e.
def a_restart_reaches_every_node_where_it_runs(one, other):
    """Saved and restarted at the second node: both have the new settings, and neither needs a restart.
    Where it is activated on the first alone, only that one is restarted, and not the one that was asked."""
    def restarted(*arguments):
        before = starts(one), starts(other)
        told = other.cli("self-provisioning", "set", *arguments, "--application-user", "", "--restart", "later")
        assert "Save successful" in told
        told = other.cli("self-provisioning", "set", "--application-user", "self-provisioning", "--restart", "now")
        assert "restarted successfully" in told, told
        wait_for(lambda: "in-service" in (state(one)["state"], state(other)["state"]))
        return starts(one) - before[0], starts(other) - before[1]
    assert restarted("--digit-seconds", "9") == (1, 1)
    for server in one, other:
        assert state(server)["restart_needed"] is False, server.node
    other.cli("services", "deactivate", SERVICE, "--node", other.node)
    wait_for(lambda: state(other)["running"] is False, 5)
    assert restarted("--digit-seconds", "10") == (1, 0)
    serves(one)
    other.cli("services", "activate", SERVICE, "--node", other.node)
    stands_by(other, one)


# Proves SP-60.b.
def the_publisher_is_operated_from_the_other_node(one, other):
    before = starts(one)
    other.cli("services", "restart", SERVICE, "--node", one.node)
    assert starts(one) == before + 1
    serves(one)
    stands_by(other, one)
    other.cli("set", "auto-registration", one.node, "--per-minute", "599")
    wait_for(lambda: one.json("show", "auto-registration", one.node)["per_minute"] == 599, 5)
    # A node that does not answer is named, and nothing is done later on.
    one.process.send_signal(signal.SIGSTOP)
    try:
        done = other.cli("services", "restart", SERVICE, "--node", one.node, check=False)
    finally:
        one.process.send_signal(signal.SIGCONT)
    assert done.returncode != 0 and f"{one.node} does not answer" in done.stderr, done
    serves(one)
    # It takes orders in their order: one that comes later finds it as it was left.
    other.cli("services", "restart", SERVICE, "--node", one.node)
    assert starts(one) == before + 2, "an order that was withdrawn was carried out"
    serves(one)
    stands_by(other, one)


def is_silent(server, other):
    return f"Nothing is heard of node {other.node}" in server.cli("status")


def status_judges_the_publisher(one, other):
    assert not is_silent(one, other) and not is_silent(other, one)
    for server in one, other:
        status = server.json("self-provisioning", "status")
        assert status["ready"] is True, (server.node, status)


def newcomers_get_numbers_of_their_node(one, other):
    """Each node lends numbers of a range of its own: the database refuses one that overlaps another's."""
    ranges = [("9500", "9599"), ("8000", "8099")]
    done = [other.cli("set", "auto-registration", other.node, "--starting-number", start, "--ending-number", end,
                      "--disabled", "false", check=False) for start, end in ranges]
    assert [one.returncode == 0 for one in done] == [False, True], done
    strangers = [HandPhone(server, f"00AA00BB00C{n}") for n, server in enumerate((one, other, one, other))]
    for stranger in strangers:
        assert stranger.register()[0] == 200
    def lent():
        """numbers of both ranges, as the first node sees them"""
        lines = everything(one, "line").values()
        return sorted(line["number"] for line in lines if line["auto_registered"]) == ["8000", "8001", "9000", "9001"]
    wait_for(lent, 5)
    return strangers


# Proves SP-43.e.
def nobody_is_a_new_phone_of_the_other_node(other, new):
    """It is registered at the first node, without a secret. A window that is opened at the other one is for where the
    phone is, and who comes there in its name from elsewhere is not believed."""
    name = f"SEP{new.user}"

    def opened():
        """a window where the phone is"""
        other.cli("window", name, check=False)
        return re.search(rf"(?m)^{name} +127\.0\.0\.1 ", other.cli("window"))
    wait_for(opened, 10)
    other.cli("window", name, "--close")
    with HandPhone(other, new.user, host="127.0.0.66") as liar:
        assert [liar.register()[0] for _ in range(4)] == [401] * 4


def a_new_phone_turns_to_the_other_node(other, new):
    """Its own node is gone."""
    with HandPhone(other, new.user) as phone, HandPhone(other, new.user, host="127.0.0.66") as liar:
        assert [phone.register()[0] for _ in range(2)] == [401, 200], "asked for its secret, and it has none"
        assert [liar.register()[0] for _ in range(3)] == [401] * 3


def a_phone_gets_its_file_at_either_node(one, other, name):
    """It registered at the first; switched off, it turns to the other one, and gets its password where it was last."""
    one.cli("set", "cluster-settings", "--provisioning-networks", "")
    def given(source):
        return "password" in fields_of(other.fetch(f"{name[3:]}.txt", source=source))
    # The other one has heard of the setting.
    wait_for(lambda: not given("127.0.0.66"), 10)
    wait_for(lambda: given("127.0.0.1"), 10)
    assert not given("127.0.0.66"), "anybody may have it"
    one.cli("set", "cluster-settings", "--provisioning-networks", "127.0.0.0/8")


def a_window_is_open_at_either_node(one, other, name):
    """Where a phone fetches its file need not be where it registers. Of a window that one node opens, or closes, the
    other one hears, and knows it still after a restart."""
    one.cli("set", "cluster-settings", "--provisioning-networks", "")
    def given(server, source="127.0.0.66"):
        return "password" in fields_of(server.fetch(f"{name[3:]}.txt", source=source))
    for opener, closer, reader in ((one, one, other), (other, one, other), (one, other, one)):
        wait_for(lambda: not given(reader), 10)
        opener.cli("window", name, "--address", "127.0.0.66", "--minutes", "5")
        wait_for(lambda: given(one) and given(other), 5)
        assert not any(given(server, "127.0.0.67") for server in (one, other)), "anybody may have it"
        listed = re.search(rf"(?m)^{name} +127\.0\.0\.66 ", reader.cli("window"))
        assert listed, reader.cli("window")
        closer.cli("window", name, "--close")
        assert not given(closer)
        wait_for(lambda: not given(one) and not given(other), 5)
    one.cli("window", name, "--address", "127.0.0.66", "--minutes", "5")
    wait_for(lambda: given(other), 5)
    other.stop()
    other.start()
    assert given(other), "a restart closed it"
    other.cli("window", name, "--close")
    one.cli("set", "cluster-settings", "--provisioning-networks", "127.0.0.0/8")


def becomes_somebodys(server, stranger, extension, pin="73519"):
    """The whole walk: the new phone's call ends with the phone as its owner's."""
    call = hears_the_ivr(stranger)
    for entry in (extension + "#", pin + "#"):
        assert call.press(entry) == 200
        call.hear()
    assert call.press("1") == 200
    wait_for(lambda: server.json("show", "phone", f"SEP{stranger.user}")["auto_registered"] is False, 10)
    call.hang_up()


def a_new_phone_fetches_its_file_at_the_other_node(one, other):
    """Option 150 names a node, and the file another one to register at: the walk at that one opens the file at both."""
    one.cli("set", "cluster-settings", "--provisioning-networks", "")
    with HandPhone(one, "00AA00BB00CF") as new:
        assert new.register()[0] == 200
        def given(source="127.0.0.1"):
            return "password" in fields_of(other.fetch(f"{new.user}.txt", source=source))
        def listed():
            return f"SEP{new.user}" in other.cli("window")
        # The one that it was taken in with.
        wait_for(listed, 5)
        one.cli("window", f"SEP{new.user}", "--close")
        wait_for(lambda: not listed(), 5)
        assert not given()
        becomes_somebodys(one, new, "3002")
        wait_for(given, 5)
        assert not given("127.0.0.66"), "anybody may have it"
    one.cli("set", "cluster-settings", "--provisioning-networks", "127.0.0.0/8")


def a_crash_hands_it_over(postgres, one, other, phone, stranger, left):
    def written():
        """every registration: they are written behind, and a crash may lose those of the last moment"""
        kept = postgres.asked(f"SELECT count(*) FROM binding WHERE node = '{one.node}' "
                              "AND expires > extract(epoch FROM now()) * 1000")
        return int(kept) >= one.json("status")["registered"]
    wait_for(written)
    one.process.kill()
    one.process.wait()
    began = time.monotonic()
    serves(other, LEASE + 3 * LOOK + 5)
    took = time.monotonic() - began
    assert took < LEASE + 3 * LOOK, f"it took {took:.1f} s"
    assert is_silent(other, one)
    hears_the_ivr(phone).hang_up()
    becomes_somebodys(other, stranger, "3001")
    a_new_phone_turns_to_the_other_node(other, left)
    # Who comes back finds the number taken.
    one.start()
    stands_by(one, other)
    serves(other)
    wait_for(lambda: not is_silent(other, one), 10)


def a_clean_stop_hands_it_over_at_once(one, other, phone):
    """`other` owns it and is stopped."""
    call = hears_the_ivr(phone)
    other.stop()
    assert other.process.returncode == 0
    began = time.monotonic()
    serves(one, 5)
    assert time.monotonic() - began < 3 * LOOK
    call.phone.wait_request("BYE")
    other.start()
    stands_by(other, one)


def a_stopped_service_hands_it_over_at_once(one, other):
    one.cli("services", "stop", SERVICE)
    serves(other, 3 * LOOK)
    one.cli("services", "start", SERVICE)
    stands_by(one, other)
    other.cli("services", "stop", SERVICE)
    serves(one, 3 * LOOK)
    other.cli("services", "start", SERVICE)
    stands_by(other, one)


def nobody_serves_without_the_database(postgres, one, other, phone, stranger):
    """Frozen for longer than a lease: whoever owned the number lets go of it, a call in progress goes
    on, and when the database is back just one of them owns it again."""
    call = hears_the_ivr(stranger)
    postgres.freeze()
    try:
        began = time.monotonic()
        def turned_away():
            """the owner lets go"""
            probe = phone.call(IVR)
            if probe.status == 200:
                probe.hang_up()
            return probe.status >= 400
        wait_for(turned_away, LEASE + 2, every=0.5)
        assert time.monotonic() - began < LEASE, "it held on for longer than its lease"
        assert call.press("1") == 200, "the call in progress ended"
        assert stranger.sound.recv(2048), "the call in progress fell silent"
    finally:
        postgres.thaw()
    def one_owner():
        """just one owner"""
        states = [state(server)["state"] for server in (one, other)]
        assert states.count("in-service") <= 1, states
        return states.count("in-service") == 1
    wait_for(one_owner, 30, every=0.2)
    call.hang_up()


def a_name_is_one_nodes(binary, postgres, one):
    """A second process under the first one's name, the likeliest slip of all, is turned away."""
    double = node(binary, postgres.url, "node1", os.path.join(one.folder, "key"))
    command = [double.binary, "serve", "--data", double.folder, "--address", "127.0.0.1", "--node", "node1",
               "--database", postgres.url]
    for door in "sip", "http", "files", "tftp":
        command += [f"--{door}", f"127.0.0.1:{free_port()}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode != 0
    assert "another process runs as node node1" in done.stderr, done.stderr
    # Which of the two took the number when the database came back is left to them.
    assert state(one)["state"] in ("in-service", "standing by (owner: node2)"), state(one)


def run(binary):
    with Postgres() as postgres:
        one = other = None
        try:
            one = first(binary, postgres.url)
            other = joins(binary, postgres, one)
            each_sees_what_the_other_does(one, other)
            each_knows_the_port_of_the_other(one, other)
            each_obeys_its_own_activation(one, other)
            a_restart_reaches_every_node_where_it_runs(one, other)
            the_publisher_is_operated_from_the_other_node(one, other)
            status_judges_the_publisher(one, other)
            names = sorted(everything(one, "phone"))
            users = [fields_of(one.fetch(f"{name[3:]}.txt")) for name in names]
            strangers = newcomers_get_numbers_of_their_node(one, other)
            nobody_is_a_new_phone_of_the_other_node(other, strangers[2])
            with HandPhone.of(one, users[0]) as here, HandPhone.of(other, users[1]) as there:
                for phone in here, there:
                    assert phone.register()[0] == 200
                a_phone_gets_its_file_at_either_node(one, other, names[0])
                a_window_is_open_at_either_node(one, other, names[1])
                a_new_phone_fetches_its_file_at_the_other_node(one, other)
                hears_the_ivr(here).hang_up()
                is_turned_away(there, one)
                a_crash_hands_it_over(postgres, one, other, there, strangers[1], strangers[2])
                # What the first one knew of registrations is its own, after a crash too.
                assert one.json("device", names[0])["registered"] is True
                seen = other.json("device", names[0])
                assert (seen["registered"], seen["registered_at"]) == (False, one.node), seen
                assert "registered at node node1" in other.cli("explain", "phone", names[0], check=False).stdout
                assert "Node node2 owns it" in one.cli("explain", "phone", "IVR-RP", check=False).stdout
                is_turned_away(here, other)
                a_clean_stop_hands_it_over_at_once(one, other, there)
                hears_the_ivr(here).hang_up()
                a_stopped_service_hands_it_over_at_once(one, other)
                nobody_serves_without_the_database(postgres, one, other, here, strangers[0])
                a_name_is_one_nodes(binary, postgres, one)
            for stranger in strangers:
                stranger.close()
        except BaseException:
            for server in filter(None, (one, other)):
                print(f"--- {server.node} ---\n{server.tail()}")
            raise
        finally:
            for server in filter(None, (one, other)):
                server.stop()
