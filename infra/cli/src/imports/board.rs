//! The live list on a terminal. Lines are drawn in place by the library that draws the progress bars: it knows the size of
//! the terminal, moves the cursor, and writes only what has changed.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often it is drawn at most, a second.
const DRAWS: u8 = 10;

/// Lines on the terminal that are drawn anew in their places.
pub(super) struct Board {
    all: MultiProgress,
    lines: Vec<ProgressBar>,
    style: ProgressStyle,
}

impl Board {
    pub(super) fn new() -> anyhow::Result<Self> {
        let target = ProgressDrawTarget::stdout_with_hz(DRAWS);
        Ok(Self {
            all: MultiProgress::with_draw_target(target),
            lines: Vec::new(),
            // Cut where the terminal ends.
            style: ProgressStyle::with_template("{wide_msg}")?,
        })
    }

    /// Shows these lines.
    pub(super) fn show(&mut self, lines: &[String]) {
        while self.lines.len() > lines.len() {
            if let Some(line) = self.lines.pop() {
                line.finish_and_clear();
                self.all.remove(&line);
            }
        }
        while self.lines.len() < lines.len() {
            let line = self.all.add(ProgressBar::no_length().with_style(self.style.clone()));
            self.lines.push(line);
        }
        for (line, text) in self.lines.iter().zip(lines) {
            if line.message() != *text {
                line.set_message(text.clone());
            }
        }
    }

    /// Leaves the last picture on the terminal.
    pub(super) fn leave(self) {
        self.lines.iter().for_each(ProgressBar::abandon);
    }
}
