"""Self-provisioning as it runs: a new server, real SIP, sound and HTTP, the real store and the real
checks. What callers hear is known by its sound, what screens show by their pages, and what is kept by
the audit, the log and the database file.
"""

import contextlib
import glob
import os
import threading
import time
import urllib.parse
import urllib.request

from ear import Ear
from fault_story import Rest
from hand_phone import HandPhone
from jackfield import PASSWORD, Server, set_up_self_provisioning, temporary, wait_for

IVR, SERVICE = "2000", "self-provisioning-ivr"
SETTINGS = "/self-provisioning/settings"
RESTARTED = "Save successful. Self-Provisioning IVR service restarted successfully"
NOT_RESTARTED = "Save successful. Failed to restart Self-Provisioning IVR service."
CODE = "00731507315073150731"
WRONG = "The user or the password or PIN is wrong."
EAR = Ear()

_strangers = 0


def stranger(server, agent=None, events=None):
    """A new phone that was taken in; `agent` and `events` are what it says of itself."""
    global _strangers
    _strangers += 1
    phone = HandPhone(server, f"00AA00BB{_strangers:04X}", agent=agent, events=events)
    assert phone.register()[0] == 200
    def taken_in():
        """the new phone, under a name with the prefix of its model"""
        return [row["name"] for row in server.json("list", "phone") if row["name"].endswith(phone.user)]
    phone.device = wait_for(taken_in)[0]
    return phone


def ivr(server):
    rows = server.json("services", "list")["items"]
    return next(row for row in rows if row["service"] == SERVICE)


def restart(server, **settings):
    """Changes settings of self-provisioning, and restarts the service with them."""
    for name, value in settings.items():
        server.cli("self-provisioning", "set", "--" + name.replace("_", "-"), value)
    server.cli("services", "restart", SERVICE)
    wait_for(lambda: ivr(server)["state"] == "in-service")


def dial(phone):
    call = phone.call(IVR)
    assert call.status == 200, f"the IVR's number was answered {call.status}"
    return call


def key_in(call, *entries):
    for entry in entries:
        assert call.press(entry) == 200
        call.hear()


def owner_of(server, phone):
    found = server.json("show", "phone", phone.device)
    return found["owner"] and found["owner"]["name"]


def screen(server, phone, path="", **fields):
    """What the phone's own page shows."""
    query = urllib.parse.urlencode({"device": phone.device, "lang": "en-US", **fields})
    address = f"{server.url}/phone/self-provisioning{path}?{query}"
    with urllib.request.urlopen(address, timeout=20) as answer:
        return answer.read().decode()


def submit(server, phone, **fields):
    return screen(server, phone, "/submit", **fields)


def refused_in_the_audit(server, phone, code):
    """The audit has an assignment of this phone that was refused for this reason."""
    def rows():
        items = server.json("audit", "--operation", "assign")["items"]
        mine = [row for row in items if row["name"] == phone.device and "refused" in (row["detail"] or {})]
        return [row for row in mine if row["detail"]["refused"]["code"] == code]
    rows.__doc__ = f"{code} of {phone.device} in the audit"
    return wait_for(rows, 5)[0]


def in_the_log(server, phone, *words):
    with open(os.path.join(server.folder, "server.log"), errors="replace") as log:
        lines = [line for line in log if "self-provisioning was refused" in line and phone.device in line]
    assert any(all(word in line for word in words) for line in lines), (words, lines)


