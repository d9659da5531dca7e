//! A small corpus, its workspaces by format, and the three ways to read them that the benches compare.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use engine::formats::Hold;
use engine::formats::source::Reader;
use engine::session::Tally;
use engine::sync::discover::{Layout, Workspace, workspaces};
use engine::sync::parse::{Parser, Sink};
use engine::sync::prefetch::Prefetcher;
use engine::sync::protocol::{Item, Skipped, Work};
use generators::{Profile, Spec};

/// The formats, with the names that the benches give them.
pub(crate) const FORMATS: [(&str, Layout); 3] =
    [("vscode", Layout::VsCode), ("copilot-cli", Layout::CopilotCli), ("claude", Layout::Claude)];

/// Part of the profile `heavy` that is read.
const SCALE: f64 = 0.0005;

/// A corpus for as long as the bench runs.
pub(crate) struct Bench {
    _directory: tempfile::TempDir,
    home: PathBuf,
}

/// The workspaces of one format, and what is in their session files.
pub(crate) struct Format {
    home: PathBuf,
    workspaces: Vec<Workspace>,
    /// Their contents, and whether each is one JSON text a line.
    pub(crate) files: Vec<(Vec<u8>, bool)>,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        let directory = tempfile::tempdir().expect("there is room for a temporary folder");
        let spec = Spec { profile: Profile::Heavy, scale: SCALE, seed: 1 };
        let corpus = generators::ensure(directory.path(), &spec, 2, &AtomicBool::new(false), &|_| ())
            .expect("the corpus can be written");
        Bench { home: corpus.home(), _directory: directory }
    }

    pub(crate) fn format(&self, layout: Layout) -> Format {
        let mut workspaces = workspaces(&self.home, &mut Skipped::default());
        workspaces.retain(|workspace| workspace.root.layout == layout);
        let mut files = Vec::new();
        workspaces.iter().for_each(|workspace| gather(&workspace.path(&self.home), &mut files));
        Format { home: self.home.clone(), workspaces, files }
    }
}

impl Format {
    /// Every session by the reader that streams, or the one that holds whole files; gives the requests.
    pub(crate) fn engine(&self, reader: Reader, hold: Hold) -> u64 {
        let mut parser = Parser {
            home: &self.home,
            reader,
            hold,
            prefetched: Prefetcher::default(),
            avoid: &[],
            probe_missing: false,
            skipped: Skipped::default(),
            work: Work::default(),
        };
        let mut count = Count::default();
        for workspace in &self.workspaces {
            parser.workspace(workspace, &mut count).expect("the sink takes everything");
        }
        count.0.requests
    }

    /// Every document and line as a `serde_json::Value`, from memory: what a plain parser does, and nothing more.
    pub(crate) fn plain(&self) -> u64 {
        let parses = |text: &[u8]| u64::from(serde_json::from_slice::<serde_json::Value>(text).is_ok());
        self.files
            .iter()
            .map(|(content, is_lines)| match is_lines {
                true => content.split(|byte| *byte == b'\n').map(parses).sum(),
                false => parses(content),
            })
            .sum()
    }
}

#[derive(Default)]
struct Count(Tally);

impl Sink for Count {
    fn file(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn item(&mut self, item: Item) -> io::Result<()> {
        item.tally(&mut self.0);
        Ok(())
    }
}

fn gather(directory: &Path, files: &mut Vec<(Vec<u8>, bool)>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension {
            _ if path.is_dir() => gather(&path, files),
            Some("json" | "jsonl") => {
                let is_lines = extension == Some("jsonl");
                files.extend(std::fs::read(&path).map(|content| (content, is_lines)));
            }
            _ => {}
        }
    }
}
