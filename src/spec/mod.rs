//! The file formats: from YAML text to a checked blueprint, with diagnostics that tell where and what to do.

pub mod catalogue;
mod columns;
pub mod data_file;
pub mod experiment_file;
pub mod import;
pub mod lint;
pub mod load;
pub mod model_file;
mod recording;
pub mod resolve;
pub mod text;
