//! `/admin/openapi.json`: the whole admin API in OpenAPI 3.1, written by hand beside the routes.

use actix_web::HttpResponse;
use actix_web::web::{ServiceConfig, get};

const DOCUMENT: &str = include_str!("openapi.json");

pub(super) fn routes(app: &mut ServiceConfig) {
    app.route("/admin/openapi.json", get().to(document));
}

/// For anybody who reaches the listener: nothing in it is secret.
async fn document() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(DOCUMENT)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use serde_json::Value;

    use super::*;

    /// Methods and paths as the sources of this folder route them.
    fn routed() -> BTreeSet<(String, String)> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let folder = std::fs::read_dir(source.join("admin")).unwrap();
        let files = folder.map(|entry| entry.unwrap().path()).chain([source.join("admin.rs")]);
        let files = files.filter(|file| file.extension().is_some_and(|name| name == "rs"));
        let consents = ("/admin/consents", source.join("consents/http.rs"));
        let mut found = BTreeSet::new();
        for (prefix, file) in files.map(|file| ("", file)).chain([consents]) {
            let text = std::fs::read_to_string(file).unwrap();
            for route in text.split(".route(\"").skip(1) {
                let (path, rest) = route.split_once("\", ").unwrap();
                let (method, _) = rest.trim_start_matches("web::").split_once('(').unwrap();
                found.insert((format!("{prefix}{path}"), method.to_owned()));
            }
        }
        found
    }

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let described =
            document["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
                let methods = methods.as_object().unwrap().keys();
                methods.map(move |method| (path.clone(), method.clone()))
            });
        assert_eq!(described.collect::<BTreeSet<_>>(), routed());
    }
}
