//! `report.html`: the study as one page that reads like a lab report.
//!
//! One self-contained file: style, script, diagram and charts are in it, and nothing is fetched. Everything can be read without
//! the script; it adds values where a reader points and a choice of the point that the diagram shows. The page follows the
//! reader's light or dark theme, is light in print, and has a second, narrow drawing of every chart for phones.
//!
//! Invariants: made from the study alone, the same study gives the same bytes; no text of a study can become markup; a section
//! appears only if there is something to say in it.

mod attribution;
mod checklist;
mod expectations;
mod figures;
mod insight;
mod page;
mod results;
mod system;
#[cfg(test)]
mod tests;

use super::error::ReportError;
use crate::study::Point;
use crate::study::Study;
use page::Page;

/// The page of a study, in UTF-8.
///
/// # Errors
/// [`ReportError::Plot`] if a chart asks for what the results do not hold, [`ReportError::Chart`] if it cannot be drawn.
pub fn report_html(study: &Study) -> Result<Vec<u8>, ReportError> {
    let figures = figures::draw(study)?;
    let mut page = Page::default();
    page.opening(study);
    page.prediction(study);
    page.answer(study);
    system::write(&mut page, study);
    figures::write(&mut page, &figures);
    page.analysis(study);
    attribution::write(&mut page, study, &figures);
    insight::what_if(&mut page, study);
    insight::laws(&mut page, study);
    checklist::write(&mut page, study);
    results::write(&mut page, study);
    expectations::write(&mut page, study);
    page.assumptions(study);
    page.fidelity();
    page.reproduce(study);
    Ok(page.finish(study).into_bytes())
}

/// The point whose system is shown: that of the first verdict; else the last level of the first variant, where it is loaded most.
fn shown(study: &Study) -> Option<&Point> {
    let first = study.points.first()?;
    if let Some(insight) = study.insights.first() {
        let own = |point: &&Point| (&point.variant, &point.levels) == (&insight.variant, &insight.levels);
        return study.points.iter().find(own).or(Some(first));
    }
    study.points.iter().rfind(|point| point.variant == first.variant)
}

/// The last point of every variant.
fn lasts(study: &Study) -> Vec<&Point> {
    let last = |variant: &&str| study.points.iter().rfind(|point| point.variant == **variant);
    study.variants().iter().filter_map(last).collect()
}
