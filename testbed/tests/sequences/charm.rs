//! A charm that records its events, and does beside that what a test asks of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Writes the charm into a new folder; it records into `records`, a file for each unit.
pub(crate) fn write(folder: &Path, records: &Path) {
    fs::create_dir_all(folder).expect("a folder for the charm");
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file");
    write("metadata.yaml", METADATA);
    write("config.yaml", "options: {color: {type: string, default: red}}\n");
    write("actions.yaml", "act: {params: {word: {type: string, default: hello}}}\n");
    let script = DISPATCH.replace("@RECORDS@", &records.display().to_string());
    write("dispatch", &script);
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.join("dispatch"), mode).expect("dispatch is ours");
}

const METADATA: &str = "
name: recorder
summary: records its events
description: for tests
containers:
  web: {resource: image, mounts: [{storage: data, location: /data}]}
resources:
  image: {type: oci-image}
  page: {type: file, filename: page.html}
storage:
  data: {type: filesystem, location: /data}
peers:
  peers: {interface: recorder}
provides:
  site: {interface: http}
requires:
  backend: {interface: http}
";

/// Records a line for the event: its name and what it is about. Then does what the file
/// `<unit>.<event>` says, or else that of the unit alone.
const DISPATCH: &str = r#"#!/bin/sh
cd "@RECORDS@" || exit 90
unit=$(echo "$JUJU_UNIT_NAME" | tr / -)
event=${JUJU_DISPATCH_PATH#*/}
line=$event
case $event in
  *-relation-departed) line="$line $JUJU_REMOTE_UNIT leaving $JUJU_DEPARTING_UNIT" ;;
  *-relation-*)
    if [ -n "$JUJU_REMOTE_UNIT" ]; then line="$line $JUJU_REMOTE_UNIT"
    else line="$line app=$JUJU_REMOTE_APP"; fi ;;
  *-storage-*) line="$line $JUJU_STORAGE_ID" ;;
  *-pebble-custom-notice) line="$line $JUJU_NOTICE_ID $JUJU_NOTICE_KEY" ;;
  *-pebble-check-*) line="$line $JUJU_PEBBLE_CHECK_NAME" ;;
  secret-*) line="$line $JUJU_SECRET_LABEL $JUJU_SECRET_REVISION" ;;
esac
kill -0 "$(cat "$unit.running" 2>/dev/null)" 2>/dev/null && echo "overlaps $line" >> "$unit"
echo $$ > "$unit.running"
echo "$line" >> "$unit"
if [ -e "$unit.$event" ]; then . "./$unit.$event"; fi
rm -f "$unit.running"
exec status-set active
"#;
