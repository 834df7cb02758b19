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

/// The Reason header that says the same as a status that a device gave (RFC 3398 section 8.2.6.1).
pub(super) fn reason_of(status: Status) -> String {
    format!("Q.850;cause={}", refusal(status).number)
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
    refusal(status).cause
}

/// What the caller is answered when the called device refused with this status: the same, unless it
/// speaks of our own request to the device only.
pub(super) fn passed_on(status: Status) -> Status {
    refusal(status).answer.unwrap_or(status)
}

fn refusal(status: Status) -> &'static Refusal {
    let code = status.code();
    REFUSALS.iter().find(|row| (row.from..=row.to).contains(&code)).unwrap_or(&UNKNOWN)
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

/// Statuses from and to these: what a device means by them, the answer to the caller where that is
/// another one, and the number in ITU-T Q.850.
struct Refusal {
    from: u16,
    to: u16,
    cause: Cause,
    answer: Option<Status>,
    number: u8,
}

const fn same(from: u16, to: u16, cause: Cause, number: u8) -> Refusal {
    Refusal { from, to, cause, answer: None, number }
}

const fn other(from: u16, to: u16, cause: Cause, answer: Status, number: u8) -> Refusal {
    Refusal { from, to, cause, answer: Some(answer), number }
}

const UNKNOWN: Refusal = same(300, 699, Cause::Rejected, 31);

/// The first row that holds a status counts.
const REFUSALS: [Refusal; 38] = [
    // It sent the call to where we can't follow it.
    other(300, 399, Cause::NoAnswer, Status::TEMPORARILY_UNAVAILABLE, 31),
    // It wants credentials of ours; the caller's would be of no use to it.
    other(401, 401, Cause::Rejected, Status::FORBIDDEN, 21),
    other(407, 407, Cause::Rejected, Status::FORBIDDEN, 21),
    // To the caller that would say that this node is gone.
    other(408, 408, Cause::NoAnswer, Status::TEMPORARILY_UNAVAILABLE, 102),
    other(430, 430, Cause::DeviceUnreachable, Status::TEMPORARILY_UNAVAILABLE, 27),
    other(481, 481, Cause::DeviceUnreachable, Status::TEMPORARILY_UNAVAILABLE, 41),
    // Nobody had given up, and nothing of the caller's was pending.
    other(487, 487, Cause::NoAnswer, Status::TEMPORARILY_UNAVAILABLE, 31),
    other(491, 491, Cause::Congestion, Status::TEMPORARILY_UNAVAILABLE, 41),
    // It would keep the caller from every other number too (RFC 3261 section 16.7, step 6).
    other(503, 503, Cause::Congestion, Status::SERVER_INTERNAL_ERROR, 41),
    same(400, 400, Cause::Rejected, 41),
    same(402, 403, Cause::Rejected, 21),
    same(404, 404, Cause::Unregistered, 1),
    same(405, 405, Cause::Rejected, 63),
    same(406, 406, Cause::MediaUnavailable, 79),
    same(410, 410, Cause::Unregistered, 22),
    same(414, 414, Cause::InvalidNumber, 127),
    same(415, 415, Cause::MediaUnavailable, 79),
    same(416, 416, Cause::InvalidNumber, 127),
    same(413, 429, Cause::Rejected, 127),
    same(433, 433, Cause::Rejected, 24),
    same(480, 480, Cause::NoAnswer, 18),
    same(482, 483, Cause::Loop, 25),
    same(484, 484, Cause::InvalidNumber, 28),
    same(485, 485, Cause::InvalidNumber, 1),
    same(486, 486, Cause::Busy, 17),
    same(488, 488, Cause::MediaUnavailable, 65),
    same(493, 493, Cause::MediaUnavailable, 127),
    same(400, 499, Cause::Rejected, 127),
    same(500, 500, Cause::Congestion, 41),
    same(501, 501, Cause::Congestion, 79),
    same(502, 502, Cause::Congestion, 38),
    same(504, 504, Cause::Congestion, 102),
    same(505, 513, Cause::Congestion, 127),
    same(500, 599, Cause::Congestion, 41),
    same(600, 600, Cause::Busy, 17),
    same(604, 604, Cause::Unregistered, 1),
    same(606, 606, Cause::MediaUnavailable, 58),
    same(600, 699, Cause::Rejected, 21),
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

    /// Every status from 300 to 699 is a refusal for the caller too, and none that asks it for something
    /// or says that we are gone.
    #[test]
    fn every_status_of_a_device_means_something_to_the_caller() {
        for code in 300..=699 {
            let status = Status::new(code).unwrap();
            let answer = passed_on(status).code();
            assert!(REFUSALS.iter().any(|row| (row.from..=row.to).contains(&code)), "{code}");
            assert!((400..700).contains(&answer), "{code}: {answer}");
            assert!(![401, 407, 408, 481, 487, 491, 503].contains(&answer), "{code}: {answer}");
            assert!(matches!(answer, 403 | 480 | 500) || answer == code, "{code}: {answer}");
            assert!((1..=127).contains(&refusal(status).number), "{code}");
        }
    }

    #[test]
    fn what_a_phone_says_comes_back_as_it_was_meant() {
        for cause in [Cause::Busy, Cause::NoAnswer, Cause::Rejected, Cause::MediaUnavailable] {
            assert_eq!(of_refusal(status(cause)), cause);
        }
    }
}
