//! Requests: how they begin and end.

use super::balancers::Placed;
use super::visits::Visits;
use super::{Event, System};
use crate::engine::Stream;
use crate::engine::random::{Draw, child, key, named};
use crate::engine::time::{Nanos, round};
use crate::measure::Binned;
use crate::measure::ledger::Ledger;
use crate::model::arrival::Process;
use crate::model::arrival::replay::Recorded;
use crate::model::balancer::Call;
use crate::model::batch::Deal;
use crate::model::blueprint::{Blueprint, Client, Traffic};
use crate::model::frame::{Bearing, NONE, Outcome, Role, Start};
use crate::model::keys::Keys;
use crate::model::program::{Instruction, Place, Route};

/// A client at work.
#[derive(Debug)]
pub(super) struct Source {
    /// Keys the requests.
    key: u64,
    /// When the next open arrival comes.
    process: Process,
    /// Whether requests come from outside at all, and not when users have thought.
    open: bool,
    random: Stream,
    /// Per user (one for an open client): requests so far.
    sent: Vec<u32>,
    /// Where the code of the requests begins.
    entry: Place,
    /// The site of the call that the requests consist of, if a request can be one frame with its attempt.
    direct: Option<u32>,
    /// The items of a batch.
    job: Option<Job>,
    /// Which data its requests are about.
    keys: Option<Keys>,
    /// What was recorded of the next request, and of the one that begins now.
    upcoming: Recorded,
    recorded: Recorded,
    /// How important they are.
    priority: u8,
    /// Who is there, if those who arrive make several requests.
    visits: Option<Visits>,
    /// The number of its first user among those of all clients; [`NONE`] if its requests belong to nobody.
    first_session: u32,
    /// Whether a request is about nothing, of nobody, and told from others by its number alone.
    plain: bool,
    /// Whether a direct request's attempt is stopped when its client's patience ends.
    pub(super) cancels: bool,
}

/// A request that has just begun.
struct Begun {
    /// Keys all its draws.
    key: u64,
    /// Its user among those of all clients; [`NONE`] if it belongs to nobody.
    session: u32,
    bearing: Bearing,
}

/// A batch at work.
#[derive(Debug)]
struct Job {
    deal: Deal,
    /// Per worker: the item it does next.
    next: Vec<u32>,
    begins: Nanos,
    again: Option<Nanos>,
}

impl Job {
    fn new(traffic: &Traffic) -> Option<Self> {
        let &Traffic::Batch { items, workers, schedule, begins, again } = traffic else { return None };
        let deal = Deal::new(items, workers, schedule);
        Some(Job { deal, next: vec![NONE; workers as usize], begins, again })
    }
}

impl Source {
    /// The client's source; `root` is the key of the run.
    pub(super) fn new(client: &Client, blueprint: &Blueprint, root: u64, first_session: u32, apart: u32) -> Self {
        let client_key = named(root, &client.name);
        let process = match &client.traffic {
            Traffic::Open(arrivals) => arrivals.build(),
            _ => Process::Nothing,
        };
        let open = matches!(client.traffic, Traffic::Open(_));
        let closed = matches!(client.traffic, Traffic::Closed { .. });
        let direct = direct(blueprint, client.entry);
        let replayed = matches!(process, Process::Replay(_));
        let plain = open && !replayed && client.keys.is_none() && client.visit.is_none();
        Source {
            key: client_key,
            process,
            open,
            random: Stream::new(named(client_key, "arrivals")),
            sent: vec![0; client.traffic.users() as usize],
            entry: client.entry,
            direct,
            cancels: direct.is_some_and(|site| blueprint.program.sites[site as usize].cancels),
            plain,
            job: Job::new(&client.traffic),
            keys: client.keys.clone(),
            upcoming: Recorded::NOTHING,
            recorded: Recorded::NOTHING,
            priority: client.priority,
            visits: client.visit.as_ref().map(|visit| Visits::new(visit, client_key, [first_session, apart])),
            first_session: if closed { first_session } else { NONE },
        }
    }

    /// When the next request comes from outside, of which it is noted what was recorded.
    #[inline(always)]
    fn next_arrival(&mut self) -> Option<Nanos> {
        let time = self.process.next(&mut self.random)?;
        if let Process::Replay(player) = &self.process {
            self.upcoming = player.last();
        }
        Some(time)
    }

