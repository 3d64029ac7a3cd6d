//! `openapi.json`, the server and the SDK say the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use agent_sdk::{
    AbiCall, AgentClient, Authorize, AuthorizeBatch, CreateAgent, ErrorCode, Evidence, Execute, ImportWallet,
    NonceClearing, Paging, PrepareTransaction, Secret, Send, Status, Transaction, TransactionFilter, UserClient,
    WaitingReason,
};
use alloy::primitives::{Address, B256, Bytes, U256};
use poem::{EndpointExt, Request, Response, endpoint::make, http::StatusCode};
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, sync::watch};
use uuid::Uuid;
use wallet_server::{
    http::{code::Code, listener::Listener},
    keys::ApiKey,
    value,
};

const CHECKED_IN: &str = include_str!("../../../openapi.json");
const A_TRANSACTION: &str = include_str!("../../../agent-sdk/tests/transaction.json");
const CLEARINGS: &str = include_str!("../../../docs/clear-nonce-vectors.json");

fn spec() -> Value {
    serde_json::from_str(CHECKED_IN).expect("JSON")
}

#[test]
fn openapi_json_is_what_the_code_says() {
    assert!(CHECKED_IN == wallet_server::spec(), "openapi.json is out of date: run `make openapi`");
}

/// The words between backticks in the description of a schema's property.
fn words_of(schema: &str, property: &str) -> BTreeSet<String> {
    let spec = spec();
    let described = spec["components"]["schemas"][schema]["properties"][property]["description"].as_str();
    let described = described.unwrap_or_else(|| panic!("{schema}.{property} is not described"));
    described.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_sdk_knows_every_word_of_the_server() {
    for code in Code::ALL {
        assert!(!matches!(ErrorCode::from(code.as_str()), ErrorCode::Other(_)), "{}", code.as_str());
    }
    for status in value::Status::ALL {
        let known = Status::from(status.as_str());
        assert!(!matches!(known, Status::Other(_)) && known.is_final() == status.is_final(), "{status}");
    }
    for reason in value::WaitingReason::ALL {
        assert!(!matches!(WaitingReason::from(reason.as_str()), WaitingReason::Other(_)), "{reason}");
    }
    for evidence in value::Evidence::ALL {
        assert!(!matches!(Evidence::from(evidence.as_str()), Evidence::Other(_)), "{evidence}");
    }
    for execute in value::Execute::ALL {
        let known: Execute = serde_json::from_value(json!(execute.as_str())).expect("a word of the SDK");
        assert_eq!(known.as_str(), execute.as_str());
    }
}

#[test]
fn openapi_json_names_every_word_and_no_other() {
    let all = |words: &mut dyn Iterator<Item = &'static str>| words.map(str::to_owned).collect::<BTreeSet<_>>();
    let statuses = all(&mut value::Status::ALL.iter().map(|word| word.as_str()));
    let reasons = all(&mut value::WaitingReason::ALL.iter().map(|word| word.as_str()));
    let evidence = all(&mut value::Evidence::ALL.iter().map(|word| word.as_str()));
    let execute = all(&mut value::Execute::ALL.iter().map(|word| word.as_str()));
    assert_eq!(words_of("Transaction", "status"), statuses);
    assert_eq!(words_of("Waiting", "reason"), reasons);
    assert_eq!(words_of("Transaction", "evidence"), evidence);
    assert_eq!(words_of("Transaction", "execute"), execute);
    assert!(words_of("PrepareTransaction", "execute").is_superset(&execute));
}

/// A request as it came.
#[derive(Debug, Clone)]
struct Asked {
    method: String,
    path: String,
    query: Vec<String>,
    body: Option<Value>,
}

/// Takes every request, and refuses all but those whose answers other requests are made of.
struct Recorder {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    _stop: watch::Sender<bool>,
}

impl Recorder {
    async fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", socket.local_addr().expect("it is bound"));
        let (stop, stopped) = watch::channel(false);
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let kept = asked.clone();
        let endpoint = make(move |request| record(request, kept.clone()));
        tokio::spawn(Listener::default().serve(socket, endpoint.map_to_response(), stopped));
        Self { url, asked, _stop: stop }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panics").clone()
    }
}

