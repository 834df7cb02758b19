"""A PostgreSQL server of a test's own, in a temporary folder, on loopback; it can be stopped at once,
frozen, thawed and started again."""

import glob
import os
import pwd
import shutil
import signal
import subprocess

from jackfield import free_port, temporary


class Postgres:
    def __init__(self):
        found = [os.environ.get("JACKFIELD_POSTGRES_BIN", "")] + sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        on_path = shutil.which("initdb")
        found += [os.path.dirname(on_path)] if on_path else []
        self.bin = next((folder for folder in found if folder and os.path.exists(folder + "/initdb")), None)
        assert self.bin, "no PostgreSQL here; apt-get install postgresql"
        self.home, self.port = temporary("jackfield-postgres-"), free_port()
        self.user = []
        if os.getuid() == 0:  # It does not run as root; root lends it another user.
            names = {entry.pw_name for entry in pwd.getpwall()}
            entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
            os.chown(self.home, entry.pw_uid, entry.pw_gid)
            self.user = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
        self.frozen = []
        self._run("initdb", "-D", self.data, "-U", "jackfield", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")

    @property
    def data(self):
        return self.home + "/data"

    @property
    def url(self):
        return f"postgres://jackfield@127.0.0.1:{self.port}/postgres"

    def _run(self, program, *words):
        subprocess.run([*self.user, f"{self.bin}/{program}", *words], cwd=self.home, check=True, timeout=60,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        options = (f"-p {self.port} -k {self.home} -c listen_addresses=127.0.0.1 -c max_connections=50 "
                   "-c shared_buffers=32MB")
        self._run("pg_ctl", "-D", self.data, "-w", "-t", "30", "-l", self.home + "/log", "-o", options, "start")
        return self

    def asked(self, sql):
        """What the database says to a query, past every node."""
        command = [f"{self.bin}/psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "jackfield", "-Atc", sql, "postgres"]
        return subprocess.run(command, check=True, timeout=30, text=True, capture_output=True).stdout.strip()

    def stop_at_once(self):
        """As by a crash: no checkpoint, connections broken."""
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    def processes(self):
        """The server's processes, by id: the one of the pid file and its children."""
        with open(self.data + "/postmaster.pid") as file:
            first = int(file.readline())
        children = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/stat") as stat:
                        parent = int(stat.read().rsplit(")", 1)[1].split()[1])
                except (OSError, IndexError):
                    continue
                if parent == first:
                    children.append(int(entry))
        return [first, *children]

    def freeze(self):
        """It is there and says nothing, like a server whose disk hangs."""
        self.frozen = self.processes()
        for process in self.frozen:
            os.kill(process, signal.SIGSTOP)

    def thaw(self):
        for process in self.frozen:
            try:
                os.kill(process, signal.SIGCONT)
            except ProcessLookupError:
                pass
        self.frozen = []

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.thaw()
        if os.path.exists(self.data + "/postmaster.pid"):
            self.stop_at_once()
        shutil.rmtree(self.home, ignore_errors=True)
