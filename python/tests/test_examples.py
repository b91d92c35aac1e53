"""The examples, as their users run them: real servers, and the official clients through the proxy."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from conftest import assert_accepted

from modeltrail import AuditLogger

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"

# Seconds until a server that does not end fails its test.
HANGS_S = 60

TOLD = "please write to jane@example.com about the loan"
RECORDED = "please write to [EMAIL] about the loan"


@contextlib.contextmanager
def uvicorn(folder: str, app: str, environment: dict[str, str], *arguments: str) -> Iterator[str]:
    """A server of its own process, on a socket that is already listened at, so that nobody waits for its start."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-m", "uvicorn", app, "--fd", str(listener.fileno()), "--log-level", "warning"]
        server = subprocess.Popen(
            [*command, *arguments],
            cwd=EXAMPLES / folder,
            env={**os.environ, **environment},
            pass_fds=[listener.fileno()],
        )
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(HANGS_S)


@contextlib.contextmanager
def proxy(store: str, upstream: str) -> Iterator[str]:
    program = os.environ.get("MODELTRAIL_BIN")
    if not program:
        pytest.skip("MODELTRAIL_BIN names no modeltrail program")
    command = [program, "--store", store, "proxy", "--upstream", upstream, "--listen", "127.0.0.1:0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().split()[1]
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(HANGS_S) == 0
        server.stdout.close()


def post(url: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, body, {"content-type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=HANGS_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_fastapi_with_a_real_model(tmp_path: pathlib.Path) -> None:
    store = f"sqlite:{tmp_path}/audit.db"
    AuditLogger(store).close()
    measures = ", ".join("1.0" for _ in range(30))
    with uvicorn("fastapi", "main:app", {"MODELTRAIL_STORE": store}, "--workers", "2") as url:
        for n in range(20):
            body = f'{{"measures": [{measures}], "patient": "p-{n}"}}'.encode()
            status, _ = post(f"{url}/predict", body, **{"x-user-id": "dr_jane"})
            assert status == 200
        assert post(f"{url}/predict", b'{"measures": [1], "patient": "p-20"}')[0] == 422
    with AuditLogger(store) as audit:
        records = audit.query_by_model("tumour_classifier")
        assert sorted(record.subject_id for record in records) == sorted(f"p-{n}" for n in range(21))
        done = [record for record in records if record.status == "success"]
        assert {record.output_data["prediction"] for record in done} <= {"benign", "malignant"}
        assert len(done) == 20 and {record.user_id for record in done} == {"dr_jane"}
        [refused] = [record for record in records if record.status == "failure"]
        assert refused.error["code"] == "http_422"
        assert_accepted(audit)


@pytest.fixture
def asked(tmp_path: pathlib.Path) -> Iterator[tuple[str, str]]:
    """A ledger, and the address of a proxy before the small server."""
    store = f"sqlite:{tmp_path}/audit.db"
    AuditLogger(store).close()
    with uvicorn("llm", "server:app", {}) as upstream, proxy(store, upstream) as url:
        yield store, url
    with AuditLogger(store) as audit:
        assert_accepted(audit)


def recorded(store: str, model: str, n: int) -> list[Any]:
    """The records once there are `n` of them: the last one is made when its answer has ended here."""
    with AuditLogger(store) as audit:
        while len(found := audit.query_by_model(model)) < n:
            pass
    return list(reversed(found))


def test_the_client_of_openai(asked: tuple[str, str]) -> None:
    store, url = asked
    with openai.OpenAI(api_key="sk-hidden", base_url=f"{url}/v1", max_retries=0) as client:
        messages: Any = [{"role": "user", "content": TOLD}]
        whole = client.chat.completions.create(model="echo", messages=messages, temperature=0.5, user="customer-1")
        assert whole.choices[0].message.content == TOLD
        stream = client.chat.completions.create(
            model="echo", messages=messages, stream=True, stream_options={"include_usage": True}
        )
        pieces = [choice.delta.content or "" for chunk in stream for choice in chunk.choices]
        assert "".join(pieces) == TOLD
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(model="echo", messages=[{"role": "user", "content": "fail"}])
    first, streamed, failed = recorded(store, "echo", 3)
    for record in (first, streamed):
        assert record.model_version == "echo-2026-11-01"
        assert record.output_data["choices"][0]["message"]["content"] == RECORDED
        assert record.metadata["usage"]["total_tokens"] == 14
        assert record.metadata["finish_reason"] == "stop"
        assert "sk-hidden" not in repr(record.metadata)
    assert (first.user_id, first.pipeline) == ("customer-1", {"decoding": {"temperature": 0.5}})
    assert streamed.output_data["object"] == first.output_data["object"] == "chat.completion"
    assert (failed.status, failed.error["code"]) == ("failure", "overloaded")


def test_the_client_of_anthropic(asked: tuple[str, str]) -> None:
    store, url = asked
    with anthropic.Anthropic(api_key="sk-ant-hidden", base_url=url, max_retries=0) as client:
        messages: Any = [{"role": "user", "content": TOLD}]
        whole = client.messages.create(model="echo", max_tokens=64, messages=messages, metadata={"user_id": "u1"})
        assert whole.content[0].type == "text" and whole.content[0].text == TOLD
        with client.messages.stream(model="echo", max_tokens=64, messages=messages) as stream:
            assert "".join(stream.text_stream) == TOLD
    first, streamed = recorded(store, "echo", 2)
    for record in (first, streamed):
        assert record.output_data == {**first.output_data}
        assert record.output_data["content"] == [{"type": "text", "text": RECORDED}]
        assert record.metadata["usage"] == {"input_tokens": 7, "output_tokens": 7}
        assert record.metadata["finish_reason"] == "end_turn"
    assert first.user_id == "u1"
