//! What is generated from the command line itself: completions and man pages.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Args;

/// A script that completes `leaktrend` in a shell.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "leaktrend", &mut script);
    script
}

/// Man pages, as file name and text: one for the program, one for each subcommand that is not hidden.
pub fn man_pages() -> Vec<(String, Vec<u8>)> {
    let mut program = Args::command().disable_help_subcommand(true);
    program.build();
    let subcommands = program.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    let pages = std::iter::once(program.clone()).chain(subcommands);
    pages
        .map(|command| {
            let name = command.get_display_name().unwrap_or(command.get_name()).replace(' ', "-");
            let page = clap_mangen::Man::new(command.display_name(&name)).title(&name);
            let mut text = Vec::new();
            page.render(&mut text).expect("a page is written to memory");
            (format!("{name}.1"), text)
        })
        .collect()
}
