"""The WSGI middleware, around Flask and around bare applications."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults

import flask
import pytest

from modeltrail import AuditLogger
from modeltrail.wsgi import AuditMiddleware


def environment(path: str, body: bytes) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "HTTP_X_USER_ID": "jane",
        "HTTP_COOKIE": "c=hidden",
        "REMOTE_ADDR": "192.0.2.7",
    }
    setup_testing_defaults(environ)
    return environ


def ask(application: Any, environ: dict[str, Any], n_pieces: int | None = None) -> tuple[Any, bytes]:
    """Calls an application as a server does; it may go away after some pieces."""
    started: list[Any] = []
    answer = application(environ, lambda status, headers, *rest: started.append((status, headers)))
    pieces = []
    for piece in answer:
        pieces.append(piece)
        if len(pieces) == n_pieces:
            break
    close = getattr(answer, "close", None)
    if close is not None:
        close()
    return started, b"".join(pieces)


def flask_app() -> flask.Flask:
    app = flask.Flask("t")

    @app.post("/predict")
    def predict() -> dict[str, Any]:
        return {"prediction": "legitimate", "amount": flask.request.get_json()["amount"]}

    @app.post("/fails")
    def fails() -> str:
        raise ValueError

    return app


def test_flask_answers_as_without_and_each_request_is_a_record(audit: AuditLogger) -> None:
    app = flask_app()
    bare = ask(app.wsgi_app, environment("/predict", b'{"amount": 1.50}'))
    middle = AuditMiddleware(app.wsgi_app, audit=audit, model="m", version="v1", user="header:x-user-id")
    assert ask(middle, environment("/predict", b'{"amount": 1.50}')) == bare
    assert ask(middle, environment("/fails", b"{}"))[0][0][0].startswith("500")
    failed, done = audit.query_by_model("m")
    assert (done.input_data, done.output_data["prediction"]) == ({"amount": 1.5}, "legitimate")
    assert (done.user_id, done.client_address) == ("jane", "192.0.2.7")
    assert (failed.status, failed.error["code"]) == ("failure", "http_500")


def test_bare_applications_end_in_every_way(audit: AuditLogger) -> None:
    def application(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        assert [*environ["wsgi.input"]] == [b'{"a":\n', b"1}"]
        yield b'data: {"n": 1}\n\n'
        if environ["PATH_INFO"] == "/breaks":
            raise ValueError("it broke")
        yield b'data: {"n": 2}\n\n'

    def unready(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise KeyError("model")

    body = b'{"a":\n1}'
    for capture in ("after", "before_response"):
        middle = AuditMiddleware(application, audit=audit, model="m", version="v1", capture=capture)
        ask(middle, environment("/", body))
        ask(middle, environment("/", body), n_pieces=1)
        with pytest.raises(ValueError, match="it broke"):
            ask(middle, environment("/breaks", body))
        with pytest.raises(KeyError):
            ask(AuditMiddleware(unready, audit=audit, model="m", version="v1"), environment("/", body))
    records = [it for it in audit.query_by_model("m") if it.kind == "prediction"]
    codes = [record.error and record.error["code"] for record in reversed(records)]
    assert codes == [None, "client_disconnected", "ValueError", "KeyError"] * 2
    outputs = [record.output_data for record in reversed(records)]
    assert outputs[:3] == [[{"n": 1}, {"n": 2}], [{"n": 1}], [{"n": 1}]]
    assert [record.input_data for record in records[1:4]] == [{"a": 1}] * 3
