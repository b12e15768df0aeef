//! Kubernetes manifests: Deployment, Service, HorizontalPodAutoscaler (`autoscaling/v2`) and KEDA's ScaledObject.
//!
//! Several documents in one file are read one by one; each keeps its lines. Of a Deployment the name, the replicas and the first container's
//! requests are taken; an HPA or ScaledObject is taken whole, and keys that it should not have are refused.
//!
//! Source: Kubernetes API reference, `autoscaling/v2` and `apps/v1`; KEDA, "ScaledObject specification".

use super::metrics::{KNOWN, metric, word};
use super::skeleton::{Part, Skeleton, clean};
use super::{Imported, Known};
use crate::model::autoscaler::Metric;
use crate::model::autoscaler::hpa::Quantity;
use crate::spec::text::diagnostic::Diagnostic;
use crate::spec::text::parse::parse;
use crate::spec::text::source::{Sources, Span};
use crate::spec::text::tree::{Node, Value};

/// What is read, in order.
#[derive(Debug, Default)]
struct Reader {
    skeleton: Skeleton,
    problems: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    /// Pools of connections found in the environment of containers, by the name of the part.
    pools: Vec<(String, u32)>,
}

/// Imports manifests.
///
/// # Errors
/// What cannot be read, each with its place.
pub(super) fn import(
    sources: &mut Sources,
    name: &str,
    text: &str,
    known: &Known,
) -> Result<Imported, Vec<Diagnostic>> {
    let mut reader = Reader::default();
    reader.skeleton.about = "Kubernetes manifests as a model.".to_owned();
    let mut documents: Vec<Node> = Vec::new();
    for document in documents_of(text) {
        let file = sources.add(name, &document);
        match parse(sources, file) {
            Ok(node) if node.value == Value::Null => {}
            Ok(node) => documents.push(node),
            Err(problems) => reader.problems.extend(problems),
        }
    }
    let of_kind =
        |node: &&Node, kinds: &[&str]| string(node, "kind").is_some_and(|(kind, _)| kinds.contains(&kind.as_str()));
    for node in documents.iter().filter(|node| !of_kind(node, &["HorizontalPodAutoscaler", "ScaledObject"])) {
        reader.workload(node);
    }
    for node in documents.iter().filter(|node| of_kind(node, &["HorizontalPodAutoscaler", "ScaledObject"])) {
        reader.scaler(node, known);
    }
    if reader.problems.is_empty() && reader.skeleton.parts.is_empty() {
        let file = sources.add(name, text);
        reader.problems.push(Diagnostic::error("there is no Deployment in it", Span::new(file, 0, 0)));
    }
    let first = reader.skeleton.parts.first().map(|part| format!("{}.request", part.name));
    reader.skeleton.clients.extend(first.map(|call| ("users".to_owned(), call)));
    if reader.problems.is_empty() {
        Ok(Imported { text: reader.skeleton.text(), warnings: reader.warnings })
    } else {
        Err(reader.problems)
    }
}

/// The documents of a file, each as the whole file with all lines of the others left empty.
fn documents_of(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if line.trim_end() == "---" {
            documents.push("\n".repeat(number + 1));
        } else if let Some(document) = documents.last_mut() {
            document.push_str(line);
        }
    }
    documents
}

fn get<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, key| node.entry(key).map(|entry| &entry.value))
}

/// A scalar as text, with its place.
fn scalar(node: &Node) -> Option<(String, Span)> {
    match &node.value {
        Value::Text { text, .. } | Value::Number { text, .. } => Some((text.clone(), node.span)),
        _ => None,
    }
}

fn string(node: &Node, key: &str) -> Option<(String, Span)> {
    scalar(&node.entry(key)?.value)
}

fn whole(node: &Node, path: &[&str]) -> Option<u32> {
    scalar(get(node, path)?)?.0.parse().ok()
}

impl Reader {
    fn refuse(&mut self, message: String, span: Span, help: &str) {
        self.problems.push(Diagnostic::error(message, span).with_help(help));
    }

    fn warn(&mut self, message: String, span: Span, note: &str) {
        self.warnings.push(Diagnostic::warning(message, span).with_note(note));
    }

