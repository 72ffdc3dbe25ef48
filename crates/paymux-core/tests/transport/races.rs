//! The server closes at the worst moments, many times. What must never be: it had the whole
//! request, and the error says that nothing happened.

use paymux_core::{
    Effect, Error,
    transport::{HttpResponse, Purpose},
};

use crate::server::{Act, BODY, End, Server, answer, patient, request};

const ROUNDS: usize = 200;

/// How often each combination came.
#[derive(Debug, Default)]
struct Tally {
    answered: usize,
    proved_unsent: usize,
    possible: usize,
    had_it_all: usize,
}

impl Tally {
    fn add(&mut self, result: &Result<HttpResponse, Error>, arrived: usize, body: &str) {
        self.had_it_all += arrived;
        match result {
            Ok(_) => self.answered += 1,
            Err(error) => {
                match error.effect() {
                    Effect::None => self.proved_unsent += 1,
                    Effect::Possible => self.possible += 1,
                }
                assert!(
                    !(error.effect() == Effect::None && arrived > 0),
                    "the server had the whole request: {error:?}"
                );
                let told = error.offered();
                assert_eq!(told.is_some(), !body.is_empty(), "{error:?}");
                // Without a body to tell by, only a connection that was never made is proof: a
                // reset can come that early.
                let sent = told.unwrap_or(!error.message().starts_with("no connection"));
                assert_eq!(error.effect() == Effect::Possible, sent, "{error:?}");
            }
        }
        assert!(arrived <= 1, "one call, one request");
    }
}

/// Calls a server that closes in the middle, again and again.
async fn race(act: Act, body: &'static str) -> Tally {
    let server = Server::start(act);
    let client = patient();
    let mut tally = Tally::default();
    let mut before = 0;
    for _ in 0..ROUNDS {
        let result = client.send(request(Purpose::Mutate, server.url("http"), body)).await;
        let after = server.settled().len();
        tally.add(&result, after - before, body);
        before = after;
    }
    assert_eq!(tally.answered + tally.proved_unsent + tally.possible, ROUNDS);
    tally
}

#[tokio::test]
async fn closed_or_reset_before_reading() {
    for end in [End::Close, End::Reset] {
        let tally = race(Act::Ignore(end), BODY).await;
        assert_eq!((tally.answered, tally.had_it_all), (0, 0), "{end:?} {tally:?}");
    }
}

/// What has arrived by then may be nothing, a part, or all.
#[tokio::test]
async fn closed_or_reset_after_reading_what_was_there() {
    for end in [End::Close, End::Reset] {
        let tally = race(Act::Peek(end), BODY).await;
        assert_eq!(tally.answered, 0, "{end:?} {tally:?}");
        assert!(tally.possible >= tally.had_it_all, "{end:?} {tally:?}");
    }
}

#[tokio::test]
async fn closed_or_reset_after_reading_it_all() {
    for end in [End::Close, End::Reset] {
        let tally = race(Act::Answer(Vec::new(), end), BODY).await;
        assert_eq!((tally.had_it_all, tally.possible), (ROUNDS, ROUNDS), "{end:?} {tally:?}");
    }
}

/// Without a body there is no witness: once connected, nothing is ever proved.
#[tokio::test]
async fn without_a_body_nothing_is_proved() {
    for act in [Act::Ignore(End::Close), Act::Peek(End::Close)] {
        let tally = race(act, "").await;
        assert_eq!((tally.answered, tally.proved_unsent), (0, 0), "{tally:?}");
    }
    for act in [Act::Ignore(End::Reset), Act::Peek(End::Reset)] {
        let tally = race(act, "").await;
        assert_eq!(tally.answered, 0, "{tally:?}");
    }
}

/// The first call leaves a connection in the pool, which the server closes or resets while the
/// second is on its way.
#[tokio::test]
async fn a_kept_connection_that_the_server_ends() {
    for (end, body) in [(End::Close, BODY), (End::Reset, BODY), (End::Close, ""), (End::Reset, "")]
    {
        let server = Server::start(Act::AnswerThenPeek(answer("200 OK", "{}"), end));
        let client = patient();
        let mut tally = Tally::default();
        for _ in 0..ROUNDS {
            let url = server.url("http");
            let before = server.requests().len();
            let first = client.send(request(Purpose::Read, url.clone(), "")).await;
            let second = client.send(request(Purpose::Mutate, url, body)).await;
            // A reset can take the first answer with it; the second is what is looked at.
            let arrived = server.settled().len() - before - usize::from(first.is_ok());
            if first.is_ok() {
                tally.add(&second, arrived, body);
            }
        }
        assert!(tally.had_it_all > 0, "{end:?} {tally:?}");
    }
}
