"""The official Clerk SDK through the proxy, Svix at the ingress, and end users with their tokens."""

import base64
import datetime
import json
import time
import uuid

import httpx
import jwt
import pytest
import requests
from clerk_backend_api import Clerk, models
from clerk_backend_api.security import (
    AuthenticateRequestOptions,
    TokenVerificationError,
    VerifyTokenOptions,
    authenticate_request,
    verify_token,
)
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from svix.webhooks import Webhook, WebhookVerificationError

from conftest import connect_slack, connection_of
from harness.deployment import Server
from harness.waiting import eventually

SECRET_KEY = "sk_test_fairlead_sandbox_clerk"
WEBHOOK_SECRET = "whsec_ZmFpcmxlYWQtc2FuZGJveC1jbGVyaw=="
KEY_SET = "/.well-known/jwks.json"


@pytest.fixture
def clerk(server, key):
    with Clerk(bearer_auth=key, server_url=server.proxy("clerk") + "/v1") as clerk:
        yield clerk


@pytest.fixture
def user(clerk):
    """A user of its own for each check."""
    return clerk.users.create(
        email_address=[f"{uuid.uuid4().hex[:10]}@example.com"], first_name="Dana",
        last_name="Example")


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def me(server, path, token, method="GET", **options):
    return server.request(
        method, f"/v1/me{path}", key=None, headers=bearer(token) | options.pop("headers", {}),
        **options)


# --- the SDK through the proxy ---------------------------------------------------------------------


def test_a_user_lives_as_the_sdk_expects(clerk):
    email = f"{uuid.uuid4().hex[:10]}@example.com"
    made = clerk.users.create(
        email_address=[email], first_name="Dana", external_id="42", public_metadata={"plan": "free"})
    assert made.email_addresses[0].email_address == email
    assert made.primary_email_address_id == made.email_addresses[0].id
    assert clerk.users.get(user_id=made.id) == made
    assert clerk.users.update(user_id=made.id, last_name="Example").last_name == "Example"
    merged = clerk.users.update_metadata(user_id=made.id, public_metadata={"seats": 3})
    assert merged.public_metadata == {"plan": "free", "seats": 3}
    assert [one.id for one in clerk.users.list(request={"email_address": [email]})] == [made.id]
    gone = clerk.users.delete(user_id=made.id)
    assert gone.deleted and gone.id == made.id and gone.external_id == "42"
    with pytest.raises(models.ClerkErrors) as caught:
        clerk.users.get(user_id=made.id)
    assert caught.value.data.errors[0].code == "resource_not_found"


def test_lists_page_and_count(clerk):
    mark = uuid.uuid4().hex[:8]
    made = [
        clerk.users.create(email_address=[f"{mark}-{n}@example.com"]).id for n in range(5)]
    assert clerk.users.count(request={"query": mark}).total_count == 5
    pages = [
        [one.id for one in clerk.users.list(request={"query": mark, "limit": 2, "offset": offset})]
        for offset in (0, 2, 4)]
    assert sum(pages, []) == made[::-1], "newest first, nothing twice"


def test_an_error_is_the_sdks_own(clerk, user):
    with pytest.raises(models.ClerkErrors) as caught:
        clerk.users.create(email_address=[user.email_addresses[0].email_address])
    error = caught.value.data.errors[0]
    assert error.code == "form_identifier_exists" and error.long_message
    assert caught.value.raw_response.status_code == 422


def test_a_session_begins_and_is_revoked(clerk, user):
    session = clerk.sessions.create(request={"user_id": user.id})
    assert session.status == "active"
    assert [one.id for one in clerk.sessions.list(user_id=user.id)] == [session.id]
    assert clerk.sessions.create_token(session_id=session.id).jwt.count(".") == 2
    assert clerk.sessions.revoke(session_id=session.id).status == "revoked"


