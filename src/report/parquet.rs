//! Parquet files beside the CSV files: the same rows and columns, for DuckDB, Polars, pandas and everything else that reads columns.
//!
//! Built with `--features parquet` only. Texts and numbers are as in the results themselves: missing values are null, numbers are
//! doubles, texts carry no apostrophe against formulas. One row group, Snappy; the same results give the same bytes.
//!
//! Source: the Apache Parquet format; written by the crate `parquet` without Arrow.

use std::sync::Arc;

use ::parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical};
use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use ::parquet::schema::types::{Type, TypePtr};

use super::csv::{ending, is_quantity};
use crate::study::Study;
use crate::study::{Factor, Point};

/// The values of a column.
enum Values {
    Text(Vec<String>),
    Number(Vec<Option<f64>>),
    Integer(Vec<i64>),
}

/// A table: columns of equal length by their names.
type Table = Vec<(String, Values)>;

/// The three tables as files: `runs.parquet`, `points.parquet`, `series.parquet`.
///
/// # Errors
/// What the format refuses: two columns of one name.
pub fn files(study: &Study) -> Result<Vec<(String, Vec<u8>)>, String> {
    let tables = [("runs", runs(study)), ("points", points(study)), ("series", series(study))];
    let file = |(name, table): (&str, Table)| {
        let bytes = write(table).map_err(|error| format!("{name}.parquet: {error}"))?;
        Ok((format!("{name}.parquet"), bytes))
    };
    tables.into_iter().map(file).collect()
}

fn text(name: &str, values: impl Iterator<Item = String>) -> (String, Values) {
    (name.to_owned(), Values::Text(values.collect()))
}

fn number(name: &str, values: impl Iterator<Item = Option<f64>>) -> (String, Values) {
    (name.to_owned(), Values::Number(values.map(|value| value.filter(|value| value.is_finite())).collect()))
}

fn integer(name: &str, values: impl Iterator<Item = u64>) -> (String, Values) {
    // Counts of events and replications stay far below 2^63.
    (name.to_owned(), Values::Integer(values.map(|value| i64::try_from(value).unwrap_or(i64::MAX)).collect()))
}

/// The columns of variant and factors; `places` has the point of every row.
fn places<'s>(study: &'s Study, places: &(dyn Fn() -> Box<dyn Iterator<Item = &'s Point> + 's> + 's)) -> Table {
    let mut table = vec![text("variant", places().map(|point| point.variant.clone()))];
    for (index, factor) in study.factors.iter().enumerate() {
        let level = move |point: &'s Point| factor.levels.get(*point.levels.get(index)?);
        table.push(if is_quantity(factor) {
            number(&header(factor), places().map(move |point| level(point)?.value))
        } else {
            text(&factor.key, places().map(move |point| level(point).map_or(String::new(), |level| level.text.clone())))
        });
    }
    table
}

fn header(factor: &Factor) -> String {
    factor.unit.map_or_else(|| factor.key.clone(), |unit| format!("{} [{}]", factor.key, unit.symbol()))
}

fn runs(study: &Study) -> Table {
    let rows = || study.points.iter().flat_map(|point| point.runs.iter().map(move |run| (point, run)));
    let mut table = vec![text("experiment", rows().map(|_| study.experiment.clone()))];
    table.extend(places(study, &|| Box::new(rows().map(|(point, _)| point))));
    table.push(integer("replication", rows().map(|(_, run)| run.replication)));
    table.push(integer("seed", rows().map(|_| study.run.seed)));
    table.push(text("fingerprint", rows().map(|(_, run)| run.fingerprint.clone())));
    table.push(text("ending", rows().map(|(_, run)| ending(run.ending).to_owned())));
    table.push(integer("events", rows().map(|(_, run)| run.events)));
    for (index, metric) in study.metrics.iter().enumerate() {
        let name = format!("{} [{}]", metric.name, metric.unit.symbol());
        table.push(number(&name, rows().map(move |(_, run)| run.values.get(index).copied().flatten())));
    }
    table
}

