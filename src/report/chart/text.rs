//! Text in a chart: its width in the font that is drawn, shortening to a width, and what a font or XML cannot hold.

use std::sync::LazyLock;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

/// The family in the SVG: the font that the PNG is drawn with, and what a browser has in its place, likest first.
pub(super) const FAMILY: &str = "Noto Sans, Open Sans, Segoe UI, Helvetica Neue, Arial, sans-serif";

/// Text beyond this many characters is cut before it is measured: no chart is that wide.
const LONGEST: usize = 400;

/// Ascent and descent of Noto Sans together, in em. plotters takes a size for this height, SVG for the em.
const HEIGHT_IN_EM: f64 = (2189.0 + 600.0) / 2048.0;

/// The em in which text is measured, large because plotters answers in whole pixels.
const MEASURED_EM: f64 = 1000.0;

/// How heavy the strokes of a text are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

static FONTS: LazyLock<[FontDesc<'static>; 2]> = LazyLock::new(|| {
    [(FontStyle::Normal, ttf_noto_sans::REGULAR), (FontStyle::Bold, ttf_noto_sans::BOLD)].map(|(style, bytes)| {
        // A font that cannot be read leaves the estimate in `width`; the tests see that it can.
        register_font(FAMILY, style, bytes).ok();
        FontDesc::new(FontFamily::Name(FAMILY), MEASURED_EM * HEIGHT_IN_EM, style)
    })
});

/// How wide a text is drawn, in the unit of `size`; `size` is the em.
///
/// Without kerning, which makes text a little narrower: what is measured to fit does.
pub(super) fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let font = match weight {
        Weight::Regular => &FONTS[0],
        Weight::Bold => &FONTS[1],
    };
    let in_em = font
        .layout_box(text)
        .map_or_else(|_| 0.6 * text.chars().count() as f64, |(_, (right, _))| f64::from(right) / MEASURED_EM);
    in_em * size
}

/// The text, or as much of its start as fits into `room` with an ellipsis; empty where not even that fits.
pub(super) fn fitted(text: &str, size: f64, weight: Weight, room: f64) -> String {
    let text = clean(text);
    if width(&text, size, weight) <= room {
        return text;
    }
    let ends: Vec<usize> = text.char_indices().map(|(index, _)| index).collect();
    let shortened = |n: usize| format!("{}…", text[..ends[n]].trim_end());
    let n = ends.partition_point(|&end| width(&format!("{}…", &text[..end]), size, weight) <= room);
    if n == 0 { String::new() } else { shortened(n - 1) }
}

/// A name, shortened to `room` in its middle: replicas of one service differ at their ends.
pub(super) fn fitted_name(name: &str, size: f64, weight: Weight, room: f64) -> String {
    let name = clean(name);
    if width(&name, size, weight) <= room {
        return name;
    }
    let chars: Vec<char> = name.chars().collect();
    let shortened = |kept: usize| -> String {
        let tail = kept / 2;
        let (head, tail) = (&chars[..kept - tail], &chars[chars.len() - tail..]);
        head.iter().chain(&['…']).chain(tail).collect()
    };
    let counts: Vec<usize> = (0..chars.len()).collect();
    let n = counts.partition_point(|&kept| width(&shortened(kept), size, weight) <= room);
    if n == 0 { String::new() } else { shortened(n - 1) }
}

/// The text without what cannot be drawn: control characters, marks that reorder text, and what XML forbids.
pub(super) fn clean(text: &str) -> String {
    let invisible = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
            || (c as u32) & 0xFFFE == 0xFFFE
    };
    // A line break or a tab stands between words.
    let spaced = text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c });
    let visible: String = spaced.filter(|&c| !invisible(c)).take(LONGEST).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_measured_in_the_font_that_is_drawn() {
        // Advances of Noto Sans, in 2048ths of an em, as its hmtx table has them: H 1518, i 528.
        assert!((width("H", 2048.0, Weight::Regular) - 1518.0).abs() < 5.0, "{}", width("H", 2048.0, Weight::Regular));
        assert!(width("iiii", 16.0, Weight::Regular) < width("WWWW", 16.0, Weight::Regular) / 2.0);
        assert!(width("leak", 16.0, Weight::Regular) < width("leak", 16.0, Weight::Bold));
        assert_eq!(width("", 16.0, Weight::Regular), 0.0);
    }

    #[test]
    fn long_text_is_shortened_to_its_room() {
        assert_eq!(fitted("web", 16.0, Weight::Regular, 100.0), "web");
        assert_eq!(fitted("web", 16.0, Weight::Regular, 1.0), "");
        let long = "payments-".repeat(500);
        for room in [20.0, 100.0, 333.0, 1000.0] {
            let text = fitted(&long, 16.0, Weight::Bold, room);
            assert!(text.ends_with('…') && width(&text, 16.0, Weight::Bold) <= room, "{room}: {text}");
            assert!(room - 20.0 < width(&text, 16.0, Weight::Bold), "{room}: {text}");
        }
    }

    /// The findings of `table::short_finding`: a chart must not cut what is wrong.
    #[test]
    fn the_longest_findings_fit_into_the_heading() {
        use crate::report::chart::panel::{BADGE, BADGE_ROOM};

        for finding in ["looks like a crash loop, growth in steps", "gone, looks like a crash loop, leak"] {
            assert_eq!(fitted(finding, BADGE, Weight::Bold, BADGE_ROOM), finding);
        }
    }

    #[test]
    fn a_long_name_is_shortened_in_its_middle() {
        let name = "payments-reconciliation-worker-7d9f8b6c5d-x2x4k";
        let text = fitted_name(name, 16.0, Weight::Bold, 190.0);
        assert!(text.starts_with("payments-") && text.contains('…') && text.ends_with("-x2x4k"), "{text}");
        assert!(width(&text, 16.0, Weight::Bold) <= 190.0);
        assert_eq!(fitted_name(name, 16.0, Weight::Bold, 1.0), "");
        assert_eq!(fitted_name("web", 16.0, Weight::Bold, 100.0), "web");
    }

    #[test]
    fn what_cannot_be_drawn_is_left_out() {
        for (text, expected) in [
            ("a\u{0}b\u{1b}[31mc", "ab[31mc"),
            (" two\n  lines\t", "two lines"),
            ("\u{202E}gnp.exe", "gnp.exe"),
            ("a\u{FFFF}\u{FFFE}b", "ab"),
            ("a|b<script>&\"", "a|b<script>&\""),
        ] {
            assert_eq!(clean(text), expected);
        }
    }
}
