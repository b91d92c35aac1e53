"""The audit trail of every model decision: durable, append-only, tamper-evident.

    from modeltrail import AuditLogger

    audit = AuditLogger("sqlite:audit.db")
    audit.log("fraud_detector", "v3.2.1", {"amount": 1250.0}, {"prediction": "legitimate"})
"""

from modeltrail import _process as _process
from modeltrail._audited import audited
from modeltrail._endpoint import audit_endpoint
from modeltrail._errors import (
    AuditError,
    ClosedError,
    ConflictError,
    FullError,
    LedgerError,
    RecordError,
    StageTimeoutError,
    UnsupportedTypeError,
)
from modeltrail._logger import AuditLogger, Prediction, default_logger, log_prediction
from modeltrail._logging import AuditHandler, AuditProcessor
from modeltrail._native import AuditRecord, redact_pii, to_json
from modeltrail._reports import ComplianceReporter
from modeltrail.asgi import AuditMiddleware

__all__ = [
    "AuditError",
    "AuditHandler",
    "AuditLogger",
    "AuditMiddleware",
    "AuditProcessor",
    "AuditRecord",
    "ClosedError",
    "ComplianceReporter",
    "ConflictError",
    "FullError",
    "LedgerError",
    "Prediction",
    "RecordError",
    "StageTimeoutError",
    "UnsupportedTypeError",
    "audit_endpoint",
    "audited",
    "default_logger",
    "log_prediction",
    "redact_pii",
    "to_json",
]
