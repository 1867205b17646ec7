//! What the store has of a repository, read with git's own eyes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::sandbox::path_variable;
use super::{Run, Sandbox, finish};

/// A repository's mirror in the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mirror {
    pub(crate) folder: PathBuf,
}

impl Mirror {
    /// All mirrors of a sandbox's store, by name.
    pub(crate) fn all(sandbox: &Sandbox) -> Vec<Self> {
        let folder = sandbox.store().join("git-1");
        let mut mirrors: Vec<_> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.is_dir() && path.join("objects").is_dir())
            .map(|folder| Self { folder })
            .collect();
        mirrors.sort();
        mirrors
    }

    /// The mirror of the one repository whose address ends with this name.
    pub(crate) fn of(sandbox: &Sandbox, name: &str) -> Self {
        let all = Self::all(sandbox);
        let mut found = all
            .iter()
            .filter(|m| m.name().starts_with(&format!("{name}-")));
        match (found.next(), found.next()) {
            (Some(mirror), None) => mirror.clone(),
            _ => panic!("not one mirror of {name}: {all:?}"),
        }
    }

    /// The folder's name.
    pub(crate) fn name(&self) -> String {
        let name = self.folder.file_name().expect("a name");
        name.to_str().expect("UTF-8").to_owned()
    }

    fn command(&self, args: &[&str]) -> Run {
        let mut command = Command::new("git");
        command
            .arg("--git-dir")
            .arg(&self.folder)
            .args(args)
            .env_clear()
            .env("PATH", path_variable())
            .env("HOME", &self.folder)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        finish(&mut command)
    }

    /// The ids of all objects of a type (`commit`, `blob`, ...).
    pub(crate) fn objects(&self, kind: &str) -> Vec<String> {
        let all = self
            .command(&[
                "cat-file",
                "--batch-all-objects",
                "--batch-check=%(objecttype) %(objectname)",
            ])
            .ok();
        let lines = all.out().lines();
        let mut found: Vec<_> = lines
            .filter_map(|line| line.strip_prefix(&format!("{kind} ")))
            .map(str::to_owned)
            .collect();
        found.sort();
        found.dedup();
        found
    }

    /// The files that hold objects.
    pub(crate) fn object_files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        collect(&self.folder.join("objects"), &mut files);
        files.retain(|file| {
            let ending = file.extension().and_then(|e| e.to_str());
            ending == Some("pack")
                || ending.is_none()
                    && file
                        .file_name()
                        .is_some_and(|n| n.len() == 38 || n.len() == 62)
        });
        files.sort();
        files
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => collect(&path, files),
            false => files.push(path),
        }
    }
}
