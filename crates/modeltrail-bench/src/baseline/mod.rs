//! What the product is measured against: the least that a program could do for the same effect on
//! the same machine, or what its user would write by hand. Measured in the same run, over the same
//! bytes, and never slowed down.

pub(crate) mod encode;
pub(crate) mod group;
pub(crate) mod hash;
pub(crate) mod insert;
pub(crate) mod leaves;
pub(crate) mod patterns;
pub(crate) mod sql;
pub(crate) mod sync;
pub(crate) mod table;
