//! Usage rows, of which reports are made.

use std::collections::BTreeMap;

use modeltrail_core::Kind;

use super::super::{Store, StoreError, UsageQuery, UsageRow};
use super::generate::{Filled, Rng, Sample};
use super::{Failed, Make, Outcome, ensure, same};

/// A row with its terms as texts.
type Row = (i64, Option<String>, Option<String>, Option<String>, Option<u64>);

/// What has been learnt of terms: a text has one number, a number one text.
#[derive(Default)]
struct Terms {
    texts: BTreeMap<u32, String>,
    numbers: BTreeMap<String, u32>,
}

impl Terms {
    fn text(&mut self, store: &dyn Store, term: Option<u32>) -> Result<Option<String>, Failed> {
        let Some(term) = term else { return Ok(None) };
        let text = store.term(term)?;
        let known = self.texts.entry(term).or_insert_with(|| text.clone());
        same("the text of a term asked for again", known, &text)?;
        let number = self.numbers.entry(text.clone()).or_insert(term);
        same(&format!("the term of `{text}`"), &term, number)?;
        Ok(Some(text))
    }
}

pub(super) fn rows(make: &mut Make<'_>) -> Outcome {
    let mut filled = Filled::new(make, 41);
    let mut rng = Rng(42);
    let all: Vec<Sample> = (0..200).map(|_| Sample::random(&mut rng)).collect();
    for batch in all.chunks(23) {
        let frames: Result<Vec<_>, Failed> =
            batch.iter().map(|sample| sample.frame(&mut filled.rng)).collect();
        filled.append(frames?)?;
    }
    let mut terms = Terms::default();
    let mut n_rows = 0;
    for model_name in ["a", "A", "a ", "á", "nobody has this"] {
        for (since_ns, until_ns) in [
            (i64::MIN, None),
            (0, None),
            (0, Some(1_700_000_000_000_000_001)),
            (1, Some(1)),
            (i64::MIN, Some(i64::MIN)),
            (i64::MIN, Some(i64::MAX)),
            (i64::MAX, None),
        ] {
            let query = UsageQuery { model_name: model_name.to_owned(), since_ns, until_ns };
            n_rows += one_query(filled.store.as_ref(), &all, &query, &mut terms)?;
        }
    }
    ensure(n_rows > 100, || format!("only {n_rows} rows found by all queries"))?;
    let n_terms = terms.numbers.len();
    ensure(n_terms > 10, || format!("only {n_terms} terms"))?;
    match filled.store.term(u32::MAX) {
        Err(StoreError::NoTerm(u32::MAX)) => Ok(()),
        other => Err(Failed(format!("a term that is not there gave {other:?}"))),
    }
}

fn one_query(
    store: &dyn Store,
    all: &[Sample],
    query: &UsageQuery,
    terms: &mut Terms,
) -> Result<usize, Failed> {
    let mut found: Vec<UsageRow> = Vec::new();
    store.usage(query, &mut |row| found.push(row))?;
    ensure(found.is_sorted_by_key(|row| row.time_ns), || {
        format!("{query:?} gave rows out of the order of time: {found:?}")
    })?;
    let mut is: Vec<Row> = Vec::new();
    for row in found {
        let mut text = |term| terms.text(store, term);
        let (user, version, label) = (text(row.user)?, text(row.version)?, text(row.label)?);
        is.push((row.time_ns, user, version, label, row.latency_us));
    }
    let of_query = |sample: &&Sample| {
        sample.kind == Kind::Prediction
            && sample.model_name.as_deref() == Some(query.model_name.as_str())
            && sample.time_ns >= query.since_ns
            && query.until_ns.is_none_or(|until_ns| sample.time_ns < until_ns)
    };
    let row = |s: &Sample| -> Row {
        let (user, version, label) = (&s.user_id, &s.model_version, &s.label);
        (s.time_ns, user.clone(), version.clone(), label.clone(), s.latency_us)
    };
    let mut should_be: Vec<Row> = all.iter().filter(of_query).map(row).collect();
    // Rows of the same time come in any order.
    is.sort();
    should_be.sort();
    same(&format!("the rows of {query:?}"), &is, &should_be)?;
    Ok(is.len())
}
