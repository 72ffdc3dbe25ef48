//! The HTTP client against real sockets that refuse, reset, stall, truncate, answer garbage and
//! redirect. For each: kind, effect, whether it can be repeated, and whether a byte was offered.
//!
//! Not here: a TLS server with a bad certificate, and a name that does not resolve; both fail
//! while connecting, as the TLS cases here do.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod client;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod races;
#[cfg(test)]
mod server;
