"""Providers that misbehave: a clear error, no duplicate, and the process alive."""

import http.client
import json
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest
import requests
from harness.deployment import ADMIN_KEY

TARGET = "/v1/proxy/raw:u1"


def is_our_error(answer, code, status=None):
    error = answer.json()["error"]
    assert error["code"] == code, error
    assert error["message"] and error["request_id"]
    assert status is None or answer.status_code == status
    assert answer.headers["x-should-retry"] == "false"
    assert answer.headers["fairlead-error-code"] == code
    return True


def garbage(exchange):
    exchange.send(b"\x16\x03\x01 this is no HTTP at all\r\n\r\n")


def silence(exchange):
    exchange.read_body()


def reset(exchange):
    exchange.read_body()
    exchange.reset()


def endless_headers(exchange):
    exchange.read_body()
    exchange.send("HTTP/1.1 200 OK\r\n")
    for number in range(200_000):
        exchange.send(f"x-{number}: {'y' * 500}\r\n")


BROKEN = [garbage, silence, reset, endless_headers]


@pytest.mark.parametrize("behaviour", BROKEN, ids=lambda one: one.__name__)
def test_a_read_is_tried_again_and_then_fails_clearly(raw, behaviour):
    server, upstream = raw
    upstream.behave(behaviour)
    answer = server.get(f"{TARGET}/things")
    assert is_our_error(answer, "SERVICE_UNAVAILABLE", 503)
    assert len(upstream.exchanges) == 2, "two attempts, as the definition says"


@pytest.mark.parametrize("behaviour", BROKEN, ids=lambda one: one.__name__)
def test_a_write_is_sent_once_and_its_outcome_unknown(raw, behaviour):
    server, upstream = raw
    upstream.behave(behaviour)
    answer = server.post(f"{TARGET}/things", json={"n": 1})
    assert is_our_error(answer, "OUTCOME_UNKNOWN", 424)
    assert len(upstream.exchanges) == 1


def test_a_write_that_never_left_is_no_unknown_outcome(directory):
    from harness.deployment import Server
    from harness.upstream import definition

    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    server = Server(
        directory / "refused",
        definitions={"raw": definition("raw")},
        configuration={
            "integrations": {"raw": {"provider": "raw", "base_url": f"http://127.0.0.1:{port}"}}},
    )
    try:
        server.connect_with_key("raw", "u1", "k")
        started = time.monotonic()
        answer = server.post(f"{TARGET}/things", json={"n": 1})
        assert is_our_error(answer, "SERVICE_UNAVAILABLE", 503)
        assert time.monotonic() - started < 5, "a refused connection is known at once"
    finally:
        server.stop()


def test_a_truncated_answer_is_not_passed_off_as_whole(raw):
    server, upstream = raw

    def truncated(exchange):
        exchange.read_body()
        exchange.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")

    upstream.behave(truncated)
    try:
        answer = server.get(f"{TARGET}/things")
    except (requests.exceptions.ChunkedEncodingError, requests.ConnectionError):
        return
    assert answer.status_code >= 500, "a 200 with a part of the body would be a lie"


def test_a_slow_provider_is_an_upstream_timeout(raw):
    server, upstream = raw
    over = threading.Event()
    upstream.behave(lambda exchange: over.wait(20))
    started = time.monotonic()
    answer = server.get(f"{TARGET}/slow", headers={"fairlead-timeout": "700ms"})
    over.set()
    assert is_our_error(answer, "UPSTREAM_TIMEOUT", 504)
    assert 0.5 < time.monotonic() - started < 5


@pytest.mark.parametrize("pause", [0, 0.02], ids=["fast upload", "slow upload"])
@pytest.mark.parametrize("close", [True, False], ids=["closes", "keeps reading"])
def test_an_answer_before_the_upload_has_ended(raw, pause, close):
    server, upstream = raw

    def early(exchange):
        exchange.send(
            "HTTP/1.1 413 Content Too Large\r\ncontent-type: application/json\r\n"
            'content-length: 17\r\n\r\n{"error":"large"}')
        while not close and exchange.read(65_536):
            pass

    def upload():
        for _ in range(256):
            time.sleep(pause)
            yield b"x" * 32_768

    upstream.behave(early)
    for _ in range(3):
        try:
            answer = server.post(f"{TARGET}/upload", data=upload(), timeout=30)
        except requests.ConnectionError:
            # The upload was cut short while the client still wrote.
            continue
        assert answer.status_code in (413, 424, 503), answer.text


def test_an_upload_streams_through_as_it_is_written(raw):
    """The client sends a part only after the provider has seen the one before."""
    server, upstream = raw
    seen = [threading.Event() for _ in range(4)]

    def reads(exchange):
        received = b""
        while b"end" not in received:
            part = exchange.read(65_536)
            if not part:
                return
            received += part
            for number, event in enumerate(seen):
                if f"part{number}".encode() in received:
                    event.set()
        exchange.send('HTTP/1.1 200 OK\r\ncontent-length: 11\r\nconnection: close\r\n\r\n{"ok":true}')

    def upload():
        for number, event in enumerate(seen):
            yield b"x" * (1 << 20) + f"part{number}".encode()
            assert event.wait(10), f"part {number} has not reached the provider"
        yield b"end"

    upstream.behave(reads)
    assert server.post(f"{TARGET}/upload", data=upload()).json() == {"ok": True}


