//! What was answered under an `Idempotency-Key`, kept for 24 hours of virtual time.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::errors::Refusal;
use crate::clock;
use crate::reply::Reply;

const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);
const LONGEST_KEY: usize = 255;

#[derive(Debug)]
struct Remembered {
    operation: &'static str,
    request: Value,
    reply: Reply,
}

/// Keys and the answers given under them. The documentation does not say how wide a key counts;
/// here one key belongs to the whole account, so reuse by another operation is a conflict.
#[derive(Debug, Default)]
pub(super) struct Memory {
    replies: HashMap<String, Remembered>,
    /// When each key is forgotten; time only moves forward, so the first is the next.
    until: VecDeque<(Timestamp, String)>,
}

impl Memory {
    /// The stored answer, none, or the refusal of a key used for something else.
    pub(super) fn recall(
        &self,
        key: &str,
        operation: &str,
        request: &Value,
    ) -> Result<Option<Reply>, Refusal> {
        let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        if key.is_empty() || key.len() > LONGEST_KEY || !visible {
            return Err(Refusal::invalid("Idempotency-Key: 1 to 255 visible ASCII characters"));
        }
        match self.replies.get(key) {
            None => Ok(None),
            Some(known) if known.operation == operation && known.request == *request => {
                Ok(Some(known.reply.clone()))
            }
            Some(_) => Err(Refusal::idempotency_conflict()),
        }
    }

    /// Stores successes and definite refusals; an answer that says "later" is not final.
    pub(super) fn remember(
        &mut self,
        key: &str,
        operation: &'static str,
        request: Value,
        reply: &Reply,
        now: Timestamp,
    ) {
        if reply.status.is_server_error() || reply.status.as_u16() == 429 {
            return;
        }
        self.until.push_back((clock::add(now, KEPT_FOR), key.to_owned()));
        let reply = reply.clone();
        self.replies.insert(key.to_owned(), Remembered { operation, request, reply });
    }

    pub(super) fn forget(&mut self, now: Timestamp) {
        while let Some((until, key)) = self.until.front()
            && *until <= now
        {
            self.replies.remove(key);
            self.until.pop_front();
        }
    }
}
