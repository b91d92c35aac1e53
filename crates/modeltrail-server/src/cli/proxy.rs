//! `modeltrail proxy`.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use modeltrail::Capturer;
use modeltrail::capture::{CaptureConfig, OneOrMany, Plan, RouteConfig};
use modeltrail::unpack::unpack;
use modeltrail::{Ack, small_file};
use serde::Serialize;

use super::context::Context;
use super::recording;
use super::time::parse_span_s;
use crate::exit::{Exit, Failure};
use crate::output::{Format, json_line, stdout};
use crate::proxy::server::Server;
use crate::proxy::{ProxyOptions, parse_upstream};

/// Longest configuration of capture.
const CONFIG_BYTES_MAX: usize = 1024 * 1024;

/// How long a record waits for room in memory. It holds up a thread that requests run on, so it is short; what the
/// disk cannot take in this time is told as an error, or becomes a gap where `on_full` says so.
const BLOCK: Duration = Duration::from_millis(100);

/// Stand before a model's server: pass everything through, and record each request
#[derive(clap::Args)]
#[command(
    disable_version_flag = true,
    after_help = "What is captured, and where model and user are taken from, is told by --capture-config \
    (docs/capture.md); --model, --version and --route are enough for one model. It runs until SIGTERM or SIGINT, \
    and lets requests that are under way finish."
)]
pub(crate) struct Args {
    /// Where requests go, such as http://127.0.0.1:8000
    #[arg(long, value_name = "URL")]
    upstream: String,
    /// Where to listen; with port 0 the system chooses
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: String,
    /// Where to tell of health, at /healthz and /readyz
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,
    /// The model's name, or where it stands, such as body:/model
    #[arg(long, value_name = "NAME")]
    model: Vec<String>,
    /// Its version, or where it stands
    #[arg(long = "version", value_name = "VERSION")]
    model_version: Vec<String>,
    /// A path that is captured, such as /predict or /v1/*; any without it, for POST, PUT and PATCH
    #[arg(long = "route", value_name = "PATH")]
    routes: Vec<String>,
    /// What is captured, as TOML
    #[arg(long, value_name = "FILE", conflicts_with_all = ["routes"])]
    capture_config: Option<PathBuf>,
    /// Record that a request is about to go on before it does
    #[arg(long)]
    before_response: bool,
    /// The stage that a record is waited for, behind the answer
    #[arg(long, value_name = "accepted|written|spooled|sequenced", default_value = "accepted")]
    ack: String,
    /// Leave it to another process to make entries of what is spooled
    #[arg(long)]
    spool_only: bool,
    /// Certificate chain of the proxy's own TLS, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Certificates to believe the upstream by, in place of Mozilla's
    #[arg(long, value_name = "FILE")]
    upstream_ca: Option<PathBuf>,
    /// Speak HTTP/2 to an upstream without TLS
    #[arg(long)]
    upstream_http2: bool,
    /// Hand the request's own Host on
    #[arg(long)]
    preserve_host: bool,
    /// How long the upstream may take to begin its answer
    #[arg(long, value_name = "SPAN", default_value = "10m", value_parser = span)]
    timeout: Duration,
    /// How long an answer may be silent
    #[arg(long, value_name = "SPAN", default_value = "10m", value_parser = span)]
    idle_timeout: Duration,
    /// How long requests under way have after the signal to stop
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = span)]
    drain: Duration,
}

fn span(text: &str) -> Result<Duration, String> {
    parse_span_s(text).map(Duration::from_secs)
}

#[derive(Serialize)]
struct Ready {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin: Option<String>,
    upstream: String,
}

impl Args {
    fn plan(&self) -> Result<Plan, Failure> {
        let mut config = match &self.capture_config {
            None => CaptureConfig::default(),
            Some(path) => {
                let refused = |error: &dyn std::fmt::Display| {
                    Failure::input(format!("{}: {error}", path.display()))
                };
                let text =
                    small_file::read_text(path, CONFIG_BYTES_MAX).map_err(|e| refused(&e))?;
                CaptureConfig::from_toml(&text).map_err(|e| refused(&e))?
            }
        };
        let many = |texts: &[String]| (!texts.is_empty()).then(|| OneOrMany::Many(texts.to_vec()));
        let defaults = &mut config.defaults;
        defaults.model = many(&self.model).or(defaults.model.take());
        defaults.version = many(&self.model_version).or(defaults.version.take());
        if self.before_response {
            defaults.capture = Some("before_response".to_owned());
        }
        let route =
            |path: &String| RouteConfig { path: Some(path.clone()), ..RouteConfig::default() };
        config.route.extend(self.routes.iter().map(route));
        let plan = config.plan().map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Failure::input(lines.join("\n"))
        })?;
        Ok(plan.unpack_with(unpack))
    }

    fn options(&self) -> Result<ProxyOptions, Failure> {
        Ok(ProxyOptions {
            upstream: parse_upstream(&self.upstream).map_err(Failure::input)?,
            upstream_ca: self.upstream_ca.clone(),
            is_upstream_http2: self.upstream_http2,
            tls: self.tls_cert.clone().zip(self.tls_key.clone()),
            preserve_host: self.preserve_host,
            head_timeout: self.timeout,
            idle_timeout: self.idle_timeout,
            drain: self.drain,
        })
    }

    fn ack(&self) -> Result<Ack, Failure> {
        let found =
            Ack::ALL.into_iter().find(|ack| ack.name() == self.ack && *ack < Ack::Published);
        found.ok_or_else(|| {
            Failure::input(format!(
                "--ack {} is no stage that a proxy waits for; use accepted, written, spooled or sequenced",
                self.ack
            ))
        })
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let (plan, ack) = (args.plan()?, args.ack()?);
    let server = Server::bind(&args.listen, args.admin.as_deref(), args.options()?)
        .map_err(Failure::input)?;
    let options =
        recording::options(&context.settings, "proxy", BLOCK)?.ack(ack).sequence(!args.spool_only);
    let recorder = options.open(&context.settings.store)?;
    let url = |address: std::net::SocketAddr, scheme: &str| format!("{scheme}://{address}");
    let scheme = if args.tls_cert.is_some() { "https" } else { "http" };
    let ready = Ready {
        address: server.address().map_or_else(String::new, |address| url(address, scheme)),
        admin: server.admin_address().map(|address| url(address, "http")),
        upstream: args.upstream.clone(),
    };
    let mut out = stdout();
    match context.settings.format {
        Format::Json => json_line(&mut out, &ready)?,
        _ => {
            let Ready { address, admin, upstream } = ready;
            let admin = admin.map_or_else(String::new, |admin| format!("admin {admin}\n"));
            writeln!(out, "address {address}\n{admin}upstream {upstream}")?;
        }
    }
    out.flush()?;
    drop(out);
    let capturer = Capturer::new(recorder.clone(), plan, "proxy");
    let served = server.run(capturer, ack).map_err(Failure::failed);
    // Whatever ended the service, what was captured is kept.
    recorder.close()?;
    served?;
    context.notes.note("stopped");
    Ok(Exit::Fine)
}
