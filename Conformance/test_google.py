"""The official Google API client, its endpoint pointed at one owner's connection."""

import json
import uuid

import pytest
import requests
from conftest import connect, connection_of
from google.auth.exceptions import RefreshError
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from harness.waiting import eventually

CALENDAR = "https://www.googleapis.com/auth/calendar"


def person(sandbox, owner):
    """Has the consent page offer an account of the owner's own."""
    account = f"{owner}@example.com"
    sandbox.control("google/consent", decision="ask", account=account)
    return account


def client_for(server, key, owner):
    return build(
        "calendar", "v3", credentials=Credentials(token=key), cache_discovery=False,
        client_options={"api_endpoint": server.proxy(f"google:{owner}/calendar/v3/")})


@pytest.fixture
def owner(server, sandbox):
    owner = f"user_{uuid.uuid4().hex[:8]}"
    person(sandbox, owner)
    connect(server, "google", owner)
    yield owner
    sandbox.control("google/consent", decision="ask")


@pytest.fixture
def account(owner):
    return f"{owner}@example.com"


@pytest.fixture
def client(server, key, owner):
    with client_for(server, key, owner) as client:
        yield client


def meeting(summary="Planning", **more):
    return {
        "summary": summary,
        "start": {"dateTime": "2026-11-23T09:00:00+01:00"},
        "end": {"dateTime": "2026-11-23T10:00:00+01:00"},
    } | more


def reason_of(caught):
    return caught.value.error_details[0]["reason"]


def every_event(client, **query):
    """All items of a listing, page after page as the client itself pages, and its sync token."""
    items, pages = [], 0
    request = client.events().list(calendarId="primary", **query)
    while request is not None:
        page = request.execute()
        items += page["items"]
        pages += 1
        assert ("nextPageToken" in page) != ("nextSyncToken" in page)
        request = client.events().list_next(request, page)
    return items, pages, page["nextSyncToken"]


def test_the_connection_says_whose_it_is_and_what_was_granted(server, owner, account):
    connection = connection_of(server, "google", owner)
    assert connection["state"] == "active"
    assert connection["identity"]["label"] == account and connection["identity"]["id"]
    assert CALENDAR in connection["scopes"]


def test_a_person_may_grant_less_and_the_connection_knows(server, key, sandbox):
    owner = f"user_{uuid.uuid4().hex[:8]}"
    sandbox.control(
        "google/consent", decision="approve", account=f"{owner}@example.com",
        scopes=["openid", "email"])
    try:
        connect(server, "google", owner)
    finally:
        sandbox.control("google/consent", decision="ask")
    assert sorted(connection_of(server, "google", owner)["scopes"]) == ["email", "openid"]
    with client_for(server, key, owner) as client, pytest.raises(HttpError) as caught:
        client.events().list(calendarId="primary").execute()
    assert caught.value.status_code == 403 and reason_of(caught) == "insufficientPermissions"


def test_events_agree_from_insert_to_delete(client):
    made = client.events().insert(calendarId="primary", body=meeting()).execute()
    path = {"calendarId": "primary", "eventId": made["id"]}
    assert client.events().get(**path).execute() == made
    patched = client.events().patch(**path, body={"summary": "Later"}).execute()
    assert patched["summary"] == "Later" and patched["start"] == made["start"]
    updated = client.events().update(**path, body=meeting("Anew", location="Room 1")).execute()
    assert updated["location"] == "Room 1" and updated["etag"] != patched["etag"]
    assert client.events().delete(**path).execute() == ""
    with pytest.raises(HttpError) as caught:
        client.events().delete(**path).execute()
    assert caught.value.status_code == 410 and reason_of(caught) == "deleted"


def test_pages_follow_the_token_to_the_end(client, sandbox, account):
    sandbox.control("google/calendar", events=250, account=account)
    items, pages, _ = every_event(client, maxResults=100)
    assert pages == 3 and len({item["id"] for item in items}) == len(items) == 250


def test_a_sync_token_tells_what_the_person_changed_and_nothing_else(client, sandbox, account):
    sandbox.control("google/calendar", events=50, account=account)
    _, _, token = every_event(client)
    done = sandbox.control("google/calendar/edit", account=account, edits=3, deletions=1)
    items, _, token = every_event(client, syncToken=token, maxResults=2)
    assert {i["id"] for i in items} == {*done["edited"], *done["deleted"]} and len(items) == 4
    assert [i["id"] for i in items if i["status"] == "cancelled"] == done["deleted"]
    assert every_event(client, syncToken=token)[0] == []


def test_an_expired_sync_token_is_google_s_own_410(client, sandbox):
    _, _, token = every_event(client)
    sandbox.control("google/sync-tokens/expire")
    with pytest.raises(HttpError) as caught:
        every_event(client, syncToken=token)
    assert caught.value.status_code == 410 and reason_of(caught) == "fullSyncRequired"
    assert caught.value.resp["x-should-retry"] == "false"


