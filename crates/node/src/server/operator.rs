//! What the doors order of this node: the engine's orders are passed on, services and language
//! packs are answered here.

use std::sync::Arc;

use jackfield_engine::{OperatorOrder, OperatorReply};
use jackfield_media::DriverHandle;
use jackfield_model::{SelfProvisioning, Service};
use jackfield_vocabulary::{Code, Refusal};
use jackfield_web::{
    DeviceState, Language, LastRefusal, Operated, Operator, Order, Overview, Reply, ServiceAction,
    ServiceStatus, Whereabouts,
};

use super::doors::{AlarmBoard, Replies};
use super::figures::Figures;
use super::lanes::Lanes;
use super::leases::running_anywhere;
use super::orders;
use super::place::PlaceNow;
use super::prompts;
use super::services::Services;
use super::streams::Streams;
use crate::tftp;

/// This node, as the doors see it.
pub(crate) struct NodeOperator {
    pub(crate) services: Arc<Services>,
    pub(crate) lanes: Lanes,
    pub(crate) replies: Replies,
    pub(crate) alarms: AlarmBoard,
    pub(crate) figures: Arc<Figures>,
    pub(crate) streams: Streams,
    pub(crate) tftp: tftp::Board,
    pub(crate) media: Arc<DriverHandle>,
    pub(crate) place: Arc<PlaceNow>,
}

impl Operator for NodeOperator {
    fn operate(&self, order: Order) -> Operated<'_> {
        Box::pin(self.carry_out(order))
    }
}

impl NodeOperator {
    async fn carry_out(&self, order: Order) -> Result<Reply, Refusal> {
        match order {
            Order::Restart { device, restart } => {
                self.ask(OperatorOrder::Restart { device, restart }).await
            }
            Order::ShowText { device, text } => {
                self.ask(OperatorOrder::ShowText { device, text }).await
            }
            Order::Inspect { device } => self.ask(OperatorOrder::Inspect { device }).await,
            Order::Whereabouts { devices } => {
                self.ask(OperatorOrder::Whereabouts { devices }).await
            }
            Order::Refused { mac, address } => {
                self.ask(OperatorOrder::Refused { mac, address }).await
            }
            Order::Overview => self.ask(OperatorOrder::Overview).await,
            Order::Alarms => Ok(Reply::Alarms(self.alarms.last())),
            Order::Place => Ok(Reply::Place(self.place.tell().await)),
            Order::Provision { device, identity, password, address } => {
                self.ask(OperatorOrder::Provision { device, identity, password, address }).await
            }
            Order::Services => Ok(Reply::Services(self.service_states().await)),
            Order::ServicesElsewhere => self.services_elsewhere().await,
            Order::Service { service, action } => {
                self.services.operate(service, action).map(|()| Reply::Accepted)
            }
            Order::ServiceElsewhere { node, service, action } => {
                self.operate_elsewhere(node, service, action).await
            }
            Order::Languages => Ok(Reply::Languages(self.languages())),
            Order::RescanLanguages => {
                let prompts = Arc::clone(&self.services.prompts);
                // Reading the packs takes a while.
                let problems = tokio::task::spawn_blocking(move || prompts.rescan()).await;
                let problems: Vec<Box<str>> =
                    problems.unwrap_or_default().iter().map(prompts::in_words).collect();
                for problem in &problems {
                    tracing::warn!(error.cause = %problem, "something is wrong with a language pack");
                }
                Ok(Reply::Rescanned { languages: self.languages(), problems })
            }
            _ => Err(Refusal::new(Code::Internal)),
        }
    }

    async fn ask(&self, order: OperatorOrder) -> Result<Reply, Refusal> {
        Ok(match self.replies.ask(&self.lanes, order).await? {
            OperatorReply::Device(state) => Reply::Device(DeviceState {
                device: state.device,
                registered: state.registered,
                reachable: state.reachable,
                address: state.address,
                user_agent: state.user_agent,
                refused: state.refused.map(last_refusal),
                outdated: state.outdated,
                silent_lines: state.silent_lines,
                since: state.since,
                expires: state.expires,
                calls: serde_json::to_value(state.calls).unwrap_or_default(),
            }),
            OperatorReply::Whereabouts(found) => {
                let one = |jackfield_engine::Whereabouts { device, address, since }| Whereabouts {
                    device,
                    address,
                    since,
                };
                Reply::Whereabouts(found.into_iter().map(one).collect())
            }
            OperatorReply::Refused(refused) => {
                Reply::Refused(refused.into_iter().map(last_refusal).collect())
            }
            OperatorReply::Overview(overview) => Reply::Overview(self.overview(overview)),
            OperatorReply::Provisioned { extension } => {
                Reply::Provisioned { extension: (&*extension).into() }
            }
            _ => Reply::Accepted,
        })
    }

