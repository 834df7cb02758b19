//! A phone that is called sends the call elsewhere (CSTA: deflect). That is followed with what the called
//! line and its device may call, as a forward of the line would be, and counts as one.

use jackfield_vocabulary::{Cause, ForwardReason, LegId};

use super::analysis::Reach;
use super::legs::Legs;
use super::state::{Call, Called, Deflection, Destination};
use crate::context::Context;

impl Call {
    /// A device of the line names other numbers. While others of the line ring, they may still answer.
    pub(super) fn deflected(
        &mut self,
        context: &mut Context<'_>,
        legs: &mut Legs,
        leg: LegId,
        to: Vec<Box<str>>,
    ) -> Result<(), Cause> {
        let Called::Offering(offering) = &mut self.called else { return Ok(()) };
        let Some(place) = offering.terminals.iter().position(|one| one.leg == leg) else {
            return Ok(());
        };
        let device = offering.terminals.swap_remove(place).device;
        legs.remove(leg, device);
        offering.deflection.get_or_insert(Deflection { device, to });
        self.nobody_left(context, legs)
    }

    /// Sends the call to the first of the numbers that can be called; without one by the line's own
    /// forward for calls that nobody takes.
    pub(super) fn deflect(
        &mut self,
        context: &mut Context<'_>,
        legs: &mut Legs,
        Deflection { device, to }: Deflection,
    ) -> Result<(), Cause> {
        let Called::Offering(offering) = &self.called else { return Ok(()) };
        let (line, settings) = (offering.line, offering.settings.clone());
        self.leave_called(context, legs, Cause::NoAnswer);
        self.count_forward(context)?;
        self.divert(&settings.number.to_string(), ForwardReason::Redirect);
        let css = context.directory.effective(device).and_then(|device| device.css);
        let reach = Reach::of(context.directory, settings.css, css);
        let to = to.into_iter().rev().map(|number| Destination { number, reach: reach.clone() });
        self.way.alternatives.extend(to);
        match self.or_elsewhere(context, legs, Err(Cause::NoAnswer)) {
            Err(Cause::NoAnswer) => {
                match self.onward(context, line, &settings, ForwardReason::NoAnswer)? {
                    Some(to) => self.send(context, legs, to),
                    None => Err(Cause::NoAnswer),
                }
            }
            result => result,
        }
    }

    /// Where a call has come to nothing, it goes to the next of the numbers that a phone had named.
    pub(super) fn or_elsewhere(
        &mut self,
        context: &mut Context<'_>,
        legs: &mut Legs,
        mut result: Result<(), Cause>,
    ) -> Result<(), Cause> {
        while let Err(cause) = result {
            let Some(to) = self.way.alternatives.pop() else { return Err(cause) };
            let refused = self.refused;
            result = self.send(context, legs, to);
            // The caller dialled a good number; that the phone named a bad one is not its fault.
            if let Err(Cause::NoRoute | Cause::InvalidNumber | Cause::Forbidden) = result {
                self.refused = refused;
                result = Err(cause);
            }
        }
        result
    }
}
