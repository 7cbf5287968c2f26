"""A provider that goes down: flagged fallbacks for the unmodified SDK, the circuit breaker, and
everything else as before."""

import time
from pathlib import Path

import openai
import pytest
import stripe
import yaml

from harness.deployment import Server
from harness.waiting import eventually

MESSAGE = "Our assistant is taking a short break. Please try again in a moment."
QUESTION = [{"role": "user", "content": "Say something about harbours."}]
CATALOG = Path(__file__).parents[1] / "Sources" / "Fairlead" / "Providers" / "Catalog"


@pytest.fixture(scope="module")
def house(directory, sandbox_process):
    """A server whose operator set a message for OpenAI; its breaker's breaks are short."""
    definition = yaml.safe_load((CATALOG / "openai.yaml").read_text())
    definition |= {"replaces_catalog": True, "breaker": {"open": "1s"}}
    definition["retry"] |= {"base": "10ms", "cap": "50ms"}
    server = Server(
        directory / "degradation", sandbox=sandbox_process.url,
        definitions={"openai": definition},
        configuration={"integrations": {"openai": {"fallback": {
            "message": MESSAGE, "stale_if_error": "1h"}}}},
    )
    yield server
    server.stop()


@pytest.fixture
def key(house):
    return house.create_key("degradation", "proxy")


@pytest.fixture
def client(house, key):
    return openai.OpenAI(api_key=key, base_url=house.proxy("openai/v1"), max_retries=2)


@pytest.fixture
def calls(house, sandbox, client):
    """Ends with OpenAI up and its breaker closed, whatever the check did."""
    yield
    sandbox.clear_faults()

    def is_up():
        answer = house.get("/v1/proxy/openai/v1/models", headers={"fairlead-fallback": "off"})
        return answer.status_code == 200 and breaker(house) == "closed"

    eventually(is_up, reason="OpenAI did not come back")


def breaker(house, integration="openai"):
    entries = house.get("/v1/health").json()["integrations"]
    return next(one["breaker"] for one in entries if one["integration"] == integration)


def take_down(sandbox, kind="server_error"):
    more = {"status": 503} if kind == "server_error" else {}
    sandbox.fault("openai", kind, times=10_000, **more)


@pytest.mark.parametrize("kind", ["server_error", "reset", "garbage"])
def test_a_completion_is_answered_while_the_provider_is_down(house, client, sandbox, calls, kind):
    take_down(sandbox, kind)
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=QUESTION)
    assert raw.status_code == 200
    assert raw.headers["fairlead-fallback"] == "true"
    assert raw.headers["fairlead-fallback-kind"] == "canned"
    assert raw.headers["fairlead-error-code"] in ("SERVICE_UNAVAILABLE", "OUTCOME_UNKNOWN")
    answer = raw.parse()
    assert answer.object == "chat.completion" and answer.model == "gpt-4o-mini"
    assert answer.id.startswith("chatcmpl-") and abs(answer.created - time.time()) < 60
    assert answer.choices[0].message.content == MESSAGE
    assert answer.choices[0].finish_reason == "stop" and answer.usage.total_tokens == 0


def test_a_stream_is_answered_while_the_provider_is_down(client, sandbox, calls):
    take_down(sandbox)
    raw = client.chat.completions.with_raw_response.create(
        model="gpt-4o-mini", messages=QUESTION, stream=True,
        stream_options={"include_usage": True})
    assert raw.headers["fairlead-fallback"] == "true"
    chunks = list(raw.parse())
    assert len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.object == "chat.completion.chunk" for chunk in chunks)
    assert chunks[0].choices[0].delta.role == "assistant"
    said = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(said) == MESSAGE and len([word for word in said if word]) > 5
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == [] and chunks[-1].usage.total_tokens == 0


def test_what_words_would_not_serve_gets_the_error(client, sandbox, calls):
    take_down(sandbox)
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(
            model="gpt-4o-mini", messages=QUESTION, response_format={"type": "json_object"})
    assert "fairlead-fallback" not in caught.value.response.headers
    with pytest.raises(openai.APIStatusError):
        client.embeddings.create(model="text-embedding-3-small", input="harbours")


def test_a_mistake_of_the_caller_is_not_papered_over(client, calls):
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="no-such-model", messages=QUESTION)


def test_the_last_good_list_is_given_and_dated(house, key, client, sandbox, calls):
    good = {model.id for model in client.models.list()}
    take_down(sandbox)
    raw = client.models.with_raw_response.list()
    assert raw.headers["fairlead-fallback-kind"] == "stale" and int(raw.headers["age"]) >= 0
    assert {model.id for model in raw.parse()} == good
    answer = house.get("/v1/proxy/openai/v1/models", headers={"fairlead-fallback": "off"})
    assert answer.status_code == 503 and "fairlead-fallback" not in answer.headers


def test_the_breaker_opens_probes_and_recovers_and_stripe_never_notices(
    house, key, client, sandbox, calls,
):
    payments = stripe.StripeClient(
        key, base_addresses={"api": house.proxy("stripe")}, max_network_retries=0)
    take_down(sandbox)
    for _ in range(8):
        client.chat.completions.create(model="gpt-4o-mini", messages=QUESTION)
        if breaker(house) == "open":
            break
    assert breaker(house) == "open" and breaker(house, "stripe") == "closed"
    status = house.get("/v1/integrations/openai").json()
    assert status["breaker"] == "open" and status["fallback"] is True
    assert status["message"].startswith("OpenAI is temporarily unavailable")
    metrics = house.get("/metrics").text
    assert 'fairlead_breaker_state{integration="openai"} 2' in metrics

    # Nothing is sent during the break, and what cannot be stood in for says when to come back.
    def refused():
        before = len(sandbox.requests("openai"))
        answer = house.get("/v1/proxy/openai/v1/models/x", headers={"fairlead-fallback": "off"})
        if answer.headers["fairlead-attempts"] != "0":
            return None
        assert len(sandbox.requests("openai")) == before
        return [answer]  # a response that failed is no true value

    [answer] = eventually(refused, reason="every call was sent")
    assert answer.status_code == 503 and 1 <= int(answer.headers["retry-after"]) <= 120
    assert answer.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert answer.json()["error"]["retryable"] is True
    assert payments.v1.customers.list(params={"limit": 1}).object == "list"

    sandbox.clear_faults()

    def answered():
        raw = client.chat.completions.with_raw_response.create(
            model="gpt-4o-mini", messages=QUESTION)
        return "fairlead-fallback" not in raw.headers

    eventually(answered, reason="the breaker never let a probe out")
    assert breaker(house) == "closed"
    records = [
        one for one in house.all_pages("/v1/requests", integration="openai") if one["fallback"]]
    assert records and all(one["outcome"] == "failure" for one in records)
