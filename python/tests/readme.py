"""Runs the Python examples of the READMEs, each in a folder of its own: `python readme.py README.md …`."""

from __future__ import annotations

import os
import pathlib
import re
import sys
import tempfile

import modeltrail


def examples(path: pathlib.Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def main() -> None:
    n_run = 0
    for path in [pathlib.Path(name).resolve() for name in sys.argv[1:]]:
        for example in examples(path):
            with tempfile.TemporaryDirectory() as folder:
                os.chdir(folder)
                exec(compile(example, str(path), "exec"), {"__name__": "__main__"})
                modeltrail._native.close_all()  # before its folder goes
                os.chdir(path.parent)
            n_run += 1
    if n_run < len(sys.argv) - 1:
        raise SystemExit("a README has no example")


if __name__ == "__main__":
    main()
