//! What a key stands for: what left with it first.

use paymux_core::Capabilities;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Intent;

/// What an attempt left as when it was sent first: the request, and what its account was. The same
/// key stands for that and for nothing else, so nothing else leaves with it. Whose credentials the
/// account had, and what its adapter made of the request, is not known here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentAs {
    /// The SHA-256 of the request as the account's adapter was handed it, in hexadecimal digits.
    pub request: String,
    /// The kind of the account.
    pub kind: String,
    /// Did it move real money?
    pub live: bool,
}

impl SentAs {
    /// What would leave now. `None` when the request cannot be written down, which then is not sent.
    pub(crate) fn of(intent: &Intent, capabilities: &Capabilities) -> Option<Self> {
        let text = serde_json::to_vec(intent).ok()?;
        Some(Self {
            request: hex::encode(Sha256::digest(text)),
            kind: capabilities.kind.to_owned(),
            live: capabilities.live,
        })
    }

    /// Is it the same account still, as far as it says?
    pub(crate) fn is_at(&self, capabilities: &Capabilities) -> bool {
        self.kind == capabilities.kind && self.live == capabilities.live
    }

    /// In what that differs from this, in words.
    pub(crate) fn differs(&self, now: &Self) -> Option<String> {
        let money = |live| if live { "real money" } else { "a test" };
        let mut found = Vec::new();
        if self.kind != now.kind {
            found.push(format!("its account was of {} and is of {} now", self.kind, now.kind));
        }
        if self.live != now.live {
            let (then, now) = (money(self.live), money(now.live));
            found.push(format!("its account was for {then} and is for {now} now"));
        }
        if self.request != now.request {
            found.push("the request reads otherwise in this release".to_owned());
        }
        (!found.is_empty()).then(|| found.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use paymux_core::{CreateEffect, Replay};

    use super::*;
    use crate::testing::{
        cancel, capabilities, capture, confirm, create, eur, key_replay, record, refund,
    };

    #[test]
    fn what_left_is_told_from_everything_else() {
        let account = capabilities(CreateEffect::MayCharge, key_replay(), Replay::Never);
        let sent = SentAs::of(&create(&record(), 1), &account).unwrap();
        let mut live = account.clone();
        live.live = true;
        let mut other = account.clone();
        other.kind = "other";
        let Intent::Create(mut dearer) = create(&record(), 1) else { panic!("a create") };
        dearer.amount = eur(1_001);
        let dearer = Intent::Create(dearer);
        let table = [
            (create(&record(), 1), &account, None),
            (create(&record(), 1), &live, Some("real money")),
            (create(&record(), 1), &other, Some("is of other now")),
            (create(&record(), 2), &account, Some("reads otherwise")),
            (dearer, &account, Some("reads otherwise")),
        ];
        for (intent, account, expected) in table {
            let differs = sent.differs(&SentAs::of(&intent, account).unwrap());
            assert_eq!(differs.is_some(), expected.is_some(), "{differs:?}");
            assert!(expected.is_none_or(|words| differs.as_ref().unwrap().contains(words)));
        }
    }

    /// Whoever goes on reads it from the store.
    #[test]
    fn what_was_written_down_reads_as_it_was() {
        let account = capabilities(CreateEffect::MayCharge, key_replay(), Replay::Never);
        let all = [
            create(&record(), 1),
            confirm(paymux_core::ConfirmStep::Commit),
            capture(),
            cancel(),
            refund(),
        ];
        for intent in all {
            let stored = serde_json::to_string(&intent).unwrap();
            let read: Intent = serde_json::from_str(&stored).unwrap();
            assert_eq!(SentAs::of(&read, &account), SentAs::of(&intent, &account));
        }
    }

    /// What is in doubt during an upgrade left as an earlier release read it. With another text for
    /// the same request none of it would be sent again, and all of it would go to a person: what
    /// makes this fail must not change what is written.
    #[test]
    fn what_an_earlier_release_sent_reads_the_same() {
        let account = capabilities(CreateEffect::MayCharge, key_replay(), Replay::Never);
        let stored: crate::PaymentRecord = serde_json::from_str(include_str!("long.json")).unwrap();
        let full = r#"{"operation":"create","request":{"key":"k","reference":"r",
            "amount":{"minor":"1","currency":"EUR"},"capture":"manual","description":"d",
            "customer":{"id":"i","name":"n","email":"e","phone":"p","country":"DE"},"method":"m",
            "mandate":"a","return_url":"https://shop.example/done","expires_at":7,
            "options":{"test":{"x":1}}}}"#;
        let table = [
            (
                create(&record(), 1),
                "34484d21dd2daf71da6680a4324909403ac0b9be31f09d3ccadad52293fb4e2e",
            ),
            (
                stored.attempts[0].intent.clone(),
                "949e2406eb6d735badbd31d523efb7f51f13b30d75f3d83909859592ba712850",
            ),
            (
                serde_json::from_str(full).unwrap(),
                "6eb564b549ebd98de77c2987a85f1f21e940133df52e519cc3738902028a4719",
            ),
            (
                confirm(paymux_core::ConfirmStep::Commit),
                "e92be591c4f4408040df7d64ac3401e24b44cab5fe58d8a0eed0864b1a6bc863",
            ),
            (capture(), "dd5f875c708970b5b940f67f0164363cd9ea56332bf0b3553fdf87688e972256"),
            (cancel(), "42f9fd1a9263f3b35fee2c595a850eec85c7e2405b2741fb89241e838ecce74c"),
            (refund(), "e233bb76f39932892d6c7bf7f5ab263e28e3b65952dccff6b6957ef21f235f71"),
        ];
        for (intent, expected) in table {
            let text = serde_json::to_string(&intent).unwrap();
            assert_eq!(SentAs::of(&intent, &account).unwrap().request, expected, "{text}");
        }
    }
}
