//! Whether the host name by which phones are told of this node leads anywhere.

use std::net::IpAddr;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// What the DNS said last. It is asked about one name at a time, and no more often than that: a look-up
/// that hangs keeps a thread for as long as the system likes.
#[derive(Default)]
pub(crate) struct HostName(Mutex<Option<Said>>);

struct Said {
    name: Box<str>,
    at: Instant,
    nowhere: bool,
}

impl HostName {
    /// The DNS of this machine knows no such name. An address is no name, and one that can't be asked
    /// about in time says nothing.
    pub(crate) async fn leads_nowhere(&self, name: &str) -> bool {
        if name.is_empty() || name.parse::<IpAddr>().is_ok() {
            return false;
        }
        self.nowhere(name, is_known(name)).await
    }

    async fn nowhere(&self, name: &str, known: impl Future<Output = bool>) -> bool {
        let mut said = self.0.lock().await;
        let lately = |said: &&Said| *said.name == *name && said.at.elapsed() < LATELY;
        if let Some(said) = said.as_ref().filter(lately) {
            return said.nowhere;
        }
        let nowhere = timeout(PATIENCE, known).await.is_ok_and(|known| !known);
        *said = Some(Said { name: name.into(), at: Instant::now(), nowhere });
        nowhere
    }
}

async fn is_known(name: &str) -> bool {
    lookup_host((name, 0)).await.is_ok_and(|mut found| found.next().is_some())
}

/// How long the DNS may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// For so long what it said is believed.
const LATELY: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn an_address_and_a_name_of_this_machine_lead_somewhere() {
        let name = HostName::default();
        for told in ["192.0.2.10", "2001:db8::1", "localhost", ""] {
            assert!(!name.leads_nowhere(told).await, "{told}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_dns_is_asked_about_a_name_once_in_a_while() {
        let (name, asked) = (HostName::default(), AtomicU32::new(0));
        let no = async || {
            asked.fetch_add(1, Ordering::Relaxed);
            false
        };
        for _ in 0..100 {
            assert!(name.nowhere("pbx.example.com", no()).await);
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        assert!(!name.nowhere("other.example.com", ready(true)).await, "another one");
        assert!(name.nowhere("pbx.example.com", no()).await);
        tokio::time::advance(LATELY).await;
        assert!(!name.nowhere("pbx.example.com", ready(true)).await, "it was entered meanwhile");
    }

    #[tokio::test(start_paused = true)]
    async fn a_dns_that_hangs_says_nothing_and_holds_nobody_up_for_long() {
        let (name, began) = (HostName::default(), Instant::now());
        for _ in 0..20 {
            assert!(!name.nowhere("pbx.example.com", pending()).await);
        }
        assert!(began.elapsed() < PATIENCE * 2, "{:?}", began.elapsed());
    }
}
