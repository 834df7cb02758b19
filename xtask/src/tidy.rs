//! What no compiler checks.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::source::{root, rust_files};

/// Which of our crates each of our crates may depend on: the table of `docs/architecture.md`.
const ARROWS: &[(&str, &[&str])] = &[
    ("vocabulary", &[]),
    ("model", &["vocabulary"]),
    ("sip", &[]),
    ("media", &["vocabulary"]),
    ("files", &["vocabulary", "model"]),
    ("engine", &["vocabulary", "model", "sip"]),
    ("store", &["vocabulary", "model"]),
    ("web", &["vocabulary", "model", "files", "store"]),
    ("phone", &["vocabulary", "sip", "media"]),
    ("node", &["vocabulary", "model", "sip", "media", "files", "engine", "store", "web", "phone"]),
];

/// Checks everything and names every fault.
pub(crate) fn check() -> Result<()> {
    let metadata = metadata()?;
    let mut faults = arrow_faults(&metadata);
    faults.extend(licence_faults(&metadata)?);
    faults.extend(source_faults()?);
    if faults.is_empty() {
        println!("tidy: crate arrows, licences and sources are in order");
        return Ok(());
    }
    bail!("{}", faults.join("\n"))
}

fn metadata() -> Result<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()
        .context("running cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().into_iter().flatten()
}

fn arrow_faults(metadata: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for package in packages(metadata) {
        let Some(name) = ours(&package["name"]) else { continue };
        let Some((_, allowed)) = ARROWS.iter().find(|(crate_name, _)| *crate_name == name) else {
            faults.push(format!("crate {name} stands in no row of the architecture's table"));
            continue;
        };
        let ordinary = package["dependencies"].as_array().into_iter().flatten();
        for dependency in ordinary.filter(|dependency| dependency["kind"].is_null()) {
            match ours(&dependency["name"]) {
                Some(other) if !allowed.contains(&other) => {
                    faults.push(format!("crate {name} must not depend on {other}"));
                }
                _ => {}
            }
        }
    }
    faults
}

fn ours(name: &Value) -> Option<&str> {
    name.as_str()?.strip_prefix("jackfield-")
}

/// Dependencies whose licence is none of those in `deny.toml`.
fn licence_faults(metadata: &Value) -> Result<Vec<String>> {
    let text = fs::read_to_string(root().join("deny.toml")).context("reading deny.toml")?;
    let allowed: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("allow = ["))
        .skip(1)
        .take_while(|line| !line.starts_with(']'))
        .map(|line| line.trim().trim_matches(['"', ',']))
        .collect();
    let faults = packages(metadata).filter_map(|package| {
        let licence = package["license"].as_str().unwrap_or("none");
        let one_fits = licence.split(" OR ").flat_map(|part| part.split('/')).any(|choice| {
            choice
                .trim_matches(['(', ')', ' '])
                .split(" AND ")
                .all(|part| allowed.contains(&part.trim_matches(['(', ')', ' '])))
        });
        (!one_fits).then(|| format!("{} has the licence {licence}", package["name"]))
    });
    Ok(faults.collect())
}

fn source_faults() -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let root = root();
    for path in rust_files(&root)? {
        let text = fs::read_to_string(&path)?;
        let place = path.strip_prefix(&root).unwrap_or(&path).display();
        if text.lines().take(3).any(|line| line.contains("@generated")) {
            faults.push(format!("{place}: generated Rust is not committed"));
        }
        let marker = concat!("TO", "DO");
        if text.contains(marker) {
            faults.push(format!("{place}: a {marker} stands in place of what it names"));
        }
    }
    Ok(faults)
}