# Proves SP-10.a, SP-10.e, SP-11.a, SP-11.b, SP-20.d, SP-24.b and SP-24.d.
def nothing_runs_unless_it_is_activated(server):
    """Everything can be set up, and nobody is served, until the service is activated."""
    assert (ivr(server)["activated"], ivr(server)["running"]) == (False, False)
    done = server.cli("services", "start", SERVICE, check=False)
    assert done.returncode != 0 and "not running" in done.stderr, done
    set_up_the_rest(server)
    rest = Rest(server)
    wanted = {"settings": {"route_point": "IVR", "application_user": "ivr", "start_delay_seconds": 0}}
    status, asked = rest.ask("PUT", SETTINGS, wanted)
    assert (status, asked["code"]) == (409, "restart-choice-needed"), asked
    status, cancelled = rest.ask("GET", SETTINGS)
    assert cancelled["settings"]["route_point"] is None, "nothing is saved before the answer"
    status, saved = rest.ask("PUT", SETTINGS, {**wanted, "restart": "now"})
    assert (status, saved["message"]) == (200, NOT_RESTARTED), saved
    assert saved["restart_failure"]["code"] == "service-inactive", saved
    assert saved["settings"]["route_point"]["name"] == "IVR"
    assert ivr(server)["running"] is False, "it was started, and never activated"
    with stranger(server) as phone:
        assert phone.call(IVR).status >= 400
        assert owner_of(server, phone) is None


def set_up_the_rest(server):
    server.cli("services", "activate", "cti-manager")
    server.cli("add", "line", "--number", IVR)
    server.cli("add", "cti-route-point", "--name", "IVR", "--lines", IVR)
    server.cli("add", "application-user", "--user-id", "ivr", "--groups", "Standard CTI Enabled",
               "--controlled-route-points", "IVR")
    server.cli("password", "ivr", stdin=PASSWORD + "x\n")
    node = server.json("list", "node")[0]["name"]
    server.cli("set", "auto-registration", node, "--starting-number", "9000", "--ending-number", "9099",
               "--disabled", "false")


# Proves SP-10.b, SP-10.d, SP-20.e, SP-24.a and SP-26.a.
def it_runs_once_it_is_activated(server):
    server.cli("services", "activate", SERVICE)
    wait_for(lambda: ivr(server)["state"] == "in-service")
    with stranger(server) as phone:
        call = dial(phone)
        assert EAR.listen(call)[:1] == ["greeting"]
        call.hang_up()
    rest = Rest(server)
    status, saved = rest.ask("PUT", SETTINGS, {"settings": {"application_user": None}, "restart": "now"})
    assert saved["message"] == NOT_RESTARTED, saved
    assert saved["restart_failure"]["field"] == "application_user", saved
    status, saved = rest.ask("PUT", SETTINGS, {"settings": {"application_user": "ivr"}, "restart": "now"})
    assert saved["message"] == RESTARTED, saved
    wait_for(lambda: ivr(server)["state"] == "in-service")


# Proves SP-02.c, SP-06.a, SP-44.d, SP-50.b, SP-50.c and SP-56.a.
def a_user_who_was_just_added_provisions_a_phone(server):
    """With the PIN that was told once. The password, right as it is, is none over a call."""
    added = server.json("quick-add", "tanaka", "--template", "Default", "--extension", "3001")
    assert added["obstacles"][0]["code"] == "provisioning-not-allowed", added
    server.cli("set", "user-profile", "Default", "--allow-self-provisioning", "true")
    server.cli("password", "tanaka", stdin="40718529630\n")
    with stranger(server) as phone:
        lent = server.json("show", "phone", phone.device)["lines"][0]["line"]["name"]
        assert hears_last(phone, "3001#", "40718529630#") == ["invalid-id-or-credential", "enter-self-service-id"]
        assert owner_of(server, phone) is None
        call = dial(phone)
        key_in(call, "3001#", added["pin"] + "#")
        assert EAR.listen(call)[-1:] == ["confirm-extension-after"]
        began = time.time() * 1000
        key_in(call, "1")
        wait_for(lambda: owner_of(server, phone) == "tanaka")
        call.hang_up()
        row = next(row for row in server.json("audit", "--operation", "assign")["items"]
                   if row["name"] == phone.device and row["after"])
        assert began - 1000 < row["time"] < time.time() * 1000 + 1000, row
        assert row["detail"]["user"] and row["detail"]["proven_by"] == "pin", row
        assert row["actor"]["user_id"] == "ivr", row
        assert lent not in [line["number"] for line in server.json("list", "line")], "the number is still lent"


