//! The edge, the body and the router together, in one process.

mod authorization;
mod connections;
mod requests;
mod specification;

use std::time::Duration;

use poem::{Endpoint, EndpointExt, Request, Response, Route};
use poem_openapi::{Object, OpenApi, param::Query, payload::Json};
use serde::Deserialize;
use tokio::sync::mpsc;

use super::{
    body::{Body, BodyBounds, present},
    bounded::Bounded,
    cors::Origins,
    edge::Edge,
    idempotency::Idempotency,
    problem::Problem,
    routes::Routes,
};
use crate::value::{Password, Username, Wei};

#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
struct Outer {
    username: Username,
    #[oai(write_only)]
    password: Password,
    #[serde(default, deserialize_with = "present")]
    inner: Option<Vec<Inner>>,
}

#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
struct Inner {
    amount: Wei,
}

struct Sample {
    finished: mpsc::UnboundedSender<&'static str>,
}

/// Tells when it is dropped before its work was done.
struct Cut(Option<mpsc::UnboundedSender<&'static str>>);

impl Drop for Cut {
    fn drop(&mut self) {
        if let Some(finished) = self.0.take() {
            let _ = finished.send("cut");
        }
    }
}

impl Sample {
    async fn work(&self) -> Json<bool> {
        let mut cut = Cut(Some(self.finished.clone()));
        tokio::time::sleep(Duration::from_millis(300)).await;
        cut.0 = None;
        let _ = self.finished.send("done");
        Json(true)
    }
}

#[OpenApi(prefix_path = "/api")]
impl Sample {
    #[oai(path = "/body", method = "post", operation_id = "body")]
    async fn body(&self, Body(outer): Body<Outer>) -> Result<Json<String>, Problem> {
        let Outer { username, password, inner } = outer;
        assert!(!password.expose().is_empty());
        Ok(Json(format!(
            "{username} {}",
            inner.iter().flatten().map(|inner| inner.amount.to_string()).collect::<String>()
        )))
    }

    #[oai(path = "/query", method = "get", operation_id = "query")]
    async fn query(&self, Query(limit): Query<Option<Bounded<1, 100>>>) -> Json<u64> {
        Json(limit.map_or(20, Bounded::get))
    }

    #[oai(path = "/key", method = "post", operation_id = "key")]
    async fn key(&self, #[oai(name = "Idempotency-Key")] Idempotency(key): Idempotency) -> Json<String> {
        Json(key.map(|key| key.to_string()).unwrap_or_default())
    }

    #[oai(path = "/panic", method = "get", operation_id = "panic")]
    async fn panic(&self) -> Json<bool> {
        panic!("hunter2")
    }

    #[oai(path = "/panic", method = "post", operation_id = "panic_too")]
    async fn panic_too(&self) -> Json<bool> {
        panic!("hunter2")
    }

    #[oai(path = "/slow", method = "get", operation_id = "slow")]
    async fn slow(&self) -> Json<bool> {
        self.work().await
    }

    #[oai(path = "/slow", method = "post", operation_id = "slow_too")]
    async fn slow_too(&self) -> Json<bool> {
        self.work().await
    }
}

/// The sample API behind the edge; what its slow work says comes out of the receiver.
fn sample() -> (impl Endpoint<Output = Response> + 'static, mpsc::UnboundedReceiver<&'static str>) {
    let (finished, receiver) = mpsc::unbounded_channel();
    let bounds = BodyBounds { bytes: 1000, time: Duration::from_millis(300) };
    let service = super::spec::service(Sample { finished });
    let inner = Route::new().nest("/", service).data(bounds).map_to_response();
    let origins = Origins::new(&["https://wallet.example".to_owned()]).expect("an origin");
    (Edge::new(inner, Routes::of::<Sample>(), origins, Duration::from_secs(2)), receiver)
}

/// The answer to a request: status, the header asked for, and the body as JSON.
async fn ask(request: Request) -> (u16, Response, serde_json::Value) {
    let (endpoint, _receiver) = sample();
    let mut response = endpoint.get_response(request).await;
    let body = response.take_body().into_string().await.expect("a body in UTF-8");
    (response.status().as_u16(), response, serde_json::from_str(&body).unwrap_or(body.into()))
}

fn post(path: &str, body: &str) -> Request {
    Request::builder()
        .method(poem::http::Method::POST)
        .uri_str(path)
        .content_type("application/json")
        .body(body.to_owned())
}

fn get(path: &str) -> Request {
    Request::builder().uri_str(path).finish()
}
