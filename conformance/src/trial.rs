//! One named test.

use std::panic::{AssertUnwindSafe, catch_unwind};

use libtest_mimic::Failed;

/// One named test of a suite. It can be run by itself, or under the test harness by
/// [`crate::Suite::run`].
pub struct Trial {
    name: String,
    ignored: Option<String>,
    check: Box<dyn FnOnce() -> Result<(), String> + Send>,
}

impl Trial {
    /// A trial of your own, to be run beside those of a suite. The error says what is wrong.
    pub fn new(
        name: impl Into<String>,
        check: impl FnOnce() -> Result<(), String> + Send + 'static,
    ) -> Self {
        Self { name: name.into(), ignored: None, check: Box::new(check) }
    }

    /// The same, listed and only run when asked for.
    #[must_use]
    pub fn ignored(mut self, reason: impl Into<String>) -> Self {
        self.ignored = Some(reason.into());
        self
    }

    pub(crate) fn prefixed(mut self, prefix: &str) -> Self {
        self.name.insert_str(0, prefix);
        self
    }

    /// Its name, like a path: `toffeepay::create::minimal::fault::500`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why it is not run, if it is not.
    #[must_use]
    pub fn ignored_because(&self) -> Option<&str> {
        self.ignored.as_deref()
    }

    /// Runs it; a panic of the adapter is a failure like any other.
    ///
    /// # Errors
    /// In what the adapter differs from what was wanted, one difference a line.
    pub fn run(self) -> Result<(), String> {
        match catch_unwind(AssertUnwindSafe(self.check)) {
            Ok(result) => result,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                Err(format!("it panicked: {}", text.unwrap_or("without a message")))
            }
        }
    }

    pub(crate) fn into_test(self) -> libtest_mimic::Trial {
        let ignored = self.ignored.is_some();
        let name = self.name.clone();
        libtest_mimic::Trial::test(name, move || self.run().map_err(Failed::from))
            .with_ignored_flag(ignored)
    }
}

impl std::fmt::Debug for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trial").field("name", &self.name).finish_non_exhaustive()
    }
}
