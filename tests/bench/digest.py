"""One digest registration by hand, to know when a server accepts the first."""

import hashlib
import re
import socket
import uuid


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def register_once(port, user, password):
    """True when the server answered 200; False when nothing came, or something else."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        phone.settimeout(0.05)
        here, call = phone.getsockname()[1], uuid.uuid4().hex

        def ask(number, more=""):
            text = (f"REGISTER sip:127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{here};branch=z9hG4bK{call}{number}\r\n"
                    f"Max-Forwards: 70\r\nFrom: <sip:{user}@127.0.0.1>;tag={call[:8]}\r\nTo: <sip:{user}@127.0.0.1>\r\n"
                    f"Call-ID: {call}\r\nCSeq: {number} REGISTER\r\nContact: <sip:{user}@127.0.0.1:{here}>\r\n{more}"
                    "Expires: 3600\r\nContent-Length: 0\r\n\r\n")
            phone.sendto(text.encode(), ("127.0.0.1", port))
            return phone.recv(65535).decode()
        try:
            challenge = ask(1)
            realm = re.search(r'realm="([^"]+)"', challenge).group(1)
            lines = [line for line in challenge.splitlines() if "igest" in line and "SHA-256" not in line]
            nonce = re.search(r'nonce="([^"]+)"', lines[0]).group(1)
            uri = f"sip:127.0.0.1:{port}"
            ha1, ha2 = md5(f"{user}:{realm}:{password}"), md5(f"REGISTER:{uri}")
            response = md5(f"{ha1}:{nonce}:00000001:abc:auth:{ha2}")
            answer = ask(2, f'Authorization: Digest username="{user}",realm="{realm}",nonce="{nonce}",uri="{uri}",'
                            f'response="{response}",qop=auth,nc=00000001,cnonce="abc",algorithm=MD5\r\n')
            return answer.startswith("SIP/2.0 200")
        except (TimeoutError, ConnectionError, AttributeError, IndexError):
            return False
