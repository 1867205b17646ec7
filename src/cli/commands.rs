//! One function a command: calls an operation, prints its result.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::args::{Arguments, Command, Global};
use super::progress::Terminal;
use super::{Failure, environment, report, standard_output};
use crate::archive::{ArchiveOptions, Format};
use crate::event::CancelToken;
use crate::lockfile::Lockfile;
use crate::manifest::LayoutKind;
use crate::name::CookbookName;
use crate::ops::{
    self, Context, LockMode, Project, dependency_tree, init_manifest, list_files, list_folder,
    load_folder, lock_and_assemble, open_project, stream_archive, vendor, write_archive,
    write_lockfile,
};

/// Runs one command.
pub(super) fn run(arguments: &Arguments, cancel: &CancelToken) -> Result<(), Failure> {
    let global = &arguments.global;
    let terminal = Terminal::new(global);
    if let Command::Completions { shell } = &arguments.command {
        let mut script = Vec::new();
        clap_complete::generate(*shell, &mut Arguments::command(), "cookpack", &mut script);
        return standard_output(global.color).text(&String::from_utf8_lossy(&script));
    }
    let jobs = global
        .jobs
        .or_else(|| std::thread::available_parallelism().ok());
    let cx = Context::new(environment::store(global)?)
        .with_reporter(&terminal)
        .with_cancel(cancel)
        .with_jobs(jobs.unwrap_or(NonZeroUsize::MIN))
        .with_offline(global.offline || global.frozen);
    match &arguments.command {
        Command::Init { dir } => init(&cx, global, dir),
        Command::Build { output, layout } => {
            let kind = layout.map(LayoutKind::from);
            build(&cx, global, output.as_deref(), kind)
        }
        Command::Lock => lock(&cx, global),
        Command::Update { names } => update(&cx, global, names),
        Command::Vendor { dir, layout } => {
            vendor_into(&cx, global, dir, layout.map(LayoutKind::from))
        }
        Command::Tree => tree(&cx, global),
        Command::Files { dir, layout } => {
            files(&cx, global, dir.as_deref(), layout.map(LayoutKind::from))
        }
        Command::Metadata { dir } => metadata(&cx, global, dir),
        Command::Completions { .. } => Ok(()),
    }
}

fn project(cx: &Context<'_>, global: &Global) -> Result<Project, Failure> {
    let path = global.manifest_path.as_deref().unwrap_or(Path::new("."));
    Ok(open_project(cx, path)?)
}

/// A project whose archive is laid out in another way than its manifest says.
fn project_as(
    cx: &Context<'_>,
    global: &Global,
    layout: Option<LayoutKind>,
) -> Result<Project, Failure> {
    let mut project = project(cx, global)?;
    if let Some(layout) = layout {
        project.manifest.bundle.layout = layout;
    }
    Ok(project)
}

fn mode<'a>(global: &Global, lockfile: Option<&'a Lockfile>) -> LockMode<'a> {
    match lockfile {
        lockfile if global.locked || global.frozen => LockMode::Exact(lockfile),
        Some(lockfile) => LockMode::Prefer(lockfile),
        None => LockMode::Fresh,
    }
}

fn init(cx: &Context<'_>, global: &Global, dir: &Path) -> Result<(), Failure> {
    let path = init_manifest(cx, dir)?;
    if global.quiet {
        return Ok(());
    }
    standard_output(global.color).text(&format!("wrote {}\n", path.display()))
}

fn build(
    cx: &Context<'_>,
    global: &Global,
    output: Option<&Path>,
    layout: Option<LayoutKind>,
) -> Result<(), Failure> {
    let options = ArchiveOptions {
        mtime: environment::mtime()?,
    };
    let project = project_as(cx, global, layout)?;
    let mode = mode(global, project.lockfile.as_ref());
    let (lockfile, layout) = lock_and_assemble(cx, &project.manifest, mode)?;
    write_lockfile(&project.lockfile_path, &lockfile)?;

    if output == Some(Path::new("-")) {
        let mut stdout = io::stdout().lock();
        let archive = stream_archive(cx, &layout, &mut stdout, Format::TarGz, &options)?;
        let receipt = match global.json {
            true => format!("{:#}\n", report::archive_json(None, &archive)),
            false => report::archive_text("-", &archive),
        };
        if !global.quiet || global.json {
            let _ = io::stderr().write_all(receipt.as_bytes());
        }
        return Ok(());
    }
    let path = match output {
        Some(path) => path.to_owned(),
        None => PathBuf::from(format!("{}.tar.gz", project.manifest.bundle.name)),
    };
    let archive = write_archive(cx, &layout, &path, Format::TarGz, &options)?;
    let mut out = standard_output(global.color);
    match (global.json, global.quiet) {
        (true, _) => out.json(&report::archive_json(Some(&path), &archive)),
        (false, true) => Ok(()),
        (false, false) => out.text(&report::archive_text(&path.display().to_string(), &archive)),
    }
}

