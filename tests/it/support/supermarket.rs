//! A Supermarket on loopback: a universe, versions and downloads, and whatever can go wrong with them.
//! The crate's own tests include this file too.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::http_server::{HttpRequest, HttpResponse, HttpServer};
use super::tar_builder::TarBuilder;

/// A name, a version, and what that depends on.
pub(crate) type Published = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

/// The names, versions and dependencies of the demo of OpsWorks, eight cookbooks deep: what
/// `application_javascript ~> 1.0` needs, and older and newer versions that do not fit.
pub(crate) const DEMO: &[Published] = &[
    (
        "application_javascript",
        "1.0.0",
        &[
            ("application", "~> 5.0"),
            ("poise", "~> 2.4"),
            ("poise-javascript", "~> 1.0"),
            ("poise-service", "~> 1.0"),
        ],
    ),
    (
        "application_javascript",
        "2.0.0",
        &[("application", "~> 6.0")],
    ),
    (
        "application",
        "5.2.0",
        &[("poise", "~> 2.4"), ("poise-service", "~> 1.0")],
    ),
    ("application", "5.0.0", &[("poise", "~> 2.0")]),
    (
        "poise-javascript",
        "1.2.0",
        &[("poise", "~> 2.0"), ("poise-languages", "~> 2.0")],
    ),
    (
        "poise-languages",
        "2.1.2",
        &[("poise", "~> 2.5"), ("poise-archive", "~> 1.0")],
    ),
    (
        "poise-archive",
        "1.5.0",
        &[("poise", "~> 2.6"), ("poise-build-essential", "~> 1.0")],
    ),
    (
        "poise-build-essential",
        "1.0.0",
        &[("poise", "~> 2.6"), ("seven_zip", ">= 1.0")],
    ),
    ("seven_zip", "3.2.0", &[("windows", ">= 2.0")]),
    ("windows", "7.0.2", &[]),
    ("poise-service", "1.5.2", &[("poise", "~> 2.0")]),
    ("poise", "2.8.2", &[]),
    ("poise", "2.7.2", &[]),
    ("poise", "3.0.0", &[]),
];

type Change = dyn Fn(&HttpRequest, HttpResponse) -> HttpResponse + Send + Sync;

/// What goes wrong, and how often.
struct Trouble {
    path: String,
    times: usize,
    change: Box<Change>,
}

struct Kept {
    dependencies: Vec<(String, String)>,
    tarball: Vec<u8>,
}

#[derive(Default)]
struct State {
    cookbooks: Mutex<BTreeMap<String, BTreeMap<String, Kept>>>,
    troubles: Mutex<Vec<Trouble>>,
    seen: Mutex<Vec<HttpRequest>>,
    /// Where downloads are sent on to.
    files: Mutex<Option<String>>,
    /// What stands before each path: nothing, or an Artifactory's own.
    prefix: String,
    /// What the universe gives as the location: the address of the server if nothing.
    location: Option<String>,
    blank_for_unknown: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A Supermarket, until it is dropped.
pub(crate) struct Supermarket {
    server: HttpServer,
    state: Arc<State>,
}

impl Supermarket {
    /// One with nothing in it.
    pub(crate) fn start() -> Self {
        Self::start_with(State::default())
    }

    /// One with the demo's cookbooks.
    pub(crate) fn demo() -> Self {
        let market = Self::start();
        for (name, version, dependencies) in DEMO {
            market.publish(name, version, dependencies);
        }
        market
    }

    /// An Artifactory: everything stands below the repository's path, locations are relative, and what
    /// is not known is answered with success and nothing.
    pub(crate) fn artifactory() -> Self {
        Self::start_with(State {
            prefix: "/artifactory/api/chef/chef-local".to_owned(),
            location: Some("/api/v1".to_owned()),
            blank_for_unknown: true,
            ..State::default()
        })
    }

    fn start_with(state: State) -> Self {
        let state = Arc::new(state);
        let inside = Arc::clone(&state);
        let server = HttpServer::start(None, Arc::new(move |request| inside.answer(request)));
        Self { server, state }
    }

