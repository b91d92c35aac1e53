//! Settings, from outside: where they come from, and that all errors are told at once.

use serde_json::Value;

use crate::support::{Folder, finish, line};

fn setting(config: &Value, key: &str) -> (String, String) {
    let row = config.as_array().unwrap().iter().find(|row| row["setting"] == key).unwrap();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    (text(&row["value"]), text(&row["source"]))
}

#[test]
fn each_setting_is_shown_with_its_place() {
    let folder = Folder::new();
    folder.write(
        "modeltrail.toml",
        "# settings\nstore = \"sqlite:file.db\"\n\n[limits]\ndepth_max = 9\n",
    );
    let mut command = folder.command(&["config", "--format", "json"]);
    let config = finish(command.env("MODELTRAIL_ACK", "spooled").spawn().unwrap()).code(0).json();
    let place = |key: &str| setting(&config, key);
    assert_eq!(place("store"), ("sqlite:file.db".into(), "modeltrail.toml:2".into()));
    assert_eq!(place("limits.depth_max"), ("9".into(), "modeltrail.toml:5".into()));
    assert_eq!(place("ack"), ("spooled".into(), "variable MODELTRAIL_ACK".into()));
    assert_eq!(place("format"), ("json".into(), "flag --format".into()));
    assert_eq!(place("on_full"), ("block".into(), "default".into()));
    let table = folder.run(&["config", "show"]).code(0).says("configuration file: modeltrail.toml");
    assert!(table.stdout.contains("modeltrail.toml:5"));
}

#[test]
fn settings_do_what_they_say() {
    let folder = Folder::new();
    folder.write(
        "other.toml",
        "store = 'sqlite:other.db'\nformat = 'json'\nspool.dir = 'spool'\nlimits.record_bytes_max = 2048\n",
    );
    let run = |args: &[&str], input: &str| {
        folder.pipe(&[&["--config", "other.toml"], args].concat(), input)
    };
    run(&["init"], "").code(0);
    let long = line("long", &format!(r#","input":"{}""#, "x".repeat(2048)));
    let summary = run(&["log"], &format!("{}\n{long}\n", line("short", ""))).code(2);
    assert_eq!((&summary.json()["recorded"], &summary.json()["refused"]), (&1.into(), &1.into()));
    summary.says("stdin:2: record: larger than 2048 bytes");
    assert!(folder.path("spool").is_dir() && folder.path("other.db").exists());
    let status = run(&["status"], "").code(0).json();
    assert_eq!(status["spool"]["dir"], "spool");
}

#[test]
fn errors_come_all_at_once_and_nothing_is_done() {
    let folder = Folder::new();
    folder.write("modeltrail.toml", "fomat = 'csv'\nack = 'sometimes'\n[spool]\nsegment_bytes = 5000\n[limits]\ndepth_max = 'deep'\n");
    let output = folder.pipe(&["log", "--create"], line("a", "")).code(2);
    for line in [
        "error: 4 settings cannot be taken",
        "  modeltrail.toml:1: `fomat` is no setting; did you mean `format`?",
        "  modeltrail.toml:2: `ack` cannot be `sometimes`; use one of written, spooled, sequenced",
        "  modeltrail.toml:4: `spool.segment_bytes` cannot be 5000",
        "  modeltrail.toml:6: `limits.depth_max` cannot be",
        "hint: ",
    ] {
        assert!(output.stderr.contains(line), "{line}\n--\n{}", output.stderr);
    }
    assert_eq!(folder.names().len(), 1);
    folder.run(&["config"]).code(2);
    folder.run(&["log", "--ack", "never"]).code(2).says("flag --ack");
    folder.run(&["--config", "missing.toml", "config"]).code(2).says("missing.toml");
}

#[test]
fn a_broken_file_does_not_stop_what_needs_no_settings() {
    let folder = Folder::new();
    folder.write("modeltrail.toml", "= broken");
    folder.run(&["config"]).code(2).says("modeltrail.toml:1");
    folder.run(&["completions", "bash"]).code(0);
    let reference = folder.run(&["config", "reference"]).code(0).stdout;
    assert!(reference.contains("| `spool.bytes_max` | `MODELTRAIL_SPOOL_BYTES_MAX` |"));
}
