//! The tower layer around real servers: every request recorded once, and answers as they would be without.

mod grpc;
mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use modeltrail::capture::CaptureConfig;
use modeltrail::check::{self, CheckOptions};
use modeltrail::tower::AuditLayer;
use modeltrail::{Kind, Ledger, Query, Reader, Recorder};
use modeltrail_core::PartId;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// Requests altogether.
const N_REQUESTS: usize = 2_000;

/// Of which so many are under way at once; each has a socket on both sides, twice.
const N_AT_ONCE: usize = 500;

const PLAN: &str = r#"
    [defaults]
    model = "m"
    version = "1"
    request_id = "header:x-request-id"
    [[route]]
    path = "/before"
    capture = "before_response"
    [[route]]
    path = "*"
"#;

/// What a client does, and what its record has to say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Way {
    Predict,
    Stream,
    Echo,
    Unread,
    Refused,
    Before,
    NoRoute,
    /// Goes away in the middle of a stream.
    LeavesStream,
    /// Goes away before there is an answer.
    LeavesEarly,
    /// Goes away in the middle of its own request.
    LeavesUpload,
    Breaks,
}

const WAYS: [Way; 11] = [
    Way::Predict,
    Way::Stream,
    Way::Echo,
    Way::Unread,
    Way::Refused,
    Way::Before,
    Way::NoRoute,
    Way::LeavesStream,
    Way::LeavesEarly,
    Way::LeavesUpload,
    Way::Breaks,
];

impl Way {
    /// Twenty in a round: one of each failure, the rest as most requests are.
    fn of(n: usize) -> Self {
        WAYS.get(n % 20).copied().unwrap_or(Self::Predict)
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Predict => "/predict",
            Self::Stream => "/stream",
            Self::Echo | Self::LeavesUpload => "/echo",
            Self::Unread => "/unread",
            Self::Refused => "/refused",
            Self::Before => "/before",
            Self::NoRoute => "/nowhere",
            Self::LeavesStream => "/endless",
            Self::LeavesEarly => "/never",
            Self::Breaks => "/breaks",
        }
    }

    /// The code of its record's error.
    const fn error(self) -> Option<&'static str> {
        match self {
            Self::Predict | Self::Stream | Self::Echo | Self::Unread | Self::Before => None,
            Self::Refused => Some("http_500"),
            Self::NoRoute => Some("http_404"),
            Self::LeavesStream | Self::LeavesEarly | Self::LeavesUpload => {
                Some("client_disconnected")
            }
            Self::Breaks => Some("upstream_reset"),
        }
    }

    const fn leaves(self) -> bool {
        matches!(self, Self::LeavesStream | Self::LeavesEarly | Self::LeavesUpload)
    }

    fn request(self, n: usize) -> Vec<u8> {
        let n_bytes = if self == Self::Echo { 1 + n * 37 % 100_000 } else { 20 };
        let body = format!("{{\"n\": {n}, \"pad\": \"{}\"}}", "x".repeat(n_bytes));
        let announced = body.len() + if self == Self::LeavesUpload { 1000 } else { 0 };
        let path = self.path();
        format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-request-id: {n}\r\n\
             content-type: application/json\r\ncontent-length: {announced}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// Requests that have reached a server's outermost layer. A server drops one whose client has gone before it looks, and
/// nothing in it knows of that one.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<BTreeSet<usize>>>);

impl Seen {
    /// The layer.
    fn around(&self, router: axum::Router) -> axum::Router {
        let seen = self.0.clone();
        router.layer(from_fn(move |request: Request, next: Next| {
            let n = request.headers()["x-request-id"].to_str().unwrap().parse().unwrap();
            assert!(seen.lock().unwrap().insert(n), "request {n} came twice");
            next.run(request)
        }))
    }

    async fn wait_for(&self, n: usize) {
        while !self.0.lock().unwrap().contains(&n) {
            tokio::task::yield_now().await;
        }
    }
}

/// Sends a request, and gives all bytes of the answer but the date.
async fn ask(address: SocketAddr, seen: &Seen, way: Way, n: usize) -> Vec<u8> {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(&way.request(n)).await.unwrap();
    let mut answer = Vec::new();
    match way {
        Way::LeavesEarly | Way::LeavesUpload => {
            seen.wait_for(n).await;
            return answer;
        }
        Way::LeavesStream => {
            let mut first = [0; 8];
            socket.read_exact(&mut first).await.unwrap();
            return first.to_vec();
        }
        _ => socket.read_to_end(&mut answer).await.unwrap(),
    };
    let head_end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..head_end].to_vec()).unwrap();
    let lines = head.split("\r\n").filter(|line| !line.starts_with("date: "));
    let mut kept: Vec<u8> = lines.flat_map(|line| line.bytes().chain(*b"\r\n")).collect();
    kept.extend_from_slice(&answer[head_end..]);
    kept
}

