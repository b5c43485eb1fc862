//! The test's side of the shim (`shim/`): a wall clock and a disk of the server's own.

use std::{
    fmt,
    fs::{self, File},
    num::NonZeroUsize,
    ops::Deref,
    path::{Path, PathBuf},
    ptr::NonNull,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use anyhow::{Context, Result};
use nix::{
    errno::Errno,
    sys::mman::{MapFlags, ProtFlags, mmap, munmap},
};

use crate::program::Installation;

/// Part of this program, because the server's user may not be allowed into the build folder.
const LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/shim.so"));

/// Which parts of the shim a server is to have.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Parts {
    pub(crate) clock: bool,
    pub(crate) faults: bool,
}

/// The shim of one server.
#[derive(Debug)]
pub struct Shim {
    library: PathBuf,
    pub(crate) clock: Option<Clock>,
    pub(crate) faults: Option<Faults>,
}

impl Shim {
    /// A wall clock alone, for a server that something else starts; its files are in `home`.
    pub fn with_clock(home: &Path, installation: &Installation) -> Result<Self> {
        let parts = Parts { clock: true, faults: false };
        Self::install(parts, home, installation)?.context("a shim with a clock is a shim")
    }

    /// The server's own wall clock, if it has one.
    #[must_use]
    pub fn clock(&self) -> Option<&Clock> {
        self.clock.as_ref()
    }

    /// None if no part of it is wanted.
    pub(crate) fn install(
        parts: Parts,
        home: &Path,
        installation: &Installation,
    ) -> Result<Option<Self>> {
        if !parts.clock && !parts.faults {
            return Ok(None);
        }
        let library = home.join("shim.so");
        fs::write(&library, LIBRARY).context("writing the shim")?;
        installation.give(&library)?;
        let clock = parts.clock.then(|| Clock::make(home, installation)).transpose()?;
        let faults = parts.faults.then(|| Faults::make(home, installation)).transpose()?;
        Ok(Some(Self { library, clock, faults }))
    }

    /// What makes the server's processes load it, and find its other side.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, &Path)> {
        let mut environment = vec![("LD_PRELOAD", self.library.as_path())];
        if let Some(clock) = &self.clock {
            environment.push(("SNOWFLAKE_CLOCK", &clock.file));
        }
        if let Some(faults) = &self.faults {
            environment.push(("SNOWFLAKE_FAULTS", &faults.file));
            environment.push(("SNOWFLAKE_RECORDS", &faults.records));
        }
        environment
    }
}

/// The wall clock of one server: the system's plus an offset. The monotonic clock is the system's.
#[derive(Debug)]
pub struct Clock {
    file: PathBuf,
    offset: Numbers,
}

impl Clock {
    fn make(home: &Path, installation: &Installation) -> Result<Self> {
        let file = home.join("clock");
        let offset = Numbers::make(&file, 1, installation)?;
        Ok(Self { file, offset })
    }

    /// Sets the clock forward by this many nanoseconds, or back if negative: at once, whatever the
    /// server is doing.
    pub fn step(&self, nanos: i64) {
        self.offset[0].fetch_add(nanos, Ordering::SeqCst);
    }

    /// Sets the clock to the system's plus this many nanoseconds.
    pub fn set(&self, nanos: i64) {
        self.offset[0].store(nanos, Ordering::SeqCst);
    }

    /// How far it is ahead of the system's, in nanoseconds.
    #[must_use]
    pub fn offset(&self) -> i64 {
        self.offset[0].load(Ordering::SeqCst)
    }
}

/// A call that the shim can make fail. The file is the lease, under its own name or, while it is made, its temporary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Call {
    /// open(2) of the file for reading.
    OpenToRead,
    /// open(2) of the file for writing.
    OpenToWrite,
    /// write(2) to the file.
    Write,
    /// fsync(2) of the file.
    Fsync,
    /// rename(2) to the file's name.
    Rename,
    /// fsync(2) of the data directory.
    FsyncDirectory,
}

