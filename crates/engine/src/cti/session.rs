//! Sessions and the devices that they have open: who may, and what happens when they go.

use std::sync::Arc;

use jackfield_model::{ApplicationUser, EndUser, Kind, Privilege, Ref};
use jackfield_vocabulary::{
    Cause, CloseReason, Code, DeviceName, Event, ForwardReason, MediaTermination, ObjectId,
    Refusal, ServiceState, SessionId,
};

use super::{Cti, Opened, Session};
use crate::context::{Context, Internal};
use crate::leg::Told;

impl Cti {
    /// An application signs in with an account, or its session ends. Applications inside the engine
    /// hear the answer as that to request 0.
    pub(crate) fn session(
        &mut self,
        context: &mut Context<'_>,
        session: SessionId,
        account: Option<ObjectId>,
        inside: bool,
    ) {
        if !inside && self.is_inside(session) {
            return;
        }
        let Some(account) = account else { return self.end_session(context, session) };
        self.end_session(context, session);
        let result = self.has_room().and_then(|()| self.may_connect(context, account));
        if inside {
            let told = Told::Answer { request: 0, result: result.clone() };
            context.tell(Internal::Told { session, told });
        }
        if result.is_ok() {
            context.count("cti-sessions");
            self.sessions.insert(session, Session { account, inside });
        }
    }

    /// The configuration changed: what a session may no longer have is taken from it.
    pub(crate) fn directory_changed(&mut self, context: &mut Context<'_>) {
        let sessions: Vec<_> = self.sessions.iter().map(|(id, one)| (*id, one.account)).collect();
        for (session, account) in sessions {
            if let Err(refusal) = self.may_connect(context, account) {
                self.evict(context, session, refusal);
                continue;
            }
            for device in self.devices_of(session) {
                let reason = if context.directory.entry(device).is_none() {
                    CloseReason::Deleted
                } else if may_control(context, account, device) {
                    continue;
                } else {
                    CloseReason::Permission
                };
                self.close(context, session, device, reason);
            }
        }
    }

    /// Whether there is a place for one more session.
    fn has_room(&self) -> Result<(), Refusal> {
        match self.sessions.len() {
            MAXIMUM_SESSIONS.. => {
                Err(Refusal::new(Code::LimitReached).value("limit", MAXIMUM_SESSIONS))
            }
            _ => Ok(()),
        }
    }

    /// Whether an account may use the CTI manager now (CTI-41).
    fn may_connect(&self, context: &Context<'_>, account: ObjectId) -> Result<(), Refusal> {
        if !self.running {
            return Err(stopped());
        }
        let directory = context.directory;
        let Some(name) = directory.label(account) else {
            return Err(Refusal::new(Code::NotFound).value("account", account));
        };
        if !directory.is_enabled(account) {
            return Err(Refusal::new(Code::Disabled).value("name", name));
        }
        let connects = require(context, account, Privilege::CtiEnabled);
        connects.map_err(|refusal| refusal.value("name", name))
    }

    /// Opens a device for a session (CTI-30, CTI-40).
    pub(super) fn open(
        &mut self,
        context: &mut Context<'_>,
        session: SessionId,
        name: &DeviceName,
        media: MediaTermination,
    ) -> Result<(), Refusal> {
        let account = self.account(session)?;
        let directory = Arc::clone(context.directory);
        let unknown = || Refusal::new(Code::NotFound).value("device", name);
        let device = directory.device(name.as_str()).ok_or_else(unknown)?;
        let effective = directory.effective(device).ok_or_else(unknown)?;
        if !may_control(context, account, device) {
            return Err(Refusal::new(Code::Forbidden).object(effective.kind.name(), name.as_str()));
        }
        if effective.kind == Kind::Phone {
            // Applications control route points and ports so far.
            return Err(Refusal::new(Code::NotSupportedByDevice).value("device", name));
        }
        check_codecs(&media)?;
        let opened = self.opened.entry(device).or_insert_with(|| Opened {
            name: effective.name.clone(),
            media: media.clone(),
            sessions: Vec::new(),
            paused: Vec::new(),
        });
        if opened.media != media {
            return Err(Refusal::new(Code::MediaConflict).value("device", name));
        }
        if !opened.has(session) {
            opened.sessions.push(session);
        }
        opened.paused.retain(|one| *one != session);
        self.names.insert(effective.name.clone(), device);
        self.warn_of_many(context, session);
        let state = ServiceState::InService;
        self.tell_session(context, session, Event::Service { device: effective.name, state });
        Ok(())
    }

    /// A session takes no new calls of a device; those it has go on.
    pub(super) fn pause(&mut self, session: SessionId, name: &DeviceName) -> Result<(), Refusal> {
        let device = self.opened_by(session, name)?;
        if let Some(opened) = self.opened.get_mut(&device)
            && !opened.paused.contains(&session)
        {
            opened.paused.push(session);
        }
        Ok(())
    }

