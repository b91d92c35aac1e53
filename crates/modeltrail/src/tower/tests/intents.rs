//! Routes that are to be recorded before they are answered.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Wake;
use std::time::Duration;

use serde_json::json;

use super::*;

const BEFORE: &str = "[[route]]\npath = '*'\ncapture = 'before_response'\n";

/// How long anything may take before a test gives up; far more than any of it takes.
const PATIENCE: Duration = Duration::from_secs(60);

struct Woken(Sender<()>);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        // The test may have ended.
        let _sent = self.0.send(());
    }
}

/// Polls until it is ready; between polls it waits to be woken.
fn finish<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    let (sender, woken): (Sender<()>, Receiver<()>) = channel();
    let waker = Waker::from(Arc::new(Woken(sender)));
    let mut cx = Context::from_waker(&waker);
    loop {
        match poll(&mut cx) {
            Poll::Ready(value) => return value,
            Poll::Pending => woken.recv_timeout(PATIENCE).unwrap(),
        }
    }
}

#[test]
fn an_intent_is_durable_before_the_service_is_called_and_has_the_record_id_of_the_record() {
    let trial = Trial::new(BEFORE);
    let recorder = trial.recorder.clone();
    let answer = move || {
        let reader = recorder.reader().unwrap();
        let intents = Query { kind: Some(Kind::Intent), ..Query::default() };
        assert_eq!(reader.count(&intents).unwrap(), 1);
        json_answer(whole("{}"))
    };
    let mut service = trial.service(3, answer);
    let steps = [Data("{\"amount\""), Data(": 1}")];
    let mut future = Box::pin(service.call(post(script(&steps))));
    let answer = finish(|cx| future.as_mut().poll(cx)).unwrap();
    read(&mut Box::pin(answer.into_body()));
    let record = trial.only();
    let intent = Told(trial.entries(Kind::Intent).remove(0));
    assert_eq!(intent.0.leaf.record_id, record.0.leaf.record_id);
    assert_eq!(intent.part(PartId::Input), json!({"amount": 1}));
    assert_eq!(record.part(PartId::Input), json!({"amount": 1}));
    assert_eq!(
        intent.part(PartId::Parties)["request_id"],
        record.part(PartId::Parties)["request_id"]
    );
}

#[test]
fn the_service_gets_what_was_read_ahead_as_it_came() {
    type Seen = (SizeHint, bool, Vec<Result<Option<Bytes>, String>>);
    #[derive(Clone)]
    struct Reads(Sender<Seen>);
    impl Service<Request<RequestBody<Script>>> for Reads {
        type Response = Response<Script>;
        type Error = BoxError;
        type Future = std::future::Ready<Result<Response<Script>, BoxError>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<RequestBody<Script>>) -> Self::Future {
            let mut body = Box::pin(request.into_body());
            let (hint, is_end) = (body.size_hint(), body.is_end_stream());
            let mut frames = Vec::new();
            while let Poll::Ready(Some(frame)) = once(|cx| body.as_mut().poll_frame(cx)) {
                let frame = frame.map(|frame| frame.into_data().ok());
                frames.push(frame.map_err(|error| error.to_string()));
            }
            self.0.send((hint, is_end, frames)).unwrap();
            std::future::ready(json_answer(whole("{}")))
        }
    }
    let trial = Trial::new(&format!("body_bytes_max = 200\n{BEFORE}"));
    let (sender, seen) = channel();
    let mut service = trial.layer.layer(Reads(sender));
    let mut ask = |body: Script| {
        let mut future = Box::pin(service.call(post(body)));
        drop(finish(|cx| future.as_mut().poll(cx)).unwrap());
        seen.recv().unwrap()
    };
    let data = |text: &'static str| Ok(Some(Bytes::from_static(text.as_bytes())));
    let (hint, is_end, frames) = ask(whole("abc"));
    assert_eq!((hint.exact(), is_end, frames), (Some(3), false, vec![data("abc")]));
    let (hint, is_end, frames) = ask(whole(""));
    assert_eq!((hint.exact(), is_end, frames), (Some(0), false, vec![data("")]));
    let (_, _, frames) = ask(script(&[Data("a"), Trailers(&[("x", "y")])]));
    assert_eq!(frames, [data("a"), Ok(None)]);
    let (_, _, frames) = ask(script(&[Data("a"), Fail("reset")]));
    assert_eq!(frames, [data("a"), Err("reset".into())]);
    // Only so much is held back; the rest comes as it comes.
    let (_, _, frames) = ask(script(&[Data("a"), Data("b"), Data("c"), Data("d")]));
    assert_eq!(frames, ["a", "b", "c", "d"].map(data));
    assert_eq!(trial.entries(Kind::Intent).len(), 5);
    assert_eq!(trial.entries(Kind::Prediction).len(), 5);
}

#[test]
fn who_goes_away_while_an_intent_is_written_is_recorded_once() {
    let trial = Trial::new(BEFORE);
    for _ in 0..50 {
        let mut service = trial.service(1, || json_answer(whole("{}")));
        let mut future = Box::pin(service.call(post(whole("{}"))));
        // The intent is with its thread now, or it is there already.
        let answered = once(|cx| future.as_mut().poll(cx));
        drop((answered, future));
    }
    let (sender, all_done) = channel();
    let counter = trial.layer.clone();
    let recorder = trial.recorder.clone();
    std::thread::spawn(move || {
        let count = || {
            let reader = recorder.reader().unwrap();
            reader.count(&Query { kind: Some(Kind::Prediction), ..Query::default() }).unwrap()
        };
        while count() < 50 {
            std::thread::yield_now();
        }
        sender.send(counter.n_not_recorded()).unwrap();
    });
    assert_eq!(all_done.recv_timeout(PATIENCE).unwrap(), 0);
    assert_eq!(trial.entries(Kind::Prediction).len(), 50);
    assert_eq!(trial.n_calls.load(Ordering::Relaxed), 0);
}

#[test]
fn without_its_intent_a_request_goes_on_or_is_refused_as_was_asked() {
    for (closes, n_calls, status) in [(false, 1, 200), (true, 0, 503)] {
        let mut trial = Trial::new(BEFORE);
        if closes {
            trial.layer = trial.layer.clone().fail_closed();
        }
        trial.recorder.close().unwrap();
        let mut service = trial.service(1, || json_answer(whole("{}")));
        let mut future = Box::pin(service.call(post(whole("{}"))));
        let answer = finish(|cx| future.as_mut().poll(cx)).unwrap();
        assert_eq!(answer.status(), status);
        read(&mut Box::pin(answer.into_body()));
        assert_eq!(trial.n_calls.load(Ordering::Relaxed), n_calls);
        assert_eq!(trial.layer.n_not_recorded(), 2, "the intent and the record");
    }
}
