//! Which consumer of archives reads which format.

use crate::archive::Format;
use crate::error::Diagnostic;
use crate::manifest::Target;

/// What makes OpsWorks's agent take a zip for something else, by the path of its first file: it asks
/// file(1), and unpacks neither a JAR nor an Office document (aws/opsworks-cookbooks, issues 197, 214 and
/// 233). The third sign of a JAR, an extra field 0xCAFE, we never write.
const TAKEN_FOR: [(&str, &str); 4] = [
    ("META-INF/", "a JAR"),
    ("[Content_Types].xml", "an Office document"),
    ("_rels/.rels", "an Office document"),
    ("docProps", "an Office document"),
];

/// What is to be said of a format for a target. `first` is the path of the archive's first file.
pub(super) fn warnings(target: Target, format: Format, first: &str) -> Vec<Diagnostic> {
    let named = target.as_str();
    let warning = match (target, format) {
        (Target::OpsWorks, Format::Tar) => Diagnostic::new(format!(
            "the target `{named}` takes no tar that is not compressed"
        )),
        (Target::Ssm, Format::Tar) => Diagnostic::new(format!(
            "the target `{named}` takes zip and tar.gz, and no tar that is not compressed"
        )),
        // chef/mixlib-archive without libarchive, and all of Chef before 15.
        (Target::ChefSolo, Format::Zip) => Diagnostic::new(format!(
            "the target `{named}` reads a zip only where Chef 15 or later finds libarchive"
        )),
        (Target::OpsWorks, Format::Zip) => {
            let taken_for = |(start, _): &&(&str, &str)| first.starts_with(start);
            let Some((_, what)) = TAKEN_FOR.iter().find(taken_for) else {
                return Vec::new();
            };
            Diagnostic::new(format!(
                "OpsWorks's agent on Linux would take this zip for {what} and not unpack it, since its first file is `{first}`"
            ))
        }
        _ => return Vec::new(),
    };
    vec![warning.hint(
        "write a tar.gz, which every target reads; or name the machines' own `target` in [bundle]",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_reads_a_tar_gz_and_not_every_one_the_rest() {
        let warned = |target, format, first| {
            let found = warnings(target, format, first);
            assert!(found.iter().all(|warning| !warning.hints.is_empty()));
            !found.is_empty()
        };
        for (_, target) in Target::ALL {
            assert!(!warned(target, Format::TarGz, "META-INF/metadata.json"));
            for format in Format::ALL {
                let wanted = matches!(
                    (target, format),
                    (Target::OpsWorks | Target::Ssm, Format::Tar) | (Target::ChefSolo, Format::Zip)
                );
                assert_eq!(warned(target, format, "apt/x"), wanted, "{format}");
            }
        }
    }

    #[test]
    fn a_zip_that_is_taken_for_something_else_is_warned_of() {
        for (first, wanted) in [
            ("META-INF/metadata.json", true),
            ("META-INF2/metadata.json", false),
            ("meta-inf/metadata.json", false),
            ("docProps/metadata.json", true),
            ("docProps2/metadata.json", true),
            ("_rels/.rels", true),
            ("_rels/metadata.json", false),
            ("cookbooks/META-INF/metadata.json", false),
        ] {
            let found = warnings(Target::OpsWorks, Format::Zip, first);
            assert_eq!(!found.is_empty(), wanted, "{first}");
            assert!(warnings(Target::Ssm, Format::Zip, first).is_empty());
        }
    }
}
