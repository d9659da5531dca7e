//! Planted growth: a measured process allocates more than its program asks for, so that it can be seen how small a growth is noticed.
//!
//! The environment variable [`INJECT`] says what is planted, in one line; [`Injection`] is that line understood. It is put in by
//! [`alloc::Switch`] beneath the instrument's own counting, so that every instrument takes the extra blocks for
//! ordinary ones, and from the function `harness::inject::planted` inside the allocation that triggers it, so that a profile of the
//! sites charges them to that allocation's site. Without the variable nothing is different: the modes of the allocator that look at
//! it are not taken.
//!
//! The text is a kind, and after a colon its settings, in any order, separated by commas:
//!
//! ```text
//! retain:bytes=B[,first=N][,every=N][,times=N]   B more bytes at allocation N, at every Nth after it, in all N times; never freed
//! spike:bytes=B[,first=N][,every=N][,times=N]    the same, but freed at once, while the allocation that triggered it lives
//! copy:min=B                                     a second block as large for each allocation of at least B bytes, until the next one
//! each:bytes=B                                   B more bytes, never freed, at each item that the scenario marks
//! nothing                                        no more, by the same way through the allocator: the other side of a comparison
//! ```
//!
//! `role=NAME` (a `*` at its end stands for any ending) and `phase=NAME` restrict each of them to one process or phase. Allocations
//! are numbered from 1, over all threads, among those that the restriction admits; as in `heap.total_blocks` a reallocation is one
//! too, and what is planted is none. `first` is 1 unless given, `every` is 1, and `times` is 1, or without end (0) where `every` is given.
//!
//! Every page of what is planted is written to, so that it is resident. A process that was told to inject says so in its record:
//! `injected.bytes` and `injected.blocks` are what was planted in it, 0 where the restriction never held.

use std::cell::Cell;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};

use serde::{Deserialize, Serialize};

use crate::alloc::injected::{self, Block};
use crate::instrument::Instrument;
use crate::{Error, alloc};

/// The environment variable that says what is planted in a measured process; unset or empty is nothing.
pub const INJECT: &str = "HIGHWATER_INJECT";

/// Most bytes of one planted block: 1 TiB, more than any process will be given.
const BYTES_MAX: u64 = 1 << 40;
/// Least size of an allocation that is copied: a copy remembers its own size in itself.
const COPY_MIN_BYTES: u64 = 16;

/// What is planted in a process, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Injection {
    /// What is planted.
    pub growth: Growth,
    /// The role of the processes that it is planted in, a `*` at its end for any ending; None is every process.
    pub role: Option<String>,
    /// The phase that it is planted in; None is the whole region.
    pub phase: Option<String>,
}

/// What is planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Growth {
    /// Blocks that are never freed.
    Retain {
        /// Bytes of each.
        bytes: u64,
        /// The allocations that trigger one.
        at: Numbers,
    },
    /// Blocks that are freed at once, while the allocation that triggered them lives.
    Spike {
        /// Bytes of each.
        bytes: u64,
        /// The allocations that trigger one.
        at: Numbers,
    },
    /// A second block for each allocation from a size on, of the same size; it lives until the next such allocation.
    Copy {
        /// The least size, in bytes.
        min_bytes: u64,
    },
    /// A block that is never freed for each [`item`](crate::meter::item) of the scenario.
    Each {
        /// Bytes of each.
        bytes: u64,
    },
    /// Nothing, though by the same way through the allocator.
    Nothing,
}

/// Which allocations trigger an injection, by their numbers, which begin at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers {
    /// The first that does.
    pub first: u64,
    /// From one that does to the next.
    pub every: u64,
    /// How many do; 0 is without end.
    pub times: u64,
}

impl Numbers {
    /// One allocation.
    pub const fn once(number: u64) -> Numbers {
        Numbers { first: number, every: 1, times: 1 }
    }

    fn hold(self, number: u64) -> bool {
        let Some(beyond) = number.checked_sub(self.first) else { return false };
        let every = self.every.max(1);
        beyond.is_multiple_of(every) && (self.times == 0 || beyond / every < self.times)
    }
}

impl Injection {
    /// An injection into every process and phase.
    pub const fn everywhere(growth: Growth) -> Injection {
        Injection { growth, role: None, phase: None }
    }

    /// The text that reads back as this injection.
    pub fn to_text(&self) -> String {
        self.to_string()
    }

    fn admits_role(&self, role: &str) -> bool {
        match self.role.as_deref() {
            None => true,
            Some(wanted) => match wanted.strip_suffix('*') {
                Some(beginning) => role.starts_with(beginning),
                None => role == wanted,
            },
        }
    }

