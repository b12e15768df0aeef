//! The user's files: text, types, meaning.
pub mod text;