def hears_last(phone, *entries):
    """Calls, keys everything in, and hears to the end."""
    call = dial(phone)
    key_in(call, *entries)
    heard = EAR.listen(call)
    call.hang_up()
    return heard[-2:]


# Proves SP-34.a, SP-34.c, SP-34.d, SP-34.e, SP-34.f, SP-34.g and SP-56.d.
def each_condition_that_fails_is_heard_and_kept(server):
    """Each has its own prompt, line of the log and row of the audit."""
    user(server, "suzuki", "3002", "86427")
    server.cli("add", "user-profile", "--name", "Strict", "--allow-self-provisioning", "true",
               "--desk-phones", "New phones")
    server.cli("set", "end-user", "suzuki", "--user-profile", "Strict")
    profile = ("set", "user-profile", "Strict")
    with stranger(server) as phone:
        for change, back, prompt, code in [
            ((*profile, "--allow-self-provisioning", "false"), (*profile, "--allow-self-provisioning", "true"),
             "not-allowed", "provisioning-not-allowed"),
            ((*profile, "--device-limit", "0"), (*profile, "--device-limit", "10"), "limit-reached", "device-limit"),
            ((*profile, "--desk-phones", ""), (*profile, "--desk-phones", "New phones"),
             "no-template", "no-device-template"),
            (("set", "end-user", "suzuki", "--primary-extension", "", "--self-service-id", "3002"),
             ("set", "end-user", "suzuki", "--primary-extension", "3002", "--self-service-id", ""),
             "no-primary-extension", "no-primary-extension"),
        ]:
            server.cli(*change)
            assert prompt in hears_last(phone, "3002#", "86427#"), prompt
            server.cli(*back)
            row = refused_in_the_audit(server, phone, code)
            assert row["actor"]["user_id"] == "ivr", row
            in_the_log(server, phone, "suzuki", code)
        assert owner_of(server, phone) is None


def user(server, name, extension, pin):
    server.cli("quick-add", name, "--template", "Default", "--extension", extension, "--own-pin", stdin=pin + "\n")


# Proves SP-07.a, SP-07.d, SP-07.e, SP-07.f and SP-56.d.
def wrong_pins_end_the_call_and_lock_the_user(server):
    user(server, "sato", "3003", "97538")
    with stranger(server) as phone:
        wrong = ("3003#", "11111#")
        call = dial(phone)
        key_in(call, *wrong * 2)
        drain_for(phone, 1)
        key_in(call, *wrong)
        assert EAR.listen(call)[-1:] == ["too-many-attempts"]
        phone.wait_request("BYE")
        row = refused_in_the_audit(server, phone, "wrong-credential")
        assert "11111" not in str(row), "what was keyed in is nobody's to read"
        in_the_log(server, phone, "sato", "wrong-credential")
        call = dial(phone)
        key_in(call, *wrong * 2)
        call.hang_up()
        assert "user-locked" in hears_last(phone, "3003#", "97538#")
        refused_in_the_audit(server, phone, "locked")
        in_the_log(server, phone, "sato", "locked")
        # The password has failures of its own, and a lock that is seen.
        server.cli("password", "sato", stdin=PASSWORD + "y\n")
        for _ in range(5):
            assert WRONG in submit(server, phone, user="sato", password="wrong")
        assert "locked" in submit(server, phone, user="sato", password=PASSWORD + "y").lower()
        server.cli("unlock", "sato")
        assert "3003" in submit(server, phone, user="sato", password=PASSWORD + "y")
        wait_for(lambda: owner_of(server, phone) == "sato")


def drain_for(phone, seconds):
    end = time.monotonic() + seconds
    phone.sound.settimeout(0.1)
    while time.monotonic() < end:
        try:
            phone.sound.recv(2048)
        except TimeoutError:
            pass