def test_a_passing_429_is_waited_out(clerk, sandbox):
    """The SDK itself does not retry a 429."""
    sandbox.fault("clerk", "rate_limit", times=1, retry_after=1, match={"path": "/v1/users/count"})
    begun = time.monotonic()
    assert clerk.users.count(request={}).total_count >= 0
    assert time.monotonic() - begun >= 1


# --- session tokens --------------------------------------------------------------------------------


def test_the_sdk_verifies_what_the_simulator_signs(sandbox, user):
    options = VerifyTokenOptions(
        secret_key=SECRET_KEY, api_url=f"{sandbox.url}/clerk",
        authorized_parties=["https://app.example"])
    good = sandbox.session_token(user=user.id, azp="https://app.example")
    assert verify_token(good, options)["sub"] == user.id
    for order in [
        {"alg": "none"}, {"alg": "HS256"}, {"tamper": "payload"}, {"tamper": "signature"},
        {"tamper": "key"}, {"expires_in": -60}, {"kid": "ins_other"}, {"azp": "https://evil.example"},
    ]:
        bad = sandbox.session_token(**({"user": user.id, "azp": "https://app.example"} | order))
        with pytest.raises(TokenVerificationError):
            verify_token(bad, options)


def test_the_sdk_authenticates_a_request(sandbox, user):
    keys = requests.get(f"{sandbox.url}/clerk{KEY_SET}", timeout=10).json()["keys"]
    public = jwt.PyJWK(keys[-1]).key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    options = AuthenticateRequestOptions(jwt_key=public, authorized_parties=["https://app.example"])
    for order, signed_in in [({"azp": "https://app.example"}, True), ({"azp": "https://e.example"}, False)]:
        token = sandbox.session_token(user=user.id, **order)
        request = httpx.Request("GET", "https://app.example/", headers=bearer(token))
        assert authenticate_request(request, options).is_signed_in is signed_in


def test_a_token_opens_what_is_the_persons_own(server, sandbox, user):
    token = sandbox.session_token(user=user.id)
    who = me(server, "", token)
    assert who.status_code == 200, who.text
    assert who.json()["owner"] == user.id and who.json()["name"] == "Dana Example"
    assert who.json()["email"] == user.email_addresses[0].email_address
    connect_slack(server, user.id)
    connect_slack(server, f"other_{user.id}")
    own = me(server, "/connections", token).json()["data"]
    assert [one["owner"] for one in own] == [user.id]
    strange = connection_of(server, "slack", f"other_{user.id}")["id"]
    for method in ("GET", "DELETE"):
        assert me(server, f"/connections/{strange}", token, method).status_code == 404
    link = me(server, "/connect", token, "POST", json={"integration": "slack"})
    assert link.status_code == 201 and link.json()["url"].startswith(("http://", "https://"))
    gone = me(server, f"/connections/{own[0]['id']}", token, "DELETE")
    assert gone.status_code == 200 and gone.json()["revoked_at_provider"] is True
    assert connection_of(server, "slack", f"other_{user.id}")["state"] == "active"


@pytest.mark.parametrize("order", [
    {"alg": "none"}, {"alg": "HS256"}, {"alg": "RS512"}, {"tamper": "payload"},
    {"tamper": "signature"}, {"tamper": "key"}, {"expires_in": -60}, {"kid": "ins_other"},
    {"claims": {"iss": "https://evil.example"}}, {"claims": {"exp": None}},
    {"claims": {"nbf": 4_000_000_000}}, {"claims": {"iat": 4_000_000_000}},
    {"claims": {"sub": None}}, {"claims": {"sts": "pending"}}, {"header": {"kid": None}},
    {"header": {"crit": ["b64"]}}, {"claims": {"exp": "soon"}}, {"claims": {"exp": 1e300}},
], ids=lambda order: json.dumps(order))
def test_a_token_that_must_not_pass_does_not(server, sandbox, user, order):
    token = sandbox.session_token(user=user.id, **order)
    answer = me(server, "/connections", token)
    assert answer.status_code == 401, answer.text
    error = answer.json()["error"]
    assert error["code"] == "UNAUTHENTICATED" and not error["retryable"]
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "algorithm" not in error["message"] and "signature" not in error["message"]


