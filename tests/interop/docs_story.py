"""The administrators' page taken at its word: its command blocks, out of the file itself and in their order, on
fresh systems. A command that fails, a block that this story does not know, and an option that a command in the
running text has and the program has not, all fail it."""

import os
import re
import shlex
import shutil
import subprocess

from jackfield import PASSWORD, Server, temporary
from throw_away_postgres import Postgres

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PAGE = os.path.join(ROOT, "docs", "administrators.md")
BLOCK = re.compile(r"(?ms)^```\n(.*?)^```$")

# Blocks that can't run here, by their first line, and why.
ELSEWHERE = {
    "# on the machine of node1, which is there already":
        "a second machine, and scp; two_nodes_story starts both nodes so",
    "option tftp150 code 150 = array of ip-address;": "settings of a DHCP server",
}


def run(binary):
    blocks = read_blocks()
    with System(binary) as system:
        first_steps(system, blocks)
        an_older_export_is_taken_over(binary, blocks)
        phones_come(system, blocks)
        who_can_call_whom(system, blocks)
        it_is_backed_up_and_restored(system, blocks)
    a_node_is_lost(binary, blocks)
    assert not blocks, f"a block that nothing here runs: {list(blocks)}"
    options_in_the_text_are_there(binary)


def read_blocks():
    """The blocks that can run, by their first line, in order."""
    with open(PAGE) as file:
        blocks = BLOCK.findall(file.read())
    by_first = {block.splitlines()[0]: block for block in blocks}
    assert len(by_first) == len(blocks), "two blocks begin alike"
    for first in ELSEWHERE:
        del by_first[first]
    return by_first


def take(blocks, begins):
    """The next block, which must be this one."""
    first = next(iter(blocks), None)
    assert first and first.startswith(begins), f"the next block begins {first!r}, not {begins!r}"
    return blocks.pop(first)


def commands(block):
    """The commands of a block, one by one, without remarks."""
    lines, found = iter(block.splitlines()), []
    for line in lines:
        while line.endswith("\\"):
            line = line[:-1] + next(lines)
        here = re.search(r"<<'?(\w+)'?$", line)
        while here and not line.endswith("\n" + here.group(1)):
            line += "\n" + next(lines)
        if line and not line.startswith("#"):
            found.append(line)
    return found


class System:
    """A fresh server, and what the page says of its machine in folders of the story's own."""

    def __init__(self, binary, **more):
        self.machine = temporary("jackfield-docs-")
        for part in ("bin", "cron.d", "share"):
            os.mkdir(f"{self.machine}/{part}")
        self.server = Server(binary, data=f"{self.machine}/data", **more)
        os.makedirs(self.server.folder, exist_ok=True)
        self.names = {
            "http://192.0.2.10:8080": self.server.url,
            "/var/lib/jackfield": self.server.folder,
            "/var/backups/jackfield": f"{self.machine}/backups",
            "/etc/cron.d": f"{self.machine}/cron.d",
            "/usr/share/jackfield": f"{self.machine}/share",
            "/usr/bin/jackfield": f"{self.machine}/bin/installed",
            "target/release/jackfield": self.server.binary,
            # The one user that a test has.
            "-o jackfield -g jackfield ": "",
            "runuser -u jackfield -- ": "",
        }
        self.answers = {}
        os.symlink(self.server.binary, f"{self.machine}/bin/jackfield")

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *what):
        self.server.__exit__(*what)

    def run(self, block):
        """Runs a block, command by command; gives what was printed."""
        return "".join(self.do(command) for command in commands(block))

    def do(self, command):
        if command.startswith("systemctl "):
            verb = {"stop": self.server.stop, "start": self.server.start}[command.split()[1]]
            verb()
            return ""
        for name, here in self.names.items():
            command = command.replace(name, here)
        return self.shell(command)

    def shell(self, command):
        environment = {
            **os.environ, "JACKFIELD_SERVER": self.server.url,
            "XDG_CONFIG_HOME": f"{self.machine}/config", "PATH": f"{self.machine}/bin:{os.environ['PATH']}",
        }
        answer = next((text for begin, text in self.answers.items() if begin in command), "")
        done = subprocess.run(["bash", "-euc", command], cwd=self.machine, input=answer, text=True,
                              capture_output=True, env=environment, timeout=60)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def sign_in(self, password):
        """With a one-time password, and one of one's own from then on."""
        self.answers |= {"login admin": password + "\n", "password admin": PASSWORD + "\n"}
        self.do("jackfield login admin")
        self.do("jackfield password admin")
        self.answers["login admin"] = PASSWORD + "\n"


def first_steps(system, blocks):
    """From the first start to a user, and back in when the password is lost."""
    system.answers = {"login admin": system.server.one_time_password + "\n",
                      "password admin": PASSWORD + "\n", "password ivr": PASSWORD + "x\n"}
    told = system.run(take(blocks, "jackfield --server"))
    assert "[ ] Configure a CTI route point" in told, told
    told = system.run(take(blocks, "jackfield recover admin"))
    system.sign_in(re.search(r"one-time password[^:]*: (\S+)", told).group(1))
    system.run(take(blocks, "jackfield services activate cti-manager"))
    assert "3001" in system.run(take(blocks, "jackfield quick-add tanaka"))
    system.do("jackfield quick-add suzuki --template Default --extension 3002")


