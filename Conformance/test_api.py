"""The shapes others script against, and what bad input gets."""

import base64
import json
import re

import pytest
import requests
from conftest import connect_slack, connection_of
from harness.deployment import INTEGRATIONS
from harness.waiting import eventually
from openapi_spec_validator import validate

OPENAI_KEY = INTEGRATIONS["OPENAI_API_KEY"]
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


def is_our_error(answer, status, code):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    error = answer.json()["error"]
    assert error["code"] == code, error
    assert error["message"] and "API Error" not in error["message"]
    assert isinstance(error["retryable"], bool)
    assert error["request_id"] == answer.headers["fairlead-request-id"]
    return True


# --- shapes -----------------------------------------------------------------------------------------


def test_a_connection_made_with_a_key_has_its_shape(server):
    made = server.connect_with_key("openai", "shape-owner", OPENAI_KEY)
    assert made["id"].startswith("conn_")
    assert (made["integration"], made["owner"], made["state"]) == ("openai", "shape-owner", "active")
    for name in ("scopes", "params", "identity", "expires_at", "created_at", "last_refreshed_at",
                 "last_synced_at", "sync_in_progress"):
        assert name in made, name
    assert TIME.match(made["created_at"])
    assert OPENAI_KEY not in json.dumps(made)
    assert server.get(f"/v1/connections/{made['id']}").json() == made
    answer = server.delete(f"/v1/connections/{made['id']}")
    assert answer.status_code == 200 and answer.json()["revoked_at_provider"] is False
    assert is_our_error(server.get(f"/v1/connections/{made['id']}"), 404, "NOT_FOUND")


def test_a_key_the_provider_refuses_makes_no_connection(server):
    answer = server.post("/v1/connections", json={
        "integration": "openai", "owner": "refused", "credentials": {"api_key": "sk-not-known-there"}})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["error"]["message"] and "sk-not-known" not in answer.text
    assert list(server.all_pages("/v1/connections", owner="refused")) == []


def test_lists_page_and_filter(server):
    made = [server.connect_with_key("openai", f"paged-{n}", OPENAI_KEY)["id"] for n in range(5)]
    first = server.get("/v1/connections", params={"integration": "openai", "limit": 2}).json()
    assert len(first["data"]) == 2 and first["next_cursor"]
    paged = [one["id"] for one in server.all_pages("/v1/connections", integration="openai", limit=2)]
    assert set(made) <= set(paged) and len(paged) == len(set(paged))
    only = list(server.all_pages("/v1/connections", owner="paged-3"))
    assert [one["id"] for one in only] == [made[3]]
    for one in made:
        server.delete(f"/v1/connections/{one}")


def test_health_says_how_an_integration_is_doing(server, key):
    server.get("/v1/proxy/stripe/v1/customers", key=key)
    by_name = {one["integration"]: one for one in server.get("/v1/health").json()["integrations"]}
    assert {"slack", "stripe", "openai"} <= set(by_name)
    stripe = by_name["stripe"]
    assert stripe["status"] in ("healthy", "degraded", "down") and stripe["message"]
    assert stripe["calls_24h"] >= 1
    assert stripe["success_rate_24h"] + stripe["error_rate_24h"] == pytest.approx(1, abs=0.001)
    assert {"mean", "p50", "p95", "p99"} <= set(stripe["latency_ms"])
    assert {"received", "rejected", "processed", "dead", "recovered"} <= set(stripe["webhooks"])
    for name in ("last_success_at", "last_failure_at", "rate_limit_hits", "waited_ms", "breaker"):
        assert name in stripe, name
    assert TIME.match(stripe["last_success_at"])


def test_openapi_is_valid_and_names_every_route_of_the_contract(server):
    document = requests.get(f"{server.url}/openapi.json", timeout=10).json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    for path in ("/healthz", "/readyz", "/metrics", "/v1/connect/sessions", "/v1/connections",
                 "/v1/connections/{id}", "/v1/connections/{id}/token", "/v1/events",
                 "/v1/events/{id}", "/v1/destinations", "/v1/health", "/webhooks/{integration}",
                 "/oauth/callback/{integration}", "/v1/stream"):
        assert path in document["paths"], path
    assert any(path.startswith("/v1/proxy/{target}/") for path in document["paths"])


def test_metrics_are_prometheus_text(server):
    answer = requests.get(f"{server.url}/metrics", timeout=10)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain")
    for line in answer.text.splitlines():
        assert line.startswith("#") or re.match(r"^[a-z_:][\w:]*(\{.*\})? \S+( \d+)?$", line), line


def test_liveness_and_readiness_need_no_key(server):
    for path in ("/healthz", "/readyz"):
        assert requests.get(server.url + path, timeout=5).status_code == 200


def test_every_way_to_show_a_key(server, key):
    def basic(user, password):
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    path = "/v1/proxy/stripe/v1/customers?limit=1"
    for headers in (
        {"Authorization": f"Bearer {key}"}, {"Authorization": f"token {key}"},
        {"Authorization": basic(key, "")}, {"Authorization": basic("anyone", key)},
        {"x-api-key": key}, {"fairlead-key": key},
        {"fairlead-key": key, "Authorization": "Bearer something-else"},
    ):
        assert server.get(path, key=None, headers=headers).status_code == 200, headers


def test_the_live_stream_starts(server):
    headers = {"Authorization": f"Bearer {server.admin_key}"}
    with requests.get(f"{server.url}/v1/stream", headers=headers, stream=True, timeout=10) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")


# --- targets of the proxy ---------------------------------------------------------------------------


