//! Whose code a frame is, by the path of its file.
//!
//! The rule knows where the tools of Rust keep the code of others; what lies anywhere else is the program's own. It is sure with whole
//! paths, which our profiles have. Of a path that dhat has shortened to three components, the name of the crate may be gone.

use super::Origin;

/// Crates that the instrument is made of.
const INSTRUMENT_CRATES: &[&str] = &["backtrace", "dhat", "highwater-harness", "mintex", "stats_alloc"];

/// The files of this crate that run inside a measured program's allocations and marks.
const INSTRUMENT_FILES: &[&str] = &[
    "harness/src/alloc",
    "harness/src/counters",
    "harness/src/inject",
    "harness/src/limit",
    "harness/src/meter",
];

/// Crates of the standard library.
const LIBRARY_CRATES: &[&str] = &[
    "alloc",
    "backtrace",
    "core",
    "panic_abort",
    "panic_unwind",
    "portable-simd",
    "proc_macro",
    "std",
    "stdarch",
    "test",
];

/// Whose code a file is, and the part of its path that is worth showing.
pub(super) fn of_file(path: &str) -> (Origin, String) {
    let path = path.replace('\\', "/");
    if let Some(shown) = in_library(&path) {
        return (Origin::Library, shown.to_owned());
    }
    if let Some(shown) = in_registry(&path) {
        let name = shown.split('/').next().and_then(package).unwrap_or_default();
        let origin = if INSTRUMENT_CRATES.contains(&name) { Origin::Instrument } else { Origin::Crate };
        return (origin, shown.to_owned());
    }
    if let Some((_, shown)) = ["/git/checkouts/", "/vendor/"].iter().find_map(|at| path.split_once(at)) {
        return (Origin::Crate, shown.to_owned());
    }
    let is_instrument = INSTRUMENT_FILES.iter().any(|file| {
        path.match_indices(file).any(|(at, _)| {
            let after = &path[at + file.len()..];
            (at == 0 || path[..at].ends_with('/')) && (after == ".rs" || after.starts_with('/'))
        })
    });
    (if is_instrument { Origin::Instrument } else { Origin::Own }, path)
}

/// Whose code a function without a file is, by its name.
pub(super) fn of_function(name: &str) -> Origin {
    let path = name.trim_start_matches(['<', '&']);
    match path.split("::").next() {
        Some("alloc" | "core" | "std" | "hashbrown") if path.contains("::") => Origin::Library,
        Some("dhat" | "backtrace" | "mintex") if path.contains("::") => Origin::Instrument,
        _ => Origin::Unknown,
    }
}

/// A file of the standard library, from `library/` on; of what that is built of, from the crate's folder on.
fn in_library(path: &str) -> Option<&str> {
    if let Some((_, dependency)) = path.split_once("/rust/deps/") {
        return Some(dependency);
    }
    let is_crate = |rest: &str| rest.split('/').next().is_some_and(|name| LIBRARY_CRATES.contains(&name));
    let compiled = path.split_once("/rustc/").or_else(|| path.split_once("/rustlib/src/rust/"));
    if let Some((_, below)) = compiled {
        let at = below.find("library/").unwrap_or(0);
        return Some(&below[at..]);
    }
    let is_short = path.strip_prefix("library/").is_some_and(is_crate)
        || ["alloc/src/", "core/src/", "std/src/"].iter().any(|start| path.starts_with(start));
    is_short.then_some(path)
}

/// A file of a crate from a registry, from the crate's folder on. Of a path that is whole the registry must be named, since a program
/// may lie in a folder `NAME-VERSION` too.
fn in_registry(path: &str) -> Option<&str> {
    if let Some((_, below)) = path.split_once("/registry/src/") {
        return below.split_once('/').map(|(_, shown)| shown);
    }
    let is_whole = path.starts_with('/') || path.get(1..2) == Some(":");
    let folder = path.split('/').next()?;
    (!is_whole && package(folder).is_some()).then_some(path)
}

/// The name in `NAME-VERSION`.
fn package(folder: &str) -> Option<&str> {
    let version_at = folder.match_indices('-').map(|(at, _)| at).find(|at| is_version(&folder[at + 1..]))?;
    Some(&folder[..version_at])
}

