"""The fourth listing: reports."""

import json

from modeltrail import AuditLogger, ComplianceReporter

audit = AuditLogger()
reporter = ComplianceReporter(audit)
report = reporter.model_usage_report("fraud_detector", days=30)
print(json.dumps(report, indent=2))
