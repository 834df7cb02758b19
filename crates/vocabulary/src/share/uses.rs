//! What limits by source are used for. Each use is a row here; `docs/administrators.md` shows the
//! rows, which a test compares, and the metrics page tells of each by its name.

use std::fmt::Write;

use super::{Allowance, Figures, Limits, Pace, Places};

/// A use of [`Places`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceUse {
    /// Its name on the metrics page.
    pub name: &'static str,
    /// What is held, for people.
    pub what: &'static str,
    /// How much of it there is.
    pub total: Total,
    /// What the strangers of one source may hold, in hundredths of the total.
    pub share: u8,
    /// What those of one source may hold who proved themselves, in hundredths of the total.
    pub proved_share: u8,
    /// What only those may hold who proved themselves, in hundredths of the total.
    pub reserve: u8,
    /// What happens when nothing is free, for people.
    pub full: &'static str,
}

/// How much there is of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// So much.
    Fixed(u64),
    /// So many MiB.
    Mebibytes(u64),
    /// As much as a setting says, in words.
    Setting(&'static str),
}

/// A use of [`Pace`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaceUse {
    /// Its name on the metrics page.
    pub name: &'static str,
    /// What is done, for people.
    pub what: &'static str,
    /// How often one source may do it.
    pub rate: Rate,
    /// Sources remembered.
    pub sources: u64,
    /// What happens beyond, for people.
    pub beyond: &'static str,
}

/// How often something may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// So often.
    Fixed(Allowance),
    /// As a setting says, in words.
    Setting(&'static str),
}

/// Transactions of SIP requests that came in.
pub const SIP_TRANSACTIONS: PlaceUse = PlaceUse {
    name: "sip-transactions",
    what: "SIP requests under way, but those that are answered at once",
    total: Total::Fixed(40_000),
    share: 10,
    proved_share: 50,
    reserve: 50,
    full: "503, come again in 5 to 30 seconds",
};

/// Octets of these requests.
pub const SIP_TRANSACTION_OCTETS: PlaceUse = PlaceUse {
    name: "sip-transaction-octets",
    what: "their octets, which the answers repeat",
    total: Total::Mebibytes(128),
    share: 10,
    proved_share: 50,
    reserve: 50,
    full: "as with the requests",
};

/// SIP connections over TCP.
pub const SIP_STREAMS: PlaceUse = PlaceUse {
    name: "sip-streams",
    what: "SIP connections, no more than the descriptors that the system allows",
    total: Total::Fixed(70_000),
    share: 25,
    proved_share: 75,
    reserve: 50,
    full: "the oldest connection over which no phone is registered is closed",
};

/// Octets that SIP connections hold.
pub const SIP_STREAM_OCTETS: PlaceUse = PlaceUse {
    name: "sip-stream-octets",
    what: "SIP messages on connections that are not whole yet, or that nobody takes",
    total: Total::Mebibytes(128),
    share: 10,
    proved_share: 50,
    reserve: 50,
    full: "the connection that has waited longest is closed, of whoever has most; 256 KiB on one connection",
};

/// TFTP transfers, of all desks together.
pub const TFTP_TRANSFERS: PlaceUse = PlaceUse {
    name: "tftp-transfers",
    what: "TFTP transfers",
    total: Total::Fixed(16_384),
    share: 25,
    proved_share: 25,
    reserve: 0,
    full: "the oldest transfer whose client never answered ends; the client asks again",
};

/// Bytes of files on their way over TFTP.
pub const TFTP_BYTES: PlaceUse = PlaceUse {
    name: "tftp-bytes",
    what: "files under way over TFTP",
    total: Total::Mebibytes(256),
    share: 50,
    proved_share: 50,
    reserve: 0,
    full: "as with the transfers",
};

/// Connections of both HTTP doors.
pub const HTTP_CONNECTIONS: PlaceUse = PlaceUse {
    name: "http-connections",
    what: "HTTP connections",
    total: Total::Setting("8,192, or a quarter of the descriptors that the system allows"),
    share: 25,
    proved_share: 25,
    reserve: 0,
    full: "the oldest one without a request under way is closed, of whoever has most",
};

/// Bodies of HTTP requests, and what is read from them.
pub const HTTP_BODIES: PlaceUse = PlaceUse {
    name: "http-bodies",
    what: "bodies of HTTP requests under way",
    total: Total::Mebibytes(64),
    share: 10,
    proved_share: 50,
    reserve: 50,
    full: "503; who is signed in has proved itself",
};

/// Calls at the self-provisioning IVR.
pub const IVR_CALLS: PlaceUse = PlaceUse {
    name: "ivr-calls",
    what: "self-provisioning calls",
    total: Total::Setting("the setting `maximum_calls`"),
    share: 25,
    proved_share: 100,
    reserve: 0,
    full: "the oldest call ends that leaves the questions unanswered, or gets no further for two minutes; if there is none, the new one",
};

