//! The sources against servers on loopback.
#![expect(
    clippy::disallowed_methods,
    reason = "the tests stand outside: they make folders"
)]

use std::fs;
use std::io::Read as _;
use std::time::Duration;

use super::*;
use crate::error::{Diagnose as _, Diagnostic, Kind};
use crate::event::Silent;
use crate::http::HttpError;
use crate::secret::Secret;
use crate::store::CacheKind;
use crate::tarball::TarballError;
use crate::tarball::tests::tar_builder;
use crate::text::SourceFile;
use crate::tree::EntryKind;
use crate::universe::UniverseError;

#[expect(dead_code, reason = "the integration tests use the rest of it")]
#[path = "../../tests/it/support/http_server.rs"]
mod http_server;
#[path = "../../tests/it/support/supermarket.rs"]
mod supermarket;

use http_server::{HttpResponse, HttpServer};
use supermarket::{DEMO, Supermarket, tarball};
use tar_builder::TarBuilder;

/// A store, and how it is used.
struct Bench {
    folder: tempfile::TempDir,
    access: UpstreamAccess,
    offline: bool,
    limits: Limits,
}

impl Bench {
    fn new() -> Self {
        let mut access = UpstreamAccess::default();
        access.http.retry_waits = vec![Duration::from_millis(1), Duration::from_millis(2)];
        access.http.connect_timeout = Duration::from_secs(5);
        access.http.head_timeout = Duration::from_secs(5);
        access.http.idle_timeout = Duration::from_millis(400);
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            access,
            offline: false,
            limits: Limits::default(),
        }
    }

    fn store(&self) -> Store {
        Store::new(&self.folder.path().join("store"))
    }

    fn open(&self, upstreams: &[Upstream]) -> Upstreams {
        self.try_open(upstreams).expect("sources")
    }

    fn try_open(&self, upstreams: &[Upstream]) -> Result<Upstreams, UpstreamError> {
        Upstreams::open(
            upstreams,
            &Surroundings {
                project: self.folder.path(),
                access: &self.access,
                store: &self.store(),
                offline: self.offline,
                limits: &self.limits,
                cancel: &CancelToken::default(),
                reader: Arc::new(ByFolderName),
            },
        )
    }
}

/// Reads `name-version` from the folder's own name, and dependencies from its metadata.rb.
struct ByFolderName;

impl ReadCookbook for ByFolderName {
    fn read(&self, folder: &Path) -> Result<Option<LocalCookbook>, (Diagnostic, Kind)> {
        let Ok(text) = fs::read_to_string(folder.join("metadata.rb")) else {
            return Ok(None);
        };
        let name = folder
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let Some((name, version)) = name.split_once('-') else {
            return Err((Diagnostic::new("a metadata.rb that is wrong"), Kind::User));
        };
        let dependencies = text
            .lines()
            .map(|line| (line.to_owned(), Constraint::any()));
        Ok(Some(LocalCookbook {
            name: name.to_owned(),
            version: version.parse().expect("a version"),
            dependencies: dependencies.collect(),
        }))
    }
}

fn upstream(kind: UpstreamKind) -> Upstream {
    Upstream {
        kind,
        preferred_for: Vec::new(),
        only: Vec::new(),
        except: Vec::new(),
        at: SourceFile::new("cookpack.toml", "").at(0..0),
    }
}

fn supermarket(url: impl Into<String>) -> Upstream {
    upstream(UpstreamKind::Supermarket(url.into()))
}

fn wanted(name: &str, version: &str) -> Wanted {
    Wanted {
        name: name.to_owned(),
        version: version.parse().expect("a version"),
        digest: None,
        url: None,
    }
}

fn versions(offers: &Offers) -> Vec<String> {
    let versions = offers.versions.iter();
    versions.map(|offer| offer.version.to_string()).collect()
}

fn text(tree: &dyn Tree, path: &str) -> String {
    let mut text = String::new();
    let mut file = tree.open(path.as_bytes()).expect("a file");
    file.read_to_string(&mut text).expect("a text");
    text
}

fn fetch(upstreams: &Upstreams, wanted: &Wanted) -> Result<Fetched, UpstreamError> {
    upstreams.fetch(wanted, &Silent)
}

fn fails(result: Result<Fetched, UpstreamError>) -> UpstreamError {
    result.err().expect("a failure")
}

const JOBS: NonZero<usize> = NonZero::new(4).unwrap();

/// The objects of a kind in the store.
fn kept(bench: &Bench, kind: CacheKind) -> usize {
    bench.store().items(kind).expect("a store").len()
}

