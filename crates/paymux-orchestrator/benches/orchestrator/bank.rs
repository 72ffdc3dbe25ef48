//! A provider that accepts everything, on loopback, in a thread of its own.

use std::{
    convert::Infallible,
    fs,
    path::PathBuf,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::CONTENT_TYPE,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use paymux_core::Url;
use tokio::net::TcpListener;

use crate::report::processor_of;

/// What it answers: about 1 KB, as such providers do.
const ANSWER: &str = include_str!("answer.json");

/// It serves until the process ends.
pub(crate) struct Bank {
    /// Where payments are asked for.
    pub(crate) url: Url,
    /// Where the system says how much of the processor its thread took.
    stat: PathBuf,
}

impl Bank {
    pub(crate) fn open() -> Self {
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let stat = fs::canonicalize("/proc/thread-self/stat").unwrap_or_default();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
            runtime.unwrap().block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                let url = Url::parse(&format!("http://{address}/payments")).unwrap();
                tell.send(Self { url, stat }).unwrap();
                serve(listener).await;
            });
        });
        told.recv().unwrap()
    }

    /// The processor's time that it took so far. It is not ours.
    pub(crate) fn processor(&self) -> Duration {
        processor_of(&self.stat)
    }
}

async fn serve(listener: TcpListener) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let connection =
            http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
        tokio::spawn(connection);
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // Read whole, so that the connection is kept.
    request.into_body().collect().await.unwrap();
    let id = format!("bank_{:020}", NEXT.fetch_add(1, Ordering::Relaxed));
    let response = Response::builder().header(CONTENT_TYPE, "application/json");
    Ok(response.body(Full::from(ANSWER.replace("{id}", &id))).unwrap())
}
