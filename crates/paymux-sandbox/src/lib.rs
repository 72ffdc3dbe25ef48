//! Plays the providers.
