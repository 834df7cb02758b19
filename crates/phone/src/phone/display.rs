//! What the display shows, as lines of text.

use super::Phone;
use super::power::Stage;
use crate::interface::{CallState, PhoneEvent, PhoneOutput};

impl Phone {
    /// Shows what changed.
    pub(super) fn show(&mut self, out: &mut Vec<PhoneOutput>) {
        let lines = self.lines_to_show();
        if lines != self.shown {
            self.shown.clone_from(&lines);
            self.tell(PhoneEvent::Display(lines), out);
        }
    }

    fn lines_to_show(&self) -> Vec<String> {
        let mut lines = Vec::new();
        match &self.stage {
            Stage::Off => return lines,
            Stage::Fetching(walk) => {
                lines.push("Loading configuration ...".to_owned());
                lines.extend(walk.asking());
            }
            Stage::Waiting { reason, .. } => lines.push(format!("Not registered: {reason}")),
            Stage::Connecting => lines.push("Registering ...".to_owned()),
            Stage::Leaving { restart: true, .. } => lines.push("Restarting ...".to_owned()),
            Stage::Leaving { .. } => lines.push("Switching off ...".to_owned()),
            Stage::Up | Stage::Checking(_) => self.show_lines(&mut lines),
        }
        for call in &self.calls {
            lines.push(match call.told() {
                CallState::Dialling { number } => format!("Calling {number}"),
                CallState::RingingThere | CallState::EarlyMedia => format!("Ringing {}", call.peer),
                CallState::RingingHere { from } => format!("Call from {from}"),
                CallState::Connected { with } => format!("Connected {with}"),
                CallState::Held => format!("Hold {}", call.peer),
                CallState::HeldThere => format!("Held by {}", call.peer),
                CallState::Ended { .. } => "Call ended".to_owned(),
            });
        }
        if !self.keyed.is_empty() {
            lines.push(format!("> {}", self.keyed));
        }
        if self.message_waiting {
            lines.push("You have messages".to_owned());
        }
        lines.extend(self.notice.clone());
        lines.extend(self.browser.lines());
        lines
    }

    fn show_lines(&self, lines: &mut Vec<String>) {
        for line in &self.lines {
            let mut text = line.number().to_owned();
            if line.label() != line.number() {
                text = format!("{text} {}", line.label());
            }
            if let Some(trouble) = line.trouble() {
                text = format!("{text} - not registered: {trouble}");
            } else if !line.is_registered() {
                text = format!("{text} - registering ...");
            }
            lines.push(text);
        }
        for dial in &self.profile.speed_dials {
            lines.push(format!("[{}] {}", dial.label, dial.number));
        }
    }
}
