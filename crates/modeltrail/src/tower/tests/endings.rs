//! Each way in which a request can end gives one record that says so.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;

use super::*;

const QUESTION: &str = r#"{"amount": 1}"#;
const ANSWER: &str = r#"{"prediction": "legitimate"}"#;

#[test]
fn a_buffered_exchange_is_recorded_before_its_last_frame_goes_out() {
    let trial = Trial::new("");
    let mut service = trial.service(2, || json_answer(whole(ANSWER)));
    let answer = ask(&mut service, post(whole(QUESTION))).unwrap();
    assert_eq!(answer.body().size_hint().exact(), Some(ANSWER.len() as u64));
    assert!(!answer.body().is_end_stream());
    let mut body = Box::pin(answer.into_body());
    let frame = once(|cx| body.as_mut().poll_frame(cx));
    let Poll::Ready(Some(Ok(frame))) = frame else { panic!("{frame:?}") };
    assert_eq!(frame.into_data().unwrap(), ANSWER);
    assert!(body.is_end_stream());
    let record = trial.only();
    assert_eq!(record.part(PartId::Output), json!({"prediction": "legitimate"}));
    assert_eq!(record.part(PartId::Input), json!({"amount": 1}));
    assert_eq!(record.part(PartId::Header)["status"], "success");
    assert_eq!(record.part(PartId::Header)["capture"]["mode"], "tower");
    drop(body);
    assert_eq!(trial.entries(Kind::Prediction).len(), 1);
}

#[test]
fn frames_and_trailers_of_a_stream_pass_as_they_are() {
    let trial = Trial::new("");
    let steps = [Data("a"), Data(""), Wait, Data("bc"), Trailers(&[("x-sum", "6")])];
    let mut service = trial.service(0, move || json_answer(script(&steps)));
    let answer = ask(&mut service, post(script(&[]))).unwrap();
    let mut body = Box::pin(answer.into_body());
    assert_eq!(read(&mut body), ("a".into(), false, None));
    assert_eq!(trial.entries(Kind::Prediction).len(), 0);
    let (text, is_end, trailers) = read(&mut body);
    assert_eq!(
        (text.as_str(), is_end, trailers.unwrap()["x-sum"].as_bytes()),
        ("bc", true, &b"6"[..])
    );
    let record = trial.only();
    assert_eq!(record.part(PartId::Header)["status"], "success");
    assert_eq!(record.capture()["response"]["bytes"], 3);
}

#[test]
fn a_request_that_is_not_read_is_recorded_as_far_as_it_was() {
    let trial = Trial::new("");
    let steps = [Data("{\"a\": 1,"), Data("\"b\": 2}")];
    for (n_reads, n_bytes, is_cut) in [(0, 0, true), (1, 8, true), (2, 15, true), (3, 15, false)] {
        let mut service = trial.service(n_reads, || json_answer(whole("{}")));
        let answer = ask(&mut service, post(script(&steps))).unwrap();
        read(&mut Box::pin(answer.into_body()));
        let entries = trial.entries(Kind::Prediction);
        let record = Told(entries.into_iter().max_by_key(|entry| entry.leaf.index).unwrap());
        let request = &record.capture()["request"];
        assert_eq!(request["bytes"], n_bytes, "{n_reads} frames");
        let complete = &record.part(PartId::Header)["capture"]["complete"];
        assert_eq!(complete, if is_cut { "truncated" } else { "full" });
    }
}

#[test]
fn who_hangs_up_is_recorded_with_the_bytes_so_far() {
    let trial = Trial::new("");
    let mut service = trial.service(0, || json_answer(script(&[Data("abc"), Wait, Data("d")])));
    let answer = ask(&mut service, post(whole(QUESTION))).unwrap();
    let mut body = Box::pin(answer.into_body());
    assert_eq!(read(&mut body).0, "abc");
    drop(body);
    let record = trial.only();
    assert_eq!(record.error_code(), "client_disconnected");
    assert_eq!(record.capture()["response"]["bytes"], 3);
}

