use super::*;

fn parsed(text: &str) -> GitConfig {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, text).unwrap();
    let access = GitAccess {
        config_files: vec![folder.path().join("missing"), file],
        environment: vec![("HOME".into(), "/home/me".into())],
        ..GitAccess::default()
    };
    GitConfig::open(&access).unwrap()
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[track_caller]
fn rewrites(config: &GitConfig, from: &str, to: &str) {
    let rewritten = config.rewritten(&from.parse().unwrap()).unwrap();
    assert_eq!(rewritten.with_credentials(), to);
}

fn helpers(config: &GitConfig, of: &str) -> Vec<String> {
    let values = config.credential_values(&url(of), "helper");
    let values = after_reset(values, Secret::expose);
    values.iter().map(|v| v.expose().to_owned()).collect()
}

#[test]
fn the_last_value_of_the_last_file_counts_and_given_values_win() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("1"), folder.path().join("2"));
    std::fs::write(
        &first,
        "[core]\n\tsshCommand = one\n[Ssh]\n\tVariant = plink\n",
    )
    .unwrap();
    std::fs::write(
        &second,
        "[core]\n\tsshcommand = two\n\tsshCommand = three\n",
    )
    .unwrap();
    let mut access = GitAccess {
        config_files: vec![first, second],
        ..GitAccess::default()
    };
    let config = GitConfig::open(&access).unwrap();
    assert_eq!(config.text("core.sshCommand").as_deref(), Some("three"));
    assert_eq!(config.text("SSH.variant").as_deref(), Some("plink"));
    assert_eq!(config.text("core.editor"), None);
    access.config_values = vec![("CORE.sshCommand".to_owned(), "four".to_owned())];
    let config = GitConfig::open(&access).unwrap();
    assert_eq!(config.text("core.sshCommand").as_deref(), Some("four"));
}

#[test]
fn included_files_are_read_where_they_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, "[core]\nsshCommand = a\n[include]\npath = more\n").unwrap();
    std::fs::write(folder.path().join("more"), "[core]\nsshCommand = b\n").unwrap();
    let access = GitAccess {
        config_files: vec![file],
        ..GitAccess::default()
    };
    let config = GitConfig::open(&access).unwrap();
    assert_eq!(config.text("core.sshCommand").as_deref(), Some("b"));
}

#[test]
fn a_file_that_is_not_gits_language_is_an_error_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, "[core]\n\teditor = vi\n[http\n").unwrap();
    let access = GitAccess {
        config_files: vec![file.clone()],
        ..GitAccess::default()
    };
    let error = GitConfig::open(&access).err().unwrap().to_string();
    assert!(error.contains(&file.display().to_string()), "{error}");
    assert!(error.contains(":3)") || error.contains("line 3"), "{error}");
}

#[test]
fn a_folder_and_a_value_without_a_name_are_no_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let access = GitAccess {
        config_files: vec![folder.path().to_owned()],
        ..GitAccess::default()
    };
    assert!(GitConfig::open(&access).is_err());
    let access = GitAccess {
        config_values: vec![("nonsense".to_owned(), "x".to_owned())],
        ..GitAccess::default()
    };
    assert!(GitConfig::open(&access).is_err());
}

#[test]
fn the_longest_instead_of_wins_and_only_once() {
    let config = parsed(
        r#"
        [url "https://mirror.example/"]
            insteadOf = https://example.com/
            insteadOf = ex:
        [url "git@example.com:"]
            insteadOf = https://example.com/private/
        [url "https://again.example/"]
            insteadOf = https://mirror.example/
        "#,
    );
    rewrites(&config, "https://example.com/a", "https://mirror.example/a");
    rewrites(
        &config,
        "https://example.com/private/a",
        "git@example.com:a",
    );
    rewrites(&config, "ex:a/b", "https://mirror.example/a/b");
    rewrites(
        &config,
        "https://other.example/a",
        "https://other.example/a",
    );
}

#[test]
fn the_first_base_wins_where_two_claim_one_prefix() {
    let config = parsed(
        r#"
        [url "https://one.example/"]
            insteadOf = other:
        [url "https://two.example/"]
            insteadOf = x:
        [url "https://one.example/"]
            insteadOf = x:
        "#,
    );
    rewrites(&config, "x:a", "https://one.example/a");
}

#[test]
fn attack_instead_of_cannot_name_a_remote_helper_or_an_option() {
    for base in ["ext::sh -c ", "--upload-pack=", "git://example.com/"] {
        let config = parsed(&format!("[url \"{base}\"]\n\tinsteadOf = x:\n"));
        let error = config.rewritten(&"x:a".parse().unwrap()).unwrap_err();
        assert!(matches!(error, GitError::Configuration { .. }), "{error}");
    }
}

