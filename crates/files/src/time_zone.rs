//! How phones name time zones. The names that enterprise phones know carry their summer time in
//! them; multiplatform phones want the offset and the rule of the summer time.

/// A time zone as phones know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeZone {
    /// Its IANA name.
    iana: &'static str,
    /// What enterprise phones call it.
    pub(crate) name: &'static str,
    /// Winter time, as in `GMT+09:00`.
    pub(crate) offset: &'static str,
    /// When summer time is.
    pub(crate) summer: Summer,
}

/// When summer time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Summer {
    /// Never.
    None,
    /// From the last Sunday of March to that of October.
    Europe,
    /// From the second Sunday of March to the first of November.
    America,
    /// From the first Sunday of October to that of April.
    Australia,
    /// From the last Sunday of September to the first of April.
    NewZealand,
    /// From the first Sunday of September to that of April.
    Chile,
}

impl Summer {
    /// The rule as multiplatform phones read it: month/day/weekday/time, -1 for the last.
    pub(crate) fn rule(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Europe => "start=3/-1/7/1:0:0;end=10/-1/7/1:0:0;save=1",
            Self::America => "start=3/8/7/2:0:0;end=11/1/7/2:0:0;save=1",
            Self::Australia => "start=10/1/7/2:0:0;end=4/1/7/3:0:0;save=1",
            Self::NewZealand => "start=9/-1/7/2:0:0;end=4/1/7/3:0:0;save=1",
            Self::Chile => "start=9/1/7/0:0:0;end=4/1/7/0:0:0;save=1",
        }
    }
}

/// The time zone of an IANA name; Greenwich when it is not known.
pub(crate) fn time_zone(iana: &str) -> &'static TimeZone {
    ZONES.iter().find(|zone| zone.iana.eq_ignore_ascii_case(iana)).unwrap_or(&ZONES[0])
}

const fn zone(
    iana: &'static str,
    name: &'static str,
    offset: &'static str,
    summer: Summer,
) -> TimeZone {
    TimeZone { iana, name, offset, summer }
}

use Summer::{America, Australia, Chile, Europe, NewZealand, None};

const GREENWICH: &str = "Greenwich Standard Time";
const GMT: &str = "GMT Standard/Daylight Time";
const W_EUROPE: &str = "W. Europe Standard/Daylight Time";
const ROMANCE: &str = "Romance Standard/Daylight Time";
const C_EUROPE: &str = "Central Europe Standard/Daylight Time";
const C_EUROPEAN: &str = "Central European Standard/Daylight Time";
const FLE: &str = "FLE Standard/Daylight Time";
const EASTERN: &str = "Eastern Standard/Daylight Time";
const CENTRAL: &str = "Central Standard/Daylight Time";
const MOUNTAIN: &str = "Mountain Standard/Daylight Time";
const PACIFIC: &str = "Pacific Standard/Daylight Time";
const SA_WESTERN: &str = "SA Western Standard Time";
const SA_PACIFIC: &str = "SA Pacific Standard Time";
const SA_EASTERN: &str = "SA Eastern Standard Time";
const CHINA: &str = "China Standard/Daylight Time";
const SINGAPORE: &str = "Singapore Standard Time";
const AUS_EASTERN: &str = "AUS Eastern Standard/Daylight Time";

