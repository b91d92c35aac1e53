//! The example as a process of its own.

#[cfg(test)]
mod records;
