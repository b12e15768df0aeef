//! SimCore (DSLab's engine): components behind `Rc<RefCell<_>>` that receive events of any serializable type.
//!
//! Hand-offs without delay use the ordered queue beside the heap, which its documentation offers for speed.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use scalelab_peers::handwritten::Outcome;
use scalelab_peers::handwritten::recorder::Recorder;
use scalelab_peers::{Draws, Stack, nanos, seconds};
use serde::Serialize;
use simcore::{Event, EventHandler, Id, Simulation, SimulationContext, cast};

/// The source's next arrival.
#[derive(Clone, Serialize)]
struct Arrival {}

/// A customer, by its time of arrival in the system \[s\], begins its visit to a station.
#[derive(Clone, Serialize)]
struct Begin {
    arrived: f64,
}

/// Its service ends.
#[derive(Clone, Serialize)]
struct End {
    arrived: f64,
}

/// The source deals its customers out in turn.
struct Source {
    context: SimulationContext,
    draws: Rc<RefCell<Draws>>,
    instances: Vec<Id>,
    arrived: u64,
    customers: u64,
}

impl EventHandler for Source {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Arrival {} => {
                let instance = self.instances[(self.arrived % self.instances.len() as u64) as usize];
                let arrived = self.context.time();
                self.context.emit_ordered_now(Begin { arrived }, instance);
                self.arrived += 1;
                if self.arrived < self.customers {
                    let pause = self.draws.borrow_mut().interarrival.draw();
                    self.context.emit_self(Arrival {}, seconds(pause));
                }
            }
        })
    }
}

struct Station {
    context: SimulationContext,
    draws: Rc<RefCell<Draws>>,
    recorder: Rc<RefCell<Recorder>>,
    free: usize,
    /// Arrival times of the waiting customers \[s\].
    waiting: VecDeque<f64>,
    /// Where the misses go; `None` for the database itself.
    database: Option<Id>,
}

impl Station {
    fn begin(&mut self, arrived: f64) {
        if self.free > 0 {
            self.free -= 1;
            self.serve(arrived);
        } else {
            self.waiting.push_back(arrived);
        }
    }

    fn serve(&self, arrived: f64) {
        let mut draws = self.draws.borrow_mut();
        let service = if self.database.is_none() { draws.database.draw() } else { draws.service.draw() };
        self.context.emit_self(End { arrived }, seconds(service));
    }

    fn end(&mut self, arrived: f64) {
        let miss = self.database.filter(|_| self.draws.borrow_mut().miss());
        match self.waiting.pop_front() {
            Some(next) => self.serve(next),
            None => self.free += 1,
        }
        match miss {
            Some(database) => {
                self.context.emit_ordered_now(Begin { arrived }, database);
            }
            None => self.recorder.borrow_mut().record(nanos(self.context.time() - arrived)),
        }
    }
}

impl EventHandler for Station {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Begin { arrived } => {
                self.begin(arrived)
            }
            End { arrived } => {
                self.end(arrived)
            }
        })
    }
}

fn simulate(stack: &Stack, customers: u64, seed: u64) -> Outcome {
    let mut simulation = Simulation::new(seed);
    let draws = Rc::new(RefCell::new(Draws::new(stack, seed)));
    let recorder = Rc::new(RefCell::new(Recorder::default()));
    let station = |simulation: &mut Simulation, name: &str, servers, database| {
        let station = Station {
            context: simulation.create_context(name),
            draws: Rc::clone(&draws),
            recorder: Rc::clone(&recorder),
            free: servers,
            waiting: VecDeque::new(),
            database,
        };
        simulation.add_handler(name, Rc::new(RefCell::new(station)))
    };
    let database = station(&mut simulation, "database", stack.database_servers, None);
    let instances = (0..stack.instances)
        .map(|index| {
            let name = format!("instance-{index}");
            station(&mut simulation, &name, stack.servers, Some(database))
        })
        .collect();
    let source = Source {
        context: simulation.create_context("source"),
        draws: Rc::clone(&draws),
        instances,
        arrived: 0,
        customers,
    };
    let first = draws.borrow_mut().interarrival.draw();
    source.context.emit_self(Arrival {}, seconds(first));
    simulation.add_handler("source", Rc::new(RefCell::new(source)));
    simulation.step_until_no_events();
    recorder.borrow().outcome(0)
}

fn main() {
    scalelab_peers::run("simcore", Some("simcore"), |workload, customers, seed| {
        simulate(&workload.stack(), customers, seed)
    });
}
