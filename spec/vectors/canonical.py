"""Canonical bytes as `spec/record.md` describes them."""
import json
from decimal import Decimal, getcontext

getcontext().prec = 2000


class Num(str):
    """A number token as received."""


def number(token):
    d = Decimal(token)
    if d == 0:
        return "0"
    sign, digits, exp = d.as_tuple()
    digits = "".join(map(str, digits))
    stripped = digits.lstrip("0")
    exp += 0
    tail = len(stripped) - len(stripped.rstrip("0"))
    stripped = stripped.rstrip("0")
    exp += tail
    point = len(stripped) + exp
    f = float(token)
    exact = f not in (float("inf"), float("-inf")) and f != 0.0 and Decimal(repr(f)) == d
    return ("-" if sign else "") + layout(stripped, point, 21 if exact else 309)


def layout(digits, point, plain_max):
    n = len(digits)
    if n <= point <= plain_max:
        return digits + "0" * (point - n)
    if 0 < point < n:
        return digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    e = point - 1
    return digits[0] + ("." + digits[1:] if n > 1 else "") + "e" + ("-" if e < 0 else "+") + str(abs(e))


def string(text):
    short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
    return '"' + "".join(short.get(ord(c), c if ord(c) >= 32 else "\\u%04x" % ord(c)) for c in text) + '"'


def canonical(value):
    if isinstance(value, Num):
        return number(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return string(value)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    keys = sorted(value, key=lambda k: k.encode("utf-16-be"))
    return "{" + ",".join(string(k) + ":" + canonical(value[k]) for k in keys) + "}"


def canonical_text(text):
    return canonical(json.loads(text, parse_int=Num, parse_float=Num))
