//! Git repositories made on the spot, the same on every machine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::finish;
use super::sandbox::path_variable;

/// A repository with a work tree, its branch being `main`.
pub(crate) struct Repo {
    folder: PathBuf,
}

impl Repo {
    pub(crate) fn init(folder: &Path) -> Self {
        fs::create_dir_all(folder).expect("a folder");
        let repo = Self {
            folder: folder.to_owned(),
        };
        repo.git("init -q -b main");
        repo
    }

    /// Runs git with arguments that are separated by blanks; returns what it prints.
    pub(crate) fn git(&self, args: &str) -> String {
        self.git_args(&args.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs git; returns what it prints.
    pub(crate) fn git_args(&self, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command
            .args(args)
            .env_clear()
            .env("PATH", path_variable())
            .env("HOME", &self.folder)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "A. Author")
            .env("GIT_AUTHOR_EMAIL", "author@example.com")
            .env("GIT_AUTHOR_DATE", "2020-02-20T20:20:20Z")
            .env("GIT_COMMITTER_NAME", "C. Committer")
            .env("GIT_COMMITTER_EMAIL", "committer@example.com")
            .env("GIT_COMMITTER_DATE", "2020-02-20T20:20:20Z")
            .current_dir(&self.folder);
        finish(&mut command).ok().out().trim_end().to_owned()
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, content).expect("a file");
        self
    }

    pub(crate) fn executable(&self, path: &str, content: &str) -> &Self {
        self.write(path, content);
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.folder.join(path), mode).expect("chmod");
        self
    }

    /// A submodule at a path: what stands there in git, and the entry in `.gitmodules`.
    pub(crate) fn submodule(&self, path: &str, url: &str, commit: &str) -> &Self {
        let modules = self.folder.join(".gitmodules");
        let mut text = fs::read_to_string(&modules).unwrap_or_default();
        text += &format!("[submodule \"{path}\"]\n\tpath = {path}\n\turl = {url}\n");
        fs::write(&modules, text).expect("a file");
        self.gitlink(path, commit)
    }

    /// What stands in git for a submodule, and no more.
    pub(crate) fn gitlink(&self, path: &str, commit: &str) -> &Self {
        // An empty folder is a submodule that is not checked out: `git add` leaves it alone.
        fs::create_dir_all(self.folder.join(path)).expect("a folder");
        let entry = format!("160000,{commit},{path}");
        self.git_args(&["update-index", "--add", "--cacheinfo", &entry]);
        self
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn symlink(&self, target: &str, path: &str) -> &Self {
        std::os::unix::fs::symlink(target, self.folder.join(path)).expect("a symbolic link");
        self
    }

    /// A small cookbook in a folder of the repository (`.` is its root).
    pub(crate) fn cookbook(&self, folder: &str, name: &str, version: &str) -> &Self {
        self.cookbook_with(folder, name, version, "")
    }

    /// The same with more lines of metadata.
    pub(crate) fn cookbook_with(
        &self,
        folder: &str,
        name: &str,
        version: &str,
        metadata: &str,
    ) -> &Self {
        self.write(
            &format!("{folder}/metadata.rb"),
            format!("name '{name}'\nversion '{version}'\n{metadata}"),
        );
        self.write(
            &format!("{folder}/recipes/default.rb"),
            format!("log 'from {name} {version}'\n"),
        )
    }

    /// Commits everything; returns the commit.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git("add -A -f");
        self.git_args(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git("rev-parse HEAD")
    }
}
