//! Profiles from dhat's files, saved and read again.

use super::*;

/// A profile of dhat with these frames after `[root]`, and these stacks of (bytes at every moment, frames).
fn dhat(frames: &[&str], stacks: &[(u64, &[usize])]) -> String {
    let table: Vec<&str> = ["[root]"].iter().chain(frames).copied().collect();
    let entry = |(bytes, frames): &(u64, &[usize])| {
        serde_json::json!({
            "tb": bytes * 3, "tbk": 3, "gb": bytes, "gbk": 1, "eb": bytes / 2, "ebk": 1, "fs": frames,
        })
    };
    let entries: Vec<_> = stacks.iter().map(entry).collect();
    serde_json::json!({ "dhatFileVersion": 2, "pps": entries, "ftbl": table }).to_string()
}

/// The profile of a folder with these files in it.
fn read_folder(files: &[(&str, &str)]) -> Result<Profile, Error> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    read(folder.path(), "sync/cold:bounded")
}

const FRAMES: &[&str] = &[
    "0x1: alloc (/c/registry/src/i/dhat-0.3.3/src/lib.rs:1176:9)",
    "0x2: to_vec<u8> (/rustc/ab/library/alloc/src/slice.rs:9:1)",
    "0x3: copy (/b/p/engine/src/copy.rs:12:1)",
    "0x4: main (/b/p/cli/src/main.rs:5:1)",
];

/// The same program, built elsewhere from sources that are a line longer, with other addresses and hashes.
const REBUILT: &[&str] = &[
    "0x91: alloc (/d/registry/src/j/dhat-0.3.4/src/lib.rs:1180:9)",
    "0x92: to_vec<u8, alloc::alloc::Global> (/rustc/ab/library/alloc/src/slice.rs:9:1)",
    "0x93: copy::h0123456789abcdef (/e/q/engine/src/copy.rs:13:1)",
    "0x94: main (/e/q/cli/src/main.rs:6:1)",
];

#[test]
fn a_rebuild_and_a_shifted_line_make_no_other_site() {
    let identities = |frames| {
        let profile = read_folder(&[("parent.dhat.json", &dhat(frames, &[(64, &[1, 2, 3, 4])]))]).unwrap();
        let site = &profile.processes[0].sites[0];
        site.identity().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(identities(FRAMES), ["to_vec", "copy", "main"]);
    assert_eq!(identities(REBUILT), identities(FRAMES));
}

#[test]
fn sites_that_are_equal_after_folding_are_one() {
    let mut frames = FRAMES.to_vec();
    frames.push("0x7: copy (/b/p/engine/src/copy.rs:15:1)");
    let text = dhat(&frames, &[(64, &[1, 2, 3, 4]), (100, &[1, 2, 5, 4]), (7, &[1, 3, 4])]);
    let profile = read_folder(&[("parent.dhat.json", &text)]).unwrap();
    let sites = &profile.processes[0].sites;
    assert_eq!(sites.len(), 2);
    assert_eq!((sites[0].peak_bytes, sites[0].peak_blocks, sites[0].total_bytes), (164, 2, 492));
    assert_eq!(sites[0].retained_bytes, 82);
    let own = sites[0].own().unwrap();
    assert_eq!(
        (own.file.as_deref(), own.line),
        (Some("engine/src/copy.rs"), Some(15)),
        "the larger is shown"
    );
    assert_eq!(profile.bytes(Moment::Peak), 171);
}

#[test]
fn a_site_is_named_after_the_innermost_function_of_the_program_that_does_not_only_copy() {
    let frame =
        |function: &str, origin| Frame { function: function.to_owned(), file: None, line: None, origin };
    let own = |frames: Vec<Frame>| Site { stack: frames, ..Site::default() }.own().unwrap().function.clone();
    let (library, program) = (Origin::Library, Origin::Own);
    assert_eq!(own(vec![frame("to_vec", library), frame("copy", program), frame("main", program)]), "copy");
    assert_eq!(own(vec![frame("Entry::clone", program), frame("copy", program)]), "copy");
    assert_eq!(own(vec![frame("to_vec", library), frame("clone", program)]), "clone");
    assert_eq!(own(vec![frame("to_vec", library), frame("read", Origin::Crate)]), "to_vec");
}

#[test]
fn every_process_has_its_own_sites_and_records_beside_are_passed_over() {
    let text = dhat(FRAMES, &[(64, &[1, 2, 3, 4])]);
    let files =
        [("worker-1.dhat.json", text.as_str()), ("parent.dhat.json", text.as_str()), ("parent.json", "{}")];
    let profile = read_folder(&files).unwrap();
    let roles: Vec<&str> = profile.processes.iter().map(|process| process.role.as_str()).collect();
    assert_eq!(roles, ["parent", "worker-1"]);
}

#[test]
fn a_folder_without_profiles_says_whose_programs_leave_one() {
    let error = read_folder(&[("parent.json", "{}")]).unwrap_err().to_string();
    assert!(error.contains("harness::alloc::Switch"), "{error}");
}

#[test]
fn a_saved_profile_reads_back_as_it_was() {
    let text = dhat(FRAMES, &[(64, &[1, 2, 3, 4]), (7, &[1, 3, 4])]);
    let mut profile = read_folder(&[("parent.dhat.json", &text)]).unwrap();
    profile.corpus = Some("9ee4".to_owned());
    profile.artifact.commit = Some("6d609d9".to_owned());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("base.sites.json");
    profile.save(&path).unwrap();
    assert_eq!(Profile::load(&path).unwrap(), profile);
}

#[test]
fn a_saved_profile_of_another_schema_or_with_a_hole_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("base.sites.json");
    let text = dhat(FRAMES, &[(64, &[1, 2, 3, 4])]);
    let profile = read_folder(&[("parent.dhat.json", &text)]).unwrap();
    profile.save(&path).unwrap();
    let saved = fs::read_to_string(&path).unwrap();
    let why = |text: String| {
        fs::write(&path, text).unwrap();
        Profile::load(&path).unwrap_err().to_string()
    };
    assert!(why(saved.replace("\"schema\":1", "\"schema\":2")).contains("schema 2"));
    assert!(why(saved.replace("[0,1,2]", "[0,1,9]")).contains("not in the table"));
    assert!(why(saved[..saved.len() / 2].to_owned()).contains("base.sites.json"));
}
