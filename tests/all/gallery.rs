//! The gallery: the command that draws it works, shows every verdict, and the committed one is what it draws.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use resvg::tiny_skia::Pixmap;

#[path = "../../examples/gallery.rs"]
#[expect(dead_code, reason = "the program's own entry is not called here")]
mod example;

fn names_in(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Each series with its verdict, as the page of a gallery says it.
fn verdicts_in(folder: &Path) -> Vec<String> {
    let page = fs::read_to_string(folder.join("README.md")).unwrap();
    page.lines().filter(|line| line.starts_with("### ")).map(str::to_owned).collect()
}

#[test]
fn the_gallery_shows_every_verdict_and_the_committed_one_is_up_to_date() {
    let fresh = tempfile::tempdir().unwrap();
    example::write(fresh.path()).unwrap();
    let verdicts = verdicts_in(fresh.path());
    for verdict in [
        "leak",
        "leak-masked-by-restarts",
        "stepping-growth",
        "leak-suspected",
        "step",
        "flat",
        "negligible-growth",
        "warmed-up",
        "shrinking",
        "inconclusive",
    ] {
        assert!(verdicts.contains(&format!("### `{verdict}`: {verdict}")), "{verdict} in {verdicts:#?}");
    }

    let page = fs::read_to_string(fresh.path().join("README.md")).unwrap();
    let mut n_pictures = 0;
    for name in names_in(fresh.path()) {
        assert!(name == "README.md" || page.contains(&format!("]({name})")), "{name} is not shown");
        if Path::new(&name).extension().is_some_and(|extension| extension == "png") {
            let picture = Pixmap::decode_png(&fs::read(fresh.path().join(&name)).unwrap()).unwrap();
            assert!(name == "sheet.png" || (picture.width(), picture.height()) == (1280, 720), "{name}");
            n_pictures += 1;
        }
    }
    assert!(n_pictures > 20, "{n_pictures}");

    // Not the bytes: a picture may change by a pixel without being worth a new copy in the history.
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/gallery");
    let stale = "is stale: run the command at the head of examples/gallery.rs";
    assert_eq!(names_in(&committed), names_in(fresh.path()), "reports/gallery {stale}");
    assert_eq!(verdicts_in(&committed), verdicts, "reports/gallery {stale}");
}
