//! Whether a setting that names a URL is one for another URL (git, `Documentation/config/http`,
//! `urlmatch.c` and `credential.c`).

use url::Url;

/// How well a setting's URL fits; the greater, the better. All zero is a setting without a URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Match {
    host: usize,
    path: usize,
    user: bool,
}

/// How well `pattern` fits a URL: scheme, host and port must be the same (a `*` is any one part of a
/// host's name), its path must begin the URL's path, and its user, if it names one, be the URL's.
pub(super) fn match_url(url: &Url, pattern: &str) -> Option<Match> {
    let pattern = Url::parse(pattern).ok()?;
    let host = pattern.host_str()?;
    let user = !pattern.username().is_empty();
    if pattern.scheme() != url.scheme()
        || pattern.port_or_known_default() != url.port_or_known_default()
        || !host_fits(url.host_str()?, host)
        || (user && pattern.username() != url.username())
    {
        return None;
    }
    Some(Match {
        host: host.len(),
        path: path_fits(url.path(), pattern.path())?,
        user,
    })
}

/// As [`match_url`]; what is no whole URL may be a part of one: `https://`, `example.com` or
/// `example.com/path`, which must be the URL's own.
pub(super) fn match_credential(url: &Url, pattern: &str) -> Option<Match> {
    if Url::parse(pattern).is_ok_and(|pattern| pattern.has_host()) {
        return match_url(url, pattern);
    }
    let (scheme, rest) = match pattern.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, pattern),
    };
    let (host, path) = match rest.split_once('/') {
        Some((host, path)) => (host, path.trim_matches('/')),
        None => (rest, ""),
    };
    let (user, host) = match host.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, host),
    };
    let fits = scheme.is_none_or(|scheme| scheme.eq_ignore_ascii_case(url.scheme()))
        && user.is_none_or(|user| user == url.username())
        && (host.is_empty() || host.eq_ignore_ascii_case(&super::super::host_and_port(url)))
        && (path.is_empty() || path == url.path().trim_matches('/'));
    fits.then(Match::default)
}

fn host_fits(host: &str, pattern: &str) -> bool {
    let (mut parts, mut wanted) = (host.split('.'), pattern.split('.'));
    loop {
        match (parts.next(), wanted.next()) {
            (None, None) => return true,
            (Some(part), Some(wanted)) if wanted == "*" || wanted == part => {}
            _ => return false,
        }
    }
}

/// How much of a path a pattern covers, in whole parts.
fn path_fits(path: &str, pattern: &str) -> Option<usize> {
    let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
    let rest = path.strip_prefix(pattern)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(pattern.len() + 1)
}
