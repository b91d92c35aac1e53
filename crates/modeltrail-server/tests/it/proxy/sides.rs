//! What stands on both sides of a proxy: an upstream of raw sockets, and clients.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::support::Folder;

/// How long anything may take before a test gives up; far more than any of it takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A proxy of its own process; killed when it goes out of scope.
pub(super) struct Proxy {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub(super) address: SocketAddr,
}

impl Proxy {
    /// Starts it before an upstream, for a model `m` in version `1`.
    pub(super) fn start(folder: &Folder, upstream: &str, args: &[&str]) -> Self {
        let mut all = vec!["proxy", "--upstream", upstream, "--listen", "127.0.0.1:0"];
        all.extend(["--model", "m", "--version", "1"]);
        all.extend(args);
        let mut child = folder.command(&all).stderr(Stdio::inherit()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim_end().rsplit_once('/').unwrap_or_else(|| panic!("{line:?}")).1;
        Self { child, address: address.parse().unwrap(), stdout }
    }

    /// The next line that it printed when it started.
    pub(super) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub(super) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Waits for its end; gives its exit code.
    pub(super) fn wait(mut self) -> Option<i32> {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        self.child.wait().unwrap().code()
    }

    /// Ends it in order: what was captured is in the ledger then.
    pub(super) fn stop(self) {
        self.signal("-TERM");
        assert_eq!(self.wait(), Some(0));
    }

    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A request as the upstream got it.
#[derive(Clone, Debug)]
pub(super) struct Got {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Got {
    pub(super) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

/// A header of a head.
pub(super) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (at, value) = line.split_once(": ")?;
        at.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// Serves each request of each connection by `answer`, on threads of their own, until the process ends.
pub(super) fn upstream(answer: impl Fn(Got, &mut TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, answer) = (stream.unwrap(), Arc::clone(&answer));
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut stream = stream;
                while let Some(got) = read(&mut reader) {
                    answer(got, &mut stream);
                }
            });
        }
    });
    address
}

/// Reads a request; `None` at the connection's end.
fn read(reader: &mut BufReader<TcpStream>) -> Option<Got> {
    let head = read_head(reader)?;
    let body = if header(&head, "transfer-encoding") == Some("chunked") {
        read_chunks(reader)?
    } else {
        let mut body = vec![0; header(&head, "content-length").map_or(0, |n| n.parse().unwrap())];
        reader.read_exact(&mut body).ok()?;
        body
    };
    Some(Got { head, body })
}

/// Reads the lines of a head, the empty one left out.
pub(super) fn read_head(reader: &mut impl std::io::BufRead) -> Option<String> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            return Some(head);
        }
        head.push_str(&line.replace("\r\n", "\n"));
    }
}

/// Reads a chunked body to its end.
pub(super) fn read_chunks(reader: &mut impl std::io::BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = read_chunk(reader)? {
        body.extend(chunk);
    }
    Some(body)
}

/// Reads a chunk; nothing inside at the last one.
pub(super) fn read_chunk(reader: &mut impl std::io::BufRead) -> Option<Option<Vec<u8>>> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut chunk = vec![0; usize::from_str_radix(line.trim_end(), 16).ok()? + 2];
    reader.read_exact(&mut chunk).ok()?;
    chunk.truncate(chunk.len() - 2);
    Some((!chunk.is_empty()).then_some(chunk))
}

/// Writes an answer with a length.
pub(super) fn reply(stream: &mut TcpStream, status: u16, headers: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status} S\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    // Whoever asked may be gone.
    drop(stream.write_all(&[head.as_bytes(), body].concat()));
}

/// Breaks a connection off, so that the other side sees a reset or an early end.
pub(super) fn break_off(stream: &TcpStream) {
    drop(stream.shutdown(Shutdown::Both));
}

/// A connection to a proxy.
pub(super) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends a request with a JSON body; the connection is to be closed behind its answer.
pub(super) fn send(address: SocketAddr, path: &str, headers: &str, body: &str) -> TcpStream {
    let mut stream = connect(address);
    let n = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: asked.example\r\nContent-Type: application/json\r\n\
         Connection: close\r\nContent-Length: {n}\r\n{headers}\r\n{body}"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// Reads an answer to the connection's end: head and what stands behind it.
pub(super) fn read_answer(mut stream: TcpStream) -> (String, Vec<u8>) {
    let mut answer = Vec::new();
    // A connection that breaks off gives what came.
    drop(stream.read_to_end(&mut answer));
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(end) = end else { return (String::from_utf8_lossy(&answer).into_owned(), Vec::new()) };
    let head = String::from_utf8(answer[..end].to_vec()).unwrap().replace("\r\n", "\n");
    (head, answer[end + 4..].to_vec())
}

/// Sends a request and reads its answer: status, head, and what stands behind it.
pub(super) fn ask(address: SocketAddr, path: &str, body: &str) -> (u16, String, Vec<u8>) {
    let (head, body) = read_answer(send(address, path, "", body));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, head, body)
}

/// The predictions of the ledger, the oldest first.
pub(super) fn records(folder: &Folder) -> Vec<Value> {
    let listed = folder.json(&["query", "--kind", "prediction", "--limit", "1000"]);
    let mut records = listed.as_array().unwrap().clone();
    records.reverse();
    records
}

/// The code of a record's error, or nothing.
pub(super) fn code(record: &Value) -> &str {
    record["parts"]["error"]["code"].as_str().unwrap_or("")
}
