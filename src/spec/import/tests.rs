//! Manifests and charts that are imported, and some that are refused.

use super::*;
use crate::spec::load::{Files, Loader};
use crate::spec::text::diagnostic::render;

/// One file in memory.
struct Only(String);

impl Files for Only {
    fn read(&self, _: &std::path::Path) -> Result<Vec<u8>, String> {
        Ok(self.0.clone().into_bytes())
    }
}

/// Imports a text; the skeleton must be a valid model. Returns it and its warnings.
fn imported(text: &str, known: &Known) -> (String, String) {
    let mut sources = Sources::new();
    let imported = import(&mut sources, "in.yaml", text.as_bytes(), known)
        .unwrap_or_else(|problems| panic!("{}", render(&problems, &sources, false)));
    let files = Only(imported.text.clone());
    let mut loader = Loader::new(&files);
    let built = loader.load(std::path::Path::new("m.yaml")).and_then(|document| loader.build(&document, &[]));
    if let Err(problems) = built {
        panic!("{}\n{}", imported.text, render(&problems, &loader.sources, false));
    }
    (imported.text, render(&imported.warnings, &sources, false))
}

/// What is said of a text that is refused.
fn refused(text: &str) -> String {
    let mut sources = Sources::new();
    match import(&mut sources, "in.yaml", text.as_bytes(), &Known::default()) {
        Ok(imported) => panic!("accepted: {}", imported.text),
        Err(problems) => render(&problems, &sources, false),
    }
}

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: { name: chat-api }
spec:
  replicas: 3
  template:
    spec:
      terminationGracePeriodSeconds: 45
      containers:
        - name: api
          resources: { requests: { cpu: 500m, memory: 512Mi } }
          env: [ { name: DB_POOL_SIZE, value: \"50\" } ]
---
";

const HPA: &str = "\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: chat-api }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: chat-api }
  minReplicas: 3
  maxReplicas: 20
  metrics:
    - type: Pods
      pods:
        metric: { name: http_request_duration_p95 }
        target: { type: AverageValue, averageValue: 200m }
  behavior:
    scaleDown: { stabilizationWindowSeconds: 60, policies: [ { type: Percent, value: 10, periodSeconds: 60 } ] }
";

/// Scenarios A36 and A37.
#[test]
fn an_hpa_with_a_latency_target_is_imported_and_its_traps_are_named() {
    let known = Known { max_connections: Some(200), rate: Some(10_000.0), per_instance: Some(600.0), pool: None };
    let (model, warnings) = imported(&format!("{DEPLOYMENT}{HPA}"), &known);
    for part in [
        "chat_api:",
        "instances: 3",
        "cores: 0.5",
        "min: 3",
        "max: 20",
        "{ pods: p95, average_value: \"200m\" }",
        "scale_down: { stabilization: 60s, policies: [ { percent: 10, period: 60s } ] }",
        "grace: 45s",
        "MISSING",
    ] {
        assert!(model.contains(part), "{part}: {model}");
    }
    for trap in [
        "does not fall in proportion",
        "`200m` is 0.2 of the metric's unit",
        "1000; the database allows 200",
        "from 5 replicas on",
        "3 replicas carry 1800/s, 10000/s are expected",
    ] {
        assert!(warnings.contains(trap), "{trap}: {warnings}");
    }
    assert!(warnings.contains("in.yaml:24:25"), "the line of the metric: {warnings}");
}

#[test]
fn a_scaled_object_brings_its_queue() {
    let object = "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: { name: x }\nspec:\n  scaleTargetRef: { name: chat-api }\n  \
                  maxReplicaCount: 8\n  cooldownPeriod: 120\n  triggers: [ { type: kafka, metadata: { topic: orders, lagThreshold: \"50\" } } ]\n";
    let (model, _) = imported(&format!("{DEPLOYMENT}{object}"), &Known::default());
    for part in [
        "lag: orders.workers",
        "target: 50",
        "cooldown: 120s",
        "min: 0",
        "max: 8",
        "orders: { consumers: { workers: { call: chat_api.request } } }",
    ] {
        assert!(model.contains(part), "{part}: {model}");
    }
}

#[test]
fn what_is_not_known_is_refused_with_its_line() {
    let with = |from: &str, to: &str| format!("{DEPLOYMENT}{}", HPA.replace(from, to));
    for (text, line, message) in [
        (with("autoscaling/v2", "autoscaling/v2beta1"), 14, "is no version of HorizontalPodAutoscaler"),
        (
            with("kind: HorizontalPodAutoscaler", "kind: VerticalPodAutoscaler"),
            15,
            "the kind `VerticalPodAutoscaler` is not known",
        ),
        (with("http_request_duration_p95", "kittens"), 24, "the metric `kittens` is not known"),
        (with("type: AverageValue", "type: Median"), 25, "the target type `Median` is not known"),
        (with("- type: Pods", "- type: Container"), 22, "the metric type `Container` is not known"),
        (with("  minReplicas", "  minimumReplicas"), 19, "the key `minimumReplicas`"),
        (with("type: Percent", "type: Half"), 27, "no scaling policy"),
        (with("name: chat-api }\n  min", "name: other }\n  min"), 18, "no Deployment `other`"),
    ] {
        let told = refused(&text);
        assert!(told.contains(message) && told.contains(&format!("in.yaml:{line}:")), "{message}: {told}");
    }
}

/// Scenario D38.
#[test]
fn a_flowchart_becomes_the_same_graph_with_every_number_missing() {
    let chart = "```mermaid\nflowchart LR\n    U[Users - 10k RPS] --> LB[Load Balancer]\n\n    LB --> S1[App Server 1]\n    LB --> S2[App Server 2]\n    \
                 LB --> S3[App Server 3]\n\n    S1 --> C[Cache: Redis/CDN]\n    S2 --> C\n    S3 --> C\n\n    C -->|Cache miss| DB[(Primary DB)]\n    \
                 DB --> R1[(Read Replica 1)]\n    DB --> R2[(Read Replica 2)]\n```\n";
    let (model, _) = imported(chart, &Known::default());
    for part in [
        "users___10k_rps:",
        "call: load_balancer.request",
        "steps: [ call: app_server_3.request ]",
        "- call: cache__redis_cdn.request",
        "call: primary_db.request ] } ] # MISSING: how often (Cache miss)",
        "- call: read_replica_2.request",
    ] {
        assert!(model.contains(part), "{part}: {model}");
    }
    let numbers =
        model.lines().filter(|line| line.contains("cpu:") || line.contains("wait:") || line.contains("poisson"));
    assert!(numbers.clone().count() == 9 && numbers.clone().all(|line| line.contains("MISSING")), "{model}");
    assert!(refused("flowchart LR\n  A[x] ~~ B\n").contains("in.yaml:2:"));
}
