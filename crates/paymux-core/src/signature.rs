//! Webhook signatures: schemes that several providers share, as plain types an adapter picks from.
