"""Plants a recognisable secret wherever one can enter, uses everything, errors included, and then
looks for them where none may be: storage files, logs, metrics, pages and answers.

The scanner first proves on a database of its own that it finds a planted plaintext.
"""

import base64
import dataclasses
import re
import secrets
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import requests
from conftest import APPLICATION, connect_slack, connection_of
from harness.browser import Browser
from harness.deployment import (
    INTEGRATIONS, Sandbox, Server, clean_environment, run_fairlead,
)
from harness.receiver import Receiver
from harness.storage import new_storage
from harness.stripe_events import event, signed
from harness.upstream import RawUpstream, definition
from harness.waiting import eventually


@dataclasses.dataclass(frozen=True)
class Planted:
    """A secret, what it is, and where it may not be: `files`, `logs`, `answers`. What lives in a URL
    for a moment, such as an OAuth state, has its place in some of them."""

    name: str
    value: str
    places: tuple = ("files", "logs", "answers")

    def forms(self):
        """The value as bytes, and as whoever stores or logs it might write it."""
        raw = self.value.encode()
        yield raw
        yield raw.hex().encode()
        yield quote(self.value, safe="").encode()
        # Base64 of it as a part of something longer: one form for each position modulo three, less
        # the characters that the neighbours decide.
        for offset in range(3):
            encoded = base64.b64encode(b"\0" * offset + raw)
            start = (0, 2, 3)[offset]
            end = len(encoded) - (4 if (len(raw) + offset) % 3 else 0)
            yield encoded[start:end]
            yield encoded[start:end].translate(bytes.maketrans(b"+/", b"-_"))
        if self.value.startswith("whsec_"):
            try:
                yield base64.b64decode(self.value[6:] + "==", validate=False)
            except ValueError:
                pass


class Scanner:
    def __init__(self):
        self.planted = []

    def plant(self, name, value=None, **more):
        """Adds a secret; makes one up where none is given. Its value."""
        value = value or f"plant{secrets.token_hex(16)}"
        assert len(value) >= 12, f"{name} is too short to be recognised"
        if value not in (one.value for one in self.planted):
            self.planted.append(Planted(name, value, **more))
        return value

    def search(self, place, where, data):
        """The findings in these bytes, which are of one of the three places."""
        found = []
        for secret in self.planted:
            if place not in secret.places:
                continue
            if any(len(form) >= 10 and form in data for form in secret.forms()):
                found.append(f"{secret.name} in {where}")
        return found


