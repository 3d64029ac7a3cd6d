//! What `openapi.json` promises.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::http::spec;

pub(super) fn parsed() -> Value {
    serde_json::from_str(&spec()).expect("JSON")
}

#[test]
fn bounds_are_exact_integers() {
    assert_eq!(parsed()["components"]["schemas"]["Chain"]["properties"]["chain_id"]["maximum"], (1_u64 << 53) - 1);
}

/// Every operation by its id: path, method, and the names of the schemes that open it.
pub(super) fn operations(spec: &Value) -> BTreeMap<String, (String, String, Vec<String>)> {
    let mut found = BTreeMap::new();
    for (path, operations) in spec["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("methods") {
            let schemes = operation["security"].as_array().into_iter().flatten();
            let schemes = schemes.flat_map(|scheme| scheme.as_object().expect("a scheme").keys().cloned()).collect();
            let id = operation["operationId"].as_str().expect("an operation id").to_owned();
            assert!(found.insert(id, (path.clone(), method.clone(), schemes)).is_none());
        }
    }
    found
}

#[test]
fn the_contract_is_complete_and_says_who_may_do_what() {
    const TOKEN: &[&str] = &["access_token"];
    const KEY: &[&str] = &["api_key"];
    const EITHER: &[&str] = &["access_token", "api_key"];
    let expected = [
        ("register", "/api/register", "post", &[][..]),
        ("login", "/api/login", "post", &[]),
        ("logout", "/api/logout", "post", TOKEN),
        ("me", "/api/me", "get", TOKEN),
        ("setup_mfa", "/api/setup_mfa", "post", TOKEN),
        ("confirm_mfa", "/api/confirm_mfa", "post", TOKEN),
        ("create_wallet", "/api/create_wallet", "post", TOKEN),
        ("wallets", "/api/wallets", "get", EITHER),
        ("load_wallet", "/api/load_wallet", "post", EITHER),
        ("export_wallet", "/api/export_wallet", "post", TOKEN),
        ("import_wallet", "/api/import_wallet", "post", TOKEN),
        ("create_agent", "/api/create_agent", "post", TOKEN),
        ("agents", "/api/agents", "get", TOKEN),
        ("revoke_agent", "/api/revoke_agent", "post", TOKEN),
        ("prepare_transaction", "/api/prepare_transaction", "post", KEY),
        ("transactions", "/api/transactions", "get", EITHER),
        ("transaction_status", "/api/transaction_status", "get", EITHER),
        ("authorize_transaction", "/api/authorize_transaction", "post", TOKEN),
        ("authorize_transactions", "/api/authorize_transactions", "post", TOKEN),
        ("preview_transaction", "/api/preview_transaction", "post", TOKEN),
        ("transfer", "/api/transfer", "post", TOKEN),
        ("transfer_erc20", "/api/transfer_erc20", "post", TOKEN),
        ("contract_call", "/api/contract_call", "post", TOKEN),
        ("token", "/api/token", "get", EITHER),
        ("reject_transaction", "/api/reject_transaction", "post", TOKEN),
        ("cancel_transaction", "/api/cancel_transaction", "post", EITHER),
        ("execute_transaction", "/api/execute_transaction", "post", KEY),
        ("nonces", "/api/nonces", "get", EITHER),
        ("preview_clear_nonce", "/api/preview_clear_nonce", "post", TOKEN),
        ("clear_nonce", "/api/clear_nonce", "post", TOKEN),
        ("chains", "/api/chains", "get", EITHER),
        ("live", "/health/live", "get", &[]),
        ("ready", "/health/ready", "get", &[]),
    ];
    let mut found = operations(&parsed());
    for (id, path, method, schemes) in expected {
        let operation = found.remove(id).unwrap_or_else(|| panic!("no operation {id}"));
        let schemes = schemes.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(operation, (path.to_owned(), method.to_owned(), schemes), "{id}");
    }
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn it_is_written_the_same_way_every_time_and_ends_with_a_newline() {
    assert_eq!(spec(), spec());
    assert!(spec().ends_with("}\n"));
}

/// Calls `look` with every object of the specification and the path to it.
fn walk(part: &Value, path: &str, look: &mut impl FnMut(&str, &serde_json::Map<String, Value>)) {
    match part {
        Value::Object(fields) => {
            look(path, fields);
            for (name, field) in fields {
                walk(field, &format!("{path}/{name}"), look);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, path, look)),
        _ => {}
    }
}

#[test]
fn a_described_reference_is_one_reference_with_the_description_beside_it() {
    walk(&parsed(), "", &mut |path, fields| {
        if let Some(Value::Array(all)) = fields.get("allOf") {
            assert!(all.len() == 1 && all[0].as_object().is_some_and(|only| only.contains_key("$ref")), "{path}");
        }
    });
}

#[test]
fn every_property_parameter_and_response_is_described() {
    let spec = parsed();
    walk(&spec, "", &mut |path, fields| {
        if let Some(Value::Object(properties)) = fields.get("properties") {
            for (name, property) in properties {
                assert!(property["description"].as_str().is_some_and(|text| !text.is_empty()), "{path}/{name}");
            }
        }
        if fields.contains_key("operationId") {
            assert!(fields.contains_key("summary"), "{path}");
            for parameter in fields.get("parameters").and_then(Value::as_array).into_iter().flatten() {
                assert!(parameter["description"].is_string(), "{path} {}", parameter["name"]);
            }
        }
        if path.ends_with("/responses") {
            for (status, response) in fields {
                assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{path}/{status}");
            }
        }
    });
}

#[test]
fn requests_refuse_unknown_fields_and_only_they_hold_passwords() {
    let spec = parsed();
    let schemas = spec["components"]["schemas"].as_object().expect("schemas");
    for operation in spec["paths"].as_object().expect("paths").values().filter_map(|path| path.get("post")) {
        let Some(content) = operation["requestBody"]["content"].as_object() else { continue };
        let body = &content.values().next().expect("a body")["schema"]["$ref"];
        let name = body.as_str().and_then(|name| name.rsplit('/').next()).expect("a named schema");
        assert_eq!(schemas[name]["additionalProperties"], false, "{name}");
    }
    for (name, schema) in schemas {
        let open = schema["additionalProperties"] != false;
        let properties = schema["properties"].as_object().into_iter().flatten();
        for (property, described) in
            properties.filter(|(property, _)| ["password", "mfa_code"].contains(&property.as_str()))
        {
            assert!(!open && described["writeOnly"] == true, "{name}.{property}");
        }
    }
}
