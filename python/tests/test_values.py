"""What values become."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import ipaddress
import json
import math
import pathlib
import types
import uuid
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest

from modeltrail import AuditError, RecordError, UnsupportedTypeError, to_json


def repr_of_type(case: Any) -> str:
    return case[:30] if isinstance(case, str) else type(case).__name__


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass
class Point:
    x: float
    y: Any


@dataclasses.dataclass(slots=True)
class Slotted:
    x: int


class Model(pydantic.BaseModel):
    amount: decimal.Decimal
    at: datetime.datetime
    secret: pydantic.SecretStr = pydantic.SecretStr("hidden")


Named = collections.namedtuple("Named", ["a", "b"])
UTC = datetime.timezone.utc

CASES: list[tuple[Any, str]] = [
    (None, "null"),
    ([True, False], "[true,false]"),
    ({}, "{}"),
    ((), "[]"),
    ({"a": 1, "b": [1, {"c": "d"}]}, '{"a":1,"b":[1,{"c":"d"}]}'),
    ('"\\\n\u0001é', '"\\"\\\\\\n\\u0001é"'),
    ("x" * 200 + '"', '"' + "x" * 200 + '\\""'),
    (-1, "-1"),
    (2**63, "9223372036854775808"),
    (-(10**400), "-1" + "0" * 400),
    (10**6000 + 7, "1" + "0" * 5999 + "7"),
    (0.1, "0.1"),
    (1e300, "1e+300"),
    ([math.nan, math.inf, -math.inf], '["NaN","Infinity","-Infinity"]'),
    ({1: 1, 2.5: 2, None: 4}, '{"1":1,"2.5":2,"null":4}'),
    ({True: 1, Level.LOW + 1: 2, math.nan: 3}, '{"true":1,"2":2,"NaN":3}'),
    (decimal.Decimal("1.10"), "1.10"),
    (decimal.Decimal("1E+3"), "1E+3"),
    (decimal.Decimal("0.1234567890123456789012345678901234567890"), "0.1234567890123456789012345678901234567890"),
    ([decimal.Decimal("NaN"), decimal.Decimal("-Infinity")], '["NaN","-Infinity"]'),
    (datetime.datetime(2026, 3, 15, 12, 0, 0, 5, UTC), '"2026-03-15T12:00:00.000005+00:00"'),
    (datetime.date(2026, 3, 15), '"2026-03-15"'),
    (datetime.time(1, 2), '"01:02:00"'),
    (datetime.timedelta(days=1, seconds=4, microseconds=500), '"PT86404.0005S"'),
    (-datetime.timedelta(seconds=1, milliseconds=500), '"-PT1.5S"'),
    (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
    (pathlib.PurePosixPath("a/b"), '"a/b"'),
    (ipaddress.ip_address("192.0.2.1"), '"192.0.2.1"'),
    (Colour.RED, '"red"'),
    ([Level.LOW], "[1]"),
    ({3, 1, 2}, "[1,2,3]"),
    (frozenset("ba"), '["a","b"]'),
    (collections.deque([1, 2]), "[1,2]"),
    (range(3), "[0,1,2]"),
    (types.MappingProxyType({"a": 1}), '{"a":1}'),
    (collections.OrderedDict(a=1), '{"a":1}'),
    (Named(1, "x"), '{"a":1,"b":"x"}'),
    (Point(1.5, Slotted(2)), '{"x":1.5,"y":{"x":2}}'),
    ({"b": b"\x00\xff"}, '{"b":{"base64":"AP8="}}'),
    ([bytearray(b"a"), memoryview(b"a")], '[{"base64":"YQ=="},{"base64":"YQ=="}]'),
    (
        Model(amount=decimal.Decimal("1.10"), at=datetime.datetime(2026, 1, 1, tzinfo=UTC)),
        '{"amount":1.10,"at":"2026-01-01T00:00:00+00:00","secret":"**********"}',
    ),
    ([np.bool_(True), np.int8(-3), np.uint64(2**64 - 1)], "[true,-3,18446744073709551615]"),
    ([np.float64(0.1), np.float32(0.1), np.float16(0.1)], "[0.1,0.1,0.1]"),
    (np.float32(3.4028235e38), "3.4028235e+38"),
    ([np.float32("nan"), np.float16("-inf")], '["NaN","-Infinity"]'),
    (np.longdouble("0.1"), "0.1"),
    (np.str_("a"), '"a"'),
    (np.array([[0.1, 1e-7], [2.5, np.inf]], dtype=np.float32), '[[0.1,1e-7],[2.5,"Infinity"]]'),
    (np.array([0.1, 2], dtype=np.float16), "[0.1,2.0]"),
    (np.array([[1, 2], [3, 4]]), "[[1,2],[3,4]]"),
    (np.array(0.1, dtype=np.float32), "0.1"),
    (np.array([], dtype=np.float32), "[]"),
    (np.array(["2026-03-15T12:00"], dtype="datetime64[s]"), '["2026-03-15T12:00:00"]'),
    (np.array([1, "a", None], dtype=object), '[1,"a",null]'),
    (pd.Series({"a": 0.1, "b": 2.0}, dtype="float32"), '{"a":0.1,"b":2.0}'),
    (pd.Series([1, 2]), "[1,2]"),
    (pd.Timestamp("2026-03-15T12:00:00.123456789Z"), '"2026-03-15T12:00:00.123456789+00:00"'),
    ([pd.NA, pd.NaT], '[null,"NaT"]'),
    (
        pd.DataFrame({"x": np.array([0.1, 0.2], "float32"), "n": [1, 2], "t": pd.to_datetime(["2026-01-01"] * 2)}),
        '[{"x":0.1,"n":1,"t":"2026-01-01T00:00:00"},{"x":0.2,"n":2,"t":"2026-01-01T00:00:00"}]',
    ),
    (pd.DataFrame({"x": [1], "y": ["a"]}).iloc[0], '{"x":1,"y":"a"}'),
]


@pytest.mark.parametrize(("value", "text"), CASES, ids=repr_of_type)
def test_a_value_becomes_this_text(value: Any, text: str) -> None:
    assert to_json(value).decode() == text
    if not isinstance(value, (bytes, bytearray)):
        assert to_json([{"in": value}]).decode() == f'[{{"in":{text}}}]'


def test_tensors_come_by_their_array() -> None:
    class Tensor:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.array([0.1], dtype=np.float32)

    assert to_json({"t": Tensor()}) == b'{"t":[0.1]}'


def test_pydantic_1_models_are_their_fields() -> None:
    class Old:
        __fields__ = {"a": None}
        __get_validators__ = None

        def dict(self) -> Any:
            return {"a": decimal.Decimal("2.50")}

    assert to_json(Old()) == b'{"a":2.50}'


def cycle() -> Any:
    loop: list[Any] = []
    loop.append({"again": loop})
    return loop


def array_in_itself() -> Any:
    box = np.empty((), dtype=object)
    box[()] = box
    return box


class Raising(collections.UserDict):  # type: ignore[type-arg]
    def items(self) -> Any:
        raise RuntimeError("no items today")


REFUSED: list[tuple[Any, type[Exception], str]] = [
    (object(), TypeError, ""),
    ({"a": [1, {"b/c~d": object()}]}, TypeError, "/a/1/b~1c~0d"),
    ({"a": lambda: 1}, TypeError, "/a"),
    ({"a": (n for n in [1])}, TypeError, "/a"),
    ([1j], TypeError, "/0"),
    ({"k": {(1, 2): 3}}, TypeError, "/k/?"),
    ({b"k": 1}, TypeError, "/?"),
    ({"x": ["\ud800"]}, ValueError, "/x/0"),
    ({"\udfff": 1}, ValueError, "/?"),
    ({1: 1, "1": 2}, ValueError, "/1"),
    ({"n": decimal.Decimal("1E+1000000000")}, ValueError, "/n"),
    ({"c": np.array([1j])}, TypeError, "/c"),
    ({"r": Raising(a=1)}, ValueError, "/r"),
    ({"a": array_in_itself()}, ValueError, "/a"),
    (pd.DataFrame([[1, 2]], columns=["x", "x"]), ValueError, "/0/x"),
    ("x" * (17 * 1024 * 1024), ValueError, ""),
    ([b"x" * (17 * 1024 * 1024)], ValueError, "/0"),
]


@pytest.mark.parametrize(("value", "kind", "pointer"), REFUSED, ids=repr_of_type)
def test_what_cannot_be_kept_is_refused_with_its_place(value: Any, kind: type[Exception], pointer: str) -> None:
    with pytest.raises(kind) as caught:
        to_json(value)
    error = caught.value
    assert isinstance(error, RecordError)
    assert isinstance(error, AuditError)
    assert error.pointer == pointer
    assert error.remedy


def test_a_value_in_itself_is_refused() -> None:
    with pytest.raises(RecordError, match="holds itself"):
        to_json(cycle())
    deep: Any = 1
    for _ in range(127):
        deep = [deep]
    assert to_json(deep).count(b"[") == 127
    with pytest.raises(RecordError, match="nested deeper than 127 levels"):
        to_json([deep])


def test_the_cause_of_a_failed_read_is_kept_and_an_interrupt_is_not_caught() -> None:
    with pytest.raises(RecordError, match="no items today") as caught:
        to_json(Raising(a=1))
    assert isinstance(caught.value.__cause__, RuntimeError)

    class Interrupted(collections.UserDict):  # type: ignore[type-arg]
        def items(self) -> Any:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        to_json({"a": Interrupted(a=1)})


def test_a_dict_may_change_while_it_is_read() -> None:
    record: dict[str, Any] = {"a": 1}

    class Meddler:
        __pydantic_fields__: dict[str, Any] = {}

        def model_dump(self) -> Any:
            record.update({str(n): n for n in range(100)})
            return {}

    record["m"] = Meddler()
    assert json.loads(to_json(record)) == {"a": 1, "m": {}}


def test_every_double_reads_back_as_itself() -> None:
    random = np.random.default_rng(5)
    doubles = random.integers(0, 2**64, 20_000, dtype=np.uint64).view(np.float64)
    doubles = doubles[np.isfinite(doubles)]
    assert (np.array(json.loads(to_json(doubles))) == doubles).all()
    singles = random.integers(0, 2**32, 20_000, dtype=np.uint32).view(np.float32)
    singles = singles[np.isfinite(singles)]
    text = to_json(singles).decode()
    assert (np.array(text[1:-1].split(","), dtype=np.float32) == singles).all()
    assert max(len(one.strip("-").replace(".", "").split("e")[0].strip("0")) for one in text[1:-1].split(",")) <= 9


def test_an_unsupported_type_says_what_to_do() -> None:
    with pytest.raises(UnsupportedTypeError) as caught:
        to_json({"a": object()})
    told = "/a: is a object, which has no JSON; give a dict, list, str, number, bool or None, or call what makes one of it"
    assert str(caught.value) == told