#[test]
fn a_cookbook_is_offered_and_fetched() {
    let market = Supermarket::demo();
    let bench = Bench::new();
    let upstreams = bench.open(&[supermarket(market.url())]);
    upstreams.load(JOBS, &Silent).expect("a universe");
    let offers = upstreams.offers("application_javascript").expect("offers");
    assert_eq!(versions(&offers), ["2.0.0", "1.0.0"]);
    assert_eq!(offers.source, Some(format!("supermarket {}", market.url())));
    let dependencies: Vec<_> = offers.versions[1].dependencies.iter().collect();
    assert_eq!(dependencies.len(), 4);
    assert_eq!(dependencies[0].0, "application");
    assert_eq!(dependencies[0].1.to_string(), "~> 5.0");
    let none = upstreams.offers("absent").expect("offers");
    assert!(none.source.is_none() && none.versions.is_empty());
    let names: BTreeSet<_> = DEMO.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(upstreams.names().expect("names"), names);
    assert_eq!(market.take_paths(), ["/universe"]);

    let fetched = fetch(&upstreams, &wanted("poise", "2.8.2")).expect("a cookbook");
    let bytes = market.tarball("poise", "2.8.2");
    assert_eq!(fetched.digest, Digest::of(&bytes));
    let url = format!(
        "{}/api/v1/cookbooks/poise/versions/2.8.2/download",
        market.url()
    );
    assert_eq!(fetched.url.as_deref(), Some(&*url));
    assert_eq!(text(&*fetched.tree, "README.md"), "# poise 2.8.2\n");
    assert_eq!(
        fetched.tree.label(),
        format!("{}#poise@2.8.2", market.url())
    );
    assert_eq!(
        fetched.tree.kind(b"recipes").expect("a kind"),
        Some(EntryKind::Directory)
    );
    assert_eq!(fetched.tree.entries(b"").expect("entries").len(), 3);
    assert!(fetched.tree.open(b"absent").is_err() && fetched.tree.entries(b"README.md").is_err());
    assert_eq!(
        market.take_paths(),
        ["/api/v1/cookbooks/poise/versions/2.8.2/download"]
    );
    // Locked, it is in the store: nothing is asked, with the sources or without.
    let mut locked = wanted("poise", "2.8.2");
    locked.digest = Some(fetched.digest);
    for offline in [false, true] {
        let bench = Bench {
            offline,
            ..bench_of(&bench)
        };
        let again = fetch(&bench.open(&[supermarket(market.url())]), &locked).expect("it");
        assert_eq!(again.url, None);
        assert_eq!(text(&*again.tree, "README.md"), "# poise 2.8.2\n");
    }
    assert!(market.take_paths().is_empty());
}

/// The same store, to be used in another way.
fn bench_of(bench: &Bench) -> Bench {
    let folder = tempfile::tempdir().expect("a folder");
    #[cfg(unix)]
    std::os::unix::fs::symlink(
        bench.folder.path().join("store"),
        folder.path().join("store"),
    )
    .expect("a link");
    Bench {
        folder,
        access: bench.access.clone(),
        offline: bench.offline,
        limits: bench.limits,
    }
}

#[test]
fn a_second_run_makes_one_conditional_request() {
    let market = Supermarket::demo();
    let bench = Bench::new();
    let load = || {
        let upstreams = bench.open(&[supermarket(market.url())]);
        let offers = upstreams.offers("poise").expect("offers");
        versions(&offers)
    };
    assert_eq!(load(), ["3.0.0", "2.8.2", "2.7.2"]);
    assert_eq!(market.take_seen()[0].header("if-none-match"), None);
    assert_eq!(load(), ["3.0.0", "2.8.2", "2.7.2"]);
    let seen = market.take_seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].header("if-none-match").is_some());
    // What changed is there at once.
    market.publish("poise", "4.0.0", &[]);
    assert_eq!(load()[0], "4.0.0");
    assert_eq!(market.take_seen().len(), 1);
    // A body that is damaged in the store is asked for anew, without a condition.
    let items = bench.store().items(CacheKind::Universe).expect("a store");
    for entry in fs::read_dir(&items[0].path).expect("a folder").flatten() {
        if entry.file_name().len() == 64 {
            fs::write(entry.path(), "{}").expect("a file");
        }
    }
    assert_eq!(load()[0], "4.0.0");
    assert_eq!(market.take_seen()[0].header("if-none-match"), None);
    let offline = Bench {
        offline: true,
        ..bench_of(&bench)
    };
    let upstreams = offline.open(&[supermarket(market.url())]);
    assert_eq!(
        versions(&upstreams.offers("poise").expect("offers"))[0],
        "4.0.0"
    );
    assert!(market.take_seen().is_empty());
}

#[test]
fn offline_what_the_store_has_not_is_told() {
    let market = Supermarket::demo();
    let bench = Bench {
        offline: true,
        ..Bench::new()
    };
    let upstreams = bench.open(&[supermarket(market.url())]);
    let error = upstreams.offers("poise").expect_err("offline");
    assert_eq!(
        error.to_string(),
        format!(
            "the universe of supermarket {} is not in the store, and nothing is fetched while offline",
            market.url()
        )
    );
    let mut locked = wanted("poise", "2.8.2");
    locked.digest = Some(Digest::of("x"));
    for wanted in [locked, wanted("poise", "2.8.2")] {
        let error = fails(fetch(&upstreams, &wanted));
        assert!(matches!(&error, UpstreamError::Offline { what } if what == "poise 2.8.2"));
        assert_eq!(error.kind(), Kind::Unavailable);
    }
    assert!(market.take_seen().is_empty());
}

#[test]
fn a_locked_cookbook_is_fetched_without_a_universe() {
    let market = Supermarket::demo();
    let bench = Bench::new();
    let upstreams = bench.open(&[supermarket(market.url())]);
    let mut locked = wanted("poise", "2.8.2");
    locked.digest = Some(Digest::of(market.tarball("poise", "2.8.2")));
    locked.url = Some(format!(
        "{}/api/v1/cookbooks/poise/versions/2.8.2/download",
        market.url()
    ));
    fetch(&upstreams, &locked).expect("a cookbook");
    assert_eq!(market.take_paths().len(), 1);
    // Where it is not there any more, the universe is asked where it is now.
    let mut moved = wanted("poise", "2.7.2");
    moved.digest = Some(Digest::of(market.tarball("poise", "2.7.2")));
    moved.url = Some(format!("{}/api/v1/old", market.url()));
    fetch(&upstreams, &moved).expect("a cookbook");
    assert_eq!(market.take_paths()[..2], ["/api/v1/old", "/universe"]);
}

