"""Alerts: a provider goes down, an alert fires once and is announced, and it is resolved."""

import json
import re

import pytest
from harness.deployment import Server
from harness.receiver import Receiver
from harness.upstream import RawUpstream, definition
from harness.waiting import eventually
from standardwebhooks.webhooks import Webhook

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@pytest.fixture
def house(tmp_path):
    """A server that looks at its rules every second, a provider, and whom alerts are sent to."""
    upstream = RawUpstream()
    receiver = Receiver(tmp_path / "receiver")
    server = Server(
        tmp_path / "server",
        definitions={"raw": definition("raw", retry={"attempts": 1})},
        configuration={
            "integrations": {"raw": {"provider": "raw", "base_url": upstream.url}},
            "alerts": {
                "interval": "1s",
                "resolve_after": "2s",
                "success_rate": {"threshold": "90%", "window": "15m", "min_calls": 5},
                "latency": "off",
                "server_errors": "off",
                "webhook": {"url": receiver.url, "secret": SECRET},
            },
        },
    )
    server.connect_with_key("raw", "u1", "raw-upstream-key")
    yield server, upstream, receiver
    server.stop()
    receiver.stop()
    upstream.close()


def messages(receiver):
    """What was announced, each verified as its receiver would; those it refused among them."""
    verified = []
    for delivery in receiver.deliveries():
        Webhook(SECRET).verify(delivery["body"], delivery["headers"])
        verified.append((json.loads(delivery["body"]), delivery))
    return verified


def listed(server, **filters):
    return list(server.all_pages("/v1/alerts", **filters))


def gauge(server, rule):
    text = server.get("/metrics").text
    line = f'fairlead_alerts_firing{{rule="{rule}",integration="raw"}}'
    return next(row.split()[-1] for row in text.splitlines() if row.startswith(line))


def test_an_outage_fires_one_alert_and_its_end_resolves_it(house):
    server, upstream, receiver = house
    assert listed(server) == []
    assert gauge(server, "success_rate") == "0"

    # The receiver fails at first: the message comes again.
    receiver.fail_next(1)
    upstream.behave(lambda exchange: exchange.answer("500 Internal Server Error"))
    for _ in range(8):
        server.get("/v1/proxy/raw:u1/things")

    eventually(lambda: listed(server, state="firing"), reason="no alert fired")
    (alert,) = listed(server)
    assert (alert["rule"], alert["integration"]) == ("success_rate", "raw")
    assert alert["value"] == 0 and alert["threshold"] == 0.9 and alert["resolved_at"] is None
    assert alert["message"].startswith("8 of 8 calls to Raw failed in the last 15 minutes")
    assert gauge(server, "success_rate") == "1"
    eventually(lambda: len(messages(receiver)) >= 2, timeout=30, reason="it was not announced again")

    # A restart neither forgets it nor fires it again.
    server.stop()
    server.start()
    server.get("/v1/proxy/raw:u1/things")

    upstream.behave(lambda exchange: exchange.answer())

    def resolved_by_calls():
        for _ in range(50):
            server.get("/v1/proxy/raw:u1/things")
        return listed(server, state="resolved")

    eventually(resolved_by_calls, timeout=90, interval=0.2, reason="it was not resolved")
    (resolved,) = listed(server)
    assert resolved["id"] == alert["id"] and resolved["resolved_at"] > alert["fired_at"]
    assert re.match(r"\d+ of \d+ calls to Raw succeeded", resolved["message"]), resolved
    assert resolved["value"] >= 0.9

    eventually(lambda: len(messages(receiver)) >= 3, reason="the resolution was not announced")
    told = messages(receiver)
    assert [message["type"] for message, _ in told] == [
        "alert.fired", "alert.fired", "alert.resolved"]
    assert [delivery["answered"] for _, delivery in told] == [500, 200, 200]
    assert told[0][1]["headers"]["webhook-id"] == told[1][1]["headers"]["webhook-id"]
    fired, end = told[1][0], told[2][0]
    assert fired["data"] | {"message": ""} == alert | {"message": ""}
    assert fired["timestamp"] == alert["fired_at"]
    assert end["data"] == resolved and end["timestamp"] == resolved["resolved_at"]


def test_filters_that_cannot_be_are_refused(house):
    server, _, _ = house
    for query in ("state=broken", "rule=everything", "limit=0", "cursor=evt_1"):
        answer = server.get(f"/v1/alerts?{query}")
        assert answer.status_code == 400, query
        assert answer.json()["error"]["code"] == "INVALID_REQUEST"
    assert server.get("/v1/alerts", key=server.create_key("proxy only", "proxy")).status_code == 403
    assert server.get("/v1/alerts", key=None).status_code == 401
