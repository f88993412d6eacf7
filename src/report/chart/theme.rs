//! The colours of a chart, light and dark.
//!
//! From the palette of Okabe and Ito (2008), "Color universal design", darkened or lightened until white text on a
//! badge, and text on the page, has a contrast of at least 4.5. Meaning never hangs on colour alone.

use super::Tone;

/// Which background a chart is read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

    pub(super) const fn badge(&self, tone: Tone) -> Colour {
        match tone {
            Tone::Fail => self.fail,
            Tone::Warn => self.warn,
            Tone::Pass => self.pass,
            Tone::Inconclusive => self.inconclusive,
        }
    }
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
}
