//! One request as it passes, and what is in memory when it has ended.

use super::path::PathVars;
use super::plan::Route;
use super::{Body, Budget, Mode, Plan, Tap, made};
use crate::record::Record;

/// Most headers kept of a head: those that the plan wants, a few; a client may send one a hundred times.
const N_HEADERS_MAX: usize = 64;

/// Most bytes kept of a header's value; servers take heads of 8 to 64 KiB altogether.
const HEADER_BYTES_MAX: usize = 8 * 1024;

/// How a request ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The answer went out to its end.
    Complete,
    /// Whoever asked went away before the end of the answer.
    ClientDisconnected,
    /// Who answers broke off, with what is known of it.
    UpstreamReset(String),
    /// Who answers could not be reached.
    UpstreamUnreachable(String),
    /// No answer in time.
    TimedOut,
    /// The application failed: a code, such as the exception's type, and its message.
    Failed {
        /// What programs can match.
        code: String,
        /// What people read.
        message: String,
    },
}

/// When it was, and how long it took.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Timing {
    /// When the request's head was there, nanoseconds since 1970 UTC.
    pub occurred_ns: i64,
    /// From then to the end of the answer, in microseconds.
    pub latency_us: u64,
    /// From then to the first byte of the answer's body, in microseconds.
    pub first_byte_us: Option<u64>,
}

/// A request as it passes. A way in feeds it what it sees, in any number of pieces, and ends it once.
#[derive(Debug)]
pub struct Exchange {
    pub(super) plan: Plan,
    pub(super) route: usize,
    pub(super) vars: PathVars,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) response_headers: Vec<(String, String)>,
    pub(super) status: Option<u16>,
    pub(super) client_address: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) subject_id: Option<String>,
    pub(super) session_id: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) request_id_assigned: bool,
    pub(super) intent: Option<[u8; 16]>,
    pub(super) metadata: serde_json::Map<String, serde_json::Value>,
    pub(super) mode: &'static str,
    pub(super) is_request_cut: bool,
    request: Tap,
    response: Tap,
}

/// An exchange that has ended, in memory; its record is still to be made.
#[derive(Debug)]
pub struct Captured {
    pub(super) of: Parts,
    pub(super) ending: Ending,
    pub(super) timing: Timing,
}

/// An exchange with its bodies as they are known.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) exchange: Box<Exchange>,
    pub(super) request: Body,
    pub(super) response: Body,
}

