//! Moments as people type them.

use anyhow::{Result, bail};

/// A moment in milliseconds since 1970: a day or a time of the local clock, as in `2026-11-30` or
/// `2026-11-30 14:05`, or how long ago, as in `90m`, `2h` or `7d`.
pub(crate) fn moment(typed: &str, now: u64) -> Result<u64> {
    match ago(typed).map(|millis| now.saturating_sub(millis)).or_else(|| local(typed)) {
        Some(moment) => Ok(moment),
        None => bail!("{typed:?} is no moment: 2026-11-30, \"2026-11-30 14:05\", 90m, 2h or 7d"),
    }
}

fn ago(typed: &str) -> Option<u64> {
    let (count, unit) = typed.split_at_checked(typed.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    count.parse::<u64>().ok()?.checked_mul(unit)
}

fn local(typed: &str) -> Option<u64> {
    let (day, time) = typed.split_once([' ', 'T']).unwrap_or((typed, "00:00"));
    let [year, month, day] = numbers(day, '-')?.try_into().ok()?;
    let (hour, minute, second) = match numbers(time, ':')?[..] {
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let sound = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second);
    if !sound {
        return None;
    }
    // SAFETY: a plain C struct of numbers, for which zero is good.
    let mut local: libc::tm = unsafe { core::mem::zeroed() };
    (local.tm_year, local.tm_mon, local.tm_mday) = (year - 1900, month - 1, day);
    (local.tm_hour, local.tm_min, local.tm_sec) = (hour, minute, second);
    // Whether summer time holds is found out.
    local.tm_isdst = -1;
    // SAFETY: it reads and writes the struct alone.
    let seconds = unsafe { libc::mktime(&raw mut local) };
    // 31 February would be a day in March.
    let same = local.tm_mon == month - 1 && local.tm_mday == day;
    u64::try_from(seconds).ok().filter(|_| same).map(|seconds| seconds * 1000)
}

fn numbers(text: &str, between: char) -> Option<Vec<i32>> {
    text.split(between)
        .map(|word| {
            let digits = (1..=4).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit());
            word.parse().ok().filter(|_| digits)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::print;

    #[test]
    fn a_moment_is_typed_as_it_is_shown_or_as_how_long_ago() {
        let now = 1_795_302_611_000;
        for (typed, shown) in [
            ("2026-11-30", "2026-11-30 00:00:00"),
            ("2026-02-28 14:05", "2026-02-28 14:05:00"),
            ("2026-07-01T23:59:59", "2026-07-01 23:59:59"),
        ] {
            assert_eq!(print::moment(&moment(typed, now).unwrap().into()), shown);
        }
        assert_eq!(moment("90m", now).unwrap(), now - 5_400_000);
        assert_eq!(moment("7d", now).unwrap(), now - 604_800_000);
        assert_eq!(moment("99999999d", now).unwrap(), 0);
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for typed in [
            "",
            "m",
            "d7",
            "-1h",
            "7w",
            "2026",
            "2026-13-01",
            "2026-02-31",
            "2026-11-30 25:00",
            "2026-11-30 1:2:3:4",
            "99999999999999999999d",
            "é",
            "1é",
        ] {
            assert!(moment(typed, 0).is_err(), "{typed}");
        }
    }
}
