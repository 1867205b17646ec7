//! `build`: where an archive goes, and as what.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::args::{Global, Level, OutputFormat};
use super::commands::{jobs, mode, vendor_into, write_lock};
use super::{Failure, environment, report, standard_output};
use crate::archive::{ArchiveOptions, Format};
use crate::error::Diagnostic;
use crate::ops::{
    Context, Project, lock_and_assemble, lock_and_write, stream_archive, write_archive,
};

/// What the arguments say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    place: Place,
    level: crate::archive::Level,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// The standard output.
    Stdout(Format),
    /// A file, or one by the bundle's name.
    File(Option<PathBuf>, Format),
    Folder(PathBuf),
}

/// What is written, as a person says it.
fn shown(format: OutputFormat) -> &'static str {
    match format {
        OutputFormat::TarGz => "tar.gz",
        OutputFormat::Tar => "tar",
        OutputFormat::Zip => "zip",
        OutputFormat::Dir => "dir",
    }
}

/// The format of a name: by its ending.
fn of_name(path: &Path) -> Option<OutputFormat> {
    let is_separator = |c| std::path::is_separator(char::from(c));
    let last = path.as_os_str().as_encoded_bytes().last();
    if last.copied().is_some_and(is_separator) {
        return Some(OutputFormat::Dir);
    }
    Format::of_path(path).map(|format| match format {
        Format::TarGz => OutputFormat::TarGz,
        Format::Tar => OutputFormat::Tar,
        Format::Zip => OutputFormat::Zip,
    })
}

impl Chosen {
    /// Puts together what the arguments say.
    pub(super) fn of(
        output: Option<&Path>,
        format: Option<OutputFormat>,
        level: Option<Level>,
    ) -> Result<Self, Failure> {
        let usage = |shown: Diagnostic| Failure::Usage(Box::new(shown));
        let is_stdout = output == Some(Path::new("-"));
        let named = output.filter(|_| !is_stdout);
        let format = match (format, named.map(|path| (path, of_name(path)))) {
            (Some(format), None | Some((_, None))) => format,
            (None, None) => OutputFormat::TarGz,
            (None, Some((_, Some(found)))) => found,
            (Some(format), Some((_, Some(found)))) if format == found => format,
            (Some(format), Some((path, Some(found)))) => {
                let (path, format, found) = (path.display(), shown(format), shown(found));
                return Err(usage(
                    Diagnostic::new(format!(
                        "`{path}` is the name of a `{found}`, and `--format` says `{format}`"
                    ))
                    .hint(format!(
                        "leave out `--format {format}`, or give another name"
                    )),
                ));
            }
            (None, Some((path, None))) => {
                return Err(usage(
                    Diagnostic::new(format!(
                        "the name `{}` does not tell what is to be written",
                        path.display()
                    ))
                    .hint(
                        "let it end in `.tar.gz`, `.tgz`, `.tar` or `.zip`, or in `/` for a folder",
                    )
                    .hint("or say it with `--format`: `tar.gz`, `tar`, `zip` or `dir`"),
                ));
            }
        };
        if level.is_some() && matches!(format, OutputFormat::Tar | OutputFormat::Dir) {
            let format = shown(format);
            return Err(usage(
                Diagnostic::new(format!(
                    "`--level` says how hard to compress, and a `{format}` is not compressed"
                ))
                .hint("leave out `--level`, or write a `tar.gz` or a `zip`"),
            ));
        }
        let archive = match format {
            OutputFormat::TarGz => Format::TarGz,
            OutputFormat::Tar => Format::Tar,
            OutputFormat::Zip => Format::Zip,
            OutputFormat::Dir => {
                let Some(folder) = named else {
                    return Err(usage(
                        Diagnostic::new("a folder needs a name of its own")
                            .hint("name it with `-o DIR`"),
                    ));
                };
                return Ok(Self {
                    place: Place::Folder(folder.to_owned()),
                    level: Default::default(),
                });
            }
        };
        Ok(Self {
            place: match is_stdout {
                true => Place::Stdout(archive),
                false => Place::File(named.map(Path::to_owned), archive),
            },
            level: level.map(Into::into).unwrap_or_default(),
        })
    }
}

