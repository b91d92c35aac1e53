"""Log calls as records: what a program logs as `ai_prediction` becomes one."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

from modeltrail import _native
from modeltrail._logger import default_logger

# The event by which the seed document logs a prediction.
EVENT = "ai_prediction"

# Fields of an event with the argument of `log` that each is.
_ARGUMENTS = {
    "input": "input_data",
    "input_data": "input_data",
    "output": "output_data",
    "output_data": "output_data",
    "model_name": "model_name",
    "model_version": "model_version",
    "user_id": "user_id",
    "latency_ms": "latency_ms",
    "metadata": "metadata",
    "pipeline": "pipeline",
    "request_id": "request_id",
    "timestamp": "timestamp",
    "subject_id": "subject_id",
    "session_id": "session_id",
    "trace_id": "trace_id",
    "client_address": "client_address",
    "status": "status",
    "error": "error",
    "links": "links",
}


def _record(audit: _native.AuditLogger | None, event: Mapping[str, Any]) -> str:
    arguments: dict[str, Any] = {"input_data": None, "output_data": None}
    model = event.get("model")
    if isinstance(model, Mapping):
        arguments["model_name"] = model.get("name")
        arguments["model_version"] = model.get("version")
    for name, argument in _ARGUMENTS.items():
        if event.get(name) is not None:
            arguments[argument] = event[name]
    audit = audit if audit is not None else default_logger()
    return audit.log(**arguments)


class AuditHandler(logging.Handler):
    """Records what is logged as `ai_prediction`: `logger.info("ai_prediction", extra={…})`, or structlog's events
    on their way through `logging`. Other messages pass it by. Errors go where those of all handlers go.
    """

    def __init__(
        self,
        audit: _native.AuditLogger | None = None,
        *,
        event: str = EVENT,
        level: int | str = logging.NOTSET,
    ) -> None:
        super().__init__(level)
        self._audit = audit
        self._event = event

    def emit(self, record: logging.LogRecord) -> None:
        fields: Mapping[str, Any] = record.msg if isinstance(record.msg, Mapping) else record.__dict__
        event = fields.get("event") if fields is record.msg else record.msg
        if event != self._event:
            return
        try:
            _record(self._audit, fields)
        except Exception:
            self.handleError(record)


class AuditProcessor:
    """A processor of structlog that records events called `ai_prediction` and hands every event on as it is."""

    def __init__(self, audit: _native.AuditLogger | None = None, *, event: str = EVENT) -> None:
        self._audit = audit
        self._event = event

    def __call__(
        self, logger: Any, method_name: str, event_dict: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        if event_dict.get("event") == self._event:
            _record(self._audit, event_dict)
        return event_dict
