//! Each way in which a request can end: one record, and the right one.

use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use super::sides::{
    Proxy, ask, break_off, code, connect, read_answer, read_chunk, read_head, records, reply, send,
    upstream,
};
use crate::support::Folder;

#[test]
fn what_goes_wrong_upstream_is_answered_and_recorded() {
    let up = upstream(|got, stream| match got.path() {
        "/500" => reply(stream, 500, "Content-Type: application/json\r\n", br#"{"error": "m"}"#),
        "/reset" => break_off(stream),
        "/half" => {
            drop(
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"part\": \"of it"),
            );
            break_off(stream);
        }
        // Until the proxy gives up.
        "/silent" => drop(stream.read(&mut [0; 1])),
        _ => {
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"));
            drop(stream.read(&mut [0; 1]));
        }
    });
    let folder = Folder::with_ledger();
    let proxy = Proxy::start(
        &folder,
        &format!("http://{up}"),
        &["--timeout", "1s", "--idle-timeout", "1s"],
    );
    let asked = ["/500", "/reset", "/half", "/silent", "/stalls"].map(|path| {
        let (status, head, _) = ask(proxy.address, path, r#"{"a": 1}"#);
        (status, head.contains("application/problem+json"))
    });
    assert_eq!(asked, [(500, false), (502, true), (200, false), (504, true), (200, false)]);
    proxy.stop();
    let records = records(&folder);
    let seen: Vec<_> = records
        .iter()
        .map(|it| {
            (
                it["parts"]["metadata"]["http"]["path"].as_str().unwrap(),
                it["status"].as_str().unwrap(),
                code(it),
            )
        })
        .collect();
    let expected = [
        ("/500", "failure", "http_500"),
        ("/reset", "failure", "upstream_reset"),
        ("/half", "failure", "upstream_reset"),
        ("/silent", "failure", "timed_out"),
        ("/stalls", "failure", "timed_out"),
    ];
    assert_eq!(seen, expected);
    assert_eq!(records[2]["parts"]["output"], serde_json::json!({"part": "[TRUNCATED]"}));
    folder.run(&["verify"]).code(0);
}

#[test]
fn an_upstream_that_is_not_there_is_told() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = Folder::with_ledger();
    let proxy = Proxy::start(&folder, &format!("http://{address}"), &[]);
    assert_eq!(ask(proxy.address, "/x", "{}").0, 502);
    proxy.stop();
    assert_eq!(code(&records(&folder)[0]), "upstream_unreachable");
}

