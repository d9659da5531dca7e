//! A session that is started while it is deleted must not come back.

use engine::listing::Strategy;
use engine::listing::serve::Times;
use hyper::Method;
use serde_json::json;

use super::super::bench::listed;
use super::super::client::{Client, Reply};
use super::super::service::{self, Service};
use super::{Check, unless_equal};

/// Sessions that are started and deleted at once.
const SESSIONS: usize = 40;

pub(super) const RACE: &[Check] = &[
    Check { name: "a deleted session is started", find: started },
    Check { name: "a session that could not be deleted is marked as deleted", find: marked },
];

fn started(strategy: Strategy) -> Result<Option<String>, String> {
    with_service("home/race", strategy, async |address| {
        let (mut one, mut other) = (Client::connect(address).await?, Client::connect(address).await?);
        let mut came_back = Vec::new();
        for _ in 0..SESSIONS {
            let id = create(&mut one).await?;
            let (start, path) = (format!("/api/sessions/{id}/start"), format!("/api/sessions/{id}"));
            let (started, deleted) =
                tokio::join!(one.send(Method::POST, &start, None), other.send(Method::DELETE, &path, None));
            let (started, deleted) = (started?.status, deleted?.status);
            if deleted != 200 || !matches!(started, 200 | 404 | 409 | 500) {
                return Err(format!(
                    "the start of {id} was answered with {started}, its deletion with {deleted}"
                ));
            }
            let again = one.send(Method::POST, &start, None).await?;
            if (again.status, code(&again)) != (409, "SESSION_DELETED".to_owned()) {
                came_back.push(id);
            }
        }
        let page = one.get("/api/sessions").await?;
        let rows = listed(&page.body)?.total;
        let listed = unless_equal("rows after all were deleted", rows, 0);
        Ok(listed
            .or_else(|| (!came_back.is_empty()).then(|| format!("started again: {}", came_back.join(", ")))))
    })
}

fn marked(strategy: Strategy) -> Result<Option<String>, String> {
    with_service("home/marked", strategy, async |address| {
        let mut client = Client::connect(address).await?;
        let id = create(&mut client).await?;
        let batch = json!({"ids": ["absent", id]});
        let deleted = client.send(Method::POST, "/api/sessions/batch-delete", Some(batch)).await?;
        let answer: serde_json::Value =
            serde_json::from_slice(&deleted.body).map_err(|error| error.to_string())?;
        let of = |key: &str| answer[key].as_array().map_or(0, Vec::len);
        if (of("deleted"), of("failed")) != (1, 1) {
            return Ok(Some(format!("of two sessions, one of them absent: {answer}")));
        }
        let start = client.send(Method::POST, "/api/sessions/absent/start", None).await?;
        Ok(unless_equal("a start of the one that was not there", code(&start), "NO_SESSION".to_owned()))
    })
}

async fn create(client: &mut Client) -> Result<String, String> {
    let made =
        client.send(Method::POST, "/api/sessions", Some(json!({"workDir": "/home/dev/project"}))).await?;
    let answer: serde_json::Value = serde_json::from_slice(&made.body).map_err(|error| error.to_string())?;
    answer["id"].as_str().map(str::to_owned).ok_or_else(|| format!("no session was made: {answer}"))
}

fn code(reply: &Reply) -> String {
    let answer: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    answer["error"]["code"].as_str().unwrap_or_default().to_owned()
}

/// Asks a service of its own.
fn with_service<T>(
    home: &str,
    strategy: Strategy,
    ask: impl AsyncFnOnce(std::net::SocketAddr) -> Result<T, String>,
) -> Result<T, String> {
    std::fs::create_dir_all(home).map_err(|error| format!("failed to make {home}: {error}"))?;
    let service = Service::start(service::options(home, strategy, Times::default(), None))?;
    let answer = service::block_on(ask(service.address))?;
    service.stop()?;
    answer
}
