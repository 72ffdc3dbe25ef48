//! Webhooks: a queue and a log per provider, and the loop that delivers.

mod delivery;
mod queue;
mod schedule;
mod signature;

pub(crate) use delivery::run;
pub(crate) use queue::{DeliveryState, Outgoing, Webhooks};
pub(crate) use schedule::Schedule;
pub(crate) use signature::Signer;
pub use signature::WebhookScheme;

use url::{Host, Url};

use crate::SandboxError;

/// Accepts plain http to this machine only: the sandbox never sends anything outward.
pub(crate) fn check_url(url: &Url) -> Result<(), SandboxError> {
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() == "http" && loopback {
        return Ok(());
    }
    Err(SandboxError::Configuration(format!("a webhook URL must be http on loopback, not {url}")))
}

impl Webhooks {
    /// As [`Webhooks::set_url`], for a URL from outside, which might lead off this machine.
    pub(crate) fn set_given_url(&self, url: Option<Url>) -> Result<(), SandboxError> {
        url.iter().try_for_each(check_url)?;
        self.set_url(url);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_on_loopback_is_accepted() {
        for (url, accepted) in [
            ("http://127.0.0.1:9/hook", true),
            ("http://localhost/hook", true),
            ("http://[::1]:9/", true),
            ("https://127.0.0.1/", false),
            ("http://example.com/", false),
            ("http://10.0.0.1/", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(check_url(&Url::parse(url).unwrap()).is_ok(), accepted, "{url}");
        }
    }
}
