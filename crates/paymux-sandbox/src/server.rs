//! Listening, answering, stopping.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::reply::CutConnection;
use crate::stopped;

/// Requests under way at shutdown have this long to finish.
const FINISH_WITHIN: Duration = Duration::from_secs(1);

/// Binds a port of loopback; 0 takes any.
pub(crate) async fn bind(port: u16) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Serves until `stop` becomes true or its sender is gone.
pub(crate) async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Out of file handles, or the peer is gone already: others may still come.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
            },
            () = stopped(&mut stop) => break,
            Some(_) = connections.join_next() => continue,
        };
        // Answers are small and awaited; a lost error here only means slower ones.
        let _slower = stream.set_nodelay(true);
        let router = TowerToHyperService::new(router.clone());
        let service = service_fn(move |request: Request<Incoming>| answer(router.clone(), request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service);
        connections.spawn(graceful.watch(connection));
    }
    drop(listener);
    // Dropping the set ends what did not finish in time.
    let _unfinished = tokio::time::timeout(FINISH_WITHIN, graceful.shutdown()).await;
}

/// Answers one request, or fails on purpose, which closes the connection without an answer.
async fn answer(
    router: TowerToHyperService<Router>,
    request: Request<Incoming>,
) -> Result<Response, CutOnPurpose> {
    let response = router.call(request.map(Body::new)).await;
    let response = response.unwrap_or_else(|never: Infallible| match never {});
    match response.extensions().get::<CutConnection>() {
        Some(CutConnection) => Err(CutOnPurpose),
        None => Ok(response),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the connection was cut on request")]
struct CutOnPurpose;