/// Phones that were taken in by auto-registration and have no owner yet.
pub const NEW_PHONES: PlaceUse = PlaceUse {
    name: "new-phones",
    what: "phones taken in by auto-registration that wait for an owner",
    total: Total::Setting("the setting `unassigned_limit`"),
    share: 25,
    proved_share: 50,
    reserve: 0,
    full: "told to come again later; beyond the limit of all refused",
};

/// Those of them that have shown neither that they are where they say nor a secret.
pub const UNSEEN_PHONES: PlaceUse = PlaceUse {
    name: "unseen-phones",
    what: "those of them that answered no question: anybody may have written their address",
    total: Total::Setting("a quarter of `unassigned_limit`"),
    share: 25,
    proved_share: 25,
    reserve: 0,
    full: "asked for credentials",
};

/// New phones that are asked whether they are where they say.
pub const PROBES: PlaceUse = PlaceUse {
    name: "probes",
    what: "new phones over UDP that are asked whether they are where they say",
    total: Total::Fixed(4096),
    share: 25,
    proved_share: 25,
    reserve: 0,
    full: "asked for credentials at once",
};

/// Phones that show no secret, after which the other nodes are asked.
pub const INQUIRIES: PlaceUse = PlaceUse {
    name: "inquiries",
    what: "phones without a secret after which the database is asked what other nodes know of them",
    total: Total::Fixed(1024),
    share: 25,
    proved_share: 25,
    reserve: 0,
    full: "told to come again later",
};

/// Why registrations were refused, for whoever asks why a phone is not there.
pub const REFUSALS: PlaceUse = PlaceUse {
    name: "refusals",
    what: "refused registrations whose reason can be asked for",
    total: Total::Fixed(4096),
    share: 25,
    proved_share: 25,
    reserve: 0,
    full: "the oldest reason is forgotten, of whoever has most",
};

/// Wrong credentials in SIP.
pub const WRONG_CREDENTIALS: PaceUse = PaceUse {
    name: "wrong-credentials",
    what: "SIP requests with wrong credentials that are answered",
    rate: Rate::Fixed(Allowance { burst: 20, per_minute: 30 }),
    sources: 4096,
    beyond: "no answer; counted in the next line of the log",
};

/// Unknown phones that ask to be taken in.
pub const NEWCOMERS: PaceUse = PaceUse {
    name: "newcomers",
    what: "unknown phones taken in by auto-registration",
    rate: Rate::Setting("three quarters of the setting `per_minute`"),
    sources: 4096,
    beyond: "told when to come again",
};

/// Lines in the log about unknown phones that come too fast.
pub const NEWCOMERS_LINES: PaceUse = PaceUse {
    name: "newcomers-lines",
    what: "unknown phones told to come later with a line each in the log",
    rate: Rate::Fixed(Allowance { burst: 5, per_minute: 1 }),
    sources: 1024,
    beyond: "counted in the next line",
};

/// Lines in the log about calls that another node would take, or that brought too many wrong PINs.
pub const TURNED_AWAY_LINES: PaceUse = PaceUse {
    name: "turned-away-lines",
    what: "self-provisioning calls turned away, by a node that stands by or for too many wrong PINs, with a line each in the log",
    rate: Rate::Fixed(Allowance { burst: 5, per_minute: 1 }),
    sources: 1024,
    beyond: "counted in the next line",
};

/// Records of calls of phones that belong to nobody.
pub const NEWCOMERS_RECORDS: PaceUse = PaceUse {
    name: "newcomers-records",
    what: "calls of phones that wait for an owner with a record each",
    rate: Rate::Fixed(Allowance { burst: 60, per_minute: 10 }),
    sources: 4096,
    beyond: "no record; counted (`calls-without-record`)",
};

/// Tries to sign in over REST.
pub const SIGN_INS: PaceUse = PaceUse {
    name: "sign-ins",
    what: "tries to sign in",
    rate: Rate::Fixed(Allowance { burst: 30, per_minute: 30 }),
    sources: 10_000,
    beyond: "429",
};

/// Forms that phones send from their own screens.
pub const PHONE_FORMS: PaceUse = PaceUse {
    name: "phone-forms",
    what: "forms sent from the screens of phones",
    rate: Rate::Fixed(Allowance { burst: 30, per_minute: 30 }),
    sources: 10_000,
    beyond: "refused on the screen",
};

/// Wrong PINs and codes over the self-provisioning IVR, from phones that showed no secret.
pub const IVR_GUESSES: PaceUse = PaceUse {
    name: "ivr-guesses",
    what: "self-service IDs with a wrong PIN or code keyed in at new phones over the self-provisioning IVR",
    rate: Rate::Fixed(Allowance { burst: 15, per_minute: 15 }),
    sources: 10_000,
    beyond: "nothing is checked; the caller is told to try again later",
};

