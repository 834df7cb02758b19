//! `Date`: the time of day, from which phones set their clock.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Header, HeaderFault, HeaderName};
use crate::text;

/// A moment in whole seconds since 1970, printed as `Sat, 13 Nov 2010 23:29:00 GMT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Date(u64);

impl Date {
    /// A moment by its seconds since the beginning of 1970, UTC; up to the year 9999.
    #[must_use]
    pub fn from_unix(seconds: u64) -> Self {
        Self(seconds.min(LAST))
    }

    /// Seconds since the beginning of 1970, UTC.
    #[must_use]
    pub fn unix(self) -> u64 {
        self.0
    }
}

impl Header for Date {
    const NAME: HeaderName = HeaderName::Date;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        let words: Vec<&str> = text::trim(value).split_ascii_whitespace().take(7).collect();
        let [weekday, day, month, year, time, "GMT"] = words[..] else {
            return Err(HeaderFault::Date);
        };
        let month = position(&MONTHS, month)?;
        let (day, year): (u64, u64) = (digits(day, 2)?, digits(year, 4)?);
        position(&WEEKDAYS, weekday.strip_suffix(',').ok_or(HeaderFault::Date)?)?;
        if !(1..=days_in(month, year)).contains(&day) || year < 1970 {
            return Err(HeaderFault::Date);
        }
        Ok(Self(days_since_1970(day, month, year) * 86_400 + seconds_of_day(time)?))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0 / 86_400, self.0 % 86_400);
        let (day, month, year) = date_of(days);
        let weekday = WEEKDAYS[usize::try_from(days % 7).unwrap_or_default()];
        let month = MONTHS[usize::try_from(month).unwrap_or_default()];
        let (hour, minute) = (second / 3600, second / 60 % 60);
        let mut text = *b"Www, 00 Mmm 0000 00:00:00 GMT";
        text[..3].copy_from_slice(weekday.as_bytes());
        text[8..11].copy_from_slice(month.as_bytes());
        let pairs =
            [(5, day), (12, year / 100), (14, year), (17, hour), (20, minute), (23, second % 60)];
        for (at, pair) in pairs {
            text[at] += digit(pair / 10);
            text[at + 1] += digit(pair);
        }
        f.write_str(core::str::from_utf8(&text).unwrap_or_default())
    }
}

/// The last decimal digit.
fn digit(number: u64) -> u8 {
    u8::try_from(number % 10).unwrap_or_default()
}

fn seconds_of_day(time: &str) -> Result<u64, HeaderFault> {
    let mut parts = time.split(':');
    let mut part = |below: u64| {
        let value = digits(parts.next().unwrap_or_default(), 2)?;
        if value < below { Ok(value) } else { Err(HeaderFault::Date) }
    };
    let seconds = part(24)? * 3600 + part(60)? * 60 + part(60)?;
    if parts.next().is_some() { Err(HeaderFault::Date) } else { Ok(seconds) }
}

fn digits(text: &str, length: usize) -> Result<u64, HeaderFault> {
    if text.len() == length { text::number(text) } else { Err(HeaderFault::Date) }
}

fn position(names: &[&str], name: &str) -> Result<u64, HeaderFault> {
    let at = names.iter().position(|other| other.eq_ignore_ascii_case(name));
    at.and_then(|at| u64::try_from(at).ok()).ok_or(HeaderFault::Date)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(month: u64, year: u64) -> u64 {
    match month {
        1 if is_leap(year) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

fn days_of(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_since_1970(day: u64, month: u64, year: u64) -> u64 {
    let years: u64 = (1970..year).map(days_of).sum();
    let months: u64 = (0..month).map(|month| days_in(month, year)).sum();
    years + months + day - 1
}

/// Day of month, month from 0, year; by years that begin in March, so that the leap day is last.
fn date_of(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year;
    if month < 10 { (day, month + 2, year) } else { (day, month - 10, year + 1) }
}

/// The first of January 1970 was a Thursday.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The last second of the year 9999.
const LAST: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        let date = Date::parse("Sat, 13 Nov 2010 23:29:00 GMT").unwrap();
        assert_eq!(date.unix(), 1_289_690_940);
        assert_eq!(date.to_string(), "Sat, 13 Nov 2010 23:29:00 GMT");
    }

    #[test]
    fn the_first_and_the_last() {
        assert_eq!(Date::from_unix(0).to_string(), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(Date::from_unix(u64::MAX).to_string(), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(Date::from_unix(951_782_400).to_string(), "Tue, 29 Feb 2000 00:00:00 GMT");
    }

    #[test]
    fn every_day_prints_as_it_is_read() {
        for day in (0..2_932_897).step_by(2_011) {
            let date = Date::from_unix(day * 86_400 + 43_199);
            assert_eq!(Date::parse(&date.to_string()), Ok(date));
        }
    }

    #[test]
    fn other_zones_and_forms_are_refused() {
        for bad in [
            "",
            "Fri, 01 Jan 2010 16:00:00 EST",
            "Fri, 32 Jan 2010 16:00:00 GMT",
            "Fri, 29 Feb 2011 16:00:00 GMT",
            "Fri, 01 Jan 2010 24:00:00 GMT",
            "01 Jan 2010 16:00:00 GMT",
            "Fri, 01 Jan 2010 16:00 GMT",
            "Fri, 01 Jan 0000 16:00:00 GMT",
        ] {
            assert!(Date::parse(bad).is_err(), "{bad}");
        }
    }
}
