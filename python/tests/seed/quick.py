"""The first listing: a prediction is logged."""

import uuid

from modeltrail import log_prediction

# Usage in your inference code
request_id = str(uuid.uuid4())
record = log_prediction(
    request_id=request_id,
    model_name="fraud_detector",
    model_version="v3.2.1",
    input_data={"transaction_amount": 1250.00, "merchant_category": "electronics"},
    output={"prediction": "legitimate", "confidence": 0.94, "risk_score": 0.12},
    user_id="analyst_jane",
    latency_ms=23.5,
)
