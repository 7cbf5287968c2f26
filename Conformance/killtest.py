"""SIGKILL under webhook load, again and again; then a SIGTERM that drains.

    python killtest.py [--rounds N] [--seed S] [--events N]

Sandbox, server and a recording destination are processes of their own. Several senders deliver
signed Stripe events, some of them twice and thrice, and repeat whatever was not acknowledged, as
Stripe does. Each round the server dies at a random moment and starts again on the same storage. At
the end:

- every acknowledged event is in the inbox, under the id it was acknowledged with;
- every event is there once, however often it was sent;
- every acknowledged event reached the destination, and no event under two `webhook-id`s, which is
  the key a destination is idempotent on.
"""

import argparse
import json
import queue
import random
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

import requests
from harness.deployment import INTEGRATIONS, Sandbox, Server, free_port
from harness.receiver import Receiver
from harness.stripe_events import event, signed
from harness.upstream import RawUpstream, definition

SENDERS = 8


class Load:
    """Senders that deliver what is in the queue until each has its 2xx."""

    def __init__(self, url, generator):
        self.url = url
        self.generator = generator
        self.pending = queue.Queue()
        self.lock = threading.Lock()
        self.sent = set()
        self.receipts = defaultdict(set)
        self.requests = self.refused = 0
        self.unexpected = []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._send, daemon=True) for _ in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def add(self, count):
        """`count` events, about every tenth of them in up to three deliveries, in random order."""
        deliveries = []
        for _ in range(count):
            one = event()
            self.sent.add(one["id"])
            copies = self.generator.choice((2, 3)) if self.generator.random() < 0.1 else 1
            deliveries += [one] * copies
        self.generator.shuffle(deliveries)
        for one in deliveries:
            self.pending.put(one)

    def _send(self):
        session = requests.Session()
        while not self.over.is_set():
            try:
                one = self.pending.get(timeout=0.1)
            except queue.Empty:
                continue
            body, headers = signed(one, INTEGRATIONS["STRIPE_WEBHOOK_SECRET"])
            while not self.over.is_set():
                try:
                    answer = session.post(self.url, data=body, headers=headers, timeout=10)
                except requests.RequestException:
                    with self.lock:
                        self.refused += 1
                    session.close()
                    session = requests.Session()
                    time.sleep(0.02)
                    continue
                with self.lock:
                    self.requests += 1
                    if answer.status_code == 200:
                        self.receipts[one["id"]].add(answer.json()["event_id"])
                        break
                    if answer.status_code != 503:
                        self.unexpected.append(f"{answer.status_code} {answer.text[:200]}")
                        break
                time.sleep(0.02)
            self.pending.task_done()

    def wait_until_acknowledged(self, timeout):
        deadline = time.monotonic() + timeout
        while self.pending.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.pending.unfinished_tasks == 0

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(15)


def problems_with(load, inbox, deliveries):
    """What is wrong, in words; empty when nothing is. `inbox` holds events as the API shows them,
    `deliveries` what the destination recorded."""
    problems = [f"an answer that is neither 200 nor 503: {text}" for text in load.unexpected]
    stored = defaultdict(set)
    for one in inbox:
        stored[one["provider_event_id"]].add(one["id"])
    arrived, owners = defaultdict(set), defaultdict(set)
    for one in deliveries:
        provider_id = json.loads(one["body"])["id"]
        arrived[provider_id].add(one["headers"]["webhook-id"])
        owners[one["headers"]["webhook-id"]].add(provider_id)
    for provider_id, receipts in load.receipts.items():
        if len(receipts) > 1:
            problems.append(f"{provider_id} was acknowledged under several ids: {sorted(receipts)}")
        if not stored[provider_id]:
            problems.append(f"{provider_id} was acknowledged and is lost")
        elif receipts != stored[provider_id]:
            problems.append(f"{provider_id} was acknowledged as {receipts}, stored as {stored[provider_id]}")
        if not arrived[provider_id]:
            problems.append(f"{provider_id} was acknowledged and never delivered")
        elif len(arrived[provider_id]) > 1:
            problems.append(f"{provider_id} reached the destination under {sorted(arrived[provider_id])}")
        elif arrived[provider_id] != receipts:
            problems.append(f"{provider_id} was delivered under another id than it was acknowledged with")
    for provider_id in set(stored) | set(arrived):
        if (stored[provider_id] or arrived[provider_id]) and provider_id not in load.sent:
            problems.append(f"{provider_id} was never sent")
        if len(stored[provider_id]) > 1:
            problems.append(f"{provider_id} is stored {len(stored[provider_id])} times")
    problems += [
        f"webhook-id {one} stands for several events" for one, ids in owners.items() if len(ids) > 1
    ]
    return problems


