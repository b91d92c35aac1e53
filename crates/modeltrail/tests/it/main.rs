//! Real processes on real files: killed at any moment, taking over from one another, out of room.

#[cfg(test)]
mod child;
#[cfg(test)]
mod full;
#[cfg(test)]
mod intents;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod place;
#[cfg(test)]
mod published;
#[cfg(test)]
mod takeover;
#[cfg(test)]
mod tower;
