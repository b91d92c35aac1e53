"""The seed document's listings run as they are printed, imports aside (see `seed/README.md`)."""

from __future__ import annotations

import datetime
import json
import pathlib
import runpy
from typing import Any

import pytest
from conftest import assert_accepted
from starlette.testclient import TestClient

from modeltrail import AuditLogger, ComplianceReporter

SEED = pathlib.Path(__file__).parent / "seed"


def run(name: str) -> dict[str, Any]:
    return runpy.run_path(str(SEED / f"{name}.py"))


def aware(text: str) -> datetime.datetime:
    time = datetime.datetime.fromisoformat(text)
    assert time.tzinfo is not None
    return time


@pytest.mark.usefixtures("default_ledger")
def test_the_quick_version() -> None:
    ran = run("quick")
    record = ran["record"]
    aware(record.pop("timestamp"))
    assert record == {
        "event": "ai_prediction",
        "request_id": ran["request_id"],
        "model": {"name": "fraud_detector", "version": "v3.2.1"},
        "input": {"transaction_amount": 1250.00, "merchant_category": "electronics"},
        "output": {"prediction": "legitimate", "confidence": 0.94, "risk_score": 0.12},
        "user_id": "analyst_jane",
        "latency_ms": 23.5,
    }
    audit = AuditLogger()
    stored = audit.get_by_request_id(ran["request_id"])
    assert stored is not None
    assert (stored.input_data, stored.output_data) == (record["input"], record["output"])
    assert_accepted(audit)


@pytest.mark.usefixtures("default_ledger")
def test_persistent_audit_storage(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run("storage")
    assert capsys.readouterr().out == f"Logged: {ran['rid']}\n"
    audit = ran["audit"]
    (record,) = audit.query_by_model("sentiment_classifier")
    (same,) = audit.query_by_user("api_client_42")
    by_id = audit.get_by_request_id(ran["rid"])
    for one in (record, same, by_id):
        assert one.id > 0
        assert one.request_id == ran["rid"]
        assert (one.model_name, one.model_version) == ("sentiment_classifier", "v2.1.0")
        assert one.input_data == {"text": "Great product, fast shipping!"}
        assert one.output_data == {"label": "positive", "score": 0.96}
        assert (one.user_id, one.latency_ms, one.metadata) == ("api_client_42", 15.3, None)
        assert len(one.input_hash) == 64
        assert one.timestamp.tzinfo is not None
    assert_accepted(audit)


@pytest.mark.usefixtures("default_ledger")
def test_middleware_for_automatic_logging() -> None:
    ran = run("middleware")
    body = {"transaction_amount": 12.5}
    with TestClient(ran["app"]) as client:
        assert client.post("/predict", json=body, headers={"X-User-ID": "jane"}).json()["prediction"] == "legitimate"
        assert client.post("/predict", json=body).status_code == 200
    audit = ran["audit"]
    anonymous, jane = audit.query_by_model("fraud_detector")
    assert (anonymous.user_id, jane.user_id) == ("anonymous", "jane")
    assert (jane.input_data, jane.output_data) == (body, {"prediction": "legitimate", "confidence": 0.94})
    assert jane.metadata == {"ip": "testclient", "endpoint": "/predict"}
    assert jane.latency_ms >= 0
    assert_accepted(audit)


@pytest.mark.usefixtures("default_ledger")
def test_compliance_reports(capsys: pytest.CaptureFixture[str]) -> None:
    audit = AuditLogger()
    for n in range(20):
        audit.log(
            "fraud_detector", "v3.2.1" if n else "v3.2.0", {"n": n}, {"prediction": "fraud" if n < 5 else "legitimate"},
            f"user_{n % 3}", float(n + 1), request_id=f"r{n}",
        )  # fmt: skip
    run("reports")
    report = json.loads(capsys.readouterr().out)
    first, last = aware(report.pop("first_prediction")), aware(report.pop("last_prediction"))
    assert first <= last
    assert report == {
        "model": "fraud_detector",
        "period_days": 30,
        "total_predictions": 20,
        "unique_users": 3,
        "prediction_distribution": {"fraud": 5, "legitimate": 15},
        "versions_used": {"v3.2.0": 1, "v3.2.1": 19},
        # As the seed document counts: sorted(latencies)[int(20 * 0.95)].
        "latency_stats": {"mean_ms": 10.5, "p95_ms": 20.0, "max_ms": 20.0},
    }
    access = ComplianceReporter(audit).data_access_report("user_2", days=90)
    times = [aware(request.pop("timestamp")) for request in access["requests"]]
    assert times == sorted(times)
    assert access == {
        "user_id": "user_2",
        "period_days": 90,
        "total_requests": 6,
        "models_used": {"fraud_detector": 6},
        "requests": [{"request_id": f"r{n}", "model": "fraud_detector"} for n in range(2, 20, 3)],
    }
    assert_accepted(audit)


@pytest.mark.usefixtures("default_ledger")
def test_redaction(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run("redaction")
    assert capsys.readouterr().out == "{'text': 'Contact [EMAIL] or call [PHONE]', 'user_ssn': '[SSN]'}\n"
    (record,) = ran["audit"].query_by_model("classifier")
    assert record.input_data == ran["redacted"]
    assert_accepted(ran["audit"])
