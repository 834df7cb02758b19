//! `dialplan.xml`: which dialled digits go out without waiting for more.

use jackfield_model::ClusterSettings;

use crate::writer::Writer;

/// Emergency numbers at once, everything else after a pause.
pub(crate) fn render(settings: &ClusterSettings) -> Vec<u8> {
    let mut file = Writer::with_capacity(1024);
    file.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DIALTEMPLATE>\n");
    for number in &settings.emergency_numbers {
        file.raw("  <TEMPLATE MATCH=\"");
        for digit in number.chars() {
            // A star stands for any digits here unless it is escaped.
            match digit {
                '*' => drop(file.raw("\\*")),
                digit if digit.is_ascii_digit() || matches!(digit, '#' | '+') => {
                    file.raw(digit.encode_utf8(&mut [0; 4]));
                }
                _ => {}
            }
        }
        file.raw("\" Timeout=\"0\"/>\n");
    }
    file.raw("  <TEMPLATE MATCH=\"*\" Timeout=\"5\"/>\n</DIALTEMPLATE>\n");
    file.into_body()
}
