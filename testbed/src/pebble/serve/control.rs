//! The socket over which faults are ordered.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::rc::Rc;
use tokio::io::AsyncBufReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::BufReader;
use tokio::net::UnixListener;
use tokio::net::UnixStream;
use tokio::task::spawn_local;

use crate::pebble::faults::DaemonFault;
use crate::pebble::faults::Order;
use crate::pebble::journal;
use crate::pebble::shared::Shared;

/// Where the socket is; unset, there is none.
pub(crate) const FAULTS_VARIABLE: &str = "TESTBED_PEBBLE_FAULTS";

/// The boot id of a daemon that comes back after a fault.
pub(crate) const BOOT_ID_VARIABLE: &str = "TESTBED_PEBBLE_BOOT_ID";

/// Takes orders for ever.
pub(crate) async fn listen(shared: Rc<Shared>, listener: UnixListener) {
    while let Ok((stream, _)) = listener.accept().await {
        spawn_local(obey(Rc::clone(&shared), stream));
    }
}

async fn obey(shared: Rc<Shared>, mut stream: UnixStream) {
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let (told, at_once) = match serde_json::from_str::<Order>(&line) {
            Ok(order) => ("ok\n".to_owned(), shared.faults.borrow_mut().take(order)),
            Err(error) => (format!("error: {error}\n"), None),
        };
        if let Some(DaemonFault::BootId { id }) = &at_once {
            shared.boot_id.replace(id.clone());
        }
        if writer.write_all(told.as_bytes()).await.is_err() {
            return;
        }
        if at_once == Some(DaemonFault::Restart) {
            come_back(&shared);
        }
    }
}

/// The same process begins anew; all descriptors close by themselves.
fn come_back(shared: &Shared) {
    shared.children.kill_all();
    shared.save();
    let Ok(program) = env::current_exe() else { return };
    let boot_id = crate::pebble::run::fresh_id();
    let error =
        Command::new(program).args(env::args_os().skip(1)).env(BOOT_ID_VARIABLE, boot_id).exec();
    journal::note(&format!("Cannot come back: {error}"));
}
