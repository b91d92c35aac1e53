"""The logger, and one that a program need not make."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from types import TracebackType
from typing import Any

from modeltrail import _native


class AuditLogger(_native.AuditLogger):
    """Records predictions into a ledger and answers questions about it.

    `url` is `sqlite:PATH`, SQLAlchemy's `sqlite:///PATH` or `memory:`; without one it is taken from
    `MODELTRAIL_STORE`, else `sqlite:///ai_audit.db`. A ledger that is not there is made, with its keys.
    Loggers of one process with the same url and options share one recorder, and may be used from any thread.
    """

    def __enter__(self) -> AuditLogger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def prediction(
        self, model_name: str, model_version: str, *, input_data: Any = None, **fields: Any
    ) -> Prediction:
        """A prediction that is recorded when its `with` block ends, a failed one too.

        `fields` are those of `log`.
        """
        return Prediction(self, model_name, model_version, input_data, fields)


class Prediction:
    """One prediction in the making; see `AuditLogger.prediction`."""

    def __init__(
        self,
        audit: AuditLogger,
        model_name: str,
        model_version: str,
        input_data: Any,
        fields: dict[str, Any],
    ) -> None:
        self._audit = audit
        self._model = (model_name, model_version)
        self._input = input_data
        self._output: Any = None
        self._fields = fields
        self._start: float | None = None
        self.request_id: str | None = fields.get("request_id")

    def input(self, input_data: Any) -> None:
        """What the model is given."""
        self._input = input_data

    def output(self, output_data: Any) -> None:
        """What the model answered."""
        self._output = output_data

    def set(self, **fields: Any) -> None:
        """Any of the fields of `log`, like `user_id` or `metadata`."""
        self._fields.update(fields)

    def __enter__(self) -> Prediction:
        self._start = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._start is not None:
            self._fields.setdefault("latency_ms", (time.perf_counter() - self._start) * 1000)
        if error is not None:
            self._fields.setdefault("status", "failure")
            self._fields.setdefault("error", error)
        self.request_id = record_outcome(
            self._audit, self._model, self._input, self._output, self._fields, error
        )


def record_outcome(
    audit: _native.AuditLogger,
    model: tuple[str, str],
    input_data: Any,
    output_data: Any,
    fields: dict[str, Any],
    error: BaseException | None,
) -> str | None:
    """Records. While another error is on its way, one of the recording is noted on it and does not hide it."""
    try:
        return audit.log(*model, input_data, output_data, **fields)
    except Exception as own:
        if error is None:
            raise
        note = getattr(error, "add_note", None)
        if note is not None:  # Python 3.11 and later
            note(f"modeltrail could not record it: {own}")
        return None


_default: AuditLogger | None = None


def default_logger() -> AuditLogger:
    """The logger of a program that makes none: the ledger in `MODELTRAIL_STORE`, else `ai_audit.db`."""
    global _default
    # Two threads that come here at once make two loggers, which share one recorder. A lock could be found
    # locked for ever by a forked child.
    if _default is None or _default.closed:
        _default = AuditLogger()
    return _default


def log_prediction(
    request_id: str,
    model_name: str,
    model_version: str,
    input_data: dict[str, Any],
    output: dict[str, Any],
    user_id: str | None = None,
    latency_ms: float | None = None,
) -> dict[str, Any]:
    """Records a prediction with the default logger; gives the record as a dict."""
    timestamp = datetime.now(timezone.utc)
    default_logger().log(
        model_name,
        model_version,
        input_data,
        output,
        user_id,
        latency_ms,
        request_id=request_id,
        timestamp=timestamp,
    )
    return {
        "event": "ai_prediction",
        "request_id": request_id,
        "timestamp": timestamp.isoformat(),
        "model": {"name": model_name, "version": model_version},
        "input": input_data,
        "output": output,
        "user_id": user_id,
        "latency_ms": latency_ms,
    }
