//! The conversation with a server on loopback.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 3: these tests write netrc files"
)]

use std::time::Duration;

use super::*;
use crate::error::{Diagnose, Kind};
use crate::git::visitor::options;
use crate::http::loopback::{
    Reply, Seen, Server, answer, fixture, redirect, secure_url, tls_server,
};
use crate::http::{HttpOptions, basic, userinfo};
use crate::secret::Secret;

const ADVERTISED: (&str, &str) = (
    "Content-Type",
    "application/x-git-upload-pack-advertisement",
);
const RESULT: (&str, &str) = ("Content-Type", "application/x-git-upload-pack-result");

fn quick() -> GitAccess {
    let mut access = GitAccess::default();
    access.http.retry_waits = vec![Duration::from_millis(1)];
    access
}

/// Says who asks with what, over and over.
fn speak(seen: &Seen) -> Reply {
    match seen.method.as_str() {
        "GET" => answer("200 OK", &[ADVERTISED], "000eversion 2\n0000"),
        _ => answer("200 OK", &[RESULT], &seen.body),
    }
}

fn unauthorized() -> Reply {
    answer(
        "401 Unauthorized",
        &[("WWW-Authenticate", "Basic realm=\"git\"")],
        "",
    )
}

/// The login that a request brings, as `user:password`.
fn login(seen: &Seen) -> Option<String> {
    use base64::Engine;
    let value = seen.header("authorization")?.strip_prefix("Basic ")?;
    let decoded = base64::prelude::BASE64_STANDARD.decode(value).ok()?;
    String::from_utf8(decoded).ok()
}

/// A server that knows one login.
fn locked(known: &'static str) -> Server {
    Server::start(move |seen, _| match login(seen).as_deref() == Some(known) {
        true => speak(seen),
        false => unauthorized(),
    })
}

