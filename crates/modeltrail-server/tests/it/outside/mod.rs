//! Evidence outside, by process: witnesses, second places, time stamps, and what `status` makes of them.

mod attacks;
mod foreign;
mod ledgers;
mod newer;
mod places;
mod publish;
mod servers;
mod stamps;
mod witness;
