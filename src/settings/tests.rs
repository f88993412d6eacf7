use super::*;

#[test]
fn printed_settings_read_back_and_so_do_the_examples() {
    let defaults = Settings::default();
    let text = with_comments(&defaults);
    let (settings, _) = read(&text).unwrap();
    assert_eq!(settings, defaults);

    // Without the marks of comments every key is set: also those that are unset by default.
    let (keys, _) = text.split_once("# Settings for some series").unwrap();
    let is_key =
        |line: &&str| line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
    let uncommented: Vec<&str> = keys.lines().map(|line| line.trim_start_matches("# ")).filter(is_key).collect();
    read(&uncommented.join("\n")).unwrap();
}

#[test]
fn units_may_be_written_out() {
    let (settings, _) = read("[criteria.growth-100mb-5m]\nfor = \"10m\"\nthreshold_bytes = \"50MB\"\n").unwrap();
    assert_eq!(settings.criteria.growth.pending, Seconds::whole(600));
    assert_eq!(settings.criteria.growth.threshold_bytes, Bytes::new(50_000_000));
}

#[test]
fn series_tables_override_what_they_name() {
    let text = "[verdict]\nstep_share = 0.2\n[[series]]\nmatch = \"^db\"\nlimit_bytes = \"1GiB\"\n[series.verdict]\ntolerance_share = 0.1\n[series.criteria.high-memory]\ngates = false\n[[series]]\nmatch = \"test\"\nignore = true\n";
    let (settings, rules) = read(text).unwrap();
    let db = rules.settings_for(&["db-1"], &settings);
    assert_eq!(db.verdict.tolerance_share, Share(0.1));
    assert_eq!(db.verdict.step_share, Share(0.2));
    assert!(!db.criteria.high_memory.gates);
    assert_eq!(*rules.settings_for(&["web"], &settings), settings);
    assert_eq!(rules.limit_for(&["db-1"]), Some(1_073_741_824.0));
    assert!(rules.ignores(&["a-test"]) && !rules.ignores(&["web"]));
}

#[test]
fn what_cannot_be_is_refused_with_its_line() {
    let refusal = |text: &str| read(text).unwrap_err().to_string();
    insta::assert_snapshot!(refusal("[verdict]\ntolerance = 0.1\n"));
    insta::assert_snapshot!(refusal("[verdict]\nconfidence = 1.7\n"));
    insta::assert_snapshot!(refusal("[criteria.growth-100mb-5m]\nfor = \"soon\"\n"));
    insta::assert_snapshot!(refusal("[policy]\nrequire = [\"growth\"]\n"));
    insta::assert_snapshot!(refusal("[window]\n\n[[series]]\nmatch = \"(\"\n"));
    insta::assert_snapshot!(refusal("[[series]]\nmatch = \"a\"\n[series.verdict]\nstep = 1\n"));
    insta::assert_snapshot!(refusal("[evaluation]\ninterval_seconds = 0\n"));
}
