"""SIPp registers phones with their secrets, refreshes with the held nonce, and calls between
them: answered, busy, cancelled, and not there."""

import os
import subprocess

from jackfield import Server, free_port, temporary
from baresip_story import fields_of

HERE = os.path.dirname(os.path.abspath(__file__))
SCENARIOS = os.path.join(HERE, "sipp")


def sipp(server, scenario, users, port, *more, calls=None, background=False):
    folder = temporary("sipp-")
    path = os.path.join(folder, "users.csv")
    with open(path, "w") as file:
        file.write("SEQUENTIAL\n")
        for user in users:
            file.write(f"{user['user']};[authentication username={user['auth-user']} "
                       f"password={user['password']}];{user.get('called', '')}\n")
    command = ["sipp", f"127.0.0.1:{server.sip}", "-sf", os.path.join(SCENARIOS, scenario), "-inf", path,
               "-i", "127.0.0.1", "-p", str(port), "-m", str(calls or len(users)), "-nostdin",
               "-trace_err", "-error_file", os.path.join(folder, "errors"), "-timeout", "40s",
               "-timeout_error", *map(str, more)]
    if background:
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder)
    if done.returncode != 0:
        errors = os.path.join(folder, "errors")
        told = open(errors, errors="replace").read()[:3000] if os.path.exists(errors) else ""
        raise AssertionError(f"{scenario}: sipp ended with {done.returncode}\n{told}\n{done.stdout[-1500:]}")
    return None


def run(binary):
    with Server(binary, arguments=["--sample-company", "20", "--sample-phones"]) as server:
        server.sign_in()
        server.cli("set", "cluster-settings", "--provisioning-networks", "127.0.0.0/8")
        phones = server.json("list", "phone")
        users = [fields_of(server.fetch(f"{phone['name'][3:]}.txt")) for phone in phones]
        assert len(users) == 20 and all("password" in user for user in users)
        port = free_port()
        sipp(server, "register.xml", users, port, "-r", "20")
        caller, called = dict(users[0], called=users[1]["user"]), users[1]
        there, here = free_port(), free_port()
        for mine, theirs in [("answer", "answering"), ("busy", "refusing"), ("cancel", "ringing")]:
            sipp(server, "register.xml", [called], there)
            sipp(server, "register.xml", [caller], here)
            waiting = sipp(server, f"{theirs}.xml", [called], there, background=True)
            try:
                sipp(server, f"{mine}.xml", [caller], here)
                assert waiting.wait(30) == 0, f"{theirs}.xml failed"
            finally:
                if waiting.poll() is None:
                    waiting.kill()
        sipp(server, "nobody.xml", [dict(users[0], called="999999")], here)
        overview = server.json("status")
        assert overview["calls"] == 0, overview
