//! Serving until told to stop.

use std::time::Duration;

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

/// How long closing the database may take.
const CLOSING_TIMEOUT: Duration = Duration::from_secs(5);

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
    let store = state.store.clone();
    let mut watching = watchers::start(&state, config.poll_interval, &stop);
    listener.serve(socket, http::router(state, settings), stop).await;
    while watching.join_next().await.is_some() {}
    // Whatever holds a connection longer does not hold up the end of the process, which closes it as well.
    match tokio::time::timeout(CLOSING_TIMEOUT, store.close()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = %error, "the database was not closed"),
        Err(_) => tracing::warn!("the database was not closed in time"),
    }
    Ok(())
}