# Proves SP-02.b, SP-03.a, SP-03.b, SP-03.c, SP-04.a, SP-04.b, SP-04.c, SP-04.d and SP-34.b.
def the_code_opens_in_its_mode_alone(server):
    """Twenty digits, leading zeros and all, over a call and on a screen; nowhere to be read."""
    def set_code(code):
        return server.cli("self-provisioning", "code", stdin=code + "\n", check=False)
    done = set_code(CODE)
    assert done.returncode != 0 and "mode" in done.stderr, done
    restart(server, mode="users-and-administrators")
    for bad in ("", CODE + "1", "12a4"):
        done = set_code(bad)
        assert done.returncode != 0 and "1 to 20" in done.stderr, (bad, done)
    assert set_code(CODE).returncode == 0
    user(server, "mori", "3004", "52904")
    user(server, "kato", "3005", "61803")
    with stranger(server) as phone, stranger(server) as other:
        assert "invalid-id-or-credential" in hears_last(phone, "3004#", CODE.lstrip("0") + "#")
        assert "confirm-extension-after" in hears_last(phone, "3004#", "52904#"), "the own PIN counts too"
        # The code opens no door that is closed to the user.
        server.cli("set", "end-user", "mori", "--user-profile", "Strict")
        server.cli("set", "user-profile", "Strict", "--allow-self-provisioning", "false")
        assert "not-allowed" in hears_last(phone, "3004#", CODE + "#")
        done = server.cli("assign", phone.device, "mori", check=False)
        assert done.returncode != 0 and "not allow" in done.stderr, done
        server.cli("set", "user-profile", "Strict", "--allow-self-provisioning", "true")
        call = dial(phone)
        key_in(call, "3004#", CODE + "#")
        assert EAR.listen(call)[-1:] == ["confirm-extension-after"]
        key_in(call, "1")
        wait_for(lambda: owner_of(server, phone) == "mori")
        assert "3005" in submit(server, other, user="kato", password=CODE)
        wait_for(lambda: owner_of(server, other) == "kato")
        rows = server.json("audit", "--operation", "assign")["items"]
        by_code = {row["name"]: row["actor"] for row in rows if (row["detail"] or {}).get("proven_by") == "code"}
        assert set(by_code) == {phone.device, other.device}, by_code
        assert by_code[other.device]["actor"] == "device", "whoever knows the code is not the user"
    assert CODE not in str(server.json("audit")) + server.cli("--json", "show", "self-provisioning") + server.tail()
    for path in glob.glob(os.path.join(server.folder, "*")):
        if os.path.isfile(path):
            with open(path, "rb") as file:
                assert CODE.encode() not in file.read(), path


# Proves SP-07.g and SP-07.h.
def the_code_is_locked_after_too_many_wrong_ones(server):
    """As many as are set, at once and whoever guesses; callers hear it. The lock ends with its minute."""
    server.cli("self-provisioning", "set", "--code-failures-per-minute", "2")
    assert ivr(server)["restart_needed"] is False, "this setting counts at once"
    user(server, "abe", "3006", "70349")
    user(server, "ito", "3007", "38164")
    with stranger(server) as phone:
        # What was keyed in wrong a moment ago counts as well.
        heard = [hears_last(phone, extension + "#", "555#") for extension in ("3006", "3007", "3006")]
        assert "invalid-id-or-credential" in heard[0] and "code-locked" in heard[2], heard
        assert "code-locked" in hears_last(phone, "3007#", CODE + "#"), "it is right, and locked all the same"
        locked = time.monotonic()
        def open_again():
            """the code after its minute"""
            return "confirm-extension-after" in hears_last(phone, "3006#", CODE + "#")
        wait_for(open_again, 75, every=5)
        assert time.monotonic() - locked > 20, "it was locked for no time at all"
    server.cli("self-provisioning", "set", "--code-failures-per-minute", "10")


