//! SQL strings live only in stores, in the bench's baseline, and in tests.

use crate::finding::Finding;
use crate::tree::Tree;

const STORE: &str = "crates/modeltrail/src/store";
/// What is all store, compares a store with bare SQL, or has to name what it refuses.
const EXEMPT: &[&str] =
    &["crates/modeltrail-postgres/", "crates/modeltrail-bench/", "xtask/src/checks/sql.rs"];

/// Beginnings of statements, words by one space. In capitals the beginning is enough; otherwise
/// it is English as often as SQL, and what must come later decides.
const STATEMENTS: &[(&str, &str)] = &[
    ("SELECT", " * FROM "),
    ("INSERT INTO", " VALUES"),
    ("INSERT OR", " INTO "),
    ("REPLACE INTO", " VALUES"),
    ("UPDATE", " = ?"),
    ("DELETE FROM", " WHERE "),
    ("CREATE TABLE", "("),
    ("CREATE INDEX", " ON "),
    ("CREATE UNIQUE INDEX", " ON "),
    ("CREATE VIEW", " AS "),
    ("CREATE TRIGGER", " ON "),
    ("ALTER TABLE", " ADD "),
    ("DROP TABLE", ";"),
    ("PRAGMA", "="),
    ("BEGIN IMMEDIATE", ""),
    ("BEGIN EXCLUSIVE", ""),
    ("BEGIN DEFERRED", ""),
    ("BEGIN TRANSACTION", ""),
    ("SAVEPOINT", ";"),
    ("ROLLBACK TO", ""),
];

/// Finds SQL elsewhere.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, scan) in tree.rust() {
        let may =
            file.is_in_module(STORE) || EXEMPT.iter().any(|start| file.path.starts_with(start));
        if may || file.is_test() {
            continue;
        }
        for literal in scan.literals.iter().filter(|literal| !scan.is_test_line(literal.line)) {
            if let Some(statement) = statement(&literal.text) {
                let what = format!("SQL outside a store ({statement})");
                let todo = "ask the Store for it, or give the Store a method that does it";
                findings.push(Finding::new(&file.path, literal.line, what, todo));
            }
        }
    }
    findings
}

/// The statement that a literal begins with, after white space.
fn statement(literal: &str) -> Option<&'static str> {
    let blank = literal.replace("\\n", " ").replace("\\t", " ").replace("\\\n", " ");
    let text = blank.split_whitespace().collect::<Vec<_>>().join(" ");
    let upper = text.to_ascii_uppercase();
    let begins = |beginning: &str| {
        upper.strip_prefix(beginning).is_some_and(|rest| {
            !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        })
    };
    // A keyword alone (`"SELECT"`, the HTTP method `"DELETE"`) is a word; BEGIN … is all there is.
    let found = STATEMENTS.iter().find(|(beginning, later)| {
        let is_whole = upper.len() > beginning.len() || later.is_empty();
        let is_sql = text.starts_with(beginning) || upper.contains(later);
        begins(beginning) && is_whole && is_sql
    });
    found.map(|(beginning, _)| *beginning)
}
