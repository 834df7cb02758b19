"""The doors of the real server, as strangers try them: who gets a phone's password, by which names and
modes files are fetched, who is locked out by guessing, and what idle connections take."""

import contextlib
import http.client
import json
import os
import re
import socket
import stat

from baresip_story import fields_of
from fault_story import everything
from flood_story import is_closed
from hand_phone import Digest, plain_answer, status_of
from jackfield import PASSWORD, Server, set_up_self_provisioning, temporary, wait_for

MAC = "001122AABB77"
DEVICE = "SEP" + MAC
HOME, STRANGER = "127.0.0.11", "127.0.0.66"
SECRET = re.compile(r"<authPassword>([^<]+)<|(?m:^password=(\S+))|<Password_1_[^>]*>([^<]+)<")


def register_newcomer(server):
    """A phone that nobody knows registers from its home."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((HOME, 0))
        phone.settimeout(2)
        port = phone.getsockname()[1]
        for sequence in range(1, 8):
            aor = f"<sip:{DEVICE}@127.0.0.1>"
            phone.sendto((
                f"REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {HOME}:{port};branch=z9hG4bKdoor{sequence};rport\r\n"
                f"Max-Forwards: 70\r\nFrom: {aor};tag=1\r\nTo: {aor}\r\nCall-ID: door-{sequence}\r\n"
                f"CSeq: {sequence} REGISTER\r\nExpires: 3600\r\nUser-Agent: Cisco-CP7841/12\r\n"
                f"Contact: <sip:{DEVICE}@{HOME}:{port}>;+u.sip!devicename.ccm.cisco.com=\"{DEVICE}\""
                ";+u.sip!model.ccm.cisco.com=\"622\"\r\nContent-Length: 0\r\n\r\n").encode(), ("127.0.0.1", server.sip))
            try:
                text = phone.recv(65535).decode()
                if text.startswith("OPTIONS"):
                    phone.sendto(plain_answer(text).encode(), ("127.0.0.1", server.sip))
                    text = phone.recv(65535).decode()
                if text.startswith("SIP/2.0 200"):
                    return
            except TimeoutError:
                pass
    raise AssertionError("the newcomer was not taken in")


def get(port, path, source):
    door = http.client.HTTPConnection("127.0.0.1", port, timeout=10, source_address=(source, 0))
    try:
        door.putrequest("GET", path, skip_accept_encoding=True)
        door.endheaders()
        answer = door.getresponse()
        return answer.status, answer.read().decode()
    finally:
        door.close()


def tftp(server, name, source, mode="octet"):
    """A file as it arrives, block by block; None when it is refused."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind((source, 0))
        client.settimeout(5)
        client.sendto(b"\0\1" + name.encode() + b"\0" + mode.encode() + b"\0", ("127.0.0.1", server.tftp))
        file = b""
        while True:
            packet, sender = client.recvfrom(1000)
            if packet[1] != 3:
                return None
            client.sendto(b"\0\4" + packet[2:4], sender)
            file += packet[4:]
            if len(packet) < 516:
                return file.decode()


def password_for(server, source):
    """The password that an address gets, by whatever door it asks."""
    name = f"{DEVICE}.cnf.xml"
    files = [get(port, f"/{name}", source)[1] for port in (server.files, server.http)]
    files += [tftp(server, name, source, mode) for mode in ("octet", "netascii")]
    assert all("<device>" in file for file in files), files
    found = {match.group(1) if match else None for match in map(SECRET.search, files)}
    assert len(found) == 1, "not the same at every door"
    return found.pop()


def a_stranger_gets_no_password(server):
    register_newcomer(server)
    first = wait_for(lambda: password_for(server, HOME))
    steps = [("assign", DEVICE, "tanaka"), ("unassign", DEVICE), ("assign", DEVICE, "tanaka")]
    for step in steps:
        server.cli(*step)
        assert password_for(server, STRANGER) is None, step
        assert password_for(server, HOME) not in (None, first), step
    rest(server, "POST", f"/phones/{DEVICE}/secret", {})
    assert password_for(server, STRANGER) is None, "a new secret"
    status, told = rest(server, "POST", f"/phones/{DEVICE}/window", {"address": "127.0.0.64/30", "minutes": 1})
    assert status == 200 and told["addresses"] == ["127.0.0.64/30"], told
    assert password_for(server, STRANGER) and password_for(server, "127.0.0.70") is None


def rest(server, method, path, body):
    session = os.path.join(server.folder, "config", "jackfield", "session.json")
    with open(session) as file:
        token = json.load(file)["token"]
    door = http.client.HTTPConnection("127.0.0.1", server.http, timeout=30)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    door.request(method, f"/api/v1{path}", json.dumps(body), headers)
    answer = door.getresponse()
    text = answer.read()
    door.close()
    return answer.status, json.loads(text) if text else None


def the_same_file_by_other_names(server):
    usual = get(server.files, f"/{DEVICE}.cnf.xml", HOME)
    assert usual[0] == 200
    for name in ("SEP00:11:22:AA:BB:77.cnf.xml", "sep0011.22aa.bb77.CNF.XML", "SEP00-11-22-aa-bb-77.cnf.xml",
                 "/SEP001122AABB77.cnf.xml", "./SEP001122AABB77.cnf.xml", "SEP001122AABB77%2Ecnf.xml"):
        for port in (server.files, server.http):
            assert get(port, f"/{name}", HOME) == usual, name
        assert tftp(server, name, HOME) == usual[1], name
    for name in ("../SEP001122AABB77.cnf.xml", "%2e%2e/SEP001122AABB77.cnf.xml", "%252e%252e/SEP001122AABB77.cnf.xml"):
        assert get(server.files, f"/{name}", HOME)[0] == 400, name
        assert tftp(server, name, HOME) is None, name


