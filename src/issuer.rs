//! The name of who issued a certificate, for people.
//!
//! No crate that reads it is in the dependencies of TLS, and those that read certificates as a whole bring a dozen others into
//! the build of every program over this library. What is here reads one field, trusts no length, and decides nothing.

/// The longest name, in characters: whoever answers decides what is in a certificate.
const LIMIT: usize = 200;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const VERSION: u8 = 0xa0;
/// The parts of a name that say who it is, by their object identifiers.
const PARTS: [(&[u8], &str); 3] = [(&[0x55, 4, 3], "CN"), (&[0x55, 4, 10], "O"), (&[0x55, 4, 11], "OU")];

/// The issuer that a certificate names, such as `CN=Example Root, O=Example`; none where it can't be read.
pub(crate) fn of(certificate: &[u8]) -> Option<String> {
    let (certificate, _) = value(SEQUENCE, certificate)?;
    let (mut rest, _) = value(SEQUENCE, certificate)?;
    if let Some((_, after)) = value(VERSION, rest) {
        rest = after;
    }
    // The serial number, and the algorithm of the signature.
    let (_, _, rest) = element(rest)?;
    let (_, _, rest) = element(rest)?;
    let (mut names, _) = value(SEQUENCE, rest)?;
    let mut parts = Vec::new();
    while let Some((set, rest)) = value(SET, names) {
        parts.extend(part(set));
        names = rest;
    }
    (!parts.is_empty()).then(|| parts.join(", ").chars().take(LIMIT).collect())
}

fn part(set: &[u8]) -> Option<String> {
    let (pair, _) = value(SEQUENCE, set)?;
    let (identifier, rest) = value(OBJECT_IDENTIFIER, pair)?;
    let (_, name) = PARTS.iter().find(|(known, _)| *known == identifier)?;
    let (tag, text, _) = element(rest)?;
    const BMP_STRING: u8 = 0x1e;
    let text = match tag {
        BMP_STRING => {
            let units: Vec<u16> = text.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        _ => String::from_utf8_lossy(text).into_owned(),
    };
    Some(format!("{name}={text}"))
}

/// The content of the element with this tag at the front, and what comes after it.
fn value(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    element(bytes).filter(|(found, ..)| *found == tag).map(|(_, content, rest)| (content, rest))
}

/// The tag and the content of the element at the front, and what comes after it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(organization: &str) -> Vec<u8> {
        let mut parameters = rcgen::CertificateParams::new(["open.feishu.test".to_owned()]).expect("it is a name");
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(rcgen::DnType::OrganizationName, organization);
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "Inspection Root");
        parameters.distinguished_name.push(rcgen::DnType::CountryName, "CN");
        let key = rcgen::KeyPair::generate().expect("a key can be made");
        parameters.self_signed(&key).expect("it can be signed").der().to_vec()
    }

    #[test]
    fn the_issuer_is_named() {
        assert_eq!(of(&certificate("某某公司")).as_deref(), Some("O=某某公司, CN=Inspection Root"));
        let long = of(&certificate(&"a".repeat(10_000))).expect("it is read");
        assert_eq!(long.chars().count(), LIMIT);
    }

    #[test]
    fn what_is_cut_or_garbled_is_never_a_panic() {
        let whole = certificate("Example");
        for length in 0..whole.len() {
            let _ = of(&whole[..length]);
        }
        for at in 0..whole.len() {
            for byte in [0, 0x7f, 0x80, 0x84, 0xff] {
                let mut garbled = whole.clone();
                garbled[at] = byte;
                let _ = of(&garbled);
            }
        }
    }
}
