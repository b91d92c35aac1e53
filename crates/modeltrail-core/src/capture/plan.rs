//! A configuration that was checked, and what it wants of a request.

use std::fmt;
use std::sync::Arc;

use super::path::{PathPattern, PathVars};
use super::shape::Shape;
use super::source::Source;
use super::{Budget, CaptureConfig, CaptureConfigError, Exchange, OneOrMany, RouteConfig};

/// Most bytes kept of a body, of request and answer each, so that both and what is told of them fit into a record
/// of 16 MiB, even where the bytes are no JSON.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The largest such bound: a record's 16 MiB, in halves.
const BODY_BYTES_LIMIT: usize = 7 * 1024 * 1024;

/// Methods of requests that ask a model something.
const METHODS: &[&str] = &["POST", "PUT", "PATCH"];

/// Headers that are never recorded, and whose words no identity is taken from: they carry credentials.
const CREDENTIALS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-auth-token",
    "x-amz-security-token",
    "x-csrf-token",
];

/// When a request is recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Once it has ended.
    After,
    /// An intent before it goes on, and the record once it has ended.
    BeforeResponse,
    /// Not at all.
    Off,
}

/// Makes plain bytes of a body under a content coding (`gzip`): the coding's name in lower case, the bytes, and the
/// most bytes to give. `None` where it cannot. What the bytes end early in gives what is there.
pub type Unpack = fn(&str, &[u8], usize) -> Option<Vec<u8>>;

/// A checked configuration, shared by all requests.
#[derive(Clone)]
pub struct Plan {
    pub(super) routes: Arc<[Route]>,
    wanted: Arc<[String]>,
    wanted_of_answers: Arc<[String]>,
    pub(super) recorded_headers: Arc<[String]>,
    pub(super) body_bytes_max: usize,
    pub(super) budget: Budget,
    pub(super) unpack: Unpack,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("routes", &self.routes).finish_non_exhaustive()
    }
}

/// A route that was checked.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Route {
    path: PathPattern,
    methods: Vec<String>,
    pub(super) shape: Option<Shape>,
    pub(super) mode: Mode,
    pub(super) model: Vec<Source>,
    pub(super) version: Vec<Source>,
    pub(super) provider: Vec<Source>,
    pub(super) user: Vec<Source>,
    pub(super) subject: Vec<Source>,
    pub(super) session: Vec<Source>,
    pub(super) request_id: Vec<Source>,
    pub(super) trusted: Vec<Source>,
}

impl Plan {
    /// Checks a configuration.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn new(config: &CaptureConfig) -> Result<Self, Vec<CaptureConfigError>> {
        let mut problems = Vec::new();
        let mut routes = Vec::new();
        for (n, route) in config.route.iter().enumerate() {
            routes.push(Route::new(
                route,
                &config.defaults,
                &format!("route {}", n + 1),
                &mut problems,
            ));
        }
        if config.route.is_empty() {
            let anything = RouteConfig { path: Some("*".to_owned()), ..RouteConfig::default() };
            routes.push(Route::new(&anything, &config.defaults, "defaults", &mut problems));
        }
        if config.defaults.path.is_some() {
            problems.push(CaptureConfigError::new(
                "defaults",
                "a path holds for one route",
                "write it in a route",
            ));
        }
        let body_bytes_max = config.body_bytes_max.unwrap_or(BODY_BYTES_MAX);
        if body_bytes_max > BODY_BYTES_LIMIT {
            problems.push(CaptureConfigError::new(
                "body_bytes_max",
                format!(
                    "{body_bytes_max} bytes of request and answer each are more than a record holds"
                ),
                format!("keep at most {BODY_BYTES_LIMIT}"),
            ));
        }
        let recorded = config.record_headers.iter().map(|name| name.to_ascii_lowercase());
        let recorded: Vec<String> = recorded.collect();
        for name in recorded.iter().filter(|name| is_credential(name)) {
            problems.push(credential("record_headers", name));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let (wanted, wanted_of_answers) = wanted(&routes, &recorded);
        Ok(Self {
            routes: routes.into(),
            wanted: wanted.into(),
            wanted_of_answers: wanted_of_answers.into(),
            recorded_headers: recorded.into(),
            body_bytes_max,
            budget: Budget::default(),
            unpack: |_, _, _| None,
        })
    }

    /// With something that reads compressed bodies. Without, a compressed body is told by its hash and length
    /// alone: what cannot be read cannot be redacted.
    #[must_use]
    pub fn unpack_with(mut self, unpack: Unpack) -> Self {
        self.unpack = unpack;
        self
    }

    /// Most bytes that are kept of a body.
    #[must_use]
    pub const fn body_bytes_max(&self) -> usize {
        self.body_bytes_max
    }

    /// Begins an exchange; `None` where the plan does not want this request. `path` is as it came, without the
    /// query.
    #[must_use]
    pub fn begin(&self, method: &str, path: &str, query: Option<&str>) -> Option<Exchange> {
        let (route, vars) = self.routes.iter().enumerate().find_map(|(n, route)| {
            let vars = route.matches(method, path)?;
            Some((n, vars))
        })?;
        let mode = self.routes.get(route)?.mode;
        (mode != Mode::Off).then(|| Exchange::new(self, route, vars, method, path, query))
    }

    /// True when a request header of this name (in any case) is needed; the others need not be handed over.
    #[must_use]
    pub fn wants_request_header(&self, name: &str) -> bool {
        self.wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
    }

    /// The same for headers of answers.
    #[must_use]
    pub fn wants_response_header(&self, name: &str) -> bool {
        self.wanted_of_answers.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
    }
}

