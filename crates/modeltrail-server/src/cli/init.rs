//! `modeltrail init`.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::Path;

use modeltrail::{Ledger, Place};
use modeltrail_core::note::KeyName;
use serde::Serialize;

use super::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::{Column, Format, Rows, json_line, stdout, stdout_has_color};

/// Make an empty ledger
#[derive(clap::Args)]
#[command(
    after_help = "The origin is the ledger's name in its proofs: choose one that nobody else \
                        uses, like example.com/credit-decisions. It cannot be changed later."
)]
pub(crate) struct Args {
    /// Name of the ledger [default: localhost/<file>-<8 hex digits>]
    #[arg(long)]
    origin: Option<String>,
    /// Make no signing keys: nothing is published then, and no receipts can be had
    #[arg(long)]
    no_key: bool,
}

/// Where everything of a ledger is.
#[derive(Serialize)]
struct Made {
    origin: String,
    database: String,
    anchor: String,
    key: String,
    spool: String,
    /// Folder of the signing keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<String>,
    /// What verifies the ledger's checkpoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    vkey: Option<String>,
}

const COLUMNS: &[Column] = &[Column::text("what"), Column::text("where")];

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let ledger = context.ledger()?;
    let origin = args.origin.clone().unwrap_or_else(|| default_origin(&ledger));
    if !args.no_key {
        // Before anything is made: a checkpoint key is named like its ledger.
        let named = KeyName::new(&origin).map(drop);
        named.map_err(|error| {
            let text = format!("the origin `{origin}` cannot name a key: {error}");
            Failure::input(text).hint("choose another origin, or make no keys with --no-key")
        })?;
    }
    ledger.create(&origin)?;
    let vkey = match args.no_key {
        true => None,
        false => Some(super::key::with_keys(context, None, |keys| Ok(keys.begin()?[1].clone()))?),
    };
    let made = Made {
        origin,
        database: database(&ledger),
        anchor: ledger.anchor_path().display().to_string(),
        key: ledger.key_path().display().to_string(),
        spool: context.spool_dir(&ledger).display().to_string(),
        keys: vkey.as_ref().map(|_| ledger.keys_dir().display().to_string()),
        vkey: vkey.map(|vkey| vkey.to_string()),
    };
    let mut out = stdout();
    let mut cells = vec![
        ("origin", &made.origin),
        ("database", &made.database),
        ("anchor", &made.anchor),
        ("key", &made.key),
        ("spool", &made.spool),
    ];
    cells.extend(made.keys.as_ref().map(|keys| ("keys", keys)));
    cells.extend(made.vkey.as_ref().map(|vkey| ("vkey", vkey)));
    let mut rows = match context.settings.format {
        Format::Json => {
            json_line(&mut out, &made)?;
            return Ok(Exit::Fine);
        }
        Format::Csv => Rows::csv(out, COLUMNS)?,
        Format::Table => Rows::table(out, COLUMNS, stdout_has_color()),
    };
    for (what, place) in cells {
        rows.row(vec![what.to_owned(), place.clone()])?;
    }
    rows.finish()?;
    context.notes.note(
        "Keep the key and a copy of the anchor where whoever can write the database cannot: without the \
         key nobody can ask for an exact input, without the anchor a rewritten history is not noticed.",
    );
    if made.vkey.is_some() {
        context.notes.note(
            "Give the vkey to whoever verifies, from hand to hand: a key that comes with the ledger proves nothing. Move \
             keys/authority.key to another machine, or back it up where the database is not.",
        );
    }
    Ok(Exit::Fine)
}

/// The database's file.
pub(crate) fn database(ledger: &Ledger) -> String {
    match ledger.place() {
        Place::Sqlite(path) => path.display().to_string(),
        Place::Memory => "memory".to_owned(),
    }
}

/// A name that nobody else is likely to have: the file's, and 32 random bits.
pub(crate) fn default_origin(ledger: &Ledger) -> String {
    let stem = match ledger.place() {
        Place::Sqlite(path) => path.file_stem().unwrap_or(Path::new("ledger").as_os_str()),
        Place::Memory => Path::new("memory").as_os_str(),
    };
    let plain = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' };
    // An origin holds 200 characters; the rest of a longer file name tells nobody anything.
    let stem: String = stem.to_string_lossy().chars().map(plain).take(100).collect();
    // The keys of a `RandomState` come from the system's generator.
    let random = RandomState::new().build_hasher().finish() >> 32;
    format!("localhost/{stem}-{random:08x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_origins_can_be_used_and_differ() {
        let origin = |url: &str| default_origin(&Ledger::parse(url).unwrap());
        let (a, b) = (origin("sqlite:x/my audit.db"), origin("sqlite:x/my audit.db"));
        assert!(a.starts_with("localhost/my-audit-") && a.len() == "localhost/my-audit-".len() + 8);
        assert_ne!(a, b);
    }
}
