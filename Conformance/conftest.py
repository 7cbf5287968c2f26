"""One sandbox and one server for all checks that can share them; a check that breaks things makes
its own."""


import uuid

import pytest

from harness.browser import Browser
from harness.deployment import BINARY, Sandbox, Server
from harness.receiver import Receiver
from harness.upstream import RawUpstream, definition

#: Where browsers are sent after connecting. Nothing listens there: the browser stops before it.
APPLICATION = "http://127.0.0.1:9"


def pytest_sessionstart(session):
    if not BINARY.exists():
        pytest.exit(f"there is no binary at {BINARY}; bin/test builds it", returncode=1)


@pytest.fixture(scope="session")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("fairlead")


@pytest.fixture(scope="session")
def sandbox_process(directory):
    sandbox = Sandbox(directory / "sandbox")
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(sandbox_process):
    """The sandbox's controls; faults end with the check."""
    yield sandbox_process.controls
    sandbox_process.controls.clear_faults()


@pytest.fixture(scope="session")
def server(directory, sandbox_process):
    server = Server(
        directory / "server",
        sandbox=sandbox_process.url,
        configuration={"connect": {"redirect_origins": [APPLICATION]}},
    )
    yield server
    server.stop()


@pytest.fixture(scope="session")
def key(server):
    """An API key that may use the proxy and nothing else."""
    return server.create_key("conformance", "proxy")


def connect(server, integration, owner, label="Dana Example"):
    """Walks the hosted page, the consent and the callback as a browser does. The browser."""
    answer = server.post("/v1/connect/sessions", json={
        "owner": owner, "owner_label": label, "integration": integration,
        "redirect": f"{APPLICATION}/done",
    })
    assert answer.status_code in (200, 201), answer.text
    browser = Browser(leaves_at=APPLICATION)
    browser.open(answer.json()["url"])
    browser.press(f"connect {integration}", "connect", integration)
    if not browser.left_to:
        browser.press("allow", "approve", "authorize", "authorise")
    return browser


def connect_slack(server, owner, label="Dana Example"):
    return connect(server, "slack", owner, label)


def connection_of(server, integration, owner):
    connections = list(server.all_pages("/v1/connections", integration=integration, owner=owner))
    assert len(connections) == 1, connections
    return connections[0]


@pytest.fixture(scope="module")
def slack_owner(server):
    """An owner whose Slack account is connected; new for each file, since some revoke all grants."""
    owner = f"user_{uuid.uuid4().hex[:8]}"
    connect_slack(server, owner)
    assert connection_of(server, "slack", owner)["state"] == "active"
    return owner


@pytest.fixture
def receiver(tmp_path):
    receiver = Receiver(tmp_path / "receiver")
    yield receiver
    receiver.stop()


@pytest.fixture
def destination(server, receiver):
    """A destination for all Stripe events that ends with the check; as it was created, secret
    included."""
    answer = server.post("/v1/destinations", json={
        "url": receiver.url, "integrations": ["stripe"],
    })
    assert answer.status_code == 201, answer.text
    yield answer.json()
    assert server.delete(f"/v1/destinations/{answer.json()['id']}").ok


@pytest.fixture(scope="session")
def raw_house(directory):
    """A server with one provider on a raw socket, called raw, and one owner connected to it."""
    upstream = RawUpstream()
    server = Server(
        directory / "raw",
        definitions={"raw": definition("raw")},
        configuration={"integrations": {"raw": {"provider": "raw", "base_url": upstream.url}}},
    )
    server.connect_with_key("raw", "u1", "raw-upstream-key")
    yield server, upstream
    server.stop()
    upstream.close()


@pytest.fixture
def raw(raw_house):
    """`(server, upstream)`; checks that the process survived what the upstream did."""
    server, upstream = raw_house
    upstream.behave(lambda exchange: exchange.answer())
    yield server, upstream
    assert server.process.is_alive, server.process.output_tail()
    upstream.behave(lambda exchange: exchange.answer(body='{"alive":true}'))
    answer = server.get("/v1/proxy/raw:u1/alive")
    assert answer.status_code == 200 and answer.json() == {"alive": True}, answer.text
