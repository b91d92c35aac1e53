//! Counts the bytes that the scanner looks at, so that a test can hold the number against the
//! length of the text. Outside tests it does nothing.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Counts `n` bytes.
#[cfg(test)]
pub(super) fn add(n: usize) {
    STEPS.with(|steps| steps.set(steps.get() + u64::try_from(n).unwrap_or(u64::MAX)));
}

/// Counts `n` bytes.
#[cfg(not(test))]
#[inline(always)]
pub(super) const fn add(_n: usize) {}

/// The bytes counted since the last call.
#[cfg(test)]
pub(super) fn take() -> u64 {
    STEPS.with(|steps| steps.replace(0))
}