fn with<T>(access: &GitAccess, url: &str, then: impl FnOnce(&mut GitHttp<'_>) -> T) -> T {
    let config = GitConfig::open(access).unwrap();
    let cancel = CancelToken::default();
    let clients = Clients::default();
    let url: GitUrl = url.parse().unwrap();
    let mut transport = GitHttp::new(&url, access, &config, &clients, &cancel).unwrap();
    then(&mut transport)
}

fn greet(access: &GitAccess, url: &str) -> Result<String, GitError> {
    with(access, url, |transport| text(transport.greeting()?))
}

fn text(mut from: Box<dyn Read + '_>) -> Result<String, GitError> {
    let mut text = String::new();
    from.read_to_string(&mut text).unwrap();
    Ok(text)
}

#[test]
fn a_conversation_asks_for_version_2_and_posts_what_it_is_given() {
    let server = Server::start(|seen, _| speak(seen));
    let long = "0009done\n".repeat(200);
    with(&quick(), server.url("/a/b.git/").as_str(), |transport| {
        assert!(transport.is_stateless());
        assert_eq!(
            text(transport.greeting().unwrap()).unwrap(),
            "000eversion 2\n0000"
        );
        assert_eq!(text(transport.request(b"0000").unwrap()).unwrap(), "0000");
        let mut echoed = Vec::new();
        let mut answer = transport.request(long.as_bytes()).unwrap();
        answer.read_to_end(&mut echoed).unwrap();
        let mut decoded = String::new();
        let mut decoder = flate2::read::GzDecoder::new(&echoed[..]);
        decoder.read_to_string(&mut decoded).unwrap();
        assert_eq!(decoded, long);
    });
    let seen = server.seen();
    assert_eq!(seen[0].target, "/a/b.git/info/refs?service=git-upload-pack");
    assert_eq!(seen[1].target, "/a/b.git/git-upload-pack");
    assert_eq!(
        seen[1].header("content-type"),
        Some("application/x-git-upload-pack-request")
    );
    assert_eq!(
        seen[1].header("accept"),
        Some("application/x-git-upload-pack-result")
    );
    assert_eq!(seen[1].header("content-encoding"), None);
    assert_eq!(seen[2].header("content-encoding"), Some("gzip"));
    for seen in &seen {
        assert_eq!(seen.header("git-protocol"), Some("version=2"));
        assert_eq!(seen.header("user-agent"), Some(USER_AGENT));
    }
}

#[test]
fn an_address_with_a_query_is_gone_on_with_as_git_does() {
    let server = Server::start(|seen, _| speak(seen));
    greet(&quick(), server.url("/a?repo=b").as_str()).unwrap();
    let target = &server.seen()[0].target;
    assert_eq!(target, "/a?repo=b/info/refs&service=git-upload-pack");
}

#[test]
fn what_is_no_repository_is_told_apart() {
    for (kind, word) in [
        ("text/html; charset=utf-8", "page for people"),
        ("text/plain", "smart"),
        ("application/json", "`application/json`"),
    ] {
        let server = Server::start(move |_, _| answer("200 OK", &[("Content-Type", kind)], ""));
        let error = greet(&quick(), server.url("/a").as_str()).unwrap_err();
        assert!(matches!(error, GitError::Protocol { .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    let status = |status| {
        let server = Server::start(move |_, _| answer(status, &[], ""));
        greet(&quick(), server.url("/a").as_str()).unwrap_err()
    };
    assert!(matches!(
        status("404 Not Found"),
        GitError::RemoteNotFound { .. }
    ));
    assert!(matches!(
        status("403 Forbidden"),
        GitError::Forbidden { .. }
    ));
    let error = status("503 Busy");
    assert!(
        matches!(error, GitError::Http(HttpError::Status { status: 503, .. })),
        "{error}"
    );
}

#[test]
fn who_is_not_known_is_told_what_to_do() {
    let server = locked("nobody:nothing");
    let access = quick();
    let error = greet(&access, server.url("/a").as_str()).unwrap_err();
    let GitError::Unauthorized { host, tried, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(
        (host.as_str(), tried.len()),
        (&*format!("127.0.0.1:{}", server.port), 0)
    );
    assert_eq!(error.kind(), Kind::Unavailable);
    let hints = error.diagnostics()[0].hints.join("\n");
    let variable = format!("COOKPACK_GIT_TOKEN_127_0_0_1_{}", server.port);
    assert!(hints.contains(&variable), "{hints}");
    assert!(
        hints.contains(".netrc") && hints.contains("helper"),
        "{hints}"
    );
}

#[test]
fn leak_what_was_refused_is_named_without_its_value() {
    let server = locked("nobody:nothing");
    let mut access = quick();
    let host = format!("127.0.0.1:{}", server.port);
    access.tokens.insert(host.clone(), Secret::new("s3cret1"));
    access.config_values = vec![(
        "http.extraHeader".to_owned(),
        "Authorization: Basic s3cret2".to_owned(),
    )];
    let url = format!("http://me:s3cret3@{host}/a");
    let error = greet(&access, &url).unwrap_err();
    let GitError::Unauthorized { tried, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(tried.len(), 3, "{tried:?}");
    let shown = format!("{error} {error:?} {:?}", error.diagnostics());
    assert!(!shown.contains("s3cret"), "{shown}");
    assert!(!format!("{access:?}").contains("s3cret1"));
    let sent: Vec<_> = server
        .seen()
        .iter()
        .map(|s| s.header("authorization").map(str::to_owned))
        .collect();
    assert_eq!(sent.len(), 3);
    assert_eq!(sent[0].as_deref(), Some("Basic s3cret2"));
    assert!(sent.iter().all(Option::is_some));
}

#[test]
fn a_user_and_a_password_in_the_address_are_sent_at_once() {
    let server = locked("me:p@ss");
    let url = format!("http://me:p%40ss@127.0.0.1:{}/a", server.port);
    greet(&quick(), &url).unwrap();
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn the_netrc_file_is_asked_after_the_server_asks_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let netrc = folder.path().join("netrc");
    std::fs::write(&netrc, "machine 127.0.0.1 login me password pw\n").unwrap();
    let mut access = quick();
    access.netrc = Some(netrc);
    let server = locked("me:pw");
    with(&access, server.url("/a").as_str(), |transport| {
        drop(transport.greeting().unwrap());
        drop(transport.request(b"0000").unwrap());
    });
    let logins: Vec<_> = server.seen().iter().map(login).collect();
    let known = Some("me:pw".to_owned());
    assert_eq!(logins, [None, known.clone(), known]);
}

#[test]
fn a_post_is_repeated_where_only_that_is_locked() {
    let server = Server::start(|seen, _| match (seen.method.as_str(), login(seen)) {
        ("POST", None) => unauthorized(),
        _ => speak(seen),
    });
    let folder = tempfile::tempdir().unwrap();
    let netrc = folder.path().join("netrc");
    std::fs::write(&netrc, "default login me password pw\n").unwrap();
    let mut access = quick();
    access.netrc = Some(netrc);
    with(&access, server.url("/a").as_str(), |transport| {
        drop(transport.greeting().unwrap());
        assert_eq!(text(transport.request(b"0000").unwrap()).unwrap(), "0000");
    });
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn the_conversation_goes_on_where_the_first_request_was_sent_to() {
    let server = Server::start(|seen, _| match seen.target.strip_prefix("/old") {
        Some(rest) => redirect("301 Moved", format!("/new.git{rest}")),
        None => speak(seen),
    });
    with(&quick(), server.url("/old").as_str(), |transport| {
        drop(transport.greeting().unwrap());
        drop(transport.request(b"0000").unwrap());
    });
    assert_eq!(server.seen()[2].target, "/new.git/git-upload-pack");
}

#[test]
fn a_redirect_to_a_page_is_told() {
    let server = Server::start(|seen, _| match seen.target.as_str() {
        "/login" => answer("200 OK", &[("Content-Type", "text/html")], "sign in"),
        _ => redirect("302 Found", "/login"),
    });
    let error = greet(&quick(), server.url("/a").as_str()).unwrap_err();
    assert!(matches!(error, GitError::Protocol { .. }), "{error}");
    assert!(error.to_string().contains("/login"), "{error}");
}

#[test]
fn a_redirect_in_the_midst_or_against_the_configuration_is_not_followed() {
    let server = Server::start(|seen, _| match seen.method.as_str() {
        "POST" if !seen.target.starts_with("/b") => redirect("307 Temporary", "/b/git-upload-pack"),
        _ => speak(seen),
    });
    let post = |access: &GitAccess| {
        with(access, server.url("/a").as_str(), |transport| {
            drop(transport.greeting()?);
            text(transport.request(b"0000")?)
        })
    };
    assert!(matches!(post(&quick()), Err(GitError::Protocol { .. })));
    let follows = |value: &str| {
        let mut access = quick();
        access.config_values = vec![("http.followRedirects".to_owned(), value.to_owned())];
        access
    };
    assert_eq!(post(&follows("true")).unwrap(), "0000");
    let moved = Server::start(|_, _| redirect("301 Moved", "/b"));
    let error = greet(&follows("false"), moved.url("/a").as_str()).unwrap_err();
    assert!(error.to_string().contains("followRedirects"), "{error}");
    assert_eq!(moved.seen().len(), 1);
}

#[test]
fn attack_no_credential_follows_a_redirect_to_another_host() {
    let folder = tempfile::tempdir().unwrap();
    let netrc = folder.path().join("netrc");
    // Another name of this machine is another host.
    std::fs::write(&netrc, "machine 127.0.0.1 login n password s3cret\n").unwrap();
    let thief = Server::start(|_, _| unauthorized());
    let to = format!("http://localhost:{}/b", thief.port);
    let server = Server::start(move |seen, _| {
        redirect(
            "302 Found",
            format!("{to}{}", seen.target.strip_prefix("/a").unwrap()),
        )
    });
    let mut access = quick();
    let host = format!("127.0.0.1:{}", server.port);
    access.tokens.insert(host.clone(), Secret::new("s3cret"));
    access.netrc = Some(netrc);
    access.config_values = vec![
        ("http.extraHeader".to_owned(), "X-All: s3cret".to_owned()),
        (
            format!("http.http://{host}.extraHeader"),
            "X-Own: s3cret".to_owned(),
        ),
        (
            format!("http.http://localhost:{}.extraHeader", thief.port),
            "X-Other: public".to_owned(),
        ),
    ];
    let error = greet(&access, &format!("http://me:s3cret@{host}/a")).unwrap_err();
    let GitError::Unauthorized { host, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*host, format!("localhost:{}", thief.port));
    let here = &server.seen()[0];
    assert_eq!(login(here).as_deref(), Some("me:s3cret"));
    assert_eq!(
        (here.header("x-all"), here.header("x-own")),
        (Some("s3cret"), Some("s3cret"))
    );
    for seen in thief.seen() {
        assert!(!format!("{seen:?}").contains("s3cret"), "{seen:?}");
        assert_eq!(login(&seen), None);
    }
    assert!(!thief.seen().is_empty());
}

#[test]
fn the_other_hosts_own_credentials_are_found_after_a_redirect() {
    let there = locked("x-access-token:tok");
    let to = format!("http://localhost:{}/b", there.port);
    let server = Server::start(move |seen, _| {
        redirect(
            "302 Found",
            format!("{to}{}", seen.target.strip_prefix("/a").unwrap()),
        )
    });
    let mut access = quick();
    let host = format!("localhost:{}", there.port);
    access.tokens.insert(host, Secret::new("tok"));
    with(&access, server.url("/a").as_str(), |transport| {
        drop(transport.greeting().unwrap());
        drop(transport.request(b"0000").unwrap());
    });
    let logins: Vec<_> = there.seen().iter().map(login).collect();
    let known = Some("x-access-token:tok".to_owned());
    assert_eq!(logins, [None, known.clone(), known]);
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn attack_servers_that_send_each_other_on_for_ever_are_left() {
    let server = Server::start(|seen, n| match n % 2 {
        0 => {
            let port = seen
                .header("host")
                .unwrap()
                .split(':')
                .nth(1)
                .unwrap()
                .to_owned();
            let host = if n % 4 == 0 { "localhost" } else { "127.0.0.1" };
            redirect("302 Found", format!("http://{host}:{port}{}", seen.target))
        }
        _ => unauthorized(),
    });
    let mut access = quick();
    for host in ["localhost", "127.0.0.1"] {
        let host = format!("{host}:{}", server.port);
        access.tokens.insert(host, Secret::new("tok"));
    }
    let error = greet(&access, server.url("/a").as_str()).unwrap_err();
    assert!(matches!(error, GitError::Unauthorized { .. }), "{error}");
    assert!(server.seen().len() <= 2 * ROUNDS);
}

#[test]
fn a_connection_that_breaks_is_told_with_its_address() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nContent-Length: 10\r\n\r\n000e".to_vec();
    let server = Server::start(move |_, _| Reply::Send(head.clone()));
    let url = format!("http://me:s3cret@127.0.0.1:{}/a", server.port);
    with(&quick(), &url, |transport| {
        let read = {
            let mut greeting = transport.greeting().unwrap();
            greeting.read_to_end(&mut Vec::new()).unwrap_err()
        };
        let error = transport.failure(read);
        assert!(matches!(error, GitError::Connection { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("s3cret"));
        let error = transport.failure(io::Error::other(Cancelled));
        assert_eq!(error.kind(), Kind::Cancelled);
    });
}

#[test]
fn settings_of_an_address_make_its_client() {
    let mut access = quick();
    access.http.https_proxy = Some(Secret::new("http://env.example:1"));
    access.http.ca_file = Some("/env.pem".into());
    access.config_values = [
        ("http.https://one.example.proxy", "http://own.example:2"),
        ("http.https://two.example.proxy", ""),
        ("http.https://two.example.sslCAInfo", "/two.pem"),
        ("http.https://two.example.sslCert", "/cert.pem"),
        ("http.https://two.example.sslKey", "/key.pem"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .to_vec();
    let made = |access: &GitAccess, url: &str| {
        options(
            &Url::parse(url).unwrap(),
            access,
            &GitConfig::open(access).unwrap(),
        )
    };
    let proxy = |options: &HttpOptions| options.https_proxy.as_ref().unwrap().expose().to_owned();
    let one = made(&access, "https://one.example/a");
    assert_eq!(proxy(&one), "http://own.example:2");
    assert_eq!(one.ca_file, Some("/env.pem".into()));
    let two = made(&access, "https://two.example/a");
    assert_eq!(proxy(&two), "");
    assert_eq!(two.ca_file, Some("/two.pem".into()));
    assert_eq!(two.client_certificate, Some("/cert.pem".into()));
    assert_eq!(two.client_key, Some("/key.pem".into()));
    let three = made(&access, "https://three.example/a");
    assert_eq!(proxy(&three), "http://env.example:1");
    access.ssl_authority = Some("/git.pem".into());
    let two = made(&access, "https://two.example/a");
    assert_eq!(two.ca_file, Some("/git.pem".into()));
}

#[test]
fn a_proxy_of_gits_configuration_is_used() {
    let server = Server::start(|seen, _| speak(seen));
    let port = server.port;
    let proxy = Server::start(move |_, _| Reply::Tunnel(port));
    let mut access = quick();
    access.config_values = vec![(
        "http.http://git.cookpack.invalid.proxy".to_owned(),
        format!("127.0.0.1:{}", proxy.port),
    )];
    greet(&access, "http://git.cookpack.invalid/a").unwrap();
    assert_eq!(proxy.seen().len(), 1);
}

#[test]
fn certificates_are_checked_whatever_git_is_told() {
    let server = Server::start_with(Some(tls_server(false)), |seen, _| speak(seen));
    let url = secure_url(&server, "/a");
    let url = url.as_str();
    let mut access = quick();
    access.http.ca_file = Some(fixture("authority.pem"));
    greet(&access, url).unwrap();
    access.http.ca_file = Some(fixture("client.pem"));
    let error = greet(&access, url).unwrap_err();
    assert!(
        matches!(error, GitError::Http(HttpError::Tls { .. })),
        "{error}"
    );
    access.config_values = vec![("http.sslVerify".to_owned(), "false".to_owned())];
    let error = greet(&access, url).unwrap_err();
    assert!(
        matches!(error, GitError::UncheckedCertificate { .. }),
        "{error}"
    );
}

#[test]
fn the_authorization_of_an_address_is_what_it_says() {
    let url = Url::parse("https://me:pw@example.com").unwrap();
    let (user, password) = userinfo(&url).unwrap();
    assert_eq!(basic(&user, &password.unwrap()).expose(), "Basic bWU6cHc=");
}
