//! placeholder
pub(crate) fn command() -> clap::Command {
    clap::Command::new("phone")
}
pub(crate) fn run(_m: &clap::ArgMatches) -> anyhow::Result<()> {
    Ok(())
}
