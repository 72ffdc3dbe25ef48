//! Webhook signatures: known answers, the rules one by one, and generated forgeries.

#[cfg(test)]
#[path = "signatures/forgery.rs"]
mod forgery;
#[cfg(test)]
#[path = "signatures/reference.rs"]
mod reference;
#[cfg(test)]
#[path = "signatures/rsa_sha256.rs"]
mod rsa_sha256;
#[cfg(test)]
#[path = "signatures/rules.rs"]
mod rules;
#[cfg(test)]
#[path = "signatures/sandwich_forgeries.rs"]
mod sandwich_forgeries;
#[cfg(test)]
#[path = "signatures/sandwich_rules.rs"]
mod sandwich_rules;
#[cfg(test)]
#[path = "signatures/shared_secret.rs"]
mod shared_secret;
#[cfg(test)]
#[path = "signatures/standard_forgeries.rs"]
mod standard_forgeries;
#[cfg(test)]
#[path = "signatures/timestamped_forgeries.rs"]
mod timestamped_forgeries;
#[cfg(test)]
#[path = "signatures/vectors.rs"]
mod vectors;
