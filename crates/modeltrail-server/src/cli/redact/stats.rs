//! What was found in a whole file: counts by type and part, in memory that does not grow with it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use modeltrail_core::PartId;
use modeltrail_core::redact::Rule;
use modeltrail_core::redact::rules::RedactionPolicy;
use serde::Serialize;

use super::mask::Masked;
use crate::exit::Failure;
use crate::output::{Column, Format, Rows, json_line, stdout, stdout_has_color};

/// What was found of a type in a part.
#[derive(Default)]
struct Cell {
    n_found: u64,
    n_lines: u64,
    actions: BTreeSet<String>,
}

/// Counts of what was read so far. There is a cell for each type of the registry and the policy in
/// each of five parts at most.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) n_lines: u64,
    pub(super) n_with_findings: u64,
    pub(super) n_refused: u64,
    pub(super) n_bytes: u64,
    cells: BTreeMap<(usize, String, PartId), Cell>,
}

/// A line of the answer.
#[derive(Serialize)]
struct Row<'a> {
    r#type: &'a str,
    part: &'a str,
    action: String,
    found: u64,
    lines: u64,
}

/// The answer as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    lines: u64,
    lines_with_findings: u64,
    refused: u64,
    bytes: u64,
    seconds: f64,
    policy_digest: &'a str,
    found: Vec<Row<'a>>,
}

const COLUMNS: &[Column] = &[
    Column::text("type"),
    Column::text("part"),
    Column::text("action"),
    Column::number("found"),
    Column::number("lines"),
];

impl Tally {
    /// Adds a line that was masked.
    pub(super) fn add(&mut self, masked: &Masked, policy: Option<&RedactionPolicy>) {
        self.n_with_findings += u64::from(!masked.found.is_empty());
        for ((part, name), n) in &masked.found {
            let rank = Rule::NAMES.iter().position(|known| known == name);
            let key = (rank.unwrap_or(usize::MAX), name.clone(), *part);
            let cell = self.cells.entry(key).or_default();
            cell.n_found += u64::from(*n);
            cell.n_lines += 1;
            let action = action(name, *part, &masked.model, policy);
            if !cell.actions.contains(action.as_str()) {
                cell.actions.insert(action);
            }
        }
    }

    /// A sentence for people: `masked email 6, phone 6 in 10 of 569 lines`.
    pub(super) fn text(&self, verb: &str) -> String {
        let mut types: BTreeMap<(usize, &str), u64> = BTreeMap::new();
        for ((rank, name, _), cell) in &self.cells {
            *types.entry((*rank, name)).or_default() += cell.n_found;
        }
        let types: Vec<String> = types.iter().map(|((_, name), n)| format!("{name} {n}")).collect();
        let types = if types.is_empty() { "nothing".to_owned() } else { types.join(", ") };
        format!(
            "{verb} {types} in {} of {} lines{}",
            self.n_with_findings,
            self.n_lines,
            self.refused()
        )
    }

    fn refused(&self) -> String {
        match self.n_refused {
            0 => String::new(),
            n => format!("; {n} lines could not be read and are left out"),
        }
    }

    /// Writes the table, and gives the sentence that belongs beneath it.
    pub(super) fn write(
        &self,
        took: Duration,
        policy_digest: &str,
        format: Format,
    ) -> Result<String, Failure> {
        match format {
            Format::Json => {
                let mut out = stdout();
                let answer = Answer {
                    lines: self.n_lines,
                    lines_with_findings: self.n_with_findings,
                    refused: self.n_refused,
                    bytes: self.n_bytes,
                    seconds: took.as_secs_f64(),
                    policy_digest,
                    found: self.rows().collect(),
                };
                json_line(&mut out, &answer)?;
            }
            Format::Csv => self.write_rows(Rows::csv(stdout(), COLUMNS)?)?,
            Format::Table => self.write_rows(Rows::table(stdout(), COLUMNS, stdout_has_color()))?,
        }
        Ok(format!(
            "found something in {} of {} lines ({}); {}{}",
            self.n_with_findings,
            self.n_lines,
            share(self.n_with_findings, self.n_lines),
            speed(self.n_bytes, took),
            self.refused()
        ))
    }

    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.cells.iter().map(|((_, name, part), cell)| Row {
            r#type: name,
            part: part.name(),
            action: cell.actions.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
            found: cell.n_found,
            lines: cell.n_lines,
        })
    }

    fn write_rows(&self, mut rows: Rows<impl std::io::Write>) -> Result<(), Failure> {
        for row in self.rows() {
            rows.row(vec![
                row.r#type.to_owned(),
                row.part.to_owned(),
                row.action,
                row.found.to_string(),
                row.lines.to_string(),
            ])?;
        }
        rows.finish()?;
        Ok(())
    }
}

