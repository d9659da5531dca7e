//! What a file of budgets may say, and how each mistake in it is reported.

use super::*;

const WHOLE: &str = r#"
[[budget]]
case = "sync/cold:bounded"
metric = "heap.peak_bytes"
ceiling = "8 MiB"
reason = "the bound"

[[budget]]
case = "sync/cold:bounded"
metric = "heap.peak_bytes"
ceiling_metric = "heap.bound_bytes"
reason = "the bound"

[[budget]]
case = "sync/cold:bounded"
metric = "heap.peak_bytes"
ratio = { of = "sync/cold:as-reported", at_most = 0.04 }
reason = "one part in 25"

[[budget]]
case = "sync/*:bounded"
metric = "heap.total_blocks"
growth = "2 %"
reason = "no creep"

[[budget]]
case = "sync/degrade:*"
metric = "degrade.sessions_kept"
floor = 0.5
reason = "half is kept"

[[budget]]
case = "sync/stale:as-reported"
metric = "stale.defects"
ceiling = 0
tripwire = true
reason = "the bug is there"

[[order]]
metric = "heap.peak_bytes"
cases = ["sync/cold:as-reported", "sync/cold:bounded"]
reason = "the real engine's order"
"#;

fn parse(text: &str) -> Result<Budgets, Error> {
    Budgets::parse(text, Path::new("ci/budgets.toml"))
}

