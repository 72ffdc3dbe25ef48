//! How a request is addressed and signed: the provider's MAC scheme. Pure, except that the nonce
//! and the time come in through their doors.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderValue, header};
use paymux_core::{
    Clock, Effect, Error, ErrorKind, Random, Result, SecretString, Timestamp,
    transport::HttpRequest,
};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use url::{Url, form_urlencoded};

use crate::call::Call;

type HmacSha256 = Hmac<Sha256>;

/// As long as the official client's: 32 characters of 5 bits each.
const NONCE_LEN: usize = 32;

/// Signs the requests of one set of credentials.
pub(crate) struct Signer {
    base_url: Url,
    mac_id: String,
    key: HmacSha256,
    extra: Vec<(&'static str, String)>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// The provider's time less ours, in seconds, as far as it told us.
    offset: AtomicI64,
    /// How far the two may be apart, in seconds.
    max_offset: u64,
}

impl Signer {
    pub(crate) fn new(
        base_url: Url,
        mac_id: &str,
        mac_key: &SecretString,
        extra: Vec<(&'static str, String)>,
        max_offset: Duration,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self> {
        let quotable = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
        if mac_id.is_empty() || !mac_id.bytes().all(quotable) {
            let message = "must be visible ASCII without spaces, quotes and backslashes";
            return Err(Error::configuration("mac_id", message));
        }
        let secret = mac_key.expose_secret();
        if secret.trim().is_empty() {
            return Err(Error::configuration("mac_key", "must not be empty"));
        }
        if secret.trim() != secret {
            let message = "must not begin or end with white space";
            return Err(Error::configuration("mac_key", message));
        }
        let key = HmacSha256::new_from_slice(secret.as_bytes())
            .map_err(|_| Error::configuration("mac_key", "cannot be used as a key"))?;
        let mac_id = mac_id.to_owned();
        let (offset, max_offset) = (AtomicI64::new(0), max_offset.as_secs());
        Ok(Self { base_url, mac_id, key, extra, clock, random, offset, max_offset })
    }

    /// The earlier of the two clocks, ours and the provider's as far as it is known. By it, a hold
    /// lasts while either says so, and a mandate is over when both do: whoever shifts one of them
    /// can make neither of them end.
    pub(crate) fn earliest(&self) -> Timestamp {
        self.clock.now().min(self.now())
    }

    /// The moment to sign by: the provider's, as far as it is known.
    fn now(&self) -> Timestamp {
        let offset = self.offset.load(Ordering::Relaxed).saturating_mul(1000);
        Timestamp::from_millis(self.clock.now().as_millis().saturating_add(offset))
    }

    /// Keeps what the provider's clock says, for the requests that follow; unless it is so far
    /// from ours that it cannot be right. Is it kept?
    pub(crate) fn set_time(&self, theirs: Timestamp) -> bool {
        let ours = self.clock.now().as_seconds();
        let offset = theirs.as_seconds().saturating_sub(ours);
        let is_within = offset.unsigned_abs() <= self.max_offset;
        if is_within {
            self.offset.store(offset, Ordering::Relaxed);
        }
        is_within
    }

    /// A request of the call, addressed; without body and signature yet.
    pub(crate) fn address(&self, call: &Call<'_>, query: &[(&str, String)]) -> Result<HttpRequest> {
        let mut url = self.base_url.clone();
        url.path_segments_mut()
            .map_err(|()| Error::configuration("base_url", "must be a URL with a path"))?
            .pop_if_empty()
            .extend(call.path());
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(HttpRequest::new(call.purpose(), call.method(), url))
    }

    /// The same request, signed. Every attempt is signed anew: the provider takes each nonce once.
    pub(crate) fn sign(&self, request: HttpRequest) -> Result<HttpRequest> {
        let seconds = self.now().as_seconds();
        let value = self.authorization(&request, seconds, &nonce(self.random.as_ref()))?;
        Ok(request.header(header::AUTHORIZATION, value))
    }

    fn authorization(
        &self,
        request: &HttpRequest,
        seconds: i64,
        nonce: &str,
    ) -> Result<HeaderValue> {
        let unfit = || Error::configuration("base_url", "must have a host and a port");
        let host = request.url.host_str().ok_or_else(unfit)?;
        let port = request.url.port_or_known_default().ok_or_else(unfit)?;
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let ext = self.ext(&request.body);
        let normalized = format!(
            "{seconds}\n{nonce}\n{method}\n{path}{query}\n{host}\n{port}\n{ext}\n",
            method = request.method,
            path = request.url.path(),
        );
        let mut mac = self.key.clone();
        mac.update(normalized.as_bytes());
        let mac = STANDARD.encode(mac.finalize().into_bytes());
        let id = &self.mac_id;
        let mut text =
            format!("MAC id=\"{id}\", ts=\"{seconds}\", nonce=\"{nonce}\", mac=\"{mac}\"");
        if !ext.is_empty() {
            text.push_str(&format!(", ext=\"{ext}\""));
        }
        let mut value = HeaderValue::try_from(text).map_err(|source| {
            Error::new(ErrorKind::Unexpected, Effect::None, "the signature fits no header")
                .with_source(source)
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// What is signed beside the request's line: the body's hash and whom we act for.
    fn ext(&self, body: &[u8]) -> String {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        if !body.is_empty() {
            pairs.append_pair("body_hash", &STANDARD.encode(Sha256::digest(body)));
        }
        pairs.extend_pairs(&self.extra).finish()
    }
}

/// The key is not shown.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("base_url", &self.base_url.as_str()).finish_non_exhaustive()
    }
}

fn nonce(random: &dyn Random) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut bytes = [0_u8; NONCE_LEN];
    random.fill(&mut bytes);
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}

#[cfg(test)]
mod tests {
    use http::Method;
    use paymux_core::{ManualClock, SeededRandom, transport::Purpose};
    use percent_encoding::percent_decode_str;
    use serde_json::Value;

    use super::*;

    fn signer(id: &str, key: &str, extra: Vec<(&'static str, String)>) -> Result<Signer> {
        let url = Url::parse("https://wallet.paysera.com/").expect("a URL");
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_343_811_600)));
        let random = Arc::new(SeededRandom::new(1));
        let max_offset = Duration::from_secs(24 * 3600);
        Signer::new(url, id, &SecretString::from(key), extra, max_offset, clock, random)
    }

