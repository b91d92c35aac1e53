//! What `doctor` sees in a set-up, and what it says of requests that are not in the ledger.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::{Folder, line};

/// The state of a check, and what it says.
fn check<'a>(report: &'a Value, name: &str) -> (&'a str, &'a str) {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["check"] == name).unwrap();
    (found["state"].as_str().unwrap(), found["what"].as_str().unwrap())
}

#[test]
fn a_set_up_that_is_sound_is_fine_and_one_that_is_not_says_where() {
    let folder = Folder::with_predictions();
    let report = folder.json(&["doctor"]);
    for name in
        ["ledger", "anchor", "append only", "keys", "clock", "sequencer", "spool", "redaction"]
    {
        assert_eq!(check(&report, name).0, "ok", "{report:#}");
    }
    assert_eq!(check(&report, "coverage").0, "note", "nothing captures by itself here");

    let key = folder.path("modeltrail.db.d/mac.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::remove_file(folder.path("modeltrail.db.d/anchor")).unwrap();
    folder.database().execute_batch("DROP TRIGGER leaves_no_update").unwrap();
    folder.write("policy.toml", "version = 1\nname = \"p\"\n[types]\nemial = \"mask\"\n");
    let mut command = folder.command(&["doctor", "--format", "json"]);
    let told = crate::support::finish(
        command.env("MODELTRAIL_REDACTION_POLICY", "policy.toml").spawn().unwrap(),
    );
    let report = told.code(1).json();
    for (name, says) in [
        ("keys", "mac.key; run chmod 600"),
        ("anchor", "is not there"),
        ("append only", "leaves_no_update"),
        ("redaction", "policy.toml"),
    ] {
        let (state, what) = check(&report, name);
        assert!(state == "wrong" && what.contains(says), "{name}: {state}, {what}");
    }
}

#[test]
fn requests_that_were_counted_and_not_recorded_are_told() {
    let folder = Folder::with_ledger();
    std::fs::create_dir(folder.path("modeltrail.db.d/coverage")).unwrap();
    let counter = "modeltrail.db.d/coverage/00112233445566778899aabbccddeeff";
    folder.write(counter, format!("{:020} -----\n", 9));
    folder.write("modeltrail.db.d/coverage/notes.txt", "somebody's");
    let report = folder.run(&["doctor", "--format", "json"]).code(1).json();
    let (state, what) = check(&report, "coverage");
    assert_eq!(state, "wrong");
    assert!(what.contains("0 of 9 requests are recorded (0.0000 %)"), "{what}");
    assert_eq!(
        report["coverage"]["n_lost"], 9,
        "its process is gone, and nothing waits in the spool"
    );
    assert_eq!(report["coverage"]["producers"][0]["life"], "lost");
}

#[test]
fn an_access_log_is_held_against_the_ledger() {
    let folder = Folder::with_ledger();
    let record = line("r1", r#","timestamp":"2026-11-23T05:10:36.5Z""#);
    folder.pipe(&["log"], format!("{record}\n")).code(0);
    let request = |second: u32, request: &str| {
        format!("192.0.2.1 - - [23/Nov/2026:06:10:{second} +0100] \"{request} HTTP/1.1\" 200 5\n")
    };
    let log = request(36, "POST /predict")
        + &request(37, "POST /predict?x=1")
        + &request(37, "GET /docs");
    folder.write("access.log", log + "no request\n");
    let report =
        folder.run(&["doctor", "--access-log", "access.log", "--format", "json"]).code(1).json();
    let figures = &report["access_log"];
    // What `log` recorded was no request.
    let counted =
        ["n_requests", "n_recorded", "n_others", "n_unread"].map(|name| figures[name].as_u64());
    assert_eq!(counted, [Some(2), Some(0), Some(1), Some(1)], "{figures}");
    let (state, what) = check(&report, "access log");
    assert!(state == "wrong" && what.contains("2 are missing"), "{what}");

    folder.write("capture.toml", "[[route]]\npath = \"/docs\"\nmethods = [\"GET\"]\n");
    let args = [
        "doctor",
        "--access-log",
        "access.log",
        "--capture-config",
        "capture.toml",
        "--format",
        "json",
    ];
    assert_eq!(folder.run(&args).code(1).json()["access_log"]["n_requests"], 1);
    let later = [
        "doctor",
        "--access-log",
        "access.log",
        "--since",
        "2026-11-23T05:10:37Z",
        "--format",
        "json",
    ];
    assert_eq!(folder.run(&later).code(1).json()["access_log"]["n_requests"], 1);
    folder.write("capture.toml", "[[route]]\npath = \"docs\"\n");
    folder.run(&args).code(2).says("route 1: `docs` does not begin with a slash");
}
