//! Exit codes: one table.

use crate::error::Kind;

/// The arguments make no sense.
pub(super) const USAGE: u8 = 2;

/// The machine failed, or cookpack did.
pub(super) const INTERNAL: u8 = 70;

/// Every exit code and what it means. A broken pipe is a silent success.
pub const EXIT_CODES: [(u8, &str); 8] = [
    (0, "done"),
    (
        1,
        "the input is wrong: a manifest, a cookbook, versions that do not fit",
    ),
    (USAGE, "the arguments make no sense"),
    (
        3,
        "the lockfile is out of date, and --locked or --frozen forbids to change it",
    ),
    (
        4,
        "content is not what is locked: moved, rewritten or damaged",
    ),
    (5, "a source cannot be reached, or may not be"),
    (
        INTERNAL,
        "the machine failed: disk full, permission denied, a bug",
    ),
    (130, "interrupted"),
];

/// The exit code of a failure.
pub fn exit_code(kind: Kind) -> u8 {
    match kind {
        Kind::User => 1,
        Kind::LockOutdated => 3,
        Kind::Verification => 4,
        Kind::Unavailable => 5,
        Kind::Cancelled => 130,
        Kind::Internal => INTERNAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_code_in_the_table() {
        let codes = [
            (Kind::User, 1),
            (Kind::LockOutdated, 3),
            (Kind::Verification, 4),
            (Kind::Unavailable, 5),
            (Kind::Internal, 70),
            (Kind::Cancelled, 130),
        ];
        for (kind, code) in codes {
            assert_eq!(exit_code(kind), code);
            assert!(EXIT_CODES.iter().any(|(known, _)| *known == code));
        }
        assert!(EXIT_CODES.is_sorted_by_key(|(code, _)| *code));
    }
}