#[test]
fn another_digest_than_the_locked_one_shows_both() {
    let market = Supermarket::demo();
    let bench = Bench::new();
    let upstreams = bench.open(&[supermarket(market.url())]);
    let mut locked = wanted("poise", "2.8.2");
    let expected = Digest::of("something else");
    locked.digest = Some(expected);
    let error = fails(fetch(&upstreams, &locked));
    let found = Digest::of(market.tarball("poise", "2.8.2"));
    assert_eq!(error.kind(), Kind::Verification);
    let shown = error.to_string();
    assert!(
        shown.contains(&found.to_string()) && shown.contains(&expected.to_string()),
        "{shown}"
    );
    assert_eq!(
        kept(&bench, CacheKind::Cookbook),
        0,
        "what is refused is not kept"
    );
}

#[test]
fn a_damaged_tarball_in_the_store_is_fetched_anew() {
    let market = Supermarket::demo();
    let bench = Bench::new();
    let upstreams = bench.open(&[supermarket(market.url())]);
    let fetched = fetch(&upstreams, &wanted("poise", "2.8.2")).expect("a cookbook");
    let path = bench.store().object(CacheKind::Cookbook, &fetched.digest);
    fs::write(&path, "damaged").expect("a file");
    let mut locked = wanted("poise", "2.8.2");
    locked.digest = Some(fetched.digest);
    let again = fetch(&upstreams, &locked).expect("a cookbook");
    assert!(again.url.is_some());
    assert_eq!(
        fs::read(&path).expect("a file"),
        market.tarball("poise", "2.8.2")
    );
}

#[test]
fn many_are_fetched_at_once_and_in_order() {
    let market = Supermarket::demo();
    let bench = Bench::new();
    let upstreams = bench.open(&[supermarket(market.url())]);
    let all: Vec<_> = DEMO
        .iter()
        .map(|(name, version, _)| wanted(name, version))
        .collect();
    let fetched = upstreams.fetch_all(&all, JOBS, &Silent);
    for (wanted, fetched) in all.iter().zip(fetched) {
        let fetched = fetched.expect("a cookbook");
        let readme = text(&*fetched.tree, "README.md");
        assert_eq!(readme, format!("# {} {}\n", wanted.name, wanted.version));
    }
    let universes = market
        .take_paths()
        .into_iter()
        .filter(|path| path == "/universe");
    assert_eq!(universes.count(), 1);
}

#[test]
fn a_name_belongs_to_the_first_source_that_may_give_it() {
    let (one, two) = (Supermarket::start(), Supermarket::start());
    one.publish("both", "1.0.0", &[]);
    one.publish("acme_web", "1.0.0", &[]);
    two.publish("both", "2.0.0", &[]);
    two.publish("acme_web", "2.0.0", &[]);
    two.publish("second", "2.0.0", &[]);
    let bench = Bench::new();
    let sources = [supermarket(one.url()), supermarket(two.url())];
    let offered = |sources: &[Upstream], name: &str| {
        let offers = bench.open(sources).offers(name).expect("offers");
        (versions(&offers).join(" "), offers.also_in.len())
    };
    assert_eq!(offered(&sources, "both"), ("1.0.0".to_owned(), 1));
    assert_eq!(offered(&sources, "second"), ("2.0.0".to_owned(), 0));
    let mut owned = sources.clone();
    owned[0].except.push("acme_*".parse().expect("a pattern"));
    assert_eq!(offered(&owned, "acme_web"), ("2.0.0".to_owned(), 0));
    assert_eq!(offered(&owned, "both"), ("1.0.0".to_owned(), 1));
    let mut preferred = sources.clone();
    preferred[1].preferred_for.push("both".to_owned());
    assert_eq!(offered(&preferred, "both"), ("2.0.0".to_owned(), 1));
    // A source of certain names is not asked for others.
    let mut narrow = sources.clone();
    narrow[0].only.push("acme_*".parse().expect("a pattern"));
    one.take_seen();
    let upstreams = bench.open(&narrow);
    upstreams.load(JOBS, &Silent).expect("universes");
    upstreams.offers("both").expect("offers");
    assert!(one.take_seen().is_empty());
    assert_eq!(
        versions(&upstreams.offers("acme_web").expect("offers")),
        ["1.0.0"]
    );
}

#[test]
fn attack_a_source_that_is_kept_from_answering_gives_its_names_to_nobody() {
    let two = Supermarket::start();
    two.publish("acme_web", "9.0.0", &[]);
    let mut gone = HttpServer::start(None, Arc::new(|_| HttpResponse::new(404, "")));
    let url = format!("http://127.0.0.1:{}", gone.port());
    gone.stop();
    let bench = Bench::new();
    let upstreams = bench.open(&[supermarket(url), supermarket(two.url())]);
    let error = upstreams.offers("acme_web").expect_err("no answer");
    assert!(matches!(error, UpstreamError::Http { .. }), "{error}");
}

#[test]
fn of_a_delivery_supermarket_only_the_newest_counts() {
    let market = Supermarket::demo();
    let bench = Bench::new();
    let kind = UpstreamKind::DeliverySupermarket(market.url());
    let upstreams = bench.open(&[upstream(kind)]);
    assert_eq!(
        versions(&upstreams.offers("poise").expect("offers")),
        ["3.0.0"]
    );
}

