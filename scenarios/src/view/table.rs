//! The scenarios of `view`.

use super::Drive;
use crate::{Kind, Scenario};

/// Its scenarios, in the order of reports.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "view/switch",
        about: "ten sessions of 5 to 20 MB are opened one after the other, and the first again",
        strategies: &["as-reported", "fix-1-evict", "fix-9-paging", "as-proposed", "upstream", "bounded"],
        kind: Kind::View(Drive::Switch),
    },
    Scenario {
        name: "view/revisit",
        about: "two sessions are opened in turn a hundred times: a control, which no strategy fails",
        strategies: &["as-reported", "upstream", "bounded"],
        kind: Kind::View(Drive::Revisit),
    },
    Scenario {
        name: "view/hundred",
        about: "a hundred sessions are opened one after the other: how many fill a browser",
        strategies: &["as-reported", "upstream", "bounded"],
        kind: Kind::View(Drive::Hundred),
    },
    Scenario {
        name: "view/sweep",
        about: "ten sessions were opened, and the list names four of them",
        strategies: &["as-reported", "as-proposed", "upstream", "bounded"],
        kind: Kind::View(Drive::Sweep),
    },
    Scenario {
        name: "view/delete",
        about: "ten sessions with drafts are worked on and deleted: every ledger and map",
        strategies: &["as-reported", "fix-7-drafts", "as-proposed", "upstream", "bounded"],
        kind: Kind::View(Drive::Delete),
    },
    Scenario {
        name: "view/late",
        about: "a part and a page arrive when their session is deleted already",
        strategies: &["as-reported", "as-proposed", "upstream", "bounded"],
        kind: Kind::View(Drive::Late),
    },
    Scenario {
        name: "view/window",
        about: "a session of 300 turns is opened, scrolled to its beginning, and goes on",
        strategies: &["as-reported", "fix-2-window", "as-proposed", "upstream", "bounded"],
        kind: Kind::View(Drive::Window),
    },
    Scenario {
        name: "view/giant-turn",
        about: "one turn with 400 calls",
        strategies: &["as-reported", "as-proposed", "upstream", "bounded"],
        kind: Kind::View(Drive::GiantTurn),
    },
    Scenario {
        name: "view/edits",
        about: "240 edits: what of the files goes over the wire",
        strategies: &["as-reported", "fix-3-wire", "as-proposed", "upstream", "bounded"],
        kind: Kind::View(Drive::Edits),
    },
    Scenario {
        name: "view/bash",
        about: "a command says 400 KB in 2,000 pieces",
        strategies: &["as-reported", "fix-3-wire", "as-proposed", "upstream", "bounded"],
        kind: Kind::View(Drive::Bash),
    },
    Scenario {
        name: "view/diff",
        about: "the diff of a session after each of its turns",
        strategies: &["as-reported", "fix-4-diff", "as-proposed", "upstream", "bounded"],
        kind: Kind::View(Drive::Diff),
    },
    Scenario {
        name: "view/tools",
        about: "every tool once, with a long output, an attachment and a second copy: which of them come uncut",
        strategies: &["as-reported", "fix-5-slim", "as-proposed", "upstream", "bounded"],
        kind: Kind::View(Drive::Tools),
    },
    Scenario {
        name: "view/tracked",
        about: "thirty sessions were shown, and go on in the background with their tasks",
        strategies: &["as-reported", "fix-6-tracked", "as-proposed", "upstream", "bounded"],
        kind: Kind::View(Drive::Tracked),
    },
    Scenario {
        name: "view/map",
        about: "10,000 messages of fifty sessions were seen, of which half are deleted",
        strategies: &["as-reported", "fix-8-maps", "as-proposed", "upstream", "bounded"],
        kind: Kind::View(Drive::Map),
    },
    Scenario {
        name: "view/screenshots",
        about: "images were pasted and not sent; then their sessions are deleted",
        strategies: &["as-reported", "fix-7-drafts", "as-proposed", "upstream", "bounded"],
        kind: Kind::View(Drive::Screenshots),
    },
    Scenario {
        name: "view/hours",
        about: "three hours of everything, in virtual time",
        strategies: &["as-reported", "upstream", "bounded"],
        kind: Kind::View(Drive::Hours),
    },
    Scenario {
        name: "view/minutes",
        about: "ten minutes of everything, in virtual time: what each fix is worth",
        strategies: &["as-reported", "as-proposed", "upstream", "bounded"],
        kind: Kind::View(Drive::Minutes),
    },
    Scenario {
        name: "view/legacy",
        about: "a session of 90 MB, with a message of 22.5 MB, as old versions stored it",
        strategies: &["as-reported", "upstream", "bounded"],
        kind: Kind::View(Drive::Legacy),
    },
    Scenario {
        name: "view/paging",
        about: "2,000 messages, page by page to the first",
        strategies: &["as-reported", "fix-9-paging", "as-proposed", "upstream", "bounded"],
        kind: Kind::View(Drive::Paging),
    },
    Scenario {
        name: "view/stalled",
        about: "a client does not read for a minute, and connects anew for eight hours",
        strategies: &["as-reported", "fix-10-filter", "upstream", "bounded"],
        kind: Kind::View(Drive::Stalled),
    },
    Scenario {
        name: "view/strings",
        about: "the same session in ASCII, with signs above U+00FF, and in Chinese",
        strategies: &["as-reported", "upstream", "bounded"],
        kind: Kind::View(Drive::Strings),
    },
    Scenario {
        name: "view/kept",
        about: "what only the view has, when another session is shown",
        strategies: &["as-reported", "as-proposed", "upstream", "bounded"],
        kind: Kind::View(Drive::Kept),
    },
];
