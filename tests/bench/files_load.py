"""Fetches phone files over keep-alive connections, pipelining none: `files_load.py PORT SECONDS PHONES`.
Plain sockets in two processes, because a client library would be what is measured."""

import multiprocessing
import selectors
import socket
import sys
import time


def load(port, seconds, phones, start, out):
    poll = selectors.DefaultSelector()
    requests = [f"GET /SEP00000{1000000 + n}.cnf.xml HTTP/1.1\r\nhost: x\r\n\r\n".encode()
                for n in range(start, phones, 2)][:20000]
    next_one, done, octets = 0, 0, 0

    class Line:
        def __init__(self):
            self.socket = socket.create_connection(("127.0.0.1", port))
            self.buffer, self.need = b"", None
    lines = [Line() for _ in range(8)]

    def ask(line):
        nonlocal next_one
        line.socket.sendall(requests[next_one % len(requests)])
        next_one += 1
        line.buffer, line.need = b"", None
    for line in lines:
        poll.register(line.socket, selectors.EVENT_READ, line)
        ask(line)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for key, _ in poll.select(0.1):
            line = key.data
            line.buffer += line.socket.recv(65536)
            if line.need is None:
                head = line.buffer.find(b"\r\n\r\n")
                if head < 0:
                    continue
                assert line.buffer.startswith(b"HTTP/1.1 200"), line.buffer[:200]
                at = line.buffer.lower().find(b"content-length:")
                line.need = head + 4 + int(line.buffer[at + 15:line.buffer.find(b"\r\n", at)])
            if len(line.buffer) >= line.need:
                done += 1
                octets += line.need
                ask(line)
    out.put((done, octets))


if __name__ == "__main__":
    port, seconds, phones = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    out = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=load, args=(port, seconds, phones, start, out)) for start in (0, 1)]
    [worker.start() for worker in workers]
    results = [out.get() for _ in workers]
    [worker.join() for worker in workers]
    done = sum(result[0] for result in results)
    print(f"{done / seconds:.0f} per second, {sum(result[1] for result in results) / max(done, 1):.0f} octets each")
