//! Settings: flag, environment, file, default, in this order.
//!
//! Two steps. [`raw`] collects what each place says, with its line; [`settings`] turns it into typed
//! settings that fit each other. Either way every error is told at once.

mod raw;
mod settings;
mod table;

#[cfg(test)]
mod tests;

pub(crate) use raw::{Flag, Source, Value};
pub(crate) use settings::{OnFullChoice, OutsideSettings, Settings, Shown};
pub(crate) use table::{SETTINGS, Setting, reference};

use std::path::{Path, PathBuf};

use modeltrail::small_file;

use crate::exit::Failure;
use raw::Raw;

/// The file that is read when it lies in the working folder.
const DEFAULT_FILE: &str = "modeltrail.toml";

/// Longest configuration, in bytes: every setting with a comment has a hundredth of it.
const FILE_BYTES_MAX: usize = 1 << 20;

/// Names the file to read; not a setting itself, since it says where settings are.
pub(crate) const FILE_ENV: &str = "MODELTRAIL_CONFIG";

/// One thing that cannot be taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{at}: {what}")]
pub(crate) struct ConfigError {
    /// Where: a file with its line, a variable or a flag.
    pub(crate) at: Source,
    /// What is wrong, and what to do.
    pub(crate) what: String,
}

/// The help of a setting's flag, from the table.
pub(crate) fn help(key: &str) -> String {
    SETTINGS.iter().find(|setting| setting.key == key).map_or_else(String::new, Setting::flag_help)
}

/// Collects the settings.
///
/// # Errors
/// All that cannot be taken, together.
pub(crate) fn load(
    file: Option<&Path>,
    flags: &[Flag],
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Settings, Failure> {
    let (path, text) = read_file(file, env)?;
    let mut errors = Vec::new();
    let mut raw = Raw::default();
    if let (Some(path), Some(text)) = (&path, &text) {
        raw.take_file(path, text, &mut errors);
    }
    raw.take_env(env, &mut errors);
    raw.take_flags(flags, &mut errors);
    let settings = Settings::of(&raw, path, &mut errors);
    match (settings, errors.is_empty()) {
        (Some(settings), true) => Ok(settings),
        _ => Err(refuse(errors)),
    }
}

/// The defaults, for the ledger at `store`; nothing is looked up.
///
/// # Errors
/// When the URL names no store.
pub(crate) fn defaults(store: &str) -> Result<Settings, Failure> {
    let mut errors = Vec::new();
    let mut raw = Raw::default();
    raw.take_flags(&[Flag { key: "store", value: store.to_owned() }], &mut errors);
    Settings::of(&raw, None, &mut errors)
        .filter(|_| errors.is_empty())
        .ok_or_else(|| refuse(errors))
}

/// The file asked for, or the default one if it is there.
fn read_file(
    file: Option<&Path>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<(Option<PathBuf>, Option<String>), Failure> {
    let named = file.map(Path::to_owned).or_else(|| env(FILE_ENV).map(PathBuf::from));
    let path = named.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    match small_file::read_text(&path, FILE_BYTES_MAX) {
        Ok(text) => Ok((Some(path), Some(text))),
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            Ok((None, None))
        }
        Err(error) => Err(Failure::input(format!(
            "the configuration {}: {error}; mend --config or {FILE_ENV}",
            path.display()
        ))),
    }
}

fn refuse(mut errors: Vec<ConfigError>) -> Failure {
    errors.sort_by(|a, b| a.at.cmp(&b.at));
    let n = errors.len();
    let mut message = match n {
        1 => "a setting cannot be taken".to_owned(),
        _ => format!("{n} settings cannot be taken"),
    };
    for error in &errors {
        message.push_str(&format!("\n  {error}"));
    }
    Failure::input(message).hint("`modeltrail config reference` lists every setting")
}