def an_older_export_is_taken_over(binary, blocks):
    with System(binary) as system:
        system.sign_in(system.server.one_time_password)
        system.run(take(blocks, "cat > export.csv"))
        assert "ending number: 7099" in system.do("jackfield show auto-registration node1")


def phones_come(system, blocks):
    """Their networks, a soft phone, and one for each of two users."""
    system.run(take(blocks, "jackfield set cluster-settings --provisioning-networks"))
    system.run(take(blocks, "jackfield add phone --name CSFTANAKA"))
    for last, user in (("01", "tanaka"), ("02", "suzuki")):
        phone = subprocess.run(
            [system.server.binary, "phone", "--sip-port", str(system.server.sip), "--http-port",
             str(system.server.files), "--tftp-port", str(system.server.tftp), "--mac", f"00:11:22:AA:BB:{last}"],
            input="boot\nwait registered\nquit\n", text=True, capture_output=True, timeout=60)
        assert phone.returncode == 0, phone
        system.do(f"jackfield assign SEP001122AABB{last} {user}")


def who_can_call_whom(system, blocks):
    for begins in ("jackfield add partition --name Forbidden", "jackfield add partition --name Internal",
                   "jackfield add line --number 3100", "jackfield set line 3001 --forwards",
                   "jackfield add softkey-template"):
        system.run(take(blocks, begins))
    lines = system.do("jackfield list line")
    for number, partition, css in (("3001", "Management", "Managers"), ("3002", "Internal", "Staff"),
                                   ("2000", "Internal", "Staff"), ("3100", "Internal", "Staff")):
        assert re.search(rf"(?m)^{number} +{partition} .* {css} ", lines), lines


def it_is_backed_up_and_restored(system, blocks):
    system.run(take(blocks, "install -d -o jackfield"))
    with open(f"{system.machine}/cron.d/jackfield") as file:
        minute_to_user, command = re.match(r"((?:\S+ ){6})(.*)", file.read()).groups()
    assert minute_to_user == "15 2 * * * jackfield ", minute_to_user
    # As cron does.
    assert "backed up" in system.shell(command.replace("\\%", "%"))
    system.run(take(blocks, "systemctl stop jackfield"))
    system.do("jackfield login admin")
    assert "Managers" in system.do("jackfield list line"), "all is there again"
    system.names["cp -r prompts"] = f"cp -r {shlex.quote(os.path.join(ROOT, 'prompts'))}"
    system.run(take(blocks, "runuser -u jackfield -- jackfield backup"))
    assert os.path.exists(f"{system.machine}/share/prompts/README.md")
    system.do("jackfield status")


def a_node_is_lost(binary, blocks):
    """One of two is taken out; then the publisher is lost, and made up for both ways."""
    database = Postgres().start()
    try:
        with System(binary, database=database.url, arguments=["--node", "node1"]) as one:
            one.sign_in(one.server.one_time_password)
            with node_like(binary, database, one, "node2"):
                pass
            one.run(take(blocks, "jackfield set call-manager-group Default --nodes node1"))
            assert "node2" not in one.do("jackfield list node")
        with node_like(binary, database, one, "node2") as two:
            # The key by scp, and a machine of its own: neither is here.
            copy, serve = commands(take(blocks, "scp node2:"))
            assert "/var/lib/jackfield/key" in copy and "serve --node node1 " in serve, (copy, serve)
            with node_like(binary, database, two, "node1") as anew:
                two.answers["login admin"] = PASSWORD + "\n"
                two.do("jackfield login admin")
                assert str(anew.server.sip) in two.do("jackfield show node node1")
            two.run(take(blocks, "jackfield set node node2 --publisher true"))
            assert "node1" not in two.do("jackfield list node")
            assert "on node node1" not in two.do("jackfield self-provisioning status")
    finally:
        database.stop_at_once()


def node_like(binary, database, other, name):
    """A node with the key of another one."""
    node = System(binary, database=database.url, arguments=["--node", name])
    shutil.copy2(f"{other.server.folder}/key", f"{node.server.folder}/key")
    return node


def options_in_the_text_are_there(binary):
    """Commands in the running text: each word and option of theirs is known."""
    with open(PAGE) as file:
        text = BLOCK.sub("", file.read())
    asked = {}
    for span in re.findall(r"`(jackfield [^`]+)`", text):
        words = span.split()[1:]
        path = [word for word in words[:2] if re.fullmatch(r"[a-z][a-z-]*", word)]
        wanted = {word.split("=")[0] for word in words if re.match(r"--[a-z]", word)}
        asked.setdefault(tuple(path), set()).update(wanted)
    assert len(asked) > 20, asked
    for path, wanted in asked.items():
        told = help_of(binary, path) or help_of(binary, path[:1])
        missing = [option for option in wanted if option not in told]
        assert told and not missing, f"jackfield {' '.join(path)} has no {missing}"


def help_of(binary, path):
    done = subprocess.run([binary, *path, "--help"], text=True, capture_output=True, timeout=60)
    return done.stdout if done.returncode == 0 else ""
