//! One function a command: calls an operation, prints its result.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path;

use clap::CommandFactory;

use super::args::{Arguments, Command, Global, Groups, Layout, TreeFormat};
use super::graph::{self, Drawing};
use super::progress::Terminal;
use super::{
    Failure, build, cache, environment, graph_report, manifest_report, report, standard_output,
};
use crate::error::{Diagnostic, Kind};
use crate::event::CancelToken;
use crate::git::leave_checks_to_content_digests;
use crate::lockfile::Lockfile;
use crate::name::CookbookName;
use crate::ops::{
    self, Context, LockMode, Project, choose_groups, compile_metadata, dependencies,
    dependency_graph, dependents, init_manifest, list_files, list_folder, lock_and_write,
    lock_changes, locked_cookbook, open_project, outdated, read_manifest_file, tree_lines, vendor,
    write_lockfile,
};

/// As many repositories are fetched at once, unless `--jobs` says otherwise or there are more
/// processors.
const FETCHES: NonZeroUsize = NonZeroUsize::new(8).unwrap();

/// Runs one command.
pub(super) fn run(arguments: &Arguments, cancel: &CancelToken) -> Result<(), Failure> {
    let global = &arguments.global;
    let terminal = Terminal::new(global);
    if let Command::Completions { shell } = &arguments.command {
        let mut script = Vec::new();
        clap_complete::generate(*shell, &mut Arguments::command(), "cookpack", &mut script);
        return standard_output().text(&String::from_utf8_lossy(&script));
    }
    let jobs = jobs(global);
    // A fetch waits for its server most of the time.
    let fetches = global.jobs.unwrap_or(jobs.max(FETCHES));
    let store = environment::store(global)?;
    let cx = Context::new(&store)
        .with_reporter(&terminal)
        .with_cancel(cancel)
        .with_env(environment::shown_to_manifests(global))
        .with_git_protocol(environment::git_protocol(global)?)
        .with_jobs(jobs)
        .with_fetches(fetches)
        .with_git(environment::git_access())
        .with_upstreams(environment::upstream_access())
        .with_index(!global.no_index)
        .with_offline(global.offline || global.frozen);
    if global.locked || global.frozen {
        leave_checks_to_content_digests();
    }
    match &arguments.command {
        Command::Init { dir } => init(&cx, global, dir),
        Command::Build {
            output,
            format,
            level,
            layout,
            groups,
        } => {
            // What cannot be meant is told before anything is fetched.
            let chosen = build::Chosen::of(output.as_deref(), *format, *level)?;
            let project = project_as(&cx, global, *layout, groups)?;
            build::build(&cx, global, chosen, &project)
        }
        Command::Lock { dry_run } => lock(&cx, global, *dry_run),
        Command::Update { names, dry_run } => update(&cx, global, names, *dry_run),
        Command::Outdated => print_outdated(&cx, global),
        Command::Vendor {
            dir,
            layout,
            groups,
        } => {
            let project = project_as(&cx, global, *layout, groups)?;
            vendor_into(&cx, global, dir, &project)
        }
        Command::Tree {
            format,
            invert,
            groups,
        } => {
            let format = tree_format(global, *format)?;
            let project = project_as(&cx, global, None, groups)?;
            tree(&cx, global, &project, (format, invert.as_ref()))
        }
        Command::Why { name } => why(&cx, global, name),
        Command::Files {
            dir,
            layout,
            groups,
        } => files(&cx, global, dir.as_deref(), (*layout, groups)),
        Command::Metadata { dir } => metadata(&cx, dir),
        Command::Mirror { dir, base_url } => mirror(&cx, global, (dir, base_url.as_deref())),
        Command::Manifest { file } => manifest(&cx, global, file.as_deref()),
        Command::Cache(command) => cache::run(&cx, global, &store, command),
        Command::Completions { .. } => Ok(()),
    }
}

/// On how many threads it is read and compressed.
pub(super) fn jobs(global: &Global) -> NonZeroUsize {
    let processors = || std::thread::available_parallelism().ok();
    global.jobs.or_else(processors).unwrap_or(NonZeroUsize::MIN)
}

fn project(cx: &Context<'_>, global: &Global) -> Result<Project, Failure> {
    let path = global.manifest_path.as_deref().unwrap_or(Path::new("."));
    Ok(open_project(cx, path)?)
}

/// A project of which the arguments say what is packed, and how it is laid out.
fn project_as(
    cx: &Context<'_>,
    global: &Global,
    layout: Option<Layout>,
    groups: &Groups,
) -> Result<Project, Failure> {
    let mut project = project(cx, global)?;
    if let Some(layout) = layout {
        project.manifest.bundle.layout = layout.into();
    }
    project.manifest.bundle.groups = groups.into();
    Ok(project)
}

