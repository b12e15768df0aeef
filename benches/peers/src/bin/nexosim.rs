//! NeXosim: models with ports and mailboxes; generators and the histogram are in the models' environments.
//!
//! One thread: with more, its executor is an order of magnitude slower on events as small as these. Every station has a
//! generator of its own, so that no state is shared between models; workload C therefore agrees with the hand-written
//! loop in law, not customer by customer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nexosim::model::{BuildContext, Context, Model, ProtoModel, schedulable};
use nexosim::ports::{EventSinkWriter, Output};
use nexosim::simulation::{Mailbox, SimInit, SimulationError};
use nexosim::time::MonotonicTime;
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;
use scalelab_peers::Stack;
use scalelab_peers::handwritten::random::{Exponential, streams};
use scalelab_peers::handwritten::recorder::Recorder;
use scalelab_peers::handwritten::{NANOS_PER_SECOND, Outcome};
use serde::{Deserialize, Serialize};

/// The sink of response times \[ns\].
#[derive(Clone, Default)]
struct Responses(Arc<Mutex<Recorder>>);

impl EventSinkWriter<u64> for Responses {
    fn write(&self, response: u64) {
        let mut recorder = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recorder.record(response);
    }
}

/// The next delay: at least 1 ns, as the engine schedules only in the future.
fn delay(draws: &mut Exponential) -> Duration {
    Duration::from_nanos(draws.draw().max(1))
}

/// Deals its customers out in turn.
#[derive(Serialize, Deserialize)]
struct Source {
    /// A customer, by its time of arrival -- output port per instance.
    instances: Vec<Output<MonotonicTime>>,
    arrived: u64,
    customers: u64,
}

#[Model(type Env = Exponential)]
impl Source {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>, interarrival: &mut Exponential) {
        self.schedule(context, interarrival);
    }

    #[nexosim(schedulable)]
    async fn arrive(&mut self, _: (), context: &Context<Self>, interarrival: &mut Exponential) {
        let instance = (self.arrived % self.instances.len() as u64) as usize;
        self.instances[instance].send(context.time()).await;
        self.arrived += 1;
        self.schedule(context, interarrival);
    }

    fn schedule(&self, context: &Context<Self>, interarrival: &mut Exponential) {
        if self.arrived < self.customers {
            context.schedule_event(delay(interarrival), schedulable!(Self::arrive), ()).expect("in the future");
        }
    }
}

struct ProtoSource {
    source: Source,
    interarrival: Exponential,
}

impl ProtoModel for ProtoSource {
    type Model = Source;

    fn build(self, _: &mut BuildContext<Self>) -> (Source, Exponential) {
        (self.source, self.interarrival)
    }
}

/// Parallel servers with one queue.
#[derive(Serialize, Deserialize)]
struct Station {
    /// Response time of a customer that is done \[ns\] -- output port.
    done: Output<u64>,
    /// A customer that goes on to the database -- output port.
    database: Output<MonotonicTime>,
    miss_probability: f64,
    free: usize,
    waiting: VecDeque<MonotonicTime>,
}

struct StationDraws {
    service: Exponential,
    misses: Xoshiro256PlusPlus,
}

#[Model(type Env = StationDraws)]
impl Station {
    fn new(servers: usize, miss_probability: f64) -> Self {
        Self {
            done: Output::default(),
            database: Output::default(),
            miss_probability,
            free: servers,
            waiting: VecDeque::new(),
        }
    }

    /// A customer, by its time of arrival in the system -- input port.
    async fn begin(&mut self, arrived: MonotonicTime, context: &Context<Self>, draws: &mut StationDraws) {
        if self.free > 0 {
            self.free -= 1;
            self.serve(arrived, context, draws);
        } else {
            self.waiting.push_back(arrived);
        }
    }

    #[nexosim(schedulable)]
    async fn end(&mut self, arrived: MonotonicTime, context: &Context<Self>, draws: &mut StationDraws) {
        match self.waiting.pop_front() {
            Some(next) => self.serve(next, context, draws),
            None => self.free += 1,
        }
        if self.miss_probability > 0.0 && draws.misses.random_bool(self.miss_probability) {
            self.database.send(arrived).await;
        } else {
            let response = context.time().duration_since(arrived);
            self.done.send(response.as_nanos() as u64).await;
        }
    }

    fn serve(&self, arrived: MonotonicTime, context: &Context<Self>, draws: &mut StationDraws) {
        context.schedule_event(delay(&mut draws.service), schedulable!(Self::end), arrived).expect("in the future");
    }
}

struct ProtoStation {
    station: Station,
    draws: StationDraws,
}

impl ProtoModel for ProtoStation {
    type Model = Station;

    fn build(self, _: &mut BuildContext<Self>) -> (Station, StationDraws) {
        (self.station, self.draws)
    }
}

fn simulate(stack: &Stack, customers: u64, seed: u64) -> Result<Outcome, SimulationError> {
    // The first two are those of the hand-written loops of A and B.
    let mut generators = streams::<32>(seed).into_iter();
    let mut generator = || generators.next().expect("32 are enough for 8 instances");
    let interarrival = Exponential::new(generator(), NANOS_PER_SECOND / stack.arrival_rate);
    let mut draws = |seconds: f64| StationDraws {
        service: Exponential::new(generator(), NANOS_PER_SECOND * seconds),
        misses: generator(),
    };
    let responses = Responses::default();
    let mut bench = SimInit::with_num_threads(1);

    let mut source = Source { instances: Vec::new(), arrived: 0, customers };
    let database_mailbox = Mailbox::new();
    for index in 0..stack.instances {
        let mailbox = Mailbox::new();
        let mut output = Output::default();
        output.connect(Station::begin, &mailbox);
        source.instances.push(output);
        let mut station = Station::new(stack.servers, stack.miss_probability);
        station.done.connect_sink(responses.clone());
        station.database.connect(Station::begin, &database_mailbox);
        let model = ProtoStation { station, draws: draws(stack.service_seconds) };
        bench = bench.add_model(model, mailbox, &format!("instance {index}"));
    }
    let mut database = Station::new(stack.database_servers, 0.0);
    database.done.connect_sink(responses.clone());
    let model = ProtoStation { station: database, draws: draws(stack.database_seconds) };
    let mut simulation = bench
        .add_model(model, database_mailbox, "database")
        .add_model(ProtoSource { source, interarrival }, Mailbox::new(), "source")
        .init(MonotonicTime::EPOCH)?;
    simulation.run()?;
    drop(simulation);
    let recorder = responses.0.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(recorder.outcome(0))
}

fn main() {
    scalelab_peers::run("nexosim", Some("nexosim"), |workload, customers, seed| {
        simulate(&workload.stack(), customers, seed).expect("the bench is complete")
    });
}
