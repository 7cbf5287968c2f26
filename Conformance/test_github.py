"""The official GitHub SDK for Python, its base URL pointed at one owner's connection. It follows the
addresses in GitHub's answers, and refuses those that are not below its base URL."""

import hashlib
import hmac
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from conftest import APPLICATION, connection_of
from github import Auth, Github, GithubException, RateLimitExceededException, UnknownObjectException
from harness.browser import Browser
from harness.deployment import INTEGRATIONS, Server
from harness.sandbox import header
from harness.waiting import eventually

REPOSITORY = "octavia/hello-world"
SECRET = INTEGRATIONS["GITHUB_WEBHOOK_SECRET"]


def connect(server, owner):
    """Walks the hosted page, the consent and the callback as a browser does. The browser."""
    answer = server.post("/v1/connect/sessions", json={
        "owner": owner, "integration": "github", "redirect": f"{APPLICATION}/done",
    })
    assert answer.status_code in (200, 201), answer.text
    browser = Browser(leaves_at=APPLICATION)
    browser.open(answer.json()["url"])
    browser.press("connect github", "connect", "github")
    if not browser.left_to:
        browser.press("approve")
    return browser


def settings(sandbox, **values):
    answer = requests.post(f"{sandbox.url}/_sandbox/github/settings", json=values, timeout=10)
    assert answer.ok, answer.text


@pytest.fixture(scope="module")
def github_owner(server):
    owner = f"user_{uuid.uuid4().hex[:8]}"
    connect(server, owner)
    return owner


@pytest.fixture
def base(server, github_owner):
    return server.proxy(f"github:{github_owner}")


@pytest.fixture
def client(base, key):
    # The SDK's own retries and pauses are off, so that what is seen is what Fairlead did.
    client = Github(
        base_url=base, auth=Auth.Token(key), retry=None, seconds_between_requests=0,
        seconds_between_writes=0, per_page=100)
    yield client
    client.close()


def arrived(sandbox, path=None, method=None):
    return [
        entry for entry in sandbox.requests("github", path) if method in (None, entry["method"])
    ]


def issue_state(sandbox, number):
    repositories = sandbox.state("github")["repositories"]
    issues = next(one["issues"] for one in repositories if one["full_name"] == REPOSITORY)
    return next(one for one in issues if one["number"] == number)


def test_the_account_is_connected_with_what_was_granted(server, github_owner, sandbox):
    connection = connection_of(server, "github", github_owner)
    assert connection["state"] == "active"
    assert connection["scopes"] == ["read:user", "repo"], "granted with commas, kept apart"
    assert connection["identity"]["label"] == "octavia"
    asked = parse_qs(arrived(sandbox, "/login/oauth/authorize")[0]["query"])
    assert asked["scope"] == ["read:user repo"] and asked["code_challenge_method"] == ["S256"]


def test_get_user(client, base, sandbox, key):
    user = client.get_user()
    assert user.login == "octavia" and user.id > 0
    assert user.url.startswith(base)
    entry = arrived(sandbox, "/user")[-1]
    assert header(entry, "authorization").startswith("Bearer gho_")
    assert key not in str(entry)


def test_an_issue_is_created_read_back_and_changed_by_its_own_address(client, base, sandbox):
    repository = client.get_repo(REPOSITORY)
    title = f"It breaks {uuid.uuid4().hex}"
    # What people write is not touched, whatever it looks like.
    text = f"{sandbox.url}/github/user is down"
    made = repository.create_issue(title, body=text, labels=["bug"])
    read = repository.get_issue(made.number)
    assert (read.title, read.body) == (title, text) and read.url == made.url
    assert read.url == f"{base}/repos/{REPOSITORY}/issues/{made.number}"
    assert read.html_url.startswith("https://github.com/"), "addresses elsewhere stay"
    comment = read.create_comment("Me too")
    comment.edit("Not me")
    read.edit(state="closed")
    assert repository.get_issue(made.number).state == "closed"
    assert [one.body for one in read.get_comments()] == ["Not me"]
    stored = issue_state(sandbox, made.number)
    assert stored["state"] == "closed" and stored["body"] == text
    assert [one["body"] for one in stored["comments"]] == ["Not me"]


