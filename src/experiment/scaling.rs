//! How throughput grows with what was swept: efficiency, and the Universal Scalability Law.
//!
//! Where a key that says how much there is of something (cores, instances, workers, users) was swept, the efficiency of n is
//! X(n) / n as a multiple of that of the least n. The law of Gunther (*Guerrilla Capacity Planning*, 2007),
//! X(n) = γn / (1 + α(n − 1) + βn(n − 1)), is fitted through the levels at which the system was the limit; levels at which
//! all that was asked was done say nothing of it, and are left out.

use crate::maths::scalability::Usl;
use crate::study::scaling::{Law, Scaling, Step};
use crate::study::{Study, clients, mean};

/// The last segments of keys that say how many of something there are.
const KEYS: [&str; 4] = ["cores", "instances", "workers", "users"];

/// Levels that a fit of three coefficients needs.
const LEAST: usize = 4;

/// Requests answered with success, as a share of those offered, below which the system was the limit.
const SERVED: f64 = 0.99;

/// The scaling of every variant and client of a study with a single swept key of that kind.
pub fn scalings(study: &Study) -> Vec<Scaling> {
    let [factor] = study.factors.as_slice() else { return Vec::new() };
    let last = factor.key.rsplit('.').next().unwrap_or_default();
    let values: Option<Vec<f64>> = factor.levels.iter().map(|level| level.value.filter(|value| *value > 0.0)).collect();
    let Some(values) = values.filter(|values| KEYS.contains(&last) && values.len() >= 3) else { return Vec::new() };
    let mut found = Vec::new();
    for variant in study.variants() {
        for client in clients(&study.metrics) {
            let metric = format!("{client}.goodput");
            let closed = factor.key == format!("clients.{client}.arrivals.users");
            let points = study.points.iter().filter(|point| point.variant == variant);
            let mut steps: Vec<Step> = points
                .filter_map(|point| {
                    let throughput = mean(&study.metrics, point, &metric)?;
                    let offered = mean(&study.metrics, point, &format!("{client}.offered"))?;
                    let n = values[*point.levels.first()?];
                    let is_limit = closed || point.overload.is_some() || throughput < SERVED * offered;
                    Some(Step { n, throughput, efficiency: 0.0, is_limit })
                })
                .collect();
            steps.sort_by(|one, other| one.n.total_cmp(&other.n));
            let Some(base) = steps.first().map(|step| step.throughput / step.n).filter(|base| *base > 0.0) else {
                continue;
            };
            steps.iter_mut().for_each(|step| step.efficiency = step.throughput / step.n / base);
            let law = law(&steps);
            found.push(Scaling { variant: variant.to_owned(), key: factor.key.clone(), metric, steps, law });
        }
    }
    found
}

fn law(steps: &[Step]) -> Option<Law> {
    let (n, x): (Vec<f64>, Vec<f64>) =
        steps.iter().filter(|step| step.is_limit).map(|step| (step.n, step.throughput)).unzip();
    if n.len() < LEAST {
        return None;
    }
    let usl = Usl::fit(&n, &x).ok()?;
    let off = n.iter().zip(&x).map(|(n, x)| (usl.throughput(*n) / x - 1.0).abs());
    let deviation = off.fold(0.0, f64::max);
    Some(Law { gamma: usl.gamma, alpha: usl.alpha, beta: usl.beta, peak: usl.peak_load(), deviation })
}
