//! The rules without HTTP.
