//! Queries against a loop over all entries.

use std::collections::BTreeSet;

use modeltrail_core::query::{Cursor, Query};
use modeltrail_core::{Kind, Status};

use super::super::Store;
use super::generate::{Filled, Rng, Sample};
use super::{Failed, Make, Outcome, ensure, same};

/// Entries that are searched; enough that every filter fits many and every pair of them some.
const N_ENTRIES: usize = 300;

/// Random queries. With 300 entries each combination of two filters comes up several times.
const N_QUERIES: usize = 2000;

fn samples(rng: &mut Rng, n: usize) -> Vec<Sample> {
    (0..n).map(|_| if rng.once_in(15) { Sample::gap(rng) } else { Sample::random(rng) }).collect()
}

fn append(filled: &mut Filled, samples: &[Sample]) -> Outcome {
    let frames: Result<Vec<_>, Failed> =
        samples.iter().map(|sample| sample.frame(&mut filled.rng)).collect();
    filled.append(frames?)?;
    Ok(())
}

/// A query by some columns of a random entry, so that it mostly finds something.
fn random_query(rng: &mut Rng, samples: &[Sample]) -> Query {
    let (Some(like), Some(place)) = (rng.pick(samples), rng.pick(samples)) else {
        return Query::default();
    };
    // From one filter in eight to every second one.
    let rarity = 2 + rng.below(7);
    let mut text = |of: &Option<String>| match of {
        _ if !rng.once_in(rarity) => None,
        Some(_) if rng.once_in(20) => Some("nobody has this".to_owned()),
        of => of.clone(),
    };
    let mut query = Query {
        request_id: text(&like.request_id),
        model_name: text(&like.model_name),
        model_version: text(&like.model_version),
        user_id: text(&like.user_id),
        subject_id: text(&like.subject_id),
        session_id: text(&like.session_id),
        label: text(&like.label),
        ..Query::default()
    };
    let mut some = || rng.once_in(rarity);
    query.input_hash = like.input_hash().filter(|_| some());
    query.input_mac = like.input_mac().filter(|_| some());
    query.status = like.status.filter(|_| some());
    query.kind = some().then_some(like.kind);
    query.since_ns = some().then_some(place.time_ns);
    query.until_ns = some().then_some(like.time_ns.saturating_add(1));
    if some() {
        let index = u64::try_from(rng.below(samples.len() + 2)).unwrap_or(0);
        query.after = Some(Cursor { time_ns: place.time_ns, index });
    }
    query
}

/// The places that fit, in the order of answers.
fn expected(samples: &[Sample], query: &Query, oldest_first: bool) -> Vec<Cursor> {
    let mut places: Vec<Cursor> = samples
        .iter()
        .zip(0_u64..)
        .filter(|(sample, index)| {
            sample.fits_keys(query) && sample.fits_others(query, *index, oldest_first)
        })
        .map(|(sample, index)| Cursor { time_ns: sample.time_ns, index })
        .collect();
    places.sort_by_key(|place| (place.time_ns, place.index));
    if !oldest_first {
        places.reverse();
    }
    places
}

pub(super) fn random_queries(make: &mut Make<'_>) -> Outcome {
    let mut filled = Filled::new(make, 21);
    let mut rng = Rng(22);
    let all = samples(&mut rng, N_ENTRIES);
    for batch in all.chunks(37) {
        append(&mut filled, batch)?;
    }
    let mut n_found = 0;
    for _ in 0..N_QUERIES {
        let query = random_query(&mut rng, &all);
        let oldest_first = rng.once_in(2);
        let limit = rng.pick(&[0, 1, 2, 7, 1000, usize::MAX]).copied().unwrap_or(1);
        let found = filled.store.scan(&query, oldest_first, limit)?;
        n_found += found.len();
        judge(&all, &query, oldest_first, limit, &found)?;
    }
    // Lest the queries find nothing and so say nothing.
    ensure(n_found > N_QUERIES, || format!("only {n_found} places found by all queries"))
}

