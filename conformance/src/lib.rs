#![doc = include_str!("../README.md")]

mod call;
mod case;
mod compare;
mod data;
mod play;
mod serve;
mod suite;
mod trial;
mod wire;

pub use call::CallFuture;
pub use suite::Suite;
pub use trial::Trial;
