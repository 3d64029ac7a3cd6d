//! `openapi.json`: the contract, written the same way every time.

use std::{
    collections::{BTreeSet, HashMap},
    marker::PhantomData,
};

use poem::{endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    LicenseObject, OpenApi, OpenApiService, ServerObject,
    registry::{MetaApi, Registry},
};
use serde_json::{Map, Value};

const REFERENCE: &str = "#/components/schemas/";

/// An API as a service, with everything the specification says beside its operations.
pub fn service<T: OpenApi>(api: T) -> OpenApiService<T, ()> {
    OpenApiService::new(api, "Wallet server", env!("CARGO_PKG_VERSION"))
        .description(
            "Agents prepare transactions, a user sees exactly what each does and approves or rejects it, and only then \
             the agent can execute it.\n\nTimes are RFC 3339 in UTC, amounts decimal strings in wei. A field that is \
             not there is absent, never null. Unknown fields of requests are refused; answers may gain fields, and \
             open words like `status` and `code` may gain values. Every answer carries `X-Request-Id`.",
        )
        .license(LicenseObject::new("MIT OR Apache-2.0"))
        .server(ServerObject::new("/"))
}

/// The specification of an API: pretty JSON with sorted keys and a newline at the end.
///
/// What poem-openapi cannot say, or says in a way that code generators stumble over, is put right: a described
/// reference becomes `allOf` with the description beside it, requests refuse unknown fields, integers have integer
/// bounds, JSON has no `charset` (RFC 8259 section 11), and every response has a description.
pub fn render<T: OpenApi>() -> String {
    let written = service(Described::<T>(PhantomData)).spec();
    let mut spec: Value = serde_json::from_str(&with_whole_bounds(&written)).expect("poem-openapi writes JSON");
    close_requests(&mut spec);
    normalise(&mut spec);
    // Sorted already, unless some crate turns serde_json's feature `preserve_order` on.
    spec.sort_all_objects();
    let mut text = serde_json::to_string_pretty(&spec).expect("a JSON value can always be written");
    text.push('\n');
    text
}

/// An API that is only described, so that its specification needs no running server.
struct Described<T>(PhantomData<T>);

impl<T: OpenApi> OpenApi for Described<T> {
    fn meta() -> Vec<MetaApi> {
        T::meta()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn add_routes(self, _routes: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}

/// Writes bounds like `100.0` as `100`. In the text, because reading 2^53 - 1 as a double would round it.
fn with_whole_bounds(written: &str) -> String {
    let whole = |line: &str| match line.trim_start().starts_with("\"minimum\": ")
        || line.trim_start().starts_with("\"maximum\": ")
    {
        true => line.replacen(".0", "", 1),
        false => line.to_owned(),
    };
    written.lines().map(whole).collect::<Vec<_>>().join("\n")
}

/// Names that poem-openapi writes differently from everybody else.
const RENAMED: [(&str, &str); 3] = [
    ("application/json; charset=utf-8", "application/json"),
    ("RETRY-AFTER", "Retry-After"),
    ("WWW-AUTHENTICATE", "WWW-Authenticate"),
];

/// Sets `additionalProperties: false` on every object that a request holds.
fn close_requests(spec: &mut Value) {
    let mut names = BTreeSet::new();
    for operation in spec["paths"].as_object().into_iter().flat_map(Map::values).flat_map(|path| path.as_object()) {
        for operation in operation.values() {
            collect(&operation["requestBody"], spec, &mut names);
        }
    }
    for name in names {
        let schema = &mut spec["components"]["schemas"][&name];
        if schema["type"] == "object" {
            schema["additionalProperties"] = false.into();
        }
    }
}

/// Collects the names of every schema that a part refers to, directly or not.
fn collect(part: &Value, spec: &Value, names: &mut BTreeSet<String>) {
    match part {
        Value::Object(fields) => {
            let reference = fields.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix(REFERENCE));
            if let Some(name) = reference
                && names.insert(name.to_owned())
            {
                collect(&spec["components"]["schemas"][name], spec, names);
            }
            fields.values().for_each(|field| collect(field, spec, names));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, spec, names)),
        _ => {}
    }
}

fn normalise(part: &mut Value) {
    match part {
        Value::Object(fields) => {
            if let Some(Value::Array(all)) = fields.get_mut("allOf")
                && all.first().is_some_and(|first| first.get("$ref").is_some())
            {
                // poem-openapi repeats beside `allOf` what it put into the second part.
                all.truncate(1);
            }
            for (name, usual) in RENAMED {
                if let Some(content) = fields.remove(name) {
                    fields.insert(usual.to_owned(), content);
                }
            }
            if let Some(done) = fields.get_mut("200").and_then(|response| response.get_mut("description"))
                && *done == ""
            {
                *done = "Done.".into();
            }
            fields.values_mut().for_each(normalise);
        }
        Value::Array(items) => items.iter_mut().for_each(normalise),
        _ => {}
    }
}
