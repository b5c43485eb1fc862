//! The whole: a store, three members, and what an operator does to them.

use anyhow::{Context, Result, anyhow, ensure};
use postgres::{Client, Config, config::TargetSessionAttrs};
use snowflake_testkit::{DEADLINE, Installation, Warden, freeze, interrupt};

use super::{
    Part,
    configuration::{self, Places},
    etcd::Etcd,
    member::{self, Member},
    rest::{self, Status},
};
use crate::network::Addresses;

const LOG_TAIL: usize = 30;
/// How many members there are.
pub const SIZE: usize = 3;

/// Three members that agree on a leader. Dropping it leaves nothing behind.
#[derive(Debug)]
pub struct Cluster {
    members: Vec<Member>,
    is_synchronous: bool,
    _etcd: Etcd,
    /// Dropped last: it ends the servers that Patroni has started.
    _warden: Warden,
}

impl Cluster {
    /// Starts the one of this part; returns when all members are in place.
    pub fn start(part: Part) -> Result<Self> {
        let installation = Installation::find()?;
        let warden = Warden::engage(&installation)?;
        let addresses = Addresses::new()?;
        let [etcd, peers] = [0, 1].map(|number| addresses.of(number));
        let store = Etcd::start([etcd, peers], warden.home(), &installation)?;
        let mut members = Vec::new();
        let is_synchronous = part.is_synchronous();
        for (number, machine_id) in (1..).zip(part.machine_ids()) {
            let [server, api] = [0, 1].map(|which| addresses.of(10 * number + which));
            let places = Places { server, api, etcd };
            let mut member = Member::make(
                number,
                machine_id,
                is_synchronous,
                warden.home(),
                places,
                &installation,
            )?;
            member.start()?;
            members.push(member);
        }
        let cluster = Self { members, is_synchronous, _etcd: store, _warden: warden };
        cluster.wait_until_whole()?;
        Ok(cluster)
    }

    /// All members.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// How clients find the leader: all addresses, of which only the one that takes writes will do.
    #[must_use]
    pub fn config(&self) -> Config {
        let mut config = configuration::client(self.members.iter().map(Member::address));
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config
    }

    /// A session with the leader, as soon as there can be one.
    pub fn connect(&self) -> Result<Client> {
        member::connect(&self.config(), "the leader")
    }

    /// Which member leads, as soon as Patroni's members agree.
    pub fn leader(&self) -> Result<usize> {
        let mut leader = Err(anyhow!("no member was asked"));
        let agreed = interrupt::wait_for("Patroni's members to agree who leads", DEADLINE, || {
            leader = self.leader_now();
            Ok(leader.is_ok())
        });
        agreed.and(leader)
    }

    fn leader_now(&self) -> Result<usize> {
        let statuses = self.statuses()?;
        let leader = statuses.iter().find(|it| it.role == "leader").context("no member leads")?;
        let named = self.members.iter().position(|member| member.name() == leader.name);
        named.with_context(|| format!("no member is called {}", leader.name))
    }

    /// SIGKILL to all of a member.
    pub fn kill9(&mut self, member: usize) -> Result<()> {
        self.members[member].kill9()
    }

    /// Has a member that leads send nothing any more, as a network that is cut: what it writes from now on,
    /// no other member gets. It stays so until it is killed.
    pub fn cut_off(&self, leader: usize) -> Result<()> {
        let senders = "SELECT pid FROM pg_stat_replication";
        let senders = self.members[leader].connect()?.query(senders, &[])?;
        ensure!(senders.len() == SIZE - 1, "{} members follow", senders.len());
        senders.iter().try_for_each(|row| freeze(row.get(0)))
    }

    /// Starts a member that was killed.
    pub fn revive(&mut self, member: usize) -> Result<()> {
        self.members[member].start()
    }

    /// Has member `from`, which leads, hand over to the synchronous standby. Asks again if Patroni does
    /// not say that it has: with a machine that is busy it may lose patience, or find no candidate.
    pub fn switchover(&self, from: usize) -> Result<()> {
        let leader = &self.members[from];
        let mut said = Ok(());
        let handed_over = interrupt::wait_for("the leader to hand over", DEADLINE, || {
            said = rest::switchover(leader.api(), leader.name());
            Ok(said.is_ok() || self.leader()? != from)
        });
        handed_over.map_err(|error| said.err().unwrap_or(error))
    }

