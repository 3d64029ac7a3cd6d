//! A subscription to new blocks over a WebSocket (`eth_subscribe`, `newHeads`). It is a hint to look at once and nothing more:
//! what it says is not believed, and without it the chain is asked from time to time all the same.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::time::timeout;
use tokio_tungstenite::{
    connect_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

use super::{Chain, ChainError};
use crate::value::Secret;

/// How long connecting and subscribing may take.
const BEGIN: Duration = Duration::from_secs(10);
/// How long a subscription may be silent before it is taken for dead: no chain makes blocks more rarely than this and is
/// followed by subscription.
const SILENCE: Duration = Duration::from_secs(120);
/// The largest message that is read; a header is far smaller.
const LARGEST: usize = 1 << 20;
const SUBSCRIBE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}"#;

impl Chain {
    /// The places in the settings of the endpoints that are subscribed to.
    pub fn subscribed(&self) -> Vec<usize> {
        let endpoints = self.settings().endpoints.iter().enumerate();
        endpoints.filter(|(_, endpoint)| endpoint.ws_url.is_some()).map(|(place, _)| place).collect()
    }

    /// Subscribes to an endpoint's new blocks, by its place in the settings, and wakes whoever waits in [`Chain::woken`] at
    /// each. Ends only by failing: with the connection, with the subscription, or with silence.
    pub async fn follow_heads(&self, place: usize) -> ChainError {
        let url = self.settings().endpoints.get(place).and_then(|endpoint| endpoint.ws_url.as_ref());
        match url {
            Some(url) => follow(url, || self.0.wake.notify_one()).await,
            None => ChainError::Settings("it has no ws_url"),
        }
    }

    /// Waits until a new block is told.
    pub async fn woken(&self) {
        self.0.wake.notified().await;
    }
}

async fn follow(url: &Secret<String>, wake: impl Fn()) -> ChainError {
    // Fixed words: the errors of the library name the host.
    let failed = |why: &str| ChainError::Unavailable(why.to_owned());
    let limits = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
    let connecting = connect_async_with_config(url.expose().as_str(), Some(limits), true);
    let Ok(Ok((mut socket, _))) = timeout(BEGIN, connecting).await else {
        return failed("no WebSocket connection");
    };
    if socket.send(Message::text(SUBSCRIBE)).await.is_err() {
        return failed("the WebSocket connection broke");
    }
    loop {
        match timeout(SILENCE, socket.next()).await {
            Err(_) => return failed("its subscription is silent"),
            Ok(Some(Ok(Message::Text(text)))) => {
                let said: Value = serde_json::from_str(&text).unwrap_or_default();
                if !said["error"].is_null() {
                    return failed("it refuses the subscription");
                }
                if said["method"] == "eth_subscription" {
                    wake();
                }
            }
            // Pings are answered by the library with the next read.
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(_)) | None) => return failed("the WebSocket connection broke"),
        }
    }
}
