from datetime import datetime
from os import PathLike
from typing import Any, final

from typing_extensions import disjoint_base

__all__ = [
    "AuditLogger",
    "AuditRecord",
    "Capture",
    "Exchange",
    "Frozen",
    "after_fork",
    "close_all",
    "default_url",
    "freeze",
    "freeze_bytes",
    "freeze_json",
    "redact_pii",
    "to_json",
]


def after_fork() -> None: ...
def close_all() -> None: ...
def default_url() -> str: ...
def redact_pii(data: Any) -> dict[str, Any]:
    """Masks personal data in a dict and gives a new one; all rules are on."""

def to_json(value: Any) -> bytes:
    """The JSON text of a value, as it would be recorded before redaction."""

def freeze(value: Any, *, lenient: bool = False) -> Frozen: ...
def freeze_json(text: bytes) -> Frozen: ...
def freeze_bytes(data: bytes, media_type: str) -> Frozen: ...
@final
class Frozen:
    """A value as it was at some time."""

    def __len__(self) -> int: ...

@final
class AuditRecord:
    """An entry of the ledger."""

    @property
    def id(self) -> int: ...
    @property
    def index(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def request_id(self) -> str: ...
    @property
    def timestamp(self) -> datetime: ...
    @property
    def timestamp_ns(self) -> int: ...
    @property
    def recorded_at(self) -> datetime: ...
    @property
    def model_name(self) -> str: ...
    @property
    def model_version(self) -> str: ...
    @property
    def input_hash(self) -> str: ...
    @property
    def input_data(self) -> Any: ...
    @property
    def output_data(self) -> Any: ...
    @property
    def metadata(self) -> Any: ...
    @property
    def pipeline(self) -> Any: ...
    @property
    def error(self) -> Any: ...
    @property
    def header_data(self) -> Any: ...
    @property
    def input_bytes(self) -> bytes | None: ...
    @property
    def output_bytes(self) -> bytes | None: ...
    @property
    def input_media_type(self) -> str | None: ...
    @property
    def output_media_type(self) -> str | None: ...
    @property
    def user_id(self) -> str | None: ...
    @property
    def subject_id(self) -> str | None: ...
    @property
    def session_id(self) -> str | None: ...
    @property
    def trace_id(self) -> str | None: ...
    @property
    def client_address(self) -> str | None: ...
    @property
    def links(self) -> list[tuple[str, str]]: ...
    @property
    def latency_ms(self) -> float | None: ...
    @property
    def status(self) -> str | None: ...
    @property
    def label(self) -> str | None: ...
    @property
    def leaf_hash(self) -> str: ...
    @property
    def record_id(self) -> str: ...

@disjoint_base
class AuditLogger:
    def __new__(
        cls,
        url: str | None = None,
        *,
        ack: str = "accepted",
        origin: str | None = None,
        policy: str | PathLike[str] | None = None,
        on_full: str = "block",
        mode: str = "api",
    ) -> AuditLogger: ...
    def log(
        self,
        model_name: str,
        model_version: str,
        input_data: Any,
        output_data: Any,
        user_id: Any = None,
        latency_ms: float | None = None,
        metadata: Any = None,
        *,
        pipeline: Any = None,
        ack: str | None = None,
        request_id: Any = None,
        timestamp: Any = None,
        subject_id: Any = None,
        session_id: Any = None,
        trace_id: Any = None,
        client_address: Any = None,
        status: str | None = None,
        error: Any = None,
        kind: str | None = None,
        links: Any = None,
    ) -> str:
        """Records a prediction; gives its request id."""

    def query_by_model(self, model_name: str, limit: int = 100) -> list[AuditRecord]:
        """Entries of a model, newest first."""

    def query_by_user(self, user_id: str, limit: int = 100) -> list[AuditRecord]:
        """Entries of a user, newest first."""

    def get_by_request_id(self, request_id: str) -> AuditRecord | None:
        """The record under a request id."""

    def flush(self, stage: str = "sequenced", timeout: float | None = None) -> None:
        """Waits until everything that was recorded before has reached a stage."""

    def close(self) -> None:
        """Makes everything durable; the last logger of a recorder ends it."""

    def stats(self) -> dict[str, Any]:
        """What was recorded, and what waits."""

    def verify(self) -> dict[str, Any]:
        """Verifies the whole ledger; `is_clean` and `findings` tell what was found."""

    def _model_usage(self, model_name: str, days: int) -> dict[str, Any]: ...
    def _data_access(self, user_id: str, days: int) -> dict[str, Any]: ...
    @property
    def url(self) -> str: ...
    @property
    def ack(self) -> str: ...
    @property
    def closed(self) -> bool: ...

@final
class Capture:
    def __new__(cls, audit: AuditLogger, config: str, way_in: str) -> Capture: ...
    @property
    def body_bytes_max(self) -> int: ...
    def begin(self, method: str, path: str, query: str | None = None) -> Exchange | None: ...

@final
class Exchange:
    def request_headers(self, headers: list[tuple[bytes, bytes]]) -> None: ...
    def request_bytes(self, bytes: bytes) -> None: ...
    def request_cut(self) -> None: ...
    def response_start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None: ...
    def response_bytes(self, bytes: bytes) -> None: ...
    def client_address(self, address: str) -> None: ...
    def identify(
        self,
        *,
        user_id: str | None = None,
        subject_id: str | None = None,
        session_id: str | None = None,
        request_id: str | None = None,
    ) -> None: ...
    @property
    def wants_intent(self) -> bool: ...
    def intent(self) -> None: ...
    def end(self, how: str, code: str = "", message: str = "") -> str | None: ...