    /// Waits until there is a leader with two standbys that follow, one of them synchronous unless none is to be.
    pub fn wait_until_whole(&self) -> Result<()> {
        let mut seen = Vec::new();
        let mut whole = || {
            seen = self.statuses().unwrap_or_default();
            Ok(is_whole(&seen, self.is_synchronous))
        };
        interrupt::wait_for("Patroni's members to be in place", DEADLINE, &mut whole).map_err(
            |error| anyhow!("{error:#}; the last that was seen: {seen:?}\n{}", self.logs()),
        )
    }

    /// Waits until all members have replayed what the leader has written by now.
    pub fn wait_for_replay(&self) -> Result<()> {
        let lsn = "SELECT pg_current_wal_lsn()::text";
        let lsn: String = self.connect()?.query_one(lsn, &[])?.get(0);
        for member in &self.members {
            let mut client = member.connect()?;
            let replayed = "SELECT NOT pg_is_in_recovery()
                OR pg_last_wal_replay_lsn() >= $1::text::pg_lsn";
            interrupt::wait_for(&format!("{} to replay {lsn}", member.name()), DEADLINE, || {
                Ok(client.query_one(replayed, &[&lsn])?.get(0))
            })?;
        }
        Ok(())
    }

    fn statuses(&self) -> Result<Vec<Status>> {
        let up = self.members.iter().filter(|member| member.is_up());
        let answers: Vec<_> = up.filter_map(|member| rest::members(member.api()).ok()).collect();
        // They are to agree, or some still see the past.
        let first = answers.first().context("no Patroni answers")?;
        let agree = answers.iter().all(|it| roles(it) == roles(first));
        ensure!(agree, "the members see different clusters");
        Ok(first.clone())
    }

    /// The end of each member's log.
    #[must_use]
    pub fn logs(&self) -> String {
        let tail = |member: &Member| {
            let log = member.log().unwrap_or_default();
            let lines: Vec<_> = log.lines().collect();
            let tail = lines[lines.len().saturating_sub(LOG_TAIL)..].join("\n");
            format!("the end of the log of {}:\n{tail}\n", member.name())
        };
        self.members.iter().map(tail).collect()
    }
}

fn roles(statuses: &[Status]) -> Vec<(&str, &str)> {
    let mut roles: Vec<_> = statuses.iter().map(|it| (&*it.name, &*it.role)).collect();
    roles.sort_unstable();
    roles
}

fn is_whole(statuses: &[Status], is_synchronous: bool) -> bool {
    let standbys = if is_synchronous { [1, 1] } else { [0, 2] };
    let count = |role: &str| statuses.iter().filter(|it| it.role == role).count();
    statuses.len() == SIZE
        && count("leader") == 1
        && ["sync_standby", "replica"].map(count) == standbys
        && statuses.iter().all(|it| ["running", "streaming"].contains(&&*it.state))
        && statuses.iter().all(|it| it.timeline.is_some() && it.timeline == statuses[0].timeline)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(list: [(&str, &str, u64); SIZE]) -> Vec<Status> {
        let status = |(role, state, timeline): (&str, &str, u64)| Status {
            name: role.into(),
            role: role.into(),
            state: state.into(),
            timeline: Some(timeline),
        };
        list.map(status).into()
    }

    #[test]
    fn a_whole_cluster_has_a_leader_and_two_standbys_that_follow_it() {
        let whole =
            [("leader", "running", 2), ("sync_standby", "running", 2), ("replica", "streaming", 2)];
        assert!(is_whole(&statuses(whole), true));
        let [leader, sync, replica] = whole;
        assert!(!is_whole(&statuses([leader, ("replica", "running", 2), replica]), true));
        assert!(!is_whole(&statuses([leader, sync, ("replica", "starting", 2)]), true));
        assert!(!is_whole(&statuses([leader, sync, ("replica", "running", 1)]), true));
        assert!(!is_whole(&statuses(whole)[..2], true));
    }
}
