//! A temporary folder with a home, a store and a project in it, and the binary run inside.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::{Repo, Tarball};

/// The one variable of the machine that a test passes on.
pub(crate) fn path_variable() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into())
}

/// A test's own world. All relative paths below are relative to its project folder.
pub(crate) struct Sandbox {
    root: TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("cookpack-it-").tempdir();
        let root = root.expect("a temporary folder");
        for folder in ["home", "project"] {
            fs::create_dir(root.path().join(folder)).expect("a folder");
        }
        Self { root }
    }

    /// The folder above all others.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.root.path().join("store")
    }

    /// The folder in which the binary runs.
    pub(crate) fn project(&self) -> PathBuf {
        self.root.path().join("project")
    }

    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.project().join(path)
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(&path, content).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        self
    }

    /// Writes the manifest: a bundle's head and the lines given.
    pub(crate) fn manifest(&self, cookbooks: &str) -> &Self {
        self.write(
            "cookpack.toml",
            format!("[bundle]\nname = \"bundle\"\n\n[cookbooks]\n{cookbooks}"),
        )
    }

    /// A small cookbook of version 1.0.0 in a folder, with more lines of metadata.
    pub(crate) fn cookbook(&self, folder: &str, name: &str, metadata: &str) -> &Self {
        self.write(
            format!("{folder}/metadata.rb"),
            format!("name '{name}'\nversion '1.0.0'\n{metadata}"),
        );
        self.write(
            format!("{folder}/recipes/default.rb"),
            format!("log 'from {name}'\n"),
        )
    }

    /// A repository in a folder, with nothing committed yet.
    pub(crate) fn repo(&self, folder: &str) -> Repo {
        Repo::init(&self.path(folder))
    }

    pub(crate) fn read(&self, path: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(path);
        fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    pub(crate) fn text(&self, path: impl AsRef<Path>) -> String {
        String::from_utf8(self.read(path)).expect("UTF-8")
    }

    pub(crate) fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }

    pub(crate) fn remove(&self, path: impl AsRef<Path>) {
        let path = self.path(path);
        let kind = path.symlink_metadata().expect("something to remove");
        let removed = match kind.is_dir() {
            true => fs::remove_dir_all(&path),
            false => fs::remove_file(&path),
        };
        removed.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }

    pub(crate) fn chmod(&self, path: impl AsRef<Path>, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).expect("chmod");
    }

    pub(crate) fn symlink(&self, target: &str, path: impl AsRef<Path>) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::os::unix::fs::symlink(target, &path).expect("a symbolic link");
        self
    }

    /// Gives a file a time of long ago, so that a rewrite shows. Returns what it then has.
    pub(crate) fn age(&self, path: impl AsRef<Path>) -> SystemTime {
        let path = self.path(path);
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let file = fs::File::options().append(true).open(&path).expect("open");
        file.set_modified(long_ago).expect("a time");
        self.modified(path)
    }

    pub(crate) fn modified(&self, path: impl AsRef<Path>) -> SystemTime {
        let found = self.path(path).metadata().expect("metadata");
        found.modified().expect("a time")
    }

    /// The binary with a cleared environment, not yet started.
    pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cookpack"));
        command
            .args(args)
            .env_clear()
            .env("PATH", path_variable())
            .env("HOME", self.home())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("COOKPACK_STORE", self.store())
            .current_dir(self.project())
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary with arguments that are separated by blanks, and with these variables.
    pub(crate) fn run_with(&self, args: &str, variables: &[(&str, &str)]) -> Run {
        let mut command = self.command(args.split_whitespace());
        finish(command.envs(variables.iter().copied()))
    }

    /// Forgets what was decided, and packs one cookbook `web` with this source; what is packed.
    pub(crate) fn pack(&self, source: &str) -> Tarball {
        self.pack_with(source, &[])
    }

    /// The same with these variables.
    pub(crate) fn pack_with(&self, source: &str, variables: &[(&str, &str)]) -> Tarball {
        self.forget_lock();
        self.manifest(&format!("web = {{ {source} }}\n"));
        self.run_with("build -o ../packed.tar.gz", variables).ok();
        Tarball::read(&self.read("../packed.tar.gz"))
    }

    /// The same, and which version of the cookbook that is.
    pub(crate) fn version(&self, source: &str) -> String {
        let archive = self.pack(source);
        let metadata = archive.text("web/metadata.rb");
        metadata.split('\'').nth(3).expect("a version").to_owned()
    }

    /// Forgets what was fetched and what was decided.
    pub(crate) fn forget(&self) {
        if self.store().exists() {
            fs::remove_dir_all(self.store()).expect("the store");
        }
        self.forget_lock();
    }

    /// Forgets what was decided.
    pub(crate) fn forget_lock(&self) {
        if self.exists("cookpack.lock") {
            self.remove("cookpack.lock");
        }
    }

    /// Runs the binary with arguments that are separated by blanks.
    pub(crate) fn run(&self, args: &str) -> Run {
        finish(&mut self.command(args.split_whitespace()))
    }

    /// Runs the binary and has it succeed.
    pub(crate) fn ok(&self, args: &str) -> Run {
        self.run(args).ok()
    }

    /// Builds into a file outside of the project, and reads the archive.
    pub(crate) fn build(&self, args: &str) -> Tarball {
        Tarball::read(&self.build_bytes(args))
    }

    /// Builds into a file outside of the project.
    pub(crate) fn build_bytes(&self, args: &str) -> Vec<u8> {
        let file = self.root().join("built.tar.gz");
        let mut command = self.command(args.split_whitespace());
        finish(command.arg("build").arg("-o").arg(&file)).ok();
        let bytes = fs::read(&file).expect("the archive");
        fs::remove_file(&file).expect("the archive");
        bytes
    }
}

