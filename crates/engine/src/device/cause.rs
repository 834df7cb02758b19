//! How reasons are said in SIP, and read from it.

use jackfield_sip::Status;
use jackfield_sip::header::Reason;
use jackfield_vocabulary::Cause;

/// One reason: the status that refuses a call for it, and its number in ITU-T Q.850.
struct Row(Cause, Status, u8);

/// The answer that refuses an INVITE for this reason.
pub(super) fn status(cause: Cause) -> Status {
    row(cause).map_or(Status::SERVER_INTERNAL_ERROR, |row| row.1)
}

/// The Reason header that says the same (RFC 3326).
pub(super) fn reason(cause: Cause) -> String {
    match cause {
        Cause::AnsweredElsewhere => elsewhere().to_string(),
        cause => format!("Q.850;cause={}", row(cause).map_or(41, |row| row.2)),
    }
}

/// What a phone has to know whose ringing ends: that somebody else answered, or it lists a missed
/// call (RFC 3326 section 3.1).
pub(super) fn of_cancel(cause: Cause) -> Option<Reason> {
    (cause == Cause::AnsweredElsewhere).then(elsewhere)
}

fn elsewhere() -> Reason {
    Reason::new("SIP", Status::OK.code(), "Call completed elsewhere")
}

/// What a device means that refuses a call with this status.
pub(super) fn of_refusal(status: Status) -> Cause {
    match status.code() {
        486 | 600 => Cause::Busy,
        408 | 480 => Cause::NoAnswer,
        404 | 410 | 430 | 604 => Cause::Unregistered,
        414 | 416 | 484 => Cause::InvalidNumber,
        482 | 483 => Cause::Loop,
        406 | 415 | 488 | 606 => Cause::MediaUnavailable,
        487 => Cause::Cancelled,
        491 | 500..=599 => Cause::Congestion,
        _ => Cause::Rejected,
    }
}

/// The answer that refuses new media for this reason; the session goes on.
pub(super) fn of_re_refusal(cause: Cause) -> Status {
    match cause {
        Cause::Congestion => Status::REQUEST_PENDING,
        Cause::DeviceUnreachable => Status::SERVER_TIMEOUT,
        Cause::FeatureNotAllowed | Cause::Forbidden => Status::FORBIDDEN,
        _ => Status::NOT_ACCEPTABLE_HERE,
    }
}

fn row(cause: Cause) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.0 == cause)
}

const ROWS: [Row; 18] = [
    Row(Cause::Normal, Status::TEMPORARILY_UNAVAILABLE, 16),
    Row(Cause::Cancelled, Status::REQUEST_TERMINATED, 16),
    Row(Cause::AnsweredElsewhere, Status::REQUEST_TERMINATED, 26),
    Row(Cause::Busy, Status::BUSY_HERE, 17),
    Row(Cause::NoAnswer, Status::TEMPORARILY_UNAVAILABLE, 19),
    Row(Cause::Rejected, Status::DECLINE, 21),
    Row(Cause::NoRoute, Status::NOT_FOUND, 1),
    Row(Cause::Unregistered, Status::TEMPORARILY_UNAVAILABLE, 20),
    Row(Cause::InvalidNumber, Status::ADDRESS_INCOMPLETE, 28),
    Row(Cause::Loop, Status::LOOP_DETECTED, 25),
    Row(Cause::Forbidden, Status::FORBIDDEN, 57),
    Row(Cause::MediaUnavailable, Status::NOT_ACCEPTABLE_HERE, 65),
    Row(Cause::Congestion, Status::SERVICE_UNAVAILABLE, 42),
    Row(Cause::DeviceUnreachable, Status::TEMPORARILY_UNAVAILABLE, 27),
    Row(Cause::ApplicationFailure, Status::SERVICE_UNAVAILABLE, 41),
    Row(Cause::FeatureNotAllowed, Status::FORBIDDEN, 69),
    Row(Cause::Dropped, Status::TEMPORARILY_UNAVAILABLE, 31),
    Row(Cause::ServerError, Status::SERVER_INTERNAL_ERROR, 41),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_one_and_has_a_number() {
        for Row(cause, status, number) in &ROWS {
            assert!(status.code() >= 400, "{cause:?}");
            assert!((1..=127).contains(number), "{cause:?}");
            assert_eq!(ROWS.iter().filter(|row| row.0 == *cause).count(), 1, "{cause:?}");
        }
        assert_eq!(reason(Cause::Busy), "Q.850;cause=17");
    }

    #[test]
    fn what_a_phone_says_comes_back_as_it_was_meant() {
        for cause in [Cause::Busy, Cause::NoAnswer, Cause::Rejected, Cause::MediaUnavailable] {
            assert_eq!(of_refusal(status(cause)), cause);
        }
    }
}
