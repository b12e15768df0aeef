//! The replica calculator of the Horizontal Pod Autoscaler, as pure functions.
//!
//! Source: Kubernetes, `pkg/controller/podautoscaler/replica_calculator.go` and `metrics/utilization.go` up to 1.32. All amounts are
//! whole milli-units, utilization is a whole percentage that is cut off, and the ratio is a 64-bit float, so that the answers at
//! the edge of the tolerance are those of the original: 55 % against 50 % acts (|1 − 1.1| is a little more than 0.1), 45 % does not.
//!
//! Rules: pods that are not ready count as using nothing, and only when it would scale up; pods whose metric is missing count as
//! using nothing when it would scale up and all of their request (or the target, for plain metrics) when it would scale down; what
//! turns the direction round changes nothing.

/// How a pod counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Ready, with a metric.
    Ready,
    /// Pending or not ready yet; its metric, if any, is not used.
    Unready,
    /// Ready as far as is known, without a metric.
    Missing,
    /// Failed or being deleted.
    Ignored,
}

/// A pod as the calculator sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// How it counts.
    pub group: Group,
    /// Its metric [milli-units]; of ready pods only.
    pub value: i64,
    /// What it asks for of the resource [milli-units]; of resources only.
    pub request: i64,
}

/// Whether a ratio is near enough to 1 to leave things as they are.
fn within(ratio: f64, tolerance: f64) -> bool {
    (1.0 - ratio).abs() <= tolerance
}

/// The next whole number of pods.
fn ceil(pods: f64) -> u32 {
    pods.ceil().clamp(0.0, f64::from(i32::MAX)) as u32
}

/// The replicas for a target utilization [%] of a resource; `None` if no ready pod has a metric.
pub fn utilization(current: u32, target: i64, pods: &[Sample], tolerance: f64) -> Option<u32> {
    let ratio = |metrics: &[(i64, i64)]| {
        let total: i64 = metrics.iter().map(|(value, _)| value).sum();
        let requests: i64 = metrics.iter().map(|(_, request)| request).sum();
        (requests > 0).then(|| (total * 100 / requests) as f64 / target as f64)
    };
    let missing = |pod: &Sample| pod.request * target.max(100) / 100;
    replicas(current, pods, tolerance, &ratio, &missing, true)
}

/// The replicas for a target average of a plain metric [milli-units].
pub fn average(current: u32, target: i64, pods: &[Sample], tolerance: f64) -> Option<u32> {
    let ratio = |metrics: &[(i64, i64)]| {
        let total: i64 = metrics.iter().map(|(value, _)| value).sum();
        let count = metrics.len() as i64;
        (count > 0).then(|| (total / count) as f64 / target as f64)
    };
    replicas(current, pods, tolerance, &ratio, &|_| target, false)
}

/// The ratio of usage and target of some pods, each with its value and its request; `None` if it cannot be told.
type Ratio<'a> = dyn Fn(&[(i64, i64)]) -> Option<f64> + 'a;

fn replicas(
    current: u32,
    pods: &[Sample],
    tolerance: f64,
    ratio: &Ratio<'_>,
    full: &dyn Fn(&Sample) -> i64,
    keeps_direction: bool,
) -> Option<u32> {
    let of = |group: Group| pods.iter().filter(move |pod| pod.group == group);
    let mut metrics: Vec<(i64, i64)> = of(Group::Ready).map(|pod| (pod.value, pod.request)).collect();
    let usage = ratio(&metrics)?;
    let (missing, unready) = (of(Group::Missing).count(), of(Group::Unready).count());
    let up_with_unready = unready > 0 && usage > 1.0;
    if !up_with_unready && missing == 0 {
        return Some(if within(usage, tolerance) { current } else { ceil(usage * metrics.len() as f64) });
    }
    if usage < 1.0 {
        metrics.extend(of(Group::Missing).map(|pod| (full(pod), pod.request)));
    } else if usage > 1.0 || !keeps_direction {
        metrics.extend(of(Group::Missing).map(|pod| (0, pod.request)));
    }
    if up_with_unready {
        metrics.extend(of(Group::Unready).map(|pod| (0, pod.request)));
    }
    let again = ratio(&metrics)?;
    let turned = (usage < 1.0 && again > 1.0) || (usage > 1.0 && again < 1.0);
    if within(again, tolerance) || turned {
        return Some(current);
    }
    let proposed = ceil(again * metrics.len() as f64);
    let against = (again < 1.0 && proposed > current) || (again > 1.0 && proposed < current);
    Some(if against { current } else { proposed })
}

