//! The API over HTTP: wire types, credentials, problems and the listener. One file per noun.
//!
//! A request passes [`listener`] (bounds of the connection), [`edge`] (id, log, problems, headers), the router, then
//! its operation's extractors in order: the credential first ([`auth`]), the body last ([`body`]).

pub mod actions;
pub mod agents;
pub mod answers;
pub mod auth;
pub mod body;
pub mod bounded;
pub mod chains;
pub mod code;
pub mod cors;
pub mod docs;
pub mod edge;
pub mod errors;
pub mod headers;
pub mod health;
pub mod idempotency;
pub mod keystores;
pub mod listener;
pub mod mfa;
pub mod nonces;
pub mod problem;
pub mod request_id;
pub mod routes;
pub mod scalars;
mod schema;
pub mod spec;
pub mod stall;
pub mod tls;
pub mod tokens;
pub mod transactions;
pub mod users;
pub mod wallets;

use std::time::Duration;

use poem::{Endpoint, EndpointExt, Response, Route, endpoint::make_sync, get};
use poem_openapi::Tags;

use self::{body::BodyBounds, cors::Origins, edge::Edge, routes::Routes};
use crate::state::State;

/// Where operations stand in the documentation.
#[derive(Debug, Clone, Copy, Tags)]
enum Tag {
    /// Registering, logging in, the authenticator app.
    Account,
    /// Wallets and what they hold.
    Wallets,
    /// Programs that act for a user, with an API key.
    Agents,
    /// Prepared by agents, decided by users, executed by agents.
    Transactions,
    /// The server itself.
    Server,
}

/// What an operator may decide about the API.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether `/docs` shows the specification as a page.
    pub docs: bool,
    /// The origins whose pages may use the API; none by default.
    pub origins: Origins,
    /// How much of a body is read, and for how long.
    pub body: BodyBounds,
    /// The longest a request may take. Longer than the longest poll, 50 s.
    pub request_time: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            docs: false,
            origins: Origins::default(),
            body: BodyBounds::default(),
            request_time: Duration::from_secs(75),
        }
    }
}

/// Every operation of the API.
type Api = (
    users::UsersApi,
    mfa::MfaApi,
    wallets::WalletsApi,
    keystores::KeystoresApi,
    agents::AgentsApi,
    transactions::TransactionsApi,
    nonces::NoncesApi,
    chains::ChainsApi,
    tokens::TokensApi,
    health::HealthApi,
);

fn api(state: &State) -> Api {
    (
        users::UsersApi(state.clone()),
        mfa::MfaApi(state.clone()),
        wallets::WalletsApi(state.clone()),
        keystores::KeystoresApi(state.clone()),
        agents::AgentsApi(state.clone()),
        transactions::TransactionsApi(state.clone()),
        nonces::NoncesApi(state.clone()),
        chains::ChainsApi(state.clone()),
        tokens::TokensApi(state.clone()),
        health::HealthApi(state.clone()),
    )
}

/// Everything the server answers.
pub fn router(state: State, settings: Settings) -> impl Endpoint<Output = Response> + 'static {
    let Settings { docs, origins, body, request_time } = settings;
    let specification = hyper::body::Bytes::from(spec());
    let specification =
        make_sync(move |_| Response::builder().content_type("application/json").body(specification.clone()));
    let mut routes = Routes::of::<Api>().with_page("/openapi.json");
    let mut route = Route::new().at("/openapi.json", get(specification)).nest("/", spec::service(api(&state)));
    if docs {
        route = docs::route(route);
        routes = docs::PATHS.iter().fold(routes, |routes, path| routes.with_page(path));
    }
    Edge::new(route.data(body).data(state).map_to_response(), routes, origins, request_time)
}

/// The specification of the API, as it is served at `/openapi.json` and kept at the root of the repository.
pub fn spec() -> String {
    spec::render::<Api>()
}

#[cfg(test)]
mod tests;
