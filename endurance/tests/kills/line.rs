//! The way to one provider. Now and then it is down: connections are refused, and those that were
//! there break off wherever they are.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use fastrand::Rng;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::JoinSet,
};
use url::Url;

/// For how long a way is there before it is down, in milliseconds. It is down for about a tenth of
/// the time.
const UP_MS: (u64, u64) = (1_000, 9_000);
/// For how long it is down: by the clocks of the processes, until after the first repetitions.
const DOWN_MS: (u64, u64) = (200, 1_000);
/// Connections that wait to be taken.
const BACKLOG: u32 = 1_024;

/// A port of loopback that leads to a provider.
pub(crate) struct Line {
    /// Holds the port while nobody listens there, so that it stays this line's own.
    _held: TcpSocket,
    port: u16,
    to: SocketAddr,
    downs: AtomicU32,
}

impl Line {
    /// Leads to where this URL does. Gives the URL that goes over the line.
    pub(crate) fn to(provider: &Url) -> (Arc<Self>, Url) {
        let to = provider.socket_addrs(|| None).expect("the sandbox is on loopback")[0];
        let held = bind(0).expect("there is a port");
        let port = held.local_addr().expect("it is bound").port();
        let mut url = provider.clone();
        url.set_port(Some(port)).expect("it has a host");
        (Arc::new(Self { _held: held, port, to, downs: AtomicU32::new(0) }), url)
    }

    /// How often it was down.
    pub(crate) fn downs(&self) -> u32 {
        self.downs.load(Ordering::SeqCst)
    }

    /// Is there and is not, as the dice say, until it is over.
    pub(crate) async fn waver(self: Arc<Self>, mut dice: Rng, mut over: watch::Receiver<bool>) {
        loop {
            let up = Duration::from_millis(dice.u64(UP_MS.0..UP_MS.1));
            let down = Duration::from_millis(dice.u64(DOWN_MS.0..DOWN_MS.1));
            let listener = self.open();
            tokio::select! {
                () = carry(listener, self.to) => {}
                // These waits are what the test does to the provider, not waits for something.
                () = tokio::time::sleep(up) => {}
                _ = over.wait_for(|over| *over) => return,
            }
            self.downs.fetch_add(1, Ordering::SeqCst);
            tokio::select! {
                () = tokio::time::sleep(down) => {}
                _ = over.wait_for(|over| *over) => return,
            }
        }
    }

    /// Is there for good, in the background.
    pub(crate) fn stay(&self, tasks: &mut JoinSet<()>) {
        tasks.spawn(carry(self.open(), self.to));
    }

    fn open(&self) -> TcpListener {
        let socket = bind(self.port).expect("the port is held for it");
        socket.listen(BACKLOG).expect("it can be listened to")
    }
}

/// A socket at this port, which it may share with others of this process.
fn bind(port: u16) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    Ok(socket)
}

/// Carries what comes, until it is dropped, and all connections with it.
async fn carry(listener: TcpListener, to: SocketAddr) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((near, _)) = accepted {
                    connections.spawn(connect(near, to));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Whatever breaks on the one side breaks on the other.
async fn connect(mut near: TcpStream, to: SocketAddr) -> io::Result<()> {
    let mut far = TcpStream::connect(to).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    copy_bidirectional(&mut near, &mut far).await?;
    Ok(())
}
