//! Files that hold something other than a list as text, known by how they begin: the reader would find a mistake in their first
//! line, and not say what the file is.

/// How much of a file is looked at.
const HEAD: usize = 4096;

/// What text files begin with in UTF-16.
const UTF_16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

const IN_UTF_16: &str = "the file is in UTF-16; save it as UTF-8, which spreadsheets call `CSV UTF-8`";

/// The first bytes of formats that lists are kept in, or come in.
const FORMATS: [(&[u8], &str); 5] = [
    (
        b"PK\x03\x04",
        "the file is an Excel workbook (.xlsx) or another zip archive; open it and save the list as `CSV UTF-8`",
    ),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "the file is an old Excel workbook (.xls), or an encrypted one; open it and save the list as `CSV UTF-8`",
    ),
    (b"%PDF-", "the file is a PDF document; save the list as `CSV UTF-8` where it comes from"),
    (b"\x1f\x8b", "the file is compressed by gzip; unpack it first"),
    (b"SQLite format 3\0", "the file is a SQLite database; export the list as CSV in UTF-8"),
];

/// What a file is, and what to do about it, if it can't be a list.
pub fn foreign(bytes: &[u8]) -> Option<&'static str> {
    if UTF_16_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
        return Some(IN_UTF_16);
    }
    if let Some((_, what)) = FORMATS.iter().find(|(begin, _)| bytes.starts_with(begin)) {
        return Some(what);
    }
    let head = &bytes[..bytes.len().min(HEAD)];
    head.contains(&0).then(|| {
        match reads_as_utf_16(head, u16::from_le_bytes) || reads_as_utf_16(head, u16::from_be_bytes) {
            true => IN_UTF_16,
            false => "the file has NUL bytes, so it is not text; save the list as `CSV UTF-8`",
        }
    })
}

/// Whether bytes are text in UTF-16 without a mark. The last character may be cut off.
fn reads_as_utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> bool {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let mut decoded: Vec<_> = char::decode_utf16(units).collect();
    decoded.pop_if(|last| last.is_err());
    let is_text = |c: char| !c.is_control() || matches!(c, '\t' | '\r' | '\n');
    // Almost any bytes are characters of some script; a list has digits and commas too.
    decoded.iter().all(|c| c.as_ref().is_ok_and(|c| is_text(*c))) && decoded.iter().flatten().any(char::is_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_text_in_utf_8_is_known_by_its_beginning() {
        let utf_16 = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<_>>();
        for text in [
            "application_id,termination_type\r\n1,1\r\n",
            "{\"application_id\":\"1\"}\n",
            "投递ID\t终止类型\r\n1\t22\r\n",
        ] {
            for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
                let encoded = utf_16(text, bytes);
                assert_eq!(foreign(&encoded), Some(IN_UTF_16), "{text}");
                // As cut in the middle of a character.
                assert_eq!(foreign(&encoded[..encoded.len() - 1]), Some(IN_UTF_16), "{text}");
            }
            assert_eq!(foreign(text.as_bytes()), None, "{text}");
        }
        for bytes in [&b"\x00\x01\x02\x03"[..], b"1,1\n\0", b"\xff\x00\x00\xd8\x00\xd8"] {
            assert!(foreign(bytes).is_some_and(|what| what.contains("NUL")), "{bytes:?}");
        }
        for bytes in [&b""[..], b"P", b"PK", b"\xef\xbb\xbfa", b"\xb2\xbb"] {
            assert_eq!(foreign(bytes), None, "{bytes:?}");
        }
    }
}
