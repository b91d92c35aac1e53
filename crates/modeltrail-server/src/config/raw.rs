//! What each place says, not yet judged beyond its form.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::table::{Form, SETTINGS, Setting};

/// Where a value comes from; later ones win.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Source {
    /// Nobody said one.
    Default,
    /// A line of the file.
    File {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// A variable.
    Env(&'static str),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Env(name) => write!(f, "variable {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A value of the form that its setting has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Value {
    /// A text or a choice.
    Text(String),
    /// A number or bytes.
    Number(u64),
    /// Choices or texts.
    List(Vec<String>),
}

/// A value and its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Given {
    pub(crate) value: Value,
    pub(crate) source: Source,
}

/// A setting that was given as a flag: its name in the file, and the value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Flag {
    /// See [`Setting::key`].
    pub(crate) key: &'static str,
    /// As written.
    pub(crate) value: String,
}

/// What was said, the strongest place only.
#[derive(Debug, Default)]
pub(super) struct Raw {
    given: BTreeMap<&'static str, Given>,
}

impl Raw {
    /// What was said for a setting, or its default.
    pub(super) fn get(&self, setting: &Setting) -> Option<Given> {
        let default = || {
            let value = from_text(setting.form, setting.default).ok()?;
            Some(Given { value, source: Source::Default })
        };
        self.given.get(setting.key).cloned().or_else(default)
    }

    fn set(
        &mut self,
        setting: &Setting,
        value: Result<Value, String>,
        source: Source,
        errors: &mut Vec<ConfigError>,
    ) {
        match value {
            Ok(value) => drop(self.given.insert(setting.key, Given { value, source })),
            Err(what) => {
                errors.push(ConfigError { at: source, what: format!("`{}` {what}", setting.key) });
            }
        }
    }

    /// Takes the variables that are set and not empty.
    pub(super) fn take_env(
        &mut self,
        env: &dyn Fn(&str) -> Option<String>,
        errors: &mut Vec<ConfigError>,
    ) {
        for setting in SETTINGS {
            if let Some(text) = env(setting.env).filter(|text| !text.is_empty()) {
                let value = from_text(setting.form, &text);
                self.set(setting, value, Source::Env(setting.env), errors);
            }
        }
    }

    /// Takes the flags.
    pub(super) fn take_flags(&mut self, flags: &[Flag], errors: &mut Vec<ConfigError>) {
        for flag in flags {
            let Some(setting) = SETTINGS.iter().find(|setting| setting.key == flag.key) else {
                continue;
            };
            let source = Source::Flag(setting.flag.unwrap_or(setting.key));
            self.set(setting, from_text(setting.form, &flag.value), source, errors);
        }
    }

    /// Takes a file's text; what cannot be read is told and passed over.
    pub(super) fn take_file(&mut self, path: &Path, text: &str, errors: &mut Vec<ConfigError>) {
        let (table, wrong) = DeTable::parse_recoverable(text);
        let at = |span: Range<usize>| {
            let before = text.get(..span.start).unwrap_or(text);
            Source::File { path: path.to_owned(), line: before.matches('\n').count() + 1 }
        };
        for error in wrong {
            let what = format!("no TOML: {}", error.message().replace('\n', "; "));
            errors.push(ConfigError { at: at(error.span().unwrap_or(0..0)), what });
        }
        self.take_table("", table.get_ref(), &at, errors);
    }

    fn take_table(
        &mut self,
        prefix: &str,
        table: &DeTable<'_>,
        at: &dyn Fn(Range<usize>) -> Source,
        errors: &mut Vec<ConfigError>,
    ) {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            let below = format!("{key}.");
            if let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) {
                self.set(setting, from_toml(setting.form, value), at(name.span()), errors);
                continue;
            }
            match value.get_ref() {
                DeValue::Table(inner) if is_table(&below) => {
                    self.take_table(&below, inner, at, errors);
                }
                _ if is_table(&below) => {
                    let what = format!("`{key}` is a table; write [{key}]");
                    errors.push(ConfigError { at: at(name.span()), what });
                }
                _ => {
                    let what = format!("`{key}` is no setting{}", meant(&key));
                    errors.push(ConfigError { at: at(name.span()), what });
                }
            }
        }
    }
}

