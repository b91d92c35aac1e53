"""What the middlewares share: their configuration, and how errors of recording are told."""

from __future__ import annotations

import json
import logging
from typing import Any, TypedDict

from modeltrail import _native
from modeltrail._logger import default_logger

logger = logging.getLogger("modeltrail")

Source = str | list[str]
"""A text, or a place such as `header:x-user-id`, or several that are tried in turn (docs/capture.md)."""


class Route(TypedDict, total=False):
    """A route of the configuration; members that are left out are those of the middleware."""

    path: str
    methods: list[str]
    shape: str
    capture: str
    model: Source
    version: Source
    provider: Source
    user: Source
    subject: Source
    session: Source
    request_id: Source
    trusted: list[str]


def capture_of(
    audit: _native.AuditLogger | None,
    way_in: str,
    defaults: dict[str, Any],
    routes: list[Route] | None,
    record_headers: list[str] | None,
    body_bytes_max: int | None,
) -> _native.Capture:
    """The native plan of a middleware's keyword arguments."""
    config: dict[str, Any] = {
        "defaults": {name: value for name, value in defaults.items() if value is not None},
        "route": routes or [],
        "record_headers": record_headers or [],
    }
    if body_bytes_max is not None:
        config["body_bytes_max"] = body_bytes_max
    return _native.Capture(audit or default_logger(), json.dumps(config), way_in)


def end(exchange: _native.Exchange, how: str, code: str = "", message: str = "") -> None:
    """Ends an exchange. The answer is out by now: what keeps it from being recorded is logged, and counted in the
    logger's `stats()`."""
    try:
        exchange.end(how, code, message)
    except Exception:
        logger.exception("a request could not be recorded")


def end_failed(exchange: _native.Exchange, error: BaseException) -> None:
    """Ends an exchange whose application failed."""
    end(exchange, "failed", type(error).__qualname__, str(error))
