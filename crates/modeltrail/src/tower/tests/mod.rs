//! Without a runtime: services and bodies that do what a script says, polled by hand.

mod endings;
mod intents;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use modeltrail_core::code::PartId;
use serde_json::Value;
use tower_layer::Layer;
use tower_service::Service;

use super::{AuditLayer, AuditService, BoxError, RequestBody, ResponseBody};
use crate::capture::CaptureConfig;
use crate::store::Entry;
use crate::{Kind, Ledger, Query, Recorder, check};

/// A body that does what its script says.
struct Script {
    steps: VecDeque<Step>,
    hint: SizeHint,
    /// Says that it has ended with its last frame.
    knows_its_end: bool,
}

#[derive(Clone, Copy)]
enum Step {
    Data(&'static str),
    Trailers(Pairs),
    Fail(&'static str),
    Wait,
    Panic,
}
use Step::{Data, Fail, Panic, Trailers, Wait};

fn script(steps: &[Step]) -> Script {
    Script { steps: steps.to_vec().into(), hint: SizeHint::default(), knows_its_end: false }
}

fn whole(text: &'static str) -> Script {
    let n_bytes = u64::try_from(text.len()).unwrap();
    Script { hint: SizeHint::with_exact(n_bytes), knows_its_end: true, ..script(&[Data(text)]) }
}

impl Body for Script {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.steps.pop_front() {
            None => Poll::Ready(None),
            Some(Data(text)) => {
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(text.as_bytes())))))
            }
            Some(Trailers(pairs)) => Poll::Ready(Some(Ok(Frame::trailers(headers(pairs))))),
            Some(Fail(why)) => Poll::Ready(Some(Err(why.into()))),
            Some(Wait) => Poll::Pending,
            Some(Panic) => panic!("as the script says"),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.knows_its_end && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.knows_its_end && self.steps.is_empty() {
            SizeHint::with_exact(0)
        } else {
            self.hint
        }
    }
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
        .collect()
}

type Pairs = &'static [(&'static str, &'static str)];

/// What the service inside gives.
type Given = Result<Response<Script>, BoxError>;

/// How often the service reads its request's body, and what it then does.
#[derive(Clone)]
struct Scripted {
    n_reads: usize,
    answer: Arc<dyn Fn() -> Given + Send + Sync>,
    n_calls: Arc<AtomicU64>,
}

impl Service<Request<RequestBody<Script>>> for Scripted {
    type Response = Response<Script>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Given>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody<Script>>) -> Self::Future {
        self.n_calls.fetch_add(1, Ordering::Relaxed);
        let (n_reads, answer) = (self.n_reads, self.answer.clone());
        Box::pin(async move {
            let mut body = Box::pin(request.into_body());
            for _ in 0..n_reads {
                std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await;
            }
            answer()
        })
    }
}

struct Trial {
    recorder: Recorder,
    layer: AuditLayer,
    n_calls: Arc<AtomicU64>,
    _dir: tempfile::TempDir,
    url: String,
}

impl Trial {
    fn new(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("audit.db").display());
        let recorder = Recorder::options().create("example.com/audit").open(&url).unwrap();
        let config = format!("{config}\n[defaults]\nmodel = 'm'\nversion = '1'\n");
        let plan = CaptureConfig::from_toml(&config).unwrap().plan().unwrap();
        let layer = AuditLayer::new(recorder.clone(), plan);
        Self { recorder, layer, n_calls: Arc::default(), _dir: dir, url }
    }

    fn service(
        &self,
        n_reads: usize,
        answer: impl Fn() -> Given + Send + Sync + 'static,
    ) -> AuditService<Scripted> {
        self.layer.layer(Scripted {
            n_reads,
            answer: Arc::new(answer),
            n_calls: self.n_calls.clone(),
        })
    }

    /// The entries of a kind, once all is sequenced.
    fn entries(&self, kind: Kind) -> Vec<Entry> {
        let reader = self.recorder.reader().unwrap();
        reader.query(&Query { kind: Some(kind), ..Query::default() }, 100).unwrap().entries
    }

    /// The only record, of a ledger that verifies.
    fn only(&self) -> Told {
        let mut entries = self.entries(Kind::Prediction);
        assert_eq!(entries.len(), 1, "{entries:?}");
        let ledger = Ledger::parse(&self.url).unwrap();
        let report = check::run(&ledger, &check::CheckOptions::default(), |_, _| {}).unwrap();
        assert_eq!(report.findings, []);
        Told(entries.remove(0))
    }
}

/// A record as tests ask it.
struct Told(Entry);

impl Told {
    fn part(&self, id: PartId) -> Value {
        let part = self.0.parts.iter().find(|part| part.id == id);
        part.map_or(Value::Null, |part| serde_json::from_slice(&part.bytes).unwrap())
    }

    fn error_code(&self) -> Value {
        self.part(PartId::Error)["code"].clone()
    }

    fn capture(&self) -> Value {
        self.part(PartId::Metadata)["capture"].clone()
    }
}

/// Polls once.
fn once<T>(run: impl FnOnce(&mut Context<'_>) -> T) -> T {
    run(&mut Context::from_waker(Waker::noop()))
}

fn post(body: Script) -> Request<Script> {
    Request::post("/predict").header("content-type", "application/json").body(body).unwrap()
}

fn json_answer(body: Script) -> Given {
    Ok(Response::builder().header("content-type", "application/json").body(body).unwrap())
}

type Answer = Result<Response<ResponseBody<Script>>, BoxError>;

/// The answer of a service that never waits.
fn ask(service: &mut AuditService<Scripted>, request: Request<Script>) -> Answer {
    let mut future = Box::pin(service.call(request));
    match once(|cx| future.as_mut().poll(cx)) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("it waits"),
    }
}

/// All that can be read without waiting, with whether it has ended.
fn read(body: &mut Pin<Box<ResponseBody<Script>>>) -> (String, bool, Option<HeaderMap>) {
    let (mut text, mut trailers) = (String::new(), None);
    loop {
        match once(|cx| body.as_mut().poll_frame(cx)) {
            Poll::Pending => return (text, false, trailers),
            Poll::Ready(None | Some(Err(_))) => return (text, true, trailers),
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => text.push_str(std::str::from_utf8(&data).unwrap()),
                Err(frame) => trailers = Some(frame.into_trailers().unwrap()),
            },
        }
    }
}
