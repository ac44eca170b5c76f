//! The notes' prose, reduced to what must be the same for nobody to have to read it again.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The notes' text as it is read from a page, piece by piece.
#[derive(Default)]
pub struct Prose(String);

impl Prose {
    /// Appends a piece, without white space, addresses, and marks that only some forms of a page have.
    pub fn push(&mut self, text: &str) {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let address = ["https://", "http://"].into_iter().any(|scheme| rest.starts_with(scheme));
            if address {
                let end = rest.find(|c: char| !c.is_ascii_graphic() || matches!(c, ')' | '>' | '"'));
                rest = &rest[end.unwrap_or(rest.len())..];
                continue;
            }
            let mark = matches!(c, '[' | ']' | '*' | '`' | '\u{200b}' | '\u{feff}');
            if !c.is_whitespace() && !mark {
                self.0.push(c);
            }
            rest = &rest[c.len_utf8()..];
        }
    }

    /// What stands for the whole text; `None` where there is none.
    pub fn digest(&self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let mut digest = "sha256:".to_owned();
        for byte in Sha256::digest(self.0.as_bytes()) {
            // Writing to a String does not fail.
            let _ = write!(digest, "{byte:02x}");
        }
        Some(digest)
    }
}
