//! `highwater merge`: runs of shards, joined and judged as one.
#![cfg(target_os = "linux")]

mod bench;

use std::fs;
use std::path::Path;

use bench::{call, highwater, json, temporary};

const BUDGETS: &str = r#"
[[budget]]
case = "exec/one:x"
metric = "rss.peak_bytes"
ceiling = "1 GiB"
reason = "generous"

[[budget]]
case = "exec/two:x"
metric = "rss.peak_bytes"
ceiling = "1 KiB"
reason = "tight"
"#;

fn shard(desk: &Path, name: &str) {
    let mut command = highwater(&["exec", "--samples", "1", "--instrument", "os", "--name"]);
    command.arg(format!("exec/{name}:x")).arg("--out").arg(desk.join(name)).args(["--", "echo", name]);
    call(command).expect(0);
}

fn merge(desk: &Path, runs: &[&str], out: &str) -> bench::Said {
    let mut command = highwater(&["merge", "--out", out]);
    command.args(runs).current_dir(desk);
    call(command)
}

#[test]
fn shards_are_judged_as_one_run() {
    let desk = temporary();
    let desk = desk.path();
    ["one", "two"].into_iter().for_each(|name| shard(desk, name));
    merge(desk, &["one", "two/run.json"], "whole").expect(0);
    let whole = json(&desk.join("whole/run.json"));
    let names: Vec<&str> =
        whole["cases"].as_array().unwrap().iter().map(|case| case["case"].as_str().unwrap()).collect();
    assert_eq!(names, ["exec/one:x", "exec/two:x"]);
    for name in ["report.md", "report.html", "junit.xml"] {
        assert!(desk.join("whole").join(name).is_file(), "{name}");
    }
    let outputs = |run: &str| {
        let mut names: Vec<_> = fs::read_dir(desk.join(run).join("output"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    let mut both = [outputs("one"), outputs("two")].concat();
    both.sort();
    assert_eq!(outputs("whole"), both);

    fs::write(desk.join("budgets.toml"), BUDGETS).unwrap();
    let mut command = highwater(&["gate", "whole", "--budgets", "budgets.toml"]);
    command.current_dir(desk);
    call(command).expect(1);
}

#[test]
fn what_cannot_be_joined_is_refused_and_nothing_is_written() {
    let desk = temporary();
    let desk = desk.path();
    ["one", "two"].into_iter().for_each(|name| shard(desk, name));
    bench::copy(&desk.join("one"), &desk.join("again"));
    merge(desk, &["one", "again"], "whole")
        .expect(2)
        .complains(&["one and again both have the case exec/one:x"]);
    let path = desk.join("two/run.json");
    let mut run = json(&path);
    run["artifact"]["version"] = "9.9.9".into();
    fs::write(&path, run.to_string()).unwrap();
    merge(desk, &["one", "two"], "whole").expect(2).complains(&["artifact.version", "9.9.9"]);
    merge(desk, &["one", "two"], "one").expect(2).complains(&["--out one is one of the runs"]);
    merge(desk, &["one", "nosuch"], "whole").expect(2).complains(&["nosuch"]);
    assert!(!desk.join("whole").exists());
    // The folder of a run that is named by its file alone is this one.
    let before = fs::read(desk.join("one/run.json")).unwrap();
    merge(&desk.join("one"), &["run.json", "../two"], ".")
        .expect(2)
        .complains(&["--out . is one of the runs"]);
    assert_eq!(fs::read(desk.join("one/run.json")).unwrap(), before);
}