def test_an_answer_streams_through_as_it_is_written(raw):
    """The provider sends an event only after the client has seen the one before."""
    server, upstream = raw
    seen = [threading.Event() for _ in range(4)]
    kept_in_step = []

    def events(exchange):
        exchange.read_body()
        exchange.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        for number, event in enumerate(seen):
            exchange.send(f"data: {number}\n\n")
            kept_in_step.append(event.wait(10))

    upstream.behave(events)
    with server.get(f"{TARGET}/events", stream=True) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        for line in answer.iter_lines(chunk_size=1):
            if line.startswith(b"data: "):
                seen[int(line[6:])].set()
    assert kept_in_step == [True] * 4


def test_a_large_answer_is_whole_and_memory_stays_bounded(raw):
    server, upstream = raw
    block, blocks = b"z" * (1 << 20), 200

    def large(exchange):
        exchange.read_body()
        exchange.send(f"HTTP/1.1 200 OK\r\ncontent-length: {len(block) * blocks}\r\n\r\n")
        for _ in range(blocks):
            exchange.send(block)

    def resident():
        with open(f"/proc/{server.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * 4096

    upstream.behave(large)
    before, length, most = resident(), 0, 0
    with server.get(f"{TARGET}/large", stream=True) as answer:
        for part in answer.iter_content(1 << 20):
            length += len(part)
            most = max(most, resident())
    assert length == len(block) * blocks
    assert most - before < 64 << 20, f"grew by {(most - before) >> 20} MiB over 200 MiB"


def test_a_client_that_leaves_ends_the_upstream_exchange(raw):
    server, upstream = raw
    ended = threading.Event()

    def forever(exchange):
        exchange.read_body()
        exchange.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        try:
            for _ in range(600):
                exchange.send("data: tick\n\n")
                time.sleep(0.05)
        except OSError:
            ended.set()

    upstream.behave(forever)
    with server.get(f"{TARGET}/events", stream=True) as answer:
        next(answer.iter_lines())
    assert ended.wait(10), "the provider still sends to nobody"


def test_a_redirect_is_passed_on_and_not_followed(raw):
    server, upstream = raw

    def redirect(exchange):
        exchange.read_body()
        exchange.send(
            "HTTP/1.1 302 Found\r\nlocation: https://elsewhere.example/\r\ncontent-length: 0\r\n\r\n")

    upstream.behave(redirect)
    answer = server.get(f"{TARGET}/moved")
    assert answer.status_code == 302 and len(upstream.exchanges) == 1


def raw_request(server, target, headers=()):
    """One request whose target no client library has tidied up."""
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=15)
    connection.putrequest("GET", target, skip_host=True)
    connection.putheader("Host", address.netloc)
    connection.putheader("fairlead-key", ADMIN_KEY)
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.mark.parametrize("path", [
    "//127.0.0.1:{other}/x", "/@127.0.0.1:{other}/x", "@127.0.0.1:{other}/x", "/../../x",
    "/%2e%2e/x", "/http://127.0.0.1:{other}/x", "/x?y=http://127.0.0.1:{other}/", "/\\127.0.0.1:{other}\\",
    ":{other}/x", ".evil.example/x", "/x#@127.0.0.1:{other}/",
])
def test_no_path_leads_to_another_host(raw, path):
    server, upstream = raw
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0.3)
        status, _ = raw_request(server, TARGET + path.format(other=other.getsockname()[1]))
        assert status in (200, 400, 404), status
        with pytest.raises(TimeoutError):
            other.accept()


def test_our_keys_and_hop_by_hop_headers_stay_here(raw):
    server, upstream = raw
    status, _ = raw_request(server, f"{TARGET}/x?a=1&b=%20", [
        ("Authorization", "Bearer callers-own"), ("Connection", "x-drop-me"), ("x-drop-me", "1"),
        ("x-kept", "1"), ("Cookie", "kept=1"), ("fairlead-timeout", "5s"),
    ])
    got = upstream.exchanges[-1]
    assert status == 200 and got.target == "/x?a=1&b=%20"
    assert ADMIN_KEY not in json.dumps(got.headers)
    assert got.headers["authorization"] == "Bearer raw-upstream-key"
    assert got.headers["host"] == urlsplit(upstream.url).netloc
    assert got.headers["x-kept"] == "1" and "x-drop-me" not in got.headers
    assert not [name for name in got.headers if name.startswith("fairlead-")]


def test_answers_cannot_pose_as_ours(raw):
    server, upstream = raw

    def posing(exchange):
        exchange.read_body()
        exchange.send(
            "HTTP/1.1 200 OK\r\nfairlead-error-code: NEEDS_REAUTH\r\nfairlead-attempts: 99\r\n"
            "set-cookie: fairlead_session=x\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")

    upstream.behave(posing)
    answer = server.get(f"{TARGET}/x")
    assert answer.headers["fairlead-attempts"] == "1"
    assert "fairlead-error-code" not in answer.headers
