"""What templates make of phones, over a real server: every field that they set arrives on the phone and
on its number, soft clients are known when they register, language packs are dropped in, and a phone
shows its texts in its language.
"""

import os
import shutil
import subprocess

from ear import PROMPTS
from fault_story import Rest
from jackfield import Server, temporary, wait_for
from self_provisioning_story import (SERVICE, dial, ivr, key_in, owner_of, restart, set_up_the_rest, stranger,
                                     user)


def another(rest, kind, like, name, **fields):
    """An object of its own name, otherwise as the one that is there, if there is any."""
    status, body = rest.ask("GET", f"/{kind}/{like}") if like else (200, {})
    assert status == 200, body
    body = {key: value for key, value in body.items() if key not in ("id", "version", "kind")}
    status, told = rest.ask("POST", f"/{kind}", {**body, "name": name, **fields})
    assert status == 201, (kind, told)
    return name


def first(rest, kind):
    items = rest.ask("GET", f"/{kind}")[1]["items"]
    return items[0]["name"].replace(" ", "%20") if items else None


# Proves SP-40.a, SP-40.b and SP-40.c.
def every_field_of_a_device_template_arrives(server):
    """Each with a value that is no default; a tag of each kind is expanded."""
    rest = Rest(server)
    own = {
        "device_pool": "device-pools", "security_profile": "security-profiles", "sip_profile": "sip-profiles",
        "button_template": "phone-button-templates", "softkey_template": "softkey-templates",
        "common_phone_profile": "common-phone-profiles",
        "common_device_configuration": "common-device-configurations",
        "css": "calling-search-spaces", "location": "locations",
    }
    assert rest.ask("POST", "/partitions", {"name": "Own"})[0] == 201
    assert rest.ask("POST", "/calling-search-spaces", {"name": "One", "partitions": ["Own"]})[0] == 201
    chosen = {field: another(rest, kind, first(rest, kind), f"Own {field}") for field, kind in own.items()}
    status, told = rest.ask("POST", "/phone-services", {"name": "News", "url": "http://192.0.2.9/news"})
    assert status == 201, told
    user(server, "tanaka", "3001", "73519")
    server.cli("set", "end-user", "tanaka", "--first-name", "Hanako", "--last-name", "Tanaka")
    another(rest, "universal-device-templates", "New%20phones", "Own", owner=None, **chosen,
            device_description="#FirstName# #LastName# #UserID# #DirectoryNumber# #Product# #MAC#",
            services=["News"], speed_dials=[{"number": "3999", "label": "Desk"}],
            busy_lamp_fields=[{"number": "3998"}], lines=[{"display": "#LastName#", "label": "#DirectoryNumber#"}])
    server.cli("set", "user-profile", "Default", "--desk-phones", "Own")
    with stranger(server) as phone:
        server.cli("assign", phone.device, "tanaka")
        made = rest.ask("GET", f"/phones/{phone.device}")[1]
        for field, name in chosen.items():
            assert made[field] and made[field]["name"] == name, (field, made[field])
        assert made["owner"]["name"] == "tanaka"
        assert [one["name"] for one in made["services"]] == ["News"], made["services"]
        assert made["speed_dials"][0]["number"] == "3999" and made["busy_lamp_fields"][0]["number"] == "3998"
        words = made["description"].split(" ")
        assert words[:4] == ["Hanako", "Tanaka", "tanaka", "3001"] and words[-1] == phone.user, words
        product = rest.ask("GET", f"/phone-models/id:{made['model']['id']}")[1]
        assert words[4:-1] == (product["product"] or product["name"]).split(" "), words
        line = made["lines"][0]
        assert (line["line"]["name"], line["display"], line["label"]) == ("3001", "Tanaka", "3001"), line
    server.cli("set", "user-profile", "Default", "--desk-phones", "New phones")


