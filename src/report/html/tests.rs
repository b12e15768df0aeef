//! The page's structure, without a browser.

use super::*;
use crate::quantity::Unit;
use crate::report::tests::{all, hostile, single, sweep_with_plots};
use crate::study::MetricName;
use crate::study::insight::*;

fn page(study: &Study) -> String {
    String::from_utf8(report_html(study).unwrap()).unwrap()
}

/// Elements that have no end tag.
const VOID: [&str; 4] = ["meta", "link", "br", "img"];

/// The names of the start tags, in order; panics if tags do not nest.
fn check_nesting(page: &str) -> Vec<String> {
    let (mut open, mut seen): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        let tag = &rest[at + 1..];
        let end = tag.find('>').expect("a tag ends");
        let (inner, after) = (&tag[..end], &tag[end + 1..]);
        rest = after;
        if inner.starts_with('!') {
            continue;
        }
        if let Some(name) = inner.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "after {seen:?}");
            continue;
        }
        let name = inner.split([' ', '/', '\n']).next().unwrap().to_owned();
        if matches!(name.as_str(), "style" | "script") {
            // Raw text until its end tag.
            let end = rest.find(&format!("</{name}>")).expect("it ends");
            rest = &rest[end..];
        }
        seen.push(name.clone());
        if !inner.ends_with('/') && !VOID.contains(&name.as_str()) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    seen
}

#[test]
fn tags_nest_and_anchors_lead_somewhere_in_every_report() {
    for study in all() {
        let page = page(&study);
        let tags = check_nesting(&page);
        assert_eq!(tags.iter().filter(|tag| *tag == "h1").count(), 1);
        assert_eq!(tags.iter().filter(|tag| *tag == "main").count(), 1);
        for link in page.split("href=\"#").skip(1) {
            let anchor = link.split('"').next().unwrap();
            assert_eq!(page.matches(&format!(" id=\"{anchor}\"")).count(), 1, "{anchor}");
        }
        // Numbers are numbers.
        assert!(!page.contains("NaN") && !page.contains(">inf"), "{}", study.experiment);
    }
}

#[test]
fn nothing_is_fetched() {
    for study in all() {
        let page = page(&study);
        for outside in ["src=", "url(http", "@import", "<link", "<img", "<iframe", "fetch(", "XMLHttp", "href=\"http"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("default-src 'none'"));
    }
}

#[test]
fn the_sections_are_those_of_a_lab_report_in_order() {
    let page = page(&sweep_with_plots());
    let anchors: Vec<&str> = page.split("<section id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let expected = [
        "prediction",
        "answer",
        "system",
        "charts",
        "time",
        "results",
        "expectations",
        "assumptions",
        "fidelity",
        "reproduce",
    ];
    assert_eq!(anchors, expected);
}

#[test]
fn a_section_without_anything_to_say_is_left_out() {
    let mut study = single();
    (study.prediction, study.expectations, study.systems) = (None, Vec::new(), Vec::new());
    study.points[0].attributions.clear();
    let page = page(&study);
    for anchor in ["prediction", "answer", "system", "time", "expectations", "analysis"] {
        assert!(!page.contains(&format!("<section id=\"{anchor}\"")), "{anchor}");
    }
}

#[test]
fn charts_tell_their_values_where_a_reader_points() {
    let page = page(&single());
    assert!(page.contains("<title>simulated time = 60 s\nshoppers latency p95: "), "no values");
    assert!(page.matches("class=\"strips\"").count() >= 6);
    // Each chart is drawn wide and narrow.
    assert_eq!(page.matches("<div class=\"wide\">").count(), page.matches("<div class=\"narrow\">").count());
}

#[test]
fn blocks_of_time_add_up_to_the_whole() {
    let page = page(&single());
    for flame in page.split("<div class=\"flame\"").skip(1) {
        for row in flame.split("<div class=\"row\">").skip(2).take(2) {
            let row = row.split("</div>").next().unwrap();
            let widths =
                row.split("width:").skip(1).map(|rest| rest.split('%').next().unwrap().parse::<f64>().unwrap());
            let sum: f64 = widths.sum();
            assert!((sum - 100.0).abs() < 0.01, "{sum}: {row}");
        }
    }
}

#[test]
fn the_verdicts_the_command_and_the_files_are_stated() {
    let page = page(&single());
    assert!(page.contains("1 of 2 expectations held; 1 failed."));
    assert!(page.contains("scalelab run experiments/single.yaml"));
    assert!(page.contains("00000000000000ff"));
    assert!(page.contains("M/M/1: 1/(µ−λ)"));
}

#[test]
fn text_of_a_study_cannot_become_markup() {
    let page = page(&hostile());
    assert!(!page.contains("<script>alert") && !page.contains("<b>a") && page.contains("&lt;script&gt;alert(1)"));
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains('\u{202e}') && !page.contains('\u{1b}'));
}

#[test]
fn every_color_of_a_chart_has_a_dark_twin() {
    let page = page(&sweep_with_plots());
    let twins: Vec<String> = crate::report::chart::dark_twins().into_iter().map(|twin| twin.0).collect();
    let body = page.split("<main").nth(1).unwrap();
    for chart in body.split("class=\"chart\"").skip(1) {
        let chart = chart.split("</svg>").next().unwrap();
        for color in chart.split("=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            let color = format!("#{}", color.to_lowercase());
            assert!(color == "#fff" || twins.contains(&color), "{color}");
        }
    }
}

