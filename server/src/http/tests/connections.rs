//! The listener, over real sockets.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use super::sample;
use crate::http::{listener::Listener, tls::Tls};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

async fn run(listener: Listener) -> Running {
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = socket.local_addr().expect("a bound socket");
    let (stop, stopped) = watch::channel(false);
    let server = tokio::spawn(listener.serve(socket, sample().0, stopped));
    Running { address, stop, server }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a listening server")
    }
}

/// Sends bytes and reads until the server closes.
async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &str) -> String {
    stream.write_all(bytes.as_bytes()).await.expect("the server reads");
    let mut answer = Vec::new();
    let read = timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
    // A reset after the answer is as good an end as any.
    let _ = read.expect("the server closes");
    String::from_utf8(answer).expect("an answer in UTF-8")
}

#[tokio::test]
async fn requests_on_one_connection_are_answered() {
    let running = run(Listener::default()).await;
    let twice =
        "GET /api/query HTTP/1.1\r\nhost: a\r\n\r\nGET /api/query HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let answer = exchange(running.connect().await, twice).await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
}

#[tokio::test]
async fn slow_headers_are_cut() {
    let running = run(Listener { header_time: Duration::from_millis(100), ..Listener::default() }).await;
    assert_eq!(exchange(running.connect().await, "GET /api/query HTTP/1.1\r\nho").await, "");
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let running = run(Listener::default()).await;
    let request = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(65));
    assert!(exchange(running.connect().await, &request).await.starts_with("HTTP/1.1 431 "));
    let request = format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(20_000));
    assert!(exchange(running.connect().await, &request).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn a_large_body_is_refused_before_it_is_sent_and_a_slow_one_given_up() {
    let running = run(Listener::default()).await;
    let head = "POST /api/body HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
    let answer = exchange(running.connect().await, &format!("{head}content-length: 99999999\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("payload_too_large"), "{answer}");
    let answer = exchange(running.connect().await, &format!("{head}content-length: 99\r\n\r\n{{")).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("request_timeout"), "{answer}");
}

#[tokio::test]
async fn no_more_connections_are_served_than_allowed() {
    let running = run(Listener { connections: 1, ..Listener::default() }).await;
    let first = running.connect().await;
    // Until the first is accepted, either could be.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut second = running.connect().await;
    second.write_all(b"GET /api/query HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("the system buffers");
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(100), second.read(&mut byte)).await.is_err());
    drop(first);
    assert_eq!(timeout(Duration::from_secs(5), second.read(&mut byte)).await.expect("its turn").expect("an answer"), 1);
}

#[tokio::test]
async fn stopping_lets_a_running_request_end() {
    let running = run(Listener::default()).await;
    let stream = running.connect().await;
    let request = tokio::spawn(exchange(stream, "GET /api/slow HTTP/1.1\r\nhost: a\r\n\r\n"));
    tokio::time::sleep(Duration::from_millis(100)).await;
    running.stop.send(true).expect("the server listens");
    assert!(request.await.expect("no panic").starts_with("HTTP/1.1 200 OK"));
    timeout(Duration::from_secs(5), running.server).await.expect("it ends").expect("no panic");
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn stopping_waits_for_a_change_whose_client_is_gone_but_not_for_ever() {
    let running = run(Listener::default()).await;
    let mut stream = running.connect().await;
    stream.write_all(b"POST /api/slow HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("the server reads");
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(stream);
    let started = std::time::Instant::now();
    running.stop.send(true).expect("the server listens");
    running.server.await.expect("no panic");
    assert!(started.elapsed() > Duration::from_millis(150));

    let running = run(Listener { drain_time: Duration::from_millis(20), ..Listener::default() }).await;
    let mut stream = running.connect().await;
    stream.write_all(b"GET /api/slow HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("the server reads");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let started = std::time::Instant::now();
    running.stop.send(true).expect("the server listens");
    running.server.await.expect("no panic");
    assert!(started.elapsed() < Duration::from_millis(150));
}

async fn tls() -> Running {
    let fixtures = Path::new(FIXTURES);
    let tls = Tls::from_files(&fixtures.join("server.pem"), &fixtures.join("server.key")).expect("the fixtures");
    run(Listener { tls: Some(tls), handshake_time: Duration::from_millis(200), ..Listener::default() }).await
}

#[tokio::test]
async fn tls_is_spoken_with_the_certificate() {
    let running = tls().await;
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(Path::new(FIXTURES).join("authority.pem")).expect("the fixture");
    roots.add(authority).expect("a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider's own versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let stream =
        TlsConnector::from(Arc::new(config)).connect(name, running.connect().await).await.expect("a handshake");
    let answer = exchange(stream, "GET /api/query HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn a_silent_tls_client_is_cut() {
    let running = tls().await;
    assert_eq!(exchange(running.connect().await, "").await, "");
}

#[test]
fn a_certificate_without_its_key_is_refused() {
    let fixtures = Path::new(FIXTURES);
    assert!(Tls::from_files(&fixtures.join("server.pem"), &fixtures.join("server.pem")).is_err());
    assert!(Tls::from_files(&fixtures.join("server.key"), &fixtures.join("server.key")).is_err());
    assert!(Tls::from_files(&fixtures.join("missing.pem"), &fixtures.join("server.key")).is_err());
}