    /// Whether it is planted in this phase; the time outside all phases has an empty name.
    pub(crate) fn admits_phase(&self, phase: &str) -> bool {
        self.phase.as_deref().is_none_or(|wanted| wanted == phase)
    }
}

impl fmt::Display for Injection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbered = |formatter: &mut fmt::Formatter<'_>, kind, bytes, at: Numbers| {
            let Numbers { first, every, times } = at;
            write!(formatter, "{kind}:bytes={bytes},first={first},every={every},times={times}")
        };
        match self.growth {
            Growth::Retain { bytes, at } => numbered(formatter, "retain", bytes, at)?,
            Growth::Spike { bytes, at } => numbered(formatter, "spike", bytes, at)?,
            Growth::Copy { min_bytes } => write!(formatter, "copy:min={min_bytes}")?,
            Growth::Each { bytes } => write!(formatter, "each:bytes={bytes}")?,
            Growth::Nothing => formatter.write_str("nothing")?,
        }
        let mut separator = if self.growth == Growth::Nothing { ':' } else { ',' };
        for (name, value) in [("role", &self.role), ("phase", &self.phase)] {
            if let Some(value) = value {
                write!(formatter, "{separator}{name}={value}")?;
                separator = ',';
            }
        }
        Ok(())
    }
}

impl FromStr for Injection {
    type Err = Error;

    fn from_str(text: &str) -> Result<Injection, Error> {
        let bad = |reason| Error::BadInjection { text: text.to_owned(), reason };
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let mut settings = Settings::read(rest).map_err(bad)?;
        let injection = settings.injection(kind).map_err(bad)?;
        match settings.0.first() {
            Some((name, _)) => Err(bad(format!("{kind} has no setting \"{name}\""))),
            None => Ok(injection),
        }
    }
}

/// The settings of an injection that are not understood yet.
struct Settings<'t>(Vec<(&'t str, &'t str)>);

impl<'t> Settings<'t> {
    fn read(text: &'t str) -> Result<Settings<'t>, String> {
        let mut settings: Vec<(&str, &str)> = Vec::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or(format!("\"{part}\" is no NAME=VALUE"))?;
            if settings.iter().any(|&(known, _)| known == name) {
                return Err(format!("{name} is given twice"));
            }
            settings.push((name, value));
        }
        Ok(Settings(settings))
    }

    fn injection(&mut self, kind: &str) -> Result<Injection, String> {
        let growth = match kind {
            "retain" => Growth::Retain { bytes: self.bytes("bytes", 1)?, at: self.numbers()? },
            "spike" => Growth::Spike { bytes: self.bytes("bytes", 1)?, at: self.numbers()? },
            "copy" => Growth::Copy { min_bytes: self.bytes("min", COPY_MIN_BYTES)? },
            "each" => Growth::Each { bytes: self.bytes("bytes", 1)? },
            "nothing" => Growth::Nothing,
            other => return Err(format!("there is no kind \"{other}\"")),
        };
        Ok(Injection { growth, role: self.name("role")?, phase: self.name("phase")? })
    }

    fn numbers(&mut self) -> Result<Numbers, String> {
        let first = self.number("first")?;
        let every = self.number("every")?;
        let times = self.number("times")?.unwrap_or(if every.is_some() { 0 } else { 1 });
        let numbers = Numbers { first: first.unwrap_or(1), every: every.unwrap_or(1), times };
        match numbers {
            Numbers { first: 0, .. } | Numbers { every: 0, .. } => {
                Err("first and every are at least 1".to_owned())
            }
            numbers => Ok(numbers),
        }
    }

    fn take(&mut self, name: &str) -> Option<&'t str> {
        let index = self.0.iter().position(|(known, _)| *known == name)?;
        Some(self.0.remove(index).1)
    }

    fn number(&mut self, name: &str) -> Result<Option<u64>, String> {
        let read = |value: &str| value.parse().map_err(|_| format!("{name}={value} is no number"));
        self.take(name).map(read).transpose()
    }

    fn bytes(&mut self, name: &str, least: u64) -> Result<u64, String> {
        let bytes = self.number(name)?.ok_or(format!("{name} is missing"))?;
        match (least..=BYTES_MAX).contains(&bytes) {
            true => Ok(bytes),
            false => Err(format!("{name}={bytes} is not from {least} to {BYTES_MAX}")),
        }
    }

    fn name(&mut self, setting: &str) -> Result<Option<String>, String> {
        match self.take(setting) {
            Some("") => Err(format!("{setting} is empty")),
            value => Ok(value.map(str::to_owned)),
        }
    }
}

