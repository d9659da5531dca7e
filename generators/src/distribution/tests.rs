//! Draws follow the laws that are stated, and the laws the published quantiles, by the test of Kolmogorov and Smirnov.
//!
//! Where a law departs from the published one on purpose (its comment says so), only the stated law is tested.

use statrs::distribution::{ContinuousCDF as _, Normal};

use super::*;
use crate::Spec;

/// Draws of each law.
const DRAWS: usize = 10_000;

/// The critical value of the statistic at the level 0.01: 1.628 divided by the root of the number of draws. The draws are the same
/// in each run, so a test fails always or never.
const CRITICAL: f64 = 1.628 / 100.0;

fn draws(name: &str, mut draw: impl FnMut(&mut Dice) -> u64) -> Vec<u64> {
    let dice = &mut Dice::new(&Spec::default(), name);
    let mut draws: Vec<u64> = (0..DRAWS).map(|_| draw(dice)).collect();
    draws.sort_unstable();
    draws
}

/// The share of draws that are not above a value.
fn share(draws: &[u64], value: u64) -> f64 {
    draws.partition_point(|draw| *draw <= value) as f64 / draws.len() as f64
}

/// The largest distance between the draws' distribution and a law of whole numbers, told by the share that is not above a value.
/// Between two draws the distance is largest at one of them or just below it.
fn statistic(draws: &[u64], law: impl Fn(u64) -> f64) -> f64 {
    let at = |value: u64| (share(draws, value) - law(value)).abs();
    draws.iter().map(|draw| at(*draw).max(draw.checked_sub(1).map_or(0.0, at))).fold(0.0, f64::max)
}

/// The law of a log-normal draw rounded down.
fn log_normal(law: LogNormal) -> impl Fn(u64) -> f64 {
    let normal = Normal::new(law.median.ln(), law.sigma).unwrap();
    move |value| normal.cdf((value as f64 + 1.0).ln())
}

fn assert_follows(name: &str, draws: &[u64], law: impl Fn(u64) -> f64) {
    let statistic = statistic(draws, law);
    assert!(statistic < CRITICAL, "{name}: {statistic}");
}

/// Published quantiles, each as the values that round to it.
fn assert_quantiles(name: &str, draws: &[u64], quantiles: &[(f64, u64, u64)]) {
    for &(p, low, high) in quantiles {
        let (below, above) = (share(draws, low.saturating_sub(1)), share(draws, high));
        let fits = below - CRITICAL <= p && p <= above + CRITICAL;
        assert!(fits, "{name}: {low} to {high} are at {below} to {above}, not {p}");
    }
}

#[test]
fn sizes_follow_their_stated_laws() {
    let laws = [
        ("message", MESSAGE),
        ("paste", PASTE),
        ("answer", ANSWER),
        ("markdown", MARKDOWN),
        ("thinking", THINKING),
        ("tool result", TOOL_RESULT),
        ("tool result of VS Code", VSCODE_TOOL_RESULT),
        ("tool input", TOOL_INPUT),
        ("rendered context", RENDERED_CONTEXT),
        ("whole file", WHOLE_FILE),
        ("output tokens", OUTPUT_TOKENS),
        ("input tokens", INPUT_TOKENS),
        ("cached tokens", CACHED_TOKENS),
        ("image", IMAGE),
        ("sessions of a workspace", SESSIONS_PER_WORKSPACE),
        ("Codex file", CODEX_HEAVY),
    ];
    for (name, law) in laws {
        assert_follows(name, &draws(name, |dice| dice.size(law) as u64), log_normal(law));
    }
}

/// The statistic sees a law that is a tenth off.
#[test]
fn another_law_is_told_apart() {
    let found = draws("another", |dice| dice.size(TOOL_RESULT) as u64);
    let LogNormal { median, sigma } = TOOL_RESULT;
    assert!(statistic(&found, log_normal(TOOL_RESULT)) < CRITICAL);
    assert!(statistic(&found, log_normal(LogNormal { median: median * 1.1, sigma })) > CRITICAL);
    assert!(statistic(&found, log_normal(LogNormal { median, sigma: sigma * 1.1 })) > CRITICAL);
}

