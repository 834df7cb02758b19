"""The peers beside which the server is measured."""

import os
import resource
import subprocess
import time

from jackfield import free_port, temporary, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))


class Kamailio:
    """The peer, with two children and everything in memory."""

    def __init__(self, users):
        self.port = free_port()
        self.folder = temporary("kamailio-")
        with open(os.path.join(HERE, "kamailio.cfg")) as file:
            text = file.read().replace("PORT!5070", f"PORT!{self.port}").replace("USERS!60000", f"USERS!{users}")
        path = os.path.join(self.folder, "kamailio.cfg")
        with open(path, "w") as file:
            file.write(text)
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            ["kamailio", "-f", path, "-m", "1024", "-M", "16", "-DD", "-E", "-w", self.folder],
            stdout=subprocess.DEVNULL, stderr=open(os.path.join(self.folder, "log"), "w"))

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


class Nginx:
    """Two workers that serve the files of a folder, as fast as it can."""

    def __init__(self, folder):
        self.port = free_port()
        place = temporary("nginx-")
        path = os.path.join(place, "nginx.conf")
        limit, cache = kept_open(len(os.listdir(folder)))
        words = {"PLACE": place, "PORT": str(self.port), "FOLDER": folder, "LIMIT": limit, "CACHE": cache}
        text = CONFIGURATION
        for word, meaning in words.items():
            text = text.replace(word, meaning)
        with open(path, "w") as file:
            file.write(text)
        self.process = subprocess.Popen(["nginx", "-c", path, "-e", os.path.join(place, "errors")],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        import socket

        def answers():
            """nginx"""
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0
        wait_for(answers)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)


def kept_open(files):
    """Keeps all files open, where the system allows so many descriptors; how, in its words."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most < files + 2048:
        print(f"# nginx opens a file each time: the system allows {most} descriptors")
        return "", ""
    return (f"worker_rlimit_nofile {files + 2048};",
            f"open_file_cache max={files + 1024} inactive=600s; open_file_cache_valid 600s;")


CONFIGURATION = """
user root;
daemon off;
worker_processes 2;
LIMIT
pid PLACE/pid;
events { worker_connections 1024; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 1000000000;
	CACHE
	server {
		listen 127.0.0.1:PORT;
		root FOLDER;
		default_type text/xml;
	}
}
"""
