//! What a request asks for, read with limits.

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::Failure;

/// A parameter that is a whole number.
pub(crate) fn number(
    name: &str,
    text: Option<&str>,
    default: usize,
    range: RangeInclusive<usize>,
) -> Result<usize, Failure> {
    let Some(text) = text else { return Ok(default) };
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        let most = if *range.end() == usize::MAX { String::new() } else { format!(" to {}", range.end()) };
        let why = format!("{name} is a whole number from {}{most}", range.start());
        Failure::new(StatusCode::BAD_REQUEST, "BAD_NUMBER", why)
    })
}

/// The body of a request as JSON: of at most so many bytes, within a time.
pub(crate) async fn json_of<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    most_bytes: usize,
    within: Duration,
) -> Result<T, Failure> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/json") {
        let why = "a body is application/json";
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "NOT_JSON", why));
    }
    let too_large = || {
        let why = format!("a body has {most_bytes} bytes at most");
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE", why)
    };
    let read = tokio::time::timeout(within, Limited::new(body, most_bytes).collect());
    let body = match read.await {
        Err(_) => {
            let why = "the body did not come in time";
            return Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "TOO_SLOW", why));
        }
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large()),
        Ok(Err(error)) => return Err(Failure::new(StatusCode::BAD_REQUEST, "BAD_BODY", error)),
        Ok(Ok(body)) => body.to_bytes(),
    };
    let bad = |why: String| Failure::new(StatusCode::BAD_REQUEST, "BAD_JSON", why);
    // A list would be taken for an object's fields in order.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(bad("a body is a JSON object".to_owned()));
    }
    serde_json::from_slice(&body).map_err(|error| bad(error.to_string()))
}
