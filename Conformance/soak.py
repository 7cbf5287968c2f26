"""Steady calls and webhooks for some minutes: no error, and memory that levels off.

    python soak.py --minutes 10
"""

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

import requests
from harness.deployment import ADMIN_KEY, INTEGRATIONS, Sandbox, Server
from harness.receiver import Receiver
from harness.stripe_events import event, signed

MIB = 1 << 20


def resident(process):
    return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * 4096


def worker(server, over, counts, lock, kind):
    session = requests.Session()
    while not over.is_set():
        try:
            if kind == "call":
                answer = session.get(
                    f"{server.url}/v1/proxy/openai/v1/models",
                    headers={"Authorization": f"Bearer {ADMIN_KEY}"}, timeout=60)
            else:
                body, headers = signed(event(), INTEGRATIONS["STRIPE_WEBHOOK_SECRET"])
                answer = session.post(
                    f"{server.url}/webhooks/stripe", data=body, headers=headers, timeout=60)
            result = f"{kind} {answer.status_code}"
        except requests.RequestException as error:
            result = f"{kind} {type(error).__name__}"
        with lock:
            counts[result] = counts.get(result, 0) + 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fairlead-soak-") as name:
        directory = Path(name)
        sandbox, receiver = Sandbox(directory / "sandbox"), Receiver(directory / "receiver")
        server = Server(directory / "server", sandbox=sandbox.url)
        server.post("/v1/destinations", json={"url": receiver.url, "integrations": ["stripe"]})
        over, counts, lock, samples = threading.Event(), {}, threading.Lock(), []
        workers = [
            threading.Thread(target=worker, args=(server, over, counts, lock, kind))
            for kind in ("call", "call", "webhook", "webhook")
        ]
        for one in workers:
            one.start()
        try:
            ends = time.monotonic() + options.minutes * 60
            while time.monotonic() < ends and server.process.is_alive:
                time.sleep(1)
                samples.append(resident(server.process))
        finally:
            over.set()
            for one in workers:
                one.join()
        alive = server.process.is_alive
        code = server.stop()
        receiver.stop()
        sandbox.stop()
    # Caches fill in the first third; from there to the end memory may not grow by much.
    third = max(1, len(samples) // 3)
    early, late = max(samples[:third]), max(samples[-third:])
    print(f"  {counts}; resident {early // MIB} MiB, then {late // MIB} MiB; exit {code}")
    problems = [name for name in counts if name not in ("call 200", "webhook 200")]
    if not alive or code != 0:
        problems.append("the server did not live through it and end with 0")
    if late > early * 1.5 + 32 * MIB:
        problems.append("memory grows")
    for problem in problems:
        print(f"  WRONG: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
