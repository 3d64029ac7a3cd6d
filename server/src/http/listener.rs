//! The accept loop. poem's own has no time limits, no bounds, and spins when file descriptors run out.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::{
    Endpoint, Request, Response,
    http::uri::Scheme,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
    time::timeout,
};

use super::{stall::StallLimit, tls::Tls};

/// Bounds of every connection. The bounds of a body and of a whole request are the router's.
#[derive(Debug, Clone)]
pub struct Listener {
    /// How long a client may take for its request's headers, and how long a connection may idle between requests.
    pub header_time: Duration,
    /// How long a TLS handshake may take.
    pub handshake_time: Duration,
    /// How long a client may take none of an answer before it is cut off.
    pub stall_time: Duration,
    /// The most bytes of one request's headers.
    pub header_bytes: usize,
    /// The most headers of one request.
    pub headers: usize,
    /// The most connections at once; more wait in the system's backlog.
    pub connections: usize,
    /// How long requests may go on after the server was told to stop.
    pub drain_time: Duration,
    /// The certificate, when the server speaks TLS itself.
    pub tls: Option<Tls>,
}

impl Default for Listener {
    /// Generous for people and programs, tight for whoever only holds connections.
    fn default() -> Self {
        Self {
            header_time: Duration::from_secs(15),
            handshake_time: Duration::from_secs(10),
            stall_time: Duration::from_secs(30),
            header_bytes: 16 << 10,
            headers: 64,
            connections: 1024,
            drain_time: Duration::from_secs(10),
            tls: None,
        }
    }
}

/// Held by every connection and every request, so that stopping can wait for the last. A request holds it in its
/// extensions, because one that changes something goes on when its connection is gone.
#[derive(Debug, Clone)]
struct InFlight(#[expect(dead_code, reason = "only its drop counts")] mpsc::Sender<()>);

impl Listener {
    /// Serves connections until `stop` turns true or its sender is gone, then lets requests end for `drain_time`.
    pub async fn serve<E>(self, socket: TcpListener, endpoint: E, mut stop: watch::Receiver<bool>)
    where
        E: Endpoint<Output = Response> + 'static,
    {
        let slots = Arc::new(Semaphore::new(self.connections));
        let (sender, mut all_gone) = mpsc::channel(1);
        let in_flight = InFlight(sender);
        let server = Arc::new(Server { settings: self, endpoint });
        let mut connections = JoinSet::new();
        loop {
            // The place comes before the connection: what cannot be served is not accepted either.
            let next = async {
                let slot = slots.clone().acquire_owned().await.ok()?;
                Some((slot, accept(&socket).await))
            };
            let (slot, (stream, peer)) = tokio::select! {
                Some(next) = next => next,
                () = stopped(&mut stop) => break,
            };
            let (server, stop, in_flight) = (server.clone(), stop.clone(), in_flight.clone());
            connections.spawn(async move {
                server.connect(stream, peer, stop, in_flight).await;
                drop(slot);
            });
            while connections.try_join_next().is_some() {}
        }
        drop((socket, in_flight));
        if timeout(server.settings.drain_time, all_gone.recv()).await.is_err() {
            tracing::warn!("requests were still running when the time to stop was over");
        }
    }
}

/// The next connection. A failed accept says nothing about the next one, except when there is no file descriptor left
/// (`EMFILE`): then trying at once would only burn the processor.
async fn accept(socket: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match socket.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_the_peer(&error) => {}
            Err(error) => {
                tracing::warn!(error = %error, "cannot accept connections");
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        }
    }
}

fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone is a server that is going, too.
    let _ = stop.wait_for(|stop| *stop).await;
}

struct Server<E> {
    settings: Listener,
    endpoint: E,
}

impl<E: Endpoint<Output = Response> + 'static> Server<E> {
    async fn connect(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, stop: Stop, in_flight: InFlight) {
        // Answers are small and complete: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.settings.tls else {
            return self.speak(stream, Scheme::HTTP, peer, stop, in_flight).await;
        };
        match timeout(self.settings.handshake_time, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.clone().speak(stream, Scheme::HTTPS, peer, stop, in_flight).await,
            Ok(Err(error)) => tracing::debug!(error = %error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake took too long"),
        }
    }

    async fn speak<S>(self: Arc<Self>, stream: S, scheme: Scheme, peer: SocketAddr, mut stop: Stop, in_flight: InFlight)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let io = TokioIo::new(StallLimit::new(stream, self.settings.stall_time));
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(self.settings.header_time)
            .max_header_size(self.settings.header_bytes)
            .max_headers(self.settings.headers);
        let service = service_fn(|request: hyper::Request<Incoming>| {
            let (local, remote) = (LocalAddr::default(), RemoteAddr(peer.into()));
            let mut request = Request::from((request, local, remote, scheme.clone()));
            request.extensions_mut().insert(in_flight.clone());
            async { Ok::<_, Infallible>(hyper::Response::from(self.endpoint.get_response(request).await)) }
        });
        let mut connection = pin!(builder.serve_connection(io, service));
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(error = %error, "connection ended early");
        }
    }
}

type Stop = watch::Receiver<bool>;
