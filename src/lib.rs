pub mod engine;
pub mod maths;
pub mod measure;
pub mod model;
pub mod quantity;
pub mod spec;