async fn record(request: Request, asked: Arc<Mutex<Vec<Asked>>>) -> Response {
    let (method, path) = (request.method().as_str().to_lowercase(), request.uri().path().to_owned());
    let query: Vec<(String, String)> = request.params().expect("a query");
    let query = query.into_iter().map(|(name, _)| name).collect();
    let body = request.into_body().into_string().await.expect("text");
    let body = (!body.is_empty()).then(|| serde_json::from_str(&body).expect("JSON"));
    let answer = match path.as_str() {
        "/api/me" => Some(json!({
            "user_id": clearing().user_id, "username": "ada", "mfa_enabled": true, "backup_codes_left": 10,
            "created_at": "2026-11-23T10:00:00Z", "session_expires_at": "2026-11-23T10:30:00Z",
        })),
        "/api/preview_clear_nonce" => Some(json!(clearing())),
        _ => None,
    };
    asked.lock().expect("no panics").push(Asked { method, path, query, body });
    let status = if answer.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let answer = answer.unwrap_or_else(|| {
        json!({ "type": "urn:wallet-server:problem:not_found", "title": "", "status": 404, "code": "not_found",
                "detail": "", "request_id": "", "retryable": false })
    });
    Response::builder().status(status).content_type("application/json").body(answer.to_string())
}