def test_another_key_under_the_same_id_with_its_own_jwk_opens_nothing(server, sandbox, user):
    good = sandbox.session_token(user=user.id)
    header = jwt.get_unverified_header(good)
    mine = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    numbers = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(mine.public_key()))
    forged = jwt.encode(
        jwt.decode(good, options={"verify_signature": False}), mine, algorithm="RS256",
        headers={"kid": header["kid"], "jwk": numbers, "jku": f"{sandbox.url}/evil.json"})
    assert me(server, "", forged).status_code == 401
    assert not sandbox.requests("clerk", "/evil.json")


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "é" * 50, "." * 9_000, "fl_0123456789"])
def test_what_is_no_token_is_refused(server, text):
    answer = server.request(
        "GET", "/v1/me", key=None, headers={"Authorization": f"Bearer {text}".encode()})
    assert answer.status_code == 401


def test_keys_and_tokens_do_not_open_each_others_doors(server, key, sandbox):
    assert server.get("/v1/me").status_code == 401, "the admin key is nobody"
    assert server.get("/v1/me", key=key).status_code == 401
    token = sandbox.session_token()
    for path in ("/v1/connections", "/v1/health", "/v1/proxy/clerk/v1/users"):
        assert server.get(path, key=token).status_code == 401, path


def test_the_cookie_changes_something_from_the_own_site_only(server, sandbox):
    cookie = {"Cookie": f"__session={sandbox.session_token()}"}
    assert server.request("GET", "/v1/me", key=None, headers=cookie).status_code == 200
    for headers, status in [
        ({}, 403), ({"Sec-Fetch-Site": "cross-site"}, 403), ({"Origin": "https://evil.example"}, 403),
        ({"Origin": server.url}, 201), ({"Sec-Fetch-Site": "same-origin"}, 201),
    ]:
        answer = server.request(
            "POST", "/v1/me/connect", key=None, headers=cookie | headers, json={})
        assert answer.status_code == status, (headers, answer.text)


def test_keys_that_cannot_be_had_are_503_and_come_back(tmp_path, sandbox_process, sandbox):
    server = Server(tmp_path, sandbox=sandbox_process.url)
    try:
        token = sandbox.session_token(expires_in=600)
        sandbox.fault("clerk", "server_error", match={"path": KEY_SET})
        answer = me(server, "", token)
        assert answer.status_code == 503, answer.text
        assert answer.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
        assert 1 <= int(answer.headers["Retry-After"]) <= 30
        before = len(sandbox.requests("clerk", KEY_SET))
        assert me(server, "", token).status_code == 503
        assert len(sandbox.requests("clerk", KEY_SET)) == before, "not asked again at once"
        sandbox.clear_faults()
        eventually(lambda: me(server, "", token).status_code == 200, timeout=15)
    finally:
        server.stop()


def test_an_allow_list_of_parties_is_kept_to(tmp_path, sandbox_process, sandbox):
    issuer = f"{sandbox_process.url}/clerk"
    server = Server(tmp_path, sandbox=sandbox_process.url, configuration={"jwt": {"issuers": [
        {"issuer": issuer, "authorized_parties": ["https://app.example"]}]}})
    try:
        for party, status in [
            ("https://app.example", 200), ("https://evil.example", 401), (None, 401),
        ]:
            order = {"azp": party} if party else {}
            assert me(server, "", sandbox.session_token(**order)).status_code == status, party
    finally:
        server.stop()


# --- webhooks --------------------------------------------------------------------------------------


