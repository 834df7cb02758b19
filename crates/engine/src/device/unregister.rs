//! The end of a registration: taken away (RFC 3261 section 10.2.2), over, or not to be any more.

use jackfield_model::Phone;
use jackfield_sip::Flow;
use jackfield_vocabulary::{ObjectId, UnixTime};

use super::Devices;
use super::binding::{Binding, Trust};
use super::registrar::keep;
use super::wish::Wish;
use crate::context::Context;
use crate::interface::{BindingChange, Level, Output};

impl Devices {
    /// A device takes addresses away that an address of record has; others stay.
    pub(super) fn unregister(
        &mut self,
        ctx: &mut Context<'_>,
        device: ObjectId,
        user: &str,
        wish: &Wish,
    ) {
        let Some(binding) = self.bindings.get_mut(&device) else { return };
        let before = binding.lines.len();
        binding.lines.retain(|line| !line.is_of(user) || !wish.takes_away(&line.contact));
        if binding.lines.is_empty() {
            self.unbind(ctx, device);
        } else if binding.lines.len() < before {
            self.addresses.listens(device, binding.ears());
            keep(ctx, device, binding);
        }
    }

    /// A device is not registered any more.
    pub(super) fn unbind(&mut self, ctx: &mut Context<'_>, device: ObjectId) {
        let phone = ctx.directory.typed::<Phone>(device);
        let name = phone.map_or("", |phone| &phone.name).to_owned();
        self.unbind_named(ctx, device, name);
    }

    /// The same for one whose name may be gone from the configuration.
    pub(super) fn unbind_named(&mut self, ctx: &mut Context<'_>, device: ObjectId, name: String) {
        let Some(binding) = self.bindings.remove(&device) else { return };
        self.addresses.leave(binding.flow.remote, device);
        self.addresses.listens(device, Vec::new());
        self.lost.forget(device);
        self.provisional.unlearn(device);
        if let Some(timer) = binding.expiry {
            ctx.timers.cancel(timer);
        }
        let change = self.left_of(ctx, device, &binding);
        ctx.out.push(Output::Binding(change));
        let fields =
            vec![("device.name", name), ("device.address", binding.flow.remote.to_string())];
        // Who has shown no secret may be anybody, and come and go as fast as it likes.
        let level = if binding.trust == Trust::Proved { Level::Info } else { Level::Debug };
        ctx.note(level, "device unregistered", fields);
        self.leave_stream(ctx, binding.flow);
    }

    /// A device that was registered over this stream is not any more; others may be.
    pub(super) fn leave_stream(&self, ctx: &mut Context<'_>, flow: Flow) {
        let there = |device| self.bindings.get(&device).is_some_and(|one| one.came_from(&flow));
        if flow.connection.is_some() && !self.addresses.at(flow.remote).any(there) {
            ctx.out.push(Output::LeaveStream { flow });
        }
    }

    /// What is kept of a registration that ended: from where the phone may fetch its file although the
    /// node was restarted meanwhile; of a new phone, since when it has been there, and that it has its
    /// secret. Else anybody could come in its place after a restart of the node.
    fn left_of(&mut self, ctx: &Context<'_>, device: ObjectId, binding: &Binding) -> BindingChange {
        let phone = ctx.directory.typed::<Phone>(device);
        let new = phone.is_some_and(|phone| phone.auto_registered);
        let left = phone.map(|_| Binding { lines: Vec::new(), ..binding.clone() });
        if new && binding.trust != Trust::Provisional {
            self.provisional.give(device);
        }
        let shown = left.as_ref().and_then(Binding::shown);
        let (host, has_secret) = (binding.flow.remote.ip(), binding.trust != Trust::Provisional);
        let (expires, ports) = (UnixTime(0), binding.ports());
        let binding = left.and_then(|left| postcard::to_allocvec(&left).ok());
        BindingChange { device, binding, expires, host, ports, has_secret, shown }
    }

    /// The timer of a binding fired: its time is over, or it was refreshed meanwhile.
    pub(super) fn binding_expiry(&mut self, ctx: &mut Context<'_>, device: ObjectId) {
        let Some(binding) = self.bindings.get_mut(&device) else { return };
        if !binding.prune(ctx.now) {
            ctx.count("registrations-expired");
            return self.unbind(ctx, device);
        }
        self.addresses.listens(device, binding.ears());
        binding.expiry = None;
        binding.watch(ctx.timers, device);
    }
}
