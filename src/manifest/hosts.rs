//! The hosts whose repositories have a short form: `github = "owner/repository"`.

/// How the short form of a repository (`github`, `gitlab`, `bitbucket`) becomes an address.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GitProtocol {
    /// `https://github.com/owner/repository.git`.
    #[default]
    Https,
    /// `git@github.com:owner/repository.git`.
    Ssh,
}

impl GitProtocol {
    pub(crate) const ALL: [(&'static str, GitProtocol); 2] =
        [("https", GitProtocol::Https), ("ssh", GitProtocol::Ssh)];

    /// Its name in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Ssh => "ssh",
        }
    }
}

/// A host of git repositories.
pub(super) struct Host {
    /// The key of its short form.
    pub(super) key: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// Whether a repository may stand in a group within a group.
    has_subgroups: bool,
}

/// The hosts whose repositories have a short form.
pub(super) const HOSTS: [Host; 3] = [
    Host {
        key: "github",
        name: "github.com",
        has_subgroups: false,
    },
    Host {
        key: "gitlab",
        name: "gitlab.com",
        has_subgroups: true,
    },
    Host {
        key: "bitbucket",
        name: "bitbucket.org",
        has_subgroups: false,
    },
];

/// A text that names no repository at a host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no repository at {host}: write {expected}", found.escape_debug())]
pub(super) struct InvalidRepository {
    found: String,
    host: &'static str,
    expected: &'static str,
}

impl Host {
    /// The host of a short form.
    pub(super) fn of_key(key: &str) -> Option<&'static Host> {
        HOSTS.iter().find(|host| host.key == key)
    }

    /// The address of a repository there, as Berkshelf makes it (berkshelf/berkshelf,
    /// `lib/berkshelf/locations/github.rb`).
    pub(super) fn address(&self, repository: &str, protocol: GitProtocol) -> String {
        let name = self.name;
        match protocol {
            GitProtocol::Https => format!("https://{name}/{repository}.git"),
            GitProtocol::Ssh => format!("git@{name}:{repository}.git"),
        }
    }

    /// Checks `owner/repository`.
    pub(super) fn check(&self, repository: &str) -> Result<String, InvalidRepository> {
        let is_plain = |part: &str| {
            let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
            !part.is_empty()
                && part.bytes().all(allowed)
                && !matches!(part, "." | "..")
                && !part.starts_with('-')
        };
        let parts = repository.split('/').count();
        let fits = parts == 2 || (parts > 2 && self.has_subgroups);
        let expected = match self.has_subgroups {
            _ if repository.ends_with(".git") => "it without `.git`",
            true => "`owner/repository` or `group/subgroup/repository`",
            false => "`owner/repository`",
        };
        match fits && repository.split('/').all(is_plain) && !repository.ends_with(".git") {
            true => Ok(repository.to_owned()),
            false => Err(InvalidRepository {
                found: repository.to_owned(),
                host: self.name,
                expected,
            }),
        }
    }
}

/// The `https://` address of a repository that is written with `git://`, which these hosts have
/// ceased to serve. None for other hosts.
pub(super) fn rewritten(authority_and_path: &str) -> Option<String> {
    let (authority, path) = authority_and_path.split_once('/')?;
    // 9418 is the port of git:// itself; a user would be a part of another host's address.
    let name = authority.strip_suffix(":9418").unwrap_or(authority);
    let host = HOSTS
        .iter()
        .find(|host| host.name.eq_ignore_ascii_case(name))?;
    Some(format!("https://{}/{path}", host.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_form_is_an_address_by_either_protocol() {
        let address = |key: &str, repository: &str, protocol| {
            let host = Host::of_key(key).unwrap();
            host.address(&host.check(repository).unwrap(), protocol)
        };
        assert_eq!(
            address("github", "example/java", GitProtocol::Https),
            "https://github.com/example/java.git"
        );
        assert_eq!(
            address("bitbucket", "example/java", GitProtocol::Ssh),
            "git@bitbucket.org:example/java.git"
        );
        assert_eq!(
            address("gitlab", "a/b/c.d_e-f", GitProtocol::Ssh),
            "git@gitlab.com:a/b/c.d_e-f.git"
        );
        assert!(Host::of_key("git").is_none());
    }

    #[test]
    fn a_short_form_is_an_owner_and_a_repository_and_nothing_else() {
        let github = Host::of_key("github").unwrap();
        let gitlab = Host::of_key("gitlab").unwrap();
        for bad in [
            "",
            "java",
            "a/b/c",
            "a/",
            "/b",
            "a//b",
            "../b",
            "a/..",
            "-a/b",
            "a/-b",
            "a/b.git",
            "a/b?x",
            "a/b#x",
            "a b/c",
            "a:b/c",
            "me@evil.example/b",
            "https://github.com/a/b",
            "é/b",
        ] {
            let error = github.check(bad).expect_err(bad).to_string();
            assert!(error.contains("github.com: write"), "{error}");
            if bad != "a/b/c" {
                assert!(gitlab.check(bad).is_err(), "{bad}");
            }
        }
    }

    #[test]
    fn an_address_that_is_no_longer_served_is_rewritten_for_the_known_hosts_alone() {
        for (address, wanted) in [
            ("github.com/a/b.git", Some("https://github.com/a/b.git")),
            ("GitHub.com:9418/a/b", Some("https://github.com/a/b")),
            ("gitlab.com/a/b/c", Some("https://gitlab.com/a/b/c")),
            ("bitbucket.org/a/b", Some("https://bitbucket.org/a/b")),
            ("github.com:80/a/b", None),
            ("github.com@evil.example/a", None),
            ("me@github.com/a", None),
            ("github.com.evil.example/a", None),
            ("git.example.com/a", None),
            ("github.com", None),
        ] {
            assert_eq!(rewritten(address).as_deref(), wanted, "{address}");
        }
    }
}
