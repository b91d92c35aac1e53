//! Starts the program, asks it what the example data were asked, and holds its ledger against its answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use modeltrail::check::{self, CheckOptions};
use modeltrail::{Kind, Ledger, Query, Reader};
use serde_json::Value;

const CASES: &str = include_str!("../../../data/predictions.jsonl");

/// The program, killed if it is still there in the end.
struct Server {
    process: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Server {
    fn start(url: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_modeltrail-example-axum"))
            .args([url, "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { process, address }
    }

    /// Status and body of an answer.
    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        let n_bytes = body.len();
        write!(
            socket,
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-authenticated-user: \
             analyst_jane\r\nx-patient: patient-1\r\ncontent-type: application/json\r\ncontent-length: {n_bytes}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// Asks it to end, and waits until it has.
    fn stop(mut self) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }
}

fn part(entry: &modeltrail::store::Entry, name: &str) -> Value {
    let part = entry.parts.iter().find(|part| part.id.name() == name);
    part.map_or(Value::Null, |part| serde_json::from_slice(&part.bytes).unwrap())
}

fn records(url: &str) -> Vec<modeltrail::store::Entry> {
    let query = Query { kind: Some(Kind::Prediction), ..Query::default() };
    let mut entries = Reader::open(url).unwrap().query(&query, 10_000).unwrap().entries;
    entries.sort_by_key(|entry| entry.leaf.index);
    entries
}

#[test]
fn every_prediction_is_recorded_as_it_was_answered() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", Path::new(dir.path()).join("audit.db").display());
    let server = Server::start(&url);
    let mut answered = Vec::new();
    let (mut n_same, mut n_asked) = (0, 0);
    for line in CASES.lines().take(200) {
        let case: Value = serde_json::from_str(line).unwrap();
        let (status, body) = server.ask("POST", "/predict", &case["input_data"].to_string());
        assert_eq!(status, 200);
        let answer: Value = serde_json::from_str(&body).unwrap();
        n_asked += 1;
        n_same += usize::from(answer["prediction"] == case["output_data"]["prediction"]);
        answered.push(answer);
    }
    assert!(n_same * 10 > n_asked * 9, "{n_same} of {n_asked} as the model that it learnt from");
    let (status, _) = server.ask("POST", "/predict", "{\"mean_area\": 1}");
    assert_eq!(status, 422);
    assert_eq!(server.ask("GET", "/healthz", "").0, 200);
    server.stop();

    let records = records(&url);
    assert_eq!(records.len(), answered.len() + 1, "one each, and none of the health check");
    for (record, answer) in records.iter().zip(&answered) {
        assert_eq!(part(record, "output"), *answer);
        assert_eq!(part(record, "parties")["user_id"], "analyst_jane");
        assert_eq!(part(record, "parties")["client_address"], "127.0.0.1");
        assert_eq!(
            part(record, "metadata")["capture"]["claimed"],
            serde_json::json!(["subject_id"])
        );
    }
    assert_eq!(part(records.last().unwrap(), "error")["code"], "http_422");
    let ledger = Ledger::parse(&url).unwrap();
    let report = check::run(&ledger, &CheckOptions::default(), |_, _| {}).unwrap();
    assert_eq!(report.findings, []);
}
