//! What stands between the application as it is and as it should be. Each text is what a status or
//! a deferral says; a unit is named as Juju names it.

use thiserror::Error;

/// One thing that is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the text beside each variant says what it is")]
pub enum Obstacle {
    #[error("the peer relation is not there yet")]
    NoPeerRelation,
    #[error("stopped by SIGTERM")]
    Terminated,
    #[error("Juju does not say who leads")]
    LeadershipUnknown,
    #[error("{answering} of {electors} Sentinels answer, {needed} needed{complaint}")]
    TooFewSentinels { answering: usize, electors: usize, needed: usize, complaint: String },
    #[error("Sentinels disagree on the master: {agreeing} of {electors} name one, {needed} needed")]
    Disagreement { agreeing: usize, electors: usize, needed: usize },
    #[error("failover in progress, led by {leader}")]
    FailoverInProgress { leader: String },
    #[error("elected master {master} {state}")]
    MasterUnconfirmed { master: String, state: String },
    #[error("Sentinel of {sentinel} still names another master")]
    NotFollowing { sentinel: String },
    #[error("{unit} still acts as master beside the elected {master}")]
    SecondMaster { unit: String, master: String },
    #[error("Sentinel of {sentinel} holds the master for down")]
    HeldForDown { sentinel: String },
    #[error("{unit} is leaving")]
    Leaving { unit: String },
    #[error("{stranger} has left or is no unit's name, but still answers")]
    StrangerAnswers { stranger: String },
    #[error("{unit} is listed as {stranger} only: it announces a wrong name")]
    KnownByOtherName { unit: String, stranger: String },
    #[error("{stranger} has not been asked yet")]
    StrangerNotAsked { stranger: String },
    #[error("the master still lists {stranger}, which is no planned unit's name")]
    StillReplicating { stranger: String },
    #[error("{unit} cannot be learned again by the Sentinel of {sentinel}: it is silent")]
    WouldBeForgotten { unit: String, sentinel: String },
    #[error("Sentinel of {sentinel} does not know all the others yet")]
    StillBlind { sentinel: String },
    #[error("Sentinel of {sentinel} still knows {stranger}")]
    NotForgotten { sentinel: String, stranger: String },
    #[error("cannot {what}")]
    Failed { what: String },
}

impl Obstacle {
    /// True where Sentinel may well be done within seconds, so that a wait is worth its time.
    pub fn may_pass_soon(&self) -> bool {
        match self {
            Self::Disagreement { .. }
            | Self::FailoverInProgress { .. }
            | Self::MasterUnconfirmed { .. }
            | Self::NotFollowing { .. }
            | Self::SecondMaster { .. } => true,
            Self::NoPeerRelation
            | Self::Terminated
            | Self::LeadershipUnknown
            | Self::TooFewSentinels { .. }
            | Self::HeldForDown { .. }
            | Self::Leaving { .. }
            | Self::KnownByOtherName { .. }
            | Self::StrangerAnswers { .. }
            | Self::StrangerNotAsked { .. }
            | Self::StillReplicating { .. }
            | Self::WouldBeForgotten { .. }
            | Self::StillBlind { .. }
            | Self::NotForgotten { .. }
            | Self::Failed { .. } => false,
        }
    }
}
