//! `containers`, `resources` and `storage`, which refer to each other.

use crate::place::Place;
use crate::place::Problems;

/// Checks all three.
pub fn check(metadata: &Place<'_>, problems: &mut Problems) {
    let resources = metadata.key("resources");
    let storage = metadata.key("storage");
    if let Some(all) = &resources {
        for (_, at) in all.entries(problems) {
            resource(&at, problems);
        }
    }
    if let Some(all) = &storage {
        for (_, at) in all.entries(problems) {
            store(&at, problems);
        }
    }
    let Some(containers) = metadata.needed("containers", problems) else { return };
    for (_, at) in containers.entries(problems) {
        container(&at, resources.as_ref(), storage.as_ref(), problems);
    }
}

fn container(
    at: &Place<'_>,
    resources: Option<&Place<'_>>,
    storage: Option<&Place<'_>>,
    problems: &mut Problems,
) {
    if let Some(named) = at.needed("resource", problems)
        && let Some(name) = named.text(problems)
    {
        match resources.and_then(|all| all.key(name)) {
            None => named.wrong(problems, format!("`{name}` is no resource of this charm")),
            Some(found) if kind(&found) != "oci-image" => {
                named.wrong(problems, format!("`{name}` is no oci-image"));
            }
            Some(_) => {}
        }
    }
    for key in ["uid", "gid"] {
        if let Some(id) = at.key(key)
            && let Some(number) = id.integer(problems)
            && (number < 0 || (1000..=9999).contains(&number))
        {
            id.wrong(problems, format!("{number} is refused: 1000 to 9999 are Juju's own"));
        }
    }
    let Some(mounts) = at.key("mounts") else { return };
    for mount in mounts.items(problems) {
        if let Some(named) = mount.needed("storage", problems)
            && let Some(name) = named.text(problems)
            && storage.and_then(|all| all.key(name)).is_none()
        {
            named.wrong(problems, format!("`{name}` is no storage of this charm"));
        }
        if let Some(location) = mount.needed("location", problems)
            && location.text(problems).is_some_and(|path| !path.starts_with('/'))
        {
            location.wrong(problems, "is no absolute path");
        }
    }
}

/// What kind a resource is; Juju's default is a file.
fn kind<'a>(resource: &Place<'a>) -> &'a str {
    resource.value().get("type").map_or("file", |it| it.as_str().unwrap_or_default())
}

fn resource(at: &Place<'_>, problems: &mut Problems) {
    at.text_at("description", problems);
    at.text_at("upstream-source", problems);
    let name = at.text_at("filename", problems);
    match kind(at) {
        "file" if name.is_none_or(|name| name.is_empty() || name.contains('/')) => {
            at.wrong(problems, "is a file, and needs a `filename` without `/`");
        }
        "file" | "oci-image" => {}
        _ => at.wrong(problems, "has a type that is neither file nor oci-image"),
    }
}

fn store(at: &Place<'_>, problems: &mut Problems) {
    at.text_at("description", problems);
    let location = at.text_at("location", problems);
    let kind = at.needed("type", problems).and_then(|it| it.text(problems));
    if kind.is_some_and(|it| it != "filesystem" && it != "block") {
        at.wrong(problems, "has a type that is neither filesystem nor block");
    }
    if kind == Some("block") && location.is_some() {
        at.wrong(problems, "is a block device, which has no location");
    }
    for key in ["shared", "read-only"] {
        if let Some(flag) = at.key(key) {
            flag.boolean(problems);
        }
    }
    if let Some(size) = at.key("minimum-size")
        && size.text(problems).is_some_and(|text| !is_size(text))
    {
        size.wrong(problems, "is no size such as 1G");
    }
    if let Some(range) = at.key("multiple").and_then(|it| it.needed("range", problems))
        && fewest(&range).is_none()
    {
        range.wrong(problems, "is no range such as 3, 0-, 1+ or 0-10");
    }
}

fn is_size(text: &str) -> bool {
    let number = text.strip_suffix(['M', 'G', 'T', 'P', 'E', 'Z', 'Y']).unwrap_or(text);
    !number.is_empty() && number.parse::<f64>().is_ok_and(|size| size.is_finite() && size >= 0.0)
}

/// How many of a storage there are at least, by its `range`; none when that is no range.
pub fn fewest(range: &Place<'_>) -> Option<u64> {
    if let Some(number) = range.value().as_u64() {
        return (number > 0).then_some(number);
    }
    let text = range.value().as_str()?;
    if let Some((least, most)) = text.split_once('-') {
        let least = least.parse().ok()?;
        let fits = most.is_empty() || most.parse::<u64>().ok()? >= least;
        return fits.then_some(least);
    }
    text.strip_suffix('+').unwrap_or(text).parse().ok()
}
