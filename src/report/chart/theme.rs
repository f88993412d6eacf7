//! The colours of a chart, light and dark.
//!
//! From the palette of Okabe and Ito (2008), "Color universal design", darkened or lightened until white text on a
//! badge, and text on the page, has a contrast of at least 4.5. Meaning never hangs on colour alone.
//!
//! A chart within a page takes its colours from the page: it is drawn in the palette `PAGE`, whose colours stand for
//! custom properties of CSS.

use super::{CurveKind, Tone};

/// Which background a chart is read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Theme {
    /// On white.
    Light,
    /// On near black.
    Dark,
}

/// Red, green and blue, 0 to 255.
pub(super) type Colour = (u8, u8, u8);

/// Every colour of a chart, by what it is used for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    pub(super) page: Colour,
    pub(super) text: Colour,
    /// Axis labels and everything that should step back.
    pub(super) muted: Colour,
    pub(super) grid: Colour,
    pub(super) axis: Colour,
    /// The line and the envelope of the samples.
    pub(super) data: Colour,
    /// The dots of the samples.
    pub(super) dot: Colour,
    pub(super) fit: Colour,
    pub(super) limit: Colour,
    pub(super) threshold: Colour,
    pub(super) restart: Colour,
    pub(super) step: Colour,
    /// Behind the load window.
    pub(super) load: Colour,
    /// Behind what has not happened yet.
    pub(super) future: Colour,
    pub(super) pending: Colour,
    pub(super) on_pending: Colour,
    pub(super) firing: Colour,
    pub(super) on_firing: Colour,
    pub(super) on_badge: Colour,
    fail: Colour,
    warn: Colour,
    pass: Colour,
    inconclusive: Colour,
}

impl Palette {
    pub(super) const fn of(theme: Theme) -> &'static Palette {
        match theme {
            Theme::Light => &LIGHT,
            Theme::Dark => &DARK,
        }
    }

    /// The colour of a curve and of its label.
    pub(super) const fn of_curve(&self, kind: CurveKind) -> Colour {
        match kind {
            CurveKind::Fit | CurveKind::Unproven => self.fit,
            CurveKind::Explained | CurveKind::Left => self.step,
        }
    }

    pub(super) const fn badge(&self, tone: Tone) -> Colour {
        match tone {
            Tone::Fail => self.fail,
            Tone::Warn => self.warn,
            Tone::Pass => self.pass,
            Tone::Inconclusive => self.inconclusive,
        }
    }

    /// Every colour with its name as a custom property.
    const fn roles(&self) -> [(&'static str, Colour); 23] {
        [
            ("page", self.page),
            ("text", self.text),
            ("muted", self.muted),
            ("grid", self.grid),
            ("axis", self.axis),
            ("data", self.data),
            ("dot", self.dot),
            ("fit", self.fit),
            ("limit", self.limit),
            ("threshold", self.threshold),
            ("restart", self.restart),
            ("step", self.step),
            ("load", self.load),
            ("future", self.future),
            ("pending", self.pending),
            ("on-pending", self.on_pending),
            ("firing", self.firing),
            ("on-firing", self.on_firing),
            ("on-badge", self.on_badge),
            ("fail", self.fail),
            ("warn", self.warn),
            ("pass", self.pass),
            ("inconclusive", self.inconclusive),
        ]
    }
}

/// The custom properties of a theme, as CSS declarations.
pub(super) fn properties(theme: Theme) -> String {
    let declared = |(name, (r, g, b)): (&str, Colour)| format!("--{name}:#{r:02x}{g:02x}{b:02x};");
    Palette::of(theme).roles().into_iter().map(declared).collect()
}

/// A document that was drawn in `PAGE`, with the custom properties for which its colours stand.
pub(super) fn with_properties(svg: &str) -> String {
    // Every colour is a whole attribute: a text cannot hold one, its quotes are escaped.
    let names = PAGE.roles();
    let mut parts = svg.split("\"#0000");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let role = part.get(..2).and_then(|digits| usize::from_str_radix(digits, 16).ok()).and_then(|n| names.get(n));
        match role {
            Some((name, _)) => text.push_str(&format!("\"var(--{name}){}", &part[2..])),
            None => text.push_str(&format!("\"#0000{part}")),
        }
    }
    text
}

