//! What the WAL of a primary says of leases, as the extension's `wal.rs` has it.

use fastrand::Rng;

/// Positions in it are numbers of leases.
pub struct Wal {
    /// Where each ends, in milliseconds since 1970.
    leases: Vec<i64>,
    /// So many precede the last commit, and who replays that has replayed them.
    committed: usize,
    has_leases: bool,
}

impl Wal {
    pub fn new(has_leases: bool) -> Self {
        Self { leases: vec![], committed: 0, has_leases }
    }

    pub fn write(&mut self, end: i64) {
        if self.has_leases {
            self.leases.push(end);
        }
    }

    pub fn commit(&mut self) {
        self.committed = self.leases.len();
    }

    /// What is not committed may have got to the disk, or the standby, all the same.
    pub fn cut_off(&mut self, dice: &mut Rng) {
        let len = dice.usize(self.committed..=self.leases.len());
        self.leases.truncate(len);
        self.commit();
    }

    pub fn len(&self) -> usize {
        self.leases.len()
    }

    pub fn committed(&self) -> usize {
        self.committed
    }

    /// The last lease that whoever replays from there on comes to know.
    pub fn replay(&self, from: usize) -> Option<i64> {
        self.leases[from..self.committed].iter().max().copied()
    }
}

/// What a server knows of the leases in WAL after a restart.
#[derive(Clone, Copy, Default)]
pub struct Restart {
    /// It replays from the last checkpoint on.
    pub redo: usize,
    /// What comes before this is in its lease file.
    pub kept: usize,
}

impl Restart {
    /// A checkpoint is some time old when it is over. `waits` is false where it does not even take as
    /// long as the keeper takes to write to the lease file.
    pub fn checkpoint(&mut self, wal: &Wal, waits: bool, dice: &mut Rng) {
        self.redo = dice.usize(self.redo..=self.newest(wal, waits));
    }

    /// The last one.
    pub fn shut_down(&mut self, wal: &Wal, waits: bool) {
        self.redo = self.newest(wal, waits);
    }

    fn newest(&self, wal: &Wal, waits: bool) -> usize {
        if waits { self.kept.min(wal.committed) } else { wal.committed }
    }
}
