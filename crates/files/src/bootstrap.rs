//! `$PSN.xml`, the first file that a multiplatform phone asks for: it only tells where the
//! phone's own file is, by its hardware address, and how often to look.

use jackfield_model::Directory;

use crate::view::{push_authority, this_node};
use crate::writer::Writer;
use crate::{Context, FileError};

/// Renders the file.
pub(crate) fn render(directory: &Directory, context: &Context<'_>) -> Result<Vec<u8>, FileError> {
    let node = this_node(directory, context).ok_or(FileError::NotFound)?;
    let mut file = Writer::with_capacity(2 * 1024);
    file.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<flat-profile>\n");
    provisioning(&mut file, &node.address, context.file_port);
    file.raw("</flat-profile>\n");
    Ok(file.into_body())
}

/// Writes where and how often the phone looks for its file.
pub(crate) fn provisioning(file: &mut Writer, address: &str, port: u16) {
    let mut rule = String::from("http://");
    push_authority(&mut rule, address, port);
    rule.push_str("/$MA.xml");
    file.element("Profile_Rule", &rule).raw(RESYNC);
}

/// Rules B to D are written empty, for what is left out keeps its old value.
const RESYNC: &str = "<Profile_Rule_B></Profile_Rule_B>
<Profile_Rule_C></Profile_Rule_C>
<Profile_Rule_D></Profile_Rule_D>
<Provision_Enable>Yes</Provision_Enable>
<Resync_On_Reset>Yes</Resync_On_Reset>
<Resync_Random_Delay>2</Resync_Random_Delay>
<Resync_At__HHmm_></Resync_At__HHmm_>
<Resync_At_Random_Delay>600</Resync_At_Random_Delay>
<Resync_Periodic>3600</Resync_Periodic>
<Resync_Error_Retry_Delay>60</Resync_Error_Retry_Delay>
<Forced_Resync_Delay>14400</Forced_Resync_Delay>
<Resync_From_SIP>Yes</Resync_From_SIP>
<Resync_After_Upgrade_Attempt>Yes</Resync_After_Upgrade_Attempt>
<Resync_Trigger_1></Resync_Trigger_1>
<Resync_Trigger_2></Resync_Trigger_2>
<Resync_Fails_On_FNF>Yes</Resync_Fails_On_FNF>
<Upgrade_Enable>No</Upgrade_Enable>
<Upgrade_Rule></Upgrade_Rule>
";