#[test]
fn a_future_that_is_dropped_is_recorded() {
    let trial = Trial::new("");
    let mut service = trial.service(2, || json_answer(whole("{}")));
    let mut future = Box::pin(service.call(post(script(&[Data("{"), Wait]))));
    assert!(once(|cx| future.as_mut().poll(cx)).is_pending());
    drop(future);
    let record = trial.only();
    assert_eq!(record.error_code(), "client_disconnected");
    assert_eq!(record.capture()["request"]["bytes"], 1);
    assert_eq!(record.part(PartId::Metadata)["http"].get("status"), None);
}

#[test]
fn what_was_sent_to_its_announced_length_is_complete_though_nobody_asks_on() {
    let trial = Trial::new("");
    let announced =
        || Response::builder().header("content-length", "3").body(script(&[Data("abc")]));
    let mut service = trial.service(0, move || Ok(announced().unwrap()));
    let mut body = Box::pin(ask(&mut service, post(whole(QUESTION))).unwrap().into_body());
    assert!(once(|cx| body.as_mut().poll_frame(cx)).is_ready());
    drop(body);
    assert_eq!(trial.only().part(PartId::Header)["status"], "success");
}

#[test]
fn answers_without_a_body_are_recorded_with_their_head() {
    let trial = Trial::new("[[route]]\npath = '*'\nmethods = ['POST', 'HEAD']");
    for (method, status) in [("HEAD", 200), ("POST", 204), ("POST", 304), ("POST", 101)] {
        let answer = move || Ok(Response::builder().status(status).body(script(&[Wait])).unwrap());
        let request = Request::builder().method(method).uri("/").body(whole("")).unwrap();
        drop(ask(&mut trial.service(0, answer), request).unwrap());
    }
    let entries = trial.entries(Kind::Prediction);
    assert_eq!(entries.len(), 4);
    for entry in entries {
        let header = Told(entry).part(PartId::Header);
        assert_eq!(header["status"], "success", "{header}");
    }
}

#[test]
fn failures_are_told_apart() {
    type Gives = fn() -> Given;
    let cases: [(Gives, &str, &str); 4] = [
        (|| Err("no model is loaded".into()), "service_error", "no model is loaded"),
        (
            || json_answer(script(&[Data("{"), Fail("the model went away")])),
            "upstream_reset",
            "the model went away",
        ),
        (
            || Ok(Response::builder().status(500).body(whole("oops")).unwrap()),
            "http_500",
            "answered with status 500",
        ),
        (|| json_answer(script(&[Panic])), "panic", "the service panicked"),
    ];
    for (answer, code, message) in cases {
        let trial = Trial::new("");
        let mut service = trial.service(1, answer);
        let asked = AssertUnwindSafe(|| {
            ask(&mut service, post(whole(QUESTION))).is_ok_and(|answer| {
                read(&mut Box::pin(answer.into_body()));
                true
            })
        });
        let went = catch_unwind(asked);
        assert_eq!(went.is_err(), code == "panic");
        let error = trial.only().part(PartId::Error);
        assert_eq!((&error["code"], &error["message"]), (&json!(code), &json!(message)));
    }
}

#[test]
fn a_panic_that_is_caught_outside_is_none_of_the_client() {
    let trial = Trial::new("");
    let mut service = trial.service(0, || panic!("as the test wants"));
    let mut future = Box::pin(service.call(post(whole(QUESTION))));
    assert!(
        catch_unwind(AssertUnwindSafe(|| once(|cx| future.as_mut().poll(cx)).is_ready())).is_err()
    );
    drop(future);
    assert_eq!(trial.only().error_code(), "panic");
}

#[test]
fn the_status_of_grpc_is_in_trailers_or_in_the_head() {
    let grpc = |steps: &[Step], head: &[(&'static str, &'static str)]| {
        let mut answer = Response::new(script(steps));
        *answer.headers_mut() = headers(head);
        answer.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        answer
    };
    let cases: [(&[Step], Pairs, Value); 5] = [
        (&[Data("abc"), Trailers(&[("grpc-status", "0")])], &[], Value::Null),
        (&[Trailers(&[("grpc-status", "5"), ("grpc-message", "no%20such")])], &[], "grpc_5".into()),
        (&[], &[("grpc-status", "12")], "grpc_12".into()),
        (&[Data("abc")], &[], "grpc_without_status".into()),
        (&[Data("abc"), Wait], &[], "client_disconnected".into()),
    ];
    for (steps, head, code) in cases {
        let trial = Trial::new("");
        let (steps, head) = (steps.to_vec(), head.to_vec());
        let mut service = trial.service(0, move || Ok(grpc(&steps, &head)));
        let answer = ask(&mut service, post(whole(QUESTION))).unwrap();
        read(&mut Box::pin(answer.into_body()));
        assert_eq!(trial.only().error_code(), code);
    }
}

