//! The yardstick: the hand-written event loop of each workload, with the calendar that replaces its top in place.

use scalelab_peers::Workload;
use scalelab_peers::handwritten::{mm1, mmc, web};

fn main() {
    scalelab_peers::run("handwritten", None, |workload, customers, seed| match workload {
        Workload::A => mm1::run::<true>(customers, seed),
        Workload::B => mmc::run::<true>(customers, seed),
        Workload::C => web::run::<false, true>(customers, seed),
    });
}
