//! The order of REGISTERs: which one is a copy, which one is late, and which one comes from a phone
//! that begins to count anew (RFC 3261 section 10.3, step 7).

use jackfield_sip::{Essentials, Message};
use jackfield_vocabulary::ObjectId;

use super::Devices;
use super::binding::{Registered, Trust};
use super::registrar::Believed;
use super::wish::Wish;

impl Devices {
    /// The very request by which an address was bound, which came once more.
    pub(super) fn is_copy(
        &self,
        device: ObjectId,
        user: &str,
        request: &Message,
        essentials: &Essentials,
    ) -> bool {
        let Some(binding) = self.bindings.get(&device) else { return false };
        binding.lines.iter().any(|line| {
            line.is_of(user)
                && line.sequence == essentials.cseq.number
                && line.call_id == essentials.call_id
                && line.request == request.fingerprint()
        })
    }

    /// Of one registration, a request whose sequence number is not above the last one's is late:
    /// what it says of an address is not so any more. But a phone that lost its power begins to
    /// count anew, some with the same Call-ID: what it proves with a nonce never used before is no
    /// late request, and where no proof is asked for, it comes from where the phone is. That is
    /// only so for coming back, not for leaving.
    pub(super) fn is_out_of_order(&self, who: &Believed<'_>, wish: &Wish, user: &str) -> bool {
        let Some(binding) = self.bindings.get(&who.device) else { return false };
        let essentials = who.essentials;
        let (call_id, number) = (&essentials.call_id, essentials.cseq.number);
        let concerned = |line: &&Registered| {
            line.is_of(user)
                && line.call_id == *call_id
                && (wish.staying.is_some() || wish.takes_away(&line.contact))
        };
        let mut lines = binding.lines.iter().filter(concerned);
        let back = match who.trust {
            Trust::Proved => who.fresh,
            Trust::Provisional | Trust::Given => binding.came_from(who.flow),
        };
        lines.any(|line| number <= line.sequence) && !(back && wish.staying.is_some())
    }
}
