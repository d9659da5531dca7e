//! What a client is told when it does not get what it asked for.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a request is refused.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) why: String,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: &'static str, why: impl ToString) -> Failure {
        Failure { status, code, why: why.to_string() }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = json!({"error": {"code": self.code, "message": self.why}});
        (self.status, Json(body)).into_response()
    }
}