impl Route {
    fn new(
        own: &RouteConfig,
        defaults: &RouteConfig,
        place: &str,
        problems: &mut Vec<CaptureConfigError>,
    ) -> Self {
        let mut note = |problem| problems.push(problem);
        let path = own.path.as_deref().unwrap_or("*");
        let path = PathPattern::parse(path, place).unwrap_or_else(|problem| {
            note(problem);
            PathPattern::anything()
        });
        let shape = shape(own, defaults, place, &mut note);
        let mode = mode(own, defaults, place, &mut note);
        let mut sources = |name: &str, own: &Option<OneOrMany>, default: &Option<OneOrMany>| {
            let texts = own.as_ref().or(default.as_ref()).map_or(&[][..], OneOrMany::texts);
            let place = format!("{place}, {name}");
            sources(texts, &place, &path, &mut note)
        };
        let mut route = Self {
            methods: methods(own, defaults),
            shape,
            mode,
            model: sources("model", &own.model, &defaults.model),
            version: sources("version", &own.version, &defaults.version),
            provider: sources("provider", &own.provider, &defaults.provider),
            user: sources("user", &own.user, &defaults.user),
            subject: sources("subject", &own.subject, &defaults.subject),
            session: sources("session", &own.session, &defaults.session),
            request_id: sources("request_id", &own.request_id, &defaults.request_id),
            trusted: Vec::new(),
            path: path.clone(),
        };
        if let Some(source) = route.request_id.iter().find(|source| !source.is_before_bodies()) {
            note(CaptureConfigError::new(
                format!("{place}, request_id"),
                format!("`{}` is known only when a body was read", source.to_text()),
                "take a header, the path or the query, so that an intent has the same id",
            ));
        }
        let trusted = own.trusted.as_ref().or(defaults.trusted.as_ref());
        let trusted = trusted.map_or(&[][..], Vec::as_slice);
        route.trusted = self::sources(trusted, &format!("{place}, trusted"), &path, &mut note);
        route
    }

    fn matches(&self, method: &str, path: &str) -> Option<PathVars> {
        self.methods.iter().any(|at| at == method).then(|| self.path.matches(path)).flatten()
    }

    fn sources(&self) -> impl Iterator<Item = &Source> {
        [&self.model, &self.version, &self.provider, &self.user, &self.subject, &self.session]
            .into_iter()
            .chain([&self.request_id])
            .flatten()
    }
}

fn methods(own: &RouteConfig, defaults: &RouteConfig) -> Vec<String> {
    match own.methods.as_ref().or(defaults.methods.as_ref()) {
        Some(methods) => methods.iter().map(|method| method.to_ascii_uppercase()).collect(),
        None => METHODS.iter().map(|method| (*method).to_owned()).collect(),
    }
}

fn shape(
    own: &RouteConfig,
    defaults: &RouteConfig,
    place: &str,
    note: &mut impl FnMut(CaptureConfigError),
) -> Option<Shape> {
    let name = own.shape.as_deref().or(defaults.shape.as_deref()).filter(|name| *name != "auto")?;
    let shape = Shape::from_name(name);
    if shape.is_none() {
        let names: Vec<_> = Shape::ALL.iter().map(|shape| shape.name()).collect();
        note(CaptureConfigError::new(
            format!("{place}, shape"),
            format!("`{name}` is no shape"),
            format!("use auto or one of {}", names.join(", ")),
        ));
    }
    shape
}

fn mode(
    own: &RouteConfig,
    defaults: &RouteConfig,
    place: &str,
    note: &mut impl FnMut(CaptureConfigError),
) -> Mode {
    match own.capture.as_deref().or(defaults.capture.as_deref()) {
        None | Some("after") => Mode::After,
        Some("before_response") => Mode::BeforeResponse,
        Some("off") => Mode::Off,
        Some(other) => {
            note(CaptureConfigError::new(
                format!("{place}, capture"),
                format!("`{other}` is no way to capture"),
                "use after, before_response or off",
            ));
            Mode::After
        }
    }
}

fn sources(
    texts: &[String],
    place: &str,
    path: &PathPattern,
    note: &mut impl FnMut(CaptureConfigError),
) -> Vec<Source> {
    let mut sources = Vec::new();
    for text in texts {
        match Source::parse(text, place) {
            Ok(Source::Header(name) | Source::ResponseHeader(name)) if is_credential(&name) => {
                note(credential(place, &name));
            }
            Ok(Source::Path(name)) if !path.has_variable(&name) => note(CaptureConfigError::new(
                place,
                format!("the route's path has no `{{{name}}}`"),
                "name a variable of the path",
            )),
            Ok(source) => sources.push(source),
            Err(problem) => note(problem),
        }
    }
    sources
}

fn is_credential(name: &str) -> bool {
    CREDENTIALS.contains(&name)
}

fn credential(place: &str, name: &str) -> CaptureConfigError {
    CaptureConfigError::new(
        place,
        format!("the header {name} carries credentials, which are never recorded"),
        "take another header",
    )
}

/// The headers of requests, and of answers, that anything is read from.
fn wanted(routes: &[Route], recorded: &[String]) -> (Vec<String>, Vec<String>) {
    let always = ["content-type", "content-encoding", "traceparent"].map(str::to_owned);
    let (mut of_requests, mut of_answers) = (always.to_vec(), always.to_vec());
    of_requests.extend_from_slice(recorded);
    of_answers.extend_from_slice(recorded);
    for source in routes.iter().flat_map(Route::sources) {
        match source {
            Source::Header(name) => of_requests.push(name.clone()),
            Source::ResponseHeader(name) => of_answers.push(name.clone()),
            _ => {}
        }
    }
    (of_requests, of_answers)
}