fn lock(cx: &Context<'_>, global: &Global) -> Result<(), Failure> {
    let project = project(cx, global)?;
    let mode = mode(global, project.lockfile.as_ref());
    let lockfile = ops::lock(cx, &project.manifest, mode)?;
    print_lock(global, &project, &lockfile)
}

fn update(cx: &Context<'_>, global: &Global, names: &[CookbookName]) -> Result<(), Failure> {
    let project = project(cx, global)?;
    let mode = match &project.lockfile {
        Some(lockfile) => LockMode::Update(lockfile, names),
        None => LockMode::Fresh,
    };
    let lockfile = ops::lock(cx, &project.manifest, mode)?;
    if global.locked || global.frozen {
        let exact = LockMode::Exact(project.lockfile.as_ref());
        ops::check_lockfile(exact, &lockfile)?;
    }
    print_lock(global, &project, &lockfile)
}

fn print_lock(global: &Global, project: &Project, lockfile: &Lockfile) -> Result<(), Failure> {
    let changed = write_lockfile(&project.lockfile_path, lockfile)?;
    let mut out = standard_output(global.color);
    if global.json {
        return out.json(&report::lockfile_json(
            &project.lockfile_path,
            changed,
            lockfile,
        ));
    }
    if global.quiet {
        return Ok(());
    }
    let changes = report::changes_text(project.lockfile.as_ref(), lockfile);
    let path = project.lockfile_path.display();
    let verb = if changed { "wrote" } else { "unchanged:" };
    out.text(&format!("{verb} {path}\n{changes}"))
}

fn vendor_into(
    cx: &Context<'_>,
    global: &Global,
    dir: &Path,
    layout: Option<LayoutKind>,
) -> Result<(), Failure> {
    let project = project_as(cx, global, layout)?;
    let mode = mode(global, project.lockfile.as_ref());
    let (lockfile, layout) = lock_and_assemble(cx, &project.manifest, mode)?;
    write_lockfile(&project.lockfile_path, &lockfile)?;
    let vendored = vendor(cx, &layout, dir)?;
    let mut out = standard_output(global.color);
    match (global.json, global.quiet) {
        (true, _) => out.json(&report::vendored_json(dir, &vendored)),
        (false, true) => Ok(()),
        (false, false) => out.text(&report::vendored_text(dir, &vendored)),
    }
}

fn tree(cx: &Context<'_>, global: &Global) -> Result<(), Failure> {
    let project = project(cx, global)?;
    let mode = mode(global, project.lockfile.as_ref());
    let lockfile = ops::lock(cx, &project.manifest, mode)?;
    let mut out = standard_output(global.color);
    if global.json {
        return out
            .json(&report::lockfile_json(&project.lockfile_path, false, &lockfile)["cookbooks"]);
    }
    out.text(&report::tree_text(&dependency_tree(&lockfile), &lockfile))
}

fn files(
    cx: &Context<'_>,
    global: &Global,
    dir: Option<&Path>,
    layout: Option<LayoutKind>,
) -> Result<(), Failure> {
    let listing = match dir {
        Some(dir) => list_folder(cx, dir)?,
        None => {
            let project = project_as(cx, global, layout)?;
            let mode = mode(global, project.lockfile.as_ref());
            list_files(cx, &project.manifest, mode)?
        }
    };
    let mut out = standard_output(global.color);
    if global.json {
        out.json(&report::listing_json(&listing))?;
    } else {
        if !global.quiet {
            let _ = io::stderr().write_all(report::listing_notes(&listing).as_bytes());
        }
        let lines: String = listing
            .included
            .iter()
            .map(|path| format!("{path}\n"))
            .collect();
        out.text(&lines)?;
    }
    match listing.refused.is_empty() {
        true => Ok(()),
        false => Err(Failure::Refused),
    }
}

fn metadata(cx: &Context<'_>, global: &Global, dir: &Path) -> Result<(), Failure> {
    let cookbook = load_folder(cx, dir)?;
    standard_output(global.color).text(&cookbook.compiled_metadata())
}
