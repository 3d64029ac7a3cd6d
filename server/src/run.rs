//! Serving until told to stop.

use tokio::{net::TcpListener, sync::watch};

use crate::{
    config::Config,
    http::{
        self,
        cors::Origins,
        listener::Listener,
        tls::{Tls, TlsError},
    },
    state::State,
    value::Invalid,
    watch as watchers,
};

/// Why a server cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The certificate or its key cannot be used.
    #[error("TLS_CERTIFICATE_FILE and TLS_KEY_FILE cannot be used: {0}")]
    Tls(#[from] TlsError),
    /// The allowed origins do not parse.
    #[error("CORS_ORIGINS: {0}")]
    Origins(#[from] Invalid),
}

/// Answers requests on `socket` and watches the chains until `stop` becomes true; then lets what is under way finish.
pub async fn run(
    state: State,
    config: &Config,
    socket: TcpListener,
    stop: watch::Receiver<bool>,
) -> Result<(), RunError> {
    let origins: Origins = Origins::new(&config.cors_origins)?;
    let tls = config.tls.as_ref().map(|(certificate, key)| Tls::from_files(certificate, key)).transpose()?;
    let listener = Listener { connections: config.connections, tls, ..Listener::default() };
    let settings = http::Settings { docs: config.docs, origins, ..http::Settings::default() };
    let mut watching = watchers::start(&state, config.poll_interval, &stop);
    listener.serve(socket, http::router(state, settings), stop).await;
    while watching.join_next().await.is_some() {}
    Ok(())
}