    /// Whether version and kind are known together.
    fn identify(&mut self, node: &Node) -> Option<String> {
        let known = [
            ("Deployment", "apps/v1"),
            ("Service", "v1"),
            ("HorizontalPodAutoscaler", "autoscaling/v2"),
            ("ScaledObject", "keda.sh/v1alpha1"),
        ];
        let Some((kind, kind_span)) = string(node, "kind") else {
            self.refuse("a manifest has a `kind`".to_owned(), node.span, "such as `kind: Deployment`");
            return None;
        };
        let Some((_, version)) = known.iter().find(|(name, _)| *name == kind) else {
            let help =
                "known kinds: Deployment, Service, HorizontalPodAutoscaler, ScaledObject; leave others out of the file";
            self.refuse(format!("the kind `{kind}` is not known"), kind_span, help);
            return None;
        };
        match string(node, "apiVersion") {
            Some((given, _)) if given == *version => Some(kind),
            Some((given, span)) => {
                self.refuse(
                    format!("`{given}` is no version of {kind} that is known"),
                    span,
                    &format!("write `apiVersion: {version}`"),
                );
                None
            }
            None => {
                self.refuse(
                    "a manifest has an `apiVersion`".to_owned(),
                    node.span,
                    &format!("`apiVersion: {version}`"),
                );
                None
            }
        }
    }

    fn workload(&mut self, node: &Node) {
        let Some(kind) = self.identify(node) else { return };
        if kind != "Deployment" {
            return;
        }
        let Some((name, _)) = get(node, &["metadata", "name"]).and_then(scalar) else {
            return self.refuse("a Deployment has a name".to_owned(), node.span, "`metadata: { name: shop }`");
        };
        let mut part =
            Part { name: clean(&name), instances: whole(node, &["spec", "replicas"]).unwrap_or(1), ..Part::default() };
        let container = get(node, &["spec", "template", "spec", "containers"]).and_then(|list| list.items().first());
        let request =
            |resource| container.and_then(|node| get(node, &["resources", "requests", resource])).and_then(scalar);
        match request("cpu") {
            Some((cpu, span)) => match Quantity::Text(cpu).milli() {
                Ok(milli) if milli > 0 => part.lines.push(format!("machine: {{ cores: {} }}", milli as f64 / 1000.0)),
                Ok(_) => self.refuse("a pod asks for some CPU".to_owned(), span, "`cpu: 500m`"),
                Err(message) => self.refuse(message, span, "`cpu: 500m`"),
            },
            None => part.lines.push("machine: { cores: 1 } # MISSING: the pod asks for no CPU".to_owned()),
        }
        let grace = get(node, &["spec", "template", "spec", "terminationGracePeriodSeconds"]).and_then(scalar);
        let grace = grace.map_or("30s".to_owned(), |(seconds, _)| format!("{seconds}s"));
        part.lines.push(format!(
            "life: {{ provisioning: 60s, pull: 10s, start: 10s, grace: {grace} }} # MISSING: how long a machine, an image, a start take"
        ));
        part.steps.push("- cpu: 10ms # MISSING: work per request".to_owned());
        let environment = container.and_then(|node| get(node, &["env"])).map_or(&[][..], Node::items);
        for variable in environment {
            let (Some((key, _)), Some((value, _))) = (string(variable, "name"), string(variable, "value")) else {
                continue;
            };
            let key = key.to_uppercase();
            if let (true, Ok(size)) = (key.contains("POOL") || key.contains("MAX_OPEN_CONNS"), value.parse()) {
                self.pools.push((part.name.clone(), size));
            }
        }
        self.skeleton.parts.push(part);
    }

    /// Refuses keys of a map that are not among these.
    fn only(&mut self, node: &Node, what: &str, keys: &[&str]) {
        for entry in node.entries().iter().filter(|entry| !keys.contains(&entry.key.as_str())) {
            let help = format!("{what} may have: {}", keys.join(", "));
            self.refuse(format!("the key `{}` of {what} is not known", entry.key), entry.key_span, &help);
        }
    }

    fn scaler(&mut self, node: &Node, known: &Known) {
        let Some(kind) = self.identify(node) else { return };
        let Some(spec) = get(node, &["spec"]) else {
            return self.refuse(format!("a {kind} has a `spec`"), node.span, "add it");
        };
        let keda = kind == "ScaledObject";
        let target = get(spec, &["scaleTargetRef", "name"]).and_then(scalar);
        let Some((target, span)) = target else {
            return self.refuse(
                "whom does it scale?".to_owned(),
                spec.span,
                "`scaleTargetRef: { kind: Deployment, name: shop }`",
            );
        };
        let name = clean(&target);
        if !self.skeleton.parts.iter().any(|part| part.name == name) {
            return self.refuse(
                format!("there is no Deployment `{target}` in the file"),
                span,
                "put it into the same file",
            );
        }
        let (least, most) = if keda { ("minReplicaCount", "maxReplicaCount") } else { ("minReplicas", "maxReplicas") };
        let min = whole(spec, &[least]).unwrap_or(u32::from(!keda));
        let Some(max) = whole(spec, &[most]).or(keda.then_some(100)) else {
            return self.refuse(format!("`{most}` is missing"), spec.span, "an HPA must have it");
        };
        let policy = if keda { self.keda(spec, &name) } else { self.hpa(spec) };
        self.traps(spec, &name, [min, max], known);
        if let Some(part) = self.skeleton.parts.iter_mut().find(|part| part.name == name) {
            part.instances = part.instances.max(min).max(1);
            part.lines.push("autoscaler:".to_owned());
            part.lines.push(format!("  min: {min}"));
            part.lines.push(format!("  max: {max}"));
            part.lines.push("  policy:".to_owned());
            part.lines.extend(policy.into_iter().map(|line| format!("    {line}")));
        }
    }

