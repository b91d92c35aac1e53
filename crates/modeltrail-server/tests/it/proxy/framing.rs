//! Requests whose framing two servers could read in two ways go no further than the proxy.

use std::io::Write as _;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use super::sides::{Proxy, connect, read_answer, records, reply, upstream};
use crate::support::Folder;

#[test]
fn ambiguous_requests_are_refused_and_never_reach_the_upstream() {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let up = upstream(move |got, stream| {
        tell.lock().unwrap().send(got).unwrap();
        reply(stream, 200, "", b"{}");
    });
    let folder = Folder::with_ledger();
    let proxy = Proxy::start(&folder, &format!("http://{up}"), &[]);
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    for (what, head, body) in [
        ("two lengths", "Content-Length: 5\r\nContent-Length: 6", "hello"),
        ("a list of lengths", "Content-Length: 5, 6", "hello"),
        ("a signed length", "Content-Length: +5", "hello"),
        ("another coding", "Transfer-Encoding: gzip", ""),
        ("chunked and not last", "Transfer-Encoding: chunked, identity", "0\r\n\r\n"),
        ("chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        ("a space before the colon", "Transfer-Encoding : chunked", "0\r\n\r\n"),
        ("a folded header", "X-A: b\r\n Transfer-Encoding: chunked", ""),
        ("two hosts", "Host: y", ""),
    ] {
        let mut stream = connect(proxy.address);
        let request = format!("POST /x HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n{body}{smuggled}");
        stream.write_all(request.as_bytes()).unwrap();
        let (answer, _) = read_answer(stream);
        assert!(answer.starts_with("HTTP/1.1 400"), "{what}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{what}: {answer}");
    }
    // Both a length and chunks: the chunks count, the length goes no further, and neither does what stands behind
    // (RFC 9112, 6.3).
    for head in [
        "Content-Length: 6\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 6",
    ] {
        let mut stream = connect(proxy.address);
        let request = format!("POST /x HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n0\r\n\r\n{smuggled}");
        stream.write_all(request.as_bytes()).unwrap();
        let (answer, _) = read_answer(stream);
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
        let got = told.recv().unwrap();
        assert_eq!((got.path(), got.header("content-length")), ("/x", None), "{}", got.head);
    }
    let mut stream = connect(proxy.address);
    stream.write_all(b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\nConnection: close\r\n\r\n").unwrap();
    assert!(read_answer(stream).0.starts_with("HTTP/1.1 405"));
    assert!(told.try_recv().is_err());
    // An absolute address names a path here, and no other server.
    let mut stream = connect(proxy.address);
    stream.write_all(b"POST http://other.example/x HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}").unwrap();
    assert!(read_answer(stream).0.starts_with("HTTP/1.1 200"));
    assert_eq!(told.recv().unwrap().path(), "/x");
    proxy.stop();
    assert!(told.try_recv().is_err());
    assert_eq!(records(&folder).len(), 3);
}