#[test]
fn leak_a_token_in_instead_of_is_not_shown() {
    let config = parsed("[url \"ftp://me:s3cret@example.com/\"]\n\tinsteadOf = x:\n");
    let error = config.rewritten(&"x:a".parse().unwrap()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
    let config = parsed("[url \"https://s3cret@example.com/\"]\n\tinsteadOf = x:\n");
    let url = config.rewritten(&"x:a".parse().unwrap()).unwrap();
    assert!(!format!("{url} {url:?}").contains("s3cret"));
}

#[test]
fn the_setting_of_the_most_specific_url_counts_whatever_its_place() {
    let config = parsed(
        r#"
        [http "https://example.com/a/b"]
            proxy = path
        [http "https://example.com"]
            proxy = host
        [http "https://*.example.com"]
            proxy = any
        [http "https://git.example.com:8443/"]
            proxy = port
        [http "https://me@example.com/a/b"]
            proxy = user
        [http]
            proxy = all
        "#,
    );
    let proxy = |of: &str| config.http_text(&url(of), "proxy").unwrap();
    for (of, wanted) in [
        ("https://example.com/a/b/c", "path"),
        ("https://me@example.com/a/b/c", "user"),
        ("https://example.com/a/bc", "host"),
        ("https://EXAMPLE.com:443/", "host"),
        ("https://git.example.com/a", "any"),
        ("https://a.b.example.com/a", "all"),
        ("https://git.example.com:8443/a", "port"),
        ("http://example.com/a/b", "all"),
        ("https://example.com:8443/a/b", "all"),
    ] {
        assert_eq!(proxy(of).expose(), wanted, "{of}");
    }
}

#[test]
fn headers_add_up_and_an_empty_one_resets() {
    let config = parsed(
        r#"
        [http]
            extraHeader = A: 1
        [http "https://example.com/"]
            extraHeader = B: 2
            extraHeader = C: 3
        [http]
            extraHeader = D: 4
        [http "https://reset.example/"]
            extraHeader =
            extraHeader = E: 5
        "#,
    );
    let headers = |of: &str| {
        let values = config.http_values(&url(of), "extraHeader");
        let values = after_reset(values, |found| found.value.expose());
        let text = values.iter().map(|v| v.value.expose().to_owned());
        text.collect::<Vec<_>>()
    };
    assert_eq!(headers("https://example.com/x"), ["A: 1", "B: 2", "C: 3"]);
    assert_eq!(headers("https://other.example/"), ["A: 1", "D: 4"]);
    assert_eq!(headers("https://reset.example/"), ["E: 5"]);
}

#[test]
fn files_begin_at_home_where_they_say_so() {
    let config = parsed("[http]\n\tsslCAInfo = ~/ca.pem\n\tsslCert = /etc/c.pem\n\tsslVerify\n");
    let of = url("https://example.com/");
    let path = |name| config.http_path(&of, name);
    assert_eq!(path("sslCAInfo"), Some("/home/me/ca.pem".into()));
    assert_eq!(path("sslCert"), Some("/etc/c.pem".into()));
    assert_eq!(path("sslKey"), None);
    assert_eq!(config.http_flag(&of, "sslVerify"), Some(true));
}

#[test]
fn helpers_of_a_host_are_found_by_url_and_by_name_alone() {
    let config = parsed(
        r#"
        [credential]
            helper = all
        [credential "https://example.com"]
            helper =
            helper = own
            useHttpPath = true
        [credential "other.example"]
            helper = partial
        [credential "https://"]
            helper = secure
        "#,
    );
    assert_eq!(helpers(&config, "https://example.com/a"), ["own"]);
    assert_eq!(
        helpers(&config, "https://other.example/a"),
        ["all", "partial", "secure"]
    );
    assert_eq!(helpers(&config, "http://third.example/a"), ["all"]);
    assert!(config.credential_flag(&url("https://example.com/a"), "useHttpPath"));
    assert!(!config.credential_flag(&url("https://other.example/a"), "useHttpPath"));
}

#[test]
fn the_server_of_large_files_is_the_remotes_own_or_that_of_all() {
    let text = "[remote \"origin\"]\n\tlfsurl = https://h/origin\n\
        [remote \"web\"]\n\turl = https://me:pw@h/web.git\n\tlfsURL = https://h/for-web\n\
        [remote \"other\"]\n\turl = https://h/other.git\n";
    let found = |config: &GitConfig, url: &str| {
        let found = config.lfs_url(&url.parse().unwrap());
        found.map(|url| url.expose().to_owned())
    };
    let config = parsed(text);
    let web = found(&config, "https://h/web.git");
    assert_eq!(web.as_deref(), Some("https://h/for-web"));
    let other = found(&config, "https://h/other.git");
    assert_eq!(other.as_deref(), Some("https://h/origin"));
    let config = parsed(&format!("{text}[lfs]\n\turl = https://h/all\n"));
    let web = found(&config, "https://h/web.git");
    assert_eq!(web.as_deref(), Some("https://h/all"));
    assert_eq!(found(&parsed("[lfs]\n\turl =\n"), "https://h/a"), None);
}
