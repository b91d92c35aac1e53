"""The logger: what is recorded can be asked for."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import threading
import uuid

import pytest

import modeltrail
from modeltrail import AuditLogger, RecordError, UnsupportedTypeError

IN = {"transaction_amount": 1250.0}
OUT = {"prediction": "legitimate", "confidence": 0.94}


def test_every_argument_comes_back(audit: AuditLogger) -> None:
    time = datetime.datetime(2026, 3, 15, 12, 0, 0, 123456, tzinfo=datetime.timezone.utc)
    first = audit.log("m", "v1", IN, OUT, request_id="first")
    rid = audit.log(
        "m", "v1", IN, OUT, "jane", 23.5, {"ip": "192.0.2.1"},
        pipeline={"scaler": [1, 2]}, request_id=uuid.UUID(int=7), timestamp=time, subject_id="patient-1",
        session_id="s-1", trace_id="t-1", client_address="192.0.2.9", status="failure", error=("timeout", "no answer"),
        links=[("supersedes", first), {"rel": "explains", "request_id": "other"}],
    )  # fmt: skip
    assert rid == str(uuid.UUID(int=7))
    record = audit.get_by_request_id(rid)
    assert record is not None
    assert (record.request_id, record.timestamp, record.timestamp_ns) == (rid, time, 1773576000123456000)
    assert (record.model_name, record.model_version, record.kind) == ("m", "v1", "prediction")
    assert (record.input_data, record.output_data, record.label) == (IN, OUT, "legitimate")
    assert (record.user_id, record.subject_id, record.session_id, record.trace_id) == ("jane", "patient-1", "s-1", "t-1")
    assert (record.latency_ms, record.metadata, record.pipeline) == (23.5, {"ip": "[IP_ADDRESS]"}, {"scaler": [1, 2]})
    assert (record.status, record.error) == ("failure", {"code": "timeout", "message": "no answer"})
    assert record.links == [("supersedes", "first"), ("explains", "other")]
    assert record.id == record.index + 1
    assert len(record.input_hash) == len(record.leaf_hash) == 64
    assert record.recorded_at > time
    assert record.header_data["pipeline_digest"]


def test_queries_are_newest_first_and_see_their_own_writes(audit: AuditLogger) -> None:
    for n in range(30):
        audit.log("m" if n % 2 else "other", "v1", {"n": n}, OUT, user_id="u" if n % 3 == 0 else "v")
    assert [record.input_data["n"] for record in audit.query_by_model("m", limit=4)] == [29, 27, 25, 23]
    assert [record.input_data["n"] for record in audit.query_by_user("u")] == list(range(27, -1, -3))
    assert audit.query_by_user("nobody") == []
    assert audit.get_by_request_id("none") is None
    assert len(audit.query_by_model("m", limit=10**18)) == 15


def test_bytes_stay_bytes_and_digits_stay(audit: AuditLogger) -> None:
    rid = audit.log("m", "v1", b"\x89PNG", {"n": 2**80, "x": float("nan")})
    record = audit.get_by_request_id(rid)
    assert record is not None
    assert (record.input_data, record.input_media_type) == (b"\x89PNG", "application/octet-stream")
    assert record.output_bytes == b'{"n":1208925819614629174706176,"x":"NaN"}'


@pytest.mark.parametrize("stage", ["written", "spooled", "sequenced", "published"])
def test_a_stage_is_waited_for(audit: AuditLogger, stage: str) -> None:
    rid = audit.log("m", "v1", IN, OUT, ack=stage)
    audit.flush(stage)
    assert audit.get_by_request_id(rid) is not None


def test_what_is_refused_is_said_and_nothing_is_kept(audit: AuditLogger) -> None:
    naive = datetime.datetime(2026, 1, 1)
    for arguments, pointer in [
        ({"model_name": ""}, "/model/name"),
        ({"input_data": {"a": object()}}, "/input/a"),
        ({"output_data": {"a": "\ud800"}}, "/output/a"),
        ({"metadata": [1]}, "/metadata"),
        ({"pipeline": {"a": {1: 1, "1": 1}}}, "/pipeline/a/1"),
        ({"user_id": 1.5}, "/user_id"),
        ({"user_id": "x" * 129}, "/user_id"),
        ({"latency_ms": -1.0}, "/latency_ms"),
        ({"timestamp": naive}, "/timestamp"),
        ({"timestamp": "yesterday"}, "/timestamp"),
        ({"status": "fine"}, "/status"),
        ({"kind": "guess"}, "/kind"),
        ({"kind": "gap"}, "/kind"),
        ({"ack": "perhaps"}, "/ack"),
        ({"links": [("likes", "x")]}, "/links/0/rel"),
        ({"links": [{"rel": "reviews"}]}, "/links"),
    ]:
        given = {"model_name": "m", "model_version": "v1", "input_data": IN, "output_data": OUT, **arguments}
        with pytest.raises(RecordError) as caught:
            audit.log(**given)  # type: ignore[arg-type]
        assert caught.value.pointer == pointer, arguments
    with pytest.raises(UnsupportedTypeError):
        audit.log("m", "v1", object(), OUT)
    assert audit.query_by_model("m") == []
    assert audit.stats()["n_recorded"] == 0


def test_another_record_under_the_same_id_is_a_conflict(audit: AuditLogger) -> None:
    audit.log("m", "v1", IN, OUT, request_id="r", ack="sequenced")
    assert audit.log("m", "v1", IN, OUT, request_id="r", ack="sequenced") == "r"
    with pytest.raises(modeltrail.ConflictError, match="r holds another record") as caught:
        audit.log("m", "v1", {"other": 1}, OUT, request_id="r", ack="sequenced")
    assert caught.value.request_id == "r"


def test_loggers_of_one_ledger_share_a_recorder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = AuditLogger("sqlite:///a.db"), AuditLogger(f"sqlite:{tmp_path}/a.db", ack="sequenced")
    assert first.url == second.url
    rid = first.log("m", "v1", IN, OUT)
    second.log("m", "v1", IN, OUT)
    assert first.stats() == second.stats()
    first.close()
    first.close()
    with pytest.raises(modeltrail.ClosedError):
        first.log("m", "v1", IN, OUT)
    assert second.get_by_request_id(rid) is not None
    second.close()
    with AuditLogger("a.db") as again:
        assert len(again.query_by_model("m")) == 2
        openings = [path for path in (tmp_path / "a.db.d").iterdir()]
        assert openings


def test_a_logger_that_is_forgotten_loses_nothing(tmp_path: pathlib.Path) -> None:
    url = f"sqlite:{tmp_path}/a.db"
    for n in range(50):
        AuditLogger(url).log("m", "v1", {"n": n}, OUT)
    with AuditLogger(url) as audit:
        assert len(audit.query_by_model("m")) == 50
        assert audit.stats()["n_recorded"] == 50


def test_threads_share_a_logger(audit: AuditLogger) -> None:
    """The seed document's logger keeps one of 800 calls of eight threads."""
    def work() -> None:
        for n in range(100):
            audit.log("m", "v1", {"n": n}, OUT)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(audit.query_by_model("m", limit=1000)) == 800


