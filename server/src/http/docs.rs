//! The page that shows the specification: swagger-ui, served from here alone.

use poem::{
    Endpoint, EndpointExt, Response, Route,
    endpoint::make_sync,
    get,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY},
};
use poem_openapi::OpenApiService;

/// The page's parts are files of this server, so nothing inline and nothing from elsewhere may run. swagger-ui draws
/// its icons from `data:` images and styles elements through attributes.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Wallet server</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="ui"></div>
<script src="/docs/swagger-ui.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"#;

const START: &str = "SwaggerUIBundle({ dom_id: '#ui', url: '/openapi.json', deepLinking: true });\n";

/// The paths that [`route`] adds.
pub const PATHS: [&str; 4] = ["/docs", "/docs/swagger-ui.css", "/docs/swagger-ui.js", "/docs/start.js"];

/// Adds the page and its parts.
pub fn route(route: Route) -> Route {
    // poem-openapi keeps its copy of swagger-ui to itself, but for a page that holds both parts inline.
    let page = OpenApiService::new((), "", "").swagger_ui_html();
    let [html, css, js, start] = PATHS;
    route
        .at(html, file("text/html; charset=utf-8", PAGE.to_owned()))
        .at(css, file("text/css; charset=utf-8", element(&page, "style")))
        .at(js, file("text/javascript; charset=utf-8", element(&page, "script")))
        .at(start, file("text/javascript; charset=utf-8", START.to_owned()))
}

/// The content of the first element with this name.
fn element(page: &str, name: &str) -> String {
    let content = page.split_once(&format!("<{name} charset=\"UTF-8\">")).map_or("", |(_, rest)| rest);
    content.split_once(&format!("</{name}>")).map_or("", |(content, _)| content).to_owned()
}

fn file(content_type: &'static str, content: String) -> impl Endpoint<Output = Response> {
    let content = hyper::body::Bytes::from(content);
    let respond = make_sync(move |_| {
        Response::builder()
            .content_type(content_type)
            .header(CACHE_CONTROL, "no-cache")
            .header(CONTENT_SECURITY_POLICY, POLICY)
            .body(content.clone())
    });
    get(respond).map_to_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_of_swagger_ui_are_found_whole() {
        let page = OpenApiService::new((), "", "").swagger_ui_html();
        assert!(element(&page, "style").len() > 100_000);
        let script = element(&page, "script");
        assert!(script.len() > 1_000_000 && script.contains("SwaggerUIBundle"));
    }
}
