//! What goes wrong at a provider.

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Nothing,
    /// Refused connection: proof that nothing was sent.
    NotSent,
    /// The request is lost on its way, without proof.
    LostBefore,
    /// It acts, and the answer is lost.
    LostAfter,
    /// It acts later than anybody waits for it.
    ActsLater,
    /// A refusal in the provider's own words.
    Declined,
    /// A refusal for good.
    DeclinedHard,
    /// The answer never comes: the call runs into its limit, having acted.
    HangsAfter,
    /// The answer takes so long that much else happens first.
    Slow,
    /// The answer is about another object.
    AboutAnother,
    /// The answer holds a status that nobody documented.
    Mumbles,
    /// It has something else behind this key, and says so; in stories only.
    KeyUsed,
}

/// What can go wrong.
pub(crate) const FAULTS: [Fault; 10] = [
    Fault::NotSent,
    Fault::LostBefore,
    Fault::LostAfter,
    Fault::ActsLater,
    Fault::Declined,
    Fault::DeclinedHard,
    Fault::HangsAfter,
    Fault::Slow,
    Fault::AboutAnother,
    Fault::Mumbles,
];
