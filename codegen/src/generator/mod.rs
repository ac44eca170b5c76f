//! From the documents in `spec/` to Rust: read, checked, generated, formatted.
//!
//! The library's build.rs runs this; tests run it on documents that are wrong.

mod client;
mod document;
mod enums;
mod facts;
mod own_header;
mod patterns;
mod request;
mod shared;

use std::fs;
use std::path::Path;

use document::Document;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::source::{self, DocumentError, Source};

/// A file to be written into `OUT_DIR`.
#[derive(Debug)]
pub struct Generated {
    /// Its name.
    pub file: String,
    /// Its content.
    pub code: String,
}

/// Generates Rust from every `.yaml` file in `spec` into `out`.
///
/// # Errors
/// The first thing that is wrong with a document, or a file that can't be read or written.
pub fn generate(spec: &Path, out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut files: Vec<_> = fs::read_dir(spec)
        .map_err(|error| format!("{}: {error}", spec.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    let mut texts = Vec::new();
    for file in files {
        let module = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        texts.push((module, text));
    }
    for Generated { file, code } in render(&texts)? {
        fs::write(out.join(&file), code).map_err(|error| format!("{file}: {error}"))?;
    }
    Ok(())
}

/// Generates Rust from documents, each given as the name of its module and its text.
///
/// # Errors
/// The first thing that is wrong with a document.
pub fn render(texts: &[(String, String)]) -> Result<Vec<Generated>, DocumentError> {
    let documents = texts
        .iter()
        .map(|(module, text)| {
            let source = Source::parse(&format!("spec/{module}.yaml"), text)?;
            Document::new(module, source)
        })
        .collect::<Result<Vec<_>, _>>()?;
    document::check_together(&documents)?;

    let mut generated = Vec::new();
    let mut modules = TokenStream::new();
    for document in &documents {
        let module = format_ident!("{}", document.module);
        let (code, hooks) = match document.endpoint() {
            Some(endpoint) => {
                let facts = facts::tokens(&documents, endpoint)?;
                let client = client::tokens(&documents, endpoint)?;
                (quote! { #facts #client }, quote! { client_hooks!(#module); })
            }
            None => (shared::tokens(&documents, document)?, quote!()),
        };
        let file = format!("{}.rs", document.module);
        generated.push(Generated { code: format(document, code)?, file: file.clone() });

        let path = format!("/{file}");
        modules.extend(quote! {
            #[allow(clippy::all, clippy::pedantic, dead_code, missing_docs, unused_imports, unused_qualifications)]
            pub mod #module { include!(concat!(env!("OUT_DIR"), #path)); }
            #hooks
        });
    }
    generated.push(Generated { file: "documents.rs".to_owned(), code: modules.to_string() });
    generated.push(Generated { file: "sources.rs".to_owned(), code: sources(&documents) });
    Ok(generated)
}

/// The documents' own texts, for what reads them at run time.
fn sources(documents: &[Document]) -> String {
    let modules = documents.iter().map(|document| &document.module);
    let paths = modules.clone().map(|module| format!("/spec/{module}.yaml"));
    let list = quote! {
        /// The text of every document in `spec/`, after its name, which is that of the file without the ending.
        pub const SOURCES: &[(&str, &str)] =
            &[#((#modules, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), #paths)))),*];
    };
    list.to_string()
}

fn format(document: &Document, tokens: TokenStream) -> Result<String, DocumentError> {
    let mut file = syn::parse2(tokens)
        .map_err(|error| document.source.error("", format!("what was generated from it is not Rust: {error}")))?;
    own_header::remove(&mut file);
    Ok(prettyplease::unparse(&file))
}