fn points(study: &Study) -> Table {
    let rows = || study.points.iter().flat_map(|point| (0..study.metrics.len()).map(move |metric| (point, metric)));
    let estimate = |(point, metric): (&Point, usize)| point.estimates.get(metric).copied().flatten();
    let end =
        |sign: f64| move |row| estimate(row).and_then(|estimate| Some(estimate.mean + sign * estimate.half_width?));
    let mut table = vec![text("experiment", rows().map(|_| study.experiment.clone()))];
    table.extend(places(study, &|| Box::new(rows().map(|(point, _)| point))));
    table.push(text("metric", rows().map(|(_, metric)| study.metrics[metric].name.clone())));
    table.push(text("unit", rows().map(|(_, metric)| study.metrics[metric].unit.symbol().to_owned())));
    table.push(number("mean", rows().map(|row| estimate(row).map(|estimate| estimate.mean))));
    table.push(number("low", rows().map(end(-1.0))));
    table.push(number("high", rows().map(end(1.0))));
    table.push(integer("n", rows().map(|row| estimate(row).map_or(0, |estimate| estimate.n))));
    table
}

fn series(study: &Study) -> Table {
    let columns = study.columns.len();
    let rows = || {
        let of_point = move |point| {
            (0..point_rows(point)).flat_map(move |step| (0..columns).map(move |column| (point, step, column)))
        };
        study.points.iter().flat_map(of_point)
    };
    let value = |rows: &[Vec<Option<f64>>], step: usize, column: usize| rows.get(step)?.get(column).copied().flatten();
    let mean = move |(point, step, column): (&Point, usize, usize)| value(&point.series, step, column);
    let half = move |(point, step, column): (&Point, usize, usize)| value(&point.series_half_widths, step, column);
    let end = |sign: f64| move |row| mean(row).zip(half(row)).map(|(mean, half)| mean + sign * half);
    let mut table = places(study, &|| Box::new(rows().map(|(point, ..)| point)));
    table.push(number("time [s]", rows().map(|(_, step, _)| Some(study.run.interval * (step + 1) as f64))));
    table.push(text("column", rows().map(|(.., column)| study.columns[column].name.clone())));
    table.push(text("unit", rows().map(|(.., column)| study.columns[column].unit.symbol().to_owned())));
    table.push(number("mean", rows().map(mean)));
    table.push(number("low", rows().map(end(-1.0))));
    table.push(number("high", rows().map(end(1.0))));
    table
}

/// The rows of a point's time series.
fn point_rows(point: &Point) -> usize {
    point.series.len()
}

/// A table as a file.
fn write(table: Table) -> Result<Vec<u8>, ParquetError> {
    let field = |(name, values): &(String, Values)| -> Result<TypePtr, ParquetError> {
        let of = |physical| Type::primitive_type_builder(name, physical);
        let field = match values {
            Values::Text(_) => {
                of(Physical::BYTE_ARRAY).with_converted_type(ConvertedType::UTF8).with_repetition(Repetition::REQUIRED)
            }
            Values::Number(_) => of(Physical::DOUBLE).with_repetition(Repetition::OPTIONAL),
            Values::Integer(_) => of(Physical::INT64).with_repetition(Repetition::REQUIRED),
        };
        Ok(Arc::new(field.build()?))
    };
    let fields: Result<Vec<TypePtr>, ParquetError> = table.iter().map(field).collect();
    let schema = Arc::new(Type::group_type_builder("scalelab").with_fields(fields?).build()?);
    let properties = WriterProperties::builder()
        .set_created_by(concat!("scalelab ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::SNAPPY)
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for (_, values) in &table {
        if let Some(column) = group.next_column()? {
            fill(column, values)?;
        }
    }
    group.close()?;
    writer.into_inner()
}

fn fill(mut column: SerializedColumnWriter<'_>, values: &Values) -> Result<(), ParquetError> {
    match values {
        Values::Text(texts) => {
            let bytes: Vec<ByteArray> = texts.iter().map(|text| ByteArray::from(text.as_str())).collect();
            column.typed::<ByteArrayType>().write_batch(&bytes, None, None)?;
        }
        Values::Number(numbers) => {
            let present: Vec<f64> = numbers.iter().flatten().copied().collect();
            let levels: Vec<i16> = numbers.iter().map(|number| i16::from(number.is_some())).collect();
            column.typed::<DoubleType>().write_batch(&present, Some(&levels), None)?;
        }
        Values::Integer(numbers) => {
            column.typed::<Int64Type>().write_batch(numbers, None, None)?;
        }
    }
    column.close()
}
