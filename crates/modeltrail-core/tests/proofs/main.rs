//! Proofs, notes, receipts, bundles, policies and witnesses from outside: against vectors of others, against a second
//! implementation, against published crates, and against every single-byte change.

#[cfg(test)]
mod bundles;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod second;
#[cfg(test)]
mod third_party;
#[cfg(test)]
mod witnesses;