async fn serve(router: axum::Router, seen: &Seen) -> SocketAddr {
    let router = seen.around(router);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Asks both servers everything, and holds what they answer together.
async fn ask_both(plain: (SocketAddr, Seen), recorded: (SocketAddr, Seen)) {
    let room = Arc::new(Semaphore::new(N_AT_ONCE));
    let mut tasks = Vec::new();
    for n in 0..N_REQUESTS {
        let (room, plain, recorded) = (room.clone(), plain.clone(), recorded.clone());
        tasks.push(tokio::spawn(async move {
            let _place = room.acquire().await.unwrap();
            let way = Way::of(n);
            let (expected, given) =
                (ask(plain.0, &plain.1, way, n).await, ask(recorded.0, &recorded.1, way, n).await);
            assert_eq!(
                String::from_utf8_lossy(&given),
                String::from_utf8_lossy(&expected),
                "request {n}, {way:?}"
            );
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

#[test]
fn two_thousand_mixed_requests_are_recorded_once_each_and_answered_as_without() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("audit.db").display());
    let recorder = Recorder::options().create("example.com/audit").open(&url).unwrap();
    let plan = CaptureConfig::from_toml(PLAN).unwrap().plan().unwrap();
    let layer = AuditLayer::new(recorder.clone(), plan);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (seen_plain, seen) = (Seen::default(), Seen::default());
        let plain = serve(model::router(), &seen_plain).await;
        let recorded = serve(model::router().layer(layer.clone()), &seen).await;
        ask_both((plain, seen_plain), (recorded, seen)).await;
    });
    // What is still in flight is dropped with the runtime.
    drop(runtime);
    drop(layer);
    recorder.close().unwrap();
    judge(&url);
    let report =
        check::run(&Ledger::parse(&url).unwrap(), &CheckOptions::default(), |_, _| {}).unwrap();
    assert_eq!(report.findings, []);
}

fn judge(url: &str) {
    let reader = Reader::open(url).unwrap();
    let of = |kind| {
        let query = Query { kind: Some(kind), ..Query::default() };
        reader.query(&query, N_REQUESTS * 2).unwrap().entries
    };
    let n_before = (0..N_REQUESTS).filter(|n| Way::of(*n) == Way::Before).count();
    assert_eq!(of(Kind::Intent).len(), n_before);
    assert_eq!(of(Kind::Conflict).len(), 0);
    let mut told = BTreeMap::new();
    for entry in of(Kind::Prediction) {
        let part = |id| -> Value {
            let part = entry.parts.iter().find(|part| part.id == id);
            part.map_or(Value::Null, |part| serde_json::from_slice(&part.bytes).unwrap())
        };
        let n: usize = part(PartId::Parties)["request_id"].as_str().unwrap().parse().unwrap();
        let code = part(PartId::Error)["code"].as_str().map(str::to_owned);
        assert_eq!(told.insert(n, code), None, "request {n} was recorded twice");
        let way = Way::of(n);
        let input = part(PartId::Input);
        if !way.leaves() && way != Way::Unread && way != Way::NoRoute {
            assert_eq!(input["n"], n, "{way:?}");
        }
        if way == Way::Echo {
            assert_eq!(part(PartId::Output), input, "request {n}");
        }
    }
    let missing: Vec<(usize, Way)> =
        (0..N_REQUESTS).filter(|n| !told.contains_key(n)).map(|n| (n, Way::of(n))).collect();
    assert_eq!(missing, [], "requests without a record");
    for (n, code) in told {
        let way = Way::of(n);
        // Who leaves while it sends is answered with 400 where the server had begun to read.
        if way != Way::LeavesUpload || code.as_deref() != Some("http_400") {
            assert_eq!(code.as_deref(), way.error(), "request {n}, {way:?}");
        }
    }
}
