//! placeholder
pub(crate) fn run(_keep: bool) -> anyhow::Result<()> {
    Ok(())
}