def post_event(server, body, *, secret=WEBHOOK_SECRET, message=None, at=None, sent=None):
    """Signs `body` with Svix's own library and delivers it, or `sent` in its place."""
    message = message or f"msg_{uuid.uuid4().hex}"
    at = at or datetime.datetime.now(datetime.timezone.utc)
    signature = Webhook(secret).sign(message, at, body)
    return server.request(
        "POST", "/webhooks/clerk", key=None, data=(sent or body).encode(), headers={
            "svix-id": message, "svix-timestamp": str(int(at.timestamp())),
            "svix-signature": signature, "content-type": "application/json"})


def event(kind, data):
    return json.dumps({
        "object": "event", "type": kind, "data": data, "timestamp": 1_800_000_000_000,
        "instance_id": "ins_1"})


def test_what_svix_signs_is_taken_once(server, user):
    body = event("user.updated", {"id": user.id, "object": "user", "first_name": "Zoë"})
    message = f"msg_{uuid.uuid4().hex}"
    first = post_event(server, body, message=message)
    assert first.status_code == 200 and first.json()["duplicate"] is False, first.text
    again = post_event(server, body, message=message)
    assert again.json() == {
        "received": True, "event_id": first.json()["event_id"], "duplicate": True}
    stored = server.get(f"/v1/events/{first.json()['event_id']}").json()
    assert stored["type"] == "user.updated" and stored["provider_event_id"] == message


def test_what_svix_did_not_sign_is_refused(server, user):
    body = event("user.deleted", {"id": user.id, "object": "user", "deleted": True})
    now = datetime.datetime.now(datetime.timezone.utc)
    other = "whsec_" + base64.b64encode(b"another secret of some length").decode()
    for answer in [
        post_event(server, body, secret=other), post_event(server, body, sent=body + " "),
        post_event(server, body, at=now - datetime.timedelta(seconds=400)),
        post_event(server, body, at=now + datetime.timedelta(seconds=400)),
        server.request("POST", "/webhooks/clerk", key=None, data=body),
    ]:
        assert answer.status_code == 401, answer.text


def test_svix_verifies_what_the_simulator_sends(sandbox, receiver):
    sandbox.send_event("clerk", type="user.created", to=receiver.url)
    sandbox.send_event("clerk", type="user.created", to=receiver.url, forge=True)
    genuine, forged = receiver.deliveries()
    Webhook(WEBHOOK_SECRET).verify(genuine["body"], genuine["headers"])
    sent = json.loads(genuine["body"])
    assert sent["type"] == "user.created" and sent["data"]["id"].startswith("user_")
    with pytest.raises(WebhookVerificationError):
        Webhook(WEBHOOK_SECRET).verify(forged["body"], forged["headers"])


def test_a_deleted_user_takes_their_connections_along(server, sandbox, clerk, user):
    other = f"other_{user.id}"
    connect_slack(server, user.id)
    connect_slack(server, other)
    link = server.post("/v1/connect/sessions", json={"owner": user.id}).json()["url"]
    assert requests.get(link, timeout=10).status_code == 200
    clerk.users.delete(user_id=user.id)
    gone = next(
        one for one in sandbox.state("clerk")["events"] if one["type"] == "user.deleted")
    for _ in range(2):
        sandbox.send_event("clerk", id=gone["id"], to=f"{server.url}/webhooks/clerk")
    eventually(lambda: connection_of(server, "slack", user.id)["state"] == "revoked")
    ended = connection_of(server, "slack", user.id)
    assert "deleted" in ended["error"]
    refused = server.get(f"/v1/proxy/{ended['id']}/api/auth.test", headers={"fairlead-errors": "plain"})
    assert refused.status_code == 424 and refused.json()["error"]["code"] == "NEEDS_REAUTH"
    assert requests.get(link, timeout=10).status_code == 404
    assert connection_of(server, "slack", other)["state"] == "active"
    assert server.get(f"/v1/proxy/slack:{other}/api/auth.test").json()["ok"] is True