/// The same from phones that proved themselves.
pub const IVR_PROVED_GUESSES: PaceUse = PaceUse {
    name: "ivr-proved-guesses",
    what: "the same at phones that showed their secret",
    rate: Rate::Fixed(Allowance { burst: 15, per_minute: 15 }),
    sources: 10_000,
    beyond: "the same",
};

/// Lines in the log about requests of people who are not signed in.
pub const STRANGERS_LINES: PaceUse = PaceUse {
    name: "strangers-lines",
    what: "HTTP requests of strangers with a line each in the log",
    rate: Rate::Fixed(Allowance { burst: 10, per_minute: 10 }),
    sources: 4096,
    beyond: "counted in the next line",
};

/// Rows in the audit about what people who are signed in may not do.
pub const REFUSED_ROWS: PaceUse = PaceUse {
    name: "refused-rows",
    what: "refused orders, and requests of people who may not make them, with a row each in the audit",
    rate: Rate::Fixed(Allowance { burst: 30, per_minute: 2 }),
    sources: 4096,
    beyond: "counted in the next row",
};

/// Every use of places.
pub const PLACES: [&PlaceUse; 14] = [
    &SIP_TRANSACTIONS,
    &SIP_TRANSACTION_OCTETS,
    &SIP_STREAMS,
    &SIP_STREAM_OCTETS,
    &HTTP_CONNECTIONS,
    &HTTP_BODIES,
    &TFTP_TRANSFERS,
    &TFTP_BYTES,
    &IVR_CALLS,
    &NEW_PHONES,
    &REFUSALS,
    &UNSEEN_PHONES,
    &PROBES,
    &INQUIRIES,
];

/// Every use of a pace.
pub const PACES: [&PaceUse; 11] = [
    &WRONG_CREDENTIALS,
    &NEWCOMERS,
    &NEWCOMERS_LINES,
    &NEWCOMERS_RECORDS,
    &TURNED_AWAY_LINES,
    &IVR_GUESSES,
    &IVR_PROVED_GUESSES,
    &SIGN_INS,
    &PHONE_FORMS,
    &STRANGERS_LINES,
    &REFUSED_ROWS,
];

impl PlaceUse {
    /// Its limits, where the total is fixed.
    pub fn limits(&self) -> Limits {
        self.limits_of(match self.total {
            Total::Fixed(total) => total,
            Total::Mebibytes(total) => total << 20,
            Total::Setting(_) => 0,
        })
    }

    /// Its limits with this total: what a setting says, or a part of the whole.
    pub fn limits_of(&self, total: u64) -> Limits {
        let part = |percent: u8| total.saturating_mul(percent.into()) / 100;
        Limits {
            total,
            share: part(self.share).max(1),
            proved_share: part(self.proved_share).max(1),
            reserve: part(self.reserve),
        }
    }

    /// Places of this use, all of them.
    pub fn places<K: Ord + Clone>(&self) -> Places<K> {
        Places::new(self.limits())
    }

    /// What its places have come to.
    pub fn figures<K: Ord + Clone>(&self, places: &Places<K>) -> Figures {
        places.figures(self.name)
    }
}

impl PaceUse {
    /// A pace of this use; where a setting says how often, [`Pace::set`] tells it.
    pub fn pace(&self) -> Pace {
        let nothing = Allowance { burst: 0, per_minute: 0 };
        let allowance = match self.rate {
            Rate::Fixed(allowance) => allowance,
            Rate::Setting(_) => nothing,
        };
        Pace::new(allowance, self.sources)
    }

    /// What its pace has come to.
    pub fn figures(&self, pace: &Pace) -> Figures {
        pace.figures(self.name)
    }
}

/// The tables of `docs/administrators.md`.
pub fn tables() -> String {
    let mut text = String::from(
        "| name | what | in all | strangers of one source | who proved themselves there | kept for \
         these | when none is free |\n|---|---|---|---|---|---|---|\n",
    );
    for row in PLACES {
        let PlaceUse { name, what, share, proved_share, reserve, full, .. } = row;
        let total = match row.total {
            Total::Fixed(total) => total.to_string(),
            Total::Mebibytes(total) => format!("{total} MiB"),
            Total::Setting(setting) => setting.to_owned(),
        };
        let shares = format!("{share} % | {proved_share} % | {reserve} %");
        let _ = writeln!(text, "| `{name}` | {what} | {total} | {shares} | {full} |");
    }
    text.push_str(
        "\n| name | what | one source | sources remembered | beyond |\n|---|---|---|---|---|\n",
    );
    for PaceUse { name, what, rate, sources, beyond } in PACES {
        let rate = match rate {
            Rate::Fixed(Allowance { burst, per_minute }) => {
                format!("{burst} at once, {per_minute} a minute")
            }
            Rate::Setting(setting) => (*setting).to_owned(),
        };
        let _ = writeln!(text, "| `{name}` | {what} | {rate} | {sources} | {beyond} |");
    }
    text
}
