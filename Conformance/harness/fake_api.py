"""A server that answers as the API does, with what a check gives it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


class FakeAPI:
    """`routes` maps (method, path) to a function of (query, body) that gives the JSON to answer, or
    a pair of status and JSON."""

    def __init__(self):
        self.routes = {}
        self.seen = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def respond(self):
                url = urlsplit(self.path)
                length = int(self.headers.get("content-length") or 0)
                raw = self.rfile.read(length)
                body = json.loads(raw) if raw else None
                query = dict(parse_qsl(url.query))
                api.seen.append((self.command, url.path, query, body, dict(self.headers)))
                route = api.routes.get((self.command, url.path))
                if route is None:
                    status, answer = 404, {"error": {
                        "code": "NOT_FOUND", "message": "There is nothing here.",
                        "retryable": False, "request_id": "req_1"}}
                else:
                    answer = route(query, body)
                    status, answer = answer if isinstance(answer, tuple) else (200, answer)
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.send_header("fairlead-request-id", "req_1")
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = respond

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # A client that was killed in the middle is part of what checks do.
        self._server.handle_error = lambda request, address: None
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, method, path, answer):
        """`answer` is JSON, a pair of status and JSON, or a function of (query, body)."""
        self.routes[(method, path)] = answer if callable(answer) else lambda query, body: answer

    def requests(self, method, path):
        return [one for one in self.seen if one[:2] == (method, path)]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