#[test]
fn what_the_plan_does_not_want_passes_and_leaves_nothing() {
    let trial = Trial::new("[[route]]\npath = '/other'");
    let mut service = trial.service(2, || json_answer(whole(ANSWER)));
    let mut body = Box::pin(ask(&mut service, post(whole(QUESTION))).unwrap().into_body());
    assert_eq!(read(&mut body).0, ANSWER);
    assert_eq!(trial.entries(Kind::Prediction).len(), 0);
}

#[test]
fn the_application_says_who_asked() {
    #[derive(Clone)]
    struct Peer(&'static str);
    let mut trial = Trial::new("");
    trial.layer = trial.layer.clone().identify(|request, exchange| {
        exchange.user_id(request.headers["x-checked"].to_str().unwrap());
        exchange.client_address(request.extensions.get::<Peer>().unwrap().0);
    });
    let mut request = post(whole(QUESTION));
    request.headers_mut().insert("x-checked", HeaderValue::from_static("analyst_jane"));
    request.extensions_mut().insert(Peer("192.0.2.7"));
    let mut service = trial.service(2, || json_answer(whole(ANSWER)));
    read(&mut Box::pin(ask(&mut service, request).unwrap().into_body()));
    let record = trial.only();
    assert_eq!(record.part(PartId::Parties)["user_id"], "analyst_jane");
    assert_eq!(record.capture().get("claimed"), None);
}

#[test]
fn what_cannot_be_recorded_is_counted_told_and_no_matter_to_who_asks() {
    let mut trial = Trial::new("");
    let told = Arc::new(AtomicU64::new(0));
    let counter = told.clone();
    trial.layer = trial.layer.clone().on_error(move |error| {
        assert!(matches!(error, crate::RecordingError::Closed), "{error}");
        counter.fetch_add(1, Ordering::Relaxed);
    });
    trial.recorder.close().unwrap();
    let mut service = trial.service(2, || json_answer(whole(ANSWER)));
    let mut body = Box::pin(ask(&mut service, post(whole(QUESTION))).unwrap().into_body());
    assert_eq!(read(&mut body).0, ANSWER);
    drop(service.call(post(whole(QUESTION))));
    assert_eq!((trial.layer.n_not_recorded(), told.load(Ordering::Relaxed)), (2, 2));
}

#[test]
fn fail_closed_gives_nobody_a_whole_answer_that_was_not_recorded() {
    let mut trial = Trial::new("");
    trial.layer = trial.layer.clone().fail_closed();
    trial.recorder.close().unwrap();
    let mut service = trial.service(2, || json_answer(script(&[Data("abc"), Data("d")])));
    let mut body = Box::pin(ask(&mut service, post(whole(QUESTION))).unwrap().into_body());
    for expected in ["abc", "d"] {
        let frame = once(|cx| body.as_mut().poll_frame(cx));
        let Poll::Ready(Some(Ok(frame))) = frame else { panic!("{frame:?}") };
        assert_eq!(frame.into_data().unwrap(), expected);
    }
    let last = once(|cx| body.as_mut().poll_frame(cx));
    assert!(matches!(last, Poll::Ready(Some(Err(_)))), "{last:?}");
    let mut service = trial.service(2, || json_answer(whole(ANSWER)));
    let mut body = Box::pin(ask(&mut service, post(whole(QUESTION))).unwrap().into_body());
    assert_eq!(read(&mut body).0, "", "the last frame is held back where it is known to be");
    let bare = || Ok(Response::builder().status(204).body(whole("")).unwrap());
    let answer = ask(&mut trial.service(0, bare), post(whole(QUESTION))).unwrap();
    assert_eq!(answer.status(), 503);
}
