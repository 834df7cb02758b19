"""The command line as a person meets it: whoever reads the answers may leave in the middle, and what
can't be written is told."""

import os
import re
import socket
import subprocess
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))

from digest import register_once  # noqa: E402
from jackfield import Server, set_up_self_provisioning, wait_for  # noqa: E402

# Ways in which commands talk, and how they end. What they do is proved elsewhere.
TALKATIVE = [
    (0, "--help"), (0, "setup"), (0, "status"), (0, "services"), (0, "audit"), (0, "calls"), (0, "languages"),
    (0, "explain user tanaka"), (0, "explain 3001"), (0, "list line"), (0, "--json list line"), (0, "show node node1"),
    (0, "self-provisioning status"), (0, "self-provisioning set --start-delay-seconds 1 --restart later"),
    (0, "services restart tftp"), (0, "services restart file-http"), (0, "unlock tanaka"),
    (0, "add line --number 4001"), (0, "set line 4001 --description Hall"),
    (0, "set line --where number=4001 --description Yard"), (0, "delete line 4001"),
    (1, "show line 4001"), (2, "list colour"), (1, "--server http://127.0.0.1:1 status"),
]


def run(binary):
    with Server(binary) as server:
        server.sign_in()
        set_up_self_provisioning(server, users=[("tanaka", "3001", "73519")])
        for code, words in TALKATIVE:
            ended = with_outputs(server, words, deaf(), deaf())
            assert ended == code, f"jackfield {words} | true: ended with {ended}, not {code}"
        assert "4001" not in server.cli("list", "line"), "the last change was made"
        assert "Hall -> Yard" in server.cli("audit"), "and those before"
        a_full_disk_is_told(server)
        a_phone_leaves_with_its_reader(server)
        a_soft_phone_is_told_its_secret(server)
        a_long_list_says_that_there_is_more(server)
        a_waiting_service_says_for_how_long(server)
        who_leaves_is_removed(server)
        what_has_no_effect_is_said(server)
        windows_are_seen_and_closed(server)
        a_port_counts_from_the_next_start_on(server)
    a_server_needs_no_reader(binary)
    a_first_start_that_failed_is_made_up_for(binary)


def deaf():
    """A pipe whose reader has left."""
    read, write = os.pipe()
    os.close(read)
    return write


def with_outputs(server, words, out, err):
    environment = {**os.environ, "JACKFIELD_SERVER": server.url,
                   "XDG_CONFIG_HOME": os.path.join(server.folder, "config")}
    done = subprocess.run([server.binary, *words.split()], stdin=subprocess.DEVNULL, stdout=out,
                          stderr=err, env=environment, timeout=60)
    for end in {out, err}:
        os.close(end)
    return done.returncode


def a_full_disk_is_told(server):
    path = os.path.join(server.folder, "told")
    told = os.open(path, os.O_WRONLY | os.O_CREAT)
    ended = with_outputs(server, "list line", os.open("/dev/full", os.O_WRONLY), told)
    with open(path) as file:
        text = file.read()
    assert ended == 1 and text.startswith("jackfield: writing to standard output: No space left"), text


def a_phone_leaves_with_its_reader(server):
    """Its owner looks at it no more: it unregisters and ends."""
    phone = subprocess.Popen(
        [server.binary, "phone", "--sip-port", str(server.sip), "--http-port", str(server.files),
         "--tftp-port", str(server.tftp)],
        stdin=subprocess.PIPE, stdout=deaf(), stderr=subprocess.PIPE)
    _, complaint = phone.communicate(b"wait registered\nquit\n", timeout=60)
    assert (phone.returncode, complaint) == (0, b""), complaint


def a_soft_phone_is_told_its_secret(server):
    """It reads no file: what `secret` prints is entered by hand, and is good at once."""
    server.cli("add", "phone", "--name", "CSFTANAKA", "--model", "Generic soft client", "--owner", "tanaka",
               "--lines", "3001")
    told = server.cli("secret", "CSFTANAKA")
    password = re.search(r"^password: (\S+)$", told, re.M).group(1)
    assert "user for authentication: CSFTANAKA" in told and "number (user): 3001" in told, told
    assert "not registered" in row_of(server, "CSFTANAKA")
    assert register_once(server.sip, "CSFTANAKA", password)
    row = row_of(server, "CSFTANAKA")
    assert re.search(r" registered +127\.0\.0\.1:\d+ udp", row), row
    assert "CSFTANAKA" in server.cli("list", "phone", "--registered")
    assert "CSFTANAKA" not in server.cli("list", "phone", "--registered", "false")
    assert "127.0.0.7 for 5 minutes" in server.cli(
        "window", "CSFTANAKA", "--address", "127.0.0.7", "--minutes", "5")
    server.cli("secret", "CSFTANAKA")
    assert not register_once(server.sip, "CSFTANAKA", password), "the one before is good no more"
    refused = server.cli("text", "CSFTANAKA", "Hello", check=False)
    assert refused.returncode == 1 and "panicked" not in refused.stderr, refused.stderr
    assert password not in server.cli("--json", "audit", "--object", "CSFTANAKA")
    with open(os.path.join(server.folder, "server.log")) as log:
        assert password not in log.read()


