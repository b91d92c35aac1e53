"""Writes what a fuzz target begins with: the labelled cases of the redactor's tests."""
import json, pathlib, sys

target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
here = pathlib.Path(__file__).parent
cases = (here / "../crates/modeltrail-core/tests/data/redaction.jsonl").read_text().splitlines()
policies = [
    "version = 1\nname = 'a'\n[types]\ndefault = 'mask'\nemail = 'pseudonym'\n",
    "version = 1\nname = 'b'\n[[deny]]\npaths = ['$..a']\naction = 'remove'\n[[allow]]\nkeys = ['b']\n",
    "version = 1\nname = 'c'\n[[pattern]]\nname = 'own'\nregex = '[a-z]+[0-9]+'\naction = 'remove'\n",
]
for n, line in enumerate(cases):
    document = json.dumps(json.loads(line)["json"], ensure_ascii=False)
    policy = policies[n % len(policies)] + "\0"
    (folder / f"case-{n}").write_text(policy + document if target == "redaction_policy" else document)