#[test]
fn what_passes_is_tried_again_and_what_does_not_is_told() {
    let market = Supermarket::demo();
    let bench = Bench::new();
    let download = "/2.8.2/download";
    let tries = |market: &Supermarket| {
        let paths = market.take_paths().into_iter();
        paths.filter(|path| path.ends_with(download)).count()
    };
    let run = || {
        fetch(
            &bench.open(&[supermarket(market.url())]),
            &wanted("poise", "2.8.2"),
        )
    };
    market.trouble("/universe", 2, |_, _| HttpResponse::new(500, ""));
    market.trouble(download, 1, |_, _| {
        HttpResponse::new(429, "").with("Retry-After", "0")
    });
    market.trouble(download, 1, |_, mut answer| {
        answer.cut = Some(answer.body.len() / 2);
        answer
    });
    run().expect("a cookbook");
    assert_eq!(tries(&market), 3);
    // For ever cut short, or as slow as one that never comes.
    for slow in [false, true] {
        market.trouble(download, 9, move |_, mut answer| {
            match slow {
                true => answer.lasts = Duration::from_secs(8),
                false => answer.cut = Some(10),
            }
            answer
        });
        let error = fails(run());
        assert!(matches!(error, UpstreamError::Broken { .. }), "{error}");
        assert_eq!(error.kind(), Kind::Unavailable);
        assert_eq!(tries(&market), 3);
        market.calm();
    }
    market.trouble(download, 9, |_, _| {
        HttpResponse::new(503, "").with("Retry-After", "3600")
    });
    let error = fails(run());
    assert!(
        matches!(
            &error,
            UpstreamError::Http {
                source: HttpError::Status { status: 503, .. },
                ..
            }
        ),
        "{error}"
    );
    // Nobody waits for an hour.
    assert_eq!(tries(&market), 1);
    market.calm();
    market.trouble(download, 9, |_, _| HttpResponse::new(403, ""));
    let error = fails(run());
    assert!(error.diagnostics()[0].hints[0].contains("credentials"));
    assert_eq!(tries(&market), 1);
    assert_eq!(kept(&bench, CacheKind::Cookbook), 1, "the first one");
    let left = fs::read_dir(bench.store().folder().join("cookbooks-1")).expect("a folder");
    assert_eq!(left.count(), 1, "nothing half downloaded");
}

#[test]
fn what_is_refused_is_not_kept() {
    let market = Supermarket::start();
    let evil = TarBuilder::default()
        .file("web/metadata.rb", "")
        .symlink("web/l", "/etc");
    market.publish_tarball("web", "1.0.0", &[], evil.gzip());
    market.publish_tarball("web", "2.0.0", &[], b"<html>sign in</html>".to_vec());
    market.publish_tarball(
        "web",
        "3.0.0",
        &[],
        TarBuilder::default().file("a", "").gzip(),
    );
    let bench = Bench::new();
    let upstreams = bench.open(&[supermarket(market.url())]);
    let refused = |version: &str| match fails(fetch(&upstreams, &wanted("web", version))) {
        UpstreamError::Tarball { source, .. } => *source,
        other => panic!("{other}"),
    };
    assert!(matches!(refused("1.0.0"), TarballError::LinkOut { .. }));
    assert!(matches!(
        refused("2.0.0"),
        TarballError::NotATarball {
            found: "a web page"
        }
    ));
    assert!(matches!(refused("3.0.0"), TarballError::NoCookbook));
    assert_eq!(kept(&bench, CacheKind::Cookbook), 0);
}

#[test]
fn what_is_larger_than_a_limit_is_not_read_on() {
    let market = Supermarket::demo();
    let mut bench = Bench::new();
    bench.limits.universe_bytes = 100;
    let upstreams = bench.open(&[supermarket(market.url())]);
    let error = upstreams.offers("poise").expect_err("too large");
    assert!(matches!(error, UpstreamError::TooLarge { limit: 100, .. }));
    assert_eq!(kept(&bench, CacheKind::Universe), 0);
    bench.limits = Limits::default();
    bench.limits.packed_bytes = market.tarball("poise", "2.8.2").len() as u64 - 1;
    let upstreams = bench.open(&[supermarket(market.url())]);
    let error = fails(fetch(&upstreams, &wanted("poise", "2.8.2")));
    assert!(matches!(error, UpstreamError::TooLarge { .. }));
    bench.limits.packed_bytes += 1;
    let upstreams = bench.open(&[supermarket(market.url())]);
    fetch(&upstreams, &wanted("poise", "2.8.2")).expect("at the limit");
}