@pytest.mark.parametrize("body,status,reason", [
    (meeting(end={"date": "2026-11-24"}), 400, "invalid"),
    (meeting(id="taken00"), 409, "duplicate"),
    ({"summary": "never"}, 400, "required"),
], ids=["mixed times", "taken id", "no times"])
def test_google_s_own_no_is_the_client_s_own_error(client, body, status, reason):
    client.events().insert(calendarId="primary", body=meeting(id="taken00")).execute()
    with pytest.raises(HttpError) as caught:
        client.events().insert(calendarId="primary", body=body).execute()
    assert caught.value.status_code == status and reason_of(caught) == reason


def test_a_stale_etag_changes_nothing(client):
    made = client.events().insert(calendarId="primary", body=meeting()).execute()
    path = {"calendarId": "primary", "eventId": made["id"]}
    client.events().patch(**path, body={"summary": "Second"}).execute()
    request = client.events().patch(**path, body={"summary": "Third"})
    request.headers["If-Match"] = made["etag"]
    with pytest.raises(HttpError) as caught:
        request.execute()
    assert caught.value.status_code == 412
    assert client.events().get(**path).execute()["summary"] == "Second"


@pytest.mark.parametrize("fault", [
    {"kind": "rate_limit"}, {"kind": "rate_limit", "status": 429, "retry_after": 1},
], ids=["a 403 that asks to slow down", "429"])
def test_a_passing_limit_is_not_noticed_and_doubles_nothing(client, sandbox, fault):
    match = {"method": "POST", "path": "/calendar/v3/calendars/primary/events"}
    sandbox.fault("google", times=1, match=match, **fault)
    summary = uuid.uuid4().hex
    client.events().insert(calendarId="primary", body=meeting(summary)).execute()
    found = client.events().list(calendarId="primary", q=summary).execute()["items"]
    assert len(found) == 1


def test_a_write_that_may_have_happened_is_not_repeated(client, sandbox):
    match = {"method": "POST", "path": "/calendar/v3/calendars/primary/events"}
    sandbox.fault("google", "drop_after_commit", times=1, match=match)
    summary = uuid.uuid4().hex
    with pytest.raises(HttpError) as caught:
        client.events().insert(calendarId="primary", body=meeting(summary)).execute(num_retries=0)
    assert caught.value.status_code == 424
    found = client.events().list(calendarId="primary", q=summary).execute()["items"]
    assert len(found) == 1


def test_tokens_are_refreshed_in_mid_course_and_the_refresh_token_kept(
        client, server, sandbox, owner):
    path = f"/v1/connections/{connection_of(server, 'google', owner)['id']}/token"
    tokens = {server.get(path).json()["access_token"]}
    # Google's refresh answers hold no refresh token: the second proves that the first was kept.
    for _ in range(2):
        sandbox.fault("google", "expire_tokens")
        client.events().list(calendarId="primary").execute()
        tokens.add(server.get(path).json()["access_token"])
    assert len(tokens) == 3 and all(token.startswith("ya29.") for token in tokens)


def test_a_revoked_grant_asks_for_its_person(client, server, sandbox, owner):
    sandbox.fault("google", "revoke")
    # Google's own 401 passes through, and makes google-auth look for a refresh token of its own.
    with pytest.raises(RefreshError):
        client.events().list(calendarId="primary").execute()
    assert connection_of(server, "google", owner)["state"] == "needs_reauth"
    connect(server, "google", owner)
    assert connection_of(server, "google", owner)["state"] == "active"
    assert client.events().list(calendarId="primary").execute()["items"] == []


def test_disconnecting_revokes_at_google(server, sandbox, owner, account):
    connection = connection_of(server, "google", owner)
    token = server.get(f"/v1/connections/{connection['id']}/token").json()["access_token"]
    answer = server.delete(f"/v1/connections/{connection['id']}").json()
    assert answer["revoked_at_provider"] is True
    info = requests.get(
        f"{sandbox.url}/google/tokeninfo", params={"access_token": token}, timeout=10)
    assert info.status_code == 400 and info.json()["error"] == "invalid_token"
    grants = [g for g in sandbox.state("google")["grants"] if g["account"] == account]
    assert grants and all(grant["revoked"] for grant in grants)


def changes_since(server, connection, cursor):
    """The change feed from a cursor to its end: what changed, and where to go on."""
    changes = []
    while True:
        answer = server.get("/v1/records/calendar_events", params={
            "connection": connection, "cursor": cursor, "limit": 200})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        changes += page["records"]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            return changes, cursor


