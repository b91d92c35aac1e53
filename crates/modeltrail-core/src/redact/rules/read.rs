//! Values of a TOML table, each with its place, and what is said when they are of another form.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Problems;

/// A value and the byte at which it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<T> {
    pub(super) at: usize,
    pub(super) value: T,
}

/// A table under a name, for what is said of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'d> {
    /// As in the file: `[[deny]]`.
    pub(super) title: &'static str,
    pub(super) at: usize,
    pub(super) table: &'d DeTable<'d>,
}

impl<'d> Table<'d> {
    /// Says which keys are none of those that are known.
    pub(super) fn refuse_others(&self, known: &[&str], problems: &mut Problems<'_>) {
        for (key, _) in self.table {
            let name = key.get_ref();
            if !known.contains(&name.as_ref()) {
                let what = format!("no key {name:?} in {}", self.title);
                problems.add(key.span().start, what, format!("use one of {}", known.join(", ")));
            }
        }
    }

    /// The entries, with the places of their keys.
    pub(super) fn entries(&self) -> impl Iterator<Item = (At<&'d str>, &'d Spanned<DeValue<'d>>)> {
        self.table
            .iter()
            .map(|(key, value)| (At { at: key.span().start, value: key.get_ref().as_ref() }, value))
    }

    pub(super) fn get(&self, name: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.table.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value)
    }

    /// Whether one of these keys is there, in whatever form.
    pub(super) fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.get(name).is_some())
    }

    /// A text.
    pub(super) fn text(&self, name: &str, problems: &mut Problems<'_>) -> Option<At<&'d str>> {
        let value = self.get(name)?;
        let text = text(value);
        if text.is_none() {
            let what = format!("{name:?} is no text");
            problems.add(value.span().start, what, format!("write {name} = \"…\""));
        }
        text
    }

    /// A text that must be there.
    pub(super) fn required(&self, name: &str, problems: &mut Problems<'_>) -> Option<At<&'d str>> {
        if self.get(name).is_none() {
            let what = format!("{} without {name:?}", self.title);
            problems.add(self.at, what, format!("add {name} = \"…\""));
        }
        self.text(name, problems)
    }

    /// A list of texts; one text alone counts as a list. Nothing, if there is none.
    pub(super) fn texts(
        &self,
        name: &str,
        n_max: usize,
        problems: &mut Problems<'_>,
    ) -> Vec<At<&'d str>> {
        let Some(value) = self.get(name) else { return Vec::new() };
        if let Some(text) = text(value) {
            return vec![text];
        }
        let Some(items) = value.get_ref().as_array() else {
            let what = format!("{name:?} is no list of texts");
            problems.add(value.span().start, what, format!("write {name} = [\"…\", \"…\"]"));
            return Vec::new();
        };
        if items.len() > n_max {
            let what = format!("{} items in {name:?}, at most {n_max}", items.len());
            problems.add(value.span().start, what, "split them over several tables");
        }
        if items.is_empty() {
            let what = format!("{name:?} is empty");
            problems.add(value.span().start, what, "leave it out, or name something");
        }
        let mut texts = Vec::new();
        for item in items.iter().take(n_max) {
            match text(item) {
                Some(text) => texts.push(text),
                None => {
                    let what = format!("an item of {name:?} is no text");
                    problems.add(item.span().start, what, "write it in quotes");
                }
            }
        }
        texts
    }

    /// A table of tables `[[name]]`.
    pub(super) fn tables(
        &self,
        name: &str,
        title: &'static str,
        problems: &mut Problems<'_>,
    ) -> Vec<Table<'d>> {
        let Some(value) = self.get(name) else { return Vec::new() };
        let items = value.get_ref().as_array().map(|items| items.iter().collect::<Vec<_>>());
        let mut tables = Vec::new();
        for item in items.unwrap_or_else(|| vec![value]) {
            let at = item.span().start;
            match item.get_ref().as_table() {
                Some(table) if value.get_ref().is_array() => {
                    tables.push(Table { title, at, table });
                }
                _ => problems.add(
                    at,
                    format!("{name:?} is no list of tables"),
                    format!("write {title}"),
                ),
            }
        }
        tables
    }

    /// A table `[name]`.
    pub(super) fn table(
        &self,
        name: &str,
        title: &'static str,
        problems: &mut Problems<'_>,
    ) -> Option<Table<'d>> {
        let value = self.get(name)?;
        let at = value.span().start;
        let Some(table) = value.get_ref().as_table() else {
            problems.add(at, format!("{name:?} is no table"), format!("write {title}"));
            return None;
        };
        Some(Table { title, at, table })
    }
}

fn text<'d>(value: &'d Spanned<DeValue<'d>>) -> Option<At<&'d str>> {
    let at = value.span().start;
    value.get_ref().as_str().map(|text| At { at, value: text })
}

/// A whole number.
pub(super) fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
}
