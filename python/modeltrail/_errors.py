"""Exceptions. All are an `AuditError`."""

from __future__ import annotations


class AuditError(Exception):
    """Something was not recorded, or could not be asked."""


class RecordError(AuditError, ValueError):
    """A record that cannot be taken; nothing of it was kept.

    `pointer` is the JSON pointer of what was refused, `reason` what is wrong there, `remedy` what to do.
    """

    def __init__(self, pointer: str, reason: str, remedy: str) -> None:
        super().__init__(pointer, reason, remedy)
        self.pointer = pointer
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.pointer or 'record'}: {self.reason}; {self.remedy}"


class UnsupportedTypeError(RecordError, TypeError):
    """A value of a type that has no JSON."""


class FullError(AuditError):
    """No room in memory or spool; nothing of the record was kept."""


class ConflictError(AuditError):
    """Another record holds the request id; this one was kept as a conflict entry."""

    def __init__(self, message: str, request_id: str, index: int) -> None:
        super().__init__(message, request_id, index)
        self.request_id = request_id
        self.index = index

    def __str__(self) -> str:
        return str(self.args[0])


class StageTimeoutError(AuditError, TimeoutError):
    """The stage was not reached in time; the record is safe at the stage before."""

    def __init__(self, message: str, stage: str) -> None:
        super().__init__(message, stage)
        self.stage = stage

    def __str__(self) -> str:
        return str(self.args[0])


class LedgerError(AuditError):
    """The ledger cannot be opened, written or read."""


class ClosedError(AuditError):
    """The logger was closed."""
