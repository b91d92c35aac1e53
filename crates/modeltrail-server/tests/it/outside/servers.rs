//! Servers that run beside a test: witnesses as processes, addresses that take checkpoints.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::support::Folder;

/// How long anything may take before a test gives up; far more than any of it takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A witness of its own process; killed when it goes out of scope.
pub(super) struct Witness {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub(super) address: SocketAddr,
    pub(super) vkey: String,
    name: String,
}

impl Witness {
    /// Makes key and memory of a witness named `name` in the folder, and starts it.
    pub(super) fn new(folder: &Folder, name: &str, logs: &[&str]) -> Self {
        let key = format!("{name}.key");
        folder
            .run(&["witness", "key", "--key", &key, "--generate", &format!("{name}.example")])
            .code(0);
        std::fs::create_dir(folder.path(&format!("{name}.state"))).unwrap();
        Self::start(folder, name, logs, "127.0.0.1:0")
    }

    fn start(folder: &Folder, name: &str, logs: &[&str], listen: &str) -> Self {
        let (key, state) = (format!("{name}.key"), format!("{name}.state"));
        let mut args =
            vec!["witness", "serve", "--key", &key, "--state", &state, "--listen", listen];
        args.extend(logs.iter().flat_map(|log| ["--log", log]));
        let mut child = folder.command(&args).stderr(Stdio::inherit()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = |start: &str| {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            line.trim_end().strip_prefix(start).unwrap_or_else(|| panic!("{line:?}")).to_owned()
        };
        let (address, vkey) = (line("address http://").parse().unwrap(), line("vkey "));
        line("logs ");
        Self { child, stdout, address, vkey, name: name.to_owned() }
    }

    /// Ends it at once, as a power cut does.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again at the same address.
    pub(super) fn restart(&mut self, folder: &Folder, logs: &[&str]) {
        let (name, address) = (self.name.clone(), self.address.to_string());
        *self = Self::start(folder, &name, logs, &address);
    }

    /// Ends it in order; gives its exit code.
    pub(super) fn terminate(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        self.child.wait().unwrap().code()
    }

    /// The line of a policy.
    pub(super) fn policy_line(&self) -> String {
        format!("witness {} {} http://{}\n", self.name, self.vkey, self.address)
    }

    /// Sends bytes as an HTTP request, and reads the answer to its end.
    pub(super) fn ask(&self, head: &str, body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let n = body.len();
        let head = format!(
            "{head} HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Length: {n}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        // Who is refused for the length of it may find the connection closed.
        drop(stream.write_all(body));
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        let answer = String::from_utf8(answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer)
    }

    /// `POST /add-checkpoint`.
    pub(super) fn add_checkpoint(&self, body: &str) -> (u16, String) {
        self.ask("POST /add-checkpoint", body.as_bytes())
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Serves a router on a thread of its own until the process ends; gives the address.
pub(super) fn serve(router: axum::Router) -> SocketAddr {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    told.recv_timeout(PATIENCE).unwrap()
}
