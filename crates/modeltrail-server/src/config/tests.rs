//! Where settings come from, and that every error is told at once.

use std::collections::HashSet;
use std::path::Path;

use modeltrail::publish::PublishOptions;
use modeltrail::spool::SpoolOptions;
use modeltrail::{Ack, Limits, Trim};
use modeltrail_core::redact::Rule;

use super::table::{Form, SETTINGS};
use super::{Flag, Settings, Source, load, reference};
use crate::exit::{Exit, Failure};
use crate::output::Format;

fn no_env(_: &str) -> Option<String> {
    None
}

fn with_file(
    text: &str,
    flags: &[Flag],
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Settings, Failure> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.toml");
    std::fs::write(&path, text).unwrap();
    load(Some(&path), flags, env)
}

fn source(settings: &Settings, key: &str) -> Source {
    settings.shown.iter().find(|shown| shown.key == key).unwrap().source.clone()
}

#[test]
fn defaults_are_those_of_the_library() {
    let nothing = load(Some(Path::new("/dev/null")), &[], &no_env).unwrap();
    assert_eq!(nothing.spool, SpoolOptions::default());
    assert_eq!(nothing.limits, Limits::default());
    assert_eq!(nothing.rules, Rule::ALL);
    let day = std::time::Duration::from_secs(24 * 3600);
    assert_eq!((nothing.canary, nothing.policy), (day, None));
    assert_eq!((nothing.ack, nothing.spool_dir), (Ack::Sequenced, None));
    assert_eq!((nothing.trim, nothing.publish), (Trim::default(), PublishOptions::default()));
}

#[test]
fn the_table_names_each_setting_once_and_knows_every_choice() {
    let names: HashSet<_> = SETTINGS.iter().flat_map(|s| [s.key, s.env]).collect();
    assert_eq!(names.len(), 2 * SETTINGS.len());
    let choices = |key: &str| match SETTINGS.iter().find(|s| s.key == key).unwrap().form {
        Form::Choice(names) | Form::Choices(names) => names.to_vec(),
        _ => Vec::new(),
    };
    let rules = choices("redaction.rules");
    assert_eq!(rules.split_first(), Some((&"all", Rule::ALL.map(Rule::name).as_slice())));
    let acks = [Ack::Written, Ack::Spooled, Ack::Sequenced, Ack::Published].map(Ack::name);
    assert_eq!(choices("ack"), acks);
    let formats: Vec<_> = <Format as clap::ValueEnum>::value_variants()
        .iter()
        .map(|format| clap::ValueEnum::to_possible_value(format).unwrap().get_name().to_owned())
        .collect();
    assert_eq!(choices("format"), formats);
    for setting in SETTINGS {
        assert!(
            reference().contains(setting.help) && setting.help.ends_with('.'),
            "{}",
            setting.key
        );
    }
}

#[test]
fn flag_beats_variable_beats_file_beats_default() {
    let file = "store = 'sqlite:file.db'\nformat = 'csv'\nack = 'written'\n";
    let env = |name: &str| match name {
        "MODELTRAIL_STORE" | "MODELTRAIL_FORMAT" => Some(match name {
            "MODELTRAIL_STORE" => "sqlite:env.db".to_owned(),
            _ => "json".to_owned(),
        }),
        "MODELTRAIL_ON_FULL" => Some(String::new()),
        _ => None,
    };
    let flags = [Flag { key: "store", value: "sqlite:flag.db".into() }];
    let settings = with_file(file, &flags, &env).unwrap();
    assert_eq!(settings.store, "sqlite:flag.db");
    assert_eq!((settings.format, settings.ack), (Format::Json, Ack::Written));
    assert_eq!(source(&settings, "store"), Source::Flag("--store"));
    assert_eq!(source(&settings, "format"), Source::Env("MODELTRAIL_FORMAT"));
    assert!(matches!(source(&settings, "ack"), Source::File { line: 3, .. }));
    assert_eq!(source(&settings, "on_full"), Source::Default);
}

#[test]
fn tables_units_and_lists_are_read() {
    let file = "[spool]\nsegment_bytes = 0x10_0000\nbytes_max = \"2MiB\"\n\
                [limits]\nrecord_bytes_max = \"64 KiB\"\ndepth_max = 12\n\
                [redaction]\nrules = [\"ssn\"]\n";
    let settings = with_file(file, &[], &no_env).unwrap();
    assert_eq!((settings.spool.segment_bytes, settings.spool.bytes_max), (1 << 20, 2 << 20));
    assert_eq!((settings.limits.record_bytes_max, settings.limits.depth_max), (65_536, 12));
    assert_eq!(settings.rules, [Rule::Ssn]);
    let all = with_file("redaction.rules = ['ssn', 'all']", &[], &no_env).unwrap();
    assert_eq!(all.rules, Rule::ALL);
    let none = with_file("redaction.rules = []", &[], &no_env).unwrap();
    assert_eq!(none.rules, []);
}

#[test]
fn all_errors_come_at_once_with_their_place() {
    let file = "stor = 'sqlite:a.db'\n\
                format = 'xml'\n\
                spool = 3\n\
                [limits]\n\
                depth_max = 129\n\
                record_bytes_max = true\n\
                depth = 4\n\
                [redaction]\n\
                rules = ['email', 'names']\n";
    let env = |name: &str| (name == "MODELTRAIL_SPOOL_SEGMENT_BYTES").then(|| "5000".to_owned());
    let Err(Failure::Told { exit, message, .. }) = with_file(file, &[], &env) else {
        panic!("must be refused");
    };
    assert_eq!(exit, Exit::Input);
    for expect in [
        "8 settings cannot be taken",
        "m.toml:1: `stor` is no setting; did you mean `store`?",
        "m.toml:2: `format` cannot be `xml`; use one of table, json, csv",
        "m.toml:3: `spool` is a table",
        "m.toml:5: `limits.depth_max` cannot be 129",
        "m.toml:6: `limits.record_bytes_max` cannot be a TOML boolean",
        "m.toml:7: `limits.depth` is no setting",
        "m.toml:9: `redaction.rules` cannot be `names`",
        "variable MODELTRAIL_SPOOL_SEGMENT_BYTES: `spool.segment_bytes` cannot be 5000",
    ] {
        assert!(message.contains(expect), "{expect}\n--\n{message}");
    }
}

#[test]
fn broken_toml_names_its_line_and_the_rest_is_still_judged() {
    let Err(Failure::Told { message, .. }) = with_file("ack = \nfomat = 'csv'\n", &[], &no_env)
    else {
        panic!("must be refused");
    };
    assert!(message.contains("m.toml:1: no TOML"), "{message}");
    assert!(message.contains("m.toml:2: `fomat` is no setting"), "{message}");
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let missing = load(Some(Path::new("missing.toml")), &[], &no_env);
    assert!(matches!(missing, Err(Failure::Told { exit: Exit::Input, .. })));
}
