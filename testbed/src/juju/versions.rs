//! How often each databag has changed: what watchers of a relation compare.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::hash::BuildHasherDefault;
use std::hash::DefaultHasher;
use std::hash::Hash;

use crate::trace::entry::What;

use super::model::Bag;
use super::model::Model;
use super::model::application_of;
use super::model::relation::Relation;

/// The versions of all databags, by relation and owner: a unit or an application.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    bags: BTreeMap<(u32, String), Version>,
    /// Contents are compared, so that a change and its undoing are no change.
    pub(crate) by_content: bool,
}

#[derive(Debug, Default)]
struct Version {
    number: u64,
    content: Bag,
}

impl Versions {
    /// Looks at the databags; those that have changed since the last look get another version.
    /// Says what has changed.
    pub(crate) fn look(&mut self, model: &Model) -> Vec<What> {
        let mut changes = Vec::new();
        for relation in &model.relations {
            let units = relation.units.iter().map(|(unit, member)| (unit, &member.data));
            for (owner, bag) in units.chain(&relation.application_data) {
                let key = (relation.id, owner.clone());
                let version = self.bags.entry(key).or_default();
                if version.content != *bag {
                    changes.extend(differences(relation, owner, &version.content, bag));
                    version.content.clone_from(bag);
                    version.number += 1;
                }
            }
        }
        changes
    }

    /// The version of a databag; 0 for one that never held anything.
    pub(crate) fn of(&self, relation: u32, owner: &str) -> u64 {
        let version = self.bags.get(&(relation, owner.to_owned()));
        version.filter(|version| version.number > 0).map_or(0, |version| {
            if self.by_content { hash_of(&version.content) } else { version.number }
        })
    }
}

fn differences<'a>(
    relation: &'a Relation,
    owner: &'a str,
    before: &'a Bag,
    after: &'a Bag,
) -> impl Iterator<Item = What> {
    let endpoint = relation.endpoint_of(application_of(owner)).unwrap_or_default();
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = keys.into_iter().filter(|key| before.get(*key) != after.get(*key));
    changed.map(move |key| What::Databag {
        relation: relation.id,
        endpoint: endpoint.to_owned(),
        of: owner.to_owned(),
        key: key.clone(),
        value: after.get(key).cloned(),
    })
}

/// A number that differs, as good as certainly, for different values.
pub(crate) fn hash_of(value: impl Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
}

#[cfg(test)]
mod tests {
    use super::Versions;
    use crate::juju::model::Model;

    #[test]
    fn an_undone_change_counts_unless_contents_are_compared() {
        for (by_content, expected) in [(false, true), (true, false)] {
            let mut model = Model::application("a", 1);
            let mut versions = Versions { by_content, ..Versions::default() };
            versions.look(&model);
            let before = versions.of(0, "a/0");
            for value in ["x", "y"] {
                let bag = &mut model.relation_mut(0).unwrap().units.get_mut("a/0").unwrap().data;
                bag.insert("k".to_owned(), value.to_owned());
                versions.look(&model);
                assert_ne!(versions.of(0, "a/0"), before);
            }
            model.relation_mut(0).unwrap().units.get_mut("a/0").unwrap().data.remove("k");
            versions.look(&model);
            assert_eq!(versions.of(0, "a/0") != before, expected, "{by_content}");
        }
    }
}
