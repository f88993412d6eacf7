//! Nearly all tests of the program in one binary: each further binary would link polars again and run by itself.
//!
//! `cargo test --test all NAME::` runs those of one file. Outside stand `memory`, which asks the system what the
//! processes of one test program took, and `signals`, whose timing no other test may disturb.

mod cadvisor;
mod cases;
mod ci;
mod cli;
mod common;
mod compare;
mod criteria;
mod docs;
mod events;
#[cfg(target_os = "linux")]
mod full_disk;
mod gallery;
mod html;
mod ingest_capture;
mod ingest_exports;
mod ingest_files;
mod ingest_forms;
mod ingest_node_memory;
mod ingest_parallel;
mod ingest_properties;
mod ingest_specimens;
mod layers;
mod limits;
#[cfg(feature = "live")]
mod live;
mod made;
mod names;
mod nightly;
mod own_tables;
mod parts;
mod real_traces;
mod recorded_alerts;
mod reference;
mod replay_against_prometheus;
mod replay_phases;
mod report;
mod rules;
mod rules_groups;
mod says;
mod tables;
mod tables_properties;
mod units;
mod verdicts;
mod who_leaks;
mod workloads;
mod writers;