    /// Six are the provider's own; the others were computed by two other programs.
    #[test]
    fn vectors() {
        let file = include_str!("../tests/vectors/mac_vectors.json");
        let file: Value = serde_json::from_str(file).expect("JSON");
        let vectors = file["vectors"].as_array().expect("a list");
        assert_eq!(vectors.len(), 22);
        let mut published = 0;
        for vector in vectors {
            let text = |key: &str| vector[key].as_str().expect("a text");
            let mut extra = Vec::new();
            for name in ["project_id", "location_id"] {
                if let Some(number) = vector["ext_parameters"][name].as_i64() {
                    extra.push((name, number.to_string()));
                }
            }
            let signer = signer(text("id"), text("key"), extra).expect("a signer");
            let scheme = if vector["port"] == 80 { "http" } else { "https" };
            let url = format!("{scheme}://{}:{}{}", text("host"), vector["port"], text("uri"));
            let url = Url::parse(&url).expect("a URL");
            let method: Method = text("method").parse().expect("a method");
            let mut request = HttpRequest::new(Purpose::Read, method, url);
            request.body = text("body_utf8").as_bytes().to_vec().into();
            let seconds = text("ts").parse().expect("a time");
            let value = signer.authorization(&request, seconds, text("nonce")).expect("a header");
            assert_eq!(value.to_str().expect("ASCII"), text("authorization"), "{}", text("name"));
            assert!(value.is_sensitive());
            published += usize::from(vector["published_mac"].is_string());
        }
        assert_eq!(published, 6);
    }

