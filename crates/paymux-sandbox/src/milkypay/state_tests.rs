//! The transitions as tables, without HTTP.
