//! Whole charts, from data to bytes.

use resvg::usvg;

use super::*;

fn parses(svg: &str) {
    usvg::Tree::from_str(svg, &usvg::Options::default()).expect("valid SVG");
}

fn with(layers: Vec<Layer>, scale: Scale) -> Chart {
    let axis = |label: &str| Axis { scale, ..Axis::linear(label, "s") };
    Chart { title: "Any".into(), x: axis("x"), y: axis("y"), layers, ..Chart::default() }
}

#[test]
fn the_same_chart_gives_the_same_bytes() {
    let points: Vec<(f64, f64)> = (1..90).map(|i| (f64::from(i), libm::sqrt(f64::from(i)))).collect();
    let band = points.iter().map(|p| (p.0, p.1 * 0.9, p.1 * 1.1)).collect();
    let line = Line::new("a", points).with_band(band).with_markers();
    let chart = with(vec![Layer::Line(line)], Scale::Linear);
    let (one, two) = (to_svg(&chart).unwrap(), to_svg(&chart).unwrap());
    assert_eq!(one, two);
    assert_eq!(to_png(&one).unwrap(), to_png(&two).unwrap());
}

#[test]
fn text_becomes_outlines_while_title_and_description_stay_text_and_are_escaped() {
    let mut chart = with(vec![Layer::Line(Line::new("a<b & \"c\"", vec![(0.0, 1.0), (1.0, 2.0)]))], Scale::Linear);
    chart.title = "<script>x</script> & \u{1}co".into();
    let svg = to_svg(&chart).unwrap();
    parses(&svg);
    assert!(!svg.contains("<text") && !svg.contains("<script"));
    assert!(svg.contains("<title>&lt;script&gt;x&lt;/script&gt; &amp; co</title>"));
    assert!(svg.contains("a&lt;b &amp; "));
}

#[test]
fn a_line_that_runs_along_another_lets_it_show_through() {
    let line = |name: &str, by: f64| {
        Layer::Line(Line::new(name, (0..20).map(|i| (f64::from(i), f64::from(i) + by)).collect()).with_markers())
    };
    // A dashed line is many short paths.
    let paths = |layers| to_svg(&with(layers, Scale::Linear)).unwrap().matches("<path").count();
    let apart = paths(vec![line("a", 0.0), line("b", 10.0)]);
    assert!(paths(vec![line("a", 0.0), line("b", 0.0)]) > apart + 10);
    assert!(paths(vec![line("a", 0.0), line("b", 9.0)]) < apart + 10);
}

#[test]
fn degenerate_data_gives_a_valid_picture() {
    let sets: Vec<Vec<(f64, f64)>> = vec![
        vec![],
        vec![(1.0, 1.0)],
        vec![(0.0, 0.0), (0.0, 0.0)],
        vec![(1.0, 5.0), (2.0, 5.0), (3.0, 5.0)],
        vec![(1.0, f64::NAN), (f64::NAN, 1.0), (f64::INFINITY, f64::NEG_INFINITY)],
        vec![(1e-300, 1e-300), (2e-300, 2e-300)],
        vec![(-1e308, 1e308), (1e308, -1e308), (1.0, 1.0)],
        vec![(1e300, 1e300), (-1e300, -1e300)],
        vec![(1e9, 1e9), (1e9 + 1e-6, 1e9 + 1e-6)],
        vec![(5e-324, 5e-324), (1.0, 0.0), (2.0, -1.0)],
    ];
    for points in sets {
        for scale in [Scale::Linear, Scale::Log] {
            let band = points.iter().map(|p| (p.0, p.1 - 1.0, p.1 * 2.0)).collect();
            let line = Line::new("line", points.clone()).with_band(band).with_markers();
            let dots = Points {
                name: "dots".into(),
                points: points.clone(),
                intervals: vec![(f64::NAN, 1.0); points.len()],
                color: None,
            };
            let layers = vec![
                Layer::Line(line.clone().with_steps()),
                Layer::Line(line),
                Layer::Points(dots),
                Layer::HorizontalRule { y: f64::NAN, label: "never".into() },
                Layer::VerticalRule { x: 0.0, label: String::new() },
                Layer::Region { x0: 3.0, x1: -3.0, label: "back to front".into() },
            ];
            parses(&to_svg(&with(layers, scale)).unwrap());
        }
    }
}

#[test]
fn bars_and_stacks_without_usable_values_give_a_valid_picture() {
    for values in [vec![0.0, 0.0], vec![f64::NAN, -3.0], vec![1e300, 1e300]] {
        for count in [1, 2, 12] {
            let rows: Vec<Series> = (0..count).map(|_| Series::new("row", values.clone())).collect();
            for layer in [Layer::Bars(rows.clone()), Layer::StackedBars(rows.clone())] {
                let x = Axis::categories("kind", ["a", "a very long name that must wrap or be cut"]);
                let chart = Chart { x, layers: vec![layer], ..Chart::default() };
                parses(&to_svg(&chart).unwrap());
            }
            let layer = Layer::StackedArea { xs: vec![0.0, 1.0], series: rows };
            parses(&to_svg(&with(vec![layer], Scale::Linear)).unwrap());
        }
    }
}

#[test]
fn what_cannot_be_drawn_is_refused_with_the_field_named() {
    let bars = with(vec![Layer::Bars(vec![Series::new("a", vec![1.0])])], Scale::Linear);
    let mut range = with(Vec::new(), Scale::Linear);
    range.y.range = Some((2.0, 1.0));
    let mut log = with(Vec::new(), Scale::Log);
    log.x.range = Some((0.0, 1.0));
    let size = Chart { width: 0, ..Chart::default() };
    for (chart, field) in [(bars, "x.categories"), (range, "y.range"), (log, "x.range"), (size, "width")] {
        let error = to_svg(&chart).unwrap_err();
        assert!(matches!(error, ChartError::Invalid(_)));
        assert!(error.to_string().contains(field), "{error}");
    }
    assert!(to_png("not a picture").is_err());
}

#[test]
fn lost_values_are_counted_in_the_description() {
    let line = Line::new("a", vec![(1.0, 0.0), (2.0, 10.0), (3.0, 5000.0)]);
    let mut chart = with(vec![Layer::Line(line)], Scale::Log);
    chart.y.range = Some((1.0, 100.0));
    let svg = to_svg(&chart).unwrap();
    assert!(svg.contains("1 value at or below zero on the log scale of y is not shown"));
    assert!(svg.contains("off scale, up to 5000 s"));
}

#[test]
fn thirty_series_in_the_smallest_chart_still_draw() {
    let layers = (0..30).map(|i| Layer::Line(Line::new(format!("series {i}"), vec![(0.0, f64::from(i)), (1.0, 1.0)])));
    let mut chart = with(layers.collect(), Scale::Linear);
    (chart.width, chart.height) = (240, 160);
    chart.title = "A title ".repeat(40);
    parses(&to_svg(&chart).unwrap());
}

#[test]
fn a_picture_has_two_pixels_for_each_css_pixel() {
    let png = to_png(&to_svg(&Chart::default()).unwrap()).unwrap();
    let side = |at: usize| u32::from_be_bytes([png[at], png[at + 1], png[at + 2], png[at + 3]]);
    assert_eq!((side(16), side(20)), (1520, 920));
}
