//! The wallet over HTTP.

mod auth;
mod callbacks;
mod calls;
mod page;
mod samples;
mod support;