# Proves SP-05.b, SP-05.c, SP-05.d, SP-06.b, SP-19.a, SP-19.b and SP-19.d.
def saved_settings_wait_for_the_restart_everywhere(server):
    """Saved and not restarted, a mode changes neither what callers hear nor what screens ask for."""
    restart(server, mode="users-only")
    for language, marked in ("en_US.UTF-8", "Not recommended for day-to-day use"), ("ja_JP.UTF-8", "推奨されません"):
        assert marked in server.cli("self-provisioning", "set", "--mode", "none", language=language), language
    assert server.json("self-provisioning", "status")["restart_needed"] is True
    user(server, "ono", "3008", "27615")
    user(server, "ueda", "3009", "94027")
    server.cli("password", "ono", stdin=PASSWORD + "z\n")
    with stranger(server) as phone, stranger(server) as other:
        assert "Password" in screen(server, phone)
        assert "Enter your password." in submit(server, phone, user="ono"), "the ID alone is not enough yet"
        assert WRONG in submit(server, phone, user="ono", password="27615"), "the PIN is no password"
        assert hears_last(phone, "3008#") == ["enter-pin"] or hears_last(phone, "3008#")[-1:] == ["enter-pin"]
        assert "3008" in submit(server, phone, user="ono", password=PASSWORD + "z")
        wait_for(lambda: owner_of(server, phone) == "ono")
        server.cli("services", "restart", SERVICE)
        assert "Password" not in screen(server, other)
        assert "3009" in submit(server, other, user="ueda")
        wait_for(lambda: owner_of(server, other) == "ueda")
        row = next(row for row in server.json("audit", "--operation", "assign")["items"]
                   if row["name"] == other.device and row["after"])
        assert (row["actor"]["actor"], row["detail"]["proven_by"]) == ("device", "nothing"), row
        assert row["actor"]["address"] == "127.0.0.1", row
    with stranger(server) as third:
        user(server, "endo", "3010", "15937")
        assert "3010" in submit(server, third, user="3010"), "the self-service ID names a user as well"
    restart(server, mode="users-only")


# Proves SP-16.d and SP-16.e.
def lowered_maxima_count(server):
    restart(server, maximum_calls="1")
    with stranger(server) as phone, stranger(server) as other:
        call = dial(phone)
        assert other.call(IVR).status == 486
        call.hang_up()
        wait_for(lambda: answered(other))
    restart(server, maximum_calls="100")
    point = Rest(server)
    lines = point.ask("GET", "/cti-route-points/IVR")[1]["lines"]
    lines[0]["maximum_calls"], lines[0]["busy_trigger"] = 1, 1
    status, told = point.ask("PATCH", "/cti-route-points/IVR", {"lines": lines})
    assert status == 200, told
    with stranger(server) as phone, stranger(server) as other:
        call = dial(phone)
        assert other.call(IVR).status == 486
        call.hang_up()