/// The replicas for a target value of one object, or of an external metric: the ratio times the pods that are ready.
pub fn value(current: u32, usage: i64, target: i64, ready: u32, tolerance: f64) -> u32 {
    let ratio = usage as f64 / target as f64;
    match current {
        0 => ceil(ratio),
        _ if within(ratio, tolerance) => current,
        _ => ceil(ratio * f64::from(ready)),
    }
}

/// The replicas for a target value per pod of one object, or of an external metric.
pub fn value_per_pod(current: u32, usage: i64, target: i64, tolerance: f64) -> u32 {
    let ratio = usage as f64 / (target as f64 * f64::from(current));
    if within(ratio, tolerance) { current } else { ceil(usage as f64 / target as f64) }
}

#[cfg(test)]
mod tests {
    use super::Group::{Ignored, Missing, Ready, Unready};
    use super::*;

    const TOLERANCE: f64 = 0.1;

    /// Pods that ask for a whole core each, with metrics in their order as far as there are any.
    fn pods(groups: &[Group], levels: &[i64]) -> Vec<Sample> {
        let pod = |(number, group): (usize, &Group)| {
            let value = levels.get(number).copied();
            let group = if *group == Ready && value.is_none() { Missing } else { *group };
            Sample { group, value: value.unwrap_or(0), request: 1000 }
        };
        groups.iter().enumerate().map(pod).collect()
    }