#[test]
fn a_universe_that_is_none_is_told_and_not_kept() {
    let market = Supermarket::demo();
    let bench = Bench::new();
    let run = || bench.open(&[supermarket(market.url())]).offers("poise");
    run().expect("offers");
    market.publish("new", "1.0.0", &[]);
    for (body, is_blank) in [("", true), (" \n", true), ("<html>", false), ("[]", false)] {
        market.trouble("/universe", 1, move |_, _| HttpResponse::new(200, body));
        let error = run().expect_err("no universe");
        let UpstreamError::Universe { source, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(matches!(source, UniverseError::Blank), is_blank, "{body:?}");
    }
    // The one that was there before is still the one that is kept.
    let offline = Bench {
        offline: true,
        ..bench_of(&bench)
    };
    let upstreams = offline.open(&[supermarket(market.url())]);
    assert!(upstreams.offers("new").expect("offers").source.is_none());
    assert_eq!(
        versions(&upstreams.offers("poise").expect("offers")).len(),
        3
    );
    // A server that answers "not modified" to who asked without a condition.
    let fresh = Bench::new();
    market.trouble("/universe", 9, |_, _| HttpResponse::new(304, ""));
    let error = fresh
        .open(&[supermarket(market.url())])
        .offers("poise")
        .expect_err("304");
    assert!(matches!(
        error,
        UpstreamError::Http {
            source: HttpError::Status { status: 304, .. },
            ..
        }
    ));
}

#[test]
fn an_artifactory_is_asked_with_its_key_and_answers_nothing_for_what_it_has_not() {
    let market = Supermarket::artifactory();
    market.publish("web", "1.0.0", &[]);
    let mut bench = Bench::new();
    bench.access.artifactory_api_key = Some(Secret::new("the-key"));
    let source = upstream(UpstreamKind::Artifactory(market.url()));
    let upstreams = bench.open(std::slice::from_ref(&source));
    fetch(&upstreams, &wanted("web", "1.0.0")).expect("a cookbook");
    for request in market.take_seen() {
        assert_eq!(
            request.header("x-jfrog-art-api"),
            Some("the-key"),
            "{}",
            request.path
        );
        assert_eq!(request.header("authorization"), None);
    }
    // The universe is older than what was removed: each way answers with nothing.
    market.trouble("/download", 9, |_, _| HttpResponse::new(200, ""));
    market.trouble("/versions/1_0_0", 9, |_, _| HttpResponse::new(200, ""));
    let error = fails(fetch(&upstreams, &wanted("web", "1.0.0")));
    assert!(matches!(error, UpstreamError::Gone { .. }), "{error}");
    assert_eq!(
        market.take_paths(),
        [
            "/api/v1/cookbooks/web/versions/1.0.0/download",
            "/api/v1/cookbooks/web/versions/1_0_0"
        ]
    );
    // The token comes before the key.
    bench.access.artifactory_identity_token = Some(Secret::new("the-token"));
    bench
        .open(std::slice::from_ref(&source))
        .offers("web")
        .expect("offers");
    let seen = market.take_seen();
    assert_eq!(seen[0].header("authorization"), Some("Bearer the-token"));
    assert_eq!(seen[0].header("x-jfrog-art-api"), None);
    // Sources that somebody else's manifest names get neither.
    bench.access = bench.access.for_adopted_sources();
    bench.open(&[source]).offers("web").expect("offers");
    let seen = market.take_seen();
    assert_eq!(
        (
            seen[0].header("authorization"),
            seen[0].header("x-jfrog-art-api")
        ),
        (None, None)
    );
}

#[test]
fn without_a_download_url_the_version_is_asked_for() {
    let market = Supermarket::artifactory();
    market.publish("web", "1.0.0", &[]);
    market.trouble("/universe", 1, |_, mut answer| {
        let text = String::from_utf8(answer.body).expect("UTF-8");
        answer.body = text.replace("download_url", "other").into_bytes();
        answer
    });
    let bench = Bench::new();
    let source = upstream(UpstreamKind::Artifactory(market.url()));
    fetch(&bench.open(&[source]), &wanted("web", "1.0.0")).expect("a cookbook");
    assert_eq!(
        market.take_paths(),
        [
            "/universe",
            "/api/v1/cookbooks/web/versions/1_0_0",
            "/api/v1/cookbooks/web/versions/1.0.0/download"
        ]
    );
}

#[test]
fn leak_credentials_do_not_follow_to_another_host() {
    let market = Supermarket::demo();
    let files = Supermarket::demo();
    market.send_downloads_to(&files.other_name());
    let mut bench = Bench::new();
    let host = market.url().trim_start_matches("http://").to_owned();
    bench
        .access
        .tokens
        .insert(host, Secret::new("s3cret-token"));
    let upstreams = bench.open(&[supermarket(market.url())]);
    let fetched = fetch(&upstreams, &wanted("poise", "2.8.2")).expect("a cookbook");
    for request in market.take_seen() {
        assert_eq!(request.header("authorization"), Some("Bearer s3cret-token"));
    }
    let seen = files.take_seen();
    assert_eq!((seen.len(), seen[0].header("authorization")), (1, None));
    // Nor is what a redirect was signed with kept.
    assert!(!fetched.url.expect("a URL").contains("s3cret"));
}

#[test]
fn leak_a_universe_that_names_another_host_gets_no_credentials_there() {
    let evil = Supermarket::demo();
    let private = Supermarket::demo();
    let there = private.url();
    evil.trouble("/universe", 9, move |request, mut answer| {
        let own = format!("http://{}", request.header("host").expect("a host"));
        let text = String::from_utf8(answer.body).expect("UTF-8");
        answer.body = text.replace(&own, &there).into_bytes();
        answer
    });
    let mut bench = Bench::new();
    let netrc = bench.folder.path().join("netrc");
    fs::write(&netrc, "machine 127.0.0.1 login me password s3cret\n").expect("a file");
    bench.access.netrc = Some(netrc);
    bench.access.artifactory_api_key = Some(Secret::new("s3cret"));
    private.trouble("/download", 9, |_, _| HttpResponse::new(401, ""));
    let source = upstream(UpstreamKind::Artifactory(evil.url()));
    let error = fails(fetch(&bench.open(&[source]), &wanted("poise", "2.8.2")));
    assert!(matches!(error, UpstreamError::Http { .. }), "{error}");
    let seen = private.take_seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].header("authorization"), None);
    assert_eq!(seen[0].header("x-jfrog-art-api"), None);
}