# Proves SP-41.a, SP-41.b and SP-44.a.
def every_field_of_a_line_template_arrives(server):
    rest = Rest(server)
    for kind, body in (("partitions", {"name": "Offices"}),
                       ("calling-search-spaces", {"name": "Inside", "partitions": ["Offices"]}),
                       ("voicemail-profiles", {"name": "Box", "pilot": "3900"})):
        status, told = rest.ask("POST", f"/{kind}", body)
        assert status == 201, told
    lines = first(rest, "universal-line-templates")
    forwards = {"all": {"destination": "", "css": None}, "busy": {"destination": "3901", "css": "Inside"},
                "no_answer": {"destination": "3902", "css": "Inside"}}
    another(rest, "universal-line-templates", lines, "Own", partition="Offices", css="Inside",
            voicemail_profile="Box", forwards=forwards, external_mask="+81355XXXX", busy_trigger=3, maximum_calls=5,
            alerting_name="#FirstName# #LastName#", line_text="#UserID# #DirectoryNumber#",
            line_description="#LastName#")
    server.cli("set", "user-profile", "Default", "--line-template", "Own")
    status, told = rest.ask("POST", "/quick-add", {
        "user": {"user_id": "suzuki", "first_name": "Ichiro", "last_name": "Suzuki"},
        "feature_group_template": "Default", "extension": "3002", "pin": "86427"})
    assert status == 201, told
    with stranger(server) as phone:
        server.cli("assign", phone.device, "suzuki")
        made = rest.ask("GET", f"/phones/{phone.device}")[1]["lines"][0]
        assert made["label"] == "suzuki 3002", made
        assert (made["maximum_calls"], made["busy_trigger"]) == (5, 3), made
        line = rest.ask("GET", f"/lines/id:{made['line']['id']}")[1]
        assert line["partition"]["name"] == "Offices" and line["css"]["name"] == "Inside", line
        assert line["voicemail_profile"]["name"] == "Box", line
        assert line["forwards"]["no_answer"]["destination"] == "3902", line
        assert line["forwards"]["busy"]["destination"] == "3901", line
        assert line["alerting_name"] == "Ichiro Suzuki", line
        assert "+81355XXXX" in (line.get("external_mask"), made.get("external_mask")), (line, made)
    server.cli("set", "user-profile", "Default", "--line-template", "")


# Proves SP-57.a, SP-57.b and SP-34.d.
def a_soft_client_is_known_and_built_from_its_own_template(server):
    rest = Rest(server)
    another(rest, "universal-device-templates", "New%20phones", "Mobile", device_description="a soft client", owner=None)
    server.cli("set", "user-profile", "Default", "--mobile-and-desktop-devices", "Mobile")
    user(server, "sato", "3003", "97538")
    for agent, model in ("LinphoneAndroid/5.2.0 (Pixel)", "Linphone"), ("Cisco-Jabber/14.1", "Cisco Jabber"):
        with stranger(server, agent) as phone:
            made = rest.ask("GET", f"/phones/{phone.device}")[1]
            assert made["model"]["name"] == model, made["model"]
            call = dial(phone)
            key_in(call, "3003#", "97538#", "1")
            wait_for(lambda: owner_of(server, phone) == "sato")
            call.hang_up()
            assert rest.ask("GET", f"/phones/{phone.device}")[1]["description"] == "a soft client"
    # Without its template it gets none of a desk phone's.
    server.cli("set", "user-profile", "Default", "--mobile-and-desktop-devices", "")
    with stranger(server, "MicroSIP/3.21.3") as phone:
        done = server.cli("assign", phone.device, "sato", check=False)
        assert done.returncode != 0 and "template" in done.stderr, done


# Proves SP-43.d.
def a_phone_s_file_names_the_nodes_port(server):
    node = server.json("list", "node")[0]
    assert node["sip_port"] == server.sip, node
    with stranger(server) as phone:
        assert f"{server.sip}" in server.fetch(f"{phone.user}.txt")


# Proves SP-13.a, SP-13.c and SP-14.b.
def nine_dropped_in_languages_are_selected_and_no_tenth(binary):
    """Packs are folders: copied beside the others and looked for, they are there."""
    packs = os.path.join(temporary("packs-"), "packs")
    shutil.copytree(PROMPTS, packs)
    os.environ["JACKFIELD_PROMPTS"], before = packs, os.environ.get("JACKFIELD_PROMPTS")
    try:
        with Server(binary) as server:
            server.sign_in()
            def installed():
                return sorted(row["locale"] for row in server.json("languages")["items"])
            assert installed() == ["en-US", "ja-JP"]
            made = [f"{letter}{letter}-{letter.upper()}{letter.upper()}" for letter in "abcdfghk"]
            for tag in made:
                folder = os.path.join(packs, tag)
                shutil.copytree(os.path.join(packs, "en-US"), folder)
                with open(os.path.join(folder, "pack.toml")) as file:
                    text = file.read()
                with open(os.path.join(folder, "pack.toml"), "w") as file:
                    file.write(text.replace('locale = "en-US"', f'locale = "{tag}"'))
            server.cli("languages", "--rescan")
            assert installed() == sorted(["en-US", "ja-JP", *made])
            nine = ["ja-JP", *made[:7], "en-US"]
            server.cli("self-provisioning", "set", "--languages", ",".join(nine))
            assert server.json("show", "self-provisioning")["languages"] == nine
            done = server.cli("self-provisioning", "set", "--languages", ",".join([*nine, made[7]]), check=False)
            assert done.returncode != 0 and "1 to 9" in done.stderr, done
            assert server.json("show", "self-provisioning")["languages"] == nine
    finally:
        os.environ.pop("JACKFIELD_PROMPTS") if before is None else os.environ.update(JACKFIELD_PROMPTS=before)