/// How long a command may take: what hangs is a failure like another.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs a command to its end, or kills it at the limit.
pub(crate) fn finish(command: &mut Command) -> Run {
    finish_within(command, LIMIT)
}

/// The same with another limit.
pub(crate) fn finish_within(command: &mut Command, limit: Duration) -> Run {
    let shown = format!("{command:?}");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command
        .spawn()
        .unwrap_or_else(|e| panic!("cannot run {shown}: {e}"));
    let id = child.id().to_string();
    let (ended, wait) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        let hangs = wait
            .recv_timeout(limit)
            .is_err_and(|e| e == RecvTimeoutError::Timeout);
        if hangs {
            // It has not been waited for, so that the number is still its own.
            let _ = Command::new("kill").args(["-KILL", &id]).status();
        }
        hangs
    });
    let output = child.wait_with_output();
    drop(ended);
    let hung = watch.join().expect("the watch");
    let output = output.unwrap_or_else(|e| panic!("cannot run {shown}: {e}"));
    let run = Run::new(shown, output);
    assert!(!hung, "it was still running after {limit:?}: {run}");
    run
}

/// How a command ended.
pub(crate) struct Run {
    shown: String,
    /// Nothing if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn new(shown: String, output: Output) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = output;
        Self {
            shown,
            code: status.code(),
            stdout,
            stderr: String::from_utf8(stderr).expect("UTF-8 on stderr"),
        }
    }

    pub(crate) fn ok(self) -> Self {
        self.ends_with(0)
    }

    /// Has it end with an exit code.
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Has it fail with an exit code, a message on stderr, nothing on stdout and no panic.
    pub(crate) fn fails(self, code: i32) -> Self {
        let run = self.ends_with(code);
        assert!(run.stdout.is_empty(), "an error belongs on stderr: {run}");
        assert!(!run.stderr.trim().is_empty(), "an error says so: {run}");
        assert!(!run.stderr.contains("panicked"), "{run}");
        run
    }

    /// Has stderr say each of the texts.
    pub(crate) fn says<S: AsRef<str>>(self, texts: impl IntoIterator<Item = S>) -> Self {
        for text in texts {
            let text = text.as_ref();
            assert!(self.stderr.contains(text), "stderr lacks {text:?}: {self}");
        }
        self
    }

    /// Has stderr be silent about a text.
    pub(crate) fn never_says(self, text: &str) -> Self {
        assert!(!self.stderr.contains(text), "stderr has {text:?}: {self}");
        self
    }

    pub(crate) fn out(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("UTF-8 on stdout")
    }

    pub(crate) fn lines(&self) -> Vec<&str> {
        self.out().lines().collect()
    }

    /// Stdout as one JSON document and nothing else.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self}"))
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}\nended with {:?}", self.shown, self.code)?;
        let stdout = String::from_utf8_lossy(&self.stdout);
        let cut = stdout
            .char_indices()
            .nth(4000)
            .map_or(stdout.len(), |c| c.0);
        writeln!(
            f,
            "--- stdout\n{}\n--- stderr\n{}",
            &stdout[..cut],
            self.stderr
        )
    }
}

impl Sandbox {
    /// Runs a script in bash, in the project's folder, with `$cookpack` being the binary.
    pub(crate) fn shell(&self, script: &str) -> Run {
        let mut command = Command::new("bash");
        command
            .args(["-euo", "pipefail", "-s"])
            .env_clear()
            .env("PATH", path_variable())
            .env("HOME", self.home())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("COOKPACK_STORE", self.store())
            .env("cookpack", env!("CARGO_BIN_EXE_cookpack"))
            .current_dir(self.project())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("bash");
        let mut stdin = child.stdin.take().expect("stdin");
        stdin.write_all(script.as_bytes()).expect("a script");
        drop(stdin);
        Run::new(script.to_owned(), child.wait_with_output().expect("bash"))
    }
}