/// The injection of this process as the allocator reads it: plain numbers, since nothing may be allocated there.
struct Plan {
    /// Whether the region has begun, in a process and phase that the injection admits.
    armed: AtomicBool,
    kind: AtomicU8,
    /// Bytes of a block, or the least size that is copied.
    bytes: AtomicU64,
    first: AtomicU64,
    every: AtomicU64,
    times: AtomicU64,
    /// Allocations while it was armed.
    seen: AtomicU64,
    planted_bytes: AtomicU64,
    planted_blocks: AtomicU64,
}

const NOTHING: u8 = 0;
const RETAIN: u8 = 1;
const SPIKE: u8 = 2;
const COPY: u8 = 3;
const EACH: u8 = 4;

static PLAN: Plan = Plan {
    armed: AtomicBool::new(false),
    kind: AtomicU8::new(NOTHING),
    bytes: AtomicU64::new(0),
    first: AtomicU64::new(1),
    every: AtomicU64::new(1),
    times: AtomicU64::new(1),
    seen: AtomicU64::new(0),
    planted_bytes: AtomicU64::new(0),
    planted_blocks: AtomicU64::new(0),
};

thread_local! {
    /// Whether this thread is inside an allocation of the program: what is allocated then, by us or by an instrument, is not its.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Reads the variable and keeps what it asks for; None where it asks for nothing. It takes effect with [`arm`].
pub(crate) fn prepare(role: &str, instrument: Instrument) -> Result<Option<Injection>, Error> {
    let Some(text) = std::env::var_os(INJECT).filter(|text| !text.is_empty()) else { return Ok(None) };
    let injection: Injection = text.to_string_lossy().parse()?;
    if !alloc::injects() {
        let why = "HIGHWATER_INJECT needs an allocator that can inject; use harness::alloc::Switch";
        return Err(Error::Unavailable { instrument, why });
    }
    let growth = if injection.admits_role(role) { injection.growth } else { Growth::Nothing };
    PLAN.keep(growth);
    Ok(Some(injection))
}

impl Plan {
    fn keep(&self, growth: Growth) {
        let numbered = |at: Numbers| {
            self.first.store(at.first, Relaxed);
            self.every.store(at.every, Relaxed);
            self.times.store(at.times, Relaxed);
        };
        let (kind, bytes) = match growth {
            Growth::Retain { bytes, at } => {
                numbered(at);
                (RETAIN, bytes)
            }
            Growth::Spike { bytes, at } => {
                numbered(at);
                (SPIKE, bytes)
            }
            Growth::Copy { min_bytes } => (COPY, min_bytes),
            Growth::Each { bytes } => (EACH, bytes),
            Growth::Nothing => (NOTHING, 0),
        };
        self.bytes.store(bytes, Relaxed);
        self.kind.store(kind, Relaxed);
    }

    fn numbers(&self) -> Numbers {
        Numbers {
            first: self.first.load(Relaxed),
            every: self.every.load(Relaxed),
            times: self.times.load(Relaxed),
        }
    }

    /// Whether the allocation that was just made triggers a block.
    fn is_hit(&self) -> bool {
        self.numbers().hold(self.seen.fetch_add(1, Relaxed) + 1)
    }
}

/// Begins or ends what was prepared.
pub(crate) fn arm(armed: bool) {
    PLAN.armed.store(armed, Relaxed);
}

/// Bytes and blocks that were planted so far.
pub(crate) fn planted_so_far() -> (u64, u64) {
    (PLAN.planted_bytes.load(Relaxed), PLAN.planted_blocks.load(Relaxed))
}

/// Runs an allocation of the program, and plants what it triggers after it. One inside another triggers nothing.
#[inline]
pub(crate) fn around_allocation(bytes: usize, allocate: impl FnOnce() -> *mut u8) -> *mut u8 {
    around(allocate, |block| {
        if !block.is_null() {
            allocated(bytes);
        }
    })
}

/// Runs the freeing of a block of the program, during which an instrument may allocate for itself.
#[inline]
pub(crate) fn around_freeing(free: impl FnOnce()) {
    around(free, |()| {});
}

#[inline]
fn around<T: Copy>(work: impl FnOnce() -> T, then: impl FnOnce(T)) -> T {
    if INSIDE.replace(true) {
        return work();
    }
    let done = work();
    if PLAN.armed.load(Relaxed) {
        then(done);
    }
    INSIDE.set(false);
    done
}

/// An item of the scenario.
pub(crate) fn item() {
    around(
        || (),
        |()| {
            if PLAN.kind.load(Relaxed) == EACH {
                injected::leak(planted(PLAN.bytes.load(Relaxed) as usize));
            }
        },
    );
}

/// The program allocated a block.
fn allocated(bytes: usize) {
    match PLAN.kind.load(Relaxed) {
        RETAIN if PLAN.is_hit() => injected::leak(planted(PLAN.bytes.load(Relaxed) as usize)),
        SPIKE if PLAN.is_hit() => injected::free(planted(PLAN.bytes.load(Relaxed) as usize)),
        COPY if bytes as u64 >= PLAN.bytes.load(Relaxed) => {
            if let Some(last) = injected::take_held() {
                injected::free(last);
            }
            if let Some(other) = injected::hold(planted(bytes)) {
                injected::free(other);
            }
        }
        _ => {}
    }
}

/// Allocates a block that the program did not ask for, and writes to each of its pages. Its name is known to those who read stacks.
#[inline(never)]
fn planted(bytes: usize) -> Block {
    let block = injected::obtain(bytes);
    PLAN.planted_bytes.fetch_add(bytes as u64, Relaxed);
    PLAN.planted_blocks.fetch_add(1, Relaxed);
    // After the allocation, so that it is no tail call, which would take this function from the stack.
    injected::touch(&block);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(text: &str) -> Injection {
        text.parse().unwrap()
    }

    #[test]
    fn every_injection_reads_back_from_its_text() {
        let at = Numbers { first: 7, every: 3, times: 0 };
        let growths = [
            Growth::Retain { bytes: 64, at },
            Growth::Spike { bytes: 1, at: Numbers::once(9) },
            Growth::Copy { min_bytes: 4096 },
            Growth::Each { bytes: 64 },
            Growth::Nothing,
        ];
        for growth in growths {
            for (role, phase) in [(None, None), (Some("worker-*"), None), (Some("parent"), Some("parse"))] {
                let injection =
                    Injection { growth, role: role.map(str::to_owned), phase: phase.map(str::to_owned) };
                assert_eq!(reads(&injection.to_text()), injection, "{injection}");
                let json = serde_json::to_string(&injection).unwrap();
                assert_eq!(serde_json::from_str::<Injection>(&json).unwrap(), injection);
            }
        }
    }

    #[test]
    fn what_is_not_given_has_its_default() {
        let at = |text| match reads(text).growth {
            Growth::Retain { at, .. } => at,
            other => panic!("{other:?}"),
        };
        assert_eq!(at("retain:bytes=64"), Numbers::once(1));
        assert_eq!(at("retain:first=5,bytes=64"), Numbers::once(5));
        assert_eq!(at("retain:bytes=64,every=2"), Numbers { first: 1, every: 2, times: 0 });
    }

    #[test]
    fn a_malformed_injection_says_what_is_wrong_and_what_is_right() {
        for (text, reason) in [
            ("grow:bytes=1", "there is no kind \"grow\""),
            ("retain", "bytes is missing"),
            ("retain:bytes=0", "bytes=0 is not from 1"),
            ("retain:bytes=64k", "bytes=64k is no number"),
            ("retain:bytes=1,first=0", "at least 1"),
            ("retain:bytes=1,every=0", "at least 1"),
            ("retain:bytes=1,min=2", "retain has no setting \"min\""),
            ("retain:bytes=1,bytes=2", "bytes is given twice"),
            ("retain:bytes", "\"bytes\" is no NAME=VALUE"),
            ("copy:min=8", "min=8 is not from 16"),
            ("each:bytes=1,role=", "role is empty"),
        ] {
            let error = text.parse::<Injection>().unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("HIGHWATER_INJECT"), "{error}");
            assert!(error.contains("retain:bytes=B"), "{error}");
        }
    }

    #[test]
    fn numbers_begin_recur_and_end() {
        let hits = |numbers: Numbers| (1..=10).filter(|&number| numbers.hold(number)).collect::<Vec<u64>>();
        assert_eq!(hits(Numbers::once(4)), [4]);
        assert_eq!(hits(Numbers { first: 2, every: 3, times: 2 }), [2, 5]);
        assert_eq!(hits(Numbers { first: 1, every: 4, times: 0 }), [1, 5, 9]);
    }

    #[test]
    fn a_role_may_be_any_with_a_beginning() {
        let of = |role: &str| Injection { role: Some(role.to_owned()), ..reads("nothing") };
        assert!(of("worker-*").admits_role("worker-12") && !of("worker-*").admits_role("parent"));
        assert!(of("worker-1").admits_role("worker-1") && !of("worker-1").admits_role("worker-12"));
        assert!(reads("nothing").admits_role("parent"));
    }
}