#[test]
fn the_netrc_file_is_asked_once_the_host_refuses() {
    let market = Supermarket::demo();
    market.trouble("", usize::MAX, |request, answer| {
        match request.header("authorization") {
            Some("Basic bWU6cHc=") => answer,
            _ => HttpResponse::new(401, ""),
        }
    });
    let mut bench = Bench::new();
    let run = |bench: &Bench| {
        let upstreams = bench.open(&[supermarket(market.url())]);
        fetch(&upstreams, &wanted("poise", "2.8.2")).map(drop)
    };
    let error = run(&bench).expect_err("refused");
    assert!(matches!(
        error,
        UpstreamError::Http {
            source: HttpError::Status { status: 401, .. },
            ..
        }
    ));
    market.take_seen();
    let netrc = bench.folder.path().join("netrc");
    fs::write(&netrc, "machine 127.0.0.1 login me password pw\n").expect("a file");
    bench.access.netrc = Some(netrc);
    run(&bench).expect("a cookbook");
    // Refused once; from then on it is known.
    assert_eq!(market.take_seen().len(), 3);
    // What stands in the address comes first, and is shown nowhere.
    let url = market.url().replace("http://", "http://me:pw@");
    let upstreams = bench.open(&[supermarket(url)]);
    let fetched = fetch(&upstreams, &wanted("poise", "2.7.2")).expect("a cookbook");
    assert_eq!(market.take_seen().len(), 2);
    let shown = format!("{:?} {}", fetched.url, fetched.tree.label());
    assert!(!shown.contains("pw"), "{shown}");
}

#[test]
fn a_mirror_is_a_folder_or_a_static_server() {
    let bench = Bench::new();
    let mirror = bench.folder.path().join("mirror");
    fs::create_dir_all(mirror.join("files")).expect("folders");
    let bytes = tarball("web", "1.0.0", &[]);
    fs::write(mirror.join("files/web-1.0.0.tgz"), &bytes).expect("a file");
    let universe = r#"{"web": {
        "1.0.0": {"location_type": "uri", "location_path": "files/web-1.0.0.tgz", "dependencies": {}},
        "2.0.0": {"location_type": "uri", "location_path": "files/absent.tgz", "dependencies": {}},
        "3.0.0": {"location_type": "uri", "location_path": "../outside.tgz", "dependencies": {}},
        "4.0.0": {"location_type": "uri", "location_path": "file:///etc/passwd", "dependencies": {}},
        "5.0.0": {"location_type": "github", "location_path": "https://github.com/a/web", "dependencies": {}},
        "6.0.0": {"location_type": "file_store", "location_path": "/srv/web", "dependencies": {}},
        "7.0.0": {"location_type": "uri", "location_path": "ftp://example.com/web", "dependencies": {}},
        "8.0.0": {"location_type": "uri", "dependencies": {}}}}"#;
    fs::write(mirror.join("universe"), universe).expect("a file");
    fs::write(bench.folder.path().join("outside.tgz"), &bytes).expect("a file");
    let address = Url::from_directory_path(&mirror).expect("a URL");
    let folder = mirror.clone();
    let server = HttpServer::start(
        None,
        Arc::new(
            move |request| match fs::read(folder.join(&request.path[1..])) {
                Ok(body) => HttpResponse::new(200, body),
                Err(_) => HttpResponse::new(404, ""),
            },
        ),
    );
    let served = format!("http://127.0.0.1:{}/", server.port());
    for (address, is_file) in [(address.to_string(), true), (served, false)] {
        let upstreams = bench.open(&[supermarket(&*address)]);
        let fetched = fetch(&upstreams, &wanted("web", "1.0.0")).expect("a cookbook");
        assert_eq!(fetched.digest, Digest::of(&bytes));
        assert_eq!(text(&*fetched.tree, "README.md"), "# web 1.0.0\n");
        let fails = |version: &str| fails(fetch(&upstreams, &wanted("web", version)));
        assert!(matches!(fails("2.0.0"), UpstreamError::Gone { .. }));
        match (fails("3.0.0"), is_file) {
            (UpstreamError::Location { reason, .. }, true) => assert!(reason.contains("outside")),
            // Of a server nothing stands above its root.
            (UpstreamError::Gone { .. }, false) => {}
            (other, _) => panic!("{other}"),
        }
        assert!(matches!(fails("4.0.0"), UpstreamError::Location { .. }));
        for (version, word) in [("5.0.0", "github"), ("6.0.0", "file_store")] {
            assert!(matches!(
                fails(version),
                UpstreamError::Unsupported { location_type, .. } if location_type == word
            ));
        }
        assert!(matches!(fails("7.0.0"), UpstreamError::Location { .. }));
        assert!(matches!(fails("8.0.0"), UpstreamError::Location { .. }));
        assert!(matches!(fails("9.0.0"), UpstreamError::NotFound { .. }));
    }
}