const LIGHT: Palette = Palette {
    page: (255, 255, 255),
    text: (31, 35, 40),
    muted: (89, 99, 110),
    grid: (226, 230, 234),
    axis: (140, 149, 159),
    data: (140, 163, 185),
    dot: (84, 110, 133),
    fit: (0, 90, 160),
    limit: (196, 65, 0),
    threshold: (150, 95, 0),
    restart: (110, 70, 130),
    step: (0, 120, 90),
    load: (238, 240, 243),
    future: (244, 248, 252),
    pending: (240, 180, 60),
    on_pending: (50, 35, 0),
    firing: (190, 62, 0),
    on_firing: (255, 255, 255),
    on_badge: (255, 255, 255),
    fail: (190, 62, 0),
    warn: (150, 95, 0),
    pass: (0, 115, 86),
    inconclusive: (89, 99, 110),
};

const DARK: Palette = Palette {
    page: (17, 20, 24),
    text: (232, 236, 240),
    muted: (157, 167, 177),
    grid: (42, 48, 55),
    axis: (110, 118, 129),
    data: (98, 121, 141),
    dot: (146, 172, 194),
    fit: (86, 180, 233),
    limit: (255, 130, 70),
    threshold: (230, 170, 50),
    restart: (204, 150, 215),
    step: (60, 200, 160),
    load: (32, 36, 42),
    future: (22, 28, 36),
    pending: (230, 165, 30),
    on_pending: (40, 28, 0),
    firing: (196, 75, 20),
    on_firing: (255, 255, 255),
    on_badge: (255, 255, 255),
    fail: (190, 66, 5),
    warn: (150, 95, 0),
    pass: (0, 118, 88),
    inconclusive: (89, 99, 110),
};

/// Colours that stand for custom properties: the last number is the index in `roles`.
pub(super) const PAGE: Palette = Palette {
    page: (0, 0, 0),
    text: (0, 0, 1),
    muted: (0, 0, 2),
    grid: (0, 0, 3),
    axis: (0, 0, 4),
    data: (0, 0, 5),
    dot: (0, 0, 6),
    fit: (0, 0, 7),
    limit: (0, 0, 8),
    threshold: (0, 0, 9),
    restart: (0, 0, 10),
    step: (0, 0, 11),
    load: (0, 0, 12),
    future: (0, 0, 13),
    pending: (0, 0, 14),
    on_pending: (0, 0, 15),
    firing: (0, 0, 16),
    on_firing: (0, 0, 17),
    on_badge: (0, 0, 18),
    fail: (0, 0, 19),
    warn: (0, 0, 20),
    pass: (0, 0, 21),
    inconclusive: (0, 0, 22),
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance as the Web Content Accessibility Guidelines 2.1 define it.
    fn luminance((r, g, b): Colour) -> f64 {
        let linear = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    fn contrast(a: Colour, b: Colour) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_text_can_be_read_on_what_is_behind_it() {
        for palette in [LIGHT, DARK] {
            let on_page = [
                palette.text,
                palette.muted,
                palette.fit,
                palette.limit,
                palette.threshold,
                palette.restart,
                palette.step,
            ];
            for colour in on_page {
                for behind in [palette.page, palette.future] {
                    assert!(contrast(colour, behind) >= 4.5, "{colour:?} on {behind:?}: {}", contrast(colour, behind));
                }
            }
            for badge in [palette.fail, palette.warn, palette.pass, palette.inconclusive] {
                assert!(contrast(palette.on_badge, badge) >= 4.5, "{badge:?}: {}", contrast(palette.on_badge, badge));
            }
            assert!(contrast(palette.on_pending, palette.pending) >= 4.5);
            assert!(contrast(palette.on_firing, palette.firing) >= 4.5);
        }
    }

    #[test]
    fn a_chart_in_a_page_takes_its_colours_from_the_page() {
        for (index, (name, colour)) in PAGE.roles().into_iter().enumerate() {
            assert_eq!(colour, (0, 0, index as u8), "{name}");
        }
        let svg = "<rect fill=\"#000000\"/><text fill=\"#00000E\">&quot;#00000E&quot;</text><path fill=\"none\"/>";
        let expected =
            "<rect fill=\"var(--page)\"/><text fill=\"var(--pending)\">&quot;#00000E&quot;</text><path fill=\"none\"/>";
        assert_eq!(with_properties(svg), expected);
        assert!(properties(Theme::Light).starts_with("--page:#ffffff;--text:#1f2328;"));
    }
}
