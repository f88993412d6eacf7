//! Recognises whose text it is, by its headers and rows.

use super::super::clock;
use super::cells::{MAX_CELLS, is_share, split};
use super::columns::is_header;
use super::escapes::strip_escapes;
use super::memory::Memory;
use super::row::{bare_row, crictl_row, kubectl_row, squeezed_row};
use crate::account::Format;

/// Which tool printed the beginning of a text, and how many of its lines are readings; `None` when there is neither a
/// header nor a row.
pub(crate) fn recognise(text: &str) -> Option<(Format, u32)> {
    let mut plain = String::new();
    let mut n_rows =
        [(Format::DockerStats, 0), (Format::PodmanStats, 0), (Format::CrictlStats, 0), (Format::KubectlTop, 0)];
    let mut headed = None;
    let mut is_nerdctl = false;
    for line in text.lines().take(1000) {
        let line = if line.contains('\x1b') {
            strip_escapes(line, &mut plain);
            plain.as_str()
        } else {
            line
        };
        is_nerdctl |= line.contains("nerdctl") || line.contains("k8s://");
        if is_header(line.trim()) {
            headed = headed.or_else(|| Some(of_header(line)));
        } else if let Some(format) = of_line(line) {
            n_rows.iter_mut().filter(|(other, _)| *other == format).for_each(|(_, n)| *n += 1);
        }
    }
    let n_all = n_rows.iter().map(|(_, n)| n).sum();
    let most = n_rows.iter().rev().max_by_key(|(_, n)| *n).filter(|(_, n)| *n > 0).map(|(format, _)| *format);
    match headed.or(most)? {
        Format::DockerStats if is_nerdctl => Some((Format::NerdctlStats, n_all)),
        format => Some((format, n_all)),
    }
}

fn of_header(header: &str) -> Format {
    if header.contains("MEMORY(bytes)") {
        Format::KubectlTop
    } else if header.contains("NET IO") || header.contains("BLOCK IO") || header.trim_start().starts_with("ID ") {
        Format::PodmanStats
    } else if header.contains("MEM USAGE") || header.contains("PRIV WORKING SET") {
        Format::DockerStats
    } else {
        Format::CrictlStats
    }
}

/// Whose row or JSON line it is.
fn of_line(line: &str) -> Option<Format> {
    if line.contains("\"MemUsage\"") {
        return Some(if line.contains("\"ContainerID\"") { Format::PodmanStats } else { Format::DockerStats });
    }
    if line.contains("\"mem_usage\"") {
        return Some(Format::PodmanStats);
    }
    if line.contains("\"workingSetBytes\"") {
        return Some(Format::CrictlStats);
    }
    let line = line.trim();
    let mut cells = [""; MAX_CELLS];
    let n_cells = split(line, &mut cells);
    let cells = &cells[..n_cells];
    let is_readable = |row: &super::Row<'_>| Memory::of(row.memory).is_ok();
    if bare_row(cells).as_ref().is_some_and(is_readable) {
        // Behind the PIDs podman prints the CPU's time and its average share.
        let is_podman = n_cells == 10 && is_share(cells[9]);
        return Some(if is_podman { Format::PodmanStats } else { Format::DockerStats });
    }
    let behind_timestamp = clock::read_timestamp(line, None).map_or(line, |(_, at)| &line[at..]);
    if squeezed_row(behind_timestamp).as_ref().is_some_and(is_readable) {
        return Some(Format::DockerStats);
    }
    if crictl_row(cells).as_ref().is_some_and(is_readable) {
        return Some(Format::CrictlStats);
    }
    kubectl_row(line).as_ref().is_some_and(is_readable).then_some(Format::KubectlTop)
}