#[test]
fn an_address_in_a_universe_leads_only_where_it_may() {
    let remote =
        |base: &str| Remote::new(Url::parse(base).expect("a URL"), RemoteKind::Supermarket);
    let secure = remote("https://me:pw@a.example:8443/base/");
    let behind = |text: &str| secure.behind(text).map(|url| url.to_string());
    assert_eq!(
        behind("/api/v1").expect("a URL"),
        "https://a.example:8443/base/api/v1"
    );
    assert_eq!(
        behind("https://b.example/x").expect("a URL"),
        "https://b.example/x"
    );
    assert_eq!(
        behind("http://a.example/api/v1").expect("a URL"),
        "https://a.example:8443/api/v1"
    );
    assert!(behind("http://b.example/x").is_err());
    assert!(behind("file:///x").is_err() && behind("ssh://a.example/x").is_err());
    let open = remote("http://a.example");
    assert!(open.behind("http://b.example/x").is_ok());
    assert!(open.beside("file:///etc/passwd").is_err());
    let mirror = remote("file:///srv/mirror");
    assert!(mirror.beside("x.tgz").is_ok());
    assert!(mirror.beside("../x.tgz").is_err());
    assert!(mirror.beside("a/%2e%2e/%2e%2e/x.tgz").is_err());
    assert!(mirror.beside("file:///srv/mirror-2/x.tgz").is_err());
}

#[test]
fn a_folder_of_cookbooks_is_a_source() {
    let bench = Bench::new();
    let repo = bench.folder.path().join("repo");
    for (name, metadata) in [
        ("web-1.0.0", Some("yum\napt\n")),
        ("web-1.2.0", Some("")),
        ("apt-2.0.0", Some("")),
        ("notes", None),
        (".hidden-1.0.0", Some("")),
    ] {
        let folder = repo.join("cookbooks").join(name);
        fs::create_dir_all(&folder).expect("folders");
        if let Some(metadata) = metadata {
            fs::write(folder.join("metadata.rb"), metadata).expect("a file");
        }
    }
    let open = |path: &str| bench.open(&[upstream(UpstreamKind::ChefRepo(path.to_owned()))]);
    // With its `cookbooks`, or as that folder itself.
    for path in ["repo", "repo/cookbooks"] {
        let upstreams = open(path);
        assert_eq!(
            upstreams
                .names()
                .expect("names")
                .into_iter()
                .collect::<Vec<_>>(),
            ["apt", "web"]
        );
        let offers = upstreams.offers("web").expect("offers");
        assert_eq!(versions(&offers), ["1.2.0", "1.0.0"]);
        let old = &offers.versions[1];
        assert_eq!(old.dependencies[0].0, "apt");
        assert!(
            old.path
                .as_ref()
                .expect("a path")
                .ends_with("cookbooks/web-1.0.0")
        );
        assert!(matches!(
            fails(fetch(&upstreams, &wanted("web", "1.0.0"))),
            UpstreamError::Unsupported { .. }
        ));
    }
    let absent = open("absent").offers("web").expect_err("no folder");
    assert!(matches!(absent, UpstreamError::Read { .. }));
    let wrong = repo.join("cookbooks/wrong");
    fs::create_dir(&wrong).expect("a folder");
    fs::write(wrong.join("metadata.rb"), "").expect("a file");
    let error = open("repo").offers("web").expect_err("a wrong cookbook");
    assert_eq!(
        error.diagnostics()[0].message,
        "a metadata.rb that is wrong"
    );
    fs::rename(&wrong, repo.join("cookbooks/web-1.2")).expect("a name");
    let error = open("repo").offers("web").expect_err("twice");
    assert!(matches!(error, UpstreamError::Twice { .. }), "{error}");
}

/// A Chef Server with one cookbook.
fn chef_server(all_files: bool, path: &'static str) -> HttpServer {
    HttpServer::start(
        None,
        Arc::new(move |request| {
            let own = format!("http://{}", request.header("host").expect("a host"));
            let is_signed = (1..=6).all(|number| {
                let line = request.header(&format!("x-ops-authorization-{number}"));
                line.is_some_and(|line| !line.is_empty() && line.len() <= 60)
            }) && request.header("x-ops-userid") == Some("me")
                && request.header("x-ops-timestamp") == Some("1970-01-01T00:00:07Z")
                && request.header("x-ops-server-api-version") == Some("0");
            match request.path.strip_prefix("/organizations/acme/") {
                Some(_) if !is_signed => HttpResponse::new(401, ""),
                Some("universe") => HttpResponse::new(
                    200,
                    format!(
                        r#"{{"web": {{"1.0.0": {{"location_type": "chef_server",
                        "location_path": "{own}/organizations/acme/cookbooks/web/1.0.0",
                        "download_url": "{own}/organizations/acme/cookbooks/web/1.0.0", "dependencies": {{}}}}}}}}"#
                    ),
                ),
                Some("cookbooks/web/1.0.0") => {
                    let file = |path: &str| {
                        format!(
                            r#"{{"name": "x", "path": "{path}", "checksum": "0", "specificity": "default", "url": "{own}/bookshelf/{path}?Signature=s"}}"#
                        )
                    };
                    let (metadata, other) = (file("metadata.rb"), file(path));
                    let body = match all_files {
                        true => format!(r#"{{"all_files": [{other}, {metadata}]}}"#),
                        false => format!(
                            r#"{{"recipes": [{other}], "root_files": [{metadata}], "version": "1.0.0"}}"#
                        ),
                    };
                    HttpResponse::new(200, body)
                }
                None if request.query == "Signature=s" && !is_signed => {
                    HttpResponse::new(200, request.path.clone())
                }
                _ => HttpResponse::new(404, ""),
            }
        }),
    )
}

