//! Names of cases, and of files named after them.

use std::path::Path;

use super::{Error, Pass};

/// The families of cases that are named after commands.
pub const FAMILIES: [&str; 2] = ["exec", "compare"];

/// Whether a family is one of highwater's own scenarios.
pub fn is_taken(family: &str) -> bool {
    crate::scenarios().any(|scenario| scenario.name.split('/').next() == Some(family))
}

/// Checks a case's name: `family/scenario:strategy`.
///
/// # Errors
/// [`Error::BadName`] when it has another form, or its family is one of highwater's own.
pub fn case_name(name: &str) -> Result<String, Error> {
    let bad = |why| Error::BadName { name: name.to_owned(), why };
    let (family, rest) = name.split_once('/').ok_or_else(|| bad("there is no `/`"))?;
    let (scenario, strategy) = rest.split_once(':').ok_or_else(|| bad("there is no `:` after the `/`"))?;
    if [family, scenario, strategy].iter().any(|part| part.is_empty() || plain(part) != **part) {
        return Err(bad("each part is made of letters, digits, `_`, `.` and `-`"));
    }
    if is_taken(family) {
        return Err(bad("the family is one of highwater's own scenarios"));
    }
    Ok(name.to_owned())
}

/// The name of the case of a quiet pass.
pub fn quiet_name(name: &str) -> String {
    format!("{name}-quiet")
}

/// A program's file name, as a part of a case's name.
pub fn of_program(program: &Path) -> String {
    let name = program.file_name().map(|name| plain(&name.to_string_lossy())).unwrap_or_default();
    if name.is_empty() { "command".to_owned() } else { name }
}

/// A text without what no part of a case's name may have.
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "_.-".contains(*c)).collect()
}

/// A case's name as that of a file.
pub fn file_name(case: &str) -> String {
    case.replace(['/', ':'], "-")
}

/// The name of files of one pass of a case, without their number.
pub(super) fn file_stem(case: &str, pass: Pass) -> String {
    format!("{}.{pass}", file_name(case))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_three_parts_and_a_family_of_its_own() {
        assert_eq!(case_name("parse/large_1.5:as-given").unwrap(), "parse/large_1.5:as-given");
        for (name, why) in [
            ("parse", "no `/`"),
            ("parse/large", "no `:`"),
            ("a:b/c", "no `:`"),
            ("/large:x", "each part"),
            ("parse/large:", "each part"),
            ("parse/*:x", "each part"),
            ("parse/a/b:x", "each part"),
            ("sync/cold:mine", "highwater's own"),
        ] {
            let error = case_name(name).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains(name), "{name}: {error}");
        }
    }

    #[test]
    fn a_program_gives_the_part_of_a_name_that_it_can() {
        for (program, name) in [
            ("node", "node"),
            ("/usr/bin/python3.12", "python3.12"),
            ("./my prog\u{e9}:1", "myprog1"),
            ("/", "command"),
            ("../\u{4e2d}", "command"),
        ] {
            assert_eq!(of_program(Path::new(program)), name);
        }
    }
}
