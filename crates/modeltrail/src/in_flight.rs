//! A request while it is in flight, for the ways in that need no change to an application's code.
//!
//! A [`Capturer`] is made once. For each request that its plan wants it gives an [`InFlight`], which is fed with
//! head and bodies as they pass. However the request goes, it is recorded once: [`InFlight::end`] says how it ended, and
//! one that is dropped before its end is recorded as [`Ending::ClientDisconnected`], since servers drop what nobody
//! waits for any more.

use std::time::Instant;

use modeltrail_core::capture::{Ending, Exchange, Mode, Plan, Timing};

use crate::clock;
use crate::entropy;
use crate::recorder::{Ack, Recorded, Recorder, RecordingError};

/// A recorder and what is to be captured for it. Clones share both.
#[derive(Clone)]
pub struct Capturer {
    recorder: Recorder,
    plan: Plan,
    way_in: &'static str,
    ack: Option<Ack>,
}

impl std::fmt::Debug for Capturer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Capturer").field("way_in", &self.way_in).finish_non_exhaustive()
    }
}

impl Capturer {
    /// Captures for `recorder` what `plan` wants; `way_in` is what headers name as `capture.mode`: `tower`, `proxy`.
    #[must_use]
    pub const fn new(recorder: Recorder, plan: Plan, way_in: &'static str) -> Self {
        Self { recorder, plan, way_in, ack: None }
    }

    /// Hands records over at this stage, whatever the recorder's options say.
    #[must_use]
    pub const fn at(mut self, ack: Ack) -> Self {
        self.ack = Some(ack);
        self
    }

    /// The recorder.
    #[must_use]
    pub const fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Begins with a request's head; `None` where the plan does not want it. It is counted here, before anything
    /// of it is captured, so that what was recorded can be held against it.
    #[must_use]
    pub fn begin(&self, method: &str, path: &str, query: Option<&str>) -> Option<InFlight> {
        let mut exchange = self.plan.begin(method, path, query)?;
        exchange.way_in(self.way_in);
        self.recorder.count_request();
        Some(InFlight {
            recorder: self.recorder.clone(),
            ack: self.ack,
            exchange: Some(exchange),
            began: Instant::now(),
            occurred_ns: clock::now_ns(),
            first_byte_us: None,
            if_dropped: Ending::ClientDisconnected,
        })
    }
}

/// A request in flight. It is recorded once: by [`InFlight::end`], or when it is dropped.
#[derive(Debug)]
pub struct InFlight {
    recorder: Recorder,
    ack: Option<Ack>,
    /// There until it has ended.
    exchange: Option<Exchange>,
    began: Instant,
    occurred_ns: i64,
    first_byte_us: Option<u64>,
    if_dropped: Ending,
}

impl InFlight {
    /// The exchange, to be fed.
    pub fn exchange(&mut self, feed: impl FnOnce(&mut Exchange)) {
        if let Some(exchange) = &mut self.exchange {
            feed(exchange);
        }
    }

    /// True when an intent is to be recorded before the request goes on.
    #[must_use]
    pub fn wants_intent(&self) -> bool {
        let mode = self.exchange.as_ref().map(Exchange::capture_mode);
        mode == Some(Mode::BeforeResponse)
    }

    /// Records the intent; durable in the spool when this returns, so it waits for a disk.
    ///
    /// # Errors
    /// When it cannot be made durable; the request should not go on then.
    pub fn intent(&mut self) -> Result<(), RecordingError> {
        match &mut self.exchange {
            Some(exchange) => self.recorder.intent(exchange, self.occurred_ns),
            None => Ok(()),
        }
    }

    /// Bytes of the answer's body.
    pub fn response_bytes(&mut self, bytes: &[u8]) {
        if self.first_byte_us.is_none() && !bytes.is_empty() {
            self.first_byte_us = Some(self.elapsed_us());
        }
        self.exchange(|exchange| exchange.response_bytes(bytes));
    }

    /// What is recorded when it is dropped before its end.
    pub fn if_dropped(&mut self, ending: Ending) {
        self.if_dropped = ending;
    }

    /// Ends it, and hands it to the recorder at the stage of its options, or of
    /// [`Capturer::at`]. At [`Ack::Accepted`] nothing waits for a disk.
    ///
    /// # Errors
    /// As [`Recorder::record`]. Nothing of it is recorded then; the recorder's statistics count it where a gap
    /// entry does.
    pub fn end(mut self, ending: Ending) -> Result<Recorded, RecordingError> {
        self.finish(ending).unwrap_or(Err(RecordingError::Closed))
    }

    fn finish(&mut self, ending: Ending) -> Option<Result<Recorded, RecordingError>> {
        let exchange = self.exchange.take()?;
        let timing = Timing {
            occurred_ns: self.occurred_ns,
            latency_us: self.elapsed_us(),
            first_byte_us: self.first_byte_us,
        };
        let id = match entropy::uuid_v7() {
            Ok(id) => entropy::uuid_text(&id),
            Err(error) => return Some(Err(error.into())),
        };
        let captured = exchange.end(ending, timing, || id);
        Some(match self.ack {
            Some(ack) => self.recorder.capture_at(captured, ack),
            None => self.recorder.capture(captured),
        })
    }

    fn elapsed_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let ending = self.if_dropped.clone();
        if let Some(Err(error)) = self.finish(ending) {
            tracing::error!(%error, "a request that ended early could not be recorded");
        }
    }
}
