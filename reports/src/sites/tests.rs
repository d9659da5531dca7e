//! Growth between small profiles, by hand.

use harness::sites::ProcessSites;

use super::*;

const FILES: &[(&str, &str, u32)] =
    &[("copy_summaries", "src/planted.rs", 12), ("main", "src/main.rs", 3), ("read", "src/read.rs", 40)];

/// A site with so many bytes at the peak in one block of which all is retained; what is in capitals is a library's.
fn site(stack: &[&str], bytes: u64) -> Site {
    let frame = |name: &&str| {
        let known = FILES.iter().find(|(known, _, _)| known == name);
        let origin = if name.starts_with(char::is_uppercase) { Origin::Library } else { Origin::Own };
        Frame {
            function: (*name).to_owned(),
            file: known.map(|known| known.1.to_owned()),
            line: known.map(|known| known.2),
            origin,
        }
    };
    Site {
        stack: stack.iter().map(frame).collect(),
        peak_bytes: bytes,
        peak_blocks: 1,
        total_bytes: 2 * bytes,
        total_blocks: 2,
        retained_bytes: 0,
        retained_blocks: 0,
    }
}

/// A stack and its bytes at the peak.
type Bytes<'a> = (&'a [&'a str], u64);

fn profile(roles: &[(&str, &[Bytes<'_>])]) -> Profile {
    let processes = roles.iter().map(|(role, sites)| ProcessSites {
        role: (*role).to_owned(),
        sites: sites.iter().map(|(stack, bytes)| site(stack, *bytes)).collect(),
    });
    Profile { case: "sync/cold:bounded".to_owned(), processes: processes.collect(), ..Profile::default() }
}

fn parent(sites: &[Bytes<'_>]) -> Profile {
    profile(&[("parent", sites)])
}

fn grown(growth: &SiteGrowth) -> Vec<(&str, f64, f64)> {
    growth.sites.iter().map(|site| (site.function.as_str(), site.base_bytes, site.head_bytes)).collect()
}

const COPY: &[&str] = &["Vec", "copy_summaries", "main"];
const READ: &[&str] = &["Vec", "read", "main"];

#[test]
fn the_largest_growth_comes_first_and_what_shrank_is_not_listed() {
    let base = parent(&[(COPY, 100), (READ, 500), (&["main"], 900)]);
    let head = parent(&[(COPY, 150), (READ, 900), (&["main"], 100)]);
    let growth = growth(&base, &head, Moment::Peak, None);
    assert_eq!(grown(&growth), [("read", 500.0, 900.0), ("copy_summaries", 100.0, 150.0)]);
    assert_eq!((growth.base_bytes, growth.head_bytes, growth.grown_sites), (1500.0, 1150.0, 2));
    assert_eq!(growth.enough_sites, None);
    let total = super::growth(&base, &head, Moment::Total, None);
    assert_eq!(grown(&total)[0], ("read", 1000.0, 1800.0));
}

#[test]
fn roles_are_apart_and_one_that_is_new_has_nothing_in_the_base() {
    let base = profile(&[("parent", &[(READ, 500)]), ("worker-1", &[(COPY, 700)])]);
    let head = profile(&[("parent", &[(READ, 500)]), ("worker-2", &[(COPY, 600)])]);
    let growth = growth(&base, &head, Moment::Peak, None);
    assert_eq!(grown(&growth), [("copy_summaries", 0.0, 600.0)]);
    assert_eq!(growth.sites[0].role, "worker-2");
}

#[test]
fn a_program_of_one_process_may_have_another_name() {
    let (base, head) = (profile(&[("tool-old", &[(COPY, 500)])]), profile(&[("tool", &[(COPY, 600)])]));
    assert_eq!(grown(&growth(&base, &head, Moment::Peak, None)), [("copy_summaries", 500.0, 600.0)]);
}

#[test]
fn a_site_that_only_moved_has_not_grown() {
    let renamed: &[&str] = &["Vec", "copy_all", "main"];
    let same = growth(&parent(&[(COPY, 700)]), &parent(&[(renamed, 700)]), Moment::Peak, None);
    assert_eq!(same.grown_sites, 0);
    // A rename that also grew cannot be told from a new function: it is shown as new.
    let more = growth(&parent(&[(COPY, 700)]), &parent(&[(renamed, 900)]), Moment::Peak, None);
    assert_eq!(grown(&more), [("copy_all", 0.0, 900.0)]);
}

#[test]
fn what_a_function_got_by_another_way_is_taken_off_its_growth() {
    let inlined: &[&str] = &["Raw", "copy_summaries", "main"];
    let by_stack = growth(&parent(&[(COPY, 700)]), &parent(&[(inlined, 900)]), Moment::Peak, None);
    assert_eq!(grown(&by_stack), [("copy_summaries", 700.0, 900.0)]);
    let other_caller: &[&str] = &["Raw", "copy_summaries", "read", "main"];
    let by_own = growth(&parent(&[(COPY, 700)]), &parent(&[(other_caller, 900)]), Moment::Peak, None);
    assert_eq!(grown(&by_own), [("copy_summaries", 700.0, 900.0)]);
    // Never more than the new one has: 700 bytes that became 200 have not grown, and pay for nothing else.
    let less = parent(&[(other_caller, 200), (READ, 900)]);
    let less = growth(&parent(&[(COPY, 700), (READ, 100)]), &less, Moment::Peak, None);
    assert_eq!(grown(&less), [("read", 100.0, 900.0)]);
}

/// By hand: 1500 are 500 too many for a limit of 1000; #1 grew by 400, #2 by 150, so both must go.
#[test]
fn the_fewest_sites_are_those_after_which_the_limit_is_kept() {
    let base = parent(&[(READ, 500), (COPY, 100), (&["main"], 350)]);
    let head = parent(&[(READ, 900), (COPY, 250), (&["main"], 350)]);
    let enough = |limit: f64| growth(&base, &head, Moment::Peak, Some(limit)).enough_sites;
    assert_eq!(
        [1500.0, 1499.0, 1100.0, 1099.0, 950.0, 949.0].map(enough),
        [Some(0), Some(1), Some(1), Some(2), Some(2), None]
    );
}

#[test]
fn at_most_twenty_sites_are_kept_and_all_are_counted() {
    let names: Vec<String> = (0..30).map(|n| format!("f{n}")).collect();
    let stacks: Vec<[&str; 1]> = names.iter().map(|name| [name.as_str()]).collect();
    let sites: Vec<(&[&str], u64)> = stacks.iter().map(|stack| (&stack[..], 100)).collect();
    let growth = growth(&parent(&[]), &parent(&sites), Moment::Peak, Some(300.0));
    assert_eq!((growth.sites.len(), growth.grown_sites, growth.enough_sites), (20, 30, Some(27)));
    assert!(text(&growth).ends_with("and 25 more that grew by less\n"));
    assert!(deletion(&growth).starts_with("20 sites explain 66 % of +2.93 KiB; reverting #1 to #27 passes"));
}

#[test]
fn the_first_line_names_the_function_and_its_place() {
    let growth = growth(&parent(&[]), &parent(&[(COPY, 3_250_586)]), Moment::Peak, Some(0.0));
    assert_eq!(first_line(&growth), "+3.10 MiB in copy_summaries (src/planted.rs:12)");
    assert_eq!(deletion(&growth), "1 site explains 100 % of +3.10 MiB; reverting #1 alone passes");
    assert_eq!(
        text(&growth),
        "  #1 +3.10 MiB in copy_summaries (src/planted.rs:12), +1 blocks, parent\n       called by main\n"
    );
    let row = "| 1 | +3.10 MiB | +1 | copy_summaries (src/planted.rs:12), parent | main |";
    assert!(markdown(&growth).lines().any(|line| line == row), "{}", markdown(&growth));
}

#[test]
fn what_does_not_suffice_or_did_not_grow_is_said() {
    let grown =
        growth(&parent(&[(READ, 600)]), &parent(&[(READ, 100), (COPY, 1024)]), Moment::Peak, Some(50.0));
    assert_eq!(
        deletion(&grown),
        "1 site explains 100 % of +1 KiB (-500 B elsewhere); reverting all of them does not suffice"
    );
    let same = growth(&parent(&[(READ, 600)]), &parent(&[(READ, 600)]), Moment::Peak, None);
    assert_eq!(
        (first_line(&same), deletion(&same)),
        ("no allocation site grew".to_owned(), first_line(&same))
    );
}

#[test]
fn the_flamegraph_is_the_same_each_time_and_colours_what_grew() {
    let base = parent(&[(COPY, 100), (READ, 500)]);
    let head = parent(&[(COPY, 400), (READ, 300)]);
    let svg = flamegraph(&base, &head, Moment::Peak).unwrap();
    assert_eq!(svg, flamegraph(&base, &head, Moment::Peak).unwrap());
    let colour = |function: &str| {
        let title = svg.find(&format!("<title>{function} (")).expect("the function is drawn");
        let fill = svg[title..].find("rgb(").unwrap() + title + 4;
        let end = svg[fill..].find(')').unwrap() + fill;
        let parts: Vec<u32> = svg[fill..end].split(',').map(|part| part.trim().parse().unwrap()).collect();
        (parts[0], parts[2])
    };
    let ((grown_red, grown_blue), (shrunk_red, shrunk_blue)) = (colour("copy_summaries"), colour("read"));
    assert!(grown_red > grown_blue && shrunk_blue > shrunk_red, "{svg}");
    assert!(svg.contains("bytes") && svg.contains("sync/cold:bounded"));
    assert!(flamegraph(&parent(&[]), &parent(&[]), Moment::Peak).is_err());
}