# Proves SP-16.f.
def what_calls_hold_falls_with_their_maximum(server):
    """A call that is taken holds memory and sockets for its sound; nothing is held for calls that may come."""
    at_rest = wait_for(lambda: sockets(server))
    held = {}
    # All call from one address, which has a quarter of the calls.
    for maximum in (24, 8):
        restart(server, maximum_calls=str(maximum))
        assert sockets(server) == at_rest, "none is held before anybody calls"
        with contextlib.ExitStack() as phones:
            calls = [phones.enter_context(stranger(server)).call(IVR) for _ in range(6)]
            taken = [call for call in calls if call.status == 200]
            assert [call.status for call in calls if call not in taken] == [486] * (6 - maximum // 4)
            held[len(taken)] = sockets(server) - at_rest
            for call in taken:
                call.hang_up()
            wait_for(lambda: sockets(server) == at_rest)
    assert held[6] >= 6 and held[2] * 3 == held[6], held
    restart(server, maximum_calls="100")


def memory_of_calls(binary, maximum, phones=100):
    """What a new server holds more, in kB, while as many of these phones are in a call as its maximum allows. They
    call from several addresses, since each has a share of the calls alone."""
    with Server(binary) as server, contextlib.ExitStack() as callers:
        server.sign_in()
        set_up_self_provisioning(server, last="9199")
        node = server.json("list", "node")[0]["name"]
        server.cli("set", "auto-registration", node, "--per-minute", "10000", "--unassigned-limit", "1000")
        restart(server, maximum_calls=str(maximum))
        places = [HandPhone(server, f"00AA00CC{number:04X}", host=f"127.0.0.{71 + number % 4}") for number in range(phones)]
        for phone in places:
            callers.enter_context(phone)
            assert phone.register()[0] == 200
        # What the first call alone takes is none of theirs; nor is what newcomers leave to be written.
        dial(places[0]).hang_up()
        before = wait_for(lambda: steady_memory(server))
        calls = [phone.call(IVR) for phone in places]
        assert sorted({call.status for call in calls}) == ([200] if maximum >= phones else [200, 486])
        assert server.held("ivr-calls") == min(maximum, phones)
        return anonymous_memory(server) - before


def steady_memory(server):
    """memory that stays as it is for a second"""
    then = anonymous_memory(server)
    time.sleep(1)
    now = anonymous_memory(server)
    return now if abs(now - then) < 64 else None


def anonymous_memory(server):
    with open(f"/proc/{server.process.pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Pss_Anon:"))


# Proves SP-16.f.
def memory_falls_with_the_maximum(binary):
    """In octets: a server whose maximum is lower holds less when as many call."""
    many, few = memory_of_calls(binary, 100), memory_of_calls(binary, 8)
    assert few + 1000 < many, f"{few} kB with a maximum of 8, {many} kB with one of 100"


def sockets(server):
    """Open UDP sockets of the server."""
    with open("/proc/net/udp") as table:
        of_udp = {f"socket:[{row.split()[9]}]" for row in list(table)[1:]}
    folder = f"/proc/{server.process.pid}/fd"
    count = 0
    for name in os.listdir(folder):
        try:
            count += os.readlink(os.path.join(folder, name)) in of_udp
        except FileNotFoundError:
            # Closed meanwhile, as the connection of an order is.
            pass
    return count


def answered(phone):
    call = phone.call(IVR)
    if call.status == 200:
        call.hang_up()
    return call.status == 200


# Proves SP-18.b, SP-18.c and SP-18.d.
def the_delay_after_a_start_is_as_configured(server):
    server.cli("self-provisioning", "set", "--start-delay-seconds", "4")
    server.cli("services", "restart", SERVICE)
    began = time.monotonic()
    with stranger(server) as phone:
        assert ivr(server)["state"] == "waiting"
        assert phone.call(IVR).status == 503, "callers hear reorder"
        wait_for(lambda: ivr(server)["state"] == "in-service", 10)
        assert 3.5 < time.monotonic() - began < 7
        assert answered(phone)


# Proves SP-13.b, SP-13.d and SP-43.a.
def languages_are_offered_in_their_order(server):
    node = server.json("list", "auto-registration")[0]
    for field in "device_template", "line_template", "starting_number", "ending_number":
        assert node[field], node
    restart(server, languages="ja-JP,en-US", start_delay_seconds="0")
    assert server.json("show", "self-provisioning")["languages"] == ["ja-JP", "en-US"]
    japanese, both = Ear("ja-JP"), Ear("ja-JP", "en-US")
    with stranger(server) as phone:
        call = dial(phone)
        heard = [name for name in both.listen(call) if name.endswith("press")]
        assert heard[:2] == ["ja-JP/for-this-language-press", "en-US/for-this-language-press"], heard
        call.hang_up()
        call = dial(phone)
        key_in(call, "1")
        heard = japanese.listen(call)
        assert heard[-1:] == ["enter-self-service-id"], heard
        call.hang_up()
        call = dial(phone)
        key_in(call, "2")
        assert EAR.listen(call)[-1:] == ["enter-self-service-id"]
        call.hang_up()
    restart(server, languages="en-US")


