//! The differential flamegraph.
//!
//! A colour belongs to the end of a stack only. So stacks end at the function that their site is named after: what the standard library
//! does inside of it would take the colour from it.

use std::collections::BTreeMap;

use harness::record::Moment;
use harness::sites::Profile;
use inferno::flamegraph::{self, Options};

use crate::Error;

/// Bytes of one stack in the base and in the head.
type Bytes = (u64, u64);

pub(super) fn draw(base: &Profile, head: &Profile, moment: Moment) -> Result<String, Error> {
    let mut stacks: BTreeMap<String, Bytes> = BTreeMap::new();
    add(&mut stacks, base, moment, |bytes| &mut bytes.0);
    add(&mut stacks, head, moment, |bytes| &mut bytes.1);
    let stacks = stacks.into_iter().filter(|(_, (base, head))| base + head > 0);
    let lines: Vec<String> = stacks.map(|(stack, (base, head))| format!("{stack} {base} {head}")).collect();
    let mut options = Options::default();
    options.title = format!("{}: bytes {}", head.case, words(moment));
    options.subtitle =
        Some("as wide as in the head; red grew, blue shrank, white is as in the base".to_owned());
    options.count_name = "bytes".to_owned();
    options.name_type = "Function:".to_owned();
    options.deterministic = true;
    let mut svg = Vec::new();
    let failed = |why: String| Error::Flamegraph { case: head.case.clone(), why };
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), &mut svg)
        .map_err(|error| failed(error.to_string()))?;
    String::from_utf8(svg).map_err(|error| failed(error.to_string()))
}

/// Adds a profile's stacks, outermost first, below the role of their process.
fn add(
    stacks: &mut BTreeMap<String, Bytes>,
    profile: &Profile,
    moment: Moment,
    side: impl Fn(&mut Bytes) -> &mut u64,
) {
    for process in &profile.processes {
        for site in &process.sites {
            let own = site.stack.iter().position(|frame| site.own() == Some(frame)).unwrap_or(0);
            let frames = site.stack[own..].iter().rev().map(|frame| frame.function.replace(';', ","));
            let stack: Vec<String> = std::iter::once(process.role.clone()).chain(frames).collect();
            *side(stacks.entry(stack.join(";")).or_default()) += site.bytes(moment);
        }
    }
}

fn words(moment: Moment) -> &'static str {
    match moment {
        Moment::Peak => "at the peak",
        Moment::Total => "allocated in all",
        Moment::Retained => "left at the end",
    }
}
