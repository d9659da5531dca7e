//! Which site of the base is which of the head.

use std::collections::{BTreeMap, BTreeSet};

use harness::record::Moment;
use harness::sites::{Profile, Site};

use super::own_stack;

/// A site of the head with what was its in the base.
pub(super) struct Pair<'a> {
    pub(super) role: &'a str,
    pub(super) site: &'a Site,
    pub(super) base_bytes: u64,
    pub(super) base_blocks: u64,
    pub(super) head_bytes: u64,
    pub(super) head_blocks: u64,
}

/// A site of the base that has no partner yet, with what is not paired of it.
struct Vanished<'a> {
    site: &'a Site,
    bytes: u64,
    blocks: u64,
}

/// Every site of the head. A role that only the head has has nothing in the base, unless there is just one process on either side: then
/// the program was only named otherwise.
pub(super) fn of<'a>(base: &'a Profile, head: &'a Profile, moment: Moment) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    let alone = base.processes.len() == 1 && head.processes.len() == 1;
    for process in &head.processes {
        let before = base.processes.iter().find(|other| alone || other.role == process.role);
        let before = before.map_or(&[][..], |process| &process.sites);
        pairs.extend(of_process(&process.role, before, &process.sites, moment));
    }
    pairs
}

fn of_process<'a>(role: &'a str, base: &'a [Site], head: &'a [Site], moment: Moment) -> Vec<Pair<'a>> {
    let known: BTreeMap<Vec<&str>, &Site> = base.iter().map(|site| (site.identity(), site)).collect();
    let mut pairs = Vec::new();
    let mut appeared = Vec::new();
    let mut matched = BTreeSet::new();
    for site in head {
        let identity = site.identity();
        let before = known.get(&identity);
        let pair = Pair {
            role,
            site,
            base_bytes: before.map_or(0, |site| site.bytes(moment)),
            base_blocks: before.map_or(0, |site| site.blocks(moment)),
            head_bytes: site.bytes(moment),
            head_blocks: site.blocks(moment),
        };
        match before {
            Some(_) => pairs.push(pair),
            None => appeared.push(pair),
        }
        matched.insert(identity);
    }
    let vanished = base.iter().filter(|site| !matched.contains(&site.identity()));
    let mut vanished: Vec<Vanished<'_>> = vanished
        .map(|site| Vanished { site, bytes: site.bytes(moment), blocks: site.blocks(moment) })
        .collect();
    vanished.sort_by_key(|left| std::cmp::Reverse(left.bytes));
    appeared.sort_by_key(|pair| std::cmp::Reverse(pair.head_bytes));
    credit(&mut appeared, &mut vanished, |site| Some(figures(site)));
    credit(&mut appeared, &mut vanished, |site| Some(own_stack(site)).filter(|stack| !stack.is_empty()));
    credit(&mut appeared, &mut vanished, |site| {
        own_stack(site).first()?;
        site.own().map(|frame| frame.function.clone())
    });
    pairs.extend(appeared);
    pairs
}

/// All six figures of a site.
fn figures(site: &Site) -> [u64; 6] {
    [
        site.peak_bytes,
        site.peak_blocks,
        site.total_bytes,
        site.total_blocks,
        site.retained_bytes,
        site.retained_blocks,
    ]
}

/// Takes what is left of vanished sites off the new sites of the same key. A key that is not there pairs nothing.
fn credit<'a, K: Ord>(
    appeared: &mut [Pair<'a>],
    vanished: &mut [Vanished<'a>],
    key: impl Fn(&'a Site) -> Option<K>,
) {
    let mut left: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (index, site) in vanished.iter().enumerate() {
        if let Some(key) = key(site.site) {
            left.entry(key).or_default().push(index);
        }
    }
    for pair in appeared {
        let candidates = key(pair.site).and_then(|key| left.get(&key));
        for &index in candidates.into_iter().flatten() {
            let site = &mut vanished[index];
            let bytes = site.bytes.min(pair.head_bytes - pair.base_bytes);
            let blocks = site.blocks.min(pair.head_blocks.saturating_sub(pair.base_blocks));
            pair.base_bytes += bytes;
            pair.base_blocks += blocks;
            site.bytes -= bytes;
            site.blocks -= blocks;
        }
    }
}
