//! DESRu: events are boxed closures over the scheduler.
//!
//! The crate has no resources ("will not provide implementations of simulation tools"), so a station is a counter and a
//! queue. The scheduler keeps every event in its log by default; the log filter turns that off, or memory would grow with
//! the run and so would the time.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use desru::{Event, EventScheduler};
use scalelab_peers::handwritten::Outcome;
use scalelab_peers::handwritten::recorder::Recorder;
use scalelab_peers::{Draws, Stack, nanos, seconds};

struct Station {
    free: usize,
    /// Arrival times of the waiting customers \[s\].
    waiting: VecDeque<f64>,
}

impl Station {
    fn new(servers: usize) -> Self {
        Self { free: servers, waiting: VecDeque::new() }
    }

    /// True if the customer starts now, else it waits.
    fn arrive(&mut self, arrived: f64) -> bool {
        if self.free == 0 {
            self.waiting.push_back(arrived);
            return false;
        }
        self.free -= 1;
        true
    }

    /// The customer that starts on the server that became free.
    fn release(&mut self) -> Option<f64> {
        let next = self.waiting.pop_front();
        self.free += usize::from(next.is_none());
        next
    }
}

struct World {
    draws: Draws,
    recorder: Recorder,
    instances: Vec<Station>,
    database: Station,
    arrived: u64,
    customers: u64,
}

type Shared = Rc<RefCell<World>>;

/// Schedules `action` after `delay_ns` with a handle on the world.
fn after(
    scheduler: &mut EventScheduler,
    world: &Shared,
    delay_ns: u64,
    action: impl Fn(&mut EventScheduler, &Shared) + 'static,
) {
    let world = Rc::clone(world);
    scheduler.timeout(
        seconds(delay_ns),
        Some(Box::new(move |scheduler: &mut EventScheduler| {
            action(scheduler, &world);
            None
        })),
        None,
    );
}

fn arrive(scheduler: &mut EventScheduler, shared: &Shared) {
    let world = &mut *shared.borrow_mut();
    let instance = (world.arrived % world.instances.len() as u64) as usize;
    let now = scheduler.current_time;
    if world.instances[instance].arrive(now) {
        serve(scheduler, shared, world, instance, now);
    }
    world.arrived += 1;
    if world.arrived < world.customers {
        after(scheduler, shared, world.draws.interarrival.draw(), arrive);
    }
}

fn serve(scheduler: &mut EventScheduler, shared: &Shared, world: &mut World, instance: usize, arrived: f64) {
    let service = world.draws.service.draw();
    after(scheduler, shared, service, move |scheduler, shared| {
        leave(scheduler, shared, instance, arrived);
    });
}

fn leave(scheduler: &mut EventScheduler, shared: &Shared, instance: usize, arrived: f64) {
    let world = &mut *shared.borrow_mut();
    let miss = world.draws.miss();
    if let Some(next) = world.instances[instance].release() {
        serve(scheduler, shared, world, instance, next);
    }
    if !miss {
        world.recorder.record(nanos(scheduler.current_time - arrived));
    } else if world.database.arrive(arrived) {
        query(scheduler, shared, world, arrived);
    }
}

fn query(scheduler: &mut EventScheduler, shared: &Shared, world: &mut World, arrived: f64) {
    let service = world.draws.database.draw();
    after(scheduler, shared, service, move |scheduler, shared| {
        let world = &mut *shared.borrow_mut();
        world.recorder.record(nanos(scheduler.current_time - arrived));
        if let Some(next) = world.database.release() {
            query(scheduler, shared, world, next);
        }
    });
}

fn simulate(stack: &Stack, customers: u64, seed: u64) -> Outcome {
    let mut draws = Draws::new(stack, seed);
    let first = draws.interarrival.draw();
    let world = Rc::new(RefCell::new(World {
        draws,
        recorder: Recorder::default(),
        instances: (0..stack.instances).map(|_| Station::new(stack.servers)).collect(),
        database: Station::new(stack.database_servers),
        arrived: 0,
        customers,
    }));
    let mut scheduler = EventScheduler::new();
    after(&mut scheduler, &world, first, arrive);
    let no_log = |_: &Event, _: &Option<String>| false;
    scheduler.run(Box::new(|_| false), Some(Box::new(no_log)));
    world.borrow().recorder.outcome(0)
}

fn main() {
    scalelab_peers::run("desru", Some("desru"), |workload, customers, seed| {
        simulate(&workload.stack(), customers, seed)
    });
}
