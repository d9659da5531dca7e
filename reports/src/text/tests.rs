//! What the terminal shows.

use super::*;
use crate::specimen;

const WIDE: Style = Style { colour: false, width: 120 };

#[test]
fn the_table_of_a_judged_run() {
    insta::assert_snapshot!(table(&specimen::judged(), WIDE));
}

#[test]
fn a_run_that_failed_says_where_and_why() {
    let mut run = specimen::run();
    run.cases.truncate(2);
    run.cases[1].error = Some("digest 12ab, the manifest says 34cd".to_owned());
    run.cases[1].metrics.clear();
    run.cases[1].processes[1].end = Some("ran out of its heap of 64 MiB".to_owned());
    specimen::judge(&mut run);
    insta::assert_snapshot!(table(&run, WIDE));
}

#[test]
fn what_is_waived_is_listed_with_the_sum_of_the_debt() {
    let mut run = specimen::waived();
    run.cases.retain(|case| !case.verdicts.is_empty());
    insta::assert_snapshot!(table(&run, WIDE));
}

#[test]
fn a_narrow_terminal_loses_columns_and_no_case() {
    let narrow = table(&specimen::judged(), Style { colour: false, width: 70 });
    assert!(narrow.contains("of as-reported") && !narrow.contains("total bytes"), "{narrow}");
    let header = narrow.lines().nth(1).unwrap();
    assert!(header.len() <= 70 && !header.contains("time"), "{header}");
    for case in specimen::run().cases {
        assert!(narrow.contains(rows::parts(&case.case).1));
    }
}

#[test]
fn colours_change_nothing_but_colours() {
    let run = specimen::judged();
    let coloured = table(&run, Style { colour: true, ..WIDE });
    assert!(coloured.contains("\x1b[31mregression\x1b[0m"));
    let plain = ["\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"]
        .iter()
        .fold(coloured, |text, code| text.replace(code, ""));
    assert_eq!(plain, table(&run, WIDE));
}

#[test]
fn a_tree_of_processes_is_shown_as_an_interval() {
    let mut case = specimen::run().cases.remove(0);
    for (name, mib) in [("tree.peak_low_bytes", 120.0), ("tree.peak_high_bytes", 131.0)] {
        case.metrics.insert(name.to_owned(), specimen::exact(mib * 1_048_576.0, Unit::Bytes));
    }
    assert_eq!(rows::peak_rss(&case, ""), "120-131 MiB");
}

#[test]
fn what_each_choice_is_worth_is_one_table() {
    let mut run = specimen::run();
    run.cases.clear();
    run.doubts.clear();
    let mib = 1_048_576.0;
    let values = [200.0 * mib, 120.0 * mib, 170.0 * mib, 80.0 * mib];
    let names = ["s4-low-prefetch", "s2-eager-strip"];
    run.worth.push(crate::worth::shapley("sync/cold", "heap.peak_bytes", &names, &values));
    insta::assert_snapshot!(table(&run, WIDE));
}

#[test]
fn laws_and_crossings_are_sections_of_their_own() {
    insta::assert_snapshot!(table(&specimen::swept(), WIDE));
}

#[test]
fn the_tables_of_foreign_commands() {
    insta::assert_snapshot!(table(&specimen::foreign(), WIDE));
}

#[test]
fn of_many_processes_the_largest_are_shown_and_the_others_counted() {
    let mut run = specimen::foreign();
    let line = format!("cc {}", "long/".repeat(50));
    run.cases[0].processes = (0..30)
        .map(|index| specimen::member(&format!("cc-{index}"), &line, f64::from(index + 1), (0.5, 0.75)))
        .collect();
    let mut rest = specimen::member("2,245 smaller processes", "", 10.0, (0.0, 1.5));
    (rest.pid, rest.command) = (0, None);
    run.cases[0].processes.push(rest);
    let shown = table(&run, Style { colour: false, width: 80 });
    let lines: Vec<&str> = shown.lines().filter(|line| line.contains("  cc-")).collect();
    assert_eq!(lines.len(), 20, "{shown}");
    assert!(lines[0].contains("30 MiB  0.50-0.75 s  cc-29"), "{shown}");
    assert!(lines.iter().all(|line| line.len() <= 80 && line.ends_with("...")), "{shown}");
    // 1 to 10 MiB, and 10 more.
    assert!(shown.contains("\n  and 10 more and 2,245 smaller processes with 65 MiB together\n"), "{shown}");
}
