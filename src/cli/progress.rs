//! Shows events to a person: progress on a terminal, warnings everywhere.

use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};

use anstream::AutoStream;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::{Color, Global};
use super::diagnostic::{Severity, render};
use crate::event::{Event, Reporter};

/// The reporter of the binary. Everything goes to the standard error.
pub(super) struct Terminal {
    quiet: bool,
    verbose: bool,
    color: Color,
    bar: RefCell<Option<ProgressBar>>,
    is_terminal: bool,
}

impl Terminal {
    pub(super) fn new(global: &Global) -> Self {
        Self {
            quiet: global.quiet,
            verbose: global.verbose,
            color: global.color,
            bar: RefCell::new(None),
            is_terminal: !global.quiet && io::stderr().is_terminal(),
        }
    }

    fn line(&self, text: &str) {
        self.clear();
        let _ = AutoStream::new(io::stderr(), self.color.into()).write_all(text.as_bytes());
    }

    fn clear(&self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Begins a bar, where there is a terminal to draw it on.
    fn begin(&self, template: &str, message: &str) {
        self.clear();
        if !self.is_terminal {
            return;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(message.to_owned());
        self.bar.replace(Some(bar));
    }

    fn advance(&self, position: u64, total: u64) {
        if let Some(bar) = &*self.bar.borrow() {
            bar.set_length(total);
            bar.set_position(position);
        }
    }
}

const FETCH: &str = "{spinner} fetching {msg} {pos}/{len} objects";
const READ: &str = "{spinner} read {msg}";
const WRITE: &str = "{spinner} writing {bytes}/{total_bytes}";

impl Reporter for Terminal {
    fn report(&self, event: &Event<'_>) {
        match event {
            Event::FetchStarted { url } => {
                if self.verbose {
                    self.line(&format!("fetching {url}\n"));
                }
                self.begin(FETCH, url);
            }
            Event::FetchProgress { objects, total, .. } => {
                self.advance(*objects as u64, *total as u64);
            }
            Event::FetchFinished { .. } => self.clear(),
            Event::Waiting { what } if !self.quiet => {
                self.line(&format!(
                    "waiting for another cookpack that fetches {what}\n"
                ));
            }
            Event::CookbookRead { name } => {
                if self.verbose {
                    self.line(&format!("read {name}\n"));
                }
                self.begin(READ, name);
            }
            Event::WriteProgress { bytes, total } => {
                let writes = self
                    .bar
                    .borrow()
                    .as_ref()
                    .is_some_and(|bar| bar.message().is_empty());
                if !writes {
                    self.begin(WRITE, "");
                }
                self.advance(*bytes, *total);
                if bytes == total {
                    self.clear();
                }
            }
            Event::Warning(warning) if !self.quiet => {
                self.line(&render(Severity::Warning, warning));
            }
            _ => {}
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.clear();
    }
}
