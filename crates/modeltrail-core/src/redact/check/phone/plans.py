#!/usr/bin/env python3
"""Writes plans.txt and examples.txt: the telephone numbering plans, in short.

The facts are those of libphonenumber's metadata (Apache-2.0), read through the PyPI package
`phonenumbers`, version 9.0.43. To bring them up to date:

    python3 -m venv VENV && VENV/bin/pip install phonenumbers
    VENV/bin/python plans.py

The metadata has one pattern per country and kind of number. This makes an automaton of all patterns
of a calling code and asks it which lengths a number can have behind each leading three digits.
"""

import pathlib
import re._parser as parser

from phonenumbers import example_number_for_type, national_significant_number
from phonenumbers import PhoneNumberType, __version__
from phonenumbers.data import _COUNTRY_CODE_TO_REGION_CODE as REGIONS
from phonenumbers.phonemetadata import PhoneMetadata

HERE = pathlib.Path(__file__).parent
# How many leading digits are told apart: with two a fifth of what should be refused would pass,
# with four the table is twice as long.
DEPTH = 3
KINDS = (
    "fixed_line mobile toll_free premium_rate shared_cost personal_number voip pager uan voicemail"
).split()
LENGTHS = "0123456789abcdefghijk"


class Automaton:
    """A nondeterministic automaton over digits; `edges` hold a set of digits as bits."""

    def __init__(self):
        self.empty, self.edges, self.accepts = [], [], {}
        self.start = self.state()

    def state(self):
        self.empty.append([])
        self.edges.append([])
        return len(self.empty) - 1

    def add(self, pattern, lengths, prefix=""):
        """Accepts what the pattern matches behind a prefix, if it has one of these lengths."""
        state = self.state()
        self.empty[self.start].append(state)
        end = self.build(parser.parse(f"{prefix}(?:{pattern})"), state)
        bits = sum(1 << length + len(prefix) for length in lengths)
        self.accepts[end] = self.accepts.get(end, 0) | bits

    def build(self, items, state):
        for name, value in ((str(name), value) for name, value in items):
            if name == "LITERAL":
                state = self.edge(state, 1 << value - 48)
            elif name == "IN":
                state = self.edge(state, sum(1 << d for d in range(10) if is_in(value, d)))
            elif name == "SUBPATTERN":
                state = self.build(value[3], state)
            elif name == "BRANCH":
                ends = [self.build(branch, self.fork(state)) for branch in value[1]]
                state = self.state()
                for end in ends:
                    self.empty[end].append(state)
            elif name == "MAX_REPEAT":
                least, most, inner = value
                end = self.state()
                for n in range(most + 1):
                    if n >= least:
                        self.empty[state].append(end)
                    if n < most:
                        state = self.build(inner, state)
                state = end
            else:
                raise ValueError(name)
        return state

    def edge(self, state, digits):
        end = self.state()
        self.edges[state].append((digits, end))
        return end

    def fork(self, state):
        end = self.state()
        self.empty[state].append(end)
        return end

    def closure(self, states):
        found, waiting = set(states), list(states)
        while waiting:
            for state in self.empty[waiting.pop()]:
                if state not in found:
                    found.add(state)
                    waiting.append(state)
        return frozenset(found)

    def step(self, states, digit):
        ends = {end for state in states for digits, end in self.edges[state] if digits >> digit & 1}
        return self.closure(ends)

    def lengths(self, states, depth, known):
        """The lengths, as bits, of the numbers that go on from these states."""
        key = (states, depth)
        if key not in known:
            ends = (self.accepts.get(state, 0) & 1 << depth for state in states)
            bits = 0
            for end in ends:
                bits |= end
            for after in {self.step(states, digit) for digit in range(10)}:
                if after:
                    bits |= self.lengths(after, depth + 1, known)
            known[key] = bits
        return known[key]

    def prefixes(self):
        """Each three leading digits with the lengths of the numbers behind them."""
        known, found = {}, {}
        waiting = [(self.closure({self.start}), "")]
        while waiting:
            states, prefix = waiting.pop()
            if len(prefix) == DEPTH:
                found[prefix] = self.lengths(states, DEPTH, known)
                continue
            for digit in range(10):
                after = self.step(states, digit)
                if after:
                    waiting.append((after, prefix + str(digit)))
        return {prefix: bits for prefix, bits in found.items() if bits}


def is_in(items, digit):
    for name, value in ((str(name), value) for name, value in items):
        low, high = {"LITERAL": (value, value), "RANGE": value, "CATEGORY": (48, 57)}[name]
        if low <= digit + 48 <= high:
            return True
    return False


def written(prefixes):
    """`LENGTHS:RANGES;…`: lengths as digits of base 36, ranges of leading digits."""
    runs = []
    for prefix, bits in sorted(prefixes.items()):
        if runs and runs[-1][2] == bits and int(runs[-1][1]) + 1 == int(prefix):
            runs[-1][1] = prefix
        else:
            runs.append([prefix, prefix, bits])
    groups = {}
    for low, high, bits in runs:
        while low[:-1] and low[-1] == "0" and high[-1] == "9":
            low, high = low[:-1], high[:-1]
        groups.setdefault(bits, []).append(low if low == high else f"{low}-{high}")
    text = lambda bits: "".join(c for n, c in enumerate(LENGTHS) if bits >> n & 1)
    return ";".join(f"{text(bits)}:{','.join(ranges)}" for bits, ranges in groups.items())


def patterns(metadata):
    for kind in KINDS:
        kind = getattr(metadata, kind)
        if kind is not None and kind.national_number_pattern:
            yield kind.national_number_pattern, kind.possible_length


def main():
    lines, examples, anywhere = [], [], Automaton()
    for code, regions in sorted(REGIONS.items()):
        plan, trunk = Automaton(), "-"
        for region in regions:
            metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
            if region == regions[0]:
                trunk = metadata.national_prefix or "-"
            for pattern, lengths in patterns(metadata):
                plan.add(pattern, lengths)
                if code < 800:
                    anywhere.add(pattern, lengths)
                    if trunk != "-":
                        anywhere.add(pattern, lengths, trunk)
            for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE):
                example = region != "001" and example_number_for_type(region, kind)
                if example:
                    number = national_significant_number(example)
                    examples.append(f"{region} {code} {number}")
        places = ",".join(region for region in regions if region != "001") or "-"
        lines.append(f"{code} {places} {trunk} {written(plan.prefixes())}")
    head = [
        "# Calling code, countries (ISO 3166), trunk prefix, and the lengths that national numbers",
        "# have behind leading digits. Code 0: numbers as they are dialled in any country.",
        f"# Written by plans.py from libphonenumber's metadata {__version__}.",
    ]
    lines.insert(0, f"0 - - {written(anywhere.prefixes())}")
    (HERE / "plans.txt").write_text("\n".join(head + lines) + "\n", encoding="ascii")
    head = [
        "# Country, calling code, an example of a national number; for the tests.",
        f"# Written by plans.py from libphonenumber's metadata {__version__}.",
    ]
    (HERE / "examples.txt").write_text("\n".join(head + examples) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
