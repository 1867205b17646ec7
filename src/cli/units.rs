//! Amounts of bytes and of time, as people write and read them.

use std::time::{Duration, SystemTime};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Bytes by unit, as they are written; those in `iB`, ascending, are printed.
const SIZES: [(&str, u64); 9] = [
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Seconds by unit.
const TIMES: [(&str, u64); 5] = [
    ("s", 1),
    ("m", MINUTE),
    ("h", HOUR),
    ("d", DAY),
    ("w", 7 * DAY),
];

/// An amount of bytes: `2GiB`, `500 MB`, `1024`.
pub(super) fn parse_bytes(text: &str) -> Result<u64, String> {
    let units = SIZES.iter().copied().chain([("", 1)]);
    parse(text, units).ok_or_else(|| "it is no size such as `500MB` or `2GiB`".to_owned())
}

/// An amount of time: `30d`, `12h`, `2w`.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let seconds = parse(text, TIMES);
    let seconds = seconds.ok_or_else(|| "it is no time such as `12h`, `30d` or `8w`".to_owned())?;
    Ok(Duration::from_secs(seconds))
}

fn parse(text: &str, units: impl IntoIterator<Item = (&'static str, u64)>) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (digits, unit) = text.split_at(end.unwrap_or(text.len()));
    let unit = unit.trim_start();
    let mut units = units.into_iter();
    let (_, factor) = units.find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// An amount of bytes for a person: `512 B`, `45.2 KiB`.
pub(super) fn bytes(count: u64) -> String {
    let mut binary = SIZES.iter().rev().filter(|(name, _)| name.ends_with("iB"));
    let fits = binary.find(|(_, factor)| count >= *factor);
    let Some((name, factor)) = fits.copied() else {
        return format!("{count} B");
    };
    // Tenths, cut off rather than rounded: 1023.99 KiB is no 1024.0 KiB.
    let tenths = u128::from(count) * 10 / u128::from(factor);
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

/// How long ago something was, for a person.
pub(super) fn age(then: Option<SystemTime>, now: SystemTime) -> String {
    let Some(then) = then else {
        return "at an unknown time".to_owned();
    };
    // What is dated later than now was written by a clock that goes ahead.
    let seconds = now.duration_since(then).unwrap_or_default().as_secs();
    let (count, unit) = match seconds {
        0..MINUTE => return "just now".to_owned(),
        MINUTE..HOUR => (seconds / MINUTE, "minute"),
        HOUR..DAY => (seconds / HOUR, "hour"),
        _ => (seconds / DAY, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, want) in [
            ("0", 0),
            ("1024", 1024),
            ("12B", 12),
            ("1KiB", 1024),
            ("2GiB", 2 << 30),
            ("2 gib", 2 << 30),
            ("3TiB", 3 << 40),
            ("500MB", 500_000_000),
            ("1kB", 1_000),
        ] {
            assert_eq!(parse_bytes(text), Ok(want), "{text}");
        }
        for bad in [
            "",
            "GiB",
            "-1",
            "1.5GiB",
            "2 XB",
            "1G",
            "99999999999TiB",
            "1 2",
        ] {
            assert!(parse_bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_are_read_with_their_units() {
        for (text, seconds) in [
            ("0d", 0),
            ("90s", 90),
            ("5m", 300),
            ("12h", 43_200),
            ("30d", 2_592_000),
            ("2w", 1_209_600),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_secs(seconds)),
                "{text}"
            );
        }
        for bad in ["", "30", "d", "1y", "1.5h", "99999999999999999999d"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bytes_are_shown_in_the_unit_that_fits() {
        for (count, want) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (46_285, "45.2 KiB"),
            ((1 << 20) - 1, "1023.9 KiB"),
            (1 << 20, "1.0 MiB"),
            (5 << 30, "5.0 GiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(bytes(count), want);
        }
    }

    #[test]
    fn ages_are_shown_in_the_unit_that_fits() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(400 * DAY);
        for (seconds, want) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (2 * HOUR - 1, "1 hour ago"),
            (2 * DAY, "2 days ago"),
            (365 * DAY, "365 days ago"),
        ] {
            assert_eq!(age(Some(now - Duration::from_secs(seconds)), now), want);
        }
        assert_eq!(age(Some(now + Duration::from_secs(DAY)), now), "just now");
        assert_eq!(age(None, now), "at an unknown time");
    }
}
