//! Shows events to a person: live lines on a terminal, one line a fetch elsewhere, warnings
//! everywhere.

use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;
use std::time::Duration;

use anstream::AutoStream;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::{Color, Global};
use super::diagnostic::{Severity, render};
use super::units;
use crate::event::{Event, Reporter};

/// So many repositories have a line at a time; of the others it is told how many they are.
const MOST: usize = 8;

/// How wide the column before the addresses is: as `waiting for another cookpack` and figures need it.
const COLUMN: usize = 34;

/// How often a line shows that it is alive while nothing comes.
const TICK: Duration = Duration::from_millis(120);

/// The live lines of this process, which has one screen.
static SCREEN: OnceLock<MultiProgress> = OnceLock::new();

/// Takes the live lines off the screen, so that a result can be printed there.
pub(super) fn clear_screen() {
    if let Some(screen) = SCREEN.get() {
        // A terminal that went away has nothing to be cleared.
        let _ = screen.clear();
    }
}

/// The reporter of the binary. Everything goes to the standard error.
pub(super) struct Terminal {
    quiet: bool,
    verbose: bool,
    color: Color,
    /// Where the standard error is a terminal, and may be drawn on.
    screen: Option<&'static MultiProgress>,
    fetches: RefCell<Fetches>,
    status: RefCell<Option<(&'static str, ProgressBar)>>,
}

/// The repositories that are fetched or waited for now.
#[derive(Default)]
struct Fetches {
    lines: Vec<Line>,
    /// The line that tells how many more there are.
    more: Option<ProgressBar>,
}

/// One repository.
struct Line {
    url: String,
    state: String,
    /// Nothing as long as there is no room for it.
    bar: Option<ProgressBar>,
}

impl Terminal {
    pub(super) fn new(global: &Global) -> Self {
        let is_terminal = !global.quiet && io::stderr().is_terminal();
        let screen = is_terminal.then(|| {
            SCREEN.get_or_init(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()))
        });
        Self {
            quiet: global.quiet,
            verbose: global.verbose,
            color: global.color,
            // A terminal without a cursor that can be moved is one to write lines to.
            screen: screen.filter(|screen| !screen.is_hidden()),
            fetches: RefCell::default(),
            status: RefCell::new(None),
        }
    }

    /// Prints lines that stay, above those that are alive.
    fn print(&self, text: &str) {
        let write = || {
            let mut stream = AutoStream::new(io::stderr(), self.color.into());
            let _ = stream.write_all(text.as_bytes());
        };
        match self.screen {
            Some(screen) => screen.suspend(write),
            None => write(),
        }
    }

    /// What happens to a repository now.
    fn fetching(&self, url: &str, state: String) {
        let Some(screen) = self.screen else {
            return;
        };
        let mut fetches = self.fetches.borrow_mut();
        match fetches.lines.iter_mut().find(|line| line.url == url) {
            Some(line) => {
                line.state = state;
                line.draw();
            }
            None => {
                let url = url.to_owned();
                let bar = None;
                fetches.lines.push(Line { url, state, bar });
                fetches.make_room(screen);
            }
        }
    }

    /// Nothing happens to a repository any more.
    fn fetched(&self, url: &str) {
        let Some(screen) = self.screen else {
            return;
        };
        let mut fetches = self.fetches.borrow_mut();
        if let Some(at) = fetches.lines.iter().position(|line| line.url == url) {
            if let Some(bar) = fetches.lines.remove(at).bar {
                end(screen, &bar);
            }
            fetches.make_room(screen);
        }
    }

    /// The one line of what is done besides; another kind of work takes its place.
    fn status(&self, template: &'static str, message: &str, done: Option<(u64, u64)>) {
        let Some(screen) = self.screen else {
            return;
        };
        let mut status = self.status.borrow_mut();
        if status.as_ref().is_some_and(|(old, _)| *old != template)
            && let Some((_, bar)) = status.take()
        {
            end(screen, &bar);
        }
        let (_, bar) = status.get_or_insert_with(|| (template, begin(screen, template)));
        if let Some((position, total)) = done {
            bar.set_length(total);
            bar.set_position(position);
        }
        bar.set_message(message.to_owned());
        if done.is_some_and(|(position, total)| position == total)
            && let Some((_, bar)) = status.take()
        {
            end(screen, &bar);
        }
    }
}

impl Fetches {
    /// Gives lines to as many as there is room for, and tells how many others there are.
    fn make_room(&mut self, screen: &MultiProgress) {
        let shown = self.lines.iter().filter(|line| line.bar.is_some()).count();
        let waiting = self.lines.iter_mut().filter(|line| line.bar.is_none());
        for line in waiting.take(MOST.saturating_sub(shown)) {
            let bar = match &self.more {
                Some(more) => styled(screen.insert_before(more, ProgressBar::no_length()), LINE),
                None => begin(screen, LINE),
            };
            bar.enable_steady_tick(TICK);
            line.bar = Some(bar);
            line.draw();
        }
        let hidden = self.lines.iter().filter(|line| line.bar.is_none()).count();
        if hidden == 0 {
            if let Some(more) = self.more.take() {
                end(screen, &more);
            }
            return;
        }
        let more = self.more.get_or_insert_with(|| begin(screen, MORE));
        more.set_message(hidden.to_string());
    }
}