    /// Its name there, replicas, target [%], pods, their use [millicores], and the replicas that follow.
    type Case<'a> = (&'a str, u32, i64, &'a [Group], &'a [i64], u32);

    /// Reference case J01: resource metrics.
    #[test]
    fn utilization_is_that_of_the_tests_of_kubernetes() {
        let cases: &[Case<'_>] = &[
            ("ScaleUp", 3, 30, &[Ready; 3], &[300, 500, 700], 5),
            ("ScaleUpUnreadyLessScale", 3, 30, &[Unready, Ready, Ready], &[300, 500, 700], 4),
            ("ScaleUpUnreadyNoScale", 3, 30, &[Ready, Unready, Unready], &[400, 500, 700], 3),
            ("ScaleUpIgnoresFailedPods", 2, 30, &[Ready, Ready, Ignored, Ignored], &[500, 700], 4),
            ("ScaleDown", 5, 50, &[Ready; 5], &[100, 300, 500, 250, 250], 3),
            (
                "ScaleDownIncludeUnreadyPods",
                5,
                50,
                &[Ready, Ready, Ready, Unready, Unready],
                &[100, 300, 500, 250, 250],
                2,
            ),
            ("ScaleDownExcludeUnscheduledPods", 5, 50, &[Ready, Unready, Unready, Unready, Unready], &[100], 1),
            (
                "ScaleDownIgnoresFailedPods",
                5,
                50,
                &[Ready, Ready, Ready, Ready, Ready, Ignored, Ignored],
                &[100, 300, 500, 250, 250],
                3,
            ),
            ("SuperfluousMetrics", 4, 100, &[Ready; 4], &[4000, 9500, 3000, 7000, 3200, 2000], 24),
            ("MissingMetrics", 4, 100, &[Ready; 4], &[400, 95], 3),
            ("MissingMetricsNoChangeEq", 2, 100, &[Ready; 2], &[1000], 2),
            ("MissingMetricsNoChangeGt", 2, 100, &[Ready; 2], &[1900], 2),
            ("MissingMetricsNoChangeLt", 2, 100, &[Ready; 2], &[600], 2),
            ("MissingMetricsUnreadyChange", 3, 50, &[Unready, Ready, Ready], &[100, 450], 3),
            ("MissingMetricsUnreadyScaleUp", 3, 50, &[Unready, Ready, Ready], &[100, 2000], 4),
            ("MissingMetricsUnreadyScaleDown", 4, 50, &[Unready, Ready, Ready, Ready], &[100, 100, 100], 3),
            ("DuringRollingUpdateWithMaxSurge", 2, 50, &[Ready; 3], &[100, 100], 2),
        ];
        for (name, current, target, groups, levels, expected) in cases {
            assert_eq!(utilization(*current, *target, &pods(groups, levels), TOLERANCE), Some(*expected), "{name}");
        }
        let requests = [900, 1000, 1100];
        let tolerant: Vec<Sample> = [1010, 1030, 1020]
            .iter()
            .zip(requests)
            .map(|(value, request)| Sample { group: Ready, value: *value, request })
            .collect();
        assert_eq!(utilization(3, 100, &tolerant, TOLERANCE), Some(3), "Tolerance");
    }

    #[test]
    fn the_edge_of_the_tolerance_is_that_of_64_bit_floats() {
        let ten = |level: i64| pods(&[Ready; 10], &[level; 10]);
        assert_eq!(utilization(10, 56, &ten(500), TOLERANCE), Some(9));
        assert_eq!(utilization(10, 55, &ten(500), TOLERANCE), Some(10));
        assert_eq!(utilization(10, 50, &ten(550), TOLERANCE), Some(11), "|1 − 1.1| is more than 0.1");
        assert_eq!(utilization(10, 50, &ten(450), TOLERANCE), Some(10), "|1 − 0.9| is less than 0.1");
        assert_eq!(utilization(50, 75, &pods(&[Ready; 50], &[900; 50]), TOLERANCE), Some(60));
        // Cut off to a whole percentage before the ratio: 55.9 % is 55 %.
        assert_eq!(utilization(10, 50, &ten(549), TOLERANCE), Some(10));
    }

    /// Reference case J01: the metrics of pods, for which being ready does not matter once a pod runs.
    #[test]
    fn averages_are_those_of_the_tests_of_kubernetes() {
        let cases: &[(&str, u32, i64, &[i64], u32)] = &[
            ("ScaleUpCM", 3, 15_000, &[20_000, 10_000, 30_000], 4),
            ("ScaleUpCMUnreadyHotCpuNoLessScale", 3, 15_000, &[50_000, 10_000, 30_000], 6),
            ("ScaleUpCMUnreadyScaleWouldScaleDown", 3, 15_000, &[50_000, 15_000, 30_000], 7),
            ("ScaleDownCM", 5, 20_000, &[12_000; 5], 3),
            ("ToleranceCM", 3, 20_000, &[20_000, 21_000, 21_000], 3),
        ];
        for (name, current, target, levels, expected) in cases {
            let all = pods(&vec![Ready; levels.len()], levels);
            assert_eq!(average(*current, *target, &all, TOLERANCE), Some(*expected), "{name}");
        }
    }

    /// Reference case J01: objects and external metrics.
    #[test]
    fn values_count_the_ready_pods_only() {
        assert_eq!(value(3, 5, 1, 1, TOLERANCE), 5, "ObjectIgnoresUnready");
        assert_eq!(value(3, 8600, 4400, 1, TOLERANCE), 2, "ExternalIgnoresUnready");
        assert_eq!(value(3, 20_000, 15_000, 3, TOLERANCE), 4, "Object");
        assert_eq!(value(5, 8600, 14_334, 5, TOLERANCE), 3, "ScaleDownExternal");
        assert_eq!(value_per_pod(3, 8600, 2150, TOLERANCE), 4, "ExternalPerPod");
        assert_eq!(value(0, 2_500, 1_000, 0, TOLERANCE), 3, "from zero the ratio is the number");
    }

    /// Scenario A36: p95 against 200m at three pods.
    #[test]
    fn a_p95_of_400_ms_against_200m_doubles_three_pods_and_215_ms_changes_nothing() {
        assert_eq!(average(3, 200, &pods(&[Ready; 3], &[400; 3]), TOLERANCE), Some(6));
        assert_eq!(average(3, 200, &pods(&[Ready; 3], &[215; 3]), TOLERANCE), Some(3));
    }
}
