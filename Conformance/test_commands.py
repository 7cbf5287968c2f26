"""The commands that talk to a server: tables for people, the API's own JSON for scripts, one line
when something is wrong."""

import json
import os
import pty
import subprocess
import uuid

import pytest
from conftest import connect, connect_slack
from harness.deployment import (
    ADMIN_KEY, BINARY, INTEGRATIONS, clean_environment, free_port, generate_vault_key, run_fairlead,
)
from harness.fake_api import FakeAPI
from harness.waiting import eventually


@pytest.fixture
def cli(server, tmp_path):
    """Runs a command against the shared server, from a folder without any configuration."""
    def run(*arguments, code=0, stdin=None, key=ADMIN_KEY, url=None, environment=None):
        done = subprocess.run(
            [str(BINARY), *map(str, arguments)], cwd=tmp_path,
            env=clean_environment(
                HOME=tmp_path, **({"FAIRLEAD_ADMIN_KEY": key} if key else {}), **(environment or {})),
            input=stdin, stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done
        return done

    def to_server(*arguments, **options):
        return run(*arguments, "--url", options.pop("url", None) or server.url, **options)

    to_server.bare = run
    return to_server


def one_line(run):
    lines = [line for line in run.stderr.splitlines() if line.strip()]
    assert len(lines) == 1 and lines[0].startswith("fairlead: "), run
    return lines[0]


# --- which server, which key -----------------------------------------------------------------------


LISTS = ["connections", "events", "deliveries"]


@pytest.mark.parametrize("name", LISTS)
def test_lists_print_what_the_api_answered(server, cli, name):
    answered = server.get(f"/v1/{name}", params={"limit": 2}).text
    assert cli(name, "--json", "--limit", 2).stdout == answered + "\n"
    assert cli(name, "list", "--json", "--limit", 2).stdout == answered + "\n"


def test_nobody_there_is_one_line_that_says_how_to_start(cli):
    url = f"http://127.0.0.1:{free_port()}"
    for command in (["status"], ["connections"], ["call", "stripe", "GET", "/v1/customers"]):
        run = cli(*command, url=url, code=1)
        assert "fairlead serve" in one_line(run) and url in run.stderr and run.stdout == ""


def test_a_wrong_key_and_no_key_are_one_line(cli):
    assert "does not know this key" in one_line(cli("status", key="fl_wrong_0123456789", code=1))
    assert "FAIRLEAD_ADMIN_KEY" in one_line(cli("status", key=None, code=1))


def test_a_key_comes_from_a_file_or_standard_input(server, cli, tmp_path):
    (tmp_path / "key").write_text(ADMIN_KEY + "\n")
    assert "stripe" in cli("status", "--key-file", tmp_path / "key", key=None).stdout
    assert "stripe" in cli("status", "--key-file", "-", key=None, stdin=ADMIN_KEY).stdout
    assert one_line(cli("status", "--key-file", tmp_path / "nope", key=None, code=1))


def test_the_folders_configuration_names_server_and_key(server, tmp_path):
    port = server.url.rsplit(":", 1)[1]
    (tmp_path / ".env").write_text(f"FAIRLEAD_ADMIN_KEY={ADMIN_KEY}\nFAIRLEAD_PORT={port}\n")
    run = run_fairlead("status", "--json", directory=tmp_path)
    assert run.returncode == 0 and "integrations" in json.loads(run.stdout), run


def test_the_key_is_not_sent_in_the_clear(cli):
    assert "https" in one_line(cli("status", url="http://fairlead.example.com", code=1))


def test_something_else_than_fairlead_is_told(cli):
    api = FakeAPI()
    api.answer("GET", "/v1/health", (200, [1, 2]))
    assert "not as a Fairlead server does" in one_line(cli("status", url=api.url, code=1))
    api.answer("GET", "/v1/health", (500, b"<html>"))
    assert "not as a Fairlead server does" in one_line(cli("status", url=api.url, code=1))
    api.close()


@pytest.mark.parametrize("arguments", [
    ["connections", "--limit", "0"], ["connections", "--bogus"], ["call", "stripe", "FETCH", "/"],
    ["call", "stripe", "POST", "/", "--json", "{}", "--form", "a=b"], ["connect", "slack"],
    ["connections", "add", "stripe", "--owner", "u"], ["webhook", "send", "stripe"],
    ["syncs", "run", "sync_1", "--full", "--incremental"], ["records"],
    ["call", "stripe", "GET", "/", "--header", "a: b\nc: d"], ["doctor", "extra"],
    ["events", "replay"], ["connections", "--key", "a", "--key-file", "b"],
], ids=" ".join)
def test_wrong_usage_is_64(cli, arguments):
    run = cli.bare(*arguments, code=64)
    assert "usage" in run.stderr.lower() and run.stdout == ""


# --- connections -----------------------------------------------------------------------------------


def test_connections_from_link_to_disconnect(server, cli):
    owner = f"cli_{uuid.uuid4().hex[:8]}"
    assert "fairlead connect" in cli("connections", "--owner", owner).stdout, "an empty list helps"
    connect_slack(server, owner)
    table = cli("connections", "--owner", owner).stdout.splitlines()
    assert table[0].split()[:3] == ["id", "integration", "owner"] and "state" in table[0]
    assert len(table) == 2 and owner in table[1] and "active" in table[1]
    assert "\x1b" not in "".join(table), "no colour in a pipe"
    connection = table[1].split()[0]
    shown = json.loads(cli("connections", "show", connection, "--json").stdout)
    assert shown["id"] == connection and shown["owner"] == owner
    people = cli("connections", "show", connection).stdout
    assert connection in people and "scopes" in people
    gone = cli("connections", "disconnect", connection).stdout
    assert "Disconnected" in gone
    assert one_line(cli("connections", "show", connection, code=1))


def test_pages_follow_one_another(server, cli):
    owner = f"pages_{uuid.uuid4().hex[:8]}"
    for _ in range(3):
        server.connect_with_key("stripe", owner, "sk_test_fairlead_sandbox")
    everything = server.get("/v1/connections").json()["data"]
    first = cli("connections", "--limit", 1)
    assert "--cursor" in first.stderr and len(first.stdout.splitlines()) == 2
    cursor = first.stderr.split("--cursor ")[1].strip()
    second = json.loads(cli("connections", "--limit", 1, "--cursor", cursor, "--json").stdout)
    assert second["data"][0]["id"] == everything[1]["id"]
    whole = json.loads(cli("connections", "--limit", 1, "--all", "--json").stdout)
    assert whole["data"] == everything and whole["next_cursor"] is None


def test_an_api_key_connects_at_once_and_is_no_argument(server, cli):
    owner = f"key_{uuid.uuid4().hex[:8]}"
    for command in (["connect", "stripe"], ["connections", "add", "stripe"]):
        run = cli(*command, "--owner", owner, "--api-key-stdin", stdin="sk_test_fairlead_sandbox\n")
        assert "Connected stripe" in run.stdout and "sk_test" not in run.stdout + run.stderr
    refused = cli("connect", "stripe", "--owner", owner, "--api-key-stdin", stdin="sk_test_no",
                  code=1)
    assert "refused" in one_line(refused) and "sk_test_no" not in refused.stderr
    assert one_line(cli("connect", "stripe", "--owner", owner, "--api-key-stdin", stdin="", code=1))


def test_connect_prints_a_link_and_waits_until_it_was_used(server, tmp_path):
    owner = f"wait_{uuid.uuid4().hex[:8]}"
    waiting = subprocess.Popen(
        [str(BINARY), "connect", "slack", "--owner", owner, "--url", server.url], cwd=tmp_path,
        env=clean_environment(HOME=tmp_path, FAIRLEAD_ADMIN_KEY=ADMIN_KEY),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        link = waiting.stdout.readline().strip()
        assert link.startswith("http") and "/connect/" in link
        connect_slack(server, owner)
        out, _ = waiting.communicate(timeout=20)
        assert waiting.returncode == 0 and "Connected slack" in out and owner in out
    finally:
        waiting.kill()


def test_sandbox_takes_a_url_or_none(server, cli, sandbox_process):
    to = ["--to", f"{server.url}/webhooks/stripe"]
    for option in (["--sandbox"], ["--sandbox", sandbox_process.url],
                   [f"--sandbox={sandbox_process.url}"]):
        assert "200" in cli.bare("webhook", "send", "stripe", "invoice.paid", *to, *option).stdout


def test_connect_without_waiting(cli):
    run = cli("connect", "slack", "--owner", "u1", "--no-wait")
    assert run.stdout.count("\n") == 1 and "/connect/" in run.stdout
    made = json.loads(cli("connect", "slack", "--owner", "u1", "--json").stdout)
    assert set(made) >= {"url", "expires_at"}
    assert "nowhere" in one_line(cli("connect", "nowhere", "--owner", "u1", code=1))


# --- calls -----------------------------------------------------------------------------------------


def test_call_prints_the_providers_answer(cli):
    made = cli("call", "stripe", "post", "/v1/customers", "--form", "email=a@b.example",
               "--form", "name=Zoë & Co")
    customer = json.loads(made.stdout)
    assert customer["email"] == "a@b.example" and customer["name"] == "Zoë & Co"
    read = cli("call", "stripe", "GET", f"v1/customers/{customer['id']}", "--include")
    assert json.loads(read.stdout) == customer and "HTTP 200" in read.stderr
    assert ADMIN_KEY not in read.stderr


def test_call_with_json_a_file_and_headers(sandbox, cli, tmp_path):
    (tmp_path / "body.json").write_text('{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}')
    run = cli("call", "openai", "POST", "/v1/chat/completions", "--json", "@body.json",
              "--header", "x-test: one", "--header", "X-Test: two")
    assert json.loads(run.stdout)["object"] == "chat.completion"
    assert one_line(cli("call", "openai", "POST", "/v1/x", "--json", "{nope", code=1))
    assert one_line(cli("call", "openai", "POST", "/v1/x", "--json", "@missing.json", code=1))


def test_a_call_that_fails_exits_1_and_says_why(cli):
    run = cli("call", "stripe", "GET", "/v1/customers/cus_nobody", code=1)
    assert "resource_missing" in run.stdout, "the provider's own answer is there"
    assert "404" in one_line(run)
    assert one_line(cli("call", "nowhere", "GET", "/", code=1))
    assert one_line(cli("call", "slack:no/such owner", "GET", "/api/auth.test", code=1))


# --- events ----------------------------------------------------------------------------------------


def test_a_test_event_is_taken_for_a_genuine_one(server, cli):
    env = {name: INTEGRATIONS[name] for name in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET",
           "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_SIGNING_SECRET", "OPENAI_API_KEY")}

    def send(*arguments, **options):
        return cli.bare("webhook", "send", *arguments, environment=env, **options)

    sent = json.loads(send("stripe", "payment_intent.succeeded", "--data", '{"amount": 4200}',
                           "--to", f"{server.url}/webhooks/stripe", "--json").stdout)
    assert sent["status"] == 200 and sent["answer"]["received"] is True
    event = sent["answer"]["event_id"]
    shown = json.loads(cli("events", "show", event, "--json").stdout)
    assert shown["type"] == "payment_intent.succeeded"
    assert shown["payload"]["data"]["object"]["amount"] == 4200
    assert shown["provider_event_id"] == sent["id"]
    people = cli("events", "show", event).stdout
    assert "Payload" in people and "4200" in people
    eventually(lambda: json.loads(cli("events", "show", event, "--json").stdout)["status"]
               == "processed")
    replayed = cli("events", "replay", event)
    assert event in replayed.stdout
    table = cli("events", "--type", "payment_intent.succeeded").stdout
    assert table.splitlines()[0].split()[:3] == ["id", "integration", "type"] and event in table

    slack = send("slack", "app_mention", "--to", f"{server.url}/webhooks/slack")
    assert slack.stdout.startswith("Sent app_mention") and "200" in slack.stdout
    raw = send("stripe", "a.b", "--body", '{"id":"evt_raw","type":"a.b"}',
               "--to", f"{server.url}/webhooks/stripe")
    assert "received" in raw.stdout


@pytest.mark.parametrize("integration, type, seen", [
    ("github", "issues.opened", "issues.opened"), ("github", "push", "push"),
    ("clerk", "user.created", "user.created"),
])
def test_every_scheme_is_signed_as_its_provider_does(server, cli, integration, type, seen):
    sent = json.loads(cli.bare(
        "webhook", "send", integration, type, "--to", f"{server.url}/webhooks/{integration}",
        "--sandbox", "--json").stdout)
    assert sent["status"] == 200, sent
    event = server.get(f"/v1/events/{sent['answer']['event_id']}").json()
    assert event["integration"] == integration and event["type"] == seen


def test_pushes_to_channels_are_left_to_the_sandbox(cli):
    run = cli.bare("webhook", "send", "google", "exists", "--sandbox", code=1)
    assert "sandbox" in one_line(run) and "channels" in run.stderr


def test_a_test_event_that_is_refused(server, cli, tmp_path):
    env = {"STRIPE_SECRET_KEY": "sk_test_x", "STRIPE_WEBHOOK_SECRET": "whsec_another"}
    to = ["--to", f"{server.url}/webhooks/stripe"]
    run = cli.bare("webhook", "send", "stripe", "invoice.paid", *to, environment=env, code=1)
    assert "400" in run.stdout and "not taken" in one_line(run)
    ok = cli.bare(
        "webhook", "send", "stripe", "invoice.paid", *to, "--secret-from", "OTHER",
        environment=env | {"OTHER": INTEGRATIONS["STRIPE_WEBHOOK_SECRET"]})
    assert "200" in ok.stdout
    sandboxed = cli.bare("webhook", "send", "stripe", "invoice.paid", *to, "--sandbox")
    assert "200" in sandboxed.stdout
    for bad, word in [
        (["nowhere", "x"], "no integration"), (["openai", "x"], "webhook secret"),
        (["stripe", "x", "--to", "nonsense"], "--to"), (["stripe", "x", "--data", "[]"], "--data"),
        (["stripe", "x", "--secret-from", "UNSET_VARIABLE"], "UNSET_VARIABLE"),
        (["stripe", "x", "--to", f"http://127.0.0.1:{free_port()}/x"], "fairlead serve"),
    ]:
        run = cli.bare("webhook", "send", *bad, environment=env | {"OPENAI_API_KEY": "sk-x"}, code=1)
        assert word in one_line(run), run
    none = cli.bare("webhook", "send", "stripe", "x", environment={"STRIPE_SECRET_KEY": "sk_test_x"},
                    code=1)
    assert "webhook secret" in one_line(none)


def test_deliveries_have_a_table(server, cli, destination, receiver):
    env = {"STRIPE_SECRET_KEY": "sk_test_x",
           "STRIPE_WEBHOOK_SECRET": INTEGRATIONS["STRIPE_WEBHOOK_SECRET"]}
    sent = json.loads(cli.bare(
        "webhook", "send", "stripe", "customer.created", "--to", f"{server.url}/webhooks/stripe",
        "--json", environment=env).stdout)
    event = sent["answer"]["event_id"]
    eventually(lambda: "succeeded" in cli("deliveries", "--event", event).stdout)
    table = cli("deliveries", "--event", event).stdout.splitlines()
    assert table[0].split()[:4] == ["id", "event", "to", "status"] and len(table) == 2


# --- health ----------------------------------------------------------------------------------------


def test_status_shows_every_integration(server, cli):
    table = cli("status").stdout
    assert "ready" in table.splitlines()[0]
    for name in ("slack", "stripe", "openai"):
        assert name in table
    assert {one["integration"] for one in json.loads(cli("status", "--json").stdout)["integrations"]} \
        == {one["integration"] for one in server.get("/v1/health").json()["integrations"]}


def test_a_calendar_from_sync_to_change_feed(server, sandbox, cli):
    owner = f"sync_{uuid.uuid4().hex[:8]}"
    sandbox.control("google/consent", decision="ask", account=f"{owner}@example.com")
    try:
        connect(server, "google", owner)
    finally:
        sandbox.control("google/consent", decision="ask")
    made = cli("call", f"google:{owner}", "POST", "/calendar/v3/calendars/primary/events", "--json", json.dumps({
        "summary": "Planning", "start": {"dateTime": "2026-11-23T09:00:00Z"},
        "end": {"dateTime": "2026-11-23T10:00:00Z"}}))
    event = json.loads(made.stdout)["id"]
    listed = eventually(lambda: json.loads(cli("syncs", "--owner", owner, "--json").stdout)["data"])
    sync = listed[0]["id"]
    assert "google" in cli("syncs", "--owner", owner).stdout
    run = cli("syncs", "run", sync, "--full", "--follow")
    assert run.stdout.startswith("Synced google"), run
    connection = listed[0]["connection"]
    feed = cli("records", listed[0]["model"], "--connection", connection, "--all")
    assert event in feed.stdout and "added" in feed.stdout and "Planning" in feed.stdout
    assert "Paused" in cli("syncs", "pause", sync).stdout
    assert "paused" in cli("syncs", "show", sync).stdout
    assert "Resumed" in cli("syncs", "resume", sync).stdout
    assert "Reset" in cli("syncs", "reset", sync).stdout


def test_alerts_of_a_real_server(server, cli):
    assert cli("alerts", "--json").stdout == server.get("/v1/alerts").text + "\n"
    assert cli("alerts").returncode == 0


# --- syncs, records, alerts: their shapes, from a server of our own --------------------------------


SYNC = {
    "id": "sync_1", "integration": "google", "model": "events", "connection": "conn_1",
    "owner": "user_42", "state": "active", "running": False, "run": None,
    "last_run": {
        "kind": "full", "trigger": "first", "status": "succeeded",
        "started_at": "2026-01-01T00:00:00.000Z", "finished_at": "2026-01-01T00:00:04.200Z",
        "pages": 10, "records": 1000, "added": 1000, "updated": 0, "deleted": 0},
    "records": 1000, "last_synced_at": "2026-01-01T00:00:04.200Z",
    "next_run_at": "2036-01-01T00:15:00.000Z", "next_full_at": None, "real_time": True,
}


@pytest.fixture
def api():
    api = FakeAPI()
    yield api
    api.close()


def test_syncs_are_listed_and_shown(api, cli):
    api.answer("GET", "/v1/syncs", {"data": [SYNC], "next_cursor": None})
    api.answer("GET", "/v1/syncs/sync_1", SYNC)
    table = cli("syncs", "--owner", "user_42", "--model", "events", url=api.url).stdout.splitlines()
    assert table[0].split()[:4] == ["id", "integration", "model", "owner"]
    assert "1,000" in table[1] and "succeeded" in table[1]
    assert api.requests("GET", "/v1/syncs")[0][2] == {"owner": "user_42", "model": "events"}
    shown = cli("syncs", "show", "sync_1", url=api.url).stdout
    assert "1,000 records in 10 pages" in shown
    assert json.loads(cli("syncs", "show", "sync_1", "--json", url=api.url).stdout) == SYNC
    api.answer("GET", "/v1/syncs", {"data": [], "next_cursor": None})
    assert "syncs:" in cli("syncs", url=api.url).stdout


def test_a_sync_is_followed_to_its_end(api, cli):
    looks = iter([
        SYNC, SYNC,
        SYNC | {"running": True, "run": {"kind": "full", "trigger": "manual", "started_at": "x",
                                         "pages": 3, "records": 300, "added": 0, "updated": 0,
                                         "deleted": 0}},
        SYNC | {"last_run": SYNC["last_run"] | {"started_at": "2026-01-02T00:00:00.000Z",
                                                "finished_at": "2026-01-02T00:00:02.000Z"}},
    ])
    api.answer("GET", "/v1/syncs/sync_1", lambda query, body: next(looks))
    api.answer("POST", "/v1/syncs/sync_1/run", (202, SYNC))
    run = cli("syncs", "run", "sync_1", "--full", "--follow", url=api.url)
    assert "300 records, 3 pages" in run.stderr
    assert run.stdout == ("Synced google events of user_42: 1,000 records in 10 pages, 1,000 added, "
                          "0 updated, 0 deleted, 2000 ms.\n")
    assert api.requests("POST", "/v1/syncs/sync_1/run")[0][3] == {"kind": "full"}


def test_a_sync_that_fails_is_exit_1(api, cli):
    failed = SYNC | {"last_run": SYNC["last_run"] | {
        "started_at": "2026-01-02T00:00:00.000Z", "status": "failed", "error": "Google\x1b[2J no."}}
    looks = iter([SYNC, failed])
    api.answer("GET", "/v1/syncs/sync_1", lambda query, body: next(looks))
    api.answer("POST", "/v1/syncs/sync_1/run", (202, SYNC))
    run = cli("syncs", "run", "sync_1", "--follow", url=api.url, code=1)
    assert "the sync failed: Google" in one_line(run) and "\x1b" not in run.stderr


@pytest.mark.parametrize("action, word", [
    ("pause", "Paused"), ("resume", "Resumed"), ("reset", "Reset"), ("run", "Started")])
def test_a_sync_is_changed(api, cli, action, word):
    api.answer("POST", f"/v1/syncs/sync_1/{action}", SYNC)
    assert cli("syncs", action, "sync_1", url=api.url).stdout.startswith(word)
    assert json.loads(cli("syncs", action, "sync_1", "--json", url=api.url).stdout) == SYNC


def test_records_go_page_by_page(api, cli):
    pages = {
        None: ([("r1", "added", {"title": "One"}), ("r2", "updated", {"title": "Two"})], "c1", True),
        "c1": ([("r3", "deleted", None)], "c2", False),
        "c2": ([], "c2", False),
    }

    def answer(query, body):
        records, cursor, more = pages[query.get("cursor")]
        return {"records": [
            {"id": id, "connection": "conn_1", "change": change, "version": n, "data": data}
            for n, (id, change, data) in enumerate(records)], "next_cursor": cursor,
            "has_more": more}

    api.answer("GET", "/v1/records/events", answer)
    first = cli("records", "events", "--connection", "conn_1", url=api.url)
    assert first.stdout.splitlines()[0].split() == ["change", "id", "connection", "version", "data"]
    assert "--cursor c1" in first.stderr and len(first.stdout.splitlines()) == 3
    everything = cli("records", "events", "--all", url=api.url)
    assert [line.split()[1] for line in everything.stdout.splitlines()[1:]] == ["r1", "r2", "r3"]
    assert "--cursor c2" in everything.stderr
    lines = cli("records", "events", "--all", "--json", url=api.url).stdout.splitlines()
    assert [len(json.loads(line)["records"]) for line in lines] == [2, 1]
    later = cli("records", "events", "--cursor", "c2", url=api.url)
    assert "Nothing has changed" in later.stdout


def test_alerts_are_listed(api, cli):
    alert = {
        "id": "alrt_1", "rule": "success_rate", "integration": "openai", "state": "firing",
        "message": "OpenAI fails.", "value": 0.5, "threshold": 0.95,
        "fired_at": "2026-01-01T00:00:00.000Z", "resolved_at": None}
    api.answer("GET", "/v1/alerts", {"data": [alert], "next_cursor": None})
    table = cli("alerts", "--state", "firing", url=api.url).stdout.splitlines()
    assert table[0].split()[:4] == ["id", "state", "rule", "integration"]
    assert "0.95" in table[1] and "OpenAI fails." in table[1]
    assert json.loads(cli("alerts", "--json", url=api.url).stdout)["data"] == [alert]
    api.answer("GET", "/v1/alerts", {"data": [], "next_cursor": None})
    assert "No alert" in cli("alerts", url=api.url).stdout


# --- terminals -------------------------------------------------------------------------------------


def on_a_terminal(arguments, directory, environment, columns, typed=b""):
    """What a terminal of this width gets while somebody types `typed`."""
    master, slave = pty.openpty()
    if typed:
        os.write(master, typed)
    child = subprocess.Popen(
        [str(BINARY), *arguments], cwd=directory, stdin=slave, stdout=slave, stderr=slave,
        env=environment | {"COLUMNS": str(columns), "TERM": "xterm"})
    os.close(slave)
    output = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:
            break
        if not part:
            break
        output += part
    os.close(master)
    return child.wait(20), output.decode()


def test_hostile_text_cannot_reach_the_terminal(api, tmp_path):
    import re

    evil = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\u009b31m" + "x" * 300
    api.answer("GET", "/v1/connections", {"data": [
        {"id": "conn_1", "integration": "slack", "owner": evil, "state": "active",
         "identity": {"label": evil}, "expires_at": None, "created_at": evil}],
        "next_cursor": evil})
    environment = clean_environment(HOME=tmp_path, FAIRLEAD_ADMIN_KEY=ADMIN_KEY)
    code, output = on_a_terminal(["connections", "--url", api.url], tmp_path, environment, 100)
    assert code == 0
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    assert "\x1b[32mactive\x1b[0m" in output, "our own colours are there"
    assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]", plain), repr(plain)
    table = [line for line in plain.splitlines() if line.startswith(("id", "conn_1"))]
    assert len(table) == 2 and all(len(line) <= 100 for line in table), table


