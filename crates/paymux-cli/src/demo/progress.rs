//! What is seen while the demo runs: a bar on a terminal, lines elsewhere, nothing with `--json`.

use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};

pub(super) struct Progress {
    show: Show,
}

enum Show {
    Bar(ProgressBar),
    Lines,
    Nothing,
}

impl Progress {
    pub(super) fn new(orders: usize, silent: bool) -> Self {
        let show = if silent {
            Show::Nothing
        } else if io::stderr().is_terminal() && io::stdout().is_terminal() {
            let bar = ProgressBar::new(u64::try_from(orders).unwrap_or(u64::MAX));
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}") {
                bar.set_style(style);
            }
            Show::Bar(bar)
        } else {
            Show::Lines
        };
        Self { show }
    }

    /// Something happened.
    pub(super) fn say(&self, line: &str) {
        match &self.show {
            Show::Bar(bar) => bar.set_message(line.to_owned()),
            // A closed pipe must not stop the demo.
            Show::Lines => drop(writeln!(io::stdout(), "{line}")),
            Show::Nothing => {}
        }
    }

    /// One more order came to its end.
    pub(super) fn settled(&self, line: &str) {
        if let Show::Bar(bar) = &self.show {
            bar.inc(1);
        }
        self.say(line);
    }

    pub(super) fn finish(&self) {
        if let Show::Bar(bar) = &self.show {
            bar.finish_and_clear();
        }
    }
}
