//! Whole reports from studies made by hand.

mod studies;

use studies::{CAPACITIES, KEY, empty, plot, two_factors};
pub(super) use studies::{hostile, overloaded, single, sweep, sweep_with_plots, system, variants};

use super::chart::{Chart, Layer, Role, Scale, to_png, to_svg};
use super::plots::{attributions, charts};
use super::table::terminal;
use crate::measure::Kind;
use crate::spec::experiment_file::{PlotSpec, Scalar};
use crate::study::Study;
use crate::study::Theory;
use crate::study::{Course, CourseAccount};

pub(super) fn all() -> Vec<Study> {
    vec![sweep(), sweep_with_plots(), variants(), single(), overloaded(), hostile(), two_factors(), empty("none", 5)]
}

#[test]
fn every_chart_of_every_study_is_drawn_under_a_name_of_its_own() {
    for study in all() {
        let charts = charts(&study).unwrap();
        for (index, (stem, chart)) in charts.iter().enumerate() {
            let svg = to_svg(chart).unwrap_or_else(|error| panic!("{stem}: {error}"));
            assert!(!to_png(&svg).unwrap().is_empty());
            assert!(stem.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{stem}");
            assert!(charts[..index].iter().all(|(other, _)| other != stem), "{stem}");
            assert!(chart.caption.contains("scalelab") && !chart.subtitle.is_empty());
        }
    }
}

fn lines(chart: &Chart) -> Vec<(&str, Option<Role>)> {
    chart
        .layers
        .iter()
        .filter_map(|layer| match layer {
            Layer::Line(line) => Some((line.name.as_str(), line.color)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_variant_has_one_color_in_all_charts() {
    let charts = charts(&sweep_with_plots()).unwrap();
    let expected: Vec<(&str, Option<Role>)> =
        CAPACITIES.iter().enumerate().map(|(index, (name, _))| (*name, Some(Role::Series(index)))).collect();
    let drawn: Vec<_> = charts.iter().map(|(_, chart)| lines(chart)).filter(|lines| !lines.is_empty()).collect();
    assert_eq!(drawn.len(), 5);
    assert!(drawn.iter().all(|lines| *lines == expected), "{drawn:?}");
}

#[test]
fn axes_slos_knees_and_overloads_are_stated() {
    let charts = charts(&sweep_with_plots()).unwrap();
    let first = &charts[0].1;
    assert_eq!((first.y.unit.as_str(), first.y.range), ("ms", Some((0.0, 600.0))));
    assert!(first.layers.contains(&Layer::HorizontalRule { y: 200.0, label: "SLO 200 ms".to_owned() }));
    let knees = first.layers.iter().filter(|layer| matches!(layer, Layer::VerticalRule { .. })).count();
    // Two of the three lines bend at the same level.
    assert_eq!(knees, 2);
    for part in ["Knee: the last x", "Overloaded points are shown", "scalelab run experiments/scaling.yaml · seed 1"] {
        assert!(first.caption.contains(part), "{}", first.caption);
    }
    assert!(first.subtitle.contains("mean of 5 replications, 95 % interval"));
    let warm_up = |layer: &Layer| matches!(layer, Layer::Region { x0: 0.0, x1: 10.0, label } if label == "warm-up");
    assert!(charts[4].1.layers.iter().any(warm_up));
    assert_eq!(two_factors_first().x.scale, Scale::Log);
}

fn two_factors_first() -> Chart {
    charts(&two_factors()).unwrap().swap_remove(0).1
}

#[test]
fn a_stack_is_as_high_as_the_mean_response_time() {
    let study = sweep_with_plots();
    let charts = charts(&study).unwrap();
    let areas: Vec<&Chart> = charts
        .iter()
        .map(|(_, chart)| chart)
        .filter(|chart| matches!(chart.layers[0], Layer::StackedArea { .. }))
        .collect();
    assert_eq!(areas.len(), 3);
    assert!(areas.iter().all(|chart| chart.y.range == areas[0].y.range));
    let Layer::StackedArea { series, .. } = &areas[0].layers[0] else { panic!("an area") };
    let scale = if areas[0].y.unit == "ms" { 1e3 } else { 1.0 };
    let first: f64 = series.iter().map(|part| part.values[0]).sum();
    let mean = study.points[0].estimates[2].unwrap().mean * scale;
    // The sums run in different orders.
    assert!((first - mean).abs() < 1e-9 * mean, "{first} {mean}");
}

#[test]
fn a_plot_of_something_unknown_names_the_nearest() {
    let failing = |plot: PlotSpec| {
        let mut study = sweep();
        study.plots = vec![plot];
        charts(&study).unwrap_err().to_string()
    };
    let error = failing(plot("shoppers.latency.p59", None));
    assert!(error.starts_with("plot 1 (y: shoppers.latency.p59): no metric is named `shoppers.latency.p59`"));
    assert!(error.contains("`shoppers.latency.p95`"), "{error}");
    assert!(failing(plot("shopers", Some("distribution"))).contains("`shoppers`"));
    assert!(failing(plot("shopers", Some("attribution"))).contains("`shoppers`"));
    assert!(failing(plot("shoppers.goodputs", Some("time"))).contains("`shoppers.goodput`"));
    assert!(failing(plot("shoppers.goodput", Some("variants"))).contains("`variant`"));
    let by = PlotSpec { by: Some("clients.shopper".to_owned()), ..plot("shoppers.goodput", None) };
    assert!(failing(by).contains(KEY));
    let bound = PlotSpec { slo: Some(Scalar::Number(200.0)), ..plot("shoppers.latency.p95", None) };
    assert!(failing(bound).contains("slo: "));
}

#[test]
fn no_line_of_the_terminal_is_wider_than_asked() {
    for study in all() {
        for width in [80, 100, 120, 160] {
            let text = terminal(&study, width, false);
            for line in text.lines() {
                assert!(line.chars().count() <= width, "{} at {width}: {line}", study.experiment);
                assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
            }
        }
        terminal(&study, 0, true);
    }
}

/// Without the lines' indentation in this file.
fn unindented(text: &str) -> String {
    text.lines().skip(1).map(|line| format!("{}\n", line.strip_prefix("        ").unwrap_or(line))).collect()
}

#[test]
fn few_points_stand_side_by_side() {
    let expected = unindented(
        "
        At twice the traffic, is it better to double the machine or the number of
        machines?
        Prediction: The shop waits for its workers, so bigger machines change nothing.

                                     as is             vertical           horizontal
         ───────────────────────────────────────────────────────────────────────────
         offered                800 ± 20/s           800 ± 12/s            800 ± 6/s
         goodput                800 ± 20/s           800 ± 12/s            800 ± 6/s
         latency mean           220 ± 4 ms        91.4 ± 1.4 ms        40.0 ± 0.3 ms
         latency p50            156 ± 3 ms        66.4 ± 1.0 ms        30.8 ± 0.2 ms
         latency p95           639 ± 13 ms           254 ± 4 ms        99.9 ± 0.8 ms
         latency p99           980 ± 20 ms           385 ± 6 ms       148.2 ± 1.2 ms
         failures                      0 %                  0 %                  0 %
         busiest       shop.workers 88.9 %  shop.workers 74.1 %  shop.workers 44.4 %
         Means of 10 replications with 95 % intervals; 60 s measured, seed 1.

        Where the time of successful requests goes
         as is       mean        shop.workers waiting 64 %, shop.db waiting 18 %,
                                 shop.cpu waiting 9 %, shop.cpu service 5 %
                     slowest 5 % shop.workers waiting 68 %, shop.db waiting 19 %,
                                 shop.cpu waiting 10 %, shop.cpu service 2 %
         vertical    mean        shop.workers waiting 55 %, shop.db waiting 16 %,
                                 shop.cpu service 13 %, shop.wait service 9 %
                     slowest 5 % shop.workers waiting 65 %, shop.db waiting 19 %,
                                 shop.cpu waiting 9 %, shop.cpu service 4 %
         horizontal  mean        shop.workers waiting 35 %, shop.cpu service 30 %,
                                 shop.wait service 20 %, shop.db waiting 10 %
                     slowest 5 % shop.workers waiting 55 %, shop.db waiting 16 %,
                                 shop.cpu service 13 %, shop.wait service 9 %

        Expectations: 1 failed
         ✗ failed    shoppers.goodput of horizontal at least 1.8 times vertical
            measured 1.00 ± 0.02

        Warning
          ! horizontal: the warm-up looks too short for shoppers.latency.p95

        Assumed, as the files do not say: shop: unlimited memory; shop: no network
        latency.
",
    );
    assert_eq!(terminal(&variants(), 80, false), expected);
}

#[test]
fn many_points_are_rows_and_overloaded_ones_are_marked() {
    let expected = unindented(
        "
        At twice the traffic, is it better to double the machine or the number of
        machines?
        Prediction: The shop waits for its workers, so bigger machines change nothing.

         variant       rate     goodput     latency p95  failures              busiest
         ─────────────────────────────────────────────────────────────────────────────
         as is        200/s       200/s  125.5 ± 0.6 ms       0 %  shop.workers 22.2 %
         as is        400/s       400/s  159.8 ± 1.3 ms       0 %  shop.workers 44.4 %
         as is        600/s       600/s      240 ± 3 ms       0 %  shop.workers 66.7 %
         as is        800/s       800/s     639 ± 13 ms       0 %  shop.workers 88.9 %
         as is       1000/s  ▲    900/s   5.97 ± 0.14 s      10 %   shop.workers 100 %
         as is       1200/s  ▲    900/s   5.97 ± 0.14 s      25 %   shop.workers 100 %
         as is       1400/s  ▲    900/s   5.97 ± 0.14 s    35.7 %   shop.workers 100 %
         as is       1600/s  ▲    900/s   5.97 ± 0.14 s    43.8 %   shop.workers 100 %
         vertical     200/s       200/s  108.0 ± 0.5 ms       0 %  shop.workers 18.5 %
         vertical     400/s       400/s  128.1 ± 0.9 ms       0 %    shop.workers 37 %
         vertical     600/s       600/s      165 ± 2 ms       0 %  shop.workers 55.6 %
         vertical     800/s       800/s      254 ± 4 ms       0 %  shop.workers 74.1 %
         vertical    1000/s      1000/s     790 ± 20 ms       0 %  shop.workers 92.6 %
         vertical    1200/s  ▲   1080/s   5.97 ± 0.14 s      10 %   shop.workers 100 %
         vertical    1400/s  ▲   1080/s   5.97 ± 0.14 s    22.9 %   shop.workers 100 %
         vertical    1600/s  ▲   1080/s   5.97 ± 0.14 s    32.5 %   shop.workers 100 %
         horizontal   200/s       200/s   77.4 ± 0.3 ms       0 %  shop.workers 11.1 %
         horizontal   400/s       400/s   82.8 ± 0.4 ms       0 %  shop.workers 22.2 %
         horizontal   600/s       600/s   89.9 ± 0.6 ms       0 %  shop.workers 33.3 %
         horizontal   800/s       800/s   99.9 ± 0.8 ms       0 %  shop.workers 44.4 %
         horizontal  1000/s      1000/s  114.9 ± 1.2 ms       0 %  shop.workers 55.6 %
         horizontal  1200/s      1200/s      140 ± 2 ms       0 %  shop.workers 66.7 %
         horizontal  1400/s      1400/s      190 ± 3 ms       0 %  shop.workers 77.8 %
         horizontal  1600/s      1600/s      340 ± 7 ms       0 %  shop.workers 88.9 %
         Not shown for lack of room: latency mean, offered, latency p50, latency p99,
         the interval of goodput, the interval of failures; a wider terminal or
         points.csv has them.
         ▲ as is, rate = 1000/s: overloaded: the backlog of shoppers grows at 100/s
         ▲ vertical, rate = 1200/s: overloaded: the backlog of shoppers grows at 120/s
           and 5 further overloaded points, marked ▲
         Means of 5 replications with 95 % intervals; 60 s measured, seed 1.

        Where the time of successful requests goes, at rate = 1600/s
         as is       mean        shop.workers waiting 69 %, shop.db waiting 20 %,
                                 shop.cpu waiting 10 %, shop.cpu service 1 %
                     slowest 5 % shop.workers waiting 70 %, shop.db waiting 20 %,
                                 shop.cpu waiting 10 %
         vertical    mean        shop.workers waiting 69 %, shop.db waiting 20 %,
                                 shop.cpu waiting 10 %, shop.cpu service 1 %
                     slowest 5 % shop.workers waiting 70 %, shop.db waiting 20 %,
                                 shop.cpu waiting 10 %
         horizontal  mean        shop.workers waiting 58 %, shop.db waiting 17 %,
                                 shop.cpu service 10 %, shop.cpu waiting 8 %
                     slowest 5 % shop.workers waiting 66 %, shop.db waiting 19 %,
                                 shop.cpu waiting 9 %, shop.cpu service 3 %

        Expectations: 12 held, 12 failed
         ✗ failed    shoppers.latency.p95 below 200 ms: 12 held, 12 failed of 24 points
            ✗ as is, rate = 600/s: measured 240 ± 3 ms
            ✗ as is, rate = 800/s: measured 639 ± 13 ms
            ✗ as is, rate = 1000/s: measured 5.97 ± 0.14 s
            ✗ as is, rate = 1200/s: measured 5.97 ± 0.14 s
              and 8 more such points
",
    );
    assert_eq!(terminal(&sweep(), 80, false), expected);
}

#[test]
fn a_single_point_is_a_list() {
    let expected = unindented(
        "
        At twice the traffic, is it better to double the machine or the number of
        machines?
        Prediction: The shop waits for its workers, so bigger machines change nothing.

         offered               450 ± 4/s
         goodput               450 ± 4/s
         latency mean      64.4 ± 0.6 ms
         latency p50       47.7 ± 0.4 ms
         latency p95          173 ± 2 ms
         latency p99          261 ± 2 ms
         failures                    0 %
         busiest       shop.workers 50 %
         Means of 5 replications with 95 % intervals; 60 s measured, seed 1.

        Where the time of successful requests goes
         mean        shop.workers waiting 48 %, shop.cpu service 19 %,
                     shop.db waiting 14 %, shop.wait service 12 %
         slowest 5 % shop.workers waiting 62 %, shop.db waiting 18 %,
                     shop.cpu waiting 9 %, shop.cpu service 7 %

        Expectations: 1 held, 1 failed
         ✓ held      shoppers.latency.mean equals 80 ms within 5 %
            measured 81.0 ms ± 0.9 ms, expected 80 ms (M/M/1: 1/(µ−λ)), +1.25 %
         ✗ failed    shoppers.latency.p95 below 200 ms
            measured 243 ms ± 3 ms",
    );
    assert_eq!(terminal(&single(), 80, false), expected);
}

#[test]
fn color_changes_nothing_but_colors() {
    for study in all() {
        let colored = terminal(&study, 100, true);
        let mut plain = String::new();
        for (index, piece) in colored.split("\u{1b}[").enumerate() {
            plain.push_str(if index == 0 { piece } else { piece.split_once('m').map_or("", |(_, rest)| rest) });
        }
        let trimmed: String = plain.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        assert_eq!(trimmed, terminal(&study, 100, false));
    }
}

/// Renders every chart into the folder named by `SCALELAB_GALLERY` and prints every table, to be looked at.
#[test]
#[ignore = "for people to look at"]
fn gallery() {
    let Ok(folder) = std::env::var("SCALELAB_GALLERY") else { return };
    for study in all() {
        for width in [80, 120] {
            println!("{}", terminal(&study, width, false));
        }
        for (stem, chart) in charts(&study).unwrap() {
            let name: String = study.experiment.chars().filter(char::is_ascii_alphanumeric).collect();
            let prefix = if study.plots.is_empty() { "default" } else { "plots" };
            let path = format!("{folder}/{name}-{prefix}-{stem}.png");
            std::fs::write(path, to_png(&to_svg(&chart).unwrap()).unwrap()).unwrap();
        }
    }
}

#[test]
fn a_closed_form_is_drawn_dashed_beside_its_line() {
    let mut study = sweep();
    let theory = |level: usize| Theory {
        variant: "vertical".to_owned(),
        levels: vec![level],
        formula: "M/M/1".to_owned(),
        values: vec![("shoppers.latency.p95".to_owned(), 0.1 + 0.01 * level as f64)],
    };
    study.theories = vec![theory(1), theory(0)];
    let charts = charts(&study).unwrap();
    let reference = charts[0].1.layers.iter().find_map(|layer| match layer {
        Layer::Line(line) if line.color == Some(Role::Reference) => Some(line),
        _ => None,
    });
    let reference = reference.expect("the formula is drawn");
    assert_eq!(reference.name, "M/M/1");
    assert_eq!(reference.points.len(), 2);
    assert!((reference.points[1].1 / reference.points[0].1 - 1.1).abs() < 1e-9, "{:?}", reference.points);
}

#[test]
fn where_time_goes_is_drawn_over_simulated_time_where_that_was_recorded() {
    let mut study = single();
    assert!(attributions(&study).unwrap().is_empty());
    let account = |resource: &str, kind: Kind, mean: f64| CourseAccount {
        part: "shop".to_owned(),
        resource: resource.to_owned(),
        kind,
        means: vec![Some(mean), None, Some(2.0 * mean)],
    };
    study.points[0].courses = vec![Course {
        client: "shoppers".to_owned(),
        accounts: vec![account("workers", Kind::Waiting, 0.03), account("cpu", Kind::Service, 0.01)],
    }];
    let charts = attributions(&study).unwrap();
    let Layer::StackedArea { xs, series } = &charts[0].1.layers[0] else { panic!("{:?}", charts[0].1.layers) };
    assert_eq!(xs, &[1.0, 2.0, 3.0]);
    let sums: Vec<f64> = (0..3).map(|step| series.iter().map(|series| series.values[step]).sum()).collect();
    assert!((sums[0] - 40.0).abs() < 1e-9 && sums[1] == 0.0 && (sums[2] - 80.0).abs() < 1e-9, "{sums:?}");
}
