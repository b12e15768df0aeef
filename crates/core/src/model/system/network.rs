//! Messages on their way: requests and replies that go through network cards and over links.
//!
//! The frame of an attempt is its message: first the request on its way, then the work, then the reply on its way. An attempt that
//! goes on after its reply sends a courier with it: a frame that is the attempt from then on, as far as its caller goes.
//!
//! While it goes over a link, `sibling` holds the site of the call and the caller's instance, `work` the size of the message [B],
//! `pending` the stations it has not passed, then how often it was lost.

use super::parts::Target;
use super::{Event, System};
use crate::engine::random::{Draw, child, unit};
use crate::engine::time::{Nanos, round};
use crate::engine::{Calendar, LaneId, Packed};
use crate::measure::ledger::Ledger;
use crate::model::fault::Strain;
use crate::model::frame::{Frame, NONE, Outcome, Role, Stage, Start};
use crate::model::network::{LONGEST_RETRANSMISSION, LinkPlan, NetworkPlan, RETRANSMISSIONS};
use crate::model::program::Instruction;
use crate::model::station::{Brake, Sharing};

/// Keys the courier of a reply.
const COURIER: u64 = 0x636f_7572_6965_7221;

/// A link at work.
#[derive(Debug)]
pub(super) struct Link {
    /// Its two stations among all sharing ones, there and back; [`NONE`] without a limit.
    pipe: u32,
    /// The lane of its latency if that is always the same.
    lane: Option<LaneId>,
    /// What faults do to it, by their agents' numbers, and all of it together.
    strains: Vec<(u32, Strain)>,
    strain: Strain,
    /// What passed within the window.
    pub(super) book: LinkBook,
}

/// What is known of a link over the window.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LinkBook {
    /// Messages that arrived, both ways.
    pub messages: u64,
    /// Their size [B].
    pub bytes: u64,
    /// How often one was lost.
    pub lost: u64,
    /// Time in which data passed in the busier direction [ns]; 0 without a limit.
    pub busy: f64,
}

/// What a message passes: a station, its time per byte, the account of waiting there.
type Span = (u32, f64, u32);

/// Sets the links up; those with a limit add stations.
pub(super) fn links<E: Packed>(
    plan: &NetworkPlan,
    sharing: &mut Vec<Sharing>,
    calendar: &mut Calendar<E>,
) -> Vec<Link> {
    let link = |link: &LinkPlan| {
        let pipe = if link.nanos_per_byte.is_some() { sharing.len() as u32 } else { NONE };
        if pipe != NONE {
            sharing.extend([Sharing::new(1.0), Sharing::new(1.0)]);
        }
        let constant = link.latency.as_constant().filter(|_| link.jitter == 0.0);
        let lane = constant.map(|latency| calendar.lane(round(latency)));
        Link { pipe, lane, strains: Vec::new(), strain: Strain::NONE, book: LinkBook::default() }
    };
    plan.links.iter().map(link).collect()
}

