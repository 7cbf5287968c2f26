"""A destination for forwarded events, as its own process: it records what arrives.

    python -m harness.receiver --record FILE [--port N]

Each delivery becomes one JSON line in FILE: its headers (names in lower case) and its body in
base64. `POST /_control {"fail": N, "status": S}` makes it refuse the next N deliveries.
"""

import argparse
import base64
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests

from harness.process import Process


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    record = None
    failures = 0
    failure_status = 500

    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            # The sender died in the middle: nothing was delivered.
            self.close_connection = True
            return None
        kind = type(self)
        if self.path == "/_control":
            wish = json.loads(body)
            with kind.lock:
                kind.failures = wish["fail"]
                kind.failure_status = wish.get("status", 500)
            return self._answer(200)
        with kind.lock:
            status = 200
            if kind.failures > 0:
                kind.failures -= 1
                status = kind.failure_status
            line = json.dumps({
                "at": time.time(),
                "path": self.path,
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "body": base64.b64encode(body).decode(),
                "answered": status,
            })
            kind.record.write(line + "\n")
            kind.record.flush()
        self._answer(status)

    def _answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format, *arguments):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    _Handler.record = options.record.open("a")
    ThreadingHTTPServer.request_queue_size = 256
    server = ThreadingHTTPServer(("127.0.0.1", options.port), _Handler)
    print(f"receiver: listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


class Receiver:
    """The other side of it: starts the process and reads its record."""

    def __init__(self, directory):
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.record = directory / "deliveries.jsonl"
        self.process = Process(
            [sys.executable, "-m", "harness.receiver", "--record", self.record],
            directory=Path(__file__).parents[1],
            environment=None,
            logs=directory / "logs",
            name="receiver",
        )
        line = self.process.wait_for_line(r"^receiver: listening on (\S+)$")
        self.origin = line.group(1)
        self.url = f"{self.origin}/hooks"

    def fail_next(self, count, status=500):
        requests.post(f"{self.origin}/_control", json={"fail": count, "status": status}, timeout=5)

    def deliveries(self, **headers):
        """What arrived, in order, with `body` as bytes; only those with these headers, where the
        argument `webhook_id` means the header `webhook-id`."""
        wanted = {name.replace("_", "-"): value for name, value in headers.items()}
        found = []
        for line in self.record.read_text().splitlines() if self.record.exists() else []:
            delivery = json.loads(line)
            delivery["body"] = base64.b64decode(delivery["body"])
            if all(delivery["headers"].get(name) == value for name, value in wanted.items()):
                found.append(delivery)
        return found

    def stop(self):
        self.process.stop()


if __name__ == "__main__":
    main()
