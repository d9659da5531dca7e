//! Passes: how a command is read, and how often.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use harness::instrument::Instrument;
use harness::subject::Sample;

use super::{Error, Samples};

/// One way in which a command is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    instrument: Instrument,
    is_quiet: bool,
}

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// `os`, and for commands that run Node `v8` and `quiet` too.
    Auto,
    /// This pass.
    This(Pass),
}

/// Samples of a pass whose figures are expected to be equal: two, to see whether they are.
pub(super) const EXACT_SAMPLES: u32 = 2;

impl Pass {
    pub(super) const OS: Pass = Pass::of(Instrument::Os);
    pub(super) const V8: Pass = Pass::of(Instrument::V8);
    /// `os` with a Node whose memory repeats.
    pub(super) const QUIET: Pass = Pass { instrument: Instrument::Os, is_quiet: true };

    pub(super) const fn of(instrument: Instrument) -> Pass {
        Pass { instrument, is_quiet: false }
    }

    pub(super) fn instrument(self) -> Instrument {
        self.instrument
    }

    pub(super) fn is_quiet(self) -> bool {
        self.is_quiet
    }

    /// Whether the figures come from the operating system, whatever the program does.
    pub(super) fn reads_from_outside(self) -> bool {
        self.instrument == Instrument::Os
    }

    /// What is said of a sample in which no process left a record.
    pub(super) fn nothing_recorded(self) -> String {
        let needed = match self.instrument {
            Instrument::V8 => "Node programs do, unless they are started without its environment",
            Instrument::Tracemalloc => "Python programs do, unless they are started without its environment",
            _ => "Rust programs do that use highwater's harness as a library",
        };
        format!("no process left a record under {self}: {needed}")
    }

    /// How many samples it takes.
    pub(super) fn samples(self, samples: Samples) -> u32 {
        match self.instrument {
            Instrument::Os if self.is_quiet => samples.quiet,
            Instrument::Os => samples.os,
            exact if exact.counts() => EXACT_SAMPLES,
            _ => samples.within,
        }
    }
}

impl fmt::Display for Pass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(if self.is_quiet { "quiet" } else { self.instrument.name() })
    }
}

impl Wanted {
    /// The instrument of one pass; none of those that are chosen by what a command is, or that change how it runs.
    pub fn instrument(self) -> Option<Instrument> {
        match self {
            Wanted::This(pass) if !pass.is_quiet => Some(pass.instrument),
            _ => None,
        }
    }

    pub(super) fn is(self, pass: Pass) -> bool {
        self == Wanted::This(pass)
    }
}

impl FromStr for Wanted {
    type Err = Error;

    fn from_str(name: &str) -> Result<Wanted, Error> {
        match name {
            "auto" => Ok(Wanted::Auto),
            "quiet" => Ok(Wanted::This(Pass::QUIET)),
            _ => match name.parse() {
                Ok(instrument) => Ok(Wanted::This(Pass::of(instrument))),
                Err(_) => Err(Error::UnknownInstrument { name: name.to_owned() }),
            },
        }
    }
}

/// The passes that are made whatever the command is, each once.
pub(super) fn asked(wanted: &[Wanted]) -> Vec<Pass> {
    let mut passes = Vec::new();
    for wanted in wanted {
        let pass = match wanted {
            Wanted::Auto => Pass::OS,
            Wanted::This(pass) => *pass,
        };
        if !passes.contains(&pass) {
            passes.push(pass);
        }
    }
    passes
}

/// Whether passes are added by what the command turns out to be.
pub(super) fn is_auto(wanted: &[Wanted]) -> bool {
    wanted.contains(&Wanted::Auto)
}

/// The passes that are added where a command runs Node.
pub(super) fn for_node(wanted: &[Wanted]) -> Vec<Pass> {
    let asked = asked(wanted);
    [Pass::V8, Pass::QUIET].into_iter().filter(|pass| !asked.contains(pass)).collect()
}

/// Whether Node was among the processes of a sample.
pub(super) fn runs_node(sample: &Sample) -> bool {
    let members = sample.tree.iter().flat_map(|tree| &tree.members);
    members.into_iter().any(|member| {
        let program = member.command_line.split(' ').next().unwrap_or_default();
        is_node(Path::new(&member.command)) || is_node(Path::new(program))
    })
}

/// Whether a program is Node by its name.
pub(super) fn is_node(program: &Path) -> bool {
    program.file_stem().is_some_and(|name| name == "node" || name == "nodejs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(names: &[&str]) -> Vec<Wanted> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn shown(passes: &[Pass]) -> String {
        passes.iter().map(Pass::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn automatic_reading_adds_for_node_what_was_not_asked_for() {
        assert_eq!(shown(&asked(&wanted(&["auto"]))), "os");
        assert_eq!(shown(&for_node(&wanted(&["auto"]))), "v8 quiet");
        assert_eq!(shown(&asked(&wanted(&["count", "auto", "quiet", "count"]))), "count os quiet");
        assert_eq!(shown(&for_node(&wanted(&["auto", "quiet"]))), "v8");
        assert!(is_auto(&wanted(&["count", "auto"])) && !is_auto(&wanted(&["os"])));
    }

    #[test]
    fn an_unknown_instrument_is_answered_with_those_there_are() {
        let error = "valgrind".parse::<Wanted>().unwrap_err().to_string();
        assert!(error.contains("auto, quiet, os, count"), "{error}");
    }

    #[test]
    fn node_is_known_by_its_name() {
        for (program, is) in
            [("node", true), ("/usr/bin/nodejs", true), ("node.exe", true), ("nodemon", false)]
        {
            assert_eq!(is_node(Path::new(program)), is, "{program}");
        }
    }
}