/// One in 58.5 %, else log-normal. The cap of 600 departs from the published 3,000, above its p99.
#[test]
fn requests_follow_their_law_and_the_published_quantiles() {
    for (name, law) in [("requests", REQUESTS), ("requests of a laptop", REQUESTS_LAPTOP)] {
        let found = draws(name, |dice| law.at(dice.unit()));
        let rest = log_normal(law.rest);
        assert_follows(name, &found, |value| match value {
            0 => 0.0,
            1 => law.single,
            value if value >= law.most => 1.0,
            value => law.single + (1.0 - law.single) * rest(value),
        });
    }
    let found = draws("requests", |dice| REQUESTS.at(dice.unit()));
    assert_quantiles("requests", &found, &[(0.25, 1, 1), (0.5, 1, 1), (0.9, 18, 18), (0.99, 133, 137)]);
}

/// None in 40 %, else log-normal. The laws depart from TraceLab's, whose sessions are longer than VS Code's and Claude's counted ones.
#[test]
fn tool_calls_follow_their_stated_laws() {
    for (name, law) in [("tool calls", TOOL_CALLS), ("tool calls of Claude", CLAUDE_TOOL_CALLS)] {
        let found = draws(name, |dice| tool_calls(dice, law) as u64);
        let some = log_normal(law);
        assert_follows(name, &found, |value| match value {
            0 => NO_TOOLS_SHARE,
            value if value >= TOOL_CALLS_MAX as u64 => 1.0,
            value => NO_TOOLS_SHARE + (1.0 - NO_TOOLS_SHARE) * some(value),
        });
    }
}

#[test]
fn further_subagents_follow_their_law() {
    let found = draws("subagents", |dice| dice.geometric(FURTHER_SUBAGENT, SUBAGENTS_MAX).into());
    assert_follows("subagents", &found, |value| {
        if value >= SUBAGENTS_MAX.into() { 1.0 } else { 1.0 - FURTHER_SUBAGENT.powi(value as i32 + 1) }
    });
}

#[test]
fn sizes_have_the_published_quantiles() {
    let size = |name, law| draws(name, |dice| dice.size(law) as u64);
    // Mean 5.1 KB, p90 10 KB, p99 65 KB.
    let found = size("tool result", TOOL_RESULT);
    assert_quantiles(
        "tool result",
        &found,
        &[(0.5, 1_050, 1_150), (0.9, 9_500, 10_500), (0.99, 64_000, 66_000)],
    );
    // p50 214, p90 1.2 k, p99 4.8 k.
    let found = size("output tokens", OUTPUT_TOKENS);
    assert_quantiles("output tokens", &found, &[(0.5, 214, 214), (0.9, 1_150, 1_250), (0.99, 4_750, 4_850)]);
    // p50 3 to 4, p90 22, p99 100; every one has at least one.
    let found = draws("sessions", |dice| dice.size(SESSIONS_PER_WORKSPACE).max(1) as u64);
    assert_quantiles("sessions", &found, &[(0.5, 3, 4), (0.9, 22, 22), (0.99, 95, 105)]);
    // p50 0.87 MB, p90 13.8 MB, p99 130 MB.
    let found = size("Codex file", CODEX_HEAVY);
    let mb = |mb: f64| (mb * 1e6) as u64;
    assert_quantiles(
        "Codex file",
        &found,
        &[(0.5, mb(0.865), mb(0.875)), (0.9, mb(13.75), mb(13.85)), (0.99, mb(129.5), mb(130.5))],
    );
    // Of 979 counted files, 121 had 10 MiB or more, 14 had 100 and 3 had 300.
    for (mib, counted) in [(10_u64, 121.0), (100, 14.0), (300, 3.0)] {
        let beyond = 1.0 - share(&found, (mib << 20) - 1);
        assert!((beyond - counted / 979.0).abs() < CRITICAL, "{mib} MiB: {beyond}");
    }
}

/// Median 180 characters, and 2 % pastes.
#[test]
fn prompts_are_a_mixture_of_two_laws() {
    let found = draws("prompt", |dice| message_bytes(dice) as u64);
    let (message, paste) = (log_normal(MESSAGE), log_normal(PASTE));
    assert_follows("prompt", &found, |value| {
        let written = if value < 8 { 0.0 } else { message(value) };
        PASTE_SHARE * paste(value) + (1.0 - PASTE_SHARE) * written
    });
}