def watch_of(sandbox, account):
    """The channel by which an account's calendar is watched, as the simulator keeps it."""
    return next(
        (c for c in sandbox.state("google")["channels"] if c["account"] == account), None)


def only_sync(server, connection):
    syncs = server.get("/v1/syncs", params={"connection": connection}).json()["data"]
    assert len(syncs) == 1
    return syncs[0]


def settled(server, connection):
    def over():
        sync = only_sync(server, connection)
        events = server.get("/v1/events", params={"connection": connection}).json()["data"]
        return (not sync["running"] and sync["last_run"]["trigger"] == "push"
                and all(event["status"] == "processed" for event in events))
    eventually(over, timeout=60, reason="runs go on")


@pytest.fixture
def watched(server, sandbox):
    """A calendar of 300 events that is synced and watched: `(account, connection, channel)`."""
    owner = f"user_{uuid.uuid4().hex[:8]}"
    account = person(sandbox, owner)
    sandbox.control("google/calendar", events=300, account=account)
    connect(server, "google", owner)
    connection = connection_of(server, "google", owner)["id"]
    eventually(
        lambda: len(changes_since(server, connection, None)[0]) == 300, timeout=60,
        reason="no first sync")
    channel = eventually(lambda: watch_of(sandbox, account), timeout=60, reason="no watch")
    yield account, connection, channel
    sandbox.control("google/consent", decision="ask")


def test_a_notification_brings_exactly_what_changed(server, sandbox, watched):
    account, connection, channel = watched
    # What the watch's own first message starts has to be over.
    settled(server, connection)
    _, cursor = changes_since(server, connection, None)
    done = sandbox.control("google/calendar/edit", account=account, edits=3, deletions=1)
    assert [told["status"] for told in done["notifications"]] == [200]
    changes = eventually(
        lambda: (found := changes_since(server, connection, cursor)[0]) and len(found) >= 4
        and found, timeout=30, reason="not the four changes")
    assert sorted((c["id"], c["change"]) for c in changes) == sorted(
        [(i, "updated") for i in done["edited"]] + [(i, "deleted") for i in done["deleted"]])
    sync = only_sync(server, connection)
    assert sync["real_time"] is True and sync["last_run"]["trigger"] == "push"
    assert sync["last_run"]["kind"] == "incremental"
    events = server.get("/v1/events", params={"connection": connection}).json()["data"]
    assert {event["type"] for event in events} <= {"sync", "exists"}
    assert all(event["status"] == "processed" for event in events)


def test_a_notification_with_a_wrong_token_is_refused_and_nothing_is_stored(
        server, sandbox, watched):
    _, connection, channel = watched
    settled(server, connection)
    before = server.get("/v1/events", params={"connection": connection}).json()["data"]
    sent = sandbox.send_event("google", type="exists", forge=True, data={"channel": channel["id"]})
    assert [delivery["status"] for delivery in sent["deliveries"]] == [401]
    stranger = requests.post(f"{server.url}/webhooks/google", timeout=10, headers={
        "x-goog-channel-id": "chan_nobody", "x-goog-channel-token": "x",
        "x-goog-resource-id": channel["resource_id"], "x-goog-resource-state": "exists",
        "x-goog-message-number": "9"})
    assert stranger.status_code == 401
    assert server.get("/v1/events", params={"connection": connection}).json()["data"] == before


def test_the_same_notification_again_is_a_duplicate(server, sandbox, watched):
    _, _, channel = watched
    sent = sandbox.send_event("google", type="exists", data={"channel": channel["id"]})
    again = sandbox.send_event("google", id=sent["events"][0]["id"])
    first, second = (json.loads(s["deliveries"][0]["body"]) for s in (sent, again))
    assert second["duplicate"] is True and second["event_id"] == first["event_id"]


def test_an_expired_sync_token_is_met_by_a_full_run_that_deletes_nothing(
        server, sandbox, watched):
    account, connection, _ = watched
    settled(server, connection)
    _, cursor = changes_since(server, connection, None)
    sandbox.control("google/sync-tokens/expire")
    done = sandbox.control("google/calendar/edit", account=account, edits=1)
    changes = eventually(
        lambda: changes_since(server, connection, cursor)[0], timeout=30, reason="no change")
    assert [(c["id"], c["change"]) for c in changes] == [(done["edited"][0], "updated")]
    eventually(lambda: not only_sync(server, connection)["running"], timeout=30)
    assert only_sync(server, connection)["records"] == 300


def test_a_disconnect_stops_the_watch_first(server, sandbox, watched):
    account, connection, _ = watched
    assert [c for c in sandbox.state("google")["channels"] if c["account"] == account]
    assert server.delete(f"/v1/connections/{connection}").ok
    assert not [c for c in sandbox.state("google")["channels"] if c["account"] == account]