pub(super) fn mode<'a>(global: &Global, project: &'a Project) -> LockMode<'a> {
    match (&project.lockfile, &project.berksfile_lock) {
        (lockfile, _) if global.locked || global.frozen => LockMode::Exact(lockfile.as_ref()),
        (Some(lockfile), _) => LockMode::Prefer(lockfile),
        (None, Some(lock)) => LockMode::Import(lock),
        (None, None) => LockMode::Fresh,
    }
}

/// Writes a project's lockfile, unless it is to stay as it is. Tells whether it wrote.
pub(super) fn write_lock(
    global: &Global,
    project: &Project,
    lockfile: &Lockfile,
) -> Result<bool, ops::Error> {
    if global.locked || global.frozen {
        return Ok(false);
    }
    Ok(write_lockfile(&project.lockfile_path, lockfile)?)
}

fn init(cx: &Context<'_>, global: &Global, dir: &Path) -> Result<(), Failure> {
    let path = init_manifest(cx, dir)?;
    if global.quiet {
        return Ok(());
    }
    standard_output().text(&format!("wrote {}\n", path.display()))
}

fn lock(cx: &Context<'_>, global: &Global, dry_run: bool) -> Result<(), Failure> {
    let project = project(cx, global)?;
    let mode = mode(global, &project);
    let lockfile = ops::lock(cx, &project.manifest, mode)?;
    print_lock(global, &project, &lockfile, dry_run)
}

fn update(
    cx: &Context<'_>,
    global: &Global,
    names: &[CookbookName],
    dry_run: bool,
) -> Result<(), Failure> {
    let project = project(cx, global)?;
    let mode = match &project.lockfile {
        Some(lockfile) => LockMode::Update(lockfile, names),
        None => LockMode::Fresh,
    };
    let lockfile = ops::lock(cx, &project.manifest, mode)?;
    if global.locked || global.frozen {
        let exact = LockMode::Exact(project.lockfile.as_ref());
        ops::check_lockfile(exact, &lockfile)?;
        let existing = project.lockfile.as_ref();
        return print_lock(global, &project, existing.unwrap_or(&lockfile), dry_run);
    }
    print_lock(global, &project, &lockfile, dry_run)
}

/// Writes a lockfile, unless that is only tried, and prints what it changes.
fn print_lock(
    global: &Global,
    project: &Project,
    lockfile: &Lockfile,
    dry_run: bool,
) -> Result<(), Failure> {
    let path = &project.lockfile_path;
    let changed = match dry_run {
        true => project.lockfile.as_ref() != Some(lockfile),
        false => write_lock(global, project, lockfile)?,
    };
    let changes = lock_changes(project.lockfile.as_ref(), lockfile);
    let mut out = standard_output();
    if global.json {
        let mut document = report::lockfile_json(path, changed, lockfile);
        document["changes"] = report::changes_json(&changes);
        if dry_run {
            document["dry_run"] = true.into();
        }
        return out.json(&document);
    }
    // What a dry run prints is all that it is for.
    if global.quiet && !dry_run {
        return Ok(());
    }
    let verb = match (changed, dry_run) {
        (true, true) => "would write",
        (true, false) => "wrote",
        (false, _) => "unchanged:",
    };
    let changes = report::changes_text(&changes);
    out.text(&format!("{verb} {}\n{changes}", path.display()))
}

pub(super) fn vendor_into(
    cx: &Context<'_>,
    global: &Global,
    dir: &Path,
    project: &Project,
) -> Result<(), Failure> {
    let mode = mode(global, project);
    let vendored = lock_and_write(cx, &project.manifest, mode, |lockfile, layout| {
        write_lock(global, project, lockfile)?;
        vendor(cx, layout, dir)
    })?;
    let mut out = standard_output();
    match (global.json, global.quiet) {
        (true, _) => out.json(&report::vendored_json(dir, &vendored)),
        (false, true) => Ok(()),
        (false, false) => out.text(&report::vendored_text(dir, &vendored)),
    }
}

/// The format of a tree. `--json` is the machine's form of any command.
fn tree_format(global: &Global, format: Option<TreeFormat>) -> Result<TreeFormat, Failure> {
    match (format, global.json) {
        (None | Some(TreeFormat::Json), true) => Ok(TreeFormat::Json),
        (Some(_), true) => Err(Failure::Usage(Box::new(
            Diagnostic::new("`--json` and `--format` name two formats").hint("keep one of them"),
        ))),
        (format, false) => Ok(format.unwrap_or(TreeFormat::Text)),
    }
}

