//! The ends of relations as an operator names them: `application`, or `application:endpoint`.

use super::error::LabError;
use crate::juju::model::Model;
use crate::juju::model::application::Role;
use crate::juju::model::relation::Relation;

/// An endpoint of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    application: String,
    endpoint: String,
}

impl End {
    pub(crate) fn as_pair(&self) -> (&str, &str) {
        (&self.application, &self.endpoint)
    }
}

/// The two endpoints that fit: a provider and a requirer of one interface. Where more than one pair
/// fits, they have to be named.
pub(crate) fn fitting(model: &Model, one: &str, other: &str) -> Result<[End; 2], LabError> {
    let (ours, theirs) = (candidates(model, one)?, candidates(model, other)?);
    let mut pairs = Vec::new();
    for (own, role, interface) in &ours {
        for (their, other_role, other_interface) in &theirs {
            let roles = (*role, *other_role);
            let fits = matches!(
                roles,
                (Role::Provider, Role::Requirer) | (Role::Requirer, Role::Provider)
            );
            let is_own = own.application == their.application;
            if fits && !is_own && interface == other_interface {
                pairs.push([own.clone(), their.clone()]);
            }
        }
    }
    let (one, other) = (one.to_owned(), other.to_owned());
    match <[[End; 2]; 1]>::try_from(pairs) {
        Ok([pair]) => Ok(pair),
        Err(pairs) if pairs.is_empty() => Err(LabError::NoFit { one, other }),
        Err(pairs) => {
            let named = pairs.iter().map(|[one, other]| {
                format!(
                    "{}:{} {}:{}",
                    one.application, one.endpoint, other.application, other.endpoint
                )
            });
            let pairs = named.collect::<Vec<_>>().join(", ");
            Err(LabError::Ambiguous { one, other, pairs })
        }
    }
}

/// The number of the relation between the two.
pub(crate) fn relation(model: &Model, one: &str, other: &str) -> Result<u32, LabError> {
    let has = |side: &str, relation: &Relation| {
        let (application, endpoint) = named(side);
        let own = relation.endpoint_of(application);
        own.is_some() && endpoint.is_none_or(|endpoint| own == Some(endpoint))
    };
    let found = model
        .relations
        .iter()
        .find(|relation| !relation.is_peer() && has(one, relation) && has(other, relation));
    found
        .map(|relation| relation.id)
        .ok_or_else(|| LabError::NoRelation { one: one.to_owned(), other: other.to_owned() })
}

fn candidates(model: &Model, side: &str) -> Result<Vec<(End, Role, String)>, LabError> {
    let (name, endpoint) = named(side);
    let application = model.applications.get(name);
    let application =
        application.ok_or_else(|| LabError::NoApplication { name: name.to_owned() })?;
    let own = application
        .endpoints
        .iter()
        .filter(|(own, _)| endpoint.is_none_or(|endpoint| *own == endpoint));
    Ok(own
        .map(|(own, declared)| {
            let end = End { application: name.to_owned(), endpoint: own.clone() };
            (end, declared.role, declared.interface.clone())
        })
        .collect())
}

fn named(side: &str) -> (&str, Option<&str>) {
    side.split_once(':').map_or((side, None), |(name, endpoint)| (name, Some(endpoint)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `redis-k8s` with its endpoints, and `web`, which requires `db` and provides `logs`.
    fn model() -> Model {
        let mut model = Model::application("redis-k8s", 0);
        model.relate(("redis-k8s", "redis"), ("web", "db"));
        model.relations.retain(Relation::is_peer);
        model
    }

    #[test]
    fn ends_are_found_by_the_interface_or_by_name() {
        for (one, other, found) in [
            ("redis-k8s", "web", "redis-k8s:redis web:db"),
            ("web", "redis-k8s", "web:db redis-k8s:redis"),
            ("redis-k8s:redis", "web:db", "redis-k8s:redis web:db"),
            ("redis-k8s:logging", "web:db", "none"),
            ("web:db", "web:site", "none"),
            ("redis-k8s:redis-peers", "web", "none"),
            ("nobody", "web", "none"),
        ] {
            let text = fitting(&model(), one, other).map_or_else(
                |_| "none".to_owned(),
                |ends| {
                    let named = ends.map(|end| format!("{}:{}", end.application, end.endpoint));
                    named.join(" ")
                },
            );
            assert_eq!(text, found, "{one} {other}");
        }
    }

    #[test]
    fn a_relation_is_found_by_its_ends_in_any_order() {
        let mut model = model();
        let id = model.relate(("redis-k8s", "redis"), ("web", "db"));
        for (one, other) in
            [("redis-k8s", "web"), ("web:db", "redis-k8s"), ("web", "redis-k8s:redis")]
        {
            assert_eq!(relation(&model, one, other).ok(), Some(id), "{one} {other}");
        }
        assert!(relation(&model, "redis-k8s:logging", "web").is_err());
    }
}
