//! From the documents in `spec/` to Rust.
//!
//! The reader of documents alone, without the feature `generate`, is for programs that say on which line of a document
//! something stands.

#[cfg(feature = "generate")]
mod generator;
mod source;

#[cfg(feature = "generate")]
pub use generator::{Generated, generate, render};
pub use source::{DocumentError, Source, step};
