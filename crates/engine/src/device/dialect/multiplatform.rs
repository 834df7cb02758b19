//! Multiplatform firmware: `resync` reads the profile again, `reboot` starts over.

use jackfield_vocabulary::DeviceRestart;

use super::Notice;

pub(super) fn restart(restart: DeviceRestart) -> Notice {
    Notice::event(match restart {
        DeviceRestart::Restart | DeviceRestart::Resync => "resync",
        DeviceRestart::Reset => "reboot",
    })
}
