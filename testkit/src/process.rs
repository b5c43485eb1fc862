//! Processes as the operating system sees them.

use std::{
    fs, io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command},
    sync::{OnceLock, mpsc},
    thread,
};

use anyhow::{Context, Result, ensure};
use nix::{
    errno::Errno,
    sys::{
        prctl,
        signal::{Signal, kill},
    },
    unistd::{Pid, getpid, getppid},
};

use crate::poll::{DEADLINE, wait_for};

/// The processes whose working directory is within `directory`: all of a server, when that is its
/// data directory.
pub fn processes_in(directory: &Path) -> Result<Vec<i32>> {
    let entries = fs::read_dir("/proc").context("reading /proc")?;
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(pids
        .filter(|pid| {
            fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(directory))
        })
        .collect())
}

/// SIGKILL to all of [`processes_in`] at once, as a power cut of a server alone; returns when they
/// are gone.
pub fn kill9_in(directory: &Path) -> Result<()> {
    wait_for("the killed processes to be gone", DEADLINE, || {
        let pids = processes_in(directory)?;
        // A stopped process neither forks nor sees others die.
        for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
            for &pid in &pids {
                send(pid, signal)?;
            }
        }
        Ok(pids.is_empty())
    })
}

/// Has the process stand still, until it is killed; an error if it ends first.
pub fn freeze(pid: i32) -> Result<()> {
    send(pid, Signal::SIGSTOP)?;
    wait_for(&format!("process {pid} to stand still"), DEADLINE, || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
            .with_context(|| format!("process {pid} is gone"))?;
        // After the name, which may have any character.
        let state = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
        ensure!(!matches!(state, Some("Z" | "X")), "process {pid} has ended");
        Ok(state == Some("T"))
    })
}

/// Sends `signal`; a process that is gone already is fine.
pub(crate) fn send(pid: i32, signal: Signal) -> Result<()> {
    match kill(Pid::from_raw(pid), signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(errno) => Err(errno).with_context(|| format!("sending {signal} to process {pid}")),
    }
}

/// Starts `command` in a process group of its own; the kernel sends it `signal` when this process dies,
/// however it dies.
pub(crate) fn spawn_tied(mut command: Command, signal: Signal) -> io::Result<Child> {
    command.process_group(0);
    let parent = getpid();
    // SAFETY: the closure runs between fork and exec and makes two plain system calls only.
    unsafe {
        command.pre_exec(move || {
            // After std's change of user, which would have cleared it.
            prctl::set_pdeathsig(signal)?;
            // The parent may have died before the call.
            if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
        });
    }
    spawn_from_lasting_thread(command)
}

type Order = (Command, mpsc::Sender<io::Result<Child>>);

/// The parent whose death counts is the *thread* that forked, so one thread that lives as long as
/// this process does all the forking.
fn spawn_from_lasting_thread(command: Command) -> io::Result<Child> {
    static FORKER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let forker = FORKER.get_or_init(|| {
        let (orders, inbox) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, reply) in inbox {
                // That no thread waits for the reply any more is no reason to stop forking for others.
                reply.send(command.spawn()).ok();
            }
        });
        orders
    });
    let (reply, child) = mpsc::channel();
    let gone = "the forking thread is gone";
    forker.send((command, reply)).map_err(|_| io::Error::other(gone))?;
    child.recv().map_err(|_| io::Error::other(gone))?
}
