"""The second listing: predictions are stored and queried."""

from modeltrail import AuditLogger

audit = AuditLogger()
rid = audit.log(
    model_name="sentiment_classifier",
    model_version="v2.1.0",
    input_data={"text": "Great product, fast shipping!"},
    output_data={"label": "positive", "score": 0.96},
    user_id="api_client_42",
    latency_ms=15.3,
)
print(f"Logged: {rid}")
