//! What a chart says: data only, no pixels.

use serde::{Deserialize, Serialize};

/// How values map to distance on an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Equal distances are equal differences.
    #[default]
    Linear,
    /// Equal distances are equal ratios. Values at or below zero cannot be shown and are counted in a note.
    Log,
}

/// One axis: what it measures, in which unit, over which range.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Axis {
    /// The quantity, without unit: "response time p95".
    pub label: String,
    /// The unit as printed in brackets: "ms". Empty for none.
    pub unit: String,
    /// Linear or logarithmic.
    pub scale: Scale,
    /// Fixed (lowest, highest) value in the axis' unit. None: chosen from the data and rounded to ticks.
    pub range: Option<(f64, f64)>,
    /// Names of equally spaced places instead of numbers. A layer's x is then the index, from 0. On the y axis only for cells.
    pub categories: Option<Vec<String>>,
}

impl Axis {
    /// A linear axis with an automatic range.
    pub fn linear(label: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { label: label.into(), unit: unit.into(), ..Self::default() }
    }

    /// A logarithmic axis with an automatic range.
    pub fn log(label: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { scale: Scale::Log, ..Self::linear(label, unit) }
    }

    /// An axis of named places.
    pub fn categories<S: Into<String>>(label: impl Into<String>, names: impl IntoIterator<Item = S>) -> Self {
        Self { categories: Some(names.into_iter().map(Into::into).collect()), ..Self::linear(label, "") }
    }

    /// The same axis with a fixed range, in its unit.
    #[must_use]
    pub fn with_range(mut self, lowest: f64, highest: f64) -> Self {
        self.range = Some((lowest, highest));
        self
    }
}

/// What a color stands for. The palette maps roles to colors, so that one variant keeps its color in every chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The series with this number, from 0; wraps after eight.
    Series(usize),
    /// Context that should recede: closed forms, baselines.
    Reference,
    /// What the reader should look at first.
    Emphasis,
}

/// The dash pattern of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stroke {
    /// No gaps.
    Solid,
    /// Long dashes.
    Dashed,
    /// Short dots.
    Dotted,
}

/// A curve through points in the given order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Line {
    /// Written at the line's end. Empty: no label.
    pub name: String,
    /// (x, y) in the axes' units. A y that is not finite breaks the line.
    pub points: Vec<(f64, f64)>,
    /// (x, lower, upper) in the axes' units, drawn as a translucent band behind the line.
    pub band: Vec<(f64, f64, f64)>,
    /// (x, y, whether upwards) in the axes' units: something happened there that made more or less of it, drawn as a triangle.
    pub events: Vec<(f64, f64, bool)>,
    /// None: solid for the first four series, then dashed, then dotted.
    pub stroke: Option<Stroke>,
    /// Whether each point is marked.
    pub markers: bool,
    /// Whether y holds until the next x (counts, distribution functions) instead of being interpolated.
    pub step: bool,
    /// None: the next color of the palette.
    pub color: Option<Role>,
}

impl Line {
    /// A solid line in the next color.
    pub fn new(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), points, ..Self::default() }
    }

    /// A dashed grey line: a closed form or a baseline drawn over the results.
    pub fn reference(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { stroke: Some(Stroke::Dashed), color: Some(Role::Reference), ..Self::new(name, points) }
    }

    /// The same line with a band of (x, lower, upper).
    #[must_use]
    pub fn with_band(mut self, band: Vec<(f64, f64, f64)>) -> Self {
        self.band = band;
        self
    }

    /// The same line with a mark at each point.
    #[must_use]
    pub fn with_markers(mut self) -> Self {
        self.markers = true;
        self
    }

    /// The same line as a staircase.
    #[must_use]
    pub fn with_steps(mut self) -> Self {
        self.step = true;
        self
    }
}

/// Unconnected points, optionally with intervals: a dot plot or a scatter plot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Points {
    /// Written beside the last point. Empty: no label.
    pub name: String,
    /// (x, y) in the axes' units.
    pub points: Vec<(f64, f64)>,
    /// (lower, upper) for each point in the y axis' unit, or empty.
    pub intervals: Vec<(f64, f64)>,
    /// None: the next color of the palette.
    pub color: Option<Role>,
}

/// One named row of values of a bar or stack layer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Series {
    /// The name in the key or beside the stack.
    pub name: String,
    /// One value for each category or x, in the y axis' unit. Not finite: nothing is drawn there.
    pub values: Vec<f64>,
    /// (lower, upper) for each value, drawn as whiskers; or empty. Only for grouped bars.
    pub intervals: Vec<(f64, f64)>,
    /// None: the next color of the palette.
    pub color: Option<Role>,
}

impl Series {
    /// A row of values in the next color.
    pub fn new(name: impl Into<String>, values: Vec<f64>) -> Self {
        Self { name: name.into(), values, ..Self::default() }
    }
}

/// One thing drawn in the plot. Later layers lie over earlier ones of the same kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// A curve.
    Line(Line),
    /// Unconnected points.
    Points(Points),
    /// Bars side by side in each category, with optional whiskers.
    Bars(Vec<Series>),
    /// Parts of a whole, one bar for each category. Negative values count as zero.
    StackedBars(Vec<Series>),
    /// Parts of a whole over a numeric x. Negative values count as zero.
    StackedArea {
        /// Increasing x of each value.
        xs: Vec<f64>,
        /// The parts, lowest first.
        series: Vec<Series>,
    },
    /// A colored cell for each pair of categories of both axes, with its value in words. Dark is much.
    Cells {
        /// Rows from the lowest y category to the highest, each with a value per x category; not finite: nothing known.
        values: Vec<Vec<f64>>,
        /// What is written in each cell.
        texts: Vec<Vec<String>>,
        /// The value that gets the darkest color; 0 gets the lightest.
        most: f64,
    },
    /// A labeled horizontal line: a SLO, a capacity.
    HorizontalRule {
        /// Where, in the y axis' unit.
        y: f64,
        /// What it means.
        label: String,
    },
    /// A labeled vertical line: a knee, an event.
    VerticalRule {
        /// Where, in the x axis' unit.
        x: f64,
        /// What it means.
        label: String,
    },
    /// A labeled shaded span of x: a fault, the warm-up.
    Region {
        /// Start, in the x axis' unit.
        x0: f64,
        /// End, in the x axis' unit.
        x1: f64,
        /// What happens there.
        label: String,
    },
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chart {
    /// The finding or the question. At most two lines are shown.
    pub title: String,
    /// How to read it: "mean of 10 replications, 95 % interval". At most two lines are shown.
    pub subtitle: String,
    /// Source, command and version, in small grey below. At most three lines are shown.
    pub caption: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn.
    pub layers: Vec<Layer>,
    /// Width in CSS pixels, 240 to 4000.
    pub width: u32,
    /// Height in CSS pixels, 160 to 4000.
    pub height: u32,
}

impl Default for Chart {
    fn default() -> Self {
        Self {
            title: String::new(),
            subtitle: String::new(),
            caption: String::new(),
            x: Axis::default(),
            y: Axis::default(),
            layers: Vec::new(),
            width: 760,
            height: 460,
        }
    }
}
