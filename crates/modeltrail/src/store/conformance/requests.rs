//! What the sequencer asks of a store.

use modeltrail_core::{Frame, Record};
use serde_json::json;

use super::super::{Batch, ProducerState, Store, StoreError};
use super::generate::{Filled, frame};
use super::{Failed, Make, Outcome, same};

pub(super) fn producers(make: &mut Make<'_>) -> Outcome {
    let mut store = make();
    let (first, second, unknown) = ([1; 16], [2; 16], [3; 16]);
    same("a producer never met", &store.producer(&first)?, &ProducerState::default())?;
    let steps = [
        (first, ProducerState { next_seq: 5, ended: false }),
        (second, ProducerState { next_seq: u64::from(u32::MAX) + 1, ended: false }),
        (first, ProducerState { next_seq: 9, ended: true }),
    ];
    let head = store.tip()?.head;
    for (producer, state) in steps {
        // Accounts alone, without an entry, move no head.
        let mut batch = Batch::new(store.tip()?);
        batch.account(producer, ProducerState::default());
        batch.account(producer, state);
        store.append(&batch, &head)?;
        same("what is known of the producer", &store.producer(&producer)?, &state)?;
        same("what another handle knows", &store.another()?.producer(&producer)?, &state)?;
        same("the head", &store.tip()?.head, &head)?;
    }
    same("the other producer", &store.producer(&second)?.next_seq, &(u64::from(u32::MAX) + 1))?;
    same("a producer never met", &store.producer(&unknown)?, &ProducerState::default())
}

pub(super) fn one_read(make: &mut Make<'_>) -> Outcome {
    let mut filled = Filled::new(make, 12);
    let of = |n: u32| Record::prediction("m", "1").request_id(format!("r{n}"));
    filled.append_records((0..3).map(of).collect())?;
    let look = |store: &dyn Store, found: &mut Vec<Option<u64>>| -> Result<(), StoreError> {
        for id in ["r2", "r7", "r0"] {
            found.push(store.find_request(id)?);
        }
        Ok(())
    };
    let mut found = Vec::new();
    filled.store.in_one_read(&mut || look(filled.store.as_ref(), &mut found))?;
    same("what was found", &found, &vec![Some(2), None, Some(0)])?;
    found.clear();
    let failed = filled.store.in_one_read(&mut || {
        look(filled.store.as_ref(), &mut found)?;
        Err(StoreError::NoTerm(77))
    });
    same("how many reads were done before one failed", &found.len(), &3)?;
    match failed {
        Err(StoreError::NoTerm(77)) => {}
        other => return Err(Failed(format!("{other:?} where a read had failed"))),
    }
    // Neither a good nor a failed one stands in the way of the next append.
    filled.append_records(vec![of(3)])?;
    same("what was appended then", &filled.store.find_request("r3")?, &Some(3))
}

/// Request ids that a careless comparison takes for one another, or for SQL.
const IDS: [&str; 10] =
    ["a", "A", "a ", " a", "aa", "á", "a\u{301}", "'; DROP TABLE leaves; --", "%", "0"];

pub(super) fn find_request(make: &mut Make<'_>) -> Outcome {
    let mut filled = Filled::new(make, 11);
    let of =
        |id: &str, n: u32| Record::prediction("m", "1").request_id(id).input(json!({ "n": n }));
    for id in IDS {
        same(&format!("`{id}` before it is there"), &filled.store.find_request(id)?, &None)?;
    }
    // Each id as a conflict entry before and after the record that holds it.
    let mut frames: Vec<Frame> = Vec::new();
    for (id, n) in IDS.into_iter().zip(0..) {
        frames.push(frame(of(id, n), &mut filled.rng)?.into_conflict());
    }
    filled.append(frames)?;
    for id in IDS {
        same(&format!("`{id}` as conflicts only"), &filled.store.find_request(id)?, &None)?;
    }
    let first =
        filled.append_records(IDS.into_iter().zip(0..).map(|(id, n)| of(id, n)).collect())?;
    let mut frames: Vec<Frame> = Vec::new();
    for (id, n) in IDS.into_iter().zip(50..) {
        frames.push(frame(of(id, n), &mut filled.rng)?.into_conflict());
    }
    filled.append(frames)?;
    for (id, index) in IDS.into_iter().zip(first) {
        let found = filled.store.find_request(id)?;
        same(&format!("the index of `{id}`"), &found, &Some(index))?;
        let found = filled.store.another()?.find_request(id)?;
        same(&format!("the index of `{id}` in another handle"), &found, &Some(index))?;
    }
    same("an id that is not there", &filled.store.find_request("b")?, &None)?;
    // The sequencer lets no second record in; should one be there, the first holds the id.
    filled.append_records(vec![of("a", 99)])?;
    same("the index of a doubled id", &filled.store.find_request("a")?, &Some(10))
}
