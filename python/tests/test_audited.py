"""Decorators on any function, and log calls as records."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import structlog

from modeltrail import AuditHandler, AuditLogger, AuditProcessor, audited
from modeltrail._capture import OUTPUT_BYTES_MAX


def only(audit: AuditLogger) -> Any:
    (record,) = audit.query_by_model("m")
    return record


def test_a_function_is_recorded_with_its_arguments_as_they_were(audit: AuditLogger) -> None:
    @audited("m", "v1", audit=audit, user_id=lambda row, **_: row["user"], metadata={"k": 1})
    def score(row: dict[str, Any], *, threshold: float = 0.5) -> dict[str, Any]:
        """Scores."""
        row["changed"] = True
        return {"label": "a"}

    assert (score.__name__, score.__doc__, list(inspect.signature(score).parameters)) == (
        "score", "Scores.", ["row", "threshold"],
    )  # fmt: skip
    assert score({"x": 1, "user": "jane"}) == {"label": "a"}
    record = only(audit)
    assert record.input_data == {"row": {"x": 1, "user": "jane"}, "threshold": 0.5}
    assert (record.output_data, record.user_id, record.metadata) == ({"label": "a"}, "jane", {"k": 1})
    assert record.status == "success"


def test_methods_and_values_without_json(audit: AuditLogger) -> None:
    class Model:
        @audited("m", "v1", audit=audit)
        def predict(self, session: object, n: int) -> object:
            return object()

    Model().predict(object(), 3)
    record = only(audit)
    assert record.input_data == {"session": {"unsupported_type": "object"}, "n": 3}
    assert record.output_data == {"unsupported_type": "object"}


def test_what_cannot_be_read_does_not_fail_the_call(audit: AuditLogger) -> None:
    @audited("m", "v1", audit=audit)
    def predict(text: str) -> str:
        return text

    assert predict("\ud800") == "\ud800"
    assert "surrogate" in only(audit).input_data["unrecordable"]


def test_a_failure_is_recorded_and_raised(audit: AuditLogger) -> None:
    @audited("m", "v1", audit=audit)
    def predict(n: int) -> float:
        return 1 / n

    with pytest.raises(ZeroDivisionError):
        predict(0)
    record = only(audit)
    assert (record.status, record.error["code"]) == ("failure", "ZeroDivisionError")
    assert record.input_data == {"n": 0}


def test_a_wrong_call_is_recorded_as_it_came(audit: AuditLogger) -> None:
    @audited("m", "v1", audit=audit)
    def predict(n: int) -> int:
        return n

    with pytest.raises(TypeError, match="unexpected keyword"):
        predict(1, k=2)  # type: ignore[call-arg]
    assert only(audit).input_data == {"args": [1], "kwargs": {"k": 2}}


def test_a_coroutine_and_its_cancelling(audit: AuditLogger) -> None:
    started = asyncio.Event()

    @audited("m", "v1", audit=audit)
    async def predict(hang: bool) -> str:
        started.set()
        if hang:
            await asyncio.Event().wait()
        return "done"

    async def main() -> None:
        assert inspect.iscoroutinefunction(predict)
        assert await predict(False) == "done"
        started.clear()
        task = asyncio.create_task(predict(True))
        await started.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(main())
    cancelled, done = audit.query_by_model("m")
    assert (done.output_data, done.status) == ("done", "success")
    assert (cancelled.status, cancelled.error["code"]) == ("failure", "CancelledError")


def test_a_generator_is_one_record_of_all_it_gave(audit: AuditLogger) -> None:
    @audited("m", "v1", audit=audit)
    def count(n: int) -> Iterator[Any]:
        got = yield 0
        for one in range(1, n):
            yield {"n": one, "got": got}

    assert inspect.isgeneratorfunction(count)
    stream: Any = count(3)
    assert audit.query_by_model("m") == [], "nobody has asked for anything yet"
    assert next(stream) == 0
    assert stream.send("x") == {"n": 1, "got": "x"}
    assert list(stream) == [{"n": 2, "got": "x"}]
    assert only(audit).output_data == [0, {"n": 1, "got": "x"}, {"n": 2, "got": "x"}]


def test_pieces_of_text_are_joined_so_that_redaction_sees_them(audit: AuditLogger) -> None:
    @audited("m", "v1", audit=audit)
    def tell() -> Iterator[str]:
        yield from ["write to bob@", "example", ".org"]

    assert "".join(tell()) == "write to bob@example.org"
    assert only(audit).output_data == "write to [EMAIL]"


def test_a_stream_that_is_left_early_and_one_that_fails(audit: AuditLogger) -> None:
    closed = []

    @audited("m", "v1", audit=audit)
    def tell(fail: bool) -> Iterator[int]:
        try:
            yield 1
            if fail:
                raise RuntimeError("broken")
            yield 2
        except GeneratorExit:
            closed.append(True)
            raise

    stream: Any = tell(False)
    next(stream)
    stream.close()
    assert closed == [True]
    with pytest.raises(RuntimeError, match="broken"):
        list(tell(True))
    failed, left = audit.query_by_model("m")
    assert (left.status, left.error["code"], left.output_data) == ("failure", "client_disconnected", [1])
    assert (failed.status, failed.error, failed.output_data) == (
        "failure", {"code": "RuntimeError", "message": "broken"}, [1],
    )  # fmt: skip


def test_thrown_errors_and_return_values_pass_through(audit: AuditLogger) -> None:
    @audited("m", "v1", audit=audit)
    def tell() -> Any:
        try:
            yield 1
        except KeyError:
            yield 2
        return "end"

    stream = tell()
    next(stream)
    assert stream.throw(KeyError("k")) == 2
    with pytest.raises(StopIteration) as stop:
        next(stream)
    assert stop.value.value == "end"
    assert only(audit).output_data == [1, 2]


def test_a_long_stream_is_cut_and_says_so(audit: AuditLogger) -> None:
    piece = "word " * 20_000

    @audited("m", "v1", audit=audit)
    def tell() -> Iterator[str]:
        for _ in range(60):
            yield piece

    assert sum(len(one) for one in tell()) == 60 * len(piece)
    output = only(audit).output_data
    assert (output["truncated"], output["n_items"]) == (True, 60)
    assert OUTPUT_BYTES_MAX - len(piece) < len(output["items"]) <= OUTPUT_BYTES_MAX


def test_an_async_generator(audit: AuditLogger) -> None:
    @audited("m", "v1", audit=audit)
    async def tell(n: int) -> AsyncIterator[str]:
        for one in range(n):
            yield str(one)

    async def main() -> None:
        assert inspect.isasyncgenfunction(tell)
        assert [one async for one in tell(3)] == ["0", "1", "2"]
        stream: Any = tell(9)
        await stream.__anext__()
        await stream.aclose()

    asyncio.run(main())
    left, whole = audit.query_by_model("m")
    assert whole.output_data == "012"
    assert (left.output_data, left.error["code"]) == ("0", "client_disconnected")


FIELDS = {
    "request_id": "r-1",
    "timestamp": "2026-03-15T12:00:00+00:00",
    "model": {"name": "m", "version": "v1"},
    "input": {"a": 1},
    "output": {"label": "x"},
    "user_id": "jane",
    "latency_ms": 2.5,
}


def check_fields(record: Any) -> None:
    assert (record.request_id, record.user_id, record.latency_ms) == ("r-1", "jane", 2.5)
    assert (record.input_data, record.output_data, record.label) == ({"a": 1}, {"label": "x"}, "x")
    assert record.timestamp.isoformat() == FIELDS["timestamp"]


def test_logging_records_predictions_and_lets_the_rest_pass(audit: AuditLogger) -> None:
    logger = logging.Logger("own")
    logger.addHandler(AuditHandler(audit))
    logger.info("ai_prediction", extra=FIELDS)
    logger.info("something else %s", 1, extra=FIELDS)
    check_fields(only(audit))


def test_logging_does_not_fail_the_program(audit: AuditLogger, capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.Logger("own")
    logger.addHandler(AuditHandler(audit))
    logger.info("ai_prediction", extra={"model": {"name": "m", "version": ""}})
    assert "RecordError" in capsys.readouterr().err


def test_structlog_events_are_records(audit: AuditLogger) -> None:
    seen: list[Any] = []

    def last(_: Any, __: str, event: Any) -> Any:
        seen.append(dict(event))
        raise structlog.DropEvent

    logger = structlog.wrap_logger(None, processors=[AuditProcessor(audit), last])
    logger.info("ai_prediction", **FIELDS)
    logger.info("other", **FIELDS)
    check_fields(only(audit))
    assert seen[0] == {"event": "ai_prediction", **FIELDS}


def test_structlog_through_logging(audit: AuditLogger) -> None:
    own = logging.Logger("own")
    own.addHandler(AuditHandler(audit))
    processors = [structlog.stdlib.ProcessorFormatter.wrap_for_formatter]
    logger = structlog.wrap_logger(own, processors=processors, wrapper_class=structlog.stdlib.BoundLogger)
    logger.info("ai_prediction", **FIELDS)
    check_fields(only(audit))