fn is_table(prefix: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.key.starts_with(prefix))
}

/// The setting that a mistyped name may mean: the same last word, or the same letters but two.
fn meant(key: &str) -> String {
    let last = |key: &str| key.rsplit('.').next().unwrap_or("").to_owned();
    let near =
        |setting: &&Setting| last(setting.key) == last(key) || distance(setting.key, key) <= 2;
    match SETTINGS.iter().find(near) {
        Some(setting) => format!("; did you mean `{}`?", setting.key),
        None => String::new(),
    }
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (cb, pair) in b.iter().zip(row.windows(2)) {
            let [diagonal, above] = pair else { continue };
            let left = next.last().copied().unwrap_or(0);
            let replaced = diagonal + usize::from(ca != *cb);
            next.push(replaced.min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

fn choice(names: &[&str], text: &str) -> Result<String, String> {
    if names.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("cannot be `{}`; use one of {}", clip(text), names.join(", ")))
}

/// A value as a variable or flag has it.
fn from_text(form: Form, text: &str) -> Result<Value, String> {
    match form {
        Form::Text => Ok(Value::Text(text.to_owned())),
        Form::Choice(names) => choice(names, text).map(Value::Text),
        Form::Choices(names) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            items.map(|item| choice(names, item)).collect::<Result<_, _>>().map(Value::List)
        }
        Form::Texts => Ok(Value::List(text.split_whitespace().map(str::to_owned).collect())),
        Form::Bytes => bytes(text).map(Value::Number),
        Form::Number => text
            .parse()
            .map(Value::Number)
            .map_err(|_| format!("cannot be `{}`; write a whole number", clip(text))),
    }
}

fn from_toml(form: Form, value: &Spanned<DeValue<'_>>) -> Result<Value, String> {
    let wrong = |found: &DeValue<'_>| {
        Err(format!("cannot be a TOML {}; write {}", found.type_str(), form.words()))
    };
    match (form, value.get_ref()) {
        (Form::Text | Form::Choice(_) | Form::Bytes, DeValue::String(text)) => {
            from_text(form, text)
        }
        (Form::Choices(names), DeValue::Array(items)) => list(items, |text| choice(names, text)),
        (Form::Texts, DeValue::Array(items)) => list(items, |text| Ok(text.to_owned())),
        (Form::Bytes | Form::Number, DeValue::Integer(number)) => {
            u64::from_str_radix(number.as_str(), number.radix())
                .map(Value::Number)
                .map_err(|_| format!("cannot be {}; write a whole number", number.as_str()))
        }
        (_, other) => wrong(other),
    }
}

fn list<'a>(
    items: impl IntoIterator<Item = &'a Spanned<DeValue<'a>>>,
    item: impl Fn(&str) -> Result<String, String>,
) -> Result<Value, String> {
    let texts = items.into_iter().map(|found| match found.get_ref() {
        DeValue::String(text) => item(text),
        other => Err(format!("cannot hold a TOML {}; write texts", other.type_str())),
    });
    texts.collect::<Result<_, _>>().map(Value::List)
}

/// A number of bytes: digits, and one of the binary units.
fn bytes(text: &str) -> Result<u64, String> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)];
    let parse = |(unit, factor): (&str, u64)| {
        text.strip_suffix(unit)?.trim_end().parse::<u64>().ok()?.checked_mul(factor)
    };
    let refused = || format!("cannot be `{}`; write {}", clip(text), Form::Bytes.words());
    units.into_iter().find_map(parse).ok_or_else(refused)
}

fn clip(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}
