use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Knows whether a request body was offered to a socket.
///
/// The HTTP implementation asks a body for its bytes only once it has taken the request off its
/// queue for a live connection. As long as it has not asked, the provider cannot hold the
/// request, whatever the error says and even if the caller went away.
#[derive(Debug)]
pub(super) struct Witness {
    /// `None` for a request without body, of which nothing can be known this way.
    offered: Option<Arc<AtomicBool>>,
}

impl Witness {
    pub(super) fn new(body: &Bytes) -> Self {
        Self { offered: (!body.is_empty()).then(Arc::default) }
    }

    /// The body to send, reporting here.
    pub(super) fn body(&self, bytes: Bytes) -> WitnessedBody {
        WitnessedBody { bytes: Some(bytes), offered: self.offered.clone().unwrap_or_default() }
    }

    /// Was any byte offered? `None` when there was no body to tell by.
    pub(super) fn offered(&self) -> Option<bool> {
        self.offered.as_ref().map(|offered| offered.load(Ordering::SeqCst))
    }
}

/// A body of known length that reports when it is first asked for its bytes. It cannot be cloned,
/// so that no layer below can send it twice.
pub(super) struct WitnessedBody {
    bytes: Option<Bytes>,
    offered: Arc<AtomicBool>,
}

impl Body for WitnessedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.offered.store(true, Ordering::SeqCst);
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.bytes.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(u64::try_from(left).unwrap_or(u64::MAX))
    }
}
