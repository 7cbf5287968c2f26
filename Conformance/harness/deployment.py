"""A sandbox and a Fairlead server, each its own process, on a directory of their own."""

import json
import os
import socket
import subprocess
import time
from pathlib import Path

import requests
import yaml

from harness.process import Process, StartFailure
from harness.storage import new_storage
from harness.sandbox import SandboxControls

BINARY = Path(
    os.environ.get("FAIRLEAD_BINARY")
    or Path(__file__).parents[2] / ".build" / "debug" / "fairlead"
).resolve()

ADMIN_KEY = "fl_admin_conformance_0123456789abcdefghij"

#: The variables that switch the built-in integrations on, with the keys the sandbox accepts.
INTEGRATIONS = {
    "SLACK_CLIENT_ID": "1000000000.2000000000",
    "SLACK_CLIENT_SECRET": "fairlead-sandbox-slack-client-secret",
    "SLACK_SIGNING_SECRET": "fairlead-sandbox-slack-signing-secret",
    "STRIPE_SECRET_KEY": "sk_test_fairlead_sandbox",
    "STRIPE_WEBHOOK_SECRET": "whsec_fairlead_sandbox_stripe",
    "OPENAI_API_KEY": "sk-fairlead-sandbox",
    "GOOGLE_CLIENT_ID": "100000000000-fairleadsandbox.apps.googleusercontent.com",
    "GOOGLE_CLIENT_SECRET": "GOCSPX-fairlead-sandbox-google",
    "GITHUB_CLIENT_ID": "Iv1.fairleadsandbox",
    "GITHUB_CLIENT_SECRET": "fairlead-sandbox-github-client-secret",
    "GITHUB_WEBHOOK_SECRET": "fairlead-sandbox-github-webhook-secret",
}


