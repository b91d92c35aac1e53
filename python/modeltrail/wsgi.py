"""`AuditMiddleware` for WSGI applications: Flask, Django, and any other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from modeltrail import _native
from modeltrail._middleware import Route, Source, capture_of, end, end_failed

Environ = dict[str, Any]
App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Identify = Callable[[Environ], "dict[str, str | None]"]


class AuditMiddleware:
    """Records each request that passes, as it streams: `app.wsgi_app = AuditMiddleware(app.wsgi_app,
    model="fraud_detector", version="v3.2.1")`.

    `identify(environ)` gives what the application knows of who asked, when the answer begins. Every other argument is
    as in `docs/capture.md`.
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
        self._capture = capture_of(audit, "wsgi", defaults, routes, record_headers, body_bytes_max)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        query = environ.get("QUERY_STRING") or None
        # Texts of WSGI are bytes as Latin-1 (PEP 3333).
        path = path.encode("latin-1").decode("utf-8", "replace")
        exchange = self._capture.begin(environ["REQUEST_METHOD"], path, query)
        if exchange is None:
            return self.app(environ, start_response)
        exchange.request_headers(list(_headers(environ)))
        if environ.get("REMOTE_ADDR"):
            exchange.client_address(environ["REMOTE_ADDR"])
        body = _Input(environ["wsgi.input"], exchange, environ.get("CONTENT_LENGTH"))
        environ["wsgi.input"] = body
        if exchange.wants_intent:
            body.read_ahead(self._capture.body_bytes_max)
            exchange.intent()
        start = self._starting(exchange, environ, start_response)
        try:
            answer = self.app(environ, start)
        except BaseException as error:
            body.cut_if_unread()
            end_failed(exchange, error)
            raise
        return (_Sized if hasattr(answer, "__len__") else _Answer)(answer, exchange, body)

    def _starting(
        self, exchange: _native.Exchange, environ: Environ, start_response: Callable[..., Any]
    ) -> Callable[..., Any]:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], Any]:
            if self._identify is not None:
                exchange.identify(**self._identify(environ))
            pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            exchange.response_start(int(status.split(" ", 1)[0]), pairs)
            write = start_response(status, headers, *rest)

            def recorded(data: bytes) -> Any:
                exchange.response_bytes(data)
                return write(data)

            return recorded

        return start


def _headers(environ: Environ) -> Iterator[tuple[bytes, bytes]]:
    for name, value in environ.items():
        if name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            plain = name
        elif name.startswith("HTTP_"):
            plain = name[5:]
        else:
            continue
        yield plain.replace("_", "-").lower().encode("latin-1"), str(value).encode("latin-1", "replace")


class _Input:
    """The request's body, seen as the application reads it."""

    def __init__(self, inner: Any, exchange: _native.Exchange, length: str | None) -> None:
        self._inner = inner
        self._exchange = exchange
        self._left = int(length) if length and length.isdigit() else None
        self._ahead = b""
        self._is_at_end = self._left == 0

    def _see(self, data: bytes, wanted: int | None) -> bytes:
        if data:
            self._exchange.request_bytes(data)
            if self._left is not None:
                self._left -= len(data)
        self._is_at_end = self._left == 0 if self._left is not None else not data or wanted is None
        return data

    def read_ahead(self, bytes_max: int) -> None:
        """Reads what is kept, for an intent; the application gets it first."""
        size = bytes_max if self._left is None else min(bytes_max, self._left)
        self._ahead = self._see(self._inner.read(size), size)

    def _take(self, size: int | None) -> bytes:
        size = len(self._ahead) if size is None or size < 0 else size
        taken, self._ahead = self._ahead[:size], self._ahead[size:]
        return taken

    def read(self, size: int | None = -1) -> bytes:
        taken = self._take(size)
        if size is None or size < 0:
            return taken + self._see(self._inner.read(), None)
        if len(taken) == size:
            return taken
        return taken + self._see(self._inner.read(size - len(taken)), size)

    def read1(self, size: int | None = -1) -> bytes:
        return self.read(size)

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readline(self, size: int | None = -1) -> bytes:
        if self._ahead:
            end = self._ahead.find(b"\n") + 1 or len(self._ahead)
            return self._take(end if size is None or size < 0 else min(end, size))
        if size is None or size < 0:
            return self._see(self._inner.readline(), 1)
        return self._see(self._inner.readline(size), size)

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        """The body is the server's to close."""

    def cut_if_unread(self) -> None:
        if not self._is_at_end:
            self._exchange.request_cut()


class _Answer:
    """The answer's pieces as the server takes them."""

    def __init__(self, inner: Iterable[bytes], exchange: _native.Exchange, body: _Input) -> None:
        self._inner = inner
        self._iterator = iter(inner)
        self._exchange = exchange
        self._body = body
        self._has_ended = False

    def __iter__(self) -> _Answer:
        return self

    def __next__(self) -> bytes:
        try:
            piece = next(self._iterator)
        except StopIteration:
            self._end("complete")
            raise
        except BaseException as error:
            if not self._has_ended:
                self._has_ended = True
                self._body.cut_if_unread()
                end_failed(self._exchange, error)
            raise
        self._exchange.response_bytes(piece)
        return piece

    def close(self) -> None:
        """Called by the server at the end, and before it where whoever asked went away."""
        try:
            close = getattr(self._inner, "close", None)
            if close is not None:
                close()
        finally:
            self._end("client_disconnected")

    def _end(self, how: str) -> None:
        if not self._has_ended:
            self._has_ended = True
            self._body.cut_if_unread()
            end(self._exchange, how)


class _Sized(_Answer):
    """An answer whose number of pieces is known: servers give one of one piece its length."""

    def __len__(self) -> int:
        return len(self._inner)  # type: ignore[arg-type]
