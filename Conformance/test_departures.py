"""Callers that leave in the middle, and keys that must not travel on."""

import socket
import threading
from urllib.parse import urlsplit


def _leave(server, after):
    body = b'{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"' + b"x " * 2000 + b'"}]}'
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as caller:
        caller.sendall(
            b"POST /v1/proxy/openai/v1/chat/completions HTTP/1.1\r\nhost: x\r\n"
            b"authorization: Bearer " + server.admin_key.encode() + b"\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        read = 0
        while read < after:
            chunk = caller.recv(256)
            if not chunk:
                break
            read += len(chunk)


def test_callers_may_leave_a_stream_at_any_time(server):
    for _ in range(6):
        leavers = [threading.Thread(target=_leave, args=(server, 50 + 150 * n)) for n in range(10)]
        for leaver in leavers:
            leaver.start()
        for leaver in leavers:
            leaver.join()
    assert server.get("/healthz").status_code == 200


def test_no_key_of_ours_travels_on_in_a_second_header(server, sandbox):
    answer = server.get("/v1/proxy/stripe/v1/customers", headers={"x-api-key": server.admin_key})
    assert answer.status_code == 200
    arrived = sandbox.requests("stripe")
    assert arrived and all(server.admin_key not in str(request) for request in arrived)


def test_our_own_idempotency_key_is_refused_rather_than_ignored(server):
    answer = server.post(
        "/v1/proxy/stripe/v1/customers", headers={"fairlead-idempotency-key": "k"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "INVALID_REQUEST"