def test_threads_that_open_at_once_share_one_recorder(tmp_path: pathlib.Path) -> None:
    url = f"sqlite:{tmp_path}/a.db"
    barrier = threading.Barrier(8)

    def work() -> None:
        barrier.wait()
        AuditLogger(url).log("m", "v1", IN, OUT)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with AuditLogger(url) as audit:
        assert len(audit.query_by_model("m")) == 8
        assert audit.stats()["n_recorded"] == 8


def test_a_ledger_is_made_with_its_keys(tmp_path: pathlib.Path) -> None:
    with AuditLogger(f"sqlite:{tmp_path}/a.db", origin="example.com/a") as audit:
        assert audit.verify()["origin"] == "example.com/a"
        assert audit.verify()["keys"] == "ledger"
        keys = tmp_path / "a.db.d" / "keys"
        assert {path.name for path in keys.iterdir()} >= {"authority.key", "checkpoint.key"}
        assert all(path.stat().st_mode & 0o077 == 0 for path in keys.iterdir())


def test_options_that_do_not_hold_are_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(modeltrail.LedgerError, match="names no store"):
        AuditLogger("mysql://x")
    with pytest.raises(RecordError):
        AuditLogger(f"sqlite:{tmp_path}/a.db", ack="soon")
    with pytest.raises(RecordError):
        AuditLogger(f"sqlite:{tmp_path}/a.db", on_full="drop")
    with pytest.raises(modeltrail.LedgerError, match="origin"):
        AuditLogger(f"sqlite:{tmp_path}/a.db", origin="two\nlines")
    with pytest.raises(modeltrail.LedgerError):
        AuditLogger(f"sqlite:{tmp_path}/a.db", policy=tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("nonsense = 1\n")
    with pytest.raises(modeltrail.LedgerError, match="bad.toml:1:1"):
        AuditLogger(f"sqlite:{tmp_path}/a.db", policy=tmp_path / "bad.toml")
    assert not (tmp_path / "a.db").exists()


def test_what_was_changed_afterwards_is_found(tmp_path: pathlib.Path) -> None:
    import sqlite3

    with AuditLogger(f"sqlite:{tmp_path}/a.db") as audit:
        audit.log("m", "v1", IN, OUT)
        audit.flush()
    with sqlite3.connect(tmp_path / "a.db") as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'trigger'")]
        for name in tables:
            database.execute(f"drop trigger {name}")
        n_changed = database.execute("update terms set text = 'v2' where text = 'v1'").rowcount
        assert n_changed == 1
    database.close()
    with AuditLogger(f"sqlite:{tmp_path}/a.db") as audit:
        report = audit.verify()
        assert not report["is_clean"]
        assert report["findings"]


def test_memory_is_a_ledger_for_tests() -> None:
    with AuditLogger("memory:") as audit:
        rid = audit.log("m", "v1", IN, OUT)
        assert audit.get_by_request_id(rid) is not None


def test_a_prediction_is_recorded_when_its_block_ends(audit: AuditLogger) -> None:
    with audit.prediction("m", "v1", input_data={"q": 1}, user_id="u") as prediction:
        prediction.set(metadata={"k": 1})
        prediction.output({"label": "a"})
    record = audit.get_by_request_id(prediction.request_id or "")
    assert record is not None
    assert (record.input_data, record.output_data, record.user_id) == ({"q": 1}, {"label": "a"}, "u")
    assert record.latency_ms is not None
    with pytest.raises(ZeroDivisionError), audit.prediction("m", "v1") as failing:
        failing.input({"q": 2})
        failing.output(1 // 0)
    failed = audit.get_by_request_id(failing.request_id or "")
    assert failed is not None
    assert (failed.status, failed.error["code"], failed.input_data) == ("failure", "ZeroDivisionError", {"q": 2})


def test_an_error_of_the_block_is_not_hidden_by_one_of_the_recording(audit: AuditLogger) -> None:
    with pytest.raises(KeyError) as caught, audit.prediction("m", "v1", input_data=object()):
        raise KeyError("own")
    if hasattr(caught.value, "__notes__"):
        assert "modeltrail could not record it" in caught.value.__notes__[0]
    with pytest.raises(UnsupportedTypeError), audit.prediction("m", "v1", input_data=object()):
        pass


def test_reports_of_nothing_are_the_seed_documents(audit: AuditLogger) -> None:
    reporter = modeltrail.ComplianceReporter(audit)
    assert reporter.model_usage_report("m") == {"model": "m", "period_days": 30, "total_predictions": 0}
    assert reporter.data_access_report("u") == {
        "user_id": "u", "period_days": 90, "total_requests": 0, "models_used": {}, "requests": [],
    }  # fmt: skip


def test_labels_that_are_missing_count_as_none(audit: AuditLogger) -> None:
    for output in ({"label": "a"}, {"label": "null"}, {"score": 1}, {"prediction": None, "label": "b"}):
        audit.log("m", "v1", IN, output)
    report = modeltrail.ComplianceReporter(audit).model_usage_report("m")
    assert report["prediction_distribution"] == {"a": 1, "null": 1, None: 2}
    json.dumps(report)


def test_redaction_reads_what_the_seed_documents_does_not() -> None:
    data = {"messages": [{"content": "I am bob@example.org"}], "n": 5}
    assert modeltrail.redact_pii(data) == {"messages": [{"content": "I am [EMAIL]"}], "n": 5}
    with pytest.raises(RecordError):
        modeltrail.redact_pii([1])


def test_the_store_is_taken_from_the_environment(default_ledger: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with AuditLogger() as audit:
        assert audit.url == f"sqlite:{os.path.realpath(default_ledger)}/ai_audit.db"
    monkeypatch.setenv("MODELTRAIL_STORE", f"sqlite:{default_ledger}/other.db")
    with AuditLogger() as audit:
        assert audit.url.endswith("other.db")