def test_a_target_may_be_a_connection_or_an_owner(server, key):
    connect_slack(server, "a:b/c d")
    connection = connection_of(server, "slack", "a:b/c d")
    for target in (connection["id"], "slack:a%3Ab%2Fc%20d", "slack:a:b%2Fc%20d"):
        answer = server.post(f"/v1/proxy/{target}/api/auth.test", key=key)
        assert answer.status_code == 200 and answer.json()["ok"] is True, target


def test_several_connections_without_a_default_are_named(server, key):
    connect_slack(server, "several-1")
    connect_slack(server, "several-2")
    answer = server.post("/v1/proxy/slack/api/auth.test", key=key)
    assert is_our_error(answer, 400, "INVALID_REQUEST")


# --- bad input --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [
    "/v1/proxy/nope/x", "/v1/proxy/slack:nobody/api/auth.test", "/v1/proxy/conn_nope/x",
    "/v1/proxy/stripe@nope/v1/customers", "/v1/nope", "/nope", "/v1/connections/conn_nope",
    "/v1/events/evt_nope", "/v1/connections/conn_nope/token",
    "/v1/connections/%00", "/v1/events/" + "x" * 3000,
])
def test_what_is_not_there_is_our_404(server, path):
    assert is_our_error(server.get(path), 404, "NOT_FOUND")


@pytest.mark.parametrize("headers", [
    {}, {"Authorization": "Bearer fl_wrong"}, {"Authorization": "Bearer"}, {"Authorization": "x" * 4000},
    {"Authorization": "Basic !!!"}, {"fairlead-key": ""}, {"x-api-key": "fl_" + "0" * 40},
])
@pytest.mark.parametrize("path", ["/v1/connections", "/v1/proxy/stripe/v1/customers", "/v1/health"])
def test_without_a_known_key_nothing_opens(server, path, headers):
    assert is_our_error(server.get(path, key=None, headers=headers), 401, "UNAUTHENTICATED")


def test_a_key_opens_what_its_scope_says(server, key):
    assert is_our_error(server.get("/v1/connections", key=key), 403, "FORBIDDEN")
    assert is_our_error(server.get("/v1/events", key=key), 403, "FORBIDDEN")
    narrow = server.create_key("connections only", "connections")
    assert server.get("/v1/connections", key=narrow).status_code == 200
    assert is_our_error(server.get("/v1/proxy/stripe/v1/customers", key=narrow), 403, "FORBIDDEN")


def test_a_revoked_key_opens_nothing(server):
    made = json.loads(server.run("keys", "create", "--name", "short-lived", "--json").stdout)
    assert server.get("/v1/connections", key=made["key"]).status_code == 200
    assert server.run("keys", "revoke", made["id"]).returncode == 0
    # Another process revoked it: the server notices within a second.
    eventually(lambda: server.get("/v1/connections", key=made["key"]).status_code == 401)
    assert is_our_error(server.get("/v1/connections", key=made["key"]), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize("body", [
    b"{", b"", b"[]", b"null", b"\xff\xfe", b'{"integration": 7, "owner": "x"}',
    b'{"integration": "openai"}', b'{"integration": "openai", "owner": "x"}',
    b'{"integration": "openai", "owner": "", "credentials": {"api_key": "k"}}',
    b'{"integration": "openai", "owner": "x", "credentials": {}}', b"[" * 100_000,
], ids=range(11))
def test_a_body_that_makes_no_sense_is_a_400(server, body):
    answer = server.post(
        "/v1/connections", data=body, headers={"Content-Type": "application/json"})
    assert is_our_error(answer, 400, "INVALID_REQUEST")


def test_an_oversized_body_is_a_413(server):
    body = json.dumps({"integration": "openai", "owner": "x" * (30 << 20)})
    try:
        answer = server.post("/v1/connections", data=body)
    except requests.ConnectionError:
        # Refused before all of it was sent; the reason is lost to a client that still writes.
        assert server.get("/healthz").status_code == 200
        return
    assert is_our_error(answer, 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("query", [
    "limit=0", "limit=-1", "limit=many", "limit=99999999999999999999", "cursor=nonsense", "state=odd",
])
def test_a_list_refuses_odd_parameters(server, query):
    assert is_our_error(server.get(f"/v1/connections?{query}"), 400, "INVALID_REQUEST")


def test_a_connection_needs_a_known_integration(server):
    answer = server.post("/v1/connections", json={
        "integration": "nope", "owner": "x", "credentials": {"api_key": "k"}})
    assert is_our_error(answer, 404, "NOT_FOUND")


@pytest.mark.parametrize("timeout", ["soon", "-1s", "0s", "99999999999h", "1"])
def test_a_timeout_is_a_duration(server, key, timeout):
    answer = server.get("/v1/proxy/stripe/v1/customers", key=key, headers={"fairlead-timeout": timeout})
    assert is_our_error(answer, 400, "INVALID_REQUEST")
    assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("url", [
    "http://app.example/hooks", "not a url", "https://user:pass@app.example/", "", "javascript:x",
])
def test_a_destination_must_be_https_and_plain(server, url):
    assert is_our_error(server.post("/v1/destinations", json={"url": url}), 400, "INVALID_REQUEST")


def test_no_origin_is_allowed_that_was_not_configured(server):
    answer = server.request("OPTIONS", "/v1/connections", key=None, headers={
        "Origin": "https://evil.example", "Access-Control-Request-Method": "GET"})
    assert "access-control-allow-origin" not in answer.headers


def test_the_dashboard_asks_who_is_there(server):
    answer = requests.get(f"{server.url}/", timeout=10)
    assert 'type="password"' in answer.text and server.admin_key not in answer.text
