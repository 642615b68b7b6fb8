//! The evidence log as anyone may read it: the files of tlog-tiles and the time stamps, nothing else of
//! what lies in the folder.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Path};

use super::{Shared, exchange};

/// What changes from second to second; everything else stays as it is for ever.
const MUTABLE: [&str; 2] = ["checkpoint", "timestamp/index"];

pub(super) async fn show(path: Path<String>, shared: Data<Shared>) -> HttpResponse {
    let Some(folder) = shared.log.as_ref().filter(|_| is_public(&path)) else {
        return exchange::nothing_here(&shared);
    };
    match tokio::fs::read(folder.join(&*path)).await {
        Ok(bytes) => {
            let mutable = MUTABLE.contains(&path.as_str());
            let text = mutable || path.ends_with("/checkpoint");
            let kind = if text { "text/plain; charset=utf-8" } else { "application/octet-stream" };
            let cache = if mutable { "no-cache" } else { "public, max-age=31536000, immutable" };
            HttpResponse::Ok().insert_header((CACHE_CONTROL, cache)).content_type(kind).body(bytes)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            exchange::nothing_here(&shared)
        }
        Err(error) => {
            tracing::error!("a file of the evidence log cannot be read: {error}");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// True for the checkpoint and for what is below `tile/` and `timestamp/`, in plain names.
fn is_public(path: &str) -> bool {
    let plain = |part: &str| {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(letter)
    };
    let below = path.starts_with("tile/") || path.starts_with("timestamp/");
    path == "checkpoint" || (below && path.split('/').all(plain))
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn only_the_log_itself_is_public() {
        for shown in ["checkpoint", "tile/0/x001/067", "tile/entries/000.p/3", "timestamp/index"] {
            assert!(is_public(shown), "{shown}");
        }
        for hidden in [
            "",
            "lock",
            "wal/00000000000000000000",
            "tile/../lock",
            "tile//x",
            "tile/./x",
            "../x",
            "tile/0/..",
            "tile/0/\\..",
            "tile/%2e%2e/lock",
            "checkpoint/",
            "archive.sqlite",
        ] {
            assert!(!is_public(hidden), "{hidden}");
        }
    }
}
