//! The first list of a service that has just started.

use harness::meter;
use harness::record::{Tier, Unit};

use engine::listing::serve::Times;

use super::bench::listed;
use super::client::Client;
use super::service::{self, Service};
use super::{Account, Task, is_timed, lists};
use crate::subject::HOME;

/// Starts the service, asks for one list, and looks at how long everything else had to wait.
pub(super) fn run(task: &Task) -> Result<Account, String> {
    meter::phase("start");
    let service = Service::start(service::options(HOME, task.strategy, Times::default(), None))?;
    meter::phase("list");
    let path = format!("/api/sessions?limit={}", lists::LIMIT);
    let reply = service::block_on(async { Client::connect(service.address).await?.get(&path).await })??;
    let ended = service.stop()?;
    if is_timed() {
        meter::set("scenario.stall_seconds", Unit::Seconds, Tier::Noisy, ended.stall.as_secs_f64());
    }
    if reply.status != 200 {
        return Err(format!("the list was refused with status {}", reply.status));
    }
    meter::phase("consume");
    let (digest, rows) = listed(&reply.body)?.digest()?;
    Ok(Account { listed: Some(digest), rows, ..Account::default() })
}
