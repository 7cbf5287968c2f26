"""Signed Stripe webhooks to the ingress, and what a destination gets."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import standardwebhooks
import stripe
import svix
from harness.deployment import INTEGRATIONS, Server
from harness.stripe_events import event, signed
from harness.waiting import eventually

SECRET = INTEGRATIONS["STRIPE_WEBHOOK_SECRET"]
PATHS = ["/webhooks/stripe", "/api/webhooks/stripe"]


def deliver(server, body, headers, path="/webhooks/stripe"):
    return requests.post(server.url + path, data=body, headers=headers, timeout=30)


def stored(server, event_id):
    answer = server.get(f"/v1/events/{event_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def settled(server, event_id, *statuses):
    """The event once it has one of these states."""
    def look():
        found = stored(server, event_id)
        return found if found["status"] in statuses else None
    return eventually(look, reason=f"{event_id} is not {statuses}")


def counts(server):
    health = server.get("/v1/health").json()["integrations"]
    return next(one for one in health if one["integration"] == "stripe")["webhooks"]


def of_provider(server, provider_event_id):
    return [
        one for one in server.all_pages("/v1/events", integration="stripe")
        if one["provider_event_id"] == provider_event_id
    ]


@pytest.mark.parametrize("path", PATHS)
def test_a_signed_event_is_stored_and_reads_back(server, path):
    sent = event()
    body, headers = signed(sent, SECRET)
    answer = deliver(server, body, headers, path)
    assert answer.status_code == 200
    receipt = answer.json()
    assert receipt["received"] is True and receipt["duplicate"] is False
    found = settled(server, receipt["event_id"], "processed")
    assert found["provider_event_id"] == sent["id"] and found["type"] == sent["type"]
    assert found["integration"] == "stripe" and found["duplicates"] == 0
    payload = found["payload"]
    assert (json.loads(payload) if isinstance(payload, str) else payload) == sent


def test_duplicates_name_the_original_even_at_the_same_moment(server):
    body, headers = signed(event(), SECRET)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: deliver(server, body, headers), range(16)))
    receipts = [answer.json() for answer in answers]
    assert {answer.status_code for answer in answers} == {200}
    assert len({receipt["event_id"] for receipt in receipts}) == 1
    assert [receipt["duplicate"] for receipt in receipts].count(False) == 1
    assert stored(server, receipts[0]["event_id"])["duplicates"] == 15


def test_the_sdk_itself_accepts_what_we_call_signed(server):
    body, headers = signed(event(), SECRET)
    assert stripe.Webhook.construct_event(body, headers["Stripe-Signature"], SECRET)
    assert deliver(server, body, headers).status_code == 200


def forged(case):
    sent = event()
    body, headers = signed(sent, SECRET)
    if case == "another secret":
        body, headers = signed(sent, "whsec_somebody_else")
    elif case == "changed body":
        body = body.replace(b"2000", b"9000")
    elif case == "no signature":
        headers.pop("Stripe-Signature")
    elif case == "stale":
        body, headers = signed(sent, SECRET, int(time.time()) - 3_600)
    elif case == "from the future":
        body, headers = signed(sent, SECRET, int(time.time()) + 3_600)
    elif case == "short signature":
        headers["Stripe-Signature"] = headers["Stripe-Signature"][:-10]
    elif case == "timestamp of another":
        headers["Stripe-Signature"] = f"t={int(time.time()) - 5}," + headers[
            "Stripe-Signature"].split(",")[1]
    else:
        headers["Stripe-Signature"] = case
    return sent, body, headers


@pytest.mark.parametrize("case", [
    "another secret", "changed body", "no signature", "stale", "from the future",
    "short signature", "timestamp of another", "t=,v1=", "v1=00", "t=99999999999999999999,v1=00",
    "t=1,v1=zz", ",,,===", "t=-1,v1=" + "0" * 64,
])
def test_what_is_not_signed_is_refused_and_not_stored(server, case):
    sent, body, headers = forged(case)
    rejected = counts(server)["rejected"]
    answer = deliver(server, body, headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "INVALID_REQUEST"
    assert of_provider(server, sent["id"]) == []
    eventually(lambda: counts(server)["rejected"] == rejected + 1, reason="the refusal is not counted")


def test_any_of_several_signatures_is_enough(server):
    body, headers = signed(event(), SECRET)
    headers["Stripe-Signature"] += f",v1={'0' * 64},v0=whatever"
    assert deliver(server, body, headers).status_code == 200


@pytest.mark.parametrize("body", ["{", "", "[]", "null", "\x00\x01", '{"id": 7}', "[" * 5000],
                         ids=["cut off", "empty", "list", "null", "binary", "odd id", "deep"])
def test_a_signed_body_that_cannot_be_read_is_kept_as_dead(server, body):
    answer = deliver(server, *signed(body, SECRET))
    assert answer.status_code == 200 and answer.json()["received"] is True
    found = settled(server, answer.json()["event_id"], "dead")
    assert found["error"], "its reason is kept"


def test_the_same_id_with_another_body_is_stored_apart(server):
    first = event()
    second = event(event_id=first["id"], amount=9999)
    one = deliver(server, *signed(first, SECRET)).json()
    other = deliver(server, *signed(second, SECRET)).json()
    assert other["event_id"] != one["event_id"]
    assert settled(server, other["event_id"], "quarantined")["deliveries"] == []
    assert settled(server, one["event_id"], "processed")


def test_a_large_body_is_refused_and_a_fairly_large_one_kept(server):
    sent = event(note="x" * (4 << 20))
    assert deliver(server, *signed(sent, SECRET)).status_code == 200
    body, headers = signed(event(note="x" * (26 << 20)), SECRET)
    try:
        answer = deliver(server, body, headers)
    except requests.ConnectionError:
        # Refused before all of it was sent; the reason is lost to a client that still writes.
        pass
    else:
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "PAYLOAD_TOO_LARGE"
    assert server.get("/healthz").status_code == 200


def test_an_unknown_integration_is_not_found(server):
    answer = deliver(server, *signed(event(), SECRET), path="/webhooks/nope")
    assert answer.status_code == 404 and answer.json()["error"]["code"] == "NOT_FOUND"


# --- destinations -----------------------------------------------------------------------------------


def test_a_destination_gets_the_body_as_it_came_signed_by_standard_webhooks(
    server, destination, receiver
):
    body, headers = signed(json.dumps(event(), indent=3) + "\n", SECRET)
    event_id = deliver(server, body, headers).json()["event_id"]
    delivery = eventually(lambda: receiver.deliveries(webhook_id=event_id))[0]
    assert delivery["body"] == body
    got = delivery["headers"]
    assert got["fairlead-integration"] == "stripe"
    assert got["fairlead-event-type"] == "payment_intent.succeeded"
    assert got["fairlead-attempt"] == "1"
    standardwebhooks.Webhook(destination["secret"]).verify(body, got)
    svix.Webhook(destination["secret"]).verify(body, got)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(destination["secret"]).verify(body + b" ", got)
    found = settled(server, event_id, "processed")
    assert len(found["deliveries"]) == 1


def test_duplicates_and_forgeries_reach_a_destination_once_and_never(server, destination, receiver):
    body, headers = signed(event(), SECRET)
    ids = {deliver(server, body, headers).json()["event_id"] for _ in range(3)}
    _, bad_body, bad_headers = forged("changed body")
    assert deliver(server, bad_body, bad_headers).status_code == 400
    last = deliver(server, *signed(event(), SECRET)).json()["event_id"]
    eventually(lambda: receiver.deliveries(webhook_id=last))
    eventually(lambda: receiver.deliveries(webhook_id=next(iter(ids))))
    assert len(ids) == 1 and len(receiver.deliveries()) == 2


def test_a_failing_destination_is_tried_again_under_the_same_id(server, destination, receiver):
    receiver.fail_next(1, status=503)
    event_id = deliver(server, *signed(event(), SECRET)).json()["event_id"]
    tries = eventually(
        lambda: (found := receiver.deliveries(webhook_id=event_id)) and len(found) == 2 and found,
        timeout=20, reason="no second attempt; it is due after 5 s")
    assert [one["headers"]["fairlead-attempt"] for one in tries] == ["1", "2"]
    assert [one["answered"] for one in tries] == [503, 200]
    for one in tries:
        standardwebhooks.Webhook(destination["secret"]).verify(one["body"], one["headers"])
    assert settled(server, event_id, "processed")["attempts"] >= 2


def test_a_redirecting_destination_is_a_failure(server, destination, receiver):
    receiver.fail_next(1, status=302)
    event_id = deliver(server, *signed(event(), SECRET)).json()["event_id"]
    eventually(lambda: len(receiver.deliveries(webhook_id=event_id)) == 2, timeout=20)


def test_types_choose_what_a_destination_gets(server, receiver):
    made = server.post("/v1/destinations", json={
        "url": receiver.url, "integrations": ["stripe"], "types": ["invoice.*"]}).json()
    try:
        deliver(server, *signed(event("customer.created"), SECRET))
        wanted = deliver(server, *signed(event("invoice.paid"), SECRET)).json()["event_id"]
        eventually(lambda: receiver.deliveries(webhook_id=wanted))
        types = {one["headers"]["fairlead-event-type"] for one in receiver.deliveries()}
        assert types == {"invoice.paid"}
    finally:
        server.delete(f"/v1/destinations/{made['id']}")


def test_the_sandbox_sends_what_the_ingress_takes(server, sandbox):
    before = counts(server)["received"]
    sandbox.send_event(
        "stripe", type="payment_intent.succeeded", to=f"{server.url}/webhooks/stripe", times=2)
    eventually(lambda: counts(server)["received"] > before, reason="the event did not arrive")


def test_private_addresses_are_refused_unless_allowed(tmp_path, sandbox_process, receiver):
    server = Server(
        tmp_path, sandbox=sandbox_process.url,
        environment={"FAIRLEAD_ALLOW_PRIVATE_NETWORKS": None})
    try:
        for url in ("http://10.0.0.1/hooks", "http://169.254.169.254/latest", "ftp://x.example/"):
            answer = server.post("/v1/destinations", json={"url": url})
            assert answer.status_code == 400, f"{url}: {answer.text}"
    finally:
        server.stop()


def test_rotated_secrets_all_verify(tmp_path, sandbox_process):
    server = Server(
        tmp_path, sandbox=sandbox_process.url,
        environment={"STRIPE_WEBHOOK_SECRET": "whsec_newer,whsec_older"})
    try:
        for secret, status in (("whsec_newer", 200), ("whsec_older", 200), (SECRET, 400)):
            assert deliver(server, *signed(event(), secret)).status_code == status
    finally:
        server.stop()