    /// The engine's counts with those of the shell beside them.
    fn overview(&self, overview: jackfield_engine::Overview) -> Overview {
        let mut counters = overview.counters;
        let (media, streams) = (self.media.figures(), self.streams.figures());
        let own = [
            ("streams-opened", self.streams.opened()),
            ("streams-refused", streams[0].refused),
            ("orders-refused", self.lanes.refused()),
            ("media-packets-sent", media.sent),
            ("media-packets-received", media.received),
            ("media-packets-ignored", media.ignored),
            ("media-commands-dropped", media.commands_dropped),
        ];
        let secrets = self.services.store.tally();
        let own = own.into_iter().chain(self.figures.named()).chain(secrets.named());
        counters.extend(own.map(|(name, count)| (name.into(), count)));
        let alarms = self.alarms.counts().into_iter();
        counters.extend(alarms.map(|(name, count)| (format!("alarm-{name}").into(), count)));
        let mut gauges = overview.gauges;
        gauges.push(("streams-open".into(), streams[0].held));
        Overview {
            registered: overview.registered,
            calls: overview.calls,
            calls_connected: overview.calls_connected,
            sessions: overview.sessions,
            ivr_calls: overview.ivr_calls,
            ivr: overview.ivr,
            ivr_owner: overview.ivr_owner,
            mode: overview.mode,
            ivr_starts: overview.ivr_starts,
            counters,
            gauges,
            limits: [overview.limits, streams.into(), self.tftp.figures()].concat(),
        }
    }

    async fn service_states(&self) -> Vec<ServiceStatus> {
        let overview = self.replies.ask(&self.lanes, OperatorOrder::Overview).await;
        let (ivr, ivr_owner, ivr_starts) = match overview {
            Ok(OperatorReply::Overview(overview)) => {
                (overview.ivr, overview.ivr_owner, overview.ivr_starts)
            }
            _ => ("unknown".into(), None, None),
        };
        let state = |service: Service| {
            let running = self.services.is_running(service);
            let state: Box<str> = match service {
                _ if !running => "stopped".into(),
                Service::SelfProvisioningIvr => ivr.clone(),
                _ => "in-service".into(),
            };
            let restart_needed =
                service == Service::SelfProvisioningIvr && running && self.is_outdated();
            let stands_by = service == Service::SelfProvisioningIvr && running;
            let owner = ivr_owner.clone().filter(|_| stands_by);
            let in_service_at = ivr_starts.filter(|_| stands_by && &*state == "waiting");
            ServiceStatus { service, running, state, restart_needed, owner, in_service_at }
        };
        Service::ALL.iter().map(|service| state(*service)).collect()
    }

    async fn services_elsewhere(&self) -> Result<Reply, Refusal> {
        let store = self.services.store.clone();
        let own = self.services.node.clone();
        let running = tokio::task::spawn_blocking(move || running_anywhere(&store)).await;
        let running = running.map_err(|_| Refusal::new(Code::Internal))?;
        let running = running.map_err(|error| error.refusal())?;
        Ok(Reply::RunningElsewhere(running.into_iter().filter(|(node, _)| *node != own).collect()))
    }

    /// The IVR runs with settings older than the stored ones (SP-19).
    fn is_outdated(&self) -> bool {
        let directory = self.services.store.directory();
        let stored = directory.all::<SelfProvisioning>().next().map(|(_, settings)| settings);
        match (self.services.self_provisioning(), stored) {
            (Some(running), Some(stored)) => {
                // This one counts at once, where the codes are checked.
                let code_failures_per_minute = stored.code_failures_per_minute;
                SelfProvisioning { code_failures_per_minute, ..running } != **stored
            }
            _ => false,
        }
    }

    /// Has another node operate one of its services.
    async fn operate_elsewhere(
        &self,
        node: Box<str>,
        service: Service,
        action: ServiceAction,
    ) -> Result<Reply, Refusal> {
        let store = self.services.store.clone();
        let ordered = move || orders::order(&store, &node, service, action);
        let done = tokio::task::spawn_blocking(ordered).await;
        done.map_err(|_| Refusal::new(Code::Internal))??;
        Ok(Reply::Accepted)
    }

    fn languages(&self) -> Vec<Language> {
        let packs = self.services.prompts.packs();
        let language = |pack: &jackfield_media::PackInfo| Language {
            locale: (&*pack.locale).into(),
            name: (&*pack.own_name).into(),
        };
        packs.iter().map(language).collect()
    }
}

fn last_refusal(refused: jackfield_engine::LastRefusal) -> LastRefusal {
    let jackfield_engine::LastRefusal { at, address, user, refusal, others } = refused;
    LastRefusal { at, address, user, refusal, others }
}