fn complaint(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

/// One good entry, with a line of it replaced.
fn entry_with(good: &str, bad: &str) -> String {
    let entry =
        "[[budget]]\ncase = \"a/b:c\"\nmetric = \"heap.peak_bytes\"\nceiling = \"8 MiB\"\nreason = \"so\"\n";
    assert!(entry.contains(good));
    entry.replace(good, bad)
}

#[test]
fn each_kind_of_limit_is_read() {
    let budgets = parse(WHOLE).unwrap();
    let words: Vec<String> = budgets.budgets.iter().map(Budget::in_words).collect();
    assert_eq!(
        words,
        [
            "at most 8 MiB",
            "at most heap.bound_bytes",
            "at most 0.04 of sync/cold:as-reported",
            "at most 2 % worse than the baseline",
            "at least 0.50",
            "at most 0",
        ]
    );
    assert_eq!(budgets.budgets.iter().map(|b| b.line).collect::<Vec<_>>(), [2, 8, 14, 20, 26, 32]);
    assert_eq!(budgets.budgets.iter().map(|b| b.tripwire).filter(|t| *t).count(), 1);
    assert_eq!(budgets.orders[0].cases, ["sync/cold:as-reported", "sync/cold:bounded"]);
}

#[test]
fn a_misspelt_key_is_named_with_file_and_line() {
    assert_eq!(
        complaint(&entry_with("ceiling", "ceilling")),
        "ci/budgets.toml:4: unknown key \"ceilling\" in [[budget]]; known: case, metric, ceiling, ceiling_metric, ratio, growth, drift, floor, reason, tripwire, primary, platform, allocator"
    );
}

#[test]
fn a_misspelt_metric_is_answered_with_the_one_that_was_meant() {
    assert_eq!(
        complaint(&entry_with("heap.peak_bytes", "heap.paek_bytes")),
        "ci/budgets.toml:3: metric: no metric is named \"heap.paek_bytes\", did you mean \"heap.peak_bytes\"?"
    );
}

#[test]
fn a_misspelt_unit_is_refused() {
    assert_eq!(
        complaint(&entry_with("8 MiB", "8 Mib")),
        "ci/budgets.toml:4: ceiling: \"8 Mib\" is not a number of bytes: write a number and a unit, one of B, kB, MB, GB, KiB, MiB, GiB"
    );
}

#[test]
fn a_limit_without_a_reason_is_refused() {
    assert_eq!(
        complaint(&entry_with("reason = \"so\"\n", "")),
        "ci/budgets.toml:1: missing key \"reason\" in [[budget]]"
    );
    assert_eq!(
        complaint(&entry_with("reason = \"so\"", "reason = \" \"")),
        "ci/budgets.toml:5: reason: say why the limit is what it is"
    );
}

#[test]
fn two_limits_or_none_in_one_entry_are_refused() {
    assert_eq!(
        complaint(&entry_with("ceiling = \"8 MiB\"", "ceiling = \"8 MiB\"\nfloor = 3")),
        "ci/budgets.toml:1: one limit of ceiling, ceiling_metric, ratio, growth, drift, floor is needed, found ceiling and floor"
    );
    assert!(complaint(&entry_with("ceiling = \"8 MiB\"\n", "")).ends_with("found none"));
}

#[test]
fn the_same_limit_twice_is_refused() {
    let twice = format!("{0}\n{0}", entry_with("so", "so"));
    assert_eq!(
        complaint(&twice),
        "ci/budgets.toml:7: a second limit of this kind for \"heap.peak_bytes\" of \"a/b:c\"; the first is in line 1"
    );
}

#[test]
fn limits_that_could_not_be_compared_are_refused() {
    let cases = [
        ("ceiling = \"8 MiB\"", "ceiling = -1", "ceiling: a number of at least 0"),
        ("ceiling = \"8 MiB\"", "ceiling = nan", "ceiling: a number of at least 0"),
        ("ceiling = \"8 MiB\"", "ceiling_metric = \"heap.total_blocks\"", "has another unit"),
        ("ceiling = \"8 MiB\"", "growth = \"two %\"", "is not a percentage"),
        ("ceiling = \"8 MiB\"", "growth = \"-2 %\"", "is not a percentage"),
        ("ceiling = \"8 MiB\"", "ratio = 0.04", "ratio: write {"),
        ("ceiling = \"8 MiB\"", "ratio = { of = \"a/b:*\", at_most = 1 }", "must be one case, without *"),
        ("ceiling = \"8 MiB\"", "ratio = { of = \"a/b:d\", at_most = 0 }", "at_most: a number above 0"),
        ("ceiling = \"8 MiB\"", "ratio = { of = \"a/b:d\", atmost = 1 }", "unknown key \"atmost\" in ratio"),
        ("reason", "tripwire = 1\nreason", "tripwire: true or false is needed"),
        ("a/b:c", "a/b", "is not a case, write family/scenario:strategy"),
    ];
    for (good, bad, expected) in cases {
        let said = complaint(&entry_with(good, bad));
        assert!(said.contains(expected), "{bad}: {said}");
    }
}

#[test]
fn a_text_that_is_not_toml_is_refused_with_its_line() {
    let said = complaint("# fine\n[[budget]\n");
    assert!(said.starts_with("ci/budgets.toml:2: "), "{said}");
}

#[test]
fn an_unknown_table_is_refused() {
    assert_eq!(
        complaint("\n[[budgets]]\n"),
        "ci/budgets.toml:2: unknown key \"budgets\" in the file; known: budget, order, sum, waiver"
    );
}

#[test]
fn an_order_needs_two_different_cases() {
    let order =
        |cases: &str| format!("[[order]]\nmetric = \"heap.peak_bytes\"\nreason = \"so\"\ncases = {cases}\n");
    assert!(complaint(&order(r#"["a/b:c"]"#)).contains("at least two"));
    let with_limit = order(r#"["a/b:c", "a/b:d"]"#) + "ceiling = 1\n";
    assert!(complaint(&with_limit).contains("unknown key \"ceiling\" in [[order]]"));
    assert!(complaint(&order(r#"["a/b:c", "a/b:c"]"#)).contains("named twice"));
    assert!(complaint(&order(r#"["a/b:c", "a/b:*"]"#)).contains("without *"));
}

/// Ceilings of a part and of the whole, with a sum over them.
fn sum(part: &str, whole: &str, rest: &str) -> String {
    let ceiling = |metric: &str, limit: &str| {
        format!(
            "[[budget]]\ncase = \"a/b:c\"\nmetric = \"{metric}\"\nceiling = \"{limit}\"\nreason = \"so\"\n"
        )
    };
    format!(
        "{}{}[[sum]]\ncase = \"a/b:c\"\nparts = [\"heap.peak_bytes@parse\"]\nslack = \"2 MiB\"\n\
         within = \"rss.peak_bytes\"\nreason = \"so\"\n{rest}",
        ceiling("heap.peak_bytes@parse", part),
        ceiling("rss.peak_bytes", whole),
    )
}

#[test]
fn limits_that_do_not_fit_into_each_other_are_refused() {
    assert_eq!(parse(&sum("6 MiB", "8 MiB", "container = \"8 MiB\"")).unwrap().sums.len(), 1);
    assert_eq!(
        complaint(&sum("7 MiB", "8 MiB", "")),
        "ci/budgets.toml:11: the ceilings of the parts (7 MiB) and the slack (2 MiB) come to 9 MiB, more than the 8 MiB of rss.peak_bytes"
    );
    assert_eq!(
        complaint(&sum("6 MiB", "8 MiB", "container = \"4 MiB\"")),
        "ci/budgets.toml:11: the ceiling of rss.peak_bytes is 8 MiB, more than the container's 4 MiB"
    );
    let unlimited =
        sum("6 MiB", "8 MiB", "").replace("within = \"rss.peak_bytes\"", "within = \"pss.peak_bytes\"");
    assert!(
        complaint(&unlimited)
            .ends_with("pss.peak_bytes of a/b:c has no ceiling in this file, so the sum cannot be checked")
    );
    let blocks =
        sum("6 MiB", "8 MiB", "").replace("within = \"rss.peak_bytes\"", "within = \"heap.total_blocks\"");
    assert!(complaint(&blocks).ends_with("is no number of bytes"));
}

#[test]
fn a_waiver_has_a_ceiling_an_issue_an_owner_and_a_day() {
    let good = "[[waiver]]\ncase = \"a/b:c\"\nmetric = \"heap.peak_bytes\"\nceiling = \"8 MiB\"\nissue = \"#7\"\nowner = \"ada\"\nexpires = 2026-01-31\n";
    let waiver = parse(good).unwrap().waivers.remove(0);
    assert_eq!(waiver.in_words(), "waived up to 8 MiB until 2026-01-31 (ada, #7)");
    let with = |good_part: &str, bad: &str| complaint(&good.replace(good_part, bad));
    assert!(with("issue = \"#7\"\n", "").ends_with("missing key \"issue\" in [[waiver]]"));
    assert!(with("\"ada\"", "\" \"").contains("owner: who or what is meant?"));
    assert!(
        with("2026-01-31", "\"soon\"")
            .ends_with("expires: \"soon\" is no date, write for example 2026-01-31")
    );
    assert!(with("2026-01-31", "\"2026-02-30\"").contains("is no date"));
    assert!(with("a/b:c", "a/b:*").contains("must be one case"));
}

#[test]
fn a_limit_that_names_its_place_stands_for_the_general_one_there() {
    let text = entry_with("so", "so") + &entry_with("8 MiB", "9 MiB") + "platform = \"*-linux\"\n";
    let budgets = parse(&text).unwrap();
    let in_force = |platform: &str| {
        let environment = Environment { platform: platform.to_owned(), ..Environment::default() };
        budgets.in_force(&environment).into_iter().map(Budget::in_words).collect::<Vec<_>>()
    };
    assert_eq!(in_force("x86_64-linux"), ["at most 9 MiB"]);
    assert_eq!(in_force("x86_64-macos"), ["at most 8 MiB"]);
}

#[test]
fn cases_that_do_not_exist_are_refused_with_the_line_of_their_budget() {
    let budgets = parse(WHOLE).unwrap();
    let mut known: Vec<String> =
        ["sync/cold:bounded", "sync/cold:as-reported", "sync/degrade:bounded", "sync/stale:as-reported"]
            .map(str::to_owned)
            .to_vec();
    budgets.check_cases(&known).unwrap();

    let gone = known.pop().unwrap();
    let said = budgets.check_cases(&known).unwrap_err().to_string();
    assert_eq!(
        said,
        format!(
            "ci/budgets.toml:32: case: no case is named {gone:?}; `highwater list` shows those that exist"
        )
    );
    known.push(gone);
    known.remove(1);
    let said = budgets.check_cases(&known).unwrap_err().to_string();
    assert!(said.starts_with("ci/budgets.toml:14: ratio.of: no case is named"), "{said}");
}

#[test]
fn a_star_stands_for_any_text() {
    for (pattern, name, expected) in [
        ("sync/cold:bounded", "sync/cold:bounded", true),
        ("sync/cold:bounded", "sync/cold:bounded2", false),
        ("sync/*", "sync/cold:bounded", true),
        ("*:bounded", "sync/cold:bounded", true),
        ("sync/*:s*-strip", "sync/cold:s2-eager-strip", true),
        ("sync/*:pr", "sync/cold:pr-121", false),
        ("*", "", true),
    ] {
        assert_eq!(matches(pattern, name), expected, "{pattern} on {name}");
    }
}

#[test]
fn times_are_read_in_seconds_and_milliseconds() {
    assert_eq!(read_quantity("250 ms", Unit::Seconds), Ok(0.25));
    assert_eq!(read_quantity("2s", Unit::Seconds), Ok(2.0));
    assert!(read_quantity("2 h", Unit::Seconds).is_err());
    assert!(read_quantity("2 s", Unit::Count).is_err());
}

#[test]
fn the_projects_own_budgets_are_read() {
    let text = include_str!("../../../ci/budgets.toml");
    assert!(!parse(text).unwrap().budgets.is_empty());
}