def kill_rounds(directory, sandbox, rounds, events, seed):
    generator = random.Random(seed)
    receiver = Receiver(directory / "receiver")
    server = Server(directory / "server", sandbox=sandbox.url, port=free_port())
    made = server.post("/v1/destinations", json={"url": receiver.url, "integrations": ["stripe"]})
    assert made.status_code == 201, made.text
    load = Load(f"{server.url}/webhooks/stripe", generator)
    died_busy = 0
    try:
        for number in range(rounds):
            load.add(events)
            time.sleep(generator.uniform(0.05, 1.2))
            busy = load.pending.unfinished_tasks > 0
            died_busy += busy
            server.kill()
            began = time.monotonic()
            server.start()
            print(
                f"  round {number + 1}: killed {'under load' if busy else 'when idle'} after "
                f"{sum(map(len, load.receipts.values()))} acknowledged, "
                f"ready again in {(time.monotonic() - began) * 1000:.0f} ms", flush=True)
            # A faster machine must not empty the queue before the knife falls.
            if not busy:
                events *= 2
        acknowledged = load.wait_until_acknowledged(120)
        load.stop()
        problems = [] if acknowledged else ["senders never got their acknowledgement"]
        if died_busy == 0:
            problems.append("the server was never killed under load, so nothing was shown")

        def undelivered():
            seen = {one["headers"]["webhook-id"] for one in receiver.deliveries()}
            return {id for ids in load.receipts.values() for id in ids} - seen

        deadline = time.monotonic() + 180
        while undelivered() and time.monotonic() < deadline:
            time.sleep(0.5)
        deliveries = receiver.deliveries()
        inbox = list(server.all_pages("/v1/events", integration="stripe", limit=200))
        problems += problems_with(load, inbox, deliveries)
        distinct = {one["headers"]["webhook-id"] for one in deliveries}
        print(
            f"  {rounds} kills, {died_busy} of them under load; {len(load.sent)} events in "
            f"{load.requests} deliveries, {load.refused} refused connections; {len(inbox)} stored, "
            f"{len(distinct)} at the destination, {len(deliveries) - len(distinct)} of them repeated "
            "under their own id")
        if server.stop() != 0:
            problems.append("SIGTERM after the load did not end in exit code 0")
        return problems
    finally:
        load.over.set()
        server.stop()
        receiver.stop()


def drain(directory, bound):
    """SIGTERM while a call is at the provider: it is answered, and the process ends with 0."""
    upstream = RawUpstream()
    server = Server(
        directory / "drain",
        definitions={"raw": definition("raw")},
        configuration={"integrations": {"raw": {"provider": "raw", "base_url": upstream.url}}},
    )
    server.connect_with_key("raw", "u1", "k")
    reached, go_on = threading.Event(), threading.Event()

    def held(exchange):
        exchange.read_body()
        reached.set()
        go_on.wait(20)
        exchange.send('HTTP/1.1 200 OK\r\ncontent-length: 13\r\nconnection: close\r\n\r\n{"late":true}')

    upstream.behave(held)
    answers = []
    caller = threading.Thread(
        target=lambda: answers.append(server.post("/v1/proxy/raw:u1/held", json={})), daemon=True)
    caller.start()
    if not reached.wait(10):
        return ["the call never reached the provider"]
    server.process.interrupt()
    began = time.monotonic()
    time.sleep(0.5)
    problems = []
    if not server.process.is_alive:
        problems.append("SIGTERM ended the process under a call in flight")
    try:
        requests.get(f"{server.url}/healthz", timeout=2)
        problems.append("new connections are still taken after SIGTERM")
    except requests.RequestException:
        pass
    go_on.set()
    caller.join(bound)
    if not answers or answers[0].status_code != 200 or answers[0].json() != {"late": True}:
        problems.append(f"the call in flight was not answered: {answers and answers[0].text}")
    code = server.process.wait(bound)
    took = time.monotonic() - began
    if code != 0:
        problems.append(f"exit code {code} after SIGTERM, within {bound} s 0 was due")
        server.process.kill()
    upstream.close()
    print(f"  SIGTERM: the call in flight was answered, exit {code} after {took:.1f} s")
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--events", type=int, default=400, help="new events a round")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--drain-bound", type=float, default=30, help="seconds")
    options = parser.parse_args()
    print(f"  seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="fairlead-kill-") as name:
        directory = Path(name)
        sandbox = Sandbox(directory / "sandbox")
        try:
            problems = kill_rounds(directory, sandbox, options.rounds, options.events, options.seed)
        finally:
            sandbox.stop()
        problems += drain(directory, options.drain_bound)
    for problem in problems[:20]:
        print(f"  WRONG: {problem}")
    if problems:
        print(f"  {len(problems)} problems; run again with --seed {options.seed}")
    else:
        print("  nothing lost, nothing doubled")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