# Proves SP-15.h.
def keys_are_taken_by_kpml(server):
    """From a phone that has no keys in its sound, and can be asked for them (RFC 4730)."""
    header = "Event: kpml\r\nSubscription-State: active;expires=3600\r\nContent-Type: application/kpml-response+xml\r\n"
    with stranger(server, events="kpml") as phone:
        call = dial(phone)
        phone.wait_request("SUBSCRIBE")
        assert any("Event: kpml" in text for text in phone.requests)
        for key in "3010#":
            report = f'<kpml-response version="1.0" code="200" text="OK" digits="{key}"/>'
            assert call.within("NOTIFY", header, report) == 200
        heard = EAR.listen(call)
        assert heard[-1:] == ["enter-pin"], heard
        call.hang_up()


# Proves SP-45.d.
def an_older_export_is_imported_from_a_file(server):
    node = server.json("list", "node")[0]["name"]
    path = os.path.join(temporary("export-"), "export.csv")
    with open(path, "w") as file:
        file.write("node,disabled,starting_number,ending_number,partition,external_mask\n"
                   f"{node},false,7000,7099,,03555XXXX\n")
    told = server.cli("import", "auto-registration", path)
    assert f"{node}: 7000 to 7099" in told, told
    settings = server.json("show", "auto-registration", node)
    assert settings["line_template"]["name"] == settings["device_template"]["name"] == node, settings
    assert server.json("show", "universal-line-template", node)["external_mask"] == "03555XXXX"
    with stranger(server) as phone:
        lines = server.json("show", "phone", phone.device)["lines"]
        assert lines[0]["line"]["name"].startswith("70"), lines
    with open(path, "a") as file:
        file.write("nowhere,false,800,899,,\n")
    done = server.cli("import", "auto-registration", path, check=False)
    assert done.returncode != 0 and "nowhere" in done.stderr, done
    assert server.json("show", "auto-registration", node)["starting_number"] == "7000"


# Proves SP-13.g.
def the_first_language_is_the_systems(binary):
    """As POSIX has it: LC_ALL goes before LANG, and an empty one says nothing."""
    for locale, others, tag in (("ja_JP.UTF-8", "en_US.UTF-8", "ja-JP"), ("de_DE.UTF-8", "ja_JP.UTF-8", "en-US"),
                                ("", "ja_JP.UTF-8", "ja-JP")):
        server = Server(binary)
        before = {name: os.environ.get(name) for name in ("LANG", "LC_ALL")}
        os.environ.update(LANG=others, LC_ALL=locale)
        try:
            server.start()
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        try:
            server.sign_in()
            assert server.json("show", "self-provisioning")["languages"] == [tag]
        finally:
            server.stop()


def run(binary):
    with Server(binary) as server:
        server.sign_in()
        nothing_runs_unless_it_is_activated(server)
        it_runs_once_it_is_activated(server)
        a_user_who_was_just_added_provisions_a_phone(server)
        each_condition_that_fails_is_heard_and_kept(server)
        wrong_pins_end_the_call_and_lock_the_user(server)
        the_code_opens_in_its_mode_alone(server)
        the_code_is_locked_after_too_many_wrong_ones(server)
        saved_settings_wait_for_the_restart_everywhere(server)
        what_calls_hold_falls_with_their_maximum(server)
        lowered_maxima_count(server)
        the_delay_after_a_start_is_as_configured(server)
        languages_are_offered_in_their_order(server)
        keys_are_taken_by_kpml(server)
        an_older_export_is_imported_from_a_file(server)
    memory_falls_with_the_maximum(binary)
    the_first_language_is_the_systems(binary)