    /// Closes a device for a session; its calls go to their forward-on-failure destination when no
    /// other session has it open (CTI-54).
    pub(super) fn close(
        &mut self,
        context: &mut Context<'_>,
        session: SessionId,
        device: ObjectId,
        reason: CloseReason,
    ) {
        let Some(opened) = self.opened.get_mut(&device) else { return };
        let name = opened.name.clone();
        opened.sessions.retain(|one| *one != session);
        opened.paused.retain(|one| *one != session);
        self.tell_session(context, session, Event::Closed { device: name, reason });
        if self.opened.get(&device).is_some_and(|opened| opened.sessions.is_empty()) {
            self.opened.remove(&device);
            self.names.retain(|_, one| *one != device);
            let legs: Vec<_> =
                self.calls.values().filter(|one| one.device == device).map(|one| one.leg).collect();
            for leg in legs {
                let cause = Cause::ApplicationFailure;
                self.forward(context, leg, &[ForwardReason::Failure], cause);
            }
        }
    }

    /// Ends a session that may not go on. An application inside the engine, which may have no
    /// device open that would be closed, hears why as another answer to its sign-in.
    pub(super) fn evict(
        &mut self,
        context: &mut Context<'_>,
        session: SessionId,
        refusal: Refusal,
    ) {
        // Before its devices are closed, which says less.
        if self.is_inside(session) {
            let told = Told::Answer { request: 0, result: Err(refusal) };
            context.tell(Internal::Told { session, told });
        }
        self.end_session(context, session);
    }

    /// Ends a session and everything that it has.
    pub(super) fn end_session(&mut self, context: &mut Context<'_>, session: SessionId) {
        for device in self.devices_of(session) {
            self.close(context, session, device, CloseReason::SessionEnded);
        }
        self.sessions.remove(&session);
    }

    /// Whether it is the session of an application inside the engine.
    pub(super) fn is_inside(&self, session: SessionId) -> bool {
        self.sessions.get(&session).is_some_and(|one| one.inside)
    }

    /// The account of a session that may go on.
    pub(super) fn account(&self, session: SessionId) -> Result<ObjectId, Refusal> {
        let found = self.sessions.get(&session).map(|one| one.account);
        found.ok_or_else(|| Refusal::new(Code::Unauthenticated))
    }

    fn devices_of(&self, session: SessionId) -> Vec<ObjectId> {
        let opened = self.opened.iter().filter(|(_, one)| one.has(session));
        opened.map(|(device, _)| *device).collect()
    }

    /// Past the limits of CTI-12 an alarm is raised, and the device is served.
    fn warn_of_many(&self, context: &mut Context<'_>, session: SessionId) {
        let cluster = context.directory.cluster();
        let own = self.devices_of(session).len();
        let limits = [
            ("cti-devices-of-application", own, cluster.maximum_devices_per_provider),
            ("cti-devices-of-node", self.opened.len(), cluster.maximum_devices_per_node),
        ];
        for (name, count, limit) in limits {
            if count > usize::try_from(limit).unwrap_or(usize::MAX) {
                context.alarm(name, vec![("count", count.to_string())]);
            }
        }
    }
}

/// The service does not run.
pub(super) fn stopped() -> Refusal {
    Refusal::new(Code::ServiceInactive).object("service", "cti-manager")
}

/// Refuses an account that lacks a privilege.
pub(super) fn require(
    context: &Context<'_>,
    account: ObjectId,
    privilege: Privilege,
) -> Result<(), Refusal> {
    if context.directory.privileges(account).contains(&privilege) {
        return Ok(());
    }
    Err(Refusal::new(Code::Forbidden).value("privilege", privilege.name()))
}

/// Whether an account may control a device: it is among its controlled devices, or the account may
/// control all (CTI-40, CTI-41).
pub(super) fn may_control(context: &Context<'_>, account: ObjectId, device: ObjectId) -> bool {
    let directory = context.directory;
    let listed = if let Some(user) = directory.typed::<ApplicationUser>(account) {
        lists(&user.controlled_route_points, device)
            || lists(&user.controlled_ports, device)
            || lists(&user.controlled_phones, device)
    } else if let Some(user) = directory.typed::<EndUser>(account) {
        lists(&user.controlled_phones, device) || lists(&user.controlled_ports, device)
    } else {
        false
    };
    listed || directory.privileges(account).contains(&Privilege::CtiControlAllDevices)
}

fn lists<T>(devices: &[Ref<T>], device: ObjectId) -> bool {
    devices.iter().any(|one| one.id() == device)
}

fn check_codecs(media: &MediaTermination) -> Result<(), Refusal> {
    match media {
        MediaTermination::Node { codecs } if codecs.is_empty() || codecs.len() > 8 => {
            Err(Refusal::new(Code::InvalidValue).field("media.codecs"))
        }
        _ => Ok(()),
    }
}

/// Sessions of one node at once.
const MAXIMUM_SESSIONS: usize = 1000;
