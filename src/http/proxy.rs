//! Which hosts are reached through a proxy.

use std::net::IpAddr;

use ureq::Proxy;
use url::{Host, Url};

use super::HttpError;
use crate::manifest::redact;
use crate::secret::Secret;

/// A proxy by its address, as curl reads it: without a scheme it is one that speaks http. No address
/// is none.
pub(super) fn parse(address: &Secret) -> Result<Option<(Proxy, String)>, HttpError> {
    let text = address.expose().trim();
    if text.is_empty() {
        return Ok(None);
    }
    let whole = match text.contains("://") {
        true => text.to_owned(),
        false => format!("http://{text}"),
    };
    let shown = redact(&whole);
    // ureq takes a port that is none for no port.
    let parsed = Url::parse(&whole).ok().and(Proxy::new(&whole).ok());
    match parsed {
        Some(proxy) => Ok(Some((proxy, shown))),
        None => Err(HttpError::InvalidProxy { proxy: shown }),
    }
}

/// Whether `no_proxy` names a URL's host, as curl reads it: names between commas or spaces, each for
/// the hosts below it as well; addresses, and networks as `10.0.0.0/8`; `*` for all. A port may
/// follow a name.
pub(super) fn is_direct(no_proxy: &str, url: &Url) -> bool {
    let mut names = no_proxy
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|name| !name.is_empty());
    names.any(|name| name == "*" || fits(name, url))
}

fn fits(name: &str, url: &Url) -> bool {
    let address = match url.host() {
        None => return false,
        Some(Host::Domain(host)) => return host_fits(name, host, url.port_or_known_default()),
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
    };
    if let Some((network, bits)) = name.split_once('/') {
        let network = network.parse().ok().zip(bits.parse().ok());
        return network.is_some_and(|(network, bits)| is_within(address, network, bits));
    }
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    if bare.parse() == Ok(address) {
        return true;
    }
    let with_port = name.parse::<std::net::SocketAddr>();
    with_port.is_ok_and(|named| {
        named.ip() == address && Some(named.port()) == url.port_or_known_default()
    })
}

fn host_fits(name: &str, host: &str, port: Option<u16>) -> bool {
    let (name, wanted) = match name.rsplit_once(':') {
        Some((name, wanted)) => match wanted.parse::<u16>() {
            Ok(wanted) => (name, Some(wanted)),
            Err(_) => return false,
        },
        None => (name, None),
    };
    if wanted.is_some() && wanted != port {
        return false;
    }
    let name = name.strip_prefix("*").unwrap_or(name);
    let name = name.strip_prefix('.').unwrap_or(name).trim_end_matches('.');
    let name = name.to_ascii_lowercase();
    let host = host.trim_end_matches('.');
    match host.strip_suffix(&name) {
        Some(rest) => !name.is_empty() && (rest.is_empty() || rest.ends_with('.')),
        None => false,
    }
}

/// Whether an address begins with the same bits as a network.
fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let (address, network, all) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => (u128::from(a.to_bits()), u128::from(n.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(n)) => (a.to_bits(), n.to_bits(), 128),
        _ => return false,
    };
    let Some(rest) = u32::checked_sub(all, bits) else {
        return false;
    };
    let cut = |value: u128| value.checked_shr(rest).unwrap_or(0);
    cut(address) == cut(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direct(no_proxy: &str, url: &str) -> bool {
        is_direct(no_proxy, &Url::parse(url).unwrap())
    }

    #[test]
    fn no_proxy_names_hosts_and_all_below_them() {
        for name in [
            "example.com",
            ".example.com",
            "*.example.com",
            "EXAMPLE.COM",
            "a, example.com",
        ] {
            assert!(direct(name, "https://example.com/"), "{name}");
            assert!(direct(name, "https://git.example.com/"), "{name}");
            assert!(!direct(name, "https://badexample.com/"), "{name}");
            assert!(!direct(name, "https://example.com.evil/"), "{name}");
        }
        assert!(direct("*", "https://anything/"));
        assert!(!direct("", "https://anything/"));
        assert!(!direct(".", "https://anything/"));
        assert!(direct("example.com:8443", "https://example.com:8443/"));
        assert!(!direct("example.com:8443", "https://example.com/"));
    }

    #[test]
    fn no_proxy_names_addresses_and_networks() {
        assert!(direct("127.0.0.1", "http://127.0.0.1:8080/"));
        assert!(direct("127.0.0.1:8080", "http://127.0.0.1:8080/"));
        assert!(!direct("127.0.0.1:8081", "http://127.0.0.1:8080/"));
        assert!(direct("10.0.0.0/8", "http://10.1.2.3/"));
        assert!(!direct("10.0.0.0/8", "http://11.1.2.3/"));
        assert!(direct("0.0.0.0/0", "http://11.1.2.3/"));
        assert!(!direct("10.0.0.0/40", "http://10.0.0.0/"));
        assert!(direct("::1", "http://[::1]/"));
        assert!(direct("[::1]", "http://[::1]/"));
        assert!(direct("fe80::/10", "http://[fe80::1]/"));
        assert!(direct("::/0", "http://[fe80::1]/"));
        assert!(!direct("10.0.0.0/8", "http://[::1]/"));
    }

    #[test]
    fn leak_a_proxys_password_is_not_shown() {
        let proxy = |text: &str| parse(&Secret::new(text));
        let (_, shown) = proxy("me:s3cret@proxy.example:3128").unwrap().unwrap();
        assert_eq!(shown, "http://proxy.example:3128");
        for wrong in [
            "ftp://me:s3cret@proxy.example",
            "me:s3cret@proxy.example:x",
            "http://me:s3 cret@h",
        ] {
            let error = proxy(wrong).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3"), "{error:?}");
        }
        assert!(proxy(" ").unwrap().is_none());
    }
}
