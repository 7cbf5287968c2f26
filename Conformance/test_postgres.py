"""What only PostgreSQL has: several nodes on one database, a server that goes away, and the ways in
which a URL can be wrong."""

import os
import threading
import time
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from conftest import APPLICATION, connect_slack, connection_of
from harness.deployment import Sandbox, Server
from harness.receiver import Receiver
from harness.storage import ON_POSTGRES
from harness.stripe_events import event, signed
from harness.waiting import eventually
from test_cli import environment, refuses  # noqa: F401 (a fixture)

SERVER = os.environ.get("FAIRLEAD_TEST_POSTGRES")
pytestmark = pytest.mark.skipif(
    not (ON_POSTGRES and SERVER), reason="runs on PostgreSQL; bin/test --only postgres")


def changed(**parts):
    return urlunsplit(urlsplit(SERVER)._replace(**parts))


# --- a wrong URL ----------------------------------------------------------------------------------

def test_a_wrong_password(tmp_path, environment):  # noqa: F811
    place = urlsplit(SERVER)
    url = changed(netloc=f"{place.username}:planted-secret@{place.hostname}:{place.port}")
    run = refuses(tmp_path, environment | {"FAIRLEAD_DATABASE": url}, says=["password"])
    assert "planted-secret" not in run


def test_a_database_that_does_not_exist(tmp_path, environment):  # noqa: F811
    refuses(tmp_path, environment | {"FAIRLEAD_DATABASE": changed(path="/none")}, says=["createdb"])


def test_a_server_that_does_not_answer(tmp_path, environment):  # noqa: F811
    url = "postgres://fairlead:planted-secret@127.0.0.1:1/fairlead"
    run = refuses(tmp_path, environment | {"FAIRLEAD_DATABASE": url}, says=["127.0.0.1"])
    assert "planted-secret" not in run


def test_a_parameter_that_there_is_not(tmp_path, environment):  # noqa: F811
    url = changed(query="poool=3")
    refuses(tmp_path, environment | {"FAIRLEAD_DATABASE": url}, says=["poool"])


# --- nodes ----------------------------------------------------------------------------------------

@pytest.fixture
def nodes(tmp_path):
    sandbox = Sandbox(tmp_path / "sandbox")
    configuration = {"connect": {"redirect_origins": [APPLICATION]}}
    first = Server(tmp_path / "first", sandbox=sandbox.url, configuration=configuration)
    second = Server(tmp_path / "second", sandbox=sandbox.url, configuration=configuration, environment={
        "FAIRLEAD_DATABASE": first.storage.url,
        "FAIRLEAD_VAULT_KEYS": first.environment["FAIRLEAD_VAULT_KEYS"],
    })
    yield first, second, sandbox.controls
    second.stop()
    first.stop()
    sandbox.stop()


def send(server, one):
    body, headers = signed(one, server.environment["STRIPE_WEBHOOK_SECRET"])
    return requests.post(f"{server.url}/webhooks/stripe", data=body, headers=headers, timeout=30)


def test_what_one_node_connected_the_other_uses(nodes):
    first, second, _ = nodes
    connect_slack(first, "ada")
    answer = second.post("/v1/proxy/slack:ada/api/auth.test", json={})
    assert answer.status_code == 200 and answer.json()["ok"], answer.text
    key = first.create_key("both", "proxy")
    assert second.post("/v1/proxy/slack:ada/api/auth.test", json={}, key=key).status_code == 200


def test_nodes_refresh_a_token_once(nodes):
    first, second, controls = nodes
    connect_slack(first, "ada")
    connection = connection_of(second, "slack", "ada")["id"]
    controls.fault("slack", "expire_tokens")
    answers = []

    def call(server):
        answers.append(server.post("/v1/proxy/slack:ada/api/auth.test", json={}))

    threads = [threading.Thread(target=call, args=(server,)) for server in (first, second) * 10]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answer.json()["ok"] for answer in answers] == [True] * 20
    refreshes = [
        one for one in controls.requests("slack")
        if one["path"] == "/api/oauth.v2.access" and "refresh_token" in str(one.get("body"))
    ]
    assert len(refreshes) == 1, refreshes
    assert first.get(f"/v1/connections/{connection}").json()["state"] == "active"


def test_an_event_sent_to_both_nodes_is_one(nodes, tmp_path):
    first, second, _ = nodes
    receiver = Receiver(tmp_path / "receiver")
    try:
        made = first.post(
            "/v1/destinations", json={"url": receiver.url, "integrations": ["stripe"]})
        assert made.status_code == 201, made.text
        events = [event() for _ in range(20)]
        receipts = []

        def deliver(server):
            for one in events:
                receipts.append(send(server, one).json()["event_id"])

        threads = [threading.Thread(target=deliver, args=(server,)) for server in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(receipts) == 40 and len(set(receipts)) == 20
        eventually(lambda: all(receiver.deliveries(webhook_id=one) for one in set(receipts)))
        time.sleep(0.5)
        assert len(receiver.deliveries()) == 20
        assert {one["status"] for one in second.all_pages("/v1/events")} == {"processed"}
    finally:
        receiver.stop()


def test_a_node_works_on_when_another_was_killed(nodes, tmp_path):
    first, second, _ = nodes
    receiver = Receiver(tmp_path / "receiver")
    try:
        second.post("/v1/destinations", json={"url": receiver.url, "integrations": ["stripe"]})
        first.kill()
        receipt = send(second, event()).json()["event_id"]
        eventually(lambda: receiver.deliveries(webhook_id=receipt))
    finally:
        receiver.stop()


# --- the server goes away -------------------------------------------------------------------------

def test_nothing_is_lost_when_the_server_ends_every_connection(nodes):
    first, _, _ = nodes
    acknowledged = []
    for number in range(30):
        if number % 10 == 5:
            first.storage.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()")
        answer = send(first, event())
        assert answer.status_code in (200, 503), answer.text
        if answer.status_code == 200:
            acknowledged.append(answer.json()["event_id"])
    assert len(acknowledged) >= 25
    stored = {one["id"] for one in first.all_pages("/v1/events", limit=200)}
    assert set(acknowledged) <= stored
    eventually(lambda: requests.get(f"{first.url}/readyz", timeout=5).status_code == 200)