/// What is done with findings of a type in a part. Where a policy has rules by place that reach
/// there, it is not the same for all of them, and counts do not know their places.
fn action(name: &str, part: PartId, model: &str, policy: Option<&RedactionPolicy>) -> String {
    // A part that could not be redacted is counted under such a name (spec/record.md).
    if name == "failed" || name.starts_with("failed_") {
        return "the part is left out".to_owned();
    }
    let Some(policy) = policy else { return "replace".to_owned() };
    let scope = policy.scope(part, model);
    match policy.slot_of(name).filter(|_| !scope.has_places()) {
        Some(slot) => scope.action(slot).to_string(),
        None => "by place".to_owned(),
    }
}

/// `1.8 %`.
#[expect(clippy::cast_precision_loss, reason = "one decimal of a share is shown")]
fn share(n: u64, of: u64) -> String {
    if of == 0 { "0 %".to_owned() } else { format!("{:.1} %", n as f64 * 100.0 / of as f64) }
}

/// `26.1 MB at 12.3 MB/s`.
#[expect(clippy::cast_precision_loss, reason = "one decimal of a speed is shown")]
fn speed(n_bytes: u64, took: Duration) -> String {
    let megabytes = n_bytes as f64 / 1e6;
    let seconds = took.as_secs_f64();
    if seconds > 0.0 {
        format!("{megabytes:.1} MB at {:.1} MB/s", megabytes / seconds)
    } else {
        format!("{megabytes:.1} MB")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(model: &str, found: &[(PartId, &str, u32)]) -> Masked {
        Masked {
            bytes: Vec::new(),
            found: found.iter().map(|(part, name, n)| ((*part, (*name).to_owned()), *n)).collect(),
            model: model.to_owned(),
            documents: Vec::new(),
        }
    }

    fn rows(tally: &Tally) -> Vec<String> {
        let row = |row: Row<'_>| {
            format!("{} {} {} {} {}", row.r#type, row.part, row.action, row.found, row.lines)
        };
        tally.rows().map(row).collect()
    }

    #[test]
    fn types_are_counted_by_part_in_the_order_of_the_registry() {
        let mut tally = Tally { n_lines: 3, ..Tally::default() };
        tally.add(&masked("m", &[(PartId::Input, "phone", 2), (PartId::Output, "email", 1)]), None);
        tally.add(&masked("m", &[]), None);
        tally.add(&masked("m", &[(PartId::Input, "phone", 1), (PartId::Input, "failed", 1)]), None);
        assert_eq!(
            rows(&tally),
            [
                "email output replace 1 1",
                "phone input replace 3 2",
                "failed input the part is left out 1 1"
            ]
        );
        assert_eq!(tally.text("masked"), "masked email 1, phone 3, failed 1 in 2 of 3 lines");
    }

    #[test]
    fn actions_are_those_of_the_policy() {
        let text = "version = 1\nname = 'p'\n[types]\nemail = 'keep'\n[[rule]]\nmodels = ['chat*']\n\
                    types = ['email']\naction = 'remove'\n";
        let policy = RedactionPolicy::parse(text, &Rule::TYPES).unwrap();
        let mut tally = Tally::default();
        for model in ["fraud", "fraud", "chat-1"] {
            tally.add(&masked(model, &[(PartId::Input, "email", 1)]), Some(&policy));
        }
        assert_eq!(rows(&tally), ["email input by place, keep 3 3"]);
    }

    #[test]
    fn shares_and_speeds_are_round() {
        assert_eq!((share(10, 569), share(0, 0)), ("1.8 %".to_owned(), "0 %".to_owned()));
        assert_eq!(speed(26_092_666, Duration::from_secs(2)), "26.1 MB at 13.0 MB/s");
        assert_eq!(speed(0, Duration::ZERO), "0.0 MB");
    }
}