fn tree(
    cx: &Context<'_>,
    global: &Global,
    project: &Project,
    (format, invert): (TreeFormat, Option<&Option<CookbookName>>),
) -> Result<(), Failure> {
    let mode = mode(global, project);
    let mut graph = dependency_graph(cx, &project.manifest, mode)?;
    graph.lockfile = choose_groups(&project.manifest, &graph.lockfile)?;
    let lockfile = &graph.lockfile;
    let root = invert.and_then(Option::as_ref);
    if let Some(name) = root {
        locked_cookbook(lockfile, name)?;
    }
    let neighbours = match invert {
        Some(of) => dependents(lockfile, of.as_ref()),
        None => dependencies(lockfile),
    };
    let drawing = || Drawing::new(&graph, &neighbours, invert.is_some());
    let mut out = standard_output();
    match format {
        TreeFormat::Text => out.text(&report::tree_text(&tree_lines(&neighbours, root), lockfile)),
        TreeFormat::Dot => out.text(&graph::dot(&drawing())),
        TreeFormat::Mermaid => out.text(&graph::mermaid(&drawing())),
        TreeFormat::Svg => out.text(&graph::svg(&drawing())),
        TreeFormat::Json if invert.is_some() => {
            out.json(&graph_report::dependents_json(&neighbours, lockfile))
        }
        TreeFormat::Json => {
            out.json(&report::lockfile_json(&project.lockfile_path, false, lockfile)["cookbooks"])
        }
    }
}

/// How many ways `why` prints.
const MOST_WAYS: usize = 100;

fn why(cx: &Context<'_>, global: &Global, name: &CookbookName) -> Result<(), Failure> {
    let project = project(cx, global)?;
    let graph = dependency_graph(cx, &project.manifest, mode(global, &project))?;
    let why = graph.why(name, MOST_WAYS)?;
    let mut out = standard_output();
    match global.json {
        true => out.json(&graph_report::why_json(name, &why, &graph)),
        false => out.text(&graph_report::why_text(name, &why, &graph)),
    }
}

fn print_outdated(cx: &Context<'_>, global: &Global) -> Result<(), Failure> {
    let project = project(cx, global)?;
    let rows = outdated(cx, &project.manifest, mode(global, &project))?;
    let mut out = standard_output();
    match global.json {
        true => out.json(&graph_report::outdated_json(&rows)),
        false => out.text(&graph_report::outdated_text(&rows)),
    }
}

fn files(
    cx: &Context<'_>,
    global: &Global,
    dir: Option<&Path>,
    (layout, groups): (Option<Layout>, &Groups),
) -> Result<(), Failure> {
    let (listing, mut lines) = match dir {
        // A folder's own files: what is compiled is none of them.
        Some(dir) => {
            let listing = list_folder(cx, dir)?;
            let lines = listing.included.clone();
            (listing, lines)
        }
        // An archive's files.
        None => {
            let project = project_as(cx, global, layout, groups)?;
            let mode = mode(global, &project);
            let listing = list_files(cx, &project.manifest, mode)?;
            let lines = [&listing.included[..], &listing.compiled[..]].concat();
            (listing, lines)
        }
    };
    lines.sort_unstable();
    let mut out = standard_output();
    if global.json {
        out.json(&report::listing_json(&listing))?;
    } else {
        if !global.quiet {
            let _ = io::stderr().write_all(report::listing_notes(&listing).as_bytes());
        }
        let text: String = lines.iter().map(|path| format!("{path}\n")).collect();
        out.text(&text)?;
    }
    match listing.refused.is_empty() {
        true => Ok(()),
        false => Err(Failure::Told(Kind::User)),
    }
}

fn manifest(cx: &Context<'_>, global: &Global, file: Option<&Path>) -> Result<(), Failure> {
    let path = file.or(global.manifest_path.as_deref());
    let path = ops::manifest_path(path.unwrap_or(Path::new(".")))?;
    let found = read_manifest_file(cx, &path)?;
    let mut out = standard_output();
    if global.json {
        return out.json(&manifest_report::document(&found));
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let manifest = found.manifest(folder.unwrap_or(Path::new(".")))?;
    out.text(&manifest.to_toml())
}

fn mirror(cx: &Context<'_>, global: &Global, to: (&Path, Option<&str>)) -> Result<(), Failure> {
    let project = project(cx, global)?;
    let mode = mode(global, &project);
    let (lockfile, mirrored) = ops::mirror(cx, &project.manifest, mode, to)?;
    write_lock(global, &project, &lockfile)?;
    let mut out = standard_output();
    match (global.json, global.quiet) {
        (true, _) => out.json(&report::mirrored_json(to.0, &mirrored)),
        (false, true) => Ok(()),
        (false, false) => out.text(&report::mirrored_text(to.0, &mirrored)),
    }
}

fn metadata(cx: &Context<'_>, dir: &Path) -> Result<(), Failure> {
    standard_output().text(&compile_metadata(cx, dir)?)
}