def test_a_progress_bar_is_drawn_on_a_terminal(api, tmp_path):
    running = SYNC | {"running": True, "run": {"records": 500, "pages": 5}}
    ended = SYNC | {"last_run": SYNC["last_run"] | {"started_at": "2026-01-02T00:00:00.000Z"}}
    looks = iter([SYNC, running, ended])
    api.answer("GET", "/v1/syncs/sync_1", lambda query, body: next(looks))
    api.answer("POST", "/v1/syncs/sync_1/run", (202, SYNC))
    environment = clean_environment(HOME=tmp_path, FAIRLEAD_ADMIN_KEY=ADMIN_KEY)
    code, output = on_a_terminal(
        ["syncs", "run", "sync_1", "--follow", "--url", api.url], tmp_path, environment, 100)
    assert code == 0 and "[############------------]  50 %" in output, output


def test_disconnecting_asks_on_a_terminal(api, tmp_path):
    api.answer("GET", "/v1/connections/conn_1", {
        "id": "conn_1", "integration": "slack", "owner": "u1", "state": "active"})
    api.answer("DELETE", "/v1/connections/conn_1", {
        "revoked_at_provider": True, "message": "Disconnected."})
    environment = clean_environment(HOME=tmp_path, FAIRLEAD_ADMIN_KEY=ADMIN_KEY)
    for typed, deleted in [(b"n\n", 0), (b"\n", 0), (b"y\n", 1)]:
        code, output = on_a_terminal(
            ["connections", "disconnect", "conn_1", "--url", api.url], tmp_path, environment, 100,
            typed)
        assert code == 0 and "Disconnect slack of u1?" in output, output
        assert len(api.requests("DELETE", "/v1/connections/conn_1")) == deleted


