//! The charts, each wide and narrow.

use std::fmt::Write as _;

use super::page::{Page, text};
use crate::report::chart::{Chart, to_live_svg};
use crate::report::error::ReportError;
use crate::report::names::clean;
use crate::report::plots::{self, charts};
use crate::study::Study;

/// Size of a chart, CSS pixels; and on a narrow screen.
const WIDE: (u32, u32) = (760, 380);
const NARROW: (u32, u32) = (380, 310);

/// A chart in both sizes.
pub(super) struct Figure {
    title: String,
    subtitle: String,
    caption: String,
    wide: String,
    narrow: String,
    is_attribution: bool,
}

/// Draws all charts that the experiment asks for, and where time goes if it does not ask for that.
pub(super) fn draw(study: &Study) -> Result<Vec<Figure>, ReportError> {
    let mut figures = Vec::new();
    for (stem, chart) in charts(study)? {
        figures.push(figure(study, &stem, chart, false)?);
    }
    for (stem, chart) in plots::attributions(study)? {
        figures.push(figure(study, &stem, chart, true)?);
    }
    Ok(figures)
}

fn figure(study: &Study, stem: &str, mut chart: Chart, is_attribution: bool) -> Result<Figure, ReportError> {
    let failed = |source| ReportError::Chart { plot: stem.to_owned(), source };
    (chart.width, chart.height) = WIDE;
    let wide = to_live_svg(&chart).map_err(failed)?;
    (chart.width, chart.height) = NARROW;
    let narrow = to_live_svg(&chart).map_err(failed)?;
    // The page says once what it asks and how it was made.
    let title = if chart.title == clean(&study.question) { String::new() } else { chart.title };
    let made = chart.caption.rfind(&format!(" · seed {} · ", study.run.seed));
    let made = made.and_then(|end| chart.caption[..end].rfind("scalelab "));
    let caption = made.map_or(chart.caption.as_str(), |start| &chart.caption[..start]).trim().to_owned();
    Ok(Figure { title, subtitle: chart.subtitle, caption, wide, narrow, is_attribution })
}

/// The section of the charts, without those of where time goes.
pub(super) fn write(page: &mut Page, figures: &[Figure]) {
    if figures.iter().all(|figure| figure.is_attribution) {
        return;
    }
    page.section("charts", "Results in charts");
    figures.iter().filter(|figure| !figure.is_attribution).for_each(|figure| figure.write(page));
    page.end_section();
}

impl Figure {
    /// Whether it shows where time goes and is not among the experiment's own charts.
    pub fn is_attribution(&self) -> bool {
        self.is_attribution
    }

    pub fn write(&self, page: &mut Page) {
        let mut out = String::from("<figure class=\"plot\">\n<figcaption>");
        // A figure without a title of its own is called by what it shows.
        let (title, subtitle) = match self.subtitle.rsplit_once("; ") {
            Some((what, sure)) if self.title.is_empty() => (what, sure),
            _ if self.title.is_empty() => (self.subtitle.as_str(), ""),
            _ => (self.title.as_str(), self.subtitle.as_str()),
        };
        let _ = write!(out, "<strong>{}</strong>", text(&first_up(title)));
        if !subtitle.is_empty() {
            let _ = write!(out, " <span>{}</span>", text(&first_up(subtitle)));
        }
        let _ = writeln!(
            out,
            "</figcaption>\n<div class=\"wide\">{}</div><div class=\"narrow\">{}</div>",
            self.wide.trim_end(),
            self.narrow.trim_end()
        );
        if !self.caption.is_empty() {
            let _ = writeln!(out, "<p class=\"note\">{}</p>", text(&self.caption));
        }
        out.push_str("</figure>\n");
        page.raw(&out);
    }
}

/// The text with a capital at its beginning.
fn first_up(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