impl Line {
    fn draw(&self) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{:<COLUMN$} {}", self.state, self.url));
        }
    }
}

const LINE: &str = "{spinner} {wide_msg}";
const MORE: &str = "  and {msg} more";
const READ: &str = "{spinner} read {wide_msg}";
const WRITE: &str = "{spinner} writing {bytes}/{total_bytes}";
const VERIFY: &str = "{spinner} checking {wide_msg}";

fn begin(screen: &MultiProgress, template: &str) -> ProgressBar {
    styled(screen.add(ProgressBar::no_length()), template)
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar
}

fn end(screen: &MultiProgress, bar: &ProgressBar) {
    bar.finish_and_clear();
    screen.remove(bar);
}

/// What has come of a repository so far.
fn progress_text(objects: usize, total: usize, bytes: u64) -> String {
    let bytes = units::bytes(bytes);
    match total {
        0 => bytes,
        _ => format!("{objects}/{total} objects, {bytes}"),
    }
}

/// What a fetch brought. One that brought nothing is worth a line only to who asks for more of them.
fn fetched_text(url: &str, objects: usize, bytes: u64, verbose: bool) -> Option<String> {
    let plural = if objects == 1 { "" } else { "s" };
    match (objects, bytes) {
        (0, 0) if verbose => Some(format!("fetched {url} (nothing new)\n")),
        (0, 0) => None,
        (0, _) => Some(format!("fetched {url} ({})\n", units::bytes(bytes))),
        _ => {
            let bytes = units::bytes(bytes);
            Some(format!(
                "fetched {url} ({objects} object{plural}, {bytes})\n"
            ))
        }
    }
}

impl Reporter for Terminal {
    fn report(&self, event: &Event<'_>) {
        match event {
            Event::FetchStarted { url } => {
                if self.verbose {
                    self.print(&format!("fetching {url}\n"));
                }
                self.fetching(url, "connecting".to_owned());
            }
            Event::FetchProgress {
                url,
                objects,
                total,
                bytes,
            } => self.fetching(url, progress_text(*objects, *total, *bytes)),
            Event::FetchFinished {
                url,
                objects,
                bytes,
            } => {
                self.fetched(url);
                // On a terminal the lines were watched.
                if (self.screen.is_none() && !self.quiet) || self.verbose {
                    let text = fetched_text(url, *objects, *bytes, self.verbose);
                    text.iter().for_each(|text| self.print(text));
                }
            }
            Event::Waiting { what } => match self.screen {
                Some(_) => self.fetching(what, "waiting for another cookpack".to_owned()),
                None if !self.quiet => {
                    self.print(&format!(
                        "waiting for another cookpack to be done with {what}\n"
                    ));
                }
                None => {}
            },
            Event::WaitFinished { what } => self.fetched(what),
            Event::Verifying { name } => self.status(VERIFY, name, None),
            Event::CookbookRead { name } => {
                if self.verbose {
                    self.print(&format!("read {name}\n"));
                }
                self.status(READ, name, None);
            }
            Event::WriteProgress { bytes, total } => {
                self.status(WRITE, "", Some((*bytes, *total)));
            }
            Event::SourceAdopted { name, source, by } if !self.quiet => {
                self.print(&format!("took {name} from {source}, as {by} says\n"));
            }
            Event::Warning(warning) if !self.quiet => {
                self.print(&render(Severity::Warning, warning));
            }
            _ => {}
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let Some(screen) = self.screen else {
            return;
        };
        let fetches = self.fetches.take();
        let bars = fetches.lines.into_iter().filter_map(|line| line.bar);
        let status = self.status.take().map(|(_, bar)| bar);
        for bar in bars.chain(fetches.more).chain(status) {
            end(screen, &bar);
        }
        clear_screen();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fetch_is_told_by_what_it_brought() {
        let text = |objects, bytes, verbose| fetched_text("u", objects, bytes, verbose);
        let is = |text: &str| Some(format!("fetched u ({text})\n"));
        assert_eq!(text(123, 46_285, false), is("123 objects, 45.2 KiB"));
        assert_eq!(text(1, 12, false), is("1 object, 12 B"));
        assert_eq!(text(0, 2048, false), is("2.0 KiB"));
        assert_eq!(text(0, 0, true), is("nothing new"));
        assert_eq!(text(0, 0, false), None);
    }

    #[test]
    fn figures_fit_their_column() {
        assert_eq!(progress_text(0, 0, 100), "100 B");
        assert_eq!(progress_text(3, 9, 2048), "3/9 objects, 2.0 KiB");
        let large = progress_text(999_999, 999_999, 1 << 20);
        assert!(large.len() <= COLUMN, "{large}");
        assert!("waiting for another cookpack".len() <= COLUMN);
        for template in [LINE, MORE, READ, WRITE, VERIFY] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