pub(super) fn build(
    cx: &Context<'_>,
    global: &Global,
    chosen: Chosen,
    project: &Project,
) -> Result<(), Failure> {
    let options = ArchiveOptions {
        mtime: environment::mtime()?,
        level: chosen.level,
        jobs: jobs(global),
    };
    let mode = mode(global, project);
    let (path, format) = match chosen.place {
        Place::Folder(folder) => return vendor_into(cx, global, &folder, project),
        Place::Stdout(format) => {
            let cx = cx.clone().with_archive(format, &options);
            let (lockfile, layout) = lock_and_assemble(&cx, &project.manifest, mode)?;
            write_lock(global, project, &lockfile)?;
            let mut stdout = io::stdout().lock();
            let archive = stream_archive(&cx, &layout, &mut stdout, format, &options)?;
            let receipt = match global.json {
                true => format!("{:#}\n", report::archive_json(None, &archive)),
                false => report::archive_text("-", &archive),
            };
            if !global.quiet || global.json {
                let _ = io::stderr().write_all(receipt.as_bytes());
            }
            return Ok(());
        }
        Place::File(Some(path), format) => (path, format),
        Place::File(None, format) => {
            let name = format!("{}.{format}", project.manifest.bundle.name);
            (PathBuf::from(name), format)
        }
    };
    let cx = cx.clone().with_archive(format, &options);
    let archive = lock_and_write(&cx, &project.manifest, mode, |lockfile, layout| {
        write_lock(global, project, lockfile)?;
        write_archive(&cx, layout, &path, format, &options)
    })?;
    let mut out = standard_output();
    match (global.json, global.quiet) {
        (true, _) => out.json(&report::archive_json(Some(&path), &archive)),
        (false, true) => Ok(()),
        (false, false) => out.text(&report::archive_text(&path.display().to_string(), &archive)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(
        output: Option<&str>,
        format: Option<OutputFormat>,
        level: Option<Level>,
    ) -> Result<Place, String> {
        match Chosen::of(output.map(Path::new), format, level) {
            Ok(chosen) => Ok(chosen.place),
            Err(Failure::Usage(shown)) => {
                assert!(!shown.hints.is_empty(), "what to do");
                Err(shown.message)
            }
            Err(_) => panic!("another failure"),
        }
    }

    #[test]
    fn the_format_is_that_of_the_name_or_of_the_argument() {
        use OutputFormat::{Dir, Tar, TarGz, Zip};
        let file = |name: &str, format| Place::File(Some(name.into()), format);
        for (output, format, wanted) in [
            (None, None, Place::File(None, Format::TarGz)),
            (None, Some(Zip), Place::File(None, Format::Zip)),
            (Some("-"), None, Place::Stdout(Format::TarGz)),
            (Some("-"), Some(Tar), Place::Stdout(Format::Tar)),
            (Some("x.tgz"), None, file("x.tgz", Format::TarGz)),
            (Some("x.tgz"), Some(TarGz), file("x.tgz", Format::TarGz)),
            (Some("x.zip"), None, file("x.zip", Format::Zip)),
            (Some("a/x.tar"), Some(Tar), file("a/x.tar", Format::Tar)),
            (Some("x"), Some(Zip), file("x", Format::Zip)),
            (Some("out/"), None, Place::Folder("out/".into())),
            (Some("out"), Some(Dir), Place::Folder("out".into())),
        ] {
            assert_eq!(chosen(output, format, None), Ok(wanted));
        }
    }

    #[test]
    fn what_contradicts_itself_is_an_error() {
        use OutputFormat::{Dir, Tar, TarGz, Zip};
        for (output, format, says) in [
            (Some("x.zip"), Some(TarGz), ["`x.zip`", "`zip`", "`tar.gz`"]),
            (Some("x.tar"), Some(Dir), ["`x.tar`", "`tar`", "`dir`"]),
            (Some("out/"), Some(Zip), ["`out/`", "`dir`", "`zip`"]),
            (Some("x.rar"), None, ["`x.rar`", "does not tell", ""]),
            (None, Some(Dir), ["folder", "", ""]),
            (Some("-"), Some(Dir), ["folder", "", ""]),
        ] {
            let message = chosen(output, format, None).expect_err("an error");
            assert!(says.iter().all(|part| message.contains(part)), "{message}");
        }
        let message = chosen(None, Some(Tar), Some(Level::Best)).expect_err("an error");
        assert!(message.contains("`--level`"), "{message}");
        assert!(chosen(None, Some(Zip), Some(Level::Best)).is_ok());
    }
}
