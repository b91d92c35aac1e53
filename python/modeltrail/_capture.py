"""What decorators share: a call as it runs, its input as it was before, its outputs as they come."""

from __future__ import annotations

import time
from typing import Any

from modeltrail import _native
from modeltrail._errors import RecordError
from modeltrail._logger import default_logger, record_outcome

# Most bytes of outputs that are gathered from one stream: a long answer of a language model has some
# hundred kilobytes. What comes after is counted, and the record says so.
OUTPUT_BYTES_MAX = 4 * 1024 * 1024


def freeze(value: Any) -> _native.Frozen:
    """The value as it is now. A decorator must not fail a call for what it was given: what has no JSON
    is told by its type, and what cannot be read at all by its error."""
    try:
        return _native.freeze(value, lenient=True)
    except RecordError as error:
        return _native.freeze({"unrecordable": str(error)}, lenient=True)


class Gathered:
    """Outputs of a stream, up to a bound. Pieces of text are joined: a name may begin in one and end in the next,
    and redaction has to see it whole."""

    def __init__(self) -> None:
        self._pieces: list[Any] = []
        self._kind: type[Any] | None = None
        self._is_mixed = False
        self._n_bytes = 0
        self.n_items = 0

    def add(self, item: Any) -> None:
        self.n_items += 1
        if self._n_bytes > OUTPUT_BYTES_MAX:
            return
        piece: Any = item
        if isinstance(item, (str, bytes)):
            self._n_bytes += len(item)
        else:
            piece = freeze(item)
            self._n_bytes += len(piece)
        kind = type(item)
        self._is_mixed = self._is_mixed or kind not in (str, bytes) or self._kind not in (None, kind)
        self._kind = kind
        if self._n_bytes <= OUTPUT_BYTES_MAX:
            self._pieces.append(piece)

    def value(self) -> Any:
        joined: Any = self._pieces
        if not self._is_mixed and self._kind is str:
            joined = "".join(self._pieces)
        elif not self._is_mixed and self._kind is bytes:
            joined = b"".join(self._pieces)
        if self._n_bytes > OUTPUT_BYTES_MAX:
            return {"truncated": True, "n_items": self.n_items, "items": joined}
        return joined


class Call:
    """One call of something that predicts, from its start to its record."""

    def __init__(
        self,
        audit: _native.AuditLogger | None,
        model: tuple[str, str],
        input_data: Any,
        fields: dict[str, Any],
    ) -> None:
        self._audit = audit
        self._model = model
        self._input = input_data if isinstance(input_data, _native.Frozen) else freeze(input_data)
        self._fields = fields
        self._start = time.perf_counter()
        self._latency_ms: float | None = None

    def stop_clock(self) -> None:
        """The model has answered; what follows is not its time."""
        self._latency_ms = (time.perf_counter() - self._start) * 1000

    def done(self, output: Any, **fields: Any) -> None:
        """Records what was answered."""
        self._record(output, fields, None)

    def failed(self, error: BaseException, output: Any = None) -> None:
        """Records that it failed, and what was answered until then."""
        self._record(output, {"status": "failure", "error": error}, error)

    def closed_early(self, gathered: Gathered) -> None:
        """Records that whoever asked went away in the middle of a stream."""
        message = f"whoever asked went away after {gathered.n_items} items"
        failure = {"status": "failure", "error": ("client_disconnected", message)}
        self._record(gathered.value(), failure, None)

    def _record(self, output: Any, fields: dict[str, Any], error: BaseException | None) -> None:
        if self._latency_ms is None:
            self.stop_clock()
        audit = self._audit if self._audit is not None else default_logger()
        if not isinstance(output, (bytes, _native.Frozen)):
            output = freeze(output)
        fields = {"latency_ms": self._latency_ms, **self._fields, **fields}
        record_outcome(audit, self._model, self._input, output, fields, error)