    /// Traps that need numbers from beside the scaler.
    fn traps(&mut self, spec: &Node, name: &str, [min, max]: [u32; 2], known: &Known) {
        let place = |keys: [&str; 2], spec: &Node| {
            keys.iter().find_map(|key| spec.entry(key)).map_or(spec.span, |entry| entry.value.span)
        };
        let pool = known.pool.or_else(|| self.pools.iter().find(|(part, _)| part == name).map(|(_, pool)| *pool));
        if let (Some(pool), Some(limit)) = (pool, known.max_connections)
            && u64::from(max) * u64::from(pool) > u64::from(limit)
        {
            let all = u64::from(max) * u64::from(pool);
            let message = format!("{max} replicas with {pool} connections each are {all}; the database allows {limit}");
            let note = format!("from {} replicas on connections are refused", u64::from(limit) / u64::from(pool) + 1);
            self.warn(message, place(["maxReplicas", "maxReplicaCount"], spec), &note);
        }
        if let (Some(rate), Some(each)) = (known.rate, known.per_instance)
            && f64::from(min) * each < rate
        {
            let message = format!(
                "the minimum is saturated already: {min} replicas carry {}/s, {rate}/s are expected",
                f64::from(min) * each
            );
            self.warn(
                message,
                place(["minReplicas", "minReplicaCount"], spec),
                "a scaler that begins there begins in overload",
            );
        }
    }

    fn hpa(&mut self, spec: &Node) -> Vec<String> {
        self.only(spec, "the spec of an HPA", &["scaleTargetRef", "minReplicas", "maxReplicas", "metrics", "behavior"]);
        let mut lines = vec!["hpa:".to_owned(), "  metrics:".to_owned()];
        let metrics = get(spec, &["metrics"]).map_or(&[][..], Node::items);
        if metrics.is_empty() {
            lines.push("    - { resource: cpu, utilization: 80% } # what an HPA without metrics has".to_owned());
        }
        for node in metrics {
            lines.extend(self.hpa_metric(node).map(|line| format!("    - {line}")));
        }
        for (key, word) in [("scaleUp", "scale_up"), ("scaleDown", "scale_down")] {
            if let Some(rules) = get(spec, &["behavior", key]) {
                lines.extend(self.rules(rules).map(|text| format!("  {word}: {text}")));
            }
        }
        lines
    }

    fn rules(&mut self, node: &Node) -> Option<String> {
        self.only(node, "scaling rules", &["stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance"]);
        let mut parts = Vec::new();
        if let Some(seconds) = whole(node, &["stabilizationWindowSeconds"]) {
            parts.push(format!("stabilization: {seconds}s"));
        }
        if let Some((select, span)) = string(node, "selectPolicy") {
            if !["Max", "Min", "Disabled"].contains(&select.as_str()) {
                self.refuse(format!("`{select}` is no way to select a policy"), span, "write Max, Min or Disabled");
                return None;
            }
            parts.push(format!("select: {}", select.to_lowercase()));
        }
        let mut policies = Vec::new();
        for policy in get(node, &["policies"]).map_or(&[][..], Node::items) {
            let value = whole(policy, &["value"]);
            let period = whole(policy, &["periodSeconds"]);
            match (string(policy, "type").map(|(kind, _)| kind).as_deref(), value, period) {
                (Some("Pods"), Some(value), Some(period)) => {
                    policies.push(format!("{{ pods: {value}, period: {period}s }}"))
                }
                (Some("Percent"), Some(value), Some(period)) => {
                    policies.push(format!("{{ percent: {value}, period: {period}s }}"));
                }
                _ => self.refuse(
                    "this is no scaling policy".to_owned(),
                    policy.span,
                    "write `{ type: Pods, value: 4, periodSeconds: 15 }`; types are Pods and Percent",
                ),
            }
        }
        if !policies.is_empty() {
            parts.push(format!("policies: [ {} ]", policies.join(", ")));
        }
        Some(format!("{{ {} }}", parts.join(", ")))
    }

