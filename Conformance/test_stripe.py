"""The official Stripe SDK, its base address pointed at the proxy and its API key a Fairlead key."""

import uuid

import pytest
import stripe
from harness.deployment import INTEGRATIONS
from harness.sandbox import header


@pytest.fixture
def client(server, key):
    return stripe.StripeClient(key, base_addresses={"api": server.proxy("stripe")})


@pytest.fixture
def email():
    return f"{uuid.uuid4().hex}@example.test"


def with_email(client, email):
    return client.v1.customers.list({"email": email}).data


def test_what_is_created_reads_back(client, email):
    made = client.v1.customers.create({
        "email": email, "name": "Åsa & Søn", "metadata": {"plan": "pro", "a key": "1=2&3"},
    })
    read = client.v1.customers.retrieve(made.id)
    assert made.id.startswith("cus_") and made.object == "customer"
    assert (read.email, read.name) == (email, "Åsa & Søn")
    assert read.metadata.to_dict() == {"plan": "pro", "a key": "1=2&3"}
    assert read.to_dict() == made.to_dict()


def test_update_changes_only_what_it_names(client, email):
    made = client.v1.customers.create({"email": email, "name": "Before", "metadata": {"a": "1", "b": "2"}})
    client.v1.customers.update(made.id, {"name": "After", "metadata": {"b": ""}})
    read = client.v1.customers.retrieve(made.id)
    assert (read.name, read.email, read.metadata.to_dict()) == ("After", email, {"a": "1"})


def test_a_deleted_customer_says_so(client, email):
    made = client.v1.customers.create({"email": email})
    assert client.v1.customers.delete(made.id).deleted is True
    assert client.v1.customers.retrieve(made.id).deleted is True
    assert with_email(client, email) == []


def test_lists_page_to_the_end_newest_first(client, email):
    made = [client.v1.customers.create({"email": email}).id for _ in range(7)]
    page = client.v1.customers.list({"email": email, "limit": 3})
    assert page.has_more and [customer.id for customer in page.data] == made[:-4:-1]
    assert [customer.id for customer in page.auto_paging_iter()] == made[::-1]


def test_a_missing_object_is_the_sdk_s_own_error(client):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.customers.retrieve("cus_does_not_exist")
    assert caught.value.http_status == 404 and caught.value.code == "resource_missing"
    assert caught.value.headers["fairlead-error-code"] == "NOT_FOUND"


def test_a_subscription_runs_its_course(client, email):
    customer = client.v1.customers.create({"email": email})
    product = client.v1.products.create({"name": "Plan"})
    price = client.v1.prices.create({
        "product": product.id, "unit_amount": 900, "currency": "usd",
        "recurring": {"interval": "month"},
    })
    made = client.v1.subscriptions.create({
        "customer": customer.id, "items": [{"price": price.id, "quantity": 2}],
        "payment_behavior": "default_incomplete", "trial_period_days": 7,
    })
    item = made["items"].data[0]
    assert (item.price.id, item.quantity) == (price.id, 2)
    assert item.current_period_end > item.current_period_start
    ending = client.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    assert ending.cancel_at_period_end is True and ending.status == made.status
    assert client.v1.subscriptions.cancel(made.id).status == "canceled"
    assert client.v1.subscriptions.retrieve(made.id).status == "canceled"


def test_expand_brings_the_object_itself(client, email):
    customer = client.v1.customers.create({"email": email})
    intent = client.v1.payment_intents.create({
        "amount": 1500, "currency": "usd", "customer": customer.id,
    })
    assert client.v1.payment_intents.retrieve(intent.id).customer == customer.id
    expanded = client.v1.payment_intents.retrieve(intent.id, {"expand": ["customer"]})
    assert expanded.customer.email == email


def test_a_declined_card_is_a_card_error_and_sent_once(client, sandbox):
    before = len(sandbox.requests("stripe", "/v1/payment_intents"))
    with pytest.raises(stripe.CardError) as caught:
        client.v1.payment_intents.create({
            "amount": 2000, "currency": "usd", "confirm": True,
            "payment_method": "pm_card_chargeDeclined",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        })
    assert caught.value.http_status == 402 and caught.value.code == "card_declined"
    assert caught.value.headers["x-should-retry"] == "false"
    assert len(sandbox.requests("stripe", "/v1/payment_intents")) == before + 1


def test_an_idempotency_key_replays_the_first_answer(client, email):
    options = {"idempotency_key": uuid.uuid4().hex}
    first = client.v1.customers.create({"email": email}, options)
    again = client.v1.customers.create({"email": email}, options)
    assert again.id == first.id and len(with_email(client, email)) == 1
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError) as caught:
        client.v1.customers.create({"email": f"other-{email}"}, options)
    assert caught.value.http_status == 400


@pytest.mark.parametrize("fault", [
    {"kind": "rate_limit", "retry_after": 1},
    {"kind": "rate_limit", "retry_after": 2, "retry_after_format": "date"},
    {"kind": "server_error", "status": 503},
    {"kind": "server_error", "status": 500},
    {"kind": "reset"},
    {"kind": "garbage"},
], ids=["429 in seconds", "429 with a date", "503", "500", "reset", "garbage"])
def test_a_passing_fault_is_not_noticed_and_doubles_nothing(client, sandbox, email, fault):
    sandbox.fault("stripe", times=1, match={"method": "POST", "path": "/v1/customers"}, **fault)
    made = client.v1.customers.create({"email": email})
    assert [customer.id for customer in with_email(client, email)] == [made.id]
    arrived = sandbox.requests("stripe", "/v1/customers")
    attempts = [entry for entry in arrived if entry["method"] == "POST"][-2:]
    keys = {header(entry, "idempotency-key") for entry in attempts}
    assert len(attempts) == 2 and len(keys) == 1 and None not in keys
    assert made.last_response.headers["fairlead-attempts"] == "2"


def test_a_wait_is_said(client, sandbox, email):
    sandbox.fault("stripe", "rate_limit", times=1, retry_after=1)
    headers = client.v1.customers.create({"email": email}).last_response.headers
    assert int(headers["fairlead-waited-ms"]) >= 1_000
    assert headers["fairlead-wait-reason"] and headers["fairlead-request-id"]


def test_commit_then_drop_is_repeated_with_the_same_key_and_stored_once(client, sandbox, email):
    sandbox.fault(
        "stripe", "drop_after_commit", times=1, match={"method": "POST", "path": "/v1/customers"})
    made = client.v1.customers.create({"email": email})
    assert [customer.id for customer in with_email(client, email)] == [made.id]


def test_the_sdk_does_not_multiply_our_retries(server, key, sandbox):
    client = stripe.StripeClient(
        key, base_addresses={"api": server.proxy("stripe")}, max_network_retries=2)
    before = len(sandbox.requests("stripe", "/v1/customers"))
    sandbox.fault("stripe", "server_error", status=500, times=50)
    with pytest.raises(stripe.APIError) as caught:
        client.v1.customers.list()
    sandbox.clear_faults()
    headers = caught.value.headers
    assert headers["x-should-retry"] == "false" and headers["stripe-should-retry"] == "false"
    arrived = len(sandbox.requests("stripe", "/v1/customers")) - before
    assert arrived == int(headers["fairlead-attempts"]) > 1


def test_the_provider_sees_its_key_and_not_ours(client, key, sandbox, email):
    client.v1.customers.create({"email": email})
    entry = sandbox.requests("stripe", "/v1/customers")[-1]
    assert INTEGRATIONS["STRIPE_SECRET_KEY"] in header(entry, "authorization")
    assert key not in str(entry)
