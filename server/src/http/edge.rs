//! The outermost endpoint: what is true of every request, whatever it asks for.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use poem::{Endpoint, IntoResponse, Request, Response, Result, http::Method};

use super::{
    code::Code,
    cors::Origins,
    errors, headers,
    problem::Problem,
    request_id::{self, RequestId},
    routes::Routes,
};

/// Gives every request an id, one line in the log, and an answer: a problem where the work refuses, fails, panics or
/// takes too long.
///
/// A GET ends when its client goes, which is what a long poll wants. Everything else runs to its end in a task of its
/// own: a client that hangs up, or the time limit, must not cut a state change in half. What it did can be read
/// afterwards, and repeated safely under its idempotency key.
pub struct Edge<E> {
    inner: Arc<E>,
    routes: Routes,
    origins: Origins,
    limit: Duration,
}

impl<E> Edge<E> {
    /// Wraps an endpoint. `limit` is the longest a request may take; it must be longer than the longest poll.
    pub fn new(inner: E, routes: Routes, origins: Origins, limit: Duration) -> Self {
        Self { inner: Arc::new(inner), routes, origins, limit }
    }
}

impl<E: Endpoint<Output = Response> + 'static> Endpoint for Edge<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let id = RequestId::of(&request);
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let started = Instant::now();
        let mut response = id.clone().scope(self.answer(request, &id)).await;
        response.headers_mut().insert(request_id::HEADER, id.header_value());
        // Never the query, the headers or a body: they hold credentials and codes.
        tracing::info!(
            http.method = %method,
            http.path = path.get(..200).unwrap_or(&path),
            http.status = response.status().as_u16(),
            duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            request_id = id.as_str(),
            "request"
        );
        Ok(response)
    }
}

impl<E: Endpoint<Output = Response> + 'static> Edge<E> {
    async fn answer(&self, request: Request, id: &RequestId) -> Response {
        let origin = self.origins.of(&request);
        let mut response = match (&origin, self.routes.check_query(&request)) {
            (Some(origin), _) if origin.is_preflight(&request) => origin.preflight(&self.routes.allowed(request.uri())),
            (_, Err(problem)) => problem.into_response(),
            (_, Ok(())) => self.run(request, id).await,
        };
        headers::secure(&mut response);
        if let Some(origin) = origin {
            origin.mark(&mut response);
        }
        response
    }

    async fn run(&self, request: Request, id: &RequestId) -> Response {
        let allowed = self.routes.allowed(request.uri());
        let only_reads = [Method::GET, Method::HEAD].contains(request.method());
        let inner = self.inner.clone();
        let work = async move { AssertUnwindSafe(inner.call(request)).catch_unwind().await };
        let done = if only_reads {
            tokio::time::timeout(self.limit, work).await
        } else {
            let task = tokio::spawn(id.clone().scope(work));
            tokio::time::timeout(self.limit, task)
                .await
                .map(|joined| joined.unwrap_or_else(|error| Err(Box::new(error))))
        };
        match done {
            Ok(Ok(Ok(response))) => response,
            Ok(Ok(Err(error))) => errors::respond(error, &allowed),
            Ok(Err(_)) => {
                // The panic's own message went to standard error; it may hold anything, so it is not repeated.
                tracing::error!(request_id = id.as_str(), "handler panicked");
                errors::internal().into_response()
            }
            Err(_) => Problem::new(Code::Busy, "the request took too long; it may still be done").into_response(),
        }
    }
}