    /// Its address, as a manifest names it.
    pub(crate) fn url(&self) -> String {
        format!(
            "http://127.0.0.1:{}{}",
            self.server.port(),
            self.state.prefix
        )
    }

    /// The address by another name: another host for whoever compares.
    pub(crate) fn other_name(&self) -> String {
        format!(
            "http://localhost:{}{}",
            self.server.port(),
            self.state.prefix
        )
    }

    /// Publishes a cookbook with a tarball of the usual form.
    pub(crate) fn publish(&self, name: &str, version: &str, dependencies: &[(&str, &str)]) {
        let tarball = tarball(name, version, dependencies);
        self.publish_tarball(name, version, dependencies, tarball);
    }

    /// Publishes a cookbook with any tarball.
    pub(crate) fn publish_tarball(
        &self,
        name: &str,
        version: &str,
        dependencies: &[(&str, &str)],
        tarball: Vec<u8>,
    ) {
        let owned =
            |(name, constraint): &(&str, &str)| ((*name).to_owned(), (*constraint).to_owned());
        let kept = Kept {
            dependencies: dependencies.iter().map(owned).collect(),
            tarball,
        };
        let mut cookbooks = lock(&self.state.cookbooks);
        let versions = cookbooks.entry(name.to_owned()).or_default();
        versions.insert(version.to_owned(), kept);
    }

    /// The tarball of a cookbook.
    pub(crate) fn tarball(&self, name: &str, version: &str) -> Vec<u8> {
        lock(&self.state.cookbooks)[name][version].tarball.clone()
    }

    /// Changes so many answers to requests whose path ends so.
    pub(crate) fn trouble(
        &self,
        path: &str,
        times: usize,
        change: impl Fn(&HttpRequest, HttpResponse) -> HttpResponse + Send + Sync + 'static,
    ) {
        lock(&self.state.troubles).push(Trouble {
            path: path.to_owned(),
            times,
            change: Box::new(change),
        });
    }

    /// Nothing goes wrong any more.
    pub(crate) fn calm(&self) {
        lock(&self.state.troubles).clear();
    }

    /// Sends downloads on to another address.
    pub(crate) fn send_downloads_to(&self, address: &str) {
        *lock(&self.state.files) = Some(address.to_owned());
    }

    /// What it was asked, without what was asked before.
    pub(crate) fn take_seen(&self) -> Vec<HttpRequest> {
        std::mem::take(&mut *lock(&self.state.seen))
    }

    /// The paths that it was asked for, without what was asked before.
    pub(crate) fn take_paths(&self) -> Vec<String> {
        let prefix = &self.state.prefix;
        let seen = self.take_seen().into_iter();
        seen.map(|request| {
            let path = request.path.strip_prefix(prefix.as_str());
            path.unwrap_or(&request.path).to_owned()
        })
        .collect()
    }
}

/// A tarball of the usual form: one folder with the cookbook's name.
pub(crate) fn tarball(name: &str, version: &str, dependencies: &[(&str, &str)]) -> Vec<u8> {
    let mut entries = String::new();
    for (at, (name, constraint)) in dependencies.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        write!(entries, "{comma}\"{name}\": \"{constraint}\"").expect("a text");
    }
    let metadata = format!(
        "{{\"name\": \"{name}\", \"version\": \"{version}\", \"dependencies\": {{{entries}}}}}"
    );
    TarBuilder::default()
        .folder(&format!("{name}/"))
        .file(&format!("{name}/metadata.json"), metadata)
        .file(
            &format!("{name}/README.md"),
            format!("# {name} {version}\n"),
        )
        .file(
            &format!("{name}/recipes/default.rb"),
            format!("log '{name}'\n"),
        )
        .gzip()
}

