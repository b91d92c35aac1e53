"""The fifth listing: a prediction is logged without its personal data."""

from modeltrail import AuditLogger, redact_pii

audit = AuditLogger()
# Log with redaction
input_data = {"text": "Contact jane.doe@example.com or call 555-123-4567", "user_ssn": "123-45-6789"}
redacted = redact_pii(input_data)
print(redacted)
# {'text': 'Contact [EMAIL] or call [PHONE]', 'user_ssn': '[SSN]'}
audit.log(
    model_name="classifier",
    model_version="v1",
    input_data=redacted,  # store redacted version
    output_data={"label": "inquiry"},
)
