//! A network of a server's own.

use std::{
    fs::File,
    io,
    os::fd::AsRawFd,
    path::PathBuf,
    process,
    sync::{Arc, mpsc},
    thread,
};

use nix::sched::{CloneFlags, setns, unshare};

/// A network namespace without a name: the kernel removes it, with every interface in it, when the
/// last process in it and the last clone of this are gone.
#[derive(Debug, Clone)]
pub struct Namespace(Arc<File>);

impl Namespace {
    /// An empty one, where even the loopback interface is down. Takes root, and in a container
    /// more than that.
    pub fn make() -> io::Result<Self> {
        let (reply, made) = mpsc::channel();
        // What a thread has left it cannot always come back to, so this one ends in there.
        thread::spawn(move || {
            let made = unshare(CloneFlags::CLONE_NEWNET).map_err(io::Error::from);
            reply.send(made.and_then(|()| Self::current()))
        });
        made.recv().map_err(io::Error::other)?
    }

    fn current() -> io::Result<Self> {
        File::open("/proc/thread-self/ns/net").map(|file| Self(Arc::new(file)))
    }

    /// A name of it for other programs, such as `ip`, while this exists.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", process::id(), self.0.as_raw_fd()).into()
    }

    /// Does something in here, such as starting a program; other threads stay where they are.
    pub fn enter<T>(&self, action: impl FnOnce() -> T) -> io::Result<T> {
        let _back = Back(Self::current()?);
        setns(&*self.0, CloneFlags::CLONE_NEWNET)?;
        Ok(action())
    }
}

/// Brings the thread back, also from a panic.
struct Back(Namespace);

impl Drop for Back {
    fn drop(&mut self) {
        setns(&*self.0.0, CloneFlags::CLONE_NEWNET).expect("whoever may leave may come back");
    }
}
