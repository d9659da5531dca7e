//! Names of functions without what differs between builds: hashes, generic arguments, shells of traits, numbers of closures.

/// A name as sites are known by. What has no name of its own, such as a closure of which only that is known, keeps its braces
/// without the number: `{closure}`.
pub(super) fn plain(name: &str) -> String {
    let text = without_brackets(without_hash(name));
    let segments: Vec<&str> = text.split("::").filter(|segment| !segment.is_empty()).collect();
    let named: Vec<&str> = segments.iter().copied().filter(|segment| !is_nameless(segment)).collect();
    match (named.is_empty(), segments.first()) {
        (true, Some(first)) => format!("{{{}}}", inner(first)),
        (true, None) => name.to_owned(),
        _ => named.join("::"),
    }
}

/// Whether a name, or a segment of one, stands in braces: `{closure#0}`, `{{closure}}`, `{impl#3}`.
pub(super) fn is_nameless(segment: &str) -> bool {
    segment.starts_with('{')
}

/// What stands in the braces, without its number.
fn inner(segment: &str) -> &str {
    let inner = segment.trim_matches(['{', '}']);
    inner.split('#').next().unwrap_or(inner)
}

/// Without the hash that older mangling appends: `::h0123456789abcdef`.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => path,
        _ => name,
    }
}

/// Without generic arguments and numbers of crates. `<A as B>::c` becomes `A::c`, and `a::<impl B for C>::d` becomes `a::d`.
fn without_brackets(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let follows_name = out.ends_with(|last: char| last.is_alphanumeric() || last == '_' || last == '}');
        match (first, matching(rest)) {
            ('<', Some(end)) if out.is_empty() => {
                out.push_str(&without_brackets(self_type(&rest[1..end])));
                rest = &rest[end + 1..];
            }
            ('<', Some(end)) => rest = &rest[end + 1..],
            ('[', Some(end)) if follows_name => rest = &rest[end + 1..],
            _ => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}

/// The type before ` as TRAIT`, references taken off.
fn self_type(inner: &str) -> &str {
    let mut depth = 0_i32;
    let before = |(at, c): (usize, char)| {
        depth += step(inner, at, c);
        (depth == 0 && inner[at..].starts_with(" as ")).then_some(at)
    };
    let end = inner.char_indices().find_map(before).unwrap_or(inner.len());
    inner[..end].trim_start_matches('&').trim_start_matches("mut ")
}

/// Where the bracket that a text begins with is closed.
fn matching(text: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices() {
        depth += step(text, at, c);
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// What a character does to the depth of brackets; the arrow of a function's type is none.
pub(super) fn step(text: &str, at: usize, c: char) -> i32 {
    match c {
        '<' | '[' | '(' | '{' => 1,
        '>' if text[..at].ends_with(['-', '=']) => 0,
        '>' | ']' | ')' | '}' => -1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_generic_arguments_and_closures_make_no_difference() {
        for (name, expected) in [
            ("planted::main::h0123456789abcdef", "planted::main"),
            ("planted::read::{{closure}}::h0123456789abcdef", "planted::read"),
            ("planted::read::{closure#3}::{closure#0}", "planted::read"),
            ("planted::Entry::{{constructor}}", "planted::Entry"),
            ("run<std::io::stdio::StdinLock, std::io::stdio::StdoutLock>", "run"),
            (
                "core[8f1c3d]::iter::adapters::map::map_fold::<T, fn(A) -> B>",
                "core::iter::adapters::map::map_fold",
            ),
            ("deserialize<serde::de::impls::{impl#19}::deserialize::VecVisitor<(u8, u64)>>", "deserialize"),
            ("serde::de::impls::{impl#19}::deserialize", "serde::de::impls::deserialize"),
            ("alloc::vec::Vec<T,A>::push", "alloc::vec::Vec::push"),
        ] {
            assert_eq!(plain(name), expected, "{name}");
        }
    }

    #[test]
    fn a_method_of_a_trait_is_the_method_of_its_type() {
        for (name, expected) in [
            ("<alloc::vec::Vec<T> as core::iter::FromIterator<T>>::from_iter", "alloc::vec::Vec::from_iter"),
            ("<&mut planted::Reader<R> as std::io::Read>::read", "planted::Reader::read"),
            ("<[T]>::to_vec", "[T]::to_vec"),
            ("<F as core::ops::FnOnce<(A,) as B>>::call_once", "F::call_once"),
            (
                "core::ops::function::impls::<impl core::ops::FnOnce<A> for &F>::call_once",
                "core::ops::function::impls::call_once",
            ),
        ] {
            assert_eq!(plain(name), expected, "{name}");
        }
    }

    #[test]
    fn what_has_no_name_keeps_its_braces_without_the_number() {
        assert_eq!(plain("{closure#2}<alloc::string::String>"), "{closure}");
        assert_eq!(plain("{{closure}}"), "{closure}");
        assert_eq!(plain("???"), "???");
        assert_eq!(plain("operator<"), "operator<");
    }
}
