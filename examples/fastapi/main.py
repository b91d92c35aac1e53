"""A scikit-learn model behind FastAPI whose predictions are recorded by middleware: no endpoint knows of it.

    pip install modeltrail fastapi uvicorn scikit-learn
    MODELTRAIL_STORE=sqlite:audit.db uvicorn main:app --workers 2
"""

from __future__ import annotations

import fastapi
import pydantic
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from modeltrail import AuditMiddleware


def train() -> Pipeline:
    """A classifier of tumours; the data comes with scikit-learn."""
    data = load_breast_cancer()
    return make_pipeline(StandardScaler(), LogisticRegression(random_state=7)).fit(data.data, data.target)


class Tumour(pydantic.BaseModel):
    """Thirty measures of the cells of a sample."""

    measures: list[float] = pydantic.Field(min_length=30, max_length=30)
    patient: str


app = fastapi.FastAPI()
app.add_middleware(
    AuditMiddleware,
    model="tumour_classifier",
    version="logistic-1",
    user="header:x-user-id",
    subject="body:/patient",
    routes=[{"path": "/predict"}],
)
model = train()


@app.post("/predict")
def predict(tumour: Tumour) -> dict[str, object]:
    malignant, benign = model.predict_proba([tumour.measures])[0]
    label = "benign" if benign >= malignant else "malignant"
    return {"prediction": label, "confidence": float(max(malignant, benign))}


@app.get("/healthz")
def healthz() -> str:
    return "ok"
