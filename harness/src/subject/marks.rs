//! Where a foreign program says that a phase begins: a line `highwater:phase NAME` on a descriptor of its own, or any line of its output
//! that fits a pattern.

use regex::bytes::Regex;

/// What a line on that descriptor begins with.
const MARK: &[u8] = b"highwater:phase ";
/// Bytes of a line that are looked at.
const LINE_MAX: usize = 16 * 1024;
/// Characters of a phase's name.
const NAME_MAX: usize = 64;

/// Which lines begin a phase.
#[derive(Debug, Clone)]
pub(super) enum Rule {
    /// None.
    Never,
    /// Those of the descriptor.
    Mark,
    /// Those that fit.
    Pattern(Regex),
}

/// Cuts what comes into lines, and finds the phases in them.
#[derive(Debug)]
pub(super) struct Marks {
    rule: Rule,
    line: Vec<u8>,
}

impl Marks {
    pub(super) fn new(rule: Rule) -> Marks {
        Marks { rule, line: Vec::new() }
    }

    /// The names of the phases that complete lines begin, in order.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut names = Vec::new();
        if matches!(self.rule, Rule::Never) {
            return names;
        }
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            let room = LINE_MAX.saturating_sub(self.line.len()).min(part.len());
            self.line.extend_from_slice(&part[..room]);
            if part.ends_with(b"\n") {
                let end = self.line.trim_ascii_end().len();
                self.line.truncate(end);
                names.extend(self.phase());
                self.line.clear();
            }
        }
        names
    }

    fn phase(&self) -> Option<String> {
        let name = match &self.rule {
            Rule::Never => None,
            Rule::Mark => self.line.strip_prefix(MARK),
            Rule::Pattern(pattern) => pattern.captures(&self.line).and_then(|captures| {
                let group = captures.name("phase").or_else(|| captures.get(1)).or_else(|| captures.get(0));
                Some(group?.as_bytes())
            }),
        };
        let name = String::from_utf8_lossy(name?);
        let plain = name.trim().chars().filter(|letter| !letter.is_control());
        let name: String = plain.take(NAME_MAX).collect();
        (!name.is_empty()).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Marks {
        Marks::new(Rule::Pattern(Regex::new(text).unwrap()))
    }

    #[test]
    fn a_mark_may_come_in_pieces() {
        let mut marks = Marks::new(Rule::Mark);
        assert_eq!(marks.push(b"highwater:pha"), Vec::<String>::new());
        assert_eq!(marks.push(b"se parse\nhighwater:phase  send \nother"), ["parse", "send"]);
        assert_eq!(marks.push(b"\nhighwater:phase \n"), Vec::<String>::new());
    }

    #[test]
    fn a_pattern_names_the_phase_by_its_group() {
        assert_eq!(pattern(r"phase=(\d+)").push(b"x phase=2 detail=Cold parse\n"), ["2"]);
        assert_eq!(pattern(r"(\d+) (?P<phase>\w+)").push(b"12 parse\n"), ["parse"]);
        assert_eq!(pattern(r"Cold \w+").push(b"x detail=Cold parse\n"), ["Cold parse"]);
        assert_eq!(pattern("never").push(b"x detail=Cold parse\n"), Vec::<String>::new());
    }

    #[test]
    fn a_long_line_and_bytes_that_are_no_text_do_no_harm() {
        let mut marks = pattern(r"phase=(\S+)");
        let long = [vec![b'x'; 100_000], b" phase=late\n".to_vec()].concat();
        assert_eq!(marks.push(&long), Vec::<String>::new());
        assert!(marks.line.is_empty());
        assert_eq!(marks.push(b"\xff phase=\x1b[1mred\n"), ["[1mred"]);
    }
}