def sign_in(server, source, password):
    door = http.client.HTTPConnection("127.0.0.1", server.http, timeout=30, source_address=(source, 0))
    body = json.dumps({"user_id": "admin", "password": password})
    door.request("POST", "/api/v1/sessions", body, {"Content-Type": "application/json"})
    answer = door.getresponse()
    told = json.loads(answer.read())
    door.close()
    return told.get("code", "in")


def a_stranger_locks_nobody_out(server):
    for _ in range(5):
        assert sign_in(server, STRANGER, "guess") == "wrong-credential"
    assert sign_in(server, STRANGER, PASSWORD) == "locked"
    assert sign_in(server, "127.0.0.1", PASSWORD) == "in"
    # Whoever has the machine opens it again, beside the running server.
    assert "unlocked" in server.cli("unlock", "admin", "--data", server.folder)
    assert sign_in(server, STRANGER, PASSWORD) == "in"
    rows = {row["operation"] for row in server.json("audit", "--limit", "100")["items"]}
    assert {"sign-in", "sign-in-failed", "lock", "unlock"} <= rows, rows


def what_is_kept_is_for_its_user_only(server):
    for name in os.listdir(server.folder):
        mode = os.stat(os.path.join(server.folder, name)).st_mode
        # The log is this test's own.
        if stat.S_ISREG(mode) and name != "server.log":
            assert mode & 0o077 == 0, f"{name}: {mode:o}"


def with_few_descriptors(binary, count):
    """The binary, where the system allows it so few descriptors."""
    path = os.path.join(temporary("jackfield-few-"), "jackfield")
    with open(path, "w") as script:
        script.write(f'#!/bin/sh\nulimit -n {count}\nexec "{os.path.abspath(binary)}" "$@"\n')
    os.chmod(path, 0o700)
    return path


def idle_connections_stop_nothing(binary):
    idle = []
    with Server(with_few_descriptors(binary, 64)) as server:
        try:
            for number in range(120):
                home = (f"127.0.1.{number % 5 + 1}", 0)
                idle.append(socket.create_connection(("127.0.0.1", server.http), 5, home))
            for _ in range(5):
                assert get(server.http, "/health/live", "127.0.2.1") == (200, "live\n")
        finally:
            for connection in idle:
                connection.close()


def connect(server, source):
    return socket.create_connection(("127.0.0.1", server.sip), 5, (source, 0))


def over_tcp(stream, server, fields, method, sequence, more=""):
    """Asks the node over a connection; the answer."""
    aor = f"<sip:{fields['user']}@127.0.0.1>"
    stream.sendall((
        f"{method} sip:127.0.0.1:{server.sip} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKtcp{sequence};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: {aor};tag=1\r\nTo: {aor}\r\nCall-ID: tcp\r\nCSeq: {sequence} {method}\r\n"
        f"Contact: <sip:{fields['user']}@127.0.0.1;transport=tcp>\r\n{more}Content-Length: 0\r\n\r\n").encode())
    return stream.recv(65535).decode()


def a_phone_over_tcp(server, source):
    """A phone of ours that has shown its secret over a connection, and stays registered by it."""
    name = min(everything(server, "phone"))
    fields = fields_of(server.fetch(f"{name[3:]}.txt"))
    stream, digest = connect(server, source), Digest(fields["auth-user"], fields["password"])
    assert digest.challenged(over_tcp(stream, server, fields, "REGISTER", 1))
    shown = digest.header("REGISTER", f"sip:127.0.0.1:{server.sip}")
    answer = over_tcp(stream, server, fields, "REGISTER", 2, shown)
    assert status_of(answer) == 200, answer
    return stream, fields


def strangers_connections_make_room_for_each_other(binary):
    """Whoever connects again and again loses its own oldest connection; phones at the same address keep theirs,
    however old, and others come in."""
    server = Server(with_few_descriptors(binary, 500), arguments=["--sample-company", "1", "--sample-phones"])
    with server, contextlib.ExitStack() as open_ones:
        server.sign_in()
        server.cli("set", "cluster-settings", "--provisioning-networks", "127.0.0.1/32")
        phone, fields = a_phone_over_tcp(server, STRANGER)
        open_ones.enter_context(phone)
        figure = r'(?m)^jackfield_limit_{}\{{use="([^"]*)"\}} (\d+)$'
        share = server.metrics(figure.format("most"))["sip-streams"] // 4
        strangers = [open_ones.enter_context(connect(server, STRANGER)) for _ in range(share)]
        wait_for(lambda: server.held("sip-streams") == share + 1)
        assert not any(is_closed(one) for one in strangers), "there is room for all of them"
        last = open_ones.enter_context(connect(server, STRANGER))
        wait_for(lambda: is_closed(strangers[0]))
        other = open_ones.enter_context(connect(server, HOME))
        wait_for(lambda: server.held("sip-streams") == share + 2)
        assert not any(is_closed(one) for one in (*strangers[1:], last, other, phone))
        assert server.metrics(figure.format("evicted_total"))["sip-streams"] == 1
        assert status_of(over_tcp(phone, server, fields, "OPTIONS", 3)) == 200


def run(binary):
    with Server(binary) as server:
        server.sign_in()
        set_up_self_provisioning(server, users=[("tanaka", "3001", "73519")])
        a_stranger_gets_no_password(server)
        the_same_file_by_other_names(server)
        a_stranger_locks_nobody_out(server)
        what_is_kept_is_for_its_user_only(server)
    idle_connections_stop_nothing(binary)
    strangers_connections_make_room_for_each_other(binary)