impl State {
    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        lock(&self.seen).push(request.clone());
        let path = request.path.strip_prefix(self.prefix.as_str());
        let answer = match path {
            Some("/universe") => self.universe(request),
            Some(path) => match path.split('/').collect::<Vec<_>>()[..] {
                ["", "api", "v1", "cookbooks", name, "versions", version] => {
                    self.version(request, name, &version.replace('_', "."))
                }
                [
                    "",
                    "api",
                    "v1",
                    "cookbooks",
                    name,
                    "versions",
                    version,
                    "download",
                ] => {
                    let version = version.replace('_', ".");
                    let files = lock(&self.files).clone();
                    match files {
                        None => self.file(name, &version),
                        Some(files) => HttpResponse::new(302, "").with(
                            "Location",
                            format!("{files}/files/{name}-{version}.tgz?signature=s3cret"),
                        ),
                    }
                }
                ["", "files", file] => match file.trim_end_matches(".tgz").rsplit_once('-') {
                    Some((name, version)) => self.file(name, version),
                    None => HttpResponse::new(404, ""),
                },
                _ => self.unknown(),
            },
            None => HttpResponse::new(404, "elsewhere"),
        };
        let mut troubles = lock(&self.troubles);
        let found = troubles
            .iter_mut()
            .find(|trouble| trouble.times > 0 && request.path.ends_with(&trouble.path));
        match found {
            None => answer,
            Some(trouble) => {
                trouble.times -= 1;
                (trouble.change)(request, answer)
            }
        }
    }

    fn unknown(&self) -> HttpResponse {
        match self.blank_for_unknown {
            true => HttpResponse::new(200, ""),
            false => HttpResponse::new(404, "{\"error_code\": \"NOT_FOUND\"}"),
        }
    }

    fn own(&self, request: &HttpRequest) -> String {
        let host = request.header("host").unwrap_or_default();
        format!("http://{host}{}", self.prefix)
    }

    fn universe(&self, request: &HttpRequest) -> HttpResponse {
        let own = self.own(request);
        let mut text = String::from("{");
        for (at, (name, versions)) in lock(&self.cookbooks).iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(text, "{comma}\n\"{name}\": {{").expect("a text");
            for (at, (version, kept)) in versions.iter().enumerate() {
                let comma = if at == 0 { "" } else { "," };
                let location = self.location.clone();
                let location = location.unwrap_or_else(|| format!("{own}/api/v1"));
                let dependencies: Vec<_> = kept
                    .dependencies
                    .iter()
                    .map(|(name, constraint)| format!("\"{name}\": \"{constraint}\""))
                    .collect();
                write!(
                    text,
                    "{comma}\"{version}\": {{\"location_type\": \"opscode\", \"location_path\": \"{location}\", \
                     \"download_url\": \"{own}/api/v1/cookbooks/{name}/versions/{version}/download\", \
                     \"dependencies\": {{{}}}}}",
                    dependencies.join(", ")
                )
                .expect("a text");
            }
            text.push('}');
        }
        text.push('}');
        // As Rack makes them: weak, and the same for the same text.
        let sum = text.bytes().fold(7_u64, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        let tag = format!("W/\"{sum:016x}\"");
        if request.header("if-none-match") == Some(&tag) {
            return HttpResponse::new(304, "").with("ETag", tag);
        }
        HttpResponse::new(200, text).with("ETag", tag)
    }

    fn version(&self, request: &HttpRequest, name: &str, version: &str) -> HttpResponse {
        let cookbooks = lock(&self.cookbooks);
        match cookbooks
            .get(name)
            .and_then(|versions| versions.get(version))
        {
            None => self.unknown(),
            Some(_) => {
                let file = format!(
                    "{}/api/v1/cookbooks/{name}/versions/{version}/download",
                    self.own(request)
                );
                HttpResponse::new(
                    200,
                    format!("{{\"file\": \"{file}\", \"license\": \"MIT\"}}"),
                )
            }
        }
    }

    fn file(&self, name: &str, version: &str) -> HttpResponse {
        let cookbooks = lock(&self.cookbooks);
        match cookbooks
            .get(name)
            .and_then(|versions| versions.get(version))
        {
            None => self.unknown(),
            Some(kept) => HttpResponse::new(200, kept.tarball.clone()),
        }
    }
}
