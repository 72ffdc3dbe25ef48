//! One process under test: started, listened to, killed, paused.

use std::{process::Stdio, sync::Arc};

use paymux_endurance::{Setup, Told, Word};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::watch,
};

use crate::counter::Counter;

/// A process that runs. It is killed when it is dropped, by a panic too.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts one. What it tells goes over the counter; it hears how many orders have come.
    pub(crate) async fn start(
        setup: &Setup,
        counter: &Arc<Counter>,
        come: watch::Receiver<u32>,
    ) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_paymux-endurance-worker"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the process can be started");
        let mut input = child.stdin.take().expect("its input is a pipe");
        let output = child.stdout.take().expect("its output is a pipe");
        let line = serde_json::to_string(setup).expect("a setup is JSON");
        // It may be dead by now, which is what this is about.
        let _ = input.write_all(format!("{line}\n").as_bytes()).await;
        tokio::spawn(tell(input, come));
        tokio::spawn(listen(output, setup.index, counter.clone()));
        Self { child }
    }

    /// Ends when the process does by itself, which it must not.
    pub(crate) async fn ended(&mut self) -> String {
        format!("a process ended by itself: {:?}", self.child.wait().await)
    }

    /// Kills it, and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("it can be killed");
    }

    /// Stops it where it is.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        // Nobody has waited for it, so its number is still its own.
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        kill_process(id.expect("it runs"), signal).expect("it can be signaled");
    }
}

async fn tell(mut input: ChildStdin, mut come: watch::Receiver<u32>) {
    loop {
        let count = *come.borrow_and_update();
        let line = serde_json::to_string(&Word::Come(count)).expect("a word is JSON");
        if input.write_all(format!("{line}\n").as_bytes()).await.is_err() {
            return;
        }
        if come.changed().await.is_err() {
            return;
        }
    }
}

async fn listen(output: ChildStdout, index: u32, counter: Arc<Counter>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // A line that was cut off by a kill was not said.
        if let Ok(told) = serde_json::from_str::<Told>(&line) {
            counter.hear(index, told);
        }
    }
}
