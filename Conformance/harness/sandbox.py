"""The sandbox's controls under /_sandbox."""

import requests


class SandboxControls:
    def __init__(self, url):
        self.url = url

    def fault(self, provider, kind, **more):
        """Injects a fault: `match={"method", "path"}`, `times`, `status`, `retry_after`, …"""
        answer = requests.post(
            f"{self.url}/_sandbox/faults", json={"provider": provider, "kind": kind} | more, timeout=10
        )
        assert answer.ok, f"{answer.status_code} {answer.text}"

    def clear_faults(self):
        answer = requests.delete(f"{self.url}/_sandbox/faults", timeout=10)
        assert answer.ok, answer.text

    def requests(self, provider, path=None):
        """What arrived, oldest first; only what was sent to `path` when it is given."""
        wanted = {"limit": 10_000} | ({"path": path} if path else {})
        answer = requests.get(
            f"{self.url}/_sandbox/{provider}/requests", params=wanted, timeout=30)
        assert answer.ok, answer.text
        return answer.json()["data"]

    def state(self, provider):
        answer = requests.get(f"{self.url}/_sandbox/{provider}/state", timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def send_event(self, provider, **event):
        answer = requests.post(
            f"{self.url}/_sandbox/{provider}/events", json=event, timeout=30
        )
        assert answer.ok, answer.text
        return answer.json()

    def control(self, path, **body):
        """One of a provider's own controls, such as `google/calendar/edit`."""
        answer = requests.post(f"{self.url}/_sandbox/{path}", json=body, timeout=60)
        assert answer.ok, f"{answer.status_code} {answer.text}"
        return answer.json()

    def advance_clock(self, by):
        answer = requests.post(f"{self.url}/_sandbox/clock", json={"advance": by}, timeout=10)
        assert answer.ok, answer.text

    def session_token(self, **order):
        """A session token of the simulated Clerk: `user`, `claims`, `azp`, `expires_in`, and `alg`,
        `kid`, `tamper` for one that must not be accepted."""
        answer = requests.post(f"{self.url}/_sandbox/clerk/tokens", json=order, timeout=30)
        assert answer.status_code == 201, answer.text
        return answer.json()["jwt"]


def objects_in(value):
    """Every JSON object in a tree, so that a check need not know how a simulator keeps its state."""
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from objects_in(child)
    elif isinstance(value, list):
        for child in value:
            yield from objects_in(child)


def header(entry, name):
    """A header of a journal entry, whatever the letter case."""
    return next((v for k, v in entry["headers"].items() if k.lower() == name.lower()), None)
