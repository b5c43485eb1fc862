//! The ways in which a network falls apart. Only links between nodes are cut.
//!
//! The first four are those of the workbench's nemesis (`partition-specs` in
//! `jepsen/src/jepsen/nemesis/combined.clj` of <https://github.com/jepsen-io/jepsen>); one-way is added.

use std::fmt;

use fastrand::Rng;

use crate::maelstrom::network::Cuts;

/// A way to fall apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Partition {
    /// One node is cut off.
    One,
    /// A majority and the rest.
    Majority,
    /// Every node hears a majority, and no two hear the same.
    MajoritiesRing,
    /// Less than a third is cut off: of three nodes none.
    MinorityThird,
    /// One node hears the others, and they do not hear it.
    OneWay,
}

impl Partition {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::One, Self::Majority, Self::MajoritiesRing, Self::MinorityThird, Self::OneWay];

    /// The links that are cut this time.
    #[must_use]
    pub fn cuts(self, nodes: &[String], rng: &mut Rng) -> Cuts {
        let mut nodes = nodes.to_vec();
        rng.shuffle(&mut nodes);
        let count = nodes.len();
        match self {
            Self::One => apart(nodes.split_at(count.min(1))),
            Self::Majority => apart(nodes.split_at(count / 2)),
            Self::MajoritiesRing => ring(&nodes),
            Self::MinorityThird => apart(nodes.split_at(count.saturating_sub(1) / 3)),
            Self::OneWay => {
                let (mute, others) = nodes.split_at(count.min(1));
                links(mute, others).collect()
            }
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One => "one",
            Self::Majority => "majority",
            Self::MajoritiesRing => "majorities-ring",
            Self::MinorityThird => "minority-third",
            Self::OneWay => "one-way",
        })
    }
}

fn links<'a>(from: &'a [String], to: &'a [String]) -> impl Iterator<Item = (String, String)> + 'a {
    from.iter().flat_map(move |src| to.iter().map(move |dest| (src.clone(), dest.clone())))
}

fn apart((these, those): (&[String], &[String])) -> Cuts {
    links(these, those).chain(links(those, these)).collect()
}

/// Node `i` hears those from `i` on around the ring, as many as make a majority with itself.
fn ring(nodes: &[String]) -> Cuts {
    let count = nodes.len();
    let majority = count / 2 + 1;
    let deaf = (0..count).flat_map(|i| (majority..count).map(move |step| (i, (i + step) % count)));
    deaf.map(|(hears_not, unheard)| (nodes[unheard].clone(), nodes[hears_not].clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(count: usize) -> [usize; 5] {
        let nodes: Vec<_> = (0..count).map(|i| format!("n{i}")).collect();
        Partition::ALL.map(|partition| partition.cuts(&nodes, &mut Rng::with_seed(1)).len())
    }

    #[test]
    fn each_kind_cuts_as_many_links_as_its_name_says() {
        assert_eq!(sizes(3), [4, 4, 3, 0, 2]);
        assert_eq!(sizes(5), [8, 12, 10, 8, 4]);
        assert_eq!(sizes(1), [0, 0, 0, 0, 0]);
        assert_eq!(sizes(0), [0, 0, 0, 0, 0]);
    }

    #[test]
    fn in_a_ring_everybody_hears_a_majority_and_no_two_the_same() {
        let nodes: Vec<_> = (0..5).map(|i| format!("n{i}")).collect();
        let cuts = Partition::MajoritiesRing.cuts(&nodes, &mut Rng::with_seed(7));
        let heard = |node: &String| -> Vec<_> {
            let hears = |other: &&String| !cuts.contains(&((*other).clone(), node.clone()));
            nodes.iter().filter(hears).cloned().collect()
        };
        let mut all: Vec<_> = nodes.iter().map(heard).collect();
        assert!(all.iter().all(|heard| heard.len() == 3), "{all:?}");
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 5);
    }
}