def self_test():
    """A scanner that finds nothing must be one that could have found something."""
    scanner = Scanner()
    value = scanner.plant("a planted secret")
    webhook = scanner.plant("a webhook secret", "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode())
    for sample in (
        value.encode(), b"x" + value.encode().hex().encode() + b"y", webhook.encode(),
        base64.b64decode(webhook[6:]),
        *(base64.b64encode(b"user"[:n] + value.encode() + b"tail") for n in range(4)),
    ):
        assert scanner.search("files", "a sample", b"before " + sample + b" after"), sample
    assert scanner.search("files", "a clean sample", secrets.token_hex(4096).encode()) == []
    with tempfile.TemporaryDirectory() as name:
        storage = new_storage(Path(name))
        storage.execute("CREATE TABLE planted (v TEXT)")
        storage.execute("INSERT INTO planted VALUES (%s)", f"token={value}")
        stored = [(path.name, path.read_bytes()) for path in Path(name).iterdir()]
        assert any(
            scanner.search("files", where, data) for where, data in stored + storage.contents()
        ), "a plaintext in the database was not found"


class Recorder(requests.Session):
    """Keeps every answer, headers included, but those that show a secret once on purpose."""

    def __init__(self, server):
        super().__init__()
        self.server = server
        self.kept = []

    def call(self, method, path, *, key=None, keep=True, **options):
        headers = dict(options.pop("headers", {}))
        if key:
            headers.setdefault("Authorization", f"Bearer {key}")
        answer = self.request(
            method, self.server.url + path, headers=headers, allow_redirects=False, timeout=30,
            **options)
        if keep:
            self.keep(f"{method} {path.split('?')[0]} -> {answer.status_code}", answer)
        return answer

    def keep(self, what, answer):
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        self.kept.append((what, head.encode() + b"\n\n" + answer.content))


TOKEN = re.compile(r"xox[a-z]?[.-][A-Za-z0-9.-]{8,}")


def plant_tokens(scanner, controls):
    """The tokens that reached the sandbox: access tokens in headers, refresh tokens in forms."""
    count = len(scanner.planted)
    for token in TOKEN.findall(str(controls.requests("slack"))):
        scanner.plant("an OAuth token of Slack", token)
    return len(scanner.planted) - count


def use_keys(scanner, server, recorder, full, narrow):
    """Keys of ours: used and wrong, in every place where they may stand."""
    for key in (full, narrow):
        recorder.call("GET", "/v1/connections", key=key)
    for headers in (
        {"x-api-key": full}, {"fairlead-key": full},
        {"Authorization": "Basic " + base64.b64encode(f"{full}:".encode()).decode()},
    ):
        recorder.call("GET", "/v1/proxy/stripe/v1/customers", headers=headers)
    for place in ("Authorization", "x-api-key", "fairlead-key", "Cookie"):
        wrong = scanner.plant(f"a wrong key in {place}", f"fl_{secrets.token_hex(20)}")
        text = f"Bearer {wrong}" if place == "Authorization" else (
            f"fairlead_session={wrong}" if place == "Cookie" else wrong)
        recorder.call("GET", "/v1/connections", headers={place: text})
        recorder.call("GET", "/", headers={place: text})


def use_oauth(scanner, server, recorder, controls, narrow):
    """An account connected through the redirects: code, state, tokens; refreshed and revoked. The
    connection's path."""
    browser = connect_slack(server, "leak-1")
    for _, url, _ in browser.trail:
        query = parse_qs(urlsplit(url).query)
        for name, places in (("code", ("files", "logs")), ("state", ("logs",))):
            for value in query.get(name, []):
                if len(value) >= 12:
                    scanner.plant(f"the OAuth {name}", value, places=places)
    path = f"/v1/connections/{connection_of(server, 'slack', 'leak-1')['id']}"
    for _ in range(2):
        token = recorder.call("GET", f"{path}/token", key=server.admin_key, keep=False).json()
        scanner.plant("an OAuth access token", token["access_token"])
        controls.fault("slack", "expire_tokens")
        recorder.call("POST", "/v1/proxy/slack:leak-1/api/auth.test", key=narrow)
        recorder.call("POST", f"{path}/refresh", key=server.admin_key)
    connect_slack(server, "leak-2")
    controls.fault("slack", "revoke")
    for plain in ({}, {"fairlead-errors": "plain"}):
        recorder.call("POST", "/v1/proxy/slack:leak-2/api/auth.test", key=narrow, headers=plain)
    connect_slack(server, "leak-1")
    for callback in ("code=%s&state=x", "code=x&state=%s", "error=access_denied&state=%s"):
        wrong = scanner.plant("a value of a forged callback")
        recorder.call("GET", f"/oauth/callback/slack?{callback % wrong}")
    return path


def use_credentials(scanner, server, recorder, integrations):
    """Credentials by API, most of them refused."""
    for number, credentials in enumerate((
        {"api_key": "%", "api_secret": "%"}, {"username": "%", "password": "%"},
        {"access_token": "%", "refresh_token": "%"}, {"nonsense": "%"}, "%",
    )):
        value = scanner.plant(f"credentials {number}")
        given = value if credentials == "%" else {name: value for name in credentials}
        for integration in integrations:
            recorder.call("POST", "/v1/connections", key=server.admin_key, json={
                "integration": integration, "owner": f"leak-{number}", "credentials": given})
    recorder.call("POST", "/v1/connections", key=server.admin_key,
                  data='{"credentials": {"api_key": "%s"' % scanner.plant("a key in broken JSON"))


def use_proxy(scanner, server, recorder, upstream, narrow):
    """Secrets in what is proxied: query, header, form, JSON; with a provider that fails."""
    api_key = scanner.plant("an API key of a connection", f"sk-{secrets.token_hex(20)}")
    server.connect_with_key("raw", "leak", api_key)

    def failing(exchange):
        exchange.read_body()
        exchange.reset()

    def refusing(exchange):
        exchange.answer("401 Unauthorized", '{"error":"no"}')

    def erring(exchange):
        exchange.answer("500 Internal Server Error", '{"error":"no"}')

    for behaviour in (failing, erring, lambda exchange: exchange.answer(), refusing):
        upstream.behave(behaviour)
        secret = {
            place: scanner.plant(f"a secret in a proxied {place}")
            for place in ("query", "header", "form", "JSON body")
        }
        for method, options in (
            ("GET", {}), ("POST", {"data": {"client_secret": secret["form"]}}),
            ("POST", {"json": {"password": secret["JSON body"]}}),
        ):
            for plain in ({}, {"fairlead-errors": "plain"}):
                recorder.call(
                    method, f"/v1/proxy/raw:leak/x?access_token={secret['query']}",
                    headers={"fairlead-key": narrow, "Authorization": f"Bearer {secret['header']}",
                             "Cookie": f"session={secret['header']}"} | plain, **options)
    admin = server.admin_key
    recorder.call("GET", "/v1/proxy/nope:x/y?token=" + scanner.plant("a query of no target"), key=admin)
    recorder.call("GET", "/nothing?token=" + scanner.plant("a query of no route"), key=admin)


def use_webhooks(scanner, server, recorder, receiver):
    """A destination, its deliveries and failures; webhooks signed, forged and with odd headers."""
    made = recorder.call("POST", "/v1/destinations", key=server.admin_key, keep=False, json={
        "url": receiver.url, "integrations": ["stripe"]}).json()
    scanner.plant("the secret of a destination", made["secret"])
    secret = server.environment["STRIPE_WEBHOOK_SECRET"]
    receiver.fail_next(1)
    for _ in range(3):
        body, headers = signed(event(), secret)
        headers["Authorization"] = "Bearer " + scanner.plant("a header of a webhook")
        receipt = recorder.call("POST", "/webhooks/stripe", data=body, headers=headers).json()
        event_id = receipt["event_id"]
        eventually(lambda: receiver.deliveries(webhook_id=event_id))
        recorder.call("GET", f"/v1/events/{event_id}", key=server.admin_key)
    body, headers = signed(event(), scanner.plant("a forger's secret", "whsec_" + secrets.token_hex(20)))
    recorder.call("POST", "/webhooks/stripe", data=body, headers=headers)
    unverified = scanner.plant("the body of a forged webhook")
    recorder.call("POST", "/webhooks/stripe", data=unverified, headers=headers)
    recorder.call("GET", f"/v1/destinations/{made['id']}", key=server.admin_key)


def read_everything(scanner, server, recorder):
    """The dashboard, signed in, and every route and command that shows something."""
    visitor = Browser()
    for key in (scanner.plant("a wrong key at the sign-in"), server.admin_key):
        visitor.sign_in(f"{server.url}/", key)
        recorder.keep("the dashboard", visitor.answer)
    for cookie in visitor.session.cookies:
        scanner.plant(f"the cookie {cookie.name}", cookie.value, places=("files", "logs"))
    visitor.open(f"{server.url}/")
    recorder.keep("the dashboard", visitor.answer)
    for path in ("/metrics", "/openapi.json", "/healthz", "/readyz", "/v1/connections", "/v1/events",
                 "/v1/deliveries", "/v1/destinations", "/v1/integrations", "/v1/integrations/slack",
                 "/v1/health", "/v1/requests", "/v1/alerts"):
        recorder.call("GET", path, key=server.admin_key)
    for command in (["doctor"], ["status"], ["connections"], ["events"], ["keys", "list"]):
        run = server.run(*command)
        recorder.kept.append((f"fairlead {' '.join(command)}", (run.stdout + run.stderr).encode()))


def storage_files(server):
    """The bytes of every file the server wrote, and of every table it filled."""
    return [
        (path.name, path.read_bytes()) for path in sorted(server.data.rglob("*")) if path.is_file()
    ] + server.storage.contents()


def bad_starts(scanner, server):
    """Configuration errors name the variable and never its value."""
    outputs = []
    for variable in ("FAIRLEAD_VAULT_KEYS", "FAIRLEAD_DATABASE", "FAIRLEAD_PUBLIC_URL"):
        value = scanner.plant(f"a bad {variable}")
        if variable == "FAIRLEAD_DATABASE":
            value = f"postgres://user:{value}@127.0.0.1:1/none"
        environment = server.environment | {variable: value}
        run = run_fairlead(
            "serve", "--port", "0", directory=server.data, environment=clean_environment(**environment))
        assert run.returncode != 0, f"{variable} was taken"
        outputs.append((f"the refusal of {variable}", (run.stdout + run.stderr).encode()))
    return outputs


def plant_environment(scanner):
    """The variables of a deployment. What the sandbox must accept is fixed, the rest made up."""
    environment = {
        "FAIRLEAD_LOG_LEVEL": "trace",
        "SLACK_SIGNING_SECRET": f"signing-{secrets.token_hex(20)}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(20)}",
        "HOOK_SECRET": "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode(),
    }
    for name, value in (INTEGRATIONS | environment).items():
        if name not in ("SLACK_CLIENT_ID", "GOOGLE_CLIENT_ID", "FAIRLEAD_LOG_LEVEL"):
            scanner.plant(name, value)
    return environment


def sandboxed(scanner, directory, environment):
    """A deployment on the sandbox: OAuth, keys, webhooks, pages. Server, files, answers."""
    sandbox, receiver = Sandbox(directory / "sandbox"), Receiver(directory / "receiver")
    server = Server(
        directory / "server", sandbox=sandbox.url, environment=environment,
        configuration={
            "connect": {"redirect_origins": [APPLICATION]},
            "destinations": [{"url": receiver.url, "secret": "${HOOK_SECRET}", "types": ["none.*"]}],
        })
    try:
        scanner.plant("the vault key", server.environment["FAIRLEAD_VAULT_KEYS"].split(":", 1)[1])
        scanner.plant("the admin key", server.admin_key)
        recorder = Recorder(server)
        full = scanner.plant("an API key", server.create_key("full"))
        narrow = scanner.plant("a scoped API key", server.create_key("narrow", "proxy"))
        use_keys(scanner, server, recorder, full, narrow)
        path = use_oauth(scanner, server, recorder, sandbox.controls, narrow)
        use_credentials(scanner, server, recorder, ("slack", "openai", "nope"))
        use_webhooks(scanner, server, recorder, receiver)
        recorder.call("GET", path, key=server.admin_key)
        read_everything(scanner, server, recorder)
        time.sleep(1)  # the call log is flushed by time
        files = storage_files(server)
        # The refresh token at rest shows itself to the sandbox when it is used.
        recorder.call("POST", f"{path}/refresh", key=server.admin_key)
        assert plant_tokens(scanner, sandbox.controls) > 3, "the sandbox's journal shows no tokens"
        recorder.call("DELETE", path, key=server.admin_key)
        server.stop()
        files += [(f"{name} after the end", data) for name, data in storage_files(server)]
        return server, files, recorder.kept + bad_starts(scanner, server)
    finally:
        server.stop()
        receiver.stop()
        sandbox.stop()


def misbehaving(scanner, directory, environment):
    """A deployment whose provider fails in every way. Server, files, answers."""
    upstream = RawUpstream()
    server = Server(
        directory / "raw", environment=environment, definitions={"raw": definition("raw")},
        configuration={"integrations": {"raw": {"provider": "raw", "base_url": upstream.url}}})
    try:
        scanner.plant("the second vault key", server.environment["FAIRLEAD_VAULT_KEYS"].split(":", 1)[1])
        recorder = Recorder(server)
        narrow = scanner.plant("another API key", server.create_key("narrow", "proxy"))
        use_credentials(scanner, server, recorder, ("raw",))
        use_proxy(scanner, server, recorder, upstream, narrow)
        read_everything(scanner, server, recorder)
        time.sleep(1)  # the call log is flushed by time
        files = storage_files(server)
        server.stop()
        return server, files + storage_files(server), recorder.kept
    finally:
        server.stop()
        upstream.close()


def main():
    self_test()
    print("  the scanner finds what is planted in a sample")
    scanner, findings, size = Scanner(), set(), {"files": 0, "logs": 0, "answers": 0}
    with tempfile.TemporaryDirectory(prefix="fairlead-leak-") as name:
        environment = plant_environment(scanner)
        houses = [house(scanner, Path(name), environment) for house in (sandboxed, misbehaving)]
        for server, files, answers in houses:
            logs = [(one.name, one.output().encode()) for one in server.processes]
            assert sum(len(data) for _, data in logs) > 500, "at level trace the server says more"
            for place, kept in (("files", files), ("logs", logs), ("answers", answers)):
                for where, data in kept:
                    findings.update(scanner.search(place, f"{where} ({place})", data))
                    size[place] += len(data)
    for finding in sorted(findings):
        print(f"  LEAK: {finding}")
    searched = ", ".join(f"{count >> 10} KiB of {place}" for place, count in size.items())
    print(f"  {len(scanner.planted)} secrets looked for in {searched}: {len(findings) or 'no'} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