/// A store may let an entry through whose short key happens to be that of another text; nothing else
/// may differ from what is expected.
fn judge(
    all: &[Sample],
    query: &Query,
    oldest_first: bool,
    limit: usize,
    found: &[Cursor],
) -> Outcome {
    let told = |what: &str| {
        let direction = if oldest_first { "oldest" } else { "newest" };
        format!("{what}: {query:?}, {direction} first, limit {limit}, gave {found:?}")
    };
    ensure(found.len() <= limit, || told("more than the limit"))?;
    let sample = |place: &Cursor| usize::try_from(place.index).ok().and_then(|at| all.get(at));
    let others_fit = |place: &Cursor| {
        sample(place).is_some_and(|s| {
            s.time_ns == place.time_ns && s.fits_others(query, place.index, oldest_first)
        })
    };
    ensure(found.iter().all(others_fit), || told("a place that does not fit"))?;
    let exact: Vec<Cursor> = found
        .iter()
        .copied()
        .filter(|place| sample(place).is_some_and(|sample| sample.fits_keys(query)))
        .collect();
    let expected = expected(all, query, oldest_first);
    let all_of_it = found.len() == limit || exact.len() == expected.len();
    ensure(all_of_it && expected.starts_with(&exact), || {
        told(&format!("expected the beginning of {expected:?}"))
    })
}

pub(super) fn pages(make: &mut Make<'_>) -> Outcome {
    for page_size in 1..=7 {
        let mut filled = Filled::new(make, 31);
        let mut rng = Rng(32);
        let mut all = samples(&mut rng, 60);
        append(&mut filled, &all)?;
        for query in page_queries() {
            for oldest_first in [false, true] {
                let there = expected(&all, &query, oldest_first);
                let read =
                    read_pages(&mut filled, &mut rng, &mut all, &query, oldest_first, page_size)?;
                let fit = expected(&all, &query, oldest_first);
                judge_pages(&there, &fit, &read)?;
            }
        }
    }
    Ok(())
}

/// `there` fitted before the first page was read, `fit` after the last one.
fn judge_pages(there: &[Cursor], fit: &[Cursor], read: &[Cursor]) -> Outcome {
    let once: BTreeSet<u64> = read.iter().map(|place| place.index).collect();
    same("how many entries all pages hold", &read.len(), &once.len())?;
    let missed = there.iter().find(|place| !once.contains(&place.index));
    same("an entry that was there and is on no page", &missed, &None)?;
    // What is left of the order of answers when those are left out that came too late.
    let in_order: Vec<Cursor> =
        fit.iter().copied().filter(|place| once.contains(&place.index)).collect();
    ensure(read == in_order, || format!("pages are {read:?} and should be {in_order:?}"))
}

fn page_queries() -> [Query; 5] {
    [
        Query::default(),
        Query { model_name: Some("a".to_owned()), ..Query::default() },
        Query { user_id: Some("á".to_owned()), kind: Some(Kind::Prediction), ..Query::default() },
        Query { status: Some(Status::Failure), since_ns: Some(0), ..Query::default() },
        Query { session_id: Some("1".to_owned()), ..Query::default() },
    ]
}

/// Reads with one handle, page by page, while the other appends a batch between two pages.
fn read_pages(
    filled: &mut Filled,
    rng: &mut Rng,
    all: &mut Vec<Sample>,
    query: &Query,
    oldest_first: bool,
    page_size: usize,
) -> Result<Vec<Cursor>, Failed> {
    let reader: Box<dyn Store> = filled.store.another()?;
    let mut query = query.clone();
    let mut read = Vec::new();
    // Bounded: after the twentieth page nothing is appended any more.
    for n_pages in 0.. {
        let page = reader.scan(&query, oldest_first, page_size)?;
        let Some(last) = page.last() else { break };
        query.after = Some(*last);
        read.extend(page);
        if n_pages % 4 == 0 && n_pages < 20 {
            let more = samples(rng, 3);
            append(filled, &more)?;
            all.extend(more);
        }
    }
    Ok(read)
}
