//! How the tour is printed: numbered steps, what was sent, what came back, and ✓ or ✗.

use std::io::{self, Write};

/// The tour's page, written line by line so that progress shows at once.
pub(super) struct Report<'a> {
    out: &'a mut (dyn Write + Send),
    step: usize,
    /// Checks that held.
    pub(super) passed: usize,
    /// Checks that did not.
    pub(super) failed: usize,
}

impl<'a> Report<'a> {
    pub(super) fn new(out: &'a mut (dyn Write + Send)) -> Self {
        Self { out, step: 0, passed: 0, failed: 0 }
    }

    /// Begins the next step.
    pub(super) fn step(&mut self, title: &str) -> io::Result<()> {
        self.step += 1;
        let step = self.step;
        self.line(&format!("\n{step}. {title}"))
    }

    /// What a caller sends.
    pub(super) fn sent(&mut self, what: &str) -> io::Result<()> {
        self.line(&format!("   → {what}"))
    }

    /// What comes back.
    pub(super) fn received(&mut self, what: &str) -> io::Result<()> {
        self.line(&format!("   ← {what}"))
    }

    /// Something that must hold.
    pub(super) fn check(&mut self, holds: bool, what: &str) -> io::Result<()> {
        *(if holds { &mut self.passed } else { &mut self.failed }) += 1;
        let mark = if holds { '✓' } else { '✗' };
        self.line(&format!("   {mark} {what}"))
    }

    /// A line of its own.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }
}

/// The head of a long identifier.
pub(super) fn short(identifier: &str) -> String {
    match identifier.char_indices().nth(12) {
        Some((end, _)) => format!("{}…", identifier.get(..end).unwrap_or_default()),
        None => identifier.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_like_this() {
        let mut page = Vec::new();
        let mut report = Report::new(&mut page);
        report.step("A thing is done").unwrap();
        report.sent("please").unwrap();
        report.received(&short("0123456789abcdef")).unwrap();
        report.check(true, "done").unwrap();
        report.check(false, "done twice").unwrap();
        assert_eq!((report.passed, report.failed), (1, 1));
        assert_eq!(
            String::from_utf8(page).unwrap(),
            "\n1. A thing is done\n   → please\n   ← 0123456789ab…\n   ✓ done\n   ✗ done twice\n"
        );
    }
}