/// Whether a text begins as a version does: three numbers with points between.
fn is_version(text: &str) -> bool {
    let mut numbers = text.splitn(3, '.');
    let is_number = |number: Option<&str>| {
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    is_number(numbers.next())
        && is_number(numbers.next())
        && numbers.next().is_some_and(|patch| patch.starts_with(|first: char| first.is_ascii_digit()))
}

/// The folder of the program's own sources, with a slash at the end: the deepest that holds all of them, but not `src` or what is in it.
pub(super) fn root<'a>(files: impl Iterator<Item = &'a str>) -> String {
    let sources = files.filter(|file| file.ends_with(".rs"));
    let folder = |file: &'a str| file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let common = |one: &'a str, other: &'a str| {
        let equal = one.split('/').zip(other.split('/')).take_while(|(one, other)| one == other);
        let bytes: usize = equal.map(|(part, _)| part.len() + 1).sum();
        &one[..bytes.saturating_sub(1)]
    };
    let Some(shared) = sources.map(folder).reduce(common) else { return String::new() };
    let parts: Vec<&str> = shared.split('/').collect();
    let last = |names: &[&str]| parts.iter().rposition(|part| names.contains(part));
    let cut = last(&["src"]).or_else(|| last(&["tests", "benches", "examples"])).unwrap_or(parts.len());
    let root = parts[..cut].join("/");
    if root.is_empty() { root } else { format!("{root}/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_others_is_known_by_where_the_tools_keep_it() {
        for (path, origin, shown) in [
            (
                "/rustc/29483883eed69d5fb4db01964cdf2af4d86e9cb2/library/alloc/src/vec/mod.rs",
                Origin::Library,
                "library/alloc/src/vec/mod.rs",
            ),
            (
                "/opt/rust/toolchains/stable/lib/rustlib/src/rust/library/std/src/io/mod.rs",
                Origin::Library,
                "library/std/src/io/mod.rs",
            ),
            (
                r"C:\rust\lib\rustlib\src\rust\library\core\src\str\mod.rs",
                Origin::Library,
                "library/core/src/str/mod.rs",
            ),
            ("/rust/deps/hashbrown-0.16.1/src/raw.rs", Origin::Library, "hashbrown-0.16.1/src/raw.rs"),
            (
                "/opt/cargo/registry/src/index.crates.io-1949cf8c6b5b557f/serde_json-1.0.154/src/de.rs",
                Origin::Crate,
                "serde_json-1.0.154/src/de.rs",
            ),
            (
                "/opt/cargo/registry/src/index.crates.io-1949cf8c6b5b557f/dhat-0.3.3/src/lib.rs",
                Origin::Instrument,
                "dhat-0.3.3/src/lib.rs",
            ),
            (
                "/opt/cargo/git/checkouts/tool-1a2b3c/4d5e6f/src/lib.rs",
                Origin::Crate,
                "tool-1a2b3c/4d5e6f/src/lib.rs",
            ),
            ("/build/project/vendor/itoa/src/lib.rs", Origin::Crate, "itoa/src/lib.rs"),
        ] {
            assert_eq!(of_file(path), (origin, shown.to_owned()), "{path}");
        }
    }

    #[test]
    fn what_lies_elsewhere_is_the_programs_own() {
        for path in [
            "/build/project/engine/src/sync/host.rs",
            "/build/highwater-0.1.0/engine/src/sync/host.rs",
            "/build/library/src/lib.rs",
            "/build/harness/src/alloc_rate.rs",
            "src/sync/host.rs",
        ] {
            assert_eq!(of_file(path), (Origin::Own, path.to_owned()), "{path}");
        }
        for path in ["/build/project/harness/src/alloc.rs", "/build/project/harness/src/alloc/jemalloc.rs"] {
            assert_eq!(of_file(path).0, Origin::Instrument, "{path}");
        }
    }

    #[test]
    fn a_shortened_path_is_known_as_far_as_it_names_its_crate() {
        assert_eq!(of_file("serde_json-1.0.154/src/de.rs").0, Origin::Crate);
        assert_eq!(of_file("dhat-0.3.3/src/lib.rs").0, Origin::Instrument);
        assert_eq!(of_file("alloc/src/alloc.rs").0, Origin::Library);
        assert_eq!(of_file("web-sys-0.3.1-beta.2/src/a.rs").0, Origin::Crate);
        assert_eq!(of_file("my-2nd-tool/src/a.rs").0, Origin::Own);
    }

    #[test]
    fn a_function_without_a_file_is_known_by_its_name() {
        assert_eq!(of_function("<alloc::vec::Vec<T> as Clone>::clone"), Origin::Library);
        assert_eq!(of_function("dhat::new_backtrace_inner"), Origin::Instrument);
        assert_eq!(of_function("alloc"), Origin::Unknown);
        assert_eq!(of_function("__libc_start_main"), Origin::Unknown);
    }

    #[test]
    fn the_root_is_what_all_own_files_share_above_src() {
        let root = |files: &[&str]| root(files.iter().copied());
        assert_eq!(root(&["/b/p/engine/src/a/b.rs", "/b/p/scenarios/src/c.rs"]), "/b/p/");
        assert_eq!(root(&["/b/p/src/bin/planted.rs"]), "/b/p/");
        assert_eq!(root(&["/b/p/src/bin/planted.rs", "/b/p/src/lib.rs"]), "/b/p/");
        assert_eq!(root(&["/b/examples/rust/src/main.rs"]), "/b/examples/rust/");
        assert_eq!(root(&["/b/p/tests/a.rs"]), "/b/p/");
        assert_eq!(root(&["/b/p/src/a.rs", "/usr/lib/x.c"]), "/b/p/");
        assert_eq!(root(&["/b/p/a.rs", "/c/q/b.rs"]), "");
        assert_eq!(root(&[]), "");
    }
}