def test_status_names_firing_alerts(api, cli):
    api.answer("GET", "/v1/health", {"integrations": [
        {"integration": "stripe", "status": "down", "message": "Stripe is down.", "calls_24h": 3,
         "success_rate_24h": 0.25, "latency_ms": {"mean": 12_500, "p95": None}, "breaker": "open",
         "last_success_at": None, "webhooks": {"received": 1, "dead": 0}}]})
    api.answer("GET", "/v1/alerts", {"data": [{"id": "alrt_1"}], "next_cursor": None})
    out = cli("status", url=api.url).stdout
    assert "1 alert is firing" in out and "storage cannot be written" in out
    assert "25.0 %" in out and "12.5 s" in out and "down" in out
    assert api.requests("GET", "/v1/alerts")[0][2] == {"state": "firing"}


def test_records_are_followed(api, tmp_path):
    pages = iter([
        {"records": [], "next_cursor": "c0", "has_more": False},
        {"records": [{"id": "r1", "connection": "conn_1", "change": "added", "version": 1,
                      "data": {}}], "next_cursor": "c1", "has_more": False},
        {"records": [{"id": "r2", "connection": "conn_1", "change": "deleted", "version": 2,
                      "data": None}], "next_cursor": "c2", "has_more": False},
    ])
    api.answer("GET", "/v1/records/events", lambda query, body: next(
        pages, {"records": [], "next_cursor": query.get("cursor"), "has_more": False}))
    following = subprocess.Popen(
        [str(BINARY), "records", "events", "--follow", "--url", api.url], cwd=tmp_path,
        env=clean_environment(HOME=tmp_path, FAIRLEAD_ADMIN_KEY=ADMIN_KEY),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        lines = [following.stdout.readline().split() for _ in range(3)]
        assert [line[0] for line in lines] == ["change", "added", "deleted"]
        assert [line[1] for line in lines] == ["id", "r1", "r2"]
        eventually(lambda: api.seen[-1][2].get("cursor") == "c2")
    finally:
        following.kill()


# --- doctor ----------------------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path):
    """A folder as `fairlead init` leaves it, on a port of its own."""
    assert run_fairlead("init", directory=tmp_path).returncode == 0
    yaml = (tmp_path / "fairlead.yaml").read_text()
    (tmp_path / "fairlead.yaml").write_text(yaml.replace("8080", str(free_port())))
    return tmp_path


def doctor(folder, *arguments, code=0, **variables):
    run = run_fairlead(
        "doctor", "--json", *arguments, directory=folder,
        environment=clean_environment(HOME=folder, **variables))
    assert run.returncode == code, run
    report = json.loads(run.stdout)
    assert report["healthy"] is (code == 0)
    return {}, report["checks"]


def verdicts(checks, name):
    return [one["status"] for one in checks if one["check"] == name]


def test_doctor_finds_a_fresh_house_well(house):
    before = {path: path.read_bytes() for path in house.rglob("*") if path.is_file()}
    _, checks = doctor(house)
    assert {one["status"] for one in checks} <= {"ok", "skip"}, checks
    assert verdicts(checks, "vault.keys") == ["ok"] and verdicts(checks, "server") == ["skip"]
    assert {path: path.read_bytes() for path in house.rglob("*") if path.is_file()} == before


def test_doctor_asks_the_providers(house, sandbox_process):
    keys = {name: INTEGRATIONS[name] for name in INTEGRATIONS}
    _, checks = doctor(house, "--sandbox", sandbox_process.url, **keys)
    assert verdicts(checks, "credential").count("ok") >= 2, checks
    assert "fail" not in verdicts(checks, "credential"), checks
    assert verdicts(checks, "clock") == ["ok"]
    _, checks = doctor(
        house, "--sandbox", sandbox_process.url, code=1,
        **(keys | {"STRIPE_SECRET_KEY": "sk_test_wrong"}))
    assert "fail" in verdicts(checks, "credential")
    assert "sk_test_wrong" not in json.dumps(checks)
    _, checks = doctor(house, "--no-online", **keys)
    assert verdicts(checks, "credential") == []


def test_doctor_names_what_is_wrong(house):
    (house / ".env").chmod(0o644)
    _, checks = doctor(house, "--no-online", STRIPE_SECRET_KEY="sk_live_0123456789",
                       STRIPE_PUBLISHABLE_KEY="pk_test_0123456789", code=1)
    assert verdicts(checks, "secrets.mode") == ["warn"]
    assert verdicts(checks, "keys.mixed") == ["fail"]
    assert verdicts(checks, "webhook.secret") == ["warn"]
    assert "0123456789" not in json.dumps(checks)
    _, checks = doctor(house, "--no-online", FAIRLEAD_ADMIN_KEY="short", code=1)
    assert verdicts(checks, "admin_key") == ["fail"]
    (house / "fairlead.yaml").write_text("server:\n  prot: 1\nintergations: {}\n")
    _, checks = doctor(house, code=1)
    assert [one["message"].split(":")[1] for one in checks if one["status"] == "fail"] == ["2", "3"]


def test_doctor_looks_at_the_database(house):
    assert run_fairlead("migrate", directory=house).returncode == 0
    _, checks = doctor(house)
    for name in ("storage.migrations", "storage.writable", "storage.durable", "vault.fits"):
        assert verdicts(checks, name) == ["ok"], checks
    (house / "fairlead.db").write_bytes(b"no database " * 100)
    _, checks = doctor(house, code=1)
    assert verdicts(checks, "storage") == ["fail"]


def test_doctor_notices_another_vault_key(server):
    connected = server.connect_with_key("stripe", "doctor", "sk_test_fairlead_sandbox")
    environment = server.environment | {"FAIRLEAD_VAULT_KEYS": generate_vault_key(server.directory)}
    run = run_fairlead("doctor", "--json", "--no-online", directory=server.data,
                       environment=environment)
    checks = json.loads(run.stdout)["checks"]
    assert run.returncode == 1 and verdicts(checks, "vault.fits") == ["fail"], checks
    assert server.get(f"/v1/connections/{connected['id']}").status_code == 200


def test_doctor_knows_a_running_server(server):
    port = server.url.rsplit(":", 1)[1]
    run = run_fairlead("doctor", "--json", "--no-online", directory=server.data,
                       environment=server.environment | {"FAIRLEAD_PORT": port})
    checks = json.loads(run.stdout)["checks"]
    assert verdicts(checks, "server") == ["ok"] and verdicts(checks, "server.key") == [], checks
    run = run_fairlead("doctor", "--json", "--no-online", directory=server.data,
                       environment=server.environment | {
                           "FAIRLEAD_PORT": port, "FAIRLEAD_ADMIN_KEY": "another-key-of-27-letters-x"})
    assert verdicts(json.loads(run.stdout)["checks"], "server.key") == ["fail"] and run.returncode == 1


def test_doctor_for_people(house):
    run = run_fairlead("doctor", directory=house)
    assert run.returncode == 0 and run.stderr == ""
    assert all(line.split()[0] in ("ok", "skip", "warn") for line in run.stdout.splitlines()
               if line and not line.startswith(" ") and "passed" not in line), run.stdout


def test_init_says_what_comes_next(tmp_path):
    run = run_fairlead("init", directory=tmp_path)
    assert "fairlead serve" in run.stdout and "fairlead doctor" in run.stdout
    keys = (tmp_path / ".env").read_text()
    (tmp_path / "other").mkdir()
    run_fairlead("init", directory=tmp_path / "other")
    assert (tmp_path / "other" / ".env").read_text() != keys, "keys are fresh each time"
