//! The classes of exceptions, by their names.

/// Each class with the one above it.
const PARENTS: &[(&str, &str)] = &[
    ("ArgumentError", "StandardError"),
    ("Berkshelf::BerkshelfError", "StandardError"),
    (
        "Berkshelf::DuplicateDependencyDefined",
        "Berkshelf::BerkshelfError",
    ),
    ("Berkshelf::InvalidSourceURI", "Berkshelf::BerkshelfError"),
    ("Chef::Exceptions::CookbookNotFound", "RuntimeError"),
    ("Chef::Exceptions::InvalidCookbookVersion", "ArgumentError"),
    ("Chef::Exceptions::InvalidPlatformVersion", "ArgumentError"),
    (
        "Chef::Exceptions::InvalidVersionConstraint",
        "ArgumentError",
    ),
    (
        "Chef::Exceptions::ObsoleteDependencySyntax",
        "ArgumentError",
    ),
    ("Chef::Exceptions::ValidationFailed", "ArgumentError"),
    ("EncodingError", "StandardError"),
    ("EOFError", "IOError"),
    ("Errno::EACCES", "SystemCallError"),
    ("Errno::EISDIR", "SystemCallError"),
    ("Errno::ENOENT", "SystemCallError"),
    ("Errno::ENOTDIR", "SystemCallError"),
    ("Exception", "Object"),
    ("FloatDomainError", "RangeError"),
    ("FrozenError", "RuntimeError"),
    ("Gem::Requirement::BadRequirementError", "ArgumentError"),
    ("IOError", "StandardError"),
    ("IndexError", "StandardError"),
    ("Interrupt", "SignalException"),
    ("JSON::JSONError", "StandardError"),
    ("JSON::ParserError", "JSON::JSONError"),
    ("KeyError", "IndexError"),
    ("LoadError", "ScriptError"),
    ("LocalJumpError", "StandardError"),
    ("NameError", "StandardError"),
    ("NoMethodError", "NameError"),
    ("NotImplementedError", "ScriptError"),
    ("RangeError", "StandardError"),
    ("RegexpError", "StandardError"),
    ("RuntimeError", "StandardError"),
    ("ScriptError", "Exception"),
    ("SecurityError", "Exception"),
    (
        "Semverse::InvalidConstraintFormat",
        "Semverse::SemverseError",
    ),
    ("Semverse::SemverseError", "StandardError"),
    ("SignalException", "Exception"),
    ("StandardError", "Exception"),
    ("StopIteration", "IndexError"),
    ("SyntaxError", "ScriptError"),
    ("SystemCallError", "StandardError"),
    ("SystemExit", "Exception"),
    ("TypeError", "StandardError"),
    ("UncaughtThrowError", "ArgumentError"),
    ("ZeroDivisionError", "StandardError"),
];

/// The class of a name, if it is an exception's.
pub(super) fn class(name: &str) -> Option<&'static str> {
    PARENTS
        .iter()
        .find(|(class, _)| *class == name)
        .map(|(class, _)| *class)
}

/// Whether a class is another one or below it.
pub(super) fn is_a(class: &str, above: &str) -> bool {
    let mut next = Some(class);
    while let Some(class) = next {
        if class == above {
            return true;
        }
        next = PARENTS
            .iter()
            .find(|(known, _)| *known == class)
            .map(|(_, parent)| *parent);
    }
    // Above all exceptions.
    matches!(above, "Kernel" | "BasicObject")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_below_each_other() {
        assert!(is_a("Errno::ENOENT", "StandardError"));
        assert!(is_a("KeyError", "IndexError"));
        assert!(!is_a("LoadError", "StandardError"));
        assert!(is_a("LoadError", "Exception"));
    }
}
