"""The official Slack SDK, its base URL pointed at one owner's connection."""

import uuid

import pytest
from harness.sandbox import header, objects_in
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError


@pytest.fixture
def client(server, key, slack_owner):
    return WebClient(token=key, base_url=server.proxy(f"slack:{slack_owner}/api/"))


@pytest.fixture
def channel():
    return "#general"


@pytest.fixture
def text():
    return f"Hello {uuid.uuid4().hex}"


def stored(sandbox, text):
    return [
        message for message in objects_in(sandbox.state("slack"))
        if message.get("text") == text and "ts" in message
    ]


def timestamps(messages):
    return {message["ts"] for message in messages}


def test_auth_test_says_whose_account_it_is(client, server, slack_owner):
    answer = client.auth_test()
    assert answer["ok"] and answer["team_id"] and answer["user_id"]


def test_a_message_is_stored_once_as_it_was_sent(client, channel, sandbox, text):
    answer = client.chat_postMessage(channel=channel, text=text)
    assert answer["message"]["text"] == text
    assert timestamps(stored(sandbox, text)) == {answer["ts"]}


def test_pages_of_conversations_follow_the_cursor_to_its_end(client):
    whole = [one["id"] for one in client.conversations_list(limit=999)["channels"]]
    paged = []
    for page in client.conversations_list(limit=1):
        paged += [one["id"] for one in page["channels"]]
        assert len(page["channels"]) <= 1
    assert len(whole) > 1 and paged == whole


def test_slack_s_own_no_is_the_sdk_s_own_error(client, text):
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel="C0NOTHERE", text=text)
    assert caught.value.response["error"] == "channel_not_found"
    assert caught.value.response.status_code == 200
    headers = {name.lower(): value for name, value in caught.value.response.headers.items()}
    assert headers["fairlead-error-code"] in ("NOT_FOUND", "INVALID_REQUEST")
    assert headers["x-should-retry"] == "false"


@pytest.mark.parametrize("fault", [
    {"kind": "rate_limit", "retry_after": 1},
    {"kind": "rate_limit", "status": 200, "code": "ratelimited", "retry_after": 1},
    # Its definition says of this one that nothing was done.
    {"kind": "server_error", "status": 503},
], ids=["429", "a no in a 200", "503"])
def test_a_passing_fault_is_not_noticed_and_doubles_nothing(client, channel, sandbox, text, fault):
    match = {"method": "POST", "path": "/api/chat.postMessage"}
    before = len(sandbox.requests("slack", "/api/chat.postMessage"))
    sandbox.fault("slack", times=1, match=match, **fault)
    answer = client.chat_postMessage(channel=channel, text=text)
    assert timestamps(stored(sandbox, text)) == {answer["ts"]}
    assert len(sandbox.requests("slack", "/api/chat.postMessage")) == before + 2


def test_a_failure_that_may_have_posted_is_not_repeated(client, channel, sandbox, text):
    """Slack's `internal_error` may come after part of the work."""
    before = len(sandbox.requests("slack", "/api/chat.postMessage"))
    sandbox.fault("slack", "server_error", times=1, status=200, code="internal_error",
                  match={"path": "/api/chat.postMessage"})
    with pytest.raises(SlackApiError):
        client.chat_postMessage(channel=channel, text=text)
    assert len(sandbox.requests("slack", "/api/chat.postMessage")) == before + 1


def test_commit_then_drop_is_an_unknown_outcome_and_never_a_second_message(
    client, channel, sandbox, text
):
    sandbox.fault("slack", "drop_after_commit", times=1, match={"path": "/api/chat.postMessage"})
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=channel, text=text)
    response = caught.value.response
    headers = {name.lower(): value for name, value in response.headers.items()}
    assert response.status_code == 424
    assert headers["fairlead-error-code"] == "OUTCOME_UNKNOWN"
    assert headers["x-should-retry"] == "false"
    assert response.data["error"]["code"] == "OUTCOME_UNKNOWN"
    assert response.data["error"]["retryable"] is False
    assert len(timestamps(stored(sandbox, text))) == 1


def test_the_owner_s_token_is_used_and_our_key_stays_here(client, key, sandbox, server, slack_owner):
    client.auth_test()
    entry = sandbox.requests("slack", "/api/auth.test")[-1]
    assert header(entry, "authorization").startswith("Bearer xox")
    assert key not in str(entry)


def test_an_unknown_owner_is_not_found(server, key):
    client = WebClient(token=key, base_url=server.proxy("slack:nobody/api/"))
    with pytest.raises(SlackApiError) as caught:
        client.auth_test()
    assert caught.value.response.status_code == 404
    assert caught.value.response.data["error"]["code"] == "NOT_FOUND"
