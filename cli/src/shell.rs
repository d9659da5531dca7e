//! `highwater completions` and `highwater man`: what shells and `man` know of the verbs.

use std::path::Path;

use anyhow::{Context, Result};
use clap::CommandFactory;

use crate::args::{self, Args};
use crate::show;

const NAME: &str = "highwater";

/// Prints the completions of a shell.
pub(crate) fn completions(args: &args::shell::Completions) -> Result<i32> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), NAME, &mut text);
    show::result(&String::from_utf8_lossy(&text));
    Ok(0)
}

/// Writes the pages.
pub(crate) fn man(args: &args::shell::Man) -> Result<i32> {
    let folder = args.folder.as_path();
    std::fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
    let mut command = Args::command().disable_help_subcommand(true);
    command.build();
    let written = page(&command, folder)?;
    show::result(&format!("wrote {written} pages to {}", folder.display()));
    Ok(0)
}

/// Writes the page of a verb and those of the verbs below it, highwater-budget-init.1; gives how many.
fn page(command: &clap::Command, folder: &Path) -> Result<usize> {
    let page = clap_mangen::Man::new(command.clone());
    let path = folder.join(page.get_filename());
    let mut text = Vec::new();
    page.render(&mut text).with_context(|| format!("failed to make {}", path.display()))?;
    reports::store::write_atomically(&path, &text)?;
    let below = command.get_subcommands().filter(|below| !below.is_hide_set());
    below.map(|below| self::page(below, folder)).sum::<Result<usize>>().map(|pages| pages + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_teaches_by_an_example() {
        fn look(command: &clap::Command, name: &str, without: &mut Vec<String>) {
            let help = command.clone().render_long_help().to_string();
            // A verb that has verbs of its own leaves the teaching to them.
            if !command.has_subcommands() && !help.contains("Examples:\n  highwater ") {
                without.push(name.to_owned());
            }
            for below in command.get_subcommands() {
                look(below, &format!("{name} {}", below.get_name()), without);
            }
        }
        let mut without = Vec::new();
        Args::command().get_subcommands().for_each(|verb| look(verb, verb.get_name(), &mut without));
        assert_eq!(without, Vec::<String>::new());
    }

    #[test]
    fn what_can_be_typed_is_consistent() {
        Args::command().debug_assert();
    }
}