/// A published one, with its user.
fn clearing() -> NonceClearing {
    let published: Vec<Value> = serde_json::from_str(CLEARINGS).expect("a list");
    let user_id = published[0]["user_id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let mut clearing: NonceClearing = serde_json::from_value(published[0].clone()).expect("a clearing");
    clearing.user_id = user_id;
    clearing
}

/// A request is only made here; what becomes of it is for other tests.
fn made<T>(outcome: Result<T, agent_sdk::Error>) {
    if let Err(error) = outcome {
        assert_eq!(error.code(), Some(ErrorCode::NotFound), "it was not sent: {error:?}");
    }
}

async fn ask_as_agent(agent: &AgentClient) {
    let (id, address, chain_id) = (Uuid::now_v7(), Address::ZERO, Some(1));
    let paging = || Paging::new().limit(5).cursor("next");
    let whole = PrepareTransaction::transfer(address, U256::from(1))
        .address(address)
        .chain_id(1)
        .memo("rent")
        .user_id(id)
        .expires_in(Duration::from_secs(600))
        .execute(Execute::OnApproval);
    made(agent.prepare(whole).await);
    made(agent.prepare(PrepareTransaction::raw(Some(address), U256::ZERO, Bytes::new())).await);
    made(agent.wallets(paging()).await);
    made(agent.load_wallet(Some(address)).await);
    made(agent.load_wallet(None).await);
    made(agent.chains().await);
    made(agent.token(chain_id, address).await);
    made(agent.status(id).await);
    made(agent.wait_for_change(id, 1, Duration::from_secs(1)).await);
    made(agent.execute(id).await);
    made(agent.cancel(id).await);
    made(agent.nonces(address, chain_id).await);
    made(agent.nonces(address, None).await);
    let filter = TransactionFilter::new().status(Status::Pending).agent_id(id).address(address).limit(5).cursor("next");
    made(agent.transactions(filter).await);
}

async fn ask_as_user(user: &UserClient) {
    let (id, address, code) = (Uuid::now_v7(), Address::ZERO, Secret::from("123456"));
    let password = Secret::from("correct horse battery staple");
    made(user.register("ada", &password).await);
    made(user.login("ada", &password).await);
    made(user.me().await);
    made(user.setup_mfa(&password, None).await);
    made(user.setup_mfa(&password, Some(&code)).await);
    made(user.confirm_mfa(&code).await);
    made(user.create_wallet(&password, Some("savings")).await);
    made(user.export_wallet(address, &password, &code, &password).await);
    made(user.import_wallet(&ImportWallet::new(json!({}), "a phrase").label("old"), &password, &code).await);
    made(user.load_wallet(&password, &code, address).await);
    made(user.create_agent(CreateAgent::new("payer", "123456").wallets([address]).chains([1])).await);
    made(user.agents(Paging::new().limit(5).cursor("next")).await);
    made(user.revoke_agent(id).await);
    made(user.revoke_agent_and_burn(id).await);
    made(user.nonces(address, Some(1)).await);
    let shown = clearing();
    made(user.preview_clear_nonce(shown.address, None, None).await);
    made(user.preview_clear_nonce(shown.address, Some(shown.chain_id), Some(shown.nonce)).await);
    made(user.clear_nonce(&shown, &code).await);
    let approval = Authorize::new(id, "123456").digest(B256::ZERO).acknowledge(["nonce_used_elsewhere"]);
    made(user.authorize(approval).await);
    let transaction: Transaction = serde_json::from_str(A_TRANSACTION).expect("a transaction");
    made(user.authorize_all(AuthorizeBatch::new("123456").add_acknowledging(&transaction, ["already_paid"])).await);
    made(user.reject(id, Some("no")).await);
    made(user.cancel(id).await);
    made(user.cancel_and_burn(id).await);
    let call = AbiCall::new(address, "function set(uint256 number)", "set", [json!("42")]).amount(U256::from(1));
    for send in [
        Send::transfer(address, address, U256::from(1)),
        Send::transfer_erc20(address, address, address, U256::from(1)),
        Send::contract_call(address, call),
    ] {
        let send = send.chain_id(1).digest(B256::ZERO).acknowledge(["excessive_fee"]);
        made(user.preview(&send).await);
        made(user.send(&send, &password, &code).await);
    }
    made(user.logout().await);
}

/// What a reference stands for.
fn resolved<'spec>(spec: &'spec Value, schema: &'spec Value) -> &'spec Value {
    let only = schema["allOf"].as_array().map_or(schema, |all| &all[0]);
    match only["$ref"].as_str() {
        Some(name) => &spec["components"]["schemas"][name.rsplit('/').next().expect("a name")],
        None => only,
    }
}

/// Every field is known and of its type, and no required one is missing, all the way down.
fn check(spec: &Value, schema: &Value, given: &Value, at: &str) {
    let schema = resolved(spec, schema);
    let fits = match schema["type"].as_str() {
        Some("string") => given.is_string(),
        Some("integer") => given.is_u64(),
        Some("boolean") => given.is_boolean(),
        Some("array") => given.is_array(),
        Some("object") => given.is_object(),
        // A union, which is told apart by its `type`, or anything.
        _ => true,
    };
    assert!(fits, "{at}: {given}");
    for item in given.as_array().into_iter().flatten() {
        check(spec, &schema["items"], item, at);
    }
    let Some(properties) = schema["properties"].as_object() else { return };
    let fields: &Map<String, Value> = given.as_object().expect("an object");
    for (name, field) in fields {
        let known = properties.get(name).unwrap_or_else(|| panic!("{at}: openapi.json has no {name}"));
        check(spec, known, field, &format!("{at}.{name}"));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(fields.contains_key(name.as_str().expect("a name")), "{at}: {name} is missing");
    }
}

/// Checks one request against its operation, and gives the fields and parameters that it had.
fn check_request(spec: &Value, asked: &Asked) -> BTreeSet<String> {
    let Asked { method, path, query, body } = asked;
    let operation = &spec["paths"][path][method];
    assert!(operation.is_object(), "openapi.json has no {method} {path}");
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let queried = parameters.iter().filter(|parameter| parameter["in"] == "query");
    let (mut known, mut required) = (BTreeSet::new(), BTreeSet::new());
    for parameter in queried {
        let name = parameter["name"].as_str().expect("a name").to_owned();
        if parameter["required"] == true {
            required.insert(name.clone());
        }
        known.insert(name);
    }
    let given: BTreeSet<String> = query.iter().cloned().collect();
    assert!(given.is_subset(&known) && given.is_superset(&required), "{path}: {given:?} of {known:?}");
    let content = operation["requestBody"]["content"].as_object();
    assert_eq!(content.is_some(), body.is_some(), "{path}: a body where there should be none, or none");
    let Some((content, body)) = content.zip(body.as_ref()) else { return given };
    check(spec, &content.values().next().expect("a body")["schema"], body, path);
    body.as_object().expect("an object").keys().cloned().chain(given).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sdk_asks_every_operation_with_all_of_its_fields() {
    let recorder = Recorder::start().await;
    let key = ApiKey::generate(value::AgentId::new());
    let agent = AgentClient::new(recorder.url.as_str(), key.text().expose().as_str());
    ask_as_agent(&agent.expect("a loopback URL and a good key")).await;
    ask_as_user(&UserClient::with_token(recorder.url.as_str(), "a token").expect("a loopback URL")).await;
    let spec = spec();
    let mut used = BTreeMap::<String, BTreeSet<String>>::new();
    for asked in recorder.asked() {
        used.entry(asked.path.clone()).or_default().extend(check_request(&spec, &asked));
    }
    let paths = spec["paths"].as_object().expect("paths").iter();
    for (path, operations) in paths.filter(|(path, _)| path.starts_with("/api/")) {
        let used = used.get(path).unwrap_or_else(|| panic!("the SDK never asks {path}"));
        for operation in operations.as_object().expect("operations").values() {
            let queried = operation["parameters"].as_array().into_iter().flatten();
            let queried = queried.filter(|parameter| parameter["in"] == "query");
            let queried = queried.map(|parameter| parameter["name"].as_str().expect("a name"));
            let content = operation["requestBody"]["content"].as_object();
            let body = content.map(|content| resolved(&spec, &content.values().next().expect("a body")["schema"]));
            let fields = body.and_then(|body| body["properties"].as_object()).into_iter().flat_map(Map::keys);
            let missing: Vec<_> =
                queried.chain(fields.map(String::as_str)).filter(|name| !used.contains(*name)).collect();
            assert!(missing.is_empty(), "{path}: the SDK has no {missing:?}");
        }
    }
}