impl Call {
    /// Those that a renewal takes, in order.
    pub const RENEWAL: [Self; 3] = [Self::OpenToWrite, Self::Write, Self::Fsync];
    /// Those that making the file takes.
    pub const CREATION: [Self; 5] =
        [Self::OpenToWrite, Self::Write, Self::Fsync, Self::Rename, Self::FsyncDirectory];
    /// In the order of the shim's own list.
    const ALL: [Self; 6] = [
        Self::OpenToRead,
        Self::OpenToWrite,
        Self::Write,
        Self::Fsync,
        Self::Rename,
        Self::FsyncDirectory,
    ];
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenToRead => "open to read",
            Self::OpenToWrite => "open",
            Self::Write => "write",
            Self::Fsync => "fsync",
            Self::Rename => "rename",
            Self::FsyncDirectory => "fsync of the directory",
        })
    }
}

/// What goes wrong with the lease file of one server.
#[derive(Debug)]
pub struct Faults {
    file: PathBuf,
    /// Per call: errno, how many more times it fails, how many times it has failed.
    numbers: Numbers,
    /// Where the shim notes what has happened to the file; see [`crate::durable`].
    pub(crate) records: PathBuf,
}

const ERRNO: usize = 0;
const LEFT: usize = 1;
const HITS: usize = 2;

impl Faults {
    fn make(home: &Path, installation: &Installation) -> Result<Self> {
        let [file, records] = ["faults", "records"].map(|name| home.join(name));
        let numbers = Numbers::make(&file, 3 * Call::ALL.len(), installation)?;
        File::create_new(&records).context("making the shim's records")?;
        installation.give(&records)?;
        Ok(Self { file, numbers, records })
    }

    /// Lets the next `times` calls fail.
    pub fn fail(&self, call: Call, errno: Errno, times: u32) {
        self.arm(call, errno as i64, times.into());
    }

    /// Lets the call fail until [`Faults::heal`].
    pub fn fail_always(&self, call: Call, errno: Errno) {
        self.arm(call, errno as i64, -1);
    }

    /// Lets the call take so much longer, until [`Faults::heal`].
    pub fn delay(&self, call: Call, time: Duration) {
        self.arm(call, -(time.as_millis() as i64), -1);
    }

    /// Stops the next process that makes the call, until it is killed.
    pub fn hang(&self, call: Call) {
        self.arm(call, 0, 1);
    }

    fn arm(&self, call: Call, errno: i64, times: i64) {
        self.number(call, ERRNO).store(errno, Ordering::SeqCst);
        self.number(call, LEFT).store(times, Ordering::SeqCst);
    }

    /// Ends all failures.
    pub fn heal(&self) {
        for call in Call::ALL {
            self.number(call, LEFT).store(0, Ordering::SeqCst);
        }
    }

    /// How often a call has failed, or hung, because it was to.
    #[must_use]
    pub fn failures(&self, call: Call) -> i64 {
        self.number(call, HITS).load(Ordering::SeqCst)
    }

    fn number(&self, call: Call, which: usize) -> &AtomicI64 {
        &self.numbers[3 * call as usize + which]
    }
}

/// Numbers in a file that the server has mapped into its memory too.
struct Numbers {
    address: NonNull<AtomicI64>,
    count: usize,
}

// SAFETY: the memory is no thread's own, and it is accessed by atomic operations only.
unsafe impl Send for Numbers {}
// SAFETY: as above.
unsafe impl Sync for Numbers {}

impl Numbers {
    /// A new file of zeros.
    fn make(path: &Path, count: usize, installation: &Installation) -> Result<Self> {
        let context = || format!("making {}", path.display());
        let bytes = NonZeroUsize::new(count * size_of::<i64>()).with_context(context)?;
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
            .with_context(context)?;
        file.set_len(bytes.get() as u64).with_context(context)?;
        installation.give(path)?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping, wherever the kernel puts it.
        let address = unsafe { mmap(None, bytes, protection, MapFlags::MAP_SHARED, &file, 0) };
        Ok(Self { address: address.with_context(context)?.cast(), count })
    }
}

impl Deref for Numbers {
    type Target = [AtomicI64];

    fn deref(&self) -> &[AtomicI64] {
        // SAFETY: the mapping begins at a page, has that many numbers and is there until `self` is
        // dropped; any bits are a number.
        unsafe { std::slice::from_raw_parts(self.address.as_ptr(), self.count) }
    }
}

impl Drop for Numbers {
    fn drop(&mut self) {
        // SAFETY: the mapping is this struct's own, and no slice of it outlives the struct.
        let unmapped = unsafe { munmap(self.address.cast(), self.count * size_of::<i64>()) };
        debug_assert_eq!(unmapped, Ok(()));
    }
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