def test_pages_are_followed_through_the_proxy_and_nowhere_else(client, base, sandbox, server):
    for count in (100, 60):
        sandbox.send_event(
            "github", type=["issues.opened"] * count, to=f"{server.url}/webhooks/github",
            concurrent=True)
    before = len(arrived(sandbox))
    issues = client.get_repo(REPOSITORY).get_issues(state="all", direction="asc")
    numbers = [issue.number for issue in issues]
    assert len(numbers) > 160 and numbers == list(range(1, len(numbers) + 1))
    entries = arrived(sandbox)[before:]
    pages = [entry for entry in entries if entry["path"].endswith("/issues")]
    assert len(pages) == -(-len(numbers) // 100)
    assert pages[1]["path"].startswith("/repositories/"), "the way GitHub's own links go"
    # A request that went around us would carry the Fairlead key instead of the owner's token.
    assert all(header(entry, "authorization").startswith("Bearer gho_") for entry in entries)
    assert all(issue.url.startswith(f"{base}/") for issue in issues)


def test_no_address_leaves_the_base(client, base):
    """Every address of the API in an answer is below the SDK's base URL."""
    raw = client.get_repo(REPOSITORY).get_issue(1).raw_data
    for name, value in raw.items():
        if name == "url" or (name.endswith("_url") and name not in ("html_url", "avatar_url")):
            assert urlsplit(value).path.startswith(urlsplit(base).path), (name, value)


def test_link_headers_lead_through_the_name_that_was_called(server, key, github_owner):
    path = f"/v1/proxy/github:{github_owner}/repos/{REPOSITORY}/issues?per_page=1"
    answer = server.get(path, key=key)
    following = answer.links["next"]["url"]
    assert following.startswith(f"{server.url}/v1/proxy/github:{github_owner}/repositories/")
    assert requests.get(
        following, headers={"Authorization": f"token {key}"}, timeout=10).json()[0]["number"]
    # A sender may not choose where the next request, and its key, go.
    for headers in ({"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}):
        answer = server.get(path, key=key, headers=headers)
        assert answer.status_code == 200 and "evil.example" not in answer.headers["link"]
        assert "evil.example" not in answer.text


def test_what_has_not_changed_is_not_sent_again(server, key, github_owner):
    path = f"/v1/proxy/github:{github_owner}/repos/{REPOSITORY}"
    tag = server.get(path, key=key).headers["etag"]
    assert tag.startswith("W/"), "its addresses are not the provider's bytes any more"
    assert server.get(path, key=key, headers={"If-None-Match": tag}).status_code == 304


def test_github_s_own_no_is_the_sdk_s_own_error(client):
    with pytest.raises(UnknownObjectException) as caught:
        client.get_repo("octavia/nothing-here").id
    assert caught.value.headers["fairlead-error-code"] == "NOT_FOUND"
    with pytest.raises(GithubException) as caught:
        client.get_repo(REPOSITORY).create_issue("")
    assert caught.value.status == 422 and caught.value.data["message"] == "Validation Failed"
    assert caught.value.headers["x-should-retry"] == "false"


def test_the_hourly_limit_is_waited_for(client, sandbox):
    before = len(arrived(sandbox, "/user"))
    sandbox.fault("github", "rate_limit", times=1, retry_after=1, match={"path": "/user"})
    assert client.get_user().login == "octavia"
    assert len(arrived(sandbox, "/user")) == before + 2


def test_a_secondary_limit_is_not_run_against(client, sandbox):
    before = len(arrived(sandbox, "/user"))
    sandbox.fault("github", "rate_limit", code="secondary", times=2, retry_after=90,
                  match={"path": "/user"})
    with pytest.raises(RateLimitExceededException) as caught:
        client.get_user().login
    assert caught.value.headers["fairlead-error-code"] == "RATE_LIMIT_EXCEEDED"
    assert len(arrived(sandbox, "/user")) == before + 1


def test_a_failure_that_may_have_written_is_not_repeated(server, key, sandbox):
    # An owner of its own: the limit above still holds the other one back.
    owner = f"user_{uuid.uuid4().hex[:8]}"
    connect(server, owner)
    client = Github(base_url=server.proxy(f"github:{owner}"), auth=Auth.Token(key), retry=None,
                    seconds_between_requests=0, seconds_between_writes=0)
    repository = client.get_repo(REPOSITORY)
    title = f"Once {uuid.uuid4().hex}"
    sandbox.fault("github", "drop_after_commit", times=1, match={"method": "POST"})
    with pytest.raises(GithubException) as caught:
        repository.create_issue(title)
    assert caught.value.headers["fairlead-error-code"] == "OUTCOME_UNKNOWN"
    assert [one.title for one in repository.get_issues()].count(title) == 1


def test_an_app_s_token_is_renewed_and_its_end_told_to_github(server, key, sandbox):
    owner = f"user_{uuid.uuid4().hex[:8]}"
    settings(sandbox, expiring_tokens=True)
    try:
        connect(server, owner)
    finally:
        settings(sandbox, expiring_tokens=False)
    client = Github(base_url=server.proxy(f"github:{owner}"), auth=Auth.Token(key), retry=None)
    assert client.get_user().login == "octavia"
    connection = connection_of(server, "github", owner)
    assert connection["expires_at"]
    sandbox.fault("github", "expire_tokens")
    assert client.get_user().login == "octavia"
    assert header(arrived(sandbox, "/user")[-1], "authorization").startswith("Bearer ghu_")
    assert sandbox.state("github")["refreshes"] >= 1
    revocations = sandbox.state("github")["revocations"]
    answer = server.delete(f"/v1/connections/{connection['id']}")
    assert answer.status_code == 200 and answer.json()["revoked_at_provider"] is True, answer.text
    assert sandbox.state("github")["revocations"] == revocations + 1
    gone = arrived(sandbox, method="DELETE")[-1]
    assert gone["path"] == f"/applications/{INTEGRATIONS['GITHUB_CLIENT_ID']}/token"
    assert header(gone, "authorization").startswith("Basic ")


def deliver(server, body, secret=SECRET, event="issues", **headers):
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return requests.post(f"{server.url}/webhooks/github", data=body, timeout=10, headers={
        "X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Event": event,
        "X-GitHub-Delivery": str(uuid.uuid4()), "Content-Type": "application/json",
    } | headers)


def test_an_event_of_the_sandbox_is_verified_named_and_whose_it_is(server, sandbox, github_owner):
    sent = sandbox.send_event(
        "github", type="issues.closed", to=f"{server.url}/webhooks/github")
    assert sent["deliveries"][0]["status"] == 200, sent
    delivery = sent["events"][0]["id"]

    def look():
        events = server.all_pages("/v1/events", integration="github", type="issues.closed")
        return next((one for one in events if one["provider_event_id"] == delivery), None)

    event = eventually(look, reason="the event is not there")
    assert event["type"] == "issues.closed"
    again = sandbox.send_event("github", id=delivery)
    assert '"duplicate":true' in again["deliveries"][0]["body"].replace(" ", "")
    forged = sandbox.send_event("github", id=delivery, forge=True)
    assert forged["deliveries"][0]["status"] == 401


def test_the_same_body_under_another_delivery_is_no_second_event(server):
    """The delivery's id is not signed: who replays a body may write any."""
    body = b'{"action":"opened","nonce":"%s"}' % uuid.uuid4().hex.encode()
    first, second = deliver(server, body), deliver(server, body)
    assert first.status_code == second.status_code == 200
    assert second.json() == {
        "received": True, "event_id": first.json()["event_id"], "duplicate": True}
    assert deliver(server, body, secret="wrong").status_code == 401


def test_github_s_published_signature_verifies(directory, sandbox_process):
    server = Server(
        directory / "github-vector", sandbox=sandbox_process.url,
        environment={"GITHUB_WEBHOOK_SECRET": "It's a Secret to Everybody"})
    try:
        published = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        answer = deliver(server, b"Hello, World!", **{
            "X-Hub-Signature-256": f"sha256={published}"})
        # Signed, so it is kept; no JSON, so it is kept as dead.
        assert answer.status_code == 200 and answer.json()["received"] is True
        event = server.get(f"/v1/events/{answer.json()['event_id']}").json()
        assert event["status"] == "dead"
        answer = deliver(server, b"Hello, World?", **{
            "X-Hub-Signature-256": f"sha256={published}"})
        assert answer.status_code == 401
    finally:
        server.stop()
