//! One run of one standard workload, for counting instructions: `valgrind --tool=callgrind`, see `docs/performance.md`.
//!
//! Arguments: the workload's name and the number of customers.

use std::path::Path;

use scalelab::model::{Plan, System};
use scalelab::spec::load::{Disk, Loader};

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let (Some(model), Some(customers)) = (arguments.next(), arguments.next()) else {
        println!("usage: instructions WORKLOAD CUSTOMERS");
        return;
    };
    let customers: f64 = customers.parse().expect("a number of customers");
    let rate = match model.as_str() {
        "mm1" | "ps" => 0.8,
        "mm16" => 14.4,
        _ => 1000.0,
    };
    let mut loader = Loader::new(&Disk);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("benches/workloads/{model}.yaml"));
    let document = loader.load(&path).expect("the workload loads");
    let blueprint = loader.build(&document, &[]).expect("the workload is a model").blueprint;
    let window = (customers / rate * 1e9) as u64;
    let plan = Plan::measuring(window);
    let record = System::new(&blueprint, plan).run(&|| false).expect("all laws hold");
    println!(
        "{} customers, {} events, fingerprint {:016x}",
        record.clients[0].measured, record.events, record.fingerprint
    );
}