    #[test]
    fn every_request_has_a_nonce_of_its_own() {
        let random = SeededRandom::new(7);
        let nonces: std::collections::BTreeSet<String> =
            (0..1000).map(|_| nonce(&random)).collect();
        assert_eq!(nonces.len(), 1000);
        assert!(nonces.iter().all(|nonce| nonce.len() == NONCE_LEN));
        assert!(nonces.iter().all(|nonce| nonce.bytes().all(|byte| byte.is_ascii_alphanumeric())));
    }

    /// Whatever a key looks like, it is one name in a path: none leads to another call.
    #[test]
    fn keys_stay_where_they_stand() {
        let signer = signer("id", "a-key-of-tests", Vec::new()).expect("a signer");
        for key in ["...", "%2e", "%2e%2e", ".%2E", "../payment/2988", "a\\..\\b", "a?b#c", "; ."] {
            let id = paymux_core::ProviderPaymentId::new(key).expect("an id");
            for call in [
                Call::GetTransaction(id.as_str()),
                Call::DeleteTransaction(id.as_str()),
                Call::ConfirmTransaction(id.as_str()),
                Call::ReserveTransaction { key: id.as_str(), wallet: "14471" },
                Call::AvailableTypes(id.as_str()),
            ] {
                let request = signer.address(&call, &[]).expect("a request");
                let names: Vec<_> = request.url.path_segments().expect("a path").collect();
                let names: Vec<_> = names
                    .into_iter()
                    .map(|name| percent_decode_str(name).decode_utf8().expect("text"))
                    .collect();
                assert_eq!(names, call.path(), "{call:?}");
            }
        }
        // These would, and so are no ids.
        for key in [".", "..", ".\t.", ".\n", " .."] {
            assert!(paymux_core::ProviderPaymentId::new(key).is_err(), "{key:?}");
            assert!(paymux_core::ProviderPartId::new(key).is_err(), "{key:?}");
            assert!(paymux_core::ProviderMandateId::new(key).is_err(), "{key:?}");
        }
    }

    #[test]
    fn the_time_follows_the_providers() {
        let signer = signer("id", "a-key-of-tests", Vec::new()).expect("a signer");
        assert_eq!(signer.now().as_seconds(), 1_343_811_600);
        assert_eq!(signer.earliest().as_seconds(), 1_343_811_600);
        assert!(signer.set_time(Timestamp::from_seconds(1_343_808_000)));
        assert_eq!(signer.now().as_seconds(), 1_343_808_000);
        assert_eq!(signer.earliest().as_seconds(), 1_343_808_000, "theirs is behind");
        assert!(signer.set_time(Timestamp::from_seconds(1_343_818_800)));
        assert_eq!(signer.now().as_seconds(), 1_343_818_800);
        assert_eq!(signer.earliest().as_seconds(), 1_343_811_600, "ours is behind");
    }

    #[test]
    fn a_time_out_of_bounds_is_not_followed() {
        const NOW_S: i64 = 1_343_811_600;
        const DAY_S: i64 = 24 * 3600;
        let signer = signer("id", "a-key-of-tests", Vec::new()).expect("a signer");
        for offset in [DAY_S, -DAY_S] {
            assert!(signer.set_time(Timestamp::from_seconds(NOW_S + offset)));
            assert_eq!(signer.now().as_seconds(), NOW_S + offset);
        }
        let kept = NOW_S - DAY_S;
        for theirs in [NOW_S + DAY_S + 1, kept - 1, 0, -1, i64::MAX / 1000, i64::MIN / 1000] {
            assert!(!signer.set_time(Timestamp::from_seconds(theirs)));
            assert_eq!(signer.now().as_seconds(), kept, "{theirs}");
        }
    }

    #[test]
    fn credentials_that_cannot_be_quoted_are_refused() {
        for id in ["", "with space", "a\"b", "a\\b", "a\nb", "ą"] {
            let error = signer(id, "a-key-of-tests", Vec::new()).expect_err("a refusal");
            assert_eq!(error.field(), Some("mac_id"), "{id:?}");
        }
        for key in ["", "  ", " padded", "padded\n"] {
            let error = signer("id", key, Vec::new()).expect_err("a refusal");
            assert_eq!(error.field(), Some("mac_key"), "{key:?}");
        }
    }
}
