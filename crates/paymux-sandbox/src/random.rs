//! Ids: from a seed, so that a run can be repeated, or from the operating system.

use std::sync::Mutex;

use crate::{SandboxError, lock};

/// Crockford's base 32 in lower case, the alphabet of the ids seen in public samples.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The one place that makes ids.
#[derive(Debug)]
pub(crate) struct Random {
    numbers: Mutex<fastrand::Rng>,
}

impl Random {
    pub(crate) fn new(seed: Option<u64>) -> Result<Self, SandboxError> {
        let seed = match seed {
            Some(seed) => seed,
            None => seed_from_system()?,
        };
        Ok(Random { numbers: Mutex::new(fastrand::Rng::with_seed(seed)) })
    }

    /// A prefix and 26 characters, such as `sess_01jzqtzq8w2c0t6jdhx23z3nmz`.
    pub(crate) fn id(&self, prefix: &str) -> String {
        format!("{prefix}01{}", self.characters(24))
    }

    /// A prefix and 16 letters and digits of both cases, such as `cpi_HeSWMM9LvQonCcQc`.
    pub(crate) fn short_id(&self, prefix: &str) -> String {
        let mut numbers = lock(&self.numbers);
        let letters: String = (0..16).map(|_| numbers.alphanumeric()).collect();
        format!("{prefix}{letters}")
    }

    fn characters(&self, count: usize) -> String {
        let mut numbers = lock(&self.numbers);
        (0..count).map(|_| char::from(*numbers.choice(ALPHABET).unwrap_or(&b'0'))).collect()
    }

    /// A version 4 UUID, lower case with hyphens.
    pub(crate) fn uuid(&self) -> String {
        let mut bytes = [0_u8; 16];
        lock(&self.numbers).fill(&mut bytes);
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let text = hex::encode(bytes);
        format!(
            "{}-{}-{}-{}-{}",
            &text[..8],
            &text[8..12],
            &text[12..16],
            &text[16..20],
            &text[20..]
        )
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door through which randomness comes in")]
fn seed_from_system() -> Result<u64, SandboxError> {
    let mut seed = [0_u8; 8];
    getrandom::fill(&mut seed).map_err(|error| SandboxError::Random(error.to_string()))?;
    Ok(u64::from_le_bytes(seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_the_ids() {
        let one = Random::new(Some(7)).unwrap();
        let two = Random::new(Some(7)).unwrap();
        assert_eq!(one.id("sess_"), two.id("sess_"));
        assert_eq!(one.uuid(), two.uuid());
        assert_ne!(one.uuid(), one.uuid());
    }

    #[test]
    fn without_a_seed_ids_differ() {
        let one = Random::new(None).unwrap().id("pay_");
        let two = Random::new(None).unwrap().id("pay_");
        assert_ne!(one, two);
        assert_eq!(one.len(), "pay_".len() + 26);
    }

    #[test]
    fn a_uuid_has_its_version_and_variant() {
        let uuid = Random::new(Some(1)).unwrap().uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
        assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"));
    }
}
