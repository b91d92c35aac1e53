"""The third listing: an endpoint that logs by itself."""

from fastapi import FastAPI, Request

from modeltrail import AuditLogger, audit_endpoint


def run_model(body):
    return {"prediction": "legitimate", "confidence": 0.94}


app = FastAPI()
audit = AuditLogger()


@app.post("/predict")
@audit_endpoint(model_name="fraud_detector", model_version="v3.2.1")
async def predict(request: Request):
    body = await request.json()
    prediction = run_model(body)
    return prediction
