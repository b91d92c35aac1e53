"""The ASGI middleware: one record for each request, however it ends, and answers as they are without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from modeltrail import AuditLogger, AuditMiddleware, RecordError

Scope = dict[str, Any]


def app() -> Starlette:
    async def predict(request: Request) -> JSONResponse:
        body = await request.json()
        return JSONResponse({"prediction": "legitimate", "amount": body["amount"]})

    async def stream(request: Request) -> StreamingResponse:
        async def events() -> AsyncIterator[str]:
            yield 'data: {"n": 1}\n\n'
            yield 'data: {"n": 2}\n\n'

        return StreamingResponse(events(), media_type="text/event-stream")

    async def fails(request: Request) -> JSONResponse:
        raise ValueError("no such model")

    async def ignores(request: Request) -> JSONResponse:
        return JSONResponse({"error": "busy"}, 503)

    paths = {"/predict": predict, "/stream": stream, "/fails": fails, "/ignores": ignores}
    return Starlette(routes=[Route(path, call, methods=["GET", "POST"]) for path, call in paths.items()])


def scope(path: str, method: str = "POST", headers: dict[str, str] | None = None) -> Scope:
    given = {"content-type": "application/json", **(headers or {})}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": ("192.0.2.7", 5000),
        "server": ("testserver", 80),
    }


async def ask(application: Any, request: Scope, *pieces: bytes, hangs_up: bool = False) -> list[Any]:
    """Calls an application as a server does; gives what it sent."""
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces[:-1]]
    messages += [{"type": "http.request", "body": piece, "more_body": False} for piece in pieces[-1:]]
    if hangs_up:
        messages += [{"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        if messages:
            return messages.pop(0)
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(dict(message))

    await application(request, receive, send)
    return sent


def wrapped(audit: AuditLogger, **arguments: Any) -> AuditMiddleware:
    return AuditMiddleware(app(), audit=audit, model="m", version="v1", **arguments)


def test_a_request_is_a_record_and_its_answer_is_as_without(audit: AuditLogger) -> None:
    body = (b'{"amount": 12345678901234567890, ', b'"mail": "jane@example.com"}')
    headers = {"x-user-id": "jane", "authorization": "Bearer sk-hidden", "x-kept": "a"}
    bare = asyncio.run(ask(app(), scope("/predict"), *body))
    middle = wrapped(audit, user="header:x-user-id", record_headers=["x-kept"])
    assert asyncio.run(ask(middle, scope("/predict", headers=headers), *body)) == bare
    [record] = audit.query_by_model("m")
    assert record.input_data == {"amount": 12345678901234567890, "mail": "[EMAIL]"}
    assert record.output_data == {"prediction": "legitimate", "amount": 12345678901234567890}
    assert (record.user_id, record.model_version, record.status) == ("jane", "v1", "success")
    assert record.metadata["capture"]["claimed"] == ["user_id"]
    assert record.metadata["http"]["request_headers"] == {"x-kept": "a"}
    assert "hidden" not in repr(record.metadata)


def test_streams_failures_and_bodies_that_nobody_reads(audit: AuditLogger) -> None:
    middle = wrapped(audit)
    asyncio.run(ask(middle, scope("/stream"), b"{}"))
    with pytest.raises(ValueError, match="no such model"):
        asyncio.run(ask(middle, scope("/fails"), b"{}"))
    asyncio.run(ask(middle, scope("/ignores"), b'{"amount": 1}'))
    asyncio.run(ask(middle, scope("/ignores", "GET"), b""))  # asks no model anything
    unread, failed, streamed = audit.query_by_model("m")
    assert streamed.output_data == [{"n": 1}, {"n": 2}]
    assert (failed.status, failed.error) == ("failure", {"code": "http_500", "message": "answered with status 500"})
    assert (unread.status, unread.input_data) == ("failure", None)


def test_who_hangs_up_is_recorded_as_gone(audit: AuditLogger) -> None:
    async def waits(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    middle = AuditMiddleware(waits, audit=audit, model="m", version="v1")
    asyncio.run(ask(middle, scope("/predict"), b'{"amount": 1}', hangs_up=True))

    async def cancelled() -> None:
        task = asyncio.ensure_future(ask(middle, scope("/predict"), b'{"amount": 2}'))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    records = audit.query_by_model("m")
    assert [record.error["code"] for record in records] == ["client_disconnected"] * 2


def test_many_at_once_are_as_many_records(audit: AuditLogger) -> None:
    middle = wrapped(audit, capture="before_response", identify=lambda scope: {"user_id": scope["user"]})
    paths = ["/predict", "/stream", "/fails", "/ignores", "/missing"]

    async def one(n: int) -> None:
        request = {**scope(paths[n % 5]), "user": f"user-{n}"}
        try:
            await ask(middle, request, b'{"amount": %d}' % n)
        except ValueError:
            assert n % 5 == 2

    async def all_of_them() -> None:
        await asyncio.gather(*(one(n) for n in range(500)))

    asyncio.run(all_of_them())
    records = audit.query_by_model("m", limit=2000)
    predictions = [record for record in records if record.kind == "prediction"]
    assert sorted(record.user_id for record in predictions) == sorted(f"user-{n}" for n in range(500))
    assert len({record.request_id for record in predictions}) == 500
    assert sum(record.kind == "intent" for record in records) == 500
    assert all("claimed" not in record.metadata["capture"] for record in predictions)


def test_a_configuration_that_cannot_be_is_refused_at_once(audit: AuditLogger) -> None:
    with pytest.raises(RecordError, match="carries credentials"):
        wrapped(audit, user="header:authorization")
