//! A tonic service inside the layer.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::{Request, Response};
use bytes::{Buf as _, BufMut as _};
use modeltrail::capture::CaptureConfig;
use modeltrail::tower::{AuditLayer, RequestBody};
use modeltrail::{Kind, Query, Reader, Recorder};
use modeltrail_core::PartId;
use serde_json::{Value, json};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tower_layer::Layer as _;
use tower_service::Service;

/// Messages as bytes.
#[derive(Clone, Copy, Default)]
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// Says what it was told, and knows nothing of `nobody`.
#[derive(Clone, Copy)]
struct Model;

impl Service<tonic::Request<Bytes>> for Model {
    type Response = tonic::Response<Bytes>;
    type Error = Status;
    type Future = Ready<Result<tonic::Response<Bytes>, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let message = request.into_inner();
        ready(match &message[..] {
            b"nobody" => Err(Status::not_found("no such model: 50%")),
            _ => Ok(tonic::Response::new(message)),
        })
    }
}

impl tonic::server::NamedService for Model {
    const NAME: &'static str = "test.Model";
}

impl Service<Request<tonic::body::Body>> for Model {
    type Response = Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        let model = *self;
        Box::pin(async move { Ok(tonic::server::Grpc::new(Plain).unary(model, request).await) })
    }
}

fn framed(message: &[u8]) -> Body {
    let mut bytes = vec![0];
    bytes.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(message);
    Body::from(bytes)
}

/// The bytes of the answer's messages, and its status.
async fn ask<S, B>(service: &mut S, message: &[u8]) -> (Bytes, Value)
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
    B: axum::body::HttpBody<Data = Bytes, Error: std::fmt::Debug>,
{
    let request = Request::post("/test.Model/Predict")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(framed(message))
        .unwrap();
    let (head, body) = service.call(request).await.unwrap().into_parts();
    let mut body = Box::pin(body);
    let (mut data, mut status) = (Vec::new(), head.headers.get("grpc-status").cloned());
    while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        match frame.unwrap().into_data() {
            Ok(bytes) => data.extend_from_slice(&bytes),
            Err(frame) => status = frame.into_trailers().unwrap().get("grpc-status").cloned(),
        }
    }
    (data.into(), status.unwrap().to_str().unwrap().into())
}

#[test]
fn a_call_of_a_tonic_service_is_recorded_with_its_status() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("audit.db").display());
    let recorder = Recorder::options().create("example.com/audit").open(&url).unwrap();
    let plan = CaptureConfig::from_toml("[defaults]\nmodel = 'm'\nversion = '1'").unwrap();
    let layer = AuditLayer::new(recorder.clone(), plan.plan().unwrap());
    let routes = || tonic::service::Routes::new(Model).prepare();
    let (mut plain, mut recorded) = (routes(), layer.layer(routes()));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for message in [&b"question"[..], b"nobody"] {
        let given = runtime.block_on(ask(&mut recorded, message));
        assert_eq!(given, runtime.block_on(ask(&mut plain, message)));
    }
    drop((layer, recorded));
    recorder.close().unwrap();
    let entries = Reader::open(&url)
        .unwrap()
        .query(&Query { kind: Some(Kind::Prediction), ..Query::default() }, 10)
        .unwrap()
        .entries;
    let mut told: Vec<(u64, Value, Value)> = entries
        .iter()
        .map(|entry| {
            let part = |id| -> Value {
                let part = entry.parts.iter().find(|part| part.id == id);
                part.map_or(Value::Null, |part| serde_json::from_slice(&part.bytes).unwrap())
            };
            let bytes = part(PartId::Metadata)["capture"]["response"]["bytes"].clone();
            (entry.leaf.index, part(PartId::Error), bytes)
        })
        .collect();
    told.sort_by_key(|(index, ..)| *index);
    let told: Vec<_> = told.into_iter().map(|(_, error, bytes)| (error, bytes)).collect();
    let not_found = json!({"code": "grpc_5", "message": "no such model: 50%"});
    assert_eq!(told, [(Value::Null, json!(13)), (not_found, json!(0))]);
}

/// What axum and tonic ask of a body.
#[test]
fn bodies_are_what_servers_ask_for() {
    fn is_fit<B: axum::body::HttpBody<Data = Bytes> + Send + 'static>() {}
    is_fit::<RequestBody<Body>>();
    is_fit::<modeltrail::tower::ResponseBody<Body>>();
}
