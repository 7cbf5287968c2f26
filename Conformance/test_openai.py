"""The official OpenAI SDK through the proxy."""

import base64
import struct
import time

import openai
import pytest

QUESTION = [{"role": "user", "content": "Say something about harbours."}]


@pytest.fixture
def client(server, key):
    return openai.OpenAI(api_key=key, base_url=server.proxy("openai/v1"), max_retries=0)


@pytest.fixture
def model(client):
    return next(one.id for one in client.models.list() if one.id.startswith("gpt-"))


def test_models_are_listed_and_read_one_by_one(client, model):
    assert client.models.retrieve(model).id == model
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such-model")


def test_a_completion_answers_and_counts(client, model):
    answer = client.chat.completions.create(model=model, messages=QUESTION)
    choice = answer.choices[0]
    assert choice.message.role == "assistant" and choice.message.content
    assert choice.finish_reason == "stop"
    usage = answer.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0


def test_a_stream_has_a_role_deltas_and_usage_at_its_end(client, model):
    chunks = list(client.chat.completions.create(
        model=model, messages=QUESTION, stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    deltas = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert len([delta for delta in deltas if delta]) > 1
    assert [chunk.usage is not None for chunk in chunks].index(True) == len(chunks) - 1
    assert chunks[-1].choices == []
    finishes = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    assert finishes[-1] == "stop" and set(finishes[:-1]) == {None}


def test_a_stream_arrives_as_it_is_made(client, model, sandbox):
    """Chunks that are made apart arrive apart; the proxy holds none back until the end."""
    sandbox.fault("openai", "slow", times=1, chunk_delay_ms=60, match={"path": "/v1/chat/completions"})
    stream = client.chat.completions.create(model=model, messages=QUESTION, stream=True)
    times = [time.monotonic() for _ in stream]
    assert len(times) > 3
    assert times[-1] - times[0] > 0.06 * (len(times) - 2) * 0.5


def test_embeddings_survive_their_base64(client):
    arguments = {"model": "text-embedding-3-small", "input": ["one", "two"], "dimensions": 8}
    answer = client.embeddings.create(**arguments)
    assert [one.index for one in answer.data] == [0, 1]
    assert all(len(one.embedding) == 8 for one in answer.data)
    raw = client.embeddings.with_raw_response.create(**arguments, encoding_format="base64")
    packed = base64.b64decode(raw.http_response.json()["data"][0]["embedding"])
    assert list(struct.unpack("<8f", packed)) == pytest.approx(answer.data[0].embedding)


def test_a_response_is_kept_and_streams(client, model):
    answer = client.responses.create(model=model, input="Say something about harbours.")
    assert answer.status == "completed" and answer.output_text
    assert client.responses.retrieve(answer.id).output_text == answer.output_text
    events = list(client.responses.create(model=model, input="Again.", stream=True))
    assert events[0].type == "response.created" and events[-1].type == "response.completed"
    assert [event.sequence_number for event in events] == sorted({e.sequence_number for e in events})
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert len(deltas) > 1 and "".join(deltas) == events[-1].response.output_text


def test_a_model_that_is_not_there(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="no-such-model", messages=QUESTION)
    assert caught.value.code == "model_not_found"


def test_a_wrong_key_never_reaches_the_provider(server, sandbox):
    before = len(sandbox.requests("openai"))
    client = openai.OpenAI(api_key="fl_wrong", base_url=server.proxy("openai/v1"), max_retries=2)
    with pytest.raises(openai.AuthenticationError) as caught:
        client.models.list()
    assert caught.value.response.json()["error"]["code"] == "UNAUTHENTICATED"
    assert len(sandbox.requests("openai")) == before


@pytest.mark.parametrize("fault", [
    {"kind": "rate_limit", "retry_after": 1}, {"kind": "server_error", "status": 503},
], ids=["429", "503"])
def test_a_passing_fault_is_not_noticed(client, sandbox, fault):
    sandbox.fault("openai", times=1, match={"path": "/v1/models"}, **fault)
    raw = client.models.with_raw_response.list()
    assert raw.headers["fairlead-attempts"] == "2" and raw.parse().data


def test_a_lasting_fault_is_the_sdk_s_error_and_not_multiplied(server, key, sandbox):
    client = openai.OpenAI(api_key=key, base_url=server.proxy("openai/v1"), max_retries=2)
    before = len(sandbox.requests("openai", "/v1/models"))
    sandbox.fault("openai", "server_error", status=500, times=50)
    with pytest.raises(openai.InternalServerError) as caught:
        client.models.list()
    sandbox.clear_faults()
    headers = caught.value.response.headers
    assert headers["x-should-retry"] == "false"
    arrived = len(sandbox.requests("openai", "/v1/models")) - before
    assert arrived == int(headers["fairlead-attempts"]) > 1
