//! `modeltrail proxy` as a process between real sockets.

mod endings;
mod framing;
mod many;
mod passing;
mod secure;
mod sides;