/// What an application knows better than any header, from a callback of its own.
macro_rules! known {
    ($($(#[$doc:meta])* $name:ident;)+) => {
        $($(#[$doc])*
        pub fn $name(&mut self, value: impl Into<String>) {
            self.$name = Some(value.into());
        })+
    };
}

impl Exchange {
    pub(super) fn new(
        plan: &Plan,
        route: usize,
        vars: PathVars,
        method: &str,
        path: &str,
        query: Option<&str>,
    ) -> Self {
        Self {
            plan: plan.clone(),
            route,
            vars,
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.map(str::to_owned),
            headers: Vec::new(),
            response_headers: Vec::new(),
            status: None,
            client_address: None,
            user_id: None,
            subject_id: None,
            session_id: None,
            request_id: None,
            request_id_assigned: false,
            intent: None,
            metadata: serde_json::Map::new(),
            mode: "http",
            is_request_cut: false,
            request: Tap::new(plan.body_bytes_max, plan.budget.clone()),
            response: Tap::new(plan.body_bytes_max, plan.budget.clone()),
        }
    }

    known! {
        /// Who asked, as the application has checked it: not marked as claimed.
        user_id;
        /// Whom it is about, as the application knows it.
        subject_id;
        /// The conversation or run, as the application knows it.
        session_id;
        /// The request id to record under; one is assigned otherwise.
        request_id;
        /// Where the request came from.
        client_address;
    }

    /// The way in, as the header of the record names it: `tower`, `proxy`, `asgi`.
    pub const fn way_in(&mut self, mode: &'static str) {
        self.mode = mode;
    }

    /// A member of the record's metadata.
    pub fn metadata(&mut self, name: impl Into<String>, value: impl Into<serde_json::Value>) {
        self.metadata.insert(name.into(), value.into());
    }

    /// When this request is to be recorded.
    #[must_use]
    pub fn capture_mode(&self) -> Mode {
        self.route().map_or(Mode::After, |route| route.mode)
    }

    pub(super) fn route(&self) -> Option<&Route> {
        self.plan.routes.get(self.route)
    }

    /// A header of the request; kept where the plan wants it.
    pub fn request_header(&mut self, name: &str, value: &[u8]) {
        if self.plan.wants_request_header(name) {
            keep(&mut self.headers, name, value);
        }
    }

    /// A header of the answer; kept where the plan wants it.
    pub fn response_header(&mut self, name: &str, value: &[u8]) {
        if self.plan.wants_response_header(name) {
            keep(&mut self.response_headers, name, value);
        }
    }

    /// The answer's status code.
    pub const fn response_status(&mut self, status: u16) {
        self.status = Some(status);
    }

    /// The next bytes of the request's body.
    pub fn request_bytes(&mut self, bytes: &[u8]) {
        self.request.push(bytes);
    }

    /// Says that the request's body ended before its end, or that nobody read the rest of it.
    pub const fn request_cut(&mut self) {
        self.is_request_cut = true;
    }

    /// The next bytes of the answer's body.
    pub fn response_bytes(&mut self, bytes: &[u8]) {
        self.response.push(bytes);
    }

    /// About how many bytes it holds in memory.
    #[must_use]
    pub fn size_hint_bytes(&self) -> usize {
        self.request.kept().len() + self.response.kept().len() + 1024
    }

    /// The request id, where the application gave one or the plan names a place that has one; otherwise the one
    /// that is assigned now.
    pub fn settle_request_id(&mut self, assign: impl FnOnce() -> String) -> &str {
        if self.request_id.is_none() {
            self.request_id = made::request_id(self);
        }
        self.request_id_assigned |= self.request_id.is_none();
        self.request_id.get_or_insert_with(assign)
    }

    /// What is known before it goes on to the model, as a record of kind `intent` under this record id, which the
    /// record of what became of it will have too. The request's body must have been fed, and the request id settled.
    #[must_use]
    pub fn intent(&mut self, record_id: [u8; 16], occurred_ns: i64) -> Record {
        self.intent = Some(record_id);
        made::intent(self, occurred_ns).into_intent(record_id)
    }

    /// Ends it. The request id is settled with what is assigned where nothing else gives one.
    #[must_use]
    pub fn end(
        mut self,
        ending: Ending,
        timing: Timing,
        assign: impl FnOnce() -> String,
    ) -> Captured {
        self.settle_request_id(assign);
        let request = std::mem::replace(&mut self.request, Tap::new(0, Budget::default())).finish();
        let response =
            std::mem::replace(&mut self.response, Tap::new(0, Budget::default())).finish();
        Captured { of: Parts { exchange: Box::new(self), request, response }, ending, timing }
    }

    pub(super) fn request_so_far(&self) -> &Tap {
        &self.request
    }
}

impl Captured {
    /// The request id that it is recorded under.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.of.exchange.request_id.as_deref().unwrap_or_default()
    }

    /// About how many bytes it holds in memory, and its record will.
    #[must_use]
    pub fn size_hint_bytes(&self) -> usize {
        self.of.request.bytes.len() + self.of.response.bytes.len() + 1024
    }

    /// The record: shapes are read, streams assembled, names looked up. It never fails; what cannot be read is kept
    /// as it came, and the record says so.
    #[must_use]
    pub fn into_record(self) -> Record {
        made::record(self)
    }
}

fn keep(headers: &mut Vec<(String, String)>, name: &str, value: &[u8]) {
    if headers.len() < N_HEADERS_MAX {
        let value = value.get(..value.len().min(HEADER_BYTES_MAX)).unwrap_or_default();
        headers.push((name.to_ascii_lowercase(), String::from_utf8_lossy(value).into_owned()));
    }
}
