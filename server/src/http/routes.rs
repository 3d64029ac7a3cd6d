//! Which paths, methods and query parameters exist: what poem's own router does not tell.

use std::collections::HashMap;

use poem::{
    Request,
    http::{Method, Uri},
};
use poem_openapi::{
    OpenApi,
    registry::{MetaParamIn, Registry},
};

use super::problem::Problem;

/// Every path with its methods, and the query parameters of each.
#[derive(Debug, Default)]
pub struct Routes(HashMap<String, Vec<(Method, Vec<String>)>>);

impl Routes {
    /// The operations of an API.
    pub fn of<T: OpenApi>() -> Self {
        // Parameters may refer to schemas, so they are registered as they would be for the specification.
        T::register(&mut Registry::new());
        let mut routes = Self::default();
        for path in T::meta().into_iter().flat_map(|api| api.paths) {
            for operation in path.operations {
                let queried = operation.params.into_iter().filter(|param| param.in_type == MetaParamIn::Query);
                let names = queried.map(|param| param.name).collect();
                routes.0.entry(path.path.clone()).or_default().push((operation.method, names));
            }
        }
        routes
    }

    /// Adds a page that is no part of the API and takes no query.
    #[must_use]
    pub fn with_page(mut self, path: &str) -> Self {
        self.0.entry(path.to_owned()).or_default().push((Method::GET, Vec::new()));
        self
    }

    /// The `Allow` header of a path (RFC 9110 section 10.2.1).
    pub fn allowed(&self, uri: &Uri) -> String {
        let mut allowed = Vec::new();
        for (method, _) in self.0.get(uri.path()).into_iter().flatten() {
            allowed.push(method.as_str());
            if method == Method::GET {
                allowed.push("HEAD");
            }
        }
        allowed.join(", ")
    }

    /// Refuses query parameters that the operation does not have, or has once and was given twice: a caller that
    /// misspelled `known_version` must not wait for nothing.
    pub fn check_query(&self, request: &Request) -> Result<(), Problem> {
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        let operations = self.0.get(request.uri().path()).into_iter().flatten();
        let Some((_, names)) = operations.into_iter().find(|(known, _)| known == method) else { return Ok(()) };
        let given: Vec<(String, String)> =
            request.params().map_err(|_| Problem::invalid("the query cannot be read"))?;
        let mut seen = Vec::new();
        for (name, _) in given {
            match names.iter().find(|known| **known == name) {
                None if names.is_empty() => return Err(Problem::invalid("there are no query parameters here")),
                None => {
                    let known = names.join(", ");
                    return Err(Problem::invalid(format!("unknown query parameter: expected {known}")));
                }
                Some(known) if seen.contains(&known) => {
                    return Err(Problem::invalid(format!("{known}: given more than once")));
                }
                Some(known) => seen.push(known),
            }
        }
        Ok(())
    }
}
