"""`@audit_endpoint` on endpoints of FastAPI and Starlette, of each shape."""

from __future__ import annotations

import decimal
from typing import Annotated, Any

import pydantic
import pytest
from fastapi import FastAPI, Header, HTTPException, Request
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from modeltrail import AuditLogger, audit_endpoint


class Body(pydantic.BaseModel):
    amount: decimal.Decimal
    note: str = "none"


class Answer(pydantic.BaseModel):
    label: str


def only(audit: AuditLogger) -> Any:
    (record,) = audit.query_by_model("m")
    return record


def decorated(audit: AuditLogger) -> Any:
    return audit_endpoint("m", "v1", audit=audit)


def fast(audit: AuditLogger, endpoint: Any, method: str = "POST", path: str = "/p") -> TestClient:
    app = FastAPI()
    app.add_api_route(path, decorated(audit)(endpoint), methods=[method])
    return TestClient(app)


async def with_request(request: Request) -> Any:
    return {"label": (await request.json())["kind"]}


async def with_body(body: Body) -> Answer:
    return Answer(label=str(body.amount))


def with_body_sync(body: Body, x_extra: Annotated[str, Header()] = "-") -> dict[str, str]:
    return {"label": f"{body.amount}{x_extra}"}


async def with_both(body: Body, request: Request) -> dict[str, str]:
    return {"label": request.headers["x-extra"]}


def with_request_sync(request: Request) -> dict[str, str]:
    return {"label": request.url.path}


@pytest.mark.parametrize(
    ("endpoint", "label"),
    [(with_request, "k"), (with_body, "1.1"), (with_body_sync, "1.1e"), (with_both, "e"), (with_request_sync, "/p")],
)
def test_every_shape_of_endpoint(audit: AuditLogger, endpoint: Any, label: str) -> None:
    sent = b'{"amount": 1.10, "kind": "k"}'
    headers = {"X-User-ID": "jane", "x-extra": "e", "content-type": "application/json"}
    answer = fast(audit, endpoint).post("/p", content=sent, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"label": label})
    record = only(audit)
    assert record.input_bytes == b'{"amount":1.1,"kind":"k"}'
    assert (record.output_data, record.user_id, record.status) == ({"label": label}, "jane", "success")
    assert record.metadata == {"ip": "testclient", "endpoint": "/p"}


def test_fastapi_sees_the_endpoints_own_signature(audit: AuditLogger) -> None:
    client = fast(audit, with_body)
    assert client.post("/p", json={"note": 1}).status_code == 422
    schema = client.get("/openapi.json").json()
    operation = schema["paths"]["/p"]["post"]
    assert operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/Body")
    assert "parameters" not in operation
    assert audit.query_by_model("m") == [], "the framework refused it before the endpoint"


@pytest.mark.parametrize("endpoint_is_async", [True, False])
def test_starlettes_plain_endpoints(audit: AuditLogger, endpoint_is_async: bool) -> None:
    async def answer(request):  # type: ignore[no-untyped-def]
        return JSONResponse({"label": (await request.json())["a"]})

    def answer_sync(request):  # type: ignore[no-untyped-def]
        return JSONResponse({"label": 1})

    endpoint = decorated(audit)(answer if endpoint_is_async else answer_sync)
    client = TestClient(Starlette(routes=[Route("/p", endpoint, methods=["POST"])]))
    assert client.post("/p", json={"a": 1}).json() == {"label": 1}
    record = only(audit)
    assert (record.input_data, record.output_data, record.user_id) == ({"a": 1}, {"label": 1}, "anonymous")


def test_failures_are_recorded_and_answered_as_before(audit: AuditLogger) -> None:
    async def refuse(request: Request) -> None:
        raise HTTPException(403, "not you")

    async def fail(request: Request) -> None:
        raise RuntimeError("broken")

    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse("away", status_code=503)

    assert fast(audit, refuse).post("/p", json={}).status_code == 403
    with pytest.raises(RuntimeError, match="broken"):
        fast(audit, fail).post("/p", json={})
    assert fast(audit, answer).post("/p", json={}).text == "away"
    away, failed, refused = audit.query_by_model("m")
    assert [one.status for one in (away, failed, refused)] == ["failure"] * 3
    assert [one.error["code"] for one in (away, failed, refused)] == ["http_503", "RuntimeError", "HTTPException"]
    assert (away.output_data, away.output_media_type) == (b"away", "text/plain")


def test_inputs_that_are_no_json(audit: AuditLogger) -> None:
    client = fast(audit, with_request_sync)
    assert client.post("/p", content=b"\x89PNG", headers={"content-type": "image/png"}).status_code == 200
    assert client.post("/p", content=b'{"a":1,"a":2}').status_code == 200
    twice, image = audit.query_by_model("m")
    assert (image.input_data, image.input_media_type) == (b"\x89PNG", "image/png")
    assert (twice.input_data, twice.input_media_type) == (b'{"a":1,"a":2}', "application/json")


def test_a_request_without_a_body_is_its_parameters(audit: AuditLogger) -> None:
    async def answer(item: int, q: str = "-") -> dict[str, Any]:
        return {"label": f"{item}{q}"}

    assert fast(audit, answer, "GET", "/p/{item}").get("/p/5?q=x").json() == {"label": "5x"}
    assert only(audit).input_data == {"item": "5", "q": "x"}


def test_a_stream_is_recorded_at_its_end(audit: AuditLogger) -> None:
    async def answer(request: Request) -> StreamingResponse:
        async def pieces() -> Any:
            for piece in ("mail bob@", "example.org"):
                yield piece

        return StreamingResponse(pieces(), media_type="text/plain")

    assert fast(audit, answer).post("/p", json={}).text == "mail bob@example.org"
    assert only(audit).output_data == "mail [EMAIL]"


