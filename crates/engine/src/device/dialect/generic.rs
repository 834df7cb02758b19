//! Phones of RFC 3261 and little else: `check-sync`, which most makers understand.

use jackfield_vocabulary::DeviceRestart;

use super::Notice;

pub(super) fn restart(restart: DeviceRestart) -> Notice {
    Notice::event(match restart {
        DeviceRestart::Restart | DeviceRestart::Reset => "check-sync;reboot=true",
        DeviceRestart::Resync => "check-sync;reboot=false",
    })
}