def clean_environment(**more):
    """Nothing of ours from outside: what the process sees is what the test gave it."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "LD_LIBRARY_PATH") if key in os.environ}
    return kept | {key: str(value) for key, value in more.items() if value is not None}


def run_fairlead(*arguments, directory, environment=None, timeout=60):
    """One finished run of the command: `returncode`, `stdout` and `stderr` as text."""
    return subprocess.run(
        [str(BINARY), *map(str, arguments)],
        cwd=directory,
        env=environment if environment is not None else clean_environment(HOME=directory),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def generate_vault_key(directory):
    """One entry of FAIRLEAD_VAULT_KEYS, as the command prints it."""
    run = run_fairlead("keys", "generate-vault-key", directory=directory)
    assert run.returncode == 0, run.stderr
    entry = run.stdout.strip().splitlines()[-1].removeprefix("FAIRLEAD_VAULT_KEYS=").strip("\"'")
    assert ":" in entry, f"an entry is id:base64, this is {entry!r}"
    return entry


def free_port():
    """A port below the ephemeral range, so that nothing takes it while its server is down."""
    for port in range(20_000 + os.getpid() % 5_000, 32_000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port below 32000")


class Sandbox:
    """The simulators. `controls` injects faults and reads journals and state."""

    def __init__(self, directory, *, seed=7):
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.process = Process(
            [BINARY, "sandbox", "--port", "0", "--seed", seed],
            directory=directory,
            environment=clean_environment(HOME=directory),
            logs=directory / "logs",
            name="sandbox",
        )
        line = self.process.wait_for_line(
            r"^fairlead: sandbox listening on (http://127\.0\.0\.1:\d+)$"
        )
        self.url = line.group(1)
        self.controls = SandboxControls(self.url)

    def stop(self):
        self.process.stop()


class Server:
    """`fairlead serve` on `directory`; may be killed and started again on the same storage.

    Parameters: `sandbox` is a URL or `None`; `configuration` becomes fairlead.yaml and `definitions`
    (name to mapping or text) files under providers/; `environment` is added to the usual one, and a
    variable set to `None` is left out.
    """

    def __init__(
        self, directory, *, sandbox=None, environment=None, configuration=None, definitions=None,
        port=0, start=True,
    ):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.data = self.directory / "data"
        self.data.mkdir(exist_ok=True)
        self.storage = new_storage(self.data)
        self.sandbox = sandbox
        self.port = port
        self.process = None
        self.processes = []
        self.url = None
        self.admin_key = ADMIN_KEY
        settings = {
            "HOME": self.directory,
            "FAIRLEAD_VAULT_KEYS": generate_vault_key(self.directory),
            "FAIRLEAD_ADMIN_KEY": ADMIN_KEY,
            "FAIRLEAD_DATABASE": self.storage.url,
            "FAIRLEAD_ALLOW_PRIVATE_NETWORKS": "true",
        }
        self.environment = clean_environment(**(settings | INTEGRATIONS | (environment or {})))
        self.configuration = None
        if definitions:
            folder = self.directory / "providers"
            folder.mkdir(exist_ok=True)
            for name, definition in definitions.items():
                text = definition if isinstance(definition, str) else yaml.safe_dump(definition)
                (folder / f"{name}.yaml").write_text(text)
            configuration = {"definitions": str(folder)} | (configuration or {})
        if configuration:
            self.configuration = self.directory / "fairlead.yaml"
            self.configuration.write_text(yaml.safe_dump(configuration))
        if start:
            self.start()

    def start(self, timeout=30):
        """Returns when /readyz says yes."""
        arguments = [BINARY, "serve", "--port", self.port]
        if self.sandbox:
            arguments.append(f"--sandbox={self.sandbox}")
        if self.configuration:
            arguments += ["--config", self.configuration]
        self.process = Process(
            arguments,
            directory=self.data,
            environment=self.environment,
            logs=self.directory / "logs",
            name="server",
        )
        self.processes.append(self.process)
        line = self.process.wait_for_line(
            r"^fairlead: listening on (http://127\.0\.0\.1:\d+)$", timeout
        )
        self.url = line.group(1)
        self._wait_until_ready(timeout)
        return self

    def _wait_until_ready(self, timeout):
        deadline = time.monotonic() + timeout
        answer = None
        while time.monotonic() < deadline:
            try:
                answer = requests.get(f"{self.url}/readyz", timeout=5)
                if answer.status_code == 200:
                    return
            except requests.ConnectionError as error:
                answer = error
            if not self.process.is_alive:
                break
            time.sleep(0.02)
        raise StartFailure(f"/readyz: {answer}\n{self.process.output_tail()}")

    def kill(self):
        self.process.kill()

    def stop(self):
        return self.process.stop() if self.process else None

    def run(self, *arguments, **options):
        """A command of the CLI on this deployment's storage and settings."""
        if self.configuration and arguments and arguments[0] not in ("keys", "providers"):
            arguments = (*arguments, "--config", self.configuration)
        return run_fairlead(
            *arguments, directory=self.data, environment=self.environment, **options
        )

    def create_key(self, name, *scopes):
        """A new API key with these scopes (all when none is named)."""
        arguments = ["keys", "create", "--name", name, "--json"]
        if scopes:
            arguments += ["--scope", ",".join(scopes)]
        run = self.run(*arguments)
        assert run.returncode == 0, run.stderr
        made = json.loads(run.stdout)
        assert made["key"].startswith("fl_"), "keys say whose they are"
        return made["key"]

    # --- the API -----------------------------------------------------------------------------------

    def request(self, method, path, *, key=ADMIN_KEY, timeout=30, **options):
        """One request with a Fairlead key (`None` for none); never follows redirects."""
        headers = dict(options.pop("headers", {}))
        if key is not None:
            headers.setdefault("Authorization", f"Bearer {key}")
        return requests.request(
            method, self.url + path, headers=headers, timeout=timeout,
            allow_redirects=False, **options,
        )

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, **options):
        return self.request("POST", path, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def proxy(self, target):
        """The base URL of a target, for an SDK."""
        return f"{self.url}/v1/proxy/{target}"

    def all_pages(self, path, **filters):
        """Every item of a list route, page by page."""
        cursor = None
        while True:
            answer = self.get(path, params=filters | ({"cursor": cursor} if cursor else {}))
            assert answer.status_code == 200, answer.text
            page = answer.json()
            yield from page["data"]
            cursor = page["next_cursor"]
            if not cursor:
                return

    def connect_with_key(self, integration, owner, api_key):
        """An API-key connection; the connection."""
        answer = self.post("/v1/connections", json={
            "integration": integration, "owner": owner, "credentials": {"api_key": api_key},
        })
        assert answer.status_code == 201, answer.text
        return answer.json()
