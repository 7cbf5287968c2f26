"""Connecting a Slack account through the real redirects, as a browser does."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from conftest import APPLICATION, connect_slack, connection_of
from harness.browser import Browser


def session_url(server, owner, **more):
    answer = server.post("/v1/connect/sessions", json={"owner": owner, "integration": "slack"} | more)
    assert answer.status_code in (200, 201), answer.text
    assert answer.json()["expires_at"].endswith("Z")
    return answer.json()["url"]


def connections(server, owner):
    return list(server.all_pages("/v1/connections", owner=owner))


def step(browser, part):
    """The URL of the first step of the trail that asks for `part` with a query."""
    return next(url for _, url, _ in browser.trail if f"{part}?" in url)


@pytest.fixture
def owner(request):
    return f"owner-of-{request.node.name[:60]}"


def test_ends_at_the_application_and_the_account_works(server, key, owner):
    browser = connect_slack(server, owner)
    query = parse_qs(urlsplit(browser.left_to).query)
    assert browser.left_to.startswith(f"{APPLICATION}/done?")
    assert (query["integration"], query["status"]) == (["slack"], ["success"])
    connection = connection_of(server, "slack", owner)
    assert connection["state"] == "active" and connection["scopes"]
    assert connection["identity"]["id"]
    answer = server.post(f"/v1/proxy/slack:{owner}/api/auth.test", key=key)
    assert answer.json()["ok"] is True


def test_the_page_says_for_whom_it_connects(server, owner):
    browser = Browser()
    browser.open(session_url(server, owner, owner_label="Robin <b>Quayle</b>"))
    assert "Robin <b>Quayle</b>" in browser.text
    assert "<b>Quayle" not in browser.answer.text
    policy = browser.answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy or "default-src 'self'" in policy
    assert browser.answer.headers["cache-control"] == "no-store"


def test_what_is_asked_of_the_provider(server, owner):
    browser = connect_slack(server, owner)
    query = parse_qs(urlsplit(step(browser, "/oauth/v2/authorize")).query)
    assert len(query["state"][0]) >= 22, "128 bits or more"
    assert urlsplit(query["redirect_uri"][0]).path == "/oauth/callback/slack"
    assert "," in query["scope"][0] and " " not in query["scope"][0]


def test_a_refusal_comes_back_as_one(server, owner):
    url = session_url(server, owner, redirect=f"{APPLICATION}/done")
    browser = Browser(leaves_at=APPLICATION)
    browser.open(url)
    browser.press("connect slack", "connect", "slack")
    browser.press("deny", "cancel", "refuse")
    query = parse_qs(urlsplit(browser.left_to).query)
    assert query["integration"] == ["slack"] and query["status"] != ["success"]
    assert connections(server, owner) == []


def test_a_callback_works_once(server, owner):
    browser = connect_slack(server, owner)
    callback = step(browser, "/oauth/callback/slack")
    again = browser.session.get(callback, allow_redirects=False)
    assert again.status_code >= 400 or "status=success" not in again.headers.get("location", "")
    assert len(connections(server, owner)) == 1


def test_a_callback_in_another_browser_connects_nothing(server, owner):
    url = session_url(server, owner)
    public = server.url.replace("127.0.0.1", "localhost")
    browser = Browser(leaves_at=f"{public}/oauth/callback")
    browser.open(url)
    browser.press("connect slack", "connect", "slack")
    if not browser.left_to:
        browser.press("allow", "approve", "authorize", "authorise")
    stranger = requests.get(browser.left_to, allow_redirects=False)
    assert stranger.status_code in (400, 403), stranger.text
    assert connections(server, owner) == []


@pytest.mark.parametrize("query", [
    "code=x&state=forged", "code=x", "state=forged", "error=access_denied", "",
])
def test_a_forged_callback_is_refused(server, query):
    answer = requests.get(f"{server.url}/oauth/callback/slack?{query}", allow_redirects=False)
    assert 400 <= answer.status_code < 500


def test_people_get_a_page_for_an_error(server):
    for path in ("/oauth/callback/nope?code=x&state=y", "/connect/no-such-link"):
        answer = requests.get(server.url + path, allow_redirects=False)
        assert answer.status_code in (400, 404), path
        assert answer.headers["content-type"].startswith("text/html") and "<h1" in answer.text


def test_a_used_link_opens_nothing(server, owner):
    url = session_url(server, owner)
    browser = Browser(leaves_at=APPLICATION)
    browser.open(url)
    browser.press("connect slack", "connect", "slack")
    browser.press("allow", "approve", "authorize", "authorise")
    assert connection_of(server, "slack", owner)["state"] == "active"
    later = Browser()
    later.open(url)
    assert later.answer.status_code >= 400


def test_a_redirect_outside_the_allowed_origins_is_refused(server, owner):
    for redirect in ("https://evil.example/x", f"{APPLICATION}.evil.example/", "javascript:alert(1)"):
        answer = server.post("/v1/connect/sessions", json={
            "owner": owner, "integration": "slack", "redirect": redirect})
        assert answer.status_code == 400, redirect
        assert answer.json()["error"]["code"] == "INVALID_REQUEST"


def test_a_token_is_given_to_who_may_have_it(server, key, owner):
    connect_slack(server, owner)
    path = f"/v1/connections/{connection_of(server, 'slack', owner)['id']}/token"
    token = server.get(path).json()
    assert token["access_token"].startswith("xox") and token["token_type"]
    assert "expires_at" in token
    assert server.get(path, key=key).status_code == 403
    allowed = server.create_key("reads tokens", "tokens")
    assert server.get(path, key=allowed).json()["access_token"] == token["access_token"]


def test_an_expired_token_is_refreshed_unnoticed(server, key, owner, sandbox):
    connect_slack(server, owner)
    path = f"/v1/connections/{connection_of(server, 'slack', owner)['id']}"
    before = server.get(f"{path}/token").json()["access_token"]
    sandbox.fault("slack", "expire_tokens")
    assert server.post(f"/v1/proxy/slack:{owner}/api/auth.test", key=key).json()["ok"] is True
    assert server.get(f"{path}/token").json()["access_token"] != before
    assert server.get(path).json()["last_refreshed_at"]


def test_many_calls_that_meet_an_expired_token_share_one_refresh(server, key, owner, sandbox):
    connect_slack(server, owner)
    sandbox.fault("slack", "expire_tokens")
    before = sandbox.state("slack")["refreshes"]

    def call(_):
        return server.post(f"/v1/proxy/slack:{owner}/api/auth.test", key=key).json()["ok"]

    with ThreadPoolExecutor(50) as pool:
        assert all(pool.map(call, range(50)))
    assert sandbox.state("slack")["refreshes"] == before + 1


def test_a_revoked_grant_asks_for_its_person(server, key, owner, sandbox):
    connect_slack(server, owner)
    sandbox.fault("slack", "revoke")
    answer = server.post(
        f"/v1/proxy/slack:{owner}/api/auth.test", key=key, headers={"fairlead-errors": "plain"})
    assert answer.status_code == 424 and answer.json()["error"]["code"] == "NEEDS_REAUTH"
    assert connection_of(server, "slack", owner)["state"] == "needs_reauth"
    sandbox.clear_faults()
    connect_slack(server, owner)
    assert connection_of(server, "slack", owner)["state"] == "active"
    assert server.post(f"/v1/proxy/slack:{owner}/api/auth.test", key=key).json()["ok"] is True


def test_disconnecting_revokes_and_deletes(server, key, owner):
    connect_slack(server, owner)
    path = f"/v1/connections/{connection_of(server, 'slack', owner)['id']}"
    answer = server.delete(path)
    assert answer.status_code == 200 and answer.json()["revoked_at_provider"] is True
    assert answer.json()["message"]
    assert server.get(path).status_code == 404
    assert server.post(f"/v1/proxy/slack:{owner}/api/auth.test", key=key).status_code == 404