#[rustfmt::skip]
const ZONES: [TimeZone; 104] = [
    zone("Etc/UTC", GREENWICH, "GMT", None),
    zone("UTC", GREENWICH, "GMT", None),
    zone("Africa/Abidjan", GREENWICH, "GMT", None),
    zone("Africa/Accra", GREENWICH, "GMT", None),
    zone("Atlantic/Reykjavik", GREENWICH, "GMT", None),
    zone("Europe/London", GMT, "GMT", Europe),
    zone("Europe/Dublin", GMT, "GMT", Europe),
    zone("Europe/Lisbon", GMT, "GMT", Europe),
    zone("Europe/Berlin", W_EUROPE, "GMT+01:00", Europe),
    zone("Europe/Amsterdam", W_EUROPE, "GMT+01:00", Europe),
    zone("Europe/Zurich", W_EUROPE, "GMT+01:00", Europe),
    zone("Europe/Vienna", W_EUROPE, "GMT+01:00", Europe),
    zone("Europe/Rome", W_EUROPE, "GMT+01:00", Europe),
    zone("Europe/Stockholm", W_EUROPE, "GMT+01:00", Europe),
    zone("Europe/Oslo", W_EUROPE, "GMT+01:00", Europe),
    zone("Europe/Luxembourg", W_EUROPE, "GMT+01:00", Europe),
    zone("Europe/Monaco", W_EUROPE, "GMT+01:00", Europe),
    zone("Europe/Malta", W_EUROPE, "GMT+01:00", Europe),
    zone("Europe/Paris", ROMANCE, "GMT+01:00", Europe),
    zone("Europe/Brussels", ROMANCE, "GMT+01:00", Europe),
    zone("Europe/Copenhagen", ROMANCE, "GMT+01:00", Europe),
    zone("Europe/Madrid", ROMANCE, "GMT+01:00", Europe),
    zone("Europe/Prague", C_EUROPE, "GMT+01:00", Europe),
    zone("Europe/Budapest", C_EUROPE, "GMT+01:00", Europe),
    zone("Europe/Bratislava", C_EUROPE, "GMT+01:00", Europe),
    zone("Europe/Ljubljana", C_EUROPE, "GMT+01:00", Europe),
    zone("Europe/Belgrade", C_EUROPE, "GMT+01:00", Europe),
    zone("Europe/Warsaw", C_EUROPEAN, "GMT+01:00", Europe),
    zone("Europe/Zagreb", C_EUROPEAN, "GMT+01:00", Europe),
    zone("Europe/Sarajevo", C_EUROPEAN, "GMT+01:00", Europe),
    zone("Africa/Lagos", "W. Central Africa Standard Time", "GMT+01:00", None),
    zone("Africa/Algiers", "W. Central Africa Standard Time", "GMT+01:00", None),
    zone("Europe/Athens", "GTB Standard/Daylight Time", "GMT+02:00", Europe),
    zone("Europe/Bucharest", "GTB Standard/Daylight Time", "GMT+02:00", Europe),
    zone("Europe/Helsinki", FLE, "GMT+02:00", Europe),
    zone("Europe/Kyiv", FLE, "GMT+02:00", Europe),
    zone("Europe/Kiev", FLE, "GMT+02:00", Europe),
    zone("Europe/Riga", FLE, "GMT+02:00", Europe),
    zone("Europe/Sofia", FLE, "GMT+02:00", Europe),
    zone("Europe/Tallinn", FLE, "GMT+02:00", Europe),
    zone("Europe/Vilnius", FLE, "GMT+02:00", Europe),
    zone("Africa/Johannesburg", "South Africa Standard Time", "GMT+02:00", None),
    zone("Africa/Harare", "South Africa Standard Time", "GMT+02:00", None),
    zone("Europe/Istanbul", "Turkey Standard Time", "GMT+03:00", None),
    zone("Europe/Moscow", "Russian Standard Time", "GMT+03:00", None),
    zone("Asia/Riyadh", "Arab Standard Time", "GMT+03:00", None),
    zone("Asia/Kuwait", "Arab Standard Time", "GMT+03:00", None),
    zone("Asia/Qatar", "Arab Standard Time", "GMT+03:00", None),
    zone("Asia/Baghdad", "Arabic Standard Time", "GMT+03:00", None),
    zone("Africa/Nairobi", "E. Africa Standard Time", "GMT+03:00", None),
    zone("Asia/Tehran", "Iran Standard Time", "GMT+03:30", None),
    zone("Asia/Dubai", "Arabian Standard Time", "GMT+04:00", None),
    zone("Asia/Muscat", "Arabian Standard Time", "GMT+04:00", None),
    zone("Asia/Baku", "Caucasus Standard Time", "GMT+04:00", None),
    zone("Asia/Kabul", "Afghanistan Standard Time", "GMT+04:30", None),
    zone("Asia/Karachi", "West Asia Standard Time", "GMT+05:00", None),
    zone("Asia/Tashkent", "West Asia Standard Time", "GMT+05:00", None),
    zone("Asia/Kolkata", "India Standard Time", "GMT+05:30", None),
    zone("Asia/Calcutta", "India Standard Time", "GMT+05:30", None),
    zone("Asia/Colombo", "India Standard Time", "GMT+05:30", None),
    zone("Asia/Kathmandu", "Nepal Standard Time", "GMT+05:45", None),
    zone("Asia/Dhaka", "Central Asia Standard Time", "GMT+06:00", None),
    zone("Asia/Yangon", "Myanmar Standard Time", "GMT+06:30", None),
    zone("Asia/Bangkok", "SE Asia Standard Time", "GMT+07:00", None),
    zone("Asia/Jakarta", "SE Asia Standard Time", "GMT+07:00", None),
    zone("Asia/Ho_Chi_Minh", "SE Asia Standard Time", "GMT+07:00", None),
    zone("Asia/Shanghai", CHINA, "GMT+08:00", None),
    zone("Asia/Hong_Kong", CHINA, "GMT+08:00", None),
    zone("Asia/Taipei", "Taipei Standard Time", "GMT+08:00", None),
    zone("Asia/Singapore", SINGAPORE, "GMT+08:00", None),
    zone("Asia/Kuala_Lumpur", SINGAPORE, "GMT+08:00", None),
    zone("Asia/Manila", SINGAPORE, "GMT+08:00", None),
    zone("Australia/Perth", "W. Australia Standard Time", "GMT+08:00", None),
    zone("Asia/Tokyo", "Tokyo Standard Time", "GMT+09:00", None),
    zone("Japan", "Tokyo Standard Time", "GMT+09:00", None),
    zone("Asia/Seoul", "Korea Standard Time", "GMT+09:00", None),
    zone("Australia/Darwin", "AUS Central Standard Time", "GMT+09:30", None),
    zone("Australia/Adelaide", "Cen. Australia Standard/Daylight Time", "GMT+09:30", Australia),
    zone("Australia/Sydney", AUS_EASTERN, "GMT+10:00", Australia),
    zone("Australia/Melbourne", AUS_EASTERN, "GMT+10:00", Australia),
    zone("Australia/Canberra", AUS_EASTERN, "GMT+10:00", Australia),
    zone("Australia/Hobart", "Tasmania Standard/Daylight Time", "GMT+10:00", Australia),
    zone("Australia/Brisbane", "E. Australia Standard Time", "GMT+10:00", None),
    zone("Pacific/Auckland", "New Zealand Standard/Daylight Time", "GMT+12:00", NewZealand),
    zone("Pacific/Fiji", "Fiji Standard Time", "GMT+12:00", None),
    zone("Pacific/Honolulu", "Hawaiian Standard Time", "GMT-10:00", None),
    zone("America/Anchorage", "Alaskan Standard/Daylight Time", "GMT-09:00", America),
    zone("America/Los_Angeles", PACIFIC, "GMT-08:00", America),
    zone("America/Vancouver", PACIFIC, "GMT-08:00", America),
    zone("America/Denver", MOUNTAIN, "GMT-07:00", America),
    zone("America/Edmonton", MOUNTAIN, "GMT-07:00", America),
    zone("America/Phoenix", "US Mountain Standard Time", "GMT-07:00", None),
    zone("America/Chicago", CENTRAL, "GMT-06:00", America),
    zone("America/Winnipeg", CENTRAL, "GMT-06:00", America),
    zone("America/Mexico_City", "Mexico Standard Time", "GMT-06:00", None),
    zone("America/New_York", EASTERN, "GMT-05:00", America),
    zone("America/Toronto", EASTERN, "GMT-05:00", America),
    zone("America/Bogota", SA_PACIFIC, "GMT-05:00", None),
    zone("America/Lima", SA_PACIFIC, "GMT-05:00", None),
    zone("America/Halifax", "Atlantic Standard/Daylight Time", "GMT-04:00", America),
    zone("America/Caracas", SA_WESTERN, "GMT-04:00", None),
    zone("America/Santiago", "Pacific SA Standard/Daylight Time", "GMT-04:00", Chile),
    zone("America/Argentina/Buenos_Aires", SA_EASTERN, "GMT-03:00", None),
    zone("America/Sao_Paulo", "E. South America Standard Time", "GMT-03:00", None),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_carry_their_summer_time_in_their_name() {
        for zone in &ZONES {
            if zone.summer != None {
                assert!(zone.name.contains("Standard/Daylight"), "{}", zone.iana);
            }
        }
    }

    #[test]
    fn every_zone_is_found_once() {
        for (at, zone) in ZONES.iter().enumerate() {
            assert_eq!(time_zone(zone.iana), zone);
            assert!(ZONES[..at].iter().all(|before| before.iana != zone.iana), "{}", zone.iana);
        }
        assert_eq!(time_zone("Asia/Tokyo").name, "Tokyo Standard Time");
        assert_eq!(time_zone("Mars/Olympus").iana, "Etc/UTC");
    }
}
