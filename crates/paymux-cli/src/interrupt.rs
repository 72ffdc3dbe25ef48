//! Waiting for Ctrl-C.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use crate::Stop;

/// Says something, and waits until it is interrupted.
pub(crate) async fn wait_after(say: impl FnOnce() -> Result<(), Stop>) -> Result<(), Stop> {
    // It listens from its first poll on, and whoever reads what is said may interrupt at once.
    let mut interrupt = pin!(tokio::signal::ctrl_c());
    let first = poll_fn(|context| Poll::Ready(interrupt.as_mut().poll(context))).await;
    say()?;
    match first {
        Poll::Ready(interrupted) => Ok(interrupted?),
        Poll::Pending => Ok(interrupt.await?),
    }
}
