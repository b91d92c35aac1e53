"""`AuditMiddleware`: every request of an ASGI application is a record, whatever framework it is written in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from modeltrail import _native
from modeltrail._middleware import Route, Source, capture_of, end, end_failed

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Identify = Callable[[Scope], "dict[str, str | None]"]


class AuditMiddleware:
    """Records each request that passes, as it streams and without waiting: `app.add_middleware(AuditMiddleware,
    model="fraud_detector", version="v3.2.1")`.

    `identify(scope)` gives what the application knows of who asked: `user_id`, `subject_id`, `session_id`,
    `request_id`. It is called when the answer begins, so that what inner middleware left in the scope is there.
    Every other argument is as in `docs/capture.md`.
    """

    def __init__(
        self,
        app: App,
        *,
        audit: _native.AuditLogger | None = None,
        model: Source | None = None,
        version: Source | None = None,
        provider: Source | None = None,
        user: Source | None = None,
        subject: Source | None = None,
        session: Source | None = None,
        request_id: Source | None = None,
        trusted: list[str] | None = None,
        methods: list[str] | None = None,
        shape: str | None = None,
        capture: str | None = None,
        routes: list[Route] | None = None,
        record_headers: list[str] | None = None,
        body_bytes_max: int | None = None,
        identify: Identify | None = None,
    ) -> None:
        self.app = app
        self._identify = identify
        defaults = {
            "model": model,
            "version": version,
            "provider": provider,
            "user": user,
            "subject": subject,
            "session": session,
            "request_id": request_id,
            "trusted": trusted,
            "methods": methods,
            "shape": shape,
            "capture": capture,
        }
        self._capture = capture_of(audit, "asgi", defaults, routes, record_headers, body_bytes_max)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = None
        if scope["type"] == "http":
            query = scope.get("query_string") or None
            path = scope.get("raw_path") or scope["path"].encode()
            exchange = self._capture.begin(
                scope["method"],
                path.decode("latin-1"),
                None if query is None else query.decode("latin-1"),
            )
        if exchange is None:
            await self.app(scope, receive, send)
            return
        exchange.request_headers(_pairs(scope["headers"]))
        client = scope.get("client")
        if client:
            exchange.client_address(client[0])
        passing = _Passing(exchange, scope, receive, send, self._identify)
        if exchange.wants_intent:
            await passing.intent(self._capture.body_bytes_max)
        await passing.through(self.app)


class _Passing:
    """One request on its way in, and its answer on its way out."""

    def __init__(
        self,
        exchange: _native.Exchange,
        scope: Scope,
        receive: Receive,
        send: Send,
        identify: Identify | None,
    ) -> None:
        self._exchange = exchange
        self._scope = scope
        self._receive = receive
        self._send = send
        self._identify = identify
        self._is_read = False
        self._is_gone = False
        self._has_ended = False
        self._waiting: list[Message] = []

    async def through(self, app: App) -> None:
        try:
            await app(self._scope, self.receive, self.send)
        except asyncio.CancelledError:
            # Servers cancel what nobody waits for.
            self._end("client_disconnected")
            raise
        except BaseException as error:
            self._cut_if_unread()
            if not self._has_ended:
                self._has_ended = True
                if self._is_gone:
                    end(self._exchange, "client_disconnected")
                else:
                    end_failed(self._exchange, error)
            raise
        if self._is_gone:
            self._end("client_disconnected")
        else:
            self._end("failed", "no_answer", "the application ended without the end of an answer")

    async def receive(self) -> Message:
        if self._waiting:
            return self._waiting.pop(0)
        message = await self._receive()
        self._see(message)
        return message

    def _see(self, message: Message) -> None:
        if message["type"] == "http.request":
            body = message.get("body", b"")
            if body:
                self._exchange.request_bytes(body)
            self._is_read = not message.get("more_body", False)
        elif message["type"] == "http.disconnect" and not self._has_ended:
            self._is_gone = True

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            if self._identify is not None:
                self._exchange.identify(**self._identify(self._scope))
            self._exchange.response_start(message["status"], _pairs(message.get("headers", ())))
        elif kind == "http.response.body":
            body = message.get("body", b"")
            if body:
                self._exchange.response_bytes(bytes(body))
        await self._send(message)
        if kind == "http.response.body" and not message.get("more_body", False):
            self._end("client_disconnected" if self._is_gone else "complete")

    async def intent(self, bytes_max: int) -> None:
        """Reads the request's body up to what is kept, and records the intent before the application sees it."""
        n_bytes = 0
        while not self._is_read and not self._is_gone and n_bytes < bytes_max:
            message = await self._receive()
            self._see(message)
            self._waiting.append(message)
            n_bytes += len(message.get("body", b""))
        await asyncio.to_thread(self._exchange.intent)

    def _cut_if_unread(self) -> None:
        if not self._is_read:
            self._exchange.request_cut()

    def _end(self, how: str, code: str = "", message: str = "") -> None:
        if not self._has_ended:
            self._cut_if_unread()
            self._has_ended = True
            end(self._exchange, how, code, message)


def _pairs(headers: Iterable[Any]) -> list[tuple[bytes, bytes]]:
    return [(bytes(name), bytes(value)) for name, value in headers]
