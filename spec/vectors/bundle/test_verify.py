#!/usr/bin/env python3
"""Runs `docs/verify.py` on the bundles beside this file, whole and with every edit of `cases.json`.

    python3 spec/vectors/bundle/test_verify.py
"""
import base64, contextlib, importlib.util, io, json, os, pathlib, subprocess, sys, tarfile, tempfile, types, unittest

HERE = pathlib.Path(__file__).parent
VERIFY = HERE.parents[2] / "docs" / "verify.py"
CASES = json.loads((HERE / "cases.json").read_text(encoding="utf-8"))


def load():
    spec = importlib.util.spec_from_file_location("verify", VERIFY)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


verify = load()


def run(*arguments):
    """The command, in this process: some hundred starts of Python would take most of the time."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = verify.main(list(map(str, arguments)))
        except SystemExit as exit_:
            code = exit_.code
    return types.SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())


def run_alone(*arguments, **more):
    command = [sys.executable, "-B", "-W", "error", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, **more)


def spliced(data, edits):
    for at, n_bytes, text in reversed(edits):
        data = data[:at] + base64.b64decode(text) + data[at + n_bytes:]
    return data


class Bundles(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) if hasattr(
            self, "enterContext") else self.old_folder()
        self.policy = self.folder / "policy"
        self.policy.write_text(CASES["policy"], encoding="utf-8")

    def old_folder(self):
        """As above before Python 3.11."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)

    def file_of(self, name, member):
        """A file of a bundle, in the test's folder."""
        with tarfile.open(HERE / name) as archive:
            path = self.folder / pathlib.PurePosixPath(member).name
            path.write_bytes(archive.extractfile(member).read())
        return path

    def test_whole_bundles(self):
        for name in ("good.tar", "person.tar", "nothing.tar", "large.tar", "epoch.tar", "rotated.tar"):
            with self.subTest(name):
                key = CASES["keys"].get(name, CASES["key"])
                done = run(HERE / name, "--key", key, "--json")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                said = json.loads(done.stdout)
                self.assertEqual((said["findings"], said["key_pinned"]), ([], True))
                self.assertGreater(said["counts"]["leaves"], 100 if name in ("good.tar", "person.tar", "large.tar") else 0)
                way = [text for text in said["said"] if "follows from --key" in text]
                told = ", ".join(map(str, CASES["followed"].get(name, [])))
                self.assertEqual(way, [f"the checkpoint's key follows from --key by the key entries {told}"] if told else [])

    def test_whole_bundle_with_a_policy_and_an_authority(self):
        chain = self.file_of("good.tar", "timestamps/1.pem")
        root = self.folder / "root.pem"
        root.write_text("-----BEGIN" + chain.read_text().split("-----BEGIN")[-1])
        done = run(HERE / "good.tar", "--policy", self.policy, "--tsa", root)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for text in ("cosigned by one", "cosigned by two", "stamped at", "0 findings", "31 match"):
            self.assertIn(text, done.stdout)
        self.assertNotIn("was not checked", done.stdout)
        self.assertIn("was not checked", run(HERE / "good.tar", "--key", CASES["key"]).stdout)
        self.assertEqual(run(HERE / "good.tar", "--key", CASES["key"], "--tsa", self.folder / "none").returncode, 2)

    def test_as_a_command(self):
        done = run_alone(VERIFY, HERE / "good.tar", "--key", CASES["key"])
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_key_that_is_not_pinned(self):
        for name in ("good.tar", "forged.tar"):
            done = run(HERE / name)
            self.assertEqual(done.returncode, 0)
            self.assertIn("not pinned", done.stderr)

    def test_person_is_not_proven(self):
        self.assertIn("NOT PROVEN", run(HERE / "person.tar", "--key", CASES["key"]).stdout)

    def test_entries_that_no_ledger_writes(self):
        for name, expected in CASES["odd"].items():
            with self.subTest(name):
                done = run(HERE / name, "--key", CASES["key"], "--json")
                self.assertEqual(done.returncode, 1)
                found = [[finding["name"], finding.get("index")] for finding in json.loads(done.stdout)["findings"]]
                self.assertEqual(sorted(found), sorted(expected))

    def test_key_entries_without_effect_are_told(self):
        done = run(HERE / "erasures.tar", "--key", CASES["key"])
        self.assertIn("key entry 18 has no effect", done.stdout)
        self.assertEqual(done.stdout.count("has no effect"), 1)
        self.assertIn("erasures allowed by officer.example+", done.stdout)

    def check(self, number):
        case = CASES["cases"][number]
        bundle = self.folder / f"{number}.tar"
        bundle.write_bytes(spliced((HERE / case["bundle"]).read_bytes(), case["edits"]))
        pin = {"key": ["--key", CASES["key"]], "policy": ["--policy", self.policy]}.get(case["pin"], ["--key", case["pin"]])
        return run(bundle, *pin, "--json")

    def test_every_edit_is_found(self):
        self.assertGreater(len(CASES["cases"]), 25)
        for number, case in enumerate(CASES["cases"]):
            with self.subTest(case["name"]):
                done = self.check(number)
                self.assertEqual(done.returncode, case["exit"], done.stdout + done.stderr)
                if case["finding"] is None:
                    self.assertRegex(done.stderr, r"error: .*\.tar: (byte [0-9]+|manifest\.json): ")
                else:
                    self.assertIn(case["finding"], [finding["name"] for finding in json.loads(done.stdout)["findings"]])

    def test_receipts(self):
        receipt = self.file_of("good.tar", "proofs/217.tlog-proof")
        for pin in (["--key", CASES["key"]], ["--policy", self.policy]):
            done = run("--receipt", receipt, *pin)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("entry 217 of example.com/audit (700 entries): prediction", done.stdout)
        other = next(case["pin"] for case in CASES["cases"] if case["pin"] not in ("key", "policy"))
        self.assertEqual(run("--receipt", receipt, "--key", other).returncode, 1)
        self.assertEqual(run("--receipt", receipt).returncode, 2)
        whole = receipt.read_bytes()
        for at in range(0, len(whole), 67):
            with self.subTest(at=at):
                receipt.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
                # A line by a key that nobody here knows may say what it likes.
                is_stranger = at > whole.index(b"stranger.example")
                self.assertEqual(run("--receipt", receipt, "--policy", self.policy).returncode, 0 if is_stranger else 1)

    def test_receipt_of_a_first_entry(self):
        for name, code in (("epoch.tar", 0), ("begun.tar", 1)):
            receipt = self.file_of(name, "proofs/0.tlog-proof")
            self.assertEqual(run("--receipt", receipt, "--key", CASES["key"]).returncode, code)

    def test_receipt_by_a_key_that_followed(self):
        done = run("--receipt", self.file_of("rotated.tar", "proofs/1.tlog-proof"), "--key", CASES["key"])
        self.assertEqual(done.returncode, 1)
        self.assertIn("another key of this name", done.stdout)

    def test_receipts_of_another_size(self):
        receipt = self.file_of("good.tar", "proofs/217.tlog-proof")
        whole = receipt.read_bytes()
        receipt.write_bytes(b"".join(whole.splitlines(True)[:1] + whole.splitlines(True)[2:]))
        self.assertEqual(run("--receipt", receipt, "--key", CASES["key"]).returncode, 1)
        receipt.write_bytes(bytes(1_010_001))
        self.assertEqual(run("--receipt", receipt, "--key", CASES["key"]).returncode, 2)

    def test_the_commands_in_verify_md(self):
        """Signature and time stamp by hand, as VERIFY.md says it, with the key put in."""
        with tarfile.open(HERE / "good.tar") as archive:
            for member in archive.getmembers():
                path = self.folder / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.extractfile(member).read())
        text = (self.folder / "VERIFY.md").read_text(encoding="utf-8")
        block = next(part for part in text.split("```") if part.startswith("console\nsed"))
        block = block[len("console"):].replace("BASE64 OF THE VERIFIER KEY", CASES["key"].split("+", 2)[2])
        block = block.replace("AUTHORITY.pem", "timestamps/1.pem")
        done = subprocess.run(["sh", "-e", "-c", block], cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Signature Verified Successfully", done.stdout)
        self.assertIn("Verification: OK", done.stdout + done.stderr)

    def test_usage(self):
        self.assertEqual(run().returncode, 2)
        for key in ("no key", " " + CASES["key"], CASES["key"] + "\n", CASES["key"] + " "):
            self.assertEqual(run(HERE / "good.tar", "--key", key).returncode, 2, key)
        self.assertEqual(run(HERE, "--key", CASES["key"]).returncode, 2)
        self.policy.write_text(CASES["policy"] + "#" * (256 << 10) + "\n", encoding="utf-8")
        self.assertEqual(run(HERE / "good.tar", "--policy", self.policy).returncode, 2)
        self.policy.write_text(CASES["policy"], encoding="utf-8")
        both = ("--key", CASES["key"], "--policy", self.policy)
        self.assertEqual(run("--receipt", self.file_of("good.tar", "proofs/217.tlog-proof"), *both).returncode, 2)
        self.assertEqual(run(HERE / "good.tar", *both).returncode, 0)
        self.assertEqual(run(self.folder / "nothing there.tar", "--key", CASES["key"]).returncode, 2)

    def test_without_openssl(self):
        done = run_alone(VERIFY, HERE / "good.tar", "--key", CASES["key"], env={**os.environ, "PATH": str(self.folder)})
        self.assertEqual(done.returncode, 3)
        self.assertIn("openssl could not be run", done.stderr)


class Vectors(unittest.TestCase):
    def test_bundles_are_what_the_second_implementation_writes(self):
        done = run_alone(HERE.parent / "make_bundle.py", "--check")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