SCRIPT = """\
boot
wait registered 60s
dial 2000
wait connected
pause 2s
hold
wait ended
wait display 通話が切断されました 30s
"""


# Proves SP-17.a, SP-17.b and SP-17.c.
def a_call_key_drops_the_call_and_the_phone_says_so_in_its_language(server):
    """A phone of the enterprise make, set to Japanese, holds the call to the IVR."""
    rest = Rest(server)
    configuration = another(rest, "common-device-configurations", first(rest, "common-device-configurations"), "日本",
                            locale="ja-JP")
    server.cli("set", "universal-device-template", "New phones", "--common-device-configuration", configuration)
    path = os.path.join(temporary("script-"), "script")
    with open(path, "w") as file:
        file.write(SCRIPT)
    done = subprocess.run(
        [server.binary, "phone", "--host", "127.0.0.1", "--sip-port", str(server.sip), "--tftp-port", str(server.tftp),
         "--http-port", str(server.files), "--mac", "00:AA:00:CC:00:01", "--script", path],
        capture_output=True, text=True, timeout=150, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr


# Proves SP-59.a and SP-59.b.
def each_of_the_nine_steps_is_done_when_it_is(binary):
    """On a new server; each step of the older document's flow turns, and no other one with it."""
    with Server(binary) as server:
        server.sign_in()
        def done():
            steps = server.json("setup")["flows"][1]["steps"]
            assert len(steps) == 9
            return {step["number"] for step in steps if step["done"]}
        assert done() == {1, 3}
        server.cli("set", "user-profile", "Default", "--allow-self-provisioning", "true")
        assert done() == {1, 2, 3}
        server.cli("add", "end-user", "--user-id", "suzuki")
        assert done() == {1, 2, 3}, "a user without an extension"
        user(server, "tanaka", "3001", "73519")
        assert done() == {1, 2, 3, 4}
        server.cli("services", "activate", "cti-manager")
        set_up_the_rest(server)
        assert done() == {1, 2, 3, 4, 5, 6}, done()
        server.cli("self-provisioning", "set", "--route-point", "IVR", "--application-user", "ivr",
                   "--start-delay-seconds", "0", "--restart", "later")
        assert 7 not in done(), "it does not run yet"
        server.cli("services", "activate", SERVICE)
        wait_for(lambda: ivr(server)["state"] == "in-service")
        assert done() == {1, 2, 3, 4, 5, 6, 7}
        with stranger(server) as phone:
            assert done() == {1, 2, 3, 4, 5, 6, 7, 8}
            server.cli("assign", phone.device, "tanaka")
            assert done() == {1, 2, 3, 4, 5, 6, 7, 8, 9}


def run(binary):
    with Server(binary) as server:
        server.sign_in()
        set_up_the_rest(server)
        server.cli("set", "user-profile", "Default", "--allow-self-provisioning", "true")
        server.cli("self-provisioning", "set", "--route-point", "IVR", "--application-user", "ivr",
                   "--restart", "later")
        server.cli("services", "activate", SERVICE)
        restart(server, start_delay_seconds="0")
        every_field_of_a_device_template_arrives(server)
        every_field_of_a_line_template_arrives(server)
        a_soft_client_is_known_and_built_from_its_own_template(server)
        a_phone_s_file_names_the_nodes_port(server)
        a_call_key_drops_the_call_and_the_phone_says_so_in_its_language(server)
    nine_dropped_in_languages_are_selected_and_no_tenth(binary)
    each_of_the_nine_steps_is_done_when_it_is(binary)