    /// Somebody comes; returns the user.
    #[inline(never)]
    fn arrives(&mut self) -> u32 {
        self.recorded = self.upcoming;
        let Some(visits) = &mut self.visits else { return 0 };
        let user = visits.begin(self.recorded.key);
        self.sent.resize(self.sent.len().max(user as usize + 1), 0);
        self.sent[user as usize] = 0;
        user
    }

    /// The request of a user that begins now.
    fn begin(&mut self, user: u32, now: Nanos) -> Begun {
        if self.plain { self.begin_plainly(user) } else { self.begin_apart(user, now) }
    }

    /// The same where a request is told from others by its number alone.
    #[inline(always)]
    fn begin_plainly(&mut self, user: u32) -> Begun {
        let number = &mut self.sent[user as usize];
        let request_key = key(self.key ^ u64::from(user).rotate_left(32), u64::from(*number));
        *number += 1;
        let bearing = Bearing { priority: self.priority, ..Bearing::PLAIN };
        Begun { key: request_key, session: NONE, bearing }
    }

    /// The same where there is something to know of requests or users.
    fn begin_apart(&mut self, user: u32, now: Nanos) -> Begun {
        let number = &mut self.sent[user as usize];
        let mut who = user;
        if let Some(visits) = &mut self.visits {
            visits.asks(user);
            who = visits.who(user);
        }
        let mut request_key = key(self.key ^ u64::from(who).rotate_left(32), u64::from(*number));
        *number += 1;
        let mut bearing = self.bearing(user, now, request_key);
        if let Some(job) = &self.job {
            // An item is the same whoever does it, but not when it is tried again.
            bearing.item = job.next[user as usize];
            let tried = if job.again.is_some() { self.key.wrapping_add(request_key) } else { self.key };
            request_key = key(tried, u64::from(bearing.item));
        }
        Begun { key: request_key, session: self.session(user), bearing }
    }

    /// What a request that begins now is about, and how important it is.
    fn bearing(&self, user: u32, now: Nanos, request_key: u64) -> Bearing {
        let item = self.keys.as_ref().map_or_else(
            || self.visits.as_ref().map_or(self.recorded.key, |visits| visits.item(user)),
            |keys| keys.draw(now, &mut Draw::new(request_key, KEY_SALT, 0)),
        );
        Bearing { item, priority: self.priority, ..Bearing::PLAIN }
    }

    /// The number of a user among those of all clients; [`NONE`] if the requests belong to nobody.
    #[inline]
    fn session(&self, user: u32) -> u32 {
        match &self.visits {
            Some(visits) => visits.session(user),
            None if self.first_session == NONE => NONE,
            None => self.first_session + user,
        }
    }
}

/// Keys the draws of data keys.
const KEY_SALT: u64 = 0x6b65_7973_6f66_7265;

/// The site of the call that a client's program consists of. A request then needs no frame beside its attempt's, unless the
/// attempt goes on after its answer.
fn direct(blueprint: &Blueprint, entry: Place) -> Option<u32> {
    let program = &blueprint.program;
    if blueprint.network.is_some() {
        return None;
    }
    let [Instruction::Call { site }, Instruction::Finish, ..] = program.code[entry as usize..] else { return None };
    let plan = &program.sites[site as usize];
    let start = blueprint.operations[plan.operation as usize].entry;
    let end = program.end_of(start) as usize;
    let replies = program.code[start as usize..end].iter().any(|step| matches!(step, Instruction::Reply { .. }));
    (!replies && plan.route == Route::Balanced).then_some(site)
}

/// The sources of all clients, in their order.
pub(super) fn sources(blueprint: &Blueprint, root: u64) -> Vec<Source> {
    // The users of fixed populations come first; the visits of all clients follow in turn.
    let mut first_visit: u32 =
        blueprint.clients.iter().filter(|client| client.visit.is_none()).map(|client| client.traffic.users()).sum();
    let visited = blueprint.clients.iter().filter(|client| client.visit.is_some()).count() as u32;
    let mut first_user = 0;
    let source = |client: &Client| {
        let first = if client.visit.is_some() { &mut first_visit } else { &mut first_user };
        let source = Source::new(client, blueprint, root, *first, visited);
        *first += if client.visit.is_some() { 1 } else { client.traffic.users() };
        source
    };
    blueprint.clients.iter().map(source).collect()
}