#[test]
fn who_goes_away_is_recorded_with_the_bytes_so_far() {
    let (tell, gone) = channel();
    let (tell_arrived, arrived) = channel();
    let (tell, tell_arrived) = (Mutex::new(tell), Mutex::new(tell_arrived));
    let up = upstream(move |got, stream| {
        if got.path() == "/thinks" {
            tell_arrived.lock().unwrap().send(()).unwrap();
        }
        if got.path() == "/streams" {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
            drop(stream.write_all(head.as_bytes()));
            drop(stream.write_all(b"10\r\ndata: {\"n\": 1}\n\n\r\n"));
        }
        // Until the proxy hangs up here, as nobody waits for the answer any more.
        drop(stream.read(&mut [0; 1]));
        tell.lock().unwrap().send(()).unwrap();
    });
    let folder = Folder::with_ledger();
    let proxy = Proxy::start(&folder, &format!("http://{up}"), &[]);
    let mut streams = BufReader::new(send(proxy.address, "/streams", "", "{}"));
    read_head(&mut streams).unwrap();
    assert_eq!(read_chunk(&mut streams).unwrap().unwrap(), b"data: {\"n\": 1}\n\n");
    break_off(streams.get_ref());
    gone.recv().unwrap();
    let thinks = send(proxy.address, "/thinks", "", "{}");
    arrived.recv().unwrap();
    break_off(&thinks);
    gone.recv().unwrap();
    // A body that ends before its end.
    let mut upload = connect(proxy.address);
    upload.write_all(b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{\"a\": \"never").unwrap();
    break_off(&upload);
    assert_eq!(read_answer(upload).1, b"");
    // What the proxy is told to stop in the middle of would end by that.
    while folder.count(&["--kind", "prediction"]) < 3 {}
    proxy.stop();
    let records = records(&folder);
    let codes: Vec<_> = records.iter().map(code).collect();
    assert_eq!(codes, ["client_disconnected"; 3], "{records:#?}");
    assert_eq!(records[0]["parts"]["output"], serde_json::json!([{"n": 1}]));
    assert_eq!(records[2]["parts"]["input"], serde_json::json!({"a": "[TRUNCATED]"}));
}

#[test]
fn a_proxy_that_is_told_to_stop_lets_requests_finish() {
    let (tell, arrived) = channel();
    let (go, may_answer) = channel::<()>();
    let (tell, may_answer) = (Mutex::new(tell), Mutex::new(may_answer));
    let up = upstream(move |_, stream| {
        tell.lock().unwrap().send(()).unwrap();
        may_answer.lock().unwrap().recv().unwrap();
        reply(stream, 200, "", br#"{"y": 1}"#);
    });
    let folder = Folder::with_ledger();
    let mut proxy = Proxy::start(&folder, &format!("http://{up}"), &["--admin", "127.0.0.1:0"]);
    let admin = proxy.line().strip_prefix("admin http://").unwrap().parse().unwrap();
    let ready = || {
        let mut stream = connect(admin);
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        read_answer(stream).0
    };
    assert!(ready().starts_with("HTTP/1.1 200"));
    let asked = send(proxy.address, "/x", "", "{}");
    arrived.recv().unwrap();
    proxy.signal("-TERM");
    while !ready().starts_with("HTTP/1.1 503") {}
    go.send(()).unwrap();
    assert!(read_answer(asked).0.starts_with("HTTP/1.1 200"));
    assert_eq!(proxy.wait(), Some(0));
    assert_eq!(records(&folder)[0]["status"], "success");
}

#[test]
fn a_request_that_outlasts_the_time_to_drain_is_recorded_as_cut_off() {
    let (tell, arrived) = channel();
    let tell = Mutex::new(tell);
    let up = upstream(move |_, stream| {
        tell.lock().unwrap().send(()).unwrap();
        drop(stream.read(&mut [0; 1]));
    });
    let folder = Folder::with_ledger();
    let proxy = Proxy::start(&folder, &format!("http://{up}"), &["--drain", "1s"]);
    let _asked = send(proxy.address, "/x", "", "{}");
    arrived.recv().unwrap();
    proxy.stop();
    assert_eq!(code(&records(&folder)[0]), "proxy_stopped");
}

#[test]
fn an_intent_is_durable_before_the_request_goes_on() {
    let (tell, arrived) = channel();
    let tell = Mutex::new(tell);
    let up = upstream(move |got, stream| {
        tell.lock().unwrap().send(got.body.clone()).unwrap();
        if got.path() == "/hangs" {
            drop(stream.read(&mut [0; 1]));
        }
        reply(stream, 200, "", br#"{"y": 1}"#);
    });
    let folder = Folder::with_ledger();
    let proxy = Proxy::start(&folder, &format!("http://{up}"), &["--before-response"]);
    let body = format!("{{\"text\": \"{}\"}}", "x".repeat(100_000));
    assert_eq!(ask(proxy.address, "/x", &body).0, 200);
    assert_eq!(arrived.recv().unwrap(), body.as_bytes());
    let _hangs = send(proxy.address, "/hangs", "", r#"{"a": 1}"#);
    arrived.recv().unwrap();
    proxy.kill();
    // Whoever records next makes entries of what the dead process left.
    folder.run(&["log", "/dev/null"]).code(0);
    let intents = folder.json(&["query", "--kind", "intent"]);
    let intents = intents.as_array().unwrap();
    assert_eq!(intents.len(), 2);
    assert_eq!(intents[0]["parts"]["input"], serde_json::json!({"a": 1}));
    folder.run(&["verify"]).code(0);
}
