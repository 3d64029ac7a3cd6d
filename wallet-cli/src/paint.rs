//! The few styles the program uses, or none of them.

/// Wraps text in terminal styles when colour is wanted.
#[derive(Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// Styles that are applied only when `on`.
    pub(crate) const fn new(on: bool) -> Self {
        Self { on }
    }

    /// Headings and what matters most.
    pub(crate) fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// Labels and remarks, which may step back.
    pub(crate) fn faint(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// What needs care.
    pub(crate) fn caution(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// What is wrong or dangerous.
    pub(crate) fn danger(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    /// White on black, whatever the terminal's theme: QR codes are read by their contrast.
    pub(crate) fn white_on_black(self, text: &str) -> String {
        self.wrap("97;40", text)
    }

    /// Select Graphic Rendition (ECMA-48 §8.3.117) around the text.
    fn wrap(self, style: &str, text: &str) -> String {
        if self.on { format!("\u{1b}[{style}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
