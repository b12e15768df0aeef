//! simrs: components with typed events; their state and queues live in the simulation's store, behind keys.

use std::time::Duration;

use scalelab_peers::handwritten::Outcome;
use scalelab_peers::handwritten::recorder::Recorder;
use scalelab_peers::{Draws, Stack};
use simrs::{Component, ComponentId, Executor, Fifo, Key, QueueId, Scheduler, Simulation, State};

/// What all components use.
#[derive(Clone, Copy)]
struct Shared {
    draws: Key<Draws>,
    recorder: Key<Recorder>,
}

impl Shared {
    fn draw(self, state: &mut State, draw: impl FnOnce(&mut Draws) -> u64) -> Duration {
        Duration::from_nanos(draw(state.get_mut(self.draws).expect("inserted at the start")))
    }
}

#[derive(Debug)]
struct Arrival;

/// The source deals its customers out in turn.
struct Source {
    shared: Shared,
    instances: Vec<ComponentId<Visit>>,
    arrived: Key<u64>,
    customers: u64,
}

impl Component for Source {
    type Event = Arrival;

    fn process_event(
        &self,
        self_id: ComponentId<Arrival>,
        _event: &Arrival,
        scheduler: &mut Scheduler,
        state: &mut State,
    ) {
        let arrived = state.get_mut(self.arrived).expect("inserted at the start");
        let instance = self.instances[(*arrived % self.instances.len() as u64) as usize];
        *arrived += 1;
        let more = *arrived < self.customers;
        scheduler.schedule(Duration::ZERO, instance, Visit::Begin(scheduler.time()));
        if more {
            let pause = self.shared.draw(state, |draws| draws.interarrival.draw());
            scheduler.schedule(pause, self_id, Arrival);
        }
    }
}

/// A customer, by its time of arrival in the system, begins or ends its visit to a station.
#[derive(Debug)]
enum Visit {
    Begin(Duration),
    End(Duration),
}

struct Station {
    shared: Shared,
    free: Key<usize>,
    waiting: QueueId<Fifo<Duration>>,
    /// Where the misses go; `None` for the database itself.
    database: Option<ComponentId<Visit>>,
}

impl Station {
    fn serve(&self, self_id: ComponentId<Visit>, arrived: Duration, scheduler: &mut Scheduler, state: &mut State) {
        let is_database = self.database.is_none();
        let service =
            self.shared.draw(state, |draws| if is_database { draws.database.draw() } else { draws.service.draw() });
        scheduler.schedule(service, self_id, Visit::End(arrived));
    }
}

impl Component for Station {
    type Event = Visit;

    fn process_event(&self, self_id: ComponentId<Visit>, event: &Visit, scheduler: &mut Scheduler, state: &mut State) {
        match *event {
            Visit::Begin(arrived) => {
                let free = state.get_mut(self.free).expect("inserted at the start");
                if *free > 0 {
                    *free -= 1;
                    self.serve(self_id, arrived, scheduler, state);
                } else {
                    state.send(self.waiting, arrived).expect("unbounded");
                }
            }
            Visit::End(arrived) => {
                let draws = state.get_mut(self.shared.draws);
                let miss = self.database.filter(|_| draws.expect("inserted at the start").miss());
                if let Some(next) = state.recv(self.waiting) {
                    self.serve(self_id, next, scheduler, state);
                } else {
                    *state.get_mut(self.free).expect("inserted at the start") += 1;
                }
                if let Some(database) = miss {
                    scheduler.schedule(Duration::ZERO, database, Visit::Begin(arrived));
                } else {
                    let response = scheduler.time() - arrived;
                    let recorder = state.get_mut(self.shared.recorder);
                    recorder.expect("inserted at the start").record(response.as_nanos() as u64);
                }
            }
        }
    }
}

fn simulate(stack: &Stack, customers: u64, seed: u64) -> Outcome {
    let mut simulation = Simulation::default();
    let mut draws = Draws::new(stack, seed);
    let first = Duration::from_nanos(draws.interarrival.draw());
    let shared =
        Shared { draws: simulation.state.insert(draws), recorder: simulation.state.insert(Recorder::default()) };
    let station = |simulation: &mut Simulation, servers, database| {
        let station = Station {
            shared,
            free: simulation.state.insert(servers),
            waiting: simulation.add_queue(Fifo::default()),
            database,
        };
        simulation.add_component(station)
    };
    let database = station(&mut simulation, stack.database_servers, None);
    let instances = (0..stack.instances).map(|_| station(&mut simulation, stack.servers, Some(database))).collect();
    let arrived = simulation.state.insert(0);
    let source = simulation.add_component(Source { shared, instances, arrived, customers });
    simulation.schedule(first, source, Arrival);
    simulation.execute(Executor::unbound());
    let recorder = simulation.state.get(shared.recorder);
    recorder.expect("inserted at the start").outcome(0)
}

fn main() {
    scalelab_peers::run("simrs", Some("simrs"), |workload, customers, seed| {
        simulate(&workload.stack(), customers, seed)
    });
}