/// Where the ledger of a request that ends is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Book<'l> {
    /// In this frame, which may be vacant already.
    Of(u32),
    /// Here.
    Own(&'l Ledger),
}

impl System<'_> {
    /// The user whose request a frame works for, as a number among those of all clients; [`NONE`] if it belongs to nobody or
    /// nobody waits for it any more.
    pub(super) fn session_of(&self, frame: u32) -> u32 {
        let origin = self.origin(frame);
        origin.map_or(NONE, |(client, user)| self.sources[client as usize].session(user))
    }

    /// Schedules the first arrivals of a client.
    pub(super) fn start_source(&mut self, client: u32) {
        if self.sources[client as usize].open {
            self.schedule_arrival(client);
        } else {
            for user in 0..self.sources[client as usize].sent.len() as u32 {
                self.think(client, user);
            }
        }
    }

    #[inline(always)]
    fn schedule_arrival(&mut self, client: u32) {
        if let Some(time) = self.sources[client as usize].next_arrival() {
            self.calendar.late_at(time, Event::Arrival { client });
        }
    }

    /// Lets a user think before the next request.
    fn think(&mut self, client: u32, user: u32) {
        if let Some(job) = &mut self.sources[client as usize].job {
            if let Some(item) = job.deal.take(user) {
                job.next[user as usize] = item;
                let now = self.calendar.now();
                self.calendar.after(job.begins.saturating_sub(now), Event::Think { client, user });
            }
            return;
        }
        let Traffic::Closed { think, .. } = &self.blueprint.clients[client as usize].traffic else { return };
        let source = &self.sources[client as usize];
        let user_key = key(source.key, u64::from(user));
        let visit = u64::from(source.sent[user as usize]);
        let nanos = round(think.distribution.sample(&mut Draw::new(user_key, think.salt, visit)));
        self.calendar.after(nanos, Event::Think { client, user });
    }

    /// An open client's request arrives; returns its frame, which runs next.
    #[inline(always)]
    pub(super) fn arrival(&mut self, client: u32) -> Option<u32> {
        let source = &mut self.sources[client as usize];
        if !source.plain {
            return self.arrival_apart(client);
        }
        // Nothing is recorded of a plain request.
        if let Some(time) = source.process.next(&mut source.random) {
            self.calendar.late_at(time, Event::Arrival { client });
        }
        let (begun, direct) = (source.begin_plainly(0), source.direct);
        self.start_request(client, NONE, begun, direct)
    }

    /// The same where there is something to know of requests or users.
    #[inline(never)]
    fn arrival_apart(&mut self, client: u32) -> Option<u32> {
        let user = self.sources[client as usize].arrives();
        self.schedule_arrival(client);
        self.begin_request(client, user)
    }

    /// A request begins; returns its frame, which runs next; `None` if it has ended already because there is nobody to ask.
    #[inline(never)]
    pub(super) fn begin_request(&mut self, client: u32, user: u32) -> Option<u32> {
        let source = &mut self.sources[client as usize];
        let (begun, direct) = (source.begin(user, self.calendar.now()), source.direct);
        self.start_request(client, user, begun, direct)
    }

    /// Starts the frame of a request that has just begun, and of its attempt if both are one.
    #[inline(always)]
    fn start_request(&mut self, client: u32, user: u32, begun: Begun, direct: Option<u32>) -> Option<u32> {
        let now = self.calendar.now();
        self.books.began(client, now);
        let Begun { key: request_key, bearing, session } = begun;
        let Bearing { item, priority, .. } = bearing;
        let Some(site) = direct else { return Some(self.start_program(client, user, request_key, item, priority)) };
        let target = &self.targets[site as usize];
        let attempt_key = child(request_key, target.salt, 0);
        let placed = match self.services[target.service as usize].alone(now) {
            Some(placed) => placed,
            None => match self.place_request(site, attempt_key, item, session) {
                Ok(placed) => placed,
                Err(outcome) => {
                    self.end_request_apart(client, user, Binned::new(0), outcome, &Ledger::EMPTY);
                    return None;
                }
            },
        };
        let target = &self.targets[site as usize];
        // What the request's own frame would draw at its call.
        let size = self.size_of(target, request_key, 0);
        let (request, frame) = self.frames.start(
            now,
            Start {
                role: Role::Direct,
                owner: target.operation,
                instance: placed.instance,
                key: attempt_key,
                place: target.entry,
                bearing: Bearing { deadline: target.first_deadline(now), item, priority },
            },
        );
        frame.sibling = [client, user];
        (frame.balancer, frame.size) = (placed.balancer, size);
        frame.parent_generation = frame.generation;
        if let Some(lane) = target.timeout {
            let event = Event::Patience { frame: request, generation: frame.generation };
            self.calendar.in_lane(lane, event);
        }
        self.books.called(target.operation);
        self.begin_data(request, client, now);
        if self.havoc.active > 0 && self.arrives_late(request) {
            return None;
        }
        Some(request)
    }

    /// Starts the frame of a request that has a program of its own.
    #[inline(never)]
    fn start_program(&mut self, client: u32, user: u32, key: u64, item: u32, priority: u8) -> u32 {
        let (now, place) = (self.calendar.now(), self.sources[client as usize].entry);
        let bearing = Bearing { item, priority, ..Bearing::PLAIN };
        // Requests of nobody are all those of the first user.
        let user = if user == NONE { 0 } else { user };
        let start = Start { role: Role::Request, owner: client, instance: user, key, place, bearing };
        let (request, _) = self.frames.start(now, start);
        self.begin_data(request, client, now);
        request
    }

    /// Chooses the instance of a request's only call.
    #[inline(never)]
    fn place_request(&mut self, site: u32, attempt_key: u64, item: u32, session: u32) -> Result<Placed, Outcome> {
        let now = self.calendar.now();
        let target = &self.targets[site as usize];
        let service = &mut self.services[target.service as usize];
        if let Some(placed) = service.choose_by_data(item, now) {
            return Ok(placed);
        }
        let mut call = Call { key: item, session, ..Call::at(now) };
        if self.services[target.service as usize].foresees {
            call.work = self.foresee(target.entry, attempt_key);
        }
        self.services[target.service as usize].choose(&call, || None)
    }

    /// Notes what a request that begins knows of data.
    #[inline(always)]
    fn begin_data(&mut self, request: u32, client: u32, now: Nanos) {
        if self.data.on {
            self.data.begin(request, now, self.sources[client as usize].recorded.bytes);
        }
    }

    /// A request ends whose ledger is not in its frame.
    #[inline(never)]
    pub(super) fn end_request_apart(
        &mut self,
        client: u32,
        user: u32,
        response: Binned,
        outcome: Outcome,
        ledger: &Ledger,
    ) {
        if self.books.detail.is_some() {
            self.detail_request(client, outcome, ledger);
        }
        self.end_request(client, user, response, outcome, Book::Own(ledger));
    }

    /// A request ends that took so long: it is booked, and its user thinks, if it has one.
    #[inline(always)]
    pub(super) fn end_request(&mut self, client: u32, user: u32, response: Binned, outcome: Outcome, book: Book<'_>) {
        let now = self.calendar.now();
        let started = now - response.nanos;
        self.fingerprint.absorb(u64::from(client) << 40 | outcome as u64, now.rotate_left(20) ^ started);
        let ledger = match book {
            Book::Of(frame) => &self.frames[frame].ledger,
            Book::Own(ledger) => ledger,
        };
        let sum = self.books.ended(client, now, response, outcome, ledger, &self.pool);
        self.pool.release(ledger);
        if sum != response.nanos {
            let name = self.blueprint.clients[client as usize].name.clone();
            let took = response.nanos;
            self.violate(name, format!("a ledger sums to {sum} ns for a response time of {took} ns"));
        }
        if user != NONE {
            self.request_ended(client, user, outcome);
        }
    }

    /// A user's request has ended: the user thinks, or does what comes next.
    #[inline(never)]
    fn request_ended(&mut self, client: u32, user: u32, outcome: Outcome) {
        let source = &mut self.sources[client as usize];
        if let Some(visits) = &mut source.visits {
            if let Some(pause) = visits.ended(user, source.sent[user as usize]) {
                self.calendar.after(pause, Event::Think { client, user });
            }
        } else if !source.open {
            match self.blueprint.clients[client as usize].traffic {
                Traffic::Consumers { group, .. } => self.delivered(group, user, outcome),
                Traffic::Batch { again: Some(pause), .. } if outcome != Outcome::Success => {
                    self.calendar.after(pause, Event::Think { client, user });
                }
                _ => self.think(client, user),
            }
        }
    }
}
