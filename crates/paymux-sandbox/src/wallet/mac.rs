//! The MAC authentication scheme: what is signed, and how a header is read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use url::form_urlencoded;

/// An `Authorization: MAC …` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) id: String,
    pub(super) ts: String,
    pub(super) nonce: String,
    pub(super) mac: String,
    /// As it stands in the header; empty when it was left out.
    pub(super) ext: String,
}

/// The part of a request that a signature covers besides its header and body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signed<'a> {
    /// Upper case.
    pub(super) method: &'a str,
    /// Path and query as they came.
    pub(super) uri: &'a str,
    pub(super) host: &'a str,
    pub(super) port: u16,
}

impl Credentials {
    /// Reads a header: `name="value"` pairs between commas. Each name once, all but `ext`
    /// required.
    pub(super) fn read(header: &str) -> Option<Self> {
        let (scheme, rest) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("mac") {
            return None;
        }
        let mut found: [Option<String>; 5] = Default::default();
        let mut rest = rest.trim();
        loop {
            let (name, after) = rest.split_once("=\"")?;
            let (value, after) = after.split_once('"')?;
            let names = ["id", "ts", "nonce", "mac", "ext"];
            let slot = names.iter().position(|known| *known == name)?;
            if found.get_mut(slot)?.replace(value.to_owned()).is_some() {
                return None;
            }
            let after = after.trim_start();
            if after.is_empty() {
                break;
            }
            rest = after.strip_prefix(',')?.trim_start();
        }
        let [id, ts, nonce, mac, ext] = found;
        let ext = ext.unwrap_or_default();
        Some(Credentials { id: id?, ts: ts?, nonce: nonce?, mac: mac?, ext })
    }

    /// Whether the signature is this key's over exactly this request.
    pub(super) fn matches(&self, key: &str, signed: Signed<'_>, body: &[u8]) -> bool {
        self.nonce_is_legal() && self.covers(body) && self.is_signed_by(key, signed)
    }

    /// Printable ASCII; the quote cannot occur, and a backslash is not allowed.
    fn nonce_is_legal(&self) -> bool {
        let legal = |byte: u8| (0x20..=0x7e).contains(&byte) && byte != b'\\';
        !self.nonce.is_empty() && self.nonce.bytes().all(legal)
    }

    /// A body needs its hash in `ext`; without a body there must be none.
    fn covers(&self, body: &[u8]) -> bool {
        let pairs = self.pairs();
        let mut hashes = pairs.iter().filter(|(name, _)| name == "body_hash");
        match (hashes.next(), hashes.next()) {
            (None, _) => body.is_empty(),
            (Some((_, hash)), None) => {
                !body.is_empty() && *hash == STANDARD.encode(Sha256::digest(body))
            }
            (Some(_), Some(_)) => false,
        }
    }

    /// The pairs of `ext`, decoded.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.ext.as_bytes()).into_owned().collect()
    }

    fn is_signed_by(&self, key: &str, signed: Signed<'_>) -> bool {
        // HMAC takes a key of any length, so the error cannot occur.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return false };
        mac.update(self.normalized(signed).as_bytes());
        STANDARD.decode(&self.mac).is_ok_and(|given| mac.verify_slice(&given).is_ok())
    }

    /// Each part with a line feed after it, the last one too.
    fn normalized(&self, signed: Signed<'_>) -> String {
        let Signed { method, uri, host, port } = signed;
        let Credentials { ts, nonce, ext, .. } = self;
        let host = host.to_ascii_lowercase();
        format!("{ts}\n{nonce}\n{method}\n{uri}\n{host}\n{port}\n{ext}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn vectors() -> Vec<Value> {
        let text = include_str!("../../tests/fixtures/wallet/mac_vectors.json");
        let file: Value = serde_json::from_str(text).unwrap();
        file["vectors"].as_array().unwrap().clone()
    }

    #[test]
    fn every_vector_is_accepted_and_no_change_of_it() {
        let vectors = vectors();
        assert_eq!(vectors.len(), 22);
        for vector in &vectors {
            let text = |name: &str| vector[name].as_str().unwrap();
            let credentials = Credentials::read(text("authorization")).unwrap();
            let signed = Signed {
                method: text("method"),
                uri: text("uri"),
                host: text("host"),
                port: vector["port"].as_u64().unwrap().try_into().unwrap(),
            };
            let (name, key, body) = (text("name"), text("key"), text("body_utf8").as_bytes());
            assert_eq!(credentials.normalized(signed), text("normalized_string"), "{name}");
            assert!(credentials.matches(key, signed, body), "{name}");
            let fails = |credentials: &Credentials, signed, body: &[u8]| {
                assert!(!credentials.matches(key, signed, body), "{name}");
            };
            fails(&credentials, Signed { port: signed.port ^ 1, ..signed }, body);
            fails(&credentials, Signed { method: "PATCH", ..signed }, body);
            fails(&credentials, Signed { uri: "/rest/v1/payment/1", ..signed }, body);
            fails(&credentials, Signed { host: "wallet.example", ..signed }, body);
            fails(&credentials, signed, &[body, b" "].concat());
            fails(&Credentials { ts: "1".to_owned(), ..credentials.clone() }, signed, body);
            fails(&Credentials { nonce: "n".to_owned(), ..credentials.clone() }, signed, body);
            assert!(!credentials.matches("another key", signed, body), "{name}");
        }
    }

    #[test]
    fn a_header_is_read_as_both_clients_write_it() {
        let plain = Credentials::read(r#"MAC id="a", ts="1", nonce="n, x", mac="m""#).unwrap();
        let empty = Credentials::read(r#"MAC id="a",ts="1", nonce="n, x", mac="m", ext="""#);
        assert_eq!(empty.as_ref(), Some(&plain));
        assert_eq!((plain.nonce.as_str(), plain.ext.as_str()), ("n, x", ""));
        for wrong in [
            "",
            "MAC",
            r#"Bearer id="a""#,
            r#"MAC id="a", ts="1", nonce="n""#,
            r#"MAC id="a", id="b", ts="1", nonce="n", mac="m""#,
            r#"MAC id="a", ts="1", nonce="n", mac="m", more="x""#,
            r#"MAC id=a, ts="1", nonce="n", mac="m""#,
            r#"MAC id="a", ts="1", nonce="n", mac="m"#,
        ] {
            assert_eq!(Credentials::read(wrong), None, "{wrong}");
        }
    }
}