impl System<'_> {
    /// Puts the request of a new attempt on its way.
    #[inline]
    pub(super) fn send_off(&mut self, network: &NetworkPlan, caller: u32, attempt: u32, site: u32) {
        let from = &self.frames[caller];
        let instance = if network.routes[site as usize].client.is_some() { NONE } else { from.instance };
        let request = self.blueprint.program.sites[site as usize].request;
        let bytes = request.map_or(0, |demand| round(self.demands[demand as usize].draw(from)));
        let frame = &mut self.frames[attempt];
        frame.sibling = [site, instance];
        frame.work = bytes;
        frame.place = network.code[0];
    }

    /// The zone of whoever calls from a site.
    pub(super) fn zone_of(&self, network: &NetworkPlan, caller: u32, site: u32) -> u16 {
        network.routes[site as usize].client.unwrap_or_else(|| self.zone_at(network, self.frames[caller].instance))
    }

    fn zone_at(&self, network: &NetworkPlan, instance: u32) -> u16 {
        let instance = &self.instances[instance as usize];
        network.zone(instance.service, instance.number)
    }

    /// The link over which an attempt's messages go.
    fn link_of(&self, network: &NetworkPlan, frame: &Frame) -> u32 {
        let [site, caller] = frame.sibling;
        let route = &network.routes[site as usize];
        let from = route.client.unwrap_or_else(|| self.zone_at(network, caller));
        let to = self.zone_at(network, frame.instance);
        route.links[usize::from(from) * usize::from(network.zones) + usize::from(to)]
    }

    /// What an attempt's message passes, and how much of it there is.
    fn spans(&self, network: &NetworkPlan, index: u32, back: bool) -> ([Span; 3], usize) {
        let frame = &self.frames[index];
        let link = self.link_of(network, frame);
        let (mut spans, mut count) = ([(0, 0.0, 0); 3], 0);
        let mut add = |span| {
            spans[count] = span;
            count += 1;
        };
        let ends = if back { [frame.instance, frame.sibling[1]] } else { [frame.sibling[1], frame.instance] };
        for (side, instance) in ends.into_iter().enumerate().filter(|(_, instance)| *instance != NONE) {
            let instance = &self.instances[instance as usize];
            if let Some(nic) = &network.nics[instance.service as usize] {
                add((instance.sharing + u32::from(nic.slots[side]), nic.nanos_per_byte, nic.waiting[side]));
            }
        }
        let plan = &network.links[link as usize];
        if let Some(nanos_per_byte) = plan.nanos_per_byte {
            add((self.links[link as usize].pipe + u32::from(back), nanos_per_byte, plan.waiting));
        }
        (spans, count)
    }

    /// Lets a message pass its stations; whether it has passed them at once.
    pub(super) fn transfer(&mut self, index: u32, back: bool) -> bool {
        let Some(network) = &self.blueprint.network else { return true };
        let now = self.calendar.now();
        let bytes = self.frames[index].work as f64;
        let (spans, count) = self.spans(network, index, back);
        let mut pending = 0;
        for &(station, nanos_per_byte, _) in &spans[..count] {
            let work = round(bytes * nanos_per_byte);
            if work > 0 {
                pending += 1;
                self.sharing[station as usize].enter(now, index, work);
                self.arrange(station);
            }
        }
        let link = self.link_of(network, &self.frames[index]);
        let frame = &mut self.frames[index];
        frame.pending = pending;
        if pending > 0 {
            frame.stage = Stage::Transfer;
            frame.since = now;
            frame.account = network.links[link as usize].account;
        }
        pending == 0
    }

    /// Takes note that a message has passed one of its stations.
    #[cold]
    pub(super) fn transferred(&mut self, index: u32, station: u32) {
        let (Some(network), Some(back)) = (&self.blueprint.network, self.transfer_of(index)) else { return };
        let (spans, count) = self.spans(network, index, back);
        let frame = &mut self.frames[index];
        let passed = self.calendar.now() - frame.since;
        let alone = |span: &Span| round(frame.work as f64 * span.1).min(passed);
        let Some(span) = spans[..count].iter().find(|span| span.0 == station) else { return };
        self.books.passed(span.2, passed - alone(span));
        let alone = spans[..count].iter().map(alone).max().unwrap_or(passed);
        frame.pending -= 1;
        if frame.pending == 0 {
            frame.stage = Stage::Running;
            let mut ledger = frame.ledger;
            self.pool.add(&mut ledger, span.2, passed - alone);
            let link = self.link_of(network, &self.frames[index]);
            let account = network.links[link as usize].account;
            self.pool.add(&mut ledger, account, alone);
            self.books.served(account, alone);
            self.frames[index].ledger = ledger;
            self.ready.push(index);
        }
    }

    /// Whether the transfer at which a frame is is that of a reply.
    fn transfer_of(&self, index: u32) -> Option<bool> {
        match self.blueprint.program.code[self.frames[index].place as usize - 1] {
            Instruction::Transfer { back } => Some(back),
            _ => None,
        }
    }

    /// Books the time of a transfer that is not over: on the way as long as it would take alone, the rest as waiting.
    pub(super) fn collect_transfer(&mut self, index: u32, into: &mut Ledger) {
        let (Some(network), Some(back)) = (&self.blueprint.network, self.transfer_of(index)) else { return };
        let (spans, count) = self.spans(network, index, back);
        let frame = &self.frames[index];
        let passed = self.calendar.now() - frame.since;
        let alone = spans[..count].iter().map(|span| round(frame.work as f64 * span.1)).max().unwrap_or(0).min(passed);
        let link = self.link_of(network, frame);
        self.pool.add(into, spans[0].2, passed - alone);
        self.pool.add(into, network.links[link as usize].account, alone);
    }

    /// Takes a message out of all stations that it has not passed.
    pub(super) fn abandon_transfer(&mut self, index: u32) {
        let (Some(network), Some(back)) = (&self.blueprint.network, self.transfer_of(index)) else { return };
        let (spans, count) = self.spans(network, index, back);
        let (now, bytes) = (self.calendar.now(), self.frames[index].work as f64);
        for &(station, nanos_per_byte, _) in &spans[..count] {
            self.sharing[station as usize].withdraw(now, index, round(bytes * nanos_per_byte));
            self.arrange(station);
        }
    }

    /// Sends a message over its link; whether it has arrived at once.
    pub(super) fn hop(&mut self, index: u32, back: bool, place: u32) -> bool {
        let Some(network) = &self.blueprint.network else { return true };
        let number = self.link_of(network, &self.frames[index]);
        let (plan, link) = (&network.links[number as usize], &mut self.links[number as usize]);
        let frame = &mut self.frames[index];
        let tries = frame.pending;
        let mut draw = Draw::new(frame.key, plan.salt.wrapping_add(u64::from(back)), u64::from(tries));
        let loss = 1.0 - (1.0 - plan.loss) * (1.0 - link.strain.loss);
        if loss > 0.0 && unit(&mut draw) < loss {
            link.book.lost += u64::from(self.books.is_open());
            if tries == RETRANSMISSIONS {
                self.fail(index, place, Outcome::Unreachable);
                return true;
            }
            frame.pending += 1;
            frame.place = place;
            let wait = plan.retransmit.saturating_mul(1 << tries).min(LONGEST_RETRANSMISSION);
            self.travel(index, plan.retransmission, wait, None);
            return false;
        }
        if self.books.is_open() {
            link.book.messages += 1;
            link.book.bytes += frame.work;
        }
        frame.pending = 0;
        let spread = if plan.jitter > 0.0 { plan.jitter * (2.0 * unit(&mut draw) - 1.0) } else { 0.0 };
        let latency = round((plan.latency.sample(&mut draw) + spread).max(0.0)).saturating_add(link.strain.delay);
        let lane = link.lane.filter(|_| link.strain.delay == 0);
        if latency > 0 {
            self.travel(index, plan.account, latency, lane);
        }
        latency == 0
    }

    /// Lets a frame wait for some time.
    fn travel(&mut self, index: u32, account: u32, nanos: Nanos, lane: Option<LaneId>) {
        let frame = &mut self.frames[index];
        frame.stage = Stage::Delay;
        frame.since = self.calendar.now();
        frame.account = account;
        let event = Event::Resume { frame: index, generation: frame.generation };
        match lane {
            Some(lane) => self.calendar.in_lane(lane, event),
            None => self.calendar.after(nanos, event),
        }
    }

    /// The request has arrived: the operation begins.
    pub(super) fn enter_operation(&mut self, index: u32) {
        let site = self.frames[index].sibling[0];
        let &Target { entry, .. } = &self.targets[site as usize];
        self.frames[index].place = entry;
    }

    /// The operation is over: its reply goes back unless it did already. Whether the frame goes on.
    pub(super) fn go_back(&mut self, index: u32) -> bool {
        let Some(network) = &self.blueprint.network else { return false };
        let frame = &mut self.frames[index];
        let goes = frame.role == Role::Attempt && !frame.answered;
        if goes {
            frame.work = 0;
            frame.place = network.code[1];
        }
        goes
    }

    /// Sends the reply of an attempt that goes on.
    pub(super) fn send_courier(&mut self, network: &NetworkPlan, index: u32, bytes: u64) {
        let now = self.calendar.now();
        let frame = &mut self.frames[index];
        if std::mem::replace(&mut frame.answered, true) {
            return;
        }
        let ledger = std::mem::replace(&mut frame.ledger, Ledger::EMPTY);
        let from = frame.clone();
        let key = child(from.key, COURIER, 0);
        let (owner, instance, bearing) = (from.owner, from.instance, from.bearing());
        let start = Start { role: Role::Attempt, owner, instance, key, place: network.code[1], bearing };
        let (courier, frame) = self.frames.start(now, start);
        (frame.started, frame.balancer) = (from.started, from.balancer);
        (frame.parent, frame.parent_generation) = (from.parent, from.parent_generation);
        (frame.outcome, frame.reason) = (from.outcome, from.reason);
        (frame.sibling, frame.work, frame.ledger) = (from.sibling, bytes, ledger);
        let caller = &mut self.frames[from.parent];
        if caller.generation == from.parent_generation && caller.child == index {
            caller.child = courier;
        }
        self.ready.push(courier);
    }

    /// A fault weighs on a link.
    pub(super) fn strain_link(&mut self, link: u32, fault: u32, strain: Strain) {
        self.links[link as usize].strains.push((fault, strain));
        self.set_strain(link);
    }

    /// A fault leaves a link.
    pub(super) fn relieve_link(&mut self, link: u32, fault: u32) {
        self.links[link as usize].strains.retain(|(of, _)| *of != fault);
        self.set_strain(link);
    }

    /// Puts the faults of a link together and gives its stations the speed that is left.
    fn set_strain(&mut self, link: u32) {
        let now = self.calendar.now();
        let link = &mut self.links[link as usize];
        link.strain = link.strains.iter().fold(Strain::NONE, |all, (_, strain)| all.and(*strain));
        let (pipe, speed) = (link.pipe, link.strain.speed);
        if pipe != NONE {
            for station in [pipe, pipe + 1] {
                self.sharing[station as usize].set_speed(now, Brake::Fault, speed);
                self.arrange(station);
            }
        }
    }

    /// The books of all links; `before` and `after` are the areas of all stations at the window's ends.
    pub(super) fn link_books(&self, before: &[super::spots::Areas], after: &[super::spots::Areas]) -> Vec<LinkBook> {
        let busy = |station: u32| {
            let place = self.servers.len() + station as usize;
            after[place][0] - before[place][0]
        };
        let book = |link: &Link| LinkBook {
            busy: if link.pipe == NONE { 0.0 } else { busy(link.pipe).max(busy(link.pipe + 1)) },
            ..link.book
        };
        self.links.iter().map(book).collect()
    }

    /// Checks the laws of the links' stations.
    pub(super) fn check_links(&self) -> Result<(), super::Violation> {
        let now = self.calendar.now();
        let Some(network) = &self.blueprint.network else { return Ok(()) };
        for (plan, link) in network.links.iter().zip(&self.links).filter(|(_, link)| link.pipe != NONE) {
            for station in [link.pipe, link.pipe + 1] {
                let checked = self.sharing[station as usize].check(now);
                checked.map_err(|what| super::Violation { part: plan.name.clone(), what, of_model: false })?;
            }
        }
        Ok(())
    }
}
