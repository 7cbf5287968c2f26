"""A provider on a raw socket, for what no well-behaved server does."""

import contextlib
import socket
import struct
import threading


class Exchange:
    """One connection, after its request head was read."""

    def __init__(self, connection, head, rest):
        self.connection = connection
        self.head = head
        self._rest = rest
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = lines[0].split(" ", 2)
        self.headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines[1:] if line)
        }

    def read(self, count):
        """Up to `count` bytes of what follows the head, as they come; empty at the end."""
        if self._rest:
            taken, self._rest = self._rest[:count], self._rest[count:]
            return taken
        return self.connection.recv(count)

    def read_body(self):
        """All of a body with a content length."""
        body, length = b"", int(self.headers.get("content-length", 0))
        while len(body) < length:
            part = self.read(length - len(body))
            if not part:
                break
            body += part
        return body

    def send(self, data):
        self.connection.sendall(data if isinstance(data, bytes) else data.encode())

    def answer(self, status="200 OK", body="{}", content_type="application/json"):
        self.read_body()
        data = body.encode()
        self.send(
            f"HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\n"
            f"content-length: {len(data)}\r\nconnection: close\r\n\r\n"
        )
        self.send(data)

    def reset(self):
        """Ends the connection with a RST instead of a FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class RawUpstream:
    """Listens on a port of its own. `behaviour` is called with each `Exchange`, on its own thread."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.behaviour = Exchange.answer
        self.exchanges = []
        threading.Thread(target=self._accept, daemon=True).start()

    def behave(self, behaviour):
        """Sets the behaviour and forgets what arrived before."""
        self.exchanges = []
        self.behaviour = behaviour

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), connection:
            connection.settimeout(30)
            data = b""
            while b"\r\n\r\n" not in data:
                part = connection.recv(65_536)
                if not part:
                    return
                data += part
            head, _, rest = data.partition(b"\r\n\r\n")
            exchange = Exchange(connection, head, rest)
            self.exchanges.append(exchange)
            self.behaviour(exchange)

    def close(self):
        self._listener.close()


def definition(name, **more):
    """A provider for a raw upstream: an API key, short waits, no circuit breaker."""
    return {
        "name": name,
        "display_name": name.capitalize(),
        "purpose": "What no well-behaved server does",
        "base_url": f"https://{name}.example",
        "auth": {"type": "api_key"},
        "apply": {"header": "Authorization", "value": "Bearer {api_key}"},
        "retry": {"attempts": 2, "base": "10ms", "cap": "50ms"},
        # One check after the other makes it fail; each wants to be sent.
        "breaker": "off",
    } | more
