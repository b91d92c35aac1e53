//! What passes through as it came, and what stands in the record of it.

use std::io::{BufReader, Write as _};
use std::sync::Mutex;
use std::sync::mpsc::channel;

use super::sides::{
    Proxy, ask, code, connect, header, read_answer, read_chunk, read_head, records, reply, send,
    upstream,
};
use crate::support::Folder;

#[test]
fn bodies_pass_unchanged_and_headers_of_one_connection_stay_on_it() {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let up = upstream(move |got, stream| {
        tell.lock().unwrap().send(got).unwrap();
        let headers = "X-Own: yes\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nContent-Type: application/json\r\n";
        reply(stream, 201, headers, br#"{"prediction": "legitimate",  "n": 1.50}"#);
    });
    let folder = Folder::with_ledger();
    let proxy = Proxy::start(&folder, &format!("http://{up}/base/"), &[]);
    let headers = "Connection: X-Secret-Hop\r\nX-Secret-Hop: 1\r\nTE: trailers\r\nX-Forwarded-For: 192.0.2.7\r\nAuthorization: Bearer sk-hidden\r\nX-Kept: a\r\nCookie: c=hidden\r\n";
    let body = r#"{"amount": 1250.0,  "mail": "jane@example.com"}"#;
    let (head, answer) = read_answer(send(proxy.address, "/predict?key=hidden", headers, body));
    let got = told.recv().unwrap();
    assert_eq!((got.path(), got.body.as_slice()), ("/base/predict?key=hidden", body.as_bytes()));
    let up = up.to_string();
    for (name, value) in [
        ("authorization", Some("Bearer sk-hidden")),
        ("x-kept", Some("a")),
        ("host", Some(up.as_str())),
        ("x-forwarded-for", Some("192.0.2.7, 127.0.0.1")),
        ("x-forwarded-host", Some("asked.example")),
        ("x-forwarded-proto", Some("http")),
        ("via", Some("1.1 modeltrail")),
        ("te", Some("trailers")),
        ("connection", None),
        ("x-secret-hop", None),
    ] {
        assert_eq!(got.header(name), value, "{name} of\n{}", got.head);
    }
    assert!(head.starts_with("HTTP/1.1 201"), "{head}");
    assert_eq!((header(&head, "x-own"), header(&head, "x-hop")), (Some("yes"), None));
    assert_eq!(answer, br#"{"prediction": "legitimate",  "n": 1.50}"#);
    let (status, ..) = ask(proxy.address, "/predict", "no JSON");
    assert_eq!(status, 201);
    // What asks a model nothing is passed through and not recorded.
    let mut get = connect(proxy.address);
    get.write_all(b"GET /docs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    assert!(read_answer(get).0.starts_with("HTTP/1.1 201"));
    proxy.stop();

    let records = records(&folder);
    let [first, second] = &records[..] else { panic!("{records:#?}") };
    let text = first.to_string();
    assert!(!text.contains("hidden") && !text.contains("jane@example.com"), "{text}");
    let parts = &first["parts"];
    assert_eq!(parts["input"], serde_json::json!({"amount": 1250, "mail": "[EMAIL]"}));
    assert_eq!(parts["output"], serde_json::json!({"prediction": "legitimate", "n": 1.5}));
    assert_eq!(
        parts["metadata"]["http"],
        serde_json::json!({"method": "POST", "path": "/predict", "status": 201})
    );
    assert_eq!(parts["header"]["capture"]["mode"], "proxy");
    assert_eq!(
        (first["model_name"].as_str(), first["model_version"].as_str()),
        (Some("m"), Some("1"))
    );
    assert_eq!(
        (code(second), &second["parts"]["metadata"]["capture"]["problems"]),
        ("", &serde_json::json!(["no_json"]))
    );
    folder.run(&["verify"]).code(0);
    folder.run(&["doctor"]).code(0);
}

#[test]
fn events_go_out_before_the_next_one_comes_in() {
    let (next, may_send) = channel::<()>();
    let may_send = Mutex::new(may_send);
    let up = upstream(move |_, stream| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        for n in 0..20 {
            // Nothing is sent before the one before has arrived.
            may_send.lock().unwrap().recv().unwrap();
            let event = format!("data: {{\"n\":{n}}}\n\n");
            write!(stream, "{:x}\r\n{event}\r\n", event.len()).unwrap();
        }
        stream.write_all(b"0\r\n\r\n").unwrap();
    });
    let folder = Folder::with_ledger();
    let proxy = Proxy::start(&folder, &format!("http://{up}"), &[]);
    let mut reader = BufReader::new(send(proxy.address, "/agent", "", "{}"));
    let head = read_head(&mut reader).unwrap();
    assert_eq!(header(&head, "content-type"), Some("text/event-stream"));
    for n in 0..20 {
        next.send(()).unwrap();
        let chunk = read_chunk(&mut reader).unwrap().unwrap();
        assert_eq!(String::from_utf8(chunk).unwrap(), format!("data: {{\"n\":{n}}}\n\n"));
    }
    assert_eq!(read_chunk(&mut reader), Some(None));
    proxy.stop();
    let [record] = &records(&folder)[..] else { panic!("one request") };
    assert_eq!(record["parts"]["output"].as_array().unwrap().len(), 20);
    assert_eq!(record["parts"]["metadata"]["capture"]["response"]["n_events"], 20);
}

#[test]
fn a_long_body_passes_whole_and_is_kept_up_to_a_length() {
    let up = upstream(|got, stream| reply(stream, 200, "Content-Type: text/plain\r\n", &got.body));
    let folder = Folder::with_ledger();
    folder.write(
        "capture.toml",
        "body_bytes_max = 1000\n[defaults]\nmodel = \"m\"\nversion = \"1\"\n",
    );
    let proxy =
        Proxy::start(&folder, &format!("http://{up}"), &["--capture-config", "capture.toml"]);
    let body = format!("{{\"password\": \"hunter2\", \"text\": \"{}\"}}", "word ".repeat(400_000));
    let (status, _, answer) = ask(proxy.address, "/x", &body);
    assert!(status == 200 && answer == body.as_bytes(), "{} bytes of {}", answer.len(), body.len());
    proxy.stop();
    let [record] = &records(&folder)[..] else { panic!("one request") };
    let capture = &record["parts"]["metadata"]["capture"];
    assert_eq!(capture["request"]["bytes"], body.len());
    assert_eq!(capture["request"]["kept_bytes"], 1000);
    assert_eq!(record["parts"]["header"]["capture"]["complete"], "truncated");
    assert_eq!(
        record["parts"]["input"],
        serde_json::json!({"password": "[PASSWORD]", "text": "[TRUNCATED]"})
    );
    assert!(!record.to_string().contains("hunter2"));
}

#[test]
fn a_websocket_is_passed_through_both_ways() {
    let up = upstream(|got, stream| {
        assert_eq!(
            (got.header("upgrade"), got.header("connection")),
            (Some("websocket"), Some("upgrade"))
        );
        let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut bytes = [0; 4];
        std::io::Read::read_exact(stream, &mut bytes).unwrap();
        stream.write_all(&[bytes.as_slice(), b"pong"].concat()).unwrap();
        super::sides::break_off(stream);
    });
    let folder = Folder::with_ledger();
    folder.write("capture.toml", "[[route]]\npath = \"/ws\"\nmethods = [\"GET\"]\n");
    let proxy =
        Proxy::start(&folder, &format!("http://{up}"), &["--capture-config", "capture.toml"]);
    let mut stream = connect(proxy.address);
    let head = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(b"ping").unwrap();
    let (head, rest) = read_answer(stream);
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert_eq!(
        (header(&head, "upgrade"), rest.as_slice()),
        (Some("websocket"), b"pingpong".as_slice())
    );
    proxy.stop();
    let [record] = &records(&folder)[..] else { panic!("one request") };
    assert_eq!(
        record["parts"]["metadata"]["upgraded"],
        serde_json::json!({"from_client_bytes": 4, "from_upstream_bytes": 8})
    );
}
