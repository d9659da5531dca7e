//! Memory profiling and regression budgets: the command line.
//!
//! The program is also what it measures: a sample is this program, called with a hidden word. That is looked at before
//! anything else, so that a measured process has done nothing else.

mod args;
mod budget;
mod build;
mod checkout;
mod compare;
mod corpus;
mod doctor;
mod exec;
mod folder;
mod gate;
mod history;
mod init;
mod list;
mod merge;
mod places;
mod progress;
mod project;
mod report;
mod run;
mod schema;
mod search;
mod selftest;
mod serve;
mod shell;
mod show;
mod stop;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: harness::alloc::Switch = harness::alloc::Switch;

fn main() {
    let code = match scenarios::subject::enter(std::env::args_os()) {
        Some(code) => code,
        None => person(),
    };
    std::process::exit(code);
}

/// What a person asked for; gives the exit code (`docs/exit-codes.md`).
fn person() -> i32 {
    let asked = args::Args::parse();
    progress::choose(asked.progress);
    let result = match asked.verb {
        args::Verb::Run(args) => run::run(&args),
        args::Verb::Exec(args) => exec::exec(&args),
        args::Verb::Corpus(args) => corpus::corpus(&args),
        args::Verb::Gate(args) => gate::gate(&args),
        args::Verb::Budget(args) => budget::budget(&args),
        args::Verb::Compare(args) => compare::compare(&args),
        args::Verb::Report(args) => report::report(&args),
        args::Verb::Merge(args) => merge::merge(&args),
        args::Verb::Selftest(args) => selftest::selftest(&args),
        args::Verb::Serve(args) => serve::serve(&args),
        args::Verb::List(args) => list::list(&args),
        args::Verb::History(args) => history::history(&args),
        args::Verb::Doctor(args) => doctor::doctor(&args),
        args::Verb::Init(args) => init::init(&args),
        args::Verb::Schema(args) => schema::schema(&args),
        args::Verb::Completions(args) => shell::completions(&args),
        args::Verb::Man(args) => shell::man(&args),
    };
    result.unwrap_or_else(|error| {
        show::error(&show::chain(&error));
        reports::exit::code(harness::record::Verdict::Error)
    })
}
