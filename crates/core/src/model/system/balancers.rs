//! Balancers at work: where a call goes, and what each balancer of a service knows of its calls.

use crate::engine::Stream;
use crate::model::balancer::{Balancer, Call, Members, Policy, RoundRobin, View};
use crate::model::balancing::Balancing;
use crate::model::blueprint;

/// Where a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) instance: u32,
    /// Which of the service's balancers sends it; [`Placed::BY_NOBODY`] if there was nothing to choose.
    pub(super) balancer: u16,
}

impl Placed {
    /// No balancer: nobody counts the call.
    pub(super) const BY_NOBODY: u16 = u16::MAX;
}

/// The policy of a balancer at work.
#[derive(Debug)]
pub(super) enum Choosing {
    /// The usual one, which is asked without a detour.
    InTurn(RoundRobin),
    Other(Box<dyn Balancer>),
}

impl Choosing {
    fn new(policy: &Policy) -> Self {
        match policy {
            Policy::RoundRobin => Choosing::InTurn(RoundRobin::default()),
            other => Choosing::Other(other.build()),
        }
    }

    /// The instance for the next call.
    #[inline]
    pub(super) fn choose(&mut self, call: &Call, view: &View, random: &mut Stream) -> u32 {
        match self {
            Choosing::InTurn(policy) => policy.choose(call, view, random),
            Choosing::Other(policy) => policy.choose(call, view, random),
        }
    }

    /// The policy, for all else.
    pub(super) fn policy(&mut self) -> &mut dyn Balancer {
        match self {
            Choosing::InTurn(policy) => policy,
            Choosing::Other(policy) => policy.as_mut(),
        }
    }
}

/// One balancer. What every call touches comes first.
#[derive(Debug)]
#[repr(C)]
pub(super) struct One {
    pub(super) choosing: Choosing,
    /// Per instance: its calls sent and not answered.
    pub(super) in_flight: Vec<u32>,
    pub(super) members: Members,
}

/// The calls that balancers may have in flight.
#[derive(Debug)]
pub(super) struct Connections {
    pub(super) limit: u32,
    /// Per balancer, its levels and versions together: those it has.
    pub(super) open: Vec<u32>,
}

impl Connections {
    /// Those of so many balancers, if they are limited.
    pub(super) fn of(balancing: &Balancing, balancers: u32) -> Option<Box<Self>> {
        let open = vec![0; balancers as usize];
        balancing.connections.map(|limit| Box::new(Connections { limit, open }))
    }
}

/// The balancers of a service: so many for each of its groups of instances.
pub(super) fn balancers(service: &blueprint::Service, count: u32, groups: u32, zones: impl Fn(u32) -> u16) -> Vec<One> {
    let instances = service.instances as usize;
    let mut members = Members::alike(&service.name, instances);
    members.capacity.fill(service.capacity());
    members.zones = (0..service.instances).map(zones).collect();
    members.speeds = (0..service.instances).map(|instance| service.speed(instance)).collect();
    members.weights = (0..service.instances).map(|instance| service.balancing.weight(instance)).collect();
    let one = |number: u32| {
        let mut choosing = Choosing::new(&service.balancer);
        let members = Members { balancer: [number, count], ..members.clone() };
        choosing.policy().members(&members);
        One { choosing, members, in_flight: vec![0; instances] }
    };
    (0..groups * count).map(|number| one(number % count)).collect()
}
