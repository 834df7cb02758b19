//! INFO inside an answered call: from phone to phone it goes on; an application hears the keys in it.

use jackfield_sip::{ServerKey, Status};
use jackfield_vocabulary::{Cause, DigitSource, LegId};

use super::state::Call;
use super::tell_leg;
use crate::context::Context;
use crate::leg::{CtiLeg, Info, LegCommand};

impl Call {
    pub(super) fn info(
        &mut self,
        context: &mut Context<'_>,
        leg: LegId,
        info: Box<Info>,
    ) -> Result<(), Cause> {
        let (asked, side) = (info.asked, self.side_of(leg));
        let status = match side.and_then(|side| self.leg_of(side.other())) {
            Some((leg, false)) => {
                tell_leg(context, false, LegCommand::Info { leg, info });
                return Ok(());
            }
            Some((_, true)) if info.is_key => {
                if let Some(digit) = info.digit {
                    let source = DigitSource::Info;
                    self.tell_application(context, leg, |leg| CtiLeg::Digit {
                        leg,
                        digit,
                        source,
                    })?;
                }
                Status::OK
            }
            Some((_, true)) => Status::UNSUPPORTED_MEDIA_TYPE,
            None => Status::TEMPORARILY_UNAVAILABLE,
        };
        tell_leg(context, false, LegCommand::AnswerInfo { leg, asked, status });
        Ok(())
    }

    /// The other phone has answered.
    pub(super) fn info_answered(
        &mut self,
        context: &mut Context<'_>,
        from: LegId,
        asked: ServerKey,
        status: Status,
    ) -> Result<(), Cause> {
        let side = self.side_of(from);
        if let Some((leg, false)) = side.and_then(|side| self.leg_of(side.other())) {
            tell_leg(context, false, LegCommand::AnswerInfo { leg, asked, status });
        }
        Ok(())
    }
}