#[test]
fn a_chef_server_is_asked_with_signed_requests() {
    let mut bench = Bench::new();
    let mut digests = BTreeSet::new();
    for all_files in [false, true] {
        let server = chef_server(all_files, "recipes/default.rb");
        let url = format!("http://127.0.0.1:{}/organizations/acme", server.port());
        let source = upstream(UpstreamKind::ChefServer(Some(url)));
        // Nobody signs.
        let unsigned = bench.open(std::slice::from_ref(&source));
        let error = unsigned.offers("web").expect_err("nobody signs");
        assert!(matches!(&error, UpstreamError::Signature { .. }), "{error}");
        assert!(error.diagnostics()[0].hints[0].contains("client_key"));
        let file = bench.folder.path().join("credentials.toml");
        let key = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/testdata/chef_server/client.pem"
        );
        let text = format!(
            "[hosts.\"127.0.0.1:{}\"]\nclient_name = \"me\"\nclient_key = '{key}'\n",
            server.port()
        );
        let _ = fs::remove_file(&file);
        fs::write(&file, text).expect("a file");
        #[cfg(unix)]
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .expect("a mode");
        bench.access.credentials_file = Some(file);
        bench.access.clock = Some(|| std::time::UNIX_EPOCH + Duration::from_secs(7));
        let upstreams = bench.open(std::slice::from_ref(&source));
        assert_eq!(
            versions(&upstreams.offers("web").expect("offers")),
            ["1.0.0"]
        );
        let fetched = fetch(&upstreams, &wanted("web", "1.0.0")).expect("a cookbook");
        assert_eq!(
            text_of(&fetched),
            "/bookshelf/recipes/default.rb /bookshelf/metadata.rb"
        );
        digests.insert(fetched.digest);
        bench.access.credentials_file = None;
    }
    assert_eq!(
        digests.len(),
        1,
        "the tarball depends on nothing but the files"
    );
}

fn text_of(fetched: &Fetched) -> String {
    let (recipe, metadata) = ("recipes/default.rb", "metadata.rb");
    format!(
        "{} {}",
        text(&*fetched.tree, recipe),
        text(&*fetched.tree, metadata)
    )
}

#[test]
fn attack_a_chef_server_that_names_a_file_elsewhere() {
    let server = chef_server(false, "../../outside");
    let mut bench = Bench::new();
    bench.access.clock = Some(|| std::time::UNIX_EPOCH + Duration::from_secs(7));
    let file = bench.folder.path().join("credentials.toml");
    let key = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/testdata/chef_server/client.pem"
    );
    let port = server.port();
    let text =
        format!("[hosts.\"127.0.0.1:{port}\"]\nclient_name = \"me\"\nclient_key = '{key}'\n");
    fs::write(&file, text).expect("a file");
    #[cfg(unix)]
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .expect("a mode");
    bench.access.credentials_file = Some(file);
    let url = format!("http://127.0.0.1:{port}/organizations/acme");
    let upstreams = bench.open(&[upstream(UpstreamKind::ChefServer(Some(url)))]);
    let error = fails(fetch(&upstreams, &wanted("web", "1.0.0")));
    assert!(matches!(error, UpstreamError::Answer { .. }), "{error}");
    assert_eq!(kept(&bench, CacheKind::Cookbook), 0);
}

#[test]
fn what_cannot_be_a_source_is_refused() {
    let bench = Bench::new();
    for kind in [
        UpstreamKind::Supermarket("ftp://a.example".to_owned()),
        UpstreamKind::Supermarket("a.example".to_owned()),
        UpstreamKind::ChefServer(Some("file:///srv".to_owned())),
        UpstreamKind::ChefServer(None),
    ] {
        let error = bench.try_open(&[upstream(kind)]).err().expect("refused");
        assert!(matches!(error, UpstreamError::Address { .. }), "{error}");
    }
}

#[test]
fn leak_nothing_secret_of_the_access_is_shown() {
    let mut access = UpstreamAccess::default();
    access
        .tokens
        .insert("a.example".to_owned(), Secret::new("s3cret"));
    access.artifactory_api_key = Some(Secret::new("s3cret"));
    access.artifactory_identity_token = Some(Secret::new("s3cret"));
    access.http.https_proxy = Some(Secret::new("http://me:s3cret@proxy"));
    let shown = format!("{access:?}");
    assert!(
        shown.contains("a.example") && !shown.contains("s3cret"),
        "{shown}"
    );
}

#[test]
fn four_hundred_tarballs_are_read_at_once() {
    let mut tar = TarBuilder::default().file("web/metadata.json", "{}");
    for number in 0..33_u32 {
        let noise: Vec<u8> = (0..4_000_u32)
            .map(|at| (at.wrapping_mul(2_654_435_761).wrapping_add(number) >> 24) as u8 & 0x3f)
            .collect();
        tar = tar.file(&format!("web/files/{number}"), noise);
    }
    let market = Supermarket::start();
    let bytes = tar.gzip();
    market.publish_tarball("web", "1.0.0", &[], bytes.clone());
    let bench = Bench::new();
    let upstreams = bench.open(&[supermarket(market.url())]);
    let mut one = wanted("web", "1.0.0");
    one.digest = Some(fetch(&upstreams, &one).expect("a cookbook").digest);
    let all = vec![one; 400];
    // More than stays in memory, and no more open files than one.
    let fetched = upstreams.fetch_all(&all, JOBS, &Silent);
    assert_eq!(fetched.len(), 400);
    for fetched in fetched {
        let fetched = fetched.expect("a cookbook");
        let mut read = Vec::new();
        let mut file = fetched.tree.open(b"files/32").expect("a file");
        file.read_to_end(&mut read).expect("read");
        assert_eq!(read.len(), 4_000);
    }
}