#[test]
fn prose_has_paragraphs_lists_and_code() {
    let text = "One `a < b`.\nStill one.\n\n- first\n- second `x\n\nLast.";
    assert_eq!(
        page::prose(text),
        "<p>One <code>a &lt; b</code>. Still one.</p>\n<ul><li>first</li><li>second `x</li></ul>\n<p>Last.</p>\n"
    );
}

/// What was found out about the only point: its workers bind.
fn insight(study: &Study) -> Insight {
    let lever = |resource: &str, class: Class| Lever {
        key: format!("services.shop.{resource}"),
        part: "shop".to_owned(),
        resource: resource.to_owned(),
        name: format!("{resource} of shop <b>"),
        class,
        kind: LeverKind::Capacity,
    };
    let effect = |resource: &str, gain: f64, judgement: Judgement| Effect {
        lever: lever(resource, Class::Pool),
        change: Change::Double,
        from: "64".to_owned(),
        to: "128".to_owned(),
        factor: 2.0,
        ratio: Some(Ratio { mean: 1.0 - gain, low: 0.95 - gain, high: 1.05 - gain }),
        gain,
        p: 0.001,
        judgement,
        runs: Vec::new(),
        values: Vec::new(),
        variance_reduction: Some(12.0),
        price: None,
    };
    let effects = vec![effect("workers", 0.5, Judgement::Better), effect("cpu", 0.0, Judgement::NoDifference)];
    let sentence = Sentence {
        topic: Topic::Bottleneck,
        text: "The workers of shop are the bottleneck.".to_owned(),
        figures: vec![Figure { source: "shop.workers.utilization".to_owned(), value: 0.5, unit: Unit::Share }],
    };
    Insight {
        variant: String::new(),
        levels: Vec::new(),
        place: String::new(),
        metric: "shoppers.latency.mean".to_owned(),
        unit: Unit::Seconds,
        higher_is_better: false,
        why_metric: "All requests are answered.".to_owned(),
        baseline: None,
        run: study.run,
        stations: vec![StationFacts {
            part: "shop".to_owned(),
            station: "workers".to_owned(),
            capacity: Some(192.0),
            utilization: 0.5,
            utilization_worst: 0.55,
            queue: 1.25,
            wait: Some(0.002),
            throughput: Some(450.0),
            refused: None,
            service: Some(0.2),
            demand: Some(0.2),
            most: Some(960.0),
            residual: Some(0.0001),
            waiting_share: 0.2,
            waiting_share_slowest: 0.4,
        }],
        bounds: Some(Bounds { station: "shop.workers".to_owned(), most: 960.0, saturation: 192.0, unloaded: 0.2 }),
        relief: vec![Relief {
            lever: lever("workers", Class::Pool),
            to: "128".to_owned(),
            value: None,
            effects: effects.clone(),
            stations: Vec::new(),
        }],
        effects,
        verdict: Conclusion {
            class: Some(Class::Pool),
            bottleneck: Some("shop.workers".to_owned()),
            confidence: Some(0.99),
            sentences: vec![sentence],
        },
        not_varied: vec!["think time".to_owned()],
    }
}

#[test]
fn a_verdict_stands_with_its_figures_its_chart_and_its_mark_in_the_diagram() {
    let mut study = single();
    study.insights = vec![insight(&study)];
    let page = page(&study);
    check_nesting(&page);
    assert!(page.contains("The workers of shop are the bottleneck."));
    assert!(page.contains("shop.workers.utilization: 50 %</small>"));
    assert!(page.contains("▼ the bottleneck: pool-bound"));
    assert!(page.contains("<section id=\"what-if\"") && page.contains("<section id=\"laws\""));
    assert!(page.contains("+50 %") && page.contains("no difference") && page.contains("workers of shop &lt;b&gt;"));
    assert!(page.contains("answers more than 960/s"));
}

#[test]
fn the_checklist_answers_ten_questions_from_the_runs_or_calls_them_open() {
    let mut study = single();
    study.insights = vec![insight(&study)];
    let answers = |study: &Study| {
        let page = page(study);
        let list = page.split("<ol class=\"checklist\">").nth(1).expect("there is a checklist").to_owned();
        let list = list.split("</ol>").next().unwrap_or_default().to_owned();
        list.split("<li>").skip(1).map(str::to_owned).collect::<Vec<String>>()
    };
    let fixed = answers(&study);
    assert_eq!(fixed.len(), 10);
    assert!(
        fixed.iter().all(|answer| answer.split("</strong>").nth(1).is_some_and(|words| words.len() > 20)),
        "{fixed:?}"
    );
    assert!(fixed[0].contains("The workers of shop are the bottleneck."));
    assert!(fixed[7].contains("Open: the number of instances was fixed"), "{}", fixed[7]);
    assert!(fixed[9].contains("shop.workers allows 960/s"), "{}", fixed[9]);

    // A fleet, and levers of its autoscaler.
    study.columns.push(MetricName { name: "shop.instances.wanted".to_owned(), unit: Unit::Count });
    let mut delay = study.insights[0].effects[0].clone();
    delay.lever.key = "services.shop.autoscaler.max".to_owned();
    delay.lever.name = "most instances of shop".to_owned();
    study.insights[0].effects.push(delay);
    study.systems[0].parts[1].scaled = Some((3, 20));
    let scaled = answers(&study);
    assert!(scaled[7].contains("Instances come and go at shop"), "{}", scaled[7]);
    assert!(scaled[7].contains("Most instances of shop 64 → 128: better, gain 50 %"), "{}", scaled[7]);
    assert!(scaled[4].contains("shop (3 to 20 instances): round robin"), "{}", scaled[4]);
}
