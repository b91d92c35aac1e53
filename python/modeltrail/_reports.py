"""The auditor's reports."""

from __future__ import annotations

from typing import Any

from modeltrail._logger import AuditLogger


class ComplianceReporter:
    """Reports over the ledger that a logger records into."""

    def __init__(self, audit_logger: AuditLogger) -> None:
        self.audit = audit_logger

    def model_usage_report(self, model_name: str, days: int = 30) -> dict[str, Any]:
        """How a model was used in the last days: users, labels, versions, latencies."""
        return self.audit._model_usage(model_name, days)

    def data_access_report(self, user_id: str, days: int = 90) -> dict[str, Any]:
        """What a user asked for in the last days."""
        return self.audit._data_access(user_id, days)
