"""Phones that SIPp registers."""

import os
import re
import subprocess
import tempfile
import time

from jackfield import free_port, temporary
from processes import cpu

HERE = os.path.dirname(os.path.abspath(__file__))


def phones(server, count, workers=8):
    """What the phones' own files say, as a provisioning network gets them."""
    from concurrent.futures import ThreadPoolExecutor
    import http.client

    def some(part):
        door = http.client.HTTPConnection("127.0.0.1", server.files)
        rows = []
        for n in part:
            door.request("GET", f"/00000{1000000 + n}.txt")
            text = door.getresponse().read().decode()
            rows.append(dict(line.split("=", 1) for line in text.splitlines() if "=" in line))
        return rows
    parts = [range(start, count, workers) for start in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        return [row for rows in pool.map(some, parts) for row in rows]


def credentials(server, count):
    """Of each phone, as rows of `users_file`: it registers under its name in the digest."""
    return [(row["auth-user"], row["auth-user"], row["password"]) for row in phones(server, count)]


def users_file(rows):
    """Rows of user, name in the digest, password, and who is called."""
    path = tempfile.mktemp(suffix=".csv")
    with open(path, "w") as file:
        file.write("SEQUENTIAL\n")
        for user, name, password, *called in rows:
            file.write(";".join([user, f"[authentication username={name} password={password}]", *called]) + "\n")
    return path


REFRESHES = 3


def scenario(refreshes):
    with open(os.path.join(HERE, "register.xml")) as file:
        text = file.read().replace("[wait]", "200")
    once = re.search(r"  <pause milliseconds.*(?=</scenario>)", text, flags=re.S).group(0)
    again = "".join(once.replace("CSeq: 3", f"CSeq: {3 + n}") for n in range(REFRESHES))
    text = text.replace(once, again if refreshes else "")
    path = tempfile.mktemp(suffix=".xml")
    with open(path, "w") as file:
        file.write(text)
    return path


def register(port, pids, users, count, rate, refreshes, own=free_port()):
    """CPU seconds that the server takes for `count` phones, and SIPp's failures. The phones keep
    their port, so that the next run refreshes their contacts."""
    before = cpu(pids)
    folder = temporary("sipp-")
    done = subprocess.run(
        ["sipp", f"127.0.0.1:{port}", "-sf", scenario(refreshes), "-inf", users, "-i", "127.0.0.1",
         "-p", str(own), "-r", str(rate), "-m", str(count), "-l", "15000",
         "-nostdin", "-timeout", "180s"],
        cwd=folder, capture_output=True, text=True)
    time.sleep(0.2)
    return cpu(pids) - before, failed_calls(done.stdout)


def failed_calls(screen):
    """What SIPp says at its end of calls that did not go by the scenario; -1 when it does not say."""
    failed = re.findall(r"Failed call\s*\|\s*\d+\s*\|\s*(\d+)", screen)
    return int(failed[-1]) if failed else -1
