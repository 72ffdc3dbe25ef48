//! The vocabulary: money, statuses, errors, identifiers and what is built from them.

#[cfg(test)]
mod check;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod currency;
#[cfg(test)]
mod error;
#[cfg(test)]
mod ids;
#[cfg(test)]
mod json;
#[cfg(test)]
mod money;
#[cfg(test)]
mod options;
#[cfg(test)]
mod page;
#[cfg(test)]
mod payment;
#[cfg(test)]
mod retry;
#[cfg(test)]
mod status;