def row_of(server, phone):
    return next(line for line in server.cli("list", "phone").splitlines() if line.startswith(phone))


def a_long_list_says_that_there_is_more(server):
    assert "There is more" in server.cli("list", "role", "--limit", "1")
    assert "There is more" not in server.cli("list", "role")


def a_waiting_service_says_for_how_long(server):
    server.cli("self-provisioning", "set", "--start-delay-seconds", "90", "--restart", "later")
    told = server.cli("services", "restart", "self-provisioning-ivr")
    assert re.search(r"answers in (8\d|90) s", told), told
    assert re.search(r"self-provisioning-ivr on node1: its number answers in \d+ s", server.cli("services"))


def who_leaves_is_removed(server):
    assert "3001 is free" in server.cli("quick-remove", "tanaka")
    audit = server.cli("audit", "--object", "tanaka", "--since", "1h")
    assert "quick-remove" in audit and "quick-add" in audit, audit
    assert "quick-remove" not in server.cli("audit", "--until", "1h")
    server.cli("login", "tanaka", stdin="wrong\n", check=False)
    failed = server.cli("audit", "--failed")
    assert "sign-in-failed" in failed and "quick-remove" not in failed, failed


def a_first_start_that_failed_is_made_up_for(binary):
    """The one-time password is told by the start that succeeds."""
    server = Server(binary)
    with socket.socket() as other:
        other.bind(("127.0.0.1", server.http))
        other.listen()
        try:
            server.start()
            raise AssertionError("it started at a port that another program has")
        except AssertionError as error:
            assert "in use" in str(error), error
    assert server.one_time_password is None, "it is told to nobody who can't use it"
    with server:
        server.sign_in()
    server.one_time_password = None
    with server:
        assert server.one_time_password is None, "told once"


def what_has_no_effect_is_said(server):
    """A field in a list, a word of a choice; and a field that has its effect."""
    server.cli("add", "line", "--number", "4002")
    server.cli("add", "phone", "--name", "SEP001122AABBCC", "--model", "Cisco 7841", "--lines", "4002")
    told = server.cli("set", "phone", "SEP001122AABBCC", "--lines", "4002:external-mask=03XXXX")
    assert "Warning: lines[0].external_mask has no effect" in told, told
    told = server.cli("add", "softkey-template", "--name", "Keys", "--softkeys", "hold,transfer")
    assert "Warning: softkeys[1]: in this release phones are not offered `transfer`" in told, told
    for words in ("set phone SEP001122AABBCC --description Hall", "set softkey-template Keys --softkeys hold,end"):
        told = server.cli(*words.split())
        assert "Warning" not in told, told
    assert "external-mask: no effect yet" in server.cli("set", "phone", "--help")


def windows_are_seen_and_closed(server):
    phone = "SEP001122AABBCC"
    assert phone not in server.cli("window")
    server.cli("window", phone, "--address", "192.0.2.77", "--minutes", "5")
    assert re.search(rf"(?m)^{phone} +192\.0\.2\.77 +20", server.cli("window")), server.cli("window")
    assert server.cli("window", phone, "--close") == f"the window of {phone} is closed\n"
    assert phone not in server.cli("window")
    done = server.cli("window", phone, "--close", check=False)
    assert done.returncode != 0 and f"no window {phone}" in done.stderr, done
    assert "PHONE" in server.cli("window", "--close", check=False).stderr


def a_port_counts_from_the_next_start_on(server):
    """Phones that fetch their files before the restart are told where the server listens."""
    assert "when the node restarts" in server.cli("set", "node", "node1", "--sip-port", "5999")
    with urllib.request.urlopen(f"http://127.0.0.1:{server.files}/XMLDefault.cnf.xml") as answer:
        told = answer.read().decode()
    assert f"<sipPort>{server.sip}</sipPort>" in told and "5999" not in told, told
    assert "Its settings say 5999, which counts from its next start on" in server.cli("status")
    assert "settings say 5999" in server.cli("setup")
    server.cli("set", "node", "node1", "--sip-port", str(server.sip))
    assert "settings say" not in server.cli("status")


def a_server_needs_no_reader(binary):
    server = Server(binary)
    process = subprocess.Popen(
        [server.binary, "serve", "--data", server.folder, "--address", "127.0.0.1", "--sip",
         f"127.0.0.1:{server.sip}", "--http", f"127.0.0.1:{server.http}", "--files",
         f"127.0.0.1:{server.files}", "--tftp", f"127.0.0.1:{server.tftp}"],
        stdout=deaf(), stderr=deaf(), stdin=subprocess.DEVNULL)
    try:
        def answers():
            """a server that nobody listens to"""
            assert process.poll() is None, f"it ended with {process.returncode}"
            ask = subprocess.run([server.binary, "--server", server.url, "login", "nobody"],
                                 input="x\n", text=True, capture_output=True)
            return "no server answers" not in ask.stderr
        wait_for(answers, 30)
    finally:
        process.terminate()
        process.wait(20)
    assert process.returncode == 0, process.returncode
