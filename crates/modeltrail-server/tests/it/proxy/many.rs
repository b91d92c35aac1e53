//! Many requests at once, some of which fail in every way: as many records, none twice.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};

use modeltrail_core::hash::sha256;

use super::sides::{Proxy, ask, break_off, code, reply, send, upstream};
use crate::support::Folder;

/// Requests in all; `MODELTRAIL_MANY_REQUESTS` asks for more.
const N_REQUESTS: usize = 2000;
/// Clients at once.
const N_CLIENTS: usize = 32;

#[test]
fn each_of_many_requests_is_recorded_once() {
    let n = std::env::var("MODELTRAIL_MANY_REQUESTS").ok();
    let n = n.map_or(N_REQUESTS, |n| n.parse().unwrap());
    let up = upstream(|got, stream| match got.path() {
        "/500" => reply(stream, 500, "", b"{\"error\": \"no\"}"),
        "/reset" => break_off(stream),
        "/silent" => drop(stream.read(&mut [0; 1])),
        "/sse" => {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
            let piece = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
            let events = piece("data: {\"a\": 1}\n\n") + &piece("data: [DONE]\n\n") + "0\r\n\r\n";
            drop(stream.write_all((head.to_owned() + &events).as_bytes()));
        }
        _ => reply(stream, 200, "Content-Type: application/json\r\n", &got.body),
    });
    let folder = Folder::with_ledger();
    let proxy = Proxy::start(&folder, &format!("http://{up}"), &["--timeout", "5s"]);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..N_CLIENTS {
            scope.spawn(|| {
                while let n_asked @ ..=usize::MAX = next.fetch_add(1, Ordering::Relaxed)
                    && n_asked < n
                {
                    one(&proxy, n_asked);
                }
            });
        }
    });
    proxy.stop();

    let mut seen = BTreeMap::<String, u64>::new();
    let mut ids = std::collections::BTreeSet::new();
    let mut after: Option<String> = None;
    loop {
        let mut args = vec!["--format", "csv", "query", "--kind", "prediction", "--limit", "1000"];
        args.extend(after.iter().flat_map(|after| ["--after", after.as_str()]));
        let listed = folder.run(&args).code(0);
        for line in listed.stdout.lines().skip(1) {
            assert!(ids.insert(line.split(',').next_back().unwrap().to_owned()), "twice: {line}");
        }
        after = listed
            .stderr
            .lines()
            .find_map(|line| line.strip_prefix("next page: --after ").map(str::to_owned));
        if after.is_none() {
            break;
        }
    }
    assert_eq!(ids.len(), n, "as many records as requests");
    for record in super::sides::records(&folder) {
        *seen.entry(code(&record).to_owned()).or_default() += 1;
    }
    println!("{n} requests; of the last 1,000 records by their ending: {seen:?}");
    for ending in ["", "http_500", "upstream_reset", "timed_out", "client_disconnected"] {
        assert!(seen.contains_key(ending), "{ending}: {seen:?}");
    }
    folder.run(&["verify"]).code(0);
    folder.run(&["doctor"]).code(0);
}

/// The nth request: one of twenty fails in each of four ways.
fn one(proxy: &Proxy, n: usize) {
    let body = format!("{{\"n\": {n}, \"text\": \"{}\"}}", "x".repeat(n % 3000));
    match n % 80 {
        3 => assert_eq!(ask(proxy.address, "/500", &body).0, 500),
        23 => assert_eq!(ask(proxy.address, "/reset", &body).0, 502),
        43 => assert_eq!(ask(proxy.address, "/silent", &body).0, 504),
        63 => break_off(&send(proxy.address, "/silent", "", &body)),
        11 => assert_eq!(ask(proxy.address, "/sse", &body).0, 200),
        _ => {
            let (status, _, answer) = ask(proxy.address, "/predict", &body);
            assert_eq!((status, sha256(&[&answer])), (200, sha256(&[body.as_bytes()])));
        }
    }
}