    fn hpa_metric(&mut self, node: &Node) -> Option<String> {
        let (kind, span) = string(node, "type")?;
        let (key, source) = match kind.as_str() {
            "Resource" => ("resource", "resource"),
            "Pods" => ("pods", "pods"),
            "Object" => ("object", "object"),
            "External" => ("external", "external"),
            _ => {
                self.refuse(
                    format!("the metric type `{kind}` is not known"),
                    span,
                    "known types: Resource, Pods, Object, External",
                );
                return None;
            }
        };
        let body = get(node, &[key])?;
        let named = if kind == "Resource" { get(body, &["name"]) } else { get(body, &["metric", "name"]) };
        let (name, span) = named.and_then(scalar).or_else(|| {
            self.refuse("which metric?".to_owned(), body.span, "`metric: { name: http_requests_per_second }`");
            None
        })?;
        let found = if kind == "Resource" { (name == "cpu").then_some(Metric::Cpu) } else { metric(&name) };
        let Some(found) = found else {
            let names: Vec<&str> = KNOWN.iter().map(|(name, _)| *name).collect();
            let help = if kind == "Resource" {
                "of resources only `cpu` is known".to_owned()
            } else {
                format!("known: {}, or a name with the word p50, p95 or p99", names.join(", "))
            };
            self.refuse(format!("the metric `{name}` is not known"), span, &help);
            return None;
        };
        let target = get(body, &["target"])?;
        let (target_kind, target_span) = string(target, "type")?;
        let (value_key, word_of) = match target_kind.as_str() {
            "Utilization" => ("averageUtilization", "utilization"),
            "AverageValue" => ("averageValue", "average_value"),
            "Value" => ("value", "value"),
            _ => {
                self.refuse(
                    format!("the target type `{target_kind}` is not known"),
                    target_span,
                    "known: Utilization, Value, AverageValue",
                );
                return None;
            }
        };
        let Some((value, value_span)) = string(target, value_key) else {
            self.refuse(format!("a target of type {target_kind} has `{value_key}`"), target.span, "add it");
            return None;
        };
        if found.percentile().is_some() {
            self.warn(
                format!("`{name}` is a response time: it does not fall in proportion to the replicas"),
                span,
                "if something behind the pods is the limit, the HPA goes to its most and nothing gets faster",
            );
            if value.ends_with('m') {
                let milli = Quantity::Text(value.clone()).milli().unwrap_or(0);
                self.warn(
                    format!("`{value}` is {} of the metric's unit", milli as f64 / 1000.0),
                    value_span,
                    "of a metric in seconds that is a time in milliseconds; of one in milliseconds it is next to nothing",
                );
            }
        }
        let value = if target_kind == "Utilization" { format!("{value}%") } else { format!("\"{value}\"") };
        Some(format!("{{ {source}: {}, {word_of}: {value} }}", word(&found)))
    }

    fn keda(&mut self, spec: &Node, name: &str) -> Vec<String> {
        let keys =
            ["scaleTargetRef", "minReplicaCount", "maxReplicaCount", "pollingInterval", "cooldownPeriod", "triggers"];
        self.only(spec, "the spec of a ScaledObject", &keys);
        let triggers = get(spec, &["triggers"]).map_or(&[][..], Node::items);
        let [trigger] = triggers else {
            self.refuse("exactly one trigger is known".to_owned(), spec.span, "`triggers: [ … ]` with one entry");
            return Vec::new();
        };
        let Some((kind, span)) = string(trigger, "type") else { return Vec::new() };
        let (target, default) = match kind.as_str() {
            "kafka" => ("lagThreshold", "10"),
            "rabbitmq" => ("value", "20"),
            "aws-sqs-queue" => ("queueLength", "5"),
            _ => {
                self.refuse(
                    format!("the trigger `{kind}` is not known"),
                    span,
                    "known: kafka, rabbitmq, aws-sqs-queue",
                );
                return Vec::new();
            }
        };
        let of = |key: &str| get(trigger, &["metadata", key]).and_then(scalar).map(|(text, _)| text);
        let queue =
            of("topic").or_else(|| of("queueName")).map_or_else(|| format!("{name}_queue"), |queue| clean(&queue));
        let mut lines = vec!["keda:".to_owned(), format!("  trigger: {{ lag: {queue}.workers }}")];
        lines.push(format!("  target: {}", of(target).unwrap_or_else(|| default.to_owned())));
        let activation =
            of("activationLagThreshold").or_else(|| of("activationValue")).or_else(|| of("activationQueueLength"));
        lines.extend(activation.map(|value| format!("  activation: {value}")));
        let seconds = |key: &str, word: &str| whole(spec, &[key]).map(|seconds| format!("  {word}: {seconds}s"));
        lines.extend(seconds("pollingInterval", "polling"));
        lines.extend(seconds("cooldownPeriod", "cooldown"));
        self.skeleton.queues.push((queue, name.to_owned()));
        lines
    }
}
