//! odem-rs: agents are asynchronous processes.
//!
//! Servers are agents that share a queue and sleep when it is empty, as in the crate's own M/M/1 example. (Its `Facility`
//! has one server only; an agent per customer would cost an allocation more.)

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::Waker;

use odem_rs::core::ops::waker;
use odem_rs::core::simulator::Simulator;
use odem_rs::prelude::*;
use scalelab_peers::handwritten::Outcome;
use scalelab_peers::handwritten::recorder::Recorder;
use scalelab_peers::{Draws, Stack, nanos, seconds};

/// A queue and the servers that sleep beside it.
#[derive(Default)]
struct Station {
    /// Arrival times of the waiting customers \[s\].
    waiting: RefCell<VecDeque<f64>>,
    asleep: RefCell<Vec<Waker>>,
}

impl Station {
    fn arrive(&self, arrived: f64) {
        self.waiting.borrow_mut().push_back(arrived);
        if let Some(server) = self.asleep.borrow_mut().pop() {
            server.wake();
        }
    }
}

#[derive(Config)]
struct Model {
    draws: RefCell<Draws>,
    recorder: RefCell<Recorder>,
    instances: Vec<Station>,
    database: Station,
    customers: u64,
    left: Cell<u64>,
    /// The main process, once it waits for the last customer.
    main: Cell<Option<Waker>>,
}

impl Model {
    fn leave(&self, now: f64, arrived: f64) {
        self.recorder.borrow_mut().record(nanos(now - arrived));
        self.left.set(self.left.get() + 1);
        if self.left.get() == self.customers
            && let Some(main) = self.main.take()
        {
            main.wake();
        }
    }
}

/// One server of a station.
enum Server {
    Instance(usize),
    Database,
}

impl Behavior<Model> for Server {
    type Output = ();

    async fn actions(&self, sim: &Sim<Model>) {
        let model = sim.global();
        let station = match *self {
            Server::Instance(index) => &model.instances[index],
            Server::Database => &model.database,
        };
        loop {
            // Taken out of the queue in a statement of its own, so that the queue is not borrowed over the service.
            let next = station.waiting.borrow_mut().pop_front();
            let Some(arrived) = next else {
                let server = waker().await;
                station.asleep.borrow_mut().push(server);
                sleep().await;
                continue;
            };
            match self {
                Server::Instance(_) => {
                    let service = model.draws.borrow_mut().service.draw();
                    sim.advance(seconds(service)).await;
                    if model.draws.borrow_mut().miss() {
                        model.database.arrive(arrived);
                    } else {
                        model.leave(sim.now(), arrived);
                    }
                }
                Server::Database => {
                    let service = model.draws.borrow_mut().database.draw();
                    sim.advance(seconds(service)).await;
                    model.leave(sim.now(), arrived);
                }
            }
        }
    }
}

async fn main_process(sim: &Sim<Model>, servers: usize, database_servers: usize) {
    let model = sim.global();
    for index in 0..model.instances.len() {
        (0..servers).for_each(|_| {
            sim.spawn(Server::Instance(index));
        });
    }
    (0..database_servers).for_each(|_| {
        sim.spawn(Server::Database);
    });
    for customer in 0..model.customers {
        let pause = model.draws.borrow_mut().interarrival.draw();
        sim.advance(seconds(pause)).await;
        model.instances[(customer % model.instances.len() as u64) as usize].arrive(sim.now());
    }
    while model.left.get() < model.customers {
        model.main.set(Some(waker().await));
        sleep().await;
    }
    // A waker must not outlive the run that it belongs to, and the model does.
    for station in model.instances.iter().chain([&model.database]) {
        station.asleep.borrow_mut().clear();
    }
}

fn simulate(stack: &Stack, customers: u64, seed: u64) -> Outcome {
    let simulator = Simulator::new(Model {
        draws: RefCell::new(Draws::new(stack, seed)),
        recorder: RefCell::default(),
        instances: (0..stack.instances).map(|_| Station::default()).collect(),
        database: Station::default(),
        customers,
        left: Cell::new(0),
        main: Cell::new(None),
    });
    let (servers, database_servers) = (stack.servers, stack.database_servers);
    simulator
        .run(async |sim| main_process(sim, servers, database_servers).await)
        .expect("the source wakes all servers");
    simulator.inner().recorder.borrow().outcome(0)
}

fn main() {
    scalelab_peers::run("odem-rs", Some("odem-rs"), |workload, customers, seed| {
        simulate(&workload.stack(), customers, seed)
    });
}
