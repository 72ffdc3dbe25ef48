#![doc = include_str!("../README.md")]

mod call;
mod case;
mod compare;
mod data;
mod errors;
mod fault;
mod fault_trials;
mod files;
mod forge;
mod garbage;
pub mod inherent;
mod optional;
mod play;
mod rules;
mod serve;
mod status;
mod suite;
mod trial;
mod webhook;
mod wire;

pub use files::{DataFile, data_files};
pub use suite::{Suite, run};
pub use trial::Trial;
