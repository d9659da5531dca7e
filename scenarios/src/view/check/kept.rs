//! What only the view has: it must survive when another session is shown, and end with its own.

use engine::view::drafts;
use harness::meter;
use harness::record::{Tier, Unit};
use serde_json::json;

use super::gone::image;
use crate::answer::Defect;
use crate::view::agent::Act;
use crate::view::bench::{Bench, bytes, count};
use crate::view::wire::begin;
use crate::view::{Account, Task};

/// Characters of the images that are pasted, in turn, two into each session (S15).
const CHARS: [usize; 3] = [1_000_000, 2_250_000, 5_000_000];
const SESSIONS: usize = 12;
const IMAGES: usize = 2;

/// Images that were pasted and not sent.
pub(super) fn screenshots(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(task)?;
    let mut ids = Vec::with_capacity(SESSIONS);
    meter::phase("paste");
    for session in 0..SESSIONS {
        let id = begin(&mut bench, session)?;
        for number in 0..IMAGES {
            let number = session * IMAGES + number;
            let key = drafts::key("prompt", &id);
            bench.pipeline.view.attach_image(&key, image(number, CHARS[number % CHARS.len()]));
        }
        ids.push(id);
    }
    bytes("scenario.draft_bytes", bench.view_bytes());
    let dropped = ids.iter().map(|id| bench.pipeline.view.images_dropped(&drafts::key("prompt", id)));
    count("scenario.images_dropped", dropped.map(u64::from).sum());
    meter::phase("delete");
    for id in &ids {
        let requests = bench.pipeline.view.delete_session(id);
        bench.act(requests)?;
        bench.settle()?;
    }
    bytes("scenario.draft_bytes_after_delete", bench.view_bytes());
    meter::phase("send");
    let before = bench.view_bytes();
    let id = begin(&mut bench, SESSIONS)?;
    let key = drafts::key("prompt", &id);
    bench.pipeline.view.attach_image(&key, image(0, CHARS[1]));
    let requests = bench.pipeline.view.send(&id, &key, &format!("msg_{:026}", 1), bench.now);
    bench.act(requests)?;
    bench.settle()?;
    // A mounted image is none in Rust; what the view keeps of it is.
    let copies = (bench.view_bytes() - before) as f64 / CHARS[1] as f64;
    meter::set("scenario.copies_after_send_ratio", Unit::Ratio, Tier::Exact, copies);
    Ok(Account::default())
}

/// Everything that only the view has of a session, while another one is shown.
pub(super) fn run(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(task)?;
    let (first, second) = (begin(&mut bench, 0)?, begin(&mut bench, 1)?);
    bench.open(&first)?;
    let key = drafts::key("prompt", &first);
    let (unsent, queued) = (format!("msg_{:026}", 5), format!("msg_{:026}", 6));
    // A prompt that is under way, one that waits until the session has done, and one that is being written.
    bench.pipeline.view.type_draft(&key, "under way");
    drop(bench.pipeline.view.send(&first, &key, &unsent, bench.now));
    bench.tell(Act::Status { session: first.clone(), status: json!({"type": "busy"}) })?;
    bench.settle()?;
    bench.pipeline.view.type_draft(&key, "waits");
    let requests = bench.pipeline.view.send(&first, &key, &queued, bench.now);
    bench.act(requests)?;
    bench.pipeline.view.type_draft(&key, "is being written");
    bench.pipeline.view.attach_image(&key, image(0, 1_000));
    bench.tell(Act::Permission(
        json!({"id": "per_1", "sessionID": first, "permission": "edit", "patterns": ["a.rs"]}),
    ))?;
    bench.tell(Act::Question(
        json!({"id": "que_1", "sessionID": first, "questions": [{"question": "which?"}]}),
    ))?;
    bench.settle()?;
    meter::phase("away");
    bench.open(&second)?;
    let away = bench.pipeline.view.permissions().any(|id| id == "per_1");
    // One more permission is asked for while nobody looks.
    bench.tell(Act::Permission(
        json!({"id": "per_2", "sessionID": first, "permission": "bash", "patterns": ["ls"]}),
    ))?;
    bench.settle()?;
    bench.open(&first)?;
    let view = &bench.pipeline.view;
    let is = |name: &str, holds: bool| Defect {
        name: name.to_owned(),
        found: (!holds).then(|| "it is gone when its session is shown again".to_owned()),
    };
    let defects = vec![
        is("a prompt that is under way survives", view.unsent(&first).any(|id| id == unsent)),
        is("a prompt under way is still shown", view.messages(&first).any(|id| id == unsent)),
        is("a prompt that waits survives", view.queued(&first).any(|id| id == queued)),
        is("a draft survives", view.draft(&key) == Some("is being written")),
        is("an image in a draft survives", view.images(&key).len() == 1),
        is("a permission can be given from elsewhere", away),
        is("a permission survives", view.permissions().any(|id| id == "per_1")),
        is("a permission asked for meanwhile is there", view.permissions().any(|id| id == "per_2")),
        is("a question survives", view.questions().any(|id| id == "que_1")),
    ];
    count("scenario.lost", defects.iter().filter(|defect| defect.found.is_some()).count() as u64);
    Ok(Account { defects, ..Account::default() })
}
