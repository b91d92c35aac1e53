"""A ledger of its own for each test."""

from __future__ import annotations

import os
import pathlib
import subprocess
from collections.abc import Iterator

import pytest

import modeltrail
from modeltrail import AuditLogger


@pytest.fixture
def audit(tmp_path: pathlib.Path) -> Iterator[AuditLogger]:
    logger = AuditLogger(f"sqlite:{tmp_path / 'audit.db'}")
    yield logger
    assert_accepted(logger)
    logger.close()


@pytest.fixture
def default_ledger(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pathlib.Path]:
    """A program that names no ledger has one in this folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MODELTRAIL_STORE", raising=False)
    monkeypatch.setattr("modeltrail._logger._default", None)
    yield tmp_path
    modeltrail._native.close_all()


def assert_accepted(logger: AuditLogger) -> None:
    """The ledger verifies, by the command line too where `MODELTRAIL_BIN` names it."""
    assert logger.verify()["findings"] == []
    program = os.environ.get("MODELTRAIL_BIN")
    if program:
        command = [program, "--store", logger.url, "verify"]
        subprocess.run(command, check=True, capture_output=True)
