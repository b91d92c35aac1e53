//! `query`: how long a person waits for the first page of answers.

use std::collections::BTreeSet;

use modeltrail::{Query, Reader};
use modeltrail_core::Hash;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Result;
use crate::frames::Framer;
use crate::outcome::Outcome;
use crate::setup::Setup;
use crate::shared::SharedLedger;
use crate::timing::{Spread, Times};

/// Different keys of each kind, spread evenly over the ledger.
const N_KEYS: u64 = 200;

/// Entries of a page.
const PAGE: usize = 50;

const MAX_MS: f64 = 5.0;

/// What is looked for.
#[derive(Default)]
struct Keys {
    request_ids: BTreeSet<String>,
    users: BTreeSet<String>,
    models: BTreeSet<String>,
    input_hashes: BTreeSet<Hash>,
}

/// The fields of a record that are keys.
#[derive(Deserialize)]
struct Fields<'a> {
    request_id: &'a str,
    model_name: &'a str,
    user_id: &'a str,
}

impl Keys {
    /// Reads the load again and keeps every so many records' keys; of users as many as there are
    /// keys, the heaviest among them.
    fn of(setup: &Setup, n: u64) -> Result<Self> {
        let framer = Framer::new()?;
        let mut generator = setup.generator(n);
        let step = (n / N_KEYS).max(1);
        let (mut keys, mut i) = (Self::default(), 0);
        let wanted = usize::try_from(N_KEYS)?;
        while let Some(line) = generator.next_line() {
            let sampled = i % step == 0 && keys.request_ids.len() < wanted;
            // Most samples are of the few heavy users; others are looked for in between.
            let more_users = keys.users.len() < wanted && i % (step / 8).max(1) == 0;
            if sampled || more_users {
                let fields: Fields<'_> = serde_json::from_str(line)?;
                if keys.users.len() < wanted {
                    keys.users.insert(fields.user_id.to_owned());
                }
                keys.models.insert(fields.model_name.to_owned());
                if sampled {
                    keys.request_ids.insert(fields.request_id.to_owned());
                    keys.input_hashes.extend(framer.input_hash(line)?);
                }
            }
            i += 1;
        }
        Ok(keys)
    }
}

/// The times of one kind of key.
struct Kind {
    name: &'static str,
    n_keys: usize,
    n_found: usize,
    spread: Spread,
}

pub(crate) fn run(setup: &Setup, shared: &SharedLedger) -> Result<Outcome> {
    let keys = Keys::of(setup, shared.n)?;
    let reader = Reader::open(&shared.url)?;
    let by = |edit: fn(&mut Query, &str), key: &String| {
        let mut query = Query::default();
        edit(&mut query, key);
        query
    };
    let request_ids = keys.request_ids.iter();
    let users = keys.users.iter();
    // Three models asked for in turn: as many questions as of the other kinds.
    let models = keys.models.iter().cycle().take(keys.request_ids.len());
    let hashes = keys.input_hashes.iter();
    let kinds = [
        pages(
            &reader,
            "request_id",
            request_ids.map(|k| by(|q, k| q.request_id = Some(k.into()), k)),
        )?,
        pages(&reader, "user_id", users.map(|k| by(|q, k| q.user_id = Some(k.into()), k)))?,
        pages(&reader, "model_name", models.map(|k| by(|q, k| q.model_name = Some(k.into()), k)))?,
        pages(
            &reader,
            "input_hash",
            hashes.map(|hash| Query { input_hash: Some(*hash), ..Query::default() }),
        )?,
    ];
    let met = kinds.iter().all(|kind| kind.spread.max_us <= MAX_MS * 1e3);
    let product: Value = kinds
        .iter()
        .map(|kind| {
            let figures =
                json!({"first_page": kind.spread, "n_keys": kind.n_keys, "n_found": kind.n_found});
            (kind.name.to_owned(), figures)
        })
        .collect();
    Ok(Outcome {
        name: "query",
        baseline: json!({}),
        product,
        ratio: None,
        target: json!({"max_ms": MAX_MS}),
        met,
        n: shared.n,
        notes: vec![format!(
            "first pages of {PAGE}, newest first; the reader is open, each key is asked for once \
             (models: in turn)"
        )],
    })
}

/// Times the first page of each query. Every key is in the ledger, so an empty page is an error.
fn pages(
    reader: &Reader,
    name: &'static str,
    queries: impl Iterator<Item = Query>,
) -> Result<Kind> {
    let mut times = Times::default();
    let mut n_found = 0;
    for query in queries {
        let page = times.time(|| reader.query(&query, PAGE))?;
        if page.entries.is_empty() {
            return Err(format!("nothing found by {name}: {query:?}").into());
        }
        n_found += page.entries.len();
    }
    Ok(Kind { name, n_keys: times.len(), n_found, spread: times.spread() })
}
