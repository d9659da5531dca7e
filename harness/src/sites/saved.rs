//! A saved profile: frames in one table, each stack by its numbers, so that a thousand deep stacks are a small file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Frame, Origin, ProcessSites, Profile, SCHEMA, Site};
use crate::record::Artifact;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Saved {
    schema: u32,
    case: String,
    corpus: Option<String>,
    artifact: Artifact,
    /// Function, file, line, origin.
    frames: Vec<(String, Option<String>, Option<u32>, Origin)>,
    processes: Vec<SavedProcess>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct SavedProcess {
    role: String,
    /// The numbers of a stack's frames, then bytes and blocks at the peak, in total, and retained.
    sites: Vec<(Vec<usize>, [u64; 6])>,
}

impl From<Profile> for Saved {
    fn from(profile: Profile) -> Saved {
        let mut frames = Vec::new();
        let mut numbers = BTreeMap::new();
        let mut number = |frame: Frame| {
            *numbers.entry(frame).or_insert_with_key(|frame| {
                frames.push((frame.function.clone(), frame.file.clone(), frame.line, frame.origin));
                frames.len() - 1
            })
        };
        let mut save = |site: Site| {
            let figures = [
                site.peak_bytes,
                site.peak_blocks,
                site.total_bytes,
                site.total_blocks,
                site.retained_bytes,
                site.retained_blocks,
            ];
            (site.stack.into_iter().map(&mut number).collect(), figures)
        };
        let processes = profile.processes.into_iter();
        let processes = processes
            .map(|process| SavedProcess {
                role: process.role,
                sites: process.sites.into_iter().map(&mut save).collect(),
            })
            .collect();
        Saved {
            schema: profile.schema,
            case: profile.case,
            corpus: profile.corpus,
            artifact: profile.artifact,
            frames,
            processes,
        }
    }
}

/// Why a saved profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("schema {0} of allocation sites is not known, {SCHEMA} is: take the profile again")]
    Schema(u32),
    #[error("a stack is empty, or names a frame that is not in the table")]
    Frame,
}

impl TryFrom<Saved> for Profile {
    type Error = Unusable;

    fn try_from(saved: Saved) -> Result<Profile, Unusable> {
        if saved.schema != SCHEMA {
            return Err(Unusable::Schema(saved.schema));
        }
        let frame = |index: &usize| {
            let (function, file, line, origin) = saved.frames.get(*index)?.clone();
            Some(Frame { function, file, line, origin })
        };
        let site = |(stack, figures): &(Vec<usize>, [u64; 6])| {
            let stack: Option<Vec<Frame>> = stack.iter().map(frame).collect();
            let [peak_bytes, peak_blocks, total_bytes, total_blocks, retained_bytes, retained_blocks] =
                *figures;
            let stack = stack.filter(|stack| !stack.is_empty()).ok_or(Unusable::Frame)?;
            Ok(Site {
                stack,
                peak_bytes,
                peak_blocks,
                total_bytes,
                total_blocks,
                retained_bytes,
                retained_blocks,
            })
        };
        let process = |process: &SavedProcess| {
            let sites: Result<Vec<Site>, Unusable> = process.sites.iter().map(site).collect();
            Ok(ProcessSites { role: process.role.clone(), sites: sites? })
        };
        let processes: Result<Vec<ProcessSites>, Unusable> = saved.processes.iter().map(process).collect();
        Ok(Profile {
            schema: saved.schema,
            case: saved.case.clone(),
            corpus: saved.corpus.clone(),
            artifact: saved.artifact.clone(),
            processes: processes?,
        })
    }
}
