//! What the containers of a pod share: network and host name, kept alive by one idle process, and the
//! files that name the pods.

use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;

use crate::dns::server;
use crate::error::BedError;
use crate::error::at_file;
use crate::ground::Ground;
use crate::lock::lock;
use crate::pod::spec::PodSpec;

/// Network and host name of a pod.
#[derive(Debug)]
pub(crate) struct Sandbox {
    ground: Arc<Ground>,
    directory: PathBuf,
    address: Ipv4Addr,
    link: String,
    /// The idle process, by its number on the machine.
    anchor: u32,
    child: Mutex<Child>,
    // The anchor ends when this closes.
    lifeline: Mutex<Option<ChildStdin>>,
    answers: Mutex<BufReader<ChildStdout>>,
}

impl Sandbox {
    /// Makes the namespaces; there is no network in them before `join`.
    ///
    /// Split in three so that many pods are made at once: the waiting is in `made` and `joined`.
    pub(crate) fn begin(
        ground: Arc<Ground>,
        directory: &Path,
        spec: &PodSpec,
        address: Ipv4Addr,
        link: String,
    ) -> Result<Self, BedError> {
        let host_name = spec.name();
        for (file, text) in [
            (HOSTS, spec.names.hosts(spec.unit, address)),
            (RESOLVER, spec.names.resolver(server::ADDRESS)),
            (HOST_NAME, format!("{host_name}\n")),
        ] {
            let path = directory.join(file);
            fs::write(&path, text).map_err(at_file(&path))?;
        }
        let errors = directory.join("anchor.log");
        let errors = File::create(&errors).map_err(at_file(&errors))?;
        let mut command = ground.hub_command(&ground.programs.unshare);
        command.args(["--net", "--uts", "--", "sh", "-c", ANCHOR, "pod", &host_name]);
        command.arg(address.to_string()).arg(&ground.programs.ip);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut child = ground.spawn(&mut command)?;
        let (Some(lifeline), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both are piped");
        };
        Ok(Self {
            ground,
            directory: directory.to_owned(),
            address,
            link,
            anchor: 0,
            child: Mutex::new(child),
            lifeline: Mutex::new(Some(lifeline)),
            answers: Mutex::new(BufReader::new(answers)),
        })
    }

    /// Waits until the namespaces are there and gives the hub's lines that connect it.
    pub(crate) fn made(&mut self) -> Result<Vec<String>, BedError> {
        self.anchor = self.expect("made")?.parse().unwrap_or_default();
        let Self { link, anchor, address, .. } = self;
        Ok(vec![
            format!("link add name {link} type veth peer name eth0 netns {anchor}"),
            format!("link set dev {link} up"),
            format!("address add {GATEWAY}/32 dev {link}"),
            format!("route add {address}/32 dev {link}"),
        ])
    }

    /// Lets the pod take up the link that the hub has made.
    pub(crate) fn join(&self) -> Result<(), BedError> {
        let mut lifeline = lock(&self.lifeline);
        let sent = lifeline.as_mut().map(|lifeline| lifeline.write_all(b"join\n"));
        sent.transpose().map(drop).map_err(at_file(&self.directory))
    }

    /// Waits until the pod has its address.
    pub(crate) fn joined(&self) -> Result<(), BedError> {
        self.expect("joined").map(drop)
    }

    /// Waits for a line and gives what follows its first word.
    fn expect(&self, wanted: &str) -> Result<String, BedError> {
        let mut line = String::new();
        let read = lock(&self.answers).read_line(&mut line);
        if read.is_ok()
            && let Some(rest) = line.strip_prefix(wanted)
        {
            return Ok(rest.trim().to_owned());
        }
        let status = lock(&self.child).wait().map_err(at_file(&self.directory))?;
        let stderr = fs::read_to_string(self.directory.join("anchor.log")).unwrap_or_default();
        Err(BedError::Failed { program: format!("a pod that was to be {wanted}"), status, stderr })
    }

    pub(crate) fn address(&self) -> Ipv4Addr {
        self.address
    }

    pub(crate) fn link(&self) -> &str {
        &self.link
    }

    /// A program with the pod's network and host name and the machine's files.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = self.ground.enter(self.anchor, "net,uts", Path::new("/"));
        command.arg(program);
        command
    }

    /// The files that all containers have in `/etc`, as the kubelet writes them.
    pub(crate) fn files(&self) -> [(PathBuf, &'static str); 3] {
        [HOSTS, RESOLVER, HOST_NAME].map(|name| (self.directory.join(name), name))
    }

    pub(crate) fn set_hosts(&self, text: &str) -> Result<(), BedError> {
        rewrite(&self.directory.join(HOSTS), text)
    }

    pub(crate) fn set_resolver(&self, text: &str) -> Result<(), BedError> {
        rewrite(&self.directory.join(RESOLVER), text)
    }

    /// Gives the namespaces up; they are gone with the last process in them.
    pub(crate) fn end(&self) {
        drop(lock(&self.lifeline).take());
        let _ = lock(&self.child).wait();
    }
}

/// Changes a file in place: it is bind-mounted, so it has to stay the same file, and whoever reads it
/// meanwhile must not find it empty.
fn rewrite(path: &Path, text: &str) -> Result<(), BedError> {
    let mut file = OpenOptions::new().write(true).open(path).map_err(at_file(path))?;
    file.write_all(text.as_bytes()).map_err(at_file(path))?;
    file.set_len(text.len() as u64).map_err(at_file(path))
}

const HOSTS: &str = "hosts";

const RESOLVER: &str = "resolv.conf";

const HOST_NAME: &str = "hostname";

/// The hub's address at every link.
const GATEWAY: &str = "169.254.1.1";

/// Arguments: host name, address, `ip`.
const ANCHOR: &str = r#"
set -e
hostname "$1"
read -r process rest </proc/self/stat
echo made $process
read -r join
"$3" -batch - <<LINES
link set dev lo up
link set dev eth0 up
address add $2/32 dev eth0
route add default via 169.254.1.1 dev eth0 onlink
LINES
echo joined
exec cat >/dev/null
"#;
